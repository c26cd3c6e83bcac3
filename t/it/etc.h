/* SPDX-License-Identifier: ISC */
#ifndef T_IT_ETC_H
#define T_IT_ETC_H

/*
 * Both simulators by a name, and files of ours in place of /etc/hosts and
 * /etc/resolv.conf, which say where that is.
 */

#define ETC_NAME "sims.test" /* both simulators' certificates have it */
#define ETC_LOCAL "127.0.0.1 localhost "

/* Root, who may mount. */
int etc_can_set_apart(void);

/* "hosts" or "resolv.conf" of our folder, as it is from now on. */
void etc_write(const char *file, const char *text);

/*
 * This process and its children see those of that folder; with a network of
 * their own, of loopback alone.
 */
void etc_set_apart(const char *folder, int network);

/* Settings that have the name instead of the number; the caller's. */
char *etc_flight(void);
char *etc_kube(void);

#endif
