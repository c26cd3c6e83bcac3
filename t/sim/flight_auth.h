/* SPDX-License-Identifier: ISC */
#ifndef T_SIM_FLIGHT_AUTH_H
#define T_SIM_FLIGHT_AUTH_H

/*
 * Tokens, roles and organisations of the user API.  Tokens have the form of
 * JWTs (with an exp that is true) and are known one by one.
 */

#include "t/sim/flight.h"

struct web_req;
struct why;

#define FLIGHT_ROLES(X)                               \
	X(ADMIN, "admin", "flightctl-admin")          \
	X(PROVIDER, "provider", "flightctl-operator") \
	X(VIEWER, "viewer", "flightctl-viewer")       \
	X(NOROLE, "norole", "")                       \
	X(NOORG, "noorg", "")                         \
	X(MULTI, "multi", "flightctl-operator")

enum flight_role {
#define X(name, user, role) FLIGHT_##name,
	FLIGHT_ROLES(X)
#undef X
	FLIGHT_NROLES
};

/* Makes DIR/admin.token, DIR/provider.token and so on, one for each role. */
struct flight_auth *flight_auth_new(struct flight *, struct why *);
void flight_auth_free(struct flight_auth *);

/* 1: refused, and answered now or later. */
int flight_auth_gate(struct flight *, struct web_req *);

/* All tokens that are known now expire. */
void flight_auth_expire(struct flight *);
/* All but the administrator's are refused as if expired, and again not. */
void flight_auth_distrust(struct flight *, int on);
/*
 * A new token of the role flightctl-operator, good for so many seconds; NULL
 * makes its text.
 */
int flight_auth_renew(struct flight *, const char *text, int64_t seconds,
    struct why *);

/* 0: no such caller (not let in). */
int flight_auth_user(struct flight *, struct web_req *, enum flight_role *);
const char *flight_role_user(enum flight_role);

/* GET /auth/..., /organizations */
void flight_auth_config(struct web_req *, void *);
void flight_auth_validate(struct web_req *, void *);
void flight_auth_userinfo(struct web_req *, void *);
void flight_auth_permissions(struct web_req *, void *);
void flight_auth_organizations(struct web_req *, void *);

#endif
