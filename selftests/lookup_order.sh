#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Which tunnel gets a packet when several could: exact endpoints, then any
# local, then any remote, then (gre) key only, then the base device; a tunnel
# bound to the device the packet came in on is preferred to one that is not.
#
#            a                                  b
#   +-----------------+               +-------------------+
#   |   va 10.0.0.1 --+---------------+-- vb 10.0.0.2     |
#   |                 |               |        exact nolocal
#   |   wa 10.0.0.1 --+---------------+-- wb   noremote keyonly
#   +-----------------+               +-------------------+
#
# Packets are put on the wire in a; the question is always which device of b
# has received them.

. "$(dirname "$0")/lib.sh"
load_tunnels ipip gre

namespaces a b
wire a va 10.0.0.1/24 b vb 10.0.0.2/24
wire a wa - b wb -
start_wire
py '
def packets_in(ns):
    """rx_packets of every tunnel device"""
    with inside(ns):
        with open("/proc/thread-self/net/dev") as table:
            rows = [line.replace(":", " ").split() for line in table][2:]
    return {row[0]: int(row[2]) for row in rows if row[0] not in ("lo", "vb", "wb")}

def receiver(packet, dev="va", to="vb"):
    """The device of b that counts this packet, or none"""
    before = packets_in("b")
    deliver("a", dev, "b", to, packet)
    end = time.monotonic() + 0.5
    while time.monotonic() < end:
        changed = [name for name, count in packets_in("b").items() if count > before[name]]
        if changed:
            return " ".join(changed)
    return "none"

inner = ip("10.1.1.1", "10.1.1.2", udp(1, 2, b"x" * 30))
'

# tunnel NAME KIND OPTION...: in b, up.
tunnel() {
	local name=$1
	shift
	on b ip link add "$name" type "$@"
	on b ip link set "$name" up
}

# goes_to DEVICE PACKET [FROM TO]: who in b receives this outer packet.
goes_to() {
	equal "receiver" "$1" "$(py "receiver($2, '${3:-va}', '${4:-vb}')")"
}

from_peer='ip("10.0.0.1", "10.0.0.2", inner)'
from_other='ip("10.0.0.7", "10.0.0.2", inner)'
keyed='ip("10.0.0.1", "10.0.0.2", gre(inner, key=7))'
keyed_other='ip("10.0.0.7", "10.0.0.2", gre(inner, key=7))'
keyed_wrong='ip("10.0.0.1", "10.0.0.2", gre(inner, key=8))'
keyless='ip("10.0.0.1", "10.0.0.2", gre(inner))'

ipip_tunnels() {
	tunnel exact ipip local 10.0.0.2 remote 10.0.0.1
	tunnel nolocal ipip remote 10.0.0.1
	tunnel noremote ipip local 10.0.0.2
	on b ip link set tunl0 up
}

gre_tunnels() {
	tunnel exact gre local 10.0.0.2 remote 10.0.0.1 key 7
	tunnel nolocal gre remote 10.0.0.1 key 7
	tunnel noremote gre local 10.0.0.2 key 7
	tunnel keyonly gre key 7
	on b ip link set gre0 up
}

remove() { on b ip link del "$1"; }

check "ipip: the tunnels are made" ipip_tunnels
check "ipip: exact endpoints come first" goes_to exact "$from_peer"
check "ipip: another remote goes to the tunnel with any remote" goes_to noremote "$from_other"
remove exact
check "ipip: without the exact one, any local" goes_to nolocal "$from_peer"
remove nolocal
check "ipip: without any local, any remote" goes_to noremote "$from_peer"
remove noremote
check "ipip: at last the base device" goes_to tunl0 "$from_peer"
on b ip link set tunl0 down
check "ipip: a base device that is down receives nothing" goes_to none "$from_peer"

check "gre: the tunnels are made" gre_tunnels
check "gre: exact endpoints and key come first" goes_to exact "$keyed"
check "gre: another remote goes to the tunnel with any remote" goes_to noremote "$keyed_other"
check "gre: another key goes to the base device" goes_to gre0 "$keyed_wrong"
check "gre: no key goes to the base device" goes_to gre0 "$keyless"
remove exact
check "gre: without the exact one, any local" goes_to nolocal "$keyed"
remove nolocal
check "gre: without any local, any remote" goes_to noremote "$keyed"
remove noremote
check "gre: then the one with the key only" goes_to keyonly "$keyed"
remove keyonly
check "gre: at last the base device" goes_to gre0 "$keyed"
on b ip link set gre0 down
check "gre: a base device that is down receives nothing" goes_to none "$keyed"

bound_tunnels() {
	tunnel unbound ipip local 10.0.0.2 remote 10.0.0.1
	tunnel bound ipip local 10.0.0.2 remote 10.0.0.1 dev wb
}

bound_any_local() {
	remove bound
	tunnel bound ipip remote 10.0.0.1 dev wb
	goes_to bound "$from_peer" wa wb
	goes_to unbound "$from_peer"
	remove bound
	remove unbound
}

check "dev: bound and unbound tunnels with the same endpoints" bound_tunnels
check "dev: from that device, to the bound tunnel" goes_to bound "$from_peer" wa wb
check "dev: from another device, to the unbound one" goes_to unbound "$from_peer"
check "dev: a bound tunnel with any local beats an unbound exact one" bound_any_local

# Through the ioctl, a base device can have endpoints; then it takes no others'
# packets, however it came by them.
base_device_with_endpoints() {
	on b ip tunnel add tunl0 mode ipip ttl 64
	on b ip link set tunl0 up
	goes_to tunl0 "$from_other"
	on b ip tunnel change tunl0 mode ipip local 10.0.0.2 remote any ttl 64
	on b ip addr add 10.0.0.3/24 dev vb
	goes_to tunl0 "$from_other"
	goes_to none 'ip("10.0.0.7", "10.0.0.3", inner)'
	on b ip tunnel change tunl0 mode ipip local any ttl 64
	goes_to tunl0 'ip("10.0.0.7", "10.0.0.3", inner)'
	on b ip addr del 10.0.0.3/24 dev vb
	on b ip tunnel del tunl0
}

# What it goes back to may have been given to somebody else.
base_device_back() {
	on b ip tunnel add tunl0 mode ipip remote 10.0.0.1
	on b ip link add any type ipip
	says "File exists" on b ip tunnel del tunl0
	contains "remote 10.0.0.1" "$(on b ip tunnel show tunl0)"
	remove any
	on b ip tunnel del tunl0
	contains "remote any" "$(on b ip tunnel show tunl0)"
}

key_zero() {
	tunnel zero gre local 10.0.0.2 remote 10.0.0.1 key 0
	tunnel none gre local 10.0.0.2 remote 10.0.0.1
	goes_to zero 'ip("10.0.0.1", "10.0.0.2", gre(inner, key=0))'
	goes_to none "$keyless"
	remove zero
	remove none
}

# Between the same two addresses, with keys in a row, as fast as they can be made.
many_keys() {
	local n
	for ((n = 1; n <= 2000; n++)); do
		echo "link add many$n type gre local 10.0.0.2 remote 10.0.0.1 key $n"
	done >"$work/batch"
	on b ip -batch "$work/batch"
	on b ip link set many1999 up
	goes_to many1999 'ip("10.0.0.1", "10.0.0.2", gre(inner, key=1999))'
	sed -i 's/link add \(many[0-9]*\) .*/link del \1/' "$work/batch"
	on b ip -batch "$work/batch"
}

if culvert; then
	check "ipip: a base device with endpoints takes its own only" base_device_with_endpoints
	check "ipip: it keeps them while another has none" base_device_back
fi
check "gre: key 0 and no key are two tunnels" key_zero
check "gre: 2000 tunnels that differ in their key only" many_keys

finish
