#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""
Peers of other makes, built with scapy, for keepalive_interop.sh:

    keepalive_peer.py DEV ROLE

cisco       forwards the inner packet of whatever GRE it gets, until it is killed
openbsd     asks with a payload of 16 bytes
mikrotik    asks from behind NAT: the inner destination is a private address
velocloud   asks with the inner addresses of the tunnel
huawei      asks with the outer GRE protocol 4
cisco-asks  asks without payload and with a key of 99

The asking ones end with status 0 when the right answer comes.
"""
import sys
# Not scapy.all: that loads a hundred protocols, for half a minute where it is slow.
import scapy.route  # noqa: F401, it fills conf.route
from scapy.arch import conf
from scapy.compat import raw
from scapy.layers.inet import IP
from scapy.layers.l2 import Ether, GRE, getmacbyip
from scapy.packet import Raw
from scapy.sendrecv import AsyncSniffer, sendp, sniff

US, THEM = '10.0.0.2', '10.0.0.1'
PAYLOAD = bytes(range(16))

dev, role = sys.argv[1:3]
conf.iface, conf.verb = dev, 0
to_them = Ether(dst=getmacbyip(THEM))


def forward(frame):
    """A router: decapsulate, one hop less, send on."""
    if IP in frame and frame[IP].dst == US and GRE in frame and frame[GRE].proto == 0x800:
        inner = IP(bytes(frame[GRE].payload))
        inner.ttl -= 1
        del inner.chksum
        sendp(to_them / IP(raw(inner)))


def inner_gre(data=b'', **options):
    return GRE(proto=0, **options) / Raw(data) if data else GRE(proto=0, **options)


QUESTIONS = {
    'openbsd': (IP(src=US, dst=THEM) / GRE(proto=0x800) /
                IP(src=THEM, dst=US, ttl=255, proto=47) / inner_gre(PAYLOAD)),
    'mikrotik': (IP(src=US, dst=THEM) / GRE(proto=0x800) /
                 IP(src=THEM, dst='192.168.88.2', ttl=255, proto=47) / inner_gre(PAYLOAD)),
    'velocloud': (IP(src=US, dst=THEM) / GRE(proto=0x800) /
                  IP(src='192.168.1.1', dst='192.168.1.2', ttl=255, proto=47) /
                  inner_gre(PAYLOAD)),
    'huawei': (IP(src=US, dst=THEM) / GRE(proto=4) /
               IP(src=THEM, dst=US, ttl=255, proto=47) / inner_gre(PAYLOAD)),
    'cisco-asks': (IP(src=US, dst=THEM) / GRE(proto=0x800, key_present=1, key=99) /
                   IP(src=THEM, dst=US, ttl=255, proto=47) /
                   inner_gre(key_present=1, key=99)),
}


def is_answer(frame):
    if IP not in frame or frame[IP].src != THEM or frame[IP].dst != US or GRE not in frame:
        return False
    gre = frame[GRE]
    if role == 'velocloud':
        inner = IP(bytes(gre.payload))
        return (gre.proto == 0x800 and (inner.src, inner.dst) == ('192.168.1.1', '192.168.1.2')
                and bytes(inner.payload)[4:] == PAYLOAD)
    if role == 'cisco-asks':
        return gre.proto == 0 and gre.key == 99 and len(frame[IP]) >= 28
    return gre.proto == 0 and bytes(gre.payload)[:16] == PAYLOAD


if role == 'cisco':
    sniff(filter='ip proto 47', prn=forward, store=False)
    sys.exit(0)

listener = AsyncSniffer(filter='ip proto 47', lfilter=is_answer, count=1, timeout=5,
                        started_callback=lambda: sendp(to_them / QUESTIONS[role]))
listener.start()
listener.join()
sys.exit(0 if listener.results else 1)
