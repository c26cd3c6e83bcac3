/* SPDX-License-Identifier: ISC */
/*
 * What https.c makes of compressed answers: in pieces, cut, spoilt, a bomb.
 * The gzip is made here, so that it can be as wrong as it likes.
 */
#include "common/https.h"

#include <criterion/criterion.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/limits.h"
#include "common/scan.h"
#include "t/unit/asker.h"
#include "t/unit/peer.h"

static struct {
	char *p;
	size_t len, size;
	unsigned int bits, nbits; /* that make no byte yet */
} zip;

static void
zip_byte(unsigned int byte)
{
	if (zip.len == zip.size) {
		zip.size = zip.size * 2 + 4096;
		zip.p = realloc(zip.p, zip.size);
		cr_assert_not_null(zip.p);
	}
	zip.p[zip.len++] = (char)byte;
}

/* RFC 1951 3.1.1: from the least bit on; Huffman codes from their first. */
static void
zip_bits(unsigned int value, unsigned int n)
{
	for (; n > 0; n--, value >>= 1) {
		zip.bits |= (value & 1) << zip.nbits;
		if (++zip.nbits < 8)
			continue;
		zip_byte(zip.bits);
		zip.bits = zip.nbits = 0;
	}
}

static void
zip_code(unsigned int code, unsigned int n)
{
	while (n-- > 0)
		zip_bits(code >> n & 1, 1);
}

static void
zip_number(uint32_t v)
{
	int i;

	for (i = 0; i < 4; i++, v >>= 8)
		zip_byte(v & 0xff);
}

static uint32_t
crc_of(const char *p, size_t len)
{
	uint32_t crc = UINT32_MAX;
	int i;

	for (; len > 0; len--) {
		crc ^= (unsigned char)*p++;
		for (i = 0; i < 8; i++)
			crc = crc >> 1 ^ (crc & 1 ? 0xedb88320U : 0);
	}
	return ~crc;
}

/* RFC 1952: no name, no time. */
static void
zip_begin(void)
{
	static const unsigned char head[10] = { 0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0,
		255 };
	size_t i;

	zip.len = 0;
	zip.bits = zip.nbits = 0;
	for (i = 0; i < sizeof(head); i++)
		zip_byte(head[i]);
}

/* Blocks that are stored, not compressed: 65535 bytes at most each. */
static void
zip_stored(const char *p, size_t len)
{
	size_t n, i, at;

	zip_begin();
	for (at = 0; at < len; at += n) {
		n = len - at < 0xffff ? len - at : 0xffff;
		zip_byte(at + n == len);
		zip_byte(n & 0xff);
		zip_byte((unsigned int)n >> 8);
		zip_byte(~n & 0xff);
		zip_byte(~(unsigned int)n >> 8 & 0xff);
		for (i = 0; i < n; i++)
			zip_byte((unsigned char)p[at + i]);
	}
	zip_number(crc_of(p, len));
	zip_number((uint32_t)len);
}

/* So many bytes, all the same: 258 are 13 bits. */
static void
zip_bomb(size_t bytes)
{
	zip_begin();
	zip_bits(3, 3);		 /* the last block, fixed codes */
	zip_code(0x30 + 'a', 8); /* a literal */
	for (; bytes > 258; bytes -= 258) {
		zip_code(0xc5, 8); /* length 258 ... */
		zip_code(0, 5);	   /* ... from 1 before */
	}
	zip_code(0, 7);
	zip_bits(0, 7);
}

/* What was zipped, as an answer; less so many bytes of it. */
static void
serve_zip(const char *headers, size_t less)
{
	static char *answer;
	size_t len = strlen(headers);

	free(answer);
	answer = malloc(len + zip.len);
	cr_assert_not_null(answer);
	memcpy(answer, headers, len);
	memcpy(answer + len, zip.p, zip.len);
	asker_serve(NULL, answer);
	server.answer_len = len + zip.len - less;
}

enum {
	ZIPPED = 50000,
};

static const char *
some_text(void)
{
	static char text[ZIPPED + 1];
	size_t i;

	for (i = 0; i < ZIPPED; i++)
		text[i] = (char)('a' + i * i % 25);
	return text;
}

#define GZIP "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n"

/* A server compresses what is over 128 KiB (K.21): lists, and a stream. */
Test(gzip, it_is_read_in_whatever_pieces)
{
	static const size_t pieces[] = { 0, 1000, 7 };
	const char *text = some_text();
	struct https *h;
	size_t i;

	zip_stored(text, ZIPPED);
	for (i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
		serve_zip(GZIP "Connection: close\r\n\r\n", 0);
		server.piece = pieces[i];
		server.close_after = 1;
		h = asker_client(&(struct https_conf){ 0 });
		asker_ask(h, (struct https_req){ .data = asker_data });
		asker_run();
		cr_expect_eq(heard.answer.why.kind, ERR_NONE, "%s",
		    heard.answer.why.text);
		cr_expect_eq(heard.stream_len, ZIPPED);
		cr_expect_eq(memcmp(heard.stream, text, ZIPPED), 0);
		https_free(h);
		asker_stop();
	}
	zip_stored("{\"a\":1}", 7);
	serve_zip(GZIP "Content-Length: 30\r\n\r\n", 0);
	cr_assert_eq(zip.len, 30);
	h = asker_client(&(struct https_conf){ 0 });
	asker_ask(h, (struct https_req){ 0 });
	asker_run();
	cr_expect_str_eq(heard.body, "{\"a\":1}");
	https_free(h);
	asker_stop();
}

/*
 * Cut by the network, or spoilt: no answer.  Cut by whoever compressed it,
 * libcurl may not notice; then what is there is no JSON.
 */
Test(gzip, one_that_ends_in_the_middle_is_no_whole_one)
{
	static const struct {
		const char *headers;
		size_t less;
		size_t spoilt;	     /* this byte from the end on */
		unsigned int status; /* or 0 */
	} cuts[] = {
		{ GZIP "Content-Length: 30\r\n\r\n", 10, 0, 0 },
		{ GZIP "Content-Length: 30\r\n\r\n", 0, 10, 0 },
		{ GZIP "Content-Length: 30\r\n\r\n", 0, 29, 0 },
		{ GZIP "Content-Length: 20\r\n\r\n", 10, 0, 200 },
		{ GZIP "Connection: close\r\n\r\n", 10, 0, 200 },
	};
	static const char text[] = "{\"a\":1}";
	struct https *h;
	size_t i, len;
	int stream;

	for (i = 0; i < 2 * sizeof(cuts) / sizeof(cuts[0]); i++) {
		stream = i % 2 != 0;
		zip_stored(text, strlen(text));
		if (cuts[i / 2].spoilt != 0)
			zip.p[zip.len - cuts[i / 2].spoilt] ^= 1;
		serve_zip(cuts[i / 2].headers, cuts[i / 2].less);
		server.close_after = 1;
		h = asker_client(&(struct https_conf){ 0 });
		asker_ask(h,
		    (struct https_req){ .data = stream ? asker_data : NULL });
		asker_run();
		cr_expect_leq(heard.answer.status, cuts[i / 2].status, "%zu",
		    i);
		cr_expect_eq(heard.answer.why.kind == ERR_NONE,
		    heard.answer.status == 200, "%zu", i);
		len = stream ? heard.stream_len : strlen(heard.body);
		if (heard.answer.status == 200) {
			cr_expect_lt(len, strlen(text), "%zu", i);
			cr_expect_eq(memcmp(stream ? heard.stream : heard.body,
					 text, len),
			    0, "%zu", i);
			cr_expect(!scan_is_valid((struct span){
				      stream ? heard.stream : heard.body,
				      len }),
			    "%zu", i);
		}
		https_free(h);
		asker_stop();
	}
}

/* 52 KiB that would be 8 MiB and more. */
Test(gzip, a_bomb_is_a_limit)
{
	struct https *h;

	zip_bomb(MAX_ITEM + 1000);
	cr_assert_lt(zip.len, 100000);
	serve_zip(GZIP "Connection: close\r\n\r\n", 0);
	server.close_after = 1;
	h = asker_client(&(struct https_conf){ 0 });
	asker_ask(h, (struct https_req){ 0 });
	asker_run();
	cr_expect_eq(heard.answer.why.kind, ERR_LIMIT, "%s",
	    heard.answer.why.text);
	cr_expect_eq(heard.answer.body.len, 0);
	https_free(h);
	asker_stop();
}
