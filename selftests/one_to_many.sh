#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Three hosts, one tunl0 each, no remote: the outer destination of a packet is
# the gateway of its route.
#
#            A                      B                      C
#   +-----------------+    +-----------------+    +-----------------+
#   | mybr0           |    | mybr0           |    | mybr0           |
#   |   10.42.1.1/24  |    |   10.42.2.1/24  |    |   10.42.3.1/24  |
#   | tunl0           |    | tunl0           |    | tunl0           |
#   |   10.42.1.0/32  |    |   10.42.2.0/32  |    |   10.42.3.0/32  |
#   | eth0            |    | eth0            |    | eth0            |
#   |   172.16.165.33 |    |  172.16.165.244 |    |  172.16.168.113 |
#   +--------+--------+    +--------+--------+    +--------+--------+
#            |                      |                      |
#   =========+======================+======================+======= 172.16.0.0/16

. "$(dirname "$0")/lib.sh"
load_tunnels ipip

A=172.16.165.33
B=172.16.165.244
C=172.16.168.113
namespaces lan A B C
segment lan sw0
plug A eth0 $A/16 lan sw0
plug B eth0 $B/16 lan sw0
plug C eth0 $C/16 lan sw0
start_wire

inner_network() {
	on "$1" ip link add mybr0 type bridge
	on "$1" ip addr add "$2" dev mybr0
	on "$1" ip link set mybr0 up
}
inner_network A 10.42.1.1/24
inner_network B 10.42.2.1/24
inner_network C 10.42.3.1/24

# host NS OWN NET1 GATEWAY1 NET2 GATEWAY2
host() {
	# In-tree tunl0 cannot be added: it exists.  Culvert says so with success.
	if culvert; then
		on "$1" ip tunnel add tunl0 mode ipip
	fi
	on "$1" ip link set tunl0 up
	on "$1" ip addr add "$2" dev tunl0
	on "$1" ip route add "$3" via "$4" dev tunl0 onlink
	on "$1" ip route add "$5" via "$6" dev tunl0 onlink
}

outer_destination_is_the_gateway() {
	local from=$1 inner=$2 outer=$3
	py "sniff('$from', 'eth0')"
	ping_ok "$from" "$inner"
	py "seen('$from', 'eth0', lambda p: names(p) == 'ip ip icmp'
		and p[0].dst == '$outer' and p[1].dst == '$inner')"
}

route_change_is_followed() {
	on A ip route replace 10.42.3.0/24 via $B dev tunl0 onlink
	py 'sniff("A", "eth0")'
	fails on A ping -n -q -c 1 -W 1 10.42.3.1
	py "seen('A', 'eth0', lambda p: names(p) == 'ip ip icmp'
		and p[0].dst == '$B' and p[1].dst == '10.42.3.1')"
	on A ip route replace 10.42.3.0/24 via $C dev tunl0 onlink
	ping_ok A 10.42.3.1
}

check "A is set up" host A 10.42.1.0/32 10.42.2.0/24 $B 10.42.3.0/24 $C
check "B is set up" host B 10.42.2.0/32 10.42.1.0/24 $A 10.42.3.0/24 $C
check "C is set up" host C 10.42.3.0/32 10.42.1.0/24 $A 10.42.2.0/24 $B
check "A to B" ping_ok A 10.42.2.1 -I 10.42.1.1
check "A to C" ping_ok A 10.42.3.1 -I 10.42.1.1
check "B to A" ping_ok B 10.42.1.1 -I 10.42.2.1
check "B to C" ping_ok B 10.42.3.1 -I 10.42.2.1
check "C to A" ping_ok C 10.42.1.1 -I 10.42.3.1
check "C to B" ping_ok C 10.42.2.1 -I 10.42.3.1
check "A to B: the outer destination is B" outer_destination_is_the_gateway A 10.42.2.1 $B
check "A to C: the outer destination is C" outer_destination_is_the_gateway A 10.42.3.1 $C
check "a changed gateway is used by the next packet" route_change_is_followed

finish
