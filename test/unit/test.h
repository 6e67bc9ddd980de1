/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The smallest unit-test frame: TEST(name) registers itself, CHECK prints both sides,
 * main runs everything and ends with "N passed, N failed". Include it once per file.
 */
#ifndef LLMD_TEST_UNIT_TEST_H
#define LLMD_TEST_UNIT_TEST_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"

struct test_case {
	const char *name;
	void (*run)(void);
	struct test_case *next;
};

static struct test_case *test_first;
static int test_failures;

#define TEST(NAME)                                                                                 \
	static void test_##NAME(void);                                                             \
	static struct test_case case_##NAME = {#NAME, test_##NAME, NULL};                          \
	__attribute__((constructor)) static void register_##NAME(void)                             \
	{                                                                                          \
		struct test_case **end = &test_first;                                              \
		while (*end != NULL)                                                               \
			end = &(*end)->next;                                                       \
		*end = &case_##NAME;                                                               \
	}                                                                                          \
	static void test_##NAME(void)

/* Each check goes on after a failure, so that one run shows them all. */
#define CHECK(COND) test_check((COND), __FILE__, __LINE__, #COND)
#define CHECK_INT(GOT, WANT)                                                                       \
	test_check_int((long long)(GOT), (long long)(WANT), __FILE__, __LINE__, #GOT)
#define CHECK_STR(GOT, WANT) test_check_str((GOT), (WANT), __FILE__, __LINE__, #GOT)
/* For tables: says which row failed. */
#define CHECK_STR_ROW(GOT, WANT, ROW) test_check_str((GOT), (WANT), __FILE__, __LINE__, (ROW))
#define CHECK_INT_ROW(GOT, WANT, ROW)                                                              \
	test_check_int((long long)(GOT), (long long)(WANT), __FILE__, __LINE__, (ROW))

__attribute__((unused)) static bool test_check(bool ok, const char *file, int line,
					       const char *what)
{
	if (!ok) {
		test_failures++;
		printf("%s:%d: failed: %s\n", file, line, what);
	}
	return ok;
}

__attribute__((unused)) static bool test_check_int(long long got, long long want, const char *file,
						   int line, const char *what)
{
	if (got == want)
		return true;
	test_failures++;
	printf("%s:%d: %s: got %lld, want %lld\n", file, line, what, got, want);
	return false;
}

__attribute__((unused)) static bool test_check_str(const char *got, const char *want,
						   const char *file, int line, const char *what)
{
	if (got == want || (got != NULL && want != NULL && strcmp(got, want) == 0))
		return true;
	test_failures++;
	printf("%s:%d: %s:\n  got  %s\n  want %s\n", file, line, what, got == NULL ? "(null)" : got,
	       want == NULL ? "(null)" : want);
	return false;
}

int main(int argc, char **argv)
{
	int passed = 0;
	int failed = 0;
	for (struct test_case *test = test_first; test != NULL; test = test->next) {
		if (argc > 1 && strcmp(argv[1], test->name) != 0)
			continue;
		test_failures = 0;
		test->run();
		if (test_failures == 0) {
			passed++;
		} else {
			failed++;
			printf("FAILED %s\n", test->name);
		}
	}
	printf("%d passed, %d failed\n", passed, failed);
	return failed == 0 ? 0 : 1;
}

#endif
