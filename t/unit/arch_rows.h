/* SPDX-License-Identifier: ISC */
/*
 * Defines the rows ROWS, and NROWS, of common/sandbox.def.  Their values
 * (flags, families, options) are the same on both architectures; the numbers
 * are those of the __NR_ that are defined here.
 */
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>

#include "ipc/msg.h"
#include "t/unit/arch.h"

enum {
	K = 1 << PROC_KUBESIDE,
	F = 1 << PROC_FLIGHTSIDE,
	P = 1 << PROC_PLACER,
};
#define SELF UINT64_MAX

const struct arch_row ROWS[] = {
#define ALLOW(who, call) { who, #call, { __NR_##call, 0, IF_ANY, 0, 0 } },
#define ALLOW_IF(who, call, arg, cond, value) \
	{ who, #call, { __NR_##call, 0, IF_##cond, arg, value } },
#define REFUSE(who, call, error) \
	{ who, #call, { __NR_##call, error, IF_ANY, 0, 0 } },
#define REFUSE_IF(who, call, arg, cond, value, error) \
	{ who, #call, { __NR_##call, error, IF_##cond, arg, value } },
#define SELDOM(who, why)
#include "common/sandbox.def"
};
const size_t NROWS = sizeof(ROWS) / sizeof(ROWS[0]);
