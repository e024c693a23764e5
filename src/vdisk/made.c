/* SPDX-License-Identifier: Apache-2.0 */
/* A descriptor that is made anew; the names of a disk's files. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "vmfskit/virtual_disk.h"

#define END ".vmdk"

static const struct {
	const char *end;
	enum vk_vdisk_kind kind;
	const char *name;
} kinds[] = {
	{NULL, VK_VDISK_UNKNOWN, "unknown"},       {"-flat" END, VK_VDISK_FLAT, "flat"},
	{"-delta" END, VK_VDISK_DELTA, "delta"},   {"-sesparse" END, VK_VDISK_SESPARSE, "sesparse"},
	{"-rdm" END, VK_VDISK_RDM, "rdm"},         {"-rdmp" END, VK_VDISK_RDMP, "physical rdm"},
	{NULL, VK_VDISK_HOSTED, "hosted"},
};

const char *vk_vdisk_kind_name(enum vk_vdisk_kind kind)
{
	return kinds[kind].name;
}

/* The length of a name without that end; 0: it has another one, or nothing in front of it. */
static size_t without(const char *name, const char *end)
{
	const size_t len = strlen(name), end_len = end != NULL ? strlen(end) : 0;

	return end_len > 0 && len > end_len && name[len - end_len - 1] != '/' &&
	       strcasecmp(name + len - end_len, end) == 0 ? len - end_len : 0;
}

enum vk_vdisk_kind vk_vdisk_kind_of_name(const char *name)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (without(name, kinds[i].end) > 0)
			return kinds[i].kind;
	return VK_VDISK_UNKNOWN;
}

char *vk_vdisk_descriptor_name(const char *data_name)
{
	const enum vk_vdisk_kind kind = vk_vdisk_kind_of_name(data_name);
	const size_t len = kind != VK_VDISK_UNKNOWN ? without(data_name, kinds[kind].end) : strlen(data_name);
	char *name;

	return asprintf(&name, "%.*s" END, (int)len, data_name) >= 0 ? name : NULL;
}

void vk_vmdk_geometry_of(uint64_t disk_sectors, struct vk_vmdk_geometry *ret_geometry)
{
	static const uint64_t gib = 2097152;
	struct vk_vmdk_geometry g = {0, 255, 63, true};

	if (disk_sectors < 2 * gib) {
		g.heads = disk_sectors < gib ? 64 : 128;
		g.sectors = 32;
		g.seen = disk_sectors < gib;
	}
	g.cylinders = disk_sectors / (g.heads * g.sectors);
	*ret_geometry = g;
}

bool vk_vmdk_compose(const struct vk_vmdk_new *disk, struct vk_text *text)
{
	struct vk_vmdk_geometry g;

	for (const char *c = disk->flat_name; *c != '\0'; c++)
		if ((unsigned char)*c < 0x20 || *c == 0x7f || *c == '"')
			return false;
	if (disk->size_bytes == 0 || disk->size_bytes % 512 != 0 || disk->flat_name[0] == '\0')
		return false;
	vk_vmdk_geometry_of(disk->size_bytes / 512, &g);
	/* fffffffe is the CID of a disk that nothing was written to since it was made */
	vk_text_fmt(text, "# Disk DescriptorFile\nversion=1\nCID=fffffffe\nparentCID=ffffffff\ncreateType=\"vmfs\"\n\n"
		    "# Extent description\nRW %" PRIu64 " VMFS \"%s\"\n\n# The Disk Data Base \n#DDB\n\n",
		    disk->size_bytes / 512, disk->flat_name);
	vk_text_fmt(text, "ddb.virtualHWVersion = \"%u\"\nddb.geometry.cylinders = \"%" PRIu64 "\"\n"
		    "ddb.geometry.heads = \"%" PRIu32 "\"\nddb.geometry.sectors = \"%" PRIu32 "\"\n"
		    "ddb.adapterType = \"lsilogic\"\n%s",
		    disk->hardware, g.cylinders, g.heads, g.sectors,
		    disk->thin ? "ddb.thinProvisioned = \"1\"\n" : "");
	return true;
}
