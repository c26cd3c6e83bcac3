/* SPDX-License-Identifier: ISC */
/*
 * build.c: the build id, made by the makefile from VERSION and the tables.
 */
#include "ipc/build.h"

const char build_id[] = BUILD_ID;
const char build_version[] = BUILD_VERSION;
