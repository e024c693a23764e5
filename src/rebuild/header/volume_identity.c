/* SPDX-License-Identifier: Apache-2.0 */
/* Decides part by part which LVM volume this is. */
#include <string.h>

#include "base/bytes.h"
#include "base/hex_digit.h"
#include "evidence/lvm/belief.h"
#include "rebuild/header/volume_identity.h"

/* Bytes of a part in a UUID, and in its text; numbers are little-endian there and written from the top here. */
static const struct part {
	uint8_t at, len, text_at;
	bool number;
} parts[VK_UUID_PARTS] = {{0, 4, 0, true}, {4, 4, 9, true}, {8, 2, 18, true}, {10, 6, 23, false}};

enum { COPIES = 3, NAME = 0, UUID = 1, INFO = 2 };

struct copies {
	uint8_t bytes[COPIES][16];
	bool whole[COPIES][VK_UUID_PARTS]; /* only then a part has a vote */
	const uint8_t *text;               /* the name when it is, or was, the text of a UUID; NULL: it is none */
	struct {
		size_t count;
		uint8_t of[VK_IDENTITY_WITNESSES_MAX][6];
	} witnesses[VK_UUID_PARTS];        /* of the time and of the host, each in the form of its part */
};

/* What wiped or never written bytes look like is no vote. */
static bool votes(const uint8_t *bytes, size_t len)
{
	return !vk_all_bytes(bytes, len, 0xFF) && !vk_all_zero(bytes, len);
}

/* A digit as ESX writes it, -1 when it is none. */
static int digit(uint8_t c)
{
	return c >= 'A' && c <= 'F' ? -1 : vk_hex_digit((char)c);
}

static size_t byte_of_text(const struct part *p, size_t i)
{
	return p->number ? p->len - 1U - i : i;
}

/* One part of a name. */
static bool read_part(const uint8_t *name, const struct part *p, uint8_t *ret_bytes)
{
	for (size_t i = 0; i < p->len; i++) {
		int high = digit(name[p->text_at + 2 * i]), low = digit(name[p->text_at + 2 * i + 1]);

		if (high < 0 || low < 0)
			return false;
		ret_bytes[byte_of_text(p, i)] = (uint8_t)(high << 4 | low);
	}
	return true;
}

/* Whether some digit that can still be read in a part of the name is another than these bytes have. */
static bool clashes(const uint8_t *name, const struct part *p, const uint8_t *bytes)
{
	for (size_t i = 0; name != NULL && i < p->len; i++) {
		uint8_t b = bytes[byte_of_text(p, i)];
		int high = digit(name[p->text_at + 2 * i]), low = digit(name[p->text_at + 2 * i + 1]);

		if ((high >= 0 && high != b >> 4) || (low >= 0 && low != (b & 15)))
			return true;
	}
	return false;
}

static void read_copies(const struct vk_identity_sources *s, struct copies *ret_copies)
{
	const struct vk_vmfs_uuid *binary[COPIES] = {NULL, s->uuid, s->info};
	struct copies *c = ret_copies;

	*c = (struct copies){.witnesses[VK_UUID_TIME_LO].count = s->second_count,
			     .witnesses[VK_UUID_MAC].count = s->host_count};
	for (size_t i = 0; i < s->second_count; i++)
		vk_put_le32(c->witnesses[VK_UUID_TIME_LO].of[i], s->seconds[i]);
	for (size_t i = 0; i < s->host_count; i++)
		memcpy(c->witnesses[VK_UUID_MAC].of[i], s->hosts[i]->b + parts[VK_UUID_MAC].at, 6);
	if (s->name != NULL && (s->name[8] == '-') + (s->name[17] == '-') + (s->name[22] == '-') >= 2)
		c->text = s->name;
	for (size_t i = 0; i < COPIES; i++) {
		for (size_t k = 0; k < VK_UUID_PARTS; k++) {
			uint8_t *to = c->bytes[i] + parts[k].at;
			bool held = i == NAME ? s->name != NULL && read_part(s->name, &parts[k], to) :
				binary[i] != NULL;

			if (held && i != NAME)
				memcpy(to, binary[i]->b + parts[k].at, parts[k].len);
			c->whole[i][k] = held && votes(to, parts[k].len);
		}
	}
}

static bool agree(const struct copies *c, size_t a, size_t b, size_t part)
{
	return c->whole[a][part] && c->whole[b][part] &&
	       memcmp(c->bytes[a] + parts[part].at, c->bytes[b] + parts[part].at, parts[part].len) == 0;
}

/* Whether all that is drawn anew for every volume is whole in a copy, and other than the two others say. */
static bool differs_in_all(const struct copies *c, size_t copy)
{
	size_t a = copy == NAME ? UUID : NAME, b = copy == INFO ? UUID : INFO;

	for (size_t k = VK_UUID_TIME_LO; k <= VK_UUID_RAND; k++)
		if (!c->whole[copy][k] || (!c->whole[a][k] && !c->whole[b][k]) || agree(c, copy, a, k) ||
		    agree(c, copy, b, k))
			return false;
	return true;
}

/* Whether two times are close by, or two hosts the same. */
static bool near(size_t part, const uint8_t *a, const uint8_t *b)
{
	return part == VK_UUID_TIME_LO ? vk_same_event(vk_get_le32(a), vk_get_le32(b)) :
					 memcmp(a, b, parts[part].len) == 0;
}

/* Witnesses that name exactly this time or host, and those that name one close by. */
static unsigned count_witnesses(const struct copies *c, size_t part, const uint8_t *bytes, unsigned *ret_near)
{
	unsigned equal = 0;

	*ret_near = 0;
	for (size_t i = 0; i < c->witnesses[part].count; i++) {
		equal += memcmp(c->witnesses[part].of[i], bytes, parts[part].len) == 0;
		*ret_near += near(part, c->witnesses[part].of[i], bytes);
	}
	return equal;
}

/* What speaks for the value that a copy has. */
struct voice {
	unsigned copies, equal, near; /* copies that have it; witnesses that name it, or a time close by */
	bool name;                    /* the text says so, too: no damage makes text and bytes wrong alike */
	unsigned against;             /* witnesses that agree on something else, or what can be read of the text */
};

/* The most witnesses that agree on another host, or on a time that is not close by: of times at least two. */
static unsigned contrary(const struct copies *c, size_t part, const uint8_t *bytes)
{
	unsigned most = 0, ignored;

	for (size_t i = 0; i < c->witnesses[part].count; i++) {
		const uint8_t *other = c->witnesses[part].of[i];
		unsigned n = near(part, other, bytes) ? 0 : count_witnesses(c, part, other, &ignored);

		if (n > most && (part == VK_UUID_MAC || n >= 2))
			most = n;
	}
	return most;
}

/* That part alone of the name was wiped, and these bytes may have lost some in the same way. */
static bool wiped_alike(const struct copies *c, size_t part, const uint8_t *bytes)
{
	size_t len = parts[part].len;
	const uint8_t *text;
	bool other = false;

	for (size_t k = 0; k < VK_UUID_PARTS; k++)
		other = other || (k != part && c->whole[NAME][k]);
	if (c->text == NULL || !other || c->whole[NAME][part])
		return false;
	text = c->text + parts[part].text_at;
	return (memchr(text, 0, 2 * len) != NULL && memchr(bytes, 0, len) != NULL) ||
	       (memchr(text, 0xFF, 2 * len) != NULL && memchr(bytes, 0xFF, len) != NULL);
}

static struct voice hear(const struct copies *c, size_t part, size_t copy)
{
	const uint8_t *bytes = c->bytes[copy] + parts[part].at;
	struct voice v = {.name = copy == NAME || agree(c, NAME, copy, part)};

	for (size_t i = 0; i < COPIES; i++)
		v.copies += i == copy || agree(c, i, copy, part);
	v.equal = count_witnesses(c, part, bytes, &v.near);
	/*
	 * the volume may be some seconds older than what lies in it: the same second proves nothing beside a single
	 * copy
	 */
	if (part == VK_UUID_TIME_LO && v.copies < 2) {
		v.near += v.equal;
		v.equal = 0;
	}
	v.against = contrary(c, part, bytes);
	if (v.against == 0 && !c->whole[NAME][part] &&
	    (clashes(c->text, &parts[part], bytes) || wiped_alike(c, part, bytes)))
		v.against = 1;
	return v;
}

/*
 * Two of three decide, unless these are bytes of one form that one damage may have hit alike; then witnesses must help.
 * So must they where two bits lie between both values (apart): one flipped bit in each of the three copies looks like
 * that, too.
 */
static enum vk_part_proof weigh(const struct voice *best, const struct voice *next, unsigned apart)
{
	unsigned lead = best->copies + best->equal + (best->name && best->copies >= 2 && apart != 2);
	unsigned behind = next->copies + next->equal;
	bool sure;

	if (next->equal < best->against) /* else these witnesses are counted already */
		behind += best->against;
	sure = best->name && apart != 2 ? behind <= 1 : behind == 0;
	if ((best->copies >= 2 || best->equal >= 2) && lead > behind && (sure || lead - behind >= 2))
		return VK_PART_PROVED;
	if (lead > behind || (lead == behind && best->equal == 0 && best->near > next->near))
		return VK_PART_LIKELY;
	return VK_PART_OPEN;
}

static bool louder(const struct voice *a, const struct voice *b)
{
	unsigned of_a = a->copies + a->equal, of_b = b->copies + b->equal;

	return of_a > of_b || (of_a == of_b && a->near > b->near);
}

static enum vk_part_proof decide_part(const struct copies *c, size_t part, size_t *ret_copy)
{
	struct voice best = {0}, next = {0};
	const uint8_t *is = NULL, *other = NULL;
	unsigned apart = 0;

	for (size_t i = 0; i < COPIES; i++) {
		const uint8_t *bytes = c->bytes[i] + parts[part].at;
		struct voice v;

		if (!c->whole[i][part] || (is != NULL && agree(c, i, *ret_copy, part)))
			continue;
		v = hear(c, part, i);
		if (louder(&v, &best)) {
			next = best;
			other = is;
			best = v;
			is = bytes;
			*ret_copy = i;
		} else if (louder(&v, &next)) {
			next = v;
			other = bytes;
		}
	}
	if (is == NULL)
		return VK_PART_OPEN;
	for (size_t i = 0; other != NULL && i < parts[part].len; i++)
		apart += (unsigned)__builtin_popcount(is[i] ^ other[i]);
	return weigh(&best, &next, apart);
}

static void silence(struct copies *c, size_t copy)
{
	memset(c->whole[copy], 0, sizeof(c->whole[copy]));
	if (copy == NAME)
		c->text = NULL;
}

/* How many of these times are of the same event. */
static size_t same_times(const uint32_t *seconds, size_t count, uint32_t time)
{
	size_t n = 0;

	for (size_t i = 0; i < count; i++)
		n += vk_same_event(seconds[i], time);
	return n;
}

/*
 * Whether volInfo is of another volume: the descriptor around it was made at the same time, and either nothing of it is
 * what the LVM region says, or the times of that region agree on another one. Damage to volInfo alone does neither.
 */
static bool info_foreign(const struct vk_identity_sources *s, const struct copies *c)
{
	uint32_t own = vk_get_le32(c->bytes[UUID]), info = vk_get_le32(c->bytes[INFO]);
	size_t lvm = s->second_count - s->fs_seconds;
	size_t near = c->whole[INFO][VK_UUID_TIME_LO] ? same_times(s->seconds + lvm, s->fs_seconds, info) : 0;

	return (near >= 1 && differs_in_all(c, INFO)) ||
	       (near >= 2 && agree(c, NAME, UUID, VK_UUID_TIME_LO) && !vk_same_event(own, info) &&
		same_times(s->seconds, lvm, own) >= 2);
}

/* Whether volInfo has a part of the UUID, or the host of the volume, that is not there by chance. */
static bool related(const struct copies *c)
{
	unsigned hosts;

	(void)count_witnesses(c, VK_UUID_MAC, c->bytes[INFO] + parts[VK_UUID_MAC].at, &hosts);
	if (c->whole[INFO][VK_UUID_MAC] && hosts > 0)
		return true;
	for (size_t k = 0; k < VK_UUID_PARTS; k++)
		if (k != VK_UUID_RAND && (agree(c, INFO, NAME, k) || agree(c, INFO, UUID, k)))
			return true;
	return false;
}

void vk_volume_identity_decide(const struct vk_identity_sources *sources, struct vk_volume_identity *ret_identity)
{
	struct vk_volume_identity *id = ret_identity;
	const struct vk_identity_sources *s = sources;
	struct copies c;

	memset(id, 0, sizeof(*id));
	if (s->uuid != NULL)
		id->uuid = *s->uuid;
	read_copies(s, &c);
	if (s->info_doubtful && !related(&c))
		silence(&c, INFO);
	id->info_foreign = info_foreign(s, &c);
	if (id->info_foreign) {
		silence(&c, INFO);
		c.witnesses[VK_UUID_TIME_LO].count -= s->fs_seconds;
		c.witnesses[VK_UUID_MAC].count -= s->fs_hosts;
	} else if (differs_in_all(&c, NAME)) {
		silence(&c, NAME);
	}
	id->named_otherwise = true;
	for (size_t k = 0; k < VK_UUID_PARTS; k++) {
		size_t from = NAME;

		id->proof[k] = decide_part(&c, k, &from);
		if (id->proof[k] != VK_PART_OPEN)
			memcpy(id->uuid.b + parts[k].at, c.bytes[from] + parts[k].at, parts[k].len);
		id->uuid_differs[k] = s->uuid != NULL && memcmp(s->uuid->b + parts[k].at, id->uuid.b + parts[k].at,
							       parts[k].len) != 0;
		id->name_reads[k] = c.whole[NAME][k];
		id->name_differs[k] = clashes(c.text, &parts[k], id->uuid.b + parts[k].at);
		if (k != VK_UUID_RAND && c.whole[NAME][k] &&
		    memcmp(c.bytes[NAME] + parts[k].at, id->uuid.b + parts[k].at, parts[k].len) == 0)
			id->named_otherwise = false;
	}
}

void vk_volume_identity_fill(struct vk_volume_identity *identity, const struct vk_vmfs_uuid *uuid)
{
	for (size_t k = 0; k < VK_UUID_PARTS; k++) {
		if (identity->proof[k] != VK_PART_OPEN || !votes(uuid->b + parts[k].at, parts[k].len))
			continue;
		memcpy(identity->uuid.b + parts[k].at, uuid->b + parts[k].at, parts[k].len);
		identity->proof[k] = VK_PART_LIKELY;
	}
}

enum vk_part_proof vk_volume_identity_proof(const struct vk_volume_identity *identity)
{
	enum vk_part_proof least = VK_PART_PROVED;

	for (size_t k = 0; k < VK_UUID_PARTS; k++)
		least = identity->proof[k] < least ? identity->proof[k] : least;
	return least;
}

enum vk_part_proof vk_volume_identity_put(const struct vk_volume_identity *identity, enum vk_part_proof least,
					  struct vk_vmfs_uuid *io_uuid)
{
	enum vk_part_proof weakest = VK_PART_PROVED;

	for (size_t k = 0; k < VK_UUID_PARTS; k++) {
		uint8_t *to = io_uuid->b + parts[k].at;
		const uint8_t *from = identity->uuid.b + parts[k].at;
		bool changes = identity->proof[k] >= least && memcmp(to, from, parts[k].len) != 0;

		if (changes)
			memcpy(to, from, parts[k].len);
		if ((changes || identity->proof[k] == VK_PART_OPEN) && identity->proof[k] < weakest)
			weakest = identity->proof[k];
	}
	return weakest;
}
