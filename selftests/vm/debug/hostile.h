/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Included before each file of the module where it is built for a debug kernel:
 * what happens once in a million packets happens every time.
 *
 * The head of a packet moves whenever the module makes sure of a header, so that
 * KASAN sees each pointer that was not read again. Per-CPU allocations, which fault
 * injection does not know, fail with the small one in front of them.
 */
#include <linux/netdevice.h>
#include <linux/percpu.h>
#include <linux/skbuff.h>
#include <linux/slab.h>

static inline void hostile_move(struct sk_buff *skb)
{
	if (!skb_shared(skb))
		pskb_expand_head(skb, 0, 0, GFP_ATOMIC);
}

static inline bool hostile_may_pull(struct sk_buff *skb, unsigned int len)
{
	bool pulled = pskb_may_pull(skb, len);

	if (pulled)
		hostile_move(skb);
	return pulled;
}

static inline int hostile_cow_head(struct sk_buff *skb, unsigned int headroom)
{
	int err = skb_cow_head(skb, headroom);

	if (!err)
		hostile_move(skb);
	return err;
}

static inline void __percpu *hostile_percpu(size_t size, size_t align, gfp_t gfp)
{
	void *first = kmalloc(8, gfp);

	if (!first)
		return NULL;
	kfree(first);
	return __alloc_percpu_gfp(size, align, gfp);
}

#define pskb_may_pull	hostile_may_pull
#define skb_cow_head	hostile_cow_head

#undef alloc_percpu_gfp
#define alloc_percpu_gfp(type, gfp)						\
	((typeof(type) __percpu *)hostile_percpu(sizeof(type), __alignof__(type), gfp))
#undef alloc_percpu
#define alloc_percpu(type)	alloc_percpu_gfp(type, GFP_KERNEL)
