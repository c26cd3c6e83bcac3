/* SPDX-License-Identifier: ISC */
#ifndef COMMON_WHO_H
#define COMMON_WHO_H

/*
 * In the environment of each kubeside: a word that all have in common which
 * one supervisor starts, and no other has.
 */
#define SUPERVISOR_ENV "VK_SUPERVISOR"

#endif
