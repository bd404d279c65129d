// SPDX-License-Identifier: GPL-2.0-only
/*
 * Hands one packet, over and over, to a device or to the receive path, and
 * tells what each handing over cost.
 *
 * The clock is meant to be QEMU's instruction counter (-icount shift=0): there
 * one nanosecond of CLOCK_MONOTONIC is one executed instruction, so every
 * "nanoseconds" below reads "instructions".
 *
 * /proc/bench_inject takes one command a write and gives the answer to the
 * last one when read. Device names are those of the writer's namespace.
 *
 *   packet SRC DST LENGTH [MAC]
 *	The packet to inject from now on: UDP, LENGTH bytes of IPv4 or IPv6,
 *	behind an Ethernet header to MAC if one is given.
 *   encap TUNNEL UNDERLAY
 *	Sends the packet once through TUNNEL; from now on the packet is what
 *	UNDERLAY transmitted for it.
 *   run PATH DEVICE BURST PACKETS HASHED ROUTED SPREAD
 *	PATH "xmit" hands it to dev_queue_xmit(), "receive" to
 *	netif_receive_skb(), "gro" to napi_gro_receive() in a NAPI round.
 *	BURST packets share one softirq round. HASHED 1 sets skb->hash as a
 *	connected socket does, ROUTED 1 gives it the route a packet of IP has.
 *	SPREAD n takes n outer sources (and GRE keys) in turn.
 *	Answer: cost of a packet in hundredths, first the mean of the middle
 *	half of all bursts, which leaves out those that a timer interrupt or a
 *	woken ksoftirqd fell into, then the mean of all; and the packets sent.
 *   idle
 *	Answer: now, and the time this CPU has been idle, in nanoseconds.
 */
#include <linux/module.h>
#include <linux/proc_fs.h>
#include <linux/uaccess.h>
#include <linux/sort.h>
#include <linux/inet.h>
#include <linux/tick.h>
#include <linux/kernel_stat.h>
#include <linux/nsproxy.h>
#include <linux/etherdevice.h>
#include <linux/udp.h>
#include <linux/if_tunnel.h>
#include <net/net_namespace.h>
#include <net/ip.h>
#include <net/ipv6.h>
#include <net/route.h>
#include <net/ip6_route.h>
#include <net/ip6_checksum.h>
#include <net/gre.h>
#include "compat.h"

#define MAX_BURSTS		65536
#define MAX_PACKET		2048
#define HEADROOM		128
#define KEY_STEP		0x9e3779b1u	/* as in tool.c */
#define SOURCE_PORT		4000
#define DEST_PORT		9

/* The packet that is injected. Everything here is under command_lock. */
static struct {
	u8 data[MAX_PACKET];
	unsigned int len;
	unsigned int l2;	/* length of its Ethernet header, or 0 */
	__be16 protocol;	/* of the network header */
	unsigned int key;	/* where the outer GRE header has its key... */
	unsigned int seq;	/* ...and its sequence number; 0: it has none */
	u32 next_seq;
} packet;

struct run {
	struct net_device *dev;
	void (*inject)(struct run *run, unsigned int burst);
	struct dst_entry *dst;
	struct napi_struct napi;
	unsigned int burst;
	unsigned int bursts;
	u32 *cost;		/* of each burst */
	unsigned int spread;
	unsigned int turn;
	unsigned int sent;
	unsigned int todo;	/* packets of the NAPI round under way */
	bool hashed;
	bool routed;
};

static DEFINE_MUTEX(command_lock);
static char answer[128];

/*
 * Marks for the profiler (bench/plugin): a run is a section of its own, in it
 * the time from begin to end counts. It knows them by their displacement.
 */
#define PROFILE_MARK(displacement) \
	asm volatile("nopl " displacement "(%%rax,%%rax,1)" ::: "memory")
#define profile_section()	PROFILE_MARK("0x53454354")
#define profile_begin()		PROFILE_MARK("0x43554c56")
#define profile_end()		PROFILE_MARK("0x56554c43")

static struct iphdr *outer_ip(u8 *data)
{
	return (struct iphdr *)(data + packet.l2);
}

/* One of SPREAD peers: its address, and its key where there is one. */
static void become_peer(u8 *data, unsigned int peer)
{
	struct iphdr *iph = outer_ip(data);

	iph->saddr = htonl(ntohl(iph->saddr) + peer);
	iph->check = 0;
	iph->check = ip_fast_csum(iph, iph->ihl);
	if (packet.key)
		be32_add_cpu((__be32 *)(data + packet.key), peer * KEY_STEP);
}

static void fill_packet(struct run *run, u8 *data)
{
	memcpy(data, packet.data, packet.len);
	if (run->spread > 1) {
		become_peer(data, run->turn);
		if (++run->turn == run->spread)
			run->turn = 0;
	}
	if (packet.seq)
		*(__be32 *)(data + packet.seq) = htonl(packet.next_seq++);
}

static struct sk_buff *make_skb(struct run *run)
{
	struct sk_buff *skb = alloc_skb(HEADROOM + packet.len, GFP_ATOMIC);

	if (unlikely(!skb))
		return NULL;
	skb_reserve(skb, HEADROOM);
	fill_packet(run, skb_put(skb, packet.len));
	run->sent++;
	skb->dev = run->dev;
	if (run->hashed)
		skb_set_hash(skb, 0x5a17ed01, PKT_HASH_TYPE_L4);
	return skb;
}

static void inject_xmit(struct run *run, unsigned int burst)
{
	struct sk_buff *skb;

	rcu_read_lock();
	while (burst--) {
		skb = make_skb(run);
		if (!skb)
			break;
		skb_reset_mac_header(skb);
		skb_set_network_header(skb, packet.l2);
		skb->protocol = packet.protocol;
		if (run->dst)
			skb_dst_set_noref(skb, run->dst);
		dev_queue_xmit(skb);
	}
	rcu_read_unlock();
}

static struct sk_buff *make_received_skb(struct run *run)
{
	struct sk_buff *skb = make_skb(run);

	if (likely(skb))
		skb->protocol = eth_type_trans(skb, run->dev);
	return skb;
}

static void inject_receive(struct run *run, unsigned int burst)
{
	struct sk_buff *skb;

	while (burst--) {
		skb = make_received_skb(run);
		if (!skb)
			break;
		netif_receive_skb(skb);
	}
}

static void inject_gro(struct run *run, unsigned int burst)
{
	run->todo += burst;
	napi_schedule(&run->napi);
}

static int gro_poll(struct napi_struct *napi, int budget)
{
	struct run *run = container_of(napi, struct run, napi);
	struct sk_buff *skb;
	int done = 0;

	while (run->todo && done < budget) {
		skb = make_received_skb(run);
		if (!skb)
			break;
		napi_gro_receive(napi, skb);
		run->todo--;
		done++;
	}
	if (run->todo)
		return budget;
	/* One burst is one round: complete, and then never the whole budget. */
	done = min(done, budget - 1);
	napi_complete_done(napi, done);
	return done;
}

static u32 time_burst(struct run *run)
{
	u64 start = ktime_get_ns();

	profile_begin();
	local_bh_disable();
	run->inject(run, run->burst);
	local_bh_enable();
	profile_end();
	return ktime_get_ns() - start;
}

static int compare_cost(const void *a, const void *b)
{
	u32 x = *(const u32 *)a, y = *(const u32 *)b;

	return x < y ? -1 : x > y;
}

/* In hundredths, the mean over bursts [from, to). */
static u64 cost_of_packet(struct run *run, unsigned int from, unsigned int to)
{
	unsigned int i;
	u64 sum = 0;

	for (i = from; i < to; i++)
		sum += run->cost[i];
	return div_u64(sum * 100, (to - from) * run->burst);
}

static int time_bursts(struct run *run)
{
	unsigned int n = run->bursts, i;

	run->cost = kvmalloc_array(n, sizeof(*run->cost), GFP_KERNEL);
	if (!run->cost)
		return -ENOMEM;
	profile_section();
	for (i = 0; i < n; i++) {
		run->cost[i] = time_burst(run);
		cond_resched();
	}
	sort(run->cost, n, sizeof(*run->cost), compare_cost, NULL);
	snprintf(answer, sizeof(answer), "%llu %llu %u\n",
		 cost_of_packet(run, n / 4, n - n / 4),
		 cost_of_packet(run, 0, n), run->sent);
	kvfree(run->cost);
	return 0;
}

/* What a packet from a local socket or a forwarding router carries. */
static struct dst_entry *route_packet(struct net *net)
{
	struct dst_entry *dst;

	if (packet.l2)
		return NULL;
	if (packet.protocol == htons(ETH_P_IP)) {
		struct flowi4 fl4 = { .daddr = outer_ip(packet.data)->daddr };
		struct rtable *rt = ip_route_output_key(net, &fl4);

		return IS_ERR(rt) ? ERR_CAST(rt) : &rt->dst;
	} else {
		struct ipv6hdr *ip6h = (struct ipv6hdr *)packet.data;
		struct flowi6 fl6 = { .daddr = ip6h->daddr };

		dst = ip6_route_output(net, NULL, &fl6);
		if (dst->error) {
			dst_release(dst);
			return ERR_PTR(-EHOSTUNREACH);
		}
		return dst;
	}
}

static int route_run(struct run *run)
{
	if (!run->routed)
		return 0;
	run->dst = route_packet(dev_net(run->dev));
	return PTR_ERR_OR_ZERO(run->dst);
}

static void send_one(struct run *run)
{
	local_bh_disable();
	inject_xmit(run, 1);
	local_bh_enable();
	dst_release(run->dst);
}

static int run_xmit(struct run *run)
{
	int err = route_run(run);

	if (err)
		return err;
	/* The first packet may teach the route a path MTU: look it up again. */
	send_one(run);
	err = route_run(run);
	if (err)
		return err;
	run->inject = inject_xmit;
	err = time_bursts(run);
	dst_release(run->dst);
	return err;
}

static int run_receive(struct run *run)
{
	run->inject = inject_receive;
	return time_bursts(run);
}

static int run_gro(struct run *run)
{
	int err;

	run->inject = inject_gro;
	netif_napi_add(run->dev, &run->napi, gro_poll);
	napi_enable(&run->napi);
	err = time_bursts(run);
	napi_disable(&run->napi);
	netif_napi_del(&run->napi);
	return err;
}

static struct net_device *writers_device(const char *name)
{
	return dev_get_by_name(current->nsproxy->net_ns, name);
}

static int start_run(struct run *run, const char *path)
{
	if (!strcmp(path, "xmit"))
		return run_xmit(run);
	if (!packet.l2)
		return -EINVAL;
	if (!strcmp(path, "receive"))
		return run_receive(run);
	if (!strcmp(path, "gro"))
		return run_gro(run);
	return -EINVAL;
}

static int do_run(const char *args)
{
	char path[16], name[IFNAMSIZ];
	unsigned int hashed, routed, packets;
	struct run *run;
	int err = -EINVAL;

	run = kzalloc(sizeof(*run), GFP_KERNEL);
	if (!run)
		return -ENOMEM;
	if (sscanf(args, "%15s %15s %u %u %u %u %u", path, name, &run->burst,
		   &packets, &hashed, &routed, &run->spread) != 7)
		goto out;
	if (!packet.len || !run->burst)
		goto out;
	run->bursts = packets / run->burst;
	if (!run->bursts || run->bursts > MAX_BURSTS)
		goto out;
	run->hashed = hashed;
	run->routed = routed;
	err = -ENODEV;
	run->dev = writers_device(name);
	if (!run->dev)
		goto out;
	err = start_run(run, path);
	dev_put(run->dev);
out:
	kfree(run);
	return err;
}

/* As it would be on a wire: its checksum is not left to the hardware. */
static void keep_packet(struct sk_buff *skb)
{
	if (skb->ip_summed == CHECKSUM_PARTIAL && skb_checksum_help(skb))
		return;
	if (skb->len > MAX_PACKET || skb_copy_bits(skb, 0, packet.data, skb->len))
		return;
	packet.l2 = skb_network_offset(skb);
	packet.len = skb->len;
	packet.protocol = skb->protocol;
}

/* An outgoing IPv4 packet of the tapped device becomes the packet. */
static int tap_packet(struct sk_buff *skb, struct net_device *dev,
		      struct packet_type *pt, struct net_device *orig_dev)
{
	struct sk_buff *copy;

	if (skb->pkt_type == PACKET_OUTGOING &&
	    skb_network_offset(skb) == ETH_HLEN &&
	    skb->protocol == htons(ETH_P_IP)) {
		copy = skb_copy(skb, GFP_ATOMIC);
		if (copy)
			keep_packet(copy);
		consume_skb(copy);
	}
	consume_skb(skb);
	return 0;
}

static void find_gre_fields(void)
{
	struct iphdr *iph = outer_ip(packet.data);
	unsigned int at = packet.l2 + iph->ihl * 4;
	__be16 flags;

	packet.key = 0;
	packet.seq = 0;
	if (iph->protocol != IPPROTO_GRE)
		return;
	flags = *(__be16 *)(packet.data + at);
	at += 4;
	if (flags & GRE_CSUM)
		at += 4;
	if (flags & GRE_KEY) {
		packet.key = at;
		at += 4;
	}
	if (flags & GRE_SEQ) {
		packet.seq = at;
		/* the peer has seen this one already */
		packet.next_seq = ntohl(*(__be32 *)(packet.data + at)) + 1;
	}
}

static int send_tapped(struct net_device *tunnel, struct net_device *underlay)
{
	struct packet_type tap = {
		.type = htons(ETH_P_ALL),
		.dev = underlay,
		.func = tap_packet,
	};
	struct run run = { .dev = tunnel, .routed = true };
	unsigned int len = packet.len;
	int err = route_run(&run);

	if (err)
		return err;
	dev_add_pack(&tap);
	send_one(&run);
	dev_remove_pack(&tap);
	if (packet.len <= len)
		return -ENETUNREACH;
	find_gre_fields();
	return 0;
}

static int do_encap(const char *args)
{
	char tunnel_name[IFNAMSIZ], underlay_name[IFNAMSIZ];
	struct net_device *tunnel, *underlay;
	int err = -ENODEV;

	if (!packet.len ||
	    sscanf(args, "%15s %15s", tunnel_name, underlay_name) != 2)
		return -EINVAL;
	tunnel = writers_device(tunnel_name);
	underlay = writers_device(underlay_name);
	if (tunnel && underlay)
		err = send_tapped(tunnel, underlay);
	if (underlay)
		dev_put(underlay);
	if (tunnel)
		dev_put(tunnel);
	return err;
}

static void build_udp(struct udphdr *uh, unsigned int len)
{
	unsigned int i;
	u8 *payload = (u8 *)(uh + 1);

	uh->source = htons(SOURCE_PORT);
	uh->dest = htons(DEST_PORT);
	uh->len = htons(len);
	uh->check = 0;
	for (i = 0; i < len - sizeof(*uh); i++)
		payload[i] = i;
}

static void build_ipv4(void *at, const u8 *src, const u8 *dst, unsigned int len)
{
	unsigned int udp_len = len - sizeof(struct iphdr);
	struct iphdr *iph = at;
	struct udphdr *uh = at + sizeof(*iph);

	iph->version = 4;
	iph->ihl = 5;
	iph->tot_len = htons(len);
	iph->frag_off = htons(IP_DF);
	iph->ttl = 64;
	iph->protocol = IPPROTO_UDP;
	memcpy(&iph->saddr, src, 4);
	memcpy(&iph->daddr, dst, 4);
	iph->check = ip_fast_csum(iph, iph->ihl);
	build_udp(uh, udp_len);
	uh->check = csum_tcpudp_magic(iph->saddr, iph->daddr, udp_len,
				      IPPROTO_UDP, csum_partial(uh, udp_len, 0));
}

static void build_ipv6(void *at, const u8 *src, const u8 *dst, unsigned int len)
{
	unsigned int udp_len = len - sizeof(struct ipv6hdr);
	struct ipv6hdr *ip6h = at;
	struct udphdr *uh = at + sizeof(*ip6h);

	ip6h->version = 6;
	ip6h->payload_len = htons(udp_len);
	ip6h->nexthdr = IPPROTO_UDP;
	ip6h->hop_limit = 64;
	memcpy(&ip6h->saddr, src, 16);
	memcpy(&ip6h->daddr, dst, 16);
	build_udp(uh, udp_len);
	uh->check = csum_ipv6_magic(&ip6h->saddr, &ip6h->daddr, udp_len,
				    IPPROTO_UDP, csum_partial(uh, udp_len, 0));
}

static int build_ethernet(const char *mac)
{
	struct ethhdr *eth = (struct ethhdr *)packet.data;
	u8 *to = eth->h_dest;

	eth->h_proto = packet.protocol;
	eth_random_addr(eth->h_source);
	if (sscanf(mac, "%hhx:%hhx:%hhx:%hhx:%hhx:%hhx", to, to + 1, to + 2,
		   to + 3, to + 4, to + 5) != ETH_ALEN)
		return -EINVAL;
	packet.l2 = ETH_HLEN;
	return 0;
}

static int do_packet(const char *args)
{
	char src[48], dst[48], mac[20] = "";
	u8 from[16], to[16];
	unsigned int len;
	void *at;

	if (sscanf(args, "%47s %47s %u %19s", src, dst, &len, mac) < 3 ||
	    len < 64 || len > MAX_PACKET - ETH_HLEN)
		return -EINVAL;
	memset(&packet, 0, sizeof(packet));
	at = packet.data + (*mac ? ETH_HLEN : 0);
	if (in4_pton(src, -1, from, -1, NULL) &&
	    in4_pton(dst, -1, to, -1, NULL)) {
		packet.protocol = htons(ETH_P_IP);
		build_ipv4(at, from, to, len);
	} else if (in6_pton(src, -1, from, -1, NULL) &&
		   in6_pton(dst, -1, to, -1, NULL)) {
		packet.protocol = htons(ETH_P_IPV6);
		build_ipv6(at, from, to, len);
	} else {
		return -EINVAL;
	}
	if (*mac && build_ethernet(mac))
		return -EINVAL;
	packet.len = packet.l2 + len;
	return 0;
}

static int do_idle(void)
{
	u64 idle = get_cpu_idle_time_us(0, NULL);

	if (idle == (u64)-1)
		return -EOPNOTSUPP;
	snprintf(answer, sizeof(answer), "%llu %llu\n", ktime_get_ns(),
		 idle * NSEC_PER_USEC);
	return 0;
}

static int do_command(char *line)
{
	char *args = strim(line), *word = strsep(&args, " ");

	answer[0] = '\0';
	if (!strcmp(word, "idle"))
		return do_idle();
	if (!args)
		return -EINVAL;
	if (!strcmp(word, "packet"))
		return do_packet(args);
	if (!strcmp(word, "encap"))
		return do_encap(args);
	if (!strcmp(word, "run"))
		return do_run(args);
	return -EINVAL;
}

static ssize_t inject_write(struct file *file, const char __user *from,
			    size_t size, loff_t *pos)
{
	char *line;
	int err;

	if (size > PAGE_SIZE)
		return -EINVAL;
	line = memdup_user_nul(from, size);
	if (IS_ERR(line))
		return PTR_ERR(line);
	mutex_lock(&command_lock);
	err = do_command(line);
	mutex_unlock(&command_lock);
	kfree(line);
	return err ? err : size;
}

static ssize_t inject_read(struct file *file, char __user *to, size_t size,
			   loff_t *pos)
{
	ssize_t ret;

	mutex_lock(&command_lock);
	ret = simple_read_from_buffer(to, size, pos, answer, strlen(answer));
	mutex_unlock(&command_lock);
	return ret;
}

static const struct proc_ops inject_ops = {
	.proc_write	= inject_write,
	.proc_read	= inject_read,
	.proc_lseek	= default_llseek,
};

static int __init inject_init(void)
{
	if (!proc_create("bench_inject", 0600, NULL, &inject_ops))
		return -ENOMEM;
	return 0;
}

static void __exit inject_exit(void)
{
	remove_proc_entry("bench_inject", NULL);
}

module_init(inject_init);
module_exit(inject_exit);
MODULE_DESCRIPTION("Packet injector of the culvert benchmark");
MODULE_LICENSE("GPL");
