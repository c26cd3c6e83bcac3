/* SPDX-License-Identifier: ISC */
/*
 * boot.c: the one start sequence of all workers.
 *
 * Owns the control link on fd 3 and the order in which a worker is given
 * what it needs: settings, token, listener, then the sandbox, then links.
 * Knows nothing of what the worker does.
 */
#include "common/boot.h"

#include <sys/prctl.h>
#include <sys/socket.h>

#include <event2/event.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/finding.h"
#include "common/lean.h"
#include "common/log.h"
#include "common/sandbox.h"

enum {
	CONTROL_FD = 3,
	FLUSH_MS = 500,
	EXIT_USAGE = 64,
};

static struct {
	enum proc self;
	const struct worker_ops *ops;
	struct event_base *base;
	struct chan *control;
	struct settings settings;
	int listener[LISTENER_END]; /* 0, or waits for start() */
	unsigned int lost;	    /* log lines the full link did not take */
	int sealed;		    /* a check: the sandbox is closed */
	int checked;		    /* and all was found */
	int status;
	int over;		   /* the loop ends */
	uint64_t link[PROC_COUNT]; /* the number of the last one */
} boot;

static void
send_log(const struct body_log *m, void *arg)
{
	struct chan *c = arg;

	if (chan_is_full(c) || chan_send(c, MSG_LOG, 0, m, -1) == -1)
		boot.lost++;
	/* The next thing may be the end of this process. */
	if (m->level == LOG_LEVEL_ERROR)
		(void)chan_flush(c, FLUSH_MS);
}

static void
on_drained(struct chan *c, void *arg)
{
	unsigned int lost = boot.lost;

	(void)c, (void)arg;
	boot.lost = 0;
	if (lost > 0)
		log_warn("%u log lines were lost", lost);
}

/* Not to standard error, which nobody bounds; what we say of it is no news. */
static void
on_library(int severity, const char *text)
{
	static int within;

	if (within || severity < EVENT_LOG_WARN)
		return;
	within = 1;
	log_warn("libevent: %s", text);
	within = 0;
}

static void
end(int status)
{
	boot.status = status;
	boot.over = 1;
	event_base_loopbreak(boot.base);
}

static void
on_closed(struct chan *c, const char *text, void *arg)
{
	(void)c, (void)arg;
	/* Nobody is there to be told; standard error may be. */
	log_set_sink(NULL, NULL);
	if (strcmp(text, "closed by peer") != 0)
		log_line(LOG_LEVEL_ERROR, &(struct log_about){ .error = text },
		    "the control link is over");
	end(1);
}

static void
set_log_level(void)
{
	log_set_level(level_by_name(boot.settings.text[SET_LOG_LEVEL]));
}

__attribute__((noreturn)) static void
malformed(const struct frame *f)
{
	fatal("malformed %s of supervisor", msg_info(f->type)->name);
}

static void
on_config(const struct frame *f)
{
	struct body_config m;
	enum setting i;
	struct why why;

	if (body_config_get(f->body, &m) == -1)
		abort(); /* the gate has decoded it */
	i = settings_by_name(m.name);
	if (i == SET_COUNT || !settings_is_for(i, boot.self))
		fatal("CONFIG: %s is not for %s", m.name, proc_name(boot.self));
	if (settings_set(&boot.settings, i, m.value, &why) == -1)
		fatal("CONFIG: %s", why.text);
	/* This one needs no RELOAD. */
	if (i == SET_LOG_LEVEL)
		set_log_level();
}

static void
on_token(const struct frame *f)
{
	struct body_token m;

	if (body_token_get(f->body, &m) == -1)
		abort();
	if (boot.ops->token != NULL)
		boot.ops->token(m.token);
}

static void
on_listener(const struct frame *f)
{
	struct body_listener m;

	if (body_listener_get(f->body, &m) == -1 || m.what == 0 ||
	    m.what >= LISTENER_END || boot.listener[m.what] != 0)
		malformed(f);
	boot.listener[m.what] = f->fd;
}

static void
give_listeners(void)
{
	enum listener i;

	for (i = LISTENER_HTTP; i < LISTENER_END; i++) {
		if (boot.listener[i] == 0)
			continue;
		if (boot.ops->listener != NULL)
			boot.ops->listener(i, boot.listener[i]);
		else
			close(boot.listener[i]);
		boot.listener[i] = 0;
	}
}

static void
say_cannot_start(const struct why *why)
{
	log_line(LOG_LEVEL_ERROR,
	    &(struct log_about){ .operation = "start", .error = why->text },
	    "%s cannot start", proc_name(boot.self));
}

static void
cannot_start(const struct why *why)
{
	say_cannot_start(why);
	end(1);
}

static void
on_go(void)
{
	struct why why;

	chan_run(boot.control);
	if (boot.ops->start(boot.base, &boot.settings, &why) == -1) {
		cannot_start(&why);
		return;
	}
	give_listeners();
	if (sandbox_seal(boot.self, &boot.settings, &why) == -1) {
		cannot_start(&why);
		return;
	}
	if (boot.ops->run != NULL)
		boot.ops->run();
	if (chan_send(boot.control, MSG_READY, 0, &(struct body_none){ 0 },
		-1) == -1)
		end(1);
}

static void
send_finding(const struct body_finding *m, void *arg)
{
	/* Without a control link the end is near anyway. */
	(void)chan_send(arg, MSG_FINDING, 0, m, -1);
}

static void
end_check(void)
{
	if (boot.sealed && boot.checked &&
	    chan_send(boot.control, MSG_READY, 0, &(struct body_none){ 0 },
		-1) == -1)
		end(1);
}

void
boot_checked(void)
{
	boot.checked = 1;
	end_check();
}

static void
on_check(void)
{
	char layers[SANDBOX_WORDS];
	struct why why;

	chan_run(boot.control);
	set_log_level();
	finding_set_sink(send_finding, boot.control);
	boot.ops->check(boot.base, &boot.settings);
	if (sandbox_seal(boot.self, &boot.settings, &why) == -1)
		finding(FINDING_FAIL, "sandbox", SANDBOX_MEND, "%s", why.text);
	else if (sandbox_words(layers))
		finding(FINDING_OK, "sandbox", NULL, "uid %u, confined by %s",
		    getuid(), layers);
	else
		finding(FINDING_WARN, "sandbox", SANDBOX_MEND,
		    "uid %u, confined by %s", getuid(), layers);
	boot.sealed = 1;
	end_check();
}

static void
on_link(const struct frame *f)
{
	struct body_link m;

	if (body_link_get(f->body, &m) == -1 || m.peer >= PROC_COUNT)
		malformed(f);
	boot.link[m.peer] = m.number;
	boot.ops->link((enum proc)m.peer, f->fd);
}

static void
on_crew(const struct frame *f)
{
	struct body_crew m;

	if (body_crew_get(f->body, &m) == -1 || m.who == PROC_SUPERVISOR ||
	    m.who >= PROC_COUNT || m.state >= CREW_NSTATES)
		malformed(f);
	if (boot.ops->crew != NULL)
		boot.ops->crew(&m);
}

static void
on_trouble(const struct frame *f)
{
	struct body_trouble m;

	if (body_trouble_get(f->body, &m) == -1 || m.who >= PROC_COUNT)
		malformed(f);
	if (boot.ops->trouble != NULL)
		boot.ops->trouble(&m);
}

static void
on_reload(void)
{
	if (boot.ops->reload != NULL)
		boot.ops->reload(&boot.settings);
}

static void
on_frame(struct chan *c, struct frame *f, void *arg)
{
	(void)arg;
	/* What came before it could end: nothing is there to take it. */
	if (boot.over)
		return;
	switch ((int)f->type) {
	case MSG_CONFIG:
		on_config(f);
		break;
	case MSG_TOKEN:
		on_token(f);
		break;
	case MSG_LISTENER:
		on_listener(f);
		break;
	case MSG_GO:
		on_go();
		break;
	case MSG_CHECK:
		on_check();
		break;
	case MSG_LINK:
		on_link(f);
		break;
	case MSG_CREW:
		on_crew(f);
		break;
	case MSG_TROUBLE:
		on_trouble(f);
		break;
	case MSG_RELOAD:
		on_reload();
		break;
	case MSG_STOP:
		boot.ops->stop();
		break;
	case MSG_PING:
		if (chan_send(c, MSG_PONG, f->id, &(struct body_none){ 0 },
			-1) == -1)
			end(1);
		break;
	default: /* the gate let nothing else through */
		abort();
	}
}

void
boot_beat(void)
{
	/* Whatever is not sent now is sent by the loop. */
	if (chan_send(boot.control, MSG_PONG, 0, &(struct body_none){ 0 },
		-1) == 0)
		(void)chan_flush(boot.control, 0);
}

void
boot_relink(enum proc peer)
{
	struct body_link m = { .peer = (uint32_t)peer,
		.number = boot.link[peer] };

	/* Without a control link the end is near anyway. */
	(void)chan_send(boot.control, MSG_RELINK, 0, &m, -1);
}

void
boot_link_over(enum proc peer, const char *text)
{
	/* Nothing mends that by itself. */
	if (strstr(text, CHAN_FOREIGN) != NULL)
		log_line(LOG_LEVEL_WARN,
		    &(struct log_about){ .operation = "link", .error = text },
		    "no link with %s: another build", proc_name(peer));
	else if (strncmp(text, "refused frame", 13) == 0)
		log_line(LOG_LEVEL_WARN,
		    &(struct log_about){ .operation = "link", .error = text },
		    "%s sent what it may not: the link ends", proc_name(peer));
	else
		log_info("link with %s: %s", proc_name(peer), text);
	boot_relink(peer);
}

int
boot_log_level(enum log_level level, uint32_t uid)
{
	struct body_log_level m = { .level = (uint32_t)level, .uid = uid };
	struct why why;

	if (chan_send(boot.control, MSG_LOG_LEVEL, 0, &m, -1) == -1 ||
	    settings_set(&boot.settings, SET_LOG_LEVEL,
		level_name((uint32_t)level), &why) == -1)
		return -1;
	set_log_level();
	return 0;
}

int
boot_worker(enum proc self, const struct worker_ops *ops)
{
	static const struct chan_ops control_ops = { on_frame, on_closed,
		on_drained };
	socklen_t len = sizeof(int);
	struct why why;
	int type;

	log_init(proc_name(self));
	if (getsockopt(CONTROL_FD, SOL_SOCKET, SO_TYPE, &type, &len) == -1) {
		(void)fprintf(stderr,
		    "%s: is started by "
		    "vk-flightctl-provider, not by hand\n",
		    proc_name(self));
		return EXIT_USAGE;
	}
	/* Executed by descriptor, the name would be a number. */
	(void)prctl(PR_SET_NAME, proc_name(self));
	(void)signal(SIGPIPE, SIG_IGN);
	boot.self = self;
	if (sandbox_early(&why) == -1) {
		say_cannot_start(&why);
		return 1;
	}
	event_set_log_callback(on_library);
	if ((boot.base = event_base_new()) == NULL)
		fatal("event_base_new failed");
	boot.ops = ops;
	settings_init(&boot.settings);
	boot.control = chan_open(boot.base, CONTROL_FD, self, PROC_SUPERVISOR,
	    &control_ops, NULL);
	log_set_sink(send_log, boot.control);
	lean_start(boot.base);
	(void)event_base_dispatch(boot.base);

	if (ops->end != NULL)
		ops->end();
	log_set_sink(NULL, NULL);
	(void)chan_flush(boot.control, FLUSH_MS);
	chan_free(boot.control);
	settings_free(&boot.settings);
	event_base_free(boot.base);
	return boot.status;
}
