/* SPDX-License-Identifier: Apache-2.0 */
/* Making the map of a volume: files in the order of their folders, each with its runs; then what changed meanwhile. */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "base/memory.h"
#include "filemap/file_map_form.h"
#include "filemap/seen.h"
#include "vmfskit/scsi_id.h"
#include "vmfskit/vmfs_uuid.h"

enum {
	BUFFER_BYTES = 256 << 10,
	TAIL_BYTES = 256,              /* of the last line */
	TORN_BYTES = 32,               /* of a line that says that a file is torn */
	STAMPS_BYTES = 80,             /* of a line of stamps */
	POINTER_BLOCKS_MAX = 1 << 20   /* of all files: no volume has so many, but files may share theirs */
};

struct maker {
	struct vk_fs *fs;
	struct vk_fs_clusters clusters; /* as they were before the first file */
	const struct vk_file_map_out *out;
	struct vk_finding_sink sink;
	uint64_t limit;
	char *buf;
	size_t used;
	struct vk_map_seen seen;
	bool again;            /* the second look: nothing is written, files are compared with seen */
	size_t visited;        /* in the second look */
	uint64_t names_left;   /* there, too: names of deleted files */
	uint64_t sum;          /* of the file in hand */
	uint64_t pointer_blocks;
	bool over;             /* it would have been longer than the limit */
	struct vk_file_map_made made;
	struct vk_file_map_made opened; /* what was met while the file system was opened */
	enum vk_status status;
	struct vk_error *err;
};

static void note_fault(void *ctx, const struct vk_finding *finding)
{
	struct maker *m = ctx;
	const bool damage = vk_finding_kind(finding->code)->severity != VK_INFO;

	m->made.unreadable = m->made.unreadable || finding->code == VK_F_SOURCE_UNREADABLE;
	if (damage ? m->made.damaged == 0 : m->made.sums.faults == 0)
		memcpy(m->made.first, finding->message, sizeof(m->made.first));
	m->made.sums.faults++;
	m->made.damaged += damage;
}

static bool flush(struct maker *m)
{
	if (m->used > 0 && !m->out->put(m->out->ctx, m->buf, m->used)) {
		m->status = vk_error_errno(m->err, errno, NULL, "the file map cannot be written");
		return false;
	}
	m->used = 0;
	return true;
}

/* A whole line, or nothing of it: false, when it is over the limit or cannot be written. */
__attribute__((format(printf, 2, 3)))
static bool put_line(struct maker *m, const char *fmt, ...)
{
	char line[VK_FILE_MAP_LINE_BYTES];
	va_list args;
	int len;

	va_start(args, fmt);
	len = vsnprintf(line, sizeof(line), fmt, args);
	va_end(args);
	if (len < 0 || (size_t)len >= sizeof(line)) {
		m->status = vk_error_set(m->err, VK_INTERNAL, NULL, "a line of the file map is too long");
		return false;
	}
	m->sum = vk_map_sum(m->sum, line, (size_t)len);
	if (m->again)
		return true;
	if (m->made.bytes + (size_t)len + TAIL_BYTES + m->seen.count * TORN_BYTES > m->limit) {
		m->over = true;
		return false;
	}
	if (m->used + (size_t)len > BUFFER_BYTES && !flush(m))
		return false;
	memcpy(m->buf + m->used, line, (size_t)len);
	m->used += (size_t)len;
	m->made.bytes += (size_t)len;
	return true;
}

/*
 * All of a descriptor but the time of its last reading and of the lock the token alone: two changes in one second may
 * leave the same descriptor, but not the same token.
 */
static uint64_t sum_of(const struct vk_fs_info *info, const struct vk_fs_file *file)
{
	const size_t at = info->fd.metadata_offset, atime = at + 0x34;
	const size_t end = file->fd_seen_bytes;
	uint64_t sum = vk_map_sum(VK_MAP_SUM_FIRST, &file->lock.token, sizeof(file->lock.token));

	if (end <= at)
		return sum;
	sum = vk_map_sum(sum, file->fd + at, (size_t)vk_min_u64(end, atime) - at);
	return end > atime + 4 ? vk_map_sum(sum, file->fd + atime + 4, end - atime - 4) : sum;
}

static void count_pointer_block(void *ctx, uint64_t address, uint64_t volume_offset)
{
	struct maker *m = ctx;

	(void)address;
	(void)volume_offset;
	m->pointer_blocks++;
}

static bool put_runs(struct maker *m, const struct vk_fs_file *file)
{
	struct vk_fs_walk *walk;
	struct vk_fs_run run;
	bool sound = true;

	m->status = vk_fs_walk_open(m->fs, file, 0, UINT64_MAX, &m->sink, &walk, m->err);
	if (m->status != VK_OK)
		return false;
	vk_fs_walk_on_pointer_block(walk, count_pointer_block, m);
	while (sound && vk_fs_walk_next(walk, &run)) {
		const char letter = run.copy_on_write ? vk_file_map_kinds_cow[run.kind] : vk_file_map_kinds[run.kind];

		if (run.volume_offset != UINT64_MAX)
			sound = put_line(m, "%c %" PRIu64 " %" PRIu64 "\n", letter, run.length_bytes,
					 run.volume_offset);
		else
			sound = put_line(m, "%c %" PRIu64 "\n", letter, run.length_bytes);
		m->made.sums.runs += sound;
	}
	vk_fs_walk_close(walk);
	m->over = m->over || m->pointer_blocks > POINTER_BLOCKS_MAX;
	return sound && !m->over;
}

static bool put_disk_id(struct maker *m, const struct vk_fs_file *file)
{
	const size_t at = vk_fs_info(m->fs)->resident_offset;
	struct vk_scsi_disk_id id;
	char name[VK_SCSI_NAME_BYTES];
	bool certain;

	if (file->meta.type != VK_FILE_RDM || file->fd_seen_bytes < at + VK_SCSI_DISK_ID_BYTES)
		return true;
	vk_scsi_disk_id_decode(file->fd + at, VK_SCSI_DISK_ID_BYTES, &id);
	vk_scsi_disk_id_name(&id, name, &certain);
	return vk_scsi_disk_id_is_nil(&id) || put_line(m, "R %s\n", name);
}

/* Its lines. */
static bool put_lines(struct maker *m, const char *path, const struct vk_fs_file *file)
{
	const struct vk_file_metadata *f = &file->meta;
	const enum vk_file_map_scope scope = m->made.sums.scope;

	if (!put_line(m, "F %" PRIu32 " 0x%08" PRIx32 " %" PRIu32 " %" PRIu64 " %" PRIu64 " 0x%" PRIx32 " 0x%" PRIx32
		      " %" PRIu32 " %" PRIu32 " %" PRIu32 " %" PRIu32 " %" PRIu32 " %s\n", f->type, file->address,
		      f->generation, f->fileLength, f->blockSize, f->flags, f->mode, f->uid, f->gid, f->linkCount,
		      f->mtime, f->ctime, path)) {
		/* it is not in the map */
		m->seen.count--;
		return false;
	}
	m->made.sums.files++;
	return put_disk_id(m, file) &&
	       (!(scope == VK_FILE_MAP_ALL || (scope == VK_FILE_MAP_DISKS && vk_file_map_ends(path, ".vmdk"))) ||
		put_runs(m, file));
}

static bool put_file(struct maker *m, const char *path, const struct vk_fs_file *file, uint32_t folder)
{
	const struct vk_file_metadata *f = &file->meta;
	bool sound;

	if (!m->again && m->seen.count >= VK_FILE_MAP_FILES_MAX) {
		m->over = true;
		return false;
	}
	if (!m->again && !vk_map_seen_add(&m->seen, file->address, f->generation)) {
		m->status = vk_no_memory(m->err, NULL);
		return false;
	}
	m->sum = sum_of(vk_fs_info(m->fs), file);
	sound = put_lines(m, path, file);
	if (!m->again)
		vk_map_seen_set(&m->seen, m->sum);
	else
		vk_map_seen_again(&m->seen, file->address, f->generation, m->sum, folder);
	return sound;
}

/* As a deletion leaves a descriptor. */
static bool is_deleted(const struct vk_file_metadata *f)
{
	return f->linkCount == 0 && f->fileLength == 0 && f->numBlocks == 0;
}

static bool visit(void *ctx, const struct vk_fs_visit *visit, bool *ret_stop)
{
	struct maker *m = ctx;
	const struct vk_fs_entry *e = visit->entry;
	bool sound;

	if (m->again && m->made.sums.scope == VK_FILE_MAP_CUT && m->visited++ > m->seen.count) {
		*ret_stop = true;
		return false;
	}
	/* the file was deleted since its folder was read: it is not there any more */
	if (visit->file != NULL && is_deleted(&visit->file->meta)) {
		m->names_left += m->again;
		return false;
	}
	if (visit->file != NULL) {
		sound = put_file(m, visit->path, visit->file, visit->folder);
	} else {
		sound = put_line(m, "U %" PRIu32 " 0x%08" PRIx32 " %" PRIu32 " %s\n", e->type, e->address,
				 e->generation, visit->path);
		m->made.sums.files += sound;
		m->made.sums.unread += sound;
		m->made.unreadable = m->made.unreadable || visit->error->status == VK_IO;
		m->made.damaged += visit->error->status == VK_DAMAGED;
		if (m->made.first[0] == '\0')
			snprintf(m->made.first, sizeof(m->made.first), "%.239s", visit->error->what);
	}
	*ret_stop = !sound;
	return sound;
}

/*
 * Once more through the volume, and nothing is written: what is the same in both looks was so at the moment between
 * them. False: memory ran out.
 */
static bool look_twice(struct maker *m)
{
	const struct vk_file_map_made made = m->made;
	const struct vk_fs_file *root = vk_fs_info(m->fs)->system[VK_SYSTEM_ROOT].file;
	struct vk_fs_file *file = NULL;
	struct vk_error ignored;
	enum vk_status status = VK_OK;

	vk_fs_forget(m->fs);
	/* of a part of the files no other one is new */
	vk_map_seen_sort(&m->seen, made.sums.scope != VK_FILE_MAP_CUT);
	m->again = true;
	m->visited = 0;
	m->names_left = 0;
	m->pointer_blocks = 0;
	if (root != NULL)
		status = vk_fs_file_open(m->fs, root->address, NULL, &file, &ignored);
	if (status == VK_OK && file != NULL)
		(void)put_file(m, "/", file, file->address);
	if (status == VK_OK && m->status == VK_OK)
		status = vk_fs_walk_tree(m->fs, "/", visit, m, &m->sink, &ignored);
	vk_fs_file_close(file);
	/* what could not be read again is not as it was */
	m->status = status == VK_NOMEM || m->status == VK_NOMEM ? vk_no_memory(m->err, NULL) : VK_OK;
	m->again = m->over = false;
	m->made = made;
	/* a name that stays is damage, and what else its folder names is not certain */
	m->made.sums.faults += m->names_left;
	m->made.damaged += m->names_left;
	if (m->names_left > 0 && m->made.first[0] == '\0')
		snprintf(m->made.first, sizeof(m->made.first), "a name leads to the descriptor of a deleted file");
	return m->status == VK_OK;
}

/* What is not as it was when its file was mapped, or is gone. There is room for these lines. */
static bool put_torn(struct maker *m)
{
	bool sound = flush(m) && look_twice(m);
	uint32_t address, generation;

	for (size_t at = 0; sound && vk_map_seen_torn(&m->seen, &at, &address, &generation);) {
		sound = put_line(m, "T 0x%08" PRIx32 " %" PRIu32 "\n", address, generation);
		m->made.sums.torn += sound;
	}
	return sound;
}

/* The line of the clusters from *first on that have one stamp, as it was and is; false: there is no more. */
static bool stamps_line(const struct vk_fs_clusters_of *was, const struct vk_fs_clusters_of *is, unsigned kind,
			uint64_t *first, char ret_line[STAMPS_BYTES], uint64_t *ret_count)
{
	const uint64_t count = vk_min_u64(vk_min_u64(was->count, is->count), VK_FILE_MAP_CLUSTERS_MAX);
	uint64_t i = *first, end;

	while (i < count && (was->stamps[i] == VK_STAMP_NONE || was->stamps[i] != is->stamps[i]))
		i++;
	for (end = i; end < count && was->stamps[end] == was->stamps[i] && is->stamps[end] == was->stamps[i];)
		end++;
	*first = end;
	*ret_count = end - i;
	if (end > i)
		snprintf(ret_line, STAMPS_BYTES, "C %s %" PRIu64 " %" PRIu64 " %" PRIu64 "\n",
			 vk_fs_cluster_kind_name((enum vk_fs_cluster_kind)kind), i, end - i, was->stamps[i]);
	return end > i;
}

/* All of them, or none when there is no room. */
static bool put_stamps(struct maker *m)
{
	struct vk_fs_clusters now = {0};
	char line[STAMPS_BYTES];
	uint64_t bytes = TAIL_BYTES;
	bool sound = true;

	if (vk_fs_clusters_read(m->fs, &now, NULL) != VK_OK)
		return true;
	for (unsigned put = 0; sound && put < 2 && m->made.bytes + bytes <= m->limit; put++)
		for (unsigned k = 0; k < VK_CLUSTERS_KINDS; k++) {
			const struct vk_fs_clusters_of *was = &m->clusters.of[k], *is = &now.of[k];

			for (uint64_t i = 0, n; sound && stamps_line(was, is, k, &i, line, &n);) {
				bytes += put ? 0 : strlen(line);
				sound = !put || put_line(m, "%s", line);
				m->made.sums.clusters += sound && put ? n : 0;
			}
		}
	vk_fs_clusters_free(&now);
	return sound;
}

/* Once through the volume. */
static void make_once(struct maker *m, enum vk_file_map_scope scope)
{
	const struct vk_fs_info *info = vk_fs_info(m->fs);
	struct vk_file_map_sums *sums = &m->made.sums;
	const struct vk_fs_file *root = info->system[VK_SYSTEM_ROOT].file;
	bool sound;

	m->made = m->opened;
	sums->scope = scope;
	sums->block_bytes = info->file_block_bytes;
	vk_vmfs_uuid_format(&info->descriptor.uuid, sums->volume);
	vk_fs_version_name(&info->descriptor, sums->version);
	m->seen.count = m->used = 0;
	m->pointer_blocks = 0;
	m->over = false;
	if (!m->out->restart(m->out->ctx)) {
		m->status = vk_error_errno(m->err, errno, NULL, "the file map cannot be written");
		return;
	}
	if (put_line(m, VK_FILE_MAP_FIRST_LINE "V %s %" PRIu64 " %s\n", sums->volume, sums->block_bytes,
		     sums->version) &&
	    (root == NULL || put_file(m, "/", root, root->address))) {
		enum vk_status status = vk_fs_walk_tree(m->fs, "/", visit, m, &m->sink, m->err);

		if (m->status == VK_OK && status != VK_OK && status != VK_NOMEM && sums->files > 1) {
			/* what was read is worth more than nothing */
			sums->faults++;
			m->made.damaged += status == VK_DAMAGED;
			m->made.unreadable = m->made.unreadable || status == VK_IO;
			snprintf(m->made.first, sizeof(m->made.first), "%.239s", m->err->what);
		} else if (m->status == VK_OK) {
			m->status = status;
		}
	}
	if (m->over && scope == VK_FILE_MAP_NAMES)
		sums->scope = VK_FILE_MAP_CUT;
	if (m->status != VK_OK || (m->over && sums->scope != VK_FILE_MAP_CUT))
		return;
	m->limit += m->seen.count * TORN_BYTES; /* that was kept free for these */
	m->over = false;
	m->made.zeros = info->zero_metadata;
	sound = put_torn(m) && put_stamps(m);
	m->limit += TAIL_BYTES;
	if (sound && put_line(m, "E %s %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 "\n",
			      vk_file_map_scope_name(sums->scope), sums->files, sums->runs, sums->unread, sums->torn,
			      sums->faults, sums->clusters))
		(void)flush(m);
}

enum vk_status vk_file_map_make(const struct vk_fs_extent *extents, size_t count, uint64_t limit_bytes,
				const struct vk_file_map_out *out, struct vk_file_map_made *ret_made,
				struct vk_error *err)
{
	struct vk_error own;
	struct maker m = {.out = out, .err = err != NULL ? err : &own, .limit = limit_bytes};
	enum vk_file_map_scope scope = VK_FILE_MAP_ALL;

	if (limit_bytes < VK_FILE_MAP_LEAST_BYTES || limit_bytes > VK_FILE_MAP_MOST_BYTES)
		return vk_error_set(err, VK_USAGE, NULL, "a file map has from %d to %d bytes", VK_FILE_MAP_LEAST_BYTES,
				    VK_FILE_MAP_MOST_BYTES);
	m.sink = (struct vk_finding_sink){note_fault, &m};
	m.status = vk_fs_open(extents, count, &m.sink, &m.fs, m.err);
	if (m.status == VK_OK && (m.buf = malloc(BUFFER_BYTES)) == NULL)
		m.status = vk_no_memory(m.err, NULL);
	/* stamps are worth less than the map */
	if (m.status == VK_OK && vk_fs_clusters_read(m.fs, &m.clusters, NULL) == VK_OK)
		vk_fs_forget(m.fs);
	m.opened = m.made;
	if (m.status == VK_OK)
		make_once(&m, scope);
	while (m.status == VK_OK && m.over)
		make_once(&m, ++scope);
	if (m.status == VK_OK)
		*ret_made = m.made;
	free(m.buf);
	free(m.seen.of);
	vk_fs_clusters_free(&m.clusters);
	vk_fs_close(m.fs);
	return m.status;
}
