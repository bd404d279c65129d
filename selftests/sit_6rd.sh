#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# 6rd: a provider with 10.0.0.0/8 and 2001:db8::/32. A customer's IPv6 prefix is
# the provider's, followed by the 24 bits of the customer's IPv4 address that
# are the customer's own.
#
#        ce1                      ce2                       br                  world
#  +----------------+       +----------------+       +----------------+      +---------+
#  | sixrd          |       | sixrd          |       | sixrd          |      |         |
#  | 2001:db8:      |       | 2001:db8:      |       | 2001:db8:      |      |         |
#  |  101:100::1/32 |       |  202:200::1/32 |       |  0:100::1/32   |      | fd99::2 |
#  |      eth0      |       |      eth0      |       | eth0       w0 -+------+- w1     |
#  +-------+--------+       +-------+--------+       +---+------------+      +---------+
#      10.1.1.1                 10.2.2.2              10.0.0.1     fd99::1
#          |                        |                    |
#  - - - - + - - - - - - - - - - - -+- - - - - - - - - - + - -  10.0.0.0/8

. "$(dirname "$0")/lib.sh"
load_tunnels sit

namespaces net ce1 ce2 br world
for ns in ce1 ce2 br world; do
	ipv6_on "$ns"
	on "$ns" sysctl -qw net.ipv6.conf.default.addr_gen_mode=0
done
segment net lan
plug ce1 eth0 10.1.1.1/8 net lan
plug ce2 eth0 10.2.2.2/8 net lan
plug br eth0 10.0.0.1/8 net lan
wire br w0 fd99::1/64 world w1 fd99::2/64
on br sysctl -qw net.ipv6.conf.all.forwarding=1
on world ip route add 2001:db8::/32 via fd99::1
start_wire

# edge NS LOCAL IPV6: a customer edge or a border relay, made by ioctl.
edge() {
	on "$1" ip tunnel add sixrd mode sit local "$2" ttl 64
	on "$1" ip tunnel 6rd dev sixrd 6rd-prefix 2001:db8::/32 6rd-relay_prefix 10.0.0.0/8
	on "$1" ip link set sixrd up
	on "$1" ip addr add "$3/32" dev sixrd
}

edges() {
	edge ce1 10.1.1.1 2001:db8:101:100::1
	edge ce2 10.2.2.2 2001:db8:202:200::1
	edge br 10.0.0.1 2001:db8:0:100::1
	on ce1 ip route add default via ::10.0.0.1 dev sixrd onlink
	on ce2 ip route add default via ::10.0.0.1 dev sixrd onlink
}

shown() {
	local tunnel
	tunnel=$(on ce1 ip tunnel show sixrd)
	contains "6rd-prefix 2001:db8::/32 6rd-relay_prefix 10.0.0.0/8" "$tunnel"
	contains "6rd-prefix 2001:db8::/32 6rd-relay_prefix 10.0.0.0/8" \
		"$(on ce1 ip -d link show sixrd)"
}

# Two customers need no relay: the destination says where to.
customers_directly() {
	py 'sniff("ce1", "eth0") and sniff("br", "eth0")'
	ping_ok ce1 2001:db8:202:200::1
	py 'seen("ce1", "eth0", lambda p: names(p) == "ip ip6 icmp"
		and (p[0].src, p[0].dst) == ("10.1.1.1", "10.2.2.2")
		and p[1].dst == "2001:db8:202:200::1")'
	py 'unseen("br", "eth0", lambda p: p[0].proto == 41)'
	ping_ok ce2 2001:db8:101:100::1
}

# The rest of the world is behind the border relay, an IPv4-compatible next hop.
through_the_relay() {
	py 'sniff("ce1", "eth0")'
	ping_ok ce1 fd99::2
	py 'seen("ce1", "eth0", lambda p: names(p) == "ip ip6 icmp"
		and p[0].dst == "10.0.0.1" and p[1].dst == "fd99::2")'
	py 'seen("ce1", "eth0", lambda p: names(p) == "ip ip6 icmp"
		and (p[0].src, p[0].dst) == ("10.0.0.1", "10.1.1.1")
		and p[1].src == "fd99::2")'
	ping_ok world 2001:db8:202:200::1
}

# spoofed OUTER_SOURCE INNER_SOURCE INNER_DESTINATION: ce1 gets this at 10.1.1.1
# and refuses it.
spoofed() {
	local errors named
	errors=$(counter ce1 sixrd rx_errors)
	named=$(drops ce1 sixrd rx_spoofed)
	py 'sniff("ce1", "sixrd", "ip6")'
	py "deliver('net', 'lan', 'ce1', 'eth0', ip('$1', '10.1.1.1',
		ip6('$2', '$3', udp(1, 9, b'spoofed'))))"
	py 'unseen("ce1", "sixrd", lambda p: p[-1].raw == b"spoofed")'
	equal rx_errors $((errors + 1)) "$(counter ce1 sixrd rx_errors)"
	! culvert || equal rx_spoofed $((named + 1)) "$(drops ce1 sixrd rx_spoofed)"
}

# taken OUTER_SOURCE INNER_SOURCE INNER_DESTINATION: ce1 accepts this.
taken() {
	py 'sniff("ce1", "sixrd", "ip6")'
	py "deliver('net', 'lan', 'ce1', 'eth0', ip('$1', '10.1.1.1',
		ip6('$2', '$3', udp(1, 9, b'fine'))))"
	py 'seen("ce1", "sixrd", lambda p: p[-1].raw == b"fine")'
}

# Behind a NAT for protocol 41 our addresses have another outer address in them.
behind_nat() {
	spoofed 10.2.2.2 2001:db8:202:200::1 2001:db8:909:900::1
	on ce1 ip addr add 2001:db8:909:900::1/128 dev sixrd
	taken 10.2.2.2 2001:db8:202:200::1 2001:db8:909:900::1
	on ce1 ip addr del 2001:db8:909:900::1/128 dev sixrd
}

refused() {
	says "Invalid argument" "$@"
	shown
}

# 32 + 32 bits are a whole subnet prefix, 33 + 32 too much, and without any
# address bits the provider's prefix can be as long as 64.
lengths() {
	on ce1 ip tunnel 6rd dev sixrd 6rd-prefix 2001:db8::/32
	contains "6rd-prefix 2001:db8::/32" "$(on ce1 ip tunnel show sixrd)"
	says "Invalid argument" on ce1 ip tunnel 6rd dev sixrd 6rd-prefix 2001:db8::/33
	on ce1 ip tunnel 6rd dev sixrd 6rd-prefix 2001:db8:0:1::/64 6rd-relay_prefix 10.2.2.2/32
	py 'sniff("ce1", "eth0")'
	on ce1 ip route add 2001:db8:0:1::/64 dev sixrd
	py 'route("ce1", ip6("2001:db8:101:100::1", "2001:db8:0:1::5", udp(1, 9, b"64")),
		"2001:db8:0:1::5")'
	py 'seen("ce1", "eth0", lambda p: p[-1].raw == b"64" and p[0].dst == "10.2.2.2")'
	on ce1 ip tunnel 6rd dev sixrd 6rd-prefix 2001:db8::/32 6rd-relay_prefix 10.0.0.0/8
}

# A prefix that ends within a byte, as does the address.
odd_bits() {
	on ce1 ip tunnel 6rd dev sixrd 6rd-prefix 2001:db8:e000::/35 6rd-relay_prefix 10.64.0.0/11
	on ce1 ip route add 2001:db8:e000::/35 dev sixrd
	on ce1 ip route add 10.64.0.0/11 dev eth0
	on ce1 ip neigh add 10.74.188.189 lladdr 02:00:00:00:00:01 dev eth0
	py 'sniff("ce1", "eth0")'
	# 10.74.188.189 less its first 11 bits is 0x0abcbd of 21 bits; behind 35:
	py 'route("ce1", ip6("2001:db8:101:100::1", "2001:db8:eabc:bd00::5", udp(1, 9, b"odd")),
		"2001:db8:eabc:bd00::5")'
	py 'seen("ce1", "eth0", lambda p: p[-1].raw == b"odd" and p[0].dst == "10.74.188.189")'
	on ce1 ip tunnel 6rd dev sixrd 6rd-prefix 2001:db8::/32 6rd-relay_prefix 10.0.0.0/8
}

reset() {
	on ce1 ip tunnel 6rd dev sixrd 6rd-reset
	contains "6rd-prefix 2002::/16" "$(on ce1 ip tunnel show sixrd)"
}

by_netlink() {
	on ce1 ip link del sixrd
	on ce1 ip link add sixrd type sit mode ip6ip local 10.1.1.1 ttl 64 \
		6rd-prefix 2001:db8::/32 6rd-relay_prefix 10.0.0.0/8
	on ce1 ip link set sixrd up
	on ce1 ip addr add 2001:db8:101:100::1/32 dev sixrd
	shown
	ping_ok ce1 2001:db8:202:200::1
}

# What sit0 has, new devices have, and come back to.
from_sit0() {
	on ce2 ip tunnel 6rd dev sit0 6rd-prefix 2001:db8::/32 6rd-relay_prefix 10.0.0.0/8
	on ce2 ip tunnel add another mode sit local 10.2.2.3
	contains "6rd-prefix 2001:db8::/32 6rd-relay_prefix 10.0.0.0/8" \
		"$(on ce2 ip tunnel show another)"
	on ce2 ip tunnel 6rd dev another 6rd-prefix fd00::/16
	on ce2 ip tunnel 6rd dev another 6rd-reset
	contains "6rd-prefix 2001:db8::/32" "$(on ce2 ip tunnel show another)"
	on ce2 ip tunnel 6rd dev sit0 6rd-reset
	contains "6rd-prefix 2002::/16" "$(on ce2 ip tunnel show sit0)"
	on ce2 ip tunnel del another
}

check "customer edges and border relay" edges
check "the prefixes are shown" shown
check "two customers talk directly" customers_directly
check "a customer and the world, through the relay" through_the_relay
check "a source that is another customer's" \
	spoofed 10.2.2.2 2001:db8:303:300::1 2001:db8:101:100::1
check "a customer's source, by way of the relay" \
	spoofed 10.0.0.1 2001:db8:202:200::1 2001:db8:101:100::1
check "a destination that is another customer's" \
	spoofed 10.2.2.2 2001:db8:202:200::1 2001:db8:303:300::1
check "a foreign source, by way of the relay, is fine" \
	taken 10.0.0.1 fd99::2 2001:db8:101:100::1
check "behind a NAT" behind_nat
check "a prefix with bits beyond its length" \
	refused on ce1 ip tunnel 6rd dev sixrd 6rd-prefix 2001:db8::1/32
check "a relay prefix with bits beyond its length" \
	refused on ce1 ip tunnel 6rd dev sixrd 6rd-prefix 2001:db8::/32 6rd-relay_prefix 10.1.0.0/8
check "prefix lengths" lengths
check "bits that end within bytes" odd_bits
check "reset" reset
check "made by netlink" by_netlink
check "defaults come from sit0" from_sit0

finish
