/* SPDX-License-Identifier: Apache-2.0 */
/* test_proc.c - which processes are a container's, and what filters they have. */
#include "temporary.h"

#include "edge/proc.h"

#define HEX16 "0123456789abcdef"
#define WEB   HEX16 HEX16 HEX16 "fedcba9876543210"
#define DB    "fedcba9876543210" HEX16 HEX16 HEX16

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* FOLDER/PID/{cgroup,status}; NULL: no such file. */
static void
add_process(const char *pid, const char *cgroup, const char *status)
{
	char path[64];

	assert_int_equal(mkdir(in_folder(pid), 0700), 0);
	(void)snprintf(path, sizeof path, "%s/cgroup", pid);
	if (cgroup)
		write_file(in_folder(path), text_of(cgroup), O_EXCL);
	(void)snprintf(path, sizeof path, "%s/status", pid);
	if (status)
		write_file(in_folder(path), text_of(status), O_EXCL);
}

static struct proc_scan *
scan_folder(void)
{
	struct proc_scan *scan = NULL;
	struct err err = {0};

	if (proc_scan(folder, &scan, &err) != 0)
		fail_msg("%s", err.text);
	return scan;
}

static void
container_is_found_under_every_cgroup_driver(void **state)
{
	static const char *const cgroups[] = {
	    "0::/docker/" WEB "\n",
	    "0::/system.slice/docker-" WEB ".scope\n",
	    "12:pids:/docker/" WEB "\n1:name=systemd:/docker/" WEB "\n0::/\n",
	    "0::/user.slice/user-1000.slice/docker-" WEB ".scope/inner\n",
	    "4:memory:/docker/" DB "/docker/" WEB "\n",
	};
	struct proc_process process;

	(void)state;
	for (size_t i = 0; i < COUNT(cgroups); i++) {
		char pid[8];

		(void)snprintf(pid, sizeof pid, "%zu", i + 10);
		add_process(pid, cgroups[i], "Seccomp:\t2\n");
		if (!proc_read(folder, (long)i + 10, text_of(WEB), &process))
			fail_msg("%s", cgroups[i]);
		assert_int_equal(process.seccomp, 2);
	}
}

static void
pid_of_another_machine_or_container_is_not_taken(void **state)
{
	static const char *const cgroups[] = {"0::/\n",
	                                      "0::/docker/" DB "\n",
	                                      "0::/docker/0" WEB "\n",
	                                      "0::/docker/" HEX16 HEX16 HEX16 "\n",
	                                      "",
	                                      NULL};
	struct proc_process process;

	(void)state;
	for (size_t i = 0; i < COUNT(cgroups); i++) {
		char pid[8];

		(void)snprintf(pid, sizeof pid, "%zu", i + 10);
		add_process(pid, cgroups[i], "Seccomp:\t0\n");
		if (proc_read(folder, (long)i + 10, text_of(WEB), &process))
			fail_msg("%s", cgroups[i] ? cgroups[i] : "no file");
	}
	assert_false(proc_read(folder, 999, text_of(WEB), &process));
	assert_false(proc_read(folder, 0, text_of(WEB), &process));
	assert_false(proc_read(folder, 10, TEXT_LIT(HEX16), &process));
	assert_false(proc_read("/nowhere", 10, text_of(WEB), &process));
}

static void
filters_are_read_with_those_of_the_parent(void **state)
{
	struct proc_process process;

	(void)state;
	add_process("5", "0::/\n", "Name:\tshim\nSeccomp:\t2\nSeccomp_filters:\t1\n");
	add_process("6", "0::/docker/" WEB "\n",
	            "Name:\tSeccomp:\t9\nPPid:\t5\nSeccomp:\t2\nSeccomp_filters:\t3\n");
	add_process("7", "0::/docker/" WEB "\n", "Name:\tsh\nPPid:\t0\nSeccomp:\t0\n");
	assert_true(proc_read(folder, 6, text_of(WEB), &process));
	assert_int_equal(process.seccomp, 2);
	assert_int_equal(process.filters, 3);
	assert_int_equal(process.inherited, 1);
	assert_true(proc_read(folder, 7, text_of(WEB), &process));
	assert_int_equal(process.seccomp, 0);
	assert_int_equal(process.filters, -1);
	assert_int_equal(process.inherited, -1);
}

static void
thread_without_a_filter_makes_its_process_one(void **state)
{
	static const char *const of_thread[] = {"Seccomp:\t2\n", "Seccomp:\t0\n"};
	struct proc_process process;
	struct proc_scan *scan;
	struct err err = {0};

	(void)state;
	for (size_t i = 0; i < COUNT(of_thread); i++) {
		const char *pid = i == 0 ? "30" : "40";
		char path[64];

		add_process(pid, i == 0 ? "0::/docker/" WEB "\n" : "0::/docker/" DB "\n",
		            "Threads:\t2\nSeccomp:\t2\n");
		(void)snprintf(path, sizeof path, "%s/task/%s1/status", pid, pid);
		assert_int_equal(file_make_parent(in_folder(path), 0700, &err), 0);
		write_file(in_folder(path), text_of(of_thread[i]), O_EXCL);
	}
	assert_true(proc_read(folder, 30, text_of(WEB), &process));
	assert_false(process.bare);
	assert_true(proc_read(folder, 40, text_of(DB), &process));
	assert_true(process.bare);
	assert_int_equal(process.seccomp, 2);
	scan = scan_folder();
	assert_int_equal(proc_find(scan, text_of(WEB))->unfiltered, 0);
	assert_int_equal(proc_find(scan, text_of(DB))->unfiltered, 1);
	proc_free(scan);
}

static void
processes_are_counted_by_container(void **state)
{
	struct proc_scan *scan;
	const struct proc_container *web, *db;

	(void)state;
	add_process("1", "0::/init.scope\n", "Seccomp:\t0\n");
	add_process("20", "0::/docker/" WEB "\n", "Seccomp:\t2\n");
	add_process("21", "0::/docker/" WEB "\n", "Seccomp:\t0\n");
	add_process("22", "9:cpu:/docker/" WEB "\n0::/docker/" WEB "\n", "Seccomp:\t2\n");
	add_process("23", "0::/docker/" DB "\n", "Seccomp:\t2\n");
	add_process("24", "0::/docker/" DB "/docker/" WEB "\n", NULL);
	add_process("self", "0::/docker/" WEB "\n", "Seccomp:\t0\n");
	scan = scan_folder();
	web = proc_find(scan, text_of(WEB));
	db = proc_find(scan, text_of(DB));
	assert_non_null(web);
	assert_non_null(db);
	assert_int_equal(web->processes, 4);
	assert_int_equal(web->unfiltered, 1);
	assert_int_equal(web->unknown, 1);
	assert_int_equal(web->pid, 21);
	assert_int_equal(db->processes, 2);
	assert_int_equal(db->unfiltered, 0);
	assert_null(proc_find(scan, TEXT_LIT(HEX16)));
	proc_free(scan);
}

static void
folder_without_processes_has_no_containers(void **state)
{
	struct proc_scan *scan = scan_folder();

	(void)state;
	assert_null(proc_find(scan, text_of(WEB)));
	assert_null(proc_find(NULL, text_of(WEB)));
	proc_free(scan);
	proc_free(NULL);
}

static void
folder_that_is_not_there_is_an_error(void **state)
{
	struct proc_scan *scan = NULL;
	struct err err = {0};

	(void)state;
	assert_int_equal(proc_scan(in_folder("none"), &scan, &err), -1);
	assert_non_null(strstr(err.text, "No such file"));
	assert_null(scan);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(container_is_found_under_every_cgroup_driver,
	                                    make_folder, remove_folder),
	    cmocka_unit_test_setup_teardown(
		pid_of_another_machine_or_container_is_not_taken, make_folder,
		remove_folder),
	    cmocka_unit_test_setup_teardown(filters_are_read_with_those_of_the_parent,
	                                    make_folder, remove_folder),
	    cmocka_unit_test_setup_teardown(thread_without_a_filter_makes_its_process_one,
	                                    make_folder, remove_folder),
	    cmocka_unit_test_setup_teardown(processes_are_counted_by_container,
	                                    make_folder, remove_folder),
	    cmocka_unit_test_setup_teardown(folder_without_processes_has_no_containers,
	                                    make_folder, remove_folder),
	    cmocka_unit_test_setup_teardown(folder_that_is_not_there_is_an_error,
	                                    make_folder, remove_folder),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
