/* SPDX-License-Identifier: ISC */
/*
 * main.c: vk-flightctl-provider, the supervisor.
 *
 * Owns the command line, the settings, the one secret that may come in the
 * environment, and signals.  Never parses anything from outside but these.
 */
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <err.h>
#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "common/log.h"
#include "common/secret.h"
#include "common/settings.h"
#include "common/xevent.h"
#include "ipc/build.h"
#include "supervisor/check.h"
#include "supervisor/crew.h"
#include "supervisor/house.h"
#include "supervisor/journal.h"
#include "supervisor/notify.h"
#include "supervisor/ping.h"
#include "supervisor/relog.h"
#include "supervisor/spawn.h"

#define DEFAULT_FILE "/etc/vk-flightctl-provider.conf"

enum {
	TOKEN_MAX = 16384, /* BODY_token */
};

struct supervisor {
	struct event_base *base;
	struct settings settings;
	struct secret *token; /* NULL: none came in the environment */
	const char *file;     /* NULL: none */
	int verbose;
	int stopping;
	enum proc only; /* PROC_SUPERVISOR: all workers */
	int asks;	/* --ping: one setting will do */
	struct crew *crew;
	struct notify *notify;
	struct ping *ping;
	struct relog own; /* our own log lines */
};

static void
usage(FILE *f)
{
	(void)fprintf(f,
	    "usage: vk-flightctl-provider [-nv] [-f file] [--only worker]\n"
	    "       vk-flightctl-provider [-v] [-f file] [--only worker]"
	    " --check\n"
	    "       vk-flightctl-provider [-f file] --ping\n"
	    "       vk-flightctl-provider --help | --version\n"
	    "\n"
	    "Runs the pods of virtual Kubernetes nodes on the edge devices of"
	    " Flightctl fleets.\n"
	    "  -f file    settings, NAME=value a line (" DEFAULT_FILE
	    " if it exists);\n"
	    "             the environment comes first\n"
	    "  -n         check the settings, print them, and stop\n"
	    "  -v         as LOG_LEVEL=debug\n"
	    "  --check    say what is reachable, allowed and missing, with the"
	    " commands\n"
	    "             that mend it; write nothing, and stop\n"
	    "  --only worker  just kubeside, flightside or placer, as in a"
	    " container of a Pod\n"
	    "  --ping     whether the workers of the one that runs here"
	    " answer\n"
	    "See vk-flightctl-provider.conf(5) for the settings.\n");
}

/*
 * FLIGHTCTL_AUTH_TOKEN is in sight of whoever may read our environment: keep
 * it elsewhere, wipe it there.
 */
static struct secret *
take_token(void)
{
	static const char name[] = "FLIGHTCTL_AUTH_TOKEN";
	struct secret *token = NULL;
	struct span value;
	char *p;

	if ((p = getenv(name)) == NULL)
		return NULL;
	value = span_of(p);
	if (value.len > TOKEN_MAX)
		errx(EX_CONFIG, "%s: must be at most %d bytes", name,
		    TOKEN_MAX);
	if (value.len > 0)
		token = secret_new(value);
	explicit_bzero(p, value.len);
	(void)unsetenv(name);
	return token;
}

static int
read_settings(struct supervisor *s, struct settings *set, struct why *why)
{
	settings_init(set);
	if (settings_env(set, environ, why) == -1 ||
	    (s->file != NULL && settings_file(set, s->file, why) == -1) ||
	    (s->verbose &&
		settings_set(set, SET_LOG_LEVEL, "debug", why) == -1) ||
	    house_users(set, why) == -1 ||
	    (!s->asks && settings_check(set, s->only, why) == -1) ||
	    house_group(set, why) == -1) {
		settings_free(set);
		return -1;
	}
	return 0;
}

static void
set_log(const struct settings *set)
{
	log_set_level(level_by_name(set->text[SET_LOG_LEVEL]));
}

static void
open_log(const struct settings *set)
{
	const char *format = set->text[SET_LOG_FORMAT];
	int must = strcmp(format, "journal") == 0;

	log_set_json(strcmp(format, "text") != 0);
	if ((must ||
		(strcmp(format, "auto") == 0 && journal_is(STDERR_FILENO))) &&
	    journal_start(JOURNAL_SOCKET) == -1)
		log_line(LOG_LEVEL_WARN,
		    &(struct log_about){ .operation = "start",
			.error = strerror(errno) },
		    "no journal at %s: lines are JSON on standard error until "
		    "there is one",
		    JOURNAL_SOCKET);
}

/* Whatever the level is and was, that it changed is said. */
static void
change_level(struct supervisor *s, enum log_level level, const char *by)
{
	const char *name = level_name(level);
	struct why why;

	if (strcmp(s->settings.text[SET_LOG_LEVEL], name) == 0 ||
	    settings_set(&s->settings, SET_LOG_LEVEL, name, &why) == -1)
		return;
	log_set_level(LOG_LEVEL_INFO);
	log_line(LOG_LEVEL_INFO, &(struct log_about){ .operation = "log" },
	    "LOG_LEVEL=%s by %s, until SIGHUP or a restart", name, by);
	set_log(&s->settings);
	crew_config(s->crew, SET_LOG_LEVEL);
}

static void
on_log_level(void *arg, enum log_level level, uint32_t uid)
{
	char by[32];

	(void)snprintf(by, sizeof(by), "uid %u", uid);
	change_level(arg, level, by);
}

/* SIGUSR1: one level more, SIGUSR2: one less. */
static void
on_usr(evutil_socket_t sig, short what, void *arg)
{
	struct supervisor *s = arg;
	enum log_level now = level_by_name(s->settings.text[SET_LOG_LEVEL]);

	(void)what;
	if (sig == SIGUSR1 && now < LOG_LEVEL_DEBUG)
		change_level(s, now + 1, "SIGUSR1");
	if (sig == SIGUSR2 && now > LOG_LEVEL_ERROR)
		change_level(s, now - 1, "SIGUSR2");
}

static int
print_settings(struct supervisor *s)
{
	struct fleet_node nodes[MAX_NODES];
	struct why why;
	int i, n;

	settings_print(&s->settings, stdout);
	if (s->token != NULL)
		(void)printf("# FLIGHTCTL_AUTH_TOKEN is given\n");
	n = settings_nodes(&s->settings, nodes, MAX_NODES, &why);
	for (i = 0; i < n; i++)
		(void)printf("# node %s: %s%s\n", nodes[i].node,
		    nodes[i].fleet[0] == '\0' ? "all devices" : "fleet ",
		    nodes[i].fleet);
	if (fflush(stdout) == EOF)
		err(EX_IOERR, "standard output");
	return EX_OK;
}

static void
on_ready(void *arg)
{
	struct supervisor *s = arg;

	log_info("all workers are ready");
	notify_ready(s->notify);
}

static void
on_heard(void *arg)
{
	struct supervisor *s = arg;

	ping_look(s->ping);
}

static void
on_gone(void *arg)
{
	struct supervisor *s = arg;
	const struct timeval last_words = { 0, 50000 };

	/* What the workers logged at the end is still on its way. */
	if (event_base_loopexit(s->base, &last_words) == -1)
		event_base_loopbreak(s->base);
}

static void
on_stop(evutil_socket_t sig, short what, void *arg)
{
	struct supervisor *s = arg;

	(void)what;
	if (s->stopping)
		return;
	s->stopping = 1;
	log_info("stopping: %s", strsignal(sig));
	notify_stopping(s->notify);
	crew_stop(s->crew);
}

static void
on_child(evutil_socket_t sig, short what, void *arg)
{
	struct supervisor *s = arg;

	(void)sig, (void)what;
	crew_reap(s->crew);
}

static void
on_hup(evutil_socket_t sig, short what, void *arg)
{
	uint8_t changed[SET_COUNT] = { 0 };
	struct supervisor *s = arg;
	struct settings fresh;
	enum setting i;
	struct why why;

	(void)sig, (void)what;
	if (read_settings(s, &fresh, &why) == -1) {
		log_line(LOG_LEVEL_ERROR,
		    &(struct log_about){ .operation = "reload",
			.error = why.text },
		    "settings stay as they are");
		crew_reload(s->crew, changed);
		return;
	}
	for (i = 0; i < SET_COUNT; i++) {
		if (strcmp(fresh.text[i], s->settings.text[i]) == 0)
			continue;
		if (!settings_reloads(i)) {
			log_warn("%s has changed and needs a restart",
			    settings_name(i));
			continue;
		}
		if (settings_set(&s->settings, i, fresh.text[i], &why) == -1)
			continue;
		changed[i] = 1;
		log_info("%s=%s", settings_name(i), fresh.text[i]);
	}
	settings_free(&fresh);
	set_log(&s->settings);
	crew_reload(s->crew, changed);
}

static void
run(struct supervisor *s, const struct house *house)
{
	static const struct crew_ops ops = { on_ready, on_gone, on_heard,
		on_log_level };
	const struct crew_conf conf = { &s->settings, s->token, house->listener,
		s->only, house->meet };
	struct event *signals[6];
	size_t i;

	if ((s->base = event_base_new()) == NULL)
		errx(EX_OSERR, "event_base_new failed");
	s->notify = notify_new(s->base);
	s->crew = crew_new(s->base, &conf, &ops, s);
	s->ping = ping_new(s->base, house->ping, s->crew);
	signals[0] = xevent_signal(s->base, SIGTERM, on_stop, s);
	signals[1] = xevent_signal(s->base, SIGINT, on_stop, s);
	signals[2] = xevent_signal(s->base, SIGHUP, on_hup, s);
	signals[3] = xevent_signal(s->base, SIGCHLD, on_child, s);
	signals[4] = xevent_signal(s->base, SIGUSR1, on_usr, s);
	signals[5] = xevent_signal(s->base, SIGUSR2, on_usr, s);
	for (i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		xevent_add(signals[i]);
	(void)event_base_dispatch(s->base);
	for (i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		event_free(signals[i]);
	ping_free(s->ping);
	crew_free(s->crew);
	notify_free(s->notify);
	event_base_free(s->base);
}

/* What other programs take from the environment. */
static void
say_proxies(void)
{
	static const char *const names[] = { "HTTPS_PROXY", "https_proxy",
		"ALL_PROXY", "all_proxy" };
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (getenv(names[i]) != NULL)
			log_warn("%s is not used: the proxy to the apiserver "
				 "is the kubeconfig's proxy-url, and to "
				 "Flightctl there must be a way without one",
			    names[i]);
}

static int
start(struct supervisor *s)
{
	struct house house;
	int status = EX_OK;
	struct why why;

	log_info("vk-flightctl-provider %s, build %s", build_version, build_id);
	if (s->token != NULL)
		log_warn("FLIGHTCTL_AUTH_TOKEN came in the environment and "
			 "was wiped there; FLIGHTCTL_AUTH_TOKEN_FILE keeps it "
			 "out of it");
	say_proxies();
	if (geteuid() != 0 && s->only == PROC_SUPERVISOR)
		log_warn("not root: all workers run as one user and are not "
			 "kept from each other's secrets by it");
	if (house_open(&house, &s->settings, s->only, &why) == -1) {
		log_line(LOG_LEVEL_ERROR,
		    &(struct log_about){ .operation = "start",
			.error = why.text },
		    "it cannot start");
		/* The settings have their form: it may do another time. */
		status = EX_OSERR;
	} else {
		run(s, &house);
	}
	house_close(&house, &s->settings);
	if (status == EX_OK)
		log_info("stopped");
	return status;
}

static int
ask(struct supervisor *s)
{
	char text[MAX_TEXT];

	if (ping_ask(s->settings.text[SET_PING_SOCKET], text, sizeof(text)) ==
	    0)
		return EX_OK;
	(void)fprintf(stderr, "vk-flightctl-provider: %s\n", text);
	return EXIT_FAILURE;
}

static enum proc
worker_named(const char *name)
{
	enum proc p = proc_by_name(name);

	if (p != PROC_COUNT && p != PROC_SUPERVISOR)
		return p;
	(void)fprintf(stderr,
	    "vk-flightctl-provider: --only %s: must be kubeside, flightside "
	    "or placer\n",
	    name);
	exit(EX_USAGE);
}

/* Its findings say all that is known; -v shows how they came about. */
static int
check(struct supervisor *s)
{
	if (!s->verbose)
		log_set_level(LOG_LEVEL_ERROR);
	return check_run(&s->settings, s->token, s->only);
}

/* Also opens descriptors 0-2, so that no link gets one of these numbers. */
static void
confine(void)
{
	static const struct rlimit none = { 0, 0 };
	int fd;

	do {
		if ((fd = open("/dev/null", O_RDWR)) == -1)
			err(EX_OSERR, "/dev/null");
	} while (fd <= STDERR_FILENO);
	close(fd);
	(void)umask(022);
	(void)signal(SIGPIPE, SIG_IGN);
	if (setrlimit(RLIMIT_CORE, &none) == -1 ||
	    prctl(PR_SET_DUMPABLE, 0) == -1 ||
	    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1)
		err(EX_OSERR, "limits");
}

int
main(int argc, char *argv[])
{
	static const struct option longs[] = {
		{ "check", no_argument, NULL, 'c' },
		{ "help", no_argument, NULL, 'h' },
		{ "only", required_argument, NULL, 'o' },
		{ "ping", no_argument, NULL, 'p' },
		{ "version", no_argument, NULL, 'V' },
		{ 0 },
	};
	int (*job)(struct supervisor *) = start;
	struct supervisor s = { 0 };
	int ch, status;
	struct why why;

	while ((ch = getopt_long(argc, argv, "f:hnv", longs, NULL)) != -1)
		switch (ch) {
		case 'c':
			job = check;
			break;
		case 'f':
			s.file = optarg;
			break;
		case 'h':
			usage(stdout);
			return EX_OK;
		case 'V':
			(void)printf("vk-flightctl-provider %s (build %s)\n",
			    build_version, build_id);
			return EX_OK;
		case 'n':
			job = print_settings;
			break;
		case 'o':
			s.only = worker_named(optarg);
			break;
		case 'p':
			job = ask;
			s.asks = 1;
			break;
		case 'v':
			s.verbose = 1;
			break;
		default:
			usage(stderr);
			return EX_USAGE;
		}
	if (optind < argc) {
		usage(stderr);
		return EX_USAGE;
	}
	confine();
	log_init("supervisor");
	s.token = take_token();
	if (s.file == NULL && access(DEFAULT_FILE, F_OK) == 0)
		s.file = DEFAULT_FILE;
	if (read_settings(&s, &s.settings, &why) == -1) {
		(void)fprintf(stderr, "vk-flightctl-provider: %s\n", why.text);
		return EX_CONFIG;
	}
	set_log(&s.settings);
	open_log(&s.settings);
	relog_own(&s.own);
	status = job(&s);
	journal_end();
	settings_free(&s.settings);
	secret_free(s.token);
	return status;
}
