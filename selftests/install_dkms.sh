#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Culvert was installed on this system by `make dkms-install`. From then on
# whoever asks for an in-tree module gets culvert, in every way there is to ask:
#
#      modprobe ipip  -----------------.
#      ip link add type gre  -> kernel  \      /etc/modprobe.d/culvert.conf
#      ip tunnel add mode ipip -> kernel  >--->  culvert_as_ipip ---> culvert
#      ip link set tunl0 up  -> kernel  /                    |
#                                                            `---> ipip, where
#                                     culvert is not built or ipip is there already
#
# After `make dkms-uninstall` the in-tree modules are back and nothing is left.

. "$(dirname "$0")/lib.sh"
culvert || skip "about installing culvert, which is not under test"
[ -n "$CULVERT_VM" ] || skip "uninstalls culvert from the system: only in selftests/vm"
need dkms modprobe make

release=$(uname -r)
modules=/lib/modules/$release
[ -e "$modules/build/Makefile" ] || skip "no headers of this kernel, for which DKMS could build"
conf=/etc/modprobe.d/culvert.conf
project=$(cd "$(dirname "$0")/.." && pwd)
saved=$(mktemp)

# ip_tunnel may stay: others use it too (fou, mpls_router), and it holds nothing.
nothing_loaded() {
	local module
	for module in culvert ipip ip_gre ip_vti gre tunnel4; do
		[ ! -d "/sys/module/$module" ] || rmmod "$module"
	done
}

# gets MODULE COMMAND...: from a system with no tunnels, the command loads MODULE
# and none of those that could be there in its place.
gets() {
	local module=$1 other
	shift
	nothing_loaded
	run "$@"
	[ -d "/sys/module/$module" ] || { lsmod; return 1; }
	for other in culvert ipip ip_gre ip_vti; do
		[ "$other" = "$module" ] || [ ! -d "/sys/module/$other" ] ||
			{ echo "$other is loaded"; return 1; }
	done
}

# The same, and a tunnel comes of it.
tunnel_gets() {
	gets "$@"
	run ip link show tun1
	run ip link del tun1
}

installed() {
	contains "installed" "$(dkms status culvert -k "$release")"
	contains "$modules/updates/dkms/culvert.ko" "$(modinfo -n culvert)"
}

unloads() {
	nothing_loaded
	run modprobe ipip
	run modprobe -r ipip
	[ ! -d /sys/module/culvert ]
}

# The in-tree module was loaded before: asking for it again is no error.
already_there() {
	nothing_loaded
	run modprobe -C /dev/null ipip
	run modprobe ipip
	[ -d /sys/module/ipip ]
	[ ! -d /sys/module/culvert ]
	run modprobe -r ipip
	[ ! -d /sys/module/ipip ]
}

hide() {
	nothing_loaded
	mv "$modules/updates" /var/tmp/updates
	depmod -a
}

unhide() {
	mv /var/tmp/updates "$modules/updates"
	depmod -a
}

uninstalled() {
	nothing_loaded
	run make -s -C "$project" dkms-uninstall
	[ -z "$(dkms status culvert)" ] || { dkms status; return 1; }
	[ ! -e "$conf" ]
	equal "what is left of it" "" \
		"$(find "$modules" /usr/src /var/lib/dkms -name 'culvert*')"
	fails modinfo culvert
}

put_back() {
	[ ! -s "$saved" ] || tar -xPf "$saved"
	nothing_loaded
	rm -f "$saved"
}
tear_down() { put_back; }

tar -cPf "$saved" "$conf" "$modules"/{updates,modules.*} /usr/src/culvert-* /var/lib/dkms

check "DKMS has it installed for this kernel" installed
check "modprobe ipip" gets culvert modprobe ipip
check "modprobe ip_gre" gets culvert modprobe ip_gre
check "modprobe ip_vti" gets culvert modprobe ip_vti
check "ip link add type ipip" tunnel_gets culvert ip link add tun1 type ipip remote 10.0.0.1 local 10.0.0.2
check "ip link add type gre" tunnel_gets culvert ip link add tun1 type gre remote 10.0.0.1 local 10.0.0.2
check "ip link add type gretap" tunnel_gets culvert ip link add tun1 type gretap remote 10.0.0.1 local 10.0.0.2
check "ip link add type erspan" tunnel_gets culvert ip link add tun1 type erspan seq key 1 remote 10.0.0.1 local 10.0.0.2 erspan_ver 1
check "ip link add type vti" tunnel_gets culvert ip link add tun1 type vti remote 10.0.0.1 local 10.0.0.2
check "ip tunnel add mode ipip" tunnel_gets culvert ip tunnel add tun1 mode ipip remote 10.0.0.1 local 10.0.0.2
check "ip tunnel add mode gre" tunnel_gets culvert ip tunnel add tun1 mode gre remote 10.0.0.1 local 10.0.0.2
check "ip tunnel add mode vti" tunnel_gets culvert ip tunnel add tun1 mode vti remote 10.0.0.1 local 10.0.0.2
check "ip link set tunl0 up" gets culvert ip link set tunl0 up
check "ip link set gre0 up" gets culvert ip link set gre0 up
check "ip link set ip_vti0 up" gets culvert ip link set ip_vti0 up
check "modprobe -r ipip unloads it" unloads
check "the in-tree module, when it is there first, stays" already_there

hide
check "not built for this kernel: modprobe ipip gets the in-tree one" gets ipip modprobe ipip
check "not built for this kernel: ip link add type gre too" tunnel_gets ip_gre ip link add tun1 type gre remote 10.0.0.1 local 10.0.0.2
check "not built for this kernel: ip link add type vti too" tunnel_gets ip_vti ip link add tun1 type vti remote 10.0.0.1 local 10.0.0.2
nothing_loaded
unhide

check "make dkms-uninstall leaves nothing" uninstalled
check "then modprobe ipip is in-tree" gets ipip modprobe ipip
check "then modprobe ip_gre is in-tree" gets ip_gre modprobe ip_gre
check "then ip link add type gre is in-tree" tunnel_gets ip_gre ip link add tun1 type gre remote 10.0.0.1 local 10.0.0.2
check "then ip tunnel add mode ipip is in-tree" tunnel_gets ipip ip tunnel add tun1 mode ipip remote 10.0.0.1 local 10.0.0.2

finish
