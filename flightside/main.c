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
#include "flightside/serve.h"

static struct {
	struct event_base *base;
	struct serve *serve;
	struct secret *token; /* FLIGHTCTL_AUTH_TOKEN, until start() */
} main_;

static void
on_token(struct span token)
{
	secret_free(main_.token);
	main_.token = secret_new(token);
}

static int
on_start(struct event_base *base, const struct settings *s, struct why *why)
{
	struct span token = { NULL, 0 };

	main_.base = base;
	if (main_.token != NULL)
		token = secret_bytes(main_.token);
	main_.serve = serve_new(base, s, token, why);
	secret_free(main_.token);
	main_.token = NULL;
	return main_.serve == NULL ? -1 : 0;
}

static void
on_run(void)
{
}

static void
on_link(enum proc peer, int fd)
{
	(void)peer; /* the supervisor links us with nobody else */
	serve_link(main_.serve, fd);
}

static void
on_reload(const struct settings *s)
{
	serve_reload(main_.serve, s);
}

/*
 * A write under way is not waited for: it is stored or it is not, and whoever
 * comes next reads first.
 */
static void
on_stop(void)
{
	event_base_loopbreak(main_.base);
}

int
main(void)
{
	static const struct worker_ops ops = {
		.start = on_start,
		.run = on_run,
		.link = on_link,
		.token = on_token,
		.reload = on_reload,
		.stop = on_stop,
	};
	int status = boot_worker(PROC_FLIGHTSIDE, &ops);

	serve_free(main_.serve);
	secret_free(main_.token);
	return status;
}
