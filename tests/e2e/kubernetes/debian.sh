# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# debian.sh - to be sourced: packages of any Debian suite, unpacked and not installed. The
# caller sets WORK, a folder that is its own.

# apt with lists of its own, so that the machine's configuration stays as it is.
apt_own() {
	"$1" -qq -o Dir::State::Lists="$WORK/lists" -o Dir::State::status=/dev/null \
		-o Dir::Etc::SourceList="$WORK/$suite.list" -o Dir::Etc::SourceParts=/dev/null \
		-o Dir::Cache="$WORK/cache" -o Dir::Cache::pkgcache="" \
		-o Dir::Cache::srcpkgcache="" -o APT::Sandbox::User=root "${@:2}"
}

use_suite() { # SUITE: what follows is about it
	local keys=/usr/share/keyrings/debian-archive-keyring.gpg mirror
	mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' \
		'Origin: Debian' 'Label: Debian' | sort -u | head -n 1)
	[ -n "$mirror" ] || { echo "apt knows no Debian mirror (apt-get update first?)" >&2; exit 2; }
	suite=$1
	mkdir -p "$WORK"/{lists/partial,cache/archives/partial,debs,root}
	printf 'deb [signed-by=%s] %s %s main\ndeb-src [signed-by=%s] %s %s main\n' \
		"$keys" "$mirror" "$suite" "$keys" "$mirror" "$suite" >"$WORK/$suite.list"
	apt_own apt-get update
}

unpack() { # PACKAGE... into $WORK/root
	(cd "$WORK/debs" && rm -f -- *.deb && apt_own apt-get download "$@" &&
		for deb in *.deb; do dpkg-deb -x "$deb" "$WORK/root"; done)
}
