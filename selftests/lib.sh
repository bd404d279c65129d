# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Helpers for the tunnel selftests.  A test script sources this file, builds
# its topology, runs its cases with `check` and ends with `finish`:
#
#	. "$(dirname "$0")/lib.sh"
#	load_tunnels ipip
#	namespaces a b
#	on a ip link set lo up
#	check "lo answers" on a ping -c 1 127.0.0.1
#	finish
#
# Output is KTAP; each command is shown as `# ns$ command` before it runs.
# Exit status: 0 all passed, 1 something failed, 4 skipped with a reason.
#
# TUNNELS says which implementation is under test: `culvert` (the default) or
# `in-tree`, the modules of the running kernel.  Where the two differ on
# purpose a script asks `culvert` and says why.

set -eE

TUNNELS=${TUNNELS:-culvert}
lib_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
work=$(mktemp -d "${TMPDIR:-/tmp}/tunnels.XXXXXX")
export NS_PREFIX="t$$"
readonly ksft_skip=4

cases=0
failed=0
finished=no
trace=yes
created=()
declare -A keepers=()
background=()
wire_pid=

exec 3>&1
echo "TAP version 13"

# --- words for a script -----------------------------------------------------

culvert() { [ "$TUNNELS" = culvert ]; }

# say TEXT...: a diagnostic line, also from inside a case.
say() { echo "# $*" >&3; }

# show NAMESPACE COMMAND...: the line printed before a command runs.
show() {
	local where=$1
	shift
	[ "$trace" = no ] || say "$where\$ $*"
}

# run COMMAND...: print and run a command in the current namespace.
run() {
	show host "$@"
	"$@"
}

# on NAMESPACE COMMAND...: print and run a command in one of our namespaces.
on() {
	local ns=$1
	shift
	show "$ns" "$@"
	if [ "$1" = ip ] && [ "$2" != netns ]; then
		shift
		ip -n "$NS_PREFIX-$ns" "$@"	# half the cost of netns exec
	else
		ip netns exec "$NS_PREFIX-$ns" "$@"
	fi
}

# quietly COMMAND...: run it without printing it or its output.
quietly() {
	local trace=no
	"$@" >/dev/null 2>&1
}

# fails COMMAND...: succeeds when the command does not.
fails() {
	if "$@"; then
		echo "succeeded, but should have failed: $*"
		return 1
	fi
}

# exits STATUS COMMAND...: the command must end with exactly this status.
exits() {
	local want=$1 rc=0
	shift
	"$@" || rc=$?
	equal "exit status of '$*'" "$want" "$rc"
}

# says TEXT COMMAND...: the command must print TEXT (on either stream).
says() {
	local want=$1 out
	shift
	out=$("$@" 2>&1) || true
	contains "$want" "$out"
}

# equal WHAT EXPECTED SEEN
equal() {
	[ "$2" = "$3" ] && return 0
	printf '%s:\n  expected: %s\n  seen:     %s\n' "$1" "$2" "$3"
	return 1
}

# at_least WHAT LEAST SEEN, at_most WHAT MOST SEEN
at_least() {
	[ "$3" -ge "$2" ] && return 0
	echo "$1: expected at least $2, seen $3"
	return 1
}

at_most() {
	[ "$3" -le "$2" ] && return 0
	echo "$1: expected at most $2, seen $3"
	return 1
}

# contains EXPECTED TEXT
contains() {
	[[ $2 == *"$1"* ]] && return 0
	printf 'expected to find: %s\nin:\n%s\n' "$1" "$2"
	return 1
}

# wait_until SECONDS COMMAND...: poll until the command succeeds, at first often:
# to ask can cost as much as what is waited for.
wait_until() {
	local end=$((SECONDS + $1)) polls=0
	shift
	until quietly "$@"; do
		if [ "$SECONDS" -ge "$end" ]; then
			echo "did not happen in time: $*"
			return 1
		fi
		polls=$((polls + 1))
		if [ $polls -le 5 ]; then sleep 0.1; else sleep 0.4; fi
	done
}

# --- results ----------------------------------------------------------------

# check NAME COMMAND...: one case.  The command, usually a function, runs in a
# subshell under `set -e`: each of its lines is an assertion.  Its output is
# shown when it fails.  A case that ends with `skip REASON` is skipped.
check() {
	local name=$1 rc
	shift
	cases=$((cases + 1))
	set +e
	( set -e; "$@" ) >"$work/out" 2>&1
	rc=$?
	set -e
	case $rc in
	0)
		echo "ok $cases - $name" ;;
	"$ksft_skip")
		echo "ok $cases - $name # SKIP $(tail -n 1 "$work/out")" ;;
	*)
		sed 's/^/#   /' "$work/out"
		failed=$((failed + 1))
		echo "not ok $cases - $name" ;;
	esac
}

# skip REASON: leave the running case, or before the first case the script.
skip() {
	if [ "$BASH_SUBSHELL" -gt 0 ]; then
		echo "$*"
		exit "$ksft_skip"
	fi
	echo "1..0 # SKIP $*"
	finished=yes
	exit "$ksft_skip"
}

finish() {
	finished=yes
	echo "1..$cases"
	[ "$failed" -eq 0 ] || exit 1
	exit 0
}

clean_up() {
	local rc=$? ns pid
	set +eE
	trap - ERR EXIT
	if [ "$finished" = no ]; then
		cases=$((cases + 1))
		echo "not ok $cases - the script stopped early${stopped_at:+ at $stopped_at}"
		echo "1..$cases"
		rc=1
	fi
	for pid in "${background[@]}" $wire_pid; do
		kill "$pid" 2>/dev/null
		wait "$pid" 2>/dev/null
	done
	declare -F tear_down >/dev/null && tear_down >/dev/null 2>&1
	for ns in "${created[@]}"; do
		for pid in $(ip netns pids "$NS_PREFIX-$ns" 2>/dev/null); do
			kill "$pid" 2>/dev/null
		done
		ip netns del "$NS_PREFIX-$ns" 2>/dev/null
	done
	rm -rf "$work"
	exit "$rc"
}

trap clean_up EXIT
trap 'stopped_at="line $LINENO: $BASH_COMMAND"' ERR
trap 'exit 130' INT TERM

# --- what a script needs ----------------------------------------------------

# need TOOL...: skip the script where a tool is not installed.
need() {
	local tool
	for tool; do
		command -v "$tool" >/dev/null || skip "$tool is not installed"
	done
}

# load_tunnels KIND...: have the implementation under test loaded, or skip.
load_tunnels() {
	local module
	[ "$(id -u)" -eq 0 ] || skip "must be root"
	if culvert; then
		[ -d /sys/module/culvert ] && return
		modinfo culvert >/dev/null 2>&1 ||
			skip "culvert.ko is not installed (TUNNELS=in-tree tests the kernel's own modules)"
		quietly modprobe culvert
		return
	fi
	for module; do
		case $module in
		gre | gretap | erspan) module=ip_gre ;;
		vti) module=ip_vti ;;
		esac
		quietly modprobe "$module" || skip "this kernel has no $module"
	done
	[ ! -d /sys/module/culvert ] || skip "culvert is loaded, in-tree was asked for"
}

# team_is_sound: a team may take a device that is no Ethernet. In Linux 7.2
# team_add_slave() itself writes the 4 bytes of its address where there is no room for
# them, and the kernel stops it; with the in-tree modules, too.
team_is_sound() {
	case $(uname -r) in
	7.*) skip "team of this kernel overruns a buffer with a device that is no Ethernet" ;;
	esac
}

# kernel_has MODULE: an optional part of the kernel, loaded or built in.
kernel_has() { quietly modprobe "$1"; }

# --- topology ---------------------------------------------------------------

# namespaces NAME...: make them: quiet (no IPv6 chatter), without rp_filter and
# with every ICMP error sent.
namespaces() {
	local ns
	for ns; do
		show host ip netns add "$ns"
		ip netns add "$NS_PREFIX-$ns"
		created+=("$ns")
		ip netns exec "$NS_PREFIX-$ns" sh -c '
			cd /proc/sys/net
			for knob in ipv6/conf/*/disable_ipv6; do
				[ -e "$knob" ] && echo 1 >"$knob"
			done
			echo 0 >ipv4/conf/all/rp_filter
			echo 0 >ipv4/conf/default/rp_filter
			echo 0 >ipv4/icmp_ratelimit
			ip link set lo up'
	done
}

# ipv6_on NAMESPACE: IPv6 without duplicate detection or router chatter, for
# devices made from now on (devices that exist: `sysctl` them by name).
ipv6_on() {
	ip netns exec "$NS_PREFIX-$1" sh -c '
		cd /proc/sys/net/ipv6/conf
		echo 0 >default/accept_dad
		echo 0 >all/accept_dad
		echo 0 >default/router_solicitations
		echo 1 >default/addr_gen_mode
		echo 0 >default/disable_ipv6
		echo 0 >lo/disable_ipv6
		echo 0 >all/disable_ipv6'
}

# wire NS1 DEV1 ADDRESS1 NS2 DEV2 ADDRESS2: a veth pair between two namespaces.
# An address of `-` is left out.
wire() {
	show host ip link add "$2" netns "$1" type veth peer "$5" netns "$4"
	ip link add "$2" netns "$NS_PREFIX-$1" type veth peer name "$5" netns "$NS_PREFIX-$4"
	[ "$3" = - ] || on "$1" ip addr add "$3" dev "$2"
	[ "$6" = - ] || on "$4" ip addr add "$6" dev "$5"
	on "$1" ip link set "$2" up
	on "$4" ip link set "$5" up
}

# forwards ROUTER {NS GATEWAY}...: it does, and is each one's default gateway by that
# address of its own.
forwards() {
	local router=$1
	shift
	on "$router" sysctl -qw net.ipv4.ip_forward=1
	while [ $# -gt 0 ]; do
		on "$1" ip route add default via "$2"
		shift 2
	done
}

# tunnel_end NS DEV LOCAL REMOTE ADDRESS KIND [OPTION...]: one end of a tunnel, up.
# An inner ADDRESS of `-` is left out.
tunnel_end() {
	local ns=$1 dev=$2 local=$3 remote=$4 address=$5
	shift 5
	on "$ns" ip link add "$dev" type "$@" local "$local" remote "$remote"
	[ "$address" = - ] || on "$ns" ip addr add "$address" dev "$dev"
	on "$ns" ip link set "$dev" up
}

# tunnel_pair KIND [OPTION...]: afresh, `tun` of a, 10.0.0.1 outside and 10.1.1.1/30
# inside, and `tun` of b, 10.0.0.2 and 10.1.1.2/30.
tunnel_pair() {
	quietly on a ip link del tun || true
	quietly on b ip link del tun || true
	tunnel_end a tun 10.0.0.1 10.0.0.2 10.1.1.1/30 "$@"
	tunnel_end b tun 10.0.0.2 10.0.0.1 10.1.1.2/30 "$@"
}

# segment NS BRIDGE: a bridge, the Ethernet segment that `plug` plugs into.
segment() {
	on "$1" ip link add "$2" type bridge
	on "$1" ip link set "$2" up
}

# plug NS DEV ADDRESS SEGMENT_NS BRIDGE: a host's cable into a segment.
plug() {
	wire "$1" "$2" "$3" "$4" "to-$1" -
	on "$4" ip link set "to-$1" master "$5"
}

# far_gateways: a host behind the gateway a, which has a router between it and b.
#
#     h hh ------------ ha a va ------------ ra r rb ------------ vb b
#  10.1.0.2      10.1.0.1   10.0.1.1  10.0.1.2   10.0.2.2  10.0.2.1
#  fd01::2       fd01::1
far_gateways() {
	namespaces h a r b
	ipv6_on h
	ipv6_on a
	ipv6_on b
	wire h hh 10.1.0.2/24 a ha 10.1.0.1/24
	wire a va 10.0.1.1/24 r ra 10.0.1.2/24
	wire r rb 10.0.2.2/24 b vb 10.0.2.1/24
	on h ip addr add fd01::2/64 dev hh
	on a ip addr add fd01::1/64 dev ha
	forwards a h 10.1.0.1
	forwards r
	on a sysctl -qw net.ipv6.conf.all.forwarding=1
	on h ip route add default via fd01::1
	# Nobody has a link-local address to ask for the gateway from, and after a minute
	# of silence the router probe of the kernel costs the next packet.
	on h ip neigh replace fd01::1 dev hh nud permanent \
		lladdr "$(ip netns exec "$NS_PREFIX-a" cat /sys/class/net/ha/address)"
	on a ip route add 10.0.2.0/24 via 10.0.1.2
	on b ip route add 10.0.1.0/24 via 10.0.2.2
}

# --- questions --------------------------------------------------------------

# counter NS DEV NAME: a 64-bit device counter (rx_packets, tx_bytes, ...).
counter() {
	ip netns exec "$NS_PREFIX-$1" cat "/sys/class/net/$2/statistics/$3"
}

# drops NS DEV NAME: a named drop counter of ethtool -S; 0 when not listed.
drops() {
	ip netns exec "$NS_PREFIX-$1" ethtool -S "$2" 2>/dev/null |
		awk -v name="$3:" '$1 == name { n = $2 } END { print n + 0 }'
}

# keep NAMESPACE...: a process in each, by whose /sys `knob` reads and writes there
# without a process of its own. It keeps the namespace alive, too.
keep() {
	local ns
	for ns; do
		ip netns exec "$NS_PREFIX-$ns" sleep infinity >/dev/null 2>&1 3>&- &
		keepers[$ns]=$!
		background+=($!)
		wait_until 30 grep -q sleep "/proc/$!/comm"
	done
}

# knob NS DEV NAME [VALUE]: read or set /sys/class/net/DEV/tunnel/NAME.
knob() {
	local ns=$1 file=/sys/class/net/$2/tunnel/$3 root=
	local inside=(ip netns exec "$NS_PREFIX-$1")

	if [ -n "${keepers[$ns]}" ]; then
		root=/proc/${keepers[$ns]}/root
		inside=()
	fi
	if [ $# = 3 ]; then
		"${inside[@]}" cat "$root$file"
	else
		show "$ns" "echo $4 > $file"
		# shellcheck disable=SC2016 # for the shell inside
		"${inside[@]}" sh -c 'echo "$1" >"$2"' sh "$4" "$root$file" 2>/dev/null
	fi
}

# status NS DEV FILE NAME: one value of FILE (keepalive or learning)_status.
status() {
	local name value
	knob "$1" "$2" "$3_status" | while read -r name value; do
		[ "$name" != "$4" ] || echo "$value"
	done
}

# keepalive_is STATE NS [DEV]: what the keepalives of gre1, or DEV, have found.
keepalive_is() { [ "$(status "$2" "${3:-gre1}" keepalive state)" = "$1" ]; }

# ping_ok NS TARGET [OPTION...]: three of three pings are answered.
ping_ok() {
	local ns=$1 target=$2
	shift 2
	on "$ns" ping -n -q -i 0.1 -c 3 -w 10 "$@" "$target"
}

# ping_lost NS TARGET [OPTION...]: none of three pings is answered.
ping_lost() {
	local ns=$1 target=$2
	shift 2
	fails on "$ns" ping -n -q -i 0.1 -c 3 -W 1 "$@" "$target"
}

# capture NS DEV FILE [FILTER]: start tcpdump; returns when it listens.
capture() {
	local ns=$1 dev=$2 file=$3
	shift 3
	show "$ns" tcpdump -n -i "$dev" "$@"
	ip netns exec "$NS_PREFIX-$ns" tcpdump -n -i "$dev" -U --immediate-mode \
		-w "$file" "$@" 2>"$file.log" &
	capture_pid=$!
	background+=("$capture_pid")
	wait_until 30 grep -q "listening on" "$file.log"
}

# captured: stop the capture and wait until its file is complete.
captured() {
	kill -INT "$capture_pid"
	wait "$capture_pid" || true
}

# tcp_transfer FROM TO ADDRESS: 2 MiB by TCP from one namespace to another; every
# byte of them must arrive. Wants start_wire.
tcp_transfer() {
	py "tcp_copy('$1', '$2', '$3', 2 << 20)"
}

# listens NS PORT: somebody listens on this TCP port.
listens() {
	[ -n "$(ip netns exec "$NS_PREFIX-$1" ss -Hltn "sport = :$2")" ]
}

# --- packets ----------------------------------------------------------------

# py EXPRESSION: evaluate Python in wire.py, which runs once for the whole
# script and has sockets in every namespace.  Prints what the expression
# returns; fails when that is false or an exception.  See wire.py for the words.
py() {
	local line
	[ "$trace" = no ] || say "py> ${1//$'\n'/ }"
	printf '%s\n' "${1//$'\n'/$'\036'}" >&4
	while IFS= read -r line <&5; do
		case $line in
		.true) return 0 ;;
		.false) return 1 ;;
		*) printf '%s\n' "$line" ;;
		esac
	done
	echo "wire.py has gone"
	return 1
}

# start_wire: start wire.py.
start_wire() {
	need python3
	mkfifo "$work/ask" "$work/answer"
	python3 "$lib_dir/wire.py" <"$work/ask" >"$work/answer" 3>&- &
	wire_pid=$!
	exec 4>"$work/ask" 5<"$work/answer"
}
