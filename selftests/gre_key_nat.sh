#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# GRE with a key between a customer's router and a provider, then the same
# with the customer behind a source NAT.
#
#        CPE                    MID                     POP
#   +------------+      +------------------+      +------------+
#   |    tun0    | = = = = = GRE, key = = = = = = |    tun0    |
#   | 192.168.   |      |   ip_forward     |      | 192.168.   |
#   |   13.1/30  |      |   (later SNAT)   |      |   13.2/30  |
#   |   c0 ------+------+- m0          m1 -+------+- p0        |
#   +------------+      +------------------+      +------------+
#    10.0.0.1/24     10.0.0.254     172.16.0.1     172.16.0.2/24

. "$(dirname "$0")/lib.sh"
load_tunnels gre

namespaces CPE MID POP
wire CPE c0 10.0.0.1/24 MID m0 10.0.0.254/24
wire MID m1 172.16.0.1/24 POP p0 172.16.0.2/24
forwards MID CPE 10.0.0.254 POP 172.16.0.1
start_wire

# cpe KEY... and pop REMOTE KEY...: (re)make one end.
cpe() {
	quietly on CPE ip tunnel del tun0 || true
	on CPE ip tunnel add tun0 mode gre local 10.0.0.1 remote 172.16.0.2 "$@"
	on CPE ip link set tun0 up
	on CPE ip addr add 192.168.13.1/30 dev tun0
}

pop() {
	local remote=$1
	shift
	quietly on POP ip tunnel del tun0 || true
	on POP ip tunnel add tun0 mode gre local 172.16.0.2 remote "$remote" "$@"
	on POP ip link set tun0 up
	on POP ip addr add 192.168.13.2/30 dev tun0
}

passes() {
	ping_ok CPE 192.168.13.2
	ping_ok POP 192.168.13.1
}

# A key that does not fit matches no tunnel: tun0 counts nothing, the three
# packets are counted on the base device (culvert) and answered with an ICMP
# protocol unreachable.
does_not_pass() {
	local before
	before=$(drops POP gre0 rx_no_tunnel)
	py 'sniff("POP", "p0")'
	ping_lost CPE 192.168.13.2
	equal "rx_packets of tun0" 0 "$(counter POP tun0 rx_packets)"
	py 'seen("POP", "p0", lambda p: names(p).startswith("ip icmp ip gre")
		and (p[1].kind, p[1].code) == (3, 3) and p[0].src == "172.16.0.2")'
	! culvert || equal "rx_no_tunnel of gre0" $((before + 3)) \
		"$(drops POP gre0 rx_no_tunnel)"
}

key_is_on_the_wire() {
	py 'sniff("CPE", "c0")'
	ping_ok CPE 192.168.13.2
	py 'seen("CPE", "c0", lambda p: names(p) == "ip gre ip icmp"
		and p[1].flags == 0x2000 and p[1].key == 1234 and p[0].src == "10.0.0.1")'
	py 'seen("CPE", "c0", lambda p: names(p) == "ip gre ip icmp"
		and p[1].flags == 0x2000 and p[1].key == 1234 and p[0].dst == "10.0.0.1")'
}

nat() {
	if command -v nft >/dev/null; then
		on MID nft -f - <<-END
			table ip nat {
				chain postrouting {
					type nat hook postrouting priority 100;
					oifname "m1" ip saddr 10.0.0.1 snat to 172.16.0.1
				}
			}
		END
	elif command -v iptables >/dev/null; then
		on MID iptables -t nat -A POSTROUTING -o m1 -s 10.0.0.1 -j SNAT --to 172.16.0.1
	else
		return 1
	fi
}

cpe key 1234
pop 10.0.0.1 key 1234
check "the right key passes both ways" passes
check "the key is in the GRE header" key_is_on_the_wire

pop 10.0.0.1 key 4321
check "a wrong key does not" does_not_pass

cpe
pop 10.0.0.1 key 1234
check "a missing key does not" does_not_pass

cpe key 1234
pop 10.0.0.1
check "a key on one side only does not" does_not_pass

cpe ikey 1 okey 2
pop 10.0.0.1 ikey 2 okey 1
check "one key for each direction" passes

cpe ikey 1 okey 2
pop 10.0.0.1 ikey 1 okey 2
check "the directions exchanged: does not" does_not_pass

if nat; then
	cpe key 1234
	pop 172.16.0.1 key 1234
	check "behind NAT: the POP's remote is the translated address" passes
	pop 10.0.0.1 key 1234
	check "behind NAT: the POP's remote is the private address: does not" does_not_pass
else
	check "behind NAT" skip "neither nft nor iptables is installed"
fi

finish
