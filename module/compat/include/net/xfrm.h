/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef CULVERT_COMPAT_NET_XFRM_H
#define CULVERT_COMPAT_NET_XFRM_H

#include_next <net/xfrm.h>

#ifndef HAVE_DECODE_SESSION_NET
static inline int compat_xfrm_decode_session(struct net *net, struct sk_buff *skb,
					     struct flowi *fl, unsigned int family)
{
	return xfrm_decode_session(skb, fl, family);
}
#define xfrm_decode_session compat_xfrm_decode_session
#endif

#endif
