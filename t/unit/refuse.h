/* SPDX-License-Identifier: ISC */
#ifndef T_UNIT_REFUSE_H
#define T_UNIT_REFUSE_H

#include <stdint.h>

/*
 * From now on this process, and whatever it becomes, gets EPERM from that
 * system call when its argument is that value; all else is as it was.
 */
void refuse_call(int call, unsigned int argument, uint32_t value);

#endif
