# SPDX-License-Identifier: GPL-2.0-only
# What this kernel's headers have. Stable series and distributions backport, so
# the symbol is asked for and not the version.
#
#   $(call has,SYMBOL-REGEXP,HEADER,MACRO)   -DMACRO if the header has it

has = $(shell grep -qsE '$(1)' $(srctree)/include/$(2) && echo -D$(3))

compat-flags := \
	$(call has,IP_TUNNEL_DECLARE_FLAGS,net/ip_tunnels.h,HAVE_TUNNEL_FLAGS_BITMAP) \
	$(call has,struct net .net. int oif,net/ip_tunnels.h,HAVE_INIT_FLOW_NET) \
	$(call has,struct ip_tunnel_parm_kern,net/ip_tunnels.h,HAVE_TUNNEL_PARM_KERN) \
	$(call has,struct rtnl_newlink_params,net/rtnetlink.h,HAVE_NEWLINK_PARAMS) \
	$(call has,ndo_siocdevprivate,linux/netdevice.h,HAVE_SIOCDEVPRIVATE) \
	$(call has,lltx:1,linux/netdevice.h,HAVE_LLTX_FLAG) \
	$(call has,netns_immutable:1,linux/netdevice.h,HAVE_NETNS_IMMUTABLE) \
	$(call has,netns_local:1,linux/netdevice.h,HAVE_NETNS_LOCAL_FLAG) \
	$(call has,alloc_netdev_dummy,linux/netdevice.h,HAVE_ALLOC_NETDEV_DUMMY) \
	$(call has,netif_napi_add_weight,linux/netdevice.h,HAVE_NAPI_ADD_WEIGHT) \
	$(call has,__dev_addr_set,linux/netdevice.h,HAVE_DEV_ADDR_SET) \
	$(call has,dev_sw_netstats_tx_add,linux/netdevice.h,HAVE_NETSTATS_TX_ADD) \
	$(call has,define DEV_STATS_INC,linux/netdevice.h,HAVE_DEV_STATS_INC) \
	$(call has,kfree_skb_reason,linux/skbuff.h,HAVE_KFREE_SKB_REASON) \
	$(call has,parse..const struct sk_buff .skb.$$,linux/netdevice.h,HAVE_HEADER_PARSE_DEV) \
	$(call has,dst_rt6_info,net/ip6_fib.h,HAVE_DST_RT6_INFO) \
	$(call has,ip_tunnel_limit_headroom,net/ip_tunnels.h,HAVE_LIMIT_HEADROOM) \
	$(call has,ip_tunnel_adj_headroom,net/ip_tunnels.h,HAVE_ADJ_HEADROOM) \
	$(call has,flow_flags,net/ip_tunnels.h,HAVE_TUNNEL_FLOW_FLAGS) \
	$(call has,ip_tunnel_md_udp_encap,net/ip_tunnels.h,HAVE_TUNNEL_INFO_ENCAP) \
	$(call has,netns_ok,net/protocol.h,HAVE_NETNS_OK) \
	$(call has,void neigh_confirm,net/neighbour.h,HAVE_NEIGH_CONFIRM) \
	$(call has,hrtimer_setup,linux/hrtimer.h,HAVE_HRTIMER_SETUP) \
	$(call has,get_random_u32_below,linux/random.h,HAVE_RANDOM_BELOW) \
	$(call has,xfrm_decode_session.struct net,net/xfrm.h,HAVE_DECODE_SESSION_NET) \
	$(call has,init_state..struct xfrm_state .x.$$,net/xfrm.h,HAVE_STATE_INIT_EXTACK) \
	$(call has,INET_DSCP_MASK,net/inet_dscp.h,HAVE_INET_DSCP)
