/* SPDX-License-Identifier: ISC */
/*
 * said.c: what a device says of a version that it cannot apply.
 *
 * Owns the words of the agent's messages.  Never decides what follows.
 */
#include "placer/said.h"

#include <ctype.h>
#include <string.h>

#include "common/auto.h"
#include "placer/quadlet.h"

enum {
	ELEMENT_MAX = 64 /* the agent keeps so much of a name's end */
};

int
said_fetching(const struct device *dev)
{
	return !dev->settled && !dev->failed && dev->update_reason != NULL &&
	    (strcmp(dev->update_reason, "Preparing") == 0 ||
		strcmp(dev->update_reason, "ReadyToUpdate") == 0);
}

const char *
said_words(const struct device *dev)
{
	return dev->failed || said_fetching(dev) ? dev->update_message : NULL;
}

/* A byte of a name; a colon is when a name goes on behind it. */
static int
goes_on(const char *at)
{
	if (*at == ':')
		return goes_on(at + 1);
	return isalnum((unsigned char)*at) ||
	    (*at != '\0' && strchr("._-/@", *at) != NULL);
}

/* Does the whole name stand in the words, not as a part of another? */
static int
stands(const char *words, const char *name)
{
	size_t len = strlen(name);
	const char *at;

	if (len > ELEMENT_MAX) {
		name += len - ELEMENT_MAX;
		len = ELEMENT_MAX;
	}
	for (at = words; len > 0 && (at = strstr(at, name)) != NULL; at++)
		if ((at == words || at[-1] == ' ' || at[-1] == ',') &&
		    !goes_on(at + len))
			return 1;
	return 0;
}

int
said_names(const char *words, const struct wpod *p)
{
	size_t i;

	if (words == NULL)
		return 0;
	if (stands(words, p->app))
		return 1;
	for (i = 0; p->pod != NULL && i < p->pod->ncontainers; i++) {
		AUTO_FREE char *image =
		    quadlet_image(p->pod->containers[i].image);

		if (image != NULL && stands(words, image))
			return 1;
	}
	return 0;
}

const char *
said_reason(const char *words)
{
	if (words != NULL &&
	    (strstr(words, "prefetch") != NULL ||
		strstr(words, "images complete, pending") != NULL))
		return "ImagePullBackOff";
	return "CreateContainerError";
}
