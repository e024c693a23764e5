/* SPDX-License-Identifier: Apache-2.0 */
/* The table of findings: code, severity, why it matters, what to do. */
#ifndef VMFSKIT_FINDING_CODES_H
#define VMFSKIT_FINDING_CODES_H

#include "vmfskit/finding_codes_file.h"
#include "vmfskit/finding_codes_lunid.h"

/*
 * F(id, code, severity, why it matters, what to do next). One row is the whole definition of a finding: the
 * enum of finding.h, the JSON, the text for people and docs/findings.md come from it.
 */
#define VK_FINDING_CODES(F) \
	F(SOURCE_UNRECOGNISED, "source.unrecognised", WARNING, "nothing in it shows what it is", \
	  "say what it is with --as disk, partition, volume or header; if the partition table was wiped, " \
	  "decode shows what is left at the usual places") \
	F(SOURCE_TRUNCATED, "source.truncated", INFO, \
	  "the source holds only a part of the disk or partition; the rest is unknown, not missing", \
	  "for a complete picture take at least the bytes up to the end of the heartbeat region, better 2 GiB") \
	F(SOURCE_UNREADABLE, "source.unreadable", ERROR, \
	  "the device did not deliver these bytes; their content is unknown", \
	  "check the path and the disk; copy what can be read with ddrescue and decode the copy") \
	F(SOURCE_STREAM_DAMAGED, "source.stream-damaged", ERROR, \
	  "the compressed image or listing ends early or fails its checksum; the bytes behind that place are " \
	  "unknown", "get the file again from its origin") \
	F(SOURCE_LISTING_READ, "source.listing-read", INFO, \
	  "some listings can be read in two ways; this is how this one was read", \
	  "compare with the prompt, or list the bytes again with hexdump -C, which can be read in one way " \
	  "only") \
	F(SOURCE_LISTING_UNUSED, "source.listing-unused", WARNING, \
	  "lines that look like rows of a listing were not used; their bytes are not shown here", \
	  "look at that line: a digit was lost, the form differs, or the text column was changed; or list the " \
	  "bytes again with hexdump -C") \
	F(SOURCE_LISTING_COLLIDES, "source.listing-collides", WARNING, \
	  "two listings in one text give different bytes for the same place: they are of two disks or of two " \
	  "times, and are kept apart", "name the one you want: FILE#NAME, with a name from the message") \
	F(SOURCE_LISTING_AMBIGUOUS, "source.listing-ambiguous", ERROR, \
	  "these rows can be read in two ways and nothing in the text decides: they are not used", \
	  "list the bytes again with hexdump -C; or put the command that printed them in front of the rows, " \
	  "and for words of a PC or an ESX host a line with x86_64") \
	F(SOURCE_TEXT, "source.text", ERROR, "a text is not a disk: its own bytes were read, and they show no disk", \
	  "name the disk or a dump of it; of a listing, check that its rows are complete") \
	F(SOURCE_TOLD, "source.told", INFO, "the text says more of the disk than its bytes show", \
	  "compare it with what is shown here") \
	F(SOURCE_TOO_MANY_VOLUMES, "source.too-many-volumes", WARNING, \
	  "no disk has that many VMFS partitions; only the first ones were read", \
	  "treat the table as damaged and compare it with a capture") \
	F(SOURCE_CONTAINER, "source.container", ERROR, \
	  "a container or a compressed file holds a disk in another form: what is read here are the file's " \
	  "own bytes, not those of the disk", \
	  "open it as described and name the disk that comes out; if this is a LUN, somebody wrote such a " \
	  "file over its beginning") \
	F(SOURCE_FOOTER, "source.vhd-footer", INFO, "the last bytes are not part of the disk; they are left out here", \
	  "to write to the disk in it, attach it without its footer: losetup --find --show --sizelimit BYTES " \
	  "FILE") \
	F(SOURCE_JOINED, "source.joined", INFO, \
	  "files with consecutive names were read as the pieces of one split dump", \
	  "if they are not, rename the files, or name the one you mean through a link") \
	F(SOURCE_PIECE_MISSING, "source.piece-missing", WARNING, \
	  "a piece of a split dump is missing; its bytes are unknown", \
	  "find the piece and name all pieces in their order") \
	F(SOURCE_CARRIER, "source.carrier", INFO, \
	  "the whole LUN lies inside a RAID, volume or partition of another system; everything said here is " \
	  "about that LUN", \
	  "assemble the array or volume for reading (attach the partition) with the command shown, and name " \
	  "the device that comes out; a repair writes only there") \
	F(SOURCE_MEMBER, "source.member", WARNING, \
	  "the data is spread over several disks, or an array may write to it: this disk alone says nothing " \
	  "of it", "assemble the array for reading and name the device that comes out; write nothing to its members") \
	F(SOURCE_OTHER, "source.other-system", INFO, \
	  "the disk belongs to another system and is sound; what is left of VMFS on it is unused, or lies in " \
	  "a file", \
	  "if it should hold a datastore, check that it is the right disk; vmfskit wipe removes leftover " \
	  "signatures") \
	F(SOURCE_UNITS, "source.sector-units", WARNING, \
	  "hosts whose sectors have another size than the table's see no table and no volume; nothing is " \
	  "damaged", \
	  "set the block size of the LUN back at the array or enclosure; only if that is impossible, vmfskit " \
	  "repair table --convert-sectors 512 converts the GPT") \
	F(SOURCE_EMULATED, "source.sector-emulation", INFO, \
	  "ESXi uses sectors of 512 bytes on devices that have 4096 (4Kn, SWE) and sees the table; hosts that " \
	  "use 4096 see none", "do nothing: the table is as ESXi needs it") \
	F(SOURCE_STRIDE, "source.stride", INFO, \
	  "the drive had longer sectors, and their checksums were copied with the data", \
	  "copy it again without them to put it back on a disk; until then it is read without them") \
	F(SOURCE_SHIFTED, "source.shifted", ERROR, \
	  "the copy lost or gained bytes: the data behind that place is whole, but in the wrong place", \
	  "copy the disk again; nothing on the disk itself is known to be damaged") \
	F(SOURCE_GLUED, "source.glued", INFO, \
	  "the beginning and the end of the disk are here, and what lay between them is not", \
	  "name the whole disk, or take its beginning and its end in two files") \
	F(SOURCE_CUT_SHORT, "source.cut-short", ERROR, \
	  "the disk ends before its table or a volume does: it was copied onto something smaller, or made " \
	  "smaller", "do not write to it; copy again onto a LUN of at least the length shown here") \
	F(STRUCTURE_ABSENT, "structure.absent", INFO, \
	  "the source does not contain this structure; its state on the disk is unknown", \
	  "decode a dump that reaches further, or the device itself") \
	F(STRUCTURE_CUT, "structure.cut", INFO, \
	  "only the first part of this structure is in the source; the rest is unknown", \
	  "decode a dump that reaches further, or the device itself") \
	F(MBR_SIGNATURE_MISSING, "mbr.signature-missing", ERROR, \
	  "without the bytes 55 aa at 510 firmware and kernels ignore the whole table", \
	  "restore the table from a capture") \
	F(MBR_ENTRY_OUTSIDE, "mbr.entry-outside-disk", WARNING, "the entry reaches past the end of the disk", \
	  "check that the whole LUN is visible; a table of another disk looks like this too") \
	F(MBR_ENTRY_OVERLAP, "mbr.entry-overlap", WARNING, "two partitions share sectors: one of them is wrong", \
	  "compare with a capture before writing to either") \
	F(MBR_BOOT_FLAG, "mbr.boot-flag", WARNING, \
	  "the first byte of an entry is neither 00 nor 80: this may not be a partition table", \
	  "compare with a capture") \
	F(EBR_SIGNATURE_MISSING, "ebr.signature-missing", ERROR, \
	  "the chain of logical partitions breaks here; systems do not see those behind it", \
	  "restore the table from a capture") \
	F(EBR_LOOP, "ebr.loop", ERROR, "the chain of logical partitions leads back into itself", \
	  "restore the table from a capture") \
	F(EBR_OUTSIDE, "ebr.outside-extended", WARNING, \
	  "a link of the chain points outside of the extended partition", "compare with a capture") \
	F(EBR_TOO_MANY, "ebr.too-many", WARNING, \
	  "more logical partitions than any system uses; the rest was not read", "treat the table as damaged") \
	F(GPT_PRIMARY_MISSING, "gpt.primary-missing", ERROR, \
	  "the header behind the protective MBR is missing; systems use the backup GPT at the end, or see no " \
	  "table", "restore the table from a capture") \
	F(GPT_BACKUP_MISSING, "gpt.backup-missing", ERROR, \
	  "the backup GPT at the end of the disk is missing: if the primary is lost too, nothing is left", \
	  "restore the table from a capture") \
	F(GPT_SIGNATURE, "gpt.signature-lost", ERROR, \
	  "systems recognise a GPT by these 8 bytes and see none without them; the checksum proves the rest. " \
	  "wipefs and installers wipe just these", \
	  "vmfskit repair table restores the 8 bytes; nothing is written without --write") \
	F(GPT_HEADER_CRC, "gpt.header-crc", ERROR, \
	  "the header does not match its own checksum, so systems ignore this copy", \
	  "restore the table from a capture") \
	F(GPT_ENTRIES_CRC, "gpt.entries-crc", ERROR, \
	  "the partition entries do not match the checksum in their header, so systems ignore this copy", \
	  "restore the table from a capture") \
	F(GPT_HEADER_SIZE, "gpt.header-size", ERROR, "a header must be between 92 bytes and one sector", \
	  "restore the table from a capture") \
	F(GPT_MY_LBA, "gpt.my-lba", ERROR, "the header says that it belongs to another sector than the one it is in", \
	  "restore the table from a capture") \
	F(GPT_ALTERNATE_LBA, "gpt.alternate-lba", WARNING, \
	  "one copy does not point to the other: the LUN was grown, or this table comes from a disk of " \
	  "another size", "check the size of the LUN before anything is written") \
	F(GPT_ENTRY_SIZE, "gpt.entry-size", ERROR, \
	  "entries must be at least 128 bytes and a multiple of 8, and the array must fit the disk", \
	  "restore the table from a capture") \
	F(GPT_USABLE_RANGE, "gpt.usable-range", WARNING, \
	  "the first and the last usable sector contradict each other or the disk", "compare with a capture") \
	F(GPT_ENTRY_RANGE, "gpt.entry-range", WARNING, \
	  "a partition starts after its end or lies outside the usable sectors", "compare with a capture") \
	F(GPT_ENTRY_OVERLAP, "gpt.entry-overlap", WARNING, "two partitions share sectors: one of them is wrong", \
	  "compare with a capture before writing to either") \
	F(GPT_COPIES_DIFFER, "gpt.copies-differ", WARNING, \
	  "the two copies of the table list different partitions; which one is used depends on the system", \
	  "compare both with a capture") \
	F(GPT_PROTECTIVE_MBR, "gpt.protective-mbr", WARNING, \
	  "sector 0 does not protect the GPT: older tools take the disk for empty", \
	  "restore the table from a capture") \
	F(TABLE_NONE, "table.none", ERROR, "there is no partition table where one should be", \
	  "restore the table from a capture: vmfskit list shows the captures") \
	F(TABLE_TYPE, "table.type-mismatch", WARNING, \
	  "a VMFS header lies in a partition that is marked as something else", \
	  "find out whether another system was installed here before mounting or writing") \
	F(TABLE_LENGTH, "table.length-mismatch", WARNING, \
	  "the partition's length differs from the length recorded in its LVM header", \
	  "the header's totalBytes is the length it was made with; compare the table with a capture") \
	F(TABLE_HIDDEN_VMFS, "table.hidden-vmfs", WARNING, \
	  "an LVM header lies where a partition with the usual start would have it, but the table has no such " \
	  "partition", \
	  "restore the table from a capture; if there is none, vmfskit repair table plans it from the header") \
	F(LVM_MAGIC, "lvm.magic-missing", ERROR, "no host will recognise the VMFS partition without this header", \
	  "restore the header from a capture: vmfskit list shows the captures") \
	F(LVM_VERSION, "lvm.version", ERROR, "LVM versions 3, 4, 5 and 6 are known", \
	  "if this is a newer ESXi, report it; otherwise the header is damaged") \
	F(LVM_BLOCK_SIZE, "lvm.block-size", ERROR, "the block size must be 512 or 4096 bytes", \
	  "restore the header from a capture") \
	F(LVM_TOTAL_BYTES, "lvm.total-bytes", ERROR, \
	  "the recorded length must be more than dataOffset and whole sectors", "restore the header from a capture") \
	F(LVM_DATA_OFFSET, "lvm.data-offset", ERROR, \
	  "the data must begin behind the header region, at a multiple of 4096 bytes", \
	  "restore the header from a capture") \
	F(LVM_DATA_OFFSET_UNUSUAL, "lvm.data-offset-unusual", WARNING, \
	  "every header seen so far has its data at 0x1100000", "compare with a capture or another extent") \
	F(LVM_NUM_PES, "lvm.num-pes", WARNING, \
	  "the number of physical extents (on LVM 6 numPEs6) does not follow from the recorded length", \
	  "compare with a capture") \
	F(LVM_LAST_PE, "lvm.last-pe", WARNING, "lastPEIndex should be numPEs - 1", "compare with a capture") \
	F(LVM_INIT_TIME, "lvm.init-time", WARNING, \
	  "the creation time and the time in the device UUID should be the same second", \
	  "compare with a capture; one of the two was altered") \
	F(LVM_NUM_VOLUMES, "lvm.num-volumes", WARNING, "more volumes than the volume table can hold", \
	  "restore the header from a capture") \
	F(LVM_NO_VOLUME, "lvm.no-volume", WARNING, "the device was initialised but belongs to no volume", \
	  "nothing can be read from it; compare with a capture") \
	F(LVM_LOCKED, "lvm.locked", INFO, "a host holds, or crashed holding, the lock of the LVM metadata", \
	  "check that no host is changing the volume before anything is written") \
	F(LVM_DEVICE_TWICE, "lvm.device-twice", WARNING, \
	  "two partitions of one disk have LVM headers of the same device: one was copied from the other", \
	  "do not mount either before you know which is the original: compare both with a capture") \
	F(LVM_DISK_ID_LENGTH, "lvm.disk-id-length", WARNING, "the length of the disk id does not fit its type", \
	  "compare with a capture") \
	F(LVM_DISK_ID_NAME, "lvm.disk-id-name", WARNING, \
	  "the disk id of the LVM header and the table of member devices name different LUNs: one of the two " \
	  "is damaged, or was not updated when the LUN got another name", \
	  "compare with a capture, and with the name that ESX shows for the LUN; vmfskit decode shows both") \
	F(LVM_MD_ALIGNMENT, "lvm.md-alignment", ERROR, \
	  "LVM 6 headers give the alignment of their tables, others have none; without it the tables cannot " \
	  "be found", "restore the header from a capture") \
	F(VOLUME_STATE, "volume.state", WARNING, "the volume is not in its normal state", \
	  "RESIG_PENDING means that a resignature was interrupted: find the host that ran it before anything " \
	  "else") \
	F(VOLUME_NAME, "volume.name", INFO, \
	  "the name is not the text form of the volume UUID, so it was made with the low-level tool or " \
	  "damaged", "compare with a capture") \
	F(VOLUME_NAME_DAMAGED, "volume.name-damaged", WARNING, \
	  "name and uuid of the volume descriptor do not match, though the name is, or was, the text of a " \
	  "UUID; or the name is not a text", \
	  "vmfskit repair header shows whether other copies say which of the two is damaged; compare with a " \
	  "capture") \
	F(VOLUME_PE_COUNT, "volume.pe-count", WARNING, \
	  "lastPE - firstPE + 1 should be numPEs; on LVM 6 consumedPEs should be numPEs of the LVM header", \
	  "compare with a capture") \
	F(VOLUME_SIZE, "volume.logical-size", WARNING, "the physical extents do not add up to the size of the volume", \
	  "compare with a capture") \
	F(VOLUME_TIME, "volume.creation-time", INFO, \
	  "the creation time and the time in the volume UUID are more than a minute apart; a resignature may " \
	  "do this", "compare with a capture") \
	F(VOLUME_EXTENT_MISSING, "volume.extent-missing", ERROR, \
	  "the volume spans several devices and not all of them were given", \
	  "name the other extents too: they have the same volume UUID") \
	F(VOLUME_EXTENT_CONFLICT, "volume.extent-conflict", ERROR, "two sources claim the same part of the volume", \
	  "a replica of one extent may be among the sources; decode them one by one and compare devID and " \
	  "diskID") \
	F(VOLUME_MEMBERS_DIFFER, "volume.members-differ", WARNING, "the extents disagree about the volume they form", \
	  "the extent with the lower generation missed the last change") \
	F(LVM_PE_BITMAP, "lvm.pe-bitmap", WARNING, \
	  "the PE bitmap marks another number of extents than the volume owns", \
	  "restore the LVM region from a capture") \
	F(LVM_PE_TABLE, "lvm.pe-table", WARNING, "entries of the PE table contradict the header", \
	  "restore the LVM region from a capture") \
	F(LVM_PE_GAP, "lvm.pe-gap", WARNING, "the PE table leaves a part of the volume without a place", \
	  "restore the LVM region from a capture") \
	F(LVM_EXT_CHAIN, "lvm.ext-chain", ERROR, "the chain of extended metadata of a large device is broken", \
	  "restore the LVM region from a capture") \
	F(FS_MAGIC, "fs.magic-missing", ERROR, \
	  "the file-system descriptor is not where the header says; no host will mount the volume", \
	  "restore the volume header (.vh.sf) from a capture") \
	F(FS_VERSION, "fs.version", WARNING, "file-system versions 4 (VMFS3), 14 (VMFS5) and 24 (VMFS6) are known", \
	  "if this is a newer ESXi, report it; otherwise the descriptor is damaged") \
	F(FS_BLOCK_SIZE, "fs.block-size", ERROR, "the block size must be a power of two from 1 MiB to 8 MiB", \
	  "restore the volume header (.vh.sf) from a capture") \
	F(FS_DISK_BLOCK_SIZE, "fs.disk-block-size", WARNING, "the disk block size must be 512 or 4096 bytes", \
	  "restore the volume header (.vh.sf) from a capture") \
	F(FS_MD_ALIGNMENT, "fs.md-alignment", ERROR, \
	  "VMFS6 gives the size of its metadata blocks here; without it heartbeats and files cannot be found", \
	  "restore the volume header (.vh.sf) from a capture") \
	F(FS_VOLINFO, "fs.volinfo-mismatch", ERROR, \
	  "the file system belongs to another LVM volume than the one it was found on, by its own record", \
	  "one of the two UUIDs is damaged, or header and file system come from different volumes: do not " \
	  "mount; compare both with captures") \
	F(FS_LOCAL, "fs.local-mismatch", WARNING, \
	  "the magic says VMFS or VMFS-L, and LOCAL and OSDATA in config say the opposite: one of the two is " \
	  "wrong", \
	  "look at the partition type (VMFS or VMFS-L) and compare with a capture before anything is written") \
	F(FS_TIME, "fs.creation-time", INFO, \
	  "the creation time is more than a minute from the time in the file system's UUID; a resignature " \
	  "does this", "compare with a capture") \
	VK_FILE_FINDING_CODES(F) \
	F(HEARTBEAT_STATE, "heartbeat.state", WARNING, \
	  "a slot is neither free nor in use; hosts report it as a corrupt heartbeat", \
	  "compare with a capture; do not write while a host is using the volume") \
	F(HEARTBEAT_ADDRESS, "heartbeat.address", WARNING, "a slot does not carry its own position", \
	  "compare with a capture; data from elsewhere was written here") \
	F(HEARTBEAT_IN_USE, "heartbeat.in-use", INFO, "a host has the volume open, or had it open when it crashed", \
	  "check that host before anything is written") \
	F(CAPTURE_NOT_CONTAINING, "capture.not-containing", ERROR, \
	  "the saved bytes do not contain what the capture is for", \
	  "the disk is already damaged here: vmfskit doctor says what happened; keep the older captures of it") \
	F(CAPTURE_NO_VMFS, "capture.no-vmfs", WARNING, "no VMFS partition was found on the disk", \
	  "vmfskit decode says what the disk is; if there should be one, restore the table from an older " \
	  "capture") \
	F(CAPTURE_LUN_INSIDE, "capture.lun-inside", WARNING, \
	  "a capture holds bytes of the disk itself, so it has nothing of a LUN that lies inside it", \
	  "capture the array, volume or partition that it is a part of, or import its image, with the command that " \
	  "is printed") \
	F(CAPTURE_UNREADABLE, "capture.unreadable", ERROR, "these bytes could not be read and are not in the capture", \
	  "check the path and the disk, then capture again") \
	F(CAPTURE_MANIFEST, "capture.manifest", ERROR, \
	  "the manifest is missing, damaged or not what SHA256SUMS recorded", \
	  "use another capture of this disk; the region files may still be checked with sha256sum -c") \
	F(CAPTURE_SUMS, "capture.sums", ERROR, "SHA256SUMS and the manifest contradict each other", \
	  "use another capture of this disk") \
	F(CAPTURE_FILE_MISSING, "capture.file-missing", ERROR, "a file of the capture is missing", \
	  "use another capture of this disk") \
	F(CAPTURE_FILE_SIZE, "capture.file-size", ERROR, "a file of the capture does not have the recorded length", \
	  "use another capture of this disk") \
	F(CAPTURE_DIGEST, "capture.digest", ERROR, "a file of the capture is not what was saved", \
	  "use another capture of this disk; if all of them share the file, take a new one") \
	F(CAPTURE_EXTRA_FILE, "capture.extra-file", WARNING, "a file in the capture does not belong to it", \
	  "find out who put it there") \
	F(CAPTURE_INCOMPLETE, "capture.incomplete", WARNING, \
	  "the files are what was saved, but the disk was already damaged or unreadable when the capture was " \
	  "taken", "look for an older capture of this disk with vmfskit list; decode this one to see what it holds") \
	F(CAPTURE_RANGE, "capture.range", ERROR, "regions overlap or reach past the end of the disk", \
	  "do not restore from this capture") \
	F(CAPTURE_CHANGING, "capture.changing", WARNING, \
	  "a host changed the volume each time it was read; parts of the capture may be of different moments", \
	  "capture again when the volume is less busy, or unmount the datastore first") \
	F(CAPTURE_NOT_HELD, "capture.not-held", WARNING, "the imported files do not contain these bytes", \
	  "look for another file of that disk and import both together, or capture the disk itself") \
	F(CAPTURE_ON_ITSELF, "capture.on-itself", WARNING, \
	  "the store lies on the disk that it protects: both would be lost together", \
	  "keep the store on another disk, or push it to another host every night") \
	F(CAPTURE_NO_LINKS, "capture.no-links", INFO, \
	  "the file system of the store has no hard links: unchanged files are stored again every night", \
	  "expect about 1 to 4 MiB for each disk and night, or move the store to ext4 or XFS") \
	F(CAPTURE_MISPLACED, "capture.misplaced", ERROR, "the folder holds another capture than its name says", \
	  "find out who renamed it; its manifest says what it is") \
	F(CAPTURE_WRITABLE, "capture.writable", WARNING, \
	  "others than its owner could have changed this file or folder", \
	  "find out who could write to it; then take it over with chown and chmod go-w") \
	F(SIGNATURE_MISSING, "signature.missing", ERROR, "signatures are required; this capture or ledger has none", \
	  "do not restore from it before you know where it comes from") \
	F(SIGNATURE_WRONG, "signature.wrong", ERROR, \
	  "the signature does not fit: what was signed was altered, or another key signed it", \
	  "check that the key is the right one; do not restore from it before you know where it comes from") \
	F(STORE_LEFT_OVER, "store.left-over", WARNING, \
	  "an unfinished capture lies in the store that no run of vmfskit can have left there, or that could " \
	  "not be removed", "look at it and remove it by hand") \
	F(LEDGER_MISSING, "ledger.missing", ERROR, \
	  "a store with captures has no ledger: whether captures were removed or slipped in is unknown", \
	  "look for the ledger in another copy of the store") \
	F(LEDGER_DAMAGED, "ledger.damaged", ERROR, "a line of the ledger is not one that vmfskit writes", \
	  "compare with another copy of the ledger") \
	F(LEDGER_BROKEN, "ledger.broken", ERROR, \
	  "a line of the ledger does not follow from the one before it: a line was altered, removed, inserted " \
	  "or moved there", \
	  "compare with another copy of the ledger; a capture that is recorded only beside the break is not " \
	  "believed") \
	F(LEDGER_CUT, "ledger.cut-short", ERROR, "the ledger ends before the line that its head names", \
	  "compare with another copy of the ledger") \
	F(LEDGER_TORN, "ledger.torn-line", INFO, \
	  "the last line of the ledger is incomplete: a run was killed or lost power there", \
	  "do nothing: the next run removes it") \
	F(LEDGER_UNSIGNED, "ledger.unsigned-line", WARNING, \
	  "a line that adds or removes captures is not signed although signatures are required", \
	  "check that it was you, and name the key with --sign-key on every run") \
	F(LEDGER_HEAD_WRONG, "ledger.head-wrong", ERROR, \
	  "the head of the ledger or its signature does not match the ledger", \
	  "compare with another copy of the store; the head stays until you move it away, then the next run " \
	  "writes a new one") \
	F(LEDGER_ROLLED_BACK, "ledger.rolled-back", ERROR, \
	  "the whole store is older than the anchor that was kept outside of it", \
	  "somebody put an older copy in its place: look for the newer one") \
	F(LEDGER_CAPTURE_MISSING, "ledger.capture-missing", ERROR, \
	  "the ledger records a capture that is missing, and no prune of it", \
	  "look for it in another copy of the store; if there is none, vmfskit prune --override missing --write " \
	  "records the loss") \
	F(LEDGER_CAPTURE_UNRECORDED, "ledger.capture-unrecorded", ERROR, \
	  "the store contains a capture that the ledger does not record", \
	  "do not restore from it before you know where it comes from") \
	F(LEDGER_CAPTURE_DIFFERS, "ledger.capture-differs", ERROR, \
	  "the manifest of a capture is not the one that the ledger recorded", \
	  "do not restore from it before you know where it comes from") \
	F(LEDGER_UNFINISHED, "ledger.unfinished", INFO, \
	  "a run was killed or lost power between recording this and doing it", \
	  "do nothing: the next run finishes it") \
	F(LEDGER_WRITE_UNFINISHED, "ledger.write-unfinished", INFO, \
	  "a restore, undo or repair did not finish: the disk may be half written", \
	  "repeat it, or go back with vmfskit undo and this capture") \
	F(INCIDENT_TABLE_LOST, "incident.table-lost", ERROR, \
	  "the partition table is gone while volumes are still on the disk: hosts see an empty LUN", \
	  "vmfskit repair table shows the table that fits; nothing is written without --write") \
	F(INCIDENT_TABLE_DAMAGED, "incident.table-damaged", ERROR, \
	  "a part of the partition table is damaged, but its content is still known", \
	  "vmfskit repair table restores the damaged part") \
	F(INCIDENT_UNNAMED, "incident.volume-unnamed", WARNING, \
	  "the partition table lists other partitions, but not this volume: it was deleted, or its entry was " \
	  "lost; hosts do not see it", \
	  "if it is needed: vmfskit repair table --scan shows a table that lists it, too; nothing is written " \
	  "without --write") \
	F(INCIDENT_LEFT_OVER, "incident.header-left-over", INFO, \
	  "an earlier format of the disk, or a copy of a header, was left outside of all partitions or under " \
	  "another system; nothing in use is affected", "do nothing; vmfskit find shows what is left of it") \
	F(INCIDENT_INITIALISED, "incident.initialised", ERROR, \
	  "another system initialised the LUN: it wrote a partition table of its own", \
	  "keep that system from the LUN, then vmfskit repair table") \
	F(INCIDENT_FORMATTED, "incident.formatted", ERROR, "another system made a file system over the volume", \
	  "keep that system from the LUN and copy the LUN before anything else; what it overwrote comes back " \
	  "from a capture only") \
	F(INCIDENT_BLANKED, "incident.blanked", ERROR, "a part of the disk was filled with zeros", \
	  "find out what was blanked: vmfskit doctor --svg draws it") \
	F(INCIDENT_MAGIC_WIPED, "incident.magic-wiped", ERROR, \
	  "only the few bytes by which systems recognise VMFS are gone", "vmfskit repair header restores them") \
	F(INCIDENT_HEADER_LOST, "incident.header-lost", ERROR, "the LVM header or its tables are gone or damaged", \
	  "vmfskit restore if there is a capture, else vmfskit repair header") \
	F(INCIDENT_DESCRIPTOR_LOST, "incident.descriptor-lost", ERROR, \
	  "the file-system descriptor is gone or damaged", \
	  "vmfskit restore if there is a capture, else vmfskit repair header") \
	F(INCIDENT_TWO_VOLUMES, "incident.two-volumes", ERROR, \
	  "LVM region and file system name two different volumes, and neither looks damaged: one of them came " \
	  "here from another disk or place; the disk does not show which", \
	  "do not mount it; compare both with captures and with the other volumes of the array, by their " \
	  "UUIDs") \
	F(INCIDENT_METADATA_HIT, "incident.metadata-hit", ERROR, \
	  "the file system's own files (.fdc.sf and others) were overwritten: some files of the datastore are " \
	  "lost", "copy the LUN before anything else") \
	F(INCIDENT_REMAINS, "incident.foreign-signature", WARNING, \
	  "another system's signature lies in sectors that VMFS does not use: it was made over the volume, or " \
	  "is older and was never wiped; that system may take the volume for its own", \
	  "keep that system from the LUN; compare with a capture from before, if there is one: vmfskit diff") \
	F(INCIDENT_HEARTBEATS, "incident.heartbeats", ERROR, \
	  "heartbeat slots are neither free nor in use, or lie in the wrong place: hosts call the volume " \
	  "damaged", \
	  "vmfskit restore if there is a capture and no host is using the volume, else vmfskit repair header") \
	F(INCIDENT_OVERWRITTEN, "incident.overwritten", WARNING, \
	  "sectors of no known structure differ from the capture", \
	  "look at them with vmfskit diff; vmfskit restore restores what was captured") \
	F(INCIDENT_GROWN, "incident.lun-grown", WARNING, "the LUN is longer than its partition table knows", \
	  "vmfskit repair table puts the backup GPT at the new end; the volume is then grown in vCenter") \
	F(INCIDENT_MEMBER, "incident.member", ERROR, \
	  "the disk is a part of a RAID, a pool or an encrypted device, or its last sectors may belong to " \
	  "one: it shows only a part of the data, and writing to it damages the whole", \
	  "do not write to it: assemble the array or pool and name the device that comes out; if it is only " \
	  "an old leftover, vmfskit repair and restore say where it lies") \
	F(INCIDENT_LENGTH, "incident.length", WARNING, \
	  "the LVM header and its partition entry, whose checksum is right, give two lengths: one of them was " \
	  "altered, or the partition was grown and the volume not yet", \
	  "compare both with a capture, or with what is known of the LUN, before anything is written: vmfskit " \
	  "decode shows them") \
	F(INCIDENT_NOTHING, "incident.nothing-found", WARNING, \
	  "neither a partition table nor a volume was found at the likely places, and the disk is not known " \
	  "to be empty", "vmfskit find or vmfskit doctor --scan reads the whole disk") \
	F(INCIDENT_SHRUNK, "incident.lun-shrunk", ERROR, "the disk is shorter than what lies on it", \
	  "do not write; check that the whole LUN is visible, or copy it again onto one of the same length") \
	F(INCIDENT_PART, "incident.part", INFO, \
	  "the source is the beginning of a longer disk or partition, or pieces of one; the rest is unknown", \
	  "name the whole LUN, or dump more of it") \
	F(INCIDENT_STRIPES, "incident.stripe-order", ERROR, \
	  "structures lie in the wrong places, in pieces of one size: the array may be assembled in the wrong " \
	  "order", "do not write to it; check the RAID's order of disks first") \
	F(INCIDENT_ALIVE, "incident.alive", WARNING, "a host is using the volume right now", \
	  "unmount the datastore on every host before anything is written") \
	F(INCIDENT_UNREADABLE, "incident.unreadable", ERROR, "the disk does not deliver some of its sectors", \
	  "copy it with ddrescue first and work on the copy") \
	VK_LUNID_FINDING_CODES(F)

#endif
