// SPDX-License-Identifier: GPL-2.0-only
/* Copyright (C) 2026 The culvert authors */
/*
 * The front door for "ip link": rtnl_link_ops of all kinds.
 *
 * Kinds are configured with one of three sets of attributes, IFLA_IPTUN_*,
 * IFLA_GRE_* and IFLA_VTI_*, which say mostly the same under other numbers; sit
 * has more of the first than ipip. Here an attribute is an enum option; a table
 * says its number in each set, and how wide it is.
 */

#include <linux/etherdevice.h>
#include <linux/if_tunnel.h>
#include <net/rtnetlink.h>

#include "culvert.h"

enum option {
	OPT_LINK,
	OPT_LOCAL,
	OPT_REMOTE,
	OPT_TTL,
	OPT_TOS,
	OPT_PROTO,
	OPT_PMTUDISC,
	OPT_IFLAGS,
	OPT_OFLAGS,
	OPT_IKEY,
	OPT_OKEY,
	OPT_FWMARK,
	OPT_ENCAP_TYPE,
	OPT_ENCAP_FLAGS,
	OPT_ENCAP_SPORT,
	OPT_ENCAP_DPORT,
	OPT_COLLECT_MD,
	OPT_IGNORE_DF,
	OPT_ERSPAN_VER,
	OPT_ERSPAN_INDEX,
	OPT_ERSPAN_DIR,
	OPT_ERSPAN_HWID,
	OPT_FLAGS,
	OPT_6RD_PREFIX,
	OPT_6RD_PREFIXLEN,
	OPT_6RD_RELAY_PREFIX,
	OPT_6RD_RELAY_PREFIXLEN,
	OPT_MAX
};

#define OPT_ATTR_MAX	32

static_assert(IFLA_IPTUN_MAX < OPT_ATTR_MAX);
static_assert(IFLA_GRE_MAX < OPT_ATTR_MAX);

static const u8 attr_max[FAMILY_MAX] = {
	[FAMILY_IPTUN]	= IFLA_IPTUN_MAX,
	[FAMILY_GRE]	= IFLA_GRE_MAX,
	[FAMILY_SIT]	= IFLA_IPTUN_MAX,
	[FAMILY_VTI]	= IFLA_VTI_MAX,
};

/* Numbers of each option, 0 if the set does not have it; indexed by family. */
static const struct {
	u8 type;	/* NLA_*; NLA_BINARY is an IPv6 address */
	u8 attr[FAMILY_MAX];
} options[OPT_MAX] = {
	[OPT_LINK]	  = { NLA_U32, { IFLA_IPTUN_LINK, IFLA_GRE_LINK, IFLA_IPTUN_LINK,
					 IFLA_VTI_LINK } },
	[OPT_LOCAL]	  = { NLA_U32, { IFLA_IPTUN_LOCAL, IFLA_GRE_LOCAL, IFLA_IPTUN_LOCAL,
					 IFLA_VTI_LOCAL } },
	[OPT_REMOTE]	  = { NLA_U32, { IFLA_IPTUN_REMOTE, IFLA_GRE_REMOTE,
					 IFLA_IPTUN_REMOTE, IFLA_VTI_REMOTE } },
	[OPT_TTL]	  = { NLA_U8, { IFLA_IPTUN_TTL, IFLA_GRE_TTL, IFLA_IPTUN_TTL } },
	[OPT_TOS]	  = { NLA_U8, { IFLA_IPTUN_TOS, IFLA_GRE_TOS, IFLA_IPTUN_TOS } },
	[OPT_PROTO]	  = { NLA_U8, { IFLA_IPTUN_PROTO, 0, IFLA_IPTUN_PROTO } },
	[OPT_PMTUDISC]	  = { NLA_U8, { IFLA_IPTUN_PMTUDISC, IFLA_GRE_PMTUDISC,
					IFLA_IPTUN_PMTUDISC } },
	[OPT_IFLAGS]	  = { NLA_U16, { 0, IFLA_GRE_IFLAGS } },
	[OPT_OFLAGS]	  = { NLA_U16, { 0, IFLA_GRE_OFLAGS } },
	[OPT_IKEY]	  = { NLA_U32, { 0, IFLA_GRE_IKEY, 0, IFLA_VTI_IKEY } },
	[OPT_OKEY]	  = { NLA_U32, { 0, IFLA_GRE_OKEY, 0, IFLA_VTI_OKEY } },
	[OPT_FWMARK]	  = { NLA_U32, { IFLA_IPTUN_FWMARK, IFLA_GRE_FWMARK,
					 IFLA_IPTUN_FWMARK, IFLA_VTI_FWMARK } },
	[OPT_ENCAP_TYPE]  = { NLA_U16, { IFLA_IPTUN_ENCAP_TYPE, IFLA_GRE_ENCAP_TYPE,
					 IFLA_IPTUN_ENCAP_TYPE } },
	[OPT_ENCAP_FLAGS] = { NLA_U16, { IFLA_IPTUN_ENCAP_FLAGS, IFLA_GRE_ENCAP_FLAGS,
					 IFLA_IPTUN_ENCAP_FLAGS } },
	[OPT_ENCAP_SPORT] = { NLA_U16, { IFLA_IPTUN_ENCAP_SPORT, IFLA_GRE_ENCAP_SPORT,
					 IFLA_IPTUN_ENCAP_SPORT } },
	[OPT_ENCAP_DPORT] = { NLA_U16, { IFLA_IPTUN_ENCAP_DPORT, IFLA_GRE_ENCAP_DPORT,
					 IFLA_IPTUN_ENCAP_DPORT } },
	[OPT_COLLECT_MD]  = { NLA_FLAG, { IFLA_IPTUN_COLLECT_METADATA,
					  IFLA_GRE_COLLECT_METADATA,
					  IFLA_IPTUN_COLLECT_METADATA } },
	[OPT_IGNORE_DF]	  = { NLA_U8, { 0, IFLA_GRE_IGNORE_DF } },
	[OPT_ERSPAN_VER]  = { NLA_U8, { 0, IFLA_GRE_ERSPAN_VER } },
	[OPT_ERSPAN_INDEX] = { NLA_U32, { 0, IFLA_GRE_ERSPAN_INDEX } },
	[OPT_ERSPAN_DIR]  = { NLA_U8, { 0, IFLA_GRE_ERSPAN_DIR } },
	[OPT_ERSPAN_HWID] = { NLA_U16, { 0, IFLA_GRE_ERSPAN_HWID } },
	[OPT_FLAGS]	  = { NLA_U16, { 0, 0, IFLA_IPTUN_FLAGS } },
	[OPT_6RD_PREFIX]  = { NLA_BINARY, { 0, 0, IFLA_IPTUN_6RD_PREFIX } },
	[OPT_6RD_PREFIXLEN] = { NLA_U16, { 0, 0, IFLA_IPTUN_6RD_PREFIXLEN } },
	[OPT_6RD_RELAY_PREFIX] = { NLA_U32, { 0, 0, IFLA_IPTUN_6RD_RELAY_PREFIX } },
	[OPT_6RD_RELAY_PREFIXLEN] = { NLA_U16, { 0, 0, IFLA_IPTUN_6RD_RELAY_PREFIXLEN } },
};

/* Filled in by netlink_register(). */
static struct nla_policy policies[FAMILY_MAX][OPT_ATTR_MAX];
static struct rtnl_link_ops link_ops[KIND_MAX];

/* Whether the kind's set of attributes has an option. */
static bool option_exists(const struct tunnel_kind *kind, enum option o)
{
	return options[o].attr[kind->family];
}

/* The attribute of an option, or NULL if it was not given. */
static const struct nlattr *option_get(struct nlattr *data[], const struct tunnel_kind *kind,
				       enum option o)
{
	u8 attr = options[o].attr[kind->family];

	return data && attr ? data[attr] : NULL;
}

static bool option_u8(struct nlattr *data[], const struct tunnel_kind *kind, enum option o,
		      u8 *value)
{
	const struct nlattr *a = option_get(data, kind, o);

	if (a)
		*value = nla_get_u8(a);
	return a;
}

static bool option_u16(struct nlattr *data[], const struct tunnel_kind *kind, enum option o,
		       u16 *value)
{
	const struct nlattr *a = option_get(data, kind, o);

	if (a)
		*value = nla_get_u16(a);
	return a;
}

static bool option_u32(struct nlattr *data[], const struct tunnel_kind *kind, enum option o,
		       u32 *value)
{
	const struct nlattr *a = option_get(data, kind, o);

	if (a)
		*value = nla_get_u32(a);
	return a;
}

static bool option_be16(struct nlattr *data[], const struct tunnel_kind *kind, enum option o,
			__be16 *value)
{
	const struct nlattr *a = option_get(data, kind, o);

	if (a)
		*value = nla_get_be16(a);
	return a;
}

static bool option_be32(struct nlattr *data[], const struct tunnel_kind *kind, enum option o,
			__be32 *value)
{
	const struct nlattr *a = option_get(data, kind, o);

	if (a)
		*value = nla_get_be32(a);
	return a;
}

/*
 * Path MTU discovery is on unless switched off, or the request says nothing at
 * all. With ipip and sit a fixed ttl implies it, because such a tunnel routed
 * into itself ends only by packets too big; the ttl of a new tunnel that nobody
 * fixed does not.
 */
static void parse_df(struct tunnel_config *c, const struct tunnel_kind *kind,
		     struct nlattr *data[], bool is_new)
{
	bool forced = kind->family != FAMILY_GRE && c->ttl &&
		      (!is_new || option_get(data, kind, OPT_TTL));
	u8 pmtudisc = 1;

	/* Where IPsec decides on the outer header, there is nothing to set. */
	if (!option_exists(kind, OPT_PMTUDISC))
		return;
	if (option_u8(data, kind, OPT_PMTUDISC, &pmtudisc) || (is_new && data))
		c->frag_off = pmtudisc || forced ? htons(IP_DF) : 0;
	else if (forced && option_get(data, kind, OPT_TTL))
		c->frag_off = htons(IP_DF);
}

static void parse_encap(struct tunnel_config *c, const struct tunnel_kind *kind,
			struct nlattr *data[])
{
	option_u16(data, kind, OPT_ENCAP_TYPE, &c->encap.type);
	option_u16(data, kind, OPT_ENCAP_FLAGS, &c->encap.flags);
	option_be16(data, kind, OPT_ENCAP_SPORT, &c->encap.sport);
	option_be16(data, kind, OPT_ENCAP_DPORT, &c->encap.dport);
}

static void parse_erspan(struct tunnel_config *c, const struct tunnel_kind *kind,
			 struct nlattr *data[])
{
	option_u8(data, kind, OPT_ERSPAN_VER, &c->erspan.version);
	if (c->erspan.version == 1)
		option_u32(data, kind, OPT_ERSPAN_INDEX, &c->erspan.index);
	if (c->erspan.version == 2) {
		option_u8(data, kind, OPT_ERSPAN_DIR, &c->erspan.dir);
		option_u16(data, kind, OPT_ERSPAN_HWID, &c->erspan.hwid);
	}
}

static void parse_6rd(struct tunnel_config *c, const struct tunnel_kind *kind,
		      struct nlattr *data[])
{
	const struct nlattr *prefix = option_get(data, kind, OPT_6RD_PREFIX);

	if (prefix)
		c->sixrd.prefix = nla_get_in6_addr(prefix);
	option_u16(data, kind, OPT_6RD_PREFIXLEN, &c->sixrd.prefixlen);
	option_be32(data, kind, OPT_6RD_RELAY_PREFIX, &c->sixrd.relay_prefix);
	option_u16(data, kind, OPT_6RD_RELAY_PREFIXLEN, &c->sixrd.relay_prefixlen);
}

static int parse_keys(struct tunnel_config *c, const struct tunnel_kind *kind,
		      struct nlattr *data[], bool is_new, struct netlink_ext_ack *extack)
{
	bool ikey, okey;

	option_be16(data, kind, OPT_IFLAGS, &c->i_flags);
	option_be16(data, kind, OPT_OFLAGS, &c->o_flags);
	ikey = option_be32(data, kind, OPT_IKEY, &c->i_key);
	okey = option_be32(data, kind, OPT_OKEY, &c->o_key);
	if (kind->key_is_mark)
		return 0;

	if (is_new && ((c->i_flags & GRE_KEY && !ikey) || (c->o_flags & GRE_KEY && !okey))) {
		NL_SET_ERR_MSG_MOD(extack, "key flag without a key");
		return -EINVAL;
	}
	/* Switching the flag off is all it takes to be rid of a key. */
	if (!ikey && !(c->i_flags & GRE_KEY))
		c->i_key = 0;
	if (!okey && !(c->o_flags & GRE_KEY))
		c->o_key = 0;
	return 0;
}

/*
 * iproute2 reads the configuration, changes it and sends all of it back, and
 * says "any" by leaving an address out. Others send what they want to change.
 */
static bool is_restatement(struct nlattr *data[], const struct tunnel_kind *kind)
{
	if (option_exists(kind, OPT_IFLAGS))
		return option_get(data, kind, OPT_IFLAGS) && option_get(data, kind, OPT_OFLAGS);
	if (option_exists(kind, OPT_IKEY))
		return option_get(data, kind, OPT_IKEY) && option_get(data, kind, OPT_OKEY);
	return option_get(data, kind, OPT_TTL) && option_get(data, kind, OPT_TOS) &&
	       option_get(data, kind, OPT_PMTUDISC);
}

static void parse_endpoints(struct tunnel_config *c, const struct tunnel_kind *kind,
			    struct nlattr *data[])
{
	bool all = is_restatement(data, kind);

	if (!option_be32(data, kind, OPT_LOCAL, &c->local.ip4) && all)
		c->local.ip4 = 0;
	if (!option_be32(data, kind, OPT_REMOTE, &c->remote.ip4) && all)
		c->remote.ip4 = 0;
}

/*
 * Apply the attributes of a request to @c, a new tunnel's defaults or a copy of
 * the present configuration. What is absent keeps its value, addresses of a
 * complete request excepted.
 */
static int parse(struct tunnel_config *c, const struct tunnel_kind *kind,
		 struct nlattr *data[], bool is_new, struct netlink_ext_ack *extack)
{
	u8 ignore_df = c->ignore_df;
	int err;

	option_u32(data, kind, OPT_LINK, &c->link);
	parse_endpoints(c, kind, data);
	option_u8(data, kind, OPT_TTL, &c->ttl);
	option_u8(data, kind, OPT_TOS, &c->tos);
	option_u8(data, kind, OPT_PROTO, &c->protocol);
	option_u32(data, kind, OPT_FWMARK, &c->fwmark);
	if (option_u8(data, kind, OPT_IGNORE_DF, &ignore_df))
		c->ignore_df = ignore_df;
	/* With sit it means nothing, and so nothing but sit0 once more. */
	if (option_get(data, kind, OPT_COLLECT_MD) && kind->family != FAMILY_SIT)
		c->collect_md = true;
	parse_df(c, kind, data, is_new);
	parse_encap(c, kind, data);
	parse_erspan(c, kind, data);
	parse_6rd(c, kind, data);
	/* A device is one of ISATAP, or is not, from the beginning. */
	if (is_new)
		option_u16(data, kind, OPT_FLAGS, &c->flags);
	err = parse_keys(c, kind, data, is_new, extack);
	if (err)
		return err;
	return config_validate(kind, c, extack);
}

/* rtnl_link_ops.validate of the Ethernet kinds: a usable MAC, a remote. */
static int validate_ethernet(struct nlattr *tb[], struct nlattr *data[],
			     struct netlink_ext_ack *extack)
{
	const struct nlattr *remote = option_get(data, &kind_gretap, OPT_REMOTE);

	if (tb[IFLA_ADDRESS]) {
		if (nla_len(tb[IFLA_ADDRESS]) != ETH_ALEN)
			return -EINVAL;
		if (!is_valid_ether_addr(nla_data(tb[IFLA_ADDRESS]))) {
			NL_SET_ERR_MSG_ATTR(extack, tb[IFLA_ADDRESS], "not a unicast MAC address");
			return -EADDRNOTAVAIL;
		}
	}
	if (remote && !nla_get_be32(remote)) {
		NL_SET_ERR_MSG_ATTR(extack, remote, "an Ethernet tunnel needs a remote");
		return -EINVAL;
	}
	return 0;
}

static int newlink(struct net_device *dev, struct rtnl_newlink_params *params,
		   struct netlink_ext_ack *extack)
{
	struct net *net = params->link_net ? : dev_net(dev);
	struct tunnel *t = netdev_priv(dev);
	struct nlattr **tb = params->tb;
	struct tunnel_config *c;
	int err;

	c = config_new(t->kind, tunnel_net(net)->spaces[t->kind->id].base);
	if (!c)
		return -ENOMEM;
	err = parse(c, t->kind, params->data, true, extack);
	if (err) {
		config_free(c);
		return err;
	}
	if (t->kind->dev_type == ARPHRD_ETHER && !tb[IFLA_ADDRESS])
		eth_hw_addr_random(dev);
	return tunnel_dev_register(net, dev, c, tb[IFLA_MTU], extack);
}

/* What netlink can't change about a device at all. */
static int changelink_refuse(struct tunnel *t, struct nlattr *data[],
			     struct netlink_ext_ack *extack)
{
	bool external = option_get(data, t->kind, OPT_COLLECT_MD);

	/* The endpoints may be in a namespace the caller has no say in. */
	if (!net_eq(dev_net(t->dev), t->net) && !ns_capable(t->net->user_ns, CAP_NET_ADMIN))
		return -EPERM;
	if (external && !tunnel_config(t)->collect_md) {
		NL_SET_ERR_MSG(extack,
			       "Enabling collect_md on an existing device is not supported");
		return t->kind->family == FAMILY_GRE ? -EOPNOTSUPP : -EINVAL;
	}
	if (tunnel_is_base(t)) {
		NL_SET_ERR_MSG_MOD(extack, "a base device can't be changed by ip link");
		return -EINVAL;
	}
	if (external && t->kind->family == FAMILY_IPTUN) {
		NL_SET_ERR_MSG_MOD(extack, "an external device takes nothing from ip link");
		return -EINVAL;
	}
	return 0;
}

static int changelink(struct net_device *dev, struct nlattr *tb[], struct nlattr *data[],
		      struct netlink_ext_ack *extack)
{
	struct tunnel *t = netdev_priv(dev);
	struct tunnel_config *c;
	int err;

	err = changelink_refuse(t, data, extack);
	if (err)
		return err;
	c = config_copy(tunnel_config(t));
	if (!c)
		return -ENOMEM;
	err = parse(c, t->kind, data, false, extack);
	/* Of two things that are wrong, gre names the other one first. */
	if (!err && t->kind->family != FAMILY_GRE && !tunnel_dev_keeps_shape(t, c, extack))
		err = -EINVAL;
	if (!err)
		err = tunnel_dev_change(t, c, !tb[IFLA_MTU], extack);
	if (err)
		config_free(c);
	return err;
}

static size_t get_size(const struct net_device *dev)
{
	const struct tunnel *t = netdev_priv(dev);
	size_t size = 0;
	enum option o;

	/* Only an IPv6 address is wider than 32 bits. */
	for (o = 0; o < OPT_MAX; o++)
		if (options[o].attr[t->kind->family])
			size += nla_total_size(options[o].type == NLA_BINARY ?
					       sizeof(struct in6_addr) : sizeof(u32));
	return size;
}

static bool option_is_shown(const struct tunnel_config *c, const struct tunnel_kind *kind,
			    enum option o)
{
	if (!options[o].attr[kind->family])
		return false;
	switch (o) {
	case OPT_COLLECT_MD:
		return c->collect_md;
	case OPT_ERSPAN_VER:
		return kind->id == KIND_ERSPAN;
	case OPT_ERSPAN_INDEX:
		return kind->id == KIND_ERSPAN && c->erspan.version == 1;
	case OPT_ERSPAN_DIR:
	case OPT_ERSPAN_HWID:
		return kind->id == KIND_ERSPAN && c->erspan.version == 2;
	default:
		return true;
	}
}

/* Values of up to 32 bits; those in network byte order are passed as they are. */
static u32 option_value(const struct tunnel_config *c, enum option o)
{
	switch (o) {
	case OPT_LINK:
		return c->link;
	case OPT_LOCAL:
		return (__force u32)c->local.ip4;
	case OPT_REMOTE:
		return (__force u32)c->remote.ip4;
	case OPT_TTL:
		return c->ttl;
	case OPT_TOS:
		return c->tos;
	case OPT_PROTO:
		return c->protocol;
	case OPT_PMTUDISC:
		return !!c->frag_off;
	case OPT_IFLAGS:
		return (__force u16)c->i_flags;
	case OPT_OFLAGS:
		return (__force u16)c->o_flags;
	case OPT_IKEY:
		return (__force u32)c->i_key;
	case OPT_OKEY:
		return (__force u32)c->o_key;
	case OPT_FWMARK:
		return c->fwmark;
	case OPT_ENCAP_TYPE:
		return c->encap.type;
	case OPT_ENCAP_FLAGS:
		return c->encap.flags;
	case OPT_ENCAP_SPORT:
		return (__force u16)c->encap.sport;
	case OPT_ENCAP_DPORT:
		return (__force u16)c->encap.dport;
	case OPT_IGNORE_DF:
		return c->ignore_df;
	case OPT_ERSPAN_VER:
		return c->erspan.version;
	case OPT_ERSPAN_INDEX:
		return c->erspan.index;
	case OPT_ERSPAN_DIR:
		return c->erspan.dir;
	case OPT_ERSPAN_HWID:
		return c->erspan.hwid;
	case OPT_FLAGS:
		return c->flags;
	case OPT_6RD_PREFIXLEN:
		return c->sixrd.prefixlen;
	case OPT_6RD_RELAY_PREFIX:
		return (__force u32)c->sixrd.relay_prefix;
	case OPT_6RD_RELAY_PREFIXLEN:
		return c->sixrd.relay_prefixlen;
	default:
		return 0;
	}
}

static int option_put(struct sk_buff *skb, const struct tunnel_config *c,
		      const struct tunnel_kind *kind, enum option o)
{
	u8 attr = options[o].attr[kind->family];
	u32 value = option_value(c, o);

	switch (options[o].type) {
	case NLA_U8:
		return nla_put_u8(skb, attr, value);
	case NLA_U16:
		return nla_put_u16(skb, attr, value);
	case NLA_FLAG:
		return nla_put_flag(skb, attr);
	case NLA_BINARY:
		return nla_put_in6_addr(skb, attr, &c->sixrd.prefix);
	default:
		return nla_put_u32(skb, attr, value);
	}
}

static int fill_info(struct sk_buff *skb, const struct net_device *dev)
{
	const struct tunnel *t = netdev_priv(dev);
	const struct tunnel_config *c;
	enum option o;
	int err = 0;

	rcu_read_lock();
	c = rcu_dereference(t->config);
	for (o = 0; o < OPT_MAX && !err; o++)
		if (option_is_shown(c, t->kind, o))
			err = option_put(skb, c, t->kind, o);
	rcu_read_unlock();
	return err;
}

static struct net *get_link_net(const struct net_device *dev)
{
	const struct tunnel *t = netdev_priv(dev);

	return t->net;
}

RTNL_NEWLINK_WRAPPER(newlink)

static void policy_init(enum tunnel_family family)
{
	struct nla_policy *policy;
	enum option o;

	for (o = 0; o < OPT_MAX; o++) {
		if (!options[o].attr[family])
			continue;
		policy = &policies[family][options[o].attr[family]];
		policy->type = options[o].type;
		/* For NLA_BINARY the length would be a maximum. */
		if (policy->type == NLA_BINARY) {
			policy->type = NLA_UNSPEC;
			policy->len = sizeof(struct in6_addr);
		}
	}
}

static int kind_register(const struct tunnel_kind *kind)
{
	struct rtnl_link_ops *ops = &link_ops[kind->id];
	int err;

	ops->kind	= kind->name;
	ops->maxtype	= attr_max[kind->family];
	ops->policy	= policies[kind->family];
	ops->priv_size	= tunnel_size(kind);
	ops->setup	= kind->setup;
	ops->newlink	= RTNL_NEWLINK(newlink);
	ops->changelink	= changelink;
	ops->dellink	= tunnel_dev_unregister;
	ops->get_size	= get_size;
	ops->fill_info	= fill_info;
	ops->get_link_net = get_link_net;
	if (kind->dev_type == ARPHRD_ETHER)
		ops->validate = validate_ethernet;
	err = rtnl_link_register(ops);
	if (err)
		pr_err("culvert: link kind \"%s\" is taken by another module; unload that first\n",
		       kind->name);
	return err;
}

/**
 * netlink_link_ops() - the rtnl_link_ops of a kind
 * @kind: the kind
 */
struct rtnl_link_ops *netlink_link_ops(const struct tunnel_kind *kind)
{
	return &link_ops[kind->id];
}

/**
 * netlink_register() - offer all kinds to "ip link"
 *
 * Return: 0 or -EEXIST, with nothing registered. Process context.
 */
int netlink_register(void)
{
	int i, err;

	policy_init(FAMILY_IPTUN);
	policy_init(FAMILY_GRE);
	policy_init(FAMILY_SIT);
	policy_init(FAMILY_VTI);
	for (i = 0; i < KIND_MAX; i++) {
		err = kind_register(tunnel_kinds[i]);
		if (err)
			break;
	}
	if (i == KIND_MAX)
		return 0;
	while (i--)
		rtnl_link_unregister(&link_ops[i]);
	return err;
}

/**
 * netlink_unregister() - withdraw all kinds and delete their devices
 *
 * Process context.
 */
void netlink_unregister(void)
{
	int i;

	for (i = 0; i < KIND_MAX; i++)
		rtnl_link_unregister(&link_ops[i]);
}
