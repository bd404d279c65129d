# SPDX-License-Identifier: GPL-2.0-only
"""
Very many GRE packets from made-up senders, for learning_flood.sh and others:

    py 'text = open("flood.py").read(); exec(text)'
    py 'flood("A", "eth0", mac, "10.0.0.2", "8.0.0.1", key, batches)'

A batch is 1000 packets, each with an outer and an inner source of its own (or
only so many different ones):

    outer source   172.20.0.1 + BATCH.0.0 + N
    inner source     8.1.0.1  + BATCH.0.0 + N

They are made once.  For the next batch only the upper halves of the addresses
change, and the IP identifications by as much in the other direction, so that
the checksums stay right.  sendmmsg() hands over a batch at a time.
"""
BATCH = 1000
OUTER, INNER, IDENT = 0xac14, 0x0801, 0x4000


class Iovec(ctypes.Structure):
    _fields_ = [('base', ctypes.c_void_p), ('len', ctypes.c_size_t)]


class Mmsghdr(ctypes.Structure):
    _fields_ = [('name', ctypes.c_void_p), ('namelen', ctypes.c_uint),
                ('iov', ctypes.POINTER(Iovec)), ('iovlen', ctypes.c_size_t),
                ('control', ctypes.c_void_p), ('controllen', ctypes.c_size_t),
                ('flags', ctypes.c_int), ('len', ctypes.c_uint)]


def halves(high, low):
    return '%d.%d.%d.%d' % (high >> 8, high & 255, low >> 8, low & 255)


def flood_frame(n, dst_mac, src_mac, dst, inner_dst, key):
    inner = ip(halves(INNER, n), inner_dst, udp(9, 9), ident=IDENT)
    outer = ip(halves(OUTER, n), dst, gre(inner, key=key), ident=IDENT)
    return eth(dst_mac, src_mac, outer)


class Flood:
    def __init__(self, ns, dev, dst_mac, dst, inner_dst, key, different):
        own = mac_of(ns, dev)
        frames = [flood_frame(n + 1, dst_mac, own, dst, inner_dst, key)
                  for n in range(different)] * (BATCH // different)
        self.size, self.count = len(frames[0]), len(frames)
        self.buffer = bytearray(b''.join(frames))
        self.sock = socket_in(ns, socket.AF_PACKET, socket.SOCK_RAW, 0)
        self.sock.bind((dev, 0))
        self.sock.setsockopt(263, 20, 1)		# PACKET_QDISC_BYPASS
        whole = (ctypes.c_char * len(self.buffer)).from_buffer(self.buffer)
        start = ctypes.addressof(whole)
        self.iov = (Iovec * self.count)(*[(start + n * self.size, self.size)
                                     for n in range(self.count)])
        self.messages = (Mmsghdr * self.count)()
        for n in range(self.count):
            self.messages[n].iov = ctypes.pointer(self.iov[n])
            self.messages[n].iovlen = 1

    def set16(self, at, value):
        """The same two bytes in every packet."""
        for i, byte in enumerate(struct.pack('!H', value)):
            self.buffer[at + i::self.size] = bytes([byte]) * self.count

    def aim(self, batch):
        outer, inner = 14, 14 + 20 + 8		# Ethernet, IP, GRE with key
        for header, high in ((outer, OUTER), (inner, INNER)):
            self.set16(header + 4, IDENT - batch)
            self.set16(header + 12, high + batch)

    def send(self, batch):
        """All of it arrives: what a receiver that is behind drops is sent again."""
        self.aim(batch)
        done = 0
        while done < self.count:
            sent = libc.sendmmsg(self.sock.fileno(), ctypes.byref(self.messages[done]),
                                 self.count - done, 0)
            if sent >= 0:
                done += sent
            elif ctypes.get_errno() != errno.ENOBUFS:
                raise OSError(ctypes.get_errno(), 'sendmmsg')
        return done


floods = {}


def flood(ns, dev, dst_mac, dst, inner_dst, key, batches, different=BATCH):
    """Send these batches; how many packets that was."""
    which = ns, dev, different
    if which not in floods:
        floods[which] = Flood(ns, dev, dst_mac, dst, inner_dst, key, different)
    return str(sum(floods[which].send(batch) for batch in batches))
