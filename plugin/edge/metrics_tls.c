/* SPDX-License-Identifier: Apache-2.0 */
/* metrics_tls.c - the webhook's certificate, for Prometheus. */
#include "edge/metrics.h"

void
metrics_write_tls(struct tls_store *tls, struct buf *buf)
{
	static const struct metrics_family expires = {
	    "seccomp_authz_certificate_expiry_timestamp_seconds", "gauge",
	    "When the certificate of the webhook expires; 0 while there is none."};
	static const struct metrics_family reloads = {
	    "seccomp_authz_certificate_reloads_total", "counter",
	    "Times that changed files of the certificate were read."};
	static const struct metrics_family failures = {
	    "seccomp_authz_certificate_reload_failures_total", "counter",
	    "Times that they were not taken, so that the earlier certificate stayed."};
	struct tls_state state;

	tls_store_state(tls, &state);
	metrics_number(buf, &expires, (uint64_t)state.expires);
	metrics_number(buf, &reloads, state.reloads);
	metrics_number(buf, &failures, state.reload_failures);
}
