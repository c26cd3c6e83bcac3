/* SPDX-License-Identifier: ISC */
#ifndef COMMON_SETTINGS_H
#define COMMON_SETTINGS_H

/*
 * The settings table: parsing, ranges, who gets what.  The supervisor fills
 * one from the environment and the file and hands each worker its part; both
 * ends use the same table.  Pure but for settings_file().
 */

#include <stdint.h>
#include <stdio.h>

#include "common/why.h"
#include "ipc/msg.h"

enum setting {
#define SETTING(name, ...) SET_##name,
#include "common/settings.def"
#undef SETTING
	SET_COUNT
};

struct settings {
	char *text[SET_COUNT];	   /* as given, or the default; never NULL */
	int64_t number[SET_COUNT]; /* TIME ms, NUMBER, SIZE bytes, CPU milli */
	uint8_t given[SET_COUNT];  /* not the default */
};

/* All defaults. */
void settings_init(struct settings *);
void settings_free(struct settings *);

/* -1: value out of range, text "NAME=value: must be ..."; unchanged then. */
int settings_set(struct settings *, enum setting, const char *value,
    struct why *);

/* Known names of envp (others ignored). */
int settings_env(struct settings *, char *const *envp, struct why *);

/*
 * NAME=value lines, # comments; an unknown name is an error with file and
 * line.  What the environment gave stays.
 */
int settings_file(struct settings *, const char *path, struct why *);

/*
 * What only all of them together can say (required, pairs, fleet names), of
 * those that go to this worker; PROC_SUPERVISOR: to any.
 */
int settings_check(const struct settings *, enum proc, struct why *);

/* What UIDS, which is checked, gives this worker. */
uint32_t settings_uid(const struct settings *, enum proc);

/* SET_COUNT: no such name. */
enum setting settings_by_name(const char *);
const char *settings_name(enum setting);
int settings_is_for(enum setting, enum proc);
int settings_reloads(enum setting);

/* One NAME=value a line, no secrets in it by construction. */
void settings_print(const struct settings *, FILE *);

/*
 * The virtual nodes of FLEET_ID and NODE_NAME (design 1): n >= 1 entries.
 * With no FLEET_ID one entry with an empty fleet that holds all devices.
 */
struct fleet_node {
	char fleet[MAX_NAME + 1];
	char node[MAX_NAME + 1];
};
int settings_nodes(const struct settings *, struct fleet_node *, size_t max,
    struct why *); /* count, or -1 */

#endif
