// SPDX-License-Identifier: GPL-2.0-only
/* Copyright (C) 2026 The culvert authors */
/*
 * Tunnel configurations, whichever way they come in: made from defaults or a
 * copy of the present one, filled in by config_netlink.c or config_ioctl.c,
 * validated here.
 */

#include <linux/slab.h>

#include "culvert.h"

/**
 * config_free() - free a configuration that no packet can see
 * @c: the configuration, or NULL
 *
 * Any context.
 */
void config_free(struct tunnel_config *c)
{
	kfree(c);
}

/**
 * config_free_rcu() - free a configuration when no packet sees it any more
 * @c: the configuration, no longer published
 *
 * Process context.
 */
void config_free_rcu(struct tunnel_config *c)
{
	kfree_rcu(c, rcu);
}

/**
 * config_new() - the configuration of a tunnel nobody has said anything about
 * @kind: its kind
 * @base: the base device of its namespace, or NULL
 *
 * Return: the configuration, for the caller to config_free() or to hand to
 * tunnel_dev_register(); or NULL. RTNL.
 */
struct tunnel_config *config_new(const struct tunnel_kind *kind, const struct tunnel *base)
{
	struct tunnel_config *c = kzalloc(sizeof(*c), GFP_KERNEL);

	if (c && kind->defaults)
		kind->defaults(c);
	if (c && base && kind->inherit)
		kind->inherit(c, tunnel_config(base));
	return c;
}

/**
 * config_copy() - the starting point of a change
 * @old: the present configuration
 *
 * Return: a copy that is in no table and has no route cached, for the caller
 * to config_free() or to hand to tunnel_dev_change(); or NULL. RTNL.
 */
struct tunnel_config *config_copy(const struct tunnel_config *old)
{
	struct tunnel_config *c = kmemdup(old, sizeof(*old), GFP_KERNEL);

	if (c)
		c->entry = NULL;
	return c;
}

static int config_refuse(struct netlink_ext_ack *extack, const char *why)
{
	/* Not NL_SET_ERR_MSG(), which wants a literal. */
	if (extack)
		extack->_msg = why;
	return -EINVAL;
}

/* Whether the outer header of a packet can be told before there is one. */
static bool config_is_fixed(const struct tunnel_kind *kind, const struct tunnel_config *c)
{
	return !c->collect_md && c->remote.ip4 && !ipv4_is_multicast(c->remote.ip4) &&
	       !(c->tos & 1) && c->encap.type == TUNNEL_ENCAP_NONE &&
	       !(c->flags & SIT_ISATAP) && (!kind->build || kind->build == gre_build);
}

/**
 * config_validate() - whether a configuration makes sense
 * @kind: for this kind
 * @c: the configuration; its derived fields are computed
 * @extack: why not; may be NULL
 *
 * Looks at the configuration alone, not at what other tunnels there are.
 *
 * Return: 0, -EINVAL, or the errno of an encapsulation's module. RTNL.
 */
int config_validate(const struct tunnel_kind *kind, struct tunnel_config *c,
		    struct netlink_ext_ack *extack)
{
	int err, encap_hlen;

	if ((c->i_flags | c->o_flags) & (GRE_VERSION | GRE_ROUTING))
		return config_refuse(extack, "culvert: only GRE version 0 without routing");
	if (c->i_key && !(c->i_flags & GRE_KEY) && !kind->key_is_mark)
		return config_refuse(extack, "culvert: ikey without the key flag in iflags");
	if (c->o_key && !(c->o_flags & GRE_KEY) && !kind->key_is_mark)
		return config_refuse(extack, "culvert: okey without the key flag in oflags");

	encap_hlen = ip_encap_hlen(&c->encap);
	if (encap_hlen < 0) {
		config_refuse(extack, "culvert: this encap is not available; modprobe fou");
		return encap_hlen;
	}
	if (kind->validate) {
		err = kind->validate(c, extack);
		if (err)
			return err;
	}

	if (c->collect_md) {
		c->local = (union tunnel_addr) { };
		c->remote = (union tunnel_addr) { };
	}
	c->encap_hlen = encap_hlen;
	c->header_len = kind->own_header(c) + encap_hlen;
	c->fixed = config_is_fixed(kind, c);
	c->announced = c->collect_md || (!c->remote.ip4 && kind->family == FAMILY_GRE);
	if (kind->prepare)
		kind->prepare(c);
	return 0;
}

/**
 * config_has_endpoints() - whether a configuration says which packets are its own
 * @c: of a base device
 */
bool config_has_endpoints(const struct tunnel_config *c)
{
	return c->local.ip4 || c->remote.ip4 || c->link || c->i_flags & GRE_KEY || c->i_key;
}

/**
 * config_new_base() - the configuration of a base device
 * @kind: its kind
 *
 * Return: a validated configuration, or NULL without memory. RTNL.
 */
struct tunnel_config *config_new_base(const struct tunnel_kind *kind)
{
	struct tunnel_config *c = config_new(kind, NULL);

	if (!c)
		return NULL;
	if (kind->base_defaults)
		kind->base_defaults(c);
	/* Constant data: there is nothing to refuse. */
	WARN_ON_ONCE(config_validate(kind, c, NULL));
	return c;
}
