/* SPDX-License-Identifier: Apache-2.0 */
/* The work that the parts of the header planner share: bytes of the partition, and what is told of them. */
#include <openssl/sha.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "base/memory.h"
#include "base/texts.h"
#include "rebuild/header/header_work.h"

enum { SENTENCES_MAX = 256, FIELDS_MAX = 4096 };

const char *vk_field_origin_name(enum vk_field_origin origin)
{
	static const char *const names[] = {
		[VK_FIELD_CONSTANT] = "constant", [VK_FIELD_COPY] = "copy",
		[VK_FIELD_COMPUTED] = "computed", [VK_FIELD_MEMBER] = "member",
		[VK_FIELD_CAPTURE] = "capture",   [VK_FIELD_ASKED] = "asked",
		[VK_FIELD_USUAL] = "usual",       [VK_FIELD_FRESH] = "fresh",
	};

	return names[origin];
}

bool vk_field_origin_exact(enum vk_field_origin origin)
{
	return origin != VK_FIELD_USUAL && origin != VK_FIELD_FRESH;
}

const char *vk_structure_state_name(enum vk_structure_state state)
{
	static const char *const names[] = {
		[VK_STRUCTURE_CONSISTENT] = "consistent", [VK_STRUCTURE_MENDED] = "mended",
		[VK_STRUCTURE_REBUILT] = "rebuilt", [VK_STRUCTURE_LOST] = "lost",
		[VK_STRUCTURE_NONE] = "none",
	};

	return names[state];
}

const char *vk_header_structure_name(enum vk_header_structure structure)
{
	static const char *const names[VK_HS_COUNT] = {
		[VK_HS_LVM_HEADER] = "LVM device header",
		[VK_HS_VOLUME] = "LVM volume descriptor",
		[VK_HS_PE_TABLES] = "PE bitmaps and tables",
		[VK_HS_SD_TABLE] = "SD table",
		[VK_HS_FS_DESCRIPTOR] = "file-system descriptor",
		[VK_HS_HEARTBEATS] = "heartbeat region",
	};

	return names[structure];
}

bool vk_work_wants(const struct vk_header_work *work, enum vk_header_structure structure)
{
	unsigned wanted = work->options->structures;

	return wanted == 0 || (wanted & 1U << structure) != 0;
}

unsigned vk_work_asked_major(struct vk_header_work *work)
{
	const struct vk_self_heartbeats *hb = &work->self.heartbeats;
	unsigned asked = work->options->fs_major;
	bool six = asked >= 24;
	const char *against = NULL;

	if (hb->placed > hb->otherwise && six != (hb->slot_bytes == 4096))
		against = "the size of the heartbeat slots";
	else if (work->vmfs.lvm_usable && six != (work->vmfs.lvm.majorVersion >= 6))
		against = "the LVM header";
	if (asked == 0 || against == NULL)
		return asked;
	vk_work_note(work, "the named version of the file system (%u) is not used: %s contradicts it.", asked,
		     against);
	return 0;
}

bool vk_work_get(struct vk_header_work *work, uint64_t offset, void *buf, size_t len)
{
	struct vk_error ignored;

	return vk_add_sat(offset, len) <= work->room_bytes &&
	       vk_io_read_all(work->window, offset, buf, len, &ignored) == VK_OK;
}

bool vk_work_get_anew(struct vk_header_work *work, uint64_t offset, void *buf, size_t len)
{
	struct vk_error ignored;
	bool unread;

	if (vk_add_sat(offset, len) > work->room_bytes ||
	    vk_io_read_around_bad(work->window, offset, buf, len, work->sector_size, &unread, &ignored) != VK_OK)
		return false;
	if (unread)
		vk_work_lost(work, "of the %zu bytes at byte 0x%llx of the partition some cannot be read: their "
				   "content is not known.",
			     len, (unsigned long long)offset);
	return true;
}

enum vk_status vk_work_put(struct vk_header_work *work, uint64_t offset, const void *bytes,
			   size_t len, const char *reason, enum vk_header_class write_class,
			   struct vk_error *err)
{
	if (vk_add_sat(offset, len) > work->room_bytes) {
		vk_error_set(err, VK_INTERNAL, vk_io_name(work->base),
			     "a repair of the %s would reach behind the end of the partition", reason);
		vk_error_at(err, offset);
		return VK_INTERNAL;
	}
	work->is_decoded = false;
	return vk_overlay_lay(work->overlay, work->start_bytes + offset, bytes, len, reason, write_class, NULL, err);
}

/* One more change; NULL: there is no room for it. */
static struct vk_rebuilt_field *add_field(struct vk_header_work *work, const struct vk_layout *layout,
					  uint64_t structure_bytes, enum vk_field_origin origin)
{
	struct vk_rebuild_header *h = work->header;
	struct vk_rebuilt_field *f;

	if (!vk_field_origin_exact(origin))
		h->guessed = true;
	if (h->field_count == FIELDS_MAX)
		return NULL;
	f = vk_append(&h->fields, &h->field_count, NULL, sizeof(*f));
	if (f == NULL) {
		work->no_memory = true;
		return NULL;
	}
	f->layout = layout;
	f->structure_bytes = structure_bytes;
	f->origin = origin;
	return f;
}

void vk_work_field(struct vk_header_work *work, const struct vk_layout *layout, const struct vk_field *field,
		   uint64_t structure_bytes, enum vk_field_origin origin, const void *was, const void *is,
		   const char *from)
{
	struct vk_rebuilt_field *f = add_field(work, layout, structure_bytes, origin);
	struct vk_text shown;

	if (f == NULL)
		return;
	snprintf(f->from, sizeof(f->from), "%s", from);
	f->field = field;
	f->at_bytes = structure_bytes + field->offset;
	f->len_bytes = field->size;
	shown = vk_text_in(f->was, sizeof(f->was));
	if (was != NULL)
		vk_field_text(field, was, &shown);
	shown = vk_text_in(f->is, sizeof(f->is));
	vk_field_text(field, is, &shown);
}

void vk_work_range(struct vk_header_work *work, const struct vk_layout *layout, uint64_t at_bytes,
		   uint64_t len_bytes, enum vk_field_origin origin, const char *from, ...)
{
	struct vk_rebuilt_field *f = add_field(work, layout, at_bytes, origin);
	va_list ap;

	if (f == NULL)
		return;
	va_start(ap, from);
	vsnprintf(f->from, sizeof(f->from), from, ap);
	va_end(ap);
	f->at_bytes = at_bytes;
	f->len_bytes = len_bytes;
}

bool vk_work_changes(const struct vk_header_work *work, const struct vk_layout *layout, const char *field_name)
{
	const struct vk_rebuild_header *h = work->header;

	for (size_t i = 0; i < h->field_count; i++)
		if (h->fields[i].layout == layout &&
		    (h->fields[i].field == NULL || strcmp(h->fields[i].field->name, field_name) == 0))
			return true;
	return false;
}

/* Keep a sentence that is not there yet. */
__attribute__((format(printf, 4, 0))) static void
add_sentence(struct vk_header_work *work, char ***list, size_t *count, const char *fmt, va_list ap)
{
	if (*count == SENTENCES_MAX)
		return;
	if (!vk_sentence_vadd(list, count, fmt, ap)) {
		work->no_memory = true;
		return;
	}
	for (size_t i = 0; i + 1 < *count; i++) {
		if (strcmp((*list)[i], (*list)[*count - 1]) == 0) {
			free((*list)[--*count]);
			return;
		}
	}
}

void vk_work_lost(struct vk_header_work *work, const char *sentence, ...)
{
	va_list ap;

	va_start(ap, sentence);
	add_sentence(work, &work->header->lost, &work->header->lost_count, sentence, ap);
	va_end(ap);
}

void vk_work_note(struct vk_header_work *work, const char *sentence, ...)
{
	va_list ap;

	va_start(ap, sentence);
	add_sentence(work, &work->header->notes, &work->header->note_count, sentence, ap);
	va_end(ap);
}

void vk_work_verdict(struct vk_header_work *work, enum vk_header_structure structure,
		     enum vk_structure_state state, const char *why, ...)
{
	struct vk_header_verdict *v = &work->header->verdicts[structure];
	va_list ap;

	v->state = state;
	va_start(ap, why);
	vsnprintf(v->why, sizeof(v->why), why, ap);
	va_end(ap);
}

/* Identities that are made new where the old ones survive nowhere: the same on every run, and recognisable. */

const uint8_t vk_made_here[6] = {0x02, 'v', 'm', 'f', 's', 'k'};

void vk_lvm_fresh_uuid(struct vk_header_work *c, const char *what, uint32_t seconds, struct vk_vmfs_uuid *ret_uuid)
{
	enum { BEHIND_HEARTBEATS = 0x400000, PIECE_BYTES = 65536, DIGEST = SHA256_DIGEST_LENGTH };
	struct vk_vmfs_uuid_parts parts = {.timeLo = seconds};
	uint8_t piece[24 + PIECE_BYTES] = {0}, seed[DIGEST + 8 + 16] = {0}, digest[DIGEST];

	/* what tells this volume from others, and does not change when its headers are mended */
	if (c->fs_believed || c->volume_believed) {
		SHA256(c->fs_believed ? c->fs.volInfo.b : c->v0.uuid.b, sizeof(c->v0.uuid.b), seed);
	} else {
		vk_put_le64(piece, c->self.facts[VK_SELF_FILE_BLOCKS].value);
		vk_put_le64(piece + 8, c->self.facts[VK_SELF_FILE_BLOCK_SIZE].value);
		vk_put_le64(piece + 16, c->self.facts[VK_SELF_FIRST_TIME].value);
		if (!vk_work_get(c, vk_add_sat(c->sizes.offset.value, BEHIND_HEARTBEATS), piece + 24, PIECE_BYTES))
			memset(piece + 24, 0, PIECE_BYTES);
		SHA256(piece, sizeof(piece), seed);
	}
	vk_put_le64(seed + DIGEST, c->sizes.first.value);
	memcpy(seed + DIGEST + 8, what, vk_min_u64(strlen(what), 16));
	SHA256(seed, sizeof(seed), digest);
	parts.timeHi = vk_get_le32(digest);
	parts.rand = vk_get_le16(digest + 4);
	memcpy(parts.macAddr, vk_made_here, sizeof(parts.macAddr));
	vk_vmfs_uuid_encode(&parts, ret_uuid);
}

uint32_t vk_lvm_made_at(const struct vk_header_work *c, const char **ret_from)
{
	uint64_t volume = c->v0.creationTimeUS / 1000000;

	*ret_from = "creationTime of the file-system descriptor";
	if (c->fs_believed && c->fs.creationTime != 0)
		return c->fs.creationTime;
	*ret_from = "creationTimeUS of the volume descriptor";
	if (c->volume_believed && volume != 0 && vk_same_event(volume, vk_uuid_seconds(&c->v0.uuid)))
		return (uint32_t)volume;
	*ret_from = "initTimeUS of the device header";
	if (c->device_believed && vk_lvm_device_time_sound(&c->d0))
		return (uint32_t)(c->d0.initTimeUS / 1000000);
	*ret_from = "the system files";
	return (uint32_t)c->self.facts[VK_SELF_FIRST_TIME].value;
}
