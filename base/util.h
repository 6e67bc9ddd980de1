/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The six macros of this project, and nothing else. Everything that the compiler
 * can check for us (an unused result, a format string, a forgotten free) is asked
 * of it here, so that the code itself stays plain C.
 */
#ifndef LLMD_BASE_UTIL_H
#define LLMD_BASE_UTIL_H

#include <stddef.h>

/* The caller has to look at the result. */
#define NODISCARD __attribute__((warn_unused_result))

/* Parameter FMT is a printf format, its arguments begin at parameter ARGS. */
#define PRINTF_LIKE(FMT, ARGS) __attribute__((format(printf, FMT, ARGS)))

/* Runs FN(&variable) when the variable leaves its scope. */
#define CLEANUP(FN) __attribute__((cleanup(FN)))

/* Hands ownership out of a variable: yields its value and leaves NULL behind. */
#define TAKE_PTR(P)                                                                                \
	__extension__({                                                                            \
		__typeof__(P) taken_ = (P);                                                        \
		(P) = NULL;                                                                        \
		taken_;                                                                            \
	})

#define ARRAY_LEN(A) (sizeof(A) / sizeof((A)[0]))

/* Marks a switch case that falls into the next one on purpose. */
#define FALLTHROUGH __attribute__((fallthrough))

#endif
