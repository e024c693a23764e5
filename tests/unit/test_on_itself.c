/* SPDX-License-Identifier: Apache-2.0 */
/* A store on the datastore that it protects, as ESX names it; devices are in tests/cli/46-store.sh. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <unistd.h>

#include "store/capture/on_itself.h"

static void datastore_paths(void **state)
{
	const struct vk_identity volume = {.volume_uuid = "53b1f132-3e575ef1-dc11-005056305495",
					   .fs_uuid = "53b1f133-3e575ef1-dc11-005056305495",
					   .fs_label = "web"};
	const struct vk_identity nameless = {.partition = 1};
	const struct {
		const char *path;
		bool inside;
	} cases[] = {
		{"/vmfs/volumes/web/vmfskit", true},
		{"/vmfs/volumes/web", true},
		{"/vmfs/volumes/53b1f133-3e575ef1-dc11-005056305495/a/b", true},
		{"/vmfs/volumes/53b1f132-3e575ef1-dc11-005056305495/a/b", true},
		{"/vmfs/volumes/web2/vmfskit", false},
		{"/vmfs/volumes/we/vmfskit", false},
		{"/vmfs/volumes/", false},
		{"/vmfs/volumes", false},
		{"/var/lib/web", false},
		{"/x/vmfs/volumes/web", false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(vk_path_in_volume(cases[i].path, &volume), cases[i].inside);
		assert_false(vk_path_in_volume(cases[i].path, &nameless));
	}
}

static void not_a_disk(void **state)
{
	int fd = open("/", O_RDONLY | O_DIRECTORY);

	(void)state;
	assert_false(vk_folder_rests_on(fd, "/nowhere"));
	assert_false(vk_folder_rests_on(fd, "/dev/null"));
	assert_false(vk_folder_rests_on(-1, "/dev/null"));
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(datastore_paths), cmocka_unit_test(not_a_disk)};

	return cmocka_run_group_tests_name("on itself", tests, NULL, NULL);
}
