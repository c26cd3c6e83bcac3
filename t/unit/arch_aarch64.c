/* SPDX-License-Identifier: ISC */
/*
 * arch_aarch64.c: Owns the table of aarch64, whose calls are the kernel's
 * generic ones, with what its <asm/unistd.h> asks for.
 */
#define __ARCH_WANT_RENAMEAT
#define __ARCH_WANT_NEW_STAT
#define __ARCH_WANT_SET_GET_RLIMIT
#define __ARCH_WANT_TIME32_SYSCALLS
#define __ARCH_WANT_SYS_CLONE3
#define __ARCH_WANT_MEMFD_SECRET
#include <asm-generic/unistd.h>

#define ROWS arch_aarch64
#define NROWS narch_aarch64
#include "t/unit/arch_rows.h"
