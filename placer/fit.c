/* SPDX-License-Identifier: ISC */
/*
 * fit.c: exact arithmetic on room.
 *
 * Owns no state; overflow is not possible below 2^53 bytes and 2^43
 * thousandths, which settings and parsers guarantee.
 */
#include "placer/fit.h"

void
fit_add(struct fit_room *to, const struct fit_room *r)
{
	to->cpu_m += r->cpu_m;
	to->memory += r->memory;
	to->pods += r->pods;
	to->spec += r->spec;
}

void
fit_take(struct fit_room *from, const struct fit_room *r)
{
	from->cpu_m -= r->cpu_m;
	from->memory -= r->memory;
	from->pods -= r->pods;
	from->spec -= r->spec;
}

static int64_t
left(int64_t total, int64_t used)
{
	return used < total ? total - used : 0;
}

struct fit_room
fit_free(const struct fit_room *total, const struct fit_room *used)
{
	return (struct fit_room){
		.cpu_m = left(total->cpu_m, used->cpu_m),
		.memory = left(total->memory, used->memory),
		.pods = (uint32_t)left(total->pods, used->pods),
		.spec = left(total->spec, used->spec),
	};
}

enum fit
fit_check(const struct fit_room *room, const struct fit_room *want)
{
	if (want->cpu_m > room->cpu_m)
		return FIT_CPU;
	if (want->memory > room->memory)
		return FIT_MEMORY;
	if (want->pods > room->pods)
		return FIT_PODS;
	if (want->spec > room->spec)
		return FIT_SPEC;
	return FIT_OK;
}

static int64_t
thousandths(int64_t total, int64_t rest)
{
	return total > 0 ? rest * 1000 / total : 0;
}

/* Rounded up, so that what is missing is never nothing. */
static int64_t
lack(int64_t total, int64_t room, int64_t want)
{
	return want <= room ? 0 : 1 + thousandths(total, want - room);
}

int64_t
fit_lack(const struct fit_room *total, const struct fit_room *room,
    const struct fit_room *want)
{
	return lack(total->cpu_m, room->cpu_m, want->cpu_m) +
	    lack(total->memory, room->memory, want->memory) +
	    lack(total->pods, room->pods, want->pods) +
	    lack(total->spec, room->spec, want->spec);
}

int
fit_tenths(const struct fit_room *total, const struct fit_room *room,
    const struct fit_room *want)
{
	return (
	    int)((thousandths(total->cpu_m, room->cpu_m - want->cpu_m) +
		     thousandths(total->memory, room->memory - want->memory)) /
	    200);
}

static uint64_t
scale(int64_t total)
{
	return total > 0 ? ((uint64_t)1000 << FIT_SHIFT) / (uint64_t)total : 0;
}

struct fit_scale
fit_scale(const struct fit_room *total, const struct fit_room *room)
{
	return (struct fit_scale){
		.cpu = scale(total->cpu_m),
		.memory = scale(total->memory),
		.free = (int32_t)(thousandths(total->cpu_m, room->cpu_m) +
		    thousandths(total->memory, room->memory)),
	};
}

const char *
fit_words(enum fit f)
{
	static const char *const words[] = {
#define X(name, text) text,
		FIT_VERDICTS(X)
#undef X
	};

	return f < FIT_COUNT ? words[f] : "unknown";
}
