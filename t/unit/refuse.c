/* SPDX-License-Identifier: ISC */
/* refuse.c: a host that refuses one thing. */
#include "t/unit/refuse.h"

#include <sys/prctl.h>
#include <sys/syscall.h>

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdlib.h>
#include <unistd.h>

#define LOAD(offset) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offset)
#define UNLESS(value, skip) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0, skip)
#define RETURN(what) BPF_STMT(BPF_RET | BPF_K, what)

/* The low half of an argument: this machine has it first. */
#define ARGUMENT(i) \
	(uint32_t)(offsetof(struct seccomp_data, args) + (i) * sizeof(uint64_t))

void
refuse_call(int call, unsigned int argument, uint32_t value)
{
	struct sock_filter prog[] = {
		LOAD(offsetof(struct seccomp_data, nr)),
		UNLESS((uint32_t)call, 3),
		LOAD(ARGUMENT(argument)),
		UNLESS(value, 1),
		RETURN(SECCOMP_RET_ERRNO | EPERM),
		RETURN(SECCOMP_RET_ALLOW),
	};
	struct sock_fprog fp = { sizeof(prog) / sizeof(prog[0]), prog };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1 ||
	    syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &fp) == -1)
		abort();
}
