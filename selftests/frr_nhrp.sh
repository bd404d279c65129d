#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# FRRouting's nhrpd on multipoint devices: it sends and receives by PF_PACKET
# with the outer address as link-layer address, is asked by RTM_GETNEIGH, and
# enters neighbours. With learning and replication off, and on.
#
#      POP 192.168.14.254/32      C1 192.168.14.1/32       C2 192.168.14.2/32
#   +---------------+          +---------------+        +---------------+
#   |    tunnel0    |          |    tunnel0    |        |    tunnel0    |  gre without
#   |     eth0      |          |     eth0      |        |     eth0      |  remote, key 42
#   +-------+-------+          +-------+-------+        +-------+-------+
#           | 172.16.0.2               | 172.16.0.11            | 172.16.0.12
#   ========+==========================+========================+======= 172.16.0.0/24

. "$(dirname "$0")/lib.sh"
# shellcheck source=frr.sh
. "$(dirname "$0")/frr.sh"
load_tunnels gre
need_frr zebra nhrpd ospfd

namespaces lan POP C1 C2
segment lan sw0
for where in POP:2:254 C1:11:1 C2:12:2; do
	IFS=: read -r ns outer inner <<<"$where"
	plug "$ns" eth0 "172.16.0.$outer/24" lan sw0
	# bound to eth0 from the start: else zebra does it, and takes the device down
	on "$ns" ip tunnel add tunnel0 mode gre key 42 local "172.16.0.$outer" dev eth0 ttl 64
	on "$ns" ip addr add "192.168.14.$inner/32" dev tunnel0
	on "$ns" ip link set tunnel0 up multicast on
	on "$ns" sysctl -qw net.ipv4.ip_forward=1
done

hub_nhrpd() {
	daemon_config POP nhrpd <<-END
		debug nhrp all
		interface tunnel0
		 ip nhrp network-id 1
		 ip nhrp holdtime 60
		 tunnel source eth0
	END
	frr POP zebra nhrpd
}

# spoke_nhrpd NS
spoke_nhrpd() {
	daemon_config "$1" nhrpd <<-END
		debug nhrp all
		interface tunnel0
		 ip nhrp network-id 1
		 ip nhrp holdtime 60
		 ip nhrp registration no-unique
		 ip nhrp nhs dynamic nbma 172.16.0.2
		 tunnel source eth0
	END
	frr "$1" zebra nhrpd
	# to each other by way of the hub
	on "$1" ip route add 192.168.14.0/24 via 192.168.14.254 dev tunnel0 onlink
}

cached() { ask "$1" nhrpd show ip nhrp cache | grep "$2" | grep -q "$3"; }

registers() {
	py 'sniff("POP", "eth0")'
	hub_nhrpd
	spoke_nhrpd C1
	spoke_nhrpd C2
	or_logs py 'seen("POP", "eth0", lambda p: names(p) == "ip gre" and p[1].proto == 0x2001
		and p[1].key == 42 and (p[0].src, p[0].dst) == ("172.16.0.11", "172.16.0.2"), 30)'
	py 'seen("POP", "eth0", lambda p: names(p) == "ip gre" and p[1].proto == 0x2001
		and p[1].key == 42 and (p[0].src, p[0].dst) == ("172.16.0.2", "172.16.0.11"), 30)'
	or_logs wait_until 60 cached POP 192.168.14.1 172.16.0.11
	or_logs wait_until 60 cached POP 192.168.14.2 172.16.0.12
	wait_until 90 cached C1 192.168.14.254 172.16.0.2
}

reached() { quietly on "$1" ping -n -q -c 1 -W 1 "$2"; }

hub_and_spokes() {
	or_logs wait_until 60 reached C1 192.168.14.254
	or_logs wait_until 60 reached POP 192.168.14.2
	or_logs wait_until 60 reached C1 192.168.14.2
	contains "192.168.14.1 lladdr 172.16.0.11" "$(on POP ip neigh show dev tunnel0)"
}

# watch_neighbours, no_more: what happens to them, in $work/monitor.
watch_neighbours() {
	ip netns exec "$NS_PREFIX-POP" ip monitor neigh >"$work/monitor" 2>&1 &
	monitor=$!
	sleep 0.5
}
no_more() { kill $monitor; }

asks() { grep -q "miss 192.168.14.1 dev tunnel0$1" "$work/monitor"; }
is_reachable() { on POP ip neigh show 192.168.14.1 dev tunnel0 | grep -q "172.16.0.11 REACHABLE"; }

# When the kernel is no longer sure of a neighbour it asks, and nhrpd answers.
asked_by_the_kernel() {
	on POP sysctl -qw net.ipv4.neigh.tunnel0.delay_first_probe_time=1
	watch_neighbours
	on POP ip neigh replace 192.168.14.1 lladdr 172.16.0.11 nud stale dev tunnel0
	reached POP 192.168.14.1
	or_logs wait_until 30 asks " lladdr 172.16.0.11"
	or_logs wait_until 30 is_reachable
	reached POP 192.168.14.1
	no_more
}

# It asks for one that it does not have, too. Some versions of nhrpd enter 0.0.0.0
# then, and some nothing; what a daemon enters in the end counts.
asked_for_a_new_one() {
	watch_neighbours
	on POP ip neigh del 192.168.14.1 dev tunnel0
	reached POP 192.168.14.1 || true
	wait_until 30 asks
	on POP ip neigh replace 192.168.14.1 lladdr 172.16.0.11 nud reachable dev tunnel0
	reached POP 192.168.14.1
	no_more
}

with_learning_on() {
	culvert || skip "only culvert learns"
	for ns in POP C1 C2; do knob $ns tunnel0 learning 1; done
	asked_by_the_kernel
	asked_for_a_new_one
	hub_and_spokes
	# nobody is on the link of a /32, so nothing is learned beside it
	equal "peers" 0 "$(status POP tunnel0 learning peers)"
}

# ospf NS N
ospf() {
	daemon_config "$1" ospfd <<-END
		interface tunnel0
		 ip ospf network point-to-multipoint
		 ip ospf hello-interval 2
		 ip ospf dead-interval 10
		 ip ospf area 0
		router ospf
		 ospf router-id 192.168.14.$2
	END
	frr "$1" ospfd
}

has_neighbours() { [ "$(ask "$1" ospfd show ip ospf neighbor | grep -c "Full/")" = "$2" ]; }

ospf_over_it() {
	culvert || skip "only culvert replicates"
	! "$frr_dir/ospfd" --version | grep -q "version 7" ||
		skip "FRR 7: nhrpd wants a /32, with which ospfd takes packets from nobody"
	for ns in POP C1 C2; do knob $ns tunnel0 replicate 1; done
	ospf POP 254
	ospf C1 1
	ospf C2 2
	or_logs wait_until 120 has_neighbours POP 2
	wait_until 60 has_neighbours C1 1
	hub_and_spokes
}

check "spokes register at the hub" registers
check "hub and spokes reach each other" hub_and_spokes
check "nhrpd is asked by the kernel whether a neighbour is there" asked_by_the_kernel
check "and for one that the kernel does not know" asked_for_a_new_one
check "the same with learning on" with_learning_on
check "OSPF over it, multicast to those that nhrpd entered" ospf_over_it

finish
