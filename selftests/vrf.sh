#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The underlay in a VRF: two tunnels with the same endpoints, told apart by the
# VRF they are bound to.
#
#      red                        b                       blue
#   +---------+          +------------------+          +---------+
#   |   tun   | = = = = = tun-red   tun-blue = = = = = |   tun   |
#   |10.1.1.1 |          |10.1.1.2  10.2.1.2|          |10.2.1.1 |
#   |         |          | vrf red  vrf blue|          |         |
#   |   va ---+----------+-- vr        vb --+----------+--- va   |
#   +---------+          +------------------+          +---------+
#    10.0.0.1/24      10.0.0.2/24    10.0.0.2/24        10.0.0.1/24

. "$(dirname "$0")/lib.sh"
load_tunnels ipip gre
kernel_has vrf || skip "this kernel has no vrf"

namespaces red blue b
wire red va 10.0.0.1/24 b vr -
wire blue va 10.0.0.1/24 b vb -
for colour in red:vr:10 blue:vb:20; do
	IFS=: read -r vrf dev table <<<"$colour"
	on b ip link add $vrf type vrf table $table
	on b ip link set $vrf up
	on b ip link set $dev master $vrf
	on b ip addr add 10.0.0.2/24 dev $dev
done

ends() {
	tunnel_end red tun 10.0.0.1 10.0.0.2 10.1.1.1/24 "$@"
	tunnel_end blue tun 10.0.0.1 10.0.0.2 10.2.1.1/24 "$@"
}

bound_to_the_vrf() {
	tunnel_end b tun-red 10.0.0.2 10.0.0.1 10.1.1.2/24 "$@" dev red
	tunnel_end b tun-blue 10.0.0.2 10.0.0.1 10.2.1.2/24 "$@" dev blue
}

each_its_own() {
	ping_ok b 10.1.1.1
	ping_ok b 10.2.1.1
	ping_ok red 10.1.1.2
	ping_ok blue 10.2.1.2
	equal "rx of both" "6 6" "$(counter b tun-red rx_packets) $(counter b tun-blue rx_packets)"
}

# The tunnel's own traffic in another VRF than its underlay.
inner_vrf() {
	on b ip link add green type vrf table 30
	on b ip link set green up
	on b ip link set tun-red master green
	ping_ok red 10.1.1.2
	on b ping -n -q -I green -i 0.1 -c 3 -w 20 10.1.1.1
	on b ip link del green
}

unbound_by_rule() {
	on b ip link del tun-red
	on b ip link del tun-blue
	tunnel_end b tun-red 10.0.0.2 10.0.0.1 10.1.1.2/24 "$@"
	on b ip rule add to 10.0.0.1 lookup 10
	ping_ok b 10.1.1.1
	on b ip rule del to 10.0.0.1 lookup 10
	on b ip link del tun-red
	on red ip link del tun
	on blue ip link del tun
}

for kind in ipip gre; do
	check "$kind: one end in each VRF's network" ends $kind
	check "$kind: two tunnels with the same endpoints, by VRF" bound_to_the_vrf $kind
	check "$kind: each carries its own traffic" each_its_own
	check "$kind: the inner side in another VRF" inner_vrf
	check "$kind: not bound, the VRF found by a rule" unbound_by_rule $kind
done

finish
