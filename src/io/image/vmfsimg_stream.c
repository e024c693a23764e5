/* SPDX-License-Identifier: Apache-2.0 */
/* The sequences of a VMFSIMG stream and their checksum. */
#include <zlib.h>

#include "base/bytes.h"
#include "io/image/vmfsimg_stream.h"

#define CODE_DATA 0x00
#define CODE_ZEROS 0x01
#define CODE_CHECK 0x7F
#define WORDS_MAX (VK_VMFSIMG_BLOCK_BYTES / 4)
#define ADLER_BASE 65521U

#define CUT_OFF "the stream ends inside a sequence"

enum number { NUMBER_OK, NUMBER_CUT, NUMBER_TOO_BIG };

/* Seven bits for each byte, the least significant first; the value fits 32 bits. */
static enum number read_number(struct vk_byte_reader *reader, uint32_t *ret_value)
{
	uint64_t value = 0;

	for (unsigned shift = 0; shift < 35; shift += 7) {
		uint8_t byte;

		if (!vk_byte_reader_byte(reader, &byte))
			return NUMBER_CUT;
		value |= (uint64_t)(byte & 0x7F) << shift;
		if ((byte & 0x80) != 0)
			continue;
		if (value > UINT32_MAX)
			return NUMBER_TOO_BIG;
		*ret_value = (uint32_t)value;
		return NUMBER_OK;
	}
	return NUMBER_TOO_BIG;
}

static void broken(struct vk_vmfsimg_sequence *seq, const char *what)
{
	seq->kind = VK_VMFSIMG_BROKEN;
	seq->blocks = 0;
	seq->what = what;
}

static void next_data(struct vk_byte_reader *reader, unsigned version, struct vk_vmfsimg_sequence *seq)
{
	uint32_t words = WORDS_MAX;

	seq->kind = VK_VMFSIMG_DATA;
	seq->blocks = 1;
	if (version >= 2) {
		enum number number = read_number(reader, &words);

		if (number == NUMBER_CUT) {
			broken(seq, CUT_OFF);
			return;
		}
		if (number == NUMBER_TOO_BIG || words > WORDS_MAX) {
			broken(seq, "a block claims to be longer than 512 bytes");
			return;
		}
	}
	seq->data_len = words * 4;
	if (!vk_byte_reader_bytes(reader, seq->data, seq->data_len))
		broken(seq, CUT_OFF);
	else if (seq->data_len == 0)
		seq->kind = VK_VMFSIMG_ZEROS;
}

static void next_zeros(struct vk_byte_reader *reader, struct vk_vmfsimg_sequence *seq)
{
	uint32_t count;

	switch (read_number(reader, &count)) {
	case NUMBER_OK:
		seq->kind = VK_VMFSIMG_ZEROS;
		seq->blocks = (uint64_t)count + 1;
		break;
	case NUMBER_CUT:
		broken(seq, CUT_OFF);
		break;
	case NUMBER_TOO_BIG:
		broken(seq, "a run of zero blocks has an impossible length");
		break;
	}
}

void vk_vmfsimg_next(struct vk_byte_reader *reader, unsigned version, struct vk_vmfsimg_sequence *ret_seq)
{
	uint8_t sum[4];
	uint8_t code;

	ret_seq->offset = vk_byte_reader_tell(reader);
	ret_seq->blocks = 0;
	ret_seq->data_len = 0;
	ret_seq->what = NULL;
	if (!vk_byte_reader_byte(reader, &code)) {
		ret_seq->kind = VK_VMFSIMG_END;
		if (reader->failed)
			broken(ret_seq, "the file cannot be read on");
		return;
	}
	switch (code) {
	case CODE_DATA:
		next_data(reader, version, ret_seq);
		break;
	case CODE_ZEROS:
		next_zeros(reader, ret_seq);
		break;
	case CODE_CHECK:
		ret_seq->kind = VK_VMFSIMG_CHECK;
		if (vk_byte_reader_bytes(reader, sum, sizeof(sum)))
			ret_seq->adler = vk_get_le32(sum);
		else
			broken(ret_seq, CUT_OFF);
		break;
	default:
		broken(ret_seq, "a byte that begins no sequence");
		break;
	}
	if (ret_seq->kind == VK_VMFSIMG_BROKEN && reader->failed)
		ret_seq->what = "the file cannot be read on";
}

uint32_t vk_adler_of(uint32_t before, const struct vk_vmfsimg_sequence *seq)
{
	uint64_t zeros = (seq->blocks * VK_VMFSIMG_BLOCK_BYTES - seq->data_len) % ADLER_BASE;

	/* the checksum of n zeros alone is 1 in its lower half and n in its upper one */
	return (uint32_t)adler32_combine(adler32_z(before, seq->data, seq->data_len), (uLong)(zeros << 16 | 1),
					 (z_off_t)zeros);
}
