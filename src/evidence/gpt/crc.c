/* SPDX-License-Identifier: Apache-2.0 */
/* CRC-32 is linear: what a change does to it depends on the change and its place, not on the rest. */
#include <string.h>

#include "evidence/gpt/crc.h"

#define POLYNOMIAL 0xEDB88320U

bool vk_gpt_header_mend(uint8_t *sector, uint32_t sector_size, unsigned *ret_bit)
{
	for (unsigned bit = 0; bit < VK_GPT_HEADER_BYTES * 8; bit++) {
		uint8_t mask = (uint8_t)(1 << bit % 8);

		sector[bit / 8] ^= mask;
		if (vk_gpt_header_proved(sector, sector_size)) {
			*ret_bit = bit;
			return true;
		}
		sector[bit / 8] ^= mask;
	}
	return false;
}

bool vk_gpt_crc_bit(const uint8_t *buf, size_t len, uint32_t wanted, size_t *ret_bit)
{
	uint32_t difference = vk_crc32(0, buf, len) ^ wanted;
	uint32_t effect = POLYNOMIAL; /* of the last bit; of each one before it, one step more */

	if (difference == 0)
		return false;
	for (size_t bit = len * 8; bit-- > 0;) {
		if (effect == difference) {
			*ret_bit = bit;
			return true;
		}
		effect = effect >> 1 ^ (effect & 1 ? POLYNOMIAL : 0);
	}
	return false;
}

bool vk_gpt_crc_piece(uint8_t *array, const uint8_t *from, size_t len, size_t entry_size, uint32_t wanted)
{
	uint32_t crc = vk_crc32(0, array, len);
	uint32_t effect[VK_GPT_PIECES_MAX]; /* what taking the entry at that offset does to the CRC */
	size_t at[VK_GPT_PIECES_MAX];
	unsigned count = 0;

	for (size_t i = 0; i + entry_size <= len; i += entry_size) {
		uint32_t with;

		if (memcmp(array + i, from + i, entry_size) == 0)
			continue;
		if (count == VK_GPT_PIECES_MAX)
			return false;
		with = vk_crc32(vk_crc32(0, array, i), from + i, entry_size);
		effect[count] = crc ^ vk_crc32(with, array + i + entry_size, len - i - entry_size);
		at[count++] = i;
	}
	for (unsigned choice = 1; choice < 1U << count; choice++) {
		uint32_t sum = crc;

		for (unsigned i = 0; i < count; i++)
			sum ^= choice >> i & 1 ? effect[i] : 0;
		if (sum != wanted)
			continue;
		for (unsigned i = 0; i < count; i++)
			if (choice >> i & 1)
				memcpy(array + at[i], from + at[i], entry_size);
		return true;
	}
	return false;
}
