/* SPDX-License-Identifier: Apache-2.0 */
/* Nothing in a capture can change unnoticed, and what changed is named. */
#include "capture_fixture.h"
#include "store/folder/digest.h"
#include "store/folder/folder.h"
#include "store/verify/verify.h"

static struct fixture *taken(void)
{
	/* small regions: these tests verify thousands of times */
	struct fixture *f = fixture_new(0x10000);
	struct vk_findings none = {.count = 0};

	for (uint64_t i = 0; i < FIXTURE_BASE + 0x10000; i += 3)
		f->disk.bytes[i] = (uint8_t)(i * 7 + 1);
	vk_put_le16(f->disk.bytes + 510, VK_MBR_SIGNATURE);
	fixture_take(f);
	vk_findings_free(&f->findings);
	f->findings = none;
	return f;
}

/* Findings of one verification; free them. */
/* The small fixture holds no LVM header, which its manifest says and verify repeats. */
static void put_but_incomplete(void *ctx, const struct vk_finding *finding)
{
	if (finding->code != VK_F_CAPTURE_INCOMPLETE)
		vk_findings_add(ctx, finding);
}

static struct vk_findings verify(const struct fixture *f)
{
	struct vk_findings findings = {.count = 0};
	struct vk_finding_sink sink = {put_but_incomplete, &findings};
	struct vk_error err;

	assert_int_equal(vk_capture_verify(f->path, &sink, &err), VK_OK);
	return findings;
}

static void assert_only(const struct fixture *f, enum vk_finding_code code, size_t count)
{
	struct vk_findings findings = verify(f);

	if (findings.count != count || fixture_count(&findings, code) != count)
		fail_msg("%zu findings, the first: %s", findings.count,
			 findings.count > 0 ? findings.items[0].message : "none");
	vk_findings_free(&findings);
}

static void assert_sound(const struct fixture *f)
{
	assert_only(f, VK_F_CAPTURE_MANIFEST, 0);
}

static void sound(void **state)
{
	struct fixture *f = taken();

	(void)state;
	assert_sound(f);
	fixture_free(f);
}

/* Every byte of the file, one at a time, a random bit or all of them; back to sound at the end. */
static void flip_all(const struct fixture *f, const char *file)
{
	char path[400];
	size_t len;
	uint8_t *bytes;

	snprintf(path, sizeof(path), "%s", fixture_file(f, file));
	bytes = fixture_slurp(path, &len);
	assert_true(len > 256);
	for (size_t i = 0; i < len; i++) {
		const uint8_t masks[] = {0xff, (uint8_t)(1U << (i % 8)), bytes[i] == 0 ? 1 : bytes[i], 0x20};

		for (size_t k = 0; k < sizeof(masks); k++) {
			uint8_t flipped = bytes[i] ^ masks[k];
			struct vk_findings findings;

			fixture_put(path, i, &flipped, 1);
			findings = verify(f);
			if (!vk_findings_bad(&findings))
				fail_msg("%s: byte %zu from %02x to %02x was not noticed", file, i,
					 bytes[i], flipped);
			if (fixture_count(&findings, VK_F_CAPTURE_MANIFEST) +
				    fixture_count(&findings, VK_F_CAPTURE_SUMS) ==
			    0)
				fail_msg("%s: byte %zu: %s", file, i, findings.items[0].message);
			vk_findings_free(&findings);
		}
		fixture_put(path, i, &bytes[i], 1);
	}
	free(bytes);
	assert_sound(f);
}

static void every_byte_of_the_manifest(void **state)
{
	struct fixture *f = taken();

	(void)state;
	assert_int_equal(chmod(fixture_file(f, "manifest.json"), 0600), 0);
	flip_all(f, "manifest.json");
	fixture_free(f);
}

static void every_byte_of_the_sums(void **state)
{
	struct fixture *f = taken();

	(void)state;
	assert_int_equal(chmod(fixture_file(f, "SHA256SUMS"), 0600), 0);
	flip_all(f, "SHA256SUMS");
	fixture_free(f);
}

static void every_byte_of_restore_txt(void **state)
{
	struct fixture *f = taken();
	size_t len;
	uint8_t *bytes;

	(void)state;
	assert_int_equal(chmod(fixture_file(f, "RESTORE.txt"), 0600), 0);
	bytes = fixture_slurp(fixture_file(f, "RESTORE.txt"), &len);
	for (size_t i = 0; i < len; i++) {
		uint8_t flipped = bytes[i] ^ 1;

		fixture_put(fixture_file(f, "RESTORE.txt"), i, &flipped, 1);
		assert_only(f, VK_F_CAPTURE_DIGEST, 1);
		fixture_put(fixture_file(f, "RESTORE.txt"), i, &bytes[i], 1);
	}
	free(bytes);
	fixture_free(f);
}

static void sampled_bytes_of_regions(void **state)
{
	static const char *const files[] = {"head.raw", "p1-lvm.raw"};
	struct fixture *f = taken();
	uint64_t seed = 1;

	(void)state;
	for (size_t i = 0; i < 1000; i++) {
		const char *path = fixture_file(f, files[i % 2]);
		uint8_t byte;
		uint8_t flipped;
		uint64_t at;
		int fd = open(path, O_RDONLY);

		seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
		at = (seed >> 20) % 0x10000;
		assert_int_equal(pread(fd, &byte, 1, (off_t)at), 1);
		close(fd);
		flipped = byte ^ (uint8_t)(1U << (seed >> 60 & 7));
		chmod(path, 0600);
		fixture_put(path, at, &flipped, 1);
		assert_only(f, VK_F_CAPTURE_DIGEST, 1);
		fixture_put(path, at, &byte, 1);
	}
	assert_sound(f);
	fixture_free(f);
}

/* Put the manifest's digest into SHA256SUMS, as someone who covers his tracks would. */
static void adapt_sums(const struct fixture *f)
{
	size_t len;
	uint8_t *manifest = fixture_slurp(fixture_file(f, "manifest.json"), &len);
	char sha256[VK_SHA256_HEX_BYTES];
	char *sums;
	char *line;

	assert_true(vk_digest_bytes(manifest, len, sha256));
	free(manifest);
	sums = (char *)fixture_slurp(fixture_file(f, "SHA256SUMS"), &len);
	line = strstr(sums, "  manifest.json");
	assert_non_null(line);
	memcpy(line - 64, sha256, 64);
	chmod(fixture_file(f, "SHA256SUMS"), 0600);
	fixture_write(fixture_file(f, "SHA256SUMS"), sums, len);
	free(sums);
}

/* White space, escapes and order that mean the same are still not what was written. */
static void other_spelling_of_the_manifest(void **state)
{
	const struct {
		const char *from;
		const char *to;
	} cases[] = {{"\n", "\n "}, {" \"", "\t\""}, {"\"part\": \"", "\"part\":\""}, {"head", "\\u0068ead"},
		     {"}\n", "}\n\n"}, {"\"lun\": 0", "\"lun\": -0"}};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct fixture *f = taken();
		const char *path = fixture_file(f, "manifest.json");
		size_t len;
		char *text = (char *)fixture_slurp(path, &len);
		char *at = strstr(text, cases[i].from);
		FILE *out;

		assert_non_null(at);
		chmod(path, 0600);
		out = fopen(path, "w");
		assert_non_null(out);
		fprintf(out, "%.*s%s%s", (int)(at - text), text, cases[i].to, at + strlen(cases[i].from));
		fclose(out);
		free(text);
		adapt_sums(f);
		assert_only(f, VK_F_CAPTURE_MANIFEST, 1);
		fixture_free(f);
	}
}

static void files_gone(void **state)
{
	struct fixture *f = taken();

	(void)state;
	assert_int_equal(unlink(fixture_file(f, "head.raw")), 0);
	assert_only(f, VK_F_CAPTURE_FILE_MISSING, 1);
	assert_int_equal(unlink(fixture_file(f, "RESTORE.txt")), 0);
	assert_only(f, VK_F_CAPTURE_FILE_MISSING, 2);
	fixture_free(f);
}

static void manifest_or_sums_gone(void **state)
{
	struct fixture *f = taken();
	uint8_t byte = 0xaa;

	(void)state;
	assert_int_equal(unlink(fixture_file(f, "SHA256SUMS")), 0);
	assert_only(f, VK_F_CAPTURE_SUMS, 1);
	fixture_free(f);

	/* without a manifest SHA256SUMS says what should be there */
	f = taken();
	chmod(fixture_file(f, "head.raw"), 0600);
	fixture_put(fixture_file(f, "head.raw"), 77, &byte, 1);
	assert_int_equal(unlink(fixture_file(f, "manifest.json")), 0);
	{
		struct vk_findings findings = verify(f);

		assert_int_equal(findings.count, 3);
		assert_int_equal(fixture_count(&findings, VK_F_CAPTURE_MANIFEST), 1);
		assert_int_equal(fixture_count(&findings, VK_F_CAPTURE_FILE_MISSING), 1);
		assert_int_equal(fixture_count(&findings, VK_F_CAPTURE_DIGEST), 1);
		vk_findings_free(&findings);
	}
	fixture_free(f);
}

static void lengths(void **state)
{
	struct fixture *f = taken();

	(void)state;
	chmod(fixture_file(f, "p1-lvm.raw"), 0600);
	assert_int_equal(truncate(fixture_file(f, "p1-lvm.raw"), 0xffff), 0);
	assert_only(f, VK_F_CAPTURE_FILE_SIZE, 1);
	assert_int_equal(truncate(fixture_file(f, "p1-lvm.raw"), 0x10001), 0);
	assert_only(f, VK_F_CAPTURE_FILE_SIZE, 1);
	fixture_free(f);
}

static void foreign_files(void **state)
{
	struct fixture *f = taken();

	(void)state;
	fixture_write(fixture_file(f, "notes\x1b[31m.txt"), "x", 1);
	fixture_write(fixture_file(f, ".hidden"), "x", 1);
	assert_int_equal(mkdir(fixture_file(f, "folder"), 0700), 0);
	assert_only(f, VK_F_CAPTURE_EXTRA_FILE, 3);
	fixture_free(f);
}

/*
 * Same bytes, but not the file: through a link anyone could swap them later; a pipe must not stop
 * us.
 */
static void links_and_pipes(void **state)
{
	struct fixture *f = taken();
	char other[400];

	(void)state;
	snprintf(other, sizeof(other), "%s/elsewhere", f->store);
	assert_int_equal(rename(fixture_file(f, "head.raw"), other), 0);
	assert_int_equal(symlink(other, fixture_file(f, "head.raw")), 0);
	assert_only(f, VK_F_CAPTURE_FILE_MISSING, 1);
	assert_int_equal(unlink(fixture_file(f, "head.raw")), 0);
	assert_int_equal(mkfifo(fixture_file(f, "head.raw"), 0600), 0);
	assert_only(f, VK_F_CAPTURE_FILE_MISSING, 1);
	assert_int_equal(unlink(fixture_file(f, "head.raw")), 0);
	assert_int_equal(mkdir(fixture_file(f, "head.raw"), 0700), 0);
	assert_only(f, VK_F_CAPTURE_FILE_MISSING, 1);
	fixture_free(f);

	f = taken();
	snprintf(other, sizeof(other), "%s/elsewhere", f->store);
	assert_int_equal(rename(fixture_file(f, "manifest.json"), other), 0);
	assert_int_equal(symlink(other, fixture_file(f, "manifest.json")), 0);
	{
		struct vk_findings findings = verify(f);

		assert_int_equal(fixture_count(&findings, VK_F_CAPTURE_MANIFEST), 1);
		vk_findings_free(&findings);
	}
	fixture_free(f);
}

static size_t count_with(const struct fixture *f, struct vk_verify_cache *cache)
{
	struct vk_findings findings = {.count = 0};
	struct vk_finding_sink sink = {put_but_incomplete, &findings};
	struct vk_error err;
	size_t count;
	int fd;

	assert_int_equal(vk_folder_open(f->path, &fd, &err), VK_OK);
	assert_int_equal(vk_verify_folder(fd, f->path, cache, &sink, &err), VK_OK);
	close(fd);
	count = findings.count;
	vk_findings_free(&findings);
	return count;
}

/* A file that is written to is read again; so is another file that took its place. */
static void remembered_digests(void **state)
{
	struct fixture *f = taken();
	struct vk_verify_cache *cache = vk_verify_cache_new();
	uint8_t byte = 0xee;
	uint8_t was;
	size_t len;
	char other[400];
	uint8_t *bytes;

	(void)state;
	assert_non_null(cache);
	assert_int_equal(count_with(f, cache), 0);
	assert_int_equal(count_with(f, cache), 0);
	bytes = fixture_slurp(fixture_file(f, "head.raw"), &len);
	was = bytes[100];
	chmod(fixture_file(f, "head.raw"), 0600);
	usleep(20000); /* longer than the clock of a file system stands still */
	fixture_put(fixture_file(f, "head.raw"), 100, &byte, 1);
	assert_int_equal(count_with(f, cache), 1);
	usleep(20000);
	fixture_put(fixture_file(f, "head.raw"), 100, &was, 1);
	assert_int_equal(count_with(f, cache), 0);
	bytes[7] ^= 1;
	snprintf(other, sizeof(other), "%s/elsewhere", f->store);
	fixture_write(other, (const char *)bytes, len);
	assert_int_equal(rename(other, fixture_file(f, "head.raw")), 0);
	assert_int_equal(count_with(f, cache), 1);
	free(bytes);
	vk_verify_cache_free(cache);
	fixture_free(f);
}

/* More keys than the table begins with; each keeps its own digest. */
static void many_digests(void **state)
{
	struct vk_verify_cache *cache = vk_verify_cache_new();
	struct vk_verify_key key = {.size_bytes = 1};
	struct vk_verify_digests digests = {.md5 = ""};

	(void)state;
	assert_non_null(cache);
	assert_false(vk_verify_cache_find(cache, &key, &digests));
	for (unsigned i = 0; i < 5000; i++) {
		key.ino = i;
		snprintf(digests.sha256, sizeof(digests.sha256), "%064u", i);
		vk_verify_cache_add(cache, &key, &digests);
	}
	for (unsigned i = 0; i < 5000; i++) {
		char expected[VK_SHA256_HEX_BYTES];

		key.ino = i;
		snprintf(expected, sizeof(expected), "%064u", i);
		assert_true(vk_verify_cache_find(cache, &key, &digests));
		assert_string_equal(digests.sha256, expected);
		key.touched.tv_nsec = 1;
		assert_false(vk_verify_cache_find(cache, &key, &digests));
		key.touched.tv_nsec = 0;
	}
	vk_verify_cache_free(cache);
	vk_verify_cache_free(NULL);
}

static void no_folder(void **state)
{
	struct vk_error err;

	(void)state;
	assert_int_equal(vk_capture_verify("/nowhere/at/all", NULL, &err), VK_ABSENT);
	assert_int_equal(vk_capture_verify("/etc/passwd", NULL, &err), VK_IO);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sound),
		cmocka_unit_test(every_byte_of_the_manifest),
		cmocka_unit_test(every_byte_of_the_sums),
		cmocka_unit_test(every_byte_of_restore_txt),
		cmocka_unit_test(sampled_bytes_of_regions),
		cmocka_unit_test(other_spelling_of_the_manifest),
		cmocka_unit_test(files_gone),
		cmocka_unit_test(manifest_or_sums_gone),
		cmocka_unit_test(lengths),
		cmocka_unit_test(foreign_files),
		cmocka_unit_test(links_and_pipes),
		cmocka_unit_test(remembered_digests),
		cmocka_unit_test(many_digests),
		cmocka_unit_test(no_folder),
	};

	return cmocka_run_group_tests_name("capture verify", tests, NULL, NULL);
}
