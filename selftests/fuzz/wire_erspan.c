// SPDX-License-Identifier: GPL-2.0-only
/* The ERSPAN header: see fuzz.h. */
#include "fuzz.h"
#include "wire_erspan.h"

#define LONGEST 12

static bool same(const struct erspan_header *a, const struct erspan_header *b)
{
	return a->version == b->version && a->vlan == b->vlan && a->cos == b->cos &&
	       a->en_bso == b->en_bso && a->truncated == b->truncated &&
	       a->session == b->session && a->index == b->index &&
	       a->timestamp == b->timestamp && a->hwid == b->hwid && a->dir == b->dir;
}

static void fuzz_bytes(const u8 *data, size_t len)
{
	struct erspan_header header, again;
	u8 rebuilt[LONGEST] = { 0 };
	int n = wire_erspan_parse(&header, data, len), version;

	if (len < WIRE_ERSPAN_BASE_LEN) {
		must(n == -1);
		return;
	}
	version = data[0] >> 4;
	must(header.version == version);
	must(header.session == (get_unaligned_be16(data + 2) & WIRE_ERSPAN_SESSION_MAX));
	if (version != 1 && version != 2) {
		must(n == -2);
		return;
	}
	if (len < wire_erspan_len(version)) {
		must(n == -1);
		return;
	}
	must(n == wire_erspan_len(version));

	/* The first word has no reserved bits: it is the same when built again. */
	wire_erspan_build(rebuilt, &header);
	must(!memcmp(rebuilt, data, 4));
	must(wire_erspan_parse(&again, rebuilt, n) == n && same(&header, &again));
	if (version == 1)
		must(get_unaligned_be32(rebuilt + 4) ==
		     (get_unaligned_be32(data + 4) & WIRE_ERSPAN_INDEX_MAX));
	else
		must(!memcmp(rebuilt + 4, data + 4, 4));
}

/* Fields wider than their place are cut, and do not reach their neighbours. */
static void fuzz_fields(const u8 *data, size_t len)
{
	struct erspan_header sent = { 0 }, seen;
	u8 *wire;
	int n;

	if (len < 19)
		return;
	sent.version = 1 + data[0] % 2;
	sent.vlan = get_unaligned_be16(data + 1);
	sent.cos = data[3];
	sent.en_bso = data[4];
	sent.truncated = data[5];
	sent.session = get_unaligned_be16(data + 6);
	sent.index = get_unaligned_be32(data + 8);
	sent.timestamp = get_unaligned_be32(data + 12);
	sent.hwid = data[16];
	sent.dir = data[17];

	n = wire_erspan_len(sent.version);
	wire = malloc(n);
	memset(wire, 0xa5, n);
	wire_erspan_build(wire, &sent);
	must(wire_erspan_parse(&seen, wire, n) == n);

	sent.vlan &= 0xfff;
	sent.cos &= 7;
	sent.en_bso &= 3;
	sent.truncated &= 1;
	sent.session &= WIRE_ERSPAN_SESSION_MAX;
	sent.index = sent.version == 1 ? sent.index & WIRE_ERSPAN_INDEX_MAX : 0;
	sent.timestamp = sent.version == 2 ? sent.timestamp : 0;
	sent.hwid = sent.version == 2 ? sent.hwid & WIRE_ERSPAN_HWID_MAX : 0;
	sent.dir = sent.version == 2 ? sent.dir & 1 : 0;
	must(same(&sent, &seen));
	for (n--; n >= 0; n--)
		must(wire_erspan_parse(&seen, wire, n) == -1);
	free(wire);
}

static void print_bytes(const u8 *data, size_t len)
{
	struct erspan_header h;
	int n = wire_erspan_parse(&h, data, len);

	if (n < 0)
		printf("error %d\n", n);
	else
		printf("len=%d ver=%u vlan=%u cos=%u en=%u t=%u session=%u index=%u time=%u hw=%u dir=%u\n",
		       n, h.version, h.vlan, h.cos, h.en_bso, h.truncated,
		       h.session, h.index, h.timestamp, h.hwid, h.dir);
}
