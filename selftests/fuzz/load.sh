#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Everyday traffic through many tunnels for long, while the network misbehaves.
#
#   hub                           mid                         far
#   172.20.0.0/16 local           router                      172.21.0.0/16 local
#   10.9.0.0/16 local  172.18.0.1/24 ---- 172.18.1.1/24       10.8.0.0/16 local
#        |                                                         |
#        `== tunnel N: 10.9.a.b ==============> 10.8.a.b ========= '
#
# Tunnel N is ipip, gre, gretap, erspan or sit in turn. TCP and UDP go through
# all of them both ways, in ten parts. Meanwhile routes to the other end vanish
# (ICMP unreachable), its link gets narrow (fragmentation needed) or goes down.
# Afterwards every tunnel must work, and memory is what it was after part one.
#
# FUZZ_TUNNELS (default 20) tunnels, FUZZ_ROUNDS (default 1) rounds a part.

# shellcheck source=../lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

FUZZ_ROUNDS=${FUZZ_ROUNDS:-1}
FUZZ_TUNNELS=${FUZZ_TUNNELS:-20}
KINDS=(ipip gre gretap erspan sit)
# Peers and metrics of each address are cached when first needed.
GROWTH_KIB=$((1024 + 2 * FUZZ_TUNNELS))

need python3
load_tunnels ipip gre sit
namespaces hub mid far
wire hub wire 172.18.0.1/24 mid to-hub 172.18.0.2/24
wire far wire 172.18.1.1/24 mid to-far 172.18.1.2/24
on mid sysctl -q net.ipv4.ip_forward=1

routes_to_the_ends() {
	on mid ip route replace 172.20.0.0/16 via 172.18.0.1
	on mid ip route replace 172.21.0.0/16 via 172.18.1.1
}

# Every address of these is the namespace's own, without being listed.
for pair in hub:20:9:21:0 far:21:8:20:1; do
	IFS=: read -r ns outer inner there net <<<"$pair"
	on "$ns" ip route add local "172.$outer.0.0/16" dev lo
	on "$ns" ip route add local "10.$inner.0.0/16" dev lo
	on "$ns" ip route add "172.$there.0.0/16" via "172.18.$net.2"
	on "$ns" sysctl -q net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.default.rp_filter=0
done
routes_to_the_ends

bytes_of() { echo "$(($1 / 250)).$(($1 % 250 + 1))"; }

# tunnels LOCAL REMOTE INNER-LOCAL INNER-REMOTE: commands for ip -batch
tunnels() {
	local n ab kind options

	for ((n = 0; n < FUZZ_TUNNELS; n++)); do
		ab=$(bytes_of "$n")
		kind=${KINDS[n % ${#KINDS[@]}]}
		case $kind in
		gre | gretap) options="key $n" ;;
		erspan) options="key $((n % 1024)) seq erspan_ver 1" ;;
		sit) options="mode any" ;;
		*) options='' ;;
		esac
		echo "link add t$n type $kind local 172.$1.$ab remote 172.$2.$ab $options"
		echo "link set t$n up"
		echo "route add 10.$4.$ab/32 dev t$n src 10.$3.$ab"
	done
}

make_tunnels() {
	tunnels 20 21 9 8 >"$work/hub"
	tunnels 21 20 8 9 >"$work/far"
	on hub ip -batch "$work/hub"
	on far ip -batch "$work/far"
}

addresses=()
for ((n = 0; n < FUZZ_TUNNELS; n++)); do
	addresses+=("10.8.$(bytes_of "$n")")
done

# ask ROUNDS SECONDS: talk through every tunnel; answers in $work/asked
ask() {
	ip netns exec "$NS_PREFIX-hub" "$fuzz_dir/load.py" ask "$1" "$2" "${addresses[@]}" \
		>"$work/asked"
	say "$(cat "$work/asked")"
}

all_answered() {
	ask 1 120
	equal "answers" \
		"tcp $FUZZ_TUNNELS of $FUZZ_TUNNELS, udp $((4 * FUZZ_TUNNELS)) of $((4 * FUZZ_TUNNELS)), wrong 0" \
		"$(cat "$work/asked")"
}

# narrow MTU: of both links of the router
narrow() {
	on mid ip link set to-hub mtu "$1"
	on mid ip link set to-far mtu "$1"
}

# What a route has only once its path was found narrow is kept with the route: a
# table of 16 KiB each.
fill_caches() {
	narrow 1300
	ask 1 60
	narrow 1500
	wait_until 100 nothing_waits
}

# Until it is killed: the ends lose their route, the narrow and the cut link.
misbehave() {
	trap 'exit 0' TERM
	while :; do
		quietly on mid ip route replace unreachable 172.21.0.0/16
		sleep 0.3
		quietly routes_to_the_ends
		sleep 1
		quietly on mid ip link set to-far mtu 1300
		sleep 1
		quietly on mid ip link set to-far mtu 1500
		quietly on mid ip route replace blackhole 172.20.0.0/17
		sleep 0.3
		quietly on mid ip route del blackhole 172.20.0.0/17
		sleep 1
		quietly on mid ip link set to-far down
		sleep 0.3
		quietly on mid ip link set to-far up
		quietly routes_to_the_ends
		sleep 1
	done
}

# What the kernel holds that it could not give back, KiB, by what it is for.
memory() {
	echo 3 >/proc/sys/vm/drop_caches
	sleep 2
	grep -E '^(SUnreclaim|Percpu|KernelStack|VmallocUsed):' /proc/meminfo
}

# held NUMBER: all of it after that part
held() { awk '{ n += $2 } END { print n }' "$work/memory.$1"; }

# The server notices the end of a connection whose reset was lost after 12 s; for the
# rest of a packet that came in pieces, the kernel waits 30 s.
nothing_waits() {
	local ns

	on far grep -q '^TCP: inuse 1 ' /proc/net/sockstat || return
	for ns in hub far; do
		fails on "$ns" grep -hE '^FRAG6?: inuse [1-9]' \
			/proc/net/sockstat /proc/net/sockstat6 || return
	done
}

part() {
	ask "$FUZZ_ROUNDS" 20
	grep -Eq '^tcp [1-9].*udp [1-9]' "$work/asked"
	wait_until 100 nothing_waits
	memory >"$work/memory.$1"
	awk 'NR > 2 { print $1, int($3 * $4 / 1024) }' /proc/slabinfo | sort >"$work/slabs.$1"
	say "$(held "$1") KiB: $(xargs <"$work/memory.$1")"
}

no_growth() {
	local first last

	[ ! -e /proc/lockdep ] || skip "the checkers of this kernel need more and more memory"
	first=$(held 1)
	last=$(held 10)
	say "after the first part $first KiB, after the last $last KiB; most of it:"
	join "$work/slabs.1" "$work/slabs.10" | awk '{ print $3 - $2, "KiB of", $1 }' |
		sort -rn | head -5 | while read -r line; do say "  $line"; done
	[ $((last - first)) -lt "$GROWTH_KIB" ]
}

gone() {
	local ns

	for ns in hub far; do
		ip -n "$NS_PREFIX-$ns" -o link | sed -n 's/^[0-9]*: \(t[0-9]*\)@.*/link del \1/p' \
			>"$work/delete"
		equal "tunnels in $ns" "$FUZZ_TUNNELS" "$(wc -l <"$work/delete")"
		on "$ns" ip -batch "$work/delete"
	done
}

check "$FUZZ_TUNNELS tunnels are made" make_tunnels
ip netns exec "$NS_PREFIX-far" "$fuzz_dir/load.py" serve >"$work/server" &
background+=($!)
wait_until 20 grep serving "$work/server"
check "all of them answer" all_answered
check "a round through narrow links fills the caches" fill_caches
misbehave &
trouble=$!
background+=("$trouble")
for n in 1 2 3 4 5 6 7 8 9 10; do
	check "part $n: what comes back is what was sent" part "$n"
done
kill "$trouble"
wait "$trouble" || true
quietly on mid ip link set to-far up
narrow 1500
quietly routes_to_the_ends
check "all of them answer afterwards" all_answered
check "memory has not grown" no_growth
check "the tunnels can be deleted" gone
finish
