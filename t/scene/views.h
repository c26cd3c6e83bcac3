/* SPDX-License-Identifier: ISC */
#ifndef T_SCENE_VIEWS_H
#define T_SCENE_VIEWS_H

#include "t/scene/scene.h"

/*
 * Fails with the first drift, by name: something that the apiserver's pods,
 * the devices' specs and the placer's database do not all say, and for which
 * nobody gives a reason.  For a scene at rest.
 */
void views_agree(struct scene *);

#endif
