/* SPDX-License-Identifier: Apache-2.0 */
/* A VMFS partition and its structures, for scripts: the contract is docs/json.md. */
#include <string.h>

#include "base/checked.h"
#include "report/json_object.h"

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
	struct json_object o = object();
	char name[VK_SCSI_NAME_BYTES];
	bool certain;

	set_number(&o, "type", id->type);
	set_number(&o, "len", id->len);
	set_number(&o, "lun", id->lun);
	set_number(&o, "deviceType", id->deviceType);
	set_number(&o, "scsiLevel", id->scsiLevel);
	set(&o, "vendor", label_json(id->vendor, sizeof(id->vendor)));
	set(&o, "model", label_json(id->model, sizeof(id->model)));
	set(&o, "revision", label_json(id->revision, sizeof(id->revision)));
	vk_scsi_disk_id_guid(id, name);
	set(&o, "id", json_string(name));
	set(&o, "id_hex", hex_json(id->id, id->len < sizeof(id->id) ? id->len : sizeof(id->id)));
	vk_scsi_disk_id_name(id, name, &certain);
	set(&o, "name", json_string(name));
	set(&o, "name_certain", json_boolean(certain));
	vk_scsi_disk_id_vml(id, name);
	set(&o, "vml", json_string(name));
	vk_scsi_disk_id_label(id, name);
	set(&o, "target_label", json_string(name));
	return finish(&o);
}

/* "initTimeUS" holds a number; its text goes under "initTime". */
static void set_time(struct json_object *o, const struct vk_field *f, const void *in)
{
	uint64_t value = vk_field_number(f, in);
	char key[64];
	char text[64];
	struct vk_text t;
	size_t len = strlen(f->name);

	vk_text_init(&t, key, sizeof(key));
	vk_text_put(&t, f->name);
	if (len > 2 && strcmp(f->name + len - 2, "US") == 0) {
		set_number(o, f->name, value);
		key[len - 2] = '\0';
	}
	vk_text_init(&t, text, sizeof(text));
	if (f->view == VK_VIEW_TIME_S)
		vk_text_time_s(&t, value);
	else
		vk_text_time_us(&t, value);
	set(o, key, value == 0 ? json_null() : json_string(text));
}

static void set_number_field(struct json_object *o, const struct vk_field *f, const void *in)
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
		set(o, f->name, json_string(text));
		break;
	case VK_VIEW_VOL_STATE:
		if (name != NULL)
			set(o, f->name, json_string(name));
		else
			set(o, f->name, field_text_json(f, in));
		break;
	default:
		set_number(o, f->name, value);
		break;
	}
}

static void set_field(struct json_object *o, const struct vk_field *f, const void *in)
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
		set(o, f->name, label_json(bytes, f->size));
		break;
	case VK_KIND_BYTES:
		if (f->view == VK_VIEW_RAW)
			set(o, f->name, hex_json(bytes, f->size));
		else if (f->view != VK_VIEW_RESERVED)
			set(o, f->name, field_text_json(f, in));
		break;
	case VK_KIND_UUID:
		memcpy(&uuid, bytes, sizeof(uuid));
		set(o, f->name, vk_vmfs_uuid_is_nil(&uuid) ? json_null() : field_text_json(f, in));
		break;
	case VK_KIND_GUID:
		set(o, f->name, field_text_json(f, in));
		break;
	case VK_KIND_DISKID:
		set(o, f->name, disk_id_json((const struct vk_scsi_disk_id *)(const void *)bytes));
		break;
	}
}

static void set_fields(struct json_object *o, const struct vk_layout *layout, const void *in,
		       size_t seen_bytes)
{
	struct json_object doubts = object();

	for (size_t i = 0; i < layout->count; i++) {
		const struct vk_field *f = &layout->fields[i];

		if (!vk_field_held(f, seen_bytes))
			continue;
		set_field(o, f, in);
		if (f->evidence == VK_EV_U)
			set(&doubts, f->name, json_string(f->note));
	}
	set(o, "uncertain", finish(&doubts));
}

json_t *vk_report_layout_json(const struct vk_layout *layout, const void *in, size_t seen_bytes)
{
	struct json_object o = object();

	set_fields(&o, layout, in, seen_bytes);
	return finish(&o);
}

static json_t *lvm_json(const struct vk_vmfs *v)
{
	struct json_object o = object();
	struct json_object pes = object();
	json_t *volumes = json_array();

	set_fields(&o, &vk_lvm_device_layout, &v->lvm, v->lvm_seen_bytes);
	for (size_t i = 0; i < v->volume_count; i++)
		append(volumes, vk_report_layout_json(&vk_lvm_volume_layout, &v->volumes[i].volume,
						      v->volumes[i].seen_bytes), &o);
	set(&o, "volumes", volumes);
	set_number(&pes, "in_use", v->pes.entries_used);
	set_number(&pes, "bitmap_ones", v->pes.bitmap_ones);
	set_number(&pes, "contradicting", v->pes.contradicting);
	set_number(&pes, "stretches", v->run_count);
	set(&o, "physical_extents", finish(&pes));
	return finish(&o);
}

static json_t *fs_json(const struct vk_vmfs *v)
{
	struct json_object o = object();
	char version[40];

	set_fields(&o, &vk_fs_descriptor_layout, &v->fs, v->fs_seen_bytes);
	if (vk_field_held(vk_layout_field(&vk_fs_descriptor_layout, "fsLabel"), v->fs_seen_bytes))
		set(&o, "label", label_json(v->fs.fsLabel, sizeof(v->fs.fsLabel)));
	vk_fs_version_name(&v->fs, version);
	if (v->fs_seen_bytes > 8)
		set(&o, "version", json_string(version));
	return finish(&o);
}

static json_t *slot_json(const struct vk_heartbeat_slot *s)
{
	struct json_object o = object();
	struct vk_vmfs_uuid_parts host;
	char text[64];
	struct vk_text t;

	set_number(&o, "slot", s->slot);
	set_number(&o, "volume_offset", s->volume_offset);
	vk_vmfs_uuid_format(&s->hb.owner, text);
	vk_vmfs_uuid_decode(&s->hb.owner, &host);
	if (!vk_vmfs_uuid_is_nil(&s->hb.owner)) {
		set(&o, "owner", json_string(text));
		vk_mac_format(host.macAddr, text);
		set(&o, "mac", json_string(text));
	}
	if (!vk_vmfs_uuid_is_nil(&s->hb.owner) || s->hb.ip[0] != 0)
		set(&o, "ip", label_json(s->hb.ip, sizeof(s->hb.ip)));
	set_number(&o, "generation", s->hb.hbGen);
	set_number(&o, "uptime_us", s->hb.stamp);
	vk_text_init(&t, text, sizeof(text));
	vk_text_fmt(&t, "%u.%u", s->hb.driveX, s->hb.driveY);
	set(&o, "driver", json_string(text));
	return finish(&o);
}

static json_t *heartbeats_json(const struct vk_heartbeats *h)
{
	struct json_object o = object();
	json_t *in_use = json_array();
	json_t *history = json_array();

	for (uint32_t i = 0; i < h->in_use_count && i < VK_HEARTBEATS_KEPT; i++)
		append(in_use, slot_json(&h->in_use[i]), &o);
	for (uint32_t i = 0; i < h->history_count && i < VK_HEARTBEATS_KEPT; i++)
		append(history, slot_json(&h->history[i]), &o);
	set_number(&o, "slots", h->geometry.heartbeat_slots);
	set_number(&o, "slots_seen", h->slots_seen);
	set_number(&o, "slot_bytes", h->geometry.heartbeat_slot_bytes);
	set_number(&o, "in_use_count", h->in_use_count);
	set(&o, "in_use", in_use);
	set_number(&o, "free_with_history", h->history_count);
	set(&o, "history", history);
	set_number(&o, "damaged", h->damaged_count);
	return finish(&o);
}

/* These keys are always there; null says that the source does not tell. */
static json_t *number_or_null(bool known, uint64_t value)
{
	return known && value <= INT64_MAX ? json_integer((json_int_t)value) : json_null();
}

json_t *vk_report_vmfs_json(const struct vk_source *s, const struct vk_vmfs *v)
{
	struct json_object o = object();
	bool disk = s->kind == VK_SOURCE_DISK;
	bool lvm = !v->volume_only && vk_report_lvm_readable(v);
	bool fs = v->fs_expected && vk_report_fs_readable(v);
	char name[VK_SCSI_NAME_BYTES];
	bool certain;

	set(&o, "partition", number_or_null(disk && v->partition != 0, v->partition));
	set(&o, "start_sector", number_or_null(disk, v->start_sector));
	set(&o, "sectors", number_or_null(disk && v->sectors != 0, v->sectors));
	vk_vmfs_lun_name(v, name, &certain);
	set(&o, "lun_name", lvm ? json_string(name) : json_null());
	set(&o, "lun_name_certain", json_boolean(lvm && certain));
	set(&o, "lvm", lvm ? lvm_json(v) : json_null());
	set(&o, "fs", fs ? fs_json(v) : json_null());
	set(&o, "heartbeats", v->fs_expected ? heartbeats_json(&v->heartbeats) : json_null());
	return finish(&o);
}
