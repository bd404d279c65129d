#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Tunnels that lead into themselves end with counted drops; tunnels inside
# tunnels, five deep, work.
#
#         a                                          b
#   +-----------+                              +-----------+
#   |    n5     | = = = = = = = = = = = = = = =|    n5     |
#   |   ...     |   each carried by the next   |   ...     |
#   |    n1     | = = = = = = = = = = = = = = =|    n1     |
#   |    va ----+------------------------------+---- vb    |
#   +-----------+                              +-----------+
#    10.0.0.1/24                                10.0.0.2/24

. "$(dirname "$0")/lib.sh"
load_tunnels ipip gre

namespaces a b
wire a va 10.0.0.1/24 b vb 10.0.0.2/24
start_wire
py 'inner = ip("10.1.1.1", "10.1.1.2", udp(1, 2, b"loop"))'

# The route to the remote leads into the tunnel itself.
through_itself() {
	on a ip link add loop type "$1" local 10.0.0.1 remote 10.7.0.1
	on a ip link set loop up
	on a ip route add 10.7.0.1/32 dev loop
	py 'send("a", "loop", inner)'
	py 'send("a", "loop", inner)'
	equal "collisions" 2 "$(counter a loop collisions)"
	equal "tx_errors" 2 "$(counter a loop tx_errors)"
	equal "tx_packets" 0 "$(counter a loop tx_packets)"
	! culvert || equal "tx_loop" 2 "$(drops a loop tx_loop)"
	on a ip link del loop
}

# Each of two tunnels is the way to the other's remote.
at_each_other() {
	on a ip link add ping type "$1" local 10.0.0.1 remote 10.7.0.1
	on a ip link add pong type "$2" local 10.0.0.1 remote 10.7.0.2
	on a ip link set ping up
	on a ip link set pong up
	on a ip route add 10.7.0.1/32 dev pong
	on a ip route add 10.7.0.2/32 dev ping
	py 'send("a", "ping", inner)'
	ping_ok a 10.0.0.2
	local drops
	drops=$(($(all_drops ping) + $(all_drops pong)))
	[ $drops -ge 1 ] || [ "$(core_drops)" -ge 1 ] || { echo "nobody counted a drop"; return 1; }
	on a ip link del ping
	on a ip link del pong
}

# The recursion limit of dev_queue_xmit is older than the tunnels' own and counts
# on the device that was reached when it struck.
all_drops() {
	echo $(($(counter a $1 tx_errors) + $(counter a $1 tx_dropped) + $(counter a $1 collisions)))
}
core_drops() { counter a ping tx_dropped; }

# Packets for a remote that is reached through the tunnel only at the far end.
bounced_back() {
	quietly on a ip link del bounce || true
	quietly on b ip link del bounce || true
	on a ip link add bounce type "$1" local 10.0.0.1 remote 10.0.0.2 ttl inherit
	on b ip link add bounce type "$1" local 10.0.0.2 remote 10.0.0.1 ttl inherit
	on a ip link set bounce up
	on b ip link set bounce up
	on a sysctl -qw net.ipv4.ip_forward=1
	on b sysctl -qw net.ipv4.ip_forward=1
	on a ip route add 10.6.0.0/16 dev bounce
	on b ip route add 10.6.0.0/16 dev bounce
	py 'route("a", ip("10.4.0.1", "10.6.0.1", udp(1, 2), ttl=20), "10.6.0.1")'
	ping_ok a 10.0.0.2
	wait_until 10 bounced
	on a ip link del bounce
	on b ip link del bounce
}
bounced() { [ "$(counter b bounce rx_packets)" -ge 9 ]; }

# nest KIND: n1 over va, n2 over n1, ... n5 over n4.
nest() {
	local n kind=$1 below_a=10.0.0.1 below_b=10.0.0.2
	for n in 1 2 3 4 5; do
		[ "$kind" != mixed ] || set -- ipip gre ipip gre ipip
		on a ip link add n$n type ${!n:-$kind} local $below_a remote $below_b
		on b ip link add n$n type ${!n:-$kind} local $below_b remote $below_a
		below_a=10.5.$n.1 below_b=10.5.$n.2
		on a ip addr add $below_a peer $below_b dev n$n
		on b ip addr add $below_b peer $below_a dev n$n
		on a ip link set n$n up
		on b ip link set n$n up
	done
}

five_levels() {
	for n in 1 2 3 4 5; do
		quietly on a ip link del n$n || true
		quietly on b ip link del n$n || true
	done
	nest $1
	py 'sniff("a", "va")'
	ping_ok a 10.5.5.2
	py 'seen("a", "va", lambda p: [l.name for l in p].count("ip") == 6)'
	on a ping -n -q -c 2 -i 0.2 -s 3000 10.5.5.2
	equal "mtu of the fifth" "$2" "$(on a cat /sys/class/net/n5/mtu)"
}

check "ipip: the remote is routed through the tunnel itself" through_itself ipip
check "gre: the remote is routed through the tunnel itself" through_itself gre
check "two ipip tunnels lead to each other" at_each_other ipip ipip
check "ipip and gre lead to each other" at_each_other ipip gre
check "ipip: a routing loop between the ends ends by ttl" bounced_back ipip
check "gre: a routing loop between the ends ends by ttl" bounced_back gre
check "five ipip inside each other" five_levels ipip 1400
check "five gre inside each other" five_levels gre 1380
check "ipip and gre in turn, five deep" five_levels mixed 1392

finish
