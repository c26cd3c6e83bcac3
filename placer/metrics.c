/* SPDX-License-Identifier: ISC */
/*
 * metrics.c: the text format of Prometheus.
 *
 * Owns how a sample is written; metrics.def has the names, metrics_*.c the
 * values.  Pure.
 */
#include "placer/metrics.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/xmem.h"
#include "placer/metrics_own.h"

static const struct {
	const char *name;
	const char *type;
	const char *help;
	void (*write)(struct metric *);
} metrics[] = {
#define METRIC(name, type, labels, writer, help) \
	{ #name, #type, help, write_##writer },
#include "placer/metrics.def"
#undef METRIC
};

void
metric_sample(struct metric *m, const char *suffix)
{
	(void)fputs_unlocked(m->name, m->f);
	(void)fputs_unlocked(suffix, m->f);
	m->labels = 0;
}

/* Backslash, quote and newline are escaped. */
static void
put_value(FILE *f, const char *value)
{
	size_t plain;

	for (;; value++) {
		plain = strcspn(value, "\\\"\n");
		(void)fwrite_unlocked(value, 1, plain, f);
		value += plain;
		if (*value == '\0')
			return;
		putc_unlocked('\\', f);
		putc_unlocked(*value == '\n' ? 'n' : *value, f);
	}
}

void
metric_label(struct metric *m, const char *name, const char *value)
{
	if (*value == '\0')
		return;
	putc_unlocked(m->labels++ == 0 ? '{' : ',', m->f);
	(void)fputs_unlocked(name, m->f);
	(void)fputs_unlocked("=\"", m->f);
	put_value(m->f, value);
	putc_unlocked('"', m->f);
}

static void
end_labels(struct metric *m)
{
	if (m->labels > 0)
		putc_unlocked('}', m->f);
}

void
metric_count(struct metric *m, uint64_t n)
{
	end_labels(m);
	fprintf(m->f, " %" PRIu64 "\n", n);
}

void
metric_us(struct metric *m, int64_t us)
{
	end_labels(m);
	if (us < 0)
		us = 0;
	fprintf(m->f, " %" PRId64 ".%06d\n", us / 1000000, (int)(us % 1000000));
}

void
metric_fleet(struct metric *m, const struct wnode *n, uint64_t value)
{
	metric_sample(m, "");
	metric_label(m, "fleet", n->fleet);
	metric_count(m, value);
}

void
metric_fleet_ms(struct metric *m, const struct wnode *n, int64_t ms)
{
	metric_sample(m, "");
	metric_label(m, "fleet", n->fleet);
	metric_us(m, ms * 1000);
}

void
metric_alone(struct metric *m, uint64_t value)
{
	metric_sample(m, "");
	metric_count(m, value);
}

char *
metrics_text(const struct world *w, const struct scrape *s)
{
	struct metric m = { .w = w, .scrape = s };
	char *text = NULL;
	size_t i, len;

	m.f = xmemstream(&text, &len);
	for (i = 0; i < sizeof(metrics) / sizeof(metrics[0]); i++) {
		m.name = metrics[i].name;
		fprintf(m.f, "# HELP %s %s\n# TYPE %s %s\n", m.name,
		    metrics[i].help, m.name, metrics[i].type);
		metrics[i].write(&m);
	}
	xmemstream_end(m.f, &text);
	return text;
}
