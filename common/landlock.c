/* SPDX-License-Identifier: ISC */
/*
 * landlock.c: files and ports that a process can still reach.
 *
 * Owns the kernel's constants, which Debian 12's headers lack from ABI 3 on,
 * and the size of the structure for each ABI.
 */
#include "common/landlock.h"

#include <sys/stat.h>
#include <sys/syscall.h>

#include <fcntl.h>
#include <stdint.h>
#include <unistd.h>

#include "common/auto.h"

enum {
	FS_READ_FILE = 1 << 2,
	FS_READ_DIR = 1 << 3,
	NET_BIND_TCP = 1 << 0,
	NET_CONNECT_TCP = 1 << 1,
	SCOPE_ALL = 3, /* abstract unix sockets, signals */
	RULE_PATH_BENEATH = 1,
	RULE_NET_PORT = 2,
	CREATE_VERSION = 1,
};

struct ruleset_attr {
	uint64_t fs;
	uint64_t net;	 /* ABI 4 */
	uint64_t scoped; /* ABI 6 */
};

struct path_attr {
	uint64_t allowed;
	int32_t parent;
} __attribute__((packed));

struct port_attr {
	uint64_t allowed;
	uint64_t port;
};

int
landlock_abi(void)
{
	long abi;

	abi = syscall(SYS_landlock_create_ruleset, NULL, 0, CREATE_VERSION);
	return abi < 0 ? 0 : (int)abi;
}

/* All rights to files that the ABI knows; later ones come last. */
static uint64_t
fs_rights(int abi)
{
	int bits = abi >= 5 ? 16 : abi >= 3 ? 15 : abi == 2 ? 14 : 13;

	return ((uint64_t)1 << bits) - 1;
}

static int
allow_reading(int ruleset, const char *path)
{
	AUTO_FD int fd = open(path, O_PATH | O_CLOEXEC);
	struct path_attr p = { 0 };
	struct stat st;

	if (fd == -1 || fstat(fd, &st) == -1)
		return 0;
	p.parent = fd;
	p.allowed = FS_READ_FILE;
	if (S_ISDIR(st.st_mode))
		p.allowed |= FS_READ_DIR;
	return (int)syscall(SYS_landlock_add_rule, ruleset, RULE_PATH_BENEATH,
	    &p, 0);
}

static int
allow_port(int ruleset, uint16_t port)
{
	const struct port_attr p = { NET_CONNECT_TCP, port };

	return (
	    int)syscall(SYS_landlock_add_rule, ruleset, RULE_NET_PORT, &p, 0);
}

int
landlock_confine(int abi, const char *const *reads, size_t nreads,
    const uint16_t *ports, size_t nports)
{
	struct ruleset_attr a = { .fs = fs_rights(abi),
		.net = NET_BIND_TCP | NET_CONNECT_TCP,
		.scoped = SCOPE_ALL };
	AUTO_FD int ruleset = -1;
	size_t size, i;

	size = sizeof(a.fs) * (abi >= 6 ? 3 : abi >= LANDLOCK_TCP ? 2 : 1);
	ruleset = (int)syscall(SYS_landlock_create_ruleset, &a, size, 0);
	if (ruleset == -1)
		return -1;
	for (i = 0; i < nreads; i++)
		if (allow_reading(ruleset, reads[i]) == -1)
			return -1;
	for (i = 0; i < nports && abi >= LANDLOCK_TCP; i++)
		if (allow_port(ruleset, ports[i]) == -1)
			return -1;
	return (int)syscall(SYS_landlock_restrict_self, ruleset, 0);
}
