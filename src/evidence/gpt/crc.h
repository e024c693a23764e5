/* SPDX-License-Identifier: Apache-2.0 */
/* What a checksum can prove beyond "it fits": which bit was flipped, which of two copies each entry is from. */
#ifndef VK_EVIDENCE_GPT_CRC_H
#define VK_EVIDENCE_GPT_CRC_H

#include "vmfskit/gpt.h"

/*
 * The one bit of the first 92 bytes whose flip makes the header proved: flipped in sector. ret_bit counts from bit 0 of
 * byte 0. CRC-32 tells any two such bits apart.
 */
bool vk_gpt_header_mend(uint8_t *sector, uint32_t sector_size, unsigned *ret_bit);

/* The bit whose flip turns the CRC of buf into wanted; false when no single bit does. */
bool vk_gpt_crc_bit(const uint8_t *buf, size_t len, uint32_t wanted, size_t *ret_bit);

/* The most entries in which two arrays may differ to be pieced together. */
enum { VK_GPT_PIECES_MAX = 12 };
/*
 * Take entries of `from` into `array` until its CRC is wanted: every choice of the entries that differ is tried. False,
 * and array is as it was, when none does or too many differ. len is a multiple of entry_size.
 */
bool vk_gpt_crc_piece(uint8_t *array, const uint8_t *from, size_t len, size_t entry_size, uint32_t wanted);

#endif
