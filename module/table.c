// SPDX-License-Identifier: GPL-2.0-only
/* Copyright (C) 2026 The culvert authors */
/*
 * The tunnel table: which tunnel a received packet belongs to.
 *
 * A tunnel may leave its local address, its remote address or both open, so a
 * packet can match in four ways (enum tunnel_class). Each way is one probe of
 * one hash table, and a way that no tunnel of the kind uses is not probed: a
 * packet costs the same however many tunnels there are.
 *
 * A tunnel bound to a device ("dev eth0") is preferred for packets that came
 * in through it, over any tunnel that is not; but it accepts others too. So it
 * is entered twice, with and without its link. A kind can be strict about links:
 * then it does not accept others, and comes first within its own class only.
 */

#include <linux/inetdevice.h>

#include "culvert.h"
#include "table.h"

/**
 * table_init() - make an empty table
 * @tn: the namespace
 *
 * Return: 0 or -ENOMEM. Process context.
 */
int table_init(struct tunnel_net *tn)
{
	return rhltable_init(&tn->table, &table_params);
}

/**
 * table_destroy() - free a table, which must be empty
 * @tn: the namespace
 *
 * Process context.
 */
void table_destroy(struct tunnel_net *tn)
{
	rhltable_destroy(&tn->table);
}

/*
 * A multicast group is what packets are addressed to: such a tunnel is found
 * like one with that local address and any remote.
 */
static enum tunnel_class table_class(const struct tunnel_config *c)
{
	__be32 remote = c->remote.ip4;

	if (ipv4_is_multicast(remote))
		return CLASS_ANY_REMOTE;
	if (c->local.ip4)
		return remote ? CLASS_EXACT : CLASS_ANY_REMOTE;
	return remote ? CLASS_ANY_LOCAL : CLASS_ANY_BOTH;
}

static void table_key(struct tunnel_key *k, const struct tunnel_config *c,
		      enum tunnel_kind_id kind)
{
	__be32 remote = c->remote.ip4;
	/* any/any tunnels compare the key only, present or not */
	bool keyed = c->i_flags & GRE_KEY && table_class(c) != CLASS_ANY_BOTH;

	*k = (struct tunnel_key) {
		.local	= ipv4_is_multicast(remote) ? remote : c->local.ip4,
		.remote	= ipv4_is_multicast(remote) ? 0 : remote,
		.rest	= table_key_rest(tunnel_kinds[kind]->key_is_mark ? 0 : c->i_key, kind,
					 keyed),
	};
}

static int table_insert_entry(struct tunnel_net *tn, struct tunnel_entry *e, bool bound)
{
	int err;

	err = rhltable_insert(&tn->table, &e->nodes[0].list, table_params);
	if (err || !bound)
		return err;
	err = rhltable_insert(&tn->table, &e->nodes[1].list, table_params);
	if (err) {
		rhltable_remove(&tn->table, &e->nodes[0].list, table_params);
		/* A packet may have found it in between. */
		synchronize_rcu();
	}
	return err;
}

/**
 * table_insert() - make a configuration findable
 * @tn: the namespace
 * @c: the configuration; its class and entry are filled in
 *
 * A device in collect_md mode is not in the table but in its space.
 *
 * Return: 0, -ENOMEM, or -EBUSY and -E2BIG of rhashtable; nothing is changed
 * on error. RTNL.
 */
int table_insert(struct tunnel_net *tn, struct tunnel_config *c)
{
	struct tunnel_space *s = tunnel_space(c->tunnel);
	int i, err, count = c->link ? 2 : 1;
	struct tunnel_entry *e;

	if (c->collect_md) {
		rcu_assign_pointer(s->external, c->tunnel);
		return 0;
	}

	e = kzalloc(struct_size(e, nodes, count), GFP_KERNEL);
	if (!e)
		return -ENOMEM;
	c->class = table_class(c);
	for (i = 0; i < count; i++) {
		RCU_INIT_POINTER(e->nodes[i].config, c);
		table_key(&e->nodes[i].key, c, c->tunnel->kind->id);
	}
	if (c->link)
		e->nodes[1].key.link = c->link;
	c->entry = e;

	err = table_insert_entry(tn, e, c->link);
	if (err) {
		c->entry = NULL;
		kfree(e);
		return err;
	}
	if (c->link) {
		WRITE_ONCE(s->bound[c->class], s->bound[c->class] + 1);
		WRITE_ONCE(s->any_bound, s->any_bound + 1);
	}
	WRITE_ONCE(s->count[c->class], s->count[c->class] + 1);
	return 0;
}

/**
 * table_remove() - make a configuration unfindable
 * @tn: the namespace
 * @c: a configuration that table_insert() took
 *
 * Packets that found it before may use it until the end of the RCU grace
 * period. RTNL.
 */
void table_remove(struct tunnel_net *tn, struct tunnel_config *c)
{
	struct tunnel_space *s = tunnel_space(c->tunnel);
	struct tunnel_entry *e = c->entry;

	if (c->collect_md) {
		RCU_INIT_POINTER(s->external, NULL);
		return;
	}
	rhltable_remove(&tn->table, &e->nodes[0].list, table_params);
	if (c->link) {
		rhltable_remove(&tn->table, &e->nodes[1].list, table_params);
		WRITE_ONCE(s->bound[c->class], s->bound[c->class] - 1);
		WRITE_ONCE(s->any_bound, s->any_bound - 1);
	}
	WRITE_ONCE(s->count[c->class], s->count[c->class] - 1);
	kfree_rcu(e, rcu);
}

/**
 * table_replace() - find another configuration instead, under the same key
 * @old: a configuration that table_insert() took
 * @c: of the same tunnel, in no table
 *
 * Return: false if their keys differ, and nothing is changed: then @c is for
 * table_insert() and @old for table_remove(). RTNL.
 */
bool table_replace(struct tunnel_config *old, struct tunnel_config *c)
{
	struct tunnel_entry *e = old->entry;
	struct tunnel_key k;

	if (old->collect_md || c->collect_md || old->link != c->link)
		return false;
	table_key(&k, c, c->tunnel->kind->id);
	c->class = table_class(c);
	if (c->class != old->class || k.ends != e->nodes[0].key.ends ||
	    k.rest != e->nodes[0].key.rest)
		return false;
	c->entry = e;
	rcu_assign_pointer(e->nodes[0].config, c);
	if (c->link)
		rcu_assign_pointer(e->nodes[1].config, c);
	return true;
}

/*
 * Tunnels with the same endpoints differ in their link only. None of them
 * matches the device the packet came through here, so the one that is not
 * bound at all comes first. The base device is no match: it is for what has
 * none, after the external device.
 */
static const struct tunnel_config *table_probe(struct tunnel_net *tn, const struct tunnel_key *k)
{
	const struct tunnel *base = rcu_dereference(tn->spaces[table_key_kind(k)].catch_all);
	const struct tunnel_config *found = NULL;
	const struct tunnel_config *c;
	struct rhlist_head *list, *pos;
	struct tunnel_node *n;

	list = rhltable_lookup(&tn->table, k, table_params);
	rhl_for_each_entry_rcu(n, pos, list, list) {
		c = rcu_dereference(n->config);
		if (!table_is_up(c->tunnel) || c->tunnel == base)
			continue;
		if (likely(c->link == k->link))
			return c;
		if (!found && !tunnel_kinds[table_key_kind(k)]->strict_link)
			found = c;
	}
	return found;
}

/* Walk the classes from @class to @last in which @in_use counts tunnels. */
static const struct tunnel_config *table_walk(struct tunnel_net *tn,
					      const unsigned int *in_use,
					      const struct tunnel_key *packet,
					      enum tunnel_class class,
					      enum tunnel_class last)
{
	const struct tunnel_config *c;
	struct tunnel_key k;

	for (; class <= last; class++) {
		if (!READ_ONCE(in_use[class]))
			continue;
		k = *packet;
		if (class == CLASS_ANY_LOCAL || class == CLASS_ANY_BOTH)
			k.local = 0;
		if (class == CLASS_ANY_REMOTE || class == CLASS_ANY_BOTH)
			k.remote = 0;
		if (class == CLASS_ANY_BOTH)
			k.rest &= ~TABLE_KEYED;
		c = table_probe(tn, &k);
		if (c)
			return c;
	}
	return NULL;
}

/* The device a packet came through and, if enslaved to a VRF, the slave. */
static const struct tunnel_config *table_walk_bound(struct tunnel_net *tn,
						    const struct tunnel_space *s,
						    struct sk_buff *skb, int link,
						    struct tunnel_key *k,
						    enum tunnel_class class,
						    enum tunnel_class last)
{
	const struct tunnel_config *c;
	int sdif = inet_sdif(skb);

	k->link = link;
	c = table_walk(tn, s->bound, k, class, last);
	if (!c && sdif) {
		k->link = sdif;
		c = table_walk(tn, s->bound, k, class, last);
	}
	k->link = 0;
	return c;
}

/* Class by class, as a kind wants that is strict about links. */
static const struct tunnel_config *table_walk_strict(struct tunnel_net *tn,
						     const struct tunnel_space *s,
						     struct sk_buff *skb, int link,
						     struct tunnel_key *k)
{
	const struct tunnel_config *c = NULL;
	enum tunnel_class class;

	for (class = CLASS_EXACT; class < CLASS_MAX && !c; class++) {
		if (READ_ONCE(s->bound[class]))
			c = table_walk_bound(tn, s, skb, link, k, class, class);
		if (!c)
			c = table_walk(tn, s->count, k, class, class);
	}
	return c;
}

static const struct tunnel_config *table_last_resort(const struct tunnel_space *s)
{
	struct tunnel *t = rcu_dereference(s->external);

	if (!t || !table_is_up(t))
		t = rcu_dereference(s->catch_all);
	if (!t || !table_is_up(t))
		return NULL;
	return rcu_dereference(t->config);
}

/**
 * table_lookup_link() - the tunnel a packet belongs to
 * @tn: the namespace it arrived in
 * @kind: the kind it is for
 * @skb: the packet, for the slave it came through if that is in a VRF
 * @link: index of the device it came through
 * @local: outer address of this end
 * @remote: outer address of the other end
 * @p: its key
 *
 * In order: local and remote, remote, local, key alone, and in each of these a
 * tunnel bound to the device before others; then the external device, then
 * the base device. Only devices that are up.
 *
 * Return: the tunnel's configuration, valid until the end of the RCU read-side
 * section; or NULL. Softirq, RCU.
 */
const struct tunnel_config *table_lookup_link(struct tunnel_net *tn, enum tunnel_kind_id kind,
					      struct sk_buff *skb, int link, __be32 local,
					      __be32 remote, const struct tunnel_packet *p)
{
	const struct tunnel_space *s = &tn->spaces[kind];
	const struct tunnel_config *c;
	struct tunnel_key k = {
		.local	= local,
		.remote	= remote,
		.rest	= table_key_rest(p->key, kind, p->flags & GRE_KEY),
	};

	if (READ_ONCE(s->any_bound)) {
		if (tunnel_kinds[kind]->strict_link)
			c = table_walk_strict(tn, s, skb, link, &k);
		else
			c = table_walk_bound(tn, s, skb, link, &k, CLASS_EXACT,
					     CLASS_ANY_BOTH);
		if (c)
			return c;
	}
	c = table_walk(tn, s->count, &k, CLASS_EXACT, CLASS_ANY_BOTH);
	return c ? : table_last_resort(s);
}

/**
 * table_sibling() - the next tunnel with the same endpoints and device
 * @c: a configuration from table_lookup() or from here
 *
 * Only kinds whose key is a mark have such. Devices that are down are left out.
 *
 * Return: the next one, valid until the end of the RCU read-side section; or
 * NULL. RCU.
 */
const struct tunnel_config *table_sibling(const struct tunnel_config *c)
{
	struct rhlist_head *pos = rcu_dereference_raw(c->entry->nodes[0].list.next);
	const struct tunnel_config *other;

	for (; pos; pos = rcu_dereference_raw(pos->next)) {
		other = rcu_dereference(container_of(pos, struct tunnel_node, list)->config);
		if (other->link == c->link && table_is_up(other->tunnel))
			return other;
	}
	return NULL;
}

static bool same_key(const struct tunnel_config *a, const struct tunnel_config *b)
{
	return a->i_key == b->i_key && !((a->i_flags ^ b->i_flags) & GRE_KEY);
}

static struct tunnel *find(struct tunnel_net *tn, const struct tunnel_config *c,
			   enum tunnel_kind_id kind, bool any_key)
{
	const struct tunnel_config *other;
	struct tunnel *found = NULL;
	struct rhlist_head *list, *pos;
	struct tunnel_node *n;
	struct tunnel_key k;

	table_key(&k, c, kind);
	k.link = c->link;

	rcu_read_lock();
	list = rhltable_lookup(&tn->table, &k, table_params);
	rhl_for_each_entry_rcu(n, pos, list, list) {
		other = rcu_dereference(n->config);
		if (other->link == c->link && other->local.ip4 == c->local.ip4 &&
		    other->remote.ip4 == c->remote.ip4 && (any_key || same_key(other, c))) {
			found = other->tunnel;
			break;
		}
	}
	rcu_read_unlock();
	return found;
}

/**
 * table_find() - the tunnel that already has these endpoints
 * @tn: the namespace
 * @c: the endpoints: local, remote, link, and key with its flag
 * @kind: the kind they are for
 *
 * Return: the tunnel or NULL. RTNL.
 */
struct tunnel *table_find(struct tunnel_net *tn, const struct tunnel_config *c,
			  enum tunnel_kind_id kind)
{
	return find(tn, c, kind, false);
}

/**
 * table_find_any_key() - a tunnel that has these endpoints, if its key is a mark
 * @tn: the namespace
 * @c: the endpoints: local, remote, link
 * @kind: the kind they are for
 *
 * Return: the tunnel or NULL; always NULL if keys are in the packet. RTNL.
 */
struct tunnel *table_find_any_key(struct tunnel_net *tn, const struct tunnel_config *c,
				  enum tunnel_kind_id kind)
{
	return tunnel_kinds[kind]->key_is_mark ? find(tn, c, kind, true) : NULL;
}
