#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# ECN through a tunnel, RFC 6040: what the outer header gets on entry, what the
# inner header has after exit, for IPv4 and IPv6 payloads; and that an Ethernet
# payload is left alone.
#
#         a                               b
#   +-----------+                   +-----------+
#   |    tun    | = = = tunnel = = =|    tun    |
#   |    va ----+-------------------+---- vb    |
#   +-----------+                   +-----------+
#    10.0.0.1/24                     10.0.0.2/24
#
# ECN codepoints: 0 Not-ECT, 1 ECT(1), 2 ECT(0), 3 CE.

. "$(dirname "$0")/lib.sh"
load_tunnels ipip gre

namespaces a b
ipv6_on a
ipv6_on b
wire a va 10.0.0.1/24 b vb 10.0.0.2/24
start_wire
py '
INNER = {4: lambda tos: ip("10.1.1.1", "10.1.1.2", udp(1, 2, b"ecn"), tos=tos),
         6: lambda tos: ip6("fd01::1", "fd01::2", udp(1, 2, b"ecn"), tos=tos)}
OUTER = {"ipip": lambda tos, inner: ip("10.0.0.1", "10.0.0.2", inner, tos=tos),
         "gre": lambda tos, inner: ip("10.0.0.1", "10.0.0.2", gre(inner), tos=tos)}

def entry(version, tos):
    """The outer tos that an inner packet with this tos gets"""
    sniff("a", "va")
    send("a", "tun", INNER[version](tos))
    layers = seen("a", "va", lambda p: p[-2].name == "udp" and p[-2].dport == 2)
    assert layers[-3].tos == tos, "the inner tos has changed: %s" % layers
    return "0x%02x" % layers[0].tos

def exit(kind, version, outer, inner):
    """The inner ECN after the tunnel, or drop"""
    sniff("b", "tun", "ip")
    deliver("a", "va", "b", "vb", OUTER[kind](outer, INNER[version](inner)))
    deliver("a", "va", "b", "vb", OUTER[kind](0, ip("10.1.1.1", "10.1.1.2", udp(1, 3))))
    layers = seen("b", "tun", lambda p: p[-2].name == "udp")
    if layers[-2].dport == 3:
        return "drop"
    assert layers[0].name == "ip6" or layers[0].sum_ok, "wrong IPv4 checksum: %s" % layers
    return "0x%02x" % layers[0].tos
'

# tunnel KIND [OPTION...]: in both namespaces, without addresses.
tunnel() {
	quietly on a ip link del tun || true
	quietly on b ip link del tun || true
	tunnel_end a tun 10.0.0.1 10.0.0.2 - "$@"
	tunnel_end b tun 10.0.0.2 10.0.0.1 - "$@"
}

enters() { equal "outer tos" "$3" "$(py "entry($1, $2)")"; }
leaves() { equal "inner tos" "$5" "$(py "exit('$1', $2, $3, $4)")"; }

# entry KIND VERSION TOS RESULT...: the outer tos for inner tos 0x18 with ECN 0 to 3.
entry() {
	local kind=$1 version=$2 tos=$3 ecn=0 outer
	shift 3
	for outer; do
		check "$kind v$version entry: tos $tos, inner ECN $ecn gives outer $outer" \
			enters $version "0x18 | $ecn" $outer
		ecn=$((ecn + 1))
	done
}

# The tunnel's tos fixed: the upper six bits are the tunnel's, ECN the inner's;
# CE is not copied: the outer packet starts anew with ECT(0).
entry_fixed() { entry $1 $2 0x40 0x40 0x41 0x42 0x42; }

# tos inherit: all of it is the inner's.
entry_inherited() { entry $1 $2 inherit 0x18 0x19 0x1a 0x1a; }

# Rows: inner ECN.  Columns: outer Not-ECT, ECT(1), ECT(0), CE.
exit_table() {
	local kind=$1 version=$2 inner outer results result
	while read -r inner results; do
		outer=0
		for result in $results; do
			[ "$result" = drop ] || result=$(printf '0x%02x' $((0x18 | result)))
			check "$kind v$version exit: outer ECN $outer, inner ECN $inner gives $result" \
				leaves $kind $version $outer "0x18 | $inner" $result
			outer=$((outer + 1))
		done
	done <<-END
		0  0 0 0 drop
		1  1 1 1 3
		2  2 1 2 3
		3  3 3 3 3
	END
}

counts_the_drop() {
	equal "rx_frame_errors" 1 "$(counter b tun rx_frame_errors)"
	equal "rx_errors" 1 "$(counter b tun rx_errors)"
}

tunnel ipip tos 0x40
entry_fixed ipip 4
exit_table ipip 4
check "ipip: the drop is counted in rx_frame_errors and rx_errors" counts_the_drop
tunnel ipip tos inherit
entry_inherited ipip 4

tunnel gre tos 0x40
entry_fixed gre 4
entry_fixed gre 6
exit_table gre 4
tunnel gre tos inherit
entry_inherited gre 4
entry_inherited gre 6
exit_table gre 6
check "gre: the drop is counted in rx_frame_errors and rx_errors" counts_the_drop

# An Ethernet frame has no ECN of its own, whatever it carries.  The in-tree
# module looks inside all the same and drops the frame.
ethernet_payload() {
	tunnel gretap
	py 'sniff("b", "tun")'
	py 'deliver("a", "va", "b", "vb", ip("10.0.0.1", "10.0.0.2", gre(
		eth("ff:ff:ff:ff:ff:ff", "02:00:00:00:00:01", INNER[4](0x18))), tos=3))'
	local arrived=seen
	culvert || arrived=unseen
	py "$arrived('b', 'tun', lambda p: p[0].name == 'ip' and p[0].tos == 0x18)"
}

check "gretap: outer CE is not the Ethernet payload's matter" ethernet_payload

finish
