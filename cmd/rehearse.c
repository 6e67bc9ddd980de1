/* SPDX-License-Identifier: Apache-2.0 */
/* `rehearse`: what images make of our flags, before any server restarts for it. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/alloc.h"
#include "base/text.h"
#include "cmd/command.h"
#include "cmd/emit.h"
#include "cmd/planned.h"
#include "cmd/target.h"
#include "controller/rehearser.h"
#include "inject/component_rules.h"
#include "inject/settings_effective.h"

enum { IMAGES_MAX = 20 };

/* An image in the role that a component plays in some workloads. */
struct image_entry {
	char *image;
	enum component component;
	cJSON *pod_spec;  /* of the first workload; or NULL */
	cJSON *container; /* as well */
	cJSON *workloads; /* array of "Kind/name" */
	enum reason today;
	bool begun;
	bool done;
	struct rehearsal result;
	uint64_t took_ms;
};

struct rehearsing {
	const struct options *options;
	struct online *online;
	const char *namespace_name;
	struct rehearser *rehearser;
	struct image_entry entries[IMAGES_MAX];
	size_t count;
	size_t left_out;
	bool woken; /* one more is done */
};

static void rehearsing_release(struct rehearsing *r)
{
	rehearser_freep(&r->rehearser);
	for (size_t i = 0; i < r->count; i++) {
		free(r->entries[i].image);
		json_freep(&r->entries[i].pod_spec);
		json_freep(&r->entries[i].container);
		json_freep(&r->entries[i].workloads);
	}
}

static struct image_entry *find(struct rehearsing *r, const char *image, enum component component)
{
	for (size_t i = 0; i < r->count; i++)
		if (strcmp(r->entries[i].image, image) == 0 && r->entries[i].component == component)
			return &r->entries[i];
	return NULL;
}

static struct image_entry *need(struct rehearsing *r, const char *image, enum component component)
{
	struct image_entry *entry = find(r, image, component);
	if (entry == NULL && r->count == IMAGES_MAX)
		r->left_out++;
	if (entry != NULL || r->count == IMAGES_MAX)
		return entry;
	entry = &r->entries[r->count++];
	*entry = (struct image_entry){
	    .image = xstrdup(image), .component = component, .workloads = cJSON_CreateArray()};
	return entry;
}

/* ---- what there is to rehearse ---- */

static const cJSON *container_in(const cJSON *spec, const struct plan_container *container)
{
	const char *list = container->init ? "initContainers" : "containers";
	return json_named(json_member(spec, list), container->name);
}

static enum status note_workload(void *context, const struct planned *planned, struct error *err)
{
	struct rehearsing *r = context;
	const cJSON *object = planned->input->object;
	const char *kind = json_str(object, "kind");
	const char *name = json_str(object, "metadata.name");
	(void)err;
	const char *wanted = r->options->workload;
	if (planned->plan == NULL || !planned_is_on_the_way(planned->plan) ||
	    (wanted != NULL && !target_is_named(wanted, planned->resource, name)))
		return STATUS_OK;
	for (size_t i = 0; i < planned->plan->container_count; i++) {
		const struct plan_container *container = &planned->plan->containers[i];
		if (component_rules(container->component) == NULL || container->image[0] == '\0')
			continue;
		struct image_entry *entry = need(r, container->image, container->component);
		if (entry == NULL)
			continue;
		if (entry->pod_spec == NULL) {
			const cJSON *spec = json_pointer_get(object, container->template_path);
			const cJSON *found = container_in(spec, container);
			entry->pod_spec = spec == NULL ? NULL : json_clone(spec);
			entry->container = found == NULL ? NULL : json_clone(found);
			entry->today = container->reason;
		}
		char *title CLEANUP(str_freep) = xasprintf("%s/%s", kind, name);
		json_append(entry->workloads, cJSON_CreateString(title));
	}
	return STATUS_OK;
}

static enum status look_around(struct rehearsing *r, struct error *err)
{
	struct inventory inventory CLEANUP(inventory_release) = {.store = NULL};
	struct settings settings;
	enum status status =
	    inventory_read(r->online, r->namespace_name, INVENTORY_ALL, &inventory, err);
	if (status != STATUS_OK)
		return status;
	const struct object *found =
	    store_get(inventory.store, RESOURCE_TRACING, r->namespace_name, TRACING_NAME);
	cJSON *tracing CLEANUP(json_freep) = found == NULL ? NULL : object_parse(found);
	status = settings_read_effective(tracing, &settings, err);
	if (status != STATUS_OK)
		return status;
	struct planner planner = {.online = r->online,
				  .inventory = &inventory,
				  .namespace_name = r->namespace_name,
				  .settings = &settings,
				  .tracing = tracing,
				  .want = PLAN_INJECT};
	status = planned_each(&planner, note_workload, r, err);
	settings_release(&settings);
	if (status == STATUS_OK && r->count == 0)
		return error_set(err, STATUS_NOT_FOUND, "namespace %s: %s%sno component of llm-d",
				 r->namespace_name,
				 r->options->workload == NULL ? "" : r->options->workload,
				 r->options->workload == NULL ? "" : " is not there, or is ");
	return status;
}

static enum status note_image(struct rehearsing *r, struct error *err)
{
	enum component component = COMPONENT_NONE;
	const struct options *options = r->options;
	if (options->image == NULL || options->component == NULL || options->workload != NULL)
		return error_set(err, STATUS_INVALID,
				 "rehearse: either a WORKLOAD, or --image and --component");
	if (!component_from_name(options->component, &component) ||
	    component_rules(component) == NULL)
		return error_set(err, STATUS_INVALID,
				 "--component %s: none of vllm, sglang, epp, routing-proxy",
				 options->component);
	(void)need(r, options->image, component);
	return STATUS_OK;
}

/* ---- rehearsing ---- */

static struct moment now(void *context)
{
	struct timespec wall = {0};
	(void)context;
	(void)clock_gettime(CLOCK_REALTIME, &wall);
	return (struct moment){.wall_us = (int64_t)wall.tv_sec * 1000000 + wall.tv_nsec / 1000,
			       .mono_ms = uv_hrtime() / 1000000U};
}

static void on_done(void *context, const char *namespace_name, const struct rehearsal_of *of,
		    const struct rehearsal *result, uint64_t ms)
{
	struct rehearsing *r = context;
	struct image_entry *entry = find(r, of->image, of->component);
	(void)namespace_name;
	entry->result = *result;
	entry->took_ms = ms;
	entry->done = true;
	r->woken = true;
}

static bool begin_some(struct rehearsing *r)
{
	bool all = true;
	for (size_t i = 0; i < r->count; i++) {
		struct image_entry *entry = &r->entries[i];
		struct rehearsal_of of = {.image = entry->image,
					  .component = entry->component,
					  .pod_spec = entry->pod_spec,
					  .container = entry->container};
		if (!entry->begun && !r->online->interrupted)
			entry->begun = rehearser_start(r->rehearser, r->namespace_name, &of);
		all = all && entry->done;
	}
	return all;
}

/* Ctrl-C ends what is under way, pods and all; that much is waited for. */
static enum status rehearse_all(struct rehearsing *r, struct error *err)
{
	struct rehearser_rights rights = {
	    .make_pods = !r->options->running, .read_nodes = true, .ask = REHEARSER_ASKS_PROXY};
	r->rehearser = rehearser_new(&r->online->loop, r->online->client, &rights, now, on_done, r);
	while (!begin_some(r) && !r->online->interrupted) {
		r->woken = false;
		(void)online_wait(r->online, &r->woken, false);
	}
	if (!r->online->interrupted)
		return STATUS_OK;
	rehearser_stop(r->rehearser);
	while (rehearser_count(r->rehearser) > 0) {
		r->woken = false;
		(void)online_wait(r->online, &r->woken, true);
	}
	return online_interrupted(err);
}

/* ---- showing ---- */

static void show_text(const struct rehearsing *r, struct buffer *out)
{
	buffer_addf(out, "%-14s %-14s %-16s %6s  %s\n", "VERDICT", "COMPONENT", "TODAY", "TIME",
		    "IMAGE");
	for (size_t i = 0; i < r->count; i++) {
		const struct image_entry *entry = &r->entries[i];
		const cJSON *workload = NULL;
		buffer_addf(out, "%-14s %-14s %-16s %5.1fs  %s\n",
			    rehearsal_word(entry->result.verdict), component_name(entry->component),
			    entry->pod_spec == NULL ? "-" : reason_info(entry->today)->word,
			    (double)entry->took_ms / 1000, entry->image);
		buffer_addf(out, "  %s", entry->result.message);
		cJSON_ArrayForEach(workload, entry->workloads)
		{
			buffer_addf(out, "%s%s", workload == entry->workloads->child ? "; " : ", ",
				    workload->valuestring);
		}
		buffer_add_char(out, '\n');
	}
	if (r->left_out > 0)
		buffer_addf(out, "%zu more are left out: name a workload\n", r->left_out);
}

static cJSON *show_json(const struct rehearsing *r)
{
	cJSON *tree = cJSON_CreateObject();
	json_set_str(tree, "namespace", r->namespace_name);
	cJSON *images = json_set_array(tree, "images");
	for (size_t i = 0; i < r->count; i++) {
		const struct image_entry *entry = &r->entries[i];
		const struct rehearsal *result = &entry->result;
		cJSON *row = cJSON_CreateObject();
		json_set_str(row, "image", entry->image);
		json_set_str(row, "component", component_name(entry->component));
		json_set_str(row, "verdict", rehearsal_word(result->verdict));
		json_set_str(row, "message", result->message);
		json_set_str(row, "version", result->version);
		json_set_str(row, "digest", result->digest);
		json_set_int(row, "tookMs", (long)entry->took_ms);
		json_set(row, "workloads", json_clone(entry->workloads));
		if (entry->pod_spec != NULL)
			json_set_str(row, "today", reason_info(entry->today)->word);
		json_append(images, row);
	}
	json_set_int(tree, "leftOut", (long)r->left_out);
	return tree;
}

static enum status show(const struct rehearsing *r, struct error *err)
{
	struct buffer out CLEANUP(buffer_release) = {0};
	buffer_init(&out, LIMIT_OUTPUT_BYTES);
	if (r->options->output == OUTPUT_JSON) {
		cJSON *tree CLEANUP(json_freep) = show_json(r);
		json_print_pretty(tree, &out);
		buffer_add_char(&out, '\n');
	} else {
		show_text(r, &out);
	}
	return emit_flush(&out, err);
}

static bool all_traceable(const struct rehearsing *r)
{
	bool all = r->left_out == 0;
	for (size_t i = 0; i < r->count; i++)
		all = all && r->entries[i].result.verdict == REHEARSAL_TRACEABLE;
	return all;
}

int command_rehearse(const struct options *options)
{
	struct error err = {0};
	struct online online CLEANUP(online_close) = {.open = false};
	struct rehearsing r CLEANUP(rehearsing_release) = {.options = options, .online = &online};
	enum status status = STATUS_OK;
	bool named = options->image != NULL || options->component != NULL;
	if (named)
		status = note_image(&r, &err);
	if (status == STATUS_OK)
		status = online_open(&online, options, &err);
	if (status == STATUS_OK) {
		r.namespace_name = online_namespace(&online, options);
		status = named ? STATUS_OK : look_around(&r, &err);
	}
	if (status == STATUS_OK)
		status = rehearse_all(&r, &err);
	if (status == STATUS_OK)
		status = show(&r, &err);
	if (status != STATUS_OK) {
		int code = report(status, &err);
		return online.interrupted ? EXIT_INTERRUPTED : code;
	}
	return all_traceable(&r) ? 0 : EXIT_DIFFERENT;
}
