#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# kubectl.sh DIR - prints the path of a kubectl whose kustomize knows components (from 1.21):
# this machine's, or else that of Debian 13, unpacked into DIR.
set -euo pipefail

DIR=$(readlink -m "${1:?a folder for it}")
here=$(dirname "$(readlink -f "$0")")

new_enough() {
	[[ $("$1" version --client 2>/dev/null) =~ v?1\.(2[1-9]|[3-9][0-9])\.|Minor:\"(2[1-9]|[3-9][0-9]) ]]
}

for kubectl in "$(command -v kubectl || true)" "$DIR/kubectl"; do
	[ ! -x "$kubectl" ] || ! new_enough "$kubectl" || { echo "$kubectl"; exit 0; }
done
# shellcheck source=tests/e2e/kubernetes/debian.sh
. "$here/debian.sh"
WORK=$DIR/kubectl-work
mkdir -p "$DIR"
use_suite trixie >&2
unpack kubectl >&2
cp "$WORK/root/usr/bin/kubectl" "$DIR/kubectl"
rm -rf "$WORK"
echo "$DIR/kubectl"
