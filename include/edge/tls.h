/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tls - who we are on the webhook's port: a certificate, its key, and who may call.
 *
 * Invariant: certificate, key and CA of the callers change together or not at all. What
 * does not parse or does not match is never served; the identity from before stays, and
 * connections keep the one that they began with. Files are looked at by path, so that the
 * swap of a symlink on the way (Kubernetes' `..data`) is a change like any other. Only
 * tls*.c know GnuTLS.
 *
 * Threads: tls_store_* are thread-safe but for tls_store_look(), which one thread calls;
 * a tls_peer is its connection's alone.
 */
#pragma once

#include "core/err.h"
#include "edge/log.h"

#include <gnutls/abstract.h>
#include <gnutls/gnutls.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	TLS_FILE_MAX = 1024 * 1024, /* bytes of each file */
	TLS_CHAIN_MAX = 16,         /* certificates of a chain */
};

/* TLS 1.2 and 1.3, forward secrecy and authenticated encryption only. */
extern const char tls_priorities[];

struct tls_files {
	const char *cert, *key;
	const char *client_ca; /* NULL: anybody may call */
};

/* ---- tls.c: one identity ---- */

struct tls_identity {
	gnutls_pcert_st chain[TLS_CHAIN_MAX];
	unsigned chain_len;
	gnutls_privkey_t key;
	gnutls_x509_trust_list_t callers; /* NULL: anybody may call */
	int64_t expires;     /* of the certificate; seconds since the epoch */
	char subject[256];   /* quoted */
	unsigned references; /* tls_store.c's */
};

/* Reads the files and checks that they fit each other; the caller frees it. NULL: err
   names the file. */
struct tls_identity *tls_load(const struct tls_files *files, struct err *err);

/* NULL is fine. */
void tls_free(struct tls_identity *identity);

/* Whether the caller of `session` has a certificate that `identity` takes. */
bool tls_knows(const struct tls_identity *identity, gnutls_session_t session);

/* ---- tls_fault.c ---- */

/* What is wrong with the certificate of somebody else, by the status of a verification
   (gnutls_certificate_status_t; CURLINFO_SSL_VERIFYRESULT of a libcurl with GnuTLS); NULL:
   not told. Static text. */
const char *tls_fault(long status);

/* ---- tls_store.c: the identity in use ---- */

struct tls_store;

/* What it looks like from outside. */
struct tls_state {
	bool loaded;      /* there is one in use */
	bool degraded;    /* it is not what the files hold; or there is none */
	char reason[512]; /* why, when degraded */
	int64_t expires;  /* seconds since the epoch; 0: none in use */
	uint64_t reloads; /* times that changed files were read */
	uint64_t reload_failures;
};

/* Paths and log are borrowed until tls_store_close(). That nothing can be loaded is no
   failure: look again. -1: no memory. */
int tls_store_open(const struct tls_files *files, const struct log *log,
                   struct tls_store **ret_store, struct err *err);

/* Looks whether the files have changed, and takes them if they are good. To be called
   about once a second. */
void tls_store_look(struct tls_store *store);

void tls_store_state(struct tls_store *store, struct tls_state *ret_state);

/* Whether callers need a certificate. */
bool tls_store_asks(const struct tls_store *store);

/* All peers must have ended. NULL is fine. */
void tls_store_close(struct tls_store *store);

/* ---- one connection ---- */

struct tls_peer {
	struct tls_store *store;
	struct tls_identity *identity; /* that it began with; NULL: not yet */
	enum { TLS_UNKNOWN, TLS_TRUSTED, TLS_STRANGER } who;
};

/* A connection was taken, and nothing was said on it yet. */
void tls_peer_begin(struct tls_peer *peer, struct tls_store *store,
                    gnutls_session_t session);

/* Once the handshake is over: may it call? */
bool tls_peer_may_call(struct tls_peer *peer, gnutls_session_t session);

/* The connection is closed. */
void tls_peer_end(struct tls_peer *peer);

/* gnutls_certificate_retrieve_function3: gives a handshake the identity in use. */
int tls_retrieve(gnutls_session_t session, const struct gnutls_cert_retr_st *info,
                 gnutls_pcert_st **ret_chain, unsigned *ret_chain_len,
                 gnutls_ocsp_data_st **ret_ocsp, unsigned *ret_ocsp_len,
                 gnutls_privkey_t *ret_key, unsigned *ret_flags);
