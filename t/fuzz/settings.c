/* SPDX-License-Identifier: ISC */
/* Any file: an error that names it, or settings that print and come back. */
#include <sys/mman.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/settings.h"
#include "common/xmem.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static int
read_back(struct settings *s, const void *p, size_t len, struct why *why)
{
	int fd = memfd_create("settings", 0), rc;
	char *path = xasprintf("/proc/self/fd/%d", fd);

	if (fd == -1 || write(fd, p, len) != (ssize_t)len)
		abort();
	rc = settings_file(s, path, why);
	if (rc == -1 && strncmp(why->text, path, strlen(path)) != 0)
		abort();
	close(fd);
	free(path);
	return rc;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct settings s, again;
	char *text = NULL;
	struct why why;
	size_t len;
	FILE *f;

	settings_init(&s), settings_init(&again);
	if (read_back(&s, data, size, &why) == 0) {
		(void)settings_check(&s, &why);
		if ((f = open_memstream(&text, &len)) == NULL)
			abort();
		settings_print(&s, f);
		(void)fclose(f);
		if (s.given[SET_FLIGHTCTL_API_URL] &&
		    read_back(&again, text, len, &why) == -1)
			abort();
	}
	settings_free(&s), settings_free(&again);
	free(text);
	return 0;
}
