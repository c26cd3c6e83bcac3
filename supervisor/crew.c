/* SPDX-License-Identifier: ISC */
/*
 * crew.c: carries out what tend.c decides.
 *
 * Owns the workers' pids and control links.  Whatever a worker sends or does
 * ends at most that worker: nothing here trusts, waits for or dies of one.
 */
#include "supervisor/crew.h"

#include <sys/socket.h>
#include <sys/wait.h>

#include <errno.h>
#include <event2/event.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "common/mono.h"
#include "common/xevent.h"
#include "common/xmem.h"
#include "ipc/chan.h"
#include "supervisor/crew_own.h"
#include "supervisor/equip.h"
#include "supervisor/meet.h"
#include "supervisor/spawn.h"

static int64_t
boot_ms(void)
{
	return now_read().boot_ms;
}

static void
hit(struct worker *w, int sig)
{
	if (w->pid != 0)
		spawn_signal(w->pid, spawn_uid(w->crew->conf->settings, w->id),
		    sig);
}

/* A worker that will not do; why is said. */
static void
condemn(struct worker *w, const char *why)
{
	log_error("%s is killed: %s", proc_name(w->id), why);
	hit(w, SIGKILL);
}

static int
send_none(struct worker *w, enum msg_type type)
{
	return chan_send(w->control, type, 0, &(struct body_none){ 0 }, -1);
}

/* All that the worker is entitled to. */
static int
equip(struct worker *w)
{
	const struct crew_conf *conf = w->crew->conf;
	int rc;

	rc = equip_settings(w->control, w->id, conf->settings, NULL);
	if (w->id == PROC_FLIGHTSIDE && conf->token != NULL)
		rc |= equip_token(w->control, conf->token);
	if (w->id == PROC_PLACER) {
		rc |= equip_listeners(w->control, conf->listeners);
		roll_forget(&w->crew->roll);
	}
	rc |= send_none(w, MSG_GO);
	chan_run(w->control);
	w->running = 1;
	return rc;
}

static void
on_ready(struct worker *w)
{
	struct crew *c = w->crew;
	struct worker *o;

	if (w->tend.state != TEND_STARTING)
		return;
	tend_ready(&w->tend, now_awake_ms());
	log_info("%s is ready, pid %d", proc_name(w->id), (int)w->pid);
	link_started(&c->links, w->id);
	c->ops->heard(c->arg);
	EACH(o, c)
		if (o->tend.state != TEND_READY)
			return;
	if (!c->was_ready)
		c->ops->ready(c->arg);
	c->was_ready = 1;
}

static void
on_relink(struct worker *w, const struct frame *f)
{
	struct body_link m;

	if (body_link_get(f->body, &m) == -1 || m.peer >= PROC_COUNT ||
	    link_over(&w->crew->links, w->id, (enum proc)m.peer, m.number) ==
		-1)
		condemn(w, "asks for a link that there is not");
}

static void
on_log_level(struct worker *w, const struct frame *f)
{
	const struct crew *c = w->crew;
	struct body_log_level m;

	if (body_log_level_get(f->body, &m) == -1 || m.level >= LOG_LEVEL_COUNT)
		condemn(w, "malformed LOG_LEVEL");
	else
		c->ops->log_level(c->arg, (enum log_level)m.level, m.uid);
}

static void
on_frame(struct chan *control, struct frame *f, void *arg)
{
	struct worker *w = arg;
	struct crew *c = w->crew;

	(void)control;
	switch ((int)f->type) {
	case MSG_HELLO:
		if (equip(w) == -1)
			condemn(w, "its settings could not be sent");
		break;
	case MSG_READY:
		on_ready(w);
		break;
	case MSG_PONG:
		tend_pong(&w->tend, now_awake_ms());
		c->ops->heard(c->arg);
		break;
	case MSG_RELINK:
		on_relink(w, f);
		break;
	case MSG_LOG_LEVEL:
		on_log_level(w, f);
		break;
	case MSG_LOG:
		if (relog_frame(&w->relog, w->id, f->body, boot_ms()) == -1)
			condemn(w, "malformed LOG");
		return;
	default: /* the gate let nothing else through */
		break;
	}
	crew_turn(c);
}

static void
on_closed(struct chan *control, const char *text, void *arg)
{
	struct worker *w = arg;

	chan_free(control);
	w->control = NULL;
	if (strncmp(text, "refused frame", 13) == 0)
		roll_refused(&w->crew->roll, w->id);
	/* One that ended by itself has been buried, or soon will be. */
	if (w->pid != 0 && strncmp(text, "closed by peer", 14) != 0)
		condemn(w, text);
	if (w->pid != 0)
		tend_closed(&w->tend, now_awake_ms());
	crew_turn(w->crew);
}

static void
cannot_start(const struct worker *w, const struct why *why)
{
	log_line(LOG_LEVEL_ERROR,
	    &(struct log_about){ .operation = "start", .error = why->text },
	    "%s cannot be started", proc_name(w->id));
}

static void
start(struct worker *w)
{
	static const struct chan_ops ops = { on_frame, on_closed, NULL };
	const struct crew *c = w->crew;
	struct why why;
	int fd[2];

	chan_free(w->control);
	w->control = NULL;
	w->running = 0;
	if (link_make(fd, &why) == -1) {
		cannot_start(w, &why);
		(void)tend_ended(&w->tend, now_awake_ms());
		roll_end(&w->crew->roll, w->id, why.text, boot_ms());
		return;
	}
	w->pid = spawn_worker(w->id, spawn_uid(c->conf->settings, w->id), fd[1],
	    &why);
	if (w->pid == -1) {
		cannot_start(w, &why);
		w->pid = 0;
		close(fd[0]);
		(void)tend_ended(&w->tend, now_awake_ms());
		roll_end(&w->crew->roll, w->id, why.text, boot_ms());
		return;
	}
	w->control = chan_open(c->base, fd[0], PROC_SUPERVISOR, w->id, &ops, w);
}

static void
tend_worker(struct worker *w, int64_t *wake)
{
	int64_t at;

	for (;;) {
		switch (tend_turn(&w->tend, now_awake_ms(), &at)) {
		case TEND_WAIT:
			if (at < *wake)
				*wake = at;
			return;
		case TEND_START:
			start(w);
			break;
		case TEND_PING:
			if (send_none(w, MSG_PING) == -1)
				condemn(w, "PING could not be sent");
			break;
		case TEND_ABORT:
			log_error("%s did not answer for %d s: SIGABRT",
			    proc_name(w->id), TEND_SILENT_MS / 1000);
			hit(w, SIGABRT);
			break;
		case TEND_KILL:
			condemn(w,
			    w->control == NULL ?
				"it closed its link and stays" :
				"SIGABRT did not end it");
			break;
		}
	}
}

static void
tell_placer(struct crew *c)
{
	const struct worker *placer = &c->worker[PROC_PLACER];
	const struct body_crew *m;
	struct worker *w;

	EACH(w, c)
		roll_state(&c->roll, w->id, w->tend.state, boot_ms());
	while (placer->running && placer->control != NULL &&
	    (m = roll_next(&c->roll)) != NULL)
		if (chan_send(placer->control, MSG_CREW, 0, m, -1) == -1)
			return;
}

/* The placer shows it to people; lines before it is there are in the log. */
static void
on_trouble(enum proc who, const struct body_log *m, void *arg)
{
	const struct crew *c = arg;
	const struct worker *placer = &c->worker[PROC_PLACER];
	struct body_trouble t = { .who = who, .wall_ms = m->wall_ms };

	if (!placer->running || placer->control == NULL ||
	    chan_is_full(placer->control))
		return;
	memcpy(t.pod, m->pod, sizeof(t.pod));
	memcpy(t.device, m->device, sizeof(t.device));
	memcpy(t.error, m->error, sizeof(t.error));
	memcpy(t.text, m->text, sizeof(t.text));
	(void)chan_send(placer->control, MSG_TROUBLE, 0, &t, -1);
}

/* A worker that was not given GO has nothing to finish. */
static void
tell_stop(struct worker *w)
{
	if (w->control == NULL || !w->running || send_none(w, MSG_STOP) == -1)
		hit(w, SIGKILL);
}

static void
stop_turn(struct crew *c, int64_t *wake)
{
	uint8_t alive[PROC_COUNT] = { 0 };
	struct worker *w;
	enum proc who;

	EACH(w, c)
		alive[w->id] = w->pid != 0;
	for (;;) {
		switch (tend_stop_turn(&c->stop, alive, now_awake_ms(), wake,
		    &who)) {
		case STOP_WAIT:
			return;
		case STOP_TELL:
			tell_stop(&c->worker[who]);
			break;
		case STOP_KILL:
			EACH(w, c)
				if (alive[w->id])
					condemn(w, "did not stop in time");
			break;
		case STOP_DONE:
			c->ops->gone(c->arg);
			return;
		}
	}
}

void
crew_turn(struct crew *c)
{
	int64_t wake = INT64_MAX, left;
	struct worker *w;

	if (c->stopping) {
		stop_turn(c, &wake);
	} else {
		EACH(w, c)
			tend_worker(w, &wake);
		crew_links_turn(c, &wake);
	}
	tell_placer(c);
	event_del(c->timer);
	if (wake == INT64_MAX)
		return;
	left = wake - now_awake_ms();
	/* Late by a millisecond rather than early by a part of one. */
	xevent_in(c->timer, left < 0 ? 1 : left + 1);
}

static void
on_timer(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what;
	crew_turn(arg);
}

static void
bury(struct worker *w, int status)
{
	char how[ROLL_END], again[32] = "";
	int64_t delay;

	spawn_end(status, how, sizeof(how));
	roll_end(&w->crew->roll, w->id, how, boot_ms());
	w->pid = 0;
	w->running = 0;
	delay = tend_ended(&w->tend, now_awake_ms());
	if (!w->crew->stopping)
		(void)snprintf(again, sizeof(again), ", again in %d ms",
		    (int)delay);
	log_line(w->crew->stopping && status == 0 ? LOG_LEVEL_INFO :
						    LOG_LEVEL_WARN,
	    NULL, "%s ended: %s%s", proc_name(w->id), how, again);
}

void
crew_reap(struct crew *c)
{
	struct worker *w;
	int status;
	pid_t pid;

	/* As process 1 of a container others' children may be ours, too. */
	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		EACH(w, c)
			if (w->pid == pid)
				bury(w, status);
	crew_turn(c);
}

void
crew_reload(struct crew *c, const uint8_t *changed)
{
	struct worker *w;

	EACH(w, c) {
		/* One that was not given GO gets all of them anew. */
		if (w->control == NULL || !w->running)
			continue;
		if (equip_settings(w->control, w->id, c->conf->settings,
			changed) == -1 ||
		    send_none(w, MSG_RELOAD) == -1)
			condemn(w, "RELOAD could not be sent");
	}
}

void
crew_config(struct crew *c, enum setting i)
{
	uint8_t changed[SET_COUNT] = { 0 };
	struct worker *w;

	changed[i] = 1;
	EACH(w, c)
		if (w->control != NULL && w->running &&
		    equip_settings(w->control, w->id, c->conf->settings,
			changed) == -1)
			condemn(w, "a setting could not be sent");
}

void
crew_ask(struct crew *c)
{
	struct worker *w;

	EACH(w, c)
		tend_ask(&w->tend, now_awake_ms());
	crew_turn(c);
}

int
crew_lives(const struct crew *c, int64_t since, struct why *why)
{
	const struct worker *w;

	EACH(w, c)
		if (w->tend.state != TEND_READY || w->tend.heard < since)
			return fail(why, ERR_SYSTEM, "%s %s", proc_name(w->id),
			    tend_text(&w->tend));
	return 0;
}

void
crew_stop(struct crew *c)
{
	if (c->stopping)
		return;
	c->stopping = 1;
	tend_stop_init(&c->stop, now_awake_ms());
	crew_turn(c);
}

struct crew *
crew_new(struct event_base *base, const struct crew_conf *conf,
    const struct crew_ops *ops, void *arg)
{
	const int all = conf->only == PROC_SUPERVISOR;
	struct worker *w;
	struct crew *c;

	c = xcalloc(1, sizeof(*c));
	c->base = base;
	c->conf = conf;
	c->first = all ? PROC_SUPERVISOR + 1 : conf->only;
	c->last = all ? PROC_COUNT - 1 : conf->only;
	c->ops = ops;
	c->arg = arg;
	link_init(&c->links);
	EACH(w, c) {
		w->crew = c;
		w->id = (enum proc)(w - c->worker);
		tend_init(&w->tend, now_awake_ms());
		relog_init(&w->relog, boot_ms());
	}
	c->timer = xevent_timer(base, on_timer, c);
	xevent_in(c->timer, 0);
	if (conf->meet != NULL)
		meet_start(conf->meet, base, crew_links_came, c);
	relog_listen(on_trouble, c);
	return c;
}

void
crew_free(struct crew *c)
{
	struct worker *w;

	if (c == NULL)
		return;
	relog_listen(NULL, NULL);
	EACH(w, c)
		chan_free(w->control);
	if (c->conf->meet != NULL)
		meet_stop(c->conf->meet);
	event_free(c->timer);
	free(c);
}
