#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Culvert and the in-tree modules want the same protocols and device names;
# whichever comes second is refused, clearly, and leaves nothing behind.
#
#      init namespace, no network needed:
#
#      insmod ipip.ko   then  modprobe culvert   ->  refused, one line says why
#      modprobe culvert then  modprobe ipip      ->  refused

. "$(dirname "$0")/lib.sh"
culvert || skip "about loading culvert, which is not under test"
load_tunnels

# The module files themselves: `modprobe ipip` may by now mean culvert.
in_tree() {
	find "/lib/modules/$(uname -r)/kernel" -name "$1.ko*" | grep . ||
		skip "this kernel has no $1 as a module"
}

load_in_tree() {
	local module
	for module; do
		[ -d "/sys/module/$module" ] || run insmod "$(in_tree "$module")"
	done
}

unload_everything() {
	local module
	for module in culvert ipip ip_gre gre sit ip_vti tunnel4 ip_tunnel; do
		[ ! -d "/sys/module/$module" ] || quietly rmmod "$module" || true
	done
}

tear_down() {
	unload_everything
	modprobe culvert
}

log_mark() { echo "selftest mark $1 $$" >/dev/kmsg; }
# After the last mark of this name.
log_since() {
	dmesg | awk -v mark="selftest mark $1 $$" '
		{ lines = lines $0 "\n" }
		index($0, mark) { lines = "" }
		END { printf "%s", lines }'
}

nothing_left() {
	[ ! -d /sys/module/culvert ]
	fails grep -qw culvert /proc/modules
	fails grep -q '\[culvert\]' /proc/kallsyms
}

# refused_by MODULE PROTOCOL...: culvert does not load while MODULE is there;
# one line of the log names MODULE and the command that frees what it holds.
refused_by() {
	local holder=$1 lines
	shift
	unload_everything
	load_in_tree "$@"
	log_mark "$holder"
	fails run modprobe culvert
	nothing_left
	lines=$(log_since "$holder" | grep culvert | grep -v 'out-of-tree\|tainting\|signature\|verification')
	equal "lines in the log" 1 "$(printf '%s\n' "$lines" | grep -c .)"
	contains "$holder" "$lines"
	contains "modprobe -r $holder" "$lines" || contains "rmmod $holder" "$lines"
	unload_everything
}

works_afterwards() {
	unload_everything
	run modprobe culvert
	namespaces n
	on n ip link add tun type ipip local 10.0.0.1 remote 10.0.0.2
	on n ip link del tun
	run ip netns del "$NS_PREFIX-n"
}

# refuses MODULE PROTOCOL_MODULE: with culvert loaded the in-tree module cannot
# be; it already fails for the module under it that takes the protocol.
# modprobe gets an empty configuration, else it may take culvert for MODULE.
refuses() {
	local module=$1 below=$2
	in_tree "$module" >/dev/null
	unload_everything
	run modprobe culvert
	mkdir -p "$work/empty"
	fails run modprobe -C "$work/empty" "$module"
	[ ! -d "/sys/module/$module" ]
	[ ! -d "/sys/module/$below" ]
	namespaces n
	on n ip link add tun type ipip local 10.0.0.1 remote 10.0.0.2
	run ip netns del "$NS_PREFIX-n"
}

# refuses_in_words BELOW MODULE...: what the manual says one sees of it.
refuses_in_words() {
	local below=$1 module said
	said="culvert: $below can't load, culvert holds its IP protocol; to free it: rmmod culvert"
	unload_everything
	run modprobe culvert
	mkdir -p "$work/empty"
	for module; do
		in_tree "$module" >/dev/null
		log_mark "$module"
		says "Resource temporarily unavailable" run modprobe -C "$work/empty" "$module"
		[ ! -d "/sys/module/$module" ]
		equal "the log" "$said" "$(log_since "$module" | sed -n 's/^.*\(culvert: .* load\)/\1/p')"
	done
}

# Until it is killed: tunnels whose packets are in a namespace that goes at once.
short_lived_underlays() {
	local kind user=$NS_PREFIX-user dying=$NS_PREFIX-dying

	while :; do
		for kind in sit vti gre; do
			ip netns add "$dying" || :
			ip -n "$user" link add "d-$kind" link-netns "$dying" type "$kind" \
				local 10.0.0.1 remote 10.0.0.2 || :
			ip netns del "$dying" || :
		done
	done 2>/dev/null
}

# Somebody has a device of the name of a base device: loading fails at its last step,
# when tunnels could already be made. None may outlive the namespace under it.
taken_name() {
	local makers i

	unload_everything
	log_mark taken
	namespaces holder user
	on holder ip link add gre0 type dummy
	trap 'sysctl -qw kernel.modprobe=/sbin/modprobe' EXIT
	sysctl -qw kernel.modprobe=		# nobody but us loads anything
	short_lived_underlays &
	makers=$!
	for ((i = 0; i < 30; i++)); do
		fails quietly modprobe culvert
		sleep 0.05
	done
	kill "$makers"
	wait "$makers" || true
	nothing_left
	equal "tunnels left" "" "$(ip -n "$NS_PREFIX-user" -o link show | grep ' d-' || true)"
	quietly ip netns del "$NS_PREFIX-dying" || true
	run ip netns del "$NS_PREFIX-user"
	run ip netns del "$NS_PREFIX-holder"
	fails grep -F 'WARNING:' <<<"$(log_since taken)"
}

check "ipip loaded: culvert is refused and says so" refused_by ipip ip_tunnel tunnel4 ipip
check "ip_gre loaded: culvert is refused and says so" refused_by ip_gre gre ip_tunnel ip_gre
check "ip_vti loaded: culvert is refused and says so" refused_by ip_vti ip_tunnel tunnel4 ip_vti
check "afterwards it loads and works" works_afterwards
check "culvert loaded: in-tree ipip is refused" refuses ipip tunnel4
check "culvert loaded: in-tree ip_gre is refused" refuses ip_gre gre
check "culvert loaded: in-tree ip_vti is refused" refuses ip_vti tunnel4
check "culvert loaded: what tunnel4 and those that need it say" \
	refuses_in_words tunnel4 sit ip_vti xfrm4_tunnel
check "culvert loaded: what gre and those that need it say" \
	refuses_in_words gre ip6_gre pptp
check "the name of a base device is taken, underlays come and go" taken_name
check "culvert unloads and loads again" works_afterwards

finish
