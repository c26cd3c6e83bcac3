/* SPDX-License-Identifier: ISC */
#ifndef T_IT_FAULT_ACT_H
#define T_IT_FAULT_ACT_H

/* What the proxy does to one request, by fault.def. */

#include "t/it/fault.h"
#include "t/it/fault_wire.h"

enum fault_sent {
	SENT_NEVER,
	SENT_ONCE,
	SENT_TWICE,
	SENT_AGAIN,
};

enum fault_act {
	ACT_PASS,
	ACT_SECOND,
	ACT_GIVE,
	ACT_FIRST,
	ACT_RESET,
	ACT_CLOSE,
	ACT_HOLD,
	ACT_RECORD,
	ACT_HEAD,
	ACT_HALF,
	ACT_BREAK,
	ACT_SHORT,
	ACT_LENGTH,
	ACT_LENGTHS,
	ACT_CHUNK,
	ACT_GARBLE,
	ACT_SLOW,
	ACT_ENDLESS,
};

enum fault_slow {
	SLOW_NONE,
	SLOW_FLIGHT,
	SLOW_BOTH,
};

struct fault_row {
	const char *name;
	enum fault_sent sent;
	enum fault_act act;
	int number;
	enum fault_slow slow;
	const char *text;
	size_t text_len;
};

const struct fault_row *fault_row(enum fault);

/*
 * Gives the client what the fault makes of an answer (NULL: the server was
 * not asked).  let_go(arg): 1: the fault has ended, who is held goes.
 * 0: the connection goes on; -1: it has ended.
 */
int fault_act(const struct fault_row *, struct wire *client,
    const struct message *, int (*let_go)(void *), void *arg);

#endif
