# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# FRRouting's daemons in our namespaces, for the frr_*.sh scripts. Sourced after
# lib.sh.
#
#	daemon_config POP ospfd <<END ... END	write what ospfd of POP reads
#	frr POP zebra ospfd			start them
#	ask POP "show ip ospf neighbor"		vtysh

frr_dir=/usr/lib/frr
frr_spaces=()

# need_frr DAEMON...: skip where FRR is not installed.
need_frr() {
	local name
	need vtysh
	for name; do
		[ -x "$frr_dir/$name" ] || skip "FRR's $name is not installed"
	done
}

# Sockets, pid files and configurations of a namespace's daemons.
space_of() { echo "$NS_PREFIX-$1"; }
run_dir() { echo "/var/run/frr/$(space_of "$1")"; }

# daemon_config NS DAEMON: its configuration from the standard input.
daemon_config() {
	local dir
	dir=$(run_dir "$1")
	install -d -o frr -g frr /var/run/frr "$dir"
	cat >"$dir/$2.conf"
	chown frr:frr "$dir/$2.conf"
}

# frr NS DAEMON...: start daemons, zebra first.
frr() {
	local ns=$1 name dir
	shift
	dir=$(run_dir "$ns")
	frr_spaces+=("$ns")
	for name; do
		[ -e "$dir/$name.conf" ] || daemon_config "$ns" "$name" </dev/null
		show "$ns" "$name" -d
		ip netns exec "$NS_PREFIX-$ns" "$frr_dir/$name" -d -N "$(space_of "$ns")" \
			-f "$dir/$name.conf" --log "file:$dir/$name.log" --log-level debugging \
			>"$dir/$name.out" 2>&1 || { cat "$dir/$name.out"; return 1; }
		wait_until 30 test -S "$dir/$name.vty"
	done
}

# stop_frr NS: end its daemons.
stop_frr() {
	local pid
	for pid in "$(run_dir "$1")"/*.pid; do
		[ ! -e "$pid" ] || kill "$(cat "$pid")" 2>/dev/null || true
	done
}

# ask NS COMMAND...: what its daemons say.
ask() {
	local ns=$1
	shift
	show "$ns" vtysh -c "$*"
	ip netns exec "$NS_PREFIX-$ns" vtysh -N "$(space_of "$ns")" -c "$*" 2>/dev/null
}

# or_logs COMMAND...: if it fails, say what the daemons have to say.
or_logs() {
	local ns
	"$@" && return 0
	for ns in "${frr_spaces[@]}"; do
		grep -v vici_reconnect "$(run_dir "$ns")"/*.log | tail -n 40
		on "$ns" ip -d addr show
	done
	return 1
}

tear_down() {
	local ns
	for ns in "${frr_spaces[@]}"; do
		stop_frr "$ns"
		rm -rf "$(run_dir "$ns")"
	done
}
