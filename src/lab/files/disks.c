/* SPDX-License-Identifier: Apache-2.0 */
/* The files of virtual disks: descriptors as ESX writes them, data files that begin as their kind does. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/memory.h"
#include "lab/files/files.h"

static const struct {
	const char *name, *end, *create_type, *extent;
} kinds[] = {
	[VK_LAB_FLAT] = {"flat", "-flat", "vmfs", "VMFS"},
	[VK_LAB_DELTA] = {"delta", "-delta", "vmfsSparse", "VMFSSPARSE"},
	[VK_LAB_SESPARSE] = {"sesparse", "-sesparse", "seSparse", "SESPARSE"},
	[VK_LAB_RDM] = {"rdm", "-rdm", "vmfsRawDeviceMap", "VMFSRDM"},
	[VK_LAB_RDMP] = {"rdmp", "-rdmp", "vmfsPassthroughRawDeviceMap", "VMFSRDM"},
};
enum { COWD_HEADER_BYTES = 2048, COWD_TABLE = 4096, SESPARSE_HEADER_BYTES = 512, SECTOR = 512 };

const char *vk_lab_disk_kind_name(enum vk_lab_disk_kind kind)
{
	return kinds[kind].name;
}

bool vk_lab_disk_kind_parse(const char *name, enum vk_lab_disk_kind *ret_kind)
{
	for (unsigned i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (strcmp(kinds[i].name, name) == 0) {
			*ret_kind = (enum vk_lab_disk_kind)i;
			return true;
		}
	return false;
}

/* A delta in which nothing was written yet: the header, and a directory of grains that is empty. */
static bool put_cowd(struct vk_lab_item *item, uint64_t sectors)
{
	const uint32_t tables = (uint32_t)((sectors + COWD_TABLE - 1) / COWD_TABLE);

	item->head = calloc(1, COWD_HEADER_BYTES);
	item->head_bytes = COWD_HEADER_BYTES;
	item->size_bytes = COWD_HEADER_BYTES + ((uint64_t)tables * 4 + SECTOR - 1) / SECTOR * SECTOR;
	if (item->head == NULL)
		return false;
	memcpy(item->head, "COWD", 4);
	vk_put_le32(item->head + 4, 1);
	vk_put_le32(item->head + 8, 3);
	vk_put_le32(item->head + 12, (uint32_t)sectors);
	vk_put_le32(item->head + 16, 1);
	vk_put_le32(item->head + 20, COWD_HEADER_BYTES / SECTOR);
	vk_put_le32(item->head + 24, tables);
	vk_put_le32(item->head + 28, (uint32_t)(item->size_bytes / SECTOR));
	return true;
}

/* The first fields only: what lies behind them is not known well enough to be made. */
static bool put_sesparse(struct vk_lab_item *item, uint64_t sectors)
{
	item->head = calloc(1, SESPARSE_HEADER_BYTES);
	item->head_bytes = SESPARSE_HEADER_BYTES;
	item->size_bytes = 1 << 20;
	if (item->head == NULL)
		return false;
	vk_put_le64(item->head, 0xCAFEBABE);
	vk_put_le64(item->head + 8, 0x200000001);
	vk_put_le64(item->head + 16, sectors);
	vk_put_le64(item->head + 24, 8);
	vk_put_le64(item->head + 32, 64);
	return true;
}

static bool set_data(struct vk_lab_item *item, const struct vk_lab_virtual *disk)
{
	switch (disk->kind) {
	case VK_LAB_DELTA:
		item->content = VK_LAB_ZEROS;
		return put_cowd(item, disk->size_bytes / SECTOR);
	case VK_LAB_SESPARSE:
		item->content = VK_LAB_ZEROS;
		return put_sesparse(item, disk->size_bytes / SECTOR);
	case VK_LAB_RDM:
	case VK_LAB_RDMP:
		item->type = VK_FILE_RDM;
		return true;
	default:
		return true;
	}
}

/* data_name: of the data file, beside it. */
static bool set_text(struct vk_lab_item *item, const struct vk_lab_virtual *disk, bool thin, const char *data_name)
{
	/* as ESX has it: disks of less than a GiB have another shape */
	const uint64_t sectors = disk->size_bytes / SECTOR;
	const unsigned heads = sectors < 1 << 21 ? 64 : 255, per_track = sectors < 1 << 21 ? 32 : 63;
	char *hint = NULL, *text = NULL;
	int len;

	if (disk->parent != NULL && asprintf(&hint, "parentFileNameHint=\"%s\"\n", disk->parent) < 0)
		return false;
	len = asprintf(&text, "# Disk DescriptorFile\nversion=1\nencoding=\"UTF-8\"\nCID=%08" PRIx32
		       "\nparentCID=%08" PRIx32 "\nisNativeSnapshot=\"no\"\ncreateType=\"%s\"\n%s\n"
		       "# Extent description\nRW %" PRIu64
		       " %s \"%s\"\n\n# The Disk Data Base \n#DDB\n\nddb.adapterType = \"lsilogic\"\n"
		       "ddb.geometry.cylinders = \"%" PRIu64 "\"\nddb.geometry.heads = \"%u\"\n"
		       "ddb.geometry.sectors = \"%u\"\n%sddb.virtualHWVersion = \"8\"\n",
		       disk->cid, disk->parent_cid, kinds[disk->kind].create_type, hint != NULL ? hint : "", sectors,
		       kinds[disk->kind].extent, data_name, sectors / (heads * per_track), heads, per_track,
		       thin ? "ddb.thinProvisioned = \"1\"\n" : "");
	free(hint);
	if (len < 0)
		return false;
	item->head = (uint8_t *)text;
	item->head_bytes = item->size_bytes = (size_t)len;
	item->content = VK_LAB_ZEROS;
	return true;
}

static enum vk_status check(const struct vk_lab_item *what, const struct vk_lab_virtual *disk, struct vk_error *err)
{
	const size_t len = strlen(what->path);
	const bool raw = disk->kind == VK_LAB_RDM || disk->kind == VK_LAB_RDMP;

	if (len < 6 || strcmp(what->path + len - 5, ".vmdk") != 0)
		return vk_error_set(err, VK_USAGE, what->path,
				    "the path of a disk is that of its descriptor, NAME.vmdk");
	if (disk->size_bytes == 0 || disk->size_bytes % SECTOR != 0 ||
	    (disk->kind == VK_LAB_DELTA && disk->size_bytes / SECTOR > UINT32_MAX))
		return vk_error_set(err, VK_USAGE, what->path, "size is missing, or is none of such a disk");
	if (raw != (what->text != NULL))
		return vk_error_set(err, VK_USAGE, what->path, "lun is for kind rdm and rdmp, which need it");
	return VK_OK;
}

/* Takes the item over. */
static enum vk_status add_item(struct vk_lab_files_asked *asked, struct vk_lab_item *item, struct vk_error *err)
{
	enum vk_status status = vk_lab_asked_add(asked, item, err);

	if (status != VK_OK)
		vk_lab_item_free(item);
	return status;
}

enum vk_status vk_lab_disk_add(struct vk_lab_files_asked *asked, struct vk_lab_item *what, struct vk_lab_virtual *disk,
			       struct vk_error *err)
{
	struct vk_lab_item data = *what, text = {.type = VK_FILE_ORDINARY};
	enum vk_status status;
	char *path = NULL;

	disk->size_bytes = what->size_bytes;
	if (disk->parent == NULL && disk->parent_cid == 0)
		disk->parent_cid = UINT32_MAX;
	status = check(what, disk, err);
	if (status == VK_OK && asprintf(&path, "%.*s%s.vmdk", (int)strlen(what->path) - 5, what->path,
					kinds[disk->kind].end) < 0)
		path = NULL;
	if (status == VK_OK && (path == NULL || !set_data(&data, disk) || (disk->path = strdup(what->path)) == NULL ||
				!set_text(&text, disk, data.provision == VK_LAB_THIN && data.sparse,
					  strrchr(path, '/') + 1)))
		status = vk_no_memory(err, NULL);
	text.path = what->path;
	data.path = path;
	/* what cannot be added frees what it owns */
	*(disk->no_descriptor ? &data.disk : &text.disk) = disk;
	if (status == VK_OK && !disk->no_descriptor) {
		status = add_item(asked, &text, err);
		text = (struct vk_lab_item){.path = text.path};
	}
	if (status == VK_OK && !disk->no_data) {
		status = add_item(asked, &data, err);
		data = (struct vk_lab_item){.path = data.path};
	}
	vk_lab_item_free(&text);
	vk_lab_item_free(&data);
	free(path);
	return status;
}
