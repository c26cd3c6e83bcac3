/* SPDX-License-Identifier: ISC */
/*
 * sandbox: what a worker could do that was taken over, tried from inside each
 * as it is shipped (t/probe), by root and by an ordinary user.  Each layer and
 * each row of common/sandbox.def that lets more through is noticed.
 *	--contained	just the probes: t/pack/image runs it in a container
 */
#include <sys/stat.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/auto.h"
#include "common/xmem.h"
#include "t/it/child.h"
#include "t/it/it.h"
#include "t/it/profile.h"
#include "t/it/sandbox_stage.h"
#include "t/it/sanitized.h"

enum {
	ORDINARY = 61009,
	LAYERS_MS = 10000,
	TELLERS = 2,
	PLACER = 2, /* of stage_workers */
};

/* Lines of a report that begin so: how many; those that end so are not. */
static int
lines(const char *report, const char *begin, const char *end, int show)
{
	size_t len, nb = strlen(begin), ne = end == NULL ? 0 : strlen(end);
	const char *p, *eol;
	int n = 0;

	for (p = report; (eol = strchr(p, '\n')) != NULL; p = eol + 1) {
		len = (size_t)(eol - p);
		if (len < nb || strncmp(p, begin, nb) != 0 ||
		    (end != NULL &&
			(len < ne || strncmp(eol - ne, end, ne) != 0)))
			continue;
		n++;
		if (show)
			it_say("%.*s", (int)len, p);
	}
	return n;
}

static void
judge_probes(const char *who, int worker, const char *report)
{
	(void)lines(report, "hole ", NULL, 1);
	it_ok(lines(report, "sealed: ", " 0 holes", 1) == 1 &&
		lines(report, "under: ", " 0 holes", 1) == 1,
	    "%s, %s: nothing gets out", who, stage_workers[worker]);
}

static void
judge_mutants(int worker, const char *report)
{
	const char *name = stage_workers[worker];
	int n = lines(report, "row ", NULL, 0);
	int older = lines(report, "abi ", NULL, 0);
	int unseen = worker == PLACER ? 0 : 1;

	if (older == 0)
		it_skip("%s: this kernel has no older Landlock", name);
	else
		it_ok(lines(report, "abi ", " 0 holes", 0) == older,
		    "%s: nor with an older Landlock (%d)", name, older);
	(void)lines(report, "without ", NULL, 1);
	/* Key holders make threads for names; the placer makes none. */
	it_ok(lines(report, "without ", " 0 noticed", 0) == unseen &&
		lines(report, "without NPROC: 0 noticed", NULL, 0) == unseen,
	    "%s: each layer that is left out is noticed", name);
	(void)lines(report, "row ", " not noticed", 1);
	it_ok(n > 20 && lines(report, "row ", " not noticed", 0) == 0,
	    "%s: each of %d rows that lets more through is noticed", name, n);
}

/* --- the golden list of what each may call ---------------------------------
 */

#if defined(__x86_64__)
#define GOLDEN "t/golden/sandbox/x86_64"
#else
#define GOLDEN "t/golden/sandbox/aarch64"
#endif

/* Words after "audit ", a line each. */
static char *
audited(const char *report)
{
	static const char begin[] = "audit ";
	char *text = xcalloc(1, strlen(report) + 1), *to = text;
	const char *p, *eol;

	for (p = report; (eol = strchr(p, '\n')) != NULL; p = eol + 1)
		if (strncmp(p, begin, sizeof(begin) - 1) == 0) {
			size_t len = (size_t)(eol + 1 - p) - sizeof(begin) + 1;

			memcpy(to, p + sizeof(begin) - 1, len);
			to += len;
		}
	return text;
}

/* GOLDEN_WRITE=1 writes what it compares otherwise. */
static void
judge_audit(int worker, const char *report)
{
	AUTO_FREE char *name =
	    xasprintf(GOLDEN "/%s.txt", stage_workers[worker]);
	AUTO_FREE char *path = child_source(name), *golden = NULL;
	AUTO_FREE char *found = audited(report), *seen = NULL, *out = NULL;

	if (getenv("GOLDEN_WRITE") != NULL)
		it_write(path, found);
	if ((golden = it_file(path, NULL)) == NULL) {
		it_skip("%s: there is none for this architecture", name);
		return;
	}
	(void)lines(report, "audited: ", NULL, 1);
	if (it_ok(strcmp(golden, found) == 0, "%s: what it may call is %s",
		stage_workers[worker], name))
		return;
	seen = xasprintf("%s/audit", it_folder());
	it_write(seen, found);
	(void)child_run((const char *[]){ "diff", path, seen, NULL }, &out);
	it_say("%s", out);
}

/* --- seen from outside ------------------------------------------------------
 */

/* Whether a file of /proc has all these lines. */
static int
has_lines(pid_t pid, const char *file, const char *const want[])
{
	AUTO_FREE char *path = xasprintf("/proc/%d/%s", (int)pid, file);
	AUTO_FREE char *text = it_file(path, NULL);
	size_t i;

	for (i = 0; text != NULL && want[i] != NULL; i++)
		if (strstr(text, want[i]) == NULL) {
			it_say("%s: no %s", path, want[i]);
			return 0;
		}
	return text != NULL;
}

static const char *const given_up[] = { "\nNoNewPrivs:\t1\n", NULL };
static const char *const nothing_left[] = { "\nNoNewPrivs:\t1\n",
	"\nSeccomp:\t2\n", "\nCapInh:\t0000000000000000\n",
	"\nCapPrm:\t0000000000000000\n", "\nCapEff:\t0000000000000000\n",
	"\nCapAmb:\t0000000000000000\n", NULL };
static const char *const no_core[] = {
	"Max core file size        0                    0  ", NULL
};

/* What may not be traced shows its files to root alone. */
static int
is_hidden(pid_t pid)
{
	AUTO_FREE char *path = xasprintf("/proc/%d/fd", (int)pid);
	struct stat st;

	return stat(path, &st) == 0 && st.st_uid == 0 && st.st_gid == 0;
}

static void
look_at_processes(const struct stage *s)
{
	int i;

	it_ok(has_lines(s->pid, "status", given_up) &&
		has_lines(s->pid, "limits", no_core) && is_hidden(s->pid),
	    "supervisor: no core, no dump, no new rights");
	EACH_WORKER(i) {
		pid_t pid = stage_worker(s, stage_workers[i]);

		it_ok(has_lines(pid, "status", nothing_left) &&
			has_lines(pid, "limits", no_core) && is_hidden(pid),
		    "%s: a filter, no capability, core, dump or new rights",
		    stage_workers[i]);
	}
}

static int
is_apart(const struct stage *s, int worker, const char *space)
{
	AUTO_FREE char *own = xasprintf("/proc/%d/ns/%s", (int)s->pid, space);
	AUTO_FREE char *its = xasprintf("/proc/%d/ns/%s",
	    (int)stage_worker(s, stage_workers[worker]), space);
	struct stat a, b;

	return stat(own, &a) == 0 && stat(its, &b) == 0 && a.st_ino != b.st_ino;
}

static void
look_at_spaces(const struct stage *s)
{
	const char *const argv[] = { "unshare", "-m", "-n", "-i", "true",
		NULL };
	int i;

	/* spawn.c leaves that out: its counts are a file that all write. */
#ifdef COVERAGE
	it_skip("a build that counts (V=prof) has no namespaces");
	return;
#endif
	if (geteuid() != 0 || child_run(argv, NULL) != 0) {
		it_skip("no namespaces can be made here");
		return;
	}
	EACH_WORKER(i)
		it_ok(is_apart(s, i, "ipc") &&
			is_apart(s, i, "net") == (i == PLACER) &&
			is_apart(s, i, "mnt") == (i != PLACER),
		    "%s: namespaces of its own", stage_workers[i]);
	EACH_WORKER(i) {
		AUTO_FREE char *mounts = xasprintf("/proc/%d/mounts",
		    (int)stage_worker(s, stage_workers[i]));
		AUTO_FREE char *text = it_file(mounts, NULL);

		it_ok(i == PLACER ||
			(text != NULL && strstr(text, " ro,") != NULL &&
			    strstr(text, " rw,") == NULL),
		    "%s: %s", stage_workers[i],
		    i == PLACER ? "has its database" :
				  "no mount that can be written");
	}
}

/* What /metrics says; the caller's. */
static char *
metrics_of(const struct stage *s)
{
	static const char words[] = "listening on ";
	AUTO_FREE char *log = it_file(s->log, NULL), *url = NULL;
	const char *at = log == NULL ? NULL : strstr(log, words);
	char *out = NULL;

	if (at == NULL)
		it_die("%s: no listener", s->log);
	at += sizeof(words) - 1;
	url = xasprintf("http://%.*s/metrics", (int)strcspn(at, "\""), at);
	if (child_run((const char *[]){ "curl", "-sS", url, NULL }, &out) != 0)
		it_die("%s: %s", url, out);
	return out;
}

/* What flightside tells waits for the cluster's id, which nobody tells here. */
static void
look_at_layers(const struct stage *s, const char *name, const char *layer,
    int is)
{
	int64_t deadline = it_ms() + LAYERS_MS;
	int i, n;

	do {
		AUTO_FREE char *text = metrics_of(s);

		n = 0;
		EACH_WORKER(i) {
			AUTO_FREE char *line =
			    xasprintf("\nvk_flightctl_sandbox_missing{worker="
				      "\"%s\",layer=\"%s\"} %d\n",
				stage_workers[i], layer, is);

			n += strstr(text, line) != NULL;
		}
		if (n < TELLERS)
			it_pause(50);
	} while (n < TELLERS && it_ms() < deadline);
	it_ok(n == TELLERS, "%s: /metrics has %s of kubeside and placer at %d",
	    name, layer, is);
}

/* --- who starts it, and where ----------------------------------------------
 */

static void
try_whole(void)
{
	struct probed p =
	    probed_start(&(struct probed_conf){ .name = "whole" });
	int i;

	EACH_WORKER(i) {
		AUTO_FREE char *report = probed_report(&p, i);

		judge_probes(geteuid() == 0 ? "by root" : "by a user", i,
		    report);
		judge_mutants(i, report);
		judge_audit(i, report);
	}
	stage_started(&p.stage);
	look_at_processes(&p.stage);
	look_at_layers(&p.stage, "whole", "seccomp", 0);
	look_at_spaces(&p.stage);
	probed_stop(&p);
}

static void
try_brief(const char *who, const struct probed_conf *conf)
{
	struct probed p = probed_start(conf);
	int i;

	EACH_WORKER(i) {
		AUTO_FREE char *report = probed_report(&p, i);

		judge_probes(who, i, report);
	}
	stage_started(&p.stage);
	probed_stop(&p);
}

static const char *self;

static void
try_container(void)
{
	const char *const argv[] = { "unshare", "-m", "-i", "true", NULL };
	/* Its user may not be able to search our folder. */
	const char *const prefix[] = { "unshare", "-m", "-i", self, "--profile",
		"container", "setpriv", "--reuid=61009", "--regid=61009",
		"--clear-groups", "--no-new-privs", "--bounding-set=-all",
		"--inh-caps=-all", NULL };
	/* Where no namespaces can be made it is in one already. */
	int apart = child_run(argv, NULL) == 0;

	try_brief("in a container",
	    &(struct probed_conf){ .name = "container",
		.brief = 1,
		.uid = ORDINARY,
		.is_prefixed = 1,
		.prefix = apart ? prefix : prefix + 3 });
}

/* Within a container that another runtime made (t/pack/image). */
static void
contained(void)
{
	AUTO_FREE char *status = it_file("/proc/self/status", NULL);
	const char *who = geteuid() == 0 ? "by root of the container" :
					   "by a user of the container";

	it_ok(status != NULL && strstr(status, "\nSeccomp:\t2\n") != NULL &&
		strstr(status, "\nCapEff:\t000001ffffffffff\n") == NULL,
	    "%s: the runtime's own filter is there, some capability is not",
	    who);
	try_brief(who, &(struct probed_conf){ .name = "inside", .brief = 1 });
}

/* --- one layer that is left out --------------------------------------------
 */

static void
try_layer(const char *layer, uid_t uid, const char *probe)
{
	struct probed p = probed_start(&(struct probed_conf){ .name = layer,
	    .brief = 1,
	    .uid = uid,
	    .without = layer });
	int i, noticed = 0;

	EACH_WORKER(i) {
		AUTO_FREE char *report = probed_report(&p, i);

		noticed += lines(report, probe, NULL, 0) > 0;
	}
	it_ok(noticed == STAGE_WORKERS, "without %s: noticed by %s", layer,
	    probe);
	probed_stop(&p);
}

static void
try_spaces(void)
{
	struct probed p = probed_start(&(struct probed_conf){ .name = "SPACES",
	    .is_silent = 1,
	    .without = "SPACES" });

	stage_started(&p.stage);
	it_ok(!is_apart(&p.stage, PLACER, "net") &&
		!is_apart(&p.stage, 0, "mnt") && !is_apart(&p.stage, 0, "ipc"),
	    "without SPACES: noticed by /proc/PID/ns");
	probed_stop(&p);
}

/* Such a worker is never begun. */
static void
try_ids(void)
{
	struct probed p = probed_start(&(
	    struct probed_conf){ .name = "IDS", .brief = 1, .without = "IDS" });

	it_ok(stage_await(&p.stage, "its ids could not be dropped", 3),
	    "without IDS: no worker begins");
	probed_stop(&p);
}

/* --- what a kernel lacks ---------------------------------------------------
 */

static const struct lack {
	const char *name, *profile; /* NULL: the ABI */
	int abi;
	int workers; /* that want it: the placer connects to nothing */
	const char *line;
	const char *missing; /* a layer of vk_flightctl_sandbox_missing */
	const char *parts;   /* NULL: Landlock is there or not as a whole */
} lacks[] = {
	{ "no-landlock", "no-landlock", 0, 3, "the kernel has no Landlock",
	    "landlock", NULL },
	{ "no-lsm", "no-lsm", 0, 3, "the kernel has no Landlock", "landlock",
	    NULL },
	{ "no-seccomp", "no-seccomp", 0, 3,
	    "the kernel has no system call filter", "seccomp", NULL },
	{ "abi-3", NULL, 3, 2,
	    "the kernel has no Landlock for TCP ports (it comes with Linux "
	    "6.7)",
	    "landlock_tcp",
	    "ABI 3 without ioctl of devices, signals and abstract sockets:" },
	{ "abi-5", NULL, 5, 0, NULL, "landlock_scope",
	    "ABI 5 without signals and abstract sockets:" },
};

static struct probed
lacking(const struct lack *l, const char *name, const char *setting)
{
	const char *const prefix[] = { self, "--profile", l->profile, NULL };

	return probed_start(&(struct probed_conf){ .name = name,
	    .is_silent = 1,
	    .abi = l->abi,
	    .setting = setting,
	    .prefix = l->profile == NULL ? NULL : prefix });
}

static void
try_lack(const struct lack *l)
{
	AUTO_FREE char *words = xasprintf("%s: this worker is confined less",
	    l->line == NULL ? "" : l->line);
	struct probed p = lacking(l, l->name, NULL);

	stage_started(&p.stage);
	it_ok(stage_lines(&p.stage, words) == l->workers &&
		(l->parts == NULL ||
		    stage_lines(&p.stage, l->parts) == STAGE_WORKERS),
	    "%s: each worker says once what is missing, and works", l->name);
	look_at_layers(&p.stage, l->name, l->missing, 1);
	probed_stop(&p);
}

static void
try_required(const struct lack *l)
{
	AUTO_FREE char *words = xasprintf("REQUIRE_SANDBOX=yes: %s", l->line);
	AUTO_FREE char *name = xasprintf("%s-required", l->name);
	struct probed p = lacking(l, name, "REQUIRE_SANDBOX=yes");

	it_ok(stage_await(&p.stage, words, l->workers) &&
		stage_lines(&p.stage, "kubeside is ready") == 0 &&
		stage_lines(&p.stage, "flightside is ready") == 0,
	    "%s: with REQUIRE_SANDBOX=yes none is ready", l->name);
	probed_stop(&p);
}

static void
scenario(void)
{
	size_t i;

	if (SANITIZED) {
		it_skip("this build closes no sandbox");
		return;
	}
	try_whole();
	for (i = 0; i < sizeof(lacks) / sizeof(lacks[0]); i++) {
		/* One of two that say the same in other ways, but at night. */
		if (i != 1 || getenv("NIGHTLY") != NULL)
			try_lack(&lacks[i]);
		if (lacks[i].line != NULL &&
		    (i != 0 || getenv("NIGHTLY") != NULL))
			try_required(&lacks[i]);
	}
	try_layer("NNP", 0,
	    "hole sealed nothing: wanted it could, got no seal");
	try_layer("DUMPABLE", 0, "hole under no_dump");
	try_layer("CORE", 0, "hole under no_core");
	if (geteuid() != 0) {
		it_skip("only root starts it as somebody else");
		return;
	}
	try_brief("by a user",
	    &(struct probed_conf){ .name = "user",
		.brief = 1,
		.uid = ORDINARY });
	try_container();
	try_layer("CAPABILITIES", ORDINARY, "hole under no_capability");
	try_spaces();
	try_ids();
}

int
main(int argc, char *argv[])
{
	self = argv[0];
	if (argc > 3 && strcmp(argv[1], "--profile") == 0)
		return profile_exec(argv[2], argv + 3);
	if (argc > 1 && strcmp(argv[1], "--contained") == 0)
		return it_run("contained", contained);
	return it_run("sandbox", scenario);
}
