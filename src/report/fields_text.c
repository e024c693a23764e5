/* SPDX-License-Identifier: Apache-2.0 */
/* One structure as lines of text, one for each field. */
#include <string.h>

#include "base/bytes.h"
#include "report/report.h"
#include "base/shown.h"

struct vk_shown vk_report_made(const struct vk_vmfs_uuid *uuid, const char *before)
{
	struct vk_vmfs_uuid_parts parts;
	struct vk_shown shown;
	struct vk_text text = vk_text_in(shown.text, sizeof(shown.text));

	vk_vmfs_uuid_decode(uuid, &parts);
	vk_text_time_s(&text, parts.timeLo);
	vk_text_put(&text, before);
	vk_mac_format(parts.macAddr, shown.text + text.len_bytes);
	return shown;
}

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

void vk_report_fields_text(FILE *out, const struct vk_layout *layout, const void *in,
			   size_t seen_bytes, const char *indent,
			   const struct vk_report_style *style)
{
	unsigned hidden = 0;
	unsigned cut = 0;

	for (size_t i = 0; i < layout->count; i++) {
		const struct vk_field *f = &layout->fields[i];
		char value[1200];
		struct vk_text text = vk_text_in(value, sizeof(value));
		struct vk_vmfs_uuid uuid;

		if (!vk_field_told(f, in, seen_bytes)) {
			cut++;
			continue;
		}
		if (f->view == VK_VIEW_RESERVED)
			continue;
		if (!style->all && says_nothing(f, in)) {
			hidden++;
			continue;
		}
		vk_field_text(f, in, &text);
		fprintf(out, "%s%-22s %s", indent, f->name, value);
		if (f->view == VK_VIEW_UUID && !vk_all_zero(vk_field_bytes(f, in), sizeof(uuid))) {
			memcpy(&uuid, vk_field_bytes(f, in), sizeof(uuid));
			fprintf(out, "  (made %s)", vk_report_made(&uuid, " by the host with MAC ").text);
		}
		if (f->evidence == VK_EV_U)
			fprintf(out, "  [uncertain: %s]", f->note);
		fputc('\n', out);
	}
	if (hidden > 0)
		fprintf(out, "%s(%u further fields are zero; --all shows them)\n", indent, hidden);
	if (cut > 0)
		fprintf(out, "%s(%u fields are not in the source)\n", indent, cut);
}
