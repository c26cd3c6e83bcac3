/* SPDX-License-Identifier: ISC */
#ifndef T_IT_GOLDEN_DIFF_H
#define T_IT_GOLDEN_DIFF_H

/*
 * A recorded answer against a live one.  What the server chose by itself
 * (uids, resourceVersions, continue tokens, generated names) is learned from
 * the first pair in which it is seen, and must stay the same from then on;
 * moments it wrote down itself may differ.  All else is compared, values too.
 */

struct json_object;
struct golden_names;

struct golden_names *golden_names_new(void);
void golden_names_free(struct golden_names *);

/*
 * A recorded text as this server knows it: the caller's.  A resourceVersion
 * never seen becomes that of the nearest one seen before it.
 */
char *golden_translate(const struct golden_names *, const char *name,
    const char *text);
/* A copy of a request's body with all of its names translated. */
struct json_object *golden_translate_tree(const struct golden_names *,
    struct json_object *);

/* where: "/body/spec/nodeName"; what: "missing", "extra", "type", "value". */
typedef void golden_found(const char *where, const char *what,
    struct json_object *recorded, struct json_object *live, void *);
void golden_diff(struct golden_names *, struct json_object *recorded,
    struct json_object *live, golden_found *, void *);

#endif
