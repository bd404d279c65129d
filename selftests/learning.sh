#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# A hub that learns its customers: multipoint gre, no neighbour is configured.
#
# The drawing is in hub.sh.

. "$(dirname "$0")/lib.sh"
# shellcheck source=hub.sh
. "$(dirname "$0")/hub.sh"
culvert || skip "only culvert learns"
load_tunnels gre

hub_topology
start_wire

hub_tunnel
customers

# spoof(OUTER, INNER): an inner packet arrives at the POP.  The POP has nobody to
# answer it to: it is a UDP packet to a port that drops.
py '
pop, c1 = mac_of("POP", "eth0"), mac_of("C1", "eth0")

def spoof(outer, inner):
    if ":" in inner:
        packet = ip6(inner, "fd14::254", udp(9, 9))
    else:
        packet = ip(inner, "192.168.14.254", udp(9, 9))
    return send_frame("C1", "eth0", eth(pop, c1, ip(outer, "172.16.0.2", gre(packet, key=1234))))
'
on POP iptables -A INPUT -i tunnel0 -p udp --dport 9 -j DROP
on POP ip6tables -A INPUT -i tunnel0 -p udp --dport 9 -j DROP

off_by_default() {
	equal "learning" 0 "$(knob POP tunnel0 learning)"
	ping_lost C1 192.168.14.254
	knows_not 192.168.14.1
}

learns() {
	knob POP tunnel0 learning 1
	for ns in C1 C2 C3; do ping_ok $ns 192.168.14.254; done
	knows 192.168.14.1 172.16.0.11
	knows 192.168.14.2 172.16.0.12
	equal "peers" 3 "$(learned peers)"
	for n in 1 2 3; do ping_ok POP 192.168.14.$n; done
}

learns_behind_nat() {
	knows 192.168.14.3 172.16.0.13
}

learns_ipv6() {
	ping_ok C1 fd14::254
	knows fd14::1 172.16.0.11
	ping_ok POP fd14::1
}

customers_reach_each_other() {
	on POP sysctl -qw net.ipv4.ip_forward=1
	ping_ok C1 192.168.14.2
	ping_ok C2 192.168.14.3
	ping_ok C3 192.168.14.1
}

follows_a_move() {
	sleep 1.1
	on C2 ip addr add 172.16.0.22/24 dev eth0
	on C2 ip link set gre1 type gre local 172.16.0.22
	on C2 ping -n -q -c 5 -i 0.5 192.168.14.254 || true
	knows 192.168.14.2 172.16.0.22
	ping_ok POP 192.168.14.2
	at_least "moved" 1 "$(learned moved)"
}

# The NAT gets another address, and forgets.
follows_nat() {
	sleep 1.1
	on NAT ip addr add 172.16.0.23/24 dev eth1
	on NAT iptables -t nat -F POSTROUTING
	on NAT iptables -t nat -A POSTROUTING -o eth1 -j SNAT --to 172.16.0.23
	on NAT ip addr del 172.16.0.13/24 dev eth1
	on NAT ip addr add 172.16.0.23/24 dev eth1 || true
	quietly on NAT conntrack -F || true
	on C3 ping -n -q -c 5 -i 0.5 192.168.14.254 || true
	knows 192.168.14.3 172.16.0.23
	ping_ok POP 192.168.14.3
}

ipv6_moves_too() {
	on C2 ping -n -q -c 2 -i 0.2 fd14::254
	knows fd14::2 172.16.0.22
	sleep 1.1
	on C2 ip link set gre1 type gre local 172.16.0.12
	on C2 ping -n -q -c 5 -i 0.5 fd14::254 || true
	knows fd14::2 172.16.0.12
	ping_ok POP fd14::2
	on C2 ip link set gre1 type gre local 172.16.0.22
	sleep 1.1
	on C2 ping -n -q -c 2 -i 0.2 192.168.14.254 || true
}

# Somebody who tries all the time gets a peer moved once a second, and counted.
moves_are_limited() {
	local before limited seconds
	before=$(learned moved)
	limited=$(learned over_rate)
	seconds=$(py 'wander()')
	at_most "moved" $((before + seconds + 1)) "$(learned moved)"
	equal "not moved" $((400 - $(learned moved) + before)) $(($(learned over_rate) - limited))
	sleep 1.1
	ping_ok C1 192.168.14.254
	knows 192.168.14.1 172.16.0.11
}
py '
def wander():
    begin = time.monotonic()
    for n in range(400):
        spoof("172.16.%d.%d" % (1 + n // 200, 1 + n % 200), "192.168.14.1")
    return str(int(time.monotonic() - begin) + 1)
'

permanent_wins() {
	on POP ip neigh replace 192.168.14.1 lladdr 172.16.0.11 nud permanent dev tunnel0
	sleep 1.1
	py 'spoof("172.16.0.66", "192.168.14.1")'
	knows 192.168.14.1 172.16.0.11
	ping_ok POP 192.168.14.1
	on POP ip neigh del 192.168.14.1 dev tunnel0
	ping_ok C1 192.168.14.254
	knows 192.168.14.1 172.16.0.11
}

permanent_wins_for_ipv6() {
	on POP ip neigh replace fd14::1 lladdr 172.16.0.11 nud permanent dev tunnel0
	sleep 1.1
	py 'spoof("172.16.0.66", "fd14::1")'
	knows fd14::1 172.16.0.11
	contains PERMANENT "$(on POP ip neigh show fd14::1 dev tunnel0)"
	on POP ip neigh del fd14::1 dev tunnel0
}

unknown_is_unreachable() {
	says "Host Unreachable" on POP ping -n -c 1 -w 8 192.168.14.99
}

only_on_link() {
	py 'spoof("172.16.0.66", "192.168.99.1")'
	py 'spoof("172.16.0.66", "192.168.14.254")'
	py 'spoof("172.16.0.66", "192.168.14.255")'
	py 'spoof("172.16.0.66", "192.168.14.0")'
	py 'spoof("172.16.0.66", "fd99::1")'
	py 'spoof("172.16.0.66", "fd14::254")'
	py 'spoof("172.16.0.66", "fe80::1")'
	fails grep -F 172.16.0.66 <<<"$(peers)"
}

# discover(OUTER, KIND, INNER, TARGET, OPTION): a neighbour solicitation (135) or
# advertisement (136) with OUTER as the link-layer address of its sender or target.
py '
def discover(outer, kind, inner, target, option):
    data = address(target) + bytes([option, 1]) + address(outer) + bytes(2)
    flags = 0x60000000 if kind == 136 else 0
    packet = ip6(inner, "fd14::254", icmp6(kind, 0, flags, data), ttl=255)
    return send_frame("C1", "eth0", eth(pop, c1, ip(outer, "172.16.0.2", gre(packet, key=1234))))
'

# The core reads addresses in it, by which everything that restricts learning could
# be got around.
ignores_discovery() {
	ping_ok C1 fd14::254
	knows fd14::1 172.16.0.11
	knob POP tunnel0 learning_filter 172.16.0.0/27
	sleep 1.1
	py 'discover("172.16.0.77", 135, "fd14::1", "fd14::254", 1)'
	py 'discover("172.16.0.77", 136, "fd14::9", "fd14::1", 2)'
	py 'discover("172.16.0.77", 135, "fd14::99", "fd14::254", 1)'
	sleep 0.2
	knows fd14::1 172.16.0.11
	fails grep -F 172.16.0.77 <<<"$(peers)"
	ping_ok C1 fd14::254
	knob POP tunnel0 learning_filter any
}

filter() {
	for bad in 172.16.0.0/33 172.16.0.1/24 x "172.16.0.0/24 x" ""; do
		fails knob POP tunnel0 learning_filter "$bad"
	done
	equal "filter" any "$(knob POP tunnel0 learning_filter)"
	knob POP tunnel0 learning_filter "172.16.0.0/27 10.0.0.1"
	equal "filter" "172.16.0.0/27 10.0.0.1/32" "$(knob POP tunnel0 learning_filter)"
	py 'spoof("172.16.0.77", "192.168.14.77")'
	knows_not 192.168.14.77
	py 'spoof("172.16.0.77", "fd14::77")'
	knows_not fd14::77
	equal "filtered" 2 "$(learned filtered)"
	py 'spoof("172.16.0.31", "192.168.14.77")'
	knows 192.168.14.77 172.16.0.31
	sleep 1.1
	py 'spoof("172.16.0.77", "192.168.14.77")'
	knows 192.168.14.77 172.16.0.31
	equal "filtered" 3 "$(learned filtered)"
	on POP ip neigh del 192.168.14.77 dev tunnel0
	knob POP tunnel0 learning_filter any
	py 'spoof("172.16.0.77", "192.168.14.77")'
	knows 192.168.14.77 172.16.0.77
	on POP ip neigh del 192.168.14.77 dev tunnel0
}

# 5000 made-up sources: the table does not grow and those there stay. For very
# many see learning_flood.sh.
is_bounded() {
	local refused
	for bad in 0 -1 1000001 x; do fails knob POP tunnel0 learning_limit $bad; done
	knob POP tunnel0 learning_limit 50
	py '
for n in range(5000):
    spoof("172.16.%d.%d" % (1 + n // 250, 1 + n % 250), "192.168.14.%d" % (20 + n % 200))'
	equal "peers" 50 "$(learned peers)"
	at_most "entries" 50 "$(peers | grep -c lladdr)"
	at_least "over_limit" 1000 "$(learned over_limit)"
	for n in 2 3; do ping_ok POP 192.168.14.$n; done
	knows 192.168.14.2 172.16.0.22
	refused=$(learned over_limit)
	py 'spoof("172.16.0.99", "192.168.14.240")'
	equal "over_limit" $((refused + 1)) "$(learned over_limit)"
	knob POP tunnel0 learning_limit 51
	py 'spoof("172.16.0.99", "192.168.14.240")'
	knows 192.168.14.240 172.16.0.99
}

# C1 sends on, the others do not.
forgets() {
	for bad in -1 604801 x; do fails knob POP tunnel0 learning_timeout $bad; done
	ip netns exec "$NS_PREFIX-C1" ping -n -q -i 0.2 192.168.14.254 >"$work/ping" &
	local ping=$!
	knob POP tunnel0 learning_timeout 6
	wait_until 60 knows_not 192.168.14.20
	wait_until 60 knows_not 192.168.14.2
	wait_until 60 eval '[ "$(learned peers)" = 1 ]'
	at_least "forgotten" 40 "$(learned forgotten)"
	knows 192.168.14.1 172.16.0.11
	kill $ping
	knob POP tunnel0 learning_timeout 600
	for ns in C2 C3; do ping_ok $ns 192.168.14.254; done
	knows 192.168.14.2 172.16.0.22
}

for_many() { py "for c in ('C1', 'C2', 'C3'): sniff(c, 'gre1', 'ip')"; }

# all_get LAYERS DESTINATION: each customer, once.
all_get() {
	for c in C1 C2 C3; do
		py "seen('$c', 'gre1', lambda p: names(p) == '$1' and p[0].dst == '$2') != None"
		py "unseen('$c', 'gre1', lambda p: names(p) == '$1' and p[0].dst == '$2', 0.2)"
	done
}

# C1 has two inner addresses, and gets one copy as the others do.
replicates() {
	local before
	for c in C1 C2 C3; do ping_ok $c 192.168.14.254; done
	ping_ok C1 fd14::254
	on POP ip link set tunnel0 multicast on
	on POP ip route add 224.0.0.0/4 dev tunnel0
	knob POP tunnel0 replicate 1
	for_many
	py 'sniff("C1", "eth0")'
	before=$(learned replicated)
	on POP ping -n -c 1 -W 1 -t 1 -I tunnel0 224.0.0.9 || true
	all_get "ip icmp" 224.0.0.9
	equal "replicated" $((before + 3)) "$(learned replicated)"
	# what may not leave the inner link may well travel between its ends
	py 'seen("C1", "eth0", lambda p: names(p) == "ip gre ip icmp" and p[2].ttl == 1
		and p[0].ttl == 64 and p[0].dst == "172.16.0.11")'
}

# Linux 5.10 makes no multicast route for a device of this kind.
replicates_ipv6() {
	on POP ip -6 route replace multicast ff00::/8 dev tunnel0 table local
	for_many
	on POP ping -n -c 1 -W 1 -I tunnel0 ff02::9 || true
	all_get "ip6 icmp" ff02::9
}

replicates_broadcasts() {
	for_many
	on POP ping -n -b -c 1 -W 1 192.168.14.255 || true
	all_get "ip icmp" 192.168.14.255
}

# A peer entered by hand gets a copy like any other.
replicates_to_configured() {
	knob POP tunnel0 learning 0
	equal "peers" 0 "$(learned peers)"
	on POP ip neigh replace 192.168.14.1 lladdr 172.16.0.11 nud permanent dev tunnel0
	for_many
	on POP ping -n -c 1 -W 1 -t 1 -I tunnel0 224.0.0.9 || true
	py "seen('C1', 'gre1', lambda p: p[0].dst == '224.0.0.9') != None"
	py "unseen('C2', 'gre1', lambda p: p[0].dst == '224.0.0.9', 0.2)"
	on POP ip neigh del 192.168.14.1 dev tunnel0
	knob POP tunnel0 learning 1
}

# Switched off, nothing is left of it: the core has a group for IPv4 multicast
# and nothing for the others.
replicates_no_more() {
	for c in C1 C2 C3; do ping_ok $c 192.168.14.254; done
	knob POP tunnel0 replicate 0
	for_many
	py 'sniff("POP", "eth0")'
	on POP ping -n -c 1 -W 1 -t 1 -I tunnel0 224.0.0.9 || true
	on POP ping -n -c 1 -W 1 -I tunnel0 ff02::9 || true
	on POP ping -n -b -c 1 -W 1 192.168.14.255 || true
	py "unseen('C1', 'gre1', lambda p: p[0].dst in ('224.0.0.9', 'ff02::9', '192.168.14.255'), 0.2)"
	py "unseen('POP', 'eth0', lambda p: p[0].proto == 47 and p[0].dst != '224.0.0.9', 0.2)"
}

# A customer's keepalive is answered by a hub that learns.
answers_keepalives() {
	knob C1 gre1 keepalive_interval 1
	wait_until 20 keepalive_is up C1
}

switched_off() {
	knob POP tunnel0 learning 0
	equal "peers" 0 "$(learned peers)"
	knows_not 192.168.14.2
}

check "nothing is learned by default" off_by_default
check "customers are learned from what they send" learns
check "one behind NAT by its translated address" learns_behind_nat
check "IPv6 addresses, too" learns_ipv6
check "customers reach each other through the hub" customers_reach_each_other
check "a customer that moves is followed" follows_a_move
check "one behind NAT is followed to a new mapping" follows_nat
check "and by IPv6" ipv6_moves_too
check "nobody moves more often than once a second" moves_are_limited
check "a permanent neighbour wins" permanent_wins
check "and for IPv6" permanent_wins_for_ipv6
check "an unknown customer is unreachable" unknown_is_unreachable
check "only addresses on the link are learned" only_on_link
check "outer sources can be restricted" filter
check "neighbour discovery inside the tunnel is not believed" ignores_discovery
check "the number of learned peers is bounded" is_bounded
check "traffic keeps a customer known, a silent one is forgotten" forgets
check "multicast goes to every customer once" replicates
check "multicast of IPv6, too" replicates_ipv6
check "and broadcasts" replicates_broadcasts
check "and to customers that were entered by hand" replicates_to_configured
check "not when it is switched off" replicates_no_more
check "a customer's keepalive is answered" answers_keepalives
check "switched off, everything is forgotten" switched_off

finish
