/* SPDX-License-Identifier: ISC */
/* What a history of devices shows: who was where, and how often started. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <unistd.h>

#include "t/it/diary.h"
#include "t/it/it.h"

#define A "k8s-default-a-aaaaaaaa"
#define B "k8s-default-b-bbbbbbbb"

static struct diary_faults
read_it(const char *text)
{
	char path[] = "/tmp/vk-diary.XXXXXX";
	struct diary_faults f;
	int fd = mkstemp(path);

	cr_assert(fd != -1);
	close(fd);
	it_write(path, text);
	diary_open(path);
	diary_expect("aaaaaaaa-1", 1);
	diary_expect("bbbbbbbb-2", 2);
	f = diary_judge();
	unlink(path);
	return f;
}

#define IS(f, d, r, l, s)                                                \
	cr_assert((f).doubled == (d) && (f).restarts == (r) &&           \
		(f).lost == (l) && (f).strange == (s),                   \
	    "doubled %u, restarts %u, lost %u, strange %u", (f).doubled, \
	    (f).restarts, (f).lost, (f).strange)

/* B gets another image: it is started twice, on the device where it is. */
#define FIRST                                      \
	"d-0 spec " A "\n"                         \
	"d-1 spec other " B "\n"                   \
	"d-0 runs " A "=Preparing\n"               \
	"d-1 runs other=Running " B "=Preparing\n" \
	"d-0 runs " A "=Starting\n"                \
	"d-0 runs " A "=Running\n"                 \
	"d-1 runs other=Running " B "=Running\n"   \
	"d-1 runs other=Running " B "=Preparing\n"
#define LAST                       \
	"d-0 spec\n"               \
	"d-1 spec other\n"         \
	"d-1 runs other=Running\n" \
	"d-0 runs\n"

Test(diary, nothing_wrong)
{
	struct diary_faults f = read_it(FIRST LAST);

	IS(f, 0, 0, 0, 0);
}

Test(diary, wanted_on_a_second_device)
{
	struct diary_faults f =
	    read_it(FIRST "d-2 spec " A "\nd-2 spec\n" LAST);

	IS(f, 1, 0, 0, 0);
}

Test(diary, on_a_second_one_before_the_first_has_ended_it)
{
	struct diary_faults f =
	    read_it(FIRST "d-0 spec\nd-2 spec " A "\nd-2 spec\n" LAST);

	IS(f, 1, 0, 0, 0);
}

Test(diary, started_once_too_often)
{
	struct diary_faults f =
	    read_it(FIRST "d-0 runs " A "=Preparing\n" LAST);

	IS(f, 0, 1, 0, 0);
}

Test(diary, away_and_started_again)
{
	struct diary_faults f =
	    read_it(FIRST "d-0 runs\nd-0 runs " A "=Running\n" LAST);

	IS(f, 0, 1, 0, 0);
}

Test(diary, never_started)
{
	struct diary_faults f = read_it(LAST);

	IS(f, 0, 0, 2, 0);
}

Test(diary, stays_and_is_of_nobody)
{
	struct diary_faults f =
	    read_it(FIRST "d-0 spec " A " k8s-default-c-cccccccc\n");

	/* that one, and A and B that nobody took away */
	IS(f, 0, 0, 0, 3);
}
