// SPDX-License-Identifier: GPL-2.0-only
/* Copyright (C) 2026 The culvert authors */
/*
 * ICMP errors about our outer packets. Path MTU and redirects go to the
 * underlay's routes; from there the next transmission tells the inner sender.
 * The others are remembered and reported to the next few senders, because the
 * error quotes too little of the inner packet to answer its sender.
 */

#include <linux/icmp.h>
#include <linux/icmpv6.h>
#include <net/addrconf.h>
#include <net/icmp.h>
#include <net/ip6_route.h>
#include <net/route.h>

#include "culvert.h"

/* Payload of a quoted packet that every error has, bytes. */
#define ICMP_QUOTE_MIN		8
/* Least length of a quoted packet with extensions behind it, RFC 4884 4. */
#define ICMP_QUOTE_EXTENDED	128

/**
 * icmp_error_route() - the part of an error that concerns only the route
 * @skb: the error, skb->data at the quoted outer IP header
 * @info: the next hop's MTU, or the gateway
 * @oif: device the outer packet is bound to, or 0
 * @protocol: of the outer packet
 *
 * Return: whether the error was one of these. Softirq.
 */
bool icmp_error_route(struct sk_buff *skb, u32 info, int oif, u8 protocol)
{
	const struct icmphdr *icmph = icmp_hdr(skb);
	struct net *net = dev_net(skb->dev);

	if (icmph->type == ICMP_DEST_UNREACH && icmph->code == ICMP_FRAG_NEEDED) {
		ipv4_update_pmtu(skb, net, info, oif, protocol);
		return true;
	}
	if (icmph->type == ICMP_REDIRECT) {
		ipv4_redirect(skb, net, oif, protocol);
		return true;
	}
	return false;
}

/* Errors worth telling senders: the peer, or a router on the way, is not there. */
static bool icmp_is_unreachable(const struct icmphdr *icmph, const struct tunnel_kind *kind)
{
	if (icmph->type == ICMP_TIME_EXCEEDED)
		return icmph->code == ICMP_EXC_TTL;
	if (icmph->type != ICMP_DEST_UNREACH)
		return false;
	if (icmph->code == ICMP_PORT_UNREACH)
		return kind->port_unreachable;
	return icmph->code != ICMP_SR_FAILED;
}

#if IS_ENABLED(CONFIG_IPV6)
/*
 * An error that quotes enough of an inner IPv6 packet is passed on to its
 * sender, RFC 4213 3.4, as if the packet had come back to the tunnel's device.
 * Extensions behind the quoted packet (RFC 4884) are about the outer one. Where
 * the inner packet is behind FOU or GUE, nobody says, and nothing is relayed.
 *
 * The core's ip6_err_gen_icmpv6_unreach() is no help: it sends from the
 * IPv4-mapped address of the router, and the stack refuses to route that.
 */
static bool icmp_relay_ipv6(struct sk_buff *skb, const struct tunnel *t,
			    const struct tunnel_packet *p)
{
	unsigned int inner = ((const struct iphdr *)skb->data)->ihl * 4 + p->header_len;
	unsigned int quoted = icmp_hdr(skb)->un.reserved[1] * 4;
	struct sk_buff *copy;

	if (p->proto != htons(ETH_P_IPV6) || !__in6_dev_get(t->dev) ||
	    ((const struct iphdr *)skb->data)->protocol == IPPROTO_UDP ||
	    !pskb_may_pull(skb, inner + sizeof(struct ipv6hdr) + ICMP_QUOTE_MIN))
		return false;
	copy = skb_clone(skb, GFP_ATOMIC);
	if (!copy)
		return false;
	if (quoted >= ICMP_QUOTE_EXTENDED && quoted < copy->len && pskb_trim(copy, quoted)) {
		kfree_skb(copy);
		return false;
	}
	skb_pull(copy, inner);
	skb_reset_network_header(copy);
	skb_dst_drop(copy);
	memset(IP6CB(copy), 0, sizeof(*IP6CB(copy)));
	copy->protocol = htons(ETH_P_IPV6);
	copy->dev = t->dev;

	if (icmp_hdr(skb)->type == ICMP_TIME_EXCEEDED)
		icmpv6_send(copy, ICMPV6_TIME_EXCEED, ICMPV6_EXC_HOPLIMIT, 0);
	else
		icmpv6_send(copy, ICMPV6_DEST_UNREACH, ICMPV6_ADDR_UNREACH, 0);
	consume_skb(copy);
	return true;
}
#else
static bool icmp_relay_ipv6(struct sk_buff *skb, const struct tunnel *t,
			    const struct tunnel_packet *p)
{
	return false;
}
#endif

/**
 * icmp_error() - an ICMP error came back for a tunnel
 * @skb: the error, skb->data at the quoted outer IP header; not consumed
 * @info: the next hop's MTU, or the gateway
 * @c: the tunnel's configuration
 * @p: what could be read of the quoted header
 *
 * Return: 0, or -ENOENT if nobody is to be told. Softirq, RCU.
 */
int icmp_error(struct sk_buff *skb, u32 info, const struct tunnel_config *c,
	       const struct tunnel_packet *p)
{
	const struct iphdr *iph = (const struct iphdr *)skb->data;
	struct tunnel *t = c->tunnel;
	unsigned long now = jiffies;

	if (icmp_error_route(skb, info, c->link, iph->protocol))
		return 0;
	if (!icmp_is_unreachable(icmp_hdr(skb), t->kind))
		return 0;
	if (icmp_relay_ipv6(skb, t, p))
		return 0;
	if (!c->remote.ip4 || ipv4_is_multicast(c->remote.ip4))
		return -ENOENT;
	/* With an inherited ttl this is traceroute at work. */
	if (!c->ttl && icmp_hdr(skb)->type == ICMP_TIME_EXCEEDED)
		return 0;

	if (time_before(now, READ_ONCE(t->err_time) + IPTUNNEL_ERR_TIMEO))
		WRITE_ONCE(t->err_count, READ_ONCE(t->err_count) + 1);
	else
		WRITE_ONCE(t->err_count, 1);
	WRITE_ONCE(t->err_time, now);
	return 0;
}
