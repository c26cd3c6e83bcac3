/* SPDX-License-Identifier: ISC */
#ifndef IPC_BUILD_H
#define IPC_BUILD_H

/*
 * What this program was built from: VERSION and a hash of every table that
 * both ends of a link must share.  Two programs that differ in it do not talk.
 */
extern const char build_id[];
extern const char build_version[];

#endif
