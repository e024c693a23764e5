/* SPDX-License-Identifier: Apache-2.0 */
/* By which text the captures of a store are told apart by disks, and by which people know them. */
#include <stdio.h>

#include "store/manifest/manifest.h"

/*
 * A WWID is that of a disk and of all its partitions: a partition has its path, too. A path alone names one of them,
 * and no two at one time. What lay under it before is another volume or header, of which prune keeps the newest.
 */
char *vk_disk_key(const struct vk_disk_said *said)
{
	char *key;
	int n = said->wwid[0] != '\0'
			? asprintf(&key, "wwid %s%s%s", said->wwid, said->is_disk ? "" : "\npartition ",
				   said->is_disk ? "" : said->path)
			: asprintf(&key, "host %s\npath %s%s%s", said->host, said->path,
				   said->serial[0] != '\0' ? "\nserial " : "", said->serial);

	return n < 0 ? NULL : key;
}

char *vk_capture_disk_key(const struct vk_capture *c)
{
	const struct vk_disk_said said = {.wwid = c->wwid,
					  .host = c->host,
					  .path = c->source_path,
					  .serial = c->disk_serial,
					  .is_disk = c->source_kind == VK_SOURCE_DISK};

	return vk_disk_key(&said);
}

const char *vk_capture_label(const struct vk_capture *capture)
{
	for (size_t i = 0; i < capture->identity_count; i++)
		if (capture->identities[i].fs_label[0] != '\0')
			return capture->identities[i].fs_label;
	return "";
}

const char *vk_capture_naa(const struct vk_capture *capture)
{
	for (size_t i = 0; i < capture->identity_count && capture->wwid[0] == '\0'; i++)
		if (capture->identities[i].disk_id[0] != '\0')
			return capture->identities[i].disk_id;
	return capture->wwid;
}
