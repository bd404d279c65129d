// SPDX-License-Identifier: GPL-2.0-only
/* Copyright (C) 2026 The culvert authors */
/*
 * One queue and one NAPI instance per CPU, for all tunnels together.
 *
 * Inner TCP segments pass through here to be merged by GRO, and packets of
 * nested tunnels, to keep the stack shallow. A segment goes to GRO at once; the
 * poll that is scheduled with it ends the merging. Packets wait in the queue
 * only while GRO is at work further down this CPU's stack.
 *
 * Neither queued packets nor those that GRO holds have a reference to their
 * device: cells_flush() sees to it that none is left before it goes away.
 */

#include <linux/delay.h>
#include <linux/netdevice.h>
#include <linux/skbuff.h>

#include "cells.h"
#include "culvert.h"

/* Longest queue; as gro_cells, which this stands in for. */
#define CELL_QUEUE_MAX	1000

/* What a queued packet remembers: skb->dev may be another one until its turn. */
struct cell_cb {
	struct net_device *dev;
};

#define CELL_CB(skb)	((struct cell_cb *)(skb)->cb)

struct cell __percpu *cells;
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

	cell->busy = true;
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
	cell->busy = false;
	WRITE_ONCE(cell->polls, cell->polls + 1);
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

/* Until what GRO holds on a CPU has come out. */
static void cell_wait(const struct cell *cell)
{
	unsigned int polls = READ_ONCE(cell->polls);

	while (test_bit(NAPI_STATE_SCHED, &cell->napi.state) && READ_ONCE(cell->polls) == polls)
		usleep_range(100, 1000);
}

/**
 * cells_flush() - get rid of the packets that are here for a device
 * @dev: the device, which gets no new ones: it is down, and a grace period
 *	has passed since
 *
 * Queued ones are freed; those that GRO holds come out of it. A poll that has
 * one in hand ends before the next grace period. Process context.
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
		cell_wait(cell);
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
