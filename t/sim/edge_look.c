/* SPDX-License-Identifier: ISC */
/*
 * edge_look.c: the agent's view of its device.
 *
 * Owns the texts about applications and the machine.  Never decides what runs
 * (edge.c) or in which state it is (edge_app.c).
 */
#include "t/sim/edge_look.h"

#include <inttypes.h>
#include <stdlib.h>

#include "common/xmem.h"
#include "t/sim/flight_json.h"

/* An identity that is the same in every run: agents have one for ever. */
static char *
fake_uuid(const char *name, const char *salt)
{
	char *text = xasprintf("%s/%s", name, salt);
	char hex[65], *uuid;

	flight_sha256(span_of(text), hex);
	uuid = xasprintf("%.8s-%.4s-5%.3s-a%.3s-%.12s", hex, hex + 8, hex + 13,
	    hex + 17, hex + 20);
	free(text);
	return uuid;
}

char *
edge_system_info(const char *name, const struct edge_conf *conf)
{
	struct out o = { 0 };
	char *boot = fake_uuid(name, "boot");
	char *product = fake_uuid(name, "product");

	out_open(&o, '{');
	out_member(&o, "agentVersion", "v1.2.0");
	out_member(&o, "architecture", conf->arch);
	out_member(&o, "bootID", boot);
	out_key(&o, "cpuCores");
	out_printf(&o, "\"%d\"", conf->cores);
	o.comma = 1;
	out_member(&o, "distroName", "Simulated Linux");
	out_member(&o, "distroVersion", "1");
	out_member(&o, "hostname", name);
	out_member(&o, "kernel", "6.1.0");
	out_key(&o, "memoryTotalKb");
	out_printf(&o, "\"%" PRId64 "\"", conf->memory_kb);
	o.comma = 1;
	out_member(&o, "netIpDefault", "192.0.2.10/24");
	out_member(&o, "operatingSystem", "linux");
	out_member(&o, "productName", "edgesim");
	out_member(&o, "productUuid", product);
	out_close(&o, '}');
	free(boot);
	free(product);
	return out_take(&o);
}

/* The worst of all, and the names of those that are not well. */
struct verdict {
	int errors, unwell;
	struct out info;
};

static void
judge(struct verdict *v, const char *name, const struct edge_state *s)
{
	const char *form = NULL;

	if (strcmp(s->status, "Error") == 0) {
		v->errors++;
		form = "%s%s is in status Error";
	} else if (s->total == 0) {
		v->unwell++;
		form = "%sNot started: %s";
	} else if (strcmp(s->status, "Completed") != 0 &&
	    (s->ready < s->total || strcmp(s->status, "Running") != 0)) {
		v->unwell++;
		form = "%s%s is in status Degraded";
	}
	if (form == NULL)
		return;
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	out_printf(&v->info, form, v->info.len > 0 ? ", " : "", name);
#pragma GCC diagnostic pop
}

static void
write_app(struct out *o, const struct edge_app *app, const struct edge_state *s)
{
	out_open(o, '{');
	out_member(o, "appType", app->type);
	out_key(o, "embedded");
	out_bool(o, 0);
	out_member(o, "name", app->name);
	out_key(o, "ready");
	out_printf(o, "\"%d/%d\"", s->ready, s->total);
	o->comma = 1;
	out_key(o, "restarts");
	out_int(o, s->restarts);
	if (app->run_as != NULL)
		out_member(o, "runAs", app->run_as);
	out_member(o, "status", s->status);
	out_close(o, '}');
}

static void
add(struct out *o, struct verdict *v, const struct edge_app *app,
    const struct edge_state *s)
{
	write_app(o, app, s);
	judge(v, app->name, s);
}

int
edge_look(struct edge_look *l, const struct edge_apps *apps,
    enum edge_sight sight, int64_t start_ms, int64_t boot_ms)
{
	static const struct edge_state unseen = { "Unknown", 0, 0, 0 };
	struct verdict verdict = { 0 };
	struct edge_state s;
	struct out o = { 0 };
	int64_t next;
	int changed;
	size_t i;

	l->change = INT64_MAX;
	l->n = sight == EDGE_SEES_NOTHING ? 0 : apps->n;
	out_open(&o, '[');
	for (i = 0; i < apps->n; i++) {
		s = sight == EDGE_SEES_NAMES ?
		    unseen :
		    edge_app_state(&apps->v[i], start_ms, boot_ms);
		if (sight != EDGE_SEES_NOTHING)
			add(&o, &verdict, &apps->v[i], &s);
		next = edge_app_next(&apps->v[i], start_ms, boot_ms);
		if (next < l->change)
			l->change = next;
	}
	out_close(&o, ']');
	l->summary = l->n == 0 ? "NoApplications" :
	    verdict.errors > 0 ? "Error" :
	    verdict.unwell > 0 ? "Degraded" :
				 "Healthy";
	changed = l->applications == NULL || strcmp(o.p, l->applications) != 0;
	edge_look_free(l);
	l->applications = out_take(&o);
	l->info = verdict.info.len > 0 ? out_take(&verdict.info) : NULL;
	return changed;
}

void
edge_look_free(struct edge_look *l)
{
	free(l->applications);
	free(l->info);
	l->applications = l->info = NULL;
}
