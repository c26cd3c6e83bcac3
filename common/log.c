/* SPDX-License-Identifier: ISC */
/*
 * log.c: one line for one thing that happened.
 *
 * Owns the shape of a line and the only escaper of it: whatever a text holds,
 * what comes out is one line of valid UTF-8, and as JSON one valid object.
 * Never waits long for a reader that does not read.
 */
#include "common/log.h"

#include <errno.h>
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
	log_writer *writer;
} self = { .process = "?", .level = LOG_LEVEL_INFO };

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
		} else if (utf8_is_control(s)) {
			/* The last byte is its number, of C1's two, too. */
			(void)snprintf(u, sizeof(u), "\\u%04x", s[n - 1]);
			add_str(l, u);
		} else {
			add(l, (const char *)s, n);
		}
		s += n;
	}
}

static void
add_field(struct line *l, int json, const char *name, const char *value)
{
	if (value[0] == '\0')
		return;
	add_str(l, json ? ",\"" : " ");
	add_str(l, name);
	add_str(l, json ? "\":\"" : "=\"");
	add_escaped(l, value);
	add_str(l, "\"");
}

void
log_time(int64_t wall_ms, char text[LOG_TIME_BYTES])
{
	time_t t = (time_t)(wall_ms / 1000);
	struct tm tm;
	size_t n;

	text[0] = '\0';
	if (gmtime_r(&t, &tm) == NULL ||
	    (n = strftime(text, LOG_TIME_BYTES, "%Y-%m-%dT%H:%M:%S", &tm)) == 0)
		return;
	(void)snprintf(text + n, LOG_TIME_BYTES - n, ".%03dZ",
	    (int)(wall_ms % 1000));
}

static void
add_time(struct line *l, uint64_t wall_ms)
{
	char text[LOG_TIME_BYTES];

	log_time((int64_t)wall_ms, text);
	add_str(l, text);
}

/* Whether there is one who takes a line soon. */
static int
is_writable(int fd)
{
	struct pollfd pfd = { fd, POLLOUT, 0 };

	return poll(&pfd, 1, self.stalled ? 0 : PATIENCE_MS) == 1;
}

/*
 * A reader that does not read would stop the supervisor.  Wait a moment, then
 * lose lines, and say how many when it goes on.
 */
static void
lose(void)
{
	self.stalled = 1;
	self.lost++;
}

static void
took(void)
{
	unsigned int lost = self.lost;

	self.stalled = 0;
	self.lost = 0;
	if (lost > 0)
		log_warn("%u log lines were lost", lost);
}

static void
put(struct line *l)
{
	if (l->len > sizeof(l->p) - 2)
		l->len = sizeof(l->p) - 2;
	l->p[l->len++] = '\n';
	if (!is_writable(STDERR_FILENO)) {
		lose();
		return;
	}
	if (write(STDERR_FILENO, l->p, l->len) == -1)
		self.lost++;
	else
		took();
}

static void
add_message(struct line *l, const char *process, const struct body_log *m)
{
	add_escaped(l, process);
	add_str(l, ": ");
	add_escaped(l, m->text);
}

static void
add_fields(struct line *l, int json, const struct body_log *m)
{
	add_field(l, json, "operation", m->operation);
	add_field(l, json, "pod", m->pod);
	add_field(l, json, "device", m->device);
	add_field(l, json, "fleet", m->fleet);
	add_field(l, json, "error", m->error);
}

/* 1: the line needs no other way. */
static int
to_writer(const char *process, const struct body_log *m)
{
	struct line l;

	l.len = 0;
	add_message(&l, process, m);
	add_fields(&l, 0, m);
	if (l.len == sizeof(l.p))
		l.len--;
	l.p[l.len] = '\0';
	if (self.writer(process, m, l.p, self.stalled ? 0 : PATIENCE_MS) == 0) {
		took();
		return 1;
	}
	if (errno != EAGAIN)
		return 0;
	lose();
	return 1;
}

static void
write_line(const char *process, const struct body_log *m)
{
	struct line l;

	if (self.writer != NULL && to_writer(process, m))
		return;
	l.len = 0;
	add_str(&l, self.json ? "{\"time\":\"" : "");
	add_time(&l, m->wall_ms);
	add_str(&l, self.json ? "\",\"level\":\"" : " ");
	add_str(&l, level_name(m->level));
	if (self.json) {
		add_str(&l, "\"");
		add_field(&l, 1, "process", process);
		add_field(&l, 1, "msg", m->text);
	} else {
		add_str(&l, " ");
		add_message(&l, process, m);
	}
	add_fields(&l, self.json, m);
	if (self.json)
		add_str(&l, "}");
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
	memcpy(dst, src, size - 1);
	utf8_end(dst, size);
}

static void
copy_pod(char *dst, size_t size, const struct log_about *about)
{
	char pod[MAX_NAMESPACE + MAX_NAME + 2];

	if (about->pod == NULL || about->ns == NULL) {
		copy(dst, size, about->pod);
		return;
	}
	if (snprintf(pod, sizeof(pod), "%s/%s", about->ns, about->pod) > 0)
		copy(dst, size, pod);
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
		copy_pod(m.pod, sizeof(m.pod), about);
		copy(m.device, sizeof(m.device), about->device);
		copy(m.fleet, sizeof(m.fleet), about->fleet);
		copy(m.error, sizeof(m.error), about->error);
	}
	/* NOLINTNEXTLINE(clang-analyzer-valist.Uninitialized): by callers */
	n = vsnprintf(m.text, sizeof(m.text), fmt, ap);
	if (n < 0 || (size_t)n >= sizeof(m.text))
		utf8_end(m.text, sizeof(m.text));
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
log_set_writer(log_writer *fn)
{
	self.writer = fn;
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
