// SPDX-License-Identifier: GPL-2.0-only
/* Copyright (C) 2026 The culvert authors */

#include "culvert.h"

/**
 * route_cache_init() - make an empty cache
 * @rc: the cache
 *
 * Return: 0 or -ENOMEM. Process context.
 */
int route_cache_init(struct route_cache *rc)
{
	rc->entries = alloc_percpu(struct route_cache_entry);
	return rc->entries ? 0 : -ENOMEM;
}

/**
 * route_cache_destroy() - free a cache that no packet can see
 * @rc: the cache; one that was never made is all right
 *
 * Any context.
 */
void route_cache_destroy(struct route_cache *rc)
{
	int cpu;

	if (!rc->entries)
		return;
	for_each_possible_cpu(cpu)
		dst_release(per_cpu_ptr(rc->entries, cpu)->dst);
	free_percpu(rc->entries);
	rc->entries = NULL;
}

/**
 * route_cache_set() - keep a route
 * @rc: the cache
 * @tag: of the configuration it is for, with %ROUTE_CACHE_PLAIN if it is plain
 * @rt: the route; the cache takes a reference of its own
 * @saddr: the source address that goes with it
 *
 * A packet that has borrowed the previous one can go on using it: routes are
 * freed after a grace period. BH disabled.
 */
void route_cache_set(const struct route_cache *rc, u32 tag, struct rtable *rt, __be32 saddr)
{
	struct route_cache_entry *e = this_cpu_ptr(rc->entries);
	struct dst_entry *old = e->dst;

	dst_hold(&rt->dst);
	e->dst = &rt->dst;
	e->saddr = saddr;
	e->tag = tag;
	dst_release(old);
}
