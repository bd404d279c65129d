/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef CULVERT_COMPAT_NET_INET_DSCP_H
#define CULVERT_COMPAT_NET_INET_DSCP_H

#if __has_include_next(<net/inet_dscp.h>)
#include_next <net/inet_dscp.h>
#else
#include <linux/in_route.h>
/* Before the kernel knew DSCP, routes matched the RFC 1349 bits of the tos. */
#define INET_DSCP_MASK	IPTOS_RT_MASK
#endif

#endif
