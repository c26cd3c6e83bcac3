/* SPDX-License-Identifier: ISC */
/*
 * bend.c: bodies with one field bent, and frames that are none.
 *
 * Owns the values; writes bytes itself, as the codecs refuse most of this.
 */
#include "t/it/bend.h"

#include <endian.h>
#include <stdio.h>
#include <string.h>

#include "common/auto.h"
#include "common/mono.h"
#include "common/xmem.h"
#include "ipc/frame.h"

enum kind {
	KIND_pad,
	KIND_u32,
	KIND_u64,
	KIND_str,
	KIND_u64s,
	KIND_blob,
};

struct field {
	const char *name;
	enum kind kind;
	size_t max; /* bytes, or numbers */
};

#define FIELD(kind, ...) { FIELD_##kind(kind, __VA_ARGS__) },
#define FIELD_pad(k, n) #n, KIND_##k, 0
#define FIELD_u32(k, n) #n, KIND_##k, 0
#define FIELD_u64(k, n) #n, KIND_##k, 0
#define FIELD_str(k, n, max) #n, KIND_##k, max
#define FIELD_u64s(k, n, len) #n, KIND_##k, len
#define FIELD_blob(k, n, max) #n, KIND_##k, max

#define BODY(name)                                                 \
	static const struct field fields_##name[] = { BODY_##name( \
	    FIELD){ NULL, KIND_pad, 0 } };
BODIES(BODY)
#undef BODY

static const struct {
	const char *body;
	const struct field *fields;
} bodies[MSG_COUNT] = {
#define MSG(name, from, to, when, fd, body) \
	[MSG_##name] = { #body, fields_##body },
#include "ipc/msg.def"
#undef MSG
};

/* -- values -- */

enum fill {
	AS_IS,
	TO_MAX,	  /* the text again and again, to the field's bound */
	OVER_MAX, /* and one byte more: refused */
	WITH_NUL, /* and NUL after it: refused in a str */
};

struct value {
	const char *text; /* $NAME: what is known by that name */
	enum fill fill;
};

static const struct value texts[] = {
	{ "", AS_IS },
	{ "x", AS_IS },
	{ "a", TO_MAX },
	{ "../../../../etc/passwd", AS_IS },
	{ "..%2f..%2fsecrets%2f$OTHER_SECRET", AS_IS },
	{ "x/../../../$OTHER_NS/pods/$OTHER_POD", AS_IS },
	{ "x?fieldSelector=a%3Db&limit=1#frag", AS_IS },
	{ "x HTTP/1.1\r\nHost: elsewhere\r\n\r\n", AS_IS },
	{ "%s%n%n%x$(id);'\"\\", AS_IS },
	{ "\xff\xfe\xc0\xaf\xed\xa0\x80", AS_IS },
	{ "\x1b[31m\nSECOND line", AS_IS },
	{ "$OTHER_NODE", AS_IS },
	{ "$OTHER_NS", AS_IS },
	{ "$OTHER_POD", AS_IS },
	{ "$OTHER_UID", AS_IS },
	{ "$OTHER_SECRET", AS_IS },
	{ "$FOREIGN", AS_IS },
	{ "kube-system", AS_IS },
	{ "a", OVER_MAX },
	{ "a", WITH_NUL },
};

static const struct value blobs[] = {
	{ "", AS_IS },
	{ "{}", AS_IS },
	{ "[]", AS_IS },
	{ "null", AS_IS },
	{ "{", AS_IS },
	{ "\"", AS_IS },
	{ "[", TO_MAX },
	{ "{\"a\":", TO_MAX },
	{ "[{},{},{}],", TO_MAX },
	{ "a", TO_MAX },
	{ "\n", TO_MAX },
	{ "\xff\xfe\xc0\xaf", AS_IS },
	{ "{\"a\":1}", WITH_NUL },
	{ "{\"metadata\":{\"name\":[]},\"spec\":7,\"status\":false}", AS_IS },
	{ "{\"metadata\":{\"name\":1e999,\"name\":\"\\ud800\"}}", AS_IS },
	{ "a", OVER_MAX },
};

static const uint32_t u32s[] = { 0, 1, 2, 3, 4, 5, 9, 63, 64, 255, 65535,
	INT32_MAX, (uint32_t)INT32_MAX + 1, UINT32_MAX };

static const uint64_t u64s[] = { 0, 1, 1000, INT32_MAX, UINT32_MAX, INT64_MAX,
	(uint64_t)INT64_MAX + 1, UINT64_MAX };

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* What a field of that name is when it is not bent: ours, a stranger's. */
static const struct {
	const char *field; /* BODY.FIELD, or FIELD of any */
	const char *own, *strange;
} usual[] = {
	{ "get_object.name", "$SECRET", "$OTHER_SECRET" },
	{ "device_bad.name", "$DEVICE", "$FOREIGN" },
	{ "node", "$NODE", "$OTHER_NODE" },
	{ "ns", "$NS", "$OTHER_NS" },
	{ "name", "$POD", "$OTHER_POD" },
	{ "pod_name", "$POD", "$OTHER_POD" },
	{ "uid", "$UID", "$OTHER_UID" },
	{ "pod_uid", "$UID", "$OTHER_UID" },
	{ "device", "$DEVICE", "$FOREIGN" },
	{ "created", "$CREATED", "" },
	{ "cluster", "$CLUSTER", "another-cluster" },
	{ "names", "$DEVICE\n$FOREIGN\n", "$FOREIGN\n" },
	{ "nodes", "$OTHER_NODE\n", "$NODE served\n" },
	{ "labels", "{\"a\":\"b\"}", "a=b\nc=d" },
	{ "status", "{\"phase\":\"Running\"}", "{\"phase\":\"Failed\"}" },
	{ "edit", "$EDIT", "$EDIT" },
	{ "pod.object", "$POD_OBJECT", "$OTHER_POD_OBJECT" },
	{ "device.object", "$DEVICE_OBJECT", "$FOREIGN_OBJECT" },
	{ "object.object", "{\"data\":{\"k\":\"dg==\"}}", "{\"data\":7}" },
	{ "reason", "Captured", "Captured" },
	{ "message", "captured", "captured" },
	{ "text", "captured", "captured" },
};

/* A container that would be ours, but for some lines. */
#define EDIT_FILE(path, lines)                                            \
	"{\"applications\":{\"set\":[{\"name\":\"$NEW_APP\",\"appType\":" \
	"\"quadlet\",\"inline\":[{\"path\":\"" path "\",\"content\":"     \
	"\"" lines "\"}]}]}}"
#define EDIT(lines)                        \
	EDIT_FILE("main.container",        \
	    "[Container]\\nContainerName=" \
	    "main\\nImage=$IMAGE\\n" lines)
#define EDIT_CONFIG(path)                                              \
	"{\"config\":{\"set\":[{\"name\":\"$NEW_APP.v\",\"inline\":[{" \
	"\"path\":\"" path "\",\"content\":\"x\"}]}]}}"

/* What is worth trying in fields of that name, beside what is in the above. */
static const struct {
	const char *field;
	const char *text;
} special[] = {
	{ "status", "{\"phase\":\"Running\",\"podIP\":\"10.0.0.1\"}" },
	{ "status", "{},\"metadata\":{\"finalizers\":[\"a/b\"]},\"x\":{}" },
	{ "status", "{}}{\"spec\":{\"nodeName\":\"$OTHER_NODE\"}" },
	{ "status", "{\"$patch\":\"delete\"}" },
	{ "names", "../$FOREIGN\n%2e%2e%2f\n$FOREIGN?x\n\n\nX y\n" },
	{ "names", "$FOREIGN" },
	{ "edit", EDIT("PodmanArgs=--privileged\\n") },
	{ "edit", EDIT("PodmanArgs=--pid=host\\n") },
	{ "edit", EDIT("Volume=/:/host\\n") },
	{ "edit", EDIT("Volume=/etc:/etc:ro\\n") },
	{ "edit", EDIT("Network=host\\n") },
	{ "edit", EDIT("AddDevice=/dev/mem\\n") },
	{ "edit", EDIT("AddCapability=SYS_ADMIN\\n") },
	{ "edit", EDIT("SeccompProfile=unconfined\\n") },
	{ "edit", EDIT("EnvironmentFile=/etc/shadow\\n") },
	{ "edit", EDIT("[Service]\\nExecStartPre=/bin/sh -c id\\n") },
	{ "edit", EDIT("Image=evil.example/x:latest\\n") },
	{ "edit", EDIT("Image=docker.io:5000/library/busybox:latest\\n") },
	{ "edit", EDIT("Image=docker.io/library/../evil/x:latest\\n") },
	{ "edit", EDIT("Image=docker.io/libraryevil/x:latest\\n") },
	{ "edit", EDIT("Mount=type=bind,source=/,destination=/h\\n") },
	{ "edit",
	    EDIT("Mount=type=image,source=evil.example/x,"
		 "destination=/h\\n") },
	{ "edit", EDIT_FILE("../x.container", "[Container]\\n") },
	{ "edit", EDIT_FILE("a/b.container", "[Container]\\n") },
	{ "edit", EDIT_FILE("x.kube", "[Kube]\\nYaml=x\\n") },
	{ "edit", EDIT_FILE("x.image", "[Image]\\nImage=evil.example/x\\n") },
	{ "edit",
	    EDIT_FILE("vol_v.volume",
		"[Volume]\\nDevice=/dev/sda1\\nType=ext4\\n") },
	{ "edit", EDIT_CONFIG("/etc/passwd") },
	{ "edit", EDIT_CONFIG("/var/lib/vk-flightctl/$NEW_APP/v/../../x") },
	{ "edit", EDIT_CONFIG("/var/lib/vk-flightctl/$NEW_APP/w/x") },
	{ "edit",
	    "{\"applications\":{\"set\":[{\"name\":\"foreign\","
	    "\"appType\":\"quadlet\",\"inline\":[]}]}}" },
	{ "edit", "{\"applications\":{\"cut\":[\"foreign\"]}}" },
	{ "edit", "{\"config\":{\"cut\":[\"foreign\"]}}" },
	{ "edit", "{\"os\":{\"image\":\"evil.example/os\"}}" },
	{ "edit",
	    "{\"applications\":{\"set\":[{\"name\":\"$NEW_APP\","
	    "\"appType\":\"compose\",\"image\":\"evil.example/x\"}]}}" },
};

/* -- encoding -- */

static void
add_u32(struct bytes *b, uint32_t v)
{
	v = htobe32(v);
	bytes_add(b, (struct span){ (const char *)&v, sizeof(v) });
}

static void
add_u64(struct bytes *b, uint64_t v)
{
	v = htobe64(v);
	bytes_add(b, (struct span){ (const char *)&v, sizeof(v) });
}

/* With what stands for each $NAME, and for those in that. */
static void
expand(const char *text, bend_fn *known, struct bytes *b)
{
	const char *dollar, *value;
	char name[32];
	size_t n;

	for (;; text = dollar + 1 + n) {
		dollar = strchrnul(text, '$');
		bytes_add(b, (struct span){ text, (size_t)(dollar - text) });
		if (*dollar == '\0')
			return;
		n = strspn(dollar + 1, "ABCDEFGHIJKLMNOPQRSTUVWXYZ_");
		if (n == 0 || n >= sizeof(name)) {
			bytes_add_text(b, "$");
			n = 0;
			continue;
		}
		memcpy(name, dollar + 1, n);
		name[n] = '\0';
		if ((value = known(name)) != NULL)
			expand(value, known, b);
	}
}

static void
add_value(struct bytes *b, const struct field *f, const struct value *v,
    bend_fn *known)
{
	AUTO_BYTES struct bytes text = { NULL, 0, 0 };
	size_t n;

	expand(v->text, known, &text);
	if (v->fill == WITH_NUL)
		bytes_add(&text, (struct span){ "", 1 });
	while ((v->fill == TO_MAX || v->fill == OVER_MAX) &&
	    text.len < f->max + (v->fill == OVER_MAX)) {
		/* Itself as often as it is long: few steps to megabytes. */
		AUTO_FREE char *again = xmalloc(text.len);

		memcpy(again, text.p, text.len);
		n = f->max + (v->fill == OVER_MAX) - text.len;
		bytes_add(&text,
		    (struct span){ again, n < text.len ? n : text.len });
	}
	if (text.len > f->max && v->fill != OVER_MAX)
		text.len = f->max;
	add_u32(b, (uint32_t)text.len);
	if (text.len > 0)
		bytes_add(b, bytes_span(&text));
}

static struct value
usual_value(const char *body, const struct field *f, int strange)
{
	char name[64];
	size_t i;

	(void)snprintf(name, sizeof(name), "%s.%s", body, f->name);
	for (i = 0; i < COUNT(usual); i++)
		if (strcmp(usual[i].field, name) == 0 ||
		    strcmp(usual[i].field, f->name) == 0)
			return (struct value){ strange ? usual[i].strange :
							 usual[i].own,
				AS_IS };
	return (struct value){ "", AS_IS };
}

static void
add_usual(struct bytes *b, const char *body, const struct field *f, int strange,
    bend_fn *known)
{
	struct value v;
	size_t i;

	switch (f->kind) {
	case KIND_pad:
		break;
	case KIND_u32:
		add_u32(b, 1);
		break;
	case KIND_u64:
		add_u64(b,
		    strstr(f->name, "_boot") == NULL ?
			1 :
			(uint64_t)now_read().boot_ms + 10000);
		break;
	case KIND_u64s:
		for (i = 0; i < f->max; i++)
			add_u64(b, i);
		break;
	case KIND_str:
	case KIND_blob:
		v = usual_value(body, f, strange);
		add_value(b, f, &v, known);
		break;
	}
}

/* The n-th special value of a field. */
static int
find_special(const struct field *f, size_t n, struct value *v)
{
	size_t i;

	for (i = 0; i < COUNT(special); i++)
		if (strcmp(special[i].field, f->name) == 0 && n-- == 0) {
			*v = (struct value){ special[i].text, AS_IS };
			return 1;
		}
	return 0;
}

/* Whether it is one that does not decode. */
static int
is_over(const struct field *f, const struct value *v)
{
	return v->fill == OVER_MAX ||
	    (v->fill == WITH_NUL && f->kind == KIND_str);
}

/* The n-th text of those that decode, or of those that do not. */
static int
find_text(const struct field *f, size_t n, int over, struct value *v)
{
	const struct value *list = f->kind == KIND_str ? texts : blobs;
	size_t i, count = f->kind == KIND_str ? COUNT(texts) : COUNT(blobs);

	for (i = 0; i < count; i++)
		if (is_over(f, &list[i]) == over && n-- == 0) {
			*v = list[i];
			return 1;
		}
	return !over && find_special(f, n, v);
}

/* 0: the field has no n-th bend. */
static int
add_bent(struct bytes *b, const struct field *f, size_t n, int over,
    bend_fn *known)
{
	struct value v;
	size_t i;

	switch (f->kind) {
	case KIND_pad:
		return 0;
	case KIND_u32:
		if (over || n >= COUNT(u32s))
			return 0;
		add_u32(b, u32s[n]);
		return 1;
	case KIND_u64:
	case KIND_u64s:
		if (over || n >= COUNT(u64s))
			return 0;
		for (i = 0; i < (f->kind == KIND_u64 ? 1 : f->max); i++)
			add_u64(b, u64s[n]);
		return 1;
	case KIND_str:
	case KIND_blob:
		if (!find_text(f, n, over, &v))
			return 0;
		add_value(b, f, &v, known);
		return 1;
	}
	return 0;
}

static size_t
count_bends(const struct field *f, int over)
{
	struct value v;
	size_t n = 0;

	switch (f->kind) {
	case KIND_pad:
		return 0;
	case KIND_u32:
		return over ? 0 : COUNT(u32s);
	case KIND_u64:
	case KIND_u64s:
		return over ? 0 : COUNT(u64s);
	case KIND_str:
	case KIND_blob:
		while (find_text(f, n, over, &v))
			n++;
		return n;
	}
	return n;
}

static void
add_frame(struct bytes *out, uint32_t type, const struct bytes *body,
    uint32_t len)
{
	static uint64_t id;
	struct frame_head h = { .len = len, .type = type, .id = ++id };
	uint8_t head[FRAME_HEAD];

	frame_head_put(head, &h);
	bytes_add(out, (struct span){ (const char *)head, sizeof(head) });
	if (body->len > 0)
		bytes_add(out, bytes_span(body));
}

/* The body with field at (NULL: none) bent in the n-th way. */
static int
make(enum msg_type type, const struct field *at, size_t n, int over,
    int strange, bend_fn *known, struct bytes *body)
{
	const struct field *f;

	for (f = bodies[type].fields; f->name != NULL; f++)
		if (f != at)
			add_usual(body, bodies[type].body, f, strange, known);
		else if (!add_bent(body, f, n, over, known))
			return 0;
	return 1;
}

static int
find_bend(enum msg_type type, size_t *i, int over, const struct field **at)
{
	const struct field *f;
	size_t n;

	for (f = bodies[type].fields; f->name != NULL; f++) {
		if (*i < (n = count_bends(f, over))) {
			*at = f;
			return 1;
		}
		*i -= n;
	}
	return 0;
}

int
bend_body(enum msg_type type, size_t i, bend_fn *known, struct bytes *out)
{
	AUTO_BYTES struct bytes body = { NULL, 0, 0 };
	const struct field *at = NULL;
	int strange;

	strange = i == 1;
	if (i >= 2) {
		i -= 2;
		if (!find_bend(type, &i, 0, &at)) {
			/* Once more, of a stranger. */
			strange = 1;
			if (!find_bend(type, &i, 0, &at))
				return 0;
		}
	}
	if (!make(type, at, i, 0, strange, known, &body))
		return 0;
	add_frame(out, type, &body, (uint32_t)body.len);
	return 1;
}

/* Lengths that are not the body's, and what does not fit a bound. */
static int
refused_body(enum msg_type type, size_t *i, bend_fn *known, struct bytes *out,
    char what[64])
{
	AUTO_BYTES struct bytes body = { NULL, 0, 0 };
	const struct field *at = NULL;
	size_t n = *i;

	if (n >= 3) {
		n -= 3;
		if (!find_bend(type, &n, 1, &at)) {
			*i = n;
			return 0;
		}
	}
	if (!make(type, at, n, 1, 0, known, &body))
		return 0;
	(void)snprintf(what, 64, "%s: %s%s", msg_info(type)->name,
	    at != NULL	? at->name :
		*i == 0 ? "a byte more" :
		*i == 1 ? "shorter than it may be" :
			  "of 4 GiB",
	    at != NULL ? " beyond its bound" : "");
	if (at == NULL && *i == 0)
		bytes_add(&body, (struct span){ "x", 1 });
	if (at == NULL && *i == 1) {
		body.len = msg_info(type)->min;
		/* One of no bytes has no shorter one. */
		body.len -= body.len > 0;
		if (body.len == 0)
			bytes_add(&body, (struct span){ "xx", 2 });
	}
	add_frame(out, type, &body,
	    at == NULL && *i == 2 ? UINT32_MAX : (uint32_t)body.len);
	return 1;
}

int
bend_refused(enum proc from, enum proc to, size_t i, bend_fn *known,
    struct bytes *out, char what[64])
{
	static const uint32_t none[] = { MSG_NONE, MSG_COUNT, 4711,
		UINT32_MAX };
	AUTO_BYTES struct bytes body = { NULL, 0, 0 };
	uint32_t type;

	if (i < COUNT(none)) {
		add_frame(out, none[i], &body, 0);
		(void)snprintf(what, 64, "no type: %u", none[i]);
		return 1;
	}
	i -= COUNT(none);
	for (type = MSG_NONE + 1; type < MSG_COUNT; type++) {
		int may = msg_admit(type, msg_info(type)->min,
			      msg_info(type)->fd == ONE_FD, from, to,
			      WHEN_RUN) == ADMIT_OK;

		if (may &&
		    refused_body((enum msg_type)type, &i, known, out, what))
			return 1;
		if (may || i-- > 0)
			continue;
		(void)make((enum msg_type)type, NULL, 0, 0, 0, known, &body);
		add_frame(out, type, &body, (uint32_t)body.len);
		(void)snprintf(what, 64, "%s: not its to send",
		    msg_info(type)->name);
		return 1;
	}
	return 0;
}
