/* SPDX-License-Identifier: Apache-2.0 */
/* The recipe that has everything. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "lab/files/files.h"

/* Which volumes a line is for. */
enum { V3 = 1, V5 = 2, V6 = 4, SEVERAL = 8, LIVE = 16, ALL = V3 | V5 | V6 };

static const struct {
	unsigned flags;
	const char *line;
} lines[] = {
	{ALL, "folder /empty"},
	{ALL, "file /small/zero"},
	{ALL, "file /small/one size=1"},
	{ALL, "file /small/tiny.vmx size=900 mode=0755 mtime=2021-08-11T07:38:01Z"},
	{V5 | V6, "file /small/resident-full.txt size=1024 stored=resident"},
	{ALL, "file /small/sub.log size=8000 uid=1000 gid=100"},
	{ALL, "file /small/sub-full size=8192"},
	{ALL, "file /small/sub-several size=20000 stored=sub-block"},
	{ALL, "file /small/block size=70000 stored=block"},
	{ALL, "file /small/block-full size=1M"},
	{ALL, "file /small/not%20a%20number%25.txt size=12"},
	{ALL, "link /small/link to=tiny.vmx"},
	{ALL, "link /dangling to=/nowhere/at/all"},
	{ALL, "link /long to=/vmfs/volumes/practice/a/long/way/to/a/virtual/machine/whose/disk/is/elsewhere/disk.vmdk"},
	{ALL, "file /vm/thin-flat.vmdk size=2G data=0+3M,512M+1M,2147483136+512"},
	{ALL, "file /vm/thick-flat.vmdk size=24M thick data=0+1M,7M+2M"},
	{ALL, "file /vm/eager-flat.vmdk size=12M eager data=3M+4096"},
	{ALL, "file /vm/tbz-flat.vmdk size=20M data=0+2M,9M+1M tbz=2M+3M,12M+1M"},
	{ALL, "file /vm/strewn-flat.vmdk size=48M fragments=24"},
	{ALL, "file /vm/cow-flat.vmdk size=4M cow"},
	{ALL, "file /vm/zeros size=3M content=zeros"},
	{ALL, "file /vm/pointers-flat.vmdk size=40M stored=pointer-block data=0+1M,30M+2M,39M+1M"},
	{V5 | V6, "file /vm/pointers2-flat.vmdk size=40M stored=pointer-block2 data=5M+1M,36M+3M"},
	{V5 | V6, "file /vm/double-flat.vmdk size=3000G data=0+1M,1023G+2M,3071998M+2M"},
	{V5 | V6, "file /vm/double-small size=6M stored=double data=1M+3M"},
	{ALL, "file /vm/200G-flat.vmdk size=200G data=0+1M,199G+3M"},
	{V5 | V6, "file /vm/300G-flat.vmdk size=300G data=0+1M,299G+3M"},
	{V6, "file /vm/large-flat.vmdk size=600M stored=large data=0+1M,511M+2M,598M+2M eager"},
	{V6, "file /vm/large-tbz-flat.vmdk size=1G stored=large thick data=600M+1M"},
	{V6, "file /vm/pointers-sub size=34M stored=pointer-block pointers=sbc data=0+1M,33M+1M"},
	{V6, "file /vm/pointers-block size=34M stored=pointer-block2 pointers=fbb data=0+1M,33M+1M"},
	{ALL, "rdm /vm/raw-rdmp.vmdk size=500G lun=naa.600144f07ed404000000496ff8cd0003"},
	{ALL, "file /locks/stale size=600 lock=exclusive:dead"},
	{LIVE, "file /locks/held.vmx size=600 lock=exclusive:0"},
	{LIVE, "file /locks/flat-flat.vmdk size=2M lock=exclusive:1"},
	{LIVE, "file /locks/shared size=3M lock=shared:0,1"},
	{LIVE, "file /locks/multi size=3M lock=multi-writer:0,1"},
	{LIVE, "file /locks/shared-dead size=10 lock=shared:1,dead"},
	{ALL, "folder /deleted"},
	{ALL, "file /deleted/first size=500 deleted"},
	{ALL, "file /deleted/kept size=501"},
	{ALL, "file /deleted/gone-flat.vmdk size=5M deleted"},
	{ALL, "file /deleted/sub size=5000 deleted"},
	{ALL, "file /deleted/pointers size=30M stored=pointer-block data=0+2M,29M+1M deleted"},
	{ALL, "folder /deleted/folder deleted"},
	{ALL, "file /deleted/folder/within size=4000 deleted"},
	{V6, "file /deleted/large size=512M stored=large content=zeros eager deleted"},
	/* names that share slots of the hash table of VMFS6: two of three, and a chain of two groups */
	{ALL, "file /shared/f1"},
	{ALL, "file /shared/f16947"},
	{ALL, "file /shared/f62971 deleted"},
	{ALL, "file /shared/f0"}, {ALL, "file /shared/f21338"}, {ALL, "file /shared/f30378"},
	{ALL, "file /shared/f37121"}, {ALL, "file /shared/f44993"}, {ALL, "file /shared/f106888"},
	{ALL, "file /shared/f111663"}, {ALL, "file /shared/f125187"}, {ALL, "file /shared/f133099"},
	{ALL, "file /shared/f149826"}, {ALL, "file /shared/f164662"}, {ALL, "file /shared/f172257"},
	{ALL, "file /shared/f191631"}, {ALL, "file /shared/f197071"},
	{ALL, "folder /many entries=1500 names=entry-"},
	{ALL, "file /deep/1/2/3/4/5/6/7/8/leaf size=2000"},
	{ALL, "file /%C3%9Cn%C3%AFcode.vmdk size=700"},
	{SEVERAL, "file /extents/first size=4M extent=1"},
	{SEVERAL, "file /extents/second size=4M extent=2"},
	{SEVERAL, "file /extents/strewn size=30M fragments=15"},
};

enum vk_status vk_lab_recipe_all(struct vk_lab_files_asked *asked, unsigned version, unsigned members, unsigned live,
				 struct vk_error *err)
{
	unsigned flags = (version == 3 ? V3 : version == 5 ? V5 : V6) | (members > 1 ? SEVERAL : 0U) |
			 (live > 1 ? LIVE : 0U);
	enum vk_status status = VK_OK;

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]) && status == VK_OK; i++) {
		char *line = (lines[i].flags & flags) != 0 ? strdup(lines[i].line) : NULL;

		if (line != NULL)
			status = vk_lab_recipe_parse(asked, "the recipe of everything", line, err);
		else if ((lines[i].flags & flags) != 0)
			status = vk_no_memory(err, NULL);
		free(line);
	}
	return status;
}
