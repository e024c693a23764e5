/* SPDX-License-Identifier: Apache-2.0 */
/* What is in a source, for scripts: the contract is docs/json.md. */
#include <string.h>

#include "base/checked.h"
#include "report/report.h"

/*
 * Members are set through these, which take the value over also when they fail: an object that could not be
 * completed is noticed once, in the end.
 */
struct json_object {
	json_t *o;
	bool failed;
};

static struct json_object object(void)
{
	struct json_object object = {json_object(), false};

	object.failed = object.o == NULL;
	return object;
}

static void set(struct json_object *object, const char *key, json_t *value)
{
	if (json_object_set_new(object->o, key, value) != 0)
		object->failed = true;
}

static void set_number(struct json_object *object, const char *key, uint64_t value)
{
	/* JSON integers of the library are signed; numbers beyond are damaged fields, kept as text */
	if (value <= INT64_MAX) {
		set(object, key, json_integer((json_int_t)value));
	} else {
		char text[32];
		struct vk_text t;

		vk_text_init(&t, text, sizeof(text));
		vk_text_fmt(&t, "%llu", (unsigned long long)value);
		set(object, key, json_string(text));
	}
}

static json_t *finish(struct json_object *object)
{
	if (!object->failed)
		return object->o;
	json_decref(object->o);
	return NULL;
}

static void append(json_t *array, json_t *value, struct json_object *owner)
{
	if (json_array_append_new(array, value) != 0)
		owner->failed = true;
}

static json_t *label_json(const uint8_t *bytes, size_t len)
{
	char text[1200];
	struct vk_text t;

	while (len > 0 && (bytes[len - 1] == ' ' || bytes[len - 1] == 0))
		len--;
	vk_text_init(&t, text, sizeof(text));
	vk_text_label(&t, bytes, len);
	return json_string(text);
}

static json_t *hex_json(const uint8_t *bytes, size_t len)
{
	char text[1200];
	struct vk_text t;

	vk_text_init(&t, text, sizeof(text));
	vk_text_hex(&t, bytes, len);
	return json_string(text);
}

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
		set(&o, "ip", label_json(s->hb.ip, sizeof(s->hb.ip)));
	}
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

static json_t *vmfs_json(const struct vk_source *s, const struct vk_vmfs *v)
{
	struct json_object o = object();
	bool disk = s->kind == VK_SOURCE_DISK;
	bool lvm = !v->volume_only && vk_report_lvm_readable(v);
	bool fs = v->fs_expected && vk_report_fs_readable(v);

	set(&o, "partition", number_or_null(disk && v->partition != 0, v->partition));
	set(&o, "start_sector", number_or_null(disk, v->start_sector));
	set(&o, "sectors", number_or_null(disk && v->sectors != 0, v->sectors));
	set(&o, "lvm", lvm ? lvm_json(v) : json_null());
	set(&o, "fs", fs ? fs_json(v) : json_null());
	set(&o, "heartbeats", v->fs_expected ? heartbeats_json(&v->heartbeats) : json_null());
	return finish(&o);
}

static json_t *table_json(const struct vk_table *t)
{
	struct json_object o = object();
	json_t *partitions = json_array();

	set(&o, "kind", json_string(vk_table_kind_name(t->kind)));
	if (t->kind == VK_TABLE_GPT && t->gpt_chosen >= 0)
		set(&o, "read_from", json_string(t->gpt_chosen == 0 ? "primary" : "backup"));
	for (size_t i = 0; i < t->partition_count; i++) {
		const struct vk_partition *p = &t->partitions[i];
		struct json_object e = object();
		char type[VK_GUID_TEXT_BYTES];
		const char *name;

		vk_partition_type(p, type, &name);
		set_number(&e, "number", p->number);
		set_number(&e, "start_sector", p->start_sector);
		set_number(&e, "sectors", p->sectors);
		set(&e, "type", json_string(type));
		set(&e, "type_name", json_string(name));
		if (p->logical)
			set(&e, "logical", json_true());
		if (p->gpt) {
			vk_guid_format(&p->entry.uniqueGUID, type);
			set(&e, "guid", json_string(type));
		}
		append(partitions, finish(&e), &o);
	}
	set(&o, "partitions", partitions);
	return finish(&o);
}

static json_t *place_json(const struct vk_place *p, uint64_t base)
{
	struct json_object o = object();

	set(&o, "name", json_string(p->name));
	set(&o, "state", json_string(vk_presence_name(p->presence)));
	set(&o, "damaged", json_boolean(p->damaged));
	set_number(&o, "offset", vk_add_sat(base, p->offset_bytes));
	set_number(&o, "length", p->length_bytes);
	set_number(&o, "held", p->held_bytes);
	return finish(&o);
}

json_t *vk_report_source_json(const struct vk_source *source)
{
	static const char *const forms[] = {"raw", "vmfsimg", "hexdump"};
	struct json_object o = object();
	json_t *structures = json_array();
	json_t *vmfs = json_array();

	set(&o, "path", label_json((const uint8_t *)source->path, strlen(source->path)));
	set(&o, "kind", json_string(vk_source_kind_name(source->kind)));
	set(&o, "form", json_string(forms[source->form]));
	set_number(&o, "size_bytes", source->size_bytes);
	set_number(&o, "sector_size", source->sector_size);
	if (source->origin_bytes > 0)
		set_number(&o, "origin_bytes", source->origin_bytes);
	set(&o, "table", table_json(&source->table));
	if (source->tail.first_sector > 0)
		set(&o, "tail_gpt", vk_report_tail_json(&source->tail, table_json(&source->tail.table)));
	for (size_t i = 0; i < source->table.place_count; i++)
		append(structures, place_json(&source->table.places[i], 0), &o);
	for (size_t i = 0; i < source->vmfs_count; i++) {
		const struct vk_vmfs *v = &source->vmfs[i];
		uint64_t base = vk_mul_sat(v->start_sector, source->sector_size);

		append(vmfs, vmfs_json(source, v), &o);
		for (size_t k = 0; k < v->place_count; k++)
			append(structures, place_json(&v->places[k], base), &o);
	}
	set(&o, "vmfs", vmfs);
	set(&o, "structures", structures);
	return finish(&o);
}

json_t *vk_report_volumes_json(const struct vk_volume *volumes, size_t count,
			       const struct vk_source *sources)
{
	struct json_object all = object();
	json_t *array = json_array();

	for (size_t i = 0; i < count; i++) {
		const struct vk_volume *v = &volumes[i];
		struct json_object o = object();
		json_t *extents = json_array();
		char uuid[VK_VMFS_UUID_TEXT_BYTES];

		vk_vmfs_uuid_format(&v->uuid, uuid);
		set(&o, "uuid", json_string(uuid));
		set_number(&o, "snapID", v->snap_id);
		set_number(&o, "logicalSize", v->logical_bytes);
		set_number(&o, "numDevs", v->num_devs);
		set(&o, "complete", json_boolean(v->complete));
		if (v->has_fs)
			set(&o, "label", label_json(v->fs.fsLabel, sizeof(v->fs.fsLabel)));
		for (size_t k = 0; k < v->extent_count; k++) {
			const char *path = sources[v->extents[k].source].path;
			struct json_object e = object();

			set(&e, "source", label_json((const uint8_t *)path, strlen(path)));
			set_number(&e, "firstPE", v->extents[k].first_pe);
			set_number(&e, "lastPE", v->extents[k].last_pe);
			append(extents, finish(&e), &o);
		}
		set(&o, "extents", extents);
		append(array, finish(&o), &all);
	}
	if (all.failed) {
		json_decref(array);
		array = NULL;
	}
	json_decref(all.o);
	return array;
}
