/* SPDX-License-Identifier: ISC */
#ifndef T_IT_PROFILE_H
#define T_IT_PROFILE_H

/*
 * Kernels and containers that have less: "container" is what the default
 * profile of a container runtime refuses to a process without capabilities,
 * "no-landlock" "no-lsm" "no-seccomp" lack that layer.
 */

/* Becomes argv[0] under that profile; returns only when it cannot. */
int profile_exec(const char *profile, char *argv[]);

#endif
