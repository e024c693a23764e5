/* SPDX-License-Identifier: Apache-2.0 */
/* The bytes of every structure, each field's beside its name: what an article draws by hand, for everything. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/checked.h"
#include "base/screen.h"
#include "report/report.h"

enum { ROW = 16, WIDE_COLUMNS = 112, PLAIN_MAX = 4096, ELEMENTS_SHOWN = 8 };

/* Where lines go and what their bytes are called. */
struct hex {
	FILE *out;
	size_t row; /* bytes in a line: a narrow screen has room for half of them */
	const struct vk_report_style *style;
	const uint8_t *bytes; /* of the structure */
	size_t len;
	uint64_t at;          /* offset of bytes[0] that is printed */
};

static void put_row(const struct hex *h, size_t from, size_t count)
{
	fprintf(h->out, "%012" PRIx64 " ", h->at + from);
	for (size_t i = 0; i < count; i++)
		fprintf(h->out, "%s %02x", i == 8 ? " " : "", h->bytes[from + i]);
	fprintf(h->out, "%*s", (int)(3 * (h->row - count) + (count <= 8 && h->row > 8)), "");
}

/* The bytes of one name: rows of them, the name beside the first; long stretches of one value are folded. */
static void put_bytes(const struct hex *h, size_t from, size_t count, const char *name,
		      const char *value)
{
	size_t first = count < h->row ? count : h->row;

	put_row(h, from, first);
	fprintf(h->out, "  %-24s %s\n", name, value);
	for (size_t done = first; done < count;) {
		size_t n = count - done < h->row ? count - done : h->row;

		if (count - done > 2 * h->row &&
		    vk_all_bytes(h->bytes + from + done, count - done, h->bytes[from + done])) {
			fprintf(h->out, "%12s  %zu more bytes %02x\n", "*", count - done,
				h->bytes[from + done]);
			return;
		}
		put_row(h, from + done, n);
		fputc('\n', h->out);
		done += n;
	}
}

static void put_field(const struct hex *h, const struct vk_field *f, const void *in, size_t base,
		      const char *prefix)
{
	char value[1200], name[80];
	struct vk_text text = vk_text_in(value, sizeof(value));

	if (f->view != VK_VIEW_RESERVED && f->view != VK_VIEW_RAW)
		vk_field_text(f, in, &text);
	if (f->evidence == VK_EV_U)
		vk_text_fmt(&text, "  [uncertain: %s]", f->note);
	snprintf(name, sizeof(name), "%s%s", prefix, f->name);
	put_bytes(h, base + f->offset, f->size, name, value);
}

/* The structure at bytes[base], of which len bytes are there; what no row names is shown as unnamed. */
static void put_layout(const struct hex *h, const struct vk_layout *layout, size_t base, size_t len,
		       const char *prefix)
{
	uint64_t decoded[512]; /* aligned room for any of the structs */
	size_t next = 0;

	if (layout->struct_size > sizeof(decoded))
		return;
	vk_layout_decode(layout, h->bytes + base, len, decoded);
	for (size_t i = 0; i < layout->count; i++) {
		const struct vk_field *f = &layout->fields[i];
		const struct vk_layout *inner = f->kind == VK_KIND_DISKID ? &vk_scsi_disk_id_layout : NULL;
		char deeper[80];

		if (!vk_field_held(f, len))
			break;
		if (f->offset > next)
			put_bytes(h, base + next, f->offset - next, "(unnamed)", "");
		if (layout == &vk_mbr_layout && f->size == VK_MBR_ENTRY_BYTES)
			inner = &vk_mbr_entry_layout;
		snprintf(deeper, sizeof(deeper), "%s%s.", prefix, f->name);
		/* an unused table entry is one row */
		if (inner == &vk_mbr_entry_layout && vk_all_zero(h->bytes + base + f->offset, f->size))
			put_bytes(h, base + f->offset, f->size, f->name, "unused");
		else if (inner != NULL)
			put_layout(h, inner, base + f->offset, f->size, deeper);
		else
			put_field(h, f, decoded, base, prefix);
		next = f->offset + f->size;
	}
	if (next < len)
		put_bytes(h, base + next, len - next, "(unnamed)", "");
}

/* Whether an element of an array tells something: the empty ones are only counted. */
static bool telling(const struct vk_layout *element, const uint8_t *bytes, size_t len)
{
	struct vk_heartbeat hb;

	if (element != &vk_heartbeat_layout)
		return !vk_all_zero(bytes, len);
	vk_heartbeat_decode(bytes, len, &hb);
	return hb.state != VK_HB_FREE || vk_heartbeat_has_history(&hb);
}

static void put_array(struct hex *h, struct vk_io *io, const struct vk_place *p, uint64_t base,
		      uint8_t *buf)
{
	size_t shown = 0;
	uint64_t more = 0;
	uint64_t quiet = 0;

	if (p->stride_bytes == 0 || p->stride_bytes > PLAIN_MAX)
		return;
	for (uint64_t at = 0; at + p->stride_bytes <= p->held_bytes; at += p->stride_bytes) {
		uint64_t where = base + p->offset_bytes + at;
		struct vk_span span = vk_io_span(io, where);
		char prefix[32];

		if (span.state == VK_SPAN_ZERO && span.length_bytes > p->stride_bytes) {
			uint64_t skip = vk_min_u64(span.length_bytes, p->held_bytes - at) /
					p->stride_bytes;

			quiet += skip;
			at += (skip - 1) * p->stride_bytes;
			continue;
		}
		if (vk_io_read_all(io, where, buf, p->stride_bytes, NULL) != VK_OK)
			break;
		if (!telling(p->element, buf, p->stride_bytes)) {
			quiet++;
			continue;
		}
		if (shown == ELEMENTS_SHOWN && !h->style->all) {
			more++;
			continue;
		}
		shown++;
		h->at = where;
		h->bytes = buf;
		snprintf(prefix, sizeof(prefix), "[%" PRIu64 "].", at / p->stride_bytes);
		put_layout(h, p->element, 0, (size_t)vk_min_u64(p->stride_bytes, p->element->size), prefix);
	}
	if (more > 0)
		fprintf(h->out, "%12s  %" PRIu64 " more entries in use; --all shows them\n", "*", more);
	if (quiet > 0)
		fprintf(h->out, "%12s  %" PRIu64 " entries unused\n", "*", quiet);
}

static void put_place(FILE *out, const struct vk_source *s, const struct vk_place *p, uint64_t base,
		      const struct vk_report_style *style)
{
	const unsigned columns = vk_screen_columns(out);
	uint8_t buf[PLAIN_MAX];
	struct hex h = {out, columns == 0 || columns >= WIDE_COLUMNS ? ROW : ROW / 2, style, buf, 0,
			base + p->offset_bytes};
	size_t want = (size_t)vk_min_u64(p->held_bytes, sizeof(buf));

	fprintf(out, "\n%s (%s, %" PRIu64 " bytes at 0x%" PRIx64 ")\n", p->name,
		vk_presence_name(p->presence), p->length_bytes, base + p->offset_bytes);
	if (p->element != NULL) {
		put_array(&h, s->io, p, base, buf);
		return;
	}
	if (want == 0 || vk_io_read(s->io, h.at, buf, want, &h.len, NULL) != VK_OK || h.len == 0)
		return;
	if (p->layout != NULL)
		put_layout(&h, p->layout, 0, h.len, "");
	else
		put_bytes(&h, 0, h.len, "bits, lowest first", "1 is used");
}

void vk_report_source_hex(FILE *out, const struct vk_source *source,
			  const struct vk_report_style *style)
{
	fprintf(out, "%s: %s\n", source->path, vk_source_kind_name(source->kind));
	for (size_t i = 0; i < source->table.place_count; i++)
		put_place(out, source, &source->table.places[i], 0, style);
	for (size_t i = 0; i < source->vmfs_count; i++) {
		const struct vk_vmfs *v = &source->vmfs[i];

		for (size_t k = 0; k < v->place_count; k++)
			put_place(out, source, &v->places[k],
				  vk_mul_sat(v->start_sector, source->sector_size), style);
	}
}
