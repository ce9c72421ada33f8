/* SPDX-License-Identifier: Apache-2.0 */
/* test_listen.c - tests edge/listen.h. */
#include "edge/listen.h"
#include "temporary.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

/* A socket bound to `path`; listening if `backlog` is not negative. */
static int
bound(const char *path, int type, int backlog)
{
	struct sockaddr_un name = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);

	(void)snprintf(name.sun_path, sizeof name.sun_path, "%.100s", path);
	assert_int_equal(bind(fd, (struct sockaddr *)&name, sizeof name), 0);
	if (backlog >= 0)
		assert_int_equal(listen(fd, backlog), 0);
	return fd;
}

static int
connected(const char *path)
{
	struct sockaddr_un name = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	(void)snprintf(name.sun_path, sizeof name.sun_path, "%.100s", path);
	if (connect(fd, (struct sockaddr *)&name, sizeof name) == 0)
		return fd;
	(void)close(fd);
	return -1;
}

static bool
exists(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0;
}

static void
socket_is_made_with_its_folder_and_private(void **state)
{
	const char *path = in_folder("a/b/judge.sock");
	struct listener listener;
	struct err err = {0};
	struct stat st;
	int client, fd;

	(void)state;
	(void)umask(0);
	assert_int_equal(listen_make(path, &listener, &err), 0);
	assert_int_equal(umask(022), 0);
	assert_int_equal(lstat(path, &st), 0);
	assert_int_equal(st.st_mode, S_IFSOCK | 0600);
	assert_int_equal(stat(in_folder("a/b"), &st), 0);
	assert_int_equal(st.st_mode, S_IFDIR | 0755);
	assert_true(listener.made);
	assert_string_equal(listener.path, path);
	assert_int_equal(fcntl(listener.fd, F_GETFD), FD_CLOEXEC);
	assert_true(fcntl(listener.fd, F_GETFL) & O_NONBLOCK);
	client = connected(path);
	fd = accept(listener.fd, NULL, NULL);
	assert_true(client >= 0 && fd >= 0);
	(void)close(client);
	(void)close(fd);
	listen_close(&listener);
	assert_false(exists(path));
	assert_int_equal(listener.fd, -1);
	listen_close(&listener);
}

static void
stale_socket_is_replaced(void **state)
{
	const char *path = in_folder("judge.sock");
	struct listener listener;
	struct err err = {0};

	(void)state;
	(void)close(bound(path, SOCK_STREAM, 1));
	assert_true(exists(path));
	assert_int_equal(listen_make(path, &listener, &err), 0);
	listen_close(&listener);
}

static void
assert_refused(const char *path, const char *why)
{
	struct listener listener;
	struct err err = {0};

	assert_int_equal(listen_make(path, &listener, &err), -1);
	if (strncmp(err.text, path, strlen(path)) != 0 || !strstr(err.text, why))
		fail_msg("wanted %s: %s, got %s", path, why, err.text);
}

static void
live_socket_is_refused_and_stays(void **state)
{
	const char *path = in_folder("judge.sock");
	int fd = bound(path, SOCK_STREAM, 8), client;

	(void)state;
	assert_refused(path, "another process serves this socket");
	client = connected(path);
	assert_true(client >= 0);
	(void)close(client);
	(void)close(fd);
}

static void
live_socket_with_a_full_backlog_is_refused(void **state)
{
	const char *path = in_folder("judge.sock");
	int fd = bound(path, SOCK_STREAM, 0), clients[4];

	(void)state;
	for (size_t i = 0; i < 4; i++)
		clients[i] = connected(path);
	assert_int_equal(clients[3], -1);
	assert_refused(path, "another process serves this socket");
	for (size_t i = 0; i < 3; i++) {
		if (clients[i] >= 0)
			(void)close(clients[i]);
	}
	(void)close(fd);
}

static void
what_is_no_stream_socket_is_refused_and_stays(void **state)
{
	int fd = bound(in_folder("datagram"), SOCK_DGRAM, -1);

	(void)state;
	write_file(in_folder("file"), TEXT_LIT("x"), 0);
	assert_int_equal(mkdir(in_folder("sub"), 0700), 0);
	assert_int_equal(symlink("nowhere", in_folder("link")), 0);
	assert_refused(in_folder("file"), "exists and is no socket");
	assert_refused(in_folder("sub"), "exists and is no socket");
	assert_refused(in_folder("link"), "exists and is no socket");
	assert_refused(in_folder("datagram"), "can't tell whether it is served");
	assert_refused(in_folder("file/judge.sock"), "folder");
	assert_true(exists(in_folder("file")) && exists(in_folder("datagram")));
	assert_true(exists(in_folder("link")));
	(void)close(fd);
}

static void
path_too_long_is_refused(void **state)
{
	struct listener listener;
	struct err err = {0};
	char path[109];

	(void)state;
	memset(path, 'x', sizeof path);
	path[0] = '/';
	path[108] = '\0';
	assert_refused(path, "path too long: 108 bytes, a socket may have 107");
	assert_int_equal(listen_make("", &listener, &err), -1);
	assert_string_equal(err.text, "socket: the path is empty");
}

static void
socket_that_is_another_ones_by_now_is_not_removed(void **state)
{
	const char *path = in_folder("judge.sock");
	struct listener first, second;
	struct err err = {0};

	(void)state;
	assert_int_equal(listen_make(path, &first, &err), 0);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(listen_make(path, &second, &err), 0);
	listen_close(&first);
	assert_true(exists(path));
	listen_close(&second);
	assert_false(exists(path));
}

/* What a service manager hands over, in a child: descriptor 3 and the variables. */
struct handed {
	const char *name;
	int type;    /* 0: a file instead */
	int backlog; /* -1: not listening */
	const char *fds;
	bool other_pid;
	int result;
	const char *why; /* a part of the error */
};

static int
adopt_in_child(const struct handed *row)
{
	struct listener listener = {.fd = -1};
	struct err err = {0};
	char pid[32];
	int fd = row->type == 0 ? open("/dev/null", O_RDONLY)
	                        : bound(in_folder("judge.sock"), row->type, row->backlog);

	if (dup2(fd, 3) != 3)
		return 10;
	(void)snprintf(pid, sizeof pid, "%d", (int)getpid() + (row->other_pid ? 1 : 0));
	(void)setenv("LISTEN_PID", pid, 1);
	if (row->fds)
		(void)setenv("LISTEN_FDS", row->fds, 1);
	(void)setenv("LISTEN_FDNAMES", "x", 1);
	if (listen_adopt(&listener, &err) != row->result)
		return 11;
	if (getenv("LISTEN_PID") || getenv("LISTEN_FDS") || getenv("LISTEN_FDNAMES"))
		return 12;
	if (row->result != 1)
		return strstr(err.text, row->why) ? 0 : 13;
	if (listener.fd != 3 || fcntl(3, F_GETFD) != FD_CLOEXEC ||
	    !(fcntl(3, F_GETFL) & O_NONBLOCK) || listener.made)
		return 14;
	if (strcmp(listener.path, in_folder("judge.sock")) != 0)
		return 15;
	listen_close(&listener);
	return exists(in_folder("judge.sock")) ? 0 : 16;
}

static void
only_one_listening_stream_socket_for_us_is_adopted(void **state)
{
	static const struct handed rows[] = {
	    {"good", SOCK_STREAM, 1, "1", false, 1, ""},
	    {"for another", SOCK_STREAM, 1, "1", true, 0, ""},
	    {"none", SOCK_STREAM, 1, "0", false, 0, ""},
	    {"not set", SOCK_STREAM, 1, NULL, false, 0, ""},
	    {"two", SOCK_STREAM, 1, "2", false, -1, "one socket is wanted"},
	    {"no number", SOCK_STREAM, 1, "1x", false, -1, "one socket is wanted"},
	    {"not listening", SOCK_STREAM, -1, "1", false, -1, "is no listening Unix"},
	    {"datagram", SOCK_DGRAM, -1, "1", false, -1, "is no listening Unix"},
	    {"a file", 0, 0, "1", false, -1, "is no listening Unix"},
	};
	int status;

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		pid_t child = fork();

		if (child == 0)
			_exit(adopt_in_child(&rows[i]));
		assert_int_equal(waitpid(child, &status, 0), child);
		if (status != 0)
			fail_msg("%s: %d", rows[i].name, WEXITSTATUS(status));
		(void)unlink(in_folder("judge.sock"));
	}
}

static void
peer_is_who_connected(void **state)
{
	uid_t uid = 12345;
	pid_t pid = 0;
	int ends[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	assert_int_equal(listen_peer(ends[0], &uid, &pid), 0);
	assert_int_equal(uid, geteuid());
	assert_int_equal(pid, getpid());
	(void)close(ends[0]);
	(void)close(ends[1]);
	assert_int_equal(listen_peer(test_log.fd, &uid, &pid), -1);
}

static void
state_is_told_to_the_service_manager(void **state)
{
	static const char *const names[] = {"file", "@seccomp-authz-test-notify"};
	struct sockaddr_un name;
	char got[64];

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		const char *path = i == 0 ? in_folder("notify") : names[i];
		int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

		name = (struct sockaddr_un){.sun_family = AF_UNIX};
		memcpy(name.sun_path, path, strlen(path));
		if (path[0] == '@')
			name.sun_path[0] = '\0';
		assert_int_equal(bind(fd, (struct sockaddr *)&name,
		                      (socklen_t)(offsetof(struct sockaddr_un, sun_path) +
		                                  strlen(path))),
		                 0);
		assert_int_equal(setenv("NOTIFY_SOCKET", path, 1), 0);
		listen_notify("READY=1");
		assert_int_equal(recv(fd, got, sizeof got, MSG_DONTWAIT), 7);
		assert_memory_equal(got, "READY=1", 7);
		(void)close(fd);
	}
	assert_int_equal(setenv("NOTIFY_SOCKET", "relative", 1), 0);
	listen_notify("READY=1");
	assert_int_equal(unsetenv("NOTIFY_SOCKET"), 0);
	listen_notify("READY=1");
}

#define in_a_folder(test)                                                                \
	cmocka_unit_test_setup_teardown(test, make_folder, remove_folder)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    in_a_folder(socket_is_made_with_its_folder_and_private),
	    in_a_folder(stale_socket_is_replaced),
	    in_a_folder(live_socket_is_refused_and_stays),
	    in_a_folder(live_socket_with_a_full_backlog_is_refused),
	    in_a_folder(what_is_no_stream_socket_is_refused_and_stays),
	    in_a_folder(path_too_long_is_refused),
	    in_a_folder(socket_that_is_another_ones_by_now_is_not_removed),
	    in_a_folder(only_one_listening_stream_socket_for_us_is_adopted),
	    in_a_folder(peer_is_who_connected),
	    in_a_folder(state_is_told_to_the_service_manager),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
