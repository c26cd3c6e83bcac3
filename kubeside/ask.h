/* SPDX-License-Identifier: ISC */
#ifndef KUBESIDE_ASK_H
#define KUBESIDE_ASK_H

/* Which of requests.def's kinds a request is.  Pure. */

#include "common/https.h"
#include "common/meter.h"

enum request ask_kind(enum https_method, const char *path);

#endif
