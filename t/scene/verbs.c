/* SPDX-License-Identifier: ISC */
/*
 * verbs.c: what a scene can make happen.
 *
 * Owns the table of verbs; what each means for pods is verbs_kube.c's, for
 * devices verbs_flight.c's.
 */
#include "t/scene/verbs.h"

#include <stdlib.h>
#include <string.h>

#include "t/scene/clock.h"

static void
v_time(struct scene *sc, const struct words *s)
{
	int64_t ms = words_ms(words_at(s, 1));

	if (ms == -1)
		scene_fail(sc, "no duration");
	else
		place_pass(sc, ms);
}

static void
v_restart(struct scene *sc, const struct words *s)
{
	place_restart(sc, strcmp(words_at(s, 1), "lost") == 0);
}

static void
v_takeover(struct scene *sc, const struct words *s)
{
	(void)s;
	place_takeover(sc);
}

static void
v_store(struct scene *sc, const struct words *s)
{
	place_full(sc, strcmp(words_at(s, 1), "full") == 0);
}

static void
v_plain(struct scene *sc, const struct words *s)
{
	(void)s;
	sc->plain = 1;
}

static void
v_anywhere(struct scene *sc, const struct words *s)
{
	(void)s;
	sc->anywhere = 1;
}

static void
v_forgetful(struct scene *sc, const struct words *s)
{
	(void)s;
	sc->forgetful = 1;
}

static void
v_restless(struct scene *sc, const struct words *s)
{
	(void)s;
	sc->restless = 1;
}

/* setting NAME=value: before anything else of the scene. */
static void
v_setting(struct scene *sc, const struct words *s)
{
	char *name, *value;
	enum setting at;
	struct why why;

	if (s->n != 2 || (value = strchr(s->w[1], '=')) == NULL) {
		scene_fail(sc, "setting NAME=value");
		return;
	}
	name = strndup(s->w[1], (size_t)(value - s->w[1]));
	at = settings_by_name(name);
	free(name);
	place_stop(sc);
	if (at == SET_COUNT ||
	    settings_set(&sc->set, at, value + 1, &why) == -1)
		scene_fail(sc, "no such setting");
	place_start(sc);
}

/* All troubles are over for long: what the walk ends with. */
static void
v_calm(struct scene *sc, const struct words *s)
{
	(void)s;
	rules_calm(sc);
}

/* Both sides listed, we are the writer. */
static void
v_go(struct scene *sc, const struct words *s)
{
	(void)s;
	sc->writer = 1;
	sc->kube.listed = sc->flight.listed = 1;
	kube_greet(sc);
	flight_greet(sc);
}

static void
v_writer(struct scene *sc, const struct words *s)
{
	sc->writer = strcmp(words_at(s, 1), "on") == 0;
	sc->taking_over = 0;
	kube_renew(sc);
}

static void
side_verb(struct scene *sc, struct side *side, const char *what,
    void (*greet)(struct scene *))
{
	if (strcmp(what, "listed") == 0)
		side->listed = 1;
	else if (strcmp(what, "down") == 0)
		side->reachable = 0;
	else if (strcmp(what, "up") == 0)
		side->reachable = 1;
	else if (strcmp(what, "relink") == 0)
		side_break(sc, side, 0);
	else if (strcmp(what, "lost") == 0)
		side_break(sc, side, 1);
	else if (strcmp(what, "back") == 0)
		side_mend(sc, side);
	else
		scene_fail(sc, "listed, down, up, relink, lost or back");
	if (side->chan != NULL)
		greet(sc);
}

static void
v_kube(struct scene *sc, const struct words *s)
{
	side_verb(sc, &sc->kube, words_at(s, 1), kube_greet);
}

static void
v_flight(struct scene *sc, const struct words *s)
{
	side_verb(sc, &sc->flight, words_at(s, 1), flight_greet);
}

/* -- how requests are answered
 * --------------------------------------------------- */

static const struct {
	const char *word;
	enum msg_type type;
} requests[] = {
	{ "change", MSG_CHANGE },
	{ "read", MSG_READ },
	{ "status", MSG_POD_STATUS },
	{ "delete", MSG_POD_DELETE },
	{ "object", MSG_GET_OBJECT },
};

static const struct {
	const char *word;
	enum answer how;
	enum why_kind kind;
} answers[] = {
	{ "conflict", ANSWER_KIND, ERR_CONFLICT },
	{ "again", ANSWER_KIND, ERR_AGAIN },
	{ "denied", ANSWER_KIND, ERR_DENIED },
	{ "format", ANSWER_KIND, ERR_FORMAT },
	{ "gone", ANSWER_KIND, ERR_GONE },
	{ "auth", ANSWER_KIND, ERR_AUTH },
	{ "unknown", ANSWER_UNKNOWN, ERR_AGAIN },
	{ "lost", ANSWER_LOST, ERR_AGAIN },
	{ "dropped", ANSWER_DROPPED, ERR_AGAIN },
};

static struct side *
side_of(struct scene *sc, const char *word, enum msg_type *type)
{
	size_t i;

	for (i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
		if (strcmp(requests[i].word, word) != 0)
			continue;
		*type = requests[i].type;
		return *type == MSG_CHANGE || *type == MSG_READ ? &sc->flight :
								  &sc->kube;
	}
	scene_fail(sc, "change, read, status, delete or object");
	return NULL;
}

/* answer REQUEST HOW [TIMES] */
static void
v_answer(struct scene *sc, const struct words *s)
{
	enum msg_type type;
	struct side *side;
	struct answering *a;
	size_t i;

	if ((side = side_of(sc, words_at(s, 1), &type)) == NULL)
		return;
	a = &side->on[type];
	for (i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
		if (strcmp(answers[i].word, words_at(s, 2)) != 0)
			continue;
		a->how = answers[i].how;
		a->kind = answers[i].kind;
		a->times = s->n > 3 ? atoi(s->w[3]) : 1;
		return;
	}
	scene_fail(sc, "no such answer");
}

static void
v_hold(struct scene *sc, const struct words *s)
{
	enum msg_type type;
	struct side *side;

	if ((side = side_of(sc, words_at(s, 1), &type)) != NULL)
		side->on[type].hold = 1;
}

static void
v_release(struct scene *sc, const struct words *s)
{
	enum msg_type type;
	struct side *side;

	if ((side = side_of(sc, words_at(s, 1), &type)) != NULL)
		side_release(sc, side, type);
}

/* delay REQUEST DURATION: of its answers, from now on */
static void
v_delay(struct scene *sc, const struct words *s)
{
	int64_t ms = words_ms(words_at(s, 2));
	enum msg_type type;
	struct side *side;

	if ((side = side_of(sc, words_at(s, 1), &type)) == NULL)
		return;
	if (ms == -1)
		scene_fail(sc, "no duration");
	else
		side->on[type].delay_ms = ms;
}

/* wall 2h | -2h: the wall's clock says so much more than it did at the start.
 */
static void
v_wall(struct scene *sc, const struct words *s)
{
	const char *text = words_at(s, 1);
	int back = *text == '-';
	int64_t ms = words_ms(text + back);

	if (ms == -1)
		scene_fail(sc, "no duration");
	else
		clock_set_wall(back ? -ms : ms);
}

static const struct {
	const char *name;
	void (*fn)(struct scene *, const struct words *);
} verbs[] = {
#define VERB(name, fn) { name, fn },
#include "t/scene/verbs.def"
#undef VERB
	{ "time", v_time },
	{ "wall", v_wall },
	{ "restart", v_restart },
	{ "takeover", v_takeover },
	{ "store", v_store },
	{ "plain", v_plain },
	{ "anywhere", v_anywhere },
	{ "forgetful", v_forgetful },
	{ "restless", v_restless },
	{ "setting", v_setting },
	{ "go", v_go },
	{ "calm", v_calm },
	{ "writer", v_writer },
	{ "kube", v_kube },
	{ "flight", v_flight },
	{ "answer", v_answer },
	{ "hold", v_hold },
	{ "release", v_release },
	{ "delay", v_delay },
	{ "expect", expect_run },
};

void
verbs_run(struct scene *sc, const struct words *s)
{
	size_t i;

	for (i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
		if (strcmp(verbs[i].name, s->w[0]) != 0)
			continue;
		verbs[i].fn(sc, s);
		if (!sc->failed)
			place_idle(sc);
		return;
	}
	scene_fail(sc, "no such verb");
}
