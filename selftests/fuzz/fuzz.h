/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One source file for each wire format has three uses:
 *
 *	fuzz_bytes()	any bytes: is what the parser says of them true?
 *	fuzz_fields()	any fields: does the parser read what the builder wrote?
 *	print_bytes()	valid bytes: print the fields, for scapy_agreement.py to compare
 *
 * Compiled with libFuzzer the first two are called with its inputs; without it
 * the program reads packets from its input, one line of hexadecimal each.
 */
#ifndef CULVERT_FUZZ_H
#define CULVERT_FUZZ_H

#include <stdio.h>
#include <stdlib.h>

#include "user.h"

static void fuzz_bytes(const u8 *data, size_t len);
static void fuzz_fields(const u8 *data, size_t len);
static void print_bytes(const u8 *data, size_t len);

#define must(condition) do {						\
	if (!(condition)) {						\
		fprintf(stderr, "%s:%d: not so: %s\n", __FILE__,	\
			__LINE__, #condition);				\
		abort();						\
	}								\
} while (0)

#ifdef PRINT
int main(void)
{
	static char line[8192];
	static u8 data[4096];
	unsigned int byte;
	size_t len;

	while (fgets(line, sizeof(line), stdin)) {
		for (len = 0; sscanf(line + 2 * len, "%2x", &byte) == 1; len++)
			data[len] = byte;
		print_bytes(data, len);
		fflush(stdout);
	}
	(void)fuzz_bytes;
	(void)fuzz_fields;
	return 0;
}
#else
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* Both halves see a copy that ends where its block does, for ASan to guard. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	u8 *copy = malloc(len ? len : 1);

	memcpy(copy, data, len);
	fuzz_bytes(copy, len);
	fuzz_fields(copy, len);
	free(copy);
	(void)print_bytes;
	return 0;
}
#endif

#endif /* CULVERT_FUZZ_H */
