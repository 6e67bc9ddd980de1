# SPDX-License-Identifier: Apache-2.0
"""What a container's command line and environment amount to, whatever their form."""
import shlex

OURS = ("--otlp-traces-endpoint", "--collect-detailed-traces", "--enable-trace", "--tracing")
ALONE = ("--enable-trace", "--tracing")  # stand without a value


def words(container):
    """The words of command and args; those of a shell script in its place."""
    result = []
    script_next = False
    for word in (container.get("command") or []) + (container.get("args") or []):
        if script_next and word != "--":
            result += script_words(str(word))
            script_next = False
            continue
        if word in ("-c", "-lc", "-ec"):
            script_next = True
            continue
        result.append(str(word))
    return result


def script_words(text):
    lexer = shlex.shlex(text, posix=True, punctuation_chars=";&|()")
    lexer.whitespace_split = True
    lexer.commenters = "#"
    return list(lexer)


def flags(container):
    """Our flags as the program would read them: last wins, `-` for `_`."""
    found = {}
    line = words(container)
    for index, word in enumerate(line):
        name, equals, value = word.partition("=")
        name = name.replace("_", "-") if name.startswith("--") else name
        if name not in OURS:
            continue
        if equals:
            found[name] = value
        elif name not in ALONE:
            found[name] = line[index + 1] if index + 1 < len(line) else ""
        else:
            following = line[index + 1] if index + 1 < len(line) else ""
            found[name] = following if following in ("true", "false") else "true"
    return found


def env(container):
    """Effective values: the last entry of a name holds."""
    found = {}
    for entry in container.get("env") or []:
        found[entry["name"]] = entry.get("value", "") if "valueFrom" not in entry else str(entry["valueFrom"])
    return found


def attributes(values):
    """OTEL_RESOURCE_ATTRIBUTES with its references followed one level, as the kubelet does."""
    text = values.get("OTEL_RESOURCE_ATTRIBUTES", "")
    result = {}
    for pair in text.split(","):
        name, _, value = pair.partition("=")
        for other, replacement in values.items():
            value = value.replace(f"$({other})", str(replacement))
        if name:
            result[name.strip()] = normal(value)
    return result


def normal(value):
    for path in ("metadata.namespace", "metadata.name", "spec.nodeName"):
        if f"'{path}'" in value:
            return path
    return value
