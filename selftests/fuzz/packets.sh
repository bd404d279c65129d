#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Damaged packets, and the account of where each of them went.
#
#      packets.c                              namespace rx                 namespace peer
#
#   linear frames  -> plain 10.0.0.1/24 \                       10.254.87.1  10.254.87.2
#                                        > the tunnels of 10.0.0.1 wire0 ====== wire0
#   cut in pieces  -> frags             /  live0.. 10.1.N.1 <== pings ==> live0.. 10.1.N.2
#
# Every packet for protocol 4, 41, 47 or 137 that passes the input hook, the
# pings' excepted, is counted by nftables; every tunnel counts what it took and, by name, what it
# dropped.  The two sums must be the same.  Pings through tunnels that are left
# alone go on all the while.
#
# FUZZ_KINDS are the kinds of frames (default: all). FUZZ_MORE is how many of each
# also come while the base devices are up (default: FUZZ_COUNT); through each
# tunnel goes an eighth of that.

# shellcheck source=../lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

FUZZ_COUNT=${FUZZ_COUNT:-2000}
FUZZ_MORE=${FUZZ_MORE:-$FUZZ_COUNT}

need nft
load_tunnels ipip gre sit
program packets
read -ra KINDS <<<"${FUZZ_KINDS:-ipip gre gretap erspan sit icmp}"

# has KIND: the implementation under test offers it.
has() {
	local options=

	[ "$1" != erspan ] || options="seq key 1"
	quietly on rx ip link add probe type "$1" local 10.0.0.1 remote 10.9.9.9 $options ||
		return 1
	quietly on rx ip link del probe
}

# add NAME KIND [OPTION...]: a tunnel between 10.0.0.1 and 10.0.0.2, and up.
add() {
	local name=$1 kind=$2
	shift 2
	has_kind["$kind"]=${has_kind["$kind"]:-$(has "$kind" && echo yes || echo no)}
	[ "${has_kind["$kind"]}" = yes ] || return 0
	on rx ip link add "$name" type "$kind" local 10.0.0.1 remote 10.0.0.2 "$@"
	on rx ip link set "$name" up
	tunnels+=("$name")
}

declare -A has_kind
tunnels=()
kernel_has tun || skip "this kernel has no tun"
namespaces rx peer
ipv6_on rx
for tap in plain frags; do
	on rx ip tuntap add "$tap" mode tap
	on rx ip link set "$tap" address 02:00:00:00:00:01 arp off up
done
on rx ip addr add 10.0.0.1/24 dev plain

add ip1 ipip mode any
add gre1 gre
add gre7 gre key 7
add gre8 gre key 8 csum
add gre9 gre key 9 seq
add tap1 gretap
add tap7 gretap key 7
add tap8 gretap key 8 csum
add tap9 gretap key 9 seq
add ers5 erspan seq key 5 erspan_ver 1 erspan 1
add ers6 erspan seq key 6 erspan_ver 2 erspan_dir ingress erspan_hwid 3
add sit1 sit mode any
on rx ip addr add 192.168.0.1/24 dev "${tunnels[0]}"

# The tunnels that must go on working. Their addresses are told from those of
# the frames in the account, so no flipped bit may make one of the other.
wire rx wire0 10.254.87.1/24 peer wire0 10.254.87.2/24
live=()
for kind in ipip gre gretap; do
	[ "${has_kind[$kind]}" = yes ] || continue
	n=$((${#live[@]} + 1))
	for side in rx:1:2 peer:2:1; do
		IFS=: read -r ns here there <<<"$side"
		on "$ns" ip link add "live$n" type "$kind" local "10.254.87.$here" remote "10.254.87.$there"
		on "$ns" ip addr add "10.1.$n.$here/24" dev "live$n"
		on "$ns" ip link set "live$n" up
	done
	live+=("$n")
done

on rx nft -f - <<-'END'
	table ip account {
		chain input {
			type filter hook input priority 300
			ip saddr != 10.254.87.2 ip protocol { 4, 41, 47, 137 } counter
		}
	}
END

# arrived: packets that reached a tunnel protocol's handler.
arrived() {
	ip netns exec "$NS_PREFIX-rx" nft list table ip account |
		awk '/packets/ { sub(/.*packets /, ""); print $1 }'
}

# every_tunnel: all tunnel devices in the namespace, base devices too; not those
# of the pings, which never rest (nftables does not count them either).
every_tunnel() {
	ip -n "$NS_PREFIX-rx" -d -o link show | awk -F': ' '
		/ (ipip|gre|gretap|erspan|sit) / { sub(/@.*/, "", $2); print $2 }' |
		grep -v '^live'
}

# accounted: what the devices took in or dropped by name.
accounted() { ip netns exec "$NS_PREFIX-rx" "$program" account "${every[@]}"; }

settled() {
	local before

	before=$(accounted)
	sleep 0.5
	[ "$before" = "$(accounted)" ]
}

# storm KIND COUNT
storm() {
	local before_arrived before_accounted

	before_arrived=$(arrived)
	before_accounted=$(accounted)
	on rx "$program" receive plain frags "$1" "$2" "$FUZZ_SEED" >"$work/storm" 2>&3
	cat "$work/storm" >&3
	grep -Eq "^sent [1-9][0-9]* accepted [1-9]" "$work/storm"
	culvert || return 0	# the in-tree modules do not name what they drop
	wait_until 60 settled
	equal "arrived against delivered + dropped" \
		$(($(arrived) - before_arrived)) $(($(accounted) - before_accounted))
}

flood() {
	on rx "$program" transmit "$1" "$2" "$FUZZ_SEED" 0 >&3
	on rx "$program" transmit "$1" "$2" "$FUZZ_SEED" 1 >&3
}

live_tunnels_work() {
	local n

	for n in "${live[@]}"; do
		ping_ok rx "10.1.$n.2"
	done
}

# The pings that ran all the while: none lost but the last.
nothing_lost() {
	local n

	for n in "${live[@]}"; do
		awk '/packets transmitted/ { found = 1; bad = $1 - $4 > 1; print }
			END { exit bad || !found }' "$work/ping$n"
	done
}

mapfile -t every < <(every_tunnel)
say "seed $FUZZ_SEED, $FUZZ_COUNT frames of each kind"
check "the tunnels work before" live_tunnels_work
pings=()
for n in "${live[@]}"; do
	ip netns exec "$NS_PREFIX-rx" ping -n -q -i 0.5 -W 20 "10.1.$n.2" >"$work/ping$n" &
	pings+=($!)
	background+=($!)
done

for kind in "${KINDS[@]}"; do
	[ "${has_kind[$kind]:-yes}" = yes ] || continue
	check "$kind: $FUZZ_COUNT frames, each accounted for" storm "$kind" "$FUZZ_COUNT"
done
for base in tunl0 gre0 gretap0 erspan0 sit0 ip_vti0; do
	quietly on rx ip link set "$base" up || true
done
for kind in "${KINDS[@]}"; do
	[ "${has_kind[$kind]:-yes}" = yes ] || continue
	check "$kind: $FUZZ_MORE with the base devices up" storm "$kind" "$FUZZ_MORE"
done
for dev in "${tunnels[@]}"; do
	check "transmit on $dev: $((FUZZ_MORE / 8)) payloads" flood "$dev" $((FUZZ_MORE / 8))
done

kill -INT "${pings[@]}"
wait "${pings[@]}" || true
check "the tunnels lost nothing meanwhile" nothing_lost
check "the tunnels work afterwards" live_tunnels_work
finish
