/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The line that makes a partition table on an ESXi host, read and written:
 *
 *   partedUtil setptbl DEVICE gpt|msdos "NUMBER FIRST LAST TYPE ATTRIBUTE"...
 *   partedUtil set DEVICE "NUMBER FIRST LAST TYPE ATTRIBUTE"...     (an MBR; earlier hosts)
 *
 * as partedUtil's own usage text has it. It counts sectors of 512 bytes.
 */
#ifndef VK_REBUILD_TABLE_SETPTBL_H
#define VK_REBUILD_TABLE_SETPTBL_H

#include "vmfskit/table.h"

enum { VK_SETPTBL_SECTOR_BYTES = 512, VK_SETPTBL_ENTRIES_MAX = 128, VK_SETPTBL_WORD_BYTES = 300 };
/* The last word of an entry: what a machine boots from, or nothing. */
enum { VK_SETPTBL_BOOT = 128 };

struct vk_setptbl_entry {
	char text[160]; /* as it was given, fit for a terminal */
	uint64_t number, first, last, attribute;
	char type[48];
	bool has_guid; /* type is one */
	bool hyphens;  /* written with hyphens, which partedUtil does not take */
	struct vk_guid guid;
	bool has_mbr_type; /* type is a decimal number of one byte */
	uint8_t mbr_type;
};

/* Plain value. */
struct vk_setptbl {
	char device[VK_SETPTBL_WORD_BYTES]; /* without the shell's quotes */
	bool gpt;                           /* else msdos */
	struct vk_setptbl_entry entries[VK_SETPTBL_ENTRIES_MAX];
	size_t count;
};

/* Read a line as a person would type it, prompt and quotes included. Errors: VK_USAGE, with what is wrong with it. */
VK_MUST_USE enum vk_status vk_setptbl_read(const char *line, struct vk_setptbl *ret_line, struct vk_error *err);

/* The words of an entry but for its attribute: "1 2048 41943006 AA31E02A400F11DB9590000C2911D1B8". */
enum { VK_SETPTBL_WORDS_BYTES = 128 };
void vk_setptbl_words(const struct vk_partition *partition, char ret_words[VK_SETPTBL_WORDS_BYTES]);
/* What stands behind them; active: of an MBR. */
unsigned vk_setptbl_attribute(const struct vk_partition *partition, bool active);

#endif
