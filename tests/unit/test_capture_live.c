/* SPDX-License-Identifier: Apache-2.0 */
/* A disk that a host changes while it is captured: taken again, and at last kept with a word about it. */
#include "capture_fixture.h"
#include "lab/lab.h"

#define PARTITION ((uint64_t)2048 * 512)
#define DISK_BYTES (2ULL << 30)
#define HEARTBEATS_AT (PARTITION + VK_LVM_DATA_OFFSET + 0x300000)

/* A file that changes in one byte when a certain read of the heartbeats is over, a few times. */
struct live {
	char dir[64];
	char path[80];
	char store[80];
	uint64_t change_at;
	unsigned trigger; /* which read of that place since it was opened: 1 is the decoder's, the last the capture's */
	unsigned changes; /* how often yet */
	unsigned opens;
	unsigned seen;
	int fd;
};

static enum vk_status live_read(void *self, uint64_t offset, void *buf, size_t len, size_t *ret_got,
				struct vk_error *err)
{
	struct live *l = self;
	ssize_t n = pread(l->fd, buf, len, (off_t)offset);

	(void)err;
	assert_true(n >= 0);
	*ret_got = (size_t)n;
	if (offset <= HEARTBEATS_AT && HEARTBEATS_AT < offset + len && ++l->seen == l->trigger &&
	    l->changes > 0) {
		uint8_t byte;

		l->changes--;
		assert_int_equal(pread(l->fd, &byte, 1, (off_t)l->change_at), 1);
		byte ^= 1;
		assert_int_equal(pwrite(l->fd, &byte, 1, (off_t)l->change_at), 1);
	}
	return VK_OK;
}

static const struct vk_io_ops live_ops = {.read_at = live_read};

static enum vk_status open_live(void *ctx, struct vk_source *ret_source, struct vk_error *err)
{
	struct live *l = ctx;
	const struct vk_source_options options = {.as = VK_SOURCE_DISK};
	struct vk_io *io = vk_io_new(&live_ops, l, "live", DISK_BYTES, 512);

	l->opens++;
	l->seen = 0;
	return vk_source_open_io(io, l->path, VK_FORM_RAW, &options, ret_source, err);
}

static void live_begin(struct live *l, enum vk_table_kind table)
{
	struct vk_lab_spec *spec = calloc(1, sizeof(*spec));
	const char *paths[1] = {l->path};
	struct vk_source source;
	struct vk_error err = {.status = VK_OK};

	memset(l, 0, sizeof(*l));
	strcpy(l->dir, "/tmp/vmfskit-live.XXXXXX");
	assert_non_null(mkdtemp(l->dir));
	snprintf(l->path, sizeof(l->path), "%s/disk", l->dir);
	snprintf(l->store, sizeof(l->store), "%s/store", l->dir);
	spec->table = table;
	spec->sector_size = 512;
	spec->size_bytes = DISK_BYTES;
	spec->seed = 7;
	spec->volume_count = 1;
	vk_lab_volume_init(&spec->volumes[0]);
	assert_int_equal(vk_lab_volume_parse(&spec->volumes[0], "start=2048,version=5,size=1G,live=2", NULL), VK_OK);
	if (vk_lab_make(spec, paths, NULL, 1, NULL, false, NULL, &err) != VK_OK)
		fail_msg("no disk: %s", err.what);
	free(spec);
	l->fd = open(l->path, O_RDWR);
	assert_true(l->fd >= 0);
	/* how often the decoder reads the heartbeats */
	assert_int_equal(open_live(l, &source, &err), VK_OK);
	assert_true(l->seen > 0);
	vk_source_close(&source);
}

static void live_end(struct live *l)
{
	close(l->fd);
	nftw(l->dir, fixture_unlink, 16, FTW_DEPTH | FTW_PHYS);
}

/* Take it; how many captures and leftovers there are is proved, findings are counted. */
static size_t take(struct live *l, uint64_t *ret_offset)
{
	struct vk_store *store = test_store(l->store, VK_STORE_RUN);
	const struct vk_capture_options options = {.store = store};
	struct vk_findings findings = {.count = 0};
	struct vk_finding_sink sink = vk_findings_sink(&findings);
	char id[VK_CAPTURE_ID_BYTES];
	struct vk_error err = {.status = VK_OK};
	size_t changing;
	char **ids;
	size_t count;
	char command[160];

	l->opens = 0;
	if (vk_capture_take_live(open_live, l, &options, &sink, id, &err) != VK_OK)
		fail_msg("capture failed: %s (%s)", err.what, err.where);
	changing = fixture_count(&findings, VK_F_CAPTURE_CHANGING);
	assert_int_equal(findings.count, changing);
	if (changing > 0)
		*ret_offset = findings.items[0].offset_bytes;
	vk_store_close(store);
	assert_int_equal(vk_store_list(l->store, &ids, &count, &err), VK_OK);
	assert_int_equal(count, 1);
	assert_string_equal(ids[0], id);
	free(ids[0]);
	free(ids);
	snprintf(command, sizeof(command), "! ls -A %s | grep -q '^\\.tmp-'", l->store);
	assert_int_equal(system(command), 0);
	vk_findings_free(&findings);
	snprintf(command, sizeof(command), "rm -r %s", l->store);
	assert_int_equal(system(command), 0);
	return changing;
}

struct place {
	const char *name;
	uint64_t at;
};

static const struct place gpt_places[] = {
	{"protective MBR", 446 + 12},
	{"primary header", 512 + 0x38},
	{"primary entries", 1024 + 0x28},
	{"backup header", DISK_BYTES - 512 + 0x38},
	{"backup entries", DISK_BYTES - 33 * 512 + 0x28},
	{"LVM header", PARTITION + 0x100000 + 0x30},
	{"descriptor", PARTITION + 0x1300000 + 0x1c + 1},
};
static const struct place mbr_places[] = {{"entry of the MBR", 446 + 12}};

static void moves(const struct place *places, size_t count, enum vk_table_kind table)
{
	struct live l;
	unsigned decoder;

	live_begin(&l, table);
	decoder = l.seen;
	for (size_t i = 0; i < count; i++) {
		/* behind the decoder's last look, and behind the capture's */
		for (unsigned later = 0; later < 2; later++) {
			uint64_t offset = 0;
			size_t found;

			l.change_at = places[i].at;
			l.trigger = decoder + later;
			l.changes = 2;
			if (take(&l, &offset) != 0 || l.opens != 3)
				fail_msg("%s, %u: %u opens", places[i].name, later, l.opens);
			l.changes = 99;
			found = take(&l, &offset);
			if (found == 0 || l.opens != VK_CAPTURE_TRIES || offset != l.change_at)
				fail_msg("%s, %u: %zu findings, %u opens, offset %llu", places[i].name, later,
					 found, l.opens, (unsigned long long)offset);
			l.changes = 0;
			/* as it was */
			if ((2 + VK_CAPTURE_TRIES) % 2 != 0) {
				uint8_t byte;

				assert_int_equal(pread(l.fd, &byte, 1, (off_t)l.change_at), 1);
				byte ^= 1;
				assert_int_equal(pwrite(l.fd, &byte, 1, (off_t)l.change_at), 1);
			}
		}
	}
	live_end(&l);
}

static void gpt_moves(void **state)
{
	(void)state;
	moves(gpt_places, sizeof(gpt_places) / sizeof(gpt_places[0]), VK_TABLE_GPT);
}

static void mbr_moves(void **state)
{
	(void)state;
	moves(mbr_places, 1, VK_TABLE_MBR);
}

static void heartbeats_may_tick(void **state)
{
	struct live l;
	unsigned decoder;
	uint64_t offset;

	(void)state;
	live_begin(&l, VK_TABLE_MBR);
	decoder = l.seen;
	for (unsigned later = 0; later < 2; later++) {
		l.change_at = HEARTBEATS_AT + 100;
		l.trigger = decoder + later;
		l.changes = 99;
		assert_int_equal(take(&l, &offset), 0);
		assert_int_equal(l.opens, 1);
	}
	live_end(&l);
}

static enum vk_status open_fails(void *ctx, struct vk_source *ret_source, struct vk_error *err)
{
	(void)ctx;
	(void)ret_source;
	return vk_error_set(err, VK_IO, "disk", "gone");
}

static void cannot_be_opened(void **state)
{
	struct fixture *f = fixture_new(VK_LVM_DATA_OFFSET);
	const struct vk_capture_options options = {.store = f->open_store};
	struct vk_finding_sink sink = vk_findings_sink(&f->findings);
	struct vk_error err;

	(void)state;
	assert_int_equal(vk_capture_take_live(open_fails, NULL, &options, &sink, f->id, &err), VK_IO);
	assert_string_equal(err.what, "gone");
	fixture_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gpt_moves),
		cmocka_unit_test(mbr_moves),
		cmocka_unit_test(heartbeats_may_tick),
		cmocka_unit_test(cannot_be_opened),
	};

	return cmocka_run_group_tests_name("capture live", tests, NULL, NULL);
}
