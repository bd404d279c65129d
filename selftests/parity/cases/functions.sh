# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
#
# What the commands of the cases may call besides the system's own programs.

# tunnel KIND [OPTION...] - t1, from us to the peer, up, with the inner addresses.
# (One start of ip, which is what costs time under emulation.)
tunnel() {
	kind=$1
	shift
	ip -batch - <<-END
		link add t1 type $kind local 10.9.0.1 remote 10.9.0.2 $*
		link set t1 up
		address add 10.1.0.1/24 dev t1
	END
}

# inner DEV - give DEV the inner addresses and set it up.
inner() {
	ip -batch - <<-END
		link set $1 up
		address add 10.1.0.1/24 dev $1
	END
}

# static_peer DEV - on Ethernet tunnels nobody answers ARP.
static_peer() {
	ip -batch - <<-END
		link set $1 address 02:00:00:00:09:01
		neighbour replace 10.1.0.2 lladdr 02:00:00:00:09:02 dev $1
	END
}

# ipv6 DEV... - switch IPv6 on for these, without announcements.
ipv6() {
	for dev; do
		echo 1 >"/proc/sys/net/ipv6/conf/$dev/addr_gen_mode"
		echo 0 >"/proc/sys/net/ipv6/conf/$dev/disable_ipv6"
	done
}

# inner6 DEV - the inner IPv6 addresses.
inner6() {
	ipv6 "$1" && ip address add fd01::1/64 dev "$1" nodad
}

# router - forward between all devices.
router() {
	echo 1 >/proc/sys/net/ipv4/ip_forward
}

# without_right CAPABILITY COMMAND... - as root who lacks it.
without_right() {
	capability=$1
	shift
	setpriv --bounding-set "-$capability" --inh-caps "-$capability" "$@"
}

# fallback_devices N - net.core.fb_tunnels_only_for_init_net, which only the initial
# namespace shows. A case that sets it sets it back to 0.
fallback_devices() {
	nsenter --net=/proc/1/ns/net sysctl -q -w "net.core.fb_tunnels_only_for_init_net=$1"
}

# eventually [!] COMMAND - until it succeeds (with !, fails), for 20 seconds at most.
eventually() {
	want=0
	if [ "$1" = ! ]; then
		want=1
		shift
	fi
	for _ in $(seq 200); do
		if "$@" >/dev/null 2>&1; then
			[ $want = 1 ] || return 0
		else
			[ $want = 0 ] || return 0
		fi
		sleep 0.1
	done
	echo "not within 20 seconds"
	return 1
}

# namespace NAME... - another one, whose IPv6 does not ask for routers when it likes.
namespace() {
	for name; do
		ip netns add "$name"
		ip netns exec "$name" sh -c '
			echo 0 >/proc/sys/net/ipv6/conf/all/router_solicitations
			echo 0 >/proc/sys/net/ipv6/conf/default/router_solicitations'
	done
}
