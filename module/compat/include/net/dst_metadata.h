/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef CULVERT_COMPAT_NET_DST_METADATA_H
#define CULVERT_COMPAT_NET_DST_METADATA_H

#include_next <net/dst_metadata.h>

#ifndef HAVE_TUNNEL_FLAGS_BITMAP
/* Flags once were a __be16, bit n of which is bit n of the bitmap. */
static inline struct metadata_dst *compat_tun_rx_dst(struct sk_buff *skb,
						     const unsigned long *flags,
						     __be64 tunnel_id, int md_size)
{
	return ip_tun_rx_dst(skb, cpu_to_be16(*flags), tunnel_id, md_size);
}
#define ip_tun_rx_dst compat_tun_rx_dst
#endif

#endif
