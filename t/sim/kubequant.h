/* SPDX-License-Identifier: ISC */
#ifndef T_SIM_KUBEQUANT_H
#define T_SIM_KUBEQUANT_H

/* Kubernetes quantities: read, compared as whole nanos, written canonically. */

#include <stddef.h>

__extension__ typedef __int128 kquant_nanos;

enum kquant_format {
	KQUANT_DECIMAL,	 /* 1500m, 2k */
	KQUANT_BINARY,	 /* 64Mi */
	KQUANT_EXPONENT, /* 12e6 */
};

struct kquant {
	kquant_nanos nanos;
	enum kquant_format format;
};

/* -1: not a quantity.  Finer than a nano is rounded up, as the server does. */
int kquant_parse(const char *, struct kquant *);
/* The canonical text; buf holds at least 64 bytes. */
void kquant_format(const struct kquant *, char *buf, size_t);
int kquant_whole(const struct kquant *); /* no fraction */

#endif
