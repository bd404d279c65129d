#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# GRE keepalive with all options of a tunnel, through the life of a device, and
# which settings are refused.
# The drawing is in keepalive_ends.sh.

. "$(dirname "$0")/lib.sh"
# shellcheck source=keepalive_ends.sh
. "$(dirname "$0")/keepalive_ends.sh"

both_ways() {
	local options
	for options in "" "key 5" "csum" "seq" "key 5 csum seq"; do
		# shellcheck disable=SC2086
		ends $options
		knob A gre1 keepalive_interval 1
		knob B gre1 keepalive_interval 1
		wait_until 30 reaches A received 2
		wait_until 30 reaches B received 2
		ping_ok A 192.168.1.2
	done
}

survives_changes() {
	ends
	knob A gre1 keepalive_retries 7
	knob A gre1 keepalive_interval 1
	wait_until 30 keepalive_is up A
	on A ip link set gre1 type gre ttl 33
	on A ip link set gre1 type gre tos 4
	equal "retries" 7 "$(knob A gre1 keepalive_retries)"
	equal "state" up "$(value A state)"
	on A ip link set gre1 type gre remote 10.0.0.3
	equal "interval" 1 "$(knob A gre1 keepalive_interval)"
	wait_until 30 reaches A sent 2
	equal "received" 0 "$(value A received)"
	on A ip link set gre1 type gre remote 10.0.0.2
	wait_until 30 keepalive_is up A
}

# The old door to the same, and one's own address, which the route chooses.
survives_ip_tunnel_change() {
	on A ip tunnel change gre1 ttl 44
	equal "state" up "$(value A state)"
	equal "interval" 1 "$(knob A gre1 keepalive_interval)"
	equal "retries" 7 "$(knob A gre1 keepalive_retries)"
}

survives_a_new_address() {
	on A ip link set gre1 type gre local any
	wait_until 30 keepalive_is up A
	on A ip addr add 10.0.0.11/24 dev eth0
	on A ip route replace 10.0.0.2/32 dev eth0 src 10.0.0.11
	on B ip link set gre1 type gre remote 10.0.0.11
	py 'sniff("B", "eth0")'
	py 'seen("B", "eth0", lambda p: names(p).startswith("ip gre ip gre")
		and p[0].src == "10.0.0.11" and p[2].dst == "10.0.0.11")'
	wait_until 30 reaches A received $(($(value A received) + 2))
	equal "state" up "$(value A state)"
	on A ip route del 10.0.0.2/32 dev eth0
	on A ip addr del 10.0.0.11/24 dev eth0
	on A ip link set gre1 type gre local 10.0.0.1
	on B ip link set gre1 type gre remote 10.0.0.1
}

survives_down_and_up() {
	on A ip link set gre1 down
	equal "state" off "$(value A state)"
	on A ip link set gre1 up
	wait_until 30 keepalive_is up A
	equal "retries" 7 "$(knob A gre1 keepalive_retries)"
}

survives_a_move() {
	namespaces C
	on A ip link set gre1 netns "$NS_PREFIX-C"
	equal "interval" 1 "$(knob C gre1 keepalive_interval)"
	on C ip link set gre1 up
	wait_until 30 keepalive_is up C
	on C ip link del gre1
}

refuses_bad_values() {
	ends
	knob A gre1 keepalive_interval 5
	for bad in -1 32768 99999999999 x "" "1 2" 0x10; do
		fails knob A gre1 keepalive_interval "$bad"
	done
	equal "interval" 5 "$(knob A gre1 keepalive_interval)"
	for bad in 0 256 -3 x; do
		fails knob A gre1 keepalive_retries "$bad"
	done
	equal "retries" 3 "$(knob A gre1 keepalive_retries)"
	for bad in 1234 0123456789abcdef0123456789abcdeg; do
		fails knob A gre1 keepalive_secret $bad
	done
	equal "secret" random "$(knob A gre1 keepalive_secret)"
	for bad in 224.0.0.1 1.2.3 1.2.3.4.5 ::1; do
		fails knob A gre1 keepalive_address $bad
	done
	equal "address" 0.0.0.0 "$(knob A gre1 keepalive_address)"
}

options_are_words() {
	equal "at first" answer "$(knob A gre1 keepalive_options)"
	for bad in "inner sideways" "" - -- +inner "inner,,nat" 1 "follow" "nat follow"; do
		fails knob A gre1 keepalive_options "$bad"
	done
	equal "after refusals" answer "$(knob A gre1 keepalive_options)"
	knob A gre1 keepalive_options "nat inner"
	equal "two more" "answer inner nat" "$(knob A gre1 keepalive_options)"
	knob A gre1 keepalive_options "-answer,-nat damping"
	equal "two off" "damping inner" "$(knob A gre1 keepalive_options)"
	knob A gre1 keepalive_options "-damping -inner"
	equal "all off" none "$(knob A gre1 keepalive_options)"
	knob A gre1 keepalive_options answer
}

needs_a_peer() {
	on A ip tunnel add gre2 mode gre local 10.0.0.1
	fails knob A gre2 keepalive_interval 10
	on A ip link del gre2
}

needs_the_capability() {
	fails on A setpriv --bounding-set -net_admin --inh-caps -net_admin -- \
		sh -c 'echo 9 >/sys/class/net/gre1/tunnel/keepalive_interval' ||
		return 1
	equal "interval" 5 "$(knob A gre1 keepalive_interval)"
}

ends
check "both ends send, with all options" both_ways
check "settings survive a change of the tunnel" survives_changes
check "and by ip tunnel change" survives_ip_tunnel_change
check "a new address of our own is used" survives_a_new_address
check "settings survive down and up" survives_down_and_up
check "settings survive a move to another namespace" survives_a_move
check "bad values are refused and change nothing" refuses_bad_values
check "options are words, each on or off" options_are_words
check "a tunnel without a remote can't ask" needs_a_peer
check "setting takes CAP_NET_ADMIN" needs_the_capability

finish
