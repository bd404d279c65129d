#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# `ip link add|set|show|del ... type ipip|gre`: what was given is what is shown,
# as text and as JSON, and a change keeps what it does not name.
#
#         a
#   +-------------+
#   |  tun ipip or gre, 10.0.0.1 -> 10.0.0.2
#   |  va  10.0.0.1/24, mtu 1500
#   +-------------+

. "$(dirname "$0")/lib.sh"
need jq
load_tunnels ipip gre

namespaces a b
wire a va 10.0.0.1/24 b vb 10.0.0.2/24

# shown: the part of `ip -d link show` that is about the tunnel.
shown() {
	on a ip -d link show dev tun |
		sed -n 's/^    \(ipip\|gre\) \(.*\)/\1 \2/p' |
		sed 's/ \(addrgenmode\|numtxqueues\) .*//; s/ *$//'
}

# header: its link type and addresses.
header() { on a ip -d link show dev tun | sed -n '2s/ *\(.*\) promiscuity.*/\1/p' | sed 's/ *$//'; }

json() { on a ip -d -j link show dev tun | jq -S -c '.[0].linkinfo.info_data'; }

mtu() { on a ip -j link show dev tun | jq '.[0].mtu'; }

# gives WHAT EXPECTED OPTION...: what that function says of a tunnel with the options.
gives() {
	local what=$1 expected=$2
	shift 2
	on a ip link add tun type "$@"
	trap 'on a ip link del tun' EXIT
	equal "$what" "$expected" "$($what)"
}

# changes EXPECTED KIND OPTIONS CHANGE
changes() {
	on a ip link add tun type $2 $3
	trap 'on a ip link del tun' EXIT
	on a ip link set tun type $2 $4
	equal "after the change" "$1" "$(shown)"
}

ends="local 10.0.0.1 remote 10.0.0.2"
shown_ends="remote 10.0.0.2 local 10.0.0.1"

while IFS='|' read -r options expected; do
	check "add $options" gives shown "$expected" $options
done <<END
ipip $ends|ipip any $shown_ends ttl inherit pmtudisc
ipip $ends mode ipip|ipip ipip $shown_ends ttl inherit pmtudisc
ipip $ends mode mplsip|ipip mplsip $shown_ends ttl inherit pmtudisc
ipip $ends ttl 64|ipip any $shown_ends ttl 64 pmtudisc
ipip $ends ttl inherit nopmtudisc|ipip any $shown_ends ttl inherit nopmtudisc
ipip $ends tos 0x10|ipip any $shown_ends ttl inherit tos 0x10 pmtudisc
ipip $ends tos inherit|ipip any $shown_ends ttl inherit tos inherit pmtudisc
ipip $ends dev va|ipip any $shown_ends dev va ttl inherit pmtudisc
ipip local 10.0.0.1|ipip any remote any local 10.0.0.1 ttl inherit pmtudisc
ipip remote 10.0.0.2|ipip any remote 10.0.0.2 local any ttl inherit pmtudisc
ipip $ends fwmark 0x7|ipip any $shown_ends ttl inherit pmtudisc fwmark 0x7
ipip $ends mode ipip ttl 7 tos 0x8 dev va|ipip ipip $shown_ends dev va ttl 7 tos 0x8 pmtudisc
gre $ends|gre $shown_ends ttl inherit
gre $ends ttl 64|gre $shown_ends ttl 64
gre $ends nopmtudisc|gre $shown_ends ttl inherit nopmtudisc
gre $ends nopmtudisc ignore-df|gre $shown_ends ttl inherit nopmtudisc ignore-df
gre $ends tos 0x10|gre $shown_ends ttl inherit tos 0x10
gre $ends tos inherit|gre $shown_ends ttl inherit tos inherit
gre $ends dev va|gre $shown_ends dev va ttl inherit
gre $ends key 7|gre $shown_ends ttl inherit ikey 0.0.0.7 okey 0.0.0.7
gre $ends key 1.2.3.4|gre $shown_ends ttl inherit ikey 1.2.3.4 okey 1.2.3.4
gre $ends ikey 1 okey 2|gre $shown_ends ttl inherit ikey 0.0.0.1 okey 0.0.0.2
gre $ends ikey 1|gre $shown_ends ttl inherit ikey 0.0.0.1
gre $ends okey 2|gre $shown_ends ttl inherit okey 0.0.0.2
gre $ends key 0|gre $shown_ends ttl inherit ikey 0.0.0.0 okey 0.0.0.0
gre $ends seq|gre $shown_ends ttl inherit iseq oseq
gre $ends csum|gre $shown_ends ttl inherit icsum ocsum
gre $ends icsum oseq|gre $shown_ends ttl inherit oseq icsum
gre $ends fwmark 0x7|gre $shown_ends ttl inherit fwmark 0x7
gre key 9|gre remote any local any ttl inherit ikey 0.0.0.9 okey 0.0.0.9
gre $ends key 7 csum seq ttl 9 tos 0x4 dev va|gre $shown_ends dev va ttl 9 tos 0x4 ikey 0.0.0.7 okey 0.0.0.7 iseq oseq icsum ocsum
END

check "JSON of an ipip" gives json "$(jq -S -c . <<<'{
	"proto":"ipip","remote":"10.0.0.2","local":"10.0.0.1","link":"va",
	"ttl":64,"tos":"0x10","pmtudisc":true}')" \
	ipip mode ipip $ends ttl 64 tos 0x10 dev va
check "JSON of a gre" gives json "$(jq -S -c . <<<'{
	"remote":"10.0.0.2","local":"10.0.0.1","link":"va",
	"ttl":64,"tos":"0x10","pmtudisc":true,"ikey":"0.0.0.1","okey":"0.0.0.2"}')" \
	gre $ends ttl 64 tos 0x10 dev va ikey 1 okey 2

check "link type and addresses of an ipip" gives header \
	"link/ipip 10.0.0.1 peer 10.0.0.2" ipip $ends
check "link type and addresses of a gre" gives header \
	"link/gre 10.0.0.1 peer 10.0.0.2" gre $ends
check "link type of a gre without remote" gives header \
	"link/gre 10.0.0.1 brd 0.0.0.0" gre local 10.0.0.1

check "mtu of ipip over va" gives mtu 1480 ipip $ends
check "mtu of gre over va" gives mtu 1476 gre $ends
check "mtu of gre key over va" gives mtu 1472 gre $ends key 1
check "mtu of gre key csum seq over va" gives mtu 1464 gre $ends key 1 csum seq

# What was asked for counts; what is below nothing, when the underlay's mtu is tiny, does not.
own_mtu() {
	on a ip link add own mtu 1400 type gre local 10.0.0.1 remote 10.0.0.2 key 77
	equal mtu 1400 "$(on a cat /sys/class/net/own/mtu)"
	on a ip link del own
	on a ip link add narrow mtu 68 type dummy
	on a ip link add own type gre local 10.0.0.1 remote 10.0.0.2 key 77 csum seq dev narrow
	at_least mtu 68 "$(on a cat /sys/class/net/own/mtu)"
	on a ip link del own
	on a ip link del narrow
}

check "mtu that is asked for, and over a tiny one" own_mtu

while IFS='|' read -r kind add change expected; do
	check "$kind $add, then $change" changes "$expected" $kind "$add" "$change"
done <<END
ipip|$ends ttl 64 tos 0x10|ttl 32|ipip any $shown_ends ttl 32 tos 0x10 pmtudisc
ipip|$ends ttl 64|remote 10.0.0.3|ipip any remote 10.0.0.3 local 10.0.0.1 ttl 64 pmtudisc
ipip|$ends ttl 64|dev va|ipip any $shown_ends dev va ttl 64 pmtudisc
ipip|$ends tos 0x10|tos inherit|ipip any $shown_ends ttl inherit tos inherit pmtudisc
gre|$ends ttl 64 key 5|ttl 32|gre $shown_ends ttl 32 ikey 0.0.0.5 okey 0.0.0.5
gre|$ends ttl 64 key 5|key 6|gre $shown_ends ttl 64 ikey 0.0.0.6 okey 0.0.0.6
gre|$ends key 5|remote 10.0.0.3|gre remote 10.0.0.3 local 10.0.0.1 ttl inherit ikey 0.0.0.5 okey 0.0.0.5
gre|$ends|csum seq|gre $shown_ends ttl inherit iseq oseq icsum ocsum
END

delete() {
	on a ip link add tun type "$@"
	on a ip link del tun
	fails quietly on a ip link show dev tun
	on a ip link add tun type "$@"
	on a ip link del tun
}

check "ipip: deleted, and its endpoints are free again" delete ipip $ends
check "gre: deleted, and its endpoints are free again" delete gre $ends key 5

named_by_the_kernel() {
	on a ip link add type "$@"
	on a ip link show dev "$1"0 || on a ip link show dev "$1"1
	on a ip link del dev "$1"0 || on a ip link del dev "$1"1
}

check "ipip without a name" named_by_the_kernel ipip $ends

finish
