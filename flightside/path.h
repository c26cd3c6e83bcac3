/* SPDX-License-Identifier: ISC */
#ifndef FLIGHTSIDE_PATH_H
#define FLIGHTSIDE_PATH_H

/* The one builder of what follows the host in a URL of Flightctl. */

struct path_param {
	const char *name;  /* needs no escaping */
	const char *value; /* NULL: left out */
};

/*
 * "/api/v1/<kind>[/<name>]?org_id=...&...", escaped; the caller's to free.
 * name and org may be NULL; params end with a NULL name.
 */
char *path_make(const char *kind, const char *name, const char *org,
    const struct path_param *params);

#endif
