/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Texts with listings as sources: what hexdump, od, xxd and the like print, alone or pasted into a mail. Bytes that the
 * text does not give are absent; `*` stands for them only where its two ends are there. What can be read in two ways is
 * not read.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "base/memory.h"
#include "io/image/listing_read.h"
#include "io/io_handle.h"
#include "vmfskit/text.h"

#define TEXT_MAX_BYTES ((uint64_t)256 << 20)
/* How far to look for rows, and how much of that must be text. */
#define LOOK_BYTES ((uint64_t)64 << 10)
#define LOOK_TEXT_BYTES ((size_t)4096)

/* The store goes to the first source; the others have copies of their bytes. */
static struct vk_io *make_source(struct vk_listing *l, const struct vk_listing_source *source, const char *name,
				 const struct vk_io *base, bool last)
{
	struct vk_io_piece *pieces = calloc(source->count, sizeof(*pieces));
	size_t need = 0, at = 0;
	uint8_t *own = l->all.store;
	struct vk_io *io;

	for (size_t i = 0; i < source->count; i++)
		need += source->parts[i].zeros ? 0 : (size_t)source->parts[i].length;
	if (!last)
		own = malloc(need + 1);
	if (pieces == NULL || own == NULL) {
		free(pieces);
		if (!last)
			free(own);
		return NULL;
	}
	for (size_t i = 0; i < source->count; i++) {
		const struct vk_listing_part *p = &source->parts[i];
		const uint8_t *bytes = l->all.store + p->at;

		if (!last && !p->zeros)
			bytes = memcpy(own + at, bytes, (size_t)p->length);
		at += p->zeros ? 0 : (size_t)p->length;
		pieces[i] = (struct vk_io_piece){p->offset, p->length, p->zeros ? NULL : bytes};
	}
	if (last)
		l->all.store = NULL;
	io = vk_io_pieces(name, pieces, source->count, vk_io_sector_size(base), own);
	free(pieces);
	return io;
}

static void note_unused(struct vk_listing *l)
{
	if (l->unused > 0)
		VK_FINDINGS_SAY(&l->notes, VK_F_SOURCE_LISTING_UNUSED, l->unused_offset, 0, NULL, NULL,
				"%zu row%s not used; the first is line %llu: %s", l->unused,
				l->unused > 1 ? "s are" : " is", (unsigned long long)l->unused_line, l->unused_why);
	for (size_t i = 0; i < l->all.count; i++) {
		const struct vk_listing_section *s = &l->all.list[i];

		if (s->ambiguous)
			VK_FINDINGS_SAY(&l->notes, VK_F_SOURCE_LISTING_AMBIGUOUS, s->text_offset, 0, s->readings[0],
					s->readings[1], "%zu rows from line %llu on can be read in two ways", s->rows,
					(unsigned long long)s->line);
	}
}

/* Bytes that a source has from an offset on, in one piece; how many. */
static size_t take_bytes(const struct vk_listing *l, const struct vk_listing_source *source, uint64_t offset,
			 uint8_t *buf, size_t len)
{
	for (size_t k = 0; k < source->count; k++) {
		const struct vk_listing_part *p = &source->parts[k];
		size_t n;

		if (p->zeros || offset < p->offset || offset - p->offset >= p->length)
			continue;
		n = (size_t)vk_min_u64(len, p->length - (offset - p->offset));
		memcpy(buf, l->all.store + p->at + (size_t)(offset - p->offset), n);
		return n;
	}
	return 0;
}

/* Where the search of the KB found a header, and the name that stands where that volume has it. */
static void note_start(const struct vk_listing *l, const struct vk_listing_source *source,
		       const struct vk_listing_told *told, struct vk_findings *notes)
{
	enum { LABEL_AT = 0x130001d, LABEL_BYTES = 128 };
	const uint64_t start = vk_mul_sat(told->start_sector, 512), at = vk_add_sat(start, 0x100000);
	uint8_t head[8] = {0}, label[LABEL_BYTES] = {0};
	char name[LABEL_BYTES * 4 + 20] = "";
	struct vk_text text;

	if (take_bytes(l, source, at, head, 4) < 4 || vk_listing_magic(head) == NULL)
		return;
	if (take_bytes(l, source, vk_add_sat(start, LABEL_AT), label, sizeof(label)) > 0 && label[0] != 0) {
		text = vk_text_in(name, sizeof(name));
		vk_text_put(&text, "; its name is \"");
		vk_text_label(&text, label, sizeof(label));
		vk_text_put(&text, "\"");
	}
	VK_FINDINGS_SAY(notes, VK_F_SOURCE_TOLD, 0, 0, NULL, NULL,
			"the search of VMware's KB 2046610 in line %llu: %s at byte %llu, so a partition starts at "
			"sector %llu%s",
			(unsigned long long)told->line, vk_listing_magic(head), (unsigned long long)at,
			(unsigned long long)told->start_sector, name);
}

static void note_table(const struct vk_listing_told *told, const char *of, struct vk_findings *notes)
{
	VK_FINDINGS_SAY(notes, VK_F_SOURCE_TOLD, 0, 0, NULL, NULL, "partedUtil getptbl in line %llu%s%.70s%s: %s",
			(unsigned long long)told->line, told->device[0] != '\0' ? " of " : "", told->device, of,
			told->table);
}

/*
 * What the text says of a source goes to the one whose device it names; without a name to the only one. What is of
 * none, or of an unknown one, is said with that, of a device without rows at the first source.
 */
static void note_told(const struct vk_listing *l, const struct vk_listing_source *sources, size_t count, size_t which,
		      struct vk_findings *notes)
{
	for (size_t i = 0; i < l->told_count; i++) {
		const struct vk_listing_told *told = &l->told[i];
		bool own = strcmp(told->device, sources[which].device) == 0, elsewhere = false;

		for (size_t k = 0; k < count; k++)
			elsewhere = elsewhere || strcmp(told->device, sources[k].device) == 0;
		own = own || (count == 1 && (told->device[0] == '\0' || sources[0].device[0] == '\0'));
		if (told->table[0] == '\0' && (own || told->device[0] == '\0'))
			note_start(l, &sources[which], told, notes);
		else if (told->table[0] != '\0' && (own || told->device[0] == '\0'))
			note_table(told, own ? "" : ", of one of these disks, which is not said", notes);
		else if (told->table[0] != '\0' && !elsewhere && which == 0)
			note_table(told, ", a disk of which there are no rows", notes);
	}
}

/* No source came out: what the text is instead. */
static enum vk_status refuse_text(const struct vk_listing *l, const char *name, struct vk_error *err)
{
	for (size_t i = 0; i < l->all.count; i++) {
		const struct vk_listing_section *s = &l->all.list[i];

		if (!s->ambiguous)
			continue;
		vk_error_set(err, VK_USAGE, name,
			     "the listing from line %llu on can be read in two ways: %s; or %s",
			     (unsigned long long)s->line, s->readings[0], s->readings[1]);
		vk_error_at(err, s->text_offset);
		return vk_error_remedy(err, "%s", vk_finding_kind(VK_F_SOURCE_LISTING_AMBIGUOUS)->remedy);
	}
	if (l->unused > 0) {
		vk_error_set(err, VK_DAMAGED, name, "of %zu row%s none can be used; the first is line %llu: %s",
			     l->unused, l->unused > 1 ? "s" : "", (unsigned long long)l->unused_line, l->unused_why);
		vk_error_at(err, l->unused_offset);
		return vk_error_remedy(err, "list the bytes again with hexdump -C");
	}
	vk_error_set(err, VK_DAMAGED, name, "the listing holds no bytes%s%s", l->damage != NULL ? ": " : "",
		     l->damage != NULL ? l->damage : "");
	return vk_error_at(err, l->damage != NULL ? l->damage_offset : 0);
}

/* Sources of the text, linked one behind the other; each has all notes. */
static enum vk_status make_sources(struct vk_listing *l, struct vk_io *base, struct vk_io **ret_io,
				   struct vk_error *err)
{
	struct vk_listing_source *sources = calloc(VK_LISTING_SOURCES_MAX, sizeof(*sources));
	enum vk_status status = VK_OK;
	struct vk_io *first = NULL;
	size_t count = 0;

	if (sources == NULL)
		return vk_no_memory(err, vk_io_name(base));
	vk_listing_settle_order(&l->all, &l->notes);
	if (!vk_listing_share_out(&l->all, sources, &count, &l->notes))
		status = vk_no_memory(err, vk_io_name(base));
	else if (count == 0)
		status = refuse_text(l, vk_io_name(base), err);
	note_unused(l);
	for (size_t i = count; i-- > 0 && status == VK_OK;) {
		char name[VK_LISTING_NAME_BYTES + 400];
		struct vk_findings own = {0};
		struct vk_io *io;

		snprintf(name, sizeof(name), "%s%s%s", vk_io_name(base), count > 1 ? "#" : "",
			 count > 1 ? sources[i].name : "");
		for (size_t k = 0; k < l->notes.count; k++)
			vk_findings_add(&own, &l->notes.items[k]);
		/* the last one takes the bytes */
		note_told(l, sources, count, i, &own);
		io = make_source(l, &sources[i], name, base, i == 0);
		if (io == NULL) {
			vk_findings_free(&own);
			status = vk_no_memory(err, vk_io_name(base));
			break;
		}
		io->notes = own;
		if (l->damage != NULL)
			vk_io_set_damage(io, l->damage, l->damage_offset);
		io->next = first;
		first = io;
	}
	for (size_t i = 0; i < count; i++)
		free(sources[i].parts);
	free(sources);
	if (status == VK_OK)
		*ret_io = first;
	else
		vk_io_close(first);
	return status;
}

enum vk_status vk_io_hexdump(struct vk_io *base, struct vk_io **ret_io, struct vk_error *err)
{
	struct vk_listing *l = calloc(1, sizeof(*l));
	enum vk_status status;

	if (l == NULL)
		return vk_no_memory(err, vk_io_name(base));
	if (vk_listing_read(l, base, TEXT_MAX_BYTES, false))
		status = make_sources(l, base, ret_io, err);
	else
		status = vk_no_memory(err, vk_io_name(base));
	if (status == VK_OK)
		vk_io_close(base);
	vk_listing_free(l);
	return status;
}

bool vk_io_is_text(struct vk_io *base)
{
	uint8_t head[LOOK_TEXT_BYTES];
	size_t got, zeros = 0;

	if (vk_io_is_device(base) || vk_io_read(base, 0, head, sizeof(head), &got, NULL) != VK_OK)
		return false;
	for (size_t i = 0; i < got; i++) {
		if ((head[i] < 0x20 && head[i] != 0 && (head[i] < '\b' || head[i] > '\r') && head[i] != 0x1B) ||
		    head[i] == 0x7F)
			return false;
		zeros += head[i] == 0;
	}
	/* UTF-16: every second byte of what people write is zero */
	return got > 0 && (zeros == 0 || (got >= 4 && zeros >= got / 3 && zeros <= got / 2 &&
					  ((head[0] == 0) != (head[1] == 0) || (head[0] >= 0xFE && head[1] >= 0xFE))));
}

bool vk_io_text_told(struct vk_io *base, char *ret_what, size_t what_size, char *ret_evidence, size_t evidence_size)
{
	struct vk_listing *l = vk_io_descriptor(base) >= 0 && vk_io_is_text(base) ? calloc(1, sizeof(*l)) : NULL;
	const uint64_t end = vk_min_u64(vk_io_size_bytes(base), LOOK_BYTES);
	char rows[200] = "";
	struct vk_text more;
	bool is = l != NULL && vk_listing_read(l, base, LOOK_BYTES, false) && l->all.count == 0 && !l->strange;

	for (size_t i = 0; is && i < l->told_count; i++)
		note_table(&l->told[i], "", &l->notes);
	if (is) {
		snprintf(ret_what, what_size, "a text that holds no listing of bytes%s%s",
			 l->notes.count > 0 ? ", but " : "", l->notes.count > 0 ? l->notes.items[0].message : "");
		if (l->unused > 0)
			snprintf(rows, sizeof(rows),
				 "; %zu row%s not used, the first is line %" PRIu64 ": %s", l->unused,
				 l->unused > 1 ? "s are" : " is", l->unused_line, l->unused_why);
		vk_text_init(&more, ret_evidence, evidence_size);
		vk_text_fmt(&more, "%" PRIu64 " line%s of characters in the first %" PRIu64 " bytes%s", l->lines_read,
			    l->lines_read == 1 ? "" : "s", end, rows);
		for (size_t i = 1; i < l->notes.count; i++)
			vk_text_fmt(&more, "; %s", l->notes.items[i].message);
	}
	if (l != NULL)
		vk_listing_free(l);
	return is;
}

bool vk_io_is_hexdump(struct vk_io *base)
{
	struct vk_listing *l = vk_io_is_text(base) ? calloc(1, sizeof(*l)) : NULL;
	bool is;

	if (l == NULL)
		return false;
	is = vk_listing_read(l, base, LOOK_BYTES, true) && l->all.count > 0;
	vk_listing_free(l);
	return is;
}
