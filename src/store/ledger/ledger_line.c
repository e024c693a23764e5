/* SPDX-License-Identifier: Apache-2.0 */
/* One line of the ledger, written and read. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/texts.h"
#include "base/hex_digit.h"
#include "base/json.h"
#include "store/folder/digest.h"
#include "store/ledger/ledger_lines.h"
#include "store/manifest/manifest.h"
#include "store/folder/reader.h"
#include "store/folder/identity_of_run.h"

enum { LINE_FLAGS = JSON_COMPACT | JSON_PRESERVE_ORDER };
static const char signature_key[] = ",\"signature\":\"";

static const struct {
	const char *word;
	unsigned effects;
} events[VK_EVENT_COUNT] = {
#define EVENT(id, word, effects) {word, effects},
	VK_EVENTS(EVENT)
#undef EVENT
};

const char *vk_event_word(enum vk_event_kind kind)
{
	return (unsigned)kind < VK_EVENT_COUNT ? events[kind].word : "unknown";
}

unsigned vk_event_effects(enum vk_event_kind kind)
{
	return (unsigned)kind < VK_EVENT_COUNT ? events[kind].effects : 0;
}

/* The line without its signature. Free it; NULL when memory ran out. */
static char *body_text(const struct vk_event *event, size_t from, size_t count, const struct vk_ledger_line *place,
		       const char *const *command)
{
	const struct {
		const char *key;
		const char *value;
		size_t max;
	} labels[] = {
		{"manifest_sha256", event->manifest_sha256, VK_SHA256_HEX_BYTES},
		{"target", event->target, VK_LEDGER_TARGET_BYTES},
		{"plan", event->plan, VK_SHA256_HEX_BYTES},
		{"result", event->result, VK_LEDGER_RESULT_BYTES},
	};
	char label[VK_LEDGER_TARGET_BYTES], host[VK_WHO_HOST_BYTES], user[VK_WHO_USER_BYTES];
	char **words = vk_who_command(command, VK_LEDGER_COMMAND_BYTES);
	json_t *command_json = words != NULL ? json_array() : NULL;
	json_t *captures = json_array();
	struct vk_json o = vk_json_begin();
	json_t *root;
	char *text;

	vk_who_host(host);
	vk_who_user(user);
	vk_json_set(&o, "seq", json_integer((json_int_t)place->seq));
	vk_json_set(&o, "time", json_string(place->time));
	vk_json_set(&o, "event", json_string(vk_event_word(event->kind)));
	vk_json_set(&o, "host", json_string(host));
	vk_json_set(&o, "user", json_string(user));
	vk_json_set(&o, "version", json_string(VK_VERSION));
	for (size_t i = 0; words != NULL && words[i] != NULL; i++)
		vk_json_append(command_json, json_string(words[i]), &o);
	vk_texts_free(words);
	vk_json_set(&o, "command", command_json);
	for (size_t i = from; i < from + count; i++) {
		vk_who_label(label, VK_CAPTURE_ID_BYTES, event->captures[i]);
		vk_json_append(captures, json_string(label), &o);
	}
	vk_json_set(&o, "captures", captures);
	for (size_t i = 0; i < sizeof(labels) / sizeof(labels[0]); i++) {
		if (labels[i].value == NULL)
			continue;
		vk_who_label(label, labels[i].max, labels[i].value);
		vk_json_set(&o, labels[i].key, json_string(label));
	}
	vk_json_set(&o, "previous", json_string(place->previous));
	root = vk_json_end(&o);
	text = root != NULL ? json_dumps(root, LINE_FLAGS) : NULL;
	json_decref(root);
	return text;
}

enum vk_status vk_ledger_line_write(const struct vk_event *event, size_t from, size_t count,
				    const struct vk_ledger_line *place, const char *const *command,
				    const struct vk_sign_key *key, char **ret_text, size_t *ret_len,
				    struct vk_error *err)
{
	char *body = body_text(event, from, count, place, command);
	size_t len = body != NULL ? strlen(body) : 0;
	uint8_t signature[VK_SIGNATURE_BYTES];
	char hex[2 * VK_SIGNATURE_BYTES + 1];
	struct vk_text text;
	enum vk_status status = VK_OK;
	int n = -1;

	if (body != NULL && key != NULL)
		status = vk_sign(key, body, len, signature, err);
	if (body != NULL && status == VK_OK && key != NULL) {
		text = vk_text_in(hex, sizeof(hex));
		vk_text_hex(&text, signature, sizeof(signature));
		n = asprintf(ret_text, "%.*s%s%s\"}\n", (int)len - 1, body, signature_key, hex);
	} else if (body != NULL && status == VK_OK) {
		n = asprintf(ret_text, "%s\n", body);
	}
	free(body);
	if (status != VK_OK)
		return status;
	if (n < 0)
		return vk_no_memory(err, VK_LEDGER_FILE);
	*ret_len = (size_t)n;
	if (*ret_len <= VK_LEDGER_LINE_MAX)
		return VK_OK;
	free(*ret_text);
	return vk_error_set(err, VK_INTERNAL, VK_LEDGER_FILE, "a line of the ledger became too long");
}

/*
 * The last member, with exactly our spelling of it: what is signed is then what stands before it. That the rest is
 * spelt as vmfskit spells it is checked over the whole line.
 */
static void read_signature(struct vk_json_reader *r, const json_t *root, const char *text, size_t len,
			   struct vk_ledger_line *line)
{
	const size_t key_len = sizeof(signature_key) - 1;
	const size_t hex_len = 2 * VK_SIGNATURE_BYTES;
	const size_t tail = key_len + hex_len + sizeof("\"}") - 1;
	const char *hex;

	line->body_len = len - 1;
	if (!r->ok || json_object_get(root, "signature") == NULL)
		return;
	hex = text + (len < tail ? 0 : len - tail + key_len);
	if (len < tail || memcmp(hex - key_len, signature_key, key_len) != 0 ||
	    strspn(hex, "0123456789abcdef") < hex_len) {
		vk_reader_fail(r, "signature", "is not one");
		return;
	}
	for (size_t i = 0; i < sizeof(line->signature); i++)
		line->signature[i] = vk_hex_byte(hex + 2 * i);
	line->is_signed = true;
	line->body_len = len - tail;
}

static void read_line(struct vk_json_reader *r, const json_t *root, struct vk_ledger_line *line)
{
	char word[64] = "";
	char text[VK_WHO_HOST_BYTES];

	line->seq = vk_reader_number(r, root, "seq", VK_LEDGER_SEQ_MAX);
	if (r->ok && line->seq == 0)
		vk_reader_fail(r, "seq", "is out of range");
	vk_reader_text(r, root, "time", line->time, sizeof(line->time));
	vk_reader_text(r, root, "event", word, sizeof(word));
	for (line->kind = 0; line->kind < VK_EVENT_COUNT && strcmp(events[line->kind].word, word) != 0;)
		line->kind++;
	vk_reader_text(r, root, "host", text, sizeof(text));
	vk_reader_text(r, root, "user", text, sizeof(text));
	vk_reader_text(r, root, "version", text, sizeof(text));
	vk_reader_newer_texts(r, root, "captures", &line->captures);
	for (size_t i = 0; r->ok && line->captures != NULL && line->captures[i] != NULL; i++)
		if (strlen(line->captures[i]) >= VK_CAPTURE_ID_BYTES)
			vk_reader_fail(r, "captures", "has a name that is too long");
	if (json_object_get(root, "manifest_sha256") != NULL)
		vk_reader_digest(r, root, "manifest_sha256", line->manifest_sha256);
	else if ((vk_event_effects(line->kind) & VK_EFFECT_ADDS) != 0)
		vk_reader_fail(r, "manifest_sha256", "is missing");
	vk_reader_digest(r, root, "previous", line->previous);
}

enum vk_status vk_ledger_line_read(const char *text, size_t len, struct vk_ledger_line *ret_line,
				   struct vk_error *err)
{
	struct vk_json_reader r = {
		.what = "the line", .where = VK_LEDGER_FILE, .err = err, .ok = true, .status = VK_OK};
	json_error_t error;
	json_t *root;

	memset(ret_line, 0, sizeof(*ret_line));
	root = len > 0 && text[0] == '{' ? json_loadb(text, len, JSON_REJECT_DUPLICATES, &error) : NULL;
	if (root == NULL)
		return vk_error_set(err, VK_DAMAGED, VK_LEDGER_FILE, "the line is not a JSON object");
	read_line(&r, root, ret_line);
	read_signature(&r, root, text, len, ret_line);
	if (r.ok && !vk_reader_spelt(root, LINE_FLAGS, text, len))
		r.status =
			vk_error_set(err, VK_DAMAGED, VK_LEDGER_FILE, "the line is not written as vmfskit writes it");
	json_decref(root);
	return r.status;
}

void vk_ledger_line_free(struct vk_ledger_line *line)
{
	vk_texts_free(line->captures);
	line->captures = NULL;
}

bool vk_ledger_line_fits(const struct vk_ledger_line *line, const char *text, size_t len,
			 const struct vk_public_key *key)
{
	char *body;
	bool fits;

	if (!line->is_signed || line->body_len >= len)
		return false;
	body = malloc(line->body_len + 1);
	if (body == NULL)
		return false;
	memcpy(body, text, line->body_len);
	body[line->body_len] = '}';
	fits = vk_signature_fits(key, body, line->body_len + 1, line->signature);
	free(body);
	return fits;
}
