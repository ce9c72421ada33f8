#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# run.sh BUILD [TEST]... - end-to-end tests of BUILD/seccomp-authzd on real engines.
#
# TEST is the name of a file here without .py (test_raw), or of a class or test in it
# (test_raw.Raw.test_chunked). From the environment:
#   E2E_SUITES   which engines: "host" for this machine's (the default), names of Debian
#                suites for theirs ("host trixie"), "newest" for the newest that can be had
#   E2E_CACHE    a folder in which to keep the unpacked engines; else they are made anew
#   TMPDIR       where the scratch folder goes (/var/tmp)
#   CI           if set, a test that is skipped is a failure
# Closes with 'N passed, N failed'. Cleans up, however it ends.
set -uo pipefail

here=$(dirname "$(readlink -f "$0")")
BUILD=$(readlink -f "${1:?the folder with seccomp-authzd}")
shift
[ -x "$BUILD/seccomp-authzd" ] || { echo "e2e: $BUILD/seccomp-authzd is not there; make first" >&2; exit 2; }
"$here/engine.sh" check || exit 2

E2E_DIR=$(mktemp -d "${TMPDIR:-/var/tmp}/seccomp-authz.XXXXXX") || exit 2
chmod 755 "$E2E_DIR"
export E2E_DIR E2E_BUILD=$BUILD PYTHONDONTWRITEBYTECODE=1
child=''
finish() {
	[ -z "$child" ] || kill "$child" 2>/dev/null
	"$here/engine.sh" clean
}
trap finish EXIT
trap 'exit 130' INT TERM HUP

engine_root() { # SUITE -> the root of its engine on stdout
	local root=${E2E_CACHE:-$E2E_DIR/roots}/$1
	case $1 in
	host) echo / && return ;;
	newest) engine_root forky || engine_root trixie; return ;;
	esac
	if [ ! -e "$root.done" ]; then
		"$here/engine.sh" root "$1" "$root" >&2 || return 1
		: >"$root.done"
	fi
	echo "$root"
}

broken=0
for suite in ${E2E_SUITES:-host}; do
	if ! root=$(engine_root "$suite"); then
		echo "FAIL $suite: its engine can't be had"
		echo "0 1" >>"$E2E_DIR/counts"
		continue
	fi
	E2E_ROOT=$root E2E_SUITE=$suite "$here/run.py" "$@" &
	child=$!
	wait $child || broken=1
	child=''
done
read -r passed failed < <(awk '{ p += $1; f += $2 } END { print p + 0, f + 0 }' "$E2E_DIR/counts")
[ $broken = 0 ] || [ "$failed" -gt 0 ] || failed=1
echo "$passed passed, $failed failed"
[ "$failed" = 0 ] && [ "$passed" -gt 0 ]
