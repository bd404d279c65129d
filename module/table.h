/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The culvert authors */
/*
 * The usual look-up in the tunnel table, for the protocol handlers to inline:
 * a call costs as much as the probe itself.
 */
#ifndef CULVERT_TABLE_H
#define CULVERT_TABLE_H

#include <linux/hash.h>
#include <linux/ip.h>
#include <linux/rhashtable.h>
#include <linux/unaligned.h>

#include "culvert.h"

/*
 * A multiplication carries upwards only, and the byte in which consecutive keys
 * differ is the uppermost of four: so the key is in the lower half of the word
 * (on a big-endian machine it is the lowest, and above).
 */
static inline u32 table_mix(const struct tunnel_key *k, u32 seed)
{
	u64 h = (k->ends ^ seed) * GOLDEN_RATIO_64;

	h ^= h >> 32;
	h = (h ^ k->rest ^ (u64)k->link << 35) * GOLDEN_RATIO_64;
	return h >> 32;
}

static inline u32 table_hash_key(const void *data, u32 len, u32 seed)
{
	return table_mix(data, seed);
}

static inline u32 table_hash_node(const void *data, u32 len, u32 seed)
{
	return table_mix(&((const struct tunnel_node *)data)->key, seed);
}

static inline int table_compare(struct rhashtable_compare_arg *arg, const void *obj)
{
	const struct tunnel_key *a = arg->key;
	const struct tunnel_key *b = &((const struct tunnel_node *)obj)->key;

	return a->ends != b->ends || a->rest != b->rest || a->link != b->link;
}

static const struct rhashtable_params table_params = {
	.key_len		= sizeof(struct tunnel_key),
	.key_offset		= offsetof(struct tunnel_node, key),
	.head_offset		= offsetof(struct tunnel_node, list),
	.hashfn			= table_hash_key,
	.obj_hashfn		= table_hash_node,
	.obj_cmpfn		= table_compare,
	.automatic_shrinking	= true,
};

#define TABLE_KIND_SHIFT	32
#define TABLE_KEYED		BIT_ULL(48)

/* The half of a key that is not addresses. */
static __always_inline u64 table_key_rest(__be32 key, enum tunnel_kind_id kind, bool keyed)
{
	return (__force u32)key | (u64)kind << TABLE_KIND_SHIFT | (keyed ? TABLE_KEYED : 0);
}

static inline enum tunnel_kind_id table_key_kind(const struct tunnel_key *k)
{
	return (k->rest & ~TABLE_KEYED) >> TABLE_KIND_SHIFT;
}

/* The endpoints of a received packet: its source is the remote. */
static __always_inline u64 table_key_ends(const struct iphdr *iph)
{
	BUILD_BUG_ON(offsetof(struct iphdr, daddr) != offsetof(struct iphdr, saddr) + 4);
	return get_unaligned((const u64 *)&iph->saddr);
}

static inline bool table_is_up(const struct tunnel *t)
{
	return READ_ONCE(t->dev->flags) & IFF_UP;
}

/**
 * table_lookup_packet() - the tunnel a packet belongs to
 * @tn: the namespace it arrived in
 * @kind: the kind it is for
 * @skb: the packet, for the device it came through
 * @iph: its outer header
 * @p: its key
 *
 * The usual case in the fewest steps: a tunnel with both endpoints, where no
 * tunnel of the kind is bound to a device. Then nothing can be preferred to it,
 * and no other has the same endpoints. Everything else is for table_lookup().
 *
 * Return: as table_lookup(). Softirq, RCU.
 */
static __always_inline const struct tunnel_config *
table_lookup_packet(struct tunnel_net *tn, enum tunnel_kind_id kind, struct sk_buff *skb,
		    const struct iphdr *iph, const struct tunnel_packet *p)
{
	const struct tunnel_space *s = &tn->spaces[kind];
	const struct tunnel_key k = {
		.ends	= table_key_ends(iph),
		.rest	= table_key_rest(p->key, kind, p->flags & GRE_KEY),
	};
	const struct tunnel_config *c;
	struct rhlist_head *list;

	if (likely(!READ_ONCE(s->any_bound))) {
		list = rhltable_lookup(&tn->table, &k, table_params);
		if (likely(list)) {
			c = rcu_dereference(container_of(list, struct tunnel_node, list)->config);
			if (likely(table_is_up(c->tunnel) &&
				   c->tunnel != rcu_dereference(s->catch_all)))
				return c;
		}
	}
	return table_lookup(tn, kind, skb, iph->daddr, iph->saddr, p);
}

#endif /* CULVERT_TABLE_H */
