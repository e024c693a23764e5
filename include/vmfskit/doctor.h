/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One look at everything: table copies, headers, descriptors, heartbeats, the live LUN's id, other systems'
 * signatures, the captures in the store. What happened, what is intact, what is lost, and what to run next, the
 * safest first.
 */
#ifndef VMFSKIT_DOCTOR_H
#define VMFSKIT_DOCTOR_H

#include "vmfskit/capture.h"
#include "vmfskit/find.h"
#include "vmfskit/fs_hit.h"

__BEGIN_DECLS

/* How the bytes of a range are. */
enum vk_damage {
	VK_DAMAGE_UNKNOWN,    /* nothing that can be judged lies here, or it was not looked at */
	VK_DAMAGE_INTACT,     /* proved: a checksum fits, or the bytes are those of a capture */
	VK_DAMAGE_CONSISTENT, /* all checks pass; not every byte can be verified */
	VK_DAMAGE_CHANGED,    /* differs from the capture, in a way that hosts write themselves */
	VK_DAMAGE_DAMAGED,    /* a structure that is there and wrong */
	VK_DAMAGE_ZERO,       /* zeros where something must be */
	VK_DAMAGE_FOREIGN,    /* another system's bytes */
	VK_DAMAGE_UNREADABLE,
	VK_DAMAGE_COUNT
};
const char *vk_damage_name(enum vk_damage damage);    /* "intact", "consistent", ... static */
const char *vk_damage_meaning(enum vk_damage damage); /* for a legend; static */
char vk_damage_sign(enum vk_damage damage);           /* for the map: '=', '.', ... */
unsigned vk_damage_rank(enum vk_damage damage);       /* 0 to VK_DAMAGE_COUNT - 1; what is worse has a higher one */

/* A range of the disk, in multiples of 512 bytes. Plain value. */
struct vk_damage_range {
	uint64_t offset_bytes;
	uint64_t length_bytes;
	enum vk_damage damage;
	uint64_t volume_start_bytes; /* of the partition that it belongs to; UINT64_MAX: of the disk */
	char what[80]; /* "primary GPT header", "LVM device header of the volume at sector 2048", "ext4" */
	char symbol[4]; /* of that structure, for the map: "L"; empty: it is not drawn there */
};

/* Whose the bytes in damaged ranges of a volume are; the ranges of all its extents that were diagnosed. */
struct vk_diagnosed_hits {
	bool opened;               /* found is what was found; else nothing could be */
	char unknown[400];         /* why there may be more, or nothing is known; empty: found is all */
	struct vk_fs_hits found;
};

/* A VMFS partition as the doctor sees it; texts are empty where nothing is known. */
struct vk_diagnosed_volume {
	unsigned partition;        /* 0: no table names it */
	uint64_t start_bytes;
	uint64_t length_bytes;     /* 0: not known */
	bool named;                /* the table that systems see has it */
	char label[520];           /* as vk_text_label writes it */
	char volume_uuid[VK_VMFS_UUID_TEXT_BYTES];
	char fs_uuid[VK_VMFS_UUID_TEXT_BYTES];
	char fs_version[40];
	char disk_id[160];         /* the LUN that the header was written for */
	bool alive;
	/* by vk_diagnosis_assemble, of the partition with the first extent; NULL: no range of the volume is damaged */
	struct vk_diagnosed_hits *hits;
};

/* A command to run next. */
struct vk_advice {
	char *command; /* ready to paste; NULL: something to do elsewhere */
	char why[240];
	bool writes;
};

struct vk_diagnosis {
	char *path;
	char headline[500];         /* the whole answer in one sentence */
	struct vk_findings findings;/* incident. codes: what happened; with the ranges */
	uint64_t size_bytes;
	uint32_t sector_size;
	enum vk_source_kind kind;
	struct vk_damage_range *ranges; /* sorted, no two overlap; bytes in none of them were not looked at */
	size_t range_count;
	/*
	 * First and last byte of what is provably wrong, whole units of 512 bytes; both 0 when nothing is (damaged
	 * false).
	 */
	uint64_t first_damaged_bytes, last_damaged_bytes;
	bool damaged;
	struct vk_diagnosed_volume *volumes; /* by start */
	size_t volume_count;
	struct vk_foreigners foreign; /* other systems' signatures, whether they did harm or not */
	char **intact;              /* sentences: what is still there */
	size_t intact_count;
	char **lost;                /* sentences */
	size_t lost_count;
	struct vk_advice *advice;   /* the safest first */
	size_t advice_count;
	char *again;                /* the command that shows all of this diagnosis; NULL: memory ran out */
	bool in_use;                /* a heartbeat slot is taken: by a host that is alive, or that crashed */
	bool watched;               /* the heartbeats were read twice */
	bool alive;                 /* a host beat between two looks */
	char capture[VK_CAPTURE_ID_BYTES]; /* the newest good capture of this disk; empty: none */
	char captures_unknown[300]; /* one sentence: what of the store could not be read; empty: all of it was */
	/*
	 * One of this disk that is newer than capture and not used: one that is whole and not vouched for, else the
	 * newest; empty: none.
	 */
	char passed_over_id[VK_CAPTURE_ID_BYTES];
	char passed_over[300];      /* why not; without an id: what the store has instead; empty: nothing to say */
	bool unknown;               /* a part of the disk, or its captures, could not be read: no repair is advised */
	bool bad;                   /* a finding that is a warning or an error */
	struct vk_source *source;   /* decoded, with the volumes that no table names; owned */
};

struct vk_doctor_options {
	/* NULL: captures are not looked for; only those that its ledger vouches for are believed (vouch.h) */
	const char *store;
	/* and those that are signed by it, when there is one; borrowed; may be NULL */
	const struct vk_public_key *public_key;
	const char *public_key_file; /* its file, for the commands to paste; may be NULL */
	bool store_named;           /* by a person: that it is not there is no answer */
	uint32_t sector_size;
	struct vk_io_view view;     /* what of it is the disk */
	bool scan;                  /* also search the whole disk */
	/* between two looks when a slot is in use; 0: one look only, alive is then not known */
	unsigned heartbeat_wait_ms;
	/* name of the LUN (as ESX shows it, or sysfs as wwid); NULL: the kernel is asked when it is a device */
	const char *live_id;
	struct vk_find_options find;
};

/*
 * Of the file or device at path, or of io when that is not NULL: the diagnosis then owns it (also when this fails), and
 * path is what it is called in commands. Errors: those of vk_source_open and vk_find; VK_USAGE: neither a disk nor a
 * partition. Reads only. Free with vk_diagnosis_free.
 */
VK_MUST_USE enum vk_status vk_diagnose(struct vk_io *io, const char *path, const struct vk_doctor_options *options,
				       struct vk_diagnosis *ret_diagnosis, struct vk_error *err);
void vk_diagnosis_free(struct vk_diagnosis *diagnosis);
/*
 * Volumes of the disks that were diagnosed, put together: volume.extent-missing and the like go to sink, for the whole
 * of them. Where the file system of one can be opened, its files in the damaged ranges are named: vk_diagnosed_volume.
 * Errors: VK_NOMEM.
 */
VK_MUST_USE enum vk_status vk_diagnosis_assemble(struct vk_diagnosis *diagnoses, size_t count,
						 const struct vk_finding_sink *sink,
						 struct vk_error *err);

__END_DECLS
#endif
