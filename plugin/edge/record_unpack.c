/* SPDX-License-Identifier: Apache-2.0 */
/* record_unpack.c - unpacks a gzip file with zlib, piece by piece. */
#include "edge/record_unpack.h"
#include "edge/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>
#include <zlib.h>

enum { MIB = 1024 * 1024, PIECE = 64 * 1024 };

static int
open_nameless(struct err *err)
{
	const char *folder = getenv("TMPDIR");
	int fd;

	folder = folder && folder[0] == '/' ? folder : "/tmp";
	fd = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	return fd >= 0 ? fd
	               : err_set(err, ERR_SYSTEM,
	                         "is compressed; no file to unpack it in %s: %m", folder);
}

static int
write_all(int fd, const char *bytes, size_t len, struct err *err)
{
	while (len > 0) {
		ssize_t done = write(fd, bytes, len);

		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0)
			return err_set(err, ERR_SYSTEM,
			               "is compressed; no room to unpack it: %m");
		bytes += done;
		len -= (size_t)done;
	}
	return 0;
}

static int
unpack(gzFile packed, int to, struct err *err)
{
	long long room = (long long)RECORD_UNPACKED_MIB_MAX * MIB;
	char piece[PIECE];
	int got, code = Z_OK;

	while ((got = gzread(packed, piece, sizeof piece)) > 0) {
		room -= got;
		if (room < 0)
			return err_set(err, ERR_LIMIT,
			               "is compressed, and more than %d MiB unpacked",
			               RECORD_UNPACKED_MIB_MAX);
		if (write_all(to, piece, (size_t)got, err))
			return -1;
	}
	/* a file that is cut short reads to its end: zlib tells that here only */
	(void)gzerror(packed, &code);
	if (got < 0 || code != Z_OK)
		return err_set(err, ERR_SYNTAX,
		               "is compressed, and damaged or not complete");
	return 0;
}

int
record_unpack(int fd, struct err *err)
{
	cleanup_fd int to = open_nameless(err), from = -1;
	gzFile packed;
	int failed;

	if (to < 0)
		return -1;
	from = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	packed = from >= 0 && lseek(from, 0, SEEK_SET) == 0 ? gzdopen(from, "rb") : NULL;
	if (!packed)
		return err_set(err, ERR_MEMORY, "is compressed; no memory to unpack it");
	from = -1; /* gzclose() does */
	failed = unpack(packed, to, err);
	(void)gzclose(packed);
	return failed ? -1 : file_take(&to);
}
