/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef CULVERT_COMPAT_NET_IP_TUNNELS_H
#define CULVERT_COMPAT_NET_IP_TUNNELS_H

#include <net/inet_dscp.h>

#include_next <net/ip_tunnels.h>

#ifndef HAVE_TUNNEL_FLAGS_BITMAP
#define IP_TUNNEL_DECLARE_FLAGS(name)	unsigned long name[1]

enum {
	IP_TUNNEL_CSUM_BIT		= 0,
	IP_TUNNEL_KEY_BIT		= 2,
	IP_TUNNEL_SEQ_BIT		= 3,
	IP_TUNNEL_DONT_FRAGMENT_BIT	= 8,
	IP_TUNNEL_ERSPAN_OPT_BIT	= 14,
};
#endif

#ifndef HAVE_INIT_FLOW_NET
/* The device, and through it the VRF, is flowi4_oif's business alone. */
static inline void compat_tunnel_init_flow(struct flowi4 *fl4, int proto, __be32 daddr,
					   __be32 saddr, __be32 key, __u8 tos,
					   struct net *net, int oif, __u32 mark,
					   __u32 hash, __u8 flow_flags)
{
	ip_tunnel_init_flow(fl4, proto, daddr, saddr, key, tos, oif, mark, hash);
}
#define ip_tunnel_init_flow compat_tunnel_init_flow
#endif

#ifndef HAVE_LIMIT_HEADROOM
/* More would overflow the header offsets of an skb. */
static inline unsigned int ip_tunnel_limit_headroom(unsigned int headroom)
{
	return min(headroom, 512U);
}
#endif

#ifndef HAVE_ADJ_HEADROOM
static inline void ip_tunnel_adj_headroom(struct net_device *dev, unsigned int headroom)
{
	headroom = ip_tunnel_limit_headroom(headroom);
	if (headroom > READ_ONCE(dev->needed_headroom))
		WRITE_ONCE(dev->needed_headroom, headroom);
}
#endif

#endif
