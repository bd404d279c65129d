#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Tunnels in a bond, a team and a bridge. A bond or a team of devices that are
# no Ethernet takes over their header_ops, and calls them with itself as the
# device: they must not take its private data for a tunnel's.
#
#         a                               b
#   +-----------+                   +-----------+
#   |    top    |                   |           |
#   |    tun    | = = = = = = = = = |    tun    |
#   |    va ----+-------------------+---- vb    |
#   +-----------+                   +-----------+
#    10.0.0.1/24                     10.0.0.2/24

. "$(dirname "$0")/lib.sh"
load_tunnels ipip gre

namespaces a b
wire a va 10.0.0.1/24 b vb 10.0.0.2/24
start_wire

fresh() {
	for ns in a b; do
		quietly on $ns ip link del top || true
		quietly on $ns ip link del tun || true
	done
}

# top KIND [OPTION...]: a master in a; skips where the kernel has no such thing.
top() {
	local module=$1
	[ "$1" != bond ] || module=bonding
	kernel_has $module || skip "this kernel has no $module"
	on a ip link add top type "$@"
}

# A team that nobody has given a mode carries nothing.
carries() { [ "$1" != team ]; }

# Ethernet tunnels are Ethernet: everything works.
ethernet() {
	fresh
	top "$@"
	on a ip link add tun type gretap local 10.0.0.1 remote 10.0.0.2
	on b ip link add tun type gretap local 10.0.0.2 remote 10.0.0.1
	on a ip link set tun master top
	on a ip addr add 10.1.1.1/24 dev top
	on b ip addr add 10.1.1.2/24 dev tun
	on a ip link set tun up
	on a ip link set top up
	on b ip link set tun up
	wait_until 10 on a ping -n -c 1 -W 1 10.1.1.2
	ping_ok a 10.1.1.2
}

# The tunnel is a slave for a while, and works as before when it is free again.
free_again() {
	on a ip link set tun nomaster
	on a ip addr flush dev top
	on a ip link set top down
	on a ip addr flush dev tun
	on a ip addr add 10.1.1.1/24 dev tun
	on a ip link set tun up
}

# Point to point: what the master sends goes through the tunnel.
point_to_point() {
	local kind=$1
	shift
	[ "$1" != team ] || [ "$kind" = gretap ] || team_is_sound
	fresh
	top "$@"
	on a ip link add tun type "$kind" local 10.0.0.1 remote 10.0.0.2
	on b ip link add tun type "$kind" local 10.0.0.2 remote 10.0.0.1
	on b ip addr add 10.1.1.2/24 dev tun
	on b ip link set tun up
	on a ip link set tun master top
	on a ip addr add 10.1.1.1/24 dev top
	on a ip link set tun up
	on a ip link set top up
	! carries "$1" || ping_ok a 10.1.1.2
	py 'for_each_size("a", "top", "10.0.0.2")'
	free_again
	ping_ok a 10.1.1.2
}

# To many, where there are header_ops. Newer kernels refuse to take such a
# device; older ones have to leave the tunnel's data alone.
to_many() {
	local seen

	[ "$1" != team ] || team_is_sound
	fresh
	top "$@"
	on a ip link add tun type gre local 10.0.0.1 key 7
	on b ip link add tun type gre local 10.0.0.2 remote 10.0.0.1 key 7
	on b ip addr add 10.1.1.2/24 dev tun
	on b ip link set tun up
	if on a ip link set tun master top; then
		on a ip addr add 10.1.1.1/24 dev top
		on a ip link set tun up
		on a ip link set top up
		quietly on a ip neigh replace 10.1.1.2 lladdr 10.0.0.2 dev top || true
		quietly on a ping -n -q -c 3 -i 0.1 -W 1 10.1.1.2 || true
		py 'watch("a", "top")'
		py 'for_each_size("a", "top", "10.0.0.2")'
		seen=$(py 'headers_of("10.0.0.1", "10.0.0.2", 7)')
		say "$seen packets, each with our header"
	else
		say "a $1 does not take it here"
	fi
	free_again
	on a ip neigh replace 10.1.1.2 lladdr 10.0.0.2 dev tun
	ping_ok a 10.1.1.2
}

py '
def for_each_size(ns, dev, to):
    """A packet socket sends nothing, a little and a lot; errors are fine."""
    sock = socket_in(ns, socket.AF_PACKET, socket.SOCK_DGRAM, 0)
    for size in (0, 1, 19, 20, 60, 1400):
        try:
            sock.sendto(bytes(size), (dev, ETH_IP, 0, 0, address(to)))
        except OSError as problem:
            if problem.errno not in (errno.EINVAL, errno.ENOBUFS, errno.ENETDOWN, errno.ENXIO):
                raise
    sock.close()
    return True

def watch(ns, dev):
    """From now on, what is sent on dev, with the header in front."""
    global watched
    watched = socket_in(ns, socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
    watched.bind((dev, 3))
    watched.setblocking(False)
    return True

def headers_of(src, dst, key):
    """Nothing but the addresses and the key of the tunnel is in front of a packet;
    how many there were."""
    want = (address(src), address(dst), struct.pack("!HHI", 0x2000, ETH_IP, key))
    seen = 0
    while True:
        try:
            data = watched.recv(65536)
        except BlockingIOError:
            break
        if (data[12:16], data[16:20], data[20:28]) != want:
            raise ValueError("packet %d begins with %s" % (seen, data[:64].hex()))
        seen += 1
    watched.close()
    return str(seen)
'

check "gretap in a bridge" ethernet bridge
check "gretap in a bond" ethernet bond mode active-backup miimon 100
check "gretap in a team" point_to_point gretap team
for kind in gre ipip; do
	check "$kind in a bond" point_to_point $kind bond mode active-backup fail_over_mac active
	check "$kind in a team" point_to_point $kind team
done
check "gre to many peers in a bond" to_many bond mode active-backup fail_over_mac active
check "gre to many peers in a team" to_many team
finish
