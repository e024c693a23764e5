/* SPDX-License-Identifier: Apache-2.0 */
/* A capture that is kept: the bytes that were judged are those that are read, whatever becomes of its files. */
#include "capture_fixture.h"
#include "vmfskit/vouch.h"

struct held {
	struct fixture *f;
	struct vk_capture c;
	struct vk_findings findings;
	enum vk_finding_code trigger; /* when this is found, act: between two looks at the files */
	void (*act)(struct held *h);
};

static void note(void *ctx, const struct vk_finding *finding)
{
	struct held *h = ctx;

	vk_findings_add(&h->findings, finding);
	if (h->act != NULL && finding->code == h->trigger) {
		void (*act)(struct held *h) = h->act;

		h->act = NULL;
		act(h);
	}
}

static void open_held(struct held *h)
{
	struct vk_error err;

	h->f = fixture_new(VK_LVM_DATA_OFFSET);
	for (uint64_t i = 1; i < 40; i++)
		memset(h->f->disk.bytes + FIXTURE_BASE + i * 400000, (int)i, 3000);
	h->f->disk.bad[0] = (struct vk_range){FIXTURE_BASE + 0x200000, 1024};
	h->f->disk.bad_count = 1;
	fixture_take(h->f);
	assert_int_equal(vk_capture_open(h->f->store, h->f->id, &h->c, &err), VK_OK);
}

static enum vk_status hold(struct held *h, unsigned *ret_by)
{
	const struct vk_finding_sink sink = {note, h};
	struct vk_vouching *vouching = vk_vouching_new(h->f->store, NULL);
	struct vk_error err = {.status = VK_OK};
	enum vk_status status;

	assert_non_null(vouching);
	status = vk_capture_hold(&h->c, vouching, &sink, ret_by, &err);
	vk_vouching_free(vouching);
	return status;
}

static void close_held(struct held *h)
{
	vk_capture_close(&h->c);
	vk_findings_free(&h->findings);
	fixture_free(h->f);
}

/* Every byte and every state, from the files or from memory, is the same. */
static void same_source(struct vk_io *a, struct vk_io *b)
{
	uint64_t size = vk_io_size_bytes(a);
	uint8_t *x = malloc(1 << 20), *y = malloc(1 << 20);

	assert_true(x != NULL && y != NULL);
	assert_int_equal(vk_io_size_bytes(b), size);
	assert_int_equal(vk_io_sector_size(b), vk_io_sector_size(a));
	for (uint64_t at = 0; at < size;) {
		struct vk_span span = vk_io_span(a, at);
		bool there = span.state == VK_SPAN_DATA || span.state == VK_SPAN_ZERO;
		size_t len = (size_t)(span.length_bytes < 1 << 20 ? span.length_bytes : 1 << 20);
		size_t got, had;
		struct vk_error err;

		assert_int_equal(vk_io_read(a, at, x, len, &got, &err), VK_OK);
		assert_int_equal(vk_io_read(b, at, y, len, &had, &err), VK_OK);
		assert_int_equal(got, had);
		assert_memory_equal(x, y, got);
		if (!there)
			assert_int_equal(vk_io_span(b, at).state, span.state);
		at += len;
	}
	free(x);
	free(y);
}

static void memory_is_the_files(void **state)
{
	struct held h = {.act = NULL};
	struct vk_capture again;
	struct vk_io *files, *kept;
	struct vk_error err;
	unsigned by;

	(void)state;
	open_held(&h);
	assert_int_equal(vk_capture_open(h.f->store, h.f->id, &again, &err), VK_OK);
	assert_int_equal(hold(&h, &by), VK_OK);
	assert_int_equal(by, VK_VOUCHED_LEDGER);
	assert_int_equal(vk_capture_io(&again, &files, &err), VK_OK);
	assert_int_equal(vk_capture_io(&h.c, &kept, &err), VK_OK);
	same_source(files, kept);
	vk_io_close(files);
	vk_io_close(kept);
	for (size_t i = 0; i < again.region_count; i++) {
		assert_int_equal(vk_capture_region(&again, i, &files, &err), VK_OK);
		assert_int_equal(vk_capture_region(&h.c, i, &kept, &err), VK_OK);
		same_source(files, kept);
		vk_io_close(files);
		vk_io_close(kept);
	}
	vk_capture_close(&again);
	close_held(&h);
}

static void stays_when_files_go(void **state)
{
	struct held h = {.act = NULL};
	struct vk_io *kept;
	struct vk_error err;
	unsigned by;

	(void)state;
	open_held(&h);
	assert_int_equal(hold(&h, &by), VK_OK);
	for (size_t i = 0; i < h.c.region_count; i++)
		assert_int_equal(unlink(fixture_file(h.f, h.c.regions[i].file)), 0);
	assert_int_equal(vk_capture_io(&h.c, &kept, &err), VK_OK);
	for (size_t i = 0; i < h.c.region_count; i++) {
		uint64_t at = h.c.regions[i].offset_bytes;
		struct vk_span span = vk_io_span(kept, at);
		uint8_t bytes[512];

		assert_true(span.state == VK_SPAN_DATA || span.state == VK_SPAN_ZERO);
		assert_int_equal(vk_io_read_all(kept, at, bytes, sizeof(bytes), &err), VK_OK);
		assert_memory_equal(bytes, h.f->disk.bytes + at, sizeof(bytes));
	}
	vk_io_close(kept);
	close_held(&h);
}

/* A file that does not belong is told behind the digests of all others: then is the time to swap one. */
static void swap_region(struct held *h)
{
	assert_int_equal(unlink(fixture_file(h->f, h->c.regions[0].file)), 0);
	fixture_write(fixture_file(h->f, h->c.regions[0].file), "other bytes", 11);
}

static void grow_region(struct held *h)
{
	const char *file = fixture_file(h->f, h->c.regions[0].file);

	assert_int_equal(chmod(file, 0600), 0);
	assert_int_equal(truncate(file, (off_t)h->c.regions[0].length_bytes + 1), 0);
}

static void alter_region(struct held *h)
{
	const char *file = fixture_file(h->f, h->c.regions[0].file);

	assert_int_equal(chmod(file, 0600), 0);
	fixture_put(file, 100, "EVIL", 4);
}

static void remove_region(struct held *h)
{
	assert_int_equal(unlink(fixture_file(h->f, h->c.regions[0].file)), 0);
}

static void swap_manifest(struct held *h)
{
	size_t len;
	uint8_t *text = fixture_slurp(fixture_file(h->f, "manifest.json"), &len);

	assert_int_equal(chmod(fixture_file(h->f, "manifest.json"), 0600), 0);
	fixture_write(fixture_file(h->f, "manifest.json"), text, len - 1);
	free(text);
}

static void swapped_after_verify(void **state)
{
	static const struct {
		void (*act)(struct held *h);
		enum vk_finding_code code;
	} rows[] = {
		{swap_region, VK_F_CAPTURE_FILE_SIZE},  {grow_region, VK_F_CAPTURE_FILE_SIZE},
		{alter_region, VK_F_CAPTURE_DIGEST},    {remove_region, VK_F_CAPTURE_FILE_MISSING},
		{swap_manifest, VK_F_CAPTURE_MANIFEST},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct held h = {.act = rows[i].act, .trigger = VK_F_CAPTURE_EXTRA_FILE};
		unsigned by;

		open_held(&h);
		fixture_write(fixture_file(h.f, "extra"), "x", 1);
		assert_int_equal(hold(&h, &by), VK_OK);
		if (fixture_count(&h.findings, rows[i].code) == 0)
			fail_msg("row %zu: not seen", i);
		close_held(&h);
	}
}

/* What was wrong from the start is told once, and what there is of it is kept for who goes on all the same. */
static void broken_is_kept(void **state)
{
	struct held h = {.act = NULL};
	struct vk_io *kept;
	struct vk_error err;
	uint8_t bytes[4];
	unsigned by;

	(void)state;
	open_held(&h);
	alter_region(&h);
	assert_int_equal(hold(&h, &by), VK_OK);
	assert_int_equal(fixture_count(&h.findings, VK_F_CAPTURE_DIGEST), 1);
	assert_int_equal(vk_capture_region(&h.c, 0, &kept, &err), VK_OK);
	assert_int_equal(vk_io_read_all(kept, 100, bytes, sizeof(bytes), &err), VK_OK);
	assert_memory_equal(bytes, "EVIL", 4);
	vk_io_close(kept);
	close_held(&h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(memory_is_the_files), cmocka_unit_test(stays_when_files_go),
		cmocka_unit_test(swapped_after_verify), cmocka_unit_test(broken_is_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
