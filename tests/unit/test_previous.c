/* SPDX-License-Identifier: Apache-2.0 */
/* The last capture of a disk, and what the last run saw, from manifests that were written for it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "store/folder/folder.h"
#include "store/manifest/manifest.h"
#include "store/capture/previous.h"
#include "store/folder/identity_of_run.h"
#include "test_store.h"

static char path[64];

static int make_store(void **state)
{
	const char *tmp = getenv("TMPDIR");

	(void)state;
	snprintf(path, sizeof(path), "%.40s/vmfskit-last.XXXXXX", tmp != NULL ? tmp : "/tmp");
	return mkdtemp(path) != NULL ? 0 : -1;
}

static int remove_store(void **state)
{
	char command[100];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf '%s'", path);
	return system(command);
}

/* Second n of a day, disk and WWID; run "" is of an older version. host NULL: this one. */
static void put(unsigned n, const char *disk, const char *wwid, const char *run, const char *host,
		bool undo)
{
	char *command[] = {(char *)(uintptr_t)"vmfskit", NULL};
	struct vk_manifest m = {.restore_bytes = 1};
	struct vk_region region = {.file = "head.raw", .part = VK_PART_TABLE, .length_bytes = 512};
	struct vk_capture *c = &m.capture;
	struct vk_error err = {0};
	char name[300];
	char *text;
	size_t len;
	FILE *f;

	memset(m.restore_sha256, '0', VK_SHA256_HEX_BYTES - 1);
	memset(region.sha256, '0', VK_SHA256_HEX_BYTES - 1);
	snprintf(c->id, sizeof(c->id), "20261121T0145%02uZ-%s", n, strrchr(disk, '/') + 1);
	snprintf(c->time, sizeof(c->time), "2026-11-21T01:45:%02uZ", n);
	c->is_undo = undo;
	c->is_rebuilt = strcmp(run, "rebuilt") == 0;
	snprintf(c->undo_of, sizeof(c->undo_of), "%s", undo ? c->id : "");
	snprintf(c->run, sizeof(c->run), "%s", run);
	snprintf(c->version, sizeof(c->version), "1");
	snprintf(c->source_path, sizeof(c->source_path), "%s", disk);
	snprintf(m.device.wwid, sizeof(m.device.wwid), "%s", wwid);
	if (host != NULL)
		snprintf(c->host, sizeof(c->host), "%s", host);
	else
		vk_who_host(c->host);
	c->command = command;
	c->source_kind = VK_SOURCE_DISK;
	c->size_bytes = 1 << 20;
	c->sector_size = 512;
	c->regions = &region;
	c->region_count = 1;
	assert_int_equal(vk_manifest_write(&m, &text, &len, &err), VK_OK);
	snprintf(name, sizeof(name), "%s/%s", path, c->id);
	assert_int_equal(mkdir(name, 0700), 0);
	strncat(name, "/manifest.json", sizeof(name) - strlen(name) - 1);
	f = fopen(name, "w");
	assert_non_null(f);
	assert_int_equal(fwrite(text, 1, len, f), len);
	fclose(f);
	free(text);
}

/* The last capture of a disk: the part of its id in front of the name, "" for none. */
static const char *last_of(const char *disk, const char *wwid)
{
	static char id[VK_CAPTURE_ID_BYTES];
	struct vk_store *store = test_store(path, VK_STORE_READ);
	struct vk_last_disk one = {.path = disk, .wwid = wwid};
	struct vk_error err = {0};

	assert_int_equal(vk_last_captures(store, &one, 1, &err), VK_OK);
	vk_store_close(store);
	snprintf(id, sizeof(id), "%s", one.id);
	return id;
}

static const struct vk_seen_scope all = {.folder = "", .words = ""};

/* A run that saw these captures; ids with blanks between. */
static void saw(const struct vk_seen_scope *scope, const char *ids)
{
	struct vk_store *store = test_store(path, VK_STORE_RUN);
	char words[400];
	const char *list[10];
	size_t count = 0;
	struct vk_error err = {0};

	snprintf(words, sizeof(words), "%s", ids);
	for (char *word = strtok(words, " "); word != NULL; word = strtok(NULL, " "))
		list[count++] = word;
	assert_int_equal(vk_seen_write(store, scope, list, count, &err), VK_OK);
	vk_store_close(store);
}

/* Paths that are gone when one disk is seen, blanks between. */
static const char *gone_in(const struct vk_seen_scope *scope, const char *disk, const char *wwid)
{
	static char text[400];
	struct vk_store *store = test_store(path, VK_STORE_READ);
	struct vk_last_disk one = {.path = disk, .wwid = wwid};
	struct vk_gones gones;
	struct vk_error err = {0};

	text[0] = '\0';
	assert_int_equal(vk_seen_gone(store, scope, &one, 1, &gones, &err), VK_OK);
	for (size_t i = 0; i < gones.count; i++) {
		strncat(text, i > 0 ? " " : "", sizeof(text) - strlen(text) - 1);
		strncat(text, gones.captures[i].source_path, sizeof(text) - strlen(text) - 1);
	}
	vk_gones_free(&gones);
	vk_store_close(store);
	return text;
}

static const char *gone_without(const char *disk)
{
	return gone_in(&all, disk, "");
}

static void by_wwid_and_path(void **state)
{
	(void)state;
	put(1, "/dev/sda", "naa.1", "a", NULL, false);
	put(2, "/dev/sdb", "naa.2", "a", NULL, false);
	put(3, "/dev/sdc", "", "a", NULL, false);
	put(4, "/dev/sdd", "naa.4", "a", "elsewhere", false);
	put(5, "/dev/sde", "", "a", "elsewhere", false);
	/* names wander between disks, WWIDs do not */
	assert_string_equal(last_of("/dev/sdz", "naa.1"), "20261121T014501Z-sda");
	assert_string_equal(last_of("/dev/sda", "naa.2"), "20261121T014502Z-sdb");
	assert_string_equal(last_of("/dev/sda", "naa.9"), "");
	/* where one of them has none, the name counts */
	assert_string_equal(last_of("/dev/sda", ""), "20261121T014501Z-sda");
	assert_string_equal(last_of("/dev/sdc", "naa.3"), "20261121T014503Z-sdc");
	assert_string_equal(last_of("/dev/sdc", ""), "20261121T014503Z-sdc");
	/* a LUN is the same on all hosts, a name is not */
	assert_string_equal(last_of("/dev/sdx", "naa.4"), "20261121T014504Z-sdd");
	assert_string_equal(last_of("/dev/sde", ""), "");
}

static void newest_that_counts(void **state)
{
	char name[200];
	FILE *f;

	(void)state;
	put(1, "/dev/sda", "", "a", NULL, false);
	put(2, "/dev/sda", "", "b", NULL, false);
	put(3, "/dev/sda", "", "c", NULL, true);
	put(4, "/dev/sda", "", "d", NULL, false);
	put(7, "/dev/sda", "", "rebuilt", NULL, false);
	snprintf(name, sizeof(name), "%s/20261121T014504Z-sda/manifest.json", path);
	f = fopen(name, "w");
	assert_non_null(f);
	fputs("{\n", f);
	fclose(f);
	assert_string_equal(last_of("/dev/sda", ""), "20261121T014502Z-sda");
	/* under another name it is not what it says */
	put(5, "/dev/sda", "", "e", NULL, false);
	snprintf(name, sizeof(name), "mv %s/20261121T014505Z-sda %s/20261121T014506Z-sda", path, path);
	assert_int_equal(system(name), 0);
	assert_string_equal(last_of("/dev/sda", ""), "20261121T014502Z-sda");
}

#define SDA "20261121T014501Z-sda"
#define SDB "20261121T014502Z-sdb"
#define SDC "20261121T014503Z-sdc"

static void gone_once(void **state)
{
	(void)state;
	put(1, "/dev/sda", "naa.1", "a", NULL, false);
	put(2, "/dev/sdb", "naa.2", "a", NULL, false);
	put(3, "/dev/sdc", "", "a", NULL, false);
	saw(&all, SDA " " SDB " " SDC);
	assert_string_equal(gone_in(&all, "/dev/sda", "naa.1"), "/dev/sdb /dev/sdc");
	/* a disk is known by its WWID, whatever it is called now; by its name where one side has none */
	assert_string_equal(gone_in(&all, "/dev/sdb", "naa.1"), "/dev/sdb /dev/sdc");
	assert_string_equal(gone_in(&all, "/dev/sdz", "naa.2"), "/dev/sda /dev/sdc");
	assert_string_equal(gone_without("/dev/sdb"), "/dev/sda /dev/sdc");
	/* the run after saw only one: the others were told */
	saw(&all, SDA);
	assert_string_equal(gone_without("/dev/sda"), "");
	assert_string_equal(gone_without("/dev/sdq"), "/dev/sda");
	/* and one that saw nothing */
	saw(&all, "");
	assert_string_equal(gone_without("/dev/sdq"), "");
}

/* Runs in another folder or with other words do not hide from each other what is gone. */
static void gone_of_each_scope(void **state)
{
	const struct vk_seen_scope some = {.folder = "", .words = "--include naa.1"};
	const struct vk_seen_scope folder = {.folder = "/luns", .words = ""};

	(void)state;
	put(1, "/dev/sda", "", "a", NULL, false);
	put(2, "/dev/sdb", "", "a", NULL, false);
	put(3, "/dev/sdc", "", "a", NULL, false);
	saw(&all, SDA " " SDB);
	/* of words that are new the last run counts, of a folder that is new none */
	assert_string_equal(gone_in(&some, "/dev/sda", ""), "/dev/sdb");
	assert_string_equal(gone_in(&folder, "/dev/sda", ""), "");
	saw(&some, SDA);
	saw(&folder, SDC);
	assert_string_equal(gone_in(&some, "/dev/sdq", ""), "/dev/sda");
	assert_string_equal(gone_in(&folder, "/dev/sda", ""), "/dev/sdc");
	assert_string_equal(gone_without("/dev/sda"), "/dev/sdb");
	/* many of them: the oldest is forgotten */
	for (int i = 0; i < 64; i++) {
		char words[20];

		snprintf(words, sizeof(words), "%d", i);
		saw(&(struct vk_seen_scope){.folder = "/luns", .words = words}, SDC);
	}
	assert_string_equal(gone_without("/dev/sda"), "");
}

/* Whatever stands in the file: it names captures of this store or nothing, and the next run writes it anew. */
static void seen_is_not_to_be_trusted(void **state)
{
	static const char *const texts[] = {"", "{}", "[1]", "{\"schema\": \"vmfskit.seen/2\", \"runs\": []}",
					    "{\"schema\": \"vmfskit.seen/1\", \"runs\": 7}"};
	char name[100], host[VK_WHO_HOST_BYTES];
	struct vk_last_disk one = {.path = "/dev/sdq", .wwid = ""};
	struct vk_gones gones;
	FILE *f;

	(void)state;
	put(1, "/dev/sda", "", "a", NULL, false);
	snprintf(name, sizeof(name), "%s/seen.json", path);
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct vk_store *store = test_store(path, VK_STORE_READ);
		struct vk_error err = {0};

		f = fopen(name, "w");
		assert_non_null(f);
		fputs(texts[i], f);
		fclose(f);
		assert_int_equal(vk_seen_gone(store, &all, &one, 1, &gones, &err), VK_DAMAGED);
		assert_int_equal(gones.count, 0);
		vk_store_close(store);
		saw(&all, SDA);
		assert_string_equal(gone_without("/dev/sdq"), "/dev/sda");
	}
	vk_who_host(host);
	f = fopen(name, "w");
	assert_non_null(f);
	fprintf(f,
		"{\"schema\": \"vmfskit.seen/1\", \"runs\": [7, {\"host\": \"%s\", \"folder\": \"\", \"words\": \"\","
		" \"captures\": [1, \"\", \"..\", \"/etc\", \"" SDA "/../" SDA "\", \"" SDB "\"]}]}",
		host);
	fclose(f);
	assert_string_equal(gone_without("/dev/sdq"), "");
}

static void empty_store(void **state)
{
	(void)state;
	assert_string_equal(last_of("/dev/sda", ""), "");
	assert_string_equal(gone_without("/dev/sda"), "");
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, make_store, remove_store)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(by_wwid_and_path),   CASE(newest_that_counts),        CASE(gone_once),
		CASE(gone_of_each_scope), CASE(seen_is_not_to_be_trusted), CASE(empty_store),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
