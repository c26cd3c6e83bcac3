/* SPDX-License-Identifier: ISC */
#ifndef T_IT_EDGE_H
#define T_IT_EDGE_H

/*
 * What scenarios on real devices (make check-edge) share.  One device is there
 * when they begin: "the device".
 */

struct provider;

/*
 * Opens the world and starts the provider with these settings (NULL: none);
 * NULL: there is no real device, which is said as skipped, or the node is not
 * Ready, which is a check that failed.
 */
struct provider *edge_open(const char *const *settings);

/* What a shell command in the device prints, without its last newlines. */
char *edge_sh(const char *, ...) __attribute__((format(printf, 1, 2)));

/* What the others call it: for edge_sh_on() and such. */
const char *edge_name(void);

/* Its cable plugged in, or out. */
void edge_cable(int in);
void edge_cable_of(const char *name, int in);

/*
 * Its cable is out, and Flightctl calls it disconnected within a minute, as
 * it would after five.
 */
void edge_lose(const char *name);

/* It boots; returns when it is up again. */
void edge_reboot(void);

/*
 * Another device of the fleet, Online when edge_up() returns; t/edge/run ends
 * it when edge_down() did not.
 */
void edge_up(const char *name);
void edge_down(const char *name);

/* As edge_sh(), in the device of that name. */
char *edge_sh_on(const char *name, const char *, ...)
    __attribute__((format(printf, 2, 3)));

/* Checks that no container, volume, mark nor unit of ours is left there. */
void edge_is_empty(const char *name);

/* All pods go, nothing of them is left on the device; the provider ends. */
void edge_close(struct provider *);

#endif
