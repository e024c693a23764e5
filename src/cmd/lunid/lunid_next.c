/* SPDX-License-Identifier: Apache-2.0 */
/* vmfskit lunid: what ESX does about a volume and what can be done, each thing once, in the order of harm. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/screen.h"
#include "base/shown.h"
#include "cmd/lunid/lunid_run.h"
#include "report/columns.h"

enum { FILLED_BYTES = 2000 };

/* What was found of one volume, on which of its extents. */
struct said {
	enum vk_finding_code code;
	size_t extent;
	bool whole; /* of the volume, not of that extent */
};
struct volume {
	const struct lunid_run *run;
	struct said *items;
	size_t count;
	size_t extents; /* how many it has here */
	size_t first;   /* the first of them */
	size_t head;    /* the one that has the file system, else the first */
};

/* A remedy, filled in for an extent. */
struct filled {
	const struct vk_lunid_remedy *remedy;
	size_t extent;
	char what[FILLED_BYTES], command[FILLED_BYTES], set_back[FILLED_BYTES];
};

size_t vk_lunid_extent_of(const struct lunid_run *run, const struct vk_finding *finding)
{
	for (size_t i = 0; i < run->count; i++) {
		const struct vk_vmfs *v = vk_lunid_vmfs(&run->extents[i]);

		if (v->volume_count > 0 &&
		    strstr(finding->message, vk_vmfs_uuid_text(&v->volumes[0].volume.uuid).text) != NULL)
			return i;
	}
	return 0;
}

enum vk_lunid_mount vk_lunid_mount_here(const struct lunid_run *run, size_t index, struct vk_text *ret_why)
{
	return vk_lunid_may_mount(run->extents, run->count, index, &run->across, ret_why);
}

static bool same_volume(const struct lunid_run *run, size_t a, size_t b)
{
	const struct vk_vmfs *x = vk_lunid_vmfs(&run->extents[a]), *y = vk_lunid_vmfs(&run->extents[b]);

	return a == b || (x->volume_count > 0 && y->volume_count > 0 &&
			  vk_vmfs_uuid_equal(&x->volumes[0].volume.uuid, &y->volumes[0].volume.uuid));
}

/* Only what something is to be done about. */
static bool add_findings(struct volume *v, const struct vk_findings *list, size_t index)
{
	for (size_t i = 0; i < list->count; i++) {
		const bool whole = index >= v->run->count;
		const struct said one = {list->items[i].code,
					 whole ? vk_lunid_extent_of(v->run, &list->items[i]) : index, whole};

		if (vk_lunid_remedy(one.code, 0) != NULL && same_volume(v->run, v->first, one.extent) &&
		    vk_append(&v->items, &v->count, &one, sizeof(one)) == NULL)
			return false;
	}
	return true;
}

/* The volume that begins with this extent; false: an earlier one has it, or there is no memory. */
static bool gather(const struct lunid_run *run, size_t first, struct volume *ret_volume)
{
	struct volume v = {.run = run, .first = first, .head = first};
	bool whole = true;

	for (size_t i = 0; i < first; i++)
		if (same_volume(run, i, first))
			return false;
	for (size_t i = first; i < run->count && whole; i++) {
		if (!same_volume(run, i, first))
			continue;
		v.extents++;
		if (!vk_lunid_vmfs(&run->extents[v.head])->fs_usable)
			v.head = vk_lunid_vmfs(&run->extents[i])->fs_usable ? i : v.head;
		whole = add_findings(&v, &run->found[i], i);
	}
	whole = whole && add_findings(&v, &run->across, SIZE_MAX);
	*ret_volume = v;
	return whole;
}

static bool has(const struct volume *v, enum vk_finding_code code)
{
	for (size_t i = 0; i < v->count; i++)
		if (v->items[i].code == code)
			return true;
	return false;
}

/* What a release does: about the worst of the findings of which it is known. */
static const char *esx_does(const struct volume *v, size_t release)
{
	static const enum vk_finding_code worst_first[] = {
		VK_F_LUNID_CONFLICT,	       VK_F_LUNID_EXTENT_DOUBLED,     VK_F_LUNID_EXTENT_MISSING,
		VK_F_LUNID_RESIGNATURE_PENDING, VK_F_LUNID_DESIGNATOR_CHANGED, VK_F_LUNID_KIND_CHANGED,
		VK_F_LUNID_MODEL_CHANGED,      VK_F_LUNID_LUN_CHANGED,	      VK_F_LUNID_LENGTH_WRONG,
		VK_F_LUNID_RESIGNATURE_DONE};

	for (size_t i = 0; i < sizeof(worst_first) / sizeof(worst_first[0]); i++) {
		const char *const *esx = vk_lunid_esx(worst_first[i]);

		if (has(v, worst_first[i]) && esx != NULL && strcmp(esx[release], VK_LUNID_NOT_KNOWN) != 0)
			return esx[release];
	}
	return VK_LUNID_NOT_KNOWN;
}

static void put_esx(FILE *out, const struct volume *v)
{
	static const struct vk_column columns[] = {{""}, {"", .prose = true}};
	struct vk_columns table = VK_COLUMNS(columns);

	table.indent = 2;
	fputs("What ESX does by default\n", out);
	for (size_t i = 0; i < VK_LUNID_RELEASES; i++) {
		const char *does = esx_does(v, i);
		const size_t from = i;
		char of[40];

		while (i + 1 < VK_LUNID_RELEASES && strcmp(esx_does(v, i + 1), does) == 0)
			i++;
		if (i > from)
			snprintf(of, sizeof(of), "ESX %zu to %zu", from + VK_LUNID_RELEASE_FIRST,
				 i + VK_LUNID_RELEASE_FIRST);
		else
			snprintf(of, sizeof(of), "ESX %zu", from + VK_LUNID_RELEASE_FIRST);
		vk_columns_row(&table, (const char *const[]){of, does});
	}
	vk_columns_end(&table, out);
}

/* The extent with the heartbeats tells, but for what forbids it on any. */
static enum vk_lunid_mount put_mount(FILE *out, const struct volume *v)
{
	static const char *const verdicts[] = {"no", "not known to be safe", "nothing speaks against it"};
	char why[VK_LUNID_WHY_BYTES], other[VK_LUNID_WHY_BYTES];
	struct vk_text text = vk_text_in(why, sizeof(why));
	enum vk_lunid_mount verdict = vk_lunid_mount_here(v->run, v->head, &text);

	for (size_t i = v->first; i < v->run->count && verdict != VK_LUNID_MOUNT_NO; i++) {
		text = vk_text_in(other, sizeof(other));
		if (!same_volume(v->run, v->first, i) ||
		    vk_lunid_mount_here(v->run, i, &text) != VK_LUNID_MOUNT_NO)
			continue;
		verdict = VK_LUNID_MOUNT_NO;
		memcpy(why, other, sizeof(why));
	}
	fprintf(out, "Mounting by force, here and now: %s: %s\n", verdicts[verdict], why);
	return verdict;
}

static void fill(const char *text, const struct vk_lunid_extent *e, char ret_filled[FILLED_BYTES])
{
	struct vk_text t = vk_text_in(ret_filled, FILLED_BYTES);

	ret_filled[0] = '\0';
	if (text != NULL)
		vk_lunid_fill(text, e, &t);
}

static void fill_in(const struct volume *v, const struct vk_lunid_remedy *r, size_t extent, struct filled *ret_filled)
{
	const struct vk_lunid_extent *e = &v->run->extents[extent];

	ret_filled->remedy = r;
	ret_filled->extent = extent;
	fill(r->what, e, ret_filled->what);
	fill(r->command, e, ret_filled->command);
	fill(r->set_back, e, ret_filled->set_back);
}

static void put_lines(FILE *out, const char *text)
{
	while (*text != '\0') {
		size_t len = strcspn(text, "\n");

		vk_screen_paste(out, "     %.*s\n", (int)len, text);
		text += len + (text[len] == '\n');
	}
}

static void put_remedy(FILE *out, const struct volume *v, const struct filled *f, bool whole)
{
	fprintf(out, "   %s", f->remedy->on);
	if (v->extents > 1 && !whole && f->remedy->harm <= VK_LUNID_STORAGE)
		fprintf(out, ", for %s", vk_shown_name(v->run->extents[f->extent].source->path).text);
	fprintf(out, ": %s\n", f->what);
	put_lines(out, f->command);
	if (f->set_back[0] != '\0')
		fprintf(out, "   %s:\n",
			f->remedy->harm <= VK_LUNID_STORAGE ? "to take it back" : "afterwards, or to take it back");
	put_lines(out, f->set_back);
}

/* Each remedy of one degree of harm once; the heading before the first. */
static void put_degree(FILE *out, const struct volume *v, enum vk_lunid_harm harm, const char *heading)
{
	struct filled *seen = NULL, one;
	size_t count = 0;

	for (size_t i = 0; i < v->count; i++) {
		const struct vk_lunid_remedy *r;

		for (size_t n = 0; (r = vk_lunid_remedy(v->items[i].code, n)) != NULL; n++) {
			bool again = false;

			if (r->harm != harm)
				continue;
			fill_in(v, r, harm <= VK_LUNID_STORAGE ? v->items[i].extent : v->head, &one);
			for (size_t k = 0; k < count && !again; k++)
				again = seen[k].remedy == r && strcmp(seen[k].what, one.what) == 0 &&
					strcmp(seen[k].command, one.command) == 0 &&
					strcmp(seen[k].set_back, one.set_back) == 0;
			if (again)
				continue;
			if (count == 0)
				fputs(heading, out);
			put_remedy(out, v, &one, v->items[i].whole);
			if (vk_append(&seen, &count, &one, sizeof(one)) == NULL)
				break;
		}
	}
	free(seen);
}

static void put_volume(FILE *out, const struct volume *v)
{
	enum vk_lunid_mount mount;
	bool foreign = false;

	put_esx(out, v);
	mount = put_mount(out, v);
	fputs("Remedies, the least harm first\n", out);
	put_degree(out, v, VK_LUNID_LOOK, "Look first\n");
	put_degree(out, v, VK_LUNID_STORAGE,
		   "At the storage: this takes the LUN away from its hosts for a moment; stop what uses it first\n");
	for (size_t i = 0; i < v->count; i++)
		for (size_t n = 0; vk_lunid_remedy(v->items[i].code, n) != NULL; n++)
			foreign = foreign || vk_lunid_remedy(v->items[i].code, n)->harm == VK_LUNID_MOUNT;
	if (foreign && mount == VK_LUNID_MOUNT_NO)
		fputs("Mount by force: not as things are, see above\n", out);
	else
		put_degree(out, v, VK_LUNID_MOUNT, "Mount by force: the volume keeps its signature\n");
	put_degree(out, v, VK_LUNID_RESIGNATURE,
		   "New signature: UUID and label change, and every virtual machine on it must be registered again\n");
}

void vk_lunid_put_next(FILE *out, const struct lunid_run *run)
{
	bool several = false;

	for (size_t i = 1; i < run->count; i++)
		several = several || !same_volume(run, 0, i);
	for (size_t i = 0; i < run->count; i++) {
		struct volume v = {0};
		const struct vk_vmfs *vmfs = vk_lunid_vmfs(&run->extents[i]);

		if (gather(run, i, &v) && v.count > 0) {
			fputc('\n', out);
			if (several)
				fprintf(out, "The volume on %s, partition %u\n",
					vk_shown_name(run->extents[i].source->path).text, vmfs->partition);
			put_volume(out, &v);
		}
		free(v.items);
	}
}
