/* SPDX-License-Identifier: ISC */
#ifndef T_SCENE_CLOCK_H
#define T_SCENE_CLOCK_H

/*
 * Virtual time.  Every clock of the process, libevent's too, says what was
 * set here and moves only by that.
 */

#include <stdint.h>

enum {
	CLOCK_START_MS = 1000 * 1000
};

void clock_set(int64_t boot_ms);
/* Only the wall's, as when a person or NTP sets it; 0: as it began. */
void clock_set_wall(int64_t off_ms);
int64_t clock_boot_ms(void);
int64_t clock_wall_ms(void);

#endif
