#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# A flood of 1,000,000 made-up senders at a hub that learns: memory does not
# grow, and the customers do not notice.
#
#      C1  15.0.0.1           C2  15.0.0.2             X  sends the flood
#   +------+-------+       +------+-------+         +------+-------+
#          | 172.16.1.1           | 172.16.2.1             | 172.16.3.1
#          |                      |                        |
#   +------+----------------------+------------------------+-------+
#   |   172.16.1.2           172.16.2.2               172.16.3.2   |
#   |  POP                tunnel0 8.0.0.1/5, key 1234              |
#   +--------------------------------------------------------------+

. "$(dirname "$0")/lib.sh"
culvert || skip "only culvert learns"
load_tunnels gre
need iptables

FLOOD=${FLOOD:-1000}	# batches of 1000; a slow kernel is given fewer

namespaces POP C1 C2 X
wire C1 eth0 172.16.1.1/24 POP eth1 172.16.1.2/24
wire C2 eth0 172.16.2.1/24 POP eth2 172.16.2.2/24
wire X eth0 172.16.3.1/24 POP eth3 172.16.3.2/24
start_wire
py "text = open('$lib_dir/flood.py').read(); exec(text)"

on POP ip tunnel add tunnel0 mode gre key 1234
on POP ip addr add 8.0.0.1/5 dev tunnel0
on POP ip link set tunnel0 up
knob POP tunnel0 learning 1
for n in 1 2; do
	on C$n ip tunnel add gre1 mode gre local 172.16.$n.1 remote 172.16.$n.2 key 1234
	on C$n ip addr add 15.0.0.$n/5 dev gre1
	on C$n ip link set gre1 up
done

learned() { status POP tunnel0 learning "$1"; }

# What it was counted as, all in all.
accounted() {
	echo $(($(learned learned) + $(learned over_limit) + $(learned over_rate)))
}

# Memory of the kernel's that can't be given back, kB.
memory() { awk '/^SUnreclaim|^KernelStack|^PageTables/ { n += $2 } END { print n }' /proc/meminfo; }

log_lines() { dmesg | wc -l; }

customers_are_well() {
	local n
	for n in 1 2; do
		ping_ok C$n 8.0.0.1
		ping_ok POP 15.0.0.$n
		contains "15.0.0.$n lladdr 172.16.$n.1 " "$(on POP ip neigh show dev tunnel0)"
	done
}

customers_are_learned() {
	for n in 1 2; do ping_ok C$n 8.0.0.1; done
	customers_are_well
	equal "peers" 2 "$(learned peers)"
}

# Nobody gets an answer: what is measured is what learning does.
flood() {
	local memory lines seen received rest
	on POP iptables -t raw -A PREROUTING -i tunnel0 -p udp --dport 9 -j DROP
	on POP ip neigh replace 15.0.0.9 lladdr 172.16.1.9 nud permanent dev tunnel0
	py 'flood("X", "eth0", mac_of("POP", "eth3"), "172.16.3.2", "8.0.0.1", 1234, [0])'
	memory=$(memory)
	lines=$(log_lines)
	seen=$(accounted)
	received=$(counter POP tunnel0 rx_packets)
	py "flood('X', 'eth0', mac_of('POP', 'eth3'), '172.16.3.2', '8.0.0.1', 1234, range($FLOOD))"
	rest=$(($(counter POP tunnel0 rx_packets) - received))
	memory=$(($(memory) - memory))
	say "memory: $memory kB more after $rest packets"
	equal "received" $((FLOOD * 1000)) "$rest"
	# the first batch may have been learned before: those are known
	at_least "accounted for" $(((FLOOD - 2) * 1000)) $(($(accounted) - seen))
	at_most "memory, kB more" 8192 "$memory"
	at_most "lines in the kernel's log" 20 $(($(log_lines) - lines))
	equal "peers" 1024 "$(learned peers)"
	at_most "neighbours" 1030 "$(on POP ip neigh show dev tunnel0 | wc -l)"
	contains "15.0.0.9 lladdr 172.16.1.9 PERMANENT" "$(on POP ip neigh show dev tunnel0)"
}

# Now the POP wants to answer each of them, and asks who they are.
flood_that_is_answered() {
	on POP iptables -t raw -F PREROUTING
	on POP sysctl -qw net.ipv4.icmp_ratelimit=0
	py "flood('X', 'eth0', mac_of('POP', 'eth3'), '172.16.3.2', '8.0.0.1', 1234, range(20, $((FLOOD < 40 ? 22 : 40))))"
	equal "peers" 1024 "$(learned peers)"
	customers_are_well
}

# There is room again once the silent ones are forgotten.
room_comes_back() {
	knob POP tunnel0 learning_timeout 1
	wait_until 60 eval '[ "$(learned peers)" -lt 10 ]'
	knob POP tunnel0 learning_timeout 600
	customers_are_well
}

check "two customers are learned" customers_are_learned
check "$((FLOOD * 1000)) made-up ones are bounded" flood
check "and the customers do not notice" customers_are_well
check "nor when all of those are to be answered" flood_that_is_answered
check "the room they took comes back" room_comes_back

finish
