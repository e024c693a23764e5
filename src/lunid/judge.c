/* SPDX-License-Identifier: Apache-2.0 */
/* What is said of one id: the findings of the recorded against the live one. */
#include <string.h>
#include <strings.h>

#include "disk/scsi_id_length.h"
#include "vmfskit/lunid.h"

/* One look at one id. */
struct look {
	const struct vk_scsi_disk_id *recorded;
	const struct vk_live_lun *live;
	uint64_t offset;
	const struct vk_finding_sink *sink;
	char name[VK_SCSI_NAME_BYTES]; /* as recorded */
	bool said;
};

static void say_change(struct look *l, enum vk_finding_code code, const char *seen, const char *expected,
		       const char *message)
{
	vk_finding_say(l->sink, code, l->offset, VK_SCSI_DISK_ID_BYTES, seen, expected, "%s", message);
	l->said = true;
}

static bool has_number(const struct vk_live_lun *live, uint16_t number)
{
	for (size_t i = 0; i < live->lun_count; i++)
		if (live->luns[i] == number)
			return true;
	return live->lun_count == 0 && live->id.lun == number;
}

/* "4", or "4 and 7" where the paths have several. */
static struct vk_phrase numbers_of(const struct vk_live_lun *live)
{
	struct vk_phrase p;
	struct vk_text text = vk_text_in(p.text, sizeof(p.text));

	vk_text_fmt(&text, "%u", live->lun_count > 0 ? live->luns[0] : live->id.lun);
	for (size_t i = 1; i < live->lun_count; i++)
		vk_text_fmt(&text, "%s%u", i + 1 < live->lun_count ? ", " : " and ", live->luns[i]);
	return p;
}

static void judge_number(struct look *l)
{
	const struct vk_live_lun *live = l->live;
	const unsigned recorded = l->recorded->lun;

	if (!live->lun_known || (has_number(live, l->recorded->lun) && live->lun_count < 2))
		return;
	say_change(l, VK_F_LUNID_LUN_CHANGED, vk_phrase("LUN %u in the header", recorded).text,
		   vk_phrase("LUN %s, as it is now", numbers_of(live).text).text,
		   has_number(live, l->recorded->lun)
			   ? vk_phrase("LUN is %u on some paths only: the paths have %s", recorded,
				       numbers_of(live).text).text
			   : vk_phrase("LUN changed from %u to %s", recorded, numbers_of(live).text).text);
}

/* The last six bytes of the id, on both sides. */
static void judge_model(struct look *l)
{
	const struct vk_scsi_disk_id *a = l->recorded, *b = &l->live->id;
	char was[64], now[64];
	struct vk_text text = vk_text_in(was, sizeof(was));

	if (!l->live->model_known || a->type != b->type || a->len != b->len || a->len <= VK_SCSI_MODEL_TAIL_BYTES ||
	    a->len > VK_SCSI_ID_MAX || a->type == VK_SCSI_ID_PATH ||
	    memcmp(a->id + a->len - VK_SCSI_MODEL_TAIL_BYTES, b->id + a->len - VK_SCSI_MODEL_TAIL_BYTES,
		   VK_SCSI_MODEL_TAIL_BYTES) == 0)
		return;
	vk_text_label(&text, a->id + a->len - VK_SCSI_MODEL_TAIL_BYTES, VK_SCSI_MODEL_TAIL_BYTES);
	text = vk_text_in(now, sizeof(now));
	vk_text_label(&text, b->id + a->len - VK_SCSI_MODEL_TAIL_BYTES, VK_SCSI_MODEL_TAIL_BYTES);
	say_change(l, VK_F_LUNID_MODEL_CHANGED, vk_phrase("%s in the header", was).text,
		   vk_phrase("%s, as it is now", now).text,
		   vk_phrase("the model's first characters changed from \"%s\" to \"%s\"", was, now).text);
}

static bool named(const struct vk_live_lun *live, const char *name)
{
	for (size_t i = 0; i < live->name_count; i++)
		if (strcasecmp(live->names[i], name) == 0)
			return true;
	return false;
}

static void judge_designator(struct look *l)
{
	const char *message = "the header was written for another LUN";

	/* of the LUN itself, but not the one that is chosen */
	if (named(l->live, l->name))
		message = "the header has another designator of this LUN than the one that ESX chooses now";
	else if (l->live->lun_known && !has_number(l->live, l->recorded->lun))
		message = "the header was written for another LUN, and for another LUN number";
	say_change(l, VK_F_LUNID_DESIGNATOR_CHANGED, vk_phrase("%.90s in the header", l->name).text,
		   vk_phrase("%.80s, as this LUN is called", l->live->name).text, message);
}

static void judge_kind(struct look *l)
{
	static const char *const kinds[] = {"a path", "a serial number", "an NAA name", "an id of type 3"};
	const unsigned was = l->recorded->type, now = l->live->id.type;

	say_change(l, VK_F_LUNID_KIND_CHANGED, vk_phrase("%.90s in the header", l->name).text,
		   vk_phrase("%.80s, as this LUN is called", l->live->name).text,
		   vk_phrase("the header records %s, and ESX records %s of this LUN now%s", kinds[was & 3],
			     kinds[now & 3], named(l->live, l->name) ? "; it is the same LUN" : "").text);
}

static void keep_length(void *ctx, const struct vk_finding *f)
{
	struct look *l = ctx;

	say_change(l, VK_F_LUNID_LENGTH_WRONG, f->seen, f->expected, f->message);
}

void vk_lunid_judge(const struct vk_scsi_disk_id *recorded, const struct vk_live_lun *live, uint64_t offset_bytes,
		    const struct vk_finding_sink *sink)
{
	struct look l = {.recorded = recorded, .live = live, .offset = offset_bytes, .sink = sink};
	const struct vk_finding_sink length = {keep_length, &l};
	enum vk_lun_relation relation = live != NULL ? vk_lun_relate(recorded, live) : VK_LUN_NOT_COMPARABLE;
	bool certain;

	vk_scsi_disk_id_name(recorded, l.name, &certain);
	vk_scsi_disk_id_check(recorded, offset_bytes, &length);
	if (relation == VK_LUN_OTHER || relation == VK_LUN_OTHER_LENGTH)
		judge_designator(&l);
	else if (relation == VK_LUN_OTHER_KIND)
		judge_kind(&l);
	if (relation == VK_LUN_SAME) {
		judge_number(&l);
		judge_model(&l);
	}
	if (l.said)
		return;
	if (relation == VK_LUN_SAME)
		vk_finding_say(sink, VK_F_LUNID_MATCH, offset_bytes, VK_SCSI_DISK_ID_BYTES, NULL, NULL,
			       "the header was written for this LUN, %.120s%s%s", l.name,
			       live->lun_known ? "" : "; its LUN number is not known",
			       live->model_known || recorded->type == VK_SCSI_ID_PATH ? "" : "; its model is not "
			       "known");
	else
		vk_finding_say(sink, VK_F_LUNID_NOT_COMPARABLE, offset_bytes, VK_SCSI_DISK_ID_BYTES, l.name,
			       live != NULL ? live->name : NULL, "%s",
			       vk_scsi_disk_id_is_nil(recorded) ? "the header names no LUN"
			       : live == NULL ? "what the LUN is called now is not known"
					      : "the header and the LUN have names that cannot be compared");
}

static void pass_on(void *ctx, const struct vk_finding *f)
{
	const struct vk_finding_sink *sink = ctx;

	/* decode says that a length does not fit, and restore and repair mend it */
	if (vk_finding_kind(f->code)->severity != VK_INFO && f->code != VK_F_LUNID_LENGTH_WRONG)
		vk_finding_put(sink, f);
}

void vk_lunid_judge_elsewhere(const struct vk_scsi_disk_id *recorded, const struct vk_live_lun *live,
			      uint64_t offset_bytes, const struct vk_finding_sink *sink)
{
	struct vk_live_lun here = *live;
	struct vk_finding_sink out = *sink;
	const struct vk_finding_sink wrong = {pass_on, &out};

	here.lun_known = false;
	here.lun_count = 0;
	if (recorded->type != VK_SCSI_ID_PATH)
		vk_lunid_judge(recorded, &here, offset_bytes, &wrong);
}
