# SPDX-License-Identifier: GPL-2.0-only
"""An Open vSwitch datapath, spoken to as ovs-vswitchd speaks to the kernel: external
devices are its ports, tunnel metadata goes with each packet."""

import errno
import os
import socket
import struct

NETLINK_GENERIC, GENL_ID_CTRL, CTRL_CMD_GETFAMILY = 16, 16, 3
NLM_F_REQUEST, NLM_F_ACK, NLMSG_ERROR = 1, 4, 2
COMMAND_NEW, PACKET_MISS, PACKET_ACTION, PACKET_EXECUTE = 1, 1, 2, 3
DP_NAME, DP_UPCALL_PID, DP_USER_FEATURES = 1, 2, 5
VPORT_PORT, VPORT_TYPE, VPORT_NAME, VPORT_UPCALL_PID, TYPE_NETDEV = 1, 2, 3, 5, 1
PACKET_DATA, PACKET_KEY, PACKET_ACTIONS, PACKET_EGRESS = 1, 2, 3, 5
ACTION_OUTPUT, ACTION_USERSPACE, ACTION_SET = 1, 2, 3
USERSPACE_PID, USERSPACE_EGRESS_PORT = 1, 3
KEY_IN_PORT, KEY_MARK, KEY_TUNNEL = 3, 15, 16
(TUNNEL_ID, TUNNEL_SRC, TUNNEL_DST, TUNNEL_TOS, TUNNEL_TTL, TUNNEL_DF,
 TUNNEL_CSUM) = range(7)
TUNNEL_ERSPAN = 15
TUNNEL_NAMES = {TUNNEL_ID: "id", TUNNEL_SRC: "src", TUNNEL_DST: "dst", TUNNEL_TOS: "tos",
                TUNNEL_TTL: "ttl", TUNNEL_DF: "df", TUNNEL_CSUM: "csum", 9: "sport",
                10: "dport", TUNNEL_ERSPAN: "erspan"}


def attribute(type, value=b""):
    return struct.pack("=HH", 4 + len(value), type) + value + bytes(-len(value) % 4)


def number(type, value):
    return attribute(type, struct.pack("=I", value))


def name(type, text):
    return attribute(type, text.encode() + b"\0")


def attributes(data):
    """{type: value} of a run of attributes."""
    found = {}
    while len(data) >= 4:
        length, type = struct.unpack_from("=HH", data)
        if length < 4:
            break
        found[type & 0x3FFF] = data[4:length]
        data = data[(length + 3) & ~3:]
    return found


def erspan_of(text):
    """struct erspan_metadata: 1,INDEX or 2,DIRECTION"""
    version, value = (int(part, 0) for part in text.split(","))
    if version == 1:
        return struct.pack("=i", version) + struct.pack("!I4x", value)
    return struct.pack("=i", version) + struct.pack("=IHBB", 0, 0, 0, value << 3)


def tunnel_of(words):
    """The attributes of a tunnel key: remote= local= key= tos= ttl= erspan= df csum"""
    fields = dict(word.partition("=")[::2] for word in words)
    data = attribute(TUNNEL_DST, socket.inet_aton(fields["remote"]))
    data += attribute(TUNNEL_TTL, bytes([int(fields.get("ttl", "64"))]))
    if "local" in fields:
        data += attribute(TUNNEL_SRC, socket.inet_aton(fields["local"]))
    if "key" in fields:
        data += attribute(TUNNEL_ID, struct.pack("!Q", int(fields["key"], 0)))
    if "tos" in fields:
        data += attribute(TUNNEL_TOS, bytes([int(fields["tos"], 0)]))
    for word, type in ("df", TUNNEL_DF), ("csum", TUNNEL_CSUM):
        data += attribute(type) if word in fields else b""
    if "erspan" in fields:
        data += attribute(TUNNEL_ERSPAN, erspan_of(fields["erspan"]))
    setting = attribute(ACTION_SET, attribute(KEY_TUNNEL, data))
    if "mark" in fields:
        setting += attribute(ACTION_SET, number(KEY_MARK, int(fields["mark"], 0)))
    return setting


def shown(tunnel):
    """The time in an ERSPAN III header is left out."""
    words = []
    for type, value in sorted(attributes(tunnel).items()):
        if type == TUNNEL_ERSPAN and value[:4] == struct.pack("=i", 2):
            value = value[:4] + bytes(4) + value[8:]
        words.append(f"{TUNNEL_NAMES.get(type, type)} {value.hex()}".rstrip())
    return ", ".join(words)


class Datapath:
    """That of one case. Its port 0 is the device dp0."""

    def __init__(self):
        self.socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_GENERIC)
        self.socket.bind((0, 0))
        self.socket.setblocking(False)
        self.pid = self.socket.getsockname()[0]
        self.upcalls, self.ports, self.index, self.families = [], {}, 0, {}

    def do(self, text, packet=None):
        """datapath; port DEV; seen: what came up from the datapath since
        send DEV FIELD=...: the packet leaves through DEV
        ask DEV FIELD=...: the packet comes up, with where DEV would send it"""
        word, *words = text.split()
        return getattr(self, "do_" + word)(*words, **({"packet": packet} if packet else {}))

    def do_datapath(self):
        lines = self.ask("ovs_datapath", COMMAND_NEW,
                         name(DP_NAME, "dp0") + number(DP_UPCALL_PID, self.pid)
                         + number(DP_USER_FEATURES, 1))
        self.index = socket.if_nametoindex("dp0")
        return lines

    def do_port(self, device):
        self.ports[device] = len(self.ports) + 1
        return self.ask("ovs_vport", COMMAND_NEW,
                        number(VPORT_PORT, self.ports[device]) + name(VPORT_NAME, device)
                        + number(VPORT_TYPE, TYPE_NETDEV) + number(VPORT_UPCALL_PID, self.pid))

    def do_send(self, device, *words, packet):
        return self.execute(packet, tunnel_of(words) + number(ACTION_OUTPUT,
                                                              self.ports[device]))

    def do_ask(self, device, *words, packet):
        asking = (number(USERSPACE_PID, self.pid)
                  + number(USERSPACE_EGRESS_PORT, self.ports[device]))
        return self.execute(packet, tunnel_of(words) + attribute(ACTION_USERSPACE, asking))

    def execute(self, packet, actions):
        return self.ask("ovs_packet", PACKET_EXECUTE,
                        attribute(PACKET_DATA, packet.bytes()) + attribute(PACKET_KEY)
                        + attribute(PACKET_ACTIONS, actions)) + self.do_seen()

    def do_seen(self):
        while True:
            try:
                self.upcalls.append(self.socket.recv(1 << 17))
            except BlockingIOError:
                break
        lines, self.upcalls = [self.upcall(data) for data in self.upcalls], []
        return lines

    @staticmethod
    def upcall(data):
        """Its metadata, and whether the packet came whole."""
        found = attributes(data[24:])
        key = attributes(found.get(PACKET_KEY, b""))
        words = ["missed" if data[16] == PACKET_MISS else "asked",
                 f"{len(found[PACKET_DATA])} bytes"]
        if data[16] == PACKET_MISS:
            words.append("port %d" % struct.unpack("=I", key[KEY_IN_PORT]))
        if KEY_TUNNEL in key:
            words.append(f"from ({shown(key[KEY_TUNNEL])})")
        if PACKET_EGRESS in found:
            words.append(f"to ({shown(found[PACKET_EGRESS])})")
        return " ".join(words)

    def ask(self, family, command, content):
        """A request; how it was refused, as lines."""
        self.request(self.family(family), command, struct.pack("=I", self.index) + content)
        code = -struct.unpack_from("=i", self.answer(), 16)[0]
        return [f"error {errno.errorcode[code]}"] if code else []

    def family(self, wanted):
        if wanted not in self.families:
            self.request(GENL_ID_CTRL, CTRL_CMD_GETFAMILY, name(2, wanted))
            data = self.answer()
            if struct.unpack_from("=H", data, 4)[0] == NLMSG_ERROR:
                raise OSError(errno.ENOENT, f"{os.strerror(errno.ENOENT)}: {wanted}")
            self.families[wanted], = struct.unpack("=H", attributes(data[20:])[1])
            self.answer()
        return self.families[wanted]

    def request(self, family, command, content):
        self.socket.send(struct.pack("=IHHII", 20 + len(content), family,
                                     NLM_F_REQUEST | NLM_F_ACK, 1, self.pid)
                         + struct.pack("=BBH", command, 1, 0) + content)

    def answer(self):
        """The next message that answers a request; others are upcalls."""
        while True:
            data = self.socket.recv(1 << 17)
            if struct.unpack_from("=I", data, 8)[0]:
                return data
            self.upcalls.append(data)
