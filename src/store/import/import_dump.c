/* SPDX-License-Identifier: Apache-2.0 */
/* Dumps: what each is, which disk it is of, and where on that disk it lies. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/checked.h"
#include "io/io_handle.h"
#include "store/import/import_parts.h"
#include "store/plan/plan.h"

/* Names that the script of 2009 gave its files, around the name of the disk. */
static const struct {
	const char *front;
	const char *back;
	enum vk_source_kind kind;
} script_names[] = {
	{"vmfs-header-backup-", ".hex", VK_SOURCE_DISK},
	{"vmfs-metadata-", "-vh.sf.bu", VK_SOURCE_VOLUME},
};

/* NULL unless the script named it; ret_len: of the disk's name in it. */
static const char *disk_in_name(const char *path, size_t *ret_len, enum vk_source_kind *ret_kind)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash != NULL ? slash + 1 : path;
	const size_t len = strlen(name);

	for (size_t i = 0; i < sizeof(script_names) / sizeof(script_names[0]); i++) {
		const size_t front = strlen(script_names[i].front), back = strlen(script_names[i].back);

		if (len <= front + back || strncmp(name, script_names[i].front, front) != 0 ||
		    strcmp(name + len - back, script_names[i].back) != 0)
			continue;
		*ret_len = len - front - back;
		*ret_kind = script_names[i].kind;
		return name + front;
	}
	return NULL;
}

static enum vk_status recognise(struct vk_dump *dump, enum vk_source_kind as, uint32_t sector_size,
				struct vk_error *err)
{
	const struct vk_source_options options = {.look = VK_LOOK_AT, .as = as, .sector_size = sector_size};
	struct vk_io *window = vk_io_window(dump->io, 0, vk_io_size_bytes(dump->io));
	struct vk_source source;
	enum vk_status status;

	if (window == NULL)
		return vk_no_memory(err, dump->path);
	status = vk_source_open_io(window, dump->path, VK_FORM_RAW, &options, &source, err);
	if (status != VK_OK)
		return status;
	dump->kind = source.kind;
	dump->offset_bytes = source.origin_bytes;
	status = vk_source_refuse_container(&source, err);
	if (status == VK_OK && vk_source_is_text(&source)) {
		vk_error_set(err, VK_USAGE, dump->path, "this is %s", source.readings.items[0].what);
		status = vk_error_remedy(err, "%s", vk_finding_kind(VK_F_SOURCE_TEXT)->remedy);
	}
	if (status == VK_OK && as == VK_SOURCE_AUTO &&
	    vk_findings_have(&source.findings, VK_F_SOURCE_UNRECOGNISED, 0)) {
		vk_error_set(err, VK_USAGE, dump->path, "nothing in it tells what it is");
		status = vk_error_remedy(err, "say it with --as, or with --place where on its disk it begins");
	}
	vk_source_close(&source);
	return status;
}

/* What it is and where it lies; all else of dump is there. */
static enum vk_status place_dump(struct vk_dump *dump, enum vk_source_kind as, uint32_t sector_size,
				 const uint64_t *place, struct vk_error *err)
{
	if (place == NULL)
		return recognise(dump, as, sector_size, err);
	dump->kind = VK_SOURCE_DISK;
	dump->offset_bytes = *place;
	dump->placed = true;
	return VK_OK;
}

enum vk_status vk_dump_open(const char *path, const char *part, struct vk_io *io, uint64_t modified,
			    enum vk_source_kind as, uint32_t sector_size, const uint64_t *place,
			    struct vk_dump *ret_dump, struct vk_error *err)
{
	struct vk_dump dump = {.path = strdup(path), .io = io, .modified = modified};
	enum vk_source_kind named = as;
	size_t len = 0;
	const char *disk = disk_in_name(path, &len, &named);
	const struct vk_form *form = vk_form(vk_io_form_of(io));
	struct vk_text text;
	enum vk_status status = VK_OK;

	vk_text_init(&text, dump.disk, sizeof(dump.disk));
	if (disk != NULL)
		vk_text_label(&text, (const uint8_t *)disk, len);
	vk_import_name(&dump.file, path, NULL, modified);
	if (dump.path == NULL) {
		status = vk_no_memory(err, path);
	} else if (vk_io_footer_bytes(io) != 0) {
		/* the digest of an import is that of the file as it came, footer and all */
		vk_error_set(err, VK_UNSUPPORTED, path, "this is a %s", vk_io_image_format(io)->name);
		status = vk_error_remedy(err, "vmfskit capture takes it as the disk that it is");
	}
	if (status == VK_OK)
		status = vk_import_digest(io, 0, vk_io_size_bytes(io), &dump.file, NULL, err);
	if (status == VK_OK && dump.file.length_bytes == 0)
		status = vk_error_set(err, VK_DAMAGED, path, "it is empty");
	if (status == VK_OK && form->unfold != NULL)
		status = form->unfold(io, &dump.io, err);
	if (status == VK_OK && part != NULL)
		status = vk_io_choose(&dump.io, part, err);
	if (status == VK_OK && (part != NULL || vk_io_has_next(dump.io))) {
		free(dump.path);
		dump.path = strdup(vk_io_name(dump.io));
		if (dump.path == NULL)
			status = vk_no_memory(err, path);
	}
	if (status == VK_OK)
		status = place_dump(&dump, as != VK_SOURCE_AUTO ? as : named, sector_size, place, err);
	if (status == VK_OK)
		*ret_dump = dump;
	else
		vk_dump_close(&dump);
	return status;
}

enum vk_status vk_dump_next(struct vk_dump *before, enum vk_source_kind as, uint32_t sector_size,
			    const uint64_t *place, struct vk_dump *ret_dump, struct vk_error *err)
{
	struct vk_dump dump = {.io = vk_io_take_next(before->io), .modified = before->modified, .file = before->file};
	enum vk_status status;

	dump.path = strdup(vk_io_name(dump.io));
	status = dump.path != NULL ? place_dump(&dump, as, sector_size, place, err) : vk_no_memory(err, before->path);
	if (status == VK_OK)
		*ret_dump = dump;
	else
		vk_dump_close(&dump);
	return status;
}

void vk_dump_close(struct vk_dump *dump)
{
	vk_io_close(dump->io);
	free(dump->path);
	memset(dump, 0, sizeof(*dump));
}

static enum vk_status add_dump_piece(struct vk_parts *parts, const struct vk_dump *dump, uint64_t offset,
			  struct vk_error *err)
{
	struct vk_io_part piece = {.base = dump->io,
				    .offset_bytes = offset,
				    .length_bytes = vk_io_size_bytes(dump->io)};

	if (vk_add_sat(offset, piece.length_bytes) > INT64_MAX) {
		vk_error_set(err, VK_USAGE, dump->path, "it would lie behind the end of any disk");
		return vk_error_remedy(err, "say with --place, in bytes, where on its disk it begins");
	}
	if (vk_append(&parts->pieces, &parts->count, &piece, sizeof(piece)) != NULL &&
	    vk_append(&parts->files, &parts->file_count, &dump->file, sizeof(dump->file)) != NULL)
		return VK_OK;
	return vk_no_memory(err, dump->path);
}

/* The partition that dumps of a partition, header or volume are of. */
struct home {
	uint64_t start_bytes;
	uint64_t data_offset;
};

/* The only VMFS partition of the disk, as far as the parts that have a place tell. */
static enum vk_status find_home(const struct vk_parts *parts, const struct vk_dump *dump, uint32_t sector_size,
				struct home *ret_home, struct vk_error *err)
{
	struct vk_source source;
	uint64_t size;
	bool certain;
	enum vk_status status = vk_parts_size(parts, dump->path, VK_SOURCE_DISK, sector_size, &size, &certain, err);

	if (status == VK_OK)
		status = vk_parts_open(parts, dump->path, VK_SOURCE_DISK, sector_size, size, &source, err);
	if (status != VK_OK)
		return status;
	if (source.vmfs_count == 1) {
		*ret_home = (struct home){vk_plan_base(&source, &source.vmfs[0]),
					  vk_plan_data_offset(&source.vmfs[0])};
	} else {
		vk_error_set(err, VK_USAGE, dump->path,
			     "the partition table names %zu VMFS partitions: which of them it is of cannot be told",
			     source.vmfs_count);
		status = vk_error_remedy(err, "say with --place, in bytes, where on its disk it begins");
	}
	vk_source_close(&source);
	return status;
}

static uint64_t place_at(const struct vk_dump *dump, const struct home *home)
{
	switch (dump->kind) {
	case VK_SOURCE_HEADER:
		return vk_add_sat(home->start_bytes, dump->offset_bytes);
	case VK_SOURCE_VOLUME:
		return vk_add_sat(vk_add_sat(home->start_bytes, home->data_offset), dump->offset_bytes);
	default:
		return home->start_bytes;
	}
}

enum vk_status vk_dumps_place(struct vk_dump *const *dumps, size_t count, uint32_t sector_size,
			      struct vk_parts *ret_parts, enum vk_source_kind *ret_kind,
			      struct vk_error *err)
{
	struct home home = {0, VK_LVM_DATA_OFFSET};
	const struct vk_dump *homeless = NULL;
	enum vk_status status = VK_OK;

	memset(ret_parts, 0, sizeof(*ret_parts));
	*ret_kind = VK_SOURCE_PARTITION;
	for (size_t i = 0; i < count && status == VK_OK; i++) {
		if (dumps[i]->kind != VK_SOURCE_DISK) {
			homeless = dumps[i];
			continue;
		}
		*ret_kind = VK_SOURCE_DISK;
		status = add_dump_piece(ret_parts, dumps[i], dumps[i]->placed ? dumps[i]->offset_bytes : 0, err);
	}
	if (status == VK_OK && homeless != NULL && *ret_kind == VK_SOURCE_DISK)
		status = find_home(ret_parts, homeless, sector_size, &home, err);
	for (size_t i = 0; i < count && status == VK_OK; i++)
		if (dumps[i]->kind != VK_SOURCE_DISK)
			status = add_dump_piece(ret_parts, dumps[i], place_at(dumps[i], &home), err);
	return status;
}
