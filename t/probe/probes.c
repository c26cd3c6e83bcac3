/* SPDX-License-Identifier: ISC */
/*
 * probes.c: each tries one way out and says how far it came.
 *
 * Owns what they try it on.  They run where libc's own calls may be forbidden,
 * so each asks the kernel by itself where that matters.
 */
#include "t/probe/probe.h"

#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct aims aims;
long audited;

enum {
	AUDIT_ARGUMENT = -1,
	NEWER_THAN_ALL = 5000,
	TCP_FASTOPEN_CONNECTS = 30,
	PROTOCOL_MPTCP = 262,
	PROTOCOL_SMC = 256,
	FAMILY_SMC = 43,
	FILES_ALLOWED = 512,
};

static const char some_file[] = "/etc/passwd";

static long
ask(long nr, long a, long b, long c, long d)
{
	return syscall(nr, a, b, c, d, 0, 0);
}

int
audit_call(void)
{
	long a = AUDIT_ARGUMENT;

	return syscall(audited, a, a, a, a, a, a) == -1 ? errno : 0;
}

static long
open_proc(pid_t pid, const char *file, int flags)
{
	char path[64];

	(void)snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, file);
	return open(path, flags | O_CLOEXEC);
}

static struct sockaddr_in
at_port(uint16_t port)
{
	return (struct sockaddr_in){ .sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
}

static long
reach(int fd, uint16_t port)
{
	const struct sockaddr_in sin = at_port(port);

	if (fd == -1)
		return -1;
	return connect(fd, (const struct sockaddr *)&sin, sizeof(sin));
}

static int
tcp(void)
{
	return socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
}

static int
fast(void)
{
	int fd = tcp();

	(void)setsockopt(fd, IPPROTO_TCP, TCP_FASTOPEN_CONNECTS, &(int){ 1 },
	    sizeof(int));
	return fd;
}

static long
reach_by_6(uint16_t port)
{
	struct sockaddr_in6 sin = { .sin6_family = AF_INET6,
		.sin6_port = htons(port) };
	int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);

	/* A kernel without IPv6 reaches nothing by it. */
	if (fd == -1 && errno == EAFNOSUPPORT)
		errno = EACCES;
	if (fd == -1)
		return -1;
	sin.sin6_addr.s6_addr[10] = sin.sin6_addr.s6_addr[11] = 0xff;
	sin.sin6_addr.s6_addr[12] = 127;
	sin.sin6_addr.s6_addr[15] = 1;
	return connect(fd, (const struct sockaddr *)&sin, sizeof(sin));
}

static struct msghdr
message_to_other(struct sockaddr_in *to, struct iovec *bytes)
{
	static char secret[] = "secret";

	*to = at_port(aims.other);
	*bytes = (struct iovec){ secret, sizeof(secret) };
	return (struct msghdr){ .msg_name = to,
		.msg_namelen = sizeof(*to),
		.msg_iov = bytes,
		.msg_iovlen = 1 };
}

static long
send_fast(int many)
{
	struct sockaddr_in to;
	struct iovec bytes;
	struct mmsghdr m = { .msg_hdr = message_to_other(&to, &bytes) };
	int fd = tcp();

	if (fd == -1)
		return -1;
	return many ? sendmmsg(fd, &m, 1, MSG_FASTOPEN) :
		      sendmsg(fd, &m.msg_hdr, MSG_FASTOPEN);
}

static long
send_fast_to(void)
{
	const struct sockaddr_in to = at_port(aims.other);

	return sendto(tcp(), "secret", 6, MSG_FASTOPEN,
	    (const struct sockaddr *)&to, sizeof(to));
}

static long
send_name_question(void)
{
	const struct sockaddr_in to = at_port(aims.other);

	return sendto(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), "?", 1, 0,
	    (const struct sockaddr *)&to, sizeof(to));
}

/* Asked of what is no socket: who comes to the kernel hears that. */
static long
option(int level, int name)
{
	return setsockopt(STDIN_FILENO, level, name, &(int){ 0 }, sizeof(int));
}

static int
look_up(const char *name)
{
	struct addrinfo *found = NULL;

	if (getaddrinfo(name, NULL, NULL, &found) != 0)
		return ENOENT;
	freeaddrinfo(found);
	return 0;
}

static long
bind_any(void)
{
	const struct sockaddr_in sin = at_port(0);
	int fd = tcp();

	return fd == -1 ? -1 :
			  bind(fd, (const struct sockaddr *)&sin, sizeof(sin));
}

static long
reach_name(void)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	/* The victim listens at it. */
	(void)snprintf(sun.sun_path + 1, sizeof(sun.sun_path) - 1,
	    "vk-probe-%u", aims.other);
	return fd == -1 ? -1 :
			  connect(fd, (const struct sockaddr *)&sun,
			      (socklen_t)(sizeof(sa_family_t) + 1 +
				  strlen(sun.sun_path + 1)));
}

static long
move_bytes(long nr)
{
	char here[8] = "";
	struct iovec local = { here, sizeof(here) };
	struct iovec remote = { &aims, sizeof(here) };

	return syscall(nr, aims.victim, &local, 1UL, &remote, 1UL, 0UL);
}

static void *
write_in_thread(void *arg)
{
	int *error = arg;

	*error = open(aims.made, O_WRONLY | O_CREAT | O_CLOEXEC, 0600) == -1 ?
	    errno :
	    0;
	return NULL;
}

static long
write_by_thread(void)
{
	pthread_t thread;
	int error = EAGAIN;

	if (pthread_create(&thread, NULL, write_in_thread, &error) == 0)
		(void)pthread_join(thread, NULL);
	errno = error;
	return error == 0 ? 0 : -1;
}

static long
fork_one(long flags)
{
	long pid = ask(SYS_clone, flags, 0, 0, 0);

	if (pid == 0)
		(void)ask(SYS_exit_group, 0, 0, 0, 0);
	return pid;
}

static long
map(int prot)
{
	return mmap(NULL, 4096, prot, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) ==
		MAP_FAILED ?
	    -1 :
	    0;
}

static long
protect(long nr)
{
	static char page[8192] __attribute__((aligned(4096)));

	return syscall(nr, page, 4096UL, (long)(PROT_READ | PROT_EXEC), -1L);
}

#if defined(__x86_64__)
static long
i386(void)
{
	long r;

	__asm__ volatile("int $0x80" : "=a"(r) : "a"(20L) : "memory");
	return r;
}
#endif

/* --- who it is -------------------------------------------------------------
 */

static long
refuse(int error)
{
	errno = error;
	return error == 0 ? 0 : -1;
}

static long
look_at_ids(void)
{
	uid_t r, e, s;
	gid_t gr, ge, gs;

	if (getresuid(&r, &e, &s) == -1 || getresgid(&gr, &ge, &gs) == -1)
		return -1;
	return refuse(r != aims.uid || e != aims.uid || s != aims.uid ||
		    gr != ge || ge != gs || gr == 0 ?
		EPERM :
		0);
}

static long
look_at_capabilities(void)
{
	struct __user_cap_header_struct head = {
		.version = _LINUX_CAPABILITY_VERSION_3
	};
	struct __user_cap_data_struct c[2];
	int i, any = 0;

	if (syscall(SYS_capget, &head, c) == -1)
		return -1;
	for (i = 0; i < 2; i++)
		any |=
		    (c[i].effective | c[i].permitted | c[i].inheritable) != 0;
	for (i = 0; i < 64; i++)
		any |=
		    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, i, 0, 0) == 1;
	return refuse(any ? EPERM : 0);
}

static long
look_at_limit(int resource, int error)
{
	struct rlimit l;

	if (getrlimit(resource, &l) == -1)
		return -1;
	return refuse(l.rlim_cur != 0 || l.rlim_max != 0 ? error : 0);
}

static long
open_many(void)
{
	int i;

	/* From the first number above those that it has. */
	for (i = 0; i <= FILES_ALLOWED; i++)
		if (dup(STDIN_FILENO) == -1)
			return -1;
	return 0;
}

static long
take_all(void)
{
	struct __user_cap_header_struct head = {
		.version = _LINUX_CAPABILITY_VERSION_3
	};
	struct __user_cap_data_struct all[2] = { { ~0U, ~0U, 0 },
		{ ~0U, ~0U, 0 } };

	return syscall(SYS_capset, &head, all);
}

/* --- one a line ------------------------------------------------------------
 */

#define SPACES (CLONE_THREAD | CLONE_VM | CLONE_SIGHAND | CLONE_NEWNET)
#define PROBE(name, expression)                              \
	static int name(void)                                \
	{                                                    \
		return (long)(expression) == -1 ? errno : 0; \
	}
PROBE(nothing, 0)
PROBE(read_own_key, open(aims.key, O_RDONLY))
PROBE(read_foreign_key, open(aims.foreign_key, O_RDONLY))
PROBE(read_resolver, open("/etc/hosts", O_RDONLY))
PROBE(look_up_name, refuse(look_up("localhost")))
PROBE(look_at_file,
    ask(SYS_newfstatat, AT_FDCWD, (long)some_file, (long)(char[256]){ 0 }, 0))
PROBE(write_null, open("/dev/null", O_WRONLY))
PROBE(make_file, open(aims.made, O_WRONLY | O_CREAT, 0600))
PROBE(make_nameless, open("/tmp", O_WRONLY | O_TMPFILE, 0600))
PROBE(list_root, open("/", O_RDONLY | O_DIRECTORY))
PROBE(open_beneath, ask(SYS_openat2, AT_FDCWD, (long)some_file, 0, 0))
PROBE(open_handle, ask(SYS_open_by_handle_at, 0, 0, 0, 0))
PROBE(remove_file, unlink(aims.made))
PROBE(cut_file, truncate(aims.bait, 0))
PROBE(rename_file, rename(aims.bait, aims.made))
PROBE(link_file, link(aims.bait, aims.made))
PROBE(link_symbolic, symlink(some_file, aims.made))
PROBE(make_folder, mkdir(aims.made, 0700))
PROBE(make_node, mknod(aims.made, S_IFIFO | 0600, 0))
PROBE(change_mode, chmod(aims.bait, 0666))
PROBE(change_owner, chown(aims.bait, 0, 0))
PROBE(change_folder, chdir("/"))
PROBE(change_root, chroot("/tmp"))
PROBE(mount_tmpfs, mount("none", "/tmp", "tmpfs", 0, NULL))
PROBE(open_tree_root, ask(SYS_open_tree, AT_FDCWD, (long)"/", 1, 0))
PROBE(watch_files, inotify_init1(0))
PROBE(follow_link, readlink("/proc/self/exe", (char[16]){ 0 }, 16))
PROBE(memory_file, ask(SYS_memfd_create, (long)"x", 0, 0, 0))
PROBE(secret_memory, ask(SYS_memfd_secret, 0, 0, 0, 0))
PROBE(read_environ, open_proc(aims.victim, "environ", O_RDONLY))
PROBE(read_memory, open_proc(aims.victim, "mem", O_RDONLY))
PROBE(read_maps, open_proc(aims.victim, "maps", O_RDONLY))
PROBE(list_descriptors, open_proc(aims.victim, "fd", O_RDONLY | O_DIRECTORY))
PROBE(read_command, open_proc(aims.victim, "cmdline", O_RDONLY))
PROBE(read_supervisor, open_proc(aims.supervisor, "status", O_RDONLY))
PROBE(write_own_memory, open("/proc/self/mem", O_RDWR))
PROBE(trace, ptrace(PTRACE_SEIZE, aims.victim, NULL, NULL))
PROBE(read_process, move_bytes(SYS_process_vm_readv))
PROBE(write_process, move_bytes(SYS_process_vm_writev))
PROBE(signal_victim, kill(aims.victim, SIGCONT))
PROBE(signal_supervisor, kill(aims.supervisor, 0))
PROBE(signal_thread, ask(SYS_tgkill, aims.victim, aims.victim, 0, 0))
PROBE(queue_signal, sigqueue(aims.victim, SIGCONT, (union sigval){ 0 }))
PROBE(open_process, ask(SYS_pidfd_open, aims.victim, 0, 0, 0))
PROBE(take_descriptor, ask(SYS_pidfd_getfd, 0, 0, 0, 0))
PROBE(own_signals, fcntl(STDIN_FILENO, F_SETOWN, aims.victim))
PROBE(limit_victim,
    ask(SYS_prlimit64, aims.victim, RLIMIT_CORE, (long)&(struct rlimit){ 0, 0 },
	0))
PROBE(schedule_victim, ask(SYS_sched_setaffinity, aims.victim, 0, 0, 0))
PROBE(execute, execl("/bin/true", "true", NULL))
PROBE(execute_at, ask(SYS_execveat, AT_FDCWD, (long)"/bin/true", 0, 0))
PROBE(fork_child, fork_one(SIGCHLD))
PROBE(fork_child3, ask(SYS_clone3, 0, 0, 0, 0))
PROBE(fork_spaces, fork_one(SPACES))
PROBE(thread_writes, write_by_thread())
PROBE(be_root, ask(SYS_setresuid, 0, 0, 0, 0))
PROBE(be_roots_group, ask(SYS_setresgid, 0, 0, 0, 0))
PROBE(join_group, setgroups(1, (gid_t[]){ 0 }))
PROBE(take_capabilities, take_all())
PROBE(unshare_users, unshare(CLONE_NEWUSER))
PROBE(unshare_net, unshare(CLONE_NEWNET))
PROBE(enter_space, setns(STDIN_FILENO, 0))
PROBE(undump, prctl(PR_SET_DUMPABLE, 1))
PROBE(raise_limit, setrlimit(RLIMIT_NOFILE, &(struct rlimit){ 8, 8 }))
PROBE(other_personality, ask(SYS_personality, 0x40000, 0, 0, 0))
PROBE(ask_keys, ask(SYS_keyctl, 0, 0, 0, 0))
PROBE(map_code, map(PROT_READ | PROT_WRITE | PROT_EXEC))
PROBE(make_code, protect(SYS_mprotect))
PROBE(key_code, protect(SYS_pkey_mprotect))
PROBE(attach_memory, (long)shmat(0, NULL, SHM_EXEC))
PROBE(ring, ask(SYS_io_uring_setup, 1, 0, 0, 0))
PROBE(bpf_program, ask(SYS_bpf, 0, 0, 0, 0))
PROBE(perf_event, ask(SYS_perf_event_open, 0, 0, -1, -1))
PROBE(user_faults, ask(SYS_userfaultfd, 0, 0, 0, 0))
PROBE(type_ahead, ioctl(STDIN_FILENO, TIOCSTI, "x"))
PROBE(newer_call, ask(NEWER_THAN_ALL, 0, 0, 0, 0))
#if defined(__x86_64__)
PROBE(call_of_i386, i386())
PROBE(call_of_x32, ask(0x40000000 | SYS_getpid, 0, 0, 0, 0))
#endif
PROBE(reach_own_port, reach(tcp(), aims.own))
PROBE(reach_other_port, reach(tcp(), aims.other))
PROBE(reach_other_by_6, reach_by_6(aims.other))
PROBE(ask_names, send_name_question())
PROBE(fast_open, send_fast_to())
PROBE(fast_open_message, send_fast(0))
PROBE(fast_open_messages, send_fast(1))
PROBE(fast_open_connect, reach(fast(), aims.other))
PROBE(mptcp, socket(AF_INET, SOCK_STREAM, PROTOCOL_MPTCP))
PROBE(sctp, socket(AF_INET, SOCK_STREAM, IPPROTO_SCTP))
PROBE(smc_protocol, socket(AF_INET, SOCK_STREAM, PROTOCOL_SMC))
PROBE(ping, socket(AF_INET, SOCK_DGRAM, IPPROTO_ICMP))
PROBE(raw, socket(AF_INET, SOCK_RAW, IPPROTO_RAW))
PROBE(unix_socket, socket(AF_UNIX, SOCK_STREAM, 0))
PROBE(netlink, socket(AF_NETLINK, SOCK_RAW, 0))
PROBE(packet, socket(AF_PACKET, SOCK_RAW, 0))
PROBE(vsock, socket(AF_VSOCK, SOCK_STREAM, 0))
PROBE(kernel_ciphers, socket(AF_ALG, SOCK_SEQPACKET, 0))
PROBE(smc_family, socket(FAMILY_SMC, SOCK_STREAM, 0))
PROBE(attach_filter, option(SOL_SOCKET, SO_ATTACH_FILTER))
PROBE(attach_bpf, option(SOL_SOCKET, SO_ATTACH_BPF))
PROBE(attach_ports_filter, option(SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF))
PROBE(attach_ports_bpf, option(SOL_SOCKET, SO_ATTACH_REUSEPORT_EBPF))
PROBE(tls_in_kernel, option(IPPROTO_TCP, TCP_ULP))
PROBE(other_level, option(IPPROTO_IP, IP_TOS))
PROBE(bind_port, ask(SYS_bind, STDIN_FILENO, 0, 0, 0))
PROBE(listen_port, listen(STDIN_FILENO, 1))
PROBE(accept_one, ask(SYS_accept, STDIN_FILENO, 0, 0, 0))
PROBE(own_ids, look_at_ids())
PROBE(no_capability, look_at_capabilities())
PROBE(no_new_rights,
    refuse(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1 ? 0 : EPERM))
PROBE(no_dump, refuse(prctl(PR_GET_DUMPABLE) == 0 ? 0 : EPERM))
PROBE(no_core, look_at_limit(RLIMIT_CORE, EPERM))
PROBE(few_files, open_many())
PROBE(no_processes, look_at_limit(RLIMIT_NPROC, EAGAIN))
PROBE(listen_by_name, bind_any())
PROBE(reach_abstract, reach_name())

#define SEALED(name, abi, k, f, p) { #name, name, abi, { 0, k, f, p } },
#define UNDER(name, abi, k, f, p)
const struct probe probes[] = {
#include "t/probe/probe.def"
};
#undef SEALED
#undef UNDER
#define SEALED(name, abi, k, f, p)
#define UNDER(name, abi, k, f, p) { #name, name, abi, { 0, k, f, p } },
const struct probe under[] = {
#include "t/probe/probe.def"
};
const size_t nprobes = sizeof(probes) / sizeof(probes[0]);
const size_t nunder = sizeof(under) / sizeof(under[0]);
