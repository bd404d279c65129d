/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the fuzzers that run in a virtual machine share: numbers that are the same
 * again for the same seed (xorshift64*), and the way to end.
 */
#ifndef CULVERT_FUZZ_RANDOM_H
#define CULVERT_FUZZ_RANDOM_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

static uint64_t random_state;

static void random_seed(const char *text)
{
	random_state = strtoull(text, NULL, 0) * 0x9e3779b97f4a7c15ull + 1;
}

static uint32_t random32(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (random_state * 0x2545f4914f6cdd1dull) >> 32;
}

static uint32_t below(uint32_t n)
{
	return n ? random32() % n : 0;
}

static bool one_in(uint32_t n)
{
	return below(n) == 0;
}

static void die(const char *what)
{
	perror(what);
	exit(1);
}

#endif /* CULVERT_FUZZ_RANDOM_H */
