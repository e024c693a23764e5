/* SPDX-License-Identifier: Apache-2.0 */
/* A VMFS partition and its structures, for scripts: the contract is docs/json.md. */
#include <string.h>

#include "base/checked.h"
#include "report/report.h"

static json_t *field_text_json(const struct vk_field *f, const void *in)
{
	char text[1200];
	struct vk_text t;

	vk_text_init(&t, text, sizeof(text));
	vk_field_text(f, in, &t);
	return json_string(text);
}

static json_t *disk_id_json(const struct vk_scsi_disk_id *id)
{
	struct vk_json o = vk_json_begin();
	char name[VK_SCSI_NAME_BYTES];
	bool certain;

	vk_json_set_number(&o, "type", id->type);
	vk_json_set_number(&o, "len", id->len);
	vk_json_set_number(&o, "lun", id->lun);
	vk_json_set_number(&o, "deviceType", id->deviceType);
	vk_json_set_number(&o, "scsiLevel", id->scsiLevel);
	vk_json_set(&o, "vendor", vk_json_label(id->vendor, sizeof(id->vendor)));
	vk_json_set(&o, "model", vk_json_label(id->model, sizeof(id->model)));
	vk_json_set(&o, "revision", vk_json_label(id->revision, sizeof(id->revision)));
	vk_scsi_disk_id_guid(id, name);
	vk_json_set_text(&o, "id", name);
	vk_json_set(&o, "id_hex", vk_json_hex(id->id, id->len < sizeof(id->id) ? id->len : sizeof(id->id)));
	vk_scsi_disk_id_name(id, name, &certain);
	vk_json_set_text(&o, "name", name);
	vk_json_set_bool(&o, "name_certain", certain);
	vk_scsi_disk_id_vml(id, name);
	vk_json_set_text(&o, "vml", name);
	vk_scsi_disk_id_label(id, name);
	vk_json_set_text(&o, "target_label", name);
	return vk_json_end(&o);
}

/* "initTimeUS" holds a number; its text goes under "initTime". */
static void set_time(struct vk_json *o, const struct vk_field *f, const void *in)
{
	uint64_t value = vk_field_number(f, in);
	char key[64];
	char text[64];
	struct vk_text t;
	size_t len = strlen(f->name);

	vk_text_init(&t, key, sizeof(key));
	vk_text_put(&t, f->name);
	if (len > 2 && strcmp(f->name + len - 2, "US") == 0) {
		vk_json_set_number(o, f->name, value);
		key[len - 2] = '\0';
	}
	vk_text_init(&t, text, sizeof(text));
	if (f->view == VK_VIEW_TIME_S)
		vk_text_time_s(&t, value);
	else
		vk_text_time_us(&t, value);
	vk_json_set_text(o, key, value == 0 ? NULL : text);
}

static void set_number_field(struct vk_json *o, const struct vk_field *f, const void *in)
{
	uint64_t value = vk_field_number(f, in);
	const char *name = vk_view_name(f->view, value);
	char text[32];
	struct vk_text t;

	switch (f->view) {
	case VK_VIEW_TIME_S:
	case VK_VIEW_TIME_US:
		set_time(o, f, in);
		break;
	case VK_VIEW_HEX:
	case VK_VIEW_FS_MAGIC:
	case VK_VIEW_HB_STATE:
	case VK_VIEW_LOCK_TYPE:
		vk_text_init(&t, text, sizeof(text));
		vk_text_fmt(&t, "0x%0*llx", (int)f->size * 2, (unsigned long long)value);
		vk_json_set_text(o, f->name, text);
		break;
	case VK_VIEW_VOL_STATE:
		vk_json_set(o, f->name, name != NULL ? vk_json_text(name) : field_text_json(f, in));
		break;
	default:
		vk_json_set_number(o, f->name, value);
		break;
	}
}

static void set_field(struct vk_json *o, const struct vk_field *f, const void *in)
{
	const uint8_t *bytes = vk_field_bytes(f, in);
	struct vk_vmfs_uuid uuid;

	switch (f->kind) {
	case VK_KIND_U8:
	case VK_KIND_U16:
	case VK_KIND_U32:
	case VK_KIND_U64:
		set_number_field(o, f, in);
		break;
	case VK_KIND_TEXT:
		vk_json_set(o, f->name, vk_json_label(bytes, f->size));
		break;
	case VK_KIND_BYTES:
		if (f->view == VK_VIEW_RAW)
			vk_json_set(o, f->name, vk_json_hex(bytes, f->size));
		else if (f->view != VK_VIEW_RESERVED)
			vk_json_set(o, f->name, field_text_json(f, in));
		break;
	case VK_KIND_UUID:
		memcpy(&uuid, bytes, sizeof(uuid));
		vk_json_set(o, f->name, vk_vmfs_uuid_is_nil(&uuid) ? json_null() : field_text_json(f, in));
		break;
	case VK_KIND_GUID:
		vk_json_set(o, f->name, field_text_json(f, in));
		break;
	case VK_KIND_DISKID:
		vk_json_set(o, f->name, disk_id_json((const struct vk_scsi_disk_id *)(const void *)bytes));
		break;
	}
}

static void set_fields(struct vk_json *o, const struct vk_layout *layout, const void *in,
		       size_t seen_bytes)
{
	struct vk_json doubts = vk_json_begin();

	for (size_t i = 0; i < layout->count; i++) {
		const struct vk_field *f = &layout->fields[i];

		if (!vk_field_held(f, seen_bytes))
			continue;
		set_field(o, f, in);
		if (f->evidence == VK_EV_U)
			vk_json_set_text(&doubts, f->name, f->note);
	}
	vk_json_set(o, "uncertain", vk_json_end(&doubts));
}

static json_t *layout_json(const struct vk_layout *layout, const void *in, size_t seen_bytes)
{
	struct vk_json o = vk_json_begin();

	set_fields(&o, layout, in, seen_bytes);
	return vk_json_end(&o);
}

static json_t *lvm_json(const struct vk_vmfs *v)
{
	struct vk_json o = vk_json_begin();
	struct vk_json pes = vk_json_begin();
	json_t *volumes = json_array();

	set_fields(&o, &vk_lvm_device_layout, &v->lvm, v->lvm_seen_bytes);
	for (size_t i = 0; i < v->volume_count; i++)
		vk_json_append(volumes, layout_json(&vk_lvm_volume_layout, &v->volumes[i].volume,
						      v->volumes[i].seen_bytes), &o);
	vk_json_set(&o, "volumes", volumes);
	vk_json_set_number(&pes, "in_use", v->pes.entries_used);
	vk_json_set_number(&pes, "bitmap_ones", v->pes.bitmap_ones);
	vk_json_set_number(&pes, "contradicting", v->pes.contradicting);
	vk_json_set_number(&pes, "stretches", v->run_count);
	vk_json_set(&o, "physical_extents", vk_json_end(&pes));
	return vk_json_end(&o);
}

static json_t *fs_json(const struct vk_vmfs *v)
{
	struct vk_json o = vk_json_begin();
	char version[40];

	set_fields(&o, &vk_fs_descriptor_layout, &v->fs, v->fs_seen_bytes);
	if (vk_field_held(vk_layout_field(&vk_fs_descriptor_layout, "fsLabel"), v->fs_seen_bytes))
		vk_json_set(&o, "label", vk_json_label(v->fs.fsLabel, sizeof(v->fs.fsLabel)));
	vk_fs_version_name(&v->fs, version);
	if (v->fs_seen_bytes > 8)
		vk_json_set_text(&o, "version", version);
	return vk_json_end(&o);
}

static json_t *slot_json(const struct vk_heartbeat_slot *s)
{
	struct vk_json o = vk_json_begin();
	struct vk_vmfs_uuid_parts host;
	char text[64];
	struct vk_text t;

	vk_json_set_number(&o, "slot", s->slot);
	vk_json_set_number(&o, "volume_offset", s->volume_offset);
	vk_vmfs_uuid_format(&s->hb.owner, text);
	vk_vmfs_uuid_decode(&s->hb.owner, &host);
	if (!vk_vmfs_uuid_is_nil(&s->hb.owner)) {
		vk_json_set_text(&o, "owner", text);
		vk_mac_format(host.macAddr, text);
		vk_json_set_text(&o, "mac", text);
	}
	if (!vk_vmfs_uuid_is_nil(&s->hb.owner) || s->hb.ip[0] != 0)
		vk_json_set(&o, "ip", vk_json_label(s->hb.ip, sizeof(s->hb.ip)));
	vk_json_set_number(&o, "generation", s->hb.hbGen);
	vk_json_set_number(&o, "uptime_us", s->hb.stamp);
	vk_text_init(&t, text, sizeof(text));
	vk_text_fmt(&t, "%u.%u", s->hb.driveX, s->hb.driveY);
	vk_json_set_text(&o, "driver", text);
	return vk_json_end(&o);
}

static json_t *heartbeats_json(const struct vk_heartbeats *h)
{
	struct vk_json o = vk_json_begin();
	json_t *in_use = json_array();
	json_t *history = json_array();

	for (uint32_t i = 0; i < h->in_use_count && i < VK_HEARTBEATS_KEPT; i++)
		vk_json_append(in_use, slot_json(&h->in_use[i]), &o);
	for (uint32_t i = 0; i < h->history_count && i < VK_HEARTBEATS_KEPT; i++)
		vk_json_append(history, slot_json(&h->history[i]), &o);
	vk_json_set_number(&o, "slots", h->geometry.heartbeat_slots);
	vk_json_set_number(&o, "slots_seen", h->slots_seen);
	vk_json_set_number(&o, "slot_bytes", h->geometry.heartbeat_slot_bytes);
	vk_json_set_number(&o, "in_use_count", h->in_use_count);
	vk_json_set(&o, "in_use", in_use);
	vk_json_set_number(&o, "free_with_history", h->history_count);
	vk_json_set(&o, "history", history);
	vk_json_set_number(&o, "damaged", h->damaged_count);
	return vk_json_end(&o);
}

/* These keys are always there; null says that the source does not tell. */
static json_t *number_or_null(bool known, uint64_t value)
{
	return known && value <= INT64_MAX ? json_integer((json_int_t)value) : json_null();
}

json_t *vk_report_vmfs_json(const struct vk_source *s, const struct vk_vmfs *v)
{
	struct vk_json o = vk_json_begin();
	bool disk = s->kind == VK_SOURCE_DISK;
	bool lvm = !v->volume_only && vk_report_lvm_readable(v);
	bool fs = v->fs_expected && vk_report_fs_readable(v);
	char name[VK_SCSI_NAME_BYTES];
	bool certain;

	vk_json_set(&o, "partition", number_or_null(disk && v->partition != 0, v->partition));
	vk_json_set(&o, "start_sector", number_or_null(disk, v->start_sector));
	vk_json_set(&o, "sectors", number_or_null(disk && v->sectors != 0, v->sectors));
	vk_vmfs_lun_name(v, name, &certain);
	vk_json_set_text(&o, "lun_name", lvm ? name : NULL);
	vk_json_set_bool(&o, "lun_name_certain", lvm && certain);
	vk_json_set(&o, "lvm", lvm ? lvm_json(v) : json_null());
	vk_json_set(&o, "fs", fs ? fs_json(v) : json_null());
	vk_json_set(&o, "heartbeats", v->fs_expected ? heartbeats_json(&v->heartbeats) : json_null());
	return vk_json_end(&o);
}
