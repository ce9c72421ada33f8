#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# lint.sh - format, clang-tidy, cppcheck, and the rules of the tree that a machine can hold.
# Needs clang-format, clang-tidy, cppcheck, universal-ctags, and a release build for purity.
set -uo pipefail
cd "$(dirname "$0")/.." || exit 2
found=$(mktemp) # not empty: something was found (the end of a pipe can't set a variable)
macros=$(mktemp --suffix=.cfg)
trap 'rm -f "$found" "$macros"' EXIT
mapfile -t sources < <(find plugin include tests -name '*.[ch]' | sort)
mapfile -t own < <(find plugin -name '*.c' | sort)
mapfile -t headers < <(find include -name '*.h' | sort)

complain() { # TITLE, the findings on stdin
	local text
	text=$(cat)
	[ -n "$text" ] || return 0
	printf 'lint: %s\n%s\n' "$1" "$text" >&2
	echo "$1" >>"$found"
}

for tool in clang-format clang-tidy cppcheck ctags nm objdump; do
	command -v "$tool" >/dev/null || { echo "lint: $tool is not installed" >&2; exit 2; }
done
core=build/release/libcore.a
[ -f "$core" ] || { echo "lint: build first (make)" >&2; exit 2; }

# ---- format
clang-format --dry-run "${sources[@]}" 2>&1 | grep -E 'warning: code should' |
	sed 's/ warning:.*//' | sort -u | complain "not as .clang-format says:"

# ---- functions fit a screen, files have one job
printf '%s\n' "${own[@]}" "${headers[@]}" |
	ctags -x --kinds-C=f --_xformat='%{line} %{end} %N %F' -L - |
	awk '$2 - $1 + 1 > 60 { print $4 ": " $3 " has " $2 - $1 + 1 " lines" }' |
	complain "functions over 60 lines:"
wc -l "${own[@]}" "${headers[@]}" | awk '$2 != "total" && $1 > 400 { print $2 " has " $1 " lines" }' |
	complain "files over 400 lines:"

# ---- three rooms: a file includes only its own room or one below it
{
	grep -nE '#include "(edge|cmd)' plugin/core/*.c include/core/*.h
	grep -nE '#include "cmd' plugin/edge/*.c include/edge/*.h
} | complain "includes that point upwards (core < edge < cmd):"

# ---- every third-party header in its one place
grep -lE '#include <microhttpd' -r plugin include | grep -vE '^(plugin/edge/http[a-z_]*\.c|include/edge/http_server\.h)$' |
	complain "microhttpd.h belongs to http_server.h and plugin/edge/http*.c:"
grep -lE '#include <gnutls/' -r plugin include | grep -vE '^(plugin/edge/tls[a-z_]*\.c|include/edge/tls\.h)$' |
	complain "gnutls belongs to tls.h and plugin/edge/tls*.c:"
grep -lE '#include <curl/' -r plugin include | grep -vE '^(plugin/edge/(engine|fetch|ship|web)[a-z_]*\.c|include/edge/(engine_call|web)\.h)$' |
	complain "curl.h belongs to engine.c, fetch.c, ship.c and web.c:"

grep -lE '#include <yaml' -r plugin include | grep -v '^plugin/edge/yaml_tree\.c$' |
	complain "yaml.h belongs to yaml_tree.c:"

# ---- what nobody may use (comments and texts don't count)
code() {
	sed -E 's/"([^"\\]|\\.)*"//g' "$1" | gcc -fpreprocessed -dD -E -P -w -x c - 2>/dev/null |
		sed "s,^,$1: ,"
}
for f in "${own[@]}" "${headers[@]}"; do code "$f"; done |
	grep -wE 'goto|strcpy|strcat|sprintf|vsprintf|strtok|atoi|atol|gets|localtime|gmtime|system|popen|alloca' |
	complain "banned:"
for f in "${sources[@]}"; do code "$f"; done | grep -E 'typedef (struct|union|enum)\b' |
	complain "typedefs of structs:"
grep -nwE 'TODO|FIXME|XXX|HACK' "${own[@]}" "${headers[@]}" | complain "promises:"
for f in "${own[@]}" "${headers[@]}" tests/*/*.[ch]; do
	head -1 "$f" | grep -q 'SPDX-License-Identifier: Apache-2.0' || echo "$f"
done | complain "no SPDX line:"

# ---- what lets through is assigned in listed places of decide.c
grep -nE '[^=!]= *DECISION_(ALLOW|OBSERVE)' "${own[@]}" | grep -v '^plugin/core/decide.c:' |
	complain "DECISION_ALLOW and DECISION_OBSERVE are assigned in decide.c only:"
n=$(grep -cE '[^=!]= *DECISION_(ALLOW|OBSERVE)' plugin/core/decide.c)
[ "$n" -eq 3 ] || echo "decide.c assigns them in $n places, its list names 3" |
	complain "places that let through:"

# ---- headers compile alone
for h in "${headers[@]}"; do
	echo "#include \"${h#include/}\"" |
		gcc -std=gnu17 -Wall -Wextra -Werror -D_GNU_SOURCE -Iinclude -fsyntax-only -x c - \
			2>&1 | head -3
done | complain "headers that do not compile alone:"

# ---- core is pure: what it takes from outside is this list and nothing else
allowed='malloc|calloc|realloc|free|mem(cpy|cmp|move|set|chr|rchr|mem)|__mem(cpy|move|set)_chk'
allowed+='|str(len|cmp|ncmp|chr|rchr|cspn|spn|tol|toul|toull|toll|str|pbrk|nlen)'
allowed+='|__isoc23_strtou?ll?|__(str|stp)[a-z]*_chk'
allowed+='|v?snprintf|__v?snprintf_chk|qsort|bsearch|__stack_chk_fail|_GLOBAL_OFFSET_TABLE_'
allowed+='|json_[a-z_0-9]+|seccomp_syscall_resolve_[a-z_]+|nettle_sha256_[a-z]+'
allowed+='|__cpu_model' # what __builtin_cpu_supports() reads: set before main, then constant
comm -23 <(nm -u "$core" | awk 'NF == 2 { print $2 }' | sort -u) \
	<(nm --defined-only "$core" | awk 'NF == 3 { print $3 }' | sort -u) |
	grep -vxE "$allowed" | complain "core takes from outside what is not pure:"
objdump -t "$core" | awk '$4 ~ /^\.(data|bss)$/ || $4 == "*COM*" { print $NF }' |
	grep -vE '^\.(data|bss)$' | complain "core has mutable globals:"

# ---- the judge connects to nothing
nm -u build/release/seccomp-authzd | awk '{ print $2 }' |
	grep -E '^(curl_|yaml_|getaddrinfo|gethostby)' |
	complain "the judge takes what connects to the network:"

# ---- analysers
printf '%s\0' "${own[@]}" | xargs -0 -P "$(nproc)" -n 4 sh -c 'clang-tidy --quiet "$@" -- \
	-std=gnu17 -D_GNU_SOURCE -DVERSION="\"0\"" -Iinclude 2>/dev/null ||
	echo "error: clang-tidy failed on $*"' tidy |
	grep -E 'warning:|error:' | sort -u | complain "clang-tidy:"
cat >"$macros" <<'XML'
<?xml version="1.0"?>
<def format="2">
  <define name="json_object_foreach(o,k,v)" value="for (void *it = json_object_iter(o); it &amp;&amp; (k = json_object_iter_key(it)) &amp;&amp; (v = json_object_iter_value(it)); it = 0)"/>
  <define name="json_array_foreach(a,i,v)" value="for (i = 0; i &lt; json_array_size(a) &amp;&amp; (v = json_array_get(a, i)); i++)"/>
</def>
XML
cppcheck --quiet -j "$(nproc)" --std=c11 --enable=warning,performance,portability --inline-suppr \
	--suppress=missingIncludeSystem --library="$macros" -D_GNU_SOURCE -Iinclude plugin 2>&1 |
	complain "cppcheck:"
if command -v mandoc >/dev/null; then
	mandoc -T lint plugin-spec/man/* | grep -v 'referenced manual not found' |
		complain "manual pages:"
fi
if command -v shellcheck >/dev/null; then
	find tests plugin-spec .ci -name '*.sh' -print0 | xargs -0 shellcheck -S warning -e SC2038 2>&1 |
		complain "shellcheck:"
fi

if [ -s "$found" ]; then
	echo "lint: failed ($(wc -l <"$found") kinds of finding)" >&2
	exit 1
fi
echo "lint: clean (${#sources[@]} files)"
