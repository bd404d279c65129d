#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# A change through netlink that names one attribute changes that one only.
# iproute2 always sends all of them, managing programs do not. The tunnel must
# then look like one that was made with the new value, as ip shows it.
#
#         a
#   +-------------+
#   |  tun of each kind, 10.0.0.1 -> 10.0.0.2, with all options
#   |  va  10.0.0.1/24, mtu 1500
#   +-------------+

. "$(dirname "$0")/lib.sh"
load_tunnels ipip gre sit
culvert || skip "the in-tree modules take what a change leaves out for 0"
kernel_has fou || skip "this kernel has no fou"

namespaces a b
wire a va 10.0.0.1/24 b vb 10.0.0.2/24
start_wire
py '
# IFLA_IPTUN_* and IFLA_GRE_* of <linux/if_tunnel.h>
ip = dict(link=1, local=2, remote=3, ttl=4, tos=5, proto=9, sixrd=11, encap=15, encap_flags=16,
          sport=17, dport=18, fwmark=20)
gre = dict(link=1, iflags=2, oflags=3, ikey=4, okey=5, local=6, remote=7, ttl=8, tos=9,
           encap=14, encap_flags=15, sport=16, dport=17, fwmark=20, index=21, ver=22, dir=23,
           hwid=24)

def change(kind, data):
    return newlink("a", "tun", kind, data, CHANGE)
'

# All that ip says of tun, but for its index.
made() { on a ip -d link show dev tun | sed '1s/^[0-9]*: //'; }

# one KIND ATTRIBUTE OLD NEW: that attribute, then all of $options with OLD made NEW.
one() {
	local kind=$1 attribute=$2 before=$options
	local after=${before/"$3"/"$4"} expected

	[ "$before" != "$after" ]
	on a ip link add tun address 02:00:00:00:00:05 type "$kind" $after
	expected=$(made)
	on a ip link del tun
	on a ip link add tun address 02:00:00:00:00:05 type "$kind" $before
	trap 'on a ip link del tun' EXIT
	equal "error" 0 "$(py "change('$kind', $attribute)")"
	equal "the tunnel" "$expected" "$(made)"
}

# each KIND OPTION...: the lines "ATTRIBUTE|OLD|NEW" on standard input.
each() {
	local kind=$1 attribute old new
	shift

	options=$*
	while IFS='|' read -r attribute old new <&9; do
		check "$kind: $old becomes $new" one "$kind" "$attribute" "$old" "$new"
	done 9<&0
}

ends="local 10.0.0.1 remote 10.0.0.2"
common="$ends ttl 9 tos 0x10 dev va fwmark 0x7"
in_udp="encap fou encap-sport 5555 encap-dport 6666 encap-csum"

ip_lines="attr(ip['ttl'], u8(33))|ttl 9|ttl 33
attr(ip['tos'], u8(0x20))|tos 0x10|tos 0x20
attr(ip['local'], v4('10.0.0.9'))|local 10.0.0.1|local 10.0.0.9
attr(ip['remote'], v4('10.0.0.9'))|remote 10.0.0.2|remote 10.0.0.9
attr(ip['link'], u32(0))|dev va|
attr(ip['fwmark'], u32(9))|fwmark 0x7|fwmark 0x9
attr(ip['encap'], u16(2))|encap fou|encap gue
attr(ip['sport'], be16(77))|encap-sport 5555|encap-sport 77
attr(ip['dport'], be16(88))|encap-dport 6666|encap-dport 88
attr(ip['encap_flags'], u16(0))|encap-csum|noencap-csum"

gre_lines=${ip_lines//"ip['"/"gre['"}
key_lines="attr(gre['ikey'], be32(5))|ikey 1|ikey 5
attr(gre['okey'], be32(5))|okey 2|okey 5"

each ipip mode ipip $common $in_udp <<END
$ip_lines
attr(ip['proto'], u8(0))|mode ipip|mode any
END
each sit mode ip6ip $common $in_udp <<END
$ip_lines
attr(ip['proto'], u8(0))|mode ip6ip|mode any
END
each gre $common ikey 1 okey 2 iseq ocsum $in_udp <<END
$gre_lines
$key_lines
attr(gre['iflags'], be16(0x2000))|iseq|noiseq
attr(gre['oflags'], be16(0x2000))|ocsum|noocsum
END
each gretap $common ikey 1 okey 2 oseq $in_udp <<END
$gre_lines
$key_lines
attr(gre['oflags'], be16(0x2000))|oseq|nooseq
END
each erspan $common seq ikey 1 okey 2 erspan_ver 1 erspan 55 <<END
$(grep -v -e port -e encap <<<"$gre_lines")
$key_lines
attr(gre['index'], u32(66))|erspan 55|erspan 66
END
each erspan $common seq key 1 erspan_ver 2 erspan_dir ingress erspan_hwid 7 <<END
attr(gre['ttl'], u8(33))|ttl 9|ttl 33
attr(gre['dir'], u8(1))|erspan_dir ingress|erspan_dir egress
attr(gre['hwid'], u16(9))|erspan_hwid 7|erspan_hwid 9
END
finish
