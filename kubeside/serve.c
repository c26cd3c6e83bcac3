/* SPDX-License-Identifier: ISC */
/*
 * serve.c: the link to the placer.
 *
 * Owns the channel and the bodies of its frames.  Never decides whether what
 * is asked may be done (calls.c, pods.c).
 */
#include "kubeside/serve.h"

#include <stdlib.h>
#include <string.h>

#include "common/boot.h"
#include "common/log.h"
#include "common/report.h"
#include "common/xmem.h"
#include "ipc/chan.h"

struct serve {
	struct event_base *base;
	const struct serve_ops *ops;
	struct chan *link;
	struct report *report; /* or NULL */
};

static void
copy(char *to, size_t size, const char *from)
{
	size_t len = strnlen(from, size - 1);

	memcpy(to, from, len);
	to[len] = '\0';
}

/* The bodies are large: one of each, for one frame at a time. */
static union {
	struct body_pod_status status;
	struct body_pod_delete delete;
	struct body_get_object object;
	struct body_event event;
	struct body_node_figures figures;
	struct body_purge purge;
	struct body_orders orders;
} in;

static int
decode(const struct frame *f)
{
	switch ((int)f->type) {
	case MSG_POD_STATUS:
		return body_pod_status_get(f->body, &in.status);
	case MSG_POD_DELETE:
		return body_pod_delete_get(f->body, &in.delete);
	case MSG_GET_OBJECT:
		return body_get_object_get(f->body, &in.object);
	case MSG_EVENT:
		return body_event_get(f->body, &in.event);
	case MSG_NODE_FIGURES:
		return body_node_figures_get(f->body, &in.figures);
	case MSG_PURGE:
		return body_purge_get(f->body, &in.purge);
	case MSG_ORDERS_KEEP:
		return body_orders_get(f->body, &in.orders);
	default: /* the gate let nothing else through */
		return -1;
	}
}

static void
drop(struct serve *s)
{
	if (s->link == NULL)
		return;
	if (s->report != NULL)
		report_link(s->report, NULL);
	chan_free(s->link);
	s->link = NULL;
	s->ops->closed();
}

static void
on_frame(struct chan *c, struct frame *f, void *arg)
{
	struct serve *s = arg;

	(void)c;
	if (decode(f) == -1)
		abort();
	switch ((int)f->type) {
	case MSG_POD_STATUS:
		s->ops->status(f->id, &in.status);
		break;
	case MSG_POD_DELETE:
		s->ops->delete (f->id, &in.delete);
		break;
	case MSG_GET_OBJECT:
		s->ops->object(f->id, &in.object);
		break;
	case MSG_EVENT:
		s->ops->event(&in.event);
		break;
	case MSG_NODE_FIGURES:
		s->ops->figures(&in.figures);
		break;
	case MSG_PURGE:
		s->ops->purge(&in.purge);
		break;
	case MSG_ORDERS_KEEP:
		s->ops->keep(&in.orders);
		break;
	default:
		break;
	}
}

static void
on_closed(struct chan *c, const char *text, void *arg)
{
	(void)c;
	drop(arg);
	boot_link_over(PROC_PLACER, text);
}

static void
on_drained(struct chan *c, void *arg)
{
	struct serve *s = arg;

	(void)c;
	s->ops->drained();
}

struct serve *
serve_new(struct event_base *base, const struct serve_ops *ops)
{
	struct serve *s = xcalloc(1, sizeof(*s));

	s->base = base;
	s->ops = ops;
	return s;
}

void
serve_free(struct serve *s)
{
	if (s == NULL)
		return;
	chan_free(s->link);
	free(s);
}

void
serve_open(struct serve *s, int fd)
{
	static const struct chan_ops ops = { on_frame, on_closed, on_drained };

	drop(s);
	s->link = chan_open(s->base, fd, PROC_KUBESIDE, PROC_PLACER, &ops, s);
	if (s->report != NULL)
		report_link(s->report, s->link);
}

void
serve_report(struct serve *s, struct report *r)
{
	s->report = r;
}

int
serve_is_open(const struct serve *s)
{
	return s->link != NULL;
}

int
serve_is_full(const struct serve *s)
{
	return s->link != NULL && chan_is_full(s->link);
}

/* A frame that the link does not take is lost with the link. */
static void
tell(struct serve *s, enum msg_type type, uint64_t id, const void *body)
{
	if (s->link != NULL && chan_send(s->link, type, id, body, -1) == -1)
		log_debug("a %s was not sent", msg_info(type)->name);
}

void
serve_state(struct serve *s, int reachable, const char *cluster,
    const char *text)
{
	struct body_kube_state m = { .reachable = reachable != 0 };

	copy(m.cluster, sizeof(m.cluster), cluster);
	copy(m.text, sizeof(m.text), text);
	tell(s, MSG_KUBE_STATE, 0, &m);
}

void
serve_writer(struct serve *s, const char *node, int64_t until_ms)
{
	struct body_writer m = { .until_boot = (uint64_t)until_ms };

	copy(m.node, sizeof(m.node), node);
	tell(s, MSG_WRITER, 0, &m);
}

void
serve_orders(struct serve *s, const char *node, const char *orders)
{
	struct body_orders m = { .orders = span_of(orders) };

	copy(m.node, sizeof(m.node), node);
	tell(s, MSG_ORDERS_KEPT, 0, &m);
}

void
serve_node(struct serve *s, const char *node, struct span labels)
{
	struct body_node m = { .labels = labels };

	copy(m.node, sizeof(m.node), node);
	tell(s, MSG_NODE, 0, &m);
}

void
serve_list_begin(struct serve *s, const char *node)
{
	struct body_pods m = { 0 };

	copy(m.node, sizeof(m.node), node);
	tell(s, MSG_PODS_BEGIN, 0, &m);
}

void
serve_list_end(struct serve *s, const char *node)
{
	struct body_pods m = { 0 };

	copy(m.node, sizeof(m.node), node);
	tell(s, MSG_PODS_END, 0, &m);
}

void
serve_pod(struct serve *s, const char *node, enum pod_how how,
    struct span object)
{
	struct body_pod m = { .how = (uint32_t)how, .object = object };

	copy(m.node, sizeof(m.node), node);
	tell(s, MSG_POD, 0, &m);
}

void
serve_done(struct serve *s, uint64_t id, const struct why *why)
{
	struct body_done m = { .kind = why->kind, .code = why->code };

	copy(m.text, sizeof(m.text), why->text);
	tell(s, MSG_DONE, id, &m);
}

void
serve_object(struct serve *s, uint64_t id, struct span object)
{
	struct body_object m = { .object = object };

	tell(s, MSG_OBJECT, id, &m);
}

void
serve_former(struct serve *s, struct span lines)
{
	struct body_former m = { .nodes = lines };

	tell(s, MSG_FORMER, 0, &m);
}
