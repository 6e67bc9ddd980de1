/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `llmd-tracing run`: the operator. Starts HTTP (health, metrics), then watches, then
 * work once all lists are complete. SIGTERM or SIGINT: no new work, what is under way
 * ends, then exit 0; a second one exits at once.
 */
#ifndef LLMD_CMD_RUN_H
#define LLMD_CMD_RUN_H

/* argv[0] is "run". Returns the exit code. */
int run_command(int argc, char **argv);

#endif
