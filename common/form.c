/* SPDX-License-Identifier: ISC */
/*
 * form.c: what names and addresses look like.
 *
 * Owns the rules of apimachinery's validation that we need; no lookups.
 */
#include "common/form.h"

#include <arpa/inet.h>

static int
is_lower_alnum(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static int
is_alnum(char c)
{
	return is_lower_alnum(c) || (c >= 'A' && c <= 'Z');
}

int
form_is_label_value(struct span s)
{
	size_t i;

	if (s.len == 0)
		return 1;
	if (s.len > 63 || !is_alnum(s.p[0]) || !is_alnum(s.p[s.len - 1]))
		return 0;
	for (i = 0; i < s.len; i++)
		if (!is_alnum(s.p[i]) && s.p[i] != '-' && s.p[i] != '_' &&
		    s.p[i] != '.')
			return 0;
	return 1;
}

int
form_is_label_key(struct span s)
{
	const char *slash = s.len > 0 ? memchr(s.p, '/', s.len) : NULL;
	struct span prefix = { s.p, 0 };

	if (slash != NULL) {
		prefix.len = (size_t)(slash - s.p);
		if (!form_is_subdomain(prefix))
			return 0;
		s.len -= prefix.len + 1;
		s.p = slash + 1;
	}
	return s.len > 0 && form_is_label_value(s);
}

int
form_is_dns_label(struct span s)
{
	size_t i;

	if (s.len == 0 || s.len > 63 || s.p[0] == '-' || s.p[s.len - 1] == '-')
		return 0;
	for (i = 0; i < s.len; i++)
		if (!is_lower_alnum(s.p[i]) && s.p[i] != '-')
			return 0;
	return 1;
}

int
form_is_subdomain(struct span s)
{
	struct span part;
	const char *dot;

	if (s.len > 253)
		return 0;
	while (s.len > 0 && (dot = memchr(s.p, '.', s.len)) != NULL) {
		part = (struct span){ s.p, (size_t)(dot - s.p) };
		if (!form_is_dns_label(part))
			return 0;
		s.len -= part.len + 1;
		s.p = dot + 1;
	}
	return form_is_dns_label(s);
}

static int
take_prefix(struct span *s, const char *prefix)
{
	size_t len = strlen(prefix);

	if (s->len < len || memcmp(s->p, prefix, len) != 0)
		return 0;
	s->p += len;
	s->len -= len;
	return 1;
}

static int
take_port(struct span *s, uint16_t *port)
{
	uint32_t v = 0;
	size_t n;

	for (n = 0; n < s->len && s->p[n] >= '0' && s->p[n] <= '9'; n++) {
		v = v * 10 + (uint32_t)(s->p[n] - '0');
		if (n >= 5 || v > UINT16_MAX)
			return -1;
	}
	if (n == 0)
		return -1;
	*port = (uint16_t)v;
	s->p += n;
	s->len -= n;
	return 0;
}

static int
is_ipv6(struct span s)
{
	char text[INET6_ADDRSTRLEN];
	struct in6_addr addr;

	if (s.len >= sizeof(text) || memchr(s.p, '\0', s.len) != NULL)
		return 0;
	memcpy(text, s.p, s.len);
	text[s.len] = '\0';
	return inet_pton(AF_INET6, text, &addr) == 1;
}

/* "name", "127.0.0.1", "[::1]": without the brackets in *host. */
static int
take_host(struct span *s, struct span *host)
{
	const char *end;
	size_t n;

	if (take_prefix(s, "[")) {
		if (s->len == 0 || (end = memchr(s->p, ']', s->len)) == NULL)
			return -1;
		*host = (struct span){ s->p, (size_t)(end - s->p) };
		s->p += host->len + 1;
		s->len -= host->len + 1;
		return is_ipv6(*host) ? 0 : -1;
	}
	for (n = 0; n < s->len; n++)
		if (!is_alnum(s->p[n]) && s->p[n] != '-' && s->p[n] != '.')
			break;
	*host = (struct span){ s->p, n };
	s->p += n;
	s->len -= n;
	return n > 0 && n <= 253 ? 0 : -1;
}

int
form_is_url(struct span s)
{
	struct span host;
	int plain = 0;
	uint16_t port;
	size_t i;

	if (!take_prefix(&s, "https://")) {
		if (!take_prefix(&s, "http://"))
			return 0;
		plain = 1;
	}
	if (take_host(&s, &host) == -1 ||
	    (plain && !span_is(host, "127.0.0.1") && !span_is(host, "::1") &&
		!span_is(host, "localhost")))
		return 0;
	if (take_prefix(&s, ":") && take_port(&s, &port) == -1)
		return 0;
	if (s.len > 0 && s.p[0] != '/')
		return 0;
	for (i = 0; i < s.len; i++)
		if (s.p[i] <= ' ' || s.p[i] > '~' ||
		    strchr("?#@\\\"", s.p[i]) != NULL)
			return 0;
	return 1;
}

int
form_listen(struct span s, char host[FORM_HOST], uint16_t *port)
{
	int is_v6 = s.len > 0 && s.p[0] == '[';
	struct in_addr addr;
	struct span h;

	if (take_host(&s, &h) == -1 || h.len >= FORM_HOST ||
	    !take_prefix(&s, ":") || take_port(&s, port) == -1 || s.len > 0)
		return -1;
	memcpy(host, h.p, h.len);
	host[h.len] = '\0';
	return is_v6 || inet_pton(AF_INET, host, &addr) == 1 ? 0 : -1;
}

int
form_is_listen(struct span s)
{
	char host[FORM_HOST];
	uint16_t port;

	return form_listen(s, host, &port) == 0;
}

static int
is_uid(struct span s)
{
	size_t i;

	/* Nine digits are below 2^31; no octal look. */
	if (s.len == 0 || s.len > 9 || s.p[0] == '0')
		return 0;
	for (i = 0; i < s.len; i++)
		if (s.p[i] < '0' || s.p[i] > '9')
			return 0;
	return 1;
}

int
form_is_user(struct span s)
{
	size_t i;

	if (is_uid(s))
		return 1;
	if (s.len == 0 || s.len > 31 || (s.p[0] >= '0' && s.p[0] <= '9'))
		return 0;
	for (i = 0; i < s.len; i++)
		if (!is_lower_alnum(s.p[i]) && s.p[i] != '_' &&
		    (s.p[i] != '-' || i == 0))
			return 0;
	return 1;
}

int
form_is_printable(struct span s)
{
	size_t i;

	for (i = 0; i < s.len; i++)
		if ((unsigned char)s.p[i] < ' ' || s.p[i] == 0x7f)
			return 0;
	return 1;
}

int
form_next_word(struct span *rest, struct span *word)
{
	const char *comma;

	if (rest->p == NULL)
		return 0;
	*word = *rest;
	comma = rest->len > 0 ? memchr(rest->p, ',', rest->len) : NULL;
	if (comma == NULL) {
		*rest = (struct span){ NULL, 0 };
	} else {
		word->len = (size_t)(comma - rest->p);
		rest->p = comma + 1;
		rest->len -= word->len + 1;
	}
	while (word->len > 0 && (word->p[0] == ' ' || word->p[0] == '\t'))
		word->p++, word->len--;
	while (word->len > 0 &&
	    (word->p[word->len - 1] == ' ' || word->p[word->len - 1] == '\t'))
		word->len--;
	return 1;
}
