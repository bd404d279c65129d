// SPDX-License-Identifier: GPL-2.0-only
/* Copyright (C) 2026 The culvert authors */
/* gretap: Ethernet over GRE (Transparent Ethernet Bridging, 0x6558). */

#include <linux/etherdevice.h>
#include <net/gre.h>

#include "culvert.h"

static noinline netdev_tx_t gretap_xmit_external(struct sk_buff *skb, struct tunnel *t,
						 const struct tunnel_config *c)
{
	struct tunnel_header h;
	enum tunnel_drop drop;

	drop = gre_header_metadata(&h, skb, htons(ETH_P_TEB));
	if (unlikely(drop)) {
		tunnel_drop(t, skb, drop);
		return NETDEV_TX_OK;
	}
	return transmit(skb, t, c, &h, NULL);
}

static netdev_tx_t gretap_xmit(struct sk_buff *skb, struct net_device *dev)
{
	struct tunnel *t = netdev_priv(dev);
	const struct tunnel_config *c = rcu_dereference_bh(t->config);

	if (unlikely(!transmit_pull(skb, dev))) {
		tunnel_drop(t, skb, DROP_TX_TRUNCATED);
		return NETDEV_TX_OK;
	}
	if (unlikely(c->collect_md))
		return gretap_xmit_external(skb, t, c);
	return transmit(skb, t, c, &c->header, NULL);
}

static const struct net_device_ops gretap_ops = {
	.ndo_init		= tunnel_dev_init,
	.ndo_uninit		= tunnel_dev_uninit,
	.ndo_start_xmit		= gretap_xmit,
	.ndo_set_mac_address	= eth_mac_addr,
	.ndo_validate_addr	= eth_validate_addr,
	.ndo_change_mtu		= tunnel_dev_change_mtu,
	.ndo_get_stats64	= tunnel_dev_get_stats,
	.ndo_get_iflink		= tunnel_dev_get_iflink,
	.ndo_fill_metadata_dst	= metadata_fill_dst,
};

static void gretap_setup(struct net_device *dev)
{
	tunnel_dev_setup(dev, &kind_gretap);
	dev->features |= NETIF_F_GSO_SOFTWARE;
	dev->hw_features |= NETIF_F_GSO_SOFTWARE;
}

static void gretap_defaults(struct tunnel_config *c)
{
	c->protocol = IPPROTO_GRE;
}

static void gretap_prepare(struct tunnel_config *c)
{
	gre_header(c, htons(ETH_P_TEB));
}

const struct tunnel_kind kind_gretap = {
	.name		= "gretap",
	.base_name	= "gretap0",
	.id		= KIND_GRETAP,
	.family		= FAMILY_GRE,
	.protocol	= IPPROTO_GRE,
	.dev_type	= ARPHRD_ETHER,
	.ops		= &gretap_ops,
	.setup		= gretap_setup,
	.defaults	= gretap_defaults,
	.validate	= gre_validate,
	.prepare	= gretap_prepare,
	.own_header	= gre_own_header,
	.build		= gre_build,
};

MODULE_ALIAS_RTNL_LINK("gretap");
MODULE_ALIAS_NETDEV("gretap0");
