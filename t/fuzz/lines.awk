# SPDX-License-Identifier: ISC
#
# lines.awk: of t/fuzz/unreached.tsv and what `gcov -t' says of one file
# (-v file=NAME.c): "REACHED LINES NAMED", where NAMED are those that were not
# reached and are named in the first, by their function or their text; LINES
# are without them.  Then "stale ROW" for each row that names none.
BEGIN { FS = "\t" }
FNR == NR {
	if ($1 == file || $1 == "*") {
		why[$1 FS $2] = $3
		rows[$2] = $1 FS $2
	}
	next
}
/^ *-: *0:Source:/ {
	here = $0 ~ "Source:" file "$"
}
!here { next }
{
	split($0, part, ":")
	count = part[1]
	gsub(/ /, "", count)
	text = substr($0, length(part[1]) + length(part[2]) + 3)
}
text ~ /^[a-z_][a-z0-9_]*\(/ {
	name = substr(text, 1, index(text, "(") - 1)
}
count ~ /^[0-9]/ { reached++; lines++ }
count ~ /^[#=]/ {
	gsub(/^[ \t]+|[ \t]+$/, "", text)
	if (name in rows)
		found[rows[name]] = 1
	else if (text in rows)
		found[rows[text]] = 1
	else {
		lines++
		next
	}
	named++
}
END {
	printf "%d %d %d\n", reached, lines, named
	for (row in why)
		if (row ~ "^" file && !(row in found))
			print "stale " row
}
