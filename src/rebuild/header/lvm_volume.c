/* SPDX-License-Identifier: Apache-2.0 */
/* What the fields of the volume descriptor should say. */
#include <inttypes.h>
#include <string.h>

#include "base/bytes.h"
#include "rebuild/header/header_work.h"

static void name_of(const struct vk_vmfs_uuid *uuid, uint8_t ret_name[64])
{
	memset(ret_name, 0, 64);
	memcpy(ret_name, vk_vmfs_uuid_text(uuid).text, VK_VMFS_UUID_TEXT_BYTES);
}

/* Whether some text is left of it. */
static bool has_text(const uint8_t name[64])
{
	for (size_t i = 0; i < 64; i++)
		if (name[i] > 0x20 && name[i] < 0x7F)
			return true;
	return false;
}

/* Whether it is text and nothing but zeros behind it. */
static bool plain_text(const uint8_t name[64])
{
	size_t len = 0;

	while (len < 64 && name[len] >= 0x20 && name[len] < 0x7F)
		len++;
	return len > 0 && vk_all_zero(name + len, 64 - len);
}

static void add_second(struct vk_identity_sources *s, uint64_t seconds)
{
	enum { YEAR_2000 = 946684800 };

	if (seconds >= YEAR_2000 && seconds < UINT32_MAX)
		s->seconds[s->second_count++] = (uint32_t)seconds;
}

static void add_host(struct vk_identity_sources *s, const struct vk_vmfs_uuid *uuid)
{
	if (!vk_all_zero(uuid->b + 10, 6))
		s->hosts[s->host_count++] = uuid;
}

/* Who the volume is, by a descriptor (of one that is not believed, what stands there; NULL: none) and all others. */
static void decide_identity(struct vk_header_work *c, const struct vk_lvm_volume *raw)
{
	const struct vk_fs_descriptor *fs = c->fs_believed ? &c->fs : &c->doubtful;
	const struct vk_self_fact *first = &c->self.facts[VK_SELF_FIRST_TIME];
	struct vk_identity_sources sources = {.info = &fs->volInfo, .info_doubtful = !c->fs_believed}, *s = &sources;

	if (raw != NULL) {
		s->name = raw->name;
		s->uuid = &raw->uuid;
		add_second(s, c->v0.creationTimeUS / 1000000);
	}
	if (c->device_believed || vk_lvm_device_time_sound(&c->d0)) {
		add_second(s, c->d0.initTimeUS / 1000000);
		if (!vk_uuid_made_here(&c->d0.devID)) {
			add_second(s, vk_uuid_seconds(&c->d0.devID));
			add_host(s, &c->d0.devID);
		}
	}
	/* which is also what the descriptor's time of creation is mended from */
	if (first->sure >= VK_SELF_LIKELY)
		add_second(s, first->value);
	s->fs_seconds = s->second_count;
	s->fs_hosts = s->host_count;
	add_second(s, fs->creationTime);
	if (!vk_uuid_made_here(&fs->uuid)) {
		add_second(s, vk_uuid_seconds(&fs->uuid));
		add_host(s, &fs->uuid);
	}
	s->fs_seconds = s->second_count - s->fs_seconds;
	s->fs_hosts = s->host_count - s->fs_hosts;
	vk_volume_identity_decide(s, &c->identity);
}

/* What could not be settled between the copies. */
static void tell_identity(struct vk_header_work *c)
{
	const struct vk_volume_identity *id = &c->identity;
	bool same_info = c->fs_believed && vk_vmfs_uuid_equal(&c->fs.volInfo, &c->v.uuid);
	uint8_t name[64];

	if (id->info_foreign && c->v.state != VK_LVM_RESIG_PENDING && c->v.state != VK_LVM_RESIG_DONE)
		vk_work_lost(c, "LVM region and file system are of different volumes, and each is whole: one of them "
				"does not belong here. Compare both with captures; nothing was made to fit.");
	name_of(&c->v.uuid, name);
	if (id->info_foreign || vk_volume_identity_proof(id) == VK_PART_PROVED ||
	    ((memcmp(name, c->v.name, sizeof(name)) == 0 || id->named_otherwise) && (same_info || !c->fs_believed)))
		return;
	if (same_info)
		vk_work_lost(c, "the name of the LVM volume is another UUID than uuid and volInfo of the file-system "
				"descriptor, which agree; one damage may have hit both alike: it stays.");
	else
		vk_work_lost(c, "name, uuid and the file system name different volumes, and which is right is not "
				"known: what is not proved is left as it is.");
}

/*
 * A name that has a part of the UUID is its text; else it may be one that somebody chose, and what is left of it stays.
 * Of a part that is not proved the name may still be right when it reads as something else; when it does not read, it
 * is damaged. And where a guess goes into the uuid, it goes into all copies, or the next repair would take them for
 * witnesses against this one.
 */
static void mend_name(struct vk_header_work *c)
{
	const struct vk_volume_identity *id = &c->identity;
	enum vk_part_proof proof = vk_volume_identity_proof(id);
	/* a descriptor that is made new names the volume by its uuid, and then the name is wrong */
	bool made_new = !c->fs_believed && c->sizes.first.value == 0;
	bool guess = made_new;
	uint8_t name[64];

	for (size_t k = 0; k < VK_UUID_PARTS; k++)
		guess = guess || (id->proof[k] == VK_PART_LIKELY && id->uuid_differs[k]);
	for (size_t k = 0; k < VK_UUID_PARTS; k++)
		if (id->name_differs[k] && !made_new &&
		    (id->proof[k] == VK_PART_OPEN || (id->proof[k] == VK_PART_LIKELY && !guess && id->name_reads[k])))
			return;
	if (proof == VK_PART_OPEN && !made_new)
		return;
	if (id->named_otherwise && has_text(c->v.name)) {
		if (!plain_text(c->v.name))
			vk_work_lost(c, "the name of the LVM volume cannot be read, and it may have been another text "
					"than its UUID: left as it is.");
		return;
	}
	name_of(&id->uuid, name);
	vk_mend_bytes(&c->volume, "name", name,
		      vk_origin_if(proof == VK_PART_PROVED && (!id->named_otherwise || c->fs_believed),
				   VK_FIELD_COMPUTED),
		      "the UUID, each part as most of name, uuid and volInfo have it");
}

static void mend_identity(struct vk_header_work *c)
{
	struct vk_volume_identity *id = &c->identity;
	struct vk_vmfs_uuid uuid = c->v.uuid;
	bool proved;

	decide_identity(c, &c->v);
	proved = vk_volume_identity_put(id, VK_PART_LIKELY, &uuid) == VK_PART_PROVED;
	vk_mend_bytes(&c->volume, "uuid", &uuid, vk_origin_if(proved, VK_FIELD_COPY),
		      proved ? "each part as two of name, uuid and volInfo of the file-system descriptor have it"
			     : "the copy that time or host of the volume confirm");
	mend_name(c);
	tell_identity(c);
}

/*
 * Whether the volume has got a new UUID since the capture: volInfo stands, and all that is drawn anew with a UUID (its
 * time, clock and random number) differs. Damage leaves some of it.
 */
static bool renamed_since(const struct vk_header_work *c, const struct vk_vmfs_uuid *then)
{
	const uint8_t *now = c->fs.volInfo.b;

	return c->fs_believed && !vk_vmfs_uuid_is_nil(&c->fs.volInfo) && memcmp(now, then->b, 4) != 0 &&
	       memcmp(now + 4, then->b + 4, 4) != 0 && memcmp(now + 8, then->b + 8, 2) != 0;
}

/* The descriptor is lost: what is left of it, of volInfo and of captures tells, and the rest is made new. */
static void make_identity(struct vk_header_work *c)
{
	struct vk_volume_identity *id = &c->identity;
	bool told = !vk_vmfs_uuid_is_nil(&c->v.uuid); /* by another extent, or a capture */
	const struct vk_lvm_volume *earlier = c->earlier != NULL ? &c->earlier->volumes[0].volume : NULL;
	enum vk_field_origin origin = VK_FIELD_USUAL;
	const char *from = "volInfo of the file-system descriptor, the one copy that is left";
	struct vk_vmfs_uuid fresh;
	uint8_t name[64];
	uint32_t seconds;

	if (earlier != NULL && renamed_since(c, &earlier->uuid)) {
		vk_work_note(c, "the file-system descriptor names another volume than %s: it was resignatured since, "
				"and its UUID is not taken from there.", c->capture->name);
		earlier = NULL;
	}
	/* a capture of before any other change still shows the same volume */
	decide_identity(c, told ? &c->v : earlier != NULL ? earlier : &c->v0);
	if (told) {
		tell_identity(c);
		return;
	}
	/* a part that is proved is one of this volume; of bytes that are no identity none is */
	if (earlier == NULL && id->proof[VK_UUID_TIME_LO] != VK_PART_PROVED &&
	    id->proof[VK_UUID_TIME_HI] != VK_PART_PROVED && id->proof[VK_UUID_MAC] != VK_PART_PROVED)
		decide_identity(c, NULL);
	/*
	 * times and hosts stay when a resignature draws a new UUID: that they speak against the one copy left does not
	 * make it wrong
	 */
	if (c->fs_believed)
		vk_volume_identity_fill(id, &c->fs.volInfo);
	if (vk_volume_identity_proof(id) == VK_PART_OPEN) {
		origin = VK_FIELD_FRESH;
		seconds = vk_lvm_made_at(c, &from);
		from = "made new";
		vk_lvm_fresh_uuid(c, "volume", seconds != 0 ? seconds : 1, &fresh);
		vk_volume_identity_fill(id, &fresh);
		vk_work_lost(c, "the UUID of the LVM volume is lost in part: the lost parts were made new.");
	} else if (vk_volume_identity_proof(id) == VK_PART_PROVED) {
		origin = VK_FIELD_COPY;
		from = "two copies of it that are left";
	}
	vk_mend_bytes(&c->volume, "uuid", &id->uuid, origin, "%s", from);
	name_of(&id->uuid, name);
	vk_mend_bytes(&c->volume, "name", name, vk_origin_if(origin == VK_FIELD_COPY, VK_FIELD_COMPUTED), "%s", from);
}

static void make_times(struct vk_header_work *c)
{
	const char *from;
	uint32_t made = vk_lvm_made_at(c, &from);
	uint64_t us = (made != 0 ? made : 1) * 1000000ULL;

	if (c->v.creationTimeUS == 0) {
		vk_mend_number(&c->volume, "creationTimeUS", us, VK_FIELD_FRESH, "%s; the microseconds are lost", from);
		vk_mend_number(&c->volume, "modTimeUS", us, VK_FIELD_FRESH, "%s", from);
		vk_work_lost(c, "the exact times of the volume descriptor are lost: new ones were made.");
	} else if (c->v.modTimeUS == 0) {
		/* told by the other extents, which have a time of change of their own */
		vk_mend_number(&c->volume, "modTimeUS", c->v.creationTimeUS, VK_FIELD_FRESH, "creationTimeUS");
		vk_work_lost(c, "when the volume descriptor was last changed (modTimeUS) is lost: it becomes the "
				"time of its making.");
	}
}

/* Nothing tells the microseconds of a time that is wrong; it harms no reader and stays. */
static void judge_times(struct vk_header_work *c)
{
	const struct vk_lvm_volume *v = &c->v;
	uint64_t created = v->creationTimeUS / 1000000, init = c->d0.initTimeUS / 1000000;
	bool has_init = c->device_believed && init == vk_uuid_seconds(&c->d0.devID);

	/* after a resignature the UUID is newer, and the time still that of the device */
	if (!vk_same_event(created, vk_uuid_seconds(&v->uuid)) && !(has_init && vk_same_event(created, init)) &&
	    !(c->fs_believed && vk_same_event(created, c->fs.creationTime)))
		vk_work_lost(c, "creationTimeUS of the volume cannot be right, and its microseconds have no copy: "
				"left as it is.");
	if (v->modTimeUS / 1000000 > UINT32_MAX || v->modTimeUS / 1000000 + 60 < v->creationTimeUS / 1000000)
		vk_work_lost(c, "modTimeUS of the volume cannot be right, and it has no copy: left as it is.");
}

static void mend_extents(struct vk_header_work *c)
{
	const struct vk_lvm_sizes *z = &c->sizes;
	const char *from = z->volume.from;
	enum vk_field_origin origin = vk_origin_if(z->volume.proved, VK_FIELD_COMPUTED);
	uint64_t end = z->first.value + z->volume.value;
	struct vk_mending *v = &c->volume;

	if (z->pes_open)
		return;
	vk_mend_voted(v, "numPEs", &z->volume, VK_FIELD_COMPUTED);
	vk_mend_voted(v, "firstPE", &z->first, VK_FIELD_COMPUTED);
	vk_mend_number(v, "lastPE", end - 1, vk_origin_if(z->first.proved, origin), "%s", from);
	if (z->several_open) {
		vk_work_lost(c, "whether the volume has other extents is not known: numDevs is %u and logicalSize "
				"%" PRIu64 "; left as they are.", c->v.numDevs, c->v.logicalSize);
	} else if (!z->several) {
		vk_mend_number(v, "logicalSize", z->volume.value * VK_LVM_PE_BYTES, vk_origin_if(z->one_proved, origin),
			       "%s", from);
		vk_mend_number(v, "numDevs", 1, vk_origin_if(z->one_proved, VK_FIELD_COMPUTED),
			       "the volume has no other extents");
	} else if (c->sibling == NULL && (c->v.numDevs < 2 || c->v.numDevs > VK_LVM_SD_ENTRIES)) {
		vk_work_lost(c, "the volume has other extents; only they show how many: name them.");
	} else if (c->sibling == NULL && (c->v.logicalSize % VK_LVM_PE_BYTES != 0 ||
					  c->v.logicalSize / VK_LVM_PE_BYTES < end)) {
		vk_work_lost(c, "the volume has other extents; only they show its whole size: name them.");
	}
}

struct vk_ballot vk_lvm_volume_id(struct vk_header_work *c)
{
	const struct vk_majority *table = &c->survey.volume_id;
	struct vk_tally t = {0};

	vk_tally_add(&t, c->volume_believed, c->v0.volumeID, 1, "volumeID");
	vk_tally_add(&t, table->lead > 0, table->value, table->lead > 1 ? 2 : 1, "the PE table");
	vk_tally_add(&t, vk_lvm_one_volume(c), 0, 1, "one volume on the device"); /* an index */
	return vk_tally_best(&t, c->v0.volumeID, "");
}

void vk_lvm_volume_mend(struct vk_header_work *c)
{
	const struct vk_lvm_sizes *z = &c->sizes;
	struct vk_mending *v = &c->volume;
	struct vk_ballot id;
	bool snapped = c->fs_believed && c->fs.volInfoSnapID == c->fs.snapID && c->fs.snapID == 1;

	if (v->rebuilt) {
		make_identity(c);
		make_times(c);
	} else {
		mend_identity(c);
		judge_times(c);
	}
	mend_extents(c);
	if (snapped || !vk_told32(c->v.snapID))
		vk_mend_number(v, "snapID", 1, vk_origin_if(snapped, VK_FIELD_COPY), "%s",
			       snapped ? "snapID and volInfo of the file-system descriptor" : "every header seen");
	if (c->v.state > VK_LVM_SENTINEL || c->v.state == VK_LVM_INVALID)
		vk_mend_number(v, "state", VK_LVM_NORMAL, VK_FIELD_USUAL, "the state of every volume in use");
	id = vk_lvm_volume_id(c);
	vk_mend_number(v, "volumeID", id.value, vk_origin_if(id.proved, VK_FIELD_COPY),
		       "the PE table, and the place of the descriptor");
	if (c->six && !z->pes_open)
		vk_mend_voted(v, "consumedPEs", &z->entries, VK_FIELD_COMPUTED);
	else if (!c->six && !z->pes_open && c->v.consumedPEs > z->volume.value)
		vk_work_lost(c, "consumedPEs of the volume cannot be right, and it has no copy: left as it is.");
	if (v->rebuilt && c->v.generation == 0)
		vk_mend_number(v, "generation", (c->six ? z->entries.value : z->volume.value) + 1, VK_FIELD_USUAL,
			       "PE table entries + 1 after one creation");
}
