#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The outer ttl, tos, DF and identification: fixed, or inherited from inner
# IPv4, IPv6 and MPLS.
#
#         a                               b
#   +-----------+                   +-----------+
#   |    tun    | = = = tunnel = = =|    tun    |
#   |    va ----+-------------------+---- vb    |
#   +-----------+                   +-----------+
#    10.0.0.1/24                     10.0.0.2/24

. "$(dirname "$0")/lib.sh"
load_tunnels ipip gre

namespaces a b
ipv6_on a
wire a va 10.0.0.1/24 b vb 10.0.0.2/24
start_wire
py '
V4 = lambda **how: ip("10.1.1.1", "10.1.1.2", udp(1, 2, b"ttl"), **how)
V6 = lambda **how: ip6("fd01::1", "fd01::2", udp(1, 2, b"ttl"), **how)

def outer(inner):
    """The outer header that a packet gets"""
    sniff("a", "va")
    send("a", "tun", inner)
    return seen("a", "va", lambda p: p[0].src == "10.0.0.1" and p[-2].name == "udp")[0]
'

tunnel() {
	quietly on a ip link del tun || true
	on a ip link add tun type "$@" local 10.0.0.1 remote 10.0.0.2
	on a ip link set tun up
}

# gets FIELD VALUE INNER: one field of the outer header.
gets() { equal "outer $1" "$2" "$(py "str(outer($3).$1)")"; }

for kind in ipip gre; do
	tunnel $kind
	check "$kind ttl inherit: from inner IPv4" gets ttl 33 'V4(ttl=33)'
	check "$kind pmtudisc: DF is set" gets df True 'V4()'
	check "$kind tos 0: the inner tos is not copied" gets tos 0 'V4(tos=0x28)'
	[ $kind = ipip ] || check "$kind ttl inherit: from inner IPv6" gets ttl 44 'V6(ttl=44)'
	[ $kind = ipip ] || check "$kind pmtudisc: DF is set for inner IPv6" gets df True 'V6()'

	tunnel $kind ttl 9 tos inherit
	check "$kind ttl 9: fixed" gets ttl 9 'V4(ttl=33)'
	check "$kind tos inherit: from inner IPv4" gets tos $((0x28)) 'V4(tos=0x28)'
	[ $kind = ipip ] || check "$kind ttl 9: fixed for inner IPv6" gets ttl 9 'V6(ttl=44)'
	[ $kind = ipip ] || check "$kind tos inherit: from inner IPv6" gets tos $((0x28)) 'V6(tos=0x28)'

	tunnel $kind tos 0x50
	check "$kind tos 0x50: fixed" gets tos $((0x50)) 'V4(tos=0x28)'

	tunnel $kind ttl inherit nopmtudisc
	check "$kind nopmtudisc: DF is copied from the inner header" gets df True 'V4(df=True)'
	check "$kind nopmtudisc: no DF when the inner header has none" gets df False 'V4()'
	[ $kind = ipip ] || check "$kind nopmtudisc: no DF for inner IPv6" gets df False 'V6()'
done

tunnel gre nopmtudisc ignore-df
check "gre ignore-df: no DF though the inner header has it" gets df False 'V4(df=True)'

# Without DF a router may fragment: identifications must differ.
identifications_differ() {
	tunnel gre nopmtudisc
	py 'len({outer(V4()).ident for n in range(8)}) == 8'
}
check "gre nopmtudisc: each packet has its own identification" identifications_differ

mpls_in() {
	local proto=$1
	shift
	kernel_has mpls_router || skip "this kernel has no mpls_router"
	tunnel "$@"
	py 'sniff("a", "va")'
	py 'send("a", "tun", mpls(100, V4(), ttl=55))'
	py "seen('a', 'va', lambda p: p[0].src == '10.0.0.1' and p[0].proto == $proto
		and names(p).endswith('mpls ip udp') and p[-4].label == 100)"
}
check "ipip mode any: MPLS is carried as protocol 137" mpls_in 137 ipip mode any
check "ipip mode mplsip: MPLS is carried as protocol 137" mpls_in 137 ipip mode mplsip
check "gre: MPLS is carried as EtherType 0x8847" mpls_in 47 gre

mpls_ttl() {
	kernel_has mpls_router || skip "this kernel has no mpls_router"
	tunnel "$@"
	equal "outer ttl" 64 "$(py 'str(outer(mpls(100, V4(ttl=33), ttl=55)).ttl)')"
}
check "gre ttl inherit: MPLS has none to give, the route's is taken" mpls_ttl gre

ipip_takes_its_mode_only() {
	tunnel ipip mode "$1"
	py 'sniff("a", "va")'
	py "send('a', 'tun', $2)"
	equal "tx_errors" 1 "$(counter a tun tx_errors)"
	equal "tx_packets" 0 "$(counter a tun tx_packets)"
}
check "ipip mode ipip: MPLS is refused" ipip_takes_its_mode_only ipip 'mpls(100, V4())'
check "ipip mode mplsip: IPv4 is refused" ipip_takes_its_mode_only mplsip 'V4()'
check "ipip: IPv6 is refused" ipip_takes_its_mode_only any 'V6()'

finish
