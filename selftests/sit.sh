#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# 6in4: IPv6 between two networks over IPv4, point to point.
#
#          a                                           b
#   +-----------------+                         +-----------------+
#   | six             | = = = = = sit = = = = = | six             |
#   | 2001:db8::1/64  |                         | 2001:db8::2/64  |
#   |       va -------+-------------------------+------- vb       |
#   |       xa -------+-------------------------+------- xb       |
#   +-----------------+                         +-----------------+
#      10.0.0.1/24, 10.9.0.1/24      10.0.0.2/24, 10.9.0.2/24

. "$(dirname "$0")/lib.sh"
load_tunnels sit

namespaces a b
ipv6_on a
ipv6_on b
wire a va 10.0.0.1/24 b vb 10.0.0.2/24
wire a xa 10.9.0.1/24 b xb 10.9.0.2/24
start_wire

# ends OPTION...: the tunnel with these options at both ends, made by netlink.
ends() {
	quietly on a ip link del six || true
	quietly on b ip link del six || true
	on a ip link add six type sit local 10.0.0.1 remote 10.0.0.2 "$@"
	on b ip link add six type sit local 10.0.0.2 remote 10.0.0.1 "$@"
	up
}

up() {
	on a ip link set six up
	on b ip link set six up
	on a ip addr add 2001:db8::1/64 dev six
	on b ip addr add 2001:db8::2/64 dev six
}

walk_through() {
	on a ip tunnel add six mode sit local 10.0.0.1 remote 10.0.0.2 ttl 64
	on b ip tunnel add six mode sit local 10.0.0.2 remote 10.0.0.1 ttl 64
	up
	ping_ok a 2001:db8::2
	ping_ok b 2001:db8::1
	contains "six: ipv6/ip remote 10.0.0.2 local 10.0.0.1 ttl 64" "$(on a ip tunnel show six)"
}

# Protocol 41, DF, and nothing between the two IP headers.
on_the_wire() {
	py 'sniff("a", "va")'
	ping_ok a 2001:db8::2
	py 'seen("a", "va", lambda p: names(p) == "ip ip6 icmp"
		and (p[0].src, p[0].dst) == ("10.0.0.1", "10.0.0.2")
		and (p[0].proto, p[0].ttl, p[0].tos, p[0].df) == (41, 64, 0, True)
		and p[0].length == 20 + 40 + p[1].length and p[0].sum_ok
		and (p[1].src, p[1].dst) == ("2001:db8::1", "2001:db8::2"))'
}

like_the_in_tree_device() {
	local shown
	shown=$(on a ip -d link show six)
	contains "link/sit 10.0.0.1 peer 10.0.0.2" "$shown"
	contains "POINTOPOINT,NOARP,UP" "$shown"
	contains "mtu 1480" "$shown"
	contains "minmtu 1280 maxmtu 65555" "$shown"
	contains "sit ip6ip remote 10.0.0.2 local 10.0.0.1" "$shown"
	contains "6rd-prefix 2002::/16" "$shown"
	equal "type of sit0" 776 "$(on a cat /sys/class/net/sit0/type)"
	contains "sit0: ipv6/ip remote any local any ttl 64 nopmtudisc" "$(on a ip tunnel show sit0)"
}

# A point-to-point device has a link-local address made from its outer one, the
# base device an IPv4-compatible one for every address of the host.
autoconfiguration() {
	on a sysctl -qw net.ipv6.conf.six.addr_gen_mode=0
	on a ip link set six down
	on a ip link set six up
	contains "inet6 fe80::a00:1/64 scope link" "$(on a ip -6 addr show dev six)"
	on a ip link set sit0 up
	contains "inet6 ::10.0.0.1/96" "$(on a ip -6 addr show dev sit0)"
	on a ip link set sit0 down
	on a ip addr add 2001:db8::1/64 dev six
}

inherit() {
	ends ttl inherit tos inherit
	py 'sniff("a", "va")'
	ping_ok a 2001:db8::2 -t 33 -Q 0x48
	py 'seen("a", "va", lambda p: names(p) == "ip ip6 icmp"
		and (p[0].ttl, p[0].tos, p[1].tos) == (33, 0x48, 0x48))'
}

# Congestion marks go in and come out, RFC 6040.
congestion() {
	ends ttl 64
	py 'sniff("a", "va") and sniff("b", "six", "ip6")'
	py 'send("a", "six", ip6("2001:db8::1", "2001:db8::2", udp(1, 9, b"ect"), tos=2))'
	py 'seen("a", "va", lambda p: names(p) == "ip ip6 udp" and p[0].tos == 2)'
	py 'deliver("a", "va", "b", "vb", ip("10.0.0.1", "10.0.0.2",
		ip6("2001:db8::1", "2001:db8::2", udp(1, 9, b"ce"), tos=2), tos=3))'
	py 'seen("b", "six", lambda p: names(p) == "ip6 udp" and p[0].tos == 3)'
	py 'deliver("a", "va", "b", "vb", ip("10.0.0.1", "10.0.0.2",
		ip6("2001:db8::1", "2001:db8::2", udp(1, 9, b"bad"), tos=0), tos=3))'
	py 'unseen("b", "six", lambda p: p[-1].raw == b"bad")'
	equal "rx_frame_errors" 1 "$(on b sed -n 1p /sys/class/net/six/statistics/rx_frame_errors)"
}

# Which payload is taken is a matter of mode: ip6ip takes IPv6 only.
mode_ip6ip() {
	ends mode ip6ip
	on a ip addr add 192.168.6.1/30 dev six
	on b ip addr add 192.168.6.2/30 dev six
	ping_ok a 2001:db8::2
	ping_lost a 192.168.6.2
	! culvert || equal rx_wrong_payload 3 "$(drops b six rx_wrong_payload)"
}

mode_any() {
	ends mode any
	on a ip addr add 192.168.6.1/30 dev six
	on b ip addr add 192.168.6.2/30 dev six
	py 'sniff("a", "va")'
	ping_ok a 192.168.6.2
	py 'seen("a", "va", lambda p: names(p) == "ip ip icmp" and p[0].proto == 4)'
	ping_ok a 2001:db8::2
}

# ipip devices are asked before sit devices.
mode_ipip() {
	ends mode ipip
	on a ip addr add 192.168.6.1/30 dev six
	on b ip addr add 192.168.6.2/30 dev six
	ping_ok a 192.168.6.2
	ping_lost a 2001:db8::2
	on b ip link add four type ipip local 10.0.0.2 remote 10.0.0.1
	on b ip link set four up
	ping_ok a 192.168.6.2
	equal "packets of the ipip device" 3 "$(counter b four rx_packets)"
	equal "packets of the sit device" 3 "$(counter b six rx_packets)"
	on b ip link del four
}

# received NS DEV PACKETS
received() {
	[ "$(counter "$1" "$2" rx_packets)" = "$3" ]
}

mode_mplsip() {
	kernel_has mpls_router || skip "this kernel has no mpls_router"
	ends mode mplsip
	py 'sniff("a", "va")'
	py 'send("a", "six", mpls(99, ip("192.168.6.1", "192.168.6.2", udp(1, 9, b"x"))))'
	py 'seen("a", "va", lambda p: names(p) == "ip mpls ip udp" and p[0].proto == 137)'
	wait_until 20 received b six 1
}

# GSO segments through the tunnel.
tcp() {
	ends ttl 64
	tcp_transfer a b 2001:db8::2
	tcp_transfer b a 2001:db8::1
}

# Segments that come one by one are merged behind the tunnel.
gro() {
	need ethtool
	ends ttl 64
	quietly on a ethtool -K va tso off gso off tx off
	trap 'quietly on a ethtool -K va tso on gso on tx on' EXIT
	py 'merged("a", "b", "six", "2001:db8::2")'
}

# RFC 4213 3.2.2: a smaller path MTU is told to the sender, down to 1280.
path_mtu() {
	ends ttl 64
	on a ip route add 10.0.0.2/32 dev va mtu lock 1400
	says "mtu=1380" on a ping -c 2 -i 0.1 -W 1 -M "do" -s 1400 2001:db8::2
	ping_ok a 2001:db8::2 -M "do" -s 1332
	on a ip route del 10.0.0.2/32 dev va
}

# Below that it is the outer packet that is fragmented.
small_path_mtu() {
	ends ttl 64
	on a ip route add 10.0.0.2/32 dev va mtu 1100
	py 'sniff("a", "va")'
	ping_ok a 2001:db8::2 -M "do" -s 1232
	py 'seen("a", "va", lambda p: p[0].more and not p[0].df and p[0].proto == 41)'
	on a ip route del 10.0.0.2/32 dev va
}

# Without path MTU discovery the outer packet has no DF.
no_pmtudisc() {
	ends ttl inherit nopmtudisc
	py 'sniff("a", "va")'
	ping_ok a 2001:db8::2
	py 'seen("a", "va", lambda p: names(p) == "ip ip6 icmp" and not p[0].df)'
}

# icmp_about KIND CODE SIZE: a router says so about a packet of ours, quoting
# SIZE bytes of its payload; what comes of it is seen on lo, as we are the sender.
icmp_about() {
	py 'sniff("a", "lo")'
	py "deliver('b', 'vb', 'a', 'va', ip('10.0.0.2', '10.0.0.1', icmp($1, $2, 0,
		ip('10.0.0.1', '10.0.0.2', ip6('2001:db8::1', '2001:db8::2',
		udp(7, 9, pattern(100)), ttl=9))[:20 + $3])))"
}

# RFC 4213 3.4. An error that quotes enough is passed on to the IPv6 sender. The
# in-tree module tries to, with a source address that the stack refuses.
icmp_relayed() {
	ends ttl 64
	icmp_about 3 1 60
	if ! culvert; then
		py 'unseen("a", "lo", lambda p: names(p).startswith("ip6 icmp"))'
		return
	fi
	py 'seen("a", "lo", lambda p: names(p).startswith("ip6 icmp")
		and (p[1].kind, p[1].code) == (1, 3) and p[0].dst == "2001:db8::1")'
	icmp_about 11 0 60
	py 'seen("a", "lo", lambda p: names(p).startswith("ip6 icmp")
		and (p[1].kind, p[1].code) == (3, 0))'
}

# One that does not is remembered, and told to the next sender.
icmp_remembered() {
	ends ttl 64
	icmp_about 3 1 8
	py 'unseen("a", "lo", lambda p: names(p).startswith("ip6 icmp") and p[1].kind == 1)'
	says "Address unreachable" on a ping -c 1 -W 5 2001:db8::2
	ping_ok a 2001:db8::2
}

icmp_too_big() {
	ends ttl 64
	py 'deliver("b", "vb", "a", "va", ip("10.0.0.2", "10.0.0.1", icmp(3, 4, 1390,
		ip("10.0.0.1", "10.0.0.2", ip6("2001:db8::1", "2001:db8::2",
		udp(7, 9, pattern(100))), df=True)[:48])))'
	contains "mtu 1390" "$(on a ip route get 10.0.0.2)"
	says "mtu=1370" on a ping -c 2 -i 0.1 -W 1 -M "do" -s 1400 2001:db8::2
	on a ip route flush cache
}

nobody_here() {
	quietly on b ip link del six || true
	py 'sniff("b", "vb")'
	py 'deliver("a", "va", "b", "vb", ip("10.0.0.1", "10.0.0.2",
		ip6("2001:db8::1", "2001:db8::2", udp(1, 9, b"?"))))'
	py 'seen("b", "vb", lambda p: names(p).startswith("ip icmp ip")
		and (p[1].kind, p[1].code) == (3, 3))'
	! culvert || equal rx_no_tunnel 1 "$(drops b sit0 rx_no_tunnel)"
}

# A sit tunnel bound to a device takes nothing that comes in by another.
bound_to_a_device() {
	ends
	on b ip link set six type sit local 10.0.0.2 remote 10.0.0.1 dev xb
	ping_lost a 2001:db8::2
	! culvert || fails [ "$(drops b sit0 rx_no_tunnel)" = 0 ]
	on b ip link set six type sit local 10.0.0.2 remote 10.0.0.1 dev vb
	ping_ok a 2001:db8::2
}

fou() {
	kernel_has fou || skip "this kernel has no fou"
	on a ip fou add port 5555 ipproto 41
	on b ip fou add port 5555 ipproto 41
	ends ttl 64 encap fou encap-sport 5555 encap-dport 5555
	py 'sniff("a", "va")'
	ping_ok a 2001:db8::2
	py 'seen("a", "va", lambda p: names(p) == "ip udp" and p[1].dport == 5555
		and p[-1].raw[0] >> 4 == 6)'
	on a ip fou del port 5555
	on b ip fou del port 5555
}

duplicates() {
	ends
	says "File exists" on a ip link add six2 type sit local 10.0.0.1 remote 10.0.0.2
	says "File exists" on a ip link add six2 type sit external
	says "No buffer space available" \
		on a ip tunnel add six2 mode sit local 10.0.0.1 remote 10.0.0.2
	on a ip tunnel add six2 mode sit local 10.0.0.1 remote 10.0.0.2 dev va
	on a ip tunnel del six2
	says "Operation not permitted" on a ip tunnel del sit0
	on a ip link del sit0
	contains "sit0: ipv6/ip remote any local any" "$(on a ip tunnel show sit0)"
}

change() {
	ends
	on a ip tunnel change six mode sit ttl 7
	contains "ttl 7" "$(on a ip tunnel show six)"
	on a ip link set six type sit local 10.0.0.1 remote 10.0.0.2 ttl 9 tos 0x10
	contains "ttl 9 tos 0x10" "$(on a ip tunnel show six)"
	says "Invalid argument" on a ip tunnel change six mode sit remote any
	fails on a ip link set six mtu 1279
	on a ip link set six mtu 65555
	ping_ok a 2001:db8::2
}

another_namespace() {
	ends
	namespaces c
	ipv6_on c
	on b ip link set six netns "$NS_PREFIX-c"
	on c ip link set six up
	on c ip addr add 2001:db8::2/64 dev six
	ping_ok a 2001:db8::2
	says "File exists" on b ip link add six type sit local 10.0.0.2 remote 10.0.0.1
	on c ip link del six
}

# The old way to make a tunnel: SIOCSIFDSTADDR, with ::10.0.0.77, on sit0.
# The in-tree module of Linux 5.10 makes the device and says it did not.
dstaddr() {
	py '
def dstaddr(ns, text):
	with inside(ns):
		sock = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
		request = struct.pack("=16sIi", address(text), 128, socket.if_nametoindex("sit0"))
		try:
			fcntl.ioctl(sock, 0x8918, request)
		except OSError as problem:
			return errno_name(problem.errno)
	return "0"
'
	local answer
	answer=$(py 'dstaddr("a", "::10.0.0.77")')
	if culvert || [ "$answer" != ENOBUFS ]; then
		equal "answer" 0 "$answer"
	fi
	contains "remote 10.0.0.77 local any ttl 64" "$(on a ip tunnel show)"
}

check "6in4: made by ip tunnel, pings both ways" walk_through
check "the packet on the wire" on_the_wire
check "the device looks like the in-tree one" like_the_in_tree_device
check "addresses by autoconfiguration" autoconfiguration
check "ttl and tos inherited" inherit
check "ECN in and out" congestion
check "mode ip6ip: IPv4 inside is refused" mode_ip6ip
check "mode any: IPv4 and IPv6 inside" mode_any
check "mode ipip, beside an ipip device" mode_ipip
check "mode mplsip" mode_mplsip
check "TCP both ways" tcp
check "GRO merges what arrives" gro
check "a path MTU of 1400" path_mtu
check "a path MTU of 1100: outer fragments" small_path_mtu
check "nopmtudisc" no_pmtudisc
check "ICMP errors are passed on as ICMPv6" icmp_relayed
check "ICMP errors that quote too little are remembered" icmp_remembered
check "ICMP too big: the path MTU is learned" icmp_too_big
check "no tunnel: ICMP, and counted" nobody_here
check "bound to a device" bound_to_a_device
check "in FOU" fou
check "duplicates" duplicates
check "change" change
check "the device in another namespace" another_namespace
check "SIOCSIFDSTADDR on sit0" dstaddr

finish
