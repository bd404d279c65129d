# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# What the scripts in this directory share. Sourced, never run.
#
# Everything that is made once and kept lives in one cache directory:
#
#   $CULVERT_CACHE/
#     slots/N                  one lock a running VM; as many as there are CPUs
#     KERNEL.lock              held while the root of that kernel is made
#     KERNEL-HASH/             one Debian release
#         root/                its file system
#         root.img             the same as an ext4 image, what VMs boot from
#         vmlinux              its kernel, unpacked
#         initrd               busybox, the drivers of the root disk, guest-init
#         release              what `uname -r` says there
#     scripts-VERSION/         the checkers of a kernel source package
#     build-KERNEL/            what installing culvert by DKMS added to that root
#     qemu-N/                  a newer QEMU than the machine's own, see qemu

VM_DIR=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck disable=SC2034 # for those who source this
PROJECT=$(cd "$VM_DIR/../.." && pwd)
CACHE=${CULVERT_CACHE:-/var/cache/culvert}

# The Debian release that each kernel comes from.
suite_of() {
	case $1 in
	11) echo bullseye ;;
	12) echo bookworm ;;
	13) echo trixie ;;
	testing) echo testing ;;
	headers-7.3) echo experimental ;;
	headers-i386) echo bookworm ;;
	*) die "no kernel is called '$1'; there are: 11 12 13 testing headers-7.3 headers-i386" ;;
	esac
}

die() {
	echo "${0##*/}: $*" >&2
	exit 1
}

say() {
	echo "# $*" >&2
}

# need_commands COMMAND:PACKAGE ... - install the packages whose command is missing.
need_commands() {
	local pair missing=()

	for pair; do
		command -v "${pair%%:*}" >/dev/null || missing+=("${pair#*:}")
	done
	[ ${#missing[@]} -eq 0 ] && return
	[ "$(id -u)" = 0 ] || die "run this as root, or install: ${missing[*]}"
	command -v apt-get >/dev/null ||
		die "this is no Debian; install by hand what has: ${missing[*]}"
	say "installing ${missing[*]}"
	export DEBIAN_FRONTEND=noninteractive
	mkdir -p "$CACHE"
	(
		flock 9
		install_packages "${missing[@]}" ||
			{ apt-get update >&2 && install_packages "${missing[@]}"; }
	) 9>"$CACHE/apt.lock" || die "cannot install ${missing[*]}"
}

install_packages() {
	apt-get install -q -y --no-install-recommends "$@" </dev/null >&2
}

# The mirror is the one that this machine's own apt uses, or CULVERT_MIRROR.
apt_mirror() {
	# shellcheck disable=SC2016 # these are apt's variables
	apt-get indextargets --format '$(ORIGIN) $(LABEL) $(COMPONENT) $(REPO_URI)' |
		awk '$1 == "Debian" && $2 == "Debian" && $3 == "main" && !n++ { print $4 }'
}

# apt knows whose a mirror is once it has been there.
mirror() {
	local uri=${CULVERT_MIRROR:-$(apt_mirror)}

	if [ -z "$uri" ]; then
		apt-get update -q >&2
		uri=$(apt_mirror)
	fi
	[ -n "$uri" ] || die "apt has no Debian mirror here; set CULVERT_MIRROR"
	echo "$uri"
}

# check-valid-until=no: a mirror may lag, and an old release is never signed again.
sources() {
	local suite uri

	uri=$(mirror)
	for suite; do
		echo "deb [check-valid-until=no] $uri $suite main"
	done
}

# What belongs to the module, not to its tests: what DKMS gets a copy of.
module_sources() {
	local path

	for path in Kbuild Makefile dkms.conf module; do
		[ ! -e "$path" ] || find "$path" -type f
	done | grep -Ev '\.(o|ko|cmd|mod|mod\.c|o\.d)$' | sort
}

# How many machines may run at the same time: each keeps one CPU of the host busy,
# and often waits.
slots() { echo "${CULVERT_SLOTS:-$(($(nproc) + 1))}"; }

# The working tree without git's own files and without what builds left in it.
copy_project() {
	tar -C "$PROJECT" --exclude=./.git --exclude=__pycache__ --exclude='*.o' --exclude='*.ko' \
		--exclude='*.cmd' --exclude='*.mod' --exclude='*.mod.c' -cf - . |
		tar -C "$1" -xf -
}
