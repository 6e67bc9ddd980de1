/* SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/limits.h"
#include "inject/shell.h"

/*
 * The commands as text: words joined by blanks, commands by " ; ". A word that holds an
 * expansion is "<its literal beginning>", with + when it may split, @ when it is "$@".
 * Before a command: its context in letters (b branch, l loop, f function, s substitution,
 * p pipeline, u subshell) and a colon.
 */
static char *dump(const struct shell_script *script)
{
	static const char letters[] = "blfspu";
	struct buffer out CLEANUP(buffer_release) = {0};
	buffer_init(&out, LIMIT_SCRIPT_BYTES);
	for (size_t i = 0; i < script->command_count; i++) {
		const struct shell_command *command = &script->commands[i];
		if (i > 0)
			buffer_add_str(&out, " ; ");
		for (unsigned bit = 0; letters[bit] != '\0'; bit++)
			if ((command->context & (1U << bit)) != 0)
				buffer_add_char(&out, letters[bit]);
		if (command->context != 0)
			buffer_add_char(&out, ':');
		for (size_t k = 0; k < command->assignment_count; k++)
			buffer_add_str(&out, k == 0 ? "=" : "=");
		for (size_t k = 0; k < command->word_count; k++) {
			const struct shell_word *word = &command->words[k];
			bool dynamic = (word->flags & SHELL_WORD_DYNAMIC) != 0;
			if (k > 0 || command->assignment_count > 0)
				buffer_add_char(&out, ' ');
			buffer_addf(&out, dynamic ? "<%s%s%s>" : "%s", word->value,
				    (word->flags & SHELL_WORD_SPLITS) != 0 ? "+" : "",
				    (word->flags & SHELL_WORD_ALL_ARGS) != 0 ? "@" : "");
		}
	}
	return xstrndup(out.data, out.len);
}

static const struct {
	const char *script;
	const char *commands;
} readable[] = {
    {"", ""},
    {"\n\n # only a comment", ""},
    {"a b c", "a b c"},
    {"a;b&c\nd", "a ; b ; c ; d"},
    {"a && b || c", "a ; b:b ; b:c"},
    {"a | b |& c", "p:a ; p:b ; p:c"},
    {"a | b; c", "p:a ; p:b ; c"},
    {"a \\\n  b\\\nc \\\n", "a bc"},
    {"a # c d\nb#c", "a ; b#c"},
    {"a 'b c'\"d e\"f\\ g", "a b cd ef g"},
    {"a \"b\\\"c\\x\\\nd\"", "a b\"c\\xd"},
    {"a '' \"\"", "a  "},
    {"a $b ${c} \"$d\" x$e", "a <+> <+> <> <x+>"},
    {"a \"$@\" $@ \"${@}\" \"x$@\" $* \"$*\" ${1+\"$@\"}", "a <+@> <+> <+@> <x+> <+> <> <+@>"},
    {"a $(b c) \"$(d)\" `e f`", "s:b c ; s:d ; a <+> <> <+>"},
    {"a $((1 + (2))) \"$((x))\" $((y))z", "a <> <> <>"},
    {"a $( (b) ) $((c); d)", "su:b ; su:c ; s:d ; a <+> <+>"},
    {"a ${x:-\"}\"} ${y:-'}'} ${z%'}'} b", "a <+> <+> <+> b"},
    {"a \"${x:-'b'}\" \"${y#'}'}\" c", "a <> <> c"},
    {"a ${x:-$(b \"c)\" })} d", "s:b c) } ; a <+> d"},
    {"a \"${x[@]}\" ${#x} ${!x[@]} $# $?", "a <+> <+> <+> <> <>"},
    {"a ~/b c~ *.d e? [f] g{h,i} {} {j", "a <> c~ <+> <e+> <+> <g+> {} {j"},
    {"a $'b\\n' $\"c\"", "a <> <>"},
    {"a $ b$ \"$\" $% c", "a $ b$ $ $% c"},
    {"A=1 B='2 3' c D=4", "== c D=4"},
    {"A=1", "="},
    {"A+=1 x[1]=2 b", "== b"},
    {"\"A\"=1 b", "A=1 b"},
    {"A=(b 'c d' # e\n f) g", "= g"},
    {"a >b 2>&1 <c d >>e &>f", "a d"},
    {">a", ""},
    {"a 2> b c 3<>d {e}>f >|g h", "a c h"},
    {"a <<<\"b c\" d", "a d"},
    {"a <(b c) > >(d e) f", "s:b c ; s:d e ; a <> f"},
    {"a <<E b\nx $(y) ' \"\nE\nc", "a b ; c"},
    {"a <<'E F' <<-G\nx\nE F\n\t\ty\n\tG\nc", "a ; c"},
    {"a <<\\E\n$(\nE", "a"},
    {"$(a <<E\nx )\nE\n) b", "s:a ; <+> b"},
    {"if a; then b; elif c; then d; else e; fi; f", "b:a ; b:b ; b:c ; b:d ; b:e ; f"},
    {"if (a) then b; fi >c", "bu:a ; b:b"},
    {"while a; do b; done < c; until d\ndo e\ndone", "l:a ; l:b ; l:d ; l:e"},
    {"for i in 1 $x; do a $i; done", "l:a <+>"},
    {"for i do a; done; for i; do b; done", "l:a ; l:b"},
    {"for i\nin 1\ndo a; done", "l:a"},
    {"for ((i=0; i<2; i++)); do a; done", "l:a"},
    {"case $x in a|b) c;; (d) e ;& *) f\nesac", "b:c ; b:e ; b:f"},
    {"case x in\n'a b') ;;\n# c)\nesac\nd", "d"},
    {"$(case x in a) b;; esac)", "bs:b ; <+>"},
    {"(a; b)", "u:a ; u:b"},
    {"{ a; b\n} 2>c; d", "a ; b ; d"},
    {"f() { a; }; f b", "f:a ; f b"},
    {"f ()\n(a)\nfunction g { b; }\nfunction h() { c; }", "fu:a ; f:b ; f:c"},
    {"[ a ] && [[ b =~ ^(c|d)$ && e < f ]] && g", "[ a ] ; b:g"},
    {"((a < b)) || c", "b:c"},
    {"! a; time -p b; ! { c; }", "a ; b ; c"},
    {"exec a; eval \"b $c\"", "exec a ; eval <b >"},
    {"if_a then_b fi", "if_a then_b fi"},
    {"a then fi { }", "a then fi { }"},
    {"a 'if'\n'then' b", "a if ; then b"},
    {"a\tb\n\tc", "a b ; c"},
    {"échø ☃", "échø ☃"},
};

TEST(readable)
{
	for (size_t i = 0; i < ARRAY_LEN(readable); i++) {
		struct shell_script *script CLEANUP(shell_script_freep) = NULL;
		struct error err = {0};
		const char *text = readable[i].script;
		enum status status = shell_parse(text, strlen(text), &script, &err);
		CHECK_STR_ROW(status == STATUS_OK ? "" : err.message, "", text);
		if (status != STATUS_OK)
			continue;
		char *commands CLEANUP(str_freep) = dump(script);
		CHECK_STR_ROW(commands, readable[i].commands, text);
	}
}

static const struct {
	const char *script;
	const char *message;
} refused[] = {
    {"a 'b", "line 1: a single quote without its partner"},
    {"a\nb \"c", "line 2: a double quote without its partner"},
    {"a `b", "line 1: a backquote without its partner"},
    {"a $(b", "line 1: it ends in the middle of a command"},
    {"a ${b", "line 1: ${ without its }"},
    {"a ${}", "line 1: ${ without a parameter's name"},
    {"a ${ b; }", "line 1: ${ without a parameter's name"},
    {"a \"${b:-it's}\"", "line 1: a single quote without its partner"},
    {"a \"${b:-'}'}\"", "line 1: an apostrophe in \"${…}\" is read differently by bash and dash"},
    {"a $'b\\'c'", "line 1: $'…\\'…' is read differently by bash and dash"},
    {"a &>b c", "line 1: words after &>, which bash and dash read differently"},
    {"a <<E\nb", "line 2: a here-document without its end"},
    {"a <<E", "line 1: a here-document without its end"},
    {"a <<$E\n$E", "line 1: a here-document whose end is not a plain word"},
    {"a <<E $(b\n)\nE", "line 2: a here-document whose line holds a substitution of several lines"},
    {"a $(b <<E)\nE", "line 1: a here-document inside a substitution of one line"},
    {"if a; then b", "line 1: it ends in the middle of a command"},
    {"if a; fi", "line 1: a reserved word where none belongs"},
    {"a; done", "line 1: a reserved word where none belongs"},
    {"}", "line 1: a reserved word where none belongs"},
    {"coproc a", "line 1: a reserved word where none belongs"},
    {"a )", "line 1: a word where an operator belongs"},
    {"a (b)", "line 1: a parenthesis where none belongs"},
    {"a $(b))", "line 1: a word where an operator belongs"},
    {"{ a; } b", "line 1: a word where an operator belongs"},
    {"| a", "line 1: an operator where a command belongs"},
    {"a && && b", "line 1: an operator where a command belongs"},
    {"a |", "line 1: it ends in the middle of a command"},
    {"a >", "line 1: a redirection without its target"},
    {"a >;", "line 1: a redirection without its target"},
    {"case a in b c) d;; esac", "line 1: a case pattern that cannot be read"},
    {"[[ a", "line 1: [[ without its ]]"},
    {"a b\\", "line 1: a backslash as its last character"},
    {"a b\r\n", "it holds carriage returns or NUL bytes"},
};

TEST(refused)
{
	for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
		struct shell_script *script = NULL;
		struct error err = {0};
		const char *text = refused[i].script;
		CHECK_INT_ROW(shell_parse(text, strlen(text), &script, &err), STATUS_INVALID, text);
		CHECK_STR_ROW(err.message, refused[i].message, text);
		CHECK(script == NULL);
	}
}

TEST(byte_ranges)
{
	const char *text = "A=1 vllm \\\n serve 'a b'\"c\"\\\n $x\\\n";
	static const char *const want[] = {"vllm", "serve", "'a b'\"c\"", "$x"};
	struct shell_script *script CLEANUP(shell_script_freep) = NULL;
	struct error err;
	CHECK_INT(shell_parse(text, strlen(text), &script, &err), STATUS_OK);
	CHECK_INT(script->commands[0].word_count, ARRAY_LEN(want));
	for (size_t i = 0; i < ARRAY_LEN(want); i++) {
		const struct shell_word *word = &script->commands[0].words[i];
		char *slice CLEANUP(str_freep) =
		    xstrndup(text + word->start, word->end - word->start);
		CHECK_STR(slice, want[i]);
	}
}

TEST(positional_parameters)
{
	static const struct {
		const char *script;
		bool uses;
	} rows[] = {
	    {"a b", false},
	    {"a $0 $x $#", false},
	    {"a $1", true},
	    {"a \"$@\"", true},
	    {"a ${2:-x}", true},
	    {"a $(b \"$*\")", true},
	    {"a $(( $1 + 1 ))", true},
	    {"a '$1'", false},
	    {"for i do a; done", true},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct shell_script *script CLEANUP(shell_script_freep) = NULL;
		struct error err;
		CHECK_INT(shell_parse(rows[i].script, strlen(rows[i].script), &script, &err),
			  STATUS_OK);
		CHECK_INT_ROW(script->uses_positional, rows[i].uses, rows[i].script);
	}
}

/* Text of one kind nested `count` times must end at a ceiling, not in the stack or in hours. */
TEST(ceilings)
{
	static const char *const openings[] = {"$(", "$((", "${x:-", "\"$(", "( ",
					       "{ ", "if ", "a=(",   "<("};
	for (size_t i = 0; i < ARRAY_LEN(openings); i++) {
		struct buffer text CLEANUP(buffer_release) = {0};
		struct shell_script *script = NULL;
		struct error err;
		buffer_init(&text, LIMIT_SCRIPT_BYTES);
		while (text.len < 100000)
			buffer_add_str(&text, openings[i]);
		CHECK(shell_parse(text.data, text.len, &script, &err) != STATUS_OK);
		CHECK(script == NULL);
	}
	struct shell_script *script = NULL;
	struct error err;
	char *big CLEANUP(str_freep) = xcalloc(LIMIT_SCRIPT_BYTES + 2, 1);
	memset(big, 'a', LIMIT_SCRIPT_BYTES + 1);
	CHECK_INT(shell_parse(big, LIMIT_SCRIPT_BYTES + 1, &script, &err), STATUS_LIMIT);
}

/* What kubelet hands to the shell, and where each byte came from. */
TEST(kubelet_view)
{
	static const struct {
		const char *text;
		const char *view;
	} rows[] = {
	    {"a $(B) c", "a $(B) c"},
	    {"a $$(B) c", "a $(B) c"},
	    {"$$$$", "$$"},
	    {"$$$(A)", "$$(A)"},
	    {"$(x $$(y)) $$z", "$(x $$(y)) $z"},
	    {"$(never closed $$", "$(never closed $"},
	    {"$a $", "$a $"},
	    {"kill $$; vllm", "kill $; vllm"},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct shell_view view;
		shell_view_init(&view, rows[i].text);
		CHECK_STR_ROW(view.text, rows[i].view, rows[i].text);
		CHECK_INT_ROW(view.len, strlen(rows[i].view), rows[i].text);
		CHECK_INT_ROW(shell_view_origin(&view, view.len), strlen(rows[i].text),
			      rows[i].text);
		for (size_t k = 0; k < view.len; k++)
			CHECK(rows[i].text[shell_view_origin(&view, k)] == view.text[k]);
		shell_view_release(&view);
	}
}
