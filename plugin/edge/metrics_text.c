/* SPDX-License-Identifier: Apache-2.0 */
/* metrics_text.c - the metrics in Prometheus' text format. */
#include "edge/metrics.h"

#include <dirent.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

enum { SECOND_US = 1000000 };

/* ---- the format (prometheus.io/docs/instrumenting/exposition_formats) ---- */

void
metrics_head(struct buf *buf, const struct metrics_family *family)
{
	buf_printf(buf, "# HELP %s %s\n# TYPE %s %s\n", family->name, family->help,
	           family->name, family->type);
}

void
metrics_number(struct buf *buf, const struct metrics_family *family, uint64_t value)
{
	metrics_head(buf, family);
	buf_printf(buf, "%s %llu\n", family->name, (unsigned long long)value);
}

void
metrics_label(struct buf *buf, struct text value)
{
	buf_char(buf, '"');
	for (size_t i = 0; i < value.len; i++) {
		char c = value.at[i];

		if (c == '\\' || c == '"')
			buf_char(buf, '\\');
		if (c == '\n')
			buf_str(buf, "\\n");
		else
			buf_char(buf, c);
	}
	buf_char(buf, '"');
}

void
metrics_fraction(struct buf *buf, uint64_t value, uint64_t scale)
{
	int digits = 0;

	for (uint64_t rest = scale; rest > 1; rest /= 10)
		digits++;
	buf_printf(buf, "%llu.%0*llu", (unsigned long long)(value / scale), digits,
	           (unsigned long long)(value % scale));
}

/* ---- parts that are counted elsewhere ---- */

static void
write_degraded(const struct metrics_sources *sources, const struct record_state *record,
               struct buf *buf)
{
	static const struct metrics_family degraded = {
	    "seccomp_authz_degraded", "gauge",
	    "1 when the part does not do what it should: the policy in force is not what "
	    "its file says; the first sink of the record took no line in time; the "
	    "certificate of the webhook is not what its files say, or there is none."};
	const struct policy_snapshot *snapshot = policy_store_acquire(sources->store);
	struct tls_state tls;

	metrics_head(buf, &degraded);
	buf_printf(buf, "%s{part=\"policy\"} %d\n%s{part=\"record\"} %d\n", degraded.name,
	           snapshot->degraded || !snapshot->policy, degraded.name,
	           record->degraded);
	policy_store_release(sources->store, snapshot);
	if (!sources->tls)
		return;
	tls_store_state(sources->tls, &tls);
	buf_printf(buf, "%s{part=\"certificate\"} %d\n", degraded.name, tls.degraded);
}

static void
write_record(const struct record_state *record, struct buf *buf)
{
	static const struct metrics_family written = {
	    "seccomp_authz_record_lines_total", "counter",
	    "Lines that the first sink of the record has taken."};
	static const struct metrics_family failed = {
	    "seccomp_authz_record_failed_lines_total", "counter",
	    "Lines that it did not take, or not in time; what they were about was "
	    "refused."};
	static const struct metrics_family waiting = {
	    "seccomp_authz_record_waiting_lines", "gauge", "Lines that wait for it."};
	static const struct metrics_family lost = {
	    "seccomp_authz_record_lost_lines_total", "counter",
	    "Lines on record that one of the other sinks did not get."};
	static const struct metrics_family behind = {
	    "seccomp_authz_record_behind_lines", "gauge",
	    "Lines on record that one of the other sinks has yet to get."};

	metrics_number(buf, &written, record->written);
	metrics_number(buf, &failed, record->failed);
	metrics_number(buf, &waiting, record->waiting);
	metrics_number(buf, &lost, record->lost);
	metrics_number(buf, &behind, record->behind);
}

static void
write_counters(const struct metrics *metrics, struct buf *buf)
{
	static const struct metrics_family reloads = {
	    "seccomp_authz_policy_reloads_total", "counter",
	    "Times that the policy was read again."};
	static const struct metrics_family failures = {
	    "seccomp_authz_policy_reload_failures_total", "counter",
	    "Times that it was not taken, so that the earlier policy stayed."};
	static const struct metrics_family requests = {
	    "seccomp_authz_requests_in_flight", "gauge",
	    "Requests that are read, decided or recorded now."};
	static const struct metrics_family bytes = {
	    "seccomp_authz_in_flight_bytes", "gauge", "Memory that their bodies hold."};

	metrics_number(buf, &reloads, atomic_load(&metrics->reloads));
	metrics_number(buf, &failures, atomic_load(&metrics->reload_failures));
	metrics_number(buf, &requests, (uint64_t)atomic_load(&metrics->requests));
	metrics_number(buf, &bytes, (uint64_t)atomic_load(&metrics->bytes));
}

/* ---- the process, by the names that all client libraries give it ---- */

/* Pages that are in memory; 0: unknown. */
static uint64_t
resident_pages(void)
{
	FILE *statm = fopen("/proc/self/statm", "re");
	unsigned long long all, resident = 0;

	if (!statm)
		return 0;
	if (fscanf(statm, "%llu %llu", &all, &resident) != 2)
		resident = 0;
	(void)fclose(statm);
	return resident;
}

/* Open files, without the one that this takes; 0: unknown. */
static uint64_t
open_files(void)
{
	DIR *folder = opendir("/proc/self/fd");
	uint64_t count = 0;

	if (!folder)
		return 0;
	for (const struct dirent *entry; (entry = readdir(folder));)
		count += entry->d_name[0] != '.';
	(void)closedir(folder);
	return count - 1;
}

static void
write_seconds(struct buf *buf, const struct metrics_family *family, int64_t us)
{
	metrics_head(buf, family);
	buf_printf(buf, "%s ", family->name);
	metrics_fraction(buf, (uint64_t)us, SECOND_US);
	buf_char(buf, '\n');
}

void
metrics_write_process(const struct metrics *metrics, struct buf *buf)
{
	static const struct metrics_family build = {
	    "seccomp_authz_build_info", "gauge",
	    "Which seccomp-authz this is; always 1."};
	static const struct metrics_family start = {"process_start_time_seconds", "gauge",
	                                            "When the judge was started."};
	static const struct metrics_family cpu = {"process_cpu_seconds_total", "counter",
	                                          "Processor time that it has used."};
	static const struct metrics_family memory = {"process_resident_memory_bytes",
	                                             "gauge", "Memory that it holds."};
	static const struct metrics_family files = {"process_open_fds", "gauge",
	                                            "Files that it has open."};
	static const struct metrics_family most = {"process_max_fds", "gauge",
	                                           "Files that it may have open."};
	struct rusage used = {0};
	struct rlimit limit = {0};

	(void)getrusage(RUSAGE_SELF, &used);
	(void)getrlimit(RLIMIT_NOFILE, &limit);
	metrics_head(buf, &build);
	buf_printf(buf, "%s{version=\"%s\"} 1\n", build.name, VERSION);
	write_seconds(buf, &start, metrics->started_us);
	write_seconds(buf, &cpu,
	              (int64_t)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) * SECOND_US +
	                  used.ru_utime.tv_usec + used.ru_stime.tv_usec);
	metrics_number(buf, &memory, resident_pages() * (uint64_t)sysconf(_SC_PAGESIZE));
	metrics_number(buf, &files, open_files());
	metrics_number(buf, &most, (uint64_t)limit.rlim_cur);
}

void
metrics_write(const struct metrics *metrics, const struct metrics_sources *sources,
              struct buf *buf)
{
	struct record_state record;

	record_state(sources->record, &record);
	metrics_write_decisions(metrics, sources->tls != NULL, buf);
	metrics_write_policy(sources, buf);
	write_degraded(sources, &record, buf);
	write_record(&record, buf);
	write_counters(metrics, buf);
	if (sources->tls)
		metrics_write_tls(sources->tls, buf);
	metrics_write_process(metrics, buf);
}
