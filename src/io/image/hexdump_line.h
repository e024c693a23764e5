/* SPDX-License-Identifier: Apache-2.0 */
/* One line of a listing: of `hexdump -C`, of `xxd`, or of the text around it. */
#ifndef VK_IO_HEXDUMP_LINE_H
#define VK_IO_HEXDUMP_LINE_H

#include <stddef.h>
#include <stdint.h>

#define VK_HEXDUMP_ROW_BYTES 16
/* No row is longer; the rest of a longer line does not matter. */
#define VK_HEXDUMP_LINE_BYTES 256

enum vk_hexdump_kind {
	VK_HEXDUMP_BLANK,
	VK_HEXDUMP_OTHER,  /* prose, a prompt, half of a wrapped line */
	VK_HEXDUMP_REPEAT, /* `*`: the row before goes on up to the next offset */
	VK_HEXDUMP_OFFSET, /* an offset alone: the end */
	VK_HEXDUMP_ROW
};
struct vk_hexdump_line {
	enum vk_hexdump_kind kind;
	uint64_t offset;
	size_t count; /* bytes of the row, 1 to 16 */
	uint8_t bytes[VK_HEXDUMP_ROW_BYTES];
};

/* Parse a line without its line feed. Blanks and quotation marks of a mail in front are skipped. */
void vk_hexdump_parse(const char *text, size_t len, struct vk_hexdump_line *ret_line);

#endif
