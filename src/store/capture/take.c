/* SPDX-License-Identifier: Apache-2.0 */
/* Taking a capture of a disk, and proving that what was saved contains what it is for. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/bytes.h"
#include "base/checked.h"
#include "base/command.h"
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

/* What a capture is for, and must contain. */
struct must_have {
	const char *what; /* "LVM header" */
	const char *one;  /* "an LVM header" */
	unsigned partition;
	uint64_t offset_bytes;
	uint64_t length_bytes;
	size_t magic_bytes; /* at its begin */
	const char *expected;
};

/* What an imported file does not reach is not damaged: it may stand on the disk. Returns whether it is so. */
static bool put_not_held(struct vk_taking *taking, const struct vk_source *source, const struct must_have *m,
			 const struct vk_finding_sink *sink)
{
	const enum vk_span_state state = vk_io_span(source->io, m->offset_bytes).state;
	char of[32] = "";
	struct vk_finding finding;

	if (taking->manifest.capture.imported == NULL || (state != VK_SPAN_ABSENT && state != VK_SPAN_END))
		return false;
	if (m->partition != 0)
		snprintf(of, sizeof(of), " of partition %u", m->partition);
	vk_finding_init(&finding, VK_F_CAPTURE_NOT_HELD, m->offset_bytes, m->length_bytes,
			"the %s%s is not in it: it would be at byte %llu (0x%llx) of the %s", m->what, of,
			(unsigned long long)m->offset_bytes, (unsigned long long)m->offset_bytes,
			vk_source_kind_name(taking->manifest.capture.source_kind));
	report(taking, sink, &finding);
	return true;
}

/* at: where the bytes were looked for; file NULL: no region reaches that. */
static void put_not_containing(struct vk_taking *taking, const struct must_have *m, uint64_t at, const char *file,
			       const uint8_t *seen, const struct vk_finding_sink *sink)
{
	struct vk_finding finding;
	char hex[40];
	struct vk_text text = vk_text_in(hex, sizeof(hex));

	vk_text_hex(&text, seen, m->magic_bytes);
	if (file != NULL)
		vk_finding_init(&finding, VK_F_CAPTURE_NOT_CONTAINING, at, m->magic_bytes, "%s does not contain %s",
				file, m->one);
	else
		vk_finding_init(&finding, VK_F_CAPTURE_NOT_CONTAINING, at, m->magic_bytes,
				"no file of the capture reaches %s", m->one);
	if (file != NULL)
		vk_finding_seen(&finding, "%s", hex);
	vk_finding_expected(&finding, "%s", m->expected);
	report(taking, sink, &finding);
}

static void prove_table(struct vk_taking *taking, const struct vk_source *source, const struct vk_finding_sink *sink)
{
	static const struct must_have table = {.what = "partition table",
					       .one = "a partition table",
					       .length_bytes = VK_MBR_BYTES,
					       .magic_bytes = 2,
					       .expected = "55aa at byte 510, or EFI PART in sector 1"};
	uint8_t mbr[2] = {0}, gpt[8] = {0};
	const char *file, *gpt_file;

	if (vk_taking_read_back(taking, VK_MBR_BYTES - sizeof(mbr), mbr, sizeof(mbr), &file) &&
	    vk_get_le16(mbr) == VK_MBR_SIGNATURE)
		return;
	if (!put_not_held(taking, source, &table, sink) &&
	    !(vk_taking_read_back(taking, taking->manifest.capture.sector_size, gpt, sizeof(gpt), &gpt_file) &&
	      vk_gpt_has_signature(gpt, sizeof(gpt))))
		put_not_containing(taking, &table, VK_MBR_BYTES - sizeof(mbr), file, mbr, sink);
}

static void prove_partition(struct vk_taking *taking, const struct vk_source *source, const struct vk_vmfs *vmfs,
			    const struct vk_finding_sink *sink)
{
	const uint64_t base = vk_plan_base(source, vmfs);
	uint64_t length;
	const struct must_have parts[] = {
		{"LVM header", "an LVM header", vmfs->partition, vk_add_sat(base, VK_LVM_HEADER_OFFSET),
		 VK_LVM_DEVICE_BYTES, 4, "0dd001c0"},
		{"file-system descriptor", "a file-system descriptor", vmfs->partition,
		 vk_add_sat(base, vk_plan_map(vmfs, VK_FS_OFFSET, &length)), VK_FS_SECTOR_BYTES, 4, "5ef1ab2f"}};

	for (size_t i = 0; i < (vmfs->fs_expected ? 2 : 1); i++) {
		uint8_t magic[4] = {0};
		const char *file;

		if (put_not_held(taking, source, &parts[i], sink) ||
		    (vk_taking_read_back(taking, parts[i].offset_bytes, magic, sizeof(magic), &file) &&
		     (i == 0 ? vk_get_le32(magic) == VK_LVM_MAGIC : vk_fs_magic_known(vk_get_le32(magic)))))
			continue;
		put_not_containing(taking, &parts[i], parts[i].offset_bytes, file, magic, sink);
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

static void prove(struct vk_taking *taking, const struct vk_source *source,
		  const struct vk_capture_options *options, const struct vk_finding_sink *sink)
{
	const struct vk_saver *saver = &taking->saver;
	const char *not_held = taking->manifest.capture.imported != NULL ? "are not in what was imported"
									 : "are not held by the source";
	struct vk_vmfs spare;
	size_t count;
	const struct vk_vmfs *vmfs = vk_plan_partitions(source, &spare, &count);
	struct vk_finding finding;

	for (size_t i = 0; i < taking->left_out_count; i++) {
		const struct vk_region *region = &taking->left_out[i];

		vk_finding_init(&finding, VK_F_CAPTURE_NOT_HELD, region->offset_bytes, region->length_bytes,
				"%s is left out: nothing of it was imported", region->file);
		report(taking, sink, &finding);
	}
	/* first what could not be read */
	for (int absent = 0; absent < 2; absent++)
		for (size_t i = 0; i < saver->missing_count; i++) {
			const struct vk_range *range = &saver->missing[i].range;

			if (saver->missing[i].is_absent != (absent != 0))
				continue;
			vk_finding_init(&finding, absent ? VK_F_CAPTURE_NOT_HELD : VK_F_CAPTURE_UNREADABLE,
					range->offset_bytes, range->length_bytes, "%llu bytes %s",
					(unsigned long long)range->length_bytes,
					absent ? not_held : "could not be read");
			report(taking, sink, &finding);
		}
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

struct need {
	uint64_t bytes;
	uint64_t files;
};

/* A file that will be written, as large as the previous capture's; else of one block, unless it may be empty. */
static void need_file(struct need *need, const struct vk_taking *taking, const char *file, uint64_t block)
{
	struct stat st;
	uint64_t bytes = block;

	if (taking->previous.fd >= 0 &&
	    fstatat(taking->previous.fd, file, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode))
		bytes = vk_mul_sat((uint64_t)st.st_blocks, 512);
	need->bytes = vk_add_sat(need->bytes, bytes);
	need->files++;
}

/* VK_IO when the store certainly has not the room for this capture. The regions are known, the folder is begun. */
static enum vk_status check_room(const struct vk_taking *taking, struct vk_error *err)
{
	const struct vk_folder *folder = &taking->folder;
	const struct vk_capture *c = &taking->manifest.capture;
	const bool is_root = geteuid() == 0;
	struct statvfs fs;
	struct need need = {0, 0};
	uint64_t free_bytes;
	char has[64], wants[64];
	struct vk_text text;

	/* a file system that does not tell is found out by writing */
	if (fstatvfs(folder->store_fd, &fs) != 0 || fs.f_blocks == 0)
		return VK_OK;
	free_bytes = vk_mul_sat(is_root ? fs.f_bfree : fs.f_bavail, fs.f_frsize);
	/*
	 * The least: what ticks and the papers, and of a first capture a block of each file that has something in it.
	 * How sparse the rest is shows only when it is read, and a capture that would have fitted must not be refused.
	 */
	for (size_t i = 0; i < c->region_count; i++) {
		const bool ticks = c->regions[i].part == VK_PART_HEARTBEATS;

		if (taking->previous.fd >= 0 ? ticks : !ticks)
			need_file(&need, taking, c->regions[i].file, fs.f_frsize);
	}
	need_file(&need, taking, VK_MANIFEST_FILE, fs.f_frsize);
	need_file(&need, taking, VK_SUMS_FILE, fs.f_frsize);
	if (free_bytes < need.bytes) {
		text = vk_text_in(has, sizeof(has));
		vk_text_size_short(&text, free_bytes);
		text = vk_text_in(wants, sizeof(wants));
		vk_text_size_short(&text, need.bytes);
		vk_error_set(err, VK_IO, folder->store,
			     "no room in the store: %s are free, this capture of %s needs at least %s",
			     has, c->source_path, wants);
	} else if (fs.f_files != 0 && (is_root ? fs.f_ffree : fs.f_favail) < need.files) {
		vk_error_set(err, VK_IO, folder->store,
			     "no room in the store: its file system takes %llu files more, this capture of %s needs at "
			     "least %llu",
			     (unsigned long long)fs.f_ffree, c->source_path,
			     (unsigned long long)need.files);
	} else {
		return VK_OK;
	}
	(void)vk_error_remedy(err,
			      "make room with vmfskit prune --store %s --write, or name another store with --store",
			      vk_shell_path(folder->store).text);
	return VK_IO;
}

static bool plans_volume(const struct vk_capture_plan *plan, const struct vk_identity *volume)
{
	for (size_t i = 0; i < plan->identity_count; i++)
		if (plan->identities[i].start_sector == volume->start_sector)
			return true;
	return false;
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
		status = vk_plan_also(source, options->rebuilt, &plan, err);
	if (status == VK_OK && options->volume != NULL && !plans_volume(&plan, options->volume) &&
	    vk_append(&plan.identities, &plan.identity_count, options->volume, sizeof(*options->volume)) == NULL)
		status = vk_no_memory(err, source->path);
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
		status = check_room(taking, err);
	return status == VK_OK ? vk_taking_copy(taking, err) : status;
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
	struct vk_finding finding;
	enum vk_status status;

	*ret_again = false;
	if (taking == NULL)
		return vk_no_memory(err, source->path);
	status = take_copy(taking, source, options, err);
	if (status == VK_OK && live)
		status = vk_taking_moved(taking, source, &changes, err);
	*ret_again = status == VK_OK && changes.count > 0 && !last;
	if (status == VK_OK && !*ret_again) {
		for (size_t i = 0; i < changes.count; i++)
			report(taking, sink, &changes.items[i]);
		prove(taking, source, options, sink);
		status = vk_taking_maps(taking, source, options, sink, err);
		if (status == VK_OK)
			status = vk_taking_metadata(taking, source, options, sink, err);
	}
	if (status == VK_OK && !*ret_again) {
		/* what is of the store, not of the capture, is not in the manifest */
		vk_capture_check_store(options->store, &taking->manifest.capture, source->path, sink);
		if (taking->previous.links_refused && vk_store_first_without_links(options->store)) {
			vk_finding_init(&finding, VK_F_CAPTURE_NO_LINKS, 0, 0,
					"the file system of the store %s has no hard links",
					vk_store_path(options->store));
			vk_finding_put(sink, &finding);
		}
		status = vk_taking_commit(taking, ret_id, err);
	}
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
