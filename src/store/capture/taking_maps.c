/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The maps of files of a capture. Each is made in a file without a name, so that its length is known before the capture
 * has anything of it, and then goes the way of all files of a capture.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/checked.h"
#include "base/memory.h"
#include "base/shown.h"
#include "store/capture/apart.h"
#include "store/capture/taking.h"
#include "store/plan/plan.h"
#include "vmfskit/fs_metadata.h"

enum {
	MAP_NAME_BYTES = sizeof(((struct vk_saved_map *)NULL)->file),
	ROOM_BYTES = 1 << 20 /* of the papers of a capture, and its line in the ledger */
};

struct scratch {
	int fd;
};

enum vk_status vk_scratch_put(int fd, const void *bytes, size_t len, struct vk_error *err)
{
	for (size_t done = 0; done < len;) {
		const ssize_t n = write(fd, (const char *)bytes + done, len - done);

		if (n < 0 && errno != EINTR)
			return vk_error_errno(err, errno, NULL, "cannot be written");
		done += n > 0 ? (size_t)n : 0;
	}
	return VK_OK;
}

bool vk_scratch_restart(int fd)
{
	return lseek(fd, 0, SEEK_SET) == 0 && ftruncate(fd, 0) == 0;
}

static bool put_bytes(void *ctx, const void *bytes, size_t len)
{
	return vk_scratch_put(((const struct scratch *)ctx)->fd, bytes, len, NULL) == VK_OK;
}

static bool restart(void *ctx)
{
	return vk_scratch_restart(((const struct scratch *)ctx)->fd);
}

/* What of the files is not in the map, one finding for each cause. */
static void report(const struct vk_vmfs *vmfs, uint64_t base, uint64_t limit, const struct vk_file_map_made *made,
		   const struct vk_finding_sink *sink)
{
	static const char *const left_out[] = {"", "the runs of other files than virtual disks are left out",
					       "the runs of all files are left out",
					       "files are left out, and the runs of the others"};
	const struct vk_file_map_sums *sums = &made->sums;

	if (sums->scope != VK_FILE_MAP_ALL)
		vk_finding_say(sink, VK_F_CAPTURE_FILES_LIMIT, base, 0, NULL, NULL,
			       "partition %u: the map of its files would be longer than %s: %s", vmfs->partition,
			       vk_shown_size_short(limit).text, left_out[sums->scope]);
	if (made->unreadable || (made->damaged > 0 && !made->zeros))
		vk_finding_say(sink, VK_F_CAPTURE_FILES_UNREAD, base, 0, NULL, NULL,
			       "partition %u: not all of its files could be mapped: %.150s", vmfs->partition,
			       made->first);
	else if (sums->faults + sums->unread > 0)
		vk_finding_say(sink, VK_F_CAPTURE_FILES_ABSENT, base, 0, NULL, NULL,
			       "partition %u: not all that tells of its files is in the source: %.150s",
			       vmfs->partition, made->first);
	if (sums->torn > 0)
		vk_finding_say(sink, VK_F_CAPTURE_FILES_TORN, base, 0, NULL, NULL,
			       "partition %u: %llu of its %llu files changed while they were mapped", vmfs->partition,
			       (unsigned long long)sums->torn, (unsigned long long)sums->files);
}

/* Nothing of the files of a volume is saved. That it is only not there, as in a dump of its begin, is no fault. */
void vk_taking_report_lost(unsigned partition, uint64_t base, const char *what, const struct vk_error *why,
			   const struct vk_finding_sink *sink)
{
	const bool absent = why->status == VK_ABSENT || why->status == VK_UNSUPPORTED;

	vk_finding_say(sink, absent ? VK_F_CAPTURE_FILES_ABSENT : VK_F_CAPTURE_FILES_UNREAD, base, 0, NULL, NULL,
		       "partition %u: its %s not saved: %.150s", partition, what, why->what);
}

/*
 * Whether the store has room for the map: the headers must not be lost for it. One as long as the last night's is
 * mostly the same, and then takes none.
 */
bool vk_taking_has_room(const struct vk_taking *taking, const char *file, const char *what, uint64_t bytes,
			struct vk_error *err)
{
	struct statvfs fs;
	struct stat st;

	if (fstatvfs(taking->folder.store_fd, &fs) != 0 || fs.f_blocks == 0 ||
	    vk_mul_sat(geteuid() == 0 ? fs.f_bfree : fs.f_bavail, fs.f_frsize) > vk_add_sat(bytes, ROOM_BYTES) ||
	    (taking->previous.fd >= 0 && fstatat(taking->previous.fd, file, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	     (uint64_t)st.st_size == bytes))
		return true;
	(void)vk_error_set(err, VK_IO, taking->folder.store, "the store has no room for the %s, which has %s", what,
			   vk_shown_size_short(bytes).text);
	return false;
}

/* Into the capture, and into its manifest. */
static enum vk_status keep_map(struct vk_taking *taking, const struct vk_vmfs *vmfs,
			       const struct vk_file_map_made *made, const char file[MAP_NAME_BYTES], int fd,
			       struct vk_error *err)
{
	struct vk_capture *c = &taking->manifest.capture;
	const struct vk_file_map_sums *sums = &made->sums;
	struct vk_saved_map *map = vk_append(&c->maps, &c->map_count, NULL, sizeof(*map));

	if (map == NULL)
		return vk_no_memory(err, NULL);
	*map = (struct vk_saved_map){.partition = vmfs->partition, .length_bytes = made->bytes, .scope = sums->scope,
				     .files = sums->files, .runs = sums->runs, .unread = sums->unread,
				     .torn = sums->torn, .faults = sums->faults};
	memcpy(map->file, file, sizeof(map->file));
	return vk_taking_put(taking, c->region_count + c->map_count,
			     &(struct vk_taking_bytes){.fd = fd, .ret_sha256 = map->sha256}, err);
}

/* What is handed to the process that reads the files, and back. */
struct map_job {
	const struct vk_fs_extent *extent;
	struct vk_capture_watch *watch;
	uint64_t limit;
	struct scratch scratch;
	struct vk_file_map_made made;
	enum vk_status status;
	struct vk_error why;
};

/* So long a line of a run can get, and that of a file with a path of usual length. */
enum { RUN_BYTES = 40, FILE_BYTES = 400 };

/* Told before all the files are read, from a few headers. */
static void tell_sizes(const struct map_job *job)
{
	struct vk_capture_watch *watch = job->watch;
	struct vk_fs_metadata_sizes sizes;
	struct vk_fs *fs;
	uint64_t map;

	if (watch == NULL || vk_fs_open(job->extent, 1, NULL, &fs, NULL) != VK_OK)
		return;
	if (vk_fs_metadata_estimate(fs, &sizes, NULL) == VK_OK) {
		map = vk_add_sat(vk_mul_sat(sizes.runs, RUN_BYTES), vk_mul_sat(sizes.files, FILE_BYTES));
		watch->most_map_bytes += vk_min_u64(map, job->limit);
		watch->most_metadata_bytes += vk_min_u64(sizes.total_bytes, job->limit);
	}
	vk_fs_close(fs);
}

static void make_map(void *ctx)
{
	struct map_job *job = ctx;
	const struct vk_file_map_out out = {put_bytes, restart, &job->scratch};

	tell_sizes(job);
	job->status = vk_file_map_make(job->extent, 1, job->limit, &out, &job->made, &job->why);
}

/* The map in a file without a name. */
static enum vk_status read_files(struct vk_taking *taking, const struct vk_capture_options *options,
				 struct map_job *job, struct vk_error *err)
{
	enum vk_status status = vk_folder_scratch(&taking->folder, &job->scratch.fd, err);

	if (status == VK_OK && taking->hung)
		status = vk_error_set(err, VK_IO, NULL, "the device did not answer before");
	if (status == VK_OK) {
		status = vk_apart(options->watch, make_map, job, err);
		taking->hung = status != VK_OK;
	}
	if (status == VK_OK && job->status != VK_OK)
		*err = job->why;
	return status == VK_OK ? job->status : status;
}

static enum vk_status take_map(struct vk_taking *taking, const struct vk_source *source, const struct vk_vmfs *vmfs,
			       const struct vk_capture_options *options, const struct vk_finding_sink *sink,
			       struct vk_error *err)
{
	const uint64_t base = vk_plan_base(source, vmfs);
	const struct vk_fs_extent extent = {.io = vk_io_window(source->io, base, UINT64_MAX), .vmfs = vmfs,
					    .source_bytes = base};
	struct map_job *job = mmap(NULL, sizeof(*job), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	char file[MAP_NAME_BYTES];
	struct vk_error why = {.status = VK_OK};
	enum vk_status status;

	if (extent.io == NULL || job == MAP_FAILED) {
		vk_io_close(extent.io);
		if (job != MAP_FAILED)
			munmap(job, sizeof(*job));
		return vk_no_memory(err, source->path);
	}
	*job = (struct map_job){.extent = &extent, .watch = options->watch, .limit = options->files_limit_bytes,
				.scratch = {.fd = -1}};
	snprintf(file, sizeof(file), "p%u-files.map", vmfs->partition);
	status = read_files(taking, options, job, &why);
	if (status == VK_OK && !vk_taking_has_room(taking, file, "file map", job->made.bytes, &why))
		status = VK_IO;
	vk_io_close(extent.io);
	if (status != VK_OK && status != VK_NOMEM) {
		vk_taking_report_lost(vmfs->partition, base, "files are", &why, sink);
		status = VK_OK;
	} else if (status == VK_NOMEM) {
		*err = why;
	} else {
		report(vmfs, base, job->limit, &job->made, sink);
		status = keep_map(taking, vmfs, &job->made, file, job->scratch.fd, err);
	}
	if (job->scratch.fd >= 0)
		close(job->scratch.fd);
	munmap(job, sizeof(*job));
	return status;
}

enum vk_status vk_taking_maps(struct vk_taking *taking, const struct vk_source *source,
			      const struct vk_capture_options *options, const struct vk_finding_sink *sink,
			      struct vk_error *err)
{
	const struct vk_capture *c = &taking->manifest.capture;
	struct vk_vmfs spare;
	size_t count;
	const struct vk_vmfs *vmfs = vk_plan_partitions(source, &spare, &count);
	enum vk_status status = VK_OK;

	if (options->files_limit_bytes == 0)
		return VK_OK;
	/* an extent that is not the first has no file system of its own */
	for (size_t i = 0; i < count && status == VK_OK; i++)
		if (vmfs[i].fs_expected && c->region_count + 1 + c->map_count < taking->written_count)
			status = take_map(taking, source, &vmfs[i], options, sink, err);
	return status;
}
