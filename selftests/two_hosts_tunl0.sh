#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Two hosts on one segment, with tunl0 itself as the tunnel.
#
#          A                                             B
#   +--------------+                              +--------------+
#   |    tunl0     | = = = = = = ipip = = = = = = |    tunl0     |
#   | 10.42.1.1/24 |                              | 10.42.2.1/24 |
#   |              |                              |              |
#   |     eth0 ----+------------------------------+---- eth0     |
#   +--------------+        172.16.0.0/16         +--------------+
#    172.16.232.172                                172.16.232.194

. "$(dirname "$0")/lib.sh"
need tcpdump
load_tunnels ipip gre

A=172.16.232.172
B=172.16.232.194
namespaces A B
wire A eth0 $A/16 B eth0 $B/16

# The in-tree module answers "File exists" to every `ip tunnel add tunl0`: the
# base device has the name.  With culvert the base device takes the endpoints.
add_with_endpoints() {
	if culvert; then
		on A ip tunnel add tunl0 mode ipip remote $B local $A
		on B ip tunnel add tunl0 mode ipip remote $A local $B
	else
		says "File exists" on A ip tunnel add tunl0 mode ipip remote $B local $A
		says "any/ip" on A ip tunnel show tunl0
	fi
}

add_without_endpoints() {
	if culvert; then
		on B ip tunnel add tunl0 mode ipip
	else
		says "File exists" on B ip tunnel add tunl0 mode ipip
	fi
	contains "remote any local any" "$(on B ip tunnel show tunl0)"
}

endpoints_are_shown() {
	contains "remote $B local $A" "$(on A ip tunnel show tunl0)"
	contains "remote $A local $B" "$(on B ip tunnel show tunl0)"
}

addresses_and_routes() {
	on A ip addr add 10.42.1.1/24 dev tunl0
	on A ip link set tunl0 up
	on A ip route add 10.42.2.0/24 dev tunl0
	on B ip addr add 10.42.2.1/24 dev tunl0
	on B ip link set tunl0 up
	on B ip route add 10.42.1.0/24 dev tunl0
}

# Without endpoints the outer destination comes from the route; this is how
# the in-tree tunl0 has to be used.
addresses_and_gateways() {
	on A ip addr add 10.42.1.1/24 dev tunl0
	on A ip link set tunl0 up
	on A ip route add 10.42.2.0/24 via $B dev tunl0 onlink
	on B ip addr add 10.42.2.1/24 dev tunl0
	on B ip link set tunl0 up
	on B ip route add 10.42.1.0/24 via $A dev tunl0 onlink
}

both_ways() {
	ping_ok A 10.42.2.1 -I 10.42.1.1
	ping_ok B 10.42.1.1 -I 10.42.2.1
}

# Link type RAW: the packet on tunl0 begins with the inner IPv4 header.
tcpdump_on_tunl0() {
	capture A tunl0 "$work/tunl0.pcap"
	ping_ok A 10.42.2.1 -I 10.42.1.1
	captured
	says "link-type RAW (Raw IP" tcpdump -n -r "$work/tunl0.pcap"
	says "IP 10.42.1.1 > 10.42.2.1: ICMP echo request" \
		tcpdump -n -r "$work/tunl0.pcap"
	says "IP 10.42.2.1 > 10.42.1.1: ICMP echo reply" \
		tcpdump -n -r "$work/tunl0.pcap"
}

netlink_add_is_eexist() {
	says "File exists" on A ip link add tunl0 type ipip
	says "File exists" on A ip link add tunl0 type ipip local $A
}

second_add_is_eexist() {
	says "File exists" on A ip tunnel add tunl0 mode ipip remote $B local 172.16.0.9
	contains "remote $B local $A" "$(on A ip tunnel show tunl0)"
}

del_gives_it_back() {
	local before=$1
	on A ip tunnel del tunl0
	equal "tunl0 afterwards" "$before" "$(on A ip -d link show tunl0 | sed -n 3p)"
	contains "remote any local any" "$(on A ip tunnel show tunl0)"
}

# gre0 is multipoint by birth: with a remote it sends there all the same.
gre0_too() {
	for ns in "A $A $B 1" "B $B $A 2"; do
		read -r ns local remote n <<<"$ns"
		on "$ns" ip tunnel add gre0 mode gre local "$local" remote "$remote" key 5
		on "$ns" ip addr add "10.43.1.$n/24" dev gre0
		on "$ns" ip link set gre0 up
	done
	ping_ok A 10.43.1.2
	ping_ok B 10.43.1.1
	on A ip tunnel change gre0 mode gre local any remote $B key 5
	ping_ok A 10.43.1.2
	on A ip tunnel del gre0
	on B ip tunnel del gre0
}

del_is_refused() {
	says "Operation not permitted" on A ip tunnel del tunl0
}

fresh=$(on A ip -d link show tunl0 | sed -n 3p)
check "ip tunnel add tunl0 without endpoints" add_without_endpoints
check "ip tunnel add tunl0 with endpoints" add_with_endpoints
if culvert; then
	check "tunl0 has the endpoints" endpoints_are_shown
	check "addresses and device routes" addresses_and_routes
else
	check "addresses and gateway routes" addresses_and_gateways
fi
check "pings both ways" both_ways
check "tcpdump -i tunl0: link type RAW, the inner packets" tcpdump_on_tunl0
check "netlink add of tunl0 is EEXIST" netlink_add_is_eexist
if culvert; then
	check "a second add with other endpoints is EEXIST" second_add_is_eexist
	check "ip tunnel del tunl0 gives the base device back" del_gives_it_back "$fresh"
	check "gre0 with endpoints" gre0_too
fi
check "ip tunnel del of the bare base device is EPERM" del_is_refused

finish
