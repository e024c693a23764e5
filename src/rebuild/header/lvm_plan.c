/* SPDX-License-Identifier: Apache-2.0 */
/* The LVM side of a header repair: header, volume descriptor, PE tables and names of the members. */
#include <string.h>

#include "base/bytes.h"
#include "rebuild/header/header_work.h"

static enum vk_status put_structure(struct vk_header_work *c, struct vk_mending *m, uint8_t *raw, size_t len,
				    const char *reason, enum vk_header_class write_class,
				    enum vk_header_structure which, struct vk_error *err)
{
	struct vk_mend_sum sum = {0, 0};

	if (!vk_work_wants(c, which))
		return VK_OK;
	vk_mend_record(m, &sum);
	if (which == VK_HS_LVM_HEADER)
		vk_mend_record(&c->disk_id, &sum);
	if (sum.changed == 0 && m->contradicted) {
		vk_work_verdict(c, which, VK_STRUCTURE_LOST,
				"something contradicts it, and which is right is not known: see what is lost");
		return VK_OK;
	}
	if (sum.changed == 0) {
		vk_work_verdict(c, which, VK_STRUCTURE_CONSISTENT,
				"nothing contradicts it; not all of its bytes can be checked");
		return VK_OK;
	}
	vk_mend_lay(m, raw, len, NULL, &sum);
	vk_work_verdict(c, which, m->rebuilt ? VK_STRUCTURE_REBUILT : VK_STRUCTURE_MENDED, "%s",
			sum.inexact == 0 ? "every changed field has its original value"
					 : "some values may differ from the originals (see each field)");
	return vk_work_put(c, m->at, raw, len, reason, write_class, err);
}

/* Names of the members are only on LVM5 and later, and no reader needs them. */
static enum vk_status put_names(struct vk_header_work *c, struct vk_error *err)
{
	uint8_t now[VK_LVM_SD_ENTRIES * VK_LVM_SD_BYTES], then[sizeof(now)] = {0};
	const struct vk_vmfs *k = c->earlier;
	struct vk_findings found = {0};
	struct vk_finding_sink sink = vk_findings_sink(&found);
	bool held;

	if (c->d.majorVersion < 5 || c->sizes.first.value != 0 || !vk_work_wants(c, VK_HS_SD_TABLE)) {
		vk_work_verdict(c, VK_HS_SD_TABLE, VK_STRUCTURE_NONE, "only the head of LVM 5 and 6 has one");
		return VK_OK;
	}
	held = vk_work_get(c, c->geometry.sd_table, now, sizeof(now));
	if (!held || !vk_all_zero(now, sizeof(now)) || (!c->device.rebuilt && k == NULL)) {
		/* the check of decode objects to the name beside the disk id that is planned */
		if (held && c->name_count > 0)
			vk_lvm_sd_check(&c->names[0], &c->d, VK_LVM_HEADER_OFFSET, &sink);
		vk_work_verdict(c, VK_HS_SD_TABLE,
				!held || found.count > 0 ? VK_STRUCTURE_LOST : VK_STRUCTURE_CONSISTENT, "%s",
				!held ? "it cannot be read, and is left as it is" :
				found.count > 0 ? "it names another LUN than the disk id of the header: left as it "
						  "is, for which is right is not known" :
				vk_all_zero(now, sizeof(now)) ? "it holds no name; no reader needs one" :
				"nothing contradicts it");
		vk_findings_free(&found);
		return VK_OK;
	}
	for (size_t i = 0; k != NULL && i < k->sd_count && i < VK_LVM_SD_ENTRIES; i++)
		vk_lvm_sd_encode(&k->sd_names[i], then + i * VK_LVM_SD_BYTES, VK_LVM_SD_BYTES);
	if (vk_all_zero(then, sizeof(then))) {
		vk_work_verdict(c, VK_HS_SD_TABLE, VK_STRUCTURE_LOST,
				"the names of the member devices are lost; ESX writes them when it next changes the "
				"volume");
		return VK_OK;
	}
	vk_work_verdict(c, VK_HS_SD_TABLE, VK_STRUCTURE_REBUILT, "from %s", c->capture->name);
	vk_work_range(c, &vk_lvm_sd_layout, c->geometry.sd_table, sizeof(then), VK_FIELD_USUAL,
		      "%s; a device may have got another name since", c->capture->name);
	return vk_work_put(c, c->geometry.sd_table, then, sizeof(then), "SD table", VK_HEADER_CLASS_TABLES, err);
}

/* What no relation watches over: its damage would not be noticed here. */
static void tell_unseen(struct vk_header_work *c)
{
	if (c->device_believed && !vk_all_zero(c->device_raw + VK_LVM_DEVICE_BYTES, 512 - VK_LVM_DEVICE_BYTES))
		vk_work_note(c, "behind the last known field of the LVM header there are bytes other than zero; in "
				"every header seen there are none. They stay.");
	if (c->volume_believed && (!vk_all_zero(c->v0.pad94, sizeof(c->v0.pad94)) ||
				   !vk_all_zero(c->v0.pad114, sizeof(c->v0.pad114))))
		vk_work_note(c, "pad94 or pad114 of the volume descriptor are not zero, as they are in every one "
				"seen. They stay.");
	if (c->earlier != NULL || c->device.rebuilt || c->volume.rebuilt)
		return;
	vk_work_note(c, "damage to these fields shows only against a capture, for they have no copy on the volume: "
			"of the LVM header generation, modTimeUS, lockedBy, lockedWhenUS, lockedFromIPv4, "
			"minorVersion, majorVersion from 3 to 5, numPEMaps 0 or 1 on LVM3, the microseconds of "
			"initTimeUS and bytes 4 to 15 of devID; of its disk id lun, id, vendor, model, revision and "
			"scsiLevel; of the volume descriptor generation, modTimeUS, consumedPEs, state (from 1 to "
			"4), the last minute of creationTimeUS, pad94 and pad114.");
}

enum vk_status vk_rebuild_lvm(struct vk_header_work *c, struct vk_error *err)
{
	bool others;
	size_t lost;
	enum vk_status status;

	vk_lvm_case_open(c);
	vk_lvm_known_find(c);
	others = c->volume_believed || c->fs_believed || c->self.votes != 0 || c->survey.good != 0 ||
		 c->earlier != NULL || c->sibling != NULL;
	if (!others && !c->device_believed && c->self.fs_major == 0 && c->self.logical_bytes == 0) {
		vk_error_set(err, VK_ABSENT, vk_io_name(c->base),
			     "nothing of a VMFS volume is left here: no header, no descriptor, no locks");
		vk_error_at(err, c->start_bytes);
		return vk_error_remedy(err, "look for the volume's start with vmfskit find, or restore from a capture");
	}
	/* one that was initialised and never given to a volume */
	if (!others && c->device_believed && c->d0.magic == VK_LVM_MAGIC && c->d0.numVolumes == 0) {
		vk_work_verdict(c, VK_HS_LVM_HEADER, VK_STRUCTURE_CONSISTENT, "the device belongs to no volume yet");
		return VK_OK;
	}
	vk_lvm_known_apply(c);
	status = vk_lvm_sizes_decide(c, err);
	if (status != VK_OK)
		return status;
	lost = c->header->lost_count;
	vk_lvm_volume_mend(c);
	c->volume.contradicted = c->header->lost_count > lost;
	lost = c->header->lost_count;
	vk_lvm_device_mend(c);
	vk_lvm_disk_id_mend(c);
	c->device.contradicted = c->header->lost_count > lost;
	if (!c->six_proved) {
		vk_mend_doubt(&c->volume);
		vk_mend_doubt(&c->device);
	}
	tell_unseen(c);
	status = vk_lvm_tables_put(c, err);
	if (status == VK_OK)
		status = put_names(c, err);
	if (status == VK_OK)
		status = put_structure(c, &c->volume, c->volume_raw, sizeof(c->volume_raw), "LVM volume descriptor",
				       VK_HEADER_CLASS_TABLES, VK_HS_VOLUME, err);
	if (status == VK_OK)
		status = put_structure(c, &c->device, c->device_raw, sizeof(c->device_raw), "LVM device header",
				       VK_HEADER_CLASS_LVM, VK_HS_LVM_HEADER, err);
	return status;
}
