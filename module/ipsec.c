// SPDX-License-Identifier: GPL-2.0-only
/* Copyright (C) 2026 The culvert authors */
/*
 * What IPsec receives for a vti device: ESP, also within UDP, AH and IPComp.
 *
 *   xfrm4_rcv -> ipsec_rcv_*()     before: the tunnel's key is the mark by which
 *                                  the state is looked up
 *             -> decryption        perhaps asynchronous, perhaps on the card
 *             -> ipsec_received()  after: which device is it, does a policy
 *                                  allow it there
 *
 * Nothing is remembered from before to after: in between, the device may have
 * gone, and some packets never come by the first place (GRO with esp4_offload).
 * The state that decrypted the packet says which tunnel it is of.
 */

#include <linux/icmp.h>
#include <net/xfrm.h>
/* In 5.10, these count on it. */
#include <net/ah.h>
#include <net/esp.h>
#include <net/ip.h>
#include <net/ipcomp.h>

#include "cells.h"
#include "culvert.h"
#include "kind_vti.h"

/* Higher than those of the in-tree ESP, AH, IPComp and xfrm interfaces. */
#define IPSEC_PRIORITY	100

/* vti devices have the outer addresses for endpoints, and nothing else. */
static const struct tunnel_config *ipsec_tunnel(struct net *net, struct sk_buff *skb, int link,
						__be32 local, __be32 remote)
{
	static const struct tunnel_packet none;

	return table_lookup_link(tunnel_net(net), KIND_VTI, skb, link, local, remote, &none);
}

/* The same, by skb->dev: not for a packet whose decryption was asynchronous. */
static const struct tunnel_config *ipsec_tunnel_arrived(struct sk_buff *skb, __be32 local,
							__be32 remote)
{
	return ipsec_tunnel(dev_net(skb->dev), skb, skb->dev->ifindex, local, remote);
}

/* The state that a packet's header and this mark find, for the caller to put. */
static struct xfrm_state *ipsec_find_state(struct net *net, u32 mark, const struct iphdr *iph,
					   u8 protocol, __be32 spi)
{
	return xfrm_state_lookup(net, mark, (const xfrm_address_t *)&iph->daddr, spi, protocol,
				 AF_INET);
}

/**
 * ipsec_lookup() - the vti device that a packet is for, before it is decrypted
 * @skb: the packet, skb->data at the transport header
 * @protocol: IPPROTO_ESP, _AH, _COMP or _IPIP
 * @spi: the SPI, or 0 to be read from the packet
 * @state: set to the state that the device's key finds, for the caller to put,
 *	or to NULL
 *
 * Of several devices with the same endpoints it is the first whose key finds
 * a state.
 *
 * Return: its configuration, or NULL. Softirq, RCU.
 */
const struct tunnel_config *ipsec_lookup(struct sk_buff *skb, u8 protocol, __be32 spi,
					 struct xfrm_state **state)
{
	const struct tunnel_config *first, *c;
	__be32 seq;

	*state = NULL;
	first = ipsec_tunnel_arrived(skb, ip_hdr(skb)->daddr, ip_hdr(skb)->saddr);
	if (!first || (!spi && xfrm_parse_spi(skb, protocol, &spi, &seq)))
		return first;
	for (c = first; c; c = table_sibling(c)) {
		*state = ipsec_find_state(dev_net(skb->dev), be32_to_cpu(c->i_key), ip_hdr(skb),
					  protocol, spi);
		if (*state)
			return c;
	}
	return first;
}

/*
 * Transport mode is not for a device, though what is inside may be, such as
 * IPComp in ESP: the kernel's own handler takes that. Of marks it knows the
 * packet's only, which becomes the key where the state asks for that.
 */
static bool ipsec_is_for_tunnel(struct sk_buff *skb, const struct tunnel_config *c,
				struct xfrm_state *state)
{
	bool transport;

	if (!state)
		return true;
	transport = state->props.mode == XFRM_MODE_TRANSPORT;
	if (transport && (skb->mark & state->mark.m) != state->mark.v)
		skb->mark = be32_to_cpu(c->i_key);
	xfrm_state_put(state);
	return !transport;
}

/**
 * ipsec_input() - hand a packet to IPsec
 * @skb: the packet, consumed. skb->data at the transport header
 * @c: the tunnel whose key is the mark of the state, or NULL
 * @protocol: see ipsec_lookup()
 * @spi: likewise
 * @encap_type: UDP_ENCAP_* or 0
 *
 * Return: the value for an inet protocol handler. Softirq, RCU.
 */
int ipsec_input(struct sk_buff *skb, const struct tunnel_config *c, int protocol, __be32 spi,
		int encap_type)
{
	/* The key is read at once, and nothing of this again. */
	XFRM_TUNNEL_SKB_CB(skb)->tunnel.ip4 = c ? vti_mark(c->tunnel) : NULL;
	XFRM_SPI_SKB_CB(skb)->family = AF_INET;
	XFRM_SPI_SKB_CB(skb)->daddroff = offsetof(struct iphdr, daddr);
	return xfrm_input(skb, protocol, spi, encap_type);
}

/* xfrm4_protocol.input_handler: also what was within UDP. */
static int ipsec_rcv_encap(struct sk_buff *skb, int protocol, __be32 spi, int encap_type)
{
	const struct tunnel_config *c;
	struct xfrm_state *state;

	c = ipsec_lookup(skb, protocol, spi, &state);
	if (!c || !ipsec_is_for_tunnel(skb, c, state))
		return -EINVAL;
	if (unlikely(!xfrm4_policy_check(NULL, XFRM_POLICY_IN, skb))) {
		tunnel_drop(c->tunnel, skb, DROP_RX_POLICY);
		return 0;
	}
	return ipsec_input(skb, c, protocol, spi, encap_type);
}

static int ipsec_rcv(struct sk_buff *skb)
{
	return ipsec_rcv_encap(skb, ip_hdr(skb)->protocol, 0, 0);
}

/*
 * No state, or one that says no: a replay, say, or a wrong checksum. Counted for
 * the first device with these endpoints, for there is no state to tell.
 */
static int ipsec_refused(struct sk_buff *skb)
{
	const struct tunnel_config *c;

	c = ipsec_tunnel_arrived(skb, ip_hdr(skb)->daddr, ip_hdr(skb)->saddr);
	if (!c)
		return 1;
	tunnel_drop_count(c->tunnel, DROP_RX_IPSEC);
	return 0;
}

/* Does a policy for the mark of this tunnel allow what was inside? */
static bool ipsec_policy_allows(struct sk_buff *skb, const struct tunnel_config *c)
{
	unsigned short family = skb->protocol == htons(ETH_P_IPV6) ? AF_INET6 : AF_INET;
	u32 mark = skb->mark;
	bool allows;

	skb->mark = be32_to_cpu(c->i_key);
	allows = xfrm_policy_check(NULL, XFRM_POLICY_IN, skb, family);
	skb->mark = mark;
	return allows;
}

/*
 * The tunnel of a decrypted packet: the one with the endpoints of the state, and
 * of several such the first whose key the state accepts and a policy allows.
 */
static const struct tunnel_config *ipsec_choose(struct sk_buff *skb, const struct xfrm_state *x,
						const struct tunnel_config *first)
{
	const struct tunnel_config *c;

	for (c = first; c; c = table_sibling(c))
		if ((be32_to_cpu(c->i_key) & x->mark.m) == x->mark.v &&
		    ipsec_policy_allows(skb, c))
			return c;
	return NULL;
}

/*
 * Only tunnel mode is ours; what transport mode protects goes its own way. @link is
 * the device that the packet came through.
 */
static const struct tunnel_config *ipsec_tunnel_of_state(struct sk_buff *skb,
							 const struct xfrm_state *x, int link)
{
	if (x->props.mode == XFRM_MODE_TRANSPORT || x->props.family != AF_INET || x->if_id)
		return NULL;
	return ipsec_tunnel(read_pnet(&x->xs_net), skb, link, x->id.daddr.a4,
			    x->props.saddr.a4);
}

/* The state that has dealt with a packet last, or NULL if there was none. */
static const struct xfrm_state *ipsec_state(struct sk_buff *skb)
{
	const struct sec_path *sp = skb_sec_path(skb);

	return sp && sp->len ? sp->xvec[sp->len - 1] : NULL;
}

/*
 * A packet that we have taken or refused comes back once more, as an error.
 * Nobody reads the mark any more.
 */
static void ipsec_set_done(struct sk_buff *skb)
{
	XFRM_TUNNEL_SKB_CB(skb)->tunnel.ip4 = ERR_PTR(-EPERM);
}

static bool ipsec_is_done(const struct sk_buff *skb)
{
	return IS_ERR(XFRM_TUNNEL_SKB_CB(skb)->tunnel.ip4);
}

/*
 * ipsec_is_for_tunnel() may have made the key the packet's mark, which is not
 * for the policies that the stack looks up next.
 */
static void ipsec_clear_mark(struct sk_buff *skb, const struct tunnel_config *c)
{
	const struct sec_path *sp = skb_sec_path(skb);

	if (sp && sp->len > 1 && sp->xvec[0]->mark.m &&
	    skb->mark == be32_to_cpu(c->i_key))
		skb->mark = 0;
}

/*
 * IPComp of recent kernels leaves a packet with less memory to its account than
 * it has, and TCP warns of that when it joins it to the one before.
 */
static void ipsec_correct_truesize(struct sk_buff *skb)
{
	unsigned int least = SKB_TRUESIZE(skb_end_offset(skb)) + skb->data_len;

	if (unlikely(skb->truesize < least) && !skb->destructor)
		skb->truesize = least;
}

/*
 * Take a packet from IPsec, and tell it to drop the packet, which gives back
 * its own reference only: the packet is in our queue then. To leave it to IPsec
 * would mean to change skb->dev now. But while a packet is decrypted
 * asynchronously IPsec holds a reference to the device, and in 6.12.94 and other
 * stable kernels it returns that to whatever device is in skb->dev at the end
 * (CVE-2026-72463).
 */
static int ipsec_take(struct sk_buff *skb, struct tunnel *t)
{
	unsigned int len = skb->len;

	skb_scrub_packet(skb, !net_eq(t->net, dev_net(t->dev)));
	ipsec_correct_truesize(skb);
	if (likely(cells_queue(skb_get(skb), t->dev))) {
		dev_sw_netstats_rx_add(t->dev, len);
	} else {
		kfree_skb(skb);
		tunnel_drop_count(t, DROP_RX_BACKLOG);
	}
	return -EINPROGRESS;
}

/* Decrypted: by tunnel mode, for a device with the endpoints of @first. */
static int ipsec_deliver(struct sk_buff *skb, const struct xfrm_state *x,
			 const struct tunnel_config *first)
{
	const struct tunnel_config *c;

	/* The inner packet's policy check must not read of the outer one's. */
	memset(&XFRM_TUNNEL_SKB_CB(skb)->header, 0, sizeof(XFRM_TUNNEL_SKB_CB(skb)->header));
	c = ipsec_choose(skb, x, first);
	ipsec_set_done(skb);
	if (unlikely(!c)) {
		tunnel_drop_count(first->tunnel, DROP_RX_INNER_POLICY);
		return -EPERM;
	}
	ipsec_clear_mark(skb, c);
	return ipsec_take(skb, c->tunnel);
}

/**
 * ipsec_received() - IPsec is through with a packet
 * @skb: the packet, skb->data at what was inside
 * @err: 0, or that it is going to be dropped
 *
 * xfrm4_protocol.cb_handler: called for every packet, whether we have seen it
 * before or not.
 *
 * Return: 1 if it was not for a tunnel, 0 if it was and is going to be dropped,
 * or an errno to drop it, also if it was taken. RCU, BH disabled.
 */
int ipsec_received(struct sk_buff *skb, int err)
{
	const struct tunnel_config *first;
	const struct xfrm_state *x;

	if (err && ipsec_is_done(skb))
		return 0;
	x = ipsec_state(skb);
	if (!x)
		return ipsec_refused(skb);
	/*
	 * When decryption was asynchronous, newer kernels have given skb->dev back
	 * before they tell of a failure. skb_iif is 0 out of GRO, so that such a
	 * failure is not counted for a device that is bound to a link.
	 */
	first = ipsec_tunnel_of_state(skb, x, err ? skb->skb_iif : skb->dev->ifindex);
	if (!first)
		return 1;
	if (!err)
		return ipsec_deliver(skb, x, first);
	tunnel_drop_count(first->tunnel, DROP_RX_IPSEC);
	return 0;
}

/* The SPI in the header that an ICMP error quotes: 8 bytes of it are there. */
static __be32 ipsec_quoted_spi(const struct sk_buff *skb)
{
	const struct iphdr *iph = (const struct iphdr *)skb->data;
	const void *header = skb->data + iph->ihl * 4;

	switch (iph->protocol) {
	case IPPROTO_ESP:
		return ((const struct ip_esp_hdr *)header)->spi;
	case IPPROTO_AH:
		return ((const struct ip_auth_hdr *)header)->spi;
	default:
		return htonl(ntohs(((const struct ip_comp_hdr *)header)->cpi));
	}
}

/*
 * An ICMP error about a packet of ours: the route is told of path MTU and
 * redirect, if there is such a state; anybody could have sent that.
 */
static int ipsec_error(struct sk_buff *skb, u32 info)
{
	const struct iphdr *iph = (const struct iphdr *)skb->data;
	const struct tunnel_config *c;
	struct xfrm_state *x;

	for (c = ipsec_tunnel_arrived(skb, iph->saddr, iph->daddr); c; c = table_sibling(c)) {
		x = ipsec_find_state(dev_net(skb->dev), vti_mark_out(c), iph, iph->protocol,
				     ipsec_quoted_spi(skb));
		if (!x)
			continue;
		xfrm_state_put(x);
		icmp_error_route(skb, info, 0, iph->protocol);
		return 0;
	}
	return -ENOENT;
}

#define IPSEC_HANDLERS {			\
	.handler	= ipsec_rcv,		\
	.input_handler	= ipsec_rcv_encap,	\
	.cb_handler	= ipsec_received,	\
	.err_handler	= ipsec_error,		\
	.priority	= IPSEC_PRIORITY,	\
}

/* Each is linked into a list of its own. */
static struct {
	u8 protocol;
	struct xfrm4_protocol handlers;
} protocols[] = {
	{ IPPROTO_ESP, IPSEC_HANDLERS },
	{ IPPROTO_AH, IPSEC_HANDLERS },
	{ IPPROTO_COMP, IPSEC_HANDLERS },
};

static void ipsec_unregister_first(int count)
{
	while (count--)
		xfrm4_protocol_deregister(&protocols[count].handlers, protocols[count].protocol);
}

/**
 * ipsec_register() - receive what IPsec protects
 *
 * Return: 0, or -EEXIST if somebody else receives it as we do. Process context.
 */
int ipsec_register(void)
{
	int i, err;

	err = ipip_state_register();
	if (err)
		return err;
	for (i = 0; i < ARRAY_SIZE(protocols); i++) {
		err = xfrm4_protocol_register(&protocols[i].handlers, protocols[i].protocol);
		if (err) {
			ipsec_unregister_first(i);
			ipip_state_unregister();
			return err;
		}
	}
	return 0;
}

/**
 * ipsec_unregister() - undo ipsec_register()
 *
 * No packet is in a handler afterwards. Process context.
 */
void ipsec_unregister(void)
{
	ipsec_unregister_first(ARRAY_SIZE(protocols));
	ipip_state_unregister();
}
