#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# A tunnel between two hosts across a router, first ipip, then gre.
#
#       ns1                       router                       ns2
#   +----------+           +------------------+           +----------+
#   |   tun1   | = = = = = = = = =tunnel= = = = = = = = = |   tun2   |
#   | 10.10.   |           |    ip_forward    |           | 10.10.   |
#   |  100.10  |           |                  |           |  200.10  |
#   |          |           |                  |           |          |
#   |    v1----+-----------+-r1            r2-+-----------+----v2    |
#   | 10.10.   |           | 10.10.    10.10. |           | 10.10.   |
#   |  10.2/24 |           |  10.1/24   20.1/24           |  20.2/24 |
#   +----------+           +------------------+           +----------+

. "$(dirname "$0")/lib.sh"
need tcpdump
load_tunnels ipip gre

namespaces ns1 router ns2
wire ns1 v1 10.10.10.2/24 router r1 10.10.10.1/24
wire ns2 v2 10.10.20.2/24 router r2 10.10.20.1/24
forwards router ns1 10.10.10.1 ns2 10.10.20.1
start_wire

underlay_works() {
	ping_ok ns1 10.10.20.2
}

tunnel_is_set_up() {
	local mode=$1
	on ns1 ip tunnel add tun1 mode "$mode" remote 10.10.20.2 local 10.10.10.2
	on ns1 ip link set tun1 up
	on ns1 ip addr add 10.10.100.10 peer 10.10.200.10 dev tun1
	on ns2 ip tunnel add tun2 mode "$mode" remote 10.10.10.2 local 10.10.20.2
	on ns2 ip link set tun2 up
	on ns2 ip addr add 10.10.200.10 peer 10.10.100.10 dev tun2
}

peer_route_is_there() {
	says "10.10.200.10 proto kernel scope link src 10.10.100.10" \
		on ns1 ip route show dev tun1
	says "10.10.100.10 proto kernel scope link src 10.10.200.10" \
		on ns2 ip route show dev tun2
}

four_of_four() {
	says "4 packets transmitted, 4 received, 0% packet loss" \
		on ns1 ping 10.10.200.10 -c 4 -i 0.2
	says "4 packets transmitted, 4 received, 0% packet loss" \
		on ns2 ping 10.10.100.10 -c 4 -i 0.2
}

# Two IPv4 headers, the outer one with the protocol of the mode.
headers_on_the_wire() {
	local protocol=$1 layers=$2
	py 'sniff("ns1", "v1")'
	ping_ok ns1 10.10.200.10
	py "seen('ns1', 'v1', lambda p: names(p) == '$layers'
		and p[0].src == '10.10.10.2' and p[0].dst == '10.10.20.2'
		and p[0].proto == $protocol and p[0].sum_ok
		and p[-3].src == '10.10.100.10' and p[-3].dst == '10.10.200.10'
		and p[-3].proto == 1 and p[-2].kind == 8)"
	py "seen('ns1', 'v1', lambda p: names(p) == '$layers'
		and p[0].src == '10.10.20.2' and p[0].dst == '10.10.10.2'
		and p[-3].src == '10.10.200.10' and p[-2].kind == 0)"
}

tcpdump_decodes_it() {
	local text=$1
	capture ns1 v1 "$work/v1.pcap" host 10.10.20.2
	ping_ok ns1 10.10.200.10
	captured
	says "$text" tcpdump -n -v -r "$work/v1.pcap"
	says "10.10.100.10 > 10.10.200.10: ICMP echo request" \
		tcpdump -n -v -r "$work/v1.pcap"
}

tunnel_is_removed() {
	on ns1 ip tunnel del tun1
	on ns2 ip tunnel del tun2
	fails on ns1 ip link show tun1
	fails on ns2 ip link show tun2
}

check "the underlay routes between ns1 and ns2" underlay_works

for mode in ipip gre; do
	case $mode in
	ipip) protocol=4 layers="ip ip icmp" text="proto IPIP (4)" ;;
	gre) protocol=47 layers="ip gre ip icmp" text="proto GRE (47)" ;;
	esac
	check "$mode: ip tunnel add, link up, addr add" tunnel_is_set_up $mode
	check "$mode: the host route to the peer exists by itself" peer_route_is_there
	check "$mode: ping gets 4 of 4, both ways" four_of_four
	check "$mode: two IPv4 headers on v1, outer protocol $protocol" \
		headers_on_the_wire $protocol "$layers"
	check "$mode: tcpdump on v1 shows the same" tcpdump_decodes_it "$text"
	check "$mode: ip tunnel del" tunnel_is_removed
done

finish
