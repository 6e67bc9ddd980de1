# SPDX-License-Identifier: Apache-2.0
"""What kubelet makes of command and args before the container starts (container.command's docs)."""
import re

REFERENCE = re.compile(r"\$(\$|\(([^)]*)\)|(?=.)|$)", re.S)


def expand(text, env):
    def one(match):
        if match.group(1) == "$":
            return "$"
        if match.group(2) is not None:
            return env.get(match.group(2), match.group(0))
        return "$"

    return REFERENCE.sub(one, text)


def argv(container, entrypoint="/bin/entrypoint"):
    env = container.get("env", {})
    command = [expand(word, env) for word in container.get("command") or [entrypoint]]
    return command + [expand(word, env) for word in container.get("args") or []]
