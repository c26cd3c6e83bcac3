/* SPDX-License-Identifier: ISC */
#ifndef FLIGHTSIDE_CREDS_H
#define FLIGHTSIDE_CREDS_H

/*
 * The bearer token of Flightctl: from FLIGHTCTL_AUTH_TOKEN_FILE, which may be
 * replaced at any time, or given once by the supervisor.
 */

#include <stdint.h>

#include "common/mono.h"
#include "common/settings.h"
#include "common/span.h"
#include "common/why.h"

struct creds;

/* given: FLIGHTCTL_AUTH_TOKEN (copied), used when no file is set. */
struct creds *creds_new(const struct settings *, struct span given);
void creds_free(struct creds *);

/*
 * Reads the file again when asked, when that was a minute ago, and in the last
 * minute before the token's exp and after it when that was a second ago.  1:
 * another token than before, 0: the same, -1: not readable or too long (the
 * earlier one stays).
 */
int creds_refresh(struct creds *, struct now, int asked, struct why *);

/* Where the token is from and its exp, never the token; caller frees. */
char *creds_describe(const struct creds *);

/*
 * The token; len 0: none, or handed on.  Good until creds_refresh() or
 * creds_handed_on().
 */
struct span creds_token(const struct creds *);

/* https has it: one copy is enough. */
void creds_handed_on(struct creds *);

/* 1: there is one, handed on or not. */
int creds_has_token(const struct creds *);

/*
 * Seconds since 1970 at which a JWT says that it expires; -1: it is none or
 * says nothing.  Pure.
 */
int64_t creds_expiry(struct span token);

#endif
