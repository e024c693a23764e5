/* SPDX-License-Identifier: Apache-2.0 */
/* Guards that need no disk: their names, numbers, identities, kinds of table, ticking heartbeats. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "cmd/restore/restore_run.h"
#include "repair/guard/guards.h"

enum { DISK_BYTES = 1 << 20, SLOT = 512, BEATS_AT = 65536, BEATS = 8192 };

/* A restore without a disk: 1 MiB in memory, one captured partition, one region of the table. */
struct bench {
	struct vk_restore restore;
	struct vk_source before, after, captured;
	struct vk_disk_facts facts;
	struct vk_capture capture;
	struct vk_region region;
	struct vk_identity identity;
	struct vk_captured_place place;
	bool chosen;
	uint8_t *bytes;
	struct vk_lvm_volume_at volume;
};

static void set_uuid(struct vk_vmfs_uuid *uuid, uint8_t value)
{
	memset(uuid->b, value, sizeof(uuid->b));
}

static void uuid_text(uint8_t value, char ret_text[VK_VMFS_UUID_TEXT_BYTES])
{
	struct vk_vmfs_uuid uuid;

	set_uuid(&uuid, value);
	vk_vmfs_uuid_format(&uuid, ret_text);
}

static struct bench *bench_new(void)
{
	struct bench *b = test_calloc(1, sizeof(*b));
	struct vk_vmfs *vmfs = &b->place.vmfs;
	bool certain;

	b->bytes = test_calloc(1, DISK_BYTES);
	b->restore.capture = &b->capture;
	b->restore.before = &b->before;
	b->restore.facts = &b->facts;
	b->restore.target = (struct vk_target_id){.size_bytes = DISK_BYTES, .sector_size = 512};
	b->restore.io = vk_io_memory("disk", b->bytes, DISK_BYTES, false);
	b->restore.overlay = vk_overlay_new(b->restore.io);
	b->restore.places = &b->place;
	b->restore.place_count = 1;
	b->restore.chosen = &b->chosen;
	b->before.kind = VK_SOURCE_DISK;
	b->restore.options.heartbeat_wait_ms = 1;
	b->capture.size_bytes = DISK_BYTES;
	strcpy(b->capture.wwid, "naa.600144f07ed404000000496ff8cd0003");
	strcpy(b->facts.wwid, b->capture.wwid);
	b->capture.sector_size = 512;
	b->capture.table_kind = VK_TABLE_MBR;
	b->capture.regions = &b->region;
	b->capture.region_count = 1;
	b->region = (struct vk_region){.file = "head.raw", .part = VK_PART_TABLE, .length_bytes = 32768};
	b->chosen = true;
	b->place.identity = &b->identity;
	b->place.start_bytes = 65536;
	b->place.length_bytes = DISK_BYTES - 65536;
	b->identity = (struct vk_identity){.partition = 1, .start_sector = 128};

	vmfs->lvm_usable = true;
	vmfs->fs_usable = true;
	set_uuid(&vmfs->lvm.devID, 1);
	set_uuid(&vmfs->fs.uuid, 3);
	set_uuid(&b->volume.volume.uuid, 2);
	b->volume.volume.state = VK_LVM_NORMAL;
	vmfs->volumes = &b->volume;
	vmfs->volume_count = 1;
	assert_int_equal(vk_scsi_disk_id_from_name("naa.600144f07ed404000000496ff8cd0003", "COMSTA", 3,
						   &vmfs->lvm.diskID),
			 VK_OK);
	vk_scsi_disk_id_name(&vmfs->lvm.diskID, b->identity.disk_id, &certain);
	uuid_text(1, b->identity.device_uuid);
	uuid_text(2, b->identity.volume_uuid);
	uuid_text(3, b->identity.fs_uuid);
	return b;
}

static void bench_free(struct bench *b)
{
	vk_guard_heartbeat_forget(&b->restore);
	vk_overlay_free(b->restore.overlay);
	vk_io_close(b->restore.io);
	free(b->restore.objections);
	for (size_t i = 0; i < b->restore.remark_count; i++)
		free(b->restore.remarks[i]);
	free(b->restore.remarks);
	test_free(b->bytes);
	test_free(b);
}

static void edit_sector_0(struct bench *b)
{
	uint8_t sector[512];

	memset(sector, 0xee, sizeof(sector));
	assert_int_equal(vk_overlay_put(b->restore.overlay, 0, sector, sizeof(sector), "MBR",
					VK_WRITE_MBR, NULL),
			 VK_OK);
}

/* The guard says exactly this; VK_GUARD_COUNT: nothing. */
static void expect(struct bench *b, vk_guard_ask *ask, enum vk_guard guard)
{
	struct vk_error err;

	free(b->restore.objections);
	b->restore.objections = NULL;
	b->restore.objection_count = 0;
	assert_int_equal(ask(&b->restore, &err), VK_OK);
	if (guard == VK_GUARD_COUNT) {
		assert_int_equal(b->restore.objection_count, 0);
		return;
	}
	assert_int_equal(b->restore.objection_count, 1);
	assert_int_equal(b->restore.objections[0].guard, guard);
	assert_true(strlen(b->restore.objections[0].message) > 20);
}

static void names_are_those_of_the_table(void **state)
{
	char names[400] = "";

	(void)state;
	for (int i = 0; i < VK_GUARD_COUNT; i++) {
		strcat(names, i == 0 ? "" : " ");
		strcat(names, vk_guard_kind((enum vk_guard)i)->name);
	}
	/* what the command line offers: a bit of --override is the number of its guard */
	assert_string_equal(names, VK_RESTORE_GUARD_NAMES);
}

static void numbers(void **state)
{
	struct bench *b = bench_new();

	(void)state;
	expect(b, vk_guards_ask_all, VK_GUARD_COUNT);
	b->capture.size_bytes++;
	expect(b, vk_guards_ask_all, VK_GUARD_SIZE);
	b->capture.size_bytes -= 2;
	expect(b, vk_guards_ask_all, VK_GUARD_SIZE);
	b->capture.size_bytes++;
	b->capture.sector_size = 4096;
	expect(b, vk_guards_ask_all, VK_GUARD_SECTOR_SIZE);
	assert_true(vk_restore_refused(&b->restore));
	b->restore.options.overrides = 1U << VK_GUARD_SECTOR_SIZE;
	expect(b, vk_guards_ask_all, VK_GUARD_SECTOR_SIZE);
	assert_false(vk_restore_refused(&b->restore));
	b->capture.sector_size = 512;
	vk_restore_add_hole(&b->restore, 4096, 512);
	expect(b, vk_guards_ask_all, VK_GUARD_UNREADABLE);
	bench_free(b);
}

static void identities_contradict(void **state)
{
	struct bench *b = bench_new();
	struct vk_vmfs *vmfs = &b->place.vmfs;

	(void)state;
	expect(b, vk_guard_ask_identity, VK_GUARD_COUNT);
	vmfs->lvm.diskID.id[3] ^= 1;
	expect(b, vk_guard_ask_identity, VK_GUARD_DISK_ID);
	vmfs->lvm.diskID.id[3] ^= 1;
	/* another LUN number is the same LUN */
	vmfs->lvm.diskID.lun++;
	expect(b, vk_guard_ask_identity, VK_GUARD_COUNT);
	vmfs->lvm.devID.b[15] ^= 1;
	expect(b, vk_guard_ask_identity, VK_GUARD_DEVICE_UUID);
	vmfs->lvm.devID.b[15] ^= 1;
	b->volume.volume.uuid.b[0] ^= 1;
	expect(b, vk_guard_ask_identity, VK_GUARD_VOLUME_UUID);
	b->volume.volume.uuid.b[0] ^= 1;
	vmfs->fs.uuid.b[0] ^= 1;
	expect(b, vk_guard_ask_identity, VK_GUARD_VOLUME_UUID);
	/* without a header, the descriptor names its volume */
	vmfs->fs.uuid.b[0] ^= 1;
	vmfs->lvm_usable = false;
	set_uuid(&vmfs->fs.volInfo, 2);
	expect(b, vk_guard_ask_identity, VK_GUARD_COUNT);
	set_uuid(&vmfs->fs.volInfo, 9);
	expect(b, vk_guard_ask_identity, VK_GUARD_VOLUME_UUID);
	bench_free(b);
}

static void damage_cannot_contradict(void **state)
{
	struct bench *b = bench_new();
	struct vk_vmfs *vmfs = &b->place.vmfs;

	(void)state;
	set_uuid(&vmfs->lvm.devID, 7);
	set_uuid(&b->volume.volume.uuid, 8);
	set_uuid(&vmfs->fs.uuid, 9);
	memset(vmfs->lvm.diskID.id, 0x61, 8);
	vmfs->lvm_usable = false;
	vmfs->fs_usable = false;
	expect(b, vk_guard_ask_identity, VK_GUARD_COUNT);
	/* a wiped volume descriptor behind a sound header */
	vmfs->lvm_usable = true;
	set_uuid(&vmfs->lvm.devID, 1);
	memset(&vmfs->lvm.diskID, 0, sizeof(vmfs->lvm.diskID));
	b->volume.volume.state = VK_LVM_INVALID;
	expect(b, vk_guard_ask_identity, VK_GUARD_COUNT);
	/* of an undo whose every byte is known, nobody asks */
	set_uuid(&vmfs->lvm.devID, 7);
	b->restore.known_state = true;
	expect(b, vk_guard_ask_identity, VK_GUARD_COUNT);
	b->restore.known_state = false;
	expect(b, vk_guard_ask_identity, VK_GUARD_DEVICE_UUID);
	bench_free(b);
}

static void changes_since_a_restore(void **state)
{
	struct bench *b = bench_new();

	(void)state;
	b->restore.captured_io = b->restore.io;
	b->restore.knowledge.judged = true;
	expect(b, vk_guards_ask_all, VK_GUARD_COUNT);
	b->capture.is_undo = true;
	expect(b, vk_guards_ask_all, VK_GUARD_CHANGED);
	b->restore.known_state = true;
	expect(b, vk_guards_ask_all, VK_GUARD_COUNT);
	b->restore.known_state = false;
	/* nothing to compare with: said, and refused only where other bytes than those written are at stake */
	b->restore.knowledge.judged = false;
	expect(b, vk_guards_ask_all, VK_GUARD_COUNT);
	assert_non_null(vk_restore_remark(&b->restore, 0));
	assert_null(vk_restore_remark(&b->restore, 1));
	b->restore.knowledge.has_gaps = true;
	expect(b, vk_guards_ask_all, VK_GUARD_CHANGED);
	bench_free(b);
}

/* Ids that repair found to be damage are nobody's; all others are. */
static void replaced_ids(void **state)
{
	struct bench *b = bench_new();
	char was[VK_VMFS_UUID_TEXT_BYTES];
	char *replaced[] = {was, NULL};

	(void)state;
	set_uuid(&b->place.vmfs.lvm.devID, 7);
	expect(b, vk_guard_ask_identity, VK_GUARD_DEVICE_UUID);
	uuid_text(7, was);
	b->capture.is_rebuilt = true;
	b->capture.rebuilt.replaced = replaced;
	expect(b, vk_guard_ask_identity, VK_GUARD_COUNT);
	set_uuid(&b->place.vmfs.lvm.devID, 8);
	expect(b, vk_guard_ask_identity, VK_GUARD_DEVICE_UUID);
	bench_free(b);
}

/* A sound table's partition that ends elsewhere afterwards counts, also where the table was rebuilt. */
static void ends_are_compared(void **state)
{
	struct bench *b = bench_new();
	struct vk_partition before = {.number = 1, .start_sector = 128, .sectors = 1000, .mbr_type = 0xfb};
	struct vk_partition after = before;
	struct vk_table *table = &b->before.table;

	(void)state;
	edit_sector_0(b);
	after.sectors = 1500;
	table->kind = VK_TABLE_MBR;
	table->mbr_seen_bytes = 512;
	table->mbr.signature = VK_MBR_SIGNATURE;
	table->mbr.entries[0] = (struct vk_mbr_entry){.type = 0xfb, .firstLBA = 128, .sectors = 1000};
	table->partitions = &before;
	table->partition_count = 1;
	b->restore.captured = &b->captured;
	b->captured.table.partitions = &after;
	b->captured.table.partition_count = 1;
	expect(b, vk_guard_ask_table_partitions, VK_GUARD_TABLE_PARTITIONS);
	b->capture.is_rebuilt = true;
	expect(b, vk_guard_ask_table_partitions, VK_GUARD_TABLE_PARTITIONS);
	after.sectors = 1000;
	expect(b, vk_guard_ask_table_partitions, VK_GUARD_COUNT);
	after.mbr_type = 0x83;
	expect(b, vk_guard_ask_table_partitions, VK_GUARD_TABLE_PARTITIONS);
	bench_free(b);
}

static void a_volume_elsewhere(void **state)
{
	struct bench *b = bench_new();
	struct vk_vmfs other = {.start_sector = 1024, .sectors = 512, .lvm_usable = true};

	(void)state;
	set_uuid(&other.lvm.devID, 5);
	b->before.vmfs = &other;
	b->before.vmfs_count = 1;
	expect(b, vk_guard_ask_identity, VK_GUARD_COUNT); /* it stays as it is */
	edit_sector_0(b);
	expect(b, vk_guard_ask_identity, VK_GUARD_DEVICE_UUID); /* it would leave the table */
	set_uuid(&other.lvm.devID, 1);
	expect(b, vk_guard_ask_identity, VK_GUARD_COUNT); /* the captured one, moved */
	other.lvm_usable = false;
	set_uuid(&other.lvm.devID, 5);
	expect(b, vk_guard_ask_identity, VK_GUARD_COUNT);
	bench_free(b);
}

static void kinds_of_table(void **state)
{
	struct bench *b = bench_new();
	struct vk_table *table = &b->before.table;

	(void)state;
	table->gpt[1].sound = true;
	expect(b, vk_guard_ask_table_kind, VK_GUARD_COUNT); /* the table is not touched */
	edit_sector_0(b);
	expect(b, vk_guard_ask_table_kind, VK_GUARD_TABLE_KIND);
	/* an MBR with partitions of its own beats what is left of a GPT */
	table->mbr_seen_bytes = 512;
	table->mbr.signature = VK_MBR_SIGNATURE;
	table->mbr.entries[0] = (struct vk_mbr_entry){.type = 0xfb, .firstLBA = 128, .sectors = 10};
	expect(b, vk_guard_ask_table_kind, VK_GUARD_COUNT);
	b->capture.table_kind = VK_TABLE_GPT;
	expect(b, vk_guard_ask_table_kind, VK_GUARD_TABLE_KIND);
	table->mbr.entries[0].type = VK_MBR_TYPE_PROTECTIVE;
	expect(b, vk_guard_ask_table_kind, VK_GUARD_COUNT);
	/* damaged tables do not count */
	table->mbr.entries[0].type = 0xfb;
	table->mbr.signature = 0;
	table->gpt[1].sound = false;
	expect(b, vk_guard_ask_table_kind, VK_GUARD_COUNT);
	/* an undo may go back to either */
	table->mbr.signature = VK_MBR_SIGNATURE;
	b->capture.is_undo = true;
	b->restore.after = &b->after;
	b->after.table.kind = VK_TABLE_MBR;
	expect(b, vk_guard_ask_table_kind, VK_GUARD_COUNT);
	b->chosen = false;
	bench_free(b);
}

/* A disk whose first heartbeat slot beats at every read. */
static enum vk_status beating_read(void *self, uint64_t offset, void *buf, size_t len, size_t *ret_got,
				   struct vk_error *err)
{
	uint8_t *bytes = self;

	(void)err;
	bytes[BEATS_AT + 0x14]++;
	memcpy(buf, bytes + offset, len);
	*ret_got = len;
	return VK_OK;
}

static void heartbeats(void **state)
{
	static const struct vk_io_ops ops = {beating_read, NULL, NULL};
	struct bench *b = bench_new();

	(void)state;
	b->identity.heartbeat_offset_bytes = BEATS_AT;
	b->identity.heartbeat_length_bytes = BEATS;
	b->identity.heartbeat_slot_bytes = SLOT;
	vk_overlay_free(b->restore.overlay);
	vk_io_close(b->restore.io);
	b->restore.io = vk_io_new(&ops, b->bytes, "beating", DISK_BYTES, 512);
	b->restore.overlay = vk_overlay_new(b->restore.io);
	vk_put_le32(b->bytes + BEATS_AT, VK_HB_IN_USE);
	expect(b, vk_guard_ask_heartbeat, VK_GUARD_COUNT); /* nothing would be changed */
	edit_sector_0(b);
	expect(b, vk_guard_ask_heartbeat, VK_GUARD_HEARTBEAT);
	/* a slot that is free does not beat, whatever else changes; nobody waits for it */
	vk_put_le32(b->bytes + BEATS_AT, VK_HB_FREE);
	b->restore.options.heartbeat_wait_ms = 600 * 1000;
	expect(b, vk_guard_ask_heartbeat, VK_GUARD_COUNT);
	bench_free(b);
}

static void a_crashed_host_does_not_beat(void **state)
{
	struct bench *b = bench_new();

	(void)state;
	b->identity.heartbeat_offset_bytes = BEATS_AT;
	b->identity.heartbeat_length_bytes = BEATS;
	b->identity.heartbeat_slot_bytes = SLOT;
	vk_put_le32(b->bytes + BEATS_AT, VK_HB_IN_USE);
	edit_sector_0(b);
	expect(b, vk_guard_ask_heartbeat, VK_GUARD_COUNT);
	/* numbers of a hostile manifest */
	b->identity.heartbeat_slot_bytes = 0;
	expect(b, vk_guard_ask_heartbeat, VK_GUARD_COUNT);
	b->identity.heartbeat_slot_bytes = SLOT;
	b->identity.heartbeat_length_bytes = UINT64_MAX / SLOT * SLOT;
	expect(b, vk_guard_ask_heartbeat, VK_GUARD_COUNT);
	b->identity.heartbeat_length_bytes = BEATS;
	b->identity.heartbeat_offset_bytes = UINT64_MAX - 511;
	expect(b, vk_guard_ask_heartbeat, VK_GUARD_COUNT);
	bench_free(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_those_of_the_table),
		cmocka_unit_test(numbers),
		cmocka_unit_test(identities_contradict),
		cmocka_unit_test(damage_cannot_contradict),
		cmocka_unit_test(changes_since_a_restore),
		cmocka_unit_test(replaced_ids),
		cmocka_unit_test(ends_are_compared),
		cmocka_unit_test(a_volume_elsewhere),
		cmocka_unit_test(kinds_of_table),
		cmocka_unit_test(heartbeats),
		cmocka_unit_test(a_crashed_host_does_not_beat),
	};

	return cmocka_run_group_tests_name("guards", tests, NULL, NULL);
}
