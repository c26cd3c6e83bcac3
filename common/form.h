/* SPDX-License-Identifier: ISC */
#ifndef COMMON_FORM_H
#define COMMON_FORM_H

/* The forms that names and addresses must have.  Pure. */

#include <stdint.h>

#include "common/span.h"

/* Kubernetes' rules: 1 when it has the form, else 0. */
int form_is_label_value(struct span); /* empty: yes */
int form_is_label_key(struct span);   /* with or without a prefix */
int form_is_dns_label(struct span);   /* RFC 1123, <= 63 */
int form_is_subdomain(struct span);   /* RFC 1123, <= 253 */

/* https, or http to loopback; no user, query or fragment. */
int form_is_url(struct span);

/* "127.0.0.1:80", "[::1]:0". */
int form_is_listen(struct span);

/* A decimal user id above 0, or what may be a user's name. */
int form_is_user(struct span);

/* No byte below 0x20, no 0x7f. */
int form_is_printable(struct span);

enum {
	FORM_HOST = 46
};
/* Splits what form_is_listen() accepts; -1: it does not. */
int form_listen(struct span, char host[FORM_HOST], uint16_t *port);

/*
 * Words separated by commas, blanks around them dropped.  1: *word is the
 * next (maybe empty), 0: no more.  *rest starts as the whole.
 */
int form_next_word(struct span *rest, struct span *word);

#endif
