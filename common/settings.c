/* SPDX-License-Identifier: ISC */
/*
 * settings.c: the settings table, filled.
 *
 * Owns parsing, forms and ranges of every setting.  Nothing in the table is a
 * secret, so everything may be printed.  Never opens anything but the file.
 */
#include "common/settings.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "common/auto.h"
#include "common/duration.h"
#include "common/form.h"
#include "common/quantity.h"
#include "common/xmem.h"

enum kind {
	TEXT,
	URL,
	PATH,
	LIST,
	WORD,
	TIME,
	NUMBER,
	SIZE,
	CPU
};

enum {
	S = 1 << PROC_SUPERVISOR,
	K = 1 << PROC_KUBESIDE,
	F = 1 << PROC_FLIGHTSIDE,
	P = 1 << PROC_PLACER,
	NO = 0,
	YES = 1
};

#define REQUIRED ""

static const struct row {
	const char *name;
	enum kind kind;
	unsigned int to;
	const char *absent;
	int64_t min;
	int64_t max;
	int reload;
} rows[SET_COUNT] = {
#define SETTING(name, kind, to, absent, min, max, reload) \
	{ #name, kind, to, absent, min, max, reload },
#include "common/settings.def"
#undef SETTING
};

/* What is more than text; a LIST has the form in each of its words. */
static const struct {
	enum setting setting;
	int (*is)(struct span);
	const char *must;
} forms[] = {
	{ SET_FLEET_ID, form_is_label_value,
	    "label values separated by commas" },
	{ SET_FLEET_LABEL, form_is_label_key, "a label key" },
	{ SET_NODE_NAME, form_is_subdomain, "a DNS subdomain" },
	{ SET_NODE_ZONE, form_is_label_value, "a label value" },
	{ SET_NODE_DEVICE_KEYS, form_is_label_key,
	    "label keys separated by commas" },
	{ SET_CLUSTER_ID, form_is_label_value, "a label value" },
	{ SET_NAMESPACE, form_is_dns_label, "a namespace's name" },
	{ SET_LISTEN, form_is_listen, "ADDRESS:PORT in numbers, or empty" },
	{ SET_UIDS, form_is_user, "users, by name or by id above 0" },
};

static const struct {
	enum setting setting;
	const char *words[5];
} choices[] = {
	{ SET_FLEET_ARCH, { "amd64", "arm64", "arm", "riscv64" } },
	{ SET_LOG_LEVEL, { "error", "warn", "info", "debug" } },
	{ SET_LOG_FORMAT, { "auto", "json", "text", "journal" } },
	{ SET_REQUIRE_SANDBOX, { "yes", "no" } },
	{ SET_STATUS_PAGE, { "local", "any", "no" } },
	{ SET_ALLOW_PRIVILEGED, { "yes", "no" } },
	{ SET_METRICS_PER_DEVICE, { "auto", "yes", "no" } },
	{ SET_SECRETS, { "refuse", "inline" } },
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

void
settings_init(struct settings *s)
{
	enum setting i;

	memset(s, 0, sizeof(*s));
	for (i = 0; i < SET_COUNT; i++) {
		s->text[i] = xstrdup("");
		if (rows[i].absent[0] == '\0')
			continue;
		if (settings_set(s, i, rows[i].absent, NULL) == -1)
			abort();
		s->given[i] = 0;
	}
}

void
settings_free(struct settings *s)
{
	enum setting i;

	for (i = 0; i < SET_COUNT; i++)
		free(s->text[i]);
	memset(s, 0, sizeof(*s));
}

enum setting
settings_by_name(const char *name)
{
	enum setting i;

	for (i = 0; i < SET_COUNT; i++)
		if (strcmp(rows[i].name, name) == 0)
			break;
	return i;
}

const char *
settings_name(enum setting i)
{
	return rows[i].name;
}

int
settings_is_for(enum setting i, enum proc p)
{
	return (rows[i].to & 1u << p) != 0;
}

int
settings_reloads(enum setting i)
{
	return rows[i].reload;
}

static int __attribute__((format(printf, 4, 5)))
wrong(struct why *why, enum setting i, const char *value, const char *fmt, ...)
{
	char must[256], shown[128];
	va_list ap;
	size_t n;

	va_start(ap, fmt);
	/* NOLINTNEXTLINE(clang-analyzer-valist.Uninitialized): it is */
	if (vsnprintf(must, sizeof(must), fmt, ap) < 0)
		must[0] = '\0';
	va_end(ap);
	/* The line stays a line whatever the value holds. */
	for (n = 0; n < sizeof(shown) - 4 && value[n] != '\0'; n++)
		shown[n] =
		    (char)(value[n] < ' ' || value[n] > '~' ? '?' : value[n]);
	memcpy(shown + n, value[n] == '\0' ? "" : "...",
	    value[n] == '\0' ? 1 : 4);
	return fail(why, ERR_FORMAT, "%s=%s: must be %s", rows[i].name, shown,
	    must);
}

static int
set_number(const struct row *r, const char *value, int64_t *v)
{
	struct span s = span_of(value);
	char *end;

	switch (r->kind) {
	case TIME:
		return duration_ms(value, v);
	case SIZE:
		return quantity_value(s, v);
	case CPU:
		return quantity_milli(s, v);
	case NUMBER:
		errno = 0;
		*v = strtoll(value, &end, 10);
		return value[0] < '0' || value[0] > '9' || *end != '\0' ||
			errno != 0 ?
		    -1 :
		    0;
	case TEXT:
	case URL:
	case PATH:
	case LIST:
	case WORD:
		break;
	}
	return -1;
}

static int
wrong_number(struct why *why, enum setting i, const char *value)
{
	char min[DURATION_TEXT], max[DURATION_TEXT];
	const struct row *r = &rows[i];

	switch (r->kind) {
	case TIME:
		duration_text(r->min, min);
		duration_text(r->max, max);
		return wrong(why, i, value,
		    "a duration, %s..%s (\"90s\", "
		    "\"1h30m\")",
		    min, max);
	case CPU:
		return wrong(why, i, value,
		    "a quantity, %jdm..%jd (\"500m\", \"2\")", (intmax_t)r->min,
		    (intmax_t)(r->max / 1000));
	case SIZE:
		return wrong(why, i, value,
		    "a quantity, %jdMi..%jdGi (\"512Mi\", \"2Gi\")",
		    (intmax_t)(r->min >> 20), (intmax_t)(r->max >> 30));
	case NUMBER:
	case TEXT:
	case URL:
	case PATH:
	case LIST:
	case WORD:
		break;
	}
	return wrong(why, i, value, "a number, %jd..%jd", (intmax_t)r->min,
	    (intmax_t)r->max);
}

static int
check_word(enum setting i, const char *value, struct why *why)
{
	char all[64] = "";
	size_t c, w, n = 0;

	for (c = 0; c < COUNT(choices); c++)
		if (choices[c].setting == i)
			break;
	assert(c < COUNT(choices)); /* each WORD has its words */
	for (w = 0; w < COUNT(choices[c].words); w++) {
		if (choices[c].words[w] == NULL)
			break;
		if (strcmp(choices[c].words[w], value) == 0)
			return 0;
		n += (size_t)snprintf(all + n, sizeof(all) - n, "%s%s",
		    w > 0 ? ", " : "", choices[c].words[w]);
	}
	return wrong(why, i, value, "one of %s", all);
}

/* Each word of a LIST, or the one value, has the form of the table. */
static int
check_form(enum setting i, const char *value, struct why *why)
{
	struct span words = span_of(value), word = words;
	size_t f;

	for (f = 0; f < COUNT(forms); f++)
		if (forms[f].setting == i)
			break;
	if (rows[i].kind != LIST)
		return f == COUNT(forms) || forms[f].is(word) ?
		    0 :
		    wrong(why, i, value, "%s", forms[f].must);
	while (form_next_word(&words, &word))
		if (word.len == 0 || (f < COUNT(forms) && !forms[f].is(word)))
			return wrong(why, i, value, "%s",
			    f < COUNT(forms) ? forms[f].must :
					       "words separated by commas");
	return 0;
}

static int
check_text(enum setting i, const char *value, struct why *why)
{
	const struct row *r = &rows[i];
	size_t len = strlen(value);

	if ((int64_t)len < r->min || (int64_t)len > r->max)
		return wrong(why, i, value, "%jd to %jd bytes",
		    (intmax_t)r->min, (intmax_t)r->max);
	if (len == 0)
		return 0;
	if (!form_is_printable(span_of(value)))
		return wrong(why, i, value, "text without control bytes");
	switch (r->kind) {
	case URL:
		return form_is_url(span_of(value)) ?
		    0 :
		    wrong(why, i, value,
			"https://HOST[:PORT][/PATH] (plain "
			"http only to 127.0.0.1, ::1 or localhost)");
	case PATH:
		return value[0] == '/' ?
		    0 :
		    wrong(why, i, value, "an absolute path");
	case WORD:
		return check_word(i, value, why);
	case TEXT:
	case LIST:
	case TIME:
	case NUMBER:
	case SIZE:
	case CPU:
		break;
	}
	return check_form(i, value, why);
}

int
settings_set(struct settings *s, enum setting i, const char *value,
    struct why *why)
{
	const struct row *r = &rows[i];
	int64_t v = 0;
	size_t len;
	char *copy;

	if (r->kind >= TIME) {
		if (set_number(r, value, &v) == -1 || v < r->min || v > r->max)
			return wrong_number(why, i, value);
	} else if (check_text(i, value, why) == -1) {
		return -1;
	}
	len = strlen(value);
	if (r->kind == URL)
		while (len > 0 && value[len - 1] == '/')
			len--;
	copy = xstrndup(value, len);
	free(s->text[i]);
	s->text[i] = copy;
	s->number[i] = v;
	s->given[i] = 1;
	return 0;
}

int
settings_env(struct settings *s, char *const *envp, struct why *why)
{
	const char *value;
	enum setting i;
	size_t len;

	for (; *envp != NULL; envp++) {
		if ((value = strchr(*envp, '=')) == NULL)
			continue;
		len = (size_t)(value++ - *envp);
		for (i = 0; i < SET_COUNT; i++)
			if (strlen(rows[i].name) == len &&
			    strncmp(rows[i].name, *envp, len) == 0)
				break;
		if (i < SET_COUNT && settings_set(s, i, value, why) == -1)
			return -1;
	}
	return 0;
}

/* One line of the file, without its newline. */
static int
set_line(struct settings *s, char *line, uint8_t *seen, struct why *why)
{
	char *value, *end;
	enum setting i;

	line += strspn(line, " \t");
	for (end = line + strlen(line); end > line; *--end = '\0')
		if (end[-1] != ' ' && end[-1] != '\t' && end[-1] != '\r')
			break;
	if (line[0] == '\0' || line[0] == '#')
		return 0;
	if ((value = strchr(line, '=')) == NULL)
		return fail(why, ERR_FORMAT, "must be NAME=value");
	*value++ = '\0';
	if (strcmp(line, "FLIGHTCTL_AUTH_TOKEN") == 0)
		return fail(why, ERR_DENIED,
		    "FLIGHTCTL_AUTH_TOKEN: must be "
		    "in a file that FLIGHTCTL_AUTH_TOKEN_FILE names");
	if ((i = settings_by_name(line)) == SET_COUNT)
		return fail(why, ERR_FORMAT, "%.64s: no such setting", line);
	if (seen[i])
		return fail(why, ERR_FORMAT, "%s: a second time", line);
	seen[i] = 1;
	if (s->given[i])
		return 0;
	return settings_set(s, i, value, why);
}

int
settings_file(struct settings *s, const char *path, struct why *why)
{
	AUTO_FREE char *line = NULL;
	uint8_t seen[SET_COUNT] = { 0 };
	unsigned int number = 0;
	struct why inner;
	size_t size = 0;
	ssize_t len;
	FILE *f;
	int rc = 0;

	if ((f = fopen(path, "re")) == NULL)
		return fail_code(why, ERR_SYSTEM, (uint32_t)errno, "%s: %s",
		    path, strerror(errno));
	while (rc == 0 && (len = getline(&line, &size, f)) != -1) {
		number++;
		if (len > 0 && line[len - 1] == '\n')
			line[--len] = '\0';
		if (strlen(line) != (size_t)len)
			rc = fail(&inner, ERR_FORMAT, "a NUL byte");
		else
			rc = set_line(s, line, seen, &inner);
	}
	if (rc == -1)
		(void)fail(why, inner.kind, "%s:%u: %s", path, number,
		    inner.text);
	else if (ferror(f))
		rc = fail_code(why, ERR_SYSTEM, (uint32_t)errno, "%s: %s", path,
		    strerror(errno));
	(void)fclose(f);
	return rc;
}

void
settings_print(const struct settings *s, FILE *f)
{
	enum setting i;

	for (i = 0; i < SET_COUNT; i++)
		(void)fprintf(f, "%s=%s\n", rows[i].name, s->text[i]);
}
