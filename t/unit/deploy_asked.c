/* SPDX-License-Identifier: ISC */
/* What t/it/rights.c finds in an audit log. */
#include <criterion/criterion.h>
#include <json-c/json_object.h>
#include <stdlib.h>

#include "common/auto.h"
#include "common/xmem.h"
#include "t/it/asked.h"
#include "t/it/rbac.h"

#define START "{\"stage\":\"Start\"}\n"
#define US "system:serviceaccount:vk-flightctl:vk-flightctl-provider"
#define REF(resource, ns, name)                                            \
	"\"objectRef\":{\"resource\":\"" resource "\",\"namespace\":\"" ns \
	"\",\"name\":\"" name "\"}"
#define PODS REF("pods", "", "")
#define SYSTEM REF("namespaces", "kube-system", "kube-system")
#define LEAVING                                                       \
	",\"responseStatus\":{\"code\":403,\"details\":{\"causes\":[" \
	"{\"reason\":\"NamespaceTerminating\"}]}}"

static struct rights granted;
static struct asked asked;

static void
begin(void)
{
	rbac_add(&granted, (struct right){ "", "pods", "", "", "list" });
	rbac_add(&granted,
	    (struct right){ "", "namespaces", "", "kube-system", "get" });
	rbac_add(&granted, (struct right){ "", "events", "a", "", "create" });
	asked_begin(&asked, &granted);
	asked_line(&asked, "\n");
	asked_line(&asked, START);
}

static void
end(void)
{
	asked_clear(&asked);
	rbac_clear(&granted);
}

static void
call(const char *verb, const char *decision, const char *rest)
{
	AUTO_FREE char *line = xasprintf("{\"stage\":\"ResponseComplete\","
					 "\"verb\":\"%s\",\"user\":{"
					 "\"username\":\"" US "\"},"
					 "\"annotations\":{\"authorization.k8s."
					 "io/decision\":\"%s\"},%s}\n",
	    verb, decision, rest);

	asked_line(&asked, line);
}

static int
times(struct json_object *set, const char *text)
{
	return json_object_get_int(json_object_object_get(set, text));
}

TestSuite(asked, .init = begin, .fini = end);

Test(asked, what_is_granted_is_counted)
{
	call("list", "allow", PODS);
	call("get", "allow", SYSTEM);
	cr_expect(asked.calls == 2 && asked.lives == 1 && asked.cut == 0);
	cr_expect(asked.uses[0].allowed == 1 && asked.uses[1].allowed == 1);
	cr_expect(asked.uses[2].allowed == 0, "and what is not needed is not");
	cr_expect(json_object_object_length(asked.foreign) == 0);
	cr_expect(json_object_object_length(asked.refused) == 0);
}

/* Whatever another role made of it. */
Test(asked, what_no_rule_grants_is_found)
{
	call("delete", "allow", PODS);
	call("delete", "forbid", PODS);
	call("list", "allow", REF("pods/status", "", ""));
	call("get", "allow", REF("namespaces", "default", "default"));
	call("create", "allow", REF("events", "b", ""));
	call("get", "allow", "\"requestURI\":\"/metrics\"");
	cr_expect(times(asked.foreign, "delete pods") == 2);
	cr_expect(times(asked.foreign, "list pods/status") == 1);
	cr_expect(
	    times(asked.foreign, "get namespaces default in default") == 1);
	cr_expect(times(asked.foreign, "create events in b") == 1);
	cr_expect(times(asked.foreign, "/metrics") == 1);
	cr_expect(json_object_object_length(asked.foreign) == 5);
	cr_expect(asked.uses[0].allowed == 0 && asked.uses[1].allowed == 0 &&
	    asked.uses[2].allowed == 0);
}

/* --check asks for the version before it knows of any right. */
Test(asked, what_everybody_may_needs_no_rule)
{
	call("get", "allow", "\"requestURI\":\"/version\"");
	cr_expect(asked.calls == 1);
	cr_expect(json_object_object_length(asked.foreign) == 0);
}

Test(asked, a_server_that_starts_may_refuse_until_it_knows)
{
	call("list", "forbid", PODS);
	call("list", "allow", PODS);
	cr_expect(asked.early == 1);
	cr_expect(json_object_object_length(asked.refused) == 0);
	call("list", "forbid", PODS);
	cr_expect(times(asked.refused, "list pods") == 1);
	asked_line(&asked, START);
	call("list", "forbid", PODS);
	cr_expect(asked.early == 2 && asked.lives == 2);
	cr_expect(times(asked.refused, "list pods") == 1);
}

Test(asked, what_admission_refuses_is_found_but_in_a_namespace_that_goes)
{
	call("create", "allow", REF("events", "a", "") LEAVING);
	cr_expect(json_object_object_length(asked.refused) == 0);
	call("create", "allow",
	    REF("events", "a", "") ",\"responseStatus\":{\"code\":403}");
	cr_expect(times(asked.refused, "create events in a") == 1);
}

Test(asked, others_are_not_asked_for_and_a_cut_line_is_seen)
{
	asked_line(&asked,
	    "{\"verb\":\"delete\",\"user\":{\"username\":\"x\"}," PODS "}\n");
	asked_line(&asked, "{\"verb\":\"del\n");
	cr_expect(asked.calls == 0 && asked.cut == 1);
}
