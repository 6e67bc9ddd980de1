/* SPDX-License-Identifier: Apache-2.0 */
#include "k8sclient/exec_plugin.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/base64.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/text.h"

enum { PLUGIN_TIMEOUT_MS = 60000, PLUGIN_WORDS_MAX = 2048 };

struct exec_plugin {
	uv_process_t process;
	uv_pipe_t out;
	uv_pipe_t err;
	uv_timer_t timer;
	char chunk[4096];
	struct buffer output;
	struct buffer complaint;
	char *command;
	char *api_version;
	int handles; /* open ones */
	int running; /* of process, out and err: those that have not ended */
	bool exited;
	int64_t exit_code;
	int signal;
	bool timed_out;
	exec_plugin_fn done; /* NULL once called or cancelled */
	void *context;
};

static void on_handle_closed(uv_handle_t *handle)
{
	struct exec_plugin *plugin = handle->data;
	if (--plugin->handles > 0)
		return;
	buffer_release(&plugin->output);
	buffer_release(&plugin->complaint);
	free(plugin->command);
	free(plugin->api_version);
	free(plugin);
}

static void close_handle(uv_handle_t *handle)
{
	if (!uv_is_closing(handle))
		uv_close(handle, on_handle_closed);
}

/* The process handle stays open until its exit was seen, or a zombie would be left. */
static void close_all(struct exec_plugin *plugin)
{
	close_handle((uv_handle_t *)&plugin->out);
	close_handle((uv_handle_t *)&plugin->err);
	close_handle((uv_handle_t *)&plugin->timer);
	if (plugin->exited)
		close_handle((uv_handle_t *)&plugin->process);
}

static enum status judge(struct exec_plugin *plugin, struct exec_credential *credential,
			 struct error *err)
{
	const char *complaint = plugin->complaint.data;
	size_t len = strcspn(complaint, "\r\n");
	if (plugin->timed_out)
		return error_set(err, STATUS_RETRY, "no answer within %d s",
				 PLUGIN_TIMEOUT_MS / 1000);
	if (plugin->exit_code != 0 || plugin->signal != 0)
		return error_set(err, STATUS_DENIED, "exit code %d%s%.*s", (int)plugin->exit_code,
				 len > 0 ? ": " : "", (int)len, complaint);
	if (plugin->output.full)
		return buffer_check(&plugin->output, "its output", err);
	return exec_credential_read(plugin->output.data, plugin->output.len, plugin->api_version,
				    credential, err);
}

/* Exit and both pipes' ends come in any order. */
static void ended(struct exec_plugin *plugin)
{
	if (--plugin->running > 0)
		return;
	if (plugin->done == NULL) {
		close_all(plugin);
		return;
	}
	struct error err;
	struct exec_credential credential = {0};
	enum status status = judge(plugin, &credential, &err);
	if (status != STATUS_OK)
		(void)error_wrap(&err, "run credential plugin %s", plugin->command);
	exec_plugin_fn done = plugin->done;
	plugin->done = NULL;
	done(plugin->context, status == STATUS_OK ? &credential : NULL, &err);
	exec_credential_release(&credential);
	close_all(plugin);
}

static void on_process_exit(uv_process_t *process, int64_t exit_code, int signal)
{
	struct exec_plugin *plugin = process->data;
	plugin->exited = true;
	plugin->exit_code = exit_code;
	plugin->signal = signal;
	ended(plugin);
}

/* Children of its own may hold the pipes open: only its own exit is waited for. */
static void kill_now(struct exec_plugin *plugin)
{
	close_handle((uv_handle_t *)&plugin->out);
	close_handle((uv_handle_t *)&plugin->err);
	plugin->running = 1;
	if (plugin->exited)
		ended(plugin);
	else
		(void)uv_process_kill(&plugin->process, SIGKILL);
}

static void on_timeout(uv_timer_t *timer)
{
	struct exec_plugin *plugin = timer->data;
	plugin->timed_out = true;
	kill_now(plugin);
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *ret_buf)
{
	struct exec_plugin *plugin = handle->data;
	(void)suggested;
	*ret_buf = uv_buf_init(plugin->chunk, sizeof(plugin->chunk));
}

static void on_read(uv_stream_t *stream, ssize_t len, const uv_buf_t *buf)
{
	struct exec_plugin *plugin = stream->data;
	if (len > 0) {
		bool is_output = (void *)stream == (void *)&plugin->out;
		buffer_add(is_output ? &plugin->output : &plugin->complaint, buf->base,
			   (size_t)len);
	} else if (len < 0) {
		(void)uv_read_stop(stream);
		ended(plugin);
	}
}

/* KUBERNETES_EXEC_INFO: what the plugin may want to know (provideClusterInfo). */
static char *exec_info(const struct client_config *config, const char *ca, const char *api_version)
{
	CLEANUP(json_freep) cJSON *info = cJSON_CreateObject();
	json_set_str(info, "kind", "ExecCredential");
	json_set_str(info, "apiVersion", api_version);
	cJSON *spec = json_set_object(info, "spec");
	json_set_bool(spec, "interactive", false);
	if (json_bool(config->exec, "provideClusterInfo", false)) {
		cJSON *cluster = json_set_object(spec, "cluster");
		json_set_str(cluster, "server", config->server);
		if (config->tls_server_name != NULL)
			json_set_str(cluster, "tls-server-name", config->tls_server_name);
		if (config->insecure_skip_tls_verify)
			json_set_bool(cluster, "insecure-skip-tls-verify", true);
		if (config->proxy_url != NULL)
			json_set_str(cluster, "proxy-url", config->proxy_url);
		if (ca != NULL) {
			struct buffer encoded;
			buffer_init(&encoded, LIMIT_KUBECONFIG_BYTES * 2);
			base64_encode(ca, strlen(ca), &encoded);
			json_set_str(cluster, "certificate-authority-data", encoded.data);
			buffer_release(&encoded);
		}
	}
	return json_to_string(info);
}

struct words {
	char *list[PLUGIN_WORDS_MAX];
	size_t count;
};

static void words_release(struct words *words)
{
	for (size_t i = 0; i < words->count; i++)
		free(words->list[i]);
}

static void words_add(struct words *words, char *word)
{
	if (words->count + 1 < PLUGIN_WORDS_MAX)
		words->list[words->count++] = word;
	else
		free(word);
}

static void add_args(struct words *words, const cJSON *exec)
{
	words_add(words, xstrdup(json_str(exec, "command")));
	const cJSON *args = json_member(exec, "args");
	if (!cJSON_IsArray(args))
		return;
	for (const cJSON *arg = args->child; arg != NULL; arg = arg->next)
		if (cJSON_IsString(arg))
			words_add(words, xstrdup(arg->valuestring));
}

/* Our environment, with the user's variables and KUBERNETES_EXEC_INFO in front: the first of a name counts. */
static void add_environment(struct words *words, const struct client_config *config, const char *ca,
			    const char *api_version)
{
	CLEANUP(str_freep) char *info = exec_info(config, ca, api_version);
	words_add(words, xasprintf("KUBERNETES_EXEC_INFO=%s", info));
	const cJSON *env = json_member(config->exec, "env");
	for (const cJSON *row = cJSON_IsArray(env) ? env->child : NULL; row != NULL;
	     row = row->next) {
		const char *name = json_str(row, "name");
		const char *value = json_str(row, "value");
		if (name != NULL && value != NULL)
			words_add(words, xasprintf("%s=%s", name, value));
	}
	for (char **row = environ; *row != NULL; row++) {
		size_t name_len = strcspn(*row, "=") + 1;
		bool known = false;
		for (size_t i = 0; i < words->count && !known; i++)
			known = strncmp(words->list[i], *row, name_len) == 0;
		if (!known)
			words_add(words, xstrdup(*row));
	}
}

static int spawn(struct exec_plugin *plugin, uv_loop_t *loop, const struct client_config *config,
		 const char *ca)
{
	struct words args = {0};
	struct words env = {0};
	add_args(&args, config->exec);
	add_environment(&env, config, ca, plugin->api_version);
	uv_stdio_container_t stdio[3] = {
	    {.flags = UV_IGNORE},
	    {.flags = UV_CREATE_PIPE | UV_WRITABLE_PIPE,
	     .data.stream = (uv_stream_t *)&plugin->out},
	    {.flags = UV_CREATE_PIPE | UV_WRITABLE_PIPE,
	     .data.stream = (uv_stream_t *)&plugin->err},
	};
	uv_process_options_t options = {.file = args.list[0],
					.args = args.list,
					.env = env.list,
					.exit_cb = on_process_exit,
					.stdio = stdio,
					.stdio_count = 3};
	int result = uv_spawn(loop, &plugin->process, &options);
	words_release(&args);
	words_release(&env);
	return result;
}

static struct exec_plugin *plugin_new(uv_loop_t *loop, const struct client_config *config,
				      exec_plugin_fn done, void *context)
{
	struct exec_plugin *plugin = xcalloc(1, sizeof(*plugin));
	plugin->done = done;
	plugin->context = context;
	plugin->command = xstrdup(json_str(config->exec, "command"));
	plugin->api_version = xstrdup(json_str(config->exec, "apiVersion"));
	buffer_init(&plugin->output, LIMIT_TOKEN_BYTES * 4);
	buffer_init(&plugin->complaint, 1024);
	(void)uv_pipe_init(loop, &plugin->out, 0);
	(void)uv_pipe_init(loop, &plugin->err, 0);
	(void)uv_timer_init(loop, &plugin->timer);
	plugin->process.data = plugin->out.data = plugin->err.data = plugin->timer.data = plugin;
	plugin->handles = 4;
	plugin->running = 3;
	return plugin;
}

enum status exec_plugin_start(uv_loop_t *loop, const struct client_config *config, const char *ca,
			      exec_plugin_fn done, void *context, struct exec_plugin **ret_plugin,
			      struct error *err)
{
	struct exec_plugin *plugin = plugin_new(loop, config, done, context);
	int result = spawn(plugin, loop, config, ca);
	if (result != 0) {
		const char *hint = json_str(config->exec, "installHint");
		const char *advice = "install it, or correct users[].user.exec.command";
		enum status status =
		    error_set(err, STATUS_DENIED, "run credential plugin %s: %s (%s)",
			      plugin->command, uv_strerror(result), hint != NULL ? hint : advice);
		plugin->done = NULL;
		plugin->exited = true;
		/* After a failed uv_spawn the process handle is initialised and has to be closed all the same. */
		close_all(plugin);
		return status;
	}
	(void)uv_read_start((uv_stream_t *)&plugin->out, on_alloc, on_read);
	(void)uv_read_start((uv_stream_t *)&plugin->err, on_alloc, on_read);
	(void)uv_timer_start(&plugin->timer, on_timeout, PLUGIN_TIMEOUT_MS, 0);
	*ret_plugin = plugin;
	return STATUS_OK;
}

void exec_plugin_cancel(struct exec_plugin *plugin)
{
	plugin->done = NULL;
	(void)uv_timer_stop(&plugin->timer);
	kill_now(plugin);
}
