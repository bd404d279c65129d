// SPDX-License-Identifier: GPL-2.0-only
/* Copyright (C) 2026 The culvert authors */
/*
 * GRE keepalive (wire_keepalive.h has a drawing): answering the peer's requests
 * and sending our own.
 *
 * Answering needs no state and is on unless switched off. A request is taken
 * out before the stack sees it, which would drop it as a martian: its inner
 * source is one of our own addresses.
 *
 * Sending takes one timer per tunnel while the device is up and an interval is
 * set, and a random phase, so that many tunnels don't send in bursts. What
 * becomes of it is the carrier of the device:
 *
 *                   reply                         reply
 *     INIT --------------------------> UP <----------------------.
 *      |                               |                         |
 *      | "retries" lost in a row       | "retries" lost in a row |
 *      v                               v                         |
 *     DOWN <---------------------------'                         |
 *      |  ^                                                      |
 *      |  '---- one lost ----.                                   |
 *      |                     |                                   |
 *      '--- reply, damped -> HOLD -- enough replies in a row ----'
 *
 * There is carrier in INIT and UP.
 *
 * If wanted, the remote address follows the peer: a request that has our secret
 * in it and comes from elsewhere moves the tunnel there.
 */

#include <linux/bitops.h>
#include <linux/hrtimer.h>
#include <linux/inetdevice.h>
#include <linux/random.h>
#include <linux/siphash.h>
#include <linux/slab.h>
#include <linux/workqueue.h>
#include <net/route.h>

#include "culvert.h"
#include "table.h"
#include "wire_keepalive.h"

/* Answers per second to each peer, and how many seconds a reply may take. */
#define ANSWERS_PER_SECOND	10
#define REPLY_AGE_MAX		10

/* The first request goes out within so many seconds. */
#define FIRST_WITHIN		10

#define RETRIES_DEFAULT		3

/* Damping: the hold doubles, up to so many times the number of retries. */
#define HOLD_MAX		16

/* How far the peer's clock may be off, and how often its address may change. */
#define CLOCK_SKEW_MAX		10
#define FOLLOW_INTERVAL		HZ

/* Requests from one address that are looked at for that, per second. */
#define MOVES_PER_SECOND	10

/* Followers that requests are compared with, per second: some percent of a CPU. */
#define COMPARISONS_PER_SECOND	1000000

/* Requests that can be outstanding; a power of 2. */
#define SENT_MAX		16

/* Requests the loss is computed from: as many as there are bits in a u64. */
#define HISTORY_MAX		64

enum keepalive_state {
	STATE_OFF,
	STATE_INIT,
	STATE_UP,
	STATE_DOWN,
	STATE_HOLD,
};

static const char *const state_names[] = {
	[STATE_OFF]	= "off",
	[STATE_INIT]	= "init",
	[STATE_UP]	= "up",
	[STATE_DOWN]	= "down",
	[STATE_HOLD]	= "hold",
};

/**
 * struct keepalive - a tunnel's keepalives
 * @tunnel: the tunnel
 * @timer: runs while @running; its callback has BH disabled
 * @set: the settings; written under RTNL, read without a lock
 * @secret: key of the payload's hash; RTNL, only written while not @running
 * @node: names this end in its payloads; fixed
 * @running: RTNL, read without a lock
 * @follower: in tunnel_net.followers while the remote follows the peer; read
 *	under RCU, written under RTNL
 * @follow: changes the remote to @moved_to
 * @lock: of everything below, which packets and the timer change; BH disabled
 * @state: what is known of the peer
 * @unanswered: requests since the last reply
 * @hold: replies that a damped peer still owes
 * @hold_next: how many it will owe after the next failure
 * @seq: sequence number of the next request
 * @outstanding: the last requests, by sequence number
 * @history: one bit for each request, the last one in bit 0: answered
 * @sent: requests
 * @received: replies
 * @last_reply: when, 0 for never
 * @rtt: ns, of the last reply that told; negative for none
 * @peer_time: of the peer's last request with the secret, by its own clock
 * @moved_to: where the peer's last request came from
 * @moved: jiffies when that was
 */
struct keepalive {
	struct tunnel *tunnel;
	struct hrtimer timer;
	struct keepalive_settings set;
	siphash_key_t secret;
	u32 node;
	bool running;
	struct hlist_node follower;
	struct delayed_work follow;

	spinlock_t lock;
	enum keepalive_state state;
	unsigned int unanswered;
	unsigned int hold;
	unsigned int hold_next;
	u32 seq;
	struct {
		u32 seq;
		bool waiting;
		ktime_t time;
	} outstanding[SENT_MAX];
	u64 history;
	u64 sent;
	u64 received;
	ktime_t last_reply;
	s64 rtt;
	u64 peer_time;
	__be32 moved_to;
	unsigned long moved;
};

/* The packet path and sysfs see it complete or not at all. */
static struct keepalive *keepalive_of(const struct tunnel *t)
{
	/* Pairs with keepalive_get(). */
	return smp_load_acquire(&t->keepalive);
}

static bool keepalive_option(const struct tunnel *t, u8 option)
{
	return READ_ONCE(t->keepalive_options) & option;
}

/* One that is named: not a group, and not anybody. RTNL. */
static bool keepalive_has_peer(const struct tunnel *t)
{
	const struct tunnel_config *c = tunnel_config(t);

	return c->remote.ip4 && !ipv4_is_multicast(c->remote.ip4) && !c->collect_md;
}

/* --- answering ----------------------------------------------------------- */

/*
 * The answer is a packet of this very tunnel: from our end to the other, with
 * the key that we send. So nobody can have us send anything to anyone else.
 */
static bool answer_key_fits(const struct tunnel_config *c, const struct keepalive_request *r)
{
	if (!(r->flags & WIRE_GRE_KEY) != !(c->o_flags & GRE_KEY))
		return false;
	return !(r->flags & WIRE_GRE_KEY) || cpu_to_be32(r->key) == c->o_key;
}

/* The answer belongs inside the tunnel: our end's address to one on the link. */
static bool answer_is_inner(const struct net_device *dev, __be32 src, __be32 dst)
{
	const struct in_device *in_dev = __in_dev_get_rcu(dev);
	const struct in_ifaddr *ifa;

	if (!in_dev)
		return false;
	in_dev_for_each_ifa_rcu(ifa, in_dev)
		if (ifa->ifa_local == src)
			return inet_ifa_match(dst, ifa) && dst != src;
	return false;
}

static struct sk_buff *keepalive_alloc(const struct tunnel *t, unsigned int len)
{
	unsigned int room = LL_MAX_HEADER + READ_ONCE(t->dev->needed_headroom);
	struct sk_buff *skb = alloc_skb(room + len, GFP_ATOMIC);

	if (!skb)
		return NULL;
	skb_reserve(skb, room);
	skb_reset_mac_header(skb);
	skb_reset_network_header(skb);
	skb->dev = t->dev;
	skb->priority = TC_PRIO_CONTROL;
	return skb;
}

/* Through the tunnel, like any packet routed to the device. BH disabled, RCU. */
static void keepalive_tunnel(struct sk_buff *skb, struct tunnel *t, const struct tunnel_config *c)
{
	skb->protocol = htons(ETH_P_IP);
	transmit(skb, t, c, &c->header, NULL);
}

/* Send the inner packet @data on its way: all that "answering" means. */
static enum tunnel_drop answer_send(struct tunnel *t, const struct tunnel_config *c,
				    const struct keepalive_request *r, const u8 *data,
				    __be32 peer, bool inner)
{
	unsigned int skip = inner ? 0 : WIRE_KEEPALIVE_IP_LEN;
	enum tunnel_drop drop;
	struct sk_buff *skb;

	skb = keepalive_alloc(t, r->len - skip);
	if (!skb)
		return DROP_TX_NO_MEMORY;
	skb_put_data(skb, data + skip, r->len - skip);
	if (inner) {
		keepalive_tunnel(skb, t, c);
		return DROP_NONE;
	}
	skb->protocol = htons(ETH_P_IP);
	drop = transmit_outer(skb, t, c, cpu_to_be32(r->src), peer, r->ttl - 1);
	if (drop)
		kfree_skb(skb);
	return drop;
}

/* A tunnel's one peer, or any that a multipoint device may learn. */
static bool answer_peer_fits(const struct tunnel *t, const struct tunnel_config *c, __be32 peer)
{
	return c->remote.ip4 ? peer == c->remote.ip4 : peers_accept(t, peer);
}

/* Whether @r is what our peer at @peer may ask, under the options that are on. */
static bool answer_wanted(const struct tunnel *t, const struct tunnel_config *c,
			  const struct keepalive_request *r, __be32 local, __be32 peer,
			  bool *inner)
{
	__be32 src = cpu_to_be32(r->src), dst = cpu_to_be32(r->dst);

	*inner = false;
	if (!answer_peer_fits(t, c, peer) || r->ttl < 2)
		return false;
	if (src == local)
		return answer_key_fits(c, r) &&
		       (dst == peer || keepalive_option(t, KEEPALIVE_NAT));
	*inner = c->remote.ip4 && keepalive_option(t, KEEPALIVE_INNER);
	return *inner && answer_is_inner(t->dev, src, dst);
}

static bool answer_allowed(struct tunnel *t, __be32 peer)
{
	struct tunnel_rate *r = t->peers ? peers_answers(t, peer) : &t->answers;

	return tunnel_rate_allows(r, ANSWERS_PER_SECOND);
}

/* With the @key of the tunnel it was sent through: no other takes it for its own. */
static u64 keepalive_mac(const struct keepalive *k, const void *stamp, __be32 key)
{
	u8 data[WIRE_STAMP_SIGNED_LEN + sizeof(key)];

	memcpy(data, stamp, WIRE_STAMP_SIGNED_LEN);
	memcpy(data + WIRE_STAMP_SIGNED_LEN, &key, sizeof(key));
	return siphash(data, sizeof(data), &k->secret);
}

/* The stamp in the payload of a request, if it has one and that was made now. */
static bool keepalive_stamp_now(struct keepalive_stamp *s, const struct keepalive_request *r,
				const u8 *data)
{
	s64 age;

	if (!wire_stamp_parse(s, data + r->payload, r->len - r->payload))
		return false;
	age = (s64)(ktime_get_real_ns() - s->time);
	return abs(age) <= (s64)CLOCK_SKEW_MAX * NSEC_PER_SEC;
}

/*
 * Whether a request was made by somebody who has our secret, and is seen for the
 * first time. @s is the stamp in its @payload, @key that of the outer header.
 */
static bool keepalive_is_signed(struct keepalive *k, const struct keepalive_stamp *s,
				const u8 *payload, __be32 key)
{
	bool valid;

	if (s->node == k->node)
		return false;
	spin_lock(&k->lock);
	valid = s->time > k->peer_time && keepalive_mac(k, payload, key) == s->mac;
	if (valid)
		k->peer_time = s->time;
	spin_unlock(&k->lock);
	return valid;
}

static bool keepalive_request(struct sk_buff *skb, const struct tunnel_config *c,
			      const struct tunnel_packet *p)
{
	struct keepalive *k = keepalive_of(c->tunnel);
	const struct iphdr *outer = ip_hdr(skb);
	u8 buffer[WIRE_KEEPALIVE_MAX_LEN];
	struct tunnel *t = c->tunnel;
	struct keepalive_request r;
	struct keepalive_stamp s;
	enum tunnel_drop drop;
	const u8 *data;
	bool inner;
	int len;

	len = min_t(int, (int)skb->len - p->header_len, sizeof(buffer));
	data = len > 0 ? skb_header_pointer(skb, p->header_len, len, buffer) : NULL;
	if (!data || wire_keepalive_parse(&r, data, len) < 0)
		return false;
	/* Seen here, answered or not, it can't be replayed to keepalive_moved(). */
	if (k && keepalive_option(t, KEEPALIVE_FOLLOW) && keepalive_stamp_now(&s, &r, data))
		keepalive_is_signed(k, &s, data + r.payload, p->key);

	if (!keepalive_option(t, KEEPALIVE_ANSWER))
		return false;
	if (p->proto == htons(4) && !keepalive_option(t, KEEPALIVE_PROTO4))
		return false;
	if (!answer_wanted(t, c, &r, outer->daddr, outer->saddr, &inner))
		return false;
	if (!answer_allowed(t, outer->saddr)) {
		tunnel_drop(t, skb, DROP_RX_KEEPALIVE_RATE);
		return true;
	}
	drop = answer_send(t, c, &r, data, outer->saddr, inner);
	if (drop)
		tunnel_drop_count(t, drop);
	else
		tunnel_event_count(t, EVENT_KEEPALIVE_ANSWERED);
	consume_skb(skb);
	return true;
}

/* --- following ----------------------------------------------------------- */

/* The tunnel would be this packet's, were it not for the remote address. */
static bool follower_fits(const struct tunnel_config *c, const struct iphdr *outer,
			  const struct tunnel_packet *p)
{
	return c->remote.ip4 && c->remote.ip4 != outer->saddr &&
	       (!c->local.ip4 || c->local.ip4 == outer->daddr) &&
	       !((c->i_flags ^ p->flags) & GRE_KEY) && c->i_key == p->key;
}

/*
 * Anybody can send what has to be compared with every follower: so that is not done
 * for more than a few packets from an address each second, and for fewer of all
 * addresses together the more followers there are.
 */
static bool moves_allowed(struct tunnel_net *tn, __be32 outer)
{
	unsigned int all = COMPARISONS_PER_SECOND / max(READ_ONCE(tn->follower_count), 1u);

	return tunnel_rate_allows(tunnel_rates_of(&tn->moves, outer), MOVES_PER_SECOND) &&
	       tunnel_rate_allows(&tn->all_moves, max_t(unsigned int, all, MOVES_PER_SECOND));
}

/* A request that its tunnel's peer sent from another address. Softirq, RCU. */
static bool keepalive_moved(const struct sk_buff *skb, struct tunnel_net *tn,
			    const struct tunnel_packet *p)
{
	const struct iphdr *outer = ip_hdr(skb);
	u8 buffer[WIRE_KEEPALIVE_MAX_LEN];
	struct keepalive_request r;
	struct keepalive_stamp s;
	struct keepalive *k;
	const u8 *data;
	int len;

	len = min_t(int, (int)skb->len - p->header_len, sizeof(buffer));
	data = len > 0 ? skb_header_pointer(skb, p->header_len, len, buffer) : NULL;
	if (!data || wire_keepalive_parse(&r, data, len) < 0 || !keepalive_stamp_now(&s, &r, data))
		return false;
	if (!moves_allowed(tn, outer->saddr))
		return false;
	hlist_for_each_entry_rcu(k, &tn->followers, follower) {
		if (!table_is_up(k->tunnel) ||
		    !follower_fits(rcu_dereference(k->tunnel->config), outer, p) ||
		    jiffies - READ_ONCE(k->moved) < FOLLOW_INTERVAL ||
		    !keepalive_is_signed(k, &s, data + r.payload, p->key))
			continue;
		WRITE_ONCE(k->moved, jiffies);
		WRITE_ONCE(k->moved_to, outer->saddr);
		schedule_delayed_work(&k->follow, 0);
		return true;
	}
	return false;
}

/* Change the remote, as a user would. RTNL. */
static void keepalive_change_remote(struct tunnel *t, __be32 remote)
{
	struct tunnel_config *c = config_copy(tunnel_config(t));
	int err;

	if (!c)
		return;
	c->remote.ip4 = remote;
	err = config_validate(t->kind, c, NULL);
	if (!err)
		err = tunnel_dev_change(t, c, false, NULL);
	if (err) {
		config_free(c);
		return;
	}
	tunnel_event_count(t, EVENT_KEEPALIVE_FOLLOWED);
	net_info_ratelimited("culvert: %s: the peer is at %pI4 now\n", t->dev->name, &remote);
}

static void keepalive_follow(struct work_struct *work)
{
	struct keepalive *k = container_of(to_delayed_work(work), struct keepalive, follow);
	struct tunnel *t = k->tunnel;

	/* keepalive_exit() waits for us, with RTNL held: don't wait for RTNL. */
	if (!rtnl_trylock()) {
		schedule_delayed_work(&k->follow, 1);
		return;
	}
	if (t->dev->reg_state == NETREG_REGISTERED && keepalive_option(t, KEEPALIVE_FOLLOW) &&
	    keepalive_has_peer(t))
		keepalive_change_remote(t, READ_ONCE(k->moved_to));
	rtnl_unlock();
}

/* --- replies ------------------------------------------------------------- */

static void keepalive_went_up(struct keepalive *k)
{
	k->state = STATE_UP;
	netif_carrier_on(k->tunnel->dev);
}

static void keepalive_went_down(struct keepalive *k)
{
	k->state = STATE_DOWN;
	netif_carrier_off(k->tunnel->dev);
}

/* A peer that often comes and goes has to answer ever more often to be trusted. */
static void keepalive_hold(struct keepalive *k)
{
	unsigned int least = READ_ONCE(k->set.retries);

	k->hold = clamp(k->hold_next, least, least * HOLD_MAX);
	k->hold_next = k->hold * 2;
	k->state = STATE_HOLD;
}

/* With k->lock. */
static void keepalive_replied(struct keepalive *k)
{
	/* Whatever ICMP said before, there is a way. */
	WRITE_ONCE(k->tunnel->err_count, 0);
	k->unanswered = 0;
	k->received++;
	k->last_reply = ktime_get();
	switch (k->state) {
	case STATE_INIT:
		keepalive_went_up(k);
		break;
	case STATE_DOWN:
		if (keepalive_option(k->tunnel, KEEPALIVE_DAMPING))
			keepalive_hold(k);
		else
			keepalive_went_up(k);
		break;
	case STATE_HOLD:
		if (!--k->hold)
			keepalive_went_up(k);
		break;
	case STATE_UP:
		if (k->hold_next > READ_ONCE(k->set.retries))
			k->hold_next--;
		break;
	case STATE_OFF:
		break;
	}
}

/* A reply that tells which request it is to. With k->lock. */
static enum tunnel_drop keepalive_match(struct keepalive *k, const struct keepalive_stamp *s)
{
	u32 slot = s->seq & (SENT_MAX - 1);
	s64 age;

	if (s->node != k->node || !k->outstanding[slot].waiting ||
	    k->outstanding[slot].seq != s->seq)
		return DROP_RX_KEEPALIVE_STALE;
	k->outstanding[slot].waiting = false;
	age = ktime_to_ns(ktime_sub(ktime_get(), k->outstanding[slot].time));
	if (age > (s64)REPLY_AGE_MAX * NSEC_PER_SEC)
		return DROP_RX_KEEPALIVE_STALE;
	k->rtt = age;
	if (k->seq - 1 - s->seq < HISTORY_MAX)
		k->history |= BIT_ULL(k->seq - 1 - s->seq);
	return DROP_NONE;
}

/* A reply of an unknown kind: to the last request, if to any. With k->lock. */
static enum tunnel_drop keepalive_match_plain(struct keepalive *k)
{
	if (keepalive_option(k->tunnel, KEEPALIVE_AUTHENTICATE))
		return DROP_RX_KEEPALIVE_AUTH;
	if (!k->sent || k->history & 1)
		return DROP_RX_KEEPALIVE_STALE;
	k->history |= 1;
	return DROP_NONE;
}

static bool keepalive_reply(struct sk_buff *skb, const struct tunnel_config *c,
			    const struct tunnel_packet *p)
{
	struct keepalive *k = keepalive_of(c->tunnel);
	struct keepalive_stamp s;
	u8 buffer[WIRE_STAMP_LEN];
	enum tunnel_drop drop;
	bool stamped = false;
	const u8 *data = NULL;

	if (!k || !READ_ONCE(k->running) || ip_hdr(skb)->saddr != c->remote.ip4)
		return false;
	if (skb->len == p->header_len + WIRE_STAMP_LEN)
		data = skb_header_pointer(skb, p->header_len, WIRE_STAMP_LEN, buffer);
	if (data)
		stamped = wire_stamp_parse(&s, data, WIRE_STAMP_LEN);

	spin_lock(&k->lock);
	if (stamped && keepalive_mac(k, data, c->o_key) != s.mac)
		drop = DROP_RX_KEEPALIVE_AUTH;
	else if (stamped)
		drop = keepalive_match(k, &s);
	else
		drop = keepalive_match_plain(k);
	if (!drop)
		keepalive_replied(k);
	spin_unlock(&k->lock);

	if (drop) {
		tunnel_drop(c->tunnel, skb, drop);
		return true;
	}
	tunnel_event_count(c->tunnel, EVENT_KEEPALIVE_RECEIVED);
	consume_skb(skb);
	return true;
}

/**
 * keepalive_receive() - take keepalives out of what a tunnel receives
 * @skb: a packet that keepalive_is_suspect(); skb->data at the GRE header,
 *	skb_network_header() at the outer IP header; consumed if taken
 * @tn: the namespace it arrived in
 * @c: the tunnel it is for, or NULL
 * @p: what is in its GRE header
 *
 * Return: whether the packet was a keepalive and is gone. Softirq, RCU.
 */
bool keepalive_receive(struct sk_buff *skb, struct tunnel_net *tn, const struct tunnel_config *c,
		       const struct tunnel_packet *p)
{
	if ((!c || !c->remote.ip4) && !hlist_empty(&tn->followers) &&
	    keepalive_moved(skb, tn, p)) {
		consume_skb(skb);
		return true;
	}
	if (!c || c->collect_md)
		return false;
	if (!p->proto)
		return keepalive_reply(skb, c, p);
	/* What receive() would refuse is not answered either. */
	if ((p->flags ^ c->i_flags) & GRE_CSUM || (c->i_flags & ~p->flags) & GRE_SEQ)
		return false;
	return keepalive_request(skb, c, p);
}

/* --- sending ------------------------------------------------------------- */

/* Our address: as the peer sees it, or as it is, or as the route has it. */
static __be32 keepalive_local(const struct keepalive *k, const struct tunnel_config *c)
{
	const struct tunnel *t = k->tunnel;
	__be32 address = READ_ONCE(k->set.address);
	struct flowi4 fl4;
	struct rtable *rt;

	if (address)
		return address;
	if (c->local.ip4)
		return c->local.ip4;
	ip_tunnel_init_flow(&fl4, IPPROTO_GRE, c->remote.ip4, 0, c->o_key,
			    c->tos & INET_DSCP_MASK, t->net, c->link, c->fwmark, 0, 0);
	rt = ip_route_output_key(t->net, &fl4);
	if (IS_ERR(rt))
		return 0;
	ip_rt_put(rt);
	return fl4.saddr;
}

/* Account for a request that is about to go; its payload's numbers. */
static void keepalive_count(struct keepalive *k, struct keepalive_stamp *s)
{
	u32 slot;

	spin_lock(&k->lock);
	if (k->unanswered >= READ_ONCE(k->set.retries) && k->state != STATE_DOWN)
		keepalive_went_down(k);
	else if (k->unanswered && k->state == STATE_HOLD)
		k->state = STATE_DOWN;
	k->unanswered++;
	k->sent++;
	k->history <<= 1;
	s->node = k->node;
	s->seq = k->seq++;
	s->time = ktime_get_real_ns();
	slot = s->seq & (SENT_MAX - 1);
	k->outstanding[slot].seq = s->seq;
	k->outstanding[slot].waiting = true;
	k->outstanding[slot].time = ktime_get();
	spin_unlock(&k->lock);
}

/* One request. BH disabled, RCU. */
static void keepalive_send(struct keepalive *k)
{
	struct tunnel *t = k->tunnel;
	const struct tunnel_config *c = rcu_dereference(t->config);
	struct keepalive_request r = {
		.flags	= be16_to_cpu(c->i_flags),
		.key	= be32_to_cpu(c->i_key),
		.ttl	= WIRE_KEEPALIVE_TTL,
	};
	struct keepalive_stamp s;
	struct sk_buff *skb;
	u8 *inner;

	keepalive_count(k, &s);
	r.src = be32_to_cpu(c->remote.ip4);
	r.dst = be32_to_cpu(keepalive_local(k, c));
	r.len = wire_keepalive_len(r.flags, WIRE_STAMP_LEN);
	if (!r.dst) {
		tunnel_drop_count(t, DROP_TX_NO_ROUTE);
		return;
	}
	skb = keepalive_alloc(t, r.len);
	if (!skb) {
		tunnel_drop_count(t, DROP_TX_NO_MEMORY);
		return;
	}
	inner = skb_put(skb, r.len);
	wire_keepalive_build(inner, &r);
	wire_stamp_build(inner + r.payload, &s);
	wire_stamp_sign(inner + r.payload, keepalive_mac(k, inner + r.payload, c->o_key));
	tunnel_event_count(t, EVENT_KEEPALIVE_SENT);
	keepalive_tunnel(skb, t, c);
}

static enum hrtimer_restart keepalive_tick(struct hrtimer *timer)
{
	struct keepalive *k = container_of(timer, struct keepalive, timer);

	rcu_read_lock();
	keepalive_send(k);
	rcu_read_unlock();
	hrtimer_forward_now(timer, ktime_set(READ_ONCE(k->set.interval), 0));
	return HRTIMER_RESTART;
}

/* Forget what was known of the peer. The timer does not run; RTNL. */
static void keepalive_reset(struct keepalive *k, enum keepalive_state state)
{
	spin_lock_bh(&k->lock);
	k->state = state;
	k->unanswered = 0;
	k->hold_next = 0;
	k->history = 0;
	k->sent = 0;
	k->received = 0;
	k->last_reply = 0;
	k->rtt = -1;
	memset(k->outstanding, 0, sizeof(k->outstanding));
	netif_carrier_on(k->tunnel->dev);
	spin_unlock_bh(&k->lock);
}

/**
 * keepalive_start() - begin to send, if that is wanted
 * @t: a gre tunnel whose device is going up
 *
 * RTNL.
 */
void keepalive_start(struct tunnel *t)
{
	struct keepalive *k = t->keepalive;
	u32 within;

	if (!k || !k->set.interval || !keepalive_has_peer(t))
		return;
	keepalive_reset(k, STATE_INIT);
	WRITE_ONCE(k->running, true);
	within = min_t(u32, k->set.interval, FIRST_WITHIN) * USEC_PER_SEC;
	hrtimer_start(&k->timer, ns_to_ktime((u64)get_random_u32_below(within) * NSEC_PER_USEC),
		      HRTIMER_MODE_REL_SOFT);
}

/**
 * keepalive_stop() - send no more
 * @t: a tunnel whose device is going down, or whose settings change
 *
 * Process context, RTNL.
 */
void keepalive_stop(struct tunnel *t)
{
	struct keepalive *k = t->keepalive;

	if (!k || !k->running)
		return;
	WRITE_ONCE(k->running, false);
	hrtimer_cancel(&k->timer);
	keepalive_reset(k, STATE_OFF);
}

/* RTNL. Only a tunnel that has a secret, so a t->keepalive, can follow its peer. */
static void keepalive_switch(struct tunnel *t, u8 options)
{
	u8 changed = t->keepalive_options ^ options;
	struct tunnel_net *tn = tunnel_net(t->net);
	struct keepalive *k = t->keepalive;

	if (changed & options & KEEPALIVE_FOLLOW) {
		hlist_add_head_rcu(&k->follower, &tn->followers);
		WRITE_ONCE(tn->follower_count, tn->follower_count + 1);
	} else if (changed & KEEPALIVE_FOLLOW) {
		hlist_del_init_rcu(&k->follower);
		WRITE_ONCE(tn->follower_count, tn->follower_count - 1);
	}
	WRITE_ONCE(t->keepalive_options, options);
}

/**
 * keepalive_exit() - nothing more happens by itself
 * @t: a tunnel whose device is going away
 *
 * Process context, RTNL.
 */
void keepalive_exit(struct tunnel *t)
{
	if (!t->keepalive)
		return;
	if (keepalive_option(t, KEEPALIVE_FOLLOW)) {
		keepalive_switch(t, t->keepalive_options & ~KEEPALIVE_FOLLOW);
		/* Packets that found it before may still schedule it. */
		synchronize_net();
	}
	cancel_delayed_work_sync(&t->keepalive->follow);
}

/**
 * keepalive_free() - undo whatever was set
 * @t: a tunnel whose device is gone
 */
void keepalive_free(struct tunnel *t)
{
	kfree_sensitive(t->keepalive);
	t->keepalive = NULL;
}

/* --- settings ------------------------------------------------------------ */

/* Made by the first thing that somebody sets. RTNL. */
static struct keepalive *keepalive_get(struct tunnel *t)
{
	struct keepalive *k = t->keepalive;

	if (k)
		return k;
	k = kzalloc(sizeof(*k), GFP_KERNEL);
	if (!k)
		return NULL;
	k->tunnel = t;
	k->set.retries = RETRIES_DEFAULT;
	k->rtt = -1;
	get_random_bytes(&k->secret, sizeof(k->secret));
	k->node = get_random_u32();
	k->seq = get_random_u32();
	spin_lock_init(&k->lock);
	INIT_HLIST_NODE(&k->follower);
	INIT_DELAYED_WORK(&k->follow, keepalive_follow);
	hrtimer_setup(&k->timer, keepalive_tick, CLOCK_MONOTONIC, HRTIMER_MODE_REL_SOFT);
	/* Pairs with keepalive_of(). */
	smp_store_release(&t->keepalive, k);
	return k;
}

static void keepalive_restart(struct tunnel *t)
{
	keepalive_stop(t);
	if (netif_running(t->dev))
		keepalive_start(t);
}

/**
 * keepalive_set_interval() - how often to ask the peer
 * @t: the tunnel
 * @seconds: 1 to %KEEPALIVE_INTERVAL_MAX, or 0 for never
 *
 * Return: 0, -EINVAL, or -ENOMEM; nothing is changed on error. RTNL.
 */
int keepalive_set_interval(struct tunnel *t, unsigned int seconds)
{
	struct keepalive *k;

	if (seconds > KEEPALIVE_INTERVAL_MAX || (seconds && !keepalive_has_peer(t)))
		return -EINVAL;
	k = keepalive_get(t);
	if (!k)
		return -ENOMEM;
	if (k->set.interval == seconds)
		return 0;
	keepalive_stop(t);
	WRITE_ONCE(k->set.interval, seconds);
	keepalive_restart(t);
	return 0;
}

/**
 * keepalive_set_retries() - how many lost requests mean a dead peer
 * @t: the tunnel
 * @retries: 1 to %KEEPALIVE_RETRIES_MAX
 *
 * Return: 0, -EINVAL, or -ENOMEM; nothing is changed on error. RTNL.
 */
int keepalive_set_retries(struct tunnel *t, unsigned int retries)
{
	struct keepalive *k;

	if (!retries || retries > KEEPALIVE_RETRIES_MAX)
		return -EINVAL;
	k = keepalive_get(t);
	if (!k)
		return -ENOMEM;
	WRITE_ONCE(k->set.retries, retries);
	return 0;
}

/**
 * keepalive_set_secret() - the key of the payload's hash
 * @t: the tunnel
 * @secret: %KEEPALIVE_SECRET_LEN bytes, or NULL for a random one
 *
 * A secret of the user's is of use only if replies without it are refused, so
 * it switches that on.
 *
 * Return: 0 or -ENOMEM. RTNL.
 */
int keepalive_set_secret(struct tunnel *t, const u8 *secret)
{
	struct keepalive *k = keepalive_get(t);

	if (!k)
		return -ENOMEM;
	keepalive_stop(t);
	/* Packets that still saw it running look at the secret under the lock. */
	spin_lock_bh(&k->lock);
	if (secret) {
		k->secret.key[0] = wire_get_be64(secret);
		k->secret.key[1] = wire_get_be64(secret + 8);
	} else {
		get_random_bytes(&k->secret, sizeof(k->secret));
	}
	spin_unlock_bh(&k->lock);
	WRITE_ONCE(k->set.has_secret, secret);
	if (secret)
		keepalive_switch(t, t->keepalive_options | KEEPALIVE_AUTHENTICATE);
	else
		keepalive_switch(t, t->keepalive_options &
				    ~(KEEPALIVE_AUTHENTICATE | KEEPALIVE_FOLLOW));
	keepalive_restart(t);
	return 0;
}

/**
 * keepalive_set_options() - what is on
 * @t: the tunnel
 * @options: KEEPALIVE_*. To follow the peer takes a secret that both ends have.
 *
 * Return: 0 or -EINVAL; nothing is changed on error. RTNL.
 */
int keepalive_set_options(struct tunnel *t, u8 options)
{
	const struct keepalive *k = t->keepalive;

	if (options & ~t->keepalive_options & KEEPALIVE_FOLLOW &&
	    (!k || !k->set.has_secret || !keepalive_has_peer(t)))
		return -EINVAL;
	keepalive_switch(t, options);
	return 0;
}

/**
 * keepalive_set_address() - where the peer is to send its answers
 * @t: the tunnel
 * @address: our address as the peer sees it, 0 for the outer source
 *
 * Return: 0, -EINVAL for what can't be an address of a host, or -ENOMEM. RTNL.
 */
int keepalive_set_address(struct tunnel *t, __be32 address)
{
	struct keepalive *k;

	if (ipv4_is_multicast(address) || ipv4_is_lbcast(address) ||
	    ipv4_is_loopback(address) || (address && ipv4_is_zeronet(address)))
		return -EINVAL;
	k = keepalive_get(t);
	if (!k)
		return -ENOMEM;
	WRITE_ONCE(k->set.address, address);
	return 0;
}

/**
 * keepalive_settings() - what is set
 * @t: the tunnel
 * @s: filled in
 *
 * Process context.
 */
void keepalive_settings(const struct tunnel *t, struct keepalive_settings *s)
{
	const struct keepalive *k = keepalive_of(t);

	*s = (struct keepalive_settings) { .retries = RETRIES_DEFAULT };
	if (k)
		*s = k->set;
}

/* Percent of the requests in @history that were lost; the last may still come. */
static unsigned int keepalive_loss(const struct keepalive *k)
{
	unsigned int n = min_t(u64, k->sent, HISTORY_MAX);
	u64 history = k->history;
	unsigned int answered;

	if (n && !(history & 1)) {
		history >>= 1;
		n--;
	}
	if (!n)
		return 0;
	answered = hweight64(history & (~0ULL >> (64 - n)));
	return (n - answered) * 100 / n;
}

/**
 * keepalive_status() - how it goes
 * @t: the tunnel
 * @s: filled in
 *
 * Process context.
 */
void keepalive_status(const struct tunnel *t, struct keepalive_status *s)
{
	struct keepalive *k = keepalive_of(t);

	*s = (struct keepalive_status) {
		.state		= state_names[STATE_OFF],
		.last_reply	= -1,
		.rtt		= -1,
	};
	if (!k)
		return;
	spin_lock_bh(&k->lock);
	s->state = state_names[k->state];
	s->sent = k->sent;
	s->received = k->received;
	s->unanswered = k->unanswered;
	s->loss = keepalive_loss(k);
	if (k->last_reply)
		s->last_reply = ktime_ms_delta(ktime_get(), k->last_reply);
	if (k->rtt >= 0)
		s->rtt = div_s64(k->rtt, NSEC_PER_USEC);
	spin_unlock_bh(&k->lock);
}
