/* SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include "inject/quantity.h"

TEST(quantities)
{
	static const struct {
		const char *text;
		long long want; /* -1: refused */
	} rows[] = {
	    {"0", 0},
	    {"1", 1},
	    {"512Mi", 536870912},
	    {"1.5Gi", 1610612736},
	    {"1000M", 1000000000},
	    {"100m", 1},
	    {"1e3", 1000},
	    {"2E3", 2000},
	    {"1E", 1000000000000000000},
	    {"+5k", 5000},
	    {"5e-1", 1},
	    {".5Ki", 512},
	    {"", -1},
	    {"-1", -1},
	    {"1mi", -1},
	    {"1 Mi", -1},
	    {"Mi", -1},
	    {"1.2.3", -1},
	    {"1e", -1},
	    {"1e999", -1},
	    {"99999999999999999999", -1},
	    {"100E", -1},
	    {"0x10", -1},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		long long got = -1;
		bool ok = quantity_read_whole(rows[i].text, &got);
		CHECK_INT_ROW(ok ? got : -1, rows[i].want, rows[i].text);
	}
}
