/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hammer.c - asks the judge without a pause, and checks every answer.
 *
 * hammer [OPTION]... SOCKET
 *   -n N   questions in all (default: without end)      -s S  seconds (without end)
 *   -c N   connections at once (4)                      -p N  questions sent ahead (1)
 *   -d N   each N-th question is to be denied (20)      -r    a connection per question
 *   -w S   seconds that a missing socket is waited for (30)
 *
 * A question is lost when it was sent whole and its connection ended without an answer,
 * or when nobody took it for -w seconds. One that could not be sent (EPIPE) is sent again,
 * as Go's http.Transport does. Prints one line of NAME=NUMBER and exits with 0 if no
 * answer was wrong and nothing was lost, with 1 if not.
 */
#include <errno.h>
#include <getopt.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum { BUFFER = 256 * 1024, AHEAD_MAX = 64, CONNECTIONS_MAX = 256 };

static struct {
	const char *path;
	long questions, seconds, connections, ahead, deny_every, wait_s;
	bool each_anew;
} options = {
    .questions = -1, .connections = 4, .ahead = 1, .deny_every = 20, .wait_s = 30};

static atomic_long asked, allowed, denied, refused, lost, wrong, resent, connected;
static atomic_llong longest_us;
static long long end_us;

/* {"Image":"x","HostConfig":{}} and with "SecurityOpt":["seccomp=unconfined"] */
static const char *const bodies[] = {
    "{\"RequestMethod\":\"GET\",\"RequestUri\":\"/v1.41/containers/json\"}",
    "{\"RequestMethod\":\"POST\",\"RequestUri\":\"/v1.41/containers/create\","
    "\"RequestBody\":\"eyJJbWFnZSI6IngiLCJIb3N0Q29uZmlnIjp7fX0=\"}",
    "{\"RequestMethod\":\"POST\",\"RequestUri\":\"/v1.41/containers/create\","
    "\"RequestBody\":\"eyJJbWFnZSI6IngiLCJIb3N0Q29uZmlnIjp7IlNlY3VyaXR5T3B0IjpbInNlY2"
    "NvbXA9dW5jb25maW5lZCJdfX0=\"}",
};
enum { PS, PLAIN, UNCONFINED, KINDS };
static char questions[KINDS][1024];
static size_t lengths[KINDS];

struct client {
	int fd;
	long turn;
	char in[BUFFER];
	size_t len;
};

static long long
now_us(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000LL + now.tv_nsec / 1000;
}

static void
make_questions(void)
{
	for (int kind = 0; kind < KINDS; kind++)
		lengths[kind] = (size_t)snprintf(
		    questions[kind], sizeof questions[kind],
		    "POST /AuthZPlugin.AuthZReq HTTP/1.1\r\nHost: \r\n"
		    "User-Agent: Go-http-client/1.1\r\nContent-Length: %zu\r\n"
		    "Accept: application/vnd.docker.plugins.v1.2+json\r\n\r\n%s",
		    strlen(bodies[kind]), bodies[kind]);
}

static int
kind_of(long turn)
{
	if (options.deny_every > 0 && turn % options.deny_every == 0)
		return UNCONFINED;
	return turn % 2 ? PLAIN : PS;
}

/* True once connected; false if nobody listened for as long as we wait. */
static bool
join(struct client *client)
{
	struct sockaddr_un name = {.sun_family = AF_UNIX};
	long long until = now_us() + options.wait_s * 1000000LL;

	if (client->fd >= 0)
		return true;
	client->len = 0;
	(void)snprintf(name.sun_path, sizeof name.sun_path, "%.100s", options.path);
	do {
		client->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
		if (connect(client->fd, (struct sockaddr *)&name, sizeof name) == 0) {
			atomic_fetch_add(&connected, 1);
			return true;
		}
		(void)close(client->fd);
		client->fd = -1;
		(void)usleep(2000);
	} while (now_us() < until);
	return false;
}

static void
leave(struct client *client)
{
	if (client->fd >= 0)
		(void)close(client->fd);
	client->fd = -1;
}

/* The length of the first whole answer in the buffer; 0: there is none yet. */
static size_t
whole_answer(struct client *client)
{
	char *end, *length;

	client->in[client->len] = '\0';
	end = strstr(client->in, "\r\n\r\n");
	length = strcasestr(client->in, "content-length:");
	if (!end || !length || length > end)
		return 0;
	end += 4 + strtol(length + strlen("content-length:"), NULL, 10);
	return end <= client->in + client->len ? (size_t)(end - client->in) : 0;
}

/* Counts one answer. Returns false if it is the last one of its connection. */
static bool
take_answer(const char *answer, int kind)
{
	bool allow = strstr(answer, "{\"Allow\":true}") != NULL;

	if (strncmp(answer, "HTTP/1.1 200", 12) != 0)
		atomic_fetch_add(allow ? &wrong : &refused, 1);
	else if (allow)
		atomic_fetch_add(kind == UNCONFINED ? &wrong : &allowed, 1);
	else if (kind == UNCONFINED)
		atomic_fetch_add(&denied, 1);
	else
		atomic_fetch_add(&refused, 1);
	return strcasestr(answer, "connection: close") == NULL;
}

/* How many of `count` answers came; the connection is closed where not all did. */
static long
read_answers(struct client *client, long first, long count)
{
	long got = 0;

	while (got < count) {
		size_t len = whole_answer(client);
		ssize_t more;
		bool stays;
		char kept;

		if (len > 0) {
			kept = client->in[len];
			client->in[len] = '\0';
			stays = take_answer(client->in, kind_of(first + got));
			client->in[len] = kept;
			memmove(client->in, client->in + len, client->len - len);
			client->len -= len;
			got++;
			if (stays)
				continue;
			leave(client);
			return got;
		}
		more = recv(client->fd, client->in + client->len,
		            BUFFER - 1 - client->len, 0);
		if (more <= 0)
			break;
		client->len += (size_t)more;
	}
	if (got < count)
		leave(client);
	return got;
}

/* Sends questions first..first+count-1. Returns how many were sent, none in part. */
static long
send_questions(struct client *client, long first, long count)
{
	char out[AHEAD_MAX * 1024];
	size_t len = 0, ends[AHEAD_MAX], sent = 0;
	long whole = 0;

	for (long i = 0; i < count; i++) {
		int kind = kind_of(first + i);

		memcpy(out + len, questions[kind], lengths[kind]);
		ends[i] = len += lengths[kind];
	}
	while (sent < len) {
		ssize_t more = send(client->fd, out + sent, len - sent, MSG_NOSIGNAL);

		if (more <= 0)
			break;
		sent += (size_t)more;
	}
	while (whole < count && ends[whole] <= sent)
		whole++;
	return whole;
}

/* Asks `count` questions until each is answered or lost. */
static void
ask(struct client *client, long count)
{
	long left = count, first = client->turn;

	client->turn += count;
	while (left > 0) {
		long sent, got;

		if (!join(client)) {
			atomic_fetch_add(&lost, left);
			return;
		}
		sent = send_questions(client, first, left);
		got = sent > 0 ? read_answers(client, first, sent) : 0;
		if (client->fd < 0 && got < sent && options.ahead == 1) {
			atomic_fetch_add(&lost, sent - got);
			got = sent;
		}
		if (got < left) { /* what was sent ahead of an end is not lost */
			atomic_fetch_add(&resent, left - got);
			leave(client);
		}
		first += got;
		left -= got;
	}
	if (options.each_anew)
		leave(client);
}

static void *
run(void *argument)
{
	struct client *client = calloc(1, sizeof *client);
	long before;

	(void)argument;
	if (!client)
		return NULL;
	client->fd = -1;
	while (end_us == 0 || now_us() < end_us) {
		long long begin = now_us(), took;

		before = atomic_fetch_add(&asked, options.ahead);
		if (options.questions >= 0 && before >= options.questions) {
			atomic_fetch_sub(&asked, options.ahead);
			break;
		}
		ask(client, options.ahead);
		took = now_us() - begin;
		if (took > atomic_load(&longest_us))
			atomic_store(&longest_us, took);
	}
	leave(client);
	free(client);
	return NULL;
}

static int
read_options(int argc, char **argv)
{
	long *const numbers[] = {['n'] = &options.questions,   ['s'] = &options.seconds,
	                         ['c'] = &options.connections, ['p'] = &options.ahead,
	                         ['d'] = &options.deny_every,  ['w'] = &options.wait_s};
	int c;

	while ((c = getopt(argc, argv, "n:s:c:p:d:w:r")) != -1) {
		if (c == '?')
			return -1;
		if (c == 'r')
			options.each_anew = true;
		else
			*numbers[c] = strtol(optarg, NULL, 10);
	}
	options.path = argv[optind];
	return options.path && options.ahead >= 1 && options.ahead <= AHEAD_MAX &&
	               options.connections >= 1 && options.connections <= CONNECTIONS_MAX
	           ? 0
	           : -1;
}

int
main(int argc, char **argv)
{
	pthread_t threads[CONNECTIONS_MAX];
	long long begin = now_us();

	if (read_options(argc, argv)) {
		(void)fprintf(stderr, "usage: see the head of hammer.c\n");
		return 2;
	}
	make_questions();
	if (options.seconds > 0)
		end_us = begin + options.seconds * 1000000LL;
	for (long i = 0; i < options.connections; i++) {
		if (pthread_create(&threads[i], NULL, run, NULL))
			return 2;
	}
	for (long i = 0; i < options.connections; i++)
		(void)pthread_join(threads[i], NULL);
	(void)printf("asked=%ld allowed=%ld denied=%ld refused=%ld lost=%ld wrong=%ld "
	             "resent=%ld connected=%ld longest_ms=%lld seconds=%.1f\n",
	             atomic_load(&asked), atomic_load(&allowed), atomic_load(&denied),
	             atomic_load(&refused), atomic_load(&lost), atomic_load(&wrong),
	             atomic_load(&resent), atomic_load(&connected),
	             atomic_load(&longest_us) / 1000,
	             (double)(now_us() - begin) / 1000000);
	return atomic_load(&wrong) > 0 || atomic_load(&lost) > 0;
}
