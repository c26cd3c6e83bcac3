/* SPDX-License-Identifier: ISC */
/*
 * flight_status.c: summary, updated and applicationsSummary of a device.
 *
 * Owns the order of precedence and which transition is an event.  Never
 * stores a report (flight_agent.c) or renders (flight_worker.c).
 */
#include "t/sim/flight_status.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/xmem.h"
#include "t/sim/flight.h"
#include "t/sim/flight_device.h"
#include "t/sim/flight_fleets.h"

#define OUT_OF_DATE "Device has not been updated to the latest device spec"

struct resource {
	const char *name, *sentence;
	size_t at;
};

static const struct resource resources[] = {
	{ "CPU", "CPU", offsetof(struct flight_report, cpu) },
	{ "Memory", "Memory", offsetof(struct flight_report, memory) },
	{ "Disk", "Disk", offsetof(struct flight_report, disk) },
};

enum {
	NRESOURCES = sizeof(resources) / sizeof(resources[0])
};

static const char *
level(const struct flight_report *r, size_t i)
{
	return *(const char *const *)((const char *)r + resources[i].at);
}

/* Until a device was seen, or when it was seen too long ago. */
static char *
silence(const struct flight *f, int64_t seen_us)
{
	int64_t ms = f->conf.disconnect_ms;

	if (seen_us != 0 && flight_us() - seen_us <= ms * 1000)
		return NULL;
	if (ms % 60000 == 0)
		return xasprintf("Device is disconnected (last seen more than "
				 "%d minutes ago).",
		    (int)(ms / 60000));
	return xasprintf("Device is disconnected (last seen more than %d "
			 "seconds ago).",
	    (int)(ms / 1000));
}

static int
resource_word(const struct flight_device *d, const char *word,
    const char *status, const char *end, struct flight_word *w)
{
	char text[80];
	size_t i;

	for (i = 0; i < NRESOURCES; i++)
		if (strcmp(level(&d->report, i), word) == 0) {
			snprintf(text, sizeof(text),
			    "%s utilization has "
			    "reached a %s.",
			    resources[i].sentence, end);
			flight_word_set(w, status, text);
			return 1;
		}
	return 0;
}

static int
rebooting(const struct flight_device *d)
{
	return flight_condition_is(d, FLIGHT_UPDATING, "True", "Rebooting");
}

static void
set_summary(struct flight_word *w, const struct flight_device *d,
    const char *silent)
{
	if (flight_pairs_get(&d->annotations,
		"device-controller/awaitingReconnect") != NULL)
		flight_word_set(w, "AwaitingReconnect",
		    "Device has not reconnected since "
		    "restore to confirm its current state.");
	else if (flight_pairs_get(&d->annotations,
		     "device-controller/conflictPaused") != NULL)
		flight_word_set(w, "ConflictPaused",
		    "Device reconciliation is "
		    "paused due to a state conflict between the service and "
		    "the device's agent; manual intervention is required.");
	else if (silent != NULL)
		flight_word_set(w, "Unknown", silent);
	else if (rebooting(d))
		flight_word_set(w, "Rebooting", "Device is rebooting.");
	else if (!resource_word(d, "Critical", "Error", "critical level", w) &&
	    !resource_word(d, "Warning", "Degraded", "warning level", w))
		flight_word_set(w, "Online",
		    "Device's system resources are healthy.");
}

static int
is_out_of_date(const struct flight *f, const struct flight_device *d)
{
	if (d->rendered != 0 &&
	    strtoull(d->report.version, NULL, 10) != d->rendered)
		return 1;
	if (flight_condition_is(d, FLIGHT_SPEC_VALID, "False", NULL))
		return 1;
	return d->owner != NULL && flight_fleet_is_behind(f, d);
}

static void
set_updated(const struct flight *f, struct flight_word *w,
    const struct flight_device *d, const char *silent)
{
	const struct flight_condition *c = &d->conditions[FLIGHT_UPDATING];
	char *text;

	/* A device never seen is the one case that is computed. */
	if (silent != NULL && d->seen_us != 0) {
		flight_word_set(w, "Unknown", silent);
	} else if (flight_condition_is(d, FLIGHT_UPDATING, "True", NULL)) {
		flight_word_set(w, "Updating", c->message);
	} else if (!is_out_of_date(f, d)) {
		flight_word_set(w, "UpToDate",
		    "Device was updated to the latest device spec.");
	} else if (flight_condition_is(d, FLIGHT_UPDATING, "False", "Error")) {
		text = xasprintf(OUT_OF_DATE ": %s", c->message);
		flight_word_set(w, "OutOfDate", text);
		free(text);
	} else {
		flight_word_set(w, "OutOfDate", OUT_OF_DATE ".");
	}
}

static void
set_apps(struct flight_word *w, const struct flight_device *d,
    const char *silent)
{
	const struct flight_report *r = &d->report;
	const char *info = r->apps.info;

	if (silent != NULL) {
		flight_word_set(w, "Unknown", silent);
	} else if (rebooting(d) && r->napplications > 0) {
		flight_word_set(w, "Degraded", "Device is rebooting.");
	} else if (r->napplications == 0) {
		flight_word_set(w, "NoApplications",
		    "Device has not reported "
		    "any application workloads yet.");
	} else if (strcmp(r->apps.status, "Unknown") == 0) {
		/* Only the sentence is taken over. */
		flight_word_set(w, w->status, info);
	} else {
		flight_word_set(w, r->apps.status,
		    info != NULL ?
			info :
			"Device's application workloads are healthy.");
	}
}

/* --- events -------------------------------------------------------------- */

struct row {
	const char *status, *reason;
	int warning;
};

static const struct row summary_rows[] = {
	{ "Unknown", "DeviceDisconnected", 1 },
	{ "Online", "DeviceConnected", 0 },
	{ "Rebooting", "DeviceIsRebooting", 0 },
	{ "ConflictPaused", "DeviceConflictPaused", 1 },
	{ NULL, NULL, 0 },
};

static const struct row updated_rows[] = {
	{ "Updating", "DeviceContentUpdating", 0 },
	{ "OutOfDate", "DeviceContentOutOfDate", 0 },
	{ "UpToDate", "DeviceContentUpToDate", 0 },
	{ "Unknown", "DeviceDisconnected", 1 },
	{ NULL, NULL, 0 },
};

static const struct row apps_rows[] = {
	{ "Error", "DeviceApplicationError", 1 },
	{ "Degraded", "DeviceApplicationDegraded", 1 },
	{ "Healthy", "DeviceApplicationHealthy", 0 },
	{ "NoApplications", "DeviceApplicationHealthy", 0 },
	{ "Unknown", "DeviceDisconnected", 1 },
	{ NULL, NULL, 0 },
};

/* One computation tells at most once that the device is gone. */
struct teller {
	struct flight *f;
	const struct flight_device *d;
	enum flight_source source;
	int disconnected;
};

static void
tell(struct teller *t, const struct row *rows, const char *old,
    const struct flight_word *w)
{
	const struct row *row;
	const char *reason;
	int warning;

	for (row = rows;
	     row->status != NULL && strcmp(row->status, w->status) != 0; row++)
		continue;
	if (row->status == NULL || old == w->status)
		return;
	reason = row->reason;
	warning = row->warning;
	if (strcmp(reason, "DeviceDisconnected") == 0 && t->disconnected++ > 0)
		return;
	if (strcmp(reason, "DeviceContentUpToDate") == 0 && old != NULL &&
	    strcmp(old, "Unknown") == 0)
		return;
	if (strcmp(reason, "DeviceContentOutOfDate") == 0 &&
	    flight_condition_is(t->d, FLIGHT_UPDATING, "False", "Error")) {
		reason = "DeviceUpdateFailed";
		warning = 1;
	}
	flight_event(t->f->events, t->source, "Device", t->d->name, reason,
	    warning, w->info == NULL ? "" : w->info, NULL);
}

static int
is_same(const struct flight_word *a, const char *status, const char *info)
{
	return a->status == status &&
	    ((a->info == NULL && info == NULL) ||
		(a->info != NULL && info != NULL &&
		    strcmp(a->info, info) == 0));
}

static int
compute(struct flight *f, struct flight_device *d, int64_t seen_us,
    enum flight_source source, int quiet)
{
	struct teller t = { f, d, source, 0 };
	char *silent = silence(f, seen_us);
	char *info[3] = { d->summary.info, d->updated.info, d->apps.info };
	const char *old[3] = { d->summary.status, d->updated.status,
		d->apps.status };
	int changed;
	size_t i;

	d->summary.info = d->updated.info = d->apps.info = NULL;
	set_summary(&d->summary, d, silent);
	set_updated(f, &d->updated, d, silent);
	set_apps(&d->apps, d, silent);
	if (!quiet) {
		tell(&t, summary_rows, old[0], &d->summary);
		tell(&t, updated_rows, old[1], &d->updated);
		tell(&t, apps_rows, old[2], &d->apps);
	}
	changed = !is_same(&d->summary, old[0], info[0]) ||
	    !is_same(&d->updated, old[1], info[1]) ||
	    !is_same(&d->apps, old[2], info[2]);
	for (i = 0; i < 3; i++)
		free(info[i]);
	free(silent);
	return changed;
}

int
flight_compute(struct flight *f, struct flight_device *d,
    enum flight_source source)
{
	return compute(f, d, d->seen_us, source, 0);
}

int
flight_compute_seen(struct flight *f, struct flight_device *d,
    enum flight_source source)
{
	return compute(f, d, flight_us(), source, 0);
}

void
flight_tell_resources(struct flight *f, const struct flight_device *d,
    const char *const old[3], enum flight_source source)
{
	const char *now, *end;
	char *reason, *message;
	size_t i;

	for (i = 0; i < NRESOURCES; i++) {
		now = level(&d->report, i);
		if (now == old[i] || strcmp(now, "Unknown") == 0 ||
		    strcmp(now, "Error") == 0 ||
		    (strcmp(now, "Healthy") == 0 &&
			strcmp(old[i], "Unknown") == 0))
			continue;
		end = strcmp(now, "Healthy") == 0 ? "returned to normal" :
		    strcmp(now, "Critical") == 0  ? "reached a critical level" :
						    "reached a warning level";
		reason = xasprintf("Device%s%s", resources[i].name,
		    strcmp(now, "Healthy") == 0 ? "Normal" : now);
		message = xasprintf("%s utilization has %s.",
		    resources[i].sentence, end);
		flight_event(f->events, source, "Device", d->name, reason,
		    strcmp(now, "Healthy") != 0, message, NULL);
		free(reason);
		free(message);
	}
}

void
flight_compute_first(struct flight *f, struct flight_device *d)
{
	compute(f, d, d->seen_us, FLIGHT_BY_USER, 1);
}
