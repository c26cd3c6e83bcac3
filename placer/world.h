/* SPDX-License-Identifier: ISC */
#ifndef PLACER_WORLD_H
#define PLACER_WORLD_H

/*
 * Pods, devices and virtual nodes in memory: what both sides said last, and
 * what we remember.  Keeps the room of each device and the list of what to
 * look at again.  No I/O, no clock; decisions are plan.c's.
 */

#include <bsd/sys/queue.h>
#include <bsd/sys/tree.h>

#include <stdint.h>

#include "common/meter.h"
#include "common/settings.h"
#include "ipc/msg.h"
#include "placer/device.h"
#include "placer/fit.h"
#include "placer/life.h"
#include "placer/pace.h"
#include "placer/pod.h"
#include "placer/podstatus.h"
#include "placer/quadlet.h"
#include "placer/spec.h"
#include "placer/spread.h"

/* What the next write of its device does with a pod's entry. */
enum wish_io {
	IO_NONE,
	IO_SET,
	IO_CUT,
	IO_FILES, /* its config entries alone: live.h */
};

/* What of a pod's files its device was told, and has not yet applied. */
enum filed {
	FILED_NOT,
	FILED_NEW,
	FILED_BACK, /* that failed: the old ones are to be written */
	FILED_OLD   /* and were */
};

/* For metrics: how often, how long in all. */
struct tally {
	uint64_t n;
	int64_t us;
};

/* A person's order that holds: who gave it, and when. */
struct worded {
	uint8_t on;
	uint32_t uid;
	int64_t at_ms; /* wall */
};

/* A thing to look at again: at once, or at a time. */
struct due {
	RB_ENTRY(due) link;
	int64_t at_boot; /* 0: not in the tree */
	uint64_t
	    order;    /* among those of one instant: first come first served */
	uint64_t seq; /* makes keys unique */
};
RB_HEAD(due_tree, due);

struct wpod;
struct wdevice;
struct wnode;
struct proof;
struct proofs;
struct told;
struct wlive;
struct json_object;
struct wobject;
TAILQ_HEAD(wpod_list, wpod);

/* What the translation of one pod still wants from the API. */
struct wneeds {
	struct quadlet_needs of;
	char **bytes; /* of each; NULL: not yet here */
	size_t *lens;
	char **unread; /* why one cannot be read; NULL: it can, or is not there
			*/
	size_t waits;  /* answers that are due */
	int pod_waits; /* the pod itself was asked for */
};

/* The pods of one controller that have a seat, for the spread (rule 5). */
struct wgroup {
	RB_ENTRY(wgroup) link; /* world.groups, by uid */
	struct wpod_list pods;
	char *uid;
	size_t refs; /* pods that name it, seated or not */
};
RB_HEAD(wgroup_tree, wgroup);

/* A pod that the API lists, or that has a seat, or both. */
struct wpod {
	RB_ENTRY(wpod) link;	     /* world.pods, by uid */
	RB_ENTRY(wpod) by_name;	     /* world.names */
	TAILQ_ENTRY(wpod) on_device; /* its seat's pods */
	TAILQ_ENTRY(wpod) waits;     /* its node's waiting pods, by age */
	TAILQ_ENTRY(wpod) in_group;
	TAILQ_ENTRY(wpod) on_proof;
	struct wgroup *group; /* NULL: no controller */
	struct due due;
	char *uid;
	char *ns;
	char *name;
	char app[MAX_APP + 1];
	struct wnode *node; /* NULL: of a node that we do not serve */
	struct pod *pod;    /* NULL: not in the API, as far as we know */
	char *raw;	    /* the Pod as it came, until it is rendered */
	size_t raw_len;
	char *entry;	   /* rendered, until the store has it: a line with its
			      application, then a line for each config entry */
	uint8_t has_entry; /* rendered: here or in the store */
	/* -- the seat; saved -- */
	struct wdevice *device;	  /* NULL: NO_SEAT */
	uint64_t rendered_images; /* images of the entry that is kept */
	uint64_t sent_images;	  /* images of the entry that we last sent */
	uint64_t proven_images;	  /* images that were applied here, 0: none */
	int64_t running_ms;	  /* wall: first seen running, 0: not yet */
	struct fit_room room;	  /* what it takes on its seat */
	uint8_t retreating;
	uint8_t sent;	 /* a write with its entry left us */
	uint8_t doubted; /* not sent by then: another replica may have */
	uint8_t applied; /* its entry was applied with sent_images */
	uint8_t withheld;
	uint8_t suspect;   /* of the search that is on */
	uint32_t batch;	   /* withheld with these, suspect.h */
	uint8_t blamed;	   /* its entry made the version fail */
	uint8_t reverting; /* the entry of proven_images goes into the spec */
	enum filed filed;  /* live.h */
	struct worded given_up; /* orders.h */
	uint8_t adopted; /* seat found in a spec, not in the store, and the
			    pod was not seen since */
	/* -- not saved -- */
	uint8_t filed_unsure; /* filed was saved, perhaps nothing sent */
	uint8_t was_unsure;   /* both before a change that was not saved */
	enum filed was_filed;
	uint8_t listed;	       /* seen in the pod list that now comes in */
	uint8_t there;	       /* its entry is in the spec, as far as we know */
	uint64_t there_images; /* with these */
	uint8_t untold;	       /* written and not rendered since; contest.h */
	uint8_t unread;	       /* a write's result is unknown: read first */
	uint8_t waiting;       /* in its node's list */
	struct wdevice *reserves; /* reserve.h; NULL: none */
	int64_t room_boot;	  /* it waits for room since; 0: it does not */
	uint8_t denied; /* a rule forbids its entry; why_waits says which */
	uint64_t kept_images; /* of the entry beside, store.h; 0: none */
	uint8_t deleting; /* its final DELETE, or an eviction, is on its way */
	uint8_t refused;  /* writes of its object since one was taken */
	uint8_t evicted;  /* an eviction was sent */
	uint8_t evict_told;	/* or tried: people were told */
	uint8_t kill_told;	/* it is being taken out: people were told */
	uint8_t resize_told;	/* in_place.h; likewise */
	uint8_t debuggers_told; /* so many of them */
	int64_t delete_boot;	/* one was refused: not again before */
	uint8_t expired;	/* its deadline, and that was told */
	uint8_t ended;		/* every container has ended for good */
	struct proof *proof;	/* that its image waits for, NULL: none */
	struct wlive *live;	/* NULL: its files do not change, live.h */
	struct wneeds *needs;	/* NULL: none, or not yet asked */
	enum wish_io queued;	/* for the next write of its device */
	enum wish_io flying;	/* in the write that is on its way */
	uint8_t tries;		/* that failed, fault.h */
	char *fault;		/* what the device said of the last, or NULL */
	const char *fault_reason; /* a literal, or NULL */
	uint64_t fault_images;	  /* that failed */
	uint8_t refusals;	  /* something it wants was not there */
	char *unmounted;	  /* the volume that wants it, or NULL */
	int64_t retry_boot;	  /* not before */
	int64_t left_boot;	  /* since then it waits, company.h; 0: no */
	int64_t active_boot;	  /* since when, deadline.h; 0: not yet */
	int64_t
	    silent_boot; /* the device says nothing of it since, 0: it does */
	int64_t final_boot;
	int64_t works_boot; /* its device is at work on it since; 0: it is not
			     */
	uint8_t sought;	    /* the device that the API names was looked at */
	uint8_t hopeless;   /* no device could ever hold it, or refused */
	int64_t told_boot;  /* the watch may take so long to show it */
	uint64_t told;	    /* digest of the status that the API has */
	uint64_t telling;   /* digest on its way, 0: none */
	uint64_t unshown;   /* digest that was refused, 0: none */
	int64_t tell_boot;  /* not before, the same */
	char *why_waits;    /* message of the last refusal, or NULL */
	const char *why_reason; /* a literal, or NULL */
	enum life_state state;
	uint32_t rule;		/* of life.def, last */
	uint32_t adopted_round; /* world.rounds then */
};

struct wdevice {
	RB_ENTRY(wdevice) link; /* world.devices, by name */
	TAILQ_ENTRY(wdevice) on_node;
	struct due due;
	char *name;
	enum spec_state spec_state; /* of spec.def, last */
	struct wnode *node;    /* NULL: of no fleet that we serve (any more) */
	struct device *dev;    /* NULL: remembered, never read since start */
	struct wpod_list pods; /* whose seat it is */
	struct fit_room used;  /* Σ of them */
	struct fit_room total; /* capacity, defaults applied */
	size_t npods;
	int64_t read_boot;
	uint64_t wrote_generation; /* of our last write; reads below: stale */
	char *wrote_created;	   /* its incarnation */
	int64_t stalled_boot;	   /* unrendered since that read, 0: rendered */
	uint64_t stalled_generation;   /* that one */
	uint64_t nudged_version;       /* what was rendered then, stall.h */
	int64_t nudged_boot, stall_ms; /* and so long till the next */
	char *judged;	     /* update_since of the failure already judged,
				or seen when we wrote; NULL: none */
	uint64_t change_id;  /* of the CHANGE on its way, 0: none */
	size_t nqueued;	     /* pods with something for the next write */
	size_t nurgent;	     /* of them: removals */
	int64_t dirty_boot;  /* since when something is queued */
	int64_t queued_boot; /* the last of it */
	int64_t sent_boot;   /* when the last write was answered */
	int64_t unseen_boot; /* written then, not yet seen rendered, 0: it is */
	int64_t hold_boot;   /* no write before: conflict, back-off */
	uint32_t failures;   /* writes refused in a row */
	uint64_t read_id;    /* the READ on its way, 0: none */
	int64_t single_boot; /* one addition a write until then */
	int64_t hung_boot;   /* its version moves no more since, 0: it does */
	int64_t fetch_boot;  /* it fetches since, 0: it does not */
	int64_t blocked_boot; /* and others wait for that */
	uint32_t batches;     /* withheld so far, suspect.h */
	uint32_t bad_batch;   /* has a guilty one, 0: nobody knows */
	uint32_t files_max;   /* new files so many at a time, 0: any; live.h */
	uint8_t parked;	      /* for others that waited, how often */
	uint8_t want_read;    /* enum read_for; READ_MOTION: nobody does */
	uint8_t listed;	      /* seen in the list that now comes in */
	uint8_t gone;	      /* 404 */
	uint8_t unreadable;   /* oversize or malformed: frozen */
	uint8_t ours; /* written by no other provider since the last read */
	int64_t undone_boot[3]; /* the latest first; contest.h */
	int64_t contest_ms;	/* the pause, 0: not contested */
	int64_t contest_boot;	/* until then nothing is added */
	int64_t again_boot;	/* to be tried again then, 0: not; again.h */
	uint32_t again_tries;	/* so often, in vain */
	uint8_t again;		/* the next write is only for that */
	struct {
		uint64_t hash, version;
	} refused[8]; /* by the agent, the latest; again.h */
	unsigned int nrefused;
	uint8_t isolating;    /* suspects are withheld while others are tried */
	uint8_t unsure;	      /* what failed may be of before all we remember */
	int64_t poll_boot;    /* next read while in motion, 0: at rest */
	int64_t motion_boot;  /* polled since: for the period */
	int64_t unknown_boot; /* summary Unknown since, 0: not */
	int64_t away_boot;    /* its clock; 0: not running */
	uint8_t owned;	      /* by a Fleet, as was told */
	uint8_t frozen;	      /* a summary that is FROZEN, as was told */
	uint8_t thaw;	      /* FROZEN until so many more complete lists */
	struct wnode *left;   /* node of pods here that it is no more of */
	int64_t left_boot;    /* since */
	struct worded drained;	/* no new pods, and those here are evicted */
	struct worded given_up; /* it never comes back, nor do its pods */
	char *given_up_created; /* that incarnation, NULL: not known */
	struct worded
	    written_off; /* missing, and the brake counts it no more */
	uint32_t disconnections;
	struct tally deployed;	   /* from creation to running */
	struct wpod *reserved_for; /* reserve.h; NULL: nobody */
	uint32_t slot;		   /* in its node's pick table */
};
TAILQ_HEAD(wdevice_list, wdevice);

struct wnode {
	char fleet[MAX_NAME + 1];
	char name[MAX_NAME + 1];
	struct wdevice_list devices;
	struct wpod_list waiting; /* no seat; oldest first */
	struct pick_table *table; /* pick.c's view of the devices */
	size_t ndevices;
	struct label *labels; /* the Node's */
	size_t nlabels;
	uint8_t labels_known;
	int64_t figures_boot; /* last told */
	int64_t until_boot;   /* we are its writer until then */
	uint8_t pods_listed;  /* a complete pod list since the link began */
	uint8_t listing;
	uint8_t figures_dirty;
	uint8_t brake;	       /* too many went silent at once: no clock runs */
	uint8_t brake_stale;   /* to be weighed again */
	uint8_t owned;	       /* every device of it, as was logged */
	uint8_t retry;	       /* room appeared: look at those that wait */
	uint64_t figures;      /* digest of what kubeside was told */
	struct worded retired; /* no new pods, and those here are evicted */
	char *kept;	       /* kept.h: its Lease has; NULL: not told yet */
	struct json_object *before; /* and is to be taken over, or NULL */
	uint8_t keep;		    /* it may have to have another */
	/* -- for metrics, since start -- */
	struct tally deployed; /* as of its devices */
	struct spread started; /* from creation to running */
	struct spread seen;    /* from a write to its rendering, as we saw it */
	uint64_t disconnections, evictions;
	/* -- of one that is configured no more, former.h -- */
	struct worded purge; /* its applications leave their devices */
	uint8_t object;	     /* the API has its Node */
	uint8_t is_former;
	uint8_t served;	 /* by another provider, as far as we know */
	uint8_t renewed; /* and that one is seen to */
	uint8_t told_left, told_object;
	size_t told_apps;
};

enum {
	FORMER_MAX = 64 /* more of them are nobody's */
};

RB_HEAD(wpod_tree, wpod);
RB_HEAD(wname_tree, wpod);
RB_HEAD(wdevice_tree, wdevice);
RB_HEAD(wobject_tree, wobject);
TAILQ_HEAD(wobject_list, wobject);

/* How one side is: whether it answers, since when, and what it said. */
struct reach {
	int64_t since_boot; /* 0: not yet looked at */
	uint8_t answers;
};

struct world {
	struct wpod_tree pods;
	struct wdevice_tree devices;
	struct wname_tree names; /* by namespace, name, uid */
	struct wgroup_tree groups;
	struct proofs *proofs; /* proof.h */
	struct told *told;     /* told.h */
	int64_t start_boot;    /* of this process */
	struct reach kube_reach, flight_reach;
	char kube_text[MAX_TEXT + 1];
	struct wobject_tree objects; /* that running pods mount: objects.h */
	struct wobject_list polls;   /* those that are to be asked for */
	int64_t polls_boot;	     /* since then */
	unsigned int npolled;	     /* so many were */
	struct due_tree due_pods;
	struct due_tree due_devices;
	struct wnode nodes[MAX_NODES];
	size_t nnodes;
	struct wnode *former[FORMER_MAX];
	size_t nformer;
	uint8_t former_told;  /* which of them have a Node */
	uint8_t former_stale; /* what is left is to be counted */
	size_t npods;
	uint64_t seq;
	char cluster[MAX_UID + 1];
	char prefix[32];	    /* mark_prefix() of it */
	char memory[17];	    /* random, of this database */
	uint8_t devices_listed;	    /* a complete list since the link began, and
				       since we became a writer */
	uint8_t forgot;		    /* we started without a memory */
	uint32_t born;		    /* wall time in s when it began; 0: old */
	uint8_t seek_all;	    /* it is news: plan.c, seek() */
	uint8_t want_list;	    /* one is to be asked for */
	int64_t list_boot;	    /* start of the one under way */
	int64_t writer_boot;	    /* we became a writer: another one may have
				       written until then */
	uint64_t rounds;	    /* complete ones */
	int64_t round_boot;	    /* the last of them was begun; 0: none */
	uint8_t kube_up, flight_up; /* links */
	struct body_tally tallies[REQUEST_COUNT]; /* as they told */
	struct body_vitals vitals[PROC_COUNT];
	struct body_budget budget;
	uint8_t reported[PROC_COUNT];	   /* these, since we started */
	struct body_crew crew[PROC_COUNT]; /* CREW_UNKNOWN: another supervisor
					      has it; its link shows it */
	uint8_t kube_reachable;
	uint8_t flight_reachable; /* and can be used: FLIGHT_ANSWERS */
	enum flight_state flight_state;
	uint8_t flight_known; /* a FLIGHT_STATE and a list, or none to come */
	char flight_text[MAX_TEXT + 1];
	uint8_t flight_outage;	  /* it said that it is not reachable */
	int64_t flight_since;	  /* boot: end of the last outage, 0: none */
	int64_t flight_lost_boot; /* since then there is no link, 0: there is,
				     or that has been told */
	int64_t evict_boot;	  /* start of the minute of these: */
	int64_t evicted;
	int64_t started_ms; /* wall: this process */
	const struct settings *set;
	char *fleet_label;
	int64_t default_cpu_m, default_memory;
	struct tally planned, acted; /* turns */
	uint64_t asides;	     /* what came that no turn follows */
	uint64_t commits;	     /* of the database, since start */
	int64_t store_try_boot;	     /* it failed: tried again then; else 0 */
	uint8_t hash_rule;   /* a device was rendered by v1.2.0's rule */
	struct pace pace;    /* of writes and polls */
	int64_t queued_boot; /* the last change of any device */
	unsigned int ndirty; /* devices with something queued */
	uint32_t max_pods;   /* of one device */
	int64_t reconnect_ms;
	int64_t apply_ms;
	uint8_t host;		/* ALLOW_PRIVILEGED=yes */
	const char *registries; /* IMAGE_REGISTRIES; the settings' */
	uint8_t secrets;	/* SECRETS=inline */
	int64_t pull_ms;
};

int wpod_cmp(const struct wpod *, const struct wpod *);
int wname_cmp(const struct wpod *, const struct wpod *);
int wgroup_cmp(const struct wgroup *, const struct wgroup *);
int wdevice_cmp(const struct wdevice *, const struct wdevice *);
int due_cmp(const struct due *, const struct due *);
RB_PROTOTYPE(wpod_tree, wpod, link, wpod_cmp)
RB_PROTOTYPE(wname_tree, wpod, by_name, wname_cmp)
RB_PROTOTYPE(wgroup_tree, wgroup, link, wgroup_cmp)
RB_PROTOTYPE(wdevice_tree, wdevice, link, wdevice_cmp)
RB_PROTOTYPE(due_tree, due, link, due_cmp)

/* Nodes and bounds from the settings; -1 with *why. */
int world_init(struct world *, const struct settings *, struct why *);
void world_clear(struct world *);

/* Of those that we serve. */
struct wnode *world_node(struct world *, const char *name);

/* Takes labels; who waits is looked at, for it may match now. */
void world_set_node_labels(struct wnode *, struct label *, size_t count);
struct wpod *world_pod(struct world *, const char *uid);
struct wpod *world_add_pod(struct world *, const char *uid, const char *ns,
    const char *name);
void world_drop_pod(struct world *, struct wpod *);

/* The first of all pods of that namespace and name after that one, in the
 * order of their uids (after NULL: of all), or NULL. */
struct wpod *world_named(const struct world *, const char *ns, const char *name,
    struct wpod *after);

/* The same for "NAMESPACE/NAME"; NULL too when it is not of that form. */
struct wpod *world_called(const struct world *, const char *who,
    struct wpod *after);

/* Another pod of the same namespace and name that has a seat, or NULL. */
struct wpod *world_namesake(const struct world *, const struct wpod *);

/* Who waits for its name, or for one of those on d, is looked at. */
void world_look_namesakes(struct world *, const struct wpod *);
void world_look_namesakes_on(struct world *, const struct wdevice *d);

void world_free_needs(struct wpod *);

/* Takes *pod; the wpod's identity, node and requests follow it. */
void world_set_pod(struct world *, struct wpod *, struct pod *);
void world_no_pod(struct world *, struct wpod *);

struct wdevice *world_device(const struct world *, const char *name);
/* The device of that name; added, when it is not there. */
struct wdevice *world_device_or_new(struct world *, const char *name);
/* Only a device without pods and not in any list. */
void world_drop_device(struct world *, struct wdevice *);

/* Takes *dev: capacity, fleet and adoption of entries follow it. */
void world_set_device(struct world *, struct wdevice *, struct device *,
    int64_t read_boot);

/* The database was written when something was last to be saved. */
int world_is_durable(const struct world *);

/*
 * Flightctl holds it after a restore, or it cannot be read: what its spec and
 * its status say may be of a time before what it runs.
 */
int world_is_frozen(const struct wdevice *);

/* It is there and takes no writes: a Fleet's, frozen, unreadable, leaving. */
int world_is_closed(const struct wdevice *);

/* A person emptied it, or its node: no new pods, and those here go. */
int world_is_drained(const struct wdevice *);

/* gone or unreadable changed: what choices and figures see of it. */
void world_device_changed(struct wdevice *);

/* It may be lost or gone: it is to be read, unless for a write anyway. */
void world_suspect(struct wdevice *);

/* 1: the store has the entry of proven_images, and nothing older. */
int wpod_has_kept(const struct wpod *);

/* What the next write does with the pod's entry; keeps the counts. */
void world_queue(struct world *, struct wpod *, enum wish_io);

/* Seats, unseats and this keep the room of the device. */
void world_set_room(struct wpod *, struct fit_room);
void world_seat(struct world *, struct wpod *, struct wdevice *);
void world_unseat(struct world *, struct wpod *);

/* Look again: soon (in this turn), or at a time if that is earlier. */
void world_look(struct world *, struct wpod *);
void world_look_at(struct world *, struct wpod *, int64_t boot_ms);
void world_look_device(struct world *, struct wdevice *);
void world_look_device_at(struct world *, struct wdevice *, int64_t boot_ms);
void world_look_pods_of(struct world *, struct wdevice *);
void world_look_all(struct world *);

/* It goes: nobody looks any more. */
void world_unlook(struct world *, struct wpod *);
void world_unlook_device(struct world *, struct wdevice *);

/* The next thing whose time has come, taken off the list; NULL: none. */
struct wpod *world_next_pod(struct world *, int64_t boot_ms);
struct wdevice *world_next_device(struct world *, int64_t boot_ms);

/* When the next look is due; INT64_MAX: never. */
int64_t world_next_due(const struct world *);

#endif
