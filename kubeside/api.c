/* SPDX-License-Identifier: ISC */
/*
 * api.c: the apiserver as the rest of kubeside sees it.
 *
 * Owns the HTTP client, the credentials behind it and the verdict whether the
 * server can be reached.  Never repeats a request; what it is not allowed to
 * do is logged here, once per verb, resource and namespace.
 */
#include "kubeside/api.h"

#include <sys/queue.h>

#include <event2/event.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "common/mono.h"
#include "common/retry.h"
#include "common/sandbox.h"
#include "common/scan.h"
#include "common/xevent.h"
#include "common/xmem.h"
#include "ipc/build.h"
#include "kubeside/answer.h"
#include "kubeside/ask.h"
#include "kubeside/creds.h"
#include "kubeside/denials.h"

enum {
	CALLS = 12,	      /* connections besides those of nodes */
	TOKEN_AGE_MS = 60000, /* then its file is read again */
	REFRESH_MS = 5000,    /* at most so often after a refusal */
	SILENT_MS = 5000,     /* without a good answer: failures count */
	POOLED_MS = 60000,    /* a connection of so long ago is still there */
	AFTER_MAX_MS = 60000, /* no apiserver asks for more; what is before it
				 may, and leases run out */
};

struct api_call {
	TAILQ_ENTRY(api_call) entry;
	struct api *api;
	struct https_call *call; /* NULL: never sent */
	struct event *never;
	struct https_req req; /* data, done, arg */
	int has_kind;	      /* as all but /version */
	int alone;	      /* an idle connection was there for it alone */
	enum request kind;
	int64_t began_us;
};

struct api {
	struct event_base *base;
	const struct settings *settings;
	const struct api_ops *ops;
	void *arg;
	unsigned int connections;
	struct https *https; /* NULL: no credentials yet */
	struct creds creds;
	struct event *load; /* tries again */
	unsigned int load_failures;
	int64_t token_ms;
	int64_t refresh_ms;
	int reachable;
	int64_t good_ms;
	unsigned int busy; /* calls that are no streams */
	int idle;	   /* one has ended since, and left its connection */
	char text[MAX_TEXT];
	struct denials denials;
	struct meter meter;
	TAILQ_HEAD(, api_call) calls;
};

/*
 * An outage has one cause, the first that was seen; but an alert of TLS is the
 * server's own word, which may be lost when it ends the connection at once.
 */
static int
is_cause(const struct api *a, const char *text)
{
	static const char alert[] = " alert ";

	return a->text[0] == '\0' ||
	    (strstr(text, alert) != NULL && strstr(a->text, alert) == NULL);
}

static void
set_state(struct api *a, int reachable, const char *text)
{
	size_t len = strlen(text);

	if (a->reachable == reachable && (reachable || !is_cause(a, text)))
		return;
	if (len >= sizeof(a->text))
		len = sizeof(a->text) - 1;
	memcpy(a->text, text, len);
	a->text[len] = '\0';
	a->reachable = reachable;
	a->ops->state(reachable, a->text, a->arg);
}

static struct span
pem_span(const char *pem)
{
	return pem == NULL ? (struct span){ NULL, 0 } : span_of(pem);
}

/* The client has what is secret: one copy is enough. */
static void
hand_on(struct api *a, struct creds *c)
{
	https_token(a->https, pem_span(c->token));
	creds_handed_on(c);
}

/* New credentials for the client, or the client itself. */
static int
apply(struct api *a, struct creds *c, struct why *why)
{
	char *agent = xasprintf("vk-flightctl-provider/%s", build_version);
	struct https_conf conf = { .base = c->server,
		.ca_file = c->ca_file,
		.ca_pem = pem_span(c->ca),
		.cert_pem = pem_span(c->cert),
		.key_pem = pem_span(c->key),
		.server_name = c->server_name,
		.proxy = c->proxy,
		.user_agent = agent,
		.connections = a->connections };
	int r = 0;

	if (a->https == NULL)
		r = (a->https = https_new(a->base, &conf, why)) == NULL ? -1 :
									  0;
	else
		r = https_renew(a->https, &conf, why);
	free(agent);
	if (r == -1)
		return -1;
	if (sandbox_reaches(https_port(a->https)) == -1)
		fatal("apiserver %s: its port was not known at the start of "
		      "this process: one that may connect there follows",
		    c->server);
	hand_on(a, c);
	return 0;
}

/*
 * Which cluster it is was asked at our start.  Another's lists, in which none
 * of our pods is, would be taken for that cluster's.
 */
static void
check_server(const struct api *a, const struct creds *c)
{
	if (a->https != NULL && strcmp(c->server, a->creds.server) != 0)
		fatal("apiserver %s in place of %s may be another cluster: a "
		      "process that asks which it is follows",
		    c->server, a->creds.server);
}

/* Reads everything again; what was there stays when that fails. */
static int
load(struct api *a, struct why *why)
{
	struct creds c = { 0 };

	if (creds_load(&c, a->settings, why) == -1)
		return -1;
	check_server(a, &c);
	if (apply(a, &c, why) == -1) {
		creds_wipe(&c);
		return -1;
	}
	creds_wipe(&a->creds);
	a->creds = c;
	a->token_ms = a->refresh_ms = now_read().boot_ms;
	return 0;
}

static void
on_load(evutil_socket_t fd, short what, void *arg)
{
	struct api *a = arg;
	struct why why = { 0 };

	(void)fd;
	(void)what;
	if (load(a, &why) == 0) {
		log_info("apiserver %s%s", a->creds.server,
		    a->creds.proxy == NULL ? "" : ", by its proxy-url");
		a->text[0] = '\0';
		a->load_failures = 0;
		return;
	}
	a->load_failures++;
	if (strcmp(a->text, why.text) != 0) {
		log_line(LOG_LEVEL_ERROR,
		    &(struct log_about){ .operation = "credentials",
			.error = why.text },
		    "no credentials for the apiserver");
		a->text[0] = '\0';
		set_state(a, 0, why.text);
	}
	xevent_in(a->load,
	    retry_wait_ms(why.kind, a->load_failures, -1, arc4random()));
}

struct api *
api_new(struct event_base *base, const struct settings *s, unsigned int nodes,
    const struct api_ops *ops, void *arg)
{
	struct api *a = xcalloc(1, sizeof(*a));

	a->base = base;
	a->settings = s;
	a->ops = ops;
	a->arg = arg;
	a->connections = CALLS + nodes;
	TAILQ_INIT(&a->calls);
	a->load = xevent_timer(base, on_load, a);
	on_load(-1, 0, a);
	return a;
}

void
api_free(struct api *a)
{
	struct api_call *c;

	if (a == NULL)
		return;
	while ((c = TAILQ_FIRST(&a->calls)) != NULL)
		/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): unlinked */
		api_cancel(c);
	https_free(a->https);
	creds_wipe(&a->creds);
	event_free(a->load);
	free(a);
}

static void
stays(const struct why *why)
{
	log_line(LOG_LEVEL_ERROR,
	    &(struct log_about){ .operation = "credentials",
		.error = why->text },
	    "credentials of before stay");
}

void
api_reload(struct api *a)
{
	struct why why = { 0 };

	memset(&a->denials, 0, sizeof(a->denials));
	if (a->https == NULL)
		event_active(a->load, EV_TIMEOUT, 0);
	else if (load(a, &why) == -1)
		stays(&why);
}

/* A token's file is replaced long before the token in it expires. */
static void
freshen(struct api *a)
{
	int64_t now = now_read().boot_ms;
	struct why why = { 0 };

	if (a->creds.token_file == NULL || now - a->token_ms < TOKEN_AGE_MS)
		return;
	a->token_ms = now;
	if (creds_reread(&a->creds, &why) == -1) {
		stays(&why);
		return;
	}
	hand_on(a, &a->creds);
}

/* Refused: files may hold better ones by now. */
static void
refresh(struct api *a)
{
	int64_t now = now_read().boot_ms;

	if (now - a->refresh_ms < REFRESH_MS)
		return;
	a->refresh_ms = now;
	api_reload(a);
}

/*
 * A server that ends closes idle connections at once, but leaves streams open
 * and silent for a minute.  Alone, a call finds the idle connection of the one
 * before it, unless a stream has taken that or somebody closed it.
 */
static void
look_at_connection(struct api *a, const struct https_answer *ans, int alone)
{
	int64_t age = now_read().boot_ms - a->good_ms;

	if (alone && ans->new_connection && ans->status != 0 && a->reachable &&
	    age < POOLED_MS)
		a->ops->replaced(a->arg);
}

static void
judge(struct api *a, const struct https_answer *ans, int stream)
{
	int64_t now = now_read().boot_ms;

	/* A token that is no more valid; a CA that the server has left; of a
	 * client certificate a refusal is some broken connection or other. */
	if (ans->why.kind == ERR_AUTH ||
	    (ans->status == 0 && a->creds.cert != NULL))
		refresh(a);
	if (ans->status == 403 || ans->status == 429)
		return;
	if (ans->status >= 200 && ans->status < 500 && ans->status != 401) {
		a->good_ms = now;
		set_state(a, 1, "");
		return;
	}
	/* Streams end for many reasons; leases are renewed often enough. */
	if (!stream && now - a->good_ms > SILENT_MS)
		set_state(a, 0, ans->why.text);
}

static void
call_free(struct api_call *c)
{
	TAILQ_REMOVE(&c->api->calls, c, entry);
	if (c->req.data == NULL)
		c->api->busy--;
	if (c->never != NULL)
		event_free(c->never);
	free(c);
}

/* A stream's is looked at by whoever reads it; /version has no kind. */
static void
doubt(const struct api_call *c, struct https_answer *a)
{
	if (c->req.data != NULL || a->why.kind != ERR_NONE || !c->has_kind ||
	    answer_is_object(a->body))
		return;
	fail_code(&a->why, ERR_AGAIN, a->status,
	    "%s: %u, but what came is no answer of an apiserver", a->asked,
	    a->status);
	a->status = 0;
	a->maybe_done = 1;
}

static void
on_done(const struct https_answer *plain, void *arg)
{
	struct api_call *c = arg;
	struct api *api = c->api;
	struct https_answer ans = *plain;
	int stream = c->req.data != NULL, alone = c->alone;
	char message[MAX_TEXT] = "";

	doubt(c, &ans);
	meter_add(&api->meter, c->kind, now_us() - c->began_us, ans.why.kind);
	if (ans.status != 0 && ans.why.kind != ERR_NONE) {
		/* A message over the bound stays in the server's log. */
		if (scan_get_string(ans.body, message, sizeof(message),
			"message", NULL) != 1)
			message[0] = '\0';
		if (message[0] != '\0')
			fail_code(&ans.why, ans.why.kind, ans.status,
			    "%s: %.300s", plain->why.text, message);
		if (ans.status == 403 &&
		    denials_note(&api->denials, ans.body,
			message[0] == '\0' ? "all" : message,
			now_read().boot_ms))
			log_line(LOG_LEVEL_ERROR,
			    &(struct log_about){ .error = message[0] == '\0' ?
				    plain->why.text :
				    message },
			    "not allowed");
	}
	if (ans.retry_after_ms > AFTER_MAX_MS)
		ans.retry_after_ms = AFTER_MAX_MS;
	c->call = NULL;
	if (!stream && ans.status != 0)
		api->idle = 1; /* which the next line may take */
	if (c->req.done != NULL)
		c->req.done(&ans, c->req.arg);
	call_free(c);
	/* Last: a change of state may begin other calls and end some. */
	look_at_connection(api, &ans, alone);
	judge(api, &ans, stream);
}

static int
on_data(struct span piece, void *arg, struct why *why)
{
	struct api_call *c = arg;

	return c->req.data(piece, c->req.arg, why);
}

static void
on_never(evutil_socket_t fd, short what, void *arg)
{
	struct api_call *c = arg;
	struct https_answer ans = { .retry_after_ms = -1,
		.limit_reset_s = -1,
		.limit_remaining = -1 };

	(void)fd;
	(void)what;
	fail(&ans.why, ERR_AGAIN, "%s", c->api->text);
	if (c->req.done != NULL)
		c->req.done(&ans, c->req.arg);
	call_free(c);
}

struct api_call *
api_send(struct api *a, const struct https_req *req)
{
	struct api_call *c = xcalloc(1, sizeof(*c));
	struct https_req mine = *req;

	c->api = a;
	c->req = *req;
	TAILQ_INSERT_TAIL(&a->calls, c, entry);
	if (req->data == NULL)
		c->alone = a->busy++ == 0 && a->idle;
	else
		a->idle = 0;
	if (a->https == NULL) {
		c->never = xevent_timer(a->base, on_never, c);
		event_active(c->never, EV_TIMEOUT, 0);
		return c;
	}
	freshen(a);
	c->has_kind = strcmp(req->path, "/version") != 0;
	c->kind = ask_kind(req->method, req->path);
	c->began_us = now_us();
	mine.data = req->data == NULL ? NULL : on_data;
	mine.done = on_done;
	mine.arg = c;
	c->call = https_send(a->https, &mine);
	return c;
}

struct meter *
api_meter(struct api *a)
{
	return &a->meter;
}

void
api_cancel(struct api_call *c)
{
	if (c == NULL)
		return;
	if (c->call != NULL)
		https_cancel(c->call);
	c->api->idle = 0;
	call_free(c);
}

void
api_pause(struct api_call *c)
{
	if (c->call != NULL)
		https_pause(c->call);
}

void
api_resume(struct api_call *c)
{
	if (c->call != NULL)
		https_resume(c->call);
}
