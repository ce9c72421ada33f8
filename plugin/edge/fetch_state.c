/* SPDX-License-Identifier: Apache-2.0 */
/* fetch_state.c - remembers what was fetched, so that it need not be sent again. */
#include "edge/fetch.h"
#include "edge/file.h"

#include <jansson.h>
#include <nettle/sha2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { STATE_MAX = 8192, STATE_MODE = 0644, VERSION_READ = 1 };

void
fetch_hash(struct text bytes, char ret_hex[65])
{
	uint8_t digest[SHA256_DIGEST_SIZE];
	struct sha256_ctx sha;

	sha256_init(&sha);
	sha256_update(&sha, bytes.len, (const uint8_t *)bytes.at);
	sha256_digest(&sha, sizeof digest, digest);
	for (size_t i = 0; i < sizeof digest; i++)
		(void)snprintf(ret_hex + 2 * i, 3, "%02x", digest[i]);
}

bool
fetch_is_etag(struct text value)
{
	if (value.len < 2 || value.len > FETCH_ETAG_MAX)
		return false;
	for (size_t i = 0; i < value.len; i++) {
		if (value.at[i] < '!' || value.at[i] > '~')
			return false;
	}
	return true;
}

/* A member that is a string and fits, else "". */
static void
read_text(const json_t *root, const char *key, char *ret, size_t size)
{
	const char *value = json_string_value(json_object_get(root, key));

	ret[0] = '\0';
	if (value && strlen(value) < size)
		memcpy(ret, value, strlen(value) + 1);
}

void
fetch_state_load(const char *path, const char *url, struct fetch_state *ret_state)
{
	cleanup_buf struct buf bytes = {0};
	struct err ignored = {0};
	char hash[65];
	json_t *root = NULL;

	*ret_state = (struct fetch_state){0};
	fetch_hash(text_of(url), hash);
	if (file_read(path, STATE_MAX, &bytes, &ignored) == 0)
		root = json_loadb(bytes.at, bytes.len, JSON_REJECT_DUPLICATES, NULL);
	if (json_integer_value(json_object_get(root, "version")) == VERSION_READ) {
		read_text(root, "url", ret_state->url, sizeof ret_state->url);
		read_text(root, "digest", ret_state->digest, sizeof ret_state->digest);
		read_text(root, "etag", ret_state->etag, sizeof ret_state->etag);
	}
	json_decref(root);
	if (!fetch_is_etag(text_of(ret_state->etag)))
		ret_state->etag[0] = '\0';
	if (strcmp(ret_state->url, hash) != 0)
		*ret_state = (struct fetch_state){0};
	memcpy(ret_state->url, hash, sizeof hash);
}

int
fetch_state_save(const char *path, const struct fetch_state *state, struct err *err)
{
	json_t *root =
	    json_pack("{s:i,s:s,s:s,s:s}", "version", VERSION_READ, "url", state->url,
	              "digest", state->digest, "etag", state->etag);
	char *text = root ? json_dumps(root, JSON_COMPACT) : NULL;
	int result;

	json_decref(root);
	if (!text)
		return err_set(err, ERR_MEMORY, "no memory");
	result = file_replace(path, text_of(text), STATE_MODE, err);
	free(text);
	return result == 0 ? 0 : err_wrap(err, "%s", path);
}
