/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The forms in which files hold a disk: one row for each. Some are unfolded by us; of all others (containers of virtual
 * machines, evidence files, compressed streams) it is known only how to get at the disk.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/command.h"
#include "base/memory.h"
#include "io/image/bundle_form.h"
#include "io/io_handle.h"
#include "vmfskit/text.h"

#define EWFMOUNT "ewfmount FILE FOLDER, then name FOLDER/ewf1"
#define CONVERT "qemu-img convert -O raw FILE disk.img, or without a copy: qemu-nbd -r -c /dev/nbd0 FILE"

enum { VHD_FIXED = 2, VHD_TYPE_AT = 60, VHD_CHECKSUM_AT = 64 };

/* The footer's checksum is the complement of the sum of its other bytes; Microsoft, Virtual Hard Disk Image Format. */
static bool vhd_footer_fits(const uint8_t *footer)
{
	uint32_t sum = 0;

	for (size_t i = 0; i < VK_IMAGE_TAIL_BYTES; i++)
		if (i < VHD_CHECKSUM_AT || i >= VHD_CHECKSUM_AT + 4)
			sum += footer[i];
	return vk_get_be32(footer + VHD_CHECKSUM_AT) == ~sum;
}

static bool is_fixed_vhd(const uint8_t *footer)
{
	return vhd_footer_fits(footer) && vk_get_be32(footer + VHD_TYPE_AT) == VHD_FIXED;
}

static bool is_other_vhd(const uint8_t *footer)
{
	return vhd_footer_fits(footer) && vk_get_be32(footer + VHD_TYPE_AT) != VHD_FIXED;
}

/* Versions 1 to 3, big-endian behind the magic. */
static bool is_qcow(const uint8_t *head)
{
	return vk_get_be32(head + 4) >= 1 && vk_get_be32(head + 4) <= 3;
}

/* In front of the magic stands what lets zstd skip it. */
static bool is_bundle(const uint8_t *head)
{
	return vk_get_le32(head) == VK_BUNDLE_SKIPPED;
}

/* Deflate is the only method, and three bits of the flags are reserved (RFC 1952). */
static bool is_gzip(const uint8_t *head)
{
	return (head[3] & 0xe0) == 0;
}

/* The magic is that of the first block; in front of it stands the size of blocks. */
static bool is_bzip2(const uint8_t *head)
{
	return memcmp(head, "BZh", 3) == 0 && head[3] >= '1' && head[3] <= '9';
}

#define MAGIC(text) text, sizeof(text) - 1

/* What is checked behind the magic keeps short ones from being met by chance. */
static const struct vk_image_format formats[] = {
	{"qcow2 image", 0, MAGIC("QFI\xfb"), is_qcow, CONVERT, false},
	{"sparse VMDK", 0, MAGIC("KDMV"), NULL, CONVERT, false},
	{"sparse VMDK of ESX (vmfsSparse)", 0, MAGIC("COWD"), NULL, CONVERT, false},
	{"sparse VMDK of ESXi 6.5 and later (seSparse)", 0, MAGIC("\xbe\xba\xfe\xca\0\0\0\0"), NULL, CONVERT, false},
	{"VMDK descriptor, a text that names the files of a disk", 0, MAGIC("# Disk DescriptorFile"), NULL,
	 "name the -flat.vmdk that it refers to, or: " CONVERT, false},
	{"VHDX image", 0, MAGIC("vhdxfile"), NULL, CONVERT, false},
	{"dynamic VHD", 0, MAGIC("conectix"), NULL, CONVERT, false},
	{"dynamic VHD", 512, MAGIC("cxsparse"), NULL, CONVERT, false},
	{"VDI image", 0x40, MAGIC("\x7f\x10\xda\xbe"), NULL, CONVERT, false},
	{"QED image", 0, MAGIC("QED\0"), NULL, CONVERT, false},
	{"Parallels image", 0, MAGIC("WithoutFreeSpace"), NULL, CONVERT, false},
	{"Parallels image", 0, MAGIC("WithouFreSpacExt"), NULL, CONVERT, false},
	{"EWF evidence file (E01)", 0, MAGIC("EVF\x09\x0d\x0a\xff\0"), NULL, EWFMOUNT, false},
	{"EWF evidence file (Ex01)", 0, MAGIC("EVF2\x0d\x0a\x81\0"), NULL, EWFMOUNT, false},
	{"AFF evidence file", 0, MAGIC("AFF10\x0d\x0a\0"), NULL,
	 "affuse FILE FOLDER, then name the raw file in FOLDER", false},
	{"partclone image", 0, MAGIC("partclone-image"), NULL, "partclone.restore -C -s FILE -O disk.img", false},
	{"gzip stream", 0, MAGIC("\x1f\x8b\x08"), is_gzip, "gzip -dc FILE > disk.img", false},
	{"vmfskit bundle", VK_BUNDLE_SKIPPED_BYTES, VK_BUNDLE_HEAD, VK_BUNDLE_MAGIC_BYTES, is_bundle,
	 "vmfskit decode FILE", false},
	{"xz stream", 0, MAGIC("\xfd" "7zXZ\0"), NULL, "xz -dc FILE > disk.img", false},
	{"zstd stream", 0, MAGIC("\x28\xb5\x2f\xfd"), NULL, "zstd -dc FILE > disk.img", false},
	{"lz4 stream", 0, MAGIC("\x04\x22\x4d\x18"), NULL, "lz4 -dc FILE > disk.img", false},
	{"bzip2 stream", 4, MAGIC("\x31\x41\x59\x26\x53\x59"), is_bzip2, "bzip2 -dc FILE > disk.img", false},
	{"lzop stream", 0, MAGIC("\x89LZO\0\x0d\x0a\x1a\x0a"), NULL, "lzop -dc FILE > disk.img", false},
	{"zip archive", 0, MAGIC("PK\x03\x04"), NULL,
	 "unzip FILE; an AFF4 evidence file is one, too: open it with aff4imager", false},
	{"7z archive", 0, MAGIC("7z\xbc\xaf\x27\x1c"), NULL, "7z x FILE", false},
	/* of these the last 512 bytes are looked at */
	{"DMG image", VK_IMAGE_AT_TAIL, MAGIC("koly\0\0\0\x04"), NULL, CONVERT, false},
	{"dynamic VHD", VK_IMAGE_AT_TAIL, MAGIC("conectix"), is_other_vhd, CONVERT, false},
	{"fixed VHD", VK_IMAGE_AT_TAIL, MAGIC("conectix"), is_fixed_vhd,
	 "all bytes before its footer are the disk: losetup --find --show --sizelimit BYTES FILE",
	 true},
};

void vk_image_format_put_open(const struct vk_image_format *format, const char *path, struct vk_text *text)
{
	static const char word[] = "FILE";
	const struct vk_shell_word name = vk_shell_path(path);
	const char *from = format->open, *at;

	while (strcmp(path, "-") != 0 && (at = strstr(from, word)) != NULL) {
		vk_text_fmt(text, "%.*s%s", (int)(at - from), from, name.text);
		from = at + strlen(word);
	}
	vk_text_put(text, from);
}

static const struct vk_form forms[] = {
	[VK_FORM_RAW] = {"raw", "disk", NULL, NULL},
	[VK_FORM_VMFSIMG] = {"vmfsimg", "VMFSIMG image", vk_io_is_vmfsimg, vk_io_vmfsimg},
	[VK_FORM_HEXDUMP] = {"hexdump", "listing of bytes", vk_io_is_hexdump, vk_io_hexdump},
	[VK_FORM_BUNDLE] = {"bundle", "bundle", vk_io_is_bundle, vk_io_bundle},
};

const struct vk_form *vk_form(enum vk_io_form form)
{
	return &forms[form];
}

enum vk_io_form vk_io_form_of(struct vk_io *io)
{
	/* a device is what it is: bytes that look like text on it are not a listing of another disk */
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]) && !vk_io_is_device(io); i++)
		if (forms[i].recognise != NULL && forms[i].recognise(io))
			return (enum vk_io_form)i;
	return VK_FORM_RAW;
}

size_t vk_image_formats(const struct vk_image_format **ret_formats)
{
	*ret_formats = formats;
	return sizeof(formats) / sizeof(formats[0]);
}

static bool is_met(const struct vk_image_format *format, const uint8_t *part, size_t len, size_t at)
{
	return len >= at + format->magic_bytes && memcmp(part + at, format->magic, format->magic_bytes) == 0 &&
	       (format->check == NULL || format->check(part));
}

const struct vk_image_format *vk_image_format_of(const uint8_t head[VK_IMAGE_HEAD_BYTES],
						 const uint8_t tail[VK_IMAGE_TAIL_BYTES])
{
	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
		const struct vk_image_format *f = &formats[i];
		bool met = f->magic_at == VK_IMAGE_AT_TAIL ? is_met(f, tail, VK_IMAGE_TAIL_BYTES, 0)
							   : is_met(f, head, VK_IMAGE_HEAD_BYTES, f->magic_at);

		if (met)
			return f;
	}
	return NULL;
}

/* Fills format; a disk in front of a footer then ends at the footer. */
static void recognise_format(struct vk_io *io)
{
	uint8_t head[VK_IMAGE_HEAD_BYTES] = {0}, tail[VK_IMAGE_TAIL_BYTES] = {0};
	uint64_t size = io->size_bytes, disk;
	size_t got;

	/* what cannot be read tells nothing here; whoever needs it reads it again and says so */
	if (vk_io_read(io, 0, head, sizeof(head), &got, NULL) != VK_OK)
		memset(head, 0, sizeof(head));
	if (size <= sizeof(tail) || vk_io_read_all(io, size - sizeof(tail), tail, sizeof(tail), NULL) != VK_OK)
		memset(tail, 0, sizeof(tail));
	io->format = vk_image_format_of(head, tail);
	if (io->format == NULL || !io->format->raw_inside)
		return;
	/* from here on nobody sees the footer, nor takes it for room behind the disk, nor can write to it */
	disk = size - VK_IMAGE_TAIL_BYTES;
	disk -= disk % (io->is_device ? io->sector_size : 512);
	io->footer_bytes = size - disk;
	io->size_bytes = disk;
}

/* Bytes as they are, without and with what the view makes of them; both have been recognised. */
static enum vk_status open_view(struct vk_io **io, const struct vk_open_options *options, struct vk_error *err)
{
	enum vk_status status;

	if (options == NULL)
		return VK_OK;
	status = vk_io_viewed(io, &options->view, err);
	/* of a part the first bytes are others; a footer that lies behind it stays where it is */
	if (status == VK_OK && (*io)->viewed && (*io)->format == NULL)
		recognise_format(*io);
	return status;
}

static enum vk_status open_file(const char *path, const struct vk_open_options *options, struct vk_io **ret_io,
				struct vk_error *err)
{
	enum vk_status status = vk_io_joined(path, options, ret_io, err);

	if (status != VK_OK)
		return status;
	(*ret_io)->opened = true;
	(*ret_io)->viewed = (*ret_io)->join != NULL;
	recognise_format(*ret_io);
	return VK_OK;
}

enum vk_status vk_io_open_raw(const char *path, const struct vk_open_options *options, struct vk_io **ret_io,
			      struct vk_error *err)
{
	enum vk_status status = open_file(path, options, ret_io, err);

	return status == VK_OK ? open_view(ret_io, options, err) : status;
}

bool vk_io_split_name(const char *path, char **ret_file, const char **ret_name)
{
	const char *hash = strrchr(path, '#');

	*ret_file = NULL;
	*ret_name = NULL;
	/* names of devices hold no #, those of files may */
	if (hash == NULL || hash == path || hash[1] == '\0' || access(path, F_OK) == 0)
		return true;
	*ret_file = strndup(path, (size_t)(hash - path));
	if (*ret_file != NULL && access(*ret_file, F_OK) == 0)
		*ret_name = hash + 1;
	return *ret_file != NULL;
}

static const char *name_of(const struct vk_io *io)
{
	const char *hash = strrchr(io->name, '#');

	return hash != NULL ? hash + 1 : io->name;
}

enum vk_status vk_io_choose(struct vk_io **io, const char *name, struct vk_error *err)
{
	struct vk_io *chosen = NULL, *next;
	enum vk_status status;
	char names[300];
	struct vk_text text = vk_text_in(names, sizeof(names));

	if (name == NULL && (*io)->next == NULL)
		return VK_OK;
	for (const struct vk_io *at = *io; at != NULL; at = at->next)
		vk_text_fmt(&text, "%s%s", at == *io ? "" : ", ", name_of(at));
	for (struct vk_io *at = *io; at != NULL; at = next) {
		next = vk_io_take_next(at);
		if (chosen == NULL && name != NULL && strcmp(name_of(at), name) == 0)
			chosen = at;
		else
			vk_io_close(at);
	}
	*io = chosen;
	if (chosen != NULL)
		return VK_OK;
	if (name != NULL)
		status = vk_error_set(err, VK_ABSENT, name, "no listing in the text is of this name; there are: %s",
				      names);
	else
		status = vk_error_set(err, VK_USAGE, NULL, "the text holds listings of several disks: %s", names);
	if (err != NULL)
		status = vk_error_remedy(err, "name one of them as FILE#NAME; vmfskit decode shows all");
	return status;
}

enum vk_status vk_io_open(const char *path, const struct vk_open_options *options, struct vk_io **ret_io,
			  enum vk_io_form *ret_form, struct vk_error *err)
{
	struct vk_io *raw, *io;
	enum vk_io_form form;
	enum vk_status status;
	const char *name;
	char *file;

	if (!vk_io_split_name(path, &file, &name))
		return vk_no_memory(err, path);
	status = open_file(name != NULL ? file : path, options, &raw, err);
	free(file);
	if (status != VK_OK)
		return status;
	io = raw;
	form = vk_io_form_of(raw);
	if (forms[form].unfold != NULL)
		status = forms[form].unfold(raw, &io, err);
	if (status != VK_OK) {
		vk_io_close(raw);
		return status;
	}
	/* a view is of one disk */
	if (name != NULL || options == NULL || !options->several || options->view.at_bytes != 0 ||
	    options->view.stride_bytes != 0 || options->view.mapfile != NULL)
		status = vk_io_choose(&io, name, err);
	if (status == VK_OK)
		status = open_view(&io, options, err);
	if (status != VK_OK)
		return status;
	if (options != NULL && options->sector_size != 0)
		vk_io_set_sector_size(io, options->sector_size);
	*ret_io = io;
	*ret_form = form;
	return VK_OK;
}
