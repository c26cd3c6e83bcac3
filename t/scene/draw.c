/* SPDX-License-Identifier: ISC */
/*
 * draw.c: statements drawn at random (walk.def), one after another.
 *
 * Owns the random numbers, and how a world of them begins and ends.
 */
#include "t/scene/draw.h"

#include <bsd/string.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	DEVICES = 4, /* so many silent at once are braked */
};

struct rule {
	unsigned int weight;
	const char *text;
};

static const struct rule rules[] = {
#define WALK(weight, text) { weight, text },
#include "t/scene/walk.def"
#undef WALK
};

const char *const draw_opening[] = { "go", "device e1", "device e2 cpu=2",
	"device e3 cpu=1", "device e4 cpu=1", "backup e1", "backup e2",
	"backup e3", "backup e4", NULL };

const char *const draw_closing[] = { "over", "time 1m",
	"operator any undrain e1", "operator any undrain e2",
	"operator any undrain e3", "operator any undrain e4",
	"operator any unretire vk-flightctl", "time 1h", "calm", NULL };

static uint64_t state;

void
draw_seed(uint64_t seed)
{
	state = seed;
}

/* splitmix64 */
unsigned int
draw(unsigned int n)
{
	uint64_t z = state += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return (unsigned int)((z ^ z >> 31) >> 33) % n;
}

static const char *
pick_rule(void)
{
	unsigned int sum = 0, at;
	size_t i;

	for (i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
		sum += rules[i].weight;
	at = draw(sum);
	for (i = 0; at >= rules[i].weight; i++)
		at -= rules[i].weight;
	return rules[i].text;
}

static const struct kpod *
there(const struct scene *sc, const char *label, int by_name)
{
	const struct kpod *p;

	TAILQ_FOREACH(p, &sc->pods, link)
		if (p->in_api &&
		    strcmp(by_name ? p->name : p->label, label) == 0)
			return p;
	return NULL;
}

static void
draw_pod(const struct scene *sc, char *to, size_t size)
{
	const struct kpod *p;
	unsigned int n = 0, at;

	TAILQ_FOREACH(p, &sc->pods, link)
		n += p->in_api != 0;
	at = n > 0 ? draw(n) : 0;
	(void)strlcpy(to, "none", size);
	TAILQ_FOREACH(p, &sc->pods, link)
		if (p->in_api && at-- == 0) {
			(void)strlcpy(to, p->label, size);
			return;
		}
}

/* What a letter of walk.def stands for. */
static void
fill(const struct scene *sc, struct step *s, char letter)
{
	static const char *const whiles[] = { "100ms", "1s", "3s", "10s", "40s",
		"2m", "6m" };
	static const char *const cpus[] = { "100m", "400m", "1", "1500m" };
	static const char *const owners[] = { "", "controller=r",
		"controller=s" };
	char word[32];

	if (letter == 'P') {
		draw_pod(sc, s->pod, sizeof(s->pod));
		(void)strlcpy(word, s->pod, sizeof(word));
	} else if (letter == 'N') {
		snprintf(s->new, sizeof(s->new), "%c", 'a' + (char)draw(6));
		(void)strlcpy(word, s->new, sizeof(word));
	} else if (letter == 'W') {
		snprintf(word, sizeof(word), "%c", 'a' + (char)draw(6));
		(void)strlcpy(s->given_up, word, sizeof(s->given_up));
	} else if (letter == 'D')
		snprintf(word, sizeof(word), "e%u", 1 + draw(DEVICES));
	else if (letter == 'C')
		(void)strlcpy(word, cpus[draw(4)], sizeof(word));
	else if (letter == 'R')
		(void)strlcpy(word, owners[draw(3)], sizeof(word));
	else if (letter == 'T')
		(void)strlcpy(word, whiles[draw(7)], sizeof(word));
	else
		abort(); /* walk.def has no other */
	(void)strlcat(s->text, word, sizeof(s->text));
}

static void
add(struct step *s, char c)
{
	char word[] = { c, '\0' };

	(void)strlcat(s->text, word, sizeof(s->text));
}

void
draw_step(const struct scene *sc, struct step *s)
{
	const char *p;

	memset(s, 0, sizeof(*s));
	for (p = pick_rule(); *p != '\0'; p++)
		if (*p == '%')
			fill(sc, s, *++p);
		else
			add(s, *p);
}

/* Could it happen now? */
int
draw_can_be(const struct scene *sc, const struct step *s)
{
	return (*s->pod == '\0' || there(sc, s->pod, 0) != NULL) &&
	    (*s->new == '\0' || there(sc, s->new, 1) == NULL);
}

int
draw_is_another_placer(const struct step *s)
{
	return !s->out &&
	    (strncmp(s->text, "restart", 7) == 0 ||
		strcmp(s->text, "takeover") == 0);
}

void
draw_say(struct scene *sc, const char *const *lines)
{
	for (; *lines != NULL && !sc->failed; lines++)
		scene_say(sc, *lines);
}
