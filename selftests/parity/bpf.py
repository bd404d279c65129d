# SPDX-License-Identifier: GPL-2.0-only
"""Small BPF programs that set or get tunnel metadata, assembled here: no compiler in the
virtual machine knows BPF."""

import ctypes
import os
import socket
import struct
import subprocess

libc = ctypes.CDLL(None, use_errno=True)
SYSCALL_BPF = 321
MAP_CREATE, MAP_LOOKUP, PROG_LOAD, OBJ_PIN = 0, 1, 5, 6
MAP_TYPE_ARRAY, PROG_TYPE_SCHED_CLS = 2, 3
PSEUDO_MAP_VALUE = 2
GET_KEY, SET_KEY, GET_OPTIONS, SET_OPTIONS = 20, 21, 29, 30
FLAGS = {"zero_csum": 2, "df": 4, "seq": 8, "no_key": 16}
KEY_SIZE, OPTIONS_SIZE = 44, 64
# In the map: key, what getting it returned, options, what getting those returned.
AT_KEY_STATUS, AT_OPTIONS, AT_OPTIONS_STATUS = 44, 48, 112
VALUE_SIZE = 120
CTX, VALUE, FRAME = 6, 7, 10         # registers


def bpf(command, attributes):
    buffer = ctypes.create_string_buffer(attributes, 144)
    result = libc.syscall(SYSCALL_BPF, command, buffer, 144)
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result


def instruction(code, dst=0, src=0, offset=0, value=0):
    return struct.pack("=BBhi", code, src << 4 | dst, offset,
                       value - (1 << 32) if value >= 1 << 31 else value)


def move(dst, value):
    return instruction(0xB7, dst, value=value)


def copy(dst, src, plus=0):
    return instruction(0xBF, dst, src) + instruction(0x07, dst, value=plus)


def call(helper):
    return instruction(0x85, value=helper)


def on_stack(data, at):
    """Store data, whose length is a multiple of 4, at the frame pointer minus at."""
    words = struct.unpack("=%dI" % (len(data) // 4), data)
    return b"".join(instruction(0x62, FRAME, offset=4 * n - at, value=word)
                    for n, word in enumerate(words))


def call_with(helper, buffer, plus, *numbers):
    """A helper's arguments: the packet, where the data is, and numbers."""
    code = copy(1, CTX) + copy(2, buffer, plus)
    for register, number in enumerate(numbers, 3):
        code += move(register, number)
    return code + call(helper)


RETURN = move(0, 0) + instruction(0x95)


def load(code):
    text, licence = ctypes.create_string_buffer(code), ctypes.create_string_buffer(b"GPL")
    log = ctypes.create_string_buffer(65536)
    try:
        return bpf(PROG_LOAD, struct.pack("=IIQQIIQ", PROG_TYPE_SCHED_CLS, len(code) // 8,
                                          ctypes.addressof(text), ctypes.addressof(licence),
                                          1, len(log), ctypes.addressof(log)))
    except OSError:
        raise ValueError("bpf: " + log.value.decode()[-300:])


def key_of(fields):
    """struct bpf_tunnel_key; addresses are in host order there."""
    def address(name):
        return struct.unpack("!I", socket.inet_aton(fields.get(name, "0.0.0.0")))[0]

    return struct.pack("=II12xBBHII12x", int(fields.get("key", "0"), 0), address("remote"),
                       int(fields.get("tos", "0"), 0), int(fields.get("ttl", "0"), 0), 0, 0,
                       address("local"))


def options_of(text):
    """struct erspan_metadata: VERSION,INDEX or 2,SGT"""
    version, value = (int(part, 0) for part in text.split(","))
    if version == 1:
        return struct.pack("=i", version) + struct.pack("!I4x", value)
    return struct.pack("=i", version) + struct.pack("!IHH", 0, value, 0)


def setter(words):
    fields = dict(word.split("=") for word in words if "=" in word)
    flags = sum(FLAGS[word] for word in words if word in FLAGS)
    size = int(fields.get("size", KEY_SIZE))
    code = copy(CTX, 1) + on_stack(key_of(fields), KEY_SIZE)
    code += call_with(SET_KEY, FRAME, -KEY_SIZE, size, flags)
    if "erspan" in fields:
        options = options_of(fields["erspan"])
        at = KEY_SIZE + len(options)
        code += on_stack(options, at) + call_with(SET_OPTIONS, FRAME, -at, len(options))
    return code + RETURN


def getter(value_map):
    code = copy(CTX, 1) + instruction(0x18, VALUE, PSEUDO_MAP_VALUE, value=value_map)
    code += instruction(0)
    code += call_with(GET_KEY, VALUE, 0, KEY_SIZE, 0)
    code += instruction(0x63, VALUE, 0, AT_KEY_STATUS)
    code += call_with(GET_OPTIONS, VALUE, AT_OPTIONS, OPTIONS_SIZE)
    code += instruction(0x63, VALUE, 0, AT_OPTIONS_STATUS)
    return code + RETURN


def shown(value):
    """The time in an ERSPAN III header is left out."""
    key_status, = struct.unpack_from("=i", value, AT_KEY_STATUS)
    status, = struct.unpack_from("=i", value, AT_OPTIONS_STATUS)
    number, remote, tos, ttl, flags, label, local = struct.unpack_from("=II12xBBHII12x", value)
    if key_status:
        return [f"key: error {-key_status}"]
    words = [f"key {number} remote {address(remote)} local {address(local)} tos {tos:#x} "
             f"ttl {ttl} flags {flags:#x} label {label}"]
    if status < 0:
        return words + [f"options: error {-status}"]
    options = value[AT_OPTIONS:AT_OPTIONS + status]
    if options[:4] == struct.pack("=i", 2):
        options = options[:4] + bytes(4) + options[8:]
    return words + [f"options: {options.hex()}"]


def address(number):
    return socket.inet_ntoa(struct.pack("!I", number))


class Programs:
    """Those of one case."""

    def __init__(self):
        self.count = 0
        self.maps = {}

    def do(self, text):
        """set DEV FIELD=...; get DEV; seen DEV: what the getter has seen"""
        word, device, *words = text.split()
        if word == "seen":
            return self.seen(device)
        code = setter(words) if word == "set" else self.getter(device)
        return self.attach(load(code), device, "egress" if word == "set" else "ingress")

    def getter(self, device):
        self.maps[device] = bpf(MAP_CREATE, struct.pack("=IIIII", MAP_TYPE_ARRAY, 4,
                                                        VALUE_SIZE, 1, 0))
        return getter(self.maps[device])

    def attach(self, program, device, where):
        self.count += 1
        name = ctypes.create_string_buffer(f"/sys/fs/bpf/{self.count}".encode())
        bpf(OBJ_PIN, struct.pack("=QI", ctypes.addressof(name), program))
        script = (f"tc qdisc replace dev {device} clsact; "
                  f"tc filter replace dev {device} {where} prio 1 handle 1 "
                  f"bpf direct-action object-pinned /sys/fs/bpf/{self.count}")
        result = subprocess.run(["sh", "-c", script], stdout=subprocess.PIPE,
                                stderr=subprocess.STDOUT, check=False)
        return result.stdout.decode().splitlines()

    def seen(self, device):
        key = ctypes.create_string_buffer(4)
        value = ctypes.create_string_buffer(VALUE_SIZE)
        bpf(MAP_LOOKUP, struct.pack("=IxxxxQQ", self.maps[device], ctypes.addressof(key),
                                    ctypes.addressof(value)))
        return shown(value.raw)
