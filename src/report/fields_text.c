/* SPDX-License-Identifier: Apache-2.0 */
/* One structure as lines of text, one for each field. */
#include "base/bytes.h"
#include "report/report.h"

/* Fields that a source merely stated and that are zero say nothing; they are shown on request. */
static bool says_nothing(const struct vk_field *field, const void *in)
{
	if (field->evidence != VK_EV_S && field->evidence != VK_EV_U && field->evidence != VK_EV_X)
		return false;
	switch (field->kind) {
	case VK_KIND_U8:
	case VK_KIND_U16:
	case VK_KIND_U32:
	case VK_KIND_U64:
		return vk_field_number(field, in) == 0;
	default:
		return vk_all_zero(vk_field_bytes(field, in), field->size);
	}
}

static void put_uuid_origin(FILE *out, const uint8_t *bytes)
{
	struct vk_vmfs_uuid_parts parts;
	char line[128];
	struct vk_text text;

	if (vk_all_zero(bytes, 16))
		return;
	vk_layout_decode(&vk_vmfs_uuid_layout, bytes, 16, &parts);
	vk_text_init(&text, line, sizeof(line));
	vk_text_put(&text, "  (made ");
	vk_text_time_s(&text, parts.timeLo);
	vk_text_put(&text, " by the host with MAC ");
	vk_mac_format(parts.macAddr, line + text.len_bytes);
	fprintf(out, "%s)", line);
}

void vk_report_fields_text(FILE *out, const struct vk_layout *layout, const void *in,
			   size_t seen_bytes, const char *indent,
			   const struct vk_report_style *style)
{
	unsigned hidden = 0;
	unsigned cut = 0;

	for (size_t i = 0; i < layout->count; i++) {
		const struct vk_field *f = &layout->fields[i];
		char value[1200];
		struct vk_text text;

		if (!vk_field_held(f, seen_bytes)) {
			cut++;
			continue;
		}
		if (f->view == VK_VIEW_RESERVED)
			continue;
		if (!style->all && says_nothing(f, in)) {
			hidden++;
			continue;
		}
		vk_text_init(&text, value, sizeof(value));
		vk_field_text(f, in, &text);
		fprintf(out, "%s%-22s %s", indent, f->name, value);
		if (f->view == VK_VIEW_UUID)
			put_uuid_origin(out, vk_field_bytes(f, in));
		if (f->evidence == VK_EV_U)
			fprintf(out, "  [uncertain: %s]", f->note);
		fputc('\n', out);
	}
	if (hidden > 0)
		fprintf(out, "%s(%u further fields are zero; --all shows them)\n", indent, hidden);
	if (cut > 0)
		fprintf(out, "%s(%u fields are not in the source)\n", indent, cut);
}
