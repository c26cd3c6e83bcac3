/* SPDX-License-Identifier: ISC */
/* diary.c: Owns what flightsim has written of its devices (flight_diary.h). */
#include "t/it/diary.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/auto.h"
#include "common/xmem.h"
#include "t/it/it.h"

enum {
	KEY = 8, /* an application's name ends with those of the UID */
	DEVICES_MAX = 32,
	APPS_MAX = 256,
};

struct app {
	char key[KEY + 1];
	unsigned int want, starts;
	uint32_t wanted_on, runs_on; /* devices, by number */
	int up;			     /* its status was not Preparing */
};

static struct app apps[APPS_MAX];
static size_t napps;
static struct diary_faults faults;
static FILE *diary;
static const char *path;

void
diary_open(const char *file)
{
	path = file;
	if ((diary = fopen(path, "re")) == NULL)
		it_die("%s: cannot be read", path);
}

static struct app *
find(const char *key, size_t len)
{
	size_t i;

	for (i = 0; i < napps; i++)
		if (len >= KEY &&
		    strncmp(apps[i].key, key + len - KEY, KEY) == 0)
			return &apps[i];
	return NULL;
}

void
diary_expect(const char *uid, unsigned int starts)
{
	struct app *a = &apps[napps++];

	if (napps > APPS_MAX)
		it_die("too many applications");
	*a = (struct app){ .want = starts };
	(void)snprintf(a->key, sizeof(a->key), "%.8s", uid);
}

static int
is_one(uint32_t set)
{
	return (set & (set - 1)) == 0;
}

/* "NAME" of a spec, "NAME=STATUS" of a report. */
static void
read_word(const char *word, uint32_t device, int reported)
{
	size_t len = strcspn(word, "=");
	const char *status = word[len] == '\0' ? "" : word + len + 1;
	int up = strcmp(status, "Preparing") != 0, before;
	struct app *a;

	if (strncmp(word, "k8s-", 4) != 0)
		return;
	if ((a = find(word, len)) == NULL) {
		faults.strange++;
		return;
	}
	before = is_one(a->wanted_on | a->runs_on);
	if (!reported) {
		a->wanted_on |= device;
	} else {
		a->starts += (a->runs_on & device) == 0 || (a->up && !up);
		a->runs_on |= device;
		a->up = up;
	}
	faults.doubled += before && !is_one(a->wanted_on | a->runs_on);
}

static int
names(char *const *words, size_t n, const char *key)
{
	size_t i, len;

	for (i = 0; i < n; i++) {
		len = strcspn(words[i], "=");
		if (len >= KEY && strncmp(words[i] + len - KEY, key, KEY) == 0)
			return 1;
	}
	return 0;
}

/* What is no longer there goes before what is new comes. */
static void
read_line(char *line)
{
	char *words[APPS_MAX], *word;
	const char *name = strsep(&line, " "), *what = strsep(&line, " ");
	uint32_t device;
	size_t i, n = 0;
	int reported;

	if (what == NULL || (name = strrchr(name, '-')) == NULL)
		it_die("%s: a line is none", path);
	device = 1U << strtoul(name + 1, NULL, 10) % DEVICES_MAX;
	reported = strcmp(what, "runs") == 0;
	while ((word = strsep(&line, " ")) != NULL && n < APPS_MAX)
		words[n++] = word;
	for (i = 0; i < napps; i++) {
		uint32_t *on = reported ? &apps[i].runs_on : &apps[i].wanted_on;

		if ((*on & device) != 0 && !names(words, n, apps[i].key))
			*on &= ~device;
	}
	for (i = 0; i < n; i++)
		read_word(words[i], device, reported);
}

struct diary_faults
diary_judge(void)
{
	AUTO_FREE char *line = NULL;
	struct diary_faults found;
	size_t size = 0, i;

	clearerr(diary);
	while (getline(&line, &size, diary) > 0) {
		line[strcspn(line, "\n")] = '\0';
		read_line(line);
	}
	for (i = 0; i < napps; i++) {
		faults.restarts += apps[i].starts > apps[i].want;
		faults.lost += apps[i].starts < apps[i].want;
		faults.strange += (apps[i].wanted_on | apps[i].runs_on) != 0;
	}
	napps = 0;
	found = faults;
	faults = (struct diary_faults){ 0 };
	return found;
}
