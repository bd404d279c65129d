#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# A tunnel made in one namespace and moved to another: its outer side stays.
#
#      inner            outer                         b
#   +---------+      +----------+               +----------+
#   |  tun <--+------+-- made   |               |   tun    |
#   | 10.1.   |      |   here   | = = ipip = = =| 10.1.    |
#   |  1.1/30 |      |          |               |  1.2/30  |
#   +---------+      |   va ----+---------------+-- vb     |
#                    +----------+               +----------+
#                    10.0.0.1/24                10.0.0.2/24

. "$(dirname "$0")/lib.sh"
need jq
load_tunnels ipip gre sit

knob=/proc/sys/net/core/fb_tunnels_only_for_init_net
knob_before=$(cat $knob 2>/dev/null) || knob_before=
tear_down() {
	[ -z "$knob_before" ] || echo "$knob_before" >$knob
}

namespaces outer inner b
wire outer va 10.0.0.1/24 b vb 10.0.0.2/24
start_wire

endpoint_b() {
	on b ip link add tun type "$@" local 10.0.0.2 remote 10.0.0.1
	on b ip addr add 10.1.1.2/30 dev tun
	on b ip link set tun up
}

create_and_move() {
	on outer ip link add tun type "$@" local 10.0.0.1 remote 10.0.0.2
	on outer ip link set tun netns "$NS_PREFIX-inner"
	on inner ip addr add 10.1.1.1/30 dev tun
	on inner ip link set tun up
	fails quietly on outer ip link show tun
}

traffic_flows() {
	ping_ok inner 10.1.1.2
	ping_ok b 10.1.1.1
}

# The outer packets are in `outer`, the inner ones in `inner`.
outer_side_stays() {
	py 'sniff("outer", "va")'
	ping_ok inner 10.1.1.2
	py 'seen("outer", "va", lambda p: p[0].src == "10.0.0.1" and p[-2].kind == 8
		and p[-3].src == "10.1.1.1")'
	equal "rx_packets" "$(counter inner tun tx_packets)" "$(counter inner tun rx_packets)"
}

shows_link_netns() {
	on inner ip -j -d link show tun | jq -e '.[0].link_netns // .[0].link_netnsid | . != null'
}

endpoints_stay_taken() {
	says "File exists" on outer ip link add t2 type "$@" local 10.0.0.1 remote 10.0.0.2
	fails quietly on outer ip link show t2
	# In the other namespace the same endpoints are free.
	on inner ip link add t2 type "$@" local 10.0.0.1 remote 10.0.0.2
	on inner ip link del t2
}

change_from_inside() {
	on inner ip link set tun type "$1" ttl 9
	py 'sniff("outer", "va")'
	ping_ok inner 10.1.1.2
	py 'seen("outer", "va", lambda p: p[0].src == "10.0.0.1" and p[0].ttl == 9)'
}

delete_where_it_is() {
	on inner ip link del tun
	on outer ip link add t2 type "$@" local 10.0.0.1 remote 10.0.0.2
	on outer ip link del t2
}

namespace_where_it_is_goes() {
	namespaces gone
	on outer ip link add tun type "$@" local 10.0.0.1 remote 10.0.0.2
	on outer ip link set tun netns "$NS_PREFIX-gone"
	run ip netns del "$NS_PREFIX-gone"
	wait_until 30 on outer ip link add t2 type "$@" local 10.0.0.1 remote 10.0.0.2
	on outer ip link del t2
}

namespace_where_it_was_made_goes() {
	namespaces gone
	on gone ip link add moved type "$@" local 10.0.0.1 remote 10.0.0.2
	on gone ip link set moved netns "$NS_PREFIX-inner"
	on inner ip link show moved
	run ip netns del "$NS_PREFIX-gone"
	wait_until 30 fails on inner ip link show moved
}

# link-netns says where the outer side is.
made_with_link_netns() {
	on inner ip link add tun link-netns "$NS_PREFIX-outer" type "$@" \
		local 10.0.0.1 remote 10.0.0.2
	on inner ip addr add 10.1.1.1/30 dev tun
	on inner ip link set tun up
	ping_ok inner 10.1.1.2
	on inner ip link del tun
}

# Without it both sides are in the namespace of the device.
made_directly_there() {
	on outer ip link add netns "$NS_PREFIX-inner" name tun type "$@" \
		local 10.0.0.1 remote 10.0.0.2
	on outer ip link add tun type "$@" local 10.0.0.1 remote 10.0.0.2
	on outer ip link del tun
	on inner ip link del tun
}

base_device_does_not_move() {
	fails on outer ip link set "$1" netns "$NS_PREFIX-inner"
	on outer ip link show "$1"
}

base_devices_of() {
	run ip netns add "$NS_PREFIX-$1"
	ip -n "$NS_PREFIX-$1" -j link show | jq -r '[.[].ifname] | sort | join(" ")'
	run ip netns del "$NS_PREFIX-$1"
}

# new_namespace_has SYSCTL: which base devices of ours a new namespace has.
no_base_devices() {
	[ -e $knob ] || skip "no $knob"
	echo "$1" >$knob
	run sysctl net.core.fb_tunnels_only_for_init_net
	equal "devices" "lo" "$(base_devices_of none)"
	echo "$knob_before" >$knob
}

base_devices() {
	[ ! -e $knob ] || echo 0 >$knob
	contains " tunl0 " " $(base_devices_of all) "
	contains " gre0 " " $(base_devices_of all) "
	[ ! -e $knob ] || echo "$knob_before" >$knob
}

# Nobody asked for them: they receive nothing before somebody sets them up.
base_devices_are_down() {
	[ ! -e $knob ] || echo 0 >$knob
	run ip netns add "$NS_PREFIX-fresh"
	equal "devices that are up" "" "$(ip -n "$NS_PREFIX-fresh" -o link show up)"
	contains "tunl0" "$(ip -n "$NS_PREFIX-fresh" -o link show)"
	run ip netns del "$NS_PREFIX-fresh"
	[ ! -e $knob ] || echo "$knob_before" >$knob
}

for kind in ipip gre; do
	endpoint_b $kind
	check "$kind: made in one namespace, moved to another" create_and_move $kind
	check "$kind: traffic flows" traffic_flows
	check "$kind: the outer side stays where it was made" outer_side_stays
	check "$kind: ip link shows the link's namespace" shows_link_netns
	check "$kind: the endpoints stay taken there" endpoints_stay_taken $kind
	check "$kind: it can be changed where it is" change_from_inside $kind
	check "$kind: deleting it frees the endpoints" delete_where_it_is $kind
	check "$kind: so does deleting the namespace it is in" namespace_where_it_is_goes $kind
	check "$kind: deleting the namespace it was made in deletes it" \
		namespace_where_it_was_made_goes $kind
	check "$kind: made there, with link-netns" made_with_link_netns $kind
	check "$kind: made directly in another namespace" made_directly_there $kind
	on b ip link del tun
done
# A container of somebody else's, for the rest of the script: its root is nobody here.
container() {
	unshare --user --net sleep infinity &
	child=$!
	background+=("$child")
	wait_until 5 other_namespace "$child"
	echo "0 100000 1000" >"/proc/$child/uid_map"
	echo "0 100000 1000" >"/proc/$child/gid_map"
}

other_namespace() { [ "$(readlink "/proc/$1/ns/net")" != "$(readlink /proc/self/ns/net)" ]; }

# he COMMAND...: as root of the container.
he() {
	show container "$@"
	nsenter -t "$child" -U -n "$@"
}

# in_his_sys COMMAND...: with the /sys of the container.
in_his_sys() {
	show container "$@"
	nsenter -t "$child" -n unshare -m sh -c '
		mount -t sysfs sysfs /sys
		exec nsenter -t "$@"' sh "$child" -U "$@"
}

# he_gets KIND [OPTION...]: `tun`, made here and moved there.
he_gets() {
	quietly he ip link del tun || true
	if [ "$1" = isatap ]; then
		on outer ip tunnel add tun mode isatap local 10.0.0.1
	else
		on outer ip link add tun type "$@" local 10.0.0.1
	fi
	on outer ip link set tun netns "$child"
}

# The files of the device are his then.
to_another_users_namespace() {
	he_gets gre ${1+remote "$1"}
	! culvert || equal "owner" 0 \
		"$(in_his_sys stat -c %u /sys/class/net/tun/tunnel/keepalive_interval)"
	he ip link del tun
}

settings_of_tun() {
	he ip -d -o link show tun
	he ip tunnel show tun 2>&1
}

# forbidden COMMAND...: he is told that he may not, and nothing is new. `tun` is his
# all the same: what he may do to any device is allowed.
forbidden() {
	local before

	he ip link set tun mtu 1300 up
	before=$(settings_of_tun)
	says "Operation not permitted" "$@"
	equal "tun" "$before" "$(settings_of_tun)"
	he ip link del tun
}

# Addresses and options are about packets of the namespace where it was made.
no_netlink() {
	culvert || [[ $(uname -r) == 7.* ]] || skip "the in-tree modules of this kernel let him"
	he_gets "$1" remote 10.0.0.2
	forbidden he ip link set tun type "$1" remote 10.0.0.3
}

no_ioctl() {
	he_gets "$1" remote 10.0.0.2
	forbidden he ip tunnel change tun mode "$1" remote 10.0.0.3
	he_gets "$1" remote 10.0.0.2
	forbidden he ip tunnel del tun mode "$1"
}

no_routers() {
	he_gets isatap
	forbidden he ip tunnel prl prl-default 10.0.0.3 dev tun
}

no_6rd() {
	he_gets sit remote 10.0.0.2
	forbidden he ip tunnel 6rd dev tun 6rd-prefix 2001:db8::/32
}

no_keepalive() {
	local set_it='echo 10 >/sys/class/net/tun/tunnel/keepalive_interval'

	culvert || skip "only culvert has files in /sys"
	he_gets gre remote 10.0.0.2
	forbidden in_his_sys bash -c "$set_it"
	he ip link add tun type gre local 10.0.0.1 remote 10.0.0.2
	in_his_sys bash -c "$set_it"	# of a tunnel of his own
	he ip link del tun
}

# It is for the other namespace's sake that he was refused.
his_own() {
	quietly he ip link del tun || true
	he ip link add tun type "$1" local 10.0.0.1 remote 10.0.0.2
	he ip link set tun type "$1" remote 10.0.0.3
	contains "remote 10.0.0.3" "$(he ip -d link show tun)"
	[ "$1" = gretap ] || he ip tunnel change tun mode "$1" remote 10.0.0.4
	he ip link del tun
}

container
check "gre moves to a namespace of another user" to_another_users_namespace 10.0.0.2
check "so does a multipoint one" to_another_users_namespace
for kind in ipip gre gretap sit; do
	check "$kind: he can't change it by netlink" no_netlink $kind
	[ $kind = gretap ] || check "$kind: ... nor by ioctl" no_ioctl $kind
	check "$kind: he can change one of his own" his_own $kind
done
check "isatap: he can't change its routers" no_routers
check "sit: he can't change its 6rd prefix" no_6rd
check "gre: he can't change its keepalive" no_keepalive
check "tunl0 does not move" base_device_does_not_move tunl0
check "gre0 does not move" base_device_does_not_move gre0
check "a new namespace has tunl0 and gre0" base_devices
check "... which are down" base_devices_are_down
check "fb_tunnels_only_for_init_net=1: only lo" no_base_devices 1
check "fb_tunnels_only_for_init_net=2: only lo" no_base_devices 2

finish
