/* SPDX-License-Identifier: Apache-2.0 */
/* Which collector and Jaeger run after the operator's defaults have changed. */
#include "rendered.h"

#include "controller/pins.h"

#define OLD            "mirror.example/otel:1"
#define PINNED         "{images: {collector: '" OLD "', jaeger: 'jaeger:1'}}"
#define DEFAULT        DEFAULT_COLLECTOR_IMAGE
#define APPROVE(VALUE) "{tracing.llm-d.io/approve-images: '" VALUE "'}"

static const struct {
	const char *what;
	const char *spec;
	const char *annotations;
	const char *status;
	const char *collector;
	const char *jaeger;
	bool outdated; /* the collector is */
	const char *remembered;
} rows[] = {
    {"the first time", "{}", "{}", "{}", DEFAULT, DEFAULT_JAEGER_IMAGE, false,
     "{\"collector\":\"" DEFAULT "\",\"jaeger\":\"" DEFAULT_JAEGER_IMAGE "\"}"},
    {"a new operator", "{}", "{}", PINNED, OLD, "jaeger:1", true,
     "{\"collector\":\"" OLD "\",\"jaeger\":\"jaeger:1\"}"},
    {"the spec names one", "{collector: {image: 'mine:2'}}", "{}", PINNED, "mine:2", "jaeger:1",
     false, "{\"jaeger\":\"jaeger:1\"}"},
    {"and no longer: the pin went with it", "{}", "{}", "{images: {jaeger: 'jaeger:1'}}", DEFAULT,
     "jaeger:1", false, "{\"collector\":\"" DEFAULT "\",\"jaeger\":\"jaeger:1\"}"},
    {"approved", "{}", APPROVE("1"), PINNED, DEFAULT, DEFAULT_JAEGER_IMAGE, false,
     "{\"collector\":\"" DEFAULT "\",\"jaeger\":\"" DEFAULT_JAEGER_IMAGE "\",\"approved\":\"1\"}"},
    {"once only", "{}", APPROVE("1"), "{images: {collector: '" OLD "', approved: '1'}}", OLD,
     DEFAULT_JAEGER_IMAGE, true,
     "{\"collector\":\"" OLD "\",\"jaeger\":\"" DEFAULT_JAEGER_IMAGE "\",\"approved\":\"1\"}"},
    {"and again", "{}", APPROVE("2"), "{images: {collector: '" OLD "', approved: '1'}}", DEFAULT,
     DEFAULT_JAEGER_IMAGE, false,
     "{\"collector\":\"" DEFAULT "\",\"jaeger\":\"" DEFAULT_JAEGER_IMAGE "\",\"approved\":\"2\"}"},
    {"what is no image is no pin", "{}", "{}", "{images: {collector: 'a b'}}", DEFAULT,
     DEFAULT_JAEGER_IMAGE, false,
     "{\"collector\":\"" DEFAULT "\",\"jaeger\":\"" DEFAULT_JAEGER_IMAGE "\"}"},
    {"what the administrator does not allow is none either", "{}", "{}",
     "{images: {collector: 'evil.example/otel:1'}}", DEFAULT, DEFAULT_JAEGER_IMAGE, false,
     "{\"collector\":\"" DEFAULT "\",\"jaeger\":\"" DEFAULT_JAEGER_IMAGE "\"}"},
    {"no Jaeger, no pin of it",
     "{backend: {type: OTLP, otlp: {endpoint: 'https://t.example:443'}}}", "{}", "{}", DEFAULT,
     DEFAULT_JAEGER_IMAGE, false, "{\"collector\":\"" DEFAULT "\"}"},
    {"nothing of ours, nothing pinned",
     "{collector: {mode: External, endpoint: 'https://c.example:443'}}", "{}", PINNED, OLD,
     "jaeger:1", true, NULL},
};

static cJSON *tracing_of(size_t i)
{
	char text[1024];
	struct error err = {.message = ""};
	cJSON *tree = NULL;
	(void)snprintf(text, sizeof(text), "{metadata: {annotations: %s}, spec: %s, status: %s}",
		       rows[i].annotations, rows[i].spec, rows[i].status);
	if (!CHECK_INT_ROW(yaml_read(text, strlen(text), &tree, &err), STATUS_OK, rows[i].what))
		printf("  %s\n", err.message);
	return tree;
}

TEST(images_after_an_upgrade)
{
	static char ours[] = "mirror.example/*";
	static char jaegers[] = "jaeger*";
	static char mine[] = "mine:*";
	char *globs[] = {ours, jaegers, mine};
	struct admin_policy admin = {.images = {.given = true, .globs = globs, .count = 3}};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct settings settings;
		struct error err = {.message = ""};
		struct pins pins;
		cJSON *tracing = tracing_of(i);
		CHECK_INT_ROW(read_spec(rows[i].spec, &settings, &err), STATUS_OK, rows[i].what);
		pins_apply(tracing, &admin, &settings, &pins);
		CHECK_STR_ROW(settings.collector_image, rows[i].collector, rows[i].what);
		CHECK_STR_ROW(settings.jaeger_image, rows[i].jaeger, rows[i].what);
		CHECK_STR_ROW(pins.collector, rows[i].outdated ? DEFAULT : NULL, rows[i].what);
		cJSON *images = pins_status(tracing, &settings);
		char *text = images == NULL ? NULL : json_to_string(images);
		CHECK_STR_ROW(text, rows[i].remembered, rows[i].what);
		free(text);
		json_freep(&images);
		pins_release(&pins);
		settings_release(&settings);
		json_freep(&tracing);
	}
}

/* Said where it works; a trouble has the first word. */
TEST(what_is_outdated_is_said)
{
	static char offered[] = "new:2";
	struct pins pins = {.collector = offered};
	struct collector_plan plan = {.mode = NULL};
	verdict_set(&plan.collector, "True", "Available", "it is available");
	verdict_set(&plan.backend, "False", "NotAvailable", "it is not");
	pins_tell(&pins, &plan);
	CHECK_STR(plan.collector.message,
		  "it is available; ImageOutdated: the operator's default is now new:2, which is "
		  "taken when the Tracing names it or is annotated tracing.llm-d.io/approve-images "
		  "with a new value");
	CHECK_STR(plan.collector.reason, "Available");
	pins = (struct pins){.jaeger = offered};
	pins_tell(&pins, &plan);
	CHECK_STR(plan.backend.message, "it is not");
}
