// SPDX-License-Identifier: GPL-2.0-only
/* Copyright (C) 2026 The culvert authors */
/*
 * 6rd, IPv6 rapid deployment (RFC 5969), and its ancestor 6to4 (RFC 3056): a
 * customer's IPv6 prefix has the customer's IPv4 address in it, less the bits
 * that all customers of the provider have in common.
 *
 *      |<-- prefixlen -->|<- 32 - relay_prefixlen ->|
 *      +-----------------+--------------------------+---------------- - -
 *      |  6rd prefix     |  rest of the IPv4 address |  subnet, interface
 *      +-----------------+--------------------------+---------------- - -
 *
 * 6to4 is the case of 2002::/16 and relay_prefixlen 0. Prefix and address
 * together are at most 64 bits, so that a customer has at least one subnet.
 */

#include <linux/uaccess.h>
#include <linux/unaligned.h>
#include <net/ipv6.h>

#include "culvert.h"

/**
 * sixrd_validate() - whether prefixes can be used for 6rd
 * @r: the prefixes
 * @extack: why not; may be NULL
 *
 * Return: 0 or -EINVAL.
 */
int sixrd_validate(const struct ip_tunnel_6rd *r, struct netlink_ext_ack *extack)
{
	struct in6_addr prefix;
	__be32 mask;

	if (r->relay_prefixlen > 32 || r->prefixlen + 32 - r->relay_prefixlen > 64) {
		NL_SET_ERR_MSG_MOD(extack, "the 6rd prefix and the IPv4 address behind it are longer than 64 bits");
		return -EINVAL;
	}
	ipv6_addr_prefix(&prefix, &r->prefix, r->prefixlen);
	if (!ipv6_addr_equal(&prefix, &r->prefix)) {
		NL_SET_ERR_MSG_MOD(extack, "the 6rd prefix has bits set beyond its length");
		return -EINVAL;
	}
	mask = htonl((u32)(~0ULL << (32 - r->relay_prefixlen)));
	if (r->relay_prefix & ~mask) {
		NL_SET_ERR_MSG_MOD(extack, "the 6rd relay prefix has bits set beyond its length");
		return -EINVAL;
	}
	return 0;
}

/**
 * sixrd_extract() - the IPv4 address in an IPv6 address
 * @r: the prefixes, valid
 * @addr: the IPv6 address
 * @ip4: the IPv4 address, if there is one
 *
 * Return: whether the IPv6 address begins with the 6rd prefix. Any context.
 */
bool sixrd_extract(const struct ip_tunnel_6rd *r, const struct in6_addr *addr, __be32 *ip4)
{
	u32 rest = 0;

	if (!ipv6_prefix_equal(addr, &r->prefix, r->prefixlen))
		return false;
	if (r->relay_prefixlen < 32)
		rest = get_unaligned_be64(addr) << r->prefixlen >> (32 + r->relay_prefixlen);
	*ip4 = r->relay_prefix | htonl(rest);
	return true;
}

static int sixrd_get(struct tunnel *t, void __user *data)
{
	struct ip_tunnel_6rd r;

	t = ioctl_find(t, data);
	if (IS_ERR(t))
		return PTR_ERR(t);
	r = tunnel_config(t)->sixrd;
	return copy_to_user(data, &r, sizeof(r)) ? -EFAULT : 0;
}

/* What a new device would have. */
static int sixrd_default(struct tunnel *t, struct ip_tunnel_6rd *r)
{
	struct tunnel_config *c;

	c = config_new(t->kind, tunnel_is_base(t) ? NULL : tunnel_space(t)->base);
	if (!c)
		return -ENOMEM;
	*r = c->sixrd;
	config_free(c);
	return 0;
}

static int sixrd_set(struct tunnel *t, const struct ip_tunnel_6rd *r)
{
	struct tunnel_config *c = config_copy(tunnel_config(t));
	int err;

	if (!c)
		return -ENOMEM;
	c->sixrd = *r;
	err = config_validate(t->kind, c, NULL);
	if (!err)
		err = tunnel_dev_apply(t, c, false);
	if (err)
		config_free(c);
	return err;
}

/**
 * sixrd_ioctl() - "ip tunnel 6rd"
 * @t: the tunnel
 * @data: struct ip_tunnel_6rd in user space
 * @cmd: SIOC*6RD
 *
 * Return: 0, or the errno of the in-tree module. RTNL.
 */
int sixrd_ioctl(struct tunnel *t, void __user *data, int cmd)
{
	struct ip_tunnel_6rd r;
	int err = 0;

	if (cmd == SIOCGET6RD)
		return sixrd_get(t, data);
	if (!ns_capable(t->net->user_ns, CAP_NET_ADMIN))
		return -EPERM;
	if (copy_from_user(&r, data, sizeof(r)))
		return -EFAULT;
	if (cmd == SIOCDEL6RD)
		err = sixrd_default(t, &r);
	return err ? : sixrd_set(t, &r);
}
