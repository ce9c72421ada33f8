#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# setup.sh GROUP... - installs the Debian packages that are missing for GROUP:
#   build    what `make` needs          test   the test suites (with build and run)
#   run      a throwaway engine         lint   `make lint` and clang builds
#   deb      `make deb`, with build        browser  `make test-browser`
#
# setup.sh list GROUP - prints the packages of GROUP.
#
# Does nothing, as anybody, when nothing is missing. Else it needs root, and apt is told to
# remove nothing. Services that come with what it installs are neither started nor enabled.
# Exit status: 0 all there, 2 can't (no root, no Debian, apt failed).
set -euo pipefail

BUILD='gcc make pkg-config libc6-dev libmicrohttpd-dev libgnutls28-dev libjansson-dev libseccomp-dev nettle-dev libcurl4-gnutls-dev libyaml-dev zlib1g-dev'
RUN='busybox-static iproute2 curl jq util-linux mount procps'
DEB='build-essential debhelper lintian'
TEST='libcmocka-dev python3 valgrind strace openssl mmdebstrap prometheus python3-jsonschema nginx-light rsyslog python3-docker python3-yaml zsh git libxml2-utils'
LINT='clang clang-tidy clang-format cppcheck libclang-rt-dev shellcheck universal-ctags binutils mandoc'

die() {
	printf 'setup: %s\n' "$*" >&2
	exit 2
}

installed() { dpkg-query -W -f='${db:Status-Status}\n' "$1" 2>/dev/null | grep -qx installed; }

missing_packages() {
	local package
	for package in "$@"; do installed "$package" || printf '%s ' "$package"; done
}

# An engine that is there, whoever made it, is good enough: nothing is put in its place.
missing_engine() {
	[ -n "$(PATH=$PATH:/usr/sbin:/sbin command -v dockerd)" ] || printf 'docker.io '
}

# Since Debian 13 the client is a package of its own; known only after `apt-get update`.
missing_client() {
	[ ! -x /usr/bin/docker ] || return 0
	[ -z "$(apt-cache search --names-only '^docker-cli$')" ] || printf 'docker-cli '
}

# Compose, from wherever; and npm for one client, hundreds of packages: only where all is tested.
missing_clients() {
	[ -z "${CI:-}" ] || command -v npm >/dev/null || printf 'npm '
	command -v docker-compose >/dev/null || docker compose version >/dev/null 2>&1 ||
		printf 'docker-compose '
}

# A browser and Node, from wherever.
missing_browser() {
	command -v chromium >/dev/null || printf 'chromium '
	command -v node >/dev/null || printf 'nodejs '
	command -v npm >/dev/null || printf 'npm '
}

POLICY=/usr/sbin/policy-rc.d # invoke-rc.d and deb-systemd-invoke ask it before a start
made_policy=''

forbid_starts() {
	[ ! -e $POLICY ] || return 0
	made_policy=1
	printf '#!/bin/sh\nexit 101\n' >$POLICY
	chmod 755 $POLICY
}

allow_starts() {
	[ -z "$made_policy" ] || rm -f $POLICY
	made_policy=''
}

# A package of ours -> the services that it brings, itself or by what it needs.
services_of() {
	case $1 in
	docker.io) echo docker.socket docker.service containerd.service ;;
	prometheus) echo prometheus.service ;; # we want its promtool
	nginx-light) echo nginx.service ;;
	rsyslog) echo rsyslog.service ;; # started by hand, by a test
	esac
}

disable_services() { # PACKAGE... that were not there before
	local package service
	for package; do
		for service in $(services_of "$package"); do
			# Packages make the links for systemd where there is no systemd, too.
			DPKG_MAINTSCRIPT_PACKAGE=$package deb-systemd-helper --quiet disable "$service" ||
				die "could not disable $service of $package"
			[ ! -e "/etc/init.d/${service%.service}" ] || update-rc.d "${service%.service}" disable
		done
		[ -z "$(services_of "$package")" ] ||
			echo "setup: $package was installed for its programs; its service is neither started nor enabled"
	done
}

apt() {
	DEBIAN_FRONTEND=noninteractive apt-get -qq "$@" </dev/null ||
		die "apt-get $1 failed; is the network there?"
}

install() { # PACKAGE... and, if set, engine=1
	[ "$(id -u)" = 0 ] || die "these packages are missing: $*; run this as root, or install them"
	echo "setup: installing $*"
	trap allow_starts EXIT
	trap 'exit 130' INT TERM HUP
	apt update
	forbid_starts
	# shellcheck disable=SC2046
	apt install --no-install-recommends --no-remove -o Dpkg::Use-Pty=0 "$@" \
		$([ -z "$engine" ] || missing_client) >/dev/null
	disable_services "$@"
	allow_starts
}

check_debian() {
	local tool
	for tool in apt-get dpkg-query; do
		command -v $tool >/dev/null ||
			die "this needs Debian (there is no $tool); the README says what to install elsewhere"
	done
}

packages='' engine='' clients='' browser='' list=''
[ "${1:-}" != list ] || { list=1 && shift; }
[ $# -gt 0 ] || die "which group? build, run, test, lint, deb or browser"
for group; do
	case $group in
	build) packages+=" $BUILD" ;;
	run) packages+=" $BUILD $RUN" engine=1 ;;
	test) packages+=" $BUILD $RUN $TEST" engine=1 clients=1 ;;
	deb) packages+=" $BUILD $DEB" ;;
	browser) browser=1 ;;
	lint) packages+=" $BUILD $TEST $LINT" ;;
	*) die "no group is called '$group'" ;;
	esac
done
# shellcheck disable=SC2086
[ -z "$list" ] || { echo $packages && exit 0; }
check_debian
# shellcheck disable=SC2086
missing=$(missing_packages $packages)
[ -z "$engine" ] || engine=$(missing_engine)
missing+=$engine$([ -z "$clients" ] || missing_clients)
missing+=$([ -z "$browser" ] || missing_browser)
[ -z "$missing" ] && exit 0
# shellcheck disable=SC2086
install $missing
