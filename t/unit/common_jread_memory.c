/* SPDX-License-Identifier: ISC */
/*
 * common_jread_memory.c: each allocation fails once while a text is read and
 * written.  What comes of it is the whole text, or the end of the process by
 * its own word: never half of it, never a crash in json-c.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/jmake.h"
#include "common/jread.h"
#include "t/unit/leaks.h"

enum {
	WHOLE = 0,
	HALF = 1,
	REFUSED = 2,
	LEAST = 20, /* allocations of TEXT */
};

/* A field's name, one with an escape, a long string, a long array. */
#define TEXT                                                                  \
	"{\"a\":{\"b\\u00e9\":[1,2.5,true,null,3,4,5,6,7,8,9,10,11,12,13,14," \
	"15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31,32,33]},\"c\":\"" \
	"0123456789012345678901234567890123456789012345678901234567890123\"," \
	"\"d\":1,\"e\":1,\"f\":1,\"g\":1,\"h\":1,\"i\":1,\"j\":1,\"k\":1,"    \
	"\"l\":1,\"m\":1,\"n\":1,\"o\":1,\"p\":1,\"q\":1,\"r\":1,\"s\":1}"

static long left = -1; /* allocations until one fails; below 0: none does */

#if !HAS_ASAN
extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t);

static int
fails(void)
{
	if (left < 0 || left-- > 0)
		return 0;
	errno = ENOMEM;
	return 1;
}

void *
malloc(size_t size)
{
	return fails() ? NULL : __libc_malloc(size);
}

void *
calloc(size_t n, size_t size)
{
	return fails() ? NULL : __libc_calloc(n, size);
}

void *
realloc(void *p, size_t size)
{
	return fails() ? NULL : __libc_realloc(p, size);
}
#endif

/* The text of it, read and written anew. */
static char *
again(void)
{
	struct json_object *j = jread_parse(span_of(TEXT), NULL);

	return j != NULL ? jmake_text(&j) : NULL;
}

/* The child's end when its allocation n fails; *more: there was one. */
static int
again_with(long n, const char *want, int *more)
{
	int status, fds[2];
	char *got;
	pid_t pid;

	cr_assert_eq(pipe(fds), 0);
	if ((pid = fork()) == 0) {
		left = n;
		got = again();
		*more = left < 0;
		left = -1;
		(void)!write(fds[1], more, sizeof(*more));
		_exit(got == NULL	       ? REFUSED :
			strcmp(got, want) == 0 ? WHOLE :
						 HALF);
	}
	close(fds[1]);
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	if (read(fds[0], more, sizeof(*more)) != sizeof(*more))
		*more = 1;
	close(fds[0]);
	return status;
}

Test(common_jread_memory, whole_or_the_end)
{
	char *want = again();
	int status, more = 1, ends = 0;
	long n;

	if (HAS_ASAN)
		cr_skip_test("the allocator is not the test's");
	for (n = 0; more; n++) {
		status = again_with(n, want, &more);
		if (WIFSIGNALED(status)) {
			cr_assert_eq(WTERMSIG(status), SIGABRT,
			    "allocation %ld: signal %d", n, WTERMSIG(status));
			ends++;
		} else {
			cr_assert_eq(WEXITSTATUS(status), WHOLE,
			    "allocation %ld: %d", n, WEXITSTATUS(status));
		}
	}
	cr_assert_geq(ends, LEAST, "%d of %ld", ends, n);
	free(want);
}
