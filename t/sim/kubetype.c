/* SPDX-License-Identifier: ISC */
/*
 * kubetype.c: the tables made of kubetype.def (pure).
 *
 * Owns what each word of the .def means; kubeenc.c is who reads the tables.
 */

#include "t/sim/kubetype.h"

#include <string.h>

#define FIELD(n, k, e, t, key, go) { #n, k, e, t, key, go },
#define STR(n) FIELD(n, K_STRING, KEEP_SET, NULL, NULL, "string")
#define STR_A(n) FIELD(n, K_STRING, KEEP_ALWAYS, NULL, NULL, "string")
#define NSTR(n, t) FIELD(n, K_STRING, KEEP_SET, NULL, NULL, "v1." #t)
#define NSTR_A(n, t) FIELD(n, K_STRING, KEEP_ALWAYS, NULL, NULL, "v1." #t)
#define INT(n) FIELD(n, K_INT, KEEP_SET, NULL, NULL, "int32")
#define INT_A(n) FIELD(n, K_INT, KEEP_ALWAYS, NULL, NULL, "int32")
#define PINT(n) FIELD(n, K_INT, KEEP_PRESENT, NULL, NULL, "int32")
#define LONG(n) FIELD(n, K_LONG, KEEP_SET, NULL, NULL, "int64")
#define LONG_A(n) FIELD(n, K_LONG, KEEP_ALWAYS, NULL, NULL, "int64")
#define PLONG(n) FIELD(n, K_LONG, KEEP_PRESENT, NULL, NULL, "int64")
#define BOOL(n) FIELD(n, K_BOOL, KEEP_SET, NULL, NULL, "bool")
#define BOOL_A(n) FIELD(n, K_BOOL, KEEP_ALWAYS, NULL, NULL, "bool")
#define PBOOL(n) FIELD(n, K_BOOL, KEEP_PRESENT, NULL, NULL, "bool")
#define TIME(n) FIELD(n, K_TIME, KEEP_SET, NULL, NULL, "string")
#define TIME_A(n) FIELD(n, K_TIME, KEEP_ALWAYS, NULL, NULL, "string")
#define MTIME(n) FIELD(n, K_MICROTIME, KEEP_SET, NULL, NULL, "string")
#define MTIME_A(n) FIELD(n, K_MICROTIME, KEEP_ALWAYS, NULL, NULL, "string")
#define QTY(n) FIELD(n, K_QUANTITY, KEEP_PRESENT, NULL, NULL, "string")
#define QTY_A(n) FIELD(n, K_QUANTITY, KEEP_ALWAYS, NULL, NULL, "string")
#define IOS(n) FIELD(n, K_INT_OR_STRING, KEEP_ALWAYS, NULL, NULL, "string")
#define MAP(n) FIELD(n, K_MAP_STRING, KEEP_SET, NULL, NULL, "map[string]string")
#define BMAP(n) \
	FIELD(n, K_MAP_BYTES, KEEP_SET, NULL, NULL, "map[string][]uint8")
#define QMAP(n) \
	FIELD(n, K_MAP_QUANTITY, KEEP_SET, NULL, NULL, "v1.ResourceList")
#define OBJ(n, t) FIELD(n, K_OBJECT, KEEP_PRESENT, &type_##t, NULL, "v1." #t)
#define OBJ_A(n, t) FIELD(n, K_OBJECT, KEEP_ALWAYS, &type_##t, NULL, "v1." #t)
#define LIST(n, t, key) FIELD(n, K_LIST, KEEP_SET, &type_##t, key, "[]v1." #t)
#define LIST_A(n, t, key) \
	FIELD(n, K_LIST, KEEP_ALWAYS, &type_##t, key, "[]v1." #t)
#define STRS(n) FIELD(n, K_STRINGS, KEEP_SET, NULL, NULL, "[]string")
#define STRM(n) FIELD(n, K_STRINGS_SET, KEEP_SET, NULL, NULL, "[]string")
#define ANY(n) FIELD(n, K_ANY, KEEP_PRESENT, NULL, NULL, "any")
#define DROP(n) FIELD(n, K_DROP, KEEP_SET, NULL, NULL, "any")
/* Said by the resource, not kept with each object. */
#define KIND DROP(kind) DROP(apiVersion)

#define KTYPE(name, ...) static const struct ktype type_##name;
#include "t/sim/kubetype.def"
#undef KTYPE

#define KTYPE(name, ...)                                                \
	static const struct kfield fields_##name[] = { __VA_ARGS__ };   \
	static const struct ktype type_##name = { #name, fields_##name, \
		sizeof(fields_##name) / sizeof(fields_##name[0]) };
#include "t/sim/kubetype.def"
#undef KTYPE

#define KTYPE(name, ...) &type_##name,
static const struct ktype *const types[] = {
#include "t/sim/kubetype.def"
};
#undef KTYPE

const struct ktype *
ktype_find(const char *name)
{
	size_t i;

	for (i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (strcmp(types[i]->name, name) == 0)
			return types[i];
	return NULL;
}

const struct kfield *
ktype_field(const struct ktype *type, const char *name)
{
	size_t i;

	for (i = 0; i < type->n; i++)
		if (strcmp(type->fields[i].name, name) == 0)
			return &type->fields[i];
	return NULL;
}
