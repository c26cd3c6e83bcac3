/* SPDX-License-Identifier: ISC */
#ifndef KUBESIDE_API_H
#define KUBESIDE_API_H

/*
 * Requests to the apiserver: credentials as they are now, whether it can be
 * reached, and what it says when it refuses.
 */

#include "common/https.h"
#include "common/meter.h"
#include "common/settings.h"

struct api;
struct api_call;
struct event_base;

struct api_ops {
	/* The server came or went; text says why it is away. */
	void (*state)(int reachable, const char *text, void *);
	/* It may be another than before: streams may hang on the old one. */
	void (*replaced)(void *);
};

/*
 * nodes: how many connections they need: streams, Leases.  Credentials that
 * cannot be read are logged and read again until they can; until then every
 * call fails.
 */
struct api *api_new(struct event_base *, const struct settings *,
    unsigned int nodes, const struct api_ops *, void *arg);
void api_free(struct api *);

/*
 * Credential files may have changed.  So they may after a 401, and when the
 * server cannot be verified: that reads them again by itself.
 */
void api_reload(struct api *);

/*
 * As https_send(): done() comes once, later.  A Status of the server's is
 * part of why.text.  What is asked for again and again is never final, not
 * even a 403: a young apiserver refuses everything.
 */
struct api_call *api_send(struct api *, const struct https_req *);
void api_cancel(struct api_call *); /* NULL allowed; no done() */
void api_pause(struct api_call *);
void api_resume(struct api_call *);

/* What was sent and answered since the start. */
struct meter *api_meter(struct api *);

#endif
