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
	ELEMENT_MAX = 64, /* the agent keeps so much of a name's end */
	UID_PART = 8,	  /* of a pod's uid, an application's name ends in */
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

const char *
said_or_late(const char *words)
{
	return words != NULL && *words != '\0' ?
	    words :
	    "the device did not apply it in time";
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

/*
 * Is it of the application whose files these are, below a directory of that
 * name?  Of a path that was cut only the end of the name may be left: with the
 * pod's uid in it.
 */
static int
stands_in_path(const char *words, const char *app)
{
	size_t len = strlen(app), n;
	const char *at;

	if (len <= UID_PART)
		return 0;
	for (at = words; (at = strstr(at, app)) != NULL; at++)
		if (at != words && at[-1] == '/' && at[len] == '/')
			return 1;
	if ((at = strstr(words, " ...")) == NULL)
		return 0;
	at += 4;
	n = strcspn(at, "/ :");
	return at[n] == '/' && n > UID_PART && n <= len &&
	    strncmp(app + len - n, at, n) == 0;
}

int
said_names(const char *words, const struct wpod *p)
{
	size_t i;

	if (words == NULL)
		return 0;
	if (stands(words, p->app) || stands_in_path(words, p->app))
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
