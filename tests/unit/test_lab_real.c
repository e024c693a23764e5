/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Volumes of the lab beside the three real ones of the same size: every byte of the partition is the same, but for the
 * fields in the table below. Each row must be needed, so that the table does not outlive its reasons.
 */
#include <fnmatch.h>

#include "disk_support.h"
#include "lab/lab.h"
#include "real_volumes.h"
#include "vmfskit/heartbeat.h"

enum { V3 = 1, V5 = 2, V6 = 4, ALL = V3 | V5 | V6, PIECES_MAX = 4096, SAID_MAX = 20 };

/* Patterns as in a shell. A byte that no layout names has the field "-". */
static const struct allowed {
	unsigned versions;
	const char *piece, *field, *why;
} table[] = {
	{ALL, "LVM header", "devID", "drawn"},
	{ALL, "LVM header", "*TimeUS", "times"},
	{V3, "LVM header", "diskID", "the lab's LUN speaks a later SCSI level"},
	{ALL, "volume", "name", "drawn"},
	{ALL, "volume", "uuid", "drawn"},
	{ALL, "volume", "*TimeUS", "times"},
	{ALL, "FS descriptor", "uuid", "drawn"},
	{ALL, "FS descriptor", "volInfo", "drawn"},
	{V5 | V6, "FS descriptor", "hostUuid", "drawn"},
	{ALL, "FS descriptor", "creationTime", "times"},
	{V5 | V6, "heartbeat", "hbGen", "how often it was mounted"},
	{V5 | V6, "heartbeat", "stamp", "times"},
	{V5 | V6, "heartbeat", "ip", "drawn"},
	{V5, "heartbeat", "owner", "drawn"},
	{ALL, "* lock", "mtime", "times, or a counter of the host"},
	{ALL, "* lock", "token", "the real volumes were used"},
	{ALL, "* lock", "hbAddr", "the real volumes were used"},
	{ALL, "* lock", "hbGen", "the real volumes were used"},
	{V6, ".fbb.sf small cluster 1 lock", "lastHbAddr", "drawn"},
	{V6, ".fbb.sf small cluster 1 lock", "lastHolder", "drawn"},
	{ALL, "FD *", "[cam]time", "times"},
	{V5 | V6, "FD /", "linkCount", "a folder of the user"},
	{V3 | V5, "FD /", "fileLength", "files of the user"},
	{V6, "FD .sbc.sf rest", "-", "one byte of unknown meaning"},
	{ALL, "FD of the user", "*", "files of the user"},
	{ALL, "/ data", "*", "files of the user"},
	{V5 | V6, ".fdc.sf cluster 0", "freeResources", "files of the user"},
	{V5 | V6, ".fdc.sf cluster 0", "nextFreeIdx", "files of the user"},
	{V5, ".fdc.sf cluster 0", "bitmap", "files of the user"},
	{V5, ".fdc.sf cluster 0", "typeData", "files of the user"},
	{V6, ".fdc.sf cluster 0", "allocations", "files of the user"},
	{V6, ".fdc.sf cluster 0", "last*", "files of the user"},
	{V6, ".fdc.sf cluster 0", "-", "files of the user: bitmap and affinity"},
	{V3, ".fdc.sf cluster 6", "*", "files of the user"},
	{V3, ".fbb.sf cluster [02-5]", "*", "files of the user"},
	{V5, ".fbb.sf cluster 0", "*", "files of the user"},
	{V3, ".sbc.sf cluster 30", "*", "files of the user"},
	{V5, ".sbc.sf cluster 4", "*", "files of the user"},
	{V6, ".sbc.sf cluster 0", "freeResources", "files of the user"},
	{V6, ".sbc.sf cluster 0", "nextFreeIdx", "files of the user"},
	{V6, ".sbc.sf cluster 0", "allocations", "files of the user"},
	{V6, ".sbc.sf cluster 0", "last*", "files of the user"},
	{V6, ".sbc.sf cluster 0", "-", "files of the user: bitmap and affinity"},
	{V6, ".jbc.sf cluster 0", "allocations", "how often it was mounted"},
	{V6, ".jbc.sf cluster 0", "last*", "who mounted it"},
	{V6, ".pb2.sf cluster 0", "last*", "drawn, and times"},
	{V6, ".fbb.sf small cluster 1", "last*", "drawn, and times"},
	{ALL, ".sbc.sf data", "*", "files of the user"},
	{V6, ".jbc.sf data", "*", "journals"},
	{V3 | V5, "other block", "*", "files of the user, a journal"},
};

struct piece {
	char name[48];
	const struct vk_layout *layout;
	uint64_t offset; /* in the partition */
	uint32_t bytes;
};

static struct bench {
	unsigned version, bit;
	struct vk_lab_disk real, lab;
	struct vk_lab_device device;
	struct vk_lab_files files;
	struct piece pieces[PIECES_MAX];
	size_t count;
	bool needed[sizeof(table) / sizeof(table[0])];
	unsigned wrong;
} b;

static uint32_t block(void)
{
	return b.files.md_alignment != 0 ? b.files.md_alignment : 512;
}

__attribute__((format(printf, 4, 5)))
static void add(const struct vk_layout *layout, uint64_t offset, uint32_t bytes, const char *name, ...)
{
	struct piece *p = &b.pieces[b.count++];
	va_list args;

	assert_true(b.count < PIECES_MAX);
	*p = (struct piece){.layout = layout, .offset = offset, .bytes = bytes};
	va_start(args, name);
	vsnprintf(p->name, sizeof(p->name), name, args);
	va_end(args);
}

static uint64_t place(enum vk_system_file file, uint64_t offset)
{
	return VK_LVM_DATA_OFFSET + vk_lab_file_volume_offset(&b.files, file, offset);
}

static void add_clusters(enum vk_system_file file, const struct vk_resource_file *r, bool small)
{
	const struct vk_layout *layout = b.version == 6 ? &vk_cluster6_layout : &vk_cluster_layout;
	const struct vk_resource_file *large = &b.files.of[VK_SYSTEM_FBB].resource;
	const char *name = vk_system_file_name(file);

	for (uint64_t n = 0; n * r->resourcesPerCluster < vk_resource_count(r); n++) {
		uint64_t at = place(file, small ? vk_resource_offset(large, block(), 0, (uint32_t)n)
						: vk_cluster_header_offset(r, b.files.md_alignment, n));

		add(&vk_lock_layout, at, block(), "%s %scluster %u lock", name, small ? "small " : "", (unsigned)n);
		add(layout, at + block(), block(), "%s %scluster %u", name, small ? "small " : "", (unsigned)n);
	}
}

static void add_descriptors(void)
{
	const struct vk_resource_file *fdc = &b.files.of[VK_SYSTEM_FDC].resource;
	uint64_t first = VK_LVM_DATA_OFFSET + vk_lab_system_fd(&b.device.fs, VK_SYSTEM_ROOT);
	const uint32_t bytes = fdc->resourceSize;

	for (uint32_t i = 0; i < b.files.file_count; i++) {
		const char *name = vk_system_file_name((enum vk_system_file)i);

		add(&vk_lock_layout, first + i * bytes, block(), "FD %s lock", name);
		add(&vk_file_metadata_layout, first + i * bytes + block(), 512, "FD %s", name);
		add(NULL, first + i * bytes + block() + 512, bytes - block() - 512, "FD %s rest", name);
	}
	/* those of one block at the most: files go on elsewhere */
	add(NULL, first + b.files.file_count * bytes, bytes * (b.version == 6 ? 64 : 256), "FD of the user");
}

static void list_pieces(void)
{
	struct vk_lvm_geometry lvm;
	struct vk_fs_geometry fs;

	vk_lvm_geometry(&b.device.header, VK_LVM_HEADER_OFFSET, &lvm);
	assert_true(vk_fs_geometry(&b.device.fs, VK_FS_DESCRIPTOR_BYTES, &fs));
	add(&vk_lvm_device_layout, VK_LVM_HEADER_OFFSET, 512, "LVM header");
	add(&vk_lvm_volume_layout, lvm.volume_table, 512, "volume");
	add(&vk_fs_descriptor_layout, VK_LVM_DATA_OFFSET + VK_FS_OFFSET, 512, "FS descriptor");
	for (uint32_t i = 0; i < fs.heartbeat_slots; i++)
		add(&vk_heartbeat_layout, VK_LVM_DATA_OFFSET + fs.heartbeat_offset + i * fs.heartbeat_slot_bytes,
		    fs.heartbeat_slot_bytes, "heartbeat");
	for (unsigned i = 0; i < b.files.file_count; i++)
		if (b.files.of[i].has_resource)
			add_clusters((enum vk_system_file)i, &b.files.of[i].resource, false);
	if (b.version == 6)
		add_clusters(VK_SYSTEM_FBB, &b.files.small, true);
	add_descriptors();
}

static bool in_run(const struct vk_lab_run *run, uint64_t block_number)
{
	return block_number >= run->first_block && block_number - run->first_block < run->blocks;
}

/* What lies in no piece: the contents of a system file, or a block of none. */
static void name_rest(uint64_t offset, char name[48])
{
	uint64_t number = (offset - VK_LVM_DATA_OFFSET) / b.files.block_bytes;

	snprintf(name, 48, offset < VK_LVM_DATA_OFFSET ? "LVM region" : "other block");
	for (unsigned i = 0; offset >= VK_LVM_DATA_OFFSET && i < b.files.file_count; i++)
		if (in_run(&b.files.of[i].runs[0], number) || in_run(&b.files.of[i].runs[1], number))
			snprintf(name, 48, "%s data", vk_system_file_name((enum vk_system_file)i));
}

static const char *field_at(const struct vk_layout *layout, uint64_t offset)
{
	for (size_t i = 0; layout != NULL && i < layout->count; i++)
		if (offset >= layout->fields[i].offset && offset < layout->fields[i].offset + layout->fields[i].size)
			return layout->fields[i].name;
	return "-";
}

static void judge_difference(uint64_t offset, uint8_t real, uint8_t lab)
{
	const char *field = "-";
	char name[48];

	name_rest(offset, name);
	for (size_t i = 0; i < b.count; i++) {
		const struct piece *p = &b.pieces[i];

		if (offset < p->offset || offset - p->offset >= p->bytes)
			continue;
		memcpy(name, p->name, sizeof(name));
		field = field_at(p->layout, offset - p->offset);
		break;
	}
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		if ((table[i].versions & b.bit) != 0 && fnmatch(table[i].piece, name, 0) == 0 &&
		    fnmatch(table[i].field, field, 0) == 0) {
			b.needed[i] = true;
			return;
		}
	if (b.wrong++ < SAID_MAX)
		print_error("0x%llx: %s, %s: real %02x, lab %02x\n", (unsigned long long)offset, name, field, real,
			    lab);
}

static void compare(uint64_t bytes)
{
	static uint8_t real[1 << 16], lab[1 << 16];

	for (uint64_t at = 0; at < bytes; at += sizeof(real)) {
		size_t len = bytes - at < sizeof(real) ? (size_t)(bytes - at) : sizeof(real);

		get(&b.real, at, real, len);
		get(&b.lab, at, lab, len);
		if (memcmp(real, lab, len) == 0)
			continue;
		for (size_t i = 0; i < len; i++)
			if (real[i] != lab[i])
				judge_difference(at + i, real[i], lab[i]);
	}
}

static struct vk_heartbeat slot_get(struct vk_lab_disk *disk, const struct vk_fs_geometry *g, uint32_t slot)
{
	uint8_t raw[512];
	struct vk_heartbeat hb;

	get(disk, VK_LVM_DATA_OFFSET + g->heartbeat_offset + (uint64_t)slot * g->heartbeat_slot_bytes, raw,
	    sizeof(raw));
	vk_heartbeat_decode(raw, sizeof(raw), &hb);
	return hb;
}

static void slot_put(const struct vk_fs_geometry *g, uint32_t slot, struct vk_heartbeat hb)
{
	uint8_t raw[512] = {0};

	hb.addr = g->heartbeat_offset + (uint64_t)slot * g->heartbeat_slot_bytes;
	vk_heartbeat_encode(&hb, raw, sizeof(raw));
	assert_int_equal(vk_lab_put(&b.lab, VK_LVM_DATA_OFFSET + hb.addr, raw, sizeof(raw)), VK_OK);
}

/* The one slot that a host has or had; with in_use, that a host has. */
static uint32_t used_slot(struct vk_lab_disk *disk, const struct vk_fs_geometry *g, bool in_use)
{
	uint32_t found = UINT32_MAX;

	for (uint32_t i = 0; i < g->heartbeat_slots; i++) {
		struct vk_heartbeat hb = slot_get(disk, g, i);

		if (in_use ? hb.state != VK_HB_IN_USE : !vk_heartbeat_has_history(&hb))
			continue;
		assert_int_equal(found, UINT32_MAX);
		found = i;
	}
	assert_int_not_equal(found, UINT32_MAX);
	return found;
}

/* Which slot a host takes is drawn: that of the lab is moved to where the real one lies. */
static void align_heartbeats(void)
{
	const struct vk_heartbeat unused = {.state = VK_HB_FREE};
	struct vk_fs_geometry g;
	struct vk_heartbeat hb;
	uint32_t real, lab;

	assert_true(vk_fs_geometry(&b.device.fs, VK_FS_DESCRIPTOR_BYTES, &g));
	/* on the volume that was mounted, its maker came back; in the lab that is another host */
	if (b.version == 5)
		slot_put(&g, used_slot(&b.lab, &g, false), unused);
	real = used_slot(&b.real, &g, b.version == 5);
	lab = used_slot(&b.lab, &g, b.version == 5);
	hb = slot_get(&b.lab, &g, lab);
	slot_put(&g, lab, unused);
	slot_put(&g, real, hb);
}

static void make_lab(const char *spec, uint64_t bytes)
{
	const struct vk_lab_extent extent = {bytes, 1};
	struct vk_lab_volume volume;
	struct vk_error err = {0};

	vk_lab_volume_init(&volume);
	assert_int_equal(vk_lab_volume_parse(&volume, spec, &err), VK_OK);
	assert_int_equal(vk_lab_devices_make(&volume, 7, 0, &extent, 1, 512, &b.device, &err), VK_OK);
	b.lab = memory_disk(bytes);
	assert_int_equal(vk_lab_write_device(&b.lab, 0, &b.device), VK_OK);
	assert_int_equal(vk_lab_files_plan(&b.device, &b.files, &err), VK_OK);
}

static void beside(const struct real_volume *real, unsigned version, const char *spec)
{
	int fd = real_volume_unpack(real, 0, real->bytes);
	unsigned idle = 0;

	if (fd < 0)
		skip();
	memset(&b, 0, sizeof(b));
	b.real = (struct vk_lab_disk){.fd = fd, .size_bytes = real->bytes, .path = "real"};
	make_lab(spec, real->partition_bytes);
	b.version = version;
	b.bit = version == 3 ? V3 : version == 5 ? V5 : V6;
	list_pieces();
	align_heartbeats();
	compare(real->partition_bytes);
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		if ((table[i].versions & b.bit) != 0 && !b.needed[i]) {
			print_error("not needed: %s, %s: %s\n", table[i].piece, table[i].field, table[i].why);
			idle++;
		}
	if (b.wrong != 0 || idle != 0)
		fail_msg("%s: %u bytes differ without a reason", real->name, b.wrong);
	close(b.real.fd);
	close(b.lab.fd);
}

static void vmfs3_of_2009(void **state)
{
	(void)state;
	beside(&real_volumes[0], 3, "version=3,label=toto,naa=mpx.vmhba0:C0:T0:L0,model=Sun:VOL1:V1.0");
}

static void vmfs5_of_2021(void **state)
{
	(void)state;
	beside(&real_volumes[1], 5, "version=5,label=VMFS5 Test,naa=mpx.vmhba0:C0:T4:L0,live=1");
}

static void vmfs6_of_2021(void **state)
{
	(void)state;
	beside(&real_volumes[2], 6, "version=6,label=VMFS6 Test,naa=mpx.vmhba0:C0:T2:L0");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(vmfs3_of_2009),
		cmocka_unit_test(vmfs5_of_2021),
		cmocka_unit_test(vmfs6_of_2021),
	};

	return cmocka_run_group_tests_name("lab_real", tests, NULL, NULL);
}
