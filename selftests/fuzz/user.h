/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What module/wire_*.h need of the kernel, for a program in user space.
 */
#ifndef CULVERT_FUZZ_USER_H
#define CULVERT_FUZZ_USER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;

static inline u16 get_unaligned_be16(const void *from)
{
	const u8 *p = from;

	return p[0] << 8 | p[1];
}

static inline u32 get_unaligned_be32(const void *from)
{
	const u8 *p = from;

	return (u32)get_unaligned_be16(p) << 16 | get_unaligned_be16(p + 2);
}

static inline void put_unaligned_be16(u16 value, void *to)
{
	u8 *p = to;

	p[0] = value >> 8;
	p[1] = value;
}

static inline void put_unaligned_be32(u32 value, void *to)
{
	put_unaligned_be16(value >> 16, to);
	put_unaligned_be16(value, (u8 *)to + 2);
}

#endif /* CULVERT_FUZZ_USER_H */
