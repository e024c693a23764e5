/* SPDX-License-Identifier: Apache-2.0 */
/* The diagnosis from end to end. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/shown.h"
#include "base/texts.h"
#include "doctor/doctor.h"

static bool open_source(struct vk_doctor *doc, struct vk_io *io)
{
	struct vk_source_options options = {.sector_size = doc->options->sector_size, .view = doc->options->view};

	if (io == NULL)
		doc->status = vk_source_open(doc->path, &options, &doc->source, doc->err);
	options.as = VK_SOURCE_DISK;
	if (io != NULL) {
		doc->status = vk_source_open_io(io, doc->path, VK_FORM_RAW, &options, &doc->source, doc->err);
	} else if (doc->status == VK_USAGE) {
		/* where two readings fit equally, it is the whole disk that a person names on the phone */
		doc->status = vk_source_open(doc->path, &options, &doc->source, doc->err);
		doc->either = doc->status == VK_OK;
	}
	doc->opened = doc->status == VK_OK;
	if (doc->opened)
		doc->status = vk_source_refuse_container(&doc->source, doc->err);
	if (doc->status != VK_OK || doc->source.kind == VK_SOURCE_DISK || doc->source.kind == VK_SOURCE_PARTITION)
		return doc->status == VK_OK;
	doc->status = vk_error_set(doc->err, VK_USAGE, doc->path,
				   "this is a %s, and a diagnosis needs a disk or a partition",
				   vk_source_kind_name(doc->source.kind));
	vk_error_remedy(doc->err, "vmfskit decode shows what is in it");
	return false;
}

/* Starts that the capture knows are looked at first. */
static bool search(struct vk_doctor *doc)
{
	struct vk_find_options options = doc->options->find;
	const struct vk_known_capture *known = &doc->known;
	struct vk_find_hint *hints = calloc(known->found ? known->capture.identity_count + 1 : 1, sizeof(*hints));

	if (hints == NULL)
		return vk_doctor_fail(doc, VK_NOMEM, "no memory for the places to look at");
	options.hints = hints;
	options.hint_count = known->found ? known->capture.identity_count : 0;
	for (size_t i = 0; i < options.hint_count; i++)
		hints[i] = (struct vk_find_hint){known->capture.identities[i].start_sector,
						 known->capture.identities[i].sectors, known->capture.id};
	options.likely_only = !doc->options->scan;
	doc->status = vk_find(&doc->source, &options, &doc->find, doc->err);
	free(hints);
	return doc->status == VK_OK;
}

static void fill_volume(const struct vk_doctor *doc, const struct vk_subject *s, struct vk_diagnosed_volume *out)
{
	const struct vk_vmfs *own = &doc->source.vmfs[s->vmfs];
	const struct vk_vmfs *fs = own->fs_usable || s->fs_magic_only || s->was == NULL ? own : s->was;
	const struct vk_vmfs *lv = own->volume_count > 0 || s->was == NULL ? own : s->was;
	bool certain;

	out->partition = s->named ? own->partition : 0;
	out->start_bytes = s->start_bytes;
	out->length_bytes = s->length_bytes;
	out->named = s->named;
	out->alive = s->alive;
	if (lv->volume_count > 0)
		vk_vmfs_uuid_format(&lv->volumes[0].volume.uuid, out->volume_uuid);
	if (own->lvm_usable && !vk_scsi_disk_id_is_nil(&own->lvm.diskID))
		vk_vmfs_lun_name(own, out->disk_id, &certain);
	else if (s->lvm_known && !vk_scsi_disk_id_is_nil(&s->lvm.diskID))
		vk_scsi_disk_id_name(&s->lvm.diskID, out->disk_id, &certain);
	if (!fs->fs_usable && !s->fs_magic_only)
		return;
	vk_vmfs_uuid_format(&fs->fs.uuid, out->fs_uuid);
	vk_fs_version_name(&fs->fs, out->fs_version);
	vk_label_into(out->label, sizeof(out->label), fs->fs.fsLabel, sizeof(fs->fs.fsLabel));
}

static bool examine(struct vk_doctor *doc, struct vk_io *io)
{
	struct vk_diagnosis *d = doc->d;

	if (!open_source(doc, io))
		return false;
	vk_doctor_find_capture(doc);
	if (doc->status != VK_OK || !search(doc) || !vk_doctor_add_subjects(doc) || !vk_doctor_plan_areas(doc) ||
	    !vk_doctor_survey(doc) || !vk_doctor_blame(doc))
		return false;
	for (size_t i = 0; i < doc->subject_count; i++)
		vk_doctor_look_for_stripes(doc, &doc->subjects[i]);
	if (!vk_doctor_listen(doc))
		return false;
	vk_doctor_find_wipes(doc);
	d->path = strdup(doc->path);
	d->size_bytes = doc->source.size_bytes;
	d->sector_size = doc->source.sector_size;
	d->kind = doc->source.kind;
	d->volumes = calloc(doc->subject_count + 1, sizeof(*d->volumes));
	d->source = calloc(1, sizeof(*d->source));
	if (d->path == NULL || d->volumes == NULL || d->source == NULL)
		return vk_doctor_fail(doc, VK_NOMEM, "no memory for the diagnosis");
	for (size_t i = 0; i < doc->subject_count; i++)
		fill_volume(doc, &doc->subjects[i], &d->volumes[d->volume_count++]);
	return true;
}

enum vk_status vk_diagnose(struct vk_io *io, const char *path, const struct vk_doctor_options *options,
			   struct vk_diagnosis *ret_diagnosis, struct vk_error *err)
{
	struct vk_diagnosis d = {0};
	struct vk_doctor *doc = calloc(1, sizeof(*doc));
	struct vk_error own = {.status = VK_OK};
	enum vk_status status;

	if (doc == NULL) {
		vk_io_close(io);
		return vk_no_memory(err, path);
	}
	doc->path = path;
	doc->options = options;
	doc->d = &d;
	doc->err = err != NULL ? err : &own;
	if (examine(doc, io)) {
		vk_doctor_report_reading(doc);
		if (vk_doctor_judges(doc)) {
			vk_doctor_ask_identity(doc);
			vk_doctor_name_incidents(doc);
			vk_doctor_take_over(doc);
		}
		vk_doctor_draw(doc);
		vk_doctor_say(doc);
		vk_doctor_advise(doc);
		d.bad = vk_findings_bad(&d.findings) != 0;
		d.foreign = doc->find.foreign;
		doc->find.foreign = (struct vk_foreigners){0};
		*d.source = doc->source;
		doc->opened = false;
	}
	status = doc->status;
	for (size_t i = 0; i < doc->area_count; i++) {
		free(doc->areas[i].expected);
		free(doc->areas[i].undo);
	}
	free(doc->areas);
	free(doc->stretches);
	vk_find_free(&doc->find);
	vk_known_capture_close(&doc->known);
	if (doc->opened)
		vk_source_close(&doc->source);
	free(doc);
	if (status == VK_OK)
		*ret_diagnosis = d;
	else
		vk_diagnosis_free(&d);
	return status;
}

void vk_diagnosis_free(struct vk_diagnosis *d)
{
	free(d->path);
	vk_findings_free(&d->findings);
	free(d->ranges);
	for (size_t i = 0; i < d->volume_count; i++) {
		if (d->volumes[i].hits != NULL)
			vk_fs_hits_free(&d->volumes[i].hits->found);
		free(d->volumes[i].hits);
	}
	free(d->volumes);
	vk_foreigners_free(&d->foreign);
	vk_sentences_free(&d->intact, &d->intact_count);
	vk_sentences_free(&d->lost, &d->lost_count);
	for (size_t i = 0; i < d->advice_count; i++)
		free(d->advice[i].command);
	free(d->advice);
	free(d->again);
	if (d->source != NULL)
		vk_source_close(d->source);
	free(d->source);
	memset(d, 0, sizeof(*d));
}

enum vk_status vk_diagnosis_assemble(struct vk_diagnosis *diagnoses, size_t count,
				     const struct vk_finding_sink *sink, struct vk_error *err)
{
	struct vk_source *sources = calloc(count + 1, sizeof(*sources));
	struct vk_volume *volumes;
	size_t volume_count;
	enum vk_status status;

	if (sources == NULL)
		return vk_no_memory(err, NULL);
	/* only looked at: what they own stays with the diagnoses */
	for (size_t i = 0; i < count; i++)
		sources[i] = *diagnoses[i].source;
	status = vk_volumes_assemble(sources, count, sink, &volumes, &volume_count, err);
	if (status == VK_OK) {
		status = vk_doctor_name_files(diagnoses, count, volumes, volume_count, err);
		vk_volumes_free(volumes, volume_count);
	}
	free(sources);
	return status;
}
