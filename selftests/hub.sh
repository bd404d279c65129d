# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# The hub of the learning_*.sh and frr_*.sh scripts, and its customers. Sourced
# after lib.sh.
#
#        C1                C2                    C3
#   192.168.14.1      192.168.14.2          192.168.14.3     gre to the hub, key
#   +----------+      +----------+          +----------+
#   |   eth0   |      |   eth0   |          |   eth0   |
#   +----+-----+      +----+-----+          +----+-----+
#        | 172.16.0.11     | 172.16.0.12         | 10.0.0.3
#        |                 | (moves to .22)   +--+---+
#        |                 |                  | NAT  |
#        |                 |                  +--+---+
#        |                 |                     | 172.16.0.13 (later .23)
#   =====+=================+=====================+=====+====== 172.16.0.0/24
#                                                      | 172.16.0.2
#                                               +------+-----+
#                                          POP  |  tunnel0   |
#                                               | 192.168.14.254/24
#                                               +------------+

# hub_topology: the namespaces and their cables.
hub_topology() {
	need iptables
	namespaces lan POP C1 C2 C3 NAT
	keep POP C1
	segment lan sw0
	for ns in POP C1 C2 C3; do ipv6_on $ns; done
	plug POP eth0 172.16.0.2/24 lan sw0
	plug C1 eth0 172.16.0.11/24 lan sw0
	plug C2 eth0 172.16.0.12/24 lan sw0
	plug NAT eth1 172.16.0.13/24 lan sw0
	wire C3 eth0 10.0.0.3/24 NAT eth0 10.0.0.254/24
	on NAT sysctl -qw net.ipv4.ip_forward=1
	on NAT iptables -t nat -A POSTROUTING -o eth1 -j MASQUERADE
	# longer than any test takes, however slow the machine
	for knob in nf_conntrack_gre_timeout nf_conntrack_gre_timeout_stream \
		nf_conntrack_generic_timeout; do
		quietly on NAT sysctl -qw net.netfilter.$knob=3600 || true
	done
	on C3 ip route add default via 10.0.0.254
}

# hub_tunnel: the hub's end, with the commands of many an article.
hub_tunnel() {
	on POP ip tunnel add tunnel0 mode gre local 172.16.0.2 key 1234
	on POP ip addr add 192.168.14.254/24 dev tunnel0
	on POP ip addr add fd14::254/64 dev tunnel0
	on POP ip link set tunnel0 up
}

# customer NS N OUTER: a customer's end.
customer() {
	on "$1" ip tunnel add gre1 mode gre remote 172.16.0.2 local "$3" key 1234
	on "$1" ip link set gre1 up
	on "$1" ip addr add "192.168.14.$2/24" dev gre1
	on "$1" ip addr add "fd14::$2/64" dev gre1
}

# customers: the three of the drawing.
customers() {
	customer C1 1 172.16.0.11
	customer C2 2 172.16.0.12
	customer C3 3 10.0.0.3
}

# learned NAME: one value of learning_status.
learned() { status POP tunnel0 learning "$1"; }

peers() { on POP ip neigh show dev tunnel0; }
knows() { contains "$1 lladdr $2 " "$(peers)"; }
knows_not() { [[ $(peers) != *"$1 lladdr"* ]]; }

# routed_hub: make it fit for routing protocols, with a network to announce behind
# everybody: C1 10.42.1.0/24, C2 10.42.2.0/24, C3 10.42.3.0/24, POP 10.42.254.0/24.
routed_hub() {
	local where ns n

	# Through a NAT a ttl of 1, which OSPF has and gre inherits, would not do.
	for where in POP:tunnel0 C1:gre1 C2:gre1 C3:gre1; do
		on "${where%:*}" ip link set "${where#*:}" type gre ttl 64
		on "${where%:*}" ip link set "${where#*:}" multicast on
	done
	on POP sysctl -qw net.ipv4.ip_forward=1
	for where in C1:1 C2:2 C3:3 POP:254; do
		IFS=: read -r ns n <<<"$where"
		on "$ns" ip link add lan0 type dummy
		on "$ns" ip addr add "10.42.$n.1/24" dev lan0
		on "$ns" ip link set lan0 up
	done
}

# routes_by NS PREFIX PROTOCOL: whether a daemon has entered this route.
routes_by() { on "$1" ip route show proto "$3" | grep -q "^$2 "; }
