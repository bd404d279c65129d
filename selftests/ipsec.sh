#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# A tunnel over transport-mode ESP: the policies apply to the outer packet.
#
#         a                               b
#   +-----------+                   +-----------+
#   |    tun    | = = tunnel, ESP = |    tun    |
#   |    va ----+-------------------+---- vb    |
#   +-----------+                   +-----------+
#    10.0.0.1/24                     10.0.0.2/24

. "$(dirname "$0")/lib.sh"
load_tunnels ipip gre
kernel_has esp4 || skip "this kernel has no esp4"
kernel_has xfrm_user || skip "this kernel has no xfrm_user"

namespaces a b
wire a va 10.0.0.1/24 b vb 10.0.0.2/24
start_wire

key=0x0102030405060708090a0b0c0d0e0f10
states() {
	for ns in a b; do
		on $ns ip xfrm state add src 10.0.0.1 dst 10.0.0.2 proto esp spi 0x101 \
			mode transport enc "cbc(aes)" $key auth "hmac(sha256)" $key
		on $ns ip xfrm state add src 10.0.0.2 dst 10.0.0.1 proto esp spi 0x102 \
			mode transport enc "cbc(aes)" $key auth "hmac(sha256)" $key
	done
}

# policies PROTOCOL: that protocol between a and b only inside ESP.
policies() {
	for ns in a b; do
		on $ns ip xfrm policy flush
		case $ns in
		a) out="src 10.0.0.1 dst 10.0.0.2" in="src 10.0.0.2 dst 10.0.0.1" ;;
		b) out="src 10.0.0.2 dst 10.0.0.1" in="src 10.0.0.1 dst 10.0.0.2" ;;
		esac
		on $ns ip xfrm policy add $out proto $1 dir out tmpl proto esp mode transport
		on $ns ip xfrm policy add $in proto $1 dir in tmpl proto esp mode transport
	done
}

protected() {
	local protocol=$1
	shift
	tunnel_pair "$@"
	policies $protocol
	py 'sniff("a", "va")'
	ping_ok a 10.1.1.2
	py 'seen("a", "va", lambda p: p[0].proto == 50 and p[0].src == "10.0.0.1")'
	py 'seen("a", "va", lambda p: p[0].proto == 50 and p[0].dst == "10.0.0.1")'
	py "unseen('a', 'va', lambda p: p[0].proto == $protocol)"
	py 'tcp_copy("a", "b", "10.1.1.2", 1 << 17)'
}

# What the policy wants protected is not taken in the clear.
clear_is_refused() {
	local before
	before=$(counter b tun rx_packets)
	py "deliver('a', 'va', 'b', 'vb', ip('10.0.0.1', '10.0.0.2', $1))"
	ping_ok a 10.1.1.2
	equal "rx_packets" $((before + 3)) "$(counter b tun rx_packets)"
}

# A policy for the inner packet is asked too.
inner_policy() {
	on b ip xfrm policy add src 10.1.1.1 dst 10.1.1.2 dir in action block
	ping_lost a 10.1.1.2
	on b ip xfrm policy del src 10.1.1.1 dst 10.1.1.2 dir in
	ping_ok a 10.1.1.2
}

check "states" states
check "gre over ESP" protected 47 gre
check "gre: a packet in the clear is refused" clear_is_refused \
	'gre(ip("10.1.1.1", "10.1.1.2", icmp()))'
check "gre: an inbound policy for the inner packet" inner_policy
check "gre key over ESP" protected 47 gre key 5
check "ipip over ESP" protected 4 ipip
check "ipip: a packet in the clear is refused" clear_is_refused \
	'ip("10.1.1.1", "10.1.1.2", icmp())'
check "gretap over ESP" protected 47 gretap

finish
