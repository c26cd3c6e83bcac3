/* SPDX-License-Identifier: ISC */
/*
 * forms.c: matches values with the forms of admit.def.
 *
 * Owns what each %-sign stands for.  Every one takes as much as it can and
 * never goes back, so a form matches in one way or not at all.
 */
#include "flightside/forms.h"

#include <ctype.h>
#include <string.h>

#include "common/form.h"
#include "common/mark.h"
#include "common/origin.h"

#define STATE_DIR "/var/lib/vk-flightctl/"
#define IP_BYTES "0123456789abcdefABCDEF.:"
#define RUN_DIR "/run/vk-flightctl/"

/* What is left of a value; every taker moves it on or says no. */
struct rest {
	const char *p, *end;
};

static int
take_text(struct rest *r, const char *text)
{
	size_t len = strlen(text);

	if ((size_t)(r->end - r->p) < len || memcmp(r->p, text, len) != 0)
		return 0;
	r->p += len;
	return 1;
}

/* One or more bytes of a set. */
static int
take_set(struct rest *r, const char *more)
{
	const char *from = r->p;

	while (r->p < r->end && *r->p != '\0' &&
	    (isalnum((unsigned char)*r->p) || strchr(more, *r->p) != NULL))
		r->p++;
	return r->p > from;
}

static int
take_number(struct rest *r)
{
	const char *from = r->p;

	while (r->p < r->end && *r->p >= '0' && *r->p <= '9')
		r->p++;
	return r->p > from && r->p - from < 20;
}

static int
take_plain(struct rest *r)
{
	if (r->p < r->end && (*r->p == '.' || *r->p == '-'))
		return 0;
	return take_set(r, "._:-");
}

/* As take_plain, for what a colon ends. */
static int
take_component(struct rest *r)
{
	if (r->p < r->end && (*r->p == '.' || *r->p == '-'))
		return 0;
	return take_set(r, "._-");
}

/* What is no address podman refuses. */
static int
take_ip(struct rest *r, const char *bytes)
{
	const char *from = r->p;

	while (r->p < r->end && *r->p != '\0' && strchr(bytes, *r->p) != NULL)
		r->p++;
	return r->p > from;
}

/* "10.0.0.1" or "[::1]" */
static int
take_address(struct rest *r)
{
	int v6 = take_text(r, "[");

	return take_ip(r, v6 ? IP_BYTES : "0123456789.") &&
	    (!v6 || take_text(r, "]"));
}

static int
take_end_mark(struct rest *r, const struct forms_file *f)
{
	struct rest with;

	if (!take_text(r, STATE_DIR) || !take_text(r, f->app->name) ||
	    !take_text(r, "/") || !take_text(r, f->stem))
		return 0;
	with = *r;
	if (take_text(&with, ".") && take_number(&with))
		*r = with;
	return take_text(r, ".done");
}

/* host/path[:tag][@digest]; the host has a dot or a port, or is localhost. */
static int
take_image(struct rest *r, const struct forms_file *f)
{
	const char *from = r->p, *slash;
	struct span host;

	if (!take_set(r, "._:/@-"))
		return 0;
	slash = memchr(from, '/', (size_t)(r->p - from));
	if (slash == NULL || slash == from)
		return 0;
	host = (struct span){ from, (size_t)(slash - from) };
	if (!span_is(host, "localhost") &&
	    memchr(host.p, '.', host.len) == NULL &&
	    memchr(host.p, ':', host.len) == NULL)
		return 0;
	if (*from == '-' || *from == '.')
		return 0;
	return origin_is_of(f->app->rules->registries,
	    (struct span){ from, (size_t)(r->p - from) });
}

static int
take_volume(struct rest *r, const struct forms_file *f)
{
	const char *from = r->p;
	struct span name;
	size_t i;

	if (!take_set(r, "._-"))
		return 0;
	name = (struct span){ from, (size_t)(r->p - from) };
	for (i = 0; f->app->files[i] != NULL; i++)
		if (span_is(name, f->app->files[i]) &&
		    strncmp(f->app->files[i], "vol_", 4) == 0)
			return 1;
	return 0;
}

/* One byte of text; % and $ come in pairs. */
static int
take_byte(struct rest *r, const char * not )
{
	unsigned char c = (unsigned char)*r->p;

	if (c < 0x20 || c == 0x7f || strchr(not, c) != NULL)
		return 0;
	if (c != '%' && c != '$') {
		r->p++;
		return 1;
	}
	if (r->end - r->p < 2 || r->p[1] != r->p[0])
		return 0;
	r->p += 2;
	return 1;
}

static int
take_bytes(struct rest *r, const char * not )
{
	const char *from = r->p;

	while (r->p < r->end && take_byte(r, not ))
		;
	return r->p > from;
}

static int
take_escape(struct rest *r)
{
	r->p++;
	if (r->end - r->p >= 3 && *r->p == 'x' &&
	    isxdigit((unsigned char)r->p[1]) &&
	    isxdigit((unsigned char)r->p[2])) {
		r->p += 3;
		return 1;
	}
	if (r->p == r->end || *r->p == '\0' || strchr("nt\"\\", *r->p) == NULL)
		return 0;
	r->p++;
	return 1;
}

/* A word in double quotes, as systemd reads it. */
static int
take_quoted(struct rest *r)
{
	r->p++;
	while (r->p < r->end && *r->p != '"')
		if (*r->p == '\\' ? !take_escape(r) : !take_byte(r, "\"\\"))
			return 0;
	return take_text(r, "\"");
}

static int
take_word(struct rest *r)
{
	if (r->p < r->end && *r->p == '"')
		return take_quoted(r);
	return take_set(r, "_./:=@,+-");
}

/* NAME= at the beginning, inside the quotes if there are any. */
static int
names_variable(const char *from, const char *end)
{
	struct rest r = { from, end };

	(void)take_text(&r, "\"");
	return take_set(&r, "_.-") && take_text(&r, "=");
}

/* To the end of the value: words with one blank between. */
static int
take_words(struct rest *r, int variables)
{
	const char *from;

	do {
		from = r->p;
		if (!take_word(r) || (variables && !names_variable(from, r->p)))
			return 0;
	} while (take_text(r, " "));
	return 1;
}

/* What the agent makes of the name: see placer/quadlet.c. */
static int
take_id(struct rest *r, const struct forms_file *f)
{
	char id[MAX_APP + 8];

	mark_id(f->app->name, id);
	return take_text(r, id);
}

/* -- what a container may ask of its device -- */

/* Kubernetes' Pod Security Standards, level baseline. */
static const char *const baseline[] = { "AUDIT_WRITE", "CHOWN", "DAC_OVERRIDE",
	"FOWNER", "FSETID", "KILL", "MKNOD", "NET_BIND_SERVICE", "SETFCAP",
	"SETGID", "SETPCAP", "SETUID", "SYS_CHROOT" };

static const char *const safe_sysctls[] = { "kernel.shm_rmid_forced",
	"net.ipv4.ip_local_port_range", "net.ipv4.ip_local_reserved_ports",
	"net.ipv4.ip_unprivileged_port_start", "net.ipv4.ping_group_range",
	"net.ipv4.tcp_fin_timeout", "net.ipv4.tcp_keepalive_intvl",
	"net.ipv4.tcp_keepalive_probes", "net.ipv4.tcp_keepalive_time",
	"net.ipv4.tcp_rmem", "net.ipv4.tcp_syncookies", "net.ipv4.tcp_wmem" };

static int
is_one_of(struct span s, const char *const *list, size_t n)
{
	while (n-- > 0)
		if (span_is(s, list[n]))
			return 1;
	return 0;
}

static int
take_capability(struct rest *r, const struct forms_file *f)
{
	const char *from = r->p;
	struct span name;

	if (!take_set(r, "_"))
		return 0;
	name = (struct span){ from, (size_t)(r->p - from) };
	return f->app->rules->host ||
	    is_one_of(name, baseline, sizeof(baseline) / sizeof(baseline[0]));
}

/* A value has blanks only between quotes. */
static int
take_sysctl(struct rest *r, const struct forms_file *f, const char *before)
{
	int quoted = take_text(r, "\"");
	struct span name;

	if (!take_text(r, before))
		return 0;
	name.p = r->p;
	if (!take_set(r, "_./-"))
		return 0;
	name.len = (size_t)(r->p - name.p);
	if (!f->app->rules->host &&
	    !is_one_of(name, safe_sysctls,
		sizeof(safe_sysctls) / sizeof(safe_sysctls[0])))
		return 0;
	return take_text(r, "=") &&
	    take_set(r, quoted ? "_.,:-+ " : "_.,:-+") &&
	    (!quoted || take_text(r, "\""));
}

static int
take_host_path(struct rest *r, int absolute)
{
	const char *from = r->p;
	size_t i;

	if (absolute && (r->p == r->end || *r->p != '/'))
		return 0;
	if (!take_set(r, "_./@+-"))
		return 0;
	for (i = 1; from + i < r->p; i++)
		if (from[i - 1] == '.' && from[i] == '.')
			return 0;
	return 1;
}

/* "[...]", as podman takes an argument vector. */
static int
take_json(struct rest *r)
{
	const char *from = r->p;

	return take_bytes(r, "") && *from == '[' && r->p[-1] == ']';
}

/* -- units of the application -- */

/* C of a file C.container that is there. */
static int
take_container(struct rest *r, const struct forms_file *f)
{
	static const char suffix[] = ".container";
	size_t i, len, best = 0;
	const char *file;

	/* The longest: a name may begin with another. */
	for (i = 0; f->app->files[i] != NULL; i++) {
		file = f->app->files[i];
		len = strlen(file);
		if (len <= sizeof(suffix) - 1 ||
		    strcmp(file + len - (sizeof(suffix) - 1), suffix) != 0)
			continue;
		len -= sizeof(suffix) - 1;
		if (len > best && (size_t)(r->end - r->p) >= len &&
		    memcmp(r->p, file, len) == 0)
			best = len;
	}
	r->p += best;
	return best > 0;
}

static int
take_containers(struct rest *r, const struct forms_file *f)
{
	int n = 0;

	for (; take_text(r, " "); n++)
		if (!take_container(r, f))
			return 0;
	return n > 0;
}

static int
take_units(struct rest *r, const struct forms_file *f)
{
	int n = 0;

	for (; take_text(r, " "); n++)
		if (!take_id(r, f) || !take_text(r, "-") ||
		    !take_container(r, f) || !take_text(r, ".service"))
			return 0;
	return n > 0;
}

static int
take_one(struct rest *r, char what, const struct forms_file *f)
{
	switch (what) {
	case 'A':
		return take_text(r, f->app->name);
	case 'C':
		return take_text(r, f->app->rules->cluster);
	case 'D':
		return take_text(r, STATE_DIR) && take_text(r, f->app->name);
	case 'I':
		return take_id(r, f);
	case 'S':
		return take_text(r, f->stem);
	case 'F':
		return take_end_mark(r, f);
	case 'R':
		return take_text(r, RUN_DIR) && take_text(r, f->app->name);
	case 'K':
		return take_container(r, f);
	case 'k':
		return take_containers(r, f);
	case 'u':
		return take_units(r, f);
	case 'p':
		return take_host_path(r, 0);
	case 'H':
		return take_host_path(r, 1);
	case 'J':
		return take_json(r);
	case 'c':
		return take_capability(r, f);
	case 'y':
		return take_sysctl(r, f, "");
	case 'Y':
		return take_sysctl(r, f, "--sysctl=");
	case 'L':
		return take_set(r, "_.:,-");
	case 'l':
		return take_text(r, "SIG") && take_set(r, "+-");
	case 'h':
		return take_ip(r, IP_BYTES);
	case 'N':
		return take_number(r);
	case 'P':
		return take_plain(r);
	case 'Q':
		return take_component(r);
	case 'a':
		return take_address(r);
	case 'G':
		return take_image(r, f);
	case 'V':
		return take_volume(r, f);
	case 'M':
		return r->p < r->end && *r->p == '/' && take_bytes(r, "\"'\\:");
	case 'T':
		return take_bytes(r, "\"'\\");
	case 'W':
		return take_words(r, 0);
	case 'E':
		return take_words(r, 1);
	case 'B':
		return take_set(r, "_./:@+-");
	default:
		return 0;
	}
}

/* Is all of the value of that form? */
int
forms_match(const struct forms_file *f, struct span value, const char *form)
{
	struct rest r = { value.p, value.p + value.len };

	for (; *form != '\0'; form++) {
		if (*form == '%') {
			if (!take_one(&r, *++form, f))
				return 0;
			continue;
		}
		if (r.p == r.end || *r.p++ != *form)
			return 0;
	}
	return r.p == r.end;
}

int
forms_is_component(struct span s)
{
	struct rest r = { s.p, s.p + s.len };

	return take_component(&r) && r.p == r.end;
}
