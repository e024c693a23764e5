/* SPDX-License-Identifier: Apache-2.0 */
/* The part of the table of findings that is about the LUN that a volume was written for. Of finding_codes.h only. */
#ifndef VMFSKIT_FINDING_CODES_LUNID_H
#define VMFSKIT_FINDING_CODES_LUNID_H

#define VK_LUNID_FINDING_CODES(F) \
	F(LUNID_MATCH, "lunid.match", INFO, "hosts accept the volume on the LUN that its header names", \
	  "if it is not mounted all the same, look for another reason: vmfskit doctor") \
	F(LUNID_NOT_COMPARABLE, "lunid.not-comparable", INFO, \
	  "the id in the header and the LUN's own name cannot be compared, so nothing is known of the LUN", \
	  "name the LUN as an ESX host shows it: --live vml...., or a saved esxcli storage core device list") \
	F(LUNID_LUN_CHANGED, "lunid.lun-changed", WARNING, \
	  "the LUN has another number than the header records: old releases of ESX take the volume for a snapshot", \
	  "present the LUN under its former number to every host, and rescan") \
	F(LUNID_DESIGNATOR_CHANGED, "lunid.designator-changed", WARNING, \
	  "the header was written for another LUN: hosts take the volume for a snapshot and do not mount it", \
	  "find out whether this is the original under a new id, or a copy, before it is mounted or " \
	  "resignatured") \
	F(LUNID_MODEL_CHANGED, "lunid.model-changed", WARNING, \
	  "the id has the first six characters of the product string, and array firmware changed them: hosts may " \
	  "take the volume for a snapshot", "set the product string back at the array, or mount the volume by force") \
	F(LUNID_KIND_CHANGED, "lunid.kind-changed", WARNING, \
	  "firmware or a driver made the LUN known under another kind of name: hosts take the volume for a snapshot", \
	  "find out what was changed last on the host and on the array, and set it back if that is possible") \
	F(LUNID_LENGTH_WRONG, "lunid.length-wrong", WARNING, "the length of the disk id does not fit its type", \
	  "compare the header with a capture: vmfskit repair header shows what else tells the id") \
	F(LUNID_CONFLICT, "lunid.conflict", ERROR, \
	  "two visible LUNs hold one volume: one is a copy of the other, and hosts mount one of them only", \
	  "find out which is the original before either is mounted, resignatured or written to") \
	F(LUNID_EXTENT_MISSING, "lunid.extent-missing", ERROR, \
	  "the volume spans several LUNs and not all of them are here: hosts do not mount it whole", \
	  "present the missing LUN again, or name it too") \
	F(LUNID_EXTENT_DOUBLED, "lunid.extent-doubled", ERROR, \
	  "two visible LUNs hold the same extent of a volume: one is a copy, and a host may mix the two", \
	  "take the copy away from every host before the volume is mounted") \
	F(LUNID_RESIGNATURE_PENDING, "lunid.resignature-pending", WARNING, \
	  "a host began to give the volume a new signature and did not end it", \
	  "find the host that ran it before anything else") \
	F(LUNID_RESIGNATURE_DONE, "lunid.resignature-done", INFO, \
	  "the volume got a new signature once: its UUID is another one than its virtual machines may have known", \
	  "look for virtual machines that are registered under the former UUID")

#endif
