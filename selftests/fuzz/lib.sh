# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# What the fuzzers that run in a virtual machine share; sourced after ../lib.sh.
#
# They are ordinary test scripts with two knobs from the environment:
#
#	FUZZ_COUNT	how many requests, frames or rounds (each script has a
#			small default)
#	FUZZ_SEED	where the random numbers start; printed, so that a run can
#			be repeated (default 1)
#
# Their C programs are compiled before the machine boots, by ./programs, into
# FUZZ_PROGRAMS (default /out/fuzz): the guest may have no C library to link.

FUZZ_SEED=${FUZZ_SEED:-1}
FUZZ_PROGRAMS=${FUZZ_PROGRAMS:-/out/fuzz}
fuzz_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

# program NAME: have NAME.c compiled; its path is then in $program.
program() {
	program=$FUZZ_PROGRAMS/$1
	[ ! -x "$program" ] || return 0
	program=$work/$1
	echo 'int main(void) { return 0; }' >"$work/try.c"
	gcc -o "$work/try" "$work/try.c" 2>/dev/null ||
		skip "$1 is not compiled and there is no compiler here: see selftests/fuzz/programs"
	gcc -O2 -Wall -o "$program" "$fuzz_dir/$1.c"
}
