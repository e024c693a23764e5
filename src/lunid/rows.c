/* SPDX-License-Identifier: Apache-2.0 */
/* The fields of recorded, live and captured id side by side; and the heartbeats, looked at twice. */
#include <stdio.h>
#include <string.h>

#include "base/checked.h"
#include "vmfskit/lunid.h"
#include "vol/heartbeat_watch.h"

/* One side of the table. */
struct side {
	const struct vk_scsi_disk_id *id;
	bool kind, id_known, model, lun;
	const char *name; /* NULL: made of the id */
};

static void put_kind(const struct vk_scsi_disk_id *id, char *out)
{
	static const char *const kinds[] = {"path", "serial number", "NAA", "SYMM"};

	snprintf(out, VK_SCSI_NAME_BYTES, "%u (%s)", id->type, id->type < 4 ? kinds[id->type] : "not known");
}

/* The text of field number row of one side. */
static void put_field(const struct side *s, unsigned row, char out[VK_SCSI_NAME_BYTES])
{
	struct vk_text text = vk_text_in(out, VK_SCSI_NAME_BYTES);
	const struct vk_scsi_disk_id *id = s->id;
	size_t len = id->len < VK_SCSI_ID_MAX ? id->len : VK_SCSI_ID_MAX;
	bool certain;

	switch (row) {
	case 0:
		if (s->kind)
			put_kind(id, out);
		break;
	case 1:
		if (s->id_known)
			vk_text_fmt(&text, "%u", id->len);
		break;
	case 2:
		if (s->lun)
			vk_text_fmt(&text, "%u", id->lun);
		break;
	case 3:
		if (s->name != NULL)
			vk_text_put(&text, s->name);
		else
			vk_scsi_disk_id_name(id, out, &certain);
		break;
	case 4:
		if (s->model && id->type != VK_SCSI_ID_PATH && len > VK_SCSI_MODEL_TAIL_BYTES)
			vk_text_label(&text, id->id + len - VK_SCSI_MODEL_TAIL_BYTES, VK_SCSI_MODEL_TAIL_BYTES);
		break;
	default:
		if (s->id_known && s->lun && (s->model || id->type == VK_SCSI_ID_PATH))
			vk_scsi_disk_id_vml(id, out);
		break;
	}
}

void vk_lunid_rows(const struct vk_lunid_extent *e, struct vk_lunid_row ret_rows[VK_LUNID_ROWS])
{
	static const char *const fields[VK_LUNID_ROWS] = {"type", "length", "LUN", "name", "model", "vml name"};
	const struct side recorded = {&vk_lunid_vmfs(e)->lvm.diskID, true, true, true, true, NULL};
	const struct side captured = {&e->captured, true, true, true, true, NULL};
	const struct side live = {&e->live.id, e->live.kind_known, e->live.id_known, e->live.model_known,
				  e->live.lun_known, e->live.name};

	memset(ret_rows, 0, VK_LUNID_ROWS * sizeof(ret_rows[0]));
	for (unsigned i = 0; i < VK_LUNID_ROWS; i++) {
		struct vk_lunid_row *row = &ret_rows[i];

		row->field = fields[i];
		put_field(&recorded, i, row->recorded);
		if (e->live_known)
			put_field(&live, i, row->live);
		if (e->captured_known)
			put_field(&captured, i, row->captured);
		row->differs = row->live[0] != '\0' && strcmp(row->live, row->recorded) != 0;
	}
}

/* The regions of one extent; false: it has none that could be watched. */
static bool add_region(struct vk_heartbeat_watch *watch, const struct vk_lunid_extent *e)
{
	const struct vk_vmfs *v = vk_lunid_vmfs(e);
	const struct vk_heartbeats *h = &v->heartbeats;
	uint64_t start = vk_mul_sat(v->start_sector, e->source->sector_size);

	return v->fs_usable &&
	       vk_heartbeat_watch_add(watch, vk_add_sat(start, h->offset_bytes),
				      vk_mul_sat(h->geometry.heartbeat_slots, h->geometry.heartbeat_slot_bytes),
				      h->geometry.heartbeat_slot_bytes);
}

static enum vk_status look_again(struct vk_lunid_extent *e, const struct vk_heartbeat_region *r, struct vk_error *err)
{
	struct vk_text text = vk_text_in(e->who, sizeof(e->who));
	struct vk_heartbeat_change change;
	enum vk_status status = vk_heartbeat_region_ticked(r, e->source->io, &e->alive, &change, err);

	e->watched = status == VK_OK && r->held_bytes == r->length_bytes;
	if (status == VK_OK && e->alive)
		vk_heartbeat_change_text(&change, &text);
	return status;
}

/* A bounded number at a time: the first looks of all of them, one wait, the second looks. */
static enum vk_status listen_to(struct vk_lunid_extent *extents, size_t count, unsigned wait_ms, struct vk_error *err)
{
	enum { AT_ONCE = 16 };
	struct vk_heartbeat_watch watches[AT_ONCE] = {{.count = 0}};
	enum vk_status status = VK_OK;
	bool in_use = false;

	for (size_t i = 0; i < count && status == VK_OK; i++) {
		if (!add_region(&watches[i], &extents[i]))
			continue;
		status = vk_heartbeat_watch_begin(&watches[i], extents[i].source->io, err);
		in_use = in_use || watches[i].items[0].in_use;
		extents[i].watched = !watches[i].items[0].in_use &&
				     watches[i].items[0].held_bytes == watches[i].items[0].length_bytes;
	}
	if (status == VK_OK && in_use && wait_ms > 0) {
		vk_heartbeat_watch_wait(wait_ms);
		for (size_t i = 0; i < count && status == VK_OK; i++)
			if (watches[i].count > 0)
				status = look_again(&extents[i], &watches[i].items[0], err);
	}
	for (size_t i = 0; i < count; i++)
		vk_heartbeat_watch_end(&watches[i]);
	return status;
}

enum vk_status vk_lunid_listen(struct vk_lunid_extent *extents, size_t count, unsigned wait_ms, struct vk_error *err)
{
	enum vk_status status = VK_OK;

	for (size_t i = 0; i < count && status == VK_OK; i += 16)
		status = listen_to(extents + i, count - i < 16 ? count - i : 16, wait_ms, err);
	return status;
}
