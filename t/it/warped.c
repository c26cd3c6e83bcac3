/* SPDX-License-Identifier: ISC */
/*
 * warped.c: a provider whose programs have clocks of their own (warp.c).
 */
#include "t/it/warp.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "common/auto.h"
#include "common/xmem.h"
#include "t/it/child.h"
#include "t/it/it.h"
#include "t/it/provider.h"

static const char *const programs[] = { "vk-flightctl-provider", "kubeside",
	"flightside", "placer" };

static void
copy(const char *program)
{
	AUTO_FREE char *name = xasprintf("../warp/bin/%s", program);
	AUTO_FREE char *from = child_program(name);
	AUTO_FREE char *to = xasprintf("%s/warp/%s", it_folder(), program);

	if (child_run((const char *[]){ "cp", from, to, NULL }, NULL) != 0)
		it_die("%s: cannot be copied", from);
}

struct warp *
warp_open(int rate)
{
	AUTO_FREE char *dir = xasprintf("%s/warp", it_folder());
	AUTO_FREE char *path = xasprintf("%s/" WARP_FILE, dir);
	char *program = xasprintf("%s/%s", dir, programs[0]);
	struct timespec ts;
	struct warp *w;
	AUTO_FD int fd = -1;
	size_t i;

	if (mkdir(dir, 0755) == -1)
		it_die("%s: cannot be made", dir);
	for (i = 0; i < sizeof(programs) / sizeof(programs[0]); i++)
		copy(programs[i]);
	fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	if (fd == -1 || fchmod(fd, 0644) == -1 ||
	    ftruncate(fd, sizeof(*w)) == -1)
		it_die("%s: cannot be made", path);
	w = mmap(NULL, sizeof(*w), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (w == MAP_FAILED)
		it_die("%s: cannot be mapped", path);
	clock_gettime(CLOCK_MONOTONIC, &ts);
	w->rate = rate;
	w->since_ns = (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
	provider_program(program);
	return w;
}
