/* SPDX-License-Identifier: Apache-2.0 */
/* test_peers.c - tests edge/peers.h. */
#include "edge/peers.h"
#include "temporary.h"

#include <errno.h>
#include <sys/socket.h>

enum { MAX = 16, OURS = 0, THEIRS = 1 };

static void
make_pair(int fds[2])
{
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
}

static void
close_pair(const int fds[2])
{
	assert_int_equal(close(fds[OURS]), 0);
	assert_int_equal(close(fds[THEIRS]), 0);
}

static void
one_process_gets_its_share_and_no_more(void **state)
{
	struct peers peers;
	struct peer *greedy[MAX / PEERS_SHARE], *other;

	(void)state;
	assert_int_equal(peers_open(&peers, MAX), 0);
	for (size_t i = 0; i < MAX / PEERS_SHARE; i++) {
		greedy[i] = peers_add(&peers, -1, 100);
		assert_non_null(greedy[i]);
	}
	assert_null(peers_add(&peers, -1, 100));
	other = peers_add(&peers, -1, 200);
	assert_non_null(other);
	assert_int_equal(peers_count(&peers), MAX / PEERS_SHARE + 1);
	peers_remove(&peers, greedy[1]);
	greedy[1] = peers_add(&peers, -1, 100);
	assert_non_null(greedy[1]);
	for (size_t i = 0; i < MAX / PEERS_SHARE; i++)
		peers_remove(&peers, greedy[i]);
	peers_remove(&peers, other);
	peers_remove(&peers, NULL);
	assert_int_equal(peers_count(&peers), 0);
	peers_close(&peers);
}

static void
processes_that_cannot_be_told_apart_share_one_share(void **state)
{
	enum { MANY = 4 * PEERS_PROCESSES_MAX };
	struct peer *all[MANY];
	struct peers peers;
	size_t taken = 0;

	(void)state;
	assert_int_equal(peers_open(&peers, MAX), 0);
	for (pid_t pid = 1; pid <= MANY; pid++) {
		struct peer *peer = peers_add(&peers, -1, pid);

		if (peer)
			all[taken++] = peer;
	}
	assert_int_equal(taken, PEERS_PROCESSES_MAX - 1 + MAX / PEERS_SHARE);
	while (taken > 0)
		peers_remove(&peers, all[--taken]);
	assert_non_null(all[0] = peers_add(&peers, -1, MANY));
	peers_remove(&peers, all[0]);
	peers_close(&peers);
}

/* What the other side of a connection meets when it sends. */
static bool
can_send(int fd)
{
	return send(fd, "x", 1, MSG_NOSIGNAL | MSG_DONTWAIT) == 1;
}

static void
idle_connection_is_hung_up_at_the_second_look(void **state)
{
	struct peers peers;
	struct peer *peer;
	int fds[2];

	(void)state;
	make_pair(fds);
	assert_int_equal(peers_open(&peers, MAX), 0);
	peer = peers_add(&peers, fds[OURS], 1);
	peers_hang_up(&peers);
	assert_false(peer->hung_up);
	peers_hang_up(&peers);
	assert_true(peer->hung_up);
	assert_false(can_send(fds[THEIRS]));
	assert_int_equal(errno, EPIPE);
	assert_true(can_send(fds[OURS])); /* an answer still goes out */
	peers_remove(&peers, peer);
	peers_close(&peers);
	close_pair(fds);
}

static void
connection_with_a_request_is_not_hung_up(void **state)
{
	struct peers peers;
	struct peer *peer;
	char byte;
	int fds[2];

	(void)state;
	make_pair(fds);
	assert_int_equal(peers_open(&peers, MAX), 0);
	peer = peers_add(&peers, fds[OURS], 1);
	peer_begin(peer); /* under way */
	peer_begin(peer);
	for (int look = 0; look < 3; look++)
		peers_hang_up(&peers);
	assert_true(can_send(fds[THEIRS]));
	assert_int_equal(recv(fds[OURS], &byte, 1, 0), 1);
	peer_end(peer); /* over, but there was one since the last look */
	peer_end(peer);
	peers_hang_up(&peers);
	assert_true(can_send(fds[THEIRS])); /* and now one that waits to be read */
	for (int look = 0; look < 3; look++)
		peers_hang_up(&peers);
	assert_false(peer->hung_up);
	assert_int_equal(recv(fds[OURS], &byte, 1, 0), 1);
	peers_hang_up(&peers);
	assert_true(peer->hung_up);
	assert_false(can_send(fds[THEIRS]));
	peers_remove(&peers, peer);
	peers_close(&peers);
	close_pair(fds);
}

static void
what_was_sent_before_it_was_hung_up_is_still_read(void **state)
{
	struct peers peers;
	struct peer *peer;
	char bytes[8];
	int fds[2];

	(void)state;
	make_pair(fds);
	assert_int_equal(peers_open(&peers, MAX), 0);
	peer = peers_add(&peers, fds[OURS], 1);
	assert_true(can_send(fds[THEIRS]));
	/* as if it had come between the look and the shutdown */
	assert_int_equal(shutdown(fds[OURS], SHUT_RD), 0);
	assert_int_equal(recv(fds[OURS], bytes, sizeof bytes, 0), 1);
	assert_int_equal(recv(fds[OURS], bytes, sizeof bytes, 0), 0);
	peers_remove(&peers, peer);
	peers_close(&peers);
	close_pair(fds);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(one_process_gets_its_share_and_no_more),
	    cmocka_unit_test(processes_that_cannot_be_told_apart_share_one_share),
	    cmocka_unit_test(idle_connection_is_hung_up_at_the_second_look),
	    cmocka_unit_test(connection_with_a_request_is_not_hung_up),
	    cmocka_unit_test(what_was_sent_before_it_was_hung_up_is_still_read),
	};

	return cmocka_run_group_tests_name("peers", tests, NULL, NULL);
}
