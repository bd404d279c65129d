// SPDX-License-Identifier: GPL-2.0-only
/*
 * Requests to make, change, move, show and delete tunnels, most of them wrong.
 *
 *	config random COUNT SEED PEER_NAMESPACE
 *	config failing COUNT SEED PEER_NAMESPACE
 *	config refused COUNT SEED PEER_NAMESPACE
 *	config sites KIND PEER_NAMESPACE
 *	config namespaces
 *	config load MODULE_FILE MODULE
 *
 * random: netlink messages and ioctls with attributes of every type, length and
 * order, some of them damaged afterwards, and texts for the files of a tunnel in
 * /sys, in the namespace that this program runs in, against a few devices that
 * come and go.
 *
 * failing: the same, but in every second request one memory allocation fails.
 *
 * refused: drops every capability first. Nothing that changes something may
 * succeed.
 *
 * These three also fail when too few requests got far enough to try anything.
 *
 * sites: makes, changes, moves and deletes a tunnel, by netlink and by ioctl, and
 * sets its keepalive, with the first, second, third ... memory allocation of the
 * request failing, until the request needs no more of them. A request that fails
 * must have changed nothing.
 *
 * namespaces, load: the same for a new network namespace, and for a module.
 *
 * PEER_NAMESPACE is a file under /run/netns.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/if.h>
#include <linux/if_link.h>
#include <linux/if_tunnel.h>
#include <linux/neighbour.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "random.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define GRE_KEY_FLAG htons(0x2000)
#define GRE_SEQ_FLAG htons(0x1000)
#define SITE "site0"		/* the device that is worked on with failing allocations */

/* Half of all requests have nothing wrong with them but their combination:
 * devices must come into being for the other half to hit.
 */
static bool careful;

static int peer_fd = -1;
static int rtnl_fd, ioctl_fd;

/* --- what requests are made of -------------------------------------------- */

enum width { FLAG, U8, U16, U32, ADDRESS, ADDRESS6, LINK };

/* Attribute numbers of IFLA_IPTUN_*, IFLA_GRE_* and IFLA_VTI_*, from 1 on. */
static const enum width iptun_widths[] = {
	LINK, ADDRESS, ADDRESS, U8, U8, U8, U32, U16, U8, U8, ADDRESS6,
	ADDRESS, U16, U16, U16, U16, U16, U16, FLAG, U32,
};

static const enum width gre_widths[] = {
	LINK, U16, U16, U32, U32, ADDRESS, ADDRESS, U8, U8, U8, U8, U32, U32,
	U16, U16, U16, U16, FLAG, U8, U32, U32, U8, U8, U16,
};

static const enum width vti_widths[] = { LINK, U32, U32, ADDRESS, ADDRESS, U32 };

static const struct {
	const char *name;
	const enum width *widths;
	int n;
} kinds[] = {
	{ "ipip", iptun_widths, COUNT(iptun_widths) },
	{ "gre", gre_widths, COUNT(gre_widths) },
	{ "gretap", gre_widths, COUNT(gre_widths) },
	{ "erspan", gre_widths, COUNT(gre_widths) },
	{ "sit", iptun_widths, COUNT(iptun_widths) },
	{ "vti", vti_widths, COUNT(vti_widths) },
};

static const char *const names[] = {
	"f0", "f1", "f2", "f3", "f4", "f5", "f6", "f7", "f0", "f1", "f2", "f3",
	"tunl0", "gre0", "gretap0", "erspan0", "sit0", "ip_vti0",
	"f%d", "%s", "", ".", "..", "a/b", "a b", "fifteen-letters", "sixteen-letters!",
};

static const uint32_t addresses[] = {
	0, 0x0a000001, 0x0a000002, 0x0a000003, 0x0a000004, 0xe0010101,
	0x7f000001, 0xffffffff,
};

static uint32_t random_address(void)
{
	if (careful)
		return htonl(addresses[1 + below(4)]);
	return htonl(one_in(8) ? random32() : addresses[below(COUNT(addresses))]);
}

static uint32_t random_number(void)
{
	static const uint32_t some[] = { 0, 1, 2, 5, 64, 255, 256, 1023, 0xffff };

	if (careful)
		return below(2);
	return one_in(4) ? random32() : some[below(COUNT(some))];
}

#define GOOD_NAMES 12		/* so many of names[] are fine */

static const char *random_name(void)
{
	return names[below(careful ? GOOD_NAMES : COUNT(names))];
}

/* A name of a device; IFNAMSIZ bytes, not always ended by a zero. */
static void random_device_name(char *to)
{
	const char *name = random_name();
	size_t len = strlen(name);

	memset(to, 0, IFNAMSIZ);
	memcpy(to, name, len < IFNAMSIZ ? len : IFNAMSIZ);
}

/* --- how many of each sort there were ------------------------------------- */

/* Not every sort of request is likely to succeed, so the sum alone is judged; but
 * one that never does tries nothing, and it should be seen.
 */
enum { TUNNEL_IOCTL, DEVICE_IOCTL, NEIGHBOUR, FILE_OF_TUNNEL, LINK_REQUEST, LINK_OF_KIND };

static struct count {
	unsigned long asked, accepted;
} counts[LINK_OF_KIND + COUNT(kinds)];

static int sort;	/* of the request being made, an index of counts[] */

static void show_counts(void)
{
	static const char *const sorts[] = {
		"tunnel ioctl", "device ioctl", "neighbour", "file", "link",
	};
	size_t i;

	for (i = 0; i < COUNT(counts); i++)
		printf("%s%s %lu/%lu", i ? ", " : "accepted of ",
		       i < LINK_OF_KIND ? sorts[i] : kinds[i - LINK_OF_KIND].name,
		       counts[i].accepted, counts[i].asked);
	printf("\n");
}

static bool is_erspan(int of)
{
	return of >= LINK_OF_KIND && !strcmp(kinds[of - LINK_OF_KIND].name, "erspan");
}

/* --- netlink -------------------------------------------------------------- */

struct request {
	struct nlmsghdr header;
	struct ifinfomsg link;
	uint8_t room[2048];
};

static void start(struct request *r, int type, int flags)
{
	memset(r, 0, sizeof(*r));
	r->header.nlmsg_len = NLMSG_LENGTH(sizeof(r->link));
	r->header.nlmsg_type = type;
	r->header.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | flags;
}

static struct nlattr *attribute(struct request *r, int type, const void *value,
				size_t len)
{
	struct nlattr *a = (void *)r + NLMSG_ALIGN(r->header.nlmsg_len);

	if (NLMSG_ALIGN(r->header.nlmsg_len) + NLA_ALIGN(NLA_HDRLEN + len) > sizeof(*r))
		return NULL;
	a->nla_type = type;
	a->nla_len = NLA_HDRLEN + len;
	if (len)
		memcpy((void *)a + NLA_HDRLEN, value, len);
	r->header.nlmsg_len = NLMSG_ALIGN(r->header.nlmsg_len) + NLA_ALIGN(a->nla_len);
	return a;
}

static void attribute_text(struct request *r, int type, const char *text)
{
	attribute(r, type, text, strlen(text) + 1);
}

static void attribute32(struct request *r, int type, uint32_t value)
{
	attribute(r, type, &value, sizeof(value));
}

static void end_nest(struct request *r, struct nlattr *nest)
{
	if (nest)
		nest->nla_len = (void *)r + r->header.nlmsg_len - (void *)nest;
}

static uint8_t answer[1 << 16];

/* Send it; the error of its acknowledgement, 0 or a negative errno. */
static int ask(struct request *r)
{
	static uint32_t sequence;
	struct nlmsghdr *h;
	ssize_t n;

	r->header.nlmsg_seq = ++sequence;
	if (send(rtnl_fd, r, r->header.nlmsg_len, 0) < 0)
		return -errno;
	for (;;) {
		n = recv(rtnl_fd, answer, sizeof(answer), 0);
		if (n < 0 && errno == EAGAIN)
			return -ETIMEDOUT;	/* too damaged to be answered */
		if (n < 0)
			continue;		/* ENOBUFS: look on */
		for (h = (void *)answer; NLMSG_OK(h, n); h = NLMSG_NEXT(h, n)) {
			if (h->nlmsg_seq != sequence)
				continue;
			if (h->nlmsg_type == NLMSG_ERROR)
				return ((struct nlmsgerr *)NLMSG_DATA(h))->error;
			if (h->nlmsg_type == NLMSG_DONE)
				return 0;
		}
	}
}

static int open_rtnl(void)
{
	/* rtnetlink answers before send() returns, or not at all. */
	struct timeval limit = { .tv_usec = 1000 };
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	int on = 1;

	if (fd < 0)
		die("netlink socket");
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	setsockopt(fd, SOL_NETLINK, NETLINK_EXT_ACK, &on, sizeof(on));
	return fd;
}

/* One attribute of a tunnel, mostly of the right width. */
static void random_tunnel_attribute(struct request *r, int type, enum width width)
{
	/* erspan is nothing without a sequence number. */
	uint16_t gre_flags = is_erspan(sort) ? GRE_KEY_FLAG | GRE_SEQ_FLAG : GRE_KEY_FLAG;
	uint8_t value[64];
	uint32_t n;
	size_t i, len;

	for (i = 0; i < sizeof(value); i++)
		value[i] = random32();
	switch (width) {
	case FLAG:
		len = 0;
		break;
	case U8:
		len = 1;
		value[0] = random_number();
		break;
	case U16:
		len = 2;
		n = random_number();
		memcpy(value, &n, 2);
		if (careful || one_in(2))
			memcpy(value, &gre_flags, 2);
		break;
	case ADDRESS:
		len = 4;
		n = random_address();
		memcpy(value, &n, 4);
		break;
	case ADDRESS6:
		len = 16;
		break;
	case LINK:
		len = 4;
		n = careful ? 0 : below(6);
		memcpy(value, &n, 4);
		break;
	default:
		len = 4;
		n = careful ? htonl(random_number()) : random_number();
		memcpy(value, &n, 4);
	}
	if (!careful && one_in(12))
		len = below(sizeof(value));
	if (!careful && one_in(30))
		type = one_in(2) ? (int)below(70) : type | NLA_F_NESTED;
	attribute(r, type, value, len);
}

/* Two addresses and, where there are keys, a key: a tunnel of its own. */
static void careful_linkinfo(struct request *r)
{
	int kind = below(COUNT(kinds)), i, type;
	bool gre = kinds[kind].widths == gre_widths;
	static const int gre_types[] = {
		IFLA_GRE_LOCAL, IFLA_GRE_REMOTE, IFLA_GRE_IFLAGS, IFLA_GRE_IKEY,
		IFLA_GRE_OFLAGS, IFLA_GRE_OKEY, IFLA_GRE_TTL, IFLA_GRE_TOS,
	};
	struct nlattr *info, *values;

	sort = LINK_OF_KIND + kind;
	info = attribute(r, IFLA_LINKINFO, NULL, 0);
	attribute_text(r, IFLA_INFO_KIND, kinds[kind].name);
	values = attribute(r, IFLA_INFO_DATA, NULL, 0);
	for (i = one_in(2) ? 4 : 8; i--; ) {
		type = gre ? gre_types[i] : (int[]){ IFLA_IPTUN_LOCAL,
			IFLA_IPTUN_REMOTE, IFLA_IPTUN_TTL, IFLA_IPTUN_TOS }[i % 4];
		random_tunnel_attribute(r, type, kinds[kind].widths[type - 1]);
	}
	end_nest(r, values);
	end_nest(r, info);
}

static void random_linkinfo(struct request *r)
{
	int kind = below(COUNT(kinds)), i, n;
	struct nlattr *info, *values;

	sort = LINK_OF_KIND + kind;
	info = attribute(r, IFLA_LINKINFO, NULL, 0);
	if (!one_in(40))
		attribute_text(r, IFLA_INFO_KIND, kinds[kind].name);
	if (!one_in(12)) {
		values = attribute(r, IFLA_INFO_DATA, NULL, 0);
		n = below(one_in(4) ? 30 : 8);
		for (i = 0; i < n; i++) {
			int type = below(kinds[kind].n);

			random_tunnel_attribute(r, type + 1, kinds[kind].widths[type]);
		}
		end_nest(r, values);
	}
	end_nest(r, info);
}

static void name_device(struct request *r)
{
	const char *name = random_name();

	if (!careful && one_in(3))
		r->link.ifi_index = one_in(10) ? random32() : below(40);
	if (!r->link.ifi_index || one_in(4))
		attribute(r, IFLA_IFNAME, name, strlen(name) + !one_in(20));
}

static void random_common_attributes(struct request *r)
{
	uint8_t hardware[8] = { 10, 0, 0, below(8), below(8) };

	if (one_in(6))
		attribute32(r, IFLA_MTU, one_in(2) ? random_number() : below(70000));
	if (one_in(8))
		attribute(r, IFLA_ADDRESS, hardware, one_in(2) ? 4 : below(9));
	if (one_in(12))
		attribute32(r, IFLA_NUM_TX_QUEUES, random_number());
	if (one_in(12))
		attribute32(r, IFLA_LINK, below(10));
	if (one_in(12))
		attribute32(r, IFLA_NET_NS_FD, one_in(8) ? below(20) : (uint32_t)peer_fd);
	if (one_in(12))
		attribute32(r, IFLA_LINK_NETNSID, one_in(2) ? 10 : random_number());
	if (one_in(30))
		attribute32(r, IFLA_TARGET_NETNSID, one_in(2) ? 10 : random_number());
	if (one_in(20))
		attribute32(r, IFLA_MASTER, below(10));
	if (one_in(20))
		attribute32(r, IFLA_TXQLEN, random_number());
}

static void damage(struct request *r)
{
	size_t from = sizeof(r->header) + sizeof(r->link);
	size_t len = r->header.nlmsg_len;
	int n = 1 + below(4);

	if (len <= from)
		return;
	while (n--)
		((uint8_t *)r)[from + below(len - from)] ^= 1 << below(8);
	if (one_in(4))
		r->header.nlmsg_len = NLMSG_HDRLEN + below(len - NLMSG_HDRLEN + 1);
}

static int random_link_request(struct request *r, bool *changes)
{
	static const int flags[] = {
		NLM_F_CREATE | NLM_F_EXCL, NLM_F_CREATE | NLM_F_EXCL, NLM_F_CREATE,
		NLM_F_REPLACE, NLM_F_CREATE | NLM_F_REPLACE, 0, 0, NLM_F_APPEND,
	};

	*changes = true;
	sort = LINK_REQUEST;
	switch (below(8)) {
	case 0:
		start(r, RTM_DELLINK, 0);
		name_device(r);
		if (one_in(8))
			random_linkinfo(r);
		break;
	case 1:
		start(r, RTM_GETLINK, one_in(3) ? NLM_F_DUMP : 0);
		name_device(r);
		*changes = false;
		break;
	case 2:
		start(r, one_in(2) ? RTM_SETLINK : RTM_NEWLINK, 0);
		r->link.ifi_flags = one_in(2) ? IFF_UP : 0;
		r->link.ifi_change = one_in(2) ? IFF_UP : random32();
		name_device(r);
		random_common_attributes(r);
		break;
	default:
		start(r, RTM_NEWLINK, flags[below(COUNT(flags))]);
		name_device(r);
		if (one_in(2))
			r->link.ifi_flags = r->link.ifi_change = IFF_UP;
		if (!careful || one_in(4))
			random_common_attributes(r);
		if (careful)
			careful_linkinfo(r);
		else
			random_linkinfo(r);
	}
	if (!careful && one_in(8))
		damage(r);
	return ask(r);
}

static int random_neighbour_request(struct request *r)
{
	struct ndmsg *n = (void *)&r->link;
	uint32_t address = random_address(), to = random_address();

	sort = NEIGHBOUR;
	start(r, one_in(3) ? RTM_DELNEIGH : RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_REPLACE);
	memset(n, 0, sizeof(*n));
	n->ndm_family = AF_INET;
	n->ndm_ifindex = below(40);
	n->ndm_state = NUD_PERMANENT;
	r->header.nlmsg_len = NLMSG_LENGTH(sizeof(*n));
	attribute(r, NDA_DST, &address, one_in(8) ? below(5) : 4);
	attribute(r, NDA_LLADDR, &to, one_in(8) ? below(5) : 4);
	return ask(r);
}

/* --- ioctls --------------------------------------------------------------- */

static void random_parameters(struct ip_tunnel_parm *p)
{
	static const uint8_t protocols[] = { 4, 41, 47, 0, 137, 50, 4, 47, 41 };

	memset(p, 0, sizeof(*p));
	random_device_name(p->name);
	p->link = below(6);
	p->i_flags = one_in(2) ? 0 : one_in(2) ? GRE_KEY_FLAG : random32();
	p->o_flags = one_in(2) ? 0 : one_in(2) ? GRE_KEY_FLAG : random32();
	p->i_key = random_number();
	p->o_key = random_number();
	p->iph.version = 4;
	p->iph.ihl = 5;
	p->iph.protocol = protocols[below(sizeof(protocols))];
	p->iph.ttl = one_in(2) ? 0 : random32();
	p->iph.tos = one_in(2) ? 0 : random32();
	p->iph.frag_off = one_in(2) ? 0 : htons(one_in(3) ? random32() : 0x4000);
	p->iph.saddr = random_address();
	p->iph.daddr = random_address();
	if (careful) {
		p->link = 0;
		p->i_flags = p->o_flags = one_in(2) ? 0 : GRE_KEY_FLAG;
		p->iph.frag_off = htons(0x4000);
	} else if (one_in(6)) {
		((uint8_t *)p)[below(sizeof(*p))] = random32();
	}
}

static void random_prl(struct ip_tunnel_prl *prl)
{
	memset(prl, 0, sizeof(*prl));
	prl->addr = random_address();
	prl->flags = random32() & 3;
	prl->datalen = one_in(2) ? below(5) * sizeof(*prl) : random32();
}

static void random_6rd(struct ip_tunnel_6rd *sixrd)
{
	memset(sixrd, 0, sizeof(*sixrd));
	sixrd->prefix.s6_addr[0] = 0x20;
	sixrd->relay_prefix = random_address();
	sixrd->prefixlen = random_number();
	sixrd->relay_prefixlen = random_number();
}

/* A buffer that ends where the mapping does, now and then. */
static void *argument(void)
{
	static uint8_t *pages;

	if (!pages) {
		pages = mmap(NULL, 8192, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		munmap(pages + 4096, 4096);
	}
	if (one_in(40))
		return NULL;
	return one_in(30) ? pages + 4096 - below(80) : pages + 1024;
}

static int random_ioctl(bool *changes)
{
	struct ifreq request = { 0 };
	int number = SIOCGETTUNNEL + (one_in(8) ? below(16) : below(13));
	union {
		struct ip_tunnel_parm parameters;
		struct ip_tunnel_prl prl;
		struct ip_tunnel_6rd sixrd;
	} what;
	uint8_t *p = argument();
	size_t room = 1024;

	sort = TUNNEL_IOCTL;
	random_device_name(request.ifr_name);
	if (one_in(3)) {
		random_prl(&what.prl);
		if (one_in(2))
			random_6rd(&what.sixrd);
	} else {
		random_parameters(&what.parameters);
	}
	if (p) {
		room = 4096 - ((uintptr_t)p & 4095);
		if (((uintptr_t)p & 4095) == 0)
			room = 0;
		memcpy(p, &what, room < sizeof(what) ? room : sizeof(what));
	}
	request.ifr_data = (void *)p;
	*changes = number != SIOCGETTUNNEL && number != SIOCGETPRL && number != SIOCGET6RD;
	return ioctl(ioctl_fd, number, &request) ? -errno : 0;
}

/* --- files ---------------------------------------------------------------- */

/* Opens a file of a tunnel in /sys; -1 if there is none. */
static int open_knob(const char *device, const char *knob)
{
	char path[128];

	snprintf(path, sizeof(path), "/sys/class/net/%s/tunnel/%s", device, knob);
	return open(path, O_RDWR | O_CLOEXEC);
}

static int write_knob(const char *device, const char *knob, const char *text, size_t len)
{
	int fd = open_knob(device, knob), error = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, text, len) < 0)
		error = -errno;
	close(fd);
	return error;
}

/* A few words that mean something to one of the files, or damaged ones. */
static size_t random_text(char *text, size_t room)
{
	static const char *const words[] = {
		"0", "1", "3", "10", "255", "32767", "32768", "-1", "4294967296", "any",
		"random", "answer", "-answer", "damping", "authenticate", "follow",
		"-follow", "inner", "nat", "proto4", "10.0.0.2", "10.0.0.0/8", "10.0.0.1/33",
		"0.0.0.0/0", "0123456789abcdef0123456789abcdef", "", "\n",
	};
	int n = careful ? 1 : 1 + below(one_in(20) ? 300 : 4);
	size_t len = 0;

	while (n--)
		len += snprintf(text + len, room - len, "%s%s", words[below(COUNT(words))],
				n ? one_in(4) ? "," : " " : "");
	if (!careful && len && one_in(4))
		text[below(len)] = random32();
	return !careful && one_in(8) ? below(len + 1) : len;
}

/* The name of a tunnel that has the file, if there is one: few have. */
static const char *name_with(const char *knob)
{
	int first = below(GOOD_NAMES), i, fd;

	for (i = 0; i < GOOD_NAMES; i++) {
		const char *name = names[(first + i) % GOOD_NAMES];

		fd = open_knob(name, knob);
		if (fd >= 0) {
			close(fd);
			return name;
		}
	}
	return names[first];
}

static int random_knob(bool *changes)
{
	static const struct {
		const char *name, *fitting;
	} knobs[] = {
		{ "keepalive_interval", "10" }, { "keepalive_retries", "3" },
		{ "keepalive_options", "answer" },
		{ "keepalive_secret", "0123456789abcdef0123456789abcdef" },
		{ "keepalive_address", "10.0.0.2" }, { "learning", "1" },
		{ "learning_limit", "255" }, { "learning_timeout", "10" },
		{ "learning_filter", "10.0.0.0/8" }, { "replicate", "1" },
	};
	static char text[16384];
	size_t which = below(COUNT(knobs)), len = random_text(text, sizeof(text));

	sort = FILE_OF_TUNNEL;
	if (careful && one_in(2))
		len = snprintf(text, sizeof(text), "%s", knobs[which].fitting);
	*changes = len > 0;	/* writing nothing is no request */
	return write_knob(name_with(knobs[which].name), knobs[which].name, text, len);
}

/* Renaming, flags and MTU by the old interface. */
static int random_device_ioctl(void)
{
	static const int numbers[] = { SIOCSIFFLAGS, SIOCSIFFLAGS, SIOCSIFMTU, SIOCSIFNAME };
	int number = numbers[below(COUNT(numbers))];
	struct ifreq request = { 0 };

	sort = DEVICE_IOCTL;
	random_device_name(request.ifr_name);
	if (number == SIOCSIFFLAGS)
		request.ifr_flags = one_in(4) ? random32() : below(2);
	else if (number == SIOCSIFMTU)
		request.ifr_mtu = one_in(2) ? below(2000) : random32();
	else
		random_device_name(request.ifr_newname);
	return ioctl(ioctl_fd, number, &request) ? -errno : 0;
}

static unsigned long accepted, forbidden;

static void fail_allocation(int n);

static void random_request(unsigned long number, bool may_succeed, bool fail)
{
	static struct request r;
	bool changes = true;
	int error;

	careful = one_in(2);
	fail = fail && one_in(2);
	if (fail)
		fail_allocation(1 + below(60));
	switch (below(9)) {
	case 0:
	case 1:
	case 2:
		error = random_ioctl(&changes);
		break;
	case 3:
		error = one_in(2) ? random_neighbour_request(&r) : random_device_ioctl();
		break;
	case 4:
		error = random_knob(&changes);
		break;
	default:
		error = random_link_request(&r, &changes);
	}
	if (fail)
		fail_allocation(0);
	counts[sort].asked++;
	if (error) {
		forbidden += error == -EPERM;
		return;
	}
	counts[sort].accepted++;
	accepted++;
	if (changes && !may_succeed) {
		printf("request %lu of sort %d succeeded without rights\n", number, sort);
		exit(1);
	}
}

static void show_progress(unsigned long done, unsigned long every, const char *what)
{
	if (done && done % every == 0)
		printf("%lu %s so far\n", done, what);
}

/* Requests that all fail try little: some must be accepted; and without rights the
 * lack of them must be why they fail, not that nothing is there. That is a question
 * of luck, and judged where there are enough of them.
 */
static bool too_few(unsigned long count, unsigned long seen, unsigned long one_in_so_many,
		    const char *what)
{
	if (count < 200 || seen >= count / one_in_so_many)
		return false;
	printf("only %lu of %lu requests were %s: too few to have tried much\n",
	       seen, count, what);
	return true;
}

static int random_requests(unsigned long count, bool may_succeed, bool fail)
{
	unsigned long i;

	for (i = 0; i < count; i++)
		random_request(i, may_succeed, fail);
	printf("%lu requests, %lu accepted, %lu forbidden\n", count, accepted, forbidden);
	show_counts();
	if (!may_succeed)
		return too_few(count, forbidden, 4, "forbidden");
	return too_few(count, accepted, fail ? 40 : 20, "accepted");
}

static void drop_rights(void)
{
	struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct none[2] = { 0 };

	if (syscall(SYS_capset, &header, none))
		die("capset");
}

/* --- allocations that fail ------------------------------------------------ */

/* /proc/thread-self/fail-nth: writing n makes the nth allocation from now on
 * fail; reading says how many there are still to come.
 */
static int fail_nth(void)
{
	static int fd = -1;

	if (fd < 0)
		fd = open("/proc/thread-self/fail-nth", O_RDWR | O_CLOEXEC);
	if (fd < 0)
		die("/proc/thread-self/fail-nth");
	return fd;
}

static void fail_allocation(int n)
{
	int fd = fail_nth(), len;
	char text[16];

	len = snprintf(text, sizeof(text), "%d", n);
	if (pwrite(fd, text, len, 0) < 0)
		die("fail-nth");
}

/* Whether that allocation was reached; from here on none fails. */
static bool allocation_failed(void)
{
	char text[16] = { 0 };

	if (pread(fail_nth(), text, sizeof(text) - 1, 0) < 0)
		die("fail-nth");
	fail_allocation(0);
	return atoi(text) == 0;
}

/* The numbers of the attributes that a family of kinds has; 0: none of that sort. */
struct numbers {
	int local, remote, ttl, keys[2], flags[2];
};

static const struct numbers *numbers_of(const char *kind)
{
	static const struct numbers iptun = {
		.local = IFLA_IPTUN_LOCAL, .remote = IFLA_IPTUN_REMOTE, .ttl = IFLA_IPTUN_TTL,
	}, gre = {
		.local = IFLA_GRE_LOCAL, .remote = IFLA_GRE_REMOTE, .ttl = IFLA_GRE_TTL,
		.keys = { IFLA_GRE_IKEY, IFLA_GRE_OKEY },
		.flags = { IFLA_GRE_IFLAGS, IFLA_GRE_OFLAGS },
	}, vti = {
		.local = IFLA_VTI_LOCAL, .remote = IFLA_VTI_REMOTE,
		.keys = { IFLA_VTI_IKEY, IFLA_VTI_OKEY },
	};

	if (!strcmp(kind, "vti"))
		return &vti;
	return !strcmp(kind, "ipip") || !strcmp(kind, "sit") ? &iptun : &gre;
}

static void tunnel_data(struct request *r, const char *kind, uint32_t remote, int ttl)
{
	uint16_t key_and_sequence = htons(0x3000);
	const struct numbers *n = numbers_of(kind);
	uint32_t local = htonl(0x0a000001);
	struct nlattr *info, *values;
	uint8_t hops = ttl;
	int i;

	remote = htonl(remote);
	info = attribute(r, IFLA_LINKINFO, NULL, 0);
	attribute_text(r, IFLA_INFO_KIND, kind);
	values = attribute(r, IFLA_INFO_DATA, NULL, 0);
	attribute(r, n->local, &local, sizeof(local));
	attribute(r, n->remote, &remote, sizeof(remote));
	if (n->ttl)
		attribute(r, n->ttl, &hops, sizeof(hops));
	for (i = 0; i < 2; i++) {
		if (n->keys[i])
			attribute32(r, n->keys[i], htonl(5));
		if (n->flags[i])
			attribute(r, n->flags[i], &key_and_sequence, sizeof(key_and_sequence));
	}
	end_nest(r, values);
	end_nest(r, info);
}

/* Each of these is one request about the device site0; 0 or a negative errno. */
typedef int action(const char *kind);

static struct request one;

static int make_device(const char *kind)
{
	start(&one, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL);
	attribute_text(&one, IFLA_IFNAME, SITE);
	tunnel_data(&one, kind, 0x0a000002, 64);
	return ask(&one);
}

static int change_device(const char *kind)
{
	start(&one, RTM_NEWLINK, 0);
	attribute_text(&one, IFLA_IFNAME, SITE);
	tunnel_data(&one, kind, 0x0a000003, 65);
	return ask(&one);
}

static int set_up_device(const char *kind)
{
	(void)kind;
	start(&one, RTM_NEWLINK, 0);
	attribute_text(&one, IFLA_IFNAME, SITE);
	one.link.ifi_flags = one.link.ifi_change = IFF_UP;
	return ask(&one);
}

static int move_device(const char *kind)
{
	(void)kind;
	start(&one, RTM_NEWLINK, 0);
	attribute_text(&one, IFLA_IFNAME, SITE);
	attribute32(&one, IFLA_NET_NS_FD, peer_fd);
	return ask(&one);
}

static int delete_device(const char *kind)
{
	(void)kind;
	start(&one, RTM_DELLINK, 0);
	attribute_text(&one, IFLA_IFNAME, SITE);
	return ask(&one);
}

static int set_keepalive(const char *kind)
{
	(void)kind;
	return write_knob(SITE, "keepalive_interval", "10", 2);
}

/* The device that takes the ioctls of a kind; NULL if there are none. */
static const char *base_device(const char *kind)
{
	static const char *const bases[][2] = {
		{ "ipip", "tunl0" }, { "gre", "gre0" }, { "sit", "sit0" }, { "vti", "ip_vti0" },
	};
	size_t i;

	for (i = 0; i < COUNT(bases); i++)
		if (!strcmp(kind, bases[i][0]))
			return bases[i][1];
	return NULL;
}

static int tunnel_ioctl(const char *kind, const char *device, int number, uint32_t remote)
{
	struct ip_tunnel_parm p = { .name = SITE };
	struct ifreq request = { .ifr_data = (void *)&p };

	strncpy(request.ifr_name, device, IFNAMSIZ - 1);
	p.iph.version = 4;
	p.iph.ihl = 5;
	p.iph.ttl = 64;
	p.iph.frag_off = htons(0x4000);
	p.iph.saddr = htonl(0x0a000001);
	p.iph.daddr = htonl(remote);
	p.iph.protocol = !strcmp(kind, "gre") ? 47 : !strcmp(kind, "sit") ? 41 : 4;
	if (!strcmp(kind, "gre") || !strcmp(kind, "vti")) {
		p.i_flags = p.o_flags = GRE_KEY_FLAG;
		p.i_key = p.o_key = htonl(5);
	}
	return ioctl(ioctl_fd, number, &request) ? -errno : 0;
}

static int make_by_ioctl(const char *kind)
{
	return tunnel_ioctl(kind, base_device(kind), SIOCADDTUNNEL, 0x0a000002);
}

static int change_by_ioctl(const char *kind)
{
	return tunnel_ioctl(kind, SITE, SIOCCHGTUNNEL, 0x0a000003);
}

static int delete_by_ioctl(const char *kind)
{
	return tunnel_ioctl(kind, SITE, SIOCDELTUNNEL, 0x0a000002);
}

struct state {
	int len;	/* -1: no such device */
	uint8_t info[4096];
	char keepalive[16];
};

/* What the kernel says of site0's type, its options and its keepalive. */
static void look(struct state *s)
{
	static struct request r;
	struct nlmsghdr *h = (void *)answer;
	struct nlattr *a;
	ssize_t n;
	int fd;

	memset(s->keepalive, 0, sizeof(s->keepalive));
	fd = open_knob(SITE, "keepalive_interval");
	if (fd >= 0 && read(fd, s->keepalive, sizeof(s->keepalive) - 1) < 0)
		die("keepalive_interval");
	if (fd >= 0)
		close(fd);
	start(&r, RTM_GETLINK, 0);
	r.header.nlmsg_flags &= ~NLM_F_ACK;
	attribute_text(&r, IFLA_IFNAME, SITE);
	s->len = -1;
	if (send(rtnl_fd, &r, r.header.nlmsg_len, 0) < 0)
		die("send");
	do
		n = recv(rtnl_fd, answer, sizeof(answer), 0);
	while (n < 0 && errno == ENOBUFS);
	if (n < 0)
		die("no answer about site0");
	if (h->nlmsg_type != RTM_NEWLINK)
		return;
	a = NLMSG_DATA(h) + NLMSG_ALIGN(sizeof(struct ifinfomsg));
	while ((void *)a < (void *)h + h->nlmsg_len) {
		if ((a->nla_type & NLA_TYPE_MASK) == IFLA_LINKINFO) {
			s->len = a->nla_len;
			memcpy(s->info, a, a->nla_len);
		}
		a = (void *)a + NLA_ALIGN(a->nla_len);
	}
}

static bool same(const struct state *a, const struct state *b)
{
	return a->len == b->len && (a->len < 0 || !memcmp(a->info, b->info, a->len)) &&
	       !strcmp(a->keepalive, b->keepalive);
}

static void do_now(action *act, const char *kind)
{
	int error = act(kind);

	if (error) {
		printf("without a failing allocation: %s\n", strerror(-error));
		exit(1);
	}
}

/* The device is as it was made, whatever happened to it. */
static void reset(const char *kind, bool exists)
{
	struct state s;

	look(&s);
	if (s.len >= 0)
		do_now(delete_device, kind);
	if (exists)
		do_now(make_device, kind);
}

static void delete_in_peer(const char *kind)
{
	int here = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC), rtnl = rtnl_fd;

	if (setns(peer_fd, CLONE_NEWNET))
		die("setns");
	rtnl_fd = open_rtnl();
	do_now(delete_device, kind);
	close(rtnl_fd);
	rtnl_fd = rtnl;
	if (setns(here, CLONE_NEWNET))
		die("setns");
	close(here);
}

static int try_sites(const char *what, action *act, const char *kind, bool exists)
{
	static struct state before, after;
	int n, error, refused = 0;
	bool reached = true;

	for (n = 1; reached && n < 5000; n++) {
		reset(kind, exists);
		look(&before);
		fail_allocation(n);
		error = act(kind);
		reached = allocation_failed();
		look(&after);
		refused += !!error;
		if (act == move_device && after.len < 0)
			delete_in_peer(kind);
		if (error == -ETIMEDOUT)	/* the answer's own memory */
			continue;
		if (error && !reached) {
			printf("%s %s: %s though no allocation failed\n",
			       what, kind, strerror(-error));
			return 1;
		}
		if (error && !same(&before, &after)) {
			printf("%s %s: allocation %d failed, the request too (%s), but it changed something\n",
			       what, kind, n, strerror(-error));
			return 1;
		}
		if (!error && same(&before, &after) && act != set_up_device) {
			printf("%s %s: allocation %d failed, and success was reported of nothing\n",
			       what, kind, n);
			return 1;
		}
	}
	reset(kind, false);
	if (reached) {
		printf("%s %s: no end of allocations\n", what, kind);
		return 1;
	}
	printf("%s %s: %d allocation sites, %d refusals\n", what, kind, n - 2, refused);
	return 0;
}

static bool has_keepalive(const char *kind)
{
	struct state s;

	reset(kind, true);
	look(&s);
	return s.keepalive[0];
}

static int sites(const char *kind)
{
	return try_sites("make", make_device, kind, false) ||
	       try_sites("change", change_device, kind, true) ||
	       try_sites("up", set_up_device, kind, true) ||
	       try_sites("delete", delete_device, kind, true) ||
	       try_sites("move", move_device, kind, true) ||
	       (base_device(kind) &&
		(try_sites("make by ioctl", make_by_ioctl, kind, false) ||
		 try_sites("change by ioctl", change_by_ioctl, kind, true) ||
		 try_sites("delete by ioctl", delete_by_ioctl, kind, true))) ||
	       (has_keepalive(kind) && try_sites("keepalive", set_keepalive, kind, true));
}

/* A child of its own each time: its namespace goes when it ends. */
static int sites_of_namespace(void)
{
	int n, status = 1, refused = 0;

	for (n = 1; status; n++) {
		pid_t child;

		show_progress(n, 250, "allocation sites");
		child = fork();
		if (!child) {
			fail_allocation(n);
			if (unshare(CLONE_NEWNET) == 0)
				_exit(allocation_failed() ? 2 : 0);
			_exit(1);
		}
		if (child < 0 || waitpid(child, &status, 0) < 0 || !WIFEXITED(status))
			die("child");
		status = WEXITSTATUS(status);
		refused += status == 1;
	}
	printf("new namespace: %d allocation sites, %d refusals\n", n - 2, refused);
	return 0;
}

static bool load_once(int fd, int n)
{
	int error;

	fail_allocation(n);
	error = syscall(SYS_finit_module, fd, "", 0);
	if (allocation_failed())
		return false;
	if (error)
		die("the module does not load");
	return true;
}

static int sites_of_load(const char *file, const char *name)
{
	int fd = open(file, O_RDONLY | O_CLOEXEC), n = 0, unloads = 0;
	bool done = false;

	if (fd < 0)
		die(file);
	while (!done) {
		show_progress(n, 250, "allocation sites");
		done = load_once(fd, ++n);
		if (syscall(SYS_delete_module, name, O_NONBLOCK) == 0)
			unloads++;
		else if (errno != ENOENT)
			die("unload");
	}
	printf("load: %d allocation sites, %d refusals\n", n - 1, n - unloads);
	return 0;
}

/* --- ---------------------------------------------------------------------- */

static void begin(const char *peer)
{
	if (peer)
		peer_fd = open(peer, O_RDONLY | O_CLOEXEC);
	if (peer && peer_fd < 0)
		die(peer);
	rtnl_fd = open_rtnl();
	ioctl_fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
}

int main(int argc, char **argv)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc == 5 && (!strcmp(argv[1], "random") || !strcmp(argv[1], "failing") ||
			  !strcmp(argv[1], "refused"))) {
		bool allowed = strcmp(argv[1], "refused");

		random_seed(argv[3]);
		begin(argv[4]);
		if (!allowed)
			drop_rights();
		return random_requests(strtoul(argv[2], NULL, 0), allowed,
				       !strcmp(argv[1], "failing"));
	}
	if (argc == 4 && !strcmp(argv[1], "sites")) {
		begin(argv[3]);
		return sites(argv[2]);
	}
	if (argc == 2 && !strcmp(argv[1], "namespaces"))
		return sites_of_namespace();
	if (argc == 4 && !strcmp(argv[1], "load"))
		return sites_of_load(argv[2], argv[3]);
	fprintf(stderr, "usage: see the head of config.c\n");
	return 2;
}
