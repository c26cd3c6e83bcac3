/* SPDX-License-Identifier: ISC */
#ifndef T_IT_SANITIZED_H
#define T_IT_SANITIZED_H

/* Whether the programs of this build have ASan, with memory of its own. */

#if defined(__has_feature)
#define SANITIZED __has_feature(address_sanitizer)
#else
#define SANITIZED 0
#endif

#endif
