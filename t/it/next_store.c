/* SPDX-License-Identifier: ISC */
/* next_store.c: the database of the version after this one. */
#define STORE_VERSION 5
#define STORE_UPGRADES "t/it/next.def"
#include "placer/store_open.c"
