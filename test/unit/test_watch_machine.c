/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The watch machine as a table of scripts. A script is a list of steps: what happens, and
 * everything that comes of it: states, events, requests and the next wake-up. Random bits
 * are 0 unless a step says otherwise, so that timeoutSeconds is 300, the idle time 75 s
 * and a backoff its lower bound.
 *
 * Steps in:  start | kick | timer | head CODE [RETRY_AFTER_MS] | bytes TEXT | close | break TEXT
 *            each may begin with "+MS " (time passes before it) and "r=BITS "
 * Out:       "from>to" states; BEGIN[!] ITEM:rv ABORT END:rv PUT:rv DELETE:rv ABSENT DENIED
 *            TROUBLE ALIVE; skip(why); cancel; list|watch[*] QUERY (* on a new connection); @MS wake-up
 */
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

static void parse(struct harness *h, const char *in, struct watch_input *input, struct error *err)
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

static void run_script(const struct script *script, size_t chunk)
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

static const struct script scripts[] = {
    {"list and watch",
     false,
     {WATCHING,
      {"bytes " ADDED("11") MODIFIED("12"), "PUT:11; PUT:12; @305000"},
      {"bytes " DELETED("13"), "DELETE:13; @305000"},
      {"+2000 close", "watching>watching; " WATCH("13") "; @30000"}}},
    {"an empty list",
     false,
     {{"start", "new>listing; " FIRST "; @60000"},
      {"head 200", "@60000"},
      {"bytes " LIST("10", "", ""), "@60000"},
      {"close", "BEGIN; END:10; listing>watching; " WATCH("10") "; @30000"}}},
    {"pages: the server has no watch cache, so pages stay",
     false,
     {{"start", "new>listing; " FIRST "; @60000"},
      {"head 200", "@60000"},
      {"bytes " LIST("10", CONTINUE("a/b="), OBJECT("5")), "BEGIN; ITEM:5; @60000"},
      {"close", "list limit=500&continue=a%2Fb%3D; @60000"},
      {"head 200", "@60000"},
      {"bytes " LIST("10", CONTINUE("c"), ""), "@60000"},
      {"close", "list limit=500&continue=c; @60000"},
      {"head 200", "@60000"},
      {"bytes " LIST("10", "", OBJECT("6")), "ITEM:6; @60000"},
      {"close", "END:10; listing>watching; " WATCH("10") "; @30000"},
      {"head 200", "@305000"},
      {"bytes " ERROR_EVENT(STATUS("410", "Expired", "")),
       "watching>listing; cancel; " AGAIN("10") "&limit=500; @60000"}}},
    {"F5: 410 on the first page",
     false,
     {LISTED,
      {"head 410", "@305000"},
      {"bytes " STATUS("410", "Expired", ""), "@305000"},
      {"close", "watching>listing; " AGAIN("10") "; @60000"},
      {"head 410", "@60000"},
      {"bytes " STATUS("410", "Expired", ""), "@60000"},
      {"close", "listing>listing; list limit=500; @60000"},
      {"head 200", "@60000"},
      {"bytes " LIST("20", "", ""), "@60000"},
      {"close", "BEGIN; END:20; listing>watching; " WATCH("20") "; @30000"}}},
    {"F5: 410 between pages: one whole list",
     false,
     {{"start", "new>listing; " FIRST "; @60000"},
      {"head 200", "@60000"},
      {"bytes " LIST("10", CONTINUE("c"), OBJECT("5")), "BEGIN; ITEM:5; @60000"},
      {"close", "list limit=500&continue=c; @60000"},
      {"head 410", "@60000"},
      {"bytes " STATUS("410", "Expired", ",\"metadata\":{\"continue\":\"d\"}"), "@60000"},
      {"close", "ABORT; listing>listing; list ; @60000"},
      {"head 200", "@60000"},
      {"bytes " LIST("12", "", OBJECT("5")), "BEGIN; ITEM:5; @60000"},
      {"close", "END:12; listing>watching; " WATCH("12") "; @30000"}}},
    {"F6: ERROR 410, reason Gone, no code",
     false,
     {WATCHING,
      {"bytes " ADDED("11") ERROR_EVENT("{\"kind\":\"Status\",\"reason\":\"Gone\"}") ADDED("12"),
       "PUT:11; watching>listing; cancel; " AGAIN("11") "; @60000"}}},
    {"410 again and again: the third one waits",
     false,
     {LISTED,
      {"head 410", "@305000"},
      {"close", "watching>listing; " AGAIN("10") "; @60000"},
      {"head 410", "@60000"},
      {"close", "listing>listing; list limit=500; @60000"},
      {"head 410", "@60000"},
      {"close", "TROUBLE; listing>backoff; @800"},
      {"+800 timer", "backoff>listing; list limit=500; @60000"}}},
    {"F7: too large a resourceVersion, by cause",
     false,
     {LISTED,
      {"head 504", "@305000"},
      {"bytes " STATUS("504", "Timeout",
		       ",\"details\":{\"causes\":[{\"reason\":\"ResourceVersionTooLarge\"}]}"),
       "@305000"},
      {"close", "watching>listing; list limit=500; @60000"}}},
    {"F7: too large a resourceVersion, by words, as ERROR",
     false,
     {WATCHING,
      {"bytes " ERROR_EVENT("{\"kind\":\"Status\",\"code\":504,\"reason\":\"Timeout\",\"message\":"
			    "\"Too large resource version: 9, current: 5\"}"),
       "watching>listing; cancel; list limit=500; @60000"}}},
    {"F8: ERROR 500: list again after a wait",
     false,
     {WATCHING,
      {"bytes " ERROR_EVENT(STATUS("500", "InternalError", "")),
       "TROUBLE; watching>backoff; cancel; @800"},
      {"+800 timer", "backoff>listing; " AGAIN("10") "; @60000"},
      {"head 200", "ALIVE; @60000"}}},
    {"ERROR whose object is no Status",
     false,
     {WATCHING,
      {"bytes {\"type\":\"ERROR\",\"object\":{\"a\":1}}\n",
       "TROUBLE; watching>backoff; cancel; @800"}}},
    {"F9: 429 on a watch: no list, the server's time",
     false,
     {LISTED,
      {"head 429 5000", "@305000"},
      {"close", "TROUBLE; watching>backoff; @5000"},
      {"+5000 timer", "backoff>watching; " WATCH("10") "; @30000"}}},
    {"F9: 429 on a list, by its body",
     false,
     {{"start", "new>listing; " FIRST "; @60000"},
      {"head 429", "@60000"},
      {"bytes " STATUS("429", "TooManyRequests", ",\"details\":{\"retryAfterSeconds\":7}"),
       "@60000"},
      {"close", "TROUBLE; listing>backoff; @7000"},
      {"+7000 timer", "backoff>listing; " FIRST "; @60000"}}},
    {"429 as ERROR",
     false,
     {WATCHING,
      {"bytes " ERROR_EVENT(
	   STATUS("429", "TooManyRequests", ",\"details\":{\"retryAfterSeconds\":2}")),
       "TROUBLE; watching>backoff; cancel; @2000"},
      {"+2000 timer", "backoff>watching; " WATCH("10") "; @30000"}}},
    {"F10: connection refused on a watch: no list",
     false,
     {LISTED,
      {"break refused", "TROUBLE; watching>backoff; @800"},
      {"+800 timer", "backoff>watching; " WATCH("10") "; @30000"},
      {"break refused", "TROUBLE; watching>backoff; @1600"},
      {"+1600 timer", "backoff>watching; " WATCH("10") "; @30000"},
      {"head 200", "ALIVE; @305000"},
      {"bytes " ADDED("11"), "PUT:11; @305000"}}},
    {"connection refused on a list",
     false,
     {{"start", "new>listing; " FIRST "; @60000"},
      {"break refused", "TROUBLE; listing>backoff; @800"},
      {"+800 timer", "backoff>listing; " FIRST "; @60000"},
      {"head 200", "ALIVE; @60000"}}},
    {"backoff: doubles to 30 s, with jitter, forgotten after two quiet minutes",
     false,
     {{"start", "new>listing; " FIRST "; @60000"},
      {"r=799 break x", "TROUBLE; listing>backoff; @1599"},
      {"+1599 timer", "backoff>listing; " FIRST "; @60000"},
      {"break x", "TROUBLE; listing>backoff; @1600"},
      {"+1600 timer", "backoff>listing; " FIRST "; @60000"},
      {"break x", "TROUBLE; listing>backoff; @3200"},
      {"+3200 timer", "backoff>listing; " FIRST "; @60000"},
      {"break x", "TROUBLE; listing>backoff; @6400"},
      {"+6400 timer", "backoff>listing; " FIRST "; @60000"},
      {"break x", "TROUBLE; listing>backoff; @12800"},
      {"+12800 timer", "backoff>listing; " FIRST "; @60000"},
      {"break x", "TROUBLE; listing>backoff; @25600"},
      {"+25600 timer", "backoff>listing; " FIRST "; @60000"},
      {"break x", "TROUBLE; listing>backoff; @30000"},
      {"+30000 timer", "backoff>listing; " FIRST "; @60000"},
      {"r=29999 break x", "TROUBLE; listing>backoff; @59999"},
      {"+59999 timer", "backoff>listing; " FIRST "; @60000"},
      {"+1 head 200", "ALIVE; @60000"},
      {"+59999 bytes {", "@60000"},
      {"+60000 break x", "TROUBLE; listing>backoff; @800"}}},
    {"a list that breaks off",
     false,
     {{"start", "new>listing; " FIRST "; @60000"},
      {"head 200", "@60000"},
      {"bytes {\"metadata\":{\"resourceVersion\":\"10\"},\"items\":[" OBJECT("5") ",{\"meta",
       "BEGIN; ITEM:5; @60000"},
      {"break cut", "ABORT; TROUBLE; listing>backoff; @800"}}},
    {"F11: a list that ends cleanly but is not whole",
     false,
     {{"start", "new>listing; " FIRST "; @60000"},
      {"head 200", "@60000"},
      {"bytes {\"metadata\":{\"resourceVersion\":\"10\"},\"items\":[" OBJECT("5"),
       "BEGIN; ITEM:5; @60000"},
      {"close", "ABORT; TROUBLE; listing>backoff; @800"}}},
    {"a list that stands still",
     false,
     {{"start", "new>listing; " FIRST "; @60000"},
      {"head 200", "@60000"},
      {"bytes {\"metadata\":{\"resourceVersion\":\"10\"},\"items\":[" OBJECT("5"),
       "BEGIN; ITEM:5; @60000"},
      {"+59000 timer", "@1000"},
      {"+1000 timer", "ABORT; TROUBLE; listing>backoff; cancel; @800"},
      {"+800 timer", "backoff>listing; list* resourceVersion=0&limit=500; @60000"}}},
    {"a list that is none",
     false,
     {{"start", "new>listing; " FIRST "; @60000"},
      {"head 200", "@60000"},
      {"bytes <html>", "TROUBLE; listing>backoff; cancel; @800"}}},
    {"a Table instead of a list",
     false,
     {{"start", "new>listing; " FIRST "; @60000"},
      {"head 200", "@60000"},
      {"bytes {\"kind\":\"Table\",\"metadata\":{\"resourceVersion\":\"1\"},\"rows\":[]}", "@60000"},
      {"close", "TROUBLE; listing>backoff; @800"}}},
    {"F1: a watch that ends after events goes on from the last",
     false,
     {WATCHING,
      {"bytes " ADDED("11"), "PUT:11; @305000"},
      {"close", "watching>watching; " WATCH("11") "; @30000"}}},
    {"F2: a watch that breaks inside an event",
     false,
     {WATCHING,
      {"+3000 bytes " ADDED("11") "{\"type\":\"ADDED\",\"obj", "PUT:11; @302000"},
      {"break recv failure", "TROUBLE; watching>watching; " WATCH("11") "; @30000"},
      {"head 200", "ALIVE; @305000"},
      {"bytes " ADDED("12"), "PUT:12; @305000"}}},
    {"a server that breaks off again and again at once",
     false,
     {WATCHING,
      {"bytes " ADDED("11"), "PUT:11; @305000"},
      {"break reset", "TROUBLE; watching>backoff; @800"}}},
    {"F4: very short watches without events wait",
     false,
     {WATCHING,
      {"+999 close", "TROUBLE; watching>backoff; @800"},
      {"+800 timer", "backoff>watching; " WATCH("10") "; @30000"},
      {"head 200", "ALIVE; @305000"},
      {"bytes " BOOKMARK("12"), "@75000"},
      {"close", "TROUBLE; watching>backoff; @1600"},
      {"+1600 timer", "backoff>watching; " WATCH("12") "; @30000"},
      {"head 200", "ALIVE; @75000"},
      {"+1000 close", "watching>watching; " WATCH("12") "; @30000"}}},
    {"F13: silence after a bookmark",
     false,
     {WATCHING,
      {"+60000 bytes " BOOKMARK("12"), "@75000"},
      {"+74999 timer", "@1"},
      {"+1 timer", "TROUBLE; watching>watching; cancel; " FRESH("12") "; @30000"},
      {"head 200", "ALIVE; @75000"},
      {"+75000 timer", "TROUBLE; watching>watching; cancel; " FRESH("12") "; @30000"},
      /* not one bookmark on a whole stream: this server sends none any more */
      {"head 200", "ALIVE; @305000"}}},
    {"silence of a server without bookmarks: its own deadline",
     false,
     {WATCHING,
      {"+304999 timer", "@1"},
      {"+1 timer", "TROUBLE; watching>watching; cancel; " FRESH("10") "; @30000"}}},
    {"idle and timeout are drawn",
     false,
     {{"start", "new>listing; " FIRST "; @60000"},
      {"head 200", "@60000"},
      {"bytes " LIST("10", "", ""), "@60000"},
      {"r=0x00003a970000012c close",
       "BEGIN; END:10; listing>watching; watch "
       "watch=1&allowWatchBookmarks=true&timeoutSeconds=600&resourceVersion=10; @30000"},
      {"head 200", "@605000"},
      {"bytes " BOOKMARK("11"), "@89999"}}},
    {"no answer to a watch",
     false,
     {LISTED,
      {"+30000 timer", "TROUBLE; watching>backoff; cancel; @800"},
      {"+800 timer", "backoff>watching; " FRESH("10") "; @30000"}}},
    {"F16: bookmarks alone move the place to resume from",
     false,
     {WATCHING,
      {"+60000 bytes " BOOKMARK("20"), "@75000"},
      {"+60000 bytes " BOOKMARK("30"), "@75000"},
      {"+1000 close", "watching>watching; " WATCH("30") "; @30000"}}},
    {"F17: a watch from 0: unordered ADDED do not move it",
     false,
     {{"start", "new>listing; " FIRST "; @60000"},
      {"head 200", "@60000"},
      {"bytes " LIST("0", "", ""), "@60000"},
      {"close", "BEGIN; END:0; listing>watching; " WATCH("0") "; @30000"},
      {"head 200", "@305000"},
      {"bytes " ADDED("30") ADDED("20"), "PUT:30; PUT:20; @305000"},
      {"+1000 close", "watching>watching; " WATCH("0") "; @30000"},
      {"head 200", "@305000"},
      {"bytes " ADDED("20") MODIFIED("40") ADDED("41"), "PUT:20; PUT:40; PUT:41; @305000"},
      {"+1000 close", "watching>watching; " WATCH("41") "; @30000"}}},
    {"F18: what is not understood is passed over",
     false,
     {WATCHING,
      {"bytes " EVENT("STRANGE", "11"), "skip(unknown event type); @305000"},
      {"bytes {\"type\":\"ADDED\"}", "skip(not a watch event); @305000"},
      {"bytes {\"type\":\"ADDED\",\"object\":[]}", "skip(not a watch event); @305000"},
      {"bytes "
       "{\"type\":\"ADDED\",\"object\":{\"kind\":\"Table\",\"metadata\":{\"resourceVersion\":"
       "\"12\"}}}",
       "skip(a Table instead of an object); @305000"},
      {"bytes {\"type\":\"ADDED\",\"object\":{\"metadata\":{}}}",
       "skip(event without resourceVersion); @305000"},
      {"bytes {\"type\":\"BOOKMARK\",\"object\":{\"metadata\":{\"resourceVersion\":\"\"}}}",
       "skip(event without resourceVersion); @305000"},
      {"bytes " ADDED("13"), "PUT:13; @305000"},
      {"+1000 close", "watching>watching; " WATCH("13") "; @30000"}}},
    {"F43: a stream that is not JSON",
     false,
     {WATCHING,
      {"bytes " ADDED("11") "garbage", "PUT:11; TROUBLE; watching>backoff; cancel; @800"},
      {"+800 timer", "backoff>watching; " WATCH("11") "; @30000"}}},
    {"F21: etcd restored, metadata first: the list says so at once",
     false,
     {WATCHING,
      {"bytes " ERROR_EVENT(
	   STATUS("504", "Timeout",
		  ",\"details\":{\"causes\":[{\"reason\":\"ResourceVersionTooLarge\"}]}")),
       "watching>listing; cancel; list limit=500; @60000"},
      {"head 200", "@60000"},
      {"bytes " LIST("7", "", OBJECT("5")), "BEGIN!; ITEM:5; @60000"},
      {"close", "END:7; listing>watching; " WATCH("7") "; @30000"}}},
    {"F21: etcd restored, metadata last: the list is made anew",
     false,
     {WATCHING,
      {"bytes " ERROR_EVENT(
	   STATUS("504", "Timeout",
		  ",\"details\":{\"causes\":[{\"reason\":\"ResourceVersionTooLarge\"}]}")),
       "watching>listing; cancel; list limit=500; @60000"},
      {"head 200", "@60000"},
      {"bytes " LIST_SORTED("7", OBJECT("5")), "BEGIN; ITEM:5; @60000"},
      {"close", "ABORT; listing>listing; list limit=500; @60000"},
      {"head 200", "@60000"},
      {"bytes " LIST_SORTED("7", OBJECT("5")), "BEGIN!; ITEM:5; @60000"},
      {"close", "END:7; listing>watching; " WATCH("7") "; @30000"},
      {"head 200", "@305000"},
      {"bytes " ERROR_EVENT(STATUS("410", "Expired", "")),
       "watching>listing; cancel; " AGAIN("7") "; @60000"},
      {"head 200", "@60000"},
      {"bytes " LIST("9", "", ""), "@60000"},
      {"close", "BEGIN; END:9; listing>watching; " WATCH("9") "; @30000"}}},
    {"F23: absent at first, kicked when it comes",
     false,
     {{"start", "new>listing; " FIRST "; @60000"},
      {"head 404", "@60000"},
      {"bytes 404 page not found\n", "@60000"},
      {"close", "ABSENT; listing>absent; @10000"},
      {"+10000 timer", "absent>listing; " FIRST "; @60000"},
      {"head 404", "@60000"},
      {"close", "listing>absent; @20000"},
      {"+20000 timer", "absent>listing; " FIRST "; @60000"},
      {"head 404", "@60000"},
      {"close", "listing>absent; @40000"},
      {"+5 kick", "absent>listing; " FIRST "; @60000"},
      {"head 404", "@60000"},
      {"close", "listing>absent; @1000"},
      {"+1000 timer", "absent>listing; " FIRST "; @60000"},
      {"head 404", "@60000"},
      {"close", "listing>absent; @10000"},
      {"kick", "absent>listing; " FIRST "; @60000"},
      {"head 200", "ALIVE; @60000"},
      {"bytes " LIST("10", "", ""), "@60000"},
      {"close", "BEGIN; END:10; listing>watching; " WATCH("10") "; @30000"},
      {"kick", "@30000"}}},
    {"F23: announced while it is being looked for",
     false,
     {{"start", "new>listing; " FIRST "; @60000"},
      {"kick", "@60000"},
      {"head 404", "@60000"},
      {"r=999 close", "ABSENT; listing>absent; @1999"},
      {"+1999 timer", "absent>listing; " FIRST "; @60000"},
      {"head 404", "@60000"},
      {"close", "listing>absent; @10000"}}},
    {"F23: the CRD goes while it is watched, and comes again",
     false,
     {WATCHING,
      {"+2000 close", "watching>watching; " WATCH("10") "; @30000"},
      {"head 404", "@305000"},
      {"close", "TROUBLE; watching>backoff; @800"},
      {"+800 timer", "backoff>listing; list limit=500; @60000"},
      {"head 404", "@60000"},
      {"close", "ABSENT; listing>absent; @10000"},
      {"kick", "absent>listing; list limit=500; @60000"},
      {"head 404", "@60000"},
      {"close", "listing>absent; @1000"},
      {"kick", "absent>listing; list limit=500; @60000"},
      {"head 200", "ALIVE; @60000"},
      {"bytes " LIST("40", "", ""), "@60000"},
      {"close", "BEGIN; END:40; listing>watching; " WATCH("40") "; @30000"}}},
    {"F24: 403 on a list",
     false,
     {{"start", "new>listing; " FIRST "; @60000"},
      {"head 403", "@60000"},
      {"bytes " STATUS("403", "Forbidden", ""), "@60000"},
      {"close", "DENIED; listing>denied; @1000"},
      {"+1000 timer", "denied>listing; " FIRST "; @60000"},
      {"head 403", "@60000"},
      {"bytes " STATUS("403", "Forbidden", ""), "@60000"},
      {"close", "DENIED; listing>denied; @2000"},
      {"+2000 timer", "denied>listing; " FIRST "; @60000"},
      {"head 200", "ALIVE; @60000"}}},
    {"F24: the right is taken away while watching",
     false,
     {WATCHING,
      {"+2000 close", "watching>watching; " WATCH("10") "; @30000"},
      {"head 403", "@305000"},
      {"r=29999 close", "DENIED; watching>denied; @1999"},
      {"kick", "denied>watching; " WATCH("10") "; @30000"},
      {"head 401", "@305000"},
      {"close", "DENIED; watching>denied; @2000"}}},
    {"a kick ends a backoff",
     false,
     {{"start", "new>listing; " FIRST "; @60000"},
      {"break x", "TROUBLE; listing>backoff; @800"},
      {"kick", "backoff>listing; " FIRST "; @60000"}}},
    {"400 on a watch: list the newest",
     false,
     {LISTED,
      {"head 400", "@305000"},
      {"close", "TROUBLE; watching>backoff; @800"},
      {"+800 timer", "backoff>listing; list limit=500; @60000"}}},
    {"503 on a list",
     false,
     {{"start", "new>listing; " FIRST "; @60000"},
      {"head 503 3000", "@60000"},
      {"close", "TROUBLE; listing>backoff; @3000"},
      {"+3000 timer", "backoff>listing; " FIRST "; @60000"}}},
    {"a stream as list",
     true,
     {{"start", "new>streaming-list; " STREAM "&resourceVersion=0; @60000"},
      {"head 200", "@20000"},
      {"bytes " ADDED("5") ADDED("3") MODIFIED("6"), "BEGIN; ITEM:5; ITEM:3; ITEM:6; @20000"},
      {"bytes " END_MARK("9"), "END:9; streaming-list>watching; @75000"},
      {"bytes " ADDED("10"), "PUT:10; @75000"},
      {"+2000 close", "watching>watching; " WATCH("10") "; @30000"},
      {"head 200", "@75000"},
      {"bytes " ERROR_EVENT(STATUS("410", "Expired", "")),
       "watching>streaming-list; cancel; " STREAM "&resourceVersion=10; @60000"}}},
    {"an empty stream as list",
     true,
     {{"start", "new>streaming-list; " STREAM "&resourceVersion=0; @60000"},
      {"head 200", "@20000"},
      {"bytes " END_MARK("9"), "BEGIN; END:9; streaming-list>watching; @75000"}}},
    {"deleted while the list streams in: told after its end",
     true,
     {{"start", "new>streaming-list; " STREAM "&resourceVersion=0; @60000"},
      {"head 200", "@20000"},
      {"bytes " ADDED("5") DELETED("7") END_MARK("9"),
       "BEGIN; ITEM:5; END:9; DELETE:7; streaming-list>watching; @75000"}}},
    {"F14: a streaming list is refused: never again",
     true,
     {{"start", "new>streaming-list; " STREAM "&resourceVersion=0; @60000"},
      {"head 422", "@20000"},
      {"bytes " STATUS("422", "Invalid", ""), "@20000"},
      {"close", "streaming-list>listing; " FIRST "; @60000"},
      {"head 200", "@60000"},
      {"bytes " LIST("10", "", ""), "@60000"},
      {"close", "BEGIN; END:10; listing>watching; " WATCH("10") "; @30000"},
      {"head 410", "@305000"},
      {"close", "watching>listing; " AGAIN("10") "; @60000"}}},
    {"F14: a streaming list is ignored: a bookmark without mark",
     true,
     {{"start", "new>streaming-list; " STREAM "&resourceVersion=0; @60000"},
      {"head 200", "@20000"},
      {"bytes " ADDED("5") BOOKMARK("9"),
       "BEGIN; ITEM:5; ABORT; streaming-list>listing; cancel; " FIRST "; @60000"}}},
    {"F14: a streaming list is ignored: silence",
     true,
     {{"start", "new>streaming-list; " STREAM "&resourceVersion=0; @60000"},
      {"head 200", "@20000"},
      {"+100 bytes " ADDED("5"), "BEGIN; ITEM:5; @20000"},
      {"+20000 timer",
       "ABORT; streaming-list>listing; cancel; list* resourceVersion=0&limit=500; @60000"}}},
    {"F15: a streaming list that dies before its mark",
     true,
     {{"start", "new>streaming-list; " STREAM "&resourceVersion=0; @60000"},
      {"head 200", "@20000"},
      {"bytes " ADDED("5"), "BEGIN; ITEM:5; @20000"},
      {"break reset", "ABORT; TROUBLE; streaming-list>backoff; @800"},
      {"+800 timer", "backoff>listing; " FIRST "; @60000"},
      {"head 200", "ALIVE; @60000"},
      {"bytes " LIST("10", "", OBJECT("5")), "BEGIN; ITEM:5; @60000"},
      {"close", "END:10; listing>watching; " WATCH("10") "; @30000"},
      {"head 410", "@305000"},
      {"close", "watching>streaming-list; " STREAM "&resourceVersion=10; @60000"}}},
    {"ERROR 410 in a streaming list",
     true,
     {{"start", "new>streaming-list; " STREAM "&resourceVersion=0; @60000"},
      {"head 200", "@20000"},
      {"bytes " ADDED("5") ERROR_EVENT(STATUS("410", "Expired", "")),
       "BEGIN; ITEM:5; ABORT; streaming-list>listing; cancel; list limit=500; @60000"}}},
    {"404 and 403 on a streaming list",
     true,
     {{"start", "new>streaming-list; " STREAM "&resourceVersion=0; @60000"},
      {"head 404", "@20000"},
      {"close", "ABSENT; streaming-list>absent; @10000"},
      {"kick", "absent>listing; " FIRST "; @60000"},
      {"head 403", "@60000"},
      {"close", "DENIED; listing>denied; @1000"},
      {"kick", "denied>streaming-list; " STREAM "&resourceVersion=0; @60000"}}},
};

TEST(scripts_in_whole_and_in_bytes)
{
	static const size_t chunks[] = {100000, 1, 7};
	for (size_t i = 0; i < ARRAY_LEN(scripts); i++)
		for (size_t j = 0; j < ARRAY_LEN(chunks); j++)
			run_script(&scripts[i], chunks[j]);
}

/* Selectors go in front of what the machine adds. */
TEST(selectors_stay)
{
	struct harness h = {.now = 1000000};
	struct step step = {"start",
			    "new>listing; list labelSelector=a%3Db&resourceVersion=0&limit=500; "
			    "@60000"};
	buffer_init(&h.out, 4096);
	watch_machine_init(&h.machine, "/apis/x/v1/xs?labelSelector=a%3Db", false, &sink, &h);
	run_step(&h, &step, 1000, "selector");
	watch_machine_release(&h.machine);
	buffer_release(&h.out);
}

/* A kind that was large is listed anew as a stream. */
TEST(a_large_kind_is_listed_anew_as_a_stream)
{
	struct harness h = {.now = 1000000};
	struct buffer list;
	buffer_init(&list, 1U << 20);
	buffer_init(&h.out, 1U << 20);
	buffer_add_str(&list, "bytes {\"metadata\":{\"resourceVersion\":\"10\"},\"items\":[");
	for (int i = 0; i < WATCH_STREAM_LIST_ITEMS; i++)
		buffer_addf(&list, "%s{}", i > 0 ? "," : "");
	buffer_add_str(&list, "]}");
	watch_machine_init(&h.machine, "/apis/x/v1/xs", false, &sink, &h);
	run_step(&h, &(struct step){"start", "new>listing; " FIRST "; @60000"}, 9, "large");
	run_step(&h, &(struct step){"head 200", "@60000"}, 9, "large");
	struct watch_input input;
	struct watch_actions actions;
	struct error err;
	parse(&h, list.data, &input, &err);
	watch_machine_step(&h.machine, &input, &actions);
	run_step(&h, &(struct step){"close", "END:10; listing>watching; " WATCH("10") "; @30000"},
		 9, "large");
	run_step(&h, &(struct step){"head 410", "@305000"}, 9, "large");
	run_step(&h,
		 &(struct step){"close",
				"watching>streaming-list; " STREAM "&resourceVersion=10; @60000"},
		 9, "large");
	watch_machine_release(&h.machine);
	buffer_release(&list);
	buffer_release(&h.out);
}

/* F2 on the whole machine: a stream of three events cut at every byte, resumed, loses and repeats nothing. */
TEST(events_cut_at_every_byte_are_resumed)
{
	static const char stream[] = ADDED("11") MODIFIED("12") DELETED("13");
	static const char *const events[] = {ADDED("11"), MODIFIED("12"), DELETED("13")};
	for (size_t cut = 0; cut <= strlen(stream); cut++) {
		struct harness h = {.now = 1000000};
		struct watch_actions actions;
		buffer_init(&h.out, 1U << 16);
		watch_machine_init(&h.machine, "/apis/x/v1/xs", false, &sink, &h);
		static const struct step begin[] = {WATCHING};
		for (size_t i = 0; i < ARRAY_LEN(begin); i++)
			run_step(&h, &begin[i], 1000, "cut");
		buffer_clear(&h.out);
		struct watch_input bytes = {WATCH_INPUT_BYTES, .now_ms = h.now += 2000,
					    .data = stream, .len = cut};
		watch_machine_step(&h.machine, &bytes, &actions);
		struct watch_input end = {WATCH_INPUT_CLOSE, .now_ms = h.now};
		watch_machine_step(&h.machine, &end, &actions);
		/* The server resumes after the resourceVersion that is asked for. */
		const char *asked = strstr(actions.path, "resourceVersion=");
		unsigned long from = asked == NULL ? 0 : strtoul(asked + 16, NULL, 10);
		CHECK(from >= 10 && from <= 13);
		struct watch_input head = {WATCH_INPUT_HEAD, .now_ms = h.now, .http_code = 200};
		watch_machine_step(&h.machine, &head, &actions);
		for (size_t i = from - 10; i < 3; i++) {
			struct watch_input rest = {WATCH_INPUT_BYTES, .now_ms = h.now,
						   .data = events[i], .len = strlen(events[i])};
			watch_machine_step(&h.machine, &rest, &actions);
		}
		size_t moves = strlen("watching>watching; ");
		char *move = strstr(h.out.data, "watching>watching");
		if (CHECK(move != NULL)) {
			size_t at = (size_t)(move - h.out.data);
			struct buffer told;
			buffer_init(&told, 4096);
			buffer_add(&told, h.out.data, at);
			if (at + moves <= h.out.len)
				buffer_add_str(&told, move + moves);
			else if (at >= 2)
				buffer_truncate(&told, told.len - 2);
			CHECK_STR(told.data, "PUT:11; PUT:12; DELETE:13");
			buffer_release(&told);
		}
		watch_machine_release(&h.machine);
		buffer_release(&h.out);
	}
}
