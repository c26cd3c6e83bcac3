/* SPDX-License-Identifier: ISC */
#ifndef COMMON_SANDBOX_H
#define COMMON_SANDBOX_H

/*
 * What a worker takes from itself before it reads anything from outside:
 * limits and dumps at once, system calls and files when start() is over.
 */

#include "common/layer.h"
#include "common/settings.h"

/* No core, no dump, no new privileges, files for nobody else. */
int sandbox_early(struct why *);

/*
 * After the seal, too, files in the folder of this one can be read (they are
 * replaced by others of the same name).  Before sandbox_seal().
 */
void sandbox_reads(const char *file);

/*
 * After the seal it connects to this TCP port, and to that of name servers, and
 * to no other.  Later: -1 when it is none of them, and only a new process can.
 */
int sandbox_reaches(uint16_t port);

/*
 * From here on: the system calls of sandbox.def for this worker and no others,
 * no file but those of its settings, of sandbox_reads() and of the system's
 * name service, no port but those of sandbox_reaches().  A layer that the
 * kernel lacks is one warning, or with REQUIRE_SANDBOX=yes a failure.
 */
int sandbox_seal(enum proc, const struct settings *, struct why *);

enum {
	SANDBOX_WORDS = 256,
};

/* What a kernel that lacks a layer needs. */
#define SANDBOX_MEND                                                \
	"grep -E 'CONFIG_SECURITY_LANDLOCK|CONFIG_SECCOMP_FILTER' " \
	"/boot/config-$(uname -r); cat /sys/kernel/security/lsm"

/*
 * After the seal: what confines us, for people.  1: each whole layer; parts of
 * Landlock may be missing.
 */
int sandbox_words(char words[SANDBOX_WORDS]);

/* After the seal: what this kernel lacks, bits 1 << enum sandbox_layer. */
uint32_t sandbox_missing(void);

/* 0: a build for sanitizers or coverage, whose seal does nothing. */
int sandbox_seals(void);

#endif
