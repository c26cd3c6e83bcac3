/* SPDX-License-Identifier: ISC */
/*
 * host.c: a booted machine for the systemd unit.
 *
 * Owns its folder and namespaces.  The machinery is that of edge devices
 * (t/edge/machine boots it, t/edge/device runs commands in it), the root is
 * this machine's own: what it has written is gone with the scenario.
 */
#include "t/it/host.h"

#include <sys/mount.h>
#include <sys/stat.h>

#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/auto.h"
#include "common/xmem.h"
#include "t/it/child.h"
#include "t/it/it.h"

#define NAME "gateway"

enum {
	BOOT_MS = 30000,
	LOOK_MS = 100,
};

static struct {
	char *dir, *layer; /* below it: what it has over this machine's root */
	char *said;
	pid_t machine;
} host;

/* A root without its own services; 1 and 2: the folders. */
static const char lay[] =
    "set -eu; mkdir -p \"$1/etc/systemd/system\" \"$1/root\" \"$1/usr/sbin\"\n"
    "cd \"$1\"; : >etc/machine-id; echo " NAME " >etc/hostname\n"
    "ln -s /lib/systemd/system/basic.target etc/systemd/system/default.target\n"
    "for u in timers.target dbus.socket dbus.service; do\n"
    "	ln -s /dev/null etc/systemd/system/$u\n"
    "done\n"
    "printf '#!/bin/sh\\nexit 0\\n' >usr/sbin/policy-rc.d\n"
    "chmod 755 usr/sbin/policy-rc.d\n"
    "ip link set lo up\n"
    "mkdir -p /run/netns; mount -t tmpfs none /run/netns\n"
    "ip netns attach " NAME " \"$2\"\n";

static int
is_there(const char *program)
{
	return child_run((const char *[]){ program, "--version", NULL },
		   NULL) == 0;
}

int
host_prepare(void)
{
	AUTO_FREE char *pid = xasprintf("%d", (int)getpid());
	char *out = NULL;

	if (geteuid() != 0 || !is_there("systemd-nspawn") ||
	    access("/lib/systemd/systemd", X_OK) == -1) {
		it_skip("no host is booted here: not root, or no systemd");
		return 0;
	}
	host.dir = xasprintf("%s/host", it_folder());
	if (unshare(CLONE_NEWNS | CLONE_NEWNET) == -1 ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == -1 ||
	    mkdir(host.dir, 0700) == -1 ||
	    mount("none", host.dir, "tmpfs", 0, NULL) == -1) {
		it_skip("no host is booted here: namespaces are refused");
		return 0;
	}
	host.layer = xasprintf("%s/devices/" NAME "/layer", host.dir);
	if (child_run((const char *[]){ "sh", "-c", lay, "sh", host.layer, pid,
			  NULL },
		&out) != 0)
		it_die("no root for a host: %s", out);
	free(out);
	return 1;
}

void
host_put(const char *file, const char *name)
{
	AUTO_FREE char *to = xasprintf("%s/root/%s", host.layer, name);

	if (child_run((const char *[]){ "cp", file, to, NULL }, NULL) != 0)
		it_die("%s: cannot be copied to %s", file, to);
}

__attribute__((format(printf, 1, 0))) static int
run(const char *fmt, va_list ap)
{
	AUTO_FREE char *device = child_source("t/edge/device");
	AUTO_FREE char *command = xvasprintf(fmt, ap);
	size_t len;
	int status;

	free(host.said);
	status = child_run((const char *[]){ device, "sh", host.dir, NAME,
			       command, NULL },
	    &host.said);
	for (len = strlen(host.said); len > 0 && host.said[len - 1] == '\n';)
		host.said[--len] = '\0';
	return status;
}

int
host_sh(const char *fmt, ...)
{
	va_list ap;
	int status;

	va_start(ap, fmt);
	status = run(fmt, ap);
	va_end(ap);
	return status;
}

const char *
host_said(void)
{
	return host.said;
}

int
host_await(int ms, const char *fmt, ...)
{
	int64_t deadline = it_ms() + ms;
	va_list ap;
	int status;

	for (;;) {
		va_start(ap, fmt);
		status = run(fmt, ap);
		va_end(ap);
		if (status == 0 || it_ms() > deadline)
			return status;
		it_pause(LOOK_MS);
	}
}

void
host_boot(void)
{
	AUTO_FREE char *machine = child_source("t/edge/machine");
	AUTO_FREE char *dir = xasprintf("%s/devices/" NAME, host.dir);
	AUTO_FREE char *log = xasprintf("%s/host.log", it_folder());
	const char *argv[] = { "unshare", "-m", "--propagation", "private",
		machine, dir, NAME, NAME, "/", host.layer, NULL };

	host.machine = child_start(argv, NULL, log);
	if (host_await(BOOT_MS, "systemctl is-active basic.target") != 0)
		it_die("the host does not boot: %s", host.said);
}

void
host_down(void)
{
	child_end(host.machine);
}
