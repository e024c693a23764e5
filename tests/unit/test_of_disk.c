/* SPDX-License-Identifier: Apache-2.0 */
/* Whose capture is this: rows of what is known of both, the answer, and what decided it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "store/folder/identity_of_run.h"
#include "vmfskit/of_disk.h"

#define A "naa.600144f07ed404000000496ff8cd0003"
#define B "naa.6999999999999999999999999999bbbb"
#define EUI "eui.0025385b71b0aaaa"
#define UUID_A "4f4173d4-0701d01f-55a3-0050561003be"
#define UUID_B "53b1f132-3e575ef1-dc11-005056305495"
#define NIL "00000000-00000000-0000-000000000000"
#define GB (UINT64_C(1) << 30)

/* One side: what the device says, and what stands at sector 2048. */
struct side {
	const char *wwid, *serial, *model, *disk_id, *device, *fs;
	unsigned inode;      /* 0: no file */
	unsigned born;
	unsigned partition;  /* 0: a whole device */
	unsigned start;
	bool is_partition;   /* decoded as one */
	bool is_device;
	bool elsewhere;      /* on another host */
	uint64_t size;       /* 0: 1 GiB */
};

struct row {
	const char *what;
	struct side was, now;
	enum vk_is_of is_of;
	enum vk_proof by;
	bool same_volume;
};

static const struct row rows[] = {
	/* the WWID */
	{"the same LUN", {.wwid = A}, {.wwid = A}, VK_OF_CERTAIN, VK_PROOF_WWID, false},
	{"in other letters", {.wwid = A}, {.wwid = "naa.600144F07ED404000000496FF8CD0003"}, VK_OF_CERTAIN, VK_PROOF_WWID, false},
	{"it has grown", {.wwid = A}, {.wwid = A, .size = 2 * GB}, VK_OF_LIKELY, VK_PROOF_WWID, false},
	{"it was formatted since", {.wwid = A, .device = UUID_A}, {.wwid = A, .device = UUID_B}, VK_OF_CERTAIN, VK_PROOF_WWID, false},
	{"another LUN", {.wwid = A}, {.wwid = B}, VK_OF_NO, VK_PROOF_WWID, false},
	{"a replica: all else is the same",
	 {.wwid = A, .serial = "1", .model = "m", .disk_id = A, .device = UUID_A, .fs = UUID_A, .inode = 5},
	 {.wwid = B, .serial = "1", .model = "m", .disk_id = A, .device = UUID_A, .fs = UUID_A, .inode = 5},
	 VK_OF_NO, VK_PROOF_WWID, true},
	{"names of another kind are others", {.wwid = A}, {.wwid = EUI}, VK_OF_NO, VK_PROOF_WWID, false},
	/* the captured headers, where the capture has no WWID */
	{"headers written for another eui. LUN, on a clone of it",
	 {.disk_id = EUI, .device = UUID_A, .fs = UUID_A},
	 {.wwid = "eui.0025385b71b0bbbb", .disk_id = EUI, .device = UUID_A, .fs = UUID_A},
	 VK_OF_NO, VK_PROOF_RECORDED_ID, true},
	{"headers written for this LUN", {.disk_id = A}, {.wwid = A}, VK_OF_CERTAIN, VK_PROOF_RECORDED_ID, false},
	{"headers written for another", {.disk_id = A}, {.wwid = B}, VK_OF_NO, VK_PROOF_RECORDED_ID, false},
	{"headers written for another, on a copy",
	 {.disk_id = A, .device = UUID_A}, {.wwid = B, .disk_id = A, .device = UUID_A}, VK_OF_NO, VK_PROOF_RECORDED_ID, true},
	{"a name of another kind says nothing", {.disk_id = A}, {.wwid = EUI}, VK_OF_UNKNOWN, VK_PROOF_NONE, false},
	/* numbers of the device */
	{"another serial number beats the headers", {.serial = "1", .device = UUID_A}, {.serial = "2", .device = UUID_A},
	 VK_OF_NO, VK_PROOF_SERIAL, true},
	{"the same serial number and model", {.serial = "1", .model = "m"}, {.serial = "1", .model = "m"}, VK_OF_LIKELY,
	 VK_PROOF_SERIAL, false},
	{"the same number of another model", {.serial = "1", .model = "m"}, {.serial = "1", .model = "n"}, VK_OF_UNKNOWN,
	 VK_PROOF_NONE, false},
	{"only the model", {.model = "m"}, {.model = "m"}, VK_OF_UNKNOWN, VK_PROOF_NONE, false},
	{"a serial number does not beat another volume", {.serial = "1", .device = UUID_A}, {.serial = "1", .device = UUID_B},
	 VK_OF_NO, VK_PROOF_DEVICE_UUID, false},
	{"a WWID on one side only", {.wwid = A}, {.model = "m"}, VK_OF_UNKNOWN, VK_PROOF_NONE, false},
	/* partitions of one disk */
	{"the same partition", {.wwid = A, .is_partition = true, .partition = 1, .start = 2048},
	 {.wwid = A, .is_partition = true, .is_device = true, .partition = 1, .start = 2048}, VK_OF_CERTAIN, VK_PROOF_WWID, false},
	{"its number is another now", {.wwid = A, .is_partition = true, .partition = 1, .start = 2048},
	 {.wwid = A, .is_partition = true, .is_device = true, .partition = 3, .start = 2048}, VK_OF_CERTAIN, VK_PROOF_WWID, false},
	{"another partition", {.wwid = A, .is_partition = true, .partition = 1, .start = 2048},
	 {.wwid = A, .is_partition = true, .is_device = true, .partition = 2, .start = 4096}, VK_OF_NO, VK_PROOF_PARTITION, false},
	{"the whole disk where a partition was captured", {.wwid = A, .is_partition = true, .partition = 1, .start = 2048},
	 {.wwid = A, .is_partition = true, .is_device = true}, VK_OF_NO, VK_PROOF_PARTITION, false},
	{"a partition where the whole disk was captured", {.wwid = A},
	 {.wwid = A, .is_device = true, .partition = 1, .start = 2048}, VK_OF_NO, VK_PROOF_PARTITION, false},
	{"a partition, not told which", {.wwid = A, .is_partition = true},
	 {.wwid = A, .is_partition = true, .is_device = true, .partition = 1, .start = 2048}, VK_OF_UNKNOWN, VK_PROOF_NONE, false},
	{"a partition, told by its header", {.wwid = A, .is_partition = true, .device = UUID_A},
	 {.wwid = A, .is_partition = true, .is_device = true, .partition = 1, .start = 2048, .device = UUID_A}, VK_OF_CERTAIN,
	 VK_PROOF_DEVICE_UUID, true},
	{"a partition of a disk that was captured whole", {.wwid = A},
	 {.wwid = A, .is_partition = true, .is_device = true, .partition = 1, .start = 2048}, VK_OF_LIKELY, VK_PROOF_WWID, false},
	/* what stands on it */
	{"the disk id", {.disk_id = A}, {.disk_id = A}, VK_OF_CERTAIN, VK_PROOF_DISK_ID, false},
	{"the disk id, longer disk", {.disk_id = A}, {.disk_id = A, .size = 2 * GB}, VK_OF_LIKELY, VK_PROOF_DISK_ID, false},
	{"the device UUID", {.device = UUID_A}, {.device = UUID_A}, VK_OF_CERTAIN, VK_PROOF_DEVICE_UUID, true},
	{"the file system's UUID", {.device = UUID_A, .fs = UUID_A}, {.fs = UUID_A}, VK_OF_CERTAIN, VK_PROOF_VOLUME_UUID, true},
	{"another file system on a device whose header is gone", {.device = UUID_A, .fs = UUID_A}, {.fs = UUID_B}, VK_OF_NO,
	 VK_PROOF_VOLUME_UUID, false},
	{"another device UUID", {.device = UUID_A}, {.device = UUID_B}, VK_OF_NO, VK_PROOF_DEVICE_UUID, false},
	{"the UUID, but the disk id of another LUN", {.disk_id = A, .device = UUID_A}, {.disk_id = B, .device = UUID_A}, VK_OF_NO,
	 VK_PROOF_DISK_ID, true},
	{"UUIDs of zeros are none", {.device = NIL, .fs = NIL}, {.device = NIL, .fs = NIL}, VK_OF_UNKNOWN, VK_PROOF_NONE, false},
	{"a place is no disk id", {.disk_id = "mpx.vmhba1:C0:T0:L0"}, {.disk_id = "mpx.vmhba1:C0:T0:L0"}, VK_OF_UNKNOWN,
	 VK_PROOF_NONE, false},
	/* image files */
	{"the file, wiped", {.inode = 5, .born = 7, .device = UUID_A}, {.inode = 5, .born = 7}, VK_OF_CERTAIN, VK_PROOF_FILE, false},
	{"another file", {.inode = 5}, {.inode = 6}, VK_OF_UNKNOWN, VK_PROOF_NONE, false},
	{"another file that got its number", {.inode = 5, .born = 7}, {.inode = 5, .born = 8}, VK_OF_UNKNOWN, VK_PROOF_NONE, false},
	{"where the file system does not tell when", {.inode = 5, .born = 7}, {.inode = 5}, VK_OF_CERTAIN, VK_PROOF_FILE, false},
	{"and on another host", {.inode = 5, .elsewhere = true}, {.inode = 5}, VK_OF_UNKNOWN, VK_PROOF_NONE, false},
	{"the file with another length", {.inode = 5}, {.inode = 5, .size = 2 * GB}, VK_OF_UNKNOWN, VK_PROOF_NONE, false},
	{"another disk was written into the file", {.inode = 5, .device = UUID_A}, {.inode = 5, .device = UUID_B}, VK_OF_NO,
	 VK_PROOF_DEVICE_UUID, false},
	{"in the same file another disk id is damage", {.inode = 5, .disk_id = A, .device = UUID_A},
	 {.inode = 5, .disk_id = B, .device = UUID_A}, VK_OF_LIKELY, VK_PROOF_DEVICE_UUID, true},
	{"nothing", {.device = UUID_A}, {.is_device = true}, VK_OF_UNKNOWN, VK_PROOF_NONE, false},
};

static void put(char *text, size_t cap, const char *value)
{
	snprintf(text, cap, "%s", value != NULL ? value : "");
}

static struct vk_identity identity_of(const struct side *s)
{
	struct vk_identity id = {.partition = 1, .start_sector = s->is_partition ? 0 : 2048, .sectors = 1000};

	put(id.disk_id, sizeof(id.disk_id), s->disk_id);
	put(id.device_uuid, sizeof(id.device_uuid), s->device);
	put(id.fs_uuid, sizeof(id.fs_uuid), s->fs);
	return id;
}

static void fill(const struct side *s, struct vk_capture *c)
{
	put(c->wwid, sizeof(c->wwid), s->wwid);
	put(c->disk_serial, sizeof(c->disk_serial), s->serial);
	put(c->disk_model, sizeof(c->disk_model), s->model);
	c->device_partition = s->partition;
	c->device_start_sector = s->start;
	c->file = (struct vk_file_id){s->inode != 0, s->inode, s->born};
	c->source_kind = s->is_partition ? VK_SOURCE_PARTITION : VK_SOURCE_DISK;
	c->size_bytes = s->size != 0 ? s->size : GB;
	c->sector_size = 512;
	vk_who_host(c->host);
	if (s->elsewhere)
		strcpy(c->host, "another host");
}

static struct vk_disk_facts facts_of(const struct side *s, struct vk_disk_place *place)
{
	struct vk_disk_facts facts = {.is_device = s->is_device, .places = place, .place_count = 1};
	struct vk_capture c = {.path = NULL};

	fill(s, &c);
	memcpy(facts.wwid, c.wwid, sizeof(facts.wwid));
	memcpy(facts.serial, c.disk_serial, sizeof(facts.serial));
	memcpy(facts.model, c.disk_model, sizeof(facts.model));
	facts.device_partition = c.device_partition;
	facts.device_start_sector = c.device_start_sector;
	facts.file = c.file;
	facts.kind = c.source_kind;
	/* a partition of a disk is shorter than the disk */
	facts.size_bytes = s->partition != 0 && !s->is_partition ? GB / 2 : c.size_bytes;
	*place = (struct vk_disk_place){.start_bytes = s->is_partition ? 0 : 2048 * 512, .identity = identity_of(s)};
	return facts;
}

static void each_row(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct row *r = &rows[i];
		struct vk_identity identity = identity_of(&r->was);
		struct vk_capture c = {.identities = &identity, .identity_count = 1};
		struct vk_disk_place place;
		struct vk_disk_facts facts = facts_of(&r->now, &place);
		struct vk_of_disk answer;

		fill(&r->was, &c);
		if (c.source_kind != facts.kind)
			facts.size_bytes = GB / 2;
		vk_capture_is_of(&c, &facts, &answer);
		if (answer.is_of != r->is_of || answer.by != r->by || answer.same_volume != r->same_volume)
			fail_msg("%s: is_of %d by %d same %d: %s", r->what, answer.is_of, answer.by, answer.same_volume,
				 answer.why);
		assert_true(strlen(answer.why) > 20);
		/* what can be told beforehand is told the same */
		if (answer.is_of >= VK_OF_LIKELY && vk_capture_contradicts(&c, &facts))
			fail_msg("%s: contradicted beforehand", r->what);
	}
}

static void a_volume_that_was_replaced_in_repair(void **state)
{
	char *replaced[] = {(char *)(uintptr_t)UUID_B, NULL};
	const struct side was = {.serial = "1", .device = UUID_A}, now = {.serial = "1", .device = UUID_B};
	struct vk_identity identity = identity_of(&was);
	struct vk_capture c = {.identities = &identity, .identity_count = 1, .is_rebuilt = true};
	struct vk_disk_place place;
	struct vk_disk_facts facts = facts_of(&now, &place);
	struct vk_of_disk answer;

	(void)state;
	fill(&was, &c);
	assert_int_equal(vk_capture_is_of(&c, &facts, &answer), VK_OF_NO);
	c.rebuilt.replaced = replaced;
	assert_int_equal(vk_capture_is_of(&c, &facts, &answer), VK_OF_LIKELY);
	assert_int_equal(answer.by, VK_PROOF_SERIAL);
}

/* Two volumes on one disk: one that is the captured one outweighs one that was made anew. */
static void one_of_two_volumes(void **state)
{
	const struct side was = {.device = UUID_A}, other = {.device = UUID_B};
	struct vk_identity identities[2] = {identity_of(&was), identity_of(&was)};
	struct vk_capture c = {.identities = identities, .identity_count = 2};
	struct vk_disk_place places[2];
	struct vk_disk_facts facts = facts_of(&was, &places[0]);
	struct vk_of_disk answer;

	(void)state;
	fill(&was, &c);
	identities[1].start_sector = 9999;
	places[1] = (struct vk_disk_place){.start_bytes = 9999 * 512, .identity = identity_of(&other)};
	facts.places = places;
	facts.place_count = 2;
	assert_int_equal(vk_capture_is_of(&c, &facts, &answer), VK_OF_LIKELY);
	/* another size is never certain, an uncertain one may be */
	facts.place_count = 1;
	c.identity_count = 1;
	c.size_bytes--;
	assert_int_equal(vk_capture_is_of(&c, &facts, &answer), VK_OF_LIKELY);
	c.size_uncertain = true;
	assert_int_equal(vk_capture_is_of(&c, &facts, &answer), VK_OF_CERTAIN);
}

/* Names are read through the descriptor: a file that was moved is itself, one that took its name is not. */
static void a_file_is_known_by_its_descriptor(void **state)
{
	char path[] = "/tmp/vmfskit-of-disk-XXXXXX", moved[64], text[600], again[600];
	int fd = mkostemp(path, O_CLOEXEC), other;
	struct vk_disk_facts facts, now;
	struct vk_text out;

	(void)state;
	assert_true(fd >= 0);
	vk_disk_facts_of_path(path, &facts);
	assert_true(facts.file.inode != 0);
	assert_true(vk_disk_facts_still(&facts, fd, &now));
	snprintf(moved, sizeof(moved), "%s.moved", path);
	assert_int_equal(rename(path, moved), 0);
	assert_true(vk_disk_facts_still(&facts, fd, &now));
	other = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	assert_true(other >= 0);
	assert_false(vk_disk_facts_still(&facts, other, &now));
	vk_text_init(&out, text, sizeof(text));
	vk_disk_facts_text(&facts, &out);
	vk_text_init(&out, again, sizeof(again));
	vk_disk_facts_text(&now, &out);
	assert_string_not_equal(text, again);
	close(other);
	close(fd);
	unlink(path);
	unlink(moved);
	/* no file and no device has no names */
	vk_disk_facts_of_path("/dev/null", &facts);
	assert_int_equal(facts.file.inode, 0);
	assert_string_equal(facts.wwid, "");
}

static void assert_name(const struct vk_disk_facts *facts, const char *want)
{
	char text[400] = "";
	struct vk_text out;

	vk_text_init(&out, text, sizeof(text));
	vk_disk_facts_name(facts, &out);
	assert_string_equal(text, want);
}

/* The best name that there is; a partition is another disk than its neighbour, and what has no name has none. */
static void the_name_of_a_disk(void **state)
{
	struct vk_disk_facts facts = {.file = {.device = 7, .inode = 12}};

	(void)state;
	assert_name(&facts, "the file with inode 12 of device 7");
	facts.file.born_ns = 1795994567585350851;
	assert_name(&facts, "the file with inode 12 of device 7, made 2026-11-29T23:22:47.585350Z");
	put(facts.serial, sizeof(facts.serial), "S1");
	put(facts.model, sizeof(facts.model), "Disk");
	assert_name(&facts, "serial number S1 of Disk");
	put(facts.wwid, sizeof(facts.wwid), "naa.6000");
	facts.device_partition = 2;
	assert_name(&facts, "WWID naa.6000, partition 2");
	memset(&facts, 0, sizeof(facts));
	assert_name(&facts, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_row),
		cmocka_unit_test(a_volume_that_was_replaced_in_repair),
		cmocka_unit_test(one_of_two_volumes),
		cmocka_unit_test(a_file_is_known_by_its_descriptor),
		cmocka_unit_test(the_name_of_a_disk),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
