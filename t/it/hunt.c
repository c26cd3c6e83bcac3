/* SPDX-License-Identifier: ISC */
/*
 * hunt.c: the hunter.
 *
 * Owns the traced processes.  It attaches to the supervisor before its exec
 * and to all others at their fork, so that neither root nor a process that
 * may be dumped is needed.  Never reads or changes what a process holds.
 */
#include "t/it/hunt.h"

#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <err.h>
#include <errno.h>
#include <linux/ptrace.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/auto.h"
#include "t/it/it.h"
#include "t/probe/probe.h"

enum {
	TASKS_MAX = 64,
	FREED_MS = 5000,
	OPTIONS = PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL |
	    PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE |
	    PTRACE_O_TRACEEXEC,
};

struct task {
	pid_t pid; /* 0: free */
	enum hunt_prey prey;
	pid_t group;
	int fresh; /* its first stop is that of the tracer */
	int seals; /* in the call that loads its filter */
	int is_sealed;
};

static struct hunt_board *board;
static struct task tasks[TASKS_MAX];
static volatile pid_t supervisor;
static int64_t ended_ms;		      /* of the supervisor */
static uint32_t in_life, of_prey[HUNT_PREYS]; /* hits */
static volatile sig_atomic_t stop;

static struct task *
find(pid_t pid)
{
	size_t i;

	for (i = 0; i < TASKS_MAX; i++)
		if (tasks[i].pid == pid)
			return &tasks[i];
	return NULL;
}

static struct task *
add(pid_t pid, enum hunt_prey prey)
{
	struct task *t = find(0);

	if (t == NULL)
		errx(1, "too many processes");
	*t =
	    (struct task){ .pid = pid, .prey = prey, .group = pid, .fresh = 1 };
	return t;
}

/* A thread is what its process is; NULL: it has been seen to end. */
static struct task *
add_unknown(pid_t pid)
{
	static const char word[] = "\nTgid:";
	char path[64];
	AUTO_FREE char *status = NULL;
	const struct task *of;
	const char *at;
	struct task *t;

	(void)snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	status = it_file(path, NULL);
	if (status == NULL || (at = strstr(status, word)) == NULL)
		return NULL;
	of = find((pid_t)strtol(at + sizeof(word) - 1, NULL, 10));
	t = add(pid, of == NULL ? HUNT_BIRTH : of->prey);
	if (of != NULL) {
		t->group = of->group;
		t->is_sealed = of->is_sealed;
	}
	return t;
}

/* Its name is the first word of its command line. */
static enum hunt_prey
prey_of(pid_t pid)
{
	char path[64];
	AUTO_FREE char *words = NULL;
	int prey;

	(void)snprintf(path, sizeof(path), "/proc/%d/cmdline", (int)pid);
	words = it_file(path, NULL);
	prey = words == NULL ? -1 : hunt_prey(words);
	return prey == -1 ? HUNT_SUPERVISOR : (enum hunt_prey)prey;
}

static void
start(char *const argv[])
{
	pid_t parent = getpid(), pid = fork();
	int status;

	if (pid == -1)
		err(1, "fork");
	if (pid == 0) {
		if (ptrace(PTRACE_TRACEME, 0, 0, 0) == -1)
			err(1, "ptrace");
		if (getppid() != parent)
			_exit(1);
		raise(SIGSTOP);
		execv(argv[0], argv);
		err(1, "%s", argv[0]);
	}
	if (waitpid(pid, &status, __WALL) != pid || !WIFSTOPPED(status) ||
	    ptrace(PTRACE_SETOPTIONS, pid, 0, OPTIONS) == -1)
		errx(1, "the supervisor cannot be traced");
	add(pid, HUNT_SUPERVISOR)->fresh = 0;
	supervisor = pid;
	board->starts++;
	in_life = 0;
	memset(of_prey, 0, sizeof(of_prey));
	(void)ptrace(PTRACE_SYSCALL, pid, 0, 0);
	if (stop)
		kill(pid, SIGTERM);
}

static void
end(uint32_t preys)
{
	size_t i;

	for (i = 0; i < TASKS_MAX; i++)
		if (tasks[i].pid != 0 && (preys & 1U << tasks[i].prey) != 0)
			kill(tasks[i].pid, SIGKILL);
}

static void
begin(void)
{
	size_t i;

	for (i = 0; i < HUNT_PREYS; i++)
		board->count[i] = 0;
	board->hits = 0;
	board->anew = 0;
	__sync_synchronize();
	board->aimed = board->aim;
}

static void
take_aim(void)
{
	if (board->aimed == board->aim)
		return;
	if (board->anew) {
		/* the rest when they are gone */
		end(~0U);
		return;
	}
	begin();
}

static int
is_hit(struct hunt_target *target, const struct task *t, uint64_t nr)
{
	return target->hit == 0 && target->prey == t->prey &&
	    (target->call == HUNT_ANY || target->call == nr) &&
	    (target->phase == HUNT_ANY || target->phase == board->phase) &&
	    in_life >= target->after && of_prey[t->prey] < HUNT_EACH &&
	    ++target->passed >= target->at;
}

static void
enter(struct task *t, uint64_t nr)
{
	uint32_t n, i, phase = board->phase;
	struct hunt_target *target;

	take_aim();
	if (board->aimed != board->aim)
		return;
	if (nr >= HUNT_CALLS)
		nr = HUNT_CALLS - 1;
	n = ++board->count[t->prey];
	board->seen[t->prey][phase][nr]++;
	if (n < HUNT_POINTS)
		board->point[t->prey][n] = (uint16_t)(nr << 4 | phase);
	for (i = 0; i < board->ntargets; i++) {
		target = &board->target[i];
		if (!is_hit(target, t, nr))
			continue;
		target->hit = n;
		target->nr = (uint32_t)nr;
		board->hits++;
		in_life++;
		of_prey[t->prey]++;
		board->killed[t->prey][phase][nr]++;
		board->kills++;
		kill(t->pid, SIGKILL);
		end(target->with);
		return;
	}
}

/* Which row of its table lets it, or refuses. */
static void
note_row(const struct task *t, const struct ptrace_syscall_info *info)
{
	struct seccomp_data call = { .nr = (int)info->entry.nr };
	int row;

	memcpy(call.args, info->entry.args, sizeof(call.args));
	row =
	    row_that_decides(proc_by_name(hunt_name(t->prey)), t->group, &call);
	if (row >= 0 && row < HUNT_ROWS)
		board->rows[t->prey][row]++;
}

static void
on_call(struct task *t)
{
	struct ptrace_syscall_info info = { 0 };

	if (ptrace(PTRACE_GET_SYSCALL_INFO, t->pid, sizeof(info), &info) <= 0)
		return;
	if (info.op == PTRACE_SYSCALL_INFO_EXIT) {
		t->is_sealed |= t->seals && info.exit.rval == 0;
		t->seals = 0;
		return;
	}
	if (t->is_sealed)
		note_row(t, &info);
	t->seals = info.entry.nr == SYS_seccomp;
	enter(t, info.entry.nr);
}

/* What a new one is, its parent says; which of the two stops first is open. */
static void
on_fork(const struct task *parent)
{
	enum hunt_prey prey =
	    parent->prey == HUNT_SUPERVISOR ? HUNT_BIRTH : parent->prey;
	unsigned long pid = 0;
	struct task *t;

	if (ptrace(PTRACE_GETEVENTMSG, parent->pid, 0, &pid) == -1)
		return;
	if ((t = find((pid_t)pid)) == NULL)
		t = add_unknown((pid_t)pid);
	if (t != NULL)
		t->prey = prey;
}

/* The signal that it goes on with. */
static int
on_stop(struct task *t, int status)
{
	int sig = WSTOPSIG(status);

	switch (status >> 16) {
	case PTRACE_EVENT_FORK:
	case PTRACE_EVENT_VFORK:
	case PTRACE_EVENT_CLONE:
		on_fork(t);
		return 0;
	case PTRACE_EVENT_EXEC:
		t->prey = prey_of(t->pid);
		t->is_sealed = 0;
		return 0;
	}
	if (sig == (SIGTRAP | 0x80)) {
		on_call(t);
		return 0;
	}
	if (sig == SIGSTOP && t->fresh) {
		t->fresh = 0;
		return 0;
	}
	return sig;
}

static void
on_term(int sig)
{
	stop = 1;
	if (supervisor != 0)
		kill(supervisor, sig);
}

static int
is_empty(void)
{
	size_t i;

	for (i = 0; i < TASKS_MAX; i++)
		if (tasks[i].pid != 0)
			return 0;
	return 1;
}

/* Who would follow on another host waits for the Lease to run out. */
static void
await_freed(void)
{
	int64_t deadline = it_ms() + FREED_MS;
	int64_t orphans = it_ms() - ended_ms;

	if (orphans > board->orphans_ms)
		board->orphans_ms = (uint32_t)orphans;
	board->ended = board->starts;
	while (board->freed != board->ended && it_ms() < deadline && !stop)
		it_pause(1);
}

int
hunt(const char *path, char *const argv[])
{
	struct sigaction sa = { .sa_handler = on_term };
	int status, last = 0;
	struct task *t;
	pid_t pid;

	if ((board = hunt_map(path)) == NULL)
		err(1, "%s", path);
	(void)sigaction(SIGTERM, &sa, NULL);
	start(argv);
	for (;;) {
		if ((pid = waitpid(-1, &status, __WALL)) == -1) {
			if (errno == EINTR)
				continue;
			err(1, "waitpid");
		}
		t = find(pid);
		if (WIFSTOPPED(status)) {
			if (t == NULL && (t = add_unknown(pid)) == NULL)
				continue;
			(void)ptrace(PTRACE_SYSCALL, pid, 0,
			    on_stop(t, status));
			continue;
		}
		if (t != NULL)
			t->pid = 0;
		if (pid == supervisor) {
			supervisor = 0;
			ended_ms = it_ms();
			last = status;
		}
		if (supervisor != 0 || !is_empty())
			continue;
		/* None outlives it: who comes next finds nobody. */
		if (stop)
			return WIFEXITED(last) ? WEXITSTATUS(last) :
						 128 + WTERMSIG(last);
		await_freed();
		if (board->aimed != board->aim)
			begin();
		start(argv);
	}
}
