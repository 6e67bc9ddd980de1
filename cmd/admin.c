/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/admin.h"

#include "base/json.h"
#include "cmd/input.h"
#include "inject/settings_defaults.h"

static enum status read_defaults(const struct admin_files *files, struct settings *ret_defaults,
				 bool *ret_has_ratio, struct error *err)
{
	cJSON *tree CLEANUP(json_freep) = NULL;
	enum status status = STATUS_OK;
	if (files->settings != NULL)
		status = input_read_one(files->settings, &tree, err);
	if (status != STATUS_OK)
		return error_wrap(err, "--settings");
	struct settings defaults;
	if (settings_read_defaults(tree, &defaults, err) != STATUS_OK)
		return error_wrap(err, "--settings %s", files->settings);
	if (files->image_registry != NULL)
		status = settings_set_registry(&defaults, files->image_registry, err);
	if (status != STATUS_OK) {
		settings_release(&defaults);
		return status;
	}
	*ret_has_ratio = json_get(tree, "sampling.ratio") != NULL ||
			 json_get(tree, "spec.sampling.ratio") != NULL;
	*ret_defaults = defaults;
	return STATUS_OK;
}

static enum status read_policy(const char *file, struct admin_policy *ret_policy, struct error *err)
{
	cJSON *tree CLEANUP(json_freep) = NULL;
	if (file == NULL)
		return STATUS_OK;
	if (input_read_one(file, &tree, err) != STATUS_OK)
		return error_wrap(err, "--policy");
	if (admin_policy_read(tree, ret_policy, err) != STATUS_OK)
		return error_wrap(err, "--policy %s", file);
	return STATUS_OK;
}

enum status admin_read(const struct admin_files *files, bool check_defaults,
		       struct admin *ret_admin, struct error *err)
{
	struct admin admin = {.policy = {.max_ratio = NULL}};
	bool has_ratio = false;
	enum status status = read_defaults(files, &admin.defaults, &has_ratio, err);
	if (status == STATUS_OK)
		status = read_policy(files->policy, &admin.policy, err);
	if (status == STATUS_OK && !has_ratio)
		admin_policy_limit(&admin.policy, &admin.defaults);
	if (status == STATUS_OK && check_defaults &&
	    admin_policy_check(&admin.policy, NULL, &admin.defaults, err) != STATUS_OK)
		status = error_wrap(err, "the defaults (--settings%s%s)",
				    files->settings == NULL ? "" : " ",
				    files->settings == NULL ? "" : files->settings);
	if (status != STATUS_OK) {
		admin_release(&admin);
		return status;
	}
	*ret_admin = admin;
	return STATUS_OK;
}

void admin_release(struct admin *admin)
{
	settings_release(&admin->defaults);
	admin_policy_release(&admin->policy);
}
