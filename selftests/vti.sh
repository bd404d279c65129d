#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# vti: IPsec by route. What is sent through a device is protected by the policy
# and the state that have the device's key for a mark, and by no other.
#
#        h                  a                  r                  b
#   +---------+        +---------+        +---------+        +---------+
#   |         |        | vti1 ===================== ESP ======= vti1   |
#   |         |        | vti2 ===================== ESP ======= vti2   |
#   |    hh --+--------+- ha  va-+--------+-ra   rb-+--------+-- vb    |
#   |10.1.0.2 |        |         |        |         |        |         |
#   +---------+        +---------+        +---------+        +---------+
#           10.1.0.1/24    10.0.1.1/24 10.0.1.2  10.0.2.2   10.0.2.1/24
#                          10.0.1.11/24                     10.0.2.11/24
#
#   vti1: key 1, 10.0.1.1 to 10.0.2.1,   inside 10.2.1.2 and 10.2.1.1
#   vti2: key 2, 10.0.1.11 to 10.0.2.11, inside 10.2.2.2 and 10.2.2.1
#   SPI 0xN01 is from a to b under key N, 0xN02 from b to a.

. "$(dirname "$0")/lib.sh"
load_tunnels vti
kernel_has esp4 || skip "this kernel has no esp4"
kernel_has xfrm_user || skip "this kernel has no xfrm_user"

far_gateways
on a ip addr add 10.0.1.11/24 dev va
on b ip addr add 10.0.2.11/24 dev vb
on a sysctl -qw net.ipv6.icmp.ratelimit=0
start_wire
py '
ESP = 50

def protocols(ns, dev, seconds=0.3):
    """The IP protocols seen since `sniff`, and the SPIs of ESP"""
    seen_here = []
    def look(p):
        ip = next((l for l in p if l.name in ("ip", "ip6")), None)
        if ip and ip.name == "ip6":
            seen_here.append("ip6")
        elif ip:
            spi = ":%x" % int.from_bytes(ip.raw[20:24], "big") if ip.proto == ESP else ""
            seen_here.append("%d%s" % (ip.proto, spi))
        return False
    unseen(ns, dev, look, seconds)
    return " ".join(sorted(set(seen_here))) or "nothing"
'

key=0x0102030405060708090a0b0c0d0e0f10
# Packets change places, sent by one CPU and the other: the in-tree module loses
# more than ten of a small transfer to a window of 32, with offload or without.
crypt="replay-window 1024 enc cbc(aes) $key auth hmac(sha256) $key"
# IPv4 and IPv6 inside
any="mode tunnel flag af-unspec"
# To delete many devices takes no longer than one.
group=9

both() {
	on a "$@"
	on b "$@"
}

# note NS WORD...: a command for ip, which `noted` gives it with all the others
# at once: there are many.
note() {
	local ns=$1
	shift
	show "$ns" ip "$@"
	echo "$*" >>"$work/note.$ns"
}

note_both() {
	note a "$@"
	note b "$@"
}

# noted [OPTION]: do what was noted.
noted() {
	local ns
	for ns in a b; do
		[ -e "$work/note.$ns" ] || continue
		ip -n "$NS_PREFIX-$ns" "$@" -batch "$work/note.$ns"
		rm "$work/note.$ns"
	done
}

# ends N: the outer addresses of vtiN, A and B.
ends() {
	case $1 in
	2) A=10.0.1.11 B=10.0.2.11 ;;
	*) A=10.0.1.1 B=10.0.2.1 ;;
	esac
}

# state N proto PROTO [OPTION...]: both directions, in both namespaces.
state() {
	local n=$1 proto=$3
	shift 3
	ends "$n"
	note_both xfrm state add src $A dst $B proto $proto spi 0x${n}01 mark $n $any "$@"
	note_both xfrm state add src $B dst $A proto $proto spi 0x${n}02 mark $n $any "$@"
}

# allow NS DIR FROM TO SELECTOR TEMPLATE...: one policy; its templates have these ends.
allow() {
	local ns=$1 dir=$2 from=$3 to=$4 selector=$5 one templates=""
	shift 5
	for one; do
		# Optional: what IPComp left as it was. Not known to policies for sending.
		[ "$dir" = in ] || one=${one/ level use/}
		templates+=" tmpl src $from dst $to $one"
	done
	note "$ns" xfrm policy add "$selector" dir "$dir" "$templates"
}

# policy N TEMPLATE...: for everything with mark N.
policy() {
	local n=$1 inner
	shift
	ends "$n"
	for inner in 0.0.0.0/0 ::/0; do
		inner="src $inner dst $inner mark $n"
		allow a out $A $B "$inner" "$@"
		allow a in $B $A "$inner" "$@"
		allow b out $B $A "$inner" "$@"
		allow b in $A $B "$inner" "$@"
	done
}

# vti N [OPTION...]: the devices of both gateways.
vti() {
	local n=$1
	shift
	ends "$n"
	note a link add "vti$n" group $group type vti local $A remote $B key "$n" "$@"
	note b link add "vti$n" group $group type vti local $B remote $A key "$n" "$@"
	note_both link set "vti$n" up
	note a addr add "10.2.$n.2/24" dev "vti$n"
	note b addr add "10.2.$n.1/24" dev "vti$n"
	note a addr add "fd02:$n::2/64" dev "vti$n"
	note b addr add "fd02:$n::1/64" dev "vti$n"
	noted
}

clean() {
	local n trace=no
	rm -f "$work"/note.*
	note_both link del group $group
	for n in 1 2 3 4; do
		note_both link del "vti$n"
	done
	note_both xfrm state flush
	note_both xfrm policy flush
	note_both route flush cache
	quietly noted -force || true
}

# fresh: vti1 and vti2 as drawn, and b knows the way back to h.
fresh() {
	local n
	clean
	on r ip link set rb mtu 1500
	on b ip link set vb mtu 1500
	for n in 1 2; do
		state $n proto esp $crypt
		policy $n "proto esp mode tunnel"
		vti $n
	done
	on b ip route add 10.1.0.0/24 dev vti1
	on b ip route add fd01::/64 dev vti1
}

wire_has() {
	local ns=$1 dev=$2 seen
	shift 2
	seen=$(py "protocols('$ns', '$dev')")
	equal "on the wire" "$*" "$seen"
}

right_one() {
	local n=$1
	py 'sniff("a", "va")'
	ping_ok a "10.2.$n.1"
	wire_has a va "50:${n}01 50:${n}02"
	py 'sniff("a", "va")'
	ping_ok a "fd02:$n::1"
	wire_has a va "50:${n}01 50:${n}02"
}

counted() {
	local before bytes others
	before=$(counter a vti1 tx_packets) bytes=$(counter b vti1 rx_bytes)
	others=$(counter b vti2 rx_packets)
	ping_ok a 10.2.1.1 -s 100
	equal tx_packets $((before + 3)) "$(counter a vti1 tx_packets)"
	equal rx_bytes $((bytes + 3 * 128)) "$(counter b vti1 rx_bytes)"
	equal "rx_packets of vti2" "$others" "$(counter b vti2 rx_packets)"
}

never_plain() {
	capture a va "$work/outer"
	local outer=$capture_pid
	capture a vti1 "$work/inner"
	ping_ok a 10.2.1.1 -p 706c61696e2d74657874
	ping_ok a fd02:1::1 -p 706c61696e2d74657874
	captured
	capture_pid=$outer
	captured
	grep -aq plain-textplain-text "$work/inner"
	fails grep -aq plain-textplain-text "$work/outer"
	on a tcpdump -n -r "$work/outer" >"$work/outer.txt"
	grep -q ESP "$work/outer.txt"
	fails grep -q '10\.2\.\|fd02' "$work/outer.txt"
}

# Nothing of it is refused.
bulk() {
	local errors
	errors=$(counter b vti1 rx_errors)
	tcp_transfer a b 10.2.1.1
	equal rx_errors "$errors" "$(counter b vti1 rx_errors)"
}

bulk6() { tcp_transfer a b fd02:1::1; }

# from_h WORDS: h sends this, and has forgotten what it was told before: 7.2 learns
# a path MTU of any packet, and does not send larger ones.
from_h() {
	on h ip route flush cache
	on h ip -6 route flush cache
	py "route('h', $1)"
}

# What a sender behind the gateway is told: h, at 10.1.0.2.
told() {
	py 'sniff("h", "hh")'
	from_h "$1"
	py "seen('h', 'hh', lambda p: p[1].name == 'icmp' and not p[0].outgoing and $2)"
}

udp4='ip("10.1.0.2", "10.2.1.1", udp(1, 7, b"m" * 40)), "10.2.1.1"'
udp6='ip6("fd01::2", "fd02:1::1", udp(1, 7, b"m" * 40)), "fd02:1::1"'

# Nothing leaves, plain or not; the sender hears of it; the reason has a name.
not_protected() {
	local reason=$1 before
	before=$(drops a vti1 "$reason")
	py 'sniff("a", "va")'
	told "$udp4" 'p[1].kind == 3 and p[1].code == 1'
	told "$udp6" 'p[1].kind == 1 and p[1].code == 3'
	wire_has a va nothing
	! culvert || equal "$reason" $((before + 2)) "$(drops a vti1 "$reason")"
	[ "$(counter a vti1 tx_errors)" -ge 2 ]
	[ "$(counter a vti1 tx_carrier_errors)" -ge 2 ]
}

no_policy() {
	on a ip xfrm policy flush
	not_protected tx_no_policy
}

no_state() {
	fresh
	on a ip xfrm state flush
	not_protected tx_no_state
}

# A policy whose state goes elsewhere than the device.
wrong_state() {
	fresh
	on a ip link set vti1 type vti local 10.0.1.1 remote 10.0.2.1 ikey 1 okey 2
	not_protected tx_wrong_state
}

state_comes_back() {
	fresh
	ping_ok a 10.2.1.1
}

# refused REASON PACKET: b does not take it, and says why.
refused() {
	local reason=$1 before errors packets
	before=$(drops b vti1 "$reason") errors=$(counter b vti1 rx_errors)
	packets=$(counter b vti1 rx_packets)
	py "deliver('r', 'rb', 'b', 'vb', $2)"
	wait_until 10 counter_is b vti1 rx_errors $((errors + 1))
	! culvert || equal "$reason" $((before + 1)) "$(drops b vti1 "$reason")"
	equal rx_packets "$packets" "$(counter b vti1 rx_packets)"
}

counter_is() { [ "$(counter "$1" "$2" "$3")" = "$4" ]; }

unknown_spi() {
	refused rx_ipsec 'ip("10.0.1.1", "10.0.2.1", packet(bytes.fromhex("0000ff0100000001") + b"x" * 64, 50))'
}

not_authentic() {
	refused rx_ipsec 'ip("10.0.1.1", "10.0.2.1", packet(bytes.fromhex("000001010000ffff") + b"x" * 76, 50))'
}

replayed() {
	py 'sniff("r", "rb")'
	ping_ok a 10.2.1.1
	py '
esp = seen("r", "rb", lambda p: p[0].proto == ESP and p[0].src == "10.0.1.1")
again = packet(esp[0].raw, 50, ETH_IP)'
	refused rx_ipsec again
}

# Decrypted, but no policy for the key of vti1 lets it in.
inner_policy() {
	fresh
	on b ip xfrm policy del src 0.0.0.0/0 dst 0.0.0.0/0 mark 1 dir in
	ends 1
	allow b in $A $B "src 10.66.0.0/16 dst 0.0.0.0/0 mark 1" "proto esp mode tunnel"
	noted
	local before errors
	before=$(drops b vti1 rx_inner_policy) errors=$(counter b vti1 rx_errors)
	ping_lost a 10.2.1.1
	! culvert || equal rx_inner_policy $((before + 3)) "$(drops b vti1 rx_inner_policy)"
	equal rx_errors $((errors + 3)) "$(counter b vti1 rx_errors)"
	ping_ok a fd02:1::1
}

# --- sizes ---

# mtu_told FAMILY: the mtu in what h is told when it sends a large packet.
mtu_told() {
	py 'sniff("h", "hh")'
	case $1 in
	4) from_h 'ip("10.1.0.2", "10.2.1.1", udp(1, 7, b"m" * 1412), df=True), "10.2.1.1"'
	   py 'str(seen("h", "hh", lambda p: p[1].name == "icmp" and not p[0].outgoing and (p[1].kind, p[1].code) == (3, 4))[1].rest & 0xffff)' ;;
	6) from_h 'ip6("fd01::2", "fd02:1::1", udp(1, 7, b"m" * 1392)), "fd02:1::1"'
	   py 'str(seen("h", "hh", lambda p: p[1].name == "icmp" and not p[0].outgoing and p[1].kind == 2)[1].rest)' ;;
	esac
}

# A packet of exactly that size gets through, in one piece; one more is told.
mtu_is_right() {
	local mtu=$1
	py 'sniff("b", "vti1", "ip"), sniff("a", "va")'
	from_h "ip('10.1.0.2', '10.2.1.1', udp(1, 7, b'm' * ($mtu - 28)), df=True), '10.2.1.1'"
	py "seen('b', 'vti1', lambda p: len(p[0].raw) == $mtu)"
	py 'seen("a", "va", lambda p: p[0].proto == ESP and not p[0].more and not p[0].offset)'
	from_h "ip6('fd01::2', 'fd02:1::1', udp(1, 7, b'm' * ($mtu - 48))), 'fd02:1::1'"
	py "seen('b', 'vti1', lambda p: len(p[0].raw) == $mtu and p[0].name == 'ip6')"
	told "ip('10.1.0.2', '10.2.1.1', udp(1, 7, b'm' * ($mtu - 27)), df=True), '10.2.1.1'" \
		"p[1].rest & 0xffff == $mtu"
	told "ip6('fd01::2', 'fd02:1::1', udp(1, 7, b'm' * ($mtu - 47))), 'fd02:1::1'" \
		"p[1].rest == $mtu"
}

# The device says 1480; what ESP adds is more than 20 bytes.
local_mtu() {
	local mtu
	fresh
	mtu=$(mtu_told 4)
	[ "$mtu" -lt 1480 ] && [ "$mtu" -gt 1400 ]
	equal "for IPv6" "$mtu" "$(mtu_told 6)"
	mtu_is_right "$mtu"
}

# A router's ICMP about an ESP packet reaches the tunnel.
path_mtu() {
	local mtu
	fresh
	on r ip link set rb mtu 1400
	on b ip link set vb mtu 1400
	from_h 'ip("10.1.0.2", "10.2.1.1", udp(1, 7, b"m" * 1372), df=True), "10.2.1.1"'
	wait_until 10 knows_mtu 1400
	mtu=$(mtu_told 4)
	[ "$mtu" -lt 1380 ] && [ "$mtu" -gt 1300 ]
	mtu_is_right "$mtu"
}

knows_mtu() { on a ip route get 10.0.2.1 | grep "mtu $1"; }

# About a state that does not exist, a router is not believed.
path_mtu_forged() {
	fresh
	on a ip route flush cache
	py 'deliver("r", "ra", "a", "va", ip("10.0.1.2", "10.0.1.1", icmp(3, 4, 1000, ip("10.0.1.1", "10.0.2.1", packet(bytes.fromhex("0000ee0100000001"), 50)))))'
	ping_ok a 10.2.1.1
	fails knows_mtu 1000
}

# Below 1280 an IPv6 sender can't go: what is no larger is sent in fragments.
# The mtu of b remains: IPv6 through IPsec can't be sent from a device below 1280,
# and a 6.1.176 that tries gives back a reference to it twice.
below_1280() {
	fresh
	on r ip link set rb mtu 1000
	from_h 'ip("10.1.0.2", "10.2.1.1", udp(1, 7, b"m" * 1100), df=True), "10.2.1.1"'
	wait_until 10 knows_mtu 1000
	equal "for IPv6" 1280 "$(mtu_told 6)"
	# In-tree such a packet is answered with "1280" and lost, for ever.
	if culvert; then
		py 'sniff("b", "vti1", "ip")'
		from_h 'ip6("fd01::2", "fd02:1::1", udp(1, 7, b"m" * 1232)), "fd02:1::1"'
		py 'seen("b", "vti1", lambda p: len(p[0].raw) == 1280)'
	fi
}

# Without DF a packet goes, whatever its size.
without_df() {
	fresh
	py 'sniff("b", "vti1", "ip")'
	from_h 'ip("10.1.0.2", "10.2.1.1", udp(1, 7, b"m" * 1450)), "10.2.1.1"'
	py 'seen("b", "vti1", lambda p: len(p[0].raw) == 1478)'
}

# --- other transforms ---

# used PROTOCOLS [PING_OPTION...]
used() {
	local expected=$1
	shift
	py 'sniff("a", "va")'
	ping_ok a 10.2.1.1 "$@"
	[ "$families" = 4 ] || ping_ok a fd02:1::1 "$@"
	wire_has a va "$expected"
}
families="4 6"

alone() {
	clean
	state 1 "$@"
	case $2 in
	comp) policy 1 "proto comp mode tunnel level use" ;;
	*) policy 1 "proto $2 mode tunnel" ;;
	esac
	vti 1
}

ah() {
	kernel_has ah4 || skip "this kernel has no ah4"
	alone proto ah auth "hmac(sha256)" $key
	used 51
}

espinudp() {
	local ns
	for ns in a b; do
		ip netns exec "$NS_PREFIX-$ns" python3 -c '
import socket, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("0.0.0.0", 4500))
s.setsockopt(17, 100, 2)
time.sleep(120)' &
		echo $! >>"$work/encap"
		wait_until 20 udp_listens $ns 4500
	done
	alone proto esp $crypt encap espinudp 4500 4500 0.0.0.0
	used 17
	xargs kill <"$work/encap"
	alone proto esp $crypt
	used "50:101 50:102"
}

udp_listens() { [ -n "$(ip netns exec "$NS_PREFIX-$1" ss -Hlun "sport = :$2")" ]; }

# What is too short to gain by it goes uncompressed, as IP in IP.
ipcomp() {
	kernel_has ipcomp || skip "this kernel has no ipcomp"
	kernel_has deflate || skip "this kernel has no deflate"
	alone proto comp comp deflate
	used 108 -s 1000
	used "4 41" -s 8
	bulk
}

# Compressed and then encrypted: IP in IP inside of ESP. 5.10 receives nothing by a
# state in transport mode that is for both families.
ipcomp_in_esp() {
	local families=$families transport="mode transport flag af-unspec"
	kernel_has ipcomp || skip "this kernel has no ipcomp"
	kernel_has deflate || skip "this kernel has no deflate"
	case $(uname -r) in
	5.*) families=4 transport="mode transport" ;;
	esac
	clean
	ends 1
	state 1 proto comp comp deflate
	both ip xfrm state add src $A dst $B proto esp spi 0x111 mark 1 $transport $crypt
	both ip xfrm state add src $B dst $A proto esp spi 0x112 mark 1 $transport $crypt
	policy 1 "proto comp mode tunnel level use" "proto esp mode transport"
	vti 1
	used "50:111 50:112" -s 1000
	used "50:111 50:112" -s 8
}

# IPComp of plain policies, without a vti: for that, too, IP in IP is needed.
ipcomp_without_vti() {
	kernel_has ipcomp || skip "this kernel has no ipcomp"
	kernel_has deflate || skip "this kernel has no deflate"
	clean
	ends 1
	both ip xfrm state add src $A dst $B proto comp spi 0x101 mode tunnel comp deflate
	both ip xfrm state add src $B dst $A proto comp spi 0x102 mode tunnel comp deflate
	allow a out $A $B "src $A dst $B" "proto comp mode tunnel"
	allow a in $B $A "src $B dst $A" "proto comp mode tunnel level use"
	allow b out $B $A "src $B dst $A" "proto comp mode tunnel"
	allow b in $A $B "src $A dst $B" "proto comp mode tunnel level use"
	noted
	# what is taken out shows on va too, so look one hop further
	py 'sniff("r", "ra")'
	ping_ok a $B -s 1000
	ping_ok a $B -s 8
	wire_has r ra "108 4"
}

# A tunnel of its own between the same ends is taken before such a state.
ipip_beside_ipcomp() {
	ipcomp_without_vti
	on b ip xfrm policy flush
	on b ip link add ipip9 type ipip local $B remote $A
	on b ip link set ipip9 up
	local before
	before=$(counter b ipip9 rx_packets)
	py "deliver('r', 'rb', 'b', 'vb', ip('$A', '$B', ip('10.9.0.1', '10.9.0.2', icmp())))"
	wait_until 10 counter_is b ipip9 rx_packets $((before + 1))
	on b ip link del ipip9
}

# Transport mode between the same ends is not the tunnel's.
transport_mode_beside() {
	fresh
	ends 1
	both ip xfrm state add src $A dst $B proto esp spi 0x121 mode transport $crypt
	both ip xfrm state add src $B dst $A proto esp spi 0x122 mode transport $crypt
	allow a out $A $B "src $A dst $B proto udp" "proto esp mode transport"
	allow b in $A $B "src $A dst $B proto udp" "proto esp mode transport"
	noted
	py 'sniff("a", "va")'
	on a bash -c "echo hello >/dev/udp/$B/9" || true
	py "seen('a', 'va', lambda p: p[0].proto == ESP and p[0].raw[20:24] == bytes.fromhex('00000121'))"
	# b has taken it out and found nobody at that port
	py "seen('a', 'va', lambda p: p[1].name == 'icmp' and (p[1].kind, p[1].code) == (3, 3))"
	ping_ok a 10.2.1.1
}

# GRO decrypts before anybody could say which device the packet is for.
esp4_offload() {
	kernel_has esp4_offload || skip "this kernel has no esp4_offload"
	clean
	ends 1
	both ip xfrm state add src $A dst $B proto esp spi 0x101 $any $crypt
	both ip xfrm state add src $B dst $A proto esp spi 0x102 $any $crypt
	policy 1 "proto esp mode tunnel"
	vti 1
	on a ethtool -K va gro on
	on b ethtool -K vb gro on
	used "50:101 50:102"
	bulk
	clean
	wait_until 20 modprobe -r esp4_offload
}

# Decryption that ends in another context. IPsec holds a reference to the device
# meanwhile, and has to give it back to the same one.
asynchronous() {
	kernel_has pcrypt || skip "this kernel has no pcrypt"
	kernel_has algif_aead || skip "this kernel has no algif_aead"
	# Its two lists for each CPU have locks of one class, taken inside each other.
	[ ! -e /proc/lockdep ] || skip "padata, below pcrypt, makes lockdep give up"
	clean
	make_pcrypt "authenc(hmac(sha256),cbc(aes))"
	alone proto esp $crypt
	at_least "users of pcrypt" 2 "$(users_of pcrypt)"
	used "50:101 50:102"
	bulk
	deleted a vti1
	deleted b vti1
	deleted b vb
	clean
	wait_until 20 modprobe -r pcrypt
}

# make_pcrypt NAME: the same algorithm, asynchronous, and so of more priority. It
# exists once somebody has asked for it by the full name of what is below it. In 7.2
# sockets get none that are asynchronous, but then it has been made all the same.
make_pcrypt() {
	python3 -c '
import socket, sys
def ask(name):
    with socket.socket(socket.AF_ALG, socket.SOCK_SEQPACKET) as s:
        s.bind(("aead", name))
ask(sys.argv[1])
known = [dict((word.strip() for word in line.split(":", 1)) for line in entry.splitlines())
         for entry in open("/proc/crypto").read().split("\n\n") if entry.strip()]
below = max((k for k in known if k["name"] == sys.argv[1]), key=lambda k: int(k["priority"]))
print(below["driver"])
try:
    ask("pcrypt(%s)" % below["driver"])
except FileExistsError:
    pass' "$1"
}

# users_of TEMPLATE: how many hold the algorithms that it has made.
users_of() {
	awk -v name="$1(" '$1 == "driver" { ours = index($3, name) }
		$1 == "refcnt" && ours { n += $3 } END { print n + 0 }' /proc/crypto
}

# deleted NS DEV: nobody holds it any more, or that would wait for ever.
deleted() {
	on "$1" ip link del "$2" &
	wait_until 30 has_ended $!
}

has_ended() { ! kill -0 "$1"; }

# --- what a queueing discipline leaves in the packet ---

# The policy asks for the port, which is found by what skb->cb says.
dirty_cb() {
	local inner port
	kernel_has sch_sfb || skip "this kernel has no sch_sfb"
	fresh
	on a ip xfrm policy flush
	ends 1
	for inner in 0.0.0.0/0 ::/0; do
		allow a out $A $B "src $inner dst $inner proto udp dport 7 mark 1" "proto esp mode tunnel"
	done
	noted
	on a tc qdisc add dev vti1 root sfb
	for port in 1 2 3 4 5 6; do
		py 'sniff("b", "vti1", "ip")'
		py "route('h', ip6('fd01::2', 'fd02:1::1', udp($port, 7, b'm' * $port)), 'fd02:1::1')"
		py "seen('b', 'vti1', lambda p: p[0].name == 'ip6' and p[1].dport == 7)"
		py "route('h', ip('10.1.0.2', '10.2.1.1', udp($port, 7, b'm' * $port)), '10.2.1.1')"
		py "seen('b', 'vti1', lambda p: p[0].name == 'ip' and p[1].dport == 7)"
	done
	told 'ip6("fd01::2", "fd02:1::1", udp(1, 8, b"m")), "fd02:1::1"' 'p[1].kind == 1'
}

# Options of the outer header are remembered where IPv6 looks for its own.
outer_options() {
	fresh
	py '
sniff("a", "va")
send("a", "vti1", ip6("fd02:1::2", "fd02:1::1", udp(5, 7, b"m" * 30)))
esp = seen("a", "va", lambda p: p[0].proto == ESP and p[0].src == "10.0.1.1")[0].raw'
	on b ip xfrm policy flush
	ends 1
	allow b in $A $B "src ::/0 dst ::/0 proto udp dport 7 mark 1" "proto esp mode tunnel"
	noted
	on b ip xfrm state flush
	on b ip xfrm state add src $A dst $B proto esp spi 0x101 mark 1 $any $crypt
	py 'sniff("b", "vti1", "ip")'
	# record route: 3 bytes and room for two addresses, and a time stamp option
	py '
options = bytes.fromhex("070b04") + bytes(8) + bytes.fromhex("440c0500") + bytes(8) + bytes(1)
head = bytearray(esp[:20])
head[0] = 0x40 + (20 + len(options)) // 4
head[2:4] = struct.pack("!H", len(esp) + len(options))
head[10:12] = bytes(2)
head = bytes(head) + options
value = checksum(head)
deliver("r", "rb", "b", "vb", packet(head[:10] + struct.pack("!H", value) + head[12:] + esp[20:], 50, ETH_IP))'
	py 'seen("b", "vti1", lambda p: p[0].name == "ip6" and p[1].dport == 7)'
}

# --- configuration ---

shown() {
	fresh
	says "vti remote 10.0.2.1 local 10.0.1.1 ikey 0.0.0.1 okey 0.0.0.1" on a ip -d link show vti1
	says "vti1: ip/ip remote 10.0.2.1 local 10.0.1.1 ttl inherit nopmtudisc key 1" on a ip tunnel show vti1
	on a ip tunnel add vti3 mode vti local 10.0.1.1 remote 10.0.2.9 ikey 5 okey 6
	says "ikey 5 okey 6" on a ip tunnel show vti3
	on a ip tunnel change vti3 mode vti ikey 7
	says "ikey 7 okey 6" on a ip tunnel show vti3
	on a ip link set vti3 type vti fwmark 9
	says "fwmark 0x9" on a ip -d link show vti3
	says "ikey 7 okey 6" on a ip tunnel show vti3
	on a ip tunnel del vti3
	fails on a ip link show vti3
}

# The new key is the mark from the next packet on.
changed() {
	fresh
	on a ip link set vti1 type vti local 10.0.1.1 remote 10.0.2.1 key 2
	ping_lost a 10.2.1.1
	on a ip link set vti1 type vti local 10.0.1.1 remote 10.0.2.1 key 1
	ping_ok a 10.2.1.1
	on a ip tunnel change vti1 mode vti local 10.0.1.11
	ping_lost a 10.2.1.1
	on a ip tunnel change vti1 mode vti local 10.0.1.1
	ping_ok a 10.2.1.1
}

fwmark() {
	fresh
	on a ip link set vti1 type vti local 10.0.1.1 remote 10.0.2.1 ikey 1 okey 0 fwmark 1
	ping_ok a 10.2.1.1
}

duplicate() {
	fresh
	says "File exists" on a ip link add vti3 type vti local 10.0.1.1 remote 10.0.2.1 key 1
	says "File exists" on a ip tunnel add vti3 mode vti local 10.0.1.1 remote 10.0.2.1 key 1
}

# Two more devices between the ends of vti1, with states of their own.
same_ends() {
	local n before
	fresh
	for n in 3 4; do
		state $n proto esp $crypt
		policy $n "proto esp mode tunnel"
		vti $n
	done
	for n in 1 3 4; do
		right_one $n
	done
	equal rx_errors "0 0 0" "$(counter b vti1 rx_errors) $(counter b vti3 rx_errors) $(counter b vti4 rx_errors)"
	before=$(counter b vti4 rx_packets)
	ping_ok a 10.2.3.1
	equal "rx_packets of vti4" "$before" "$(counter b vti4 rx_packets)"
}

# IKE daemons give marks to policies, but not to states that receive: the policy
# knows by the state's reqid.
same_ends_by_policy() {
	local n ns
	clean
	ends 1
	for n in 3 4; do
		on a ip xfrm state add src $A dst $B proto esp spi 0x${n}01 reqid $n mark $n $any $crypt
		on b ip xfrm state add src $A dst $B proto esp spi 0x${n}01 reqid $n $any $crypt
		on b ip xfrm state add src $B dst $A proto esp spi 0x${n}02 reqid $n mark $n $any $crypt
		on a ip xfrm state add src $B dst $A proto esp spi 0x${n}02 reqid $n $any $crypt
		policy $n "proto esp reqid $n mode tunnel"
		vti $n
	done
	for n in 3 4; do
		right_one $n
	done
	equal rx_errors "0 0" "$(counter b vti3 rx_errors) $(counter b vti4 rx_errors)"
}

# The device elsewhere, the outer packets and the states where it was made.
moved() {
	fresh
	namespaces c
	ipv6_on c
	on a ip link set vti1 netns "$NS_PREFIX-c"
	on c ip link set vti1 up
	on c ip addr add 10.2.1.2/24 dev vti1
	on c ip addr add fd02:1::2/64 dev vti1
	py 'sniff("a", "va")'
	ping_ok c 10.2.1.1
	ping_ok c fd02:1::1
	wire_has a va "50:101 50:102"
	says "File exists" on a ip link add vti3 type vti local 10.0.1.1 remote 10.0.2.1 key 1
	on c ip link set vti1 type vti local 10.0.1.1 remote 10.0.2.1 key 1
	ping_ok c 10.2.1.1
	run ip netns del "$NS_PREFIX-c"
	# and with the namespace the device goes: its ends are free again
	wait_until 20 on a ip link add vti1 type vti local 10.0.1.1 remote 10.0.2.1 key 1
}

# One device for every remote: the policy alone says where to.
any_remote() {
	fresh
	both ip link del vti1
	both ip link del vti2
	on b ip link add vti1 type vti local 10.0.2.1 remote any key 1
	on b ip link set vti1 up
	on b ip addr add 10.2.1.1/24 dev vti1
	ends 1
	on a ip link add vti1 type vti local $A remote $B key 1
	on a ip link set vti1 up
	on a ip addr add 10.2.1.2/24 dev vti1
	ping_ok a 10.2.1.1
}

# ip_vti0 takes what no device has the ends of.
base_device() {
	fresh
	on b ip link del vti1
	on b ip link set ip_vti0 up
	on b ip addr add 10.2.1.1/24 dev ip_vti0
	on b ip xfrm state flush
	on b ip xfrm policy flush
	ends 1
	on b ip xfrm state add src $A dst $B proto esp spi 0x101 $any $crypt
	on b ip xfrm state add src $B dst $A proto esp spi 0x102 $any $crypt
	allow b out $B $A "src 0.0.0.0/0 dst 10.2.1.2" "proto esp mode tunnel"
	allow b in $A $B "src 10.2.1.2 dst 0.0.0.0/0" "proto esp mode tunnel"
	noted
	# The policies have no mark: without this they are asked again, in the clear.
	on b sysctl -qw net.ipv4.conf.ip_vti0.disable_policy=1
	ping_ok a 10.2.1.1
	equal rx_packets 3 "$(counter b ip_vti0 rx_packets)"
	on b ip link set ip_vti0 down
	on b ip addr flush dev ip_vti0
}

check "vti1 and vti2 with their states and policies" fresh
check "vti1: its own state only, IPv4 and IPv6" right_one 1
check "vti2: its own state only, IPv4 and IPv6" right_one 2
check "packets and bytes are counted" counted
check "plain text is never on the wire" never_plain
check "TCP" bulk
check "TCP over IPv6" bulk6
check "no policy: dropped, and the sender is told" no_policy
check "no state: dropped, and the sender is told" no_state
check "a state for other ends: dropped, and the sender is told" wrong_state
check "with policy and state it works again" state_comes_back
check "received: an unknown SPI" unknown_spi
check "received: not authentic" not_authentic
check "received: once more" replayed
check "received: no policy for what is inside" inner_policy
check "the state's overhead is told to IPv4 and IPv6 senders" local_mtu
check "path MTU: an ICMP error reaches the tunnel" path_mtu
check "path MTU: not about a state that there is not" path_mtu_forged
check "path MTU below 1280" below_1280
check "too big, without DF" without_df
check "AH" ah
check "ESP in UDP" espinudp
check "IPComp, and what is too short for it" ipcomp
check "IPComp in ESP" ipcomp_in_esp
check "IPComp without vti" ipcomp_without_vti
if culvert; then
	check "an ipip tunnel comes before IPComp's IP in IP" ipip_beside_ipcomp
	# In-tree the device takes the packets of other states too, or loses its own.
	check "transport mode between the same ends" transport_mode_beside
	check "with esp4_offload" esp4_offload
fi
check "skb->cb is clean: a policy by port, behind sfb" dirty_cb
# In-tree 5.10 and 6.1 read beyond the packet here.
! culvert || check "skb->cb is clean: IPv6 within ESP with IP options" outer_options
check "ip link, ip tunnel: add, change, show, delete" shown
check "a change of key or ends counts from the next packet on" changed
check "duplicate" duplicate
if culvert; then
	# In-tree the key is no part of it: File exists. fwmark does nothing.
	check "fwmark in place of okey" fwmark
	check "same ends, other keys: told apart by the state" same_ends
	check "same ends, other keys: told apart by the policy" same_ends_by_policy
fi
check "another namespace" moved
check "remote any" any_remote
check "ip_vti0" base_device
# The last: it takes the wire away. In-tree in 6.12.94 and other stable kernels
# the devices can't be deleted any more after that.
! culvert || check "asynchronous decryption returns its references" asynchronous
clean

finish
