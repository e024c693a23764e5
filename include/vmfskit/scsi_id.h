/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SCSI_DiskId: which LUN the volume was last accepted on; 78 bytes at LVM header + 0x0C, also in RDM mappings.
 * Its text forms are the names of ESX: naa., t10., mpx. and vml.
 */
#ifndef VMFSKIT_SCSI_ID_H
#define VMFSKIT_SCSI_ID_H

#include <stdbool.h>

#include "vmfskit/error.h"
#include "vmfskit/finding.h"
#include "vmfskit/layout.h"

__BEGIN_DECLS

#define VK_SCSI_DISK_ID_ROWS(F, T) \
	F(T, U8, type, 0x00, 1, DISKID_TYPE, V, \
	  "0 path (devices named mpx. or eui.), 1 serial number, 2 NAA, 3 SYMM format (not seen)") \
	F(T, U8, len, 0x01, 1, DEC, V, "number of significant bytes in id") \
	F(T, U16, lun, 0x02, 2, DEC, V, "LUN number when the header was written") \
	F(T, U8, deviceType, 0x04, 1, SCSI_TYPE, V, "SCSI peripheral type: 0 disk") \
	F(T, U8, scsiLevel, 0x05, 1, DEC, V, "SCSI level of INQUIRY; 0 from LVM 3.17 on") \
	F(T, TEXT, vendor, 0x06, 8, TEXT, V, "blank padded; zero from LVM 3.17 on") \
	F(T, TEXT, model, 0x0E, 16, TEXT, V, "blank padded; zero from LVM 3.17 on") \
	F(T, TEXT, revision, 0x1E, 4, TEXT, V, "zero from LVM 3.17 on") \
	F(T, BYTES, id, 0x22, 44, RAW, V, "identifier: len bytes used, rest zero")

enum { VK_SCSI_DISK_ID_BYTES = 78, VK_SCSI_ID_MAX = 44, VK_SCSI_MODEL_TAIL_BYTES = 6 };
struct vk_scsi_disk_id {
	VK_SCSI_DISK_ID_ROWS(VK_MEMBER, )
};
extern const struct vk_layout vk_scsi_disk_id_layout;

enum vk_scsi_id_type { VK_SCSI_ID_PATH = 0, VK_SCSI_ID_SERIAL = 1, VK_SCSI_ID_NAA = 2, VK_SCSI_ID_SYMM = 3 };

VK_CODEC(vk_scsi_disk_id, struct vk_scsi_disk_id)
/* Findings: lvm.disk-id-length. offset_bytes is where the 78 bytes lie. */
void vk_scsi_disk_id_check(const struct vk_scsi_disk_id *id, uint64_t offset_bytes,
			   const struct vk_finding_sink *sink);
/* Whether no byte of it is set: a header that was never bound to a LUN, or wiped. */
bool vk_scsi_disk_id_is_nil(const struct vk_scsi_disk_id *id);
/* Same LUN identity: type, len and id. The LUN number and vendor texts may differ between ESX releases. */
bool vk_scsi_disk_id_same_lun(const struct vk_scsi_disk_id *a, const struct vk_scsi_disk_id *b);

enum { VK_SCSI_NAME_BYTES = 160 };
/*
 * The canonical name: "naa.600144f0..." for type 2, "mpx.vmhba0:C0:T0:L0" for type 0, which is not certain: a device
 * that is named eui. has a path as its id, too. For type 1 the t10. name cannot be rebuilt (only the serial and six
 * characters of the model are recorded): the result is "serial " and the serial, and certain is false. A type 2
 * designator that is no NAA but has the length of an EUI gives "eui.", the short path vmhba0:0:0 gives the channel as
 * C0; both are inferred and not certain. Types not seen give "type N " and the bytes.
 */
void vk_scsi_disk_id_name(const struct vk_scsi_disk_id *id, char ret_name[VK_SCSI_NAME_BYTES],
			  bool *ret_certain);
/* "vml.0200030000600144f0..." rebuilt from type, deviceType, LUN and id. */
void vk_scsi_disk_id_vml(const struct vk_scsi_disk_id *id, char ret_name[VK_SCSI_NAME_BYTES]);
/*
 * Take a vml. name apart (an optional :N partition suffix is accepted; ret_partition is then N, else 0).
 * vendor, model and revision stay zero. VK_UNSUPPORTED for opaque names (first byte other than 0 to 3),
 * VK_DAMAGED when it is not a vml name.
 */
VK_MUST_USE enum vk_status vk_scsi_vml_parse(const char *name, struct vk_scsi_disk_id *ret_id,
					     unsigned *ret_partition);
/*
 * The t10. name of a T10 designator (vendor and what the vendor adds): blanks become _, other punctuation two hex
 * digits, a NUL ends it.
 */
void vk_scsi_t10_name(const uint8_t *designator, size_t len, char ret_name[VK_SCSI_NAME_BYTES]);
/* The target's label as INQUIRY gave it: vendor, model and revision, blanks trimmed, one blank between. */
void vk_scsi_disk_id_label(const struct vk_scsi_disk_id *id, char ret_text[VK_SCSI_NAME_BYTES]);
/*
 * The identifier alone as text: hex digits for NAA, characters for path and serial. The model tail is cut off.
 */
void vk_scsi_disk_id_guid(const struct vk_scsi_disk_id *id, char ret_text[VK_SCSI_NAME_BYTES]);
/*
 * Make the id that ESX records, from a canonical name: naa. (16 or 32 hex digits; model_tail gives up to six
 * characters of the INQUIRY model, blank padded; NULL: blanks), mpx. (type 0), "serial TEXT" (type 1). VK_USAGE when
 * the name is of no known form or too long.
 */
VK_MUST_USE enum vk_status vk_scsi_disk_id_from_name(const char *name, const char *model_tail,
						     uint16_t lun,
						     struct vk_scsi_disk_id *ret_id);
/*
 * A path id vmhbaA:Cc:Tt:Ll, as LVM3 headers have it, becomes vmhbaA:t:l, as those of LVM5 and 6 and vml names of ESX 4
 * and later have it; the channel is lost. Other ids stay as they are.
 */
void vk_scsi_disk_id_shorten(struct vk_scsi_disk_id *id);

__END_DECLS
#endif
