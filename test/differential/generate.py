# SPDX-License-Identifier: Apache-2.0
"""Random start scripts in which one command is the server, and random damage to them."""

PLAIN = set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_=/.,:@%+")
ENV = {"TP_SIZE": "2", "PORT": "8000", "MODEL": "acme/m-7b", "EMPTY": "", "TWO": "--seed 3", "HOST_IP": "10.0.0.1"}
MODELS = ["acme/m-7b", "/models/llama 3", "Qwen/Qwen3-0.6B", "a#b", "gs://bucket/x"]
FLAGS = [["--port", "8000"], ["--max-model-len=4096"], ["--enforce-eager"], ["--kv_transfer_config", '{"a": "b c", "d":\n "e"}'],
         ["--lora-modules", "a=/x/a", "b=/x/b"], ["--chat-template", "it's"], ["--dtype", "a;b|c&d"], ["--x-path", "$HOME"],
         ["--served-model-name", "one", "two"], ["--tool-call-parser", "a\\b`c"], ["--trust-remote-code"], ["--seed", "-1"]]
RAW = ["--tensor-parallel-size $TP_SIZE", "--port=${PORT:-1}", "${EMPTY}", "$TWO", "--host \"$HOST_IP\"", "--n $((TP_SIZE * 2))",
       "--data-parallel-address $(HOST_IP)", "--p=${NONE-}", "--q \"${NONE:-a'b c'd}\"", "--r \"$(echo \"a b\")\""]
BEFORE = ["export A=1", "set -e", "N=$(( ${NONE:-0} * 2 ))", "# vllm serve comment --otlp-traces-endpoint=x", "echo \"vllm serve 'x'\"",
          "find /dev/shm -type f -delete", "if [ -n \"${NONE:-}\" ]; then A=\"--x ${NONE}\"; fi", "B=`basename /a/b`",
          "C=\"$(basename \"/a b\" | sed 's/)/(/')\"", "for i in 1 2; do echo $i; done", ". /opt/e.sh", "true && echo a || echo b",
          "case $TP_SIZE in 1) echo one;; (2|3) echo more ;; *) ;; esac", "cat <<EOF\nvllm serve here \"$PORT\" '\nEOF",
          "cat <<-'E2' >/tmp/x\n\tvllm serve `\n\tE2", "{ echo group; } >/tmp/y 2>&1", "(cd /tmp && echo sub)", ":", "f() { echo \"$1\"; }\nf x",
          "trap 'echo bye' EXIT", "echo \\\n  continued \\\n  # not a comment? it is one", "X=a\\ b; echo $$X"]
BASH_BEFORE = ["source /opt/e.sh", "[[ $PORT =~ ^[0-9]+(x|y)?$ ]] && echo num", "D=(a 'b c' \"$PORT\")", "((TP_SIZE > 1)) && echo big",
               "cat <<< \"vllm serve x\"", "declare -A m; m[a]=1", "function g { echo g; }", "for ((i=0; i<2; i++)); do echo $i; done"]
AFTER = ["# --collect-detailed-traces all", "echo done", "wait", "exit 0", "# end \\"]
PREFIXES = ["", "", "exec ", "A=1 ", "A='x y' B=\"$PORT\" ", "nohup ", "env A=1 ", "command ", "exec nice -n 5 ", "2>/tmp/e "]


def quoted(r, text):
    """The text as a shell word, in one of many ways."""
    styles = ["single", "double", "backslash", "mixed"]
    if all(c in PLAIN for c in text) and text and text[0] != "#":
        styles += ["plain"] * 6
    style = r.choice(styles)
    if style == "plain":
        return text
    if style == "single":
        return "'" + text.replace("'", "'\\''") + "'"
    if style == "double":
        return '"' + "".join("\\" + c if c in '"\\`' or c == "$" else c for c in text) + '"'
    if style == "mixed" and len(text) > 1:
        at = r.randrange(1, len(text))
        return quoted(r, text[:at]) + quoted(r, text[at:])
    return "".join(c if c in PLAIN else "'\n'" if c == "\n" else "\\" + c for c in text)


def server(r):
    """The server's command as text, and the program that it is."""
    program = r.choice(["vllm-serve"] * 4 + ["vllm-module", "sglang"])
    model = r.choice(MODELS)
    words = {"vllm-serve": [r.choice(["vllm", "/usr/local/bin/vllm"]), "serve"],
             "vllm-module": [r.choice(["python3", "/opt/venv/bin/python"]), "-m", "vllm.entrypoints.openai.api_server"],
             "sglang": r.choice([["sglang", "serve"], ["python3", "-m", "sglang.launch_server"]])}[program]
    if program == "vllm-serve" and r.random() < 0.8:
        words.append(r.choice([quoted(r, model), "$MODEL", "\"${MODEL}\"", "/cache/$PORT"]))
    else:
        words += ["--model-path" if program == "sglang" else "--model", quoted(r, model)]
    for _ in range(r.randrange(6)):
        words += [quoted(r, word) for word in r.choice(FLAGS)] if r.random() < 0.6 else [r.choice(RAW)]
    if r.random() < 0.2:
        words.insert(r.randrange(3, len(words) + 1), r.choice([">/tmp/o", "2>&1", "</dev/null"]))
    text = words[0]
    for word in words[1:]:
        text += r.choice([" ", " ", " ", "  ", " \\\n  ", "\t", " \\\n\\\n "]) + word
    return r.choice(PREFIXES) + text, program


def placed(r, command, bash):
    """The command somewhere in a script's structure."""
    forms = ["{}", "{}", "{}", "{}", "if [ 1 = 1 ]; then\n  {}\nfi", "true && {}", "( {} )", "{{ {}\n}}", "for i in 1; do {}; done",
             "case x in x) {};; esac", "run() {{\n{}\n}}\nrun", "{} | tee /tmp/t", "{} || echo failed", "if false; then :; else {}; fi"]
    if bash:
        forms += ["[[ -n x ]] && {}", "function run {{ {}; }}; run", "time {}"]
    form = r.choice(forms)
    if form in ("{} | tee /tmp/t", "time {}") or form.startswith(("true", "[[", "{} |")):
        command = command.removeprefix("exec ")
    return form.format(command)


def script(r):
    """(container, program): a script that must be edited."""
    bash = r.random() < 0.6
    pool = BEFORE + (BASH_BEFORE if bash else [])
    command, program = server(r)
    parts = [r.choice(pool) for _ in range(r.randrange(4))] + [placed(r, command, bash)]
    parts += [r.choice(AFTER) for _ in range(r.randrange(3))]
    text = r.choice(["", "\n", "  "]) + "\n".join(parts) + r.choice(["", "\n", "\n\n", "  \n"])
    shell = r.choice(["/bin/bash", "bash"]) if bash else r.choice(["/bin/sh", "sh", "/bin/dash"])
    options = r.choice([["-c"], ["-c"], ["-c", "--"], ["-ec"], ["-e", "-c"]])
    if r.random() < 0.5:
        return {"command": [shell, *options, text], "env": ENV}, program
    return {"command": [shell, *options], "args": [text], "env": ENV}, program


def damaged(r, text):
    """The text with a few characters put in, taken out or doubled."""
    for _ in range(r.randrange(1, 5)):
        at = r.randrange(len(text) + 1)
        how = r.randrange(4)
        if how == 0:
            text = text[:at] + r.choice("'\"\\$`(){};&|<>#\n =~*?[]!-@ax1\t") + text[at:]
        elif how == 1:
            text = text[:at] + text[at + r.randrange(1, 4):]
        elif how == 2:
            text = text[:at] + r.choice(["$(", "${", "))", ";;", "<<E\n", "\\\n", "&&", "||", "\"$@\"", " vllm serve ", "eval ", "$'"]) + text[at:]
        else:
            end = min(len(text), at + r.randrange(1, 20))
            text = text[:end] + text[at:end] + text[end:]
    return text


def exec_form(r):
    """(container, program) in exec form with random words."""
    words = ["acme/m-7b"] if r.random() < 0.7 else ["--model", "acme/m-7b"]
    for _ in range(r.randrange(7)):
        words += r.choice(FLAGS + [["--port=$(PORT)"], ["--x-path", "$$(PORT)"], ["--y=$$"], ["--host", "$(NOBODY)"], ["--max_num_seqs", "8"]])
    if r.random() < 0.15 and len(words) > 1 and words[0] != "--model":
        words = words[1:] + ["--", words[0]]
    argv = r.choice([["vllm", "serve"], ["python3", "-m", "vllm.entrypoints.openai.api_server"], ["env", "A=1", "vllm", "serve"],
                     ["tini", "--", "vllm", "serve"]]) + words
    split = r.randrange(1, len(argv) + 1)
    container = {"command": argv[:split], "args": argv[split:], "env": ENV}
    return container, "vllm-module" if "-m" in argv else "vllm-serve"


def forwarding(r):
    """(container, program): a script that hands the container's args on by "$@"."""
    words = [word for _ in range(r.randrange(5)) for word in r.choice(FLAGS[:5] + [["--y=$$"], ["--port=$(PORT)"]])]
    program, start = r.choice([("vllm-serve", ["vllm", "serve", "acme/m-7b"]),
                               ("vllm-module", ["python3", "-m", "vllm.entrypoints.openai.api_server", "--model=m"]),
                               ("sglang", ["sglang", "serve", "--model-path=m"])])
    handed = r.randrange(len(start) + 1)
    behind = r.choice(["", "", " --seed=5", " --seed \"$PORT\"", " # \"$@\""])
    script = "\n".join([r.choice(BEFORE) for _ in range(r.randrange(3))] + [r.choice(["exec ", "", "A=1 "]) + " ".join(
        [quoted(r, word) for word in start[:handed]] + ['"$@"']) + behind])
    if script.rsplit("\n", 1)[-1].startswith('A=1 "$@"'):
        script = script.replace('A=1 "$@"', 'env A=1 "$@"')
    return {"command": [r.choice(["/bin/bash", "sh"]), "-c", script], "args": ["--", *start[handed:], *words], "env": ENV}, program


GO_FLAGS = [["--pool-name", "p"], ["--zap-encoder=json"], ["-v", "2"], ["--secure-serving"], ["--grpc-port", "$(PORT)"],
            ["--config-file=/etc/x.yaml"], ["--enable-pprof=false"], ["--metrics-port", "1"]]


def go_form(r):
    """(container, program): an endpoint picker or routing proxy."""
    words = [word for _ in range(r.randrange(7)) for word in r.choice(GO_FLAGS)]
    if r.random() < 0.2:
        words += ["--", "stray"]
    program, path = r.choice([("epp", "/app/epp"), ("pd-sidecar", "/app/pd-sidecar")])
    split = r.randrange(len(words) + 1)
    return {"command": [path, *words[:split]], "args": words[split:], "env": ENV}, program
