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
	  "copy the file; the second part is left out and listed")

#endif
