// SPDX-License-Identifier: GPL-2.0-only
/* Copyright (C) 2026 The culvert authors */
/*
 * vti: IPv4 and IPv6 in IPsec tunnel mode, by route. A packet sent to the device
 * is given its mark; the IPsec policy for that mark says how it is protected, and
 * IPsec, not the device, puts the outer header on. ipsec.c is the way back.
 */

#include <net/dst.h>
#include <net/icmp.h>
#include <net/ip6_route.h>
#include <net/route.h>
#include <net/xfrm.h>

#include "kind_vti.h"

/*
 * What the policy is looked up by. Whatever a queueing discipline left in
 * skb->cb is taken for an offset into the packet otherwise.
 */
static enum tunnel_drop vti_flow(struct sk_buff *skb, const struct net_device *dev,
				 const struct tunnel_config *c, struct flowi *fl)
{
	bool ipv6 = skb->protocol == htons(ETH_P_IPV6);

	if (unlikely(!transmit_pull(skb, dev)))
		return DROP_TX_TRUNCATED;
	if (unlikely(!ipv6 && skb->protocol != htons(ETH_P_IP)))
		return DROP_TX_WRONG_PAYLOAD;
	memset(skb->cb, 0, sizeof(skb->cb));
	memset(fl, 0, sizeof(*fl));
	xfrm_decode_session(dev_net(dev), skb, fl, ipv6 ? AF_INET6 : AF_INET);
	fl->flowi_mark = vti_mark_out(c);
	return DROP_NONE;
}

#if IS_ENABLED(CONFIG_IPV6)
static struct dst_entry *vti_route_ipv6(const struct net_device *dev, struct flowi *fl)
{
	struct dst_entry *dst;

	fl->u.ip6.flowi6_oif = dev->ifindex;
	fl->u.ip6.flowi6_flags |= FLOWI_FLAG_ANYSRC;
	dst = ip6_route_output(dev_net(dev), NULL, &fl->u.ip6);
	if (!dst->error)
		return dst;
	dst_release(dst);
	return NULL;
}
#else
static struct dst_entry *vti_route_ipv6(const struct net_device *dev, struct flowi *fl)
{
	return NULL;
}
#endif

/* Packets from a packet socket come without a route; IPsec starts from one. */
static noinline struct dst_entry *vti_route(struct sk_buff *skb, const struct net_device *dev,
					    struct flowi *fl)
{
	struct dst_entry *dst = NULL;
	struct rtable *rt;

	if (skb->protocol == htons(ETH_P_IPV6)) {
		dst = vti_route_ipv6(dev, fl);
	} else {
		fl->u.ip4.flowi4_oif = dev->ifindex;
		fl->u.ip4.flowi4_flags |= FLOWI_FLAG_ANYSRC;
		rt = __ip_route_output_key(dev_net(dev), &fl->u.ip4);
		if (!IS_ERR(rt))
			dst = &rt->dst;
	}
	if (dst)
		skb_dst_set(skb, dst);
	return dst;
}

static bool vti_state_fits(const struct xfrm_state *x, const struct tunnel_config *c)
{
	if (x->props.mode != XFRM_MODE_TUNNEL || x->props.family != AF_INET ||
	    (c->local.ip4 && x->props.saddr.a4 && c->local.ip4 != x->props.saddr.a4))
		return false;
	return !c->remote.ip4 || c->remote.ip4 == x->id.daddr.a4;
}

/* Whether @dst, what IPsec made of the packet's route, protects it for this tunnel. */
static enum tunnel_drop vti_check_state(const struct sk_buff *skb, const struct dst_entry *dst,
					const struct tunnel *t, const struct tunnel_config *c)
{
	if (unlikely(dst == skb_dst(skb)))
		return DROP_TX_NO_POLICY;
	/* A route that discards, because there is no state. */
	if (unlikely(!dst->xfrm))
		return DROP_TX_NO_STATE;
	if (unlikely(!vti_state_fits(dst->xfrm, c)))
		return DROP_TX_WRONG_STATE;
	return DROP_NONE;
}

/*
 * Path MTU less what this state adds. IPv6 senders can't go below 1280, so what
 * fits that is sent: the outer packet is fragmented.
 */
static bool vti_fits(struct sk_buff *skb, const struct dst_entry *dst)
{
	u32 mtu = dst_mtu(dst);

	if (likely(skb->len <= mtu))
		return true;
	skb_dst_update_pmtu_no_confirm(skb, mtu);
	if (skb->protocol == htons(ETH_P_IP)) {
		if (!(ip_hdr(skb)->frag_off & htons(IP_DF)))
			return true;
		icmp_ndo_send(skb, ICMP_DEST_UNREACH, ICMP_FRAG_NEEDED, htonl(mtu));
		return false;
	}
	mtu = max_t(u32, mtu, IPV6_MIN_MTU);
	if (skb->len <= mtu)
		return true;
	icmpv6_ndo_send(skb, ICMPV6_PKT_TOOBIG, 0, mtu);
	return false;
}

static enum tunnel_drop vti_check(struct sk_buff *skb, const struct dst_entry *dst,
				  const struct tunnel *t, const struct tunnel_config *c)
{
	enum tunnel_drop drop;

	/* IPsec queues the packet until there is a state. */
	if (dst->flags & DST_XFRM_QUEUE)
		return DROP_NONE;
	drop = vti_check_state(skb, dst, t, c);
	if (unlikely(drop)) {
		dst_link_failure(skb);
		return drop;
	}
	if (unlikely(dst->dev == t->dev))
		return DROP_TX_LOOP;
	return vti_fits(skb, dst) ? DROP_NONE : DROP_TX_TOO_BIG;
}

/* To IPsec, which encrypts, adds the outer header, and sends. @dst is consumed. */
static void vti_output(struct sk_buff *skb, struct tunnel *t, struct dst_entry *dst)
{
	struct net_device *dev = t->dev;
	unsigned int len = skb->len;
	int err;

	skb_scrub_packet(skb, !net_eq(t->net, dev_net(dev)));
	skb_dst_set(skb, dst);
	skb->dev = dst->dev;
	/* What an IPv6 sender can't make any smaller is sent in fragments. */
	skb->ignore_df = skb->protocol == htons(ETH_P_IPV6) && len <= IPV6_MIN_MTU;
	/* The ICMP errors above have used it. */
	memset(skb->cb, 0, sizeof(skb->cb));
	/* IPsec asks where it is; a packet socket need not have known. */
	if (!skb_transport_header_was_set(skb))
		skb_reset_transport_header(skb);
	err = dst_output(t->net, skb->sk, skb);
	if (unlikely(net_xmit_eval(err)))
		tunnel_drop_count(t, DROP_TX_UNDERLAY);
	else
		dev_sw_netstats_tx_add(dev, 1, len);
}

static enum tunnel_drop vti_transmit(struct sk_buff *skb, struct tunnel *t,
				     const struct tunnel_config *c)
{
	enum tunnel_drop drop;
	struct dst_entry *dst;
	struct flowi fl;

	drop = vti_flow(skb, t->dev, c, &fl);
	if (unlikely(drop))
		return drop;
	dst = skb_dst(skb) ? : vti_route(skb, t->dev, &fl);
	if (unlikely(!dst))
		return DROP_TX_NO_ROUTE;
	/* An ifindex of the device's namespace means nothing in the underlay's. */
	if (!net_eq(t->net, dev_net(t->dev)))
		fl.flowi_oif = c->link;
	dst_hold(dst);
	dst = xfrm_lookup_route(t->net, dst, &fl, NULL, 0);
	if (IS_ERR(dst)) {
		dst_link_failure(skb);
		return DROP_TX_NO_STATE;
	}
	drop = vti_check(skb, dst, t, c);
	if (unlikely(drop)) {
		dst_release(dst);
		return drop;
	}
	vti_output(skb, t, dst);
	return DROP_NONE;
}

static netdev_tx_t vti_xmit(struct sk_buff *skb, struct net_device *dev)
{
	struct tunnel *t = netdev_priv(dev);
	enum tunnel_drop drop = DROP_TX_RECURSION;

	if (likely(transmit_enter())) {
		drop = vti_transmit(skb, t, rcu_dereference_bh(t->config));
		transmit_leave();
	}
	if (unlikely(drop))
		tunnel_drop(t, skb, drop);
	return NETDEV_TX_OK;
}

static const struct net_device_ops vti_ops = {
	.ndo_init		= tunnel_dev_init,
	.ndo_uninit		= tunnel_dev_uninit,
	.ndo_start_xmit		= vti_xmit,
	.ndo_change_mtu		= tunnel_dev_change_mtu,
	.ndo_get_stats64	= tunnel_dev_get_stats,
	.ndo_get_iflink		= tunnel_dev_get_iflink,
	NDO_TUNNEL_IOCTL
};

/* IPsec encrypts each packet by itself: checksummed, in one piece, and linear. */
static void vti_setup(struct net_device *dev)
{
	tunnel_dev_setup(dev, &kind_vti);
	dev->header_ops = &ip_tunnel_header_ops;
	dev->features &= ~dev->hw_features;
	dev->hw_features = 0;
}

static void vti_init(struct net_device *dev, const struct tunnel_config *c)
{
	WRITE_ONCE(vti_mark(netdev_priv(dev))->parms.i_key, c->i_key);
}

static void vti_defaults(struct tunnel_config *c)
{
	c->protocol = IPPROTO_IPIP;
}

static bool vti_payload_is_valid(u8 protocol)
{
	return protocol == IPPROTO_IPIP;
}

static u16 vti_own_header(const struct tunnel_config *c)
{
	return 0;
}

const struct tunnel_kind kind_vti = {
	.name		= "vti",
	.base_name	= "ip_vti0",
	.id		= KIND_VTI,
	.family		= FAMILY_VTI,
	.protocol	= IPPROTO_IPIP,
	.dev_type	= ARPHRD_TUNNEL,
	.size		= sizeof(struct vti),
	.ops		= &vti_ops,
	.has_ioctl	= true,
	.key_is_mark	= true,
	.setup		= vti_setup,
	.defaults	= vti_defaults,
	.payload_is_valid = vti_payload_is_valid,
	.own_header	= vti_own_header,
	.init		= vti_init,
};

MODULE_ALIAS_RTNL_LINK("vti");
MODULE_ALIAS_NETDEV("ip_vti0");
