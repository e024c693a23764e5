/* SPDX-License-Identifier: Apache-2.0 */
/* Dumps: what each is, which disk it is of, and where on that disk it lies. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "base/memory.h"
#include "io/io_handle.h"
#include "store/folder/identity_of_run.h"
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

/* Whether the disk lies in other bytes than its own; then these end where it does, as far as that is known. */
static bool is_inside(const struct vk_dump *dump)
{
	return dump->files[0].at_bytes != 0 || (vk_source_looked_through(&dump->source) &&
						dump->source.readings.items[0].kind == VK_READING_CARRIER);
}

/* What lies behind its end belongs to what it lies in. */
static void cut_behind(struct vk_dump *dump, uint64_t disk_size_bytes)
{
	const struct vk_source *source = &dump->source;
	uint64_t end = vk_import_end(source);

	if (dump->kind != VK_SOURCE_DISK && dump->kind != VK_SOURCE_PARTITION)
		return;
	for (size_t i = 0; i < source->vmfs_count && end != 0; i++)
		if (source->vmfs[i].lvm_usable)
			end = vk_max_u64(end, vk_add_sat(vk_mul_sat(source->vmfs[i].start_sector, source->sector_size),
							 source->vmfs[i].lvm.totalBytes));
	end = disk_size_bytes != 0 ? disk_size_bytes : end;
	if (end != 0)
		dump->length_bytes = vk_min_u64(dump->length_bytes, end);
}

/*
 * A text is no dump; and of what is refused unless it is said what it is, a capture would hold bytes at places where
 * they are not on the disk.
 */
static enum vk_status refuse_reading(const struct vk_dump *dump, enum vk_source_kind as, struct vk_error *err)
{
	static const enum vk_finding_code codes[VK_READING_COUNT] = {[VK_READING_MEMBER] = VK_F_SOURCE_MEMBER,
								     [VK_READING_SHIFTED] = VK_F_SOURCE_SHIFTED,
								     [VK_READING_GLUED] = VK_F_SOURCE_GLUED,
								     [VK_READING_TEXT] = VK_F_SOURCE_TEXT};
	const struct vk_reading *best = &dump->source.readings.items[0];

	if (codes[best->kind] == 0 || (as != VK_SOURCE_AUTO && best->kind != VK_READING_TEXT))
		return VK_OK;
	vk_error_set(err, VK_USAGE, dump->path, "this is %s", best->what);
	return vk_error_remedy(err, "%s", vk_finding_kind(codes[best->kind])->remedy);
}

static enum vk_status recognise(struct vk_dump *dump, const struct vk_import_options *o, enum vk_source_kind as,
				enum vk_io_form form, struct vk_error *err)
{
	const struct vk_source_options options = {
		.look = VK_LOOK_THROUGH, .as = as, .sector_size = o->sector_size, .view = o->view};
	struct vk_source *source = &dump->source;
	const struct vk_reading *best;
	enum vk_status status = vk_source_open_io(dump->io, dump->path, form, &options, source, err);

	if (status != VK_OK) {
		dump->io = NULL;
		return status;
	}
	best = &source->readings.items[0];
	dump->kind = source->kind;
	dump->offset_bytes = source->origin_bytes;
	dump->held = source->raw;
	dump->length_bytes = vk_io_size_bytes(source->raw);
	if (vk_source_looked_through(source)) {
		dump->files[0].at_bytes += best->at_bytes;
		dump->files[0].stride_bytes = best->stride_bytes;
	}
	if (is_inside(dump))
		cut_behind(dump, o->disk_size_bytes);
	status = vk_source_refuse_container(source, err);
	if (status == VK_OK)
		status = refuse_reading(dump, as, err);
	if (status == VK_OK && as == VK_SOURCE_AUTO &&
	    vk_findings_have(&source->findings, VK_F_SOURCE_UNRECOGNISED, 0)) {
		vk_error_set(err, VK_USAGE, dump->path, "nothing in it shows what it is");
		status = vk_error_remedy(err, "say it with --as, or with --place where on its disk it begins");
	}
	return status;
}

/* What it is and where it lies; all else of dump is there, and its io unfolded. */
static enum vk_status place_dump(struct vk_dump *dump, const struct vk_import_options *o, enum vk_source_kind as,
				 enum vk_io_form form, const uint64_t *place, struct vk_error *err)
{
	const struct vk_io_view *view = &o->view;
	enum vk_status status = vk_io_viewed(&dump->io, view, err);

	if (status != VK_OK) {
		dump->io = NULL;
		return status;
	}
	dump->files[0].at_bytes = view->at_bytes;
	dump->files[0].stride_bytes = view->stride_bytes;
	if (view->mapfile != NULL)
		vk_who_label(dump->files[0].mapfile, sizeof(dump->files[0].mapfile), view->mapfile);
	if (place == NULL)
		return recognise(dump, o, as, form, err);
	dump->held = dump->io;
	dump->length_bytes = vk_io_size_bytes(dump->io);
	dump->kind = VK_SOURCE_DISK;
	dump->offset_bytes = *place;
	dump->placed = true;
	return VK_OK;
}

/* A file as it came. */
static enum vk_status add_file(struct vk_dump *dump, const char *path, uint64_t modified, struct vk_io *io,
			       struct vk_error *err)
{
	struct vk_origin_file file = {.name = ""};
	enum vk_status status;

	vk_import_name(&file, path, NULL, modified);
	status = vk_import_digest(io, 0, vk_io_size_bytes(io), &file, NULL, err);
	if (status == VK_OK && vk_append(&dump->files, &dump->file_count, &file, sizeof(file)) == NULL)
		status = vk_no_memory(err, path);
	/* what is in the capture is at least that old */
	if (modified != 0 && (dump->modified == 0 || modified < dump->modified))
		dump->modified = modified;
	return status;
}

/* All files that it is read from: its own, or its pieces, and the mapfile. */
static enum vk_status add_files(struct vk_dump *dump, const char *path, uint64_t modified, const char *mapfile,
				struct vk_error *err)
{
	const struct vk_io_join *join = vk_io_join(dump->io);
	enum vk_status status = vk_io_refuse_later_piece(dump->io, err);
	struct vk_io *io;

	for (size_t i = 0; join != NULL && i < join->count && status == VK_OK; i++) {
		io = vk_io_parts_base(dump->io, i);
		status = add_file(dump, vk_io_name(io), vk_import_modified(vk_io_name(io)), io, err);
	}
	if (join == NULL)
		status = add_file(dump, path, modified, dump->io, err);
	if (status == VK_OK && dump->files[0].length_bytes == 0)
		return vk_error_set(err, VK_DAMAGED, path, "it is empty");
	if (status != VK_OK || mapfile == NULL)
		return status;
	status = vk_io_path(mapfile, NULL, &io, err);
	if (status == VK_OK) {
		status = add_file(dump, mapfile, vk_import_modified(mapfile), io, err);
		vk_io_close(io);
	}
	return status;
}

enum vk_status vk_dump_open(const char *path, const char *part, struct vk_io *io, uint64_t modified,
			    const struct vk_import_options *o, const uint64_t *place, struct vk_dump *ret_dump,
			    struct vk_error *err)
{
	struct vk_dump dump = {.path = strdup(path), .io = io};
	enum vk_source_kind named = o->as;
	size_t len = 0;
	const char *disk = disk_in_name(path, &len, &named);
	const enum vk_io_form form = vk_io_form_of(io);
	enum vk_status status = VK_OK;
	struct vk_text text = vk_text_in(dump.disk, sizeof(dump.disk));

	if (disk != NULL)
		vk_text_label(&text, (const uint8_t *)disk, len);
	if (dump.path == NULL) {
		status = vk_no_memory(err, path);
	} else if (vk_io_footer_bytes(io) != 0) {
		/* the digest of an import is that of the file as it came, footer and all */
		vk_error_set(err, VK_UNSUPPORTED, path, "this is a %s", vk_io_image_format(io)->name);
		status = vk_error_remedy(err, "vmfskit capture takes it as the disk that it is");
	}
	if (status == VK_OK)
		status = add_files(&dump, path, modified, o->view.mapfile, err);
	if (status == VK_OK && vk_form(form)->unfold != NULL)
		status = vk_form(form)->unfold(io, &dump.io, err);
	/* one name is of one disk */
	if (status == VK_OK && (part != NULL || o->disk != NULL))
		status = vk_io_choose(&dump.io, part, err);
	if (status == VK_OK && (part != NULL || vk_io_has_next(dump.io))) {
		free(dump.path);
		dump.path = strdup(vk_io_name(dump.io));
		if (dump.path == NULL)
			status = vk_no_memory(err, path);
	}
	if (status == VK_OK)
		status = place_dump(&dump, o, o->as != VK_SOURCE_AUTO ? o->as : named, form, place, err);
	if (status == VK_OK)
		*ret_dump = dump;
	else
		vk_dump_close(&dump);
	return status;
}

enum vk_status vk_dump_next(struct vk_dump *before, const struct vk_import_options *o, const uint64_t *place,
			    struct vk_dump *ret_dump, struct vk_error *err)
{
	struct vk_dump dump = {.io = vk_io_take_next(before->io), .modified = before->modified};
	enum vk_status status = VK_OK;

	dump.path = strdup(vk_io_name(dump.io));
	if (dump.path == NULL ||
	    vk_append(&dump.files, &dump.file_count, &before->files[0], sizeof(before->files[0])) == NULL)
		status = vk_no_memory(err, before->path);
	else
		status = place_dump(&dump, o, o->as, VK_FORM_HEXDUMP, place, err);
	if (status == VK_OK)
		*ret_dump = dump;
	else
		vk_dump_close(&dump);
	return status;
}

/* Further LUNs that lie in it: of these nothing is imported. */
static void say_others(const struct vk_dump *dump, const struct vk_finding_sink *sink)
{
	const struct vk_readings *readings = &dump->source.readings;
	struct vk_finding finding;

	for (size_t i = 1; i < readings->count && vk_source_looked_through(&dump->source); i++) {
		const struct vk_reading *r = &readings->items[i];

		if (r->kind != VK_READING_CARRIER || r->weight <= VK_READING_WEIGHT_SAID ||
		    r->at_bytes == readings->items[0].at_bytes)
			continue;
		vk_finding_init(&finding, VK_F_CAPTURE_LUN_INSIDE, r->at_bytes, r->length_bytes,
				"a further LUN in it was not saved, import --at %" PRIu64 " saves it: %s", r->at_bytes,
				r->what);
		vk_finding_put(sink, &finding);
	}
}

void vk_dump_say(const struct vk_dump *dump, const struct vk_finding_sink *sink)
{
	say_others(dump, sink);
	for (size_t i = 0; i < dump->source.findings.count; i++) {
		const struct vk_finding *finding = &dump->source.findings.items[i];

		if (finding->code == VK_F_SOURCE_CARRIER || finding->code == VK_F_SOURCE_STRIDE)
			vk_finding_put(sink, finding);
	}
	vk_io_say_faults(dump->held, sink);
}

void vk_dump_close(struct vk_dump *dump)
{
	if (dump->source.given == NULL)
		vk_io_close(dump->io);
	vk_source_close(&dump->source);
	free(dump->files);
	free(dump->path);
	memset(dump, 0, sizeof(*dump));
}

static enum vk_status add_dump_piece(struct vk_parts *parts, const struct vk_dump *dump, uint64_t offset,
			  struct vk_error *err)
{
	struct vk_io_part piece = {.base = dump->held, .offset_bytes = offset, .length_bytes = dump->length_bytes};
	bool fine;

	if (vk_add_sat(offset, piece.length_bytes) > INT64_MAX) {
		vk_error_set(err, VK_USAGE, dump->path, "it would lie behind the end of any disk");
		return vk_error_remedy(err, "say with --place, in bytes, where on its disk it begins");
	}
	fine = vk_append(&parts->pieces, &parts->count, &piece, sizeof(piece)) != NULL;
	for (size_t i = 0; i < dump->file_count && fine; i++)
		fine = vk_append(&parts->files, &parts->file_count, &dump->files[i], sizeof(dump->files[i])) != NULL;
	return fine ? VK_OK : vk_no_memory(err, dump->path);
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
			     "the partition table lists %zu VMFS partitions: which of them this is, is not known",
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

static const struct vk_gpt_copy *sound_gpt(const struct vk_source *source)
{
	for (int i = 0; i < 2 && source->table.kind == VK_TABLE_GPT; i++)
		if (source->table.gpt[i].sound)
			return &source->table.gpt[i];
	return NULL;
}

/* Whether a holds the place of a header of b, and has another header or none there; shared: it has the same. */
static bool lacks_headers_of(const struct vk_source *a, const struct vk_source *b, bool *shared)
{
	bool lacks = false;

	for (size_t i = 0; i < b->vmfs_count; i++) {
		uint64_t start = vk_mul_sat(b->vmfs[i].start_sector, b->sector_size);
		uint8_t raw[VK_LVM_DEVICE_BYTES];
		struct vk_lvm_device device;

		if (!b->vmfs[i].lvm_usable ||
		    vk_io_read_all(a->io, vk_add_sat(start, VK_LVM_HEADER_OFFSET), raw, sizeof(raw), NULL) != VK_OK)
			continue;
		vk_lvm_device_decode(raw, sizeof(raw), &device);
		if (vk_vmfs_uuid_equal(&device.devID, &b->vmfs[i].lvm.devID))
			*shared = true;
		else
			lacks = true;
	}
	return lacks;
}

static bool has_headers(const struct vk_source *source)
{
	for (size_t i = 0; i < source->vmfs_count; i++)
		if (source->vmfs[i].lvm_usable)
			return true;
	return false;
}

/* Whether they may be of one disk, as far as both show whose they are. */
static bool is_one_disk(const struct vk_source *a, const struct vk_source *b)
{
	const struct vk_gpt_copy *x = sound_gpt(a), *y = sound_gpt(b);
	bool shared = false, lacks;

	if (x != NULL && y != NULL && !vk_guid_equal(&x->header.diskGUID, &y->header.diskGUID))
		return false;
	if (!has_headers(a) || !has_headers(b))
		return true;
	lacks = lacks_headers_of(a, b, &shared);
	lacks = lacks_headers_of(b, a, &shared) || lacks;
	return shared || !lacks;
}

/* Dumps of two disks would make a capture that is of neither. */
static enum vk_status refuse_other_disk(struct vk_dump *const *dumps, size_t index, struct vk_error *err)
{
	const struct vk_dump *dump = dumps[index];

	for (size_t i = 0; i < index && !dump->placed; i++) {
		if (dumps[i]->kind != VK_SOURCE_DISK || dumps[i]->placed ||
		    is_one_disk(&dumps[i]->source, &dump->source))
			continue;
		vk_error_set(err, VK_USAGE, dump->path, "it is of another disk than %s: their identities differ",
			     dumps[i]->path);
		return vk_error_remedy(err, "import them one by one; vmfskit decode shows what each is");
	}
	return VK_OK;
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
		status = refuse_other_disk(dumps, i, err);
		if (status == VK_OK)
			status = add_dump_piece(ret_parts, dumps[i],
						dumps[i]->placed ? dumps[i]->offset_bytes : 0, err);
	}
	if (status == VK_OK && homeless != NULL && *ret_kind == VK_SOURCE_DISK)
		status = find_home(ret_parts, homeless, sector_size, &home, err);
	for (size_t i = 0; i < count && status == VK_OK; i++)
		if (dumps[i]->kind != VK_SOURCE_DISK)
			status = add_dump_piece(ret_parts, dumps[i], place_at(dumps[i], &home), err);
	return status;
}
