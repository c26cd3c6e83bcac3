# SPDX-License-Identifier: ISC
# What bash completes after vkfctl(8): the provider is asked, so that it is as
# the running one has it, with the names that there are now.  Without one,
# nothing.
_vkfctl()
{
	local i word line
	local -a socket=() typed=()

	COMPREPLY=()
	for ((i = 1; i < COMP_CWORD; i++)); do
		word=${COMP_WORDS[i]}
		case $word in
		-s)
			# A ~ is not expanded yet.
			word=${COMP_WORDS[++i]}
			socket=(-s "${word/#\~/$HOME}")
			;;
		-o) ((++i)) ;;
		-*) ;;
		*) typed+=("$word") ;;
		esac
	done
	word=${COMP_WORDS[COMP_CWORD]}
	case ${COMP_WORDS[COMP_CWORD - 1]}/$word in
	-o/*)
		mapfile -t COMPREPLY < <(compgen -W 'bare json' -- "$word")
		return
		;;
	-s/*)
		mapfile -t COMPREPLY < <(compgen -f -- "$word")
		return
		;;
	*/-*)
		mapfile -t COMPREPLY < <(compgen -W '-f -h -o -s -y --node' -- \
		    "$word")
		return
		;;
	esac
	while read -r word line; do
		COMPREPLY+=("$word")
	done < <("${COMP_WORDS[0]/#\~/$HOME}" "${socket[@]}" -o bare \
	    complete "${typed[@]}" "$word" 2>/dev/null)
} && complete -F _vkfctl vkfctl
