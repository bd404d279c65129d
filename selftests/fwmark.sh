#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The tunnel's fwmark and policy routing choose the way of the outer packets,
# and a change of routes is followed at once.
#
#          a                        b
#   +--------------+         +--------------+
#   |   tun        |         |  10.9.9.9/32 |   two ways to 10.9.9.9:
#   |    va -------+---------+-- vb         |   10.0.0.1 - 10.0.0.2
#   |    wa -------+---------+-- wb         |   10.0.1.1 - 10.0.1.2
#   +--------------+         +--------------+

. "$(dirname "$0")/lib.sh"
load_tunnels ipip gre

namespaces a b
wire a va 10.0.0.1/24 b vb 10.0.0.2/24
wire a wa 10.0.1.1/24 b wb 10.0.1.2/24
on a ip addr add 10.8.8.8/32 dev lo
on a ip route add 10.9.9.9/32 via 10.0.0.2
on a ip route add 10.9.9.9/32 via 10.0.1.2 table 77
on a ip rule add fwmark 7 lookup 77
start_wire
py '
def way(mark=0):
    """The device that the outer packet leaves by"""
    sniff("a", "va"); sniff("a", "wa")
    send("a", "tun", ip("10.1.1.1", "10.1.1.2", udp(1, 2)))
    ready, _, _ = select.select([s.sock for s in (sniffers["a", "va"], sniffers["a", "wa"])], [], [], 10)
    for dev in "va", "wa":
        if unseen("a", dev, lambda p: p[0].dst == "10.9.9.9", 0.1) is False:
            return dev
'

tunnel() {
	quietly on a ip link del tun || true
	on a ip link add tun type "$@" local 10.8.8.8 remote 10.9.9.9
	on a ip link set tun up
}

leaves_by() { equal "way" "$1" "$(py 'way()')"; }

marked() {
	tunnel "$1" fwmark 7
	leaves_by wa
}

mark_changes() {
	on a ip link set tun type "$1" fwmark 0
	leaves_by va
	on a ip link set tun type "$1" fwmark 7
	leaves_by wa
}

route_changes() {
	tunnel "$1"
	leaves_by va
	on a ip route replace 10.9.9.9/32 via 10.0.1.2
	leaves_by wa
	on a ip route replace 10.9.9.9/32 via 10.0.0.2
	leaves_by va
}

rule_changes() {
	on a ip rule add to 10.9.9.9 lookup 77 pref 100
	leaves_by wa
	on a ip rule del pref 100
	leaves_by va
}

link_goes_down() {
	on a ip route add 10.9.9.9/32 via 10.0.1.2 metric 100
	on a ip link set va down
	leaves_by wa
	on a ip link set va up
	on a ip route replace 10.9.9.9/32 via 10.0.0.2
	leaves_by va
	on a ip route del 10.9.9.9/32 via 10.0.1.2 metric 100
}

by_device() {
	on a ip route add 10.9.9.9/32 via 10.0.1.2 metric 100
	tunnel "$1" dev wa
	leaves_by wa
	on a ip link set tun type "$1" dev va
	leaves_by va
	on a ip route del 10.9.9.9/32 via 10.0.1.2 metric 100
}

for kind in ipip gre; do
	check "$kind: without a mark, the main route" eval "tunnel $kind; leaves_by va"
	check "$kind fwmark 7: the route for that mark" marked $kind
	check "$kind: a changed fwmark is used by the next packet" mark_changes $kind
	check "$kind: a changed route is used by the next packet" route_changes $kind
	check "$kind: a new rule is used by the next packet" rule_changes
	check "$kind: a link that goes down is left" link_goes_down
	check "$kind dev: the route over that device" by_device $kind
done

finish
