/* SPDX-License-Identifier: ISC */
/*
 * main.c: the worker that speaks to Flightctl and holds its token.
 *
 * Owns the start and the end; serve.c has the rest.  Chooses no device and
 * writes nothing but entries with our mark (admit.c).
 */
#include <event2/event.h>
#include <string.h>

#include "common/boot.h"
#include "common/secret.h"
#include "flightside/check.h"
#include "flightside/serve.h"

static struct {
	struct event_base *base;
	struct serve *serve;
	struct secret *token; /* FLIGHTCTL_AUTH_TOKEN, until start() */
} worker;

static void
on_token(struct span token)
{
	secret_free(worker.token);
	worker.token = secret_new(token);
}

static int
on_start(struct event_base *base, const struct settings *s, struct why *why)
{
	struct span token = { NULL, 0 };

	worker.base = base;
	if (worker.token != NULL)
		token = secret_bytes(worker.token);
	worker.serve = serve_new(base, s, token, why);
	secret_free(worker.token);
	worker.token = NULL;
	return worker.serve == NULL ? -1 : 0;
}

static void
on_check(struct event_base *base, const struct settings *s)
{
	struct span token = { NULL, 0 };

	if (worker.token != NULL)
		token = secret_bytes(worker.token);
	check_begin(base, s, token);
}

static void
on_run(void)
{
}

static void
on_link(enum proc peer, int fd)
{
	(void)peer; /* the supervisor links us with nobody else */
	serve_link(worker.serve, fd);
}

static void
on_reload(const struct settings *s)
{
	serve_reload(worker.serve, s);
}

/*
 * A write under way is not waited for: it is stored or it is not, and whoever
 * comes next reads first.
 */
static void
on_stop(void)
{
	event_base_loopbreak(worker.base);
}

static void
on_free(void)
{
	check_end();
	serve_free(worker.serve);
	secret_free(worker.token);
}

int
main(void)
{
	static const struct worker_ops ops = {
		.start = on_start,
		.check = on_check,
		.run = on_run,
		.link = on_link,
		.token = on_token,
		.reload = on_reload,
		.stop = on_stop,
		.end = on_free,
	};

	return boot_worker(PROC_FLIGHTSIDE, &ops);
}
