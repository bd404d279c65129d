#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What is refused, with which error, and that nothing is changed by it.
#
#         a
#   +-------------+
#   |  keep   ipip 10.0.0.1 -> 10.0.0.2     what must stay as it is
#   |  keepg  gre  10.0.0.1 -> 10.0.0.2 key 5
#   |  va     10.0.0.1/24
#   +-------------+
#
# Through netlink and ioctl themselves: iproute2 would never send most of it.

. "$(dirname "$0")/lib.sh"
load_tunnels ipip gre

namespaces a b
wire a va 10.0.0.1/24 b vb 10.0.0.2/24
on a ip link add keep type ipip local 10.0.0.1 remote 10.0.0.2 ttl 64
on a ip link add keepg type gre local 10.0.0.1 remote 10.0.0.2 key 5 ttl 64
start_wire
py '
# IFLA_IPTUN_* and IFLA_GRE_* of <linux/if_tunnel.h>
LINK, LOCAL, REMOTE, TTL, TOS, ENCAP_LIMIT, FLOWINFO, FLAGS, PROTOCOL, PMTUDISC = range(1, 11)
GLINK, IFLAGS, OFLAGS, IKEY, OKEY, GLOCAL, GREMOTE, GTTL, GTOS, GPMTUDISC = range(1, 11)
ENDS = attr(LOCAL, v4("10.0.0.1")) + attr(REMOTE, v4("10.0.0.9"))
GENDS = attr(GLOCAL, v4("10.0.0.1")) + attr(GREMOTE, v4("10.0.0.9"))
KEY = 0x2000
'

# everything: all that can be seen of the tunnels of a.
everything() {
	ip -n "$NS_PREFIX-a" -d link show
	ip -n "$NS_PREFIX-a" tunnel show
}
everything >"$work/before"

unchanged() {
	everything >"$work/after"
	diff "$work/before" "$work/after"
}

# refuse [-core] ERRNO EXPRESSION: the error, and in culvert a reason for netlink,
# unless it is the core of rtnetlink that refuses, before it asks the driver.
refuse() {
	local core=''
	[ "$1" != -core ] || { core=y; shift; }
	local want=$1 answer
	answer=$(py "$2")
	equal "error" "$want" "${answer%% *}"
	quietly on a ip link del new || true
	if culvert && [ -z "$core" ] && [[ $2 == newlink* ]] && [ "$answer" = "$want" ]; then
		echo "no reason was given with $want"
		return 1
	fi
	unchanged
}

# take EXPRESSION: accepted; the device `new` is removed again.
take() {
	equal "error" 0 "$(py "$1")"
	on a ip link del new
	unchanged
}

ipip() { echo "newlink('a', 'new', 'ipip', $1)"; }
gre() { echo "newlink('a', 'new', 'gre', $1)"; }
change() { echo "newlink('a', '$1', '$2', $3, CHANGE)"; }
ioctl() { echo "tunnel_ioctl('a', $1)"; }
add_ipip="ADDTUNNEL, 'tunl0', 'new', local='10.0.0.1', remote='10.0.0.9'"
add_gre="ADDTUNNEL, 'gre0', 'new', proto=47, local='10.0.0.1', remote='10.0.0.9'"

# The helper itself works: what is right is taken.
check "netlink: a right ipip is taken" take "$(ipip ENDS)"
check "netlink: a right gre is taken" take "$(gre GENDS)"
check "netlink: the zeros that managing programs send are taken" take \
	"$(ipip "ENDS + attr(TTL, u8(0)) + attr(TOS, u8(0)) + attr(PMTUDISC, u8(0)) +
	attr(15, u16(0)) + attr(16, u16(0)) + attr(17, u16(0)) + attr(18, u16(0))")"
check "netlink: keys of zero without their flags are taken" take \
	"$(gre "GENDS + attr(IKEY, be32(0)) + attr(OKEY, be32(0))")"

echo "# --- lengths"
check "ipip: local of 3 bytes" refuse ERANGE "$(ipip "attr(LOCAL, b'abc')")"
check "ipip: remote of no bytes" refuse ERANGE "$(ipip "attr(REMOTE, b'')")"
check "ipip: ttl of no bytes" refuse ERANGE "$(ipip "ENDS + attr(TTL, b'')")"
check "ipip: link of 2 bytes" refuse ERANGE "$(ipip "ENDS + attr(LINK, u16(1))")"
check "gre: local of 3 bytes" refuse ERANGE "$(gre "attr(GLOCAL, b'abc')")"
check "gre: ikey of 1 byte" refuse ERANGE "$(gre "GENDS + attr(IKEY, u8(1))")"
check "gre: iflags of 1 byte" refuse ERANGE "$(gre "GENDS + attr(IFLAGS, u8(1))")"

echo "# --- missing or contradictory"
check "ipip: no endpoints is tunl0 again" refuse EEXIST "$(ipip None)"
check "gre: no endpoints is gre0 again" refuse EEXIST "$(gre None)"
check "gre: version bits in iflags" refuse EINVAL "$(gre "GENDS + attr(IFLAGS, be16(1))")"
check "gre: routing bit in oflags" refuse EINVAL "$(gre "GENDS + attr(OFLAGS, be16(0x4000))")"

# In-tree such a key is stored and has no effect; culvert says what is missing.
if culvert; then
	check "gre: an ikey without its flag" refuse EINVAL "$(gre "GENDS + attr(IKEY, be32(7))")"
	check "gre: an okey without its flag" refuse EINVAL "$(gre "GENDS + attr(OKEY, be32(7))")"
else
	check "gre: keys without their flags" take \
		"$(gre "GENDS + attr(IKEY, be32(7)) + attr(OKEY, be32(7))")"
fi
if culvert; then
	check "gre: an ikey flag without its key" refuse EINVAL \
		"$(gre "GENDS + attr(IFLAGS, be16(KEY))")"
	check "gre: an okey flag without its key" refuse EINVAL \
		"$(gre "GENDS + attr(OFLAGS, be16(KEY))")"
else
	check "gre: a flag without its key is key 0" take \
		"$(gre "GENDS + attr(IFLAGS, be16(KEY)) + attr(OFLAGS, be16(KEY))")"
fi

echo "# --- ttl and DF"
# A fixed ttl without DF would hide a routing loop.  It is iproute2 that says so;
# the ioctl door sets DF by itself.
ttl_with_nopmtudisc() {
	says "ttl != 0 and nopmtudisc are incompatible" \
		on a ip tunnel add new mode ipip local 10.0.0.1 remote 10.0.0.9 ttl 64 nopmtudisc
	says "ttl != 0 and nopmtudisc are incompatible" \
		on a ip tunnel change keep mode ipip ttl 64 nopmtudisc
	unchanged
}
check "ip tunnel: ttl with nopmtudisc" ttl_with_nopmtudisc

ttl_sets_df() {
	py "$(ioctl "$add_ipip, ttl=64")"
	contains "ttl 64 pmtudisc" "$(on a ip -d link show new)"
	on a ip link del new
	unchanged
}
check "ioctl: a ttl without DF gets DF" ttl_sets_df

echo "# --- duplicates"
check "ipip: the endpoints of another" refuse EEXIST \
	"$(ipip "attr(LOCAL, v4('10.0.0.1')) + attr(REMOTE, v4('10.0.0.2'))")"
check "gre: the endpoints and key of another" refuse EEXIST \
	"$(gre "attr(GLOCAL, v4('10.0.0.1')) + attr(GREMOTE, v4('10.0.0.2')) +
	attr(IFLAGS, be16(KEY)) + attr(IKEY, be32(5))")"
check "the name of another device" refuse -core EEXIST "newlink('a', 'va', 'ipip', ENDS)"
check "changing the kind" refuse -core EOPNOTSUPP "$(change keep gre GENDS)"

echo "# --- change"
check "change: local of 3 bytes" refuse ERANGE "$(change keep ipip "attr(LOCAL, b'abc')")"
check "change: tunl0" refuse EINVAL "$(change tunl0 ipip ENDS)"
check "change: gre0" refuse EINVAL "$(change gre0 gre GENDS)"

onto_another() {
	on a ip link add other type ipip local 10.0.0.1 remote 10.0.0.3
	trap 'on a ip link del other' EXIT
	equal "error" EEXIST "$(py "$(change other ipip \
		"attr(LOCAL, v4('10.0.0.1')) + attr(REMOTE, v4('10.0.0.2'))")" | cut -d' ' -f1)"
	contains "ipip any remote 10.0.0.3 local 10.0.0.1" "$(on a ip -d link show other)"
}
check "change: onto the endpoints of another" onto_another
check "afterwards nothing is changed" unchanged

echo "# --- names"
check "netlink: a name with a slash" refuse -core EINVAL "newlink('a', 'x/y', 'ipip', ENDS)"
check "netlink: a name of 16 characters" refuse ERANGE "newlink('a', 'abcdefghijklmnop', 'ipip', ENDS)"
check "ioctl: a name with a slash" refuse E2BIG "$(ioctl "${add_ipip/new/x\/y}")"
check "ioctl: a name with %s" refuse EINVAL "$(ioctl "${add_ipip/new/x%s}")"
check "ioctl: a name with two %d" refuse EINVAL "$(ioctl "${add_ipip/new/x%d%d}")"
check "ioctl: a name of a dot" refuse E2BIG "$(ioctl "${add_ipip/new/.}")"
check "ioctl: a name with a space" refuse E2BIG "$(ioctl "${add_ipip/new/x y}")"

check "ioctl: a name without a terminator" refuse E2BIG "$(ioctl "${add_ipip/new/abcdefghijklmnop}")"

echo "# --- ioctl"
check "ioctl: not IPv4" refuse EINVAL "$(ioctl "$add_ipip, version=6")"
check "ioctl: a header length of 6" refuse EINVAL "$(ioctl "$add_ipip, ihl=6")"
check "ioctl ipip: another protocol" refuse EINVAL "$(ioctl "$add_ipip, proto=47")"
check "ioctl ipip: more than DF in frag_off" refuse EINVAL "$(ioctl "$add_ipip, frag=0x2000")"
check "ioctl gre: another protocol" refuse EINVAL "$(ioctl "${add_gre/47/4}")"
check "ioctl gre: version bits" refuse EINVAL "$(ioctl "$add_gre, iflags=1")"
check "ioctl gre: routing bit" refuse EINVAL "$(ioctl "$add_gre, oflags=0x4000")"
check "ioctl: endpoints of another" refuse EEXIST "$(ioctl "${add_ipip/0.9/0.2}")"
check "ioctl: change what is not there" refuse ENOENT "$(ioctl "${add_ipip/ADDTUNNEL/CHGTUNNEL}")"
check "ioctl: delete what is not there" refuse ENOENT "$(ioctl "${add_ipip/ADDTUNNEL/DELTUNNEL}")"
check "ioctl: delete the base device" refuse EPERM "$(ioctl "DELTUNNEL, 'tunl0'")"
check "ioctl: on a device that is no tunnel" refuse EOPNOTSUPP "$(ioctl "GETTUNNEL, 'lo'")"
check "ioctl: on no device" refuse ENODEV "$(ioctl "GETTUNNEL, 'none'")"
check "ioctl: an unknown request" refuse EINVAL "$(ioctl "0x89f8, 'tunl0'")"
check "ioctl: through a tunnel to remote any" refuse EINVAL \
	"$(ioctl "CHGTUNNEL, 'keep', local='10.0.0.1'")"
check "ioctl: through a tunnel to a multicast remote" refuse EINVAL \
	"$(ioctl "CHGTUNNEL, 'keep', local='10.0.0.1', remote='224.1.1.1'")"

# A key without its flag is no key.
key_without_flag() {
	equal "keys" "0 0" "$(py "(lambda t: '%d %d' % (t.ikey, t.okey))(
		$(ioctl "$add_gre, ikey=7, okey=7"))")"
	on a ip link del new
	unchanged
}
check "ioctl gre: a key without its flag is dropped" key_without_flag

flag_without_key() {
	py "$(ioctl "$add_gre, iflags=KEY, oflags=KEY")"
	contains "ikey 0.0.0.0 okey 0.0.0.0" "$(on a ip -d link show new)"
	on a ip link del new
	unchanged
}
check "ioctl gre: a flag without its key is key 0" flag_without_key

echo "# --- multicast remote"
multicast_without_local() {
	says "A broadcast tunnel requires a source address" \
		on a ip tunnel add new mode gre remote 224.1.1.1
	unchanged
}
check "ip tunnel: a multicast remote without local" multicast_without_local

finish
