/* SPDX-License-Identifier: ISC */
#ifndef KUBESIDE_KUBECONFIG_H
#define KUBESIDE_KUBECONFIG_H

/* What a kubeconfig says of one context.  Pure: opens no file. */

#include "common/span.h"
#include "common/why.h"

/* As written there; strings are ours, NULL: not said. */
struct kubeconfig {
	char *server;
	char *server_name;
	char *proxy; /* may hold a password */
	char *ca_file;
	char *ca_data;
	char *cert_file;
	char *cert_data;
	char *key_file;
	char *key_data;
	char *token;
	char *token_file;
};

/*
 * context "": current-context.  *config is all NULL before, and again after
 * -1.  ERR_DENIED: a member that we refuse, by its name; ERR_FORMAT.
 */
int kubeconfig_parse(struct span text, const char *context, struct kubeconfig *,
    struct why *);

void kubeconfig_wipe(struct kubeconfig *);

#endif
