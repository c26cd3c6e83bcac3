/* SPDX-License-Identifier: ISC */
/*
 * mark.c: the form of our names.  Owns what makes a name ours; never decides
 * what may be done under it.
 */
#include "common/mark.h"

#include <sys/types.h>

#include <sha2.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	UID_DIGITS = 8,
	HASH_DIGITS = 8,
	CLUSTER_DIGITS = 10,
	/* between the prefix and "-<uid8>" */
	MIDDLE = MAX_APP - (MARK_PREFIX - 1) - 1 - UID_DIGITS,
};

void
mark_digest(struct span bytes, char hex[DIGEST_SIZE])
{
	if (SHA256Data((const uint8_t *)bytes.p, bytes.len, hex) == NULL)
		abort();
}

void
mark_prefix(const char *cluster, char buf[MARK_PREFIX])
{
	char hex[DIGEST_SIZE];

	mark_digest(span_of(cluster), hex);
	(void)snprintf(buf, MARK_PREFIX, "k8s-%.*s-", CLUSTER_DIGITS, hex);
}

static int
is_hex(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

static int
is_name_byte(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || c == '-';
}

/* The first eight hex digits of a UID, which has dashes between. */
static int
short_uid(const char *uid, char buf[UID_DIGITS + 1])
{
	size_t n = 0;

	for (; *uid != '\0' && n < UID_DIGITS; uid++)
		if (is_hex(*uid))
			buf[n++] = *uid;
		else if (*uid != '-')
			return -1;
	buf[n] = '\0';
	return n == UID_DIGITS ? 0 : -1;
}

/* "<ns>-<pod>" in at most MIDDLE bytes; a changed one ends with its hash. */
static void
middle(const char *ns, const char *pod, char buf[MIDDLE + 1])
{
	char full[MAX_NAMESPACE + 1 + MAX_NAME + 1], hex[DIGEST_SIZE];
	size_t len, i;
	int changed, n;

	n = snprintf(full, sizeof(full), "%s/%s", ns, pod);
	changed = n < 0 || n > MIDDLE;
	len = n > MIDDLE ? MIDDLE : (size_t)n;
	mark_digest(span_of(full), hex);
	for (i = 0; i < len; i++) {
		buf[i] = full[i];
		if (!is_name_byte(buf[i])) {
			buf[i] = '-';
			changed |= i != strlen(ns);
		}
	}
	buf[len] = '\0';
	if (!changed)
		return;
	if (len > MIDDLE - 1 - HASH_DIGITS)
		len = MIDDLE - 1 - HASH_DIGITS;
	buf[len] = '-';
	memcpy(buf + len + 1, hex, HASH_DIGITS);
	buf[len + 1 + HASH_DIGITS] = '\0';
}

int
mark_name(const char *cluster, const char *ns, const char *pod, const char *uid,
    char buf[MAX_APP + 1])
{
	char prefix[MARK_PREFIX], between[MIDDLE + 1], uid8[UID_DIGITS + 1];
	int n;

	if (*ns == '\0' || *pod == '\0' || strlen(ns) > MAX_NAMESPACE ||
	    strlen(pod) > MAX_NAME || short_uid(uid, uid8) == -1)
		return -1;
	mark_prefix(cluster, prefix);
	middle(ns, pod, between);
	n = snprintf(buf, MAX_APP + 1, "%s%s-%s", prefix, between, uid8);
	return n > 0 && n <= MAX_APP ? 0 : -1;
}

int
mark_is_ours(const char *cluster, const char *name)
{
	char prefix[MARK_PREFIX];
	size_t len = strlen(name), i;

	mark_prefix(cluster, prefix);
	if (strncmp(name, prefix, MARK_PREFIX - 1) != 0 || len > MAX_APP ||
	    len < MARK_PREFIX - 1 + sizeof("a-b-") - 1 + UID_DIGITS)
		return 0;
	for (i = 0; i < len; i++)
		if (!is_name_byte(name[i]))
			return 0;
	for (i = len - UID_DIGITS; i < len; i++)
		if (!is_hex(name[i]))
			return 0;
	return name[len - UID_DIGITS - 1] == '-';
}

/* CRC-32 as IEEE 802.3 has it. */
static uint32_t
crc32(const char *s)
{
	uint32_t crc = UINT32_MAX;
	int i;

	for (; *s != '\0'; s++) {
		crc ^= (uint8_t)*s;
		for (i = 0; i < 8; i++)
			crc = crc >> 1 ^ (0xedb88320 & -(crc & 1));
	}
	return ~crc;
}

void
mark_id(const char *app, char buf[MAX_APP + 8])
{
	char digits[16];

	(void)snprintf(digits, sizeof(digits), "%06u", crc32(app));
	(void)snprintf(buf, MAX_APP + 8, "%.*s-%.6s", MAX_APP, app, digits);
}
