/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Captures: a folder that holds what is needed to bring a disk's partition table and VMFS headers back, usable with
 * nothing but dd and sha256sum.
 *
 *   <store>/<id>/
 *     manifest.json     identity of host, disk, partitions, volumes; every region (docs/json.md)
 *     SHA256SUMS        coreutils format: every other file of the folder, sorted by name
 *     MD5SUMS           the same of the regions with MD5, when that was asked for
 *     manifest.json.sig Ed25519 signature of manifest.json, when there is a key (signature.h)
 *     RESTORE.txt       the exact dd lines
 *     head.raw          sector 0 to the first partition, at least 34 sectors, at most 1 MiB
 *     ebr-LBA.raw       each extended boot record
 *     gpt-tail.raw      backup entries and header, to the last sector
 *     pN-lvm.raw        partition N: start to dataOffset (the LVM region), sparse
 *     pN-lvm-extK.raw   extended metadata regions of devices over 16 TiB
 *     pN-vh.raw         .vh.sf: volume start to the heartbeats
 *     pN-heartbeats.raw the heartbeat region: what ticks lies apart
 *     pN-vh-tail.raw    .vh.sf behind the heartbeats, where it is longer
 *     pN-files.map      the map of the files of the volume (file_map.h): nothing that a restore writes
 *     pN-metadata.bundle  what tells where its files lie, and small files (bundle.h): nothing that a restore writes
 */
#ifndef VMFSKIT_CAPTURE_H
#define VMFSKIT_CAPTURE_H

#include <string.h>

#include "vmfskit/file_map.h"
#include "vmfskit/signature.h"
#include "vmfskit/source.h"
#include "vmfskit/store.h"

__BEGIN_DECLS

enum { VK_SHA256_HEX_BYTES = 65, VK_MD5_HEX_BYTES = 33, VK_CAPTURE_ID_BYTES = 128 };

/* One saved range. Plain value; name is a file name inside the capture. */
struct vk_region {
	char file[64];
	enum vk_part part;
	unsigned partition;     /* 0: belongs to the disk */
	uint64_t offset_bytes;  /* on the disk (or partition, when that was captured) */
	uint64_t length_bytes;
	char sha256[VK_SHA256_HEX_BYTES];
	char md5[VK_MD5_HEX_BYTES]; /* empty unless it was asked for */
};

/* The map of the files of one volume. Plain value; name is a file name inside the capture. */
struct vk_saved_map {
	char file[64];
	unsigned partition;
	uint64_t length_bytes;
	char sha256[VK_SHA256_HEX_BYTES];
	enum vk_file_map_scope scope; /* these are as in struct vk_file_map_sums */
	uint64_t files, runs, unread, torn, faults;
};

/* How much of the metadata of a volume is saved. */
enum vk_metadata_scope {
	VK_METADATA_SAVED_ALL,  /* all but heartbeats and journals, which tick; small files, too */
	VK_METADATA_SAVED_LEADS /* what leads to files, without bitmaps of blocks and without small files */
};
const char *vk_metadata_scope_name(unsigned scope); /* "all", "leads" */
/* The metadata of one volume: a bundle of ranges of the disk. Plain value; as vk_saved_map. */
struct vk_saved_metadata {
	char file[64];
	unsigned partition;
	uint64_t length_bytes;
	char sha256[VK_SHA256_HEX_BYTES];
	enum vk_metadata_scope scope;
	uint64_t held_bytes;       /* of the disk, that are in it */
	uint64_t unreadable_bytes; /* of the ranges, that could not be read */
	uint64_t faults;           /* 1: what leads to some of it is damaged, or not in the source */
};

/* A file that a capture was imported from. Plain value. */
struct vk_origin_file {
	char name[512];        /* as vk_text_label writes it; TAR:MEMBER for what lies in a tar */
	uint64_t length_bytes;
	char sha256[VK_SHA256_HEX_BYTES];
	char modified[32];     /* UTC; empty: not known */
	/*
	 * Newer: how the disk was read through it, and the files of the same dump behind it. It begins at this byte,
	 * of each so many bytes the first 512 are its own, and what it holds at all this file of ddrescue tells.
	 */
	uint64_t at_bytes;
	uint64_t stride_bytes; /* 0: all are */
	char mapfile[512];     /* empty: all is held */
};

/* Who a partition was, for the guards. Texts are empty where the capture does not know. */
struct vk_identity {
	unsigned partition;
	uint64_t start_sector;
	uint64_t sectors;
	char disk_id[160];     /* canonical name: naa.... */
	char vml[160];
	unsigned lun;
	char target_label[160];/* "SUN COMSTAR 1.0" */
	char device_uuid[VK_VMFS_UUID_TEXT_BYTES];
	char volume_uuid[VK_VMFS_UUID_TEXT_BYTES];
	char fs_uuid[VK_VMFS_UUID_TEXT_BYTES];
	char fs_label[520];    /* as vk_text_label writes it */
	char fs_version[40];
	uint64_t heartbeat_offset_bytes; /* on the disk; 0: not known or not the head extent */
	uint64_t heartbeat_length_bytes;
	uint32_t heartbeat_slot_bytes;
};

/*
 * What repair (repair.h) worked out, of a capture that is not what a disk held. Lists of texts end with NULL and may be
 * NULL; each text is one sentence. Free with vk_rebuilt_free.
 */
struct vk_rebuilt {
	char what[40]; /* "table", "header" or "signatures": those were put away */
	/*
	 * sorted: what repair changed. All else is as it stood on the disk, and restore leaves it alone unless
	 * parts are named
	 */
	struct vk_range *ranges;
	size_t range_count;
	char **exact;             /* what is as it was before the damage, and how that is known */
	char **fresh;             /* what survives nowhere and was made new, or is only usual */
	char **lost;              /* what stays lost */
	char **guessed;           /* values that could not be known (guard "guess") */
	/* ids, as in vk_identity, that were damage: a target that still says one of them is no other disk */
	char **replaced;
};
/* Whether signatures were put away: magics that become zeros. The volume that they are of is not known to it then. */
static inline bool vk_rebuilt_is_wipe(const struct vk_rebuilt *rebuilt)
{
	return strcmp(rebuilt->what, "signatures") == 0;
}
void vk_rebuilt_free(struct vk_rebuilt *rebuilt);

/* A capture read back. Free with vk_capture_close. */
struct vk_capture {
	char id[VK_CAPTURE_ID_BYTES];
	char *path;            /* its folder */
	bool is_undo;          /* taken by restore before it wrote */
	char host[256];
	char user[64];         /* who took it; this and what is marked "newer" is empty in captures of older versions */
	char time[32];         /* UTC, "2009-04-21T16:45:56Z": when it was begun */
	char ended[32];        /* newer */
	char **command;        /* newer: the command line; ends with NULL; NULL: not known */
	char run[48];          /* newer: all captures of one run have the same */
	char version[32];      /* of the program that took it */
	/* newer: name of the key that it was signed with (signature.h); empty: it was not */
	char signer[VK_SHA256_HEX_BYTES];
	char source_path[4096];
	char **other_paths;    /* newer: further nodes of the same LUN; ends with NULL; NULL: none */
	enum vk_source_kind source_kind; /* disk or partition */
	char disk_serial[160]; /* what sysfs told of the device, may be empty */
	char wwid[200];        /* the same */
	char disk_model[160];  /* the same */
	unsigned device_partition;     /* newer: the source was this partition of a device; 0: none, or not known */
	uint64_t device_start_sector;  /* newer: where that began, in 512 bytes; 0: not known */
	struct vk_file_id file;        /* newer: the source was this file, or a loop device over it; inode 0: unknown */
	uint64_t size_bytes;
	bool size_uncertain;   /* newer: the disk is at least that long; what was imported did not tell more */
	uint32_t sector_size;
	enum vk_table_kind table_kind;
	struct vk_identity *identities; /* one for each VMFS partition */
	size_t identity_count;
	struct vk_region *regions;      /* sorted by offset */
	size_t region_count;
	struct vk_saved_map *maps;      /* newer: sorted by partition; no region, and never written to a disk */
	size_t map_count;
	struct vk_saved_metadata *metadata; /* newer: the same */
	size_t metadata_count;
	/* ranges that could not be read when it was taken, or were not held by what was imported */
	struct vk_range *unreadable;
	size_t unreadable_count;
	struct vk_origin_file *imported; /* newer: the files it was made of; NULL unless it was imported */
	size_t imported_count;
	char imported_time[32]; /* newer: when that was; time is then that of the collection */
	char imported_host[256]; /* newer: on which host; host is then that of the disk */
	char undo_of[VK_CAPTURE_ID_BYTES]; /* an undo capture: the capture whose restore it undoes */
	bool is_rebuilt;       /* newer: made by repair; it says nothing of what the disk held before */
	struct vk_rebuilt rebuilt; /* newer: of such a one */
	/*
	 * Of a capture that was not saved (yet): the whole disk with its changes, from which regions are read
	 * instead of from files; path is then only for messages. Borrowed; NULL for every capture in a store.
	 */
	struct vk_io *memory;
	char manifest_sha256[VK_SHA256_HEX_BYTES]; /* of the manifest that all this was read from; empty: of none */
	/*
	 * The regions in memory, as they were when they were judged (vk_capture_hold in vouch.h): from then on they
	 * are read from here. NULL: they are read from the files. vk_capture_close frees it.
	 */
	struct vk_io *held;
};

/*
 * Where the bytes come from when it was no disk of this host; vk_import_take (import.h) fills it. Borrowed, texts
 * are copied.
 */
struct vk_capture_origin {
	const char *host;      /* whose disk it was; "": not known */
	const char *wwid;      /* the WWID as that host had it; NULL: not known */
	uint64_t unix_seconds; /* when the bytes were read there */
	bool size_uncertain;   /* the source may be shorter than the disk was */
	const struct vk_origin_file *files;
	size_t file_count;
};

/*
 * How an import was read, where that is not simply byte by byte: "md.img from byte 1048576 on, as far as md.map says it
 * was read". Nothing is put of other captures.
 */
/* How people know its disk; both live in the capture. The label of the first volume that has one; empty: none has. */
const char *vk_capture_label(const struct vk_capture *capture);
/* The WWID; without one the disk id of the first volume that has one; empty: none. */
const char *vk_capture_naa(const struct vk_capture *capture);
void vk_capture_put_view(const struct vk_capture *capture, struct vk_text *text);

/* In memory that processes share: of a disk that may stop answering. */
struct vk_capture_watch {
	uint64_t in_call_since_ms; /* its source was opened with this, see vk_open_options */
	unsigned timeout_s;        /* so long a call into the device may take */
	/* told before files are read: so long maps of them and metadata of all volumes can get; 0: not known yet */
	uint64_t most_map_bytes, most_metadata_bytes;
	bool apart;                /* another process reads for it, and is watched: nobody else need watch */
};
struct vk_capture_options {
	struct vk_store *store;  /* opened with RUN or ADD; borrowed */
	uint32_t sector_size;    /* 0: of the device */
	const char *const *other_paths; /* further nodes of the same LUN, ends with NULL; may be NULL */
	/* id of the last capture of this disk: files that did not change become hard links to its files; NULL: none */
	const char *previous;
	bool md5;                /* MD5 beside SHA-256 */
	bool vmfs_optional;      /* no capture.no-vmfs: the caller knows that disks without VMFS are among its own */
	const struct vk_capture_origin *origin; /* NULL: the disk itself is read */
	/* NULL: none. The source is what repair would make of the disk; its ranges are saved, too; copied */
	const struct vk_rebuilt *rebuilt;
	const struct vk_identity *volume; /* of what was rebuilt: one that it makes unknown; may be NULL */
	/*
	 * at most so many bytes of the files of each volume are saved, as in vk_file_map_make; 0: nothing of files.
	 * That they cannot be read is a finding (capture.files-...) of who asked, not of the capture.
	 */
	uint64_t files_limit_bytes;
	/* NULL: nobody watches. A device that does not answer while the files are read costs them alone */
	struct vk_capture_watch *watch;
};

/* What a capture is made of before it has a name: regions to save and what is known of them. */
struct vk_capture_plan {
	struct vk_region *regions; /* sha256 still empty */
	size_t region_count;
	struct vk_identity *identities;
	size_t identity_count;
};
/* Which ranges of a decoded source (disk or partition) a capture saves. Free with vk_capture_plan_free. */
VK_MUST_USE enum vk_status vk_capture_plan(const struct vk_source *source,
					   struct vk_capture_plan *ret_plan, struct vk_error *err);
void vk_capture_plan_free(struct vk_capture_plan *plan);

/*
 * Take a capture of a decoded source. Written to a temporary folder in the store, fsynced, renamed without
 * replacing anything; recorded in the ledger between the two. Findings of this capture (capture.not-containing,
 * capture.no-vmfs, capture.unreadable, capture.not-held, ...) go to sink; it is kept all the same. ret_id is its
 * name in the store. Errors: VK_USAGE (source is neither disk nor partition), VK_IO, VK_NOMEM.
 */
VK_MUST_USE enum vk_status vk_capture_take(const struct vk_source *source,
					   const struct vk_capture_options *options,
					   const struct vk_finding_sink *sink,
					   char ret_id[VK_CAPTURE_ID_BYTES], struct vk_error *err);
/* How often a disk that changes while it is read is taken before it is kept as it is. */
enum { VK_CAPTURE_TRIES = 3 };
/*
 * Take a capture of a disk that may be in use. open(ctx, ...) opens and decodes it anew; the source is closed here.
 * When everything was copied, the partition table, LVM headers and file-system descriptors are read once more: if
 * one of them is not what was saved, nothing of it is kept and the disk is taken again; the last of
 * VK_CAPTURE_TRIES is kept, with capture.changing for each that moved. Otherwise as vk_capture_take; errors also
 * those of open.
 */
VK_MUST_USE enum vk_status vk_capture_take_live(
	enum vk_status (*open)(void *ctx, struct vk_source *ret_source, struct vk_error *err),
	void *ctx, const struct vk_capture_options *options, const struct vk_finding_sink *sink,
	char ret_id[VK_CAPTURE_ID_BYTES], struct vk_error *err);
/*
 * The undo capture of a restore: saves the given regions (file, part, partition, offset, length) as they are
 * now, fsyncs, reads back and compares. identities are those the target will have after the restore.
 */
VK_MUST_USE enum vk_status vk_capture_take_undo(struct vk_io *target, const struct vk_capture *of,
						const struct vk_region *regions, size_t count,
						const struct vk_capture_options *options,
						char ret_id[VK_CAPTURE_ID_BYTES],
						struct vk_error *err);

/*
 * Read a capture's manifest. name is a folder's path or an id in the store. Errors: VK_ABSENT (says where it
 * was looked for), VK_DAMAGED (manifest cannot be understood), VK_UNSUPPORTED (a newer schema), VK_IO.
 */
VK_MUST_USE enum vk_status vk_capture_open(const char *store, const char *name,
					   struct vk_capture *ret_capture, struct vk_error *err);
void vk_capture_close(struct vk_capture *capture);

/*
 * Prove a capture: manifest against SHA256SUMS byte for byte, every file's length and digest, regions neither
 * overlapping nor outside the disk, nothing that does not belong; in a store, that the folder has its own name.
 * Findings (all capture. codes) go to sink. Works on the folder, so that a capture whose manifest is broken can be
 * judged too.
 */
VK_MUST_USE enum vk_status vk_capture_verify(const char *path, const struct vk_finding_sink *sink,
					     struct vk_error *err);

/*
 * Digests that verifications of one run share, also between threads: a file that several captures have as hard links is
 * read once, as long as nothing about it changes. NULL when memory ran out, which every user takes. To be thrown away
 * with the run: it trusts what the file system says of times of change.
 */
struct vk_verify_cache;
struct vk_verify_cache *vk_verify_cache_new(void);
void vk_verify_cache_free(struct vk_verify_cache *cache); /* NULL is allowed */

/*
 * One region's bytes as a source (holes of the file as zeros; what could not be read when it was taken is
 * unreadable here, too, not zeros).
 */
VK_MUST_USE enum vk_status vk_capture_region(const struct vk_capture *capture, size_t region,
					     struct vk_io **ret_io, struct vk_error *err);
/* A map of its files, to be read with vk_file_map_read. Errors: VK_ABSENT, VK_DAMAGED (not its length), VK_IO. */
VK_MUST_USE enum vk_status vk_capture_map(const struct vk_capture *capture, size_t map, struct vk_io **ret_io,
					  struct vk_error *err);
/* The capture as a source with the offsets of the disk; what was not saved is absent. capture must outlive it. */
VK_MUST_USE enum vk_status vk_capture_io(const struct vk_capture *capture, struct vk_io **ret_io,
					 struct vk_error *err);
/* The same, decoded as the kind of source that was captured. Free ret_source with vk_source_close. */
VK_MUST_USE enum vk_status vk_capture_source(const struct vk_capture *capture,
					     struct vk_source *ret_source, struct vk_error *err);

__END_DECLS
#endif
