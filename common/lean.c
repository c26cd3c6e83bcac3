/* SPDX-License-Identifier: ISC */
/*
 * lean.c: memory that an idle process does not need.
 *
 * Owns a timer that runs while there is work, and not when idle.  Touches
 * executable segments only: those are never written, so dropping their pages
 * loses nothing.
 */
#include "common/lean.h"
#include "common/xevent.h"

#include <sys/mman.h>

#include <event2/event.h>
#include <link.h>
#include <malloc.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

enum {
	QUIET_MS = 3000
};

static struct event *timer; /* NULL: not started */
static int worked;	    /* since it was set */

static int
drop_code(struct dl_phdr_info *info, size_t size, void *arg)
{
	uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE), from, to;
	size_t i;

	(void)size;
	(void)arg;
	for (i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *p = &info->dlpi_phdr[i];

		if (p->p_type != PT_LOAD || (p->p_flags & PF_X) == 0 ||
		    (p->p_flags & PF_W) != 0)
			continue;
		from = (info->dlpi_addr + p->p_vaddr) & ~(page - 1);
		to = (info->dlpi_addr + p->p_vaddr + p->p_memsz + page - 1) &
		    ~(page - 1);
		/* Not worth a word when the kernel does not want it. */
		/* NOLINTNEXTLINE(performance-no-int-to-ptr): addresses */
		(void)madvise((void *)from, to - from, MADV_DONTNEED);
	}
	return 0;
}

static void
set_timer(void)
{
	worked = 0;
	xevent_in(timer, QUIET_MS);
}

static void
on_timer(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what, (void)arg;
	if (worked) {
		set_timer();
		return;
	}
	(void)dl_iterate_phdr(drop_code, NULL);
	(void)malloc_trim(0);
}

void
lean_start(struct event_base *base)
{
	timer = xevent_timer(base, on_timer, NULL);
	set_timer();
}

void
lean_work(void)
{
	worked = 1;
	if (timer != NULL && !evtimer_pending(timer, NULL))
		set_timer();
}
