/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The culvert authors */
/*
 * The GRE header, RFC 2784 with the key and sequence number of RFC 2890:
 *
 *   0                   1                   2                   3
 *   0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *  |C|R|K|S|s|Recur|A| Flags | Ver |         EtherType             |
 *  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *  |      Checksum (if C)          |       Reserved (if C)         |
 *  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *  |                          Key (if K)                           |
 *  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *  |                    Sequence Number (if S)                     |
 *  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *
 * Parsing and building over plain bytes. No kernel state is used here, so that
 * the same code is compiled in user space for the fuzzers.
 */
#ifndef CULVERT_WIRE_GRE_H
#define CULVERT_WIRE_GRE_H

#ifdef __KERNEL__
#include <linux/types.h>
#include <linux/unaligned.h>
#else
#include "user.h"
#endif

#define WIRE_GRE_CSUM		0x8000
#define WIRE_GRE_ROUTING	0x4000
#define WIRE_GRE_KEY		0x2000
#define WIRE_GRE_SEQ		0x1000
#define WIRE_GRE_VERSION	0x007f	/* with flags that nobody has defined */

#define WIRE_GRE_BASE_LEN	4	/* flags and EtherType */
#define WIRE_GRE_MAX_LEN	16	/* with checksum, key and sequence number */

/**
 * struct gre_header - a GRE header, decoded
 * @flags: WIRE_GRE_*, host byte order, as on the wire
 * @proto: EtherType, host byte order
 * @key: host byte order; 0 unless WIRE_GRE_KEY
 * @seq: host byte order; 0 unless WIRE_GRE_SEQ
 * @len: length of the header, bytes
 */
struct gre_header {
	u16 flags;
	u16 proto;
	u32 key;
	u32 seq;
	u16 len;
};

/* What is wrong with a header; negative so that it can't be a length. */
enum gre_error {
	GRE_TRUNCATED = -1,	/* shorter than its flags say */
	GRE_BAD_VERSION = -2,	/* not version 0, or with source routes */
};

/**
 * wire_gre_len() - length of a GRE header, RFC 2784 2.1 and RFC 2890 2
 * @flags: WIRE_GRE_*, host byte order
 *
 * Return: 4 to 16 bytes.
 */
static inline u16 wire_gre_len(u16 flags)
{
	return WIRE_GRE_BASE_LEN + (flags & WIRE_GRE_CSUM ? 4 : 0) +
	       (flags & WIRE_GRE_KEY ? 4 : 0) + (flags & WIRE_GRE_SEQ ? 4 : 0);
}

/**
 * wire_gre_parse() - decode a GRE header
 * @h: the result, complete only on success; @h->len is set as soon as the
 *	flags could be read
 * @data: the first byte of the header
 * @len: how many bytes can be read there
 *
 * The checksum is not verified: it covers the payload too.
 *
 * Return: length of the header, or an enum gre_error. On %GRE_TRUNCATED with
 * @h->len not 0, that many bytes are what is needed.
 */
static inline int wire_gre_parse(struct gre_header *h, const void *data, unsigned int len)
{
	const u8 *p = data;

	h->len = 0;
	if (len < WIRE_GRE_BASE_LEN)
		return GRE_TRUNCATED;
	h->flags = get_unaligned_be16(p);
	h->proto = get_unaligned_be16(p + 2);
	if (h->flags & (WIRE_GRE_VERSION | WIRE_GRE_ROUTING))
		return GRE_BAD_VERSION;
	h->len = wire_gre_len(h->flags);
	if (len < h->len)
		return GRE_TRUNCATED;

	p += WIRE_GRE_BASE_LEN;
	if (h->flags & WIRE_GRE_CSUM)
		p += 4;
	h->key = 0;
	if (h->flags & WIRE_GRE_KEY) {
		h->key = get_unaligned_be32(p);
		p += 4;
	}
	h->seq = h->flags & WIRE_GRE_SEQ ? get_unaligned_be32(p) : 0;
	return h->len;
}

/**
 * wire_gre_build() - encode a GRE header
 * @data: where to, wire_gre_len(@h->flags) bytes
 * @h: flags (only checksum, key and sequence number are sent), proto, key, seq
 *
 * The checksum field is left zero, for the caller to fill in.
 */
static inline void wire_gre_build(void *data, const struct gre_header *h)
{
	u16 flags = h->flags & (WIRE_GRE_CSUM | WIRE_GRE_KEY | WIRE_GRE_SEQ);
	u8 *p = data;

	put_unaligned_be32((u32)flags << 16 | h->proto, p);
	if (!flags)
		return;
	p += WIRE_GRE_BASE_LEN;
	if (flags & WIRE_GRE_CSUM) {
		put_unaligned_be32(0, p);
		p += 4;
	}
	if (flags & WIRE_GRE_KEY) {
		put_unaligned_be32(h->key, p);
		p += 4;
	}
	if (flags & WIRE_GRE_SEQ)
		put_unaligned_be32(h->seq, p);
}

#endif /* CULVERT_WIRE_GRE_H */
