/* SPDX-License-Identifier: ISC */
/*
 * check.c: vk-flightctl-provider --check.
 *
 * Owns the workers that look, the time they have and the lines on standard
 * output, in the order of the workers.  Never gives a worker GO, a listener or
 * a link to another: none of them can do more than look.
 */
#include "supervisor/check.h"

#include <sys/wait.h>

#include <err.h>
#include <event2/event.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "common/auto.h"
#include "common/finding.h"
#include "common/log.h"
#include "common/mono.h"
#include "common/utf8.h"
#include "common/xevent.h"
#include "common/xmem.h"
#include "ipc/chan.h"
#include "supervisor/equip.h"
#include "supervisor/link.h"
#include "supervisor/relog.h"
#include "supervisor/spawn.h"

enum {
	CHECK_S = 20, /* for all, with few nodes */
	FEW_NODES = 4,
	NODE_S = 2,    /* for each of more: its questions are asked in turn */
	END_MS = 2000, /* for those that were killed */
};

struct look {
	struct check *check;
	enum proc id;
	pid_t pid; /* 0: none */
	struct chan *control;
	int over;     /* nothing more is to come */
	char how[96]; /* it ended, "": it has not */
	char last[sizeof(((struct body_log *)0)->text)]; /* its last error */
	struct relog relog;
	FILE *out; /* text until its turn has come */
	char *text;
	size_t len;
};

struct check {
	struct event_base *base;
	const struct settings *settings;
	const struct secret *token;
	enum proc only;		      /* PROC_SUPERVISOR: all */
	struct look look[PROC_COUNT]; /* the supervisor's: this host */
	enum proc turn;		      /* whose lines are next */
	int seconds;		      /* for all */
	unsigned int found[FINDING_LEVELS];
};

#define EACH_WORKER(l, c)                           \
	for ((l) = &(c)->look[PROC_SUPERVISOR + 1]; \
	     (l) < &(c)->look[PROC_COUNT]; (l)++)

/* Servers' words among it: nothing that a terminal would obey. */
static void
print(FILE *f, const char *text)
{
	AUTO_FREE char *shown = utf8_shown(text);

	(void)fputs(shown, f);
}

static void
on_finding(const struct body_finding *m, void *arg)
{
	static const char *const levels[] = { "ok", "warn", "FAIL" };
	struct look *l = arg;

	l->check->found[m->level]++;
	(void)fprintf(l->out, "%-5s %s: ", levels[m->level],
	    l->id == PROC_SUPERVISOR ? "host" : proc_name(l->id));
	print(l->out, m->subject);
	(void)fputs(": ", l->out);
	print(l->out, m->text);
	(void)fputc('\n', l->out);
	if (m->mend[0] == '\0')
		return;
	(void)fputs("  mend: ", l->out);
	print(l->out, m->mend);
	(void)fputc('\n', l->out);
}

/* Of the worker itself, which cannot say it. */
static void
say(struct look *l, const char *text)
{
	finding_set_sink(on_finding, l);
	finding(FINDING_FAIL, "check", "vk-flightctl-provider --check -v",
	    "%s%s%s", text, l->last[0] == '\0' ? "" : ": ", l->last);
	finding_set_sink(NULL, NULL);
}

/* What is complete, in order; the end when that is all. */
static void
flush(struct check *c)
{
	struct look *l;

	for (; c->turn < PROC_COUNT; c->turn++) {
		l = &c->look[c->turn];
		if (!l->over)
			return;
		xmemstream_end(l->out, &l->text);
		(void)fwrite(l->text, 1, l->len, stdout);
		free(l->text);
	}
	(void)event_base_loopbreak(c->base);
}

static void
end(struct look *l)
{
	if (l->over)
		return;
	l->over = 1;
	flush(l->check);
}

static int
equip(struct look *l)
{
	const struct check *c = l->check;
	int rc = equip_settings(l->control, l->id, c->settings, NULL);

	if (l->id == PROC_FLIGHTSIDE && c->token != NULL)
		rc |= equip_token(l->control, c->token);
	rc |= chan_send(l->control, MSG_CHECK, 0, &(struct body_none){ 0 }, -1);
	chan_run(l->control);
	return rc;
}

static void
take_finding(struct look *l, struct span body)
{
	struct body_finding m;

	if (l->over)
		return;
	if (body_finding_get(body, &m) == -1 || m.level >= FINDING_LEVELS) {
		say(l, "sent a malformed finding");
		end(l);
		return;
	}
	on_finding(&m, l);
}

/* Shown with -v only; the last error says why a worker ended. */
static void
take_log(struct look *l, struct span body)
{
	struct body_log m;

	if (body_log_get(body, &m) == -1)
		return;
	if (m.level == LOG_LEVEL_ERROR)
		memcpy(l->last, m.text, sizeof(l->last));
	if (log_debugging())
		(void)relog_frame(&l->relog, l->id, body, now_read().boot_ms);
}

static void
on_frame(struct chan *control, struct frame *f, void *arg)
{
	struct look *l = arg;

	(void)control;
	switch ((int)f->type) {
	case MSG_HELLO:
		if (equip(l) == -1) {
			say(l, "its settings could not be sent");
			end(l);
		}
		break;
	case MSG_FINDING:
		take_finding(l, f->body);
		break;
	case MSG_LOG:
		take_log(l, f->body);
		break;
	case MSG_READY:
		end(l);
		break;
	default: /* no PING, no LINK: nothing else is an answer */
		break;
	}
}

/* When it has ended and all that it said has been read. */
static void
gone(struct look *l)
{
	if (l->control != NULL || l->pid != 0 || l->over)
		return;
	say(l, l->how);
	end(l);
}

static void
kill_worker(const struct look *l)
{
	spawn_signal(l->pid, spawn_uid(l->check->settings, l->id), SIGKILL);
}

static void
on_closed(struct chan *control, const char *text, void *arg)
{
	struct look *l = arg;

	if (strncmp(text, "closed by peer", 14) != 0)
		(void)snprintf(l->last, sizeof(l->last), "%s", text);
	/* One that is about to end does so as it would. */
	if (l->pid != 0)
		kill_worker(l);
	chan_free(control);
	l->control = NULL;
	gone(l);
}

static void
bury(struct look *l, int status)
{
	const char *failure = spawn_failure(status);

	l->pid = 0;
	if (failure != NULL)
		(void)snprintf(l->how, sizeof(l->how), "%s", failure);
	else if (WIFSIGNALED(status))
		(void)snprintf(l->how, sizeof(l->how),
		    "ended by signal %d (%s)", WTERMSIG(status),
		    strsignal(WTERMSIG(status)));
	else
		(void)snprintf(l->how, sizeof(l->how), "ended with status %d",
		    WEXITSTATUS(status));
	gone(l);
}

static void
on_child(evutil_socket_t sig, short what, void *arg)
{
	struct check *c = arg;
	struct look *l;
	int status;
	pid_t pid;

	(void)sig, (void)what;
	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		EACH_WORKER(l, c)
			if (l->pid == pid)
				bury(l, status);
}

static void
on_late(evutil_socket_t fd, short what, void *arg)
{
	struct check *c = arg;
	struct look *l;
	char text[64];

	(void)fd, (void)what;
	(void)snprintf(text, sizeof(text), "not at an end after %d s",
	    c->seconds);
	EACH_WORKER(l, c)
		if (!l->over) {
			say(l, text);
			end(l);
		}
}

static void
start(struct look *l)
{
	static const struct chan_ops ops = { on_frame, on_closed, NULL };
	const struct settings *s = l->check->settings;
	struct why why;
	int fd[2];

	relog_init(&l->relog, now_read().boot_ms);
	if (link_make(fd, &why) == -1) {
		say(l, why.text);
		end(l);
		return;
	}
	l->pid = spawn_worker(l->id, spawn_uid(s, l->id), fd[1], &why);
	if (l->pid == -1) {
		l->pid = 0;
		close(fd[0]);
		say(l, why.text);
		end(l);
		return;
	}
	l->control =
	    chan_open(l->check->base, fd[0], PROC_SUPERVISOR, l->id, &ops, l);
}

/* They have nothing to finish; one that the kernel holds is left to it. */
static void
stop(struct check *c)
{
	int64_t end = now_read().boot_ms + END_MS;
	struct look *l;

	EACH_WORKER(l, c) {
		chan_free(l->control);
		if (l->pid != 0)
			kill_worker(l);
	}
	EACH_WORKER(l, c)
		while (l->pid != 0 && waitpid(l->pid, NULL, WNOHANG) == 0 &&
		    now_read().boot_ms < end)
			(void)poll(NULL, 0, 10);
}

static int
seconds(const struct settings *s)
{
	struct fleet_node nodes[MAX_NODES];
	struct why why;
	int n = settings_nodes(s, nodes, MAX_NODES, &why);

	return CHECK_S + (n > FEW_NODES ? (n - FEW_NODES) * NODE_S : 0);
}

static void
look(struct check *c)
{
	struct event *child = xevent_signal(c->base, SIGCHLD, on_child, c);
	struct event *late = xevent_timer(c->base, on_late, c);
	struct look *l;

	xevent_add(child);
	xevent_in(late, c->seconds * 1000);
	EACH_WORKER(l, c)
		if (c->only == PROC_SUPERVISOR || c->only == l->id)
			start(l);
		else
			end(l);
	if (c->turn < PROC_COUNT)
		(void)event_base_dispatch(c->base);
	stop(c);
	event_free(child);
	event_free(late);
}

int
check_run(const struct settings *s, const struct secret *token, enum proc only)
{
	struct check c = { .settings = s,
		.token = token,
		.only = only,
		.seconds = seconds(s) };
	enum proc i;

	if ((c.base = event_base_new()) == NULL)
		errx(EX_OSERR, "event_base_new failed");
	for (i = PROC_SUPERVISOR; i < PROC_COUNT; i++) {
		c.look[i].check = &c;
		c.look[i].id = i;
		c.look[i].out = open_memstream(&c.look[i].text, &c.look[i].len);
		if (c.look[i].out == NULL)
			errx(EX_OSERR, "open_memstream failed");
	}
	finding_set_sink(on_finding, &c.look[PROC_SUPERVISOR]);
	check_host(s, only);
	finding_set_sink(NULL, NULL);
	end(&c.look[PROC_SUPERVISOR]);
	(void)fflush(stdout);
	look(&c);
	event_base_free(c.base);
	(void)printf("%u ok, %u warnings, %u failed\n", c.found[FINDING_OK],
	    c.found[FINDING_WARN], c.found[FINDING_FAIL]);
	if (fflush(stdout) == EOF)
		err(EX_IOERR, "standard output");
	return c.found[FINDING_FAIL] > 0 ? EXIT_FAILURE : EX_OK;
}
