/* SPDX-License-Identifier: ISC */
#ifndef FLIGHTSIDE_FETCH_H
#define FLIGHTSIDE_FETCH_H

/*
 * Reads single devices by name, up to 25 in one request: those that are
 * wanted within a short time share it, and who wants the same device gets the
 * same answer.
 */

#include "common/span.h"
#include "common/why.h"
#include "flightside/budget.h"

struct event_base;
struct fetch;
struct flight;

/*
 * One device, or why not: ERR_GONE it is not there (confirmed), ERR_LIMIT,
 * ERR_FORMAT it cannot be read; else the request failed.  read_boot: before
 * the request was sent.
 */
typedef void fetch_fn(const char *name, int64_t read_boot, struct span device,
    const struct why *, void *arg);

struct fetch *fetch_new(struct event_base *, struct flight *);
void fetch_free(struct fetch *);

/*
 * Any class.  May wait company_ms for others; fn is
 * called exactly once, never from within.
 */
void fetch_device(struct fetch *, enum budget_class, const char *name,
    int64_t company_ms, fetch_fn *, void *arg);

/*
 * The device alone, now, before it is written to: a FLIGHT_KEPT call that fn
 * queues follows at once.
 */
void fetch_pair(struct fetch *, const char *name, fetch_fn *, void *arg);

/* fn is not called for any of arg's. */
void fetch_forget(struct fetch *, const void *arg);

#endif
