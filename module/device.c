// SPDX-License-Identifier: GPL-2.0-only
/* Copyright (C) 2026 The culvert authors */
/* The life of a tunnel device: made, changed, moved, unmade; MTU, statistics. */

#include <linux/etherdevice.h>
#include <linux/inetdevice.h>
#include <net/ip.h>
#include <net/route.h>

#include "cells.h"
#include "culvert.h"

/* Without a route to tell better: Ethernet, and the longest link header. */
#define DEFAULT_UNDERLAY_MTU	ETH_DATA_LEN
#define DEFAULT_UNDERLAY_ROOM	LL_MAX_HEADER

#define TUNNEL_FEATURES	(NETIF_F_SG | NETIF_F_FRAGLIST | NETIF_F_HIGHDMA | NETIF_F_HW_CSUM)

/**
 * tunnel_dev_setup() - what all kinds set up alike, for rtnl_link_ops.setup
 * @dev: the new device
 * @kind: its kind
 *
 * The configuration is not known yet. RTNL.
 */
void tunnel_dev_setup(struct net_device *dev, const struct tunnel_kind *kind)
{
	struct tunnel *t = netdev_priv(dev);

	if (kind->dev_type == ARPHRD_ETHER) {
		ether_setup(dev);
		dev->max_mtu = 0;
		dev->priv_flags &= ~IFF_TX_SKB_SHARING;
		dev->priv_flags |= IFF_LIVE_ADDR_CHANGE;
	} else {
		dev->flags = IFF_NOARP;
		dev->addr_len = sizeof(__be32);
	}
	dev->type = kind->dev_type;
	dev->netdev_ops = kind->ops;
	dev->ethtool_ops = &tunnel_ethtool_ops;
	dev->features |= TUNNEL_FEATURES;
	dev->hw_features |= TUNNEL_FEATURES;
	netdev_set_lltx(dev);
	netif_keep_dst(dev);

	t->dev = dev;
	t->kind = kind;
	INIT_LIST_HEAD(&t->list);
	t->keepalive_options = KEEPALIVE_ANSWER;
}

/* The last reference is gone: nobody looks at the device any more. */
static void tunnel_dev_free(struct net_device *dev)
{
	struct tunnel *t = netdev_priv(dev);

	config_free(rcu_dereference_protected(t->config, 1));
	RCU_INIT_POINTER(t->config, NULL);
	keepalive_free(t);
	peers_free(t);
	route_cache_destroy(&t->route);
	free_percpu(dev->tstats);
}

/**
 * tunnel_dev_init() - ndo_init
 * @dev: the device, with its configuration in place
 *
 * Return: 0 or -ENOMEM. RTNL.
 */
int tunnel_dev_init(struct net_device *dev)
{
	struct tunnel *t = netdev_priv(dev);

	dev->tstats = netdev_alloc_pcpu_stats(struct pcpu_sw_netstats);
	if (!dev->tstats)
		return -ENOMEM;
	if (route_cache_init(&t->route)) {
		free_percpu(dev->tstats);
		return -ENOMEM;
	}
	dev->needs_free_netdev = true;
	dev->priv_destructor = tunnel_dev_free;
	netdev_lockdep_set_classes(dev);
	return 0;
}

/* Take the tunnel out of the table, so that its endpoints are free. */
static void tunnel_dev_unlink(struct tunnel *t)
{
	struct tunnel_net *tn = tunnel_net(t->net);
	struct tunnel_space *s = tunnel_space(t);

	if (list_empty(&t->list))
		return;
	list_del_init(&t->list);
	table_remove(tn, tunnel_config(t));
	if (s->base == t) {
		s->base = NULL;
		RCU_INIT_POINTER(s->catch_all, NULL);
	}
}

/**
 * tunnel_dev_uninit() - ndo_uninit
 * @dev: the device; it was closed at least one grace period ago
 *
 * RTNL.
 */
void tunnel_dev_uninit(struct net_device *dev)
{
	tunnel_dev_unlink(netdev_priv(dev));
	cells_flush(dev);
}

static void tunnel_dev_set_addresses(struct net_device *dev, const struct tunnel_config *c)
{
	if (dev->type == ARPHRD_ETHER)
		return;
	__dev_addr_set(dev, (const u8 *)&c->local.ip4, sizeof(c->local.ip4));
	memcpy(dev->broadcast, &c->remote.ip4, sizeof(c->remote.ip4));
}

/* The device outer packets will probably leave through; no reference is held. */
static struct net_device *tunnel_dev_underlay(const struct tunnel *t, const struct tunnel_config *c)
{
	struct net_device *dev = NULL;
	struct flowi4 fl4;
	struct rtable *rt;

	if (c->remote.ip4) {
		ip_tunnel_init_flow(&fl4, t->kind->protocol, c->remote.ip4, c->local.ip4,
				    c->o_key, c->tos & INET_DSCP_MASK, t->net, c->link,
				    c->fwmark, 0, 0);
		rt = ip_route_output_key(t->net, &fl4);
		if (!IS_ERR(rt)) {
			dev = rt->dst.dev;
			ip_rt_put(rt);
		}
	}
	if (!dev && c->link)
		dev = __dev_get_by_index(t->net, c->link);
	return dev;
}

/*
 * Reserve headroom for what the underlay needs, and return the MTU that fits
 * it. RTNL keeps the underlay device from going away.
 */
static int tunnel_dev_bind(struct tunnel *t, const struct tunnel_config *c)
{
	int header_len = sizeof(struct iphdr) + c->header_len;
	const struct net_device *underlay = tunnel_dev_underlay(t, c);
	int room = DEFAULT_UNDERLAY_ROOM;
	int mtu = DEFAULT_UNDERLAY_MTU;
	struct net_device *dev = t->dev;

	if (c->remote.ip4 && dev->type != ARPHRD_ETHER)
		dev->flags |= IFF_POINTOPOINT;
	if (underlay) {
		room = underlay->hard_header_len + underlay->needed_headroom;
		mtu = min_t(int, READ_ONCE(underlay->mtu), IP_MAX_MTU);
	}
	WRITE_ONCE(dev->needed_headroom, ip_tunnel_limit_headroom(header_len + room));
	mtu -= header_len;
	if (dev->type == ARPHRD_ETHER)
		mtu -= dev->hard_header_len;
	return max3(mtu, (int)dev->min_mtu, IPV4_MIN_MTU);
}

static int tunnel_dev_max_mtu(const struct net_device *dev, const struct tunnel_config *c)
{
	int max = IP_MAX_MTU - (int)sizeof(struct iphdr) - c->header_len;

	return dev->type == ARPHRD_ETHER ? max - dev->hard_header_len : max;
}

/**
 * tunnel_dev_change_mtu() - ndo_change_mtu
 * @dev: the device
 * @mtu: of the inner packet
 *
 * Return: 0, or -EINVAL if an outer packet could not hold that. RTNL.
 */
int tunnel_dev_change_mtu(struct net_device *dev, int mtu)
{
	struct tunnel *t = netdev_priv(dev);

	if (mtu < ETH_MIN_MTU || mtu > tunnel_dev_max_mtu(dev, tunnel_config(t)))
		return -EINVAL;
	WRITE_ONCE(dev->mtu, mtu);
	return 0;
}

/**
 * tunnel_dev_get_stats() - ndo_get_stats64
 * @dev: the device
 * @s: filled in
 */
void tunnel_dev_get_stats(struct net_device *dev, struct rtnl_link_stats64 *s)
{
	netdev_stats_to_stats64(s, &dev->stats);
	dev_fetch_sw_netstats(s, dev->tstats);
	tunnel_drop_stats(netdev_priv(dev), s);
}

/**
 * tunnel_dev_get_iflink() - ndo_get_iflink
 * @dev: the device
 *
 * Return: ifindex of the device it is bound to, in the underlay's namespace, or
 * 0.
 */
int tunnel_dev_get_iflink(const struct net_device *dev)
{
	const struct tunnel *t = netdev_priv(dev);
	const struct tunnel_config *c;
	int link;

	rcu_read_lock();
	c = rcu_dereference(t->config);
	link = c ? c->link : 0;
	rcu_read_unlock();
	return link;
}

static bool tunnel_dev_is_taken(struct tunnel_net *tn, const struct tunnel_kind *kind,
			    const struct tunnel_config *c, const struct tunnel *self,
			    struct netlink_ext_ack *extack)
{
	const struct tunnel *other;

	if (c->collect_md)
		other = rtnl_dereference(tn->spaces[kind->id].external);
	else
		other = table_find(tn, c, kind->id);
	if (!other || other == self)
		return false;
	if (c->collect_md)
		NL_SET_ERR_MSG_MOD(extack, "File exists: an external device of this kind");
	else
		NL_SET_ERR_MSG_MOD(extack, "File exists: another tunnel has these endpoints, key and device");
	return true;
}

static void tunnel_dev_set_mtu(struct net_device *dev, const struct tunnel_config *c,
			   const struct nlattr *mtu, int fitting)
{
	/* Limits that the kind has set, the core has seen to. */
	if (mtu && dev->max_mtu)
		fitting = dev->mtu;
	else if (mtu)
		fitting = clamp_t(int, dev->mtu, ETH_MIN_MTU, tunnel_dev_max_mtu(dev, c));
	dev->mtu = fitting;
}

/**
 * tunnel_dev_register() - make an allocated device a working tunnel
 * @net: the underlay's namespace
 * @dev: the device, set up, not registered
 * @c: a validated configuration, owned by the device from here on: freed even
 *	on failure
 * @mtu: IFLA_MTU of the request, whose value is in dev->mtu; or NULL
 * @extack: why not; may be NULL
 *
 * Return: 0, -EEXIST if the endpoints are taken, or what register_netdevice()
 * or table_insert() say; the device is for the caller to free_netdev() then.
 * RTNL.
 */
int tunnel_dev_register(struct net *net, struct net_device *dev, struct tunnel_config *c,
		    const struct nlattr *mtu, struct netlink_ext_ack *extack)
{
	struct tunnel_net *tn = tunnel_net(net);
	struct tunnel *t = netdev_priv(dev);
	int err = -EEXIST;

	t->net = net;
	c->tunnel = t;
	c->route_tag = route_cache_new_tag(&t->route);
	if (tunnel_dev_is_taken(tn, t->kind, c, NULL, extack))
		goto free;

	if (t->kind->init)
		t->kind->init(dev, c);
	tunnel_dev_set_addresses(dev, c);
	tunnel_dev_set_mtu(dev, c, mtu, tunnel_dev_bind(t, c));

	rcu_assign_pointer(t->config, c);
	err = register_netdevice(dev);
	if (err) {
		/* If it came as far as ndo_init, the configuration is freed. */
		c = rtnl_dereference(t->config);
		RCU_INIT_POINTER(t->config, NULL);
		if (err == -EEXIST)
			NL_SET_ERR_MSG_MOD(extack, "File exists: a device of this name");
		goto free;
	}
	/*
	 * Not before: a packet may have found the tunnel, and a device that was
	 * never registered is freed without waiting for it.
	 */
	err = table_insert(tn, c);
	if (err)
		unregister_netdevice(dev);
	else
		list_add_tail(&t->list, &tn->tunnels);
	return err;
free:
	config_free(c);
	return err;
}

/**
 * tunnel_dev_create() - make a device outside of rtnetlink
 * @net: the namespace, of the device and of the underlay
 * @kind: its kind
 * @name: a name, a template like "gre%d", or "" for the kind's template
 * @c: a validated configuration, consumed
 *
 * Return: the tunnel; or an ERR_PTR: -E2BIG for an invalid name, -ENOMEM, or
 * what tunnel_dev_register() says. RTNL.
 */
struct tunnel *tunnel_dev_create(struct net *net, const struct tunnel_kind *kind, const char *name,
			     struct tunnel_config *c)
{
	char template[IFNAMSIZ];
	struct net_device *dev;
	int err = -E2BIG;

	if (!*name)
		snprintf(template, sizeof(template), "%s%%d", kind->name);
	else if (dev_valid_name(name))
		strscpy(template, name, sizeof(template));
	else
		goto free_config;

	err = -ENOMEM;
	dev = alloc_netdev(tunnel_size(kind), template, NET_NAME_UNKNOWN, kind->setup);
	if (!dev)
		goto free_config;
	dev_net_set(dev, net);
	dev->rtnl_link_ops = netlink_link_ops(kind);
	err = tunnel_dev_register(net, dev, c, NULL, NULL);
	if (err) {
		free_netdev(dev);
		return ERR_PTR(err);
	}
	return netdev_priv(dev);

free_config:
	config_free(c);
	return ERR_PTR(err);
}

/**
 * tunnel_dev_limit_mtu() - let the core refuse MTUs that cannot work
 * @t: the tunnel
 *
 * For devices that "ip tunnel add" made, which is how those behave, unless the
 * kind has limits of its own. RTNL.
 */
void tunnel_dev_limit_mtu(struct tunnel *t)
{
	struct net_device *dev = t->dev;

	if (dev->max_mtu)
		return;
	dev->min_mtu = ETH_MIN_MTU;
	dev->max_mtu = tunnel_dev_max_mtu(dev, tunnel_config(t));
}

/**
 * tunnel_dev_keeps_shape() - whether a change leaves a device what it is
 * @t: the tunnel
 * @c: its configuration to be
 * @extack: why not; may be NULL
 *
 * Return: false if a point-to-point device would have to become multipoint or
 * back; Ethernet is Ethernet. RTNL.
 */
bool tunnel_dev_keeps_shape(const struct tunnel *t, const struct tunnel_config *c,
			    struct netlink_ext_ack *extack)
{
	__be32 old = tunnel_config(t)->remote.ip4;
	__be32 new = c->remote.ip4;

	if (t->dev->type == ARPHRD_ETHER ||
	    (!old == !new && ipv4_is_multicast(old) == ipv4_is_multicast(new)))
		return true;
	NL_SET_ERR_MSG_MOD(extack, "a device stays point-to-point, multipoint or multicast");
	return false;
}

/* The header got longer or shorter: so do headroom and, the other way, MTU. */
static void tunnel_dev_resize(struct tunnel *t, int delta, bool set_mtu)
{
	struct net_device *dev = t->dev;

	if (!delta)
		return;
	if (dev->header_ops != &gre_header_ops)
		WRITE_ONCE(dev->needed_headroom, dev->needed_headroom + delta);
	if (set_mtu)
		WRITE_ONCE(dev->mtu, max_t(int, dev->mtu - delta, ETH_MIN_MTU));
}

/* Publish @c in place of the present configuration. Nothing is changed on error. */
static int tunnel_dev_swap(struct tunnel *t, struct tunnel_config *c)
{
	struct tunnel_config *old = tunnel_config(t);
	struct tunnel_net *tn = tunnel_net(t->net);
	bool replaced;
	int err;

	c->tunnel = t;
	c->route_tag = route_cache_new_tag(&t->route);
	replaced = table_replace(old, c);
	if (!replaced && !c->collect_md) {
		err = table_insert(tn, c);
		if (err)
			return err;
	}
	rcu_assign_pointer(t->config, c);
	if (!replaced && !old->collect_md)
		table_remove(tn, old);
	config_free_rcu(old);
	return 0;
}

/* A base device takes what nobody else does unless it has endpoints of its own. */
static void tunnel_dev_set_catch_all(struct tunnel *t, const struct tunnel_config *c)
{
	struct tunnel_space *s = &tunnel_net(t->net)->spaces[t->kind->id];

	RCU_INIT_POINTER(s->catch_all, config_has_endpoints(c) ? NULL : t);
}

/**
 * tunnel_dev_apply() - change a tunnel, whatever it was
 * @t: the tunnel
 * @c: a validated configuration whose endpoints are free; consumed on success
 * @set_mtu: whether the MTU follows the change
 *
 * Return: 0 or what table_insert() says; nothing is changed on error. RTNL.
 */
int tunnel_dev_apply(struct tunnel *t, struct tunnel_config *c, bool set_mtu)
{
	const struct net_device_ops *ops = t->dev->netdev_ops;
	struct tunnel_config *old = tunnel_config(t);
	struct net_device *dev = t->dev;
	bool rebind = c->link != old->link || c->fwmark != old->fwmark ||
		      !c->remote.ip4 != !old->remote.ip4;
	bool regroup = netif_running(dev) && c->remote.ip4 != old->remote.ip4;
	int delta = c->header_len - old->header_len;
	int err, mtu;

	/* Leave the old multicast group before the address is forgotten. */
	if (regroup && ops->ndo_stop)
		ops->ndo_stop(dev);
	err = tunnel_dev_swap(t, c);
	if (err) {
		c = old;
	} else if (rebind) {
		mtu = tunnel_dev_bind(t, c);
		if (set_mtu)
			WRITE_ONCE(dev->mtu, mtu);
	} else {
		tunnel_dev_resize(t, delta, set_mtu);
	}
	/* What gre_create_header() puts there. */
	if (dev->header_ops == &gre_header_ops)
		dev->hard_header_len = sizeof(struct iphdr) + c->header_len;
	if (t->kind->init)
		t->kind->init(dev, c);
	if (regroup && ops->ndo_open)
		ops->ndo_open(dev);
	if (err)
		return err;
	if (tunnel_is_base(t))
		tunnel_dev_set_catch_all(t, c);
	tunnel_dev_set_addresses(dev, c);
	netdev_state_change(dev);
	return 0;
}

/**
 * tunnel_dev_change() - change a tunnel as a user asks for
 * @t: the tunnel
 * @c: a validated configuration; consumed on success
 * @set_mtu: whether the MTU follows the change
 * @extack: why not; may be NULL
 *
 * Return: 0, -EEXIST if another tunnel has the endpoints, -EINVAL if the device
 * would have to be of another shape, or -ENOMEM; nothing is changed on error.
 * RTNL.
 */
int tunnel_dev_change(struct tunnel *t, struct tunnel_config *c, bool set_mtu,
		  struct netlink_ext_ack *extack)
{
	if (tunnel_dev_is_taken(tunnel_net(t->net), t->kind, c, t, extack))
		return -EEXIST;
	if (!tunnel_dev_keeps_shape(t, c, extack))
		return -EINVAL;
	return tunnel_dev_apply(t, c, set_mtu);
}

/**
 * tunnel_dev_unbind() - MTU, headroom and flags of a device without a remote
 * @t: the base device, which has just lost its endpoints
 *
 * RTNL.
 */
void tunnel_dev_unbind(struct tunnel *t)
{
	t->dev->flags &= ~(IFF_POINTOPOINT | IFF_BROADCAST);
	WRITE_ONCE(t->dev->mtu, tunnel_dev_bind(t, tunnel_config(t)));
	netdev_state_change(t->dev);
}

/**
 * tunnel_dev_unregister() - rtnl_link_ops.dellink
 * @dev: the device
 * @list: where it is queued
 *
 * A base device stays for as long as its namespace. RTNL.
 */
void tunnel_dev_unregister(struct net_device *dev, struct list_head *list)
{
	struct tunnel *t = netdev_priv(dev);

	if (tunnel_is_base(t))
		return;
	tunnel_dev_unlink(t);
	unregister_netdevice_queue(dev, list);
}
