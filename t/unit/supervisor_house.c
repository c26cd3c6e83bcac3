/* SPDX-License-Identifier: ISC */
/* Which STATE_DIR, LISTEN and users will do, and what is said of others. */
#include "supervisor/house.h"

#include <sys/stat.h>
#include <sys/syscall.h>

#include <criterion/criterion.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/auto.h"
#include "common/xmem.h"

#define FOLDER "a folder that can be made and given to the placer"

static char folder[32];
static struct settings s;

static void
begin(void)
{
	(void)snprintf(folder, sizeof(folder), "/tmp/house.XXXXXX");
	cr_assert_not_null(mkdtemp(folder));
	settings_init(&s);
}

static void
end(void)
{
	settings_free(&s);
	cr_expect_eq(rmdir(folder), 0);
}

TestSuite(supervisor_house, .init = begin, .fini = end);

static void
give(enum setting i, const char *value)
{
	struct why why;

	cr_assert_eq(settings_set(&s, i, value, &why), 0, "%s", why.text);
}

/* All but STATE_DIR is off; "" in error: it is taken. */
static void
opens(const char *state, const char *error)
{
	struct why why = { 0 };
	struct house h;

	give(SET_STATE_DIR, state);
	give(SET_LISTEN, "");
	give(SET_CONTROL_SOCKET, "");
	give(SET_PING_SOCKET, "");
	cr_expect_eq(house_open(&h, &s, PROC_SUPERVISOR, &why),
	    error[0] == '\0' ? 0 : -1);
	cr_expect_str_eq(why.text, error);
	house_close(&h, &s);
}

Test(supervisor_house, what_is_no_folder_is_refused)
{
	AUTO_FREE char *file = xasprintf("%s/file", folder);
	AUTO_FREE char *link = xasprintf("%s/link", folder);
	AUTO_FREE char *below = xasprintf("%s/below", file);
	const char *const paths[] = { file, link, below };
	size_t i;

	close(open(file, O_CREAT | O_WRONLY, 0600));
	cr_assert_eq(symlink("/tmp", link), 0);
	for (i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		AUTO_FREE char *error =
		    xasprintf("STATE_DIR=%s: must be " FOLDER
			      ": Not a directory",
			paths[i]);

		opens(paths[i], error);
	}
	cr_expect_eq(unlink(link), 0);
	cr_expect_eq(unlink(file), 0);
}

/* So that no system folder is given away. */
Test(supervisor_house, a_folder_of_others_is_not_taken)
{
	AUTO_FREE char *file = xasprintf("%s/file", folder);
	AUTO_FREE char *error =
	    xasprintf("STATE_DIR=%s: must be empty, or the placer's: it "
		      "belongs to uid 0 and has other files",
		folder);

	if (geteuid() != 0)
		cr_skip_test("for root, who could give it away");
	close(open(file, O_CREAT | O_WRONLY, 0600));
	opens(folder, error);
	cr_expect_eq(unlink(file), 0);
	opens(folder, "");
}

/* In a container that root has no such right in. */
Test(supervisor_house, a_folder_that_cannot_be_given_is_refused)
{
	struct __user_cap_header_struct header = {
		.version = _LINUX_CAPABILITY_VERSION_3
	};
	const struct __user_cap_data_struct none[2] = { { 0 } };
	AUTO_FREE char *error = xasprintf("STATE_DIR=%s: must be " FOLDER
					  ": Operation not permitted",
	    folder);

	if (geteuid() != 0)
		cr_skip_test("for root, who could give it away");
	cr_assert_eq(syscall(SYS_capset, &header, none), 0);
	opens(folder, error);
}

Test(supervisor_house, what_is_taken_already_is_refused)
{
	struct why why;
	int fd;

	give(SET_LISTEN, "127.0.0.1:0");
	cr_assert_geq(fd = house_listen(&s, &why), 0);
	close(fd);
	give(SET_LISTEN, "192.0.2.1:80");
	cr_expect_eq(house_listen(&s, &why), -1);
	cr_expect_str_eq(why.text,
	    "LISTEN=192.0.2.1:80: must be an address and a port that are free: "
	    "Cannot assign requested address");
}
