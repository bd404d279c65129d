/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The culvert authors */
/*
 * The ERSPAN header (draft-foschiano-erspan-03), between GRE and the mirrored
 * Ethernet frame. Type I has none; types II and III, versions 1 and 2:
 *
 *   0                   1                   2                   3
 *   0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *  |  Ver  |          VLAN         | COS |En/BSO|T|   Session ID   |
 *  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *  |      Reserved         |         Index              (type II)  |
 *  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *  |                  Timestamp                        (type III)  |
 *  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *  |             SGT               |P|    FT   |   HW ID   |D|Gra|O|
 *  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *
 * Plain bytes, no kernel state: also compiled in user space, for the fuzzers.
 */
#ifndef CULVERT_WIRE_ERSPAN_H
#define CULVERT_WIRE_ERSPAN_H

#ifdef __KERNEL__
#include <linux/types.h>
#include <linux/unaligned.h>
#else
#include "user.h"
#endif

#define WIRE_ERSPAN_BASE_LEN	4
#define WIRE_ERSPAN_SESSION_MAX	0x3ff
#define WIRE_ERSPAN_INDEX_MAX	0xfffff
#define WIRE_ERSPAN_HWID_MAX	0x3f

#define WIRE_ERSPAN_FRAME_P	0x8000	/* the payload is an Ethernet frame */

/**
 * struct erspan_header - an ERSPAN header, decoded
 * @version: 1 (type II) or 2 (type III)
 * @vlan: 12 bits
 * @cos: class of service, 3 bits
 * @en_bso: type II: how the VLAN tag came; type III: short, oversized; 2 bits
 * @truncated: whether the mirrored frame was cut
 * @session: 10 bits
 * @index: type II, 20 bits
 * @timestamp: type III, 100 microseconds
 * @hwid: type III, 6 bits
 * @dir: type III, 0 ingress, 1 egress
 */
struct erspan_header {
	u8 version;
	u16 vlan;
	u8 cos;
	u8 en_bso;
	u8 truncated;
	u16 session;
	u32 index;
	u32 timestamp;
	u8 hwid;
	u8 dir;
};

/**
 * wire_erspan_len() - length of an ERSPAN header
 * @version: 0, 1 or 2
 *
 * Return: 0, 8 or 12 bytes.
 */
static inline u16 wire_erspan_len(u8 version)
{
	return version == 0 ? 0 : version == 1 ? 8 : 12;
}

/**
 * wire_erspan_parse() - decode an ERSPAN header
 * @h: the result, of which only version and session are set without success
 * @data: the first byte
 * @len: how many bytes can be read there
 *
 * Return: length of the header; -1 if it is cut short; -2 if its version is
 * neither 1 nor 2.
 */
static inline int wire_erspan_parse(struct erspan_header *h, const void *data, unsigned int len)
{
	const u8 *p = data;
	u16 flags;

	if (len < WIRE_ERSPAN_BASE_LEN)
		return -1;
	h->version = p[0] >> 4;
	h->session = get_unaligned_be16(p + 2) & WIRE_ERSPAN_SESSION_MAX;
	if (h->version != 1 && h->version != 2)
		return -2;
	if (len < wire_erspan_len(h->version))
		return -1;
	h->vlan = get_unaligned_be16(p) & 0xfff;
	h->cos = p[2] >> 5;
	h->en_bso = p[2] >> 3 & 3;
	h->truncated = p[2] >> 2 & 1;
	h->index = 0;
	h->timestamp = 0;
	h->hwid = 0;
	h->dir = 0;
	if (h->version == 1) {
		h->index = get_unaligned_be32(p + 4) & WIRE_ERSPAN_INDEX_MAX;
		return 8;
	}
	h->timestamp = get_unaligned_be32(p + 4);
	flags = get_unaligned_be16(p + 10);
	h->hwid = flags >> 4 & WIRE_ERSPAN_HWID_MAX;
	h->dir = flags >> 3 & 1;
	return 12;
}

/**
 * wire_erspan_build() - encode an ERSPAN header
 * @data: where to, wire_erspan_len(@h->version) bytes
 * @h: what to encode; values too large for their field are cut
 */
static inline void wire_erspan_build(void *data, const struct erspan_header *h)
{
	u8 *p = data;

	put_unaligned_be16(h->version << 12 | (h->vlan & 0xfff), p);
	put_unaligned_be16((h->cos & 7) << 13 | (h->en_bso & 3) << 11 |
			   (h->truncated & 1) << 10 |
			   (h->session & WIRE_ERSPAN_SESSION_MAX), p + 2);
	if (h->version == 1) {
		put_unaligned_be32(h->index & WIRE_ERSPAN_INDEX_MAX, p + 4);
		return;
	}
	put_unaligned_be32(h->timestamp, p + 4);
	put_unaligned_be16(0, p + 8);
	put_unaligned_be16(WIRE_ERSPAN_FRAME_P | (h->hwid & WIRE_ERSPAN_HWID_MAX) << 4 |
			   (h->dir & 1) << 3, p + 10);
}

#endif /* CULVERT_WIRE_ERSPAN_H */
