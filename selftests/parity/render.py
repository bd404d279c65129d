# SPDX-License-Identifier: GPL-2.0-only
"""Bytes and command output as text that is the same in every run.

Only what is random by design is replaced: IP identifications that the kernel chose
(and the header checksum over them, which is verified instead), interface indexes,
random MAC addresses, times.
"""

import re
import struct
import zlib

from packet import MAC_ME, MAC_PEER, checksum, mac_bytes

FRAGMENT_HEADER = 44     # of IPv6
IGMP = 2
OUR_ID = 0x1234          # what the case's own packets have ...
FOU_PORT = b"\x04\x57"   # where the cases' FOU and GUE tunnels send from
OUR_PORT = b"\x13\x88"   # ... and the source port by which one knows them
FIRST = 160              # bytes shown of a packet; the rest is shown as a checksum
NORMAL_LINK = mac_bytes(MAC_PEER) + mac_bytes(MAC_ME)

MULTICAST_LISTENER = bytes.fromhex("3a000502")   # hop-by-hop, router alert
SUBSTITUTIONS = [(re.compile(pattern, re.M), by) for pattern, by in (
    (r"^\d+:[ \t]+", "#: "),
    (r"\bif\d+\b", "if#"),
    (r'("(?:ifindex|link_index)":) ?\d+', r"\1#"),
    (r"\b(?!02:00:00|ff:ff|33:33|01:00:5e|00:00:00:00:00:00)"
     r"(?:[0-9a-f]{2}:){5}[0-9a-f]{2}\b", "MAC"),
    (r"\bfe80::[0-9a-f]{0,4}:?[0-9a-f]{1,4}:[0-9a-f]{0,2}ff:fe[0-9a-f]{2}:[0-9a-f]{1,4}",
     "fe80::MAC"),
    (r"\bexpires \d+sec", "expires Nsec"),
    (r"\bpermaddr \S+ ?", ""),
    (r"(installed|used) \d+ sec", r"\1 N sec"),
)]


def text(output):
    """Command output."""
    for pattern, by in SUBSTITUTIONS:
        output = pattern.sub(by, output)
    return [line.rstrip() for line in output.splitlines() if line.strip()]


def hexadecimal(data):
    shown = " ".join(data[i:i + 4].hex() for i in range(0, min(len(data), FIRST), 4))
    if len(data) > FIRST:
        shown += f" +{len(data) - FIRST} bytes {zlib.crc32(data[FIRST:]):08x}"
    return shown


class Renderer:
    """Remembers which identifications it has seen since the last line of the case."""

    def __init__(self):
        self.ids = {}

    def begin(self):
        self.ids = {}

    def wire(self, frame):
        """A frame that went out of w0, without its link header if that is the usual one."""
        if MULTICAST_LISTENER in frame or frame[12:14] == b"\x08\0" and frame[23] == IGMP:
            return None                 # comes when it likes
        head, body = frame[:12], frame[14:]
        type, = struct.unpack_from("!H", frame, 12)
        words = [] if head == NORMAL_LINK else [f"to {head[:6].hex()}"]
        if type == 0x0800:
            return " ".join(words + [self.ip4(body)])
        return " ".join(words + [f"type {type:04x}", hexadecimal(body)])

    def ip4(self, packet):
        """20 bytes of header with id and checksum replaced, then what follows."""
        size = (packet[0] & 15) * 4
        header, body = packet[:size], packet[size:]
        fine = "right" if checksum(header) == 0 else "WRONG"
        fragment, = struct.unpack_from("!H", header, 6)
        shown = (f"{header[:4].hex()} [{self.identification(header, body)}] "
                 f"{header[6:10].hex()} "
                 f"[{fine}] {header[12:16].hex()} {header[16:].hex()}")
        if not fragment & 0x1FFF:
            body = self.without_inner_id(header[9], body)
        return f"{shown} | {body if isinstance(body, str) else hexadecimal(body)}"

    def identification(self, header, body):
        value, fragment = struct.unpack_from("!HH", header, 4)
        if value == OUR_ID if fragment & 0x1FFF else ours(header, body):
            return f"{value:04x}"
        if fragment & 0x4000:
            return "any"            # DF: no one may look at it (RFC 6864)
        if not value:
            return "zero"
        return "id%d" % self.ids.setdefault(value, len(self.ids) + 1)

    def without_inner_id(self, proto, body):
        """An inner header that this kernel made has a random id as well."""
        if proto == 47 and body[2:4] == b"\x22\xeb":
            at = gre_size(body) + 4        # ERSPAN III has the time
            rest = body[at + 4:]
            shown = hexadecimal(rest)
            if rest[16:18] == b"\x08\0":
                shown = f"{hexadecimal(rest[:18])} | {self.inner(rest[18:])}"
            return f"{hexadecimal(body[:at])} [time] {shown}"
        at = inner_header(proto, body)
        if at is None or not self.has_random_id(body[at:]):
            return body
        before, inner = body[:at], self.inner(body[at:])
        if proto == 17:
            before = without_checksums(before)
        if proto == 47 and body[0] & 0x80:
            fine = "right" if checksum(body) == 0 else "WRONG"
            before = before[:4] + b"\0\0" + before[6:]
            return f"{hexadecimal(before)} [{fine}] | {inner}"
        return f"{hexadecimal(before)} | {inner}"

    @staticmethod
    def has_random_id(inner):
        if len(inner) < 20 or inner[0] >> 4 == 4 and not 20 <= (inner[0] & 15) * 4 <= len(inner):
            return False
        if inner[0] >> 4 == 6:
            return inner[6] == FRAGMENT_HEADER and len(inner) >= 48
        return inner[0] >> 4 == 4 and not ours(inner, inner[20:])

    def inner(self, packet):
        if packet[0] >> 4 == 4:
            return self.ip4(packet)
        return f"{hexadecimal(packet[:44])} [id] {hexadecimal(packet[48:])}"

    def delivered(self, device, proto, kind, lladdr, data, vlan):
        """A packet that a device handed to the stack."""
        words = [f"{device} < {proto:04x}"]
        if kind:
            words.append(("host", "broadcast", "multicast", "otherhost")[kind])
        if lladdr and any(lladdr):
            words.append("from " + lladdr.hex())
        if vlan is not None:
            words.append(f"vlan {vlan}")
        ethernet = lladdr is not None and len(lladdr) == 6
        if proto in (0x0800, 0x86DD) and not ethernet and self.has_random_id(data):
            return " ".join(words + [self.inner(data)])
        return " ".join(words + [hexadecimal(data)])


def ours(header, body):
    return header[9] in (6, 17) and body[:2] == OUR_PORT


def gre_size(body):
    return 4 + 4 * bin(body[0] & 0xB0).count("1")


def without_checksums(udp):
    """Those of UDP and of GRE in it, which cover the inner id."""
    udp = udp[:6] + b"\0\0" + udp[8:]
    for at in 8, 12:
        if udp[at:at + 1] and udp[at] & 0x80:
            udp = udp[:at + 4] + b"\0\0" + udp[at + 6:]
    return udp


def inner_of_udp(body):
    """GUE says what it carries; bare FOU is told from it by the first bytes."""
    if body[8] >> 4 in (4, 6):
        return 8
    if body[8] & 0xE0 == 0:
        proto, at = body[9], 12 + 4 * (body[8] & 0x1F)
        if proto in (4, 41, 47):
            inner = inner_header(proto, body[at:])
            return None if inner is None else at + inner
    inner = inner_header(47, body[8:])
    return None if inner is None else 8 + inner


def inner_header(proto, body):
    """Where in the payload of an outer header an inner IP header begins, or None."""
    if proto in (4, 41):
        return 0
    if proto == 50:
        return 8                        # the cases' ESP encrypts nothing
    if proto == 17 and body[:2] == FOU_PORT:
        return inner_of_udp(body)
    if proto != 47 or len(body) < 4:
        return None
    inner, = struct.unpack_from("!H", body, 2)
    at = gre_size(body)
    if inner in (0x0800, 0x86DD):
        return at
    if inner == 0x88BE and body[0] & 0x10:
        at += 8                         # ERSPAN II
    if inner in (0x6558, 0x88BE) and body[at + 12:at + 14] in (b"\x08\0", b"\x86\xdd"):
        return at + 14
    return None
