/* SPDX-License-Identifier: ISC */
/*
 * Any bytes as what a peer of the control socket sends: its first line has one
 * whole answer, which vkfctl can read, and orders leave a world that answers.
 */
#include "placer/command.h"

#include <string.h>

#include "common/auto.h"
#include "common/xmem.h"
#include "placer/former.h"
#include "placer/told.h"
#include "t/fuzz/target.h"
#include "t/unit/fleet.h"

struct at {
	struct world *w;
	struct now now;
};

static enum order_verdict
give(void *arg, const struct order *o, char text[MAX_TEXT])
{
	struct at *at = arg;
	struct effects done = { 0 };
	enum order_verdict v;

	v = orders_take(at->w, o, at->now, &done, text);
	effects_clear(&done);
	return v;
}

/* "ok N" and N lines, or a word, a text and the end of the line. */
static void
judge(const char *answer)
{
	static const char *const words[] = { ANSWER_ASK " ", ANSWER_ERROR " ",
		ANSWER_NONE " " };
	const char *rows = strchr(answer, '\n');
	size_t i, n = 0;
	char *end;

	if (rows == NULL)
		abort();
	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strncmp(answer, words[i], strlen(words[i])) == 0) {
			if (rows[1] != '\0')
				abort();
			return;
		}
	if (strncmp(answer, "ok ", 3) != 0)
		abort();
	i = strtoul(answer + 3, &end, 10);
	if (end != rows)
		abort();
	for (rows++; *rows != '\0'; rows = strchr(rows, '\n') + 1, n++)
		if (*rows != '{' || strchr(rows, '\n') == NULL)
			abort();
	if (i != n)
		abort();
}

/* "more", rows, and that these are all for now. */
static void
judge_stream(const char *answer)
{
	const char *line = answer + strlen(ANSWER_MORE "\n");

	if (strncmp(answer, ANSWER_MORE "\n", (size_t)(line - answer)) != 0)
		abort();
	for (; *line == '{'; line = strchr(line, '\n') + 1)
		if (strchr(line, '\n') == NULL)
			abort();
	if (strcmp(line, ANSWER_BEAT "\n") != 0)
		abort();
}

/* Instead of the database: one record. */
int
store_records(struct store *s, void (*put)(void *, const struct store_record *),
    void *arg, struct why *why)
{
	static const struct store_record one = { .pod = "default/p",
		.operation = "drain",
		.desired = "",
		.actual = "",
		.action = "",
		.result = "" };

	(void)s, (void)why;
	put(arg, &one);
	return 0;
}

/* Instead of boot.c. */
static int
tell(enum log_level level, uint32_t uid)
{
	must(level < LOG_LEVEL_COUNT && uid == 1000);
	return level == LOG_LEVEL_DEBUG ? -1 : 0;
}

/* One that runs, one that waits, another of its name, and an old node. */
static void
fill(struct world *w)
{
	struct wpod *p = fleet_pod(w, "p", "1", "1Mi", NULL, NULL);
	struct wnode *old = former_get(w, "vk-old");

	world_seat(w, p,
	    fleet_add(w,
		&(struct fleet_device){ "a", 1, 64, NULL, NULL, "Unknown" }));
	p->state = RUNNING;
	p->running_ms = 30000;
	fleet_pod(w, "big", "8", "1Mi", NULL, NULL);
	(void)world_add_pod(w, "uid-again", "default", "big");
	must(old != NULL && former_get(w, "vk-older") != NULL);
	old->object = 1;
	w->nodes[0].until_boot = 70000;
}

static void
fuzz_command(struct span input)
{
	struct at at = { fleet_world(), { 60000, 60000 } };
	struct command from = { .world = at.w,
		.now = at.now,
		.uid = 1000,
		.order = give,
		.log_level = tell,
		.arg = &at };
	const char *line = input.p, *end;
	size_t left = input.len;

	fill(at.w);
	/* As control.c: a line has no NUL, and at most so many bytes. */
	while (left > 0) {
		AUTO_FREE char *one = NULL, *answer = NULL;
		size_t len;
		int follows;

		end = memchr(line, '\n', left);
		len = end == NULL ? left : (size_t)(end - line);
		one = xstrndup(line, len);
		if (len < COMMAND_MAX && strlen(one) == len) {
			told_add(at.w->told,
			    &(struct told_line){ .kind = TOLD_EVENT,
				.warning = 1,
				.about = one,
				.text = one });
			answer = command_follow(&from, one, &follows);
			if (follows)
				judge_stream(answer);
			else
				judge(answer);
		}
		line += len + (end != NULL);
		left -= len + (end != NULL);
	}
	fleet_free(at.w);
}

TARGET(command, fuzz_command);
