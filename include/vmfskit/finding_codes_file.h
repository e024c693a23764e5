/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of the table in finding_codes.h: files and folders inside a volume, and what their check finds. */
#ifndef VMFSKIT_FINDING_CODES_FILE_H
#define VMFSKIT_FINDING_CODES_FILE_H

#define VK_FILE_FINDING_CODES(F) \
	F(FILE_DESCRIPTOR, "file.descriptor", ERROR, \
	  "a file descriptor names its own place and address; where they differ, it is damaged or a stray copy of " \
	  "another one", "copy what else can be read first; compare the descriptor with a capture or an older dump") \
	F(FILE_RESOURCE, "file.resource-metadata", ERROR, \
	  "clusters, blocks or descriptors of one kind are found by these numbers", \
	  "copy what else can be read first; compare the start of that system file with a capture or an older dump") \
	F(FILE_GENERATION, "file.generation", ERROR, \
	  "the folder names an earlier or later file in this descriptor: the name, or the file, is not what it seems", \
	  "look at the file's contents before they are used") \
	F(FILE_ADDRESS, "file.address", ERROR, "the block of a file cannot be where this address says", \
	  "copy the file; the bytes behind this address are left out and listed") \
	F(FILE_LENGTH, "file.length", ERROR, \
	  "the file is longer than its addresses can reach: one of the two is damaged", \
	  "copy the file; what is behind the last address is left out and listed") \
	F(FILE_POINTER_BLOCK, "file.pointer-block", ERROR, \
	  "the address of a pointer block leads nowhere; nothing else says where this part of the file lies", \
	  "copy the file; this part is left out and listed") \
	F(FILE_POINTER_BLOCK_TWICE, "file.pointer-block-twice", ERROR, \
	  "two parts of a file cannot have the same pointer block: one of its addresses is damaged", \
	  "copy the file; the second part is left out and listed") \
	F(FOLDER_ENTRY, "folder.entry", ERROR, \
	  "an entry of a folder is damaged: its file may be another one, or have another name", \
	  "look at the file that it leads to; compare with a capture or an older dump") \
	F(FOLDER_BLOCK, "folder.block", ERROR, \
	  "a folder's header, a map of its blocks, or a block of its entries is damaged: some of its files may not " \
	  "be listed", "copy what is listed first; look for the others by their descriptors") \
	F(FOLDER_COUNT, "folder.count", ERROR, "length or counts of a folder do not fit its entries", \
	  "copy what is listed first; compare the folder with a capture or an older dump") \
	F(FOLDER_HASH, "folder.hash", ERROR, \
	  "ESX finds a name by the hash table only: on a host this file looks as if it were gone", \
	  "copy the file from here: vmfskit looks at all entries") \
	F(FOLDER_LOOP, "folder.loop", ERROR, \
	  "a folder has one place only: one of the entries that name it is damaged", \
	  "compare the parent that the folder itself names with the folders that name it") \
	F(FILE_CLUSTER, "file.cluster", ERROR, \
	  "a cluster header says which resources are in use; a host that trusts a damaged one allocates them again", \
	  "do not let a host write to the volume; copy its files first") \
	F(FILE_LOCK, "file.lock", INFO, \
	  "the lock is held by a host session that has no heartbeat any more; ESX breaks such locks itself", \
	  "check that no host has the file open before it is used elsewhere") \
	F(FILE_LOCK_FIELD, "file.lock-field", ERROR, \
	  "a lock names the host that holds it or held it last; a damaged one keeps hosts out, or lets two in", \
	  "do not let a host write to the volume; copy the file first") \
	F(FILE_NAMELESS, "file.nameless", WARNING, "the file is in use by its descriptor, and no folder names it", \
	  "vmfskit cp SOURCE '#0x...' DEST copies it, with the address of the descriptor; compare size and times " \
	  "with the files that are missed") \
	F(FILE_LINK_COUNT, "file.link-count", WARNING, "the descriptor counts other names than the folders have", \
	  "look for a name that is missing or one that is too many") \
	F(FILE_BLOCK_COUNT, "file.block-count", WARNING, \
	  "the descriptor counts other blocks than its addresses lead to: some addresses are damaged or lost", \
	  "compare the size of the file with what is known of it before it is used") \
	F(FILE_BLOCK_TWICE, "file.block-twice", ERROR, \
	  "a block can hold the data of one file only: the other one is damaged", \
	  "look at the contents of both files before they are used") \
	F(FILE_BLOCK_FREE, "file.block-free", ERROR, \
	  "blocks of the file are marked free: a host will give them to another file and overwrite them", \
	  "do not let a host write to the volume; copy the file first") \
	F(CAPTURE_FILES_UNREAD, "capture.files-unread", WARNING, \
	  "the map of the files of this volume is not whole: what it lacks cannot be found again after a deletion; " \
	  "the headers were saved", "vmfskit check says what is damaged") \
	F(CAPTURE_FILES_ABSENT, "capture.files-absent", INFO, \
	  "the source does not hold all that tells where the files of this volume lie", \
	  "nothing, if it is a copy of a part of the disk, or one extent of several") \
	F(CAPTURE_FILES_TORN, "capture.files-torn", INFO, \
	  "these files changed while the volume was read: where they lie may be of two moments, and the map says so", \
	  "nothing: hosts that use a volume change files; the next capture has them again") \
	F(CAPTURE_FILES_LIMIT, "capture.files-limit", WARNING, \
	  "the map of all files would have been longer than the limit: the runs of other files than virtual disks, " \
	  "or of all files, are left out", \
	  "give more room with --files-limit, or leave the files out with --no-files") \
	F(CAPTURE_FILE_MAP, "capture.file-map", WARNING, \
	  "the map of the files of a volume is not what was saved; the headers of the capture are not affected", \
	  "use the file map of another night; look at the disk of the store") \
	F(FILE_BLOCK_LOST, "file.block-lost", WARNING, \
	  "these are allocated and no file uses them: space is lost, or the descriptor of a file is", \
	  "look at their contents if a file is missed") \
	F(VDISK_DESCRIPTOR, "vdisk.descriptor", WARNING, \
	  "ESX opens a virtual disk by its descriptor, a small text file: without it the data file is no disk", \
	  "vmfskit cp --make-descriptor makes one for a copy of a flat file") \
	F(VDISK_DATA, "vdisk.data", ERROR, "the descriptor is there, and what it names is not: the disk has no data", \
	  "look for a deleted, renamed or nameless file of that size; vmfskit check names the nameless ones") \
	F(VDISK_SHARED, "vdisk.shared", WARNING, \
	  "two descriptors name one data file: two machines that start from it destroy each other's data", \
	  "find out which of the two is in use, and start only that one") \
	F(VDISK_SIZE, "vdisk.size", ERROR, \
	  "descriptor and data file tell different lengths, or the data file begins with other bytes: one of the " \
	  "two is damaged, or of another disk", "copy both files before anything is changed; compare with a backup") \
	F(VDISK_PARENT, "vdisk.parent", ERROR, \
	  "a delta holds only what changed since; without its parent most of the disk is missing", \
	  "look for the parent in other folders and volumes, and in a backup") \
	F(VDISK_CHAIN, "vdisk.chain", ERROR, "a chain of deltas must end at a disk without a parent", \
	  "compare parentFileNameHint and parentCID of its descriptors; one of them is wrong") \
	F(VDISK_CID, "vdisk.cid", ERROR, \
	  "the CID changes when a disk is written to; a parent that was written to no longer fits its delta, and ESX " \
	  "refuses the chain", "find out what wrote to the parent before the CID is changed by hand: data may be lost")

#endif
