/* SPDX-License-Identifier: Apache-2.0 */
/* From what is asked for to a volume that has it: descriptors first, then contents, then folders, deletions last. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "base/memory.h"
#include "lab/files/fill.h"

void vk_lab_files_needs(const struct vk_lab_files_asked *asked, struct vk_lab_needs *ret_needs)
{
	uint64_t addresses = 0, subs = 0;

	for (size_t i = 0; i < asked->count; i++) {
		const struct vk_lab_item *item = &asked->items[i];

		/* pointer blocks as if the file had all its blocks; but few of a file with holes */
		if (item->sparse && item->provision == VK_LAB_THIN)
			addresses += 2 * (1 + item->data_count + item->tbz_count);
		else if (item->stored >= VK_LAB_POINTER_BLOCK || item->size_bytes >> 28 != 0)
			addresses += 4 + (item->size_bytes >> 30);
		subs += 1 + (item->stored == VK_LAB_SUB_BLOCK ? item->size_bytes >> 13 : 0);
	}
	*ret_needs = (struct vk_lab_needs){asked->count + 64, subs + 256, addresses};
}

static int by_path(const void *a, const void *b)
{
	const struct vk_lab_child *x = a, *y = b;

	return strcmp(x->node->item->path, y->node->item->path);
}

static struct vk_lab_node *find_node(const struct vk_lab_child *sorted, size_t count, const char *path, size_t len)
{
	size_t low = 0, high = count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const char *there = sorted[middle].node->item->path;
		int order = strncmp(there, path, len);

		if (order == 0 && there[len] == '\0')
			return sorted[middle].node;
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

/* Every file gets its folder; nothing is there twice. */
static enum vk_status join_folders(struct vk_lab_fill *f, const struct vk_lab_child *sorted)
{
	size_t count = f->asked->count;

	for (size_t i = 0; i + 1 < count; i++)
		if (strcmp(sorted[i].node->item->path, sorted[i + 1].node->item->path) == 0)
			return vk_error_set(f->err, VK_USAGE, sorted[i].node->item->path, "it is asked for twice");
	for (size_t i = 0; i < count; i++) {
		struct vk_lab_node *n = &f->nodes[i];
		const struct vk_lab_child child = {n};
		const char *slash = strrchr(n->item->path, '/');

		n->name = slash + 1;
		n->parent = slash == n->item->path
				    ? &f->root
				    : find_node(sorted, count, n->item->path, (size_t)(slash - n->item->path));
		if (n->parent == NULL || (n->parent->item != NULL && n->parent->item->type != VK_FILE_FOLDER))
			return vk_error_set(f->err, VK_USAGE, n->item->path, "what it should lie in is no folder");
		if (n->parent->item != NULL && n->parent->item->deleted && !n->item->deleted)
			return vk_error_set(f->err, VK_USAGE, n->item->path, "it cannot be there in a deleted folder");
		if (vk_append(&n->parent->children, &n->parent->child_count, &child, sizeof(child)) == NULL)
			return vk_no_memory(f->err, NULL);
	}
	return VK_OK;
}

static enum vk_status make_nodes(struct vk_lab_fill *f)
{
	struct vk_lab_child *sorted = calloc(f->asked->count + 1, sizeof(*sorted));
	enum vk_status status;

	f->nodes = calloc(f->asked->count + 1, sizeof(*f->nodes));
	if (f->nodes == NULL || sorted == NULL) {
		free(sorted);
		return vk_no_memory(f->err, NULL);
	}
	for (size_t i = 0; i < f->asked->count; i++) {
		f->nodes[i].item = &f->asked->items[i];
		f->nodes[i].size_bytes = f->asked->items[i].size_bytes;
		f->nodes[i].seconds = (uint32_t)i;
		sorted[i].node = &f->nodes[i];
	}
	qsort(sorted, f->asked->count, sizeof(*sorted), by_path);
	status = join_folders(f, sorted);
	free(sorted);
	for (size_t i = 0; i < f->asked->count && status == VK_OK; i++) {
		struct vk_lab_node *n = &f->nodes[i];

		/* folders stand before what is in them: the parent has its number */
		status = vk_lab_pool_descriptor(f, vk_lab_fd_address(f, n->parent->fd), &n->fd, &n->generation);
	}
	return status;
}

/* The root is there already: its blocks and its entries are kept, others follow them. */
static enum vk_status read_root(struct vk_lab_fill *f, struct vk_lab_folder *folder)
{
	const struct vk_lab_file *of = &f->files->of[VK_SYSTEM_ROOT];
	struct vk_lab_piece piece = {.units = of->blocks, .pool = VK_LAB_POOL_SMALL,
				     .resource = of->runs[0].first_block};
	enum vk_status status = vk_lab_volume_get(f, vk_lab_pool_offset(f, VK_LAB_POOL_FD, f->root.fd), f->raw,
						  f->fd.fd_bytes);

	folder->len = (size_t)of->length;
	folder->bytes = malloc(folder->len);
	if (folder->bytes == NULL || vk_append(&f->root.pieces, &f->root.piece_count, &piece, sizeof(piece)) == NULL)
		return vk_no_memory(f->err, NULL);
	return status == VK_OK ? vk_lab_volume_get(f, vk_lab_file_volume_offset(f->files, VK_SYSTEM_ROOT, 0),
						   folder->bytes, folder->len)
			       : status;
}

static enum vk_status put_folder(struct vk_lab_fill *f, struct vk_lab_node *n)
{
	struct vk_lab_folder folder = {NULL, 0, 0};
	enum vk_status status = n == &f->root ? read_root(f, &folder) : VK_OK;

	if (status == VK_OK)
		status = f->vmfs6 ? vk_lab_folder6(f, n, &folder) : vk_lab_folder5(f, n, &folder);
	n->size_bytes = folder.len;
	if (status == VK_OK)
		status = vk_lab_lay_out(f, n, n == &f->root);
	if (status == VK_OK)
		status = vk_lab_put_pointers(f, n);
	if (status == VK_OK)
		status = vk_lab_put_content(f, n, folder.bytes);
	n->size_bytes = folder.live_bytes;
	free(folder.bytes);
	return status == VK_OK ? vk_lab_put_descriptor(f, n) : status;
}

/* The LUN that a raw device mapping names stands where small files have their bytes. */
static enum vk_status put_lun(struct vk_lab_fill *f, const struct vk_lab_node *n)
{
	struct vk_scsi_disk_id id;

	if (vk_scsi_disk_id_from_name(n->item->text, "VMFSKI", 0, &id) != VK_OK)
		return vk_error_set(f->err, VK_USAGE, n->item->path, "\"%s\" names no LUN", n->item->text);
	vk_scsi_disk_id_encode(&id, f->raw + f->fd.metadata_offset + 512, 512);
	return VK_OK;
}

static enum vk_status put_file(struct vk_lab_fill *f, struct vk_lab_node *n)
{
	const uint8_t *target = n->item->type == VK_FILE_LINK ? (const uint8_t *)n->item->text : NULL;
	enum vk_status status = VK_OK;

	memset(f->raw, 0, sizeof(f->raw));
	if (n->item->type == VK_FILE_FOLDER)
		return put_folder(f, n);
	if (n->item->type == VK_FILE_RDM) {
		n->unit_bytes = f->block_bytes;
		status = put_lun(f, n);
		return status == VK_OK ? vk_lab_put_descriptor(f, n) : status;
	}
	status = vk_lab_lay_out(f, n, false);
	if (status == VK_OK && n->zla != VK_ZLA_RESIDENT)
		status = vk_lab_put_pointers(f, n);
	if (status == VK_OK)
		status = vk_lab_put_content(f, n, target);
	return status == VK_OK ? vk_lab_put_descriptor(f, n) : status;
}

static enum vk_status put_all(struct vk_lab_fill *f)
{
	enum vk_status status = make_nodes(f);

	for (size_t i = 0; i < f->asked->count && status == VK_OK; i++)
		status = put_file(f, &f->nodes[i]);
	memset(f->raw, 0, sizeof(f->raw));
	if (status == VK_OK)
		status = put_folder(f, &f->root);
	/* at the end, so that nothing takes the blocks of a deleted file again */
	for (size_t i = 0; i < f->asked->count && status == VK_OK; i++)
		if (f->nodes[i].item->deleted)
			status = vk_lab_delete(f, &f->nodes[i]);
	return status == VK_OK ? vk_lab_pools_write(f) : status;
}

static enum vk_status write_truth(struct vk_lab_fill *f)
{
	FILE *out = fopen(f->asked->truth, "w");
	enum vk_status status;

	if (out == NULL)
		return vk_error_errno(f->err, errno, f->asked->truth, "the file cannot be made");
	status = vk_lab_truth_write(f, out);
	if (fclose(out) != 0 && status == VK_OK)
		status = vk_error_errno(f->err, errno, f->asked->truth, "the file could not be written");
	return status;
}

static void free_node(struct vk_lab_node *n)
{
	free(n->children);
	free(n->pieces);
	free(n->pointer_blocks);
}

void vk_lab_set_geometry(struct vk_lab_fill *f)
{
	f->files = &f->w.files;
	f->vmfs6 = f->files->md_alignment != 0;
	f->block_bytes = f->files->block_bytes;
	f->sub_block_bytes = f->w.device->fs.subBlockSize;
	f->resident_bytes = f->vmfs6 ? f->files->md_alignment - 512 : f->w.device->version == 5 ? 1024 : 0;
	f->pointer_block_bytes = f->vmfs6 ? 65536 : 4096;
	vk_fd_geometry(f->files->md_alignment, &f->fd);
	f->per_pointer_block = f->pointer_block_bytes / f->fd.pointer_bytes;
	f->root.generation = 1;
}

enum vk_status vk_lab_fill(const struct vk_lab_files_asked *asked, const struct vk_lab_member *members, size_t count,
			   struct vk_error *err)
{
	struct vk_lab_fill *f = calloc(1, sizeof(*f));
	enum vk_status status;

	if (f == NULL)
		return vk_no_memory(err, NULL);
	*f = (struct vk_lab_fill){.asked = asked, .members = members, .member_count = count, .err = err};
	/* locks count on behind those of the volume's making */
	f->w = (struct vk_lab_writing){.disk = members[0].disk, .base_bytes = members[0].base_bytes,
				       .device = members[0].device, .locks = 1000};
	status = vk_lab_files_plan(f->w.device, &f->w.files, err);
	if (status == VK_OK) {
		vk_lab_set_geometry(f);
		status = vk_lab_pools_open(f);
	}
	if (status == VK_OK)
		status = put_all(f);
	if (status == VK_OK && asked->truth != NULL)
		status = write_truth(f);
	vk_lab_pools_free(f);
	for (size_t i = 0; i < asked->count && f->nodes != NULL; i++)
		free_node(&f->nodes[i]);
	free_node(&f->root);
	free(f->nodes);
	free(f);
	return status;
}
