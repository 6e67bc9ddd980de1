/* SPDX-License-Identifier: Apache-2.0 */
#include "inject/image.h"

#include "test.h"

static const char *part(const char *text, size_t len)
{
	static char out[8][160];
	static unsigned next;
	char *to = out[next++ % 8];
	(void)snprintf(to, sizeof(out[0]), "%.*s", (int)len, text == NULL ? "" : text);
	return to;
}

TEST(names_as_a_node_lists_them)
{
	static const char *const rows[][2] = {
	    {"redis", "docker.io/library/redis:latest"},
	    {"vllm/vllm-openai:v0.23.0", "docker.io/vllm/vllm-openai:v0.23.0"},
	    {"ghcr.io/llm-d/llm-d-cuda", "ghcr.io/llm-d/llm-d-cuda:latest"},
	    {"mirror:5000/a/b:1", "mirror:5000/a/b:1"},
	    {"a.b/c:v1@sha256:0123", "a.b/c@sha256:0123"},
	    {"x/c@sha256:0123", "docker.io/x/c@sha256:0123"},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char *got = image_listed_name(rows[i][0]);
		CHECK_STR(got, rows[i][1]);
		free(got);
	}
}

TEST(references)
{
	static const struct {
		const char *text, *path, *base, *tag;
		bool digest;
	} rows[] = {
	    {"busybox", "busybox", "busybox", "", false},
	    {"vllm/vllm-openai:v0.23.0", "vllm/vllm-openai", "vllm-openai", "v0.23.0", false},
	    {"ghcr.io/llm-d/llm-d-cuda:latest", "llm-d/llm-d-cuda", "llm-d-cuda", "latest", false},
	    {"localhost/x/y", "x/y", "y", "", false},
	    {"localhost:5000/llm-d:v0.9.0", "llm-d", "llm-d", "v0.9.0", false},
	    {"mirror.corp:5000/a/b/vllm", "a/b/vllm", "vllm", "", false},
	    {"a.b/c@sha256:0123", "c", "c", "", true},
	    {"a.b/c:v1.2@sha256:0123", "c", "c", "v1.2", true},
	    {"", "", "", "", false},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct image image;
		image_read(rows[i].text, &image);
		CHECK_STR_ROW(part(image.path, image.path_len), rows[i].path, rows[i].text);
		CHECK_STR_ROW(part(image.base, image.base_len), rows[i].base, rows[i].text);
		CHECK_STR_ROW(part(image.tag, image.tag_len), rows[i].tag, rows[i].text);
		CHECK_INT_ROW(image.has_digest, rows[i].digest, rows[i].text);
	}
}

TEST(globs)
{
	static const struct {
		const char *image, *glob;
		bool matches;
	} rows[] = {
	    {"vllm/vllm-openai:v1", "vllm-openai*", true},
	    {"vllm/vllm-openai-cpu:v1", "vllm-openai*", true},
	    {"vllm/my-vllm-openai:v1", "vllm-openai*", false},
	    {"intel/vllm:0.10.0-xpu", "intel/vllm", true},
	    {"reg.io/a/intel/vllm", "intel/vllm", true},
	    {"opea/vllm", "intel/vllm", false},
	    {"vllm", "intel/vllm", false},
	    {"ghcr.io/llm-d/llm-d-cuda-dev:sha-1", "llm-d-cuda", true},
	    {"ghcr.io/llm-d/llm-d-cuda-debug:sha-1", "llm-d-cuda", false},
	    {"ghcr.io/llm-d/llm-d:v1", "llm-d", true},
	    {"nvcr.io/nvidia/tensorrt-llm/release:1", "tensorrt-llm/*", true},
	    {"x/llm-d-inference-sim", "*inference-sim*", true},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct image image;
		image_read(rows[i].image, &image);
		CHECK_INT_ROW(image_matches(&image, rows[i].glob), rows[i].matches, rows[i].image);
	}
	CHECK(glob_matches("*vllm*:prod", "mirror.corp/a/vllm-x:prod", 25));
	CHECK(!glob_matches("vllm", "vllm-x", 6));
	CHECK(glob_matches("", "", 0));
	CHECK(glob_matches("***", "", 0));
	CHECK(!glob_matches("?", "", 0));
}

TEST(a_glob_of_many_stars_ends)
{
	char text[2001];
	memset(text, 'a', 2000);
	text[2000] = '\0';
	CHECK(!glob_matches("*a*a*a*a*a*a*a*a*a*a*b", text, 2000));
}

TEST(versions)
{
	static const struct {
		const char *tag;
		enum version_kind kind;
		unsigned part[3];
		bool prerelease;
	} rows[] = {
	    {"v0.23.0", VERSION_EXACT, {0, 23, 0}, false},
	    {"0.23.0-cu130", VERSION_EXACT, {0, 23, 0}, false},
	    {"v0.5.13.post1", VERSION_EXACT, {0, 5, 13}, false},
	    {"v0.5.13.post1-rocm720-mi30x", VERSION_EXACT, {0, 5, 13}, false},
	    {"0.10.0-xpu", VERSION_EXACT, {0, 10, 0}, false},
	    {"v0.9", VERSION_EXACT, {0, 9, 0}, false},
	    {"v0.17.0rc1", VERSION_EXACT, {0, 17, 0}, true},
	    {"v0.6.0-rc.1", VERSION_EXACT, {0, 6, 0}, true},
	    {"0.17.0.dev12", VERSION_EXACT, {0, 17, 0}, true},
	    {"1.0.0a1", VERSION_EXACT, {1, 0, 0}, true},
	    {"1.0.0-alpine", VERSION_EXACT, {1, 0, 0}, false},
	    {"1.0.0-amd64", VERSION_EXACT, {1, 0, 0}, false},
	    {"1.0.0-developer", VERSION_EXACT, {1, 0, 0}, false},
	    {"1.3.0rc18", VERSION_EXACT, {1, 3, 0}, true},
	    {"latest", VERSION_NONE, {0, 0, 0}, false},
	    {"main", VERSION_NONE, {0, 0, 0}, false},
	    {"prod", VERSION_NONE, {0, 0, 0}, false},
	    {"v1", VERSION_NONE, {0, 0, 0}, false},
	    {"12", VERSION_NONE, {0, 0, 0}, false},
	    {"sha-a1bcf21", VERSION_NONE, {0, 0, 0}, false},
	    {"61e53561a", VERSION_NONE, {0, 0, 0}, false},
	    {"20260501", VERSION_NONE, {0, 0, 0}, false},
	    {"2026.05.01", VERSION_NONE, {0, 0, 0}, false},
	    {"2026-05-01", VERSION_NONE, {0, 0, 0}, false},
	    {"nightly-20260501-8e706b2-941fb50", VERSION_NONE, {0, 0, 0}, false},
	    {"nightly-0.11.0-ab12", VERSION_EMBEDDED, {0, 11, 0}, false},
	    {"cu130-v0.9.1", VERSION_EMBEDDED, {0, 9, 1}, false},
	    {"x86_64-v0.23", VERSION_EMBEDDED, {0, 23, 0}, false},
	    {"cuda-12.9", VERSION_NONE, {0, 0, 0}, false},
	    {"99999999999.1", VERSION_NONE, {0, 0, 0}, false},
	    {"", VERSION_NONE, {0, 0, 0}, false},
	    {"v", VERSION_NONE, {0, 0, 0}, false},
	    {"1.", VERSION_NONE, {0, 0, 0}, false},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct version version = {0};
		version_read(rows[i].tag, strlen(rows[i].tag), &version);
		CHECK_INT_ROW(version.kind, rows[i].kind, rows[i].tag);
		if (version.kind == VERSION_NONE)
			continue;
		for (size_t k = 0; k < 3; k++)
			CHECK_INT_ROW(version.part[k], rows[i].part[k], rows[i].tag);
		CHECK_INT_ROW(version.prerelease, rows[i].prerelease, rows[i].tag);
	}
}

TEST(order)
{
	static const struct {
		const char *version, *bound;
		bool below;
	} rows[] = {
	    {"0.16.9", "0.17.0", true},      {"0.17.0", "0.17.0", false},
	    {"0.17", "0.17.0", false},       {"0.17.0rc1", "0.17.0", true},
	    {"0.17.1rc1", "0.17.0", false},  {"0.5.5.post9", "0.5.6", true},
	    {"0.5.6.post2", "0.5.6", false}, {"1.0.0", "0.17.0", false},
	    {"0.9.0", "0.10.0", true},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct version version = {0};
		version_read(rows[i].version, strlen(rows[i].version), &version);
		CHECK_INT_ROW(version_is_below(&version, rows[i].bound), rows[i].below,
			      rows[i].version);
	}
}
