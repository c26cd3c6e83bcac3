/* SPDX-License-Identifier: ISC */
/*
 * Which lines the device policy lets stand in a Quadlet file, one by one; @
 * is the application's name.
 */
#include "flightside/unitcheck.h"

#include <criterion/criterion.h>
#include <string.h>

#include "common/auto.h"
#include "common/bytes.h"
#include "common/xmem.h"
#include "flightside/forms.h"

#define CLUSTER "0c9f5a1e-77f1-4b64-9c3e-7a1f2f5f2f11"
#define APP "k8s-0123456789-default-web-de19433b"
#define ID "@-184017"

static const struct admit_rules rules = { CLUSTER, "", 0, 0 };
static const struct admit_rules host_rules = { CLUSTER, "", 1, 0 };
static const struct admit_rules *with = &rules;

/* The text with the application's name for each @; caller frees. */
static char *
filled(const char *text)
{
	struct bytes b = { NULL, 0, 0 };
	size_t n;

	for (;; text += n + 1) {
		n = strcspn(text, "@");
		bytes_add(&b, (struct span){ text, n });
		if (text[n] == '\0')
			break;
		bytes_add_text(&b, APP);
	}
	bytes_add(&b, (struct span){ "", 1 });
	return b.p;
}

static int
admits_file(const char *path, const char *text, struct why *why)
{
	static const char *const files[] = { "c.container", "c-2.container",
		"pod_.pod", "vol_v.volume", NULL };
	AUTO_FREE char *content = filled(text);

	return unitcheck_file(&(struct unit_app){ with, APP, files }, path,
	    span_of(content), why);
}

static int
admits_lines(const char *container, const char *service, struct why *why)
{
	AUTO_FREE char *text = xasprintf("[Container]\nContainerName=c\n%s\n"
					 "[Service]\n%s\n",
	    container, service);

	return admits_file("c.container", text, why);
}

static const char *const lines[] = {
	"AddDevice=/dev/sda",
	"AddCapability=SYS_ADMIN",
	"PodmanArgs=--privileged",
	"PodmanArgs=--cpus=1.0 --pid=host",
	"PodmanArgs=--cpus=1.0  --cpus=1.0",
	"PodmanArgs=",
	"Network=host",
	"User=root",
	"User=1:2:3",
	"GroupAdd=wheel",
	"DropCapability=ALL NET_RAW",
	"Sysctl=kernel.msgmax=1",
	"Sysctl=net.ipv4.tcp_rmem=1 2",
	"HealthCmd=/bin/true",
	"HealthCmd=[\"a\",\"$x\"]",
	"HealthOnFailure=restart",
	"HealthInterval=10",
	"AddHost=a:host",
	"DNS=resolver",
	"SeccompProfile=/etc/x",
	"SecurityLabelType=spc_t",
	"StopSignal=9",
	"ReadOnly=false",
	"Volume=/var/lib/vk-flightctl/@/v/../../etc:/x:ro,z",
	"Volume=/etc:/etc",
	"Volume=/var/lib/vk-flightctl/other/v:/x:ro,z",
	"Volume=vol_v.volume:/x:rw",
	"Volume=vol_w.volume:/x",
	"Volume=vol_v.volume:/x:/y",
	"Volume=c.container:/x",
	"Image=busybox",
	"Image=library/busybox",
	"Image=quay.io/a/b --privileged",
	"Image=.quay.io/a/b",
	"Image=-quay.io/a/b",
	"Image= quay.io/a/b",
	"Pull=always",
	"Exec=a %h",
	"Exec=a $HOME",
	"Exec=a\tb",
	"Exec=a \"b",
	"Exec=a \"b\"c",
	"Exec=a 'b'",
	"Exec=a \"\\q\"",
	"Exec=a \"\\x4\"",
	"Exec=a \"\\x4g\"",
	"Exec= a",
	"Exec=a ",
	"Exec=",
	"Environment=A",
	"Environment=A=%n",
	"Environment=\"A B=c\" D",
	"Entrypoint=[\"/bin/sh\"]",
	"WorkingDir=/a\"b",
	"PublishPort=80",
	"PublishPort=80:80",
	"PublishPort=1.2.3.4:80:80/tcp/udp",
	"PublishPort=a:80:80/tcp",
	"Label=a=b",
	"Label=vk.flightctl.io/cluster=other",
	"Label=vk.flightctl.io/pod=a b",
	"ContainerName=d",
	"HostName=a b",
	"StopTimeout=-1",
	"StopTimeout=1s",
	"[Kube]",
	"[Container",
	"[X-Ours]",
	"# remark",
	"; remark",
	" Pull=never",
	"Pull =never",
	"Pull= never",
	"=x",
	"x",
	"Exec=a \\\n",
	"Exec=a \\\n b",
	"Exec=a \\\n#b",
	"Exec=a \\\n[Service]",
	"Exec=\"a\\\\\nb\"",
	"Secret=s",
	"Mount=type=bind,source=/,destination=/x",
	"GlobalArgs=--root=/",
	"EnvironmentFile=/etc/shadow",
	"Exec=a\177b",
	"Exec=a\001b",
	"Exec=a\rb",
};

Test(unitcheck, lines_that_are_of_no_form_are_refused)
{
	struct why why;
	size_t i;

	cr_assert_eq(admits_lines("", "", &why), 0, "%s", why.text);
	for (i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		AUTO_FREE char *line = xasprintf("%s\n", lines[i]);

		why.text[0] = '\0';
		cr_assert_eq(admits_lines(line, "", &why), -1, "%s", lines[i]);
		cr_assert_eq(why.kind, ERR_DENIED, "%s", lines[i]);
		cr_assert_not_null(strstr(why.text, "c.container line "),
		    "%s: %s", lines[i], why.text);
	}
}

/* Lines that need ALLOW_PRIVILEGED=yes, and have it. */
static const char *const host_lines[] = {
	"AddCapability=SYS_ADMIN",
	"PodmanArgs=--privileged",
	"PodmanArgs=--pid=host --ipc=host",
	"PodmanArgs=--security-opt=apparmor=unconfined",
	"Network=host",
	"SeccompProfile=unconfined",
	"SecurityLabelType=spc_t",
	"Sysctl=kernel.msgmax=1",
	"Volume=/etc:/etc",
	"Volume=/etc:/etc:ro,rslave",
};

static const char *const host_commands[] = {
	"ExecStartPre=/bin/mkdir -p /srv/a",
	"ExecStartPre=/usr/bin/test -S /run/a.sock",
};

Test(unitcheck, what_is_the_hosts_needs_leave)
{
	struct why why;
	size_t i;

	for (i = 0; i < sizeof(host_lines) / sizeof(host_lines[0]); i++) {
		AUTO_FREE char *line = xasprintf("%s\n", host_lines[i]);

		with = &rules;
		cr_expect_eq(admits_lines(line, "", &why), -1, "%s", line);
		with = &host_rules;
		cr_expect_eq(admits_lines(line, "", &why), 0, "%s: %s", line,
		    why.text);
	}
	for (i = 0; i < sizeof(host_commands) / sizeof(host_commands[0]); i++) {
		AUTO_FREE char *line = xasprintf("%s\n", host_commands[i]);

		with = &rules;
		cr_expect_eq(admits_lines("", line, &why), -1, "%s", line);
		with = &host_rules;
		cr_expect_eq(admits_lines("", line, &why), 0, "%s: %s", line,
		    why.text);
	}
	cr_expect_eq(admits_lines("", "ExecStartPre=/bin/mkdir -p /a/../b\n",
			 &why),
	    -1);
	with = &rules;
}

#define D "/var/lib/vk-flightctl/@"
#define RESULT "echo \"$$SERVICE_RESULT $$EXIT_CODE $$EXIT_STATUS\""
#define EXIT(unit, property)                                                  \
	"=-/bin/sh -c '" unit "; t=" ID                                       \
	"-flightctl-quadlet-app.target; /usr/bin/systemctl stop $$u.service " \
	"2>/dev/null; exec /usr/bin/systemd-run -q --no-block --collect "     \
	"--unit=$$u --description=\"$$SERVICE_RESULT $$EXIT_CODE "            \
	"$$EXIT_STATUS\" --remain-after-exit " property                       \
	" -p After=$$t /bin/true'"

Test(unitcheck, commands_are_exactly_those_of_exec_def)
{
	static const struct {
		const char *line;
		int rc;
	} cases[] = {
		{ "Post=/bin/sh -c 'mkdir -p " D " && " RESULT " >" D
		  "/c.done'",
		    0 },
		{ "Post=/bin/sh -c 'mkdir -p " D " && " RESULT " >" D
		  "/c.7.done'",
		    0 },
		{ "Post=/bin/sh -c 'mkdir -p " D " && " RESULT " >" D
		  "/c.x.done'",
		    -1 },
		{ "Post=/bin/sh -c 'mkdir -p " D " && " RESULT " >" D
		  "/d.done'",
		    -1 },
		{ "Post=/bin/sh -c 'mkdir -p " D " && " RESULT " >" D
		  "x/c.done'",
		    -1 },
		{ "Post=/bin/sh -c 'mkdir -p " D " && " RESULT " >" D
		  "/c.done';reboot",
		    -1 },
		{ "Post=/bin/sh -c 'mkdir -p /etc && " RESULT " >/etc/passwd'",
		    -1 },
		{ "Post=/bin/sh -c 'mkdir -p " D " && " RESULT " >" D
		  "/c.done; for c in c c-2; do test -e " D
		  "/$$c.0.done || exit 0; done; /usr/bin/systemctl stop "
		  "--no-block " ID "-pod_-pod.service'",
		    0 },
		{ "Post=/bin/sh -c 'mkdir -p " D " && " RESULT " >" D
		  "/c.done; for c in c c-2; do test -e " D
		  "/$$c.0.done || exit 0; done; echo >" D
		  "/pod_.0.done; /usr/bin/systemctl stop --no-block " ID
		  "-pod_-pod.service'",
		    0 },
		{ "Post=/bin/sh -c 'mkdir -p " D " && " RESULT " >" D
		  "/c.done; for c in c c-2; do test -e " D
		  "/$$c.0.done || exit 0; done; echo >" D
		  "x/pod_.0.done; /usr/bin/systemctl stop --no-block " ID
		  "-pod_-pod.service'",
		    -1 },
		{ "Post=/bin/sh -c 'reboot'", -1 },
		{ "Post" EXIT("u=vk-@_c", "-p Requisite=$$t"), 0 },
		{ "Post" EXIT("u=vk-@_d", "-p Requisite=$$t"), -1 },
		{ "Post" EXIT("u=sshd", "-p Requisite=$$t"), -1 },
		{ "Post" EXIT("u=vk-@_c", "-p User=root"), -1 },
		{ "=/usr/bin/podman volume rm -f @-000000-v", -1 },
	};
	static const char *const others[] = {
		"ExecStopPost=/bin/sh -c 'mkdir -p " D " && " RESULT " >" D
		"/c.done; for c in d; do test -e " D
		"/$$c.0.done || exit 0; done; /usr/bin/systemctl stop "
		"--no-block " ID "-pod_-pod.service'\n",
		"ExecStartPre=/bin/true\n", "ExecStart=/bin/true\n",
		"User=root\n", "Type=oneshot\n", "Restart=maybe\n"
	};
	struct why why;
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		AUTO_FREE char *text = filled(cases[i].line);
		AUTO_FREE char *line = xasprintf("ExecStop%s\n", text);

		cr_assert_eq(admits_lines("", line, &why), cases[i].rc,
		    "%s: %s", line, why.text);
	}
	for (i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		cr_assert_eq(admits_lines("", others[i], &why), -1, "%s",
		    others[i]);
}

#define OVER(app, name, image, word)                                           \
	"-/bin/sh -c 'test ! -e /var/lib/vk-flightctl/" app "/pod_.7.done || " \
	"exec /usr/bin/podman run --replace --rm --pull=never "                \
	"--network=none --image-volume=ignore --log-driver=none --init "       \
	"--entrypoint=/run/podman-init --name=" ID "-" name                    \
	" --label=io.flightctl.quadlet.project=" ID " " image " " word         \
	" >/dev/null'"

/* A container of a sidecar's name says its version, and nothing else runs. */
Test(unitcheck, a_pod_that_stops_runs_nothing_of_others)
{
	static const struct {
		const char *line;
		int rc;
	} cases[] = {
		{ OVER("@", "c-2", "a.b/c", "-V"), 0 },
		{ OVER("@x", "c-2", "a.b/c", "-V"), -1 },
		{ OVER("@", "c-3", "a.b/c", "-V"), -1 },
		{ OVER("@", "c-2", "busybox", "-V"), -1 },
		{ OVER("@", "c-2", "a.b/c", "-- sh"), -1 },
		{ OVER("@", "c-2 --privileged", "a.b/c", "-V"), -1 },
	};
	struct why why;
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		AUTO_FREE char *text = xasprintf(
		    "[Unit]\nConditionPathExists=!/var/lib/vk-flightctl/@/"
		    "pod_.7.done\n[Pod]\nPodName=pod_\n[Service]\n"
		    "ExecStop=%s\n",
		    cases[i].line);

		cr_expect_eq(admits_file("pod_.pod", text, &why), cases[i].rc,
		    "%s: %s", cases[i].line, why.text);
	}
}

#define R "/run/vk-flightctl/@"
#define START "/usr/bin/systemctl start --no-block"
#define ASK(name, seconds)                                                  \
	"ExecStop=-/bin/sh -c 'test -z \"$$MAINPID\" || { n=" name          \
	"; p=/usr/bin/podman; $$p kill --signal \"$$($$p inspect --format " \
	"{{.Config.StopSignal}} $$n)\" $$n && /usr/bin/timeout " seconds    \
	" $$p wait $$n || $$p kill $$n; } >/dev/null'"

/* A command names nothing but units and files of its own application. */
Test(unitcheck, an_init_container_starts_only_its_own)
{
	static const struct {
		const char *line;
		int rc;
	} cases[] = {
		{ "ExecStop=/bin/sh -c 'test -n \"$$MAINPID\" || { mkdir -p " R
		  " && echo >" R "/c.done && " START " " ID "-c-2.service; }'",
		    0 },
		{ "ExecStartPost=/bin/sh -c 'mkdir -p " R " && echo >" R
		  "/c.done && " START " " ID "-c-2.service " ID "-c.service'",
		    0 },
		{ "ExecStartPost=/bin/sh -c 'mkdir -p " R " && echo >" R
		  "/c.done && " START " sshd.service'",
		    -1 },
		{ "ExecStartPost=/bin/sh -c 'mkdir -p " R " && echo >" R
		  "/c.done && " START " " ID "-other.service'",
		    -1 },
		{ "ExecStartPost=/bin/sh -c 'mkdir -p " R " && echo >" R
		  "/c.done && " START "'",
		    -1 },
		{ "ExecStartPost=/bin/sh -c 'mkdir -p " R " && echo >" R
		  "/c-2.done && " START " " ID "-c-2.service'",
		    -1 },
		{ "ExecStartPost=/usr/bin/podman exec " ID "-c sh -c \"a; b\"",
		    0 },
		{ "ExecStartPost=/usr/bin/podman exec " ID "-c-2 sh", -1 },
		{ "ExecStartPost=/usr/bin/podman exec other sh", -1 },
		{ "ExecStop=-/usr/bin/timeout 30 /usr/bin/podman exec " ID
		  "-c sync",
		    0 },
		{ "ExecStop=-/usr/bin/timeout 30 /bin/rm -rf /", -1 },
		{ "ExecStop=-/usr/bin/timeout 30 /bin/sleep 3", 0 },
		{ "ExecStop=-/bin/sh -c 'test -z \"$$MAINPID\" || "
		  "/usr/bin/timeout 30 /bin/sleep 3'",
		    0 },
		{ "ExecStop=-/bin/sh -c 'test -z \"$$MAINPID\" || "
		  "/usr/bin/timeout 30 /bin/sleep 3; rm'",
		    -1 },
		{ ASK(ID "-c", "30"), 0 },
		{ ASK(ID "-c-2", "30"), -1 },
		{ ASK("other", "30"), -1 },
		{ ASK(ID "-c", "30 rm;"), -1 },
	};
	struct why why;
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		cr_expect_eq(admits_lines("", cases[i].line, &why), cases[i].rc,
		    "%s: %s", cases[i].line, why.text);
}

Test(unitcheck, what_is_in_the_other_files)
{
	static const struct {
		const char *path, *text;
		int rc;
	} cases[] = {
		{ "pod_.pod",
		    "[Pod]\nPodName=pod_\n[Service]\n"
		    "ExecStopPost=/bin/rm -rf " R "\n",
		    0 },
		{ "pod_.pod", "[Service]\nExecStopPost=/bin/rm -rf /\n", -1 },
		{ "pod_.pod", "[Pod]\nPodmanArgs=--share=+pid\n", 0 },
		{ "pod_.pod",
		    "[Pod]\nPodmanArgs=\"--sysctl=net.ipv4.tcp_rmem=1 2 "
		    "3\"\n",
		    0 },
		{ "pod_.pod",
		    "[Pod]\nPodmanArgs=\"--sysctl=net.ipv4.tcp_rmem=1 "
		    "--privileged\"\n",
		    0 }, /* one word: a value that the kernel refuses */
		{ "pod_.pod", "[Pod]\nPodmanArgs=--privileged\n", -1 },
		{ "vol_v.volume",
		    "[Volume]\nVolumeName=v\nUser=0\nGroup=7\n[Service]\n"
		    "ExecStartPost=/bin/sh -c 'chmod 2777 \"$$(/usr/bin/podman "
		    "volume inspect --format {{.Mountpoint}} " ID "-v)\"'\n",
		    0 },
		{ "vol_v.volume",
		    "[Service]\nExecStartPost=/bin/sh -c 'chmod 777 \"$$("
		    "/usr/bin/podman volume inspect --format {{.Mountpoint}} "
		    "other)\"'\n",
		    -1 },
		{ "vol_v.volume", "[Volume]\nDevice=/dev/sda\n", -1 },
		{ "c.container",
		    "[Unit]\nConditionPathExists=" R "/c-2.done\n"
		    "ConditionPathExists=!" R "/c.done\n",
		    0 },
		{ "c.container", "[Unit]\nConditionPathExists=/etc/passwd\n",
		    -1 },
		{ "c.container", "[Unit]\nConditionPathExists=" R "/d.done\n",
		    -1 },
	};
	struct why why;
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		cr_expect_eq(admits_file(cases[i].path, cases[i].text, &why),
		    cases[i].rc, "%s: %s", cases[i].text, why.text);
}

/* A sign that the table uses and nobody knows lets nothing through. */
Test(unitcheck, an_unknown_sign_is_no_form)
{
	static const char *const files[] = { NULL };
	const struct unit_app app = { &rules, APP, files };
	const struct forms_file f = { .app = &app, .stem = "c" };

	cr_assert(forms_match(&f, span_of("x1"), "x%N"));
	cr_assert_not(forms_match(&f, span_of("x1"), "x%Z"));
	cr_assert_not(forms_match(&f, span_of("x"), "x%Z"));
}
