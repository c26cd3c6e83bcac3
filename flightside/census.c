/* SPDX-License-Identifier: ISC */
/*
 * census.c: what a list tells of its devices.  Owns the counting; never judges.
 */
#include "flightside/census.h"

#include <stdlib.h>
#include <string.h>

#include "common/form.h"
#include "common/scan.h"

static int
has(struct span object, const char *a, const char *b)
{
	struct span value;

	return scan_get(object, &value, a, b, NULL) == 1 &&
	    !(value.len == 4 && memcmp(value.p, "null", 4) == 0);
}

static void
note_agent(struct census *c, struct span device)
{
	char version[CENSUS_VERSION];
	unsigned int i;

	if (scan_get_string(device, version, sizeof(version), "status",
		"systemInfo", "agentVersion", NULL) != 1 ||
	    version[0] == '\0')
		return;
	for (i = 0; i < c->nagents; i++)
		if (strcmp(c->agents[i], version) == 0)
			return;
	if (c->nagents < CENSUS_AGENTS)
		memcpy(c->agents[c->nagents++], version, sizeof(version));
}

static void
note_size(struct census *c, struct span device, const char *name)
{
	char cores[32], memory[32];

	if (scan_get_string(device, cores, sizeof(cores), "status",
		"systemInfo", "cpuCores", NULL) == 1 &&
	    scan_get_string(device, memory, sizeof(memory), "status",
		"systemInfo", "memoryTotalKb", NULL) == 1)
		return;
	if (c->silent++ == 0)
		memcpy(c->silent_name, name, sizeof(c->silent_name));
}

static void
note(struct census *c, struct span device)
{
	char name[MAX_NAME + 1] = "", owner[MAX_NAME + 1], status[64];

	c->looked_at++;
	if (scan_get_string(device, name, sizeof(name), "metadata", "name",
		NULL) != 1 ||
	    !form_is_subdomain(span_of(name)))
		return;
	if (scan_get_string(device, status, sizeof(status), "status", "summary",
		"status", NULL) == 1 &&
	    strcmp(status, "Unknown") != 0)
		c->online++;
	if (has(device, "spec", "decommissioning"))
		c->leaving++;
	if (scan_get_string(device, owner, sizeof(owner), "metadata", "owner",
		NULL) == 1 &&
	    owner[0] != '\0' && c->owned++ == 0) {
		memcpy(c->owned_name, name, sizeof(name));
		memcpy(c->owner, owner, sizeof(owner));
	}
	note_agent(c, device);
	note_size(c, device, name);
}

int
census_take(struct span list, struct census *c)
{
	struct span items, device, more;
	size_t at = 0;
	int rc;

	*c = (struct census){ 0 };
	if (scan_get(list, &items, "items", NULL) != 1)
		return -1;
	while ((rc = scan_next(items, &at, &device)) == 1)
		note(c, device);
	c->devices = c->looked_at;
	/* A number ends where the JSON that holds it goes on. */
	if (scan_get(list, &more, "metadata", "remainingItemCount", NULL) == 1)
		c->devices += strtoull(more.p, NULL, 10);
	return rc;
}
