/* SPDX-License-Identifier: ISC */
#ifndef T_UNIT_FLEETSIM_OWN_H
#define T_UNIT_FLEETSIM_OWN_H

/* What the files fleetsim*.c share; nobody else includes this. */

#include <sys/queue.h>

#include "flightside/group.h"
#include "placer/pace.h"
#include "t/unit/fleetsim.h"

/* What happens at an instant. */
enum what {
	TO_WRITE,
	TO_ASK,
	TO_ANSWER,
	TO_LIST,
	TO_LOOK,
	TO_POLL
};

enum kind {
	PAGE,
	BASES,
	PUT,
	POLLS,
	EVENTS,
	NEWS
};

struct request {
	TAILQ_ENTRY(request) entry;
	enum kind kind;
	enum budget_class class;
	unsigned int n, device[GROUP_NAMES];
	unsigned int from; /* a page */
	int64_t sent;
	int refused;
};
TAILQ_HEAD(line, request);

struct happening {
	int64_t at;
	uint64_t order;
	enum what what;
	unsigned int device;
	struct request *request;
};

struct sdevice {
	int64_t dirty, wrote, moved, runs, changed; /* 0: not */
	int with_event, told;
};

/* Devices that are wanted by name (fetch.c). */
struct wants {
	unsigned int *device;
	int64_t *due;
	size_t head, n;
	int asking;
};

struct fleetsim {
	int64_t now;
	uint64_t order;
	unsigned int devices;
	int64_t rate;
	struct budget budget;
	struct pace pace;
	struct sdevice *device;
	struct happening *heap;
	size_t nheap, room;
	struct line waiting[BUDGET_CLASSES];
	int64_t since[BUDGET_CLASSES]; /* somebody waits; 0: nobody */
	struct wants wants[BUDGET_CLASSES];
	unsigned int nsent, nsending, ndirty, slot, nslots;
	unsigned int *slots; /* devices whose base is read, a ring */
	unsigned int *news, nnews;
	int looking;
	int64_t any, decided, list_began, refuse;
	uint64_t list_bytes, list_devices, npages, last_bytes, last_devices;
	int64_t *sent;
	struct fleetsim_result r;
};

/* fleetsim.c */
void fleetsim_at(struct fleetsim *, int64_t when, struct happening);
struct request *fleetsim_queue(struct fleetsim *, enum kind, enum budget_class);

/* fleetsim_write.c: devices by name, and their writes. */
void sim_ask(struct fleetsim *, enum budget_class);
void sim_choose(struct fleetsim *, struct request *);
void sim_to_write(struct fleetsim *, unsigned int device);
void sim_to_poll(struct fleetsim *, unsigned int device);
void sim_on_bases(struct fleetsim *, const struct request *);
void sim_on_put(struct fleetsim *, unsigned int device);
void sim_on_polls(struct fleetsim *, const struct request *);

#endif
