// SPDX-License-Identifier: GPL-2.0-only
/* Copyright (C) 2026 The culvert authors */
/*
 * IPIP as an IPsec transform. IPComp in tunnel mode needs it: a packet that
 * compression would not make shorter goes as plain IP in IP, and the kernel
 * keeps a state of this type beside the IPComp one, whose "SPI" is the address
 * of the sender. The in-tree xfrm4_tunnel has this, but needs tunnel4, which
 * can't be loaded beside culvert.
 *
 * Tunnels come first: only a packet that none of them takes is looked up here.
 */

#include <net/xfrm.h>

#include "culvert.h"

static int ipip_state_init(struct xfrm_state *x, struct netlink_ext_ack *extack)
{
	if (x->props.mode != XFRM_MODE_TUNNEL || x->encap) {
		NL_SET_ERR_MSG_MOD(extack, "IP in IP is for tunnel mode, without encapsulation");
		return -EINVAL;
	}
	x->props.header_len = sizeof(struct iphdr);
	return 0;
}

STATE_INIT_WRAPPER(ipip_state_init)

static void ipip_state_destroy(struct xfrm_state *x)
{
}

/* Tunnel mode does all the work: what is behind the header is the packet. */
static int ipip_state_input(struct xfrm_state *x, struct sk_buff *skb)
{
	return ip_hdr(skb)->protocol;
}

static int ipip_state_output(struct xfrm_state *x, struct sk_buff *skb)
{
	skb_push(skb, -skb_network_offset(skb));
	return 0;
}

static const struct xfrm_type ipip_type = {
	.owner		= THIS_MODULE,
	.proto		= IPPROTO_IPIP,
	.init_state	= STATE_INIT(ipip_state_init),
	.destructor	= ipip_state_destroy,
	.input		= ipip_state_input,
	.output		= ipip_state_output,
};

/* Whose the packet is, is for vti to say; without a vti it is nobody's. */
static int ipip_state_received(struct sk_buff *skb, u8 protocol, int err)
{
	int ret = ipsec_received(skb, err);

	return ret > 0 ? 0 : ret;
}

static const struct xfrm_input_afinfo ipip_afinfo = {
	.family		= AF_INET,
	.is_ipip	= true,
	.callback	= ipip_state_received,
};

/**
 * ipip_state_receive() - give a packet that no tunnel takes to its IPIP state
 * @skb: the packet, IPv4 or IPv6 in IPv4; consumed if there is one
 *
 * Return: whether there is one. Softirq, RCU.
 */
bool ipip_state_receive(struct sk_buff *skb)
{
	const struct iphdr *iph = ip_hdr(skb);
	const struct tunnel_config *c;
	struct xfrm_state *x;

	c = ipsec_lookup(skb, IPPROTO_IPIP, iph->saddr, &x);
	if (!c)
		x = xfrm_state_lookup(dev_net(skb->dev), skb->mark,
				      (const xfrm_address_t *)&iph->daddr, iph->saddr,
				      IPPROTO_IPIP, AF_INET);
	if (!x)
		return false;
	xfrm_state_put(x);
	ipsec_input(skb, c, IPPROTO_IPIP, iph->saddr, 0);
	return true;
}

/**
 * ipip_state_register() - offer the transform
 *
 * Return: 0 or -EEXIST. Process context.
 */
int ipip_state_register(void)
{
	int err = xfrm_register_type(&ipip_type, AF_INET);

	if (err)
		return err;
	err = xfrm_input_register_afinfo(&ipip_afinfo);
	if (err)
		xfrm_unregister_type(&ipip_type, AF_INET);
	return err;
}

/**
 * ipip_state_unregister() - undo ipip_state_register()
 *
 * No such state exists: each holds a reference to the module. Process context.
 */
void ipip_state_unregister(void)
{
	xfrm_input_unregister_afinfo(&ipip_afinfo);
	xfrm_unregister_type(&ipip_type, AF_INET);
}
