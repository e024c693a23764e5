/* SPDX-License-Identifier: Apache-2.0 */
/* Pins of captures: small files beside them, put in place whole. */
#include "store/retention/pins.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/command.h"
#include "base/crash_point.h"
#include "base/memory.h"
#include "store/folder/folder.h"
#include "store/folder/reader.h"

#define PINS_FOLDER ".pins"

static enum vk_status failed(const char *store, const char *what, struct vk_error *err)
{
	vk_error_errno(err, errno, store, "cannot %s the pins of the store", what);
	return vk_error_remedy(err, "look at %s/" PINS_FOLDER ": it should be a folder of yours", store);
}

/* ret_fd -1 and VK_OK: there is none and it was not to be made. */
static enum vk_status open_pins(int store_fd, const char *store, bool make, int *ret_fd, struct vk_error *err)
{
	if (make && (vk_step_fails("pins folder: mkdir") || mkdirat(store_fd, PINS_FOLDER, 0700) != 0) &&
	    errno != EEXIST)
		return failed(store, "make the folder of", err);
	*ret_fd = openat(store_fd, PINS_FOLDER, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (*ret_fd < 0 && (errno != ENOENT || make))
		return failed(store, "open", err);
	if (make && fsync(store_fd) != 0) {
		close(*ret_fd);
		return failed(store, "flush", err);
	}
	return VK_OK;
}

/* For vk_each_entry; errno is ENOMEM when memory ran out. */
static bool add_pin(void *ctx, int pins_fd, const char *name)
{
	struct vk_pins *pins = ctx;
	struct vk_error ignored;
	struct vk_text text;
	struct vk_pin *pin;
	char *bytes;
	size_t len;

	if (name[0] == '.' || strlen(name) >= VK_CAPTURE_ID_BYTES)
		return true;
	pin = vk_append(&pins->items, &pins->count, NULL, sizeof(*pin));
	if (pin == NULL)
		return false;
	memcpy(pin->id, name, strlen(name) + 1);
	text = vk_text_in(pin->reason, sizeof(pin->reason));
	if (vk_folder_slurp(pins_fd, name, VK_PIN_REASON_BYTES, &bytes, &len, &ignored) != VK_OK)
		return true;
	while (len > 0 && bytes[len - 1] == '\n')
		len--;
	vk_text_label(&text, (const uint8_t *)bytes, len);
	free(bytes);
	return true;
}

enum vk_status vk_pins_read(int store_fd, const char *store, struct vk_pins *ret_pins, struct vk_error *err)
{
	enum vk_status status;
	int fd;

	*ret_pins = (struct vk_pins){.count = 0};
	status = open_pins(store_fd, store, false, &fd, err);
	if (status != VK_OK || fd < 0)
		return status;
	if (!vk_each_entry(fd, add_pin, ret_pins)) {
		status = failed(store, "list", err);
		vk_pins_free(ret_pins);
	}
	close(fd);
	return status;
}

const struct vk_pin *vk_pins_find(const struct vk_pins *pins, const char *id)
{
	for (size_t i = 0; i < pins->count; i++)
		if (strcmp(pins->items[i].id, id) == 0)
			return &pins->items[i];
	return NULL;
}

void vk_pins_free(struct vk_pins *pins)
{
	free(pins->items);
	memset(pins, 0, sizeof(*pins));
}

static bool plain_id(const char *id)
{
	return id[0] != '\0' && id[0] != '.' && strchr(id, '/') == NULL && strlen(id) < VK_CAPTURE_ID_BYTES;
}

static bool is_there(int store_fd, const char *id)
{
	struct stat st;

	return plain_id(id) && fstatat(store_fd, id, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode);
}

static enum vk_status absent(const char *store, const char *id, struct vk_error *err)
{
	vk_error_set(err, VK_ABSENT, store, "there is no capture %s in the store", id);
	return vk_error_remedy(err, "vmfskit list --store %s shows the captures", vk_shell_path(store).text);
}

enum vk_status vk_pin_set(int store_fd, const char *store, const char *id, const char *reason,
			  struct vk_error *err)
{
	char text[VK_PIN_REASON_BYTES + 1];
	enum vk_status status;
	int fd;

	if (reason != NULL && (strlen(reason) >= VK_PIN_REASON_BYTES - 1 || !vk_text_printable(reason)))
		return vk_error_set(err, VK_USAGE, NULL,
				    "the reason is longer than %d bytes or has control characters in it",
				    VK_PIN_REASON_BYTES - 2);
	if (!is_there(store_fd, id))
		return absent(store, id, err);
	if (reason == NULL && vk_pin_holds(store_fd, id))
		return VK_OK;
	status = open_pins(store_fd, store, true, &fd, err);
	if (status != VK_OK)
		return status;
	snprintf(text, sizeof(text), "%s%s", reason != NULL ? reason : "",
		 reason != NULL && reason[0] != '\0' ? "\n" : "");
	if (vk_replace_file(fd, id, text, strlen(text), "pin", err) != VK_OK)
		status = failed(store, "write", err);
	/*
	 * a prune that was just removing it looks for the pin after it renamed the folder, and we for the folder
	 * after the pin is there
	 */
	if (status == VK_OK && !is_there(store_fd, id)) {
		unlinkat(fd, id, 0);
		status = absent(store, id, err);
	}
	close(fd);
	return status;
}

enum vk_status vk_pin_clear(int store_fd, const char *store, const char *id, bool *ret_was,
			    struct vk_error *err)
{
	enum vk_status status;
	int fd;

	*ret_was = false;
	if (!plain_id(id))
		return absent(store, id, err);
	status = open_pins(store_fd, store, false, &fd, err);
	if (status == VK_OK && fd >= 0) {
		vk_crash_point("pin: unlink");
		*ret_was = unlinkat(fd, id, 0) == 0;
		if (!*ret_was && errno != ENOENT)
			status = failed(store, "remove one of", err);
		else if (*ret_was && fsync(fd) != 0)
			status = failed(store, "flush", err);
		close(fd);
	}
	if (status == VK_OK && !*ret_was && !is_there(store_fd, id))
		return absent(store, id, err);
	return status;
}

bool vk_pin_holds(int store_fd, const char *id)
{
	char name[VK_CAPTURE_ID_BYTES + 8];
	struct stat st;

	snprintf(name, sizeof(name), PINS_FOLDER "/%s", id);
	return fstatat(store_fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 || (errno != ENOENT && errno != ENOTDIR);
}
