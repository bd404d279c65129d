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
#   payloads       -> a tunnel ---------------------------------> wire0
#   payloads       -> source (no headroom) -> redirected: a tunnel -> wire0
#
# Every packet of a tunnel protocol that passes the input hook, the pings'
# excepted, is counted by nftables; every tunnel counts what it took and, by name,
# what it dropped.  The two sums must be the same.  So must they for what is sent
# to a tunnel.  Pings through tunnels that are left alone go on all the while.
#
# FUZZ_KINDS are the kinds of frames (default: all). FUZZ_MORE is how many of each
# also come while the base devices are up, and a quarter of that while there are
# external devices (default: FUZZ_COUNT); through each tunnel goes an eighth of
# that, twice.

# shellcheck source=../lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

FUZZ_COUNT=${FUZZ_COUNT:-2000}
FUZZ_MORE=${FUZZ_MORE:-$FUZZ_COUNT}

need nft
load_tunnels ipip gre sit
program packets
read -ra KINDS <<<"${FUZZ_KINDS:-ipip gre gretap erspan sit vti icmp}"

# --- what there is ----------------------------------------------------------

# needed KIND: the kernel has all that culvert needs for it.
needed() {
	case $1 in
	sit) [ -e /proc/sys/net/ipv6 ] ;;
	vti) [ -e /proc/sys/net/core/xfrm_acq_expires ] ;;
	esac
}

# has KIND: the implementation under test offers it. An in-tree vti takes the packets
# of ipip tunnels with the same endpoints, ip_vti0 those of all.
has() {
	local options=

	[ "$1" != icmp ] || return 0
	[ "$1" != vti ] || culvert || return 1
	[ "$1" != erspan ] || options="seq key 1"
	# shellcheck disable=SC2086 # several words, or none
	quietly on rx ip link add probe type "$1" local 10.0.0.1 remote 10.9.9.9 $options ||
		return 1
	quietly on rx ip link del probe
}

# offered KIND, as a case: all that culvert is for and the kernel allows.
offered() {
	[ "${has_kind[$1]}" = no ] || return 0
	! culvert || fails needed "$1"
	skip "no $1 here"
}

# add NAME KIND [OPTION...]: a tunnel of 10.0.0.1, and up.
add() {
	local name=$1 kind=$2
	shift 2
	[ "${has_kind[$kind]}" = yes ] || return 0
	on rx ip link add "$name" type "$kind" "$@"
	on rx ip link set "$name" up
	tunnels+=("$name")
}

# pair NAME KIND [OPTION...]: a tunnel between 10.0.0.1 and 10.0.0.2, and up.
pair() {
	local name=$1 kind=$2
	shift 2
	add "$name" "$kind" local 10.0.0.1 remote 10.0.0.2 "$@"
}

# Frames for 02:02:02:02:02:02 are what packets.c puts into Ethernet tunnels.
pair_tap() {
	pair "$@"
	[ "${has_kind[$2]}" = no ] || on rx ip link set "$1" address 02:02:02:02:02:02
}

# Devices by whose rules it is seen to that nobody speaks for another.
screening_tunnels() {
	[ "${has_kind[sit]}" = yes ] || return 0
	on rx ip tunnel add isa1 mode isatap local 10.0.0.1
	on rx ip link set isa1 up
	on rx ip addr add fd02::5efe:10.0.0.1/64 dev isa1
	add six1 sit local 10.0.0.3
	on rx ip tunnel 6rd dev six1 6rd-prefix 2001:db8::/32
	tunnels+=(isa1)
}

# IPsec that changes nothing, both ways, so that any frame may be a valid one.
ipsec_states() {
	local null=(enc cipher_null '' auth digest_null '') ends any
	any=(src 0.0.0.0/0 dst 0.0.0.0/0 mark 5)

	for ends in "10.0.0.1 10.0.0.2 out" "10.0.0.2 10.0.0.1 in"; do
		read -r from to dir <<<"$ends"
		quietly on rx ip xfrm state add src "$from" dst "$to" proto esp spi 7 \
			mode tunnel mark 5 "${null[@]}" || return 1
		on rx ip xfrm policy add "${any[@]}" dir "$dir" \
			tmpl src "$from" dst "$to" proto esp mode tunnel
	done
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
on rx ip addr add 10.0.0.3/24 dev plain
for kind in ipip gre gretap erspan sit vti icmp; do
	has_kind[$kind]=$(has "$kind" && echo yes || echo no)
done

pair ip1 ipip mode any
pair gre1 gre
pair gre7 gre key 7
pair gre8 gre key 8 csum
pair gre9 gre key 9 seq
add hub1 gre local 10.0.0.1 key 10
pair_tap tap1 gretap
pair_tap tap7 gretap key 7
pair_tap tap8 gretap key 8 csum
pair_tap tap9 gretap key 9 seq
pair_tap ers5 erspan seq key 5 erspan_ver 1 erspan 1
pair_tap ers6 erspan seq key 6 erspan_ver 2 erspan_dir ingress erspan_hwid 3
pair sit1 sit mode any
screening_tunnels
pair vti1 vti key 5
states=no
[ "${has_kind[vti]}" = no ] || ! ipsec_states || states=yes
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

# --- the account ------------------------------------------------------------

# IPsec packets are a vti's if it has their addresses; see base_devices_up.
on rx nft -f - <<-'END'
	table ip account {
		chain tunnelled {
			type filter hook input priority 300
			ip saddr 10.254.87.2 accept
			ip protocol { 4, 41, 47, 137 } counter
			ip saddr 10.0.0.2 ip daddr 10.0.0.1 ip protocol { 50, 51, 108 } counter
		}
		chain errors {
			type filter hook input priority 300
			iifname { plain, frags } icmp type { 3, 4, 5, 11, 12 } counter
		}
	}
END

# arrived CHAIN: packets that reached a tunnel protocol's handler (tunnelled), or
# that of ICMP (errors).
arrived() {
	ip netns exec "$NS_PREFIX-rx" nft list chain ip account "$1" |
		awk '/packets/ { sub(/.*packets /, ""); sum += $1 } END { print sum + 0 }'
}

# every_tunnel: all tunnel devices in the namespace, base devices too; not those
# of the pings, which never rest (nftables does not count them either).
every_tunnel() {
	ip -n "$NS_PREFIX-rx" -d -o link show | awk -F': ' '
		/ (ipip|gre|gretap|erspan|sit|vti) / { sub(/@.*/, "", $2); print $2 }' |
		grep -v '^live'
}

# accounted rx|tx DEVICE...: what the devices carried, and dropped by name.
accounted() { ip netns exec "$NS_PREFIX-rx" "$program" account "$@"; }

settled() {
	local before

	before=$(accounted rx "${every[@]}")
	sleep 0.5
	[ "$before" = "$(accounted rx "${every[@]}")" ]
}

# figure FILE LINE WORD: the number behind this word, in the line that begins so.
figure() {
	awk -v line="$2" -v word="$3" '$1 == line {
		for (i = 1; i < NF; i++)
			if ($i == word)
				print $(i + 1)
	}' "$1"
}

# --- reception --------------------------------------------------------------

# shower KIND COUNT: the frames come; most of them the taps take, on each side.
shower() {
	local tap

	on rx "$program" receive plain frags "$1" "$2" "$FUZZ_SEED" >"$work/storm" 2>&3
	sed 's/^/#   /' "$work/storm" >&3
	for tap in linear pieces; do
		at_least "$tap frames accepted" $((($(figure "$work/storm" $tap sent) + 1) / 2)) \
			"$(figure "$work/storm" $tap accepted)"
	done
}

# deep KIND: two frames, one of each tap, a hundred tunnels deep: each of these is
# met, one after the other.
deep() {
	local before

	[ "${has_kind[$1]}" = yes ] || skip "no $1 here"
	[ "$1" != vti ] || [ "$states" = yes ] || skip "no IPsec without encryption here"
	before=$(arrived tunnelled)
	shower "$1" 2
	equal "deepest" 100 "$(figure "$work/storm" deepest deepest)"
	wait_until 20 all_arrived $((before + 200))
}

all_arrived() { [ "$(arrived tunnelled)" = "$1" ]; }

# storm KIND COUNT: of what arrives, nothing is lost without a name.
storm() {
	local before came delivered dropped delivered_before dropped_before

	before=$(arrived tunnelled)
	read -r delivered_before dropped_before <<<"$(accounted rx "${every[@]}")"
	shower "$1" "$2"
	wait_until 60 settled
	came=$(($(arrived tunnelled) - before))
	read -r delivered dropped <<<"$(accounted rx "${every[@]}")"
	delivered=$((delivered - delivered_before))
	dropped=$((dropped - dropped_before))
	equal "deepest" 100 "$(figure "$work/storm" deepest deepest)"
	say "  arrived $came, delivered $delivered, dropped by name $dropped"
	at_least "arrived" $(($2 / 4)) $came
	at_least "delivered" $(($2 / 50)) $delivered
	culvert || return 0	# the in-tree modules do not name what they drop
	equal "arrived against delivered + dropped" "$came" $((delivered + dropped))
}

# learned_mtu: what the route to the peer has learned from ICMP, if anything.
learned_mtu() {
	ip -n "$NS_PREFIX-rx" route get 10.0.0.2 from 10.0.0.1 |
		sed -n 's/.* mtu \(lock \)*\([0-9]*\).*/\2/p'
}

# errors COUNT: they arrive, and the handlers of the quoted protocols tell the
# route what those say that want smaller packets.
errors() {
	local before

	on rx ip route flush cache
	equal "path MTU learned before" "" "$(learned_mtu)"
	before=$(arrived errors)
	shower icmp "$1"
	at_least "errors that arrived" $(($1 / 2)) $(($(arrived errors) - before))
	say "  arrived $(($(arrived errors) - before)), path MTU now $(learned_mtu)"
	at_least "path MTU learned" 552 "$(learned_mtu)"
}

# storms COUNT WHILE: of every kind.
storms() {
	local kind

	for kind in "${KINDS[@]}"; do
		[ "${has_kind[$kind]}" = yes ] || continue
		if [ "$kind" = icmp ]; then
			check "icmp: $1 errors$2, which the routes learn from" errors "$1"
		else
			check "$kind: $1 frames$2, each accounted for" storm "$kind" "$1"
		fi
	done
}

# What no tunnel takes is theirs from now on, all of IPsec for ip_vti0.
base_devices_up() {
	local base

	for base in tunl0 gre0 gretap0 erspan0 sit0 ip_vti0; do
		quietly on rx ip link set "$base" up || true
	done
	[ "${has_kind[vti]}" = yes ] || return 0
	for base in "ip saddr != 10.0.0.2" "ip saddr 10.0.0.2 ip daddr != 10.0.0.1"; do
		# shellcheck disable=SC2086 # the words of a rule
		on rx nft add rule ip account tunnelled $base \
			ip protocol '{ 50, 51, 108 }' counter
	done
}

# An external device comes before the base device of its kind.
external_devices_up() {
	local kind

	for kind in ipip gre gretap erspan; do
		add "ext-$kind" "$kind" external
	done
	mapfile -t every < <(every_tunnel)
}

# --- transmission -----------------------------------------------------------

# What is sent leaves for real, checksums and segments made before. Nobody but the
# sender of a payload uses a tunnel now, as the answers to it have no route.
rewire() {
	local mac

	mac=$(ip netns exec "$NS_PREFIX-peer" cat /sys/class/net/wire0/address)
	on rx ip route add 10.0.0.2/32 dev wire0
	on rx ip neigh replace 10.0.0.2 lladdr "$mac" dev wire0 nud permanent
	quietly on rx ethtool -K wire0 tx off || true
	on rx ip addr del 192.168.0.1/24 dev "${tunnels[0]}"
	on rx ip addr add 192.168.0.1/32 dev lo
	[ "${has_kind[sit]}" = no ] || on rx ip addr del fd02::5efe:10.0.0.1/64 dev isa1
}

# carries DEVICE: some of the payloads make it through. No next hop is an ISATAP
# router's, and nothing comes with metadata.
carries() {
	case $1 in
	isa1 | ext-*) return 1 ;;
	vti1) [ "$states" = yes ] ;;
	esac
}

# pour DEVICE COUNT CLAIMS INTO: payloads into one device or another, of which
# DEVICE gets what is not left in INTO's own account.
pour() {
	local sent sent_before dropped dropped_before taken left

	left=0
	[ "$4" = "$1" ] || left=$(counter rx "$4" tx_packets)
	read -r sent_before dropped_before <<<"$(accounted tx "$1")"
	on rx "$program" transmit "$4" "$2" "$FUZZ_SEED" "$3" >"$work/flood"
	taken=$(figure "$work/flood" sent accepted)
	at_least "accepted" $(($2 / 2)) "$taken"
	[ "$4" = "$1" ] || left=$(($(counter rx "$4" tx_packets) - left))
	read -r sent dropped <<<"$(accounted tx "$1")"
	sent=$((sent - sent_before))
	dropped=$((dropped - dropped_before))
	say "  accepted $taken, not for it $left, sent $sent, dropped by name $dropped"
	! carries "$1" || at_least "sent" $(($2 / 100 + 1)) "$sent"
	culvert || return 0
	if [ "$3" = 0 ]; then
		equal "accepted against sent + dropped" $((taken - left)) $((sent + dropped))
	else	# one that claims segments may become several
		at_least "sent + dropped" $((taken - left)) $((sent + dropped))
	fi
}

# flood DEVICE COUNT: without claims, and with them.
flood() {
	pour "$1" "$2" 0 "$1"
	pour "$1" "$2" 1 "$1"
}

# redirected DEVICE COUNT: frames without room in front for the headers of a tunnel:
# what `source` has got has room for an Ethernet header, rounded up to 16 bytes. So
# every one that is sent has been copied.
redirected() {
	local before copied traced=

	kernel_has act_mirred || skip "this kernel has no act_mirred"
	kernel_has cls_matchall || skip "this kernel has no cls_matchall"
	quietly on rx ip link del source || true	# of a case that failed
	on rx ip link add source type dummy
	on rx ip link set source up
	on rx tc qdisc add dev source clsact
	on rx tc filter add dev source egress matchall action mirred egress redirect dev "$1"
	before=$(counter rx "$1" tx_packets)
	! count_copies 0 || traced=yes
	pour "$1" "$2" 0 source
	[ -z "$traced" ] || copied=$(copies)
	before=$(($(counter rx "$1" tx_packets) - before))
	pour "$1" "$2" 1 source
	on rx ip link del source
	[ -n "$traced" ] || return 0
	say "  copied $copied of $before"
	at_least "copied" $((before < 1000 ? before : 1000)) "$copied"
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

# --- ------------------------------------------------------------------------

mapfile -t every < <(every_tunnel)
say "seed $FUZZ_SEED, $FUZZ_COUNT frames of each kind"
for kind in "${KINDS[@]}"; do
	check "$kind is there" offered "$kind"
done
check "the tunnels work before" live_tunnels_work
pings=()
for n in "${live[@]}"; do
	ip netns exec "$NS_PREFIX-rx" ping -n -q -i 0.5 -W 20 "10.1.$n.2" >"$work/ping$n" &
	pings+=($!)
	background+=($!)
done

for kind in "${KINDS[@]}"; do
	[ "$kind" != icmp ] || continue
	check "$kind: a hundred tunnels in one another" deep "$kind"
done
storms "$FUZZ_COUNT" ""
base_devices_up
storms "$FUZZ_MORE" " with the base devices up"
external_devices_up
storms $((FUZZ_MORE / 4)) " with external devices"

rewire
for dev in "${tunnels[@]}"; do
	check "transmit on $dev: $((FUZZ_MORE / 8)) payloads, each accounted for" \
		flood "$dev" $((FUZZ_MORE / 8))
done
for dev in ip1 gre1 gre8 tap8 ers5 sit1 vti1; do
	[[ " ${tunnels[*]} " != *" $dev "* ]] || ! carries "$dev" ||
		check "redirected to $dev: no room in front of the payloads" \
			redirected "$dev" $((FUZZ_MORE / 8))
done

kill -INT "${pings[@]}"
wait "${pings[@]}" || true
check "the tunnels lost nothing meanwhile" nothing_lost
check "the tunnels work afterwards" live_tunnels_work
finish
