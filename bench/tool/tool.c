// SPDX-License-Identifier: GPL-2.0-only
/*
 * The user-space half of the benchmark, run in the guest.
 *
 *   tool sink
 *	Binds UDP port 9 for IPv4 and IPv6 with a filter that drops everything
 *	and stays there until killed. Says "ready" once bound.
 *   tool tcp NETNS-FROM NETNS-TO ADDRESS MIB
 *	Sends MIB over TCP between two named namespaces, this one process being
 *	both ends, so the CPU is never idle. Prints the cost of a MiB and the
 *	number of acknowledgements the sender got for it.
 *   tool links OPERATION KIND FIRST COUNT
 *	OPERATION is "up" (create and set up), "new", "change" or "del", KIND is
 *	ipip, gre-key or dummy; devices are named n<number>. Prints the cost of
 *	one operation; time spent idle (waiting for RCU) is not counted.
 *
 * Cost is nanoseconds of CLOCK_MONOTONIC, which under -icount shift=0 are
 * executed instructions.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/if_link.h>
#include <linux/if_tunnel.h>
#include <linux/ip.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/tcp.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define SINK_PORT	9
#define TCP_PORT	5001
#define CHUNK		(64 * 1024)
#define MIB		(1024 * 1024)
#define WARM_UP_MIB	4
#define UNDERLAY_LOCAL	0x0a090002u	/* 10.9.0.2 */
#define UNDERLAY_PEERS	0x0a100001u	/* 10.16.0.1 and the following */
#define FIRST_KEY	1
#define KEY_STEP	0x9e3779b1u	/* keys do not count up with addresses */

/* For bench/plugin, as in bench/inject. */
#define PROFILE_MARK(displacement) \
	asm volatile("nopl " displacement "(%%rax,%%rax,1)" ::: "memory")
#define profile_section()	PROFILE_MARK("0x53454354")
#define profile_begin()		PROFILE_MARK("0x43554c56")
#define profile_end()		PROFILE_MARK("0x56554c43")

static uint64_t now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ull + ts.tv_nsec;
}

/* --- sink ---------------------------------------------------------------- */

static void bind_sink(int family)
{
	struct sock_filter drop = BPF_STMT(BPF_RET | BPF_K, 0);
	struct sock_fprog filter = { .len = 1, .filter = &drop };
	struct sockaddr_in6 sin6 = { .sin6_family = AF_INET6,
				     .sin6_port = htons(SINK_PORT) };
	struct sockaddr_in sin = { .sin_family = AF_INET,
				   .sin_port = htons(SINK_PORT) };
	int one = 1, s = socket(family, SOCK_DGRAM, 0);
	bool v6 = family == AF_INET6;

	if (s < 0)
		err(1, "socket");
	if (v6 && setsockopt(s, IPPROTO_IPV6, IPV6_V6ONLY, &one,
			     sizeof(one)))
		err(1, "IPV6_V6ONLY");
	if (setsockopt(s, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof(filter)))
		err(1, "SO_ATTACH_FILTER");
	if (bind(s, v6 ? (void *)&sin6 : (void *)&sin,
		 v6 ? sizeof(sin6) : sizeof(sin)))
		err(1, "bind");
}

static void sink(void)
{
	bind_sink(AF_INET);
	bind_sink(AF_INET6);
	puts("ready");
	fflush(stdout);
	for (;;)
		pause();
}

/* --- tcp ----------------------------------------------------------------- */

static void enter_netns(const char *name)
{
	char path[256];
	int fd;

	snprintf(path, sizeof(path), "/var/run/netns/%s", name);
	fd = open(path, O_RDONLY);
	if (fd < 0 || setns(fd, CLONE_NEWNET))
		err(1, "%s", path);
	close(fd);
}

struct address {
	union {
		struct sockaddr sa;
		struct sockaddr_in sin;
		struct sockaddr_in6 sin6;
	};
	socklen_t len;
};

static struct address parse_address(const char *text)
{
	struct address a = { 0 };

	if (inet_pton(AF_INET, text, &a.sin.sin_addr) == 1) {
		a.sin.sin_family = AF_INET;
		a.sin.sin_port = htons(TCP_PORT);
		a.len = sizeof(a.sin);
	} else if (inet_pton(AF_INET6, text, &a.sin6.sin6_addr) == 1) {
		a.sin6.sin6_family = AF_INET6;
		a.sin6.sin6_port = htons(TCP_PORT);
		a.len = sizeof(a.sin6);
	} else {
		errx(1, "not an address: %s", text);
	}
	return a;
}

static int listen_at(struct address *a)
{
	int one = 1, s = socket(a->sa.sa_family, SOCK_STREAM, 0);

	if (s < 0 || setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) ||
	    bind(s, &a->sa, a->len) || listen(s, 1))
		err(1, "listen");
	return s;
}

static int connect_to(struct address *a)
{
	int size = 4 * MIB, s = socket(a->sa.sa_family, SOCK_STREAM, 0);

	if (s < 0 ||
	    setsockopt(s, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size)) ||
	    connect(s, &a->sa, a->len))
		err(1, "connect");
	if (fcntl(s, F_SETFL, O_NONBLOCK))
		err(1, "O_NONBLOCK");
	return s;
}

/* A chunk in, a chunk out; the processing happens inside these two calls. */
static void transfer(int from, int to, uint64_t bytes)
{
	static char buffer[CHUNK];
	uint64_t sent = 0, received = 0;
	ssize_t n;

	while (received < bytes) {
		if (sent < bytes && sent - received < CHUNK) {
			n = write(from, buffer, CHUNK);
			if (n < 0 && errno != EAGAIN)
				err(1, "write");
			if (n > 0)
				sent += n;
		}
		n = recv(to, buffer, CHUNK, MSG_DONTWAIT);
		if (n < 0 && errno != EAGAIN)
			err(1, "read");
		if (n > 0)
			received += n;
	}
}

static uint32_t acknowledgements(int s)
{
	struct tcp_info info;
	socklen_t len = sizeof(info);

	memset(&info, 0, sizeof(info));
	if (getsockopt(s, IPPROTO_TCP, TCP_INFO, &info, &len))
		err(1, "TCP_INFO");
	return info.tcpi_segs_in;
}

static int tcp(char **argv)
{
	struct address a = parse_address(argv[2]);
	unsigned int mib = atoi(argv[3]);
	int listener, from, to;
	uint64_t start, cost;
	uint32_t acks;

	enter_netns(argv[1]);
	listener = listen_at(&a);
	enter_netns(argv[0]);
	from = connect_to(&a);
	to = accept(listener, NULL, NULL);
	if (to < 0)
		err(1, "accept");
	transfer(from, to, WARM_UP_MIB * MIB);
	acks = acknowledgements(from);
	profile_section();
	start = now();
	profile_begin();
	transfer(from, to, (uint64_t)mib * MIB);
	profile_end();
	cost = now() - start;
	acks = acknowledgements(from) - acks;
	printf("%llu %.2f\n", (unsigned long long)cost / mib,
	       (double)acks / mib);
	return 0;
}

/* --- links --------------------------------------------------------------- */

struct request {
	struct nlmsghdr nlh;
	struct ifinfomsg ifi;
	char attributes[512];
};

static void put(struct request *r, int type, const void *data, size_t len)
{
	struct rtattr *rta = (void *)r + NLMSG_ALIGN(r->nlh.nlmsg_len);

	rta->rta_type = type;
	rta->rta_len = RTA_LENGTH(len);
	if (len)
		memcpy(RTA_DATA(rta), data, len);
	r->nlh.nlmsg_len = NLMSG_ALIGN(r->nlh.nlmsg_len) +
			   RTA_ALIGN(rta->rta_len);
}

static void put32(struct request *r, int type, uint32_t host_order)
{
	host_order = htonl(host_order);
	put(r, type, &host_order, 4);
}

static void put8(struct request *r, int type, uint8_t value)
{
	put(r, type, &value, 1);
}

static void put16(struct request *r, int type, uint16_t raw)
{
	put(r, type, &raw, 2);
}

static struct rtattr *nest(struct request *r, int type)
{
	struct rtattr *start = (void *)r + NLMSG_ALIGN(r->nlh.nlmsg_len);

	put(r, type, NULL, 0);
	return start;
}

static void nest_end(struct request *r, struct rtattr *start)
{
	start->rta_len = (void *)r + r->nlh.nlmsg_len - (void *)start;
}

static void put_ipip(struct request *r, unsigned int i, uint8_t ttl)
{
	put32(r, IFLA_IPTUN_LOCAL, UNDERLAY_LOCAL);
	put32(r, IFLA_IPTUN_REMOTE, UNDERLAY_PEERS + i);
	put8(r, IFLA_IPTUN_TTL, ttl);
	put8(r, IFLA_IPTUN_PMTUDISC, 1);
	put8(r, IFLA_IPTUN_PROTO, IPPROTO_IPIP);
}

static void put_gre_key(struct request *r, unsigned int i, uint8_t ttl)
{
	put32(r, IFLA_GRE_LOCAL, UNDERLAY_LOCAL);
	put32(r, IFLA_GRE_REMOTE, UNDERLAY_PEERS + i);
	put32(r, IFLA_GRE_IKEY, FIRST_KEY + i * KEY_STEP);
	put32(r, IFLA_GRE_OKEY, FIRST_KEY + i * KEY_STEP);
	put16(r, IFLA_GRE_IFLAGS, GRE_KEY);
	put16(r, IFLA_GRE_OFLAGS, GRE_KEY);
	put8(r, IFLA_GRE_TTL, ttl);
	put8(r, IFLA_GRE_PMTUDISC, 1);
}

static const struct link_kind {
	const char *name, *rtnl;
	void (*put)(struct request *r, unsigned int i, uint8_t ttl);
} link_kinds[] = {
	{ "ipip", "ipip", put_ipip },
	{ "gre-key", "gre", put_gre_key },
	{ "dummy", "dummy", NULL },
};

static const struct link_kind *find_kind(const char *name)
{
	size_t i;

	for (i = 0; i < sizeof(link_kinds) / sizeof(link_kinds[0]); i++)
		if (!strcmp(link_kinds[i].name, name))
			return &link_kinds[i];
	errx(2, "unknown kind: %s", name);
}

static void put_linkinfo(struct request *r, const struct link_kind *kind,
			 unsigned int i, uint8_t ttl)
{
	struct rtattr *info = nest(r, IFLA_LINKINFO), *data;

	put(r, IFLA_INFO_KIND, kind->rtnl, strlen(kind->rtnl) + 1);
	if (kind->put) {
		data = nest(r, IFLA_INFO_DATA);
		kind->put(r, i, ttl);
		nest_end(r, data);
	}
	nest_end(r, info);
}

static struct request build(const char *operation, const struct link_kind *kind,
			    unsigned int i)
{
	struct request r = {
		.nlh.nlmsg_len = NLMSG_LENGTH(sizeof(struct ifinfomsg)),
		.nlh.nlmsg_type = RTM_NEWLINK,
		.nlh.nlmsg_flags = NLM_F_REQUEST,
	};
	char name[IFNAMSIZ];

	snprintf(name, sizeof(name), "n%u", i);
	put(&r, IFLA_IFNAME, name, strlen(name) + 1);
	if (!strcmp(operation, "del")) {
		r.nlh.nlmsg_type = RTM_DELLINK;
		return r;
	}
	if (!strcmp(operation, "change")) {
		put_linkinfo(&r, kind, i, 63);
		return r;
	}
	r.nlh.nlmsg_flags |= NLM_F_CREATE | NLM_F_EXCL;
	if (!strcmp(operation, "up")) {
		r.ifi.ifi_flags = IFF_UP;
		r.ifi.ifi_change = IFF_UP;
	} else if (strcmp(operation, "new")) {
		errx(2, "unknown operation: %s", operation);
	}
	put_linkinfo(&r, kind, i, 64);
	return r;
}

/* Without NLM_F_ACK only an error is answered, and at once. */
static void send_request(int s, struct request *r)
{
	char answer[1024];
	struct nlmsghdr *nlh = (void *)answer;

	if (send(s, r, r->nlh.nlmsg_len, 0) < 0)
		err(1, "send");
	if (recv(s, answer, sizeof(answer), MSG_DONTWAIT) > 0 &&
	    nlh->nlmsg_type == NLMSG_ERROR) {
		errno = -((struct nlmsgerr *)NLMSG_DATA(nlh))->error;
		err(1, "netlink");
	}
}

/* Time less the time this CPU was idle, from the injector. */
static uint64_t busy(void)
{
	unsigned long long at, idle;
	char text[128] = "";
	int fd = open("/proc/bench_inject", O_RDWR);

	if (fd < 0 || write(fd, "idle", 4) != 4 ||
	    pread(fd, text, sizeof(text) - 1, 0) < 0 ||
	    sscanf(text, "%llu %llu", &at, &idle) != 2)
		err(1, "/proc/bench_inject");
	close(fd);
	return at - idle;
}

static int links(char **argv)
{
	const struct link_kind *kind = find_kind(argv[1]);
	unsigned int first = atoi(argv[2]), count = atoi(argv[3]), i;
	int s = socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);
	struct request r;
	uint64_t start;

	if (s < 0)
		err(1, "netlink socket");
	start = busy();
	for (i = first; i < first + count; i++) {
		r = build(argv[0], kind, i);
		send_request(s, &r);
	}
	printf("%llu\n", (unsigned long long)(busy() - start) / count);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 2 && !strcmp(argv[1], "sink"))
		sink();
	if (argc == 6 && !strcmp(argv[1], "tcp"))
		return tcp(argv + 2);
	if (argc == 6 && !strcmp(argv[1], "links") && atoi(argv[5]) > 0)
		return links(argv + 2);
	fprintf(stderr, "usage: tool sink | tcp FROM TO ADDRESS MIB | links OPERATION KIND FIRST COUNT\n");
	return 2;
}
