/* SPDX-License-Identifier: ISC */
/*
 * creds.c: the apiserver's address and the credentials for it.
 *
 * Owns which files are read and when they are read again.  Never logs, never
 * sends; what it holds is wiped before it is freed.
 */
#include "kubeside/creds.h"

#include <sys/stat.h>

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/auto.h"
#include "common/sandbox.h"
#include "common/xmem.h"
#include "kubeside/kubeconfig.h"

#define ACCOUNT "/var/run/secrets/kubernetes.io/serviceaccount"

enum {
	MAX_FILE = 1024 * 1024,
};

static void
wipe(char **s)
{
	if (*s != NULL)
		explicit_bzero(*s, strlen(*s));
	free(*s);
	*s = NULL;
}

void
creds_wipe(struct creds *c)
{
	wipe(&c->server);
	wipe(&c->server_name);
	wipe(&c->proxy);
	wipe(&c->ca_file);
	wipe(&c->ca);
	wipe(&c->cert);
	wipe(&c->key);
	wipe(&c->token);
	wipe(&c->token_file);
}

void
creds_handed_on(struct creds *c)
{
	wipe(&c->key);
	wipe(&c->token);
}

static int
unreadable(const char *path, const char *reason, struct why *why)
{
	fail(why, ERR_SYSTEM, "%s: not readable for uid %u: %s", path,
	    (unsigned int)getuid(), reason);
	return -1;
}

/*
 * A whole file as a string, *text NULL before.  A rotated Secret's file may
 * be missing for an instant while its folder is swapped: tried once more.
 */
static int
read_file(const char *path, char **text, struct why *why)
{
	AUTO_FD int fd = -1;
	struct stat st;
	size_t len = 0;
	ssize_t n;

	sandbox_reads(path);
	if ((fd = open(path, O_RDONLY | O_CLOEXEC)) == -1 && errno == ENOENT)
		fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd == -1 || fstat(fd, &st) == -1)
		return unreadable(path, strerror(errno), why);
	if (!S_ISREG(st.st_mode))
		return unreadable(path, "not a file", why);
	if (st.st_size > MAX_FILE)
		return unreadable(path, "over 1 MiB", why);
	*text = xcalloc(1, (size_t)st.st_size + 1);
	while (len < (size_t)st.st_size) {
		n = read(fd, *text + len, (size_t)st.st_size - len);
		if (n == -1) {
			wipe(text);
			return unreadable(path, strerror(errno), why);
		}
		if (n == 0)
			break;
		len += (size_t)n;
	}
	if (len == 0 || strlen(*text) != len) {
		wipe(text);
		return unreadable(path, len == 0 ? "empty" : "not a text", why);
	}
	return 0;
}

/* A newline at its end would end the Authorization header. */
static int
read_token(const char *path, char **token, struct why *why)
{
	char *text = NULL;
	size_t len;

	if (read_file(path, &text, why) == -1)
		return -1;
	for (len = strlen(text); len > 0; len--)
		if (!isspace((unsigned char)text[len - 1]))
			break;
	text[len] = '\0';
	if (len == 0) {
		wipe(&text);
		return unreadable(path, "empty", why);
	}
	wipe(token);
	*token = text;
	return 0;
}

int
creds_reread(struct creds *c, struct why *why)
{
	if (c->token_file == NULL)
		return 0;
	return read_token(c->token_file, &c->token, why);
}

/* base64 as in a kubeconfig: may be broken into lines. */
static int
decode(const char *name, const char *data, char **pem, struct why *why)
{
	AUTO_FREE char *flat = NULL;
	size_t n = 0;
	int len;

	flat = xmalloc(strlen(data) + 1);
	for (; *data != '\0'; data++)
		if (!isspace((unsigned char)*data))
			flat[n++] = *data;
	*pem = xcalloc(1, n + 1);
	len = EVP_DecodeBlock((unsigned char *)*pem, (unsigned char *)flat,
	    (int)n);
	explicit_bzero(flat, n);
	if (len > 0 && strlen(*pem) <= (size_t)len)
		return 0;
	wipe(pem);
	return fail(why, ERR_FORMAT, "%s: not base64 of a text", name);
}

/* Relative to the folder of the kubeconfig, as its readers agree. */
static char *
resolve(const char *config, const char *path)
{
	const char *slash = strrchr(config, '/');

	if (path[0] == '/' || slash == NULL)
		return xstrdup(path);
	return xasprintf("%.*s/%s", (int)(slash - config), config, path);
}

/* Inline data goes before a file, as with kubectl. */
static int
pem_of(const char *config, const char *name, const char *data, const char *file,
    char **pem, struct why *why)
{
	AUTO_FREE char *path = NULL;

	if (data != NULL)
		return decode(name, data, pem, why);
	if (file == NULL)
		return 0;
	path = resolve(config, file);
	return read_file(path, pem, why);
}

/* Read here only so that one that cannot be read is told by its path. */
static int
check_ca(const char *path, struct why *why)
{
	char *text = NULL;

	if (read_file(path, &text, why) == -1)
		return -1;
	wipe(&text);
	return 0;
}

static int
fill(struct creds *c, const char *config, struct kubeconfig *k, struct why *why)
{
	c->server = steal(&k->server);
	c->server_name = steal(&k->server_name);
	c->proxy = steal(&k->proxy);
	if (k->ca_data == NULL && k->ca_file != NULL)
		c->ca_file = resolve(config, k->ca_file);
	if ((c->ca_file != NULL && check_ca(c->ca_file, why) == -1) ||
	    pem_of(config, "certificate-authority-data", k->ca_data, NULL,
		&c->ca, why) == -1 ||
	    pem_of(config, "client-certificate-data", k->cert_data,
		k->cert_file, &c->cert, why) == -1 ||
	    pem_of(config, "client-key-data", k->key_data, k->key_file, &c->key,
		why) == -1)
		return -1;
	if ((c->cert == NULL) != (c->key == NULL))
		return fail(why, ERR_FORMAT,
		    "client certificate and key: only one of them is given");
	/* A token file goes before a token, as with client-go. */
	if (k->token_file != NULL) {
		c->token_file = resolve(config, k->token_file);
		return creds_reread(c, why);
	}
	c->token = steal(&k->token);
	if (c->cert == NULL && c->token == NULL)
		return fail(why, ERR_FORMAT,
		    "its user has neither a client certificate nor a token");
	return 0;
}

static int
load_kubeconfig(struct creds *c, const char *path, const char *context,
    struct why *why)
{
	struct kubeconfig k = { 0 };
	struct why inner = { 0 };
	char *text = NULL;
	int r;

	if (read_file(path, &text, why) == -1)
		return -1;
	r = kubeconfig_parse(span_of(text), context, &k, &inner);
	wipe(&text);
	if (r == 0)
		r = fill(c, path, &k, &inner);
	kubeconfig_wipe(&k);
	if (r == 0)
		return 0;
	return inner.kind == ERR_SYSTEM ?
	    fail(why, inner.kind, "%s", inner.text) :
	    fail(why, inner.kind, "%s: %s", path, inner.text);
}

/* As the kubelet says to every container: an address, for which no DNS. */
static char *
account_server(void)
{
	const char *host = getenv("KUBERNETES_SERVICE_HOST");
	const char *port = getenv("KUBERNETES_SERVICE_PORT");
	int brackets;

	if (host == NULL || port == NULL)
		return xstrdup("https://kubernetes.default.svc");
	brackets = strchr(host, ':') != NULL;
	return xasprintf("https://%s%s%s:%s", brackets ? "[" : "", host,
	    brackets ? "]" : "", port);
}

static int
load_account(struct creds *c, struct why *why)
{
	c->server = account_server();
	c->token_file = xstrdup(ACCOUNT "/token");
	if (access(c->token_file, F_OK) == -1 && errno == ENOENT)
		return fail(why, ERR_SYSTEM,
		    "KUBECONFIG is empty and this is no pod with a service "
		    "account: no %s",
		    c->token_file);
	c->ca_file = xstrdup(ACCOUNT "/ca.crt");
	if (check_ca(c->ca_file, why) == -1)
		return -1;
	return creds_reread(c, why);
}

int
creds_load(struct creds *c, const struct settings *s, struct why *why)
{
	const char *path = s->text[SET_KUBECONFIG];
	int r;

	r = path[0] == '\0' ?
	    load_account(c, why) :
	    load_kubeconfig(c, path, s->text[SET_KUBE_CONTEXT], why);
	if (r == -1)
		creds_wipe(c);
	return r;
}
