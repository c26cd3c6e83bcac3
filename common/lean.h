/* SPDX-License-Identifier: ISC */
#ifndef COMMON_LEAN_H
#define COMMON_LEAN_H

/*
 * Gives back what only the start needed: pages of library code and free heap.
 * Code that is wanted again comes back from the page cache by itself.
 */
void lean_down(void);

#endif
