/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writes what the tables say: docs/format.md from the layouts, docs/what-is-this.md from the readings, docs/findings.md
 * from the findings and guards, docs/cli.md, the manual pages and the bash completions from the command tables.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/shared/verbs.h"
#include "vmfskit/finding.h"
#include "vmfskit/layout.h"
#include "vmfskit/reading.h"
#include "vmfskit/restore.h"

extern const struct vk_cli_program vk_lab_program;

static const char *folder;
static const char generated[] = "<!-- SPDX-License-Identifier: Apache-2.0 -->\n"
				"<!-- Generated from the tables in the sources by `make docs`. -->\n";

static FILE *create(const char *name, ...) __attribute__((format(printf, 1, 2)));
static FILE *create(const char *name, ...)
{
	char path[4096];
	int used = snprintf(path, sizeof(path), "%s/", folder);
	va_list args;
	FILE *f;

	va_start(args, name);
	vsnprintf(path + used, sizeof(path) - (size_t)used, name, args);
	va_end(args);
	f = fopen(path, "we");
	if (f == NULL) {
		perror(path);
		exit(1);
	}
	return f;
}

static void finish(FILE *f)
{
	if (ferror(f) || fclose(f) != 0) {
		perror("gen_docs: cannot write");
		exit(1);
	}
}

/* Text inside a table of markdown. */
static void put_cell(FILE *f, const char *text)
{
	for (; *text != '\0'; text++) {
		if (strchr("|\\*_<>`", *text) != NULL)
			fputc('\\', f);
		fputc(*text, f);
	}
}

static const char *kind_text(const struct vk_field *field)
{
	switch (field->kind) {
	case VK_KIND_U8:
		return "u8";
	case VK_KIND_U16:
		return "u16";
	case VK_KIND_U32:
		return "u32";
	case VK_KIND_U64:
		return "u64";
	case VK_KIND_TEXT:
		return field->view == VK_VIEW_UTF16 ? "UTF-16" : "text";
	case VK_KIND_BYTES:
		return field->view == VK_VIEW_UTF16 ? "UTF-16" : "bytes";
	case VK_KIND_UUID:
		return "UUID";
	case VK_KIND_GUID:
		return "GUID";
	case VK_KIND_DISKID:
		return "SCSI\\_DiskId";
	}
	return "";
}

static void write_layout(FILE *f, const struct vk_layout *layout)
{
	fprintf(f, "\n## %s\n\n`%s`, %u bytes. Source: ", layout->title, layout->name, layout->size);
	put_cell(f, layout->source);
	fputs(".\n\n| offset | bytes | field | kind | sure | meaning |\n|---:|---:|---|---|:-:|---|\n", f);
	for (size_t i = 0; i < layout->count; i++) {
		const struct vk_field *field = &layout->fields[i];

		fprintf(f, "| 0x%02x | %u | `%s` | %s | %c | ", field->offset, field->size, field->name,
			kind_text(field), vk_evidence_letter(field->evidence));
		put_cell(f, field->note);
		fputs(" |\n", f);
	}
}

static void write_format(void)
{
	FILE *f = create("format.md");

	fputs(generated, f);
	fputs("\n# On-disk format\n\n"
	      "Everything is packed; numbers are little-endian. Offsets are bytes from the start of the structure. "
	      "A *device offset* counts from the start of the partition, a *volume offset* from logical byte 0 of "
	      "the LVM volume. What lies between the rows is not known and is kept byte for byte.\n\n"
	      "| sure | meaning |\n|:-:|---|\n"
	      "| V | verified on the bytes of a real volume |\n"
	      "| P | verified on real bytes published as a hexdump |\n"
	      "| X | only shown to be consistent, with a synthetic image |\n"
	      "| S | stated by a source, no real bytes seen |\n"
	      "| U | uncertain: doubtful, inferred or contradicted; every output says so |\n\n"
	      "Where things lie on a device (LVM 3, 4, 5; with LVM 6 the tables are aligned to mdAlignment):\n\n"
	      "| device offset | what |\n|---:|---|\n"
	      "| 0x100000 | LVM device header |\n"
	      "| 0x100200 | volume table (LVM 6: 0x101000) |\n"
	      "| 0x180200 | first PE bitmap (LVM 6: 0x181000) |\n"
	      "| 0x180600 | first PE table (LVM 6: 0x182000) |\n"
	      "| dataOffset, 0x1100000 in every header seen | volume offset 0 |\n"
	      "| volume offset 0x200000 | file-system descriptor |\n"
	      "| volume offset 0x300000 | heartbeat slots, 2048 |\n",
	      f);
	for (size_t i = 0; vk_layouts[i] != NULL; i++)
		write_layout(f, vk_layouts[i]);
	finish(f);
}

static void write_readings(void)
{
#define READING_ROW(id, name, title, evidence, next) {name, title, evidence, next},
	static const struct {
		const char *name, *title, *evidence, *next;
	} rows[] = {VK_READINGS(READING_ROW)};
#undef READING_ROW
	FILE *f = create("what-is-this.md");

	fputs(generated, f);
	fputs("\n# What is this?\n\n"
	      "`vmfskit decode`, `doctor` and `find` first say what the source is. It may not be the whole LUN, from "
	      "its first byte on and in its own sectors. The line \"This is ...\" names the best reading with its "
	      "evidence; everything below that line is about that reading. \"This is\" means: certain. \"This is "
	      "likely\" means: some evidence is missing. \"This may be\" means: there is little evidence. In JSON: "
	      "`readings`, the best first.\n\nNothing is written to a source unless it is read as its own bytes: guard "
	      "`reading` (or `container`, `member`) refuses.\n\n| reading | "
	      "it is | what shows it | what to do |\n|---|---|---|---|\n", f);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		fprintf(f, "| `%s` | ", rows[i].name);
		put_cell(f, rows[i].title);
		fputs(" | ", f);
		put_cell(f, rows[i].evidence);
		fputs(" | ", f);
		put_cell(f, rows[i].next);
		fputs(" |\n", f);
	}
	fputs("\nA file may hold only the beginning of one of these: then the line says \"a part of\". What is not in "
	      "the file is not damaged.\n", f);
	fputs("\n## To choose the reading yourself\n\n"
	      "- `--as disk|partition|volume|header` reads the source's own bytes as this kind, whatever their "
	      "content.\n- `--at BYTES` says where the disk begins in the source. `--at 1M` reads the LUN in a RAID "
	      "member whose data begins there.\n- `--stride 520|528` reads the first 512 bytes of every 520 or 528."
	      "\n- `--sector-size 512|4096` says in which sectors the table counts.\n- `--mapfile FILE` is the mapfile "
	      "of ddrescue for a copy: what ddrescue did not read is unknown, not zero.\n- The pieces of a split dump "
	      "(`lun.001`, `lun.002`, ...) are one source.\n\nWith these options the source is only read. A repair is "
	      "written to the disk itself: to the assembled array or volume, or to a whole copy.\n",
	      f);
	finish(f);
}

static void write_findings(void)
{
#define GUARD_ROW(id, name, why, past, risk) {name, why, past, risk},
	static const struct vk_guard_kind guards[] = {VK_GUARDS(GUARD_ROW)};
#undef GUARD_ROW
	FILE *f = create("findings.md");

	fputs(generated, f);
	fputs("\n# Findings\n\n"
	      "What the checks report about decoded bytes. New codes may be added; existing codes keep their names. "
	      "A warning or an error makes a command exit with 1; an info does not.\n\n"
	      "| code | severity | why it matters | what to do |\n|---|---|---|---|\n",
	      f);
	for (int i = 0; i < VK_F_COUNT; i++) {
		const struct vk_finding_kind *kind = vk_finding_kind((enum vk_finding_code)i);

		fprintf(f, "| `%s` | %s | ", kind->code, vk_severity_name(kind->severity));
		put_cell(f, kind->why);
		fputs(" | ", f);
		put_cell(f, kind->remedy);
		fputs(" |\n", f);
	}
	fputs("\n# Guards\n\n"
	      "What can refuse a restore, an undo or a repair (exit code 3). Remove the reason first. `--override "
	      "NAME` lifts that guard only: it writes although the reason is still there.\n\n"
	      "| guard | it refuses because | what to do | the risk of the override |\n|---|---|---|---|\n",
	      f);
	for (size_t i = 0; i < sizeof(guards) / sizeof(guards[0]); i++) {
		fprintf(f, "| `%s` | ", guards[i].name);
		put_cell(f, guards[i].why);
		fputs(" | ", f);
		put_cell(f, guards[i].past);
		fputs(" | ", f);
		put_cell(f, guards[i].risk);
		fputs(" |\n", f);
	}
	finish(f);
}

static void write_program(const struct vk_cli_program *program)
{
	FILE *f = create("man/%s.1", program->name);

	vk_cli_man(program, f);
	finish(f);
	for (size_t i = 0; program->verbs[i] != NULL; i++) {
		f = create("man/%s-%s.1", program->name, program->verbs[i]->name);
		vk_cli_verb_man(program, program->verbs[i], f);
		finish(f);
	}
	f = create("completion/%s", program->name);
	vk_cli_bash_completion(program, f);
	finish(f);
}

int main(int argc, char **argv)
{
	FILE *f;

	if (argc != 2) {
		fputs("usage: gen_docs FOLDER (with man/ and completion/ in it)\n", stderr);
		return 2;
	}
	folder = argv[1];
	write_format();
	write_readings();
	write_findings();
	f = create("cli.md");
	fputs(generated, f);
	fputs("\n# Command line\n\n", f);
	vk_cli_markdown(&vk_vmfskit_program, f);
	vk_cli_markdown(&vk_lab_program, f);
	finish(f);
	write_program(&vk_vmfskit_program);
	write_program(&vk_lab_program);
	return 0;
}
