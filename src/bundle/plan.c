/* SPDX-License-Identifier: Apache-2.0 */
/* Which ranges of a disk go into a bundle. */
#include "bundle/bundle.h"

#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "base/json.h"
#include "base/memory.h"
#include "store/plan/plan.h"

enum { AROUND_BYTES = 1 << 20, KINDS_REDACTED = VK_METADATA_ALL & ~(1U << VK_METADATA_LINKS |
		       1U << VK_METADATA_SMALL_FILES | 1U << VK_METADATA_JOURNALS) };

const char *vk_piece_kind_name(unsigned kind)
{
	static const char *const names[] = {"partition table", "LVM region", "surroundings"};

	return kind < VK_METADATA_KINDS ? vk_fs_metadata_kind_name((enum vk_fs_metadata_kind)kind)
					: names[kind - VK_METADATA_KINDS];
}

/* The piece of the disk that a VMFS partition is. */
static enum vk_status add_extent(struct vk_bundle_plan *plan, struct vk_bundle_volume *volume, size_t vmfs,
				 struct vk_error *err)
{
	const struct vk_source *source = plan->source;
	const struct vk_vmfs *v = &source->vmfs[vmfs];
	struct vk_fs_extent e = {.vmfs = v, .name = source->path,
				 .source_bytes = vk_mul_sat(v->start_sector, source->sector_size)};

	e.io = vk_io_window(source->io, e.source_bytes, UINT64_MAX);
	if (e.io != NULL && vk_append(&volume->windows, &volume->window_count, &e.io, sizeof(struct vk_io *)) == NULL) {
		vk_io_close(e.io);
		e.io = NULL;
	}
	if (e.io == NULL || vk_append(&volume->extents, &volume->extent_count, &e, sizeof(e)) == NULL)
		return vk_no_memory(err, source->path);
	return VK_OK;
}

static void close_volume(struct vk_bundle_volume *volume)
{
	vk_fs_close(volume->fs);
	for (size_t i = 0; i < volume->window_count; i++)
		vk_io_close(volume->windows[i]);
	free(volume->windows);
	free(volume->extents);
	memset(volume, 0, sizeof(*volume));
}

/* A file system that cannot be opened has no metadata that could be found; volume is taken over. */
static enum vk_status open_volume(struct vk_bundle_plan *plan, struct vk_bundle_volume *volume, struct vk_error *err)
{
	struct vk_findings none = {0};
	const struct vk_finding_sink sink = vk_findings_sink(&none);
	struct vk_fs_metadata_sizes sizes;
	enum vk_status status = vk_fs_open(volume->extents, volume->extent_count, &sink, &volume->fs, err);

	vk_findings_free(&none);
	if (status != VK_OK) {
		close_volume(volume);
		plan->unknown = plan->unknown || status != VK_UNSUPPORTED;
		return status == VK_NOMEM ? status : VK_OK;
	}
	status = vk_fs_metadata_estimate(volume->fs, &sizes, err);
	if (status == VK_OK) {
		plan->estimate_bytes = vk_add_sat(plan->estimate_bytes, sizes.total_bytes);
		plan->unknown = plan->unknown || sizes.unknown;
		if (vk_append(&plan->volumes, &plan->volume_count, volume, sizeof(*volume)) != NULL)
			return VK_OK;
		status = vk_no_memory(err, plan->source->path);
	}
	close_volume(volume);
	return status;
}

/* used: of the VMFS partitions, those that are of a volume. */
static enum vk_status open_assembled(struct vk_bundle_plan *plan, const struct vk_volume *v, bool *used,
				     struct vk_error *err)
{
	struct vk_bundle_volume volume = {.fs = NULL};
	enum vk_status status = VK_OK;

	for (size_t i = 0; i < v->extent_count && status == VK_OK; i++) {
		used[v->extents[i].vmfs] = true;
		status = add_extent(plan, &volume, v->extents[i].vmfs, err);
	}
	if (status == VK_OK && volume.extent_count > 0)
		return open_volume(plan, &volume, err);
	close_volume(&volume);
	return status;
}

static enum vk_status open_volumes(struct vk_bundle_plan *plan, struct vk_error *err)
{
	const struct vk_source *source = plan->source;
	bool *used = calloc(source->vmfs_count + 1, sizeof(*used));
	struct vk_volume *volumes = NULL;
	size_t count = 0;
	enum vk_status status = used != NULL ? VK_OK : vk_no_memory(err, source->path);

	if (status == VK_OK)
		status = vk_volumes_assemble(source, 1, NULL, &volumes, &count, err);
	for (size_t i = 0; i < count && status == VK_OK; i++)
		status = open_assembled(plan, &volumes[i], used, err);
	/* without an LVM header a file system is taken to lie in one piece */
	for (size_t i = 0; i < source->vmfs_count && status == VK_OK; i++) {
		struct vk_bundle_volume volume = {.fs = NULL};

		if (used[i])
			continue;
		status = add_extent(plan, &volume, i, err);
		if (status == VK_OK)
			status = open_volume(plan, &volume, err);
		else
			close_volume(&volume);
	}
	vk_volumes_free(volumes, count);
	free(used);
	return status;
}

enum vk_status vk_bundle_plan_begin(const struct vk_source *source, struct vk_bundle_plan *plan, struct vk_error *err)
{
	enum vk_status status;

	*plan = (struct vk_bundle_plan){.source = source};
	if (source->origin_bytes != 0) {
		vk_error_set(err, VK_USAGE, source->path, "this begins at byte %llu of a partition",
			     (unsigned long long)source->origin_bytes);
		return vk_error_remedy(err, "name the disk, or a whole partition");
	}
	status = vk_capture_plan(source, &plan->saved, err);
	for (size_t i = 0; i < plan->saved.region_count; i++)
		plan->estimate_bytes += plan->saved.regions[i].length_bytes;
	return status == VK_OK ? open_volumes(plan, err) : status;
}

void vk_bundle_plan_free(struct vk_bundle_plan *plan)
{
	for (size_t i = 0; i < plan->volume_count; i++)
		close_volume(&plan->volumes[i]);
	free(plan->volumes);
	free(plan->pieces);
	vk_capture_plan_free(&plan->saved);
	memset(plan, 0, sizeof(*plan));
}

static enum vk_status add_piece(struct vk_bundle_plan *plan, const struct vk_bundle_piece *piece, struct vk_error *err)
{
	if (piece->length_bytes == 0 || vk_append(&plan->pieces, &plan->piece_count, piece, sizeof(*piece)) != NULL)
		return VK_OK;
	return vk_no_memory(err, plan->source->path);
}

static enum vk_status add_saved(struct vk_bundle_plan *plan, struct vk_error *err)
{
	static const unsigned kinds[] = {[VK_PART_TABLE] = VK_PIECE_TABLE, [VK_PART_LVM] = VK_PIECE_LVM,
					 [VK_PART_VH] = VK_METADATA_HEADER,
					 [VK_PART_HEARTBEATS] = VK_METADATA_HEARTBEATS};
	enum vk_status status = VK_OK;

	for (size_t i = 0; i < plan->saved.region_count && status == VK_OK; i++) {
		const struct vk_region *r = &plan->saved.regions[i];
		const struct vk_bundle_piece piece = {.offset_bytes = r->offset_bytes,
						      .length_bytes = r->length_bytes, .kind = kinds[r->part]};

		status = add_piece(plan, &piece, err);
	}
	return status;
}

static enum vk_status add_around(struct vk_bundle_plan *plan, uint64_t at, uint64_t length, struct vk_error *err)
{
	const uint64_t size = plan->source->size_bytes;
	const struct vk_bundle_piece piece = {
		.offset_bytes = vk_min_u64(at, size), .kind = VK_PIECE_AROUND,
		.length_bytes = vk_min_u64(length, size - vk_min_u64(at, size))};

	return add_piece(plan, &piece, err);
}

/* Where other systems keep what tells of them: the first and last bytes of the disk and of what is no VMFS. */
static enum vk_status add_surroundings(struct vk_bundle_plan *plan, struct vk_error *err)
{
	const struct vk_source *s = plan->source;
	enum vk_status status = add_around(plan, 0, AROUND_BYTES, err);

	if (status == VK_OK)
		status = add_around(plan, s->size_bytes - vk_min_u64(s->size_bytes, AROUND_BYTES), AROUND_BYTES, err);
	for (size_t i = 0; i < s->table.partition_count && status == VK_OK; i++) {
		const struct vk_partition *p = &s->table.partitions[i];
		const uint64_t at = vk_mul_sat(p->start_sector, s->sector_size);
		const uint64_t length = vk_mul_sat(p->sectors, s->sector_size);

		if (vk_partition_is_extended(p))
			continue;
		status = add_around(plan, at, vk_min_u64(length, AROUND_BYTES), err);
		if (status == VK_OK && length > AROUND_BYTES)
			status = add_around(plan, vk_add_sat(at, length - AROUND_BYTES), AROUND_BYTES, err);
	}
	return status;
}

/* A range of a volume, wherever its parts lie on this disk. */
static enum vk_status add_metadata(struct vk_bundle_plan *plan, uint32_t volume, const struct vk_fs_metadata_range *r,
				   struct vk_error *err)
{
	const struct vk_bundle_volume *v = &plan->volumes[volume];
	enum vk_status status = VK_OK;
	uint64_t done = 0;

	while (done < r->length_bytes && status == VK_OK) {
		struct vk_bundle_piece piece = {.volume_offset = r->volume_offset + done, .kind = r->kind,
						.owner = r->owner, .volume = volume};
		uint64_t length = 0;
		size_t extent;
		const bool here = vk_fs_place(v->fs, piece.volume_offset, &extent, &piece.offset_bytes, &length);

		length = vk_min_u64(length, r->length_bytes - done);
		if (length == 0)
			break;
		piece.length_bytes = here ? vk_min_u64(length, plan->source->size_bytes -
							 vk_min_u64(plan->source->size_bytes, piece.offset_bytes)) : 0;
		status = add_piece(plan, &piece, err);
		done += length;
	}
	return status;
}

static enum vk_status find_metadata(struct vk_bundle_plan *plan, uint32_t volume, unsigned kinds, struct vk_error *err)
{
	struct vk_findings none = {0};
	const struct vk_finding_sink sink = vk_findings_sink(&none);
	struct vk_fs_metadata metadata = {.count = 0};
	enum vk_status status = vk_fs_metadata_find(plan->volumes[volume].fs, kinds, 0, &sink, &metadata, err);

	vk_findings_free(&none);
	if (status != VK_OK)
		return status;
	plan->unfinished = plan->unfinished || metadata.unfinished;
	plan->unknown = plan->unknown || metadata.unknown;
	for (size_t i = 0; i < metadata.count && status == VK_OK; i++)
		status = add_metadata(plan, volume, &metadata.ranges[i], err);
	vk_fs_metadata_free(&metadata);
	return status;
}

static int by_offset(const void *a, const void *b)
{
	const struct vk_bundle_piece *x = a, *y = b;

	if (x->offset_bytes != y->offset_bytes)
		return x->offset_bytes < y->offset_bytes ? -1 : 1;
	return x->kind < y->kind ? -1 : x->kind > y->kind;
}

/*
 * Each byte once: of the piece that begins first. But what surrounds a file system, a damaged LVM header may let reach
 * into it: there it ends, for what has names in it must be known as that.
 */
static void settle(struct vk_bundle_plan *plan)
{
	uint64_t end = 0;
	size_t kept = 0;

	if (plan->piece_count > 0)
		qsort(plan->pieces, plan->piece_count, sizeof(*plan->pieces), by_offset);
	for (size_t i = 0; i < plan->piece_count; i++) {
		struct vk_bundle_piece p = plan->pieces[i];
		struct vk_bundle_piece *last = kept > 0 ? &plan->pieces[kept - 1] : NULL;
		uint64_t skip;

		if (last != NULL && end > p.offset_bytes && last->kind >= VK_METADATA_KINDS &&
		    p.kind < VK_METADATA_KINDS) {
			last->length_bytes = p.offset_bytes - last->offset_bytes;
			kept -= last->length_bytes == 0;
			end = p.offset_bytes;
		}
		skip = vk_min_u64(end > p.offset_bytes ? end - p.offset_bytes : 0, p.length_bytes);
		p.offset_bytes += skip;
		p.volume_offset += skip;
		p.length_bytes -= skip;
		if (p.length_bytes == 0)
			continue;
		end = p.offset_bytes + p.length_bytes;
		plan->pieces[kept++] = p;
	}
	plan->piece_count = kept;
	for (size_t i = 0; i < kept; i++) {
		plan->bytes[plan->pieces[i].kind] += plan->pieces[i].length_bytes;
		plan->total_bytes += plan->pieces[i].length_bytes;
	}
}

enum vk_status vk_bundle_plan_find(struct vk_bundle_plan *plan, bool redacted, struct vk_error *err)
{
	enum vk_status status = add_saved(plan, err);

	if (status == VK_OK && !redacted)
		status = add_surroundings(plan, err);
	for (size_t i = 0; i < plan->volume_count && status == VK_OK; i++)
		status = find_metadata(plan, (uint32_t)i, redacted ? KINDS_REDACTED : VK_METADATA_ALL, err);
	if (status == VK_OK)
		settle(plan);
	return status;
}

static json_t *identity_json(const struct vk_identity *id)
{
	return VK_JSON_OBJECT(VK_KEY("partition", id->partition), VK_KEY("start_sector", id->start_sector),
			      VK_KEY("sectors", id->sectors), VK_KEY("disk_id", id->disk_id), VK_KEY("vml", id->vml),
			      VK_KEY("label", id->fs_label), VK_KEY("version", id->fs_version),
			      VK_KEY("fs_uuid", id->fs_uuid), VK_KEY("volume_uuid", id->volume_uuid),
			      VK_KEY("device_uuid", id->device_uuid));
}

char *vk_bundle_facts(const struct vk_bundle_plan *plan, bool redacted)
{
	const struct vk_source *s = plan->source;
	struct vk_json o = vk_json_begin();
	json_t *volumes = json_array(), *all;
	char *text;

	for (size_t i = 0; i < plan->saved.identity_count && i < 64; i++)
		vk_json_append(volumes, identity_json(&plan->saved.identities[i]), &o);
	VK_JSON_SET(&o, VK_KEY("kind", vk_source_kind_name(s->kind)), VK_KEY("size_bytes", s->size_bytes),
		    VK_KEY("sector_size", s->sector_size), VK_KEY("redacted", redacted),
		    VK_KEY("unfinished", plan->unfinished), VK_KEY("unknown", plan->unknown),
		    VK_KEY("volumes", volumes));
	all = vk_json_end(&o);
	text = all != NULL ? json_dumps(all, JSON_COMPACT) : NULL;
	json_decref(all);
	return text;
}
