/* SPDX-License-Identifier: ISC */
/* captured_never.c: what no device's spec may hold, whoever asked for it. */
#include "t/it/captured_never.h"

#include <string.h>

#include "common/auto.h"
#include "common/jread.h" /* AUTO_JSON */
#include "t/it/flight.h"
#include "t/it/it.h"
#include "t/it/js.h"

/* What no spec may hold, whoever asked for it. */
static const char *const never[] = { "--privileged", "--pid=host", "Volume=/",
	"Network=host", "SYS_ADMIN", "unconfined", "EnvironmentFile",
	"ExecStartPre", "evil.example", "docker.io:5000", "..", "libraryevil",
	"type=bind", ".kube", ".image", "/etc/" };

unsigned int
captured_never(void)
{
	AUTO_JSON struct json_object *set = flight_devices();
	struct json_object *device;
	struct lh_entry *at = NULL;
	unsigned int bad = 0, looked = 0;
	size_t i;

	while (js_next(set, &at, NULL, &device)) {
		AUTO_FREE char *text = js_text(device, "/spec");

		looked += strstr(text, "\"applications\"") != NULL;
		for (i = 0; i < sizeof(never) / sizeof(never[0]); i++)
			if (strstr(text, never[i]) != NULL) {
				it_say("%s", never[i]);
				bad++;
			}
	}
	if (looked == 0)
		it_say("no device has an application to look at");
	return looked == 0 ? 1 : bad;
}
