// SPDX-License-Identifier: GPL-2.0-only
/* Copyright (C) 2026 The culvert authors */
/*
 * From an outer packet whose tunnel is known to the inner packet in the stack:
 * take the headers off, check what the tunnel demands, hand over.
 */

#include <linux/etherdevice.h>
#include <linux/if_vlan.h>
#include <linux/percpu.h>
#include <linux/tcp.h>
#include <net/dst_metadata.h>
#include <net/inet_ecn.h>
#include <net/xfrm.h>

#include "cells.h"
#include "culvert.h"

/*
 * How many receptions may be on this CPU's stack before the next one goes
 * through a queue: a tunnel in a tunnel in a tunnel must not run out of stack.
 */
#define RECEIVE_DEPTH	1

/* Per CPU, with BH disabled. */
static DEFINE_PER_CPU(unsigned int, receive_depth);

/* Whether RFC 2890's sequence number is the expected one or a later one. */
static bool receive_in_order(struct tunnel *t, const struct tunnel_packet *p)
{
	int expected = atomic_read(&t->i_seqno);

	if (!(p->flags & GRE_SEQ))
		return false;
	do {
		if (expected && (s32)(p->seq - (u32)expected) < 0)
			return false;
	} while (!atomic_try_cmpxchg(&t->i_seqno, &expected, p->seq + 1));
	return true;
}

/* What the tunnel's configuration demands of every packet. */
static enum tunnel_drop receive_check(struct tunnel *t, const struct tunnel_config *c,
				      const struct tunnel_packet *p)
{
	if (unlikely((p->flags ^ c->i_flags) & GRE_CSUM))
		return DROP_RX_CSUM_MODE;
	if (unlikely(c->i_flags & GRE_SEQ) && !receive_in_order(t, p))
		return DROP_RX_OUT_OF_ORDER;
	return DROP_NONE;
}

/*
 * Take off everything in front of the payload. skb->network_header still is
 * the outer one's afterwards.
 */
static enum tunnel_drop receive_pull(struct sk_buff *skb, const struct tunnel_packet *p)
{
	const struct ethhdr *eth;

	if (unlikely(!pskb_may_pull(skb, p->header_len)))
		return DROP_RX_TRUNCATED;
	/* A checksum over the whole packet has to follow. */
	if (skb->ip_summed == CHECKSUM_COMPLETE)
		skb_pull_rcsum(skb, p->header_len);
	else
		__skb_pull(skb, p->header_len);
	/* One that is to be made for the header goes with it. */
	if (skb->ip_summed == CHECKSUM_PARTIAL && unlikely(skb_checksum_start_offset(skb) < 0))
		skb->ip_summed = CHECKSUM_NONE;

	skb->protocol = p->proto;
	if (p->proto == htons(ETH_P_TEB) && !p->raw) {
		if (unlikely(!pskb_may_pull(skb, ETH_HLEN)))
			return DROP_RX_TRUNCATED;
		eth = (const struct ethhdr *)skb->data;
		skb->protocol = eth_proto_is_802_3(eth->h_proto) ? eth->h_proto :
								   htons(ETH_P_802_2);
	}

	skb_clear_hash_if_not_l4(skb);
	__vlan_hwaccel_clear_tag(skb);
	skb_set_queue_mapping(skb, 0);
	if (unlikely(iptunnel_pull_offloads(skb)))
		return DROP_RX_NO_MEMORY;
	return DROP_NONE;
}

/*
 * RFC 6040: carry congestion marks from the outer to the inner IP header. An
 * outer header that is not ECN capable has none, and contradicts no inner one.
 */
static __always_inline enum tunnel_drop receive_ecn(struct sk_buff *skb,
						    const struct iphdr *outer)
{
	int err;

	if (likely(INET_ECN_is_not_ect(outer->tos)))
		return DROP_NONE;
	/* What is behind a VLAN tag has not been pulled. */
	if (skb->protocol != htons(ETH_P_IP) && skb->protocol != htons(ETH_P_IPV6))
		return DROP_NONE;
	err = IP_ECN_decapsulate(outer, skb);
	if (likely(!err))
		return DROP_NONE;
	if (log_ecn_error)
		net_info_ratelimited("culvert: non-ECT from %pI4 with TOS=%#x\n",
				     &outer->saddr, outer->tos);
	return err > 1 ? DROP_RX_ECN : DROP_NONE;
}

/*
 * Where the transport header of an inner packet is, from skb->data, and whose
 * it is; 0 if that takes more than a look.
 */
static unsigned int receive_transport(const struct sk_buff *skb, u8 *protocol)
{
	const void *inner = skb->data;

	if (skb->protocol == htons(ETH_P_IP)) {
		*protocol = ((const struct iphdr *)inner)->protocol;
		return max_t(unsigned int, ((const struct iphdr *)inner)->ihl * 4,
			     sizeof(struct iphdr));
	}
	if (skb->protocol == htons(ETH_P_IPV6)) {
		*protocol = ((const struct ipv6hdr *)inner)->nexthdr;
		if (*protocol == IPPROTO_TCP || *protocol == IPPROTO_UDP)
			return sizeof(struct ipv6hdr);
		return 0;
	}
	*protocol = 0;
	return 0;
}

/*
 * Whether GRO could merge this TCP packet with others: not one that is merged
 * already, nor one without data, an acknowledgement. A tap may still have to
 * read a clone, and GRO takes packets apart.
 */
static bool receive_can_merge(const struct sk_buff *skb, unsigned int transport)
{
	const struct tcphdr *tcp = (const struct tcphdr *)(skb->data + transport);

	if (skb_is_gso(skb) || skb_cloned(skb) || !(skb->dev->features & NETIF_F_GRO))
		return false;
	if (unlikely(skb_headlen(skb) < transport + sizeof(*tcp)))
		return true;
	return skb->len > transport + tcp->doff * 4;
}

static bool receive_straight(struct sk_buff *skb)
{
	this_cpu_inc(receive_depth);
	netif_receive_skb(skb);
	this_cpu_dec(receive_depth);
	return true;
}

static bool receive_gro(struct sk_buff *skb)
{
	bool taken;

	this_cpu_inc(receive_depth);
	taken = cells_gro(skb);
	this_cpu_dec(receive_depth);
	return taken;
}

/*
 * TCP, or a packet that is merged already. The softirq round that GRO costs is
 * a third of a small packet's price, so it gets only what it can merge; but no
 * packet of a flow overtakes those that it holds.
 */
static __always_inline bool receive_stream(struct sk_buff *skb, unsigned int transport, bool tcp)
{
	/* Merged, and not plainly IP: what is where, GRO finds out. */
	if (unlikely(!transport))
		return receive_gro(skb);
	if (tcp) {
		if (receive_can_merge(skb, transport))
			return receive_gro(skb);
		if (!cells_idle())
			return cells_queue(skb, skb->dev);
	}
	return receive_straight(skb);
}

/*
 * It is the outer one's till now, in front of skb->data, where nobody who cuts a
 * merged packet up or counts its segments expects it.
 */
static __always_inline void receive_transport_header(struct sk_buff *skb, unsigned int transport)
{
	if (likely(transport))
		skb_set_transport_header(skb, transport);
	else
		skb->transport_header = (typeof(skb->transport_header))~0U;
}

/*
 * Into the stack, straight up where that is safe for the stack's depth and
 * there is no gain in GRO.
 */
static void receive_deliver(struct tunnel *t, struct sk_buff *skb)
{
	unsigned int transport;
	u8 protocol;
	bool taken;

	transport = receive_transport(skb, &protocol);
	receive_transport_header(skb, transport);
	if (this_cpu_read(receive_depth) >= RECEIVE_DEPTH)
		taken = cells_queue(skb, skb->dev);
	else if (protocol == IPPROTO_TCP || skb_is_gso(skb))
		taken = receive_stream(skb, transport, protocol == IPPROTO_TCP);
	else
		taken = receive_straight(skb);
	if (unlikely(!taken))
		tunnel_drop(t, skb, DROP_RX_BACKLOG);
}

/* The sender of the outer packet, for PF_PACKET, is in its header. */
static void receive_mac_header(struct sk_buff *skb, const struct tunnel *t)
{
	if (t->dev->header_ops == &gre_header_ops)
		skb_pop_mac_header(skb);
	else
		skb_reset_mac_header(skb);
}

static enum tunnel_drop receive_decapsulate(struct sk_buff *skb, const struct tunnel_config *c,
					    const struct tunnel_packet *p,
					    struct metadata_dst **md)
{
	struct tunnel *t = c->tunnel;
	bool ethernet = t->kind->dev_type == ARPHRD_ETHER;
	enum tunnel_drop drop;
	int outer;

	drop = receive_pull(skb, p);
	if (drop)
		return drop;
	receive_mac_header(skb, t);
	if (unlikely(c->announced) && !*md) {
		*md = metadata_received(skb, p, 0);
		if (unlikely(!*md))
			return DROP_RX_NO_MEMORY;
	}
	drop = receive_check(t, c, p);
	if (drop)
		return drop;

	/* Pulling may move the head; the outer header is found again by this. */
	outer = skb_network_header(skb) - skb->head;
	if (ipv4_is_multicast(((struct iphdr *)(skb->head + outer))->daddr) &&
	    t->kind->family == FAMILY_GRE) {
		DEV_STATS_INC(t->dev, multicast);
		skb->pkt_type = PACKET_BROADCAST;
	}
	skb_set_network_header(skb, ethernet ? ETH_HLEN : 0);
	if (unlikely(!pskb_inet_may_pull(skb)))
		return DROP_RX_TRUNCATED;
	if (!ethernet) {
		drop = receive_ecn(skb, (const struct iphdr *)(skb->head + outer));
		if (drop)
			return drop;
	}

	dev_sw_netstats_rx_add(t->dev, skb->len);
	skb_scrub_packet(skb, !net_eq(t->net, dev_net(t->dev)));
	if (ethernet) {
		skb->protocol = eth_type_trans(skb, t->dev);
		skb_postpull_rcsum(skb, eth_hdr(skb), ETH_HLEN);
	} else {
		skb->dev = t->dev;
	}
	if (*md) {
		skb_dst_set(skb, &(*md)->dst);
		if (t->peers)
			peers_learn(skb, t);
	}
	return DROP_NONE;
}

/**
 * receive() - take a packet out of its tunnel and give it to the stack
 * @skb: the outer packet, consumed. skb->data is at the transport header,
 *	skb_network_header() at the outer IP header, skb->dev the device it came
 *	through
 * @c: the tunnel's configuration, from table_lookup()
 * @p: what the kind found in its header
 * @md: metadata with options that the kind made, consumed; or NULL
 *
 * Return: 0, the value for an inet protocol handler. Softirq, RCU.
 */
int receive(struct sk_buff *skb, const struct tunnel_config *c, const struct tunnel_packet *p,
	    struct metadata_dst *md)
{
	enum tunnel_drop drop = receive_decapsulate(skb, c, p, &md);

	if (likely(!drop)) {
		receive_deliver(c->tunnel, skb);
		return 0;
	}
	if (md)
		dst_release(&md->dst);
	tunnel_drop(c->tunnel, skb, drop);
	return 0;
}
