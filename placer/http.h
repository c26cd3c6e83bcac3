/* SPDX-License-Identifier: ISC */
#ifndef PLACER_HTTP_H
#define PLACER_HTTP_H

/*
 * /healthz (alive), /readyz (both APIs listed), /metrics (Prometheus) and the
 * status page (page.h, api.h) on the listening socket that the supervisor
 * opened.  Only GET and HEAD.
 *
 * The page shows names, so not everybody sees it: STATUS_PAGE says who may
 * connect, and under a name of somebody else's (which a hostile page can point
 * at us) nobody is answered: Host must be an address or localhost.
 */

struct event_base;
struct http;
struct world;

/*
 * Takes fd.  The world is borrowed for good; status_page is the setting's
 * value, borrowed too.
 */
struct http *http_new(struct event_base *, int fd, const struct world *,
    const char *status_page);
void http_free(struct http *);

#endif
