/* SPDX-License-Identifier: ISC */
/*
 * status_page: what a person sees in a browser: fleets, devices and pods, why
 * one waits, what is new without a reload, and that the provider is away or
 * back; on a phone too, by the keyboard, in the dark, without scripts.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/auto.h"
#include "common/jread.h" /* AUTO_JSON */
#include "common/xmem.h"
#include "t/it/browser.h"
#include "t/it/it.h"
#include "t/it/pod.h"
#include "t/it/provider.h"
#include "t/it/world.h"

enum {
	DEVICES = 3,
	READY_MS = 30000,
	RUN_MS = 30000,
	SEEN_MS = 15000, /* the page asks every 2 s, after an outage less often
			  */
	PORT = 10255,
};

#define MARKUP "<script>'a'</script>"
#define MARKUP_JS "<script>\\'a\\'</script>"
#define BODY "document.body.innerText"
#define HEALTH "document.getElementById('health').textContent"
#define FITS "document.scrollingElement.scrollWidth <= innerWidth"
#define SHUT "!document.getElementById('explained').open"

static struct browser *b;

/* Rows of a table that have all of two texts. */
#define ROW(id, one, other)                                                 \
	"[...document.getElementById('" id "').rows].some((tr) => "         \
	"tr.innerText.includes('" one "') && tr.innerText.includes('" other \
	"'))"

static void
is_seen(const char *js, const char *what)
{
	int64_t since = it_ms();

	it_took(since, browser_await(b, js, SEEN_MS), "%s", what);
}

static void
is_so(const char *js, const char *what)
{
	it_ok(browser_is(b, js), "%s", what);
}

static void
open_page(void)
{
	AUTO_FREE char *fleet =
	    xasprintf("document.getElementById('fleets').innerText.includes("
		      "'%s')",
		world_node());

	browser_size(b, 1280, 900);
	browser_go(b, "/");
	(void)browser_is(b, "window.same = true");
	is_seen(HEALTH ".startsWith('Healthy')", "the page says Healthy");
	is_seen(fleet, "it shows the fleet and its node");
	is_seen("document.getElementById('devices').rows.length === 3 && "
		"document.getElementById('devices').innerText.includes('yes')",
	    "it shows the devices");
	is_seen(ROW("pods", "default/runs", "RUNNING"),
	    "it shows a pod that runs");
	is_seen(ROW("pods", "default/waits", "No device can take"),
	    "it shows why a pod waits");
	is_seen(ROW("parts", "flightctl", "answers"), "it shows both APIs");
	is_seen("document.getElementById('pods').rows[0].cells[1].innerText"
		" !== 'RUNNING'",
	    "what does not run comes first");
}

/* What the APIs let through is text, whatever it looks like. */
static void
shows_text(void)
{
	is_seen(ROW("pods", "default/odd", MARKUP_JS),
	    "markup is shown as text");
	is_so("document.scripts.length === 1", "and makes no element");
}

static void
shows_what_is_new(void)
{
	free(pod_create("comes", NULL));
	is_seen(ROW("pods", "default/comes", ""), "a new pod appears");
	is_seen(ROW("pods", "default/comes", "RUNNING"), "and runs");
}

static void
explains(void)
{
	(void)browser_is(b,
	    "[...document.querySelectorAll('#pods button')].find((x) =>"
	    " x.textContent === 'default/waits').focus() || true");
	browser_key(b, "Enter");
	is_seen(ROW("explain", "waits", "No device can take"),
	    "Enter on a pod explains it");
	is_so(ROW("explain", "candidate", ""), "each device with its reason");
	browser_size(b, 320, 640);
	is_so(FITS " && document.getElementById('explained').scrollWidth <="
		   " document.getElementById('explained').clientWidth",
	    "320 pixels are enough for the explanation");
	browser_key(b, "Escape");
	is_seen(SHUT, "Escape closes it");
	is_so("document.activeElement.textContent === 'default/waits'",
	    "and one is back at the pod");
}

static void
is_for_phones(void)
{
	browser_size(b, 320, 640);
	is_so(FITS, "320 pixels are enough, nothing is beside them");
	is_so("getComputedStyle(document.querySelector('#pods td'),"
	      " '::before').content.includes('State')",
	    "and each cell has its column's name");
	browser_size(b, 1280, 900);
}

static void
has_two_colours(void)
{
	AUTO_FREE char *light = NULL, *dark = NULL;
	static const char ground[] =
	    "getComputedStyle(document.body).backgroundColor";

	browser_dark(b, 0);
	light = browser_text(b, ground);
	browser_dark(b, 1);
	dark = browser_text(b, ground);
	it_ok(strcmp(light, dark) != 0, "it is dark where people want it so");
}

static void
type(const char *words)
{
	AUTO_FREE char *js = xasprintf("(() => { const f = "
				       "document.getElementById('filter');"
				       " f.value = '%s'; f.dispatchEvent("
				       "new Event('input')); return 1; })()",
	    words);

	(void)browser_is(b, js);
}

/* A button by its words. */
static void
choose(const char *where, const char *words)
{
	AUTO_FREE char *js =
	    xasprintf("[...document.querySelectorAll('%s button')].find("
		      "(x) => x.textContent === '%s').click() || true",
		where, words);

	(void)browser_is(b, js);
}

static void
filters(void)
{
	type("default/WAITS");
	is_seen("document.getElementById('pods').rows.length === 1",
	    "the filter leaves the one pod");
	type("");
	is_seen("document.getElementById('pods').rows.length === 4",
	    "without it all are back");
	choose("#pods-sum", "RUNNING 2");
	is_seen("document.getElementById('pods').rows.length === 2",
	    "a state is chosen by its number");
	choose("#pods-sum", "RUNNING 2");
	is_seen("document.getElementById('pods').rows.length === 4",
	    "and again: all states");
}

static void
works_without_scripts(void)
{
	browser_scripts(b, 0);
	browser_go(b, "/");
	is_so("document.querySelector('noscript').offsetHeight > 0 && " BODY
	      ".includes('vkfctl pods')",
	    "without scripts it says how to ask vkfctl");
	browser_scripts(b, 1);
}

static struct provider *
start(const char *name, const char *listen)
{
	AUTO_FREE char *state =
	    xasprintf("STATE_DIR=%s/provider/state", it_folder());
	const char *const extra[] = { listen, state, NULL };

	return provider_start(name, extra);
}

/* Whose address nobody else has, so that it is free the second time, too. */
static char *
address(void)
{
	unsigned int id = (unsigned int)getpid();

	return xasprintf("127.%u.%u.%u:%d", 1 + (id >> 14 & 0x7f),
	    id >> 7 & 0x7f, 1 + (id & 0x7f), PORT);
}

static void
outlives(struct provider **p, const char *listen)
{
	provider_judge(*p);
	it_ok(provider_stop(*p) == 0, "the provider ends by SIGTERM");
	is_seen("/^No answer since \\d\\d:\\d\\d:\\d\\d$/.test(" HEALTH ")",
	    "the page says since when there is no answer");
	is_so("document.title.startsWith('No answer')", "its title, too");
	*p = start("again", listen);
	is_seen(HEALTH ".startsWith('Healthy')", "it comes back by itself");
	is_seen(ROW("pods", "default/waits", "No device can take"),
	    "and shows what is");
	is_so("window.same", "all of that without a reload");
}

static void
make_pods(void)
{
	AUTO_JSON struct json_object *runs = NULL;

	free(pod_create("runs", NULL));
	free(pod_create("waits", &(struct pod_conf){ .device = "no-such" }));
	free(pod_create("odd",
	    &(struct pod_conf){ .container = ",\"env\":[{\"name\":\"" MARKUP
					     "\",\"value\":\"1\"}]" }));
	runs = pod_runs("runs", it_ms(), RUN_MS);
}

static void
scenario(void)
{
	AUTO_JSON struct json_object *node = NULL;
	AUTO_FREE char *at = address(), *listen = xasprintf("LISTEN=%s", at);
	AUTO_FREE char *origin = xasprintf("http://%s", at);
	struct provider *p;

	if (!browser_is_there()) {
		it_skip("this machine has no chromium: t/deps");
		return;
	}
	world_open(&(struct world_conf){ .devices = DEVICES });
	p = start("provider", listen);
	if ((node = node_is_ready(READY_MS)) == NULL)
		return;
	make_pods();
	b = browser_open(origin);
	open_page();
	shows_text();
	explains();
	is_for_phones();
	has_two_colours();
	shows_what_is_new();
	filters();
	outlives(&p, listen);
	works_without_scripts();
	it_ok(browser_complaints(b) == 0,
	    "the console has no error, no violation (%u)",
	    browser_complaints(b));
	it_ok(browser_strangers(b) == 0, "nobody else was asked (%u)",
	    browser_strangers(b));
	browser_close(b);
	provider_judge(p);
	it_ok(provider_stop(p) == 0, "it ends by SIGTERM again");
}

int
main(void)
{
	return it_run("status-page", scenario);
}
