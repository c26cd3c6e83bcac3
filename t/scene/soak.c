/* SPDX-License-Identifier: ISC */
/*
 * soak.c: one placer that never dies, through hours of churn and faults drawn
 * at random (walk.def), in virtual time.  After each hour all troubles end,
 * and an hour later the three views agree; then all pods go, and what the
 * process holds is looked at: memory, descriptors, the size of its database.
 * None of them grows.
 *	SOAK_SEED	of what is drawn
 *	SOAK_TRACE	1: each statement, and all that went out, when it fails
 *	SOAK_HOURS	so many; 6, and 24 with NIGHTLY
 */
#include <dirent.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/auto.h"
#include "common/xmem.h"
#include "placer/serve.h"
#include "placer/told.h"
#include "placer/world.h"
#include "t/scene/clock.h"
#include "t/scene/draw.h"
#include "t/scene/play.h"

enum {
	HOURS = 6,
	NIGHT_HOURS = 24,
	HOUR_MS = 3600 * 1000,
	QUIET_MS = 10 * 60 * 1000, /* all is gone, and forgotten */
	PASS_MS = 4000,		   /* a while of the walk's, at most */
	GROWTH = 100,		   /* one in so many */
	CHUNK = 16,
	TOLD_BYTES = 128 * 1024, /* TOLD_KEPT lines of 250 */
	PAGE = 4096 + 24,	 /* and its head in the log */
	PAGES = 4,	 /* its last 100 records are longer or shorter */
	LOG_PAGES = 500, /* it is emptied at 400 and one transaction */
};

/* What must be flat. */
struct holding {
	size_t bytes; /* that are allocated, but for told */
	size_t told;
	size_t descriptors;
	off_t database, log;
};

static unsigned int statements;
static int traces; /* SOAK_TRACE: each statement */

static size_t
descriptors(void)
{
	DIR *dir = opendir("/proc/self/fd");
	size_t n = 0;

	while (readdir(dir) != NULL)
		n++;
	closedir(dir);
	return n;
}

static off_t
size_of(const struct scene *sc, const char *suffix)
{
	AUTO_FREE char *path = xasprintf("%s/placer.db%s", sc->dir, suffix);
	struct stat st;

	return stat(path, &st) == 0 ? st.st_size : 0;
}

/* What malloc takes for so many bytes. */
static size_t
chunk(size_t bytes)
{
	return (bytes + sizeof(size_t) + CHUNK - 1) / CHUNK * CHUNK;
}

static void
add_told(void *arg, const struct told_line *l)
{
	*(size_t *)arg += chunk(strlen(l->about) + strlen(l->device) +
	    strlen(l->reason) + strlen(l->text) + 4);
}

static void
add_trouble(void *arg, const struct told_line *l, uint64_t count)
{
	(void)count;
	add_told(arg, l);
}

/* Lines told of late: TOLD_KEPT of them, however long each is. */
static size_t
told_bytes(const struct scene *sc)
{
	const struct told *told = serve_world(sc->serve)->told;
	size_t bytes = 0;

	told_each(told, add_told, &bytes);
	told_troubles(told, add_trouble, &bytes);
	return bytes;
}

static struct holding
look(const struct scene *sc)
{
	size_t told = told_bytes(sc);

	return (struct holding){ .bytes = mallinfo2().uordblks - told,
		.told = told,
		.descriptors = descriptors(),
		.database = size_of(sc, ""),
		.log = size_of(sc, "-wal") };
}

/* Many more statements come to an hour than in a walk. */
static void
go_on(struct scene *sc, const struct step *s)
{
	if (traces)
		printf("  %8.3f say %s\n",
		    (double)(clock_boot_ms() - CLOCK_START_MS) / 1000, s->text);
	if (strncmp(s->text, "time ", 5) == 0)
		place_pass(sc, 1 + draw(PASS_MS));
	else
		scene_say(sc, s->text);
	statements++;
}

static void
churn(struct scene *sc)
{
	int64_t end = clock_boot_ms() + HOUR_MS;
	struct step s;

	while (clock_boot_ms() < end && !sc->failed) {
		draw_step(sc, &s);
		if (!draw_is_another_placer(&s) && draw_can_be(sc, &s))
			go_on(sc, &s);
	}
	if (!sc->failed)
		draw_say(sc, draw_closing);
	scene_rest(sc);
}

static const char *const backups[] = { "backup e1", "backup e2", "backup e3",
	"backup e4", NULL };

/* What one hour leaves is no part of what the next holds. */
static void
clear(struct scene *sc)
{
	struct kpod *p;

	TAILQ_FOREACH(p, &sc->pods, link)
		if (p->in_api)
			kube_delete(sc, p, 0);
	place_pass(sc, QUIET_MS);
	scene_rest(sc);
	TAILQ_FOREACH(p, &sc->pods, link)
		if (p->in_api)
			scene_fail(sc, "%s stays", p->label);
	draw_say(sc, backups); /* an older one would bring back who is pruned */
	if (sc->failed)
		return;
	kube_prune(sc);
	out_clear(sc);
}

static void
judge(struct scene *sc, const struct holding *first, const struct holding *is)
{
	if (is->descriptors > first->descriptors)
		scene_fail(sc, "descriptors grew from %zu to %zu",
		    first->descriptors, is->descriptors);
	if (is->told > TOLD_BYTES)
		scene_fail(sc, "what is told of late grew to %zu bytes",
		    is->told);
	if (is->database > first->database + PAGES * PAGE)
		scene_fail(sc, "the database grew from %lld to %lld bytes",
		    (long long)first->database, (long long)is->database);
	if (is->log > LOG_PAGES * PAGE)
		scene_fail(sc, "the log of the database grew to %lld bytes",
		    (long long)is->log);
}

/*
 * What it remembers of the last hour is now more, now less: a few per cent.
 * What grows has its least of the second half above the most of the first.
 */
static void
judge_memory(struct scene *sc, const size_t *bytes, unsigned int n)
{
	size_t most = 0, least = SIZE_MAX;
	unsigned int i;

	for (i = 0; i < n / 2; i++)
		most = bytes[i] > most ? bytes[i] : most;
	for (; i < n; i++)
		least = bytes[i] < least ? bytes[i] : least;
	printf("memory: at most %zu in the first half, at least %zu in the "
	       "second\n",
	    most, least);
	if (n > 1 && least > most + most / GROWTH)
		scene_fail(sc, "memory grew from %zu to %zu bytes", most,
		    least);
}

int
main(void)
{
	uint64_t seed = scene_number("SOAK_SEED", 1);
	unsigned int hours, i;
	struct holding first = { 0 }, is;
	size_t *bytes;
	struct scene sc;
	int failed;

	hours = (unsigned int)scene_number("SOAK_HOURS",
	    scene_number("NIGHTLY", 0) == 1 ? NIGHT_HOURS : HOURS);
	bytes = xcalloc(hours + 1, sizeof(*bytes));
	traces = scene_number("SOAK_TRACE", 0) == 1;
	scene_quiet();
	draw_seed(seed);
	scene_begin(&sc, "soak");
	draw_say(&sc, draw_opening);
	for (i = 1; i <= hours && !sc.failed; i++) {
		sc.line = (int)i;
		churn(&sc);
		if (!sc.failed)
			clear(&sc);
		is = look(&sc);
		bytes[i - 1] = is.bytes;
		if (i == 1)
			first = is;
		printf("hour %u: %zu bytes and %zu of lines told, "
		       "%zu descriptors, %lld bytes of "
		       "database, %lld of its log\n",
		    i, is.bytes, is.told, is.descriptors,
		    (long long)is.database, (long long)is.log);
		if (!sc.failed)
			judge(&sc, &first, &is);
	}
	if (!sc.failed)
		judge_memory(&sc, bytes, hours);
	printf("seed %llu: %u hours, %u statements\n", (unsigned long long)seed,
	    i - 1, statements);
	if ((failed = sc.failed)) {
		printf("not ok %s\n", sc.why);
		play_show(&sc, traces);
	}
	scene_end(&sc);
	free(bytes);
	printf("%d passed, %d failed\n", !failed, failed);
	return failed;
}
