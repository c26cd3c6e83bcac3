/* SPDX-License-Identifier: ISC */
#ifndef COMMON_UTF8_H
#define COMMON_UTF8_H

/* UTF-8 (RFC 3629).  Pure. */

#include <stddef.h>

/* Bytes of the well-formed sequence at s, which a NUL ends; 0: none is. */
size_t utf8_len(const unsigned char *s);

/* The well-formed sequence at s is what a terminal may obey: C0, DEL, C1. */
int utf8_is_control(const unsigned char *s);

/*
 * Somebody else's words for a terminal: a copy in which "?" stands for each
 * control character, and for what is no character.  The caller frees it.
 */
char *utf8_shown(const char *words);

/*
 * Somebody else's words as one of our messages: a copy of at most max bytes (3
 * at least), in whole characters; what is cut ends in "...", a control
 * character is blank, what is no character a "?".  The caller frees it.
 */
char *utf8_message(const char *words, size_t max);

/*
 * A text that was cut off at the end of its buffer of so many bytes (8 at
 * least): it ends in "..." after a whole character.
 */
void utf8_end(char *text, size_t size);

/* Somebody else's words for a terminal: what would steer it, a control
 * character of one byte or two (C1), becomes a "?" for each of its bytes. */
void utf8_plain(char *text);

/* What is no character becomes a "?" for each of its bytes. */
void utf8_mend(char *text);

#endif
