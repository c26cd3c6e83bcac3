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
	fputs(m->name, m->f);
	fputs(suffix, m->f);
	m->labels = 0;
}

/* Backslash, quote and newline are escaped. */
void
metric_label(struct metric *m, const char *name, const char *value)
{
	if (*value == '\0')
		return;
	fputc(m->labels++ == 0 ? '{' : ',', m->f);
	fputs(name, m->f);
	fputs("=\"", m->f);
	for (; *value != '\0'; value++) {
		if (*value == '\\' || *value == '"')
			fputc('\\', m->f);
		if (*value == '\n')
			fputs("\\n", m->f);
		else
			fputc(*value, m->f);
	}
	fputc('"', m->f);
}

static void
end_labels(struct metric *m)
{
	if (m->labels > 0)
		fputc('}', m->f);
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

	if ((m.f = open_memstream(&text, &len)) == NULL)
		abort();
	for (i = 0; i < sizeof(metrics) / sizeof(metrics[0]); i++) {
		m.name = metrics[i].name;
		fprintf(m.f, "# HELP %s %s\n# TYPE %s %s\n", m.name,
		    metrics[i].help, m.name, metrics[i].type);
		metrics[i].write(&m);
	}
	if (fclose(m.f) != 0)
		abort();
	return text;
}
