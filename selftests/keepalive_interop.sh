#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Keepalive with peers of other makes, which keepalive_peer.py plays.
#
#          A                                  B
#   +--------------+                   +--------------+
#   |  gre1        | = = = = = = = = = |  scapy       |
#   |  192.168.1.1 |                   | (192.168.1.2)|
#   |  eth0 -------+-------------------+- eth0        |
#   +--------------+                   +--------------+
#      10.0.0.1/24                        10.0.0.2/24

. "$(dirname "$0")/lib.sh"
culvert || skip "only culvert has keepalive"
load_tunnels gre
need python3 iptables
python3 -c 'import scapy' 2>/dev/null || skip "scapy is not installed"

namespaces A B
keep A
wire A eth0 10.0.0.1/24 B eth0 10.0.0.2/24
# B's own kernel has no part in this.
on B iptables -A INPUT -p gre -j DROP

gre1() {
	quietly on A ip link del gre1 || true
	on A ip tunnel add gre1 mode gre local 10.0.0.1 remote 10.0.0.2 "$@"
	on A ip addr add 192.168.1.1 peer 192.168.1.2 dev gre1
	on A ip link set gre1 up
}

peer() { on B "$lib_dir/keepalive_peer.py" eth0 "$1"; }

# With all options: a router does not look at what it sends on.
router_that_forwards() {
	local options
	ip netns exec "$NS_PREFIX-B" "$lib_dir/keepalive_peer.py" eth0 cisco &
	local router=$!
	for options in "" "key 42" "seq" "csum"; do
		# shellcheck disable=SC2086
		gre1 $options
		knob A gre1 keepalive_interval 1
		wait_until 90 keepalive_is up A
	done
	kill $router
	wait_until 20 keepalive_is down A
	knob A gre1 keepalive_interval 0
}

# with_option OPTION PEER: answered with the option, and only with it.
with_option() {
	gre1
	fails peer "$2"
	knob A gre1 keepalive_options "$1"
	peer "$2"
}

openbsd() { gre1; peer openbsd; }
cisco_asks() { gre1 key 99; peer cisco-asks; }

check "a router that only forwards answers" router_that_forwards
check "a Cisco router with a key is answered" cisco_asks
check "OpenBSD with its payload is answered" openbsd
check "MikroTik behind NAT (option nat)" with_option nat mikrotik
check "VeloCloud, Zscaler: inner addresses (option inner)" with_option inner velocloud
check "Huawei: outer protocol 4 (option proto4)" with_option proto4 huawei

finish
