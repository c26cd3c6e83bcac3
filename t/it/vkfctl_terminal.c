/* SPDX-License-Identifier: ISC */
/*
 * vkfctl_terminal: an order on a terminal asks first, and only a yes is one.
 */
#include <sys/wait.h>

#include <poll.h>
#include <pty.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "common/auto.h"
#include "common/jread.h" /* AUTO_JSON */
#include "common/xmem.h"
#include "t/it/child.h"
#include "t/it/flight.h"
#include "t/it/it.h"
#include "t/it/js.h"
#include "t/it/pod.h"
#include "t/it/provider.h"
#include "t/it/world.h"

enum {
	READY_MS = 30000,
	WAIT_MS = 20000,
	INTERRUPTED = 130,
};

struct screen {
	int fd;
	pid_t pid;
	char text[4096];
	size_t len;
};

static char *path;

/* Until the words are there, or (NULL) the other side has gone. */
static int
shows(struct screen *s, const char *words)
{
	struct pollfd pfd = { .fd = s->fd, .events = POLLIN };
	ssize_t n;

	while (words == NULL || strstr(s->text, words) == NULL) {
		if (poll(&pfd, 1, WAIT_MS) != 1)
			return 0;
		n = read(s->fd, s->text + s->len, sizeof(s->text) - 1 - s->len);
		if (n <= 0) /* EIO: nobody has the terminal any more */
			return words == NULL;
		s->len += (size_t)n;
		s->text[s->len] = '\0';
	}
	return 1;
}

static struct screen
open_screen(const char *word, const char *name)
{
	AUTO_FREE char *program = child_program("vkfctl");
	const char *argv[] = { program, "-s", path, word, name, NULL };
	struct screen s = { .fd = -1 };

	if ((s.pid = forkpty(&s.fd, NULL, NULL, NULL)) == -1)
		it_die("no terminal");
	if (s.pid == 0) {
		execv(program, (char *const *)(uintptr_t)argv);
		_exit(127);
	}
	return s;
}

static int
close_screen(struct screen *s)
{
	int status;

	if (!shows(s, NULL))
		it_die("vkfctl does not end: %s", s->text);
	close(s->fd);
	if (waitpid(s->pid, &status, 0) != s->pid)
		it_die("vkfctl is lost");
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) :
				     WEXITSTATUS(status);
}

/* What it says at the end, and its status, when these keys are the answer. */
static void
answers(const char *device, const char *keys, size_t n, int want,
    const char *text)
{
	struct screen s = open_screen("drain", device);
	int status;

	if (!shows(&s, "Sure? [y/N] "))
		it_die("no question: %s", s.text);
	it_ok(strstr(s.text, device) != NULL, "it says what it would do");
	if (write(s.fd, keys, n) != (ssize_t)n)
		it_die("no keys");
	status = close_screen(&s);
	it_ok(status == want && strstr(s.text, text) != NULL,
	    "after \"%.*s\": status %d, %s", (int)strcspn(keys, "\n\3\4"), keys,
	    status, text);
}

static int
is_drained(const char *device)
{
	AUTO_FREE char *out = NULL, *program = child_program("vkfctl");
	const char *argv[] = { program, "-s", path, "-o", "json", "explain",
		"device", device, NULL };

	return child_run(argv, &out) == EX_OK &&
	    strstr(out, "\"verdict\":\"drained\"") != NULL;
}

static void
look_at(const char *device)
{
	static const char none[] = "not confirmed, nothing is done";
	struct screen s;

	answers(device, "n\n", 2, EX_NOPERM, none);
	answers(device, "\n", 1, EX_NOPERM, none);
	answers(device, "Yes, but\n", 9, EX_NOPERM, none);
	answers(device, "\4", 1, EX_NOPERM, none);
	answers(device, "y\4\4", 3, EX_NOPERM, none);
	answers(device, "\3", 1, INTERRUPTED, "Sure? [y/N] ");
	it_ok(!is_drained(device), "none of these does it");
	answers(device, "yes\n", 4, EX_OK, "done");
	it_ok(is_drained(device), "a yes does it");
	s = open_screen("drain", device);
	it_ok(close_screen(&s) == EX_OK && strstr(s.text, "already") != NULL &&
		strstr(s.text, "Sure?") == NULL,
	    "what holds already is not asked about");
	s = open_screen("undrain", device);
	it_ok(shows(&s, "Sure? ") && write(s.fd, "y\n", 2) == 2 &&
		close_screen(&s) == EX_OK && !is_drained(device),
	    "a y is a yes");
	s = open_screen("drain", "nobody");
	it_ok(close_screen(&s) == EX_NOINPUT && strstr(s.text, "Sure?") == NULL,
	    "nor is what is not there");
}

static void
scenario(void)
{
	AUTO_JSON struct json_object *node = NULL, *set = NULL;
	struct json_object *value;
	struct lh_entry *at = NULL;
	const char *device;
	struct provider *p;

	world_open(&(struct world_conf){ .devices = 1 });
	path = xasprintf("%s/provider/control.sock", it_folder());
	p = provider_start("provider", NULL);
	if ((node = node_is_ready(READY_MS)) == NULL)
		return;
	set = flight_devices();
	if (!js_next(set, &at, &device, &value))
		it_die("no device");
	look_at(device);
	provider_judge(p);
	it_ok(provider_stop(p) == 0, "the provider ends by SIGTERM");
	free(path);
}

int
main(void)
{
	return it_run("vkfctl-terminal", scenario);
}
