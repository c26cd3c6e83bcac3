/* SPDX-License-Identifier: ISC */
#ifndef T_SIM_CERT_H
#define T_SIM_CERT_H

/*
 * Certificates for the simulators, made with libcrypto: a CA in a folder,
 * server and client certificates, signed requests.  EC P-256, PEM files,
 * keys with mode 0600.
 */

#include <stddef.h>

struct cert_ca;
struct why;

/* DIR/NAME.crt and DIR/NAME.key, made when they are not there. */
struct cert_ca *cert_ca_open(const char *dir, const char *name, struct why *);
void cert_ca_free(struct cert_ca *);

/* DIR/NAME.crt and .key for 127.0.0.1, ::1 and localhost. */
int cert_server(struct cert_ca *, const char *dir, const char *name,
    struct why *);
/* The same for other names ("DNS:x,IP:::1"), until in so many days: < 0: it
 * has expired. */
int cert_server_as(struct cert_ca *, const char *dir, const char *name,
    const char *names, int days, struct why *);
/* DIR/NAME.crt and .key for a client; org may be NULL. */
int cert_client(struct cert_ca *, const char *dir, const char *name,
    const char *cn, const char *org, struct why *);

/*
 * Signs a PEM request for a client: cn replaces its subject unless NULL.
 * Returns the certificate as PEM, the caller's; NULL with *why.
 */
char *cert_sign(struct cert_ca *, const char *csr, size_t len, const char *cn,
    int days, struct why *);

/* A new key in DIR/NAME.key and its request as PEM, the caller's. */
char *cert_request(const char *dir, const char *name, const char *cn,
    struct why *);

/* Common name in a PEM certificate or request, the caller's; or NULL. */
char *cert_subject(const char *pem, size_t len);

#endif
