/* SPDX-License-Identifier: Apache-2.0 */
/* LUNs: nodes put together that lead to the same one, and chosen by their names. */
#include "base/memory.h"
#include "vmfskit/luns.h"

#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "scsi/lun_nodes.h"

/* A key and whose it is, to be sorted: neighbours with one key are one LUN. */
struct claim {
	const char *key;
	size_t node;
};

static int compare_claims(const void *a, const void *b)
{
	const struct claim *x = a;
	const struct claim *y = b;
	int order = strcmp(x->key, y->key);

	return order != 0 ? order : (x->node > y->node) - (x->node < y->node);
}

/* Multipath devices first, then by name. */
static int compare_nodes(const void *a, const void *b)
{
	const struct vk_lun_node *x = a;
	const struct vk_lun_node *y = b;

	if (x->is_multipath != y->is_multipath)
		return x->is_multipath ? -1 : 1;
	return strverscmp(x->path, y->path);
}

static size_t leader_of(size_t *leaders, size_t node)
{
	while (leaders[node] != node) {
		leaders[node] = leaders[leaders[node]];
		node = leaders[node];
	}
	return node;
}

/* leaders[i] becomes the first node of the LUN that node i belongs to. */
static enum vk_status join_nodes(const struct vk_lun_nodes *nodes, size_t *leaders,
				 struct vk_error *err)
{
	struct claim *claims = calloc(nodes->count * VK_LUN_KEYS + 1, sizeof(*claims));
	size_t count = 0;

	if (claims == NULL)
		return vk_no_memory(err, NULL);
	for (size_t i = 0; i < nodes->count; i++) {
		leaders[i] = i;
		for (unsigned k = 0; k < nodes->items[i].key_count; k++)
			claims[count++] = (struct claim){nodes->items[i].keys[k], i};
	}
	qsort(claims, count, sizeof(*claims), compare_claims);
	for (size_t i = 1; i < count; i++) {
		size_t a;
		size_t b;

		if (strcmp(claims[i - 1].key, claims[i].key) != 0)
			continue;
		a = leader_of(leaders, claims[i - 1].node);
		b = leader_of(leaders, claims[i].node);
		leaders[a > b ? a : b] = a < b ? a : b;
	}
	for (size_t i = 0; i < nodes->count; i++)
		leaders[i] = leader_of(leaders, i);
	free(claims);
	return VK_OK;
}

bool vk_luns_match(const char *const *globs, const char *path, const char *wwid)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash != NULL ? slash + 1 : path;

	for (; globs != NULL && *globs != NULL; globs++)
		if (fnmatch(*globs, name, 0) == 0 || fnmatch(*globs, path, 0) == 0 ||
		    (wwid[0] != '\0' && fnmatch(*globs, wwid, 0) == 0))
			return true;
	return false;
}

/*
 * Any of its names lets a LUN in; only the name that it is read and shown under keeps it out, so that "sd*" does not
 * take the paths away that a multipath device stands on.
 */
static bool is_wanted(const struct vk_luns_options *options, const struct vk_lun *lun)
{
	bool in = options->include == NULL || options->include[0] == NULL ||
		  vk_luns_match(options->include, lun->path, lun->wwid);

	for (size_t i = 0; !in && i < lun->other_path_count; i++)
		in = vk_luns_match(options->include, lun->other_paths[i], "");
	return in && !vk_luns_match(options->exclude, lun->path, lun->wwid);
}

static void lun_free(struct vk_lun *lun)
{
	for (size_t i = 0; i < lun->other_path_count; i++)
		free(lun->other_paths[i]);
	free(lun->other_paths);
	free(lun->path);
}

void vk_luns_free(struct vk_lun *luns, size_t count)
{
	for (size_t i = 0; i < count; i++)
		lun_free(&luns[i]);
	free(luns);
}

/* Takes the path out of the node. */
static bool merge(struct vk_lun *lun, struct vk_lun_node *node)
{
	if (lun->wwid[0] == '\0')
		memcpy(lun->wwid, node->wwid, sizeof(lun->wwid));
	if (lun->path == NULL) {
		lun->path = node->path;
		lun->only_with_vmfs = node->only_with_vmfs;
	} else {
		char **paths = realloc(lun->other_paths, (lun->other_path_count + 2) * sizeof(*paths));

		if (paths == NULL)
			return false;
		lun->other_paths = paths;
		paths[lun->other_path_count++] = node->path;
		paths[lun->other_path_count] = NULL;
	}
	node->path = NULL;
	return true;
}

static int compare_luns(const void *a, const void *b)
{
	return strverscmp(((const struct vk_lun *)a)->path, ((const struct vk_lun *)b)->path);
}

/* luns has room for one of each node. */
static enum vk_status collect(struct vk_lun_nodes *nodes, const struct vk_luns_options *options,
			      struct vk_lun *luns, size_t *ret_count, struct vk_error *err)
{
	size_t *leaders = calloc(nodes->count + 1, sizeof(*leaders));
	size_t *places = calloc(nodes->count + 1, sizeof(*places));
	size_t found = 0;
	size_t kept = 0;
	bool sound = leaders != NULL && places != NULL;
	enum vk_status status = sound ? join_nodes(nodes, leaders, err)
				      : vk_no_memory(err, NULL);

	for (size_t i = 0; status == VK_OK && i < nodes->count; i++) {
		if (leaders[i] == i)
			places[i] = found++;
		if (!merge(&luns[places[leaders[i]]], &nodes->items[i]))
			status = vk_no_memory(err, NULL);
	}
	free(leaders);
	free(places);
	for (size_t i = 0; i < found; i++) {
		if (status == VK_OK && is_wanted(options, &luns[i]))
			luns[kept++] = luns[i];
		else
			lun_free(&luns[i]);
	}
	qsort(luns, kept, sizeof(*luns), compare_luns);
	*ret_count = kept;
	return status;
}

static bool is_folder(const char *root, const char *path, char ret_path[256])
{
	struct stat st;

	return snprintf(ret_path, 256, "%s%s", root, path) < 256 && stat(ret_path, &st) == 0 &&
	       S_ISDIR(st.st_mode);
}

static enum vk_status find_nodes(const char *root, const char *dev_dir, struct vk_lun_nodes *nodes,
				 struct vk_error *err)
{
	char folder[256];

	if (dev_dir != NULL)
		return vk_lun_nodes_of_folder(root, dev_dir, nodes, err);
	if (is_folder(root, "/vmfs/devices/disks", folder))
		return vk_lun_nodes_of_folder(root, folder, nodes, err);
	if (is_folder(root, "/sys/block", folder))
		return vk_lun_nodes_of_sysfs(root, nodes, err);
	if (is_folder(root, "/dev/disks", folder))
		return vk_lun_nodes_of_folder(root, folder, nodes, err);
	vk_error_set(err, VK_ABSENT, NULL,
		     "neither /sys/block nor /vmfs/devices/disks nor /dev/disks is there");
	return vk_error_remedy(err, "name the folder of the disks with --dev-dir");
}

enum vk_status vk_luns_find_at(const char *root, const struct vk_luns_options *options,
			       struct vk_lun **ret_luns, size_t *ret_count, struct vk_error *err)
{
	struct vk_lun_nodes nodes = {0};
	struct vk_lun *luns = NULL;
	size_t count = 0;
	enum vk_status status = find_nodes(root, options->dev_dir, &nodes, err);

	if (status == VK_OK) {
		luns = calloc(nodes.count + 1, sizeof(*luns));
		if (luns == NULL)
			status = vk_no_memory(err, NULL);
	}
	if (status == VK_OK && nodes.count > 0) {
		qsort(nodes.items, nodes.count, sizeof(*nodes.items), compare_nodes);
		status = collect(&nodes, options, luns, &count, err);
	}
	vk_lun_nodes_free(&nodes);
	if (status != VK_OK) {
		vk_luns_free(luns, count);
		return status;
	}
	*ret_luns = luns;
	*ret_count = count;
	return VK_OK;
}

enum vk_status vk_luns_find(const struct vk_luns_options *options, struct vk_lun **ret_luns,
			    size_t *ret_count, struct vk_error *err)
{
	return vk_luns_find_at("", options, ret_luns, ret_count, err);
}
