/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The culvert authors */
#ifndef CULVERT_CELLS_H
#define CULVERT_CELLS_H

#include <linux/netdevice.h>
#include <linux/percpu.h>
#include <linux/skbuff.h>

/**
 * struct cell - queue and GRO of one CPU, see cells.c
 * @queue: its lock is taken by the CPU's softirq and by cells_flush()
 * @napi: scheduled while @queue is not empty or GRO holds packets
 * @polls: how many polls have ended; written by the CPU's softirq
 * @busy: GRO is at work and can't be entered again; only this CPU, BH disabled
 */
struct cell {
	struct sk_buff_head queue;
	struct napi_struct napi;
	unsigned int polls;
	bool busy;
};

extern struct cell __percpu *cells;

int cells_init(void);
void cells_exit(void);
bool cells_queue(struct sk_buff *skb, struct net_device *dev);
void cells_flush(const struct net_device *dev);

static inline bool cell_is_idle(const struct cell *cell)
{
	return !test_bit(NAPI_STATE_SCHED, &cell->napi.state);
}

/**
 * cells_idle() - whether no packet waits here on this CPU
 *
 * Then one may go up the stack directly: there is none that it overtakes.
 * Softirq.
 */
static inline bool cells_idle(void)
{
	return cell_is_idle(this_cpu_ptr(cells));
}

/**
 * cells_gro() - give a received inner packet to GRO
 * @skb: the packet; taken over unless it has to wait and the queue is full
 *
 * It comes out merged with others after this CPU's next poll at the latest.
 *
 * Return: false if the queue is full. Softirq.
 */
static inline bool cells_gro(struct sk_buff *skb)
{
	struct cell *cell = this_cpu_ptr(cells);

	/* None overtakes those that wait. */
	if (unlikely(cell->busy || !skb_queue_empty_lockless(&cell->queue)))
		return cells_queue(skb, skb->dev);
	if (unlikely(cell_is_idle(cell)))
		napi_schedule(&cell->napi);
	/* The poll is on this CPU, after us: GRO is ours. */
	cell->busy = true;
	napi_gro_receive(&cell->napi, skb);
	cell->busy = false;
	return true;
}

#endif /* CULVERT_CELLS_H */
