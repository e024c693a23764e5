/* SPDX-License-Identifier: Apache-2.0 */
/* VMFSIMG images: made streams of all versions, broken ones, and the real volume. */
#include "io_helpers.h"

#define BLOCK 512

/* A stream and what it unfolds to. */
struct stream {
	uint8_t *in;
	size_t in_len;
	uint8_t *out;
	size_t out_len;
};

static struct stream begin(uint8_t version)
{
	struct stream s = {malloc(1 << 20), 8, calloc(1, 1 << 22), 0};

	memcpy(s.in, "VMFSIMG", 8);
	s.in[7] = version;
	return s;
}

static void end(struct stream *s)
{
	free(s->in);
	free(s->out);
}

static void put_number(struct stream *s, uint32_t value)
{
	for (; value >= 0x80; value >>= 7)
		s->in[s->in_len++] = (uint8_t)(value | 0x80);
	s->in[s->in_len++] = (uint8_t)value;
}

static void put_zeros(struct stream *s, uint32_t blocks)
{
	s->in[s->in_len++] = 0x01;
	put_number(s, blocks - 1);
	s->out_len += blocks * BLOCK;
}

/* A block of `words` words of data; all of it before version 2. */
static void put_data(struct stream *s, uint32_t words, uint64_t seed)
{
	uint8_t block[BLOCK] = {0};

	fill_bytes(block, words * 4, seed);
	s->in[s->in_len++] = 0x00;
	if (s->in[7] >= 2)
		put_number(s, words);
	else
		words = BLOCK / 4;
	memcpy(s->in + s->in_len, block, words * 4);
	s->in_len += words * 4;
	memcpy(s->out + s->out_len, block, BLOCK);
	s->out_len += BLOCK;
}

static void put_check(struct stream *s, uint32_t change)
{
	uint32_t s1 = 1;
	uint32_t s2 = 0;
	uint32_t sum;

	for (size_t i = 0; i < s->out_len; i++) {
		s1 = (s1 + s->out[i]) % 65521;
		s2 = (s2 + s1) % 65521;
	}
	sum = (s2 << 16 | s1) ^ change;
	s->in[s->in_len++] = 0x7F;
	for (int i = 0; i < 4; i++)
		s->in[s->in_len++] = (uint8_t)(sum >> (8 * i));
}

static struct vk_io *unfold(const struct stream *s)
{
	struct vk_io *base = vk_io_memory("stream", s->in, s->in_len, false);
	struct vk_error err = {0};
	struct vk_io *io = NULL;

	assert_true(vk_io_is_vmfsimg(base));
	if (vk_io_vmfsimg(base, &io, &err) != VK_OK)
		fail_msg("%s: %s", err.where, err.what);
	assert_int_equal(vk_io_size_bytes(io), s->out_len);
	assert_int_equal(vk_io_sector_size(io), 512);
	return io;
}

static void assert_refused(const struct stream *s, enum vk_status status, const char *what)
{
	struct vk_io *base = vk_io_memory("stream", s->in, s->in_len, false);
	struct vk_error err = {0};
	struct vk_io *io = NULL;

	assert_int_equal(vk_io_vmfsimg(base, &io, &err), status);
	assert_null(io);
	assert_non_null(strstr(err.what, what));
	vk_io_close(base);
}

/* What came before the break is given, and the break is told. */
static void assert_broken(struct stream *s, size_t at, const char *what)
{
	struct vk_io *io = unfold(s);
	uint64_t offset = 0;
	const char *damage = vk_io_damage(io, &offset);

	assert_non_null(damage);
	assert_non_null(strstr(damage, what));
	assert_int_equal(offset, at);
	assert_holds(io, 0, s->out, s->out_len);
	assert_span(io, s->out_len, VK_SPAN_END, 0);
	vk_io_close(io);
	end(s);
}

static void all_versions_unfold(void **state)
{
	(void)state;
	for (uint8_t version = 0; version <= 2; version++) {
		struct stream s = begin(version);
		struct vk_io *io;

		put_zeros(&s, 2048);
		for (uint32_t i = 0; i <= 128; i++) {
			put_data(&s, i, i + 1);
			if (i % 10 == 3)
				put_zeros(&s, i + 1);
			if (i % 50 == 7)
				put_check(&s, 0);
		}
		put_zeros(&s, 7);
		put_check(&s, 0);
		io = unfold(&s);
		assert_null(vk_io_damage(io, NULL));
		assert_holds(io, 0, s.out, s.out_len);
		for (size_t at = 1; at + 1500 < s.out_len; at += 997) {
			assert_holds(io, at, s.out + at, 1500);
			assert_holds(io, s.out_len - at, s.out + s.out_len - at, at < 600 ? at : 600);
		}
		vk_io_close(io);
		end(&s);
	}
}

static void spans_tell_zeros(void **state)
{
	struct stream s = begin(2);
	struct vk_io *io;

	(void)state;
	put_zeros(&s, 4);
	put_data(&s, 5, 1);
	put_check(&s, 0);
	put_data(&s, 128, 2);
	put_zeros(&s, 1);
	put_data(&s, 0, 3); /* a block without data is known to be zero */
	put_zeros(&s, 2);
	io = unfold(&s);
	assert_null(vk_io_damage(io, NULL)); /* a missing checksum is none */
	assert_span(io, 0, VK_SPAN_ZERO, 4 * BLOCK);
	assert_span(io, 4 * BLOCK - 1, VK_SPAN_ZERO, 1);
	assert_span(io, 4 * BLOCK, VK_SPAN_DATA, 2 * BLOCK);
	assert_span(io, 6 * BLOCK + 10, VK_SPAN_ZERO, 4 * BLOCK - 10);
	assert_int_equal(vk_io_held(io, 0, UINT64_MAX), 10 * BLOCK);
	vk_io_close(io);
	end(&s);
}

static void huge_runs_cost_nothing(void **state)
{
	struct stream s = begin(2);
	struct vk_io *io;
	const uint64_t run = ((uint64_t)UINT32_MAX + 1) * BLOCK;

	(void)state;
	for (int i = 0; i < 32; i++) { /* 64 TB and one block */
		static const uint8_t most[] = {0x01, 0xFF, 0xFF, 0xFF, 0xFF, 0x0F};

		memcpy(s.in + s.in_len, most, sizeof(most));
		s.in_len += sizeof(most);
	}
	put_data(&s, 128, 4);
	s.out_len = 32 * run + BLOCK;
	io = unfold(&s);
	assert_null(vk_io_damage(io, NULL));
	assert_span(io, 100, VK_SPAN_ZERO, 32 * run - 100);
	assert_holds(io, 32 * run, s.out, BLOCK);
	assert_zeros(io, 17 * run - 100, 200);
	vk_io_close(io);
	end(&s);
}

static void output_beyond_any_disk_is_damage(void **state)
{
	struct stream s = begin(2);
	struct vk_io *base;
	struct vk_io *io = NULL;
	struct vk_error err = {0};
	uint64_t at = 0;
	size_t i;

	(void)state;
	free(s.in);
	s.in_len = 8 + ((size_t)1 << 19) * 6 + 6;
	s.in = malloc(s.in_len);
	memcpy(s.in, "VMFSIMG\2", 8);
	for (i = 8; i < s.in_len; i += 6)
		memcpy(s.in + i, "\x01\xFF\xFF\xFF\xFF\x0F", 6);
	base = vk_io_memory("bomb", s.in, s.in_len, false);
	assert_int_equal(vk_io_vmfsimg(base, &io, &err), VK_OK);
	assert_int_equal(vk_io_size_bytes(io), (uint64_t)1 << 60);
	assert_non_null(strstr(vk_io_damage(io, &at), "longer than a disk"));
	assert_int_equal(at, s.in_len - 6);
	assert_zeros(io, ((uint64_t)1 << 60) - 512, 512);
	vk_io_close(io);
	end(&s);
}

static void wrong_starts_are_refused(void **state)
{
	struct stream s = begin(3);
	struct vk_io *other = vk_io_memory("other", "VMFSIM", 6, false);

	(void)state;
	assert_false(vk_io_is_vmfsimg(other));
	vk_io_close(other);
	put_zeros(&s, 1);
	assert_refused(&s, VK_UNSUPPORTED, "version 3");
	s.in[7] = 2;
	s.in_len = 7;
	assert_refused(&s, VK_DAMAGED, "not a whole");
	s.in_len = 8;
	assert_refused(&s, VK_DAMAGED, "no block");
	s.in[s.in_len++] = 0x55;
	assert_refused(&s, VK_DAMAGED, "no block: a byte that begins no sequence");
	end(&s);
}

static void broken_streams_give_what_came_before(void **state)
{
	struct stream s;
	size_t at;

	(void)state;
	s = begin(2); /* a code that is none */
	put_data(&s, 10, 1);
	at = s.in_len;
	s.in[s.in_len++] = 0x42;
	assert_broken(&s, at, "begins no sequence");

	s = begin(2); /* data cut off */
	put_data(&s, 10, 1);
	at = s.in_len;
	put_data(&s, 10, 2);
	s.in_len--;
	s.out_len -= BLOCK;
	assert_broken(&s, at, "ends inside");

	s = begin(1); /* a whole block cut off */
	put_data(&s, 128, 1);
	at = s.in_len;
	put_data(&s, 128, 2);
	s.in_len -= 500;
	s.out_len -= BLOCK;
	assert_broken(&s, at, "ends inside");

	s = begin(2); /* 129 words */
	put_zeros(&s, 2);
	at = s.in_len;
	memcpy(s.in + s.in_len, "\x00\x81\x01", 3);
	s.in_len += 3 + 516;
	assert_broken(&s, at, "longer than 512");

	s = begin(2); /* a number of 33 bits, and one that does not end */
	put_zeros(&s, 2);
	at = s.in_len;
	memcpy(s.in + s.in_len, "\x01\xFF\xFF\xFF\xFF\x1F", 6);
	s.in_len += 6;
	assert_broken(&s, at, "impossible length");
	s = begin(2);
	put_zeros(&s, 2);
	at = s.in_len;
	memset(s.in + s.in_len, 0x81, 100);
	s.in[s.in_len] = 0x01;
	s.in_len += 100;
	assert_broken(&s, at, "impossible length");

	s = begin(2); /* a checksum cut off */
	put_data(&s, 10, 1);
	at = s.in_len;
	put_check(&s, 0);
	s.in_len -= 2;
	assert_broken(&s, at, "ends inside");
}

static void wrong_checksum_is_damage_and_reading_goes_on(void **state)
{
	struct stream s = begin(2);
	size_t at;

	(void)state;
	put_zeros(&s, 3000); /* more bytes than the modulus */
	put_data(&s, 128, 1);
	at = s.in_len;
	put_check(&s, 0x10000);
	put_data(&s, 128, 2);
	put_check(&s, 0);
	assert_broken(&s, at, "checksum");
}

static void unreadable_input_ends_the_stream(void **state)
{
	struct stream s = begin(2);
	const struct vk_io_piece pieces[] = {{0, 3000, s.in}, {4000, 90000, s.in + 4000}};
	struct vk_io *base;
	struct vk_io *io = NULL;
	struct vk_error err = {0};

	(void)state;
	for (uint64_t i = 0; i < 200; i++)
		put_data(&s, 128, i);
	base = vk_io_pieces("holes", pieces, 2, 512, NULL);
	assert_int_equal(vk_io_vmfsimg(base, &io, &err), VK_OK);
	assert_int_equal(vk_io_size_bytes(io), 5 * BLOCK);
	assert_non_null(strstr(vk_io_damage(io, NULL), "cannot be read"));
	assert_holds(io, 0, s.out, 5 * BLOCK);
	vk_io_close(io);
	end(&s);
}

/* The file is written to while we read it: an error, never other bytes in silence. */
static void changed_stream_is_an_error(void **state)
{
	struct stream s = begin(2);
	struct vk_error err = {0};
	struct vk_io *io;
	uint8_t buf[BLOCK];
	size_t got = 1;

	(void)state;
	for (uint64_t i = 0; i < 400; i++)
		put_data(&s, 128, i);
	io = unfold(&s);
	assert_holds(io, 0, s.out, BLOCK); /* the reader's buffer is at the start again */
	memcpy(s.in + 8 + 300 * 515, "\x00\x81\x01", 3); /* was a block of 128 words */
	assert_int_equal(vk_io_read(io, 300 * BLOCK, buf, BLOCK, &got, &err), VK_IO);
	assert_int_equal(got, 0);
	assert_non_null(strstr(err.what, "changed"));
	vk_io_close(io);
	end(&s);
}

/* The same in one read, whose last block is the broken one. */
static void stream_that_changes_in_a_read_is_an_error(void **state)
{
	struct stream s = begin(2);
	struct vk_error err = {0};
	uint8_t *buf = malloc(400 * BLOCK);
	struct vk_io *io;
	size_t got = 1;

	(void)state;
	for (uint64_t i = 0; i < 400; i++)
		put_data(&s, 128, i);
	io = unfold(&s);
	assert_holds(io, 0, s.out, BLOCK);
	memcpy(s.in + 8 + 300 * 515, "\x00\x81\x01", 3);
	assert_int_equal(vk_io_read(io, 0, buf, 301 * BLOCK, &got, &err), VK_IO);
	assert_int_equal(got, 0);
	vk_io_close(io);
	free(buf);
	end(&s);
}

static FILE *open_real(char ret_path[512])
{
	const char *shared = getenv("VMFSKIT_SHARED");
	char command[600];

	if (shared == NULL)
		shared = "../shared";
	snprintf(ret_path, 512, "%s/data/vmfs3-esx35-volume/partition.vmfsimg", shared);
	snprintf(command, sizeof(command), "%s/data/vmfs3-esx35-volume/partition.img.xz", shared);
	if (access(ret_path, R_OK) != 0 || access(command, R_OK) != 0 ||
	    shell("command -v xz >/dev/null") != 0)
		return NULL;
	snprintf(command, sizeof(command), "xz -dc %s/data/vmfs3-esx35-volume/partition.img.xz",
		 shared);
	return popen(command, "re"); /* NOLINT(cert-env33-c): a fixed command */
}

static void real_volume_equals_its_unpacked_image(void **state)
{
	const size_t chunk = (size_t)4 << 20;
	char path[512];
	FILE *xz = open_real(path);
	uint8_t *want;
	uint8_t *have;
	struct vk_error err = {0};
	enum vk_io_form form;
	struct vk_io *io;
	uint64_t at = 0;
	size_t n;

	(void)state;
	if (xz == NULL)
		skip();
	want = malloc(chunk);
	have = malloc(chunk);
	assert_int_equal(vk_io_open(path, NULL, &io, &form, &err), VK_OK);
	assert_int_equal(form, VK_FORM_VMFSIMG);
	assert_null(vk_io_damage(io, NULL));
	assert_int_equal(vk_io_size_bytes(io), 1258435584);
	while ((n = fread(want, 1, chunk, xz)) > 0) {
		assert_got(io, at, have, n, n);
		assert_memory_equal(have, want, n);
		at += n;
	}
	assert_int_equal(at, 1258435584);
	assert_int_equal(pclose(xz), 0);
	vk_io_close(io);
	free(want);
	free(have);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_versions_unfold),
		cmocka_unit_test(spans_tell_zeros),
		cmocka_unit_test(huge_runs_cost_nothing),
		cmocka_unit_test(output_beyond_any_disk_is_damage),
		cmocka_unit_test(wrong_starts_are_refused),
		cmocka_unit_test(broken_streams_give_what_came_before),
		cmocka_unit_test(wrong_checksum_is_damage_and_reading_goes_on),
		cmocka_unit_test(unreadable_input_ends_the_stream),
		cmocka_unit_test(changed_stream_is_an_error),
		cmocka_unit_test(stream_that_changes_in_a_read_is_an_error),
		cmocka_unit_test(real_volume_equals_its_unpacked_image),
	};

	return cmocka_run_group_tests_name("io: VMFSIMG images", tests, NULL, NULL);
}
