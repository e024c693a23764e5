/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DFXML: names of elements as in dfxml_schema (dfxml-working-group). A disk that was captured is a
 * partitionsystemobject, each VMFS partition a partitionobject with a volume in it, each file of a capture a
 * fileobject whose byte_run says where on the disk its bytes come from. What DFXML has no name for stands in a
 * namespace of our own.
 */
#include <inttypes.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/screen.h"
#include "cmd/list_dfxml.h"
#include "report/xml_text.h"
#include "store/folder/identity_of_run.h"

#define DFXML_NAMESPACE "http://www.forensicswiki.org/wiki/Category:Digital_Forensics_XML"
enum { INDENT_MAX = 8 };

struct xml {
	FILE *out;
	unsigned depth;
};

static void indent(const struct xml *x)
{
	for (unsigned i = 0; i < x->depth && i < INDENT_MAX; i++)
		fputs("  ", x->out);
}

/* name may carry attributes, whose values need no escaping. */
static void open_element(struct xml *x, const char *name)
{
	indent(x);
	fprintf(x->out, "<%s>\n", name);
	x->depth++;
}

static void close_element(struct xml *x, const char *name)
{
	x->depth--;
	indent(x);
	fprintf(x->out, "</%s>\n", name);
}

/* Nothing when there is no text. */
static void put_text(const struct xml *x, const char *name, const char *text)
{
	if (text == NULL || text[0] == '\0')
		return;
	indent(x);
	fprintf(x->out, "<%s>", name);
	vk_report_xml_text(x->out, text);
	fprintf(x->out, "</%.*s>\n", (int)strcspn(name, " "), name);
}

static void put_number(const struct xml *x, const char *name, uint64_t number)
{
	indent(x);
	fprintf(x->out, "<%s>%" PRIu64 "</%s>\n", name, number, name);
}

static void put_run(struct xml *x, uint64_t offset, uint64_t length)
{
	open_element(x, "byte_runs");
	indent(x);
	fprintf(x->out, "<byte_run img_offset=\"%" PRIu64 "\" len=\"%" PRIu64 "\"/>\n", offset, length);
	close_element(x, "byte_runs");
}

static void put_regions(struct xml *x, const struct vk_capture *c, unsigned partition)
{
	for (size_t i = 0; i < c->region_count; i++) {
		const struct vk_region *r = &c->regions[i];

		if (r->partition != partition)
			continue;
		open_element(x, "fileobject");
		put_text(x, "filename", r->file);
		put_number(x, "filesize", r->length_bytes);
		put_run(x, r->offset_bytes, r->length_bytes);
		put_text(x, "hashdigest type=\"sha256\"", r->sha256);
		put_text(x, "hashdigest type=\"md5\"", r->md5);
		close_element(x, "fileobject");
	}
}

static void put_partition(struct xml *x, const struct vk_capture *c, const struct vk_identity *id)
{
	uint64_t offset = id->start_sector * c->sector_size;

	open_element(x, "partitionobject");
	put_number(x, "partition_index", id->partition);
	put_number(x, "partition_offset", offset);
	put_number(x, "partition_length", id->sectors * c->sector_size);
	open_element(x, "volume");
	put_number(x, "partition_offset", offset);
	put_number(x, "sector_size", c->sector_size);
	put_text(x, "ftype_str", id->fs_version[0] != '\0' ? id->fs_version : "VMFS");
	put_text(x, "vmfskit:volume_label", id->fs_label);
	put_text(x, "vmfskit:volume_uuid", id->fs_uuid);
	put_text(x, "vmfskit:lun_name", id->disk_id);
	put_regions(x, c, id->partition);
	close_element(x, "volume");
	close_element(x, "partitionobject");
}

static void put_capture(struct xml *x, const struct vk_cmd_judged *judged)
{
	const struct vk_capture *c = &judged->capture;

	open_element(x, "partitionsystemobject");
	put_text(x, "vmfskit:id", c->id);
	put_text(x, "vmfskit:verdict", vk_cmd_verdict(judged));
	put_text(x, "image_filename", c->source_path);
	for (size_t i = 0; c->other_paths != NULL && c->other_paths[i] != NULL; i++)
		put_text(x, "image_filename", c->other_paths[i]);
	put_number(x, "vmfskit:image_size", c->size_bytes);
	put_number(x, "sector_size", c->sector_size);
	put_text(x, "pstype_str", vk_table_kind_name(c->table_kind));
	put_text(x, "vmfskit:device_sn", c->disk_serial);
	put_text(x, "vmfskit:host", c->host);
	put_text(x, "vmfskit:user", c->user);
	put_text(x, "vmfskit:begin", c->time);
	put_text(x, "vmfskit:end", c->ended);
	put_text(x, "vmfskit:version", c->version);
	put_text(x, "vmfskit:signer", c->signer);
	put_run(x, 0, c->size_bytes);
	put_regions(x, c, c->source_kind == VK_SOURCE_DISK ? 0 : UINT32_MAX);
	for (size_t i = 0; i < c->identity_count; i++)
		put_partition(x, c, &c->identities[i]);
	close_element(x, "partitionsystemobject");
}

static void put_creator(struct xml *x, const struct vk_cli_call *call)
{
	char user[VK_WHO_USER_BYTES];
	struct utsname name;

	open_element(x, "creator");
	put_text(x, "program", call->program->name);
	put_text(x, "version", call->program->version);
	open_element(x, "execution_environment");
	if (uname(&name) == 0) {
		put_text(x, "os_sysname", name.sysname);
		put_text(x, "os_release", name.release);
		put_text(x, "os_version", name.version);
		put_text(x, "host", name.nodename);
		put_text(x, "arch", name.machine);
	}
	indent(x);
	fputs("<command_line>", x->out);
	for (size_t i = 0; call->command != NULL && call->command[i] != NULL; i++) {
		fputs(i > 0 ? " " : "", x->out);
		vk_report_xml_text(x->out, call->command[i]);
	}
	fputs("</command_line>\n", x->out);
	put_number(x, "uid", getuid());
	vk_who_user(user);
	put_text(x, "username", user);
	close_element(x, "execution_environment");
	close_element(x, "creator");
}

void vk_cmd_put_dfxml(const struct vk_cli_call *call, const struct vk_cmd_judged *captures, size_t count)
{
	struct xml x = {.out = call->out};

	(void)vk_screen_exact(x.out, true);
	fputs("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n", x.out);
	open_element(&x, "dfxml version=\"1.2.0\" xmlns=\"" DFXML_NAMESPACE
			 "\" xmlns:dc=\"http://purl.org/dc/elements/1.1/\" xmlns:vmfskit=\"urn:vmfskit:capture:1\"");
	open_element(&x, "metadata");
	put_text(&x, "dc:type", "Disk Image");
	close_element(&x, "metadata");
	put_creator(&x, call);
	open_element(&x, "source");
	put_text(&x, "image_filename", vk_cmd_store(call));
	close_element(&x, "source");
	for (size_t i = 0; i < count; i++)
		if (captures[i].known)
			put_capture(&x, &captures[i]);
	close_element(&x, "dfxml");
}
