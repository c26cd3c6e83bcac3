/* SPDX-License-Identifier: ISC */
#ifndef T_UNIT_GOLDEN_H
#define T_UNIT_GOLDEN_H

/* The text of t/golden/FOLDER/NAME; caller frees; NULL: there is none. */
char *golden_read(const char *folder, const char *name);

/* The Pod of that name of t/golden/quadlet; it must be there. */
char *golden_pod(const char *name);

/* Pods of t/golden/quadlet; HOST: only with ALLOW_PRIVILEGED=yes. */
#define GOLDEN_PODS                                                      \
	"one", "all", "never", "on-failure", "long", "whole-configmap",  \
	    "init", "init-never", "sidecar-never", "sidecar-on-failure", \
	    "secure", "non-root", "probes", "env", "files", "network",   \
	    "timezone", "sub-path", "sub-path-memory", "image", "host"
#define GOLDEN_HOST "host"

/* The ConfigMap shop and the Secret key that they use. */
#define GOLDEN_SHOP                                                        \
	"{\"kind\":\"ConfigMap\",\"data\":{\"app.conf\":\"color = blue\\n" \
	"100%\\n\",\"z\":\"\"},\"binaryData\":{\"logo\":\"iVBORw0KGgoA\"}}"
#define GOLDEN_KEY \
	"{\"kind\":\"Secret\",\"data\":{\"token\":\"czNjciR0ICU=\",\"z\":\"\"}}"

#endif
