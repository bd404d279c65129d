#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Ethernet over GRE: two sites' bridges joined, with vlans.
#
#        h1               s1                      s2               h2
#   +---------+      +---------+             +---------+      +---------+
#   | 10.1.   |      | br0     |             |     br0 |      | 10.1.   |
#   |  0.1/24 |      |  |- tap | = =gretap= =| tap -|  |      |  0.2/24 |
#   |    e ---+------+- p      |             |      p -+------+--- e    |
#   +---------+      |     v --+-------------+-- v     |      +---------+
#                    +---------+             +---------+
#                    10.0.0.1/24             10.0.0.2/24

. "$(dirname "$0")/lib.sh"
need bridge jq
load_tunnels gretap

namespaces h1 s1 s2 h2
wire s1 v 10.0.0.1/24 s2 v 10.0.0.2/24
wire h1 e 10.1.0.1/24 s1 p -
wire h2 e 10.1.0.2/24 s2 p -
start_wire
# Behind a tunnel there is less room: the hosts know.
on h1 ip link set e mtu 1400
on h2 ip link set e mtu 1400

# site NS LOCAL REMOTE [OPTION...]
site() {
	local ns=$1 local=$2 remote=$3
	shift 3
	quietly on $ns ip link del tap || true
	quietly on $ns ip link del br0 || true
	on $ns ip link add tap type gretap local $local remote $remote "$@"
	on $ns ip link add br0 type bridge
	on $ns ip link set tap master br0
	on $ns ip link set p master br0
	on $ns ip link set tap up
	on $ns ip link set br0 up
}

sites() {
	site s1 10.0.0.1 10.0.0.2 "$@"
	site s2 10.0.0.2 10.0.0.1 "$@"
}

bridged() {
	sites "$@"
	ping_ok h1 10.1.0.2
	ping_ok h2 10.1.0.1
}

# Ethernet after a GRE header of protocol 0x6558.
on_the_wire() {
	bridged "$@"
	py 'sniff("s1", "v")'
	ping_ok h1 10.1.0.2
	py "seen('s1', 'v', lambda p: names(p) == 'ip gre eth ip icmp' and p[1].proto == 0x6558
		and p[1].key == 5 and p[2].src == mac_of('h1', 'e') and p[2].dst == mac_of('h2', 'e')
		and p[3].src == '10.1.0.1' and p[0].df and p[0].ttl == 64)"
}

learned_by_the_bridge() {
	local mac
	mac=$(on h2 ip -j link show e | jq -r '.[0].address')
	contains "$mac dev tap" "$(on s1 bridge fdb show br br0)"
}

broadcast() {
	py 'sniff("h2", "e")'
	py 'send_frame("h1", "e", eth("ff:ff:ff:ff:ff:ff", mac_of("h1", "e"), b"to all" * 10, 0x88b5))'
	py 'seen("h2", "e", lambda p: p[-1].raw.startswith(b"to all"))'
}

large_frames() {
	on h1 ping -n -q -c 2 -i 0.1 -s 3000 10.1.0.2
	py 'tcp_copy("h1", "h2", "10.1.0.2", 1 << 18)'
}

# The hosts' frames are larger than the tunnel: their packets are cut outside.
fragments_outside() {
	sites nopmtudisc ignore-df
	on h1 ip link set e mtu 1500
	on h2 ip link set e mtu 1500
	for ns in s1 s2; do
		on $ns ip link set tap mtu 1500
	done
	py 'sniff("s1", "v")'
	on h1 ping -n -q -c 2 -i 0.1 -M "do" -s 1472 10.1.0.2
	py 'seen("s1", "v", lambda p: p[0].more and p[0].proto == 47)'
	on h1 ip link set e mtu 1400
	on h2 ip link set e mtu 1400
}

vlans() {
	sites
	for n in 1 2; do
		on h$n ip link add link e name e.7 type vlan id 7
		on h$n ip addr add 10.7.0.$n/24 dev e.7
		on h$n ip link set e.7 up
	done
	py 'sniff("s1", "v")'
	ping_ok h1 10.7.0.2
	on h1 ping -n -q -c 2 -i 0.1 -s 1300 10.7.0.2
	py 'seen("s1", "v", lambda p: names(p) == "ip gre eth vlan ip icmp" and p[3].vid == 7)'
	on h1 ip link del e.7
	on h2 ip link del e.7
}

vlan_on_the_tunnel() {
	for ns in s1 s2; do
		quietly on $ns ip link del br0 || true
		on $ns ip link add link tap name tap.9 type vlan id 9
		on $ns ip addr add 10.9.0.${ns#s}/24 dev tap.9
		on $ns ip link set tap.9 mtu 1458 up
	done
	ping_ok s1 10.9.0.2
	py 'tcp_copy("s1", "s2", "10.9.0.2", 1 << 16)'
	for ns in s1 s2; do
		on $ns ip link del tap.9
	done
}

# tos and ttl come from the packet inside the frame.
inherits_from_the_frame() {
	sites tos inherit
	py 'sniff("s1", "v")'
	on h1 ping -n -q -c 1 -Q 0x28 -t 77 10.1.0.2
	py 'seen("s1", "v", lambda p: names(p) == "ip gre eth ip icmp" and p[-2].kind == 8
		and p[0].tos == 0x28)'
}

# gre and gretap are two worlds: the same endpoints in both.
beside_gre() {
	sites
	on s1 ip link add g type gre local 10.0.0.1 remote 10.0.0.2
	on s2 ip link add g type gre local 10.0.0.2 remote 10.0.0.1
	on s1 ip addr add 10.4.0.1/30 dev g
	on s2 ip addr add 10.4.0.2/30 dev g
	on s1 ip link set g up
	on s2 ip link set g up
	ping_ok s1 10.4.0.2
	ping_ok h1 10.1.0.2
	on s1 ip link del g
	on s2 ip link del g
}

shown() { on s1 ip -d link show tap | sed -n 's/^    \(gretap .*\)/\1/p' | sed 's/ bridge_slave.*//; s/ \(addrgenmode\|numtxqueues\) .*//; s/ *$//'; }

is_shown() {
	local expected=$1
	shift
	sites "$@"
	equal "ip -d link show" "gretap remote 10.0.0.2 local 10.0.0.1 $expected" "$(shown)"
}

mtu_is() {
	local expected=$1
	shift
	sites "$@"
	equal mtu $expected "$(on s1 cat /sys/class/net/tap/mtu)"
}

# Frames of 142 bytes; sent ones are counted without their Ethernet header. The
# bridges have frames of their own to send now and then: try again if one came in
# between.
bytes_counted() {
	local try
	sites
	for try in 1 2 3 4 5; do
		echo "try $try"
		! count_bytes || return 0
	done
	return 1
}

count_bytes() {
	on h1 ip neigh flush dev e		# no probes in between
	on h2 ip neigh flush dev e
	py 'frame = eth(mac_of("h2", "e"), mac_of("h1", "e"), b"counted " * 16, 0x88b5)'
	local tx_packets tx_bytes
	tx_packets=$(counter s1 tap tx_packets) tx_bytes=$(counter s1 tap tx_bytes)
	local rx_packets rx_bytes
	rx_packets=$(counter s2 tap rx_packets) rx_bytes=$(counter s2 tap rx_bytes)
	py 'all([send_frame("h1", "e", frame) for n in range(3)])'
	equal "sent packets" $((tx_packets + 3)) "$(counter s1 tap tx_packets)" &&
	equal "sent bytes" $((tx_bytes + 3 * 128)) "$(counter s1 tap tx_bytes)" &&
	equal "received packets" $((rx_packets + 3)) "$(counter s2 tap rx_packets)" &&
	equal "received bytes" $((rx_bytes + 3 * 142)) "$(counter s2 tap rx_bytes)"
}

too_short() {
	sites
	py 'deliver("s1", "v", "s2", "v", ip("10.0.0.1", "10.0.0.2", gre(b"short", ETH_TEB)))'
	ping_ok h1 10.1.0.2
	local errors=0		# in-tree nobody counts it
	! culvert || errors=1
	equal "rx_length_errors" $errors "$(counter s2 tap rx_length_errors)"
}

base_device() {
	contains "link/ether 00:00:00:00:00:00" "$(on s1 ip link show gretap0)"
	fails on s1 ip link set gretap0 up
	on s1 ip link del gretap0
	on s1 ip link show gretap0
}

check "gretap: two bridges, one segment" bridged
check "the bridge learns across the tunnel" learned_by_the_bridge
check "broadcast frames" broadcast
check "large packets and TCP, compared" large_frames
check "gretap key: two bridges, one segment" bridged key 5
check "gretap key csum seq: two bridges, one segment" bridged key 5 csum seq
check "gretap ttl 64 key 5: the headers on the wire" on_the_wire ttl 64 key 5
check "full-size frames with DF, in outer fragments" fragments_outside
check "vlans of the hosts" vlans
check "a vlan device on the tunnel" vlan_on_the_tunnel
check "tos inherit: from the packet in the frame" inherits_from_the_frame
check "gre with the same endpoints beside it" beside_gre
check "shown: ttl inherit" is_shown "ttl inherit"
check "shown: with key" is_shown "ttl inherit ikey 0.0.0.5 okey 0.0.0.5" key 5
check "mtu" mtu_is 1462
check "mtu with key csum seq" mtu_is 1450 key 1 csum seq
check "packets and bytes" bytes_counted
check "a frame that is too short is dropped" too_short
check "gretap0: no address, not up, not deleted" base_device

finish
