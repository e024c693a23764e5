/* SPDX-License-Identifier: Apache-2.0 */
/* vmfskit explain: logs and output of VMware's tools, line by line, with what
 * they mean. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/checked.h"
#include "base/memory.h"
#include "base/shown.h"
#include "cmd/explain/kept.h"
#include "cmd/shared/verbs.h"

enum { BUFFER_BYTES = 256 << 10, LISTED_MAX = 100000, ADVICE_MAX = 128 };

struct run {
	struct vk_cmd cmd;
	bool only;	  /* leave out lines of which nothing is said */
	const char *name; /* of the file */
	int fd;
	struct vk_explainer explainer;
	struct vk_kept kept;
	bool kept_loaded;
	const char *advised[ADVICE_MAX]; /* what to do next is said once of each */
	size_t advised_count;
	uint64_t lines, weights[VK_EXPLAIN_DAMAGE + 1];
	json_t *listed;
	struct vk_json owner; /* of listed, while it grows */
	uint64_t more;	      /* that are not listed */
};

static bool read_options(void *ctx)
{
	struct run *run = ctx;

	run->only = vk_cli_flag(run->cmd.call, "only");
	run->name = run->cmd.call->arguments[0];
	run->fd = -1;
	return true;
}

/* ---- one line */

/* Tabs stay; what could steer a terminal does not. */
static void put_line(FILE *out, const char *line, size_t len)
{
	char label[4 * VK_EXPLAIN_LINE_BYTES + 8];

	while (len > 0) {
		const char *tab = memchr(line, '\t', len);
		const size_t n = vk_min_u64(tab != NULL ? (size_t)(tab - line) : len, VK_EXPLAIN_LINE_BYTES);

		vk_label_into(label, sizeof(label), line, n);
		fputs(label, out);
		line += n;
		len -= n;
		if (len > 0 && *line == '\t') {
			putc('\t', out);
			line++;
			len--;
		}
	}
	putc('\n', out);
}

/* The newest capture of whom the line speaks of; the store is read when the
 * first one is asked for. */
static const struct vk_cmd_judged *capture_of(struct run *run, const struct vk_explained *e)
{
	struct vk_error err;

	if (!run->kept_loaded) {
		run->kept_loaded = true;
		if (vk_kept_load(vk_cmd_store(run->cmd.call), &run->kept, &err) != VK_OK)
			(void)vk_cmd_fail(&run->cmd, &err);
	}
	return vk_kept_find(&run->kept, &e->subject);
}

static bool is_new_advice(struct run *run, const char *next)
{
	for (size_t i = 0; i < run->advised_count; i++)
		if (run->advised[i] == next)
			return false;
	if (run->advised_count < ADVICE_MAX)
		run->advised[run->advised_count++] = next;
	return true;
}

/* "naa.6001..., partition 1, volume 4f41..., label datastore1" */
static void put_subject(FILE *out, const struct vk_explain_subject *s)
{
	const char *comma = "";

	fputs("    of:   ", out);
	if (s->device[0] != '\0') {
		fprintf(out, "%s", vk_shown_name(s->device).text);
		comma = ", ";
	}
	if (s->partition != 0) {
		fprintf(out, "%spartition %u", comma, s->partition);
		comma = ", ";
	}
	if (s->volume[0] != '\0') {
		fprintf(out, "%svolume %s", comma, s->volume);
		comma = ", ";
	}
	if (s->label[0] != '\0')
		fprintf(out, "%slabel %s", comma, vk_shown_name(s->label).text);
	putc('\n', out);
}

static void show(struct run *run, const struct vk_explained *e, const struct vk_cmd_judged *capture)
{
	FILE *out = run->cmd.call->out;

	fprintf(out, "    %s: %s\n", vk_explain_weight_name(e->weight), e->means);
	if (e->carried)
		put_subject(out, &e->subject);
	if (capture != NULL)
		fprintf(out, "    kept: capture %s of %s, taken %s\n", vk_cmd_judged_id(capture),
			vk_shown_name(capture->capture.source_path).text, capture->capture.time);
	if (e->next != NULL && is_new_advice(run, e->next))
		fprintf(out, "    next: %s\n", e->next);
}

static void list(struct run *run, const char *line, size_t len, const struct vk_explained *e,
		 const struct vk_cmd_judged *capture)
{
	const struct vk_explain_subject *s = &e->subject;
	struct vk_json o = vk_json_begin();
	char text[VK_EXPLAIN_LINE_BYTES];

	if (json_array_size(run->listed) >= LISTED_MAX) {
		run->more++;
		json_decref(vk_json_end(&o));
		return;
	}
	vk_label_into(text, sizeof(text), line, vk_min_u64(len, sizeof(text)));
	VK_JSON_SET(&o, VK_KEY("line", run->lines), VK_KEY("text", vk_json_text(text)), VK_KEY("code", e->code),
		    VK_KEY("weight", vk_explain_weight_name(e->weight)), VK_KEY("means", e->means),
		    VK_KEY("carried", vk_json_bool(e->carried)));
	if (e->next != NULL)
		vk_json_set_text(&o, "next", e->next);
	if (s->device[0] != '\0')
		vk_json_set_text(&o, "device", s->device);
	if (s->partition != 0)
		vk_json_set_number(&o, "partition", s->partition);
	if (s->volume[0] != '\0')
		vk_json_set_text(&o, "volume", s->volume);
	if (s->label[0] != '\0')
		vk_json_set_text(&o, "label", s->label);
	if (capture != NULL)
		vk_json_set_text(&o, "capture", vk_cmd_judged_id(capture));
	vk_json_append(run->listed, vk_json_end(&o), &run->owner);
}

static void see_line(struct run *run, const char *line, size_t len)
{
	struct vk_explained e;
	const struct vk_cmd_judged *capture;
	bool found;

	if (len > 0 && line[len - 1] == '\r')
		len--;
	run->lines++;
	found = vk_explain(&run->explainer, line, len, &e);
	if (!run->cmd.json && (found || !run->only))
		put_line(run->cmd.call->out, line, len);
	if (!found)
		return;
	run->weights[e.weight]++;
	if (e.weight != VK_EXPLAIN_NOTE)
		(void)vk_cmd_ok(&run->cmd, VK_EXIT_FINDINGS);
	capture = capture_of(run, &e);
	if (run->cmd.json)
		list(run, line, len, &e, capture);
	else
		show(run, &e, capture);
}

/* ---- the file */

static bool open_file(struct run *run)
{
	struct vk_error err;

	run->fd = strcmp(run->name, "-") == 0 ? STDIN_FILENO : open(run->name, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (run->fd >= 0)
		return true;
	vk_error_errno(&err, errno, run->name, "cannot open the file");
	return vk_cmd_fail(&run->cmd, &err);
}

/* What is longer than the buffer is seen in pieces: as lines of their own. */
static size_t see_lines(struct run *run, const char *buffer, size_t held, bool at_end)
{
	size_t done = 0;

	while (done < held) {
		const char *end = memchr(buffer + done, '\n', held - done);

		if (end == NULL && !at_end && (done > 0 || held < BUFFER_BYTES))
			break;
		see_line(run, buffer + done, end != NULL ? (size_t)(end - buffer) - done : held - done);
		done = end != NULL ? (size_t)(end - buffer) + 1 : held;
	}
	return done;
}

static bool work(void *ctx)
{
	struct run *run = ctx;
	char *buffer = malloc(BUFFER_BYTES);
	size_t held = 0;
	struct vk_error err;
	ssize_t n = -1;

	run->owner = vk_json_begin();
	run->listed = json_array();
	if (buffer == NULL || !open_file(run)) {
		free(buffer);
		return buffer != NULL ? false : vk_cmd_no_memory(&run->cmd);
	}
	while (n != 0 && !ferror(run->cmd.call->out)) {
		n = read(run->fd, buffer + held, BUFFER_BYTES - held);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			break;
		held += (size_t)n;
		size_t done = see_lines(run, buffer, held, n == 0);
		memmove(buffer, buffer + done, held - done);
		held -= done;
	}
	free(buffer);
	if (n >= 0)
		return true;
	vk_error_errno(&err, errno, run->name, "cannot read the file");
	return vk_cmd_fail(&run->cmd, &err);
}

static void put_text(const void *ctx)
{
	const struct run *run = ctx;
	const uint64_t *w = run->weights;
	const uint64_t all = w[VK_EXPLAIN_NOTE] + w[VK_EXPLAIN_ATTENTION] + w[VK_EXPLAIN_DAMAGE];

	fflush(run->cmd.call->out);
	fprintf(run->cmd.call->err,
		"vmfskit: note: %" PRIu64 " of %" PRIu64 " lines speak of volumes: %" PRIu64 " of damage, %" PRIu64
		" to attend to\n",
		all, run->lines, w[VK_EXPLAIN_DAMAGE], w[VK_EXPLAIN_ATTENTION]);
}

static void put_json(const void *ctx, struct vk_json *root)
{
	const struct run *run = ctx;

	root->failed |= run->owner.failed;
	VK_JSON_SET(root, VK_KEY("lines", run->lines), VK_KEY("explained", json_incref(run->listed)),
		    VK_KEY("more", run->more));
}

static void end(void *ctx)
{
	struct run *run = ctx;

	vk_kept_free(&run->kept);
	json_decref(run->listed);
	json_decref(vk_json_end(&run->owner));
	if (run->fd > STDIN_FILENO)
		close(run->fd);
}

VK_CMD_VERB(run_explain, struct run, "vmfskit.explain/1", read_options, work, put_json, put_text, end)

static const struct vk_cli_option options[] = {
	VK_STORE_OPTION,
	{.name = "only", .help = "leave out the lines of which nothing is said"},
	VK_JSON_OPTION,
	{.name = NULL},
};

static const struct vk_cli_example examples[] = {
	{"vmfskit explain --only vmkernel.log", "what a log says of volumes"},
	{"ssh esx1 esxcfg-volume -l | vmfskit explain -", "why a datastore is not mounted"},
	{NULL, NULL},
};

const struct vk_cli_verb vk_verb_explain = {
	.name = "explain",
	.arguments = "FILE",
	.purpose = "say what lines of VMware's logs and tools mean for volumes",
	.description =
		"Reads vmkernel.log, vobd.log, or what esxcfg-volume -l, esxcli storage vmfs snapshot list, esxcli "
		"storage vmfs extent list, voma, partedUtil getptbl, vmkfstools -P and -D, or esxcfg-scsidevs -m "
		"printed; - is standard input. Each line is printed as it is. Below a line that concerns a volume "
		"stands what it means, of which device or volume it speaks when it does not say so itself, the newest "
		"capture of that in the store, and, once for each message, what to do next.\n\nOnly messages that were "
		"published word for word are explained. Of every other line nothing is said, which does not mean that "
		"nothing is wrong.\n\nThe exit code is 1 when a line speaks of damage, or of a volume that is not "
		"mounted as it was. --json lists the explained lines, at most 100000 of them.",
	.options = options,
	.examples = examples,
	.least_arguments = 1,
	.most_arguments = 1,
	.run = run_explain,
};
