// SPDX-License-Identifier: GPL-2.0-only
/* Copyright (C) 2026 The culvert authors */
/*
 * Tunnel metadata: what external ("collect_md") devices exchange with
 * lightweight tunnel routes, BPF and Open vSwitch instead of a configuration.
 */

#include <net/dst_metadata.h>

#include "culvert.h"

/* An outer FOU or GUE header is part of where a packet came from. */
static void metadata_udp_ports(const struct sk_buff *skb, struct ip_tunnel_info *info)
{
	struct ip_tunnel_encap *encap = tunnel_info_encap(info);
	const struct iphdr *outer = ip_hdr(skb);
	const struct udphdr *udp;

	if (!encap || outer->protocol != IPPROTO_UDP)
		return;
	udp = (const struct udphdr *)((const u8 *)outer + outer->ihl * 4);
	encap->sport = udp->source;
	encap->dport = udp->dest;
}

/**
 * metadata_received() - describe the tunnel a packet came through
 * @skb: the packet, skb_network_header() at the outer IP header
 * @p: its key and flags
 * @options: room for tunnel options, bytes
 *
 * Return: a metadata_dst with one reference, or NULL without memory. Softirq.
 */
struct metadata_dst *metadata_received(struct sk_buff *skb, const struct tunnel_packet *p,
				       int options)
{
	IP_TUNNEL_DECLARE_FLAGS(flags) = { };
	struct metadata_dst *md;

	if (p->flags & GRE_CSUM)
		__set_bit(IP_TUNNEL_CSUM_BIT, flags);
	if (p->flags & GRE_KEY)
		__set_bit(IP_TUNNEL_KEY_BIT, flags);
	md = ip_tun_rx_dst(skb, flags, key32_to_tunnel_id(p->key), options);
	if (md)
		metadata_udp_ports(skb, &md->u.tun_info);
	return md;
}

/**
 * metadata_to_send() - where an external device is to send a packet
 * @skb: the packet
 *
 * Return: the metadata attached to the packet if it is for transmission over
 * IPv4, else NULL. BH disabled.
 */
const struct ip_tunnel_info *metadata_to_send(struct sk_buff *skb)
{
	const struct ip_tunnel_info *info = skb_tunnel_info(skb);

	if (!info || !(info->mode & IP_TUNNEL_INFO_TX) || ip_tunnel_info_af(info) != AF_INET)
		return NULL;
	return info;
}

/**
 * metadata_gre_flags() - the GRE flags that metadata asks for
 * @info: the metadata
 *
 * Return: GRE_CSUM, GRE_KEY and GRE_SEQ as set, wire format.
 */
__be16 metadata_gre_flags(const struct ip_tunnel_info *info)
{
	__be16 flags = 0;

	if (tunnel_key_test_flag(&info->key, IP_TUNNEL_CSUM_BIT))
		flags |= GRE_CSUM;
	if (tunnel_key_test_flag(&info->key, IP_TUNNEL_KEY_BIT))
		flags |= GRE_KEY;
	if (tunnel_key_test_flag(&info->key, IP_TUNNEL_SEQ_BIT))
		flags |= GRE_SEQ;
	return flags;
}

/**
 * metadata_fill_dst() - ndo_fill_metadata_dst: which source would be used
 * @dev: an external gretap or erspan device
 * @skb: a packet with metadata for transmission, whose source is filled in
 *
 * Return: 0, -EINVAL without IPv4 metadata, or the route look-up's errno.
 */
int metadata_fill_dst(struct net_device *dev, struct sk_buff *skb)
{
	struct ip_tunnel_info *info = skb_tunnel_info(skb);
	struct tunnel *t = netdev_priv(dev);
	const struct ip_tunnel_key *key;
	struct rtable *rt;
	struct flowi4 fl4;

	if (!info || ip_tunnel_info_af(info) != AF_INET)
		return -EINVAL;
	key = &info->key;
	ip_tunnel_init_flow(&fl4, t->kind->protocol, key->u.ipv4.dst, key->u.ipv4.src,
			    tunnel_id_to_key32(key->tun_id), key->tos & ~INET_ECN_MASK,
			    t->net, 0, skb->mark, skb_get_hash(skb),
			    tunnel_key_flow_flags(key));
	rt = ip_route_output_key(t->net, &fl4);
	if (IS_ERR(rt))
		return PTR_ERR(rt);
	ip_rt_put(rt);
	info->key.u.ipv4.src = fl4.saddr;
	return 0;
}
