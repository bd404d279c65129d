/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The culvert authors */
/*
 * What the shadow headers in include/ can't hide: fields and callbacks that
 * have another shape in older kernels. Everything else in the module is
 * written for the newest kernel; no other file knows about versions.
 */
#ifndef CULVERT_COMPAT_H
#define CULVERT_COMPAT_H

#include <linux/netdevice.h>
#include <linux/version.h>
#include <net/ip_tunnels.h>
#include <net/rtnetlink.h>

/*
 * The route caches, the GRO cells and the counts of nesting are a CPU's own while it
 * has softirqs disabled. From Linux 6.18 on that is so on PREEMPT_RT only if asked
 * for; no header tells.
 */
#if IS_ENABLED(CONFIG_PREEMPT_RT) && !IS_ENABLED(CONFIG_PREEMPT_RT_NEEDS_BH_LOCK) && \
	LINUX_VERSION_CODE >= KERNEL_VERSION(6, 18, 0)
#error "on PREEMPT_RT culvert needs a kernel with CONFIG_PREEMPT_RT_NEEDS_BH_LOCK"
#endif

/*
 * For a variable on the packet path whose every member is written before it is
 * read: kernels that clear the stack (INIT_STACK_ALL_ZERO) clear it in vain.
 */
#ifndef __uninitialized
#if __has_attribute(__uninitialized__)
#define __uninitialized		__attribute__((__uninitialized__))
#else
#define __uninitialized
#endif
#endif

/* A function into which everything that it calls is inlined. */
#ifndef __flatten
#define __flatten		__attribute__((__flatten__))
#endif

/* Transmit without the core's lock. */
static inline void netdev_set_lltx(struct net_device *dev)
{
#ifdef HAVE_LLTX_FLAG
	dev->lltx = true;
#else
	dev->features |= NETIF_F_LLTX;
#endif
}

/* The device can't be moved to another namespace. */
static inline void netdev_set_netns_immutable(struct net_device *dev)
{
#if defined(HAVE_NETNS_IMMUTABLE)
	dev->netns_immutable = true;
#elif defined(HAVE_NETNS_LOCAL_FLAG)
	dev->netns_local = true;
#else
	dev->features |= NETIF_F_NETNS_LOCAL;
#endif
}

/* Flags of tunnel metadata, by IP_TUNNEL_*_BIT. */
static inline bool tunnel_key_test_flag(const struct ip_tunnel_key *key, unsigned int bit)
{
#ifdef HAVE_TUNNEL_FLAGS_BITMAP
	return test_bit(bit, key->tun_flags);
#else
	return key->tun_flags & cpu_to_be16(BIT(bit));
#endif
}

static inline void tunnel_key_set_flag(struct ip_tunnel_key *key, unsigned int bit)
{
#ifdef HAVE_TUNNEL_FLAGS_BITMAP
	__set_bit(bit, key->tun_flags);
#else
	key->tun_flags |= cpu_to_be16(BIT(bit));
#endif
}

static inline u8 tunnel_key_flow_flags(const struct ip_tunnel_key *key)
{
#ifdef HAVE_TUNNEL_FLOW_FLAGS
	return key->flow_flags;
#else
	return 0;
#endif
}

/* FOU or GUE of tunnel metadata; NULL in kernels that have none there. */
static inline struct ip_tunnel_encap *tunnel_info_encap(const struct ip_tunnel_info *info)
{
#ifdef HAVE_TUNNEL_INFO_ENCAP
	return (struct ip_tunnel_encap *)&info->encap;
#else
	return NULL;
#endif
}

/* rtnl_link_ops.newlink: older kernels pass the parameters one by one. */
#ifdef HAVE_NEWLINK_PARAMS
#define RTNL_NEWLINK_WRAPPER(fn)
#define RTNL_NEWLINK(fn)	fn
#else
#define RTNL_NEWLINK_WRAPPER(fn)						\
static int fn##_compat(struct net *src_net, struct net_device *dev,		\
		       struct nlattr *tb[], struct nlattr *data[],		\
		       struct netlink_ext_ack *extack)				\
{										\
	struct rtnl_newlink_params params = { .tb = tb, .data = data };		\
										\
	return fn(dev, &params, extack);					\
}
#define RTNL_NEWLINK(fn)	fn##_compat
#endif

/* net_device_ops.ndo_siocdevprivate: once was part of ndo_do_ioctl. */
#ifdef HAVE_SIOCDEVPRIVATE
#define NDO_SIOCDEVPRIVATE	.ndo_siocdevprivate = ioctl_siocdevprivate,
#define IOCTL_WRAPPER(fn)
#else
int ioctl_do_ioctl(struct net_device *dev, struct ifreq *ifr, int cmd);
#define NDO_SIOCDEVPRIVATE	.ndo_do_ioctl = ioctl_do_ioctl,
#define IOCTL_WRAPPER(fn)							\
int ioctl_do_ioctl(struct net_device *dev, struct ifreq *ifr, int cmd)		\
{										\
	return fn(dev, ifr, ifr->ifr_ifru.ifru_data, cmd);			\
}
#endif

/* net_device_ops.ndo_tunnel_ctl: once took what user space passes. */
#ifdef HAVE_TUNNEL_PARM_KERN
int ioctl_tunnel_ctl(struct net_device *dev, struct ip_tunnel_parm_kern *kp, int cmd);
#define NDO_TUNNEL_CTL		.ndo_tunnel_ctl = ioctl_tunnel_ctl,
#define TUNNEL_CTL_WRAPPER(fn)							\
int ioctl_tunnel_ctl(struct net_device *dev, struct ip_tunnel_parm_kern *kp,	\
		     int cmd)							\
{										\
	struct ip_tunnel_parm p = {						\
		.link		= kp->link,					\
		.i_flags	= ip_tunnel_flags_to_be16(kp->i_flags),		\
		.o_flags	= ip_tunnel_flags_to_be16(kp->o_flags),		\
		.i_key		= kp->i_key,					\
		.o_key		= kp->o_key,					\
		.iph		= kp->iph,					\
	};									\
	int err;								\
										\
	memcpy(p.name, kp->name, sizeof(p.name));				\
	err = fn(dev, &p, cmd);							\
	memcpy(kp->name, p.name, sizeof(kp->name));				\
	ip_tunnel_flags_from_be16(kp->i_flags, p.i_flags);			\
	ip_tunnel_flags_from_be16(kp->o_flags, p.o_flags);			\
	kp->link = p.link;							\
	kp->i_key = p.i_key;							\
	kp->o_key = p.o_key;							\
	kp->iph = p.iph;							\
	return err;								\
}
#else
#define NDO_TUNNEL_CTL		.ndo_tunnel_ctl = ioctl_tunnel,
#define TUNNEL_CTL_WRAPPER(fn)
#endif

#define NDO_TUNNEL_IOCTL	NDO_SIOCDEVPRIVATE NDO_TUNNEL_CTL

/* xfrm_type.init_state: newer kernels can say why not. */
#ifdef HAVE_STATE_INIT_EXTACK
#define STATE_INIT_WRAPPER(fn)
#define STATE_INIT(fn)		fn
#else
#define STATE_INIT_WRAPPER(fn)							\
static int fn##_compat(struct xfrm_state *x)					\
{										\
	return fn(x, NULL);							\
}
#define STATE_INIT(fn)		fn##_compat
#endif

/* header_ops.parse: newer kernels pass the device. */
#ifdef HAVE_HEADER_PARSE_DEV
#define HEADER_PARSE_DEV	const struct net_device *dev,
#else
#define HEADER_PARSE_DEV
#endif

/* net_protocol.netns_ok: once had to be set. */
#ifdef HAVE_NETNS_OK
#define NET_PROTOCOL_NETNS_OK	.netns_ok = 1,
#else
#define NET_PROTOCOL_NETNS_OK
#endif

#endif /* CULVERT_COMPAT_H */
