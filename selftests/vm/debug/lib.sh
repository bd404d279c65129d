# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# What build and run share. Sourced, never run.
#
# A debug kernel is kept in the cache directory of the other VM scripts:
#
#   $CULVERT_CACHE/debug-KERNEL-CHECKER-HASH/
#       bzImage          what boots
#       config           what it was made of
#       release          what `uname -r` says there
#       version          the Debian source package it was made from
#       compiler         what compiled it
#       scratch/upper    what that needed and the root does not have
#       tree/            what a module is compiled against
#       modules/         lib/modules/RELEASE of its own modules, in-tree tunnels included

# shellcheck source=../lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"
DEBUG_DIR=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
ROOT_TOOL=$DEBUG_DIR/../root

# in_root ROOT SCRATCH [HOST_DIR:GUEST_DIR ...] -- COMMAND...
#
# Run a command in the file system of a Debian root. What it writes there goes
# to the directory SCRATCH, and the root stays as it was; directories named
# before the -- are the real ones of this machine.
in_root() {
	local root=$1 scratch=$2 binds=()

	shift 2
	while [ "$1" != -- ]; do
		binds+=("$1")
		shift
	done
	shift
	mkdir -p "$scratch/upper" "$scratch/work" "$scratch/merged"
	ROOT=$root SCRATCH=$scratch BINDS="${binds[*]-}" unshare --mount --fork --pid \
		--kill-child bash "$DEBUG_DIR/enter-root" "$@"
}
