/* SPDX-License-Identifier: Apache-2.0 */
/* vmfskit stat: what the file descriptor of a file says. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "cmd/files/entry.h"
#include "cmd/files/holder.h"
#include "cmd/shared/verbs.h"
#include "report/report.h"
#include "vmfskit/scsi_id.h"
#include "vmfskit/text.h"

struct item {
	struct vk_fs_file *file;
	struct vk_ls_entry entry; /* its path is that of the command line */
	struct vk_holder holders[VK_LOCK_HOLDERS];
	size_t holder_count;
};
struct run {
	struct vk_files files; /* first */
	struct item *items;
	size_t count;
};

static bool add_file(struct run *run, const char *path)
{
	struct item *item = vk_append(&run->items, &run->count, NULL, sizeof(*run->items));
	struct vk_error err;

	if (item == NULL)
		return vk_cmd_no_memory(&run->files.cmd);
	item->entry.path = strdup(path);
	if (item->entry.path == NULL)
		return vk_cmd_no_memory(&run->files.cmd);
	if (vk_fs_lookup(run->files.fs, path, false, &run->files.sink, &item->file, &err) != VK_OK ||
	    vk_ls_measure(&run->files, item->file, &item->entry, &err) != VK_OK)
		return vk_cmd_fail(&run->files.cmd, &err);
	item->holder_count = vk_holders_of(&run->files, &item->file->lock, item->holders);
	return true;
}

/* What cannot be read is reported; the others are shown all the same. */
static bool look_up(void *ctx)
{
	struct run *run = ctx;
	const char *path;
	bool any = false;

	if (!vk_files_open(&run->files))
		return false;
	if (vk_files_path(&run->files, 0) == NULL)
		return vk_cmd_usage(&run->files.cmd, "name a PATH in the volume");
	for (size_t n = 0; (path = vk_files_path(&run->files, n)) != NULL; n++)
		any = add_file(run, path) || any;
	vk_cmd_judge_findings(&run->files.cmd, &run->files.findings);
	return any;
}

__attribute__((format(printf, 3, 4))) static void put_line(FILE *out, const char *name, const char *format, ...)
{
	va_list args;

	fprintf(out, "  %-13s ", name);
	va_start(args, format);
	vfprintf(out, format, args);
	va_end(args);
	fputc('\n', out);
}

static const char *zla_said(uint32_t zla)
{
	switch (zla) {
	case VK_ZLA_FILE_BLOCK:
		return "addresses of file blocks in the descriptor";
	case VK_ZLA_SUB_BLOCK:
		return "addresses of sub-blocks in the descriptor";
	case VK_ZLA_POINTER_BLOCK:
	case VK_ZLA_POINTER_BLOCK2:
		return "addresses in pointer blocks";
	case VK_ZLA_DOUBLE:
		return "addresses in pointer blocks of pointer blocks";
	case VK_ZLA_RESIDENT:
		return "no blocks: the content is in the descriptor";
	default:
		return "unknown";
	}
}

static uint64_t both(uint32_t low, uint32_t high)
{
	return (uint64_t)high << 32 | low;
}

static void put_blocks(FILE *out, const struct vk_file_metadata *m, bool vmfs6)
{
	uint64_t zeroed = both(m->numTBZBlocksLo, vmfs6 ? m->numTBZBlocksHi : 0);
	uint64_t copied = both(m->numCOWBlocksLo, vmfs6 ? m->numCOWBlocksHi : 0);

	put_line(out, "blocks", "%" PRIu64 " of %s%s", m->numBlocks, vk_shown_size_short(m->blockSize).text,
		 m->numBlocks == 0 ? ", none allocated" : "");
	if (zeroed > 0)
		put_line(out, "to be zeroed", "%" PRIu64 " of them, which read as zeros whatever they hold", zeroed);
	if (copied > 0)
		put_line(out, "copy on write", "%" PRIu64 " of them", copied);
	if (m->numLFB > 0)
		put_line(out, "large blocks", "%" PRIu32, m->numLFB);
	put_line(out, "addressed by", "%s (ZLA %" PRIu32 ")%s", zla_said(m->zeroLevelAddrType), m->zeroLevelAddrType,
		 m->numPointerBlocks > 0 ? vk_phrase(", pointer blocks: %" PRIu32, m->numPointerBlocks).text : "");
}

/* Of a raw device mapping. False: its LUN is not in the source, or it names none. */
static bool lun_of(const struct run *run, const struct vk_fs_file *file, struct vk_scsi_disk_id *ret_id)
{
	const uint32_t at = vk_fs_info(run->files.fs)->resident_offset;

	if (file->meta.type != VK_FILE_RDM || file->fd_seen_bytes < at + VK_SCSI_DISK_ID_BYTES)
		return false;
	vk_scsi_disk_id_decode(file->fd + at, VK_SCSI_DISK_ID_BYTES, ret_id);
	return !vk_scsi_disk_id_is_nil(ret_id);
}

static void put_lun(FILE *out, const struct run *run, const struct vk_fs_file *file)
{
	char name[VK_SCSI_NAME_BYTES], vml[VK_SCSI_NAME_BYTES];
	struct vk_scsi_disk_id id;
	bool certain;

	if (!lun_of(run, file, &id)) {
		put_line(out, "raw device", "the name of its LUN is %s",
			 file->fd_seen_bytes < vk_fs_info(run->files.fs)->fd.fd_bytes
				 ? "not in the source" : "lost: zeros stand there");
		return;
	}
	vk_scsi_disk_id_name(&id, name, &certain);
	vk_scsi_disk_id_vml(&id, vml);
	put_line(out, "raw device", "the LUN %s%s", vk_shown_name(name).text,
		 certain ? "" : " (inferred; the vml name is exact)");
	put_line(out, "vml name", "%s", vk_shown_name(vml).text);
}

static void put_place(FILE *out, const struct run *run, const struct vk_fs_file *file)
{
	uint64_t at, length;
	size_t extent;

	if (vk_fs_place(run->files.fs, file->volume_offset, &extent, &at, &length))
		put_line(out, "stands at", "byte %" PRIu64 " of the volume, byte %" PRIu64 " of %s",
			 file->volume_offset, at,
			 vk_shown_name(vk_files_source(&run->files, run->files.extents[extent].source)).text);
	else
		put_line(out, "stands at", "byte %" PRIu64 " of the volume", file->volume_offset);
}

static void put_lock(FILE *out, const struct item *item)
{
	put_line(out, "lock", "%s", vk_lock_mode_said(&item->file->lock).text);
	for (size_t i = 0; i < item->holder_count; i++) {
		const struct vk_holder *h = &item->holders[i];

		put_line(out, "  held by", "host %s (%s)", vk_vmfs_uuid_text(&h->owner).text,
			 vk_report_made(&h->owner, ", MAC ").text);
		if (h->state == VK_HOLDER_NO_SLOT)
			put_line(out, "  heartbeat", "%s", vk_holder_state_said(h->state));
		else
			put_line(out, "  heartbeat", "slot %" PRIu32 ", generation %" PRIu64 ": %s", h->slot,
				 h->hb_generation, vk_holder_state_said(h->state));
		if (h->state == VK_HOLDER_SAME && h->hb.ip[0] != '\0')
			put_line(out, "  address", "%s", vk_shown_label(h->hb.ip, sizeof(h->hb.ip)).text);
	}
}

static void put_item(FILE *out, const struct run *run, const struct item *item)
{
	const struct vk_fs_info *info = vk_fs_info(run->files.fs);
	const struct vk_file_metadata *m = &item->file->meta;
	const struct vk_ls_entry *e = &item->entry;
	char address[VK_ADDRESS_TEXT_BYTES];

	vk_address_text(item->file->address, &info->addresses, address);
	fprintf(out, "%s%s%s\n", vk_shown_name(e->path).text, e->target != NULL ? " -> " : "",
		e->target != NULL ? vk_shown_name(e->target).text : "");
	put_line(out, "type", "%s", vk_ls_type(e->type));
	put_line(out, "size", "%s", vk_shown_size(m->fileLength).text);
	put_line(out, "allocated", "%s", vk_shown_size(e->allocated_bytes).text);
	if (e->missing_bytes > 0)
		put_line(out, "not here", "%s are %s", vk_shown_size(e->missing_bytes).text, vk_ls_missing(e));
	if (m->type == VK_FILE_RDM)
		put_lun(out, run, item->file);
	else
		put_blocks(out, m, info->vmfs6);
	put_line(out, "mode", "%s (%s), %" PRIu32 " link%s, uid %" PRIu32 ", gid %" PRIu32,
		 vk_ls_mode_octal(m->mode).text, vk_ls_mode(e->type, e->is_folder, m->mode).text, m->linkCount,
		 m->linkCount == 1 ? "" : "s", m->uid, m->gid);
	put_line(out, "modified", "%s", vk_shown_time_s(m->mtime).text);
	put_line(out, "changed", "%s", vk_shown_time_s(m->ctime).text);
	put_line(out, "accessed", "%s", vk_shown_time_s(m->atime).text);
	put_line(out, "descriptor", "0x%08" PRIx32 ", %s, generation %" PRIu32, item->file->address, address,
		 m->generation);
	put_place(out, run, item->file);
	if (m->parentFD != 0)
		put_line(out, "parent", "folder 0x%08" PRIx32, m->parentFD);
	put_lock(out, item);
}

static void put_text(const void *ctx)
{
	const struct run *run = ctx;
	FILE *out = run->files.cmd.call->out;
	bool any = false;

	for (size_t i = 0; i < run->count; i++) {
		if (!run->items[i].entry.known)
			continue;
		fputs(any ? "\n" : "", out);
		put_item(out, run, &run->items[i]);
		any = true;
	}
	vk_files_show_findings(&run->files);
}

static json_t *holder_json(const struct vk_holder *h)
{
	struct vk_vmfs_uuid_parts parts;
	char mac[VK_MAC_TEXT_BYTES];
	struct vk_json o = vk_json_begin();

	vk_vmfs_uuid_decode(&h->owner, &parts);
	vk_mac_format(parts.macAddr, mac);
	VK_JSON_SET(&o, VK_KEY("owner", (const char *)vk_vmfs_uuid_text(&h->owner).text),
		    VK_KEY("mac", (const char *)mac),
		    VK_KEY("heartbeat_offset", h->hb_volume_offset), VK_KEY("heartbeat_generation", h->hb_generation),
		    VK_KEY("heartbeat", vk_holder_state_name(h->state)));
	if (h->state != VK_HOLDER_NO_SLOT)
		vk_json_set_number(&o, "slot", h->slot);
	return vk_json_end(&o);
}

static json_t *item_json(const struct run *run, const struct item *item)
{
	const struct vk_fs_info *info = vk_fs_info(run->files.fs);
	const struct vk_file_metadata *m = &item->file->meta;
	struct vk_json o = vk_ls_entry_json(&item->entry);
	json_t *holders = json_array();
	char name[VK_SCSI_NAME_BYTES];
	struct vk_scsi_disk_id id;
	uint64_t at, length;
	size_t extent;

	VK_JSON_SET(&o, VK_KEY("generation", m->generation), VK_KEY("block_bytes", m->blockSize),
		    VK_KEY("blocks", m->numBlocks),
		    VK_KEY("tbz_blocks", both(m->numTBZBlocksLo, info->vmfs6 ? m->numTBZBlocksHi : 0)),
		    VK_KEY("cow_blocks", both(m->numCOWBlocksLo, info->vmfs6 ? m->numCOWBlocksHi : 0)),
		    VK_KEY("pointer_blocks", m->numPointerBlocks), VK_KEY("zla", m->zeroLevelAddrType),
		    VK_KEY("volume_offset", item->file->volume_offset));
	if (vk_fs_place(run->files.fs, item->file->volume_offset, &extent, &at, &length))
		VK_JSON_SET(&o, VK_KEY("source", vk_files_source(&run->files, run->files.extents[extent].source)),
			    VK_KEY("device_offset", at));
	if (lun_of(run, item->file, &id)) {
		bool certain;

		vk_scsi_disk_id_name(&id, name, &certain);
		vk_json_set_text(&o, "raw_device", name);
		vk_scsi_disk_id_vml(&id, name);
		vk_json_set_text(&o, "raw_device_vml", name);
	}
	if (m->parentFD != 0)
		vk_json_set_text(&o, "parent_fd", vk_phrase("0x%08" PRIx32, m->parentFD).text);
	for (size_t i = 0; i < item->holder_count; i++)
		vk_json_append(holders, holder_json(&item->holders[i]), &o);
	vk_json_set(&o, "lock", VK_JSON_OBJECT(VK_KEY("mode", (const char *)vk_lock_mode_said(&item->file->lock).text),
					       VK_KEY("holders", holders)));
	return vk_json_end(&o);
}

static void put_json(const void *ctx, struct vk_json *root)
{
	const struct run *run = ctx;
	json_t *list = json_array();

	for (size_t i = 0; i < run->count; i++)
		if (run->items[i].entry.known)
			vk_json_append(list, item_json(run, &run->items[i]), root);
	vk_json_set(root, "volume", vk_files_volume_json(&run->files));
	vk_json_set(root, "files", list);
	vk_files_set_findings(&run->files, root);
}

static void end(void *ctx)
{
	struct run *run = ctx;

	for (size_t i = 0; i < run->count; i++) {
		vk_fs_file_close(run->items[i].file);
		free(run->items[i].entry.path);
		free(run->items[i].entry.target);
	}
	free(run->items);
	vk_files_close(&run->files);
}

static int run_stat(struct vk_cli_call *call)
{
	static const struct vk_cmd_steps steps = {"vmfskit.stat/1", vk_files_read_options, look_up,
						  put_json,         put_text,              end};
	struct run run = {.count = 0};

	return vk_cmd_run(call, &run, &steps);
}

static const struct vk_cli_option options[] = {VK_FILES_OPTIONS, {0}};

static const struct vk_cli_example examples[] = {
	{"vmfskit stat /dev/sdb /vm/vm-flat.vmdk", "is this disk thin, and who holds it open"},
	{"vmfskit stat --json first-26-MiB.dd .fdc.sf /vm", "a system file and a folder, for a script"},
	{NULL, NULL},
};

const struct vk_cli_verb vk_verb_stat = {
	.name = "stat",
	.arguments = "SOURCE PATH...",
	.purpose = "show what the file descriptor of a file says",
	.description =
		"Shows size, blocks, how they are addressed, mode, times, the place of the file descriptor, and the "
		"lock with the host that holds it. A symbolic link is shown itself.\n\n"
		"The owner of a lock is named by the UUID of its session, which has the MAC address of the host in "
		"it. Whether the host is alive shows only in a heartbeat that changes: one look tells whether the "
		"heartbeat slot is still in use by this session.\n\n"
		VK_FILES_SOURCE_TEXT "\n\n"
		"The exit code is 1 when something is damaged.",
	.options = options,
	.examples = examples,
	.least_arguments = 2,
	.most_arguments = SIZE_MAX,
	.run = run_stat,
};
