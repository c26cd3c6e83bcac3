/* SPDX-License-Identifier: ISC */
/*
 * inject.c: the calls of libc by which a worker closes its sandbox.
 *
 * Owns the moment: common/sandbox.c begins its seal with tzset() and ends it
 * with the filter.  At the first all copies are made, one after the other; each
 * goes on in the worker's own code, seals itself and tries one thing.  Then
 * the worker goes on, sealed as it ever was.
 */
#include "t/probe/probe.h"

#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
	PROGRAM_MAX = 4096,
	CONTROL_FD = 3,
	PATIENCE_S = 10,
	CALL_ARGS = 6,
	PATH_BYTES = 256,
	ATTR_FS = 8,	/* size of Landlock's structure, by ABI */
	ATTR_NET = 16,	/* from 4 on */
	ATTR_SCOPE = 24 /* from 6 on */
};

static struct {
	int is_worker, is_done;
	int is_copy, is_sealed;
	jmp_buf seal;
	struct seal now; /* of this copy */
	int (*run)(void);
	enum layer without; /* of this process */
} inject = { .now.row = -1 };

#define REAL(name) ((__typeof__(name) *)dlsym(RTLD_NEXT, #name))

/* --- a copy ----------------------------------------------------------------
 */

__attribute__((noreturn)) static void
leave(int code)
{
	for (;;)
		(void)REAL(syscall)(SYS_exit_group, code);
}

int
probe_copy(const struct seal *seal, int (*run)(void))
{
	int status, null;
	pid_t pid;

	(void)remove(aims.made);
	if ((pid = fork()) > 0) {
		while (waitpid(pid, &status, 0) != pid)
			;
		return WIFSIGNALED(status) ? -WTERMSIG(status) :
					     WEXITSTATUS(status);
	}
	if (pid == -1)
		return UNSEALED;
	inject.is_copy = 1;
	inject.now = *seal;
	inject.run = run;
	(void)alarm(PATIENCE_S);
	/* What it logs is not for the supervisor. */
	if ((null = open("/dev/null", O_RDWR | O_CLOEXEC)) == -1 ||
	    dup2(null, CONTROL_FD) == -1)
		leave(UNSEALED);
	longjmp(inject.seal, 1);
}

int
probe_abi(void)
{
	long abi = REAL(syscall)(SYS_landlock_create_ruleset, NULL, 0UL, 1UL);

	return abi < 0 ? 0 : (int)abi;
}

static int
leaves_out(enum layer l)
{
	return inject.without == l ||
	    (inject.is_copy && inject.now.without == l);
}

/* --- what is in the way of the worker's calls ------------------------------
 */

/* The program that the worker made must be the one of its table. */
static int
is_of_table(const struct sock_fprog *fp)
{
	struct sock_filter own[PROGRAM_MAX];
	struct sock_fprog mine = { .filter = own };

	rows_compile(-1, aims.self, &mine);
	return mine.len == fp->len &&
	    memcmp(own, fp->filter, sizeof(own[0]) * fp->len) == 0;
}

__attribute__((noreturn)) static void
end_of_seal(const long *a, const struct sock_fprog *fp)
{
	struct sock_filter room[PROGRAM_MAX];
	struct sock_fprog wide = { .filter = room };

	if (!is_of_table(fp))
		leave(UNSEALED);
	if (!inject.now.under && !leaves_out(WITHOUT_FILTER)) {
		if (inject.now.row != -1) {
			rows_compile(inject.now.row, aims.self, &wide);
			fp = &wide;
		}
		if (REAL(syscall)(SYS_seccomp, a[0], a[1], fp) != 0)
			leave(UNSEALED);
	}
	inject.is_sealed = 1;
	leave(inject.run());
}

/* An older kernel takes no larger structure and no bit that it has not. */
static long
older_ruleset(const uint64_t *attr, size_t size)
{
	static const int bits[] = { 0, 13, 14, 15, 15, 16, 16, 16 };
	int abi = inject.now.abi;
	size_t known = abi >= 6 ? ATTR_SCOPE : abi >= 4 ? ATTR_NET : ATTR_FS;

	if (size > known) {
		errno = E2BIG;
		return -1;
	}
	if (attr[0] >> bits[abi] != 0) {
		errno = EINVAL;
		return -1;
	}
	return REAL(syscall)(SYS_landlock_create_ruleset, attr, size, 0UL);
}

static long
on_landlock(long nr, const long *a)
{
	long r;

	if (leaves_out(WITHOUT_LANDLOCK) && nr == SYS_landlock_restrict_self)
		return 0;
	if (nr == SYS_landlock_create_ruleset && inject.now.abi != 0) {
		if (a[0] == 0)
			return inject.now.abi;
		r = older_ruleset((const uint64_t *)a[0], (size_t)a[1]);
	} else {
		r = REAL(syscall)(nr, a[0], a[1], a[2], a[3]);
	}
	if (r == -1 && inject.is_copy)
		leave(UNSEALED);
	return r;
}

long
syscall(long nr, ...)
{
	long a[CALL_ARGS];
	va_list ap;
	int i;

	va_start(ap, nr);
	for (i = 0; i < CALL_ARGS; i++)
		a[i] = va_arg(ap, long);
	va_end(ap);
	if (inject.is_sealed)
		return REAL(syscall)(nr, a[0], a[1], a[2], a[3], a[4], a[5]);
	if (nr == SYS_seccomp && inject.is_copy)
		end_of_seal(a, (const struct sock_fprog *)a[2]);
	if (nr >= SYS_landlock_create_ruleset &&
	    nr <= SYS_landlock_restrict_self)
		return on_landlock(nr, a);
	if (nr == SYS_capset && inject.without == WITHOUT_CAPABILITIES)
		return 0;
	return REAL(syscall)(nr, a[0], a[1], a[2], a[3], a[4], a[5]);
}

int
prctl(int option, ...)
{
	unsigned long a[4];
	va_list ap;
	int i;

	va_start(ap, option);
	for (i = 0; i < 4; i++)
		a[i] = va_arg(ap, unsigned long);
	va_end(ap);
	if ((option == PR_SET_DUMPABLE && inject.without == WITHOUT_DUMPABLE) ||
	    (option == PR_SET_NO_NEW_PRIVS && inject.without == WITHOUT_NNP) ||
	    (option == PR_CAP_AMBIENT && a[0] == PR_CAP_AMBIENT_CLEAR_ALL &&
		inject.without == WITHOUT_CAPABILITIES))
		return 0;
	return REAL(prctl)(option, a[0], a[1], a[2], a[3]);
}

int
setrlimit(__rlimit_resource_t what, const struct rlimit *l)
{
	if ((what == RLIMIT_NOFILE && leaves_out(WITHOUT_NOFILE)) ||
	    (what == RLIMIT_NPROC && leaves_out(WITHOUT_NPROC)) ||
	    (what == RLIMIT_CORE && leaves_out(WITHOUT_CORE)))
		return 0;
	return REAL(setrlimit)(what, l);
}

/* Of the supervisor, which then starts its workers as root. */
int
setresuid(uid_t r, uid_t e, uid_t s)
{
	if (inject.without != WITHOUT_IDS || r == 0)
		return REAL(setresuid)(r, e, s);
	return 0;
}

/* Fails: after it what is changed is taken for its own. */
int
unshare(int flags)
{
	if (inject.without != WITHOUT_SPACES)
		return REAL(unshare)(flags);
	errno = EPERM;
	return -1;
}

/* --- the moment ------------------------------------------------------------
 */

static enum layer
layer_named(const char *name)
{
	static const char *const names[] = {
#define X(layer) #layer,
		LAYERS(X)
#undef X
	};
	int i;

	for (i = 0; name != NULL && i < NLAYERS; i++)
		if (strcmp(names[i], name) == 0)
			return (enum layer)i;
	return WITHOUT_NONE;
}

static const char *
own_variable(const char *what, enum proc p)
{
	char name[64];
	const char *value;

	(void)snprintf(name, sizeof(name), "%s_%s", what, proc_name(p));
	value = getenv(name);
	return value == NULL ? "" : value;
}

static int
number(const char *text)
{
	return text == NULL ? 0 : (int)strtol(text, NULL, 10);
}

__attribute__((constructor)) static void
begin(void)
{
	enum proc p = proc_by_name(program_invocation_short_name);

	inject.without = layer_named(getenv("PROBE_WITHOUT"));
	inject.now.abi = number(getenv("PROBE_ABI"));
	if (p == PROC_COUNT || p == PROC_SUPERVISOR ||
	    getenv("PROBE_SPOIL") == NULL)
		return;
	inject.is_worker = 1;
	aims = (struct aims){ .self = p,
		.supervisor = getppid(),
		.victim = number(own_variable("PROBE_VICTIM", p)),
		.uid = (uid_t)number(own_variable("PROBE_UID", p)),
		.own = (uint16_t)number(own_variable("PROBE_OWN", p)),
		.other = (uint16_t)number(getenv("PROBE_OTHER")),
		.key = own_variable("PROBE_KEY", p),
		.foreign_key = own_variable("PROBE_KEY",
		    p == PROC_KUBESIDE ? PROC_FLIGHTSIDE : PROC_KUBESIDE) };
}

static int
is_of_program(const void *caller)
{
	Dl_info info;

	return dladdr(caller, &info) != 0 && info.dli_fname != NULL &&
	    strstr(info.dli_fname, ".so") == NULL;
}

/* What its copies may spoil, and what they may make. */
static void
lay_out(const char *folder)
{
	static char bait[PATH_BYTES], made[PATH_BYTES];

	(void)snprintf(bait, sizeof(bait), "%s/bait.%s", folder,
	    proc_name(aims.self));
	(void)snprintf(made, sizeof(made), "%s/made.%s", folder,
	    proc_name(aims.self));
	aims.bait = bait;
	aims.made = made;
}

void
tzset(void)
{
	const char *folder = getenv("PROBE_SPOIL");

	REAL(tzset)();
	if (!inject.is_worker || inject.is_done ||
	    !is_of_program(__builtin_return_address(0)))
		return;
	inject.is_done = 1;
	if (setjmp(inject.seal) != 0)
		return; /* a copy, which goes on */
	lay_out(folder);
	judge(getenv("PROBE_BRIEF") != NULL);
}
