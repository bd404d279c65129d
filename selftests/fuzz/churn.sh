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
# FUZZ_LOADS is the number of loads and unloads, FUZZ_NAMESPACES (default: five
# times as many) that of namespaces, FUZZ_REQUESTS (default: 400 times as many)
# that of requests; FUZZ_TUNNELS (default 2000) tunnels stand at the same time.

# shellcheck source=../lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

FUZZ_LOADS=${FUZZ_LOADS:-5}
FUZZ_NAMESPACES=${FUZZ_NAMESPACES:-$((5 * FUZZ_LOADS))}
FUZZ_REQUESTS=${FUZZ_REQUESTS:-$((400 * FUZZ_LOADS))}
FUZZ_TUNNELS=${FUZZ_TUNNELS:-2000}
KINDS="ipip gre gretap erspan sit"

load_tunnels ipip gre sit
program config
# shellcheck disable=SC2034 # for lib.sh
config=$program
program packets
packets=$program
kernel_has tun || skip "this kernel has no tun"
namespaces rx side
for tap in plain frags; do
	on rx ip tuntap add "$tap" mode tap
	on rx ip link set "$tap" address 02:00:00:00:00:01 arp off up
done
on rx ip addr add 10.0.0.1/24 dev plain

modules() { culvert && echo culvert || echo ip_gre ipip sit; }

# Frames of every kind, one kind after the other, until it is killed.
incoming() {
	local kind seed=$FUZZ_SEED

	while :; do
		for kind in $KINDS icmp; do
			ip netns exec "$NS_PREFIX-rx" "$packets" receive plain frags \
				"$kind" 500 "$seed"
			seed=$((seed + 1))
		done
	done >/dev/null
}

# options KIND KEY: what `ip link add` needs beyond the two addresses.
options() {
	case $1 in
	gre | gretap) echo "key $2" ;;
	erspan) echo "key $(($2 % 1024)) seq erspan_ver 1" ;;
	esac
}

# populate NAMESPACE LOCAL REMOTE [ADDRESS]: one tunnel of each kind that there is, up.
populate() {
	local kind file=$work/populate.$BASHPID

	for kind in $KINDS vti; do
		echo "link add t-$kind type $kind local $2 remote $3 $(options "$kind" 7)"
		echo "addr add ${4-192.168.7.1/24} dev t-$kind"
		echo "link set t-$kind up"
	done >"$file"
	quietly on "$1" ip -force -batch "$file" || true
	ip -n "$NS_PREFIX-$1" link show t-gre up | grep -q t-gre
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
		quietly populate rx 10.0.0.1 10.0.0.2
		quietly modprobe -r $(modules)
		fails loaded
	done
	kill "$storm"
	wait "$storm" || true
	modprobe -a $(modules)
}

# The module goes while devices are up, captured from, routed over and sent on.
# shellcheck disable=SC2046
unload_in_use() {
	populate rx 10.0.0.1 10.0.0.2
	capture rx any "$work/in-use"
	on rx ip route add 10.99.0.0/16 dev t-gre
	ip netns exec "$NS_PREFIX-rx" ping -q -f 10.99.0.1 >/dev/null 2>&1 &
	local flood=$!
	sleep 1
	run modprobe -r $(modules)
	kill "$flood" || true
	wait "$flood" || true
	captured
	fails ip -n "$NS_PREFIX-rx" link show t-gre
	run modprobe -a $(modules)
}

short_life() {
	local ns=$NS_PREFIX-short

	ip netns add "$ns"
	ip -n "$NS_PREFIX-side" link add wire1 type veth peer name wire2 netns "$ns"
	ip -n "$ns" addr add 10.3.0.2/24 dev wire2
	ip -n "$ns" link set wire2 up
	ip -n "$NS_PREFIX-side" addr add 10.3.0.1/24 dev wire1
	ip -n "$NS_PREFIX-side" link set wire1 up
	quietly populate side 10.3.0.1 10.3.0.2 192.168.7.1/24
	quietly populate short 10.3.0.2 10.3.0.1 192.168.7.2/24
	ip netns exec "$NS_PREFIX-side" ping -q -f -w 10 192.168.7.2 >/dev/null 2>&1 &
	local from_outside=$!
	ip netns exec "$ns" ping -q -f -w 10 192.168.7.1 >/dev/null 2>&1 &
	local from_inside=$!
	sleep 0.2
	ip netns del "$ns"
	kill "$from_inside"	# the last that holds it
	wait_until 10 gone wire1
	kill "$from_outside" || true
	wait "$from_inside" "$from_outside" || true
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
	wait_until 10 gone wire3
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
	local i kind floods=()

	populate side 10.3.1.1 10.3.1.2
	for kind in ipip gre; do
		on side ip route add "10.98.${#floods[@]}.1" dev "t-$kind"
		ip netns exec "$NS_PREFIX-side" ping -q -f "10.98.${#floods[@]}.1" >/dev/null 2>&1 &
		floods+=($!)
	done
	holding_rtnl &
	floods+=($!)
	for ((i = 0; i < FUZZ_NAMESPACES; i++)); do
		show_progress "$i" namespaces
		flooded_life
	done
	kill "${floods[@]}"
	wait "${floods[@]}" || true
	depopulate side
}

short_lives() {
	local i

	for ((i = 0; i < FUZZ_NAMESPACES; i++)); do
		show_progress "$i" namespaces
		short_life
	done
}

# Make, change, move and delete against each other on two CPUs, under traffic.
against_each_other() {
	local one two storm

	remember rx side
	incoming &
	storm=$!
	requests random rx side "$FUZZ_REQUESTS" "$FUZZ_SEED" &
	one=$!
	requests random rx side "$FUZZ_REQUESTS" $((FUZZ_SEED + 1)) &
	two=$!
	wait "$one"
	wait "$two"
	kill "$storm"
	wait "$storm" || true
}

# The base devices of a namespace renamed, moved, deleted, and back.
base_devices() {
	local base

	for base in tunl0 gre0 gretap0 erspan0 sit0 ip_vti0; do
		quietly on side ip link show "$base" || continue
		quietly on side ip link set "$base" up || true
		quietly on side ip link set "$base" down
		on side ip link set "$base" name was-base
		quietly on side ip link del was-base || true
		quietly on side ip link set was-base netns "$NS_PREFIX-rx" || true
		if quietly on side ip link show was-base; then
			on side ip link set was-base name "$base"
		fi
	done
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
check "base devices renamed, moved, deleted" base_devices
check "$FUZZ_TUNNELS tunnels at the same time" many_tunnels
check "a tunnel works afterwards" works
finish
