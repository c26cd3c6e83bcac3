/* SPDX-License-Identifier: ISC */
/*
 * cert.c: keys, certificates and requests for simulators, through libcrypto.
 *
 * Owns no state beyond a CA's key in memory.  Serial numbers are random;
 * validity is two days back (tests set clocks) to ten years on.
 */

#include "t/sim/cert.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include "common/auto.h"
#include "common/why.h"
#include "common/xmem.h"

enum {
	CERT_BACK = -2 * 86400,
	CERT_DAYS = 3650,
};

struct cert_ca {
	EVP_PKEY *key;
	X509 *cert;
};

static int
ssl_fail(struct why *why, const char *what)
{
	char text[200];

	ERR_error_string_n(ERR_get_error(), text, sizeof(text));
	return fail(why, ERR_SYSTEM, "%s: %s", what, text);
}

static int
add_ext(X509 *cert, X509 *issuer, int nid, const char *value)
{
	X509V3_CTX ctx;
	X509_EXTENSION *ext;
	int ok;

	X509V3_set_ctx(&ctx, issuer, cert, NULL, NULL, 0);
	ext = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
	ok = ext != NULL && X509_add_ext(cert, ext, -1) == 1;
	X509_EXTENSION_free(ext);
	return ok;
}

static X509_NAME *
name_new(const char *cn, const char *org)
{
	X509_NAME *name = X509_NAME_new();

	if (org != NULL)
		X509_NAME_add_entry_by_txt(name, "O", MBSTRING_UTF8,
		    (const unsigned char *)org, -1, -1, 0);
	X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8,
	    (const unsigned char *)cn, -1, -1, 0);
	return name;
}

/* A certificate without extensions or signature. */
static X509 *
cert_begin(X509_NAME *subject, EVP_PKEY *key, int days)
{
	X509 *cert = X509_new();
	unsigned char serial[16];
	BIGNUM *bn;

	RAND_bytes(serial, sizeof(serial));
	serial[0] &= 0x7f;
	bn = BN_bin2bn(serial, sizeof(serial), NULL);
	BN_to_ASN1_INTEGER(bn, X509_get_serialNumber(cert));
	BN_free(bn);
	X509_set_version(cert, 2);
	X509_gmtime_adj(X509_getm_notBefore(cert), CERT_BACK);
	X509_time_adj_ex(X509_getm_notAfter(cert), days, 0, NULL);
	X509_set_subject_name(cert, subject);
	X509_set_pubkey(cert, key);
	return cert;
}

static int
cert_end(struct cert_ca *ca, X509 *cert, const char *usage, const char *san)
{
	X509_set_issuer_name(cert, X509_get_subject_name(ca->cert));
	return add_ext(cert, ca->cert, NID_basic_constraints,
		   "critical,CA:FALSE") &&
	    add_ext(cert, ca->cert, NID_key_usage,
		"critical,digitalSignature") &&
	    add_ext(cert, ca->cert, NID_ext_key_usage, usage) &&
	    add_ext(cert, ca->cert, NID_authority_key_identifier, "keyid") &&
	    (san == NULL ||
		add_ext(cert, ca->cert, NID_subject_alt_name, san)) &&
	    X509_sign(cert, ca->key, EVP_sha256()) > 0;
}

static FILE *
create(const char *dir, const char *name, const char *end, struct why *why)
{
	AUTO_FREE char *path = xasprintf("%s/%s%s", dir, name, end);
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	FILE *fp = fd != -1 ? fdopen(fd, "w") : NULL;

	if (fp == NULL)
		fail_code(why, ERR_SYSTEM, (uint32_t)errno, "%s: %s", path,
		    strerror(errno));
	return fp;
}

static int
write_key(const char *dir, const char *name, EVP_PKEY *key, struct why *why)
{
	FILE *fp = create(dir, name, ".key", why);
	int ok;

	if (fp == NULL)
		return -1;
	ok = PEM_write_PrivateKey(fp, key, NULL, NULL, 0, NULL, NULL) == 1;
	ok = fclose(fp) == 0 && ok;
	return ok ? 0 : ssl_fail(why, name);
}

static int
write_cert(const char *dir, const char *name, X509 *cert, struct why *why)
{
	FILE *fp = create(dir, name, ".crt", why);
	int ok;

	if (fp == NULL)
		return -1;
	ok = PEM_write_X509(fp, cert) == 1;
	ok = fclose(fp) == 0 && ok;
	return ok ? 0 : ssl_fail(why, name);
}

static int
ca_read(struct cert_ca *ca, const char *dir, const char *name)
{
	AUTO_FREE char *crt = xasprintf("%s/%s.crt", dir, name);
	AUTO_FREE char *key = xasprintf("%s/%s.key", dir, name);
	FILE *fc = fopen(crt, "re"), *fk = fopen(key, "re");

	if (fc != NULL && fk != NULL) {
		ca->cert = PEM_read_X509(fc, NULL, NULL, NULL);
		ca->key = PEM_read_PrivateKey(fk, NULL, NULL, NULL);
	}
	if (fc != NULL)
		fclose(fc);
	if (fk != NULL)
		fclose(fk);
	return ca->cert != NULL && ca->key != NULL;
}

static int
ca_make(struct cert_ca *ca, const char *dir, const char *name, struct why *why)
{
	X509_NAME *subject = name_new(name, NULL);

	ca->key = EVP_EC_gen("P-256");
	ca->cert = cert_begin(subject, ca->key, CERT_DAYS);
	X509_set_issuer_name(ca->cert, subject);
	X509_NAME_free(subject);
	if (!add_ext(ca->cert, ca->cert, NID_basic_constraints,
		"critical,CA:TRUE") ||
	    !add_ext(ca->cert, ca->cert, NID_key_usage,
		"critical,keyCertSign,cRLSign") ||
	    !add_ext(ca->cert, ca->cert, NID_subject_key_identifier, "hash") ||
	    X509_sign(ca->cert, ca->key, EVP_sha256()) <= 0)
		return ssl_fail(why, name);
	if (write_key(dir, name, ca->key, why) == -1)
		return -1;
	return write_cert(dir, name, ca->cert, why);
}

struct cert_ca *
cert_ca_open(const char *dir, const char *name, struct why *why)
{
	struct cert_ca *ca = xcalloc(1, sizeof(*ca));

	if (ca_read(ca, dir, name) || ca_make(ca, dir, name, why) == 0)
		return ca;
	cert_ca_free(ca);
	return NULL;
}

void
cert_ca_free(struct cert_ca *ca)
{
	if (ca == NULL)
		return;
	EVP_PKEY_free(ca->key);
	X509_free(ca->cert);
	free(ca);
}

static int
issue(struct cert_ca *ca, const char *dir, const char *name, X509_NAME *subject,
    const char *usage, const char *san, int days, struct why *why)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *cert = cert_begin(subject, key, days);
	int r = -1;

	if (!cert_end(ca, cert, usage, san))
		ssl_fail(why, name);
	else if (write_key(dir, name, key, why) == 0)
		r = write_cert(dir, name, cert, why);
	X509_free(cert);
	EVP_PKEY_free(key);
	return r;
}

int
cert_server_as(struct cert_ca *ca, const char *dir, const char *name,
    const char *names, int days, struct why *why)
{
	X509_NAME *subject = name_new(name, NULL);
	int r = issue(ca, dir, name, subject, "serverAuth", names, days, why);

	X509_NAME_free(subject);
	return r;
}

int
cert_server(struct cert_ca *ca, const char *dir, const char *name,
    struct why *why)
{
	return cert_server_as(ca, dir, name,
	    "IP:127.0.0.1,IP:::1,DNS:localhost,DNS:sims.test", CERT_DAYS, why);
}

int
cert_client(struct cert_ca *ca, const char *dir, const char *name,
    const char *cn, const char *org, struct why *why)
{
	X509_NAME *subject = name_new(cn, org);
	int r =
	    issue(ca, dir, name, subject, "clientAuth", NULL, CERT_DAYS, why);

	X509_NAME_free(subject);
	return r;
}

/* What a memory BIO holds, as a string; frees the BIO. */
static char *
bio_string(BIO *bio)
{
	char *data, *s;
	long n = BIO_get_mem_data(bio, &data);

	s = xstrndup(data, (size_t)n);
	BIO_free(bio);
	return s;
}

static X509_REQ *
read_req(const char *pem, size_t len)
{
	BIO *bio = BIO_new_mem_buf(pem, (int)len);
	X509_REQ *req = PEM_read_bio_X509_REQ(bio, NULL, NULL, NULL);

	BIO_free(bio);
	return req;
}

char *
cert_sign(struct cert_ca *ca, const char *csr, size_t len, const char *cn,
    int days, struct why *why)
{
	X509_REQ *req = read_req(csr, len);
	X509_NAME *subject;
	X509 *cert = NULL;
	BIO *bio;
	char *pem = NULL;

	if (req == NULL ||
	    X509_REQ_verify(req, X509_REQ_get0_pubkey(req)) != 1) {
		fail(why, ERR_FORMAT, "not a certificate request");
		X509_REQ_free(req);
		return NULL;
	}
	subject = cn != NULL ? name_new(cn, NULL) :
			       X509_NAME_dup(X509_REQ_get_subject_name(req));
	cert = cert_begin(subject, X509_REQ_get0_pubkey(req), days);
	if (cert_end(ca, cert, "clientAuth", NULL)) {
		bio = BIO_new(BIO_s_mem());
		PEM_write_bio_X509(bio, cert);
		pem = bio_string(bio);
	} else {
		ssl_fail(why, "sign");
	}
	X509_NAME_free(subject);
	X509_free(cert);
	X509_REQ_free(req);
	return pem;
}

char *
cert_request(const char *dir, const char *name, const char *cn, struct why *why)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509_REQ *req = X509_REQ_new();
	X509_NAME *subject = name_new(cn, NULL);
	char *pem = NULL;
	BIO *bio;

	X509_REQ_set_subject_name(req, subject);
	X509_REQ_set_pubkey(req, key);
	if (X509_REQ_sign(req, key, EVP_sha256()) <= 0) {
		ssl_fail(why, name);
	} else if (write_key(dir, name, key, why) == 0) {
		bio = BIO_new(BIO_s_mem());
		PEM_write_bio_X509_REQ(bio, req);
		pem = bio_string(bio);
	}
	X509_NAME_free(subject);
	X509_REQ_free(req);
	EVP_PKEY_free(key);
	return pem;
}

char *
cert_subject(const char *pem, size_t len)
{
	BIO *bio = BIO_new_mem_buf(pem, (int)len);
	X509 *cert = PEM_read_bio_X509(bio, NULL, NULL, NULL);
	X509_REQ *req = cert == NULL ? read_req(pem, len) : NULL;
	X509_NAME *subject = NULL;
	char cn[256];
	char *found = NULL;

	if (cert != NULL)
		subject = X509_get_subject_name(cert);
	else if (req != NULL)
		subject = X509_REQ_get_subject_name(req);
	if (subject != NULL &&
	    X509_NAME_get_text_by_NID(subject, NID_commonName, cn, sizeof(cn)) >
		0)
		found = xstrdup(cn);
	X509_free(cert);
	X509_REQ_free(req);
	BIO_free(bio);
	return found;
}
