/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Dumps of the beginning of a volume, of 26 MiB and of 100 lengths that follow from a number: whatever lies inside is
 * listed, mapped and read as in the whole volume, the rest is called absent, and nothing is called damaged.
 * CUTS: so many lengths of each volume; test_fs_cut VOLUME LENGTH repeats one.
 */
#include "damage_run.h"
#include "fs_filled.h"
#include "vmfskit/directory.h"
#include "vmfskit/fs.h"
#include "vmfskit/fs_check.h"

enum { USUAL = 100, KNOWN_MAX = 1000, BLOCKS_MAX = 8, PIECE = 8192, VOLUMES = REAL_VOLUMES + FILLED };

/* What the whole volume says of a file. Places are those in the source. */
static struct known {
	char path[256];
	size_t folder;                     /* the one that names it */
	uint64_t entry_at;                 /* the last byte of its name's entry, and one more */
	uint64_t end;                      /* of its descriptor */
	uint32_t address;
	struct vk_file_metadata meta;
	struct vk_fs_run *runs;
	size_t count;
	uint64_t last;                     /* where what it has ends */
	uint64_t pointers[BLOCKS_MAX];     /* where its pointer blocks end */
	size_t pointer_count;
} known[KNOWN_MAX];
static size_t known_count, fdc;
static struct vk_io *whole_io;
static struct vk_fs *whole;

static struct vk_fs_file *open_known(struct vk_fs *fs, const struct known *k)
{
	struct vk_error err = {0};
	struct vk_fs_file *file = NULL;

	if (vk_fs_file_open(fs, k->address, NULL, &file, &err) != VK_OK)
		fail_msg("%s: %s", k->path, err.what);
	return file;
}

static uint64_t end_of(struct vk_fs *fs, uint64_t volume_offset, uint64_t len)
{
	uint64_t at, held;
	size_t extent;

	assert_true(vk_fs_place(fs, volume_offset, &extent, &at, &held) && held >= len);
	return at + len;
}

static void know_pointer_block(void *ctx, uint64_t address, uint64_t volume_offset)
{
	struct known *k = ctx;

	(void)address;
	assert_true(k->pointer_count < BLOCKS_MAX);
	k->pointers[k->pointer_count++] = end_of(whole, volume_offset, 8ULL * vk_fs_info(whole)->pointers_per_block);
}

static bool has_bytes(const struct vk_fs_run *run)
{
	return run->kind == VK_RUN_DATA || run->kind == VK_RUN_RESIDENT;
}

static void know_runs(struct known *k, const struct vk_fs_file *file)
{
	struct vk_error err = {0};
	struct vk_fs_walk *walk;
	struct vk_fs_run run;

	assert_int_equal(vk_fs_walk_open(whole, file, 0, UINT64_MAX, &sound, &walk, &err), VK_OK);
	vk_fs_walk_on_pointer_block(walk, know_pointer_block, k);
	while (vk_fs_walk_next(walk, &run)) {
		k->runs = realloc(k->runs, (k->count + 1) * sizeof(run));
		assert_non_null(k->runs);
		k->runs[k->count++] = run;
		if (has_bytes(&run) && run.source_offset + run.length_bytes > k->last)
			k->last = run.source_offset + run.length_bytes;
	}
	vk_fs_walk_close(walk);
}

static struct known *know(const char *path, const struct vk_fs_file *file)
{
	struct known *k = &known[known_count];

	assert_true(known_count++ < KNOWN_MAX && strlen(path) < sizeof(k->path));
	*k = (struct known){.address = file->address, .meta = file->meta};
	strcpy(k->path, path);
	k->end = end_of(whole, file->volume_offset, vk_fs_info(whole)->fd.fd_bytes);
	know_runs(k, file);
	return k;
}

static size_t known_folder(uint32_t address)
{
	for (size_t i = 0; i < known_count; i++)
		if (known[i].address == address)
			return i;
	fail_msg("no folder has the descriptor 0x%08x", address);
	return 0;
}

static const struct vk_fs_run *run_at(const struct known *k, uint64_t file_offset)
{
	for (size_t i = 0; i < k->count; i++)
		if (k->runs[i].file_offset <= file_offset &&
		    file_offset - k->runs[i].file_offset < k->runs[i].length_bytes)
			return &k->runs[i];
	fail_msg("%s has nothing at %llu", k->path, (unsigned long long)file_offset);
	return NULL;
}

static bool know_visit(void *ctx, const struct vk_fs_visit *visit, bool *ret_stop)
{
	uint64_t at = visit->entry->file_offset;
	const struct vk_fs_run *run;
	struct known *k;

	(void)ctx;
	(void)ret_stop;
	assert_non_null(visit->file);
	k = know(visit->path, visit->file);
	k->folder = known_folder(visit->folder);
	run = run_at(&known[k->folder], at);
	k->entry_at = run->source_offset + (at - run->file_offset) +
		      (vk_fs_info(whole)->vmfs6 ? VK_DIR6_ENTRY_BYTES : VK_DIR_ENTRY_BYTES);
	if (strcmp(visit->path, "/.fdc.sf") == 0)
		fdc = (size_t)(k - known);
	return true;
}

static void know_all(void)
{
	struct vk_error err = {0};
	struct vk_fs_file *root;

	known_count = fdc = 0;
	assert_int_equal(vk_fs_lookup(whole, "/", false, &sound, &root, &err), VK_OK);
	know("/", root);
	vk_fs_file_close(root);
	assert_int_equal(vk_fs_walk_tree(whole, "/", know_visit, NULL, &sound, &err), VK_OK);
	assert_true(known_count > 8 && fdc > 0);
}

static void forget_all(void)
{
	for (size_t i = 0; i < known_count; i++)
		free(known[i].runs);
}

/* One dump. */
static struct cut {
	uint64_t length;
	struct vk_fs *fs;
	size_t seen, whole_names;
	bool found[KNOWN_MAX], said;
} cut;
static uint64_t cuts_opened, names_seen, runs_seen, bytes_seen;

/* That something is not there is no damage. */
static void put_cut(void *ctx, const struct vk_finding *finding)
{
	const struct vk_finding_kind *kind = vk_finding_kind(finding->code);

	(void)ctx;
	cut.said = true;
	if (finding->code != VK_F_STRUCTURE_ABSENT && kind->severity != VK_INFO)
		fail_msg("%llu bytes: %s: %s", (unsigned long long)cut.length, kind->code, finding->message);
}
static const struct vk_finding_sink cut_sink = {.put = put_cut};

static size_t pointers_outside(const struct known *k)
{
	size_t outside = 0;

	for (size_t i = 0; i < k->pointer_count; i++)
		outside += k->pointers[i] > cut.length;
	return outside;
}

/* Sub-blocks and pointer blocks are found by the first bytes of their system files. */
static bool leads(const struct known *k)
{
	const struct vk_fs_info *info = vk_fs_info(whole);
	static const enum vk_system_file files[] = {VK_SYSTEM_SBC, VK_SYSTEM_PBC, VK_SYSTEM_PB2};

	if (pointers_outside(k) > 0)
		return false;
	if (k->meta.zeroLevelAddrType == VK_ZLA_FILE_BLOCK || k->meta.zeroLevelAddrType == VK_ZLA_RESIDENT)
		return true;
	for (size_t i = 0; i < 3; i++) {
		const struct known *system = NULL;

		for (size_t j = 0; info->system[files[i]].file != NULL && j < known_count; j++)
			if (known[j].address == info->system[files[i]].file->address)
				system = &known[j];
		if (system != NULL && (system->end > cut.length || pointers_outside(system) > 0 ||
				       system->runs[0].source_offset + VK_RESOURCE_FILE_BYTES > cut.length))
			return false;
	}
	return true;
}

/* The bytes of a run that are inside, from its beginning on. */
static uint64_t inside(const struct vk_fs_run *run)
{
	if (run->kind == VK_RUN_MISSING)
		return 0;
	if (!has_bytes(run))
		return run->length_bytes;
	if (run->source_offset >= cut.length)
		return 0;
	return run->length_bytes < cut.length - run->source_offset ? run->length_bytes : cut.length - run->source_offset;
}

/* A run of the dump lies within one of the whole volume, or its pointer block is not there. */
static void compare_run(const struct known *k, const struct vk_fs_run *run)
{
	const struct vk_fs_run *all = run_at(k, run->file_offset);

	runs_seen++;
	if (run->kind == VK_RUN_MISSING && all->kind != VK_RUN_MISSING) {
		if (leads(k))
			fail_msg("%s: %llu is missing of a dump of %llu bytes", k->path,
				 (unsigned long long)run->file_offset, (unsigned long long)cut.length);
		return;
	}
	if (run->kind != all->kind || run->length_bytes > all->file_offset + all->length_bytes - run->file_offset ||
	    (has_bytes(run) && run->source_offset - run->file_offset != all->source_offset - all->file_offset))
		fail_msg("%s: at %llu other bytes in a dump of %llu", k->path, (unsigned long long)run->file_offset,
			 (unsigned long long)cut.length);
}

/* From file_offset on, a little of a run: what is inside and no more, byte for byte. */
static void compare_bytes(const struct vk_fs_file *file, const struct known *k, const struct vk_fs_run *run, uint64_t skip)
{
	uint64_t held = inside(run) > skip ? inside(run) - skip : 0;
	size_t want = (size_t)(run->length_bytes - skip < PIECE ? run->length_bytes - skip : PIECE), got, had;
	struct vk_fs_file *other = open_known(whole, k);
	static uint8_t is[PIECE], was[PIECE];
	struct vk_error err = {0};

	assert_int_equal(vk_fs_read(cut.fs, file, run->file_offset + skip, is, want, &got, &err), VK_OK);
	assert_int_equal(got, held < want ? held : want);
	assert_int_equal(vk_fs_read(whole, other, run->file_offset + skip, was, want, &had, &err), VK_OK);
	assert_true(had >= got);
	assert_memory_equal(is, was, got);
	bytes_seen += got;
	vk_fs_file_close(other);
}

static void compare_file(const struct vk_fs_file *file, const struct known *k)
{
	uint64_t at = 0, missing = 0, told, allocated;
	struct vk_error err = {0};
	struct vk_fs_walk *walk;
	struct vk_fs_run run;

	assert_memory_equal(&file->meta, &k->meta, sizeof(k->meta));
	assert_int_equal(vk_fs_walk_open(cut.fs, file, 0, UINT64_MAX, &cut_sink, &walk, &err), VK_OK);
	for (; vk_fs_walk_next(walk, &run); at += run.length_bytes) {
		assert_int_equal(run.file_offset, at);
		/* a descriptor that is not all there has no addresses */
		if (k->end <= cut.length)
			compare_run(k, &run);
		missing += run.length_bytes - inside(&run);
		if (k->end <= cut.length && run.kind != VK_RUN_MISSING) {
			compare_bytes(file, k, &run, 0);
			if (inside(&run) > 100 && inside(&run) < run.length_bytes)
				compare_bytes(file, k, &run, inside(&run) - 100);
		}
	}
	assert_int_equal(at, k->meta.fileLength);
	vk_fs_walk_close(walk);
	assert_int_equal(vk_fs_measure(cut.fs, file, &told, NULL, &allocated, &err), VK_OK);
	if (k->end <= cut.length)
		assert_int_equal(told, missing);
}

static bool cut_visit(void *ctx, const struct vk_fs_visit *visit, bool *ret_stop)
{
	size_t i = 1;

	(void)ctx;
	(void)ret_stop;
	while (i < known_count && strcmp(known[i].path, visit->path) != 0)
		i++;
	if (i == known_count)
		fail_msg("%s is not in the whole volume", visit->path);
	assert_false(cut.found[i]);
	cut.found[i] = true;
	names_seen++;
	if (visit->file != NULL) {
		compare_file(visit->file, &known[i]);
		return true;
	}
	cut.said = true;
	if (known[i].end <= cut.length || visit->error->status != VK_ABSENT)
		fail_msg("%s of a dump of %llu bytes: %s", visit->path, (unsigned long long)cut.length, visit->error->what);
	return true;
}

/* Whether a name must be found: it, the folders above it and their descriptors are inside. VMFS6: all of the folder. */
static bool reachable(size_t i)
{
	const struct known *k = &known[i], *folder = &known[k->folder];

	if (i == 0)
		return k->end <= cut.length;
	return k->entry_at <= cut.length && folder->end <= cut.length && leads(folder) &&
	       (!vk_fs_info(whole)->vmfs6 || folder->last <= cut.length) && reachable(k->folder);
}

static void compare_cut(void)
{
	struct vk_error err = {0};
	struct vk_fs_check check = {.files = 0};
	size_t named = 0;

	if (vk_fs_walk_tree(cut.fs, "/", cut_visit, NULL, &cut_sink, &err) != VK_OK) {
		assert_int_equal(err.status, VK_ABSENT);
		cut.said = true;
	}
	for (size_t i = 1; i < known_count; i++) {
		if (!cut.found[i] && reachable(i))
			fail_msg("%s lies in a dump of %llu bytes, and is not listed", known[i].path,
				 (unsigned long long)cut.length);
		named += cut.found[i];
	}
	/* what is not listed is not passed over */
	assert_true(named == known_count - 1 || cut.said);
	assert_int_equal(vk_fs_check(cut.fs, &cut_sink, &check, &err), VK_OK);
	for (size_t i = 0; i < VK_FS_CHECK_PHASES; i++)
		assert_int_equal(check.phases[i].findings, 0);
	vk_fs_check_free(&check);
}

static void one_cut(uint64_t length)
{
	struct vk_io *io = vk_io_window(whole_io, 0, length);
	struct vk_vmfs vmfs = {.partition_bytes = vk_io_size_bytes(whole_io)};
	struct vk_fs_extent extent = {.io = io, .vmfs = &vmfs};
	struct vk_error err = {0};

	assert_non_null(io);
	cut = (struct cut){.length = length};
	assert_int_equal(vk_vmfs_read(io, NULL, &vmfs, &err), VK_OK);
	if (vk_fs_open(&extent, 1, &cut_sink, &cut.fs, &err) == VK_OK) {
		cuts_opened++;
		compare_cut();
		vk_fs_close(cut.fs);
	} else if (err.status != VK_ABSENT || (known[0].end <= length && known[fdc].end <= length)) {
		fail_msg("a dump of %llu bytes: %s", (unsigned long long)length, err.what);
	}
	vk_vmfs_free(&vmfs);
	vk_io_close(io);
}

static const char *volume_name(size_t index)
{
	return index < REAL_VOLUMES ? real_volumes[index].name : index < VOLUMES ? filled_volumes[index - REAL_VOLUMES] : NULL;
}

/* False: the volume is not there. length 0: so many of any length, half of them where the metadata lies. */
static bool run_volume(size_t index, uint64_t length, uint64_t count)
{
	struct vk_io *io = index < REAL_VOLUMES ? real_volume_open(&real_volumes[index]) : filled_volume(volume_name(index));
	uint64_t random = index + 14, last = 0, metadata = 0, first;
	struct vk_vmfs vmfs = {0};
	struct vk_fs_extent extent = {.vmfs = &vmfs};
	struct vk_error err = {0};

	if (io == NULL)
		return false;
	whole_io = index < REAL_VOLUMES ? vk_io_window(io, 0, real_volumes[index].partition_bytes) : io;
	vmfs.partition_bytes = vk_io_size_bytes(whole_io);
	extent.io = whole_io;
	assert_int_equal(vk_vmfs_read(whole_io, NULL, &vmfs, &err), VK_OK);
	assert_int_equal(vk_fs_open(&extent, 1, &sound, &whole, &err), VK_OK);
	know_all();
	for (size_t i = 0; i < known_count; i++) {
		last = known[i].last > last ? known[i].last : last;
		metadata = known[i].end > metadata ? known[i].end : metadata;
	}
	cuts_opened = names_seen = runs_seen = bytes_seen = 0;
	/* the first of them is the root, behind the beginning of .fdc.sf */
	first = known[0].end - (1 << 20);
	one_cut(length > 0 ? length : 26 << 20);
	for (uint64_t i = 0; length == 0 && i < count; i++)
		one_cut(i % 2 == 0 ? 1 + damage_below(&random, (size_t)last + (1 << 20))
				   : first + damage_below(&random, (size_t)(metadata - first) + (4 << 20)));
	printf("# %s: %llu dumps opened, %llu names, %llu runs, %llu bytes compared\n", volume_name(index),
	       (unsigned long long)cuts_opened, (unsigned long long)names_seen, (unsigned long long)runs_seen,
	       (unsigned long long)bytes_seen);
	assert_true(length > 0 || (cuts_opened > count / 2 && names_seen > count && bytes_seen > 0));
	forget_all();
	vk_fs_close(whole);
	vk_vmfs_free(&vmfs);
	if (whole_io != io)
		vk_io_close(whole_io);
	vk_io_close(io);
	return true;
}

static void all_inside_is_given(void **state)
{
	if (!run_volume((uintptr_t)*state, 0, damage_number_of("CUTS", USUAL)))
		skip();
}

int main(int argc, char **argv)
{
	struct CMUnitTest tests[VOLUMES];

	for (size_t i = 0; argc > 2 && volume_name(i) != NULL; i++)
		if (strcmp(volume_name(i), argv[1]) == 0)
			return run_volume(i, strtoull(argv[2], NULL, 10), 0) ? 0 : 77;
	for (size_t i = 0; i < VOLUMES; i++)
		tests[i] = damage_unit_test("all_inside_is_given", volume_name(i), all_inside_is_given, i);
	return cmocka_run_group_tests_name("fs cut", tests, NULL, NULL);
}
