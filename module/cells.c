// SPDX-License-Identifier: GPL-2.0-only
/* Copyright (C) 2026 The culvert authors */
/*
 * One queue and one NAPI instance per CPU, for all tunnels together.
 *
 * Inner TCP packets pass through here to be merged by GRO, and so do packets
 * of nested tunnels, to keep the stack shallow. Queued packets hold no
 * reference to their device: cells_flush() takes them out before it goes away.
 */

#include <linux/netdevice.h>
#include <linux/skbuff.h>

#include "culvert.h"

/* Longest queue; as gro_cells, which this stands in for. */
#define CELL_QUEUE_MAX	1000

/*
 * @queue: its lock is taken by the CPU's softirq and by cells_flush()
 * @napi: scheduled while @queue is not empty
 */
struct cell {
	struct sk_buff_head queue;
	struct napi_struct napi;
};

/* What a queued packet remembers: skb->dev may be another one until its turn. */
struct cell_cb {
	struct net_device *dev;
};

#define CELL_CB(skb)	((struct cell_cb *)(skb)->cb)

static struct cell __percpu *cells;
static struct net_device *cells_dev;

/*
 * NAPI may hold packets back for GRO between two polls that used up their
 * budget. Nobody could find those in cells_flush(), so a poll never uses up
 * its budget: it ends, which flushes GRO, and schedules itself again.
 */
static int cell_poll(struct napi_struct *napi, int budget)
{
	struct cell *cell = container_of(napi, struct cell, napi);
	struct sk_buff *skb;
	int work = 0;

	while (work < budget - 1) {
		skb = skb_dequeue(&cell->queue);
		if (!skb)
			break;
		skb->dev = CELL_CB(skb)->dev;
		/* GRO takes a packet apart that a tap may still have to read. */
		if (skb_cloned(skb))
			netif_receive_skb(skb);
		else
			napi_gro_receive(napi, skb);
		work++;
	}
	if (napi_complete_done(napi, work) && !skb_queue_empty(&cell->queue))
		napi_schedule(napi);
	return work;
}

/**
 * cells_queue() - give a received inner packet to this CPU's NAPI
 * @skb: the packet; taken over unless the queue is full
 * @dev: whose it is; skb->dev is not touched yet
 *
 * Return: false if the queue is full. BH disabled.
 */
bool cells_queue(struct sk_buff *skb, struct net_device *dev)
{
	struct cell *cell = this_cpu_ptr(cells);

	if (unlikely(skb_queue_len_lockless(&cell->queue) >= CELL_QUEUE_MAX))
		return false;
	CELL_CB(skb)->dev = dev;
	skb_queue_tail(&cell->queue, skb);
	napi_schedule(&cell->napi);
	return true;
}

/**
 * cells_flush() - free the packets queued for a device
 * @dev: the device, which gets no new ones: it is down, and a grace period
 *	has passed since
 *
 * A poll that has one of them in hand ends before the next grace period.
 * Process context.
 */
void cells_flush(const struct net_device *dev)
{
	struct sk_buff *skb, *next;
	struct sk_buff_head gone;
	struct cell *cell;
	int cpu;

	__skb_queue_head_init(&gone);
	for_each_possible_cpu(cpu) {
		cell = per_cpu_ptr(cells, cpu);
		if (skb_queue_empty_lockless(&cell->queue))
			continue;
		spin_lock_bh(&cell->queue.lock);
		skb_queue_walk_safe(&cell->queue, skb, next) {
			if (CELL_CB(skb)->dev != dev)
				continue;
			__skb_unlink(skb, &cell->queue);
			__skb_queue_tail(&gone, skb);
		}
		spin_unlock_bh(&cell->queue.lock);
	}
	__skb_queue_purge(&gone);
}

/**
 * cells_init() - make the queues
 *
 * Return: 0 or -ENOMEM. Process context.
 */
int cells_init(void)
{
	struct cell *cell;
	int cpu;

	cells_dev = alloc_netdev_dummy(0);
	if (!cells_dev)
		return -ENOMEM;
	cells = alloc_percpu(struct cell);
	if (!cells) {
		free_netdev_dummy(cells_dev);
		return -ENOMEM;
	}
	for_each_possible_cpu(cpu) {
		cell = per_cpu_ptr(cells, cpu);
		skb_queue_head_init(&cell->queue);
		set_bit(NAPI_STATE_NO_BUSY_POLL, &cell->napi.state);
		netif_napi_add(cells_dev, &cell->napi, cell_poll);
		napi_enable(&cell->napi);
	}
	return 0;
}

/**
 * cells_exit() - undo cells_init()
 *
 * No tunnel exists any more. Process context.
 */
void cells_exit(void)
{
	struct cell *cell;
	int cpu;

	for_each_possible_cpu(cpu) {
		cell = per_cpu_ptr(cells, cpu);
		napi_disable(&cell->napi);
		__netif_napi_del(&cell->napi);
		skb_queue_purge(&cell->queue);
	}
	/* __netif_napi_del() leaves waiting for readers of the NAPI hash to us. */
	synchronize_net();
	free_percpu(cells);
	free_netdev_dummy(cells_dev);
}
