/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers and identities from a seed, so that the same command makes the same bytes. */
#include <string.h>

#include "base/bytes.h"
#include "lab/disk/practice.h"

/* The finaliser of splitmix64: every bit of the input changes half of the output. */
static uint64_t mix(uint64_t x)
{
	x += 0x9E3779B97F4A7C15ULL;
	x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9ULL;
	x = (x ^ x >> 27) * 0x94D049BB133111EBULL;
	return x ^ x >> 31;
}

uint64_t vk_lab_random(uint64_t seed, const char *what, uint64_t index)
{
	uint64_t hash = 0xCBF29CE484222325ULL; /* FNV-1a */

	for (; *what != '\0'; what++)
		hash = (hash ^ (uint8_t)*what) * 0x100000001B3ULL;
	return mix(mix(mix(seed) ^ hash) + index);
}

void vk_lab_guid(uint64_t seed, const char *what, uint64_t index, struct vk_guid *ret_guid)
{
	vk_put_le64(ret_guid->b, vk_lab_random(seed, what, index * 2));
	vk_put_le64(ret_guid->b + 8, vk_lab_random(seed, what, index * 2 + 1));
	/* version 4, variant 1, as a tool that draws GUIDs at random marks them */
	ret_guid->b[7] = (uint8_t)((ret_guid->b[7] & 0x0F) | 0x40);
	ret_guid->b[8] = (uint8_t)((ret_guid->b[8] & 0x3F) | 0x80);
}

void vk_lab_mac(uint64_t seed, const char *what, uint64_t index, uint8_t ret_mac[6])
{
	uint64_t r = vk_lab_random(seed, what, index);

	ret_mac[0] = 0x00;
	ret_mac[1] = 0x50; /* VMware's own prefix: no physical host has it */
	ret_mac[2] = 0x56;
	ret_mac[3] = (uint8_t)(r & 0x3F);
	ret_mac[4] = (uint8_t)(r >> 8);
	ret_mac[5] = (uint8_t)(r >> 16);
}

void vk_lab_uuid(uint64_t seed, const char *what, uint64_t index, uint32_t seconds,
		 const uint8_t mac[6], struct vk_vmfs_uuid *ret_uuid)
{
	uint64_t r = vk_lab_random(seed, what, index);
	struct vk_vmfs_uuid_parts parts = {
		.timeLo = seconds,
		.timeHi = (uint32_t)r,
		.rand = (uint16_t)(r >> 32),
	};

	memcpy(parts.macAddr, mac, sizeof(parts.macAddr));
	vk_vmfs_uuid_encode(&parts, ret_uuid);
}
