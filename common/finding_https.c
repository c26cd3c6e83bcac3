/* SPDX-License-Identifier: ISC */
/*
 * finding_https.c: why a server cannot be spoken with.
 *
 * Owns the words for each cause; never sends.
 */
#include "common/finding_https.h"

#include <string.h>

#include "common/auto.h"
#include "common/finding.h"
#include "common/xmem.h"

/* "host:port" of the base; the caller's. */
static char *
authority(const char *base)
{
	const char *at = strstr(base, "://");
	size_t len;

	at = at == NULL ? base : at + 3;
	len = strcspn(at, "/");
	/* Only the name's own colons, those of IPv6, are in brackets. */
	return memchr(at, ':', len) == NULL || at[len - 1] == ']' ?
	    xasprintf("%.*s:443", (int)len, at) :
	    xstrndup(at, len);
}

static char *
host(const char *base)
{
	char *name = authority(base);

	*strrchr(name, ':') = '\0';
	return name;
}

static void
not_verified(const struct finding_server *s, const struct https_answer *a)
{
	AUTO_FREE char *name = authority(s->base);
	AUTO_FREE char *peer = finding_word(name);
	AUTO_FREE char *mend = xasprintf(
	    "openssl s_client -connect %s -showcerts </dev/null  # its CA "
	    "belongs into %s",
	    peer, s->ca);

	finding(FINDING_FAIL, s->subject, mend,
	    "%s: certificate not verified with %s: %s", s->base,
	    s->ca_file != NULL ? s->ca_file : s->ca, a->why.text);
}

static void
not_resolved(const struct finding_server *s, const struct https_answer *a)
{
	AUTO_FREE char *name = host(s->base);
	AUTO_FREE char *word = finding_word(name);
	AUTO_FREE char *mend =
	    xasprintf("getent hosts %s  # or correct %s", word, s->set);

	finding(FINDING_FAIL, s->subject, mend, "%s: name not resolved: %s",
	    s->base, a->why.text);
}

static void
not_there(const struct finding_server *s, const struct https_answer *a,
    const char *how)
{
	AUTO_FREE char *url = finding_word(s->base);
	AUTO_FREE char *mend =
	    xasprintf("curl -vk %s  # or correct %s", url, s->set);

	finding(FINDING_FAIL, s->subject, mend, "%s: %s: %s", s->base, how,
	    a->why.text);
}

void
finding_unreachable(const struct finding_server *s,
    const struct https_answer *a)
{
	switch (a->cause) {
	case HTTPS_NO_NAME:
		not_resolved(s, a);
		break;
	case HTTPS_REFUSED:
		not_there(s, a,
		    a->os_error != 0 ? strerror(a->os_error) : "no connection");
		break;
	case HTTPS_TIMED_OUT:
		not_there(s, a, "no answer in time");
		break;
	case HTTPS_UNVERIFIED:
		not_verified(s, a);
		break;
	case HTTPS_OTHER:
		not_there(s, a, "no answer");
		break;
	}
}
