/* SPDX-License-Identifier: Apache-2.0 */
/* replay_main.c - gives files, and the files in folders, to a fuzzer: for compilers without libFuzzer. */
#include "fuzz.h"

#include <dirent.h>
#include <sys/stat.h>

enum { INPUT_MAX = 16 * 1024 * 1024 };

static int
replay_file(const char *path)
{
	FILE *file = fopen(path, "rb");
	uint8_t *all = malloc(INPUT_MAX), *exact;
	size_t size;

	if (!file || !all) {
		perror(path);
		if (file)
			(void)fclose(file);
		free(all);
		return -1;
	}
	size = fread(all, 1, INPUT_MAX, file);
	(void)fclose(file);
	/* no byte more than there is, so that sanitizers see a read past the end */
	exact = malloc(size ? size : 1);
	CHECK(exact);
	memcpy(exact, all, size);
	free(all);
	(void)LLVMFuzzerTestOneInput(exact, size);
	free(exact);
	return 0;
}

/* Returns how many inputs there were, or -1. */
static int
replay(const char *path)
{
	struct dirent **names;
	struct stat status;
	int count, inputs = 0;

	if (stat(path, &status) != 0) {
		perror(path);
		return -1;
	}
	if (!S_ISDIR(status.st_mode))
		return replay_file(path) == 0 ? 1 : -1;
	count = scandir(path, &names, NULL, alphasort);
	for (int i = 0; i < count; i++) {
		char below[4096];
		int more = 0;

		(void)snprintf(below, sizeof below, "%s/%s", path, names[i]->d_name);
		if (names[i]->d_name[0] != '.')
			more = replay(below);
		free(names[i]);
		inputs = more < 0 || inputs < 0 ? -1 : inputs + more;
	}
	free(names);
	return count < 0 ? -1 : inputs;
}

int
main(int argc, char **argv)
{
	int inputs = 0;

	for (int i = 1; i < argc; i++) {
		int more = replay(argv[i]);

		if (more <= 0) {
			(void)fprintf(stderr, "%s: no inputs\n", argv[i]);
			return 1;
		}
		inputs += more;
	}
	printf("%s: %d inputs\n", argv[0], inputs);
	return inputs > 0 ? 0 : 1;
}
