/* SPDX-License-Identifier: ISC */
/*
 * log.c: one line for one thing that happened.
 *
 * Owns the shape of a line and the only escaper of it: whatever a text holds,
 * what comes out is one line of valid UTF-8, and as JSON one valid object.
 * Never waits long for a reader that does not read.
 */
#include "common/log.h"

#include <assert.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/mono.h"
#include "common/utf8.h"
#include "ipc/msg.h"

enum {
	LINE_MAX_BYTES = 24 * 1024, /* six times the longest texts of a LOG */
	PATIENCE_MS = 200,
};

struct line {
	char p[LINE_MAX_BYTES];
	size_t len;
};

static struct {
	const char *process;
	enum log_level level;
	int json;
	int stalled;	   /* nobody reads standard error */
	unsigned int lost; /* lines since then */
	void (*sink)(const struct body_log *, void *);
	void *arg;
} self = { .process = "?", .level = LOG_LEVEL_INFO };

static const char *
level_name(uint32_t level)
{
	static const char *const names[] = { "error", "warn", "info", "debug" };

	return names[level > LOG_LEVEL_DEBUG ? LOG_LEVEL_DEBUG : level];
}

static void
add(struct line *l, const char *p, size_t len)
{
	if (len > sizeof(l->p) - l->len)
		len = sizeof(l->p) - l->len;
	memcpy(l->p + l->len, p, len);
	l->len += len;
}

static void
add_str(struct line *l, const char *s)
{
	add(l, s, strlen(s));
}

/* The inside of a JSON string; in text lines it serves as well. */
static void
add_escaped(struct line *l, const char *text)
{
	const unsigned char *s = (const unsigned char *)text;
	char u[8];
	size_t n;

	while (*s != '\0') {
		if ((n = utf8_len(s)) == 0) {
			add_str(l, "\xef\xbf\xbd");
			s++;
			continue;
		}
		if (*s == '"' || *s == '\\') {
			add(l, "\\", 1);
			add(l, (const char *)s, 1);
		} else if (*s == '\n') {
			add_str(l, "\\n");
		} else if (*s < 0x20 || *s == 0x7f) {
			(void)snprintf(u, sizeof(u), "\\u%04x", *s);
			add_str(l, u);
		} else {
			add(l, (const char *)s, n);
		}
		s += n;
	}
}

static void
add_field(struct line *l, const char *name, const char *value)
{
	if (value[0] == '\0')
		return;
	add_str(l, self.json ? ",\"" : " ");
	add_str(l, name);
	add_str(l, self.json ? "\":\"" : "=\"");
	add_escaped(l, value);
	add_str(l, "\"");
}

static void
add_time(struct line *l, int64_t wall_ms)
{
	time_t t = (time_t)(wall_ms / 1000);
	char date[40], text[48];
	struct tm tm;

	if (gmtime_r(&t, &tm) == NULL ||
	    strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", &tm) == 0)
		return;
	(void)snprintf(text, sizeof(text), "%s.%03dZ", date,
	    (int)(wall_ms % 1000));
	add_str(l, text);
}

/*
 * A pipe that nobody empties would stop the supervisor.  Wait a moment, then
 * lose lines, and say how many when it goes on.
 */
static void
put(struct line *l)
{
	struct pollfd pfd = { STDERR_FILENO, POLLOUT, 0 };
	char text[80];
	int n;

	if (l->len > sizeof(l->p) - 2)
		l->len = sizeof(l->p) - 2;
	l->p[l->len++] = '\n';
	if (poll(&pfd, 1, self.stalled ? 0 : PATIENCE_MS) != 1) {
		self.stalled = 1;
		self.lost++;
		return;
	}
	self.stalled = 0;
	if (write(STDERR_FILENO, l->p, l->len) == -1)
		self.lost++;
	if (self.lost == 0)
		return;
	n = snprintf(text, sizeof(text), "%u log lines were lost", self.lost);
	assert(n > 0 && (size_t)n < sizeof(text));
	self.lost = 0;
	log_warn("%s", text);
}

static void
write_line(const char *process, const struct body_log *m)
{
	struct line l;

	l.len = 0;
	if (self.json) {
		add_str(&l, "{\"time\":\"");
		add_time(&l, (int64_t)m->wall_ms);
		add_str(&l, "\",\"level\":\"");
		add_str(&l, level_name(m->level));
		add_str(&l, "\",\"process\":\"");
		add_escaped(&l, process);
		add_str(&l, "\"");
	} else {
		add_time(&l, (int64_t)m->wall_ms);
		add_str(&l, " ");
		add_str(&l, level_name(m->level));
		add_str(&l, " ");
		add_escaped(&l, process);
		add_str(&l, ": ");
		add_escaped(&l, m->text);
	}
	add_field(&l, "operation", m->operation);
	add_field(&l, "pod", m->pod);
	add_field(&l, "device", m->device);
	add_field(&l, "fleet", m->fleet);
	add_field(&l, "error", m->error);
	if (self.json) {
		add_field(&l, "msg", m->text);
		add_str(&l, "}");
	}
	put(&l);
}

/* A field that is too long ends in "..."; a log line is no data. */
static void
copy(char *dst, size_t size, const char *src)
{
	size_t len;

	if (src == NULL)
		return;
	len = strnlen(src, size);
	if (len < size) {
		memcpy(dst, src, len + 1);
		return;
	}
	memcpy(dst, src, size - 4);
	memcpy(dst + size - 4, "...", 4);
}

static void __attribute__((format(printf, 3, 0))) emit(enum log_level level,
    const struct log_about *about, const char *fmt, va_list ap)
{
	struct body_log m;
	int n;

	if (level > self.level)
		return;
	memset(&m, 0, sizeof(m));
	m.level = (uint32_t)level;
	m.wall_ms = (uint64_t)now_read().wall_ms;
	if (about != NULL) {
		copy(m.operation, sizeof(m.operation), about->operation);
		copy(m.pod, sizeof(m.pod), about->pod);
		copy(m.device, sizeof(m.device), about->device);
		copy(m.fleet, sizeof(m.fleet), about->fleet);
		copy(m.error, sizeof(m.error), about->error);
	}
	/* NOLINTNEXTLINE(clang-analyzer-valist.Uninitialized): by callers */
	n = vsnprintf(m.text, sizeof(m.text), fmt, ap);
	if (n < 0 || (size_t)n >= sizeof(m.text))
		memcpy(m.text + sizeof(m.text) - 4, "...", 4);
	if (self.sink != NULL)
		self.sink(&m, self.arg);
	else
		write_line(self.process, &m);
}

void
log_init(const char *process)
{
	self.process = process;
}

void
log_set_level(enum log_level level)
{
	self.level = level;
}

void
log_set_json(int json)
{
	self.json = json;
}

void
log_set_sink(void (*fn)(const struct body_log *, void *), void *arg)
{
	self.sink = fn;
	self.arg = arg;
}

void
log_relay(const char *process, const struct body_log *m)
{
	if (m->level <= (uint32_t)self.level)
		write_line(process, m);
}

int
log_debugging(void)
{
	return self.level >= LOG_LEVEL_DEBUG;
}

void
log_line(enum log_level level, const struct log_about *about, const char *fmt,
    ...)
{
	va_list ap;

	va_start(ap, fmt);
	emit(level, about, fmt, ap);
	va_end(ap);
}

#define LOG_AT(name, level)                 \
	void name(const char *fmt, ...)     \
	{                                   \
		va_list ap;                 \
                                            \
		va_start(ap, fmt);          \
		emit(level, NULL, fmt, ap); \
		va_end(ap);                 \
	}
LOG_AT(log_error, LOG_LEVEL_ERROR)
LOG_AT(log_warn, LOG_LEVEL_WARN)
LOG_AT(log_info, LOG_LEVEL_INFO)
LOG_AT(log_debug, LOG_LEVEL_DEBUG)

void
fatal(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	emit(LOG_LEVEL_ERROR, NULL, fmt, ap);
	va_end(ap);
	_exit(1);
}
