/* SPDX-License-Identifier: ISC */
/*
 * main.c: the placer.
 *
 * Owns what is opened before the sandbox closes: the database.  Never holds a
 * credential, never opens anything later.
 */
#include <event2/event.h>
#include <stdlib.h>

#include "common/boot.h"
#include "common/log.h"
#include "common/sandbox.h"
#include "placer/check.h"
#include "placer/control.h"
#include "placer/http.h"
#include "placer/serve.h"
#include "placer/store.h"
#include "placer/store_beat.h"

static struct event_base *loop;
static struct store *store;
static struct serve *serve;
static struct http *http;
static struct control *control;
static const char *group;	/* its number; the settings', "": none */
static const char *status_page; /* the settings' */

static int
start(struct event_base *base, const struct settings *set, struct why *why)
{
	struct store_found found;

	loop = base;
	group = set->text[SET_CONTROL_GROUP];
	status_page = set->text[SET_STATUS_PAGE];
	store_beat(boot_beat);
	store = store_open(set->text[SET_STATE_DIR], &found, why);
	if (store == NULL)
		return -1;
	if (found.set_aside)
		log_warn("%s/placer.db: %s: it is kept as placer.db.set-aside "
			 "and rebuilt from the apiserver and Flightctl",
		    set->text[SET_STATE_DIR], found.why.text);
	else if (found.version != 0 && found.version != found.ours)
		log_info("%s/placer.db was of version %d and is now of %d",
		    set->text[SET_STATE_DIR], found.version, found.ours);
	if ((serve = serve_new(base, set, store, why)) == NULL)
		return -1;
	return 0;
}

static void
run(void)
{
	serve_missing(serve, sandbox_missing());
}

static void
link_came(enum proc peer, int fd)
{
	serve_link(serve, peer, fd);
}

static enum order_verdict
order(void *arg, const struct order *o, char text[MAX_TEXT])
{
	return serve_order(arg, o, text);
}

static void
listener_came(enum listener what, int fd)
{
	const struct command from = { .world = serve_world(serve),
		.store = store,
		.order = order,
		.log_level = boot_log_level,
		.arg = serve };

	if (what == LISTENER_CONTROL) {
		control = control_new(loop, fd, &from);
		if (*group != '\0')
			control_group(control, (gid_t)strtoul(group, NULL, 10));
	} else
		http = http_new(loop, fd, serve_world(serve), status_page);
}

static void
crew(const struct body_crew *m)
{
	serve_crew(serve, m);
}

static void
trouble(const struct body_trouble *m)
{
	serve_trouble(serve, m);
}

static void
reload(const struct settings *set)
{
	serve_reload(serve, set);
}

static void
stop(void)
{
	event_base_loopbreak(loop);
}

static void
end(void)
{
	control_free(control);
	http_free(http);
	serve_free(serve);
	store_close(store);
}

int
main(void)
{
	static const struct worker_ops ops = {
		.start = start,
		.check = check_begin,
		.run = run,
		.link = link_came,
		.listener = listener_came,
		.crew = crew,
		.trouble = trouble,
		.reload = reload,
		.stop = stop,
		.end = end,
	};

	return boot_worker(PROC_PLACER, &ops);
}
