/* SPDX-License-Identifier: ISC */
/* Any file: an error that names the file, or settings. */
#include <sys/mman.h>

#include <string.h>
#include <unistd.h>

#include "common/form.h"
#include "common/limits.h"
#include "common/settings.h"
#include "t/fuzz/target.h"

static void
fuzz_settings(struct span input)
{
	int fd = memfd_create("settings", 0);
	struct settings s;
	struct why why;
	struct fleet_node nodes[MAX_NODES];
	char path[32];
	int n;

	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	settings_init(&s);
	if (write(fd, input.p, input.len) != (ssize_t)input.len ||
	    (settings_file(&s, path, &why) == -1 &&
		strncmp(why.text, path, strlen(path)) != 0))
		abort();
	if (settings_check(&s, PROC_SUPERVISOR, &why) == 0) {
		n = settings_nodes(&s, nodes, MAX_NODES, &why);
		must(n == -1 || (n > 0 && n <= MAX_NODES));
		for (; n > 0; n--)
			must(form_is_subdomain(span_of(nodes[n - 1].node)));
		(void)settings_uid(&s, PROC_PLACER);
	} else
		must(why.text[0] != '\0');
	settings_free(&s);
	close(fd);
}

TARGET(settings, fuzz_settings);
