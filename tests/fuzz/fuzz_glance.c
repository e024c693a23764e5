/* SPDX-License-Identifier: Apache-2.0 */
/* A manifest at a glance: what is taken from the text is fit to be shown, and is what reading all of it gives. */
#include "fuzz.h"
#include "store/manifest/glance.h"
#include "store/manifest/manifest.h"

/* As it stands in the JSON. */
static void agree(const char *glanced, const char *read)
{
	FUZZ_ASSERT(strchr(glanced, '\\') != NULL || strcmp(glanced, read) == 0);
}

static enum vk_status take(const uint8_t *data, size_t size, struct vk_glance *glance)
{
	struct vk_error err = {.status = VK_OK};
	char *text = malloc(size + 1);
	enum vk_status status;

	FUZZ_ASSERT(text != NULL);
	if (size > 0)
		memcpy(text, data, size);
	text[size] = '\0';
	status = vk_glance_take(text, glance, &err);
	free(text);
	FUZZ_ASSERT(status == VK_OK || err.what[0] != '\0');
	return status;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct vk_glance glance, again;
	struct vk_manifest manifest;
	struct vk_error err;
	bool canonical = false;
	enum vk_status status = take(data, size, &glance);

	if (status == VK_OK) {
		const char *const values[] = {glance.id,   glance.purpose, glance.time,   glance.ended, glance.host,
					      glance.path, glance.kind,    glance.serial, glance.wwid};

		for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++)
			fuzz_text(values[i], size + 1);
		FUZZ_ASSERT(take(data, size, &again) == VK_OK && again.content == glance.content);
		vk_glance_free(&again);
	}
	if (vk_manifest_read((const char *)data, size, "here", &manifest, &canonical, &err) == VK_OK) {
		const struct vk_capture *c = &manifest.capture;

		FUZZ_ASSERT(!canonical || status == VK_OK);
		if (canonical) {
			agree(glance.id, c->id);
			agree(glance.time, c->time);
			agree(glance.host, c->host);
			agree(glance.path, c->source_path);
			agree(glance.serial, c->disk_serial);
			agree(glance.wwid, c->wwid);
		}
		vk_manifest_free(&manifest);
	}
	if (status == VK_OK)
		vk_glance_free(&glance);
	return 0;
}
