#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# ERSPAN, versions 0 (I), 1 (II) and 2 (III): mirrored frames in GRE.
#
#         a                               b
#   +-----------+                   +-----------+
#   |    es     | = = = erspan = = =|    es     |
#   |    va ----+-------------------+---- vb    |
#   +-----------+                   +-----------+
#    10.0.0.1/24                     10.0.0.2/24

. "$(dirname "$0")/lib.sh"
need tc
load_tunnels erspan

namespaces a b h
wire a va 10.0.0.1/24 b vb 10.0.0.2/24
wire h e 10.1.0.2/24 a tap0 10.1.0.1/24
start_wire
py '
frame = eth("02:00:00:00:00:0b", "02:00:00:00:00:0a", ip("10.2.0.1", "10.2.0.2", udp(1, 2, b"mirrored" * 8)))
GOT = lambda p: p[-2].name == "udp" and p[-2].dport == 2
'

tunnel() {
	quietly on a ip link del es || true
	quietly on b ip link del es || true
	on a ip link add es type erspan local 10.0.0.1 remote 10.0.0.2 "$@"
	on b ip link add es type erspan local 10.0.0.2 remote 10.0.0.1 "$@"
	on a ip link set es up
	on b ip link set es up
}

# sent CONDITION: what is on the wire for one frame.
sent() {
	py 'sniff("a", "va")'
	py 'sniff("b", "es")'
	py 'send_frame("a", "es", frame)'
	py "seen('a', 'va', lambda p: GOT(p) and ($1))"
	py 'seen("b", "es", lambda p: GOT(p) and p[0].src == "10.2.0.1")'
}

version_0() {
	tunnel erspan_ver 0
	sent 'names(p) == "ip gre eth ip udp" and p[1].proto == 0x88be and p[1].flags == 0'
}

version_1() {
	tunnel seq key 102 erspan_ver 1 erspan 1234
	sent 'names(p) == "ip gre erspan eth ip udp" and p[1].proto == 0x88be
		and p[1].flags == 0x1000 and p[1].key is None and p[2].version == 1
		and p[2].session == 102 and p[2].index == 1234'
}

version_2() {
	tunnel seq key 103 erspan_ver 2 erspan_dir "$1" erspan_hwid 7
	sent "names(p) == 'ip gre erspan eth ip udp' and p[1].proto == 0x22eb
		and p[1].flags == 0x1000 and p[2].version == 2 and p[2].session == 103
		and p[2].hwid == 7 and p[2].direction == $2"
}

cos_from_tos() {
	tunnel seq key 102 erspan_ver 1 erspan 1
	py 'sniff("a", "va")'
	py 'send_frame("a", "es", eth("02:00:00:00:00:0b", "02:00:00:00:00:0a",
		ip("10.2.0.1", "10.2.0.2", udp(1, 2), tos=0xa0)))'
	py 'seen("a", "va", lambda p: GOT(p) and p[2].cos == 5)'
}

sequence_counts() {
	tunnel seq key 102 erspan_ver 1 erspan 1
	py 'sniff("a", "va")'
	py 'send_frame("a", "es", frame)'
	py 'first = seen("a", "va", GOT)[1].seq'
	py 'send_frame("a", "es", frame)'
	py 'seen("a", "va", GOT)[1].seq == first + 1'
}

# The session is the key: another one is not ours.
session_selects() {
	tunnel seq key 102 erspan_ver 1 erspan 1
	py 'sniff("b", "es")'
	py 'deliver("a", "va", "b", "vb", ip("10.0.0.1", "10.0.0.2", gre(erspan2(frame, 103), seq=1)))'
	py 'unseen("b", "es", GOT)'
	py 'deliver("a", "va", "b", "vb", ip("10.0.0.1", "10.0.0.2", gre(erspan2(frame, 102), seq=2)))'
	py 'seen("b", "es", GOT)'
}

version_3_on_receive() {
	tunnel seq key 102 erspan_ver 2 erspan_dir ingress erspan_hwid 1
	py 'sniff("b", "es")'
	py 'deliver("a", "va", "b", "vb", ip("10.0.0.1", "10.0.0.2", gre(erspan3(frame, 102), seq=1)))'
	py 'seen("b", "es", GOT)'
}

# Cut short anywhere: nothing arrives and nothing breaks.
truncated() {
	tunnel seq key 102 erspan_ver 1 erspan 1
	py 'sniff("b", "es")'
	py '
whole = gre(erspan2(frame, 102), seq=1)
for size in range(len(whole) - len(frame) + 14):
    deliver("a", "va", "b", "vb", ip("10.0.0.1", "10.0.0.2", whole[:size], proto=47))
'
	py 'unseen("b", "es")'
	py 'deliver("a", "va", "b", "vb", ip("10.0.0.1", "10.0.0.2", gre(erspan2(frame, 102), seq=2)))'
	py 'seen("b", "es", GOT)'
}

# The use it is made for: mirror a port into the tunnel.
mirrors_a_port() {
	kernel_has act_mirred || skip "this kernel has no act_mirred"
	tunnel seq key 102 erspan_ver 1 erspan 1
	on a tc qdisc add dev tap0 clsact
	on a tc filter add dev tap0 ingress matchall action mirred egress mirror dev es
	py 'sniff("b", "es")'
	ping_ok h 10.1.0.1
	py 'seen("b", "es", lambda p: names(p) == "ip icmp" and p[0].src == "10.1.0.2" and p[1].kind == 8)'
	on a tc qdisc del dev tap0 clsact
}

shown() { on a ip -d link show es | sed -n 's/^    \(erspan .*\)/\1/p' | sed 's/ \(addrgenmode\|numtxqueues\) .*//; s/ *$//'; }

is_shown() {
	local expected=$1
	shift
	tunnel "$@"
	equal "ip -d link show" "erspan remote 10.0.0.2 local 10.0.0.1 $expected" "$(shown)"
}

mtu_is() {
	local expected=$1
	shift
	tunnel "$@"
	equal mtu $expected "$(on a cat /sys/class/net/es/mtu)"
}

# Culvert says why, and iproute2 prints that in place of the errno.
refused() {
	local answer="Invalid argument"
	! culvert || answer="Error: culvert: "
	says "$answer" on a ip link add new type erspan \
		local 10.0.0.1 remote 10.0.0.9 "$@"
	fails quietly on a ip link show new
}

check "version 0: the frame follows the GRE header" version_0
check "version 1: session and index" version_1
check "version 2: session, hwid and direction ingress" version_2 ingress 0
check "version 2: session, hwid and direction egress" version_2 egress 1
check "version 1: the class of service comes from the tos" cos_from_tos
check "sequence numbers go up" sequence_counts
check "the session selects the tunnel" session_selects
check "version 2 on receive" version_3_on_receive
check "packets cut short" truncated
check "a port is mirrored" mirrors_a_port
check "version 1 is shown" is_shown \
	"ttl inherit ikey 0.0.0.102 okey 0.0.0.102 iseq oseq erspan_index 4 erspan_ver 1" \
	seq key 102 erspan_ver 1 erspan 4
check "version 2 is shown" is_shown \
	"ttl inherit ikey 0.0.0.102 okey 0.0.0.102 iseq oseq erspan_ver 2 erspan_dir egress erspan_hwid 0x7" \
	seq key 102 erspan_ver 2 erspan_dir egress erspan_hwid 7
check "mtu of version 0" mtu_is 1462 erspan_ver 0
check "mtu of version 1" mtu_is 1450 seq key 1 erspan_ver 1
check "mtu of version 2" mtu_is 1446 seq key 1 erspan_ver 2
check "without seq and key: refused" refused erspan_ver 1
check "with csum: refused" refused seq key 1 csum erspan_ver 1
check "key above 1023: refused" refused seq key 1024 erspan_ver 1

finish
