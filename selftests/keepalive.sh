#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# GRE keepalive: answering the peer's, sending our own, and what the carrier of
# the device makes of it.
# The drawing is in keepalive_ends.sh.

. "$(dirname "$0")/lib.sh"
# shellcheck source=keepalive_ends.sh
. "$(dirname "$0")/keepalive_ends.sh"

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
	before=$(value B answered)
	answered 'ask()'
	equal "answered" $((before + 1)) "$(value B answered)"
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
	knob B gre1 keepalive_options -answer
	py 'sniff("A", "eth0")'
	py 'deliver("A", "eth0", "B", "eth0", ask())'
	py 'unseen("A", "eth0", lambda p: back(p))'
	knob B gre1 keepalive_options answer
	answered 'ask()'
}

# 10 in each second, however long that takes: one began before, one is not over.
# Nor may the last of them be used up for the case that follows.
answers_are_limited() {
	sleep 1.1
	local before refused seconds
	before=$(value B answered)
	refused=$(drops B gre1 rx_keepalive_rate)
	seconds=$(py 'ask_often(2000)')
	wait_until 30 all_asked $((before + refused + 2000))
	say "answered $(($(value B answered) - before)) of 2000 in less than $seconds s"
	at_least answered $((before + 10)) "$(value B answered)"
	at_most answered $((before + 10 * (seconds + 1))) "$(value B answered)"
	equal "not answered" $((2000 - $(value B answered) + before)) \
		$(($(drops B gre1 rx_keepalive_rate) - refused))
	sleep 1.1
}

# Neither forwarding nor a relaxed rp_filter is needed.
answers_under_strict_rules() {
	on B sysctl -qw net.ipv4.ip_forward=0 net.ipv4.conf.all.rp_filter=1 \
		net.ipv4.conf.gre1.rp_filter=1
	answered 'ask()'
	on B sysctl -qw net.ipv4.conf.all.rp_filter=0
}

request_is_on_the_wire() {
	ends key 9 ttl 77
	py 'sniff("B", "eth0")'
	knob A gre1 keepalive_interval 1
	py 'seen("B", "eth0", lambda p: names(p).startswith("ip gre ip gre")
		and (p[0].src, p[0].dst, p[0].ttl) == ("10.0.0.1", "10.0.0.2", 77)
		and (p[1].flags, p[1].key, p[1].proto) == (0x2000, 9, 0x0800)
		and (p[2].src, p[2].dst, p[2].ttl) == ("10.0.0.2", "10.0.0.1", 255)
		and p[2].proto == 47 and p[2].sum_ok
		and (p[3].flags, p[3].key, p[3].proto) == (0x2000, 9, 0))'
	wait_until 30 keepalive_is up A
	has_carrier A
	knob A gre1 keepalive_interval 0
	equal "state" off "$(value A state)"
}

tells_how_it_goes() {
	ends
	knob A gre1 keepalive_interval 1
	wait_until 30 reaches A received 3
	at_least "B answered" 3 "$(value B answered)"
	equal "loss" 0 "$(value A loss_percent)"
	at_least "rtt" 1 "$(value A rtt_us)"
	at_least "last reply" 0 "$(value A last_reply_ms)"
	at_least "ethtool -S" 3 "$(drops A gre1 keepalive_received)"
}

peer_dies_and_comes_back() {
	knob A gre1 keepalive_retries 2
	ip -n "$NS_PREFIX-A" monitor link >"$work/monitor" 2>&1 &
	local monitor=$!
	on A sysctl -qw net.ipv4.conf.gre1.ignore_routes_with_linkdown=1
	on A ip route add 10.9.0.0/16 dev gre1
	on B ip link set eth0 down
	wait_until 30 no_carrier A
	equal "state" down "$(value A state)"
	contains linkdown "$(on A ip route show 10.9.0.0/16)"
	fails on A ip route get 10.9.0.1
	sent=$(value A sent)
	wait_until 30 reaches A sent $((sent + 2))
	on B ip link set eth0 up
	wait_until 30 has_carrier A
	wait_until 30 keepalive_is up A
	on A ip route get 10.9.0.1
	kill $monitor
	contains NO-CARRIER "$(cat "$work/monitor")"
	ping_ok A 192.168.1.2
}

# Losing fewer than "retries" in a row is not being dead.
one_loss_is_none() {
	knob A gre1 keepalive_retries 255
	on B ip link set gre1 down
	wait_until 30 reaches A unanswered 3
	has_carrier A
	at_least "loss" 1 "$(value A loss_percent)"
	on B ip link set gre1 up
	wait_until 30 eval '[ "$(value A unanswered)" -lt 2 ]'
	knob A gre1 keepalive_retries 2
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

finish
