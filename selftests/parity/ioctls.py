# SPDX-License-Identifier: GPL-2.0-only
"""The tunnel ioctls as a C program would call them, with any content; and the offload
features of a device, without a start of ethtool."""

import ctypes
import errno
import fcntl
import socket
import struct

REQUESTS = {"get": 0x89F0, "add": 0x89F1, "del": 0x89F2, "change": 0x89F3,
            "get_prl": 0x89F4, "add_prl": 0x89F5, "del_prl": 0x89F6, "change_prl": 0x89F7,
            "get_6rd": 0x89F8, "add_6rd": 0x89F9, "del_6rd": 0x89FA, "change_6rd": 0x89FB}

# struct ip_tunnel_parm, with its struct iphdr taken apart
FIELDS = ("name link i_flags o_flags i_key o_key first_byte tos tot_len id frag_off ttl "
          "protocol check saddr daddr").split()
LAYOUT = "=16sI2s2s4s4sBBHH2sBBH4s4s"
BIG_ENDIAN = {"i_flags": 2, "o_flags": 2, "i_key": 4, "o_key": 4, "frag_off": 2}
DEFAULTS = {"first_byte": 0x45, "frag_off": 0x4000}


def pack(words):
    values = dict.fromkeys(FIELDS, 0)
    values.update(DEFAULTS)
    for word in words:
        name, _, value = word.partition("=")
        if name not in values:
            raise ValueError(f"struct ip_tunnel_parm has no {name}")
        values[name] = value
    fields = []
    for name in FIELDS:
        value = values[name]
        if name == "name":
            value = (value or "").encode()
        elif name in ("saddr", "daddr"):
            value = socket.inet_aton(value or "0.0.0.0")
        elif name == "link" and value and not value.isdigit():
            value = socket.if_nametoindex(value)
        else:
            value = int(value, 0) if isinstance(value, str) else value
            if name in BIG_ENDIAN:
                value = value.to_bytes(BIG_ENDIAN[name], "big")
        fields.append(value)
    return struct.pack(LAYOUT, *fields)


def unpack(data):
    shown = []
    for name, value in zip(FIELDS, struct.unpack(LAYOUT, data)):
        if name == "name":
            value = value.rstrip(b"\0").decode(errors="replace")
        elif name in ("saddr", "daddr"):
            value = socket.inet_ntoa(value)
        elif name == "link" and value:
            try:
                value = socket.if_indextoname(value)
            except OSError:
                pass
        elif isinstance(value, bytes):
            value = "0x" + value.hex()
        elif name in ("first_byte", "tos"):
            value = hex(value)
        shown.append(f"{name}={value}")
    return " ".join(shown)


def tunnel_ioctl(text):
    """ioctl REQUEST DEVICE FIELD=VALUE...: what comes back, or the error."""
    request, device, *words = text.split()
    number = REQUESTS.get(request) or int(request, 0)
    parameters = ctypes.create_string_buffer(pack(words), 64)
    carrier = bytearray(struct.pack("16sQ16x", device.encode(), ctypes.addressof(parameters)))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        try:
            fcntl.ioctl(sock, number, carrier)
        except OSError as error:
            return [f"error {errno.errorcode.get(error.errno, error.errno)}"]
    return [unpack(parameters.raw[:struct.calcsize(LAYOUT)])]


def attempted(sock, request, carrier):
    """The errors of an ioctl, as lines: none if it succeeded."""
    try:
        fcntl.ioctl(sock, request, carrier)
    except OSError as error:
        return [f"error {errno.errorcode.get(error.errno, error.errno)}"]
    return []


def prl_get(device, room="64", address="0.0.0.0"):
    """prl DEVICE [BYTES [ADDRESS]]: the potential routers of an ISATAP device, as many as
    there is room for; iproute2 of some releases can't ask."""
    entry = struct.Struct("=4sHHI4x")       # struct ip_tunnel_prl
    data = ctypes.create_string_buffer(1024)
    entry.pack_into(data, 0, socket.inet_aton(address), 0, 0, int(room))
    carrier = bytearray(struct.pack("16sQ16x", device.encode(), ctypes.addressof(data)))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        failed = attempted(sock, REQUESTS["get_prl"], carrier)
    if failed:
        return failed
    length = entry.unpack_from(data)[3]
    return [f"{length} bytes"] + [
        "{} flags {}".format(socket.inet_ntoa(fields[0]), fields[1])
        for fields in entry.iter_unpack(data.raw[16:16 + length])]


SIOCSIFDSTADDR = 0x8918


def ipv6_dstaddr(device, address):
    """dstaddr DEVICE ADDRESS: how old programs made a tunnel to ::A.B.C.D of sit0."""
    request = struct.pack("=16sIi", socket.inet_pton(socket.AF_INET6, address), 96,
                          socket.if_nametoindex(device))
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as sock:
        return attempted(sock, SIOCSIFDSTADDR, bytearray(request))


SIOCETHTOOL = 0x8946
ETHTOOL_GSTRINGS, ETHTOOL_GSSET_INFO, ETHTOOL_GFEATURES = 0x1B, 0x37, 0x3A
ETH_SS_FEATURES = 4


def ethtool(sock, device, request):
    """What is left in the buffer, which begins with the request."""
    content = ctypes.create_string_buffer(request, len(request))
    fcntl.ioctl(sock, SIOCETHTOOL, bytearray(struct.pack("16sQ16x", device.encode(),
                                                         ctypes.addressof(content))))
    return content.raw


def feature_names(sock, device):
    info = ethtool(sock, device, struct.pack("=IIQI", ETHTOOL_GSSET_INFO, 0,
                                             1 << ETH_SS_FEATURES, 0))
    count, = struct.unpack_from("=I", info, 16)
    table = ethtool(sock, device, struct.pack("=III", ETHTOOL_GSTRINGS, ETH_SS_FEATURES, count)
                    + bytes(32 * count))
    return [table[12 + 32 * n:44 + 32 * n].split(b"\0")[0].decode() for n in range(count)]


def features(device):
    """The names of those that are on; a * if they can be switched."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        try:
            names = feature_names(sock, device)
            blocks = (len(names) + 31) // 32
            answer = ethtool(sock, device, struct.pack("=II", ETHTOOL_GFEATURES, blocks)
                             + bytes(16 * blocks))
        except OSError as error:
            return [f"error {errno.errorcode.get(error.errno, error.errno)}"]
    on = []
    for number, name in enumerate(names):
        available, _, active, never = struct.unpack_from("=IIII", answer, 8 + 16 * (number // 32))
        bit = 1 << number % 32
        if active & bit and name:
            on.append(name + ("*" if available & bit and not never & bit else ""))
    return [" ".join(on)]
