/* SPDX-License-Identifier: Apache-2.0 */
/*
 * watchdog - tells the service manager that questions are answered (sd_watchdog_enabled(3)).
 *
 * Invariant: WATCHDOG=1 is sent only after the server has answered a question of ours,
 * that was put to it as an engine's are, three times in WATCHDOG_USEC; so both this loop
 * and the server's must be alive for it. Where WATCHDOG_USEC is not set, or is meant for
 * another process (WATCHDOG_PID), it does nothing. Main loop only.
 */
#pragma once

#include "edge/http.h"

#include <stdbool.h>
#include <stdint.h>

struct watchdog {
	int fd;          /* our end of a connection to the server; -1: none */
	int64_t step_ms; /* between two questions; 0: nobody wants to know */
	int64_t due_ms;  /* of the next one */
	bool asked;      /* and not answered yet */
};

/* Takes the variables out of the environment. */
void watchdog_open(struct watchdog *watchdog);

/* Asks, if it is time; without a server this loop alone is told of. */
void watchdog_ask(struct watchdog *watchdog, struct http *http, int64_t now_ms);

/* Reads the answer, once `fd` can be read, and passes it on. */
void watchdog_answer(struct watchdog *watchdog);

void watchdog_close(struct watchdog *watchdog);
