/* SPDX-License-Identifier: ISC */
#ifndef T_PROBE_PROBE_H
#define T_PROBE_PROBE_H

/*
 * Ways out of a worker, tried from inside of it: probe.so is preloaded into
 * the program as it is shipped (inject.c), whose copies seal themselves and
 * then try one each.  What they find is judged (judge.c) by probe.def and
 * told on standard error, which t/it/sandbox reads.
 *	PROBE_SPOIL	folder with bait.NAME, which may be spoilt
 *	PROBE_WITHOUT	a layer that this process leaves out: enum layer's name
 *	PROBE_VICTIM	a process of the same user
 *	PROBE_OTHER	a port of 127.0.0.1 that is no server's, TCP and UDP
 *	PROBE_OWN_NAME	the port of that worker's server
 *	PROBE_KEY_NAME	a file that only that worker may read
 *	PROBE_ABI	of Landlock, at most; 0: the kernel's
 *	PROBE_NIGHTLY	each ABI that is older than this kernel's
 *	PROBE_BRIEF	only what is judged once, no mutants
 */

#include <sys/types.h>

#include <stdint.h>

#include "ipc/msg.h"

enum {
	COULD = 0, /* else an errno, or -SIGNAL */
	KILLED = -31,
	UNSEALED = 200, /* the seal itself failed */
	ANY_ABI = 0,
};

/* One of two errnos: where namespaces can be made, or not. */
#define EITHER_SHIFT(error) ((error) << 8)
#define EITHER(a, b) ((a) | EITHER_SHIFT(b))

/* What a copy may be told to leave out, and a process by PROBE_WITHOUT. */
#define LAYERS(X)   \
	X(NONE)     \
	X(FILTER)   \
	X(LANDLOCK) \
	X(NOFILE)   \
	X(NPROC)    \
	X(DUMPABLE) \
	X(NNP)      \
	X(CORE)     \
	X(IDS)      \
	X(SPACES)   \
	X(CAPABILITIES)

enum layer {
#define X(name) WITHOUT_##name,
	LAYERS(X)
#undef X
	NLAYERS
};

/* How one copy is sealed. */
struct seal {
	enum layer without;
	int under; /* tried before the filter is loaded: what holds then */
	int abi;   /* of Landlock at most; 0: what the kernel has */
	int row;   /* of sandbox.def that is widened; -1: none */
};

struct probe {
	const char *name;
	int (*run)(void); /* 0 or an errno */
	int abi;	  /* Landlock's, that its verdict wants */
	int verdict[PROC_COUNT];
};

extern const struct probe probes[], under[];
extern const size_t nprobes, nunder;

/* --- probes.c: what they try it on --------------------------------------- */

struct aims {
	enum proc self;
	pid_t supervisor, victim;
	uid_t uid;
	uint16_t own, other;
	const char *key, *foreign_key;
	const char *bait; /* a file of its own, that may be spoilt */
	const char *made; /* what it may manage to make */
};
extern struct aims aims;

/* A system call with impossible arguments. */
extern long audited;
int audit_call(void);

/* --- inject.c --------------------------------------------------------------
 */

/* What became of a copy that was sealed so and ran this. */
int probe_copy(const struct seal *, int (*run)(void));

/* Landlock's ABI here, 0: none. */
int probe_abi(void);

/* --- judge.c: says what it found ------------------------------------------ */

void judge(int brief);

/* --- widen.c: the rows of sandbox.def ------------------------------------- */

struct seccomp_data;
struct sock_fprog;

/* How many; whether this worker has it and it can be wider; its call. */
int rows_count(void);
int row_is_of(int row, enum proc);
int row_widens(int row, enum proc);
/* It takes something from a later row; why that worker seldom needs it. */
int row_is_guard(int row);
const char *row_reason(int row, enum proc);
long row_call(int row);
const char *row_name(int row);

/* This worker's program with that row (-1: none) wider; room: the caller's. */
void rows_compile(int row, enum proc, struct sock_fprog *);

/* The row that decides a call of process self; -1: it ends the process. */
int row_that_decides(enum proc, pid_t self, const struct seccomp_data *);

/* An allowed or refused call's name; NULL: no row of this worker has it. */
const char *row_of_call(long nr, enum proc, int *refused);

#endif
