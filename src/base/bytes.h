/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers in raw bytes, little-endian where the name does not say otherwise; no alignment is needed. */
#ifndef VK_BASE_BYTES_H
#define VK_BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

static inline uint16_t vk_get_le16(const uint8_t *p)
{
	return (uint16_t)(p[0] | p[1] << 8);
}

static inline uint32_t vk_get_le32(const uint8_t *p)
{
	return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static inline uint64_t vk_get_le64(const uint8_t *p)
{
	return (uint64_t)vk_get_le32(p) | (uint64_t)vk_get_le32(p + 4) << 32;
}

static inline uint32_t vk_get_be32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static inline void vk_put_le16(uint8_t *p, uint16_t v)
{
	p[0] = (uint8_t)v;
	p[1] = (uint8_t)(v >> 8);
}

static inline void vk_put_le32(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)v;
	p[1] = (uint8_t)(v >> 8);
	p[2] = (uint8_t)(v >> 16);
	p[3] = (uint8_t)(v >> 24);
}

static inline void vk_put_le64(uint8_t *p, uint64_t v)
{
	vk_put_le32(p, (uint32_t)v);
	vk_put_le32(p + 4, (uint32_t)(v >> 32));
}

static inline bool vk_all_bytes(const uint8_t *p, size_t len, uint8_t value)
{
	for (size_t i = 0; i < len; i++)
		if (p[i] != value)
			return false;
	return true;
}

static inline bool vk_all_zero(const uint8_t *p, size_t len)
{
	while (len >= 8) {
		uint64_t word;
		__builtin_memcpy(&word, p, 8);
		if (word != 0)
			return false;
		p += 8;
		len -= 8;
	}
	return vk_all_bytes(p, len, 0);
}

#endif
