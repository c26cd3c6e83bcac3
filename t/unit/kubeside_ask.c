/* SPDX-License-Identifier: ISC */
/* Which kind a request is counted as. */
#include "kubeside/ask.h"

#include <criterion/criterion.h>

#define LEASES "/apis/coordination.k8s.io/v1/namespaces/"

Test(kubeside_ask, each_request_of_ours_has_its_kind)
{
	static const struct {
		enum https_method method;
		const char *path;
		enum request is;
	} asks[] = {
		{ HTTPS_GET, "/api/v1/pods?fieldSelector=a&limit=500",
		    REQUEST_PODS_LIST },
		{ HTTPS_GET, "/api/v1/pods?fieldSelector=a&watch=1&b=c",
		    REQUEST_PODS_WATCH },
		{ HTTPS_PATCH, "/api/v1/namespaces/a/pods/b/status",
		    REQUEST_POD_STATUS },
		{ HTTPS_DELETE, "/api/v1/namespaces/a/pods/b",
		    REQUEST_POD_DELETE },
		{ HTTPS_GET, "/api/v1/namespaces/a/pods/b", REQUEST_POD_GET },
		{ HTTPS_GET, "/api/v1/namespaces/a/configmaps/b",
		    REQUEST_CONFIGMAP_GET },
		{ HTTPS_GET, "/api/v1/namespaces/a/secrets/b",
		    REQUEST_SECRET_GET },
		{ HTTPS_POST, "/api/v1/namespaces/a/events", REQUEST_EVENT },
		{ HTTPS_PATCH, "/api/v1/namespaces/a/events/b", REQUEST_EVENT },
		{ HTTPS_GET, "/api/v1/nodes?fieldSelector=a&watch=1",
		    REQUEST_NODE_WATCH },
		{ HTTPS_GET, "/api/v1/nodes?labelSelector=a", REQUEST_NODE },
		{ HTTPS_POST, "/api/v1/nodes", REQUEST_NODE },
		{ HTTPS_PATCH, "/api/v1/nodes/a", REQUEST_NODE },
		{ HTTPS_PATCH, "/api/v1/nodes/a/status", REQUEST_NODE_STATUS },
		{ HTTPS_PUT, LEASES "kube-node-lease/leases/a",
		    REQUEST_NODE_LEASE },
		{ HTTPS_PUT, LEASES "vk-flightctl/leases/a",
		    REQUEST_WRITER_LEASE },
		{ HTTPS_GET, "/api/v1/namespaces/kube-system",
		    REQUEST_KUBE_OTHER },
		{ HTTPS_GET, "/api/v1/podsx", REQUEST_KUBE_OTHER },
		{ HTTPS_GET, "/api/v1/namespaces//secrets/b",
		    REQUEST_KUBE_OTHER },
	};
	size_t i;

	for (i = 0; i < sizeof(asks) / sizeof(asks[0]); i++)
		cr_expect_eq(ask_kind(asks[i].method, asks[i].path), asks[i].is,
		    "%s is %s", asks[i].path,
		    meter_label(ask_kind(asks[i].method, asks[i].path)));
}
