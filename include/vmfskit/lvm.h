/* SPDX-License-Identifier: Apache-2.0 */
/*
 * VMFS LVM, versions 3 to 6: device header, volume descriptors, PE bitmaps and tables, extended metadata and
 * the table of device names. Offsets named "device" count from the start of the partition.
 */
#ifndef VMFSKIT_LVM_H
#define VMFSKIT_LVM_H

#include <stdbool.h>

#include "vmfskit/scsi_id.h"
#include "vmfskit/vmfs_uuid.h"

__BEGIN_DECLS

#define VK_LVM_MAGIC 0xC001D00DU
#define VK_LVM_HEADER_OFFSET 0x100000ULL      /* device offset of the header */
#define VK_LVM_DATA_OFFSET 0x1100000ULL       /* dataOffset in every header seen */
#define VK_LVM_PE_BYTES 0x10000000ULL         /* 256 MiB */
#define VK_LVM_PES_PER_MAP 8192U
#define VK_LVM_MAPS_PER_REGION 8U
#define VK_LVM_FLAG_VMFSL 1U

#define VK_LVM_DEVICE_ROWS(F, T) \
	F(T, U32, magic, 0x00, 4, HEX, V, "0xC001D00D: bytes 0D D0 01 C0", VK_LASTING) \
	F(T, U32, majorVersion, 0x04, 4, DEC, V, "3, 4, 5 or 6") \
	F(T, U32, minorVersion, 0x08, 4, DEC, V, "16 (ESX 3.5), 17, 21 seen") \
	F(T, DISKID, diskID, 0x0C, 78, DISKID, V, "the LUN this device was last accepted on") \
	F(T, U32, diskBlockSize, 0x5A, 4, SIZE, V, "512 in all real headers seen", VK_LASTING) \
	F(T, U64, totalBytes, 0x5E, 8, SIZE, V, "exact size of the partition") \
	F(T, U32, numVolumes, 0x66, 4, DEC, V, "entries used in the volume table, 1 in practice") \
	F(T, U32, numPEs, 0x6A, 4, DEC, V, "PE table entries in use; on LVM 3 to 5 one for each 256 MiB") \
	F(T, U32, lastPEIndex, 0x6E, 4, DEC, V, "numPEs - 1") \
	F(T, U64, generation, 0x72, 8, DEC, V, \
	  "grows with changes of the structure, not with every change of modTimeUS", VK_VOLATILE) \
	F(T, U64, dataOffset, 0x7A, 8, OFFSET, V, "device offset of the first PE", VK_LASTING) \
	F(T, UUID, devID, 0x82, 16, UUID, V, "identity of this device", VK_LASTING) \
	F(T, U64, initTimeUS, 0x92, 8, TIME_US, V, "creation", VK_LASTING) \
	F(T, U64, modTimeUS, 0x9A, 8, TIME_US, V, "last change", VK_PASSING + VK_VOLATILE) \
	F(T, UUID, lockedBy, 0xA2, 16, UUID, V, "host that holds the LVM lock; nil when free", \
	  VK_PASSING + VK_VOLATILE) \
	F(T, U64, lockedWhenUS, 0xB2, 8, TIME_US, V, "time of that lock", VK_PASSING + VK_VOLATILE) \
	F(T, BYTES, lockedFromIPv4, 0xBA, 4, IPV4, U, \
	  "seen once as an IPv4 address, probably of the last host that locked; zero elsewhere", \
	  VK_PASSING + VK_VOLATILE) \
	F(T, U32, numPEMaps, 0xBE, 4, DEC, V, \
	  "pairs of PE bitmap and table in this region; 0 on LVM3 and LVM6 means 1") \
	F(T, U64, extDevMetadataOffset, 0xC2, 8, OFFSET, S, \
	  "device offset of the first extended metadata; 0 when there is none") \
	F(T, U32, mdAlignment, 0xCA, 4, DEC, V, "LVM6: alignment of the tables, 4096; 0 before (working name)", \
	  VK_LASTING) \
	F(T, U32, numPEs6, 0xCE, 4, DEC, V, "LVM6: units of 256 MiB on this device; 0 before (working name)") \
	F(T, U32, flags, 0xD2, 4, LVM_FLAGS, S, "LVM6: 1 marks VMFS-L")

enum { VK_LVM_DEVICE_BYTES = 0xD6 };
struct vk_lvm_device {
	VK_LVM_DEVICE_ROWS(VK_MEMBER, )
};
extern const struct vk_layout vk_lvm_device_layout;

#define VK_LVM_VOLUME_ROWS(F, T) \
	F(T, U64, logicalSize, 0x00, 8, SIZE, V, "size of the whole volume", VK_ALIKE) \
	F(T, U64, generation, 0x08, 8, DEC, V, "equal on all members; PE table entries + 1", VK_ALIKE + VK_VOLATILE) \
	F(T, U32, state, 0x10, 4, VOL_STATE, V, "LVM_VolState", VK_PASSING + VK_ALIKE) \
	F(T, TEXT, name, 0x14, 64, TEXT, V, "NUL padded; for VMFS volumes the text of uuid", VK_ALIKE) \
	F(T, UUID, uuid, 0x54, 16, UUID, V, "lvID: identity of the volume", VK_ALIKE) \
	F(T, U32, snapID, 0x64, 4, DEC, V, "snapshot id; 1 in every header seen", VK_ALIKE) \
	F(T, U64, creationTimeUS, 0x68, 8, TIME_US, V, "creation", VK_LASTING + VK_ALIKE) \
	F(T, U32, volumeID, 0x70, 4, DEC, V, "number of the volume in PE entries", VK_LASTING) \
	F(T, U32, numPEs, 0x74, 4, DEC, V, "units of 256 MiB of the volume on this device") \
	F(T, U64, firstPE, 0x78, 8, DEC, V, "first logical extent on this device") \
	F(T, U64, lastPE, 0x80, 8, DEC, V, "last logical extent on this device") \
	F(T, U64, modTimeUS, 0x88, 8, TIME_US, V, "last change", VK_PASSING + VK_VOLATILE) \
	F(T, U32, numDevs, 0x90, 4, DEC, V, "devices that the volume spans", VK_ALIKE) \
	F(T, BYTES, pad94, 0x94, 124, RESERVED, S, "") \
	F(T, U32, consumedPEs, 0x110, 4, DEC, V, "LVM6: PE table entries of the volume; 0 before") \
	F(T, BYTES, pad114, 0x114, 236, RESERVED, S, "")

enum { VK_LVM_VOLUME_BYTES = 512 };
struct vk_lvm_volume {
	VK_LVM_VOLUME_ROWS(VK_MEMBER, )
};
extern const struct vk_layout vk_lvm_volume_layout;

#define VK_LVM_PE_ROWS(F, T) \
	F(T, U8, used, 0x00, 1, DEC, V, "1 when allocated") \
	F(T, U32, peID, 0x01, 4, DEC, V, "number of the PE on this device") \
	F(T, U32, volumeID, 0x05, 4, DEC, V, "owner: volumeID of the volume descriptor") \
	F(T, U64, pOffset, 0x09, 8, OFFSET, V, "device offset") \
	F(T, U64, lOffset, 0x11, 8, OFFSET, V, "volume offset") \
	F(T, U64, length, 0x19, 8, SIZE, V, "256 MiB on LVM 3 to 5, a multiple of it on LVM6") \
	F(T, U32, version, 0x21, 4, DEC, V, "1 on the volumes seen")

enum { VK_LVM_PE_STRIDE = 128, VK_LVM_PE_BYTES_USED = 0x25 };
struct vk_lvm_pe {
	VK_LVM_PE_ROWS(VK_MEMBER, )
};
extern const struct vk_layout vk_lvm_pe_layout;

#define VK_LVM_EXT_ROWS(F, T) \
	F(T, U32, magic, 0x00, 4, HEX, S, "again 0xC001D00D: not a device header") \
	F(T, U32, numPEMaps, 0x04, 4, DEC, S, "pairs of PE bitmap and table in this region, 1 to 8") \
	F(T, U64, dataOffset, 0x08, 8, OFFSET, S, "device offset of the first PE of this region") \
	F(T, U64, nextOffset, 0x10, 8, OFFSET, S, "device offset of the next region; 0 ends the chain")

enum { VK_LVM_EXT_BYTES = 0x18 };
struct vk_lvm_ext {
	VK_LVM_EXT_ROWS(VK_MEMBER, )
};
extern const struct vk_layout vk_lvm_ext_layout;

#define VK_LVM_SD_ROWS(F, T) \
	F(T, TEXT, deviceName, 0x00, 256, TEXT, V, \
	  "canonical name of a member device and its partition, NUL terminated: naa.…:1")

enum { VK_LVM_SD_BYTES = 256, VK_LVM_SD_ENTRIES = 32 };
struct vk_lvm_sd {
	VK_LVM_SD_ROWS(VK_MEMBER, )
};
extern const struct vk_layout vk_lvm_sd_layout;

/* LVM_VolState */
enum { VK_LVM_INVALID, VK_LVM_NORMAL, VK_LVM_RESIG_PENDING, VK_LVM_RESIG_DONE, VK_LVM_SENTINEL };

VK_CODEC(vk_lvm_device, struct vk_lvm_device)
VK_CODEC(vk_lvm_volume, struct vk_lvm_volume)
VK_CODEC(vk_lvm_pe, struct vk_lvm_pe)
VK_CODEC(vk_lvm_ext, struct vk_lvm_ext)
VK_CODEC(vk_lvm_sd, struct vk_lvm_sd)

/*
 * Where the tables of a header region lie. header_offset is the device offset of the region's header: 0x100000,
 * or that of an extended-metadata block. All results are device offsets.
 */
struct vk_lvm_geometry {
	uint64_t volume_table;   /* meaningful in the main region only */
	uint32_t volume_entries; /* how many descriptors fit: 512, on LVM6 1 */
	uint64_t sd_table;       /* 32 x 256 bytes */
	uint64_t first_bitmap;
	uint32_t bitmap_bytes;   /* space of one bitmap; 1024 bytes of it are used */
	uint64_t pair_bytes;     /* distance from bitmap to bitmap */
};
/* False when the header's version or alignment does not say (then the LVM 3 to 5 layout is filled in). */
bool vk_lvm_geometry(const struct vk_lvm_device *device, uint64_t header_offset,
		     struct vk_lvm_geometry *ret_geometry);
/* Pairs of PE bitmap and table in the main region: numPEMaps, at least 1, at most 8. */
uint32_t vk_lvm_main_maps(const struct vk_lvm_device *device);
/* Whether PE entries have a fixed length of 256 MiB (all but LVM6). */
bool vk_lvm_fixed_pes(const struct vk_lvm_device *device);

/*
 * Findings about the device header; offset_bytes is where it lies. Of a header without magic only that is
 * said. Findings: the lvm. codes of docs/findings.md, table.length-mismatch. partition_bytes 0: not known.
 */
void vk_lvm_device_check(const struct vk_lvm_device *device, size_t seen_bytes,
			 uint64_t partition_bytes, uint64_t offset_bytes,
			 const struct vk_finding_sink *sink);
/* Whether this is a device header that the rest may be built on: magic, version, sizes. Emits nothing. */
bool vk_lvm_device_usable(const struct vk_lvm_device *device, size_t seen_bytes);
bool vk_lvm_version_known(uint32_t major);
/* Each on its own: from 16 MiB on and a multiple of 4096; whole sectors, behind a sound dataOffset. */
bool vk_lvm_data_offset_sound(uint64_t offset);
bool vk_lvm_total_bytes_sound(const struct vk_lvm_device *device);
bool vk_lvm_block_size_sound(uint32_t size); /* 512 or 4096 */
void vk_lvm_volume_check(const struct vk_lvm_volume *volume, const struct vk_lvm_device *device,
			 size_t seen_bytes, uint64_t offset_bytes,
			 const struct vk_finding_sink *sink);
/* Whether its name is the text of its UUID, as every volume's is that nobody renamed: it is one then, whatever else
 * says. */
bool vk_lvm_volume_named(const struct vk_lvm_volume *volume);
/*
 * The name of a member device: "NAME:PARTITION" and zeros behind it, NAME one of the kinds that ESX has. False: it is
 * none.
 */
bool vk_lvm_sd_name(const struct vk_lvm_sd *entry, char ret_name[VK_SCSI_NAME_BYTES]);
/*
 * Finding lvm.disk-id-name: the first entry of the table of names, on the first extent, names another LUN than the disk
 * id of the header at offset_bytes. Nothing is said where the one does not tell the other (eui., t10.).
 */
void vk_lvm_sd_check(const struct vk_lvm_sd *first, const struct vk_lvm_device *device, uint64_t offset_bytes,
		     const struct vk_finding_sink *sink);
/* Whether a used entry is one at all: an extent of the device's length inside its data. */
bool vk_lvm_pe_plausible(const struct vk_lvm_pe *pe, const struct vk_lvm_device *device);
/*
 * Whether entry number `index` of the device lies where every PE of fixed size does: they are numbered in order
 * and lie one behind the other from the data offset of their region on; in_region counts from there. Always
 * true on LVM6, where places are free.
 */
bool vk_lvm_pe_at_place(const struct vk_lvm_pe *pe, const struct vk_lvm_device *device,
			uint64_t index, uint64_t region_data_offset, uint64_t in_region);

__END_DECLS
#endif
