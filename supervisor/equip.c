/* SPDX-License-Identifier: ISC */
/*
 * equip.c: sends a worker what it is entitled to.
 *
 * Owns which frames say it.  Decides nothing: who gets which setting is
 * settings.def's, who gets the rest crew.c's.
 */
#include "supervisor/equip.h"

#include <fcntl.h>
#include <stdio.h>

#include "ipc/chan.h"

int
equip_settings(struct chan *control, enum proc p, const struct settings *s,
    const uint8_t *changed)
{
	enum setting i;
	int rc = 0;

	for (i = 0; i < SET_COUNT; i++) {
		struct body_config m = { 0 };

		if (!settings_is_for(i, p) || (changed != NULL && !changed[i]))
			continue;
		(void)snprintf(m.name, sizeof(m.name), "%s", settings_name(i));
		(void)snprintf(m.value, sizeof(m.value), "%s", s->text[i]);
		rc |= chan_send(control, MSG_CONFIG, 0, &m, -1);
	}
	return rc;
}

int
equip_token(struct chan *control, const struct secret *token)
{
	struct body_token m = { .token = secret_bytes(token) };

	return chan_send(control, MSG_TOKEN, 0, &m, -1);
}

/* Copies: a worker that comes anew gets them again. */
int
equip_listeners(struct chan *control, const int *listeners)
{
	struct body_listener m = { 0 };
	int fd, rc = 0;

	for (m.what = LISTENER_HTTP; m.what < LISTENER_END; m.what++) {
		if (listeners[m.what] == -1)
			continue;
		if ((fd = fcntl(listeners[m.what], F_DUPFD_CLOEXEC, 0)) == -1)
			return -1;
		rc |= chan_send(control, MSG_LISTENER, 0, &m, fd);
	}
	return rc;
}
