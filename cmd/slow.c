/* SPDX-License-Identifier: Apache-2.0 */
/* `slow`: the slowest recent requests, and where their time went. */
#include "base/alloc.h"
#include "cmd/command.h"
#include "cmd/emit.h"
#include "cmd/lineup.h"
#include "cmd/sightings.h"
#include "controller/moment.h"
#include "inject/trace_split.h"

enum {
	SHOWN = 10,
	LOOKED_AT = 100, /* traces of each service */
	SINCE_MS = 3600 * 1000,
};

struct column {
	const char *title;
	const char *member; /* JSON */
	size_t place;
};

#define PLACE(MEMBER) offsetof(struct trace_split, MEMBER)

static const struct column columns[] = {
    {"TOTAL", "totalUs", PLACE(total)},
    {"TTFT", "ttftUs", PLACE(ttft)},
    {"QUEUE-P", "prefillQueueUs", PLACE(prefill_queue)},
    {"QUEUE-D", "decodeQueueUs", PLACE(decode_queue)},
    {"PREFILL", "prefillUs", PLACE(prefill)},
    {"TRANSFER", "kvTransferUs", PLACE(transfer)},
    {"DECODE", "decodeUs", PLACE(decode)},
};

static double value_of(const struct trace_split *split, const struct column *column)
{
	const void *place = (const char *)split + column->place;
	return *(const double *)place;
}

static void show_text(const struct trace_splits *splits, size_t limit, struct buffer *out)
{
	buffer_addf(out, "%-32s  %-20s", "TRACE", "START");
	for (size_t i = 0; i < ARRAY_LEN(columns); i++)
		buffer_addf(out, " %9s", columns[i].title);
	buffer_addf(out, "  SPANS\n");
	for (size_t i = 0; i < splits->count && i < limit; i++) {
		const struct trace_split *split = &splits->items[i];
		char start[MOMENT_TEXT_MAX];
		moment_format(split->start_us, start);
		buffer_addf(out, "%-32s  %-20s", split->trace, start);
		for (size_t k = 0; k < ARRAY_LEN(columns); k++) {
			double value = value_of(split, &columns[k]);
			if (value < 0)
				buffer_addf(out, " %9s", "-");
			else
				buffer_addf(out, " %7.1fms", value);
		}
		buffer_addf(out, "  %zu%s\n", split->spans, split->failed ? " failed" : "");
	}
}

static void set_figure(cJSON *row, const char *member, double value)
{
	json_set(row, member,
		 value < 0 ? cJSON_CreateNull() : json_new_int((long)(value * 1000 + 0.5)));
}

static cJSON *show_json(const char *namespace_name, const struct trace_splits *splits, size_t limit)
{
	cJSON *tree = cJSON_CreateObject();
	json_set_str(tree, "namespace", namespace_name);
	cJSON *requests = json_set_array(tree, "requests");
	for (size_t i = 0; i < splits->count && i < limit; i++) {
		const struct trace_split *split = &splits->items[i];
		char start[MOMENT_TEXT_MAX];
		cJSON *row = cJSON_CreateObject();
		moment_format_micro(split->start_us, start);
		json_set_str(row, "trace", split->trace);
		json_set_str(row, "start", start);
		json_set_int(row, "spans", (long)split->spans);
		json_set_bool(row, "failed", split->failed);
		for (size_t k = 0; k < ARRAY_LEN(columns); k++)
			set_figure(row, columns[k].member, value_of(split, &columns[k]));
		(void)cJSON_AddItemToArray(requests, row);
	}
	return tree;
}

static enum status ask(struct online *online, const struct options *options,
		       struct sightings *sightings, struct error *err)
{
	const char *name = online_namespace(online, options);
	uint64_t since = options->since_ms > 0 ? options->since_ms : SINCE_MS;
	struct back_end back_end;
	struct inventory inventory CLEANUP(inventory_release) = {.store = NULL};
	struct lineup lineup CLEANUP(lineup_release) = {.tracing = NULL};
	enum status status = inventory_read(online, name, INVENTORY_ALL, &inventory, err);
	if (status == STATUS_OK)
		status = lineup_read(online, &inventory, name, &lineup, err);
	if (status == STATUS_OK && !back_end_find(&lineup.settings, name, &back_end))
		return error_set(
		    err, STATUS_NOT_FOUND,
		    "namespace %s: its spans go to a back end that is no Jaeger of "
		    "this namespace, and no spec.backend.otlp.query says how to ask it",
		    name);
	if (status == STATUS_OK)
		status = sightings_ask_services(online, &back_end, sightings, err);
	if (status == STATUS_OK && !sightings->has_services)
		return error_set(err, STATUS_RETRY,
				 "namespace %s: the back end does not answer: %s", name,
				 sightings->trouble);
	if (status == STATUS_OK)
		status = sightings_ask_recent(online, &back_end, &lineup.hops, LOOKED_AT, since,
					      sightings, err);
	return status;
}

int command_slow(const struct options *options)
{
	struct error err = {0};
	struct online online CLEANUP(online_close) = {.open = false};
	struct sightings sightings CLEANUP(sightings_release) = {.trouble = NULL};
	struct trace_splits splits CLEANUP(trace_splits_release) = {.items = NULL};
	struct buffer out CLEANUP(buffer_release) = {0};
	size_t limit = options->limit > 0 ? options->limit : SHOWN;
	enum status status = online_open(&online, options, &err);
	if (status == STATUS_OK)
		status = ask(&online, options, &sightings, &err);
	if (status == STATUS_OK) {
		buffer_init(&out, LIMIT_OUTPUT_BYTES);
		trace_split_all(&sightings.trace, &splits);
		if (options->output == OUTPUT_JSON) {
			cJSON *tree CLEANUP(json_freep) =
			    show_json(online_namespace(&online, options), &splits, limit);
			json_print_pretty(tree, &out);
			buffer_add_char(&out, '\n');
		} else {
			show_text(&splits, limit, &out);
		}
		status = emit_flush(&out, &err);
	}
	if (status == STATUS_OK)
		return 0;
	int code = report(status, &err);
	return online.interrupted ? EXIT_INTERRUPTED : code;
}
