/* SPDX-License-Identifier: Apache-2.0 */
/* Everything of libvmfskit. */
#ifndef VMFSKIT_VMFSKIT_H
#define VMFSKIT_VMFSKIT_H

#include "vmfskit/capture.h"
#include "vmfskit/diff.h"
#include "vmfskit/error.h"
#include "vmfskit/finding.h"
#include "vmfskit/fs_descriptor.h"
#include "vmfskit/gpt.h"
#include "vmfskit/heartbeat.h"
#include "vmfskit/import.h"
#include "vmfskit/io.h"
#include "vmfskit/layout.h"
#include "vmfskit/ledger.h"
#include "vmfskit/lock.h"
#include "vmfskit/luns.h"
#include "vmfskit/lvm.h"
#include "vmfskit/mbr.h"
#include "vmfskit/overlay.h"
#include "vmfskit/place.h"
#include "vmfskit/restore.h"
#include "vmfskit/retention.h"
#include "vmfskit/scsi_id.h"
#include "vmfskit/signature.h"
#include "vmfskit/source.h"
#include "vmfskit/store.h"
#include "vmfskit/table.h"
#include "vmfskit/text.h"
#include "vmfskit/vmfs.h"
#include "vmfskit/vmfs_uuid.h"

#endif
