/* SPDX-License-Identifier: Apache-2.0 */
/* The turns in which parts of a disk are written: everyone who puts edits on an overlay for the writer uses these. */
#ifndef VK_IO_WRITE_CLASS_H
#define VK_IO_WRITE_CLASS_H

/*
 * The order of writing; a flush stands between two classes. While one copy of a GPT is written, the other is as it was,
 * so that a good copy stands at any moment, unless the backup was the only one and changes. Then, as for sector 0, the
 * undo capture leads back from a cut: it is on disk before the first write. What makes a host recognise a volume comes
 * last, so that a restore that was cut short never looks whole.
 */
enum vk_write_class {
	VK_WRITE_GPT_BACKUP,
	VK_WRITE_GPT_PRIMARY,
	VK_WRITE_EBR, /* and what lies between the table and the first partition */
	VK_WRITE_MBR,
	VK_WRITE_HEADERS,
	VK_WRITE_FS_DESCRIPTOR,
	VK_WRITE_LVM_HEADER,
	VK_WRITE_CLASSES
};

#endif
