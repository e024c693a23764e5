/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One VMFS partition (ESX: a device, an extent of a volume): LVM header, volume, place of every extent, file-system
 * descriptor and heartbeats, read through any source that holds at least a piece of it.
 */
#ifndef VMFSKIT_VMFS_H
#define VMFSKIT_VMFS_H

#include "vmfskit/finding.h"
#include "vmfskit/fs_descriptor.h"
#include "vmfskit/heartbeat.h"
#include "vmfskit/io.h"
#include "vmfskit/lvm.h"
#include "vmfskit/place.h"

__BEGIN_DECLS

struct vk_heartbeat_slot {
	uint32_t slot;
	uint64_t volume_offset;
	struct vk_heartbeat hb;
};
enum { VK_HEARTBEATS_KEPT = 64 };
struct vk_heartbeats {
	struct vk_fs_geometry geometry; /* where they are expected */
	uint64_t offset_bytes;          /* of slot 0 in the handle */
	uint32_t slots_seen;            /* wholly held by the source */
	uint32_t in_use_count;          /* may be more than are kept */
	uint32_t history_count;
	uint32_t damaged_count;         /* neither free nor in use, or not at their own place */
	struct vk_heartbeat_slot in_use[VK_HEARTBEATS_KEPT];
	struct vk_heartbeat_slot history[VK_HEARTBEATS_KEPT];
};

struct vk_lvm_volume_at {
	struct vk_lvm_volume volume;
	size_t seen_bytes;
	uint64_t offset_bytes;
};
struct vk_lvm_ext_at {
	struct vk_lvm_ext ext;
	uint64_t offset_bytes;
};
/* A stretch of the volume on this device; neighbouring extents are merged. */
struct vk_run {
	uint64_t volume_offset;
	uint64_t device_offset;
	uint64_t length_bytes;
};
/* What the PE tables say, in sum. */
struct vk_pe_summary {
	uint64_t entries_used;
	uint64_t bitmap_ones;
	uint64_t contradicting; /* entries that do not fit header and place */
	uint64_t tables_held;   /* pairs wholly in the source */
	uint64_t tables;        /* pairs that the header announces */
};

struct vk_vmfs {
	unsigned partition;      /* number in the table; 0 when the source is no disk */
	uint64_t start_sector;   /* on the disk; 0 when the source is no disk */
	uint64_t sectors;        /* of the table entry; 0 not known */
	uint64_t partition_bytes;/* of the table entry or the source; 0 not known */
	bool volume_only;        /* the source is a logical volume: no LVM part */

	size_t lvm_seen_bytes;
	struct vk_lvm_device lvm;
	bool lvm_usable;         /* the rest was located by this header, not by the usual offsets */
	struct vk_lvm_geometry geometry;
	struct vk_lvm_volume_at *volumes;
	size_t volume_count;
	uint64_t first_pe;       /* of volume 0 on this device: firstPE, unless that is damaged and the rest tells it */
	struct vk_lvm_ext_at *exts;
	size_t ext_count;
	struct vk_lvm_sd *sd_names; /* member devices named by the header */
	size_t sd_count;
	struct vk_pe_summary pes;
	struct vk_run *runs;     /* of volume 0, sorted by volume_offset */
	size_t run_count;
	bool runs_linear;        /* the PE tables were not usable: mapped from firstPE on without them */

	bool fs_expected;        /* the head extent, or a volume: a descriptor must be here */
	size_t fs_seen_bytes;
	uint64_t fs_offset_bytes;/* in the handle */
	struct vk_fs_descriptor fs;
	struct vk_fs_geometry fs_geometry;
	bool fs_usable;
	struct vk_heartbeats heartbeats;

	struct vk_place *places; /* in order of offset */
	size_t place_count;
};

/*
 * Decode one device. io's byte 0 is the first byte of the partition (or, with volume_only set in ret_vmfs before the
 * call, of the logical volume); the members partition, start_sector, sectors, partition_bytes and volume_only are the
 * caller's, everything else is filled here. Never fails over damage; what the source does not hold is said by
 * structure.absent and structure.cut. Errors: VK_IO, VK_NOMEM. Free with vk_vmfs_free.
 */
VK_MUST_USE enum vk_status vk_vmfs_read(struct vk_io *io, const struct vk_finding_sink *sink,
					struct vk_vmfs *vmfs, struct vk_error *err);
void vk_vmfs_free(struct vk_vmfs *vmfs);

/*
 * The canonical name of the LUN. The table of device names (LVM5 and 6, on the first extent) has it in full: it is
 * taken, and certain, when it is whole and does not contradict the header's disk id. Else it is what
 * vk_scsi_disk_id_name makes of that.
 */
void vk_vmfs_lun_name(const struct vk_vmfs *vmfs, char ret_name[VK_SCSI_NAME_BYTES], bool *ret_certain);

/* Device offset of a volume offset, and how far the run reaches from there; false when no run holds it. */
bool vk_vmfs_map(const struct vk_vmfs *vmfs, uint64_t volume_offset, uint64_t *ret_device_offset,
		 uint64_t *ret_length);

__END_DECLS
#endif
