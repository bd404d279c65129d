#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Requests that nobody should send, and requests that run out of memory.
#
#   namespace box                                namespace peer
#   config.c: netlink, ioctls                    must not change
#   d0 10.0.0.1/24   (dummy)
#   live 10.2.0.1 <======= gre, pings =======>   live 10.2.0.2
#   wire 10.1.0.1 ---------------------------    wire 10.1.0.2
#
# Where the kernel can make allocations fail (CONFIG_FAILSLAB), random requests run
# into that at random; and every allocation of make, change, up, delete and move, of
# a new namespace and of loading the module fails once: the request must then have
# been done or not, nothing half.

# shellcheck source=../lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

FUZZ_COUNT=${FUZZ_COUNT:-1000}
FAILSLAB=/sys/kernel/debug/failslab

load_tunnels ipip gre sit
program config
config=$program
namespaces box peer
on box ip netns set "$NS_PREFIX-peer" 10	# the id that config.c knows
# The requests name small interface numbers: none of these.
on box ip link add wire index 1000 type veth peer name wire index 1000 netns "$NS_PREFIX-peer"
on box ip addr add 10.1.0.1/24 dev wire
on peer ip addr add 10.1.0.2/24 dev wire
on box ip link set wire up
on peer ip link set wire up
on box ip link add d0 index 1002 type dummy
on box ip addr add 10.0.0.1/24 dev d0
on box ip link set d0 up
on box ip link add live index 1001 type gre local 10.1.0.1 remote 10.1.0.2 key 77
on peer ip link add live index 1001 type gre local 10.1.0.2 remote 10.1.0.1 key 77
on box ip addr add 10.2.0.1/24 dev live
on peer ip addr add 10.2.0.2/24 dev live
on box ip link set live up
on peer ip link set live up
peer=/run/netns/$NS_PREFIX-peer
remember box peer
namespaces clean clean-peer	# no random request has renamed its base devices
on clean ip netns set "$NS_PREFIX-clean-peer" 10
on clean ip link add d0 type dummy
on clean ip addr add 10.0.0.1/24 dev d0
on clean ip link set d0 up

# What these leave behind shows when the module is unloaded, and to kmemleak.
random_failures() {
	need_failslab
	requests failing box peer "$FUZZ_COUNT" "$FUZZ_SEED"
}

# Two at a time, on two CPUs, against the same devices.
two_at_a_time() {
	local one two

	requests random box peer "$FUZZ_COUNT" "$FUZZ_SEED" &
	one=$!
	requests random box peer "$FUZZ_COUNT" $((FUZZ_SEED + 1)) &
	two=$!
	wait "$one"
	wait "$two"
}

# targets: in clean, a tunnel of each kind by a name that the requests know; and one
# whose outer side is in clean-peer.
targets() {
	local kind n=0 options

	for kind in ipip gre gretap erspan sit vti; do
		options=
		[ "$kind" != erspan ] || options="seq key 5"
		quietly on clean ip link add "f$n" type "$kind" local 10.0.0.1 remote 10.0.0.9 \
			$options || fails expected "$kind"
		n=$((n + 1))
	done
	on clean ip tunnel add f6 mode isatap local 10.0.0.1
	on clean ip link add f7 link-netns "$NS_PREFIX-clean-peer" type gre \
		local 10.0.0.2 remote 10.0.0.9
}

no_targets() {
	local n

	for n in {0..7}; do
		quietly on clean ip link del "f$n" || true
	done
}

# Only the difference is shown: all would be too long to read.
same_settings() {
	diff <(echo "$1") <(echo "$2")
}

without_rights() {
	local before

	targets
	remember clean clean-peer	# for this case
	before=$(settings clean clean-peer host)
	requests refused clean clean-peer "$FUZZ_COUNT" "$FUZZ_SEED"
	same_settings "$before" "$(settings clean clean-peer host)"
	no_targets
}

# The user's own namespace is his; the others belong to somebody else.
in_a_user_namespace() {
	local before left=$FUZZ_COUNT seed=$FUZZ_SEED

	before=$(settings box peer host)
	for (( ; left > 0; left -= 1000)); do
		run unshare --user --map-root-user --net "$config" random \
			$((left < 1000 ? left : 1000)) "$seed" "$peer" >&3
		seed=$((seed + 100))
	done
	same_settings "$before" "$(settings box peer host)"
}

# The core warns of some failures, which is no reason to stop: `boot` looks for
# other warnings, and knows these from the line that each forced failure logs.
need_failslab() {
	[ -w "$FAILSLAB/verbose" ] || skip "this kernel has no failslab"
	echo 1 >"$FAILSLAB/verbose"
	echo 0 >"$FAILSLAB/verbose_ratelimit_interval_ms"
	echo N >"$FAILSLAB/ignore-gfp-wait"
	echo 0 >/proc/sys/kernel/panic_on_warn
}

failing_allocations() {
	local options=

	need_failslab
	[ "$1" != erspan ] || options="seq key 5"
	if ! quietly on clean ip link add probe type "$1" local 10.0.0.1 remote 10.9.9.9 $options; then
		fails expected "$1"
		skip "no $1 here"
	fi
	quietly on clean ip link del probe
	on clean "$config" sites "$1" "/run/netns/$NS_PREFIX-clean-peer" >&3
}

failing_namespaces() {
	need_failslab
	run "$config" namespaces >&3
}

# The module with nothing else of it loaded; in-tree it is the one of ipip.
failing_load() {
	local module=culvert file ns

	need_failslab
	culvert || module=ipip
	kill "$pinging"
	for ns in box peer clean-peer; do	# clean is enough of another namespace
		ip netns del "$NS_PREFIX-$ns"
	done
	run modprobe -r "$module"
	culvert || run modprobe tunnel4
	file=$(modinfo -n "$module")
	[[ $file == *.ko ]] || { xz -dc "$file" >"$work/module.ko"; file=$work/module.ko; }
	run "$config" load "$file" "$module" >&3
	run modprobe "$module"
}

traffic() {
	ping_ok box 10.2.0.2
}

say "seed $FUZZ_SEED, $FUZZ_COUNT requests of each sort"
ip netns exec "$NS_PREFIX-box" ping -n -q -i 0.2 10.2.0.2 >/dev/null &
pinging=$!
background+=("$pinging")
for round in 1 2 3; do
	check "random requests, round $round" \
		requests random box peer "$FUZZ_COUNT" $((FUZZ_SEED + round))
done
check "two at a time" two_at_a_time
check "random requests, every other one short of memory" random_failures
check "traffic goes on" traffic
check "without CAP_NET_ADMIN nothing changes" without_rights
check "root of a user namespace changes nothing outside it" in_a_user_namespace
for kind in ipip gre gretap erspan sit vti; do
	check "$kind: every allocation fails once" failing_allocations "$kind"
done
check "traffic still goes on" traffic
check "a new namespace: every allocation fails once" failing_namespaces
check "loading: every allocation fails once" failing_load
finish
