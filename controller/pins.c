/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/pins.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/text.h"
#include "inject/settings_check.h"

/* The value of the approval, and what was obeyed of it. */
static const char *approval(const cJSON *tracing)
{
	const cJSON *annotations = json_get(tracing, "metadata.annotations");
	const cJSON *value = json_member(annotations, ANNOTATION_APPROVE_IMAGES);
	return cJSON_IsString(value) ? value->valuestring : NULL;
}

/* An annotation that is there already when something is pinned approves nothing later. */
static bool is_approved(const cJSON *tracing)
{
	const char *value = approval(tracing);
	return value != NULL && !text_equal(value, json_str(tracing, "status.images.approved"));
}

static void apply(const cJSON *tracing, const char *field, const char *pin,
		  const struct admin_policy *admin, char **image, char **ret_offered)
{
	struct error err;
	const char *pinned = json_str(tracing, pin);
	if (json_str(tracing, field) != NULL || pinned == NULL || text_equal(pinned, *image) ||
	    is_approved(tracing) || settings_check_image(pinned, pin, &err) != STATUS_OK ||
	    !admin_policy_allows_image(admin, pinned))
		return;
	*ret_offered = *image;
	*image = xstrdup(pinned);
}

void pins_apply(const cJSON *tracing, const struct admin_policy *admin, struct settings *settings,
		struct pins *ret_pins)
{
	*ret_pins = (struct pins){NULL, NULL};
	apply(tracing, "spec.collector.image", "status.images.collector", admin,
	      &settings->collector_image, &ret_pins->collector);
	apply(tracing, "spec.backend.jaeger.image", "status.images.jaeger", admin,
	      &settings->jaeger_image, &ret_pins->jaeger);
}

void pins_release(struct pins *pins)
{
	free(pins->collector);
	free(pins->jaeger);
	*pins = (struct pins){NULL, NULL};
}

static void tell(const char *offered, struct verdict *verdict)
{
	size_t len = strlen(verdict->message);
	if (offered == NULL || verdict->status == NULL || strcmp(verdict->status, "True") != 0)
		return;
	(void)snprintf(verdict->message + len, sizeof(verdict->message) - len,
		       "; ImageOutdated: the operator's default is now %.300s, which is taken when "
		       "the Tracing names it or is annotated " ANNOTATION_APPROVE_IMAGES
		       " with a new value",
		       offered);
}

void pins_tell(const struct pins *pins, struct collector_plan *plan)
{
	tell(pins->collector, &plan->collector);
	if (!plan->foreign_backend)
		tell(pins->jaeger, &plan->backend);
}

cJSON *pins_status(const cJSON *tracing, const struct settings *settings)
{
	bool own = settings_has_collector(settings);
	cJSON *images = cJSON_CreateObject();
	if (own && json_str(tracing, "spec.collector.image") == NULL)
		json_set_str(images, "collector", settings->collector_image);
	if (own && settings->backend == BACKEND_JAEGER &&
	    json_str(tracing, "spec.backend.jaeger.image") == NULL)
		json_set_str(images, "jaeger", settings->jaeger_image);
	if (images->child == NULL)
		json_freep(&images);
	else if (approval(tracing) != NULL)
		json_set_str(images, "approved", approval(tracing));
	return images;
}
