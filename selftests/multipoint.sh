#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# A multipoint hub: gre without remote, its peers in the neighbour table.
#
#          A                      B                      C
#   +--------------+       +--------------+       +--------------+
#   |  gre1        |       |  gre1        |       |  gre1        |
#   |  10.1.1.1/24 |       |  10.1.1.2/24 |       |  10.1.1.3/24 |
#   |  fd01::1/64  |       |  fd01::2/64  |       |  fd01::3/64  |
#   |  eth0        |       |  eth0        |       |  eth0        |
#   +------+-------+       +------+-------+       +------+-------+
#          | 10.0.0.1             | 10.0.0.2             | 10.0.0.3
#   =======+======================+======================+====== 10.0.0.0/24
#
# On each: ip neigh replace 10.1.1.N lladdr 10.0.0.N dev gre1

. "$(dirname "$0")/lib.sh"
need python3 setpriv
load_tunnels gre

namespaces lan A B C
segment lan sw0
n=0
for ns in A B C; do
	n=$((n + 1))
	ipv6_on $ns
	plug $ns eth0 10.0.0.$n/24 lan sw0
	on $ns ip link add gre1 type gre local 10.0.0.$n key 42
	on $ns ip addr add 10.1.1.$n/24 dev gre1
	on $ns ip addr add fd01::$n/64 dev gre1
	on $ns ip link set gre1 up
done
start_wire

# NOARP: the kernel makes an entry with the device's own address of its own.
without_a_neighbour() {
	py 'sniff("A", "eth0")'
	ping_lost A 10.1.1.2
	py 'unseen("A", "eth0", lambda p: p[0].proto == 47)'
}

add_neighbours() {
	for ns in A B C; do
		for n in 1 2 3; do
			on $ns ip neigh replace 10.1.1.$n lladdr 10.0.0.$n dev gre1
			on $ns ip neigh replace fd01::$n lladdr 10.0.0.$n dev gre1
		done
	done
}

neighbours_are_shown() {
	contains "10.1.1.2 lladdr 10.0.0.2 PERMANENT" "$(on A ip neigh show dev gre1)"
	contains "fd01::3 lladdr 10.0.0.3 PERMANENT" "$(on A ip neigh show dev gre1)"
}

everybody_everybody() {
	local prefix=$1
	ping_ok A "${prefix}2"
	ping_ok A "${prefix}3"
	ping_ok B "${prefix}1"
	ping_ok B "${prefix}3"
	ping_ok C "${prefix}1"
	ping_ok C "${prefix}2"
}

# The outer destination is the neighbour's, packet by packet.
goes_to() {
	py 'sniff("A", "eth0")'
	ping_ok A "$1"
	py "seen('A', 'eth0', lambda p: names(p) == 'ip gre ip icmp' and p[1].key == 42
		and p[0].dst == '$2' and p[2].dst == '$1')"
}

neighbour_changes() {
	on A ip neigh replace 10.1.1.2 lladdr 10.0.0.3 dev gre1
	py 'sniff("A", "eth0")'
	fails on A ping -n -q -c 1 -W 1 10.1.1.2
	py 'seen("A", "eth0", lambda p: names(p) == "ip gre ip icmp"
		and p[0].dst == "10.0.0.3" and p[2].dst == "10.1.1.2")'
	on A ip neigh replace 10.1.1.2 lladdr 10.0.0.2 dev gre1
	ping_ok A 10.1.1.2
}

# --- PF_PACKET, as NHRP daemons use it ---------------------------------------

py '
def packet_socket(ns, kind, proto):
    """A PF_PACKET socket on gre1 for one EtherType"""
    sock = socket_in(ns, socket.AF_PACKET, kind, 0)
    sock.bind(("gre1", proto))
    sock.settimeout(20)
    return sock

NHRP = 0x2001
'

# sendto with a link-layer address: the packet goes to that outer address.
sendto_nbma() {
	py 'sniff("A", "eth0")'
	py 'there = packet_socket("C", socket.SOCK_DGRAM, NHRP)'
	py 'packet_socket("A", socket.SOCK_DGRAM, NHRP).sendto(b"hello by nbma",
		("gre1", NHRP, 0, 778, v4("10.0.0.3"))) > 0'
	py 'seen("A", "eth0", lambda p: names(p) == "ip gre" and p[0].dst == "10.0.0.3"
		and p[0].src == "10.0.0.1" and p[1].proto == NHRP and p[1].key == 42
		and p[2].raw == b"hello by nbma")'
}

# recvfrom: the payload alone, and the outer source as link-layer address.
recvfrom_nbma() {
	py 'got, where = there.recvfrom(2000)'
	equal "payload" "b'hello by nbma'" "$(py 'str(got)')"
	equal "sender" "10.0.0.1" "$(py 'socket.inet_ntoa(where[4][:4])')"
	equal "protocol and type" "8193 778" "$(py '"%d %d" % (where[1], where[3])')"
}

# SOCK_RAW sees the outer header in front, and writes one, too.
raw_sees_the_outer_header() {
	py 'raw = packet_socket("C", socket.SOCK_RAW, ETH_IP)'
	ping_ok A 10.1.1.3
	py 'layers = parse(raw.recvfrom(2000)[0])'
	equal "layers" "ip gre ip icmp" "$(py 'names(layers)')"
	equal "outer" "10.0.0.1 10.0.0.3" "$(py '" ".join((layers[0].src, layers[0].dst))')"
}

# NHRP daemons resolve what the kernel asks for: a neighbour that is not there
# is announced on netlink when ARP is on.
asks_user_space() {
	on A ip neigh del 10.1.1.2 dev gre1
	on A ip link set gre1 arp on
	on A sysctl -qw net.ipv4.neigh.gre1.app_solicit=1 net.ipv4.neigh.gre1.mcast_solicit=0
	ip netns exec "$NS_PREFIX-A" ip monitor neigh >"$work/monitor" 2>&1 &
	local monitor=$!
	sleep 0.5
	quietly on A ping -n -q -c 1 -W 1 10.1.1.2 || true
	wait_until 20 grep -q "miss 10.1.1.2 dev gre1" "$work/monitor" || true
	kill $monitor
	contains "10.1.1.2 dev gre1" "$(cat "$work/monitor")"
	on A ip neigh replace 10.1.1.2 lladdr 10.0.0.2 nud reachable dev gre1
	ping_ok A 10.1.1.2
	on A ip link set gre1 arp off
}

# header_len NAMESPACE DEVICE: hard_header_len, the least that a socket without
# CAP_SYS_RAWIO may write.
header_len() {
	ip netns exec "$NS_PREFIX-$1" setpriv --bounding-set -sys_rawio python3 - "$2" <<-'END'
		import errno, socket, sys
		s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
		for n in range(200):
		    try:
		        s.sendto(bytes(n), (sys.argv[1], 0x800))
		        print(n)
		        break
		    except OSError as e:
		        if e.errno != errno.EINVAL:
		            raise
	END
}

# A change of the key shortens or lengthens the header, whatever else it changes.
header_follows_the_key() {
	local i

	on A ip link add hub type gre local 10.0.0.1 key 1
	on A ip link set hub up
	equal "header with a key" 28 "$(header_len A hub)"
	for i in 1 2 3 4 5 6 7 8 9; do
		on A ip link set hub type gre local 10.0.0.1 nokey
		on A ip link set hub type gre local 10.0.0.1 key 1 fwmark $i
	done
	equal "header after all this" 28 "$(header_len A hub)"
	on A ip link set hub type gre local 10.0.0.1 nokey fwmark 0
	equal "header without" 24 "$(header_len A hub)"
	on A ip link del hub
}

# A narrow path to one peer says nothing about the others, who share its route.
path_mtu_of_one() {
	on A ip route add 10.0.0.2/32 dev eth0 mtu 1360
	quietly on A ping -n -q -c 1 -W 1 -s 1400 -M "do" fd01::2 || true
	fails on A ping -n -q -c 1 -W 1 -s 1350 -M "do" fd01::2
	on A ping -n -q -c 2 -W 5 -s 1350 -M "do" fd01::3
	on A ip route del 10.0.0.2/32 dev eth0
}

flags_and_header() {
	contains "<NOARP,UP,LOWER_UP>" "$(on A ip link show dev gre1)"
	contains "link/gre 10.0.0.1 brd 0.0.0.0" "$(on A ip link show dev gre1)"
	equal "type" 778 "$(on A cat /sys/class/net/gre1/type)"
	equal "address length" 4 "$(on A cat /sys/class/net/gre1/addr_len)"
}

check "flags and link-layer address of the hub" flags_and_header
check "without a neighbour nothing leaves" without_a_neighbour
check "peers are added as neighbours" add_neighbours
check "ip neigh show lists them" neighbours_are_shown
check "IPv4: everybody reaches everybody" everybody_everybody 10.1.1.
check "IPv6: everybody reaches everybody" everybody_everybody fd01::
check "the outer destination of B's packets is B" goes_to 10.1.1.2 10.0.0.2
check "the outer destination of C's packets is C" goes_to 10.1.1.3 10.0.0.3
check "a changed neighbour is used by the next packet" neighbour_changes
check "the path MTU to one peer is not that to another" path_mtu_of_one
check "PF_PACKET sendto: the link-layer address is the outer destination" sendto_nbma
check "PF_PACKET recvfrom: the link-layer address is the outer source" recvfrom_nbma
check "PF_PACKET SOCK_RAW: the outer header is the link-layer header" raw_sees_the_outer_header
check "the length of the header follows the key" header_follows_the_key
check "arp on: an unknown peer is asked for on netlink" asks_user_space

finish
