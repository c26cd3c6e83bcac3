/* SPDX-License-Identifier: ISC */
/*
 * finding.c: what --check sees.
 *
 * Owns the form of a finding and how a word stands in a command; where it goes
 * is the process's.
 */
#include "common/finding.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/auto.h"
#include "common/xmem.h"
#include "ipc/msg.h"

enum {
	CLOCK_MS = 5000, /* more than that is a wrong clock */
};

static struct {
	void (*fn)(const struct body_finding *, void *);
	void *arg;
} sink;

void
finding_set_sink(void (*fn)(const struct body_finding *, void *), void *arg)
{
	sink.fn = fn;
	sink.arg = arg;
}

/* One that was cut ends in "...", as a struct why does. */
__attribute__((format(printf, 3, 0))) static void
put(char *to, size_t size, const char *fmt, va_list ap)
{
	int n = vsnprintf(to, size, fmt, ap);

	if (n >= (int)size)
		memcpy(to + size - 4, "...", 4);
}

void
finding(enum finding_level level, const char *subject, const char *mend,
    const char *fmt, ...)
{
	struct body_finding m = { .level = level };
	va_list ap;

	if (sink.fn == NULL)
		return;
	(void)snprintf(m.subject, sizeof(m.subject), "%s", subject);
	va_start(ap, fmt);
	put(m.text, sizeof(m.text), fmt, ap);
	va_end(ap);
	if (mend != NULL && strlen(mend) < sizeof(m.mend))
		memcpy(m.mend, mend, strlen(mend) + 1);
	sink.fn(&m, sink.arg);
}

char *
finding_word(const char *text)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyz"
				    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
				    "_-./:=@%+,";
	char *word, *to;

	if (*text != '\0' && strspn(text, plain) == strlen(text))
		return xstrdup(text);
	to = word = xmalloc(4 * strlen(text) + 3);
	*to++ = '\'';
	for (; *text != '\0'; text++) {
		if (*text == '\'') {
			memcpy(to, "'\\''", 4);
			to += 4;
		} else
			*to++ = *text;
	}
	memcpy(to, "'", 2);
	return word;
}

/* The first folder on the way that may not be entered; NULL: none. */
static char *
shut_folder(const char *path)
{
	const char *slash = path;

	while ((slash = strchr(slash + 1, '/')) != NULL) {
		AUTO_FREE char *folder = xstrndup(path, (size_t)(slash - path));

		if (access(folder, X_OK) == -1 && errno == EACCES)
			return steal(&folder);
	}
	return NULL;
}

int
finding_reads(const char *subject, const char *path)
{
	AUTO_FD int fd = open(path, O_RDONLY | O_CLOEXEC);
	AUTO_FREE char *word = NULL, *mend = NULL, *folder = NULL;
	int e = errno;

	if (fd != -1) {
		finding(FINDING_OK, subject, NULL, "%s can be read by uid %u",
		    path, getuid());
		return 1;
	}
	word = finding_word(path);
	if (e != EACCES)
		mend =
		    xasprintf("install -o %u -m 0400 FILE %s", getuid(), word);
	else if ((folder = shut_folder(path)) != NULL) {
		AUTO_FREE char *shut = finding_word(folder);

		mend = xasprintf("chgrp %u %s && chmod g+x %s  # or put it "
				 "into a folder of its own",
		    getgid(), shut, shut);
	} else
		mend = xasprintf("chown %u %s && chmod 0400 %s", getuid(), word,
		    word);
	finding(FINDING_FAIL, subject, mend, "%s: not readable for uid %u: %s",
	    path, getuid(), strerror(e));
	return 0;
}

void
finding_clock(const char *server, int64_t theirs_ms, int64_t ours_ms)
{
	/* The header says whole seconds. */
	int64_t ahead = ours_ms - theirs_ms - 500;

	if (theirs_ms == 0)
		finding(FINDING_OK, "clock", NULL, "%s tells no time", server);
	else if (ahead > CLOCK_MS || ahead < -CLOCK_MS)
		finding(FINDING_WARN, "clock", "timedatectl set-ntp true",
		    "%s's clock is %" PRId64 " s %s ours", server,
		    (ahead < 0 ? -ahead : ahead) / 1000,
		    ahead > 0 ? "behind" : "ahead of");
	else
		finding(FINDING_OK, "clock", NULL, "as %s's", server);
}
