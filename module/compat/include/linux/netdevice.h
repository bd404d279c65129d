/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef CULVERT_COMPAT_LINUX_NETDEVICE_H
#define CULVERT_COMPAT_LINUX_NETDEVICE_H

#include_next <linux/netdevice.h>

#include <linux/slab.h>

#ifndef HAVE_DEV_ADDR_SET
static inline void __dev_addr_set(struct net_device *dev, const void *addr, size_t len)
{
	memcpy(dev->dev_addr, addr, len);
}
#endif

#ifndef HAVE_NETSTATS_TX_ADD
static inline void dev_sw_netstats_tx_add(struct net_device *dev, unsigned int packets,
					  unsigned int len)
{
	struct pcpu_sw_netstats *tstats = this_cpu_ptr(dev->tstats);

	u64_stats_update_begin(&tstats->syncp);
	tstats->tx_bytes += len;
	tstats->tx_packets += packets;
	u64_stats_update_end(&tstats->syncp);
}
#endif

#ifndef HAVE_DEV_STATS_INC
#define DEV_STATS_INC(DEV, FIELD)	((DEV)->stats.FIELD++)
#endif

#ifndef HAVE_NAPI_ADD_WEIGHT
#define netif_napi_add(dev, napi, poll)	\
	(netif_napi_add)(dev, napi, poll, NAPI_POLL_WEIGHT)
#endif

#ifndef HAVE_ALLOC_NETDEV_DUMMY
/* Private data is not supported; free_netdev() frees it. */
static inline struct net_device *alloc_netdev_dummy(int sizeof_priv)
{
	struct net_device *dev = kzalloc(sizeof(*dev), GFP_KERNEL);

	if (dev)
		init_dummy_netdev(dev);
	return dev;
}
#define free_netdev_dummy(dev)	kfree(dev)
#else
#define free_netdev_dummy(dev)	free_netdev(dev)
#endif

#endif
