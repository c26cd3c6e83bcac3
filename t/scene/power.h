/* SPDX-License-Identifier: ISC */
#ifndef T_SCENE_POWER_H
#define T_SCENE_POWER_H

/* A long scene: pods come, change and go, devices too, until its log wraps. */

#include "t/scene/play.h"

enum {
	POWER_RECORDS_MIN = 3000
};

struct text power_scene(void); /* text_free() */

/* 1: an upgrade, and a newer one set aside, at each record of them. */
int power_upgrades(void);

#endif
