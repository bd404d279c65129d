# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# FRRouting's daemons in our namespaces, for the frr_*.sh scripts. Sourced after
# lib.sh.
#
#	daemon_config POP ospfd <<END ... END	write what ospfd of POP reads
#	frr POP zebra ospfd			start them
#	ask POP ospfd show ip ospf neighbor	what it says, as in vtysh

frr_dir=/usr/lib/frr
frr_spaces=()

frr_words='
def vty(path, command):
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as daemon:
        daemon.settimeout(30)
        daemon.connect(path)
        daemon.sendall(command.encode() + b"\0")
        said = b""
        while said[-4:-1] != b"\0\0\0":
            more = daemon.recv(65536)
            if not more:
                break
            said += more
        return said[:-4].decode() or "nothing"
'

# need_frr DAEMON...: skip where FRR is not installed.
need_frr() {
	local name
	need vtysh
	for name; do
		[ -x "$frr_dir/$name" ] || skip "FRR's $name is not installed"
	done
	start_wire
	py "$frr_words"
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

# start_daemon NS DAEMON [OPTION...]: it holds none of our pipes, which must end with us.
start_daemon() {
	local ns=$1 name=$2 dir
	shift 2
	dir=$(run_dir "$ns")
	show "$ns" "$name" -d
	ip netns exec "$NS_PREFIX-$ns" "$frr_dir/$name" -d -N "$(space_of "$ns")" "$@" \
		--log "file:$dir/$name.log" --log-level debugging \
		>"$dir/$name.out" 2>&1 3>&- 4>&- 5>&- || { cat "$dir/$name.out"; return 1; }
	wait_until 30 test -S "$dir/$name.vty"
}

# A daemon that no longer reads a file gets its configuration by way of mgmtd.
by_mgmtd() {
	local dir
	dir=$(run_dir "$1")
	[ -S "$dir/mgmtd.vty" ] || start_daemon "$1" mgmtd
	start_daemon "$1" "$2"
	show "$1" vtysh -f "$2.conf"
	ip netns exec "$NS_PREFIX-$1" vtysh -N "$(space_of "$1")" -f "$dir/$2.conf" \
		>"$dir/vtysh.out" 2>&1 || { cat "$dir/vtysh.out"; return 1; }
}

# frr NS DAEMON...: start daemons, zebra first.
frr() {
	local ns=$1 name dir
	shift
	dir=$(run_dir "$ns")
	frr_spaces+=("$ns")
	for name; do
		[ -e "$dir/$name.conf" ] || daemon_config "$ns" "$name" </dev/null
		if "$frr_dir/$name" --help | grep -q config_file; then
			start_daemon "$ns" "$name" -f "$dir/$name.conf"
		else
			by_mgmtd "$ns" "$name"
		fi
	done
}

# stop_frr NS: end its daemons.
stop_frr() {
	local pid
	for pid in "$(run_dir "$1")"/*.pid; do
		[ ! -e "$pid" ] || kill "$(cat "$pid")" 2>/dev/null || true
	done
}

# ask NS DAEMON COMMAND...: what it says. We talk to the daemon ourselves: vtysh takes
# seconds to start, and is what a script would do most of the time. An answer ends with
# three zero bytes and a status.
ask() {
	local path said
	path=$(run_dir "$1")/$2.vty
	shift 2
	said=$(py "vty('$path', '$*')")
	printf '%s\n' "$said"
}

# or_logs COMMAND...: if it fails, say what the daemons have to say.
or_logs() {
	local ns
	"$@" && return 0
	for ns in "${frr_spaces[@]}"; do
		grep -v vici_reconnect "$(run_dir "$ns")"/*.log | tail -n 40
		on "$ns" ip -d addr show
		on "$ns" ip route show
		on "$ns" ip neigh show
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
