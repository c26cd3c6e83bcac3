/* SPDX-License-Identifier: ISC */
/*
 * https_answer.c: what came of a call, as its caller reads it.
 *
 * Owns the meaning of a status and of a failure of the network.  Never
 * repeats a request, never logs a body or a header but the request's id.
 */
#include "common/https_own.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/log.h"
#include "common/mono.h"
#include "common/retry.h"

enum {
	AGE_STEP_MS = 1000, /* curl counts a connection's age in seconds */
	LEAST_MS = 1000,    /* so long a name server may take */
};

static const char hidden[] = "[token]";

/* The token of a request, without the words before it. */
static struct span
token_of(const struct https_call *c)
{
	const struct secret *x =
	    c->token != NULL ? c->token : c->h->authorization;
	struct span line;

	if (x == NULL)
		return (struct span){ NULL, 0 };
	line = secret_bytes(x);
	return (struct span){ line.p + HTTPS_BEARER_LEN,
		line.len - HTTPS_BEARER_LEN };
}

/*
 * A server, or who is before it, may say a request back in its error, which
 * goes from here to logs, Events and statuses.  Returns what is left of len.
 */
static size_t
hide_token(const struct https_call *c, char *text, size_t len)
{
	struct span token = token_of(c);
	size_t word = sizeof(hidden) - 1, rest;
	char *at = text;

	/* A shorter one is no secret, and could be any word. */
	if (token.len <= word)
		return len;
	while ((at = memmem(at, (size_t)(text + len - at), token.p,
		    token.len)) != NULL) {
		rest = (size_t)(text + len - at) - token.len;
		memcpy(at, hidden, word);
		at += word;
		memmove(at, at + token.len - word, rest);
		explicit_bzero(at + rest, token.len - word);
		len -= token.len - word;
	}
	return len;
}

enum why_kind
https_kind(unsigned int status)
{
	if (status >= 200 && status < 300)
		return ERR_NONE;
	if (status >= 500)
		return ERR_AGAIN;
	switch (status) {
	case 401:
		return ERR_AUTH;
	case 403:
		return ERR_DENIED;
	case 404:
	case 410:
		return ERR_GONE;
	case 409:
	case 412:
		return ERR_CONFLICT;
	case 408:
	case 425:
	case 429:
		return ERR_AGAIN;
	case 413:
	case 414:
	case 431:
		return ERR_LIMIT;
	default:
		return ERR_FORMAT;
	}
}

static enum why_kind
kind_of_failure(CURLcode code)
{
	/* curl has a hundred codes; all but these are the network's. */
	if (code == CURLE_PEER_FAILED_VERIFICATION ||
	    code == CURLE_SSL_CERTPROBLEM || code == CURLE_SSL_CACERT_BADFILE ||
	    code == CURLE_SSL_ISSUER_ERROR)
		return ERR_AUTH;
	if (code == CURLE_OUT_OF_MEMORY || code == CURLE_FAILED_INIT)
		return ERR_SYSTEM;
	if (code == CURLE_FILESIZE_EXCEEDED)
		return ERR_LIMIT;
	return ERR_AGAIN;
}

static enum https_cause
cause_of_failure(CURLcode code)
{
	static const struct {
		CURLcode code;
		enum https_cause cause;
	} causes[] = {
		{ CURLE_COULDNT_RESOLVE_HOST, HTTPS_NO_NAME },
		{ CURLE_COULDNT_RESOLVE_PROXY, HTTPS_NO_NAME },
		{ CURLE_COULDNT_CONNECT, HTTPS_REFUSED },
		{ CURLE_OPERATION_TIMEDOUT, HTTPS_TIMED_OUT },
		{ CURLE_PEER_FAILED_VERIFICATION, HTTPS_UNVERIFIED },
		{ CURLE_SSL_CACERT_BADFILE, HTTPS_UNVERIFIED },
		{ CURLE_SSL_ISSUER_ERROR, HTTPS_UNVERIFIED },
	};
	size_t i;

	for (i = 0; i < sizeof(causes) / sizeof(causes[0]); i++)
		if (causes[i].code == code)
			return causes[i].cause;
	return HTTPS_OTHER;
}

/* A number in a header, -1: absent or no number. */
static int64_t
header_number(struct https_call *c, const char *name)
{
	struct curl_header *header;
	char *end;
	long long n;

	if (curl_easy_header(c->easy, name, 0, CURLH_HEADER, -1, &header) !=
	    CURLHE_OK)
		return -1;
	errno = 0;
	n = strtoll(header->value, &end, 10);
	if (errno != 0 || end == header->value || *end != '\0' || n < 0 ||
	    n > INT32_MAX)
		return -1;
	return n;
}

static int64_t
date_ms(struct https_call *c)
{
	struct curl_header *header;
	time_t when;

	if (curl_easy_header(c->easy, "Date", 0, CURLH_HEADER, -1, &header) !=
		CURLHE_OK ||
	    (when = curl_getdate(header->value, NULL)) == -1)
		return 0;
	return (int64_t)when * 1000;
}

/*
 * A date counts from the server's own, whose clock need not be ours.  Nobody
 * means more than an hour: that is as good as nothing.
 */
static int64_t
retry_after_ms(struct https_call *c)
{
	struct curl_header *header;
	int64_t ms, now = date_ms(c);
	time_t when;

	if ((ms = header_number(c, "Retry-After")) >= 0)
		ms *= 1000;
	else if (curl_easy_header(c->easy, "Retry-After", 0, CURLH_HEADER, -1,
		     &header) != CURLHE_OK ||
	    header->value[0] == '-' || /* which is a date to libcurl */
	    (when = curl_getdate(header->value, NULL)) == -1)
		return -1;
	else
		ms = (int64_t)when * 1000 -
		    (now != 0 ? now : now_read().wall_ms);
	if (ms > RETRY_AFTER_MAX_MS)
		return -1;
	return ms < 0 ? 0 : ms;
}

static const char *
request_id(struct https_call *c)
{
	struct span token = token_of(c);
	struct curl_header *header;

	if (curl_easy_header(c->easy, "Audit-Id", 0, CURLH_HEADER, -1,
		&header) == CURLHE_OK ||
	    curl_easy_header(c->easy, "X-Request-Id", 0, CURLH_HEADER, -1,
		&header) == CURLHE_OK)
		return token.len > 0 && strstr(header->value, token.p) != NULL ?
		    hidden :
		    header->value;
	return "-";
}

/*
 * One that we wanted says nothing of the server, nor does one when none since
 * then is sure to be young enough.
 */
static int
none_could_be_used(struct https_call *c, long connects)
{
	struct https *h = c->h;
	int64_t before = h->connected_ms;

	if (connects == 0)
		return 0;
	h->connected_ms = now_read().boot_ms;
	return !c->fresh &&
	    (h->forgot_ms == 0 || before >= h->forgot_ms + AGE_STEP_MS);
}

/* libcurl does not say whose name it is; little time tells nothing of it. */
static int
is_without_address(const struct https_call *c, CURLcode code, int64_t took_ms)
{
	static const char said[] = "Resolving timed out";

	return code == CURLE_OPERATION_TIMEDOUT && c->why.kind == ERR_NONE &&
	    took_ms >= LEAST_MS &&
	    strncmp(c->detail, said, sizeof(said) - 1) == 0;
}

static void
answer_fill(struct https_call *c, CURLcode code, struct https_answer *a)
{
	long status = 0, sent = 0, connects = 0, os_error = 0;
	int64_t took_ms = now_read().boot_ms - c->began_ms;

	*a = (struct https_answer){ .asked = c->method_path,
		.retry_after_ms = -1,
		.limit_reset_s = -1,
		.limit_remaining = -1 };
	curl_easy_getinfo(c->easy, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_getinfo(c->easy, CURLINFO_NUM_CONNECTS, &connects);
	a->new_connection = none_could_be_used(c, connects);
	if (code == CURLE_OK && status >= 200) {
		a->status = (unsigned int)status;
		a->retry_after_ms = retry_after_ms(c);
		a->limit_reset_s = header_number(c, "X-Ratelimit-Reset");
		a->limit_remaining = header_number(c, "X-Ratelimit-Remaining");
		a->date_ms = date_ms(c);
		if (https_kind(a->status) != ERR_NONE && c->body != NULL)
			c->body_len = hide_token(c, c->body, c->body_len);
		a->body = (struct span){ c->body == NULL ? "" : c->body,
			c->body_len };
		if (https_kind(a->status) != ERR_NONE)
			fail_code(&a->why, https_kind(a->status), a->status,
			    "%s: %u", c->method_path, a->status);
		return;
	}
	/* The file may hold another CA by now. */
	if (code == CURLE_PEER_FAILED_VERIFICATION)
		c->h->ca_since_ms = now_read().boot_ms;
	curl_easy_getinfo(c->easy, CURLINFO_REQUEST_SIZE, &sent);
	a->cause = cause_of_failure(code);
	if (is_without_address(c, code, took_ms)) {
		a->cause = HTTPS_NO_NAME;
		fail(&c->why, ERR_AGAIN,
		    "%s: no name server told within %lld s "
		    "where %s is",
		    c->method_path, (long long)(took_ms / 1000),
		    c->h->proxy != NULL ? "the proxy" : c->h->host);
	}
	curl_easy_getinfo(c->easy, CURLINFO_OS_ERRNO, &os_error);
	a->os_error = (int)os_error;
	a->silent = c->silent;
	a->maybe_done = c->req.method != HTTPS_GET && sent > 0;
	if (c->why.kind != ERR_NONE)
		a->why = c->why;
	else
		fail(&a->why, kind_of_failure(code), "%s: %s", c->method_path,
		    c->detail[0] != '\0' ? c->detail :
					   curl_easy_strerror(code));
}

void
https_call_end(struct https_call *c, CURLcode code)
{
	struct https *h = c->h;
	struct https_answer a;

	answer_fill(c, code, &a);
	if (log_debugging())
		log_debug("%s status=%u ms=%lld bytes=%zu id=%s%s%s",
		    c->method_path, a.status,
		    (long long)(now_read().boot_ms - c->sent_ms), c->bytes,
		    request_id(c), a.status == 0 ? " error=" : "",
		    a.status == 0 ? a.why.text : "");
	https_take_out(c);
	if (!c->dead && !h->doomed && c->req.done != NULL)
		c->req.done(&a, c->req.arg);
	https_call_free(c);
}
