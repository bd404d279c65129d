#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Keepalives take the way of the tunnel's own packets, those that are asked and
# those that answer: bound device, mark, VRF, another namespace, FOU and GUE.
#
#          A                               B
#   +--------------+                +--------------+
#   |   gre1  va --+----------------+-- vb  gre1   |   the way of the main table
#   | 10.8.8.8     |                |     10.9.9.9 |
#   |         wa --+----------------+-- wb         |   the way of table 77
#   +--------------+                +--------------+
#     10.0.0.1, 10.0.1.1             10.0.0.2, 10.0.1.2
#
# A has two routes to B and B to A, and each sends by the better one, unless the
# tunnel says otherwise.

. "$(dirname "$0")/lib.sh"
culvert || skip "only culvert has keepalive"
load_tunnels gre
kernel_has vrf || skip "this kernel has no vrf"
kernel_has fou || skip "this kernel has no fou"

namespaces A B inner
keep A B inner
wire A va 10.0.0.1/24 B vb 10.0.0.2/24
wire A wa 10.0.1.1/24 B wb 10.0.1.2/24
on A ip addr add 10.8.8.8/32 dev lo
on B ip addr add 10.9.9.9/32 dev lo
on A ip route add 10.9.9.9/32 via 10.0.0.2
on A ip route add 10.9.9.9/32 via 10.0.1.2 metric 100
on B ip route add 10.8.8.8/32 via 10.0.0.1
on B ip route add 10.8.8.8/32 via 10.0.1.1 metric 100
on A ip route add 10.9.9.9/32 via 10.0.1.2 table 77
on B ip route add 10.8.8.8/32 via 10.0.1.1 table 77
on A ip rule add fwmark 7 lookup 77
on B ip rule add fwmark 7 lookup 77
start_wire

# ends A_OPTIONS B_OPTIONS
ends() {
	local ns
	for ns in A B inner; do quietly on $ns ip link del gre1 || true; done
	# shellcheck disable=SC2086
	on A ip link add gre1 type gre local 10.8.8.8 remote 10.9.9.9 $1
	# shellcheck disable=SC2086
	on B ip link add gre1 type gre local 10.9.9.9 remote 10.8.8.8 $2
	for ns in A B; do on $ns ip link set gre1 up; done
}

py '
def request(p, src):
    return names(p).startswith("ip gre ip gre") and p[0].src == src

def reply(p, src):
    return names(p) == "ip gre" and p[1].proto == 0 and p[0].src == src
'

# both_ask NS_OF_B DEV: A and B ask each other; what B sends leaves by DEV.
both_ask() {
	py "sniff('B', '$2')"
	knob A gre1 keepalive_interval 1
	py "seen('B', '$2', lambda p: reply(p, '10.9.9.9') and p[0].outgoing)"
	knob "$1" gre1 keepalive_interval 1
	py "seen('B', '$2', lambda p: request(p, '10.9.9.9') and p[0].outgoing)"
	wait_until 30 keepalive_is up A
	wait_until 30 keepalive_is up "$1"
}

by_the_main_table() { ends "" ""; both_ask B vb; }
bound_to_a_device() { ends "" "dev wb"; both_ask B wb; }
marked() { ends "" "fwmark 7"; both_ask B wb; }

# The device is somewhere else, its outer packets are not.
in_another_namespace() {
	ends "" "fwmark 7"
	on B ip link set gre1 netns "$NS_PREFIX-inner"
	on inner ip link set gre1 up
	both_ask inner wb
	on inner ip link del gre1
}

# And that namespace has other routes, and an address of the same name.
with_the_same_address_there() {
	on inner ip addr add 10.9.9.9/32 dev lo
	on inner ip link add d0 type dummy
	on inner ip link set d0 up
	on inner ip route add 10.8.8.8/32 dev d0
	in_another_namespace
}

# wb in a VRF which alone knows the way: bound to it, or to the device in it.
in_a_vrf() {
	on B ip link add red type vrf table 10
	on B ip link set red up
	on B ip link set wb master red
	on B ip addr add 10.9.9.9/32 dev red
	on B ip addr del 10.9.9.9/32 dev lo
	on B ip route replace 10.8.8.8/32 via 10.0.1.1 table 10
	on B ip route replace unreachable 10.8.8.8/32
	on A ip route replace 10.9.9.9/32 via 10.0.1.2
	ends "" "dev red"
	both_ask B wb
	on B ip route del unreachable 10.8.8.8/32
	on B ip link del red
	on B ip addr add 10.9.9.9/32 dev lo
	on A ip route replace 10.9.9.9/32 via 10.0.0.2
	on B ip route replace 10.8.8.8/32 via 10.0.0.1
}

# In UDP on the wire: the request, and the answer that nobody encapsulated.
inside_udp() {
	local encap="encap $1 encap-sport 5555 encap-dport 5555" listen="ipproto 47" bare=4
	[ "$1" = fou ] || { listen=gue; bare=8; }
	for ns in A B; do
		# shellcheck disable=SC2086
		on $ns ip fou add port 5555 $listen
	done
	ends "$encap" "$encap"
	py 'sniff("A", "va")'
	knob A gre1 keepalive_interval 1
	# as long as UDP, GUE, and the inner packet without its IP header
	py "seen('A', 'va', lambda p: names(p) == 'ip udp' and p[1].dport == 5555
		and p[0].src == '10.9.9.9' and p[1].length == 8 + $((bare - 4)) + 4 + 28)"
	wait_until 30 keepalive_is up A
	knob B gre1 keepalive_interval 1
	wait_until 30 keepalive_is up B
	for ns in A B; do
		on $ns ip link del gre1
		on $ns ip fou del port 5555
	done
}

check "by the route of the main table" by_the_main_table
check "bound to a device: by that device" bound_to_a_device
check "with a mark: by the route for that mark" marked
check "the device in another namespace" in_another_namespace
check "and that has the same addresses and other routes" with_the_same_address_there
check "in a VRF" in_a_vrf
check "inside FOU" inside_udp fou
check "inside GUE" inside_udp gue

finish
