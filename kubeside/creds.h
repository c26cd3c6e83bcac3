/* SPDX-License-Identifier: ISC */
#ifndef KUBESIDE_CREDS_H
#define KUBESIDE_CREDS_H

/*
 * The apiserver's address and what opens its door: from a kubeconfig, or as
 * the pod's service account.  Held here and in https, nowhere else.
 */

#include "common/settings.h"
#include "common/why.h"

/* Strings are ours, NULL: none.  PEM texts and the token are wiped. */
struct creds {
	char *server;	   /* "https://host:port" */
	char *server_name; /* tls-server-name */
	char *proxy;	   /* proxy-url, as https.h says; may hold a password */
	char *ca_file;	   /* instead of ca, as https.h says */
	char *ca;	   /* PEM */
	char *cert;
	char *key;	  /* until creds_handed_on() */
	char *token;	  /* too */
	char *token_file; /* where token came from, to be read again */
};

/*
 * Fills *creds, all NULL before.  -1: *creds is empty again; a file that
 * cannot be read is ERR_SYSTEM with path, uid and reason, what a kubeconfig
 * may not say is ERR_DENIED or ERR_FORMAT.
 */
int creds_load(struct creds *, const struct settings *, struct why *);

/* Reads token_file again; without one nothing happens.  -1: token stays. */
int creds_reread(struct creds *, struct why *);

/* https has what is secret: one copy is enough. */
void creds_handed_on(struct creds *);

void creds_wipe(struct creds *);

#endif
