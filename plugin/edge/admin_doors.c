/* SPDX-License-Identifier: Apache-2.0 */
/* admin_doors.c - opens and closes the places where the judge tells about itself. */
#include "edge/admin_doors.h"

#include "edge/file.h"

void
admin_doors_listen(struct admin_doors *doors, const struct options *options,
                   const struct log *log)
{
	struct err err = {0};

	if (options->metrics_at.len == 0)
		return;
	doors->metrics_fd = tcp_listen(&options->metrics_at, doors->metrics_name, &err);
	if (doors->metrics_fd < 0)
		log_error(log, "--metrics-listen: %s", err.text);
}

static int
serve_socket(struct admin_doors *doors, const char *path, const struct admin *admin,
             struct err *err)
{
	struct http_admin_options http = {.admin = admin, .trusted = true};

	if (listen_make(path, &doors->listener, err) != 0)
		return -1;
	http.fd = doors->listener.fd;
	return http_admin_start(&http, &doors->http, err);
}

static int
serve_metrics(struct admin_doors *doors, const struct admin *admin, struct err *err)
{
	struct http_admin_options http = {.fd = doors->metrics_fd, .admin = admin};

	return http_admin_start(&http, &doors->metrics_http, err);
}

void
admin_doors_serve(struct admin_doors *doors, const struct options *options,
                  const struct admin *admin, const struct log *log)
{
	const char *path = options->admin_socket;
	struct err err = {0};

	if (path && serve_socket(doors, path, admin, &err) != 0)
		log_error(log, "there is no admin socket: %s", err.text);
	else if (path)
		log_info(log, "admin socket: %s", path);
	err = (struct err){0};
	if (doors->metrics_fd >= 0 && serve_metrics(doors, admin, &err) != 0)
		log_error(log, "--metrics-listen: %s", err.text);
	else if (doors->metrics_fd >= 0)
		log_info(log, "metrics: http://%s/metrics", doors->metrics_name);
}

void
admin_doors_close(struct admin_doors *doors)
{
	http_admin_stop(doors->http);
	http_admin_stop(doors->metrics_http);
	listen_close(&doors->listener);
	file_close(&doors->metrics_fd);
}
