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
#include "t/unit/said.h"

#define FOLDER "a folder that can be made and given to the placer"

enum {
	PLACER = 61003, /* UIDS' default, for root */
};

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

/* "" in error: it is taken. */
static void
is_opened(const char *error)
{
	struct why why = { 0 };
	struct house h;

	cr_expect_eq(house_open(&h, &s, PROC_SUPERVISOR, &why),
	    error[0] == '\0' ? 0 : -1);
	cr_expect_str_eq(why.text, error);
	house_close(&h, &s);
}

static void
only_state(const char *path)
{
	give(SET_STATE_DIR, path);
	give(SET_LISTEN, "");
	give(SET_CONTROL_SOCKET, "");
	give(SET_PING_SOCKET, "");
}

static void
opens(const char *state, const char *error)
{
	only_state(state);
	is_opened(error);
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

/* As in a container whose root has no such rights. */
static void
drop_rights(void)
{
	struct __user_cap_header_struct header = {
		.version = _LINUX_CAPABILITY_VERSION_3
	};
	const struct __user_cap_data_struct none[2] = { { 0 } };

	cr_assert_eq(syscall(SYS_capset, &header, none), 0);
}

Test(supervisor_house, a_folder_that_cannot_be_given_is_refused)
{
	AUTO_FREE char *error = xasprintf("STATE_DIR=%s: must be " FOLDER
					  ": Operation not permitted",
	    folder);

	if (geteuid() != 0)
		cr_skip_test("for root, who could give it away");
	drop_rights();
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

#define NO_PLACE "/dev/null/socket"

Test(supervisor_house, what_is_no_place_for_a_socket_is_refused)
{
	static const enum setting sockets[] = { SET_CONTROL_SOCKET,
		SET_PING_SOCKET };
	size_t i;

	for (i = 0; i < sizeof(sockets) / sizeof(sockets[0]); i++) {
		AUTO_FREE char *error =
		    xasprintf("%s=" NO_PLACE ": must be where a socket can be "
			      "made: Not a directory",
			settings_name(sockets[i]));

		only_state(folder);
		give(sockets[i], NO_PLACE);
		s.given[sockets[i]] = 1;
		is_opened(error);
		/* The default one is no reason not to start. */
		s.given[sockets[i]] = 0;
		said_start();
		is_opened("");
		cr_expect_str_eq(said(),
		    i == 0 ? "no control socket for vkfctl at " NO_PLACE
			     ": Not a directory\n" :
			     "");
		said_stop();
	}
}

Test(supervisor_house, a_group_of_others_is_refused)
{
	AUTO_FREE char *state = xasprintf("%s/state", folder);
	AUTO_FREE char *control = xasprintf("%s/control.sock", folder);

	cr_assert_eq(mkdir(state, 0700), 0);
	if (geteuid() == 0)
		cr_assert_eq(chown(state, PLACER, PLACER), 0);
	drop_rights();
	only_state(state);
	give(SET_CONTROL_SOCKET, control);
	give(SET_CONTROL_GROUP, "61009");
	is_opened("CONTROL_GROUP=61009: must be a group that the socket can be "
		  "given to: Operation not permitted");
	cr_expect_eq(rmdir(state), 0);
}
