#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Tunnels inside UDP: FOU and GUE around ipip, gre and gretap.
#
#         a                                  b
#   +-----------+                      +-----------+
#   |    tun    | = = UDP port 5555 = =|    tun    |
#   |    va ----+----------------------+---- vb    |
#   +-----------+                      +-----------+
#    10.0.0.1/24                        10.0.0.2/24

. "$(dirname "$0")/lib.sh"
load_tunnels ipip gre
kernel_has fou || skip "this kernel has no fou"

namespaces a b
wire a va 10.0.0.1/24 b vb 10.0.0.2/24
start_wire

# tunnel KIND ENCAP [OPTION...]
tunnel() {
	local kind=$1 encap=$2
	shift 2
	for ns in a b; do
		quietly on $ns ip link del tun || true
		quietly on $ns ip fou del port 5555 || true
	done
	case $encap,$kind in
	fou,ipip) set -- "ipproto 4" "$@" ;;
	fou,*) set -- "ipproto 47" "$@" ;;
	gue,*) set -- gue "$@" ;;
	esac
	local listen=$1
	shift
	on a ip fou add port 5555 $listen
	on b ip fou add port 5555 $listen
	on a ip link add tun type $kind local 10.0.0.1 remote 10.0.0.2 \
		encap $encap encap-sport auto encap-dport 5555 "$@"
	on b ip link add tun type $kind local 10.0.0.2 remote 10.0.0.1 \
		encap $encap encap-sport auto encap-dport 5555 "$@"
	on a ip addr add 10.1.1.1/30 dev tun
	on b ip addr add 10.1.1.2/30 dev tun
	on a ip link set tun up
	on b ip link set tun up
}

works() {
	tunnel "$@"
	ping_ok a 10.1.1.2
	ping_ok b 10.1.1.1
	on a ping -n -q -c 2 -i 0.1 -s 4000 10.1.1.2
	py 'tcp_copy("a", "b", "10.1.1.2", 1 << 18)'
}

udp_on_the_wire() {
	py 'sniff("a", "va")'
	ping_ok a 10.1.1.2
	py "seen('a', 'va', lambda p: names(p) == 'ip udp' and p[1].dport == 5555 and $1)"
}

mtu_is() { equal mtu "$1" "$(on a cat /sys/class/net/tun/mtu)"; }

shown() {
	contains "encap $1 encap-sport auto encap-dport 5555" "$(on a ip -d link show tun)"
}

# A source port of one's own choice.
source_port() {
	tunnel ipip fou encap-sport 4444
	udp_on_the_wire 'p[1].sport == 4444'
}

# The payload follows the UDP header; here an inner IPv4 header.
payload_is() { udp_on_the_wire "p[2].raw.startswith($1)"; }

check "ipip in FOU" works ipip fou
check "ipip in FOU: on the wire" payload_is 'b"\x45"'
check "ipip in FOU: mtu" mtu_is 1472
check "ipip in FOU: shown" shown fou
check "ipip in FOU: a chosen source port" source_port
check "gre in FOU" works gre fou
check "gre in FOU: on the wire" payload_is 'b"\0\0\x08\0\x45"'
check "gre key csum in FOU" works gre fou key 5 csum
check "gretap in FOU" works gretap fou
check "ipip in GUE" works ipip gue
check "ipip in GUE: on the wire" payload_is 'b"\0\x04\0\0\x45"'
check "ipip in GUE: mtu" mtu_is 1468
check "ipip in GUE: shown" shown gue
check "ipip in GUE with UDP checksums" works ipip gue encap-csum
check "ipip in GUE with remote checksum offload" works ipip gue encap-csum encap-remcsum
check "gre in GUE" works gre gue
check "gre in GUE: on the wire" payload_is 'b"\0\x2f\0\0\0\0\x08\0\x45"'
check "gretap key in GUE" works gretap gue key 9

finish
