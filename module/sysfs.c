// SPDX-License-Identifier: GPL-2.0-only
/* Copyright (C) 2026 The culvert authors */
/*
 * /sys/class/net/DEV/tunnel/: what "ip" has no words for, of gre devices.
 *
 * A file costs memory and time for each device, so there are few: one value to
 * a file, except for keepalive_options, which is a list of words, and the two
 * *_status files, which have a line "name value" for all that is only read. A
 * bad value is refused with EINVAL and changes nothing. Writing takes
 * CAP_NET_ADMIN in the namespace of the device and, where that is another one,
 * in that of the underlay.
 */

#include <linux/capability.h>
#include <linux/device.h>
#include <linux/hex.h>
#include <linux/inet.h>
#include <linux/inetdevice.h>
#include <linux/kernel.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/sysfs.h>

#include "culvert.h"

/**
 * struct tunnel_attribute - a file
 * @attr: its name and mode
 * @show: print the value; returns the length
 * @store: set the value from a text without blanks around it; NULL if it can't
 *	be written. RTNL; returns 0 or an errno
 */
struct tunnel_attribute {
	struct device_attribute attr;
	ssize_t (*show)(const struct tunnel *t, char *buf);
	int (*store)(struct tunnel *t, char *text);
};

static struct tunnel_attribute *to_attribute(struct device_attribute *attr)
{
	return container_of(attr, struct tunnel_attribute, attr);
}

static ssize_t attribute_show(struct device *d, struct device_attribute *attr, char *buf)
{
	return to_attribute(attr)->show(netdev_priv(to_net_dev(d)), buf);
}

static bool attribute_allowed(const struct tunnel *t)
{
	return ns_capable(dev_net(t->dev)->user_ns, CAP_NET_ADMIN) &&
	       (net_eq(dev_net(t->dev), t->net) || ns_capable(t->net->user_ns, CAP_NET_ADMIN));
}

static int attribute_set(struct tunnel *t, const struct tunnel_attribute *a, char *text)
{
	int err = -ENODEV;

	/* Removing the file waits for us, with RTNL held: don't wait for RTNL. */
	if (!rtnl_trylock())
		return restart_syscall();
	if (t->dev->reg_state == NETREG_REGISTERED)
		err = attribute_allowed(t) ? a->store(t, text) : -EPERM;
	rtnl_unlock();
	return err;
}

static ssize_t attribute_store(struct device *d, struct device_attribute *attr, const char *buf,
			       size_t len)
{
	struct tunnel *t = netdev_priv(to_net_dev(d));
	char *text = kmemdup_nul(buf, len, GFP_KERNEL);
	int err;

	if (!text)
		return -ENOMEM;
	err = attribute_set(t, to_attribute(attr), strim(text));
	kfree_sensitive(text);
	return err ? : len;
}

#define ATTRIBUTE_RW(name_)							\
	static struct tunnel_attribute attribute_##name_ = {			\
		.attr	= __ATTR(name_, 0644, attribute_show, attribute_store),	\
		.show	= show_##name_,						\
		.store	= store_##name_,					\
	}

#define ATTRIBUTE_RO(name_)							\
	static struct tunnel_attribute attribute_##name_ = {			\
		.attr	= __ATTR(name_, 0444, attribute_show, NULL),		\
		.show	= show_##name_,						\
	}

static int parse_switch(const char *text, bool *on)
{
	if (strcmp(text, "0") && strcmp(text, "1"))
		return -EINVAL;
	*on = *text == '1';
	return 0;
}

static int parse_number(const char *text, unsigned int *n)
{
	return kstrtouint(text, 10, n) ? -EINVAL : 0;
}

static int parse_address(const char *text, __be32 *address)
{
	const char *end;

	if (!in4_pton(text, -1, (u8 *)address, -1, &end) || *end)
		return -EINVAL;
	return 0;
}

/* --- keepalive ----------------------------------------------------------- */

static ssize_t show_keepalive_interval(const struct tunnel *t, char *buf)
{
	struct keepalive_settings s;

	keepalive_settings(t, &s);
	return sysfs_emit(buf, "%u\n", s.interval);
}

static int store_keepalive_interval(struct tunnel *t, char *text)
{
	unsigned int n;

	return parse_number(text, &n) ? : keepalive_set_interval(t, n);
}

ATTRIBUTE_RW(keepalive_interval);

static ssize_t show_keepalive_retries(const struct tunnel *t, char *buf)
{
	struct keepalive_settings s;

	keepalive_settings(t, &s);
	return sysfs_emit(buf, "%u\n", s.retries);
}

static int store_keepalive_retries(struct tunnel *t, char *text)
{
	unsigned int n;

	return parse_number(text, &n) ? : keepalive_set_retries(t, n);
}

ATTRIBUTE_RW(keepalive_retries);

static const struct {
	const char *word;
	u8 option;
} keepalive_options[] = {
	{ "answer", KEEPALIVE_ANSWER },
	{ "damping", KEEPALIVE_DAMPING },
	{ "authenticate", KEEPALIVE_AUTHENTICATE },
	{ "follow", KEEPALIVE_FOLLOW },
	{ "inner", KEEPALIVE_INNER },
	{ "nat", KEEPALIVE_NAT },
	{ "proto4", KEEPALIVE_PROTO4 },
};

static ssize_t show_keepalive_options(const struct tunnel *t, char *buf)
{
	u8 set = READ_ONCE(t->keepalive_options);
	ssize_t len = 0;
	int i;

	for (i = 0; i < ARRAY_SIZE(keepalive_options); i++)
		if (set & keepalive_options[i].option)
			len += sysfs_emit_at(buf, len, "%s%s", len ? " " : "",
					     keepalive_options[i].word);
	if (!len)
		len = sysfs_emit(buf, "none");
	return len + sysfs_emit_at(buf, len, "\n");
}

static u8 option_of(const char *word)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(keepalive_options); i++)
		if (!strcmp(word, keepalive_options[i].word))
			return keepalive_options[i].option;
	return 0;
}

/* "word" switches on, "-word" off; what is not named stays as it is. */
static int store_keepalive_options(struct tunnel *t, char *text)
{
	u8 option, set = t->keepalive_options;
	const char *word;

	while ((word = strsep(&text, " ,"))) {
		option = option_of(word + (*word == '-'));
		if (!option)
			return -EINVAL;
		set = *word == '-' ? set & ~option : set | option;
	}
	return keepalive_set_options(t, set);
}

ATTRIBUTE_RW(keepalive_options);

/* Tells whether there is one, never which. */
static ssize_t show_keepalive_secret(const struct tunnel *t, char *buf)
{
	struct keepalive_settings s;

	keepalive_settings(t, &s);
	return sysfs_emit(buf, "%s\n", s.has_secret ? "set" : "random");
}

static int store_keepalive_secret(struct tunnel *t, char *text)
{
	u8 secret[KEEPALIVE_SECRET_LEN];
	int err;

	if (!strcmp(text, "random"))
		return keepalive_set_secret(t, NULL);
	if (strlen(text) != 2 * sizeof(secret) || hex2bin(secret, text, sizeof(secret)))
		return -EINVAL;
	err = keepalive_set_secret(t, secret);
	memzero_explicit(secret, sizeof(secret));
	return err;
}

ATTRIBUTE_RW(keepalive_secret);

static ssize_t show_keepalive_address(const struct tunnel *t, char *buf)
{
	struct keepalive_settings s;

	keepalive_settings(t, &s);
	return sysfs_emit(buf, "%pI4\n", &s.address);
}

static int store_keepalive_address(struct tunnel *t, char *text)
{
	__be32 address;

	return parse_address(text, &address) ? : keepalive_set_address(t, address);
}

ATTRIBUTE_RW(keepalive_address);

static ssize_t show_keepalive_status(const struct tunnel *t, char *buf)
{
	struct keepalive_status s;

	keepalive_status(t, &s);
	return sysfs_emit(buf,
			  "state %s\nsent %llu\nreceived %llu\nunanswered %u\nanswered %lu\n"
			  "last_reply_ms %lld\nrtt_us %lld\nloss_percent %u\n",
			  s.state, s.sent, s.received, s.unanswered,
			  tunnel_event_read(t, EVENT_KEEPALIVE_ANSWERED),
			  s.last_reply, s.rtt, s.loss);
}

ATTRIBUTE_RO(keepalive_status);

/* --- peers of a multipoint device ------------------------------------------ */

static ssize_t show_learning(const struct tunnel *t, char *buf)
{
	return sysfs_emit(buf, "%u\n", READ_ONCE(peers_settings(t)->learning));
}

static int store_learning(struct tunnel *t, char *text)
{
	bool on;

	return parse_switch(text, &on) ? : peers_set_learning(t, on);
}

ATTRIBUTE_RW(learning);

static ssize_t show_learning_limit(const struct tunnel *t, char *buf)
{
	return sysfs_emit(buf, "%u\n", READ_ONCE(peers_settings(t)->limit));
}

static int store_learning_limit(struct tunnel *t, char *text)
{
	unsigned int n;

	return parse_number(text, &n) ? : peers_set_limit(t, n);
}

ATTRIBUTE_RW(learning_limit);

static ssize_t show_learning_timeout(const struct tunnel *t, char *buf)
{
	return sysfs_emit(buf, "%u\n", READ_ONCE(peers_settings(t)->timeout));
}

static int store_learning_timeout(struct tunnel *t, char *text)
{
	unsigned int n;

	return parse_number(text, &n) ? : peers_set_timeout(t, n);
}

ATTRIBUTE_RW(learning_timeout);

static ssize_t show_learning_filter(const struct tunnel *t, char *buf)
{
	const struct peers_filter *f;
	ssize_t len = 0;
	int i;

	rcu_read_lock();
	f = peers_filter(t);
	for (i = 0; f && i < f->count; i++)
		len += sysfs_emit_at(buf, len, "%s%pI4/%u", len ? " " : "", &f->prefix[i].net,
				     inet_mask_len(f->prefix[i].mask));
	rcu_read_unlock();
	if (!len)
		len = sysfs_emit(buf, "any");
	return len + sysfs_emit_at(buf, len, "\n");
}

/* "10.0.0.0/8" or "192.0.2.1" */
static int parse_prefix(char *text, __be32 *net, __be32 *mask)
{
	char *slash = strchr(text, '/');
	unsigned int len = 32;

	if (slash) {
		*slash++ = '\0';
		if (parse_number(slash, &len) || len > 32)
			return -EINVAL;
	}
	*mask = inet_make_mask(len);
	if (parse_address(text, net) || *net & ~*mask)
		return -EINVAL;
	return 0;
}

static int parse_filter(char *text, struct peers_filter *f)
{
	char *word;

	while ((word = strsep(&text, " ,"))) {
		if (f->count == PEERS_FILTER_MAX ||
		    parse_prefix(word, &f->prefix[f->count].net, &f->prefix[f->count].mask))
			return -EINVAL;
		f->count++;
	}
	return 0;
}

static int store_learning_filter(struct tunnel *t, char *text)
{
	struct peers_filter *f;
	int err;

	if (!strcmp(text, "any"))
		return peers_set_filter(t, NULL);
	f = kzalloc(struct_size(f, prefix, PEERS_FILTER_MAX), GFP_KERNEL);
	if (!f)
		return -ENOMEM;
	err = parse_filter(text, f) ? : peers_set_filter(t, f);
	if (err)
		kfree(f);
	return err;
}

ATTRIBUTE_RW(learning_filter);

static ssize_t show_replicate(const struct tunnel *t, char *buf)
{
	return sysfs_emit(buf, "%u\n", READ_ONCE(peers_settings(t)->replicate));
}

static int store_replicate(struct tunnel *t, char *text)
{
	bool on;

	return parse_switch(text, &on) ? : peers_set_replicate(t, on);
}

ATTRIBUTE_RW(replicate);

static ssize_t show_learning_status(const struct tunnel *t, char *buf)
{
	return sysfs_emit(buf,
			  "peers %u\nlearned %lu\nmoved %lu\nforgotten %lu\nfiltered %lu\n"
			  "over_limit %lu\nover_rate %lu\nreplicated %lu\n",
			  peers_count(t), tunnel_event_read(t, EVENT_PEER_LEARNED),
			  tunnel_event_read(t, EVENT_PEER_MOVED),
			  tunnel_event_read(t, EVENT_PEER_FORGOTTEN),
			  tunnel_event_read(t, EVENT_PEER_FILTERED),
			  tunnel_event_read(t, EVENT_PEER_OVER_LIMIT),
			  tunnel_event_read(t, EVENT_PEER_OVER_RATE),
			  tunnel_event_read(t, EVENT_REPLICATED));
}

ATTRIBUTE_RO(learning_status);

/* --- the directory ------------------------------------------------------- */

/*
 * Two groups, not one with invisible files: to change the owner of those, as a move
 * to another user's namespace does, is an error to kernels before 6.18. The first
 * so many are about peers, and not in both.
 */
#define PEERS_ATTRIBUTES	6

static struct attribute *tunnel_attributes[] = {
	&attribute_learning.attr.attr,
	&attribute_learning_limit.attr.attr,
	&attribute_learning_timeout.attr.attr,
	&attribute_learning_filter.attr.attr,
	&attribute_learning_status.attr.attr,
	&attribute_replicate.attr.attr,
	&attribute_keepalive_interval.attr.attr,
	&attribute_keepalive_retries.attr.attr,
	&attribute_keepalive_options.attr.attr,
	&attribute_keepalive_secret.attr.attr,
	&attribute_keepalive_address.attr.attr,
	&attribute_keepalive_status.attr.attr,
	NULL
};

/* Of a device that has peers, see peers_init(). */
const struct attribute_group tunnel_sysfs_group_peers = {
	.name	= "tunnel",
	.attrs	= tunnel_attributes,
};

const struct attribute_group tunnel_sysfs_group = {
	.name	= "tunnel",
	.attrs	= tunnel_attributes + PEERS_ATTRIBUTES,
};
