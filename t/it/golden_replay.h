/* SPDX-License-Identifier: ISC */
#ifndef T_IT_GOLDEN_REPLAY_H
#define T_IT_GOLDEN_REPLAY_H

/* One replay: golden_kube.c has the order, golden_play.c plays and compares,
 * golden_setup.c makes what is to be there before. */

#include <stddef.h>

#include "t/it/golden_allow.h"
#include "t/it/golden_diff.h"
#include "t/it/golden_http.h"

#define GOLDEN "t/golden/kubernetes"

struct replay {
	struct golden_conn *conn;
	struct golden_names *names;
	struct golden_allow *allow;
	char *dir, *base, *socket;
	char *agent; /* Authorization */
	const char *recording;
	unsigned int differences;
	char *first; /* the first difference that is not allowed */
};

/* The recording as trim wrote it, the caller's; dies when there is none. */
struct json_object *replay_recording(const char *name);

/* Credentials of an actor; *cert and *key are the caller's. */
void replay_actor(const struct replay *, const char *actor,
    struct golden_request *, char **cert, char **key, size_t *headers);

/* Sends it again: one check; of a watch the first n events, 0: all. */
void replay_play(struct replay *, const char *name, size_t n);

/* Must succeed. */
void replay_send(struct replay *, const char *actor, const char *method,
    const char *path, const char *type, const char *body);

/* The pods of a recorded answer, made so that it can be recorded again. */
enum replay_as {
	REPLAY_EXACT, /* as they were; their versions are known */
	REPLAY_GROWN, /* with their status; only their uids are known */
	REPLAY_BORN,  /* as the server makes them; uids too */
};
void replay_make(struct replay *, const char *name, enum replay_as);

/* The version of the object at path now is what was recorded as that. */
void replay_version(struct replay *, const char *recorded, const char *path);

/* Until the object at path has the text (there 1) or has it not. */
void replay_await(struct replay *, const char *path, const char *text,
    int there);

#endif
