/* SPDX-License-Identifier: Apache-2.0 */
/* ship_state.c - keeps on disk how far a record was carried. */
#include "edge/ship_state.h"
#include "edge/file.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { STATE_MAX = 4096, STATE_MODE = 0600, VERSION_READ = 1 };

/* The numbers of a place; off_t is as wide as a JSON integer here. */
struct number {
	const char *name;
	size_t at;
};

_Static_assert(sizeof(off_t) == sizeof(uint64_t), "places are 64 bits wide");

static const struct number numbers[] = {
    {"dev", offsetof(struct ship_place, dev)},
    {"ino", offsetof(struct ship_place, ino)},
    {"start", offsetof(struct ship_place, start)},
    {"end", offsetof(struct ship_place, end)},
    {"seq", offsetof(struct ship_place, seq)},
};

enum { NUMBERS = sizeof numbers / sizeof numbers[0] };

void
ship_place_write(struct buf *buf, const struct ship_place *place)
{
	buf_printf(buf, "{\"version\":%d", VERSION_READ);
	for (size_t i = 0; i < NUMBERS; i++) {
		uint64_t number;

		memcpy(&number, (const char *)place + numbers[i].at, sizeof number);
		buf_printf(buf, ",\"%s\":\"%" PRIu64 "\"", numbers[i].name, number);
	}
	buf_printf(buf, ",\"hash\":\"%s\"}\n", place->hash);
}

/* Decimal digits in a string: JSON's own numbers end at 2^53 for many readers. */
static int
read_number(const json_t *value, uint64_t *ret_number)
{
	const char *digits = json_string_value(value);
	char *end;

	if (!digits || digits[0] < '0' || digits[0] > '9')
		return -1;
	errno = 0;
	*ret_number = strtoull(digits, &end, 10);
	return errno == 0 && *end == '\0' ? 0 : -1;
}

static int
read_place(const json_t *root, struct ship_place *place)
{
	const char *hash = json_string_value(json_object_get(root, "hash"));

	if (json_integer_value(json_object_get(root, "version")) != VERSION_READ)
		return -1;
	for (size_t i = 0; i < NUMBERS; i++) {
		uint64_t number;

		if (read_number(json_object_get(root, numbers[i].name), &number) != 0)
			return -1;
		memcpy((char *)place + numbers[i].at, &number, sizeof number);
	}
	if (!hash || strlen(hash) != RECORD_HASH_HEX || place->start < 0 ||
	    place->end < place->start)
		return -1;
	memcpy(place->hash, hash, sizeof place->hash);
	place->known = true;
	return 0;
}

int
ship_place_read(struct text t, struct ship_place *ret_place)
{
	json_t *root = json_loadb(t.at, t.len, JSON_REJECT_DUPLICATES, NULL);
	struct ship_place place = {.known = false};
	int result = root ? read_place(root, &place) : -1;

	json_decref(root);
	if (result == 0)
		*ret_place = place;
	return result;
}

static int
lock(struct ship_state *state, struct err *err)
{
	cleanup_buf struct buf path = {0};

	buf_printf(&path, "%s.lock", state->path);
	if (!buf_ok(&path))
		return err_set(err, ERR_MEMORY, "%s: no memory", state->path);
	if (file_lock(path.at, STATE_MODE, &state->lock, err))
		return err_wrap(err, "%s", path.at);
	return 0;
}

int
ship_state_open(struct ship_state *state, const char *path, struct ship_place *ret_place,
                struct err *err)
{
	cleanup_buf struct buf bytes = {0};

	*state = (struct ship_state){.path = strdup(path), .lock = -1};
	*ret_place = (struct ship_place){.known = false};
	if (!state->path)
		return err_set(err, ERR_MEMORY, "%s: no memory", path);
	if (lock(state, err))
		return -1;
	if (access(path, F_OK) != 0 && errno == ENOENT)
		return 0;
	if (file_read(path, STATE_MAX, &bytes, err))
		return err_wrap(err, "%s", path);
	if (ship_place_read(buf_text(&bytes), ret_place) != 0)
		return err_set(err, ERR_SYNTAX,
		               "%s: is no state of ship; remove it to carry the whole "
		               "record again",
		               path);
	return 0;
}

int
ship_state_save(const struct ship_state *state, const struct ship_place *place,
                struct err *err)
{
	cleanup_buf struct buf text = {0};

	ship_place_write(&text, place);
	if (!buf_ok(&text))
		return err_set(err, ERR_MEMORY, "%s: no memory", state->path);
	if (file_replace(state->path, buf_text(&text), STATE_MODE, err))
		return err_wrap(err, "%s", state->path);
	return 0;
}

void
ship_state_close(struct ship_state *state)
{
	file_close(&state->lock);
	free(state->path);
	state->path = NULL;
}
