#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# lint.sh - format, clang-tidy, cppcheck, and the rules of the tree that a machine can hold.
# Needs clang-format, clang-tidy, cppcheck, universal-ctags, and a release build for purity.
set -uo pipefail
cd "$(dirname "$0")/.."
failed=0
mapfile -t sources < <(find plugin include tests -name '*.[ch]' | sort)
mapfile -t own < <(find plugin -name '*.c' | sort)

complain() { # TITLE, text on stdin
	local text
	text=$(cat)
	[ -z "$text" ] && return
	printf 'lint: %s\n%s\n' "$1" "$text" >&2
	failed=1
}

need() {
	command -v "$1" >/dev/null || { echo "lint: $1 is not installed" >&2; exit 2; }
}
for tool in clang-format clang-tidy cppcheck ctags nm objdump; do need "$tool"; done

# ---- format
clang-format --dry-run "${sources[@]}" 2>&1 | grep -E 'warning: code should' |
	sed 's/ warning:.*//' | sort -u | complain "not as .clang-format says:"

# ---- functions fit a screen, files have one job
find plugin include -name '*.[ch]' -print0 |
	xargs -0 ctags -x --kinds-C=f --_xformat='%{line} %{end} %N %F' |
	awk '$2 - $1 + 1 > 60 { print $4 ": " $3 " has " $2 - $1 + 1 " lines" }' |
	complain "functions over 60 lines:"
find plugin include -name '*.[ch]' -exec wc -l {} + |
	awk '$2 != "total" && $1 > 400 { print $2 " has " $1 " lines" }' |
	complain "files over 400 lines:"

# ---- three rooms: a file includes only its own room or one below it
{
	grep -nE '#include "(edge|cmd)' plugin/core/*.c include/core/*.h
	grep -nE '#include "cmd' plugin/edge/*.c include/edge/*.h
} | complain "includes that point upwards (core < edge < cmd):"

# ---- every third-party header in its one place
grep -lE '#include <microhttpd' -r plugin include | grep -v '^plugin/edge/http.c$' |
	complain "microhttpd.h belongs to plugin/edge/http.c:"
grep -lE '#include <curl/' -r plugin include | grep -vE '^plugin/edge/(engine|fetch|ship).c$' |
	complain "curl.h belongs to engine.c, fetch.c and ship.c:"

# ---- what nobody may use
grep -nwE 'goto|strcpy|strcat|sprintf|vsprintf|strtok|atoi|atol|gets|localtime|gmtime|system|popen|alloca' \
	"${own[@]}" include/*/*.h | grep -vE ':[0-9]+:\s*(/?\*|.*/\*)|"[^"]*\b(goto|system)\b' |
	complain "banned:"
grep -nE 'typedef struct|TODO|FIXME|XXX' "${sources[@]}" | complain "not in this house:"
grep -nE '= *DECISION_(ALLOW|OBSERVE)' "${own[@]}" | grep -v '^plugin/core/decide.c:' |
	complain "DECISION_ALLOW and DECISION_OBSERVE are assigned in decide.c only:"
n=$(grep -cE '= *DECISION_(ALLOW|OBSERVE)' plugin/core/decide.c)
[ "$n" -eq 3 ] || echo "decide.c assigns them in $n places, its list names 3" |
	complain "places that let through:"
for f in "${own[@]}" $(find include -name '*.h'); do
	head -1 "$f" | grep -q 'SPDX-License-Identifier: Apache-2.0' || echo "$f"
done | complain "no SPDX line:"

# ---- headers compile alone
for h in $(find include -name '*.h' | sort); do
	echo "#include \"${h#include/}\"" |
		gcc -std=gnu17 -Wall -Wextra -Werror -D_GNU_SOURCE -Iinclude -fsyntax-only -x c - \
			2>&1 | head -3
done | complain "headers that do not compile alone:"

# ---- core is pure: what it takes from outside is this list and nothing else
core=build/release/libcore.a
[ -f "$core" ] || { echo "lint: build first (make)" >&2; exit 2; }
allowed='malloc|calloc|realloc|free|mem(cpy|cmp|move|set|chr|rchr|mem)|__mem(cpy|move|set)_chk'
allowed="$allowed|str(len|cmp|ncmp|chr|rchr|cspn|spn|tol|toul|tod|str|pbrk|nlen)|__isoc23_strtou?l+|__str[a-z]*_chk"
allowed="$allowed|v?snprintf|__v?snprintf_chk|qsort|bsearch|__stack_chk_fail|__explicit_bzero_chk"
allowed="$allowed|json_[a-z_0-9]+|seccomp_syscall_resolve_[a-z_]+|nettle_sha256_[a-z]+|_GLOBAL_OFFSET_TABLE_"
comm -23 <(nm -u "$core" 2>/dev/null | awk 'NF == 2 { print $2 }' | sort -u) \
	<(nm --defined-only "$core" 2>/dev/null | awk 'NF == 3 { print $3 }' | sort -u) |
	grep -vxE "$allowed" | complain "core takes from outside what is not pure:"
objdump -t "$core" | awk '$4 ~ /^\.(data|bss)$/ || $4 == "*COM*" { print $NF }' |
	grep -vE '^\.(data|bss)$' | complain "core has mutable globals:"

# ---- the judge connects to nothing
nm -u build/release/seccomp-authzd | awk '{ print $2 }' | grep -E '^(curl_|yaml_|getaddrinfo|gethostbyname)' |
	complain "the judge takes what connects to the network:"

# ---- analysers
printf '%s\n' "${own[@]}" | xargs -P "$(nproc)" -n 4 clang-tidy --quiet --warnings-as-errors='*' -p /nonexistent 2>/dev/null \
	-- -std=gnu17 -D_GNU_SOURCE -DVERSION='"0"' -Iinclude |
	grep -E 'warning:|error:' | sort -u | complain "clang-tidy:"
cppcheck --quiet --std=c11 --enable=warning,performance,portability --inline-suppr \
	--suppress=missingIncludeSystem --error-exitcode=0 -D_GNU_SOURCE -Iinclude plugin 2>&1 |
	complain "cppcheck:"

[ "$failed" = 0 ] && echo "lint: clean (${#sources[@]} files)"
exit "$failed"
