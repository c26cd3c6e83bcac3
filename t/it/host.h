/* SPDX-License-Identifier: ISC */
#ifndef T_IT_HOST_H
#define T_IT_HOST_H

/*
 * A gateway host: this machine's own Debian, booted by systemd as another
 * machine with a disk in memory.  Its loopback is the scenario's, which is in
 * a network of its own from host_prepare() on: servers are started after it.
 */

/* 0: it cannot be here, which is said as skipped. */
int host_prepare(void);

/* Before host_boot(): the file is there, as /root/NAME. */
void host_put(const char *file, const char *name);
void host_boot(void);

/* A shell command there: its status; all that it prints is in host_said(). */
int host_sh(const char *, ...) __attribute__((format(printf, 1, 2)));
const char *host_said(void); /* without the last newline, until the next */

/* The same until its status is 0, or ms have passed: its status. */
int host_await(int ms, const char *, ...) __attribute__((format(printf, 2, 3)));

/* Its plug is pulled. */
void host_down(void);

#endif
