#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# ISATAP (RFC 5214): a site's hosts are IPv6 neighbours over its IPv4 network.
# The router's advertisement, and with it the prefix, comes through the tunnel.
#
#         h1                   h2                    r                     world
#  +--------------+     +--------------+     +----------------+        +-----------+
#  | is0          |     | is0          |     | is0            |        |           |
#  | fe80::5efe:  |     | fe80::5efe:  |     | 2001:db8:1::   |        |           |
#  |    10.0.0.11 |     |    10.0.0.12 |     | 5efe:10.0.0.1  |        |  fd99::2  |
#  |     eth0     |     |     eth0     |     |    eth0    w0 -+--------+- w1       |
#  +------+-------+     +------+-------+     +------+---------+        +-----------+
#     10.0.0.11/24         10.0.0.12/24         10.0.0.1/24  fd99::1/64
#         |                    |                    |
#  - - - -+- - - - - - - - - - + - - - - - - - - - -+- - -

. "$(dirname "$0")/lib.sh"
load_tunnels sit

H1=fe80::5efe:a00:b		# 10.0.0.11
H2=fe80::5efe:a00:c		# 10.0.0.12

namespaces net h1 h2 r world
for ns in h1 h2 r world; do
	ipv6_on "$ns"
	on "$ns" sysctl -qw net.ipv6.conf.default.addr_gen_mode=0
done
segment net lan
plug h1 eth0 10.0.0.11/24 net lan
plug h2 eth0 10.0.0.12/24 net lan
plug r eth0 10.0.0.1/24 net lan
wire r w0 fd99::1/64 world w1 fd99::2/64
on world ip route add 2001:db8:1::/64 via fd99::1
on r sysctl -qw net.ipv6.conf.all.forwarding=1
start_wire

# What a router's daemon does: a router advertisement with one prefix, on-link
# and for autoconfiguration.
py '
def advertise(ns, source, host, prefix, lifetime=1800):
	option = struct.pack("!BBBBIII", 3, 4, 64, 0xc0, 86400, 14400, 0) + address(prefix)
	with inside(ns):
		index = socket.if_nametoindex("is0")
		sock = socket.socket(socket.AF_INET6, socket.SOCK_RAW, 255)
		sock.setsockopt(41, 36, 1)			# IPV6_HDRINCL
		data = icmp6(134, 0, 64 << 24 | lifetime, bytes(8) + option)
		sock.sendto(ip6(source, host, data, ttl=255), (host, 0, 0, index))
	return True

# SIOCGETPRL: the list as {address: flags}, or an errno.
def prl(ns, dev, room=8, which="0.0.0.0"):
	data = ctypes.create_string_buffer(struct.pack("=4sHHIxxxx", v4(which), 0, 0, room * 16)
		.ljust(16, b"\0") + bytes(room * 16))
	request = dev.encode().ljust(16, b"\0") + struct.pack("=Q", ctypes.addressof(data))
	with inside(ns):
		sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
	try:
		fcntl.ioctl(sock, 0x89f4, bytearray(request.ljust(40, b"\0")))
	except OSError as problem:
		return errno_name(problem.errno)
	length = struct.unpack("=I", data.raw[8:12])[0]
	entries = [data.raw[16 + i:32 + i] for i in range(0, length, 16)]
	return {socket.inet_ntoa(e[:4]): struct.unpack("=H", e[4:6])[0] for e in entries}
'

# has NS ADDRESS: the address is on is0.
has() {
	[ -n "$(ip -n "$NS_PREFIX-$1" -6 addr show dev is0 to "$2")" ]
}

has_default() {
	[ -n "$(ip -n "$NS_PREFIX-$1" -6 route show default)" ]
}

devices() {
	on h1 ip tunnel add is0 mode isatap local 10.0.0.11 ttl 64
	on h2 ip link add is0 type sit mode any local 10.0.0.12 ttl 64 isatap
	on r ip tunnel add is0 mode isatap local 10.0.0.1 ttl 64
	for ns in h1 h2 r; do
		on "$ns" ip link set is0 up
	done
	on r ip addr add 2001:db8:1::5efe:10.0.0.1/64 dev is0
	contains "isatap" "$(on h2 ip -d link show is0)"
	contains "local 10.0.0.11 ttl 64" "$(on h1 ip tunnel show is0)"
	contains "isatap" "$(on h1 ip -d link show is0)"
}

link_local() {
	contains "$H1/64" "$(on h1 ip -6 addr show dev is0)"
	contains "$H2/64" "$(on h2 ip -6 addr show dev is0)"
	contains "fe80::5efe:a00:1/64" "$(on r ip -6 addr show dev is0)"
}

# Hosts are neighbours before there is any router.
neighbours() {
	py 'sniff("h1", "eth0")'
	ping_ok h1 "$H2%is0"
	py 'seen("h1", "eth0", lambda p: names(p) == "ip ip6 icmp"
		and (p[0].src, p[0].dst) == ("10.0.0.11", "10.0.0.12"))'
}

# A neighbour that is not on the list of potential routers is not a router,
# whatever it says.
not_a_router() {
	py "advertise('r', 'fe80::5efe:a00:1', '$H1', '2001:db8:1::')"
	ping_ok h1 fe80::5efe:a00:1%is0
	fails has h1 2001:db8:1::/64
	fails has_default h1
}

list() {
	on h1 ip tunnel prl prl-nodefault 10.0.0.1 dev is0
	equal "list" "{'10.0.0.1': 0}" "$(py 'prl("h1", "is0")')"
	on h1 ip tunnel prl prl-default 10.0.0.3 dev is0
	equal "list" "{'10.0.0.3': 1, '10.0.0.1': 0}" "$(py 'prl("h1", "is0")')"
	equal "one of them" "{'10.0.0.1': 0}" "$(py 'prl("h1", "is0", 8, "10.0.0.1")')"
	equal "room for one" "{'10.0.0.3': 1}" "$(py 'prl("h1", "is0", 1)')"
	equal "room for none" "{}" "$(py 'prl("h1", "is0", 0)')"
	on h1 ip tunnel prl prl-delete 10.0.0.3 dev is0
	says "No such device or address" on h1 ip tunnel prl prl-delete 10.0.0.3 dev is0
	says "File exists" on h1 ip tunnel prl prl-default 10.0.0.1 dev is0
	says "Invalid argument" on h1 ip tunnel prl prl-default 10.0.0.1 dev sit0
	equal "base device" EINVAL "$(py 'prl("h1", "sit0")')"
	equal "list" "{'10.0.0.1': 0}" "$(py 'prl("h1", "is0")')"
}

# prl-nodefault: an interior router, whose prefixes are not for hosts.
no_default_router() {
	py "advertise('r', 'fe80::5efe:a00:1', '$H1', '2001:db8:1::')"
	ping_ok h1 fe80::5efe:a00:1%is0
	fails has h1 2001:db8:1::/64
	fails has_default h1
}

default_router() {
	on h1 ip tunnel prl prl-delete 10.0.0.1 dev is0
	for ns in h1 h2; do
		on "$ns" ip tunnel prl prl-default 10.0.0.1 dev is0
	done
	py "advertise('r', 'fe80::5efe:a00:1', '$H1', '2001:db8:1::')"
	py "advertise('r', 'fe80::5efe:a00:1', '$H2', '2001:db8:1::')"
	wait_until 20 has h1 2001:db8:1::5efe:a00:b
	wait_until 20 has h2 2001:db8:1::5efe:a00:c
	wait_until 20 has_default h1
	wait_until 20 has_default h2
	contains "via fe80::5efe:a00:1 dev is0" "$(on h1 ip -6 route show default)"
}

# With the prefix hosts talk directly, and with the world through the router.
directly() {
	py 'sniff("h1", "eth0") and sniff("r", "eth0")'
	ping_ok h1 2001:db8:1::5efe:a00:c
	py 'seen("h1", "eth0", lambda p: names(p) == "ip ip6 icmp"
		and (p[0].src, p[0].dst) == ("10.0.0.11", "10.0.0.12"))'
	py 'unseen("r", "eth0", lambda p: p[0].proto == 41)'
}

the_world() {
	py 'sniff("h1", "eth0")'
	ping_ok h1 fd99::2
	py 'seen("h1", "eth0", lambda p: names(p) == "ip ip6 icmp"
		and p[0].dst == "10.0.0.1" and p[1].dst == "fd99::2")'
	ping_ok world 2001:db8:1::5efe:a00:c
}

# spoofed OUTER_SOURCE INNER_SOURCE: h2 refuses this. RFC 5214 7.3.
spoofed() {
	local errors named
	errors=$(counter h2 is0 rx_errors)
	named=$(drops h2 is0 rx_spoofed)
	py 'sniff("h2", "is0", "ip6")'
	py "deliver('net', 'lan', 'h2', 'eth0', ip('$1', '10.0.0.12',
		ip6('$2', '2001:db8:1::5efe:a00:c', udp(1, 9, b'spoofed'))))"
	py 'unseen("h2", "is0", lambda p: p[-1].raw == b"spoofed")'
	equal rx_errors $((errors + 1)) "$(counter h2 is0 rx_errors)"
	! culvert || equal rx_spoofed $((named + 1)) "$(drops h2 is0 rx_spoofed)"
}

taken() {
	py 'sniff("h2", "is0", "ip6")'
	py "deliver('net', 'lan', 'h2', 'eth0', ip('$1', '10.0.0.12',
		ip6('$2', '2001:db8:1::5efe:a00:c', udp(1, 9, b'fine'))))"
	py 'seen("h2", "is0", lambda p: p[-1].raw == b"fine")'
}

# A next hop that is nobody's ISATAP address has no outer address.
no_address() {
	local errors
	errors=$(counter h1 is0 tx_errors)
	on h1 ip route add 3fff::/20 dev is0
	ping_lost h1 3fff::1
	fails [ "$errors" = "$(counter h1 is0 tx_errors)" ]
	! culvert || fails [ "$(drops h1 is0 tx_no_peer)" = 0 ]
}

# Deleting no address in particular empties the list: the router is no longer one.
all_deleted() {
	on h2 ip tunnel prl prl-delete 0.0.0.0 dev is0
	equal "list" "{}" "$(py 'prl("h2", "is0")')"
	spoofed 10.0.0.1 fd99::2
}

check "devices of hosts and router" devices
check "link-local addresses from outer ones" link_local
check "two hosts without a router" neighbours
check "an advertisement of somebody not on the list" not_a_router
check "the potential router list" list
check "prl-nodefault: neither prefix nor default route" no_default_router
check "prl-default: prefix and default route through the tunnel" default_router
check "two hosts talk directly" directly
check "hosts and the world, through the router" the_world
check "a source with another address in it" spoofed 10.0.0.11 2001:db8:1::5efe:a00:d
check "the source of the router" spoofed 10.0.0.11 2001:db8:1::5efe:a00:1
check "a source that is no ISATAP address" spoofed 10.0.0.11 fd99::2
check "a source with a foreign prefix" spoofed 10.0.0.11 2001:db8:7::5efe:a00:b
check "a host's own source" taken 10.0.0.11 2001:db8:1::5efe:a00:b
check "any source from the router" taken 10.0.0.1 fd99::2
check "a next hop that is no ISATAP address" no_address
check "the list emptied" all_deleted

finish
