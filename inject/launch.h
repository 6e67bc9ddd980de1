/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How a container's program is started, and where flags can be put into that start
 * without changing anything else (LLMD §1.5, §10). This file knows programs and
 * their command lines; it knows no images, versions, env or policies.
 *
 * Everything is read from `command` and `args` of one container. Both may be absent,
 * null or empty. Kubelet expands $(VAR) before the program sees them; "$$(" is an
 * escape and stays byte for byte.
 */
#ifndef LLMD_INJECT_LAUNCH_H
#define LLMD_INJECT_LAUNCH_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/json.h"

/* What the command line says the program is. */
enum program {
	PROGRAM_UNKNOWN = 0, /* nothing in command or args tells (e.g. only flags) */
	PROGRAM_VLLM_SERVE,  /* `vllm serve` */
	PROGRAM_VLLM_MODULE, /* `python3 -m vllm.entrypoints.openai.api_server` */
	PROGRAM_VLLM_OTHER, /* `vllm launch render`, `vllm bench`, `vllm.entrypoints.grpc_server`, … : never */
	PROGRAM_SGLANG,     /* `python3 -m sglang.launch_server`, `sglang serve` */
	PROGRAM_EPP,        /* `/app/epp`, or --pool-name/--endpoint-selector flags */
	PROGRAM_PD_SIDECAR, /* `/app/pd-sidecar` */
	PROGRAM_SIMULATOR,  /* `llm-d-inference-sim` */
	PROGRAM_OTHER,      /* surely another program (ray, trtllm-serve, sleep, envoy, …) */
	PROGRAM_COUNT
};

enum launch_form {
	LAUNCH_IMAGE_DEFAULT, /* neither command nor args: adding args would replace the image's CMD */
	LAUNCH_ARGS_ONLY,     /* args for the image's entrypoint */
	LAUNCH_EXEC,   /* command (+ args) is the program's argv; also args that are a whole argv */
	LAUNCH_SCRIPT, /* a shell with -c and a script in which exactly one command is the program */
	LAUNCH_OPAQUE, /* cannot be told with certainty */
};

enum launch_list { LAUNCH_COMMAND = 0, LAUNCH_ARGS = 1 };

/* How a flag of some program is spelled and read. */
struct flag_syntax {
	const char *name; /* with its dashes, "--otlp-traces-endpoint" */
	bool underscores; /* `_` equals `-` (vLLM) */
	bool prefixes;    /* unambiguous prefixes count (argparse) */
	const char *
	    shortest; /* the shortest prefix that is unambiguous, e.g. "--otlp-t"; NULL with !prefixes */
	bool
	    is_switch; /* Go bool or store_true: a value only after '=' (a following bare true/false
				      is still reported as its value, see stops_parser) */
	bool single_dash; /* `-name` equals `--name` (Go's flag package) */
};

enum flag_presence {
	FLAG_ABSENT,  /* surely not given */
	FLAG_PRESENT, /* given; last occurrence wins */
	FLAG_UNSURE,  /* cannot be told: unquoted ${FLAGS}, $@, --config FILE, … hide words */
};

/*
 * FLAG_UNSURE does not by itself forbid an injection. In scripts ours stand right after
 * the model, before every word that may hide the flag, and the last occurrence wins:
 * what the user hides in ${FLAGS} or "$@" stays in force (`ours_would_win` false).
 * Where ours would beat it (a flag in the file of `--config FILE`, which every flag of
 * the command line overrides; a bare $(VAR) in exec form that ours cannot precede),
 * `ours_would_win` is true and adding one would silently replace the user's value.
 */

struct launch_flag {
	enum flag_presence presence;
	char *
	    value; /* of the last occurrence, as written; NULL when it has none. Owned; launch_flag_release */
	size_t count; /* occurrences */
	/* Where the last occurrence stands (exec and args forms only; in scripts list/index name the script's element) */
	enum launch_list list;
	size_t index;
	size_t tokens; /* 1: `--f` or `--f=v`; 2: value in the next token */
	/* A bare true/false after a switch with more words after it: Go's `flag` package (GAIE
	 * EPP <= v1.2) stops reading there, so replacing the two words brings the rest to life. */
	bool stops_parser;
	/* Only with FLAG_UNSURE: the first word that may hide the flag, as written
	 * ("${FLAGS}", "--config /etc/vllm.yaml"). Owned; launch_flag_release. */
	char *hidden_in;
	bool ours_would_win; /* only with FLAG_UNSURE: see above */
};

/* One change of `command` or `args`, reversible from what it records. */
enum launch_edit_op {
	LAUNCH_INSERT, /* put `tokens` before element `index` of `list` (index == length: append) */
	LAUNCH_REPLACE, /* take `old_tokens` away at `index` and put `tokens` there */
	LAUNCH_SPLICE,  /* insert the text tokens[0] at byte `offset` of element `index` (a script);
			  with an old token (a replaced flag) that text goes first */
};

struct launch_edit {
	enum launch_edit_op op;
	enum launch_list list;
	size_t index;
	size_t offset;
	char **tokens; /* owned */
	size_t token_count;
	char **old_tokens; /* owned */
	size_t old_token_count;
};

struct launch; /* opaque; holds copies, does not borrow from the container */

/*
 * Reads a container ({name, command, args}; other members are ignored). Never fails:
 * what cannot be told is LAUNCH_OPAQUE or PROGRAM_UNKNOWN. Free with launch_freep.
 * `assume` tells what an args-only container runs when the command line itself cannot
 * (known from its image or an override); PROGRAM_UNKNOWN when nothing is known.
 */
NODISCARD struct launch *launch_read(const cJSON *container, enum program assume);
void launch_freep(struct launch **launch);

enum program launch_program(const struct launch *launch);
enum launch_form launch_form(const struct launch *launch);
/* For LAUNCH_OPAQUE: one sentence saying why, naming what stands in the way. Never NULL. */
const char *launch_why_opaque(const struct launch *launch);

/* Model path or name as given (positional or --model), NULL if none. Borrowed. Only a hint for messages. */
const char *launch_model(const struct launch *launch);

/* Looks for a flag in the program's own words (comments and other commands of a script do not count). */
void launch_find_flag(const struct launch *launch, const struct flag_syntax *flag,
		      struct launch_flag *ret_flag);
void launch_flag_release(struct launch_flag *flag);

/* The value of `--config FILE` (vLLM) or NULL. Borrowed. */
const char *launch_config_file(const struct launch *launch);

/*
 * Plans the insertion of whole flag tokens ("--name=value"; a value may be kubelet's
 * $(NAME)). In scripts the text is quoted as needed, and $(NAME) becomes "${NAME}", since
 * kubelet would put the value into the script's text.
 *
 * Where they go: behind all other words, but before a bare "--", and before a bare $(VAR)
 * that may hold the same flag; in a script right behind the model, else right behind the
 * program's name or sub-command; in args when the script hands those on by "$@" with the
 * model in them. Never between `serve` and its model, never inside a list of values
 * (argparse's nargs="+").
 *
 * STATUS_INVALID with the exact manual edit in the message when it cannot be done with
 * certainty (opaque, image default, a program that does not take them, a token that holds
 * characters which a shell or kubelet would read).
 */
NODISCARD enum status launch_add_flags(const struct launch *launch, const char *const *flags,
				       size_t count, struct launch_edit *ret_edit,
				       struct error *err);

/*
 * Plans the replacement of the last occurrence of `flag` by `token` ("--tracing=true"),
 * value token and all following-bool included. All earlier occurrences are left.
 * Exec, args-only and script forms. STATUS_NOT_FOUND when it is absent.
 */
NODISCARD enum status launch_replace_flag(const struct launch *launch,
					  const struct flag_syntax *flag, const char *token,
					  struct launch_edit *ret_edit, struct error *err);

/* Frees what the edit owns. */
void launch_edit_release(struct launch_edit *edit);

/*
 * Carries an edit out on / takes it back from the container's list (array node, edited in place).
 * launch_edit_revert finds what the edit had put in by its text, wherever it stands now;
 * STATUS_NOT_FOUND when it is no longer there exactly (then the list is untouched).
 */
NODISCARD enum status launch_edit_apply(const struct launch_edit *edit, cJSON *list,
					struct error *err);
NODISCARD enum status launch_edit_revert(const struct launch_edit *edit, cJSON *list,
					 struct error *err);

#endif
