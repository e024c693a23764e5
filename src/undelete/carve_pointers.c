/* SPDX-License-Identifier: Apache-2.0 */
/* Pointer blocks that no file uses, put into the order that files get them in, as candidates. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/checked.h"
#include "base/memory.h"
#include "undelete/carve_parts.h"

enum { ORPHANS_MAX = 1 << 20, TRIES = 64 /* of blocks that begin near the end of another */ };

struct orphan {
	uint64_t at;             /* volume offset */
	uint64_t number;         /* in its system file */
	uint64_t first, last;    /* small block of its first address, and the end of that of its last */
	uint64_t low, high;      /* of all of them */
	uint32_t next;           /* in orphans; UINT32_MAX: none */
	uint8_t kind;
	bool large, full, follows; /* addresses are of large blocks; the last one is used; it goes on another */
};
struct hunt {
	struct vk_carving *c;
	size_t block_bytes;      /* of a pointer block */
	uint8_t *raw;
	uint64_t *sorted;        /* blocks of the one that is looked at */
	struct orphan *orphans;
	size_t count;
	uint32_t *by_first;
};

static uint64_t address_at(const struct hunt *h, unsigned slot)
{
	return h->c->info->vmfs6 ? vk_get_le64(h->raw + (size_t)slot * 8) : vk_get_le32(h->raw + (size_t)slot * 4);
}

static uint64_t unit_of(const struct hunt *h, bool large)
{
	return large ? h->c->info->large_block_bytes : h->c->info->file_block_bytes;
}

/* The small block that an address begins at; false: it leads to none. */
static bool place_of(const struct hunt *h, uint64_t address, struct vk_address *ret_address, uint64_t *ret_block)
{
	const struct vk_fs_info *info = h->c->info;
	const uint64_t blocks = h->c->clusters.of[VK_CLUSTERS_BLOCKS].resources;

	vk_address_decode(address, &info->addresses, ret_address);
	if (ret_address->unknown_bits)
		return false;
	if (ret_address->kind == VK_ADDRESS_LARGE_BLOCK && info->vmfs6)
		*ret_block = vk_mul_sat(ret_address->block, info->small_per_cluster);
	else if (!vk_file_block_number(info->vmfs6, address, info->small_per_cluster, ret_block))
		return false;
	return *ret_block < blocks;
}

static int compare_u64(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

/* Whether what is in raw is addresses of one kind, of blocks of which one at least is not of a file of today. */
static bool judge(const struct hunt *h, struct orphan *ret_orphan)
{
	size_t count = 0;
	bool lost = false;

	for (unsigned i = 0; i < h->c->info->pointers_per_block; i++) {
		const uint64_t address = address_at(h, i);
		struct vk_address a;
		uint64_t block;

		if (address == 0)
			continue;
		if (!place_of(h, address, &a, &block))
			return false;
		if (count == 0) {
			ret_orphan->first = block;
			ret_orphan->large = a.kind == VK_ADDRESS_LARGE_BLOCK;
		} else if (ret_orphan->large != (a.kind == VK_ADDRESS_LARGE_BLOCK)) {
			return false;
		}
		ret_orphan->last = ret_orphan->large ? block + h->c->info->small_per_cluster - 1 : block;
		ret_orphan->full = i == h->c->info->pointers_per_block - 1;
		lost = lost || !vk_carve_is_live(h->c, VK_CLUSTERS_BLOCKS, block);
		h->sorted[count++] = block;
	}
	if (count > 1)
		qsort(h->sorted, count, sizeof(*h->sorted), compare_u64);
	for (size_t i = 1; i < count; i++)
		if (h->sorted[i - 1] == h->sorted[i])
			return false;
	if (count > 0) {
		ret_orphan->low = h->sorted[0];
		ret_orphan->high = h->sorted[count - 1] + (ret_orphan->large ? h->c->info->small_per_cluster - 1 : 0);
	}
	return lost;
}

static bool read_block(struct hunt *h, uint64_t at, size_t len)
{
	size_t got = 0;

	return vk_fs_get(h->c->fs, at, h->raw, len, &got, NULL) == VK_OK && got == len;
}

/* The first bytes first: most of what is no pointer block shows there. */
static bool is_orphan(struct hunt *h, uint64_t at, struct orphan *ret_orphan)
{
	const size_t head = (size_t)vk_min_u64(h->block_bytes, 4096);
	const unsigned pointer_bytes = h->c->info->fd.pointer_bytes;

	if (!read_block(h, at, head))
		return false;
	if (head < h->block_bytes) {
		for (unsigned i = 0; i < head / pointer_bytes; i++) {
			struct vk_address a;
			uint64_t block;

			if (address_at(h, i) != 0 && !place_of(h, address_at(h, i), &a, &block))
				return false;
		}
		if (!read_block(h, at, h->block_bytes))
			return false;
	}
	return !vk_all_zero(h->raw, h->block_bytes) && judge(h, ret_orphan);
}

static void look_through(struct hunt *h, enum vk_fs_cluster_kind kind, enum vk_system_file file)
{
	struct vk_carving *c = h->c;
	const struct vk_fs_clusters_of *of = &c->clusters.of[kind];

	for (uint64_t n = 0; n < of->resources && c->status == VK_OK; n++) {
		struct orphan o = {.number = n, .kind = (uint8_t)kind, .next = UINT32_MAX};
		bool known;
		const bool allocated = vk_carve_allocated(c, kind, n, &known);

		/* sub-blocks that are in use hold bytes of files */
		if (vk_bit(c->live[kind], n) || vk_bit(c->claimed[kind], n) ||
		    (kind == VK_CLUSTERS_SUB_BLOCKS && (allocated || !known)) ||
		    vk_fs_resource(c->fs, file, n / of->per_cluster, (uint32_t)(n % of->per_cluster), &o.at) != VK_OK ||
		    !is_orphan(h, o.at, &o))
			continue;
		if (h->count == ORPHANS_MAX) {
			c->out.more[VK_UNDELETE_POINTER_BLOCKS]++;
			c->out.found.unfinished = true;
		} else if (vk_append(&h->orphans, &h->count, &o, sizeof(o)) == NULL) {
			(void)vk_carve_no_memory(c);
		}
	}
}

static int compare_first(const void *a, const void *b, void *ctx)
{
	const struct orphan *orphans = ctx, *x = &orphans[*(const uint32_t *)a], *y = &orphans[*(const uint32_t *)b];

	if (x->first != y->first)
		return x->first < y->first ? -1 : 1;
	return *(const uint32_t *)a < *(const uint32_t *)b ? -1 : 1;
}

/* The place in by_first of the first that begins behind a block. */
static size_t behind(const struct hunt *h, uint64_t block)
{
	size_t low = 0, high = h->count;

	while (low < high) {
		const size_t middle = low + (high - low) / 2;

		if (h->orphans[h->by_first[middle]].first <= block)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* A chain goes on only to blocks that lie behind in the same file, so it ends. */
static void find_next(struct hunt *h, uint32_t number)
{
	struct orphan *o = &h->orphans[number];
	size_t i = behind(h, o->last);

	for (unsigned tries = 0; o->full && tries < TRIES && i < h->count; tries++, i++) {
		struct orphan *other = &h->orphans[h->by_first[i]];

		if (other->first - o->last > VK_CARVE_NEAR)
			return;
		/* so no block comes twice in a chain */
		if (other->follows || other->kind != o->kind || other->number <= o->number ||
		    other->large != o->large || other->low <= o->high)
			continue;
		other->follows = true;
		o->next = h->by_first[i];
		return;
	}
}

static bool put_orphan(struct hunt *h, struct vk_carve_making *m, const struct orphan *o)
{
	struct orphan again = *o;
	const uint64_t unit = unit_of(h, o->large);

	/* the volume may be in use */
	if (!is_orphan(h, o->at, &again) || again.large != o->large)
		return false;
	for (unsigned i = 0; i < h->c->info->pointers_per_block && !m->full; i++) {
		const uint64_t address = address_at(h, i);
		struct vk_address a;
		uint64_t block;

		if (!vk_carve_pay(h->c, address != 0 ? unit : 0))
			m->full = true;
		else if (address == 0 || !place_of(h, address, &a, &block))
			vk_carve_put_gap(m, address == 0 ? VK_RUN_HOLE : VK_RUN_MISSING, unit);
		else
			vk_carve_put_data(m, a.zeroed, address, block * h->c->info->file_block_bytes, unit);
	}
	m->mark.pointer_blocks++;
	return true;
}

static void put_chain(struct hunt *h, const struct orphan *head)
{
	struct vk_carve_making m = {.c = h->c, .file = {.from = VK_UNDELETE_POINTER_BLOCKS, .guess = true}};

	snprintf(m.mark.name, sizeof(m.mark.name), "#pb-0x%" PRIx64, head->at);
	m.mark.last_alloc = vk_carve_last_alloc(h->c, (enum vk_fs_cluster_kind)head->kind, head->number);
	for (const struct orphan *o = head; put_orphan(h, &m, o) && o->next != UINT32_MAX && !m.full;)
		o = &h->orphans[o->next];
	vk_carve_trim(&m);
	m.file.size_bytes = m.end;
	if (m.placed_end > 0 || m.full)
		vk_carve_keep(&m);
	else
		vk_carve_drop(&m);
}

static int compare_places(const void *a, const void *b)
{
	const struct orphan *x = a, *y = b;

	return x->at < y->at ? -1 : x->at > y->at;
}

static void group(struct hunt *h)
{
	struct vk_carving *c = h->c;

	qsort(h->orphans, h->count, sizeof(*h->orphans), compare_places);
	h->by_first = malloc(h->count * sizeof(*h->by_first));
	if (h->by_first == NULL) {
		(void)vk_carve_no_memory(c);
		return;
	}
	for (size_t i = 0; i < h->count; i++)
		h->by_first[i] = (uint32_t)i;
	qsort_r(h->by_first, h->count, sizeof(*h->by_first), compare_first, h->orphans);
	for (size_t i = 0; i < h->count; i++)
		find_next(h, (uint32_t)i);
	for (size_t i = 0; i < h->count && c->status == VK_OK; i++)
		if (!h->orphans[i].follows)
			put_chain(h, &h->orphans[i]);
}

void vk_carve_pointer_blocks(struct vk_carving *c)
{
	const size_t slots = c->info->pointers_per_block;
	struct hunt h = {.c = c, .block_bytes = slots * c->info->fd.pointer_bytes};

	h.raw = malloc(h.block_bytes);
	h.sorted = malloc(slots * sizeof(*h.sorted));
	if (h.raw == NULL || h.sorted == NULL)
		(void)vk_carve_no_memory(c);
	if (c->status == VK_OK)
		look_through(&h, VK_CLUSTERS_POINTERS, VK_SYSTEM_PBC);
	if (c->status == VK_OK)
		look_through(&h, VK_CLUSTERS_POINTERS2, VK_SYSTEM_PB2);
	if (c->info->vmfs6 && c->status == VK_OK && c->info->sub_block_bytes >= h.block_bytes)
		look_through(&h, VK_CLUSTERS_SUB_BLOCKS, VK_SYSTEM_SBC);
	if (h.count > 0 && c->status == VK_OK)
		group(&h);
	free(h.orphans);
	free(h.by_first);
	free(h.sorted);
	free(h.raw);
}
