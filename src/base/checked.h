/* SPDX-License-Identifier: Apache-2.0 */
/* Arithmetic that cannot overflow in silence. */
#ifndef VK_BASE_CHECKED_H
#define VK_BASE_CHECKED_H

#include <stdbool.h>
#include <stdint.h>

/* True when it fits; ret_sum is only then meaningful. */
static inline bool vk_add_u64(uint64_t a, uint64_t b, uint64_t *ret_sum)
{
	return !__builtin_add_overflow(a, b, ret_sum);
}

static inline bool vk_mul_u64(uint64_t a, uint64_t b, uint64_t *ret_product)
{
	return !__builtin_mul_overflow(a, b, ret_product);
}

/* Sum and product that stay at the largest value instead of wrapping: for bounds that are only compared. */
static inline uint64_t vk_add_sat(uint64_t a, uint64_t b)
{
	uint64_t sum;

	return vk_add_u64(a, b, &sum) ? sum : UINT64_MAX;
}

static inline uint64_t vk_mul_sat(uint64_t a, uint64_t b)
{
	uint64_t product;

	return vk_mul_u64(a, b, &product) ? product : UINT64_MAX;
}

static inline uint64_t vk_min_u64(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static inline uint64_t vk_max_u64(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

/* Whether two ranges have a byte in common; neither end need fit the type. */
static inline bool vk_ranges_meet(uint64_t a, uint64_t a_length, uint64_t b, uint64_t b_length)
{
	return a < b ? b - a < a_length : a - b < b_length;
}

/* Round up to a multiple of unit (not 0), staying at the largest value. */
static inline uint64_t vk_round_up_sat(uint64_t value, uint64_t unit)
{
	uint64_t rest = value % unit;

	return rest == 0 ? value : vk_add_sat(value, unit - rest);
}

#endif
