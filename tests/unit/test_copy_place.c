/* SPDX-License-Identifier: Apache-2.0 */
/* Where copied files go: names of a volume lead out of no folder, and nothing is written through a link. */
#include "io_helpers.h"

#include <dirent.h>
#include <errno.h>
#include <sys/stat.h>

#include "cmd/copy/place.h"

static char top[64];

static int enter(void **state)
{
	(void)state;
	snprintf(top, sizeof(top), "/tmp/vmfskit-place-XXXXXX");
	return mkdtemp(top) == NULL || chdir(top) != 0 || mkdir("tree", 0755) != 0 || mkdir("outside", 0755) != 0 ||
	       symlink("../outside", "tree/out") != 0 || symlink("outside", "link") != 0;
}

static int leave(void **state)
{
	char command[128];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s", top);
	return chdir("/") != 0 || shell(command) != 0;
}

static void names(void **state)
{
	static const struct {
		const char *name, *safe;
	} cases[] = {
		{"vm.vmdk", "vm.vmdk"}, {".", "%2e"}, {"..", "%2e%2e"}, {"...", "..."}, {".x", ".x"},
		{"a\nb", "a%0ab"}, {"\033[2J", "%1b[2J"}, {"\x7f", "%7f"}, {"\xff\xfe", "\xff\xfe"}, {"-r", "-r"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *safe = vk_copy_place_name(cases[i].name, strlen(cases[i].name));

		assert_string_equal(safe, cases[i].safe);
		free(safe);
	}
}

/* Where DEST leads, as "shown name"; or the status that it is refused with. */
static void check_of(bool tree, const char *dest, const char *path, enum vk_status status, const char *shown)
{
	struct vk_copy_place place;
	struct vk_error err;

	assert_int_equal(tree ? vk_copy_place_of_tree(dest, path, NULL, NULL, &place, &err)
			      : vk_copy_place_of(dest, path, &place, &err), status);
	if (status != VK_OK)
		return;
	assert_string_equal(place.shown, shown);
	vk_copy_place_free(&place);
}

static void what_dest_means(void **state)
{
	(void)state;
	check_of(false, "new", "/vm/a", VK_OK, "new");
	check_of(false, "tree", "/vm/a", VK_OK, "tree/a");
	check_of(false, "tree/", "/vm/a", VK_OK, "tree/a");
	check_of(false, "tree", "/vm/..", VK_OK, "tree/%2e%2e");
	check_of(false, "new/", "/vm/a", VK_USAGE, NULL);
	check_of(false, "link", "/vm/a", VK_USAGE, NULL);
	check_of(false, "link/", "/vm/a", VK_USAGE, NULL);
	check_of(false, "", "/vm/a", VK_USAGE, NULL);
	check_of(false, "nowhere/new", "/vm/a", VK_USAGE, NULL);
	/* links on the way to DEST are the user's own */
	check_of(false, "link/new", "/vm/a", VK_OK, "link/new");
	check_of(true, "tree", "/", VK_OK, "tree");
	check_of(true, "tree", "/vm/", VK_OK, "tree/vm");
	check_of(true, "new", "/vm", VK_OK, "new");
	check_of(true, "link", "/vm", VK_USAGE, NULL);
	/* what stands where the folder is to be is found when that is made: see below_a_tree */
	check_of(true, "tree", "/out", VK_OK, "tree/out");
}

static void below_a_tree(void **state)
{
	struct vk_copy_place tree, place;
	struct vk_error err;
	int fd;

	(void)state;
	assert_int_equal(vk_copy_place_of_tree("tree", "/", NULL, NULL, &tree, &err), VK_OK);
	assert_int_equal(vk_copy_place_below(&tree, "/a", &place, &err), VK_OK);
	assert_string_equal(place.shown, "tree/a");
	assert_int_equal(vk_copy_place_make_folder(&place, &fd, &err), VK_OK);
	close(fd);
	vk_copy_place_free(&place);
	assert_int_equal(vk_copy_place_below(&tree, "a/b", &place, &err), VK_OK);
	assert_string_equal(place.shown, "tree/a/b");
	vk_copy_place_free(&place);
	/* up is a name like any other */
	assert_int_equal(vk_copy_place_below(&tree, "../x", &place, &err), VK_IO);
	assert_int_equal(vk_copy_place_below(&tree, "out/x", &place, &err), VK_IO);
	assert_int_equal(vk_copy_place_below(&tree, "out", &place, &err), VK_OK);
	assert_int_equal(vk_copy_place_make_folder(&place, &fd, &err), VK_USAGE);
	vk_copy_place_free(&place);
	vk_copy_place_free(&tree);
	assert_int_equal(access("outside/x", F_OK), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names),
		cmocka_unit_test(what_dest_means),
		cmocka_unit_test(below_a_tree),
	};

	return cmocka_run_group_tests_name("copy place", tests, enter, leave);
}
