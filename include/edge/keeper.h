/* SPDX-License-Identifier: Apache-2.0 */
/*
 * keeper - keeps the plugin socket where engines look for it.
 *
 * Invariant: when the socket that we made is not at its path any more (its folder was
 * removed, /run was mounted anew), it is made again, within KEEPER_MS and a try a second;
 * while that fails, why is logged once. A socket that was handed over is not ours to
 * make: that it is gone is logged. Connections of the old one go on. And whoever waits
 * to be accepted is, once there are files for it. Main loop only.
 */
#pragma once

#include "edge/http.h"
#include "edge/listen.h"
#include "edge/log.h"

#include <stdbool.h>
#include <stdint.h>

enum { KEEPER_MS = 1000 };

struct keeper {
	const struct listener *first; /* served by libmicrohttpd */
	struct listener again;        /* made later; we accept for it */
	int64_t due_ms;
	bool waited;    /* somebody waited to be accepted when we last looked */
	char said[256]; /* the last complaint */
};

/* `first` is borrowed until keeper_close(). A keeper that is only zeroed keeps nothing. */
void keeper_open(struct keeper *keeper, const struct listener *first);

/* Looks, if it is time. */
void keeper_look(struct keeper *keeper, struct http *http, int64_t now_ms,
                 const struct log *log);

/* To be polled for reading; -1: nothing to poll. */
int keeper_fd(const struct keeper *keeper);

/* Hands over to `http` whoever waits at keeper_fd(). */
void keeper_accept(struct keeper *keeper, struct http *http);

/* Removes the socket that it made. */
void keeper_close(struct keeper *keeper);
