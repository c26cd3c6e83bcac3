/* SPDX-License-Identifier: ISC */
#ifndef PLACER_HTTP_H
#define PLACER_HTTP_H

/*
 * /healthz (alive), /readyz (both APIs listed), /metrics (Prometheus) on the
 * listening socket that the supervisor opened.
 */

struct event_base;
struct http;
struct world;

/* Takes fd.  The world is borrowed for good. */
struct http *http_new(struct event_base *, int fd, const struct world *);
void http_free(struct http *);

#endif
