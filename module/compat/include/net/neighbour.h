/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef CULVERT_COMPAT_NET_NEIGHBOUR_H
#define CULVERT_COMPAT_NET_NEIGHBOUR_H

#include_next <net/neighbour.h>

#ifndef HAVE_NEIGH_CONFIRM
/* Heard of it just now. Written only when that changes something. */
static inline void neigh_confirm(struct neighbour *n)
{
	unsigned long now = jiffies;

	if (READ_ONCE(n->confirmed) != now)
		WRITE_ONCE(n->confirmed, now);
}
#endif

#endif
