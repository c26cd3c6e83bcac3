/* SPDX-License-Identifier: ISC */
#ifndef T_SIM_KUBEFAULT_H
#define T_SIM_KUBEFAULT_H

/* Faults as kubecommand.c sets them and kubefault.c carries them out. */

#include <stdio.h>

#include "t/sim/kube.h"

struct control;

enum krule_kind {
	KRULE_FAIL, /* value: the status code */
	KRULE_CUT,  /* value: body bytes that are still sent */
};

/* The next n requests of a method ("*" any) and path glob. */
struct kfault {
	enum krule_kind kind;
	char *method, *glob;
	long value;
	long left;
	TAILQ_ENTRY(kfault) entry;
};

/* A request that waits: for its latency, or for ever. */
struct kheld {
	struct kfaults *faults;
	struct web_req *web;
	struct event *timer; /* NULL: paused */
	TAILQ_ENTRY(kheld) entry;
};

struct kcount {
	char *name; /* "patch pods/status" */
	unsigned long n;
};

struct kfaults {
	struct kube *kube;
	struct control *control;
	long latency_ms;
	int paused;
	FILE *history; /* one line a request: METHOD TARGET */
	struct kcount *counts;
	size_t ncounts;
	TAILQ_HEAD(, kfault) rules;
	TAILQ_HEAD(, kheld) held;
};

void kfaults_add(struct kfaults *, enum krule_kind, const char *method,
    const char *glob, long value, long count);
void kfaults_clear_rules(struct kfaults *);
void kfaults_clear_counts(struct kfaults *);
/* Closes the connections of paused requests; they were never answered. */
void kfaults_let_go(struct kfaults *);

struct control *kcommand_new(struct kfaults *, const char *path, struct why *);

#endif
