/* SPDX-License-Identifier: ISC */
/*
 * disk_image.c: the files that a power cut leaves.
 *
 * Owns which of the writes that nobody synced are there.  A write that is
 * there is whole in each of its sectors, or noise.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/auto.h"
#include "common/xmem.h"
#include "t/scene/disk_own.h"

enum {
	SECTOR = 512,
};

struct bytes {
	unsigned char *p;
	size_t len, cap;
	int exists;
};

/* A file: what is on the disk, and the records that are not. */
struct held {
	struct bytes durable;
	size_t *pend;
	size_t n;
};

static struct {
	size_t at; /* records taken in */
	struct held *files;
	size_t nfiles;
} walk;

static uint64_t state;

/* splitmix64 */
static uint64_t
draw(uint64_t n)
{
	uint64_t z = state += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return ((z ^ z >> 31) >> 17) % n;
}

/* -- one file's bytes -- */

static void
resize(struct bytes *b, size_t len)
{
	if (len > b->cap) {
		b->cap = len + len / 2;
		b->p = xreallocarray(b->p, b->cap, 1);
	}
	if (len > b->len)
		memset(b->p + b->len, 0, len - b->len);
	b->len = len;
}

/* Of a write, the bytes from and to these. */
static void
lay(struct bytes *b, const struct disk_op *op, size_t from, size_t to)
{
	size_t off = (size_t)op->off;

	b->exists = 1;
	if (off + to > b->len)
		resize(b, off + to);
	memcpy(b->p + off + from, op->data + from, to - from);
}

static void
apply(struct bytes *b, const struct disk_op *op)
{
	switch (op->kind) {
	case DISK_FOUND:
		resize(b, 0);
		lay(b, op, 0, op->len);
		break;
	case DISK_MADE:
		resize(b, 0);
		b->exists = 1;
		break;
	case DISK_GONE:
		resize(b, 0);
		b->exists = 0;
		break;
	case DISK_WRITE:
		lay(b, op, 0, op->len);
		break;
	case DISK_TRUNCATE:
		resize(b, (size_t)op->off);
		b->exists = 1;
		break;
	case DISK_SYNC:
	case DISK_UNSYNCED:
		break;
	}
}

/* -- up to where power went -- */

static void
settle(struct held *h)
{
	size_t i;

	for (i = 0; i < h->n; i++)
		apply(&h->durable, &disk.ops[h->pend[i]]);
	h->n = 0;
}

static void
step(size_t at)
{
	const struct disk_op *op = &disk.ops[at];
	struct held *h;

	if (op->file >= walk.nfiles) {
		walk.files = xreallocarray(walk.files, op->file + 1,
		    sizeof(*walk.files));
		memset(&walk.files[walk.nfiles], 0,
		    (op->file + 1 - walk.nfiles) * sizeof(*walk.files));
		walk.nfiles = op->file + 1;
	}
	h = &walk.files[op->file];
	if (op->kind == DISK_SYNC || op->kind == DISK_FOUND) {
		settle(h);
		apply(&h->durable, op);
		return;
	}
	if (op->kind == DISK_UNSYNCED) {
		h->n = 0;
		return;
	}
	h->pend = xreallocarray(h->pend, h->n + 1, sizeof(*h->pend));
	h->pend[h->n++] = at;
}

void
disk_walk_forget(void)
{
	while (walk.nfiles > 0) {
		walk.nfiles--;
		free(walk.files[walk.nfiles].durable.p);
		free(walk.files[walk.nfiles].pend);
	}
	walk.at = 0;
}

static void
walk_to(size_t at)
{
	if (at < walk.at)
		disk_walk_forget();
	while (walk.at < at)
		step(walk.at++);
}

int
disk_is_synced(size_t at)
{
	size_t i;

	walk_to(at);
	for (i = 0; i < walk.nfiles; i++)
		if (walk.files[i].n > 0)
			return 0;
	return 1;
}

/* -- what is left -- */

const char *
disk_loss_name(enum disk_loss loss)
{
	static const char *const names[DISK_LOSSES] = { "kept", "lost", "torn",
		"last alone", "without the first", "any sectors",
		"a sector of noise", "zeros" };

	return names[loss];
}

static int
is_there(enum disk_loss loss, size_t i, size_t n)
{
	if (loss == DISK_LOST)
		return 0;
	if (loss == DISK_LAST)
		return i + 1 == n;
	if (loss == DISK_HOLE)
		return i > 0;
	return 1;
}

/* A write whose sectors are there or not; noise: one is neither. */
static void
scatter(struct bytes *b, const struct disk_op *op, int noise)
{
	size_t off = (size_t)op->off, from, to, i;
	size_t trash = noise ? draw(op->len / SECTOR + 1) : SIZE_MAX;

	for (from = i = 0; from < op->len; from = to, i++) {
		to = (off + from) / SECTOR * SECTOR + SECTOR - off;
		if (to > op->len)
			to = op->len;
		if (i != trash && draw(2) == 0)
			continue;
		lay(b, op, from, to);
		for (; i == trash && from < to; from++)
			b->p[off + from] = (unsigned char)draw(256);
	}
}

/* Half of it, in whole sectors where it has more than one. */
static void
tear(struct bytes *b, const struct disk_op *op)
{
	size_t half = op->len / 2;

	lay(b, op, 0, half > SECTOR ? half / SECTOR * SECTOR : half);
}

static void
lengthen(struct bytes *b, const struct disk_op *op)
{
	size_t end = (size_t)op->off + op->len;

	b->exists = 1;
	if (end > b->len)
		resize(b, end);
}

static void
leave(struct bytes *b, const struct held *h, enum disk_loss loss)
{
	size_t i, trash = h->n > 0 ? draw(h->n) : 0;
	const struct disk_op *op;

	for (i = 0; i < h->n; i++) {
		op = &disk.ops[h->pend[i]];
		if (!is_there(loss, i, h->n))
			continue;
		if (loss < DISK_SECTORS && loss != DISK_TORN)
			apply(b, op);
		else if (op->kind != DISK_WRITE) {
			if (loss == DISK_TORN || draw(2) == 0)
				apply(b, op);
		} else if (loss == DISK_TORN && h->pend[i] + 1 == walk.at)
			tear(b, op);
		else if (loss == DISK_TORN || (loss == DISK_ZEROS && draw(2)))
			apply(b, op);
		else if (loss == DISK_ZEROS)
			lengthen(b, op);
		else
			scatter(b, op, loss == DISK_TRASH && i == trash);
	}
}

static void
write_file(const char *path, const struct bytes *b)
{
	AUTO_FD int fd = -1;

	if (!b->exists) {
		(void)unlink(path);
		return;
	}
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd == -1 || write(fd, b->p, b->len) != (ssize_t)b->len)
		abort();
}

static char *
place_of(const char *path, const char *to)
{
	return to == NULL ? xstrdup(path) :
			    xasprintf("%s/%s", to, strrchr(path, '/') + 1);
}

void
disk_image(size_t at, enum disk_loss loss, uint64_t seed, const char *to)
{
	struct bytes b = { NULL, 0, 0, 0 };
	const struct held *h;
	size_t i;

	state = seed;
	walk_to(at);
	for (i = 0; i < disk.nfiles; i++) {
		AUTO_FREE char *path = place_of(disk.files[i].path, to);

		b.exists = 0;
		resize(&b, 0);
		if (i < walk.nfiles) {
			h = &walk.files[i];
			b.exists = h->durable.exists;
			resize(&b, h->durable.len);
			if (b.len > 0)
				memcpy(b.p, h->durable.p, b.len);
			leave(&b, h, loss);
		}
		write_file(path, &b);
	}
	free(b.p);
	if (to == NULL)
		disk_light();
}
