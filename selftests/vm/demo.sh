#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Two hosts, a router between them, a tunnel across it. Every command is shown
# before it runs; what follows is what it really said.

set -e

paint() {
	[ -z "$COLOR" ] || printf '\e[%sm' "$1"
	printf '%s' "$2"
	[ -z "$COLOR" ] || printf '\e[0m'
	echo
}
title() { echo; paint '1;36' "== $* =="; }
remark() { paint '2' "   $*"; }

# run HOST COMMAND...: show it, do it.
run() {
	local host=$1
	shift
	paint '1;33' "$host\$ $*"
	ip netns exec "$host" "$@" 2>&1 | sed 's/^/   /'
	return "${PIPESTATUS[0]}"
}
quiet() { ip netns exec "$@"; }

wire() { # HOST DEVICE ADDRESS ROUTER_DEVICE ROUTER_ADDRESS
	ip link add "$2" netns "$1" type veth peer name "$4" netns router
	quiet "$1" ip addr add "$3" dev "$2"
	quiet router ip addr add "$5" dev "$4"
	quiet "$1" ip link set "$2" up
	quiet router ip link set "$4" up
	quiet "$1" ip route add default via "${5%/*}"
}

# Ping across the tunnel while the router's wire is captured, then decode one
# of the packets that were seen there.
ping_and_capture() {
	local filter=$1 pid

	ip netns exec router tcpdump -i r1 -U -w /tmp/capture "$filter" 2>/tmp/tcpdump &
	pid=$!
	until grep -q listening /tmp/tcpdump; do sleep 0.1; done
	run ns1 ping -c 3 -i 0.3 10.10.200.10
	sleep 0.5
	kill $pid
	wait $pid || :
	remark "One of these packets as the router saw it pass, a header a line:"
	python3 - /tmp/capture <<'PYTHON'
import sys
from scapy.all import rdpcap, IP, Raw

packet = rdpcap(sys.argv[1])[0]
layer, depth = packet, 0
while layer and not isinstance(layer, Raw):
    text = layer.name
    if isinstance(layer, IP):
        text += f"  {layer.src} -> {layer.dst}  protocol {layer.proto}  ttl {layer.ttl}"
    elif layer.name == "GRE":
        text += f"  protocol {layer.proto:#06x}"
    elif layer.name == "ICMP":
        text += f"  type {layer.type}, sequence {layer.seq}"
    print("   " + "  " * depth + text)
    layer, depth = layer.payload, depth + 1
PYTHON
}

tunnel() {
	local mode=$1 filter=$2

	title "A tunnel: mode $mode"
	run ns1 ip tunnel add tun1 mode "$mode" remote 10.10.20.2 local 10.10.10.2
	run ns1 ip link set tun1 up
	run ns1 ip addr add 10.10.100.10 peer 10.10.200.10 dev tun1
	run ns2 ip tunnel add tun2 mode "$mode" remote 10.10.10.2 local 10.10.20.2
	run ns2 ip link set tun2 up
	run ns2 ip addr add 10.10.200.10 peer 10.10.100.10 dev tun2
	echo
	ping_and_capture "$filter"
	echo
	run ns1 ip -d link show tun1
	run ns1 ip -s link show tun1
	run ns1 ethtool -S tun1 || :
	run ns1 ip tunnel del tun1
	run ns2 ip tunnel del tun2
}

title "Linux $(uname -r) with culvert in place of the in-tree tunnel modules"
modprobe culvert
paint '1;33' "\$ modprobe culvert; modinfo culvert"
modinfo culvert | grep -E '^(filename|version|description|license)' | sed 's/^/   /'

cat <<'TOPOLOGY'

         ns1                       router                       ns2
    +------------+          +------------------+          +------------+
    |    tun1    | = = = = = = = = tunnel = = = = = = = = |    tun2    |
    |10.10.100.10|          |                  |          |10.10.200.10|
    |            |          |                  |          |            |
    |     v1     |----------|r1              r2|----------|     v2     |
    |10.10.10.2  |          |10.10.10.1        |          |  10.10.20.2|
    +------------+          |        10.10.20.1|          +------------+
                            +------------------+
TOPOLOGY
for host in ns1 router ns2; do
	ip netns add "$host"
done
wire ns1 v1 10.10.10.2/24 r1 10.10.10.1/24
wire ns2 v2 10.10.20.2/24 r2 10.10.20.1/24
quiet router sysctl -qw net.ipv4.ip_forward=1

tunnel ipip 'ip proto 4'
tunnel gre 'ip proto 47'

title "TCP through gre: 20 megabytes"
quiet ns1 ip tunnel add tun1 mode gre remote 10.10.20.2 local 10.10.10.2
quiet ns1 ip addr add 10.10.100.10 peer 10.10.200.10 dev tun1
quiet ns1 ip link set tun1 up
quiet ns2 ip tunnel add tun2 mode gre remote 10.10.10.2 local 10.10.20.2
quiet ns2 ip addr add 10.10.200.10 peer 10.10.100.10 dev tun2
quiet ns2 ip link set tun2 up
quiet ns2 iperf3 -s -1 -D >/dev/null
sleep 1
run ns1 iperf3 -c 10.10.200.10 -n 20M -f m
run ns2 ip -s link show tun2

title "That was culvert. Next: make shell, make check, or make dkms-install"
