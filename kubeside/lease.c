/* SPDX-License-Identifier: ISC */
/*
 * lease.c: Lease objects as text.
 *
 * Owns their members.  Never decides who holds one (writer.c) or when it is
 * renewed (writer.c, beat.c).
 */
#include "kubeside/lease.h"

#include <stdlib.h>
#include <string.h>

#include "common/auto.h"
#include "common/https.h"
#include "common/jmake.h"
#include "common/scan.h"
#include "common/stamp.h"
#include "common/xmem.h"

#define GROUP "coordination.k8s.io/v1"

char *
lease_path(const char *ns, const char *name)
{
	AUTO_FREE char *n = https_escape(ns);
	AUTO_FREE char *m = https_escape(name == NULL ? "" : name);

	return xasprintf("/apis/" GROUP "/namespaces/%s/leases%s%s", n,
	    name == NULL ? "" : "/", m);
}

static void
put_micro(struct json_object *spec, const char *key, int64_t us)
{
	char stamp[STAMP_SIZE];

	if (us == 0)
		return;
	stamp_format_micro(us, stamp);
	jmake_str(spec, key, stamp);
}

static void
put_orders(struct json_object *meta, const struct lease_write *l)
{
	if (l->orders != NULL)
		jmake_str(jmake_in(meta, "annotations"), ORDERS_KEY, l->orders);
}

static void
put_spec(struct json_object *o, const struct lease_write *l)
{
	struct json_object *spec = jmake_in(o, "spec");

	jmake_str(spec, "holderIdentity", l->holder);
	if (l->duration_s != 0)
		jmake_int(spec, "leaseDurationSeconds", l->duration_s);
	put_micro(spec, "acquireTime", l->acquire_us);
	put_micro(spec, "renewTime", l->renew_us);
}

char *
lease_create_text(const struct lease_write *l)
{
	struct json_object *o = jmake_object(), *meta, *owner;

	jmake_str(o, "apiVersion", GROUP);
	jmake_str(o, "kind", "Lease");
	meta = jmake_in(o, "metadata");
	jmake_str(meta, "name", l->name);
	jmake_str(meta, "namespace", l->ns);
	if (l->owner != NULL) {
		owner = jmake_item(jmake_list(meta, "ownerReferences"));
		jmake_str(owner, "apiVersion", "v1");
		jmake_str(owner, "kind", "Node");
		jmake_str(owner, "name", l->owner);
		jmake_str(owner, "uid", l->owner_uid);
	}
	put_spec(o, l);
	return jmake_text(&o);
}

char *
lease_patch_text(const struct lease_write *l)
{
	struct json_object *o = jmake_object(), *meta = NULL;

	if (l->version != NULL || l->orders != NULL)
		meta = jmake_in(o, "metadata");
	if (l->version != NULL)
		jmake_str(meta, "resourceVersion", l->version);
	put_orders(meta, l);
	put_spec(o, l);
	return jmake_text(&o);
}

int
lease_read(struct span object, struct lease *l, struct why *why)
{
	struct span number;
	char digits[16], renew[64], *end;
	long s = 0;

	memset(l, 0, sizeof(*l));
	if (scan_get_string(object, l->version, sizeof(l->version), "metadata",
		"resourceVersion", NULL) != 1 ||
	    scan_get_string(object, l->holder, sizeof(l->holder), "spec",
		"holderIdentity", NULL) == -1)
		return fail(why, ERR_FORMAT,
		    "not a Lease: metadata.resourceVersion is absent, or "
		    "spec.holderIdentity is no text");
	if (scan_get(object, &number, "spec", "leaseDurationSeconds", NULL) ==
		1 &&
	    number.len < sizeof(digits)) {
		memcpy(digits, number.p, number.len);
		digits[number.len] = '\0';
		s = strtol(digits, &end, 10);
		if (*end != '\0' || s < 0 || s > INT32_MAX)
			return fail(why, ERR_FORMAT,
			    "not a Lease: spec.leaseDurationSeconds is no "
			    "number of seconds");
	}
	l->duration_ms = (int64_t)s * 1000;
	l->renew_ms = scan_get_string(object, renew, sizeof(renew), "spec",
			  "renewTime", NULL) == 1 ?
	    stamp_parse(renew) :
	    -1;
	return 0;
}

char *
lease_orders(struct span object)
{
	char *text = xcalloc(1, MAX_ORDERS + 1);

	if (scan_get_string(object, text, MAX_ORDERS + 1, "metadata",
		"annotations", ORDERS_KEY, NULL) != 1)
		*text = '\0';
	return text;
}

int64_t
lease_next_us(int64_t *last_us, int64_t wall_ms)
{
	*last_us = wall_ms * 1000 > *last_us ? wall_ms * 1000 : *last_us + 1;
	return *last_us;
}
