// SPDX-License-Identifier: GPL-2.0-only
/*
 * Send tunnel packets, most of them damaged, into a receiver or through a
 * tunnel device.
 *
 *	packets receive PLAIN_TAP FRAGS_TAP KIND COUNT SEED
 *	packets transmit DEVICE COUNT SEED CLAIMS
 *	packets account rx|tx DEVICE...
 *
 * receive: frames arrive on two tap devices, made before. On the first they are
 * linear and may claim checksum or segmentation offload; on the second the
 * Ethernet header alone is in the head of the buffer and the rest in fragments
 * of pages, cut anywhere. KIND is ipip, gre, gretap, erspan, sit, vti (ESP, AH
 * and IPComp), or icmp (errors about packets of all the others). The receiver is
 * 10.0.0.1, the peer 10.0.0.2; packets.sh has the tunnels. The first frame on
 * each device, and after that one in every 250, is valid and a hundred tunnels
 * deep. Prints what was tried and what the kernel took, and how many tunnels deep
 * an undamaged frame was at most:
 *
 *	linear sent N accepted N
 *	pieces sent N accepted N
 *	deepest N
 *
 * transmit: frames and payloads of every length go to a device by packet
 * sockets, shorter than its headers too; half of them past the queueing layer,
 * which is who sets the MAC header otherwise. With CLAIMS 1 some of them claim
 * checksum or segmentation offload. Prints "sent N accepted N".
 *
 * account: prints two numbers: how many packets the devices have received (rx)
 * or transmitted (tx), all in all, and how many they have disposed of otherwise:
 * the sum of the ethtool counters whose names begin with rx_ (tx_) and, of what
 * was received, the keepalives.
 *
 * The same SEED gives the same frames.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/ethtool.h>
#include <linux/if.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <linux/sockios.h>
#include <linux/virtio_net.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "random.h"

#define LOCAL		0x0a000001u	/* 10.0.0.1 */
#define REMOTE		0x0a000002u	/* 10.0.0.2 */
#define LOCAL_6RD	0x0a000003u	/* 10.0.0.3 */
#define INNER_LOCAL	0xc0a80001u	/* 192.168.0.1 */
#define INNER_REMOTE	0xc0a80002u	/* 192.168.0.2 */

#define DEPTH_MAX	100		/* tunnels in one another */
#define LONGEST		8500		/* packet: ERSPAN adds 62 bytes a tunnel */
#define TAIL_ROOM	1000		/* behind it: ESP adds up to 5 a tunnel */
#define FRAME_ROOM	(LONGEST + TAIL_ROOM)
#define PIECE_MAX	4096		/* a tap makes no longer fragment */
#define MTU		1500

#define SPI		7		/* of the IPsec states of packets.sh */

#define GRE_CSUM	0x8000
#define GRE_KEY		0x2000
#define GRE_SEQ		0x1000

enum kind { IPIP, GRE, GRETAP, ERSPAN, SIT, VTI, ICMP, KINDS };

static const char *const kind_names[KINDS] = {
	"ipip", "gre", "gretap", "erspan", "sit", "vti", "icmp"
};

/*
 * A packet is written back to front, as headers are pushed before it.
 * @depth: how many tunnels are in one another; 0 if that is not certain
 * @valid: nothing in it is left to chance that a tunnel could object to
 */
struct packet {
	uint8_t room[FRAME_ROOM];
	size_t start;
	size_t len;
	int depth;
	bool valid;
};

static uint32_t sequence;

/* Mostly the next one. A receiver that has seen a later one wants no earlier. */
static uint32_t next_sequence(void)
{
	uint32_t any = random32();

	if (!one_in(16))
		return ++sequence;
	if ((int32_t)(any - sequence) > 0)
		sequence = any;
	return any;
}

/* --- bytes ---------------------------------------------------------------- */

static void put16(uint8_t *p, uint16_t v)
{
	p[0] = v >> 8;
	p[1] = v;
}

static void put32(uint8_t *p, uint32_t v)
{
	put16(p, v >> 16);
	put16(p + 2, v);
}

static uint16_t get16(const uint8_t *p)
{
	return p[0] << 8 | p[1];
}

static uint8_t *data(struct packet *p)
{
	return p->room + p->start;
}

static void begin(struct packet *p)
{
	p->start = LONGEST;
	p->len = 0;
}

static uint8_t *push(struct packet *p, size_t n)
{
	if (n > p->start)
		return NULL;
	p->start -= n;
	p->len += n;
	return memset(data(p), 0, n);
}

static uint8_t *append(struct packet *p, size_t n)
{
	uint8_t *end = data(p) + p->len;

	if (p->start + p->len + n > FRAME_ROOM)
		return NULL;
	p->len += n;
	return memset(end, 0, n);
}

static uint16_t checksum(const uint8_t *p, size_t len, uint32_t sum)
{
	for (; len > 1; p += 2, len -= 2)
		sum += get16(p);
	if (len)
		sum += *p << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return ~sum;
}

/* --- headers, all of them valid ------------------------------------------- */

static bool push_ip4(struct packet *p, uint32_t from, uint32_t to, int protocol)
{
	uint8_t *h = push(p, 20);

	if (!h)
		return false;
	h[0] = 0x45;
	h[1] = !p->valid && one_in(4) ? random32() : 0;
	put16(h + 2, p->len);
	put16(h + 4, random32());
	put16(h + 6, one_in(2) ? 0x4000 : 0);
	h[8] = !p->valid && one_in(16) ? random32() : 64;
	h[9] = protocol;
	put32(h + 12, from);
	put32(h + 16, to);
	put16(h + 10, checksum(h, 20, 0));
	return true;
}

static bool push_ip6(struct packet *p, int next_header, const uint8_t *from,
		     const uint8_t *to)
{
	size_t payload = p->len;
	uint8_t *h = push(p, 40);

	if (!h)
		return false;
	h[0] = 0x60;
	put16(h + 4, payload);
	h[6] = next_header;
	h[7] = 64;
	memcpy(h + 8, from, 16);
	memcpy(h + 24, to, 16);
	return true;
}

/* An address of the 6rd prefix of packets.sh, for the host behind @ip4. */
static void address_6rd(uint8_t *to, uint32_t ip4)
{
	static const uint8_t prefix[16] = { 0x20, 0x01, 0x0d, 0xb8, [15] = 1 };

	memcpy(to, prefix, 16);
	put32(to + 4, ip4);
}

/* An ISATAP address of the prefix of packets.sh. */
static void address_isatap(uint8_t *to, uint32_t ip4)
{
	static const uint8_t prefix[16] = { 0xfd, 0x02, [10] = 0x5e, 0xfe };

	memcpy(to, prefix, 16);
	put32(to + 12, ip4);
}

static void push_payload(struct packet *p)
{
	size_t i, n = one_in(3) ? below(1300) : below(64);
	uint8_t *h = push(p, n);

	for (i = 0; h && i < n; i++)
		h[i] = i;
}

static void push_udp(struct packet *p)
{
	uint8_t *h = push(p, 8);

	put16(h, 1024 + below(4));
	put16(h + 2, 9);
	put16(h + 4, p->len);
}

static void push_tcp(struct packet *p)
{
	uint8_t *h = push(p, 20);

	put16(h, 1024);
	put16(h + 2, 9);
	h[12] = 5 << 4;
	h[13] = random32();
}

static void push_transport(struct packet *p)
{
	push_payload(p);
	if (one_in(4))
		push_tcp(p);
	else
		push_udp(p);
}

/* IPv6 between two hosts without a meaning, or two 6rd sites. */
static void push_inner6(struct packet *p)
{
	uint8_t from[16] = { 0xfd, [15] = 2 }, to[16] = { 0xfd, [15] = 1 };

	if (!p->valid && one_in(2)) {
		address_6rd(from, LOCAL_6RD);
		address_6rd(to, REMOTE);
	}
	push_transport(p);
	push_ip6(p, 17, from, to);
}

/* A payload and the EtherType that names it. */
static int push_inner(struct packet *p, int sort)
{
	begin(p);
	switch (sort) {
	case 0:
		push_inner6(p);
		return ETH_P_IPV6;
	case 1:
		push_transport(p);
		push_ip4(p, INNER_REMOTE, INNER_LOCAL, 17);
		put32(push(p, 4), 16 << 12 | 1 << 8 | 64);
		return ETH_P_MPLS_UC;
	case 2:
		push_payload(p);
		return random32() & 0xffff;
	default:
		push_transport(p);
		push_ip4(p, INNER_REMOTE, INNER_LOCAL, 17);
		return ETH_P_IP;
	}
}

static bool push_ethernet(struct packet *p, int protocol)
{
	uint8_t *h = push(p, ETH_HLEN);

	if (!h)
		return false;
	memset(h, !p->valid && one_in(4) ? 0xff : 0x02, 6);
	memset(h + 6, 0x06, 6);
	put16(h + 12, protocol);
	return true;
}

static bool push_gre(struct packet *p, int flags, int protocol, uint32_t key)
{
	size_t n = 4 + !!(flags & GRE_CSUM) * 4 + !!(flags & GRE_KEY) * 4 +
		   !!(flags & GRE_SEQ) * 4, at = 4;
	uint8_t *h = push(p, n);

	if (!h)
		return false;
	put16(h, flags);
	put16(h + 2, protocol);
	if (flags & GRE_CSUM)
		at += 4;
	if (flags & GRE_KEY) {
		put32(h + at, key);
		at += 4;
	}
	/* Of the numbers in one another the outermost, made last, comes first. */
	if (flags & GRE_SEQ)
		put32(h + at, p->valid ? sequence + DEPTH_MAX - p->depth : next_sequence());
	if (flags & GRE_CSUM)
		put16(h + 4, checksum(h, p->len, 0));
	return true;
}

/*
 * Type II has 8 bytes, type III 12 and sometimes 8 more, which no tunnel of Linux
 * knows: it takes them for the beginning of the frame.
 */
static bool push_erspan(struct packet *p, bool third)
{
	size_t n = third ? (!p->valid && one_in(2) ? 20 : 12) : 8;
	uint8_t *h = push(p, n);

	if (!h)
		return false;
	put16(h, (third ? 2 : 1) << 12 | below(4096));
	put16(h + 2, below(64) << 10 |
	      (!p->valid && one_in(20) ? below(1024) : third ? 6 : 5));
	if (third) {
		put32(h + 4, random32());
		put16(h + 10, (random32() & 0xfffe) | (n == 20));
	} else {
		put32(h + 4, below(1 << 20));
	}
	return true;
}

/*
 * The tunnels of packets.sh: plain, key 7, key 8 csum, key 9 seq, and the hub with
 * key 10. The first ORDERLESS need no sequence number and have a peer.
 */
#define ORDERLESS	3
static const struct gre_form {
	int flags;
	uint32_t key;
} gre_forms[] = {
	{ 0, 0 }, { GRE_KEY, 7 }, { GRE_KEY | GRE_CSUM, 8 },
	{ GRE_KEY | GRE_SEQ, 9 }, { GRE_CSUM, 0 }, { GRE_SEQ, 0 },
	{ GRE_KEY, 10 },
};

static bool encapsulate_gre(struct packet *p, int protocol)
{
	const struct gre_form *form = &gre_forms[below(sizeof(gre_forms) / sizeof(*form))];
	uint32_t key = one_in(20) ? below(12) : form->key;

	if (p->valid) {
		form = &gre_forms[below(ORDERLESS)];
		key = form->key;
	} else if (one_in(30)) {
		protocol = 0x883e;	/* WCCP */
	} else if (one_in(30)) {
		protocol = 0;		/* a keepalive's answer */
	}
	return push_gre(p, form->flags, protocol, key);
}

static bool encapsulate_erspan(struct packet *p)
{
	bool third = one_in(2);

	if (!p->valid && one_in(8))	/* type I: no header of its own */
		return push_gre(p, 0, 0x88be, 0);
	return push_erspan(p, third) &&
	       push_gre(p, GRE_SEQ, third ? 0x22eb : 0x88be, 0);
}

/* ESP that neither encrypts nor authenticates: header, padding, its length, what. */
static bool encapsulate_esp(struct packet *p, int inner)
{
	size_t pad = -(p->len + 2) & 3;
	uint8_t *h = append(p, pad + 2);
	size_t i;

	if (!h)
		return false;
	for (i = 0; i < pad; i++)
		h[i] = i + 1;
	h[pad] = pad;
	h[pad + 1] = inner;
	h = push(p, 8);
	if (!h)
		return false;
	put32(h, !p->valid && one_in(8) ? below(16) : SPI);
	put32(h + 4, ++sequence);
	return true;
}

/* Of AH and IPComp just the headers: no state of packets.sh is for them. */
static int encapsulate_ipsec(struct packet *p, int inner)
{
	uint8_t *h;

	if (p->valid || !one_in(4))
		return encapsulate_esp(p, inner) ? 50 : 0;
	if (one_in(2)) {
		h = push(p, 4);
		if (!h)
			return 0;
		h[0] = inner;
		put16(h + 2, SPI);
		return 108;
	}
	h = push(p, 24);
	if (!h)
		return 0;
	h[0] = inner;
	h[1] = one_in(4) ? random32() : 4;
	put32(h + 4, SPI);
	return 51;
}

/* What IP calls an inner packet. */
static int ip_protocol(int inner)
{
	return inner == ETH_P_MPLS_UC ? 137 : inner == ETH_P_IPV6 ? 41 : 4;
}

/* The tunnel header between inner packet and outer IP header; its protocol. */
static int encapsulate(struct packet *p, enum kind kind, int inner)
{
	switch (kind) {
	case GRE:
		return encapsulate_gre(p, inner) ? 47 : 0;
	case GRETAP:
		return push_ethernet(p, inner) &&
		       encapsulate_gre(p, ETH_P_TEB) ? 47 : 0;
	case ERSPAN:
		return push_ethernet(p, inner) && encapsulate_erspan(p) ? 47 : 0;
	case SIT:
		return p->valid || !one_in(4) ? ip_protocol(inner) : 41;
	case VTI:
		return encapsulate_ipsec(p, ip_protocol(inner));
	default:
		return ip_protocol(inner);
	}
}

/* The inner packet in so many tunnels of a kind, as long as it is no longer than @limit. */
static void nest(struct packet *p, enum kind kind, int type, uint32_t from, uint32_t to,
		 int depth, size_t limit)
{
	int protocol;

	for (p->depth = 0; p->depth < depth && p->len <= limit; p->depth++) {
		protocol = encapsulate(p, kind, type);
		if (!protocol || !push_ip4(p, from, to, protocol))
			break;
		type = ETH_P_IP;
	}
}

/* A whole packet, one tunnel deep or up to a hundred. */
static void make_packet(struct packet *p, enum kind kind, uint32_t from, uint32_t to,
			size_t limit)
{
	int depth = one_in(100) ? 1 + below(DEPTH_MAX) : 1;
	int type;

	p->valid = false;
	type = push_inner(p, kind == SIT && one_in(2) ? 0 : below(8));
	if (depth == 1 && one_in(16)) {	/* an empty one */
		begin(p);
		type = ETH_P_IP;
	}
	nest(p, kind, type, from, to, depth, limit);
}

/* A packet that a tunnel has to take, and the next one what was in it, and so on. */
static void make_deep_packet(struct packet *p, enum kind kind)
{
	int type;

	p->valid = true;
	type = push_inner(p, kind == SIT ? 0 : 3);
	nest(p, kind, type, REMOTE, LOCAL, DEPTH_MAX, LONGEST);
	p->valid = false;
	sequence += DEPTH_MAX;
}

/* What a peer asks us to send back to it: see module/wire_keepalive.h. */
static void make_keepalive(struct packet *p)
{
	const struct gre_form *form = &gre_forms[below(ORDERLESS)];

	begin(p);
	push(p, below(80));
	push_gre(p, form->flags & GRE_KEY, 0, form->key);
	push_ip4(p, LOCAL, REMOTE, 47);
	push_gre(p, form->flags, ETH_P_IP, form->key);
	push_ip4(p, REMOTE, LOCAL, 47);
	p->depth = 1;
}

/*
 * IPv6 whose addresses say what the outer ones are, or ought to: from a host of
 * our ISATAP site, or from another 6rd site.
 */
static void make_embedded(struct packet *p)
{
	uint32_t outer = one_in(2) ? 0x0a000000 | below(256) : random32();
	uint32_t from = one_in(4) ? random32() : outer;
	uint8_t inner_from[16], inner_to[16];
	bool isatap = one_in(2);
	uint32_t to = isatap ? LOCAL : LOCAL_6RD;

	if (isatap) {
		address_isatap(inner_from, from);
		address_isatap(inner_to, to);
	} else {
		address_6rd(inner_from, from);
		address_6rd(inner_to, one_in(8) ? random32() : to);
	}
	begin(p);
	push_transport(p);
	push_ip6(p, 17, inner_from, inner_to);
	push_ip4(p, outer, to, 41);
	p->depth = 1;
}

/* --- damage --------------------------------------------------------------- */

static void fix_outer(struct packet *p)
{
	uint8_t *h = data(p);
	size_t header = (h[0] & 15) * 4;

	if (p->len < 20 || header < 20 || header > p->len)
		return;
	put16(h + 2, p->len);
	put16(h + 10, 0);
	put16(h + 10, checksum(h, header, 0));
}

static void flip_bits(struct packet *p, size_t from, size_t to)
{
	int n = 1 + below(3);

	if (to > p->len)
		to = p->len;
	while (n-- && from < to)
		data(p)[from + below(to - from)] ^= 1 << below(8);
}

static void lie_about_length(struct packet *p)
{
	size_t at[] = { 2, 22, 26, 30, 34, 38, 44 };
	size_t i = at[below(7)];

	if (i + 2 > p->len)
		return;
	put16(data(p) + i, one_in(2) ? random32() : get16(data(p) + i) +
	      below(64) - 32);
}

static void add_options(struct packet *p)
{
	size_t i, n = 4 * (1 + below(10));
	uint8_t header[20], *h;

	if (p->len < 20 || n + 20 > p->start)
		return;
	memcpy(header, data(p), 20);
	p->start -= n;
	p->len += n;
	h = data(p);
	memcpy(h, header, 20);
	h[0] = 0x40 | (5 + n / 4);
	for (i = 0; i < n; i++)
		h[20 + i] = one_in(3) ? random32() : 1;
}

static void truncate_packet(struct packet *p)
{
	p->len = one_in(2) ? below(p->len + 1) : below(p->len < 80 ? p->len + 1 : 80);
}

/* Damage the packet in a few ways; mostly leave the outer header believable. */
static void damage(struct packet *p)
{
	int n = 1 + below(2);

	p->depth = 0;
	while (n--) {
		switch (below(8)) {
		case 0:
			truncate_packet(p);
			break;
		case 1:
			flip_bits(p, 0, 20);
			break;
		case 2:
		case 3:
			flip_bits(p, 20, 60);
			break;
		case 4:
			flip_bits(p, 20, p->len);
			break;
		case 5:
			lie_about_length(p);
			break;
		case 6:
			add_options(p);
			break;
		case 7:
			if (p->len >= 24)
				put16(data(p) + 20, random32());
			break;
		}
	}
	if (p->len >= 20 && !one_in(16))
		fix_outer(p);
}

/* An error about a packet that 10.0.0.1 sent, quoting any prefix of it. */
static void make_icmp_error(struct packet *p)
{
	static const uint8_t types[] = { 3, 3, 3, 4, 5, 11, 12 };
	uint8_t *h;

	make_packet(p, below(ICMP), LOCAL, one_in(8) ? random32() : REMOTE, LONGEST);
	if (one_in(2))
		damage(p);
	if (!one_in(3))
		truncate_packet(p);
	p->depth = 0;
	if (p->len > 1000)
		p->len = 1000;
	h = push(p, 8);
	if (!h)
		return;
	h[0] = types[below(sizeof(types))];
	h[1] = one_in(2) ? 4 : below(17);
	put32(h + 4, one_in(4) ? random32() : below(2000));
	put16(h + 2, one_in(30) ? random32() : checksum(h, p->len, 0));
	push_ip4(p, one_in(2) ? REMOTE : random32(), LOCAL, 1);
}

static void make_frame(struct packet *p, enum kind kind)
{
	uint32_t from = one_in(10) ? random32() : REMOTE;
	uint32_t to = one_in(30) ? 0xe0010101 : LOCAL;

	if (kind == ICMP) {
		make_icmp_error(p);
		return;
	}
	if (kind == GRE && one_in(20))
		make_keepalive(p);
	else if (kind == SIT && one_in(3))
		make_embedded(p);
	else
		make_packet(p, kind, from, to, LONGEST);
	if (!one_in(4))
		damage(p);
}

/* --- a receiver ----------------------------------------------------------- */

struct sender {
	int fd;
	bool frags;
	uint8_t address[ETH_ALEN];
	unsigned long sent, accepted;
	int deepest;
};

static int open_tap(const char *name, short flags)
{
	struct ifreq request = { .ifr_flags = IFF_TAP | IFF_NO_PI | flags };
	int fd = open("/dev/net/tun", O_RDWR);

	if (fd < 0)
		die("/dev/net/tun");
	strncpy(request.ifr_name, name, IFNAMSIZ - 1);
	if (ioctl(fd, TUNSETIFF, &request))
		die("TUNSETIFF");
	return fd;
}

static void open_sender(struct sender *s, const char *name, bool frags)
{
	struct ifreq request = { 0 };

	s->frags = frags;
	s->fd = open_tap(name, frags ? IFF_NAPI | IFF_NAPI_FRAGS : IFF_VNET_HDR);
	strncpy(request.ifr_name, name, IFNAMSIZ - 1);
	if (ioctl(s->fd, SIOCGIFHWADDR, &request))
		die("SIOCGIFHWADDR");
	memcpy(s->address, request.ifr_hwaddr.sa_data, ETH_ALEN);
	fcntl(s->fd, F_SETFL, O_NONBLOCK);
}

/* What a frame claims of checksums and segments; the kernel may refuse it. */
static void claim_offload(struct virtio_net_hdr *claim, size_t len, bool wanted)
{
	static const uint8_t types[] = {
		VIRTIO_NET_HDR_GSO_NONE, VIRTIO_NET_HDR_GSO_TCPV4,
		VIRTIO_NET_HDR_GSO_UDP, VIRTIO_NET_HDR_GSO_TCPV6,
	};

	memset(claim, 0, sizeof(*claim));
	if (!wanted || !one_in(12))
		return;
	claim->gso_type = types[below(sizeof(types))];
	claim->gso_size = one_in(2) ? 1 + below(1500) : 0;
	claim->hdr_len = below(len + 1);
	if (one_in(2)) {
		claim->flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
		claim->csum_start = below(ETH_HLEN + 100);
		claim->csum_offset = below(20);
	}
}

/* How long the next piece is; the last ones have to hold all that is left. */
static size_t piece(int left, size_t len)
{
	size_t most = len < PIECE_MAX ? len : PIECE_MAX;

	if (left * PIECE_MAX < (int)len + PIECE_MAX || one_in(3))
		return most;
	return 1 + below(len < 40 || one_in(2) ? most : 40);
}

/* Cut the packet into pieces; each becomes a fragment of the buffer. */
static int cut(struct iovec *to, int room, uint8_t *from, size_t len)
{
	size_t n;
	int i;

	for (i = 0; len && i < room; i++) {
		n = piece(room - i, len);
		to[i] = (struct iovec){ from, n };
		from += n;
		len -= n;
	}
	return i;
}

static void send_frame(struct sender *s, struct packet *p)
{
	uint8_t header[ETH_HLEN] = { 0 };
	struct virtio_net_hdr claim;
	struct iovec parts[16];
	int n = 0;

	memcpy(header, s->address, ETH_ALEN);
	memset(header + ETH_ALEN, 0x06, ETH_ALEN);
	put16(header + 12, ETH_P_IP);
	if (!s->frags) {
		claim_offload(&claim, p->len, p->depth < DEPTH_MAX);
		parts[n++] = (struct iovec){ &claim, sizeof(claim) };
	}
	parts[n++] = (struct iovec){ header, sizeof(header) };
	if (s->frags)
		n += cut(parts + n, 14, data(p), p->len);
	else if (p->len)
		parts[n++] = (struct iovec){ data(p), p->len };
	s->sent++;
	if (writev(s->fd, parts, n) < 0)
		return;
	s->accepted++;
	if (p->depth > s->deepest)
		s->deepest = p->depth;
}

/* A packet as 2 to 5 fragments: in order or not, complete or not, overlapping. */
static void send_fragments(struct sender *s, struct packet *whole)
{
	static struct packet part;
	size_t header, at, offset, step, left;

	header = whole->len < 60 ? 0 : (data(whole)[0] & 15) * 4;
	if (header < 20 || header + 16 > whole->len) {
		send_frame(s, whole);
		return;
	}
	left = whole->len - header;
	step = (left / (2 + below(4)) + 7) & ~7;
	for (at = 0; at < left; at += step) {
		size_t n = left - at < step ? left - at : step;

		begin(&part);
		memcpy(push(&part, n), data(whole) + header + at, n);
		memcpy(push(&part, header), data(whole), header);
		offset = at / 8 - (at && one_in(30));	/* some overlap */
		put16(data(&part) + 6, offset | (at + n < left ? 0x2000 : 0));
		fix_outer(&part);
		if (!one_in(30))
			send_frame(s, &part);
	}
}

/* What the kernel sends back is read, or the tap's queue fills up. */
static void discard_answers(int fd)
{
	static uint8_t answer[70000];

	while (read(fd, answer, sizeof(answer)) > 0)
		;
}

static void report(const struct sender *plain, const struct sender *frags)
{
	printf("linear sent %lu accepted %lu\n", plain->sent, plain->accepted);
	printf("pieces sent %lu accepted %lu\n", frags->sent, frags->accepted);
	printf("deepest %d\n",
	       plain->deepest < frags->deepest ? plain->deepest : frags->deepest);
}

static void send_one(struct sender *s, enum kind kind, bool deep)
{
	static struct packet packet;

	if (deep && kind != ICMP) {
		make_deep_packet(&packet, kind);
		send_frame(s, &packet);
		return;
	}
	make_frame(&packet, kind);
	if (one_in(40))
		send_fragments(s, &packet);
	else
		send_frame(s, &packet);
}

static int receive(char **argv)
{
	unsigned long i, count = strtoul(argv[3], NULL, 0);
	struct sender senders[2] = { 0 };
	int kind;

	for (kind = 0; kind < KINDS; kind++)
		if (!strcmp(argv[2], kind_names[kind]))
			break;
	if (kind == KINDS)
		return 2;
	open_sender(&senders[0], argv[0], false);
	open_sender(&senders[1], argv[1], true);
	for (i = 0; i < count; i++) {
		send_one(&senders[i & 1], kind, i % 500 < 2);
		/* Or a tunnel with sequence numbers has two of these at once. */
		if (count == 2 && i == 0)
			sleep(3);
		if (i % 64 == 0) {
			discard_answers(senders[0].fd);
			discard_answers(senders[1].fd);
		}
		if (i && i % 100000 == 0)
			fprintf(stderr, "# %lu of %lu frames\n", i, count);
	}
	report(&senders[0], &senders[1]);
	return 0;
}

/* --- a transmitter -------------------------------------------------------- */

/* Sorts of sockets. One that makes up the Ethernet header can make no claims. */
enum { COOKED = 1, BYPASS = 2, CLAIMING = 4, SORTS = 8 };

static int any_sort(bool claims)
{
	return claims ? CLAIMING | below(2) * BYPASS : below(CLAIMING);
}

static void turn_on(int fd, int option, const char *name)
{
	int on = 1;

	if (setsockopt(fd, SOL_PACKET, option, &on, sizeof(on)))
		die(name);
}

static int open_packet_socket(int sort)
{
	int fd = socket(AF_PACKET, sort & COOKED ? SOCK_DGRAM : SOCK_RAW, 0);

	if (fd < 0)
		die("packet socket");
	if (sort & BYPASS)
		turn_on(fd, PACKET_QDISC_BYPASS, "PACKET_QDISC_BYPASS");
	if (sort & CLAIMING)
		turn_on(fd, PACKET_VNET_HDR, "PACKET_VNET_HDR");
	return fd;
}

/* Inner packets of every sort, short ones and rubbish among them. */
static void make_payload(struct packet *p, int *type)
{
	if (one_in(5)) {
		make_packet(p, below(ICMP), LOCAL, REMOTE, MTU - 80);
		*type = ETH_P_IP;
	} else {
		p->valid = false;
		*type = push_inner(p, one_in(4) ? 0 : below(8));
	}
	if (one_in(3))
		push_ethernet(p, *type);
	if (one_in(3))
		truncate_packet(p);
	if (one_in(3))
		flip_bits(p, 0, 60);
	if (one_in(20))
		*type = random32() & 0xffff;
}

static bool send_payload(int fd, bool claims, int ifindex, struct packet *p, int type)
{
	struct sockaddr_ll to = {
		.sll_family = AF_PACKET, .sll_ifindex = ifindex,
		.sll_protocol = htons(type), .sll_halen = one_in(4) ? below(9) : 4,
	};
	struct virtio_net_hdr claim;
	struct iovec parts[2] = { { &claim, sizeof(claim) }, { data(p), p->len } };
	struct msghdr message = {
		.msg_name = &to, .msg_namelen = sizeof(to),
		.msg_iov = claims ? parts : parts + 1, .msg_iovlen = claims ? 2 : 1,
	};

	put32(to.sll_addr, one_in(8) ? random32() : REMOTE);
	claim_offload(&claim, p->len, claims);
	return sendmsg(fd, &message, MSG_DONTWAIT) >= 0;
}

static int transmit(char **argv)
{
	unsigned long i, count = strtoul(argv[1], NULL, 0), accepted = 0;
	int fds[SORTS], sort, type = 0, claims = atoi(argv[3]);
	static struct packet packet;
	struct ifreq request = { 0 };

	for (sort = 0; sort < SORTS; sort++)
		if ((sort & (COOKED | CLAIMING)) != (COOKED | CLAIMING))
			fds[sort] = open_packet_socket(sort);
	strncpy(request.ifr_name, argv[0], IFNAMSIZ - 1);
	if (ioctl(fds[0], SIOCGIFINDEX, &request))
		die(argv[0]);
	for (i = 0; i < count; i++) {
		make_payload(&packet, &type);
		sort = any_sort(claims);
		accepted += send_payload(fds[sort], claims, request.ifr_ifindex, &packet,
					 type);
	}
	printf("sent %lu accepted %lu\n", count, accepted);
	return 0;
}

/* --- the account ---------------------------------------------------------- */

#define COUNTERS_MAX	256

/* The request at @data about a device; how it ended. */
static int ethtool(int fd, const char *device, void *data)
{
	struct ifreq request = { .ifr_data = data };

	strncpy(request.ifr_name, device, IFNAMSIZ - 1);
	return ioctl(fd, SIOCETHTOOL, &request);
}

/*
 * Whether a counter is of packets that went in this direction and nowhere else:
 * "rx" or "tx". A keepalive is received, and that was all.
 */
static bool belongs(const char *counter, const char *direction)
{
	if (!strncmp(counter, direction, 2) && counter[2] == '_')
		return true;
	return direction[0] == 'r' && (!strcmp(counter, "keepalive_answered") ||
				       !strcmp(counter, "keepalive_received"));
}

/* The counters of ethtool of one direction; 0 if the device has none. */
static unsigned long long named_counters(int fd, const char *device, const char *direction)
{
	static struct {
		struct ethtool_gstrings head;
		char name[COUNTERS_MAX][ETH_GSTRING_LEN];
	} names;
	static struct {
		struct ethtool_stats head;
		unsigned long long value[COUNTERS_MAX];
	} stats;
	struct ethtool_drvinfo info = { .cmd = ETHTOOL_GDRVINFO };
	unsigned long long sum = 0;
	unsigned int i;

	if (ethtool(fd, device, &info) || !info.n_stats || info.n_stats > COUNTERS_MAX)
		return 0;
	names.head = (struct ethtool_gstrings) {
		.cmd = ETHTOOL_GSTRINGS, .string_set = ETH_SS_STATS, .len = info.n_stats,
	};
	stats.head = (struct ethtool_stats) { .cmd = ETHTOOL_GSTATS, .n_stats = info.n_stats };
	if (ethtool(fd, device, &names) || ethtool(fd, device, &stats))
		die(device);
	for (i = 0; i < info.n_stats; i++)
		if (belongs(names.name[i], direction))
			sum += stats.value[i];
	return sum;
}

static unsigned long long packets_counter(const char *device, const char *direction)
{
	unsigned long long packets;
	char path[128];
	FILE *f;

	snprintf(path, sizeof(path), "/sys/class/net/%s/statistics/%s_packets", device,
		 direction);
	f = fopen(path, "r");
	if (!f || fscanf(f, "%llu", &packets) != 1)
		die(path);
	fclose(f);
	return packets;
}

static int account(const char *direction, char **devices)
{
	unsigned long long packets = 0, named = 0;
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	if (fd < 0)
		die("socket");
	for (; *devices; devices++) {
		packets += packets_counter(*devices, direction);
		named += named_counters(fd, *devices, direction);
	}
	printf("%llu %llu\n", packets, named);
	return 0;
}

/* --- ---------------------------------------------------------------------- */

static void seed(const char *text)
{
	random_seed(text);
}

int main(int argc, char **argv)
{
	if (argc == 7 && !strcmp(argv[1], "receive")) {
		seed(argv[6]);
		return receive(argv + 2);
	}
	if (argc == 6 && !strcmp(argv[1], "transmit")) {
		seed(argv[4]);
		return transmit(argv + 2);
	}
	if (argc > 3 && !strcmp(argv[1], "account"))
		return account(argv[2], argv + 3);
	fprintf(stderr, "usage: packets receive TAP TAP KIND COUNT SEED |\n"
			"       packets transmit DEVICE COUNT SEED CLAIMS |\n"
			"       packets account rx|tx DEVICE...\n");
	return 2;
}
