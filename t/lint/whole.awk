# SPDX-License-Identifier: ISC
# Judges what llvm-cov counted (t/lint/whole).  Files in this order: names of
# sources, whole.tsv, places of errors, unreached.tsv, counts (lcov).
# -v root: what stands before the names in the last; -v uncovered: where lines
# and branches that nothing ran go.

function percent(hit, all) {
	return all == 0 ? 100 : 100 * hit / all
}

function verdict(good, words) {
	print (good ? "ok " : "not ok ") words
}

FNR == 1 { part++ }
/^#/ && part != 1 { next }
part == 1 { source[++nsources] = $0; next }
part == 2 {
	split($0, f, "\t")
	least[f[1]] = f[2]
	branches[f[1]] = f[3]
	why[f[1]] = f[4]
	next
}
part == 3 {
	split($0, f, "\t")
	place[++nplaces] = f[1]
	words[nplaces] = f[2]
	next
}
part == 4 {
	split($0, f, "\t")
	allowed[f[1], f[2]] = f[3]
	if (f[4] == "")
		verdict(0, f[1] ": \"" f[2] "\" has no reason")
	exception[++nexceptions] = f[1] SUBSEP f[2]
	next
}

/^SF:/ {
	name = substr($0, 4)
	sub("^" root, "", name)
	next
}
/^DA:/ {
	split(substr($0, 4), f, ",")
	lines[name]++
	count[name ":" f[1]] = f[2]
	if (f[2] > 0)
		lines_hit[name]++
	else if (name in least || name ~ /\.c$/)
		print name ":" f[1] ": not run" >uncovered
}
/^BRDA:/ {
	split(substr($0, 6), f, ",")
	all[name]++
	if (f[4] != "-" && f[4] > 0)
		all_hit[name]++
	else
		print name ":" f[1] ": never " (f[3] % 2 == 0 ? "true" : \
		    "false") >uncovered
}

END {
	for (i = 1; i <= nsources; i++) {
		n = source[i]
		if (!(n in lines))
			continue
		l = percent(lines_hit[n], lines[n])
		b = percent(all_hit[n], all[n])
		total += lines[n]
		total_hit += lines_hit[n]
		total_all += all[n]
		total_all_hit += all_hit[n]
		if (!(n in least)) {
			least[n] = 90
			branches[n] = 80
		}
		good = l >= least[n] && b >= branches[n]
		files += good
		if (!good)
			verdict(0, sprintf("%s: %.1f %% of lines of %d, " \
			    "%.1f %% of branches of %d%s", n, l, least[n], b, \
			    branches[n], why[n] == "" ? "" : ": " why[n]))
	}
	verdict(1, files " of " nsources " files as t/lint/whole.tsv has them")
	for (i = 1; i <= nplaces; i++) {
		if (!(place[i] in count) || count[place[i]] > 0) {
			reached++
			continue
		}
		n = place[i]
		sub(/:[0-9]+$/, "", n)
		if (allowed[n, words[i]]-- > 0)
			excused++
		else
			verdict(0, place[i] ": never reached: " words[i])
	}
	for (i = 1; i <= nexceptions; i++)
		if (allowed[exception[i]] > 0) {
			split(exception[i], f, SUBSEP)
			verdict(0, f[1] ": reached, or gone, and in " \
			    "unreached.tsv: " f[2])
		}
	printf "ok %d of %d places of errors reached, %d excused\n", \
	    reached, nplaces, excused
	l = percent(total_hit, total)
	b = percent(total_all_hit, total_all)
	verdict(l >= 90, sprintf("%.1f %% of %d lines", l, total))
	verdict(b >= 80, sprintf("%.1f %% of %d branches", b, total_all))
}
