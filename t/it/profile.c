/* SPDX-License-Identifier: ISC */
/*
 * profile.c: a seccomp filter of the test around the whole provider.
 */
#include "t/it/profile.h"

#include <sys/prctl.h>
#include <sys/syscall.h>

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

enum {
	RULES_MAX = 128,
	FAILED = 126,
};

/* profile, call, errno */
#define REFUSALS(X)                                       \
	X("no-landlock", landlock_create_ruleset, ENOSYS) \
	X("no-landlock", landlock_add_rule, ENOSYS)       \
	X("no-landlock", landlock_restrict_self, ENOSYS)  \
	X("no-lsm", landlock_create_ruleset, EOPNOTSUPP)  \
	X("no-lsm", landlock_add_rule, EOPNOTSUPP)        \
	X("no-lsm", landlock_restrict_self, EOPNOTSUPP)   \
	X("no-seccomp", seccomp, ENOSYS)                  \
	X("container", clone3, ENOSYS)                    \
	X("container", acct, EPERM)                       \
	X("container", add_key, EPERM)                    \
	X("container", bpf, EPERM)                        \
	X("container", chroot, EPERM)                     \
	X("container", clock_settime, EPERM)              \
	X("container", delete_module, EPERM)              \
	X("container", fanotify_init, EPERM)              \
	X("container", finit_module, EPERM)               \
	X("container", fsconfig, EPERM)                   \
	X("container", fsmount, EPERM)                    \
	X("container", fsopen, EPERM)                     \
	X("container", fspick, EPERM)                     \
	X("container", get_mempolicy, EPERM)              \
	X("container", init_module, EPERM)                \
	X("container", io_uring_enter, EPERM)             \
	X("container", io_uring_register, EPERM)          \
	X("container", io_uring_setup, EPERM)             \
	X("container", kcmp, EPERM)                       \
	X("container", kexec_load, EPERM)                 \
	X("container", keyctl, EPERM)                     \
	X("container", lookup_dcookie, EPERM)             \
	X("container", mbind, EPERM)                      \
	X("container", mount, EPERM)                      \
	X("container", mount_setattr, EPERM)              \
	X("container", move_mount, EPERM)                 \
	X("container", move_pages, EPERM)                 \
	X("container", nfsservctl, EPERM)                 \
	X("container", open_by_handle_at, EPERM)          \
	X("container", open_tree, EPERM)                  \
	X("container", perf_event_open, EPERM)            \
	X("container", personality, EPERM)                \
	X("container", pivot_root, EPERM)                 \
	X("container", quotactl, EPERM)                   \
	X("container", reboot, EPERM)                     \
	X("container", request_key, EPERM)                \
	X("container", set_mempolicy, EPERM)              \
	X("container", setdomainname, EPERM)              \
	X("container", sethostname, EPERM)                \
	X("container", setns, EPERM)                      \
	X("container", settimeofday, EPERM)               \
	X("container", swapoff, EPERM)                    \
	X("container", swapon, EPERM)                     \
	X("container", syslog, EPERM)                     \
	X("container", umount2, EPERM)                    \
	X("container", unshare, EPERM)                    \
	X("container", userfaultfd, EPERM)                \
	X("container", vhangup, EPERM)

static const struct {
	const char *profile;
	uint32_t nr;
	uint16_t error;
} refusals[] = {
#define X(profile, call, error) { profile, SYS_##call, error },
	REFUSALS(X)
#undef X
};

int
profile_exec(const char *profile, char *argv[])
{
	struct sock_filter prog[RULES_MAX * 2] = { BPF_STMT(BPF_LD | BPF_W |
		BPF_ABS,
	    offsetof(struct seccomp_data, nr)) };
	struct sock_fprog fp = { .filter = prog };
	size_t i, n = 1;

	for (i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
		if (strcmp(refusals[i].profile, profile) != 0)
			continue;
		prog[n++] =
		    (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K,
			refusals[i].nr, 0, 1);
		prog[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K,
		    SECCOMP_RET_ERRNO | refusals[i].error);
	}
	prog[n++] =
	    (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	fp.len = (unsigned short)n;
	if (n <= 2 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1 ||
	    syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &fp) == -1)
		return FAILED;
	execvp(argv[0], argv);
	return FAILED;
}
