/* SPDX-License-Identifier: ISC */
/* hunt_board.c: Owns what hunter and scenario share, and the names of calls. */
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/auto.h"
#include "common/xmem.h"
#include "t/it/hunt.h"
#include "t/it/it.h"

static const char *const preys[] = {
#define X(id, name) #name,
	HUNT_PREY(X)
#undef X
};

const char *
hunt_name(enum hunt_prey prey)
{
	return preys[prey];
}

int
hunt_prey(const char *name)
{
	size_t i;

	for (i = 0; i < HUNT_PREYS; i++)
		if (strcmp(name, preys[i]) == 0)
			return (int)i;
	return -1;
}

#define CALL(name) [SYS_##name] = #name

static const char *const calls[HUNT_CALLS] = {
	CALL(bind),
	CALL(brk),
	CALL(capget),
	CALL(capset),
	CALL(chdir),
	CALL(clock_gettime),
	CALL(clock_nanosleep),
	CALL(clone),
	CALL(clone3),
	CALL(close),
	CALL(close_range),
	CALL(connect),
	CALL(dup),
	CALL(dup3),
	CALL(epoll_create1),
	CALL(epoll_ctl),
	CALL(epoll_pwait),
	CALL(eventfd2),
	CALL(execve),
	CALL(execveat),
	CALL(exit),
	CALL(exit_group),
	CALL(fchmod),
	CALL(fchown),
	CALL(fcntl),
	CALL(fdatasync),
	CALL(flock),
	CALL(fstat),
	CALL(fsync),
	CALL(ftruncate),
	CALL(futex),
	CALL(getcwd),
	CALL(getdents64),
	CALL(getegid),
	CALL(geteuid),
	CALL(getgid),
	CALL(getpeername),
	CALL(getpid),
	CALL(getppid),
	CALL(getrandom),
	CALL(getsockname),
	CALL(getsockopt),
	CALL(gettid),
	CALL(getuid),
	CALL(ioctl),
	CALL(kill),
	CALL(landlock_add_rule),
	CALL(landlock_create_ruleset),
	CALL(landlock_restrict_self),
	CALL(listen),
	CALL(lseek),
	CALL(madvise),
	CALL(memfd_create),
	CALL(mkdirat),
	CALL(mlock),
	CALL(mlock2),
	CALL(mmap),
	CALL(mprotect),
	CALL(mremap),
	CALL(munmap),
	CALL(nanosleep),
	CALL(newfstatat),
	CALL(openat),
	CALL(ppoll),
	CALL(prctl),
	CALL(pread64),
	CALL(prlimit64),
	CALL(pwrite64),
	CALL(read),
	CALL(readlinkat),
	CALL(readv),
	CALL(recvfrom),
	CALL(recvmsg),
	CALL(renameat),
	CALL(rseq),
	CALL(rt_sigaction),
	CALL(rt_sigprocmask),
	CALL(rt_sigreturn),
	CALL(seccomp),
	CALL(sendmmsg),
	CALL(sendmsg),
	CALL(sendto),
	CALL(set_robust_list),
	CALL(set_tid_address),
	CALL(setgroups),
	CALL(setresgid),
	CALL(setresuid),
	CALL(setsid),
	CALL(setsockopt),
	CALL(shutdown),
	CALL(signalfd4),
	CALL(socket),
	CALL(socketpair),
	CALL(statx),
	CALL(sysinfo),
	CALL(tgkill),
	CALL(umask),
	CALL(uname),
	CALL(unlinkat),
	CALL(unshare),
	CALL(wait4),
	CALL(waitid),
	CALL(write),
	CALL(writev),
	CALL(accept4),
	CALL(pipe2),
	CALL(timerfd_create),
	CALL(timerfd_settime),
	CALL(sched_getaffinity),
	CALL(sched_yield),
	CALL(restart_syscall),
	CALL(faccessat),
	CALL(faccessat2),
	CALL(fallocate),
	CALL(getrlimit),
	CALL(setrlimit),
	CALL(getresuid),
	CALL(getresgid),
	CALL(getgroups),
#ifdef __x86_64__ /* what others have not */
	CALL(access),
	CALL(arch_prctl),
	CALL(chmod),
	CALL(dup2),
	CALL(epoll_wait),
	CALL(fork),
	CALL(getdents),
	CALL(lstat),
	CALL(mkdir),
	CALL(open),
	CALL(pipe),
	CALL(poll),
	CALL(readlink),
	CALL(rename),
	CALL(rmdir),
	CALL(select),
	CALL(stat),
	CALL(unlink),
	CALL(vfork),
#endif
};

const char *
hunt_call(unsigned int nr)
{
	static char number[12];

	if (nr < HUNT_CALLS && calls[nr] != NULL)
		return calls[nr];
	(void)snprintf(number, sizeof(number), "%u", nr);
	return number;
}

struct hunt_board *
hunt_map(const char *path)
{
	AUTO_FD int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	void *p;

	if (fd == -1 || ftruncate(fd, sizeof(struct hunt_board)) == -1)
		return NULL;
	p = mmap(NULL, sizeof(struct hunt_board), PROT_READ | PROT_WRITE,
	    MAP_SHARED, fd, 0);
	return p == MAP_FAILED ? NULL : p;
}

struct hunt_board *
hunt_new(char **path)
{
	struct hunt_board *b;

	*path = xasprintf("%s/board", it_folder());
	if ((b = hunt_map(*path)) == NULL)
		it_die("%s: cannot be made", *path);
	return b;
}

void
hunt_aim(struct hunt_board *b, const struct hunt_target *targets, uint32_t n,
    int anew)
{
	b->ntargets = 0;
	__sync_synchronize();
	memcpy(b->target, targets, n * sizeof(*targets));
	__sync_synchronize();
	b->ntargets = n;
	b->anew = (uint32_t)anew;
	b->aim++;
}

int
hunt_can(void)
{
	pid_t pid = fork();
	int status = 0;

	if (pid == 0) {
		if (ptrace(PTRACE_TRACEME, 0, 0, 0) == -1)
			_exit(1);
		raise(SIGSTOP);
		_exit(1);
	}
	if (pid == -1 || waitpid(pid, &status, 0) == -1 || !WIFSTOPPED(status))
		return 0;
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	return 1;
}
