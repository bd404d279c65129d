// SPDX-License-Identifier: GPL-2.0-only
/* Copyright (C) 2026 The culvert authors */
/*
 * Generic Routing Encapsulation (RFC 2784, RFC 2890): what gre, gretap and
 * erspan devices have in common. One protocol handler serves all three: the
 * EtherType says which kind a packet is for.
 */

#include <linux/if_ether.h>
#include <net/gre.h>
#include <net/icmp.h>
#include <net/protocol.h>
#include <net/route.h>

#include "culvert.h"
#include "gre.h"
#include "table.h"
#include "wire_erspan.h"
#include "wire_gre.h"

/* Cisco's Web Cache Communication Protocol, draft-ietf-wrec-wccp-01 and -v2 */
#define WCCP_REDIRECT_LEN	4

/* Make the whole header readable and decode it. Pulling may move the head. */
static noinline enum tunnel_drop gre_pull_and_parse(struct sk_buff *skb, unsigned int offset,
						    struct gre_header *g)
{
	unsigned int len = WIRE_GRE_BASE_LEN;
	int err;

	memset(g, 0, sizeof(*g));
	for (;;) {
		if (unlikely(!pskb_may_pull(skb, offset + len)))
			return DROP_RX_BAD_HEADER;
		err = wire_gre_parse(g, skb->data + offset, len);
		if (likely(err >= 0))
			return DROP_NONE;
		if (err == GRE_BAD_VERSION)
			return DROP_RX_BAD_VERSION;
		len = g->len;
	}
}

/*
 * Decode the header. @offset is where it is, from skb->data. The head of the
 * packet may move if it has less than all of it.
 */
static __always_inline enum tunnel_drop gre_parse(struct sk_buff *skb, unsigned int offset,
						  struct gre_header *g)
{
	unsigned int readable = skb_headlen(skb);

	if (likely(offset < readable &&
		   wire_gre_parse(g, skb->data + offset, readable - offset) >= 0))
		return DROP_NONE;
	return gre_pull_and_parse(skb, offset, g);
}

/* The checksum covers header and payload. RFC 2784 2.2: discard if wrong. */
static enum tunnel_drop gre_check_csum(struct sk_buff *skb, const struct gre_header *g)
{
	if (likely(!(g->flags & WIRE_GRE_CSUM)))
		return DROP_NONE;
	if (unlikely(skb_checksum_simple_validate(skb)))
		return DROP_RX_BAD_CSUM;
	skb_checksum_try_convert(skb, IPPROTO_GRE, null_compute_pseudo);
	return DROP_NONE;
}

/*
 * A WCCP cache engine sends redirected IPv4 packets, in version 2 with a
 * redirect header in front, which is told from an IP header by its first
 * nibble.
 */
static noinline bool gre_unwrap_wccp(const struct sk_buff *skb, unsigned int offset,
				     struct gre_header *g)
{
	const u8 *first;
	u8 buffer;

	first = skb_header_pointer(skb, offset + g->len, sizeof(buffer), &buffer);
	if (!first)
		return false;
	g->proto = ETH_P_IP;
	if (*first >> 4 != 4)
		g->len += WCCP_REDIRECT_LEN;
	return true;
}

/* An EtherType that means nothing to GRE itself. */
static bool gre_is_ip(const struct gre_header *g)
{
	return g->proto == ETH_P_IP || g->proto == ETH_P_IPV6;
}

static bool gre_is_wccp(const struct gre_header *g)
{
	return unlikely(g->proto == ETH_P_WCCP && !g->flags);
}

static bool gre_is_erspan(const struct gre_header *g)
{
	return g->proto == ETH_P_ERSPAN || g->proto == ETH_P_ERSPAN2;
}

static const struct tunnel_kind *gre_kind(const struct gre_header *g)
{
	if (g->proto == ETH_P_TEB)
		return &kind_gretap;
	if (unlikely(gre_is_erspan(g)))
		return &kind_erspan;
	return &kind_gre;
}

static __always_inline void gre_packet(struct tunnel_packet *p, const struct gre_header *g)
{
	p->key = cpu_to_be32(g->key);
	p->seq = g->seq;
	p->flags = cpu_to_be16(g->flags) & (GRE_CSUM | GRE_KEY | GRE_SEQ);
	p->proto = cpu_to_be16(g->proto);
	p->header_len = g->len;
	p->raw = false;
}

static noinline const struct tunnel_config *gre_lookup_ethernet(struct tunnel_net *tn,
								struct sk_buff *skb,
								const struct iphdr *iph,
								struct tunnel_packet *p)
{
	const struct tunnel_config *c;

	c = table_lookup_packet(tn, KIND_GRETAP, skb, iph, p);
	if (likely(c))
		return c;
	/* An external gre device takes Ethernet frames too, as they are. */
	p->raw = true;
	return table_lookup(tn, KIND_GRE, skb, iph->daddr, iph->saddr, p);
}

static __always_inline const struct tunnel_config *gre_lookup(struct tunnel_net *tn,
							      struct sk_buff *skb,
							      const struct iphdr *iph,
							      struct tunnel_packet *p)
{
	if (p->proto == htons(ETH_P_TEB))
		return gre_lookup_ethernet(tn, skb, iph, p);
	return table_lookup_packet(tn, KIND_GRE, skb, iph, p);
}

static noinline int gre_unmatched(struct sk_buff *skb, struct tunnel_net *tn, const struct gre_header *g)
{
	icmp_send(skb, ICMP_DEST_UNREACH, ICMP_PORT_UNREACH, 0);
	tunnel_drop_unknown(tn, gre_kind(g), skb, DROP_RX_NO_TUNNEL);
	return 0;
}

/* Our own multicast, looped back. */
static bool gre_looped_back(const struct sk_buff *skb)
{
	return ipv4_is_multicast(ip_hdr(skb)->daddr) && rt_is_output_route(skb_rtable(skb));
}

/* The tunnel is the one that the packet, damaged as it is, seems to be for. */
static noinline void gre_drop_known(struct sk_buff *skb, struct tunnel_net *tn,
			   const struct gre_header *g, enum tunnel_drop drop)
{
	const struct iphdr *iph = ip_hdr(skb);
	const struct tunnel_config *c;
	struct tunnel_packet p __uninitialized;

	gre_packet(&p, g);
	c = table_lookup(tn, gre_kind(g)->id, skb, iph->daddr, iph->saddr, &p);
	if (c)
		tunnel_drop(c->tunnel, skb, drop);
	else
		tunnel_drop_unknown(tn, gre_kind(g), skb, drop);
}

/* The handler of IP protocol 47. Softirq, RCU. */
static __flatten int gre_receive(struct sk_buff *skb)
{
	struct tunnel_net *tn = tunnel_net_rcu(dev_net(skb->dev));
	struct gre_header g __uninitialized;
	const struct tunnel_config *c;
	struct tunnel_packet p __uninitialized;
	enum tunnel_drop drop;

	drop = gre_parse(skb, 0, &g);
	if (likely(!drop) && unlikely(gre_looped_back(skb)))
		drop = DROP_RX_LOOPED_BACK;
	if (likely(!drop) && !gre_is_ip(&g) && gre_is_wccp(&g) && !gre_unwrap_wccp(skb, 0, &g))
		drop = DROP_RX_BAD_HEADER;
	if (unlikely(drop)) {
		tunnel_drop_unknown(tn, gre_kind(&g), skb, drop);
		return 0;
	}
	drop = gre_check_csum(skb, &g);
	if (unlikely(drop)) {
		gre_drop_known(skb, tn, &g, drop);
		return 0;
	}
	if (!gre_is_ip(&g) && gre_is_erspan(&g))
		return erspan_receive(skb, tn, &g);

	gre_packet(&p, &g);
	c = gre_lookup(tn, skb, ip_hdr(skb), &p);
	if (unlikely(keepalive_is_suspect(skb, &p)) && keepalive_receive(skb, tn, c, &p))
		return 0;
	if (unlikely(!c))
		return gre_unmatched(skb, tn, &g);
	return receive(skb, c, &p, NULL);
}

/*
 * The handler of ICMP errors about protocol 47. skb->data is at the quoted IP
 * header, of which at least 8 bytes of payload follow: the GRE base header and
 * possibly not all of its options. Path MTU and redirects are about the
 * addresses only and need no more.
 */
static int gre_error(struct sk_buff *skb, u32 info)
{
	struct tunnel_net *tn = tunnel_net_rcu(dev_net(skb->dev));
	unsigned int offset = ((const struct iphdr *)skb->data)->ihl * 4;
	const struct tunnel_config *c;
	struct gre_header g = { };
	const struct iphdr *iph;
	struct tunnel_packet p __uninitialized;

	if (gre_parse(skb, offset, &g) ||
	    (gre_is_wccp(&g) && !gre_unwrap_wccp(skb, offset, &g))) {
		icmp_error_route(skb, info, skb->dev->ifindex, IPPROTO_GRE);
		return 0;
	}
	gre_packet(&p, &g);
	if (gre_is_erspan(&g))
		erspan_session(skb, offset, &g, &p);
	iph = (const struct iphdr *)skb->data;
	c = table_lookup(tn, gre_kind(&g)->id, skb, iph->saddr, iph->daddr, &p);
	if (!c) {
		icmp_error_route(skb, info, skb->dev->ifindex, IPPROTO_GRE);
		return -ENOENT;
	}
	return icmp_error(skb, info, c, &p);
}

static const struct net_protocol gre_protocol = {
	.handler	= gre_receive,
	.err_handler	= gre_error,
	NET_PROTOCOL_NETNS_OK
};

/**
 * gre_register() - take IP protocol 47
 *
 * Return: 0, or -1 if somebody else has it. Process context.
 */
int gre_register(void)
{
	return inet_add_protocol(&gre_protocol, IPPROTO_GRE);
}

/**
 * gre_unregister() - give IP protocol 47 back
 *
 * No packet is in gre_receive() afterwards. Process context.
 */
void gre_unregister(void)
{
	inet_del_protocol(&gre_protocol, IPPROTO_GRE);
}

/**
 * gre_own_header() - length of the GRE header a configuration sends
 * @c: the configuration
 *
 * Return: 4 to 16 bytes.
 */
u16 gre_own_header(const struct tunnel_config *c)
{
	return wire_gre_len(be16_to_cpu(c->o_flags));
}

/**
 * gre_header() - compute the header of every packet of a tunnel
 * @c: the configuration, whose header is set
 * @proto: EtherType to send, 0 for that of the packet
 */
void gre_header(struct tunnel_config *c, __be16 proto)
{
	c->header = (struct tunnel_header) {
		.protocol	= IPPROTO_GRE,
		.gso_type	= c->o_flags & GRE_CSUM ? SKB_GSO_GRE_CSUM : SKB_GSO_GRE,
		.flags		= c->o_flags & (GRE_CSUM | GRE_KEY | GRE_SEQ),
		.proto		= proto,
		.key		= c->o_key,
		.len		= gre_own_header(c),
		.segment	= gre_must_segment(c->o_flags, c->encap_hlen),
	};
}

/**
 * gre_header_metadata() - the header of a packet by its metadata
 * @h: the result
 * @skb: the packet
 * @proto: EtherType of the payload
 *
 * Return: DROP_NONE or %DROP_TX_NO_METADATA. BH disabled.
 */
enum tunnel_drop gre_header_metadata(struct tunnel_header *h, struct sk_buff *skb, __be16 proto)
{
	const struct ip_tunnel_info *info = metadata_to_send(skb);
	const struct ip_tunnel_encap *encap;
	__be16 flags;

	if (unlikely(!info))
		return DROP_TX_NO_METADATA;
	flags = metadata_gre_flags(info);
	encap = tunnel_info_encap(info);
	*h = (struct tunnel_header) {
		.protocol	= IPPROTO_GRE,
		.gso_type	= flags & GRE_CSUM ? SKB_GSO_GRE_CSUM : SKB_GSO_GRE,
		.flags		= flags,
		.proto		= proto,
		.key		= tunnel_id_to_key32(info->key.tun_id),
		.len		= wire_gre_len(be16_to_cpu(flags)),
		.segment	= gre_must_segment(flags, encap && encap->type != TUNNEL_ENCAP_NONE),
	};
	return DROP_NONE;
}

/**
 * gre_build_csum() - see to the checksum of a GRE packet
 * @skb: the packet; skb->data is at its GRE header
 *
 * That of a GSO packet is made for each segment, by the core. If the payload's
 * own is still to be computed, this one follows from it without reading the
 * payload (local checksum offload); else it is left to the device. BH disabled.
 */
void gre_build_csum(struct sk_buff *skb)
{
	__sum16 *csum = (__sum16 *)(skb->data + WIRE_GRE_BASE_LEN);

	if (skb_shinfo(skb)->gso_type & (SKB_GSO_GRE | SKB_GSO_GRE_CSUM))
		return;
	if (skb->ip_summed == CHECKSUM_PARTIAL) {
		*csum = csum_fold(lco_csum(skb));
		return;
	}
	skb->ip_summed = CHECKSUM_PARTIAL;
	skb->csum_start = skb_transport_header(skb) - skb->head;
	skb->csum_offset = WIRE_GRE_BASE_LEN;
}

/**
 * gre_build() - tunnel_kind.build of the gre kinds
 * @skb: the packet, with headroom; skb->data at the payload
 * @t: the tunnel, for the sequence number
 * @c: not used
 * @h: flags, key and EtherType; the length is that of the GRE header alone
 *
 * Return: DROP_NONE. BH disabled.
 */
enum tunnel_drop gre_build(struct sk_buff *skb, struct tunnel *t, const struct tunnel_config *c,
			   const struct tunnel_header *h)
{
	gre_push(skb, t, h);
	return DROP_NONE;
}

/**
 * gre_validate() - tunnel_kind.validate of the gre kinds
 * @c: the configuration
 * @extack: why not
 *
 * Return: 0 or -EINVAL. RTNL.
 */
int gre_validate(const struct tunnel_config *c, struct netlink_ext_ack *extack)
{
	if (c->ignore_df && c->frag_off) {
		NL_SET_ERR_MSG_MOD(extack, "ignore-df needs nopmtudisc");
		return -EINVAL;
	}
	if (c->collect_md && c->encap.type != TUNNEL_ENCAP_NONE) {
		NL_SET_ERR_MSG_MOD(extack, "an external device takes its encap from metadata");
		return -EINVAL;
	}
	return 0;
}
