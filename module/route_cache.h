/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The culvert authors */
#ifndef CULVERT_ROUTE_CACHE_H
#define CULVERT_ROUTE_CACHE_H

#include <linux/percpu.h>
#include <net/dst.h>
#include <net/route.h>

/**
 * struct route_cache_entry - the route of one CPU
 * @dst: the route, with a reference; or NULL
 * @saddr: the source address found with it
 * @tag: of the configuration it was found for, %ROUTE_CACHE_PLAIN or-ed in; 0
 *	if there is none
 *
 * Only its own CPU touches it, with BH disabled; and route_cache_destroy().
 */
struct route_cache_entry {
	struct dst_entry *dst;
	__be32 saddr;
	u32 tag;
};

/* The route is one that the user of the cache has called plain. */
#define ROUTE_CACHE_PLAIN	1

/**
 * struct route_cache - the route to one destination, on each CPU
 * @entries: per CPU
 * @tag: the latest configuration's; RTNL
 *
 * Like the kernel's dst_cache, but what it lends is not refcounted: the packet
 * borrows the route for as long as it is within the RCU read-side section of
 * its transmission, and whoever queues it for longer takes a reference
 * (skb_dst_force()), as with every forwarded packet. That spares two atomic
 * operations.
 *
 * It outlives configurations, each of which has a tag of its own: a route is
 * lent to the configuration it was found for and to no other.
 */
struct route_cache {
	struct route_cache_entry __percpu *entries;
	u32 tag;
};

/**
 * route_cache_new_tag() - the tag of a new configuration
 * @rc: the cache
 *
 * Return: an even number other than 0, which no other configuration had in a
 * very long time. RTNL.
 */
static inline u32 route_cache_new_tag(struct route_cache *rc)
{
	rc->tag += 2;
	return rc->tag ? : (rc->tag = 2);
}

/**
 * route_cache_get() - borrow the route
 * @rc: the cache
 * @tag: for the configuration that has this one
 * @saddr: set to the source address that goes with the route
 *
 * Return: the route, for skb_dst_set_noref(); or NULL if there is none, or if
 * it is not valid any more. BH disabled.
 */
static inline struct rtable *route_cache_get(const struct route_cache *rc, u32 tag, __be32 *saddr)
{
	const struct route_cache_entry *e = this_cpu_ptr(rc->entries);

	if (unlikely((e->tag & ~ROUTE_CACHE_PLAIN) != tag || !dst_check(e->dst, 0)))
		return NULL;
	*saddr = e->saddr;
	return container_of(e->dst, struct rtable, dst);
}

/**
 * route_cache_get_plain() - borrow the route if it is a plain one
 * @rc: the cache
 * @tag: for the configuration that has this one
 * @saddr: set to the source address that goes with the route
 *
 * Return: as route_cache_get().
 */
static inline struct rtable *route_cache_get_plain(const struct route_cache *rc, u32 tag,
						   __be32 *saddr)
{
	const struct route_cache_entry *e = this_cpu_ptr(rc->entries);

	if (unlikely(e->tag != (tag | ROUTE_CACHE_PLAIN) || !dst_check(e->dst, 0)))
		return NULL;
	*saddr = e->saddr;
	return container_of(e->dst, struct rtable, dst);
}

int route_cache_init(struct route_cache *rc);
void route_cache_destroy(struct route_cache *rc);
void route_cache_set(const struct route_cache *rc, u32 tag, struct rtable *rt, __be32 saddr);

#endif /* CULVERT_ROUTE_CACHE_H */
