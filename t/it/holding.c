/* SPDX-License-Identifier: ISC */
/*
 * holding.c: Owns what is measured of a process, and when it has grown.
 */
#include "t/it/holding.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/auto.h"
#include "common/xmem.h"
#include "t/it/http.h"
#include "t/it/it.h"
#include "t/it/provider.h"

static const char *const names[HOLDERS] = { "supervisor", "kubeside",
	"flightside", "placer" };

const char *
holder_name(enum holder h)
{
	return names[h];
}

/* --- measures ------------------------------------------------------------- */

/* The number after a word of a file of /proc/PID; -1: there is none. */
static long
number_of(pid_t pid, const char *file, const char *word)
{
	AUTO_FREE char *path = xasprintf("/proc/%d/%s", (int)pid, file);
	AUTO_FREE char *text = it_file(path, NULL);
	const char *at = text != NULL ? strstr(text, word) : NULL;

	return at != NULL ? strtol(at + strlen(word), NULL, 10) : -1;
}

static long
read_heap(pid_t pid, enum holder h, const char *metrics)
{
	AUTO_FREE char *word =
	    xasprintf("vk_flightctl_worker_heap_bytes{worker=\"%s\"}",
		names[h]);
	const char *at = strstr(metrics, word);

	(void)pid;
	return at != NULL ? (long)strtod(at + strlen(word), NULL) / 1024 : -1;
}

/* Its own; what it shares with others of its program is none of it. */
static long
read_anonymous(pid_t pid, enum holder h, const char *metrics)
{
	(void)h, (void)metrics;
	return number_of(pid, "status", "RssAnon:");
}

static long
read_data(pid_t pid, enum holder h, const char *metrics)
{
	(void)h, (void)metrics;
	return number_of(pid, "status", "VmData:");
}

static long
read_threads(pid_t pid, enum holder h, const char *metrics)
{
	(void)h, (void)metrics;
	return number_of(pid, "status", "Threads:");
}

static long
read_descriptors(pid_t pid, enum holder h, const char *metrics)
{
	AUTO_FREE char *path = xasprintf("/proc/%d/fd", (int)pid);
	DIR *dir = opendir(path);
	const struct dirent *e;
	long n = 0;

	(void)h, (void)metrics;
	if (dir == NULL)
		return -1;
	while ((e = readdir(dir)) != NULL)
		n += e->d_name[0] != '.';
	closedir(dir);
	return n;
}

/*
 * slack: what the least may be above the most of before.  Key holders tell
 * their heap in steps of 64 KiB, and keep connections for the next request.
 */
static const struct measure {
	const char *name;
	long (*read)(pid_t, enum holder, const char *metrics);
	long slack;
} measures[HOLDING_MEASURES] = {
	{ "KiB of heap", read_heap, 256 },
	{ "KiB resident", read_anonymous, 384 },
	{ "KiB of data", read_data, 384 },
	{ "threads", read_threads, 0 },
	{ "descriptors", read_descriptors, 4 },
};

void
holding_note(struct holding_book *b, const struct provider *p, struct http *l)
{
	struct http_answer a;
	enum holder h;
	unsigned int i;
	pid_t pid;

	if (b->rounds == HOLDING_ROUNDS ||
	    http_send(l, "GET", "/metrics", NULL, NULL, &a) != 200)
		it_die("what they hold cannot be noted");
	for (h = 0; h < HOLDERS; h++) {
		pid = h == HOLDER_SUPERVISOR ? provider_pid(p) :
					       provider_worker(p, names[h]);
		b->pid[h][b->rounds] = pid;
		for (i = 0; i < HOLDING_MEASURES; i++)
			b->is[h][i][b->rounds] =
			    measures[i].read(pid, h, a.body);
	}
	b->rounds++;
	http_answer_clear(&a);
}

/* --- judging -------------------------------------------------------------- */

/* Of one that has grown, round by round. */
static void
say_series(const struct measure *m, const long *is, unsigned int n)
{
	AUTO_FREE char *text = xstrdup("");
	unsigned int i;

	for (i = 0; i < n; i++) {
		AUTO_FREE char *before = text;

		text = xasprintf("%s %ld", before, is[i]);
	}
	it_say("%s:%s", m->name, text);
}

void
holding_judge(const struct holding_book *b, enum holder h)
{
	AUTO_FREE char *text = xstrdup("");
	unsigned int i, k;
	int good = 1;

	for (k = 1; k < b->rounds; k++)
		good &= b->pid[h][k] == b->pid[h][0];
	if (!good) {
		it_ok(0, "%s lived through it", names[h]);
		return;
	}
	for (i = 0; i < HOLDING_MEASURES; i++) {
		const long *is = b->is[h][i];
		long most = -1, least = is[b->rounds - 1];
		AUTO_FREE char *before = text;

		for (k = 0; k < b->rounds; k++)
			if (k < b->rounds / 2)
				most = is[k] > most ? is[k] : most;
			else
				least = is[k] < least ? is[k] : least;
		if (least > most + measures[i].slack) {
			say_series(&measures[i], is, b->rounds);
			good = 0;
		}
		text = xasprintf("%s, %s %ld then %ld", before,
		    measures[i].name, most, least);
	}
	it_ok(good, "%s holds no more%s", names[h], text);
}
