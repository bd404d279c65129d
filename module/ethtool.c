// SPDX-License-Identifier: GPL-2.0-only
/* Copyright (C) 2026 The culvert authors */
/* ethtool -i, and ethtool -S: why packets were not carried. */

#include <linux/ethtool.h>
#include <linux/module.h>
#include <linux/netdevice.h>

#include "culvert.h"

static void tunnel_get_drvinfo(struct net_device *dev, struct ethtool_drvinfo *info)
{
	struct tunnel *t = netdev_priv(dev);

	strscpy(info->driver, t->kind->name, sizeof(info->driver));
	/* the core has put the kernel's release there */
	strscpy_pad(info->version, CULVERT_VERSION, sizeof(info->version));
}

static int tunnel_get_sset_count(struct net_device *dev, int set)
{
	return set == ETH_SS_STATS ? DROP_MAX - 1 + EVENT_MAX : -EOPNOTSUPP;
}

static void tunnel_get_strings(struct net_device *dev, u32 set, u8 *data)
{
	enum tunnel_event e;
	enum tunnel_drop d;

	if (set != ETH_SS_STATS)
		return;
	for (d = DROP_NONE + 1; d < DROP_MAX; d++) {
		strscpy((char *)data, tunnel_drop_name(d), ETH_GSTRING_LEN);
		data += ETH_GSTRING_LEN;
	}
	for (e = 0; e < EVENT_MAX; e++) {
		strscpy((char *)data, tunnel_event_name(e), ETH_GSTRING_LEN);
		data += ETH_GSTRING_LEN;
	}
}

/* The base device speaks for packets that no tunnel took. RTNL. */
static void tunnel_get_stats(struct net_device *dev, struct ethtool_stats *stats, u64 *data)
{
	struct tunnel *t = netdev_priv(dev);
	struct tunnel_space *s = tunnel_space(t);
	enum tunnel_event e;
	enum tunnel_drop d;

	for (d = DROP_NONE + 1; d < DROP_MAX; d++) {
		*data = atomic_long_read(&t->drops[d]);
		if (s->base == t && d <= DROP_RX_UNKNOWN_LAST)
			*data += atomic_long_read(&s->unknown[d - DROP_RX_UNKNOWN_FIRST]);
		data++;
	}
	for (e = 0; e < EVENT_MAX; e++)
		*data++ = tunnel_event_read(t, e);
}

const struct ethtool_ops tunnel_ethtool_ops = {
	.get_drvinfo		= tunnel_get_drvinfo,
	.get_link		= ethtool_op_get_link,
	.get_sset_count		= tunnel_get_sset_count,
	.get_strings		= tunnel_get_strings,
	.get_ethtool_stats	= tunnel_get_stats,
};
