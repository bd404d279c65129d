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
load_tunnels ipip gre

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
# A container of somebody else's: the files of the device are his then.
to_another_users_namespace() {
	local child mode

	on outer ip link add "$1" type gre local 10.0.0.1 ${2+remote "$2"}
	unshare --user --net sleep 60 &
	child=$!
	background+=("$child")
	wait_until 5 other_namespace "$child"
	echo "0 100000 1000" >"/proc/$child/uid_map"
	echo "0 100000 1000" >"/proc/$child/gid_map"
	on outer ip link set "$1" netns "$child"
	mode=$(nsenter -t "$child" -n unshare -m sh -c "mount -t sysfs sysfs /sys &&
		stat -c %u /sys/class/net/$1/tunnel/keepalive_interval" 2>&1)
	! culvert || equal "owner" 100000 "$mode"
	kill "$child"
	wait "$child" || true
}

other_namespace() { [ "$(readlink "/proc/$1/ns/net")" != "$(readlink /proc/self/ns/net)" ]; }

check "gre moves to a namespace of another user" to_another_users_namespace tun 10.0.0.2
check "so does a multipoint one" to_another_users_namespace tun
check "tunl0 does not move" base_device_does_not_move tunl0
check "gre0 does not move" base_device_does_not_move gre0
check "a new namespace has tunl0 and gre0" base_devices
check "fb_tunnels_only_for_init_net=1: only lo" no_base_devices 1
check "fb_tunnels_only_for_init_net=2: only lo" no_base_devices 2

finish
