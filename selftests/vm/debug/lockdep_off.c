// SPDX-License-Identifier: GPL-2.0-only
/*
 * Switches lockdep off in a debug kernel, for `run --fast`: what is left, KASAN,
 * looks at three times as many packets in the same time.
 */
#include <linux/debug_locks.h>
#include <linux/module.h>

static int __init lockdep_off_init(void)
{
	debug_locks_off();
	return 0;
}

module_init(lockdep_off_init);

MODULE_DESCRIPTION("Switch lockdep off until the next boot");
MODULE_LICENSE("GPL");
