/* SPDX-License-Identifier: GPL-2.0-only */
/* The injector's differences between kernels; Kbuild probes for them. */
#ifndef BENCH_INJECT_COMPAT_H
#define BENCH_INJECT_COMPAT_H

#include <linux/netdevice.h>

#ifndef HAVE_NAPI_ADD_THREE
static inline void bench_napi_add(struct net_device *dev,
				  struct napi_struct *napi,
				  int (*poll)(struct napi_struct *, int))
{
	netif_napi_add(dev, napi, poll, NAPI_POLL_WEIGHT);
}
#define netif_napi_add bench_napi_add
#endif

#endif
