/* SPDX-License-Identifier: Apache-2.0 */
/*
 * admin_doors - where admin.h is served: the admin socket and the address of the metrics.
 *
 * Invariant: none of it stops the judge. One that can't be watched is better than none,
 * since without one engines refuse all; so what fails is logged. Start and stop only.
 */
#pragma once

#include "edge/admin.h"
#include "edge/http_admin.h"
#include "edge/listen.h"
#include "edge/log.h"
#include "edge/options.h"
#include "edge/tcp.h"

struct admin_doors {
	struct listener listener;
	int metrics_fd;
	char metrics_name[TCP_NAME_MAX];
	struct http_admin *http, *metrics_http;
};

/* What admin_doors_close() takes before anything is open. */
#define ADMIN_DOORS_CLOSED                                                               \
	{                                                                                \
		.listener = {.fd = -1}, .metrics_fd = -1                                 \
	}

/* Listens on the address, which may be one that needs a privilege. */
void admin_doors_listen(struct admin_doors *doors, const struct options *options,
                        const struct log *log);

/* Makes the socket, and serves both. `admin` is borrowed until admin_doors_close(). */
void admin_doors_serve(struct admin_doors *doors, const struct options *options,
                       const struct admin *admin, const struct log *log);

void admin_doors_close(struct admin_doors *doors);
