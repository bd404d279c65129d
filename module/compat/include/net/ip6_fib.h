/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef CULVERT_COMPAT_NET_IP6_FIB_H
#define CULVERT_COMPAT_NET_IP6_FIB_H

#include_next <net/ip6_fib.h>

#ifndef HAVE_DST_RT6_INFO
#define dst_rt6_info(dst_)	container_of(dst_, struct rt6_info, dst)
#endif

#endif
