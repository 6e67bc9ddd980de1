# SPDX-License-Identifier: Apache-2.0
"""Exactly our flags more, nothing else changed."""
import os

import kubelet
import parsers

# Words of a recorded argv up to the server's own, by program.
STARTS = {"vllm-serve": (["vllm", "serve"], ["vllm.entrypoints.cli.main", "serve"]),
          "vllm-module": (["vllm.entrypoints.openai.api_server"], ["-mvllm.entrypoints.openai.api_server"]),
          "sglang": (["sglang", "serve"], ["sglang.launch_server"]),
          "epp": (["epp"],), "pd-sidecar": (["pd-sidecar"], ["llm-d-routing-sidecar"])}
PARSERS = {"vllm-serve": [parsers.vllm_serve], "vllm-module": [parsers.vllm_module], "sglang": [parsers.sglang],
           "epp": [parsers.pflag, parsers.go_flag], "pd-sidecar": [parsers.pflag]}


def added_at(before, after, flags):
    """Where `flags` stand in `after`, when taking them away gives `before`; else None."""
    for i in range(len(after) - len(flags) + 1):
        if after[i:i + len(flags)] == flags and after[:i] + after[i + len(flags):] == before:
            return i
    return None


def own_words(argv, program):
    """The server's words behind its name, or all of an entrypoint's."""
    names = [os.path.basename(word) for word in argv]
    for start in STARTS[program]:
        for i in range(len(argv) - len(start) + 1):
            if names[i:i + len(start)] == start:
                return argv[i + len(start):]
    assert names[0] == "entrypoint", argv
    return argv[1:]


OURS = {"otlp_traces_endpoint", "collect_detailed_traces", "enable_trace", "tracing"}


def check_parsed(before, after, program, skipped=()):
    """Read by the program, only our flags differ, and they are on."""
    for parse in PARSERS[program]:
        if parse in skipped:
            continue
        try:
            read = parse(before)
        except parsers.Refused:
            continue  # it did not start before either
        now = parse(after)
        changed = {k for k in now if k not in read or read[k] != now[k]} | (set(read) - set(now))
        assert changed <= OURS, (before, after)
        # `--tracing false` has been on all along: a switch takes no second word.
        assert changed or now.get("tracing") == "true", (before, after)


def argv_of(container, form):
    """What kubelet starts: behind an entrypoint of the image for args that are flags; of a script,
    the shell, since the wrappers before it are recorders here."""
    argv = kubelet.argv(container)
    if form != "args-only" and not container.get("command"):
        argv = argv[1:]
    while form == "script" and os.path.basename(argv[0]) not in ("sh", "bash", "dash"):
        argv = argv[1:]
    return argv


def run_both(box, container, answer, edited, same_output=True):
    """The records of the original and of the edited one, side by side."""
    box.prepare("\n".join((container.get("command") or []) + (container.get("args") or [])))
    env = container.get("env", {})
    before = box.run(argv_of(container, answer["form"]), env)
    said = (box.output, box.returncode)
    after = box.run(argv_of({**edited, "env": env}, answer["form"]), env)
    assert not same_output or (box.output, box.returncode) == said
    assert len(before) == len(after), (before, after, said, box.output)
    # The parts of a pipeline begin in any order.
    pairs = list(zip(*(sorted(run, key=lambda record: record.argv[0]) for run in (before, after))))
    assert all(old.env == new.env for old, new in pairs)
    return [(old.argv, new.argv) for old, new in pairs if old.argv != new.argv], (before, said)


def check(box, container, answer, flags, minimum=1, parsed=True, same_output=True):
    """The server has our flags more, and every program is else started as before."""
    program = answer["program"]
    changed, ran = run_both(box, container, answer, answer["add"]["container"], same_output)
    for before, after in changed:
        assert added_at(before, after, flags) is not None, (before, after)
        if parsed:
            check_parsed(own_words(before, program), own_words(after, program), program)
    assert len(changed) >= minimum, ran


def check_replaced(box, container, answer, old, new, skipped=()):
    """The words `old` of the server have become `new`."""
    changed, ran = run_both(box, container, answer, answer["replace"]["container"])
    assert len(changed) == 1, ran
    before, after = changed[0]
    places = [i for i in range(len(before)) if before[:i] + new + before[i + len(old):] == after]
    assert any(before[i:i + len(old)] == old for i in places), (before, after)
    check_parsed(own_words(before, answer["program"]), own_words(after, answer["program"]), answer["program"], skipped)
