/* SPDX-License-Identifier: ISC */
#ifndef T_SIM_FLIGHT_QUADLET_H
#define T_SIM_FLIGHT_QUADLET_H

/*
 * What the service itself refuses in the files of a quadlet application
 * (much less than a device does: edge_app.h).  Pure.
 */

#include <stddef.h>

struct json_object;
struct out;

/* Lines of errors, each with its line end, added to *errors. */
void flight_check_files(struct out *errors, struct json_object *files);

/* One line of errors. */
void flight_error(struct out *errors, const char *, ...)
    __attribute__((format(printf, 2, 3)));

/* A reference with its registry: "quay.io/a/b:1". */
int flight_is_image(const char *);

#define FLIGHT_IMAGE_RULE                                                     \
	"((?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])(?:[.](?:"       \
	"[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9]))*(?::[0-9]+)?"      \
	"\\/[a-z0-9]+(?:(?:(?:[._]|__|[-]*)[a-z0-9]+)+)?(?:\\/[a-z0-9]+"      \
	"(?:(?:(?:[._]|__|[-]*)[a-z0-9]+)+)?)*)(?:\\:([\\w][\\w.-]{0,127}))?" \
	"(?:\\@([A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*[:]"       \
	"[[:xdigit:]]{32,}))?"

#endif
