/* SPDX-License-Identifier: ISC */
/*
 * creds.c: the token.  Owns its bytes, which are wiped when replaced; never
 * logs them, never sends them (https.c does).
 */
#include "flightside/creds.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/auto.h"
#include "common/log.h"
#include "common/mono.h"
#include "common/scan.h"
#include "common/secret.h"
#include "common/stamp.h"
#include "common/xmem.h"

enum {
	MAX_TOKEN = 16384, /* as in body.def */
	AGE_MS = 60 * 1000,
	NEAR_S = 60,	 /* before it expires, and from then on, */
	NEAR_MS = 1000,	 /* the file is looked at so often */
	WARN_S = 5 * 60, /* before a token expires that cannot be renewed */
};

static const int64_t last_second = 253402300799; /* of the year 9999 */

struct creds {
	const char *path;     /* NULL: the token was given */
	struct secret *token; /* NULL: none, or handed on */
	int has_token;
	unsigned char hash[EVP_MAX_MD_SIZE]; /* by which another is one */
	int64_t expiry;			     /* of it: creds_expiry() */
	int64_t read_ms;
	int warned; /* about this token's end */
};

static void
hash_of(struct span token, unsigned char hash[EVP_MAX_MD_SIZE])
{
	memset(hash, 0, EVP_MAX_MD_SIZE);
	if (EVP_Digest(token.p, token.len, hash, NULL, EVP_sha256(), NULL) != 1)
		abort();
}

static void
take(struct creds *c, struct span token)
{
	secret_free(c->token);
	c->token = secret_new(token);
	c->has_token = 1;
	c->expiry = creds_expiry(token);
	c->warned = 0;
}

struct creds *
creds_new(const struct settings *s, struct span given)
{
	struct creds *c = xcalloc(1, sizeof(*c));

	c->expiry = -1;
	if (s->text[SET_FLIGHTCTL_AUTH_TOKEN_FILE][0] != '\0')
		c->path = s->text[SET_FLIGHTCTL_AUTH_TOKEN_FILE];
	else if (given.len > 0)
		take(c, given);
	c->read_ms = -AGE_MS;
	return c;
}

void
creds_free(struct creds *c)
{
	if (c == NULL)
		return;
	secret_free(c->token);
	free(c);
}

struct span
creds_token(const struct creds *c)
{
	if (c->token == NULL)
		return (struct span){ NULL, 0 };
	return secret_bytes(c->token);
}

void
creds_handed_on(struct creds *c)
{
	secret_free(c->token);
	c->token = NULL;
}

int
creds_has_token(const struct creds *c)
{
	return c->has_token;
}

/* All of a small file into buf: its length, -1 with errno. */
static ssize_t
read_all(const char *path, char *buf, size_t size)
{
	AUTO_FD int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t len = 0;
	ssize_t n;

	if (fd == -1)
		return -1;
	while ((n = read(fd, buf + len, size - len)) > 0)
		if ((len += (size_t)n) == size) {
			errno = EFBIG;
			return -1;
		}
	return n == -1 ? -1 : (ssize_t)len;
}

/* 1: another than before. */
static int
read_token(struct creds *c, char *buf, size_t size, struct why *why)
{
	unsigned char hash[EVP_MAX_MD_SIZE];
	ssize_t n = read_all(c->path, buf, size);

	if (n == -1)
		return fail_code(why, ERR_AUTH, (uint32_t)errno,
		    "FLIGHTCTL_AUTH_TOKEN_FILE %s: %s", c->path,
		    strerror(errno));
	while (n > 0 && (unsigned char)buf[n - 1] <= ' ')
		n--;
	if (n == 0)
		return fail(why, ERR_AUTH,
		    "FLIGHTCTL_AUTH_TOKEN_FILE %s: "
		    "empty",
		    c->path);
	hash_of((struct span){ buf, (size_t)n }, hash);
	if (c->has_token && memcmp(c->hash, hash, sizeof(hash)) == 0)
		return 0;
	memcpy(c->hash, hash, sizeof(hash));
	take(c, (struct span){ buf, (size_t)n });
	return 1;
}

static int
read_file(struct creds *c, struct why *why)
{
	char buf[MAX_TOKEN + 1];
	int r = read_token(c, buf, sizeof(buf), why);

	explicit_bzero(buf, sizeof(buf));
	return r;
}

/* Who writes a file does so in time, or not at all: no word before the end. */
static void
warn_of_end(struct creds *c, int64_t left)
{
	if (c->warned || left > (c->path == NULL ? WARN_S : 0))
		return;
	c->warned = 1;
	if (c->path != NULL)
		log_warn("the Flightctl token expired %lld s ago and %s has "
			 "no other one",
		    (long long)-left, c->path);
	else if (left > 0)
		log_warn("the Flightctl token expires in %lld s; it came from "
			 "FLIGHTCTL_AUTH_TOKEN and cannot be renewed, use "
			 "FLIGHTCTL_AUTH_TOKEN_FILE",
		    (long long)left);
	else
		log_warn("the Flightctl token expired %lld s ago; it came "
			 "from FLIGHTCTL_AUTH_TOKEN and cannot be renewed, "
			 "use FLIGHTCTL_AUTH_TOKEN_FILE",
		    (long long)-left);
}

static int64_t
seconds_left(const struct creds *c, struct now now)
{
	return c->expiry == -1 ? INT64_MAX : c->expiry - now.wall_ms / 1000;
}

int
creds_refresh(struct creds *c, struct now now, int asked, struct why *why)
{
	int64_t age = now.boot_ms - c->read_ms;
	int rc = 0;

	if (!asked && age < (seconds_left(c, now) > NEAR_S ? AGE_MS : NEAR_MS))
		return 0;
	c->read_ms = now.boot_ms;
	if (c->path != NULL)
		rc = read_file(c, why);
	if (c->expiry != -1)
		warn_of_end(c, seconds_left(c, now));
	return rc;
}

char *
creds_describe(const struct creds *c)
{
	char at[STAMP_SIZE] = "";

	if (c->path == NULL && !c->has_token)
		return xstrdup("no token: set FLIGHTCTL_AUTH_TOKEN_FILE");
	if (!c->has_token)
		return xasprintf("no token could be read from "
				 "FLIGHTCTL_AUTH_TOKEN_FILE %s",
		    c->path);
	if (c->expiry != -1)
		stamp_format(c->expiry * 1000, at);
	return xasprintf("token of FLIGHTCTL_AUTH_TOKEN%s%s%s%s",
	    c->path == NULL ? "" : "_FILE ", c->path == NULL ? "" : c->path,
	    c->expiry == -1 ? "" : ", exp ", at);
}

/* The bytes of base64url without padding; caller frees; NULL: it is none. */
static char *
decode_base64url(struct span s, size_t *len)
{
	AUTO_FREE char *in = xcalloc(1, s.len + 4);
	AUTO_FREE char *out = xcalloc(1, s.len + 4);
	size_t i, padded = (s.len + 3) / 4 * 4;
	int n;

	for (i = 0; i < padded; i++) {
		in[i] = '=';
		if (i < s.len)
			in[i] = s.p[i];
		if (in[i] == '-')
			in[i] = '+';
		else if (in[i] == '_')
			in[i] = '/';
	}
	n = EVP_DecodeBlock((unsigned char *)out, (unsigned char *)in,
	    (int)padded);
	if (n < (int)(padded - s.len))
		return NULL;
	*len = (size_t)n - (padded - s.len);
	return steal(&out);
}

int64_t
creds_expiry(struct span token)
{
	AUTO_FREE char *payload = NULL;
	const char *first, *second;
	struct span exp;
	char digits[20], *end;
	size_t len;
	int64_t at;

	if (token.len == 0 || token.len > MAX_TOKEN ||
	    (first = memchr(token.p, '.', token.len)) == NULL)
		return -1;
	first++;
	second = memchr(first, '.', (size_t)(token.p + token.len - first));
	if (second == NULL || second == first)
		return -1;
	payload =
	    decode_base64url((struct span){ first, (size_t)(second - first) },
		&len);
	if (payload == NULL ||
	    scan_get((struct span){ payload, len }, &exp, "exp", NULL) != 1 ||
	    exp.len >= sizeof(digits))
		return -1;
	memcpy(digits, exp.p, exp.len);
	digits[exp.len] = '\0';
	at = strtoll(digits, &end, 10);
	return end != digits && at > 0 && at <= last_second ? at : -1;
}
