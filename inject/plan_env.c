/* SPDX-License-Identifier: Apache-2.0 */
/* The user's endpoint, the service name, and which variables are missing. */
#include "inject/plan_deciding.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/text.h"
#include "inject/sampling.h"
#include "inject/settings_check.h"

/* Where a value comes from a flag of a script, shell words in it mean nothing to kubelet. */
static bool is_plain(const char *text)
{
	return text[0] != '\0' && strpbrk(text, "\"'`\\ \t\n;&|<>{}*") == NULL &&
	       (strchr(text, '$') == NULL || text_has_prefix(text, "$("));
}

/* The value is a reference to that variable and nothing else. */
static bool is_reference(const char *value, const char *name, const char *open, const char *close)
{
	size_t quote = value[0] == '"' ? 1 : 0;
	size_t len = strlen(name);
	if (!text_has_prefix(value + quote, open))
		return false;
	const char *rest = value + quote + strlen(open);
	if (strncmp(rest, name, len) != 0 || !text_has_prefix(rest + len, close))
		return false;
	return strcmp(rest + len + strlen(close), quote == 1 ? "\"" : "") == 0;
}

static bool is_kubelets(const char *value, const char *name)
{
	return is_reference(value, name, "$(", ")");
}

/* The flag asks for the variable that is ours to add: it says nothing of where spans go. */
static bool waits_for_ours(const struct deciding *deciding, const char *value)
{
	const char *name = env_rules[ENV_ENDPOINT].name;
	bool script = launch_form(deciding->launch) == LAUNCH_SCRIPT;
	return !env_is_set(&deciding->env, ENV_ENDPOINT) &&
	       (is_kubelets(value, name) || (script && (is_reference(value, name, "${", "}") ||
							is_reference(value, name, "$", ""))));
}

/* What a shell or kubelet puts in its place may be nothing, unless env says what kubelet puts there. */
static bool may_be_empty(const struct deciding *deciding, const char *value)
{
	const struct list_view *env = deciding->subject->env;
	const char *text = value + strspn(value, "\"'");
	bool empty = *text == '\0' || *text == '$' || *text == '`';
	for (size_t i = 0; i < env->count; i++) {
		const char *name = json_str(env->items[i], "name");
		const char *literal = json_str(env->items[i], "value");
		if (name != NULL && is_kubelets(value, name))
			empty = literal == NULL || literal[0] == '\0';
	}
	return empty;
}

static bool take_flag_endpoint(struct deciding *deciding)
{
	const struct component_rules *rules = deciding->rules;
	for (size_t i = 0; i < rules->flag_count; i++) {
		struct launch_flag flag CLEANUP(launch_flag_release) = {0};
		if (rules->flags[i].value != FLAG_VALUE_ENDPOINT)
			continue;
		decide_find_flag(deciding, &rules->flags[i].syntax, &flag);
		if (flag.presence != FLAG_PRESENT || flag.value == NULL)
			continue;
		if (waits_for_ours(deciding, flag.value)) {
			/* what is the shell's, the script may set anew */
			deciding->endpoint_unsure =
			    !is_kubelets(flag.value, env_rules[ENV_ENDPOINT].name);
			continue;
		}
		deciding->endpoint_in_env = is_plain(flag.value);
		deciding->endpoint_unsure = may_be_empty(deciding, flag.value);
		deciding->endpoint = TAKE_PTR(flag.value);
		deciding->endpoint_from = rules->flags[i].syntax.name;
		return true;
	}
	return false;
}

static bool take_env_endpoint(struct deciding *deciding, enum env_name name)
{
	const char *literal = env_literal(&deciding->env, name);
	if (!env_is_set(&deciding->env, name) || (literal != NULL && literal[0] == '\0'))
		return false;
	deciding->endpoint =
	    literal != NULL ? xstrdup(literal) : xasprintf("$(%s)", env_rules[name].name);
	deciding->endpoint_in_env = true;
	deciding->endpoint_unsure |= may_be_empty(deciding, deciding->endpoint);
	deciding->endpoint_from = env_rules[name].name;
	return true;
}

static bool has_port(const char *endpoint, const char *port)
{
	const char *host = strstr(endpoint, "://");
	host = host == NULL ? endpoint : host + 3;
	size_t len = strcspn(host, "/?#");
	size_t tail = strlen(port);
	return len > tail && strncmp(host + len - tail, port, tail) == 0;
}

/* Why spans could not be sent to a literal endpoint of the user's; NULL when they can. */
static const char *trouble(const struct component_rules *rules, const char *endpoint, bool http)
{
	bool url = text_has_prefix(endpoint, "http://") || text_has_prefix(endpoint, "https://");
	if (endpoint[0] == '\0')
		return "no span would be sent";
	if (strchr(endpoint, '$') != NULL)
		return NULL;
	if (rules->grpc_url_only && !url)
		return "this program needs http://host:port or https://host:port";
	if (!http && has_port(endpoint, ":4318"))
		return "port 4318 speaks OTLP over HTTP, this program sends gRPC";
	if (http && (!url || strstr(endpoint, "/v1/traces") == NULL))
		return "with http/protobuf it has to be a whole URL that ends in /v1/traces";
	return NULL;
}

/* Python engines read the protocol of traces from the environment (LLMD §1.2). */
static bool check_protocol(struct deciding *deciding, bool *ret_http)
{
	const char *name = env_rules[ENV_TRACES_PROTOCOL].name;
	const char *literal = env_literal(&deciding->env, ENV_TRACES_PROTOCOL);
	*ret_http = false;
	if (deciding->rules->grpc_url_only || !env_is_set(&deciding->env, ENV_TRACES_PROTOCOL))
		return false;
	if (literal == NULL)
		return decide_skip(deciding, REASON_CONFLICTING_USER_VALUE,
				   "the user set %s by valueFrom, so it cannot be told whether it "
				   "goes with the endpoint",
				   name);
	*ret_http = strcmp(literal, "http/protobuf") == 0;
	if (literal[0] == '\0' || strcmp(literal, "grpc") == 0 ||
	    (*ret_http && deciding->endpoint != NULL))
		return false;
	return decide_skip(deciding, REASON_CONFLICTING_USER_VALUE,
			   "the user set %s=%s, which does not go with a gRPC endpoint", name,
			   literal);
}

bool decide_endpoint(struct deciding *deciding)
{
	bool http = false;
	if (!take_flag_endpoint(deciding) && !take_env_endpoint(deciding, ENV_TRACES_ENDPOINT))
		(void)take_env_endpoint(deciding, ENV_ENDPOINT);
	if (check_protocol(deciding, &http))
		return true;
	const char *why =
	    deciding->endpoint == NULL ? NULL : trouble(deciding->rules, deciding->endpoint, http);
	if (why == NULL)
		return false;
	return decide_skip(deciding, REASON_CONFLICTING_USER_VALUE, "the user set %s to %s: %s",
			   deciding->endpoint_from,
			   deciding->endpoint[0] == '\0' ? "nothing" : deciding->endpoint, why);
}

static enum role role_of(const struct subject *subject)
{
	const cJSON *labels = json_member(subject->template->metadata, "labels");
	const cJSON *label = json_member(labels, "llm-d.ai/role");
	enum role role = role_from_name(cJSON_IsString(label) ? label->valuestring : NULL);
	if (role == ROLE_NONE)
		role = subject->template->role;
	return role == ROLE_NONE ? subject->input->facts->role : role;
}

/* OTEL_SERVICE_NAME would win over a service.name among the user's attributes. */
static bool attributes_name_service(const struct deciding *deciding)
{
	const char *attributes = env_literal(&deciding->env, ENV_RESOURCE);
	return attributes != NULL && strstr(attributes, "service.name=") != NULL;
}

char *decide_service(const struct deciding *deciding)
{
	const struct component_rules *rules = deciding->rules;
	const struct component_settings *settings =
	    &deciding->subject->input->settings->components[rules->component];
	const char *own = env_literal(&deciding->env, ENV_SERVICE_NAME);
	const char *said = decide_annotation(deciding->subject, ANNOTATION_SERVICE_NAME_PREFIX);
	enum role role = role_of(deciding->subject);
	if (own != NULL || env_is_set(&deciding->env, ENV_SERVICE_NAME))
		return xstrdup(own != NULL ? own : "the user's OTEL_SERVICE_NAME");
	if (attributes_name_service(deciding))
		return xstrdup("the service.name of the user's OTEL_RESOURCE_ATTRIBUTES");
	if (said != NULL && said[0] != '\0')
		return xstrdup(said);
	if (role == ROLE_PREFILL && settings->service_name_prefill != NULL)
		return xstrdup(settings->service_name_prefill);
	if (role == ROLE_DECODE && settings->service_name_decode != NULL)
		return xstrdup(settings->service_name_decode);
	if (settings->service_name != NULL)
		return xstrdup(settings->service_name);
	if (rules->by_role)
		return xasprintf("%s-%s", rules->service,
				 role_name(role == ROLE_NONE ? ROLE_DECODE : role));
	return xstrdup(deciding->verdict.service != NULL ? deciding->verdict.service
							 : rules->service);
}

static void add(struct deciding *deciding, enum env_name name, char *value)
{
	struct decision *decision = deciding->decision;
	decision->env[decision->env_count++] = (struct env_addition){name, value};
}

static bool missing(const struct deciding *deciding, enum env_name name)
{
	return !env_is_set(&deciding->env, name);
}

static void add_endpoint(struct deciding *deciding)
{
	const char *ours = deciding->subject->input->settings->endpoint;
	if (!missing(deciding, ENV_ENDPOINT))
		return;
	if (deciding->endpoint == NULL)
		add(deciding, ENV_ENDPOINT, xstrdup(ours));
	else if (deciding->endpoint_in_env)
		add(deciding, ENV_ENDPOINT, xstrdup(deciding->endpoint));
}

static void add_resource(struct deciding *deciding)
{
	if (!missing(deciding, ENV_RESOURCE))
		return;
	for (enum env_name name = ENV_RESOURCE_NAMESPACE; name <= ENV_RESOURCE_POD; name++)
		if (missing(deciding, name))
			add(deciding, name, NULL);
	add(deciding, ENV_RESOURCE,
	    xasprintf("k8s.namespace.name=$(%s),k8s.node.name=$(%s),k8s.pod.name=$(%s)",
		      env_rules[ENV_RESOURCE_NAMESPACE].name, env_rules[ENV_RESOURCE_NODE].name,
		      env_rules[ENV_RESOURCE_POD].name));
}

/*
 * The ratio of a container that its callers lead does not count: one that stands there
 * stays, since another would replace pods for nothing (docs/decisions/0210).
 */
static const char *ratio_of(struct deciding *deciding)
{
	const struct subject *subject = deciding->subject;
	const struct settings *settings = subject->input->settings;
	const char *held = subject->held_ratio;
	enum component component = deciding->rules->component;
	bool picker = component == COMPONENT_EPP;
	bool one = ratio_is_one(settings->ratio) && (held == NULL || ratio_is_one(held));
	if (settings->where == SAMPLING_COLLECTOR)
		return SAMPLE_ALL;
	bool led = settings->where == SAMPLING_ROOT && !picker &&
		   sampling_is_led(subject->input, component);
	deciding->decision->has_ratio = !led;
	if (settings->where == SAMPLING_PODS)
		return settings->ratio;
	if (picker)
		return settings_ratio(settings);
	if (one)
		return held == NULL ? settings->ratio : held;
	if (led)
		return held == NULL ? SAMPLE_ALL : held;
	deciding->decision->decides = true;
	return settings->ratio;
}

/* A ratio says nothing to a sampler of the user's that is not by ratio, or that cannot be seen. */
static void add_sampler(struct deciding *deciding)
{
	const struct settings *settings = deciding->subject->input->settings;
	const char *sampler = env_literal(&deciding->env, ENV_SAMPLER);
	bool by_ratio = missing(deciding, ENV_SAMPLER) ||
			(sampler != NULL && text_has_suffix(sampler, "traceidratio"));
	if (missing(deciding, ENV_SAMPLER))
		add(deciding, ENV_SAMPLER, xstrdup(settings->sampler));
	if (missing(deciding, ENV_SAMPLER_ARG) && by_ratio)
		add(deciding, ENV_SAMPLER_ARG, xstrdup(ratio_of(deciding)));
}

void decide_env(struct deciding *deciding)
{
	if (missing(deciding, ENV_SERVICE_NAME) && !attributes_name_service(deciding))
		add(deciding, ENV_SERVICE_NAME, decide_service(deciding));
	add_endpoint(deciding);
	if (missing(deciding, ENV_TRACES_EXPORTER))
		add(deciding, ENV_TRACES_EXPORTER, xstrdup("otlp"));
	add_resource(deciding);
	add_sampler(deciding);
}
