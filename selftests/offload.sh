#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Segmentation offload: bulk data crosses the tunnel in large pieces, is cut
# late and arrives whole; and every packet on the wire has right checksums.
#
#         a                               b
#   +-----------+                   +-----------+
#   |    tun    | = = = tunnel = = =|    tun    |
#   |    va ----+-------------------+---- vb    |
#   +-----------+                   +-----------+
#    10.0.0.1/24                     10.0.0.2/24

. "$(dirname "$0")/lib.sh"
need ethtool
load_tunnels ipip gre

namespaces a b
wire a va 10.0.0.1/24 b vb 10.0.0.2/24
start_wire
py '
def tcp_sums(packet):
    """The TCP checksum of an inner packet is right"""
    where = packet.raw
    size = (where[0] & 15) * 4
    segment = where[size:]
    pseudo = where[12:20] + struct.pack("!HH", 6, len(segment))
    return checksum(pseudo + segment) == 0

def udp_segments(size, count):
    """One sendmsg of many datagrams; all of them arrive as they were"""
    there = socket_in("b", socket.AF_INET, socket.SOCK_DGRAM)
    there.bind(("10.1.1.2", 0))
    there.settimeout(20)
    here = socket_in("a", socket.AF_INET, socket.SOCK_DGRAM)
    here.setsockopt(17, 103, size)			# UDP_SEGMENT
    data = pattern(size * count)
    here.sendto(data, there.getsockname())
    return b"".join(there.recv(70000) for n in range(count)) == data

def out_of_order():
    """Segments that TCP in b got before their turn, so far"""
    with inside("b"):
        names, values = [line.split() for line in open("/proc/thread-self/net/netstat")
                         if line.startswith("TcpExt:")]
    return int(values[names.index("TCPOFOQueue")])

def in_order():
    """Single segments, segments that GRO merges and merged ones, by turns. On
    one CPU: a process that moves sends by another queue"""
    everywhere = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {0})
    before = out_of_order()
    tcp_copy("a", "b", "10.1.1.2", 1 << 20, pieces=[100, 5000, 1400, 40000, 1, 2800, 1400])
    os.sched_setaffinity(0, everywhere)
    return "%d early" % (out_of_order() - before)

def wire_sums(inner):
    """Look at what leaves va during a TCP transfer: how many are wrong"""
    sniff("a", "va")
    tcp_copy("a", "b", "10.1.1.2", 1 << 16)
    wrong = looked = 0
    others = []
    while True:
        layers = sniffers["a", "va"].next(0)
        if layers is None:
            break
        if not layers[0].outgoing or layers[0].name != "ip" or len(layers) < 3:
            others.append((layers[0].outgoing, names(layers), len(layers[0].raw)))
            continue
        looked += 1
        tcp = [l for l in layers if l.name == "ip"][-1]
        if not layers[0].sum_ok or not tcp.sum_ok or not tcp_sums(tcp):
            wrong += 1
        if any(l.name == "gre" and l.csum is False for l in layers):
            wrong += 1
        if any(len(l.raw) > 1500 for l in layers):
            wrong += 1
    assert looked > 40, "only %d packets seen; others: %s" % (looked, others)
    return "%d wrong" % wrong
'

feature() { on a ethtool -k tun | awk -v f="$1:" '$1 == f { print $2 }'; }

features() {
	equal "tx-checksum-ip-generic" on "$(feature tx-checksum-ip-generic)"
	equal "scatter-gather" on "$(feature scatter-gather)"
	equal "highdma" on "$(feature highdma)"
	equal "generic-segmentation-offload" on "$(feature generic-segmentation-offload)"
	equal "tcp-segmentation-offload" "$1" "$(feature tcp-segmentation-offload)"
}

# A megabyte is about 750 segments; with GSO the tunnel sees far fewer packets.
in_large_pieces() {
	local before
	before=$(counter a tun tx_packets)
	py 'tcp_copy("a", "b", "10.1.1.2", 1 << 20)'
	local sent=$(($(counter a tun tx_packets) - before))
	[ $sent -lt 400 ] || { echo "$sent packets for 1 MiB: not in large pieces"; return 1; }
}

arrives() { py 'tcp_copy("a", "b", "10.1.1.2", 1 << 20)'; }

# What goes to GRO and what goes straight up the stack must not overtake each other.
in_order() {
	equal "segments" "0 early" "$(py 'in_order()')"
	quietly on b ethtool -K tun gro off
	equal "segments without GRO" "0 early" "$(py 'in_order()')"
	quietly on b ethtool -K tun gro on
}

datagrams() { py 'udp_segments(1000, 30)'; }

# No offload below the tunnel: the software has to cut and to sum everything.
sums_on_the_wire() {
	quietly on a ethtool -K va tso off gso off tx off
	trap 'quietly on a ethtool -K va tso on gso on tx on' EXIT
	equal "packets" "0 wrong" "$(py 'wire_sums(1)')"
}

# Segments that come one by one are merged behind the tunnel.
merges() {
	quietly on a ethtool -K va tso off gso off tx off
	trap 'quietly on a ethtool -K va tso on gso on tx on' EXIT
	py 'merged("a", "b", "tun", "10.1.1.2")'
}

large() {
	tunnel_pair "$@"
	check "$*: offload features" features on
	check "$*: TCP goes in large pieces, compared" in_large_pieces
	check "$*: UDP segmentation (UDP_SEGMENT), compared" datagrams
	check "$*: checksums and sizes on the wire" sums_on_the_wire
	check "$*: GRO merges what arrives" merges
	check "$*: TCP of all sizes arrives in order" in_order
}

large ipip
large gre
large gre key 5
large gre csum
large gretap
large gretap key 5 csum

# In-tree a tunnel with sequence numbers has no segmentation offload.
tunnel_pair gre seq
check "gre seq: TCP, compared" arrives
check "gre seq: checksums and sizes on the wire" sums_on_the_wire
check "gre seq: TCP of all sizes arrives in order" in_order

# Stacked: the outer tunnel cuts what the inner one has built.
stacked() {
	for ns in a b; do
		quietly on $ns ip link del tun || true
		quietly on $ns ip link del low || true
	done
	tunnel_end a low 10.0.0.1 10.0.0.2 10.3.1.1/30 $1
	tunnel_end b low 10.0.0.2 10.0.0.1 10.3.1.2/30 $1
	tunnel_end a tun 10.3.1.1 10.3.1.2 10.1.1.1/30 $2
	tunnel_end b tun 10.3.1.2 10.3.1.1 10.1.1.2/30 $2
	arrives
	sums_on_the_wire
	on a ip link del tun
	on b ip link del tun
	on a ip link del low
	on b ip link del low
}

check "gre in ipip: TCP, compared, checksums on the wire" stacked ipip gre
check "gretap in gre: TCP, compared, checksums on the wire" stacked gre gretap
check "ipip in ipip: TCP, compared, checksums on the wire" stacked ipip ipip

finish
