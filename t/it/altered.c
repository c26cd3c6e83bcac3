/* SPDX-License-Identifier: ISC */
/*
 * altered.c: programs that were linked with something more.
 *
 * Owns their copies and the files that they and the scenario share.
 */
#include "t/it/altered.h"

#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>

#include <fcntl.h>
#include <linux/capability.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/auto.h"
#include "common/xmem.h"
#include "t/it/child.h"
#include "t/it/it.h"
#include "t/it/provider.h"

static const char *const programs[] = { "vk-flightctl-provider", "kubeside",
	"flightside", "placer" };

static char *program;

static void
copy(const char *from, const char *name)
{
	AUTO_FREE char *to = xasprintf("%s/bin/%s", it_folder(), name);
	AUTO_FREE char *command = xasprintf("cp %s %s", from, to);

	if (system(command) != 0)
		it_die("%s: cannot be copied", from);
}

void *
altered_plan(const char *kind, const char *name, size_t size)
{
	AUTO_FREE char *path =
	    xasprintf("%s/bin/%s.%s", it_folder(), name, kind);
	AUTO_FD int fd =
	    open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
	void *plan;

	if (fd == -1 || fchmod(fd, 0666) == -1 ||
	    ftruncate(fd, (off_t)size) == -1)
		it_die("%s: cannot be made", path);
	plan = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (plan == MAP_FAILED)
		it_die("%s: cannot be mapped", path);
	return plan;
}

void
altered_programs(const char *kind)
{
	AUTO_FREE char *dir = xasprintf("%s/bin", it_folder());
	size_t i;

	/* A worker counts in a file, which one apart could not write to. */
	(void)prctl(PR_CAPBSET_DROP, CAP_SYS_ADMIN, 0, 0, 0);
	if (mkdir(dir, 0755) == -1)
		it_die("%s: cannot be made", dir);
	for (i = 0; i < sizeof(programs) / sizeof(programs[0]); i++) {
		AUTO_FREE char *name =
		    xasprintf("../%s/bin/%s", kind, programs[i]);
		AUTO_FREE char *other = child_program(name);
		AUTO_FREE char *usual = child_program(programs[i]);

		copy(access(other, X_OK) == 0 ? other : usual, programs[i]);
	}
	program = xasprintf("%s/vk-flightctl-provider", dir);
	provider_program(program);
}
