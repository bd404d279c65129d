#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# TCP, and UDP payloads of 0 to 65507 bytes, through each kind of tunnel;
# everything that arrives is compared with what was sent.
#
#           a                                   b
#   +---------------+                   +---------------+
#   |  tun          | = = = tunnel = = =|  tun          |
#   |  10.1.1.1/30  |                   |  10.1.1.2/30  |
#   |     va -------+-------------------+------ vb      |
#   +---------------+                   +---------------+
#      10.0.0.1/24        mtu 1500         10.0.0.2/24

. "$(dirname "$0")/lib.sh"
load_tunnels ipip gre

namespaces a b
wire a va 10.0.0.1/24 b vb 10.0.0.2/24
start_wire

# Small ones, the edges of one packet at every header size, the edges of two
# packets, and the largest there is.
sizes="0, 1, 2, 3, 7, 8, 63, 64, 65, 511, 1024, *range(1418, 1476, 3), 1472, 1473,
	2800, 2904, 2905, 4096, 9000, 16384, 32768, 65000, 65506, 65507"

no_tunnel() {
	on a ip link del tun
	on b ip link del tun
}

udp_sizes() {
	py "udp_echo('a', '10.1.1.1', 'b', '10.1.1.2', [$sizes])"
}

# The tunnel's own mtu is as large as the underlay's and the outer header has
# no DF: now the outer packets are the fragments.
udp_outer_fragments() {
	on a ip link set tun mtu 1500
	on b ip link set tun mtu 1500
	py 'sniff("a", "va")'
	py "udp_echo('a', '10.1.1.1', 'b', '10.1.1.2', [1472, 1473, 5000, 65507])"
	py 'seen("a", "va", lambda p: p[0].more and not p[0].df)'
}

tcp_both_ways() {
	tcp_transfer a b 10.1.1.2
	tcp_transfer b a 10.1.1.1
}

tcp_digest() {
	py 'tcp_copy("a", "b", "10.1.1.2", 1 << 19)'
}

payloads() {
	local name=$1
	shift
	check "$name: the tunnel is set up" tunnel_pair "$@"
	check "$name: TCP both ways" tcp_both_ways
	check "$name: TCP, digest compared" tcp_digest
	check "$name: UDP from 0 to 65507 bytes, compared" udp_sizes
	check "$name: the tunnel is removed" no_tunnel
}

payloads "ipip" ipip
payloads "gre" gre
payloads "gre key" gre key 7
payloads "gre key csum seq" gre key 7 csum seq

check "ipip nopmtudisc: the tunnel is set up" tunnel_pair ipip ttl 0 nopmtudisc
check "ipip nopmtudisc: UDP in outer fragments" udp_outer_fragments
check "ipip nopmtudisc: the tunnel is removed" no_tunnel
check "gre nopmtudisc: the tunnel is set up" tunnel_pair gre ttl 0 nopmtudisc key 7
check "gre nopmtudisc: UDP in outer fragments" udp_outer_fragments
check "gre nopmtudisc: the tunnel is removed" no_tunnel

finish
