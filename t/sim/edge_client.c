/* SPDX-License-Identifier: ISC */
/*
 * edge_client.c: a device on the network.
 *
 * Owns one poll and one push in flight.  The device stands still while a push
 * is under way, as the agent does: each step is reported before the next.
 */
#include "t/sim/edge_client.h"

#include <event2/event.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/auto.h"
#include "common/https.h"
#include "common/log.h"
#include "common/why.h"
#include "common/xmem.h"
#include "t/sim/flight_json.h"

enum {
	POLL_DEADLINE_MS = 300000, /* longer than any service waits */
	PUSH_DEADLINE_MS = 30000,
	AGAIN_MS = 250,	     /* first pause after a failure */
	AGAIN_MAX_MS = 4000, /* and the longest */
};

struct edge_client {
	const struct edge_site *site;
	char *name;
	struct edge *edge;
	struct https *https; /* NULL: has no certificate yet */
	struct edge_enrolment *enrolment;
	struct https_call *poll, *push;
	struct event *step;  /* the edge's next step */
	struct event *again; /* a poll, push or enrolment after a failure */
	unsigned int failures;
	int away;
	int unsent; /* the last report has not been taken */
	int online;
	int fresh; /* nothing heard of the service since the start */
};

static void poll_begin(struct edge_client *);
static void run(struct edge_client *);
static void begin(struct edge_client *);

const char *
edge_client_name(const struct edge_client *c)
{
	return c->name;
}

struct edge *
edge_client_edge(struct edge_client *c)
{
	return c->edge;
}

static void
try_again(struct edge_client *c)
{
	int64_t ms = AGAIN_MS << (c->failures < 4 ? c->failures : 4);
	struct timeval tv;

	if (ms > AGAIN_MAX_MS)
		ms = AGAIN_MAX_MS;
	c->failures++;
	tv = (struct timeval){ ms / 1000, ms % 1000 * 1000 };
	event_add(c->again, &tv);
}

/* --- status pushes ------------------------------------------------------- */

static void
see_online(struct edge_client *c, struct span body)
{
	struct json_object *o, *v;
	const char *word = NULL;

	if (c->online)
		return;
	o = flight_parse(body);
	if (json_object_object_get_ex(o, "status", &v) &&
	    json_object_object_get_ex(v, "summary", &v))
		word = flight_get(v, "status");
	if (word != NULL && strcmp(word, "Online") == 0) {
		c->online = 1;
		c->site->online(c, c->site->arg);
	}
	json_object_put(o);
}

static void
enrol_again(struct edge_client *c)
{
	AUTO_FREE char *path = xasprintf("%s/%s.crt", c->site->dir, c->name);

	log_info("%s: unknown to the service, enrols again", c->name);
	unlink(path);
	https_free(c->https);
	c->https = NULL;
	c->poll = c->push = NULL;
	event_del(c->step);
	edge_free(c->edge);
	c->edge = edge_new(c->name, &c->site->conf, now_read());
	c->fresh = 1;
	c->unsent = 0;
	try_again(c);
}

static void
on_pushed(const struct https_answer *a, void *arg)
{
	struct edge_client *c = arg;

	c->push = NULL;
	if (a->status == 200) {
		c->failures = 0;
		c->unsent = 0;
		see_online(c, a->body);
		poll_begin(c);
		run(c);
	} else if (a->status == 404) {
		/* v1.2.0 lets a long poll run on: it may be 4 min. */
		enrol_again(c);
	} else {
		if (a->status >= 400)
			log_warn("%s: push: %u %.*s", c->name, a->status,
			    (int)(a->body.len < 300 ? a->body.len : 300),
			    a->body.p);
		try_again(c);
	}
}

static void
push(struct edge_client *c)
{
	AUTO_FREE char *path = xasprintf("/api/v1/devices/%s/status", c->name);
	struct https_req req = { .method = HTTPS_PUT,
		.path = path,
		.deadline_ms = PUSH_DEADLINE_MS,
		.done = on_pushed,
		.arg = c };
	struct edge_report r;
	struct out o = { 0 };

	edge_report(c->edge, &r);
	out_open(&o, '{');
	out_member(&o, "apiVersion", "flightctl.io/v1beta1");
	out_member(&o, "kind", "Device");
	out_key(&o, "metadata");
	out_open(&o, '{');
	out_member(&o, "name", c->name);
	out_close(&o, '}');
	out_key(&o, "status");
	edge_write_status(&o, &r);
	out_close(&o, '}');
	req.body = (struct span){ o.p, o.len };
	c->unsent = 1;
	c->push = https_send(c->https, &req);
	out_free(&o);
}

/* --- time ---------------------------------------------------------------- */

static void
run(struct edge_client *c)
{
	struct now now = now_read();
	struct timeval tv;
	int64_t ms;

	if (c->away || c->https == NULL || c->push != NULL || c->unsent)
		return;
	if (edge_step(c->edge, now)) {
		push(c);
		return;
	}
	ms = edge_wake(c->edge);
	if (ms == INT64_MAX)
		return;
	ms = ms > now.boot_ms ? ms - now.boot_ms : 0;
	tv = (struct timeval){ ms / 1000, ms % 1000 * 1000 };
	event_add(c->step, &tv);
}

static void
on_step(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what;
	run(arg);
}

static void
on_again(evutil_socket_t fd, short what, void *arg)
{
	struct edge_client *c = arg;

	(void)fd, (void)what;
	if (c->away)
		return;
	if (c->https == NULL) {
		begin(c);
		return;
	}
	/*
	 * One after the other: v1.2.0 forgets that a restored device came back
	 * when it is told its state in the same moment.
	 */
	if (c->unsent && c->push == NULL)
		push(c);
	else if (!c->unsent)
		poll_begin(c);
}

/* --- the long poll ------------------------------------------------------- */

/* 1: the answer is a version, with the version that was last reported. */
static int
read_version(struct span body, uint64_t *version, uint64_t *reported,
    char **spec)
{
	struct json_object *o = flight_parse(body), *v, *w;
	const char *text = NULL;
	struct out s = { 0 };

	*reported = 0;
	if (json_object_object_get_ex(o, "metadata", &v) &&
	    json_object_object_get_ex(v, "annotations", &v))
		text = flight_get(v, "device-controller/renderedVersion");
	if (text == NULL || !json_object_object_get_ex(o, "spec", &v)) {
		json_object_put(o);
		return 0;
	}
	*version = strtoull(text, NULL, 10);
	out_jsonb(&s, v);
	*spec = out_take(&s);
	if (json_object_object_get_ex(o, "status", &w) &&
	    json_object_object_get_ex(w, "config", &w) &&
	    (text = flight_get(w, "renderedVersion")) != NULL)
		*reported = strtoull(text, NULL, 10);
	json_object_put(o);
	return 1;
}

/*
 * A device that was started again still has what it had; what that was is
 * known only when it is what the service wants.
 */
static void
remember(struct edge_client *c, uint64_t version, uint64_t reported,
    const char *spec)
{
	c->fresh = 0;
	if (reported == version)
		edge_settle(c->edge, version, span_of(spec), now_read());
	else if (reported != 0)
		edge_settle(c->edge, reported, span_of("{}"), now_read());
	push(c);
}

static void
take_version(struct edge_client *c, struct span body)
{
	AUTO_FREE char *spec = NULL;
	uint64_t version, reported;

	if (!read_version(body, &version, &reported, &spec)) {
		log_warn("%s: the rendered spec is not readable", c->name);
		return;
	}
	if (c->fresh)
		remember(c, version, reported, spec);
	edge_offer(c->edge, version, span_of(spec), now_read());
	run(c);
}

static void
on_polled(const struct https_answer *a, void *arg)
{
	struct edge_client *c = arg;

	c->poll = NULL;
	if (a->status == 200) {
		c->failures = 0;
		take_version(c, a->body);
		poll_begin(c);
	} else if (a->status == 204) {
		poll_begin(c);
	} else if (a->status == 404) {
		enrol_again(c);
	} else {
		if (a->status >= 400 && a->status != 409)
			log_warn("%s: poll: %u", c->name, a->status);
		try_again(c);
	}
}

static void
poll_begin(struct edge_client *c)
{
	AUTO_FREE char *path = NULL;
	uint64_t known = edge_known(c->edge);
	struct https_req req = { .method = HTTPS_GET,
		.deadline_ms = POLL_DEADLINE_MS,
		.done = on_polled,
		.arg = c };

	if (c->away || c->poll != NULL)
		return;
	path = known == 0 ?
	    xasprintf("/api/v1/devices/%s/rendered", c->name) :
	    xasprintf(
		"/api/v1/devices/%s/rendered?knownRenderedVersion=%" PRIu64,
		c->name, known);
	req.path = path;
	c->poll = https_send(c->https, &req);
}

/* --- begin, end ---------------------------------------------------------- */

static void
open_agent(struct edge_client *c, int enrolled)
{
	AUTO_FREE char *cert = xasprintf("%s/%s.crt", c->site->dir, c->name);
	AUTO_FREE char *key = xasprintf("%s/%s.key", c->site->dir, c->name);
	const struct https_conf conf = { .base = c->site->agent_url,
		.ca_file = c->site->ca_file,
		.cert_file = cert,
		.key_file = key,
		.connections = 2 };
	struct why why;

	c->https = https_new(c->site->base, &conf, &why);
	if (c->https == NULL) {
		log_warn("%s: %s", c->name, why.text);
		try_again(c);
		return;
	}
	c->failures = 0;
	poll_begin(c);
	/* One that was there before says nothing until it knows what it had. */
	if (enrolled) {
		c->fresh = 0;
		push(c);
	}
}

static void
on_enrolled(int rc, const char *text, void *arg)
{
	struct edge_client *c = arg;

	if (rc == 0) {
		open_agent(c, 1);
		return;
	}
	log_warn("%s: %s", c->name, text);
	try_again(c);
}

static void
begin(struct edge_client *c)
{
	AUTO_FREE char *cert = xasprintf("%s/%s.crt", c->site->dir, c->name);

	edge_enrolment_free(steal(&c->enrolment));
	if (access(cert, R_OK) == 0)
		open_agent(c, 0);
	else
		c->enrolment = edge_enrol(c->site, c->name, on_enrolled, c);
}

struct edge_client *
edge_client_new(const struct edge_site *site, const char *name)
{
	struct edge_client *c = xcalloc(1, sizeof(*c));

	c->site = site;
	c->name = xstrdup(name);
	c->edge = edge_new(name, &site->conf, now_read());
	c->fresh = 1;
	c->step = event_new(site->base, -1, 0, on_step, c);
	c->again = event_new(site->base, -1, 0, on_again, c);
	begin(c);
	return c;
}

void
edge_client_free(struct edge_client *c)
{
	if (c == NULL)
		return;
	edge_enrolment_free(c->enrolment);
	https_free(c->https);
	event_free(c->step);
	event_free(c->again);
	edge_free(c->edge);
	free(c->name);
	free(c);
}

void
edge_client_connect(struct edge_client *c, int on)
{
	if (c->away == !on)
		return;
	c->away = !on;
	if (on) {
		c->unsent = c->https != NULL; /* it tells its state at once */
		on_again(-1, 0, c);
		return;
	}
	event_del(c->step);
	event_del(c->again);
	if (c->poll != NULL)
		https_cancel(steal(&c->poll));
	if (c->push != NULL)
		https_cancel(steal(&c->push));
}

void
edge_client_poke(struct edge_client *c)
{
	run(c);
}
