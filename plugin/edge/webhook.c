/* SPDX-License-Identifier: Apache-2.0 */
/* webhook.c - the port, the certificate and the server of the Kubernetes door. */
#include "edge/webhook.h"

#include "edge/file.h"
#include "edge/http_webhook.h"

#include <stdlib.h>
#include <sys/timerfd.h>
#include <unistd.h>

enum { LOOK_S = 1 }; /* how often the certificate's files are looked at */

struct webhook {
	const char *name;
	int timer;
	struct tls_store *tls;
	struct http_webhook *http;
};

static int
start_timer(struct webhook *webhook, struct err *err)
{
	const struct timespec step = {.tv_sec = LOOK_S};
	const struct itimerspec time = {.it_interval = step, .it_value = step};

	webhook->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (webhook->timer < 0 || timerfd_settime(webhook->timer, 0, &time, NULL) != 0)
		return err_set(err, ERR_SYSTEM, "no timer: %m");
	return 0;
}

static int
start(struct webhook *webhook, const struct webhook_options *options, struct err *err)
{
	struct http_webhook_options http = {
	    .store = options->store,
	    .record = options->record,
	    .log = options->log,
	    .metrics = options->metrics,
	    .admin = options->admin,
	    .host = options->host,
	    .record_all = options->record_all,
	    .clock_floor_us = options->clock_floor_us,
	};

	webhook->name = options->name;
	if (start_timer(webhook, err) != 0 ||
	    tls_store_open(options->tls, options->log, &webhook->tls, err) != 0)
		return -1;
	http.fd = options->fd;
	http.tls = webhook->tls;
	options->admin->tls = webhook->tls;
	return http_webhook_start(&http, &webhook->http, err);
}

int
webhook_open(const struct webhook_options *options, struct webhook **ret_webhook,
             struct err *err)
{
	struct webhook *webhook = calloc(1, sizeof *webhook);

	if (!webhook)
		return err_set(err, ERR_MEMORY, "--webhook-listen: out of memory");
	webhook->timer = -1;
	if (start(webhook, options, err) != 0) {
		options->admin->tls = NULL;
		webhook_close(webhook);
		return err_wrap(err, "--webhook-listen");
	}
	*ret_webhook = webhook;
	return 0;
}

void
webhook_say(const struct webhook *webhook, const struct log *log)
{
	log_info(log, "serving https://%s" WEBHOOK_PATH " as admission webhook, to %s",
	         webhook->name,
	         tls_store_asks(webhook->tls) ? "callers with a client certificate"
	                                      : "anybody who reaches it");
}

void
webhook_poll(const struct webhook *webhook, struct pollfd ret_fds[WEBHOOK_FDS])
{
	ret_fds[0] = (struct pollfd){.fd = webhook->timer, .events = POLLIN};
	ret_fds[1] =
	    (struct pollfd){.fd = http_webhook_timer_fd(webhook->http), .events = POLLIN};
}

void
webhook_polled(struct webhook *webhook, const struct pollfd fds[WEBHOOK_FDS])
{
	uint64_t times;

	if (fds[0].revents && read(webhook->timer, &times, sizeof times) > 0)
		webhook_reload(webhook);
	if (fds[1].revents)
		http_webhook_expire(webhook->http);
}

void
webhook_reload(struct webhook *webhook)
{
	tls_store_look(webhook->tls);
}

void
webhook_quiesce(struct webhook *webhook)
{
	http_webhook_quiesce(webhook->http);
}

bool
webhook_busy(const struct webhook *webhook)
{
	return http_webhook_pending(webhook->http) > 0;
}

void
webhook_close(struct webhook *webhook)
{
	if (!webhook)
		return;
	http_webhook_stop(webhook->http);
	tls_store_close(webhook->tls);
	file_close(&webhook->timer);
	free(webhook);
}
