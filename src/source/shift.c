/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Copies that lost or gained bytes on the way (dd without conv=sync over a bad sector, a cable, a split in the wrong
 * order), and those of which only the beginning and the end were kept. What says itself where it belongs tells: the
 * backup GPT its sector, the table the place of the LVM header, that the one of the descriptor, a heartbeat its own.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/checked.h"
#include "base/memory.h"
#include "source/survey.h"

enum {
	TAIL_BYTES = 1 << 20,  /* where the backup GPT is looked for: a copy may be padded */
	NEAR_BYTES = 1 << 16,  /* around its place a structure of no whole sectors' shift is looked for */
	PARTITIONS_MAX = 128,
	GLUED_PART = 16        /* who lacks more than this part of the disk did not lose it on the way */
};

/* One supposition: everything behind some byte lies `by` bytes behind its place. */
struct shift {
	struct vk_survey *survey;
	uint32_t sector_size;
	int64_t by;
	bool primary;          /* the primary GPT is in its place */
	bool backup;           /* the backup GPT is displaced so far */
	bool length;           /* so is the end of the source */
	uint64_t disk_bytes;   /* as the GPT says; 0: nobody does */
	uint64_t in_place_end; /* of the last structure in its place */
	uint64_t first;        /* where the first one lies that is not; UINT64_MAX: there is none */
	unsigned structures;   /* of VMFS that are not */
	unsigned standing;     /* of VMFS that are */
	struct vk_text evidence;
	char evidence_buf[300];
};

static void shift_init(struct shift *s, struct vk_survey *survey, uint32_t sector_size, int64_t by)
{
	*s = (struct shift){.survey = survey, .sector_size = sector_size, .by = by, .first = UINT64_MAX};
	s->evidence = vk_text_in(s->evidence_buf, sizeof(s->evidence_buf));
}

/* Where something lies that belongs at `at`. False: in front of the source, or behind all that can be. */
static bool moved_place(int64_t by, uint64_t at, uint64_t *ret_at)
{
	if (by >= 0)
		return vk_add_u64(at, (uint64_t)by, ret_at);
	*ret_at = at - (uint64_t)-by;
	return at >= (uint64_t)-by;
}

static void note_in_place(struct shift *s, uint64_t at, uint64_t length)
{
	s->in_place_end = vk_max_u64(s->in_place_end, vk_add_sat(at, length));
}

static void note_displaced(struct shift *s, const char *what, uint64_t at)
{
	s->first = vk_min_u64(s->first, at);
	vk_text_fmt(&s->evidence, "%s%s at byte %" PRIu64, s->evidence.len_bytes > 0 ? ", " : "", what, at);
}

static bool heartbeat_stands(struct vk_io *io, uint64_t at)
{
	return vk_heartbeat_at(io, at, VK_HEARTBEATS_OFFSET);
}

/* What of a volume stands in its place, and what so far from it. */
static void look_at_volume(struct shift *s, uint64_t start)
{
	static const struct {
		const char *what;
		uint64_t at;
		uint64_t length;
		bool (*stands)(struct vk_io *io, uint64_t at);
	} rows[] = {
		{"LVM header", VK_LVM_HEADER_OFFSET, VK_LVM_DEVICE_BYTES, vk_lvm_header_at},
		{"file-system descriptor", VK_LVM_DATA_OFFSET + VK_FS_OFFSET, VK_FS_SECTOR_BYTES, vk_fs_descriptor_at},
		{"heartbeat", VK_LVM_DATA_OFFSET + VK_HEARTBEATS_OFFSET, VK_HEARTBEAT_BYTES, heartbeat_stands},
	};
	struct vk_io *io = s->survey->io;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint64_t at = vk_add_sat(start, rows[i].at), there;
		const bool moved = moved_place(s->by, at, &there) && rows[i].stands(io, there);
		const bool stands = rows[i].stands(io, at);

		if (stands && !moved) {
			note_in_place(s, at, rows[i].length);
			s->standing++;
		}
		if (!moved || stands)
			continue;
		note_displaced(s, rows[i].what, there);
		s->structures++;
	}
}

static void look_at_volumes(struct shift *s, const struct vk_table *table)
{
	for (size_t i = 0; i < table->partition_count && i < PARTITIONS_MAX; i++)
		if (vk_partition_is_vmfs(&table->partitions[i]))
			look_at_volume(s, vk_mul_sat(table->partitions[i].start_sector, table->sector_size));
}

/* The table at the beginning, as far as it stands there. */
static void look_at_front(struct shift *s)
{
	const struct vk_table *table = s->survey->table;
	const struct vk_gpt_copy *gpt = &table->gpt[0];

	if (table->mbr_seen_bytes >= VK_MBR_BYTES && table->mbr.signature == VK_MBR_SIGNATURE)
		note_in_place(s, 0, VK_MBR_BYTES);
	if (!gpt->present || !vk_gpt_header_proved(gpt->sector, table->sector_size))
		return;
	s->primary = true;
	note_in_place(s, table->sector_size, table->sector_size);
	if (gpt->sound)
		note_in_place(s, gpt->header.entriesLBA * table->sector_size, vk_gpt_entries_bytes(&gpt->header));
}

/* The last GPT header in the last MiB that is a backup and proved. */
static bool find_backup(struct vk_io *io, struct vk_gpt_header *ret_header, uint64_t *ret_at)
{
	const uint64_t size = vk_io_size_bytes(io), from = size > TAIL_BYTES ? size - TAIL_BYTES : 0;
	uint8_t *buf = malloc(TAIL_BYTES);
	bool found = false;
	size_t got = 0;

	if (buf == NULL || vk_io_read(io, from, buf, (size_t)(size - from), &got, NULL) != VK_OK)
		got = 0;
	for (size_t i = got >= 512 ? got - 512 + 1 : 0; i-- > 0 && !found;) {
		if (buf[i] != VK_GPT_SIGNATURE[0] || !vk_gpt_has_signature(buf + i, 512) ||
		    !vk_gpt_header_proved(buf + i, 512))
			continue;
		vk_gpt_header_decode(buf + i, 512, ret_header);
		found = ret_header->myLBA > 1 && ret_header->entriesLBA < ret_header->myLBA;
		*ret_at = from + i;
	}
	free(buf);
	return found;
}

/* The table that the displaced backup holds; kind none: it cannot be read. */
static enum vk_status read_backup_table(const struct shift *s, struct vk_table *ret_table)
{
	struct vk_io *io = s->survey->io;
	struct vk_io *moved = s->by > 0 ? vk_io_window(io, (uint64_t)s->by, s->disk_bytes)
					: vk_io_shifted(io, (uint64_t)-s->by);
	struct vk_io *disk = moved != NULL ? vk_io_window(moved, 0, s->disk_bytes) : NULL;
	enum vk_status status;

	if (disk != NULL)
		status = vk_table_read(disk, s->sector_size, true, NULL, ret_table, s->survey->err);
	else
		status = vk_no_memory(s->survey->err, s->survey->path);
	vk_io_close(disk);
	vk_io_close(moved);
	return status;
}

/* The structures of each volume that the table names, which stands at the beginning, or is the displaced copy. */
static bool look_through_table(struct shift *s)
{
	struct vk_table table = {.gpt_chosen = -1};

	if (s->primary || !s->backup) {
		look_at_volumes(s, s->survey->table);
		return true;
	}
	s->survey->status = read_backup_table(s, &table);
	if (s->survey->status != VK_OK)
		return false;
	look_at_volumes(s, &table);
	vk_table_free(&table);
	return true;
}

/* Supposing what the backup GPT says of its own place. */
static bool suppose_backup(struct shift *s, struct vk_survey *survey, uint32_t sector_size,
			   const struct vk_gpt_header *backup, uint64_t at)
{
	const struct vk_gpt_header *primary = &survey->table->gpt[0].header;
	uint64_t place, end, entries;

	if (!vk_mul_u64(backup->myLBA, sector_size, &place) || !vk_mul_u64(backup->myLBA + 1, sector_size, &end) ||
	    end > INT64_MAX || place == at)
		return false;
	shift_init(s, survey, sector_size, (int64_t)at - (int64_t)place);
	look_at_front(s);
	/* that of another disk, which lay here before */
	if (s->primary && (survey->table->sector_size != sector_size || primary->alternateLBA != backup->myLBA ||
			   !vk_guid_equal(&primary->diskGUID, &backup->diskGUID)))
		return false;
	s->backup = true;
	s->disk_bytes = end;
	s->length = vk_io_size_bytes(survey->io) == at + sector_size;
	note_displaced(s, "the backup GPT", at);
	entries = (backup->myLBA - backup->entriesLBA) * sector_size;
	if (entries <= TAIL_BYTES && entries <= at)
		s->first = at - entries;
	return look_through_table(s);
}

/* Supposing that the source ends where the disk does: of a copy whose backup GPT is gone. */
static bool suppose_length(struct shift *s, struct vk_survey *survey)
{
	const uint64_t disk = vk_mul_sat(vk_table_gpt_disk_sectors(survey->table), survey->table->sector_size);
	const uint64_t size = vk_io_size_bytes(survey->io);

	if (disk == 0 || disk == size || disk > INT64_MAX || size > INT64_MAX)
		return false;
	shift_init(s, survey, survey->table->sector_size, (int64_t)size - (int64_t)disk);
	look_at_front(s);
	s->length = s->primary;
	s->disk_bytes = disk;
	return look_through_table(s);
}

/* A structure near its place, at a byte where no sector begins: no other partition can begin there. */
static bool find_near(struct vk_io *io, uint64_t at, bool (*stands)(struct vk_io *io, uint64_t at), int64_t *ret_by)
{
	const uint64_t from = at > NEAR_BYTES ? at - NEAR_BYTES : 0;
	uint8_t *buf = malloc(2 * NEAR_BYTES);
	bool found = false;
	size_t got = 0;

	if (buf == NULL || vk_io_read(io, from, buf, 2 * NEAR_BYTES, &got, NULL) != VK_OK)
		got = 0;
	for (size_t i = 0; i + 4 <= got && !found; i++) {
		const uint32_t magic = vk_get_le32(buf + i);

		if ((from + i) % 512 == 0 || (magic != VK_LVM_MAGIC && !vk_fs_magic_known(magic)) ||
		    !stands(io, from + i))
			continue;
		*ret_by = (int64_t)(from + i) - (int64_t)at;
		found = true;
	}
	free(buf);
	return found;
}

/* Supposing that a structure of a volume of the table lies displaced by no whole number of sectors. */
static bool suppose_near(struct shift *s, struct vk_survey *survey)
{
	const struct vk_table *table = survey->table;

	for (size_t i = 0; i < table->partition_count && i < PARTITIONS_MAX; i++) {
		uint64_t start = vk_mul_sat(table->partitions[i].start_sector, table->sector_size);
		uint64_t header = vk_add_sat(start, VK_LVM_HEADER_OFFSET);
		uint64_t fs = vk_add_sat(start, VK_LVM_DATA_OFFSET + VK_FS_OFFSET);
		int64_t by;

		if (!vk_partition_is_vmfs(&table->partitions[i]) ||
		    (vk_lvm_header_at(survey->io, header) ? vk_fs_descriptor_at(survey->io, fs) ||
								    !find_near(survey->io, fs, vk_fs_descriptor_at, &by)
							  : !find_near(survey->io, header, vk_lvm_header_at, &by)))
			continue;
		shift_init(s, survey, table->sector_size, by);
		look_at_front(s);
		return look_through_table(s);
	}
	return false;
}

/*
 * What lies in a volume of this LUN, as the disk of a virtual ESXi, lies behind the volume's metadata, and has all in
 * its place from there on. A copy that gained so much in front of everything is not told from it.
 */
static bool is_inside(const struct shift *s)
{
	const struct vk_lun_signs *own = &s->survey->own;

	return s->backup && !s->primary &&
	       ((s->by > (int64_t)VK_LVM_DATA_OFFSET && s->standing == 0) ||
		(s->survey->table->kind == VK_TABLE_MBR && own->fits[0].fit == VK_FIT_STRUCTURE));
}

/* Whether all of it fits together: what is displaced lies behind all that is not, and enough says the same. */
static bool is_shift(const struct shift *s)
{
	const uint64_t place = s->first - (uint64_t)s->by;

	if (s->first == UINT64_MAX || s->first < s->in_place_end || (s->by > 0 && place < s->in_place_end))
		return false;
	if (is_inside(s))
		return false;
	/*
	 * An image that begins with a partition, or behind the beginning of its disk, lost nothing on the way. Whether
	 * the entries of its backup GPT are whole does not matter.
	 */
	if (s->in_place_end == 0 && s->by < 0 && (s->structures == 0 || (uint64_t)-s->by >= TAIL_BYTES))
		return false;
	/* the last sectors of a virtual disk that lies at the end of the LUN name no such place before them */
	if (s->backup)
		return s->primary || s->structures > 0 || (s->length && s->standing > 0 && s->by < TAIL_BYTES);
	return s->length ? s->structures > 0 : s->by % 512 != 0 && s->structures > 1;
}

static bool add_shift(struct shift *s)
{
	const uint64_t lost = s->by < 0 ? (uint64_t)-s->by : 0, bytes = s->by < 0 ? lost : (uint64_t)s->by;
	struct vk_reading r = {.kind = VK_READING_SHIFTED,
			       .sure = s->backup || s->structures > 1 ? VK_SURE_CERTAIN : VK_SURE_LIKELY,
			       .weight = VK_WEIGHT_COPY,
			       .shift_from_bytes = s->first,
			       .shift_bytes = s->by};

	/* with nothing in its place, all of it is taken for displaced */
	if (s->in_place_end == 0)
		r.shift_from_bytes = s->by > 0 ? bytes : 0;

	if (s->backup && s->structures == 0 && lost > s->disk_bytes / GLUED_PART) {
		r.kind = VK_READING_GLUED;
		snprintf(r.what, sizeof(r.what), "beginning and end of a disk of %" PRIu64 " bytes, put together: "
			 "%" PRIu64 " bytes between byte %" PRIu64 " and byte %" PRIu64 " are missing", s->disk_bytes,
			 lost, s->in_place_end, s->first + lost);
	} else {
		snprintf(r.what, sizeof(r.what), "a copy that %s %" PRIu64 " bytes between byte %" PRIu64 " and byte %"
			 PRIu64 ": all behind lies %" PRIu64 " bytes %s its place", lost > 0 ? "lost" : "gained", bytes,
			 s->in_place_end, s->first, bytes, lost > 0 ? "before" : "behind");
	}
	snprintf(r.evidence, sizeof(r.evidence), "%s%s agree on %" PRIu64 " bytes", s->evidence_buf,
		 s->length ? " and the length" : "", bytes);
	return vk_survey_add(s->survey, &r);
}

struct vk_io *vk_reading_put_right(struct vk_io *io, const struct vk_reading *r)
{
	const uint64_t size = vk_io_size_bytes(io), from = r->shift_from_bytes;
	const uint64_t moved = from - (uint64_t)r->shift_bytes;
	/* what was gained lies in front of `from`; of what lies between, nobody knows whether it is in its place */
	const struct vk_io_part parts[] = {{0, vk_min_u64(from, moved), io, 0}, {moved, size - from, io, from}};
	const bool front = parts[0].length_bytes > 0;

	return vk_io_parts(vk_io_name(io), parts + !front, 1U + front, moved + (size - from), VK_SPAN_ABSENT);
}

void vk_look_at_shift(struct vk_survey *survey)
{
	static const uint32_t sector_sizes[] = {512, 4096};
	struct vk_gpt_header backup;
	bool found, settled = false;
	struct shift s;
	uint64_t at;

	/* each copy of the table stands where the other says */
	if (survey->own.copies_agree)
		return;
	found = find_backup(survey->io, &backup, &at);
	for (size_t i = 0; i < 2 && found && !settled && survey->status == VK_OK; i++) {
		if (survey->sector_size_by_hand && survey->sector_size != sector_sizes[i])
			continue;
		settled = suppose_backup(&s, survey, sector_sizes[i], &backup, at) && is_shift(&s);
	}
	if (!settled && survey->status == VK_OK)
		settled = suppose_length(&s, survey) && is_shift(&s);
	if (!settled && survey->status == VK_OK)
		settled = suppose_near(&s, survey) && is_shift(&s);
	if (settled && survey->status == VK_OK)
		(void)add_shift(&s);
}
