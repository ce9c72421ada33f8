/* SPDX-License-Identifier: Apache-2.0 */
/* tls_store.c - the identity in use, swapped when its files change, and who holds which. */
#include "edge/tls.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

enum { FILES = 3 };

/* What tells one version of a file from the next. */
struct look {
	dev_t dev;
	ino_t ino;
	off_t size;
	struct timespec changed;
};

struct tls_store {
	struct tls_files files;
	const struct log *log;
	struct look seen[FILES]; /* when they were read; tls_store_look()'s alone */
	pthread_mutex_t mutex;
	/* under the mutex */
	struct tls_identity *current;
	struct tls_state state;
};

/* ---- the files ---- */

static void
look_at(const struct tls_files *files, struct look ret_looks[FILES])
{
	const char *const paths[FILES] = {files->cert, files->key, files->client_ca};
	struct stat st;

	memset(ret_looks, 0, FILES * sizeof *ret_looks); /* padding too: compared whole */
	for (size_t i = 0; i < FILES; i++) {
		if (!paths[i] || stat(paths[i], &st) != 0)
			continue;
		ret_looks[i].dev = st.st_dev;
		ret_looks[i].ino = st.st_ino;
		ret_looks[i].size = st.st_size;
		ret_looks[i].changed = st.st_ctim;
	}
}

/* ---- the identity ---- */

/* With the mutex held. */
static void
unref(struct tls_identity *identity)
{
	if (identity && --identity->references == 0)
		tls_free(identity);
}

static void
log_taken(const struct tls_store *store, const struct tls_identity *identity)
{
	time_t expires = (time_t)identity->expires;
	char until[32] = "";
	struct tm tm;

	if (gmtime_r(&expires, &tm))
		(void)strftime(until, sizeof until, "%Y-%m-%dT%H:%M:%SZ", &tm);
	if (expires <= time(NULL))
		log_warning(store->log, "certificate %s of %s in use, but it expired %s",
		            store->files.cert, identity->subject, until);
	else
		log_info(store->log, "certificate %s of %s in use, valid until %s",
		         store->files.cert, identity->subject, until);
}

static void
take(struct tls_store *store, struct tls_identity *identity)
{
	identity->references = 1;
	(void)pthread_mutex_lock(&store->mutex);
	unref(store->current);
	store->current = identity;
	store->state.loaded = true;
	store->state.degraded = false;
	store->state.reason[0] = '\0';
	store->state.expires = identity->expires;
	(void)pthread_mutex_unlock(&store->mutex);
	log_taken(store, identity);
}

/* The identity from before stays. Told once for each reason. */
static void
refuse(struct tls_store *store, const char *reason, bool changed)
{
	bool news, loaded;

	(void)pthread_mutex_lock(&store->mutex);
	loaded = store->state.loaded;
	news = changed || strcmp(store->state.reason, reason) != 0;
	store->state.degraded = true;
	(void)snprintf(store->state.reason, sizeof store->state.reason, "%s", reason);
	store->state.reload_failures += news;
	(void)pthread_mutex_unlock(&store->mutex);
	if (news && loaded)
		log_error(store->log,
		          "certificate not taken, the earlier one stays in use: %s",
		          reason);
	else if (news)
		log_error(store->log, "there is no certificate, nobody is answered: %s",
		          reason);
}

static void
load(struct tls_store *store, bool changed)
{
	struct look before[FILES];
	struct tls_identity *identity;
	struct err err = {0};

	look_at(&store->files, before);
	identity = tls_load(&store->files, &err);
	memcpy(store->seen, before, sizeof before);
	if (changed) {
		(void)pthread_mutex_lock(&store->mutex);
		store->state.reloads++;
		(void)pthread_mutex_unlock(&store->mutex);
	}
	if (identity)
		take(store, identity);
	else
		refuse(store, err.text, changed);
}

void
tls_store_look(struct tls_store *store)
{
	struct look now[FILES];
	bool changed;

	look_at(&store->files, now);
	changed = memcmp(now, store->seen, sizeof now) != 0;
	/* what was refused may have been half of a change that no look shows */
	if (changed || store->state.degraded)
		load(store, changed);
}

void
tls_store_state(struct tls_store *store, struct tls_state *ret_state)
{
	(void)pthread_mutex_lock(&store->mutex);
	*ret_state = store->state;
	(void)pthread_mutex_unlock(&store->mutex);
}

bool
tls_store_asks(const struct tls_store *store)
{
	return store->files.client_ca != NULL;
}

/* ---- opening and closing ---- */

int
tls_store_open(const struct tls_files *files, const struct log *log,
               struct tls_store **ret_store, struct err *err)
{
	struct tls_store *store = calloc(1, sizeof *store);

	if (!store)
		return err_set(err, ERR_MEMORY, "no memory for a certificate");
	store->files = *files;
	store->log = log;
	(void)pthread_mutex_init(&store->mutex, NULL);
	load(store, false);
	*ret_store = store;
	return 0;
}

void
tls_store_close(struct tls_store *store)
{
	if (!store)
		return;
	unref(store->current);
	(void)pthread_mutex_destroy(&store->mutex);
	free(store);
}

/* ---- one connection ---- */

void
tls_peer_begin(struct tls_peer *peer, struct tls_store *store, gnutls_session_t session)
{
	*peer = (struct tls_peer){.store = store};
	/* the pointer of the session database, which we don't use: the session's own
	   pointer is libmicrohttpd's */
	gnutls_db_set_ptr(session, peer);
	if (!tls_store_asks(store))
		return;
	/* asked, not required: probes have none (tls_peer_may_call) */
	gnutls_certificate_server_set_request(session, GNUTLS_CERT_REQUEST);
	gnutls_certificate_send_x509_rdn_sequence(session, 1); /* don't */
}

bool
tls_peer_may_call(struct tls_peer *peer, gnutls_session_t session)
{
	if (!tls_store_asks(peer->store))
		return true;
	if (peer->who == TLS_UNKNOWN)
		peer->who = peer->identity && tls_knows(peer->identity, session)
		                ? TLS_TRUSTED
		                : TLS_STRANGER;
	return peer->who == TLS_TRUSTED;
}

void
tls_peer_end(struct tls_peer *peer)
{
	(void)pthread_mutex_lock(&peer->store->mutex);
	unref(peer->identity);
	peer->identity = NULL;
	(void)pthread_mutex_unlock(&peer->store->mutex);
}

int
tls_retrieve(gnutls_session_t session, const struct gnutls_cert_retr_st *info,
             gnutls_pcert_st **ret_chain, unsigned *ret_chain_len,
             gnutls_ocsp_data_st **ret_ocsp, unsigned *ret_ocsp_len,
             gnutls_privkey_t *ret_key, unsigned *ret_flags)
{
	struct tls_peer *peer = gnutls_db_get_ptr(session);
	struct tls_store *store = peer ? peer->store : NULL;

	(void)info;
	if (!store)
		return -1;
	if (!peer->identity) {
		(void)pthread_mutex_lock(&store->mutex);
		peer->identity = store->current;
		if (peer->identity)
			peer->identity->references++;
		(void)pthread_mutex_unlock(&store->mutex);
	}
	if (!peer->identity)
		return -1; /* none is loaded yet: the handshake fails */
	*ret_chain = peer->identity->chain;
	*ret_chain_len = peer->identity->chain_len;
	*ret_ocsp = NULL;
	*ret_ocsp_len = 0;
	*ret_key = peer->identity->key;
	*ret_flags = 0; /* they stay ours: tls_peer_end() */
	return 0;
}
