/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Volumes that no table names: likely places first, then every 512-byte boundary of the disk. What is found is judged
 * by the relations that hold in every real header (format reference 4.9), ranked, and ghosts are told from the living.
 */
#ifndef VMFSKIT_FIND_H
#define VMFSKIT_FIND_H

#include "vmfskit/foreign.h"
#include "vmfskit/source.h"

__BEGIN_DECLS

/* Where a candidate was heard of; bits. */
enum vk_found_by {
	VK_FOUND_TABLE = 1,   /* an entry of some copy of the table, sound or not, or of an older backup GPT */
	VK_FOUND_HINT = 2,    /* the caller knew it: a capture of this disk */
	VK_FOUND_USUAL = 4,   /* a start that installers and tools use */
	VK_FOUND_HEADER = 8,  /* an LVM header was met */
	VK_FOUND_FS = 16,     /* a file-system descriptor was met */
	VK_FOUND_SELF = 32    /* locks and heartbeats voted for it */
};

/* C(id, name, what must hold). The first fifteen are the rows of format reference 4.9. */
#define VK_FIND_CHECKS(C) \
	C(MAGIC, "magic", "LVM magic and a known version") \
	C(BLOCK_SIZE, "block-size", "sectors of 512 or 4096 bytes") \
	C(TOTAL_BYTES, "total-bytes", "totalBytes is whole sectors and more than dataOffset") \
	C(DATA_OFFSET, "data-offset", "the data begins behind the header region") \
	C(NUM_PES, "num-pes", "numPEs follows from totalBytes") \
	C(LAST_PE, "last-pe", "lastPEIndex is numPEs - 1") \
	C(INIT_TIME, "init-time", "creation time and device UUID are of the same second") \
	C(NUM_VOLUMES, "num-volumes", "the device belongs to one volume") \
	C(VOLUME_NAME, "volume-name", "the volume's name is its UUID") \
	C(PE_RANGE, "pe-range", "first and last PE agree with their number") \
	C(LOGICAL_SIZE, "logical-size", "the PEs add up to the volume's size") \
	C(VOLUME_TIME, "volume-time", "creation time and volume UUID agree") \
	C(PE_TABLES, "pe-tables", "PE bitmap and tables agree with the header") \
	C(FS_DESCRIPTOR, "fs-descriptor", "the file system is there and names this volume") \
	C(INSIDE_DISK, "inside-disk", "the partition ends before the disk does") \
	C(SELF_LOCATION, "self-location", "locks and heartbeats say that the volume begins here") \
	C(ALONE, "alone", "it lies in no other volume and overlaps none") \
	C(NOT_FOREIGN, "not-foreign", "no other system's file system lies over it") \
	C(LENGTH, "length", "something besides its header says how long it is")

#define VK_FIND_CHECK_ENUM(id, name, what) VK_CHECK_##id,
enum vk_find_check { VK_FIND_CHECKS(VK_FIND_CHECK_ENUM) VK_CHECK_COUNT };
#undef VK_FIND_CHECK_ENUM
const char *vk_find_check_name(enum vk_find_check check);
const char *vk_find_check_what(enum vk_find_check check);

enum vk_verdict { VK_VERDICT_UNKNOWN, VK_VERDICT_PASS, VK_VERDICT_FAIL };
struct vk_check {
	enum vk_verdict verdict;
	char seen[120]; /* what was seen, a phrase; empty when unknown */
};

/* What a candidate is. Everything from VK_GHOST_INSIDE on is no volume of this disk. */
enum vk_standing {
	VK_STANDING_LIVING,  /* a volume: all that decides holds */
	VK_STANDING_DAMAGED, /* a volume of which header, volume descriptor or file-system descriptor is damaged */
	VK_STANDING_UNKNOWN, /* the first bytes of a header; the rest of it is not in the source */
	VK_GHOST_INSIDE,     /* a copy of a header inside another volume: somebody's dump */
	VK_GHOST_NESTED,     /* the disk of a virtual machine inside another volume */
	VK_GHOST_METADATA,   /* extended metadata of a large device, which begins with the same magic */
	VK_GHOST_EARLIER,    /* an earlier format of the same disk */
	VK_GHOST_FILE,       /* in a file of another system, whose disk it is */
	VK_GHOST_FOREIGN,    /* another system's file system lies over it */
	VK_GHOST_OUTSIDE,    /* it would reach past the end of the disk */
	VK_GHOST_NOISE	     /* a magic and nothing else */
};
const char *vk_standing_name(enum vk_standing standing); /* "living", "damaged", "ghost: copy inside a volume", ... */
static inline bool vk_standing_is_ghost(enum vk_standing standing)
{
	return standing >= VK_GHOST_INSIDE;
}

/* One place of volume offset 0 that self-locating blocks agree on. Plain value. */
struct vk_vote {
	int64_t volume_start_bytes; /* disk offset - stored volume offset; negative on a member that is not the head */
	uint64_t locks[8]; /* by kind: index 1 file descriptor, 2 .fbb, 3 .sbc, 4 .pbc, 5 .fdc, 6 .pb2; 0 others */
	uint64_t heartbeats;        /* slots, free or in use */
	uint64_t heartbeats_in_use;
	uint64_t blocks;            /* all of them */
	uint64_t first_bytes;       /* disk offsets of the first and last one */
	uint64_t last_bytes;
	uint64_t last_addr;         /* the highest volume offset that one of them names */
	uint32_t heartbeat_stride_bytes; /* distance of neighbouring slots: 512 or 4096; 0: not known */
};

/* A volume's partition, or what looks like one. Plain value. */
struct vk_candidate {
	uint64_t start_bytes;       /* of the partition, on the disk; multiple of 512 */
	/*
	 * Exact: the header's totalBytes, and a second witness says the same: an entry of a table or of the GPT at the
	 * end of the image, a capture, the last usable sector, the end of the disk. Else the least that its extents and
	 * blocks prove.
	 */
	uint64_t length_bytes;
	bool length_exact;
	/*
	 * What its header says, where extents, disk and neighbours allow it; 0: nothing that can be believed. When the
	 * length is not exact this is the best guess and no more: within one extent nothing contradicts a wrong bit of
	 * totalBytes.
	 */
	uint64_t told_bytes;
	uint64_t most_bytes;	 /* it cannot be longer: by the number of its extents and by the disk; 0: not known */
	char length_witness[96]; /* who says the exact length besides the header: "entry 1 of the primary GPT"; empty:
				    nobody */
	/* of its length, behind the end of a file that holds the beginning of the disk only; nothing is known of it */
	uint64_t absent_bytes;
	bool start_before_disk;     /* the partition would begin before the disk does; start_bytes is then 0 */
	unsigned found_by;          /* bits of vk_found_by */
	uint64_t claimed_bytes;     /* the length that the best table entry or a hint gives it; 0: none does */
	char heard[96]; /* who said so: "entry 1 of the backup GPT", "capture 2026...-lun3"; empty: nobody */
	bool table_sound;           /* a sound copy of the table has it as a VMFS partition, with this start */
	enum vk_standing standing;
	unsigned sure_percent; /* 0 to 99: weighted share of the checks that could be made and hold; label and UUIDs
				  have no copy */
	char why[240];              /* the standing in plain words */
	size_t inside;              /* index of the candidate that it lies in or is older than; SIZE_MAX: none */
	struct vk_check checks[VK_CHECK_COUNT];

	bool has_header; /* a usable LVM header, or one of which a single field (often the magic) is damaged */
	bool has_volume;            /* a volume descriptor that can be believed */
	bool has_fs;                /* a usable file-system descriptor, if need be without its magic */
	bool head;                  /* carries (or carried) volume offset 0 */
	struct vk_lvm_device lvm;
	struct vk_lvm_volume volume;
	struct vk_fs_descriptor fs;
	bool local;                 /* VMFS-L */
	struct vk_vote vote;        /* blocks is 0 when nobody voted */
};

/* A place to look at before anything else. */
struct vk_find_hint {
	uint64_t start_sector; /* logical sectors of the source */
	uint64_t sectors;      /* 0: not known */
	const char *from;      /* "capture 20261121T020000Z-lun3"; borrowed */
};

struct vk_find_options {
	bool likely_only;                 /* do not scan */
	bool as_own;                      /* judge volumes though the disk is read as another system's */
	uint64_t range_start_bytes;       /* scan only this; length 0: all. Likely places are looked at all the same */
	uint64_t range_length_bytes;
	const struct vk_find_hint *hints;
	size_t hint_count;
	const char *resume_path; /* state of the scan, kept up to date; an existing one is continued; NULL: none */
	/*
	 * The name of the disk, kept in that state and compared when it is continued: what vk_disk_facts_name says.
	 * NULL or empty: it has none, and only its size and the blocks that the state noted tell it from another.
	 */
	const char *disk_name;
	/* Told about every 200 ms, may be NULL: bytes done of all; false stops the scan (VK_OK, stopped set). */
	bool (*progress)(void *ctx, uint64_t done_bytes, uint64_t total_bytes);
	/* Told as soon as the likely places are judged, before the scan begins; may be NULL. */
	void (*likely)(void *ctx, const struct vk_candidate *candidates, size_t count);
	void *ctx;
};

/* A partition of an older GPT. Plain value. */
struct vk_older_entry {
	unsigned number; /* of the slot, from 1 on */
	struct vk_gpt_entry entry;
};
enum { VK_OLDER_GPTS_MAX = 16, VK_OLDER_ENTRIES_MAX = 128 };
/*
 * A backup GPT of an earlier time: its header stands where it says itself, which is neither the end of the disk nor
 * where the table that stands has a copy; nothing is wrong with it, and its checksum fits. It says how the disk was
 * once; nothing says that it is so still.
 */
struct vk_older_gpt {
	uint64_t offset_bytes; /* of the header */
	uint32_t sector_size;  /* that it counts in */
	uint64_t disk_sectors; /* the disk had then */
	struct vk_gpt_header header;
	bool entries_fit;      /* the entries are there, and their checksum fits; else there are none here */
	struct vk_older_entry *entries; /* used ones, the first VK_OLDER_ENTRIES_MAX */
	size_t entry_count;
};

struct vk_find {
	struct vk_candidate *candidates;  /* the living first, by start; then the damaged, then ghosts */
	size_t count;
	size_t left_out;                  /* more marks than could be kept: these were not judged */
	struct vk_vote *votes;            /* places with votes, the strongest first */
	size_t vote_count;
	struct vk_older_gpt *older;       /* as they were met, VK_OLDER_GPTS_MAX at most */
	size_t older_count;
	struct vk_foreigners foreign;     /* on the disk as a whole and at its partitions */
	uint64_t scanned_bytes;           /* read or known to be zero; with those of earlier runs */
	uint64_t resumed_bytes; /* of these, and of the unreadable ones, taken from resume_path without reading them */
	uint64_t resumed_s;               /* when that was saved, in seconds since 1970; 0: nothing was taken from it */
	uint64_t holes_bytes;             /* of these, known to be zero without reading */
	uint64_t total_bytes;             /* of the range */
	struct vk_range *unreadable;      /* sorted */
	size_t unreadable_count;
	bool stopped;
};

/*
 * Look on a decoded disk (or partition: then candidates may begin at 0). Reads only. Errors: VK_IO (environment, resume
 * file), VK_USAGE (resume file of another disk, damaged, or of another format; a range outside the disk), VK_NOMEM.
 * Free with vk_find_free.
 */
VK_MUST_USE enum vk_status vk_find(const struct vk_source *source,
				   const struct vk_find_options *options, struct vk_find *ret_find,
				   struct vk_error *err);
void vk_find_free(struct vk_find *find);

/* The starts (in units of 512 bytes) that installers and tools use, the most frequent first. */
extern const uint64_t vk_find_usual_starts[];
extern const size_t vk_find_usual_start_count;

__END_DECLS
#endif
