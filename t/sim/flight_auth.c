/* SPDX-License-Identifier: ISC */
/*
 * flight_auth.c: who calls, and may they.
 *
 * Owns the tokens and the answers that refuse them; an expired one is refused
 * only after refuse_ms, as the service does.  All is in one organisation; the
 * user "multi" belongs to an empty one too.
 */
#include "t/sim/flight_auth.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/auto.h"
#include "common/why.h"
#include "common/xmem.h"
#include "t/sim/flight_http.h"
#include "t/sim/flight_json.h"
#include "t/sim/web.h"

#define ORG "00000000-0000-0000-0000-000000000000"
#define OTHER_ORG "4c6aa46a-c8ca-48cc-bd71-52c985a61fc2"
#define SECONDS_VALID 86400

struct token {
	char *text;
	enum flight_role role;
	int expired;
	int64_t exp; /* seconds since 1970 */
};

struct flight_auth {
	struct token *v;
	size_t n;
	int distrusts;
	unsigned int made;
};

struct grant {
	enum flight_role role;
	const char *resource, *verbs;
};

static const struct grant grants[] = {
#define GRANT(role, resource, verbs) { FLIGHT_##role, resource, verbs },
#include "t/sim/flight_roles.def"
#undef GRANT
};

enum {
	NGRANTS = sizeof(grants) / sizeof(grants[0])
};

static const char *const users[] = {
#define X(name, user, role) user,
	FLIGHT_ROLES(X)
#undef X
};

static const char *const role_names[] = {
#define X(name, user, role) role,
	FLIGHT_ROLES(X)
#undef X
};

const char *
flight_role_user(enum flight_role role)
{
	return users[role];
}

/* --- tokens -------------------------------------------------------------- */

static char *
base64url(const char *text)
{
	char *s = flight_base64(text, strlen(text)), *p;

	for (p = s; *p != '\0'; p++)
		*p = *p == '+' ? '-' : *p == '/' ? '_' : *p;
	s[strcspn(s, "=")] = '\0';
	return s;
}

static char *
token_text(enum flight_role role, unsigned int serial, int64_t exp)
{
	char *claims, *head, *body, *seed, *text, mark[65];
	int64_t now = flight_us() / 1000000;

	claims = xasprintf(
	    "{\"iss\":\"https://issuer.example\",\"aud\":"
	    "\"flightctl-client\",\"sub\":\"%s\",\"preferred_username\":"
	    "\"%s\",\"iat\":%" PRId64 ",\"exp\":%" PRId64 ",\"groups\":"
	    "[\"%s\"],\"orgs\":[\"default\"]}",
	    users[role], users[role], now, exp, role_names[role]);
	head = base64url("{\"alg\":\"RS256\",\"typ\":\"JWT\"}");
	body = base64url(claims);
	seed = xasprintf("%u/%" PRId64 "/%s", serial, flight_us(), body);
	flight_sha256(span_of(seed), mark);
	text = xasprintf("%s.%s.%s", head, body, mark);
	free(claims);
	free(head);
	free(body);
	free(seed);
	return text;
}

static int
write_token(const struct flight *f, const struct token *t, struct why *why)
{
	AUTO_FREE char *path =
	    xasprintf("%s/%s.token", f->conf.dir, users[t->role]);
	AUTO_FREE char *fresh = xasprintf("%s.new", path);
	AUTO_FD int fd = -1;
	AUTO_FREE char *line = xasprintf("%s\n", t->text);
	size_t n = strlen(line);

	fd = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd == -1 || write(fd, line, n) != (ssize_t)n ||
	    rename(fresh, path) == -1)
		return fail_code(why, ERR_SYSTEM, (uint32_t)errno, "%s: %s",
		    path, strerror(errno));
	return 0;
}

static int
add_token(struct flight *f, enum flight_role role, const char *text,
    int64_t seconds, struct why *why)
{
	struct flight_auth *a = f->auth;
	struct token *t;

	a->v = xreallocarray(a->v, a->n + 1, sizeof(*a->v));
	t = &a->v[a->n++];
	t->role = role;
	t->expired = 0;
	t->exp = flight_us() / 1000000 + seconds;
	t->text =
	    text != NULL ? xstrdup(text) : token_text(role, ++a->made, t->exp);
	return write_token(f, t, why);
}

struct flight_auth *
flight_auth_new(struct flight *f, struct why *why)
{
	int role;

	f->auth = xcalloc(1, sizeof(*f->auth));
	for (role = 0; role < FLIGHT_NROLES; role++)
		if (add_token(f, (enum flight_role)role, NULL, SECONDS_VALID,
			why) == -1) {
			flight_auth_free(f->auth);
			return f->auth = NULL;
		}
	return f->auth;
}

void
flight_auth_free(struct flight_auth *a)
{
	size_t i;

	if (a == NULL)
		return;
	for (i = 0; i < a->n; i++)
		free(a->v[i].text);
	free(a->v);
	free(a);
}

void
flight_auth_expire(struct flight *f)
{
	size_t i;

	for (i = 0; i < f->auth->n; i++)
		f->auth->v[i].expired = 1;
}

void
flight_auth_distrust(struct flight *f, int on)
{
	f->auth->distrusts = on;
}

int
flight_auth_renew(struct flight *f, const char *text, int64_t seconds,
    struct why *why)
{
	return add_token(f, FLIGHT_PROVIDER, text,
	    seconds > 0 ? seconds : SECONDS_VALID, why);
}

static int
is_over(const struct flight *f, const struct token *t)
{
	return t->expired || t->exp <= flight_us() / 1000000 ||
	    (f->auth->distrusts && t->role != FLIGHT_ADMIN);
}

static const struct token *
find_token(const struct flight *f, struct web_req *req)
{
	const char *h = web_header(req, "Authorization");
	size_t i;

	if (h == NULL || strncmp(h, "Bearer ", 7) != 0)
		return NULL;
	for (i = f->auth->n; i > 0; i--)
		if (strcmp(f->auth->v[i - 1].text, h + 7) == 0)
			return &f->auth->v[i - 1];
	return NULL;
}

int
flight_auth_user(struct flight *f, struct web_req *req, enum flight_role *role)
{
	const struct token *t = find_token(f, req);

	if (t == NULL || is_over(f, t))
		return 0;
	*role = t->role;
	return 1;
}

/* --- the gate ------------------------------------------------------------ */

static void
refuse_late(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what;
	flight_refuse(arg, 401, "failed to validate token");
}

static int
is_uuid(const char *s)
{
	static const char form[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
	size_t i;

	for (i = 0; form[i] != '\0'; i++)
		if (form[i] == '-' ? s[i] != '-' :
				     s[i] == '\0' ||
			    strchr("0123456789abcdefABCDEF", s[i]) == NULL)
			return 0;
	return s[i] == '\0';
}

/* Those that do not ask for an organisation. */
static int
wants_org(const char *path)
{
	return strcmp(path, "/api/v1/organizations") != 0 &&
	    strncmp(path, "/api/v1/auth/", 13) != 0;
}

static int
refuse_org(struct web_req *req, enum flight_role role)
{
	const char *org = web_query(req, "org_id");

	if (!wants_org(web_path(req)))
		return 0;
	if (org == NULL)
		org = "";
	if (role == FLIGHT_NOORG)
		flight_refuse(req, 403, "user belongs to no organizations");
	else if (org[0] == '\0' && role == FLIGHT_MULTI)
		flight_refuse(req, 400,
		    "user belongs to multiple organizations but no "
		    "organization specified");
	else if (org[0] == '\0' || strcmp(org, ORG) == 0)
		return 0;
	else if (!is_uuid(org))
		flight_refuse(req, 400, "invalid organization ID format");
	else
		flight_refuse(req, 403, "access denied to organization");
	return 1;
}

int
flight_auth_gate(struct flight *f, struct web_req *req)
{
	const char *h = web_header(req, "Authorization");
	const struct token *t = find_token(f, req);
	struct timeval tv = { f->conf.refuse_ms / 1000,
		f->conf.refuse_ms % 1000 * 1000 };

	if (h == NULL || strncmp(h, "Bearer ", 7) != 0 || h[7] == '\0') {
		flight_refuse(req, 400, "failed to get auth token");
		return 1;
	}
	if (t == NULL) {
		flight_refuse(req, 401, "failed to validate token");
		return 1;
	}
	if (is_over(f, t)) {
		event_base_once(f->base, -1, EV_TIMEOUT, refuse_late, req, &tv);
		return 1;
	}
	return refuse_org(req, t->role);
}

/* --- roles --------------------------------------------------------------- */

static int
has_word(const char *list, const char *word)
{
	size_t n = strlen(word), len;

	for (; *list != '\0'; list += len + (list[len] == ',')) {
		len = strcspn(list, ",");
		if (len == n && memcmp(list, word, n) == 0)
			return 1;
	}
	return 0;
}

static const struct grant *
grant_for(enum flight_role role, const char *resource)
{
	const struct grant *any = NULL;
	size_t i;

	for (i = 0; i < NGRANTS; i++) {
		if (grants[i].role != role)
			continue;
		if (strcmp(grants[i].resource, resource) == 0)
			return &grants[i];
		if (strcmp(grants[i].resource, "*") == 0)
			any = &grants[i];
	}
	return any;
}

int
flight_may(struct flight *f, struct web_req *req, const char *resource,
    const char *verb)
{
	const struct grant *g;
	enum flight_role role;

	if (flight_auth_user(f, req, &role) &&
	    (g = grant_for(role, resource)) != NULL &&
	    (strcmp(g->verbs, "*") == 0 || has_word(g->verbs, verb))) {
		flight_headers_in(req);
		return 1;
	}
	flight_refuse(req, 403, "Forbidden");
	return 0;
}

/* --- answers ------------------------------------------------------------- */

void
flight_auth_config(struct web_req *req, void *arg)
{
	struct out o = { 0 };

	(void)arg;
	out_raw(&o,
	    "{\"apiVersion\":\"v1beta1\",\"defaultProvider\":\"oidc\","
	    "\"organizationsEnabled\":true,\"providers\":[{\"apiVersion\":"
	    "\"v1beta1\",\"kind\":\"AuthProvider\",\"metadata\":{"
	    "\"annotations\":{\"auth-provider/createdBySuperAdmin\":\"true\"},"
	    "\"name\":\"oidc\"},\"spec\":{\"clientId\":\"flightctl-client\","
	    "\"clientSecret\":\"*****\",\"enabled\":true,\"issuer\":"
	    "\"https://issuer.example\",\"organizationAssignment\":{"
	    "\"claimPath\":[\"orgs\"],\"type\":\"dynamic\"},\"providerType\":"
	    "\"oidc\",\"roleAssignment\":{\"claimPath\":[\"groups\"],\"type\":"
	    "\"dynamic\"},\"usernameClaim\":[\"preferred_username\"]}}]}");
	flight_headers_in(req);
	flight_answer(req, 200, &o);
}

void
flight_auth_validate(struct web_req *req, void *arg)
{
	(void)arg;
	flight_headers_in(req);
	flight_refuse(req, 200, "");
}

#define ORGANIZATION(name, display, external)                              \
	"{\"apiVersion\":\"flightctl.io/v1beta1\",\"kind\":"               \
	"\"Organization\",\"metadata\":{\"name\":\"" name "\"},\"spec\":{" \
	"\"displayName\":\"" display "\",\"externalId\":\"" external "\"}}"

static void
write_orgs(struct out *o, enum flight_role role)
{
	if (role != FLIGHT_NOORG)
		out_raw(o, ORGANIZATION(ORG, "Default", "default"));
	if (role == FLIGHT_MULTI)
		out_raw(o, ORGANIZATION(OTHER_ORG, "lab", "lab"));
}

void
flight_auth_userinfo(struct web_req *req, void *arg)
{
	enum flight_role role = FLIGHT_PROVIDER;
	struct out o = { 0 };

	flight_auth_user(arg, req, &role);
	out_open(&o, '{');
	out_member(&o, "name", users[role]);
	out_key(&o, "organizations");
	out_open(&o, '[');
	write_orgs(&o, role);
	out_close(&o, ']');
	out_member(&o, "preferred_username", users[role]);
	out_member(&o, "sub", users[role]);
	out_close(&o, '}');
	flight_headers_in(req);
	flight_answer(req, 200, &o);
}

static void
write_grant(struct out *o, const struct grant *g)
{
	const char *p = g->verbs;
	size_t n;

	out_open(o, '{');
	out_key(o, "operations");
	out_open(o, '[');
	for (; *p != '\0'; p += n + (p[n] == ',')) {
		n = strcspn(p, ",");
		out_strn(o, p, n);
	}
	out_close(o, ']');
	out_member(o, "resource", g->resource);
	out_close(o, '}');
}

void
flight_auth_permissions(struct web_req *req, void *arg)
{
	enum flight_role role = FLIGHT_NOROLE;
	struct out o = { 0 };
	size_t i;

	flight_auth_user(arg, req, &role);
	out_open(&o, '{');
	out_key(&o, "permissions");
	out_open(&o, '[');
	for (i = 0; i < NGRANTS; i++)
		if (grants[i].role == role)
			write_grant(&o, &grants[i]);
	out_close(&o, ']');
	out_close(&o, '}');
	flight_headers_in(req);
	flight_answer(req, 200, &o);
}

void
flight_auth_organizations(struct web_req *req, void *arg)
{
	enum flight_role role = FLIGHT_PROVIDER;
	struct out o = { 0 };

	flight_auth_user(arg, req, &role);
	out_open(&o, '{');
	out_member(&o, "apiVersion", "flightctl.io/v1beta1");
	out_key(&o, "items");
	out_open(&o, '[');
	write_orgs(&o, role);
	out_close(&o, ']');
	out_member(&o, "kind", "OrganizationList");
	out_key(&o, "metadata");
	out_raw(&o, "{}");
	out_close(&o, '}');
	flight_headers_in(req);
	flight_answer(req, 200, &o);
}
