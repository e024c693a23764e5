/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Everything behind `decode`: a source is recognised, its tables and volumes read, volumes assembled and read through.
 * First byte: bits 0 to 2 what it is to be read as (0, and 5 to 7: found out), bit 3 sectors of 4096 bytes, bit 4 the
 * size of the sectors is found out. Then pieces.
 */
#include "fuzz_pieces.h"
#include "vmfskit/source.h"

/* Every field of a decoded structure can be shown. */
static void show(const struct vk_layout *layout, const void *in)
{
	char buf[700];

	for (size_t i = 0; i < layout->count; i++) {
		struct vk_text text;

		vk_text_init(&text, buf, sizeof(buf));
		vk_field_text(&layout->fields[i], in, &text);
		fuzz_text(buf, sizeof(buf));
	}
}

static void look_at_places(const struct vk_vmfs *v)
{
	for (size_t i = 0; i < v->place_count; i++) {
		const struct vk_place *p = &v->places[i];

		fuzz_text(p->name, sizeof(p->name));
		FUZZ_ASSERT(p->length_bytes > 0 && p->held_bytes <= p->length_bytes);
		FUZZ_ASSERT((p->presence == VK_PRESENCE_WHOLE) == (p->held_bytes == p->length_bytes));
		FUZZ_ASSERT(p->presence != VK_PRESENCE_ABSENT || p->held_bytes == 0);
		FUZZ_ASSERT(vk_presence_name(p->presence) != NULL && vk_part_name(p->part) != NULL);
	}
}

static void look_at_runs(const struct vk_vmfs *v)
{
	for (size_t i = 0; i < v->run_count; i++) {
		const struct vk_run *run = &v->runs[i];
		uint64_t device;
		uint64_t length;

		FUZZ_ASSERT(i == 0 || v->runs[i - 1].volume_offset <= run->volume_offset);
		if (run->length_bytes == 0)
			continue;
		FUZZ_ASSERT(vk_vmfs_map(v, run->volume_offset, &device, &length) && length > 0);
	}
}

static void look_at_heartbeats(const struct vk_heartbeats *h)
{
	FUZZ_ASSERT(h->slots_seen <= h->geometry.heartbeat_slots);
	FUZZ_ASSERT(h->in_use_count + h->history_count <= h->slots_seen);
	FUZZ_ASSERT(h->damaged_count <= h->slots_seen);
	for (uint32_t i = 0; i < h->in_use_count && i < VK_HEARTBEATS_KEPT; i++)
		show(&vk_heartbeat_layout, &h->in_use[i].hb);
	for (uint32_t i = 0; i < h->history_count && i < VK_HEARTBEATS_KEPT; i++)
		show(&vk_heartbeat_layout, &h->history[i].hb);
}

static void look_at_vmfs(const struct vk_vmfs *v)
{
	show(&vk_lvm_device_layout, &v->lvm);
	show(&vk_fs_descriptor_layout, &v->fs);
	for (size_t i = 0; i < v->volume_count; i++)
		show(&vk_lvm_volume_layout, &v->volumes[i].volume);
	for (size_t i = 0; i < v->sd_count; i++)
		show(&vk_lvm_sd_layout, &v->sd_names[i]);
	FUZZ_ASSERT(v->sd_count <= VK_LVM_SD_ENTRIES && v->ext_count <= 64);
	FUZZ_ASSERT(v->pes.tables_held <= v->pes.tables);
	look_at_places(v);
	look_at_runs(v);
	look_at_heartbeats(&v->heartbeats);
}

static void assemble(const struct vk_source *source)
{
	struct fuzz_count count;
	const struct vk_finding_sink sink = fuzz_sink(&count);
	struct vk_volume *volumes;
	size_t volume_count;
	struct vk_error err = {0};

	FUZZ_ASSERT(vk_volumes_assemble(source, 1, &sink, &volumes, &volume_count, &err) == VK_OK);
	FUZZ_ASSERT(volume_count <= source->vmfs_count);
	for (size_t i = 0; i < volume_count; i++)
		FUZZ_ASSERT(volumes[i].extent_count > 0);
	vk_volumes_free(volumes, volume_count);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input in = {data, size};
	unsigned options = (unsigned)fuzz_take(&in, 1);
	uint32_t sector_size = options & 8 ? 4096 : 512;
	struct vk_source_options how = {.look = VK_LOOK_NOT, .sector_size = options & 16 ? 0 : sector_size};
	struct vk_io *io = fuzz_pieces(&in, sector_size);
	struct vk_source source;
	struct fuzz_count count = {0};
	struct vk_error err = {0};
	enum vk_status status;
	bool empty;

	if (io == NULL)
		return 0;
	if ((options & 7) <= VK_SOURCE_HEADER)
		how.as = (enum vk_source_kind)(options & 7);
	empty = vk_io_size_bytes(io) == 0;
	status = vk_source_open_io(io, "fuzz", VK_FORM_RAW, &how, &source, &err);
	if (status != VK_OK) {
		FUZZ_ASSERT(empty ? status == VK_IO : status == VK_USAGE && how.as == VK_SOURCE_AUTO);
		FUZZ_ASSERT(err.status == status);
		fuzz_text(err.what, sizeof(err.what));
		fuzz_text(err.remedy, sizeof(err.remedy));
		return 0;
	}
	FUZZ_ASSERT(how.as == VK_SOURCE_AUTO || source.kind == how.as);
	FUZZ_ASSERT(vk_source_kind_name(source.kind) != NULL);
	for (size_t i = 0; i < source.findings.count; i++)
		fuzz_put(&count, &source.findings.items[i]);
	for (size_t i = 0; i < source.vmfs_count; i++)
		look_at_vmfs(&source.vmfs[i]);
	assemble(&source);
	vk_source_close(&source);
	return 0;
}
