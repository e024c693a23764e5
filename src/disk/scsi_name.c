/* SPDX-License-Identifier: Apache-2.0 */
/* The names of a LUN: naa., mpx., vml. and the target's label, from and to a SCSI_DiskId. */
#include <string.h>

#include "base/bytes.h"
#include "base/hex_digit.h"
#include "disk/scsi_id_length.h"
#include "vmfskit/scsi_id.h"

/* Bytes of id without the characters of the model that types 1 and 2 append. */
static size_t identifier_bytes(const struct vk_scsi_disk_id *id)
{
	size_t len = vk_id_bytes(id);

	if (id->type != VK_SCSI_ID_SERIAL && id->type != VK_SCSI_ID_NAA)
		return len;
	return len > VK_SCSI_MODEL_TAIL_BYTES ? len - VK_SCSI_MODEL_TAIL_BYTES : 0;
}

static size_t without_blanks(const uint8_t *p, size_t len)
{
	while (len > 0 && (p[len - 1] == ' ' || p[len - 1] == 0))
		len--;
	return len;
}

void vk_scsi_disk_id_guid(const struct vk_scsi_disk_id *id, char ret_text[VK_SCSI_NAME_BYTES])
{
	size_t len = identifier_bytes(id);
	struct vk_text text = vk_text_in(ret_text, VK_SCSI_NAME_BYTES);

	if (id->type == VK_SCSI_ID_PATH || id->type == VK_SCSI_ID_SERIAL)
		vk_text_label(&text, id->id, without_blanks(id->id, len));
	else
		vk_text_hex(&text, id->id, len);
}

/* Decimal digits at *s, skipped; false when there are none. */
static bool skip_digits(const char **s)
{
	const char *start = *s;

	while (**s >= '0' && **s <= '9')
		(*s)++;
	return *s > start;
}

/*
 * ESX 4 and later record a path as vmhbaA:t:l, where the name says vmhbaA:C0:Tt:Ll. Writes that; false
 * when the path is not of the short form.
 */
static bool put_short_path(struct vk_text *text, const char *path)
{
	const char *target = path + 5;
	const char *lun;
	const char *end;

	if (strncmp(path, "vmhba", 5) != 0 || !skip_digits(&target) || *target != ':')
		return false;
	lun = ++target;
	if (!skip_digits(&lun) || *lun != ':')
		return false;
	end = ++lun;
	if (!skip_digits(&end) || *end != '\0')
		return false;
	vk_text_fmt(text, "%.*sC0:T%.*sL%s", (int)(target - path), path, (int)(lun - target), target,
		    lun);
	return true;
}

/* A part of a path: the letter that its long form has, then decimal digits; skipped. */
static bool skip_part(const char **s, char letter, const char **ret_digits)
{
	if (**s != letter)
		return false;
	*ret_digits = ++*s;
	return skip_digits(s);
}

void vk_scsi_disk_id_shorten(struct vk_scsi_disk_id *id)
{
	char path[VK_SCSI_ID_MAX + 1] = "";
	const char *end = path + 5;
	const char *channel, *target, *lun;
	struct vk_text text;
	int adapter_len;

	memcpy(path, id->id, vk_id_bytes(id));
	if (id->type != VK_SCSI_ID_PATH || strncmp(path, "vmhba", 5) != 0 || !skip_digits(&end))
		return;
	adapter_len = (int)(end - path);
	if (*end++ != ':' || !skip_part(&end, 'C', &channel) || *end++ != ':' || !skip_part(&end, 'T', &target) ||
	    *end++ != ':' || !skip_part(&end, 'L', &lun) || *end != '\0')
		return;
	memset(id->id, 0, sizeof(id->id));
	text = vk_text_in((char *)id->id, sizeof(id->id));
	vk_text_fmt(&text, "%.*s:%.*s:%s", adapter_len, path, (int)strspn(target, "0123456789"), target, lun);
	id->len = (uint8_t)text.len_bytes;
}

void vk_scsi_disk_id_name(const struct vk_scsi_disk_id *id, char ret_name[VK_SCSI_NAME_BYTES],
			  bool *ret_certain)
{
	char guid[VK_SCSI_NAME_BYTES];
	struct vk_text text;

	vk_scsi_disk_id_guid(id, guid);
	text = vk_text_in(ret_name, VK_SCSI_NAME_BYTES);
	*ret_certain = false;
	switch (id->type) {
	case VK_SCSI_ID_PATH:
		if (vk_scsi_disk_id_is_nil(id)) {
			vk_text_put(&text, "none");
			*ret_certain = true;
			return;
		}
		vk_text_put(&text, "mpx.");
		if (put_short_path(&text, guid))
			return;
		break;
	case VK_SCSI_ID_SERIAL:
		vk_text_put(&text, "serial ");
		break;
	case VK_SCSI_ID_NAA:
		*ret_certain = vk_naa_bytes(id) != 0 && identifier_bytes(id) == vk_naa_bytes(id);
		vk_text_put(&text, vk_naa_bytes(id) == 0 && vk_designator_bytes(id) != 0 ? "eui." : "naa.");
		break;
	default:
		vk_text_fmt(&text, "type %u ", id->type);
		break;
	}
	vk_text_put(&text, guid);
}

void vk_scsi_disk_id_vml(const struct vk_scsi_disk_id *id, char ret_name[VK_SCSI_NAME_BYTES])
{
	const uint8_t head[5] = {id->type, id->deviceType, (uint8_t)id->lun, (uint8_t)(id->lun >> 8), 0};
	struct vk_text text = vk_text_in(ret_name, VK_SCSI_NAME_BYTES);

	vk_text_put(&text, "vml.");
	vk_text_hex(&text, head, sizeof(head));
	vk_text_hex(&text, id->id, vk_id_bytes(id));
}

void vk_scsi_disk_id_label(const struct vk_scsi_disk_id *id, char ret_text[VK_SCSI_NAME_BYTES])
{
	const struct {
		const uint8_t *p;
		size_t len;
	} parts[] = {{id->vendor, sizeof(id->vendor)},
		     {id->model, sizeof(id->model)},
		     {id->revision, sizeof(id->revision)}};
	struct vk_text text = vk_text_in(ret_text, VK_SCSI_NAME_BYTES);

	for (size_t i = 0; i < 3; i++) {
		size_t len = without_blanks(parts[i].p, parts[i].len);

		if (len > 0 && text.len_bytes > 0)
			vk_text_put(&text, " ");
		vk_text_label(&text, parts[i].p, len);
	}
}

void vk_scsi_t10_name(const uint8_t *designator, size_t len, char ret_name[VK_SCSI_NAME_BYTES])
{
	struct vk_text text = vk_text_in(ret_name, VK_SCSI_NAME_BYTES);

	vk_text_put(&text, "t10.");
	for (size_t i = 0; i < len && designator[i] != 0; i++) {
		uint8_t c = designator[i];

		if ((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'))
			vk_text_fmt(&text, "%c", c);
		else if (c == ' ')
			vk_text_put(&text, "_");
		else
			vk_text_fmt(&text, "%02X", c);
	}
}

/* Hex digits up to a character that is none; returns bytes, or SIZE_MAX for an odd count or too many. */
static size_t parse_hex(const char *s, uint8_t *buf, size_t cap, const char **ret_end)
{
	size_t n = 0;

	while (vk_hex_digit(s[0]) >= 0) {
		if (n == cap || vk_hex_digit(s[1]) < 0)
			return SIZE_MAX;
		buf[n++] = vk_hex_byte(s);
		s += 2;
	}
	*ret_end = s;
	return n;
}

static bool parse_partition(const char *s, unsigned *ret_partition)
{
	unsigned n = 0;

	if (*s == '\0') {
		*ret_partition = 0;
		return true;
	}
	if (*s++ != ':' || *s == '\0')
		return false;
	for (; *s >= '0' && *s <= '9' && n < 1000; s++)
		n = n * 10 + (unsigned)(*s - '0');
	*ret_partition = n;
	return *s == '\0' && n > 0;
}

enum vk_status vk_scsi_vml_parse(const char *name, struct vk_scsi_disk_id *ret_id,
				 unsigned *ret_partition)
{
	uint8_t bytes[5 + VK_SCSI_ID_MAX];
	struct vk_scsi_disk_id id;
	const char *end = name;
	unsigned partition;
	size_t n;

	if (strncmp(name, "vml.", 4) != 0)
		return VK_DAMAGED;
	n = parse_hex(name + 4, bytes, sizeof(bytes), &end);
	if (n == SIZE_MAX || n < 1 || !parse_partition(end, &partition))
		return VK_DAMAGED;
	if (bytes[0] > VK_SCSI_ID_SYMM)
		return VK_UNSUPPORTED;
	if (n < 6)
		return VK_DAMAGED;
	memset(&id, 0, sizeof(id));
	id.type = bytes[0];
	id.deviceType = bytes[1];
	id.lun = vk_get_le16(bytes + 2);
	id.len = (uint8_t)(n - 5);
	memcpy(id.id, bytes + 5, n - 5);
	*ret_id = id;
	*ret_partition = partition;
	return VK_OK;
}


static void append_model_tail(struct vk_scsi_disk_id *id, size_t used, const char *tail)
{
	memset(id->id + used, ' ', VK_SCSI_MODEL_TAIL_BYTES);
	for (size_t i = 0; tail != NULL && i < VK_SCSI_MODEL_TAIL_BYTES && tail[i] != '\0'; i++)
		id->id[used + i] = (uint8_t)tail[i];
	id->len = (uint8_t)(used + VK_SCSI_MODEL_TAIL_BYTES);
}

enum vk_status vk_scsi_disk_id_from_name(const char *name, const char *model_tail, uint16_t lun,
					 struct vk_scsi_disk_id *ret_id)
{
	struct vk_scsi_disk_id id;
	const char *end;
	size_t n;

	memset(&id, 0, sizeof(id));
	id.lun = lun;
	if (strncmp(name, "naa.", 4) == 0) {
		id.type = VK_SCSI_ID_NAA;
		n = parse_hex(name + 4, id.id, 16, &end);
		if (n == SIZE_MAX || *end != '\0' || n == 0 || n != vk_naa_bytes(&id))
			return VK_USAGE;
		append_model_tail(&id, n, model_tail);
	} else if (strncmp(name, "mpx.", 4) == 0) {
		id.type = VK_SCSI_ID_PATH;
		n = strlen(name + 4);
		if (n == 0 || n > VK_SCSI_ID_MAX)
			return VK_USAGE;
		id.len = (uint8_t)n;
		memcpy(id.id, name + 4, n);
	} else if (strncmp(name, "serial ", 7) == 0) {
		id.type = VK_SCSI_ID_SERIAL;
		n = strlen(name + 7);
		if (n == 0 || n > VK_SCSI_ID_MAX - VK_SCSI_MODEL_TAIL_BYTES)
			return VK_USAGE;
		memcpy(id.id, name + 7, n);
		append_model_tail(&id, n, model_tail);
	} else {
		return VK_USAGE;
	}
	*ret_id = id;
	return VK_OK;
}
