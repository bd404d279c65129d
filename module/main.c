// SPDX-License-Identifier: GPL-2.0-only
/* Copyright (C) 2026 The culvert authors */
/* culvert: IP tunnel devices. Load and unload. */

#include <linux/module.h>
#include <linux/namei.h>
#include <linux/netdevice.h>

#include "cells.h"
#include "culvert.h"

bool log_ecn_error = true;
module_param(log_ecn_error, bool, 0644);
MODULE_PARM_DESC(log_ecn_error, "Log packets received with corrupted ECN");

const struct tunnel_kind *const tunnel_kinds[KIND_MAX] = {
	[KIND_IPIP]	= &kind_ipip,
	[KIND_GRE]	= &kind_gre,
	[KIND_GRETAP]	= &kind_gretap,
	[KIND_ERSPAN]	= &kind_erspan,
#if IS_ENABLED(CONFIG_IPV6)
	[KIND_SIT]	= &kind_sit,
#endif
#if IS_ENABLED(CONFIG_XFRM)
	[KIND_VTI]	= &kind_vti,
#endif
};

/*
 * In-tree modules that hold an IP protocol, or use one that does, in the order
 * in which rmmod can remove them; @protocols as bits of rival_bit().
 */
static const struct {
	const char *module;
	unsigned int protocols;
} rivals[] = {
#define RIVAL_IPIP	1
#define RIVAL_GRE	2
	{ "ipip", RIVAL_IPIP },
	{ "sit", RIVAL_IPIP },
	{ "ip_vti", RIVAL_IPIP },
	{ "xfrm_interface", RIVAL_IPIP },
	{ "ipcomp", RIVAL_IPIP },
	{ "xfrm4_tunnel", RIVAL_IPIP },
	{ "tunnel4", RIVAL_IPIP },
	{ "ip_gre", RIVAL_GRE },
	{ "ip6_gre", RIVAL_GRE },
	{ "pptp", RIVAL_GRE },
	{ "gre", RIVAL_GRE },
};

static unsigned int rival_bit(u8 protocol)
{
	return protocol == IPPROTO_GRE ? RIVAL_GRE : RIVAL_IPIP;
}

static bool rival_is_loaded(const char *module)
{
	struct path path;
	char name[64];

	snprintf(name, sizeof(name), "/sys/module/%s", module);
	if (kern_path(name, 0, &path))
		return false;
	path_put(&path);
	return true;
}

/* Who handles an IP protocol: "function [module]". */
static void protocol_holder(u8 protocol, char *holder, size_t len)
{
	const struct net_protocol *p;

	rcu_read_lock();
	p = rcu_dereference(inet_protos[protocol]);
	if (p)
		snprintf(holder, len, "%ps", p->handler);
	else
		strscpy(holder, "nobody any more", len);
	rcu_read_unlock();
}

/* One line: who has the protocol, and the command that frees it. */
static void complain(u8 protocol)
{
	char command[128] = "rmmod";
	char holder[128];
	size_t len = strlen(command);
	int i;

	protocol_holder(protocol, holder, sizeof(holder));
	for (i = 0; i < ARRAY_SIZE(rivals); i++)
		if (rivals[i].protocols & rival_bit(protocol) &&
		    rival_is_loaded(rivals[i].module))
			len += scnprintf(command + len, sizeof(command) - len, " %s",
					 rivals[i].module);
	pr_err("culvert: IP protocol %u is held by %s; to free it: %s\n", protocol, holder,
	       command);
}

/* The other way round: an in-tree module that can't load because of us. */
static int rival_notify(struct notifier_block *nb, unsigned long state, void *data)
{
	const struct module *m = data;

	if (state != MODULE_STATE_COMING)
		return NOTIFY_DONE;
	if (!strcmp(m->name, "tunnel4") || !strcmp(m->name, "gre"))
		pr_warn("culvert: %s can't load, culvert holds its IP protocol; to free it: rmmod culvert\n",
			m->name);
	return NOTIFY_DONE;
}

static struct notifier_block rival_notifier = {
	.notifier_call = rival_notify,
};

static int __init protocols_register(void)
{
	int err = payload_register();

	if (err) {
		complain(-err);
		return -EBUSY;
	}
	if (gre_register()) {
		complain(IPPROTO_GRE);
		payload_unregister();
		return -EBUSY;
	}
	if (ipsec_register()) {
		pr_err("culvert: another module receives IPsec as vti does; unload that first\n");
		gre_unregister();
		payload_unregister();
		return -EBUSY;
	}
	return 0;
}

static void protocols_unregister(void)
{
	ipsec_unregister();
	gre_unregister();
	payload_unregister();
}

static int __init culvert_init(void)
{
	int err;

	err = cells_init();
	if (err)
		return err;
	err = namespace_register();
	if (err)
		goto cells;
	err = protocols_register();
	if (err)
		goto namespaces;
	err = peers_register();
	if (err)
		goto protocols;
	err = netlink_register();
	if (err)
		goto peers;
	err = namespace_register_base();
	if (err) {
		pr_err("culvert: base devices (tunl0, gre0, ...) can't be made: error %d\n", err);
		/* modprobe takes that one for "is loaded", and says nothing. */
		if (err == -EEXIST)
			err = -EBUSY;
		goto netlink;
	}
	/* Only for a log line: no reason not to load. */
	register_module_notifier(&rival_notifier);
	pr_info("culvert: version " CULVERT_VERSION " loaded\n");
	return 0;

netlink:
	netlink_unregister();
peers:
	peers_unregister();
protocols:
	protocols_unregister();
namespaces:
	namespace_unregister();
cells:
	cells_exit();
	return err;
}

static void __exit culvert_exit(void)
{
	unregister_module_notifier(&rival_notifier);
	namespace_unregister_base();
	netlink_unregister();
	peers_unregister();
	protocols_unregister();
	namespace_unregister();
	cells_exit();
}

module_init(culvert_init);
module_exit(culvert_exit);

MODULE_LICENSE("GPL");
MODULE_AUTHOR("The culvert authors");
MODULE_DESCRIPTION("IP tunnel devices: ipip, gre, gretap, erspan, sit, vti");
MODULE_VERSION(CULVERT_VERSION);
