#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# OSPF, by FRRouting, over a hub that learns its customers and replicates
# multicast to them. The drawing is in hub.sh.

. "$(dirname "$0")/lib.sh"
# shellcheck source=hub.sh
. "$(dirname "$0")/hub.sh"
# shellcheck source=frr.sh
. "$(dirname "$0")/frr.sh"
culvert || skip "only culvert learns"
load_tunnels gre
need_frr zebra ospfd

hub_topology
hub_tunnel
customers
routed_hub

# ospf NS DEV N
ospf() {
	daemon_config "$1" ospfd <<-END
		interface $2
		 ip ospf network point-to-multipoint
		 ip ospf hello-interval 2
		 ip ospf dead-interval 10
		 ip ospf retransmit-interval 3
		router ospf
		 ospf router-id 192.168.14.$3
		 passive-interface lan0
		 network 192.168.14.0/24 area 0
		 network 10.42.0.0/16 area 0
	END
	frr "$1" zebra ospfd
}

full_neighbours() { ask "$1" ospfd show ip ospf neighbor | grep -c "Full/"; }
has_neighbours() { [ "$(full_neighbours "$1")" = "$2" ]; }

nothing_without_replication() {
	knob POP tunnel0 learning 1
	ospf POP tunnel0 254
	ospf C1 gre1 1
	ospf C2 gre1 2
	ospf C3 gre1 3
	# What the customers send arrives, and they are learned from it ...
	wait_until 60 eval '[ "$(status POP tunnel0 learning peers)" -ge 3 ]'
	for n in 1 2 3; do
		wait_until 60 eval "ask POP ospfd show ip ospf neighbor | grep -q 192.168.14.$n"
	done
	# ... but they hear nothing.
	has_neighbours POP 0
	has_neighbours C1 0
}

adjacencies() {
	knob POP tunnel0 replicate 1
	wait_until 120 has_neighbours POP 3
	for n in 1 2 3; do wait_until 60 has_neighbours C$n 1; done
	at_least "replicated" 3 "$(status POP tunnel0 learning replicated)"
}

routes() {
	for n in 1 2 3; do wait_until 60 routes_by POP 10.42.$n.0/24 ospf; done
	for n in 2 3 254; do wait_until 60 routes_by C1 10.42.$n.0/24 ospf; done
	for n in 1 2; do wait_until 60 routes_by C3 10.42.$n.0/24 ospf; done
	ping_ok C1 10.42.2.1 -I 10.42.1.1
	ping_ok C3 10.42.1.1 -I 10.42.3.1
	ping_ok POP 10.42.3.1
}

# A customer with a new outer address keeps its adjacency or gets it back.
moves() {
	on C2 ip addr add 172.16.0.22/24 dev eth0
	on C2 ip link set gre1 type gre local 172.16.0.22
	wait_until 60 knows 192.168.14.2 172.16.0.22
	wait_until 120 has_neighbours C2 1
	wait_until 120 has_neighbours POP 3
	ping_ok C1 10.42.2.1 -I 10.42.1.1
}

dies() {
	on C1 ip link set gre1 down
	wait_until 120 has_neighbours POP 2
	wait_until 60 eval '! routes_by C3 10.42.1.0/24 ospf'
	on C1 ip link set gre1 up
	wait_until 120 has_neighbours POP 3
	wait_until 60 routes_by C3 10.42.1.0/24 ospf
}

# With keepalive the carrier goes, and OSPF need not wait for its dead interval.
carrier() {
	knob C1 gre1 keepalive_retries 2
	knob C1 gre1 keepalive_interval 1
	wait_until 20 keepalive_is up C1
	on POP ip link set tunnel0 down
	wait_until 20 keepalive_is down C1
	wait_until 60 eval '! routes_by C1 10.42.2.0/24 ospf'
	wait_until 10 has_neighbours C1 0
	on POP ip link set tunnel0 up
	wait_until 60 keepalive_is up C1
	wait_until 120 has_neighbours C1 1
	wait_until 60 routes_by C1 10.42.2.0/24 ospf
}

check "without replication the customers hear nothing" nothing_without_replication
check "with it all adjacencies form, one through NAT" adjacencies
check "routes between all of them" routes
check "a customer that moves" moves
check "a customer that dies and comes back" dies
check "a peer lost by keepalive is lost at once" carrier

finish
