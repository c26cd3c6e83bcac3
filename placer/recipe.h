/* SPDX-License-Identifier: ISC */
#ifndef PLACER_RECIPE_H
#define PLACER_RECIPE_H

/*
 * What a pod's files are made of, so that they can be made again while it
 * runs: the Pod without all else.  Only of volumes that are mounted whole and
 * whose content may change; a subPath keeps what it had at the start, as under
 * a kubelet.  Pure.
 */

#include <stdint.h>

struct block;
struct json_object;

/* A Pod's text for quadlet_live(), or NULL: nothing of it changes. */
char *recipe_of(struct block *, struct json_object *pod);

/*
 * The files of one element of spec.config: their paths and content, whatever
 * else a server adds.  Never 0.
 */
uint64_t recipe_files(struct json_object *config);

/* The bytes of an application's files. */
int64_t recipe_bytes(struct json_object *application);

#endif
