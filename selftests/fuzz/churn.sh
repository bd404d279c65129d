#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The module, namespaces and devices come and go under traffic.
#
#   packets.c ---> plain, frags (tap) --> namespace rx, local 10.0.0.1: tunnels of every kind
#
#   namespace side, one after the other:
#        10.3.0.1 wire1 ======= wire2 10.3.0.2    namespace short-lived
#                 tunnels of every kind, pings in flight, when the namespace goes
#
#        under0, under1 (dummies) <=== race, deep (gre): two CPUs transmit, a third
#                 process changes them
#
# FUZZ_LOADS is the number of loads and unloads, FUZZ_NAMESPACES (default: five
# times as many) that of namespaces, FUZZ_REQUESTS (default: 400 times as many)
# that of requests against each other, which are repeated with other numbers until
# FUZZ_SECONDS (default 0) are over; FUZZ_TUNNELS (default 2000) tunnels stand at the
# same time.

# shellcheck source=../lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

FUZZ_LOADS=${FUZZ_LOADS:-5}
FUZZ_NAMESPACES=${FUZZ_NAMESPACES:-$((5 * FUZZ_LOADS))}
FUZZ_REQUESTS=${FUZZ_REQUESTS:-$((400 * FUZZ_LOADS))}
FUZZ_SECONDS=${FUZZ_SECONDS:-0}
FUZZ_TUNNELS=${FUZZ_TUNNELS:-2000}
KINDS="ipip gre gretap erspan sit"

# What the end HOST (1 or 2) of a tunnel of each kind has inside.
declare -A INSIDE=(
	[ipip]=192.168.1.HOST/24 [gre]=192.168.2.HOST/24 [gretap]=192.168.3.HOST/24
	[erspan]=192.168.4.HOST/24 [vti]=192.168.5.HOST/24 [sit]=fd00:6::HOST/64
)
# Of both ends of what is Ethernet inside.
ETHERNET=02:00:00:00:07:0HOST

load_tunnels ipip gre sit
program config
# shellcheck disable=SC2034 # for lib.sh
config=$program
program packets
packets=$program
kernel_has tun || skip "this kernel has no tun"
namespaces rx side
ipv6_on rx	# sit carries it
ipv6_on side
# Random requests name small interface numbers: that of no tap or cable. A number is
# not used again.
for _ in {1..40}; do
	echo "link add number type dummy"
	echo "link del number"
done >"$work/numbers"
on rx ip -batch "$work/numbers"
on side ip -batch "$work/numbers"
for tap in plain frags; do
	on rx ip tuntap add "$tap" mode tap
	on rx ip link set "$tap" address 02:00:00:00:00:01 arp off up
done
on rx ip addr add 10.0.0.1/24 dev plain

modules() { culvert && echo culvert || echo ip_gre ipip sit; }

# incoming [KIND...]: frames of these kinds, or of all, one kind after the other, until
# it is killed.
incoming() {
	local kind seed=$FUZZ_SEED

	[ $# -gt 0 ] || set -- $KINDS icmp
	while :; do
		for kind; do
			ip netns exec "$NS_PREFIX-rx" "$packets" receive plain frags \
				"$kind" 500 "$seed"
			seed=$((seed + 1))
		done
	done >/dev/null
}

# ends PID...: they were still at it.
ends() {
	kill "$@"
	wait "$@" || true
}

# options KIND KEY: what `ip link add` needs beyond the two addresses.
options() {
	case $1 in
	gre | gretap) echo "key $2" ;;
	erspan) echo "key $(($2 % 1024)) seq erspan_ver 1" ;;
	esac
}

# inside KIND HOST: its address in the tunnel, without the length of the network.
inside() {
	local address=${INSIDE[$1]/HOST/$2}

	echo "${address%/*}"
}

# populate NAMESPACE LOCAL REMOTE [HOST]: one tunnel of each kind, up; every kind that
# is expected here is there. HOST, 1 by default, is which end it is. vti has a remote of
# its own: the in-tree one would take what is for ipip and sit, and drop it.
populate() {
	local kind host=${4-1} remote file=$work/populate.$BASHPID

	for kind in $KINDS vti; do
		remote=$3
		[ "$kind" != vti ] || remote=${3%.*}.99
		echo "link add t-$kind type $kind local $2 remote $remote $(options "$kind" 7)"
		case $kind in
		gretap | erspan)
			echo "link set t-$kind address ${ETHERNET/HOST/$host}"
			echo "neigh replace $(inside "$kind" $((3 - host))) dev t-$kind" \
				"nud permanent lladdr ${ETHERNET/HOST/$((3 - host))}" ;;
		esac
		echo "addr add ${INSIDE[$kind]/HOST/$host} dev t-$kind"
		echo "link set t-$kind up"
	done >"$file"
	ip -n "$NS_PREFIX-$1" -force -batch "$file" >"$file.said" 2>&1 || true
	for kind in $(missing "$1"); do
		fails expected "$kind" || { cat "$file.said"; return 1; }
	done
}

# missing NAMESPACE: of which kinds no tunnel is up.
missing() {
	local kind up

	up=$(ip -n "$NS_PREFIX-$1" -o link show up)
	for kind in $KINDS vti; do
		[[ $up == *" t-$kind"[@:]* ]] || echo "$kind"
	done
}

# pings NAMESPACE HOST [OPTION...]: to the other end through each tunnel there. The
# processes are then in $pinging.
pings() {
	local kind ns=$1 host=$2 without
	shift 2

	pinging=()
	without=" $(missing "$ns" | xargs) "
	for kind in $KINDS vti; do
		[[ $without != *" $kind "* ]] || continue
		ip netns exec "$NS_PREFIX-$ns" ping -q "$@" \
			"$(inside "$kind" $((3 - host)))" >/dev/null 2>&1 &
		pinging+=($!)
	done
}

# every_kind NAMESPACE COUNTER: each has counted something; but not vti, which needs
# keys to send.
every_kind() {
	local kind files=()

	for kind in $KINDS; do
		files+=("/sys/class/net/t-$kind/statistics/$2")
	done
	[ "$(ip netns exec "$NS_PREFIX-$1" cat "${files[@]}" | grep -c '[1-9]')" = ${#files[@]} ]
}

# depopulate NAMESPACE
depopulate() {
	local kind file=$work/populate.$BASHPID

	for kind in $KINDS vti; do
		echo "link del t-$kind"
	done >"$file"
	quietly on "$1" ip -force -batch "$file" || true
}

# show_progress DONE WHAT
show_progress() { [ $(($1 % 50)) != 0 ] || say "$1 $2 so far"; }

loaded() { [ -d "/sys/module/$(modules | cut -d' ' -f1)" ]; }

# shellcheck disable=SC2046 # modules prints words
loads() {
	local i

	incoming &
	local storm=$!
	for ((i = 0; i < FUZZ_LOADS; i++)); do
		show_progress "$i" loads
		quietly modprobe -a $(modules)
		populate rx 10.0.0.1 10.0.0.2
		quietly modprobe -r $(modules)
		fails loaded
	done
	ends "$storm"
	modprobe -a $(modules)
}

# The module goes while devices of every kind are up, captured from, routed over and
# sent on.
# shellcheck disable=SC2046
unload_in_use() {
	local kind n=0

	populate rx 10.0.0.1 10.0.0.2
	capture rx any "$work/in-use"
	for kind in $KINDS; do
		n=$((n + 1))
		on rx ip route add "10.99.$n.0/24" dev "t-$kind"
	done
	pings rx 1 -f
	wait_until 30 every_kind rx tx_packets
	run modprobe -r $(modules)
	ends "${pinging[@]}"
	captured
	for kind in $KINDS; do
		fails quietly ip -n "$NS_PREFIX-rx" link show "t-$kind"
	done
	run modprobe -a $(modules)
}

short_life() {
	local ns=$NS_PREFIX-short from_outside

	ip netns add "$ns"
	ip -n "$NS_PREFIX-side" link add wire1 type veth peer name wire2 netns "$ns"
	ip -n "$ns" addr add 10.3.0.2/24 dev wire2
	ip -n "$ns" link set wire2 up
	ip -n "$NS_PREFIX-side" addr add 10.3.0.1/24 dev wire1
	ip -n "$NS_PREFIX-side" link set wire1 up
	populate side 10.3.0.1 10.3.0.2 1
	populate short 10.3.0.2 10.3.0.1 2
	pings side 1 -i 0.01 -w 60
	from_outside=("${pinging[@]}")
	pings short 2 -i 0.01 -w 60
	wait_until 30 every_kind side rx_packets
	ip netns del "$ns"
	quietly kill "${pinging[@]}" || true	# the last that hold it
	wait_until 120 gone wire1
	quietly kill "${from_outside[@]}" || true
	wait "${pinging[@]}" "${from_outside[@]}" || true
	depopulate side
}

gone() { fails ip -n "$NS_PREFIX-side" link show "$1"; }

# Nothing runs inside, so the namespace goes at once while packets come in: what
# they look for must be there as long as they can.
flooded_life() {
	local ns=$NS_PREFIX-flooded

	ip netns add "$ns"
	ip -n "$NS_PREFIX-side" link add wire3 type veth peer name wire4 netns "$ns"
	ip -n "$ns" addr add 10.3.1.2/24 dev wire4
	ip -n "$ns" link set wire4 up
	ip -n "$NS_PREFIX-side" addr add 10.3.1.1/24 dev wire3
	ip -n "$NS_PREFIX-side" link set wire3 up
	sleep 0.1
	ip netns del "$ns"
	wait_until 120 gone wire3
}

# Whoever holds RTNL makes a dying namespace wait halfway.
holding_rtnl() {
	local i

	for ((i = 0; i < 50; i++)); do
		echo "link add holding type dummy"
		echo "link del holding"
	done >"$work/holding"
	while :; do
		ip -n "$NS_PREFIX-rx" -batch "$work/holding"
	done
}

flooded_lives() {
	local i kind

	populate side 10.3.1.1 10.3.1.2
	pings side 1 -f
	holding_rtnl &
	pinging+=($!)
	for ((i = 0; i < FUZZ_NAMESPACES; i++)); do
		show_progress "$i" namespaces
		flooded_life
	done
	for kind in $KINDS; do
		at_least "$kind: sent" "$FUZZ_NAMESPACES" "$(counter side "t-$kind" tx_packets)"
	done
	ends "${pinging[@]}"
	depopulate side
}

short_lives() {
	local i

	for ((i = 0; i < FUZZ_NAMESPACES; i++)); do
		show_progress "$i" namespaces
		short_life
	done
}

# Two tunnels that take the way over under0 or under1. What `deep` needs before its
# header differs with the device that it is bound to.
racing_tunnels() {
	local n

	for n in 0 1; do
		on side ip link add "under$n" type dummy
		on side ip link set "under$n" arp off up
		on side ip addr add "10.7.$n.1/24" dev "under$n"
	done
	on side ip link add shim type gre local 10.7.1.1 remote 10.7.1.9 key 9 csum seq
	on side ip link set shim up
	on side ip link add race type gre local 10.7.0.1 remote 10.7.0.2 key 1 seq
	on side ip link add deep type gre local 10.7.0.1 remote 10.7.0.3
	on side ip link set race up
	on side ip link set deep up
}

no_racing_tunnels() {
	local dev

	for dev in race deep shim under0 under1; do
		on side ip link del "$dev"
	done
}

# transmit CPU: packets and junk by both, until it is killed.
transmit() {
	local dev seed=$1 cpu=$(($1 % $(nproc)))

	while :; do
		for dev in race deep; do
			ip netns exec "$NS_PREFIX-side" taskset -c "$cpu" \
				"$packets" transmit "$dev" 500 "$seed" 0
			seed=$((seed + 2))
		done
	done >/dev/null
}

# All that a packet on its way could see half of.
changes() {
	local change encap="encap none"

	! kernel_has fou || encap="encap fou encap-sport auto encap-dport 5"
	for change in "key 2" "tos 0x10 ttl 5" "dev under1" "key 3 noikey" "tos inherit" \
		"dev under0" "ttl 64" "fwmark 3" "noseq" "seq" "key 1"; do
		echo "link set race type gre $change"
		echo "link set deep type gre dev shim"
		echo "link set race type gre $encap"
		echo "link set deep type gre dev under0 ttl 7"
		echo "link set race type gre encap none"
	done
}

# Again and again, until it is killed or one of them is refused.
change_racing_tunnels() {
	while ip -n "$NS_PREFIX-side" -batch "$work/changes"; do :; done
}

# all_requests SEED: pass after pass, at least one.
all_requests() {
	local seed=$1 end=$((SECONDS + FUZZ_SECONDS))

	while :; do
		requests random rx side "$FUZZ_REQUESTS" "$seed"
		seed=$((seed + 1000))
		[ "$SECONDS" -lt "$end" ] || break
	done
}

# Make, change, move and delete against each other on two CPUs, under traffic, while
# two CPUs transmit by the same two tunnels.
against_each_other() {
	local one two changer dev others=()

	racing_tunnels
	changes >"$work/changes"
	remember rx side
	incoming &
	others+=($!)
	transmit 0 &
	others+=($!)
	transmit 1 &
	others+=($!)
	change_racing_tunnels &
	changer=$!
	all_requests "$FUZZ_SEED" &
	one=$!
	all_requests $((FUZZ_SEED + 1)) &
	two=$!
	wait "$one"
	wait "$two"
	ends "$changer"
	ends "${others[@]}"
	for dev in race deep; do
		at_least "$dev: sent" 100 "$(counter side "$dev" tx_packets)"
	done
	no_racing_tunnels
}

# --- base devices -----------------------------------------------------------

# The kind of tunnel that a base device belongs to.
declare -A BASE=(
	[tunl0]=ipip [gre0]=gre [gretap0]=gretap [erspan0]=erspan [sit0]=sit [ip_vti0]=vti
)

base_set_up() {
	case $1 in
	gretap0 | erspan0) on rx ip link set "$1" address "${ETHERNET/HOST/1}" ;;
	esac
	on rx ip link set "$1" up
}

# rx_frames DEVICE: what it has received, good or bad.
rx_frames() {
	echo $(($(counter rx "$1" rx_packets) + $(counter rx "$1" rx_errors) +
		$(counter rx "$1" rx_dropped)))
}

received_more() { [ "$(rx_frames "$1")" -gt "$2" ]; }

# receives BASE NAME: what comes in for nobody else goes to the base device, whatever
# its NAME is at the time. No frame of packets.c is for vti.
receives() {
	[ "$1" = ip_vti0 ] || wait_until 60 received_more "$2" "$(rx_frames "$2")"
}

# rename_base FROM TO: most kernels want it down for that.
rename_base() {
	on rx ip link set "$1" down
	on rx ip link set "$1" name "$2"
	on rx ip link set "$2" up
}

# identity NAME: number and kind, and whether it still is what we think it is.
identity() {
	ip -n "$NS_PREFIX-rx" -o link show "$1" up | sed 's/:.*//'
	ip -n "$NS_PREFIX-rx" -d -o link show "$1" | grep -o "${BASE[$2]} .*remote any local any"
}

# stays BASE NAME: under its NAME of the moment it can't be deleted, which is no error
# by netlink, and can't leave.
stays() {
	on rx ip link del "$2"
	case $1 in
	gretap0 | erspan0) ;;	# have no ioctls
	*)	says "Operation not permitted" on rx ip tunnel del "$2" mode "${BASE[$1]}" ;;
	esac
	fails on rx ip link set "$2" netns "$NS_PREFIX-side"
	on rx ip link show "$2"
}

# Frames for it arrive all the time.
base_device() {
	local base=$1 kind=${BASE[$1]} before flood

	if ! ip -n "$NS_PREFIX-rx" link show "$base"; then
		fails expected "$kind"
		return 0
	fi
	base_set_up "$base"
	before=$(identity "$base" "$base")
	[ "$kind" != vti ] || kind=ipip
	incoming "$kind" &
	flood=$!
	receives "$base" "$base"
	stays "$base" "$base"
	rename_base "$base" was-base
	receives "$base" was-base
	stays "$base" was-base
	equal "$base" "$before" "$(identity was-base "$base")"
	rename_base was-base "$base"
	receives "$base" "$base"
	ends "$flood"
	equal "$base" "$before" "$(identity "$base" "$base")"
	on rx ip link set "$base" down
}

base_devices() {
	local base

	for base in "${!BASE[@]}"; do
		base_device "$base"
	done
}

# A namespace, and the module, that go while they have other names.
renamed_at_the_end() {
	local base n=0

	run ip netns add "$NS_PREFIX-renamed"
	for base in "${!BASE[@]}"; do
		n=$((n + 1))
		quietly on renamed ip link set "$base" name "was$n" || fails expected "${BASE[$base]}"
		quietly on rx ip link set "$base" name "was$n" || fails expected "${BASE[$base]}"
	done
	run ip netns del "$NS_PREFIX-renamed"
	# shellcheck disable=SC2046
	run modprobe -r $(modules)
	# shellcheck disable=SC2046
	run modprobe -a $(modules)
	on rx ip link show gre0
}

# shellcheck disable=SC2046
many_tunnels() {
	local i n=$FUZZ_TUNNELS before after

	on side ip addr add 10.4.0.1/32 dev lo
	before=$(awk '/MemFree/ { print $2 }' /proc/meminfo)
	for ((i = 0; i < n; i++)); do
		echo "link add m$i group 7 type gre local 10.4.0.1 remote 10.4.0.2 key $i"
	done >"$work/make"
	for ((i = 0; i < n; i += 10)); do
		echo "link del m$i"
	done >"$work/delete"
	echo "link del group 7" >>"$work/delete"	# nine of ten at once
	on side ip -batch "$work/make"
	equal "tunnels in a dump" "$n" \
		"$(ip -n "$NS_PREFIX-side" -o link show type gre | grep -c ': m[0-9]')"
	after=$(awk '/MemFree/ { print $2 }' /proc/meminfo)
	say "$n tunnels took $(((before - after) * 1024 / n)) bytes each"
	fails on side ip link add again type gre local 10.4.0.1 remote 10.4.0.2 key $((n / 2))
	on side ip -batch "$work/delete"
	equal "tunnels left" 0 \
		"$(ip -n "$NS_PREFIX-side" -o link show type gre | grep -c ': m[0-9]')"
}

works() {
	on side ip link add wa type veth peer name wb netns "$NS_PREFIX-rx"
	on side ip addr add 10.5.0.1/24 dev wa
	on rx ip addr add 10.5.0.2/24 dev wb
	on side ip link set wa up
	on rx ip link set wb up
	on side ip link add after type gre local 10.5.0.1 remote 10.5.0.2 key 1
	on rx ip link add after type gre local 10.5.0.2 remote 10.5.0.1 key 1
	on side ip addr add 10.6.0.1/24 dev after
	on rx ip addr add 10.6.0.2/24 dev after
	on side ip link set after up
	on rx ip link set after up
	ping_ok side 10.6.0.2
}

check "$FUZZ_LOADS loads and unloads under incoming packets" loads
check "unload in use" unload_in_use
check "$FUZZ_NAMESPACES namespaces deleted with packets in flight" short_lives
check "$FUZZ_NAMESPACES namespaces deleted under a flood from outside" flooded_lives
check "make, change, move, delete on two CPUs" against_each_other
check "base devices renamed, moved, deleted, under a flood for them" base_devices
check "base devices with other names when all ends" renamed_at_the_end
check "$FUZZ_TUNNELS tunnels at the same time" many_tunnels
check "a tunnel works afterwards" works
finish
