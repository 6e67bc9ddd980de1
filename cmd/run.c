/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/run.h"

#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/metrics.h"
#include "cmd/admin.h"
#include "cmd/command.h"
#include "cmd/run_options.h"
#include "controller/controller.h"
#include "k8sclient/client.h"
#include "k8sclient/cluster_domain.h"
#include "k8sclient/config.h"
#include "webhook/server.h"

enum { TEARDOWN_MS = 15 * 60 * 1000, TRIM_EVERY_MS = 1000, EXIT_AT_ONCE = 1 };

struct run {
	uv_loop_t loop;
	struct log log;
	struct run_options options;
	struct admin admin;
	struct client_config config;
	struct metrics *metrics;
	struct client *client;
	struct server *server;
	struct controller *controller;
	uv_signal_t terminate;
	uv_signal_t interrupt;
	uv_timer_t trim;  /* gives back to the system what the first lists took */
	uv_timer_t grace; /* for writes under way when stopping */
	bool stopping;
	bool closed;
};

/* --- HTTP --- */

static void handle_healthz(void *context, struct server_answer *answer)
{
	(void)context; /* the loop turns, or nothing would be answered */
	buffer_add_str(&answer->body, "ok\n");
}

static void handle_readyz(void *context, struct server_answer *answer)
{
	const struct run *run = context;
	if (run->controller != NULL && controller_is_ready(run->controller)) {
		buffer_add_str(&answer->body, "ok");
		controller_explain(run->controller, &answer->body);
		buffer_add_char(&answer->body, '\n');
		return;
	}
	answer->code = 503;
	if (run->controller != NULL)
		controller_explain(run->controller, &answer->body);
	buffer_add_char(&answer->body, '\n');
}

static void handle_metrics(void *context, struct server_answer *answer)
{
	const struct run *run = context;
	if (run->controller != NULL)
		controller_measure(run->controller);
	answer->content_type = "text/plain; version=0.0.4; charset=utf-8";
	metrics_print(run->metrics, &answer->body);
}

static const struct server_route routes[] = {{"/healthz", handle_healthz},
					     {"/readyz", handle_readyz},
					     {"/metrics", handle_metrics},
					     {NULL, NULL}};

/* --- stopping --- */

static void close_handle(uv_handle_t *handle)
{
	if (!uv_is_closing(handle))
		uv_close(handle, NULL);
}

static void close_all(struct run *run)
{
	if (run->closed)
		return;
	run->closed = true;
	controller_close(run->controller);
	run->controller = NULL;
	client_close(run->client);
	server_close(run->server);
	close_handle((uv_handle_t *)&run->terminate);
	close_handle((uv_handle_t *)&run->interrupt);
	close_handle((uv_handle_t *)&run->trim);
	close_handle((uv_handle_t *)&run->grace);
}

static void on_drained(void *context)
{
	close_all(context);
}

static void on_grace_over(uv_timer_t *timer)
{
	struct run *run = timer->data;
	log_entry(&run->log, LOG_WARN, "writes are still under way; stopping without them", NULL);
	close_all(run);
}

static void on_signal(uv_signal_t *handle, int number)
{
	struct run *run = handle->data;
	if (run->stopping)
		_exit(EXIT_AT_ONCE);
	run->stopping = true;
	log_entry(&run->log, LOG_INFO, "stopping", "signal",
		  number == SIGTERM ? "SIGTERM" : "SIGINT", NULL);
	(void)uv_timer_start(&run->grace, on_grace_over, run->options.shutdown_grace_ms, 0);
	controller_drain(run->controller, on_drained, run);
}

/* --- starting --- */

static void on_trim(uv_timer_t *timer)
{
	struct run *run = timer->data;
	if (!controller_is_ready(run->controller))
		return;
	(void)malloc_trim(0);
	(void)uv_timer_stop(timer);
}

static void start_handles(struct run *run)
{
	(void)uv_signal_init(&run->loop, &run->terminate);
	(void)uv_signal_init(&run->loop, &run->interrupt);
	(void)uv_timer_init(&run->loop, &run->trim);
	(void)uv_timer_init(&run->loop, &run->grace);
	run->terminate.data = run;
	run->interrupt.data = run;
	run->trim.data = run;
	run->grace.data = run;
	(void)uv_signal_start(&run->terminate, on_signal, SIGTERM);
	(void)uv_signal_start(&run->interrupt, on_signal, SIGINT);
	(void)uv_timer_start(&run->trim, on_trim, TRIM_EVERY_MS, TRIM_EVERY_MS);
}

static enum status load_config(struct run *run, struct error *err)
{
	struct config_source source = {
	    .kubeconfig = run->options.kubeconfig,
	    .context = run->options.context,
	    .kubeconfig_env = secure_getenv("KUBECONFIG"),
	    .home = secure_getenv("HOME"),
	    .service_host = secure_getenv("KUBERNETES_SERVICE_HOST"),
	    .service_port = secure_getenv("KUBERNETES_SERVICE_PORT"),
	};
	enum status status = client_config_load(&source, &run->config, err);
	if (status == STATUS_OK)
		run->config.version = xstrdup(version_text());
	return status;
}

/* "127.0.0.1:0" → the address with the port that was really taken. */
static void log_listening(const struct run *run)
{
	const char *bind = run->options.health_bind;
	const char *colon = strrchr(bind, ':');
	CLEANUP(str_freep)
	char *address = xasprintf("%.*s:%d", (int)(colon == NULL ? 0 : colon - bind), bind,
				  server_port(run->server));
	log_entry(&run->log, LOG_INFO, "listening", "addr", address, NULL);
}

static void start_controller(struct run *run)
{
	char host[129] = "";
	(void)gethostname(host, sizeof(host) - 1);
	bool in_pod = run->options.kubeconfig == NULL && secure_getenv("KUBECONFIG") == NULL &&
		      secure_getenv("KUBERNETES_SERVICE_HOST") != NULL;
	union {
		char **own;
		const char *const *borrowed;
	} namespaces = {.own = run->options.namespaces};
	struct controller_config config = {
	    .options = {.version = version_text(),
			.removal_grace_ms = run->options.removal_grace_ms,
			.collector_timeout_ms = run->options.collector_timeout_ms,
			.teardown_timeout_ms = TEARDOWN_MS,
			.operator_namespace = in_pod ? run->config.namespace_name : NULL,
			.defaults = &run->admin.defaults,
			.admin = &run->admin.policy,
			.enable_from_tracing = run->options.enable_from_tracing,
			.rehearse = run->options.rehearse,
			.dry_run = run->options.dry_run,
			.in_cluster = in_pod},
	    .namespaces = namespaces.borrowed,
	    .namespace_count = run->options.namespace_count,
	    .instance = host,
	    .max_concurrent = (size_t)run->options.max_concurrent,
	};
	run->controller = controller_new(&run->loop, run->client, &run->log, run->metrics, &config);
	controller_start(run->controller);
}

/* "https://10.96.0.1:443" → the host: nothing that a Tracing names may lead there. */
static char *host_of(const char *server)
{
	const char *host = strstr(server, "://");
	host = host == NULL ? server : host + 3;
	if (*host == '[')
		return xstrndup(host + 1, strcspn(host + 1, "]"));
	return xstrndup(host, strcspn(host, ":/"));
}

static enum status start(struct run *run, struct error *err)
{
	struct admin_files files = {.settings = run->options.settings,
				    .policy = run->options.policy,
				    .image_registry = run->options.image_registry};
	enum status status = admin_read(&files, true, &run->admin, err);
	if (status == STATUS_OK)
		status = load_config(run, err);
	if (status != STATUS_OK)
		return status;
	run->admin.policy.api_server = host_of(run->config.server);
	run->admin.defaults.cluster_domain = cluster_domain_find();
	status = server_new(&run->loop, run->options.health_bind, routes, run, &run->log,
			    &run->server, err);
	if (status != STATUS_OK)
		return status;
	log_listening(run);
	status = client_new(&run->loop, &run->config, &run->log, run->metrics, &run->client, err);
	if (status != STATUS_OK)
		return status;
	start_handles(run);
	log_entry(&run->log, LOG_INFO, "starting", "server", run->config.server, "source",
		  run->config.source, "dryRun", run->options.dry_run ? "true" : NULL, NULL);
	start_controller(run);
	return STATUS_OK;
}

static int run_loop(struct run *run)
{
	struct error err;
	enum status status = start(run, &err);
	if (status != STATUS_OK) {
		log_entry(&run->log, LOG_ERROR, "cannot start", "error", err.message, NULL);
		if (run->server != NULL)
			server_close(run->server);
	}
	(void)uv_run(&run->loop, UV_RUN_DEFAULT);
	if (run->server != NULL)
		server_free(run->server);
	(void)uv_run(&run->loop, UV_RUN_NOWAIT);
	if (status == STATUS_OK)
		log_entry(&run->log, LOG_INFO, "stopped", NULL);
	return status_info(status)->exit_code;
}

int run_command(int argc, char **argv)
{
	struct error err;
	struct run run = {.log = {.level = LOG_INFO, .fd = STDERR_FILENO}};
	if (run_options_read(argc, argv, &run.options, &err) != STATUS_OK) {
		(void)fprintf(stderr, "llmd-tracing run: %s\n", err.message);
		return status_info(STATUS_INVALID)->exit_code;
	}
	if (run.options.help) {
		run_options_help(stdout);
		run_options_release(&run.options);
		return 0;
	}
	run.log.level = run.options.log_level;
	run.log.json = run.options.log_json;
	struct sigaction ignore = {.sa_handler = SIG_IGN};
	(void)sigaction(SIGPIPE, &ignore, NULL);
	(void)uv_loop_init(&run.loop);
	run.metrics = metrics_new();
	int code = run_loop(&run);
	(void)uv_loop_close(&run.loop);
	metrics_freep(&run.metrics);
	client_config_release(&run.config);
	admin_release(&run.admin);
	run_options_release(&run.options);
	return code;
}
