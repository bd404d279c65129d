/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef CULVERT_COMPAT_LINUX_RANDOM_H
#define CULVERT_COMPAT_LINUX_RANDOM_H

#include_next <linux/random.h>

#ifndef HAVE_RANDOM_BELOW
/* For spreading things over time, not for secrets. */
static inline u32 get_random_u32_below(u32 ceil)
{
	return (u64)get_random_u32() * ceil >> 32;
}
#endif

#endif
