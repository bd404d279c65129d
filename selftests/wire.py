#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""
Bytes for the selftests, with nothing but Python's own library.

A script starts this once (start_wire in lib.sh) and gives it expressions:

    py 'send("b", "vb", ip("10.0.0.2", "10.0.0.1", gre(b"...")))'

Builders nest from the outside in and fill in lengths, checksums and the
number of the protocol they carry:

    eth ip ip6 udp icmp icmp6 gre mpls erspan1 erspan2 erspan3

parse(bytes) gives them back as a list of layers.  Sockets are opened inside
the namespace they are named for.
"""
import base64
import ctypes
import errno
import fcntl
import hashlib
import ipaddress
import itertools
import os
import select
import socket
import struct
import sys
import threading
import time
import traceback
import zlib
from types import SimpleNamespace

ETH_IP, ETH_IP6, ETH_TEB, ETH_MPLS = 0x0800, 0x86dd, 0x6558, 0x8847
ETH_ERSPAN, ETH_ERSPAN3, ETH_WCCP, ETH_ALL = 0x88be, 0x22eb, 0x883e, 0x0003
PROTO = {'icmp': 1, 'ipip': 4, 'tcp': 6, 'udp': 17, 'ipv6': 41, 'gre': 47,
         'esp': 50, 'icmp6': 58, 'mpls': 137}
CLONE_NEWNET = 0x40000000
libc = ctypes.CDLL(None, use_errno=True)


# --- building -----------------------------------------------------------------

class Packet(bytes):
    """Bytes that know what they are: an IP protocol and an EtherType."""
    proto = ether = None


def packet(data, proto=None, ether=None):
    made = Packet(data)
    made.proto, made.ether = proto, ether
    return made


def checksum(data):
    if len(data) % 2:
        data = bytes(data) + b'\0'
    total = sum(struct.unpack('!%dH' % (len(data) // 2), data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def known(given, payload, what):
    """The protocol number that was given, or else the payload's own."""
    return given if given is not None else getattr(payload, what, None) or 0


def address(text):
    return ipaddress.ip_address(text).packed


def mac(text):
    return bytes.fromhex(text.replace(':', ''))


def l4(payload, proto, src, dst):
    """Fill in the transport checksum, which covers the addresses."""
    where = {PROTO['udp']: 6, PROTO['icmp6']: 2}.get(proto)
    if where is None or not getattr(payload, 'unsummed', False):
        return bytes(payload)
    pseudo = src + dst + struct.pack('!II', len(payload), proto)
    value = checksum(pseudo + payload) or 0xffff
    return payload[:where] + struct.pack('!H', value) + payload[where + 2:]


def eth(dst, src, payload, ether=None):
    head = mac(dst) + mac(src) + struct.pack('!H', known(ether, payload, 'ether'))
    return packet(head + payload, ether=ETH_TEB)


def ip(src, dst, payload=b'', proto=None, ttl=64, tos=0, df=False, ident=1,
       offset=0, more=False, length=None):
    src, dst = address(src), address(dst)
    proto = known(proto, payload, 'proto')
    body = l4(payload, proto, src, dst)
    frag = (0x4000 if df else 0) | (0x2000 if more else 0) | offset // 8
    length = 20 + len(body) if length is None else length
    head = struct.pack('!BBHHHBBH4s4s', 0x45, tos, length, ident, frag, ttl,
                       proto, 0, src, dst)
    head = head[:10] + struct.pack('!H', checksum(head)) + head[12:]
    return packet(head + body, PROTO['ipip'], ETH_IP)


def ip6(src, dst, payload=b'', proto=None, ttl=64, tos=0, flow=0):
    src, dst = address(src), address(dst)
    proto = known(proto, payload, 'proto')
    body = l4(payload, proto, src, dst)
    head = struct.pack('!IHBB16s16s', 6 << 28 | tos << 20 | flow, len(body),
                       proto, ttl, src, dst)
    return packet(head + body, PROTO['ipv6'], ETH_IP6)


def udp(sport, dport, data=b''):
    made = packet(struct.pack('!HHHH', sport, dport, 8 + len(data), 0) + data,
                  PROTO['udp'])
    made.unsummed = True
    return made


def icmp(kind=8, code=0, rest=1 << 16 | 1, data=b'', bad_sum=False):
    head = struct.pack('!BBHI', kind, code, 0, rest)
    value = checksum(head + data) ^ (0x5555 if bad_sum else 0)
    return packet(head[:2] + struct.pack('!H', value) + head[4:] + data,
                  PROTO['icmp'])


def icmp6(kind=128, code=0, rest=1 << 16 | 1, data=b''):
    made = packet(struct.pack('!BBHI', kind, code, 0, rest) + data, PROTO['icmp6'])
    made.unsummed = True
    return made


def gre(payload, proto=None, key=None, seq=None, csum=False, bad_csum=False,
        flags=0):
    """RFC 2784 and 2890; `flags` is or-ed in (0x4000 routing, 1 version)."""
    csum = csum or bad_csum
    flags |= ((0x8000 if csum else 0) | (0x2000 if key is not None else 0) |
              (0x1000 if seq is not None else 0))
    head = struct.pack('!HH', flags, known(proto, payload, 'ether'))
    tail = b''
    if key is not None:
        tail += struct.pack('!I', key)
    if seq is not None:
        tail += struct.pack('!I', seq)
    if csum:
        value = checksum(head + tail + payload) ^ (0x5555 if bad_csum else 0)
        tail = struct.pack('!HH', value, 0) + tail
    return packet(head + tail + payload, PROTO['gre'])


def mpls(label, payload, ttl=64, tc=0, bottom=True):
    word = label << 12 | tc << 9 | bottom << 8 | ttl
    return packet(struct.pack('!I', word) + payload, PROTO['mpls'], ETH_MPLS)


def erspan1(frame):
    return packet(bytes(frame), ether=ETH_ERSPAN)


def erspan2(frame, session, index=0, vlan=0, cos=0):
    head = struct.pack('!HHI', 1 << 12 | vlan, cos << 13 | session, index)
    return packet(head + frame, ether=ETH_ERSPAN)


def erspan3(frame, session, hwid=0, direction=0, stamp=0, vlan=0, cos=0):
    head = struct.pack('!HHIHH', 2 << 12 | vlan, cos << 13 | session, stamp, 0,
                       hwid << 4 | direction << 3)
    return packet(head + frame, ether=ETH_ERSPAN3)


# --- reading ------------------------------------------------------------------

class Layer(SimpleNamespace):
    def __getattr__(self, name):
        raise AttributeError('%s has no %s' % (self.__dict__.get('name'), name))

    def __repr__(self):
        shown = ['%s=%s' % (k, v if not isinstance(v, bytes) else '%d bytes' % len(v))
                 for k, v in self.__dict__.items() if k not in ('name', 'raw')]
        return '%s(%s)' % (self.name, ' '.join(shown))


def parse_ip(data):
    size = (data[0] & 15) * 4
    tos, length, ident, frag, ttl, proto = struct.unpack('!xBHHHBB', data[:10])
    layer = Layer(name='ip', src=socket.inet_ntoa(data[12:16]),
                  dst=socket.inet_ntoa(data[16:20]), proto=proto, ttl=ttl,
                  tos=tos, df=bool(frag & 0x4000), more=bool(frag & 0x2000),
                  offset=(frag & 0x1fff) * 8, ident=ident, length=length,
                  sum_ok=checksum(data[:size]) == 0, raw=data[:length])
    rest = data[size:length]
    names = {1: 'icmp', 4: 'ip', 17: 'udp', 41: 'ip6', 47: 'gre', 137: 'mpls'}
    if layer.offset:
        return layer, 'data', rest
    return layer, names.get(proto, 'data'), rest


def parse_ip6(data):
    word, length, proto, ttl = struct.unpack('!IHBB', data[:8])
    layer = Layer(name='ip6', src=socket.inet_ntop(socket.AF_INET6, data[8:24]),
                  dst=socket.inet_ntop(socket.AF_INET6, data[24:40]), proto=proto,
                  ttl=ttl, tos=word >> 20 & 255, length=length, raw=data)
    names = {4: 'ip', 17: 'udp', 41: 'ip6', 47: 'gre', 58: 'icmp'}
    return layer, names.get(proto, 'data'), data[40:40 + length]


def parse_gre(data):
    flags, proto = struct.unpack('!HH', data[:4])
    layer = Layer(name='gre', flags=flags, proto=proto, key=None, seq=None,
                  csum=None, raw=data)
    at = 4
    if flags & 0x8000:
        layer.csum = checksum(data) == 0
        at += 4
    if flags & 0x2000:
        layer.key = struct.unpack('!I', data[at:at + 4])[0]
        at += 4
    if flags & 0x1000:
        layer.seq = struct.unpack('!I', data[at:at + 4])[0]
        at += 4
    names = {ETH_IP: 'ip', ETH_IP6: 'ip6', ETH_TEB: 'eth', ETH_MPLS: 'mpls',
             ETH_ERSPAN: 'erspan', ETH_ERSPAN3: 'erspan'}
    name = names.get(proto, 'data')
    if proto == ETH_ERSPAN and layer.seq is None:
        name = 'eth'			# version 0: the frame follows at once
    return layer, name, data[at:]


def parse_erspan(data):
    first, second = struct.unpack('!HH', data[:4])
    layer = Layer(name='erspan', version=first >> 12, vlan=first & 0xfff,
                  cos=second >> 13, session=second & 0x3ff, raw=data)
    if layer.version == 1:
        layer.index = struct.unpack('!I', data[4:8])[0] & 0xfffff
        return layer, 'eth', data[8:]
    layer.stamp, _, last = struct.unpack('!IHH', data[4:12])
    layer.hwid, layer.direction = last >> 4 & 63, last >> 3 & 1
    return layer, 'eth', data[12:]


def parse_eth(data):
    ether = struct.unpack('!H', data[12:14])[0]
    names = {ETH_IP: 'ip', ETH_IP6: 'ip6', ETH_MPLS: 'mpls', 0x8100: 'vlan'}
    return (Layer(name='eth', dst=data[:6].hex(':'), src=data[6:12].hex(':'),
                  ether=ether, raw=data), names.get(ether, 'data'), data[14:])


def parse_vlan(data):
    tag, ether = struct.unpack('!HH', data[:4])
    names = {ETH_IP: 'ip', ETH_IP6: 'ip6'}
    return (Layer(name='vlan', vid=tag & 0xfff, ether=ether, raw=data),
            names.get(ether, 'data'), data[4:])


def parse_mpls(data):
    word = struct.unpack('!I', data[:4])[0]
    layer = Layer(name='mpls', label=word >> 12, tc=word >> 9 & 7,
                  bottom=word >> 8 & 1, ttl=word & 255, raw=data)
    if not layer.bottom:
        return layer, 'mpls', data[4:]
    return layer, {4: 'ip', 6: 'ip6'}.get(data[4] >> 4, 'data'), data[4:]


def parse_udp(data):
    sport, dport, length = struct.unpack('!HHH', data[:6])
    return (Layer(name='udp', sport=sport, dport=dport, length=length, raw=data),
            'data', data[8:length])


def parse_icmp(data):
    kind, code, _, rest = struct.unpack('!BBHI', data[:8])
    quoted = kind in (3, 4, 5, 11, 12) and len(data) >= 28
    return (Layer(name='icmp', kind=kind, code=code, rest=rest,
                  sum_ok=checksum(data) == 0, raw=data),
            'ip' if quoted else 'data', data[8:])


def parse(data, first='ip'):
    """The layers of a packet, outermost first; the last one is `data`."""
    if first == 'ip' and data and data[0] >> 4 == 6:
        first = 'ip6'
    layers, name = [], first
    readers = {'eth': parse_eth, 'vlan': parse_vlan, 'ip': parse_ip,
               'ip6': parse_ip6, 'gre': parse_gre, 'erspan': parse_erspan,
               'mpls': parse_mpls, 'udp': parse_udp, 'icmp': parse_icmp}
    while name != 'data':
        try:
            layer, name, data = readers[name](data)
        except (struct.error, IndexError, ValueError):
            break
        layers.append(layer)
    layers.append(Layer(name='data', raw=data))
    return layers


def names(layers):
    """`ip gre ip icmp`: what a packet is made of."""
    return ' '.join(layer.name for layer in layers if layer.name != 'data')


# --- sockets inside namespaces --------------------------------------------------

def netns_path(ns):
    return '/run/netns/%s-%s' % (os.environ.get('NS_PREFIX', ''), ns)


class inside:
    """with inside("a"): the calling thread works in that namespace."""
    def __init__(self, ns):
        self.ns = ns

    def __enter__(self):
        self.home = os.open('/proc/thread-self/ns/net', os.O_RDONLY)
        there = os.open(netns_path(self.ns), os.O_RDONLY)
        try:
            self.switch(there)
        finally:
            os.close(there)

    def __exit__(self, *_):
        self.switch(self.home)
        os.close(self.home)

    @staticmethod
    def switch(fd):
        if libc.setns(fd, CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), 'setns')


def socket_in(ns, *args):
    with inside(ns):
        return socket.socket(*args)


class Sniffer:
    """Everything one device sends and receives, link header included."""
    def __init__(self, ns, dev, first=None):
        self.sock = socket_in(ns, socket.AF_PACKET, socket.SOCK_RAW, 0)
        self.sock.setsockopt(socket.SOL_SOCKET, 33, 8 << 20)	# SO_RCVBUFFORCE
        self.sock.bind((dev, ETH_ALL))
        self.first = first or 'eth'

    def next(self, seconds):
        ready, _, _ = select.select([self.sock], [], [], max(seconds, 0))
        if not ready:
            return None
        try:
            data, where = self.sock.recvfrom(70000)
        except OSError:				# the device went down meanwhile
            return None if seconds <= 0 else self.next(seconds)
        layers = parse(data, self.first)
        for layer in layers:
            layer.outgoing = where[2] == 4
        return [l for l in layers if l.name != 'eth' or self.first != 'eth'
                or l is not layers[0]]

    def wait(self, wanted=lambda layers: True, seconds=10):
        """The layers of the first packet that is wanted, or None."""
        end = time.monotonic() + seconds
        while True:
            layers = self.next(end - time.monotonic())
            if layers is None:
                return None
            try:
                if wanted(layers):
                    return layers
            except (AttributeError, IndexError):
                pass


sniffers = {}


def sniff(ns, dev, first=None):
    """Listen on a device from now on; `seen` then waits for a packet."""
    if (ns, dev) in sniffers:
        sniffers[ns, dev].sock.close()
    sniffers[ns, dev] = Sniffer(ns, dev, first)
    return True


def seen(ns, dev, wanted=lambda layers: True, seconds=10):
    return sniffers[ns, dev].wait(wanted, seconds)


def unseen(ns, dev, wanted=lambda layers: True, seconds=0.5):
    """True when no such packet turns up.  Follow it by one that must."""
    return sniffers[ns, dev].wait(wanted, seconds) is None


def mac_of(ns, dev):
    with inside(ns):
        sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
        sock.bind((dev, 0))
        return sock.getsockname()[4].hex(':')


packet_sockets = {}


def send(ns, dev, data, ether=None):
    """Put an IP packet onto a tunnel device, as routing would."""
    sock = packet_sockets.get((ns, dev, 'dgram'))
    if sock is None:
        sock = socket_in(ns, socket.AF_PACKET, socket.SOCK_DGRAM, 0)
        packet_sockets[ns, dev, 'dgram'] = sock
    sock.sendto(data, (dev, known(ether, data, 'ether'), 0, 0, b''))
    return True


def send_frame(ns, dev, data):
    """Put a whole frame onto a device."""
    sock = packet_sockets.get((ns, dev, 'raw'))
    if sock is None:
        sock = socket_in(ns, socket.AF_PACKET, socket.SOCK_RAW, 0)
        packet_sockets[ns, dev, 'raw'] = sock
    sock.sendto(data, (dev, 0))
    return True


def deliver(ns, dev, to_ns, to_dev, data):
    """Send an IP packet over the cable to the device at its other end."""
    return send_frame(ns, dev, eth(mac_of(to_ns, to_dev), mac_of(ns, dev), data))


def route(ns, data, dst, mark=0):
    """Send a whole IP packet where the namespace's routes take it."""
    family = socket.AF_INET6 if data[0] >> 4 == 6 else socket.AF_INET
    sock = socket_in(ns, family, socket.SOCK_RAW, 255)
    if family == socket.AF_INET6:
        sock.setsockopt(41, 36, 1)				# IPV6_HDRINCL
    if mark:
        sock.setsockopt(socket.SOL_SOCKET, 36, mark)		# SO_MARK
    sock.sendto(data, (dst, 0))
    return True


# --- payloads -------------------------------------------------------------------

def pattern(size, seed=0):
    """Bytes that differ from place to place and from size to size."""
    block = b''.join(hashlib.sha256(b'%d %d' % (seed, i)).digest() for i in range(32))
    return (block * (size // len(block) + 1))[:size]


def udp_echo(ns, src, to_ns, dst, sizes, seconds=20):
    """Send each size there and back; the first that comes back wrong, or 0."""
    here = socket_in(ns, socket.AF_INET, socket.SOCK_DGRAM)
    there = socket_in(to_ns, socket.AF_INET, socket.SOCK_DGRAM)
    for sock, own in ((here, src), (there, dst)):
        sock.setsockopt(socket.SOL_SOCKET, 33, 8 << 20)
        sock.setsockopt(socket.SOL_SOCKET, 32, 8 << 20)
        sock.setsockopt(socket.IPPROTO_IP, 10, 0)		# IP_PMTUDISC_DONT
        sock.settimeout(seconds)
        sock.bind((own, 0))
    for size in sizes:
        data = pattern(size, size)
        try:
            here.sendto(data, there.getsockname())
            got, sender = there.recvfrom(70000)
            there.sendto(got, sender)
            back, _ = here.recvfrom(70000)
        except socket.timeout:
            raise AssertionError('%d bytes: lost' % size) from None
        if len(got) != size or zlib.crc32(got) != zlib.crc32(data):
            raise AssertionError('%d bytes: arrived changed' % size)
        if back != data:
            raise AssertionError('%d bytes: came back changed' % size)
    return True


def tcp_copy(ns, to_ns, dst, size, seconds=120, pieces=None):
    """Send `size` bytes by TCP and compare their digest at the other end.

    With `pieces`, one send for so many bytes each, over and over."""
    family = socket.AF_INET6 if ':' in dst else socket.AF_INET
    server = socket_in(to_ns, family, socket.SOCK_STREAM)
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    server.bind(('', 0))    # an address that has to be reached may not be local here
    server.listen(1)
    server.settimeout(seconds)
    result = {}

    def receive():
        received, total = hashlib.sha256(), 0
        conn, _ = server.accept()
        conn.settimeout(seconds)
        while True:
            data = conn.recv(1 << 16)
            if not data:
                break
            received.update(data)
            total += len(data)
        result.update(digest=received.digest(), total=total)

    thread = threading.Thread(target=receive, daemon=True)
    thread.start()
    data = memoryview(pattern(size))
    digest = hashlib.sha256(data).digest()
    client = socket_in(ns, family, socket.SOCK_STREAM)
    client.settimeout(seconds)
    client.connect((dst, server.getsockname()[1]))
    if pieces:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for length in itertools.cycle(pieces or [size]):
        client.sendall(data[:length])
        data = data[length:]
        if not data:
            break
    client.close()
    thread.join(seconds)
    assert result.get('total') == size, 'received %s of %d' % (result.get('total'), size)
    assert result['digest'] == digest, 'arrived changed'
    return True


def merged(ns, to_ns, dev, dst, size=1 << 18):
    """GRO: segments of a TCP transfer come out of the tunnel `dev` in one piece. What a
    packet socket still holds is not merged: those of the underlay are closed. On a slow
    machine TCP sends two segments at a time, or one: only what waits can be merged."""
    while sniffers:
        sniffers.popitem()[1].sock.close()
    sniff(to_ns, dev, None if mac_of(to_ns, dev).count(':') == 5 else 'ip')
    for attempt in range(10):
        tcp_copy(ns, to_ns, dst, size)
        found = seen(to_ns, dev, lambda p: not p[0].outgoing and len(p[0].raw) > 2000, 1)
        if found:
            return found


# --- raw netlink ------------------------------------------------------------------

RTM_NEWLINK, RTM_DELLINK = 16, 17
CREATE, EXCL, CHANGE = 0x400, 0x200, 0
IFLA_IFNAME, IFLA_MTU, IFLA_LINKINFO = 3, 4, 18


def attr(kind, data):
    """One netlink attribute, padded."""
    if isinstance(data, str):
        data = data.encode() + b'\0'
    size = 4 + len(data)
    return struct.pack('=HH', size, kind) + data + b'\0' * (-size % 4)


def u8(n):
    return struct.pack('=B', n)


def u16(n):
    return struct.pack('=H', n)


def u32(n):
    return struct.pack('=I', n)


def be16(n):
    return struct.pack('!H', n)


def be32(n):
    return struct.pack('!I', n)


def v4(text):
    return socket.inet_aton(text)


def errno_name(number):
    return 'EOPNOTSUPP' if number == 95 else errno.errorcode.get(number, str(number))


def newlink(ns, name, kind, data=b'', flags=CREATE | EXCL, extra=b''):
    """RTM_NEWLINK with IFLA_INFO_DATA as given: `0` or `ERRNO message`."""
    info = attr(1, kind) + (attr(2, data) if data is not None else b'')
    body = struct.pack('=BxHiII', 0, 0, 0, 0, 0) + attr(IFLA_IFNAME, name) + extra
    body += attr(IFLA_LINKINFO, info)
    head = struct.pack('=IHHII', 16 + len(body), RTM_NEWLINK, 5 | flags, 1, 0)
    with inside(ns):
        sock = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)
    sock.setsockopt(270, 11, 1)					# NETLINK_EXT_ACK
    sock.setsockopt(270, 10, 1)					# NETLINK_CAP_ACK
    sock.bind((0, 0))
    sock.send(head + body)
    reply = sock.recv(65536)
    error = -struct.unpack('=i', reply[16:20])[0]
    name = errno_name(error) if error else '0'
    text = ''
    if struct.unpack('=H', reply[6:8])[0] & 0x200:		# NLM_F_ACK_TLVS
        at, length = 36, struct.unpack('=I', reply[:4])[0]
        while at + 4 <= length:
            size, what = struct.unpack('=HH', reply[at:at + 4])
            if what == 1:
                text = reply[at + 4:at + size].rstrip(b'\0').decode()
            at += (size + 3) & ~3
    return (name + ' ' + text).strip()


# --- raw ioctls -------------------------------------------------------------------

GETTUNNEL, ADDTUNNEL, DELTUNNEL, CHGTUNNEL = 0x89f0, 0x89f1, 0x89f2, 0x89f3
GRE_KEY_BIT, GRE_CSUM_BIT, GRE_SEQ_BIT = 0x2000, 0x8000, 0x1000


def tunnel_ioctl(ns, request, dev, name=b'', local='0.0.0.0', remote='0.0.0.0',
                 proto=4, ttl=0, tos=0, frag=0, iflags=0, oflags=0, ikey=0,
                 okey=0, link=0, version=4, ihl=5):
    """One struct ip_tunnel_parm through `dev`: its answer as a Layer, or errno."""
    if isinstance(name, str):
        name = name.encode()
    head = struct.pack('!BBHHHBBH4s4s', version << 4 | ihl, tos, 0, 0, frag, ttl,
                       proto, 0, v4(local), v4(remote))
    parm = ctypes.create_string_buffer(
        name.ljust(16, b'\0')[:16] + struct.pack('=i', link) +
        struct.pack('!HHII', iflags, oflags, ikey, okey) + head, 52)
    request_block = bytearray(
        dev.encode().ljust(16, b'\0') +
        struct.pack('=Q' if ctypes.sizeof(ctypes.c_void_p) == 8 else '=I',
                    ctypes.addressof(parm))).ljust(40, b'\0')
    with inside(ns):
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        fcntl.ioctl(sock, request, request_block)
    except OSError as problem:
        return errno_name(problem.errno)
    raw = parm.raw
    iflags, oflags, ikey, okey = struct.unpack('!HHII', raw[20:32])
    vihl, tos, _, _, frag, ttl, proto = struct.unpack('!BBHHHBB', raw[32:42])
    return Layer(name=raw[:16].split(b'\0')[0].decode(errors='replace'),
                 link=struct.unpack('=i', raw[16:20])[0],
                 local=socket.inet_ntoa(raw[44:48]),
                 remote=socket.inet_ntoa(raw[48:52]), proto=proto, ttl=ttl,
                 tos=tos, frag=frag, iflags=iflags, oflags=oflags, ikey=ikey,
                 okey=okey)


# --- the loop ---------------------------------------------------------------------

def answer(line):
    """Run one request; the text to print and whether it succeeded."""
    source = line.replace('\x1e', '\n').strip()
    try:
        try:
            code = compile(source, '<script>', 'eval')
        except SyntaxError:
            exec(compile(source, '<script>', 'exec'), globals())
            return '', True
        value = eval(code, globals())
    except Exception:
        return traceback.format_exc(limit=-3), False
    if value is True:
        return '', True
    return str(value), bool(value)


def main():
    for line in sys.stdin:
        text, good = answer(line.rstrip('\n'))
        if text:
            print(text)
        print('.true' if good else '.false', flush=True)


if __name__ == '__main__':
    main()
