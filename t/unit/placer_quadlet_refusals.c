/* SPDX-License-Identifier: ISC */
/*
 * Every refusal of a translation, whole: what is wrong, and where.  A ' in a
 * Pod or an object is a ".
 */
#include "placer/quadlet.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "common/auto.h"
#include "common/xmem.h"

/* A container with these members, and a volume v of this kind at /v. */
#define C(more) "'containers':[{'name':'c','image':'i'" more "}]"
#define ENV(var) C(",'env':[{'name':'A'," var "}]")
#define RESOURCE(of) ENV("'valueFrom':{'resourceFieldRef':{'resource':" of "}}")
#define PROBE(more) C(",'livenessProbe':{" more "}")
#define AT_V C(",'volumeMounts':[{'name':'v','mountPath':'/v'}]")
#define SUB(path)                                                          \
	C(",'volumeMounts':[{'name':'v','mountPath':'/v','subPath':'" path \
	  "'}]")
#define V(kind) ",'volumes':[{'name':'v'" kind "}]"
#define MAP(name, more) AT_V V(",'configMap':{'name':'" name "'" more "}")
#define DOWN(path, field)                                                 \
	AT_V V(",'downwardAPI':{'items':[{'path':'" path "','fieldRef':{" \
	       "'fieldPath':'" field "'}}]}")
#define KEY(kind, name, key)                                         \
	AT_V V(",'projected':{'sources':[{'" kind "':{'name':'" name \
	       "','items':[{'key':'" key "','path':'p'}]}}]}")
#define B10 "0123456789"
#define B100 B10 B10 B10 B10 B10 B10 B10 B10 B10 B10
#define B1000 B100 B100 B100 B100 B100 B100 B100 B100 B100 B100

/* What is said of a subPath, and of a file of a volume. */
#define NO_SUB_PATH                                                \
	": not names of letters, digits and _ . @ + - with one / " \
	"between, none of them ., .. or with - first"
#define NO_FILE                                                      \
	": not relative, or with \"..\", a quote, a backslash or a " \
	"control byte"

struct refusal {
	const char *spec;
	enum why_kind kind;
	const char *text;
};

/* What is wrong whatever its objects hold. */
static const struct refusal of_pods[] = {
	{ "'containers':[]", ERR_FORMAT, "spec.containers: none" },
	{ C("") ",'hostname':'a b'", ERR_DENIED,
	    "spec.hostname: \"a b\": not of letters, digits and . _ : -" },
	{ "'containers':[{'name':'a b','image':'i'}]", ERR_FORMAT,
	    "spec.containers[0].name: \"a b\": not of letters, digits and . _ "
	    ": -" },
	{ "'containers':[{'name':'c','image':'a b'}]", ERR_DENIED,
	    "spec.containers[0].image: \"a b\" is no image's name" },
	{ C("") ",'initContainers':[{'name':'i','image':'a b'}]", ERR_DENIED,
	    "spec.initContainers[0].image: \"a b\" is no image's name" },
	{ C(",'workingDir':'/a\\u0027b'"), ERR_DENIED,
	    "spec.containers[0].workingDir: a quote, a backslash or a control "
	    "byte" },
	{ C(",'resources':{'limits':{'memory':'64Mb'}}"), ERR_FORMAT,
	    "spec.containers[0].resources: memory \"64Mb\" is no quantity" },
	{ C(",'lifecycle':{'stopSignal':'TERM'}"), ERR_DENIED,
	    "spec.containers[0].lifecycle.stopSignal: \"TERM\" is no signal's "
	    "name" },
	{ C(",'ports':[{'containerPort':1,'hostPort':99999}]"), ERR_LIMIT,
	    "spec.containers[0].ports[0].hostPort: over 65535" },
	{ C(",'ports':[{'containerPort':1,'hostPort':9,'hostIP':'x'}]"),
	    ERR_DENIED,
	    "spec.containers[0].ports[0].hostIP: \"x\" is no address" },
	/* commands and hooks */
	{ C(",'args':['a','']"), ERR_DENIED,
	    "spec.containers[0].args: an empty argument does not survive the "
	    "device's unit generator" },
	{ C(",'command':['a',';']"), ERR_DENIED,
	    "spec.containers[0].command: a lone \";\" does not survive the "
	    "device's unit generator" },
	{ C(",'command':['a b']"), ERR_DENIED,
	    "spec.containers[0].command[0]: \"a b\": not a plain path or "
	    "name" },
	{ C(",'command':[7]"), ERR_FORMAT,
	    "spec.containers[0].command: not a text" },
	{ C(",'lifecycle':{'preStop':{'exec':{'command':['a',7]}}}"),
	    ERR_FORMAT,
	    "spec.containers[0].lifecycle.preStop.exec.command: not a text" },
	{ C(",'lifecycle':{'preStop':{'exec':{'command':['" B1000 B1000
	    "']}}}"),
	    ERR_LIMIT,
	    "spec.containers[0].lifecycle.preStop.exec.command: over 2047 "
	    "bytes" },
	{ C(",'lifecycle':{'postStart':{'sleep':{'seconds':-1}}}"), ERR_FORMAT,
	    "spec.containers[0].lifecycle.postStart.sleep.seconds: none of 0 "
	    "to 2147483647" },
	/* variables */
	{ ENV("'value':'x\\r\\ny'"), ERR_DENIED,
	    "spec.containers[0].env: \"A\": a carriage return before a newline "
	    "does not reach the container" },
	{ ENV("'value':7"), ERR_FORMAT,
	    "spec.containers[0].env[0]: not a name and a text" },
	{ C(",'env':[{'value':'x'}]"), ERR_FORMAT,
	    "spec.containers[0].env[0]: not a name and a text" },
	{ C(",'env':[{'name':'a b'}]"), ERR_DENIED,
	    "spec.containers[0].env: \"a b\": not of letters, digits, _ . -" },
	{ ENV("'valueFrom':{}"), ERR_FORMAT,
	    "spec.containers[0].env[0].valueFrom: no source that is known" },
	{ ENV("'valueFrom':{'fieldRef':{'fieldPath':'x'}}"), ERR_DENIED,
	    "spec.containers[0].env[0].valueFrom: fieldPath \"x\" is not "
	    "supported" },
	{ RESOURCE("'limits.cpu'"), ERR_DENIED,
	    "spec.containers[0].env[0].valueFrom: limits.cpu of container "
	    "\"c\" is not set" },
	{ RESOURCE("'requests.cpu','divisor':'x'"), ERR_FORMAT,
	    "spec.containers[0].env[0].valueFrom: requests.cpu or its divisor "
	    "is no quantity" },
	{ RESOURCE("'limits.cpu','containerName':'d'"), ERR_DENIED,
	    "spec.containers[0].env[0].valueFrom: there is no resource "
	    "\"limits.cpu\" of container \"d\"" },
	/* probes */
	{ PROBE("'periodSeconds':1"), ERR_FORMAT,
	    "spec.containers[0].livenessProbe: neither exec nor httpGet nor "
	    "tcpSocket" },
	{ PROBE("'periodSeconds':0,'tcpSocket':{'port':1}"), ERR_FORMAT,
	    "spec.containers[0].livenessProbe: periodSeconds, timeoutSeconds "
	    "or failureThreshold is not above 0" },
	{ PROBE("'httpGet':{'port':'web'}"), ERR_FORMAT,
	    "spec.containers[0].livenessProbe.httpGet.port: none of 1 to 65535,"
	    " and no name of a port" },
	{ PROBE("'exec':{'command':[7]}"), ERR_FORMAT,
	    "spec.containers[0].livenessProbe.exec.command: not a text" },
	{ PROBE("'exec':{'command':['\x7f']}"), ERR_DENIED,
	    "spec.containers[0].livenessProbe: a control byte" },
	{ PROBE("'exec':{'command':['" B1000 B1000 B100 "']}"), ERR_LIMIT,
	    "spec.containers[0].livenessProbe: over 2047 bytes" },
	/* security */
	{ C(",'securityContext':{'runAsUser':-1}"), ERR_FORMAT,
	    "spec.containers[0].securityContext.runAsUser: none of 0 to "
	    "2147483647" },
	{ C(",'securityContext':{'runAsGroup':1}"), ERR_DENIED,
	    "spec.containers[0].securityContext.runAsGroup: only with "
	    "runAsUser" },
	{ C(",'securityContext':{'runAsNonRoot':true,'runAsUser':0}"),
	    ERR_DENIED,
	    "spec.containers[0].securityContext: runAsNonRoot and runAsUser "
	    "0" },
	{ C("") ",'securityContext':{'supplementalGroups':['x']}", ERR_FORMAT,
	    "spec.containers[0].securityContext.supplementalGroups: none of 0 "
	    "to 2147483647" },
	{ C(",'securityContext':{'capabilities':{'drop':['chown']}}"),
	    ERR_DENIED,
	    "spec.containers[0].securityContext.capabilities: \"chown\" is no "
	    "capability's name" },
	{ C(",'securityContext':{'seLinuxOptions':{'level':'s0 c1'}}"),
	    ERR_DENIED,
	    "spec.containers[0].securityContext.seLinuxOptions: \"s0 c1\": not "
	    "of letters, digits and _ . : , -" },
	/* the network */
	{ C("") ",'hostAliases':[{'ip':'x','hostnames':['a']}]", ERR_DENIED,
	    "spec.hostAliases[].ip: \"x\": not 1 to 253 bytes of hexadecimal "
	    "digits, . and :, none of . - first" },
	{ C("") ",'hostAliases':[{'ip':'::1','hostnames':['a','-b']}]",
	    ERR_DENIED,
	    "spec.hostAliases[].hostnames[]: \"-b\": not 1 to 253 bytes of "
	    "letters, digits, . and -, none of . - first" },
	{ C("") ",'dnsPolicy':'None'", ERR_DENIED,
	    "spec.dnsPolicy: None without dnsConfig.nameservers" },
	{ C("") ",'dnsConfig':{'nameservers':['1.1.1.1']}", ERR_DENIED,
	    "spec.dnsConfig.nameservers: only with dnsPolicy None" },
	{ C("") ",'dnsPolicy':'None','dnsConfig':{'nameservers':['one']}",
	    ERR_DENIED,
	    "spec.dnsConfig.nameservers[]: \"one\": not 1 to 253 bytes of "
	    "hexadecimal digits, . and :, none of . - first" },
	{ C("") ",'dnsConfig':{'searches':['.a']}", ERR_DENIED,
	    "spec.dnsConfig.searches[]: \".a\": not 1 to 253 bytes of letters, "
	    "digits and . _ -, none of . - first" },
	{ C("") ",'dnsConfig':{'options':[{'value':'2'}]}", ERR_DENIED,
	    "spec.dnsConfig.options[].name: \"\": not 1 to 253 bytes of "
	    "letters, digits, _ and -, none of . - first" },
	{ C("") ",'dnsConfig':{'options':[{'name':'ndots','value':'2;'}]}",
	    ERR_DENIED,
	    "spec.dnsConfig.options[].value: \"2;\": not 1 to 253 bytes of "
	    "letters, digits, _ and -, none of . - first" },
	{ C("") ",'securityContext':{'sysctls':[{'name':'a b','value':'1'}]}",
	    ERR_DENIED,
	    "spec.securityContext.sysctls[].name: \"a b\": not 1 to 253 bytes "
	    "of letters, digits and _ . / -, none of . - first" },
	{ C("") ",'securityContext':{'sysctls':[{'name':'a','value':'$'}]}",
	    ERR_DENIED,
	    "spec.securityContext.sysctls[].value: \"$\": not 1 to 253 bytes "
	    "of letters, digits, blanks and _ . , : - +, none of . - first" },
	/* volumes */
	{ AT_V, ERR_FORMAT, "spec.volumes: no \"v\"" },
	{ AT_V ",'volumes':[{'name':'a b'}]", ERR_FORMAT,
	    "spec.volumes[0].name: \"a b\": not of letters, digits and . _ : "
	    "-" },
	{ AT_V V(",'hostPath':{'path':'/a b'}"), ERR_DENIED,
	    "spec.volumes[0].hostPath.path: \"/a b\": not absolute, with "
	    "\"..\", or not of letters, digits and _ . / @ + -" },
	{ AT_V V(",'emptyDir':{'sizeLimit':'1Gi'}"), ERR_DENIED,
	    "spec.volumes[0].emptyDir.sizeLimit: not supported: a disk has no "
	    "limit, only medium Memory" },
	{ AT_V V(",'emptyDir':{'medium':'Memory','sizeLimit':'0'}"), ERR_FORMAT,
	    "spec.volumes[0].emptyDir.sizeLimit: \"0\" is no quantity above "
	    "0" },
	{ AT_V V(",'image':{'reference':'a,rw=true'}"), ERR_DENIED,
	    "spec.volumes[0].image.reference: \"a,rw=true\" is no image's "
	    "name" },
	{ SUB("a/../b") V(",'image':{'reference':'i'}"), ERR_DENIED,
	    "spec.containers[0].volumeMounts.subPath: \"a/../b\"" NO_SUB_PATH },
	{ SUB("a//b") V(""), ERR_DENIED,
	    "spec.containers[0].volumeMounts.subPath: \"a//b\"" NO_SUB_PATH },
	{ SUB("a/.") V(""), ERR_DENIED,
	    "spec.containers[0].volumeMounts.subPath: \"a/.\"" NO_SUB_PATH },
	{ SUB("a/-p") V(""), ERR_DENIED,
	    "spec.containers[0].volumeMounts.subPath: \"a/-p\"" NO_SUB_PATH },
	{ SUB("a b") V(""), ERR_DENIED,
	    "spec.containers[0].volumeMounts.subPath: \"a b\"" NO_SUB_PATH },
	{ SUB("../a") V(",'configMap':{'name':'shop'}"), ERR_DENIED,
	    "spec.containers[0].volumeMounts.subPath: \"../a\"" NO_SUB_PATH },
	{ C(",'volumeMounts':[{'name':'v','mountPath':'/a:b'}]") V(""),
	    ERR_DENIED,
	    "spec.containers[0].volumeMounts[0].mountPath: \"/a:b\": not "
	    "absolute, or with \":\"" },
	{ C(",'volumeMounts':[{'name':'v','mountPath':'/a\\u0027b'}]") V(""),
	    ERR_DENIED,
	    "spec.containers[0].volumeMounts.mountPath: a quote, a backslash "
	    "or a control byte" },
	{ C(",'volumeMounts':[{'name':'v','mountPath':'/a,rw=1',"
	    "'subPath':'a'}]") V(""),
	    ERR_DENIED,
	    "spec.containers[0].volumeMounts.mountPath: \"/a,rw=1\": with an "
	    "image or a subPath of an emptyDir only letters, digits and _ . / "
	    "@ + -" },
	{ MAP("shop", ",'defaultMode':512"), ERR_LIMIT,
	    "spec.volumes[0].configMap.defaultMode: over 511" },
	{ DOWN("p", "x"), ERR_DENIED,
	    "spec.volumes[0].items[0]: fieldPath \"x\" is not supported" },
	{ DOWN("../p", "metadata.uid"), ERR_DENIED,
	    "spec.volumes[0]: path \"../p\"" NO_FILE },
};

/* What only its objects tell: before they are read nothing is wrong. */
static const struct refusal of_objects[] = {
	{ MAP("elsewhere", ""), ERR_AGAIN,
	    "spec.volumes[0]: ConfigMap \"elsewhere\" is not there" },
	{ MAP("absent", ""), ERR_AGAIN,
	    "spec.volumes[0]: ConfigMap \"absent\" is not there" },
	{ MAP("absent", ",'optional':true"), ERR_NONE, "" },
	{ MAP("shop", ",'items':[{'key':'k','path':'p'}]"), ERR_AGAIN,
	    "spec.volumes[0]: ConfigMap \"shop\" has no key \"k\"" },
	{ MAP("shop", ",'optional':true,'items':[{'key':'k','path':'p'}]"),
	    ERR_NONE, "" },
	{ MAP("shop", ",'items':[{'key':'z','path':'a/../b'}]"), ERR_DENIED,
	    "spec.volumes[0]: path \"a/../b\"" NO_FILE },
	{ MAP("shop", ",'items':[{'key':'z','path':'/b'}]"), ERR_DENIED,
	    "spec.volumes[0]: path \"/b\"" NO_FILE },
	{ MAP("shop", ",'items':[{'key':'z','path':'b\\u0001'}]"), ERR_DENIED,
	    "spec.volumes[0]: path \"b\x01\"" NO_FILE },
	{ KEY("configMap", "odd", "number"), ERR_DENIED,
	    "spec.volumes[0]: key \"number\" is no text" },
	{ KEY("configMap", "odd", "signs"), ERR_DENIED,
	    "spec.volumes[0]: key \"signs\" is no base64" },
	{ KEY("configMap", "odd", "binary"), ERR_DENIED,
	    "spec.volumes[0]: key \"binary\" is binary, which Flightctl does "
	    "not bring to a device whole" },
	{ KEY("secret", "odd", "signs"), ERR_DENIED,
	    "spec.volumes[0]: key \"signs\" is no base64" },
	{ MAP("cut", ""), ERR_FORMAT,
	    "ConfigMap \"cut\": JSON: unexpected end of data near byte 8" },
	{ C(",'envFrom':[{'configMapRef':{'name':'absent'}}]"), ERR_AGAIN,
	    "spec.containers[0].envFrom: ConfigMap \"absent\" is not there" },
	{ C(",'envFrom':[{'secretRef':{'name':'absent'}}]"), ERR_AGAIN,
	    "spec.containers[0].envFrom: Secret \"absent\" is not there" },
	{ C(",'envFrom':[{'configMapRef':{'name':'absent','optional':true}}]"),
	    ERR_NONE, "" },
	{ C(",'envFrom':[{'configMapRef':{'name':'odd'}}]"), ERR_DENIED,
	    "spec.containers[0].envFrom: key \"number\" of a ConfigMap is no "
	    "text" },
	{ C(",'envFrom':[{'secretRef':{'name':'odd'}}]"), ERR_DENIED,
	    "spec.containers[0].envFrom: key \"zero\" of a Secret is no text" },
	{ C(",'envFrom':[{'prefix':'a b','configMapRef':{'name':'shop'}}]"),
	    ERR_DENIED,
	    "spec.containers[0].env: \"a ba b\": not of letters, digits, _ . "
	    "-" },
	{ ENV("'valueFrom':{'configMapKeyRef':{'name':'shop'}}"), ERR_FORMAT,
	    "spec.containers[0].env[0].valueFrom: no name or no key" },
	{ ENV("'valueFrom':{'secretKeyRef':{'key':'z'}}"), ERR_FORMAT,
	    "spec.containers[0].env[0].valueFrom: no name or no key" },
	{ ENV("'valueFrom':{'configMapKeyRef':{'name':'shop','key':'k'}}"),
	    ERR_AGAIN,
	    "spec.containers[0].env[0]: ConfigMap \"shop\" has no key \"k\"" },
	{ ENV("'valueFrom':{'secretKeyRef':{'name':'odd','key':'k'}}"),
	    ERR_AGAIN,
	    "spec.containers[0].env[0]: Secret \"odd\" has no key \"k\"" },
	{ ENV("'valueFrom':{'secretKeyRef':{'name':'odd','key':'zero'}}"),
	    ERR_DENIED,
	    "spec.containers[0].env[0]: key \"zero\" of Secret \"odd\" is no "
	    "text" },
	{ ENV("'valueFrom':{'configMapKeyRef':{'name':'cut','key':'k'}}"),
	    ERR_FORMAT,
	    "ConfigMap \"cut\": JSON: unexpected end of data near byte 8" },
};

static struct {
	char name[8];
	uint8_t secret;
	const char *text;
} held[] = {
	{ "shop", 0, "{'data':{'a b':'c','z':''}}" },
	{ "odd", 0,
	    "{'data':{'number':7},'binaryData':{'signs':'!',"
	    "'binary':'/w=='}}" },
	{ "odd", 1, "{'data':{'zero':'AAE=','signs':'!'}}" },
	{ "cut", 0, "{'data':" },
	{ "absent", 0, "" },
};
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* Caller frees. */
static char *
quoted(const char *text)
{
	char *copy = xstrdup(text), *at = copy;

	while ((at = strchr(at, '\'')) != NULL)
		*at++ = '"';
	return copy;
}

static char *
pod_named(const char *name, const char *spec)
{
	AUTO_FREE char *text = xasprintf("{'metadata':{'namespace':'default',"
					 "'name':'%s','uid':'de19433b-1e42'},"
					 "'spec':{%s}}",
	    name, spec);

	return quoted(text);
}

static const struct quadlet_in about = { .app = "k8s-0123456789-default-web-de",
	.cluster = "0c9f5a1e",
	.node = "vk-flightctl-a",
	.host = 1,
	.secrets = 1 };

static int
render(const char *pod, struct quadlet *q, struct why *why)
{
	struct quadlet_object objects[COUNT(held)];
	struct quadlet_in in = about;
	char *texts[COUNT(held)];
	size_t i;
	int r;

	for (i = 0; i < COUNT(held); i++) {
		texts[i] = quoted(held[i].text);
		objects[i] = (struct quadlet_object){ held[i].name,
			held[i].secret, span_of(texts[i]) };
	}
	in.pod = span_of(pod);
	in.objects = objects;
	in.nobjects = COUNT(held);
	*why = (struct why){ 0 };
	r = quadlet_render(&in, q, why);
	for (i = 0; i < COUNT(held); i++)
		free(texts[i]);
	return r;
}

static int
check(const char *pod, struct why *why)
{
	struct quadlet_in in = about;

	in.pod = span_of(pod);
	*why = (struct why){ 0 };
	return quadlet_check(&in, why);
}

static void
expect_refused(const char *pod, const struct refusal *r)
{
	struct quadlet q;
	struct why why;

	cr_expect_eq(render(pod, &q, &why), r->kind == ERR_NONE ? 0 : -1, "%s",
	    pod);
	cr_expect_eq(why.kind, r->kind, "%s: %s, not %s", pod,
	    why_name(why.kind), why_name(r->kind));
	cr_expect_str_eq(why.text, r->text);
	cr_expect((q.application == NULL) == (r->kind != ERR_NONE));
	quadlet_clear(&q);
}

Test(quadlet_refusals, of_pods)
{
	struct why why;
	size_t i;

	for (i = 0; i < COUNT(of_pods); i++) {
		AUTO_FREE char *pod = pod_named("web", of_pods[i].spec);

		expect_refused(pod, &of_pods[i]);
		cr_expect_eq(check(pod, &why), -1, "%s", pod);
		cr_expect_str_eq(why.text, of_pods[i].text);
	}
}

Test(quadlet_refusals, of_objects)
{
	struct why why;
	size_t i;

	for (i = 0; i < COUNT(of_objects); i++) {
		AUTO_FREE char *pod = pod_named("web", of_objects[i].spec);

		expect_refused(pod, &of_objects[i]);
		cr_expect_eq(check(pod, &why), 0, "%s: %s", pod, why.text);
	}
}

struct many {
	size_t enough;
	const char *first, *each, *rest, *last; /* EACH NUMBER REST, ... */
	const char *text;
};

/* Caller frees. */
static char *
spec_of(const struct many *m, size_t n)
{
	char *list = xstrdup(m->first), *more;
	size_t i;

	for (i = 0; i < n; i++) {
		more = xasprintf("%s%s%s%zu%s", list, i > 0 ? "," : "", m->each,
		    i, m->rest);
		free(list);
		list = more;
	}
	more = xasprintf("%s%s", list, m->last);
	free(list);
	return more;
}

#define B60 B10 B10 B10 B10 B10 B10
#define B10000 B1000 B1000 B1000 B1000 B1000 B1000 B1000 B1000 B1000 B1000

/* Too much of what is well alone. */
static const struct many many[] = {
	{ 25, "'restartPolicy':'Never','containers':[", "{'name':'c" B60,
	    "','image':'i'}", "]",
	    "spec: a line of over 2047 bytes in c" B60 "0.container" },
	{ 26, "'containers':[{'name':'c','image':'i','args':[", "'" B10000, "'",
	    "]}]", "spec: over 262144 bytes as an application" },
	{ 64, "'containers':[{'name':'c','image':'i','envFrom':[",
	    "{'configMapRef':{'name':'m", "','optional':true}}", "]}]",
	    "spec: more than 64 ConfigMaps and Secrets" },
};

Test(quadlet_refusals, of_too_much)
{
	struct quadlet_needs needs;
	struct quadlet q;
	struct why why;
	size_t i, over;
	int r;

	for (i = 0; i < COUNT(many); i++)
		for (over = 0; over < 2; over++) {
			AUTO_FREE char *spec =
			    spec_of(&many[i], many[i].enough + over);
			AUTO_FREE char *pod = pod_named("web", spec);

			q = (struct quadlet){ 0 };
			r = quadlet_needs(span_of(pod), &needs, &why);
			if (r == 0)
				r = render(pod, &q, &why);
			cr_expect_eq(r, over ? -1 : 0, "%s: %s", many[i].text,
			    why.text);
			if (over) {
				cr_expect_eq(why.kind, ERR_LIMIT);
				cr_expect_str_eq(why.text, many[i].text);
			}
			quadlet_needs_clear(&needs);
			quadlet_clear(&q);
		}
}

Test(quadlet_refusals, of_a_name_that_no_label_can_have)
{
	static const struct refusal r = { C("") ",'hostname':'h'", ERR_DENIED,
		"label vk.flightctl.io/pod: \"we b\": not of letters, digits "
		"and . _ : -" };
	AUTO_FREE char *pod = pod_named("we b", r.spec);

	expect_refused(pod, &r);
}
