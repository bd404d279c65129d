#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Both ends of a GRE tunnel in one namespace.  The inner addresses are both
# local, so packets would stay inside the host; moving the local routes to
# table 13, used for what arrives on the tunnels, makes them really cross it.
#
#                      one namespace
#   +----------------------------------------------------+
#   |  tun0 192.168.13.1           tun1 192.168.13.2     |
#   |       local 10.13.0.1             local 10.13.0.2  |
#   |       remote 10.13.0.2            remote 10.13.0.1 |
#   |          \_____________ lo _____________/          |
#   +----------------------------------------------------+

. "$(dirname "$0")/lib.sh"
load_tunnels gre

namespaces host
on host ip addr add 10.13.0.1/32 dev lo
on host ip addr add 10.13.0.2/32 dev lo
on host ip tunnel add tun0 mode gre local 10.13.0.1 remote 10.13.0.2
on host ip tunnel add tun1 mode gre local 10.13.0.2 remote 10.13.0.1
on host ip addr add 192.168.13.1 peer 192.168.13.2 dev tun0
on host ip addr add 192.168.13.2 peer 192.168.13.1 dev tun1
on host ip link set tun0 up
on host ip link set tun1 up
# What comes out of a tunnel carries one of our own addresses as its source.
on host sysctl -qw net.ipv4.conf.tun0.accept_local=1
on host sysctl -qw net.ipv4.conf.tun1.accept_local=1
start_wire

move_local_routes() {
	on host ip route del table local local 192.168.13.1
	on host ip route del table local local 192.168.13.2
	on host ip route add table 13 local 192.168.13.1 dev tun0
	on host ip route add table 13 local 192.168.13.2 dev tun1
	on host ip rule add iif tun0 lookup 13
	on host ip rule add iif tun1 lookup 13
}

count() { counter host "$1" "$2"; }

# The addresses of the tunnels themselves choose the way: 192.168.13.2 is the
# peer of tun0, with 192.168.13.1 as the source.
crossing() {
	local tx0 rx0 tx1 rx1
	tx0=$(count tun0 tx_packets) rx0=$(count tun0 rx_packets)
	tx1=$(count tun1 tx_packets) rx1=$(count tun1 rx_packets)
	py 'sniff("host", "lo")'
	ping_ok host "$1"
	equal "tun0 sent" $((tx0 + 3)) "$(count tun0 tx_packets)"
	equal "tun1 received" $((rx1 + 3)) "$(count tun1 rx_packets)"
	equal "tun1 sent" $((tx1 + 3)) "$(count tun1 tx_packets)"
	equal "tun0 received" $((rx0 + 3)) "$(count tun0 rx_packets)"
	py 'seen("host", "lo", lambda p: names(p) == "ip gre ip icmp"
		and p[0].src == "10.13.0.1" and p[2].src == "192.168.13.1")'
	py 'seen("host", "lo", lambda p: names(p) == "ip gre ip icmp"
		and p[0].src == "10.13.0.2" and p[2].src == "192.168.13.2")'
}

# How often the receiver acknowledges is its own affair: by a packet for the
# handshake, one for the data and one for the end at least.
tcp_crosses() {
	local tx0 tx1
	tx0=$(count tun0 tx_bytes) tx1=$(count tun1 tx_packets)
	tcp_transfer host host 192.168.13.2
	at_least "bytes out of tun0" $((tx0 + 2097152)) "$(count tun0 tx_bytes)"
	at_least "packets back through tun1" $((tx1 + 3)) "$(count tun1 tx_packets)"
}

check "the local routes move to table 13" move_local_routes
check "ping from 192.168.13.1 crosses the tunnel both ways" \
	crossing 192.168.13.2
check "ping from 192.168.13.2 crosses the tunnel both ways" \
	crossing 192.168.13.1
check "a TCP transfer crosses the tunnel both ways" tcp_crosses

finish
