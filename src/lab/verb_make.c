/* SPDX-License-Identifier: Apache-2.0 */
/* make: the command line of a practice disk. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "lab/lab_verbs.h"

static const struct vk_cli_option options[] = {
	{0, "table", "KIND", "mbr (the usual for VMFS3), gpt (for everything later) or none: the volume begins at "
			     "sector 0", "mbr gpt none"},
	{0, "sector-size", "BYTES", "size of a logical sector: 512, the usual, or 4096", "512 4096"},
	{0, "size", "SIZE", "size of the disk (500G, 64T, 41943040s for sectors of 512 bytes); by default what the "
			    "partitions need", NULL},
	{0, "layout", "NAME", "esxi50 (ESXi 5.0 and 5.1), esxi5 (5.5 and 6), esxi7 or esxi7-small (7 and 8): the "
			      "partitions of an ESXi boot disk and the datastore behind them; plain, the usual: "
			      "volumes only", "plain esxi50 esxi5 esxi7 esxi7-small"},
	{0, "vmfs", "VERSION", "3, 5 or 6: version of file system and LVM, 5 unless given (6 on an esxi7 layout); 5l "
			       "and 6l are VMFS-L", "3 5 6 5l 6l"},
	{0, "start", "SECTOR", "first sector of the volume's partition", NULL},
	{0, "vmfs-size", "SIZE", "size of the partition; by default the rest of the disk, or 10G when the disk has "
				 "no size either", NULL},
	{0, "volume", "SPEC", "one volume, may be given several times: words separated by commas: start, size, "
			      "version, label, naa, lun, model, live, block-size, image, number (each with =VALUE) "
			      "and logical; everything else is taken from the other options", NULL},
	{0, "image", "FILE", "use the bytes of this partition image as the volume", "FILE"},
	{0, "extents", "FILES", "one volume over several disks: this one and those named here, separated by commas; "
				"each as FILE or FILE=SIZE of its partition", NULL},
	{0, "extra-partition", "SPEC",
	 "a partition of another kind, START+SECTORS:TYPE; TYPE is hexadecimal on an MBR (83, fc), on a GPT a GUID "
	 "or efi, basic, linux, vmkdiag, reserved, vmfs, vmfsl; may be given several times", NULL},
	{0, "naa", "NAME", "LUN that the header names: naa. with 16 or 32 digits, or mpx.vmhba0:C0:T0:L0", NULL},
	{0, "lun", "NUMBER", "LUN number in the header, 0 unless given", NULL},
	{0, "model", "TEXT", "[VENDOR:]MODEL[:REVISION] of the LUN; six characters of the model go into the disk id, "
			     "all of it into headers of LVM 3", NULL},
	{0, "label", "TEXT", "label of the datastore", NULL},
	{0, "block-size", "SIZE", "size of a file block of VMFS3: 1M (the usual), 2M, 4M or 8M", "1M 2M 4M 8M"},
	{0, "live", "NUMBER", "hosts that hold a heartbeat", NULL},
	{0, "seed", "NUMBER", "seed of identities and times, 0 unless given; the same seed gives the same bytes", NULL},
	{0, "from", "DIR", "fill the volume with what is in this folder: files (their holes stay), folders, links",
	 "DIR"},
	{0, "files", "RECIPE", "fill the volume as this file says, or \"all\": everything that such a volume can have",
	 "FILE"},
	{0, "truth", "FILE", "write what was put in, and where it lies, into this file: a line of JSON for each file",
	 "FILE"},
	{0, "overwrite", NULL, "replace files that exist", NULL},
	{0, NULL, NULL, NULL, NULL},
};

static const struct vk_cli_example examples[] = {
	{"vmfskit-lab make disk.img", "a GPT disk with one VMFS5 datastore of 10 GiB"},
	{"vmfskit-lab make --vmfs 3 --table mbr --start 63 --naa naa.600144f07ed404000000496ff8cd0003 --lun 3 "
	 "--model SUN:COMSTAR:1.0 old.img", "a LUN as ESX 3.5 saw it"},
	{"vmfskit-lab make --vmfs 6 --size 64T --sector-size 4096 --live 3 big.img",
	 "64 TB on sectors of 4096 bytes, with three hosts at work"},
	{"vmfskit-lab make --layout esxi7-small --size 100G boot.img", "the boot disk of an ESXi 7 host"},
	{"vmfskit-lab make --table mbr --volume start=128,size=5G,version=3 --volume "
	 "size=5G,version=3,label=second,logical two.img", "two volumes, the second in a logical partition"},
	{"vmfskit-lab make --table gpt --start 20973535 --image partition.img placed.img",
	 "a real partition image on a practice disk"},
	{"vmfskit-lab make --size 2T --extents b.img,c.img=5T a.img", "one volume spread over three disks"},
	{"vmfskit-lab make --vmfs 6 --size 20G --live 2 --files all --truth truth.jsonl full.img",
	 "a volume with files of every kind, and what a reader must find in it"},
	{NULL, NULL},
};

/* Options of one volume, under the word that a SPEC has for them. */
static const struct {
	const char *option;
	const char *word;
} volume_options[] = {
	{"vmfs", "version"}, {"start", "start"}, {"vmfs-size", "size"}, {"image", "image"},
	{"naa", "naa"},      {"lun", "lun"},     {"model", "model"},    {"label", "label"},
	{"live", "live"},    {"block-size", "block-size"},
};

static enum vk_status parse_volumes(const struct vk_cli_call *call, struct vk_lab_spec *spec,
				    struct vk_error *err)
{
	struct vk_lab_volume common;
	enum vk_status status = VK_OK;
	const char *text;

	vk_lab_volume_init(&common);
	for (size_t i = 0; i < sizeof(volume_options) / sizeof(volume_options[0]); i++) {
		text = vk_cli_value(call, volume_options[i].option);
		if (text != NULL)
			status = vk_lab_volume_set(&common, volume_options[i].word, text, err);
		if (status != VK_OK)
			return status;
	}
	for (size_t n = 0; (text = vk_cli_nth_value(call, "volume", n)) != NULL; n++) {
		if (common.has_start || common.image[0] != '\0')
			return vk_error_set(err, VK_USAGE, NULL,
					    "with --volume, start and image are said in its SPEC");
		if (n == VK_LAB_VOLUMES_MAX)
			return vk_error_set(err, VK_USAGE, NULL, "a disk has at most %d volumes",
					    VK_LAB_VOLUMES_MAX);
		spec->volumes[n] = common;
		status = vk_lab_volume_parse(&spec->volumes[n], text, err);
		if (status != VK_OK)
			return status;
		spec->volume_count = n + 1;
	}
	if (spec->volume_count == 0)
		spec->volumes[spec->volume_count++] = common;
	return VK_OK;
}

static enum vk_status parse_disk(const struct vk_cli_call *call, struct vk_lab_spec *spec,
				 struct vk_error *err)
{
	static const struct {
		const char *name;
		enum vk_table_kind kind;
	} tables[] = {{"mbr", VK_TABLE_MBR}, {"gpt", VK_TABLE_GPT}, {"none", VK_TABLE_NONE}};
	const char *layout = vk_cli_value(call, "layout");
	const char *table = vk_cli_value(call, "table");
	const char *sector = vk_cli_value(call, "sector-size");
	const char *size = vk_cli_value(call, "size");
	const char *seed = vk_cli_value(call, "seed");
	bool boot = layout != NULL && strcmp(layout, "plain") != 0;
	uint64_t number = 512;
	const char *text;
	size_t i = 0;

	while (table != NULL && i < 3 && strcmp(table, tables[i].name) != 0)
		i++;
	if (i == 3)
		return vk_error_set(err, VK_USAGE, NULL, "\"%s\" is not a kind of table; mbr, gpt and none are",
				    table);
	spec->table = table != NULL				   ? tables[i].kind
		      : spec->volumes[0].version == 3 && !boot ? VK_TABLE_MBR
							       : VK_TABLE_GPT;
	if (sector != NULL && (!vk_text_parse_number(sector, 4096, &number) ||
			       (number != 512 && number != 4096)))
		return vk_error_set(err, VK_USAGE, NULL, "sectors have 512 or 4096 bytes, not \"%s\"",
				    sector);
	spec->sector_size = (uint32_t)number;
	if (size != NULL && (!vk_text_parse_size(size, &spec->size_bytes) || spec->size_bytes == 0))
		return vk_error_set(err, VK_USAGE, NULL, "\"%s\" is not the size of a disk", size);
	if (seed != NULL && !vk_text_parse_number(seed, UINT64_MAX, &spec->seed))
		return vk_error_set(err, VK_USAGE, NULL, "\"%s\" is not a number to start from", seed);
	while ((text = vk_cli_nth_value(call, "extra-partition", spec->foreign_count)) != NULL) {
		enum vk_status status;

		if (spec->foreign_count == VK_LAB_FOREIGN_MAX)
			return vk_error_set(err, VK_USAGE, NULL, "a disk has at most %d other partitions",
					    VK_LAB_FOREIGN_MAX);
		status = vk_lab_foreign_parse(&spec->foreign[spec->foreign_count++], text, spec->table, err);
		if (status != VK_OK)
			return status;
	}
	return vk_lab_layout_apply(spec, layout == NULL ? "plain" : layout, err);
}

/* Split "b.img,c.img=5T"; the names stay in `text`. */
static enum vk_status parse_extents(char *text, const char *paths[], uint64_t sizes[], size_t *count,
				    struct vk_error *err)
{
	while (text != NULL) {
		char *path = strsep(&text, ",");
		char *size = strchr(path, '=');

		if (*count == VK_LAB_MEMBERS_MAX)
			return vk_error_set(err, VK_USAGE, NULL, "a volume spans at most %d disks",
					    VK_LAB_MEMBERS_MAX);
		if (size != NULL) {
			*size++ = '\0';
			if (!vk_text_parse_size(size, &sizes[*count]) || sizes[*count] == 0)
				return vk_error_set(err, VK_USAGE, NULL,
						    "\"%s\" is not the size of a partition", size);
		}
		if (*path == '\0')
			return vk_error_set(err, VK_USAGE, NULL, "a disk of --extents has no name");
		paths[(*count)++] = path;
	}
	return VK_OK;
}

/* Files of a folder and of a recipe, in this order. */
static enum vk_status parse_files(const struct vk_cli_call *call, const struct vk_lab_spec *spec, size_t members,
				  struct vk_lab_files_asked *asked, struct vk_error *err)
{
	const char *from = vk_cli_value(call, "from"), *recipe = vk_cli_value(call, "files");
	enum vk_status status = VK_OK;

	asked->truth = vk_cli_value(call, "truth");
	if (asked->truth != NULL && from == NULL && recipe == NULL)
		return vk_error_set(err, VK_USAGE, NULL, "--truth tells of files, and there are none without --from or "
							 "--files");
	if (from != NULL)
		status = vk_lab_from_folder(asked, from, err);
	if (status == VK_OK && recipe != NULL && strcmp(recipe, "all") == 0)
		status = vk_lab_recipe_all(asked, spec->volumes[0].version, (unsigned)members, spec->volumes[0].live,
					   err);
	else if (status == VK_OK && recipe != NULL)
		status = vk_lab_recipe_read(asked, recipe, err);
	return status;
}

static enum vk_status make(struct vk_cli_call *call, struct vk_lab_spec *spec, char *extents,
			   struct vk_error *err)
{
	struct vk_lab_files_asked asked = {NULL, 0, NULL};
	bool filled = vk_cli_value(call, "from") != NULL || vk_cli_value(call, "files") != NULL;
	const char *paths[VK_LAB_MEMBERS_MAX] = {call->arguments[0]};
	uint64_t sizes[VK_LAB_MEMBERS_MAX] = {0};
	size_t count = 1;
	enum vk_status status = parse_volumes(call, spec, err);

	if (status == VK_OK)
		status = parse_disk(call, spec, err);
	if (status == VK_OK)
		status = parse_extents(extents, paths, sizes, &count, err);
	if (status == VK_OK)
		status = parse_files(call, spec, count, &asked, err);
	if (status == VK_OK)
		status = vk_lab_make(spec, paths, sizes, count, filled ? &asked : NULL, vk_cli_flag(call, "overwrite"),
				     call->out, err);
	vk_lab_asked_free(&asked);
	return status;
}

static int run(struct vk_cli_call *call)
{
	const char *extents = vk_cli_value(call, "extents");
	struct vk_lab_spec *spec = calloc(1, sizeof(*spec));
	char *copy = extents == NULL ? NULL : strdup(extents);
	struct vk_error err = {.status = VK_OK};
	enum vk_status status;

	if (spec == NULL || (extents != NULL && copy == NULL))
		status = vk_no_memory(&err, NULL);
	else
		status = make(call, spec, copy, &err);
	free(copy);
	free(spec);
	return status == VK_OK ? VK_EXIT_OK : vk_cli_fail(call, &err);
}

const struct vk_cli_verb vk_lab_verb_make = {
	.name = "make",
	.arguments = "FILE",
	.purpose = "make a practice disk",
	.description =
		"Makes FILE: a disk with a partition table and one or more VMFS volumes. Partition table, LVM header, "
		"volume descriptor, extent tables, file-system descriptor and heartbeats are complete. The file is "
		"sparse: 64 TB take some 35 MB. The file system must allow files of that length (ext4 allows 16 TiB, "
		"tmpfs and XFS more).\n\n"
		"--vmfs, --start, --vmfs-size and the options after them describe one volume. For several volumes "
		"give --volume once for each. Partitions are numbered in the order of their place on the disk.\n\n"
		"Without --from and --files the file systems are empty. They hold only their own files (.fbb.sf, "
		".fdc.sf, .pbc.sf, .sbc.sf, .vh.sf, on VMFS5 .pb2.sf and .sdd.sf, on VMFS6 .jbc.sf, too) and a root "
		"directory that names them. To keep large volumes sparse, only the first 128 clusters of each of "
		"these files are written, and .fbb.sf of VMFS6 ends at about 19 TiB. --image inserts a real volume. "
		"In volumes of more than 16 TiB the extent tables continue in extended metadata (LVM 3 and 5) or "
		"have longer entries (LVM 6), as published readers expect them; no bytes of a real volume of that "
		"size are known.\n\n"
		"A line of a RECIPE is a KIND, a PATH on the volume and words about it; %20 is a blank, # begins a "
		"remark. Folders on the way are made. KIND is folder, file, link (to=TARGET), rdm (lun=NAME) or disk: "
		"the descriptor and the data file of a virtual disk, with size=SIZE as its machine sees it, kind=flat, "
		"delta, sesparse, rdm or rdmp (both with lun=NAME), cid=HEX, parent=NAME, parent-cid=HEX, and "
		"lost=descriptor or data, which is then left out; deltas are empty. Of "
		"files: size=SIZE; content=pattern (no two blocks are alike), zeros, or a file of this system (a "
		"path with a slash); data=OFFSET+LENGTH,... are the only stretches written to (or none); the rest "
		"has no blocks (thin, the usual), blocks to be zeroed (thick), or zeros (eager); "
		"tbz=OFFSET+LENGTH,... are blocks to be zeroed of a thin file. stored=resident, sub-block, block, "
		"pointer-block (ZLA 3), pointer-block2 (5), double (4304) or large (large file blocks of VMFS6) "
		"says how, by default as ESX does; pointers=pbc, pb2, sbc or fbb which file has its pointer blocks; "
		"fragments=NUMBER strews it over the volume, extent=NUMBER puts it on that member; cow marks its "
		"blocks. Of all kinds: mode=OCTAL, uid=, gid=, mtime=, ctime=, atime= (like 2021-08-11T07:38:01Z), "
		"lock=exclusive:HOST, shared:HOST,... or multi-writer:HOST,... (the hosts of --live count from 0; "
		"dead is one that is gone), deleted: made and deleted again. Of files, too: left=pointers, deleted "
		"with addresses and length left in the descriptor; left=blocks, without these (as deleted does); "
		"left=nothing: pointer blocks are zeroed as well. Of folders: entries=NUMBER empty files, names=PREFIX "
		"of them.\n\n"
		"What ESX leaves of a deleted file is known from hearsay: here addresses, length and links are "
		"gone, blocks and descriptor are free, and their bytes stay. On VMFS 3 and 5 the last name moves "
		"into the place of the deleted one; on VMFS6 its slot is free and still legible. Large blocks, link "
		"groups, blocks to be zeroed and copy-on-write of VMFS6 are written as published readers understand "
		"them; no real volume with them is known.\n\n"
		"The result is printed on standard output, one line for each partition.",
	.options = options,
	.examples = examples,
	.least_arguments = 1,
	.most_arguments = 1,
	.run = run,
};
