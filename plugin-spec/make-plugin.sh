#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# make-plugin.sh [NAME[:TAG]] - makes the managed plugin NAME (default: seccomp-authz) in the
# engine that the docker command talks to. From the environment: BASE (Debian image to build
# in), DOCKER (the command), BUILD_FLAGS (more options of docker build).
set -euo pipefail

here=$(dirname "$(readlink -f "$0")")
name=${1:-seccomp-authz}
docker=${DOCKER:-docker}
image=seccomp-authz-rootfs

fail() {
	printf 'make-plugin: %s\n' "$*" >&2
	exit 2
}

command -v "$docker" >/dev/null || fail "there is no docker command; install one, or set DOCKER"
"$docker" version >/dev/null 2>&1 ||
	fail "no engine answers the docker command (as this user); is DOCKER_HOST right?"

work=$(mktemp -d "${TMPDIR:-/var/tmp}/seccomp-authz.XXXXXX")
container=''
finish() {
	[ -z "$container" ] || "$docker" rm "$container" >/dev/null || true
	rm -rf "$work"
}
trap finish EXIT
trap 'exit 130' INT TERM HUP

# The context as a stream: what is built or versioned here is no part of it.
# shellcheck disable=SC2086
tar -C "$here/.." --exclude=./.git --exclude=./build -c . |
	"$docker" build ${BASE:+--build-arg "BASE=$BASE"} ${BUILD_FLAGS:-} -f Dockerfile -t $image -

mkdir -p "$work/plugin/rootfs"
container=$("$docker" create $image)
"$docker" export "$container" | tar -x -C "$work/plugin/rootfs"
sed "/SECCOMP_AUTHZ_PLUGIN_NAME/,/settable/s|\"value\": \"[^\"]*\"|\"value\": \"${name%%:*}\"|" \
	"$here/config.json" >"$work/plugin/config.json"
"$docker" plugin create "$name" "$work/plugin"

cat <<END

The plugin is there, and disabled. To put it in force:
  1. make its folders, and put a policy there (plugin-spec/ has an example):
       mkdir -p /etc/seccomp-authz /var/lib/seccomp-authz /var/log/seccomp-authz
     Others: docker plugin set $name policy.source=DIR state.source=DIR record.source=DIR
  2. docker plugin enable $name
  3. add "authorization-plugins": ["$name"] to /etc/docker/daemon.json, and send dockerd a
     SIGHUP (systemctl reload docker).
From then on it refuses to be disabled, set or removed through the engine.
END
