/* SPDX-License-Identifier: Apache-2.0 */
/* The file-system descriptor and the heartbeat region. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lab/disk/practice.h"
#include "vmfskit/heartbeat.h"

uint32_t vk_lab_maker_slot(const struct vk_lab_device *device, uint32_t slots)
{
	if (device->maker_slot != 0)
		return device->maker_slot - 1;
	return (uint32_t)(vk_lab_random(device->seed, "maker slot", device->seed_index) % slots);
}

/* A slot that no host of this run has: drawn, then the next that is still free. */
static uint32_t draw_slot(const struct vk_lab_device *device, const struct vk_fs_geometry *g,
			  const uint8_t *region, unsigned host)
{
	uint64_t r = vk_lab_random(device->seed, "heartbeat slot", device->seed_index * 1024 + host);
	uint32_t slot = (uint32_t)(r % g->heartbeat_slots);

	for (;;) {
		struct vk_heartbeat hb;

		vk_heartbeat_decode(region + (size_t)slot * g->heartbeat_slot_bytes,
				    g->heartbeat_slot_bytes, &hb);
		if (hb.state == VK_HB_FREE && !vk_heartbeat_has_history(&hb))
			return slot;
		slot = (slot + 1) % g->heartbeat_slots;
	}
}

/* What stays when a slot is let go: the driver, and where its host was. */
static void put_driver(const struct vk_lab_device *device, unsigned host, struct vk_heartbeat *hb)
{
	char ip[sizeof(hb->ip)] = "";

	hb->driveX = device->fs.majorVersion;
	hb->driveY = device->fs.minorVersion;
	hb->lockImpl = device->version == 3 ? 0 : 3;
	snprintf(ip, sizeof(ip), "10.20.%u.%u", (unsigned)(device->seed_index % 200 + host / 200),
		 11 + host % 200);
	memcpy(hb->ip, ip, sizeof(ip));
}

static void put_host(const struct vk_lab_writing *w, unsigned host, struct vk_heartbeat *hb)
{
	const struct vk_lab_device *device = w->device;
	uint64_t index = device->seed_index * 1024 + host;
	uint64_t r = vk_lab_random(device->seed, "uptime", index);
	/* all hosts beat at the same moment, some weeks after the volume was made, up since up to 60 days */
	uint64_t now_us = device->header.initTimeUS + 90ULL * 86400 * 1000000;
	uint64_t journal = vk_lab_journal(&w->files, host);
	uint8_t mac[6];

	hb->state = VK_HB_IN_USE;
	hb->hbGen = 1 + (r >> 48) % 500;
	hb->stamp = 600ULL * 1000000 + r % (60ULL * 86400 * 1000000);
	vk_lab_mac(device->seed, "host", index, mac);
	vk_lab_uuid(device->seed, "host", index, (uint32_t)((now_us - hb->stamp) / 1000000), mac,
		    &hb->owner);
	put_driver(device, host, hb);
	/*
	 * Its journal block: a file-block address (type 1, block from bit 6 on) on VMFS3 and 5, a journal-block address
	 * (type 6, cluster from bit 3, resource from bit 26 on) on VMFS6.
	 */
	if (device->version == 6)
		hb->journalAddr = 6U | (host / 64 & 0x1FFF) << 3 | (host % 64) << 26;
	else
		hb->journalAddr = (uint32_t)vk_file_block_address(false, journal / w->files.block_bytes, 0);
	if (device->version >= 5)
		hb->journalVolAddr = journal;
}

static void put_slot(uint8_t *region, const struct vk_fs_geometry *g, uint32_t slot, struct vk_heartbeat *hb)
{
	hb->addr = g->heartbeat_offset + (uint64_t)slot * g->heartbeat_slot_bytes;
	vk_heartbeat_encode(hb, region + (size_t)slot * g->heartbeat_slot_bytes, g->heartbeat_slot_bytes);
}

static void fill_region(const struct vk_lab_writing *w, const struct vk_fs_geometry *g, uint8_t *region)
{
	const struct vk_lab_device *device = w->device;
	struct vk_heartbeat hb = {.state = VK_HB_FREE};

	for (uint32_t i = 0; i < g->heartbeat_slots; i++)
		put_slot(region, g, i, &hb);
	/* the host that made the volume has let go: generation, stamp and driver stay; an ESX 3.5 kept no address */
	hb.hbGen = 14;
	hb.stamp = 392363951;
	put_driver(device, device->live, &hb);
	if (device->version == 3)
		memset(hb.ip, 0, sizeof(hb.ip));
	put_slot(region, g, vk_lab_maker_slot(device, g->heartbeat_slots), &hb);
	for (unsigned host = 0; host < device->live; host++) {
		memset(&hb, 0, sizeof(hb));
		put_host(w, host, &hb);
		put_slot(region, g, draw_slot(device, g, region, host), &hb);
	}
}

void vk_lab_write_fs(const struct vk_lab_writing *w)
{
	uint64_t volume_bytes = w->base_bytes + w->device->header.dataOffset;
	uint8_t sector[VK_FS_SECTOR_BYTES] = {0};
	struct vk_fs_geometry g;
	uint8_t *region;
	size_t len;

	vk_fs_descriptor_encode(&w->device->fs, sector, sizeof(sector));
	vk_lab_put(w->disk, volume_bytes + VK_FS_OFFSET, sector, sizeof(sector));
	if (!vk_fs_geometry(&w->device->fs, VK_FS_DESCRIPTOR_BYTES, &g) || g.heartbeat_slots == 0) {
		vk_lab_fail(w->disk,
			    vk_error_set(w->disk->err, VK_INTERNAL, NULL, "the descriptor has no geometry"));
		return;
	}
	len = (size_t)(g.heartbeat_end - g.heartbeat_offset);
	region = vk_lab_alloc(w->disk, len);
	if (region == NULL)
		return;
	fill_region(w, &g, region);
	vk_lab_put(w->disk, volume_bytes + g.heartbeat_offset, region, len);
	free(region);
}
