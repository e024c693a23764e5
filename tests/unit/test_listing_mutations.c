/* SPDX-License-Identifier: Apache-2.0 */
/* 10 000 listings with accidents. */
#include "listing_forms.h"

enum { MUTATIONS = 10000, TEXT_MAX = 1 << 17 };

static uint64_t draw(uint64_t *state, uint64_t below)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return (*state >> 16) % below;
}

static size_t line_at(const char *text, size_t len, size_t at, size_t *ret_end)
{
	while (at > 0 && text[at - 1] != '\n')
		at--;
	for (*ret_end = at; *ret_end < len && text[*ret_end] != '\n'; ++*ret_end)
		;
	*ret_end += *ret_end < len;
	return at;
}

/* One small accident; the new length. */
static size_t mutate(char *text, size_t len, const char *other, size_t other_len, uint64_t *state)
{
	static const char chars[] = "0123456789abcdefABCDEFx:*|><& \t\n\r\xa0\xc3";
	size_t at = (size_t)draw(state, len), end, from, n;

	switch (draw(state, 8)) {
	case 0: /* another character */
		text[at] = chars[draw(state, sizeof(chars) - 1)];
		return len;
	case 1: /* any byte */
		text[at] = (char)draw(state, 256);
		return len;
	case 2: /* characters lost */
		n = (size_t)draw(state, 20) % (len - at);
		memmove(text + at, text + at + n, len - at - n);
		return len - n;
	case 3: /* a line lost */
		from = line_at(text, len, at, &end);
		memmove(text + from, text + end, len - end);
		return len - (end - from) > 0 ? len - (end - from) : 1;
	case 4: /* a line twice, elsewhere */
		from = line_at(text, len, at, &end);
		n = end - from;
		if (len + n > TEXT_MAX / 2)
			return len;
		memcpy(text + TEXT_MAX - n, text + from, n);
		at = (size_t)draw(state, len);
		memmove(text + at + n, text + at, len - at);
		memcpy(text + at, text + TEXT_MAX - n, n);
		return len + n;
	case 5: /* the end lost */
		return at > 0 ? at : 1;
	case 6: /* a piece of another listing */
		from = (size_t)draw(state, other_len);
		n = (size_t)draw(state, 300) % (other_len - from);
		if (len + n > TEXT_MAX / 2)
			return len;
		memmove(text + at + n, text + at, len - at);
		memcpy(text + at, other + from, n);
		return len + n;
	default: /* digits that become others, all over one line */
		from = line_at(text, len, at, &end);
		for (; from < end; from++)
			if (text[from] >= '0' && text[from] <= '9' && draw(state, 4) == 0)
				text[from] = chars[draw(state, 16)];
		return len;
	}
}

/* Whatever came out holds together: spans follow each other, reads deliver what they say, sources are few. */
static void check_sources(struct vk_io *io)
{
	size_t sources = 0;

	for (struct vk_io *next; io != NULL; io = next, sources++) {
		uint8_t buf[256];
		uint64_t at = 0;

		next = vk_io_take_next(io);
		for (size_t spans = 0; spans < 1000; spans++) {
			struct vk_span span = vk_io_span(io, at);
			size_t want = span.length_bytes < sizeof(buf) ? (size_t)span.length_bytes : sizeof(buf);

			if (span.state == VK_SPAN_END)
				break;
			if (span.state != VK_SPAN_ABSENT)
				assert_got(io, at, buf, want, want);
			at += span.length_bytes;
		}
		vk_io_close(io);
	}
	assert_in_range(sources, 1, 64);
}

static size_t read_text(char text[TEXT_MAX])
{
	FILE *f = fopen("text", "r");
	size_t len;

	assert_non_null(f);
	len = fread(text, 1, TEXT_MAX / 2 - 512, f);
	assert_int_equal(fclose(f), 0);
	return len;
}

static void mutations_break_nothing(void **state)
{
	enum { TEXTS = 24 };
	static char texts[TEXTS][TEXT_MAX], text[TEXT_MAX];
	size_t lens[TEXTS], read = 0;
	uint8_t raw[RAW_BYTES];
	uint64_t seed = 20090421;

	(void)state;
	make_raw(raw, true);
	for (size_t i = 0; i < TEXTS; i++) {
		print_form(&forms[i * 3], raw);
		lens[i] = read_text(texts[i]);
	}
	for (size_t i = 0; i < MUTATIONS; i++) {
		size_t which = (size_t)draw(&seed, TEXTS), other = (size_t)draw(&seed, TEXTS), len = lens[which];
		size_t times = 1 + (size_t)draw(&seed, 4);
		struct vk_error err = {0};
		struct vk_io *base, *io = NULL;

		memcpy(text, texts[which], len);
		while (times-- > 0)
			len = mutate(text, len, texts[other], lens[other], &seed);
		base = vk_io_memory("mail", text, len, true);
		(void)vk_io_is_hexdump(base);
		if (vk_io_hexdump(base, &io, &err) == VK_OK) {
			check_sources(io);
			read++;
			continue;
		}
		vk_io_close(base);
		if (err.status != VK_DAMAGED && err.status != VK_USAGE)
			fail_msg("mutation %zu: %s", i, err.what);
	}
	/* most accidents leave most of a listing */
	assert_true(read > MUTATIONS / 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mutations_break_nothing),
	};

	return cmocka_run_group_tests_name("io: listings with accidents", tests, make_folder, drop_folder);
}
