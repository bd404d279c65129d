// SPDX-License-Identifier: GPL-2.0-only
/* Copyright (C) 2026 The culvert authors */
/*
 * The peers of a multipoint gre device, one without a remote. They are its
 * neighbours: a neighbour's protocol address is inner, its link-layer address
 * outer. Users enter them with "ip neigh"; with learning switched on, the outer
 * source of what is received becomes the neighbour of the inner source.
 *
 * On a device without ARP the core makes neighbours that need no resolution
 * and have the device's own address. While learning is on, peers_construct()
 * makes them ones that wait to be resolved, as on Ethernet: a packet to an
 * unknown peer waits a little for it and then ends in "host unreachable".
 * Learned ones go REACHABLE -> STALE by the core's own clock. There is no ARP
 * to probe a stale one with, so it stays that until it has not been heard of
 * for a time that can be set; then it is forgotten.
 *
 * Learned neighbours are marked "extern_learn": the core's garbage collector
 * leaves them alone, so that a flood of other addresses can't push them out.
 * What bounds their number is a limit of our own.
 */

#include <linux/in.h>
#include <linux/inetdevice.h>
#include <linux/slab.h>
#include <linux/workqueue.h>
#include <net/addrconf.h>
#include <net/arp.h>
#include <net/ndisc.h>
#include <net/neighbour.h>
#include <net/netevent.h>

#include "culvert.h"

#define LEARNED_PER_SECOND	1000
#define LIMIT_DEFAULT		1024
#define TIMEOUT_DEFAULT		600

/* A peer may change its outer address so often. */
#define MOVE_INTERVAL		HZ

/* How often timeouts are looked for. */
#define AGE_INTERVAL		(10 * HZ)

/* Copies of one multicast packet. */
#define REPLICAS_MAX		1024

/* Walked only when a peer comes, moves or goes: not by packets. A power of 2. */
#define OUTER_BUCKETS		256

/**
 * struct peers - what a multipoint device knows of its peers
 * @dev: the device
 * @set: settings; written under RTNL, read without a lock
 * @filter: outer sources that may be learned, NULL for any; RCU, written under
 *	RTNL
 * @rate: of learning
 * @answers: rates of answers to keepalives
 * @age: forgets peers that are not heard of; while learning is on
 * @lock: of everything below, and of struct peer; BH disabled
 * @list: all neighbours, as struct peer; read under RCU
 * @outer: those with a valid outer address, by that
 * @count: learned ones
 */
struct peers {
	struct net_device *dev;
	struct peers_settings set;
	struct peers_filter __rcu *filter;
	struct tunnel_rate rate;
	struct tunnel_rates answers;
	struct delayed_work age;
	spinlock_t lock;
	struct list_head list;
	struct hlist_head outer[OUTER_BUCKETS];
	unsigned int count;
};

/**
 * struct peer - our part of a neighbour, neighbour_priv()
 * @list: in peers.list
 * @node: in peers.outer, if @addr
 * @neigh: the neighbour; NULL before peers_construct()
 * @addr: valid outer address, or 0
 * @first: no other peer in peers.outer has this outer address and comes first
 * @learned: by us, and counted
 * @moved: jiffies when the outer address was learned
 */
struct peer {
	struct list_head list;
	struct hlist_node node;
	struct neighbour *neigh;
	__be32 addr;
	bool first;
	bool learned;
	unsigned long moved;
};

static __be32 neighbour_outer(const struct neighbour *n)
{
	return READ_ONCE(*(const __be32 *)n->ha);
}

static u8 neighbour_state(const struct neighbour *n)
{
	return READ_ONCE(n->nud_state);
}

/* --- resolution without ARP ----------------------------------------------- */

/*
 * Called when the core wants to know whether a neighbour still is there. We
 * can't ask: a learned one is believed until it times out.
 */
static void peers_solicit(struct neighbour *n, struct sk_buff *skb)
{
	const struct peer *p = neighbour_priv(n);

	if (neighbour_state(n) & NUD_PROBE && READ_ONCE(p->learned))
		neigh_update(n, NULL, NUD_STALE,
			     NEIGH_UPDATE_F_ADMIN | NEIGH_UPDATE_F_EXT_LEARNED, 0);
}

static void peers_unreachable(struct neighbour *n, struct sk_buff *skb)
{
	dst_link_failure(skb);
	kfree_skb(skb);
}

static const struct neigh_ops peers_ops4 = {
	.family			= AF_INET,
	.solicit		= peers_solicit,
	.error_report		= peers_unreachable,
	.output			= neigh_resolve_output,
	.connected_output	= neigh_resolve_output,
};

static const struct neigh_ops peers_ops6 = {
	.family			= AF_INET6,
	.solicit		= peers_solicit,
	.error_report		= peers_unreachable,
	.output			= neigh_resolve_output,
	.connected_output	= neigh_resolve_output,
};

#if IS_ENABLED(CONFIG_IPV6)
/*
 * Neighbour discovery inside the tunnel has link-layer addresses in it, which the
 * core would believe, whoever sent them. While learning is on, the outer source is
 * the only word about them.
 *
 * Return: 1, "seen to", for those; else 0. Softirq, RCU.
 */
static int peers_nd_option(const struct net_device *dev, struct nd_opt_hdr *option,
			   struct ndisc_options *found)
{
	const struct tunnel *t = netdev_priv(dev);

	return READ_ONCE(t->peers->set.learning) &&
	       (option->nd_opt_type == ND_OPT_SOURCE_LL_ADDR ||
		option->nd_opt_type == ND_OPT_TARGET_LL_ADDR);
}

static const struct ndisc_ops peers_ndisc_ops = {
	.parse_options = peers_nd_option,
};

static void peers_guard_nd(struct net_device *dev)
{
	dev->ndisc_ops = &peers_ndisc_ops;
}
#else
static void peers_guard_nd(struct net_device *dev)
{
}
#endif

static bool neighbour_is_ipv4(const struct neighbour *n)
{
	return n->tbl == &arp_tbl;
}

static void neighbour_adopt(struct neighbour *n)
{
	WRITE_ONCE(n->ops, neighbour_is_ipv4(n) ? &peers_ops4 : &peers_ops6);
}

static bool neighbour_needs_group(const struct neighbour *n)
{
	return n->type == RTN_BROADCAST || (n->type == RTN_MULTICAST && !neighbour_is_ipv4(n));
}

/*
 * Where packets for many go: to a group address, for gre_xmit() to replicate
 * them. The core has one for multicast of IPv4 only; else it has our own
 * address for broadcasts and none for IPv6.
 */
static void neighbour_set_group(struct neighbour *n, bool group)
{
	__be32 addr = 0;

	if (!neighbour_needs_group(n))
		return;
	if (group)
		addr = htonl(n->type == RTN_BROADCAST ? INADDR_BROADCAST : INADDR_ALLHOSTS_GROUP);
	else if (n->type == RTN_BROADCAST)
		memcpy(&addr, n->dev->dev_addr, sizeof(addr));
	memcpy(n->ha, &addr, sizeof(addr));
}

/**
 * peers_construct() - ndo_neigh_construct
 * @dev: the device
 * @n: a new neighbour, in no table yet
 *
 * Return: 0.
 */
int peers_construct(struct net_device *dev, struct neighbour *n)
{
	struct tunnel *t = netdev_priv(dev);
	struct peers *ps = t->peers;
	struct peer *p;

	if (!ps)
		return 0;
	p = neighbour_priv(n);
	p->neigh = n;
	/* A changed setting either is seen here or finds the neighbour in the list. */
	spin_lock_bh(&ps->lock);
	if (ps->set.learning && n->type == RTN_UNICAST && n->nud_state == NUD_NOARP) {
		n->nud_state = NUD_NONE;
		neighbour_adopt(n);
		n->output = n->ops->output;
	}
	if (ps->set.replicate)
		neighbour_set_group(n, true);
	list_add_tail_rcu(&p->list, &ps->list);
	spin_unlock_bh(&ps->lock);
	return 0;
}

/* --- the index by outer address ------------------------------------------- */

static struct hlist_head *peers_bucket(struct peers *ps, __be32 addr)
{
	u32 hash = jhash_1word((__force u32)addr, ps->answers.seed);

	return &ps->outer[hash & (OUTER_BUCKETS - 1)];
}

static struct peer *peers_find_outer(struct peers *ps, __be32 addr)
{
	struct peer *p;

	hlist_for_each_entry(p, peers_bucket(ps, addr), node)
		if (p->addr == addr)
			return p;
	return NULL;
}

/* Put @p under another outer address, 0 for none. With ps->lock. */
static void peers_index(struct peers *ps, struct peer *p, __be32 addr)
{
	struct peer *other;

	if (p->addr == addr)
		return;
	if (p->addr) {
		hlist_del_init(&p->node);
		other = p->first ? peers_find_outer(ps, p->addr) : NULL;
		if (other)
			WRITE_ONCE(other->first, true);
	}
	WRITE_ONCE(p->first, addr && !peers_find_outer(ps, addr));
	WRITE_ONCE(p->addr, addr);
	if (addr)
		hlist_add_head(&p->node, peers_bucket(ps, addr));
}

/* With ps->lock. */
static void peers_unclaim(struct peers *ps, struct peer *p)
{
	if (!p->learned)
		return;
	WRITE_ONCE(p->learned, false);
	WRITE_ONCE(ps->count, ps->count - 1);
}

/**
 * peers_destroy() - ndo_neigh_destroy
 * @dev: the device
 * @n: a neighbour that nobody has a reference to
 */
void peers_destroy(struct net_device *dev, struct neighbour *n)
{
	struct tunnel *t = netdev_priv(dev);
	struct peers *ps = t->peers;
	struct peer *p;

	if (!ps)
		return;
	p = neighbour_priv(n);
	if (!p->neigh)
		return;
	spin_lock_bh(&ps->lock);
	peers_index(ps, p, 0);
	peers_unclaim(ps, p);
	list_del_rcu(&p->list);
	spin_unlock_bh(&ps->lock);
}

/* A neighbour changed, by us, by a user or by the clock. */
static int peers_netevent(struct notifier_block *nb, unsigned long event, void *data)
{
	struct neighbour *n = data;
	const struct tunnel *t;
	bool valid;
	u8 state;

	if (event != NETEVENT_NEIGH_UPDATE || n->dev->netdev_ops != kind_gre.ops)
		return NOTIFY_DONE;
	t = netdev_priv(n->dev);
	if (!t->peers)
		return NOTIFY_DONE;
	spin_lock_bh(&t->peers->lock);
	state = neighbour_state(n);
	valid = state & NUD_VALID && !(state & NUD_NOARP) && n->type == RTN_UNICAST;
	peers_index(t->peers, neighbour_priv(n), valid ? neighbour_outer(n) : 0);
	if (!valid || state & NUD_PERMANENT)
		peers_unclaim(t->peers, neighbour_priv(n));
	spin_unlock_bh(&t->peers->lock);
	return NOTIFY_DONE;
}

static struct notifier_block peers_notifier = {
	.notifier_call = peers_netevent,
};

/**
 * peers_register() - watch neighbours change
 *
 * Return: 0. Process context.
 */
int peers_register(void)
{
	return register_netevent_notifier(&peers_notifier);
}

/**
 * peers_unregister() - undo peers_register()
 *
 * Process context.
 */
void peers_unregister(void)
{
	unregister_netevent_notifier(&peers_notifier);
}

/* --- learning ------------------------------------------------------------- */

static bool onlink_ipv4(const struct net_device *dev, __be32 addr)
{
	const struct in_device *in_dev = __in_dev_get_rcu(dev);
	const struct in_ifaddr *ifa;
	bool found = false;

	if (!in_dev || ipv4_is_multicast(addr) || ipv4_is_lbcast(addr))
		return false;
	in_dev_for_each_ifa_rcu(ifa, in_dev) {
		if (ifa->ifa_local == addr || ifa->ifa_broadcast == addr)
			return false;
		if (!inet_ifa_match(addr, ifa))
			continue;
		if (ifa->ifa_prefixlen >= 31 || addr & ~ifa->ifa_mask)
			found = true;
	}
	return found;
}

#if IS_ENABLED(CONFIG_IPV6)
static bool onlink_ipv6(struct net_device *dev, const struct in6_addr *addr)
{
	return ipv6_addr_type(addr) & IPV6_ADDR_UNICAST && ipv6_chk_prefix(addr, dev) &&
	       !ipv6_chk_addr(dev_net(dev), addr, dev, 0);
}

static struct neigh_table *peers_table(bool ipv4)
{
	return ipv4 ? &arp_tbl : &nd_tbl;
}

static struct neighbour *peers_lookup(struct net_device *dev, const void *addr, bool ipv4)
{
	return ipv4 ? __ipv4_neigh_lookup_noref(dev, *(const u32 *)addr) :
		      __ipv6_neigh_lookup_noref(dev, addr);
}
#else
static bool onlink_ipv6(struct net_device *dev, const struct in6_addr *addr)
{
	return false;
}

static struct neigh_table *peers_table(bool ipv4)
{
	return &arp_tbl;
}

static struct neighbour *peers_lookup(struct net_device *dev, const void *addr, bool ipv4)
{
	return ipv4 ? __ipv4_neigh_lookup_noref(dev, *(const u32 *)addr) : NULL;
}
#endif

static bool filter_passes(const struct peers *ps, __be32 outer)
{
	const struct peers_filter *f = rcu_dereference(ps->filter);
	int i;

	if (!f)
		return true;
	for (i = 0; i < f->count; i++)
		if ((outer & f->prefix[i].mask) == f->prefix[i].net)
			return true;
	return false;
}

/**
 * peers_accept() - whether a multipoint device deals with an outer address
 * @t: the tunnel
 * @outer: the address
 *
 * Return: whether it learns, and from there. RCU.
 */
bool peers_accept(const struct tunnel *t, __be32 outer)
{
	const struct peers *ps = t->peers;

	return ps && READ_ONCE(ps->set.learning) && filter_passes(ps, outer);
}

/**
 * peers_answers() - the rate at which keepalives of an outer source are answered
 * @t: a multipoint tunnel
 * @outer: the source
 *
 * A flood from one address must not take the answers from the others. Softirq.
 */
struct tunnel_rate *peers_answers(struct tunnel *t, __be32 outer)
{
	return tunnel_rates_of(&t->peers->answers, outer);
}

/* Make it a learned one, if there is room. */
static bool peers_claim(struct peers *ps, struct peer *p)
{
	bool claimed = true;

	spin_lock(&ps->lock);
	if (!p->learned) {
		claimed = ps->count < READ_ONCE(ps->set.limit);
		if (claimed) {
			WRITE_ONCE(p->learned, true);
			WRITE_ONCE(ps->count, ps->count + 1);
		}
	}
	spin_unlock(&ps->lock);
	return claimed;
}

/*
 * It changed while it was being entered, and was uncounted for that. If it is there
 * all the same, it counts, be there room or not. With ps->lock.
 */
static void peers_claim_again(struct peers *ps, struct peer *p)
{
	u8 state = neighbour_state(p->neigh);

	if (p->learned || !(state & NUD_VALID) || state & NUD_PERMANENT)
		return;
	WRITE_ONCE(p->learned, true);
	WRITE_ONCE(ps->count, ps->count + 1);
}

static void peers_add(struct tunnel *t, struct neighbour *n, __be32 outer)
{
	struct peer *p = neighbour_priv(n);
	int err;

	if (!peers_claim(t->peers, p)) {
		tunnel_event_count(t, EVENT_PEER_OVER_LIMIT);
		return;
	}
	neighbour_adopt(n);
	WRITE_ONCE(p->moved, jiffies);
	err = neigh_update(n, (const u8 *)&outer, NUD_REACHABLE,
			   NEIGH_UPDATE_F_OVERRIDE | NEIGH_UPDATE_F_ADMIN |
			   NEIGH_UPDATE_F_EXT_LEARNED, 0);
	spin_lock(&t->peers->lock);
	if (err)
		peers_unclaim(t->peers, p);
	else
		peers_claim_again(t->peers, p);
	spin_unlock(&t->peers->lock);
	if (!err)
		tunnel_event_count(t, EVENT_PEER_LEARNED);
}

/* Nobody knows this peer yet, or only its name. */
static void peers_learn_new(struct tunnel *t, struct neighbour *n, const void *addr, bool ipv4,
			    __be32 outer)
{
	struct peers *ps = t->peers;

	/* Before anything is allocated: a flood ends here. */
	if (READ_ONCE(ps->count) >= READ_ONCE(ps->set.limit)) {
		tunnel_event_count(t, EVENT_PEER_OVER_LIMIT);
		return;
	}
	if (!tunnel_rate_allows(&ps->rate, LEARNED_PER_SECOND)) {
		tunnel_event_count(t, EVENT_PEER_OVER_RATE);
		return;
	}
	if (n) {
		neigh_hold(n);
	} else {
		n = neigh_create(peers_table(ipv4), addr, t->dev);
		if (IS_ERR(n)) {
			tunnel_event_count(t, EVENT_PEER_OVER_LIMIT);
			return;
		}
	}
	/* "Permanent" is a user's word. */
	if (n->type == RTN_UNICAST && !(neighbour_state(n) & NUD_PERMANENT))
		peers_add(t, n, outer);
	neigh_release(n);
}

/* A peer that we learned has another outer address now; with a reference. */
static void peers_move(struct tunnel *t, struct neighbour *n, __be32 outer)
{
	struct peer *p = neighbour_priv(n);

	if (jiffies - READ_ONCE(p->moved) < MOVE_INTERVAL) {
		tunnel_event_count(t, EVENT_PEER_OVER_RATE);
		return;
	}
	WRITE_ONCE(p->moved, jiffies);
	if (!neigh_update(n, (const u8 *)&outer, NUD_REACHABLE, NEIGH_UPDATE_F_OVERRIDE, 0))
		tunnel_event_count(t, EVENT_PEER_MOVED);
}

/* With a reference to @n, which may be NULL: neigh_update() wants one. */
static void peers_learn_slow(struct tunnel *t, struct neighbour *n, const void *addr, bool ipv4,
			     __be32 outer)
{
	bool learned = n && READ_ONCE(((struct peer *)neighbour_priv(n))->learned) &&
		       neighbour_state(n) & NUD_VALID;

	if (learned && neighbour_outer(n) == outer) {
		neigh_update(n, NULL, NUD_REACHABLE, 0, 0);
		return;
	}
	if (!(ipv4 ? onlink_ipv4(t->dev, *(const __be32 *)addr) : onlink_ipv6(t->dev, addr)))
		return;
	if (!filter_passes(t->peers, outer)) {
		tunnel_event_count(t, EVENT_PEER_FILTERED);
		return;
	}
	if (learned)
		peers_move(t, n, outer);
	else
		peers_learn_new(t, n, addr, ipv4, outer);
}

/**
 * peers_learn() - learn from a packet where its sender is
 * @skb: an inner packet that passed all checks; skb_mac_header() at the outer
 *	IP header
 * @t: a multipoint tunnel
 *
 * Softirq, RCU.
 */
void peers_learn(const struct sk_buff *skb, struct tunnel *t)
{
	bool ipv4 = skb->protocol == htons(ETH_P_IP);
	struct neighbour *n;
	const void *addr;
	__be32 outer;
	u8 state;

	if (!READ_ONCE(t->peers->set.learning))
		return;
	if (ipv4)
		addr = &ip_hdr(skb)->saddr;
	else if (skb->protocol == htons(ETH_P_IPV6))
		addr = &ipv6_hdr(skb)->saddr;
	else
		return;
	outer = ((const struct iphdr *)skb_mac_header(skb))->saddr;

	n = peers_lookup(t->dev, addr, ipv4);
	if (likely(n)) {
		state = neighbour_state(n);
		if (likely(state & NUD_REACHABLE && neighbour_outer(n) == outer)) {
			neigh_confirm(n);
			return;
		}
		if (state & NUD_PERMANENT)
			return;
		/* It is going: the next packet finds another, or makes one. */
		if (!refcount_inc_not_zero(&n->refcnt))
			return;
	}
	peers_learn_slow(t, n, addr, ipv4, outer);
	if (n)
		neigh_release(n);
}

/* --- forgetting ----------------------------------------------------------- */

static bool peer_is_idle(const struct neighbour *n, unsigned int timeout)
{
	return timeout && time_after(jiffies, READ_ONCE(n->confirmed) + timeout * HZ);
}

static void peer_forget(struct tunnel *t, struct neighbour *n)
{
	if (!neigh_update(n, NULL, NUD_FAILED, NEIGH_UPDATE_F_OVERRIDE | NEIGH_UPDATE_F_ADMIN, 0))
		tunnel_event_count(t, EVENT_PEER_FORGOTTEN);
}

/* Those not heard of for too long; with @all, every one. Process context. */
static void peers_forget(struct peers *ps, bool all)
{
	unsigned int timeout = READ_ONCE(ps->set.timeout);
	struct peer *p;

	rcu_read_lock();
	list_for_each_entry_rcu(p, &ps->list, list) {
		if (!READ_ONCE(p->learned) || !(all || peer_is_idle(p->neigh, timeout)))
			continue;
		if (!refcount_inc_not_zero(&p->neigh->refcnt))
			continue;
		peer_forget(netdev_priv(ps->dev), p->neigh);
		neigh_release(p->neigh);
	}
	rcu_read_unlock();
}

static void peers_age(struct work_struct *work)
{
	struct peers *ps = container_of(to_delayed_work(work), struct peers, age);

	peers_forget(ps, false);
	schedule_delayed_work(&ps->age, AGE_INTERVAL);
}

/* --- replication ---------------------------------------------------------- */

/**
 * peers_replicate() - send a multicast packet to every known peer
 * @skb: the packet, consumed
 * @t: the tunnel
 * @c: its configuration
 * @h: the header to build
 * @template: the outer header, for a group
 *
 * Return: NETDEV_TX_OK. BH disabled.
 */
netdev_tx_t peers_replicate(struct sk_buff *skb, struct tunnel *t, const struct tunnel_config *c,
			    const struct tunnel_header *h, const struct iphdr *template)
{
	struct iphdr outer = *template;
	unsigned int sent = 0;
	struct sk_buff *copy;
	struct peer *p;

	/* What is not to leave the inner link has a ttl of 1: not to inherit. */
	if (!outer.ttl)
		outer.ttl = IPDEFTTL;
	rcu_read_lock();
	list_for_each_entry_rcu(p, &t->peers->list, list) {
		outer.daddr = READ_ONCE(p->addr);
		if (!outer.daddr || !READ_ONCE(p->first))
			continue;
		copy = sent < REPLICAS_MAX ? skb_clone(skb, GFP_ATOMIC) : NULL;
		if (!copy) {
			tunnel_drop_count(t, DROP_TX_REPLICAS);
			break;
		}
		sent++;
		transmit(copy, t, c, h, &outer);
		tunnel_event_count(t, EVENT_REPLICATED);
	}
	rcu_read_unlock();
	if (sent)
		consume_skb(skb);
	else
		tunnel_drop(t, skb, DROP_TX_NO_PEER);
	return NETDEV_TX_OK;
}

/**
 * peers_replicates() - whether peers_replicate() is for a packet
 * @t: the tunnel
 * @daddr: where its neighbour says it goes
 */
bool peers_replicates(const struct tunnel *t, __be32 daddr)
{
	return t->peers && READ_ONCE(t->peers->set.replicate) &&
	       (ipv4_is_multicast(daddr) || ipv4_is_lbcast(daddr));
}

/* --- life, settings ------------------------------------------------------- */

/**
 * peers_init() - prepare a multipoint device for peers
 * @dev: the device, about to be registered
 *
 * Return: 0 or -ENOMEM. RTNL.
 */
int peers_init(struct net_device *dev)
{
	struct tunnel *t = netdev_priv(dev);
	struct peers *ps = kzalloc(sizeof(*ps), GFP_KERNEL);

	if (!ps)
		return -ENOMEM;
	ps->dev = dev;
	ps->set.limit = LIMIT_DEFAULT;
	ps->set.timeout = TIMEOUT_DEFAULT;
	tunnel_rates_init(&ps->answers);
	spin_lock_init(&ps->lock);
	INIT_LIST_HEAD(&ps->list);
	INIT_DELAYED_WORK(&ps->age, peers_age);
	dev->neigh_priv_len = sizeof(struct peer);
	t->peers = ps;
	peers_guard_nd(dev);
	return 0;
}

/**
 * peers_stop() - nothing more happens by itself
 * @t: a tunnel whose device is going away
 *
 * Process context, RTNL.
 */
void peers_stop(struct tunnel *t)
{
	if (t->peers)
		cancel_delayed_work_sync(&t->peers->age);
}

/**
 * peers_free() - undo peers_init()
 * @t: a tunnel whose device and neighbours are gone
 */
void peers_free(struct tunnel *t)
{
	if (!t->peers)
		return;
	kfree(rcu_dereference_protected(t->peers->filter, 1));
	kfree(t->peers);
	t->peers = NULL;
}

/* Neighbours from before learning: they have our own address. */
static void peers_unresolve(struct peers *ps)
{
	struct neighbour *n;
	struct peer *p;

	rcu_read_lock();
	list_for_each_entry_rcu(p, &ps->list, list) {
		n = p->neigh;
		if (n->type != RTN_UNICAST || neighbour_state(n) != NUD_NOARP ||
		    !refcount_inc_not_zero(&n->refcnt))
			continue;
		neighbour_adopt(n);
		neigh_update(n, NULL, NUD_FAILED, NEIGH_UPDATE_F_OVERRIDE | NEIGH_UPDATE_F_ADMIN,
			     0);
		neigh_release(n);
	}
	rcu_read_unlock();
}

/**
 * peers_set_learning() - switch learning on or off
 * @t: the tunnel
 * @on: which
 *
 * Return: 0, or -EINVAL if it is not multipoint. RTNL.
 */
int peers_set_learning(struct tunnel *t, bool on)
{
	struct peers *ps = t->peers;

	if (!ps)
		return -EINVAL;
	if (ps->set.learning == on)
		return 0;
	spin_lock_bh(&ps->lock);
	WRITE_ONCE(ps->set.learning, on);
	spin_unlock_bh(&ps->lock);
	if (on) {
		/* Whoever still saw it off has made his neighbour, not half of it. */
		synchronize_net();
		peers_unresolve(ps);
		schedule_delayed_work(&ps->age, AGE_INTERVAL);
	} else {
		cancel_delayed_work_sync(&ps->age);
		/* Whoever still saw it on is done learning. */
		synchronize_net();
		peers_forget(ps, true);
	}
	return 0;
}

/**
 * peers_set_limit() - how many peers may be learned
 * @t: the tunnel
 * @limit: 1 to %PEERS_LIMIT_MAX; those there are already stay
 *
 * Return: 0 or -EINVAL. RTNL.
 */
int peers_set_limit(struct tunnel *t, unsigned int limit)
{
	if (!t->peers || !limit || limit > PEERS_LIMIT_MAX)
		return -EINVAL;
	WRITE_ONCE(t->peers->set.limit, limit);
	return 0;
}

/**
 * peers_set_timeout() - when a peer that is not heard of is forgotten
 * @t: the tunnel
 * @seconds: up to %PEERS_TIMEOUT_MAX, 0 for never
 *
 * Return: 0 or -EINVAL. RTNL.
 */
int peers_set_timeout(struct tunnel *t, unsigned int seconds)
{
	if (!t->peers || seconds > PEERS_TIMEOUT_MAX)
		return -EINVAL;
	WRITE_ONCE(t->peers->set.timeout, seconds);
	return 0;
}

/**
 * peers_set_filter() - which outer sources may be learned
 * @t: the tunnel
 * @filter: the prefixes, consumed on success; NULL for all
 *
 * Peers there are already stay.
 *
 * Return: 0 or -EINVAL. RTNL.
 */
int peers_set_filter(struct tunnel *t, struct peers_filter *filter)
{
	struct peers_filter *old;

	if (!t->peers)
		return -EINVAL;
	old = rtnl_dereference(t->peers->filter);
	rcu_assign_pointer(t->peers->filter, filter);
	if (old)
		kfree_rcu(old, rcu);
	return 0;
}

/**
 * peers_set_replicate() - switch the replication of multicast on or off
 * @t: the tunnel
 * @on: which
 *
 * Return: 0 or -EINVAL. RTNL.
 */
int peers_set_replicate(struct tunnel *t, bool on)
{
	struct peers *ps = t->peers;
	struct peer *p;

	if (!ps)
		return -EINVAL;
	spin_lock_bh(&ps->lock);
	WRITE_ONCE(ps->set.replicate, on);
	spin_unlock_bh(&ps->lock);
	rcu_read_lock_bh();
	list_for_each_entry_rcu(p, &ps->list, list) {
		write_lock(&p->neigh->lock);
		write_seqlock(&p->neigh->ha_lock);
		neighbour_set_group(p->neigh, on);
		write_sequnlock(&p->neigh->ha_lock);
		write_unlock(&p->neigh->lock);
	}
	rcu_read_unlock_bh();
	return 0;
}

/**
 * peers_settings() - what is set
 * @t: a multipoint tunnel
 *
 * Any context.
 */
const struct peers_settings *peers_settings(const struct tunnel *t)
{
	return &t->peers->set;
}

/**
 * peers_filter() - the filter
 * @t: a multipoint tunnel
 *
 * Return: the prefixes, or NULL for all. RCU.
 */
const struct peers_filter *peers_filter(const struct tunnel *t)
{
	return rcu_dereference(t->peers->filter);
}

/**
 * peers_count() - how many peers are learned at present
 * @t: a multipoint tunnel
 */
unsigned int peers_count(const struct tunnel *t)
{
	return READ_ONCE(t->peers->count);
}
