/* SPDX-License-Identifier: ISC */
/*
 * flightrig.c: flightside against flightsim in one process.  Owns the child,
 * its folder and the far end of the link.
 */
#include "t/unit/flightrig.h"

#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <bsd/string.h>
#include <criterion/criterion.h>
#include <event2/event.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/auto.h"
#include "common/log.h"
#include "common/mono.h"
#include "common/xmem.h"
#include "flightside/serve.h"

int64_t
rig_ms(void)
{
	return now_read().boot_ms;
}

static void
on_tick(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what, (void)arg;
}

void
rig_turn(struct rig *r)
{
	static const struct timeval tick = { 0, 20000 };
	struct event *ev = evtimer_new(r->base, on_tick, NULL);

	evtimer_add(ev, &tick);
	event_base_loop(r->base, EVLOOP_ONCE);
	event_free(ev);
}

/* -- the simulator -- */

/* build/V/bin/flightsim, from build/V/t/unit/this. */
static char *
sim_program(void)
{
	AUTO_FREE char *self = realpath("/proc/self/exe", NULL);
	int up;

	for (up = 0; up < 3; up++)
		*strrchr(self, '/') = '\0';
	return xasprintf("%s/bin/flightsim", self);
}

static void
sim_exec(const struct rig *r, const char *const options[])
{
	AUTO_FREE char *program = sim_program();
	AUTO_FREE char *log = xasprintf("%s/log", r->dir);
	AUTO_FREE char *ports = xasprintf("%s/ports", r->dir);
	const char *argv[32] = { program, "--dir", r->dir, "--port-file",
		ports };
	size_t n = 5;

	/* A test that fails ends without rig_end(). */
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);

	while (*options != NULL && n < 31)
		argv[n++] = *options++;
	if (freopen(log, "w", stderr) == NULL ||
	    freopen(log, "a", stdout) == NULL)
		_exit(126);
	execv(program, (char *const *)(uintptr_t)argv);
	_exit(127);
}

static int
exists(const struct rig *r, const char *name)
{
	AUTO_FREE char *path = xasprintf("%s/%s", r->dir, name);
	struct stat st;

	return stat(path, &st) == 0;
}

char *
rig_tell(struct rig *r, const char *fmt, ...)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	AUTO_FREE char *command = NULL;
	char *answer;
	va_list ap;
	size_t len = 0, size = 1024 * 1024;
	ssize_t n;
	int fd;

	va_start(ap, fmt);
	command = xvasprintf(fmt, ap);
	va_end(ap);
	answer = xcalloc(1, size);
	snprintf(sun.sun_path, sizeof(sun.sun_path), "%s/control", r->dir);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	cr_assert_eq(connect(fd, (struct sockaddr *)&sun, sizeof(sun)), 0);
	cr_assert_eq(dprintf(fd, "%s\n", command), (int)strlen(command) + 1);
	while (memchr(answer, '\n', len) == NULL &&
	    (n = read(fd, answer + len, size - 1 - len)) > 0)
		len += (size_t)n;
	close(fd);
	cr_assert(strncmp(answer, "ok", 2) == 0, "%s: %s", command, answer);
	memmove(answer, answer + 2 + (answer[2] == ' '),
	    strlen(answer + 2 + (answer[2] == ' ')) + 1);
	return answer;
}

unsigned int
rig_count(struct rig *r, const char *what)
{
	AUTO_FREE char *counts = rig_tell(r, "counts");
	AUTO_FREE char *key = xasprintf("\"%s\":", what);
	const char *at = strstr(counts, key);

	return at == NULL ? 0 :
			    (unsigned int)strtoul(at + strlen(key), NULL, 10);
}

/* -- the link -- */

static void
keep_device(struct rig_seen *s, uint64_t id, const struct body_device *m)
{
	const char *at = memmem(m->object.p, m->object.len, "\"name\":\"", 8);

	free(s->last);
	s->last = xstrndup(m->object.p, m->object.len);
	s->last_len = m->object.len;
	if (id != 0) {
		s->read++;
		return;
	}
	cr_assert_lt(s->nlisted, RIG_NAMES);
	at = strstr(s->last, "\"resourceVersion\"");
	while (strncmp(at, "\"name\":\"", 8) != 0)
		at--;
	at += 8;
	(void)strlcpy(s->listed[s->nlisted], at, MAX_NAME + 1);
	*strchr(s->listed[s->nlisted], '"') = '\0';
	s->nlisted++;
}

static void
on_frame(struct chan *c, struct frame *f, void *arg)
{
	struct rig *r = arg;
	struct rig_seen *s = &r->seen;
	struct body_devices devices;
	struct body_device device;
	struct body_flight_state state;

	(void)c;
	if (f->type == MSG_DEVICES_BEGIN) {
		s->begins++;
		s->nlisted = s->nbad = 0;
	} else if (f->type == MSG_DEVICES_END) {
		cr_assert_eq(body_devices_get(f->body, &devices), 0);
		s->ends++;
		s->complete += devices.complete;
	} else if (f->type == MSG_DEVICE) {
		cr_assert_eq(body_device_get(f->body, &device), 0);
		keep_device(s, f->id, &device);
	} else if (f->type == MSG_DEVICE_BAD)
		cr_assert_eq(body_device_bad_get(f->body, &s->bad[s->nbad++]),
		    0);
	else if (f->type == MSG_FLIGHT_STATE) {
		cr_assert_eq(body_flight_state_get(f->body, &state), 0);
		s->state = (int)state.state;
		s->rate = state.rate;
		(void)strlcpy(s->state_text, state.text, sizeof(s->state_text));
	} else if (f->type == MSG_DONE) {
		s->done_id[s->ndone] = f->id;
		cr_assert_eq(body_done_get(f->body, &s->done[s->ndone++]), 0);
	} else if (f->type == MSG_CHANGED) {
		s->changed_id[s->nchanged] = f->id;
		cr_assert_eq(body_changed_get(f->body,
				 &s->changed[s->nchanged++]),
		    0);
	}
}

static void
on_closed(struct chan *c, const char *text, void *arg)
{
	(void)c, (void)arg;
	cr_assert_fail("link: %s", text);
}

void
rig_link(struct rig *r)
{
	static const struct chan_ops ops = { on_frame, on_closed, NULL };
	struct body_cluster m = { .cluster = RIG_CLUSTER };
	struct why why;
	int fds[2];

	if (r->serve == NULL)
		r->serve = serve_new(r->base, &r->settings,
		    (struct span){ NULL, 0 }, &why);
	cr_assert_not_null(r->serve, "%s", why.text);
	cr_assert_eq(socketpair(AF_UNIX,
			 SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds),
	    0);
	chan_free(r->placer);
	r->placer =
	    chan_open(r->base, fds[0], PROC_PLACER, PROC_FLIGHTSIDE, &ops, r);
	serve_link(r->serve, fds[1]);
	(void)chan_send(r->placer, MSG_CLUSTER, 0, &m, -1);
}

void
rig_restart(struct rig *r)
{
	chan_free(r->placer);
	r->placer = NULL;
	serve_free(r->serve);
	r->serve = NULL;
	free(r->seen.last);
	memset(&r->seen, 0, sizeof(r->seen));
	r->seen.state = -1;
	rig_link(r);
}

const struct body_changed *
rig_changed(const struct rig *r, uint64_t id)
{
	size_t i;

	for (i = 0; i < r->seen.nchanged; i++)
		if (r->seen.changed_id[i] == id)
			return &r->seen.changed[i];
	return NULL;
}

const struct body_done *
rig_done(const struct rig *r, uint64_t id)
{
	size_t i;

	for (i = 0; i < r->seen.ndone; i++)
		if (r->seen.done_id[i] == id)
			return &r->seen.done[i];
	return NULL;
}

const struct body_device_bad *
rig_bad(const struct rig *r, const char *name)
{
	size_t i;

	for (i = 0; i < r->seen.nbad; i++)
		if (strcmp(r->seen.bad[i].name, name) == 0)
			return &r->seen.bad[i];
	return NULL;
}

uint64_t
rig_change(struct rig *r, const char *device, const char *created,
    int64_t for_ms, unsigned int company_ms, const char *edit)
{
	struct body_change m = { .company_ms = company_ms };
	uint64_t id = chan_next_id(r->placer);

	m.until_boot = (uint64_t)(rig_ms() + for_ms);
	(void)strlcpy(m.device, device, sizeof(m.device));
	(void)strlcpy(m.created, created, sizeof(m.created));
	m.edit = span_of(edit);
	cr_assert_eq(chan_send(r->placer, MSG_CHANGE, id, &m, -1), 0);
	return id;
}

uint64_t
rig_read(struct rig *r, const char *names, enum read_for what_for)
{
	struct body_read m = { .what_for = what_for };
	uint64_t id = chan_next_id(r->placer);

	m.names = span_of(names);
	cr_assert_eq(chan_send(r->placer, MSG_READ, id, &m, -1), 0);
	return id;
}

/* -- life -- */

void
rig_set(struct rig *r, enum setting which, const char *value)
{
	struct why why;

	cr_assert_eq(settings_set(&r->settings, which, value, &why), 0, "%s",
	    why.text);
}

static char *
first_word(const struct rig *r, const char *name)
{
	AUTO_FREE char *path = xasprintf("%s/%s", r->dir, name);
	char word[32] = "";
	FILE *f = fopen(path, "r");

	cr_assert_not_null(f);
	cr_assert_eq(fscanf(f, "%31s", word), 1);
	fclose(f);
	return xstrdup(word);
}

void
rig_start(struct rig *r, const char *const options[])
{
	const char *tmp = getenv("TMPDIR");
	AUTO_FREE char *port = NULL;
	AUTO_FREE char *url = NULL;
	AUTO_FREE char *ca = NULL;
	AUTO_FREE char *token = NULL;

	memset(r, 0, sizeof(*r));
	r->seen.state = -1;
	log_init("rig");
	if (getenv("RIG_DEBUG") == NULL)
		log_set_level(LOG_LEVEL_ERROR);
	else
		log_set_level(LOG_LEVEL_DEBUG);
	r->base = event_base_new();
	snprintf(r->dir, sizeof(r->dir), "%.40s/flightrig.XXXXXX",
	    tmp != NULL ? tmp : "/tmp");
	cr_assert_not_null(mkdtemp(r->dir));
	signal(SIGPIPE, SIG_IGN);
	if ((r->sim = fork()) == 0)
		sim_exec(r, options);
	RIG_UNTIL(r, exists(r, "control"));
	port = first_word(r, "ports");
	url = xasprintf("https://127.0.0.1:%s", port);
	ca = xasprintf("%s/ca.crt", r->dir);
	token = xasprintf("%s/provider.token", r->dir);
	settings_init(&r->settings);
	rig_set(r, SET_FLIGHTCTL_API_URL, url);
	rig_set(r, SET_FLIGHTCTL_CA_FILE, ca);
	rig_set(r, SET_FLIGHTCTL_AUTH_TOKEN_FILE, token);
	rig_set(r, SET_FLIGHTCTL_RATE, "100000");
	rig_set(r, SET_CHANGE_RATE, "100000");
}

void
rig_end(struct rig *r)
{
	AUTO_FREE char *rm = xasprintf("rm -rf %s", r->dir);
	int status;

	serve_free(r->serve);
	chan_free(r->placer);
	settings_free(&r->settings);
	event_base_free(r->base);
	free(r->seen.last);
	kill(r->sim, SIGTERM);
	waitpid(r->sim, &status, 0);
	cr_assert_eq(system(rm), 0);
}
