/* SPDX-License-Identifier: ISC */
/*
 * lean.c: memory that only the start of a process needed.
 *
 * Owns nothing.  Touches executable segments only: those are never written,
 * so dropping their pages loses nothing.
 */
#include "common/lean.h"

#include <sys/mman.h>

#include <link.h>
#include <malloc.h>
#include <stdint.h>
#include <unistd.h>

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

void
lean_down(void)
{
	(void)dl_iterate_phdr(drop_code, NULL);
	(void)malloc_trim(0);
}
