/* SPDX-License-Identifier: ISC */
#ifndef IPC_CHAN_H
#define IPC_CHAN_H

/*
 * One link to another process on a libevent loop: frames in, frames out,
 * descriptors beside them.  Every frame passes msg_admit() both ways.
 */

#include <stdint.h>

#include "ipc/msg.h"

struct chan;
struct event_base;

struct frame {
	enum msg_type type;
	uint64_t id;
	struct span body; /* gone when the callback returns */
	int fd;		  /* -1 or the receiver's to close */
};

/* In the text of a link that is over because the builds differ. */
#define CHAN_FOREIGN "is of a foreign build"

struct chan_ops {
	/* A frame that passed the gate. */
	void (*frame)(struct chan *, struct frame *, void *);
	/*
	 * The link is over: text says why ("closed by peer", "refused frame
	 * SIZE from placer", ...).  The owner calls chan_free(), now or later.
	 */
	void (*closed)(struct chan *, const char *text, void *);
	/* NULL allowed: what waits fell below the low mark again. */
	void (*drained)(struct chan *, void *);
};

/*
 * Takes fd, a connected SOCK_STREAM socket.  self and peer are what the gate
 * checks; the peer's claim in HELLO is compared with it.  On a data link
 * (neither is the supervisor) HELLO with our build goes out at once, and
 * frames other than HELLO are refused until the peer's has come; a foreign
 * build or role closes the link.
 */
struct chan *chan_open(struct event_base *, int fd, enum proc self,
    enum proc peer, const struct chan_ops *, void *arg);

/* NULL allowed.  What was not sent is lost.  No callback follows. */
void chan_free(struct chan *);

/*
 * Queues one frame.  *body is its struct body_X, fd -1 or taken.  0, or -1:
 * the body does not encode (a bound), or the link is closed.  Never blocks.
 */
int chan_send(struct chan *, enum msg_type, uint64_t id, const void *body,
    int fd);

/* A number for a request that no other request of this link has had. */
uint64_t chan_next_id(struct chan *);

/*
 * Sends what is queued now, waiting so long at most; for a process that is
 * about to end.  -1: not all of it.
 */
int chan_flush(struct chan *, int timeout_ms);

/* More than the high mark (4 MiB) waits to be sent: stop producing. */
int chan_is_full(const struct chan *);

/* Stop and go on reading: what is not read makes the sender full. */
void chan_pause(struct chan *);
void chan_resume(struct chan *);

/*
 * Out of turn: reads what has come over a link of data, as much as is read at
 * once, and shows each frame of that type, which comes again in its turn.  No
 * other callback follows.
 */
void chan_glance(struct chan *, enum msg_type,
    void (*)(struct span body, void *), void *arg);

/* A control link leaves SETUP. */
void chan_run(struct chan *);

/* Frames that this process has refused, on all its links. */
uint64_t chan_refused(void);

enum proc chan_peer(const struct chan *);

#endif
