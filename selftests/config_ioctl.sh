#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# `ip tunnel add|change|show|del ... mode ipip|gre`, the ioctl door, and that
# both doors show the same tunnel.
#
#         a
#   +-------------+
#   |  tun ipip or gre, 10.0.0.1 -> 10.0.0.2
#   |  va  10.0.0.1/24, mtu 1500
#   +-------------+

. "$(dirname "$0")/lib.sh"
load_tunnels ipip gre

namespaces a b
wire a va 10.0.0.1/24 b vb 10.0.0.2/24

# tunnel_show [DEV]: one line of `ip tunnel show`, single spaces.
tunnel_show() {
	on a ip tunnel show "${1:-tun}" | tr -s ' \n' ' ' | sed 's/ *$//'
}

link_show() {
	on a ip -d link show dev tun | sed -n 's/^    \(\(ipip\|gre\) .*\)/\1/p' |
		sed 's/ \(addrgenmode\|numtxqueues\) .*//; s/ *$//'
}

# gives WHAT EXPECTED OPTION...: what that function says of a tunnel with the options.
gives() {
	local what=$1 expected=$2
	shift 2
	on a ip tunnel add tun mode "$@"
	trap 'on a ip tunnel del tun' EXIT
	equal "$what" "$expected" "$($what)"
}

# changes EXPECTED MODE OPTIONS CHANGE
changes() {
	on a ip tunnel add tun mode $2 $3
	trap 'on a ip tunnel del tun' EXIT
	on a ip tunnel change tun mode $2 $4
	equal "after the change" "$1" "$(tunnel_show)"
}

ends="remote 10.0.0.2 local 10.0.0.1"

while IFS='|' read -r options expected; do
	check "add mode $options" gives tunnel_show "$expected" $options
done <<END
ipip $ends|tun: ip/ip $ends ttl inherit
ipip $ends ttl 64|tun: ip/ip $ends ttl 64
ipip $ends ttl inherit nopmtudisc|tun: ip/ip $ends ttl inherit nopmtudisc
ipip $ends tos 0x10|tun: ip/ip $ends ttl inherit tos 0x10
ipip $ends tos inherit|tun: ip/ip $ends ttl inherit tos inherit
ipip $ends dev va|tun: ip/ip $ends dev va ttl inherit
ipip local 10.0.0.1|tun: ip/ip remote any local 10.0.0.1 ttl inherit
ipip remote 10.0.0.2|tun: ip/ip remote 10.0.0.2 local any ttl inherit
gre $ends|tun: gre/ip $ends ttl inherit
gre $ends ttl 64|tun: gre/ip $ends ttl 64
gre $ends ttl inherit nopmtudisc|tun: gre/ip $ends ttl inherit nopmtudisc
gre $ends tos 0x10|tun: gre/ip $ends ttl inherit tos 0x10
gre $ends key 7|tun: gre/ip $ends ttl inherit key 7
gre $ends key 1.2.3.4|tun: gre/ip $ends ttl inherit key 16909060
gre $ends ikey 1 okey 2|tun: gre/ip $ends ttl inherit ikey 1 okey 2
gre $ends ikey 1|tun: gre/ip $ends ttl inherit ikey 1
gre $ends okey 2|tun: gre/ip $ends ttl inherit okey 2
gre $ends dev va ttl 9 tos 0x4 key 3|tun: gre/ip $ends dev va ttl 9 tos 0x04 key 3
gre key 9|tun: gre/ip remote any local any ttl inherit key 9
END

serial_and_sums() {
	on a ip tunnel add tun mode gre $ends seq csum
	trap 'on a ip tunnel del tun' EXIT
	contains "Drop packets out of sequence." "$(tunnel_show)"
	contains "Checksum in received packet is required." "$(tunnel_show)"
	contains "Sequence packets on output." "$(tunnel_show)"
	contains "Checksum output packets." "$(tunnel_show)"
}

check "gre seq csum: shown in words" serial_and_sums

while IFS='|' read -r mode add change expected; do
	check "$mode $add, then change $change" changes "$expected" $mode "$add" "$change"
done <<END
ipip|$ends ttl 64|ttl 32|tun: ip/ip $ends ttl 32
ipip|$ends ttl 64|tos 0x10|tun: ip/ip $ends ttl 64 tos 0x10
ipip|$ends|remote 10.0.0.3|tun: ip/ip remote 10.0.0.3 local 10.0.0.1 ttl inherit
ipip|$ends ttl 64|dev va|tun: ip/ip $ends dev va ttl 64
gre|$ends ttl 64 key 5|ttl 32|tun: gre/ip $ends ttl 32 key 5
gre|$ends key 5|key 6|tun: gre/ip $ends ttl inherit key 6
gre|$ends ikey 1 okey 2|remote 10.0.0.3|tun: gre/ip remote 10.0.0.3 local 10.0.0.1 ttl inherit ikey 1 okey 2
END

# One door creates, the other shows.
check "ipip by ioctl, shown by netlink" gives link_show \
	"ipip ipip $ends ttl 64 tos 0x10 pmtudisc" ipip $ends ttl 64 tos 0x10
check "gre by ioctl, shown by netlink" gives link_show \
	"gre $ends ttl 64 ikey 0.0.0.1 okey 0.0.0.2" gre $ends ttl 64 ikey 1 okey 2

netlink_then_ioctl() {
	on a ip link add tun type gre $ends ttl 9 key 4
	equal "ip tunnel show" "tun: gre/ip $ends ttl 9 key 4" "$(tunnel_show)"
	on a ip tunnel change tun mode gre ttl 10
	equal "after the change" "gre $ends ttl 10 ikey 0.0.0.4 okey 0.0.0.4" "$(link_show)"
	on a ip tunnel del tun
	fails quietly on a ip link show dev tun
}

check "gre by netlink, changed and deleted by ioctl" netlink_then_ioctl

base_devices() {
	equal "tunl0" "tunl0: any/ip remote any local any ttl inherit nopmtudisc" "$(tunnel_show tunl0)"
	equal "gre0" "gre0: gre/ip remote any local any ttl inherit nopmtudisc" "$(tunnel_show gre0)"
}

check "the base devices" base_devices

list_all() {
	on a ip tunnel add tun mode ipip $ends
	trap 'on a ip tunnel del tun' EXIT
	local list
	list=$(on a ip tunnel show)
	contains "tunl0: any/ip" "$list"
	contains "gre0: gre/ip" "$list"
	contains "tun: ip/ip $ends" "$list"
}

check "ip tunnel show lists them all" list_all

delete_by_endpoints() {
	on a ip tunnel add tun mode ipip $ends
	on a ip tunnel del mode ipip $ends
	fails quietly on a ip link show dev tun
	says "No such file or directory" on a ip tunnel del mode ipip $ends
}

check "delete by endpoints" delete_by_endpoints

no_name() {
	on a ip tunnel add mode ipip $ends
	on a ip link show dev ipip0
	on a ip tunnel del ipip0
	on a ip tunnel add x%d mode gre $ends
	on a ip link show dev x0
	on a ip tunnel del x0
}

check "names given by the kernel" no_name

finish
