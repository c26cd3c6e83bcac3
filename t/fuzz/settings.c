/* SPDX-License-Identifier: ISC */
/* Any file: an error that names the file, or settings. */
#include <sys/mman.h>

#include <string.h>
#include <unistd.h>

#include "common/settings.h"
#include "t/fuzz/target.h"

static void
fuzz_settings(struct span input)
{
	int fd = memfd_create("settings", 0);
	struct settings s;
	struct why why;
	char path[32];

	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	settings_init(&s);
	if (write(fd, input.p, input.len) != (ssize_t)input.len ||
	    (settings_file(&s, path, &why) == -1 &&
		strncmp(why.text, path, strlen(path)) != 0))
		abort();
	(void)settings_check(&s, PROC_SUPERVISOR, &why);
	settings_free(&s);
	close(fd);
}

TARGET(settings, fuzz_settings);
