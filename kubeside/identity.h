/* SPDX-License-Identifier: ISC */
#ifndef KUBESIDE_IDENTITY_H
#define KUBESIDE_IDENTITY_H

/*
 * Who holds a writer's lease: this host and this supervisor.  A kubeside that
 * is started again by the same supervisor is the same holder and need not
 * wait; never do two of them live at once.  Caller frees.
 */
char *identity_make(void);

#endif
