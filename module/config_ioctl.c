// SPDX-License-Identifier: GPL-2.0-only
/* Copyright (C) 2026 The culvert authors */
/*
 * The front door for "ip tunnel": SIOC{GET,ADD,CHG,DEL}TUNNEL on a device.
 *
 * On a base device the request is about the tunnel with the given endpoints;
 * on any other device it is about that device. Beyond what the in-tree modules
 * do, "ip tunnel add tunl0" is about the base device itself: it takes the
 * endpoints it is given, and "ip tunnel del tunl0" gives them back.
 */

#include <linux/capability.h>
#include <linux/if_tunnel.h>
#include <linux/uaccess.h>

#include "culvert.h"

static bool parm_is_valid(const struct tunnel_kind *kind, const struct ip_tunnel_parm *p)
{
	const struct iphdr *iph = &p->iph;

	if (iph->version != 4 || iph->ihl != 5 || iph->frag_off & htons(~IP_DF))
		return false;
	if (kind->payload_is_valid)
		return kind->payload_is_valid(iph->protocol);
	return iph->protocol == kind->protocol &&
	       !((p->i_flags | p->o_flags) & (GRE_VERSION | GRE_ROUTING));
}

/*
 * Apply a request, normalised, to @c, a new tunnel's defaults or a copy of the
 * present configuration.
 */
static void config_from_parm(struct tunnel_config *c, const struct tunnel_kind *kind,
			     const struct ip_tunnel_parm *p)
{
	c->local.ip4 = p->iph.saddr;
	c->remote.ip4 = p->iph.daddr;
	c->link = p->link;
	c->ttl = p->iph.ttl;
	c->tos = p->iph.tos;
	c->frag_off = p->iph.frag_off & htons(IP_DF);
	if (kind->family == FAMILY_GRE) {
		c->i_flags = p->i_flags & TUNNEL_GRE_FLAGS;
		c->o_flags = p->o_flags & TUNNEL_GRE_FLAGS;
	}
	/* sit has no keys, though ip tunnel gives it one with a multicast remote. */
	if (kind->family != FAMILY_SIT) {
		c->i_key = p->i_key;
		c->o_key = p->o_key;
	}
}

/* What only a new device takes from a request. */
static void config_new_from_parm(struct tunnel_config *c, const struct tunnel_kind *kind,
				 const struct ip_tunnel_parm *p)
{
	config_from_parm(c, kind, p);
	c->protocol = p->iph.protocol;
	if (kind->family == FAMILY_SIT)
		c->flags = (__force u16)p->i_flags;
}

/* What a request reads back: nothing of kernel memory but what is set here. */
static void config_to_parm(struct ip_tunnel_parm *p, const struct tunnel *t)
{
	const struct tunnel_config *c = tunnel_config(t);

	memset(p, 0, sizeof(*p));
	strscpy(p->name, t->dev->name, sizeof(p->name));
	p->link = c->link;
	p->i_flags = c->i_flags | (__force __be16)c->flags;
	p->o_flags = c->o_flags;
	if (t->kind->key_is_mark) {
		p->i_flags = tunnel_is_base(t) ? GRE_KEY : GRE_KEY | VTI_ISVTI;
		p->o_flags = GRE_KEY;
	}
	p->i_key = c->i_key;
	p->o_key = c->o_key;
	p->iph.version = 4;
	p->iph.ihl = 5;
	p->iph.protocol = c->protocol;
	p->iph.frag_off = c->frag_off;
	p->iph.ttl = c->ttl;
	p->iph.tos = c->tos;
	p->iph.saddr = c->local.ip4;
	p->iph.daddr = c->remote.ip4;
}

/* The tunnel with a request's endpoints, or NULL. */
static struct tunnel *find_parm(struct net *net, const struct tunnel_kind *kind,
				const struct ip_tunnel_parm *p)
{
	struct tunnel_config c = { };

	config_from_parm(&c, kind, p);
	return table_find(tunnel_net(net), &c, kind->id);
}

/*
 * The tunnel that a request through the base device is about: a key that is but
 * a mark may be what is to be changed, or left out.
 */
static struct tunnel *find_parm_any_key(struct net *net, const struct tunnel_kind *kind,
					const struct ip_tunnel_parm *p)
{
	struct tunnel *t = find_parm(net, kind, p);
	struct tunnel_config c = { };

	if (t)
		return t;
	config_from_parm(&c, kind, p);
	return table_find_any_key(tunnel_net(net), &c, kind->id);
}

static bool base_is_configured(const struct tunnel *t)
{
	return tunnel_space(t)->base_taken;
}

static bool parm_has_endpoints(const struct tunnel_kind *kind, const struct ip_tunnel_parm *p)
{
	struct tunnel_config c = { };

	config_from_parm(&c, kind, p);
	return config_has_endpoints(&c);
}

static int ioctl_get(struct tunnel *t, struct ip_tunnel_parm *p)
{
	struct tunnel *found = NULL;

	/* One with endpoints of its own is asked about itself, not about any/any. */
	if (tunnel_is_base(t) && (!base_is_configured(t) || parm_has_endpoints(t->kind, p)))
		found = find_parm_any_key(t->net, t->kind, p);
	config_to_parm(p, found ? : t);
	return 0;
}

static bool config_has_options(const struct tunnel_config *c)
{
	return c->ttl || c->tos || c->i_flags || c->o_flags || c->o_key || c->flags;
}

/*
 * "ip tunnel add tunl0": without anything else the base device is what was
 * asked for already; options and endpoints it takes. With endpoints it is no
 * longer for what nobody else takes.
 */
static int base_add(struct tunnel *t, const struct ip_tunnel_parm *p)
{
	struct tunnel_config *c;
	struct tunnel *other;
	int err;

	if (base_is_configured(t))
		return -EEXIST;
	c = config_new(t->kind, t);
	if (!c)
		return -ENOMEM;
	config_new_from_parm(c, t->kind, p);
	other = table_find(tunnel_net(t->net), c, t->kind->id);
	err = other && other != t ? -EEXIST : config_validate(t->kind, c, NULL);
	if (!err && !config_has_endpoints(c) && !config_has_options(c)) {
		config_free(c);
		return 0;
	}
	if (!err)
		err = tunnel_dev_apply(t, c, true);
	if (err) {
		config_free(c);
		return err;
	}
	tunnel_space(t)->base_taken = true;
	return 0;
}

/*
 * "ip tunnel del tunl0": back to what it was when the namespace began, and
 * down, for it takes packets from anybody again.
 */
static int base_del(struct tunnel *t)
{
	struct net_device *dev = t->dev;
	struct tunnel_config *c;
	bool was_up = netif_running(dev);
	struct tunnel *other;
	int err;

	if (!base_is_configured(t))
		return -EPERM;
	c = config_new_base(t->kind);
	if (!c)
		return -ENOMEM;
	/* Somebody may have been given the endpoints that it goes back to. */
	other = table_find(tunnel_net(t->net), c, t->kind->id);
	if (other && other != t) {
		config_free(c);
		return -EEXIST;
	}
	dev_close(dev);
	err = tunnel_dev_apply(t, c, false);
	if (err) {
		config_free(c);
		if (was_up)
			dev_open(dev, NULL);
		return err;
	}
	tunnel_dev_unbind(t);
	tunnel_space(t)->base_taken = false;
	return 0;
}

static bool names_base(const struct tunnel *t, const struct ip_tunnel_parm *p)
{
	return tunnel_is_base(t) && !strncmp(p->name, t->dev->name, IFNAMSIZ);
}

static int ioctl_add(struct tunnel *t, struct ip_tunnel_parm *p)
{
	const struct tunnel_kind *kind = t->kind;
	struct net *net = t->net;
	struct tunnel_config *c;
	int err;

	if (names_base(t, p))
		return base_add(t, p);
	if (strnlen(p->name, IFNAMSIZ) == IFNAMSIZ)
		return -E2BIG;
	if (find_parm(net, kind, p))
		return -EEXIST;
	c = config_new(kind, tunnel_net(net)->spaces[kind->id].base);
	if (!c)
		return -ENOMEM;
	config_new_from_parm(c, kind, p);
	err = config_validate(kind, c, NULL);
	if (err) {
		config_free(c);
		return err;
	}
	t = tunnel_dev_create(net, kind, p->name, c);
	if (IS_ERR(t))
		return PTR_ERR(t);
	tunnel_dev_limit_mtu(t);
	/* SIOCSIFDSTADDR looks the device up by it. */
	if (!*p->name && kind->family == FAMILY_SIT)
		strscpy(p->name, t->dev->name, sizeof(p->name));
	return 0;
}

static int ioctl_change(struct tunnel *t, struct ip_tunnel_parm *p)
{
	struct tunnel_config *c;
	int err;

	/* The base device by the endpoints it has, or another's through it. */
	if (tunnel_is_base(t) && !(names_base(t, p) && base_is_configured(t))) {
		t = find_parm_any_key(t->net, t->kind, p);
		if (!t)
			return -ENOENT;
	}
	c = config_copy(tunnel_config(t));
	if (!c)
		return -ENOMEM;
	config_from_parm(c, t->kind, p);
	err = config_validate(t->kind, c, NULL);
	if (!err)
		err = tunnel_dev_change(t, c, true, NULL);
	if (err)
		config_free(c);
	return err;
}

static int ioctl_del(struct tunnel *t, const struct ip_tunnel_parm *p)
{
	if (names_base(t, p))
		return base_del(t);
	if (tunnel_is_base(t)) {
		t = find_parm_any_key(t->net, t->kind, p);
		if (!t)
			return -ENOENT;
		if (tunnel_is_base(t))
			return -EPERM;
	}
	unregister_netdevice(t->dev);
	return 0;
}

/* What a request means whatever it says; it is read back like this too. */
static void parm_normalise(const struct tunnel_kind *kind, struct ip_tunnel_parm *p)
{
	if (kind->family == FAMILY_IPTUN) {
		p->i_flags = 0;
		p->o_flags = 0;
	}
	if (!(p->i_flags & GRE_KEY))
		p->i_key = 0;
	if (!(p->o_flags & GRE_KEY))
		p->o_key = 0;
	if (kind->key_is_mark) {
		p->i_flags = GRE_KEY | VTI_ISVTI;
		p->o_flags |= GRE_KEY;
	}
	if (p->iph.ttl)
		p->iph.frag_off |= htons(IP_DF);
}

static int tunnel_ioctl(struct tunnel *t, struct ip_tunnel_parm *p, int cmd)
{
	bool set = cmd == SIOCADDTUNNEL || cmd == SIOCCHGTUNNEL;
	int err;

	if (set && !parm_is_valid(t->kind, p))
		return -EINVAL;
	parm_normalise(t->kind, p);
	if (cmd == SIOCGETTUNNEL)
		return ioctl_get(t, p);
	if (cmd != SIOCDELTUNNEL && !set)
		return -EINVAL;
	if (!ns_capable(t->net->user_ns, CAP_NET_ADMIN))
		return -EPERM;
	if (cmd == SIOCADDTUNNEL) {
		err = ioctl_add(t, p);
		return err && t->kind->add_errno ? t->kind->add_errno : err;
	}
	if (cmd == SIOCCHGTUNNEL)
		return ioctl_change(t, p);
	return ioctl_del(t, p);
}

/**
 * ioctl_tunnel() - ndo_tunnel_ctl: a request from within the kernel
 * @dev: the device
 * @p: the request and its answer
 * @cmd: SIOC*TUNNEL
 *
 * Who asks: SIOCSIFDSTADDR on an IPv6 socket, and DVMRP tunnels.
 *
 * Return: 0, or the errno of the in-tree modules. RTNL.
 */
int ioctl_tunnel(struct net_device *dev, struct ip_tunnel_parm *p, int cmd)
{
	return tunnel_ioctl(netdev_priv(dev), p, cmd);
}

/**
 * ioctl_find() - the tunnel that a request of a kind's own is about
 * @t: the tunnel whose device the request came to
 * @data: struct ip_tunnel_parm in user space, read if that is a base device
 *
 * Return: the tunnel, or ERR_PTR(-EFAULT). RTNL.
 */
struct tunnel *ioctl_find(struct tunnel *t, void __user *data)
{
	struct ip_tunnel_parm p;

	if (!tunnel_is_base(t))
		return t;
	if (copy_from_user(&p, data, sizeof(p)))
		return ERR_PTR(-EFAULT);
	return find_parm(t->net, t->kind, &p) ? : t;
}

/**
 * ioctl_siocdevprivate() - ndo_siocdevprivate
 * @dev: the device
 * @ifr: not used
 * @data: struct ip_tunnel_parm in user space, or what the kind's ioctl() takes
 * @cmd: SIOC*TUNNEL, or a request of the kind's own
 *
 * Return: 0, or the errno of the in-tree modules. RTNL.
 */
int ioctl_siocdevprivate(struct net_device *dev, struct ifreq *ifr, void __user *data, int cmd)
{
	struct tunnel *t = netdev_priv(dev);
	struct ip_tunnel_parm p;
	int err;

	if (cmd < SIOCGETTUNNEL || cmd > SIOCCHGTUNNEL)
		return t->kind->ioctl ? t->kind->ioctl(t, data, cmd) : -EINVAL;
	if (copy_from_user(&p, data, sizeof(p)))
		return -EFAULT;
	err = tunnel_ioctl(t, &p, cmd);
	if (err)
		return err;
	return copy_to_user(data, &p, sizeof(p)) ? -EFAULT : 0;
}

IOCTL_WRAPPER(ioctl_siocdevprivate)
TUNNEL_CTL_WRAPPER(ioctl_tunnel)
