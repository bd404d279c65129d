#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# 10,000 learned peers on one device.
#
#      X  plays the peers            POP
#   +------+-------+          +------+-------+
#   |  172.20.0.N  |==========|   tunnel0    |
#   |    8.N.0.1.. |          |  8.0.0.1/5   |
#   +--------------+          +--------------+
#      172.16.3.1               172.16.3.2, key 1234

. "$(dirname "$0")/lib.sh"
culvert || skip "only culvert learns"
load_tunnels gre
need iptables

BATCHES=${BATCHES:-10}	# of 1000, see flood.py; a slow kernel is given fewer

namespaces POP X
wire X eth0 172.16.3.1/24 POP eth0 172.16.3.2/24
on POP ip route add 172.16.0.0/12 via 172.16.3.1
start_wire
py "text = open('$lib_dir/flood.py').read(); exec(text)"
on POP iptables -t raw -A PREROUTING -i tunnel0 -p udp --dport 9 -j DROP
on X iptables -A INPUT -p gre -j DROP
on POP ip tunnel add tunnel0 mode gre local 172.16.3.2 key 1234
on POP ip addr add 8.0.0.1/5 dev tunnel0
on POP ip link set tunnel0 up multicast on
knob POP tunnel0 learning_limit $((BATCHES * 1000))
knob POP tunnel0 learning 1

learned() { status POP tunnel0 learning "$1"; }

# all_send: each peer sends one packet.
all_send() {
	py "flood('X', 'eth0', mac_of('POP', 'eth0'), '172.16.3.2', '8.0.0.1', 1234, range($BATCHES))"
}

all_are_known() {
	equal "packets" $((BATCHES * 1000)) "$(all_send)"
	[ "$(learned peers)" = $((BATCHES * 1000)) ]
}

# At most 1000 a second.
are_learned() {
	wait_until 120 all_are_known
	equal "learned" $((BATCHES * 1000)) "$(learned learned)"
	equal "over_limit" 0 "$(learned over_limit)"
	equal "neighbours" $((BATCHES * 1000)) \
		"$(on POP ip neigh show dev tunnel0 | grep -c 'lladdr.*extern_learn')"
}

one_more_is_refused() {
	py "flood('X', 'eth0', mac_of('POP', 'eth0'), '172.16.3.2', '8.0.0.1', 1234, [$BATCHES])"
	at_least "over_limit" 1 "$(learned over_limit)"
	equal "peers" $((BATCHES * 1000)) "$(learned peers)"
}

# Each knows its own: the first, the last and some between.
each_is_reached() {
	py 'sniff("X", "eth0")'
	py '
def reached(batch, n):
    inner, outer = halves(INNER + batch, n), halves(OUTER + batch, n)
    route("POP", ip("8.0.0.1", inner, udp(1, 2)), inner)
    return seen("X", "eth0", lambda p: names(p) == "ip gre ip udp" and p[2].dst == inner
                and p[0].dst == outer) is not None
'
	for ((n = 0; n < 100; n++)); do
		trace=no py "reached($((n % BATCHES)), $((n * 997 % 1000 + 1)))"
	done
}

# What they send now changes nothing, and is not learning.
traffic_is_no_learning() {
	local before
	before=$(knob POP tunnel0 learning_status)
	equal "packets" $((BATCHES * 1000)) "$(all_send)"
	equal "learning_status" "$before" "$(knob POP tunnel0 learning_status)"
}

replication_is_bounded() {
	knob POP tunnel0 replicate 1
	on POP ip route add 224.0.0.0/4 dev tunnel0
	on POP ping -n -c 1 -W 1 -t 1 -I tunnel0 224.0.0.9 || true
	equal "replicated" 1024 "$(learned replicated)"
	equal "tx_replicas" 1 "$(drops POP tunnel0 tx_replicas)"
	knob POP tunnel0 replicate 0
}

switched_off() {
	knob POP tunnel0 learning 0
	equal "peers" 0 "$(learned peers)"
	equal "neighbours" 0 "$(on POP ip neigh show dev tunnel0 | grep -c lladdr)"
}

again_and_deleted() {
	knob POP tunnel0 learning 1
	wait_until 120 all_are_known
	on POP ip link del tunnel0
	equal "neighbours" 0 "$(on POP ip neigh show | grep -c extern_learn)"
}

check "$((BATCHES * 1000)) peers are learned" are_learned
check "one more is not" one_more_is_refused
check "each is reached at its own address" each_is_reached
check "what they send from then on is not learned again" traffic_is_no_learning
check "multicast to them is bounded, and counted" replication_is_bounded
check "all are forgotten when learning is switched off" switched_off
check "the device can be deleted with all of them" again_and_deleted

finish
