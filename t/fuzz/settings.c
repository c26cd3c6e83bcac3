/* SPDX-License-Identifier: ISC */
/* Any file: an error that names the file, or settings. */
#include <sys/mman.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/settings.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int fd = memfd_create("settings", 0);
	struct settings s;
	struct why why;
	char path[32];

	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	settings_init(&s);
	if (write(fd, data, size) != (ssize_t)size ||
	    (settings_file(&s, path, &why) == -1 &&
		strncmp(why.text, path, strlen(path)) != 0))
		abort();
	(void)settings_check(&s, PROC_SUPERVISOR, &why);
	settings_free(&s);
	close(fd);
	return 0;
}
