/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The culvert authors */
#ifndef CULVERT_H
#define CULVERT_H

#include <linux/if_tunnel.h>
#include <linux/if_vlan.h>
#include <linux/in6.h>
#include <linux/jhash.h>
#include <linux/netdevice.h>
#include <linux/random.h>
#include <linux/rhashtable.h>
#include <linux/rtnetlink.h>
#include <linux/skbuff.h>
#include <linux/types.h>
#include <net/ip.h>
#include <net/ip_tunnels.h>
#include <net/netns/generic.h>
#include <net/protocol.h>
#include <net/rtnetlink.h>

#include "compat/compat.h"
#include "drop.h"
#include "route_cache.h"

#define CULVERT_VERSION "0.1.0"

struct keepalive;
struct neighbour;
struct peers;
struct tunnel;
struct tunnel_config;
struct tunnel_kind;

/*
 * The device kinds, each with endpoints of its own. Two tunnels of different
 * kinds may have the same endpoints; two of one kind may not (unless bound to
 * different devices). Not kernel-doc, which does not understand the #if.
 */
enum tunnel_kind_id {
	KIND_IPIP,	/* IPv4 and MPLS in IPv4 */
	KIND_GRE,	/* any protocol in GRE */
	KIND_GRETAP,	/* Ethernet in GRE */
	KIND_ERSPAN,	/* mirrored Ethernet in GRE */
#if IS_ENABLED(CONFIG_IPV6)
	KIND_SIT,	/* IPv6, IPv4 and MPLS in IPv4 */
#endif
#if IS_ENABLED(CONFIG_XFRM)
	KIND_VTI,	/* IPv4 and IPv6 in IPsec tunnel mode */
#endif
	KIND_MAX
};

/**
 * enum tunnel_class - how much of its endpoints a tunnel leaves open
 * @CLASS_EXACT: local and remote given
 * @CLASS_ANY_LOCAL: remote given
 * @CLASS_ANY_REMOTE: local, or the multicast group, given
 * @CLASS_ANY_BOTH: only the key, if any
 * @CLASS_MAX: how many there are
 *
 * In the order in which a received packet looks for its tunnel.
 */
enum tunnel_class {
	CLASS_EXACT,
	CLASS_ANY_LOCAL,
	CLASS_ANY_REMOTE,
	CLASS_ANY_BOTH,
	CLASS_MAX
};

/* The GRE header flags that a configuration may hold, in wire format. */
#define TUNNEL_GRE_FLAGS	(GRE_CSUM | GRE_KEY | GRE_SEQ | GRE_STRICT | GRE_REC)

/**
 * struct tunnel_key - what a received packet is matched by
 * @remote: outer address of the other end, 0 for any
 * @local: outer address of this end, 0 for any
 * @ends: both, in the order of an IP header
 * @rest: table_key_rest(): GRE key or ERSPAN session, 0 if there is none; the
 *	kind; and whether a key was present, which differs from a key of 0
 * @link: ifindex that the tunnel is bound to, 0 for "any device"
 */
struct tunnel_key {
	union {
		struct {
			__be32 remote;
			__be32 local;
		};
		u64 ends;
	};
	u64 rest;
	u32 link;
};

/* One entry of the tunnel table. */
struct tunnel_node {
	struct rhlist_head list;
	struct tunnel_key key;
	const struct tunnel_config __rcu *config;
};

/**
 * struct tunnel_entry - where the table keeps a configuration
 * @rcu: for freeing
 * @nodes: [0] under any link; if it is bound to one, [1] under that
 *
 * A change that keeps the endpoints hands it on to the new configuration. RTNL;
 * read under RCU.
 */
struct tunnel_entry {
	struct rcu_head rcu;
	struct tunnel_node nodes[];
};

/**
 * union tunnel_addr - an outer address
 * @ip4: the address of a kind with IPv4 endpoints; the rest is zero
 * @ip6: the address of a kind with IPv6 endpoints
 */
union tunnel_addr {
	__be32 ip4;
	struct in6_addr ip6;
};

/**
 * struct tunnel_header - what a kind wants in front of a payload to transmit
 * @protocol: the outer header's protocol
 * @gso_type: SKB_GSO_* of this encapsulation
 * @inner_ipproto: protocol of the payload, for kinds without header; or 0
 * @flags: GRE flags to send, wire format
 * @key: GRE key to send
 * @proto: EtherType to send; 0 for that of the packet
 * @len: length of the kind's own header, without FOU or GUE
 * @segment: whether the segments of a GSO packet need headers of their own
 * @daddr: outer destination that the kind found in the packet, 0 for "by
 *	configuration"
 * @rfc4213: IPv6 by the rules of 6in4: a unicast route, and an MTU of at least
 *	1280
 * @extra: for the kind's build()
 */
struct tunnel_header {
	u8 protocol;
	u8 inner_ipproto;
	int gso_type;
	__be16 flags;
	__be16 proto;
	__be32 key;
	u16 len;
	bool segment;
	bool rfc4213;
	__be32 daddr;
	const void *extra;
};

/**
 * struct tunnel_config - everything a user can set on a tunnel
 *
 * Built whole, validated whole (config_validate()) and then published whole:
 * a packet sees either the old configuration or the new one. Immutable once
 * published. Replaced under RTNL, read under RCU, freed after a grace period.
 *
 * @entry: where the table keeps it, or kept it; the table's
 * @tunnel: whose configuration it is
 * @class: derived from the endpoints
 * @local: outer source, zero for "by route"
 * @remote: outer destination, zero for "by next hop"; may be multicast
 * @link: ifindex in the underlay namespace the tunnel is bound to, 0 for none
 * @fwmark: mark of the outer packet's route look-up
 * @i_key: key expected; of vti the mark of states and policies
 * @o_key: key sent; of vti likewise
 * @i_flags: GRE flags expected, wire format
 * @o_flags: GRE flags sent, wire format
 * @frag_off: IP_DF if the outer packet never is to be fragmented, or 0
 * @ttl: outer ttl, 0 to inherit
 * @tos: outer tos, bit 0 set to inherit
 * @protocol: the payload that ipip and sit carry (IPPROTO_IPIP, IPPROTO_IPV6,
 *	IPPROTO_MPLS, 0 for any); IPPROTO_GRE for the gre kinds
 * @ignore_df: do not copy DF from the inner header
 * @collect_md: endpoints come from each packet's metadata ("external")
 * @fixed: whether the outer header takes nothing but ECN, DF and ttl from a
 *	packet; derived
 * @announced: whether received packets carry metadata that says which tunnel
 *	this was: external and multipoint devices; derived
 * @screen: whether the kind's admit() looks at received packets; derived, false
 *	unless the kind's prepare() sets it
 * @encap: FOU or GUE
 * @encap_hlen: length of the FOU or GUE header, bytes; derived
 * @header_len: bytes between outer IP header and payload, encap included;
 *	derived
 * @header: the header of every packet, for kinds that can tell; derived
 * @erspan: ERSPAN version 0..2, direction, hardware id, index
 * @flags: SIT_*, as the user gave them when the device was made
 * @sixrd: which IPv6 addresses have an outer address in them, and where
 * @route_tag: with what it asks @tunnel's route cache
 * @rcu: for freeing
 */
struct tunnel_config {
	struct tunnel_entry *entry;
	struct tunnel *tunnel;
	enum tunnel_class class;
	union tunnel_addr local;
	union tunnel_addr remote;
	u32 link;
	u32 fwmark;
	__be32 i_key;
	__be32 o_key;
	__be16 i_flags;
	__be16 o_flags;
	__be16 frag_off;
	u8 ttl;
	u8 tos;
	u8 protocol;
	bool ignore_df;
	bool collect_md;
	bool fixed;
	bool announced;
	bool screen;
	struct ip_tunnel_encap encap;
	u16 encap_hlen;
	u16 header_len;
	struct tunnel_header header;
	struct {
		u32 index;
		u16 hwid;
		u8 version;
		u8 dir;
	} erspan;
	u16 flags;
	struct ip_tunnel_6rd sixrd;
	u32 route_tag;
	struct rcu_head rcu;
};

/**
 * struct tunnel_rate - so many a second; any CPU, races harmless
 * @count: in the present second
 * @second: jiffies when that began
 */
struct tunnel_rate {
	unsigned int count;
	unsigned long second;
};

static inline bool tunnel_rate_allows(struct tunnel_rate *r, unsigned int per_second)
{
	unsigned long now = jiffies;
	unsigned int count;

	/* Not time_after(): for half of the time a clock never set is in the future. */
	if (now - READ_ONCE(r->second) >= HZ) {
		WRITE_ONCE(r->second, now);
		WRITE_ONCE(r->count, 0);
	}
	count = READ_ONCE(r->count);
	if (count >= per_second)
		return false;
	WRITE_ONCE(r->count, count + 1);
	return true;
}

/* Addresses share what is allowed to each of them. A power of 2. */
#define TUNNEL_RATE_SHARES	64

/**
 * struct tunnel_rates - so many a second from each address, so that a flood from
 * one does not use up what the others may do
 * @share: addresses with the same hash have one
 * @seed: of the hash: nobody can choose who he shares with
 */
struct tunnel_rates {
	struct tunnel_rate share[TUNNEL_RATE_SHARES];
	u32 seed;
};

static inline void tunnel_rates_init(struct tunnel_rates *r)
{
	r->seed = get_random_u32();
}

static inline struct tunnel_rate *tunnel_rates_of(struct tunnel_rates *r, __be32 addr)
{
	return &r->share[jhash_1word((__force u32)addr, r->seed) & (TUNNEL_RATE_SHARES - 1)];
}

/* What of keepalive is on or off; the last three are for peers that do it in another way. */
#define KEEPALIVE_ANSWER	BIT(0)	/* answer the peer's requests */
#define KEEPALIVE_DAMPING	BIT(1)	/* a peer that comes back has to prove itself */
#define KEEPALIVE_AUTHENTICATE	BIT(2)	/* accept replies with our own payload only */
#define KEEPALIVE_FOLLOW	BIT(3)	/* the remote is wherever a signed request comes from */
#define KEEPALIVE_INNER		BIT(4)	/* requests may have inner addresses, */
#define KEEPALIVE_NAT		BIT(5)	/* or ask for an answer to any address, */
#define KEEPALIVE_PROTO4	BIT(6)	/* or have EtherType 4 */

/**
 * struct tunnel - a tunnel device, the private part of its net_device
 * @config: the present configuration; RCU, written under RTNL
 * @dev: the device
 * @net: the underlay's namespace, in which the device was made; fixed. The
 *	device itself may have been moved to another one.
 * @kind: fixed
 * @route: the route to a fixed remote, per CPU
 * @o_seqno: next sequence number to send
 * @i_seqno: next sequence number expected, 0 before the first packet; any CPU
 * @err_count: ICMP errors not yet reported to senders; any CPU, races harmless
 * @err_time: jiffies of the last ICMP error
 * @mlink: ifindex on which the multicast group was joined; RTNL
 * @list: in tunnel_net.tunnels; RTNL
 * @routers: ISATAP's potential routers; RCU, written under RTNL
 * @drops: packets not carried, by reason
 * @events: what else is counted
 * @keepalive_options: KEEPALIVE_*; RTNL, read without a lock
 * @answers: the rate at which keepalives of the peer are answered
 * @keepalive: the sending of keepalives; NULL until somebody sets something.
 *	Published once, under RTNL; freed with the device
 * @peers: neighbours of a multipoint device, NULL for others; fixed
 */
struct tunnel {
	struct tunnel_config __rcu *config;
	struct net_device *dev;
	struct net *net;
	const struct tunnel_kind *kind;
	struct route_cache route;
	atomic_t o_seqno;
	atomic_t i_seqno;
	int err_count;
	unsigned long err_time;
	int mlink;
	struct list_head list;
	struct isatap_router __rcu *routers;
	atomic_long_t drops[DROP_MAX];
	atomic_long_t events[EVENT_MAX];
	u8 keepalive_options;
	struct tunnel_rate answers;
	struct keepalive *keepalive;
	struct peers *peers;
};

#define PEERS_LIMIT_MAX		1000000
#define PEERS_TIMEOUT_MAX	604800	/* a week */
#define PEERS_FILTER_MAX	32

/**
 * struct peers_settings - what is set about the peers of a multipoint device
 * @learning: learn them from what is received
 * @replicate: send multicast packets to every one
 * @limit: how many may be learned
 * @timeout: seconds until one that is not heard of is forgotten, 0 for never
 */
struct peers_settings {
	bool learning;
	bool replicate;
	unsigned int limit;
	unsigned int timeout;
};

/* Outer sources that may be learned. */
struct peers_filter {
	struct rcu_head rcu;
	int count;
	struct {
		__be32 net;
		__be32 mask;
	} prefix[];
};

#define KEEPALIVE_INTERVAL_MAX	32767
#define KEEPALIVE_RETRIES_MAX	255
#define KEEPALIVE_SECRET_LEN	16

/**
 * struct keepalive_settings - what is set about sending keepalives
 * @interval: seconds between two of them, 0 for none
 * @retries: how many in a row are lost when the peer is declared dead
 * @has_secret: the secret is the user's, not a random one
 * @address: our address as the peer sees it, 0 if it is the outer source
 */
struct keepalive_settings {
	u16 interval;
	u8 retries;
	bool has_secret;
	__be32 address;
};

/**
 * struct keepalive_status - how it goes
 * @state: a word
 * @sent: since the device came up, as all here
 * @received: replies
 * @unanswered: requests since the last reply
 * @last_reply: ms ago, or -1
 * @rtt: us of the last reply that told, or -1
 * @loss: percent of the last 64 requests
 */
struct keepalive_status {
	const char *state;
	u64 sent;
	u64 received;
	unsigned int unanswered;
	s64 last_reply;
	s64 rtt;
	unsigned int loss;
};

/**
 * struct tunnel_space - what a namespace has of one kind
 * @base: the base device (tunl0, gre0), or NULL; RTNL
 * @base_taken: whether "ip tunnel add" has configured @base; RTNL
 * @catch_all: @base while it takes packets that match nothing else; RCU
 * @external: the one device with collect_md, or NULL; RCU, written under RTNL
 * @count: tunnels of each class; RTNL, read without a lock on the packet path
 * @bound: those of them bound to a device; likewise
 * @any_bound: the sum of @bound; likewise
 * @unknown: packets dropped before a tunnel was known
 */
struct tunnel_space {
	struct tunnel *base;
	bool base_taken;
	struct tunnel __rcu *catch_all;
	struct tunnel __rcu *external;
	unsigned int count[CLASS_MAX];
	unsigned int bound[CLASS_MAX];
	unsigned int any_bound;
	atomic_long_t unknown[DROP_RX_UNKNOWN_LAST - DROP_RX_UNKNOWN_FIRST + 1];
};

/**
 * struct tunnel_net - state of a namespace, as an underlay
 * @net: the namespace
 * @table: struct tunnel_node by struct tunnel_key
 * @tunnels: all tunnels whose outer packets live here, wherever their devices
 *	are; RTNL
 * @moves: rates of requests that may be a follower's
 * @all_moves: that of all of them together
 * @followers: keepalives whose tunnels follow their peers; RCU, written under
 *	RTNL
 * @follower_count: how many those are; RTNL, read without a lock
 * @spaces: by enum tunnel_kind_id
 */
struct tunnel_net {
	struct net *net;
	struct rhltable table;
	struct list_head tunnels;
	struct hlist_head followers;
	unsigned int follower_count;
	struct tunnel_rates moves;
	struct tunnel_rate all_moves;
	struct tunnel_space spaces[KIND_MAX];
};

/**
 * struct tunnel_packet - what a kind found in front of a received payload
 * @key: GRE key or ERSPAN session, 0 if none
 * @seq: GRE sequence number, host byte order
 * @flags: GRE flags, wire format; GRE_KEY tells whether @key counts
 * @proto: EtherType of the payload; ETH_P_TEB for an Ethernet frame
 * @header_len: bytes from the transport header to the payload
 * @raw: leave an ETH_P_TEB payload as it is (external gre)
 */
struct tunnel_packet {
	__be32 key;
	u32 seq;
	__be16 flags;
	__be16 proto;
	u16 header_len;
	bool raw;
};

/* Which set of netlink attributes a kind is configured with. */
enum tunnel_family {
	FAMILY_IPTUN,	/* IFLA_IPTUN_* */
	FAMILY_GRE,	/* IFLA_GRE_* */
	FAMILY_SIT,	/* IFLA_IPTUN_*, with what is special to sit */
	FAMILY_VTI,	/* IFLA_VTI_* */
	FAMILY_MAX
};

/**
 * struct tunnel_kind - a kind of tunnel device: constant data
 * @name: the kind in ``ip link add type``
 * @base_name: name of the base device each namespace has
 * @id: where its tunnels are kept
 * @family: its netlink attributes
 * @protocol: IP protocol of its outer packets when there is no encap
 * @dev_type: ARPHRD_*
 * @size: of the private part of its devices, which begins with struct tunnel;
 *	0 if that is all
 * @ops: its device operations; most entries are the engine's
 * @port_unreachable: whether that ICMP error means the peer is not there; from
 *	a GRE peer it means only that it has no such tunnel yet
 * @has_ioctl: whether ``ip tunnel`` knows it
 * @setup: rtnl_link_ops.setup: calls tunnel_dev_setup() and adds what is special
 * @key_is_mark: keys are not in the packet but marks for IPsec: tunnels that
 *	differ in them alone are not told apart by the table
 * @strict_link: a tunnel bound to a device takes no packets from others
 * @add_errno: what ``ip tunnel add`` fails with whatever the reason; or 0
 * @defaults: fill a new tunnel's configuration, all zero before
 * @inherit: take from the base device's configuration what new devices have
 *	from there; optional. RTNL
 * @payload_is_valid: whether a configuration can have this protocol
 * @base_defaults: what is different in a base device's; optional
 * @validate: refuse a configuration; optional. RTNL. Returns 0 or an errno and
 *	sets extack
 * @prepare: compute what depends on the whole configuration; optional. RTNL
 * @own_header: length of the header that @build adds, bytes
 * @init: device settings that depend on the configuration: flags, features,
 *	header_ops. RTNL, also called when the configuration changes
 * @ioctl: requests beyond SIOC*TUNNEL; optional. RTNL
 * @admit: look at a packet behind whose outer IP header skb->data is, before it
 *	is taken out; for configurations with @screen. Softirq, RCU; returns DROP_NONE or why not
 * @build: put the kind's header in front of the payload; headroom is there.
 *	Softirq or BH disabled; returns DROP_NONE or why it cannot
 */
struct tunnel_kind {
	const char *name;
	const char *base_name;
	enum tunnel_kind_id id;
	enum tunnel_family family;
	u8 protocol;
	u16 dev_type;
	u16 size;
	const struct net_device_ops *ops;
	bool port_unreachable;
	bool has_ioctl;
	bool key_is_mark;
	bool strict_link;
	int add_errno;
	void (*setup)(struct net_device *dev);
	void (*defaults)(struct tunnel_config *c);
	void (*inherit)(struct tunnel_config *c, const struct tunnel_config *base);
	bool (*payload_is_valid)(u8 protocol);
	void (*base_defaults)(struct tunnel_config *c);
	int (*validate)(const struct tunnel_config *c, struct netlink_ext_ack *extack);
	void (*prepare)(struct tunnel_config *c);
	u16 (*own_header)(const struct tunnel_config *c);
	void (*init)(struct net_device *dev, const struct tunnel_config *c);
	int (*ioctl)(struct tunnel *t, void __user *data, int cmd);
	enum tunnel_drop (*admit)(struct sk_buff *skb, const struct tunnel_config *c,
				  __be16 proto);
	enum tunnel_drop (*build)(struct sk_buff *skb, struct tunnel *t,
				  const struct tunnel_config *c,
				  const struct tunnel_header *h);
};

extern const struct tunnel_kind *const tunnel_kinds[KIND_MAX];
extern const struct tunnel_kind kind_ipip, kind_gre, kind_gretap, kind_erspan,
	kind_sit, kind_vti;
extern unsigned int tunnel_net_id;
extern bool log_ecn_error;

static inline struct tunnel_net *tunnel_net(const struct net *net)
{
	return net_generic(net, tunnel_net_id);
}

/* The same for those who are in an RCU read-side section, and need none more. */
static inline struct tunnel_net *tunnel_net_rcu(const struct net *net)
{
	return rcu_dereference(net->gen)->ptr[tunnel_net_id];
}

static inline struct tunnel_space *tunnel_space(const struct tunnel *t)
{
	return &tunnel_net(t->net)->spaces[t->kind->id];
}

static inline size_t tunnel_size(const struct tunnel_kind *kind)
{
	return kind->size ? : sizeof(struct tunnel);
}

/* The configuration, for callers that hold RTNL. */
static inline struct tunnel_config *tunnel_config(const struct tunnel *t)
{
	return rtnl_dereference(t->config);
}

static inline bool tunnel_is_base(const struct tunnel *t)
{
	return tunnel_space(t)->base == t;
}

/* table.c */
int table_init(struct tunnel_net *tn);
void table_destroy(struct tunnel_net *tn);
int table_insert(struct tunnel_net *tn, struct tunnel_config *c);
void table_remove(struct tunnel_net *tn, struct tunnel_config *c);
bool table_replace(struct tunnel_config *old, struct tunnel_config *c);
const struct tunnel_config *table_lookup_link(struct tunnel_net *tn, enum tunnel_kind_id kind,
					      struct sk_buff *skb, int link, __be32 local,
					      __be32 remote, const struct tunnel_packet *p);

/**
 * table_lookup() - the tunnel a packet belongs to, by the device it came through
 * @tn: the namespace it arrived in
 * @kind: the kind it is for
 * @skb: the packet
 * @local: outer address of this end
 * @remote: outer address of the other end
 * @p: its key
 *
 * Return: as table_lookup_link(). Softirq, RCU.
 */
static inline const struct tunnel_config *table_lookup(struct tunnel_net *tn,
						       enum tunnel_kind_id kind,
						       struct sk_buff *skb, __be32 local,
						       __be32 remote,
						       const struct tunnel_packet *p)
{
	return table_lookup_link(tn, kind, skb, skb->dev->ifindex, local, remote, p);
}

const struct tunnel_config *table_sibling(const struct tunnel_config *c);
struct tunnel *table_find(struct tunnel_net *tn, const struct tunnel_config *c,
			  enum tunnel_kind_id kind);
struct tunnel *table_find_any_key(struct tunnel_net *tn, const struct tunnel_config *c,
				  enum tunnel_kind_id kind);

/* namespace.c */
int namespace_register(void);
void namespace_unregister(void);
int namespace_register_base(void);
void namespace_unregister_base(void);

struct metadata_dst;

/* receive.c */
int receive(struct sk_buff *skb, const struct tunnel_config *c, const struct tunnel_packet *p,
	    struct metadata_dst *md);

/* transmit.c */
bool transmit_enter(void);
void transmit_leave(void);
bool transmit_pull_slow(struct sk_buff *skb, const struct net_device *dev);
netdev_tx_t transmit(struct sk_buff *skb, struct tunnel *t, const struct tunnel_config *c,
		     const struct tunnel_header *h, const struct iphdr *template);
bool transmit_nexthop_ipv6(struct sk_buff *skb, struct in6_addr *hop);

/**
 * transmit_pull() - make the inner IP header of a packet to send readable
 * @skb: the packet, see transmit_pull_slow()
 * @dev: the tunnel's device
 *
 * Return: false if the packet is too short to have the header it should. BH
 * disabled.
 */
static inline bool transmit_pull(struct sk_buff *skb, const struct net_device *dev)
{
	unsigned int end = skb_network_offset(skb) + sizeof(struct ipv6hdr);

	if (likely(end <= skb_headlen(skb) && !eth_type_vlan(skb->protocol)))
		return true;
	return transmit_pull_slow(skb, dev);
}

enum tunnel_drop transmit_outer(struct sk_buff *skb, struct tunnel *t,
				const struct tunnel_config *c, __be32 saddr, __be32 daddr,
				u8 ttl);

/* metadata.c */
struct metadata_dst *metadata_received(struct sk_buff *skb, const struct tunnel_packet *p,
				       int options);
const struct ip_tunnel_info *metadata_to_send(struct sk_buff *skb);
__be16 metadata_gre_flags(const struct ip_tunnel_info *info);
int metadata_fill_dst(struct net_device *dev, struct sk_buff *skb);

/* icmp.c */
int icmp_error(struct sk_buff *skb, u32 info, const struct tunnel_config *c,
	       const struct tunnel_packet *p);
bool icmp_error_route(struct sk_buff *skb, u32 info, int oif, u8 protocol);

/* device.c */
void tunnel_dev_setup(struct net_device *dev, const struct tunnel_kind *kind);
int tunnel_dev_init(struct net_device *dev);
void tunnel_dev_uninit(struct net_device *dev);
int tunnel_dev_change_mtu(struct net_device *dev, int mtu);
void tunnel_dev_get_stats(struct net_device *dev, struct rtnl_link_stats64 *s);
int tunnel_dev_get_iflink(const struct net_device *dev);
struct tunnel *tunnel_dev_create(struct net *net, const struct tunnel_kind *kind,
			     const char *name, struct tunnel_config *c);
int tunnel_dev_register(struct net *net, struct net_device *dev, struct tunnel_config *c,
		    const struct nlattr *mtu, struct netlink_ext_ack *extack);
bool tunnel_dev_keeps_shape(const struct tunnel *t, const struct tunnel_config *c,
			    struct netlink_ext_ack *extack);
int tunnel_dev_change(struct tunnel *t, struct tunnel_config *c, bool set_mtu,
		  struct netlink_ext_ack *extack);
int tunnel_dev_apply(struct tunnel *t, struct tunnel_config *c, bool set_mtu);
void tunnel_dev_limit_mtu(struct tunnel *t);
void tunnel_dev_unbind(struct tunnel *t);
void tunnel_dev_unregister(struct net_device *dev, struct list_head *list);

/* config.c */
struct tunnel_config *config_new(const struct tunnel_kind *kind, const struct tunnel *base);
struct tunnel_config *config_copy(const struct tunnel_config *old);
struct tunnel_config *config_new_base(const struct tunnel_kind *kind);
void config_free(struct tunnel_config *c);
void config_free_rcu(struct tunnel_config *c);
bool config_has_endpoints(const struct tunnel_config *c);
int config_validate(const struct tunnel_kind *kind, struct tunnel_config *c,
		    struct netlink_ext_ack *extack);

/* config_netlink.c */
int netlink_register(void);
void netlink_unregister(void);
struct rtnl_link_ops *netlink_link_ops(const struct tunnel_kind *kind);

/* config_ioctl.c */
int ioctl_siocdevprivate(struct net_device *dev, struct ifreq *ifr, void __user *data, int cmd);
int ioctl_tunnel(struct net_device *dev, struct ip_tunnel_parm *p, int cmd);
struct tunnel *ioctl_find(struct tunnel *t, void __user *data);

/* gre.c */
int gre_register(void);
void gre_unregister(void);
u16 gre_own_header(const struct tunnel_config *c);
int gre_validate(const struct tunnel_config *c, struct netlink_ext_ack *extack);

/*
 * Each segment has its own sequence number, and the core can't update the
 * checksums of two outer headers.
 */
static inline bool gre_must_segment(__be16 flags, bool encap)
{
	return flags & GRE_SEQ || (flags & GRE_CSUM && encap);
}
enum tunnel_drop gre_build(struct sk_buff *skb, struct tunnel *t, const struct tunnel_config *c,
			   const struct tunnel_header *h);
void gre_header(struct tunnel_config *c, __be16 proto);
enum tunnel_drop gre_header_metadata(struct tunnel_header *h, struct sk_buff *skb, __be16 proto);
struct gre_header;

/* kind_erspan.c */
int erspan_receive(struct sk_buff *skb, struct tunnel_net *tn, const struct gre_header *g);
void erspan_session(struct sk_buff *skb, unsigned int offset, const struct gre_header *g,
		    struct tunnel_packet *p);

/* kind_gre.c */
extern const struct header_ops gre_header_ops;

/* payload.c */
int payload_register(void);
void payload_unregister(void);

/* ipsec.c, ipip_state.c */
#if IS_ENABLED(CONFIG_XFRM)
int ipsec_register(void);
void ipsec_unregister(void);
struct xfrm_state;
const struct tunnel_config *ipsec_lookup(struct sk_buff *skb, u8 protocol, __be32 spi,
					 struct xfrm_state **state);
int ipsec_input(struct sk_buff *skb, const struct tunnel_config *c, int protocol, __be32 spi,
		int encap_type);
int ipsec_received(struct sk_buff *skb, int err);
int ipip_state_register(void);
void ipip_state_unregister(void);
bool ipip_state_receive(struct sk_buff *skb);
#else
static inline int ipsec_register(void)
{
	return 0;
}

static inline void ipsec_unregister(void)
{
}

static inline bool ipip_state_receive(struct sk_buff *skb)
{
	return false;
}
#endif

/* sixrd.c */
int sixrd_validate(const struct ip_tunnel_6rd *r, struct netlink_ext_ack *extack);
bool sixrd_extract(const struct ip_tunnel_6rd *r, const struct in6_addr *addr, __be32 *ip4);
int sixrd_ioctl(struct tunnel *t, void __user *data, int cmd);

/* isatap.c */
bool isatap_admit(struct sk_buff *skb, const struct tunnel *t);
int isatap_ioctl(struct tunnel *t, void __user *data, int cmd);
void isatap_forget(struct tunnel *t);

/* keepalive.c */
bool keepalive_receive(struct sk_buff *skb, struct tunnel_net *tn, const struct tunnel_config *c,
		       const struct tunnel_packet *p);
void keepalive_exit(struct tunnel *t);
void keepalive_start(struct tunnel *t);
void keepalive_stop(struct tunnel *t);
void keepalive_free(struct tunnel *t);
int keepalive_set_interval(struct tunnel *t, unsigned int seconds);
int keepalive_set_retries(struct tunnel *t, unsigned int retries);
int keepalive_set_options(struct tunnel *t, u8 options);
int keepalive_set_secret(struct tunnel *t, const u8 *secret);
int keepalive_set_address(struct tunnel *t, __be32 address);
void keepalive_settings(const struct tunnel *t, struct keepalive_settings *s);
void keepalive_status(const struct tunnel *t, struct keepalive_status *s);

/*
 * Whether a packet may be part of a keepalive: worth looking closer. Ordinary
 * packets are told by one byte of the inner header, which is read anyway soon.
 */
static inline bool keepalive_is_suspect(const struct sk_buff *skb, const struct tunnel_packet *p)
{
	unsigned int protocol = p->header_len + offsetof(struct iphdr, protocol);

	if (likely(p->proto == htons(ETH_P_IP)))
		return protocol >= skb_headlen(skb) || skb->data[protocol] == IPPROTO_GRE;
	return !p->proto || p->proto == htons(4);
}

/* peers.c */
int peers_register(void);
void peers_unregister(void);
int peers_init(struct net_device *dev);
void peers_stop(struct tunnel *t);
void peers_free(struct tunnel *t);
int peers_construct(struct net_device *dev, struct neighbour *n);
void peers_destroy(struct net_device *dev, struct neighbour *n);
bool peers_accept(const struct tunnel *t, __be32 outer);
void peers_learn(const struct sk_buff *skb, struct tunnel *t);
bool peers_replicates(const struct tunnel *t, __be32 daddr);
netdev_tx_t peers_replicate(struct sk_buff *skb, struct tunnel *t, const struct tunnel_config *c,
			    const struct tunnel_header *h, const struct iphdr *template);
int peers_set_learning(struct tunnel *t, bool on);
int peers_set_limit(struct tunnel *t, unsigned int limit);
int peers_set_timeout(struct tunnel *t, unsigned int seconds);
int peers_set_filter(struct tunnel *t, struct peers_filter *filter);
int peers_set_replicate(struct tunnel *t, bool on);
struct tunnel_rate *peers_answers(struct tunnel *t, __be32 outer);
const struct peers_settings *peers_settings(const struct tunnel *t);
const struct peers_filter *peers_filter(const struct tunnel *t);
unsigned int peers_count(const struct tunnel *t);

/* sysfs.c */
extern const struct attribute_group tunnel_sysfs_group;
extern const struct attribute_group tunnel_sysfs_group_peers;

/* ethtool.c */
extern const struct ethtool_ops tunnel_ethtool_ops;

#endif /* CULVERT_H */
