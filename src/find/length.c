/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How long a candidate is. totalBytes has no copy in the volume: its extents bound it to a window of one extent, within
 * which nothing there contradicts a wrong bit. So it is exact only where something besides the volume says the same.
 */
#include <inttypes.h>
#include <string.h>

#include "base/checked.h"
#include "find/find_parts.h"

enum { METADATA_EXTENTS_MAX = 8 };

/* The volume's own number of extents; 0: one of the fields that say it is damaged. */
static uint64_t volume_pes(const struct vk_probe *p)
{
	return p->c.has_volume && p->c.checks[VK_CHECK_PE_RANGE].verdict == VK_VERDICT_PASS ? p->c.volume.numPEs : 0;
}

/* Of two numbers that say how many extents fit: on a large device some of the room holds metadata. */
static bool fills(const struct vk_lvm_device *d, uint64_t pes, uint64_t room)
{
	return pes != 0 &&
	       (pes == room || (d->extDevMetadataOffset != 0 && pes < room && pes + METADATA_EXTENTS_MAX >= room));
}

/* totalBytes fits a number of extents, and what stands beside it was not overwritten. */
static bool total_fits(const struct vk_probe *p, uint64_t room)
{
	const struct vk_lvm_device *d = &p->c.lvm;

	if (!p->c.has_header || p->c.checks[VK_CHECK_TOTAL_BYTES].verdict != VK_VERDICT_PASS ||
	    p->c.checks[VK_CHECK_BLOCK_SIZE].verdict != VK_VERDICT_PASS || volume_pes(p) > room)
		return false;
	if (!vk_lvm_fixed_pes(&p->lvm))
		return fills(d, volume_pes(p), room) || fills(d, d->numPEs6, room);
	if (p->c.checks[VK_CHECK_NUM_PES].verdict == VK_VERDICT_PASS)
		return true;
	return room == d->numPEs || room == d->lastPEIndex + 1ULL || room == volume_pes(p);
}

/* Behind the last sector that a sound GPT lets a partition use. */
static bool ends_with_usable(const struct vk_table *t, uint64_t end)
{
	for (int i = 0; i < 2; i++)
		if (t->gpt[i].sound &&
		    vk_mul_sat(vk_add_sat(t->gpt[i].header.lastUsableLBA, 1), t->sector_size) == end)
			return true;
	return false;
}

/*
 * The ends that installers give the last partition of a disk: that of the disk, or behind it a backup GPT of sectors of
 * 512 or 4096 bytes, the 2047 sectors that ESXi 7 leaves (both real disks of 2021), or less than a cylinder.
 */
static bool ends_as_usual(uint64_t end, uint64_t disk)
{
	enum { CYLINDER_BYTES = 255 * 63 * 512 };

	return end == disk || vk_add_sat(end, 33 * 512) == disk || vk_add_sat(end, 5 * 4096) == disk ||
	       vk_add_sat(end, 2047 * 512) == disk ||
	       (end % CYLINDER_BYTES == 0 && end < disk && disk - end < CYLINDER_BYTES);
}

/*
 * Whether one wrong bit would make a length that somebody might have given out of this one: whole MiB, or another usual
 * end. Then that it ends where partitions use to end says nothing: ESXi 7 gives one sector more than whole MiB.
 */
static bool could_be_another(uint64_t length, uint64_t end, uint64_t disk)
{
	const uint64_t mib = 1 << 20;

	for (int bit = 9; bit < 28; bit++) {
		uint64_t other = length ^ 1ULL << bit;
		uint64_t other_end = end - length + other;

		if (other_end <= disk && (other % mib == 0 || ends_as_usual(other_end, disk)))
			return true;
	}
	return false;
}

/* Who says the same as the header, in words; empty: nobody. */
static void find_witness(const struct vk_finder *f, struct vk_probe *p)
{
	struct vk_candidate *c = &p->c;
	const struct vk_tail_gpt *tail = &f->source->tail;
	/* the source may be the end of a disk, of which these bytes lie before it */
	uint64_t before = tail->first_sector * tail->table.sector_size;
	uint64_t disk = before != 0 ? tail->table.disk_sectors * tail->table.sector_size : f->end_bytes;
	uint64_t end = vk_add_sat(before, vk_add_sat(c->start_bytes, c->told_bytes));
	struct vk_text text = vk_text_in(c->length_witness, sizeof(c->length_witness));

	/* what the checksums of a GPT, or a sound MBR, prove is not outvoted */
	if (c->table_sound && c->claimed_bytes != c->told_bytes)
		return;
	for (size_t i = 0; i < p->said_count; i++)
		if (p->said[i].bytes == c->told_bytes) {
			vk_heard_text(f, p->said[i].heard, p->said[i].number, &text);
			return;
		}
	if (end == disk && f->source->kind == VK_SOURCE_PARTITION && vk_io_is_device(f->source->raw))
		vk_text_put(&text, "the end of the device");
	else if (could_be_another(c->told_bytes, end, disk))
		return;
	else if (ends_with_usable(&f->source->table, end) || ends_with_usable(&f->source->tail.table, end))
		vk_text_put(&text, "the last sector that the GPT lets partitions use");
	else if (ends_as_usual(end, disk))
		vk_text_put(&text, "the end of the disk, where the last partition usually ends");
}

static void judge_witness(struct vk_probe *p)
{
	struct vk_candidate *c = &p->c;

	c->length_exact = c->told_bytes != 0 && c->length_witness[0] != '\0';
	if (c->length_exact)
		vk_judge_row(p, VK_CHECK_LENGTH, VK_VERDICT_PASS, "%s", c->length_witness);
	else if (c->told_bytes != 0 && c->table_sound && c->claimed_bytes != 0)
		vk_judge_row(p, VK_CHECK_LENGTH, VK_VERDICT_FAIL, "%" PRIu64 " bytes, %" PRIu64 " by %s", c->told_bytes,
			     c->claimed_bytes, c->heard);
	else if (c->told_bytes != 0)
		vk_judge_row(p, VK_CHECK_LENGTH, VK_VERDICT_UNKNOWN,
			     "%" PRIu64 " bytes by its header, which has room for a wrong bit", c->told_bytes);
	else
		vk_judge_row(p, VK_CHECK_LENGTH, VK_VERDICT_UNKNOWN, "no header says it");
}

/* Whether it ends on the disk: what is proved of it must, and a header that says more than there is lies. */
static void judge_inside(const struct vk_finder *f, struct vk_probe *p, uint64_t total)
{
	struct vk_candidate *c = &p->c;
	uint64_t end = vk_add_sat(c->start_bytes, c->length_bytes);
	uint64_t told_end = vk_add_sat(c->start_bytes, total);

	if (c->start_before_disk)
		vk_judge_row(p, VK_CHECK_INSIDE_DISK, VK_VERDICT_FAIL,
			     "it would begin %" PRIu64 " bytes before the disk", (uint64_t)-p->start);
	else if (end > f->end_bytes)
		vk_judge_row(p, VK_CHECK_INSIDE_DISK, VK_VERDICT_FAIL, "%" PRIu64 " bytes past the end",
			     end - f->end_bytes);
	else if (end > f->size_bytes)
		vk_judge_row(p, VK_CHECK_INSIDE_DISK, VK_VERDICT_UNKNOWN,
			     "its last %" PRIu64 " bytes are not in the source", end - f->size_bytes);
	else if (total != 0 && told_end > f->end_bytes)
		vk_judge_row(p, VK_CHECK_INSIDE_DISK, VK_VERDICT_FAIL,
			     "its header says %" PRIu64 " bytes past the end, its extents end inside",
			     told_end - f->end_bytes);
	else
		vk_judge_row(p, VK_CHECK_INSIDE_DISK, VK_VERDICT_PASS, "%s %" PRIu64 " of %" PRIu64,
			     c->length_exact ? "ends at byte" : "needs to byte at least", end, f->size_bytes);
}

void vk_judge_length(const struct vk_finder *f, struct vk_probe *p)
{
	const struct vk_lvm_device *d = &p->c.lvm;
	struct vk_candidate *c = &p->c;
	uint64_t data = c->has_header ? p->lvm.dataOffset : VK_LVM_DATA_OFFSET;
	uint64_t room = d->totalBytes > data ? (d->totalBytes - data) / VK_LVM_PE_BYTES : 0;
	uint64_t disk = f->end_bytes - vk_min_u64(f->end_bytes, c->start_bytes);
	uint64_t pes = volume_pes(p);
	uint64_t votes = 0;
	bool fits = total_fits(p, room);
	bool agreed = fits && pes != 0; /* by header and volume descriptor */
	bool large = d->extDevMetadataOffset != 0;

	/* what blocks in their place show */
	if (c->vote.blocks > 0 && c->head)
		votes = vk_add_sat(data, vk_round_up_sat(vk_add_sat(c->vote.last_addr, 1), 0x100000));
	else if (c->vote.blocks > 0 && !c->has_volume && !c->start_before_disk)
		votes = vk_add_sat(c->vote.last_bytes, 512) - vk_min_u64(c->vote.last_bytes, c->start_bytes);
	if (c->has_header && vk_lvm_fixed_pes(&p->lvm) && d->numPEs != 0 && d->lastPEIndex == d->numPEs - 1) {
		agreed = agreed || pes == d->numPEs;
		pes = vk_max_u64(pes, d->numPEs);
	}
	if (fits && !large)
		pes = vk_max_u64(pes, room);
	/* the only relation of totalBytes that there is on LVM6 */
	if (c->has_header && !vk_lvm_fixed_pes(&p->lvm) && !fits && volume_pes(p) != 0)
		vk_judge_row(p, VK_CHECK_NUM_PES, VK_VERDICT_FAIL,
			     "totalBytes has room for %" PRIu64 " extents, the volume has %" PRIu64, room,
			     volume_pes(p));
	p->proved_bytes = votes;
	if (fits || p->has_pes)
		p->proved_bytes = vk_max_u64(votes, vk_add_sat(data, vk_mul_sat(pes, VK_LVM_PE_BYTES)));
	c->most_bytes = c->start_before_disk ? 0 : disk;
	if (agreed)
		c->most_bytes = vk_min_u64(
			c->most_bytes,
			vk_add_sat(data, vk_mul_sat(pes + 1 + (large ? METADATA_EXTENTS_MAX : 0), VK_LVM_PE_BYTES)) -
				512);
	else if (f->end_bytes == INT64_MAX)
		c->most_bytes = 0;
	c->told_bytes = fits ? d->totalBytes : 0;
	c->length_bytes = vk_max_u64(votes, vk_add_sat(data, pes != 0  ? vk_mul_sat(pes, VK_LVM_PE_BYTES)
							     : c->head ? 0x400000
								       : 0));
	if (fits && !c->start_before_disk)
		find_witness(f, p);
	if (fits && c->length_witness[0] != '\0')
		c->length_bytes = c->told_bytes;
	else if (!c->start_before_disk && c->told_bytes > disk)
		c->told_bytes = 0;
	judge_witness(p);
	judge_inside(f, p, fits ? d->totalBytes : 0);
}

uint64_t vk_probe_reach(const struct vk_probe *p)
{
	return vk_max_u64(p->c.length_bytes, p->c.told_bytes);
}
