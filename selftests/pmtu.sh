#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Path MTU: what a router of the underlay says is learned, and inner packets
# that are too big are answered with the mtu that is left for them.
#
#        h                  a                  r                  b
#   +---------+        +---------+        +---------+        +---------+
#   |         |        |   tun   | = = = = = = = = = = = = = |   tun   |
#   |    hh --+--------+- ha     |        |         |        |10.2.0.1 |
#   |10.1.0.2 |        |     va -+--------+-ra   rb-+--------+-- vb    |
#   +---------+        +---------+        +---------+        +---------+
#            10.1.0.1/24   10.0.1.1/24  10.0.1.2  10.0.2.2     10.0.2.1/24
#                                               mtu 1400

. "$(dirname "$0")/lib.sh"
load_tunnels ipip gre

far_gateways
on r ip link set rb mtu 1400
on b ip link set vb mtu 1400
start_wire
py '
UDP = lambda size, **how: ip("10.1.0.2", "10.2.0.1", udp(1, 7, b"m" * (size - 28)), **how)
UDP6 = lambda size: ip6("fd01::2", "fd02::1", udp(1, 7, b"m" * (size - 48)))

def forward(packet):
    """Past the routes of h, which remember what h was told before."""
    return deliver("h", "hh", "a", "ha", packet)

def answer_to(packet):
    """What h is told after it has sent a packet: `KIND/CODE MTU`"""
    sniff("h", "hh")
    forward(packet)
    told = seen("h", "hh", lambda p: p[1].name == "icmp" and not p[0].outgoing
                and p[1].kind in (2, 3), 10)
    return told and "%d/%d %d" % (told[1].kind, told[1].code, told[1].rest & 0xffff)

def passes(packet):
    """Whether a packet of h comes out of the tunnel, in one piece"""
    sniff("b", "tun", "ip")
    forward(packet)
    return seen("b", "tun", lambda p: len(p[0].raw) == len(packet))
'

# A fresh tunnel, and nothing learned yet.
tunnel() {
	quietly on a ip link del tun || true
	quietly on b ip link del tun || true
	on a ip route flush cache
	on a ip link add tun type "$@" local 10.0.1.1 remote 10.0.2.1
	on b ip link add tun type "$@" local 10.0.2.1 remote 10.0.1.1
	on a ip link set tun up
	on b ip link set tun up
	on b ip addr add 10.2.0.1/24 dev tun
	on b ip addr add fd02::1/64 dev tun
	on b ip route add 10.1.0.0/24 dev tun
	on a ip route add 10.2.0.0/24 dev tun
	on a ip route add fd02::/64 dev tun
}

mtu_at_creation() {
	local expected=$1
	shift
	tunnel "$@"
	equal "mtu" "$expected" "$(on a cat /sys/class/net/tun/mtu)"
}

# Too big for the tunnel device itself.
device_mtu() {
	equal "h is told" "3/4 $1" "$(py 'answer_to(UDP(1490, df=True))')"
}

# The first packet fits the device but not the path: the router tells a, a
# learns it for the route to the remote, and the next packet is answered.
learned() {
	local mtu=$1
	py 'sniff("a", "va")'
	py 'forward(UDP(1420, df=True))'
	py 'seen("a", "va", lambda p: p[0].src == "10.0.1.2" and (p[1].kind, p[1].code) == (3, 4)
		and p[1].rest & 0xffff == 1400)'
	contains "mtu 1400" "$(on a ip route get 10.0.2.1)"
	equal "h is told" "3/4 $mtu" "$(py 'answer_to(UDP(1420, df=True))')"
	py "passes(UDP($mtu, df=True))"
	equal "h is told" "3/4 $mtu" "$(py "answer_to(UDP($mtu + 1, df=True))")"
}

ipv6_learned() {
	local mtu=$1
	equal "h is told" "2/0 $mtu" "$(py 'answer_to(UDP6(1420))')"
	py "passes(UDP6($mtu))"
}

# What may be fragmented is: a's own packets follow what the tunnel has learned.
inner_fragments() {
	local mtu=$1
	on a ip addr replace 10.2.0.9/32 dev tun
	on b ip route replace 10.2.0.9/32 dev tun
	py 'sniff("b", "tun", "ip")'
	on a ping -n -q -c 3 -i 0.2 -M "dont" -s 1400 10.2.0.1
	py "seen('b', 'tun', lambda p: p[0].more and p[0].length <= $mtu)"
	py 'seen("b", "tun", lambda p: p[0].offset and not p[0].more)'
}

# nopmtudisc: the outer header has no DF, routers fragment it.
no_pmtudisc() {
	tunnel "$1" ttl inherit nopmtudisc
	py 'sniff("b", "vb")'
	py 'passes(UDP(1420))'
	py 'seen("b", "vb", lambda p: p[0].src == "10.0.1.1" and p[0].more)'
}

# A DF in the inner header counts even then.
no_pmtudisc_inner_df() {
	py 'sniff("a", "va")'
	py 'forward(UDP(1420, df=True))'
	py 'seen("a", "va", lambda p: p[0].dst == "10.0.2.1" and p[0].df)'
}

ignore_df() {
	tunnel gre nopmtudisc ignore-df
	py 'sniff("b", "vb")'
	py 'passes(UDP(1420, df=True))'
	py 'seen("b", "vb", lambda p: p[0].src == "10.0.1.1" and p[0].more)'
}

# The mtu of the route that is there from the start.
route_mtu() {
	local mtu=$1
	shift
	tunnel "$@"
	on a ip route replace 10.0.2.0/24 via 10.0.1.2 mtu lock 1300
	equal "h is told" "3/4 $mtu" "$(py 'answer_to(UDP(1400, df=True))')"
	on a ip route replace 10.0.2.0/24 via 10.0.1.2
}

local_sender() {
	local mtu=$1
	shift
	tunnel "$@"
	on a ip addr add 10.2.0.9/32 dev tun
	# "mtu=1380", and newer ones "mtu = 1380"
	says "mtu=$mtu" eval 'on a ping -c 3 -i 0.2 -W 1 -M "do" -s 1400 10.2.0.1 2>&1 | tr -d " "'
}

for case in "ipip 20" "gre 24" "gre 28 key 5"; do
	set -- $case
	kind=$1 header=$2
	shift 2
	name="$kind${*:+ $*}"
	check "$name: mtu at creation" mtu_at_creation $((1500 - header)) $kind "$@"
	check "$name: too big for the device" device_mtu $((1500 - header))
	check "$name: learned from the underlay" learned $((1400 - header))
	check "$name: what may be fragmented is" inner_fragments $((1400 - header))
	[ $kind = ipip ] || check "$name: IPv6 is told with packet too big" ipv6_learned $((1400 - header))
	check "$name: a sender of our own is told" local_sender $((1400 - header)) $kind "$@"
	check "$name: the mtu of the route" route_mtu $((1300 - header)) $kind "$@"
	check "$name nopmtudisc: routers fragment" no_pmtudisc $kind
	check "$name nopmtudisc: DF of the inner header is kept" no_pmtudisc_inner_df
done
check "gre ignore-df: routers fragment what has DF inside" ignore_df

finish
