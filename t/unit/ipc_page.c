/* SPDX-License-Identifier: ISC */
/*
 * vk-flightctl-ipc(7) has the rows of msg.def and the fields of body.def, each
 * once, in their places, and no others.
 */
#include <criterion/criterion.h>
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "ipc/msg.h"

#define PAGE "man/vk-flightctl-ipc.7"

enum {
	ROWS = 512,
	ROW_BYTES = 160,
};

struct rows {
	char text[ROWS][ROW_BYTES];
	size_t n;
};

/* As they should be, and as they are in the page. */
static struct rows want, got;

static void __attribute__((format(printf, 2, 3)))
add(struct rows *r, const char *fmt, ...)
{
	va_list ap;
	int n;

	cr_assert(r->n < ROWS);
	va_start(ap, fmt);
	n = vsnprintf(r->text[r->n++], ROW_BYTES, fmt, ap);
	va_end(ap);
	cr_assert(n > 0 && n < ROW_BYTES);
}

static const char *
small(char buf[32], const char *word)
{
	size_t i;

	for (i = 0; word[i] != '\0' && i < 31; i++)
		buf[i] = (char)tolower((unsigned char)word[i]);
	buf[i] = '\0';
	return buf;
}

static void
want_messages(void)
{
	static const struct {
		const char *name, *from, *to, *when, *body;
		enum msg_fd fd;
	} rows[] = {
#define MSG(name, from, to, when, fd, body) \
	{ #name, #from, #to, #when, #body, fd },
#include "ipc/msg.def"
#undef MSG
	};
	char from[32], to[32], when[32];
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		add(&want, "%s: %s to %s, %s, %s%s", rows[i].name,
		    small(from, rows[i].from), small(to, rows[i].to),
		    small(when, rows[i].when), rows[i].body,
		    rows[i].fd == ONE_FD ? ", with a descriptor" : "");
}

/* Body, then its fields. */
static void
want_bodies(void)
{
	static const struct {
		const char *body, *field, *kind;
		size_t max;
	} rows[] = {
#define FIELD(kind, ...) FIELD_##kind(__VA_ARGS__)
#define FIELD_pad(n) { NULL, NULL, NULL, 0 },
#define FIELD_u32(n) { NULL, #n, "u32", 0 },
#define FIELD_u64(n) { NULL, #n, "u64", 0 },
#define FIELD_u64s(n, len) { NULL, #n, "u64s", len },
#define FIELD_str(n, max) { NULL, #n, "str", max },
#define FIELD_blob(n, max) { NULL, #n, "blob", max },
#define BODY(name) { #name, NULL, NULL, 0 }, BODY_##name(FIELD)
		BODIES(BODY)
#undef BODY
	};
	const char *body = "";
	size_t i, place = 0;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (rows[i].body != NULL) {
			body = rows[i].body;
			place = 0;
		}
		if (rows[i].field == NULL)
			continue;
		if (rows[i].max == 0)
			add(&want, "%s %zu %s: %s", body, ++place,
			    rows[i].field, rows[i].kind);
		else
			add(&want, "%s %zu %s: %s %zu", body, ++place,
			    rows[i].field, rows[i].kind, rows[i].max);
	}
}

static void
read_page(const char *section)
{
	char line[512], head[64] = "", a[64], b[128];
	size_t place = 0;
	int inside = 0;
	FILE *f;

	f = fopen(PAGE, "r");
	cr_assert(f != NULL, "run from the root of the tree");
	while (fgets(line, sizeof(line), f) != NULL) {
		if (strncmp(line, ".Sh ", 4) == 0)
			inside =
			    strncmp(line + 4, section, strlen(section)) == 0;
		if (!inside)
			continue;
		if (sscanf(line, ".It Sy %63s Pq %127[^\n]", head, b) == 2)
			add(&got, "%s: %s", head, b);
		else if (sscanf(line, ".It Sy %63[a-z_]", head) == 1)
			place = 0;
		else if (sscanf(line, ".It %63[a-z0-9_] Ta %127[a-z0-9 ]", a,
			     b) == 2) {
			b[strlen(b) - 1] = '\0'; /* a blank */
			add(&got, "%s %zu %s: %s", head, ++place, a, b);
		}
	}
	(void)fclose(f);
}

static int
has(const struct rows *r, const char *text)
{
	size_t i;

	for (i = 0; i < r->n; i++)
		if (strcmp(r->text[i], text) == 0)
			return 1;
	return 0;
}

static void
compare(void)
{
	size_t i;

	cr_expect(want.n > 20);
	for (i = 0; i < want.n; i++)
		cr_expect(has(&got, want.text[i]), PAGE " has no \"%s\"",
		    want.text[i]);
	for (i = 0; i < got.n; i++)
		cr_expect(has(&want, got.text[i]),
		    PAGE " has \"%s\", which is not there", got.text[i]);
	cr_expect_eq(got.n, want.n);
}

Test(ipc_page, has_each_message_in_its_place)
{
	size_t i;

	want_messages();
	read_page("MESSAGES");
	compare();
	/* Their places are their numbers. */
	for (i = 0; i < want.n && i < got.n; i++)
		cr_assert_str_eq(got.text[i], want.text[i]);
}

Test(ipc_page, has_each_field_of_each_body)
{
	want_bodies();
	read_page("BODIES");
	compare();
}
