/* SPDX-License-Identifier: Apache-2.0 */
/* INQUIRY and its pages 80h and 83h as bytes (SPC): who a LUN says it is. */
#include <string.h>

#include "base/checked.h"
#include "scsi/live_lun.h"

enum { PAGE_HEAD = 4, INQUIRY_MODEL = 16, INQUIRY_MODEL_END = 32 };
enum { CODE_BINARY = 1, CODE_ASCII = 2, CODE_UTF8 = 3 };
enum { KIND_T10 = 1, KIND_EUI = 2, KIND_NAA = 3, KIND_NAME = 8 };

/* One designator of page 83h whose bytes lie in the page. */
struct designator {
	unsigned code_set, kind, association;
	const uint8_t *bytes;
	size_t len;
};

/* The bytes behind the head of a page, as many as it announces and has; 0: it is not that page. */
static size_t page_bytes(const uint8_t *page, size_t len, uint8_t code)
{
	if (len < PAGE_HEAD || page[1] != code)
		return 0;
	return (size_t)vk_min_u64(len - PAGE_HEAD, (uint64_t)page[2] << 8 | page[3]);
}

/* The next one; false at the end, also where the last one does not fit. */
static bool next_designator(const uint8_t **at, size_t *left, struct designator *ret)
{
	const uint8_t *p = *at;

	if (*left < PAGE_HEAD || *left - PAGE_HEAD < p[3])
		return false;
	*ret = (struct designator){.code_set = p[0] & 0x0f, .kind = p[1] & 0x0f, .association = (p[1] >> 4) & 3,
				   .bytes = p + PAGE_HEAD, .len = p[3]};
	*at += PAGE_HEAD + p[3];
	*left -= PAGE_HEAD + (size_t)p[3];
	return true;
}

/* How much ESX prefers it: the higher, the more; 0: it names nothing that could be used. */
static unsigned rank_of(const struct designator *d)
{
	static const struct {
		unsigned naa, len, rank;
	} kinds[] = {{6, 16, 9}, {5, 8, 8}, {2, 8, 7}, {3, 8, 6}};

	if (d->association != 0 || d->len == 0)
		return 0;
	if (d->kind == KIND_NAA && d->code_set == CODE_BINARY)
		for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
			if (d->bytes[0] >> 4 == kinds[i].naa && d->len == kinds[i].len)
				return kinds[i].rank;
	if (d->kind == KIND_EUI && d->code_set == CODE_BINARY && (d->len == 8 || d->len == 12 || d->len == 16))
		return 5;
	if (d->kind == KIND_T10 && (d->code_set == CODE_ASCII || d->code_set == CODE_UTF8) && d->len > 8)
		return 4;
	if (d->kind == KIND_NAME && d->code_set == CODE_UTF8 && d->len > 4)
		return 3;
	return 0;
}

/* Of a SCSI name string: "naa.6000..." and "eui.0025..." name what the binary designators do. */
static void name_string(const struct designator *d, char ret_name[VK_SCSI_NAME_BYTES])
{
	struct vk_text text = vk_text_in(ret_name, VK_SCSI_NAME_BYTES);
	char lower[VK_SCSI_NAME_BYTES];

	vk_text_label(&text, d->bytes, d->len);
	for (size_t i = 0; i < sizeof(lower); i++)
		lower[i] = (char)(ret_name[i] >= 'A' && ret_name[i] <= 'Z' ? ret_name[i] - 'A' + 'a' : ret_name[i]);
	if (strncmp(lower, "naa.", 4) == 0 || strncmp(lower, "eui.", 4) == 0)
		memcpy(ret_name, lower, sizeof(lower));
}

static void name_of(const struct designator *d, char ret_name[VK_SCSI_NAME_BYTES])
{
	struct vk_text text = vk_text_in(ret_name, VK_SCSI_NAME_BYTES);

	if (d->kind == KIND_T10) {
		vk_scsi_t10_name(d->bytes, d->len, ret_name);
	} else if (d->kind == KIND_NAME) {
		name_string(d, ret_name);
	} else {
		vk_text_put(&text, d->kind == KIND_NAA ? "naa." : "eui.");
		vk_text_hex(&text, d->bytes, d->len);
	}
}

/* All that count, the preferred one first; the order of the page decides between equals. */
static void add_designators(const struct vk_lun_pages *pages, struct vk_live_lun *lun)
{
	char name[VK_SCSI_NAME_BYTES];
	struct designator d;

	for (unsigned rank = 9; rank > 0; rank--) {
		const uint8_t *at = pages->page83 + PAGE_HEAD;
		size_t left = page_bytes(pages->page83, pages->page83_len, 0x83);

		while (next_designator(&at, &left, &d)) {
			if (rank_of(&d) != rank)
				continue;
			name_of(&d, name);
			vk_live_lun_add_name(lun, name);
		}
	}
}

/* The serial number names the LUN, too; type 1 records it as it is given, and the model. */
static void add_serial(const struct vk_lun_pages *pages, struct vk_live_lun *lun)
{
	const uint8_t *serial = pages->page80 + PAGE_HEAD;
	size_t len = page_bytes(pages->page80, pages->page80_len, 0x80), used = len;
	char name[VK_SCSI_NAME_BYTES];
	struct vk_text text = vk_text_in(name, sizeof(name));

	while (used > 0 && (serial[used - 1] == ' ' || serial[used - 1] == 0))
		used--;
	if (used == 0)
		return;
	vk_text_put(&text, "serial ");
	vk_text_label(&text, serial, used);
	vk_live_lun_add_name(lun, name);
	if (lun->kind_known)
		return;
	lun->kind_known = true;
	lun->id.type = VK_SCSI_ID_SERIAL;
	if (len > VK_SCSI_ID_MAX - VK_SCSI_MODEL_TAIL_BYTES)
		return;
	memcpy(lun->id.id, serial, len);
	memset(lun->id.id + len, ' ', VK_SCSI_MODEL_TAIL_BYTES);
	lun->id.len = (uint8_t)(len + VK_SCSI_MODEL_TAIL_BYTES);
	lun->id_known = true;
}

void vk_live_lun_of_pages(const struct vk_lun_pages *pages, struct vk_live_lun *ret_lun)
{
	struct vk_live_lun lun = {.lun_count = 0};

	if (pages->page83 != NULL)
		add_designators(pages, &lun);
	if (strncmp(lun.name, "naa.", 4) == 0) {
		vk_live_lun_make_naa(&lun, lun.name);
	} else if (strncmp(lun.name, "eui.", 4) == 0) {
		/* ESX records the path of such a device, which only the host knows */
		lun.kind_known = true;
		lun.id.type = VK_SCSI_ID_PATH;
	}
	if (pages->page80 != NULL)
		add_serial(pages, &lun);
	if (pages->inquiry != NULL && pages->inquiry_len > 0)
		lun.id.deviceType = pages->inquiry[0] & 0x1f;
	if (pages->inquiry != NULL && pages->inquiry_len >= INQUIRY_MODEL_END)
		vk_live_lun_set_model(&lun, (const char *)pages->inquiry + INQUIRY_MODEL,
				      INQUIRY_MODEL_END - INQUIRY_MODEL);
	*ret_lun = lun;
}
