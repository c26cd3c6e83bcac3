/* SPDX-License-Identifier: ISC */
#ifndef SUPERVISOR_JOURNAL_H
#define SUPERVISOR_JOURNAL_H

/*
 * Lines for systemd-journald in its own protocol (a datagram each, as in
 * systemd's JOURNAL_NATIVE_PROTOCOL), so that their fields stay fields.
 */

#include <stddef.h>

#include "ipc/msg.h"

#define JOURNAL_SOCKET "/run/systemd/journal/socket"

enum {
	JOURNAL_MAX_BYTES = 32 * 1024, /* of a datagram; far below what needs
					  a memfd */
};

/* Is fd what JOURNAL_STREAM of our environment names? */
int journal_is(int fd);

/* From now on log lines go there.  -1 with errno: nobody is there. */
int journal_start(const char *path);
void journal_end(void);

struct journal_field {
	const char *name;  /* capital letters, digits and underscores */
	const char *value; /* any bytes; "": the field is left out */
};

/*
 * The fields as one datagram; what is no UTF-8 becomes U+FFFD.  Returns its
 * length; fields that do not fit are left out.
 */
size_t journal_put(char to[JOURNAL_MAX_BYTES], const struct journal_field *,
    size_t n);

#endif
