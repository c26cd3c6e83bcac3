/* SPDX-License-Identifier: ISC */
#ifndef PLACER_UNITFILE_H
#define PLACER_UNITFILE_H

/*
 * Text of a Quadlet file under construction.  All escaping is here: what
 * podman's generator and systemd read back is what was put in
 * (facts of the real generator of podman 5.4 and systemd 257).  Pure.
 */

#include <stddef.h>

#include "common/why.h"

struct unitfile {
	char *text;
	size_t len;
	size_t size;
};

/* "[name]", after an empty line when it is not the first. */
void unitfile_section(struct unitfile *, const char *name);

/* A line of ours: plain, short, nothing from outside in it. */
void unitfile_line(struct unitfile *, const char *key, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/*
 * A value that is taken as it stands (WorkingDir=, Volume=): only its % and $
 * are escaped.  ERR_DENIED when it has bytes that would not arrive there:
 * quotes, backslashes, control bytes, blanks at an end; ERR_LIMIT.
 */
int unitfile_value(struct unitfile *, const char *key, const char *value,
    struct why *);

/*
 * Words (Exec=, Environment=), quoted where they need it, over several lines
 * where one would be too long.  ERR_DENIED for a word that the generator
 * loses: an empty one, or ";" alone.
 */
int unitfile_words(struct unitfile *, const char *key, const char *const *,
    size_t, struct why *);

/*
 * A command of [Service], on one line: before as it is, then the words, quoted
 * where they need it.  systemd reads it itself.  ERR_LIMIT: too long.
 */
int unitfile_command(struct unitfile *, const char *key, const char *before,
    const char *const *words, size_t, struct why *);

/*
 * A JSON text as a value (HealthCmd=): only its % and $ are escaped.
 * ERR_DENIED: a control byte; ERR_LIMIT.
 */
int unitfile_json(struct unitfile *, const char *key, const char *json,
    struct why *);

/* The text, caller frees; "" when nothing was put in. */
char *unitfile_take(struct unitfile *);
void unitfile_clear(struct unitfile *);

#endif
