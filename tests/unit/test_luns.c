/* SPDX-License-Identifier: Apache-2.0 */
/* Finding LUNs in trees of our own: sysfs, ESX's folders, folders of images. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "scsi/lun_nodes.h"

static char root[64];

static int make_root(void **state)
{
	const char *tmp = getenv("TMPDIR");

	(void)state;
	snprintf(root, sizeof(root), "%.40s/vmfskit-luns.XXXXXX", tmp != NULL ? tmp : "/tmp");
	return mkdtemp(root) != NULL ? 0 : -1;
}

static int remove_root(void **state)
{
	char command[100];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf '%s'", root);
	return system(command);
}

/* A file below root with the folders above it. */
static void put(const char *name, const char *text)
{
	char path[400];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", root, name);
	for (char *p = path + strlen(root) + 1; (p = strchr(p, '/')) != NULL; p++) {
		*p = '\0';
		mkdir(path, 0700);
		*p = '/';
	}
	f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static void put_disk(const char *name, const char *size, const char *wwid)
{
	char path[200];

	snprintf(path, sizeof(path), "sys/block/%s/size", name);
	put(path, size);
	if (wwid == NULL)
		return;
	snprintf(path, sizeof(path), "sys/block/%s/device/wwid", name);
	put(path, wwid);
}

/* Every LUN as "PATH[+OTHER...][?]", with blanks between; root is left out, "?" is only_with_vmfs. */
static const char *found(const char *dev_dir, const char *const *include, const char *const *exclude)
{
	static char text[2000];
	struct vk_luns_options options = {dev_dir, include, exclude};
	struct vk_error err = {0};
	struct vk_lun *luns;
	size_t count;
	size_t at = strlen(root);

	text[0] = '\0';
	if (vk_luns_find_at(root, &options, &luns, &count, &err) != VK_OK) {
		snprintf(text, sizeof(text), "%s", vk_status_name(err.status));
		return text;
	}
	for (size_t i = 0; i < count; i++) {
		char one[600];
		int n = snprintf(one, sizeof(one), "%s%s", i > 0 ? " " : "", luns[i].path + at);

		for (size_t k = 0; k < luns[i].other_path_count; k++)
			n += snprintf(one + n, sizeof(one) - (size_t)n, "+%s", luns[i].other_paths[k] + at);
		snprintf(one + n, sizeof(one) - (size_t)n, "%s", luns[i].only_with_vmfs ? "?" : "");
		strncat(text, one, sizeof(text) - strlen(text) - 1);
	}
	vk_luns_free(luns, count);
	return text;
}

static void nothing_is_there(void **state)
{
	char folder[100];

	(void)state;
	assert_string_equal(found(NULL, NULL, NULL), "absent");
	snprintf(folder, sizeof(folder), "%s/none", root);
	assert_string_equal(found(folder, NULL, NULL), "I/O");
}

static void disks_of_sysfs(void **state)
{
	(void)state;
	put_disk("sdb", "100\n", NULL);
	put_disk("sda", "100\n", NULL);
	put_disk("sda10", "100\n", NULL);
	put_disk("sda9", "100\n", NULL);
	put_disk("sdz", "0\n", NULL);
	put_disk("loop0", "100\n", NULL);
	put_disk("ram3", "100\n", NULL);
	put_disk("zram0", "100\n", NULL);
	put_disk("sr0", "100\n", NULL);
	put_disk("fd0", "100\n", NULL);
	put_disk("nbd0", "0\n", NULL);
	put_disk("cciss!c0d0", "100\n", NULL);
	put_disk("nvme0n1", "100\n", NULL);
	put_disk("nvme0c0n1", "100\n", NULL);
	put("sys/block/nvme0c0n1/hidden", "1\n");
	put_disk("md0", "100\n", NULL);
	put_disk("dm-0", "100\n", NULL);
	put("sys/block/dm-0/dm/uuid", "LVM-abc\n");
	put("sys/block/dm-0/dm/name", "vg-root\n");
	put("dev/mapper/vg-root", "");
	assert_string_equal(found(NULL, NULL, NULL),
			    "/dev/cciss/c0d0 /dev/mapper/vg-root? /dev/md0? /dev/nvme0n1 /dev/sda /dev/sda9 "
			    "/dev/sda10 /dev/sdb");
}

static void paths_of_one_lun(void **state)
{
	(void)state;
	put_disk("sda", "100\n", "naa.6001\n");
	put_disk("sdb", "100\n", "naa.6001\n");
	put_disk("sdc", "100\n", "naa.6002\n");
	/* a bridge that gives all disks one name */
	put_disk("sdd", "100\n", "t10.bridge\n");
	put_disk("sde", "200\n", "t10.bridge\n");
	assert_string_equal(found(NULL, NULL, NULL), "/dev/sda+/dev/sdb /dev/sdc /dev/sdd /dev/sde");
}

static void multipath(void **state)
{
	(void)state;
	put_disk("sda", "100\n", NULL);
	put_disk("sdb", "100\n", NULL);
	put("sys/block/sda/holders/dm-3/x", "");
	put("sys/block/sdb/holders/dm-3/x", "");
	put_disk("dm-3", "100\n", NULL);
	put("sys/block/dm-3/dm/uuid", "mpath-36001\n");
	put("sys/block/dm-3/dm/name", "mpatha\n");
	put("sys/block/dm-3/slaves/sda/device/wwid", "naa.6001\n");
	/* its partitions are none */
	put_disk("dm-4", "50\n", NULL);
	put("sys/block/dm-4/dm/uuid", "part1-mpath-36001\n");
	/* a disk under a logical volume stays itself */
	put_disk("sdc", "100\n", NULL);
	put("sys/block/sdc/holders/dm-5/x", "");
	put_disk("dm-5", "100\n", NULL);
	put("sys/block/dm-5/dm/uuid", "LVM-x\n");
	put("dev/mapper/mpatha", "");
	assert_string_equal(found(NULL, NULL, NULL), "/dev/dm-5? /dev/mapper/mpatha+/dev/sda+/dev/sdb /dev/sdc");
}

static void wwid_of_a_multipath_device(void **state)
{
	struct vk_luns_options options = {NULL, NULL, NULL};
	struct vk_lun *luns;
	size_t count;

	(void)state;
	put_disk("dm-3", "100\n", NULL);
	put("sys/block/dm-3/dm/uuid", "mpath-36001\n");
	put("sys/block/dm-3/slaves/sda/device/wwid", " naa.6001 \n");
	assert_int_equal(vk_luns_find_at(root, &options, &luns, &count, NULL), VK_OK);
	assert_int_equal(count, 1);
	assert_string_equal(luns[0].wwid, "naa.6001");
	vk_luns_free(luns, count);
}

static void esx(void **state)
{
	(void)state;
	/* sysfs is there on a service console, too */
	put_disk("sda", "100\n", NULL);
	put("vmfs/devices/disks/naa.6002", "x");
	put("vmfs/devices/disks/naa.6002:1", "x");
	put("vmfs/devices/disks/naa.60010", "x");
	put("vmfs/devices/disks/vml.0200", "x");
	put("vmfs/devices/disks/mpx.vmhba1:C0:T0:L0", "x");
	put("vmfs/devices/disks/mpx.vmhba1:C0:T0:L0:3", "x");
	put("vmfs/devices/disks/.hidden", "x");
	put("vmfs/devices/disks/empty", "");
	put("vmfs/devices/disks/folder/x", "x");
	assert_string_equal(found(NULL, NULL, NULL),
			    "/vmfs/devices/disks/mpx.vmhba1:C0:T0:L0 /vmfs/devices/disks/naa.6002 "
			    "/vmfs/devices/disks/naa.60010");
}

static void esxi_without_vmfs_folder(void **state)
{
	(void)state;
	put("dev/disks/naa.1", "x");
	assert_string_equal(found(NULL, NULL, NULL), "/dev/disks/naa.1");
}

static void folder_of_images(void **state)
{
	char folder[100];
	char a[200];
	char b[200];

	(void)state;
	put("images/one", "x");
	put("images/two", "x");
	snprintf(folder, sizeof(folder), "%s/images", root);
	snprintf(a, sizeof(a), "%s/images/one", root);
	snprintf(b, sizeof(b), "%s/images/hard", root);
	assert_int_equal(link(a, b), 0);
	snprintf(b, sizeof(b), "%s/images/soft", root);
	assert_int_equal(symlink("two", b), 0);
	snprintf(b, sizeof(b), "%s/images/dangling", root);
	assert_int_equal(symlink("nowhere", b), 0);
	snprintf(b, sizeof(b), "%s/images/pipe", root);
	assert_int_equal(mkfifo(b, 0600), 0);
	assert_string_equal(found(folder, NULL, NULL), "/images/hard+/images/one /images/soft+/images/two");
}

static void globs(void **state)
{
	const char *const naa[] = {"naa.6001*", NULL};
	const char *const paths[] = {"/*/dev/sd[ab]", "nothing", NULL};
	const char *const sd[] = {"sd*", NULL};
	const char *const sdb[] = {"sdb", NULL};
	const char *const none[] = {NULL};
	char own[100];
	const char *const whole[] = {own, NULL};

	(void)state;
	put_disk("sda", "100\n", "naa.60011\n");
	put_disk("sdb", "100\n", "naa.60011\n");
	put_disk("sdc", "100\n", "naa.6002\n");
	put_disk("dm-3", "100\n", NULL);
	put("sys/block/dm-3/dm/uuid", "mpath-36001\n");
	put_disk("sdd", "100\n", NULL);
	put("sys/block/sdd/holders/dm-3/x", "");
	assert_string_equal(found(NULL, none, none), "/dev/dm-3+/dev/sdd /dev/sda+/dev/sdb /dev/sdc");
	assert_string_equal(found(NULL, naa, NULL), "/dev/sda+/dev/sdb");
	assert_string_equal(found(NULL, NULL, naa), "/dev/dm-3+/dev/sdd /dev/sdc");
	assert_string_equal(found(NULL, paths, NULL), "/dev/sda+/dev/sdb");
	assert_string_equal(found(NULL, sdb, NULL), "/dev/sda+/dev/sdb");
	/* the name it is shown under decides what is left out */
	assert_string_equal(found(NULL, NULL, sdb), "/dev/dm-3+/dev/sdd /dev/sda+/dev/sdb /dev/sdc");
	assert_string_equal(found(NULL, NULL, sd), "/dev/dm-3+/dev/sdd");
	snprintf(own, sizeof(own), "%s/dev/sdc", root);
	assert_string_equal(found(NULL, whole, NULL), "/dev/sdc");
	assert_string_equal(found(NULL, whole, whole), "");
}

static void many(void **state)
{
	char folder[100];
	struct vk_luns_options options = {folder, NULL, NULL};
	struct vk_lun *luns;
	size_t count;

	(void)state;
	for (unsigned i = 0; i < 1000; i++) {
		char name[40];

		snprintf(name, sizeof(name), "images/naa.%u", i);
		put(name, "x");
	}
	snprintf(folder, sizeof(folder), "%s/images", root);
	assert_int_equal(vk_luns_find_at(root, &options, &luns, &count, NULL), VK_OK);
	assert_int_equal(count, 1000);
	for (unsigned i = 0; i < 1000; i++) {
		char path[200];

		snprintf(path, sizeof(path), "%s/naa.%u", folder, i);
		assert_string_equal(luns[i].path, path);
	}
	vk_luns_free(luns, count);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, make_root, remove_root)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(nothing_is_there), CASE(disks_of_sysfs),
		CASE(paths_of_one_lun), CASE(multipath),
		CASE(wwid_of_a_multipath_device), CASE(esx),
		CASE(esxi_without_vmfs_folder), CASE(folder_of_images),
		CASE(globs), CASE(many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
