/* SPDX-License-Identifier: Apache-2.0 */
/* test_tls.c - tests edge/tls.h, and what edge/admin.h and edge/metrics.h tell of it. */
#include "edge/tls.h"
#include "watched.h"

#include <gnutls/x509.h>
#include <string.h>
#include <time.h>

enum { DAY = 86400 };

/* ---- pairs ---- */

static void
put_text(const char *name, gnutls_datum_t *text)
{
	write_file(in_folder(name),
	           (struct text){.at = (const char *)text->data, .len = text->size},
	           O_TRUNC);
	gnutls_free(text->data);
}

/* A key, and a certificate that it signed itself, in the files; NULL: not that one. */
static void
put_pair(const char *cert_name, const char *key_name, time_t expires)
{
	gnutls_x509_privkey_t key;
	gnutls_x509_crt_t cert;
	gnutls_datum_t text = {0};

	assert_int_equal(gnutls_x509_privkey_init(&key), 0);
	assert_int_equal(gnutls_x509_privkey_generate(
			     key, GNUTLS_PK_ECDSA,
			     GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0),
	                 0);
	assert_int_equal(gnutls_x509_crt_init(&cert), 0);
	assert_int_equal(gnutls_x509_crt_set_version(cert, 3), 0);
	assert_int_equal(gnutls_x509_crt_set_serial(cert, "\1", 1), 0);
	assert_int_equal(gnutls_x509_crt_set_dn(cert, "CN=te\x1bst", NULL), 0);
	assert_int_equal(gnutls_x509_crt_set_activation_time(cert, time(NULL) - 2 * DAY),
	                 0);
	assert_int_equal(gnutls_x509_crt_set_expiration_time(cert, expires), 0);
	assert_int_equal(gnutls_x509_crt_set_key(cert, key), 0);
	assert_int_equal(gnutls_x509_crt_sign2(cert, cert, key, GNUTLS_DIG_SHA256, 0), 0);
	if (cert_name) {
		assert_int_equal(
		    gnutls_x509_crt_export2(cert, GNUTLS_X509_FMT_PEM, &text), 0);
		put_text(cert_name, &text);
	}
	if (key_name) {
		assert_int_equal(
		    gnutls_x509_privkey_export2(key, GNUTLS_X509_FMT_PEM, &text), 0);
		put_text(key_name, &text);
	}
	gnutls_x509_crt_deinit(cert);
	gnutls_x509_privkey_deinit(key);
}

/* ---- the store ---- */

struct paths {
	char cert[PATH_MAX], key[PATH_MAX], ca[PATH_MAX];
	struct tls_files files;
};

static struct tls_store *
opened(struct paths *paths, bool with_ca)
{
	struct tls_store *store = NULL;
	struct err err = {0};

	(void)snprintf(paths->cert, sizeof paths->cert, "%s", in_folder("crt"));
	(void)snprintf(paths->key, sizeof paths->key, "%s", in_folder("key"));
	(void)snprintf(paths->ca, sizeof paths->ca, "%s", in_folder("ca"));
	paths->files = (struct tls_files){
	    .cert = paths->cert,
	    .key = paths->key,
	    .client_ca = with_ca ? paths->ca : NULL,
	};
	assert_int_equal(tls_store_open(&paths->files, &test_log, &store, &err), 0);
	return store;
}

static struct tls_state
looked(struct tls_store *store)
{
	struct tls_state state;

	tls_store_look(store);
	tls_store_state(store, &state);
	return state;
}

static void
pair_that_fits_is_taken_and_its_end_is_known(void **state)
{
	struct paths paths;
	struct tls_store *store;
	struct tls_state told;
	time_t end = time(NULL) + 10 * DAY;

	(void)state;
	put_pair("crt", "key", end);
	store = opened(&paths, false);
	told = looked(store);
	assert_true(told.loaded);
	assert_false(told.degraded);
	assert_int_equal(told.expires, end);
	assert_int_equal(told.reloads + told.reload_failures, 0);
	/* what a certificate says of itself can't move the cursor */
	assert_int_equal(times_in(in_folder("log"), "\x1b"), 0);
	assert_int_equal(times_in(in_folder("log"), "CN=te\\u001bst"), 1);
	tls_store_close(store);
}

static void
missing_files_are_waited_for(void **state)
{
	struct paths paths;
	struct tls_store *store = opened(&paths, false);
	struct tls_state told = looked(store);

	(void)state;
	assert_false(told.loaded);
	assert_true(told.degraded);
	assert_non_null(strstr(told.reason, "crt: can't be opened"));
	(void)looked(store); /* said once */
	assert_int_equal(times_in(in_folder("log"), "there is no certificate"), 1);
	put_pair("crt", "key", time(NULL) + DAY);
	told = looked(store);
	assert_true(told.loaded);
	assert_false(told.degraded);
	tls_store_close(store);
}

static void
what_does_not_fit_is_not_taken_and_the_earlier_pair_stays(void **state)
{
	struct paths paths;
	struct tls_store *store;
	struct tls_state told;
	time_t end = time(NULL) + 10 * DAY;

	(void)state;
	put_pair("crt", "key", end);
	store = opened(&paths, false);
	put_pair(NULL, "key", end + DAY);
	told = looked(store);
	assert_true(told.loaded && told.degraded);
	assert_int_equal(told.expires, end);
	assert_non_null(strstr(told.reason, "is not the key of"));
	put_pair("crt", NULL, end + DAY); /* of a third key */
	told = looked(store);
	assert_true(told.degraded);
	assert_int_equal(told.expires, end);
	assert_int_equal(told.reload_failures, 2);
	write_file(in_folder("crt"), TEXT_LIT("garbage"), O_TRUNC);
	told = looked(store);
	assert_int_equal(told.reload_failures, 3);
	assert_int_equal(told.expires, end);
	put_pair("crt", "key", end + 2 * DAY);
	told = looked(store);
	assert_false(told.degraded);
	assert_int_equal(told.expires, end + 2 * DAY);
	assert_int_equal(told.reloads, 4);
	tls_store_close(store);
}

static void
ca_of_the_callers_changes_with_the_pair_or_not_at_all(void **state)
{
	struct paths paths;
	struct tls_store *store;
	struct tls_state told;
	time_t end = time(NULL) + 10 * DAY;

	(void)state;
	put_pair("crt", "key", end);
	store = opened(&paths, true);
	told = looked(store);
	assert_false(told.loaded);
	assert_true(tls_store_asks(store));
	put_pair("ca", NULL, end);
	assert_true(looked(store).loaded);
	put_pair("crt", "key", end + DAY);
	write_file(in_folder("ca"), TEXT_LIT("nothing"), O_TRUNC);
	told = looked(store);
	assert_true(told.degraded);
	assert_int_equal(told.expires, end);
	tls_store_close(store);
}

/* ---- what is told ---- */

static void
assert_told(struct watched *watched, bool cluster, const char *path, unsigned status,
            const char *text)
{
	struct admin_answer answer;

	if (cluster)
		admin_ask_cluster(&watched->admin, path, true, &answer);
	else
		admin_ask(&watched->admin, path, true, &answer);
	if (answer.status != status || !strstr(answer.body.at, text))
		fail_msg("%s: %u %s", path, answer.status, answer.body.at);
	buf_free(&answer.body);
}

static void
certificate_that_is_missing_degraded_or_expired_is_told(void **state)
{
	struct paths paths;
	struct watched watched;
	struct tls_store *store = opened(&paths, false);

	(void)state;
	watch(&watched, "{\"version\":1}");
	assert_told(&watched, false, "/readyz", 200, "ready\n"); /* no webhook */
	watched.admin.tls = store;
	assert_told(&watched, false, "/readyz", 503, "certificate missing: ");
	assert_told(&watched, false, "/metrics", 200,
	            "\nseccomp_authz_certificate_expiry_timestamp_seconds 0\n");
	put_pair("crt", "key", time(NULL) - DAY);
	tls_store_look(store);
	assert_told(&watched, false, "/readyz", 503, "certificate expired\n");
	put_pair("crt", "key", time(NULL) + DAY);
	tls_store_look(store);
	assert_told(&watched, false, "/readyz", 200, "ready\n");
	put_pair("crt", NULL, time(NULL) + DAY);
	tls_store_look(store);
	assert_told(&watched, false, "/readyz", 503, "certificate degraded: ");
	assert_told(&watched, false, "/metrics", 200,
	            "\nseccomp_authz_degraded{part=\"certificate\"} 1\n");
	tls_store_close(store);
	unwatch(&watched);
}

static void
kubelet_takes_it_out_of_service_only_when_it_stops(void **state)
{
	struct watched watched;
	struct admin_answer answer;

	(void)state;
	watch(&watched, "{"); /* broken: it has to go on to deny */
	assert_told(&watched, false, "/readyz", 503, "policy broken");
	assert_told(&watched, true, "/readyz", 200, "ready\n");
	assert_told(&watched, true, "/healthz", 200, "ok\n");
	assert_told(&watched, true, "/metrics", 200, "seccomp_authz_policy_broken 1");
	assert_told(&watched, true, "/policy", 404, "there are");
	admin_ask_cluster(&watched.admin, "/metrics", false, &answer);
	assert_int_equal(answer.status, 404);
	buf_free(&answer.body);
	atomic_store(&watched.admin.stopping, true);
	assert_told(&watched, true, "/readyz", 503, "stopping\n");
	assert_told(&watched, true, "/healthz", 200, "ok\n");
	unwatch(&watched);
}

#define in_a_folder(test)                                                                \
	cmocka_unit_test_setup_teardown(test, make_folder, remove_folder)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    in_a_folder(pair_that_fits_is_taken_and_its_end_is_known),
	    in_a_folder(missing_files_are_waited_for),
	    in_a_folder(what_does_not_fit_is_not_taken_and_the_earlier_pair_stays),
	    in_a_folder(ca_of_the_callers_changes_with_the_pair_or_not_at_all),
	    in_a_folder(certificate_that_is_missing_degraded_or_expired_is_told),
	    in_a_folder(kubelet_takes_it_out_of_service_only_when_it_stops),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
