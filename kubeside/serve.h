/* SPDX-License-Identifier: ISC */
#ifndef KUBESIDE_SERVE_H
#define KUBESIDE_SERVE_H

/* The link to the placer: frames in, frames out. */

#include "common/why.h"
#include "ipc/msg.h"

struct event_base;
struct serve;

struct serve_ops {
	void (*status)(uint64_t id, const struct body_pod_status *);
	void (*delete)(uint64_t id, const struct body_pod_delete *);
	void (*object)(uint64_t id, const struct body_get_object *);
	void (*event)(const struct body_event *);
	void (*figures)(const struct body_node_figures *);
	void (*purge)(const struct body_purge *);
	void (*keep)(const struct body_orders *);
	/* The placer is gone, or another link takes this one's place. */
	void (*closed)(void);
	/* After serve_is_full(): there is room again. */
	void (*drained)(void);
};

struct serve *serve_new(struct event_base *, const struct serve_ops *);
void serve_free(struct serve *);

/* Takes fd; an earlier link is closed. */
void serve_open(struct serve *, int fd);

/* What the placer is told of this process; borrowed. */
struct report;
void serve_report(struct serve *, struct report *);

int serve_is_open(const struct serve *);
int serve_is_full(const struct serve *);

/* Without a link these do nothing. */
void serve_state(struct serve *, int reachable, const char *cluster,
    const char *text);
void serve_writer(struct serve *, const char *node, int64_t until_ms);
void serve_orders(struct serve *, const char *node, const char *orders);
void serve_node(struct serve *, const char *node, struct span labels);
void serve_list_begin(struct serve *, const char *node);
void serve_list_end(struct serve *, const char *node);
void serve_pod(struct serve *, const char *node, enum pod_how, struct span);
void serve_done(struct serve *, uint64_t id, const struct why *);
void serve_object(struct serve *, uint64_t id, struct span);
void serve_former(struct serve *, struct span lines);

#endif
