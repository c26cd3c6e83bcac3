/* SPDX-License-Identifier: ISC */
/*
 * The search for who makes a version fail: whoever is guilty, the others come
 * to run, nothing that runs is taken out again, and the versions it takes are
 * bounded.
 */
#include "placer/suspect.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/xmem.h"
#include "placer/live_own.h"
#include "placer/said.h"
#include "t/unit/fleet.h"
#include "t/unit/leaks.h"

enum {
	MOST = 50,
	ROUNDS = 400
};

struct stage {
	struct world *w;
	struct wdevice *d;
	struct wpod *p[MOST];
	int guilty[MOST];
	struct app_entry entries[MOST];
	char since[16];
	int n;
	int versions;
};

static void
set_up(struct stage *s, int n)
{
	char name[8];
	int i;

	*s = (struct stage){ .w = fleet_world(), .n = n };
	s->d = fleet_add(s->w,
	    &(struct fleet_device){ "d", 64, 8192, NULL, NULL, NULL });
	for (i = 0; i < n; i++) {
		snprintf(name, sizeof(name), "p%d", i);
		s->p[i] = fleet_pod(s->w, name, "1", "1Mi", NULL, NULL);
		world_seat(s->w, s->p[i], s->d);
		snprintf(s->p[i]->app, sizeof(s->p[i]->app), "k8s-%s", name);
		s->p[i]->sent = 1;
	}
	s->d->dev->entries = s->entries;
	s->d->dev->update_since = s->since;
	s->d->dev->rendered = 1;
}

static void
tear_down(struct stage *s)
{
	s->d->dev->entries = NULL;
	s->d->dev->nentries = 0;
	fleet_free(s->w);
}

/* What stands in the spec now; 1: it is as it was. */
static int
write_spec(struct stage *s)
{
	size_t was = s->d->dev->nentries, n = 0;
	int i, same = 1;

	for (i = 0; i < s->n; i++) {
		if (s->p[i]->withheld || s->p[i]->blamed)
			continue;
		same = same && n < was && s->entries[n].name == s->p[i]->app;
		s->entries[n++].name = s->p[i]->app;
	}
	s->d->dev->nentries = n;
	return same && n == was;
}

/* The device takes it whole or not at all. */
static void
try_version(struct stage *s)
{
	struct device *dev = s->d->dev;
	int i, bad = 0;

	s->versions++;
	for (i = 0; i < s->n; i++)
		bad |= s->guilty[i] && !s->p[i]->withheld && !s->p[i]->blamed;
	dev->failed = bad != 0;
	dev->settled = dev->applied = !bad;
	snprintf(s->since, sizeof(s->since), "%d", s->versions);
	for (i = 0; !bad && i < s->n; i++) {
		cr_assert(!s->p[i]->applied || !s->p[i]->withheld);
		s->p[i]->applied |= !s->p[i]->withheld && !s->p[i]->blamed;
	}
}

static void
look(struct stage *s)
{
	switch (suspect_version(s->w, s->d, 1, (struct now){ 1000, 1000 })) {
	case BROKEN:
		suspect_judge(s->w, s->d, (struct now){ 1000, 1000 });
		break;
	case SETTLED:
		if (s->d->isolating)
			suspect_release(s->w, s->d);
		break;
	case UNDERWAY:
	case HUNG:
	case BLOCKED:
	case JUDGED:
	case INNOCENT:
	case SKIPPED:
		break;
	}
}

static void
search(struct stage *s)
{
	int idle = 0;

	while (idle < 2 && s->versions < 1000) {
		idle = write_spec(s) ? idle + 1 : 0;
		if (idle == 0)
			try_version(s);
		look(s);
	}
}

static int
log2_up(int n)
{
	int l = 0;

	while ((1 << l) < n)
		l++;
	return l;
}

static void
check(struct stage *s, int k)
{
	int i;

	for (i = 0; i < s->n; i++) {
		cr_assert_eq(s->p[i]->blamed, s->guilty[i], "%d of %d", i,
		    s->n);
		cr_assert_eq(s->p[i]->applied, !s->guilty[i]);
		cr_assert(!s->p[i]->withheld && !s->p[i]->suspect);
	}
	cr_assert(!s->d->isolating);
	cr_assert_leq(s->versions, 1 + k * (2 * log2_up(s->n) + 3),
	    "%d versions for %d of %d", s->versions, k, s->n);
	cr_assert_leq(s->versions, 3 * s->n);
}

Test(search, finds_whoever_is_guilty_in_bounded_versions)
{
	struct stage s;
	int round, i, k, most;

	srandom(7);
	for (round = 0; round < ROUNDS; round++) {
		set_up(&s, 1 + (int)(random() % MOST));
		most = 1 + round % 5;
		for (i = k = 0; i < s.n && k < most; i++)
			k += s.guilty[random() % s.n]++ == 0;
		for (i = 0; i < s.n; i++)
			s.guilty[i] = s.guilty[i] != 0;
		search(&s);
		check(&s, k);
		tear_down(&s);
	}
	NO_LEAKS();
}

Test(search, one_of_any_number_wherever_it_is)
{
	struct stage s;
	int n, i, worst = 0;

	for (n = 1; n <= MOST; n++)
		for (i = 0; i < n; i++) {
			set_up(&s, n);
			s.guilty[i] = 1;
			search(&s);
			check(&s, 1);
			worst = worst > s.versions ? worst : s.versions;
			tear_down(&s);
		}
	cr_assert_eq(worst, 14, "%d", worst);
	NO_LEAKS();
}

Test(search, all_may_be_guilty)
{
	struct stage s;
	int i, n;

	for (n = 1; n <= MOST; n++) {
		set_up(&s, n);
		for (i = 0; i < n; i++)
			s.guilty[i] = 1;
		search(&s);
		check(&s, n);
		tear_down(&s);
	}
	NO_LEAKS();
}

Test(search, whom_the_device_names_is_guilty_at_once)
{
	char words[] = "[2026-11-23 21:11:03] While Preparing: prefetch failed "
		       "for k8s-p7: internal error occurred";
	struct stage s;

	set_up(&s, 20);
	s.guilty[7] = 1;
	s.d->dev->update_message = words;
	search(&s);
	check(&s, 1);
	cr_assert_eq(s.versions, 2, "%d", s.versions);
	tear_down(&s);
	NO_LEAKS();
}

/* -- new files of pods that run -- */

/* As live.c does; 1: a write. */
static int
write_files(struct stage *s)
{
	int i, back = 0, n = 0;

	for (i = 0; i < s->n; i++)
		if (s->p[i]->filed == FILED_BACK) {
			s->p[i]->filed = FILED_OLD;
			back = 1;
		}
	for (i = 0; !back && i < s->n; i++) {
		struct wpod *p = s->p[i];

		if (p->live->recipe != 0 || p->live->retry_boot != 0 ||
		    !live_may_try(p))
			continue;
		p->live->recipe = 1;
		p->filed = FILED_NEW;
		n++;
	}
	return back || n > 0;
}

static void
try_files(struct stage *s)
{
	struct device *dev = s->d->dev;
	int i, bad = 0;

	s->versions++;
	for (i = 0; i < s->n; i++)
		bad |= s->guilty[i] && s->p[i]->filed == FILED_NEW;
	dev->failed = bad != 0;
	dev->settled = dev->applied = !bad;
	snprintf(s->since, sizeof(s->since), "%d", s->versions);
	if (bad)
		suspect_judge(s->w, s->d, (struct now){ 1000, 1000 });
	else
		(void)live_applied(s->d);
}

/* All get new files at once; the versions that go back are counted too. */
static void
search_files(struct stage *s)
{
	int i;

	s->d->dev->settled = s->d->dev->applied = 1;
	for (i = 0; i < s->n; i++) {
		s->p[i]->applied = 1;
		s->p[i]->live = xcalloc(1, sizeof(*s->p[i]->live));
	}
	(void)write_spec(s);
	while (s->versions < 1000 && write_files(s))
		try_files(s);
}

static void
check_files(struct stage *s, int k)
{
	int i;

	for (i = 0; i < s->n; i++) {
		struct wpod *p = s->p[i];

		cr_assert_eq(p->filed, FILED_NOT);
		cr_assert_eq(p->live->tries, s->guilty[i]);
		cr_assert_eq(p->live->recipe, 1, "each has tried");
		cr_assert(p->applied && !p->withheld && !p->blamed);
		free(p->live->complaint);
		free(p->live);
		p->live = NULL;
	}
	cr_assert_leq(s->versions, 2 + k * (6 * log2_up(s->n) + 4),
	    "%d versions for %d of %d", s->versions, k, s->n);
}

Test(search, whose_new_files_cannot_be_written_is_found_by_halves)
{
	struct stage s;
	int round, i, k, most;

	srandom(11);
	for (round = 0; round < ROUNDS; round++) {
		set_up(&s, 1 + (int)(random() % MOST));
		most = round % 6;
		for (i = 0; i < most; i++)
			s.guilty[random() % s.n] = 1;
		for (i = k = 0; i < s.n; i++)
			k += s.guilty[i];
		search_files(&s);
		check_files(&s, k);
		tear_down(&s);
	}
	NO_LEAKS();
}

static int
names(const char *image, const char *words)
{
	char text[128];
	struct pod_container c = { .image = text };
	struct pod pod = { .containers = &c, .ncontainers = 1 };
	struct wpod p = { .pod = &pod };

	snprintf(text, sizeof(text), "%s", image);
	return said_names(words, &p);
}

Test(said, an_image_is_named_by_its_full_name)
{
	static const char failed[] =
	    "While Preparing: prefetch failed for docker.io/library/web:1: "
	    "service unavailable (network issue)";
	static const char pending[] =
	    "1/3 images complete, pending: a.io/x:1, docker.io/library/web:1";

	cr_assert(names("web:1", failed));
	cr_assert(names("web:1", pending));
	cr_assert(names("a.io/x:1", pending));
	cr_assert(!names("web", failed), "latest");
	cr_assert(!names("web:12", failed));
	cr_assert(!names("io/x:1", pending));
	cr_assert(!names("a.io/x:1", "pending: a.io/x:12"));
	cr_assert(!names("a.io/x:1", "pending: a.io/x:1.2"));
	cr_assert(!names("b.a.io/x:1", "pending: a.io/x:1"));
	cr_assert(!names("web:1", ""));
	cr_assert(!names("web:1", NULL));
}

/* The agent's words for PATH, of which it keeps the last 64 bytes. */
static int
names_path(const char *app, const char *path)
{
	char text[] = "x", words[512];
	struct pod_container c = { .image = text };
	struct pod pod = { .containers = &c, .ncontainers = 1 };
	struct wpod p = { .pod = &pod };
	size_t len = strlen(path);

	snprintf(p.app, sizeof(p.app), "%s", app);
	snprintf(words, sizeof(words),
	    "[2026-11-23 21:16:27] While ApplyingUpdate: config failed for "
	    "%s%s: internal error occurred",
	    len > 64 ? "..." : "", len > 64 ? path + len - 64 : path);
	return said_names(words, &p);
}

Test(said, a_file_names_the_pod_that_has_it)
{
#define AT "/var/lib/vk-flightctl/"
	cr_assert(names_path("k8s-0123456789-d-a-a0000001",
	    AT "k8s-0123456789-d-a-a0000001/v/key"));
	cr_assert(names_path("k8s-0123456789-default-web-a0000001",
	    AT "k8s-0123456789-default-web-a0000001/v/app.conf"));
	cr_assert(names_path("k8s-0123456789-default-web-a0000001",
	    AT "k8s-0123456789-default-web-a0000001/volume/a/long/path/to/a/"
	       "file.conf"));
	cr_assert(!names_path("k8s-0123456789-default-web-a0000002",
	    AT "k8s-0123456789-default-web-a0000001/volume/a/long/path/to/a/"
	       "file.conf"));
	cr_assert(!names_path("k8s-0123456789-d-a-a0000001",
	    AT "k8s-0123456789-d-a-a00000012/v/key"));
	/* Nothing is left of whose it was. */
	cr_assert(!names_path("k8s-0123456789-default-web-a0000001",
	    AT "k8s-0123456789-default-web-a0000001/volume/a/very/very/very/"
	       "very/very/very/long/path/to/a/file.conf"));
#undef AT
}

Test(said, the_reasons_are_the_kubelets)
{
	cr_assert_str_eq(said_reason("1/2 images complete, pending: x"),
	    "ImagePullBackOff");
	cr_assert_str_eq(said_reason("While Preparing: prefetch failed for x"),
	    "ImagePullBackOff");
	cr_assert_str_eq(said_reason("While Rebooting: unknown failed"),
	    "CreateContainerError");
	cr_assert_str_eq(said_reason(NULL), "CreateContainerError");
}
