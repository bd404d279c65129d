#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# A customer behind NAT whose mapping is forgotten after a short idle time. With
# keepalive on, the provider can reach him at any time.
#
#        CPE                    MID                     POP
#   +------------+      +------------------+      +------------+
#   |    tun0    | = = = = = = GRE  = = = = = = = |    tun0    |
#   | 192.168.   |      |  SNAT, forgets   |      | 192.168.   |
#   |   13.1     |      |  after 3 seconds |      |   13.2     |
#   |   c0 ------+------+- m0          m1 -+------+- p0        |
#   +------------+      +------------------+      +------------+
#    10.0.0.1/24     10.0.0.254     172.16.0.1     172.16.0.2/24

. "$(dirname "$0")/lib.sh"
culvert || skip "only culvert has keepalive"
load_tunnels gre
need iptables

namespaces CPE MID POP
keep CPE
wire CPE c0 10.0.0.1/24 MID m0 10.0.0.254/24
wire MID m1 172.16.0.1/24 POP p0 172.16.0.2/24
on MID sysctl -qw net.ipv4.ip_forward=1
on MID iptables -t nat -A POSTROUTING -o m1 -s 10.0.0.1 -j SNAT --to 172.16.0.1
on CPE ip route add default via 10.0.0.254
for knob in nf_conntrack_gre_timeout nf_conntrack_gre_timeout_stream \
	nf_conntrack_generic_timeout; do
	quietly on MID sysctl -qw net.netfilter.$knob=3 || true
done

on CPE ip tunnel add tun0 mode gre local 10.0.0.1 remote 172.16.0.2
on CPE ip addr add 192.168.13.1 peer 192.168.13.2 dev tun0
on CPE ip link set tun0 up
on POP ip tunnel add tun0 mode gre local 172.16.0.2 remote 172.16.0.1
on POP ip addr add 192.168.13.2 peer 192.168.13.1 dev tun0
on POP ip link set tun0 up

idle() { sleep 8; }

without_keepalive() {
	ping_ok CPE 192.168.13.2
	ping_ok POP 192.168.13.1
	idle
	ping_lost POP 192.168.13.1
}

# The CPE knows which address the peer sees.
with_its_address() {
	knob CPE tun0 keepalive_address 172.16.0.1
	knob CPE tun0 keepalive_interval 1
	wait_until 30 keepalive_is up CPE tun0
	idle
	ping_ok POP 192.168.13.1
	keepalive_is up CPE tun0
	knob CPE tun0 keepalive_interval 0
}

# It does not, and asks for an answer to its private address.
without_its_address() {
	knob CPE tun0 keepalive_address 0.0.0.0
	knob CPE tun0 keepalive_interval 1
	sleep 3
	fails keepalive_is up CPE tun0
	knob POP tun0 keepalive_options nat
	wait_until 30 keepalive_is up CPE tun0
	idle
	ping_ok POP 192.168.13.1
	knob CPE tun0 keepalive_interval 0
}

check "without keepalive the customer can't be reached after a while" without_keepalive
check "with keepalive it can; the customer knows its address" with_its_address
check "with keepalive it can; the provider knows better (option nat)" without_its_address

finish
