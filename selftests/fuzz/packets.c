// SPDX-License-Identifier: GPL-2.0-only
/*
 * Send tunnel packets, most of them damaged, into a receiver or through a
 * tunnel device.
 *
 *	packets receive PLAIN_TAP FRAGS_TAP KIND COUNT SEED
 *	packets transmit DEVICE COUNT SEED CLAIMS
 *	packets account DEVICE...
 *
 * receive: frames arrive on two tap devices, made before. On the first they are linear and may claim checksum or
 * segmentation offload; on the second the Ethernet header alone is in the head
 * of the buffer and the rest in fragments of pages, cut anywhere. KIND is ipip,
 * gre, gretap, erspan, sit, or icmp (errors about packets of all the others).
 * The receiver is 10.0.0.1, the peer 10.0.0.2; packets.sh has the tunnels.
 *
 * transmit: frames and payloads of every length go to a device by packet
 * sockets, shorter than its headers too. With CLAIMS 1 some of them claim
 * checksum or segmentation offload.
 *
 * account: prints how many packets the devices have taken in or dropped by name,
 * all in all: rx_packets, and every counter of ethtool that begins with rx_.
 *
 * Otherwise the last line of output is "sent N accepted N": what was tried, and what the
 * kernel took. The same SEED gives the same frames.
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
#define INNER_LOCAL	0xc0a80001u	/* 192.168.0.1 */
#define INNER_REMOTE	0xc0a80002u	/* 192.168.0.2 */

#define FRAME_ROOM	4096		/* the longest packet made here */
#define MTU		1500

#define GRE_CSUM	0x8000
#define GRE_KEY		0x2000
#define GRE_SEQ		0x1000

enum kind { IPIP, GRE, GRETAP, ERSPAN, SIT, ICMP, KINDS };

static const char *const kind_names[KINDS] = {
	"ipip", "gre", "gretap", "erspan", "sit", "icmp"
};

/* A packet is written back to front, as headers are pushed before it. */
struct packet {
	uint8_t room[FRAME_ROOM];
	size_t start;
	size_t len;
};

static uint32_t sequence;

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
	p->start = FRAME_ROOM;
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
	h[1] = one_in(4) ? random32() : 0;
	put16(h + 2, p->len);
	put16(h + 4, random32());
	put16(h + 6, one_in(2) ? 0x4000 : 0);
	h[8] = one_in(16) ? random32() : 64;
	h[9] = protocol;
	put32(h + 12, from);
	put32(h + 16, to);
	put16(h + 10, checksum(h, 20, 0));
	return true;
}

static bool push_ip6(struct packet *p, int next_header)
{
	size_t payload = p->len;
	uint8_t *h = push(p, 40);

	if (!h)
		return false;
	h[0] = 0x60;
	put16(h + 4, payload);
	h[6] = next_header;
	h[7] = 64;
	h[8] = h[24] = 0xfd;	/* fd00::2 to fd00::1 */
	h[23] = 2;
	h[39] = 1;
	return true;
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

/* A payload and the EtherType that names it. */
static int push_inner(struct packet *p)
{
	begin(p);
	switch (below(8)) {
	case 0:
		push_transport(p);
		push_ip6(p, 17);
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
	memset(h, one_in(4) ? 0xff : 0x02, 6);
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
	if (flags & GRE_SEQ)
		put32(h + at, one_in(16) ? random32() : ++sequence);
	if (flags & GRE_CSUM)
		put16(h + 4, checksum(h, p->len, 0));
	return true;
}

/* Type II has 8 bytes, type III 12 and sometimes 8 more. */
static bool push_erspan(struct packet *p, bool third)
{
	size_t n = third ? (one_in(2) ? 20 : 12) : 8;
	uint8_t *h = push(p, n);

	if (!h)
		return false;
	put16(h, (third ? 2 : 1) << 12 | below(4096));
	put16(h + 2, below(64) << 10 | (one_in(20) ? below(1024) : third ? 6 : 5));
	if (third) {
		put32(h + 4, random32());
		put16(h + 10, (random32() & 0xfffe) | (n == 20));
	} else {
		put32(h + 4, below(1 << 20));
	}
	return true;
}

/* The tunnels of packets.sh: 1 plain, 2 key 7, 3 key 8 csum, 4 key 9 seq. */
static const struct {
	int flags;
	uint32_t key;
} gre_forms[] = {
	{ 0, 0 }, { GRE_KEY, 7 }, { GRE_KEY | GRE_CSUM, 8 },
	{ GRE_KEY | GRE_SEQ, 9 }, { GRE_CSUM, 0 }, { GRE_SEQ, 0 },
};

static bool encapsulate_gre(struct packet *p, int protocol)
{
	int form = below(sizeof(gre_forms) / sizeof(gre_forms[0]));
	uint32_t key = one_in(20) ? below(12) : gre_forms[form].key;

	if (one_in(30))
		protocol = 0x883e;	/* WCCP */
	else if (one_in(30))
		protocol = 0;		/* a keepalive's answer */
	return push_gre(p, gre_forms[form].flags, protocol, key);
}

static bool encapsulate_erspan(struct packet *p)
{
	bool third = one_in(2);

	if (one_in(8))			/* type I: no header of its own */
		return push_gre(p, 0, 0x88be, 0);
	return push_erspan(p, third) &&
	       push_gre(p, GRE_SEQ, third ? 0x22eb : 0x88be, 0);
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
		return inner == ETH_P_MPLS_UC ? 137 : 41;
	default:
		return inner == ETH_P_MPLS_UC ? 137 : inner == ETH_P_IPV6 ? 41 : 4;
	}
}

/* A whole packet, one tunnel deep or up to a hundred. */
static void make_packet(struct packet *p, enum kind kind, uint32_t from, uint32_t to)
{
	int depth = one_in(100) ? 1 + below(100) : 1;
	int type = push_inner(p), protocol;

	if (depth == 1 && one_in(16)) {	/* an empty one */
		begin(p);
		type = ETH_P_IP;
	}
	while (depth--) {
		protocol = encapsulate(p, kind, type);
		if (!protocol || !push_ip4(p, from, to, protocol))
			return;
		type = ETH_P_IP;
		if (p->len > MTU - 80)
			return;
	}
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

	make_packet(p, below(ICMP), LOCAL, one_in(8) ? random32() : REMOTE);
	if (one_in(2))
		damage(p);
	if (!one_in(3))
		truncate_packet(p);
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
	make_packet(p, kind, from, to);
	if (!one_in(4))
		damage(p);
}

/* --- a receiver ----------------------------------------------------------- */

struct sender {
	int fd;
	bool frags;
	uint8_t address[ETH_ALEN];
	unsigned long sent, accepted;
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
static void claim_offload(struct virtio_net_hdr *claim, size_t len)
{
	static const uint8_t types[] = {
		VIRTIO_NET_HDR_GSO_NONE, VIRTIO_NET_HDR_GSO_TCPV4,
		VIRTIO_NET_HDR_GSO_UDP, VIRTIO_NET_HDR_GSO_TCPV6,
	};

	memset(claim, 0, sizeof(*claim));
	if (!one_in(12))
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

/* Cut the packet into pieces; each becomes a fragment of the buffer. */
static int cut(struct iovec *to, int room, uint8_t *from, size_t len)
{
	int n = 0;

	while (len && n < room) {
		size_t piece = n == room - 1 || one_in(3) ? len :
			       1 + below(len < 40 || one_in(2) ? len : 40);

		to[n++] = (struct iovec){ from, piece };
		from += piece;
		len -= piece;
	}
	return n;
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
		claim_offload(&claim, p->len);
		parts[n++] = (struct iovec){ &claim, sizeof(claim) };
	}
	parts[n++] = (struct iovec){ header, sizeof(header) };
	if (s->frags)
		n += cut(parts + n, 14, data(p), p->len);
	else if (p->len)
		parts[n++] = (struct iovec){ data(p), p->len };
	s->sent++;
	if (writev(s->fd, parts, n) >= 0)
		s->accepted++;
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

static int receive(char **argv)
{
	unsigned long i, count = strtoul(argv[3], NULL, 0);
	static struct packet packet;
	struct sender senders[2] = { 0 }, *s;
	int kind;

	for (kind = 0; kind < KINDS; kind++)
		if (!strcmp(argv[2], kind_names[kind]))
			break;
	if (kind == KINDS)
		return 2;
	open_sender(&senders[0], argv[0], false);
	open_sender(&senders[1], argv[1], true);
	for (i = 0; i < count; i++) {
		s = &senders[i & 1];
		make_frame(&packet, kind);
		if (one_in(40))
			send_fragments(s, &packet);
		else
			send_frame(s, &packet);
		if (i % 64 == 0) {
			discard_answers(senders[0].fd);
			discard_answers(senders[1].fd);
		}
		if (i && i % 100000 == 0)
			fprintf(stderr, "# %lu of %lu frames\n", i, count);
	}
	printf("sent %lu accepted %lu\n", senders[0].sent + senders[1].sent,
	       senders[0].accepted + senders[1].accepted);
	return 0;
}

/* --- a transmitter -------------------------------------------------------- */

static int open_packet_socket(int type, bool claims)
{
	int fd = socket(AF_PACKET, type, 0), on = 1;

	if (fd < 0)
		die("packet socket");
	if (claims && setsockopt(fd, SOL_PACKET, PACKET_VNET_HDR, &on, sizeof(on)))
		die("PACKET_VNET_HDR");
	return fd;
}

/* Inner packets of every sort, short ones and rubbish among them. */
static void make_payload(struct packet *p, int *type)
{
	if (one_in(5)) {
		make_packet(p, below(ICMP), LOCAL, REMOTE);
		*type = ETH_P_IP;
	} else {
		*type = push_inner(p);
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

static int transmit(char **argv)
{
	unsigned long i, count = strtoul(argv[1], NULL, 0), accepted = 0;
	struct sockaddr_ll to = { .sll_family = AF_PACKET };
	struct virtio_net_hdr claim;
	static struct packet packet;
	struct ifreq request = { 0 };
	int fds[3], which, type = 0, claims = atoi(argv[3]);

	fds[0] = open_packet_socket(SOCK_RAW, false);
	fds[1] = open_packet_socket(SOCK_RAW, true);
	fds[2] = open_packet_socket(SOCK_DGRAM, false);
	strncpy(request.ifr_name, argv[0], IFNAMSIZ - 1);
	if (ioctl(fds[0], SIOCGIFINDEX, &request))
		die(argv[0]);
	to.sll_ifindex = request.ifr_ifindex;
	for (i = 0; i < count; i++) {
		struct iovec parts[2] = { { &claim, sizeof(claim) } };
		struct msghdr message = {
			.msg_name = &to, .msg_namelen = sizeof(to),
			.msg_iov = parts, .msg_iovlen = 2,
		};

		make_payload(&packet, &type);
		to.sll_protocol = htons(type);
		to.sll_halen = one_in(4) ? below(9) : 4;
		put32(to.sll_addr, one_in(8) ? random32() : REMOTE);
		claim_offload(&claim, packet.len);
		parts[1] = (struct iovec){ data(&packet), packet.len };
		which = claims ? 1 : 2 * below(2);
		if (!claims) {
			message.msg_iov++;
			message.msg_iovlen = 1;
		}
		if (sendmsg(fds[which], &message, MSG_DONTWAIT) >= 0)
			accepted++;
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

/* All counters of a device whose names begin with rx_; 0 if it has none. */
static unsigned long long named_counters(int fd, const char *device)
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
		if (!strncmp(names.name[i], "rx_", 3))
			sum += stats.value[i];
	return sum;
}

static unsigned long long received(const char *device)
{
	unsigned long long packets;
	char path[128];
	FILE *f;

	snprintf(path, sizeof(path), "/sys/class/net/%s/statistics/rx_packets", device);
	f = fopen(path, "r");
	if (!f || fscanf(f, "%llu", &packets) != 1)
		die(path);
	fclose(f);
	return packets;
}

static int account(char **devices)
{
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	unsigned long long sum = 0;

	if (fd < 0)
		die("socket");
	for (; *devices; devices++)
		sum += received(*devices) + named_counters(fd, *devices);
	printf("%llu\n", sum);
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
	if (argc > 2 && !strcmp(argv[1], "account"))
		return account(argv + 2);
	fprintf(stderr, "usage: packets receive TAP TAP KIND COUNT SEED |\n"
			"       packets transmit DEVICE COUNT SEED CLAIMS |\n"
			"       packets account DEVICE...\n");
	return 2;
}
