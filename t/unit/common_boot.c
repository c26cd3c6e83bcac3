/* SPDX-License-Identifier: ISC */
/*
 * What a worker makes of frames that its supervisor does not send, and its
 * peers neither: it says which, and ends, or ends the link.
 */
#include <sys/prctl.h>
#include <sys/syscall.h>

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/auto.h"
#include "common/boot.h"
#include "common/xmem.h"
#include "ipc/build.h"
#include "t/unit/refuse.h"
#include "t/unit/worker.h"

enum {
	NOBODY = 99,
	PINGS = 300000, /* more answers than may wait */
};

static struct wire control, link_;
static char folder[32], text[4096];

static void
begin(void)
{
	(void)snprintf(folder, sizeof(folder), "/tmp/boot.XXXXXX");
	cr_assert_not_null(mkdtemp(folder));
}

static void
end(void)
{
	AUTO_FREE char *rm = xasprintf("rm -rf %s", folder);

	cr_expect_eq(system(rm), 0);
}

TestSuite(boot, .init = begin, .fini = end, .timeout = 60);

/* The placer, which wants no server. */
static void
placer(int go)
{
	AUTO_FREE char *state = xasprintf("STATE_DIR=%s", folder);

	worker_start(&control, PROC_PLACER, (const char *[]){ state, NULL });
	if (go)
		worker_go(&control);
}

static int
null_fd(void)
{
	int fd = open("/dev/null", O_RDWR | O_CLOEXEC);

	cr_assert_neq(fd, -1);
	return fd;
}

/* -- of the supervisor -- */

Test(boot, what_the_supervisor_does_not_say_ends_it)
{
	static const struct {
		enum msg_type type;
		int go, fd;
		union {
			struct body_config config;
			struct body_listener listener;
			struct body_link link;
			struct body_crew crew;
			struct body_trouble trouble;
		} body;
		const char *line;
	} frames[] = {
		{ MSG_CONFIG, 0, 0, { .config = { "KUBECONFIG", "/x" } },
		    "CONFIG: KUBECONFIG is not for placer" },
		{ MSG_CONFIG, 0, 0, { .config = { "NO_SUCH", "1" } },
		    "CONFIG: NO_SUCH is not for placer" },
		{ MSG_CONFIG, 1, 0, { .config = { "LOG_LEVEL", "loud" } },
		    "CONFIG: LOG_LEVEL=loud: must be one of error, warn, "
		    "info, debug" },
		{ MSG_LISTENER, 0, 1, { .listener = { NOBODY } },
		    "malformed LISTENER of supervisor" },
		{ MSG_LINK, 1, 1, { .link = { NOBODY, 1 } },
		    "malformed LINK of supervisor" },
		{ MSG_CREW, 1, 0, { .crew = { .who = PROC_SUPERVISOR } },
		    "malformed CREW of supervisor" },
		{ MSG_TROUBLE, 1, 0, { .trouble = { .who = NOBODY } },
		    "malformed TROUBLE of supervisor" },
	};
	size_t i;

	for (i = 0; i < sizeof(frames) / sizeof(frames[0]); i++) {
		placer(frames[i].go);
		wire_send(&control, frames[i].type, 0, &frames[i].body,
		    frames[i].fd ? null_fd() : -1);
		worker_says(&control, frames[i].line);
		cr_expect_eq(worker_ends(&control, text, sizeof(text)), 1);
		cr_expect_str_eq(text, "");
	}
}

#define NO_TYPE "\0\0\0\0\0\0\3\347\0\0\0\0\0\0\0\0" /* 999 */

/* Nobody is there to be told but standard error. */
Test(boot, bytes_that_are_no_frame_end_it)
{
	static const char line[] =
	    " error placer: the control link is over error=\"refused frame of "
	    "supervisor: TYPE (type 999, 0 bytes)\"\n";

	placer(1);
	wire_bytes(&control, NO_TYPE, FRAME_HEAD);
	cr_expect_eq(worker_ends(&control, text, sizeof(text)), 1);
	cr_expect_not_null(strstr(text, line), "%s", text);
}

/* A supervisor that reads nothing for a while. */
Test(boot, lines_that_are_lost_are_counted)
{
	const struct body_none none = { 0 };
	size_t i;

	placer(1);
	for (i = 0; i < PINGS; i++)
		wire_send(&control, MSG_PING, 1, &none, -1);
	worker_link(&control, &link_, PROC_KUBESIDE, "foreign");
	worker_says(&control, "1 log lines were lost");
	wire_send(&control, MSG_STOP, 0, &none, -1);
	cr_expect_eq(worker_ends(&control, text, sizeof(text)), 0);
	wire_close(&link_);
}

/* -- of the system -- */

static void
refuse_no_new_privs(void)
{
	refuse_call(SYS_prctl, 0, PR_SET_NO_NEW_PRIVS);
}

/* Before it has a log. */
Test(boot, without_its_first_layer_it_does_not_begin)
{
	worker_prepares = refuse_no_new_privs;
	worker_start(&control, PROC_PLACER, (const char *[]){ NULL });
	cr_expect_eq(worker_ends(&control, text, sizeof(text)), 1);
	cr_expect_not_null(
	    strstr(text,
		" error placer: placer cannot start "
		"operation=\"start\" error=\"sandbox: "
		"PR_SET_NO_NEW_PRIVS: Operation not permitted\"\n"),
	    "%s", text);
}

/* -- of a peer -- */

Test(boot, a_link_that_ends_by_its_frames_is_told)
{
	AUTO_FREE char *foreign =
	    xasprintf("no link with kubeside: another build: kubeside is of a "
		      "foreign build another, this is %s",
		build_id);

	placer(1);
	worker_link(&control, &link_, PROC_KUBESIDE, "another");
	worker_says(&control, foreign);
	wire_close(&link_);
	worker_link(&control, &link_, PROC_KUBESIDE, build_id);
	wire_bytes(&link_, NO_TYPE, FRAME_HEAD);
	worker_says(&control,
	    "kubeside sent what it may not: the link ends: refused frame of "
	    "kubeside: TYPE (type 999, 0 bytes)");
	wire_close(&link_);
	wire_send(&control, MSG_STOP, 0, &(struct body_none){ 0 }, -1);
	cr_expect_eq(worker_ends(&control, text, sizeof(text)), 0);
}

/* Its request is answered with that. */
static void
is_done(uint64_t request, enum why_kind kind, const char *why)
{
	struct body_done m;
	uint64_t id;

	cr_assert_eq(body_done_get(wire_next(&link_, MSG_DONE, &id), &m), 0);
	cr_expect_eq(id, request);
	cr_expect_eq(m.kind, (uint32_t)kind);
	cr_expect_str_eq(m.text, why);
}

Test(boot, what_flightside_does_for_no_placer)
{
	static const char *const settings[] = {
		"FLIGHTCTL_API_URL=http://127.0.0.1:1", NULL
	};
	struct body_read read = { .names = span_of("E_\n") };

	worker_start(&control, PROC_FLIGHTSIDE, settings);
	worker_go(&control);
	worker_link(&control, &link_, PROC_PLACER, build_id);
	wire_send(&link_, MSG_READ, 7, &read, -1);
	is_done(7, ERR_FORMAT, "not the name of a device");
	wire_send(&link_, MSG_CLUSTER, 0, &(struct body_cluster){ "one" }, -1);
	wire_send(&link_, MSG_CLUSTER, 0, &(struct body_cluster){ "two" }, -1);
	worker_says(&control,
	    "cluster id two is not the one that was heard first: refused "
	    "until this process starts anew");
	wire_close(&link_);
	wire_send(&control, MSG_STOP, 0, &(struct body_none){ 0 }, -1);
	cr_expect_eq(worker_ends(&control, text, sizeof(text)), 0);
}

Test(boot, what_kubeside_does_for_no_placer)
{
	static const char *const settings[] = {
		"KUBECONFIG=/nonexistent/config", "NODE_NAME=ours", NULL
	};
	struct body_pod_status status = { .node = "theirs",
		.ns = "n",
		.name = "p",
		.status = span_of("{}") };
	struct body_pod_delete delete = { .node = "theirs",
		.ns = "n",
		.name = "p" };
	struct body_get_object object = { .kind = OBJECT_SECRET,
		.ns = "n",
		.name = "s" };

	worker_start(&control, PROC_KUBESIDE, settings);
	worker_go(&control);
	worker_link(&control, &link_, PROC_PLACER, build_id);
	wire_send(&link_, MSG_POD_STATUS, 5, &status, -1);
	is_done(5, ERR_DENIED, "theirs: not a node of ours");
	wire_send(&link_, MSG_POD_DELETE, 6, &delete, -1);
	is_done(6, ERR_DENIED, "theirs: not a node of ours");
	wire_send(&link_, MSG_GET_OBJECT, 7, &object, -1);
	is_done(7, ERR_DENIED, "n/s: only with SECRETS=inline");
	wire_close(&link_);
	wire_send(&control, MSG_STOP, 0, &(struct body_none){ 0 }, -1);
	cr_expect_eq(worker_ends(&control, text, sizeof(text)), 0);
}
