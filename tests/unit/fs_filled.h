/* SPDX-License-Identifier: Apache-2.0 */
/* Practice volumes with files of every kind, in memory. */
#ifndef VK_TESTS_FS_FILLED_H
#define VK_TESTS_FS_FILLED_H

#include "real_volumes.h"

/* spec: "version=5" and the like. */
enum { FILLED = 4 };
static const char *const filled_volumes[FILLED] = {"version=3", "version=5", "version=6", "version=6l"};

static const char *const filled_recipe =
	"folder /empty\nfile /small/zero\nfile /small/tiny.vmx size=900\nfile /small/sub size=8000\n"
	"file /small/several size=20000 stored=sub-block\nfile /small/block size=70000 stored=block\n"
	"link /small/link to=tiny.vmx\nfile /vm/thin-flat.vmdk size=2G data=0+3M,512M+1M\n"
	"file /vm/thick-flat.vmdk size=24M thick data=0+1M,7M+2M\nfile /vm/strewn size=12M fragments=6\n"
	"file /vm/cow size=4M cow\nfile /vm/pointers size=40M stored=pointer-block data=0+1M,30M+2M,39M+1M\n"
	"rdm /vm/raw size=500G lun=naa.600144f07ed404000000496ff8cd0003\nfile /deleted/first size=500 deleted\n"
	"file /deleted/kept size=501\nfile /deleted/flat size=5M deleted\nfolder /deleted/folder deleted\n"
	"file /shared/f1\nfile /shared/f16947\nfile /shared/f0\nfile /shared/f21338\nfile /shared/f30378\n"
	"file /shared/f37121\nfile /shared/f44993\nfolder /many entries=60 names=entry-\n"
	"file /deep/1/2/3/leaf size=2000\nfile /locks/stale size=600 lock=exclusive:dead\n";
static const char *const filled_recipe5 =
	"file /vm/pointers2 size=40M stored=pointer-block2 data=5M+1M,36M+3M\n"
	"file /vm/double size=3000G data=0+1M,1023G+2M,3071998M+2M\n";
static const char *const filled_recipe6 =
	"file /vm/large size=600M stored=large data=0+1M,511M+2M eager\n"
	"file /vm/pointers-sub size=34M stored=pointer-block pointers=sbc data=0+1M,33M+1M\n";

static inline struct vk_io *filled_volume(const char *spec)
{
	struct vk_lab_disk disk = memory_disk(8 * GIB);
	struct vk_lab_extent extent = {8 * GIB, 1};
	struct vk_lab_files_asked asked = {0};
	struct vk_lab_device device = {0};
	struct vk_lab_volume volume;
	struct vk_error err = {0};
	char text[8000];

	snprintf(text, sizeof(text), "%s%s%s", filled_recipe, strstr(spec, "=3") != NULL ? "" : filled_recipe5,
		 strstr(spec, "=6") != NULL ? filled_recipe6 : "");
	vk_lab_volume_init(&volume);
	if (vk_lab_volume_parse(&volume, spec, &err) != VK_OK || vk_lab_recipe_parse(&asked, "recipe", text, &err) != VK_OK ||
	    vk_lab_devices_make(&volume, 7, 0, &extent, 1, 512, &device, &err) != VK_OK)
		fail_msg("%s: %s", spec, err.what);
	vk_lab_files_needs(&asked, &device.needs);
	assert_int_equal(vk_lab_write_device(&disk, 0, &device), VK_OK);
	if (vk_lab_fill(&asked, &(struct vk_lab_member){&disk, 0, &device}, 1, &err) != VK_OK)
		fail_msg("%s: %s", spec, err.what);
	vk_lab_asked_free(&asked);
	return memory_io(disk.fd);
}

#endif
