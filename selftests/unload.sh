#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The module, a device, a namespace goes away at work: a hub with peers learned,
# others being learned, and packets on their way in both directions; tunnels that
# send keepalives.
#
#      X  plays the peers            POP
#   +------+-------+          +------+-------+
#   |  172.20.0.N  |==========|   tunnel0    |
#   |    8.1.0.N   |          |  8.0.0.1/5   |
#   +--------------+          +--------------+
#      172.16.3.1               172.16.3.2, key 1234

. "$(dirname "$0")/lib.sh"
culvert || skip "only culvert learns and has keepalive"
load_tunnels gre
need iptables

namespaces POP X
wire X eth0 172.16.3.1/24 POP eth0 172.16.3.2/24
on POP ip route add 172.16.0.0/12 via 172.16.3.1
on X iptables -t raw -A PREROUTING -p gre -j DROP
start_wire
py "text = open('$lib_dir/flood.py').read(); exec(text)"

# Two threads until told to stop. What is sent to the POP comes from 2000 peers;
# it sends to as many, half of which nobody knows, and to all of them at once.
py '
pop_mac = mac_of("POP", "eth0")
stopped = threading.Event()
threads = []

def peers_send():
    while not stopped.is_set():
        try:
            flood("X", "eth0", pop_mac, "172.16.3.2", "8.0.0.1", 1234, [0, 1])
        except OSError:			# the cable is gone
            return

def pop_sends():
    with inside("POP"):
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
    n = 0
    while not stopped.is_set():
        n = n % 1000 + 1
        for to in (halves(INNER, n), halves(INNER + 5, n), "15.255.255.255"):
            try:
                sock.sendto(b"x", (to, 9))
            except OSError:		# no route, once the device is gone
                pass

def traffic(*senders):
    stopped.clear()
    threads[:] = [threading.Thread(target=f, daemon=True) for f in senders]
    for thread in threads:
        thread.start()
    return True

def no_traffic():
    stopped.set()
    for thread in threads:
        thread.join(60)
    return not any(thread.is_alive() for thread in threads)
'

hub() {
	on POP ip tunnel add tunnel0 mode gre local 172.16.3.2 key 1234
	on POP ip addr add 8.0.0.1/5 broadcast + dev tunnel0
	on POP ip link set tunnel0 up
	knob POP tunnel0 learning_limit 1500
	knob POP tunnel0 learning 1
	knob POP tunnel0 replicate 1
}

learned() { status POP tunnel0 learning "$1"; }
has_learned() { [ "$(learned peers)" -ge "$1" ]; }

# How many neighbours the kernel has, all namespaces and devices together; a few
# come and go without us.
neighbours() { printf '%d\n' "0x$(awk 'NR == 2 { print $1 }' /proc/net/stat/arp_cache)"; }
as_before() { [ "$(neighbours)" -le $((before + 5)) ]; }

# gone_by COMMAND...: it ends the hub while it is at work; nothing is left.
gone_by() {
	local before
	before=$(neighbours)
	hub
	py 'traffic(peers_send, pop_sends)'
	wait_until 60 has_learned 100
	wait_until 60 eval '[ "$(learned replicated)" -gt 0 ]'
	at_least "neighbours" $((before + 100)) "$(neighbours)"
	"$@"
	sleep 0.5
	py 'no_traffic()'
	equal "neighbours of it" "" "$(on POP ip neigh show | grep -v 172.16.3.1)"
	wait_until 30 as_before
}

unloaded() { run rmmod culvert; }

again() {
	run modprobe culvert
	gone_by unloaded
}

device_deleted() {
	run modprobe culvert
	gone_by on POP ip link del tunnel0
}

# With checkers in the kernel, such a flood leaves a machine time for little else.
learns_again() {
	wait_until 300 has_learned 100 || {
		on POP ip -s -d link show tunnel0
		on POP grep . /sys/class/net/tunnel0/tunnel/learning_status
		echo "neighbours: $(neighbours)"
		cat /proc/net/stat/arp_cache
		dmesg | tail -5
		return 1
	}
}

switched_off() {
	hub
	py 'traffic(peers_send, pop_sends)'
	learns_again
	for ((n = 0; n < 5; n++)); do
		knob POP tunnel0 replicate 0
		knob POP tunnel0 learning 0
		equal "peers" 0 "$(learned peers)"
		knob POP tunnel0 learning 1
		knob POP tunnel0 replicate 1
		learns_again
	done
	py 'no_traffic()'
}

namespace_deleted() {
	hub
	py 'traffic(peers_send)'
	wait_until 60 has_learned 100
	run ip netns del "$NS_PREFIX-POP"
	sleep 0.5
	py 'no_traffic()'
	run rmmod culvert
	run modprobe culvert
}

# asks NS OWN PEER: a tunnel that sends keepalives.
asks() {
	on "$1" ip tunnel add gre1 mode gre local "172.16.3.$2" remote "172.16.3.$3"
	on "$1" ip link set gre1 up
	knob "$1" gre1 keepalive_interval 1
}

keepalives() {
	on X iptables -t raw -F PREROUTING
	asks X 1 2
	asks POP 2 1
	wait_until 30 keepalive_is up X
	wait_until 30 keepalive_is up POP
	run rmmod culvert
	fails grep keepalive_tick /proc/timer_list
	run modprobe culvert
}

check "a hub: the module is unloaded" gone_by unloaded
check "and once more" again
check "the device is deleted" device_deleted
check "learning is switched off and on" switched_off
check "tunnels that ask and answer: the module is unloaded" keepalives
check "a hub: the namespace is deleted, then the module unloaded" namespace_deleted

finish
