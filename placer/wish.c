/* SPDX-License-Identifier: ISC */
/*
 * wish.c: what a pod wishes of its device.
 *
 * Owns the annotations that say which device and how long a lost one is waited
 * for, and what comes of a wrong wish: terms an apiserver has admitted,
 * annotations people type.  Never chooses: that is pick's.
 */
#include "placer/wish.h"

#include <string.h>

#include "common/duration.h"
#include "common/limits.h"
#include "placer/selector.h"

#define ANNOTATION_DEVICE "vk.flightctl.io/device"
#define ANNOTATION_SELECTOR "vk.flightctl.io/device-selector"
#define ANNOTATION_RECONNECT "vk.flightctl.io/reconnect-timeout"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

enum {
	RECONNECT_MIN_MS = 60 * 1000,
	RECONNECT_MAX_MS = 30 * 60 * 1000,
};

static int
build_required(struct block *b, const struct wish_lists *from, struct wish *w,
    struct why *why)
{
	size_t i;

	w->nrequired = jread_count(from->required);
	w->required = block_get(b, w->nrequired, sizeof(*w->required));
	for (i = 0; i < w->nrequired; i++)
		if (selector_of_term(b, jread_item(from->required, i),
			"spec.affinity.nodeAffinity.required", &w->required[i],
			why) == -1)
			return -1;
	return 0;
}

static int
build_preferred(struct block *b, const struct wish_lists *from, struct wish *w,
    struct why *why)
{
	struct {
		int64_t weight;
		struct json_object *term;
	} one = { 0 };
	static const struct jread_field fields[] = {
		JINT(__typeof__(one), weight, "weight", 100, REQUIRED),
		JOBJ(__typeof__(one), term, "preference", REQUIRED),
	};
	const char *at = "spec.affinity.nodeAffinity.preferred";
	size_t i;

	w->npreferred = jread_count(from->preferred);
	w->preferred = block_get(b, w->npreferred, sizeof(*w->preferred));
	for (i = 0; i < w->npreferred; i++) {
		if (jread_fields(jread_item(from->preferred, i), at, fields,
			COUNT(fields), &one, why) == -1 ||
		    selector_of_term(b, one.term, at, &w->preferred[i], why) ==
			-1)
			return -1;
		w->preferred[i].weight = (int32_t)one.weight;
	}
	return 0;
}

static const char *
annotation(const struct wish_lists *from, const char *key)
{
	return jread_string(jread_member(from->annotations, key));
}

static void
complain(struct why *complaint, const char *key, const char *value,
    const char *text)
{
	fail(complaint, ERR_DENIED, "metadata.annotations[%s]: \"%.100s\": %s",
	    key, value, text);
}

static int
build_terms(struct block *b, const struct wish_lists *from, struct pod *pod,
    struct why *why, struct why *complaint)
{
	const char *selector = annotation(from, ANNOTATION_SELECTOR);
	const char *device = annotation(from, ANNOTATION_DEVICE);
	struct why wrong = { 0 };
	struct wish *w;

	if (selector == NULL && device == NULL && from->required == NULL &&
	    from->preferred == NULL && from->selector == NULL)
		return 0;
	w = pod->wish = block_get(b, 1, sizeof(*w));
	if (selector_of_map(b, from->selector, "spec.nodeSelector",
		&w->selector, why) == -1 ||
	    build_required(b, from, w, why) == -1 ||
	    build_preferred(b, from, w, why) == -1)
		return -1;
	if (device != NULL && (*device == '\0' || strlen(device) > MAX_NAME))
		complain(complaint, ANNOTATION_DEVICE, device,
		    "no device's name");
	else
		w->device_name = block_str(b, device);
	if (selector != NULL &&
	    selector_parse(b, selector, &w->device, &wrong) == -1) {
		complain(complaint, ANNOTATION_SELECTOR, selector, wrong.text);
		w->device = (struct term){ 0 };
	}
	return 0;
}

static void
build_reconnect(const struct wish_lists *from, struct pod *pod,
    struct why *complaint)
{
	const char *s = annotation(from, ANNOTATION_RECONNECT);
	int64_t ms;

	pod->reconnect_ms = RECONNECT_DEFAULT;
	if (s == NULL)
		return;
	if (strcmp(s, "never") == 0)
		pod->reconnect_ms = RECONNECT_NEVER;
	else if (duration_ms(s, &ms) == 0 && ms >= RECONNECT_MIN_MS &&
	    ms <= RECONNECT_MAX_MS)
		pod->reconnect_ms = ms;
	else
		complain(complaint, ANNOTATION_RECONNECT, s,
		    "neither 1m to 30m nor \"never\"");
}

int
wish_build(struct block *b, const struct wish_lists *from, struct pod *pod,
    struct why *why, struct why *complaint)
{
	if (build_terms(b, from, pod, why, complaint) == -1)
		return -1;
	build_reconnect(from, pod, complaint);
	return 0;
}
