/* SPDX-License-Identifier: ISC */
#ifndef T_IT_LEAK_H
#define T_IT_LEAK_H

/*
 * Bytes that may be nowhere, plain or in base64: each look is one check, and
 * each find a line that says where.
 */

#include <stddef.h>

struct provider;

/* One more of them; borrowed, but for its name by which it is told. */
void leak_watch(const char *name, const char *bytes);

/* 1: one of them is there; says which. */
int leak_is_in(const char *where, const char *bytes, size_t len);

/* 1: this one is there. */
int leak_holds(const char *bytes, size_t len, const char *value);

/* The folder of a run, but for the credentials that it was given. */
void leak_look_at_disk(const char *run);
void leak_look_at_log(const struct provider *);

/* All that vkfctl answers of the run, in words and as JSON. */
void leak_look_at_answers(const char *run);

/* Its metrics, health and status page. */
void leak_look_at_listener(const struct provider *);

/* Everything in the apiserver that we write or cause to be written. */
void leak_look_at_apiserver(void);

/* Arguments and environments of its processes. */
void leak_look_at_processes(const struct provider *);

#endif
