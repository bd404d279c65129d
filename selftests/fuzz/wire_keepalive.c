// SPDX-License-Identifier: GPL-2.0-only
/* The inner packet of a GRE keepalive and our payload in it: see fuzz.h. */
#include "fuzz.h"
#include "wire_keepalive.h"

static void fuzz_bytes(const u8 *data, size_t len)
{
	struct keepalive_stamp stamp;
	struct keepalive_request r;
	int n = wire_keepalive_parse(&r, data, len);

	if (n < 0)
		return;
	must(n == r.len && r.len <= len && r.len <= WIRE_KEEPALIVE_MAX_LEN);
	must(data[0] == 0x45 && data[9] == WIRE_KEEPALIVE_PROTOCOL);
	must(r.payload <= r.len);
	must(r.payload == WIRE_KEEPALIVE_IP_LEN + wire_gre_len(r.flags));
	must(r.flags & WIRE_GRE_KEY || !r.key);
	/* EtherType 0 behind the GRE flags. */
	must(!get_unaligned_be16(data + WIRE_KEEPALIVE_IP_LEN + 2));
	if (wire_stamp_parse(&stamp, data + r.payload, r.len - r.payload))
		must(r.len - r.payload == WIRE_STAMP_LEN);
}

static void fuzz_fields(const u8 *data, size_t len)
{
	struct keepalive_stamp made = { }, read;
	struct keepalive_request r = { }, seen;
	u8 *wire;
	int n;

	if (len < 32)
		return;
	r.src = get_unaligned_be32(data);
	r.dst = get_unaligned_be32(data + 4);
	r.flags = get_unaligned_be16(data + 8) & WIRE_GRE_KEY;
	r.key = r.flags ? get_unaligned_be32(data + 10) : 0;
	r.ttl = data[14];
	r.len = wire_keepalive_len(r.flags, WIRE_STAMP_LEN);
	made.node = get_unaligned_be32(data + 15);
	made.seq = get_unaligned_be32(data + 19);
	made.time = wire_get_be64(data + 23);
	made.mac = made.time * 0x9e3779b97f4a7c15ull;

	wire = malloc(r.len);
	memset(wire, 0xa5, r.len);
	wire_keepalive_build(wire, &r);
	must(r.payload + WIRE_STAMP_LEN == r.len);
	wire_stamp_build(wire + r.payload, &made);
	wire_stamp_sign(wire + r.payload, made.mac);

	must(wire_keepalive_parse(&seen, wire, r.len) == r.len);
	must(seen.src == r.src && seen.dst == r.dst && seen.ttl == r.ttl);
	must(seen.flags == r.flags && seen.key == r.key && seen.payload == r.payload);
	must(wire_stamp_parse(&read, wire + seen.payload, seen.len - seen.payload));
	must(read.node == made.node && read.seq == made.seq);
	must(read.time == made.time && read.mac == made.mac);

	/* Cut short or changed in the header it is no keepalive. */
	for (n = 0; n < r.len; n++)
		must(wire_keepalive_parse(&seen, wire, n) < 0);
	wire[12] ^= 1;
	must(wire_keepalive_parse(&seen, wire, r.len) < 0);
	free(wire);
}

static void print_bytes(const u8 *data, size_t len)
{
	struct keepalive_request r;

	if (wire_keepalive_parse(&r, data, len) < 0)
		printf("error\n");
	else
		printf("len=%d src=%u dst=%u ttl=%d key=%u payload=%d\n", r.len, r.src, r.dst,
		       r.ttl, r.key, r.payload);
}
