/* SPDX-License-Identifier: ISC */
#ifndef T_IT_FAULTY_H
#define T_IT_FAULTY_H

/*
 * The simulators' world behind two proxies (fault.h), pods that come, change
 * and go there, and the state that all must end in.
 */

#include "t/it/fault.h"

struct provider;

/* What a certificate of both proxies is. */
enum faulty_cert {
	CERT_RIGHT,
	CERT_EXPIRED,
	CERT_OTHER_NAME,
	CERT_OTHER_CA,
	CERT_RENEWED, /* right, by the same CA, another one */
};

enum {
	FAULTY_RATE = 600, /* FLIGHTCTL_RATE */
	FAULTY_PODS = 10,  /* between two churns */
};

/* Into one file: a server's certificate by an authority of our folder; key. */
void faulty_pem(const char *file, const char *authority, const char *names,
    int days);
/*
 * The administrator's token by another way to the apiserver: a kubeconfig's
 * path, the caller's.  user: more lines of the user, or "".
 */
char *faulty_kubeconfig(const char *server, const char *ca, const char *user);

void faulty_open(void);
struct fault_proxy *faulty_proxy(enum fault_server);
/* New connections meet that certificate; the open ones are cut. */
void faulty_certify(enum fault_server, enum faulty_cert);

/* The provider of that world with pods that stay; NULL: it does not start. */
struct provider *faulty_start(void);

/* Pods come, change and go for so long, some each second. */
void faulty_churn(int ms);
/* One pod more, which stays, is Running: with the time since since_ms. */
void faulty_runs(int64_t since_ms);
/* No more faults; all is as it should be within ms: checks. */
int faulty_ends(const char *after, int ms);

#endif
