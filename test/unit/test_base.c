/* SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/text.h"

TEST(buffer_keeps_its_ceiling)
{
	struct buffer buffer;
	struct error err;
	buffer_init(&buffer, 10);
	buffer_add_str(&buffer, "0123456789");
	CHECK_INT(buffer_check(&buffer, "text", &err), STATUS_OK);
	buffer_add_char(&buffer, 'x');
	buffer_addf(&buffer, "%d", 1);
	CHECK_STR(buffer.data, "0123456789");
	CHECK_INT(buffer_check(&buffer, "text", &err), STATUS_LIMIT);
	CHECK_STR(err.message, "text: larger than 10 bytes");
	buffer_clear(&buffer);
	buffer_addf(&buffer, "%s-%d", "a", 5);
	buffer_consume(&buffer, 2);
	CHECK_STR(buffer.data, "5");
	char *text = buffer_detach(&buffer);
	CHECK_STR(text, "5");
	CHECK(buffer.data == NULL);
	free(text);
	buffer_release(&buffer);
}

TEST(long_format)
{
	struct buffer buffer;
	buffer_init(&buffer, 4000);
	buffer_addf(&buffer, "%01000d", 7);
	CHECK_INT(buffer.len, 1000);
	CHECK(buffer.data[999] == '7');
	buffer_release(&buffer);
}

TEST(error_context_and_cut)
{
	struct error err;
	CHECK_INT(error_set(&err, STATUS_DENIED, "quota %d", 1), STATUS_DENIED);
	CHECK_INT(error_wrap(&err, "patch %s", "Deployment a/b"), STATUS_DENIED);
	CHECK_STR(err.message, "patch Deployment a/b: quota 1");
	char longer[2 * ERROR_MESSAGE_MAX];
	for (size_t i = 0; i + 2 < sizeof(longer); i += 2)
		memcpy(longer + i, "\xC3\xA9", 2);
	longer[sizeof(longer) - 2] = '\0';
	(void)error_set(&err, STATUS_INVALID, "%s", longer);
	CHECK_INT(text_utf8_valid_prefix(err.message, strlen(err.message)), strlen(err.message));
	for (int i = 0; i < STATUS_COUNT; i++)
		CHECK(status_info((enum status)i)->name != NULL);
}

TEST(texts)
{
	CHECK(text_has_prefix("abc", "ab") && !text_has_prefix("a", "ab"));
	CHECK(text_has_suffix("abc", "bc") && !text_has_suffix("c", "bc"));
	CHECK(text_equal(NULL, NULL) && !text_equal("a", NULL) && text_equal("a", "a"));
	CHECK(text_has_control("a\nb") && text_has_control("\x7f") && !text_has_control("a b"));
	CHECK_INT(text_utf8_valid_prefix("a\xF4\x90\x80\x80", 5), 1);
	CHECK_INT(text_utf8_valid_prefix("\xF0\x9F\x98\x80", 4), 4);
	CHECK_INT(text_utf8_valid_prefix("\xF0\x9F\x98", 3), 0);
}

TEST(hashes)
{
	char hex[17];
	hash_short("abc", 3, hex);
	CHECK_STR(hex, "ba7816bf8f01cfea");
}

TEST(metrics_text)
{
	struct metrics *metrics = metrics_new();
	struct metric *requests =
	    metrics_family(metrics, METRIC_COUNTER, "requests_total", "Requests.", "code,method");
	metric_add(requests, "200\x1fGET", 2);
	metric_add(requests, "200\x1fGET", 1);
	metric_add(requests,
		   "500\x1f"
		   "a\"b",
		   1);
	metric_set(metrics_family(metrics, METRIC_GAUGE, "depth", "Depth.", ""), "", 4);
	CHECK_INT((long)metric_get(requests, "200\x1fGET"), 3);
	metric_observe(metrics_family(metrics, METRIC_HISTOGRAM, "t", "T.", ""), "", 0.3);
	struct buffer out;
	buffer_init(&out, 10000);
	metrics_print(metrics, &out);
	CHECK(strstr(out.data, "# TYPE requests_total counter\n") != NULL);
	CHECK(strstr(out.data, "requests_total{code=\"200\",method=\"GET\"} 3\n") != NULL);
	CHECK(strstr(out.data, "requests_total{code=\"500\",method=\"a\\\"b\"} 1\n") != NULL);
	CHECK(strstr(out.data, "depth 4\n") != NULL);
	CHECK(strstr(out.data, "t_bucket{le=\"0.25\"} 0\n") != NULL);
	CHECK(strstr(out.data, "t_bucket{le=\"0.5\"} 1\n") != NULL);
	CHECK(strstr(out.data, "t_count 1\n") != NULL);
	buffer_release(&out);
	metrics_freep(&metrics);
}

TEST(metrics_cardinality)
{
	struct metrics *metrics = metrics_new();
	struct metric *family = metrics_family(metrics, METRIC_COUNTER, "n", "N.", "a,b");
	char labels[32];
	for (int i = 0; i < 1100; i++) {
		(void)snprintf(labels, sizeof(labels), "%d\x1f%d", i, i);
		metric_add(family, labels, 1);
	}
	CHECK_INT((long)metric_get(family, "other\x1fother"), 100);
	metrics_freep(&metrics);
}

TEST(log_lines)
{
	int ends[2];
	CHECK_INT(pipe(ends), 0);
	struct log log = {.level = LOG_INFO, .fd = ends[1]};
	log_entry(&log, LOG_DEBUG, "hidden", NULL);
	log_entry(&log, LOG_WARN, "two words", "a", "b c", "d", "plain", "none", (const char *)NULL,
		  NULL);
	log.json = true;
	log_entry(&log, LOG_INFO, "m", "k", "v\n", NULL);
	char text[512] = "";
	CHECK(read(ends[0], text, sizeof(text) - 1) > 0);
	CHECK(strstr(text, "level=warn msg=\"two words\" a=\"b c\" d=plain\n") != NULL);
	CHECK(strstr(text, "hidden") == NULL);
	CHECK(strstr(text, "\"level\":\"info\",\"msg\":\"m\",\"k\":\"v\\n\"}\n") != NULL);
	CHECK(strncmp(text, "time=", 5) == 0);
	close(ends[0]);
	close(ends[1]);
}

/* A server's warning may be as long as a header: the entry loses its tail, not its end. */
TEST(a_long_log_line_is_a_line)
{
	int ends[2];
	static char value[LIMIT_LOG_LINE_BYTES * 2];
	static char text[LIMIT_LOG_LINE_BYTES * 2];
	memset(value, 'x', sizeof(value) - 1);
	CHECK_INT(pipe(ends), 0);
	for (int json = 0; json < 2; json++) {
		struct log log = {.level = LOG_INFO, .fd = ends[1], .json = json != 0};
		struct error err = {.message = ""};
		CLEANUP(json_freep) cJSON *tree = NULL;
		log_entry(&log, LOG_WARN, "long", "warning", value, "code", "7", NULL);
		ssize_t len = read(ends[0], text, sizeof(text));
		CHECK(len > 0 && len <= (ssize_t)LIMIT_LOG_LINE_BYTES && text[len - 1] == '\n');
		if (json != 0 && len > 0)
			CHECK_INT(json_parse(text, (size_t)len, &tree, &err), STATUS_OK);
		CHECK(json == 0 || json_str(tree, "msg") != NULL);
	}
	close(ends[0]);
	close(ends[1]);
}
