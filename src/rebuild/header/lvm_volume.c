/* SPDX-License-Identifier: Apache-2.0 */
/* What the fields of the volume descriptor should say. */
#include <string.h>

#include "base/bytes.h"
#include "rebuild/header/lvm_case.h"

static void name_of(const struct vk_vmfs_uuid *uuid, uint8_t ret_name[64])
{
	char text[VK_VMFS_UUID_TEXT_BYTES];

	memset(ret_name, 0, 64);
	vk_vmfs_uuid_format(uuid, text);
	memcpy(ret_name, text, sizeof(text));
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

/* Of a descriptor that is not believed, raw is what stands there. */
static void ask_identity(struct vk_lvm_case *c, const struct vk_lvm_volume *raw,
			 struct vk_identity_sources *ret_sources)
{
	const struct vk_fs_descriptor *fs = c->fs_believed ? &c->fs : &c->doubtful;
	const struct vk_self_fact *first = &c->work->self.facts[VK_SELF_FIRST_TIME];
	struct vk_identity_sources *s = ret_sources;

	*s = (struct vk_identity_sources){0};
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
	s->info = &fs->volInfo;
	s->info_doubtful = !c->fs_believed;
	s->fs_seconds = s->second_count;
	s->fs_hosts = s->host_count;
	add_second(s, fs->creationTime);
	if (!vk_uuid_made_here(&fs->uuid)) {
		add_second(s, vk_uuid_seconds(&fs->uuid));
		add_host(s, &fs->uuid);
	}
	s->fs_seconds = s->second_count - s->fs_seconds;
	s->fs_hosts = s->host_count - s->fs_hosts;
}

static bool resignature(const struct vk_lvm_case *c)
{
	return c->v.state == VK_LVM_RESIG_PENDING || c->v.state == VK_LVM_RESIG_DONE;
}

static bool copies_differ(const struct vk_lvm_case *c)
{
	uint8_t name[64];

	name_of(&c->v.uuid, name);
	return (memcmp(name, c->v.name, sizeof(name)) != 0 && !c->work->identity.named_otherwise) ||
		(c->fs_believed && !vk_vmfs_uuid_equal(&c->fs.volInfo, &c->v.uuid));
}

/* What could not be settled between the copies. */
static void tell_identity(struct vk_lvm_case *c)
{
	const struct vk_volume_identity *id = &c->work->identity;

	if (id->info_foreign && !resignature(c))
		vk_work_lost(c->work, "LVM region and file system are of different volumes, and each is whole: one of "
				      "them does not belong here. Compare both with captures; nothing was made to "
				      "fit.");
	if (id->info_foreign || vk_volume_identity_proof(id) == VK_PART_PROVED || !copies_differ(c))
		return;
	if (c->fs_believed && vk_vmfs_uuid_equal(&c->fs.volInfo, &c->v.uuid))
		vk_work_lost(c->work, "The name of the LVM volume is another UUID than uuid and volInfo of the "
				      "file-system descriptor, which agree; that one damage hit both alike cannot be "
				      "excluded: it stays.");
	else
		vk_work_lost(c->work, "Name, uuid and the file system name different volumes, and it cannot be told "
				      "which is right: what is not proved is left as it is.");
}

/*
 * A name that has a part of the UUID is its text; else it may be one that somebody chose, and what is left of it stays.
 * Of a part that is not proved the name may still be right when it reads as something else; when it does not read, it
 * is damaged. And where a guess goes into the uuid, it goes into all copies, or the next repair would take them for
 * witnesses against this one.
 */
static void mend_name(struct vk_lvm_case *c)
{
	const struct vk_volume_identity *id = &c->work->identity;
	enum vk_part_proof proof = vk_volume_identity_proof(id);
	/* a descriptor that is made new names the volume by its uuid, and then the name is wrong */
	bool made_new = !c->fs_believed && c->sizes.first_pe == 0;
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
			vk_work_lost(c->work, "The name of the LVM volume cannot be read, and it may have been another "
					      "text than its UUID: left as it is.");
		return;
	}
	name_of(&id->uuid, name);
	vk_mend_bytes(&c->volume, "name", name,
		      vk_origin_if(proof == VK_PART_PROVED && (!id->named_otherwise || c->fs_believed),
				   VK_FIELD_COMPUTED),
		      "the UUID, each part as most of name, uuid and volInfo have it");
}

static void mend_identity(struct vk_lvm_case *c)
{
	struct vk_volume_identity *id = &c->work->identity;
	struct vk_vmfs_uuid uuid = c->v.uuid;
	struct vk_identity_sources s;
	enum vk_part_proof proof;

	ask_identity(c, &c->v, &s);
	vk_volume_identity_decide(&s, id);
	proof = vk_volume_identity_put(id, VK_PART_LIKELY, &uuid);
	vk_mend_bytes(&c->volume, "uuid", &uuid, vk_origin_if(proof == VK_PART_PROVED, VK_FIELD_COPY),
		      proof == VK_PART_PROVED ? "each part as two of name, uuid and volInfo of the file-system "
						"descriptor have it"
					      : "the copy that time or host of the volume speak for");
	mend_name(c);
	tell_identity(c);
}

/* A part that is proved is one of this volume; of bytes that are no identity none is. */
static bool left_of_it(const struct vk_volume_identity *id)
{
	return id->proof[VK_UUID_TIME_LO] == VK_PART_PROVED || id->proof[VK_UUID_TIME_HI] == VK_PART_PROVED ||
	       id->proof[VK_UUID_MAC] == VK_PART_PROVED;
}

/*
 * Whether the volume has got a new UUID since the capture: volInfo stands, and all that is drawn anew with a UUID (its
 * time, clock and random number) differs. Damage leaves some of it.
 */
static bool renamed_since(const struct vk_lvm_case *c, const struct vk_vmfs_uuid *then)
{
	const uint8_t *now = c->fs.volInfo.b;

	return c->fs_believed && !vk_vmfs_uuid_is_nil(&c->fs.volInfo) && memcmp(now, then->b, 4) != 0 &&
	       memcmp(now + 4, then->b + 4, 4) != 0 && memcmp(now + 8, then->b + 8, 2) != 0;
}

/* The descriptor is lost: what is left of it, of volInfo and of captures tells, and the rest is made new. */
static void make_identity(struct vk_lvm_case *c)
{
	struct vk_volume_identity *id = &c->work->identity;
	bool told = !vk_vmfs_uuid_is_nil(&c->v.uuid); /* by another extent, or a capture */
	const struct vk_lvm_volume *earlier = c->earlier != NULL ? &c->earlier->volumes[0].volume : NULL;
	enum vk_field_origin origin = VK_FIELD_USUAL;
	struct vk_identity_sources s;
	struct vk_vmfs_uuid fresh;
	uint8_t name[64];
	const char *from;
	uint32_t seconds = vk_lvm_made_at(c, &from);

	if (earlier != NULL && renamed_since(c, &earlier->uuid)) {
		vk_work_note(c->work, "The file-system descriptor names another volume than %s: it was resignatured "
				      "since, and its UUID is not taken from there.", c->capture->name);
		earlier = NULL;
	}
	/* a capture of before any other change still shows the same volume */
	ask_identity(c, told ? &c->v : earlier != NULL ? earlier : &c->v0, &s);
	vk_volume_identity_decide(&s, id);
	if (!told && earlier == NULL && !left_of_it(id)) {
		ask_identity(c, NULL, &s);
		vk_volume_identity_decide(&s, id);
	}
	if (told) {
		tell_identity(c);
		return;
	}
	/*
	 * times and hosts stay when a resignature draws a new UUID: that they speak against the one copy left does not
	 * make it wrong
	 */
	if (c->fs_believed)
		vk_volume_identity_fill(id, &c->fs.volInfo);
	if (vk_volume_identity_proof(id) == VK_PART_OPEN) {
		origin = VK_FIELD_FRESH;
		vk_lvm_fresh_uuid(c, "volume", seconds != 0 ? seconds : 1, &fresh);
		vk_volume_identity_fill(id, &fresh);
		vk_work_lost(c->work, "The UUID of the LVM volume survives nowhere as a whole: what is lost of it was "
				      "made new.");
	} else if (vk_volume_identity_proof(id) == VK_PART_PROVED) {
		origin = VK_FIELD_COPY;
	}
	from = origin == VK_FIELD_FRESH ? "made new" : origin == VK_FIELD_COPY ? "two copies of it that are left" :
	       "volInfo of the file-system descriptor, the one copy that is left";
	vk_mend_bytes(&c->volume, "uuid", &id->uuid, origin, "%s", from);
	name_of(&id->uuid, name);
	vk_mend_bytes(&c->volume, "name", name, vk_origin_if(origin == VK_FIELD_COPY, VK_FIELD_COMPUTED), "%s", from);
}

static void make_times(struct vk_lvm_case *c)
{
	const char *from;
	uint32_t made = vk_lvm_made_at(c, &from);
	uint64_t us = (made != 0 ? made : 1) * 1000000ULL;

	/* of a capture, or of the other extents, which have a time of change of their own */
	if (c->v.creationTimeUS != 0) {
		if (c->v.modTimeUS == 0) {
			vk_mend_number(&c->volume, "modTimeUS", c->v.creationTimeUS, VK_FIELD_FRESH, "creationTimeUS");
			vk_work_lost(c->work, "When the volume descriptor was last changed (modTimeUS) survives "
					      "nowhere: it becomes the time of its making.");
		}
		return;
	}
	vk_mend_number(&c->volume, "creationTimeUS", us, VK_FIELD_FRESH,
		       "%s; the microseconds are lost", from);
	vk_mend_number(&c->volume, "modTimeUS", us, VK_FIELD_FRESH, "%s", from);
	vk_work_lost(c->work, "The times of the volume descriptor survive nowhere to the microsecond: new ones were "
			      "made.");
}

/* Nothing tells the microseconds of a time that is wrong; it harms no reader and stays. */
static void judge_times(struct vk_lvm_case *c)
{
	const struct vk_lvm_volume *v = &c->v;
	uint64_t created = v->creationTimeUS / 1000000, init = c->d0.initTimeUS / 1000000;
	bool has_init = c->device_believed && init == vk_uuid_seconds(&c->d0.devID);

	/* after a resignature the UUID is newer, and the time still that of the device */
	if (!vk_same_event(created, vk_uuid_seconds(&v->uuid)) && !(has_init && vk_same_event(created, init)) &&
	    !(c->fs_believed && vk_same_event(created, c->fs.creationTime)))
		vk_work_lost(c->work, "creationTimeUS of the volume cannot be right, and nothing else tells its "
				      "microseconds: left as it is.");
	if (v->modTimeUS / 1000000 > UINT32_MAX || v->modTimeUS / 1000000 + 60 < v->creationTimeUS / 1000000)
		vk_work_lost(c->work, "modTimeUS of the volume cannot be right, and nothing else tells it: left as it "
				      "is.");
}

static void mend_extents(struct vk_lvm_case *c)
{
	const struct vk_lvm_sizes *z = &c->sizes;
	const char *from = z->volume_pes_from;
	enum vk_field_origin origin = vk_origin_if(z->volume_proved, VK_FIELD_COMPUTED);
	struct vk_mending *v = &c->volume;

	if (z->pes_open)
		return;
	vk_mend_number(v, "numPEs", z->volume_pes, origin, "%s", from);
	vk_mend_number(v, "firstPE", z->first_pe, vk_origin_if(z->first_proved, VK_FIELD_COMPUTED), "%s",
		       z->first_from);
	vk_mend_number(v, "lastPE", z->first_pe + z->volume_pes - 1, vk_origin_if(z->first_proved, origin), "%s", from);
	if (z->several_open) {
		vk_work_lost(c->work, "Whether the volume has other extents cannot be told: numDevs is %u and "
				      "logicalSize %llu; left as they are.", c->v.numDevs,
				      (unsigned long long)c->v.logicalSize);
	} else if (!z->several) {
		vk_mend_number(v, "logicalSize", z->volume_pes * VK_LVM_PE_BYTES, vk_origin_if(z->one_proved, origin),
			       "%s", from);
		vk_mend_number(v, "numDevs", 1, vk_origin_if(z->one_proved, VK_FIELD_COMPUTED),
			       "the volume has no other extents");
	} else if (c->sibling == NULL && (c->v.numDevs < 2 || c->v.numDevs > VK_LVM_SD_ENTRIES)) {
		vk_work_lost(c->work, "The volume has other extents; how many is told only by these: give them.");
	} else if (c->sibling == NULL && (c->v.logicalSize % VK_LVM_PE_BYTES != 0 ||
					  z->logical_pes < z->first_pe + z->volume_pes)) {
		vk_work_lost(c->work, "The volume has other extents; its whole size is told only by these: give them.");
	}
}

uint32_t vk_lvm_volume_id(const struct vk_lvm_case *c, bool *ret_proved)
{
	const struct vk_majority *table = &c->survey.volume_id;
	const struct vk_ballot *best;
	struct vk_tally t = {0};

	if (c->volume_believed)
		vk_tally_add(&t, c->v0.volumeID, 1, "volumeID");
	if (table->lead > 0)
		vk_tally_add(&t, table->value, table->lead > 1 ? 2 : 1, "the PE table");
	if (vk_lvm_one_volume(c)) /* an index */
		vk_tally_add(&t, 0, 1, "one volume on the device");
	best = vk_tally_best(&t);
	*ret_proved = best != NULL && vk_tally_proves(&t, best->value);
	return best != NULL ? (uint32_t)best->value : c->v0.volumeID;
}

static void mend_rest(struct vk_lvm_case *c)
{
	struct vk_mending *v = &c->volume;
	bool proved;
	uint32_t id = vk_lvm_volume_id(c, &proved);
	bool snapped = c->fs_believed && c->fs.volInfoSnapID == c->fs.snapID && c->fs.snapID == 1;

	if (snapped || !vk_told32(c->v.snapID))
		vk_mend_number(v, "snapID", 1, vk_origin_if(snapped, VK_FIELD_COPY), "%s",
			       snapped ? "snapID and volInfo of the file-system descriptor" : "every header seen");
	if (c->v.state > VK_LVM_SENTINEL || c->v.state == VK_LVM_INVALID)
		vk_mend_number(v, "state", VK_LVM_NORMAL, VK_FIELD_USUAL,
			       "the state of every volume in use");
	vk_mend_number(v, "volumeID", id, vk_origin_if(proved, VK_FIELD_COPY),
		       "the PE table, and the place of the descriptor");
	if (c->six && !c->sizes.pes_open)
		vk_mend_number(v, "consumedPEs", c->sizes.entries,
			       vk_origin_if(c->sizes.entries_proved, VK_FIELD_COMPUTED),
			       "entries of the PE table");
	else if (!c->six && !c->sizes.pes_open && c->v.consumedPEs > c->sizes.volume_pes)
		vk_work_lost(c->work, "consumedPEs of the volume cannot be right, and nothing else tells it: left as "
				      "it is.");
	if (v->rebuilt && c->v.generation == 0)
		vk_mend_number(v, "generation", (c->six ? c->sizes.entries : c->sizes.volume_pes) + 1, VK_FIELD_USUAL,
			       "PE table entries + 1 after one creation");
}

void vk_lvm_volume_mend(struct vk_lvm_case *c)
{
	if (c->volume.rebuilt) {
		make_identity(c);
		make_times(c);
	} else {
		mend_identity(c);
		judge_times(c);
	}
	mend_extents(c);
	mend_rest(c);
}
