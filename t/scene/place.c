/* SPDX-License-Identifier: ISC */
/*
 * place.c: the placer under test, its store, its links, and the passing of
 * time.
 *
 * Owns start, death and rest of the process.  Never looks into a frame.
 */
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <event2/event.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/auto.h"
#include "common/boot.h"
#include "common/xmem.h"
#include "placer/plan.h"
#include "t/scene/clock.h"
#include "t/scene/scene.h"

enum {
	REST_TURNS = 3,	    /* of the loop without a frame or a plan */
	TURNS_MAX = 5000,   /* at one instant: it never rests */
	OVERDUE_MAX = 1000, /* turns in which what was due stays due */
	STARTS_MAX = 100,   /* while its disk is in trouble */
};

struct timer {
	TAILQ_ENTRY(timer) link;
	int64_t at_ms;
	void (*fn)(struct scene *, void *);
	void *arg;
};

static struct scene *placed; /* for boot_link_over(), which has no argument */
static const struct place_trouble *trouble; /* NULL: none */

/* -- links -------------------------------------------------------------------
 */

static void
on_frame(struct chan *c, struct frame *f, void *arg)
{
	struct scene *sc = arg;

	if (sc->dark)
		return;
	if (trouble != NULL)
		trouble->heard(sc);
	sc->moved++;
	sc->sent += f->type != MSG_READ && f->type != MSG_NODE_FIGURES &&
	    f->type != MSG_EVENT;
	if (c == sc->kube.chan)
		kube_frame(sc, f, 0);
	else
		flight_frame(sc, f, 0);
	rules_hold(sc);
	if (sc->sent == sc->crash_at) {
		sc->crash_at = 0;
		sc->running = 0;
		event_base_loopbreak(sc->base);
	}
}

static void
on_closed(struct chan *c, const char *text, void *arg)
{
	struct scene *sc = arg;

	(void)c;
	if (sc->running)
		scene_fail(sc, "the placer closed a link: %s", text);
}

static const struct chan_ops ops = {
	.frame = on_frame,
	.closed = on_closed,
};

static void
open_link(struct scene *sc, struct side *s)
{
	int fd[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0,
		fd) == -1)
		abort();
	s->wanted = s->cut = 0;
	s->epoch++;
	s->fd = fd[0];
	s->chan = chan_open(sc->base, fd[0], s->is, PROC_PLACER, &ops, sc);
	serve_link(sc->serve, s->is, fd[1]);
	if (s->is == PROC_KUBESIDE)
		sc->purged[0] = '\0'; /* until it is said again */
	if (s->is == PROC_KUBESIDE)
		kube_greet(sc);
	else
		flight_greet(sc);
}

void
boot_link_over(enum proc peer, const char *text)
{
	(void)text;
	if (peer == PROC_KUBESIDE)
		placed->kube.wanted = 1;
	else
		placed->flight.wanted = 1;
}

int
side_has_mail(const struct side *s)
{
	int bytes = 0;

	return s->chan != NULL && ioctl(s->fd, FIONREAD, &bytes) == 0 &&
	    bytes > 0;
}

void
side_break(struct scene *sc, struct side *s, int cut)
{
	chan_free(s->chan);
	s->chan = NULL;
	s->epoch++;
	s->cut = cut;
	sc->moved++;
}

void
side_mend(struct scene *sc, struct side *s)
{
	s->cut = 0;
	s->wanted = s->chan == NULL;
	sc->moved++;
}

/* -- life
 * ------------------------------------------------------------------------ */

void
place_trouble(const struct place_trouble *t)
{
	trouble = t;
}

void
place_dark(struct scene *sc)
{
	sc->dark = 1;
	sc->running = 0;
	event_base_loopbreak(sc->base);
}

static int
starts(struct scene *sc, struct why *why)
{
	struct store_found found;

	if (trouble != NULL)
		trouble->light(sc);
	sc->dark = 0;
	sc->store = store_open(sc->dir, &found, why);
	if (found.set_aside)
		scene_fail(sc, "the placer's own database was set aside: %s",
		    found.why.text);
	if (sc->store == NULL)
		return 0;
	sc->serve = serve_new(sc->base, &sc->set, sc->store, why);
	if (sc->serve != NULL)
		return 1;
	store_close(sc->store);
	return 0;
}

void
place_start(struct scene *sc)
{
	struct why why;
	int tries;

	placed = sc;
	for (tries = 1; !starts(sc, &why); tries++)
		if (trouble == NULL || tries == STARTS_MAX) {
			scene_fail(sc, "the placer does not start: %s",
			    why.text);
			abort();
		}
	sc->running = !sc->dark;
	if (!sc->kube.cut)
		open_link(sc, &sc->kube);
	if (!sc->flight.cut)
		open_link(sc, &sc->flight);
}

void
place_stop(struct scene *sc)
{
	int full = sc->store_full;

	sc->turns += serve_world(sc->serve)->planned.n;
	sc->running = 0;
	chan_free(sc->kube.chan);
	chan_free(sc->flight.chan);
	sc->kube.chan = sc->flight.chan = NULL;
	sc->kube.wanted = sc->flight.wanted = 0;
	side_drop_held(sc);
	serve_free(sc->serve);
	sc->serve = NULL;
	place_full(sc, 0); /* closing writes nothing that matters */
	store_close(sc->store);
	sc->store = NULL;
	sc->store_full = full;
}

void
place_restart(struct scene *sc, int lose_store)
{
	static const char *const parts[] = { "", "-wal", "-shm" };
	size_t i;

	place_stop(sc);
	for (i = 0; lose_store && i < sizeof(parts) / sizeof(parts[0]); i++) {
		AUTO_FREE char *path =
		    xasprintf("%s/placer.db%s", sc->dir, parts[i]);

		(void)unlink(path);
	}
	place_start(sc);
	place_full(sc, sc->store_full);
}

static void
become_writer(struct scene *sc, void *arg)
{
	(void)arg;
	if (!sc->taking_over)
		return;
	sc->taking_over = 0;
	sc->writer = 1;
	kube_renew(sc);
}

void
place_takeover(struct scene *sc)
{
	char *dir = sc->other_dir != NULL ? sc->other_dir : scene_dir();
	int64_t held = sc->until_boot - clock_boot_ms();

	chan_free(sc->flight.chan);
	sc->flight.chan = NULL;
	side_release(sc, &sc->flight, MSG_CHANGE);
	place_stop(sc);
	sc->other_dir = sc->dir;
	sc->dir = dir;
	if (sc->writer) {
		sc->writer = 0;
		sc->taking_over = 1;
		place_after(sc, held > 0 ? held : 0, become_writer, NULL);
	}
	place_start(sc);
	place_full(sc, sc->store_full);
}

/* The disk of the database is full: every byte that would be new fails. */
void
place_full(struct scene *sc, int full)
{
	struct rlimit rl;

	if (getrlimit(RLIMIT_FSIZE, &rl) == -1)
		abort();
	signal(SIGXFSZ, SIG_IGN);
	rl.rlim_cur = full ? 1 : rl.rlim_max;
	if (setrlimit(RLIMIT_FSIZE, &rl) == -1)
		abort();
	sc->store_full = full;
}

/* -- rest and time
 * ------------------------------------------------------------------ */

static void
relink(struct scene *sc, struct side *s)
{
	if (s->wanted && !s->cut) {
		chan_free(s->chan);
		open_link(sc, s);
	}
}

void
place_idle(struct scene *sc)
{
	uint64_t before, plans;
	int turns, rest = 0;

	for (turns = 0; rest < REST_TURNS && !sc->failed; turns++) {
		if (turns > TURNS_MAX) {
			scene_fail(sc, "the placer never rests");
			return;
		}
		before = sc->moved;
		plans = serve_world(sc->serve)->planned.n;
		event_base_loop(sc->base, EVLOOP_NONBLOCK | EVLOOP_ONCE);
		if (!sc->running) {
			place_restart(sc, 0);
			continue;
		}
		relink(sc, &sc->kube);
		relink(sc, &sc->flight);
		if (sc->moved != before ||
		    serve_world(sc->serve)->planned.n != plans)
			rest = 0;
		else
			rest++;
	}
	rules_hold(sc);
}

void
place_after(struct scene *sc, int64_t ms, void (*fn)(struct scene *, void *),
    void *arg)
{
	struct timer *t = xcalloc(1, sizeof(*t)), *at;

	t->at_ms = clock_boot_ms() + ms;
	t->fn = fn;
	t->arg = arg;
	TAILQ_FOREACH(at, &sc->timers, link)
		if (at->at_ms > t->at_ms)
			break;
	if (at != NULL)
		TAILQ_INSERT_BEFORE(at, t, link);
	else
		TAILQ_INSERT_TAIL(&sc->timers, t, link);
}

void
place_forget(struct scene *sc)
{
	struct timer *t;

	while ((t = TAILQ_FIRST(&sc->timers)) != NULL) {
		TAILQ_REMOVE(&sc->timers, t, link);
		free(t->arg);
		free(t);
	}
}

static void
fire(struct scene *sc)
{
	struct timer *t;

	while ((t = TAILQ_FIRST(&sc->timers)) != NULL &&
	    t->at_ms <= clock_boot_ms()) {
		TAILQ_REMOVE(&sc->timers, t, link);
		sc->moved++;
		t->fn(sc, t->arg);
		free(t->arg);
		free(t);
		place_idle(sc);
	}
}

void
place_pass(struct scene *sc, int64_t ms)
{
	int64_t end = clock_boot_ms() + ms, next;
	const struct timer *t;
	int overdue = 0;

	place_idle(sc);
	while (!sc->failed && clock_boot_ms() < end) {
		next = plan_next(serve_world(sc->serve));
		if ((t = TAILQ_FIRST(&sc->timers)) != NULL && t->at_ms < next)
			next = t->at_ms;
		if (next > end)
			next = end;
		overdue = next <= clock_boot_ms() ? overdue + 1 : 0;
		if (overdue > OVERDUE_MAX)
			scene_fail(sc, "the placer wakes for nothing");
		if (next <= clock_boot_ms())
			next = clock_boot_ms() + 1;
		clock_set(next);
		fire(sc);
		place_idle(sc);
	}
}
