/* SPDX-License-Identifier: ISC */
/*
 * cluster.c: which cluster this is.
 *
 * Owns the question, asked until it is answered.  A cluster has no name of
 * its own; the UID of kube-system lives as long as it does.
 */
#include "kubeside/cluster.h"

#include <event2/event.h>
#include <stdlib.h>

#include "common/limits.h"
#include "common/log.h"
#include "common/retry.h"
#include "common/scan.h"
#include "common/xevent.h"
#include "common/xmem.h"
#include "kubeside/api.h"

#define PATH "/api/v1/namespaces/kube-system"

enum {
	DEADLINE_MS = 5000,
};

struct cluster {
	struct api *api;
	const struct cluster_ops *ops;
	void *arg;
	struct event *timer;
	struct api_call *call;
	unsigned int failures;
};

static void
on_timer(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	cluster_ask(arg);
}

struct cluster *
cluster_new(struct event_base *base, struct api *api,
    const struct cluster_ops *ops, void *arg)
{
	struct cluster *c = xcalloc(1, sizeof(*c));

	c->api = api;
	c->ops = ops;
	c->arg = arg;
	c->timer = xevent_timer(base, on_timer, c);
	return c;
}

void
cluster_free(struct cluster *c)
{
	if (c == NULL)
		return;
	api_cancel(c->call);
	event_free(c->timer);
	free(c);
}

static void
ask_later(struct cluster *c, const struct why *why, int64_t retry_after_ms)
{
	if (c->failures++ == 0)
		log_line(LOG_LEVEL_WARN,
		    &(struct log_about){ .error = why->text },
		    "the cluster's id is not known yet");
	c->ops->unknown(why->text, c->arg);
	xevent_in(c->timer,
	    retry_wait_ms(why->kind, c->failures, retry_after_ms,
		arc4random()));
}

static void
on_answer(const struct https_answer *a, void *arg)
{
	struct cluster *c = arg;
	struct why why = a->why;
	char id[MAX_UID + 1];

	c->call = NULL;
	if (why.kind == ERR_NONE &&
	    scan_get_string(a->body, id, sizeof(id), "metadata", "uid", NULL) ==
		1 &&
	    id[0] != '\0') {
		log_info("cluster %s", id);
		c->ops->known(id, c->arg);
		return;
	}
	if (why.kind == ERR_NONE)
		fail(&why, ERR_FORMAT, "GET " PATH ": no metadata.uid in it");
	ask_later(c, &why, a->retry_after_ms);
}

void
cluster_ask(struct cluster *c)
{
	c->call = api_send(c->api,
	    &(struct https_req){ .method = HTTPS_GET,
		.path = PATH,
		.deadline_ms = DEADLINE_MS,
		.done = on_answer,
		.arg = c });
}
