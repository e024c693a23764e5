/* SPDX-License-Identifier: Apache-2.0 */
/* LVM headers of the samples, decoded. */
#ifndef TESTS_LVM_SAMPLES_H
#define TESTS_LVM_SAMPLES_H

#include "disk_support.h"
#include "vmfskit/lvm.h"

static inline struct vk_lvm_device device_of(const char *sample)
{
	uint8_t b[512];
	struct vk_lvm_device d;

	sample_bytes(sample, VK_LVM_HEADER_OFFSET, b, sizeof(b));
	assert_int_equal(vk_lvm_device_decode(b, sizeof(b), &d), VK_LVM_DEVICE_BYTES);
	assert_round_trip(&vk_lvm_device_layout, b, sizeof(b));
	return d;
}

static inline struct vk_lvm_device d1(void)
{
	return device_of("d1-lvm316-vmfs331");
}

#endif
