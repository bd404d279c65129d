// SPDX-License-Identifier: GPL-2.0-only
/* Copyright (C) 2026 The culvert authors */
/*
 * What every network namespace has: the table and, unless the sysctl
 * net.core.fb_tunnels_only_for_init_net says no, a base device of each kind.
 *
 * Two sets of pernet operations, so that loading can go in an order in which
 * nothing is ever half there: state first, then the protocol handlers, which
 * find it whatever packet comes in, then the kinds, then the base devices.
 *
 * The state is a pernet_subsys: as a namespace goes, it must outlive all devices,
 * ours and those that packets still come in by. Pernet devices go before them.
 */

#include <linux/netdevice.h>
#include <net/net_namespace.h>

#include "culvert.h"

unsigned int tunnel_net_id;

static int __net_init namespace_init(struct net *net)
{
	struct tunnel_net *tn = tunnel_net(net);

	tn->net = net;
	INIT_LIST_HEAD(&tn->tunnels);
	tunnel_rates_init(&tn->moves);
	return table_init(tn);
}

static void __net_exit namespace_exit(struct net *net)
{
	struct tunnel_net *tn = tunnel_net(net);

	WARN_ON_ONCE(!list_empty(&tn->tunnels));
	table_destroy(tn);
}

static struct pernet_operations namespace_ops = {
	.init	= namespace_init,
	.exit	= namespace_exit,
	.id	= &tunnel_net_id,
	.size	= sizeof(struct tunnel_net),
};

static int namespace_add_base(struct net *net, const struct tunnel_kind *kind)
{
	struct tunnel_space *s = &tunnel_net(net)->spaces[kind->id];
	struct tunnel_config *c;
	struct tunnel *t;

	c = config_new_base(kind);
	if (!c)
		return -ENOMEM;
	t = tunnel_dev_create(net, kind, kind->base_name, c);
	if (IS_ERR(t))
		return PTR_ERR(t);
	/* The table belongs to this namespace: so do its base devices. */
	netdev_set_netns_immutable(t->dev);
	s->base = t;
	rcu_assign_pointer(s->catch_all, t);
	return 0;
}

/* Every tunnel whose underlay is here, even if its device has moved away. RTNL. */
static void namespace_kill(struct net *net, struct list_head *list)
{
	struct tunnel *t;

	list_for_each_entry(t, &tunnel_net(net)->tunnels, list)
		unregister_netdevice_queue(t->dev, list);
}

static int __net_init namespace_init_base(struct net *net)
{
	LIST_HEAD(list);
	int i, err = 0;

	if (!net_has_fallback_tunnels(net))
		return 0;
	rtnl_lock();
	for (i = 0; i < KIND_MAX && !err; i++)
		err = namespace_add_base(net, tunnel_kinds[i]);
	if (err) {
		namespace_kill(net, &list);
		unregister_netdevice_many(&list);
	}
	rtnl_unlock();
	return err;
}

static void __net_exit namespace_exit_base(struct list_head *nets)
{
	struct net *net;
	LIST_HEAD(list);

	rtnl_lock();
	list_for_each_entry(net, nets, exit_list)
		namespace_kill(net, &list);
	unregister_netdevice_many(&list);
	rtnl_unlock();
}

static struct pernet_operations namespace_base_ops = {
	.init		= namespace_init_base,
	.exit_batch	= namespace_exit_base,
};

/* Tunnels can be made before there are base devices, and after: they go as well. */
static struct pernet_operations namespace_kill_ops = {
	.exit_batch	= namespace_exit_base,
};

/**
 * namespace_register() - give every namespace its state
 *
 * From here on no tunnel outlives the namespace of its underlay.
 *
 * Return: 0 or -ENOMEM. Process context.
 */
int namespace_register(void)
{
	int err = register_pernet_subsys(&namespace_ops);

	if (err)
		return err;
	err = register_pernet_device(&namespace_kill_ops);
	if (err)
		unregister_pernet_subsys(&namespace_ops);
	return err;
}

/**
 * namespace_unregister() - undo namespace_register()
 *
 * No tunnels exist any more. Process context.
 */
void namespace_unregister(void)
{
	unregister_pernet_device(&namespace_kill_ops);
	unregister_pernet_subsys(&namespace_ops);
}

/**
 * namespace_register_base() - give every namespace its base devices
 *
 * Return: 0, -EEXIST if one of the names is taken, or -ENOMEM. Process context.
 */
int namespace_register_base(void)
{
	return register_pernet_device(&namespace_base_ops);
}

/**
 * namespace_unregister_base() - remove all tunnels from all namespaces
 *
 * Process context.
 */
void namespace_unregister_base(void)
{
	unregister_pernet_device(&namespace_base_ops);
}
