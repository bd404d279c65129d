// SPDX-License-Identifier: GPL-2.0-only
/* Copyright (C) 2026 The culvert authors */
/*
 * ISATAP (RFC 5214): hosts of a site are neighbours on a link that is the
 * site's IPv4 network. A host's interface identifier is 0000:5efe:a.b.c.d.
 * Routers may have any address: which IPv4 addresses are routers' is in the
 * potential router list (PRL), kept by user space with "ip tunnel prl".
 */

#include <linux/uaccess.h>
#include <net/addrconf.h>
#include <net/ndisc.h>

#include "culvert.h"

/**
 * struct isatap_router - an entry of the potential router list
 * @next: RCU, written under RTNL
 * @rcu: for freeing
 * @addr: the router's outer address
 * @flags: PRL_DEFAULT if it can be a default router; written under RTNL
 */
struct isatap_router {
	struct isatap_router __rcu *next;
	struct rcu_head rcu;
	__be32 addr;
	u16 flags;
};

/* Neighbour discovery believes routers only, and not all of them everything. */
static void isatap_mark(struct sk_buff *skb, unsigned int nodetype)
{
#ifdef CONFIG_IPV6_NDISC_NODETYPE
	skb->ndisc_nodetype = nodetype;
#endif
}

static struct isatap_router *isatap_find(const struct tunnel *t, __be32 addr)
{
	struct isatap_router *r;

	for (r = rcu_dereference_rtnl(t->routers); r; r = rcu_dereference_rtnl(r->next))
		if (r->addr == addr)
			return r;
	return NULL;
}

/**
 * isatap_admit() - whether a packet comes from a router or from who it says
 * @skb: the packet, whose inner IPv6 header can be read at skb->data; marked
 *	for neighbour discovery
 * @t: the tunnel
 *
 * RFC 5214 7.3. Return: false if it is spoofed. Softirq, RCU.
 */
bool isatap_admit(struct sk_buff *skb, const struct tunnel *t)
{
	const struct ipv6hdr *ip6 = (const struct ipv6hdr *)skb->data;
	__be32 outer = ip_hdr(skb)->saddr;
	const struct isatap_router *r;

	r = isatap_find(t, outer);
	if (r) {
		isatap_mark(skb, READ_ONCE(r->flags) & PRL_DEFAULT ?
			    NDISC_NODETYPE_DEFAULT : NDISC_NODETYPE_NODEFAULT);
		return true;
	}
	isatap_mark(skb, NDISC_NODETYPE_HOST);
	return ipv6_addr_is_isatap(&ip6->saddr) && ip6->saddr.s6_addr32[3] == outer &&
	       ipv6_chk_prefix(&ip6->saddr, t->dev);
}

static int isatap_add(struct tunnel *t, const struct ip_tunnel_prl *p)
{
	struct isatap_router *r;

	if (!p->addr)
		return -EINVAL;
	if (isatap_find(t, p->addr))
		return -EEXIST;
	r = kzalloc(sizeof(*r), GFP_KERNEL_ACCOUNT);
	if (!r)
		return -ENOBUFS;
	r->addr = p->addr;
	r->flags = p->flags;
	RCU_INIT_POINTER(r->next, rtnl_dereference(t->routers));
	rcu_assign_pointer(t->routers, r);
	return 0;
}

static int isatap_change(struct tunnel *t, const struct ip_tunnel_prl *p)
{
	struct isatap_router *r;

	if (!p->addr)
		return -EINVAL;
	r = isatap_find(t, p->addr);
	if (!r)
		return -ENXIO;
	WRITE_ONCE(r->flags, p->flags);
	return 0;
}

static int isatap_delete(struct tunnel *t, __be32 addr)
{
	struct isatap_router __rcu **link = &t->routers;
	struct isatap_router *r;

	while ((r = rtnl_dereference(*link))) {
		if (r->addr == addr) {
			rcu_assign_pointer(*link, rtnl_dereference(r->next));
			kfree_rcu(r, rcu);
			return 0;
		}
		link = &r->next;
	}
	return -ENXIO;
}

/**
 * isatap_forget() - empty the potential router list
 * @t: the tunnel
 *
 * RTNL.
 */
void isatap_forget(struct tunnel *t)
{
	struct isatap_router *r;

	while ((r = rtnl_dereference(t->routers)))
		isatap_delete(t, r->addr);
}

/* How many entries a request for @addr (0 for all) is answered with. */
static unsigned int isatap_count(const struct tunnel *t, __be32 addr)
{
	const struct isatap_router *r;
	unsigned int n = 0;

	if (addr)
		return !!isatap_find(t, addr);
	for (r = rtnl_dereference(t->routers); r; r = rtnl_dereference(r->next))
		n++;
	return n;
}

static void isatap_list(const struct tunnel *t, __be32 addr, struct ip_tunnel_prl *entries,
			unsigned int n)
{
	const struct isatap_router *r;
	unsigned int i = 0;

	for (r = rtnl_dereference(t->routers); r && i < n; r = rtnl_dereference(r->next)) {
		if (addr && r->addr != addr)
			continue;
		entries[i].addr = r->addr;
		entries[i].flags = r->flags;
		i++;
	}
}

/*
 * The request says how many bytes of entries there is room for behind itself;
 * the answer, how many there are now.
 */
static int isatap_get(struct tunnel *t, struct ip_tunnel_prl __user *data)
{
	struct ip_tunnel_prl request, *entries;
	unsigned int n;
	u32 len;
	int err = 0;

	if (copy_from_user(&request, data, sizeof(request)))
		return -EFAULT;
	n = min_t(unsigned int, request.datalen / sizeof(request),
		  isatap_count(t, request.addr));
	entries = kcalloc(n, sizeof(*entries), GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
	if (!entries)
		return -ENOMEM;
	isatap_list(t, request.addr, entries, n);
	len = n * sizeof(*entries);
	if (copy_to_user(data + 1, entries, len) || put_user(len, &data->datalen))
		err = -EFAULT;
	kfree(entries);
	return err;
}

static int isatap_set(struct tunnel *t, const struct ip_tunnel_prl *p, int cmd)
{
	if (cmd == SIOCADDPRL)
		return isatap_add(t, p);
	if (cmd == SIOCCHGPRL)
		return isatap_change(t, p);
	if (p->addr)
		return isatap_delete(t, p->addr);
	isatap_forget(t);
	return 0;
}

/**
 * isatap_ioctl() - "ip tunnel prl"
 * @t: the tunnel
 * @data: struct ip_tunnel_prl in user space
 * @cmd: SIOC*PRL
 *
 * Return: 0, or the errno of the in-tree module. RTNL.
 */
int isatap_ioctl(struct tunnel *t, void __user *data, int cmd)
{
	struct ip_tunnel_prl p;
	int err;

	if (cmd != SIOCGETPRL && !ns_capable(t->net->user_ns, CAP_NET_ADMIN))
		return -EPERM;
	if (tunnel_is_base(t))
		return -EINVAL;
	if (cmd == SIOCGETPRL)
		return isatap_get(t, data);
	if (copy_from_user(&p, data, sizeof(p)))
		return -EFAULT;
	err = isatap_set(t, &p, cmd);
	if (!err)
		netdev_state_change(t->dev);
	return err;
}
