/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A live LUN from its block device: sysfs, and SG_IO for the pages that sysfs does not have. INQUIRY is the only
 * command that is ever sent; it changes nothing and takes no reservation.
 */
#include <fcntl.h>
#include <scsi/sg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "scsi/device_info.h"
#include "scsi/live_lun.h"

enum { PAGE_BYTES = VK_SYSFS_VALUE_BYTES, INQUIRY = 0x12, ASKED_BYTES = 252, TIMEOUT_MS = 5000 };

struct reading {
	struct vk_live_lun *lun;
	int fd;
	bool found;
};

/* One page, or INQUIRY itself with page 0; 0: the device does not answer. */
static size_t ask(int fd, uint8_t page, uint8_t buf[PAGE_BYTES])
{
	uint8_t command[6] = {INQUIRY, page != 0, page, 0, ASKED_BYTES, 0};
	uint8_t sense[32];
	struct sg_io_hdr io = {.interface_id = 'S', .cmd_len = sizeof(command), .mx_sb_len = sizeof(sense),
			       .dxfer_direction = SG_DXFER_FROM_DEV, .dxfer_len = ASKED_BYTES, .dxferp = buf,
			       .cmdp = command, .sbp = sense, .timeout = TIMEOUT_MS};

	if (fd < 0 || ioctl(fd, SG_IO, &io) != 0 || io.status != 0 || io.host_status != 0 || io.driver_status != 0 ||
	    io.resid < 0 || io.resid > ASKED_BYTES)
		return 0;
	return ASKED_BYTES - (size_t)io.resid;
}

/* "../../../3:0:0:4": host, channel, target and LUN. */
static void read_lun(int dir_fd, struct vk_live_lun *lun)
{
	char target[4096];
	ssize_t n = readlinkat(dir_fd, "device", target, sizeof(target) - 1);
	const char *last;
	unsigned host, channel, id;
	unsigned long long number;
	int used = 0;

	target[n > 0 ? n : 0] = '\0';
	last = strrchr(target, '/');
	last = last != NULL ? last + 1 : target;
	if (sscanf(last, "%u:%u:%u:%llu%n", &host, &channel, &id, &number, &used) == 4 && last[used] == '\0' &&
	    number <= UINT16_MAX)
		vk_live_lun_add_path(lun, (uint16_t)number);
}

static bool read_line(int dir_fd, const char *name, char *ret_text, size_t cap)
{
	uint8_t buf[VK_SYSFS_VALUE_BYTES];
	size_t len, used = 0;

	if (!vk_sysfs_bytes(dir_fd, name, buf, &len))
		return false;
	while (used < len && used + 1 < cap && buf[used] >= ' ' && buf[used] <= '~')
		used++;
	memcpy(ret_text, buf, used);
	while (used > 0 && ret_text[used - 1] == ' ')
		used--;
	ret_text[used] = '\0';
	return used > 0;
}

/* NVMe: "6479a738-0000-..." and "00 25 38 ..." as the hexadecimal digits of a name; a number of zeros is none. */
static void add_number(int dir_fd, const char *attribute, const char *prefix, struct vk_live_lun *lun)
{
	char text[120], name[VK_SCSI_NAME_BYTES];
	size_t used = strlen(prefix);
	bool any = false;

	if (!read_line(dir_fd, attribute, text, sizeof(text)))
		return;
	memcpy(name, prefix, used);
	for (const char *c = text; *c != '\0'; c++) {
		if (strchr("0123456789abcdef", *c) == NULL)
			continue;
		any = any || *c != '0';
		name[used++] = *c;
	}
	name[used] = '\0';
	if (any)
		vk_live_lun_add_name(lun, name);
}

/* What the kernel made of page 83h (or of an NVMe namespace) counts where the page itself cannot be had. */
static void read_wwid(int dir_fd, struct vk_live_lun *lun)
{
	char wwid[VK_SCSI_NAME_BYTES];
	struct vk_live_lun named;
	struct vk_error ignored;

	if ((!read_line(dir_fd, "wwid", wwid, sizeof(wwid)) && !read_line(dir_fd, "device/wwid", wwid, sizeof(wwid))) ||
	    !vk_live_lun_is_name(wwid) || strncmp(wwid, "t10.", 4) == 0 ||
	    vk_live_lun_of_name(wwid, &named, &ignored) != VK_OK)
		return;
	named.id.lun = lun->id.lun;
	named.id.deviceType = lun->id.deviceType;
	lun->id = named.id;
	lun->kind_known = named.kind_known;
	lun->id_known = named.id_known;
	vk_live_lun_add_name(lun, named.name);
}

static bool read_disk(void *ctx, int dir_fd)
{
	static const char *const numbers[][2] = {{"nguid", "eui."}, {"eui", "eui."}, {"uuid", "uuid."}};
	struct reading *r = ctx;
	uint8_t inquiry[PAGE_BYTES], page80[PAGE_BYTES], page83[PAGE_BYTES], probe[PAGE_BYTES];
	struct vk_lun_pages pages = {.inquiry = inquiry, .page80 = page80, .page83 = page83};
	struct vk_live_lun first;
	char model[40];
	size_t len;

	read_lun(dir_fd, r->lun);
	/* every path is the same LUN: what the first one says of it stands */
	if (r->found)
		return true;
	(void)vk_sysfs_bytes(dir_fd, "device/inquiry", inquiry, &pages.inquiry_len);
	(void)vk_sysfs_bytes(dir_fd, "device/vpd_pg80", page80, &pages.page80_len);
	(void)vk_sysfs_bytes(dir_fd, "device/vpd_pg83", page83, &pages.page83_len);
	if (vk_sysfs_bytes(dir_fd, "device/scsi_level", probe, &len)) {
		if (pages.inquiry_len == 0)
			pages.inquiry_len = ask(r->fd, 0, inquiry);
		if (pages.page83_len == 0)
			pages.page83_len = ask(r->fd, 0x83, page83);
		if (pages.page80_len == 0)
			pages.page80_len = ask(r->fd, 0x80, page80);
	}
	first = *r->lun;
	vk_live_lun_of_pages(&pages, r->lun);
	for (size_t i = 0; i < first.lun_count; i++)
		vk_live_lun_add_path(r->lun, first.luns[i]);
	if (r->lun->model[0] == '\0' && read_line(dir_fd, "device/model", model, sizeof(model)))
		vk_live_lun_set_model(r->lun, model, strlen(model));
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		add_number(dir_fd, numbers[i][0], numbers[i][1], r->lun);
	if (r->lun->name_count > 0 && !r->lun->kind_known && strncmp(r->lun->name, "eui.", 4) == 0) {
		r->lun->kind_known = true;
		r->lun->id.type = VK_SCSI_ID_PATH;
	}
	if (!r->lun->kind_known)
		read_wwid(dir_fd, r->lun);
	if (r->lun->model[0] != '\0' && r->lun->id_known && !r->lun->model_known)
		vk_live_lun_set_model(r->lun, r->lun->model, strlen(r->lun->model));
	r->found = r->lun->name_count > 0;
	return true;
}

bool vk_live_lun_of_sysfs(const char *folder, int fd, struct vk_live_lun *ret_lun)
{
	struct vk_live_lun lun = {.lun_count = 0};
	struct reading r = {.lun = &lun, .fd = fd};
	struct vk_sysfs_walk walk = {.disk = read_disk, .ctx = &r};

	if (!vk_sysfs_walk_disks(folder, &walk) || (!r.found && lun.lun_count == 0))
		return false;
	*ret_lun = lun;
	return true;
}

bool vk_live_lun_of_io(const struct vk_io *io, struct vk_live_lun *ret_lun)
{
	int fd = vk_io_descriptor(io);
	struct stat st;
	char folder[80];

	if (fd < 0 || fstat(fd, &st) != 0 || !S_ISBLK(st.st_mode))
		return false;
	snprintf(folder, sizeof(folder), "/sys/dev/block/%u:%u", major(st.st_rdev), minor(st.st_rdev));
	return vk_live_lun_of_sysfs(folder, fd, ret_lun);
}
