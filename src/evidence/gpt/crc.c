/* SPDX-License-Identifier: Apache-2.0 */
/* CRC-32 is linear: what a change does to it depends on the change and its place, not on the rest. */
#include <string.h>

#include "evidence/gpt/crc.h"

#define POLYNOMIAL 0xEDB88320U

bool vk_gpt_header_proved(const uint8_t *sector, uint32_t sector_size)
{
	return (vk_gpt_header_faults(sector, sector_size, 1, 0) & VK_GPT_FAULTS_OF_BYTES) == 0;
}

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

bool vk_gpt_header_sign(uint8_t *sector, uint32_t sector_size)
{
	uint8_t stood[8];

	memcpy(stood, sector, sizeof(stood));
	memcpy(sector, "EFI PART", sizeof(stood));
	if (vk_gpt_header_proved(sector, sector_size))
		return true;
	memcpy(sector, stood, sizeof(stood));
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

/*
 * What replacing an entry does to the CRC of the array. vk_crc32 inverts on the way in and out: started with all ones,
 * its register begins with nothing, and zeros in front of the change leave it so.
 */
static uint32_t effect_of(const uint8_t *old, const uint8_t *new, size_t entry_size, size_t behind)
{
	static const uint8_t zeros[1024];
	uint32_t crc = UINT32_MAX;
	uint8_t change[64];

	for (size_t done = 0; done < entry_size;) {
		size_t n = entry_size - done < sizeof(change) ? entry_size - done : sizeof(change);

		for (size_t i = 0; i < n; i++)
			change[i] = old[done + i] ^ new[done + i];
		crc = vk_crc32(crc, change, n);
		done += n;
	}
	while (behind > 0) {
		size_t n = behind < sizeof(zeros) ? behind : sizeof(zeros);

		crc = vk_crc32(crc, zeros, n);
		behind -= n;
	}
	return ~crc;
}

/* Offsets of the entries that differ; false when there are too many. */
static bool differing(const uint8_t *a, const uint8_t *b, size_t len, size_t entry_size,
		      size_t ret_at[VK_GPT_PIECES_MAX], unsigned *ret_count)
{
	unsigned count = 0;

	for (size_t at = 0; at + entry_size <= len; at += entry_size) {
		if (memcmp(a + at, b + at, entry_size) == 0)
			continue;
		if (count == VK_GPT_PIECES_MAX)
			return false;
		ret_at[count++] = at;
	}
	*ret_count = count;
	return count > 0;
}

bool vk_gpt_crc_piece(uint8_t *array, const uint8_t *from, size_t len, size_t entry_size, uint32_t wanted)
{
	uint32_t difference = vk_crc32(0, array, len) ^ wanted;
	uint32_t effect[VK_GPT_PIECES_MAX];
	size_t at[VK_GPT_PIECES_MAX];
	unsigned count;

	if (!differing(array, from, len, entry_size, at, &count))
		return false;
	for (unsigned i = 0; i < count; i++)
		effect[i] = effect_of(array + at[i], from + at[i], entry_size, len - at[i] - entry_size);
	for (unsigned choice = 1; choice < 1U << count; choice++) {
		uint32_t sum = 0;

		for (unsigned i = 0; i < count; i++)
			sum ^= choice >> i & 1 ? effect[i] : 0;
		if (sum != difference)
			continue;
		for (unsigned i = 0; i < count; i++)
			if (choice >> i & 1)
				memcpy(array + at[i], from + at[i], entry_size);
		return true;
	}
	return false;
}
