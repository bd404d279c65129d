#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Mistakes that drivers of this kind have made before, one case each.  What has
# a number here is in doc/bug-classes.md; the others there are tried elsewhere.
#
#   namespace a                              namespace b
#   wire 10.1.0.1/24 ===================== wire 10.1.0.2/24
#   gre  10.2.0.1/24 (key 5) ------------- gre  10.2.0.2/24
#   hub  10.3.0.1/24 (key 6, remote any)   hub  10.3.0.2/24

# shellcheck source=../lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

need python3 tcpdump ethtool
load_tunnels ipip gre
namespaces a b
wire a wire 10.1.0.1/24 b wire 10.1.0.2/24

# pair NAME KIND NETWORK [OPTION...]: a tunnel with both ends, 10.NETWORK.0.1 and .2.
pair() {
	local name=$1 kind=$2 network=$3
	shift 3
	on a ip link add "$name" type "$kind" local 10.1.0.1 remote 10.1.0.2 "$@"
	on b ip link add "$name" type "$kind" local 10.1.0.2 remote 10.1.0.1 "$@"
	on a ip addr add "10.$network.0.1/24" dev "$name"
	on b ip addr add "10.$network.0.2/24" dev "$name"
	on a ip link set "$name" up
	on b ip link set "$name" up
}

hub() { # NAMESPACE ADDRESS LOCAL PEER PEER_ADDRESS
	on "$1" ip link add hub type gre local "$3" key 6
	on "$1" ip addr add "$2/24" dev hub
	on "$1" ip link set hub up
	on "$1" ip neigh add "$5" lladdr "$4" dev hub
}

pair gre gre 2 key 5
hub a 10.3.0.1 10.1.0.1 10.1.0.2 10.3.0.2
hub b 10.3.0.2 10.1.0.2 10.1.0.1 10.3.0.1

works() {
	ping_ok a 10.2.0.2
	ping_ok a 10.3.0.2
}

# python NAMESPACE: run the program on standard input in a namespace.
python() { ip netns exec "$NS_PREFIX-$1" python3 -; }

# 2, 3: every length from nothing up, by a socket that builds the header itself
# and by one that leaves it to the device.
short_transmissions() {
	local dev

	pair ipip ipip 4
	pair tap gretap 5
	for dev in gre hub ipip tap; do
		python a <<-END
			import socket, errno
			for kind in (socket.SOCK_RAW, socket.SOCK_DGRAM):
			    s = socket.socket(socket.AF_PACKET, kind)
			    for proto in (0x0800, 0x86dd, 0x8847, 0x0806, 0x8100):
			        for n in range(100):
			            to = ("$dev", proto, 0, 0, bytes((10, 1, 0, 2)))
			            try:
			                s.sendto(bytes((0x45,)) * n, to)
			            except OSError as e:
			                if e.errno not in (errno.EINVAL, errno.ENOBUFS,
			                                   errno.EMSGSIZE, errno.ENXIO):
			                    raise
		END
	done
	# the smallest of all packets is one all the same: a header, no payload;
	# also where the core has made another one in front of that
	empty_packets_arrive gre 10.2.0.2
	empty_packets_arrive hub 10.3.0.2
	for dev in ipip tap; do
		on a ip link del "$dev"
		on b ip link del "$dev"
	done
	works
}

# empty_packets_arrive DEVICE TO
empty_packets_arrive() {
	local before

	before=$(counter b "$1" rx_packets)
	python a <<-END
		import socket
		s = socket.socket(socket.AF_INET, socket.SOCK_RAW, 99)
		for i in range(5):
		    s.sendto(b"", ("$2", 0))
	END
	wait_until 5 grew "$1" "$before"
}

# grew DEVICE BEFORE
grew() { [ "$(counter b "$1" rx_packets)" -ge $(($2 + 5)) ]; }

# What the kernel may log in so many seconds, by what net.core says of the network's
# log lines; as much again, for the time at which a period begins is not known.
# log_limit SECONDS
log_limit() {
	local cost

	cost=$(cat /proc/sys/net/core/message_cost)
	echo $((($1 / cost + 2) * $(cat /proc/sys/net/core/message_burst)))
}

# log_from_here: logged TEXT counts the lines with it from now on
log_from_here() { echo "$NS_PREFIX: $RANDOM" | tee "$work/mark" >/dev/kmsg; }
logged() { dmesg | tac | sed "/$(cat "$work/mark")/,\$d" | grep -c "$1" || true; }

# badly_marked COUNT: packets to a that cannot have been marked as they are: the
# outer header says congestion, the inner one that it does not know of such.
badly_marked() {
	python b <<-END
		import socket
		s = socket.socket(socket.AF_INET, socket.SOCK_RAW, 47)
		s.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, 3)
		inner = bytes.fromhex("45000014000000004063 0000 0a020002 0a020001")
		for i in range($1):
		    s.sendto(bytes.fromhex("2000080000000005") + inner, ("10.1.0.1", 0))
	END
}

one_is_logged() {
	badly_marked 1
	[ "$(logged non-ECT)" -gt 0 ]
}

# Who sends what has to be logged cannot fill the log with it.
log_lines() {
	local began dropped

	log_from_here
	wait_until 15 one_is_logged
	log_from_here
	began=$SECONDS
	dropped=$(drops a gre rx_ecn)
	badly_marked 3000
	culvert && at_least "dropped" 2500 $(($(drops a gre rx_ecn) - dropped))
	at_most "lines in the log" "$(log_limit $((SECONDS - began + 1)))" "$(logged non-ECT)"
	works
}

# 8, 10: two tunnels, each the way to the other's remote. What they tell the stack to
# reserve does not grow with every packet.
route_loop() {
	local traced='' began=$SECONDS

	# With it a function needs more of the stack, which is no larger for that.
	[ -z "${FUZZ_KMSAN-}" ] || skip "KMSAN has not the stack for tunnels in one another"
	log_from_here
	! count_copies 700 || traced=yes
	on a ip link add one type gre local 10.1.0.1 remote 10.8.0.2 key 81
	on a ip link add two type gre local 10.1.0.1 remote 10.9.0.2 key 82
	on a ip link set one up
	on a ip link set two up
	on a ip route add 10.9.0.2 dev one
	on a ip route add 10.8.0.2 dev two
	quietly on a ping -q -c 200 -i 0.002 -W 1 -I one 10.77.0.1 || true
	quietly on a ping -q -c 200 -i 0.002 -W 1 -I two 10.77.0.1 || true
	if culvert; then
		[ $(($(drops a one tx_recursion) + $(drops a two tx_recursion))) -gt 0 ]
		at_most "lines in the log" "$(log_limit $((SECONDS - began + 1)))" \
			"$(logged 'too many nested')"
	fi
	[ -z "$traced" ] || equal "packets with very much headroom" 0 "$(copies)"
	on a ip link del one
	on a ip link del two
	works
}

# What is written to the tap vm is received by a from 10.6.0.0/24.
tap_in_a() {
	kernel_has tun || skip "this kernel has no tun"
	on a ip tuntap add vm mode tap
	on a ip addr add 10.6.0.1/24 dev vm
	on a ip link set vm address 02:00:00:00:00:01 arp off up
}

# 6: the device below leaves checksums to the core, and a tap's owner says that the
# checksum of his frame is to be summed from its very beginning and written to its
# 12th byte: seen from behind our headers, that is the key. Newer kernels don't take
# such a frame from him.
checksum_before_the_packet() {
	tap_in_a
	on a sysctl -qw net.ipv4.ip_forward=1 net.ipv4.conf.vm.rp_filter=0 \
		net.ipv4.conf.all.rp_filter=0
	on a ethtool -K wire tx off
	capture b wire "$work/wire.pcap" proto 47
	python a <<-'END' >"$work/taken"
		import fcntl, os, struct
		fd = os.open("/dev/net/tun", os.O_RDWR)
		fcntl.ioctl(fd, 0x400454ca, struct.pack("16sH22x", b"vm", 0x5002))
		taken = 0
		ip = bytes.fromhex("45000028000040004011") + b"\0\0" + bytes((10, 6, 0, 2, 10, 2, 0, 2))
		total = sum(struct.unpack("!10H", ip))
		total = ~((total >> 16) + total) & 0xffff
		ip = ip[:10] + struct.pack("!H", total) + ip[12:]
		frame = bytes.fromhex("020000000001 060000000000 0800") + ip + bytes(20)
		for start in range(0, 14):
		    for offset in range(0, 14):
		        claim = struct.pack("<BBHHHH", 1, 0, 0, 0, start, offset)
		        try:
		            taken += os.write(fd, claim + frame) > 0
		        except OSError:
		            pass
		print(taken)
	END
	ping_ok a 10.2.0.2
	captured
	on a ip link del vm
	on a ethtool -K wire tx on
	say "  the tap took $(cat "$work/taken") such frames"
	tcpdump -n -r "$work/wire.pcap" 2>/dev/null | grep GRE >"$work/sent" || true
	at_least "packets of the ping" 1 "$(grep -c 'key=0x5[,:]' "$work/sent")"
	equal "packets with another key" 0 "$(grep -vc 'key=0x5[,:]' "$work/sent")"
	works
	[ "$(cat "$work/taken")" -gt 0 ] || skip "a tap of this kernel takes no such frame"
}

# 6: a mirror cuts the frame off before the place where its checksum goes, and the
# device below leaves the checksum to the core.
checksum_cut_off() {
	kernel_has act_mirred || skip "this kernel has no act_mirred"
	quietly on a ip link add mirror type erspan local 10.1.0.1 remote 10.1.0.2 seq key 3 \
		erspan_ver 1 || skip "no erspan here"
	on a ethtool -K wire tx off
	on a ip link set mirror mtu 100 up
	on a ip link add source type dummy
	on a ip link set source up
	on a tc qdisc add dev source clsact
	on a tc filter add dev source egress matchall action mirred egress mirror dev mirror
	python a <<-'END'
		import socket, struct
		s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
		s.setsockopt(263, 15, 1)  # SOL_PACKET, PACKET_VNET_HDR
		frame = bytes(12) + b"\x08\0" + b"\x45" + bytes(400)
		for start in range(60, 400, 6):
		    claim = struct.pack("<BBHHHH", 1, 0, 0, 0, start, 6)
		    s.sendto(claim + frame, ("source", 0x800))
	END
	[ "$(counter a mirror tx_packets)" -ge 50 ]
	on a ip link del source
	on a ip link del mirror
	on a ethtool -K wire tx on
	works
}

# 34: a merged packet that is no IP, or has the IP behind a VLAN tag, comes out of a
# tunnel into a bridge: who counts its segments there asks where its transport
# header is, and must not be told that of the outer packet.
merged_into_a_bridge() {
	kernel_has bridge || skip "this kernel has no bridge"
	tap_in_a
	on a ip link add bridged type gretap local 10.6.0.1 remote 10.6.0.2
	quietly on a ethtool -K bridged gro off
	on a ip link add port type veth peer name other
	on a ip link add bridge0 type bridge
	for dev in bridged port; do
		on a ip link set $dev master bridge0
	done
	for dev in bridged port other bridge0; do
		on a ip link set $dev up
	done
	wait_until 20 port_forwards
	python a <<-'END'
		import fcntl, os, struct
		fd = os.open("/dev/net/tun", os.O_RDWR)
		fcntl.ioctl(fd, 0x400454ca, struct.pack("16sH22x", b"vm", 0x5002))
		def ip(protocol, payload, src, dst):
		    head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(payload), 0, 0, 64, protocol, 0)
		    head += bytes(src) + bytes(dst)
		    total = sum(struct.unpack("!10H", head))
		    total = ~((total >> 16) + total) & 0xffff
		    return head[:10] + struct.pack("!H", total) + head[12:] + payload
		tcp = struct.pack("!HHIIBBHHH", 9, 9, 1, 1, 5 << 4, 16, 9999, 0, 0) + bytes(1200)
		inner = ip(6, tcp, (10, 9, 0, 2), (10, 9, 0, 1))
		sent = 0
		for kind, tag in ((0x88b5, b""), (0x0100, b""), (0x8847, b"\0\1\1\x40"),
		                  (0x8100, b"\0\7\x08\0"), (0x0800, b"")):
		    frame = b"\xff" * 6 + bytes.fromhex("020000000007") + struct.pack("!H", kind) + tag
		    packet = ip(47, bytes.fromhex("00006558") + frame + inner, (10, 6, 0, 2), (10, 6, 0, 1))
		    outer = bytes.fromhex("020000000001 060000000000 0800")
		    start = len(outer) + 24 + len(frame) + 20
		    claim = struct.pack("<BBHHHH", 1, 1, start + 20, 500, start, 16)
		    for again in range(10):
		        try:
		            sent += os.write(fd, claim + outer + packet) > 0
		        except OSError:
		            pass
		assert sent >= 40, sent
	END
	at_least "frames out of the tunnel" 40 "$(counter a bridged rx_packets)"
	on a ip link del bridge0
	on a ip link del bridged
	on a ip link del port
	on a ip link del vm
	works
}

port_forwards() { on a ip -d -o link show port | grep -q 'state forwarding'; }

# 9: the headroom of the device below is reserved from the first packet on, so
# that none has to be copied to make room.  On the way are a tunnel bound to a
# device, and that device: a tunnel itself.
headroom_below() {
	local copies

	pair low gretap 6
	for ns in a:1:2 b:2:1; do
		IFS=: read -r ns here there <<<"$ns"
		on "$ns" ip link add high type gre local "10.6.0.$here" remote "10.6.0.$there" \
			key 9 dev low
		on "$ns" ip addr add "10.7.0.$here/24" dev high
	done
	# resolve the link-layer addresses before anything is counted
	ping_ok a 10.6.0.2
	count_copies 0 || skip "this kernel has no kprobe events"
	for ns in a b; do
		on "$ns" ip link set high up
	done
	on a ping -n -q -c 1 -W 5 10.7.0.2
	copies=$(copies)
	for dev in high low; do
		on a ip link del "$dev"
		on b ip link del "$dev"
	done
	equal "packets copied for headroom" 0 "$copies"
}

# A tunnel whose remote is reached through itself.
route_to_itself() {
	on a ip link add self type gre local 10.1.0.1 remote 10.8.0.2 key 83
	on a ip link set self up
	on a ip route add 10.8.0.2 dev self
	quietly on a ping -q -c 20 -i 0.01 -W 1 -I self 10.77.0.1 || true
	[ "$(counter a self collisions)" -gt 0 ]
	on a ip link del self
	works
}

# 11: a bond or a team takes over the header_ops of what it enslaves, and calls
# them with itself as the device.
enslaved() {
	local master=$1 kind=$2
	shift 2

	[ "$kind" != team ] || team_is_sound
	on a ip link add "$master" type "$kind" "$@" ||
		skip "no $kind can be made here"
	on a ip link add slave type gre local 10.1.0.1 key 84
	on a ip link set slave down
	quietly on a ip link set slave master "$master" || {
		on a ip link del slave
		on a ip link del "$master"
		skip "a $kind does not take a gre device here"
	}
	on a ip addr add 10.84.0.1/24 dev "$master"
	on a ip link set slave up
	on a ip link set "$master" up
	on a ip neigh add 10.84.0.2 lladdr 10.1.0.2 dev "$master"
	quietly on a ping -q -c 5 -i 0.1 -W 1 10.84.0.2 || true
	python a <<-END
		import socket, errno
		s = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM)
		for n in (0, 1, 20, 200):
		    try:
		        s.sendto(bytes(n), ("$master", 0x0800, 0, 0, bytes((10, 1, 0, 2))))
		    except OSError as e:
		        if e.errno not in (errno.EINVAL, errno.ENOBUFS, errno.ENETDOWN):
		            raise
	END
	on a ip link del "$master"
	on a ip link del slave
	works
}

# 20, 21: nothing holds on to a device that is deleted while it is in use.
deleted_in_use() {
	local dev=$1 kind=$2
	shift 2

	pair "$dev" "$kind" 7 "$@"
	on b ip route add 10.78.0.0/16 dev "$dev"
	on a ip route add 10.78.0.0/16 dev "$dev"
	python a <<-END &
		import socket, time
		s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
		s.connect(("10.7.0.2", 9))
		end = time.time() + 4
		while time.time() < end:
		    try:
		        s.send(b"x" * 100)
		    except OSError:
		        pass
	END
	sleep 1
	on b ip link del "$dev"
	on a ip link del "$dev"
	fails quietly on a ip link show "$dev"
	wait
	works
}

# 26: what the kernel answers holds none of its memory.
answers_are_clean() {
	python a <<-'END'
		import fcntl, socket, struct
		s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
		for base in (b"tunl0", b"gre0", b"gre"):
		    parm = bytearray(b"\xa5" * 64)
		    address = (__import__("ctypes").c_char * 64).from_buffer(parm)
		    ifr = struct.pack("16sQ16x", base,
		                      __import__("ctypes").addressof(address))
		    fcntl.ioctl(s, 0x89f0, ifr)
		    name = bytes(parm[:16])
		    rest = name[name.index(0):]
		    assert base == name.rstrip(b"\0") and not any(rest), (base, name)
		    assert bytes(parm[52:]) == b"\xa5" * 12, "more written than promised"
	END
}

# 26: nor do the gaps in what it dumps: between attributes, behind strings, in
# the fields of structures that nobody uses.
gaps_are_clean() {
	on a ip link add gaps type gre local 10.1.0.1 remote 10.1.0.99 key 7
	on a ip link add gaps6 type sit local 10.1.0.1 remote 10.1.0.98
	on a ip tunnel add gapsi mode isatap local 10.1.0.1
	on a ip tunnel prl prl-default 10.9.9.9 dev gapsi
	on a ip tunnel 6rd dev gaps6 6rd-prefix 2001:db8::/32
	python a <<-'END'
		import ctypes, fcntl, socket, struct
		def attributes(data):
		    """(type, value) of each; what fills up to a multiple of four is 0"""
		    at = 0
		    while at + 4 <= len(data):
		        n, kind = struct.unpack_from("HH", data, at)
		        assert n >= 4 and at + n <= len(data), (n, kind)
		        end = (at + n + 3) & ~3
		        assert not any(data[at + n:end]), ("padding", kind, data[at:end])
		        yield kind & 0x3fff, data[at + 4:at + n]
		        at = end
		def string(field, what):
		    assert 0 in field and not any(field[field.index(0):]), (what, bytes(field))
		nl = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)
		nl.send(struct.pack("IHHII BxHiII", 32, 18, 0x301, 1, 0, 0, 0, 0, 0, 0))
		found, done = set(), False
		while not done:
		    data = nl.recv(1 << 16)
		    while data:
		        n, kind = struct.unpack_from("IH", data)
		        done = kind == 3
		        if kind == 16:
		            for a, v in attributes(data[32:n]):
		                if a == 3:
		                    name = v.rstrip(b"\0").decode()
		                for b, w in attributes(v) if a == 18 else ():
		                    if b == 2:
		                        found.add(name)
		                        list(attributes(w))
		        data = data[(n + 3) & ~3:]
		assert {"gaps", "gaps6", "gapsi", "tunl0", "gre0"} <= found, found
		s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
		def ask(dev, request, data):
		    buffer = bytearray(data)
		    at = ctypes.addressof((ctypes.c_char * len(buffer)).from_buffer(buffer))
		    fcntl.ioctl(s, request, struct.pack("16sQ16x", dev.encode(), at))
		    return bytes(buffer)
		def put(u32):
		    return struct.pack("I", u32)
		for dev in "gaps", "gaps6", "gapsi":
		    info = ask(dev, 0x8946, put(3) + b"\xa5" * 192)
		    for at in range(4, 164, 32):
		        string(info[at:at + 32], "drvinfo")
		    assert not any(info[164:176]), info[164:176]
		    sets = ask(dev, 0x8946, struct.pack("IIQI", 0x37, 0, 1 << 1, 0))
		    count = struct.unpack_from("I", sets, 16)[0]
		    assert count, "no counters"
		    names = ask(dev, 0x8946, struct.pack("III", 0x1b, 1, 0) + b"\xa5" * 32 * (count + 1))
		    for at in range(12, 12 + 32 * count, 32):
		        string(names[at:at + 32], "counter")
		    assert names[12 + 32 * count:] == b"\xa5" * 32, "more names than promised"
		    values = ask(dev, 0x8946, struct.pack("II", 0x1d, 0) + b"\xa5" * 8 * (count + 1))
		    assert values[8 + 8 * count:] == b"\xa5" * 8, "more values than promised"
		mac = fcntl.ioctl(s, 0x8927, struct.pack("16s24s", b"gaps", b"\xa5" * 24))
		assert mac[16:22] == struct.pack("=H4s", 778, bytes((10, 1, 0, 1))), mac
		assert mac[22:32] in (bytes(10), b"\xa5" * 10), mac	# 0 or as it was
		prl = ask("gapsi", 0x89f4, struct.pack("I4xI", 0, 64) + b"\xa5" * 88)
		assert struct.unpack_from("I", prl, 8)[0] == 16, prl[:16]
		assert prl[32:] == b"\xa5" * (len(prl) - 32), prl[32:]
		assert prl[16:32] == struct.pack("4sHHII", bytes((10, 9, 9, 9)), 1, 0, 0, 0), prl
		rd = ask("gaps6", 0x89f8, b"\xa5" * 40)
		assert rd == bytes.fromhex("20010db8") + bytes(16) + struct.pack("HH", 32, 0) + b"\xa5" * 16, rd
	END
	for dev in gaps gaps6 gapsi; do
		on a ip link del "$dev"
	done
}

# 35: the external device goes while routes still send packets to it.
external_removed() {
	local kind=$1

	on a ip link add ext type "$kind" external
	on a ip link set ext up
	on a ip addr add 10.35.0.1/24 dev ext
	on a ip route add 10.36.0.0/16 encap ip id 7 dst 10.1.0.2 dev ext
	fails quietly on a ip link add ext2 type "$kind" external
	quietly on a ping -f -q -w 2 10.36.0.1 &
	sleep 1
	on a ip link del ext
	wait || true
	on a ip link add ext type "$kind" external
	on a ip link del ext
	works
}

# 36: one tunnel changed onto another's key, and many tries at it.
change_onto_another() {
	local i

	on a ip link add x1 type gre local 10.1.0.1 remote 10.1.0.9 key 1
	on a ip link add x2 type gre local 10.1.0.1 remote 10.1.0.9 key 2
	for ((i = 0; i < 20; i++)); do
		fails quietly on a ip link set x1 type gre key 2
		quietly on a ip link set x1 type gre key 3
		quietly on a ip link set x2 type gre key 1
		fails quietly on a ip link set x1 type gre key 1
		quietly on a ip link set x2 type gre key 2
		quietly on a ip link set x1 type gre key 1
	done
	on a ip link del x1
	on a ip link add x1 type gre local 10.1.0.1 remote 10.1.0.9 key 1
	on a ip link del x1
	on a ip link del x2
}

# A name that is taken: the failed device was never there, also not for packets.
failed_registration() {
	local i

	quietly on b ping -f -q -w 3 10.2.0.1 &
	python b <<-'END' &
		import socket, time
		s = socket.socket(socket.AF_INET, socket.SOCK_RAW, 47)
		end = time.time() + 3
		while time.time() < end:
		    s.sendto(bytes((0x20, 0, 8, 0, 0, 0, 0, 99)) + bytes(40), ("10.1.0.1", 0))
	END
	for ((i = 0; i < 200; i++)); do
		echo "link add wire type gre local 10.1.0.1 remote 10.1.0.2 key 99"
	done >"$work/taken"
	quietly on a ip -force -batch "$work/taken" || true
	wait
	on a ip link add free type gre local 10.1.0.1 remote 10.1.0.2 key 99
	on a ip link del free
	works
}

check "the tunnels work" works
check "log lines that a stranger causes are few" log_lines
check "2, 3: transmissions shorter than the headers" short_transmissions
check "6: a checksum that begins before the packet" checksum_before_the_packet
check "6: a frame cut off before its checksum" checksum_cut_off
check "34: merged packets out of a tunnel into a bridge" merged_into_a_bridge
check "9: headroom of a device that is bound to" headroom_below
check "8, 10: two tunnels routed through each other" route_loop
check "10: a tunnel routed through itself" route_to_itself
check "11: enslaved to a bond" enslaved bond bond mode active-backup fail_over_mac active
check "11: enslaved to a team" enslaved team team
check "20, 21: gre deleted in use" deleted_in_use used gre key 7
check "20, 21: ipip deleted in use" deleted_in_use used ipip
check "26: ioctl answers are clean" answers_are_clean
check "26: the gaps in dumps and answers are clean" gaps_are_clean
check "35: an external gre is removed in use" external_removed gre
check "35: an external ipip is removed in use" external_removed ipip
check "36: changed onto another's key" change_onto_another
check "a failed registration leaves nothing for packets to find" failed_registration
finish
