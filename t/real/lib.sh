# shellcheck shell=bash
# SPDX-License-Identifier: ISC
#
# lib.sh: what the scripts of t/real share: ports, certificates, and the
# processes of a folder.  DIR/procs has one line a process: its id, its start
# time in clock ticks, the signal that ends it, its name.  An id counts as
# ours only while its start time is the recorded one, so that no foreign
# process is ever ended.

REAL=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
ROOT=$(cd "$REAL/../.." && pwd)
BIN=${REAL_BIN:-$ROOT/build/real/bin}
# shellcheck disable=SC2034 # for those who source this
SKIPPED=77

say()
{
	printf '%s: %s\n' "${0##*/}" "$*"
}

die()
{
	printf '%s: %s\n' "${0##*/}" "$*" >&2
	exit 1
}

now_ms()
{
	echo "$((${EPOCHREALTIME/[.,]/} / 1000))"
}

# seconds SINCE_MS: the time since then, as 1.2
seconds()
{
	local tenths=$((($(now_ms) - $1) / 100))

	echo "$((tenths / 10)).$((tenths % 10))"
}

# free_ports N: N different ports of 127.0.0.1 on which nobody listens, below
# the range from which the kernel takes the ports of clients.  Sessions at one
# time have numbers, REAL_LANE (0) to 7, and each of the two that ask in one
# has a range of its own: what is free now is taken a while later.
free_ports()
{
	local port
	local -A seen=()

	while [ ${#seen[@]} -lt "$1" ]; do
		port=$((20000 + 1500 * ${REAL_LANE:-0} + PORTS + RANDOM % 750))
		(exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null ||
		    seen[$port]=1
	done
	echo "${!seen[@]}"
}

# --- processes ---------------------------------------------------------------

# start_time PID: its start time; fails when it has ended.
start_time()
{
	local stat

	{ read -r stat <"/proc/$1/stat"; } 2>/dev/null || return 1
	stat=${stat##*) }
	# shellcheck disable=SC2086 # the fields are words
	set -- $stat
	# A zombie with threads has not closed its sockets yet.
	{ [ "$1" != Z ] || [ "${18}" -gt 1 ]; } && echo "${20}"
}

alive()
{
	[ "$(start_time "$1")" = "$2" ]
}

# start DIR NAME SIGNAL COMMAND...: runs it, with its output in DIR/log/NAME.
start()
{
	local dir=$1 name=$2 signal=$3 pid

	shift 3
	setsid "$@" >>"$dir/log/$name" 2>&1 </dev/null &
	pid=$!
	echo "$pid $(start_time $pid) $signal $name" >>"$dir/procs"
}

# running DIR NAME
running()
{
	local pid ticks signal name

	while read -r pid ticks signal name; do
		[ "$name" != "$2" ] || { alive "$pid" "$ticks" && return; }
	done <"$1/procs"
	return 1
}

# wait_for SECONDS COMMAND...: repeats the command until it succeeds.
wait_for()
{
	local end=$((SECONDS + $1))

	shift
	until "$@" >/dev/null 2>&1; do
		[ "$SECONDS" -lt "$end" ] || return 1
		sleep 0.05
	done
}

# wait_ready DIR NAME SECONDS COMMAND...: the same for a process just started;
# one that ended, or takes too long, is told with the end of its log.
wait_ready()
{
	local dir=$1 name=$2 limit=$3 end=$((SECONDS + $3))

	shift 3
	until "$@" >/dev/null 2>&1; do
		if ! running "$dir" "$name"; then
			tail -n 8 "$dir/log/$name" >&2
			die "$name ended while it started"
		elif [ "$SECONDS" -ge "$end" ]; then
			tail -n 8 "$dir/log/$name" >&2
			die "$name: not ready after $limit s"
		fi
		sleep 0.05
	done
}

ended()
{
	! alive "$1" "$2"
}

# end_process PID TICKS SIGNAL NAME: by that signal, after 30 s by SIGKILL.
end_process()
{
	alive "$1" "$2" || return 0
	kill "-$3" "$1" 2>/dev/null || return 0
	wait_for 30 ended "$1" "$2" && return
	say "$4 ($1) did not end by SIG$3: SIGKILL"
	kill -KILL "$1" 2>/dev/null || return 0
	wait_for 5 ended "$1" "$2" || die "$4 ($1) cannot be ended"
}

# signal_one DIR NAME SIGNAL: to one that runs.
signal_one()
{
	local pid ticks signal name

	while read -r pid ticks signal name; do
		[ "$name" != "$2" ] || ! alive "$pid" "$ticks" || {
			kill "-$3" "$pid"
			return
		}
	done <"$1/procs"
	die "$2 does not run"
}

# stop_one DIR NAME [SIGNAL]: ends it, by its own signal or that one, and
# forgets it.
stop_one()
{
	local dir=$1 wanted=$2 force=${3-} pid ticks signal name

	while read -r pid ticks signal name; do
		if [ "$name" = "$wanted" ]; then
			end_process "$pid" "$ticks" "${force:-$signal}" "$name"
		else
			echo "$pid $ticks $signal $name"
		fi
	done <"$dir/procs" >"$dir/procs.new"
	mv "$dir/procs.new" "$dir/procs"
}

# tend DIR: as its kubelet would, starts again (start_again) each that ended by
# itself, and tells how.
tend()
{
	local pid ticks signal name
	local -a fallen=()

	while read -r pid ticks signal name; do
		alive "$pid" "$ticks" || fallen+=("$name")
	done <"$1/procs"
	for name in "${fallen[@]}"; do
		say "$name ended by itself: $(tail -n 8 "$1/log/$name")"
		stop_one "$1" "$name"
		start_again "$name"
	done
}

# stop_all DIR: ends all, the last started first.
stop_all()
{
	local pid ticks signal name

	[ -f "$1/procs" ] || return 0
	tac "$1/procs" | while read -r pid ticks signal name; do
		end_process "$pid" "$ticks" "$signal" "$name"
	done
	rm -f "$1/procs"
}

# fresh DIR: makes it, or makes sure that it is empty; prints its full path.
fresh()
{
	mkdir -p "$1"
	[ -z "$(ls -A "$1")" ] || die "$1: not empty"
	chmod 711 "$1"		# PostgreSQL may run with another id
	mkdir "$1/log"
	(cd "$1" && pwd)
}

need_binaries()
{
	local name

	for name; do
		[ -x "$BIN/$name" ] || die "$BIN/$name: run t/real/build first"
	done
}

# --- certificates ------------------------------------------------------------

# certificate DIR NAME CA SUBJECT EXTENSION...: DIR/NAME.key and DIR/NAME.crt,
# signed by DIR/CA, or by itself when CA is empty.
certificate()
{
	local dir=$1 name=$2 ca=$3 subject=$4 e
	local -a args=()

	shift 4
	[ -z "$ca" ] || args+=(-CA "$dir/$ca.crt" -CAkey "$dir/$ca.key")
	for e; do
		args+=(-addext "$e")
	done
	printf '[req]\ndistinguished_name = dn\n[dn]\n' >"$dir/req.conf"
	(umask 077; openssl ecparam -name prime256v1 -genkey -noout \
	    -out "$dir/$name.key")
	openssl req -x509 -config "$dir/req.conf" -sha256 -days 365 \
	    -key "$dir/$name.key" -subj "$subject" "${args[@]}" \
	    -out "$dir/$name.crt"
}

# shellcheck disable=SC2034,SC2054 # for those who source this
CA_EXTENSIONS=(basicConstraints=critical,CA:TRUE
    keyUsage=critical,digitalSignature,keyCertSign,cRLSign)

# leaf DIR NAME CA SUBJECT USAGE [EXTENSION...]: serverAuth or clientAuth
leaf()
{
	local dir=$1 name=$2 ca=$3 subject=$4 usage=$5

	shift 5
	certificate "$dir" "$name" "$ca" "$subject" \
	    basicConstraints=critical,CA:FALSE \
	    keyUsage=critical,digitalSignature "extendedKeyUsage=$usage" "$@"
}
