// SPDX-License-Identifier: GPL-2.0-only
/* Copyright (C) 2026 The culvert authors */
/*
 * gre: any network protocol over IPv4, point to point, multipoint or to a
 * multicast group.
 */

#include <linux/igmp.h>
#include <linux/inetdevice.h>
#include <net/gre.h>
#include <net/route.h>

#include "culvert.h"
#include "wire_gre.h"

/*
 * On a device without a fixed remote, the outer IP header is the link-layer
 * header: neighbours have outer addresses, and PF_PACKET sockets see and give
 * them. What header_ops.create() leaves in front of a packet is a template:
 * gre_xmit() takes the addresses from it and builds the real header anew.
 */
static int gre_create_header(struct sk_buff *skb, struct net_device *dev, unsigned short type,
			     const void *daddr, const void *saddr, unsigned int len)
{
	const struct tunnel *t = netdev_priv(dev);
	const struct tunnel_config *c;
	struct gre_header g = { };
	struct iphdr *iph;
	int needed;

	/* A bond or team of older kernels passes itself: that is no tunnel. */
	if (unlikely(dev->netdev_ops != kind_gre.ops))
		return -EINVAL;
	rcu_read_lock();
	c = rcu_dereference(t->config);
	needed = sizeof(*iph) + c->header_len;
	if (skb_headroom(skb) < needed &&
	    pskb_expand_head(skb, HH_DATA_ALIGN(needed - skb_headroom(skb)), 0, GFP_ATOMIC)) {
		needed = -needed;
		goto out;
	}

	iph = skb_push(skb, needed);
	memset(iph, 0, needed);
	g.flags = be16_to_cpu(c->o_flags);
	g.proto = type;
	g.key = be32_to_cpu(c->o_key);
	wire_gre_build(iph + 1, &g);

	iph->version = 4;
	iph->ihl = sizeof(*iph) / 4;
	iph->protocol = IPPROTO_GRE;
	iph->frag_off = c->frag_off;
	iph->ttl = c->ttl;
	iph->tos = c->tos;
	iph->saddr = saddr ? *(const __be32 *)saddr : c->local.ip4;
	/* gre0 with a remote: its neighbours have an address, but not that. */
	if (daddr && (!c->remote.ip4 || ipv4_is_multicast(c->remote.ip4)))
		iph->daddr = *(const __be32 *)daddr;
	else
		iph->daddr = c->remote.ip4;
	if (!iph->daddr)
		needed = -needed;
out:
	rcu_read_unlock();
	return needed;
}

/* The outer source, which receive() left at the MAC header. */
static int gre_parse_header_addr(const struct sk_buff *skb, HEADER_PARSE_DEV unsigned char *haddr)
{
	const struct iphdr *iph = (const struct iphdr *)skb_mac_header(skb);

	memcpy(haddr, &iph->saddr, sizeof(iph->saddr));
	return sizeof(iph->saddr);
}

const struct header_ops gre_header_ops = {
	.create	= gre_create_header,
	.parse	= gre_parse_header_addr,
};

/*
 * Remove the template. A packet may have come without one, from a socket that
 * wrote less than hard_header_len bytes: then there is nothing to read.
 */
static enum tunnel_drop gre_take_template(struct sk_buff *skb, const struct net_device *dev,
					  const struct tunnel_config *c, struct iphdr *template)
{
	unsigned int len = sizeof(*template) + c->header_len;

	if (unlikely(!pskb_may_pull(skb, len)))
		return DROP_TX_TRUNCATED;
	memcpy(template, skb->data, sizeof(*template));
	skb_pull(skb, len);
	skb_reset_mac_header(skb);
	if (likely(!skb_network_offset(skb)))
		return DROP_NONE;
	/* A socket wrote so little that the core took the template for the packet. */
	skb_reset_network_header(skb);
	return transmit_pull(skb, dev) ? DROP_NONE : DROP_TX_TRUNCATED;
}

/* External, multipoint and multicast devices. */
static noinline netdev_tx_t gre_xmit_open(struct sk_buff *skb, struct tunnel *t,
					  const struct tunnel_config *c)
{
	struct tunnel_header h = c->header;
	struct iphdr *template = NULL;
	enum tunnel_drop drop;
	struct iphdr buffer;

	if (c->collect_md) {
		drop = gre_header_metadata(&h, skb, skb->protocol);
	} else {
		template = &buffer;
		drop = gre_take_template(skb, t->dev, c, template);
	}
	if (unlikely(drop)) {
		tunnel_drop(t, skb, drop);
		return NETDEV_TX_OK;
	}
	if (template && unlikely(peers_replicates(t, template->daddr)))
		return peers_replicate(skb, t, c, &h, template);
	return transmit(skb, t, c, &h, template);
}

static netdev_tx_t gre_xmit(struct sk_buff *skb, struct net_device *dev)
{
	struct tunnel *t = netdev_priv(dev);
	const struct tunnel_config *c = rcu_dereference_bh(t->config);

	if (unlikely(!transmit_pull(skb, dev))) {
		tunnel_drop(t, skb, DROP_TX_TRUNCATED);
		return NETDEV_TX_OK;
	}
	if (unlikely(c->collect_md || dev->header_ops))
		return gre_xmit_open(skb, t, c);
	return transmit(skb, t, c, &c->header, NULL);
}

/* A tunnel to a multicast group is a member of it while it is up. */
static int gre_open(struct net_device *dev)
{
	struct tunnel *t = netdev_priv(dev);
	const struct tunnel_config *c = tunnel_config(t);
	struct in_device *in_dev;
	struct flowi4 fl4;
	struct rtable *rt;

	keepalive_start(t);
	if (!ipv4_is_multicast(c->remote.ip4))
		return 0;
	ip_tunnel_init_flow(&fl4, IPPROTO_GRE, c->remote.ip4, c->local.ip4, c->o_key,
			    c->tos & INET_DSCP_MASK, t->net, c->link, c->fwmark, 0, 0);
	rt = ip_route_output_key(t->net, &fl4);
	if (IS_ERR(rt))
		return -EADDRNOTAVAIL;
	in_dev = __in_dev_get_rtnl(rt->dst.dev);
	if (in_dev) {
		t->mlink = rt->dst.dev->ifindex;
		ip_mc_inc_group(in_dev, c->remote.ip4);
	}
	ip_rt_put(rt);
	return in_dev ? 0 : -EADDRNOTAVAIL;
}

static int gre_stop(struct net_device *dev)
{
	struct tunnel *t = netdev_priv(dev);
	const struct tunnel_config *c = tunnel_config(t);
	struct in_device *in_dev;

	keepalive_stop(t);
	if (!ipv4_is_multicast(c->remote.ip4) || !t->mlink)
		return 0;
	in_dev = inetdev_by_index(t->net, t->mlink);
	if (in_dev)
		ip_mc_dec_group(in_dev, c->remote.ip4);
	t->mlink = 0;
	return 0;
}

/* Multipoint devices have peers; those to a multicast group have a group. */
static int gre_dev_init(struct net_device *dev)
{
	struct tunnel *t = netdev_priv(dev);
	int err = 0;

	if (dev->header_ops && !tunnel_config(t)->remote.ip4)
		err = peers_init(dev);
	if (err)
		return err;
	dev->sysfs_groups[0] = t->peers ? &tunnel_sysfs_group_peers : &tunnel_sysfs_group;
	err = tunnel_dev_init(dev);
	if (err)
		peers_free(t);
	return err;
}

static void gre_dev_uninit(struct net_device *dev)
{
	keepalive_exit(netdev_priv(dev));
	peers_stop(netdev_priv(dev));
	tunnel_dev_uninit(dev);
}

static const struct net_device_ops gre_ops = {
	.ndo_init		= gre_dev_init,
	.ndo_uninit		= gre_dev_uninit,
	.ndo_open		= gre_open,
	.ndo_stop		= gre_stop,
	.ndo_start_xmit		= gre_xmit,
	.ndo_change_mtu		= tunnel_dev_change_mtu,
	.ndo_get_stats64	= tunnel_dev_get_stats,
	.ndo_get_iflink		= tunnel_dev_get_iflink,
	.ndo_neigh_construct	= peers_construct,
	.ndo_neigh_destroy	= peers_destroy,
	NDO_TUNNEL_IOCTL
};

static void gre_defaults(struct tunnel_config *c)
{
	c->protocol = IPPROTO_GRE;
}

static void gre_prepare(struct tunnel_config *c)
{
	gre_header(c, 0);
}

static int gre_kind_validate(const struct tunnel_config *c, struct netlink_ext_ack *extack)
{
	if (ipv4_is_multicast(c->remote.ip4) && !c->local.ip4) {
		NL_SET_ERR_MSG_MOD(extack, "a multicast remote needs a local address");
		return -EINVAL;
	}
	return gre_validate(c, extack);
}

static void gre_setup(struct net_device *dev)
{
	tunnel_dev_setup(dev, &kind_gre);
	dev->features |= NETIF_F_GSO_SOFTWARE;
	dev->hw_features |= NETIF_F_GSO_SOFTWARE;
}

/* Multipoint and multicast devices have outer addresses as link-layer ones. */
static void gre_init(struct net_device *dev, const struct tunnel_config *c)
{
	bool multicast = ipv4_is_multicast(c->remote.ip4);

	if (dev->reg_state != NETREG_UNINITIALIZED)
		return;
	if (c->collect_md) {
		dev->type = ARPHRD_NONE;
		return;
	}
	if (c->remote.ip4 && !multicast)
		return;
	if (multicast)
		dev->flags = IFF_BROADCAST;
	dev->header_ops = &gre_header_ops;
	dev->hard_header_len = sizeof(struct iphdr) + c->header_len;
}

const struct tunnel_kind kind_gre = {
	.name		= "gre",
	.base_name	= "gre0",
	.id		= KIND_GRE,
	.family		= FAMILY_GRE,
	.protocol	= IPPROTO_GRE,
	.dev_type	= ARPHRD_IPGRE,
	.ops		= &gre_ops,
	.has_ioctl	= true,
	.setup		= gre_setup,
	.defaults	= gre_defaults,
	.validate	= gre_kind_validate,
	.prepare	= gre_prepare,
	.own_header	= gre_own_header,
	.init		= gre_init,
	.build		= gre_build,
};

MODULE_ALIAS_RTNL_LINK("gre");
MODULE_ALIAS_NETDEV("gre0");
