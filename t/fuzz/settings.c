/* SPDX-License-Identifier: ISC */
/*
 * Any file, and any environment: an error that names the file, or settings,
 * which are the same once printed and read again.
 */
#include <sys/mman.h>

#include <string.h>
#include <unistd.h>

#include "common/auto.h"
#include "common/form.h"
#include "common/limits.h"
#include "common/settings.h"
#include "common/xmem.h"
#include "t/fuzz/target.h"

enum {
	VARIABLES = 64,
};

/* As the file of that descriptor; -1: the error names it. */
static int
read_file(struct settings *s, struct span text)
{
	int fd = memfd_create("settings", 0), r;
	char path[32];
	struct why why;

	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	must(write(fd, text.p, text.len) == (ssize_t)text.len);
	r = settings_file(s, path, &why);
	must(r == 0 || strncmp(why.text, path, strlen(path)) == 0);
	close(fd);
	return r;
}

static void
print_again(const struct settings *s)
{
	AUTO_FREE char *text = NULL;
	struct settings again;
	enum setting i;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	must(f != NULL);
	settings_print(s, f);
	must(fclose(f) == 0);
	settings_init(&again);
	must(read_file(&again, (struct span){ text, len }) == 0);
	for (i = 0; i < SET_COUNT; i++) {
		must(settings_by_name(settings_name(i)) == i);
		must(strcmp(s->text[i], again.text[i]) == 0 &&
		    s->number[i] == again.number[i]);
		/* What may change later goes to somebody. */
		must(!settings_reloads(i) || settings_is_for(i, PROC_PLACER) ||
		    settings_is_for(i, PROC_KUBESIDE) ||
		    settings_is_for(i, PROC_FLIGHTSIDE));
	}
	settings_free(&again);
}

static void
read_environment(struct span text)
{
	AUTO_FREE char *all = xstrndup(text.p, text.len);
	char *rest = all;
	char *vars[VARIABLES + 1] = { NULL };
	struct why why = { 0 };
	struct settings s;
	size_t n;

	for (n = 0; n < VARIABLES && rest != NULL; n++)
		vars[n] = strsep(&rest, "\n");
	settings_init(&s);
	if (settings_env(&s, vars, &why) == -1)
		must(why.kind == ERR_FORMAT && why.text[0] != '\0');
	settings_free(&s);
}

static void
fuzz_settings(struct span input)
{
	struct fleet_node nodes[MAX_NODES];
	struct settings s;
	struct why why;
	int n;

	settings_init(&s);
	(void)read_file(&s, input);
	if (settings_check(&s, PROC_SUPERVISOR, &why) == 0) {
		print_again(&s);
		n = settings_nodes(&s, nodes, MAX_NODES, &why);
		must(n == -1 || (n > 0 && n <= MAX_NODES));
		for (; n > 0; n--)
			must(form_is_subdomain(span_of(nodes[n - 1].node)));
		(void)settings_uid(&s, PROC_PLACER);
	} else
		must(why.text[0] != '\0');
	settings_free(&s);
	read_environment(input);
}

TARGET(settings, fuzz_settings);
