/* SPDX-License-Identifier: Apache-2.0 */
/* What any reader must find: a line of JSON for each file that was asked for. */
#include <stdlib.h>

#include "base/checked.h"
#include "base/json.h"
#include "base/memory.h"
#include "lab/files/fill.h"
#include "vmfskit/finding.h"

/* Bytes of a file that follow each other on the volume, too. */
struct run {
	uint64_t file_offset;
	uint64_t length;
	const char *kind;
	uint64_t volume_offset; /* not of a hole */
	bool hole;
};
struct runs {
	struct vk_json owner;
	json_t *array;
	struct run open; /* length 0: none */
};

static void close_run(struct runs *r)
{
	struct vk_json o = vk_json_begin();

	if (r->open.length == 0) {
		json_decref(vk_json_end(&o));
		return;
	}
	VK_JSON_SET(&o, VK_KEY("file_offset", r->open.file_offset), VK_KEY("length", r->open.length),
		    VK_KEY("kind", r->open.kind));
	if (!r->open.hole)
		vk_json_set_number(&o, "volume_offset", r->open.volume_offset);
	vk_json_append(r->array, vk_json_end(&o), &r->owner);
	r->open.length = 0;
}

static void add_run(struct runs *r, const struct run *run)
{
	if (run->length == 0)
		return;
	if (r->open.length != 0 && r->open.kind == run->kind &&
	    (run->hole || r->open.volume_offset + r->open.length == run->volume_offset)) {
		r->open.length += run->length;
		return;
	}
	close_run(r);
	r->open = *run;
}

static void add_piece(struct runs *r, const struct vk_lab_fill *f, const struct vk_lab_node *n,
		      const struct vk_lab_piece *p)
{
	static const char *const data = "data", *const tbz = "tbz";
	uint64_t each = p->pool == VK_LAB_POOL_LARGE ? f->block_bytes << f->w.device->fs.sfbToLfbShift : n->unit_bytes;
	uint64_t first = p->first_unit * n->unit_bytes, bytes = p->units * n->unit_bytes;

	for (uint64_t done = 0; done < bytes && first + done < n->size_bytes; done += each) {
		const struct run run = {first + done, vk_min_u64(each, n->size_bytes - first - done),
					p->tbz ? tbz : data, vk_lab_pool_offset(f, p->pool, p->resource + done / each),
					false};

		add_run(r, &run);
	}
}

static json_t *runs_of(const struct vk_lab_fill *f, const struct vk_lab_node *n)
{
	static const char *const hole = "hole";
	struct runs r = {.owner = vk_json_begin(), .array = json_array()};
	uint64_t at = 0;

	if (n->zla == VK_ZLA_RESIDENT)
		add_run(&r, &(struct run){0, n->size_bytes, "resident",
					  vk_lab_pool_offset(f, VK_LAB_POOL_FD, n->fd) + f->fd.metadata_offset + 512,
					  false});
	at = n->zla == VK_ZLA_RESIDENT || (n->item->type == VK_FILE_RDM) ? n->size_bytes : 0;
	for (size_t i = 0; i < n->piece_count; i++) {
		uint64_t first = n->pieces[i].first_unit * n->unit_bytes;

		if (first > at)
			add_run(&r, &(struct run){at, vk_min_u64(first, n->size_bytes) - at, hole, 0, true});
		add_piece(&r, f, n, &n->pieces[i]);
		at = first + n->pieces[i].units * n->unit_bytes;
	}
	if (at < n->size_bytes)
		add_run(&r, &(struct run){at, n->size_bytes - at, hole, 0, true});
	close_run(&r);
	if (r.owner.failed) {
		json_decref(r.array);
		r.array = NULL;
	}
	json_decref(vk_json_end(&r.owner));
	return r.array;
}

static const char *kind_name(enum vk_file_type type)
{
	return type == VK_FILE_FOLDER ? "dir" : type == VK_FILE_LINK ? "symlink" : type == VK_FILE_RDM ? "rdm" : "file";
}

/* A virtual disk that this file stands for. */
static json_t *disk_json(const struct vk_lab_virtual *disk)
{
	struct vk_json o = vk_json_begin();

	VK_JSON_SET(&o, VK_KEY("kind", vk_lab_disk_kind_name(disk->kind)), VK_KEY("size_bytes", disk->size_bytes),
		    VK_KEY("descriptor_lost", disk->no_descriptor), VK_KEY("data_lost", disk->no_data));
	vk_json_set_text(&o, "cid", vk_phrase("%08x", disk->cid).text);
	vk_json_set_text(&o, "parent_cid", vk_phrase("%08x", disk->parent_cid).text);
	if (disk->parent != NULL)
		vk_json_set_text(&o, "parent", disk->parent);
	return vk_json_end(&o);
}

static json_t *node_json(struct vk_lab_fill *f, const struct vk_lab_node *n)
{
	struct vk_json o = vk_json_begin();
	struct vk_file_metadata m;
	char fd[16], mode[16];

	if (vk_lab_volume_get(f, vk_lab_pool_offset(f, VK_LAB_POOL_FD, n->fd), f->raw, f->fd.fd_bytes) != VK_OK) {
		json_decref(vk_json_end(&o));
		return NULL;
	}
	vk_file_metadata_decode(f->raw + f->fd.metadata_offset, 512, &m);
	snprintf(fd, sizeof(fd), "0x%08x", m.descAddr);
	snprintf(mode, sizeof(mode), "%04o", m.mode & 07777);
	VK_JSON_SET(&o, VK_KEY("path", n->item->path), VK_KEY("type", kind_name(n->item->type)),
		    VK_KEY("deleted", n->item->deleted), VK_KEY("size_bytes", n->size_bytes), VK_KEY("fd", fd),
		    VK_KEY("generation", m.generation), VK_KEY("zla", n->zla), VK_KEY("block_bytes", n->unit_bytes),
		    VK_KEY("blocks", m.numBlocks), VK_KEY("mode", mode), VK_KEY("uid", m.uid), VK_KEY("gid", m.gid),
		    VK_KEY("mtime", m.mtime), VK_KEY("ctime", m.ctime), VK_KEY("atime", m.atime));
	if (n->item->type == VK_FILE_LINK || n->item->type == VK_FILE_RDM)
		vk_json_set_text(&o, n->item->type == VK_FILE_LINK ? "target" : "lun", n->item->text);
	if (n->item->disk != NULL)
		vk_json_set(&o, "disk", disk_json(n->item->disk));
	if (n->sha256[0] != '\0' && n->item->type != VK_FILE_FOLDER)
		vk_json_set_text(&o, "sha256", n->sha256);
	if (n->data_sha256[0] != '\0' && n->item->type != VK_FILE_FOLDER)
		vk_json_set_text(&o, "data_sha256", n->data_sha256);
	vk_json_set(&o, "runs", runs_of(f, n));
	return vk_json_end(&o);
}

enum vk_status vk_lab_truth_write(struct vk_lab_fill *f, FILE *out)
{
	for (size_t i = 0; i < f->asked->count; i++) {
		json_t *line = node_json(f, &f->nodes[i]);
		int failed = line == NULL || json_dumpf(line, out, JSON_COMPACT) != 0 || fputc('\n', out) == EOF;

		json_decref(line);
		if (failed)
			return vk_error_set(f->err, VK_IO, f->asked->truth, "the file could not be written");
	}
	return VK_OK;
}
