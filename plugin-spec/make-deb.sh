#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# make-deb.sh FOLDER - builds the Debian package for the release that this runs on, by
# debhelper, and leaves it in FOLDER. The same tree gives the same bytes: times come from
# the changelog, paths are taken out, and the build sees a copy of the tree and no more.
set -euo pipefail

here=$(dirname "$(readlink -f "$0")")
tree=$(dirname "$here")
out=$(mkdir -p "${1:?a folder for the package}" && readlink -f "$1")
version=$(sed -n 's/^VERSION := //p' "$tree/Makefile")
# shellcheck source=/dev/null
release=$(. /etc/os-release && echo "${VERSION_ID:-}")

grep -q "^seccomp-authz ($version)" "$here/debian/changelog" || {
	echo "make-deb: plugin-spec/debian/changelog does not begin with $version; say there what is new" >&2
	exit 2
}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
src=$work/seccomp-authz
mkdir "$src"
cp -a "$tree"/{plugin,include,plugin-spec,Makefile,README.md,LICENSE} "$src"
cp -a "$here/debian" "$src/debian"
# two releases build two packages of one version; the newer release's is the newer one
sed -i "1s/(\([^)]*\))/(\1~deb${release:-0})/" "$src/debian/changelog"

if ! (cd "$src" && umask 022 && LC_ALL=C DEB_BUILD_OPTIONS=noautodbgsym \
	dpkg-buildpackage -b -us -uc) >"$work/log" 2>&1; then
	cat "$work/log" >&2
	exit 1
fi
rm -f "$out"/*.deb
cp "$work"/*.deb "$out"
ls "$out"/*.deb
