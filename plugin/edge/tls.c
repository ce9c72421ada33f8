/* SPDX-License-Identifier: Apache-2.0 */
/* tls.c - PEM files -> an identity that can be served, or why not. */
#include "edge/tls.h"

#include "core/buf.h"
#include "edge/file.h"

#include <gnutls/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* CBC suites and static RSA are left out: no API server of the last years needs them. */
const char tls_priorities[] = "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2:-RSA:-DHE-RSA"
			      ":-CIPHER-ALL:+AES-128-GCM:+AES-256-GCM"
			      ":+CHACHA20-POLY1305";

static int
read_pem(const char *path, struct buf *ret_bytes, gnutls_datum_t *ret_datum,
         struct err *err)
{
	if (file_read(path, TLS_FILE_MAX, ret_bytes, err) != 0)
		return err_wrap(err, "%s", path);
	ret_datum->data = (unsigned char *)ret_bytes->at;
	ret_datum->size = (unsigned)ret_bytes->len;
	return ret_datum->size > 0 ? 0 : err_set(err, ERR_TYPE, "%s: is empty", path);
}

/* 0, or -1 with what GnuTLS says of `path`. */
static int
check(int code, const char *path, struct err *err)
{
	return code >= 0 ? 0
	                 : err_set(err, ERR_TYPE, "%s: %s", path, gnutls_strerror(code));
}

/*
 * Whether key and certificate belong together: gnutls_certificate_set_x509_key_mem2()
 * tries them on each other (GNUTLS_CERTIFICATE_SKIP_KEY_CERT_MATCH would leave it out).
 */
static int
check_pair(const struct tls_files *files, const gnutls_datum_t *cert,
           const gnutls_datum_t *key, struct err *err)
{
	gnutls_certificate_credentials_t scratch;
	int code = gnutls_certificate_allocate_credentials(&scratch);

	if (code < 0)
		return err_set(err, ERR_MEMORY, "%s", gnutls_strerror(code));
	code = gnutls_certificate_set_x509_key_mem2(scratch, cert, key,
	                                            GNUTLS_X509_FMT_PEM, NULL, 0);
	gnutls_certificate_free_credentials(scratch);
	if (code == GNUTLS_E_CERTIFICATE_KEY_MISMATCH)
		return err_set(err, ERR_TYPE, "%s is not the key of %s", files->key,
		               files->cert);
	return code >= 0 ? 0
	                 : err_set(err, ERR_TYPE, "%s and %s: %s", files->cert,
	                           files->key, gnutls_strerror(code));
}

static void
name_subject(gnutls_x509_crt_t leaf, char ret_subject[256])
{
	gnutls_datum_t name = {0};
	cleanup_buf struct buf quoted = {0};

	if (gnutls_x509_crt_get_dn3(leaf, &name, 0) != 0)
		return;
	buf_quoted(&quoted,
	           (struct text){.at = (const char *)name.data, .len = name.size}, 128);
	if (buf_ok(&quoted))
		(void)snprintf(ret_subject, 256, "%s", quoted.at);
	gnutls_free(name.data);
}

static int
describe(struct tls_identity *identity, const char *path, struct err *err)
{
	gnutls_x509_crt_t leaf;

	if (check(gnutls_pcert_export_x509(&identity->chain[0], &leaf), path, err) != 0)
		return -1;
	identity->expires = (int64_t)gnutls_x509_crt_get_expiration_time(leaf);
	name_subject(leaf, identity->subject);
	gnutls_x509_crt_deinit(leaf);
	return 0;
}

static int
load_pair(struct tls_identity *identity, const struct tls_files *files, struct err *err)
{
	cleanup_buf struct buf cert_bytes = {0}, key_bytes = {0};
	gnutls_datum_t cert, key;
	unsigned count = TLS_CHAIN_MAX;

	if (read_pem(files->cert, &cert_bytes, &cert, err) != 0 ||
	    read_pem(files->key, &key_bytes, &key, err) != 0)
		return -1;
	if (check(gnutls_pcert_list_import_x509_raw(identity->chain, &count, &cert,
	                                            GNUTLS_X509_FMT_PEM,
	                                            GNUTLS_X509_CRT_LIST_SORT),
	          files->cert, err) != 0)
		return -1;
	identity->chain_len = count;
	if (check(gnutls_privkey_init(&identity->key), files->key, err) != 0 ||
	    check(gnutls_privkey_import_x509_raw(identity->key, &key, GNUTLS_X509_FMT_PEM,
	                                         NULL, 0),
	          files->key, err) != 0)
		return -1;
	return check_pair(files, &cert, &key, err);
}

static int
load_callers(struct tls_identity *identity, const char *path, struct err *err)
{
	cleanup_buf struct buf bytes = {0};
	gnutls_datum_t ca;
	int count;

	if (!path)
		return 0;
	if (read_pem(path, &bytes, &ca, err) != 0 ||
	    check(gnutls_x509_trust_list_init(&identity->callers, 0), path, err) != 0)
		return -1;
	count = gnutls_x509_trust_list_add_trust_mem(identity->callers, &ca, NULL,
	                                             GNUTLS_X509_FMT_PEM, 0, 0);
	if (count == 0)
		return err_set(err, ERR_TYPE, "%s: there is no certificate in it", path);
	return check(count, path, err);
}

struct tls_identity *
tls_load(const struct tls_files *files, struct err *err)
{
	struct tls_identity *identity = calloc(1, sizeof *identity);

	if (!identity) {
		(void)err_set(err, ERR_MEMORY, "no memory for a certificate");
		return NULL;
	}
	if (load_pair(identity, files, err) == 0 &&
	    load_callers(identity, files->client_ca, err) == 0 &&
	    describe(identity, files->cert, err) == 0)
		return identity;
	tls_free(identity);
	return NULL;
}

void
tls_free(struct tls_identity *identity)
{
	if (!identity)
		return;
	for (unsigned i = 0; i < identity->chain_len; i++)
		gnutls_pcert_deinit(&identity->chain[i]);
	if (identity->key)
		gnutls_privkey_deinit(identity->key);
	if (identity->callers)
		gnutls_x509_trust_list_deinit(identity->callers, 1);
	free(identity);
}

static unsigned
import_callers(gnutls_session_t session, gnutls_x509_crt_t chain[TLS_CHAIN_MAX])
{
	unsigned given = 0, count = 0;
	const gnutls_datum_t *certs = gnutls_certificate_get_peers(session, &given);

	for (; certs && count < given && count < TLS_CHAIN_MAX; count++) {
		if (gnutls_x509_crt_init(&chain[count]) < 0)
			break;
		if (gnutls_x509_crt_import(chain[count], &certs[count],
		                           GNUTLS_X509_FMT_DER) < 0) {
			gnutls_x509_crt_deinit(chain[count]);
			break;
		}
	}
	return count;
}

bool
tls_knows(const struct tls_identity *identity, gnutls_session_t session)
{
	static const char purpose[] = GNUTLS_KP_TLS_WWW_CLIENT;
	gnutls_typed_vdata_st wanted = {
	    .type = GNUTLS_DT_KEY_PURPOSE_OID,
	    .data = (unsigned char *)(uintptr_t)purpose,
	};
	gnutls_x509_crt_t chain[TLS_CHAIN_MAX];
	unsigned count = import_callers(session, chain);
	unsigned status = GNUTLS_CERT_INVALID;
	int code = count == 0 ? -1
	                      : gnutls_x509_trust_list_verify_crt2(identity->callers,
	                                                           chain, count, &wanted,
	                                                           1, 0, &status, NULL);

	for (unsigned i = 0; i < count; i++)
		gnutls_x509_crt_deinit(chain[i]);
	return code == 0 && status == 0;
}
