/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef CULVERT_COMPAT_NET_RTNETLINK_H
#define CULVERT_COMPAT_NET_RTNETLINK_H

#include_next <net/rtnetlink.h>

#ifndef HAVE_NEWLINK_PARAMS
/* Where there is no link_net, the core makes the device there and moves it. */
struct rtnl_newlink_params {
	struct net *link_net;
	struct nlattr **tb;
	struct nlattr **data;
};
#endif

#endif
