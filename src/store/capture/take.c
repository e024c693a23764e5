/* SPDX-License-Identifier: Apache-2.0 */
/* Taking a capture of a disk, and proving that what was saved contains what it is for. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/bytes.h"
#include "base/checked.h"
#include "store/folder/folder.h"
#include "store/capture/on_itself.h"
#include "store/plan/plan.h"
#include "store/manifest/rebuilt.h"
#include "store/capture/taking.h"

/* Everything found goes to the caller and into the manifest. */
static void report(struct vk_taking *taking, const struct vk_finding_sink *sink, const struct vk_finding *finding)
{
	vk_findings_add(&taking->manifest.findings, finding);
	vk_finding_put(sink, finding);
}

static void put_not_containing(struct vk_taking *taking, const struct vk_finding_sink *sink,
			       uint64_t offset, const char *file, const char *what,
			       const uint8_t *seen, size_t seen_len, const char *expected)
{
	struct vk_finding finding;
	char hex[40];
	struct vk_text text;

	vk_text_init(&text, hex, sizeof(hex));
	vk_text_hex(&text, seen, seen_len);
	if (file != NULL)
		vk_finding_init(&finding, VK_F_CAPTURE_NOT_CONTAINING, offset, seen_len,
				"%s does not contain %s", file, what);
	else
		vk_finding_init(&finding, VK_F_CAPTURE_NOT_CONTAINING, offset, seen_len,
				"no file of the capture reaches %s", what);
	if (file != NULL)
		vk_finding_seen(&finding, "%s", hex);
	vk_finding_expected(&finding, "%s", expected);
	report(taking, sink, &finding);
}

static const char *coordinates(const struct vk_taking *taking)
{
	return vk_source_kind_name(taking->manifest.capture.source_kind);
}

/* What an imported file does not reach is not damaged: it may stand on the disk. */
static bool put_not_held(struct vk_taking *taking, const struct vk_source *source,
			 const struct vk_finding_sink *sink, uint64_t offset, uint64_t length,
			 const char *what, unsigned partition)
{
	enum vk_span_state state = vk_io_span(source->io, offset).state;
	struct vk_finding finding;

	if (taking->manifest.capture.imported == NULL ||
	    (state != VK_SPAN_ABSENT && state != VK_SPAN_END))
		return false;
	if (partition != 0)
		vk_finding_init(&finding, VK_F_CAPTURE_NOT_HELD, offset, length,
				"the %s of partition %u is not in it: it would be at byte %llu (0x%llx) of the %s",
				what, partition, (unsigned long long)offset,
				(unsigned long long)offset, coordinates(taking));
	else
		vk_finding_init(&finding, VK_F_CAPTURE_NOT_HELD, offset, length,
				"the %s is not in it: it would be at byte %llu (0x%llx) of the %s", what,
				(unsigned long long)offset, (unsigned long long)offset,
				coordinates(taking));
	report(taking, sink, &finding);
	return true;
}

static void prove_table(struct vk_taking *taking, const struct vk_source *source,
			const struct vk_finding_sink *sink)
{
	uint64_t sector = taking->manifest.capture.sector_size;
	uint8_t mbr[2] = {0};
	uint8_t gpt[8] = {0};
	const char *file;
	const char *gpt_file;
	bool has_mbr = vk_taking_read_back(taking, VK_MBR_BYTES - sizeof(mbr), mbr, sizeof(mbr), &file) &&
		       vk_get_le16(mbr) == VK_MBR_SIGNATURE;

	if (!has_mbr && put_not_held(taking, source, sink, 0, VK_MBR_BYTES, "partition table", 0))
		return;
	if (!has_mbr && !(vk_taking_read_back(taking, sector, gpt, sizeof(gpt), &gpt_file) &&
			  vk_gpt_has_signature(gpt, sizeof(gpt))))
		put_not_containing(taking, sink, VK_MBR_BYTES - sizeof(mbr), file,
				   "a partition table", mbr, sizeof(mbr),
				   "55aa at byte 510, or EFI PART in sector 1");
}

static void prove_partition(struct vk_taking *taking, const struct vk_source *source,
			    const struct vk_vmfs *vmfs, const struct vk_finding_sink *sink)
{
	uint64_t base = vk_plan_base(source, vmfs);
	uint64_t at = vk_add_sat(base, VK_LVM_HEADER_OFFSET);
	uint8_t magic[4] = {0};
	uint64_t length;
	const char *file;

	if (!put_not_held(taking, source, sink, at, VK_LVM_DEVICE_BYTES, "LVM header", vmfs->partition) &&
	    (!vk_taking_read_back(taking, at, magic, sizeof(magic), &file) ||
	     vk_get_le32(magic) != VK_LVM_MAGIC))
		put_not_containing(taking, sink, at, file, "an LVM header", magic, sizeof(magic),
				   "0dd001c0");
	if (!vmfs->fs_expected)
		return;
	memset(magic, 0, sizeof(magic));
	at = vk_add_sat(base, vk_plan_map(vmfs, VK_FS_OFFSET, &length));
	if (!put_not_held(taking, source, sink, at, VK_FS_SECTOR_BYTES, "file-system descriptor",
			  vmfs->partition) &&
	    (!vk_taking_read_back(taking, at, magic, sizeof(magic), &file) ||
	     !vk_fs_magic_known(vk_get_le32(magic))))
		put_not_containing(taking, sink, at, file, "a file-system descriptor", magic,
				   sizeof(magic), "5ef1ab2f");
}

static void put_missing(struct vk_taking *taking, const struct vk_finding_sink *sink, bool is_absent, const char *what)
{
	struct vk_finding finding;

	for (size_t i = 0; i < taking->saver.missing_count; i++) {
		const struct vk_range *range = &taking->saver.missing[i].range;

		if (taking->saver.missing[i].is_absent != is_absent)
			continue;
		vk_finding_init(&finding, is_absent ? VK_F_CAPTURE_NOT_HELD : VK_F_CAPTURE_UNREADABLE,
				range->offset_bytes, range->length_bytes, "%llu bytes %s",
				(unsigned long long)range->length_bytes, what);
		report(taking, sink, &finding);
	}
}

/* A file without any byte that was imported would only look as if it were one. */
static enum vk_status leave_out(struct vk_taking *taking, const struct vk_source *source,
				struct vk_error *err)
{
	struct vk_capture *c = &taking->manifest.capture;
	size_t kept = 0;

	if (c->imported == NULL)
		return VK_OK;
	taking->left_out = calloc(c->region_count + 1, sizeof(*taking->left_out));
	if (taking->left_out == NULL)
		return vk_no_memory(err, source->path);
	for (size_t i = 0; i < c->region_count; i++) {
		struct vk_region region = c->regions[i];
		struct vk_span span = vk_io_span(source->io, region.offset_bytes);

		if (span.state == VK_SPAN_ABSENT && span.length_bytes >= region.length_bytes)
			taking->left_out[taking->left_out_count++] = region;
		else
			c->regions[kept++] = region;
	}
	c->region_count = kept;
	return VK_OK;
}

static void put_left_out(struct vk_taking *taking, const struct vk_finding_sink *sink)
{
	struct vk_finding finding;

	for (size_t i = 0; i < taking->left_out_count; i++) {
		const struct vk_region *region = &taking->left_out[i];

		vk_finding_init(&finding, VK_F_CAPTURE_NOT_HELD, region->offset_bytes,
				region->length_bytes, "%s is left out: nothing of it was imported",
				region->file);
		report(taking, sink, &finding);
	}
}

static void prove(struct vk_taking *taking, const struct vk_source *source,
		  const struct vk_capture_options *options, const struct vk_finding_sink *sink)
{
	struct vk_vmfs spare;
	size_t count;
	const struct vk_vmfs *vmfs = vk_plan_partitions(source, &spare, &count);
	struct vk_finding finding;

	put_left_out(taking, sink);
	put_missing(taking, sink, false, "could not be read");
	put_missing(taking, sink, true,
		    taking->manifest.capture.imported != NULL ? "are not in what was imported"
							      : "are not held by the source");
	if (source->kind == VK_SOURCE_DISK)
		prove_table(taking, source, sink);
	if (count == 0 && !options->vmfs_optional) {
		vk_finding_init(&finding, VK_F_CAPTURE_NO_VMFS, 0, 0,
				"no VMFS partition was found: only the partition table was saved");
		report(taking, sink, &finding);
	}
	for (size_t i = 0; i < count; i++)
		prove_partition(taking, source, &vmfs[i], sink);
}

/* Told once in a run; what the manifest says of a capture does not depend on which was the first. */
static void put_no_links(const struct vk_taking *taking, struct vk_store *store,
			 const struct vk_finding_sink *sink)
{
	struct vk_finding finding;

	if (!taking->previous.links_refused || !vk_store_first_without_links(store))
		return;
	vk_finding_init(&finding, VK_F_CAPTURE_NO_LINKS, 0, 0, "the file system of the store %s has no hard links",
			vk_store_path(store));
	vk_finding_put(sink, &finding);
}

/* Begin the folder and copy every region that the plan names. */
static enum vk_status take_copy(struct vk_taking *taking, const struct vk_source *source,
			    const struct vk_capture_options *options, struct vk_error *err)
{
	struct vk_capture *c = &taking->manifest.capture;
	struct vk_capture_plan plan;
	enum vk_status status = vk_capture_plan(source, &plan, err);

	if (status != VK_OK)
		return status;
	if (options->rebuilt != NULL)
		status = vk_plan_also(source, options->rebuilt->ranges, options->rebuilt->range_count, &plan, err);
	if (status == VK_OK)
		status = vk_taking_begin(taking, source->io, source->path, options,
					 options->rebuilt != NULL ? "-rebuilt" : "", err);
	if (status == VK_OK && options->rebuilt != NULL) {
		c->is_rebuilt = true;
		status = vk_rebuilt_copy(options->rebuilt, &c->rebuilt, err);
	}
	if (status == VK_OK) {
		c->source_kind = source->kind;
		c->table_kind = source->table.kind;
		c->size_bytes = source->size_bytes;
		c->sector_size = source->sector_size;
		status = vk_taking_set(taking, plan.regions, plan.region_count, plan.identities,
				       plan.identity_count, err);
	}
	vk_capture_plan_free(&plan);
	if (status == VK_OK)
		status = leave_out(taking, source, err);
	if (status == VK_OK)
		status = vk_taking_room(taking, err);
	return status == VK_OK ? vk_taking_copy(taking, err) : status;
}

/* Prove what was saved, report what was found (earlier, too), and give it its name. */
static enum vk_status take_finish(struct vk_taking *taking, const struct vk_source *source,
			      const struct vk_capture_options *options,
			      const struct vk_findings *earlier, const struct vk_finding_sink *sink,
			      char ret_id[VK_CAPTURE_ID_BYTES], struct vk_error *err)
{
	for (size_t i = 0; i < earlier->count; i++)
		report(taking, sink, &earlier->items[i]);
	prove(taking, source, options, sink);
	/* of the store, not of the capture: it is not in the manifest */
	vk_capture_check_store(options->store, &taking->manifest.capture, source->path, sink);
	put_no_links(taking, options->store, sink);
	return vk_taking_commit(taking, ret_id, err);
}

/*
 * One try; live: what tells where everything lies is read once more. *ret_again: it changed meanwhile, this is not
 * the last try, and nothing of it is left.
 */
static enum vk_status take_once(const struct vk_source *source, bool live, bool last,
				const struct vk_capture_options *options, const struct vk_finding_sink *sink,
				bool *ret_again, char ret_id[VK_CAPTURE_ID_BYTES], struct vk_error *err)
{
	struct vk_taking *taking = vk_taking_new();
	struct vk_findings changes = {.count = 0};
	enum vk_status status;

	*ret_again = false;
	if (taking == NULL)
		return vk_no_memory(err, source->path);
	status = take_copy(taking, source, options, err);
	if (status == VK_OK && live)
		status = vk_taking_moved(taking, source, &changes, err);
	*ret_again = status == VK_OK && changes.count > 0 && !last;
	if (status == VK_OK && !*ret_again)
		status = take_finish(taking, source, options, &changes, sink, ret_id, err);
	vk_taking_free(taking);
	vk_findings_free(&changes);
	return status;
}

enum vk_status vk_capture_take(const struct vk_source *source, const struct vk_capture_options *options,
			       const struct vk_finding_sink *sink, char ret_id[VK_CAPTURE_ID_BYTES],
			       struct vk_error *err)
{
	bool again;

	return take_once(source, false, true, options, sink, &again, ret_id, err);
}

enum vk_status vk_capture_take_live(
	enum vk_status (*open)(void *ctx, struct vk_source *ret_source, struct vk_error *err),
	void *ctx, const struct vk_capture_options *options, const struct vk_finding_sink *sink,
	char ret_id[VK_CAPTURE_ID_BYTES], struct vk_error *err)
{
	enum vk_status status = VK_OK;
	bool again = true;

	for (unsigned tries = 1; again && status == VK_OK; tries++) {
		struct vk_source source;

		status = open(ctx, &source, err);
		if (status != VK_OK)
			return status;
		status = take_once(&source, true, tries == VK_CAPTURE_TRIES, options, sink, &again, ret_id, err);
		vk_source_close(&source);
	}
	return status;
}
