# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# What bench/run and bench/profile share. Sourced, never run.

BENCH=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
VM=$BENCH/../selftests/vm
# shellcheck source-path=SCRIPTDIR source=../selftests/vm/lib.sh
. "$VM/lib.sh"

# The injector, built inside the root whose kernel it is for, by its compiler.
# Only a private mount namespace sees the directory it is built in.
build_injector() {
	local root=$1 to=$2

	cp "$BENCH"/inject/* "$to/"
	# shellcheck disable=SC2016 # its own arguments
	unshare --mount --propagation private bash -euc '
		mount -t tmpfs tmp "$1/tmp"
		mount --bind /dev "$1/dev"
		mount -t proc proc "$1/proc"
		mount --bind "$2" "$1/mnt"
		chroot "$1" make -s -C "/lib/modules/$3/build" M=/mnt modules 2>&1 | grep -v "Skipping BTF" || :
	' build "$root" "$to" "$(cat "$root/../release")"
}

# injector_for KERNEL - prints where bench_inject.ko for it is
injector_for() {
	local root id dir

	root=$("$VM/root" "$1")
	id=$(cat "$BENCH"/inject/* "$root/../release" | sha256sum | cut -c1-10)
	dir=$CACHE/bench-$1-$id
	if [ ! -e "$dir/bench_inject.ko" ]; then
		rm -rf "$CACHE/bench-$1"-*
		mkdir -p "$dir"
		build_injector "$root" "$dir" >&2
		[ -e "$dir/bench_inject.ko" ] || die "no injector for kernel $1"
	fi
	echo "$dir/bench_inject.ko"
}

# prepare_out KERNEL DIRECTORY - what its guest needs, there. A copy of the script
# too: a shell reads on in a file while somebody edits it.
prepare_out() {
	need_commands gcc:gcc
	# gcc only recommends it
	[ -e /usr/include/stdio.h ] || need_commands no-such-command:libc6-dev
	cp "$BENCH/guest" "$2/"
	cp "$(injector_for "$1")" "$2/"
	gcc -O2 -Wall -static -o "$2/tool" "$BENCH/tool/tool.c"
}
