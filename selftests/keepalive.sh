#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# GRE keepalive: answering the peer's, sending our own, and what the carrier of
# the device makes of it.
#
#          A                                  B
#   +--------------+                   +--------------+
#   |  gre1        | = = = = = = = = = |  gre1        |
#   |  192.168.1.1 |                   |  192.168.1.2 |
#   |  eth0 -------+-------------------+- eth0        |
#   +--------------+                   +--------------+
#      10.0.0.1/24                        10.0.0.2/24

. "$(dirname "$0")/lib.sh"
culvert || skip "only culvert has keepalive"
load_tunnels gre

namespaces A B
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

# knob NS NAME [VALUE]: read or set what is in /sys/class/net/gre1/tunnel.
knob() {
	local file=/sys/class/net/${dev:-gre1}/tunnel/$2
	if [ $# = 2 ]; then
		ip netns exec "$NS_PREFIX-$1" cat "$file"
	else
		show "$1" "echo $3 > $file"
		ip netns exec "$NS_PREFIX-$1" sh -c "echo '$3' > $file" 2>/dev/null
	fi
}

# status NS NAME: one value of keepalive_status.
status() {
	knob "$1" keepalive_status | awk -v name="$2" '$1 == name { print $2 }'
}

state_is() { [ "$(status "$1" state)" = "$2" ]; }
at_least() { [ "$(status "$1" "$2")" -ge "$3" ]; }
has_carrier() { ! no_carrier "$1"; }
no_carrier() { [[ $(on "$1" ip link show gre1) == *NO-CARRIER* ]]; }

# --- answering ----------------------------------------------------------------

# answered REQUEST [DATA]: B sends the inner packet back.
answered() {
	sleep 0.3	# not to run into the limit of 10 answers a second
	py 'sniff("A", "eth0")'
	py "deliver('A', 'eth0', 'B', 'eth0', $1)"
	py "seen('A', 'eth0', lambda p: back(p, ${2:-b''}))"
}

# not_answered REQUEST: B does not; a good request right behind it is answered.
not_answered() {
	sleep 0.3
	py 'sniff("A", "eth0")'
	py "deliver('A', 'eth0', 'B', 'eth0', $1)"
	py "deliver('A', 'eth0', 'B', 'eth0', ask(data=b'the good one'))"
	py "back(seen('A', 'eth0', lambda p: names(p).startswith('ip gre')
		and p[1].proto == 0), b'the good one')"
}

answers() {
	local before
	before=$(status B answered)
	answered 'ask()'
	equal "answered" $((before + 1)) "$(status B answered)"
	equal "ethtool -S" $((before + 1)) "$(drops B gre1 keepalive_answered)"
}

answer_is_what_was_asked_for() {
	answered 'ask(data=bytes(range(16)))' 'bytes(range(16))'
	py 'sniff("A", "eth0")'
	py 'deliver("A", "eth0", "B", "eth0", ask(ttl=200))'
	py 'seen("A", "eth0", lambda p: back(p) and p[0].ttl == 199 and p[0].sum_ok)'
}

answers_with_options() {
	ends key 7
	answered 'ask(key=7, ikey=7)'
	ends csum
	answered 'ask(csum=True)'
	ends seq
	answered 'ask(seq=1)'
	ends
}

refuses() {
	not_answered 'ask(inner_src="10.0.0.77")'
	not_answered 'ask(inner_src="192.168.1.2")'
	not_answered 'ask(inner_dst="10.0.0.77")'
	not_answered 'ask(inner_dst="192.168.1.1")'
	not_answered 'ask(proto=0x1234)'
	not_answered 'ask(ikey=7)'
	not_answered 'ask(ttl=1)'
	not_answered 'ask(data=bytes(200))'
	not_answered 'ip("10.0.0.1", "10.0.0.2", gre(ip("10.0.0.2", "10.0.0.1",
		gre(b"", proto=0), more=True)))'
	not_answered 'ip("10.0.0.1", "10.0.0.2", gre(ip("10.0.0.2", "10.0.0.1",
		gre(b"", proto=0), length=400)))'
}

# A stranger's request for which there is no tunnel gets nothing but an ICMP.
refuses_strangers() {
	not_answered 'ask(src="10.0.0.9", inner_dst="10.0.0.9")'
	not_answered 'ask(src="10.0.0.9")'
}

can_be_switched_off() {
	knob B keepalive_answer 0
	py 'sniff("A", "eth0")'
	py 'deliver("A", "eth0", "B", "eth0", ask())'
	py 'unseen("A", "eth0", lambda p: back(p))'
	knob B keepalive_answer 1
	answered 'ask()'
}

answers_are_limited() {
	sleep 1.5
	local before after
	before=$(status B answered)
	py 'all([deliver("A", "eth0", "B", "eth0", ask()) for n in range(100)])'
	after=$(status B answered)
	[ $((after - before)) -ge 10 ]
	[ $((after - before)) -le 30 ]
	equal "rx_keepalive_rate" $((100 - after + before)) "$(drops B gre1 rx_keepalive_rate)"
}

# Neither forwarding nor a relaxed rp_filter is needed.
answers_under_strict_rules() {
	on B sysctl -qw net.ipv4.ip_forward=0 net.ipv4.conf.all.rp_filter=1 \
		net.ipv4.conf.gre1.rp_filter=1
	answered 'ask()'
	on B sysctl -qw net.ipv4.conf.all.rp_filter=0
}

# --- sending --------------------------------------------------------------------

request_is_on_the_wire() {
	ends key 9 ttl 77
	py 'sniff("B", "eth0")'
	knob A keepalive_interval 1
	py 'seen("B", "eth0", lambda p: names(p).startswith("ip gre ip gre")
		and (p[0].src, p[0].dst, p[0].ttl) == ("10.0.0.1", "10.0.0.2", 77)
		and (p[1].flags, p[1].key, p[1].proto) == (0x2000, 9, 0x0800)
		and (p[2].src, p[2].dst, p[2].ttl) == ("10.0.0.2", "10.0.0.1", 255)
		and p[2].proto == 47 and p[2].sum_ok
		and (p[3].flags, p[3].key, p[3].proto) == (0x2000, 9, 0))'
	wait_until 10 state_is A up
	has_carrier A
	knob A keepalive_interval 0
	equal "state" off "$(status A state)"
}

tells_how_it_goes() {
	ends
	knob A keepalive_interval 1
	wait_until 10 at_least A received 3
	at_least B answered 3
	equal "loss" 0 "$(status A loss_percent)"
	at_least A rtt_us 0
	[ "$(status A rtt_us)" -lt 1000000 ]
	at_least A last_reply_ms 0
	[ "$(status A last_reply_ms)" -lt 2000 ]
	equal "ethtool -S" 1 "$(($(drops A gre1 keepalive_received) >= 3))"
}

peer_dies_and_comes_back() {
	knob A keepalive_retries 2
	ip -n "$NS_PREFIX-A" monitor link >"$work/monitor" 2>&1 &
	local monitor=$!
	on A sysctl -qw net.ipv4.conf.gre1.ignore_routes_with_linkdown=1
	on A ip route add 10.9.0.0/16 dev gre1
	on B ip link set eth0 down
	wait_until 20 no_carrier A
	equal "state" down "$(status A state)"
	contains linkdown "$(on A ip route show 10.9.0.0/16)"
	fails on A ip route get 10.9.0.1
	sent=$(status A sent)
	wait_until 10 at_least A sent $((sent + 2))
	on B ip link set eth0 up
	wait_until 20 has_carrier A
	wait_until 10 state_is A up
	on A ip route get 10.9.0.1
	kill $monitor
	contains NO-CARRIER "$(cat "$work/monitor")"
	ping_ok A 192.168.1.2
}

# Losing fewer than "retries" in a row is not being dead.
one_loss_is_none() {
	knob A keepalive_retries 255
	on B ip link set gre1 down
	wait_until 20 at_least A unanswered 3
	has_carrier A
	[ "$(status A loss_percent)" -gt 0 ]
	on B ip link set gre1 up
	wait_until 20 eval '[ "$(status A unanswered)" -lt 2 ]'
	knob A keepalive_retries 2
}

both_ways() {
	local options
	for options in "" "key 5" "csum" "seq" "key 5 csum seq"; do
		# shellcheck disable=SC2086
		ends $options
		knob A keepalive_interval 1
		knob B keepalive_interval 1
		wait_until 10 at_least A received 2
		wait_until 10 at_least B received 2
		ping_ok A 192.168.1.2
	done
}

# --- a device's life --------------------------------------------------------------

survives_changes() {
	ends
	knob A keepalive_retries 7
	knob A keepalive_interval 1
	wait_until 10 state_is A up
	on A ip link set gre1 type gre ttl 33
	on A ip link set gre1 type gre tos 4
	equal "retries" 7 "$(knob A keepalive_retries)"
	equal "state" up "$(status A state)"
	on A ip link set gre1 type gre remote 10.0.0.3
	equal "interval" 1 "$(knob A keepalive_interval)"
	wait_until 10 at_least A sent 2
	equal "received" 0 "$(status A received)"
	on A ip link set gre1 type gre remote 10.0.0.2
	wait_until 10 state_is A up
}

survives_down_and_up() {
	on A ip link set gre1 down
	equal "state" off "$(status A state)"
	on A ip link set gre1 up
	wait_until 10 state_is A up
	equal "retries" 7 "$(knob A keepalive_retries)"
}

survives_a_move() {
	namespaces C
	on A ip link set gre1 netns "$NS_PREFIX-C"
	equal "interval" 1 "$(knob C keepalive_interval)"
	on C ip link set gre1 up
	wait_until 10 state_is C up
	on C ip link del gre1
}

# --- settings ---------------------------------------------------------------------

refuses_bad_values() {
	ends
	knob A keepalive_interval 5
	for bad in -1 32768 99999999999 x "" "1 2" 0x10; do
		fails knob A keepalive_interval "$bad"
	done
	equal "interval" 5 "$(knob A keepalive_interval)"
	for bad in 0 256 -3 x; do
		fails knob A keepalive_retries "$bad"
	done
	equal "retries" 3 "$(knob A keepalive_retries)"
	for bad in 2 yes ""; do
		fails knob A keepalive_answer "$bad"
		fails knob A keepalive_damping "$bad"
		fails knob A keepalive_authenticate "$bad"
	done
	for bad in 1234 0123456789abcdef0123456789abcdeg; do
		fails knob A keepalive_secret $bad
	done
	equal "secret" random "$(knob A keepalive_secret)"
	for bad in 224.0.0.1 1.2.3 1.2.3.4.5 ::1; do
		fails knob A keepalive_address $bad
	done
	equal "address" 0.0.0.0 "$(knob A keepalive_address)"
	fails knob A keepalive_quirk "inner sideways"
	equal "quirk" none "$(knob A keepalive_quirk)"
	knob A keepalive_quirk "nat inner"
	equal "quirk" "inner nat" "$(knob A keepalive_quirk)"
}

needs_a_peer() {
	on A ip tunnel add gre2 mode gre local 10.0.0.1
	dev=gre2 fails knob A keepalive_interval 10
	on A ip link del gre2
}

needs_the_capability() {
	fails on A setpriv --bounding-set -net_admin --inh-caps -net_admin -- \
		sh -c 'echo 9 >/sys/class/net/gre1/tunnel/keepalive_interval' ||
		return 1
	equal "interval" 5 "$(knob A keepalive_interval)"
}

# --- replies that are none --------------------------------------------------------

# B does not answer; somebody who is in B's place sends what he can make up.
forged_replies() {
	ends
	on B ip link set gre1 down
	knob A keepalive_secret 000102030405060708090a0b0c0d0e0f
	equal "authenticate" 1 "$(knob A keepalive_authenticate)"
	equal "secret" set "$(knob A keepalive_secret)"
	py 'sniff("B", "eth0")'
	knob A keepalive_interval 1
	py 'ours = seen("B", "eth0", lambda p: names(p).startswith("ip gre ip gre"))[-1].raw'
	equal "length of the payload" 28 "$(py 'str(len(ours))')"
	# nothing in it, a wrong hash, ...
	py 'deliver("B", "eth0", "A", "eth0", ip("10.0.0.2", "10.0.0.1", gre(b"", proto=0)))'
	py 'deliver("B", "eth0", "A", "eth0", ip("10.0.0.2", "10.0.0.1",
		gre(ours[:-1] + bytes([ours[-1] ^ 1]), proto=0)))'
	equal "received" 0 "$(status A received)"
	equal "rx_keepalive_auth" 2 "$(drops A gre1 rx_keepalive_auth)"
	# ... the real one, and the real one once more
	py 'deliver("B", "eth0", "A", "eth0", ip("10.0.0.2", "10.0.0.1", gre(ours, proto=0)))'
	equal "received" 1 "$(status A received)"
	py 'deliver("B", "eth0", "A", "eth0", ip("10.0.0.2", "10.0.0.1", gre(ours, proto=0)))'
	equal "received" 1 "$(status A received)"
	equal "rx_keepalive_stale" 1 "$(drops A gre1 rx_keepalive_stale)"
}

# A reply that was on its way for more than 10 seconds.
old_replies() {
	sleep 1
	py 'sniff("B", "eth0")'
	py 'ours = seen("B", "eth0", lambda p: names(p).startswith("ip gre ip gre"))[-1].raw'
	sleep 10.5
	py 'deliver("B", "eth0", "A", "eth0", ip("10.0.0.2", "10.0.0.1", gre(ours, proto=0)))'
	equal "received" 1 "$(status A received)"
	equal "rx_keepalive_stale" 2 "$(drops A gre1 rx_keepalive_stale)"
}

# A peer that was dead has to answer more often before it is trusted.
damping() {
	ends
	on B ip link set gre1 up
	knob A keepalive_damping 1
	knob A keepalive_retries 2
	knob A keepalive_interval 1
	wait_until 10 state_is A up
	on B ip link set gre1 down
	wait_until 20 state_is A down
	on B ip link set gre1 up
	wait_until 20 state_is A hold
	no_carrier A
	wait_until 20 state_is A up
	has_carrier A
}

remote_is() { [[ $(on A ip -d link show gre1) == *"remote $1 "* ]]; }

# B changes its address; A goes where the requests with the secret come from.
remote_follows() {
	local secret=000102030405060708090a0b0c0d0e0f
	ends
	fails knob A keepalive_follow 1
	knob A keepalive_secret $secret
	knob B keepalive_secret $secret
	knob A keepalive_follow 1
	py 'sniff("A", "eth0")'
	knob B keepalive_interval 1
	wait_until 10 state_is B up
	on B ip addr add 10.0.0.22/24 dev eth0
	on B ip link set gre1 type gre local 10.0.0.22
	wait_until 20 remote_is 10.0.0.22
	wait_until 20 state_is B up
	ping_ok B 192.168.1.1
	equal "keepalive_followed" 1 "$(drops A gre1 keepalive_followed)"
}

# Neither a request without the secret nor one that was seen before.
remote_does_not_follow_others() {
	sleep 1.1
	py 'deliver("B", "eth0", "A", "eth0",
		ask(src="10.0.0.66", dst="10.0.0.1", inner_dst="10.0.0.66"))'
	py 'old = seen("A", "eth0", lambda p: names(p) == "ip gre ip gre")[-1].raw'
	equal "length of the payload" 28 "$(py 'str(len(old))')"
	py 'deliver("B", "eth0", "A", "eth0",
		ask(src="10.0.0.66", dst="10.0.0.1", inner_dst="10.0.0.66", data=old))'
	sleep 0.5
	remote_is 10.0.0.22
	on B ip addr del 10.0.0.22/24 dev eth0
}

# --- many -------------------------------------------------------------------------

# 200 tunnels, 4 s: no tenth of a second has more than a fifth of them.
spread_over_time() {
	local n batch=$work/batch
	for n in $(seq 200); do
		echo "link add many$n type gre local 10.0.0.1 remote 10.0.1.$n"
		echo "link set many$n up"
	done >"$batch"
	on A ip route add 10.0.1.0/24 via 10.0.0.2
	on A ip -batch "$batch"
	capture A eth0 "$work/many.pcap" 'ip proto 47 and dst net 10.0.1.0/24'
	for n in $(seq 200); do
		dev=many$n trace=no knob A keepalive_interval 4
	done
	sleep 9
	captured
	tcpdump -n -tt -r "$work/many.pcap" 2>/dev/null | awk '
		{ split($1, t, "."); n = t[1] % 100000 "." substr(t[2], 1, 1) }
		{ if (!(n in slot)) slots++; slot[n]++; all++ }
		END {
			for (n in slot) if (slot[n] > most) most = slot[n]
			print all " packets in " slots " tenths of a second, at most " most
			exit !(all >= 300 && most <= 40)
		}'
	for n in $(seq 200); do echo "link del many$n"; done >"$batch"
	on A ip -batch "$batch"
}

unload_while_sending() {
	knob A keepalive_interval 1
	run rmmod culvert
	run modprobe culvert
	ends
	knob A keepalive_interval 1
	wait_until 10 state_is A up
}

ends
check "a keepalive is answered" answers
check "the answer is the inner packet, one hop further" answer_is_what_was_asked_for
check "with key, checksum, sequence number" answers_with_options
check "what is not quite a keepalive is not answered" refuses
check "nor is what a stranger asks" refuses_strangers
check "answering can be switched off" can_be_switched_off
check "answers are limited and counted" answers_are_limited
check "answers need no forwarding and no relaxed rp_filter" answers_under_strict_rules
check "a request has the agreed form" request_is_on_the_wire
check "state, counters, round-trip time and loss can be read" tells_how_it_goes
check "a dead peer takes the carrier away, its reply brings it back" peer_dies_and_comes_back
check "a few losses do not" one_loss_is_none
check "both ends send, with all options" both_ways
check "settings survive a change of the tunnel" survives_changes
check "settings survive down and up" survives_down_and_up
check "settings survive a move to another namespace" survives_a_move
check "bad values are refused and change nothing" refuses_bad_values
check "a tunnel without a remote can't ask" needs_a_peer
check "setting takes CAP_NET_ADMIN" needs_the_capability
check "made-up and repeated replies don't count" forged_replies
check "nor do replies older than 10 seconds" old_replies
check "a damped peer has to prove itself" damping
check "the remote follows a peer with the secret" remote_follows
check "and nobody else" remote_does_not_follow_others
check "many tunnels send at different times" spread_over_time
check "the module can be unloaded while tunnels send" unload_while_sending

finish
