/* SPDX-License-Identifier: Apache-2.0 */
/* vmfskit list */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "cmd/shared/captures.h"
#include "cmd/shared/keys.h"
#include "cmd/list_dfxml.h"
#include "store/retention/pins.h"

enum column { VERDICT, PIN, TIME, HOST, DISK, SIZE, LUN, NAME, LABEL, UUID, CAPTURE, COLUMNS };

struct listing {
	char **paths;
	struct vk_cmd_judged *items;
	size_t count;
	struct vk_cmd_trust trust; /* vouching NULL: captures are not verified */
	struct vk_verify_cache *cache;
	struct vk_pins pins;
};

static void judge(void *ctx, size_t index)
{
	struct listing *listing = ctx;

	vk_cmd_judge(listing->paths[index], listing->trust.vouching, listing->cache,
		     &listing->items[index]);
}

/* The name that a folder has in the store is the one it is asked for by. */
static const char *id_of(const struct vk_cmd_judged *judged)
{
	const char *slash = strrchr(judged->path, '/');

	return slash != NULL ? slash + 1 : judged->path;
}

struct row {
	const char *cells[COLUMNS];
	char size[64];
	char lun[16];
};

/* One row for each volume of a capture, at least one; id NULL where there is none. */
static void fill_row(const struct listing *listing, const struct vk_cmd_judged *judged,
		     const struct vk_identity *id, struct row *row)
{
	const struct vk_capture *c = &judged->capture;

	for (int i = 0; i < COLUMNS; i++)
		row->cells[i] = "-";
	row->cells[VERDICT] = vk_cmd_verdict(judged);
	row->cells[CAPTURE] = id_of(judged);
	if (vk_pins_find(&listing->pins, id_of(judged)) != NULL)
		row->cells[PIN] = "pin";
	if (!judged->known)
		return;
	if (c->is_rebuilt && strcmp(row->cells[VERDICT], "sound") == 0)
		row->cells[VERDICT] = "rebuilt";
	row->cells[TIME] = c->time;
	row->cells[HOST] = c->host;
	row->cells[DISK] = c->source_path;
	vk_cmd_size(c->size_bytes, row->size);
	row->cells[SIZE] = row->size;
	if (id == NULL)
		return;
	if (id->disk_id[0] != '\0') {
		snprintf(row->lun, sizeof(row->lun), "%u", id->lun);
		row->cells[LUN] = row->lun;
		row->cells[NAME] = id->disk_id;
	}
	if (id->fs_label[0] != '\0')
		row->cells[LABEL] = id->fs_label;
	if (id->fs_uuid[0] != '\0')
		row->cells[UUID] = id->fs_uuid;
}

/* Columns on a terminal: what follows the first byte of a UTF-8 sequence takes no room. */
static size_t width_of(const char *text)
{
	size_t width = 0;

	for (; *text != '\0'; text++)
		width += ((unsigned char)*text & 0xc0) != 0x80;
	return width;
}

struct table {
	FILE *out; /* NULL: only measure */
	size_t widths[COLUMNS];
};

static void put_row(struct table *table, const struct row *row)
{
	for (int i = 0; i < COLUMNS; i++) {
		size_t width = width_of(row->cells[i]);

		if (table->out == NULL) {
			if (width > table->widths[i])
				table->widths[i] = width;
			continue;
		}
		fputs(row->cells[i], table->out);
		for (size_t pad = width; i + 1 < COLUMNS && pad < table->widths[i] + 2; pad++)
			fputc(' ', table->out);
	}
	if (table->out != NULL)
		fputc('\n', table->out);
}

static void put_rows(struct table *table, const struct listing *listing)
{
	static const struct row head = {.cells = {"VERDICT", "PIN", "TIME", "HOST", "DISK", "SIZE", "LUN",
						  "NAA", "LABEL", "UUID", "CAPTURE"}};

	put_row(table, &head);
	for (size_t i = 0; i < listing->count; i++) {
		const struct vk_cmd_judged *judged = &listing->items[i];
		size_t volumes = judged->known ? judged->capture.identity_count : 0;

		for (size_t k = 0; k < (volumes > 0 ? volumes : 1); k++) {
			struct row row;

			fill_row(listing, judged, volumes > 0 ? &judged->capture.identities[k] : NULL, &row);
			put_row(table, &row);
		}
	}
}

static json_t *item_json(const struct listing *listing, const struct vk_cmd_judged *judged)
{
	const struct vk_pin *pin = vk_pins_find(&listing->pins, id_of(judged));
	struct vk_json o = {.o = NULL};

	if (judged->known) {
		o = vk_cmd_capture_json(id_of(judged), judged->path, &judged->capture);
	} else {
		o = vk_json_begin();
		vk_json_set_text(&o, "id", id_of(judged));
		vk_json_set_text(&o, "path", judged->path);
	}
	o.failed = !vk_cmd_put_verdict(o.o, judged) || o.failed;
	vk_json_set_bool(&o, "pinned", pin != NULL);
	if (pin != NULL)
		vk_json_set_text(&o, "pin_reason", pin->reason);
	return vk_json_end(&o);
}

static json_t *listing_json(const struct listing *listing)
{
	json_t *captures = json_array();

	for (size_t i = 0; i < listing->count; i++) {
		if (json_array_append_new(captures, item_json(listing, &listing->items[i])) != 0) {
			json_decref(captures);
			return NULL;
		}
	}
	return json_pack("{s:s,s:o}", "schema", "vmfskit.list/1", "captures", captures);
}

static int report(struct vk_cli_call *call, const struct listing *listing)
{
	struct table table = {.out = NULL};
	int code = VK_EXIT_OK;

	for (size_t i = 0; i < listing->count; i++)
		if (!listing->items[i].known || listing->items[i].status != VK_OK ||
		    vk_findings_bad(&listing->items[i].findings))
			code = VK_EXIT_FINDINGS;
	/* of what cannot be read nothing is known: that is no finding about it */
	for (size_t i = 0; i < listing->count; i++)
		if (listing->items[i].status != VK_OK)
			code = VK_EXIT_IO;
	if (vk_cli_flag(call, "dfxml")) {
		vk_cmd_put_dfxml(call, listing->items, listing->count);
		return code;
	}
	if (vk_cli_flag(call, "json"))
		return vk_cmd_put_json(call, listing_json(listing), code);
	if (listing->count == 0) {
		fprintf(call->out,
			"no captures in %s\nTake one with: vmfskit capture%s%s DISK\n",
			vk_cmd_store(call), vk_cli_value(call, "store") != NULL ? " --store " : "",
			vk_cli_value(call, "store") != NULL ? vk_cmd_store(call) : "");
		return code;
	}
	put_rows(&table, listing);
	table.out = call->out;
	put_rows(&table, listing);
	for (size_t i = 0; i < listing->count; i++)
		if (strcmp(vk_cmd_verdict(&listing->items[i]), VK_VERDICT_UNDO) == 0) {
			fputs(VK_VERDICT_UNDO ": " VK_UNDO_USE "\n", call->out);
			break;
		}
	if (code != VK_EXIT_OK)
		fputs("vmfskit verify tells what is damaged, cannot be read or is not trusted, and why\n", call->out);
	return code;
}

/* A store that is not there has no pins. */
static enum vk_status read_pins(const char *path, struct vk_pins *ret_pins, struct vk_error *err)
{
	const struct vk_store_options options = {.use = VK_STORE_READ};
	struct vk_store *store;
	enum vk_status status = vk_store_open(path, &options, &store, err);

	if (status != VK_OK)
		return status == VK_ABSENT ? VK_OK : status;
	status = vk_pins_read(vk_store_fd(store), path, ret_pins, err);
	vk_store_close(store);
	return status;
}

static int run(struct vk_cli_call *call)
{
	struct listing listing = {.count = 0};
	struct vk_error err;
	enum vk_status status;
	int code = VK_EXIT_OK;

	if (vk_cli_flag(call, "json") && vk_cli_flag(call, "dfxml"))
		return vk_cli_usage(call, "--json and --dfxml do not go together");
	if (!vk_cli_flag(call, "no-verify"))
		code = vk_cmd_trust(call, &listing.trust);
	if (code != VK_EXIT_OK)
		return code;
	status = vk_cmd_store_paths(vk_cmd_store(call), &listing.paths, &listing.count, &err);
	if (status != VK_OK && status != VK_ABSENT) {
		vk_cmd_trust_free(&listing.trust);
		return vk_cli_fail(call, &err);
	}
	status = read_pins(vk_cmd_store(call), &listing.pins, &err);
	if (status != VK_OK)
		vk_cli_fail(call, &err);
	listing.items = calloc(listing.count + 1, sizeof(*listing.items));
	if (listing.items == NULL) {
		vk_no_memory(&err, NULL);
		code = vk_cli_fail(call, &err);
	} else {
		listing.cache = vk_verify_cache_new();
		vk_cmd_spread(listing.count, judge, &listing);
		vk_verify_cache_free(listing.cache);
		code = report(call, &listing);
	}
	for (size_t i = 0; i < listing.count && listing.items != NULL; i++)
		vk_cmd_judged_free(&listing.items[i]);
	free(listing.items);
	free(listing.paths);
	vk_pins_free(&listing.pins);
	vk_cmd_trust_free(&listing.trust);
	return status != VK_OK ? VK_EXIT_IO : code;
}

static const struct vk_cli_option options[] = {
	VK_STORE_OPTION,
	VK_PUBLIC_KEY_OPTION,
	{.name = "no-verify", .help = "do not read the captures' files, only their manifests"},
	VK_JSON_OPTION,
	{.name = "dfxml", .help = "print DFXML, the XML that forensic tools exchange"},
	{.name = NULL},
};

static const struct vk_cli_example examples[] = {
	{"vmfskit list", "what there is, oldest first"},
	{"vmfskit list --json --no-verify", "the same for a script, without reading every file"},
	{NULL, NULL},
};

const struct vk_cli_verb vk_verb_list = {
	.name = "list",
	.arguments = "",
	.purpose = "show the captures of a store, oldest first",
	.description =
		"One line for each volume of each capture: verdict, whether it is pinned, time, host, disk, size of the disk, LUN, NAA "
		"name, label and UUID of the volume, and the id by which the capture is asked for.\n\n"
		"The verdict is that of vmfskit verify: every file is read, and a capture that the ledger or the key does not vouch "
		"for is not trusted. The exit code is 1 when a capture is damaged or not trusted, and 4 when one cannot be read. A sound "
		"one that repair rebuilt is called so: it is what repair made, not what a disk held. "
		"An undo capture is called so, too: it holds what a restore overwrote and is no backup; vmfskit undo is for it.",
	.options = options,
	.examples = examples,
	.least_arguments = 0,
	.most_arguments = 0,
	.run = run,
};
