# SPDX-License-Identifier: GPL-2.0-only
"""Packets as expressions: wire4() / gre(key=7) / in4() / udp(100).

Every layer fills in what it can know from the layer above it (length, protocol,
checksum) unless the case says otherwise, so that a case names only what it is
about: gre(csum=0xbad), ip4(len=21), wire4(ttl=1). A packet can be cut short
like any byte string: (wire4() / gre() / in4() / udp(100))[:30].
"""

import socket
import struct

# The addresses of the case's world; the header of cases/ has the drawing.
ME, PEER = "10.9.0.1", "10.9.0.2"
ME6, PEER6 = "fd09::1", "fd09::2"
INNER_ME, INNER_PEER = "10.1.0.1", "10.1.0.2"
INNER_ME6, INNER_PEER6 = "fd01::1", "fd01::2"
MAC_ME, MAC_PEER = "02:00:00:00:09:01", "02:00:00:00:09:02"

ETHERTYPE = {"ip4": 0x0800, "ip6": 0x86DD, "mpls": 0x8847, "arp": 0x0806,
             "eth": 0x6558, "erspan2": 0x88BE, "erspan3": 0x22EB}
IPPROTO = {"ip4": 4, "ip6": 41, "udp": 17, "tcp": 6, "icmp": 1, "icmp6": 58,
           "gre": 47, "esp": 50, "mpls": 137}


def checksum(data):
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack("!%dH" % (len(data) // 2), data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total ^ 0xFFFF


def mac_bytes(mac):
    return bytes(int(part, 16) for part in mac.split(":"))


class Packet:
    """A list of layers; a layer is (name, fields, function that builds it)."""

    def __init__(self, layers):
        self.layers = layers

    def __truediv__(self, upper):
        return Packet(self.layers + upper.layers)

    def __getitem__(self, piece):
        return raw(self.bytes()[piece])

    def __len__(self):
        return len(self.bytes())

    def bytes(self):
        data, above, below_of = b"", None, [None] + self.layers[:-1]
        for layer, below in zip(reversed(self.layers), reversed(below_of)):
            name, fields, build = layer
            data = build(fields, data, above, below)
            above = name
        return data

    @property
    def ethertype(self):
        return ETHERTYPE.get(self.layers[0][0], 0x0800)


def layer(name, build, **fields):
    return Packet([(name, fields, build)])


def or_else(value, default):
    return default if value is None else value


def raw(data):
    """Bytes, given as bytes or as hexadecimal text."""
    if isinstance(data, str):
        data = bytes.fromhex(data)
    return layer("raw", lambda f, upper, above, below: data + upper)


def data(size):
    """A payload in which every position can be told from its neighbours."""
    return raw(bytes((i * 7 + i // 256) & 0xFF for i in range(size)))


def build_eth(f, upper, above, below):
    proto = or_else(f["type"], ETHERTYPE.get(above, 0x0800))
    return mac_bytes(f["dst"]) + mac_bytes(f["src"]) + struct.pack("!H", proto) + upper


def eth(src=MAC_PEER, dst=MAC_ME, type=None):
    return layer("eth", build_eth, src=src, dst=dst, type=type)


def vlan(id=5, type=0x0800):
    """Goes after an eth(type=0x8100)."""
    return raw(struct.pack("!HH", id, type))


def build_ip4(f, upper, above, below):
    options = f["options"]
    ihl = or_else(f["ihl"], 5 + len(options) // 4)
    proto = or_else(f["proto"], IPPROTO.get(above, 17))
    length = or_else(f["len"], 20 + len(options) + len(upper))
    frag = f["frag"] // 8 | (0x4000 if f["df"] else 0) | (0x2000 if f["more"] else 0)
    head = struct.pack("!BBHHHBBH4s4s", f["version"] << 4 | ihl, f["tos"], length,
                       f["id"], frag, f["ttl"], proto, 0,
                       socket.inet_aton(f["src"]), socket.inet_aton(f["dst"])) + options
    csum = or_else(f["csum"], checksum(head))
    return head[:10] + struct.pack("!H", csum) + head[12:] + upper


def ip4(src, dst, tos=0, ttl=64, df=False, id=0x1234, proto=None, len=None, ihl=None,
        csum=None, options=b"", frag=0, more=False, version=4):
    return layer("ip4", build_ip4, src=src, dst=dst, tos=tos, ttl=ttl, df=df, id=id,
                 proto=proto, len=len, ihl=ihl, csum=csum, options=options, frag=frag,
                 more=more, version=version)


def build_ip6(f, upper, above, below):
    proto = or_else(f["proto"], IPPROTO.get(above, 17))
    length = or_else(f["len"], len(upper))
    return struct.pack("!IHBB16s16s", 6 << 28 | f["tos"] << 20 | f["flow"], length, proto,
                       f["ttl"], socket.inet_pton(socket.AF_INET6, f["src"]),
                       socket.inet_pton(socket.AF_INET6, f["dst"])) + upper


def ip6(src, dst, tos=0, ttl=64, flow=0, proto=None, len=None):
    return layer("ip6", build_ip6, src=src, dst=dst, tos=tos, ttl=ttl, flow=flow,
                 proto=proto, len=len)


def wire4(src=PEER, dst=ME, **fields):
    """The outer header of what the peer sends us."""
    return ip4(src, dst, **fields)


def sent4(src=ME, dst=PEER, **fields):
    """The outer header of what we sent, as an ICMP error quotes it."""
    return ip4(src, dst, **fields)


def in4(src=INNER_PEER, dst=INNER_ME, **fields):
    """An inner header on its way to us."""
    return ip4(src, dst, **fields)


def in6(src=INNER_PEER6, dst=INNER_ME6, **fields):
    return ip6(src, dst, **fields)


def out4(src=INNER_ME, dst=INNER_PEER, **fields):
    """An inner header on its way to the peer."""
    return ip4(src, dst, **fields)


def out6(src=INNER_ME6, dst=INNER_PEER6, **fields):
    return ip6(src, dst, **fields)


def pseudo_header(below, proto, length):
    """What a transport checksum covers of the layer below."""
    name, fields, _ = below or (None, None, None)
    if name == "ip4":
        return struct.pack("!4s4sBBH", socket.inet_aton(fields["src"]),
                           socket.inet_aton(fields["dst"]), 0, proto, length)
    if name == "ip6":
        return struct.pack("!16s16sIxxxB", socket.inet_pton(socket.AF_INET6, fields["src"]),
                           socket.inet_pton(socket.AF_INET6, fields["dst"]), length, proto)
    return b""


def with_checksum(segment, offset, given, below, proto):
    value = given
    if value is None:
        value = checksum(pseudo_header(below, proto, len(segment)) + segment) or 0xFFFF
    elif value == "partial":
        value = checksum(pseudo_header(below, proto, len(segment))) ^ 0xFFFF
    return segment[:offset] + struct.pack("!H", value) + segment[offset + 2:]


def build_udp(f, upper, above, below):
    length = or_else(f["len"], 8 + len(upper))
    head = struct.pack("!HHHH", f["sport"], f["dport"], length, 0)
    return with_checksum(head + upper, 6, f["csum"], below, 17)


def udp(size=None, sport=5000, dport=6000, len=None, csum=None):
    """With a size, the payload is made here; without, the layer above is it."""
    made = layer("udp", build_udp, sport=sport, dport=dport, len=len, csum=csum)
    return made if size is None else made / data(size)


def build_tcp(f, upper, above, below):
    head = struct.pack("!HHIIBBHHH", f["sport"], f["dport"], f["seq"], 1, 5 << 4,
                       f["flags"], 8192, 0, 0)
    return with_checksum(head + upper, 16, f["csum"], below, 6)


def tcp(size=0, sport=5000, dport=6000, seq=1, flags=0x10, csum=None):
    return layer("tcp", build_tcp, sport=sport, dport=dport, seq=seq, flags=flags,
                 csum=csum) / data(size)


def build_icmp(f, upper, above, below):
    head = struct.pack("!BBHI", f["type"], f["code"], 0, f["rest"])
    return with_checksum(head + upper, 2, f["csum"], None, 1)


def icmp(type, code=0, rest=0, csum=None):
    """rest is the second word: the MTU of 'fragmentation needed', and so on."""
    return layer("icmp", build_icmp, type=type, code=code, rest=rest, csum=csum)


def build_icmp6(f, upper, above, below):
    head = struct.pack("!BBHI", f["type"], f["code"], 0, f["rest"])
    return with_checksum(head + upper, 2, None, below, 58)


def icmp6(type, code=0, rest=0):
    return layer("icmp6", build_icmp6, type=type, code=code, rest=rest)


def build_gre(f, upper, above, below):
    proto = or_else(f["proto"], ETHERTYPE.get(above, 0x0800))
    flags = f["flags"] | f["version"]
    options = b""
    if f["csum"] is not None and f["csum"] is not False:
        flags |= 0x8000
        options += b"\0\0\0\0"
    if f["key"] is not None:
        flags |= 0x2000
        options += struct.pack("!I", f["key"])
    if f["seq"] is not None:
        flags |= 0x1000
        options += struct.pack("!I", f["seq"])
    packet = struct.pack("!HH", flags, proto) + options + upper
    if flags & 0x8000 and options:
        value = checksum(packet) if f["csum"] is True else f["csum"]
        packet = packet[:4] + struct.pack("!H", value) + packet[6:]
    return packet


def gre(key=None, csum=None, seq=None, proto=None, flags=0, version=0):
    """csum=True is a right checksum, a number is that number. flags sets bits without
    the fields they promise: flags=0x2000 claims a key that is not there."""
    return layer("gre", build_gre, key=key, csum=csum, seq=seq, proto=proto, flags=flags,
                 version=version)


def erspan1(seq=None, **fields):
    """ERSPAN type I: GRE without any option, then the frame."""
    return gre(seq=seq, proto=0x88BE, **fields)


def erspan2(session=1, index=0, seq=0, version=1, vlan=0, cos=0, truncated=0, **fields):
    words = (version << 28 | vlan << 16 | cos << 13 | truncated << 10 | session, index)
    return gre(seq=seq, proto=0x88BE, **fields) / raw(struct.pack("!II", *words))


def erspan3(session=1, seq=0, dir=0, hwid=0, version=2, vlan=0, cos=0, timestamp=0,
            sgt=0, platform=0, **fields):
    first = version << 28 | vlan << 16 | cos << 13 | session
    last = sgt << 16 | 2 << 1 | hwid << 4 | dir << 3 | platform
    return gre(seq=seq, proto=0x22EB, **fields) / raw(struct.pack("!III", first, timestamp, last))


def build_esp(f, upper, above, below):
    pad = -(len(upper) + 2) % 4
    return (struct.pack("!II", f["spi"], f["seq"]) + upper + bytes(range(1, pad + 1))
            + struct.pack("BB", pad, IPPROTO[above]))


def esp(spi, seq):
    """With the null cipher and no authentication."""
    return layer("esp", build_esp, spi=spi, seq=seq)


def build_mpls(f, upper, above, below):
    bottom = or_else(f["bottom"], above != "mpls")
    return struct.pack("!I", f["label"] << 12 | f["tc"] << 9 | bool(bottom) << 8
                       | f["ttl"]) + upper


def mpls(label=100, ttl=64, tc=0, bottom=None):
    return layer("mpls", build_mpls, label=label, ttl=ttl, tc=tc, bottom=bottom)


def arp(op=1, src=INNER_PEER, dst=INNER_ME, src_mac=MAC_PEER, dst_mac="00:00:00:00:00:00"):
    body = struct.pack("!HHBBH6s4s6s4s", 1, 0x0800, 6, 4, op, mac_bytes(src_mac),
                       socket.inet_aton(src), mac_bytes(dst_mac), socket.inet_aton(dst))
    return layer("arp", lambda f, upper, above, below: body + upper)


def gue(proto, control=False, flags=0, hlen=0, options=b""):
    """A GUE header; what it carries goes above it."""
    return raw(struct.pack("!BBH", control << 5 | hlen, proto, flags) + options)
