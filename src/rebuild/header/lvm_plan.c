/* SPDX-License-Identifier: Apache-2.0 */
/* The LVM side of a header repair: header, volume descriptor, PE tables and names of the members. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/bytes.h"
#include "rebuild/header/lvm_case.h"

/* Nothing that says VMFS was found: there is nothing to rebuild. */
static bool nothing_left(const struct vk_lvm_case *c)
{
	const struct vk_self_report *self = &c->work->self;

	return !c->device_believed && !c->volume_believed && !c->fs_believed && self->votes == 0 &&
	       self->fs_major == 0 && self->logical_bytes == 0 && c->survey.good == 0 &&
	       c->earlier == NULL && c->sibling == NULL;
}

/* A device that was initialised and never given to a volume. */
static bool empty_device(const struct vk_lvm_case *c)
{
	return c->device_believed && c->d0.magic == VK_LVM_MAGIC && c->d0.numVolumes == 0 &&
	       !c->volume_believed && !c->fs_believed && c->survey.good == 0 && c->work->self.votes == 0 &&
	       c->earlier == NULL && c->sibling == NULL;
}

static const char *why_changed(size_t inexact)
{
	return inexact == 0 ? "every changed field is what stood there"
			    : "not all changed fields are what stood there: see each";
}

static enum vk_status put_structure(struct vk_lvm_case *c, struct vk_mending *m, uint8_t *raw, size_t len,
				    const char *reason, enum vk_header_class write_class,
				    enum vk_header_structure which, struct vk_error *err)
{
	struct vk_header_work *work = c->work;
	struct vk_mend_sum sum = {0, 0};

	vk_mend_record(m, &sum);
	if (which == VK_HS_LVM_HEADER)
		vk_mend_record(&c->disk_id, &sum);
	if (sum.changed == 0 && m->contradicted) {
		vk_work_verdict(work, which, VK_STRUCTURE_LOST,
				"something contradicts it, and what is right is not known: see what is lost");
		return VK_OK;
	}
	if (sum.changed == 0) {
		vk_work_verdict(work, which, VK_STRUCTURE_CONSISTENT,
				"nothing contradicts it; not all of its bytes can be checked");
		return VK_OK;
	}
	vk_mend_lay(m, raw, len, NULL, &sum);
	vk_work_verdict(work, which, m->rebuilt ? VK_STRUCTURE_REBUILT : VK_STRUCTURE_MENDED, "%s",
			why_changed(sum.inexact));
	return vk_work_put(work, m->at, raw, len, reason, write_class, err);
}

/* The check of decode objects to the name beside the disk id that is planned. */
static bool names_contradict(const struct vk_lvm_case *c)
{
	struct vk_findings found = {0};
	struct vk_finding_sink sink = vk_findings_sink(&found);
	bool contradict;

	if (c->name_count > 0)
		vk_lvm_sd_check(&c->names[0], &c->d, VK_LVM_HEADER_OFFSET, &sink);
	contradict = found.count > 0;
	vk_findings_free(&found);
	return contradict;
}

/* Names of the members are only on LVM5 and later, and no reader needs them. */
static enum vk_status put_names(struct vk_lvm_case *c, struct vk_error *err)
{
	uint8_t now[VK_LVM_SD_ENTRIES * VK_LVM_SD_BYTES], then[sizeof(now)] = {0};
	struct vk_header_work *work = c->work;
	const struct vk_vmfs *k = c->earlier;
	bool held;

	if (c->d.majorVersion < 5 || c->sizes.first_pe != 0 || !vk_work_wants(work, VK_HS_SD_TABLE)) {
		vk_work_verdict(work, VK_HS_SD_TABLE, VK_STRUCTURE_NONE, "only the head of LVM 5 and 6 has one");
		return VK_OK;
	}
	held = vk_work_get(work, c->geometry.sd_table, now, sizeof(now));
	if (!held || !vk_all_zero(now, sizeof(now)) || (!c->device.rebuilt && k == NULL)) {
		bool wrong = !held || names_contradict(c);

		vk_work_verdict(work, VK_HS_SD_TABLE, wrong ? VK_STRUCTURE_LOST : VK_STRUCTURE_CONSISTENT, "%s",
				!held ? "it cannot be read, and is left as it is" :
				wrong ? "it names another LUN than the disk id of the header: left as it is, for "
					"nothing tells which is right" :
				vk_all_zero(now, sizeof(now)) ? "it holds no name; no reader needs one" :
				"nothing contradicts it");
		return VK_OK;
	}
	for (size_t i = 0; k != NULL && i < k->sd_count && i < VK_LVM_SD_ENTRIES; i++)
		vk_lvm_sd_encode(&k->sd_names[i], then + i * VK_LVM_SD_BYTES, VK_LVM_SD_BYTES);
	if (vk_all_zero(then, sizeof(then))) {
		vk_work_verdict(work, VK_HS_SD_TABLE, VK_STRUCTURE_LOST,
				"the names of the member devices survive nowhere; ESX writes them when it next changes "
				"the volume");
		return VK_OK;
	}
	vk_work_verdict(work, VK_HS_SD_TABLE, VK_STRUCTURE_REBUILT, "from %s", c->capture->name);
	vk_work_range(work, &vk_lvm_sd_layout, c->geometry.sd_table, sizeof(then), VK_FIELD_USUAL,
		      "%s; a device may have got another name since", c->capture->name);
	return vk_work_put(work, c->geometry.sd_table, then, sizeof(then), "SD table",
			   VK_HEADER_CLASS_TABLES, err);
}

/* What no relation watches over: its damage would not be noticed here. */
static void tell_unseen(struct vk_lvm_case *c)
{
	if (c->device_believed && !vk_all_zero(c->device_raw + VK_LVM_DEVICE_BYTES, 512 - VK_LVM_DEVICE_BYTES))
		vk_work_note(c->work, "Behind the last known field of the LVM header there are bytes other than zero; "
				      "in every header seen there are none. They stay.");
	if (c->volume_believed && (!vk_all_zero(c->v0.pad94, sizeof(c->v0.pad94)) ||
				   !vk_all_zero(c->v0.pad114, sizeof(c->v0.pad114))))
		vk_work_note(c->work, "pad94 or pad114 of the volume descriptor are not zero, as they are in every one "
				      "seen. They stay.");
	if (c->earlier != NULL || c->device.rebuilt || c->volume.rebuilt)
		return;
	vk_work_note(c->work, "Damage to these is seen only beside a capture, nothing else on the volume tells them: "
			      "of the LVM header generation, modTimeUS, lockedBy, lockedWhenUS, lockedFromIPv4, "
			      "minorVersion, majorVersion from 3 to 5, numPEMaps 0 or 1 on LVM3, the microseconds of "
			      "initTimeUS and bytes 4 to 15 of devID; of its disk id lun, id, vendor, model, revision "
			      "and scsiLevel; of the volume descriptor generation, modTimeUS, consumedPEs, state (from "
			      "1 to 4), the last minute of creationTimeUS, pad94 and pad114.");
}

static enum vk_status put_all(struct vk_lvm_case *c, struct vk_error *err)
{
	struct vk_header_work *work = c->work;
	enum vk_status status = vk_lvm_tables_put(c, err);

	if (status == VK_OK)
		status = put_names(c, err);
	if (status == VK_OK && vk_work_wants(work, VK_HS_VOLUME))
		status = put_structure(c, &c->volume, c->volume_raw, sizeof(c->volume_raw),
				       "LVM volume descriptor", VK_HEADER_CLASS_TABLES, VK_HS_VOLUME, err);
	if (status == VK_OK && vk_work_wants(work, VK_HS_LVM_HEADER))
		status = put_structure(c, &c->device, c->device_raw, sizeof(c->device_raw),
				       "LVM device header", VK_HEADER_CLASS_LVM, VK_HS_LVM_HEADER, err);
	return status;
}

static enum vk_status mend(struct vk_lvm_case *c, struct vk_error *err)
{
	struct vk_header_work *work = c->work;
	size_t lost;
	enum vk_status status;

	vk_lvm_known_find(c);
	if (nothing_left(c)) {
		status = vk_error_set(err, VK_ABSENT, vk_io_name(c->work->base),
				      "Nothing of a VMFS volume is left here: no header, no descriptor, no locks");
		vk_error_at(err, c->work->start_bytes);
		vk_error_remedy(err, "look for the volume's start with vmfskit find, or restore from a capture");
		return status;
	}
	if (empty_device(c)) {
		vk_work_verdict(c->work, VK_HS_LVM_HEADER, VK_STRUCTURE_CONSISTENT,
				"the device belongs to no volume yet");
		return VK_OK;
	}
	vk_lvm_known_apply(c);
	status = vk_lvm_sizes_decide(c, err);
	if (status != VK_OK)
		return status;
	lost = work->header->lost_count;
	vk_lvm_volume_mend(c);
	c->volume.contradicted = work->header->lost_count > lost;
	lost = work->header->lost_count;
	vk_lvm_device_mend(c);
	vk_lvm_disk_id_mend(c);
	c->device.contradicted = work->header->lost_count > lost;
	if (!c->six_proved) {
		vk_mend_doubt(&c->volume);
		vk_mend_doubt(&c->device);
	}
	tell_unseen(c);
	return put_all(c, err);
}

enum vk_status vk_rebuild_lvm(struct vk_header_work *work, struct vk_error *err)
{
	struct vk_lvm_case *c = calloc(1, sizeof(*c));
	enum vk_status status;

	if (c == NULL)
		return vk_no_memory(err, vk_io_name(work->base));
	vk_lvm_case_open(work, c);
	work->volume_lost = c->volume.rebuilt;
	status = mend(c, err);
	free(c);
	return status;
}
