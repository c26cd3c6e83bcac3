/* SPDX-License-Identifier: ISC */
/*
 * verbs_kube.c: what people and controllers do to pods.
 */
#include <bsd/string.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/auto.h"
#include "common/jread.h"
#include "common/xmem.h"
#include "t/scene/verbs.h"

static char *
own(const char *text)
{
	return text != NULL ? xstrdup(text) : NULL;
}

/*
 * pod NAME [cpu=] [memory=] [image=] [restart=] [controller=] [configmap=[?]]
 *	[secret=] [device=] [selector=] [reconnect=] [port=] [node=] [colour=]
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
	p->colour = own(words_get(s, "colour", NULL));
	p->tolerates = own(words_get(s, "tolerates", NULL));
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

/* What kubeside calls the cluster from its next link on. */
void
verb_cluster(struct scene *sc, const struct words *s)
{
	(void)strlcpy(sc->cluster, words_at(s, 1), sizeof(sc->cluster));
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
	p->generation++;
	kube_send_pod(sc, p, POD_MODIFIED);
}

/* tolerate LABEL KEY|*: a change of the spec that changes nothing for us */
void
verb_tolerate(struct scene *sc, const struct words *s)
{
	struct kpod *p;

	if ((p = kube_pod(sc, words_at(s, 1))) == NULL)
		return;
	free(p->tolerates);
	p->tolerates = xstrdup(words_at(s, 2));
	p->generation++;
	kube_send_pod(sc, p, POD_MODIFIED);
}

/* A device took it, and its status says with what. */
static int
is_admitted(const struct kpod *p)
{
	struct json_object *list = jread_member(p->status, "containerStatuses");

	return jread_member(jread_item(list, 0), "resources") != NULL;
}

/* resize LABEL CPU: pods/resize */
void
verb_resize(struct scene *sc, const struct words *s)
{
	struct kpod *p;
	char **cpu;

	if ((p = kube_pod(sc, words_at(s, 1))) == NULL)
		return;
	cpu = is_admitted(p) ? &p->asked_cpu : &p->cpu;
	free(*cpu);
	*cpu = xstrdup(words_at(s, 2));
	kube_send_pod(sc, p, POD_MODIFIED);
}

/* debug LABEL NAME: pods/ephemeralcontainers */
void
verb_debug(struct scene *sc, const struct words *s)
{
	struct kpod *p;

	if ((p = kube_pod(sc, words_at(s, 1))) == NULL)
		return;
	free(p->debugger);
	p->debugger = xstrdup(words_at(s, 2));
	kube_send_pod(sc, p, POD_MODIFIED);
}

/* colour LABEL VALUE: a label of the pod */
void
verb_colour(struct scene *sc, const struct words *s)
{
	struct kpod *p;

	if ((p = kube_pod(sc, words_at(s, 1))) == NULL)
		return;
	free(p->colour);
	p->colour = xstrdup(words_at(s, 2));
	kube_send_pod(sc, p, POD_MODIFIED);
}

/* nodes labels='"k":"v",...': each has them besides the usual ones */
void
verb_nodes(struct scene *sc, const struct words *s)
{
	kube_label(sc, words_get(s, "labels", ""));
}

/*
 * former [NODE | NODE=served | NODE=renewed]...: Nodes that this provider does
 * not serve
 */
void
verb_former(struct scene *sc, const struct words *s)
{
	char lines[sizeof(sc->former)] = "";
	size_t i, len;

	for (i = 1; i < s->n; i++) {
		len = strcspn(s->w[i], "=");
		(void)snprintf(lines + strlen(lines),
		    sizeof(lines) - strlen(lines), "%.*s%s\n", (int)len,
		    s->w[i],
		    strcmp(s->w[i] + len, "=renewed") == 0 ? " served renewed" :
			s->w[i][len] == '='		   ? " served" :
							     "");
	}
	kube_former(sc, lines);
}

static struct object *
object_of(struct scene *sc, int secret, const char *name)
{
	struct object *o;

	TAILQ_FOREACH(o, &sc->objects, link)
		if (o->secret == secret && strcmp(o->name, name) == 0)
			return o;
	o = xcalloc(1, sizeof(*o));
	o->name = xstrdup(name);
	o->secret = secret;
	TAILQ_INSERT_TAIL(&sc->objects, o, link);
	return o;
}

/*
 * configmap NAME [key=value] [name=KEY] [length=N] [immutable=true] [gone],
 * secret NAME [key=BASE64]: what it is from now on; name: of the key; length: N
 * letters instead
 */
void
verb_configmap(struct scene *sc, const struct words *s)
{
	int secret = strcmp(words_at(s, 0), "secret") == 0;
	struct object *o = object_of(sc, secret, words_at(s, 1));
	size_t n = (size_t)atoi(words_get(s, "length", "0"));
	AUTO_FREE char *key =
	    xstrdup(words_get(s, "key", secret ? "dmFsdWU=" : "value"));

	if (n > 0) {
		free(key);
		key = xcalloc(n + 1, 1);
		memset(key, 'x', n);
	}
	free(o->text);
	o->gone = strcmp(words_at(s, 2), "gone") == 0;
	o->text =
	    xasprintf("{\"apiVersion\":\"v1\",\"kind\":\"%s\","
		      "\"metadata\":{\"name\":\"%s\",\"namespace\":\"default\","
		      "\"resourceVersion\":\"%llu\"},\"immutable\":%s,"
		      "\"data\":{\"%s\":\"%s\"}}",
		secret ? "Secret" : "ConfigMap", o->name,
		(unsigned long long)++o->rv, words_get(s, "immutable", "false"),
		words_get(s, "name", "key"), key);
}
