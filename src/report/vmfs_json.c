/* SPDX-License-Identifier: Apache-2.0 */
/* A VMFS partition and its structures, for scripts: the contract is docs/json.md. */
#include <stdio.h>
#include <string.h>

#include "base/checked.h"
#include "report/report.h"

static json_t *field_text_json(const struct vk_field *f, const void *in)
{
	char text[1200];
	struct vk_text t = vk_text_in(text, sizeof(text));

	vk_field_text(f, in, &t);
	return json_string(text);
}

static json_t *disk_id_json(const struct vk_scsi_disk_id *id)
{
	char guid[VK_SCSI_NAME_BYTES], name[VK_SCSI_NAME_BYTES], vml[VK_SCSI_NAME_BYTES], label[VK_SCSI_NAME_BYTES];
	bool certain;

	vk_scsi_disk_id_guid(id, guid);
	vk_scsi_disk_id_name(id, name, &certain);
	vk_scsi_disk_id_vml(id, vml);
	vk_scsi_disk_id_label(id, label);
	return VK_JSON_OBJECT(VK_KEY("type", id->type), VK_KEY("len", id->len), VK_KEY("lun", id->lun),
			      VK_KEY("deviceType", id->deviceType), VK_KEY("scsiLevel", id->scsiLevel),
			      VK_KEY("vendor", vk_json_label(id->vendor, sizeof(id->vendor))),
			      VK_KEY("model", vk_json_label(id->model, sizeof(id->model))),
			      VK_KEY("revision", vk_json_label(id->revision, sizeof(id->revision))),
			      VK_KEY("id", guid),
			      VK_KEY("id_hex", vk_json_hex(id->id, vk_min_u64(id->len, sizeof(id->id)))),
			      VK_KEY("name", name), VK_KEY("name_certain", certain), VK_KEY("vml", vml),
			      VK_KEY("target_label", label));
}

/* "initTimeUS" holds a number; its text goes under "initTime". */
static void set_time(struct vk_json *o, const struct vk_field *f, const void *in)
{
	uint64_t value = vk_field_number(f, in);
	char key[64], text[64];
	struct vk_text t = vk_text_in(text, sizeof(text));
	size_t len = strlen(f->name);

	snprintf(key, sizeof(key), "%s", f->name);
	if (len > 2 && strcmp(f->name + len - 2, "US") == 0) {
		vk_json_set_number(o, f->name, value);
		key[len - 2] = '\0';
	}
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

	switch (f->view) {
	case VK_VIEW_TIME_S:
	case VK_VIEW_TIME_US:
		set_time(o, f, in);
		break;
	case VK_VIEW_HEX:
	case VK_VIEW_FS_MAGIC:
	case VK_VIEW_HB_STATE:
	case VK_VIEW_LOCK_TYPE:
		snprintf(text, sizeof(text), "0x%0*llx", (int)f->size * 2, (unsigned long long)value);
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

		if (!vk_field_told(f, in, seen_bytes))
			continue;
		set_field(o, f, in);
		if (f->evidence == VK_EV_U)
			vk_json_set_text(&doubts, f->name, f->note);
	}
	vk_json_set(o, "uncertain", vk_json_end(&doubts));
}

static json_t *lvm_json(const struct vk_vmfs *v)
{
	struct vk_json o = vk_json_begin();
	json_t *volumes = json_array();

	set_fields(&o, &vk_lvm_device_layout, &v->lvm, v->lvm_seen_bytes);
	for (size_t i = 0; i < v->volume_count; i++) {
		struct vk_json volume = vk_json_begin();

		set_fields(&volume, &vk_lvm_volume_layout, &v->volumes[i].volume, v->volumes[i].seen_bytes);
		vk_json_append(volumes, vk_json_end(&volume), &o);
	}
	VK_JSON_SET(&o, VK_KEY("volumes", volumes),
		    VK_KEY("physical_extents", VK_JSON_OBJECT(VK_KEY("in_use", v->pes.entries_used),
								 VK_KEY("bitmap_ones", v->pes.bitmap_ones),
								 VK_KEY("contradicting", v->pes.contradicting),
								 VK_KEY("stretches", v->run_count))));
	return vk_json_end(&o);
}

static json_t *fs_json(const struct vk_vmfs *v)
{
	struct vk_json o = vk_json_begin();
	char version[40];

	set_fields(&o, &vk_fs_descriptor_layout, &v->fs, v->fs_seen_bytes);
	if (vk_field_told(vk_layout_field(&vk_fs_descriptor_layout, "fsLabel"), &v->fs, v->fs_seen_bytes))
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
	bool owned = !vk_vmfs_uuid_is_nil(&s->hb.owner);
	char mac[VK_MAC_TEXT_BYTES], driver[32];

	VK_JSON_SET(&o, VK_KEY("slot", s->slot), VK_KEY("volume_offset", s->volume_offset));
	vk_vmfs_uuid_decode(&s->hb.owner, &host);
	vk_mac_format(host.macAddr, mac);
	if (owned)
		VK_JSON_SET(&o, VK_KEY("owner", vk_vmfs_uuid_text(&s->hb.owner).text), VK_KEY("mac", mac));
	if (owned || s->hb.ip[0] != 0)
		vk_json_set(&o, "ip", vk_json_label(s->hb.ip, sizeof(s->hb.ip)));
	snprintf(driver, sizeof(driver), "%u.%u", s->hb.driveX, s->hb.driveY);
	VK_JSON_SET(&o, VK_KEY("generation", s->hb.hbGen), VK_KEY("uptime_us", s->hb.stamp),
		    VK_KEY("driver", driver));
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
	VK_JSON_SET(&o, VK_KEY("slots", h->geometry.heartbeat_slots), VK_KEY("slots_seen", h->slots_seen),
		    VK_KEY("slot_bytes", h->geometry.heartbeat_slot_bytes),
		    VK_KEY("in_use_count", h->in_use_count), VK_KEY("in_use", in_use),
		    VK_KEY("free_with_history", h->history_count), VK_KEY("history", history),
		    VK_KEY("damaged", h->damaged_count));
	return vk_json_end(&o);
}

/* These keys are always there; null says that the source does not tell. */
static json_t *number_or_null(bool known, uint64_t value)
{
	return known && value <= INT64_MAX ? vk_json_number(value) : json_null();
}

json_t *vk_report_vmfs_json(const struct vk_source *s, const struct vk_vmfs *v)
{
	bool disk = s->kind == VK_SOURCE_DISK, certain;
	bool lvm = !v->volume_only && vk_report_lvm_readable(v);
	bool fs = v->fs_expected && vk_report_fs_readable(v);
	char name[VK_SCSI_NAME_BYTES];

	vk_vmfs_lun_name(v, name, &certain);
	return VK_JSON_OBJECT(
		VK_KEY("partition", number_or_null(disk && v->partition != 0, v->partition)),
		VK_KEY("start_sector", number_or_null(disk, v->start_sector)),
		VK_KEY("sectors", number_or_null(disk && v->sectors != 0, v->sectors)),
		VK_KEY("lun_name", lvm ? name : NULL), VK_KEY("lun_name_certain", (bool)(lvm && certain)),
		VK_KEY("lvm", lvm ? lvm_json(v) : json_null()), VK_KEY("fs", fs ? fs_json(v) : json_null()),
		VK_KEY("heartbeats", v->fs_expected ? heartbeats_json(&v->heartbeats) : json_null()));
}
