/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of what releases of ESX do about a finding, and of the remedies, in the order of harm. Only what public
 * sources say is asserted (ESX 3: LVM.DisallowSnapshotLun and the messages of vmkernel; ESX 4 and later: the messages,
 * esxcfg-volume, esxcli storage vmfs snapshot, and the reasons of the vSphere API); the rest is not known.
 */
#include <ctype.h>
#include <string.h>

#include "vmfskit/lunid.h"

#define NOT_KNOWN VK_LUNID_NOT_KNOWN
#define REFUSED_3 \
	"does not mount it: the whole disk id is compared (LVM.DisallowSnapshotLun is 1), and vmkernel logs " \
	"\"is a snapshot\""
#define REFUSED_4 \
	"does not mount it: vmkernel logs \"detected to be a snapshot\", and esxcfg-volume -l lists it"
#define REFUSED_5 "does not mount it: esxcli storage vmfs snapshot list lists it as an unresolved volume"
#define UNRESOLVED REFUSED_5 " (reason diskIdMismatch)"
#define CONFLICT \
	"the copy is listed as an unresolved volume (reason uuidConflict) that cannot be mounted while the original " \
	"is online"
#define INCOMPLETE "the volume is unresolved (resolveStatus incompleteExtents)"
#define SEVERAL "the volume is unresolved (resolveStatus multipleCopies)"
#define ALL_NOT_KNOWN {NOT_KNOWN, NOT_KNOWN, NOT_KNOWN, NOT_KNOWN, NOT_KNOWN, NOT_KNOWN}

static const struct {
	enum vk_finding_code code;
	const char *esx[VK_LUNID_RELEASES];
} releases[] = {
	{VK_F_LUNID_MATCH, ALL_NOT_KNOWN},
	{VK_F_LUNID_LUN_CHANGED,
	 {REFUSED_3, "did not mount it in published cases, where one LUN had two numbers on two ports of an array",
	  NOT_KNOWN, "mounts it by the device id alone (6.7)", NOT_KNOWN, NOT_KNOWN}},
	{VK_F_LUNID_DESIGNATOR_CHANGED, {REFUSED_3, REFUSED_4, UNRESOLVED, UNRESOLVED, UNRESOLVED, UNRESOLVED}},
	{VK_F_LUNID_MODEL_CHANGED, {REFUSED_3, NOT_KNOWN, NOT_KNOWN, NOT_KNOWN, NOT_KNOWN, NOT_KNOWN}},
	{VK_F_LUNID_KIND_CHANGED, {REFUSED_3, REFUSED_4, UNRESOLVED, UNRESOLVED, UNRESOLVED, UNRESOLVED}},
	{VK_F_LUNID_LENGTH_WRONG, ALL_NOT_KNOWN},
	{VK_F_LUNID_CONFLICT, {NOT_KNOWN, NOT_KNOWN, CONFLICT, CONFLICT, CONFLICT, CONFLICT}},
	{VK_F_LUNID_EXTENT_MISSING, {NOT_KNOWN, NOT_KNOWN, INCOMPLETE, INCOMPLETE, INCOMPLETE, INCOMPLETE}},
	{VK_F_LUNID_EXTENT_DOUBLED, {NOT_KNOWN, NOT_KNOWN, SEVERAL, SEVERAL, SEVERAL, SEVERAL}},
	{VK_F_LUNID_RESIGNATURE_PENDING, ALL_NOT_KNOWN},
	{VK_F_LUNID_RESIGNATURE_DONE, ALL_NOT_KNOWN},
};

const char *const *vk_lunid_esx(enum vk_finding_code code)
{
	for (size_t i = 0; i < sizeof(releases) / sizeof(releases[0]); i++)
		if (releases[i].code == code)
			return releases[i].esx;
	return NULL;
}

/* Which findings a remedy is for. */
enum {
	NUMBER = 1, NAME = 2, MODEL = 4, KIND = 8, LENGTH = 16, CONFLICTS = 32, MISSING = 64, DOUBLED = 128,
	PENDING = 256,
	DONE = 512,
	FOREIGN = NUMBER | NAME | MODEL | KIND
};

static unsigned bit_of(enum vk_finding_code code)
{
	static const struct {
		enum vk_finding_code code;
		unsigned bit;
	} bits[] = {{VK_F_LUNID_LUN_CHANGED, NUMBER}, {VK_F_LUNID_DESIGNATOR_CHANGED, NAME},
		    {VK_F_LUNID_MODEL_CHANGED, MODEL}, {VK_F_LUNID_KIND_CHANGED, KIND},
		    {VK_F_LUNID_LENGTH_WRONG, LENGTH}, {VK_F_LUNID_CONFLICT, CONFLICTS},
		    {VK_F_LUNID_EXTENT_MISSING, MISSING}, {VK_F_LUNID_EXTENT_DOUBLED, DOUBLED},
		    {VK_F_LUNID_RESIGNATURE_PENDING, PENDING}, {VK_F_LUNID_RESIGNATURE_DONE, DONE}};

	for (size_t i = 0; i < sizeof(bits) / sizeof(bits[0]); i++)
		if (bits[i].code == code)
			return bits[i].bit;
	return 0;
}

static const struct {
	unsigned bits;
	struct vk_lunid_remedy remedy;
} remedies[] = {
	{LENGTH, {VK_LUNID_LOOK, "vmfskit", "compare the header with a capture: a length that does not fit is damage",
		  "vmfskit doctor SOURCE\nvmfskit repair header SOURCE", NULL}},
	{PENDING, {VK_LUNID_LOOK, "any host", "find the host that resignatures the volume, and let it end, before "
	"anything else",
		   NULL, NULL}},
	{DONE, {VK_LUNID_LOOK, "any host",
		"nothing is to be done on the volume; virtual machines that were registered under the old UUID are "
		"registered "
		"again, one by one", NULL, NULL}},
	{CONFLICTS | DOUBLED,
	 {VK_LUNID_STORAGE, "any array",
	  "find out which of the LUNs is the original, and take the copy away from every host (unmap it) before "
	  "anything "
	  "is mounted", NULL, NULL}},
	{MISSING, {VK_LUNID_STORAGE, "any array",
		   "present the missing LUN to the host under the number and the identifier that it had, and rescan",
		   NULL, NULL}},
	{NUMBER, {VK_LUNID_STORAGE, "any array",
		  "present the LUN under number {lun} to every host, as it was, and rescan", NULL, NULL}},
	{NUMBER, {VK_LUNID_STORAGE, "COMSTAR", "replace its view by one with LUN {lun}",
		  "stmfadm list-view -l {ID}\nstmfadm remove-view -l {ID} VIEW\nstmfadm add-view -n {lun} -h "
		  "HOST-GROUP "
		  "-t TARGET-GROUP {ID}", "stmfadm remove-view -l {ID} VIEW\nstmfadm add-view -n {live_lun} -h "
		  "HOST-GROUP "
		  "-t TARGET-GROUP {ID}"}},
	{NUMBER, {VK_LUNID_STORAGE, "LIO",
		  "map the backstore as LUN {lun}; where the target has ACLs, hosts see the number of the LUN that is "
		  "mapped there: give that one the same number",
		  "targetcli /iscsi/TARGET-IQN/tpg1/luns delete {live_lun}\n"
		  "targetcli /iscsi/TARGET-IQN/tpg1/luns create /backstores/block/BACKSTORE {lun}\ntargetcli "
		  "saveconfig",
		  "targetcli /iscsi/TARGET-IQN/tpg1/luns delete {lun}\n"
		  "targetcli /iscsi/TARGET-IQN/tpg1/luns create /backstores/block/BACKSTORE {live_lun}\n"
		  "targetcli saveconfig"}},
	{NUMBER, {VK_LUNID_STORAGE, "tgt", "export the device as LUN {lun}",
		  "tgtadm --lld iscsi --mode logicalunit --op delete --tid TID --lun {live_lun}\n"
		  "tgtadm --lld iscsi --mode logicalunit --op new --tid TID --lun {lun} --backing-store DEVICE",
		  "tgtadm --lld iscsi --mode logicalunit --op delete --tid TID --lun {lun}\n"
		  "tgtadm --lld iscsi --mode logicalunit --op new --tid TID --lun {live_lun} --backing-store DEVICE"}},
	{NUMBER, {VK_LUNID_STORAGE, "SCST", "export the device as LUN {lun}",
		  "echo \"del {live_lun}\" >/sys/kernel/scst_tgt/targets/iscsi/TARGET-IQN/luns/mgmt\n"
		  "echo \"add DEVICE {lun}\" >/sys/kernel/scst_tgt/targets/iscsi/TARGET-IQN/luns/mgmt",
		  "echo \"del {lun}\" >/sys/kernel/scst_tgt/targets/iscsi/TARGET-IQN/luns/mgmt\n"
		  "echo \"add DEVICE {live_lun}\" >/sys/kernel/scst_tgt/targets/iscsi/TARGET-IQN/luns/mgmt"}},
	{NAME | KIND, {VK_LUNID_STORAGE, "any array",
		"if this is the original: give the LUN the identifier {name} again; if it is a replica of a LUN "
		"that is "
		"still there: keep the two apart, and resignature the replica", NULL, NULL}},
	{NAME, {VK_LUNID_STORAGE, "COMSTAR",
		"only where \"Data File\" is a ZFS volume and \"Meta File\" is not set: make the logical unit anew "
		"over the same volume, with the GUID that the header has, the block size and all properties that "
		"list-lu shows; of another device create-lu may write its first 64 KiB, so leave that to its "
		"administrator",
		"stmfadm list-lu -v {LIVE_ID}\nstmfadm list-view -l {LIVE_ID}\nzfs snapshot POOL/VOLUME@before\n"
		"stmfadm delete-lu {LIVE_ID}\nstmfadm create-lu -p guid={ID} /dev/zvol/rdsk/POOL/VOLUME\n"
		"stmfadm add-view -n {lun} -h HOST-GROUP -t TARGET-GROUP {ID}",
		"stmfadm delete-lu {ID}\nstmfadm create-lu -p guid={LIVE_ID} /dev/zvol/rdsk/POOL/VOLUME\n"
		"stmfadm add-view -n {live_lun} -h HOST-GROUP -t TARGET-GROUP {LIVE_ID}"}},
	{NAME, {VK_LUNID_STORAGE, "LIO",
		"only names that begin with naa.6001405 can be set: their other 25 digits are the first 25 of the "
		"unit serial number, which can be set only while no LUN uses the backstore",
		"cat /sys/kernel/config/target/core/HBA/BACKSTORE/wwn/vpd_unit_serial\n"
		"echo SERIAL >/sys/kernel/config/target/core/HBA/BACKSTORE/wwn/vpd_unit_serial\ntargetcli saveconfig",
		"echo FORMER-SERIAL >/sys/kernel/config/target/core/HBA/BACKSTORE/wwn/vpd_unit_serial\n"
		"targetcli saveconfig"}},
	{NAME, {VK_LUNID_STORAGE, "tgt",
		"export the device from the target with the same number (tid) and under the same LUN as before: tgt "
		"makes its name of the two", NULL, NULL}},
	{NAME, {VK_LUNID_STORAGE, "SCST",
		"set the identifier; hosts are told at once, so take the LUN away from them first, and save the "
		"configuration afterwards (scstadmin has the syntax in its manual)",
		"echo {id} >/sys/kernel/scst_tgt/devices/DEVICE/naa_id", "echo {live_id} "
		">/sys/kernel/scst_tgt/devices/DEVICE/naa_id"}},
	{KIND, {VK_LUNID_STORAGE, "any host",
		"if firmware or a driver was changed, set it back: then the LUN has its former kind of name again",
		NULL, NULL}},
	{MODEL, {VK_LUNID_STORAGE, "any array",
		 "set the product string of the LUN to one that begins with \"{model}\"; firmware that changed it "
		 "can be set "
		 "back", NULL, NULL}},
	{MODEL, {VK_LUNID_STORAGE, "tgt", "set the product string",
		 "tgtadm --lld iscsi --mode logicalunit --op update --tid TID --lun {lun} --params "
		 "product_id=\"{model}\"", NULL}},
	{MODEL, {VK_LUNID_STORAGE, "SCST", "set the product string; hosts are told at once, so take the LUN away from "
		 "them first",
		 "echo \"{model}\" >/sys/kernel/scst_tgt/devices/DEVICE/prod_id", NULL}},
	{FOREIGN, {VK_LUNID_MOUNT, "ESX 3", "all snapshot LUNs of the host are mounted so",
		   "esxcfg-advcfg -s 0 /LVM/EnableResignature\nesxcfg-advcfg -s 0 /LVM/DisallowSnapshotLun\n"
		   "esxcfg-rescan VMHBA\nvmkfstools -V", "esxcfg-advcfg -s 1 /LVM/DisallowSnapshotLun"}},
	{FOREIGN, {VK_LUNID_MOUNT, "ESX 4", "mount this volume until the next boot (-M: for good)",
		   "esxcfg-volume -l\nesxcfg-volume -m {uuid}", NULL}},
	{FOREIGN, {VK_LUNID_MOUNT, "ESXi 5 to 8", "mount this volume until the next boot (without -n: for "
	"good)",
		   "esxcli storage vmfs snapshot list\nesxcli storage vmfs snapshot mount -n -u {uuid}",
		   "esxcli storage filesystem unmount -u {uuid}"}},
	{FOREIGN, {VK_LUNID_RESIGNATURE, "ESX 3",
		   "all snapshot LUNs of the host get a new signature",
		   "esxcfg-advcfg -s 0 /LVM/DisallowSnapshotLun\nesxcfg-advcfg -s 1 /LVM/EnableResignature\n"
		   "esxcfg-rescan VMHBA\nvmkfstools -V",
		   "esxcfg-advcfg -s 0 /LVM/EnableResignature\nesxcfg-advcfg -s 1 /LVM/DisallowSnapshotLun"}},
	{FOREIGN, {VK_LUNID_RESIGNATURE, "ESX 4", "this volume alone gets a new signature",
		   "esxcfg-volume -l\nesxcfg-volume -r {uuid}", NULL}},
	{FOREIGN | CONFLICTS,
	 {VK_LUNID_RESIGNATURE, "ESXi 5 to 8",
	  "this volume alone gets a new signature; of two it must be the copy",
	  "esxcli storage vmfs snapshot list\nesxcli storage vmfs snapshot resignature -u {uuid}", NULL}},
};

const struct vk_lunid_remedy *vk_lunid_remedy(enum vk_finding_code code, size_t index)
{
	const unsigned bit = bit_of(code);

	for (size_t i = 0; i < sizeof(remedies) / sizeof(remedies[0]); i++)
		if ((remedies[i].bits & bit) != 0 && index-- == 0)
			return &remedies[i].remedy;
	return NULL;
}

const char *vk_lunid_harm_name(enum vk_lunid_harm harm)
{
	static const char *const names[] = {"look", "storage", "mount", "resignature"};

	return names[harm];
}

/* The digits of a naa. name; else the words for a person. */
static void put_digits(const char *name, bool upper, const char *words, struct vk_text *out)
{
	if (strncmp(name, "naa.", 4) != 0) {
		vk_text_put(out, words);
		return;
	}
	for (name += 4; *name != '\0'; name++)
		vk_text_fmt(out, "%c", upper ? toupper((unsigned char)*name) : *name);
}

/* Its number, where it is not the recorded one: on some paths it may be right. */
static unsigned other_number(const struct vk_live_lun *live, unsigned recorded)
{
	for (size_t i = 0; i < live->lun_count; i++)
		if (live->luns[i] != recorded)
			return live->luns[i];
	return live->luns[0];
}

static void put_field(const char *field, size_t len, const struct vk_lunid_extent *e, struct vk_text *out)
{
	static const char *const fields[] = {"lun", "id", "ID", "name", "model", "live", "live_lun", "live_id",
	"LIVE_ID",
					     "uuid"};
	const struct vk_vmfs *vmfs = vk_lunid_vmfs(e);
	const struct vk_scsi_disk_id *id = &vmfs->lvm.diskID;
	const char *live = e->live_known ? e->live.name : "";
	char name[VK_SCSI_NAME_BYTES];
	size_t which = 0;
	bool certain;

	while (which < sizeof(fields) / sizeof(fields[0]) &&
	       (strlen(fields[which]) != len || memcmp(fields[which], field, len) != 0))
		which++;
	vk_scsi_disk_id_name(id, name, &certain);
	switch (which) {
	case 0:
		vk_text_fmt(out, "%u", id->lun);
		break;
	case 1:
	case 2:
		put_digits(name, which == 2, "RECORDED-ID", out);
		break;
	case 3:
		vk_text_put(out, name);
		break;
	case 4:
		if (id->len > VK_SCSI_MODEL_TAIL_BYTES && id->len <= VK_SCSI_ID_MAX)
			vk_text_label(out, id->id + id->len - VK_SCSI_MODEL_TAIL_BYTES, VK_SCSI_MODEL_TAIL_BYTES);
		break;
	case 5:
		vk_text_put(out, live[0] != '\0' ? live : "LIVE-NAME");
		break;
	case 6:
		if (e->live_known && e->live.lun_known)
			vk_text_fmt(out, "%u", other_number(&e->live, id->lun));
		else
			vk_text_put(out, "PRESENT-LUN");
		break;
	case 7:
	case 8:
		put_digits(live, which == 8, "PRESENT-ID", out);
		break;
	default:
		if (vmfs->fs_usable)
			vk_text_put(out, vk_vmfs_uuid_text(&vmfs->fs.uuid).text);
		else
			vk_text_put(out, "UUID");
		break;
	}
}

void vk_lunid_fill(const char *text, const struct vk_lunid_extent *extent, struct vk_text *out)
{
	while (*text != '\0') {
		size_t len = strcspn(text, "{");
		const char *end = strchr(text + len, '}');

		vk_text_fmt(out, "%.*s", (int)len, text);
		text += len;
		if (*text == '\0' || end == NULL)
			return;
		put_field(text + 1, (size_t)(end - text - 1), extent, out);
		text = end + 1;
	}
}
