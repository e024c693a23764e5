/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which candidates are volumes of this disk, and what the others are: decided by what overlaps, and by whose evidence
 * is better.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/checked.h"
#include "find/find_parts.h"

/* Indices of what was taken for a volume so far. */
struct accepted {
	size_t *items;
	size_t count;
};

static uint64_t end_of(const struct vk_probe *p)
{
	uint64_t before = p->start < 0 ? (uint64_t)-p->start : 0;

	if (before > 0)
		return vk_probe_reach(p) > before ? vk_probe_reach(p) - before : 0;
	return vk_add_sat(p->c.start_bytes, vk_probe_reach(p));
}

/* What is proved of it, or exactly known, does not fit the disk. */
static bool past_end(const struct vk_finder *f, const struct vk_probe *p)
{
	return !p->c.start_before_disk && vk_add_sat(p->c.start_bytes, p->c.length_bytes) > f->end_bytes;
}

static bool overlap(const struct vk_probe *a, const struct vk_probe *b)
{
	return a->c.start_bytes < end_of(b) && b->c.start_bytes < end_of(a);
}

/* Something of it can only come from a volume that is, or was, here; a header by itself may be anybody's copy. */
static bool has_evidence(const struct vk_probe *p)
{
	bool named = (p->c.found_by & (VK_FOUND_TABLE | VK_FOUND_HINT | VK_FOUND_USUAL)) != 0;

	if (p->c.vote.blocks >= VK_VOTES_COUNT || p->agree >= VK_VOTES_COUNT)
		return true;
	if (p->c.has_fs && (p->fs_magic || p->c.has_volume))
		return true;
	if (p->c.has_header)
		return p->c.has_volume || p->has_pes || (named && p->magic);
	return p->c.has_volume && named;
}

static int holding(const struct vk_probe *p)
{
	int sum = 0;

	for (int i = 0; i < VK_CHECK_ALONE; i++)
		sum += p->c.checks[i].verdict == VK_VERDICT_PASS   ? 1
		       : p->c.checks[i].verdict == VK_VERDICT_FAIL ? -1
								   : 0;
	return sum;
}

/*
 * Of two whose beginnings lie over each other: the one whose blocks are in their place, that fits better, that is
 * younger.
 */
static bool better(const struct vk_probe *a, const struct vk_probe *b)
{
	if (vk_probe_self(a) != vk_probe_self(b))
		return vk_probe_self(a);
	if (vk_probe_whole(a) != vk_probe_whole(b))
		return vk_probe_whole(a);
	if (!a->c.has_header && !b->c.has_header)
		return vk_max_u64(a->agree, a->c.vote.blocks) > vk_max_u64(b->agree, b->c.vote.blocks);
	if (a->c.table_sound != b->c.table_sound)
		return a->c.table_sound;
	if (a->c.has_header && b->c.has_header && a->c.lvm.modTimeUS != b->c.lvm.modTimeUS &&
	    abs(holding(a) - holding(b)) < 3)
		return a->c.lvm.modTimeUS > b->c.lvm.modTimeUS;
	return holding(a) > holding(b);
}

static bool strong(const struct vk_probe *p)
{
	return vk_probe_self(p) || vk_probe_whole(p);
}

/* Strong ones first, of these what a table or habit names, then by place: what contains others comes before them. */
static int in_turn(const void *a, const void *b, void *ctx)
{
	const struct vk_probe *probes = ctx;
	const struct vk_probe *x = &probes[*(const size_t *)a];
	const struct vk_probe *y = &probes[*(const size_t *)b];
	bool px = x->c.table_sound || (x->c.found_by & (VK_FOUND_USUAL | VK_FOUND_HINT)) != 0;
	bool py = y->c.table_sound || (y->c.found_by & (VK_FOUND_USUAL | VK_FOUND_HINT)) != 0;

	if (strong(x) != strong(y))
		return strong(x) ? -1 : 1;
	if (x->c.table_sound != y->c.table_sound)
		return x->c.table_sound ? -1 : 1;
	if (px != py)
		return px ? -1 : 1;
	return x->start < y->start ? -1 : x->start > y->start;
}

/*
 * A length that one damaged field makes too long must not cost another volume its place: the end of p moves to where
 * next begins, when next is whole and nothing else says that p reaches so far. False: p is left as it is.
 */
static bool clip(const struct vk_finder *f, struct vk_probe *p, const struct vk_probe *next)
{
	uint64_t apart = (uint64_t)(next->start - p->start);

	if (next->start <= p->start || p->start < 0 || apart < VK_LVM_DATA_OFFSET || !strong(p) ||
	    !vk_probe_whole(next) || p->proved_bytes > apart || (p->c.length_exact && !next->c.table_sound) ||
	    (p->c.table_sound && !next->c.table_sound && p->c.claimed_bytes > apart) ||
	    vk_nested_table(f, next, p->start, true) != UINT64_MAX)
		return false;
	p->c.length_bytes = vk_min_u64(p->c.length_bytes, apart);
	p->c.most_bytes = vk_min_u64(p->c.most_bytes, apart);
	p->c.told_bytes = 0;
	p->c.length_exact = false;
	p->c.length_witness[0] = '\0';
	p->clipped_by = next;
	vk_judge_row(p, VK_CHECK_LENGTH, VK_VERDICT_FAIL,
		     "its header says more than the %" PRIu64 " bytes to the next volume", apart);
	vk_judge_row(p, VK_CHECK_INSIDE_DISK, VK_VERDICT_PASS,
		     "ends at byte %" PRIu64 " at the latest, where the next one begins", next->c.start_bytes);
	return true;
}

/* Without a file system in its place: a copy of a header that is known, or a piece of another disk. */
static bool is_stray(const struct vk_finder *f, const struct accepted *acc, struct vk_probe *x)
{
	if (strong(x))
		return false;
	for (size_t i = 0; i < acc->count; i++) {
		const struct vk_probe *a = &f->probes[acc->items[i]];

		if (strong(a) && a->c.has_header && x->c.has_header &&
		    vk_vmfs_uuid_equal(&a->c.lvm.devID, &x->c.lvm.devID)) {
			vk_stand(x, VK_GHOST_INSIDE, acc->items[i],
				 "a copy of the header of the volume at byte %" PRIu64, a->c.start_bytes);
			return true;
		}
	}
	if (!past_end(f, x))
		return false;
	vk_ghost_outside(x);
	return true;
}

/* Where the length of a volume is not known, a disk with its own table behind its beginning lies in it all the same. */
static bool is_nested_in_open_end(const struct vk_finder *f, const struct accepted *acc, struct vk_probe *x)
{
	size_t outer = SIZE_MAX;
	uint64_t table;

	for (size_t i = 0; i < acc->count && !x->c.table_sound; i++) {
		const struct vk_probe *a = &f->probes[acc->items[i]];

		if (a->start < x->start && (outer == SIZE_MAX || a->start > f->probes[outer].start))
			outer = acc->items[i];
	}
	if (outer == SIZE_MAX || f->probes[outer].c.told_bytes != 0)
		return false;
	table = vk_nested_table(f, x, f->probes[outer].start, true);
	if (table == UINT64_MAX)
		return false;
	vk_judge_row(x, VK_CHECK_ALONE, VK_VERDICT_FAIL, "lies behind the beginning of the volume at byte %" PRIu64,
		     f->probes[outer].c.start_bytes);
	vk_stand(x, VK_GHOST_NESTED, outer,
		 "the disk of a virtual machine, probably in the volume at byte %" PRIu64
		 " whose length is not known: its own partition table stands at byte %" PRIu64,
		 f->probes[outer].c.start_bytes, table);
	return true;
}

/* x takes the place of all that it overlaps. */
static void put_in_place(const struct vk_finder *f, struct accepted *acc, size_t xi)
{
	struct vk_probe *x = &f->probes[xi];
	size_t kept = 0;

	for (size_t i = 0; i < acc->count; i++) {
		struct vk_probe *a = &f->probes[acc->items[i]];

		if (!overlap(x, a)) {
			acc->items[kept++] = acc->items[i];
			continue;
		}
		vk_ghost_earlier(a, x, xi);
		vk_judge_row(a, VK_CHECK_ALONE, VK_VERDICT_FAIL, "overlaps the volume at byte %" PRIu64,
			     x->c.start_bytes);
	}
	acc->items[kept] = xi;
	acc->count = kept + 1;
	vk_judge_row(x, VK_CHECK_ALONE, VK_VERDICT_PASS, "overlaps only what is older");
}

/* Take x for a volume unless it overlaps one that was taken and is not worse. */
static void accept_or_dismiss(const struct vk_finder *f, struct accepted *acc, size_t xi)
{
	struct vk_probe *x = &f->probes[xi];
	bool replaces = false;

	for (size_t i = 0; i < acc->count; i++) {
		struct vk_probe *a = &f->probes[acc->items[i]];
		uint64_t apart = (uint64_t)llabs(x->start - a->start);

		if (!overlap(x, a) || clip(f, a, x) || clip(f, x, a))
			continue;
		vk_judge_row(x, VK_CHECK_ALONE, VK_VERDICT_FAIL, "overlaps the volume at byte %" PRIu64,
			     a->c.start_bytes);
		replaces = apart < VK_LVM_DATA_OFFSET && better(x, a);
		if (replaces)
			continue;
		if (apart >= VK_LVM_DATA_OFFSET && x->start > a->start && (end_of(x) <= end_of(a) || !strong(x)))
			vk_ghost_inside(f, x, a, acc->items[i]);
		else
			vk_ghost_earlier(x, a, acc->items[i]);
		return;
	}
	if (replaces) {
		put_in_place(f, acc, xi);
		return;
	}
	if (is_stray(f, acc, x) || is_nested_in_open_end(f, acc, x))
		return;
	vk_judge_row(x, VK_CHECK_ALONE, VK_VERDICT_PASS, "overlaps no other volume");
	acc->items[acc->count++] = xi;
}

__attribute__((format(printf, 2, 3)))
static void add_why(struct vk_probe *p, const char *why, ...)
{
	size_t used = strlen(p->c.why);
	va_list args;

	va_start(args, why);
	vsnprintf(p->c.why + used, sizeof(p->c.why) - used, why, args);
	va_end(args);
}

static void stand_damaged(const struct vk_finder *f, struct vk_probe *p)
{
	const struct vk_candidate *c = &p->c;
	bool header_unread = vk_find_beyond(f, p->start + (int64_t)VK_LVM_HEADER_OFFSET, VK_LVM_DEVICE_BYTES);
	bool fs_unread = vk_find_beyond(f, p->deltas[0] + (int64_t)VK_FS_OFFSET, VK_FS_SECTOR_BYTES);
	bool named = (c->found_by & (VK_FOUND_TABLE | VK_FOUND_HINT | VK_FOUND_USUAL)) != 0;
	const char *fault = NULL;

	for (int i = 0; i < VK_CHECK_COUNT && fault == NULL; i++)
		if (c->checks[i].verdict == VK_VERDICT_FAIL && i != VK_CHECK_VOLUME_NAME && i != VK_CHECK_VOLUME_TIME)
			fault = vk_find_check_what((enum vk_find_check)i);
	vk_stand(p, VK_STANDING_DAMAGED, SIZE_MAX, "%s", "");
	if (!c->has_header && !c->has_volume && !c->head)
		add_why(p, "a later extent of a volume, without its header: %" PRIu64 " blocks agree where "
			   "the volume begins, %s",
			c->vote.blocks, named ? "and this start fits" : "this start is the latest that fits");
	else if (!c->has_header && !c->has_fs && !c->has_volume)
		add_why(p, "header and file-system descriptor are gone; %" PRIu64
			   " blocks that say where they lie agree on this start", vk_max_u64(p->agree, c->vote.blocks));
	else if (!c->has_header)
		add_why(p, "the LVM header %s; %s", header_unread ? "could not be read" : "is gone",
			c->has_fs ? "the file-system descriptor says where the volume begins"
				  : "the volume descriptor is still there");
	else if (!p->magic)
		add_why(p, "the magic of the LVM header is gone, its other fields fit");
	else if (c->head && !c->has_fs && vk_probe_self(p))
		add_why(p, "the file-system descriptor %s", fs_unread ? "could not be read" : "is gone");
	else if (fault != NULL)
		add_why(p, "does not hold: %s", fault);
	else
		add_why(p, "the deciding bytes could not be read: %s",
			vk_probe_self(p) ? "PE tables" : "locks and heartbeats");
}

static void settle_accepted(const struct vk_finder *f, struct vk_probe *p)
{
	bool foreign = p->c.checks[VK_CHECK_NOT_FOREIGN].verdict == VK_VERDICT_FAIL;
	bool whole = vk_probe_whole(p);
	uint64_t room = f->end_bytes - vk_min_u64(f->end_bytes, p->c.start_bytes);

	/* blocks in their place speak for the volume: a length that nothing proves does not speak against it */
	if (past_end(f, p) && !p->c.length_exact && vk_probe_self(p) && p->proved_bytes <= room) {
		uint64_t least = vk_max_u64(p->proved_bytes, VK_LVM_DATA_OFFSET + (p->c.head ? VK_FS_OFFSET : 0));

		p->c.length_bytes = vk_min_u64(least, room);
		vk_judge_row(p, VK_CHECK_INSIDE_DISK, VK_VERDICT_UNKNOWN,
			     "its length is damaged; the disk has room for %" PRIu64 " bytes", room);
	}
	if (past_end(f, p) && !(f->may_be_part && whole))
		vk_ghost_outside(p);
	else if (!foreign && vk_stand_in_part(f, p))
		; /* said there */
	else if (foreign && !whole && !vk_probe_self(p))
		vk_stand(p, VK_GHOST_FOREIGN, SIZE_MAX, "another system's file system lies over it: %s",
		      p->c.checks[VK_CHECK_NOT_FOREIGN].seen);
	else if (foreign && whole)
		vk_stand(p, VK_STANDING_DAMAGED, SIZE_MAX, "all of its own structures are whole, but another system's "
			 "signature lies over it: %s", p->c.checks[VK_CHECK_NOT_FOREIGN].seen);
	else if (whole && !p->c.start_before_disk)
		vk_stand(p, VK_STANDING_LIVING, SIZE_MAX, "header, volume and extents agree%s",
			 !p->c.head ? "; its file system begins on another device"
				    : ", the file system names this volume, its blocks are in their place");
	else
		stand_damaged(f, p);
	if (p->c.standing == VK_STANDING_LIVING && !p->c.length_exact)
		add_why(p, "; only the header says how long it is");
	if (p->clipped_by != NULL)
		add_why(p, "; its length is not proved and would reach into the volume at byte %" PRIu64,
			p->clipped_by->c.start_bytes);
	if (foreign && p->c.standing == VK_STANDING_DAMAGED && !whole)
		add_why(p, "; another system's signature lies over it: %s", p->c.checks[VK_CHECK_NOT_FOREIGN].seen);
}

static void weigh(struct vk_probe *p)
{
	static const unsigned char weights[VK_CHECK_COUNT] = {
		[VK_CHECK_MAGIC] = 10,	       [VK_CHECK_BLOCK_SIZE] = 3,     [VK_CHECK_TOTAL_BYTES] = 8,
		[VK_CHECK_DATA_OFFSET] = 5,    [VK_CHECK_NUM_PES] = 8,	      [VK_CHECK_LAST_PE] = 5,
		[VK_CHECK_INIT_TIME] = 5,      [VK_CHECK_NUM_VOLUMES] = 3,    [VK_CHECK_VOLUME_NAME] = 5,
		[VK_CHECK_PE_RANGE] = 5,       [VK_CHECK_LOGICAL_SIZE] = 5,   [VK_CHECK_VOLUME_TIME] = 3,
		[VK_CHECK_PE_TABLES] = 10,     [VK_CHECK_FS_DESCRIPTOR] = 15, [VK_CHECK_INSIDE_DISK] = 10,
		[VK_CHECK_SELF_LOCATION] = 20, [VK_CHECK_ALONE] = 15,	      [VK_CHECK_NOT_FOREIGN] = 5,
		[VK_CHECK_LENGTH] = 10};
	unsigned hold = 0, made = 0;

	for (int i = 0; i < VK_CHECK_COUNT; i++) {
		/* that nobody else says the length is no reason to be surer */
		if (p->c.checks[i].verdict != VK_VERDICT_UNKNOWN || i == VK_CHECK_LENGTH)
			made += weights[i];
		if (p->c.checks[i].verdict == VK_VERDICT_PASS)
			hold += weights[i];
	}
	/* never all: a wrong bit in the label, or in a UUID that has no copy, is seen by nobody */
	p->c.sure_percent = made == 0 ? 0 : hold * 100 / made > 99 ? 99 : hold * 100 / made;
}

/* A header that names a block as its extended metadata settles what that is. */
static void settle_metadata(struct vk_finder *f, const struct accepted *acc)
{
	for (size_t i = 0; i < f->count; i++) {
		struct vk_probe *p = &f->probes[i];
		uint64_t at = (uint64_t)p->start + VK_LVM_HEADER_OFFSET;

		for (size_t k = 0; p->magic && k < acc->count; k++)
			for (size_t e = 0; e < f->probes[acc->items[k]].ext_count; e++)
				if (f->probes[acc->items[k]].ext_at[e] == at && acc->items[k] != i)
					vk_stand(p, VK_GHOST_METADATA, acc->items[k],
						 "extended metadata that the header of the "
						 "volume at byte %" PRIu64 " names",
						 f->probes[acc->items[k]].c.start_bytes);
	}
}

/* What was dismissed by itself, and still lies in a volume. */
static void place_ghost(const struct vk_finder *f, const struct accepted *acc, struct vk_probe *p)
{
	uint64_t at = (uint64_t)p->start + VK_LVM_HEADER_OFFSET;

	for (size_t k = 0; k < acc->count; k++) {
		const struct vk_probe *a = &f->probes[acc->items[k]];

		if (at < a->c.start_bytes || at >= end_of(a))
			continue;
		if (p->c.standing == VK_GHOST_INSIDE || p->c.standing == VK_STANDING_UNKNOWN)
			vk_ghost_inside(f, p, a, acc->items[k]);
		p->c.inside = acc->items[k];
		vk_judge_row(p, VK_CHECK_ALONE, VK_VERDICT_FAIL, "lies in the volume at byte %" PRIu64,
			     a->c.start_bytes);
		return;
	}
}

/* What lies in something that turned out to be old lies in what took its place. */
static void follow_inside(struct vk_finder *f)
{
	for (size_t i = 0; i < f->count; i++)
		for (int steps = 0; steps < 4; steps++) {
			size_t *inside = &f->probes[i].c.inside;

			if (*inside == SIZE_MAX || f->probes[*inside].c.inside == SIZE_MAX ||
			    f->probes[*inside].c.inside == i)
				break;
			*inside = f->probes[*inside].c.inside;
		}
}

enum vk_status vk_judge_standings(struct vk_finder *f, struct vk_error *err)
{
	struct accepted acc = {.items = calloc(f->count + 1, sizeof(*acc.items))};
	size_t *turn = calloc(f->count + 1, sizeof(*turn));
	size_t turns = 0;

	if (acc.items == NULL || turn == NULL) {
		free(acc.items);
		free(turn);
		return vk_no_memory(err, NULL);
	}
	for (size_t i = 0; i < f->count; i++) {
		f->probes[i].judged_ghost = !has_evidence(&f->probes[i]);
		if (f->probes[i].judged_ghost)
			vk_ghost_dismiss(f, &f->probes[i]);
		else
			turn[turns++] = i;
	}
	qsort_r(turn, turns, sizeof(*turn), in_turn, f->probes);
	for (size_t i = 0; i < turns; i++)
		accept_or_dismiss(f, &acc, turn[i]);
	for (size_t i = 0; i < f->count; i++)
		if (f->probes[i].judged_ghost)
			place_ghost(f, &acc, &f->probes[i]);
	for (size_t i = 0; i < acc.count; i++)
		settle_accepted(f, &f->probes[acc.items[i]]);
	settle_metadata(f, &acc);
	follow_inside(f);
	for (size_t i = 0; i < f->count; i++)
		weigh(&f->probes[i]);
	free(acc.items);
	free(turn);
	return VK_OK;
}
