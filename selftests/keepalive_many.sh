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
# All of them go up at the same moment. A request says when it was sent. Where the machine stood still for a moment many
# are late at the same time, so each tunnel is watched for more than one interval:
# when it is to ask is when it asked least late.

. "$(dirname "$0")/lib.sh"
culvert || skip "only culvert has keepalive"
load_tunnels gre
[ -r /proc/timer_list ] || skip "this kernel has no /proc/timer_list"
need iptables

MANY=${MANY:-10000}	# a slow kernel is given fewer
INTERVAL=10
GROUP=7

namespaces A B
wire A eth0 10.0.0.1/24 B eth0 10.0.0.2/24
on B iptables -t raw -A PREROUTING -p gre -j DROP
start_wire

# none_yet: no tunnel has a timer.
none_yet() { equal "timers" 0 "$(grep -c keepalive_tick /proc/timer_list)"; }

make_them() {
	local n batch=$work/batch
	for ((n = 1; n <= MANY; n++)); do
		echo "link add many$n group $GROUP type gre local 10.0.0.1 remote 10.0.0.2 key $n"
	done >"$batch"
	on A ip -batch "$batch"
	none_yet
}

are_told() {
	show A "for each: keepalive_retries, keepalive_interval"
	ip netns exec "$NS_PREFIX-A" sh -c '
		for dir in /sys/class/net/many*/tunnel; do
			echo 255 >"$dir/keepalive_retries"
			echo "$0" >"$dir/keepalive_interval"
		done' $INTERVAL
	none_yet
}

py '
KEY, TIME = 14 + 20 + 4, 14 + 20 + 8 + 20 + 8 + 12
sent = {}

def all_ask(many, times, seconds):
    """Listen until each has asked so often"""
    sock, waiting = sniffers["A", "eth0"].sock, many
    end = time.monotonic() + seconds
    sock.settimeout(1)
    while waiting and time.monotonic() < end:
        try:
            frame = sock.recv(200)
        except socket.timeout:
            continue
        if len(frame) < TIME + 8:
            continue
        mine = sent.setdefault(frame[KEY:KEY + 4], [])
        mine.append(int.from_bytes(frame[TIME:TIME + 8], "big"))
        waiting -= len(mine) == times
    print("seen %d tunnels ask, %d of them %d times" % (len(sent), many - waiting, times))
    return waiting == 0

def phase(times, interval):
    """The earliest, in an interval that has no beginning"""
    first, half = times[0], interval // 2
    return (first + min((t - first + half) % interval - half for t in times)) % interval

def slices(seconds):
    """How many ask in the least and most busy hundredth of the interval"""
    interval, counts = seconds * 10 ** 9, [0] * 100
    for times in sent.values():
        counts[phase(times, interval) * 100 // interval] += 1
    return min(counts), max(counts)
'

all_ask() {
	py 'sniff("A", "eth0")'
	on A ip link set group $GROUP up
	py "all_ask($MANY, 2, 120)"
}

# With chance alone, 100 of them in each hundredth of the interval, and more than
# 200 or fewer than 40 in one once in a billion years.
spread() {
	[ "$MANY" -ge 10000 ] || skip "$MANY are too few to say"
	say "in a hundredth of the interval: $(py "slices($INTERVAL)")"
	py "slices($INTERVAL)[0] >= 40 and slices($INTERVAL)[1] <= 200"
}

switch_off() {
	on A ip link set group $GROUP down
	none_yet
}

check "tunnels that do not ask have no timer" make_them
check "nor do those that are to ask, while they are down" are_told
check "all of them ask, again and again" all_ask
check "they do so at different times" spread
check "none asks when they are down again" switch_off

finish
