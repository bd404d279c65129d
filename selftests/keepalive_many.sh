#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# 10,000 tunnels that ask every 10 seconds.
#
#          A                                      B
#   +--------------+                       +--------------+
#   | many1..10000 | = = 10,000 keys = = = |  (silent)    |
#   |  eth0 -------+-----------------------+- eth0        |
#   +--------------+                       +--------------+
#      10.0.0.1/24                            10.0.0.2/24
#
# When they will ask is read from the kernel's list of timers, so that a machine
# that stands still for a while changes nothing about it.

. "$(dirname "$0")/lib.sh"
culvert || skip "only culvert has keepalive"
load_tunnels gre
[ -r /proc/timer_list ] || skip "this kernel has no /proc/timer_list"
need iptables

MANY=10000
INTERVAL=10

namespaces A B
wire A eth0 10.0.0.1/24 B eth0 10.0.0.2/24
on B iptables -t raw -A PREROUTING -p gre -j DROP

# for_all COMMAND: a shell command for each device, whose directory is "$dir".
for_all() {
	show A "for each: $1"
	ip netns exec "$NS_PREFIX-A" sh -c "for dir in /sys/class/net/many*/tunnel; do $1; done"
}

all_statuses() {
	ip netns exec "$NS_PREFIX-A" sh -c 'cat /sys/class/net/many*/tunnel/keepalive_status'
}

# sent, states: how many requests each tunnel has sent, and what it makes of that.
sent() { all_statuses | awk '$1 == "sent" { print $2 }'; }
states() { all_statuses | awk '$1 == "state" { print $2 }'; }

# timers: when the next request of each goes out, a line "TIMER NS" for each. One
# that goes off while the list is read is there twice, or not at all.
timers() {
	awk '/keepalive_tick/ { timer = $2; getline; sub("-.*", "", $4); print timer, $4 }' \
		/proc/timer_list
}

none_yet() { equal "timers" 0 "$(timers | wc -l)"; }

make_them() {
	local n batch=$work/batch
	for ((n = 1; n <= MANY; n++)); do
		echo "link add many$n type gre local 10.0.0.1 remote 10.0.0.2 key $n"
		echo "link set many$n up"
	done >"$batch"
	on A ip -batch "$batch"
	none_yet
}

switch_on() {
	for_all 'echo 255 >"$dir/keepalive_retries"'
	none_yet
	for_all "echo $INTERVAL >\"\$dir/keepalive_interval\""
	equal "tunnels that ask" $MANY "$(states | grep -cx init)"
}

# In 100 slices of the interval: with chance alone, 100 of them in each, and more
# than 200 or fewer than 40 in one once in a billion years.
spread() {
	{ timers; timers; } | sort -u -k1,1 | awk -v interval=$INTERVAL -v many=$MANY '
		{ n[int($2 % (interval * 1e9) / (interval * 1e7))]++; all++ }
		END {
			least = all
			for (i = 0; i < 100; i++) {
				if (n[i] + 0 < least) least = n[i] + 0
				if (n[i] > most) most = n[i]
			}
			print all " timers, in a hundredth of the interval " least " to " most
			exit !(all >= 0.99 * many && least >= 40 && most <= 200)
		}' >"$work/spread" || { cat "$work/spread"; return 1; }
	say "$(cat "$work/spread")"
}

# all_sent N: each has sent so many.
all_sent() { [ "$(sent | awk -v n="$1" '$1 >= n' | wc -l)" = $MANY ]; }

all_send() {
	trace=no wait_until 120 all_sent 1
	trace=no wait_until 120 all_sent 3
}

switch_off() {
	for_all 'echo 0 >"$dir/keepalive_interval"'
	none_yet
}

check "tunnels that do not ask have no timer" make_them
check "they are told to ask" switch_on
check "they go off at different times" spread
check "all of them ask, again and again" all_send
check "and still at different times" spread
check "none is left when they are switched off" switch_off

finish
