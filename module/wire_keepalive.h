/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The culvert authors */
/*
 * GRE keepalive. A host A asks whether its tunnel to B works by sending B,
 * through the tunnel, a packet that is addressed to itself:
 *
 *    outer IP  GRE, EtherType   inner IP   GRE, EtherType   payload
 *  +---------+----------------+----------+----------------+---------+
 *  | A -> B  |  0x0800        |  B -> A  |  0x0000        | any     |
 *  +---------+----------------+----------+----------------+---------+
 *                             '------ the request --------'---------'
 *
 * B takes it out of the tunnel and sends the inner packet on, so that A gets
 * GRE packets of EtherType 0 from B. What the payload says is A's own affair.
 * The one that this module sends:
 *
 *   0                   1                   2                   3
 *   0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *  |                         "CvK1"                                |
 *  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *  |                 Node: random, names the sender                |
 *  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *  |                       Sequence number                         |
 *  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *  |              Time: ns since 1970, by the sender's clock       |
 *  |                                                               |
 *  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *  |        SipHash-2-4 of the 20 bytes above and the GRE key      |
 *  |        (outer header's; 0 if it has none), under the secret   |
 *  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *
 * Parsing and building over plain bytes, without kernel state, as wire_gre.h.
 */
#ifndef CULVERT_WIRE_KEEPALIVE_H
#define CULVERT_WIRE_KEEPALIVE_H

#include "wire_gre.h"

#define WIRE_KEEPALIVE_IP_LEN	20	/* inner IP header, never with options */
#define WIRE_KEEPALIVE_MAX_LEN	128	/* inner packets longer than this are data */

#define WIRE_KEEPALIVE_PROTOCOL	47	/* IPPROTO_GRE */
#define WIRE_KEEPALIVE_TOS	0xc0	/* network control */
#define WIRE_KEEPALIVE_TTL	255

#define WIRE_STAMP_MAGIC	0x43764b31	/* "CvK1" */
#define WIRE_STAMP_SIGNED_LEN	20
#define WIRE_STAMP_LEN		28

/**
 * struct keepalive_request - the inner packet of a keepalive, decoded
 * @src: inner source: the host that is asked; host byte order, as the others
 * @dst: inner destination: the host that asks
 * @key: GRE key; 0 unless WIRE_GRE_KEY
 * @flags: GRE flags, WIRE_GRE_*
 * @len: length of the whole inner packet
 * @payload: where in it the payload begins
 * @ttl: inner ttl
 */
struct keepalive_request {
	u32 src;
	u32 dst;
	u32 key;
	u16 flags;
	u16 len;
	u16 payload;
	u8 ttl;
};

/**
 * struct keepalive_stamp - our payload, decoded
 * @node: names the sender
 * @seq: sequence number
 * @time: ns since 1970
 * @mac: SipHash of what is in front of it, and of the GRE key
 */
struct keepalive_stamp {
	u32 node;
	u32 seq;
	u64 time;
	u64 mac;
};

static inline u64 wire_get_be64(const u8 *p)
{
	return (u64)get_unaligned_be32(p) << 32 | get_unaligned_be32(p + 4);
}

static inline void wire_put_be64(u64 value, u8 *p)
{
	put_unaligned_be32(value >> 32, p);
	put_unaligned_be32(value, p + 4);
}

/* One's complement sum of an IP header without options, RFC 791: 0 if right. */
static inline u16 wire_keepalive_ip_sum(const u8 *p)
{
	u32 sum = 0;
	int i;

	for (i = 0; i < WIRE_KEEPALIVE_IP_LEN; i += 2)
		sum += get_unaligned_be16(p + i);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return (u16)~sum;
}

/**
 * wire_keepalive_parse() - whether an inner packet is a keepalive
 * @r: the result, complete only on success
 * @data: the first byte of the inner packet
 * @len: how many bytes can be read there
 *
 * Return: length of the inner packet, at most @len; or -1 if it is something
 * else.
 */
static inline int wire_keepalive_parse(struct keepalive_request *r, const void *data,
				       unsigned int len)
{
	struct gre_header g;
	const u8 *p = data;
	int gre_len;

	if (len < WIRE_KEEPALIVE_IP_LEN + WIRE_GRE_BASE_LEN || p[0] != 0x45 ||
	    p[9] != WIRE_KEEPALIVE_PROTOCOL)
		return -1;
	r->len = get_unaligned_be16(p + 2);
	if (r->len > len || r->len > WIRE_KEEPALIVE_MAX_LEN ||
	    r->len < WIRE_KEEPALIVE_IP_LEN + WIRE_GRE_BASE_LEN)
		return -1;
	/* No fragment: neither "more" nor an offset. */
	if (get_unaligned_be16(p + 6) & 0x3fff || wire_keepalive_ip_sum(p))
		return -1;
	gre_len = wire_gre_parse(&g, p + WIRE_KEEPALIVE_IP_LEN, r->len - WIRE_KEEPALIVE_IP_LEN);
	if (gre_len < 0 || g.proto)
		return -1;
	r->ttl = p[8];
	r->src = get_unaligned_be32(p + 12);
	r->dst = get_unaligned_be32(p + 16);
	r->flags = g.flags;
	r->key = g.key;
	r->payload = WIRE_KEEPALIVE_IP_LEN + gre_len;
	return r->len;
}

/**
 * wire_keepalive_len() - length of an inner packet
 * @flags: GRE flags of it; only WIRE_GRE_KEY is sent
 * @payload: length of the payload
 */
static inline u16 wire_keepalive_len(u16 flags, u16 payload)
{
	return WIRE_KEEPALIVE_IP_LEN + wire_gre_len(flags & WIRE_GRE_KEY) + payload;
}

/**
 * wire_keepalive_build() - encode the headers of an inner packet
 * @data: where to, @r->len bytes
 * @r: src, dst, ttl, flags (only WIRE_GRE_KEY is sent), key, len; payload is
 *	set
 *
 * The payload is left for the caller to fill in.
 */
static inline void wire_keepalive_build(void *data, struct keepalive_request *r)
{
	struct gre_header g = {
		.flags = r->flags & WIRE_GRE_KEY,
		.key = r->key,
	};
	u8 *p = data;

	memset(p, 0, WIRE_KEEPALIVE_IP_LEN);
	p[0] = 0x45;
	p[1] = WIRE_KEEPALIVE_TOS;
	put_unaligned_be16(r->len, p + 2);
	p[8] = r->ttl;
	p[9] = WIRE_KEEPALIVE_PROTOCOL;
	put_unaligned_be32(r->src, p + 12);
	put_unaligned_be32(r->dst, p + 16);
	put_unaligned_be16(wire_keepalive_ip_sum(p), p + 10);
	wire_gre_build(p + WIRE_KEEPALIVE_IP_LEN, &g);
	r->payload = wire_keepalive_len(g.flags, 0);
}

/**
 * wire_stamp_parse() - whether a payload is ours
 * @s: the result
 * @data: the payload
 * @len: its length
 *
 * The hash is not verified.
 */
static inline bool wire_stamp_parse(struct keepalive_stamp *s, const void *data, unsigned int len)
{
	const u8 *p = data;

	if (len != WIRE_STAMP_LEN || get_unaligned_be32(p) != WIRE_STAMP_MAGIC)
		return false;
	s->node = get_unaligned_be32(p + 4);
	s->seq = get_unaligned_be32(p + 8);
	s->time = wire_get_be64(p + 12);
	s->mac = wire_get_be64(p + WIRE_STAMP_SIGNED_LEN);
	return true;
}

/**
 * wire_stamp_build() - encode our payload
 * @data: where to, WIRE_STAMP_LEN bytes
 * @s: all but the hash, which the caller appends with wire_stamp_sign()
 */
static inline void wire_stamp_build(void *data, const struct keepalive_stamp *s)
{
	u8 *p = data;

	put_unaligned_be32(WIRE_STAMP_MAGIC, p);
	put_unaligned_be32(s->node, p + 4);
	put_unaligned_be32(s->seq, p + 8);
	wire_put_be64(s->time, p + 12);
}

/**
 * wire_stamp_sign() - append the hash
 * @data: the payload, built
 * @mac: the hash of its first WIRE_STAMP_SIGNED_LEN bytes
 */
static inline void wire_stamp_sign(void *data, u64 mac)
{
	wire_put_be64(mac, (u8 *)data + WIRE_STAMP_SIGNED_LEN);
}

#endif /* CULVERT_WIRE_KEEPALIVE_H */
