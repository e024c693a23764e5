/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Turns the rows of a public header into its constant table. The compiler proves that no two rows overlap (an
 * array whose initialisers overlap is an error), that none reaches past the structure and that number fields
 * have the size of their kind.
 */
#ifndef VK_DISK_LAYOUT_TABLE_H
#define VK_DISK_LAYOUT_TABLE_H

#include <stddef.h>

#include "vmfskit/layout.h"

#define VK_SIZE_FITS_U8(size) ((size) == 1)
#define VK_SIZE_FITS_U16(size) ((size) == 2)
#define VK_SIZE_FITS_U32(size) ((size) == 4)
#define VK_SIZE_FITS_U64(size) ((size) == 8)
#define VK_SIZE_FITS_TEXT(size) ((size) > 0)
#define VK_SIZE_FITS_BYTES(size) ((size) > 0)
#define VK_SIZE_FITS_UUID(size) ((size) == 16)
#define VK_SIZE_FITS_GUID(size) ((size) == 16)
#define VK_SIZE_FITS_DISKID(size) ((size) == 78)

#define VK_ROW(T, kind, name, offset, size, view, evidence, note, ...) \
	{#name, offset, size, VK_KIND_##kind, VK_VIEW_##view, VK_EV_##evidence, note, offsetof(T, name), \
	 (__VA_ARGS__ + 0)},
#define VK_COVER(T, kind, name, offset, size, view, evidence, note, ...) \
	[offset ... (offset) + (size) - 1] = 1,
#define VK_FITS(T, kind, name, offset, size, view, evidence, note, ...) \
	_Static_assert(VK_SIZE_FITS_##kind(size), "size of a field does not fit its kind");

/* Defines the layout object: VK_LAYOUT_DEFINE(vk_mbr_entry_layout, ROWS, struct vk_mbr_entry, 16, ...) */
#define VK_LAYOUT_DEFINE(object, ROWS, T, bytes, vmware_name, title_text, source_text) \
	ROWS(VK_FITS, T) \
	enum { object##_covered = sizeof((const char[bytes]){ROWS(VK_COVER, T)}) }; \
	static const struct vk_field object##_fields[] = {ROWS(VK_ROW, T)}; \
	const struct vk_layout object = {vmware_name, title_text, source_text, bytes, sizeof(T), \
					 object##_fields, \
					 sizeof(object##_fields) / sizeof(object##_fields[0])}

#endif
