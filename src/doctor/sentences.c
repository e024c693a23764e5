/* SPDX-License-Identifier: Apache-2.0 */
/* What is still there and what is lost, in sentences; the whole answer in one. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "base/shown.h"
#include "base/texts.h"
#include "doctor/doctor.h"

enum { SENTENCES_MAX = 256 };

/* How sure it is that nothing happened to a structure; the sentence that its name goes into. */
enum sureness { PROVED_BY_CAPTURE, PROVED_BY_CHECKSUM, CONSISTENT, CHANGED, SURENESSES };
static const char *const sure_words[SURENESSES] = {
	"intact, as captured", "intact, as their checksums prove",
	"plausible (all checks pass; not every byte can be verified)",
	"changed since the capture, as hosts and administrators do",
};

/* The stretches of one area, or of several of one kind in a row. */
struct group {
	const struct vk_area *first;
	size_t areas;
	uint64_t bytes[VK_DAMAGE_COUNT];
	uint64_t harm, first_wrong, last_wrong;
	size_t intruder;
};

/* Names with commas between them, of one subject and of one sureness. */
struct lines {
	struct vk_text text[SURENESSES];
	char words[SURENESSES][1200];
	size_t subject;
};

__attribute__((format(printf, 3, 4))) static void add_sentence(struct vk_doctor *doc, bool lost, const char *fmt, ...)
{
	struct vk_diagnosis *d = doc->d;
	va_list args;

	va_start(args, fmt);
	if ((lost ? d->lost_count : d->intact_count) < SENTENCES_MAX)
		vk_sentence_vadd(lost ? &d->lost : &d->intact, lost ? &d->lost_count : &d->intact_count, fmt, args);
	va_end(args);
}

static void tell_lost(struct vk_doctor *doc, const struct group *g)
{
	uint64_t all = 0;
	const char *how = "damaged", *by = "";
	unsigned long long first = vk_doctor_sector(doc, g->first_wrong), last = vk_doctor_sector(doc, g->last_wrong);

	for (size_t i = 0; i < VK_DAMAGE_COUNT; i++)
		all += g->bytes[i];
	if (g->bytes[VK_DAMAGE_DAMAGED] == g->harm && g->first->how != NULL) {
		how = g->first->how;
	} else if (g->bytes[VK_DAMAGE_ZERO] == g->harm) {
		how = "zeros";
	} else if (g->bytes[VK_DAMAGE_FOREIGN] > 0) {
		how = "overwritten by ";
		by = "another system";
		if (g->intruder < doc->find.foreign.count)
			by = doc->find.foreign.items[g->intruder].type;
	}
	if (first == last)
		add_sentence(doc, true, "%s: %s%s, sector %llu", g->first->what, how, by, first);
	else
		add_sentence(doc, true, "%s: %s%s, from sector %llu to %llu, %llu of %llu bytes", g->first->what, how,
			     by, first, last, (unsigned long long)g->harm, (unsigned long long)all);
}

static void flush(struct vk_doctor *doc, struct lines *l)
{
	for (size_t i = 0; i < SURENESSES; i++) {
		char of[64] = "";

		if (l->subject != SIZE_MAX && doc->source.kind == VK_SOURCE_DISK)
			snprintf(of, sizeof(of), ", of the volume at sector %llu",
				 vk_doctor_sector(doc, doc->subjects[l->subject].start_bytes));
		if (l->text[i].len_bytes > 0)
			add_sentence(doc, false, "%s%s: %s", sure_words[i], of, l->text[i].buf);
		l->text[i] = vk_text_in(l->words[i], sizeof(l->words[i]));
	}
}

static void tell_group(struct vk_doctor *doc, const struct group *g, struct lines *l)
{
	enum sureness sure;

	if (g->first == NULL)
		return;
	if (g->first->subject != l->subject) {
		flush(doc, l);
		l->subject = g->first->subject;
	}
	if (g->harm > 0) {
		tell_lost(doc, g);
	} else if (g->bytes[VK_DAMAGE_UNREADABLE] > 0) {
		add_sentence(doc, true, "%s: cannot be read", g->first->what);
	} else if (g->first->symbol[0] != '\0') {
		if (g->bytes[VK_DAMAGE_CHANGED] > 0)
			sure = CHANGED;
		else if (g->bytes[VK_DAMAGE_CONSISTENT] > 0)
			sure = CONSISTENT;
		else if (g->bytes[VK_DAMAGE_UNKNOWN] > 0 || g->bytes[VK_DAMAGE_INTACT] == 0)
			return;
		else
			sure = doc->known.found ? PROVED_BY_CAPTURE : PROVED_BY_CHECKSUM;
		vk_text_fmt(&l->text[sure], "%s%.*s%s", l->text[sure].len_bytes > 0 ? ", " : "",
			    (int)g->first->name_length, g->first->what, g->areas > 1 ? " and those behind it" : "");
	}
}

static void tell_areas(struct vk_doctor *doc)
{
	struct group g = {.first = NULL};
	const struct vk_area *last = NULL;
	struct lines *l = calloc(1, sizeof(*l));

	if (l == NULL)
		return;
	l->subject = SIZE_MAX;
	flush(doc, l);
	for (size_t i = 0; i < doc->stretch_count; i++) {
		const struct vk_stretch *s = &doc->stretches[i];
		const struct vk_area *a = s->area != SIZE_MAX ? &doc->areas[s->area] : NULL;

		if (a == NULL)
			continue;
		if (g.first != a && (g.first == NULL || g.first->subject != a->subject || g.first->kind != a->kind ||
				     (a->kind != VK_AREA_PE_TABLE && a->kind != VK_AREA_EMPTY))) {
			tell_group(doc, &g, l);
			g = (struct group){.first = a, .intruder = SIZE_MAX};
			last = NULL;
		}
		g.areas += a != last;
		last = a;
		if (vk_damage_is_harm(s->damage)) {
			if (g.harm == 0)
				g.first_wrong = s->offset_bytes;
			g.last_wrong = s->offset_bytes + s->length_bytes - 1;
			g.harm += s->length_bytes;
		}
		if (s->damage == VK_DAMAGE_FOREIGN && s->intruder != SIZE_MAX)
			g.intruder = s->intruder;
		g.bytes[s->damage] += s->length_bytes;
	}
	tell_group(doc, &g, l);
	flush(doc, l);
	free(l);
}

/* Rows of the table below that stand for a group of findings. */
enum { TABLE_OBJECTED = VK_F_COUNT, VOLUME_OBJECTED };

/* The first that applies is what the caller is told. */
static const struct {
	unsigned code;
	const char *words;
} headlines[] = {
	{VK_F_INCIDENT_STRIPES, "The array seems to be assembled in the wrong order"},
	{VK_F_INCIDENT_MEMBER, "The disk is a part of an array or pool, or its end belongs to one"},
	{VK_F_INCIDENT_FORMATTED, NULL},
	{VK_F_INCIDENT_INITIALISED, NULL},
	{VK_F_INCIDENT_UNREADABLE, "The disk does not deliver some of its sectors"},
	{VK_F_INCIDENT_METADATA_HIT, "File descriptors were overwritten"},
	{VK_F_INCIDENT_BLANKED, "A part of the disk was filled with zeros, including headers of the volume"},
	{VK_F_INCIDENT_TWO_VOLUMES, "LVM region and file system are of different volumes; which one belongs here is "
				    "not known"},
	{VK_F_INCIDENT_HEADER_LOST, "The LVM header or its tables are damaged"},
	{VK_F_INCIDENT_DESCRIPTOR_LOST, "The file-system descriptor is damaged"},
	{VK_F_INCIDENT_MAGIC_WIPED, "The few bytes by which systems recognise VMFS were wiped"},
	{VK_F_INCIDENT_TABLE_LOST, "The partition table is gone"},
	{VK_F_INCIDENT_SHRUNK, "The disk is shorter than what lies on it"},
	{VK_F_INCIDENT_TABLE_DAMAGED, "A part of the partition table is damaged"},
	{VK_F_INCIDENT_HEARTBEATS, "Heartbeat slots are damaged"},
	{VK_F_INCIDENT_LENGTH, "The LVM header and the partition table give the volume two lengths"},
	{VOLUME_OBJECTED, "The volume's headers contradict each other"},
	{TABLE_OBJECTED, "The partition table contradicts itself, the disk or a volume"},
	{VK_F_INCIDENT_UNNAMED, "A volume on the disk is listed in no partition"},
	{VK_F_INCIDENT_REMAINS, "Another system's signature lies in the volume, and may be older than it"},
	{VK_F_INCIDENT_OVERWRITTEN, "Sectors without a known use were overwritten"},
	{VK_F_LUNID_DESIGNATOR_CHANGED, "The volume was written for another LUN"},
	{VK_F_LUNID_KIND_CHANGED, "The LUN has another kind of name than the volume records"},
	{VK_F_LUNID_MODEL_CHANGED, "The LUN's product string is another one than the volume records"},
	{VK_F_INCIDENT_GROWN, "The LUN is longer than its partition table knows"},
	{VK_F_INCIDENT_PART, NULL},
	{VK_F_INCIDENT_ALIVE, "Nothing is damaged; a host is using the volume"},
};

/* Nothing but remarks: what is here is sound. */
static void put_part(const struct vk_doctor *doc, struct vk_text *text)
{
	vk_text_put(text, "This is ");
	vk_source_put_part(&doc->source, text);
	if (!vk_findings_bad(&doc->d->findings))
		vk_text_put(text, doc->subject_count > 0 ? ", and what is here is sound"
							 : ", and no VMFS volume was found in it");
}

/* ill: something wrong was said already. */
static void begin_headline(struct vk_doctor *doc, struct vk_text *text, bool ill)
{
	struct vk_text whose;
	char seen[61];

	for (size_t i = 0; i < sizeof(headlines) / sizeof(headlines[0]); i++) {
		unsigned code = headlines[i].code;
		const struct vk_finding *f =
			code < VK_F_COUNT ? vk_doctor_has(doc, (enum vk_finding_code)code) : NULL;

		if (f == NULL && !(code == TABLE_OBJECTED && doc->table_objected) &&
		    !(code == VOLUME_OBJECTED && doc->volume_objected))
			continue;
		if (code == VK_F_INCIDENT_BLANKED && !vk_doctor_has(doc, VK_F_INCIDENT_HEADER_LOST) &&
		    !vk_doctor_has(doc, VK_F_INCIDENT_DESCRIPTOR_LOST))
			continue;
		/* its label may be of any length, and is not cut within a character */
		whose = vk_text_in(seen, sizeof(seen));
		vk_text_put(&whose, f != NULL ? f->seen : "");
		if (code == VK_F_INCIDENT_TABLE_LOST && vk_table_signatures_lost(&doc->source.table))
			vk_text_put(text, "Only the signatures of the partition table are gone");
		else if (headlines[i].words != NULL)
			vk_text_put(text, headlines[i].words);
		else if (code == VK_F_INCIDENT_PART)
			put_part(doc, text);
		else if (code == VK_F_INCIDENT_INITIALISED)
			vk_text_fmt(text, "%s initialised the LUN", doc->windows ? "Windows" : "Another system");
		else
			vk_text_fmt(text, "Another system formatted it: %s", seen);
		return;
	}
	vk_text_put(text, doc->subject_count > 0 ? (ill ? "Nothing else wrong was found" : "Nothing wrong was found") :
			  doc->options->scan	     ? "No VMFS volume was found" :
						       "No VMFS volume was found at the likely places");
}

/* How the volumes came through it: the answer to the question that is asked first. */
static void end_headline(struct vk_doctor *doc, struct vk_text *text)
{
	bool in_order = doc->subject_count > 0 && !vk_doctor_has(doc, VK_F_INCIDENT_HEADER_LOST) &&
			!vk_doctor_has(doc, VK_F_INCIDENT_MAGIC_WIPED) &&
			!vk_doctor_has(doc, VK_F_INCIDENT_DESCRIPTOR_LOST) &&
			!vk_doctor_has(doc, VK_F_INCIDENT_METADATA_HIT);
	struct vk_harm harm;

	/* nothing is said of headers that could not be read, or not judged */
	for (size_t i = 0; i < doc->stretch_count; i++) {
		const struct vk_stretch *s = &doc->stretches[i];
		const struct vk_area *a = s->area != SIZE_MAX ? &doc->areas[s->area] : NULL;

		if (a != NULL && a->kind == VK_AREA_STRUCTURE && a->subject != SIZE_MAX &&
		    s->damage != VK_DAMAGE_INTACT && s->damage != VK_DAMAGE_CONSISTENT &&
		    s->damage != VK_DAMAGE_CHANGED)
			in_order = false;
	}
	if (vk_doctor_harm(doc, NULL, &harm)) {
		vk_text_put(text, " (at least ");
		vk_doctor_put_sectors(doc, &harm, text);
		vk_text_put(text, ")");
		if (in_order)
			vk_text_put(text, doc->subject_count == 1 ? ". The volume's headers are intact"
								   : ". The volumes' headers are intact");
	}
	if (doc->d->alive && doc->d->damaged)
		vk_text_put(text, ". A host is using it right now");
	if (vk_doctor_has(doc, VK_F_INCIDENT_PART) && strncmp(doc->d->headline, "This is ", 8) != 0) {
		vk_text_put(text, ". This is only ");
		vk_source_put_part(&doc->source, text);
	}
}

void vk_doctor_say(struct vk_doctor *doc)
{
	const struct vk_reading *best = doc->source.readings.items;
	const uint64_t worth_saying = 256ULL << 20;
	uint64_t rest = doc->source.size_bytes;
	struct vk_text text;
	bool ill;

	tell_areas(doc);
	/* a lost table may have named more than what lies at the likely places */
	for (size_t i = 0; i < doc->subject_count; i++)
		rest -= vk_min_u64(rest, doc->subjects[i].length_bytes);
	if (rest > worth_saying && !doc->options->scan && !doc->known.found &&
	    vk_doctor_has(doc, VK_F_INCIDENT_TABLE_LOST))
		add_sentence(doc, true, "not searched: %llu bytes outside of the volumes at the likely places; "
					"doctor --scan looks for others there", (unsigned long long)rest);
	for (size_t i = 0; i < doc->find.foreign.count && i < VK_INTRUDERS_MAX; i++)
		if (doc->certain[i] && strcmp(doc->find.foreign.items[i].type, "ceph_bluestore") != 0)
			add_sentence(doc, true, "data of the volume that %s overwrote: how much that is cannot be "
						"seen from here",
			    doc->find.foreign.items[i].type);
	text = vk_text_in(doc->d->headline, sizeof(doc->d->headline));
	/* a copy that lost bytes, a table that hosts do not see: something is wrong before anything else is */
	ill = vk_findings_have(&doc->source.findings, VK_F_SOURCE_SHIFTED, 0) ||
	      vk_findings_have(&doc->source.findings, VK_F_SOURCE_UNITS, 0);
	if (vk_doctor_first_piece(doc) != NULL)
		vk_text_fmt(&text, "This is a later piece of the split dump that begins with %s",
			    vk_shown_name(vk_doctor_first_piece(doc)).text);
	else if (!best->repairable)
		vk_text_fmt(&text, "This is %s%s", best->what,
			    vk_doctor_judges(doc) ? ". " : "");
	if (!vk_doctor_judges(doc))
		return;
	begin_headline(doc, &text, ill);
	end_headline(doc, &text);
}
