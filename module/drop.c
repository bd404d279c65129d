// SPDX-License-Identifier: GPL-2.0-only
/* Copyright (C) 2026 The culvert authors */

#include <linux/netdevice.h>
#include <linux/skbuff.h>

#include "culvert.h"

#define STAT(field)	offsetof(struct rtnl_link_stats64, field)
#define NO_STAT		0	/* offset of rx_packets, which no drop adds to */

/* The name of each drop, and the standard counters it also appears in. */
static const struct {
	const char *name;
	u16 total;	/* offset into struct rtnl_link_stats64 */
	u16 detail;	/* likewise, the more specific counter */
} drops[DROP_MAX] = {
	[DROP_RX_BAD_HEADER]	= { "rx_bad_header" },
	[DROP_RX_BAD_VERSION]	= { "rx_bad_version", STAT(rx_errors), STAT(rx_frame_errors) },
	[DROP_RX_BAD_CSUM]	= { "rx_bad_csum", STAT(rx_errors), STAT(rx_crc_errors) },
	[DROP_RX_LOOPED_BACK]	= { "rx_looped_back" },
	[DROP_RX_NO_TUNNEL]	= { "rx_no_tunnel" },

	[DROP_RX_WRONG_PAYLOAD]	= { "rx_wrong_payload" },
	[DROP_RX_SPOOFED]	= { "rx_spoofed", STAT(rx_errors) },
	[DROP_RX_POLICY]	= { "rx_policy" },
	[DROP_RX_IPSEC]		= { "rx_ipsec", STAT(rx_errors), STAT(rx_dropped) },
	[DROP_RX_INNER_POLICY]	= { "rx_inner_policy", STAT(rx_errors), STAT(rx_dropped) },
	[DROP_RX_CSUM_MODE]	= { "rx_csum_mode", STAT(rx_errors), STAT(rx_crc_errors) },
	[DROP_RX_OUT_OF_ORDER]	= { "rx_out_of_order", STAT(rx_errors), STAT(rx_fifo_errors) },
	[DROP_RX_TRUNCATED]	= { "rx_truncated", STAT(rx_errors), STAT(rx_length_errors) },
	[DROP_RX_ECN]		= { "rx_ecn", STAT(rx_errors), STAT(rx_frame_errors) },
	[DROP_RX_BACKLOG]	= { "rx_backlog", STAT(rx_dropped) },
	[DROP_RX_NO_MEMORY]	= { "rx_no_memory", STAT(rx_dropped) },
	[DROP_RX_KEEPALIVE_RATE] = { "rx_keepalive_rate" },
	[DROP_RX_KEEPALIVE_STALE] = { "rx_keepalive_stale" },
	[DROP_RX_KEEPALIVE_AUTH] = { "rx_keepalive_auth" },

	[DROP_TX_WRONG_PAYLOAD]	= { "tx_wrong_payload", STAT(tx_errors) },
	[DROP_TX_TRUNCATED]	= { "tx_truncated", STAT(tx_errors) },
	[DROP_TX_NO_METADATA]	= { "tx_no_metadata", STAT(tx_errors) },
	[DROP_TX_NO_NEXTHOP]	= { "tx_no_nexthop", STAT(tx_errors), STAT(tx_fifo_errors) },
	[DROP_TX_NO_PEER]	= { "tx_no_peer", STAT(tx_errors) },
	[DROP_TX_ENCAP]		= { "tx_encap", STAT(tx_errors) },
	[DROP_TX_NO_ROUTE]	= { "tx_no_route", STAT(tx_errors), STAT(tx_carrier_errors) },
	[DROP_TX_NO_POLICY]	= { "tx_no_policy", STAT(tx_errors), STAT(tx_carrier_errors) },
	[DROP_TX_NO_STATE]	= { "tx_no_state", STAT(tx_errors), STAT(tx_carrier_errors) },
	[DROP_TX_WRONG_STATE]	= { "tx_wrong_state", STAT(tx_errors), STAT(tx_carrier_errors) },
	[DROP_TX_LOOP]		= { "tx_loop", STAT(tx_errors), STAT(collisions) },
	[DROP_TX_RECURSION]	= { "tx_recursion", STAT(tx_errors) },
	[DROP_TX_TOO_BIG]	= { "tx_too_big", STAT(tx_errors) },
	[DROP_TX_NO_MEMORY]	= { "tx_no_memory", STAT(tx_dropped) },
	[DROP_TX_UNDERLAY]	= { "tx_underlay", STAT(tx_dropped) },
	[DROP_TX_REPLICAS]	= { "tx_replicas", STAT(tx_dropped) },
};

/**
 * tunnel_drop_name() - the name of a drop as ethtool -S shows it
 * @drop: any value but %DROP_NONE
 */
const char *tunnel_drop_name(enum tunnel_drop drop)
{
	return drops[drop].name;
}

/**
 * tunnel_drop_count() - count a packet that the tunnel did not carry
 * @t: the tunnel
 * @drop: the reason
 *
 * For packets that somebody else freed (the underlay, say). Any context.
 */
void tunnel_drop_count(struct tunnel *t, enum tunnel_drop drop)
{
	atomic_long_inc(&t->drops[drop]);
}

/**
 * tunnel_drop() - free a packet of a tunnel and count why
 * @t: the tunnel
 * @skb: the packet, consumed
 * @drop: the reason
 *
 * Any context.
 */
void tunnel_drop(struct tunnel *t, struct sk_buff *skb, enum tunnel_drop drop)
{
	tunnel_drop_count(t, drop);
	kfree_skb_reason(skb, SKB_DROP_REASON_NOT_SPECIFIED);
}

/**
 * tunnel_drop_unknown() - free a packet that no tunnel could be found for
 * @tn: the namespace it arrived in
 * @kind: the kind whose protocol it is
 * @skb: the packet, consumed
 * @drop: one of %DROP_RX_UNKNOWN_FIRST .. %DROP_RX_UNKNOWN_LAST
 *
 * Any context.
 */
void tunnel_drop_unknown(struct tunnel_net *tn, const struct tunnel_kind *kind,
			 struct sk_buff *skb, enum tunnel_drop drop)
{
	atomic_long_inc(&tn->spaces[kind->id].unknown[drop - DROP_RX_UNKNOWN_FIRST]);
	kfree_skb_reason(skb, SKB_DROP_REASON_NOT_SPECIFIED);
}

static void stat_add(struct rtnl_link_stats64 *s, u16 offset, u64 n)
{
	if (offset != NO_STAT)
		*(u64 *)((char *)s + offset) += n;
}

/* What is no packet for a tunnel at all, the GRE kinds have always called dropped. */
static u16 drop_total(const struct tunnel *t, enum tunnel_drop d)
{
	if ((d == DROP_TX_TRUNCATED || d == DROP_TX_NO_METADATA) && t->kind->family == FAMILY_GRE)
		return STAT(tx_dropped);
	return drops[d].total;
}

/**
 * tunnel_drop_stats() - add the drops of a tunnel to its standard counters
 * @t: the tunnel
 * @s: the counters of ``ip -s link``, added to
 */
void tunnel_drop_stats(const struct tunnel *t, struct rtnl_link_stats64 *s)
{
	enum tunnel_drop d;

	for (d = DROP_NONE + 1; d < DROP_MAX; d++) {
		unsigned long n = atomic_long_read(&t->drops[d]);

		stat_add(s, drop_total(t, d), n);
		stat_add(s, drops[d].detail, n);
	}
}

static const char *const events[EVENT_MAX] = {
	[EVENT_KEEPALIVE_SENT]		= "keepalive_sent",
	[EVENT_KEEPALIVE_RECEIVED]	= "keepalive_received",
	[EVENT_KEEPALIVE_ANSWERED]	= "keepalive_answered",
	[EVENT_KEEPALIVE_FOLLOWED]	= "keepalive_followed",
	[EVENT_PEER_LEARNED]		= "peer_learned",
	[EVENT_PEER_MOVED]		= "peer_moved",
	[EVENT_PEER_FORGOTTEN]		= "peer_forgotten",
	[EVENT_PEER_FILTERED]		= "peer_filtered",
	[EVENT_PEER_OVER_LIMIT]		= "peer_over_limit",
	[EVENT_PEER_OVER_RATE]		= "peer_over_rate",
	[EVENT_REPLICATED]		= "replicated",
};

/**
 * tunnel_event_name() - the name of an event as ethtool -S shows it
 * @event: any value
 */
const char *tunnel_event_name(enum tunnel_event event)
{
	return events[event];
}

/**
 * tunnel_event_count() - count something that happened to a tunnel
 * @t: the tunnel
 * @event: what
 *
 * Any context.
 */
void tunnel_event_count(struct tunnel *t, enum tunnel_event event)
{
	atomic_long_inc(&t->events[event]);
}

/**
 * tunnel_event_read() - how often something happened to a tunnel
 * @t: the tunnel
 * @event: what
 */
unsigned long tunnel_event_read(const struct tunnel *t, enum tunnel_event event)
{
	return atomic_long_read(&t->events[event]);
}
