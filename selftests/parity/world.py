# SPDX-License-Identifier: GPL-2.0-only
"""The network that every case starts from, fresh, and the far end of its wire.

    d0  dummy  10.0.0.1/24  mtu 1400
    d1  dummy  10.0.1.1/24  mtu 9000
    w0  tap    10.9.0.1/24  mtu 1500  ====  this program, which is 10.9.0.2

What the kernel sends out of w0 this program reads, and what this program writes
arrives at w0: the peer is made of bytes, so every byte can be seen and chosen.
Packets that come out of a tunnel are seen by packet sockets.
"""

import ctypes
import errno
import fcntl
import os
import socket
import struct

from packet import MAC_ME, MAC_PEER, ME, PEER, Packet, eth, mac_bytes
from render import Renderer

libc = ctypes.CDLL(None, use_errno=True)
CLONE_NEWNS, CLONE_NEWNET = 0x00020000, 0x40000000
MS_REC, MS_PRIVATE = 0x4000, 1 << 18
TUNSETIFF, IFF_TAP, IFF_NO_PI = 0x400454CA, 2, 0x1000
SIOCSIFHWADDR, SIOCGIFHWADDR = 0x8924, 0x8927
ARPHRD_ETHER = 1
SOL_PACKET, PACKET_AUXDATA, PACKET_VNET_HDR = 263, 8, 15
TP_STATUS_VLAN_VALID = 1 << 4
ETH_P_ALL = 3
PACKET_OUTGOING = 4
UDP_SEGMENT = 103
IP_MTU, IP_MTU_DISCOVER = 14, 10

SETUP = f"""\
link set lo up
link add d0 mtu 1400 up address 02:00:00:00:00:01 type dummy
link add d1 mtu 9000 up address 02:00:00:00:01:01 type dummy
link set w0 up address {MAC_ME}
address add 10.0.0.1/24 dev d0
address add 10.0.1.1/24 dev d1
address add {ME}/24 dev w0
neighbour add {PEER} lladdr {MAC_PEER} dev w0
neighbour add 10.9.0.3 lladdr {MAC_PEER} dev w0
neighbour add 10.9.0.7 lladdr {MAC_PEER} dev w0
neighbour add 10.9.0.77 lladdr {MAC_PEER} dev w0
link add nlmon0 up type nlmon
"""

# No IPv6 of the kernel's own unless a case asks for it: its announcements come
# at moments of their own.
SYSCTLS = {
    "net/ipv6/conf/all/disable_ipv6": "1",
    "net/ipv6/conf/default/disable_ipv6": "1",
    "net/ipv6/conf/default/accept_dad": "0",
    "net/ipv6/conf/default/accept_ra": "0",
    "net/ipv6/conf/default/router_solicitations": "0",
    "net/ipv6/auto_flowlabels": "0",
    "net/ipv6/icmp/ratelimit": "0",
    "net/ipv4/conf/all/rp_filter": "0",
    "net/ipv4/conf/default/rp_filter": "0",
    "net/ipv4/icmp_ratelimit": "0",
    "net/ipv4/icmp_ratemask": "0",
}

NLM_F_REQUEST, NLM_F_ACK, IFLA_IFNAME = 1, 4, 3

STATISTICS = ("rx_packets tx_packets rx_bytes tx_bytes rx_errors tx_errors rx_dropped "
              "tx_dropped multicast collisions rx_length_errors rx_over_errors "
              "rx_crc_errors rx_frame_errors rx_fifo_errors rx_missed_errors "
              "tx_aborted_errors tx_carrier_errors tx_fifo_errors tx_heartbeat_errors "
              "tx_window_errors rx_compressed tx_compressed rx_nohandler "
              "rx_otherhost_dropped").split()


# Attributes of a link: IFLA_MTU and so on.
LINK_NUMBERS = {4: "mtu", 50: "min", 51: "max", 13: "qlen", 16: "state", 30: "promiscuity",
                41: "gso_max_size", 40: "gso_max_segs", 27: "group", 33: "carrier"}
LINK_ADDRESSES = {1: "address", 2: "broadcast"}


def hardware_address(value):
    """A random one is not the same in every run."""
    random = len(value) == 6 and any(value) and value[:3] not in (b"\2\0\0", b"\xff\xff\xff")
    return "random" if random else value.hex() or "-"


def check(result):
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def write_sysctl(name, value):
    try:
        with open("/proc/sys/" + name, "w") as knob:
            knob.write(value)
    except OSError:
        pass  # this kernel has no such knob, or not in a namespace


def enter():
    """Into a network of our own, whose names nobody else sees and which goes with us."""
    check(libc.unshare(CLONE_NEWNET | CLONE_NEWNS))
    check(libc.mount(b"none", b"/", None, MS_REC | MS_PRIVATE, None))
    os.makedirs("/run/netns", exist_ok=True)
    check(libc.mount(b"netns", b"/run/netns", b"tmpfs", 0, None))
    check(libc.mount(b"sysfs", b"/sys", b"sysfs", 0, None))
    check(libc.mount(b"bpf", b"/sys/fs/bpf", b"bpf", 0, None))
    for name, value in SYSCTLS.items():
        write_sysctl(name, value)


class World:
    def __init__(self):
        self.render = Renderer()
        self.tap = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
        fcntl.ioctl(self.tap, TUNSETIFF, struct.pack("16sH22x", b"w0", IFF_TAP | IFF_NO_PI))
        self.netlink = Netlink()
        self.fence_at = None

    def listen(self):
        """Once the devices of SETUP are there."""
        self.netlink.watch()
        self.first_devices = {name for _, name in socket.if_nameindex()}
        self.cooked = self.packet_socket(socket.SOCK_DGRAM)
        self.whole = self.packet_socket(socket.SOCK_RAW)
        self.fence_at = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.fence_at.bind(("127.0.0.1", 0))
        self.fence_at.settimeout(5)

    @staticmethod
    def packet_socket(kind):
        sock = socket.socket(socket.AF_PACKET, kind, socket.htons(ETH_P_ALL))
        sock.setsockopt(SOL_PACKET, PACKET_AUXDATA, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        sock.setblocking(False)
        return sock

    def fence(self):
        """Wait until what was handed to the kernel has been dealt with.

        A datagram over lo goes through this CPU's backlog, behind the work that
        earlier packets left for the same softirq.
        """
        for _ in range(2):
            self.fence_at.sendto(b"", self.fence_at.getsockname())
            self.fence_at.recv(16)

    # What a case can do with packets. Each returns the lines of the record.

    def inject(self, packet, **options):
        """A packet of the peer's arrives at w0."""
        first = packet.layers[0][0]
        frame = packet if first == "eth" else eth(type=packet.ethertype) / packet
        os.write(self.tap, frame.bytes())
        return self.seen()

    def send(self, device, packet, to=None, gso=0, partial=False):
        """A program hands a packet to a device, as a packet socket does it.

        gso: the packet is a large one, to be cut into segments with that much payload.
        partial: its transport checksum is left for the device to fill in.
        """
        ethernet = self.hardware_type(device) == ARPHRD_ETHER
        if ethernet and packet.layers[0][0] != "eth":
            packet = eth(src=MAC_ME, dst=MAC_PEER, type=packet.ethertype) / packet
        data = packet.bytes()
        kind = socket.SOCK_RAW if ethernet or gso or partial else socket.SOCK_DGRAM
        with socket.socket(socket.AF_PACKET, kind, 0) as sock:
            if gso or partial:
                sock.setsockopt(SOL_PACKET, PACKET_VNET_HDR, 1)
                data = offload_header(packet, gso, data) + data
            address = (device, packet.ethertype)
            if to:
                address += (0, 0, socket.inet_aton(to) if ":" not in to else mac_bytes(to))
            return self.attempt(lambda: sock.sendto(data, address))

    def datagram(self, destination, size, tos=None, ttl=None, df=None, mark=None, device=None,
                 gso=0, port=6000):
        """A program sends a UDP datagram. df is 0 (never), 1 (want) or 2 (do)."""
        six = ":" in destination
        family = socket.AF_INET6 if six else socket.AF_INET
        with socket.socket(family, socket.SOCK_DGRAM) as sock:
            if mark is not None:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_MARK, mark)
            if device:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, device.encode())
            level = socket.IPPROTO_IPV6 if six else socket.IPPROTO_IP
            for option, value in ((67 if six else socket.IP_TOS, tos),
                                  (16 if six else socket.IP_TTL, ttl),
                                  (23 if six else IP_MTU_DISCOVER, df)):
                if value is not None:
                    sock.setsockopt(level, option, value)
            if gso:
                sock.setsockopt(socket.IPPROTO_UDP, UDP_SEGMENT, gso)
            payload = bytes((i * 7 + i // 256) & 0xFF for i in range(size))

            def transmit():
                sock.bind(("::" if six else "", 5001))
                sock.connect((destination, port))
                sock.send(payload)

            return self.attempt(transmit)

    def attempt(self, call):
        try:
            call()
        except OSError as error:
            return [f"error {errno.errorcode[error.errno]}"] + self.seen()
        return self.seen()

    def seen(self):
        """What has come out of the kernel since last time."""
        self.render.begin()
        self.fence()
        return list(self.from_wire()) + list(self.from_sockets())

    def from_wire(self):
        while True:
            try:
                frame = os.read(self.tap, 70000)
            except BlockingIOError:
                return
            line = self.render.wire(frame)
            if line:
                yield "w0 > " + line

    def from_sockets(self):
        for sock, ethernet in ((self.cooked, False), (self.whole, True)):
            while True:
                try:
                    data, ancillary, _, address = sock.recvmsg(70000, 256)
                except BlockingIOError:
                    break
                device, proto, kind, hardware, lladdr = address
                if kind == PACKET_OUTGOING or (hardware == ARPHRD_ETHER) != ethernet:
                    continue
                if device in ("lo", "w0", "d0", "d1", "nlmon0") or not data:
                    continue
                yield self.render.delivered(device, proto, kind, lladdr, data,
                                            vlan_of(ancillary))

    def hardware_type(self, device):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            request = struct.pack("16s16x", device.encode())
            try:
                return struct.unpack("16xH14x", fcntl.ioctl(sock, SIOCGIFHWADDR, request))[0]
            except OSError:
                return None

    def forget(self):
        """Delete the devices that were not there in the beginning."""
        for index, name in socket.if_nameindex():
            if name not in self.first_devices:
                self.netlink.delete(index)
        self.seen()
        self.errors()

    # What it can look at.

    def counters(self, device):
        link = self.netlink.link(device)
        if link is None:
            return [f"no {device}"]
        values = struct.unpack_from("=%dQ" % (len(link[23]) // 8), link[23])
        shown = [f"{name} {value}" for name, value in zip(STATISTICS, values) if value]
        return [", ".join(shown) or "all 0"]

    def device(self, device):
        """What `ip -d link` would show of the device itself."""
        link = self.netlink.link(device)
        if link is None:
            return [f"no {device}"]
        words = ["type {} flags {:x}".format(*link["header"])]
        for type, name in LINK_NUMBERS.items():
            if type in link:
                words.append(f"{name} {int.from_bytes(link[type], 'little')}")
        for type, name in LINK_ADDRESSES.items():
            words.append(f"{name} {hardware_address(link.get(type, b''))}")
        if any(link.get(5, b"")):
            words.append("link " + self.attribute_value(1, link[5]))
        return [" ".join(words + (["link-netns"] if 37 in link else []))]

    def attributes(self, device):
        """IFLA_INFO_DATA as it is."""
        link = self.netlink.link(device)
        if link is None:
            return [f"no {device}"]
        info = dict(attributes(link.get(18, b"")))
        data = sorted(attributes(info.get(2, b"")))
        kind = info.get(1, b"").rstrip(b"\0").decode()
        words = [f"{type & 0x3FFF}:{self.attribute_value(type, value)}" for type, value in data]
        return [" ".join([kind] + words)]

    @staticmethod
    def attribute_value(type, value):
        """As bytes, but an interface by its name."""
        if type == 1 and len(value) == 4 and any(value):
            try:
                return socket.if_indextoname(struct.unpack("=I", value)[0])
            except OSError:
                return "elsewhere"
        return value.hex() or "-"

    def errors(self):
        """How netlink requests since last time were refused, whatever words were shown."""
        return [errno.errorcode.get(number, str(number)) for number in self.netlink.refusals()]


def vlan_of(ancillary):
    for level, type, data in ancillary:
        if level == SOL_PACKET and type == PACKET_AUXDATA:
            fields = struct.unpack("=IIIHHHH", data[:20])
            if fields[0] & TP_STATUS_VLAN_VALID:
                return fields[5]
    return None


def offload_header(packet, gso, data):
    """struct virtio_net_hdr for a TCP or UDP packet."""
    names = [name for name, _, _ in packet.layers]
    last = max(i for i, name in enumerate(names) if name in ("udp", "tcp"))
    start = len(data) - len(Packet(packet.layers[last:]))
    offset, head = (16, 20) if names[last] == "tcp" else (6, 8)
    kind = 0
    if gso:
        kind = 5 if names[last] == "udp" else 1 if names[last - 1] == "ip4" else 4
    return struct.pack("=BBHHHH", 1, kind, start + head if gso else 0, gso, start, offset)


def attributes(data):
    """The (type, value) pairs of a run of netlink attributes."""
    while len(data) >= 4:
        length, type = struct.unpack_from("=HH", data)
        if length < 4:
            return
        yield type, data[4:length]
        data = data[(length + 3) & ~3:]


class Netlink:
    """Just enough rtnetlink to look at a link without starting a program for it, and a
    tap on everybody's netlink, to see the error numbers behind the words."""

    NLMSG_ERROR, RTM_DELLINK, RTM_GETLINK = 2, 17, 18

    def __init__(self):
        self.socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)
        self.socket.bind((0, 0))
        self.monitor = None

    def watch(self):
        try:
            self.monitor = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(3))
            self.monitor.setsockopt(socket.SOL_SOCKET, 33, 8 << 20)  # SO_RCVBUFFORCE
            self.monitor.bind(("nlmon0", ETH_P_ALL))
            self.monitor.setblocking(False)
        except OSError:
            self.monitor = None

    def ask(self, type, flags, index=0, attributes=b""):
        body = struct.pack("=BxHiII", 0, 0, index, 0, 0) + attributes
        self.socket.send(struct.pack("=IHHII", 16 + len(body), type, flags, 1, 0) + body)
        return self.socket.recv(1 << 17)

    def delete(self, index):
        self.ask(self.RTM_DELLINK, NLM_F_REQUEST | NLM_F_ACK, index)

    def link(self, name):
        """The attributes of a device, or None."""
        wanted = struct.pack("=HH", 4 + len(name) + 1, IFLA_IFNAME) + name.encode() + b"\0"
        wanted += b"\0" * (-len(wanted) % 4)
        answer = self.ask(self.RTM_GETLINK, NLM_F_REQUEST, attributes=wanted)
        if struct.unpack_from("=H", answer, 4)[0] == self.NLMSG_ERROR:
            return None
        length = struct.unpack_from("=I", answer)[0]
        link = dict(attributes(answer[32:length]))
        link["header"] = struct.unpack_from("=xxHxxxxI", answer, 16)
        return link

    def refusals(self):
        while self.monitor:
            try:
                data = self.monitor.recv(1 << 17)
            except BlockingIOError:
                return
            if len(data) < 20:
                continue
            type, = struct.unpack_from("=H", data, 4)
            number, = struct.unpack_from("=i", data, 16)
            if type == self.NLMSG_ERROR and number < 0:
                yield -number
