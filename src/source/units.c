/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A table that counts in sectors of another size than the device has. One that counts 4096 on a device of 512 was made
 * where the LUN had another block size, and hosts do not see it. One that counts 512 on a device of 4096 is what ESXi
 * makes there: it reads such devices in sectors of 512 bytes by software (4Kn SWE, VMware vSphere 6.7 and later).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "source/survey.h"
#include "vol/table_parts.h"

/* What speaks for a table in sectors of that size; empty: nothing that a checksum or a volume's own header proves. */
struct proof {
	enum vk_table_kind kind;
	bool certain; /* two that agree */
	char text[300];
};

static void prove_gpt(struct vk_survey *survey, const struct vk_table *t, struct proof *ret)
{
	bool both = t->gpt[0].sound && t->gpt[1].sound &&
		    vk_guid_equal(&t->gpt[0].header.diskGUID, &t->gpt[1].header.diskGUID);
	uint64_t begins = UINT64_MAX; /* a volume that begins where the table says */

	for (size_t i = 0; i < t->partition_count && begins == UINT64_MAX; i++) {
		uint64_t start = vk_mul_sat(t->partitions[i].start_sector, t->sector_size);

		if (vk_partition_is_vmfs(&t->partitions[i]) &&
		    vk_lvm_header_at(survey->io, vk_add_sat(start, VK_LVM_HEADER_OFFSET)))
			begins = start;
	}
	ret->kind = VK_TABLE_GPT;
	ret->certain = both || begins != UINT64_MAX;
	snprintf(ret->text, sizeof(ret->text), "%s of the GPT fit their checksums in sectors of %u bytes%s",
		 both ? "both copies" : t->gpt_chosen == 0 ? "header and entries at the beginning"
							   : "header and entries at the end",
		 t->sector_size, begins == UINT64_MAX ? ""
				     : vk_phrase(", and a volume begins where it says, at byte %llu",
						 (unsigned long long)begins).text);
}

static struct proof prove_table(struct vk_survey *survey, uint32_t sector_size)
{
	struct proof proof = {.kind = VK_TABLE_NONE};
	struct vk_table table;

	survey->status = vk_table_read(survey->io, sector_size, true, NULL, &table, survey->err);
	if (survey->status != VK_OK)
		return proof;
	if (table.kind == VK_TABLE_GPT && table.gpt_chosen >= 0 && table.gpt[table.gpt_chosen].sound) {
		prove_gpt(survey, &table, &proof);
	} else if (table.kind == VK_TABLE_MBR && vk_mbr_counts_in(survey->io, &table.mbr, sector_size)) {
		proof.kind = VK_TABLE_MBR;
		proof.certain = true;
		snprintf(proof.text, sizeof(proof.text),
			 "its partitions of VMFS begin where volumes do, and none is shorter than its volume, in "
			 "sectors of %u bytes", sector_size);
	}
	vk_table_free(&table);
	return proof;
}

void vk_look_at_units(struct vk_survey *survey)
{
	uint32_t own = survey->sector_size, other = own == 512 ? 4096 : 512;
	struct vk_reading r = {.kind = VK_READING_UNITS, .weight = VK_WEIGHT_COPY, .sector_size = other};
	struct vk_shell_word path;
	struct vk_command line;
	struct proof proof;
	char *text;

	/* a file has no sectors of its own: it is read in those that its table counts in */
	if (own == 0 || survey->sector_size_by_hand || prove_table(survey, own).kind != VK_TABLE_NONE ||
	    survey->status != VK_OK)
		return;
	proof = prove_table(survey, other);
	if (survey->status != VK_OK || proof.kind == VK_TABLE_NONE)
		return;
	r.sure = proof.certain ? VK_SURE_CERTAIN : VK_SURE_LIKELY;
	if (other < own)
		snprintf(r.what, sizeof(r.what),
			 "a disk whose %s counts sectors of %u bytes, as ESXi has it on devices with sectors of %u "
			 "(4Kn, SWE)",
			 proof.kind == VK_TABLE_GPT ? "GPT" : "MBR", other, own);
	else
		snprintf(r.what, sizeof(r.what),
			 "a disk whose %s counts sectors of %u bytes, and the device has sectors of %u, so hosts %s",
			 proof.kind == VK_TABLE_GPT ? "GPT" : "MBR", other, own,
			 proof.kind == VK_TABLE_GPT ? "do not see it" : "look in other places than it means");
	snprintf(r.evidence, sizeof(r.evidence), "%s", proof.text);
	path = vk_shell_path(survey->path);
	vk_command_begin(&line, "");
	vk_put_losetup(&line, &(struct vk_loop){.device = path.text, .sector_size = other});
	text = vk_command_end(&line);
	snprintf(r.attach, sizeof(r.attach), "%s", text != NULL ? text : "");
	free(text);
	if (!vk_survey_add(survey, &r))
		return; /* the status says it */
}
