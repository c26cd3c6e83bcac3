/* SPDX-License-Identifier: ISC */
/*
 * sandbox.c: what a worker takes from itself.
 *
 * Owns the order of the layers: Landlock before the filter (which lets none
 * of its calls through), both after no-new-privileges.  The calls are in
 * sandbox.def, their compiler is filter.c.
 */
#include "common/sandbox.h"

#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/auto.h"
#include "common/filter.h"
#include "common/landlock.h"
#include "common/log.h"
#include "common/xmem.h"

/*
 * Sanitizers and coverage want calls and files that nothing else wants; their
 * builds do all but the seal.
 */
#if defined(__has_feature)
#define HAS_SANITIZER __has_feature(address_sanitizer)
#elif defined(__SANITIZE_ADDRESS__)
#define HAS_SANITIZER 1
#else
#define HAS_SANITIZER 0
#endif
#if HAS_SANITIZER || defined(COVERAGE)
enum {
	SEALED = 0
};
#else
enum {
	SEALED = 1
};
#endif

enum {
	K = 1 << PROC_KUBESIDE,
	F = 1 << PROC_FLIGHTSIDE,
	P = 1 << PROC_PLACER,
	READS_MAX = 32,
	PORTS_MAX = 8,
	PORT_NAMES = 53, /* a long answer comes by TCP */
	FILES_MAX = 512,
	PARTS_SIZE = 128, /* of all that Landlock may lack */
};

/* Stands for getpid() in the table. */
#define SELF UINT64_MAX

static const struct row {
	unsigned int who;
	struct filter_rule rule;
} rows[] = {
#define ALLOW(who, call) { who, { SYS_##call, 0, IF_ANY, 0, 0 } },
#define ALLOW_IF(who, call, arg, cond, value) \
	{ who, { SYS_##call, 0, IF_##cond, arg, value } },
#define REFUSE(who, call, error) { who, { SYS_##call, error, IF_ANY, 0, 0 } },
#define REFUSE_IF(who, call, arg, cond, value, error) \
	{ who, { SYS_##call, error, IF_##cond, arg, value } },
#define SELDOM(who, why)
#include "common/sandbox.def"
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static char *reads[READS_MAX];
static size_t nreads;
static int abi; /* Landlock's, 0: the kernel has none */
static int is_filtered;
static uint16_t ports[PORTS_MAX] = { PORT_NAMES };
static size_t nports = 1;
static int has_ports; /* they are all that can be reached */
static int is_sealed; /* whoever reads files reads them again later */

/* Names, certificates and zones of the system; the credentials' folders. */
static const char *const system_reads[] = { "/etc", "/usr/share", "/usr/lib",
	"/run/systemd/resolve", "/run/resolvconf", "/run/NetworkManager",
	"/var/run/secrets" };

static const enum setting file_settings[] = { SET_FLIGHTCTL_AUTH_TOKEN_FILE,
	SET_FLIGHTCTL_CA_FILE, SET_FLIGHTCTL_CLIENT_CERT,
	SET_FLIGHTCTL_CLIENT_KEY, SET_KUBECONFIG };

static int
failed(struct why *why, const char *what)
{
	int e = errno;

	return fail_code(why, ERR_SYSTEM, (uint32_t)e, "sandbox: %s: %s", what,
	    strerror(e));
}

int
sandbox_early(struct why *why)
{
	static const struct rlimit none = { 0, 0 };

	(void)umask(077);
	if (setrlimit(RLIMIT_CORE, &none) == -1)
		return failed(why, "RLIMIT_CORE");
	/* The leak checker traces its own process. */
	if (SEALED && prctl(PR_SET_DUMPABLE, 0) == -1)
		return failed(why, "PR_SET_DUMPABLE");
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1)
		return failed(why, "PR_SET_NO_NEW_PRIVS");
	return 0;
}

static void
add_folder(const char *file)
{
	const char *slash = strrchr(file, '/');
	size_t i, len = slash == NULL ? 0 : (size_t)(slash - file);

	if (len == 0)
		return;
	for (i = 0; i < nreads; i++)
		if (strlen(reads[i]) == len && memcmp(reads[i], file, len) == 0)
			return;
	if (nreads < READS_MAX)
		reads[nreads++] = xstrndup(file, len);
}

/* The folder, since the file may be replaced; and that of a link's end. */
void
sandbox_reads(const char *file)
{
	AUTO_FREE char *end = NULL;

	if (is_sealed || *file == '\0')
		return;
	add_folder(file);
	if ((end = realpath(file, NULL)) != NULL)
		add_folder(end);
}

int
sandbox_reaches(uint16_t port)
{
	size_t i;

	for (i = 0; i < nports; i++)
		if (ports[i] == port)
			return 0;
	if (!is_sealed && nports < PORTS_MAX)
		ports[nports++] = port;
	return has_ports ? -1 : 0;
}

/* With REQUIRE_SANDBOX=yes a failure, else one line. */
static int
missing(const struct settings *s, const char *what, struct why *why)
{
	if (strcmp(s->text[SET_REQUIRE_SANDBOX], "yes") == 0)
		return fail(why, ERR_SYSTEM,
		    "REQUIRE_SANDBOX=yes: the kernel "
		    "has no %s",
		    what);
	log_warn("the kernel has no %s: this worker is confined less", what);
	return 0;
}

static int
limit(enum proc self, struct why *why)
{
	const struct rlimit files = { FILES_MAX, FILES_MAX };
	static const struct rlimit none = { 0, 0 };
	struct rlimit now;

	if (getrlimit(RLIMIT_NOFILE, &now) == -1 ||
	    (now.rlim_max > FILES_MAX &&
		setrlimit(RLIMIT_NOFILE, &files) == -1))
		return failed(why, "RLIMIT_NOFILE");
	/* Key holders have threads for names. */
	if (self == PROC_PLACER && setrlimit(RLIMIT_NPROC, &none) == -1)
		return failed(why, "RLIMIT_NPROC");
	return 0;
}

static const struct {
	int abi;
	const char *holds;
} layers[] = {
#define X(id, label, abi, holds) { abi, holds },
	SANDBOX_LAYERS(X)
#undef X
};

uint32_t
sandbox_missing(void)
{
	uint32_t bits = is_filtered ? 0 : 1U << LAYER_SECCOMP;
	size_t i;

	for (i = 0; i < COUNT(layers); i++)
		if (layers[i].abi > abi)
			bits |= 1U << i;
	return bits;
}

/*
 * " without A, B" for what this Landlock does not know, but those layers; "":
 * it knows all.
 */
static void
parts_missing(char words[PARTS_SIZE], uint32_t but)
{
	size_t i, n = 0;

	words[0] = '\0';
	for (i = 0; i < COUNT(layers); i++)
		if (layers[i].abi > abi && (but >> i & 1) == 0 &&
		    n < PARTS_SIZE)
			n += (size_t)snprintf(words + n, PARTS_SIZE - n, "%s%s",
			    n == 0 ? " without " : ", ", layers[i].holds);
}

static void
say_parts(void)
{
	char parts[PARTS_SIZE];

	/* Of ports the filter knows nothing: who has need of them is warned. */
	parts_missing(parts, 1U << LAYER_TCP);
	if (*parts != '\0')
		log_info("the kernel has Landlock ABI %d%s: these the system "
			 "call filter holds alone",
		    abi, parts);
}

static int
confine_reach(enum proc self, const struct settings *s, struct why *why)
{
	const char *paths[COUNT(system_reads) + READS_MAX];
	size_t i, n = 0;

	if ((abi = landlock_abi()) == 0)
		return missing(s, "Landlock", why);
	if (self != PROC_PLACER) {
		for (i = 0; i < COUNT(file_settings); i++)
			sandbox_reads(s->text[file_settings[i]]);
		for (i = 0; i < COUNT(system_reads); i++)
			paths[n++] = system_reads[i];
		for (i = 0; i < nreads; i++)
			paths[n++] = reads[i];
	}
	if (landlock_confine(abi, paths, n, ports,
		self == PROC_PLACER ? 0 : nports) == -1)
		return failed(why, "Landlock");
	has_ports = abi >= LANDLOCK_TCP;
	say_parts();
	/* The placer's calls make no socket anyway. */
	return has_ports || self == PROC_PLACER ?
	    0 :
	    missing(s, "Landlock for TCP ports (it comes with Linux 6.7)", why);
}

static int
confine_calls(enum proc self, const struct settings *s, struct why *why)
{
	struct sock_filter prog[FILTER_FIXED + COUNT(rows) * FILTER_RULE_MAX];
	struct filter_rule rules[COUNT(rows)];
	struct sock_fprog fp = { .filter = prog };
	size_t i, n = 0;

	for (i = 0; i < COUNT(rows); i++) {
		if ((rows[i].who & 1u << self) == 0)
			continue;
		rules[n] = rows[i].rule;
		if (rules[n].value == SELF)
			rules[n].value = (uint64_t)getpid();
		n++;
	}
	fp.len = (unsigned short)filter_compile(FILTER_HERE, rules, n, prog);
	if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
		SECCOMP_FILTER_FLAG_TSYNC, &fp) == 0) {
		is_filtered = 1;
		return 0;
	}
	if (errno == ENOSYS || errno == EINVAL)
		return missing(s, "system call filter", why);
	return failed(why, "system call filter");
}

int
sandbox_words(char words[SANDBOX_WORDS])
{
	char parts[PARTS_SIZE];

	parts_missing(parts, 0);
	if (!SEALED)
		(void)snprintf(words, SANDBOX_WORDS,
		    "nothing: a build for sanitizers");
	else if (abi == 0)
		(void)snprintf(words, SANDBOX_WORDS,
		    "%s, but the kernel has no Landlock",
		    is_filtered ? "a system call filter" : "nothing");
	else
		(void)snprintf(words, SANDBOX_WORDS, "Landlock ABI %d%s%s", abi,
		    parts,
		    is_filtered ? " and a system call filter" :
				  ", but the kernel has no system call filter");
	return SEALED && abi != 0 && is_filtered;
}

int
sandbox_seals(void)
{
	return SEALED;
}

int
sandbox_seal(enum proc self, const struct settings *s, struct why *why)
{
	int rc = 0;

	/* The last time that it may open a file for that. */
	tzset();
	if (SEALED &&
	    (limit(self, why) == -1 || confine_reach(self, s, why) == -1 ||
		confine_calls(self, s, why) == -1))
		rc = -1;
	while (nreads > 0)
		free(reads[--nreads]);
	is_sealed = 1;
	return rc;
}
