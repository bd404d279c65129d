# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Two ends of a gre tunnel that keepalives are sent through, for keepalive*.sh.
# Sourced after lib.sh.
#
#          A                                  B
#   +--------------+                   +--------------+
#   |  gre1        | = = = = = = = = = |  gre1        |
#   |  192.168.1.1 |                   |  192.168.1.2 |
#   |  eth0 -------+-------------------+- eth0        |
#   +--------------+                   +--------------+
#      10.0.0.1/24                        10.0.0.2/24

culvert || skip "only culvert has keepalive"
load_tunnels gre

namespaces A B
keep A B
wire A eth0 10.0.0.1/24 B eth0 10.0.0.2/24
start_wire

py '
def ask(src="10.0.0.1", dst="10.0.0.2", inner_src=None, inner_dst=None, data=b"",
            ikey=None, proto=0, ttl=255, **options):
    """What src sends to ask dst"""
    inner = ip(inner_src or dst, inner_dst or src, gre(data, proto=proto, key=ikey),
               ttl=ttl)
    return ip(src, dst, gre(inner, **options))

def back(p, data=b"", src="10.0.0.2", dst="10.0.0.1"):
    """Whether p is what comes back"""
    return (names(p) == "ip gre" and p[1].proto == 0
            and (p[0].src, p[0].dst) == (src, dst)
            and (p[2].raw if len(p) > 2 else b"") == data)
'

py '
def ask_often(count):
    """As fast as we can; in how many seconds, rounded up"""
    frame = eth(mac_of("B", "eth0"), mac_of("A", "eth0"), ask())
    begin = time.monotonic()
    for _ in range(count):
        send_frame("A", "eth0", frame)
    return str(int(time.monotonic() - begin) + 1)
'

# ends [OPTION...]: (re)make both tunnels; one_end NS OWN PEER [OPTION...]: one.
one_end() {
	local ns=$1 own=$2 peer=$3
	shift 3
	quietly on "$ns" ip link del gre1 || true
	on "$ns" ip tunnel add gre1 mode gre local "10.0.0.$own" remote "10.0.0.$peer" "$@"
	on "$ns" ip addr add "192.168.1.$own" peer "192.168.1.$peer" dev gre1
	on "$ns" ip link set gre1 up
}

ends() {
	one_end A 1 2 "$@"
	one_end B 2 1 "$@"
}

# value NS NAME: one value of keepalive_status.
value() { status "$1" gre1 keepalive "$2"; }
value_is() { [ "$(value "$1" "$2")" = "$3" ]; }
reaches() { [ "$(value "$1" "$2")" -ge "$3" ]; }
all_asked() { [ $(($(value B answered) + $(drops B gre1 rx_keepalive_rate))) -ge "$1" ]; }
has_carrier() { ! no_carrier "$1"; }
no_carrier() { [[ $(on "$1" ip link show gre1) == *NO-CARRIER* ]]; }
