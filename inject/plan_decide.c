/* SPDX-License-Identifier: Apache-2.0 */
#include "inject/plan_decide.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/alloc.h"
#include "base/text.h"
#include "inject/plan_deciding.h"
#include "inject/rehearsal.h"

bool decide_skip(struct deciding *deciding, enum reason reason, const char *fmt, ...)
{
	va_list args;
	va_start(args, fmt);
	struct decision *decision = deciding->decision;
	decision->inject = false;
	decision->reason = reason;
	free(decision->message);
	if (vasprintf(&decision->message, fmt, args) < 0)
		abort();
	va_end(args);
	return true;
}

enum { ANNOTATION_KEY_MAX = 320 };

const char *decide_annotation(const struct subject *subject, const char *prefix)
{
	char key[ANNOTATION_KEY_MAX];
	int n = snprintf(key, sizeof(key), "%s%s", prefix, subject->name);
	if (n <= 0 || (size_t)n >= sizeof(key))
		return NULL;
	const cJSON *value =
	    json_member(json_member(subject->template->metadata, "annotations"), key);
	if (value == NULL)
		value = json_member(json_get(subject->input->object, "metadata.annotations"), key);
	return cJSON_IsString(value) ? value->valuestring : NULL;
}

static bool check_place(struct deciding *deciding)
{
	const struct subject *subject = deciding->subject;
	if (subject->init && !subject->native)
		return decide_skip(deciding, REASON_ORDINARY_INIT,
				   "an init container that ends before the pod serves");
	const char *patch = "dual-pod.llm-d.ai/server-patch";
	if (json_member(json_member(subject->template->metadata, "annotations"), patch) != NULL ||
	    json_member(json_get(subject->input->object, "metadata.annotations"), patch) != NULL)
		return decide_skip(
		    deciding, REASON_REQUESTER,
		    "the server's pod hides in the annotation %s, which is not edited", patch);
	return false;
}

/* It goes into env as it stands; the ModelService's controller would evaluate a template. */
static bool check_service(struct deciding *deciding)
{
	const char *word = decide_annotation(deciding->subject, ANNOTATION_SERVICE_NAME_PREFIX);
	if (word == NULL || (word[0] != '\0' && !text_has_control(word) &&
			     strstr(word, "{{") == NULL && strchr(word, '$') == NULL))
		return false;
	return decide_skip(deciding, REASON_BAD_OVERRIDE, "annotation %s%s: not a service name",
			   ANNOTATION_SERVICE_NAME_PREFIX, deciding->subject->name);
}

static bool check_annotation(struct deciding *deciding)
{
	const char *word = decide_annotation(deciding->subject, ANNOTATION_COMPONENT_PREFIX);
	if (word == NULL)
		return false;
	if (!component_from_name(word, &deciding->named))
		return decide_skip(deciding, REASON_BAD_OVERRIDE,
				   "annotation %s%s: \"%s\" is none of vllm, sglang, epp, "
				   "routing-proxy, none",
				   ANNOTATION_COMPONENT_PREFIX, deciding->subject->name, word);
	deciding->overridden = true;
	if (deciding->named == COMPONENT_NONE)
		return decide_skip(deciding, REASON_OVERRIDDEN, "annotation %s%s says none",
				   ANNOTATION_COMPONENT_PREFIX, deciding->subject->name);
	return false;
}

static bool check_images(struct deciding *deciding)
{
	const struct image_override *row =
	    gate_override(deciding->subject->input->settings, deciding->subject->image);
	if (row == NULL)
		return false;
	deciding->version = row->version;
	if (!row->has_component || deciding->overridden)
		return false;
	deciding->named = row->component;
	deciding->overridden = row->component != COMPONENT_NONE;
	if (row->component == COMPONENT_NONE)
		return decide_skip(deciding, REASON_OVERRIDDEN, "spec.images says none for %s",
				   row->match);
	return false;
}

/* An empty reference tells nothing, but the command line may. */
static bool check_image(struct deciding *deciding)
{
	const char *image = deciding->subject->image;
	if (deciding->subject->base_why != NULL)
		return decide_skip(deciding, REASON_OPAQUE_BASE, "%s", deciding->subject->base_why);
	image_read(image == NULL ? "" : image, &deciding->image);
	bool decided = decide_identity(deciding);
	if (!decided)
		deciding->decision->component = deciding->rules->component;
	if (image != NULL && image[0] != '\0')
		return decided;
	return decide_skip(deciding, REASON_NO_IMAGE, "the container names no image");
}

/* Its start installs packages, or its manifest says where to find some that the image has not. */
static bool brings_packages(const struct subject *subject)
{
	static const char *const lists[] = {"command", "args"};
	for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
		const cJSON *word = NULL;
		cJSON_ArrayForEach(word, json_member(subject->container, lists[i]))
		{
			if (cJSON_IsString(word) &&
			    (strstr(word->valuestring, "pip install") != NULL ||
			     strstr(word->valuestring, "opentelemetry") != NULL))
				return true;
		}
	}
	for (size_t i = 0; i < subject->env->count; i++)
		if (text_equal(json_str(subject->env->items[i], "name"), "PYTHONPATH"))
			return true;
	return false;
}

/* What the user says of a version is not rehearsed away. */
static void heed_rehearsal(struct deciding *deciding)
{
	const struct subject *subject = deciding->subject;
	if (deciding->version != NULL)
		return;
	rehearsal_overrule(
	    rehearsal_find(subject->input->rehearsals, subject->image, deciding->rules->component),
	    deciding->rules->component, brings_packages(subject), &deciding->verdict);
}

static bool check_gate(struct deciding *deciding)
{
	struct gate_verdict *verdict = &deciding->verdict;
	gate_judge(deciding->rules->component, &deciding->image, deciding->version,
		   deciding->modern, verdict);
	heed_rehearsal(deciding);
	if (verdict->mode != GATE_SKIP)
		return false;
	if (verdict->version[0] != '\0' && verdict->version_of != NULL)
		return decide_skip(deciding, verdict->reason, "%s %s: %s", verdict->version_of,
				   verdict->version, verdict->source);
	return decide_skip(deciding, verdict->reason, "image %s: %s", deciding->subject->image,
			   verdict->source);
}

/* What the user said about tracing in variables that forbids an injection. */
static bool check_wishes(struct deciding *deciding)
{
	const struct settings *settings = deciding->subject->input->settings;
	const char *disabled = env_literal(&deciding->env, ENV_SDK_DISABLED);
	const char *exporter = env_literal(&deciding->env, ENV_TRACES_EXPORTER);
	if (!settings->components[deciding->rules->component].enabled)
		return decide_skip(deciding, REASON_COMPONENT_DISABLED,
				   "spec.components turns %s off", deciding->rules->name);
	if (disabled != NULL && strcasecmp(disabled, "true") == 0)
		return decide_skip(deciding, REASON_SDK_DISABLED,
				   "the user set OTEL_SDK_DISABLED=true");
	if (exporter != NULL && (strcmp(exporter, "none") == 0 ||
				 (deciding->rules->grpc_url_only && strcmp(exporter, "otlp") != 0)))
		return decide_skip(deciding, REASON_CONFLICTING_USER_VALUE,
				   "the user set OTEL_TRACES_EXPORTER=%s, so no span would be sent",
				   exporter);
	const cJSON *hidden = env_hidden_source(deciding->subject->env_from);
	if (hidden == NULL || decide_annotation(deciding->subject, ANNOTATION_COMPONENT_PREFIX))
		return false;
	const char *map = json_str(hidden, "configMapRef.name");
	const char *secret = json_str(hidden, "secretRef.name");
	return decide_skip(deciding, REASON_HIDDEN_ENV,
			   "envFrom (%s %s) may set OTEL_ variables that cannot be seen and that "
			   "env would override; if it sets none, annotate %s%s: %s",
			   map != NULL ? "ConfigMap" : "Secret",
			   map != NULL ? map : (secret != NULL ? secret : "?"),
			   ANNOTATION_COMPONENT_PREFIX, deciding->subject->name,
			   deciding->rules->name);
}

/*
 * ModelService: a container whose words all come from the base, args for the image's
 * entrypoint. Ours are put before them; merged_check refuses where that is wrong.
 */
static bool lead_base_args(struct deciding *deciding, const char *const *tokens)
{
	struct launch_edit *edit = &deciding->decision->edit;
	if (deciding->editable == NULL || launch_form(deciding->editable) != LAUNCH_IMAGE_DEFAULT ||
	    launch_form(deciding->launch) != LAUNCH_ARGS_ONLY)
		return false;
	*edit = (struct launch_edit){.op = LAUNCH_INSERT, .list = LAUNCH_ARGS};
	edit->tokens = xcalloc(deciding->token_count, sizeof(*edit->tokens));
	for (size_t i = 0; i < deciding->token_count; i++)
		edit->tokens[i] = xstrdup(tokens[i]);
	edit->token_count = deciding->token_count;
	return true;
}

static bool add_tokens(struct deciding *deciding)
{
	struct decision *decision = deciding->decision;
	const struct launch *launch =
	    deciding->editable != NULL ? deciding->editable : deciding->launch;
	const char *tokens[COMPONENT_FLAGS];
	struct error err;
	if (deciding->token_count == 0)
		return false;
	for (size_t i = 0; i < deciding->token_count; i++)
		tokens[i] = deciding->tokens[i];
	if (!lead_base_args(deciding, tokens) &&
	    launch_add_flags(launch, tokens, deciding->token_count, &decision->edit, &err) !=
		STATUS_OK)
		return decide_skip(deciding,
				   launch_form(launch) == LAUNCH_IMAGE_DEFAULT
				       ? REASON_IMAGE_DEFAULT
				       : REASON_OPAQUE_COMMAND,
				   "%s", err.message);
	decision->has_edit = true;
	return false;
}

/* What the user should know besides: nothing of it is a reason not to trace. */
static void note(const struct deciding *deciding, const char *endpoint, struct buffer *out)
{
	const struct gate_verdict *verdict = &deciding->verdict;
	const char *detached = deciding->rules->detached_below;
	bool readable = verdict->number.kind != VERSION_NONE;
	if (verdict->reason == REASON_UNVERIFIED)
		buffer_add_str(out, "; the image reference tells no version that could be checked");
	if (verdict->reason == REASON_UNVERIFIED && verdict->mode == GATE_ENV)
		buffer_add_str(
		    out, "; from version 0.9.0 on the proxy needs --tracing=true too: name the "
			 "version under spec.images");
	if (deciding->decision->decides)
		buffer_addf(out,
			    "; samples by itself (%s), since no traced endpoint picker decides "
			    "before it: another ratio replaces its pods",
			    deciding->subject->input->settings->ratio);
	if (verdict->plaintext && text_has_prefix(endpoint, "https://"))
		buffer_add_str(out, "; this version sends plaintext, also to https://");
	if (detached != NULL && readable && version_is_below(&verdict->number, detached))
		buffer_addf(out,
			    "; before %s it hands no trace context on, so the engines' spans are "
			    "traces of their own",
			    detached);
}

enum { MESSAGE_MAX = 4096 };

static void conclude(struct deciding *deciding)
{
	struct decision *decision = deciding->decision;
	char *service CLEANUP(str_freep) = decide_service(deciding);
	if (!decision->has_edit && decision->env_count == 0) {
		(void)decide_skip(deciding, REASON_USER_SET,
				  "everything that tracing needs is already set by the user");
		return;
	}
	const char *endpoint = deciding->endpoint != NULL
				   ? deciding->endpoint
				   : deciding->subject->input->settings->endpoint;
	struct buffer message CLEANUP(buffer_release) = {0};
	buffer_init(&message, MESSAGE_MAX);
	buffer_addf(&message, "%s traced as %s, spans go to %s%s", deciding->rules->name, service,
		    endpoint, deciding->endpoint != NULL ? " (set by the user)" : "");
	note(deciding, endpoint, &message);
	decision->inject = true;
	decision->reason = deciding->verdict.reason;
	free(decision->message);
	decision->message = buffer_detach(&message);
}

static void run(struct deciding *deciding)
{
	if (check_place(deciding) || check_annotation(deciding) || check_service(deciding) ||
	    check_images(deciding) || check_image(deciding))
		return;
	env_read(deciding->subject->env, &deciding->env);
	if (check_gate(deciding) || check_wishes(deciding) || decide_endpoint(deciding) ||
	    decide_flags(deciding) || add_tokens(deciding))
		return;
	decide_env(deciding);
	conclude(deciding);
}

void decide(const struct subject *subject, struct decision *ret_decision)
{
	*ret_decision = (struct decision){.component = COMPONENT_NONE};
	struct deciding deciding = {.subject = subject, .decision = ret_decision};
	run(&deciding);
	if (!ret_decision->inject && ret_decision->has_edit) {
		launch_edit_release(&ret_decision->edit);
		ret_decision->has_edit = false;
	}
	for (size_t i = 0; i < deciding.token_count; i++)
		free(deciding.tokens[i]);
	free(deciding.endpoint);
	launch_freep(&deciding.launch);
	launch_freep(&deciding.editable);
}

void decision_refuse(struct decision *decision, enum reason reason, const char *message)
{
	decision->inject = false;
	decision->reason = reason;
	free(decision->message);
	decision->message = xstrdup(message);
	if (decision->has_edit)
		launch_edit_release(&decision->edit);
	decision->has_edit = false;
	for (size_t i = 0; i < decision->env_count; i++)
		free(decision->env[i].value);
	decision->env_count = 0;
}

void decision_release(struct decision *decision)
{
	for (size_t i = 0; i < decision->env_count; i++)
		free(decision->env[i].value);
	if (decision->has_edit)
		launch_edit_release(&decision->edit);
	free(decision->message);
	*decision = (struct decision){0};
}
