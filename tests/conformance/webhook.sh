#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# webhook.sh BUILD [OPTION]... - conformance.py through the real HTTPS endpoint: starts
# BUILD/seccomp-authzd with a certificate of its own on a free port, runs all suites against
# it, and ends it. OPTIONs are conformance.py's.
set -euo pipefail

here=$(dirname "$(readlink -f "$0")")
judge=$(readlink -f "${1:?the folder with seccomp-authzd}")/seccomp-authzd
shift
dir=$(mktemp -d "${TMPDIR:-/var/tmp}/seccomp-authz-conformance.XXXXXX")
pid=''
finish() {
	[ -z "$pid" ] || kill -INT "$pid" 2>/dev/null || true
	rm -rf "$dir"
}
trap finish EXIT
trap 'exit 130' INT TERM HUP

openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=conformance \
	-addext subjectAltName=IP:127.0.0.1 -keyout "$dir/tls.key" -out "$dir/tls.crt" 2>/dev/null
echo '{"version": 1}' >"$dir/policy.json"
"$judge" --webhook-listen 127.0.0.1:0 --tls-cert "$dir/tls.crt" --tls-key "$dir/tls.key" \
	--policy "$dir/policy.json" --state-dir "$dir/state" \
	--record "file:$dir/record.jsonl" >"$dir/log" 2>&1 </dev/null &
pid=$!
url=''
for ((tries = 0; tries < 100; tries++)); do
	url=$(sed -n 's/.*serving \(https:[^ ]*\) .*/\1/p' "$dir/log")
	[ -z "$url" ] || break
	kill -0 $pid 2>/dev/null || break
	sleep 0.1
done
[ -n "$url" ] || { echo "webhook.sh: the judge does not serve:" >&2; cat "$dir/log" >&2; exit 2; }
"$here/conformance.py" --url "$url" --ca "$dir/tls.crt" --policy-file "$dir/policy.json" \
	--reload "kill -HUP $pid" "$@"
