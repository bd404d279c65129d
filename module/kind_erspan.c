// SPDX-License-Identifier: GPL-2.0-only
/* Copyright (C) 2026 The culvert authors */
/*
 * erspan: mirrored Ethernet frames over GRE, types I, II and III (versions 0,
 * 1 and 2). The session takes the place of the GRE key.
 */

#include <linux/erspan.h>
#include <linux/etherdevice.h>
#include <linux/if_vlan.h>
#include <net/dst_metadata.h>
#include <net/gre.h>
#include <net/icmp.h>

#include "culvert.h"
#include "table.h"
#include "wire_erspan.h"
#include "wire_gre.h"

#define ERSPAN_TIMESTAMP_NS	(100 * NSEC_PER_USEC)

/* Type I is a bare GRE header with the EtherType of type II. */
static bool erspan_is_type1(const struct gre_header *g)
{
	return g->proto == ETH_P_ERSPAN && g->len == WIRE_GRE_BASE_LEN;
}

/*
 * Decode the ERSPAN header, if there is one, and make it readable. Unless the
 * result is %DROP_RX_BAD_HEADER, the session is known.
 */
static enum tunnel_drop erspan_parse(struct sk_buff *skb, unsigned int offset,
				     const struct gre_header *g, struct erspan_header *e)
{
	unsigned int len = WIRE_ERSPAN_BASE_LEN;
	int err;

	memset(e, 0, sizeof(*e));
	if (erspan_is_type1(g))
		return DROP_NONE;
	for (;;) {
		if (unlikely(!pskb_may_pull(skb, offset + g->len + len)))
			return len == WIRE_ERSPAN_BASE_LEN ? DROP_RX_BAD_HEADER :
							     DROP_RX_TRUNCATED;
		err = wire_erspan_parse(e, skb->data + offset + g->len, len);
		if (err >= 0)
			return DROP_NONE;
		if (err == -2)
			return DROP_RX_BAD_VERSION;
		len = wire_erspan_len(e->version);
	}
}

static void erspan_packet(struct tunnel_packet *p, const struct gre_header *g,
			  const struct erspan_header *e)
{
	*p = (struct tunnel_packet) {
		.key		= cpu_to_be32(e->session),
		.seq		= g->seq,
		.flags		= cpu_to_be16(g->flags) & (GRE_CSUM | GRE_SEQ),
		.proto		= htons(ETH_P_TEB),
		.header_len	= g->len + wire_erspan_len(e->version),
	};
	if (!erspan_is_type1(g))
		p->flags |= GRE_KEY;
}

/* Version, index, direction and the like, as BPF and Open vSwitch expect them. */
static struct metadata_dst *erspan_metadata(struct sk_buff *skb, const struct tunnel_packet *p,
					    const struct erspan_header *e)
{
	unsigned int offset = p->header_len - wire_erspan_len(e->version) +
			      WIRE_ERSPAN_BASE_LEN;
	struct erspan_metadata opts = { .version = e->version };
	struct ip_tunnel_info *info;
	struct metadata_dst *md;
	void *room;

	md = metadata_received(skb, p, sizeof(opts));
	if (!md)
		return NULL;
	if (e->version == 1)
		memcpy(&opts.u.index, skb->data + offset, sizeof(opts.u.index));
	else if (e->version == 2)
		memcpy(&opts.u.md2, skb->data + offset, sizeof(opts.u.md2));

	info = &md->u.tun_info;
	info->options_len = sizeof(opts);
	room = ip_tunnel_info_opts(info);
	/* Behind the end of *info, where metadata_received() asked for room. */
	OPTIMIZER_HIDE_VAR(room);
	memcpy(room, &opts, sizeof(opts));
	tunnel_key_set_flag(&info->key, IP_TUNNEL_ERSPAN_OPT_BIT);
	return md;
}

/* Nobody takes the packet; its sender is told. */
static void erspan_refuse(struct sk_buff *skb)
{
	icmp_send(skb, ICMP_DEST_UNREACH, ICMP_PORT_UNREACH, 0);
}

/* A header that is not what the tunnel of its session can read. */
static void erspan_drop_known(struct sk_buff *skb, struct tunnel *t, enum tunnel_drop drop)
{
	if (drop == DROP_RX_TRUNCATED)
		erspan_refuse(skb);
	tunnel_drop(t, skb, drop);
}

/**
 * erspan_receive() - take over a GRE packet with an ERSPAN EtherType
 * @skb: the packet, consumed; skb->data at the GRE header
 * @tn: the namespace it arrived in
 * @g: its GRE header
 *
 * Return: 0. Softirq, RCU.
 */
int erspan_receive(struct sk_buff *skb, struct tunnel_net *tn, const struct gre_header *g)
{
	const struct tunnel_config *c;
	struct metadata_dst *md = NULL;
	struct erspan_header e;
	struct tunnel_packet p;
	enum tunnel_drop drop;

	drop = erspan_parse(skb, 0, g, &e);
	if (unlikely(drop == DROP_RX_BAD_HEADER)) {
		tunnel_drop_unknown(tn, &kind_erspan, skb, drop);
		return 0;
	}
	erspan_packet(&p, g, &e);
	c = table_lookup_packet(tn, KIND_ERSPAN, skb, ip_hdr(skb), &p);
	if (unlikely(!c)) {
		erspan_refuse(skb);
		tunnel_drop_unknown(tn, &kind_erspan, skb, DROP_RX_NO_TUNNEL);
		return 0;
	}
	if (likely(!drop) && c->collect_md) {
		md = erspan_metadata(skb, &p, &e);
		if (unlikely(!md))
			drop = DROP_RX_NO_MEMORY;
	}
	if (unlikely(drop)) {
		erspan_drop_known(skb, c->tunnel, drop);
		return 0;
	}
	return receive(skb, c, &p, md);
}

/**
 * erspan_session() - the session of a packet quoted in an ICMP error
 * @skb: the error, skb->data at the quoted outer IP header
 * @offset: of the GRE header
 * @g: the GRE header
 * @p: its key is set if the session is quoted
 */
void erspan_session(struct sk_buff *skb, unsigned int offset, const struct gre_header *g,
		    struct tunnel_packet *p)
{
	struct erspan_header e;

	if (erspan_parse(skb, offset, g, &e) != DROP_RX_BAD_HEADER)
		erspan_packet(p, g, &e);
}

/*
 * Class of service is the precedence of the mirrored IP packet. A mirror gets
 * frames from everywhere: skb->protocol may not say what is in them.
 */
static u8 erspan_cos(const struct sk_buff *skb)
{
	int offset = skb_network_offset(skb);
	int room = skb_headlen(skb) - offset;
	__be16 type;

	if (offset < ETH_HLEN)
		return 0;
	type = *(const __be16 *)(skb_network_header(skb) - sizeof(__be16));
	if (type == htons(ETH_P_IP) && room >= (int)sizeof(struct iphdr))
		return ip_hdr(skb)->tos >> 5;
	if (type == htons(ETH_P_IPV6) && room >= (int)sizeof(struct ipv6hdr))
		return ipv6_get_dsfield(ipv6_hdr(skb)) >> 5;
	return 0;
}

/* Whether the frame holds less than the IP packet in it says. */
static bool erspan_is_cut(const struct sk_buff *skb)
{
	unsigned int have = skb->len - skb_network_offset(skb);

	if (skb->protocol == htons(ETH_P_IP))
		return ntohs(ip_hdr(skb)->tot_len) > have;
	if (skb->protocol == htons(ETH_P_IPV6))
		return ntohs(ipv6_hdr(skb)->payload_len) + sizeof(struct ipv6hdr) > have;
	return false;
}

/* RFC 1757 names: bad, short, oversized. The frame check sequence is gone. */
static u8 erspan_bso(const struct sk_buff *skb)
{
	if (skb->len < ETH_ZLEN)
		return 1;
	return skb->len > ETH_FRAME_LEN ? 2 : 0;
}

static u16 erspan_vlan(const struct sk_buff *skb)
{
	const struct vlan_ethhdr *eth = (const struct vlan_ethhdr *)skb->data;

	if (skb_headlen(skb) < VLAN_ETH_HLEN || eth->h_vlan_proto != htons(ETH_P_8021Q))
		return 0;
	return ntohs(eth->h_vlan_TCI);
}

/* What an ERSPAN header says about the frame itself. */
static void erspan_describe(const struct sk_buff *skb, struct erspan_header *e)
{
	const struct ethhdr *eth = (const struct ethhdr *)skb->data;

	e->vlan = erspan_vlan(skb);
	e->cos = erspan_cos(skb);
	if (e->version == 1) {
		e->en_bso = eth->h_proto == htons(ETH_P_8021Q) ? 3 : 0;
	} else {
		e->en_bso = erspan_bso(skb);
		e->timestamp = ktime_divns(ktime_get_real(), ERSPAN_TIMESTAMP_NS);
	}
}

/* The session and options of a packet's metadata. */
static bool erspan_from_metadata(struct sk_buff *skb, struct erspan_header *e)
{
	const struct ip_tunnel_info *info = metadata_to_send(skb);
	const struct erspan_metadata *opts;

	if (!info || !tunnel_key_test_flag(&info->key, IP_TUNNEL_ERSPAN_OPT_BIT) ||
	    info->options_len < sizeof(*opts))
		return false;
	opts = ip_tunnel_info_opts((struct ip_tunnel_info *)info);
	e->version = opts->version;
	e->session = be32_to_cpu(tunnel_id_to_key32(info->key.tun_id));
	e->index = 0;
	if (opts->version == 1) {
		e->index = be32_to_cpu(opts->u.index);
	} else if (opts->version == 2) {
		e->dir = opts->u.md2.dir;
		e->hwid = opts->u.md2.hwid_upper << 4 | opts->u.md2.hwid;
	} else {
		return false;
	}
	return true;
}

static void erspan_from_config(const struct tunnel_config *c, struct erspan_header *e)
{
	e->version = c->erspan.version;
	e->session = be32_to_cpu(c->o_key);
	e->index = c->erspan.index;
	e->dir = c->erspan.dir;
	e->hwid = c->erspan.hwid;
}

/* A mirror cuts frames that are too long: it must not answer with ICMP. */
static enum tunnel_drop erspan_trim(struct sk_buff *skb, const struct net_device *dev,
				    bool *cut)
{
	unsigned int max = READ_ONCE(dev->mtu) + dev->hard_header_len;

	*cut = erspan_is_cut(skb);
	if (skb->len <= max)
		return DROP_NONE;
	*cut = true;
	if (pskb_trim(skb, max))
		return DROP_TX_NO_MEMORY;
	/* There may be no place left for the checksum that somebody below is to fill in. */
	if (skb->ip_summed == CHECKSUM_PARTIAL &&
	    skb_checksum_start_offset(skb) + skb->csum_offset + sizeof(__sum16) > skb_headlen(skb))
		skb->ip_summed = CHECKSUM_NONE;
	return DROP_NONE;
}

static enum tunnel_drop erspan_prepare(struct sk_buff *skb, struct net_device *dev,
				       const struct tunnel_config *c,
				       struct erspan_header *e)
{
	enum tunnel_drop drop;
	bool cut;

	if (unlikely(!transmit_pull(skb, dev)))
		return DROP_TX_TRUNCATED;
	memset(e, 0, sizeof(*e));
	if (!c->collect_md)
		erspan_from_config(c, e);
	else if (!erspan_from_metadata(skb, e))
		return DROP_TX_NO_METADATA;
	drop = erspan_trim(skb, dev, &cut);
	if (unlikely(drop))
		return drop;
	e->truncated = cut;
	erspan_describe(skb, e);
	return DROP_NONE;
}

static netdev_tx_t erspan_xmit(struct sk_buff *skb, struct net_device *dev)
{
	struct tunnel *t = netdev_priv(dev);
	const struct tunnel_config *c = rcu_dereference_bh(t->config);
	struct tunnel_header h;
	struct erspan_header e;
	enum tunnel_drop drop;

	drop = erspan_prepare(skb, dev, c, &e);
	if (unlikely(drop)) {
		tunnel_drop(t, skb, drop);
		return NETDEV_TX_OK;
	}
	h = (struct tunnel_header) {
		.protocol	= IPPROTO_GRE,
		.gso_type	= SKB_GSO_GRE,
		.flags		= e.version ? GRE_SEQ : 0,
		.proto		= e.version == 2 ? htons(ETH_P_ERSPAN2) : htons(ETH_P_ERSPAN),
		.len		= (e.version ? 8 : 4) + wire_erspan_len(e.version),
		.extra		= &e,
	};
	return transmit(skb, t, c, &h, NULL);
}

static enum tunnel_drop erspan_build(struct sk_buff *skb, struct tunnel *t,
				     const struct tunnel_config *c,
				     const struct tunnel_header *h)
{
	const struct erspan_header *e = h->extra;
	struct tunnel_header gre = *h;

	if (e->version)
		wire_erspan_build(skb_push(skb, wire_erspan_len(e->version)), e);
	gre.len -= wire_erspan_len(e->version);
	return gre_build(skb, t, c, &gre);
}

static const struct net_device_ops erspan_ops = {
	.ndo_init		= tunnel_dev_init,
	.ndo_uninit		= tunnel_dev_uninit,
	.ndo_start_xmit		= erspan_xmit,
	.ndo_set_mac_address	= eth_mac_addr,
	.ndo_validate_addr	= eth_validate_addr,
	.ndo_change_mtu		= tunnel_dev_change_mtu,
	.ndo_get_stats64	= tunnel_dev_get_stats,
	.ndo_get_iflink		= tunnel_dev_get_iflink,
	.ndo_fill_metadata_dst	= metadata_fill_dst,
};

static void erspan_setup(struct net_device *dev)
{
	tunnel_dev_setup(dev, &kind_erspan);
}

static void erspan_defaults(struct tunnel_config *c)
{
	c->protocol = IPPROTO_GRE;
	c->erspan.version = 1;
}

/* The session is sent whatever the flags say. */
static void erspan_derive(struct tunnel_config *c)
{
	if (c->erspan.version && !c->collect_md)
		c->o_flags |= GRE_KEY;
}

static u16 erspan_own_header(const struct tunnel_config *c)
{
	u8 version = c->erspan.version;

	return (version ? 8 : 4) + wire_erspan_len(version);
}

/* "ip link add type erspan" without more makes a device to configure later. */
static bool erspan_is_blank(const struct tunnel_config *c)
{
	return !c->remote.ip4 && !c->local.ip4 && !c->i_flags && !(c->o_flags & ~GRE_KEY);
}

static int erspan_validate(const struct tunnel_config *c, struct netlink_ext_ack *extack)
{
	if (c->erspan.version > 2) {
		NL_SET_ERR_MSG_MOD(extack, "the ERSPAN version is 0, 1 or 2");
		return -EINVAL;
	}
	if (c->erspan.version && !c->collect_md && !erspan_is_blank(c) &&
	    ((c->i_flags | c->o_flags) & TUNNEL_GRE_FLAGS) != (GRE_SEQ | GRE_KEY)) {
		NL_SET_ERR_MSG_MOD(extack, "ERSPAN needs seq and key, and no csum");
		return -EINVAL;
	}
	if (be32_to_cpu(c->i_key) > WIRE_ERSPAN_SESSION_MAX ||
	    be32_to_cpu(c->o_key) > WIRE_ERSPAN_SESSION_MAX) {
		NL_SET_ERR_MSG_MOD(extack, "the ERSPAN session (key) is at most 1023");
		return -EINVAL;
	}
	if (c->erspan.version == 1 && c->erspan.index > WIRE_ERSPAN_INDEX_MAX) {
		NL_SET_ERR_MSG_MOD(extack, "the ERSPAN index is at most 1048575");
		return -EINVAL;
	}
	if (c->erspan.version == 2 &&
	    (c->erspan.dir > 1 || c->erspan.hwid > WIRE_ERSPAN_HWID_MAX)) {
		NL_SET_ERR_MSG_MOD(extack, "the ERSPAN direction is 0 or 1, the hardware id at most 63");
		return -EINVAL;
	}
	return gre_validate(c, extack);
}

const struct tunnel_kind kind_erspan = {
	.name		= "erspan",
	.base_name	= "erspan0",
	.id		= KIND_ERSPAN,
	.family		= FAMILY_GRE,
	.protocol	= IPPROTO_GRE,
	.dev_type	= ARPHRD_ETHER,
	.ops		= &erspan_ops,
	.setup		= erspan_setup,
	.defaults	= erspan_defaults,
	.validate	= erspan_validate,
	.prepare	= erspan_derive,
	.own_header	= erspan_own_header,
	.build		= erspan_build,
};

MODULE_ALIAS_RTNL_LINK("erspan");
MODULE_ALIAS_NETDEV("erspan0");
