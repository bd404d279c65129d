# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# What the fuzzers that run in a virtual machine share; sourced after ../lib.sh.
#
# They are ordinary test scripts with two knobs from the environment:
#
#	FUZZ_COUNT	how many requests or frames (each script has a
#			small default)
#	FUZZ_SEED	where the random numbers start; printed, so that a run can
#			be repeated (default 1)
#
# Their C programs are compiled before the machine boots, by ./programs, into
# FUZZ_PROGRAMS (default /out/fuzz): the guest may have no C library to link.

FUZZ_SEED=${FUZZ_SEED:-1}
FUZZ_PROGRAMS=${FUZZ_PROGRAMS:-/out/fuzz}
fuzz_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

# program NAME: have NAME.c compiled; its path is then in $program.
program() {
	program=$FUZZ_PROGRAMS/$1
	[ ! -x "$program" ] || return 0
	program=$work/$1
	echo 'int main(void) { return 0; }' >"$work/try.c"
	gcc -o "$work/try" "$work/try.c" 2>/dev/null ||
		skip "$1 is not compiled and there is no compiler here: see selftests/fuzz/programs"
	gcc -O2 -Wall -o "$program" "$fuzz_dir/$1.c"
}

# Random requests leave devices behind, which pile up; remember NAMESPACE... says
# that what is there now is to stay.
declare -A known
remember() {
	local ns

	for ns; do
		known[$ns]=$(links "$ns")
	done
}

links() { ip -n "$NS_PREFIX-$1" -o link show | sed 's/^[0-9]*: //; s/[:@].*//' | sort; }

# settings NAMESPACE...: all that a request could have changed there. `host` is the
# namespace of the machine. Not what changes by itself: state, lifetimes, and the
# files that report.
settings() {
	local ns

	for ns; do
		echo "$ns:"
		settings_of "$ns" | sed -E 's/ state [A-Z]+//; s/ valid_lft.*//; s/ expires [^ ]*//'
	done
}

settings_of() {
	local at=(-n "$NS_PREFIX-$1") inside=(ip netns exec "$NS_PREFIX-$1")

	[ "$1" != host ] || at=() inside=()
	ip "${at[@]}" -d -o link show
	ip "${at[@]}" -o addr show
	ip "${at[@]}" -d tunnel show	# with what is behind a 6rd or ISATAP device
	ip "${at[@]}" rule show
	ip "${at[@]}" route show table all
	ip "${at[@]}" neigh show nud permanent
	# shellcheck disable=SC2016 # for the shell inside
	"${inside[@]}" sh -c 'grep -s . /sys/class/net/*/tunnel/* | grep -v _status:' || true
}

tracing=/sys/kernel/tracing

# count_copies BYTES: from now on, packets whose head is copied to get more room in
# front of it than that. It fails in a kernel without kprobe events.
count_copies() {
	[ -e $tracing/kprobe_events ] || quietly mount -t tracefs tracefs $tracing || true
	[ -e $tracing/kprobe_events ] || return 1
	[ ! -e $tracing/events/kprobes/copies ] || quietly copies
	echo 'p:copies pskb_expand_head head=%si:s32' >$tracing/kprobe_events
	echo "head > $1" >$tracing/events/kprobes/copies/filter
	echo >$tracing/trace
	echo 1 >$tracing/events/kprobes/copies/enable
}

# copies: how many there were. There is no room to remember more than a few thousand.
copies() {
	echo 0 >$tracing/events/kprobes/copies/enable
	grep -c copies: $tracing/trace || true
	echo >$tracing/kprobe_events
	echo >$tracing/trace
}

# expected KIND: culvert has every kind; vti only in a kernel that has IPsec. The
# in-tree modules are there or not.
expected() {
	culvert || return 1
	[ "$1" != vti ] || [ -e /proc/sys/net/core/xfrm_acq_expires ]
}

# All other devices of these namespaces go.
sweep() {
	local ns file=$work/sweep.$BASHPID

	for ns in "${!known[@]}"; do
		links "$ns" | { grep -Fvx "${known[$ns]}" || :; } | sed 's/^/link del /' >"$file"
		quietly on "$ns" ip -force -batch "$file" || true
	done
}

# requests MODE NAMESPACE PEER COUNT SEED: by config.c, whose path is in $config, in
# parts of a thousand.
requests() {
	local mode=$1 ns=$2 peer=/run/netns/$NS_PREFIX-$3 left=$4 seed=$5

	for (( ; left > 0; left -= 1000)); do
		on "$ns" "$config" "$mode" $((left < 1000 ? left : 1000)) "$seed" "$peer" >&3
		seed=$((seed + 100))
		sweep
	done
}
