#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Lightweight tunnels: one external device, the outer header comes with the
# route (ip route ... encap ip) or from tc (tunnel_key).
#
#         a                                      b
#   +-----------------+                   +-----------------+
#   | ext  (external) | = = = tunnel = = =| an ordinary or  |
#   | 10.1.1.1        |                   | external device |
#   |       va -------+-------------------+------ vb        |
#   +-----------------+                   +-----------------+
#      10.0.0.1/24                           10.0.0.2/24

. "$(dirname "$0")/lib.sh"
need tc jq ethtool
load_tunnels ipip gre

namespaces a b
ipv6_on a
ipv6_on b
wire a va 10.0.0.1/24 b vb 10.0.0.2/24
quietly on a ethtool -K va tx off	# checksums are complete on the wire
start_wire

external() {
	local ns=$1 n=$2
	shift 2
	on $ns ip link add ext type "$@" external
	on $ns ip addr add 10.1.1.$n/32 dev ext
	on $ns ip addr add fd01::$n/128 dev ext
	on $ns ip link set ext up
}

ordinary() {
	on b ip link add tun type "$@" local 10.0.0.2 remote 10.0.0.1
	on b ip link set tun up
	on b ip addr add 10.1.1.2 peer 10.1.1.1 dev tun
	on b ip addr add fd01::2 peer fd01::1 dev tun
}

none() {
	quietly on a ip link del ext || true
	quietly on b ip link del ext || true
	quietly on b ip link del tun || true
}

# route NS N ENCAP...: to peer N through the other end.
route() {
	local ns=$1 to=$2 outer=$3
	shift 3
	on $ns ip route replace 10.1.1.$to/32 encap ip "$@" dst $outer dev ext
	on $ns ip -6 route replace fd01::$to/128 encap ip "$@" dst $outer dev ext
}

to_an_ordinary_tunnel() {
	local kind=$1 key=$2
	none
	external a 1 $kind
	if [ $key = 0 ]; then
		ordinary $kind
		route a 2 10.0.0.2
	else
		ordinary $kind key $key
		route a 2 10.0.0.2 id $key key
	fi
	ping_ok a 10.1.1.2
	ping_ok b 10.1.1.1
	[ $kind = ipip ] || ping_ok a fd01::2
}

between_two_external() {
	none
	external a 1 "$1"
	external b 2 "$1"
	route a 2 10.0.0.2 id 77
	route b 1 10.0.0.1 id 77
	ping_ok a 10.1.1.2
	ping_ok b 10.1.1.1
	[ $1 = ipip ] || ping_ok b fd01::1
}

per_packet_header() {
	none
	external a 1 gre
	route a 2 10.0.0.2 id 5 src 10.0.0.1 tos 0x20 ttl 17 key
	py 'sniff("a", "va")'
	quietly on a ping -n -c 1 -W 1 10.1.1.2 || true
	py 'seen("a", "va", lambda p: names(p) == "ip gre ip icmp" and p[0].tos == 0x20
		and p[0].ttl == 17 and p[1].flags == 0x2000 and p[1].key == 5)'
	route a 2 10.0.0.2 id 5 ttl 18
	quietly on a ping -n -c 1 -W 1 10.1.1.2 || true
	py 'seen("a", "va", lambda p: names(p) == "ip gre ip icmp"
		and p[0].ttl == 18 and p[1].flags == 0)'
	route a 2 10.0.0.2 id 5 ttl 19 key csum seq
	quietly on a ping -n -c 1 -W 1 10.1.1.2 || true
	py 'seen("a", "va", lambda p: names(p) == "ip gre ip icmp" and p[0].ttl == 19
		and p[1].flags == 0xb000 and p[1].csum and p[1].key == 5)'
}

without_metadata() {
	local counted=tx_dropped
	[ "$1" = gre ] || counted=tx_errors
	none
	external a 1 "$1"
	on a ip route replace 10.1.1.2/32 dev ext
	ping_lost a 10.1.1.2
	equal "tx_packets" 0 "$(counter a ext tx_packets)"
	[ "$(counter a ext $counted)" -ge 3 ]
}

# The device's own endpoints, from tc; and what came in, matched by tc.
by_tc() {
	kernel_has act_tunnel_key || skip "this kernel has no act_tunnel_key"
	kernel_has cls_flower || skip "this kernel has no cls_flower"
	none
	external a 1 gre
	ordinary gre key 99
	on a ip route replace 10.1.1.2/32 dev ext
	on a tc qdisc add dev ext clsact
	on a tc filter add dev ext egress matchall action tunnel_key set \
		src_ip 10.0.0.1 dst_ip 10.0.0.2 id 99 nocsum
	on a tc filter add dev ext ingress protocol ip flower enc_key_id 99 \
		enc_src_ip 10.0.0.2 enc_dst_ip 10.0.0.1 action pass
	ping_ok a 10.1.1.2
	on a tc -s -j filter show dev ext ingress >"$work/filter"
	jq -e '[.. | objects | select(.stats?) | .stats.packets] | add >= 3' "$work/filter"
}

# An exact tunnel is preferred, the external device takes the rest.
exact_is_preferred() {
	none
	on b ip link add ext type "$1" external
	on b ip link set ext up
	on b ip link add tun type "$1" local 10.0.0.2 remote 10.0.0.1
	on b ip link set tun up
	py "deliver('a', 'va', 'b', 'vb', ip('10.0.0.1', '10.0.0.2', $2))"
	py "deliver('a', 'va', 'b', 'vb', ip('10.0.0.9', '10.0.0.2', $2))"
	wait_until 10 received tun
	wait_until 10 received ext
	equal "rx_packets" "1 1" "$(counter b tun rx_packets) $(counter b ext rx_packets)"
}
received() { [ "$(counter b "$1" rx_packets)" -ge 1 ]; }

only_one() {
	none
	on a ip link add ext type "$1" external
	says "File exists" on a ip link add ext2 type "$1" external
	on a ip link del ext
	on a ip link add ext2 type "$1" external
	on a ip link del ext2
}

cannot_become_external() {
	none
	on b ip link add tun type "$1" local 10.0.0.2 remote 10.0.0.1
	fails on b ip link set tun type "$1" external
	contains "remote 10.0.0.1 local 10.0.0.2" "$(on b ip -d link show tun)"
}

is_shown() {
	none
	on a ip link add ext type "$@" external
	contains "external" "$(on a ip -d link show ext)"
	equal "JSON" true "$(on a ip -d -j link show ext | jq '.[0].linkinfo.info_data.external')"
}

deleted_in_use() {
	none
	external a 1 "$1"
	route a 2 10.0.0.2 id 77
	quietly on a ping -n -q -c 1 -W 1 10.1.1.2 || true
	on a ip link del ext
	equal "routes" "" "$(on a ip route show 10.1.1.2)"
}

tcp_through() {
	none
	external a 1 gre
	external b 2 gre
	route a 2 10.0.0.2 id 77 key
	route b 1 10.0.0.1 id 77 key
	py 'tcp_copy("a", "b", "10.1.1.2", 1 << 19)'
}

# Such an encap says nothing about DF: the outer packets are fragmented.
outer_fragments() {
	none
	external a 1 gre
	external b 2 gre
	route a 2 10.0.0.2 id 77
	route b 1 10.0.0.1 id 77
	on a ip link set va mtu 1400
	on b ip link set vb mtu 1400
	py 'sniff("a", "va")'
	on a ping -n -q -c 2 -i 0.2 -s 1400 10.1.1.2
	py 'seen("a", "va", lambda p: p[0].proto == 47 and p[0].more and not p[0].df)'
	on a ip link set va mtu 1500
	on b ip link set vb mtu 1500
}

check "ipip external, to an ordinary tunnel" to_an_ordinary_tunnel ipip 0
check "gre external, to an ordinary tunnel" to_an_ordinary_tunnel gre 0
check "gre external, to an ordinary tunnel with a key" to_an_ordinary_tunnel gre 55
check "ipip: both ends external" between_two_external ipip
check "gre: both ends external" between_two_external gre
check "gre: tos, ttl, key, csum and seq of the route" per_packet_header
check "ipip: a packet without metadata is dropped and counted" without_metadata ipip
check "gre: a packet without metadata is dropped and counted" without_metadata gre
check "gre: metadata set and matched by tc" by_tc
check "gre: TCP through external devices" tcp_through
check "gre: large packets are fragmented outside" outer_fragments
check "ipip: an exact tunnel is preferred to the external one" exact_is_preferred \
	ipip 'ip("10.1.1.1", "10.1.1.2", udp(1, 2))'
check "gre: an exact tunnel is preferred to the external one" exact_is_preferred \
	gre 'gre(ip("10.1.1.1", "10.1.1.2", udp(1, 2)))'
for kind in ipip gre; do
	check "$kind: only one external device in a namespace" only_one $kind
	check "$kind: an ordinary tunnel cannot become external" cannot_become_external $kind
	check "$kind external is shown" is_shown $kind
	check "$kind external: deleted while routes use it" deleted_in_use $kind
done

finish
