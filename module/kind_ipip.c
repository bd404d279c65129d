// SPDX-License-Identifier: GPL-2.0-only
/* Copyright (C) 2026 The culvert authors */
/*
 * ipip: IPv4 in IPv4 (RFC 2003) and MPLS in IPv4 (RFC 4023). No header of its
 * own: the payload follows the outer IP header.
 */

#include <linux/mpls.h>

#include "culvert.h"

static void ipip_header(struct tunnel_header *h, u8 protocol)
{
	*h = (struct tunnel_header) {
		.protocol	= protocol,
		.inner_ipproto	= protocol,
		.gso_type	= SKB_GSO_IPXIP4,
	};
}

/* MPLS, or what is not carried at all. */
static noinline netdev_tx_t ipip_xmit_other(struct sk_buff *skb, struct tunnel *t,
					    const struct tunnel_config *c)
{
	struct tunnel_header h;

	if (!IS_ENABLED(CONFIG_MPLS) || skb->protocol != htons(ETH_P_MPLS_UC) ||
	    (c->protocol && c->protocol != IPPROTO_MPLS)) {
		tunnel_drop(t, skb, DROP_TX_WRONG_PAYLOAD);
		return NETDEV_TX_OK;
	}
	ipip_header(&h, IPPROTO_MPLS);
	return transmit(skb, t, c, &h, NULL);
}

static netdev_tx_t ipip_xmit(struct sk_buff *skb, struct net_device *dev)
{
	struct tunnel *t = netdev_priv(dev);
	const struct tunnel_config *c = rcu_dereference_bh(t->config);

	if (unlikely(!transmit_pull(skb, dev))) {
		tunnel_drop(t, skb, DROP_TX_TRUNCATED);
		return NETDEV_TX_OK;
	}
	if (unlikely(skb->protocol != htons(ETH_P_IP) ||
		     (c->protocol && c->protocol != IPPROTO_IPIP)))
		return ipip_xmit_other(skb, t, c);
	return transmit(skb, t, c, &c->header, NULL);
}

static const struct net_device_ops ipip_ops = {
	.ndo_init		= tunnel_dev_init,
	.ndo_uninit		= tunnel_dev_uninit,
	.ndo_start_xmit		= ipip_xmit,
	.ndo_change_mtu		= tunnel_dev_change_mtu,
	.ndo_get_stats64	= tunnel_dev_get_stats,
	.ndo_get_iflink		= tunnel_dev_get_iflink,
	NDO_TUNNEL_IOCTL
};

static void ipip_setup(struct net_device *dev)
{
	tunnel_dev_setup(dev, &kind_ipip);
	dev->header_ops = &ip_tunnel_header_ops;
	dev->features |= NETIF_F_GSO_SOFTWARE;
	dev->hw_features |= NETIF_F_GSO_SOFTWARE;
}

static void ipip_defaults(struct tunnel_config *c)
{
	c->protocol = IPPROTO_IPIP;
}

/* Whatever nobody else takes. */
static void ipip_base_defaults(struct tunnel_config *c)
{
	c->protocol = 0;
}

static void ipip_prepare(struct tunnel_config *c)
{
	ipip_header(&c->header, IPPROTO_IPIP);
}

static bool ipip_payload_is_valid(u8 protocol)
{
	return !protocol || protocol == IPPROTO_IPIP ||
	       (IS_ENABLED(CONFIG_MPLS) && protocol == IPPROTO_MPLS);
}

static int ipip_validate(const struct tunnel_config *c, struct netlink_ext_ack *extack)
{
	if (ipip_payload_is_valid(c->protocol))
		return 0;
	NL_SET_ERR_MSG_MOD(extack, "the payload is ipip, mplsip or any");
	return -EINVAL;
}

static u16 ipip_own_header(const struct tunnel_config *c)
{
	return 0;
}

const struct tunnel_kind kind_ipip = {
	.name		= "ipip",
	.base_name	= "tunl0",
	.id		= KIND_IPIP,
	.family		= FAMILY_IPTUN,
	.protocol	= IPPROTO_IPIP,
	.dev_type	= ARPHRD_TUNNEL,
	.ops		= &ipip_ops,
	.port_unreachable = true,
	.has_ioctl	= true,
	.setup		= ipip_setup,
	.defaults	= ipip_defaults,
	.base_defaults	= ipip_base_defaults,
	.payload_is_valid = ipip_payload_is_valid,
	.validate	= ipip_validate,
	.prepare	= ipip_prepare,
	.own_header	= ipip_own_header,
};

MODULE_ALIAS_RTNL_LINK("ipip");
MODULE_ALIAS_NETDEV("tunl0");
