#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Both ends of the traffic of load.sh.

  load.py serve                     echo TCP and UDP on port 7 of every address
  load.py ask ROUNDS WAIT ADDRESS...

Each round talks to every ADDRESS at the same time, from the address with the
same last two bytes in 10.9.0.0/16: a TCP connection that sends a block and
reads it back, and UDP datagrams of several sizes, each sent again every two
seconds until it is answered. What has not been answered after WAIT seconds is
given up and counted. The last line is

  tcp ANSWERED of ASKED, udp ANSWERED of ASKED, wrong WRONG
"""
import resource
import selectors
import socket
import struct
import sys
import time

PORT = 7
BLOCK = bytes(range(256)) * 48
SIZES = (0, 64, 1300, 3000)
AGAIN = 2  # seconds
FILES = 65536
ROOM = 1 << 24
SO_RCVBUFFORCE = 33


def echo(sock, pending):
    """Move what can be moved; False when the connection is over."""
    try:
        data = sock.recv(65536)
        if not data:
            return False
        pending += data
        del pending[:sock.send(pending)]
    except BlockingIOError:
        pass
    except OSError:
        return False
    return True


def serve():
    """Never returns."""
    poll = selectors.DefaultSelector()
    tcp = socket.create_server(("", PORT), backlog=4096)
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    # The answer must leave from the address that was asked.
    udp.setsockopt(socket.IPPROTO_IP, 8, 1)  # IP_PKTINFO
    udp.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, ROOM)
    udp.bind(("", PORT))
    for sock in tcp, udp:
        sock.setblocking(False)
        poll.register(sock, selectors.EVENT_READ)
    print("serving", flush=True)
    while True:
        for key, _ in poll.select():
            if key.fileobj is tcp:
                try:
                    sock, _ = tcp.accept()
                except OSError:
                    continue
                sock.setblocking(False)
                forget_the_dead(sock)
                poll.register(sock, selectors.EVENT_READ | selectors.EVENT_WRITE, bytearray())
            elif key.fileobj is udp:
                answer(udp)
            elif not serve_one(poll, key):
                poll.unregister(key.fileobj)
                key.fileobj.close()


def forget_the_dead(sock):
    """The reset at the end of a connection can get lost, too."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option in socket.TCP_KEEPIDLE, socket.TCP_KEEPINTVL, socket.TCP_KEEPCNT:
        sock.setsockopt(socket.IPPROTO_TCP, option, 3)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, 10000)


def serve_one(poll, key):
    """One connection of the server; only waits for room while it has data."""
    if not echo(key.fileobj, key.data):
        return False
    events = selectors.EVENT_READ | (selectors.EVENT_WRITE if key.data else 0)
    poll.modify(key.fileobj, events, key.data)
    return True


def answer(udp):
    """Send one datagram back."""
    try:
        data, control, _, peer = udp.recvmsg(65536, 64)
        info = [d for level, kind, d in control if (level, kind) == (socket.IPPROTO_IP, 8)]
        local = struct.unpack("=I4s4s", info[0])[1]
        udp.sendmsg([data], [(socket.IPPROTO_IP, 8, struct.pack("=I4s4s", 0, local, b"\0" * 4))],
                    0, peer)
    except OSError:
        pass


class Stream:
    """A TCP connection that wants its block back."""

    def __init__(self, poll, local, remote):
        self.poll, self.sent, self.seen = poll, 0, bytearray()
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self.sock.setblocking(False)
        # Reset at the end, so that no socket waits for its time to pass.
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.bind((local, 0))
        self.sock.connect_ex((remote, PORT))
        poll.register(self.sock, selectors.EVENT_READ | selectors.EVENT_WRITE, self)

    def ready(self):
        """True when it is answered, or broken."""
        try:
            if self.sent < len(BLOCK):
                self.sent += self.sock.send(BLOCK[self.sent:])
                if self.sent == len(BLOCK):
                    self.poll.modify(self.sock, selectors.EVENT_READ, self)
            data = self.sock.recv(65536)
        except BlockingIOError:
            return False
        except OSError:
            return True
        self.seen += data
        return not data or len(self.seen) >= len(BLOCK)

    def answered(self):
        """How many of how many, and how many wrong."""
        whole = len(self.seen) >= len(BLOCK)
        return int(whole), 1, int(bytes(self.seen) != BLOCK[:len(self.seen)])


class Datagrams:
    """One datagram of each size, all of which should come back."""

    def __init__(self, poll, local, remote):
        self.seen, self.wrong = set(), 0
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.setblocking(False)
        self.sock.bind((local, 0))
        self.sock.connect((remote, PORT))
        poll.register(self.sock, selectors.EVENT_READ, self)
        self.send()

    def send(self):
        """Those that have not come back."""
        for size in set(SIZES) - self.seen:
            try:
                self.sock.send(b"u" * size)
            except OSError:
                pass

    def ready(self):
        """True when all have come back."""
        try:
            data = self.sock.recv(65536)
            self.wrong += len(data) not in SIZES or data != b"u" * len(data)
            self.seen.add(len(data))
        except OSError:
            pass  # an ICMP error, or nothing
        return len(self.seen) == len(SIZES)

    def answered(self):
        """How many of how many, and how many wrong."""
        return len(self.seen), len(SIZES), self.wrong


def one_round(addresses, wait, totals):
    """Talk to all of them; add up what came of it."""
    poll = selectors.DefaultSelector()
    talks = []
    for remote in addresses:
        local = "10.9." + remote.split(".", 2)[2]
        for kind in Stream, Datagrams:
            try:
                talks.append(kind(poll, local, remote))
            except OSError:
                totals[kind][1] += 1 if kind is Stream else len(SIZES)
    end = time.monotonic() + wait
    again = time.monotonic() + AGAIN
    left = len(talks)
    while left and time.monotonic() < end:
        if time.monotonic() > again:
            for talk in talks:
                if isinstance(talk, Datagrams):
                    talk.send()
            again = time.monotonic() + AGAIN
        for key, _ in poll.select(0.5):
            if key.data.ready():
                poll.unregister(key.fileobj)
                left -= 1
    for talk in talks:
        totals[type(talk)] = [a + b for a, b in zip(totals[type(talk)], talk.answered())]
        talk.sock.close()


def ask(rounds, wait, addresses):
    """Fails if anything came back that was not sent."""
    totals = {Stream: [0, 0, 0], Datagrams: [0, 0, 0]}
    for _ in range(rounds):
        one_round(addresses, wait, totals)
    tcp, udp = totals[Stream], totals[Datagrams]
    print(f"tcp {tcp[0]} of {tcp[1]}, udp {udp[0]} of {udp[1]}, wrong {tcp[2] + udp[2]}")
    return 1 if tcp[2] + udp[2] else 0


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_NOFILE, (FILES, FILES))
    if sys.argv[1] == "serve":
        serve()
    sys.exit(ask(int(sys.argv[2]), float(sys.argv[3]), sys.argv[4:]))
