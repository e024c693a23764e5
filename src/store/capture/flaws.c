/* SPDX-License-Identifier: Apache-2.0 */
/* What the findings of a judgement leave of a capture's word. */
#include "vmfskit/vouch.h"

unsigned vk_finding_flaw(enum vk_finding_code code)
{
	switch (code) {
	case VK_F_CAPTURE_WRITABLE:
		return VK_FLAW_EXPOSED;
	case VK_F_CAPTURE_MISPLACED:
	case VK_F_SIGNATURE_MISSING:
	case VK_F_SIGNATURE_WRONG:
	case VK_F_LEDGER_MISSING:
	case VK_F_LEDGER_DAMAGED:
	case VK_F_LEDGER_BROKEN:
	case VK_F_LEDGER_CAPTURE_UNRECORDED:
	case VK_F_LEDGER_CAPTURE_DIFFERS:
		return VK_FLAW_UNTRUSTED;
	case VK_F_CAPTURE_EXTRA_FILE:
		return VK_FLAW_EXTRA;
	/* findings of taking it */
	case VK_F_CAPTURE_UNREADABLE:
	case VK_F_CAPTURE_NOT_CONTAINING:
		return VK_FLAW_INCOMPLETE;
	default:
		return vk_finding_kind(code)->severity == VK_ERROR ? VK_FLAW_BROKEN : VK_FLAW_INCOMPLETE;
	}
}

static void note_flaw(void *ctx, const struct vk_finding *finding)
{
	unsigned *flaws = ctx;

	*flaws |= vk_finding_flaw(finding->code);
}

struct vk_finding_sink vk_flaws_sink(unsigned *flaws)
{
	*flaws = 0;
	return (struct vk_finding_sink){.put = note_flaw, .ctx = flaws};
}

unsigned vk_findings_flaws(const struct vk_findings *findings)
{
	unsigned flaws;
	struct vk_finding_sink sink = vk_flaws_sink(&flaws);

	for (size_t i = 0; i < findings->count; i++)
		vk_finding_put(&sink, &findings->items[i]);
	return flaws;
}
