/* SPDX-License-Identifier: Apache-2.0 */
/* vmfskit status: the LUNs of a store, each with what is known of its newest captures without reading their files. */
#ifndef VK_CMD_STATUS_H
#define VK_CMD_STATUS_H

#include "cmd/shared/captures.h"
#include "store/ledger/ledger_captures.h"
#include "store/manifest/glance.h"
#include "store/manifest/manifest.h"

/* A capture of the store. */
struct status_capture {
	char *id;
	struct vk_glance glance; /* text NULL: its manifest cannot be read */
	char *disk;              /* vk_disk_key: the same for captures of one LUN */
	unsigned flaws;          /* enum vk_capture_flaw: what the last verify found */
};

/* What speaks against every capture of the store is said once. */
#define STATUS_EXPOSED "others can write to the store"
#define STATUS_NO_LEDGER "the store has no ledger that can be read"
enum { STATUS_NIGHT_S = 26 * 3600 };
enum status_state {
	STATUS_SAVED,
	STATUS_OLD,
	STATUS_DAMAGED,  /* the capture is */
	STATUS_BAD_DISK, /* the capture is whole; the disk was damaged, or not read whole, when it was taken */
	STATUS_GONE,
	STATUS_FUTURE,
	STATUS_STATES
};

struct status_lun {
	const struct status_capture *captures; /* newest first */
	size_t count;
	/* in front of them, newest first: those whose time lies in the future; captures itself: there are no others */
	const struct status_capture *ahead;
	/* the last run of capture --all took it, it is recorded, and it is not there or cannot be read; NULL: none */
	const char *lost;
	enum status_state state;
	struct vk_manifest *newest;         /* of the newest, by which it is named; NULL: it cannot be read */
	const struct status_capture *sound; /* the newest that nothing speaks against; NULL: none */
	char why[300];                      /* what speaks against the newest; empty: nothing */
	bool is_bad_disk;                   /* and that is the disk's fault, not the capture's */
	/* Unix seconds; 0: never, or not known */
	int64_t saved, changed, verified, pushed;
};

struct status_run {
	struct vk_cmd cmd;
	int64_t now, max_age_s;
	const char **include, **exclude;
	struct status_capture *captures; /* that are backups: neither undo captures nor rebuilt ones; by LUN */
	size_t count, unreadable;
	char **ids; /* of all captures of the store, sorted */
	size_t id_count;
	struct status_capture *lost; /* of LUNs that have no other capture */
	size_t lost_count;
	struct vk_ledger_missing missing; /* but for those that are the lost one of a LUN */
	char **seen; /* sorted: what the last runs of capture --all saw */
	size_t seen_count;
	bool has_ledger, is_exposed; /* others can write to the store */
	struct vk_recorded_set recorded;
	char verified[32], pushed[32], target[320]; /* all of the store; empty: not known */
	struct status_lun *luns;
	size_t lun_count, states[STATUS_STATES];
	size_t empty; /* of those that are saved: no VMFS volume was found on them */
};

/* Which LUNs are meant, as these options say; false as below. cmd is set by then. */
#define VK_SCOPE_OPTIONS \
	{.name = "include", .argument = "GLOB", .config = true, .several = true, \
	 .help = "only LUNs with such a path or WWID, as of capture --all; may be repeated"}, \
	{.name = "exclude", .argument = "GLOB", .config = true, .several = true, \
	 .help = "not LUNs with such a path or WWID, as of capture --all; may be repeated"}
bool vk_status_begin(struct status_run *run);
/* Captures, LUNs, and what the store knows of them; false: what stood in the way was reported. */
bool vk_status_gather(struct status_run *run);
/* The newest sound capture of each LUN, and its state; false as above. */
bool vk_status_judge(struct status_run *run);
void vk_status_free(struct status_run *run);

/* What is saved is the disk itself, on which no VMFS volume was found: a LUN that may lie in it is not. */
bool vk_status_is_empty(const struct status_lun *lun);
const char *vk_status_word(enum status_state state);
/* "4 of 6 LUNs saved last night, 1 is 3 days old, 1 is gone". "Last night" is 18:00 to 6:00 of the local time. */
void vk_status_headline(const struct status_run *run, char ret_text[400]);
/* The label of its first volume that has one, else the last part of its path; its NAA, empty where it has none. */
const char *vk_status_label(const struct status_lun *lun);
const char *vk_status_naa(const struct status_lun *lun);
void vk_status_put_text(const void *run);
void vk_status_put_json(const void *run, struct vk_json *root);

#endif
