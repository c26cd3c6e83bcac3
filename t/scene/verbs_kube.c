/* SPDX-License-Identifier: ISC */
/*
 * verbs_kube.c: what people and controllers do to pods.
 */
#include <stdlib.h>
#include <string.h>

#include "common/auto.h"
#include "common/xmem.h"
#include "t/scene/verbs.h"

static char *
own(const char *text)
{
	return text != NULL ? xstrdup(text) : NULL;
}

/*
 * pod NAME [cpu=] [memory=] [image=] [restart=] [controller=] [configmap=[?]]
 *	[secret=] [device=] [selector=] [reconnect=] [port=] [node=]
 *[spec='members']
 */
void
verb_pod(struct scene *sc, const struct words *s)
{
	struct kpod *p = kube_add(sc, words_at(s, 1));
	const char *node = words_get(s, "node", NULL);

	p->cpu = own(words_get(s, "cpu", "100m"));
	p->memory = own(words_get(s, "memory", "64Mi"));
	p->image = own(words_get(s, "image", "x"));
	p->restart = own(words_get(s, "restart", "Always"));
	p->controller = own(words_get(s, "controller", NULL));
	p->configmap = own(words_get(s, "configmap", NULL));
	p->secret = own(words_get(s, "secret", NULL));
	p->device = own(words_get(s, "device", NULL));
	p->selector = own(words_get(s, "selector", NULL));
	p->reconnect = own(words_get(s, "reconnect", NULL));
	p->port = own(words_get(s, "port", NULL));
	p->spec = own(words_get(s, "spec", NULL));
	if (node != NULL) {
		free(p->node);
		p->node = xstrdup(node);
	}
	p->in_api = 1;
	kube_send_pod(sc, p, POD_ADDED);
}

void
verb_delete(struct scene *sc, const struct words *s)
{
	struct kpod *p;
	size_t i;

	for (i = 1; i < s->n; i++)
		if ((p = kube_pod(sc, s->w[i])) != NULL)
			kube_delete(sc, p, 30);
}

void
verb_force(struct scene *sc, const struct words *s)
{
	struct kpod *p;

	if ((p = kube_pod(sc, words_at(s, 1))) == NULL)
		return;
	p->forced = 1;
	kube_remove(sc, p, 1);
}

/* The key holder's rules forbid its entry, or do so no more. */
void
verb_deny(struct scene *sc, const struct words *s)
{
	struct kpod *p;

	if ((p = kube_pod(sc, words_at(s, 1))) != NULL)
		p->denied = 1;
}

void
verb_allow(struct scene *sc, const struct words *s)
{
	struct kpod *p;

	if ((p = kube_pod(sc, words_at(s, 1))) != NULL)
		p->denied = 0;
}

/* It went while nobody watched. */
void
verb_gone(struct scene *sc, const struct words *s)
{
	struct kpod *p;

	if ((p = kube_pod(sc, words_at(s, 1))) == NULL)
		return;
	p->forced = p->untold = 1;
	kube_remove(sc, p, 0);
}

void
verb_image(struct scene *sc, const struct words *s)
{
	struct kpod *p;

	if ((p = kube_pod(sc, words_at(s, 1))) == NULL)
		return;
	free(p->image);
	p->image = xstrdup(words_at(s, 2));
	kube_send_pod(sc, p, POD_MODIFIED);
}

/* configmap NAME [key=value], secret NAME [key=BASE64] */
void
verb_configmap(struct scene *sc, const struct words *s)
{
	struct object *o = xcalloc(1, sizeof(*o));

	o->name = xstrdup(words_at(s, 1));
	o->secret = strcmp(words_at(s, 0), "secret") == 0;
	o->text = xasprintf(
	    "{\"apiVersion\":\"v1\",\"kind\":\"%s\","
	    "\"metadata\":{\"name\":\"%s\",\"namespace\":\"default\"},"
	    "\"data\":{\"key\":\"%s\"}}",
	    o->secret ? "Secret" : "ConfigMap", o->name,
	    words_get(s, "key", o->secret ? "dmFsdWU=" : "value"));
	TAILQ_INSERT_TAIL(&sc->objects, o, link);
}
