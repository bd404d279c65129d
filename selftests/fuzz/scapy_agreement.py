#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Do our parsers read what scapy wrote?

    scapy_agreement.py PROGRAMS COUNT SEED

PROGRAMS is a directory with the wire_* programs of this directory, compiled with
-DPRINT. Random valid headers are built by scapy, which shares no code with the
module; each field must come back as it was.
"""

import logging
import random
import subprocess
import sys

logging.getLogger("scapy.runtime").setLevel(logging.ERROR)
# pylint: disable=wrong-import-position
from scapy.compat import raw  # noqa: E402
from scapy.contrib.erspan import ERSPAN_II, ERSPAN_III  # noqa: E402
from scapy.layers.inet import IP  # noqa: E402
from scapy.layers.l2 import GRE  # noqa: E402
from scapy.packet import Raw  # noqa: E402


def number(bits):
    """A random number, the extreme ones more often than others."""
    return random.choice((0, 1, 2**bits - 1, random.getrandbits(bits)))


def payload():
    return Raw(random.randbytes(random.randrange(64)))


def gre_fields(proto):
    """Random ones of a header for that EtherType, and its length."""
    csum, key, seq = (random.getrandbits(1) for _ in range(3))
    fields = {"proto": proto}
    if csum:
        fields["chksum_present"] = 1
    if key:
        fields.update(key_present=1, key=number(32))
    if seq:
        fields.update(seqnum_present=1, sequence_number=number(32))
    return fields, 4 + 4 * (csum + key + seq)


def gre():
    """A GRE header and the line that wire_gre must print for it."""
    fields, length = gre_fields(number(16))
    line = "len={} csum={} proto={} key={} seq={}".format(
        length, fields.get("chksum_present", 0), fields["proto"],
        fields.get("key", 0), fields.get("sequence_number", 0))
    return raw(GRE(**fields) / payload()), line


def erspan():
    """The same for an ERSPAN header of type II or III."""
    common = {"vlan": number(12), "cos": number(3), "t": number(1),
              "session_id": number(10)}
    en, index, time, hw, direction = 0, 0, 0, 0, 0
    if random.getrandbits(1):
        ver, length, en, index = 1, 8, number(2), number(20)
        header = ERSPAN_II(ver=1, en=en, reserved=number(12), index=index, **common)
    else:
        ver, length, en, time = 2, 12, number(2), number(32)
        hw, direction = number(6), number(1)
        header = ERSPAN_III(ver=2, bso=en, timestamp=time, sgt_other=number(16),
                            p=number(1), ft=number(5), hw=hw, d=direction,
                            gra=number(2), o=0, **common)
    line = (f"len={length} ver={ver} vlan={common['vlan']} cos={common['cos']} "
            f"en={en} t={common['t']} session={common['session_id']} "
            f"index={index} time={time} hw={hw} dir={direction}")
    return raw(header / payload()), line


def keepalive():
    """The same for the inner packet of a keepalive; some are followed by padding."""
    src, dst, ttl = number(32), number(32), number(8)
    fields, length = gre_fields(0)
    ip = IP(src=dotted(src), dst=dotted(dst), ttl=ttl, tos=number(8), id=number(16),
            flags=random.choice(("", "DF")), proto=47)
    packet = raw(ip / GRE(**fields) / payload())
    line = (f"len={len(packet)} src={src} dst={dst} ttl={ttl} "
            f"key={fields.get('key', 0)} payload={20 + length}")
    return packet + bytes(random.choice((0, 0, 18))), line


def dotted(address):
    return ".".join(str(byte) for byte in address.to_bytes(4, "big"))


FORMATS = {"wire_gre": gre, "wire_erspan": erspan, "wire_keepalive": keepalive}


def compare(program, make, count):
    packets = [make() for _ in range(count)]
    seen = subprocess.run(
        [program], check=True, capture_output=True, text=True,
        input="".join(data.hex() + "\n" for data, _ in packets)).stdout.splitlines()
    wrong = 0
    for (data, line), answer in zip(packets, seen, strict=True):
        if line != answer:
            wrong += 1
            print(f"# {data.hex()}\n#   scapy: {line}\n#   ours:  {answer}")
    return wrong


def main():
    programs, count, seed = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    random.seed(seed)
    wrong = 0
    for name, make in FORMATS.items():
        bad = compare(f"{programs}/{name}", make, count)
        print(f"# {name}: {count} packets of scapy's, {bad} read differently")
        wrong += bad
    return wrong != 0


sys.exit(main())
