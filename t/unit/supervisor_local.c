/* SPDX-License-Identifier: ISC */
/* Whose a socket's path is, and who is at the other end. */
#include "supervisor/local.h"

#include <sys/stat.h>

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char folder[] = "/tmp/vk-local.XXXXXX";
static char path[64], file[64];

static void
begin(void)
{
	cr_assert(mkdtemp(folder) != NULL);
	(void)snprintf(path, sizeof(path), "%s/a/b/link.sock", folder);
	(void)snprintf(file, sizeof(file), "%s/file", folder);
}

static void
end(void)
{
	char below[64];

	(void)unlink(path);
	(void)unlink(file);
	(void)snprintf(below, sizeof(below), "%s/a/b", folder);
	(void)rmdir(below);
	below[strlen(below) - 2] = '\0';
	(void)rmdir(below);
	cr_assert(rmdir(folder) == 0);
}

TestSuite(supervisor_local, .init = begin, .fini = end);

Test(supervisor_local, both_ends_see_who_the_other_is)
{
	int listener, a, b;
	struct stat st;
	uid_t uid = 1;

	cr_assert(local_connect(path) == -1 && errno == ENOENT);
	cr_assert((listener = local_listen(path, 0666)) != -1);
	cr_assert(stat(path, &st) == 0 && (st.st_mode & 0777) == 0666);
	cr_assert((a = local_connect(path)) != -1);
	cr_assert(local_peer(a, &uid) == 0 && uid == geteuid());
	uid = 1;
	cr_assert((b = local_accept(listener)) != -1);
	cr_assert(local_peer(b, &uid) == 0 && uid == geteuid());
	cr_assert(close(a) == 0 && close(b) == 0 && close(listener) == 0);
}

Test(supervisor_local, what_an_earlier_run_left_is_replaced)
{
	int listener;

	cr_assert((listener = local_listen(path, 0600)) != -1);
	cr_assert(close(listener) == 0);
	cr_assert(local_connect(path) == -1 && errno == ECONNREFUSED);
	cr_assert((listener = local_listen(path, 0600)) != -1);
	cr_assert(close(local_connect(path)) == 0);
	cr_assert(close(listener) == 0);
}

Test(supervisor_local, what_is_not_ours_to_take_stays)
{
	int listener, fd;

	cr_assert((listener = local_listen(path, 0600)) != -1);
	cr_assert(local_listen(path, 0600) == -1 && errno == EADDRINUSE);
	cr_assert((fd = local_connect(path)) != -1);
	cr_assert(close(fd) == 0 && close(listener) == 0);
	cr_assert(fclose(fopen(file, "w")) == 0);
	cr_assert(local_listen(file, 0600) == -1 && errno == EADDRINUSE);
	cr_assert(access(file, F_OK) == 0);
}

Test(supervisor_local, a_path_that_is_too_long)
{
	char name[200];

	memset(name, 'x', sizeof(name) - 1);
	name[0] = '/';
	name[sizeof(name) - 1] = '\0';
	cr_assert(local_listen(name, 0600) == -1 && errno == ENAMETOOLONG);
	cr_assert(local_connect(name) == -1 && errno == ENAMETOOLONG);
}
