/* SPDX-License-Identifier: ISC */
/* What a burst of work took is given back once there is quiet, once. */
#include "common/lean.h"

#include <criterion/criterion.h>
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>

#include "t/unit/leaks.h"

enum {
	BLOCKS = 16384,
	BLOCK = 1024,
};

/* Resident pages. */
static long
resident(void)
{
	FILE *fp = fopen("/proc/self/statm", "re");
	long all = 0, pages = 0;

	cr_assert_not_null(fp);
	cr_assert_eq(fscanf(fp, "%ld %ld", &all, &pages), 2);
	(void)fclose(fp);
	return pages;
}

/* The last block stays, so that the heap cannot shrink by itself. */
static void *
work(void)
{
	static void *blocks[BLOCKS];
	size_t i;

	for (i = 0; i < BLOCKS; i++)
		blocks[i] = calloc(1, BLOCK);
	for (i = 0; i + 1 < BLOCKS; i++)
		free(blocks[i]);
	return blocks[BLOCKS - 1];
}

Test(lean, gives_back_and_rests)
{
	struct event_base *base = event_base_new();
	long before = resident(), after;
	void *last;

	lean_start(base);
	last = work();
	lean_work();
	cr_expect_gt(resident() - before, 3000);
	/* Ends when the timer rests. */
	cr_expect_eq(event_base_dispatch(base), 1);
	after = resident();
	if (!HAS_ASAN) /* its heap keeps what is freed */
		cr_expect_lt(after - before, 500, "%ld pages more",
		    after - before);
	free(last);
}

Test(lean, work_before_the_start_is_none)
{
	lean_work();
}
