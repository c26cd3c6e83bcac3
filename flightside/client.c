/* SPDX-License-Identifier: ISC */
/*
 * client.c: where Flightctl is and how it is verified, by the settings.
 */
#include "flightside/client.h"

#include <stdlib.h>
#include <string.h>

#include "common/xmem.h"
#include "ipc/build.h"

static const char *
path_or_null(const struct settings *s, enum setting which)
{
	return s->text[which][0] != '\0' ? s->text[which] : NULL;
}

void
client_conf(struct https_conf *conf, struct client *c, const struct settings *s,
    unsigned int connections)
{
	const char *url = s->text[SET_FLIGHTCTL_API_URL];
	size_t len = strlen(url);

	while (len > 0 && url[len - 1] == '/')
		len--;
	c->url = xstrndup(url, len);
	c->agent = xasprintf("vk-flightctl-provider/%s", build_version);
	c->plain = strncasecmp(c->url, "http:", 5) == 0;
	*conf = (struct https_conf){ .base = c->url,
		.ca_file = path_or_null(s, SET_FLIGHTCTL_CA_FILE),
		.cert_file = path_or_null(s, SET_FLIGHTCTL_CLIENT_CERT),
		.key_file = path_or_null(s, SET_FLIGHTCTL_CLIENT_KEY),
		.user_agent = c->agent,
		.connections = connections };
}

void
client_free(struct client *c)
{
	free(c->url);
	free(c->agent);
}
