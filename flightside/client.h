/* SPDX-License-Identifier: ISC */
#ifndef FLIGHTSIDE_CLIENT_H
#define FLIGHTSIDE_CLIENT_H

/* Flightctl as the settings describe it to the HTTP client. */

#include "common/https.h"
#include "common/settings.h"

/* Words that a struct https_conf borrows. */
struct client {
	char *url, *agent;
	int plain; /* not encrypted */
};

/* conf lives as long as settings and client do. */
void client_conf(struct https_conf *, struct client *, const struct settings *,
    unsigned int connections);
void client_free(struct client *);

#endif
