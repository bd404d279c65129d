#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# ICMP errors about outer packets: they reach the right tunnel, even when the
# quoted packet is cut short, and become what the inner sender can use.
#
#        h                  a                    b
#   +---------+        +---------+          +---------+
#   |    hh --+--------+- ha     |          |         |
#   |10.1.0.2 |        |   tun   | = = = = =|         |
#   +---------+        |     va -+----------+- vb     |
#            10.1.0.1/24    10.0.0.1/24  10.0.0.2/24
#
# The errors are made by hand and delivered from b; h sends to 10.2.0.1, which
# is behind the tunnel.

. "$(dirname "$0")/lib.sh"
load_tunnels ipip gre

namespaces h a b
wire h hh 10.1.0.2/24 a ha 10.1.0.1/24
wire a va 10.0.0.1/24 b vb 10.0.0.2/24
on a sysctl -qw net.ipv4.ip_forward=1
on h ip route add default via 10.1.0.1
start_wire
py '
INNER = ip("10.1.0.2", "10.2.0.1", udp(1, 7, b"i" * 100))
HEADER = {"ipip": lambda inner: inner, "gre": lambda inner: gre(inner),
          "key": lambda inner: gre(inner, key=5),
          "wrong": lambda inner: gre(inner, key=6)}

def error(kind, code, header, quoted=548, rest=0, remote="10.0.0.9"):
    """Deliver an ICMP error about an outer packet of a, quoted so far"""
    outer = ip("10.0.0.1", remote, HEADER[header](INNER))
    return deliver("b", "vb", "a", "va",
                   ip("10.0.0.2", "10.0.0.1", icmp(kind, code, rest, outer[:quoted])))

def told():
    """What h is told after it has sent a packet into the tunnel: KIND/CODE or nothing"""
    sniff("h", "hh"); sniff("b", "vb")
    route("h", INNER, "10.2.0.1")
    assert seen("b", "vb", lambda p: p[0].src == "10.0.0.1" and p[-2].name == "udp"), "not sent"
    layers = seen("h", "hh", lambda p: p[1].name == "icmp", 0.5)
    return "%d/%d" % (layers[1].kind, layers[1].code) if layers else "nothing"
'

# tunnel KIND [OPTION...]: a fresh one to 10.0.0.9, which b answers for.
tunnel() {
	quietly on a ip link del tun || true
	on a ip link add tun type "$@" local 10.0.0.1 remote 10.0.0.9
	on a ip link set tun up
	on a ip route replace 10.2.0.0/24 dev tun
	on a ip route replace 10.0.0.9/32 via 10.0.0.2
}

# The next packet's sender is told that the host is unreachable.
becomes_unreachable() {
	local what=$1
	shift
	tunnel "$@"
	equal "before" nothing "$(py 'told()')"
	py "error($what)"
	equal "after" 3/1 "$(py 'told()')"
	equal "once for each error" nothing "$(py 'told()')"
}

becomes_nothing() {
	local what=$1
	shift
	tunnel "$@"
	py "error($what)"
	equal "after" nothing "$(py 'told()')"
}

path_mtu() {
	local header=$1 quoted=$2
	shift 2
	tunnel "$@"
	on a ip route flush cache
	py "error(3, 4, '$header', $quoted, rest=1300)"
	contains "mtu 1300" "$(on a ip route get 10.0.0.9)"
}

redirect() {
	local header=$1
	shift
	tunnel "$@"
	on a ip route flush cache
	on a sysctl -qw net.ipv4.conf.all.accept_redirects=1 net.ipv4.conf.va.accept_redirects=1 \
		net.ipv4.conf.all.secure_redirects=0 net.ipv4.conf.va.secure_redirects=0 \
		net.ipv4.conf.va.shared_media=0 net.ipv4.conf.all.shared_media=0 \
		net.ipv4.conf.all.forwarding=0 net.ipv4.conf.va.forwarding=0
	on b ip addr replace 10.0.0.3/24 dev vb
	quietly on a ping -n -c 1 10.0.0.3
	py "error(5, 1, '$header', rest=int.from_bytes(v4('10.0.0.3'), 'big'))"
	contains "via 10.0.0.3" "$(on a ip route get 10.0.0.9)"
	on a sysctl -qw net.ipv4.ip_forward=1
}

for kind in "ipip ipip ttl 64" "gre gre ttl 64" "key gre key 5 ttl 64"; do
	set -- $kind
	header=$1
	shift
	short=28
	check "$*: host unreachable" becomes_unreachable "3, 1, '$header'" "$@"
	check "$*: host unreachable, 8 bytes quoted" \
		becomes_unreachable "3, 1, '$header', $short" "$@"
	# A GRE host does not send it; for ipip it says that there is no tunnel.
	if [ $header = ipip ]; then
		check "$*: port unreachable" becomes_unreachable "3, 3, '$header'" "$@"
	else
		check "$*: port unreachable says nothing" becomes_nothing "3, 3, '$header'" "$@"
	fi
	check "$*: ttl exceeded" becomes_unreachable "11, 0, '$header'" "$@"
	check "$*: reassembly time exceeded says nothing about the tunnel" \
		becomes_nothing "11, 1, '$header'" "$@"
	check "$*: source route failed says nothing about the tunnel" \
		becomes_nothing "3, 5, '$header'" "$@"
	check "$*: an error about another remote" \
		becomes_nothing "3, 1, '$header', remote='10.0.0.8'" "$@"
	check "$*: fragmentation needed is learned" path_mtu $header 548 "$@"
	check "$*: fragmentation needed is learned, 8 bytes quoted" path_mtu $header $short "$@"
	check "$*: redirect is followed" redirect $header "$@"
done
check "ipip ttl inherit: ttl exceeded is the inner packet's own matter" \
	becomes_nothing "11, 0, 'ipip'" ipip
check "gre ttl inherit: ttl exceeded is the inner packet's own matter" \
	becomes_nothing "11, 0, 'gre'" gre
check "gre key 5: an error about another key" becomes_nothing "3, 1, 'wrong'" gre key 5 ttl 64

finish
