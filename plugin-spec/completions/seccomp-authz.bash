# SPDX-License-Identifier: Apache-2.0
# bash completion of seccomp-authz: asks the program itself (--help), so that it knows what
# the program knows.

# The text of `COMMAND... --help`.
_seccomp_authz_help() {
	"$@" --help 2>/dev/null </dev/null
}

# Options of a help text: those of the usage, and those that begin a line of it.
_seccomp_authz_options() {
	sed -n '/^usage:/,/^$/p; /^ *--[a-z]/p' | grep -oE -- '--[a-z][a-z0-9-]*' | sort -u
}

# What may follow option $1 where the help says "--option this|that".
_seccomp_authz_values() {
	grep -oE -- "$1[ =][a-z0-9]+(\|[a-z0-9]+)+" | head -1 | sed -E 's/^[^ =]*[ =]//; s/\|/ /g'
}

# Subcommands of command $1, from its usage.
_seccomp_authz_subcommands() {
	sed -n '/^usage:/,/^$/p' | grep -oE "seccomp-authz $1 [a-z][a-z-]*" | sed 's/.* //' | sort -u
}

_seccomp_authz() {
	local program=${COMP_WORDS[0]} cur=${COMP_WORDS[COMP_CWORD]} option='' command='' help i
	local -a call=()
	COMPREPLY=()
	for ((i = 1; i < COMP_CWORD && i < 3; i++)); do
		[[ ${COMP_WORDS[i]} == [a-z]* ]] || break
		call+=("${COMP_WORDS[i]}")
	done
	command=${call[0]:-}
	if [[ -z $command ]]; then
		help=$(_seccomp_authz_help "$program")
		mapfile -t COMPREPLY < <(compgen -W "$(sed -n 's/^  \([a-z][a-z-]*\) .*/\1/p' <<<"$help") --help --version" -- "$cur")
		return
	fi
	help=$(_seccomp_authz_help "$program" "$command")
	local subcommands
	subcommands=$(_seccomp_authz_subcommands "$command" <<<"$help")
	if [[ -n $subcommands && ${#call[@]} -eq 1 && $cur != -* ]]; then
		mapfile -t COMPREPLY < <(compgen -W "$subcommands" -- "$cur")
		return
	fi
	if [[ -n $subcommands && -n ${call[1]:-} ]]; then
		local more
		more=$(_seccomp_authz_help "$program" "$command" "${call[1]}")
		[[ $more == usage:* ]] && help=$more
	fi
	option=${COMP_WORDS[COMP_CWORD - 1]}
	if [[ $cur == = ]]; then
		cur=''
	elif [[ $option == = ]]; then
		option=${COMP_WORDS[COMP_CWORD - 2]}
	fi
	if [[ $cur == -* ]]; then
		mapfile -t COMPREPLY < <(compgen -W "$(_seccomp_authz_options <<<"$help") --help" -- "$cur")
		return
	fi
	if [[ $option == --* ]]; then
		local values
		values=$(_seccomp_authz_values "$option" <<<"$help")
		if [[ -n $values ]]; then
			mapfile -t COMPREPLY < <(compgen -W "$values" -- "$cur")
			return
		fi
	fi
	mapfile -t COMPREPLY < <(compgen -f -- "$cur")
	compopt -o filenames 2>/dev/null
}

complete -F _seccomp_authz seccomp-authz
