#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# instructions.sh PROGRAM CC [keep] - the instructions of a decision, counted by callgrind.
#
# A figure that no other load of the machine can touch. Fails when a count is past its goal,
# or more than 5 % above the one that is kept in instructions.txt; `keep` writes the counts of
# this run there instead. Counts depend on the compiler and on the vector instructions of the
# processor: where one is not that of the file, only the goals hold.
set -euo pipefail

here=$(dirname "$(readlink -f "$0")")
program=${1:?the program instructions}
cc=${2:?the compiler}
keep=${3:-}
file=$here/instructions.txt
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
command -v valgrind >/dev/null || { echo "instructions: valgrind is not installed" >&2; exit 2; }

maker() { # what counts depend on
	printf '%s %s, %s' "$($cc --version | grep -oiE 'clang|gcc' | head -1)" \
		"$($cc -dumpversion | cut -d. -f1)" \
		"$(grep -qw avx2 /proc/cpuinfo && echo avx2 || echo 'no avx2')"
}

count() { # ENVELOPE [line]
	valgrind --tool=callgrind --callgrind-out-file="$scratch/out" --collect-atstart=no \
		"$program" "$here/requests/$1.json" "${@:2}" 2>"$scratch/log" >/dev/null ||
		{ cat "$scratch/log" >&2; return 1; }
	sed -n 's/^.*Collected : //p' "$scratch/log"
}

now=$(maker)
before=$(sed -n 's/^# counted with: //p' "$file")
failed=0
: >"$scratch/new"
printf '%-24s %10s %10s %8s %10s\n' request counted kept change goal
while read -r name kept goal request line; do
	[[ $name != '#'* ]] || continue
	# shellcheck disable=SC2086 # `line` is a word or nothing
	n=$(count "$request" $line)
	change=$(awk -v a="$n" -v b="$kept" 'BEGIN { printf "%+.1f%%", (a - b) / b * 100 }')
	printf '%-24s %10d %10d %8s %10s\n' "$name" "$n" "$kept" "$change" "$goal"
	printf '%-24s %8d %8s %-20s %s\n' "$name" "$n" "$goal" "$request" "$line" >>"$scratch/new"
	if [ "$goal" != - ] && [ "$n" -gt "$goal" ]; then
		echo "instructions: $name: $n are more than its goal, $goal" >&2
		failed=1
	fi
	if [ -z "$keep" ] && [ "$now" = "$before" ] && [ $((n * 100)) -gt $((kept * 105)) ]; then
		echo "instructions: $name: grew by $change; if it has to, make instructions KEEP=1" >&2
		failed=1
	fi
done <"$file"
[ "$now" = "$before" ] || echo "(kept counts are those of $before, this is $now: goals only)"
if [ -n "$keep" ]; then
	{ grep '^#' "$file" | sed "s/^# counted with: .*/# counted with: $now/"
	  sed 's/ *$//' "$scratch/new"; } >"$scratch/file"
	cat "$scratch/file" >"$file"
	echo "kept in ${file##*/}"
fi
exit $failed
