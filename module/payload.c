// SPDX-License-Identifier: GPL-2.0-only
/* Copyright (C) 2026 The culvert authors */
/*
 * Tunnels without a header of their own: the payload follows the outer IP
 * header, whose protocol says what it is. IPv4 (RFC 2003), IPv6 (RFC 4213),
 * MPLS (RFC 4023).
 *
 * Several kinds carry the same payload. They are asked in turn.
 */

#include <linux/icmp.h>
#include <linux/ipv6.h>
#include <linux/mpls.h>
#include <net/icmp.h>
#include <net/protocol.h>
#include <net/xfrm.h>

#include "culvert.h"
#include "table.h"

/*
 * @ethertype: what the payload is
 * @min: length of its header, bytes
 * @kinds: who carries it, in the order in which they are asked
 * @ipsec: whether an IPsec state may want what no tunnel does
 */
struct payload {
	u8 protocol;
	__be16 ethertype;
	u8 min;
	enum tunnel_kind_id kinds[2];
	int count;
	bool ipsec;
};

#if IS_ENABLED(CONFIG_IPV6)
#define IPIP_AND_SIT	.kinds = { KIND_IPIP, KIND_SIT }, .count = 2
#else
#define IPIP_AND_SIT	.kinds = { KIND_IPIP }, .count = 1
#endif

/* Of the kinds from the @first on. */
static const struct tunnel_config *payload_lookup(struct tunnel_net *tn, struct sk_buff *skb,
						  __be32 local, __be32 remote,
						  const struct payload *payload, int first,
						  const struct tunnel_packet *p)
{
	const struct tunnel_config *c;
	int i;

	for (i = first; i < payload->count; i++) {
		c = table_lookup(tn, payload->kinds[i], skb, local, remote, p);
		if (c)
			return c;
	}
	return NULL;
}

/* What a tunnel demands of a packet that has its endpoints. */
static enum tunnel_drop payload_check(struct sk_buff *skb, const struct tunnel_config *c,
				      const struct payload *payload)
{
	if (unlikely(c->protocol && c->protocol != payload->protocol))
		return DROP_RX_WRONG_PAYLOAD;
	/* The kernel leaves the check of IPsec policies to us. */
	if (unlikely(!xfrm4_policy_check(NULL, XFRM_POLICY_IN, skb)))
		return DROP_RX_POLICY;
	return unlikely(c->screen) ? c->tunnel->kind->admit(skb, c, payload->ethertype) : DROP_NONE;
}

static int payload_unmatched(struct sk_buff *skb, struct tunnel_net *tn,
			     const struct payload *payload)
{
	enum tunnel_drop drop = DROP_RX_BAD_HEADER;

	if (payload->ipsec && ipip_state_receive(skb))
		return 0;
	if (likely(pskb_may_pull(skb, payload->min))) {
		drop = DROP_RX_NO_TUNNEL;
		icmp_send(skb, ICMP_DEST_UNREACH, ICMP_PORT_UNREACH, 0);
	}
	tunnel_drop_unknown(tn, tunnel_kinds[payload->kinds[0]], skb, drop);
	return 0;
}

/*
 * The outer header's protocol field is no guide to the payload: behind FOU or
 * GUE it says UDP. Softirq, RCU.
 */
static __always_inline int payload_receive(struct sk_buff *skb, const struct payload *payload)
{
	struct tunnel_net *tn = tunnel_net_rcu(dev_net(skb->dev));
	struct tunnel_packet p = { .proto = payload->ethertype };
	const struct iphdr *iph = ip_hdr(skb);
	const struct tunnel_config *c;
	enum tunnel_drop drop;

	c = table_lookup_packet(tn, payload->kinds[0], skb, iph, &p);
	if (unlikely(!c))
		c = payload_lookup(tn, skb, iph->daddr, iph->saddr, payload, 1, &p);
	if (unlikely(!c))
		return payload_unmatched(skb, tn, payload);
	drop = payload_check(skb, c, payload);
	if (unlikely(drop)) {
		tunnel_drop(c->tunnel, skb, drop);
		return 0;
	}
	return receive(skb, c, &p, NULL);
}

/* An ICMP error about a packet with this payload. Softirq, RCU. */
static int payload_error(struct sk_buff *skb, u32 info, const struct payload *payload)
{
	const struct iphdr *iph = (const struct iphdr *)skb->data;
	struct tunnel_net *tn = tunnel_net_rcu(dev_net(skb->dev));
	struct tunnel_packet p = { .proto = payload->ethertype };
	const struct tunnel_config *c;

	c = payload_lookup(tn, skb, iph->saddr, iph->daddr, payload, 0, &p);
	if (!c)
		return -ENOENT;
	return icmp_error(skb, info, c, &p);
}

static const struct payload payload_ipv4 = {
	.protocol	= IPPROTO_IPIP,
	.ethertype	= htons(ETH_P_IP),
	.min		= sizeof(struct iphdr),
	.ipsec		= true,
	IPIP_AND_SIT
};

static int ipv4_receive(struct sk_buff *skb)
{
	return payload_receive(skb, &payload_ipv4);
}

static int ipv4_error(struct sk_buff *skb, u32 info)
{
	return payload_error(skb, info, &payload_ipv4);
}

static const struct net_protocol ipv4_protocol = {
	.handler	= ipv4_receive,
	.err_handler	= ipv4_error,
	.no_policy	= 1,
	NET_PROTOCOL_NETNS_OK
};

#if IS_ENABLED(CONFIG_IPV6)
static const struct payload payload_ipv6 = {
	.protocol	= IPPROTO_IPV6,
	.ethertype	= htons(ETH_P_IPV6),
	.min		= sizeof(struct ipv6hdr),
	.ipsec		= true,
	.kinds		= { KIND_SIT },
	.count		= 1,
};

static int ipv6_receive(struct sk_buff *skb)
{
	return payload_receive(skb, &payload_ipv6);
}

static int ipv6_error(struct sk_buff *skb, u32 info)
{
	return payload_error(skb, info, &payload_ipv6);
}

static const struct net_protocol ipv6_in_ipv4_protocol = {
	.handler	= ipv6_receive,
	.err_handler	= ipv6_error,
	.no_policy	= 1,
	NET_PROTOCOL_NETNS_OK
};
#endif

#if IS_ENABLED(CONFIG_MPLS)
static const struct payload payload_mpls = {
	.protocol	= IPPROTO_MPLS,
	.ethertype	= htons(ETH_P_MPLS_UC),
	.min		= sizeof(struct mpls_label),
	IPIP_AND_SIT
};

static int mpls_receive(struct sk_buff *skb)
{
	return payload_receive(skb, &payload_mpls);
}

static int mpls_error(struct sk_buff *skb, u32 info)
{
	return payload_error(skb, info, &payload_mpls);
}

static const struct net_protocol mpls_protocol = {
	.handler	= mpls_receive,
	.err_handler	= mpls_error,
	.no_policy	= 1,
	NET_PROTOCOL_NETNS_OK
};
#endif

static const struct {
	u8 protocol;
	const struct net_protocol *handlers;
} protocols[] = {
	{ IPPROTO_IPIP, &ipv4_protocol },
#if IS_ENABLED(CONFIG_IPV6)
	{ IPPROTO_IPV6, &ipv6_in_ipv4_protocol },
#endif
#if IS_ENABLED(CONFIG_MPLS)
	{ IPPROTO_MPLS, &mpls_protocol },
#endif
};

static void payload_unregister_first(int count)
{
	while (count--)
		inet_del_protocol(protocols[count].handlers, protocols[count].protocol);
}

/**
 * payload_register() - take IP protocols 4, 41 and 137
 *
 * 41 only if the kernel has IPv6, 137 only if it has MPLS.
 *
 * Return: 0; or the protocol that somebody else has, negated. Process context.
 */
int payload_register(void)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(protocols); i++) {
		if (inet_add_protocol(protocols[i].handlers, protocols[i].protocol)) {
			payload_unregister_first(i);
			return -protocols[i].protocol;
		}
	}
	return 0;
}

/**
 * payload_unregister() - undo payload_register()
 *
 * No packet is in a handler afterwards. Process context.
 */
void payload_unregister(void)
{
	payload_unregister_first(ARRAY_SIZE(protocols));
}
