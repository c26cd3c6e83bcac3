/* SPDX-License-Identifier: ISC */
/* arch_here.c: Owns this machine's table. */
#include <asm/unistd.h>

#define ROWS arch_here
#define NROWS narch_here
#include "t/unit/arch_rows.h"
