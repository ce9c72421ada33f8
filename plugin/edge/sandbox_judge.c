/* SPDX-License-Identifier: Apache-2.0 */
/* sandbox_judge.c - the judge's options -> the folders that stay open to it. */
#include "edge/sandbox_judge.h"

#include "edge/listen.h"
#include "edge/policy_keep.h"
#include "edge/policy_store.h"
#include "edge/record_open.h"
#include "edge/record_spec.h"

#include <stdlib.h>
#include <string.h>

/* A record's file; other sinks need none. */
static void
add_record(struct sandbox_plan *plan, const char *sink)
{
	static const char prefix[] = "file:";
	struct record_spec spec;

	if (strncmp(sink, prefix, strlen(prefix)) != 0 ||
	    record_spec_read(sink + strlen(prefix), &spec, NULL))
		return; /* what is wrong with it is said when it is opened */
	sandbox_plan_add(plan, SANDBOX_WRITE, RECORD_FOLDER_MODE, spec.path);
}

static void
add_state(struct sandbox_plan *plan, const char *folder)
{
	cleanup_buf struct buf path = {0};

	buf_printf(&path, "%s/%s", folder, POLICY_KEEP_COPY);
	if (buf_ok(&path))
		sandbox_plan_add(plan, SANDBOX_WRITE, POLICY_KEEP_FOLDER_MODE, path.at);
	else
		plan->failed = true;
}

static void
add_tls(struct sandbox_plan *plan, const struct tls_files *tls)
{
	const char *files[] = {tls->cert, tls->key, tls->client_ca};

	for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
		if (files[i])
			sandbox_plan_add(plan, SANDBOX_READ, 0, files[i]);
	}
}

static void
plan_judge(struct sandbox_plan *plan, const struct options *options, bool adopted)
{
	const char *manager = getenv("NOTIFY_SOCKET");

	sandbox_plan_add(plan, SANDBOX_READ, 0,
	                 options->policy ? options->policy : POLICY_DEFAULT_PATH);
	add_state(plan, options->state_dir);
	add_tls(plan, &options->tls);
	for (size_t i = 0; i < options->record_count; i++)
		add_record(plan, options->records[i]);
	if (options->record_count == 0)
		add_record(plan, "file:" RECORD_DEFAULT_PATH);
	/* as open_socket(): with the webhook alone there is none */
	if (!adopted && (options->socket || options->webhook_at.len == 0))
		sandbox_plan_add(plan, SANDBOX_SOCKET, LISTEN_FOLDER_MODE,
		                 options->socket ? options->socket : LISTEN_DEFAULT_PATH);
	if (options->admin_socket)
		sandbox_plan_add(plan, SANDBOX_SOCKET, LISTEN_FOLDER_MODE,
		                 options->admin_socket);
	sandbox_plan_add(plan, SANDBOX_SELF, 0, "/proc/self/statm");
	plan->abstract_sockets = manager && manager[0] == '@';
}

void
sandbox_confine_judge(const struct options *options, bool adopted,
                      struct sandbox_done *done)
{
	struct sandbox_plan plan = {.count = 0};

	plan_judge(&plan, options, adopted);
	sandbox_confine(&plan, done);
	sandbox_plan_free(&plan);
}

void
sandbox_say(struct sandbox_done *done, const struct log *log)
{
	const char *text = buf_ok(&done->said) ? done->said.at : "entered";

	if (done->less)
		log_warning(log, "sandbox: %s", text);
	else
		log_info(log, "sandbox: %s", text);
	buf_free(&done->said);
}
