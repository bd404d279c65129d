// SPDX-License-Identifier: GPL-2.0-only
/* The GRE header: see fuzz.h. */
#include "fuzz.h"
#include "wire_gre.h"

#define SENT (WIRE_GRE_CSUM | WIRE_GRE_KEY | WIRE_GRE_SEQ)

static void fuzz_bytes(const u8 *data, size_t len)
{
	struct gre_header header;
	u8 rebuilt[WIRE_GRE_MAX_LEN];
	int n = wire_gre_parse(&header, data, len);

	if (len < WIRE_GRE_BASE_LEN) {
		must(n == GRE_TRUNCATED && header.len == 0);
		return;
	}
	if (data[1] & 0x7f || data[0] & 0x40) {
		must(n == GRE_BAD_VERSION);
		return;
	}
	must(header.len == wire_gre_len(header.flags));
	must(header.len <= WIRE_GRE_MAX_LEN);
	if (n == GRE_TRUNCATED) {
		must(header.len > len);
		return;
	}
	must(n == header.len && header.len <= len);

	/* Built again it is what was read, but for flags that are not sent
	 * and for the checksum, which the builder leaves out.
	 */
	wire_gre_build(rebuilt, &header);
	must(get_unaligned_be16(rebuilt) == (get_unaligned_be16(data) & SENT));
	must(!memcmp(rebuilt + 2, data + 2, 2));
	if (header.flags & WIRE_GRE_CSUM)
		must(!memcmp(rebuilt + 8, data + 8, n - 8));
	else
		must(!memcmp(rebuilt + 4, data + 4, n - 4));
}

static void fuzz_fields(const u8 *data, size_t len)
{
	struct gre_header sent, seen;
	u8 *wire;
	int n;

	if (len < 12)
		return;
	sent.flags = get_unaligned_be16(data) & SENT;
	sent.proto = get_unaligned_be16(data + 2);
	sent.key = sent.flags & WIRE_GRE_KEY ? get_unaligned_be32(data + 4) : 0;
	sent.seq = sent.flags & WIRE_GRE_SEQ ? get_unaligned_be32(data + 8) : 0;
	sent.len = wire_gre_len(sent.flags);

	wire = malloc(sent.len);
	memset(wire, 0xa5, sent.len);
	wire_gre_build(wire, &sent);
	n = wire_gre_parse(&seen, wire, sent.len);
	must(n == sent.len && seen.len == sent.len);
	must(seen.flags == sent.flags && seen.proto == sent.proto);
	must(seen.key == sent.key && seen.seq == sent.seq);
	must(!(sent.flags & WIRE_GRE_CSUM) || !get_unaligned_be32(wire + 4));
	for (n = 0; n < sent.len; n++)
		must(wire_gre_parse(&seen, wire, n) == GRE_TRUNCATED);
	free(wire);
}

static void print_bytes(const u8 *data, size_t len)
{
	struct gre_header h;
	int n = wire_gre_parse(&h, data, len);

	if (n < 0)
		printf("error %d\n", n);
	else
		printf("len=%d csum=%d proto=%u key=%u seq=%u\n", n,
		       !!(h.flags & WIRE_GRE_CSUM), h.proto, h.key, h.seq);
}
