/* SPDX-License-Identifier: ISC */
#ifndef SUPERVISOR_NOTIFY_H
#define SUPERVISOR_NOTIFY_H

/* sd_notify(3) by hand; everything is nothing without NOTIFY_SOCKET. */

struct event_base;
struct notify;

/* Takes the variables out of the environment; starts the watchdog. */
struct notify *notify_new(struct event_base *);
void notify_free(struct notify *);

void notify_ready(struct notify *);
void notify_stopping(struct notify *);

#endif
