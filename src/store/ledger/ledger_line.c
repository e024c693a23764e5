/* SPDX-License-Identifier: Apache-2.0 */
/* One line of the ledger, written and read. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/texts.h"
#include "base/hex_digit.h"
#include "store/folder/digest.h"
#include "store/ledger/ledger_lines.h"
#include "store/manifest/manifest.h"
#include "store/folder/reader.h"
#include "store/folder/who.h"

enum { LINE_FLAGS = JSON_COMPACT | JSON_PRESERVE_ORDER };
static const char signature_key[] = ",\"signature\":\"";

#define EVENT_WORD(id, word) word,
static const char *const words[] = {VK_EVENTS(EVENT_WORD)};
#undef EVENT_WORD

const char *vk_event_word(enum vk_event_kind kind)
{
	return (unsigned)kind < VK_EVENT_COUNT ? words[kind] : "unknown";
}

bool vk_event_adds(enum vk_event_kind kind)
{
	return kind == VK_EVENT_CAPTURE || kind == VK_EVENT_IMPORT || kind == VK_EVENT_UNDO_CAPTURE ||
	       kind == VK_EVENT_REBUILT_CAPTURE;
}

bool vk_event_removes(enum vk_event_kind kind)
{
	return kind == VK_EVENT_PRUNE || kind == VK_EVENT_ABANDON;
}

bool vk_event_ends_write(enum vk_event_kind kind)
{
	return kind == VK_EVENT_RESTORE || kind == VK_EVENT_UNDO || kind == VK_EVENT_REPAIR;
}

bool vk_event_places(enum vk_event_kind kind)
{
	return vk_event_adds(kind) || vk_event_removes(kind) || vk_event_ends_write(kind) ||
	       kind == VK_EVENT_RESTORE_BEGUN;
}

static bool put(json_t *object, const char *key, json_t *value)
{
	return json_object_set_new(object, key, value) == 0;
}

static bool put_label(json_t *object, const char *key, const char *value, size_t max)
{
	char text[VK_LEDGER_TARGET_BYTES];

	if (value == NULL)
		return true;
	vk_who_label(text, max, value);
	return put(object, key, json_string(text));
}

static bool put_command(json_t *object, const struct vk_store *store)
{
	char **command = vk_who_command(vk_store_command(store), VK_LEDGER_COMMAND_BYTES);
	json_t *array = json_array();
	bool ok = command != NULL && array != NULL;

	for (size_t i = 0; ok && command[i] != NULL; i++)
		ok = json_array_append_new(array, json_string(command[i])) == 0;
	vk_texts_free(command);
	if (ok)
		return put(object, "command", array);
	json_decref(array);
	return false;
}

static bool put_captures(json_t *object, const struct vk_event *event, size_t from, size_t count)
{
	char id[VK_CAPTURE_ID_BYTES];
	json_t *array = json_array();

	for (size_t i = from; i < from + count; i++) {
		vk_who_label(id, sizeof(id), event->captures[i]);
		if (json_array_append_new(array, json_string(id)) != 0) {
			json_decref(array);
			return false;
		}
	}
	return put(object, "captures", array);
}

static char *body_text(const struct vk_event *event, size_t from, size_t count, const struct vk_store *store,
		       uint64_t seq, const char *time, const char *previous)
{
	char host[VK_WHO_HOST_BYTES];
	char user[VK_WHO_USER_BYTES];
	json_t *o = json_object();
	char *text = NULL;

	vk_who_host(host);
	vk_who_user(user);
	if (put(o, "seq", json_integer((json_int_t)seq)) && put(o, "time", json_string(time)) &&
	    put(o, "event", json_string(vk_event_word(event->kind))) && put(o, "host", json_string(host)) &&
	    put(o, "user", json_string(user)) && put(o, "version", json_string(VK_VERSION)) &&
	    put_command(o, store) && put_captures(o, event, from, count) &&
	    put_label(o, "manifest_sha256", event->manifest_sha256, VK_SHA256_HEX_BYTES) &&
	    put_label(o, "target", event->target, VK_LEDGER_TARGET_BYTES) &&
	    put_label(o, "plan", event->plan, VK_SHA256_HEX_BYTES) &&
	    put_label(o, "result", event->result, VK_LEDGER_RESULT_BYTES) &&
	    put(o, "previous", json_string(previous)))
		text = json_dumps(o, LINE_FLAGS);
	json_decref(o);
	return text;
}

static enum vk_status sign_line(const struct vk_sign_key *key, char *body, size_t len, struct vk_text *out,
				struct vk_error *err)
{
	uint8_t signature[VK_SIGNATURE_BYTES];
	enum vk_status status = vk_sign(key, body, len, signature, err);

	if (status != VK_OK)
		return status;
	body[len - 1] = '\0';
	vk_text_put(out, body);
	vk_text_put(out, signature_key);
	vk_text_hex(out, signature, sizeof(signature));
	vk_text_put(out, "\"}\n");
	return VK_OK;
}

enum vk_status vk_ledger_line_write(const struct vk_event *event, size_t from, size_t count,
				    const struct vk_store *store, uint64_t seq, const char *time,
				    const char *previous, char **ret_text, size_t *ret_len, struct vk_error *err)
{
	const struct vk_sign_key *key = vk_store_sign_key(store);
	char *body = body_text(event, from, count, store, seq, time, previous);
	size_t len = body != NULL ? strlen(body) : 0;
	size_t cap = len + sizeof(signature_key) + 2 * VK_SIGNATURE_BYTES + 8;
	char *line = body != NULL ? malloc(cap) : NULL;
	enum vk_status status = VK_OK;
	struct vk_text out;

	if (line == NULL) {
		free(body);
		return vk_no_memory(err, VK_LEDGER_FILE);
	}
	vk_text_init(&out, line, cap);
	if (key != NULL)
		status = sign_line(key, body, len, &out, err);
	else
		vk_text_fmt(&out, "%s\n", body);
	free(body);
	if (status == VK_OK && out.len_bytes > VK_LEDGER_LINE_MAX)
		status = vk_error_set(err, VK_INTERNAL, VK_LEDGER_FILE, "a line of the ledger became too long");
	if (status != VK_OK) {
		free(line);
		return status;
	}
	*ret_text = line;
	*ret_len = out.len_bytes;
	return VK_OK;
}

static bool from_hex(const char *text, uint8_t *ret_bytes, size_t len)
{
	if (strlen(text) != 2 * len || strspn(text, "0123456789abcdef") != 2 * len)
		return false;
	for (size_t i = 0; i < len; i++)
		ret_bytes[i] = vk_hex_byte(text + 2 * i);
	return true;
}

/* The last member, with exactly our spelling of it: what is signed is then what stands before it. */
static void read_signature(struct vk_reader *r, const json_t *root, size_t len, struct vk_ledger_line *line)
{
	char hex[2 * VK_SIGNATURE_BYTES + 1];
	size_t tail = sizeof(signature_key) - 1 + 2 * VK_SIGNATURE_BYTES + sizeof("\"}") - 1;
	void *iter = json_object_iter((json_t *)(uintptr_t)root);
	const char *last = "";

	line->body_len = len - 1;
	if (json_object_get(root, "signature") == NULL)
		return;
	for (; iter != NULL; iter = json_object_iter_next((json_t *)(uintptr_t)root, iter))
		last = json_object_iter_key(iter);
	vk_reader_text(r, root, "signature", hex, sizeof(hex));
	if (r->ok && (strcmp(last, "signature") != 0 || len < tail ||
		      !from_hex(hex, line->signature, sizeof(line->signature))))
		vk_reader_fail(r, "signature", "is not one");
	if (!r->ok)
		return;
	line->is_signed = true;
	line->body_len = len - tail;
}

static enum vk_event_kind event_kind(const char *word)
{
	for (unsigned i = 0; i < VK_EVENT_COUNT; i++)
		if (strcmp(words[i], word) == 0)
			return (enum vk_event_kind)i;
	return VK_EVENT_COUNT;
}

static void read_digest(struct vk_reader *r, const json_t *root, const char *key, char ret_hex[VK_SHA256_HEX_BYTES])
{
	vk_reader_text(r, root, key, ret_hex, VK_SHA256_HEX_BYTES);
	if (r->ok && !vk_sha256_text(ret_hex))
		vk_reader_fail(r, key, "is not a digest");
}

static void read_line(struct vk_reader *r, const json_t *root, struct vk_ledger_line *line)
{
	char word[64] = "";
	char text[VK_WHO_HOST_BYTES];

	line->seq = vk_reader_number(r, root, "seq", VK_LEDGER_SEQ_MAX);
	if (r->ok && line->seq == 0)
		vk_reader_fail(r, "seq", "is out of range");
	vk_reader_text(r, root, "time", line->time, sizeof(line->time));
	vk_reader_text(r, root, "event", word, sizeof(word));
	line->kind = event_kind(word);
	vk_reader_text(r, root, "host", text, sizeof(text));
	vk_reader_text(r, root, "user", text, sizeof(text));
	vk_reader_text(r, root, "version", text, sizeof(text));
	vk_reader_newer_texts(r, root, "captures", &line->captures);
	for (size_t i = 0; r->ok && line->captures != NULL && line->captures[i] != NULL; i++)
		if (strlen(line->captures[i]) >= VK_CAPTURE_ID_BYTES)
			vk_reader_fail(r, "captures", "has a name that is too long");
	if (json_object_get(root, "manifest_sha256") != NULL)
		read_digest(r, root, "manifest_sha256", line->manifest_sha256);
	else if (vk_event_adds(line->kind))
		vk_reader_fail(r, "manifest_sha256", "is missing");
	read_digest(r, root, "previous", line->previous);
}

static bool is_canonical(const json_t *root, const char *text, size_t len)
{
	char *again = json_dumps(root, LINE_FLAGS);
	bool same = again != NULL && strlen(again) == len && memcmp(again, text, len) == 0;

	free(again);
	return same;
}

enum vk_status vk_ledger_line_read(const char *text, size_t len, struct vk_ledger_line *ret_line,
				   struct vk_error *err)
{
	struct vk_reader r = {.what = "the line", .where = VK_LEDGER_FILE, .err = err, .ok = true, .status = VK_OK};
	json_error_t error;
	json_t *root;

	memset(ret_line, 0, sizeof(*ret_line));
	root = len > 0 && text[0] == '{' ? json_loadb(text, len, JSON_REJECT_DUPLICATES, &error) : NULL;
	if (root == NULL)
		return vk_error_set(err, VK_DAMAGED, VK_LEDGER_FILE, "the line is no JSON object");
	read_line(&r, root, ret_line);
	read_signature(&r, root, len, ret_line);
	if (r.ok && !is_canonical(root, text, len))
		r.status = vk_error_set(err, VK_DAMAGED, VK_LEDGER_FILE, "the line is not written as vmfskit writes it");
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
