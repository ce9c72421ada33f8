#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# show.sh [BUILD] - guards a throwaway Docker engine in front of the reader's eyes, then goes
# on serving until Ctrl-C; without a terminal it ends after the show. BUILD is the folder
# with seccomp-authzd (default: build/release). Cleans up, however it ends.
# Exit status: 0 all behaved, 1 something did not, 2 can't run here.
set -euo pipefail

here=$(dirname "$(readlink -f "$0")")
judge=$(readlink -m "${1:-$here/../../build/release}")/seccomp-authzd

can_not() {
	printf 'seccomp-authz: %s\n' "$*" >&2
	exit 2
}

[ -x "$judge" ] || can_not "$judge is not there; run make first"
"$here/engine.sh" check
for tool in dockerd docker busybox curl jq ip; do
	PATH=$PATH:/usr/sbin:/sbin command -v $tool >/dev/null ||
		can_not "$tool is not there; run $here/setup.sh run as root"
done

E2E_DIR=$(mktemp -d "${TMPDIR:-/var/tmp}/seccomp-authz.XXXXXX")
export E2E_DIR
home=$E2E_DIR/engine record=$E2E_DIR/record.jsonl policy=$E2E_DIR/policy.json
judge_pid='' engine_pid=''

finish() {
	exec 3>&2 2>/dev/null # the shell's own words on who was killed
	# shellcheck disable=SC2086
	kill $judge_pid || true
	"$here/engine.sh" clean 2>&3
}
trap finish EXIT
trap 'echo; echo "Stopped; nothing of it is left."; exit 0' INT TERM HUP
export DOCKER_HOST=unix://$home/docker.sock DOCKER_CONFIG=$E2E_DIR/client
unset DOCKER_CONTEXT DOCKER_TLS_VERIFY DOCKER_CERT_PATH

# A fault in the show: what went wrong, and what the two programs had to say.
fault() {
	printf '\nThis did not go as it should: %s\n' "$*" >&2
	printf '%s\n' '--- the end of the log of seccomp-authzd:' >&2
	tail -n 5 "$E2E_DIR/judge.log" >&2 || true
	printf '%s\n' '--- the end of the log of the engine:' >&2
	tail -n 5 "$home/log" >&2 || true
	exit 1
}

start_judge() {
	local tries
	mkdir -p "$home/plugins"
	printf '{\n  "version": 1,\n  "exceptions": []\n}\n' >"$policy"
	setpriv --pdeathsig KILL setsid "$judge" --socket "$home/plugins/seccomp-authz.sock" \
		--policy "$policy" --state-dir "$E2E_DIR/state" --record "file:$record" \
		>"$E2E_DIR/judge.log" 2>&1 </dev/null &
	judge_pid=$!
	for ((tries = 0; tries < 100; tries++)); do
		[ ! -S "$home/plugins/seccomp-authz.sock" ] || return 0
		kill -0 "$judge_pid" 2>/dev/null || break
		sleep 0.05
	done
	fault "seccomp-authzd did not start"
}

start_engine() {
	echo '{"authorization-plugins": ["seccomp-authz"]}' >"$home/daemon.json"
	setpriv --pdeathsig KILL setsid "$here/engine.sh" run engine / &
	engine_pid=$!
	"$here/engine.sh" wait engine "$engine_pid" || fault "the engine did not start"
}

import_image() {
	local root=$E2E_DIR/image name
	mkdir -p "$root/bin"
	cp "$(command -v busybox)" "$root/bin/busybox"
	for name in sh grep cat id sleep true unshare; do ln -s busybox "$root/bin/$name"; done
	tar -C "$root" -c . | docker import - busybox:latest >/dev/null 2>&1 ||
		fault "the image could not be imported"
}

SHOW=(grep Seccomp: /proc/self/status)

show_plain() {
	local out
	echo '1. A plain container runs, under a seccomp filter ("2" is the kernel'"'"'s word for that):'
	echo "   \$ docker run --rm busybox ${SHOW[*]}"
	out=$(docker run --rm busybox "${SHOW[@]}" 2>&1) || fault "the plain container failed: $out"
	echo "   $out"
	[ "$(tr -d '[:space:]' <<<"$out")" = Seccomp:2 ] || fault "it ran without a filter"
}

show_refused() {
	local out
	echo '2. One that asks to run without it is refused:'
	echo "   \$ docker run --rm --security-opt seccomp=unconfined busybox ${SHOW[*]}"
	! out=$(docker run --rm --security-opt seccomp=unconfined busybox "${SHOW[@]}" 2>&1) ||
		fault "the unconfined container ran: $out"
	grep -v '^$' <<<"$out" | grep -vi 'docker run --help' | sed 's/^/   /'
	grep -q 'authorization denied by plugin seccomp-authz: ' <<<"$out" ||
		fault "it failed, but not because of us"
	[ -z "$(docker ps --all --quiet)" ] || fault "it left a container behind"
}

show_record() {
	echo '3. The refusal is on record, and was so before anybody was told:'
	tail -n 1 "$record" | jq '{time, id, decision, posture, rule, method, uri, containers, seq}' |
		sed 's/^/   /'
	[ "$(tail -n 1 "$record" | jq -r .decision)" = deny ] || fault "the record does not say so"
}

more() {
	cat <<END
The engine and its guard go on until you press Ctrl-C. To try more, in another terminal:

   sudo -s
   export DOCKER_HOST=$DOCKER_HOST
   docker run --rm --privileged busybox true                         # refused
   docker run --rm --security-opt seccomp:unconfined busybox true    # refused, the old spelling
   docker run --rm --cap-add SYS_PTRACE busybox true                 # runs, filtered
   tail -n 1 $record | jq .

An exception: put it into $policy (the README shows how). The judge takes it by itself.

To guard an engine of your own: README.md, "Attach it to your engine".
END
}

start_judge
start_engine
import_image
echo "A Docker engine, $(docker version --format '{{.Server.Version}}'), made for this and thrown away afterwards."
echo 'It puts every request to seccomp-authz first.'
echo
show_plain
echo
show_refused
echo
show_record
echo
if [ ! -t 0 ] || [ ! -t 1 ]; then
	echo 'All as it should be. (There is no terminal here, so the engine is stopped now.)'
	exit 0
fi
more
wait -n "$judge_pid" "$engine_pid" || true
fault "it ended by itself"
