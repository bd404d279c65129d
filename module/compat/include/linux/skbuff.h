/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef CULVERT_COMPAT_LINUX_SKBUFF_H
#define CULVERT_COMPAT_LINUX_SKBUFF_H

#include_next <linux/skbuff.h>

#ifndef HAVE_KFREE_SKB_REASON
#define kfree_skb_reason(skb, reason)	kfree_skb(skb)
#endif

#endif
