/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Scripts for the watch machine. A script is a list of steps: what happens, and
 * everything that comes of it: states, events, requests and the next wake-up. Random bits
 * are 0 unless a step says otherwise, so that timeoutSeconds is 300, the idle time 75 s
 * and a backoff its lower bound.
 *
 * Steps in:  start | kick | timer | head CODE [RETRY_AFTER_MS] | bytes TEXT | close | break TEXT
 *            each may begin with "+MS " (time passes before it) and "r=BITS "
 * Out:       "from>to" states; BEGIN[!] ITEM:rv ABORT END:rv PUT:rv DELETE:rv ABSENT DENIED
 *            TROUBLE ALIVE; skip(why); cancel; list|watch[*] QUERY (* on a new connection); @MS wake-up
 */
#ifndef LLMD_TEST_UNIT_WATCH_SCRIPT_H
#define LLMD_TEST_UNIT_WATCH_SCRIPT_H

#include "test.h"

#include "base/alloc.h"
#include "k8sclient/watch_machine.h"

#define OBJECT(RV)      "{\"metadata\":{\"name\":\"a\",\"resourceVersion\":\"" RV "\"}}"
#define EVENT(TYPE, RV) "{\"type\":\"" TYPE "\",\"object\":" OBJECT(RV) "}\n"
#define ADDED(RV)       EVENT("ADDED", RV)
#define MODIFIED(RV)    EVENT("MODIFIED", RV)
#define DELETED(RV)     EVENT("DELETED", RV)
#define BOOKMARK(RV)    EVENT("BOOKMARK", RV)
#define END_MARK(RV)                                                                               \
	"{\"type\":\"BOOKMARK\",\"object\":{\"metadata\":{\"resourceVersion\":\"" RV               \
	"\",\"annotations\":{\"k8s.io/initial-events-end\":\"true\"}}}}\n"
#define STATUS(CODE, REASON, MORE)                                                                 \
	"{\"kind\":\"Status\",\"code\":" CODE ",\"reason\":\"" REASON "\",\"message\":\"m\"" MORE  \
	"}"
#define ERROR_EVENT(STATUS_TEXT) "{\"type\":\"ERROR\",\"object\":" STATUS_TEXT "}\n"
#define LIST(RV, MORE, ITEMS)                                                                      \
	"{\"kind\":\"XList\",\"metadata\":{\"resourceVersion\":\"" RV "\"" MORE                    \
	"},\"items\":[" ITEMS "]}"
/* As custom resources come: metadata last. */
#define LIST_SORTED(RV, ITEMS)                                                                     \
	"{\"items\":[" ITEMS "],\"kind\":\"XList\",\"metadata\":{\"resourceVersion\":\"" RV "\"}}"
#define CONTINUE(TOKEN) ",\"continue\":\"" TOKEN "\""

#define WATCH(RV) "watch watch=1&allowWatchBookmarks=true&timeoutSeconds=300&resourceVersion=" RV
#define FRESH(RV) "watch* watch=1&allowWatchBookmarks=true&timeoutSeconds=300&resourceVersion=" RV
#define STREAM                                                                                     \
	"watch watch=1&allowWatchBookmarks=true&timeoutSeconds=300&sendInitialEvents=true&"        \
	"resourceVersionMatch=NotOlderThan"
#define FIRST     "list resourceVersion=0&limit=500"
#define AGAIN(RV) "list resourceVersionMatch=NotOlderThan&resourceVersion=" RV

struct step {
	const char *in;
	const char *out;
};

enum { STEPS_MAX = 24 };

struct script {
	const char *name;
	bool streaming;
	struct step steps[STEPS_MAX];
};

struct harness {
	struct watch_machine machine;
	struct buffer out;
	uint64_t now;
};

static void say(struct harness *h, const char *text)
{
	buffer_addf(&h->out, "%s%s", h->out.len > 0 ? "; " : "", text);
}

static const char *const event_words[] = {
    [WATCH_LIST_BEGIN] = "BEGIN", [WATCH_LIST_ITEM] = "ITEM", [WATCH_LIST_ABORT] = "ABORT",
    [WATCH_LIST_END] = "END",     [WATCH_PUT] = "PUT",        [WATCH_DELETE] = "DELETE",
    [WATCH_ABSENT] = "ABSENT",    [WATCH_DENIED] = "DENIED",  [WATCH_TROUBLE] = "TROUBLE",
    [WATCH_ALIVE] = "ALIVE"};

static void hear_event(void *context, const struct watch_event *event)
{
	struct harness *h = context;
	char version[64] = "";
	char line[128];
	struct slice object = {event->object, event->object_len};
	if (event->object != NULL && !slice_resource_version(object, version, sizeof(version)))
		memcpy(version, "?", 2);
	if (event->resource_version != NULL)
		(void)snprintf(version, sizeof(version), "%s", event->resource_version);
	(void)snprintf(line, sizeof(line), "%s%s%s%s", event_words[event->type],
		       *version != '\0' ? ":" : "", version, event->reset ? "!" : "");
	say(h, line);
	bool wants_error = event->type == WATCH_ABSENT || event->type == WATCH_DENIED ||
			   event->type == WATCH_TROUBLE;
	CHECK_INT(event->error != NULL, wants_error);
	if (event->error != NULL)
		CHECK(event->error->status != STATUS_OK && *event->error->message != '\0');
}

static void hear_transition(void *context, enum watch_state from, enum watch_state to,
			    const char *why)
{
	char line[64];
	CHECK(*why != '\0');
	(void)snprintf(line, sizeof(line), "%s>%s", watch_state_name(from), watch_state_name(to));
	say(context, line);
}

static void hear_skip(void *context, const char *why)
{
	char line[96];
	(void)snprintf(line, sizeof(line), "skip(%s)", why);
	say(context, line);
}

static const struct watch_sink sink = {hear_event, hear_transition, hear_skip};

static bool take_word(const char **in, const char *word)
{
	size_t len = strlen(word);
	if (strncmp(*in, word, len) != 0)
		return false;
	*in += len;
	return true;
}

__attribute__((unused)) static void parse(struct harness *h, const char *in,
					  struct watch_input *input, struct error *err)
{
	char *end = NULL;
	*input = (struct watch_input){0};
	if (*in == '+') {
		h->now += strtoull(in + 1, &end, 10);
		in = end + 1;
	}
	if (take_word(&in, "r=")) {
		input->random = strtoull(in, &end, 0);
		in = end + 1;
	}
	input->now_ms = h->now;
	if (take_word(&in, "start")) {
		input->type = WATCH_INPUT_START;
	} else if (take_word(&in, "kick")) {
		input->type = WATCH_INPUT_KICK;
	} else if (take_word(&in, "timer")) {
		input->type = WATCH_INPUT_TIMER;
	} else if (take_word(&in, "head ")) {
		input->type = WATCH_INPUT_HEAD;
		input->http_code = strtol(in, &end, 10);
		input->retry_after_ms = (unsigned)strtoul(end, NULL, 10);
	} else if (take_word(&in, "bytes ")) {
		input->type = WATCH_INPUT_BYTES;
		input->data = in;
		input->len = strlen(in);
	} else if (take_word(&in, "break ")) {
		input->type = WATCH_INPUT_CLOSE;
		(void)error_set(err, STATUS_RETRY, "%s", in);
		input->error = err;
	} else {
		CHECK_STR(in, "close");
		input->type = WATCH_INPUT_CLOSE;
	}
}

static void say_actions(struct harness *h, const struct watch_actions *actions)
{
	if (actions->cancel)
		say(h, "cancel");
	if (actions->request) {
		const char *query = strchr(actions->path, '?');
		CLEANUP(str_freep)
		char *line = xasprintf("%s%s %s", actions->lists ? "list" : "watch",
				       actions->fresh ? "*" : "", query == NULL ? "" : query + 1);
		say(h, line);
	}
	CLEANUP(str_freep)
	char *wake = actions->wake_ms == UINT64_MAX
			 ? xstrdup("@never")
			 : xasprintf("@%llu", (unsigned long long)(actions->wake_ms - h->now));
	say(h, wake);
}

/* Bytes are fed in chunks of `chunk`; what all of them lead to is one step's outcome. */
static void run_step(struct harness *h, const struct step *step, size_t chunk, const char *name)
{
	struct watch_input input;
	struct watch_actions actions;
	struct watch_actions last = {0};
	struct error err;
	buffer_clear(&h->out);
	parse(h, step->in, &input, &err);
	size_t len = input.len;
	const char *data = input.data;
	size_t at = 0;
	bool stopped = false;
	do {
		input.data = data == NULL ? NULL : data + at;
		input.len = len - at < chunk ? len - at : chunk;
		watch_machine_step(&h->machine, &input, &actions);
		at += input.len;
		stopped = actions.cancel || actions.request;
		last = actions;
	} while (at < len && !stopped);
	say_actions(h, &last);
	CLEANUP(str_freep) char *row = xasprintf("%s: %s (chunks of %zu)", name, step->in, chunk);
	CHECK_STR_ROW(h->out.data, step->out, row);
}

__attribute__((unused)) static void run_script(const struct script *script, size_t chunk)
{
	struct harness h = {.now = 1000000};
	buffer_init(&h.out, 1U << 20);
	watch_machine_init(&h.machine, "/apis/x/v1/xs", script->streaming, &sink, &h);
	for (size_t i = 0; i < STEPS_MAX && script->steps[i].in != NULL; i++)
		run_step(&h, &script->steps[i], chunk, script->name);
	watch_machine_release(&h.machine);
	buffer_release(&h.out);
}

/* The first steps of most scripts: a list of one item at 10, a watch from there. */
#define LISTED                                                                                     \
	{"start", "new>listing; " FIRST "; @60000"}, {"head 200", "@60000"},                       \
	    {"bytes " LIST("10", "", OBJECT("5")), "BEGIN; ITEM:5; @60000"},                       \
	{                                                                                          \
		"close", "END:10; listing>watching; " WATCH("10") "; @30000"                       \
	}
#define WATCHING                                                                                   \
	LISTED,                                                                                    \
	{                                                                                          \
		"head 200", "@305000"                                                              \
	}

#endif
