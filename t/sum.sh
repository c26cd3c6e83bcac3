# shellcheck shell=bash
# SPDX-License-Identifier: ISC
#
# sum.sh: what lines `N passed, N failed[, N skipped]' come to, for scripts
# that run others: passed, failed and skipped are the caller's.
# shellcheck disable=SC2034 # for those who source this
passed=0 failed=0 skipped=0

# sum NAME FILE STATUS: adds the last line of what NAME said; one that ended
# with another status than 0 and says of no failure counts as one.
sum()
{
	local p=0 f=0 s=0

	# make itself says `Error 1' after the last line of a failed target
	if [[ $(sed '/^make: \*\*\*/d' "$2" | tail -n 1) =~ \
	    ^([0-9]+)\ passed,\ ([0-9]+)\ failed(,\ ([0-9]+)\ skipped)?$ ]]; then
		p=${BASH_REMATCH[1]} f=${BASH_REMATCH[2]}
		s=${BASH_REMATCH[4]:-0}
	fi
	if [ "$3" != 0 ] && [ "$f" = 0 ]; then
		echo "$1 ended with status $3"
		f=1
	fi
	passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
}

# summed: the line, and whether nothing failed
summed()
{
	echo "$passed passed, $failed failed$([ "$skipped" = 0 ] ||
	    echo ", $skipped skipped")"
	[ "$failed" = 0 ]
}
