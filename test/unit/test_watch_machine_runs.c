/* SPDX-License-Identifier: Apache-2.0 */
/* The watch machine where a table of scripts does not reach. */
#include "watch_script.h"

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
