#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# RIP, by FRRouting, over a hub that learns its customers and replicates multicast
# to them. The drawing is in hub.sh.

. "$(dirname "$0")/lib.sh"
# shellcheck source=hub.sh
. "$(dirname "$0")/hub.sh"
# shellcheck source=frr.sh
. "$(dirname "$0")/frr.sh"
culvert || skip "only culvert learns"
load_tunnels gre
need_frr zebra ripd

hub_topology
hub_tunnel
customers
routed_hub

# rip NS DEV
rip() {
	daemon_config "$1" ripd <<-END
		interface $2
		 no ip rip split-horizon
		router rip
		 version 2
		 network $2
		 network lan0
		 passive-interface lan0
		 timers basic 5 12 5
	END
	frr "$1" zebra ripd
}

hub_hears() {
	knob POP tunnel0 learning 1
	rip POP tunnel0
	for n in 1 2 3; do rip C$n gre1; done
	for n in 1 2 3; do wait_until 90 routes_by POP 10.42.$n.0/24 rip; done
	# What it asked for when it started it got, by unicast; nothing after that.
	wait_until 120 eval '! routes_by C1 10.42.254.0/24 rip'
	wait_until 120 eval '! routes_by C3 10.42.254.0/24 rip'
}

customers_hear() {
	knob POP tunnel0 replicate 1
	for n in 2 3 254; do wait_until 90 routes_by C1 10.42.$n.0/24 rip; done
	for n in 1 2 254; do wait_until 90 routes_by C3 10.42.$n.0/24 rip; done
	ping_ok C1 10.42.3.1 -I 10.42.1.1
}

check "the hub hears the customers; they do not hear it" hub_hears
check "they hear it, and of each other, once multicast is replicated" customers_hear

finish
