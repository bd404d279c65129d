/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The culvert authors */
#ifndef CULVERT_DROP_H
#define CULVERT_DROP_H

#include <linux/types.h>

struct net_device;
struct rtnl_link_stats64;
struct sk_buff;
struct tunnel;
struct tunnel_net;
struct tunnel_kind;

/**
 * enum tunnel_drop - why a packet was not carried
 * @DROP_NONE: it was
 * @DROP_RX_BAD_HEADER: shorter than its flags say
 * @DROP_RX_BAD_VERSION: a version of GRE or ERSPAN that is not carried here
 * @DROP_RX_BAD_CSUM: the checksum is wrong
 * @DROP_RX_LOOPED_BACK: our own multicast
 * @DROP_RX_NO_TUNNEL: no tunnel has these endpoints and this key
 * @DROP_RX_WRONG_PAYLOAD: the tunnel's mode excludes this payload
 * @DROP_RX_SPOOFED: an inner address says that somebody else sent it, or gets it
 * @DROP_RX_POLICY: an IPsec policy forbids it
 * @DROP_RX_IPSEC: no state has its SPI, or the state does not accept it; see
 *	/proc/net/xfrm_stat
 * @DROP_RX_INNER_POLICY: no IPsec policy allows what was inside
 * @DROP_RX_CSUM_MODE: a checksum is there and not expected, or the reverse
 * @DROP_RX_OUT_OF_ORDER: sequence number missing or too old
 * @DROP_RX_TRUNCATED: too short for the headers it should have
 * @DROP_RX_ECN: congestion marked outside, not supported inside
 * @DROP_RX_BACKLOG: the queue for GRO is full
 * @DROP_RX_NO_MEMORY: no memory to receive it
 * @DROP_RX_KEEPALIVE_RATE: the peer asks too often
 * @DROP_RX_KEEPALIVE_STALE: a keepalive reply too late, or once more
 * @DROP_RX_KEEPALIVE_AUTH: a keepalive reply that does not authenticate
 * @DROP_TX_WRONG_PAYLOAD: the kind does not carry this protocol
 * @DROP_TX_TRUNCATED: shorter than its own headers
 * @DROP_TX_NO_METADATA: external, and no tunnel information for IPv4
 * @DROP_TX_NO_NEXTHOP: no remote, and no route
 * @DROP_TX_NO_PEER: no remote, and the next hop is no IPv4 address
 * @DROP_TX_ENCAP: FOU or GUE failed
 * @DROP_TX_NO_ROUTE: the underlay has no route
 * @DROP_TX_NO_POLICY: no IPsec policy wants it protected
 * @DROP_TX_NO_STATE: there is no IPsec state to protect it with yet, or the
 *	policy forbids it
 * @DROP_TX_WRONG_STATE: the IPsec state is not between this tunnel's endpoints,
 *	or not in tunnel mode
 * @DROP_TX_LOOP: the route leads back into the tunnel
 * @DROP_TX_RECURSION: too many tunnels in one another
 * @DROP_TX_TOO_BIG: does not fit the path; the sender was told
 * @DROP_TX_NO_MEMORY: no memory to send it
 * @DROP_TX_UNDERLAY: the underlay dropped it
 * @DROP_TX_REPLICAS: too many peers for a multicast packet, or no memory
 * @DROP_MAX: how many there are
 *
 * Every packet that the module frees without delivering it has one of these
 * names. They are what ``ethtool -S DEV`` shows (see tunnel_drop_name()). Those
 * from %DROP_RX_BAD_HEADER to %DROP_RX_NO_TUNNEL happen before a tunnel is
 * known: they are counted for the kind in the namespace and shown by that
 * kind's base device.
 */
enum tunnel_drop {
	DROP_NONE,

	/* received, no tunnel known yet */
	DROP_RX_BAD_HEADER,
	DROP_RX_BAD_VERSION,
	DROP_RX_BAD_CSUM,
	DROP_RX_LOOPED_BACK,
	DROP_RX_NO_TUNNEL,

	/* received for a tunnel */
	DROP_RX_WRONG_PAYLOAD,
	DROP_RX_SPOOFED,
	DROP_RX_POLICY,
	DROP_RX_IPSEC,
	DROP_RX_INNER_POLICY,
	DROP_RX_CSUM_MODE,
	DROP_RX_OUT_OF_ORDER,
	DROP_RX_TRUNCATED,
	DROP_RX_ECN,
	DROP_RX_BACKLOG,
	DROP_RX_NO_MEMORY,
	DROP_RX_KEEPALIVE_RATE,
	DROP_RX_KEEPALIVE_STALE,
	DROP_RX_KEEPALIVE_AUTH,

	/* to be transmitted */
	DROP_TX_WRONG_PAYLOAD,
	DROP_TX_TRUNCATED,
	DROP_TX_NO_METADATA,
	DROP_TX_NO_NEXTHOP,
	DROP_TX_NO_PEER,
	DROP_TX_ENCAP,
	DROP_TX_NO_ROUTE,
	DROP_TX_NO_POLICY,
	DROP_TX_NO_STATE,
	DROP_TX_WRONG_STATE,
	DROP_TX_LOOP,
	DROP_TX_RECURSION,
	DROP_TX_TOO_BIG,
	DROP_TX_NO_MEMORY,
	DROP_TX_UNDERLAY,
	DROP_TX_REPLICAS,

	DROP_MAX
};

#define DROP_RX_UNKNOWN_FIRST	DROP_RX_BAD_HEADER
#define DROP_RX_UNKNOWN_LAST	DROP_RX_NO_TUNNEL

/**
 * enum tunnel_event - what ``ethtool -S DEV`` counts beside drops
 * @EVENT_KEEPALIVE_SENT: keepalive requests sent
 * @EVENT_KEEPALIVE_RECEIVED: replies received
 * @EVENT_KEEPALIVE_ANSWERED: requests answered
 * @EVENT_KEEPALIVE_FOLLOWED: changes of the remote after the peer's
 * @EVENT_PEER_LEARNED: peers learned
 * @EVENT_PEER_MOVED: learned peers that changed their outer address
 * @EVENT_PEER_FORGOTTEN: learned peers forgotten
 * @EVENT_PEER_FILTERED: not learned: outer address not in the filter
 * @EVENT_PEER_OVER_LIMIT: not learned: enough are
 * @EVENT_PEER_OVER_RATE: not learned: too many in this second
 * @EVENT_REPLICATED: copies of multicast packets
 * @EVENT_MAX: how many there are
 */
enum tunnel_event {
	EVENT_KEEPALIVE_SENT,
	EVENT_KEEPALIVE_RECEIVED,
	EVENT_KEEPALIVE_ANSWERED,
	EVENT_KEEPALIVE_FOLLOWED,
	EVENT_PEER_LEARNED,
	EVENT_PEER_MOVED,
	EVENT_PEER_FORGOTTEN,
	EVENT_PEER_FILTERED,
	EVENT_PEER_OVER_LIMIT,
	EVENT_PEER_OVER_RATE,
	EVENT_REPLICATED,
	EVENT_MAX
};

const char *tunnel_drop_name(enum tunnel_drop drop);
void tunnel_drop_count(struct tunnel *t, enum tunnel_drop drop);
void tunnel_drop(struct tunnel *t, struct sk_buff *skb, enum tunnel_drop drop);
void tunnel_drop_unknown(struct tunnel_net *tn, const struct tunnel_kind *kind,
			 struct sk_buff *skb, enum tunnel_drop drop);
const char *tunnel_event_name(enum tunnel_event event);
void tunnel_event_count(struct tunnel *t, enum tunnel_event event);
unsigned long tunnel_event_read(const struct tunnel *t, enum tunnel_event event);
void tunnel_drop_stats(const struct tunnel *t, struct rtnl_link_stats64 *s);

#endif /* CULVERT_DROP_H */
