/* SPDX-License-Identifier: Apache-2.0 */
/* Each message that was published is found with what it names; nothing else is.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "explain/messages.h"

#define UUID "50fd60a3-3aae1ae2-3347-0017a4770402"

/* Lines as they were published; each stands alone, behind what must come before
 * it. */
struct example {
	const char *before, *line, *code, *device;
	unsigned partition;
	const char *volume, *label;
};
static const struct example examples[] = {
	{"", "Sep 1 vmkernel: 0:00:00:06.134 cpu0:1033)LVM: 5670: Device vmhba1:0:5:1 is a snapshot:",
	 "snapshot.detected", "vmhba1:0:5", 1, "", ""},
	{"", "LVM: 7404: Device naa.600144f07ed404000000496ff8cd0003:1 detected to be a snapshot:", "snapshot.detected",
	 "naa.600144f07ed404000000496ff8cd0003", 1, "", ""},
	{"",
	 "LVM: 2710: Device naa.60a:12 is detected as being in volume 497924f8-0ba43178-cffe-001517515780 "
	 "(0x417f80077808)",
	 "snapshot.volume", "naa.60a", 12, "497924f8-0ba43178-cffe-001517515780", ""},
	{"", "Disk naa.500605b0 ID detected to be a snapshot", "snapshot.detected", "naa.500605b0", 0, "", ""},
	{"", "Vol3: 871: Begin resignaturing volume label: snap-6104d589-xxxx, uuid: " UUID, "resignature.begun", "", 0,
	 UUID, "snap-6104d589-xxxx"},
	{"", "Vol3: 952: End resignaturing volume label: snap-44d69109-xxx, uuid: ...", "resignature.done", "", 0, "",
	 "snap-44d69109-xxx"},
	{"", "LVM: 4893: Snapshot LV <snap-634ad2b0-xxxx> successfully resignatured", "resignature.done", "", 0, "",
	 "snap-634ad2b0-xxxx"},
	{"",
	 "2012-01-01T00:00:00Z WARNING: HBX: 599: Volume " UUID
	 " (\"my store\") may be damaged on disk. Corrupt heartbeat detected at offset 3305472: [HB state 0 offset "
	 "6052837899185946624 gen 15439450 stampUS 5 $",
	 "heartbeat.corrupt", "", 0, UUID, "my store"},
	{"",
	 "WARNING: Res3: StatVMFS6:7090: Volume " UUID
	 " (\"datastore5\") might be damaged on the disk. Resource cluster metadata corruption has been detected.",
	 "resource.corrupt", "", 0, UUID, "datastore5"},
	{"",
	 "WARNING: FS3: LogCorruption:628: VMFS volume datastore5/" UUID
	 " on naa.55cd2e414e0855f6:1 has been detected corrupted",
	 "volume.corrupt", "naa.55cd2e414e0855f6", 1, UUID, "datastore5"},
	{"", "use voma -m vmfs -f dump -d /vmfs/devices/disks/naa.55cd2e414e0855f6:1 -D X", "voma.dump-wanted",
	 "naa.55cd2e414e0855f6", 1, "", ""},
	{"", "[vmfsCorrelator] 12us: [esx.problem.vmfs.lock.corruptondisk] x", "lock.corrupt", "", 0, "", ""},
	{"", "[esx.problem.vmfs.heartbeat.timedout] x", "heartbeat.timedout", "", 0, "", ""},
	{"", "Vol3: 731: Couldn't read volume header from eui.3939303832313261:1: Timeout", "device.timeout",
	 "eui.3939303832313261", 1, "", ""},
	{"", "FSS: 5327: No FS driver claimed device 'naa.6001:1': No filesystem on the device", "filesystem.none",
	 "naa.6001", 1, "", ""},
	{"", "FSS: 5327: No FS driver claimed device '...': No filesystem on the device", "filesystem.none", "", 0, "",
	 ""},
	{"", "[HB state abcdef02 offset 3159552 gen 174 stamp 7738206575 uuid " UUID " jrnl <FB 121075> drv 4.31]",
	 "heartbeat.state", "", 0, "", ""},
	{"", "Unable to find volume uuid[x] lvm [snap-1-y] devices", "resignature.done", "", 0, "", ""},
	{"", "VMFS: Missing extents", "extent.missing", "", 0, "", ""},
	{"", "VMFS: Warning: Lun ID mismatch on /dev/sdb1", "lun.mismatch", "", 0, "", ""},
	{"", "VMFS: LVM information mismatch for the /dev/sdb1", "extent.mismatch", "", 0, "", ""},
	{"", "Error: Unable to satisfy all constraints on the partition.", "table.refused", "", 0, "", ""},
	{"",
	 "Error: The primary GPT table is corrupt, but the backup appears OK, so that will be used. Fix primary table "
	 "? diskPath (/dev/disks/naa.6001) diskSize (20971520)",
	 "gpt.primary-corrupt", "", 0, "", ""},
	{"", "Error: Can't have a partition outside the disk!", "table.outside", "", 0, "", ""},
	{"", "Error: Read-only file system during write on /dev/disks/t10.ATA_____X", "table.write-refused",
	 "t10.ATA_____X", 0, "", ""},
	{"", "Unable to delete partition 7 from device /dev/disks/naa.6001", "table.write-refused", "naa.6001", 0, "",
	 ""},
	{"", "Snapshot LV incomplete", "extent.missing", "", 0, "", ""},
	{"unknown\n", "13054 255 63 209715200", "table.none", "", 0, "", ""},
	{"gpt\n20233 255 63 325058560\n", "1 2048 325058526 AA31E02A400F11DB9590000C2911D1B8 vmfs 0", "table.vmfs", "",
	 1, "", ""},
	{"msdos\n65270 255 63 1048576000\n", "1 128 1048562549 251 0", "table.vmfs", "", 1, "", ""},
	{"", "Scanning for VMFS-6 host activity (4096 bytes/HB, 1024 HBs).", "snapshot.scan", "", 0, "", ""},
	{"", "VMFS UUID/label: 5fd23c30-16acc074-006d-d09466c6d6af/esxi6-flash-ds", "snapshot.volume", "", 0,
	 "5fd23c30-16acc074-006d-d09466c6d6af", "esxi6-flash-ds"},
	{"VMFS UUID/label: " UUID "/ds\n", "Can mount: Yes", "snapshot.can-mount", "", 0, UUID, "ds"},
	{"VMFS UUID/label: " UUID "/ds\n",
	 "Extent name: naa.6589cfc0000003c710fbb298e0d059e7:1     range: 0 - 511743 (MB)", "snapshot.extent",
	 "naa.6589cfc0000003c710fbb298e0d059e7", 1, UUID, "ds"},
	{"   Volume Name: vmfs-01\n   VMFS UUID: " UUID "\n   Can mount: false\n",
	 "   Reason for un-mountability: the original volume is still online", "snapshot.original-online", "", 0, UUID,
	 "vmfs-01"},
	{"   Volume Name: a\n", "   Unresolved Extent Count: 1", "snapshot.extents", "", 0, "", "a"},
	{"", "Value of DisallowSnapshotLun is 0", "setting.open", "", 0, "", ""},
	{"", "/adv/LVM/EnableResignature = \"1\"", "setting.open", "", 0, "", ""},
	{"", "Found 1 actively heartbeating hosts on device '/vmfs/devices/disks/naa.6001:1'", "host.active",
	 "naa.6001", 1, "", ""},
	{"Found 1 actively heartbeating hosts on device '/vmfs/devices/disks/naa.6001:1'\n",
	 "1): MAC address d0:27:88:6f:38:82", "host.active", "naa.6001", 1, "", ""},
	{"Checking if device is actively used by other hosts\n",
	 "Detected file system (labeled:'iscsi_test') with UUID:505427ac-3acc9d52-406d-d027886f3502, Version 5:58",
	 "volume.found", "", 0, "505427ac-3acc9d52-406d-d027886f3502", "iscsi_test"},
	{"Checking if device is actively used by other hosts\n", "ON-DISK ERROR: Invalid HB address",
	 "heartbeat.corrupt", "", 0, "", ""},
	{"Checking if device is actively used by other hosts\n",
	 "ON-DISK ERROR: LFB inconsistency found: (107,2) allocated in bitmap, but never used", "block.lost", "", 0, "",
	 ""},
	{"Checking if device is actively used by other hosts\n", "Total Errors Found: 1", "voma.sum", "", 0, "", ""},
	{"", "VMFS-6.81 (Raw Major Version: 24) file system spanning 1 partitions.", "volume.found", "", 0, "", ""},
	{"VMFS-6.81 (Raw Major Version: 24) file system spanning 1 partitions.\n",
	 "File system label (if any): Thin_DS2_R800", "volume.label", "", 0, "", "Thin_DS2_R800"},
	{"VMFS-6.81 (Raw Major Version: 24) file system spanning 1 partitions.\n",
	 "Partitions spanned (on \"lvm\"): naa.60060e80072720000030272000000032:1", "volume.extent",
	 "naa.60060e80072720000030272000000032", 1, "", ""},
	{"", "Lock [type 10c00001 offset 14688256 v 14, hb offset 3293184", "lock.file", "", 0, "", ""},
	{"", "gen 3, mode 2, owner 6423d4e2-aff5eec5-e8a3-0025900efa14 mtime 45", "lock.held", "", 0, "", ""},
	{"", "Addr <4, 136, 180>, gen 14, links 1, type reg, flags 0, uid 0, gid 0, mode 600", "file.descriptor", "", 0,
	 "", ""},
	{"",
	 "mpx.vmhba1:C0:T1:L0:1    /vmfs/devices/disks/mpx.vmhba1:C0:T1:L0:1 555acc28-b82a2519-a19d-000c29b96d8d  0  "
	 "MyVol",
	 "volume.device", "mpx.vmhba1:C0:T1:L0", 1, "555acc28-b82a2519-a19d-000c29b96d8d", "MyVol"},
	{"", "vmhba32:1:3:1   /dev/sdf1   49716cd8-ebcbbf9a-6792-000d60d46e2e", "volume.device", "vmhba32:1:3", 1,
	 "49716cd8-ebcbbf9a-6792-000d60d46e2e", ""},
	{"Volume Name  VMFS UUID                            Extent Number  Device Name   Partition\n",
	 "NAS-NVME     59a85ce4-fb4ce133-7dd6-a4bf0113255b              0  t10.NVMe____Samsung_752C50615C382500  3",
	 "volume.device", "t10.NVMe____Samsung_752C50615C382500", 3, "59a85ce4-fb4ce133-7dd6-a4bf0113255b", "NAS-NVME"},
};
enum { EXAMPLES = sizeof(examples) / sizeof(examples[0]) };

static bool explain(struct vk_explainer *e, const char *line, struct vk_explained *ret)
{
	return vk_explain(e, line, strlen(line), ret);
}

/* The lines before the one of the example. */
static void lead_in(struct vk_explainer *e, const char *before)
{
	struct vk_explained x;

	memset(e, 0, sizeof(*e));
	while (*before != '\0') {
		const size_t len = strcspn(before, "\n");

		(void)vk_explain(e, before, len, &x);
		before += len + 1;
	}
}

static void each_message_is_found_with_what_it_names(void **state)
{
	struct vk_explainer e;
	struct vk_explained x;

	(void)state;
	for (size_t i = 0; i < EXAMPLES; i++) {
		lead_in(&e, examples[i].before);
		if (!explain(&e, examples[i].line, &x))
			fail_msg("not found: %s", examples[i].line);
		assert_string_equal(x.code, examples[i].code);
		assert_string_equal(x.subject.device, examples[i].device);
		assert_int_equal(x.subject.partition, examples[i].partition);
		assert_string_equal(x.subject.volume, examples[i].volume);
		assert_string_equal(x.subject.label, examples[i].label);
	}
}

/* Ten thousand lines, a published one every 97th, in a log of other things. */
static void a_log_has_each_and_no_other(void **state)
{
	static const char *const others[] = {
		"cpu3:2097573)ScsiDeviceIO: 3047: Cmd(0x439500) 0x2a, CmdSN 0x1 from world 1 to dev \"naa.6001\" "
		"failed",
		"LVM: 7404: Device naa.6001:1 was seen",
		"Device naa.6001:1 detected to be a snapshot",
		"Vol3: x: Couldn't read volume header from eui.39:1: Timeout",
		"Total Errors Found: 1",
		"UUID: " UUID,
		"1 2048 325058526 AA31E02A400F11DB9590000C2911D1B8 vmfs 0",
		"20233 255 63 325058560",
		"gpt is fine",
		"Volume Names: many",
		"Lock [type 10c00002 offset 5",
		UUID,
		"VMFS volume on naa.6001:1 is sound",
		"XLVM: 7404: Device naa.6001:1 detected to be a snapshot:",
		"Snapshot LVs incomplete",
		"Can mount: Yes",
	};
	struct vk_explainer e = {0};
	struct vk_explained x;
	size_t found = 0, wanted = 0;

	(void)state;
	for (size_t i = 0; i < 10000; i++) {
		const struct example *example = &examples[i / 97 % EXAMPLES];
		const char *line = others[i % (sizeof(others) / sizeof(others[0]))];

		/* an empty line ends what a tool printed */
		(void)vk_explain(&e, "", 0, &x);
		if (i % 97 == 0) {
			wanted++;
			lead_in(&e, example->before);
			line = example->line;
		}
		if (!explain(&e, line, &x))
			continue;
		found++;
		if (i % 97 != 0)
			fail_msg("invented: %s: %s", line, x.code);
	}
	assert_int_equal(found, wanted);
	assert_true(wanted > EXAMPLES);
}

/* Each row is reached by some example or is the same message in another
 * writing. */
static void rows_have_words(void **state)
{
	(void)state;
	assert_true(vk_explain_row_count > 60);
	for (size_t i = 0; i < vk_explain_row_count; i++) {
		const struct vk_explain_message *m = &vk_explain_rows[i].message;

		assert_true(m->form[0] != '\0' && strchr(m->code, '.') != NULL && strlen(m->means) > 8);
		for (size_t k = 0; k < i; k++)
			if (vk_explain_rows[k].place == vk_explain_rows[i].place)
				assert_string_not_equal(vk_explain_rows[k].message.form, m->form);
	}
}

/* Each line cut at each byte, and with each byte changed: bounds hold, in a
 * buffer of exactly that length. */
static void any_bytes_are_survived(void **state)
{
	struct vk_explainer e;
	struct vk_explained x;

	(void)state;
	for (size_t i = 0; i < EXAMPLES; i++) {
		const size_t len = strlen(examples[i].line);

		for (size_t cut = 0; cut <= len; cut++) {
			char *copy = malloc(cut + 1);

			assert_non_null(copy);
			memcpy(copy, examples[i].line, cut);
			lead_in(&e, examples[i].before);
			(void)vk_explain(&e, copy, cut, &x);
			for (size_t at = cut > 4 ? cut - 4 : 0; at < cut; at++) {
				copy[at] = (char)(copy[at] ^ 0xFF);
				(void)vk_explain(&e, copy, cut, &x);
				copy[at] = 0;
				(void)vk_explain(&e, copy, cut, &x);
			}
			free(copy);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_message_is_found_with_what_it_names),
		cmocka_unit_test(a_log_has_each_and_no_other),
		cmocka_unit_test(rows_have_words),
		cmocka_unit_test(any_bytes_are_survived),
	};

	return cmocka_run_group_tests_name("explain", tests, NULL, NULL);
}
