/* SPDX-License-Identifier: Apache-2.0 */
/* The judge of LUN ids: which names can be compared, what a difference says, what of it ESX does, and the remedies. */
#include "disk_support.h"
#include "vmfskit/lunid.h"
#define NAA16 "naa.600144f07ed404000000496ff8cd0003"
#define OTHER16 "naa.600144f07ed404000000496ff8cd0004"
#define NAA8 "naa.5005076719d163d8"
#define EUI "eui.0025385b71b0aaaa"

static void names(void **state)
{
	static const struct {
		const char *recorded, *live;
		enum vk_lun_relation relation;
	} rows[] = {
		{NAA16, NAA16, VK_LUN_SAME},
		{NAA16, "NAA.600144F07ED404000000496FF8CD0003", VK_LUN_SAME},
		{NAA16, OTHER16, VK_LUN_OTHER},
		{NAA8, "naa.5005076719d163d9", VK_LUN_OTHER},
		/* each may be a name of the same LUN */
		{NAA8, NAA16, VK_LUN_OTHER_LENGTH},
		{NAA16, EUI, VK_LUN_NOT_COMPARABLE},
		{NAA16, "t10.ATA     Disk", VK_LUN_NOT_COMPARABLE},
		{NAA16, "", VK_LUN_NOT_COMPARABLE},
		{"", "", VK_LUN_NOT_COMPARABLE},
		{"serial S1", "t10.ATA     Disk S1", VK_LUN_NOT_COMPARABLE},
		{"serial S1", "serial S1", VK_LUN_SAME},
		{"serial S1", "serial S2", VK_LUN_OTHER},
		/* inferred: no evidence for another LUN */
		{EUI, EUI, VK_LUN_SAME},
		{EUI, "eui.0025385b71b0bbbb", VK_LUN_NOT_COMPARABLE},
		/* a place */
		{"mpx.vmhba1:C0:T0:L0", "mpx.vmhba1:C0:T0:L0", VK_LUN_NOT_COMPARABLE},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (vk_lun_relate_names(rows[i].recorded, rows[i].live) != rows[i].relation)
			fail_msg("%s against %s", rows[i].recorded, rows[i].live);
}

#define N6 "600144f07ed404000000496ff8cd0003"
#define VML3 "vml.0200030000" N6 "434f4d535441"
#define SERIAL "vml.0100010000564d57617265204e564d455f3030303020202020564d77617265"
#define PATH "vml.0000000000766d686261303a323a30"

static struct vk_scsi_disk_id id_of(const char *vml)
{
	struct vk_scsi_disk_id id = {.type = 0};
	unsigned partition;

	if (vml[0] != '\0')
		assert_int_equal(vk_scsi_vml_parse(vml, &id, &partition), VK_OK);
	return id;
}

static struct vk_live_lun live_of(const char *name)
{
	struct vk_live_lun lun;
	struct vk_error err;

	assert_int_equal(vk_live_lun_of_name(name, &lun, &err), VK_OK);
	return lun;
}

static void put_codes(const struct vk_findings *list, char *ret_text, size_t cap)
{
	struct vk_text text = vk_text_in(ret_text, cap);

	for (size_t i = 0; i < list->count; i++)
		vk_text_fmt(&text, "%s%s", i > 0 ? " " : "", vk_finding_kind(list->items[i].code)->code);
}

/* Every difference gives its own finding and no other. */
static void ids(void **state)
{
	static const struct {
		const char *recorded, *live, *codes, *message;
	} rows[] = {
		{VML3, VML3, "lunid.match", "the header was written for this LUN, naa." N6},
		{VML3, NAA16, "lunid.match", "the header was written for this LUN, naa." N6
		 "; its LUN number is not known; its model is not known"},
		/* the incident of 2009 */
		{VML3, "vml.0200040000" N6 "434f4d535441", "lunid.lun-changed", "LUN changed from 3 to 4"},
		{VML3, "vml.0200030100" N6 "434f4d535441", "lunid.lun-changed", "LUN changed from 3 to 259"},
		{VML3, OTHER16, "lunid.designator-changed", "the header was written for another LUN"},
		{VML3, "vml.0200030000600144f07ed404000000496ff8cd0004434f4d535441", "lunid.designator-changed",
		 "the header was written for another LUN"},
		{VML3, "vml.0200040000600144f07ed404000000496ff8cd0004434f4d535441", "lunid.designator-changed",
		 "the header was written for another LUN, and for another LUN number"},
		{VML3, NAA8, "lunid.designator-changed", "the header was written for another LUN"},
		{VML3, "vml.0200030000" N6 "4c494f2d4f52", "lunid.model-changed",
		 "the model's first characters changed from \"COMSTA\" to \"LIO-OR\""},
		{VML3, "vml.0200050000" N6 "4c494f2d4f52", "lunid.lun-changed lunid.model-changed", NULL},
		{SERIAL, VML3, "lunid.kind-changed",
		 "the header records a serial number, and ESX records an NAA name of this LUN now"},
		{PATH, VML3, "lunid.kind-changed", "the header records a path, and ESX records an NAA name of this LUN now"},
		{VML3, EUI, "lunid.kind-changed", "the header records an NAA name, and ESX records a path of this LUN now"},
		{PATH, PATH, "lunid.match", NULL},
		{PATH, "mpx.vmhba0:C0:T2:L0", "lunid.match", NULL},
		{PATH, "mpx.vmhba0:C0:T3:L0", "lunid.designator-changed", NULL},
		{PATH, EUI, "lunid.not-comparable", "the header and the LUN have names that cannot be compared"},
		{SERIAL, SERIAL, "lunid.match", NULL},
		{SERIAL, "t10.NVMe____VMware", "lunid.not-comparable", NULL},
		{"", VML3, "lunid.not-comparable", "the header names no LUN"},
		{VML3, "vml.072b6522e97f86428c91e193efa93c864f", "lunid.not-comparable", NULL},
		/* a length that lies, of the same designator */
		{"vml.0200030000" N6 "434f4d5354", VML3, "lunid.length-wrong", NULL},
	};
	char codes[200];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct vk_scsi_disk_id recorded = id_of(rows[i].recorded);
		struct vk_live_lun live = live_of(rows[i].live);
		struct vk_findings found = {0};
		const struct vk_finding_sink sink = vk_findings_sink(&found);

		vk_lunid_judge(&recorded, &live, 0x10000C, &sink);
		put_codes(&found, codes, sizeof(codes));
		if (strcmp(codes, rows[i].codes) != 0 ||
		    (rows[i].message != NULL && strcmp(found.items[0].message, rows[i].message) != 0))
			fail_msg("row %zu: %s: %s", i, codes, found.items[0].message);
		assert_int_equal(found.items[0].offset_bytes, 0x10000C);
		vk_findings_free(&found);
	}
}

/* The number on several paths, and other designators of the same LUN. */
static void several(void **state)
{
	struct vk_scsi_disk_id recorded = id_of(VML3), eight = id_of("vml.02000300005005076719d163d8434f4d535441");
	struct vk_live_lun live = live_of(NAA16);
	struct vk_findings found = {0};
	const struct vk_finding_sink sink = vk_findings_sink(&found);

	(void)state;
	live.lun_known = true;
	live.id.lun = live.luns[0] = 3;
	live.luns[1] = 7;
	live.lun_count = 2;
	vk_lunid_judge(&recorded, &live, 0, &sink);
	assert_int_equal(found.count, 1);
	assert_string_equal(found.items[0].message, "LUN is 3 on some paths only: the paths have 3 and 7");
	strcpy(live.names[1], NAA8);
	live.name_count = 2;
	vk_lunid_judge(&eight, &live, 0, &sink);
	assert_string_equal(found.items[1].message,
			    "the header has another designator of this LUN than the one that ESX chooses now");
	/* a machine that is no host of ESX: numbers and paths are its own */
	vk_lunid_judge_elsewhere(&recorded, &live, 0, &sink);
	assert_int_equal(found.count, 2);
	recorded = id_of(PATH);
	vk_lunid_judge_elsewhere(&recorded, &live, 0, &sink);
	assert_int_equal(found.count, 2);
	recorded = id_of(SERIAL);
	vk_lunid_judge_elsewhere(&recorded, &live, 0, &sink);
	assert_int_equal(found.count, 3);
	assert_int_equal(found.items[2].code, VK_F_LUNID_KIND_CHANGED);
	vk_findings_free(&found);
}

/* Two disks with one extent each, as the decoder would have filled them. */
struct pair {
	struct vk_lvm_volume_at volumes[2];
	struct vk_vmfs vmfs[2];
	struct vk_source sources[2];
	struct vk_lunid_extent extents[2];
};

static void make_pair(struct pair *p)
{
	static char one[] = "one", two[] = "two";

	memset(p, 0, sizeof(*p));
	for (size_t i = 0; i < 2; i++) {
		p->volumes[i].seen_bytes = VK_LVM_VOLUME_BYTES;
		p->volumes[i].volume = (struct vk_lvm_volume){.logicalSize = 8 * VK_LVM_PE_BYTES, .state = VK_LVM_NORMAL,
							      .snapID = 1, .numDevs = 1, .lastPE = 7};
		memset(&p->volumes[i].volume.uuid, 0x42, 16);
		p->vmfs[i] = (struct vk_vmfs){.volumes = &p->volumes[i], .volume_count = 1, .fs_usable = true};
		p->sources[i] = (struct vk_source){.path = i == 0 ? one : two, .vmfs = &p->vmfs[i], .vmfs_count = 1,
						   .sector_size = 512};
		p->extents[i] = (struct vk_lunid_extent){.source = &p->sources[i], .live_known = true, .watched = true};
		strcpy(p->extents[i].live.name, i == 0 ? NAA16 : OTHER16);
	}
}

static void assert_volumes(struct pair *p, size_t count, const char *expected, enum vk_lunid_mount mount)
{
	struct vk_findings found = {0};
	const struct vk_finding_sink sink = vk_findings_sink(&found);
	char codes[200], why[600];
	struct vk_text text = vk_text_in(why, sizeof(why));
	struct vk_error err;

	assert_int_equal(vk_lunid_judge_volumes(p->extents, count, &sink, &err), VK_OK);
	put_codes(&found, codes, sizeof(codes));
	assert_string_equal(codes, expected);
	assert_int_equal(vk_lunid_may_mount(p->extents, count, 0, &found, &text), mount);
	assert_true(why[0] != '\0');
	vk_findings_free(&found);
}

static void volumes(void **state)
{
	struct pair p;

	(void)state;
	make_pair(&p);
	/* these are no devices: their heartbeats tell nothing of now */
	assert_volumes(&p, 1, "", VK_LUNID_MOUNT_UNKNOWN);
	assert_volumes(&p, 2, "lunid.conflict", VK_LUNID_MOUNT_NO);
	/* two nodes of one LUN */
	strcpy(p.extents[1].live.name, "naa.600144F07ED404000000496FF8CD0003");
	assert_volumes(&p, 2, "", VK_LUNID_MOUNT_UNKNOWN);
	/* another volume */
	make_pair(&p);
	p.volumes[1].volume.uuid.b[0] = 1;
	assert_volumes(&p, 2, "", VK_LUNID_MOUNT_UNKNOWN);
	/* spanned: whole, with one missing at the end and at the beginning, and one twice */
	make_pair(&p);
	p.volumes[0].volume.numDevs = p.volumes[1].volume.numDevs = 2;
	p.volumes[0].volume.lastPE = 3;
	p.vmfs[1].first_pe = p.volumes[1].volume.firstPE = 4;
	assert_volumes(&p, 2, "", VK_LUNID_MOUNT_UNKNOWN);
	assert_volumes(&p, 1, "lunid.extent-missing", VK_LUNID_MOUNT_NO);
	p.vmfs[1].first_pe = p.volumes[1].volume.firstPE = 0;
	p.volumes[1].volume.lastPE = 3;
	assert_volumes(&p, 2, "lunid.extent-doubled lunid.extent-missing", VK_LUNID_MOUNT_NO);
	/* resignatures */
	make_pair(&p);
	p.volumes[0].volume.state = VK_LVM_RESIG_PENDING;
	assert_volumes(&p, 1, "lunid.resignature-pending", VK_LUNID_MOUNT_NO);
	p.volumes[0].volume.state = VK_LVM_RESIG_DONE;
	assert_volumes(&p, 1, "lunid.resignature-done", VK_LUNID_MOUNT_UNKNOWN);
	p.volumes[0].volume.state = VK_LVM_NORMAL;
	p.volumes[0].volume.snapID = 2;
	assert_volumes(&p, 1, "lunid.resignature-done", VK_LUNID_MOUNT_UNKNOWN);
	p.volumes[0].volume.snapID = 1;
	strcpy((char *)p.vmfs[0].fs.fsLabel, "snap-6104d589-xxxx");
	assert_volumes(&p, 1, "lunid.resignature-done", VK_LUNID_MOUNT_UNKNOWN);
	strcpy((char *)p.vmfs[0].fs.fsLabel, "snap-shots-xxxx");
	assert_volumes(&p, 1, "", VK_LUNID_MOUNT_UNKNOWN);
	p.extents[0].alive = true;
	strcpy(p.extents[0].who, "a host is using the volume");
	assert_volumes(&p, 1, "", VK_LUNID_MOUNT_NO);
}

/* Each finding has words for six releases, and its remedies in the order of harm, in which nothing is left to fill in. */
static void remedies(void **state)
{
	struct pair p;
	char text[2000];

	(void)state;
	make_pair(&p);
	p.vmfs[0].lvm.diskID = id_of(VML3);
	p.extents[0].live = live_of("vml.0200040000" N6 "434f4d535441");
	for (int code = VK_F_LUNID_MATCH; code <= VK_F_LUNID_RESIGNATURE_DONE; code++) {
		const char *const *esx = vk_lunid_esx((enum vk_finding_code)code);
		enum vk_lunid_harm before = VK_LUNID_LOOK;
		const struct vk_lunid_remedy *r;
		size_t n = 0;

		assert_int_equal(esx == NULL, code == VK_F_LUNID_NOT_COMPARABLE);
		for (size_t i = 0; esx != NULL && i < VK_LUNID_RELEASES; i++)
			assert_non_null(esx[i]);
		for (; (r = vk_lunid_remedy((enum vk_finding_code)code, n)) != NULL; n++) {
			const char *const parts[] = {r->what, r->command, r->set_back};

			assert_true(r->harm >= before);
			before = r->harm;
			for (size_t i = 0; i < 3; i++) {
				struct vk_text out = vk_text_in(text, sizeof(text));

				if (parts[i] == NULL)
					continue;
				vk_lunid_fill(parts[i], &p.extents[0], &out);
				assert_null(strpbrk(text, "{}"));
				assert_true(strlen(text) < sizeof(text) - 1);
			}
		}
		assert_int_equal(n == 0, code == VK_F_LUNID_MATCH || code == VK_F_LUNID_NOT_COMPARABLE);
	}
	{
		struct vk_text out = vk_text_in(text, sizeof(text));

		vk_lunid_fill("{lun} {id} {ID} {name} {model} {live} {live_lun} {live_id} {uuid}", &p.extents[0], &out);
		assert_string_equal(text, "3 " N6 " 600144F07ED404000000496FF8CD0003 " NAA16 " COMSTA " NAA16 " 4 " N6
				    " 00000000-00000000-0000-000000000000");
	}
}

static void rows(void **state)
{
	struct vk_lunid_row list[VK_LUNID_ROWS];
	struct pair p;

	(void)state;
	make_pair(&p);
	p.vmfs[0].lvm.diskID = p.extents[0].captured = id_of(VML3);
	p.extents[0].captured_known = true;
	p.extents[0].live = live_of("vml.0200040000" N6 "434f4d535441");
	vk_lunid_rows(&p.extents[0], list);
	assert_string_equal(list[2].field, "LUN");
	assert_string_equal(list[2].recorded, "3");
	assert_string_equal(list[2].live, "4");
	assert_string_equal(list[2].captured, "3");
	for (size_t i = 0; i < VK_LUNID_ROWS; i++)
		assert_int_equal(list[i].differs, i == 2 || i == 5);
	/* what a name alone does not tell is empty, and no difference */
	p.extents[0].live = live_of(NAA16);
	vk_lunid_rows(&p.extents[0], list);
	assert_string_equal(list[2].live, "");
	assert_string_equal(list[4].live, "");
	for (size_t i = 0; i < VK_LUNID_ROWS; i++)
		assert_false(list[i].differs);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names),   cmocka_unit_test(ids),	cmocka_unit_test(several),
		cmocka_unit_test(volumes), cmocka_unit_test(remedies), cmocka_unit_test(rows),
	};

	return cmocka_run_group_tests_name("lunid", tests, NULL, NULL);
}
