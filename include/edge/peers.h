/* SPDX-License-Identifier: Apache-2.0 */
/*
 * peers - the connections that are open, and by whom.
 *
 * Invariant: no process has more than its share (a quarter of all, PEERS_SHARE), so that
 * one which opens all it can leaves room for an engine: what is beyond is hung up at once.
 * A connection is hung up here only between two requests, and so that nothing is lost:
 * the other side can't send any more (for it, a send fails and has sent nothing), and what
 * it had sent before is still read and answered (unix(7): shutdown(SHUT_RD) takes effect
 * on the sender at once).
 *
 * Threads: add, remove, begin and end from the server's, hang_up and count from any.
 */
#pragma once

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum {
	PEERS_SHARE = 4,          /* of all connections, 1/4 for one process */
	PEERS_PROCESSES_MAX = 64, /* told apart; more than that share one share */
};

/* One connection. */
struct peer {
	int fd;
	bool stranger;        /* may not ask */
	size_t process;       /* index of its count */
	atomic_uint requests; /* begun; odd: one is under way */
	unsigned seen;        /* `requests` when it was last looked at */
	bool hung_up;
	struct peer *next, **link;
};

struct peers {
	pthread_mutex_t mutex;
	struct peer *first;
	size_t count, max;
	struct {
		pid_t pid; /* 0: processes that we can't see, as those outside */
		size_t count;
	} processes[PEERS_PROCESSES_MAX];
};

int peers_open(struct peers *peers, size_t max);

/* All must have been removed. */
void peers_close(struct peers *peers);

/* NULL: its process has its share already, or there is no memory. */
struct peer *peers_add(struct peers *peers, int fd, pid_t pid);

/* While fd is still open; NULL is fine. */
void peers_remove(struct peers *peers, struct peer *peer);

/* A request begins and ends. */
void peer_begin(struct peer *peer);
void peer_end(struct peer *peer);

size_t peers_count(struct peers *peers);

/* Hangs up who has asked nothing since the last call, and is asking nothing. */
void peers_hang_up(struct peers *peers);
