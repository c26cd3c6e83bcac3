/* SPDX-License-Identifier: ISC */
/*
 * The sandbox, tried from inside: each probe in a child that has sealed
 * itself.  A call that no row of the table names must end the child.
 */
#include "common/sandbox.h"

#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/filter.h"
#include "common/landlock.h"
#include "common/log.h"
#include "t/unit/refuse.h"

/* What became of a child: 0 it could, an errno, or -SIGNAL. */
static int
outcome(pid_t pid)
{
	int status;

	cr_assert(waitpid(pid, &status, 0) == pid);
	return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

static long
call(long nr, long a, long b, long c, long d)
{
	return syscall(nr, a, b, c, d, 0, 0);
}

/* --- the compiler, with tables of its own --------------------------------- */

static int
under(const struct filter_rule *rules, size_t n, long nr, long a, long b)
{
	struct sock_filter prog[FILTER_FIXED + 8 * FILTER_RULE_MAX];
	struct sock_fprog fp = { .filter = prog };
	pid_t pid;

	cr_assert(n <= 8);
	fp.len = (unsigned short)filter_compile(FILTER_HERE, rules, n, prog);
	cr_assert(fp.len <= sizeof(prog) / sizeof(prog[0]));
	if ((pid = fork()) > 0)
		return outcome(pid);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1 ||
	    syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &fp) == -1)
		_exit(255);
	syscall(SYS_exit_group, call(nr, a, b, 0, 0) == -1 ? errno : 0);
	_exit(254);
}

#define EXIT                                    \
	{                                       \
		SYS_exit_group, 0, IF_ANY, 0, 0 \
	}

Test(common_sandbox, unlisted_calls_end_the_process)
{
	static const struct filter_rule rules[] = { EXIT,
		{ SYS_getppid, 0, IF_ANY, 0, 0 },
		{ SYS_getuid, EPERM, IF_ANY, 0, 0 } };

	cr_assert(under(rules, 3, SYS_getppid, 0, 0) == 0);
	cr_assert(under(rules, 3, SYS_getuid, 0, 0) == EPERM);
	cr_assert(under(rules, 3, SYS_getgid, 0, 0) == -SIGSYS);
	cr_assert(under(rules, 3, 100000, 0, 0) == ENOSYS);
}

Test(common_sandbox, conditions)
{
	static const struct filter_rule equal[] = { EXIT,
		{ SYS_fcntl, EDOM, IF_EQUAL, 1, 0x1234500000007 } };
	static const struct filter_rule clear[] = { EXIT,
		{ SYS_fcntl, EDOM, IF_CLEAR, 1, 6 } };
	static const struct filter_rule set[] = { EXIT,
		{ SYS_fcntl, EDOM, IF_SET, 1, 6 } };
	static const struct filter_rule some[] = { EXIT,
		{ SYS_fcntl, EDOM, IF_SOME, 1, 6 } };

	cr_assert(under(equal, 2, SYS_fcntl, 0, 0x1234500000007) == EDOM);
	cr_assert(under(equal, 2, SYS_fcntl, 0, 0x1234600000007) == -SIGSYS);
	cr_assert(under(equal, 2, SYS_fcntl, 0, 0x1234500000006) == -SIGSYS);
	cr_assert(under(clear, 2, SYS_fcntl, 0, 9) == EDOM);
	cr_assert(under(clear, 2, SYS_fcntl, 0, 2) == -SIGSYS);
	cr_assert(under(clear, 2, SYS_fcntl, 0, 7) == -SIGSYS);
	cr_assert(under(set, 2, SYS_fcntl, 0, 7) == EDOM);
	cr_assert(under(set, 2, SYS_fcntl, 0, 2) == -SIGSYS);
	cr_assert(under(set, 2, SYS_fcntl, 0, 8) == -SIGSYS);
	cr_assert(under(some, 2, SYS_fcntl, 0, 2) == EDOM);
	cr_assert(under(some, 2, SYS_fcntl, 0, 7) == EDOM);
	cr_assert(under(some, 2, SYS_fcntl, 0, 9) == -SIGSYS);
}

Test(common_sandbox, first_row_that_holds_decides)
{
	static const struct filter_rule rules[] = { EXIT,
		{ SYS_fcntl, EDOM, IF_EQUAL, 1, 1 },
		{ SYS_fcntl, ERANGE, IF_SOME, 1, 3 },
		{ SYS_getppid, 0, IF_ANY, 0, 0 },
		{ SYS_fcntl, EILSEQ, IF_ANY, 0, 0 } };

	cr_assert(under(rules, 5, SYS_fcntl, 0, 1) == EDOM);
	cr_assert(under(rules, 5, SYS_fcntl, 0, 2) == ERANGE);
	cr_assert(under(rules, 5, SYS_fcntl, 0, 4) == EILSEQ);
	/* The number is still there after conditions that did not hold. */
	cr_assert(under(rules, 5, SYS_getppid, 0, 0) == 0);
}

/* --- the workers' own tables
 * -------------------------------------------------- */

static struct settings set;
static char folder[] = "/tmp/vk-sandbox.XXXXXX";
static char token[64];

static void
begin(void)
{
	struct why why;
	int fd;

	settings_init(&set);
	cr_assert(mkdtemp(folder) != NULL);
	cr_assert(chmod(folder, 0755) == 0);
	(void)snprintf(token, sizeof(token), "%s/token", folder);
	fd = open(token, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	cr_assert(fd != -1 && close(fd) == 0);
	cr_assert(settings_set(&set, SET_FLIGHTCTL_AUTH_TOKEN_FILE, token,
		      &why) == 0);
}

static void
end(void)
{
	cr_assert(unlink(token) == 0 && rmdir(folder) == 0);
	settings_free(&set);
}

TestSuite(sealed, .init = begin, .fini = end, .timeout = 60);

static int
sealed(enum proc p, int (*probe)(void))
{
	struct why why;
	pid_t pid;

	if ((pid = fork()) > 0)
		return outcome(pid);
	if (sandbox_early(&why) == -1 || sandbox_seal(p, &set, &why) == -1)
		_exit(255);
	_exit(probe());
}

#define PROBE(name, expression)                        \
	static int name(void)                          \
	{                                              \
		return (expression) == -1 ? errno : 0; \
	}
PROBE(nothing, 0)
PROBE(read_token, open(token, O_RDONLY))
PROBE(write_token, open(token, O_WRONLY))
PROBE(read_etc, open("/etc/nsswitch.conf", O_RDONLY))
PROBE(read_proc, open("/proc/self/environ", O_RDONLY))
PROBE(make_file, open("/tmp/vk-sandbox-made", O_WRONLY | O_CREAT, 0600))
PROBE(remove_token, unlink(token))
PROBE(make_folder, mkdir("/tmp/vk-sandbox-made", 0700))
PROBE(tcp, socket(AF_INET, SOCK_STREAM, IPPROTO_TCP))
PROBE(udp6, socket(AF_INET6, SOCK_DGRAM, 0))
PROBE(mptcp, socket(AF_INET, SOCK_STREAM, 262))
PROBE(sctp, socket(AF_INET, SOCK_STREAM, IPPROTO_SCTP))
PROBE(ping, socket(AF_INET, SOCK_DGRAM, IPPROTO_ICMP))
PROBE(unix_socket, socket(AF_UNIX, SOCK_STREAM, 0))
PROBE(netlink, socket(AF_NETLINK, SOCK_RAW, 0))
PROBE(packet, socket(AF_PACKET, SOCK_RAW, 0))
PROBE(bind_port, bind(0, NULL, 0))
PROBE(listen_port, listen(0, 1))
PROBE(accept_one, accept(0, NULL, NULL))
PROBE(fast_open, sendto(0, "", 1, MSG_FASTOPEN, NULL, 0))
PROBE(connect_nowhere, connect(0, NULL, 0))
PROBE(execute, execl("/bin/true", "true", NULL))
PROBE(fork_child, (int)call(SYS_clone, SIGCHLD, 0, 0, 0))
PROBE(fork_child3, (int)call(SYS_clone3, 0, 0, 0, 0))
PROBE(trace, (int)call(SYS_ptrace, 0, 0, 0, 0))
PROBE(kill_parent, kill(getppid(), 0))
PROBE(signal_parent, (int)call(SYS_tgkill, getppid(), getppid(), 0, 0))
PROBE(new_code,
    mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1,
	0) == MAP_FAILED ?
	-1 :
	0)
PROBE(be_root, setuid(0))
PROBE(unshare_users, unshare(CLONE_NEWUSER))
PROBE(ring, (int)call(SYS_io_uring_setup, 1, 0, 0, 0))
PROBE(type_ahead, ioctl(0, TIOCSTI, "x"))
PROBE(undump, prctl(PR_SET_DUMPABLE, 1))
PROBE(newer, (int)call(5000, 0, 0, 0, 0))
PROBE(give_up, (abort(), 0))

Test(sealed, probes)
{
	const int killed = -SIGSYS;
	const struct {
		const char *name;
		int (*probe)(void);
		int key_holder; /* outcome of both key holders */
		int placer;
	} rows[] = {
		{ "nothing", nothing, 0, 0 },
		{ "read_token", read_token, 0, EACCES },
		{ "write_token", write_token, EACCES, EACCES },
		{ "read_etc", read_etc, 0, EACCES },
		{ "read_proc", read_proc, EACCES, EACCES },
		{ "make_file", make_file, EACCES, EACCES },
		{ "remove_token", remove_token, EACCES, EACCES },
		{ "make_folder", make_folder, killed, killed },
		{ "tcp", tcp, 0, killed },
		{ "udp6", udp6, 0, killed },
		{ "mptcp", mptcp, EPROTONOSUPPORT, killed },
		{ "sctp", sctp, EPROTONOSUPPORT, killed },
		{ "ping", ping, EPROTONOSUPPORT, killed },
		{ "unix_socket", unix_socket, EAFNOSUPPORT, killed },
		{ "netlink", netlink, EAFNOSUPPORT, killed },
		{ "packet", packet, EAFNOSUPPORT, killed },
		{ "bind_port", bind_port, killed, killed },
		{ "listen_port", listen_port, killed, killed },
		{ "accept_one", accept_one, killed, killed },
		{ "fast_open", fast_open, EOPNOTSUPP, killed },
		{ "connect_nowhere", connect_nowhere, ENOTSOCK, killed },
		{ "execute", execute, killed, killed },
		{ "fork_child", fork_child, killed, killed },
		{ "fork_child3", fork_child3, ENOSYS, killed },
		{ "trace", trace, killed, killed },
		{ "kill_parent", kill_parent, killed, killed },
		{ "signal_parent", signal_parent, killed, killed },
		{ "new_code", new_code, EPERM, EPERM },
		{ "be_root", be_root, killed, killed },
		{ "unshare_users", unshare_users, killed, killed },
		{ "ring", ring, killed, killed },
		{ "type_ahead", type_ahead, ENOTTY, ENOTTY },
		{ "undump", undump, EPERM, EPERM },
		{ "newer", newer, ENOSYS, ENOSYS },
		{ "give_up", give_up, -SIGABRT, -SIGABRT },
	};
	size_t i;
	int got;

	if (!sandbox_seals())
		cr_skip_test("this build is not sealed");
	/* connect() and its like are asked of something that is no socket. */
	cr_assert(dup2(open("/dev/null", O_RDWR), 0) == 0);
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (landlock_abi() == 0 && rows[i].key_holder == EACCES)
			continue;
		got = sealed(PROC_KUBESIDE, rows[i].probe);
		cr_assert(got == rows[i].key_holder, "kubeside %s: %d",
		    rows[i].name, got);
		got = sealed(PROC_FLIGHTSIDE, rows[i].probe);
		cr_assert(got == rows[i].key_holder, "flightside %s: %d",
		    rows[i].name, got);
		got = sealed(PROC_PLACER, rows[i].probe);
		cr_assert(got == rows[i].placer, "placer %s: %d", rows[i].name,
		    got);
	}
}

enum {
	K = 1 << PROC_KUBESIDE,
	F = 1 << PROC_FLIGHTSIDE,
	P = 1 << PROC_PLACER,
	CALLS = 460
};

static unsigned int listed[CALLS];
static long asked;

static int
ask(void)
{
	(void)call(asked, -1, -1, -1, -1);
	return 0;
}

/* Every call there is, but those that a row names. */
Test(sealed, whatever_is_not_in_the_table_ends_the_process)
{
	enum proc p;
	int got;

#define ALLOW(who, name) listed[SYS_##name] |= who;
#define ALLOW_IF(who, name, ...) listed[SYS_##name] |= who;
#define REFUSE(who, name, ...) listed[SYS_##name] |= who;
#define REFUSE_IF(who, name, ...) listed[SYS_##name] |= who;
#define SELDOM(who, why)
#include "common/sandbox.def"

	if (!sandbox_seals())
		cr_skip_test("this build is not sealed");
	for (p = PROC_KUBESIDE; p <= PROC_PLACER; p++)
		for (asked = 0; asked < SYS_futex_waitv; asked++) {
			/* 335 and 336 never come to a filter. */
			if ((listed[asked] & 1u << p) != 0 || asked == 335 ||
			    asked == 336)
				continue;
			got = sealed(p, ask);
			cr_assert(got == -SIGSYS, "%s, call %ld: %d",
			    proc_name(p), asked, got);
		}
}

/* A file of which the worker itself said so stays readable. */
static char extra[64], link_to_it[64];

PROBE(read_extra, open(extra, O_RDONLY))
PROBE(read_link, open(link_to_it, O_RDONLY))

Test(sealed, files_that_a_worker_names_stay_readable)
{
	char other[] = "/tmp/vk-sandbox.XXXXXX";
	char links[] = "/tmp/vk-sandbox.XXXXXX";

	if (!sandbox_seals() || landlock_abi() == 0)
		cr_skip_test("this build or this kernel");
	cr_assert(mkdtemp(other) != NULL && mkdtemp(links) != NULL);
	(void)snprintf(extra, sizeof(extra), "%s/ca.crt", other);
	(void)snprintf(link_to_it, sizeof(link_to_it), "%s/ca.crt", links);
	cr_assert(close(open(extra, O_WRONLY | O_CREAT, 0644)) == 0);
	cr_assert(symlink(extra, link_to_it) == 0);
	cr_assert(sealed(PROC_KUBESIDE, read_extra) == EACCES);
	cr_assert(sealed(PROC_KUBESIDE, read_link) == EACCES);
	sandbox_reads(link_to_it);
	cr_assert(sealed(PROC_KUBESIDE, read_link) == 0);
	cr_assert(sealed(PROC_KUBESIDE, read_extra) == 0);
	cr_assert(sealed(PROC_PLACER, read_extra) == EACCES);
	cr_assert(unlink(extra) == 0 && rmdir(other) == 0);
	cr_assert(unlink(link_to_it) == 0 && rmdir(links) == 0);
}

/* --- what the containers of a Pod share: its network -----------------------
 */

static struct sockaddr_in ours, theirs;

/* A port of the loopback that somebody listens at. */
static int
listener(struct sockaddr_in *sin)
{
	socklen_t len = sizeof(*sin);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	*sin = (struct sockaddr_in){ .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	cr_assert(bind(fd, (struct sockaddr *)sin, sizeof(*sin)) == 0);
	cr_assert(listen(fd, 4) == 0);
	cr_assert(getsockname(fd, (struct sockaddr *)sin, &len) == 0);
	return fd;
}

static int
reach(const struct sockaddr_in *sin)
{
	return connect(socket(AF_INET, SOCK_STREAM, 0),
	    (const struct sockaddr *)sin, sizeof(*sin));
}

PROBE(reach_ours, reach(&ours))
PROBE(reach_theirs, reach(&theirs))

static int
reach_later(void)
{
	return -sandbox_reaches(ntohs(theirs.sin_port));
}

Test(sealed, key_holders_connect_to_their_port_and_no_other)
{
	int a = listener(&ours), b = listener(&theirs);
	enum proc p;

	if (!sandbox_seals() || landlock_abi() < LANDLOCK_TCP)
		cr_skip_test("this build or this kernel");
	cr_assert(sandbox_reaches(ntohs(ours.sin_port)) == 0);
	for (p = PROC_KUBESIDE; p <= PROC_FLIGHTSIDE; p++) {
		cr_assert(sealed(p, reach_ours) == 0);
		cr_assert(sealed(p, reach_theirs) == EACCES);
		cr_assert(sealed(p, reach_later) == 1);
	}
	cr_assert(sealed(PROC_PLACER, reach_ours) == -SIGSYS);
	cr_assert(close(a) == 0 && close(b) == 0);
}

/* --- a host that refuses a layer ------------------------------------------ */

static const struct {
	int call;
	unsigned int argument;
	uint32_t value;
	int seals; /* early, else */
	const char *what;
} refusals[] = {
	{ SYS_prlimit64, 1, RLIMIT_CORE, 0, "RLIMIT_CORE" },
	{ SYS_prctl, 0, PR_SET_DUMPABLE, 0, "PR_SET_DUMPABLE" },
	{ SYS_prctl, 0, PR_SET_NO_NEW_PRIVS, 0, "PR_SET_NO_NEW_PRIVS" },
	{ SYS_prlimit64, 1, RLIMIT_NOFILE, 1, "RLIMIT_NOFILE" },
	{ SYS_prlimit64, 1, RLIMIT_NPROC, 1, "RLIMIT_NPROC" },
};

static __attribute__((noreturn)) void
tell_refusal(size_t i, int to)
{
	struct settings s;
	struct why why = { 0 };

	settings_init(&s);
	refuse_call(refusals[i].call, refusals[i].argument, refusals[i].value);
	if ((refusals[i].seals ? sandbox_seal(PROC_PLACER, &s, &why) :
				 sandbox_early(&why)) == -1)
		(void)dprintf(to, "%s", why.text);
	_exit(0);
}

Test(common_sandbox, a_layer_that_is_refused_is_named)
{
	char want[128], text[sizeof(want)];
	int fds[2];
	ssize_t n;
	size_t i;
	pid_t pid;

	if (!sandbox_seals())
		cr_skip_test("this build");
	for (i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
		cr_assert(pipe(fds) == 0);
		if ((pid = fork()) == 0)
			tell_refusal(i, fds[1]);
		close(fds[1]);
		n = read(fds[0], text, sizeof(text) - 1);
		text[n < 0 ? 0 : n] = '\0';
		close(fds[0]);
		cr_assert(outcome(pid) == 0);
		(void)snprintf(want, sizeof(want),
		    "sandbox: %s: Operation not permitted", refusals[i].what);
		cr_expect_str_eq(text, want);
	}
}
