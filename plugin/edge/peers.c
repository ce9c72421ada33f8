/* SPDX-License-Identifier: Apache-2.0 */
/* peers.c - counts connections by process, and hangs up those that are idle. */
#include "edge/peers.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>

int
peers_open(struct peers *peers, size_t max)
{
	*peers = (struct peers){.max = max};
	return pthread_mutex_init(&peers->mutex, NULL) ? -1 : 0;
}

void
peers_close(struct peers *peers)
{
	(void)pthread_mutex_destroy(&peers->mutex);
}

/* The index of a process, or of a free place; the last one is shared by the rest. */
static size_t
find_process(const struct peers *peers, pid_t pid)
{
	size_t unused = PEERS_PROCESSES_MAX - 1;

	for (size_t i = 0; i < PEERS_PROCESSES_MAX - 1; i++) {
		if (peers->processes[i].count == 0)
			unused = unused < i ? unused : i;
		else if (peers->processes[i].pid == pid)
			return i;
	}
	return unused;
}

struct peer *
peers_add(struct peers *peers, int fd, pid_t pid)
{
	struct peer *peer = calloc(1, sizeof *peer);
	size_t process;

	if (!peer)
		return NULL;
	(void)pthread_mutex_lock(&peers->mutex);
	process = find_process(peers, pid);
	if (peers->processes[process].count >= peers->max / PEERS_SHARE) {
		(void)pthread_mutex_unlock(&peers->mutex);
		free(peer);
		return NULL;
	}
	peers->processes[process].pid = pid;
	peers->processes[process].count++;
	peers->count++;
	peer->fd = fd;
	peer->process = process;
	peer->next = peers->first;
	peer->link = &peers->first;
	if (peer->next)
		peer->next->link = &peer->next;
	peers->first = peer;
	(void)pthread_mutex_unlock(&peers->mutex);
	return peer;
}

void
peers_remove(struct peers *peers, struct peer *peer)
{
	if (!peer)
		return;
	(void)pthread_mutex_lock(&peers->mutex);
	peers->processes[peer->process].count--;
	peers->count--;
	*peer->link = peer->next;
	if (peer->next)
		peer->next->link = peer->link;
	(void)pthread_mutex_unlock(&peers->mutex);
	free(peer);
}

void
peer_begin(struct peer *peer)
{
	atomic_fetch_or(&peer->requests, 1U);
}

void
peer_end(struct peer *peer)
{
	if (atomic_load(&peer->requests) & 1U)
		atomic_fetch_add(&peer->requests, 1U);
}

size_t
peers_count(struct peers *peers)
{
	size_t count;

	(void)pthread_mutex_lock(&peers->mutex);
	count = peers->count;
	(void)pthread_mutex_unlock(&peers->mutex);
	return count;
}

/* True if nothing was sent that the server has not taken yet. */
static bool
is_empty(int fd)
{
	char byte;

	return recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 &&
	       (errno == EAGAIN || errno == EWOULDBLOCK);
}

/*
 * Twice in a row without a request: else one whose first bytes were just taken would be
 * torn, since the rest could not be sent any more.
 */
static void
look_at(struct peer *peer)
{
	unsigned requests = atomic_load(&peer->requests);
	bool again = peer->seen == requests + 2; /* never what it begins with */

	peer->seen = requests + 2;
	if (!again || (requests & 1U) || peer->hung_up || !is_empty(peer->fd))
		return;
	peer->hung_up = true;
	(void)shutdown(peer->fd, SHUT_RD);
}

void
peers_hang_up(struct peers *peers)
{
	(void)pthread_mutex_lock(&peers->mutex);
	for (struct peer *peer = peers->first; peer; peer = peer->next)
		look_at(peer);
	(void)pthread_mutex_unlock(&peers->mutex);
}
