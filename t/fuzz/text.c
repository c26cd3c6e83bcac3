/* SPDX-License-Identifier: ISC */
/*
 * The small forms: what is read is within its bounds, and what is written of
 * it reads back as the same.
 */
#include <stdint.h>
#include <stdio.h>

#include "common/auto.h"
#include "common/base64.h"
#include "common/duration.h"
#include "common/form.h"
#include "common/limits.h"
#include "common/quantity.h"
#include "common/stamp.h"
#include "common/utf8.h"
#include "common/xmem.h"
#include "t/fuzz/target.h"
#include "t/sim/base64.h"

/* As a C string, of what is before a NUL. */
static char *
text_of(struct span input)
{
	return xstrndup(input.p, input.len);
}

/* The same amount, each rounded up, away from zero. */
static void
fuzz_quantity(struct span input)
{
	int64_t milli, value;

	if (quantity_milli(input, &milli) == 0 &&
	    quantity_value(input, &value) == 0)
		must(value ==
		    milli / 1000 + (milli % 1000 > 0) - (milli % 1000 < 0));
}

static void
fuzz_duration(struct span input)
{
	AUTO_FREE char *text = text_of(input);
	char again[DURATION_TEXT];
	int64_t ns, ms, same;

	if (duration_ms(text, &ms) == -1)
		return;
	must(duration_ns(text, &ns) == 0 && ns / 1000000 == ms);
	if (ms < 0)
		return;
	duration_text(ms, again);
	must(duration_ms(again, &same) == 0 && same == ms);
}

static void
fuzz_stamp(struct span input)
{
	AUTO_FREE char *text = text_of(input);
	int64_t ms = stamp_parse(text);
	char again[STAMP_SIZE];

	must(ms >= -1);
	if (ms == -1)
		return;
	stamp_format(ms, again);
	must(stamp_parse(again) == ms - ms % 1000);
	stamp_format_micro(ms * 1000, again);
	must(stamp_parse(again) == ms);
}

static void
fuzz_base64(struct span input)
{
	AUTO_FREE char *text = text_of(input), *plain = NULL, *bytes = NULL;
	AUTO_FREE char *again = NULL;
	size_t len, same;

	if ((bytes = base64_decode(text, &len)) == NULL)
		return;
	(void)base64_is_text(bytes, len);
	/* Not the same text: bits that no byte has may be anything. */
	plain = base64(bytes, len);
	must((again = base64_decode(plain, &same)) != NULL && same == len &&
	    memcmp(again, bytes, len) == 0 && bytes[len] == '\0');
}

/* Of characters only and, if asked, none that steers a terminal. */
static void
is_text(const char *text, int shown)
{
	const unsigned char *s = (const unsigned char *)text;
	size_t len;

	for (; *s != '\0'; s += len) {
		len = utf8_len(s);
		must(len > 0 && !(shown && utf8_is_control(s)));
	}
}

static void
fuzz_utf8(struct span input)
{
	AUTO_FREE char *text = text_of(input), *shown = utf8_shown(text);
	AUTO_FREE char *message = NULL;
	size_t max = 3 + input.len % 32;
	char cut[40];

	is_text(shown, 1);
	message = utf8_message(text, max);
	must(strlen(message) <= max);
	is_text(message, 1);
	(void)snprintf(cut, 8 + input.len % 32, "%s", text);
	utf8_mend(cut);
	utf8_end(cut, 8 + input.len % 32);
	is_text(cut, 0);
	utf8_plain(text);
	utf8_mend(text);
	is_text(text, 1);
}

/* What has the narrower form has the wider one. */
static void
fuzz_form(struct span input)
{
	struct span rest = input, word;
	char host[FORM_HOST];
	uint16_t port;
	size_t words;

	must(!form_is_dns_label(input) ||
	    (form_is_subdomain(input) && form_is_label_value(input)));
	must(!form_is_subdomain(input) || form_is_printable(input));
	must(!form_is_url(input) || form_is_printable(input));
	must(!form_is_label_value(input) || input.len <= 63);
	(void)form_is_label_key(input);
	(void)form_is_user(input);
	must(form_is_listen(input) == (form_listen(input, host, &port) == 0));
	for (words = 0; form_next_word(&rest, &word); words++)
		must(memchr(word.p, ',', word.len) == NULL);
	must(words <= input.len + 1);
}

TARGET(quantity, fuzz_quantity);
TARGET(duration, fuzz_duration);
TARGET(stamp, fuzz_stamp);
TARGET(base64, fuzz_base64);
TARGET(utf8, fuzz_utf8);
TARGET(form, fuzz_form);
