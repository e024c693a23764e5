/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What lies between a source and a LUN in it: members of arrays, physical volumes, caches, partitions. Each is a layer
 * that says where the bytes begin that it gives to what lies on it. Readers of superblocks are given the bytes of the
 * layer below, from its byte 0 on, and believe no number in them that does not fit these bytes.
 */
#ifndef VK_SOURCE_CARRIER_H
#define VK_SOURCE_CARRIER_H

#include "vmfskit/foreign.h"
#include "vmfskit/io.h"

struct vk_layer {
	char name[120];        /* "a member of a Linux RAID (md 1.2, RAID1, 2 disks)" */
	char evidence[120];    /* "md superblock at byte 4096, its checksum fits" */
	uint64_t data_bytes;   /* where the bytes begin that it gives, in the layer below */
	uint64_t length_bytes; /* of them; never past the end of the layer below */
	bool length_known;     /* it says so; else they reach to the end of what is there */
	bool whole;            /* they are all of it: a mirror, a linear volume, the only disk */
	bool in_use;           /* something says that it was put to use, not only made */
	bool empty;            /* it says that no volume has a place in it */
	bool sealed;           /* nothing can be said of what is in it without a key */
	uint64_t made_s, written_s; /* when it was made, and written to last; 0: it does not say */
	/*
	 * How the system itself opens it for reading: open, then the device below where open_takes_device, then
	 * open_behind; what comes out is called device. Empty: where it is whole, a loop device does.
	 */
	char open[320];
	char open_behind[16];
	bool open_takes_device;
	char device[300];
};

struct vk_layers {
	struct vk_layer *items;
	size_t count;
};

/*
 * The layers that a signature tells of; found is one of a member (vk_foreign_is_member), its offsets count in io. Of
 * LVM2 one for each volume that lies in one piece, and behind them one for what else there is. False: out of memory.
 * Nothing is added when a superblock contradicts its own place. Free ret_layers->items.
 */
VK_MUST_USE bool vk_layers_read(struct vk_io *io, const struct vk_foreign *found, struct vk_layers *ret_layers);

/* Of one system each. */
VK_MUST_USE bool vk_layers_read_md(struct vk_io *io, const struct vk_foreign *found, struct vk_layers *layers);
VK_MUST_USE bool vk_layers_read_lvm(struct vk_io *io, struct vk_layers *layers);

/*
 * Two ways to see one volume, both where volumes usually begin: in the bytes of the layer, from at_bytes of io on, and
 * in io itself. Whether it is io's own, and the layer only old, or made over it by accident. bare: one without a table
 * begins with the bytes of the layer.
 */
bool vk_is_of_source(struct vk_io *io, const struct vk_layer *layer, uint64_t at_bytes, uint64_t length_bytes,
		     bool bare);

/* Adds it when its bytes lie in io; length_bytes 0 or too large means to the end. False: out of memory. */
VK_MUST_USE bool vk_layers_add(struct vk_io *io, const struct vk_layer *layer, struct vk_layers *layers);

#endif
