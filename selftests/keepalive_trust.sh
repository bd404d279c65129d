#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# GRE keepalive: replies that are none, peers that come and go, and a remote that
# follows its peer.
# The drawing is in keepalive_ends.sh.

. "$(dirname "$0")/lib.sh"
# shellcheck source=keepalive_ends.sh
. "$(dirname "$0")/keepalive_ends.sh"

# B does not answer; somebody who is in B's place sends what he can make up.
forged_replies() {
	ends
	on B ip link set gre1 down
	knob A gre1 keepalive_secret 000102030405060708090a0b0c0d0e0f
	equal "options" "answer authenticate" "$(knob A gre1 keepalive_options)"
	equal "secret" set "$(knob A gre1 keepalive_secret)"
	py 'sniff("B", "eth0")'
	knob A gre1 keepalive_interval 1
	py 'ours = seen("B", "eth0", lambda p: names(p).startswith("ip gre ip gre"))[-1].raw'
	equal "length of the payload" 28 "$(py 'str(len(ours))')"
	# nothing in it, a wrong hash, ...
	py 'deliver("B", "eth0", "A", "eth0", ip("10.0.0.2", "10.0.0.1", gre(b"", proto=0)))'
	py 'deliver("B", "eth0", "A", "eth0", ip("10.0.0.2", "10.0.0.1",
		gre(ours[:-1] + bytes([ours[-1] ^ 1]), proto=0)))'
	equal "received" 0 "$(value A received)"
	equal "rx_keepalive_auth" 2 "$(drops A gre1 rx_keepalive_auth)"
	# ... the real one, and the real one once more
	py 'deliver("B", "eth0", "A", "eth0", ip("10.0.0.2", "10.0.0.1", gre(ours, proto=0)))'
	equal "received" 1 "$(value A received)"
	py 'deliver("B", "eth0", "A", "eth0", ip("10.0.0.2", "10.0.0.1", gre(ours, proto=0)))'
	equal "received" 1 "$(value A received)"
	equal "rx_keepalive_stale" 1 "$(drops A gre1 rx_keepalive_stale)"
}

# A reply that was on its way for more than 10 seconds.
old_replies() {
	sleep 1
	py 'sniff("B", "eth0")'
	py 'ours = seen("B", "eth0", lambda p: names(p).startswith("ip gre ip gre"))[-1].raw'
	sleep 10.5
	py 'deliver("B", "eth0", "A", "eth0", ip("10.0.0.2", "10.0.0.1", gre(ours, proto=0)))'
	equal "received" 1 "$(value A received)"
	equal "rx_keepalive_stale" 2 "$(drops A gre1 rx_keepalive_stale)"
}

# comes_back: B dies and comes back; how many answers that took A to believe it.
comes_back() {
	local before
	on B ip link set gre1 down
	wait_until 30 keepalive_is down A
	before=$(value A received)
	on B ip link set gre1 up
	wait_until 60 keepalive_is hold A
	no_carrier A
	wait_until 60 keepalive_is up A
	has_carrier A
	answers=$(($(value A received) - before))
}

# A peer that was dead has to answer more often before it is trusted: one answer
# and "retries" more, then twice as many (less those that it gave while up).
damping() {
	local answers
	ends
	knob A gre1 keepalive_options damping
	knob A gre1 keepalive_retries 4
	knob A gre1 keepalive_interval 1
	wait_until 30 keepalive_is up A
	comes_back
	at_least "answers the first time" 5 "$answers"
	comes_back
	at_least "answers the second time" 6 "$answers"
}

# One that stops again while it is on hold begins anew.
damped_and_lost() {
	on B ip link set gre1 down
	wait_until 30 keepalive_is down A
	on B ip link set gre1 up
	wait_until 60 keepalive_is hold A
	on B ip link set gre1 down
	wait_until 30 keepalive_is down A
	no_carrier A
	on B ip link set gre1 up
	wait_until 90 keepalive_is up A
}

remote_is() { [[ $(on A ip -d link show gre1) == *"remote $1 "* ]]; }

# B changes its address; A goes where the requests with the secret come from.
remote_follows() {
	local secret=000102030405060708090a0b0c0d0e0f
	ends
	fails knob A gre1 keepalive_options follow
	knob A gre1 keepalive_secret $secret
	knob B gre1 keepalive_secret $secret
	knob A gre1 keepalive_options follow
	py 'sniff("A", "eth0")'
	knob B gre1 keepalive_interval 1
	wait_until 30 keepalive_is up B
	on B ip addr add 10.0.0.22/24 dev eth0
	on B ip link set gre1 type gre local 10.0.0.22
	wait_until 30 remote_is 10.0.0.22
	wait_until 30 keepalive_is up B
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
}

# from_elsewhere [OPTION...]: what B just asked is sent again by somebody else, who
# can't have B's secret.
from_elsewhere() {
	py 'sniff("A", "eth0")'
	py 'old = seen("A", "eth0", lambda p: names(p) == "ip gre ip gre")[-1].raw'
	py "deliver('B', 'eth0', 'A', 'eth0',
		ask(src='10.0.0.66', dst='10.0.0.1', inner_dst='10.0.0.66', data=old$1))"
	sleep 0.5
}

# A request that A does not answer has been seen all the same.
remote_does_not_follow_the_unanswered() {
	knob A gre1 keepalive_options -answer
	sleep 1.1
	from_elsewhere ""
	remote_is 10.0.0.22
	knob A gre1 keepalive_options answer
}

# A's tunnel to another peer has the same secret, but another key.
remote_does_not_follow_anothers_peer() {
	on A ip tunnel add gre2 mode gre local 10.0.0.1 remote 10.0.0.77 key 9
	on A ip link set gre2 up
	knob A gre2 keepalive_secret 000102030405060708090a0b0c0d0e0f
	knob A gre2 keepalive_options follow
	from_elsewhere ", key=9, ikey=9"
	contains "remote 10.0.0.77 " "$(on A ip -d link show gre2)"
	on A ip link del gre2
	on B ip addr del 10.0.0.22/24 dev eth0
}

# A hub that learns answers many peers: one that asks more than its share must not
# take the answers from the others.
one_peer_floods_a_hub() {
	quietly on B ip link del gre1
	on B ip tunnel add gre1 mode gre local 10.0.0.2
	on B ip addr add 192.168.1.2/24 dev gre1
	on B ip link set gre1 up
	knob B gre1 learning 1
	py 'ask_often(200)'
	wait_until 20 all_asked 200
	at_least "refused" 100 "$(drops B gre1 rx_keepalive_rate)"
	answered=$(value B answered)
	py 'for n in range(20, 60): deliver("A", "eth0", "B", "eth0", ask(src="10.0.0.%d" % n))'
	at_least "others that were answered" 35 $(($(value B answered) - answered))
}

ends
check "made-up and repeated replies don't count" forged_replies
check "nor do replies older than 10 seconds" old_replies
check "a damped peer has to prove itself, and more so each time" damping
check "it has no carrier when it is lost on the way" damped_and_lost
check "the remote follows a peer with the secret" remote_follows
check "and nobody else" remote_does_not_follow_others
check "nor a request that was seen but not answered" remote_does_not_follow_the_unanswered
check "nor one that was another tunnel's" remote_does_not_follow_anothers_peer
check "one peer that floods a hub does not silence it for others" one_peer_floods_a_hub

finish
