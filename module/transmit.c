// SPDX-License-Identifier: GPL-2.0-only
/* Copyright (C) 2026 The culvert authors */
/*
 * From an inner packet to an outer one: decide where to, find the route, check
 * that it fits, make room, let the kind put its header on, add FOU or GUE and
 * the IP header, send.
 *
 *   ndo_start_xmit of the kind
 *     transmit()
 *       transmit_fixed()   all of it at once, where nothing is unusual
 *       outer_from_*()     where to, by configuration, metadata or next hop
 *       transmit_route()   cached for a fixed destination
 *       transmit_mtu()     too big: ICMP to the sender
 *       transmit_room()    headroom, once for all headers
 *       kind->build()      GRE
 *       encap              FOU, GUE
 *       transmit_output()  IP header, down the stack
 */

#include <linux/icmpv6.h>
#include <linux/if_vlan.h>
#include <linux/indirect_call_wrapper.h>
#include <linux/percpu.h>
#include <net/dst_metadata.h>
#include <net/gso.h>
#include <net/icmp.h>
#include <net/inet_ecn.h>
#include <net/ip6_fib.h>
#include <net/ip6_route.h>
#include <net/route.h>

#include "culvert.h"
#include "gre.h"

/*
 * Transmissions through tunnels that may be on this CPU's stack. Each goes
 * through a route look-up and the whole IP output path, so this is less than
 * the core allows for plain devices.
 */
#define TRANSMIT_DEPTH_MAX	5

/* VLAN tags in an Ethernet payload that are looked behind. */
#define VLAN_TAGS_MAX		8

/* Per CPU, with BH disabled. */
static DEFINE_PER_CPU(unsigned int, transmit_depth);

/**
 * transmit_enter() - begin a transmission that does not go through transmit()
 *
 * BH disabled until transmit_leave().
 *
 * Return: false if there are too many on this CPU's stack already.
 */
bool transmit_enter(void)
{
	if (unlikely(this_cpu_read(transmit_depth) >= TRANSMIT_DEPTH_MAX))
		return false;
	this_cpu_inc(transmit_depth);
	return true;
}

/**
 * transmit_leave() - end what transmit_enter() began
 */
void transmit_leave(void)
{
	this_cpu_dec(transmit_depth);
}

/**
 * struct outer - what the outer header of one packet is going to be
 * @inner: the inner IPv4 or IPv6 header, until the head of the packet moves
 * @cached: whether the tunnel's route cache has the route, or gets it
 * @cache: the same for a route given by metadata
 * @info: the metadata that asked for this, or NULL
 * @daddr: destination
 * @saddr: source, 0 for "by route"; after that the one used
 * @payload: EtherType of the inner packet, below any VLAN tag
 * @df: IP_DF or 0
 * @header_len: everything between outer IP header and payload, bytes
 * @protocol: of the outer header
 * @tos: without ECN at first
 * @ttl: 0 to inherit
 * @borrowed: whether the route is lent by that cache, without a reference
 *
 * On the stack and not cleared: the outer_from_*() set every member that is read.
 */
struct outer {
	const struct iphdr *inner;
	struct dst_cache *cache;
	const struct ip_tunnel_info *info;
	__be32 daddr;
	__be32 saddr;
	__be16 payload;
	__be16 df;
	int header_len;
	u8 protocol;
	u8 tos;
	u8 ttl;
	bool cached;
	bool borrowed;
};

static u8 inner_tos(const struct outer *o)
{
	if (o->payload == htons(ETH_P_IP))
		return o->inner->tos;
	if (o->payload == htons(ETH_P_IPV6))
		return ipv6_get_dsfield((const struct ipv6hdr *)o->inner);
	return 0;
}

static u8 inner_ttl(const struct outer *o, const struct rtable *rt)
{
	if (o->payload == htons(ETH_P_IP))
		return o->inner->ttl;
	if (o->payload == htons(ETH_P_IPV6))
		return ((const struct ipv6hdr *)o->inner)->hop_limit;
	return ip4_dst_hoplimit(&rt->dst);
}

static bool inner_is_ip(const struct outer *o)
{
	return o->payload == htons(ETH_P_IP) || o->payload == htons(ETH_P_IPV6);
}

/* FOU or GUE of this packet; NULL for none. */
static const struct ip_tunnel_encap *outer_encap(const struct outer *o,
						 const struct tunnel_config *c)
{
	const struct ip_tunnel_encap *encap = c->collect_md ? tunnel_info_encap(o->info) : &c->encap;

	return encap && encap->type != TUNNEL_ENCAP_NONE ? encap : NULL;
}

/* An external device: everything is in the packet's metadata. */
static enum tunnel_drop outer_from_metadata(struct outer *o, struct sk_buff *skb,
					    const struct tunnel_config *c,
					    const struct tunnel_header *h)
{
	const struct ip_tunnel_info *info = metadata_to_send(skb);
	const struct ip_tunnel_encap *encap;
	const struct ip_tunnel_key *key;
	int encap_hlen = 0;

	if (unlikely(!info))
		return DROP_TX_NO_METADATA;
	key = &info->key;
	o->info = info;
	o->daddr = key->u.ipv4.dst;
	o->saddr = key->u.ipv4.src;
	o->df = tunnel_key_test_flag(key, IP_TUNNEL_DONT_FRAGMENT_BIT) ? htons(IP_DF) : 0;
	o->tos = key->tos == 1 ? inner_tos(o) : key->tos;
	o->ttl = key->ttl;
	o->cached = false;
	o->cache = NULL;
	if (ip_tunnel_dst_cache_usable(skb, info))
		o->cache = (struct dst_cache *)&info->dst_cache;
	encap = outer_encap(o, c);
	if (encap)
		encap_hlen = ip_encap_hlen((struct ip_tunnel_encap *)encap);
	o->header_len = h->len + encap_hlen;
	return unlikely(encap_hlen < 0) ? DROP_TX_ENCAP : DROP_NONE;
}

#if IS_ENABLED(CONFIG_IPV6)
/**
 * transmit_nexthop_ipv6() - the next hop of an inner IPv6 packet
 * @skb: the packet; its dst may be NULL
 * @hop: the next hop
 *
 * Return: false if there is none. BH disabled.
 */
bool transmit_nexthop_ipv6(struct sk_buff *skb, struct in6_addr *hop)
{
	struct neighbour *neigh = NULL;

	if (skb_valid_dst(skb))
		neigh = dst_neigh_lookup(skb_dst(skb), &ipv6_hdr(skb)->daddr);
	if (!neigh)
		return false;
	*hop = *(const struct in6_addr *)&neigh->primary_key;
	neigh_release(neigh);
	if (ipv6_addr_any(hop))
		*hop = ipv6_hdr(skb)->daddr;
	return true;
}

/* An IPv4-compatible next hop (::a.b.c.d) names the outer destination. */
static enum tunnel_drop nexthop_ipv6(struct outer *o, struct sk_buff *skb)
{
	struct in6_addr hop;

	if (!transmit_nexthop_ipv6(skb, &hop))
		return DROP_TX_NO_PEER;
	if (ipv6_addr_type(&hop) & IPV6_ADDR_COMPATv4)
		o->daddr = hop.s6_addr32[3];
	if (o->daddr)
		return DROP_NONE;
	memset(IP6CB(skb), 0, sizeof(*IP6CB(skb)));
	dst_link_failure(skb);
	return DROP_TX_NO_PEER;
}
#else
static enum tunnel_drop nexthop_ipv6(struct outer *o, struct sk_buff *skb)
{
	return DROP_TX_WRONG_PAYLOAD;
}
#endif

/* No remote is configured: a lightweight tunnel's, or the route's next hop. */
static enum tunnel_drop outer_from_nexthop(struct outer *o, struct sk_buff *skb)
{
	const struct ip_tunnel_info *info;

	if (unlikely(!skb_dst(skb)))
		return DROP_TX_NO_NEXTHOP;

	info = metadata_to_send(skb);
	if (info && info->key.u.ipv4.dst) {
		o->daddr = info->key.u.ipv4.dst;
		if (ip_tunnel_dst_cache_usable(skb, info))
			o->cache = (struct dst_cache *)&info->dst_cache;
		return DROP_NONE;
	}
	if (unlikely(!skb_valid_dst(skb)))
		return DROP_TX_NO_NEXTHOP;
	if (o->payload == htons(ETH_P_IP)) {
		o->daddr = rt_nexthop(skb_rtable(skb), o->inner->daddr);
		return DROP_NONE;
	}
	if (o->payload == htons(ETH_P_IPV6))
		return nexthop_ipv6(o, skb);
	return DROP_TX_WRONG_PAYLOAD;
}

/*
 * Many destinations: the kind found this one, or it is in @template, the header
 * that header_ops made, or it is the next hop.
 */
static enum tunnel_drop outer_from_packet(struct outer *o, struct sk_buff *skb,
					  const struct tunnel_header *h,
					  const struct iphdr *template)
{
	o->cached = false;
	if (h->daddr) {
		o->daddr = h->daddr;
	} else if (template) {
		o->daddr = template->daddr;
		o->saddr = template->saddr;
		o->df |= template->frag_off & htons(IP_DF);
		o->tos = template->tos;
		o->ttl = template->ttl;
	}
	return o->daddr ? DROP_NONE : outer_from_nexthop(o, skb);
}

/* A configured tunnel. */
static enum tunnel_drop outer_from_config(struct outer *o, struct sk_buff *skb,
					  const struct tunnel_config *c,
					  const struct tunnel_header *h,
					  const struct iphdr *template)
{
	enum tunnel_drop drop;

	o->info = NULL;
	o->daddr = c->remote.ip4;
	o->saddr = c->local.ip4;
	o->df = c->frag_off;
	o->tos = c->tos;
	o->ttl = c->ttl;
	o->header_len = c->header_len;
	/* One destination, one route. */
	o->cached = true;
	o->cache = NULL;

	if (o->payload == htons(ETH_P_IP) && !c->ignore_df)
		o->df |= o->inner->frag_off & htons(IP_DF);
	if (unlikely(template || !o->daddr || h->daddr)) {
		drop = outer_from_packet(o, skb, h, template);
		if (unlikely(drop))
			return drop;
	}
	/* 6in4 has no "inherit/TOS": an odd tos other than 1 is a tos. */
	if (unlikely(o->tos & 1) && !(h->rfc4213 && o->tos != 1)) {
		o->tos &= ~1;
		if (inner_is_ip(o)) {
			/* Routing rules may look at a tos that now varies. */
			o->tos = inner_tos(o);
			o->cached = false;
			o->cache = NULL;
		}
	}
	return DROP_NONE;
}

/* Neither IPsec nor another encapsulation below us, and no special address. */
static u32 transmit_route_kind(const struct rtable *rt, const struct tunnel *t)
{
	if ((rt->rt_type == RTN_UNICAST || rt->rt_type == RTN_LOCAL) &&
	    rt->dst.dev != t->dev && !dst_xfrm(&rt->dst) && !rt->dst.lwtstate)
		return ROUTE_CACHE_PLAIN;
	return 0;
}

/*
 * The flow's hash selects among multipath routes. Computing it is expensive
 * for a forwarded packet, so it is done only when a route is looked up.
 */
static noinline struct rtable *transmit_lookup(struct outer *o, struct sk_buff *skb,
					       struct tunnel *t, const struct tunnel_config *c)
{
	const struct ip_tunnel_key *key = o->info ? &o->info->key : NULL;
	struct flowi4 fl4;
	struct rtable *rt;

	ip_tunnel_init_flow(&fl4, o->protocol, o->daddr, o->saddr,
			    key ? tunnel_id_to_key32(key->tun_id) : c->o_key,
			    o->tos & INET_DSCP_MASK, t->net, key ? 0 : c->link,
			    key ? skb->mark : c->fwmark, skb_get_hash(skb),
			    key ? tunnel_key_flow_flags(key) : 0);
	rt = ip_route_output_key(t->net, &fl4);
	if (IS_ERR(rt))
		return NULL;
	o->saddr = fl4.saddr;
	o->daddr = fl4.daddr;
	if (o->cached)
		route_cache_set(&t->route, c->route_tag | transmit_route_kind(rt, t), rt, fl4.saddr);
	if (o->cache)
		dst_cache_set_ip4(o->cache, &rt->dst, fl4.saddr);
	return rt;
}

static struct rtable *transmit_route(struct outer *o, struct sk_buff *skb, struct tunnel *t,
				     const struct tunnel_config *c)
{
	struct rtable *rt;

	if (likely(o->cached)) {
		rt = route_cache_get(&t->route, c->route_tag, &o->saddr);
		o->borrowed = rt;
		if (likely(rt))
			return rt;
	}
	o->borrowed = false;
	if (o->cache) {
		rt = dst_cache_get_ip4(o->cache, &o->saddr);
		if (rt)
			return rt;
	}
	return transmit_lookup(o, skb, t, c);
}

#if IS_ENABLED(CONFIG_IPV6)
/* The route is this packet's alone if its device has one destination, or if it has. */
static bool transmit_may_change_route(const struct outer *o, struct dst_entry *dst)
{
	if (dst_rt6_info(dst)->rt6i_dst.plen == 128)
		return true;
	return (o->cached || o->info) && !ipv4_is_multicast(o->daddr);
}

static bool transmit_fits_ipv6(struct sk_buff *skb, const struct outer *o, int mtu, int size)
{
	struct dst_entry *dst = skb_valid_dst(skb) ? skb_dst(skb) : NULL;

	if (dst && mtu < dst_mtu(dst) && mtu >= IPV6_MIN_MTU &&
	    transmit_may_change_route(o, dst)) {
		dst_rt6_info(dst)->rt6i_flags |= RTF_MODIFIED;
		dst_metric_set(dst, RTAX_MTU, mtu);
	}
	if (skb_is_gso(skb) || mtu < IPV6_MIN_MTU || size <= mtu)
		return true;
	icmpv6_ndo_send(skb, ICMPV6_PKT_TOOBIG, 0, mtu);
	return false;
}
#else
static bool transmit_fits_ipv6(struct sk_buff *skb, const struct outer *o, int mtu, int size)
{
	return true;
}
#endif

/*
 * Path MTU discovery, RFC 2003 5.1: tell the inner packet's route what fits,
 * and the sender if this packet does not. GSO packets are cut up to fit by the
 * underlay.
 */
static noinline bool transmit_too_big(struct sk_buff *skb, const struct outer *o, int mtu,
				      int size)
{
	memset(&IPCB(skb)->opt, 0, sizeof(IPCB(skb)->opt));
	if (skb_valid_dst(skb) && mtu < dst_mtu(skb_dst(skb)))
		skb_dst_update_pmtu_no_confirm(skb, mtu);

	if (skb->protocol == htons(ETH_P_IPV6))
		return !transmit_fits_ipv6(skb, o, mtu, size);
	if (skb->protocol != htons(ETH_P_IP) || skb_is_gso(skb) ||
	    !(o->inner->frag_off & htons(IP_DF)) || size <= mtu)
		return false;
	icmp_ndo_send(skb, ICMP_DEST_UNREACH, ICMP_FRAG_NEEDED, htonl(mtu));
	return true;
}

/*
 * The route of the inner packet knows the device's MTU already, so there is
 * nothing to tell anybody if that and this packet fit the path.
 */
static bool transmit_fits(struct sk_buff *skb, const struct outer *o, const struct rtable *rt,
			  const struct net_device *dev)
{
	int ethernet = dev->type == ARPHRD_ETHER ? dev->hard_header_len : 0;
	int dev_mtu = READ_ONCE(dev->mtu);
	int size = skb->len - ethernet;
	int mtu;

	if (o->df)
		mtu = (int)dst_mtu(&rt->dst) - (int)sizeof(struct iphdr) - o->header_len - ethernet;
	else
		mtu = skb_valid_dst(skb) ? dst_mtu(skb_dst(skb)) : dev_mtu;
	if (likely(size <= mtu && dev_mtu <= mtu))
		return true;
	return !transmit_too_big(skb, o, mtu, size);
}

#if IS_ENABLED(CONFIG_IPV6)
/*
 * Path MTU discovery of 6in4, RFC 4213 3.2.2: the sender is told of an MTU down
 * to 1280, what every IPv6 link has; below that the outer packet is fragmented.
 * An MTU too small for IPv4 is what two tunnels routed through each other end
 * up with.
 */
static enum tunnel_drop transmit_mtu_rfc4213(struct sk_buff *skb, struct outer *o,
					     const struct rtable *rt,
					     const struct tunnel_header *h)
{
	int mtu = (int)dst_mtu(&rt->dst) - (int)sizeof(struct iphdr) - o->header_len;

	if (!o->df)
		return DROP_NONE;
	if (unlikely(mtu < IPV4_MIN_MTU))
		return DROP_TX_LOOP;
	if (mtu < IPV6_MIN_MTU) {
		mtu = IPV6_MIN_MTU;
		o->df = 0;
	}
	/* The MTU to one of many destinations is not that of the route. */
	if (!h->daddr && skb_valid_dst(skb) && mtu < dst_mtu(skb_dst(skb)))
		skb_dst_update_pmtu_no_confirm(skb, mtu);
	if (likely(skb->len <= mtu || skb_is_gso(skb)))
		return DROP_NONE;
	icmpv6_ndo_send(skb, ICMPV6_PKT_TOOBIG, 0, mtu);
	return DROP_TX_TOO_BIG;
}
#else
static enum tunnel_drop transmit_mtu_rfc4213(struct sk_buff *skb, struct outer *o,
					     const struct rtable *rt,
					     const struct tunnel_header *h)
{
	return DROP_NONE;
}
#endif

/* ICMP errors came back for this tunnel: tell the next few senders. */
static noinline void transmit_report_errors(struct sk_buff *skb, struct tunnel *t,
					    struct outer *o, int count)
{
	memset(&IPCB(skb)->opt, 0, sizeof(IPCB(skb)->opt));
	if (time_before(jiffies, READ_ONCE(t->err_time) + IPTUNNEL_ERR_TIMEO)) {
		WRITE_ONCE(t->err_count, count - 1);
		dst_link_failure(skb);
		/* That looks behind IP options, and may have moved the head for it. */
		o->inner = (const struct iphdr *)skb_network_header(skb);
	} else {
		WRITE_ONCE(t->err_count, 0);
	}
}

/*
 * Room for every header in front, once. The device remembers how much that
 * was, so that the stack leaves it free; bounded, or two tunnels routed
 * through each other would drive it up for ever.
 */
static bool transmit_room(struct sk_buff *skb, struct net_device *dev,
			  const struct rtable *rt, int header_len)
{
	unsigned int room = LL_RESERVED_SPACE(rt->dst.dev) + sizeof(struct iphdr) +
			    rt->dst.header_len + header_len;

	if (skb_cow_head(skb, room))
		return false;
	ip_tunnel_adj_headroom(dev, room);
	return true;
}

/*
 * Remember where the inner headers are, for whoever segments or checksums the
 * packet later. What iptunnel_handle_offloads() does, without the call for the
 * packets that need no more.
 */
static bool transmit_offloads(struct sk_buff *skb, int gso_type)
{
	if (unlikely(skb_is_gso(skb) || skb->encapsulation))
		return !iptunnel_handle_offloads(skb, gso_type);
	skb_reset_inner_headers(skb);
	if (skb->ip_summed == CHECKSUM_PARTIAL)
		skb->encapsulation = 1;
	else
		skb->ip_summed = CHECKSUM_NONE;
	return true;
}

/* FOU or GUE, from the core's registry of encapsulations. */
static noinline bool transmit_encap(struct sk_buff *skb, struct outer *o,
				    const struct ip_tunnel_encap *encap)
{
	struct flowi4 fl4 = { .saddr = o->saddr, .daddr = o->daddr };
	const struct ip_tunnel_encap_ops *ops;

	if (encap->type >= MAX_IPTUN_ENCAP_OPS)
		return false;
	ops = rcu_dereference_bh(iptun_encaps[encap->type]);
	return ops && ops->build_header &&
	       ops->build_header(skb, (struct ip_tunnel_encap *)encap, &o->protocol, &fl4) >= 0;
}

/* Nothing of the inner packet's way so far counts on the outer one's. */
static __always_inline void transmit_scrub(struct sk_buff *skb, const struct tunnel *t)
{
	skb_scrub_packet(skb, !net_eq(t->net, dev_net(t->dev)));
	skb_clear_hash_if_not_l4(skb);
}

/*
 * The outer IP header, and out. A packet that can't be fragmented needs no
 * identification (RFC 6864 4.1); a GSO packet needs one for each segment.
 */
static __always_inline void transmit_output(struct sk_buff *skb, struct tunnel *t,
					    const struct outer *o, struct rtable *rt, int len)
{
	struct net_device *dev = t->dev;
	struct net *net = t->net;
	struct iphdr *iph;
	int err;

	if (likely(o->borrowed))
		skb_dst_set_noref(skb, &rt->dst);
	else
		skb_dst_set(skb, &rt->dst);
	memset(IPCB(skb), 0, sizeof(*IPCB(skb)));

	/* transmit_room() made sure that it fits. */
	iph = __skb_push(skb, sizeof(*iph));
	skb_reset_network_header(skb);
	*(__be16 *)iph	= htons(4 << 12 | (sizeof(*iph) / 4) << 8 | o->tos);
	iph->frag_off	= o->df;
	iph->ttl	= o->ttl;
	iph->protocol	= o->protocol;
	iph->saddr	= o->saddr;
	iph->daddr	= o->daddr;
	if (likely(o->df))
		iph->id = 0;
	else
		__ip_select_ident(net, iph, skb_shinfo(skb)->gso_segs ?: 1);

	err = ip_local_out(net, NULL, skb);
	if (unlikely(net_xmit_eval(err)))
		tunnel_drop_count(t, DROP_TX_UNDERLAY);
	else
		dev_sw_netstats_tx_add(dev, 1, len);
}

/* The same for packets of all sorts. */
static noinline void transmit_output_any(struct sk_buff *skb, struct tunnel *t, struct outer *o,
					 struct rtable *rt)
{
	if (ip_mtu_locked(&rt->dst))
		o->df = 0;
	transmit_scrub(skb, t);
	transmit_output(skb, t, o, rt, skb->len - skb_inner_network_offset(skb));
}

/*
 * RFC 6040 is about IP in IP: what an Ethernet frame carries is the business of
 * whoever sent it, here and in receive_ecn().
 */
static u8 transmit_inner_ecn(const struct outer *o, const struct net_device *dev)
{
	return dev->type == ARPHRD_ETHER ? 0 : inner_tos(o);
}

/* With a route in hand, which the caller releases on failure. */
static enum tunnel_drop transmit_routed(struct sk_buff *skb, struct tunnel *t,
					const struct tunnel_config *c,
					const struct tunnel_header *h, struct outer *o,
					struct rtable *rt)
{
	const struct ip_tunnel_encap *encap;
	enum tunnel_drop drop;
	int errors;

	if (unlikely(rt->dst.dev == t->dev))
		return DROP_TX_LOOP;
	if (h->rfc4213) {
		drop = transmit_mtu_rfc4213(skb, o, rt, h);
		if (unlikely(drop))
			return drop;
	} else if (unlikely(!transmit_fits(skb, o, rt, t->dev))) {
		return DROP_TX_TOO_BIG;
	}
	errors = READ_ONCE(t->err_count);
	if (unlikely(errors > 0))
		transmit_report_errors(skb, t, o, errors);

	o->tos = INET_ECN_encapsulate(o->tos, transmit_inner_ecn(o, t->dev));
	if (!o->ttl)
		o->ttl = inner_ttl(o, rt);

	/* From here on the head may move: o->inner is stale. */
	if (unlikely(!transmit_room(skb, t->dev, rt, o->header_len)))
		return DROP_TX_NO_MEMORY;
	if (unlikely(!transmit_offloads(skb, h->gso_type)))
		return DROP_TX_NO_MEMORY;
	if (h->inner_ipproto)
		skb_set_inner_ipproto(skb, h->inner_ipproto);
	if (t->kind->build) {
		drop = INDIRECT_CALL_1(t->kind->build, gre_build, skb, t, c, h);
		if (unlikely(drop))
			return drop;
	}
	encap = outer_encap(o, c);
	if (unlikely(encap) && !transmit_encap(skb, o, encap))
		return DROP_TX_ENCAP;
	return DROP_NONE;
}

/**
 * transmit_pull_slow() - make the inner IP header readable
 * @skb: the packet, skb->data at the IP header or at the Ethernet frame;
 *	skb_network_header() is set behind VLAN tags
 * @dev: the tunnel's device
 *
 * Called by transmit_pull(). The head may move. BH disabled.
 *
 * Return: false if the packet is too short to have the header it should.
 */
bool transmit_pull_slow(struct sk_buff *skb, const struct net_device *dev)
{
	unsigned int offset = ETH_HLEN, inner = 0;
	__be16 type = skb->protocol;

	if (dev->type != ARPHRD_ETHER || likely(!eth_type_vlan(type)))
		return pskb_inet_may_pull(skb);
	while (eth_type_vlan(type)) {
		if (offset > ETH_HLEN + VLAN_TAGS_MAX * VLAN_HLEN || !pskb_may_pull(skb, offset + VLAN_HLEN))
			return false;
		type = ((struct vlan_hdr *)(skb->data + offset))->h_vlan_encapsulated_proto;
		offset += VLAN_HLEN;
	}
	if (type == htons(ETH_P_IP))
		inner = sizeof(struct iphdr);
	else if (type == htons(ETH_P_IPV6))
		inner = sizeof(struct ipv6hdr);
	if (!pskb_may_pull(skb, offset + inner))
		return false;
	skb_set_network_header(skb, offset);
	return true;
}

/* EtherType of what is at skb_network_header() after transmit_pull(). */
static __be16 transmit_payload(const struct sk_buff *skb, const struct net_device *dev)
{
	if (dev->type != ARPHRD_ETHER || likely(!eth_type_vlan(skb->protocol)))
		return skb->protocol;
	return *(const __be16 *)(skb_network_header(skb) - sizeof(__be16));
}

/*
 * An address embedded in an IPv6 address may be anything: a packet for it must
 * not become a broadcast (RFC 3964 4.1).
 */
static bool transmit_route_is_good(const struct rtable *rt, const struct tunnel_header *h)
{
	return !h->rfc4213 || rt->rt_type == RTN_UNICAST || rt->rt_type == RTN_LOCAL;
}

/* @rt is a route that is not good, or NULL. An IPv6 sender is told. */
static noinline enum tunnel_drop transmit_no_route(struct sk_buff *skb, struct rtable *rt,
						   const struct tunnel_header *h,
						   const struct outer *o)
{
	if (rt && !o->borrowed)
		ip_rt_put(rt);
	if (h->rfc4213) {
		memset(IP6CB(skb), 0, sizeof(*IP6CB(skb)));
		dst_link_failure(skb);
	}
	return DROP_TX_NO_ROUTE;
}

static noinline enum tunnel_drop transmit_packet(struct sk_buff *skb, struct tunnel *t,
						 const struct tunnel_config *c,
						 const struct tunnel_header *h,
						 const struct iphdr *template)
{
	struct outer o __uninitialized;
	enum tunnel_drop drop;
	struct rtable *rt;

	o.inner = (const struct iphdr *)skb_network_header(skb);
	o.payload = transmit_payload(skb, t->dev);
	o.protocol = h->protocol;
	if (c->collect_md)
		drop = outer_from_metadata(&o, skb, c, h);
	else
		drop = outer_from_config(&o, skb, c, h, template);
	if (unlikely(drop))
		return drop;

	rt = transmit_route(&o, skb, t, c);
	if (unlikely(!rt || !transmit_route_is_good(rt, h)))
		return transmit_no_route(skb, rt, h, &o);
	drop = transmit_routed(skb, t, c, h, &o, rt);
	if (unlikely(drop)) {
		if (!o.borrowed)
			ip_rt_put(rt);
		return drop;
	}
	transmit_output_any(skb, t, &o, rt);
	return DROP_NONE;
}

/*
 * What the outer header takes from the inner packet of a fixed tunnel: ECN (not
 * from an Ethernet payload, see transmit_inner_ecn()), DF and, if inherited, the
 * ttl. That is 0 if the payload has none.
 */
static __always_inline void outer_from_fixed(struct outer *o, const struct sk_buff *skb,
					     const struct tunnel_config *c, bool ethernet)
{
	const void *inner = skb_network_header(skb);
	u8 dsfield = 0;

	o->df = c->frag_off;
	o->ttl = c->ttl;
	if (skb->protocol == htons(ETH_P_IP)) {
		dsfield = ((const struct iphdr *)inner)->tos;
		if (!o->ttl)
			o->ttl = ((const struct iphdr *)inner)->ttl;
		if (!c->ignore_df)
			o->df |= ((const struct iphdr *)inner)->frag_off & htons(IP_DF);
	} else if (skb->protocol == htons(ETH_P_IPV6)) {
		dsfield = ipv6_get_dsfield(inner);
		if (!o->ttl)
			o->ttl = ((const struct ipv6hdr *)inner)->hop_limit;
	}
	o->tos = INET_ECN_encapsulate(c->tos, ethernet ? 0 : dsfield);
	o->daddr = c->remote.ip4;
}

/*
 * dst_mtu() of a plain route: if nothing on the path or in the routing table
 * says otherwise, that is the device's MTU.
 */
static __always_inline unsigned int transmit_plain_mtu(const struct rtable *rt)
{
	if (unlikely(rt->rt_pmtu || dst_metric_raw(&rt->dst, RTAX_MTU)))
		return dst_mtu(&rt->dst);
	return min_t(unsigned int, READ_ONCE(rt->dst.dev->mtu), IP_MAX_MTU);
}

/*
 * As transmit_fits(), but false for everything that there is something to do
 * about. 6in4 minds the MTU only where the outer packet can't be fragmented.
 */
static __always_inline bool transmit_fits_fixed(const struct sk_buff *skb, const struct outer *o,
						const struct rtable *rt, int dev_mtu,
						int overhead, int ethernet, bool rfc4213)
{
	int mtu;

	if (unlikely(!o->df && rfc4213))
		return true;
	if (likely(o->df))
		mtu = (int)transmit_plain_mtu(rt) - overhead - ethernet;
	else
		mtu = skb_valid_dst(skb) ? dst_mtu(skb_dst(skb)) : dev_mtu;
	if (unlikely(dev_mtu > mtu))
		return false;
	/* Without a transport header that reads anywhere. */
	if (unlikely(skb_is_gso(skb)))
		return skb_transport_header_was_set(skb) && skb_gso_validate_network_len(skb, mtu);
	return (int)skb->len - ethernet <= mtu;
}

/*
 * The outer header and the route of a packet of a fixed tunnel; false if
 * anything about them, or about the packet's size, is unusual.
 */
static __always_inline bool transmit_fixed_outer(const struct sk_buff *skb, struct tunnel *t,
						 const struct tunnel_config *c,
						 const struct tunnel_header *h, struct outer *o,
						 struct rtable **rt)
{
	const struct net_device *dev = t->dev;
	bool ethernet = dev->type == ARPHRD_ETHER;

	if (unlikely(READ_ONCE(t->err_count) > 0))
		return false;
	if (unlikely(ethernet && eth_type_vlan(skb->protocol)))
		return false;
	*rt = route_cache_get_plain(&t->route, c->route_tag, &o->saddr);
	if (unlikely(!*rt || ip_mtu_locked(&(*rt)->dst)))
		return false;
	outer_from_fixed(o, skb, c, ethernet);
	if (unlikely(!o->ttl))
		return false;
	o->protocol = h->protocol;
	o->borrowed = true;
	return transmit_fits_fixed(skb, o, *rt, READ_ONCE(dev->mtu), sizeof(struct iphdr) + h->len,
				   ethernet ? dev->hard_header_len : 0, h->rfc4213);
}

/* Whether the headers can be put in front of it just so. */
static __always_inline bool transmit_fixed_room(const struct sk_buff *skb, const struct rtable *rt,
						const struct tunnel_header *h)
{
	return skb_headroom(skb) >= LL_RESERVED_SPACE(rt->dst.dev) + sizeof(struct iphdr) + h->len &&
	       !skb_header_cloned(skb);
}

static __always_inline void transmit_fixed_send(struct sk_buff *skb, struct tunnel *t,
						const struct tunnel_header *h,
						const struct outer *o, struct rtable *rt)
{
	int len = skb->len - skb_network_offset(skb);

	/* Nobody asks where the inner headers are unless there is work left. */
	if (skb->ip_summed == CHECKSUM_PARTIAL) {
		skb_reset_inner_headers(skb);
		skb->encapsulation = 1;
		if (h->inner_ipproto)
			skb_set_inner_ipproto(skb, h->inner_ipproto);
	} else {
		skb->ip_summed = CHECKSUM_NONE;
	}
	if (h->len)
		gre_push(skb, t, h);
	transmit_output(skb, t, o, rt, len);
}

/*
 * The fast lane: a packet that is all right, on a tunnel whose outer header is
 * known beforehand (tunnel_config.fixed) and whose route is cached and plain.
 * It gets what transmit_packet() would do to it, in a third of the instructions:
 * nothing is copied that a configuration or a route has, and no case is
 * distinguished that these exclude.
 *
 * Return: false if anything at all is unusual: then the packet is unchanged, and
 * for transmit_packet(), which sees to every case.
 */
static __always_inline bool transmit_fixed(struct sk_buff *skb, struct tunnel *t,
					   const struct tunnel_config *c,
					   const struct tunnel_header *h)
{
	struct outer o __uninitialized;
	struct rtable *rt;

	if (unlikely(skb_is_gso(skb) || skb->encapsulation))
		return false;
	if (unlikely(!transmit_fixed_outer(skb, t, c, h, &o, &rt)))
		return false;
	if (unlikely(!transmit_fixed_room(skb, rt, h)))
		return false;
	transmit_scrub(skb, t);
	transmit_fixed_send(skb, t, h, &o, rt);
	return true;
}

/* One packet, or one segment of one. */
static void transmit_one(struct sk_buff *skb, struct tunnel *t, const struct tunnel_config *c,
			 const struct tunnel_header *h, const struct iphdr *template)
{
	enum tunnel_drop drop;

	if (likely(c->fixed) && likely(transmit_fixed(skb, t, c, h)))
		return;
	drop = transmit_packet(skb, t, c, h, template);
	if (unlikely(drop))
		tunnel_drop(t, skb, drop);
}

/*
 * Cut a GSO packet up, whichever lane its segments take.
 *
 * Return: the segments, or NULL if there was no memory for them. The packet is
 * consumed.
 */
static struct sk_buff *transmit_cut(struct sk_buff *skb, struct tunnel *t)
{
	struct sk_buff *segments = skb_gso_segment(skb, t->dev->features & ~NETIF_F_GSO_MASK);

	if (IS_ERR_OR_NULL(segments)) {
		tunnel_drop(t, skb, DROP_TX_NO_MEMORY);
		return NULL;
	}
	consume_skb(skb);
	return segments;
}

/*
 * Segments of one packet have one inner header, so one outer header and one
 * route do for all of them, and they are scrubbed together. One that lacks
 * headroom goes the way of all others, where it finds nothing left to scrub.
 *
 * Return: false if the packet is not for this lane, and unchanged.
 */
static bool transmit_segments_fixed(struct sk_buff *skb, struct tunnel *t,
				    const struct tunnel_config *c, const struct tunnel_header *h)
{
	struct outer o __uninitialized;
	struct sk_buff *segments, *next;
	struct rtable *rt;

	if (skb->encapsulation || !transmit_fixed_outer(skb, t, c, h, &o, &rt))
		return false;
	transmit_scrub(skb, t);
	segments = transmit_cut(skb, t);
	skb_list_walk_safe(segments, skb, next) {
		skb_mark_not_on_list(skb);
		if (likely(transmit_fixed_room(skb, rt, h)))
			transmit_fixed_send(skb, t, h, &o, rt);
		else
			transmit_one(skb, t, c, h, NULL);
	}
	return true;
}

/*
 * The underlay segments a GSO packet, and repeats what is in front of it. With
 * a sequence number, each segment needs a header of its own: segment it here,
 * which still spares TCP and the queueing layer the work for each of them.
 */
static noinline void transmit_segments(struct sk_buff *skb, struct tunnel *t,
				       const struct tunnel_config *c,
				       const struct tunnel_header *h,
				       const struct iphdr *template)
{
	struct sk_buff *segments, *next;

	if (c->fixed && transmit_segments_fixed(skb, t, c, h))
		return;
	segments = transmit_cut(skb, t);
	skb_list_walk_safe(segments, skb, next) {
		skb_mark_not_on_list(skb);
		transmit_one(skb, t, c, h, template);
	}
}

/**
 * transmit() - send an inner packet through a tunnel
 * @skb: the packet, consumed. skb->data and skb_network_header() are at the
 *	inner packet (for Ethernet, skb->data at the frame); the inner IP header
 *	can be read.
 * @t: the tunnel
 * @c: its configuration
 * @h: the header that the kind is going to build
 * @template: outer header made by header_ops for this packet, a copy; or NULL
 *
 * Return: NETDEV_TX_OK always; drops are counted. BH disabled.
 */
netdev_tx_t transmit(struct sk_buff *skb, struct tunnel *t, const struct tunnel_config *c,
		     const struct tunnel_header *h, const struct iphdr *template)
{
	/* A tap's owner may claim it anywhere, and the checksum goes where we write. */
	if (unlikely(skb->ip_summed == CHECKSUM_PARTIAL && skb_checksum_start_offset(skb) < 0)) {
		tunnel_drop(t, skb, DROP_TX_TRUNCATED);
		return NETDEV_TX_OK;
	}
	if (unlikely(!transmit_enter())) {
		net_warn_ratelimited("culvert: %s: too many nested tunnels, or a loop\n",
				     t->dev->name);
		tunnel_drop(t, skb, DROP_TX_RECURSION);
		return NETDEV_TX_OK;
	}
	if (unlikely(h->segment && skb_is_gso(skb)))
		transmit_segments(skb, t, c, h, template);
	else
		transmit_one(skb, t, c, h, template);
	transmit_leave();
	return NETDEV_TX_OK;
}

static enum tunnel_drop transmit_outer_routed(struct sk_buff *skb, struct tunnel *t,
					      const struct tunnel_config *c, struct outer *o,
					      struct rtable *rt)
{
	const struct ip_tunnel_encap *encap = outer_encap(o, c);

	if (unlikely(rt->dst.dev == t->dev))
		return DROP_TX_LOOP;
	if (unlikely(!transmit_room(skb, t->dev, rt, o->header_len)))
		return DROP_TX_NO_MEMORY;
	skb_reset_inner_headers(skb);
	skb_reset_transport_header(skb);
	if (encap && !transmit_encap(skb, o, encap))
		return DROP_TX_ENCAP;
	transmit_output_any(skb, t, o, rt);
	return DROP_NONE;
}

/**
 * transmit_outer() - send a GRE packet that nobody encapsulates
 * @skb: the packet, skb->data at its GRE header; consumed on success
 * @t: the tunnel in whose underlay and on whose account it is sent
 * @c: its configuration: device, mark, tos, FOU or GUE
 * @saddr: outer source
 * @daddr: outer destination
 * @ttl: outer ttl
 *
 * Return: DROP_NONE, or why it was not sent. BH disabled, RCU.
 */
enum tunnel_drop transmit_outer(struct sk_buff *skb, struct tunnel *t,
				const struct tunnel_config *c, __be32 saddr, __be32 daddr,
				u8 ttl)
{
	struct outer o = {
		.saddr		= saddr,
		.daddr		= daddr,
		.header_len	= c->header_len,
		.protocol	= IPPROTO_GRE,
		.tos		= c->tos & ~1,
		.ttl		= ttl,
	};
	enum tunnel_drop drop;
	struct rtable *rt;

	if (unlikely(this_cpu_read(transmit_depth) >= TRANSMIT_DEPTH_MAX))
		return DROP_TX_RECURSION;
	rt = transmit_route(&o, skb, t, c);
	if (unlikely(!rt))
		return DROP_TX_NO_ROUTE;
	this_cpu_inc(transmit_depth);
	drop = transmit_outer_routed(skb, t, c, &o, rt);
	this_cpu_dec(transmit_depth);
	if (unlikely(drop) && !o.borrowed)
		ip_rt_put(rt);
	return drop;
}
