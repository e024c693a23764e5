/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The GPT doctor on a small disk with a sound GPT that the input damages. First byte: bit 0 the table counts sectors of 4096,
 * bit 1 the handle does, bits 2 and 3 the checksums of primary and backup are put right behind the damage, bit 4 a
 * volume was found (its start and length follow, 3 bytes each), bit 5 the disk is cut off (3 bytes). Then edits: offset (3
 * bytes), length (1 byte), the bytes; a length of 0 zeroes the sector.
 *
 * What is put must be sound when it is judged again, and nothing may reach past the disk.
 */
#include "fuzz.h"

#include "base/bytes.h"
#include "evidence/gpt/judge.h"
#include "rebuild/table/plan.h"

enum { DISK_BYTES = 160 << 10, ENTRIES = 128, ARRAY_BYTES = ENTRIES * VK_GPT_ENTRY_BYTES };

static void make_disk(uint8_t *disk, uint32_t ss)
{
	struct vk_gpt_entry e = {.firstLBA = 36, .lastLBA = DISK_BYTES / ss / 2 + 15};
	struct vk_gpt_image image;
	uint8_t array[ARRAY_BYTES] = {0};

	FUZZ_ASSERT(vk_gpt_image_init(ss, DISK_BYTES / ss, &image, NULL) == VK_OK);
	FUZZ_ASSERT(vk_guid_parse(VK_GPT_TYPE_VMFS, &e.typeGUID));
	e.uniqueGUID = e.typeGUID;
	image.header.diskGUID = e.typeGUID;
	if (ss == 4096)
		e.firstLBA = 8, e.lastLBA = 20;
	vk_gpt_entry_encode(&e, array, VK_GPT_ENTRY_BYTES);
	for (int primary = 0; primary < 2; primary++) {
		struct vk_gpt_header h = image.header;

		if (!primary) {
			h.myLBA = image.header.alternateLBA;
			h.alternateLBA = 1;
			h.entriesLBA = image.backup_array_lba;
		}
		vk_gpt_header_encode(&h, disk + h.myLBA * ss, ss);
		FUZZ_ASSERT(vk_gpt_seal(disk + h.myLBA * ss, ss, array));
		memcpy(disk + h.entriesLBA * ss, array, ARRAY_BYTES);
	}
	(void)vk_gpt_protective_mbr(NULL, DISK_BYTES / ss, 0, disk);
	vk_gpt_image_free(&image);
}

static void seal(uint8_t *disk, uint32_t ss, uint64_t lba)
{
	struct vk_gpt_header h;
	uint64_t at;

	vk_gpt_header_decode(disk + lba * ss, ss, &h);
	if (h.entriesLBA >= DISK_BYTES / ss)
		return;
	at = h.entriesLBA * ss;
	if (at + vk_gpt_entries_bytes(&h) <= DISK_BYTES)
		(void)vk_gpt_seal(disk + lba * ss, ss, disk + at);
}

static void damage(struct fuzz_input *in, uint8_t *disk, uint32_t ss)
{
	while (in->size > 0) {
		size_t at = (size_t)fuzz_take(in, 3) % DISK_BYTES;
		size_t length = (size_t)fuzz_take(in, 1);

		if (length == 0) {
			memset(disk + at / ss * ss, 0, ss);
			continue;
		}
		for (size_t i = 0; i < length && at + i < DISK_BYTES && in->size > 0; i++)
			disk[at + i] = (uint8_t)fuzz_take(in, 1);
	}
}

static void look_at(const struct vk_gpt_judgement *j, const struct vk_known_start *start)
{
	FUZZ_ASSERT(j->sector_size == 512 || j->sector_size == 4096);
	FUZZ_ASSERT(j->used >= -1 && j->used <= 1 && j->right >= -1 && j->right <= 1);
	FUZZ_ASSERT(vk_gpt_entries_bytes(&j->image.header) > 0);
	fuzz_text(j->why, sizeof(j->why));
	fuzz_text(j->why_right, sizeof(j->why_right));
	fuzz_text(j->why_sector_size, sizeof(j->why_sector_size));
	for (int part = 0; part <= VK_TP_BACKUP_HEADER; part++) {
		fuzz_text(j->parts[part].why, sizeof(j->parts[part].why));
		FUZZ_ASSERT(j->parts[part].state != VK_PART_STATE_UNUSED);
		FUZZ_ASSERT(part != VK_TP_MBR || j->parts[part].state != VK_PART_STATE_SOUND);
		FUZZ_ASSERT((j->parts[part].state == VK_PART_STATE_SOUND) ==
			    (j->parts[part].why[0] == '\0'));
	}
	for (size_t i = 0; i < j->entry_count; i++) {
		const struct vk_gpt_judged_entry *e = &j->entries[i];
		struct vk_gpt_entry same;

		fuzz_text(e->why, sizeof(e->why));
		FUZZ_ASSERT(e->partition.gpt && e->partition.number > 0);
		FUZZ_ASSERT(i == 0 || e->partition.number > e[-1].partition.number);
		FUZZ_ASSERT(vk_gpt_image_get(&j->image, e->partition.number, &same));
		FUZZ_ASSERT(e->candidate == SIZE_MAX || (start != NULL && e->candidate == start->index));
		FUZZ_ASSERT(!e->length_fits || e->candidate != SIZE_MAX);
	}
	for (size_t i = 0; i < j->lost_count; i++)
		fuzz_text(j->lost[i], strlen(j->lost[i]) + 1);
	for (size_t i = 0; i < j->note_count; i++)
		fuzz_text(j->notes[i], strlen(j->notes[i]) + 1);
	FUZZ_ASSERT(!j->was_gpt || vk_gpt_proof_exact(j->proof) || j->lost_count > 0);
}

static void repair(struct vk_source *source, const struct vk_known_start *start, const struct vk_gpt_judgement *j)
{
	struct vk_overlay *overlay = vk_overlay_new(source->io);
	struct vk_gpt_judgement again;
	struct vk_error err = {0};
	bool changed[VK_TP_COUNT];
	enum vk_status status;

	FUZZ_ASSERT(overlay != NULL);
	status = vk_gpt_put(&j->image, overlay, changed, &err);
	FUZZ_ASSERT(status == VK_OK || status == VK_USAGE);
	FUZZ_ASSERT(!j->cut || status != VK_OK);
	if (status == VK_OK) {
		struct vk_source after = *source;

		after.io = vk_overlay_io(overlay);
		FUZZ_ASSERT(vk_gpt_judge(&after, start, start != NULL, &again, &err) == VK_OK);
		look_at(&again, start);
		if (again.sector_size == j->sector_size) {
			FUZZ_ASSERT(again.sound);
			FUZZ_ASSERT(again.entry_count == j->entry_count);
			FUZZ_ASSERT(!j->sound || vk_overlay_dirty_bytes(overlay) == 0);
		}
		vk_gpt_judgement_free(&again);
	}
	vk_overlay_free(overlay);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t disk[DISK_BYTES];
	static char path[] = "fuzz";
	struct fuzz_input in = {data, size};
	unsigned options = (unsigned)fuzz_take(&in, 1);
	uint32_t ss = options & 1 ? 4096 : 512;
	struct vk_known_start volume = {0};
	struct vk_source source = {.path = path, .kind = VK_SOURCE_DISK};
	struct vk_gpt_judgement j;
	struct vk_error err = {0};
	enum vk_status status;
	size_t length = DISK_BYTES;

	memset(disk, 0, sizeof(disk));
	make_disk(disk, ss);
	if (options & 16) {
		volume.bytes = fuzz_take(&in, 3) * 512;
		volume.length_bytes = fuzz_take(&in, 3) * 512;
	}
	if (options & 32)
		length = (size_t)fuzz_take(&in, 3) % DISK_BYTES / ss * ss;
	damage(&in, disk, ss);
	if (options & 4)
		seal(disk, ss, 1);
	if (options & 8)
		seal(disk, ss, DISK_BYTES / ss - 1);
	source.io = vk_io_memory("fuzz", disk, length, false);
	FUZZ_ASSERT(source.io != NULL);
	vk_io_set_sector_size(source.io, options & 2 ? 4096 : 512);
	source.table.sector_size = options & 2 ? 4096 : 512;
	status = vk_gpt_judge(&source, &volume, options & 16 ? 1 : 0, &j, &err);
	FUZZ_ASSERT(status == VK_OK || status == VK_USAGE);
	if (status == VK_OK) {
		look_at(&j, options & 16 ? &volume : NULL);
		repair(&source, options & 16 ? &volume : NULL, &j);
		vk_gpt_judgement_free(&j);
	}
	vk_io_close(source.io);
	return 0;
}
