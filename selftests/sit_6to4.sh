#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# 6to4 (RFC 3056): every site with an IPv4 address a.b.c.d has 2002:aabb:ccdd::/48.
# Nothing is configured about the other site. And automatic tunnels to
# IPv4-compatible addresses, over sit0.
#
#          a                                                b
#   +----------------------+                      +----------------------+
#   | to4                  | = = = = sit = = = =  | to4                  |
#   | 2002:c000:201::1/16  |                      | 2002:c000:202::1/16  |
#   |        va -----------+----------------------+----------- vb        |
#   +----------------------+                      +----------------------+
#          192.0.2.1/24                                 192.0.2.2/24

. "$(dirname "$0")/lib.sh"
load_tunnels sit

namespaces a b
ipv6_on a
ipv6_on b
wire a va 192.0.2.1/24 b vb 192.0.2.2/24
start_wire

sites() {
	on a ip tunnel add to4 mode sit remote any local 192.0.2.1 ttl 64
	on b ip tunnel add to4 mode sit remote any local 192.0.2.2 ttl 64
	on a ip link set to4 up
	on b ip link set to4 up
	on a ip addr add 2002:c000:201::1/16 dev to4
	on b ip addr add 2002:c000:202::1/16 dev to4
	ping_ok a 2002:c000:202::1
	ping_ok b 2002:c000:201::1
}

on_the_wire() {
	py 'sniff("a", "va")'
	ping_ok a 2002:c000:202::1
	py 'seen("a", "va", lambda p: names(p) == "ip ip6 icmp"
		and (p[0].src, p[0].dst, p[0].ttl, p[0].df) == ("192.0.2.1", "192.0.2.2", 64, True)
		and p[1].dst == "2002:c000:202::1")'
}

# A destination without an IPv4 address in it goes to an IPv4-compatible next hop.
relay() {
	on b ip addr add 2001:db8::2/128 dev lo
	on a ip route add 2001:db8::/32 via ::192.0.2.2 dev to4 onlink
	py 'sniff("a", "va")'
	ping_ok a 2001:db8::2
	py 'seen("a", "va", lambda p: names(p) == "ip ip6 icmp"
		and p[0].dst == "192.0.2.2" and p[1].dst == "2001:db8::2")'
}

# ... and without one nowhere.
no_next_hop() {
	local errors
	errors=$(counter a to4 tx_errors)
	on a ip route add 3fff::/20 dev to4
	ping_lost a 3fff::1
	equal tx_errors $((errors + 3)) "$(counter a to4 tx_errors)"
	! culvert || equal tx_no_peer 3 "$(drops a to4 tx_no_peer)"
}

# embedded ADDRESS: an IPv6 address with ADDRESS in it is not sent to; the
# sender is told. The in-tree device has one cached route for all destinations,
# with which it would be sent; setting a 6rd prefix empties the cache.
embedded() {
	local dst carrier
	carrier=$(counter a to4 tx_carrier_errors)
	dst=$(printf '2002:%02x%02x:%02x%02x::1' ${1//./ })
	culvert || on a ip tunnel 6rd dev to4 6rd-prefix 2002::/16
	py 'sniff("a", "va")'
	says "unreachable" on a ping -c 1 -W 5 "$dst"
	py 'unseen("a", "va", lambda p: p[0].proto == 41)'
	fails [ "$carrier" = "$(counter a to4 tx_carrier_errors)" ]
}

# spoofed OUTER_SOURCE INNER_SOURCE INNER_DESTINATION: b refuses this.
spoofed() {
	local errors named
	errors=$(counter b to4 rx_errors)
	named=$(drops b to4 rx_spoofed)
	py 'sniff("b", "to4", "ip6")'
	py "deliver('a', 'va', 'b', 'vb', ip('$1', '192.0.2.2',
		ip6('$2', '$3', udp(1, 9, b'spoofed'))))"
	py 'unseen("b", "to4", lambda p: p[-1].raw == b"spoofed")'
	equal rx_errors $((errors + 1)) "$(counter b to4 rx_errors)"
	! culvert || equal rx_spoofed $((named + 1)) "$(drops b to4 rx_spoofed)"
}

taken() {
	py 'sniff("b", "to4", "ip6")'
	py "deliver('a', 'va', 'b', 'vb', ip('$1', '192.0.2.2',
		ip6('$2', '$3', udp(1, 9, b'fine'))))"
	py 'seen("b", "to4", lambda p: p[-1].raw == b"fine")'
}

# A packet that ends within its IPv6 header is not looked into.
truncated() {
	local packets
	packets=$(counter b to4 rx_packets)
	py 'deliver("a", "va", "b", "vb", ip("192.0.2.1", "192.0.2.2",
		ip6("2002:c000:201::1", "2002:c000:202::1")[:39], proto=41))'
	ping_ok a 2002:c000:202::1
	equal rx_packets $((packets + 3)) "$(counter b to4 rx_packets)"
}

# ::192.0.2.2 itself, over the base device.
compatible() {
	on a ip link del to4
	on b ip link del to4
	on a ip link set sit0 up
	on b ip link set sit0 up
	contains "inet6 ::192.0.2.1/96" "$(on a ip -6 addr show dev sit0)"
	py 'sniff("a", "va")'
	ping_ok a ::192.0.2.2
	py 'seen("a", "va", lambda p: names(p) == "ip ip6 icmp"
		and (p[0].src, p[0].dst, p[0].df) == ("192.0.2.1", "192.0.2.2", False))'
}

sit0() {
	on a ip addr add 2002:c000:201::1/16 dev sit0
	on b ip addr add 2002:c000:202::1/16 dev sit0
	ping_ok a 2002:c000:202::1
}

check "two sites" sites
check "the packet on the wire" on_the_wire
check "through a relay" relay
check "no next hop" no_next_hop
check "not to an embedded multicast address" embedded 224.0.0.1
check "not to an embedded broadcast address" embedded 192.0.2.255
check "not to the embedded limited broadcast address" embedded 255.255.255.255
check "a source with another address in it" \
	spoofed 192.0.2.1 2002:c000:209::1 2002:c000:202::1
check "a destination with another address in it" \
	spoofed 192.0.2.1 2002:c000:201::1 2002:c000:209::1
check "source and destination as they should be" \
	taken 192.0.2.1 2002:c000:201::1 2002:c000:202::1
check "a native source, by way of a relay" \
	taken 192.0.2.77 2001:db8::9 2002:c000:202::1
check "a truncated IPv6 header" truncated
check "an IPv4-compatible destination, over sit0" compatible
check "6to4 over sit0" sit0

finish
