# SPDX-License-Identifier: ISC
# The formats of all log lines of level warn and error, of C files:
#	FILE:LINE <tab> FORMAT, each conversion a "*"
# A level that is found out at run time counts as one of them.
# -v errors=1: and all that makes an error, by the names that we give that.

function read_file(   line) {
	text = ""
	while ((getline line < file) > 0)
		text = text line "\n"
	close(file)
}

# arg[1..] of the call whose "(" is at `at`: string literals joined, all else
# as it stands.
function read_args(at,   c, depth, n, quoted) {
	n = 1
	split("", arg)
	split("", literal)
	for (depth = 0; at <= length(text); at++) {
		c = substr(text, at, 1)
		if (quoted) {
			if (c == "\\")
				c = c substr(text, ++at, 1)
			if (c == "\"")
				quoted = 0
			else
				literal[n] = literal[n] c
			continue
		}
		if (c == "\"")
			quoted = 1
		else if (substr(text, at, 3) == "PRI") # PRIu64 and the like
			literal[n] = literal[n] "d"
		else if (c ~ /[({[]/ && depth++ == 0)
			continue
		else if (c ~ /[)}\]]/ && --depth == 0)
			return
		else if (c == "," && depth == 1)
			n++
		else
			arg[n] = arg[n] c
	}
}

function shape(fmt) {
	gsub(/%[-+#0]*[0-9*]*(\.[0-9*]+)?(hh|h|ll|l|z|j|t)?[a-zA-Z]/, "*", fmt)
	gsub(/\*+/, "*", fmt)
	gsub(/\\"/, "\"", fmt)
	return fmt
}

function calls(   rest, skipped, at, name, which, before, i, words) {
	rest = text
	skipped = 0
	while (match(rest, "(" names ")\\(")) {
		at = skipped + RSTART
		name = substr(rest, RSTART, RLENGTH - 1)
		skipped += RSTART + RLENGTH - 1
		rest = substr(rest, RSTART + RLENGTH)
		# Another's end, or its definition.
		if (substr(text, at - 1, 1) ~ /[a-zA-Z0-9_\n]/)
			continue
		read_args(at + length(name))
		which = name == "log_line" ? 3 : 1
		if (arg[1] ~ /^[ \t\n]*LOG_LEVEL_(INFO|DEBUG)$/)
			continue
		words = literal[which]
		if (errors && words == "") {
			for (i = 1; i in arg; i++)
				words = words literal[i]
			for (i = 1; words == "" && i in arg; i++)
				words = words (i > 1 ? "," : "") arg[i]
			gsub(/[ \t\n]+/, " ", words)
		}
		if (words == "")
			continue
		before = substr(text, 1, at)
		printf "%s:%d\t%s\n", file, gsub(/\n/, "", before) + 1,
		    shape(words)
	}
}

BEGIN {
	names = "log_warn|log_error|log_line|fatal"
	if (errors)
		names = names "|fail|fail_code|fail_file|store_fail|failed|" \
		    "wrong|bad|missing|refuse|refused|malformed"
}

{
	file = $0
	read_file()
	calls()
}
