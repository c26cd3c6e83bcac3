/* SPDX-License-Identifier: ISC */
#ifndef T_UNIT_TUNNEL_H
#define T_UNIT_TUNNEL_H

/* An HTTP proxy on the loop of a test, that knows CONNECT alone. */

struct event_base;

struct tunnel {
	struct evconnlistener *listener;
	const char *refusal; /* instead of a way there; NULL: there is one */
	unsigned int connections;
	char asked[1024]; /* the last request */
	char url[64];	  /* "http://user:pass@127.0.0.1:port" */
};
extern struct tunnel tunnel;

void tunnel_start(struct event_base *, const char *refusal);
void tunnel_stop(void);

#endif
