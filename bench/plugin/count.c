// SPDX-License-Identifier: GPL-2.0-only
/*
 * A QEMU plugin that counts executed instructions by address, between the
 * marks that the injector (bench/inject) puts around what it measures.
 *
 *   -plugin count.so,out=FILE
 *
 * A mark is a no-operation with a displacement nothing else has: section opens
 * a new set of counters, begin and end switch counting on and off. FILE gets
 * "section address instructions" for every translated block that was executed.
 *
 * Uses the oldest calls of the plugin interface only, declared here because
 * distributions do not package the header.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef uint64_t qemu_plugin_id_t;
struct qemu_plugin_tb;
struct qemu_plugin_insn;

void qemu_plugin_register_vcpu_tb_trans_cb(qemu_plugin_id_t id,
	void (*cb)(qemu_plugin_id_t id, struct qemu_plugin_tb *tb));
void qemu_plugin_register_vcpu_tb_exec_cb(struct qemu_plugin_tb *tb,
	void (*cb)(unsigned int vcpu, void *data), int flags, void *data);
void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn *insn,
	void (*cb)(unsigned int vcpu, void *data), int flags, void *data);
void qemu_plugin_register_atexit_cb(qemu_plugin_id_t id,
	void (*cb)(qemu_plugin_id_t id, void *data), void *data);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
uint64_t qemu_plugin_tb_vaddr(const struct qemu_plugin_tb *tb);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *tb,
						 size_t index);
const void *qemu_plugin_insn_data(const struct qemu_plugin_insn *insn);
size_t qemu_plugin_insn_size(const struct qemu_plugin_insn *insn);

#define EXPORT __attribute__((visibility("default")))
#define SECTIONS 8

EXPORT int qemu_plugin_version = 1;

struct block {
	struct block *next;
	uint64_t address;
	uint64_t length;
	uint64_t executed[SECTIONS];
};

static struct block *blocks;
static bool counting;
static int section = -1;
static const char *out = "count.out";

/* Only one CPU is ever emulated here, so nothing needs a lock. */
static void block_executed(unsigned int vcpu, void *data)
{
	struct block *block = data;

	(void)vcpu;
	if (counting)
		block->executed[section]++;
}

static void mark_section(unsigned int vcpu, void *data)
{
	(void)vcpu;
	(void)data;
	if (section + 1 < SECTIONS)
		section++;
}

static void mark_begin(unsigned int vcpu, void *data)
{
	(void)vcpu;
	(void)data;
	counting = section >= 0;
}

static void mark_end(unsigned int vcpu, void *data)
{
	(void)vcpu;
	(void)data;
	counting = false;
}

/* nopl displacement(%rax,%rax,1), the displacement as it lies in memory */
static const struct mark {
	unsigned char code[8];
	void (*passed)(unsigned int vcpu, void *data);
} marks[] = {
	{ { 0x0f, 0x1f, 0x84, 0x00, 'T', 'C', 'E', 'S' }, mark_section },
	{ { 0x0f, 0x1f, 0x84, 0x00, 'V', 'L', 'U', 'C' }, mark_begin },
	{ { 0x0f, 0x1f, 0x84, 0x00, 'C', 'L', 'U', 'V' }, mark_end },
};

static void watch_for_marks(struct qemu_plugin_insn *insn)
{
	size_t i;

	if (qemu_plugin_insn_size(insn) != sizeof(marks[0].code))
		return;
	for (i = 0; i < sizeof(marks) / sizeof(marks[0]); i++)
		if (!memcmp(qemu_plugin_insn_data(insn), marks[i].code,
			    sizeof(marks[i].code)))
			qemu_plugin_register_vcpu_insn_exec_cb(insn,
				marks[i].passed, 0, NULL);
}

static void translated(qemu_plugin_id_t id, struct qemu_plugin_tb *tb)
{
	struct block *block = calloc(1, sizeof(*block));
	size_t i;

	(void)id;
	if (!block)
		abort();
	block->address = qemu_plugin_tb_vaddr(tb);
	block->length = qemu_plugin_tb_n_insns(tb);
	block->next = blocks;
	blocks = block;
	qemu_plugin_register_vcpu_tb_exec_cb(tb, block_executed, 0, block);
	for (i = 0; i < block->length; i++)
		watch_for_marks(qemu_plugin_tb_get_insn(tb, i));
}

static void finish(qemu_plugin_id_t id, void *data)
{
	FILE *file = fopen(out, "w");
	struct block *block;
	int i;

	(void)id;
	(void)data;
	if (!file) {
		perror(out);
		return;
	}
	for (block = blocks; block; block = block->next)
		for (i = 0; i < SECTIONS; i++)
			if (block->executed[i])
				fprintf(file, "%d %016llx %llu\n", i,
					(unsigned long long)block->address,
					(unsigned long long)(block->executed[i] *
							     block->length));
	fclose(file);
}

EXPORT int qemu_plugin_install(qemu_plugin_id_t id, const void *info, int argc,
			       char **argv)
{
	int i;

	(void)info;
	for (i = 0; i < argc; i++)
		if (!strncmp(argv[i], "out=", 4))
			out = strdup(argv[i] + 4);
	qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
	qemu_plugin_register_atexit_cb(id, finish, NULL);
	return 0;
}
