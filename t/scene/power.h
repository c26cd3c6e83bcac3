/* SPDX-License-Identifier: ISC */
#ifndef T_SCENE_POWER_H
#define T_SCENE_POWER_H

/* Scenes on a disk that loses power or fails: one run, and all of them. */

#include "t/scene/disk.h"
#include "t/scene/play.h"

enum {
	POWER_IMAGES_MIN = 3000 /* of what a power cut leaves */
};

/* A long scene: pods come, change and go, devices too, until its log wraps. */
struct text power_scene(void); /* text_free() */

/* -- power_run.c: one run ------------------------------------------------- */

struct power_run {
	struct scene sc;
	size_t cut_at; /* in: record before which power goes, 0: never */
	enum disk_loss loss;
	size_t cuts;   /* out */
	size_t *heard; /* records when something was heard */
	size_t nheard;
	size_t late;	 /* statements that waited for what they are about */
	size_t not_said; /* that never was */
};

extern struct power_run power_run;

/*
 * quiet: in trouble.  How it ended, which is to be freed, or NULL: it failed,
 * why is in power_run.sc.  power_end() is for the caller.
 */
char *power_play(const char *file, const struct text *, int quiet);
void power_end(void);

/* -- the parts: 1, it went well ------------------------------------------- */

/* An upgrade, and a newer one set aside, at each record of them. */
int power_upgrades(void);
/* whole: every cut and fault; else one in so many of a sample. */
int power_scenes(char *const *files, size_t n, int whole, size_t sample);

#endif
