/* SPDX-License-Identifier: ISC */
/*
 * quickstart: what vk-flightctl-quickstart(7) says is typed into a shell, as an
 * ordinary user, on the real servers, and what it says is seen.  Only what the
 * page calls the reader's own is ours, and a device loses its agent by what
 * stands here in place of ssh.
 */
#include <sys/socket.h>
#include <sys/stat.h>

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/auto.h"
#include "common/xmem.h"
#include "t/it/child.h"
#include "t/it/it.h"
#include "t/it/kube.h"
#include "t/it/page.h"
#include "t/it/silence.h"
#include "t/it/world.h"

#define PAGE "man/vk-flightctl-quickstart.7"
#define MARK "@@ it is over: "

enum {
	DEVICES = 4,
	STEP_MS = 700000,
	NOBODY = 65534,
};

static struct {
	int fd; /* of the shell's input and output */
	char *home;
} shell;

/* --- a shell ----------------------------------------------------------------
 */

/* A copy that the ordinary user may read. */
static char *
copy(const char *from, const char *name)
{
	char *to = xasprintf("%s/%s", shell.home, name);
	AUTO_FREE char *text = from == NULL ? NULL : it_file(from, NULL);

	if (text == NULL)
		it_die("%s: cannot be read", from == NULL ? name : from);
	it_write(to, text);
	if (geteuid() == 0 && chown(to, NOBODY, NOBODY) == -1)
		it_die("%s: cannot be given away", to);
	return to;
}

static void
begin_shell(void)
{
	AUTO_FREE char *bin = child_program(""), *path = NULL;
	AUTO_FREE char *kubectl = xstrdup(getenv("KUBECTL"));
	int fd[2];

	shell.home = xasprintf("%s/home", it_folder());
	*strrchr(kubectl, '/') = '\0';
	path = xasprintf("%s:%s:%s", bin, kubectl, getenv("PATH"));
	if (mkdir(shell.home, 0755) == -1 || chmod(it_folder(), 0755) == -1 ||
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd) == -1)
		it_die("no folder, or no socket");
	if (geteuid() == 0 && chown(shell.home, NOBODY, NOBODY) == -1)
		it_die("%s: cannot be given away", shell.home);
	shell.fd = fd[0];
	switch (fork()) {
	case -1:
		it_die("fork failed");
	case 0:
		if (clearenv() == -1 || setenv("PATH", path, 1) == -1 ||
		    setenv("HOME", shell.home, 1) == -1 ||
		    setenv("LC_ALL", "C", 1) == -1 || chdir(shell.home) == -1 ||
		    (geteuid() == 0 &&
			(setgid(NOBODY) == -1 || setuid(NOBODY) == -1)) ||
		    dup2(fd[1], STDIN_FILENO) == -1 ||
		    dup2(fd[1], STDOUT_FILENO) == -1 ||
		    dup2(fd[1], STDERR_FILENO) == -1)
			_exit(127);
		execlp("bash", "bash", "--norc", (char *)NULL);
		_exit(127);
	default:
		close(fd[1]);
	}
}

static void
type(const char *text)
{
	size_t len = strlen(text), done = 0;
	ssize_t n;

	while (done < len) {
		if ((n = write(shell.fd, text + done, len - done)) <= 0)
			it_die("the shell is gone");
		done += (size_t)n;
	}
}

/* What it prints until the line with our mark, without that: the caller's. */
static char *
hear(int ms)
{
	struct pollfd pfd = { .fd = shell.fd, .events = POLLIN };
	int64_t since = it_ms();
	size_t len = 0, size = 4096;
	char *text = xcalloc(1, size), *mark = NULL;
	ssize_t n;

	while (
	    (mark = strstr(text, MARK)) == NULL || strchr(mark, '\n') == NULL) {
		if (poll(&pfd, 1, ms - (int)(it_ms() - since)) < 1)
			it_die("it does not end: %s", text);
		if (len + 1 == size) {
			text = xreallocarray(text, size, 2);
			size *= 2;
		}
		n = read(shell.fd, text + len, size - len - 1);
		if (n <= 0)
			it_die("the shell has ended: %s", text);
		len += (size_t)n;
		text[len] = '\0';
	}
	*mark = '\0';
	return text;
}

/*
 * Without the lines that kubectl's library logs while it begins a watch anew:
 * a letter, month and day (I1127).
 */
static void
drop_log_lines(char *text)
{
	char *line = text, *end;

	while (*line != '\0') {
		end = line + strcspn(line, "\n");
		end += *end == '\n';
		if (strchr("IWE", *line) != NULL &&
		    strspn(line + 1, "0123456789") == 4)
			memmove(line, end, strlen(end) + 1);
		else
			line = end;
	}
}

static char *
say(const char *command)
{
	AUTO_FREE char *line =
	    xasprintf("%s\nprintf '\\n" MARK "%%s\\n' $?\n", command);
	char *text;

	type(line);
	text = hear(STEP_MS);
	drop_log_lines(text);
	return text;
}

/* --- what is not the page's
 * --------------------------------------------------- */

static char *
variable(const char *name)
{
	AUTO_FREE char *line = xasprintf("printf %%s \"$%s\"", name);

	return say(line);
}

static void
device_loses_its_agent(const char *command)
{
	AUTO_FREE char *device = variable("DEVICE");

	device[strcspn(device, "\n")] = '\0';
	if (strstr(command, " stop ") != NULL)
		silence(&(char *const){ device }, 1);
	else
		silence_ends(&(char *const){ device }, 1);
}

/* The reader's own: "export NAME=" and where it is here. */
static const struct {
	const char *name;
	const char *given; /* by the servers, as this; NULL: our sources */
	const char *file;  /* a copy of that name; NULL: itself */
} own[] = {
	{ "KUBECONFIG", "KUBE_ADMIN_CONFIG", "admin.kubeconfig" },
	{ "FLIGHTCTL_API_URL", "FLIGHTCTL_API_URL", NULL },
	{ "FLIGHTCTL_CA_FILE", "FLIGHTCTL_CA_FILE", "flightctl-ca.crt" },
	{ "FLIGHTCTL_AUTH_TOKEN_FILE", "FLIGHTCTL_AUTH_TOKEN_FILE",
	    "flightctl.token" },
	{ "DEPLOY", NULL, NULL },
};

/* What is typed in place of it; the caller's, NULL: it itself. */
static char *
instead(const char *command)
{
	size_t i, n = sizeof(own) / sizeof(own[0]);

	for (i = 0; i < n; i++) {
		AUTO_FREE char *start = xasprintf("export %s=", own[i].name);
		AUTO_FREE char *value = NULL;
		const char *given =
		    own[i].given == NULL ? NULL : getenv(own[i].given);

		if (strncmp(command, start, strlen(start)) != 0)
			continue;
		if (own[i].file != NULL)
			value = copy(given, own[i].file);
		else
			value = given != NULL ? xstrdup(given) :
						child_source("deploy");
		return xasprintf("%s%s", start, value);
	}
	return NULL;
}

/* --- each step
 * ------------------------------------------------------------------ */

static void
step(const struct page_step *s)
{
	AUTO_FREE char *other = instead(s->command), *seen = NULL;
	int64_t since = it_ms();

	if (strncmp(s->command, "ssh ", 4) == 0) {
		device_loses_its_agent(s->command);
		return;
	}
	seen = say(other == NULL ? s->command : other);
	if (!it_took(since, page_agrees(s->output, seen), "%s", s->title)) {
		it_say("the page says:\n%s", s->output);
		it_say("the shell says:\n%s", seen);
		it_die("what follows would differ, too");
	}
}

static void
scenario(void)
{
	AUTO_FREE char *source = child_source(PAGE), *text = NULL;
	struct page_step *steps;
	size_t i, n;

	if (world_kind() == WORLD_SIM) {
		it_skip("no kubectl, no controllers");
		return;
	}
	if ((text = it_file(source, NULL)) == NULL)
		it_die("%s: cannot be read", source);
	n = page_steps(text, &steps);
	it_ok(n > 30, "%s has %zu steps", PAGE, n);
	world_open(&(struct world_conf){ .devices = DEVICES });
	begin_shell();
	for (i = 0; i < n; i++)
		step(&steps[i]);
	page_free(steps, n);
	close(shell.fd);
	free(shell.home);
}

int
main(void)
{
	return it_run("quickstart", scenario);
}
