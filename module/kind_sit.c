// SPDX-License-Identifier: GPL-2.0-only
/* Copyright (C) 2026 The culvert authors */
/*
 * sit, Simple Internet Transition: IPv6 in IPv4 (RFC 4213) and, by mode, IPv4
 * and MPLS in IPv4. Without a fixed remote the outer destination follows from
 * the inner one: 6to4 and 6rd (sixrd.c), ISATAP (isatap.c), IPv4-compatible
 * next hops.
 */

#include <net/addrconf.h>
#include <net/ipv6.h>

#include "culvert.h"

static bool sit_is_isatap(const struct tunnel_config *c)
{
	return c->flags & SIT_ISATAP;
}

/*
 * The outer destination of an IPv6 packet. ISATAP: the next hop's interface
 * identifier has it. 6to4, 6rd: the destination itself has it. Else the next
 * hop is to be an IPv4-compatible address: ::a.b.c.d.
 */
static enum tunnel_drop sit_destination(struct sk_buff *skb, const struct tunnel_config *c,
					__be32 *daddr)
{
	struct in6_addr hop;

	if (sit_is_isatap(c)) {
		if (!transmit_nexthop_ipv6(skb, &hop) || !ipv6_addr_is_isatap(&hop) ||
		    !(ipv6_addr_type(&hop) & IPV6_ADDR_UNICAST))
			return DROP_TX_NO_PEER;
		*daddr = hop.s6_addr32[3];
	}
	if (c->remote.ip4 || *daddr)
		return DROP_NONE;
	if (sixrd_extract(&c->sixrd, &ipv6_hdr(skb)->daddr, daddr) && *daddr)
		return DROP_NONE;
	if (!transmit_nexthop_ipv6(skb, &hop) || !(ipv6_addr_type(&hop) & IPV6_ADDR_COMPATv4))
		return DROP_TX_NO_PEER;
	*daddr = hop.s6_addr32[3];
	return DROP_NONE;
}

static void sit_header(struct tunnel_header *h, u8 protocol)
{
	*h = (struct tunnel_header) {
		.protocol	= protocol,
		.inner_ipproto	= protocol,
		.gso_type	= SKB_GSO_IPXIP4,
		.rfc4213	= protocol == IPPROTO_IPV6,
	};
}

/* Not IPv6, or not to a fixed remote. */
static enum tunnel_drop sit_header_other(struct tunnel_header *h, struct sk_buff *skb,
					 const struct tunnel_config *c)
{
	if (likely(skb->protocol == htons(ETH_P_IPV6))) {
		sit_header(h, IPPROTO_IPV6);
		return sit_destination(skb, c, &h->daddr);
	}
	if (skb->protocol == htons(ETH_P_IP))
		sit_header(h, IPPROTO_IPIP);
	else if (IS_ENABLED(CONFIG_MPLS) && skb->protocol == htons(ETH_P_MPLS_UC))
		sit_header(h, IPPROTO_MPLS);
	else
		return DROP_TX_WRONG_PAYLOAD;
	return DROP_NONE;
}

static noinline netdev_tx_t sit_xmit_other(struct sk_buff *skb, struct tunnel *t,
					   const struct tunnel_config *c)
{
	struct tunnel_header h;
	enum tunnel_drop drop;

	drop = sit_header_other(&h, skb, c);
	if (unlikely(drop)) {
		tunnel_drop(t, skb, drop);
		return NETDEV_TX_OK;
	}
	return transmit(skb, t, c, &h, NULL);
}

static netdev_tx_t sit_xmit(struct sk_buff *skb, struct net_device *dev)
{
	struct tunnel *t = netdev_priv(dev);
	const struct tunnel_config *c = rcu_dereference_bh(t->config);

	if (unlikely(!transmit_pull(skb, dev))) {
		tunnel_drop(t, skb, DROP_TX_TRUNCATED);
		return NETDEV_TX_OK;
	}
	if (unlikely(skb->protocol != htons(ETH_P_IPV6) || !c->remote.ip4 || sit_is_isatap(c)))
		return sit_xmit_other(skb, t, c);
	return transmit(skb, t, c, &c->header, NULL);
}

static bool sit_embeds_another(const struct tunnel_config *c, const struct in6_addr *addr,
			       __be32 outer)
{
	__be32 embedded;

	return sixrd_extract(&c->sixrd, addr, &embedded) && embedded != outer;
}

/*
 * Behind a NAT that forwards protocol 41, the outer destination is not the one
 * in our IPv6 addresses.
 */
static bool sit_is_ours(const struct tunnel_config *c, const struct in6_addr *addr)
{
	unsigned int len = c->sixrd.prefixlen + 32 - c->sixrd.relay_prefixlen;

	return ipv6_chk_custom_prefix(addr, len, c->tunnel->dev);
}

/*
 * Nobody is to speak for another, nor to use us to reach another: RFC 3964 5,
 * RFC 5969 12. Not asked about point-to-point tunnels, see sit_prepare().
 */
static enum tunnel_drop sit_admit(struct sk_buff *skb, const struct tunnel_config *c,
				  __be16 proto)
{
	const struct ipv6hdr *ip6;
	const struct iphdr *iph;

	if (proto != htons(ETH_P_IPV6))
		return DROP_NONE;
	if (unlikely(!pskb_may_pull(skb, sizeof(*ip6))))
		return DROP_RX_TRUNCATED;
	if (sit_is_isatap(c))
		return isatap_admit(skb, c->tunnel) ? DROP_NONE : DROP_RX_SPOOFED;
	iph = ip_hdr(skb);
	ip6 = (const struct ipv6hdr *)skb->data;
	if (sit_embeds_another(c, &ip6->saddr, iph->saddr))
		return DROP_RX_SPOOFED;
	if (sit_embeds_another(c, &ip6->daddr, iph->daddr) && !sit_is_ours(c, &ip6->daddr))
		return DROP_RX_SPOOFED;
	return DROP_NONE;
}

static void sit_uninit(struct net_device *dev)
{
	tunnel_dev_uninit(dev);
	isatap_forget(netdev_priv(dev));
}

static int sit_ioctl(struct tunnel *t, void __user *data, int cmd)
{
	if (cmd >= SIOCGETPRL && cmd <= SIOCCHGPRL)
		return isatap_ioctl(t, data, cmd);
	if (cmd >= SIOCGET6RD && cmd <= SIOCCHG6RD)
		return sixrd_ioctl(t, data, cmd);
	return -EINVAL;
}

static const struct net_device_ops sit_ops = {
	.ndo_init		= tunnel_dev_init,
	.ndo_uninit		= sit_uninit,
	.ndo_start_xmit		= sit_xmit,
	.ndo_get_stats64	= tunnel_dev_get_stats,
	.ndo_get_iflink		= tunnel_dev_get_iflink,
	NDO_TUNNEL_IOCTL
};

static void sit_setup(struct net_device *dev)
{
	tunnel_dev_setup(dev, &kind_sit);
	dev->header_ops = &ip_tunnel_header_ops;
	dev->features |= NETIF_F_GSO_SOFTWARE;
	dev->hw_features |= NETIF_F_GSO_SOFTWARE;
	dev->min_mtu = IPV6_MIN_MTU;
	dev->max_mtu = IP6_MAX_MTU - sizeof(struct iphdr);
}

static void sit_init(struct net_device *dev, const struct tunnel_config *c)
{
	/* Autoconfiguration and neighbour discovery look at this. */
	if (sit_is_isatap(c))
		dev->priv_flags |= IFF_ISATAP;
	else
		dev->priv_flags &= ~IFF_ISATAP;
}

static void sit_defaults(struct tunnel_config *c)
{
	c->protocol = IPPROTO_IPV6;
	c->ttl = 64;
	c->sixrd.prefix.s6_addr32[0] = htonl(0x20020000);
	c->sixrd.prefixlen = 16;
}

static void sit_inherit(struct tunnel_config *c, const struct tunnel_config *base)
{
	c->sixrd = base->sixrd;
}

static bool sit_payload_is_valid(u8 protocol)
{
	return !protocol || protocol == IPPROTO_IPV6 || protocol == IPPROTO_IPIP ||
	       (IS_ENABLED(CONFIG_MPLS) && protocol == IPPROTO_MPLS);
}

static int sit_validate(const struct tunnel_config *c, struct netlink_ext_ack *extack)
{
	if (sit_payload_is_valid(c->protocol))
		return sixrd_validate(&c->sixrd, extack);
	NL_SET_ERR_MSG_MOD(extack, "the payload is ip6ip, ipip, mplsip or any");
	return -EINVAL;
}

static void sit_prepare(struct tunnel_config *c)
{
	sit_header(&c->header, IPPROTO_IPV6);
	/* A point-to-point tunnel is its peer's way for any source. */
	c->screen = !c->remote.ip4 || sit_is_isatap(c);
}

static u16 sit_own_header(const struct tunnel_config *c)
{
	return 0;
}

const struct tunnel_kind kind_sit = {
	.name		= "sit",
	.base_name	= "sit0",
	.id		= KIND_SIT,
	.family		= FAMILY_SIT,
	.protocol	= IPPROTO_IPV6,
	.dev_type	= ARPHRD_SIT,
	.ops		= &sit_ops,
	.port_unreachable = true,
	.has_ioctl	= true,
	.strict_link	= true,
	.add_errno	= -ENOBUFS,
	.setup		= sit_setup,
	.defaults	= sit_defaults,
	.inherit	= sit_inherit,
	.payload_is_valid = sit_payload_is_valid,
	.validate	= sit_validate,
	.prepare	= sit_prepare,
	.own_header	= sit_own_header,
	.init		= sit_init,
	.ioctl		= sit_ioctl,
	.admit		= sit_admit,
};

MODULE_ALIAS_RTNL_LINK("sit");
MODULE_ALIAS_NETDEV("sit0");
