/* SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include "k8sclient/watch.h"

static const struct {
	const char *a;
	const char *b;
	int order; /* of a to b */
	bool comparable;
} rows[] = {
    {"1", "1", 0, true},
    {"1", "2", -1, true},
    {"9", "10", -1, true},
    {"100", "99", 1, true},
    {"340282366920938463463374607431768211455", "340282366920938463463374607431768211454", 1, true},
    {"18446744073709551616", "18446744073709551615", 1, true},
    {"99999999999999999999", "100000000000000000000", -1, true},
    {"", "1", 0, false},
    {"0", "1", 0, false},
    {"1", "", 0, false},
    {"01", "1", 0, false},
    {"1a", "1", 0, false},
    {"-1", "1", 0, false},
    {"1 ", "1", 0, false},
    {"+1", "1", 0, false},
    {NULL, "1", 0, false},
    {"1", NULL, 0, false},
};

TEST(by_kep_5504)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		bool comparable = !rows[i].comparable;
		CHECK_INT_ROW(resource_version_compare(rows[i].a, rows[i].b, &comparable),
			      rows[i].order, rows[i].a);
		CHECK_INT_ROW(comparable, rows[i].comparable, rows[i].a);
		CHECK_INT_ROW(resource_version_compare(rows[i].b, rows[i].a, &comparable),
			      -rows[i].order, rows[i].a);
	}
}
