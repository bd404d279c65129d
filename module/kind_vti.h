/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The culvert authors */
#ifndef CULVERT_KIND_VTI_H
#define CULVERT_KIND_VTI_H

#include "culvert.h"

/**
 * struct vti - a vti device, the private part of its net_device
 * @tunnel: as of every tunnel
 * @mark: of an in-tree tunnel, whose type it is, IPsec reads one member while
 *	it takes a packet in: parms.i_key. Written under RTNL, read under RCU
 */
struct vti {
	struct tunnel tunnel;
	struct ip_tunnel mark;
};

static inline struct ip_tunnel *vti_mark(struct tunnel *t)
{
	return &container_of(t, struct vti, tunnel)->mark;
}

/* The mark of packets to send: the key, or else the fwmark. */
static inline u32 vti_mark_out(const struct tunnel_config *c)
{
	return c->o_key ? be32_to_cpu(c->o_key) : c->fwmark;
}

#endif /* CULVERT_KIND_VTI_H */
