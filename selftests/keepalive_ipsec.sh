#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# GRE keepalive where the outer packets go in transport-mode ESP.
# The drawing is in keepalive_ends.sh; everything between the ends is ESP.

. "$(dirname "$0")/lib.sh"
# shellcheck source=keepalive_ends.sh
. "$(dirname "$0")/keepalive_ends.sh"
kernel_has esp4 || skip "this kernel has no esp4"
kernel_has xfrm_user || skip "this kernel has no xfrm_user"

key=0x0102030405060708090a0b0c0d0e0f10

# state NS SPI FROM TO
state() {
	on "$1" ip xfrm state add src "10.0.0.$3" dst "10.0.0.$4" proto esp spi "$2" \
		mode transport enc "cbc(aes)" $key auth "hmac(sha256)" $key
}

states() {
	state "$1" 0x101 1 2
	state "$1" 0x102 2 1
}

# policies NS OWN PEER: GRE between the two only inside ESP.
policies() {
	on "$1" ip xfrm policy add src "10.0.0.$2" dst "10.0.0.$3" proto gre dir out \
		tmpl proto esp mode transport
	on "$1" ip xfrm policy add src "10.0.0.$3" dst "10.0.0.$2" proto gre dir in \
		tmpl proto esp mode transport
}

# refused NS: how much came without the protection that NS wants.
refused() {
	ip netns exec "$NS_PREFIX-$1" awk '$1 == "XfrmInTmplMismatch" { print $2 }' /proc/net/xfrm_stat
}

# Without policies, what the next cases find refused would be taken.
in_the_clear() {
	on B ip link set gre1 down
	knob A gre1 keepalive_interval 1
	wait_until 30 reaches A sent 1
	py 'deliver("B", "eth0", "A", "eth0", ip("10.0.0.2", "10.0.0.1", gre(b"", proto=0)))'
	equal "received" 1 "$(value A received)"
	on B ip link set gre1 up
	knob A gre1 keepalive_interval 0
	py 'sniff("A", "eth0")'
	py 'deliver("A", "eth0", "B", "eth0", ask())'
	py 'seen("A", "eth0", back)'
}

inside_esp() {
	for ns in A B; do states $ns; done
	policies A 1 2
	policies B 2 1
	py 'sniff("A", "eth0")'
	py 'sniff("B", "eth0")'
	for ns in A B; do knob $ns gre1 keepalive_interval 1; done
	for ns in A B; do wait_until 30 reaches $ns received 2; done
	at_least "B answered" 2 "$(value B answered)"
	equal "loss" 0 "$(value A loss_percent)"
	ping_ok A 192.168.1.2
	py 'seen("A", "eth0", lambda p: p[0].proto == 50 and p[0].src == "10.0.0.1")'
	py 'seen("A", "eth0", lambda p: p[0].proto == 50 and p[0].src == "10.0.0.2")'
	py 'unseen("B", "eth0", lambda p: p[0].proto == 47, 0.2)'
}

# Neither a question nor an answer counts that did not come in ESP.
clear_is_refused() {
	local before
	knob B gre1 keepalive_interval 0
	before=$(refused B)
	py 'sniff("A", "eth0")'
	py 'deliver("A", "eth0", "B", "eth0", ask(data=b"to be seen"))'
	equal "refused by B" $((before + 1)) "$(refused B)"
	py 'unseen("A", "eth0", lambda p: p[0].proto == 47 and not p[0].outgoing)'
	on B ip link set gre1 down
	wait_until 30 reaches A unanswered 2
	before=$(refused A)
	py 'deliver("B", "eth0", "A", "eth0", ip("10.0.0.2", "10.0.0.1", gre(b"", proto=0)))'
	equal "refused by A" $((before + 1)) "$(refused A)"
	at_least "unanswered" 2 "$(value A unanswered)"
	on B ip link set gre1 up
	wait_until 30 keepalive_is up A
}

# B has forgotten its states, as after a restart: A's packets tell it nothing.
states_are_lost() {
	knob A gre1 keepalive_retries 2
	on B ip xfrm state flush
	wait_until 30 no_carrier A
	states B
	wait_until 30 has_carrier A
	wait_until 30 keepalive_is up A
	ping_ok A 192.168.1.2
}

ends
check "without ESP: questions and answers in the clear are taken" in_the_clear
check "both ends ask and are answered inside ESP" inside_esp
check "with policies for ESP nothing in the clear counts" clear_is_refused
check "a peer that lost its states is lost, and found again" states_are_lost

finish
