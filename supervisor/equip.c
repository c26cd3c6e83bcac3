/* SPDX-License-Identifier: ISC */
/*
 * equip.c: what a worker is given before it may begin.
 *
 * Owns who gets which setting; never keeps one.
 */
#include "supervisor/equip.h"

#include <stdio.h>

int
equip_setting(struct chan *control, const struct settings *s, enum setting i)
{
	struct body_config m = { 0 };

	(void)snprintf(m.name, sizeof(m.name), "%s", settings_name(i));
	(void)snprintf(m.value, sizeof(m.value), "%s", s->text[i]);
	return chan_send(control, MSG_CONFIG, 0, &m, -1);
}

int
equip_worker(struct chan *control, const struct settings *s,
    const struct secret *token)
{
	enum proc who = chan_peer(control);
	struct body_token t;
	enum setting i;
	int rc = 0;

	for (i = 0; i < SET_COUNT; i++)
		if (settings_is_for(i, who))
			rc |= equip_setting(control, s, i);
	if (who == PROC_FLIGHTSIDE && token != NULL) {
		t.token = secret_bytes(token);
		rc |= chan_send(control, MSG_TOKEN, 0, &t, -1);
	}
	return rc;
}
