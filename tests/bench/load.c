/* SPDX-License-Identifier: Apache-2.0 */
/*
 * load.c - closed-loop load on a plugin's socket, and how long each answer took.
 *
 *   load SOCKET PATH BODY-FILE CONNECTIONS REQUESTS [EVERY]
 *
 * One thread for each connection, one request in flight on it, as an engine does it. A new
 * connection after EVERY requests (0, the default: never); its time counts. Prints one JSON
 * object; times in microseconds. Exit code 1 if any request failed.
 */
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum { ANSWER_MAX = 65536, CONNECTIONS_MAX = 1024 };

/* What all clients share; nobody writes to it while they run. */
struct plan {
	struct sockaddr_un name;
	char *request;
	size_t len;
	long each; /* requests of one client */
	long every;
	pthread_barrier_t start;
};

struct client {
	struct plan *plan;
	pthread_t thread;
	int64_t *took_ns; /* of each answer */
	long answers, allow, deny, other, errors;
	int fd;
	char answer[ANSWER_MAX];
};

static int64_t
now_ns(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static void
hang_up(struct client *client)
{
	if (client->fd >= 0)
		(void)close(client->fd);
	client->fd = -1;
}

static int
dial(struct client *client)
{
	if (client->fd >= 0)
		return 0;
	client->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (client->fd >= 0 &&
	    connect(client->fd, (const struct sockaddr *)&client->plan->name,
	            sizeof client->plan->name) == 0)
		return 0;
	hang_up(client);
	return -1;
}

static int
send_request(struct client *client)
{
	size_t sent = 0;

	while (sent < client->plan->len) {
		ssize_t n = send(client->fd, client->plan->request + sent,
		                 client->plan->len - sent, MSG_NOSIGNAL);

		if (n <= 0)
			return -1;
		sent += (size_t)n;
	}
	return 0;
}

/* A whole answer with a Content-Length, NUL-terminated. Returns where its body begins. */
static const char *
read_answer(struct client *client)
{
	char *buf = client->answer, *body = NULL;
	size_t got = 0, need = 0;

	while (!body || got < need) {
		ssize_t n = recv(client->fd, buf + got, ANSWER_MAX - 1 - got, 0);

		if (n <= 0)
			return NULL;
		got += (size_t)n;
		buf[got] = '\0';
		body = body ? body : strstr(buf, "\r\n\r\n");
		if (body && need == 0) {
			const char *length = strcasestr(buf, "content-length:");

			body += 4;
			if (!length || length > body)
				return NULL;
			need = (size_t)(body - buf) + strtoul(length + 15, NULL, 10);
		}
	}
	return body;
}

static void
ask(struct client *client)
{
	int64_t begin = now_ns();
	const char *body = NULL;

	if (dial(client) == 0 && send_request(client) == 0)
		body = read_answer(client);
	if (!body) {
		client->errors++;
		hang_up(client);
		return;
	}
	client->took_ns[client->answers++] = now_ns() - begin;
	if (strstr(body, "\"Allow\":true"))
		client->allow++;
	else if (strstr(body, "\"Allow\":false"))
		client->deny++;
	else
		client->other++;
}

static void *
run(void *context)
{
	struct client *client = context;
	const struct plan *plan = client->plan;

	(void)dial(client);
	(void)pthread_barrier_wait(&client->plan->start);
	for (long i = 1; i <= plan->each; i++) {
		ask(client);
		if (plan->every > 0 && i % plan->every == 0)
			hang_up(client);
	}
	hang_up(client);
	return NULL;
}

static int
read_request(struct plan *plan, const char *path, const char *file_name)
{
	static const char head[] =
	    "POST %s HTTP/1.1\r\nHost: \r\n"
	    "User-Agent: Go-http-client/1.1\r\n"
	    "Content-Length: %ld\r\n"
	    "Accept: application/vnd.docker.plugins.v1.2+json\r\n\r\n";
	FILE *file = fopen(file_name, "r");
	long size;

	if (!file || fseek(file, 0, SEEK_END) != 0 || (size = ftell(file)) < 0)
		return -1;
	rewind(file);
	plan->request = malloc((size_t)size + sizeof head + strlen(path) + 32);
	if (!plan->request)
		return -1;
	plan->len = (size_t)sprintf(plan->request, head, path, size);
	plan->len += fread(plan->request + plan->len, 1, (size_t)size, file);
	return fclose(file);
}

static int
compare(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

/* All times, sorted; and the counts in `all`. */
static int64_t *
gather(struct client *clients, long count, struct client *all)
{
	int64_t *took;
	long n = 0;

	for (long i = 0; i < count; i++) {
		all->answers += clients[i].answers;
		all->allow += clients[i].allow;
		all->deny += clients[i].deny;
		all->other += clients[i].other;
		all->errors += clients[i].errors;
	}
	took = calloc((size_t)all->answers + 1, sizeof *took);
	for (long i = 0; took && i < count; i++) {
		memcpy(took + n, clients[i].took_ns,
		       (size_t)clients[i].answers * sizeof *took);
		n += clients[i].answers;
	}
	if (took)
		qsort(took, (size_t)n, sizeof *took, compare);
	return took;
}

static int
report(struct client *clients, long count, int64_t elapsed_ns)
{
	static struct client all;
	int64_t *took = gather(clients, count, &all);
	long n = all.answers;

	if (!took || n == 0) {
		(void)fprintf(stderr, "load: no answer\n");
		return 1;
	}
	(void)printf("{\"requests\":%ld,\"rps\":%.0f,\"p50_us\":%.2f,\"p99_us\":%.2f,"
	             "\"max_us\":%.2f,\"allow\":%ld,\"deny\":%ld,\"other\":%ld,"
	             "\"errors\":%ld}\n",
	             n, (double)n * 1e9 / (double)elapsed_ns, (double)took[n / 2] / 1e3,
	             (double)took[n * 99 / 100] / 1e3, (double)took[n - 1] / 1e3,
	             all.allow, all.deny, all.other, all.errors);
	return all.errors > 0;
}

int
main(int argc, char **argv)
{
	struct plan plan = {.name = {.sun_family = AF_UNIX}};
	struct client *clients;
	int64_t begin;
	long count;

	if (argc != 6 && argc != 7) {
		(void)fprintf(stderr, "usage: load SOCKET PATH BODY-FILE CONNECTIONS "
		                      "REQUESTS [EVERY]\n");
		return 2;
	}
	(void)snprintf(plan.name.sun_path, sizeof plan.name.sun_path, "%s", argv[1]);
	count = strtol(argv[4], NULL, 10);
	if (count < 1 || count > CONNECTIONS_MAX ||
	    read_request(&plan, argv[2], argv[3]) != 0) {
		(void)fprintf(stderr, "load: %s: can't be read\n", argv[3]);
		return 2;
	}
	plan.each = strtol(argv[5], NULL, 10) / count;
	plan.every = argc == 7 ? strtol(argv[6], NULL, 10) : 0;
	(void)pthread_barrier_init(&plan.start, NULL, (unsigned)count + 1);
	clients = calloc((size_t)count, sizeof *clients);
	for (long i = 0; clients && i < count; i++) {
		clients[i].plan = &plan;
		clients[i].fd = -1;
		clients[i].took_ns = calloc((size_t)plan.each + 1, sizeof(int64_t));
		if (!clients[i].took_ns ||
		    pthread_create(&clients[i].thread, NULL, run, &clients[i]) != 0)
			return 1;
	}
	if (!clients)
		return 1;
	(void)pthread_barrier_wait(&plan.start);
	begin = now_ns();
	for (long i = 0; i < count; i++)
		(void)pthread_join(clients[i].thread, NULL);
	return report(clients, count, now_ns() - begin);
}
