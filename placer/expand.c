/* SPDX-License-Identifier: ISC */
/*
 * expand.c: Kubernetes' $(NAME), k8s.io/kubernetes third_party/forked/golang/
 * expansion.
 *
 * Owns the syntax.  Never knows where a variable comes from.
 */
#include "placer/expand.h"

#include <stdlib.h>
#include <string.h>

#include "common/auto.h"
#include "common/xmem.h"

static const char *
value_of(const struct expand_var *vars, size_t n, const char *unknown,
    const char *name, size_t len)
{
	while (n-- > 0)
		if (strlen(vars[n].name) == len &&
		    memcmp(vars[n].name, name, len) == 0)
			return vars[n].value;
	return unknown;
}

/*
 * What stands for the text at s, and how many of its bytes that covers.  A
 * lone $ and an open $( stand for themselves.
 */
static const char *
piece(const char *s, const struct expand_var *vars, size_t n,
    const char *unknown, size_t *covers, size_t *len)
{
	const char *value;

	*len = *covers = strcspn(s, "$");
	if (*len > 0)
		return s;
	*covers = 2;
	*len = 1;
	if (s[1] == '$')
		return s;
	if (s[1] == '(' && strchr(s, ')') != NULL) {
		*len = *covers = (size_t)(strchr(s, ')') - s) + 1;
		value = value_of(vars, n, unknown, s + 2, *covers - 3);
		if (value == NULL)
			return s;
		*len = strlen(value);
		return value;
	}
	*len = *covers = s[1] == '\0' ? 1 : 2;
	return s;
}

char *
expand(const char *s, const struct expand_var *vars, size_t n,
    const char *unknown, size_t max, struct why *why)
{
	AUTO_FREE char *out = xstrdup("");
	const char *p;
	size_t covers, len, total = 0;

	for (; *s != '\0'; s += covers) {
		p = piece(s, vars, n, unknown, &covers, &len);
		if (len > max || total > max - len) {
			fail(why, ERR_LIMIT, "over %zu bytes once expanded",
			    max);
			return NULL;
		}
		out = xreallocarray(out, total + len + 1, 1);
		memcpy(out + total, p, len);
		total += len;
		out[total] = '\0';
	}
	return steal(&out);
}
