/* SPDX-License-Identifier: ISC */
#ifndef FUZZ_PEER_H
#define FUZZ_PEER_H

/* A port of 127.0.0.1 that listens, the same one for all inputs. */

#include <stdint.h>

/* The descriptor, which does not block and stays open. */
int peer_listen(uint16_t *port);

#endif
