#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Device counters: packets and bytes on both sides, to the byte, and the
# standard error counters.
#
#         a                               b
#   +-----------+                   +-----------+
#   |    tun    | = = = tunnel = = =|    tun    |  10.1.1.1 -> 10.1.1.2
#   |    va ----+-------------------+---- vb    |
#   +-----------+                   +-----------+
#    10.0.0.1/24                     10.0.0.2/24

. "$(dirname "$0")/lib.sh"
need jq
load_tunnels ipip gre

namespaces a b
wire a va 10.0.0.1/24 b vb 10.0.0.2/24
start_wire

# stats NS [DEV]: `rx packets bytes errors dropped, tx packets bytes errors dropped`
# as 64-bit netlink statistics give them.
stats() {
	ip -n "$NS_PREFIX-$1" -s -j link show dev "${2:-tun}" | jq -r '.[0].stats64 |
		"rx \(.rx.packets) \(.rx.bytes) \(.rx.errors) \(.rx.dropped), " +
		"tx \(.tx.packets) \(.tx.bytes) \(.tx.errors) \(.tx.dropped)"'
}

# Three pings of 100 bytes and two of 1000: inner packets of 128 and 1028.
packets_and_bytes() {
	tunnel_pair "$@"
	on a ping -n -q -c 3 -i 0.1 -s 100 10.1.1.2
	on a ping -n -q -c 2 -i 0.1 -s 1000 10.1.1.2
	local bytes=$((3 * 128 + 2 * 1028))
	equal "a" "rx 5 $bytes 0 0, tx 5 $bytes 0 0" "$(stats a)"
	equal "b" "rx 5 $bytes 0 0, tx 5 $bytes 0 0" "$(stats b)"
}

# Every counter that ethtool -S shows is explained in the manual, which is not
# there when the tests are installed alone.
names_are_explained() {
	local doc=$lib_dir/../doc name names missing=""
	culvert || skip "the in-tree modules have no such counters"
	[ -e "$doc/manual.md" ] || skip "the manual is not here"
	names=$(on a ethtool -S gre0 | sed -n 's/^ *\([a-z0-9_]*\):.*/\1/p' | grep .)
	for name in $names; do
		grep -q "\`$name\`" "$doc/manual.md" || missing+=" $name"
	done
	equal "not in the manual" "" "$missing"
	equal "those of ipip" "$names" "$(on a ethtool -S tunl0 |
		sed -n 's/^ *\([a-z0-9_]*\):.*/\1/p' | grep .)"
}

# A 64-bit count is the same wherever it is read.
same_everywhere() {
	tunnel_pair gre
	on a ping -n -q -c 2 -i 0.1 -s 100 10.1.1.2
	equal "sysfs rx_bytes" 256 "$(counter b tun rx_bytes)"
	equal "/proc/net/dev" "256 2 256 2" "$(ip netns exec "$NS_PREFIX-b" \
		awk '$1 == "tun:" { print $2, $3, $10, $11 }' /proc/net/dev)"
}

inner='ip("10.1.1.1", "10.1.1.2", udp(1, 2, b"x" * 72))'

arrives() { py "deliver('a', 'va', 'b', 'vb', ip('10.0.0.1', '10.0.0.2', $1))"; }

bad_checksum() {
	tunnel_pair gre csum
	arrives "gre($inner, csum=True)"
	arrives "gre($inner, bad_csum=True)"
	equal "rx_packets: only the right one" 1 "$(counter b tun rx_packets)"
	# The in-tree module drops a wrong checksum before it knows the tunnel.
	local errors=0
	! culvert || errors=1
	equal "rx_crc_errors" $errors "$(counter b tun rx_crc_errors)"
	equal "rx_errors" $errors "$(counter b tun rx_errors)"
}

missing_checksum() {
	tunnel_pair gre csum
	arrives "gre($inner)"
	equal "rx_packets" 0 "$(counter b tun rx_packets)"
	equal "rx_crc_errors" 1 "$(counter b tun rx_crc_errors)"
	equal "rx_errors" 1 "$(counter b tun rx_errors)"
}

checksum_not_asked_for() {
	tunnel_pair gre
	arrives "gre($inner, csum=True)"
	arrives "gre($inner)"
	equal "rx_packets" 1 "$(counter b tun rx_packets)"
	equal "rx_crc_errors" 1 "$(counter b tun rx_crc_errors)"
}

sequence() {
	tunnel_pair gre seq
	arrives "gre($inner, seq=10)"
	arrives "gre($inner, seq=11)"
	arrives "gre($inner, seq=11)"
	arrives "gre($inner, seq=5)"
	arrives "gre($inner)"
	arrives "gre($inner, seq=13)"
	equal "rx_packets: 10, 11 and 13" 3 "$(counter b tun rx_packets)"
	equal "rx_fifo_errors: 11 again, 5 and none" 3 "$(counter b tun rx_fifo_errors)"
	equal "rx_errors" 3 "$(counter b tun rx_errors)"
}

no_route() {
	tunnel_pair ipip
	on a ip route add unreachable 10.9.9.9
	on a ip link add lost type ipip local 10.0.0.1 remote 10.9.9.9
	on a ip link set lost up
	py "send('a', 'lost', $inner)"
	equal "tx_carrier_errors" 1 "$(counter a lost tx_carrier_errors)"
	equal "tx_errors" 1 "$(counter a lost tx_errors)"
	equal "tx_packets" 0 "$(counter a lost tx_packets)"
	on a ip link del lost
}

no_next_hop() {
	on a ip link set tunl0 up
	py "send('a', 'tunl0', $inner)"
	equal "tx_errors" 1 "$(counter a tunl0 tx_errors)"
	equal "tx_packets" 0 "$(counter a tunl0 tx_packets)"
	on a ip link set tunl0 down
}

own_loop() {
	tunnel_pair gre
	on a ip link add loop type gre local 10.0.0.1 remote 10.9.9.8
	on a ip link set loop up
	on a ip route add 10.9.9.8/32 dev loop
	py "send('a', 'loop', $inner)"
	equal "collisions" 1 "$(counter a loop collisions)"
	equal "tx_errors" 1 "$(counter a loop tx_errors)"
	on a ip link del loop
}

device_down() {
	tunnel_pair gre
	on b ip link set tun down
	arrives "gre($inner)"
	equal "rx_packets" 0 "$(counter b tun rx_packets)"
}

check "ipip: packets and bytes on both sides" packets_and_bytes ipip
check "gre: packets and bytes on both sides" packets_and_bytes gre
check "gre key csum seq: packets and bytes on both sides" packets_and_bytes gre key 9 csum seq
check "the counters of ethtool -S are in the manual" names_are_explained
check "netlink, sysfs and /proc agree" same_everywhere
check "gre csum: a wrong checksum is dropped" bad_checksum
check "gre csum: a missing checksum counts in rx_crc_errors and rx_errors" missing_checksum
check "gre: a checksum that was not asked for counts in rx_crc_errors" checksum_not_asked_for
check "gre seq: packets out of order count in rx_fifo_errors" sequence
check "ipip: no route counts in tx_carrier_errors" no_route
check "tunl0: a packet without a next hop counts in tx_errors" no_next_hop
check "gre: a route through itself counts in collisions" own_loop
check "gre: a device that is down receives nothing" device_down

finish
