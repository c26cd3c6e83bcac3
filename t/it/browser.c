/* SPDX-License-Identifier: ISC */
/*
 * browser.c: one page in Chromium.
 *
 * Owns its process and the two pipes, on which each message is JSON with a NUL
 * after it (Chrome DevTools Protocol).  They are named ones, in a folder of
 * their own, so that nothing is to be inherited.
 */
#include "t/it/browser.h"

#include <errno.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/auto.h"
#include "common/jread.h" /* AUTO_JSON */
#include "common/xmem.h"
#include "t/it/child.h"
#include "t/it/it.h"
#include "t/it/js.h"

#define FLAGS                                                             \
	"--headless --no-sandbox --disable-gpu --disable-quic "           \
	"--no-first-run --disable-background-networking "                 \
	"--disable-component-update --disable-sync --disable-extensions " \
	"--disable-dev-shm-usage --disable-breakpad --hide-scrollbars "

enum {
	PATIENCE_MS = 30000, /* Chromium's start on a busy machine */
	END_MS = 10000,
	STEP = 65536,
};

struct browser {
	pid_t pid;
	int in, out; /* its */
	char *buf;   /* what came of the next message, and after it */
	size_t len, size;
	int last; /* request */
	char *session, *origin;
	int loaded; /* since browser_go() */
	unsigned int complaints, strangers;
};

int
browser_is_there(void)
{
	const char *const argv[] = { "sh", "-c", "command -v chromium", NULL };

	return child_run(argv, NULL) == 0;
}

/* -- messages -------------------------------------------------------------- */

/* More bytes; 0: not until the deadline. */
static int
take_more(struct browser *b, int64_t deadline)
{
	struct pollfd pfd = { .fd = b->out, .events = POLLIN };
	int64_t left = deadline - it_ms();
	ssize_t n;

	if (left <= 0 || poll(&pfd, 1, (int)left) < 1)
		return 0;
	if (b->size - b->len < STEP)
		b->buf = xreallocarray(b->buf, b->size = b->size * 2 + STEP, 1);
	n = read(b->out, b->buf + b->len, b->size - b->len);
	if (n == -1 && errno != EAGAIN)
		it_die("chromium's pipe cannot be read");
	b->len += n > 0 ? (size_t)n : 0;
	return 1;
}

static struct json_object *
next_message(struct browser *b, int64_t deadline)
{
	struct json_object *o;
	char *end = NULL;
	size_t used;

	while (b->len == 0 || (end = memchr(b->buf, '\0', b->len)) == NULL)
		if (!take_more(b, deadline))
			it_die("chromium does not answer");
	if ((o = json_tokener_parse(b->buf)) == NULL)
		it_die("chromium says no JSON");
	used = (size_t)(end + 1 - b->buf);
	b->len -= used;
	memmove(b->buf, end + 1, b->len);
	return o;
}

/* A server that is away is the scenario's doing, not the page's. */
static void
note_entry(struct browser *b, struct json_object *m)
{
	const char *level = js_str(m, "/params/entry/level");

	if (strcmp(js_str(m, "/params/entry/source"), "network") == 0 ||
	    (strcmp(level, "error") != 0 && strcmp(level, "warning") != 0))
		return;
	b->complaints++;
	it_say("console: %s", js_str(m, "/params/entry/text"));
}

static void
note_call(struct browser *b, struct json_object *m)
{
	const char *type = js_str(m, "/params/type");

	if (strcmp(type, "error") != 0 && strcmp(type, "warning") != 0)
		return;
	b->complaints++;
	it_say("console: %s", js_str(m, "/params/args/0/value"));
}

static void
note_exception(struct browser *b, struct json_object *m)
{
	b->complaints++;
	it_say("exception: %s %s", js_str(m, "/params/exceptionDetails/text"),
	    js_str(m, "/params/exceptionDetails/exception/description"));
}

static void
note_request(struct browser *b, struct json_object *m)
{
	const char *url = js_str(m, "/params/request/url");
	size_t len = strlen(b->origin);

	if (strncmp(url, b->origin, len) == 0 && url[len] == '/')
		return;
	b->strangers++;
	it_say("asked elsewhere: %s", url);
}

static void
note_load(struct browser *b, struct json_object *m)
{
	(void)m;
	b->loaded = 1;
}

static void
note(struct browser *b, struct json_object *m)
{
	static const struct {
		const char *method;
		void (*note)(struct browser *, struct json_object *);
	} events[] = {
		{ "Log.entryAdded", note_entry },
		{ "Network.requestWillBeSent", note_request },
		{ "Page.loadEventFired", note_load },
		{ "Runtime.consoleAPICalled", note_call },
		{ "Runtime.exceptionThrown", note_exception },
	};
	size_t i;

	for (i = 0; i < sizeof(events) / sizeof(*events); i++)
		if (strcmp(js_str(m, "/method"), events[i].method) == 0)
			events[i].note(b, m);
}

static void
put(struct browser *b, struct json_object *m)
{
	const char *text =
	    json_object_to_json_string_ext(m, JSON_C_TO_STRING_PLAIN);
	size_t len = strlen(text) + 1;

	if (write(b->in, text, len) != (ssize_t)len)
		it_die("chromium's pipe cannot be written");
}

/* Takes params (NULL: none); the answer, the caller's. */
static struct json_object *
call(struct browser *b, const char *method, struct json_object *params)
{
	AUTO_JSON struct json_object *m = json_object_new_object();
	struct json_object *got;

	json_object_object_add(m, "id", json_object_new_int(++b->last));
	json_object_object_add(m, "method", json_object_new_string(method));
	if (params != NULL)
		json_object_object_add(m, "params", params);
	if (b->session != NULL)
		json_object_object_add(m, "sessionId",
		    json_object_new_string(b->session));
	put(b, m);
	for (;;) {
		got = next_message(b, it_ms() + PATIENCE_MS);
		if (js_int(got, "/id") == b->last)
			break;
		note(b, got);
		json_object_put(got);
	}
	if (js_get(got, "/error") != NULL)
		it_die("%s: %s", method, js_str(got, "/error/message"));
	return got;
}

static void
tell(struct browser *b, const char *method, struct json_object *params)
{
	json_object_put(call(b, method, params));
}

/* -- the process ----------------------------------------------------------- */

/* It reads and writes; neither end waits for the other to open it. */
static int
open_pipe(const char *path)
{
	int fd;

	if (mkfifo(path, 0600) == -1 ||
	    (fd = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC)) == -1)
		it_die("%s: cannot be made", path);
	return fd;
}

static pid_t
start(const char *dir, const char *in, const char *out)
{
	AUTO_FREE char *log = xasprintf("%s.log", dir);
	AUTO_FREE char *line =
	    xasprintf("exec chromium " FLAGS "--remote-debugging-pipe "
		      "--user-data-dir='%s' about:blank 3<'%s' 4>'%s'",
		dir, in, out);
	AUTO_FREE char *home = xasprintf("HOME=%s", dir);
	AUTO_FREE char *path = xasprintf("PATH=%s", getenv("PATH"));
	const char *const argv[] = { "sh", "-c", line, NULL };
	char *const env[] = { home, path, NULL };

	return child_start(argv, env, log);
}

static void
attach(struct browser *b)
{
	static const char *const domains[] = { "Log.enable", "Network.enable",
		"Page.enable", "Runtime.enable" };
	AUTO_JSON struct json_object *target = NULL, *session = NULL;
	size_t i;

	target = call(b, "Target.createTarget",
	    js_make("{\"url\":\"about:blank\"}"));
	session = call(b, "Target.attachToTarget",
	    js_make("{\"targetId\":\"%s\",\"flatten\":true}",
		js_str(target, "/result/targetId")));
	b->session = xstrdup(js_str(session, "/result/sessionId"));
	for (i = 0; i < sizeof(domains) / sizeof(*domains); i++)
		tell(b, domains[i], NULL);
}

struct browser *
browser_open(const char *origin)
{
	AUTO_FREE char *dir = xasprintf("%s/browser", it_folder());
	AUTO_FREE char *in = xasprintf("%s/in", dir);
	AUTO_FREE char *out = xasprintf("%s/out", dir);
	struct browser *b = xcalloc(1, sizeof(*b));

	if (mkdir(dir, 0700) == -1)
		it_die("%s: cannot be made", dir);
	b->origin = xstrdup(origin);
	b->in = open_pipe(in);
	b->out = open_pipe(out);
	b->pid = start(dir, in, out);
	attach(b);
	return b;
}

void
browser_close(struct browser *b)
{
	if (b == NULL)
		return;
	free(b->session);
	b->session = NULL;
	tell(b, "Browser.close", NULL);
	if (child_wait(b->pid, END_MS) == -1)
		child_end(b->pid);
	close(b->in);
	close(b->out);
	free(b->buf);
	free(b->origin);
	free(b);
}

/* -- the page -------------------------------------------------------------- */

void
browser_go(struct browser *b, const char *path)
{
	int64_t deadline = it_ms() + PATIENCE_MS;
	struct json_object *m;

	b->loaded = 0;
	tell(b, "Page.navigate",
	    js_make("{\"url\":\"%s%s\"}", b->origin, path));
	while (!b->loaded) {
		m = next_message(b, deadline);
		note(b, m);
		json_object_put(m);
	}
}

static struct json_object *
evaluate(struct browser *b, const char *js)
{
	struct json_object *params =
	    js_make("{\"awaitPromise\":true,\"returnByValue\":true}");
	struct json_object *got;

	json_object_object_add(params, "expression",
	    json_object_new_string(js));
	got = call(b, "Runtime.evaluate", params);
	if (js_get(got, "/result/exceptionDetails") != NULL)
		it_die("%s: %s", js,
		    js_str(got,
			"/result/exceptionDetails/exception/description"));
	return got;
}

char *
browser_text(struct browser *b, const char *js)
{
	AUTO_FREE char *text = xasprintf("String(%s)", js);
	AUTO_JSON struct json_object *got = evaluate(b, text);

	return xstrdup(js_str(got, "/result/result/value"));
}

int
browser_is(struct browser *b, const char *js)
{
	AUTO_FREE char *is = xasprintf("!!(%s)", js);
	AUTO_JSON struct json_object *got = evaluate(b, is);

	return json_object_get_boolean(js_get(got, "/result/result/value"));
}

int
browser_await(struct browser *b, const char *js, int ms)
{
	AUTO_FREE char *text = xasprintf(
	    "new Promise((done) => {"
	    " const is = () => { try { return !!(%s); }"
	    "  catch { return false; } };"
	    " const look = () => { if (is()) end(true); };"
	    " const watch = new MutationObserver(look);"
	    " const end = (how) => { watch.disconnect(); done(how); };"
	    " watch.observe(document, { subtree: true, childList: true,"
	    "  characterData: true, attributes: true });"
	    " setTimeout(() => end(is()), %d);"
	    " look(); })",
	    js, ms);
	AUTO_JSON struct json_object *got = evaluate(b, text);

	return json_object_get_boolean(js_get(got, "/result/result/value"));
}

void
browser_size(struct browser *b, int width, int height)
{
	tell(b, "Emulation.setDeviceMetricsOverride",
	    js_make("{\"width\":%d,\"height\":%d,\"deviceScaleFactor\":1,"
		    "\"mobile\":false}",
		width, height));
}

void
browser_dark(struct browser *b, int on)
{
	tell(b, "Emulation.setEmulatedMedia",
	    js_make("{\"features\":[{\"name\":\"prefers-color-scheme\","
		    "\"value\":\"%s\"}]}",
		on ? "dark" : "light"));
}

void
browser_key(struct browser *b, const char *key)
{
	int code = strcmp(key, "Enter") == 0 ? '\r' : 0x1b;

	tell(b, "Input.dispatchKeyEvent",
	    js_make("{\"type\":\"keyDown\",\"key\":\"%s\",\"code\":\"%s\","
		    "\"windowsVirtualKeyCode\":%d,\"text\":\"%s\"}",
		key, key, code, code == '\r' ? "\\r" : ""));
	tell(b, "Input.dispatchKeyEvent",
	    js_make("{\"type\":\"keyUp\",\"key\":\"%s\",\"code\":\"%s\","
		    "\"windowsVirtualKeyCode\":%d}",
		key, key, code));
}

void
browser_scripts(struct browser *b, int on)
{
	tell(b, "Emulation.setScriptExecutionDisabled",
	    js_make("{\"value\":%s}", on ? "false" : "true"));
}

unsigned int
browser_complaints(const struct browser *b)
{
	return b->complaints;
}

unsigned int
browser_strangers(const struct browser *b)
{
	return b->strangers;
}
