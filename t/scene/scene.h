/* SPDX-License-Identifier: ISC */
#ifndef T_SCENE_SCENE_H
#define T_SCENE_SCENE_H

/*
 * One run of one scene: the placer's real code in this process, in virtual
 * time, between a model of kubeside with its apiserver and a model of
 * flightside with its Flightctl.  Scenes are text: SCENES.txt has the words.
 */

#include <bsd/sys/queue.h>

#include <stdint.h>

#include "ipc/chan.h"
#include "placer/serve.h"
#include "placer/world.h"
#include "t/scene/words.h"

struct scene;

#define SCENE_CLUSTER "c0ffee00-0000-4000-8000-000000000001"

/* -- what the placer sent ----------------------------------------------------
 */

enum out_kind {
	OUT_CHANGE,
	OUT_STATUS,
	OUT_DELETE, /* final, of grace 0 */
	OUT_EVICT,  /* with the pod's own grace */
	OUT_EVENT,
	OUT_NORMAL, /* an Event that is no warning */
	OUT_READ,
	OUT_FETCH,
	OUT_FIGURES,
	OUT_COUNT
};

struct output {
	int64_t at_ms;
	enum out_kind kind;
	char *about; /* label of a pod, name of a device or a node */
	char *text;
	int taken; /* by an expect */
};

void out_add(struct scene *, enum out_kind, const char *about, const char *fmt,
    ...) __attribute__((format(printf, 4, 5)));
const char *out_name(enum out_kind);
void out_clear(struct scene *);

/* -- how a request is answered: by default at once, as the servers would
 * ------- */

enum answer {
	ANSWER_MODEL,	/* nothing special */
	ANSWER_KIND,	/* refused with struct answering's kind */
	ANSWER_UNKNOWN, /* done, but answered that nobody knows */
	ANSWER_LOST,	/* done, then the link breaks */
	ANSWER_DROPPED, /* not done, then the link breaks */
	ANSWER_HELD,
};

struct answering {
	enum answer how;
	enum why_kind kind;
	int times; /* 0: no more */
	int64_t delay_ms;
	int hold;
};

/* -- the two models
 * -------------------------------------------------------------- */

struct kpod {
	TAILQ_ENTRY(kpod) link;
	char *name;
	char *label; /* "a", and "a/2" for the next of that name */
	char *uid;
	char *node;
	char app[MAX_APP + 1];
	char *cpu, *memory, *image, *restart, *controller, *configmap;
	char *secret;
	char *device, *selector, *reconnect, *port, *spec, *colour, *debugger;
	char *asked_cpu; /* since it was admitted with cpu, or NULL */
	char *tolerates; /* a taint by its key, "*": any; NULL: none */
	int64_t created_ms, deleted_ms; /* wall, 0: not terminating */
	struct json_object *status;
	uint64_t rv, generation;
	int in_api;
	int bound;    /* the apiserver lists it for the node */
	int ended;    /* reached a terminal phase */
	int forced;   /* a person's word: may be at two places */
	int given_up; /* by an order: nobody waits for its device */
	int restored; /* a backup brought it back to a device */
	int evicted;
	int denied; /* by the key holder's rules */
	int untold; /* it went without a word */
};
TAILQ_HEAD(kpod_list, kpod);

struct object {
	int secret; /* else a ConfigMap */
	TAILQ_ENTRY(object) link;
	char *name;
	char *text;
	int gone;
	uint64_t rv;
};
TAILQ_HEAD(object_list, object);

struct element {
	TAILQ_ENTRY(element) link;
	char *name;
	char *raw;
};
TAILQ_HEAD(element_list, element);

struct guilt {
	TAILQ_ENTRY(guilt) link;
	char *pod;   /* label */
	char *image; /* all NULL: any version */
	char *file;  /* what stands in one of its config entries */
	char *message;
	int pending; /* waited for without end: not an error */
};
TAILQ_HEAD(guilt_list, guilt);

struct told {
	TAILQ_ENTRY(told) link;
	char *app;
	char *raw;   /* of the element that runs */
	char *state; /* "Running" */
	int ready, of;
	int exit; /* of its container, -1: none is reported */
};
TAILQ_HEAD(told_list, told);

struct edge {
	TAILQ_ENTRY(edge) link;
	char *name;
	char *labels; /* members */
	char *owner;
	char arch[16];
	char *summary; /* when not silent, or frozen */
	char *lifecycle;
	int cores, memory_mib;
	int incarnation;
	int exists;
	int listed; /* in lists: its label is of a fleet we serve */
	uint64_t rv, generation;
	struct element_list apps, configs;
	char *spec; /* the member as it is sent */
	struct element_list old_apps, old_configs; /* of its backup */
	char *old_spec, *old_hash;
	uint64_t old_generation, old_version, old_stored;
	char *rendered_hash;
	uint64_t rendered_version;
	uint64_t stored_version; /* the agent's, as Flightctl has it */
	int hold_render;
	int forget_render; /* of the next write */
	int garbage;	   /* sent as something that is no device */
	int spec_invalid;
	int drained;	 /* a person said so */
	int given_up;	 /* likewise */
	int shrunk;	 /* under its pods */
	int told_frozen; /* as it was last sent, Flightctl holds it */
	int was_frozen;	 /* likewise, ever */
	/* -- the agent -- */
	int silent;
	int hold_apply;
	int waits; /* for a guilt that is pending */
	int64_t apply_ms;
	uint64_t reported_version;
	uint64_t target_version;
	char *target_hash;
	struct element_list failed;  /* hashes that it never tries again */
	struct element_list excused; /* images it tries since it was away */
	struct element_list target;  /* of the version being applied */
	struct element_list files;   /* its config entries */
	struct told_list told;	     /* what runs */
	struct guilt_list guilt;
	char *updating, *reason, *message;
	int64_t since_ms;
};
TAILQ_HEAD(edge_list, edge);

/* A link of the placer: our end of it. */
struct side {
	struct chan *chan;
	enum proc is;
	int fd;	    /* the channel's */
	int wanted; /* a new one was asked for */
	int cut;    /* and is not given */
	int listed; /* lists are sent on it */
	int reachable;
	unsigned int epoch;
	struct answering on[MSG_COUNT];
};

struct timer;
struct held;
TAILQ_HEAD(timer_list, timer);
TAILQ_HEAD(held_list, held);

struct scene {
	const char *file;
	int line;
	int failed;
	char *why;	   /* the first failure */
	const char *broke; /* what it broke, as rules.c words it */
	int quiet;     /* repeated with restarts: only what must always hold */
	int patient;   /* orders are given again until they are taken */
	int plain;     /* not to be repeated */
	int forgetful; /* how it ends hangs on the database */
	int anywhere;  /* which device has which pod does not matter */
	int restless;  /* does not come to rest */
	/* -- time -- */
	struct timer_list timers;
	int rounds_off;
	/* -- the placer -- */
	struct event_base *base;
	struct settings set;
	char *dir;
	char *other_dir; /* of the other replica; NULL: there was none */
	int taking_over; /* the Lease of the one before runs out */
	struct store *store;
	struct serve *serve;
	int running;
	int store_full;
	int dark; /* power went: it does nothing any more */
	/* -- the models -- */
	struct side kube, flight;
	struct kpod_list pods;
	struct object_list objects;
	struct edge_list edges;
	struct element_list ran; /* images that a device once ran */
	int writer;
	int64_t until_boot;	   /* as the writer was told */
	char labels[512];	   /* more of them, of every node */
	char cluster[MAX_UID + 1]; /* another than ours; empty: ours */
	char former[256]; /* Nodes that the placer does not serve, lines */
	char purged[MAX_NAME + 1]; /* its Lease is held for the placer */
	uint64_t npods, round;
	struct held_list held;
	/* -- what came out -- */
	struct output *outs;
	size_t nouts, outs_cap;
	uint64_t moved;	   /* frames and timers so far */
	uint64_t turns;	   /* of the placer, those before its last start */
	uint64_t sent;	   /* of them: by the placer, and no mere question */
	uint64_t crash_at; /* die after so many of them; 0: never */
};

void scene_fail(struct scene *, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* -- run.c: one run -------------------------------------------------------- */

void scene_begin(struct scene *, const char *file);
void scene_end(struct scene *);
void scene_say(struct scene *, const char *line);
/* A minute in which nothing but reads of what may still change is seen. */
void scene_rest(struct scene *);
char *scene_dir(void);	/* a new one, for a database */
void scene_quiet(void); /* no log */
/* Of the environment. */
uint64_t scene_number(const char *name, uint64_t otherwise);
unsigned int scene_every(void); /* SCENE_EVERY, 1 at least */

/* -- place.c: the process under test
 * ------------------------------------------- */

void place_start(struct scene *);
void place_stop(struct scene *);
void place_restart(struct scene *, int lose_store);
/*
 * The placer dies, what it last sent arrives, and the other replica goes on
 * with its own database: as it left it, or none.  It is the writer once the
 * Lease of the one before has run out.
 */
void place_takeover(struct scene *);
/* Runs until nothing moves at this instant. */
void place_idle(struct scene *);
/* Time passes, with everything that is due on the way. */
void place_pass(struct scene *, int64_t ms);
void place_full(struct scene *, int full);
/*
 * Its disk may fail: light() is called before each of its starts, which may
 * take a few, heard() with each frame that it sent.  NULL: neither.
 */
struct place_trouble {
	void (*light)(struct scene *);
	void (*heard)(struct scene *);
};
void place_trouble(const struct place_trouble *);
void place_dark(struct scene *);   /* power goes, in the middle of anything */
void place_forget(struct scene *); /* what waits for its time */

/* Calls fn after ms of virtual time; arg is freed with free(). */
void place_after(struct scene *, int64_t ms, void (*fn)(struct scene *, void *),
    void *arg);

/* Cuts our end of a link; the placer gets another when cut is 0. */
/* What the placer sent there is not read yet. */
int side_has_mail(const struct side *);
void side_break(struct scene *, struct side *, int cut);
void side_mend(struct scene *, struct side *);

/* Sends an answer, now or after the delay that is set for it. */
void side_send(struct scene *, struct side *, enum msg_type, uint64_t id,
    const void *body);
void side_answer(struct scene *, struct side *, enum msg_type asked,
    enum msg_type, uint64_t id, const void *body);
/* What to do with this request; HELD: it was put aside. */
enum answer side_rule(struct scene *, struct side *, const struct frame *,
    enum why_kind *);
void side_release(struct scene *, struct side *, enum msg_type);
void side_drop_held(struct scene *);

/* -- kube.c
 * ------------------------------------------------------------------------- */

/* late: it was put aside; what must hold of it was looked at then. */
void kube_frame(struct scene *, const struct frame *, int late);
void kube_greet(struct scene *); /* a new link: what it says first */
void kube_send_pod(struct scene *, struct kpod *, enum pod_how);
void kube_renew(struct scene *);			  /* WRITER */
struct kpod *kube_pod(struct scene *, const char *label); /* NULL: fails */
struct kpod *kube_by_app(struct scene *, const char *app);
struct kpod *kube_by_uid(const struct scene *, const char *uid);
struct kpod *kube_in_api(const struct scene *, const char *uid);
struct kpod *kube_add(struct scene *, const char *name);
void kube_delete(struct scene *, struct kpod *, int64_t grace_s);
void kube_label(struct scene *, const char *labels);
/* Nodes that are not the placer's, each a line. */
void kube_former(struct scene *, const char *lines);
void kube_remove(struct scene *, struct kpod *, int tell);
const char *kube_phase(const struct kpod *);
struct json_object *kube_condition(const struct kpod *, const char *type);
int kube_is_ready(const struct kpod *);
/* "Waiting reason: message" of the pod or its first container, or "". */
char *kube_reason(const struct kpod *);
char *kube_text(const struct kpod *);
void kube_prune(struct scene *); /* nobody remembers those that went */
void kube_clear(struct scene *);

/* -- flight.c, edge.c
 * ------------------------------------------------------------------ */

void flight_frame(struct scene *, const struct frame *, int late);
void flight_greet(struct scene *);
void flight_round(struct scene *);
void flight_push(struct scene *, struct edge *);
struct edge *flight_find(struct scene *, const char *name); /* or NULL */
struct edge *flight_edge(struct scene *, const char *name); /* NULL: fails */
struct edge *flight_add(struct scene *, const char *name);
void flight_clear(struct scene *);

void edge_init(struct edge *);
void edge_clear(struct edge *);
char *edge_text(const struct edge *);
/* Its lists of elements changed: a new generation, rendered unless held. */
void edge_stored(struct scene *, struct edge *);
void edge_render(struct scene *, struct edge *);
void edge_backup(struct edge *);
void edge_restore(struct edge *);
void edge_resume(struct scene *, struct edge *);
int edge_is_rendered(const struct edge *);
void edge_wake(struct scene *, struct edge *); /* the agent looks */
void edge_set(struct element_list *, const char *name, const char *raw);
void edge_empty(struct element_list *);
void edge_acquit(struct edge *, struct guilt *);
int edge_cut(struct element_list *, const char *name);
struct element *edge_find(const struct element_list *, const char *);
struct told *edge_told(struct edge *, const char *app);
/* Enrolled and online, and what it says is heard. */
int edge_is_there(const struct edge *);
/* It is told that Flightctl holds it after a restore. */
int edge_is_frozen(const struct edge *);
/* Can the device be running the application, now or soon? */
int edge_may_run(const struct edge *, const char *app);
/* "a b c": labels of the pods whose mark stands in its spec. */
char *edge_labels(struct scene *, const struct edge *);

/* -- rules.c: what must hold at every step
 * ------------------------------------------------ */

/*
 * An element's name: not of our cluster, or of a node that this provider
 * neither serves nor was ordered to purge.
 */
int rules_is_foreign(struct scene *, const char *name);
void rules_hold(struct scene *);
void rules_calm(struct scene *); /* long after the last event */
void rules_rest(struct scene *); /* when it has come to rest */
void rules_change(struct scene *, const struct body_change *);
void rules_status(struct scene *, const struct body_pod_status *);
void rules_delete(struct scene *, const struct body_pod_delete *);

/* -- verbs.c, expect.c
 * ---------------------------------------------------------------------- */

void verbs_run(struct scene *, const struct words *);
void expect_run(struct scene *, const struct words *);

#endif
