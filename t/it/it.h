/* SPDX-License-Identifier: ISC */
#ifndef T_IT_IT_H
#define T_IT_IT_H

/*
 * A scenario: one program, a list of checks, one last line "N passed, N
 * failed".  It runs in a child with a folder of its own; when it ends, in
 * whatever way, everything that it started is ended and the folder removed.
 *	IT_KEEP=1	the folder stays, its name is printed
 *	IT_DIR		where the provider's log of a failed one is copied
 */

#include <stddef.h>
#include <stdint.h>

/* Runs the scenario; the exit status of main(). */
int it_run(const char *name, void (*scenario)(void));

/* One line "ok TEXT" or "not ok TEXT"; returns ok. */
int it_ok(int ok, const char *, ...) __attribute__((format(printf, 2, 3)));

/*
 * The same, with the seconds since since_ms after the text; they are read when
 * ok has been found out, which an argument of it_ok() would not be.
 */
int it_took(int64_t since_ms, int ok, const char *, ...)
    __attribute__((format(printf, 3, 4)));

/* What these servers cannot do: one line, counted as skipped. */
void it_skip(const char *, ...) __attribute__((format(printf, 1, 2)));

/* A line for the reader, not a check. */
void it_say(const char *, ...) __attribute__((format(printf, 1, 2)));

/* The scenario cannot go on: one check failed, and the end. */
__attribute__((noreturn)) void it_die(const char *, ...)
    __attribute__((format(printf, 1, 2)));

/* How many checks failed until now. */
unsigned int it_failed(void);

/* The scenario's name, its folder. */
const char *it_name(void);
const char *it_folder(void);

/* Boot-time clock. */
int64_t it_ms(void);

/* For random numbers, and told: IT_SEED, or another each time. */
unsigned int it_seed(void);

/* A socket that listens at a free port of 127.0.0.1; the caller's. */
int it_listen(uint16_t *port);

/* Waits with nothing to wait for but the time; for polls of 50-100 ms. */
void it_pause(int ms);

/* Whole file, NUL-terminated, len may be NULL; NULL: cannot be read. */
char *it_file(const char *path, size_t *len);

/* The rest of a line after these words, the caller's; NULL: they are not there.
 */
char *it_file_after(const char *path, const char *words);

/* The file has this text from now on; dies when it cannot be written. */
void it_write(const char *path, const char *text);

#endif
