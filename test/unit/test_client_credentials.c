/* SPDX-License-Identifier: Apache-2.0 */
/* Files of credentials over time; the time is a value. Plugins and 401s: test/scenario. */
#include "test.h"

#include <unistd.h>
#include <uv.h>

#include "base/alloc.h"
#include "k8sclient/credentials.h"

#define CERTIFICATE(BODY) "-----BEGIN CERTIFICATE-----\n" BODY "\n-----END CERTIFICATE-----\n"
#define KEY(BODY)         "-----BEGIN PRIVATE KEY-----\n" BODY "\n-----END PRIVATE KEY-----\n"
#define ONE               "MAMBAQA=" /* SEQUENCE { BOOLEAN FALSE } */
#define TWO               "MAMBAf8=" /* SEQUENCE { BOOLEAN TRUE } */

enum { MINUTE = 60000 };

struct fixture {
	char folder[32];
	char *token, *ca, *cert, *key;
	uv_loop_t loop;
	struct log log;
	struct client_config config;
	struct credentials *credentials;
	uint64_t start_ms;
};

static void write_file(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");
	if (CHECK(file != NULL)) {
		(void)fputs(text, file);
		(void)fclose(file);
	}
}

static void nothing(void *context)
{
	(void)context;
}

static bool fixture_init(struct fixture *f)
{
	struct error err = {.message = ""};
	*f = (struct fixture){.log = {.level = LOG_ERROR, .fd = 2},
			      .folder = "/tmp/llmd-credentials-XXXXXX"};
	if (!CHECK(mkdtemp(f->folder) != NULL))
		return false;
	f->token = xasprintf("%s/token", f->folder);
	f->ca = xasprintf("%s/ca", f->folder);
	f->cert = xasprintf("%s/cert", f->folder);
	f->key = xasprintf("%s/key", f->folder);
	write_file(f->token, "one\n");
	write_file(f->ca, CERTIFICATE(ONE));
	write_file(f->cert, CERTIFICATE(ONE));
	write_file(f->key, KEY(ONE));
	f->config = (struct client_config){
	    .token_file = f->token, .ca_file = f->ca, .cert_file = f->cert, .key_file = f->key};
	(void)uv_loop_init(&f->loop);
	bool made = CHECK_INT(
	    credentials_new(&f->loop, &f->config, &f->log, nothing, NULL, &f->credentials, &err),
	    STATUS_OK);
	f->start_ms = uv_hrtime() / 1000000U + 1;
	return made;
}

static void fixture_release(struct fixture *f)
{
	credentials_free(f->credentials);
	CHECK_INT(uv_loop_close(&f->loop), 0);
	char *const paths[] = {f->token, f->ca, f->cert, f->key};
	for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
		(void)unlink(paths[i]);
		free(paths[i]);
	}
	(void)rmdir(f->folder);
}

static struct credential at(struct fixture *f, uint64_t after_ms)
{
	struct error err = {.message = ""};
	struct credential credential = {0};
	CHECK_INT(credentials_get(f->credentials, f->start_ms + after_ms, &credential, &err),
		  CREDENTIALS_READY);
	return credential;
}

TEST(a_token_is_read_anew_each_minute)
{
	struct fixture f;
	if (!fixture_init(&f))
		return;
	unsigned generation = at(&f, 0).generation;
	CHECK_STR(at(&f, 0).token, "one");
	write_file(f.token, "two\n");
	CHECK_STR(at(&f, MINUTE - 1000).token, "one");
	CHECK_STR(at(&f, MINUTE).token, "two");
	CHECK(at(&f, MINUTE).generation != generation);
	generation = at(&f, MINUTE).generation;
	CHECK_INT(at(&f, 3 * MINUTE).generation, generation);
	fixture_release(&f);
}

TEST(certificates_are_read_anew_each_five_minutes)
{
	struct fixture f;
	if (!fixture_init(&f))
		return;
	CHECK_STR(at(&f, 0).ca, CERTIFICATE(ONE));
	write_file(f.ca, CERTIFICATE(TWO));
	write_file(f.cert, CERTIFICATE(TWO));
	write_file(f.key, KEY(TWO));
	CHECK_STR(at(&f, 5 * MINUTE - 1000).ca, CERTIFICATE(ONE));
	struct credential later = at(&f, 5 * MINUTE);
	CHECK_STR(later.ca, CERTIFICATE(TWO));
	CHECK_STR(later.cert, CERTIFICATE(TWO));
	CHECK_STR(later.key, KEY(TWO));
	fixture_release(&f);
}

static const char *const bad_tokens[] = {"", "\n", "a\nb", "a\tb"};
static const char *const bad_certificates[] = {"", "junk", "-----BEGIN CERTIFICATE-----\nMAMB",
					       CERTIFICATE("MAMB")};

TEST(what_is_bad_is_never_taken)
{
	for (size_t i = 0; i < ARRAY_LEN(bad_tokens); i++) {
		struct fixture f;
		if (!fixture_init(&f))
			return;
		unsigned generation = at(&f, 0).generation;
		write_file(f.token, bad_tokens[i]);
		write_file(f.ca, bad_certificates[i]);
		CHECK_STR(at(&f, 6 * MINUTE).token, "one");
		CHECK_STR(at(&f, 6 * MINUTE).ca, CERTIFICATE(ONE));
		CHECK_INT(at(&f, 6 * MINUTE).generation, generation);
		(void)unlink(f.token);
		CHECK_STR(at(&f, 8 * MINUTE).token, "one");
		write_file(f.token, "two");
		CHECK_STR(at(&f, 10 * MINUTE).token, "two");
		fixture_release(&f);
	}
}

TEST(a_refusal_reads_the_token_at_once)
{
	struct fixture f;
	if (!fixture_init(&f))
		return;
	unsigned generation = at(&f, 0).generation;
	write_file(f.token, "two");
	credentials_reject(f.credentials, f.start_ms, generation + 7); /* of something older */
	CHECK_STR(at(&f, 1).token, "one");
	credentials_reject(f.credentials, f.start_ms, generation);
	CHECK_STR(at(&f, 1).token, "two");
	fixture_release(&f);
}

TEST(a_tls_failure_reads_the_ca_at_once)
{
	struct fixture f;
	if (!fixture_init(&f))
		return;
	write_file(f.ca, CERTIFICATE(TWO));
	credentials_distrust(f.credentials);
	CHECK_STR(at(&f, 1).ca, CERTIFICATE(TWO));
	fixture_release(&f);
}
