#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# A hub that learns its customers: multipoint gre, no neighbour is configured.
#
#        C1                C2                    C3
#   192.168.14.1      192.168.14.2          192.168.14.3     gre to the hub, key
#   +----------+      +----------+          +----------+
#   |   eth0   |      |   eth0   |          |   eth0   |
#   +----+-----+      +----+-----+          +----+-----+
#        | 172.16.0.11     | 172.16.0.12         | 10.0.0.3
#        |                 | (moves to .22)   +--+---+
#        |                 |                  | NAT  |
#        |                 |                  +--+---+
#        |                 |                     | 172.16.0.13
#   =====+=================+=====================+=====+====== 172.16.0.0/24
#                                                      | 172.16.0.2
#                                               +------+-----+
#                                          POP  |  tunnel0   |
#                                               | 192.168.14.254/24
#                                               +------------+

. "$(dirname "$0")/lib.sh"
culvert || skip "only culvert learns"
load_tunnels gre

namespaces lan POP C1 C2 C3 NAT
segment lan sw0
for ns in POP C1 C2 C3; do ipv6_on $ns; done
plug POP eth0 172.16.0.2/24 lan sw0
plug C1 eth0 172.16.0.11/24 lan sw0
plug C2 eth0 172.16.0.12/24 lan sw0
plug NAT eth1 172.16.0.13/24 lan sw0
wire C3 eth0 10.0.0.3/24 NAT eth0 10.0.0.254/24
on NAT sysctl -qw net.ipv4.ip_forward=1
on NAT iptables -t nat -A POSTROUTING -o eth1 -j MASQUERADE
on C3 ip route add default via 10.0.0.254
start_wire

on POP ip tunnel add tunnel0 mode gre local 172.16.0.2 key 1234
on POP ip addr add 192.168.14.254/24 dev tunnel0
on POP ip addr add fd14::254/64 dev tunnel0
on POP ip link set tunnel0 up

# customer NS N OUTER
customer() {
	on "$1" ip tunnel add gre1 mode gre remote 172.16.0.2 local "$3" key 1234
	on "$1" ip link set gre1 up
	on "$1" ip addr add "192.168.14.$2/24" dev gre1
	on "$1" ip addr add "fd14::$2/64" dev gre1
}
customer C1 1 172.16.0.11
customer C2 2 172.16.0.12
customer C3 3 10.0.0.3

knob() {
	local file=/sys/class/net/tunnel0/tunnel/$1
	if [ $# = 1 ]; then
		ip netns exec "$NS_PREFIX-POP" cat "$file"
	else
		show POP "echo $2 > $file"
		ip netns exec "$NS_PREFIX-POP" sh -c "echo '$2' > $file" 2>/dev/null
	fi
}

status() { knob learning_status | awk -v name="$1" '$1 == name { print $2 }'; }
peers() { on POP ip neigh show dev tunnel0; }
knows() { contains "$1 lladdr $2 " "$(peers)"; }
knows_not() { [[ $(peers) != *"$1 lladdr"* ]]; }

# from OUTER INNER: an inner packet arrives at the POP.  The POP has nobody to
# answer it to: it is a UDP packet to a port that drops.
py '
pop, c1 = mac_of("POP", "eth0"), mac_of("C1", "eth0")

def spoof(outer, inner):
    data = ip(outer, "172.16.0.2", gre(ip(inner, "192.168.14.254", udp(9, 9)), key=1234))
    return send_frame("C1", "eth0", eth(pop, c1, data))
'
on POP iptables -A INPUT -i tunnel0 -p udp --dport 9 -j DROP

off_by_default() {
	equal "learning" 0 "$(knob learning)"
	ping_lost C1 192.168.14.254
	knows_not 192.168.14.1
}

learns() {
	knob learning 1
	for ns in C1 C2 C3; do ping_ok $ns 192.168.14.254; done
	knows 192.168.14.1 172.16.0.11
	knows 192.168.14.2 172.16.0.12
	equal "peers" 3 "$(status peers)"
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
	[ "$(status moved)" -ge 1 ]
}

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

unknown_is_unreachable() {
	says "Host Unreachable" on POP ping -n -c 1 -w 8 192.168.14.99
}

only_on_link() {
	py 'spoof("172.16.0.66", "192.168.99.1")'
	py 'spoof("172.16.0.66", "192.168.14.254")'
	py 'spoof("172.16.0.66", "192.168.14.255")'
	py 'spoof("172.16.0.66", "192.168.14.0")'
	fails grep -F 172.16.0.66 <<<"$(peers)"
}

filter() {
	for bad in 172.16.0.0/33 172.16.0.1/24 x "172.16.0.0/24 x" ""; do
		fails knob learning_filter "$bad"
	done
	equal "filter" any "$(knob learning_filter)"
	knob learning_filter "172.16.0.0/27 10.0.0.1"
	equal "filter" "172.16.0.0/27 10.0.0.1/32" "$(knob learning_filter)"
	py 'spoof("172.16.0.77", "192.168.14.77")'
	knows_not 192.168.14.77
	equal "filtered" 1 "$(status filtered)"
	knob learning_filter any
	py 'spoof("172.16.0.77", "192.168.14.77")'
	knows 192.168.14.77 172.16.0.77
	on POP ip neigh del 192.168.14.77 dev tunnel0
}

slab() { awk '/^SUnreclaim/ { print $2 }' /proc/meminfo; }

# 20000 made-up sources: the table does not grow and those there stay.
flood() {
	local before after
	for bad in 0 -1 1000001 x; do fails knob learning_limit $bad; done
	knob learning_limit 50
	before=$(slab)
	py '
for n in range(20000):
    spoof("172.16.%d.%d" % (1 + n // 250, 1 + n % 250), "192.168.14.%d" % (20 + n % 200))'
	after=$(slab)
	say "kernel memory: $before kB before, $after kB after"
	equal "peers" 50 "$(status peers)"
	[ "$(peers | grep -c lladdr)" -le 50 ]
	[ $((after - before)) -lt 8000 ]
	[ "$(status over_limit)" -gt 1000 ]
	for n in 2 3; do ping_ok POP 192.168.14.$n; done
	knows 192.168.14.2 172.16.0.22
}

forgets() {
	knob learning_timeout 1
	wait_until 30 knows_not 192.168.14.20
	[ "$(status forgotten)" -ge 40 ]
	knob learning_timeout 600
}

replicates() {
	ping_ok C1 192.168.14.254
	ping_ok C2 192.168.14.254
	ping_ok C3 192.168.14.254
	ping_ok C1 fd14::254
	on POP ip link set tunnel0 multicast on
	on POP ip route add 224.0.0.0/4 dev tunnel0
	knob replicate 1
	py 'for c in ("C1", "C2", "C3"): sniff(c, "gre1", "ip")'
	on POP ping -n -c 1 -W 1 -t 1 -I tunnel0 224.0.0.9 || true
	for c in C1 C2 C3; do
		py "seen('$c', 'gre1', lambda p: names(p) == 'ip icmp' and p[0].dst == '224.0.0.9')"
	done
	# One copy for each outer address, though C1 has two inner ones.
	py 'unseen("C1", "gre1", lambda p: names(p) == "ip icmp" and p[0].dst == "224.0.0.9")'
	[ "$(status replicated)" -ge 3 ]
	py 'for c in ("C1", "C2", "C3"): sniff(c, "gre1", "ip6")'
	on POP ping -n -c 1 -W 1 -I tunnel0 ff02::9 || true
	for c in C1 C2 C3; do
		py "seen('$c', 'gre1', lambda p: names(p) == 'ip6 icmp6' and p[0].dst == 'ff02::9')"
	done
	knob replicate 0
}

# A customer's keepalive is answered by a hub that learns.
answers_keepalives() {
	ip netns exec "$NS_PREFIX-C1" sh -c \
		'echo 1 >/sys/class/net/gre1/tunnel/keepalive_interval'
	wait_until 10 eval "ip netns exec $NS_PREFIX-C1 \
		grep -q 'state up' /sys/class/net/gre1/tunnel/keepalive_status"
}

switched_off() {
	knob learning 0
	equal "peers" 0 "$(status peers)"
	knows_not 192.168.14.2
}

check "nothing is learned by default" off_by_default
check "customers are learned from what they send" learns
check "one behind NAT by its translated address" learns_behind_nat
check "IPv6 addresses, too" learns_ipv6
check "customers reach each other through the hub" customers_reach_each_other
check "a customer that moves is followed" follows_a_move
check "a permanent neighbour wins" permanent_wins
check "an unknown customer is unreachable" unknown_is_unreachable
check "only addresses on the link are learned" only_on_link
check "outer sources can be restricted" filter
check "a flood of made-up sources is bounded" flood
check "a customer that is silent for long is forgotten" forgets
check "multicast goes to every customer once" replicates
check "a customer's keepalive is answered" answers_keepalives
check "switched off, everything is forgotten" switched_off

finish
