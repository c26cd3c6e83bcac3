/* SPDX-License-Identifier: ISC */
#ifndef T_UNIT_LEAKS_H
#define T_UNIT_LEAKS_H

/*
 * A test's process ends by _exit, where nobody looks for leaks: so the test
 * itself does at its end, in builds that can.
 */

#include <criterion/criterion.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#include <sanitizer/lsan_interface.h>
#define HAS_ASAN 1
#define NO_LEAKS() cr_assert(__lsan_do_recoverable_leak_check() == 0)
#endif
#endif
#ifndef NO_LEAKS
#define HAS_ASAN 0
#define NO_LEAKS() (void)0
#endif

#endif
