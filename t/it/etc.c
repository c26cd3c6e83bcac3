/* SPDX-License-Identifier: ISC */
/*
 * etc.c: names for the simulators.  Owns our copies of the files, and the
 * namespaces in which they are the machine's.
 */
#include "t/it/etc.h"

#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>

#include <err.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/auto.h"
#include "common/xmem.h"
#include "t/it/child.h"
#include "t/it/it.h"

int
etc_can_set_apart(void)
{
	const char *const argv[] = { "unshare", "-m", "-n", "true", NULL };

	return geteuid() == 0 && child_run(argv, NULL) == 0;
}

void
etc_write(const char *file, const char *text)
{
	AUTO_FREE char *path = xasprintf("%s/%s", it_folder(), file);

	it_write(path, text);
}

static void
etc_mount(const char *folder, const char *file)
{
	AUTO_FREE char *from = xasprintf("%s/%s", folder, file);
	AUTO_FREE char *to = xasprintf("/etc/%s", file);

	if (mount(from, to, NULL, MS_BIND, NULL) == -1)
		err(1, "%s", to);
}

static void
loopback_up(void)
{
	struct ifreq lo = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd == -1 || ioctl(fd, SIOCSIFFLAGS, &lo) == -1)
		err(1, "no loopback");
	close(fd);
}

void
etc_set_apart(const char *folder, int network)
{
	if (unshare(CLONE_NEWNS | (network ? CLONE_NEWNET : 0)) == -1 ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == -1)
		err(1, "no mounts of its own");
	if (network)
		loopback_up();
	etc_mount(folder, "hosts");
	etc_mount(folder, "resolv.conf");
}

static char *
by_name(const char *text)
{
	static const char number[] = "127.0.0.1";
	const char *at = text == NULL ? NULL : strstr(text, number);

	if (at == NULL)
		it_die("no %s where a server's address should be", number);
	return xasprintf("%.*s%s%s", (int)(at - text), text, ETC_NAME,
	    at + sizeof(number) - 1);
}

char *
etc_flight(void)
{
	AUTO_FREE char *url = by_name(getenv("FLIGHTCTL_API_URL"));

	return xasprintf("FLIGHTCTL_API_URL=%s", url);
}

char *
etc_kube(void)
{
	AUTO_FREE char *numbered = it_file(getenv("KUBECONFIG"), NULL);
	AUTO_FREE char *text = by_name(numbered);
	AUTO_FREE char *config = xasprintf("%s/by-name", it_folder());

	it_write(config, text);
	return xasprintf("KUBECONFIG=%s", config);
}
