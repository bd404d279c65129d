#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# A GRE tunnel whose remote is a multicast group: everybody in the group is on
# one virtual segment.
#
#          A                      B                      C
#   +--------------+       +--------------+       +--------------+
#   |  mg          |       |  mg          |       |  mg          |
#   |  10.1.1.1/24 |       |  10.1.1.2/24 |       |  10.1.1.3/24 |
#   |  eth0        |       |  eth0        |       |  eth0        |
#   +------+-------+       +------+-------+       +------+-------+
#          | 10.0.0.1             | 10.0.0.2             | 10.0.0.3
#   =======+======== group 239.1.1.1 =============+======+====== 10.0.0.0/24

. "$(dirname "$0")/lib.sh"
load_tunnels gre

namespaces lan A B C
segment lan sw0
n=0
for ns in A B C; do
	n=$((n + 1))
	plug $ns eth0 10.0.0.$n/24 lan sw0
done
on lan ip link set sw0 type bridge mcast_snooping 0
start_wire

make() {
	n=0
	for ns in A B C; do
		n=$((n + 1))
		on $ns ip tunnel add mg mode gre local 10.0.0.$n remote 239.1.1.1 \
			dev eth0 ttl 10 key 77
		on $ns ip addr add 10.1.1.$n/24 dev mg
	done
}

device_flags() {
	contains "<BROADCAST,POINTOPOINT>" "$(on A ip link show dev mg)"
	contains "link/gre 10.0.0.1 peer 239.1.1.1" "$(on A ip link show dev mg)"
}

joins() { on "$1" ip maddr show dev eth0 | grep -w 239.1.1.1; }

up_joins_the_group() {
	fails joins A
	for ns in A B C; do
		on $ns ip link set mg up
	done
	joins A
	joins B
}

# A multicast packet of A's reaches B and C, in one outer packet to the group.
reaches_everybody() {
	py 'sniff("B", "eth0")'
	quietly on A ping -n -q -c 1 -W 1 -I mg 224.0.0.5 || true
	py 'seen("B", "eth0", lambda p: names(p) == "ip gre ip icmp" and p[0].ttl == 10
		and p[0].src == "10.0.0.1" and p[0].dst == "239.1.1.1" and p[1].key == 77)'
	wait_until 20 received B 1
	wait_until 20 received C 1
}

received() { [ "$(counter "$1" mg rx_packets)" -ge "$2" ]; }

counted_as_multicast() {
	equal "multicast of B" 1 "$(counter B mg multicast)"
}

# A point-to-point device has one neighbour, the group: unicast goes there, too.
unicast_goes_to_the_group() {
	py 'sniff("B", "eth0")'
	quietly on A ping -n -q -c 1 -W 1 10.1.1.2 || true
	py 'seen("B", "eth0", lambda p: names(p) == "ip gre ip icmp"
		and p[0].dst == "239.1.1.1" and p[2].dst == "10.1.1.2")'
}

down_leaves_the_group() {
	on A ip link set mg down
	fails joins A
	joins B
	on A ip link set mg up
	joins A
}

delete_leaves_the_group() {
	on B ip tunnel del mg
	fails joins B
}

check "gre with a multicast remote" make
check "it is a broadcast device" device_flags
check "up joins the group on the underlay device" up_joins_the_group
check "a multicast packet reaches everybody" reaches_everybody
check "it is counted as multicast on receive" counted_as_multicast
check "unicast goes to the group as well" unicast_goes_to_the_group
check "down leaves the group, up joins it again" down_leaves_the_group
check "deleting leaves the group" delete_leaves_the_group

finish
