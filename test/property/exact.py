# SPDX-License-Identifier: Apache-2.0
"""JSON that keeps the text of numbers, and JSON Patch on it, independent of the code under test."""
import copy
import json


class Number(str):
    """A number by its source text: 9223372036854775808 and 1e400 stay what they are."""


def loads(text):
    return json.loads(text, parse_int=Number, parse_float=Number)


def dumps(value, sort=False):
    if isinstance(value, Number):
        return str(value)
    if isinstance(value, dict):
        items = sorted(value.items()) if sort else value.items()
        return "{" + ",".join(f"{json.dumps(key)}:{dumps(item, sort)}" for key, item in items) + "}"
    if isinstance(value, list):
        return "[" + ",".join(dumps(item, sort) for item in value) + "]"
    return json.dumps(value)


def canonical(value):
    return dumps(value, sort=True)


def exact(value):
    """Plain Python numbers to their text."""
    return loads(json.dumps(value)) if not has_number_text(value) else loads(dumps(value))


def has_number_text(value):
    if isinstance(value, dict):
        return any(has_number_text(item) for item in value.values())
    if isinstance(value, list):
        return any(has_number_text(item) for item in value)
    return isinstance(value, Number)


def tokens(pointer):
    assert pointer.startswith("/")
    return [token.replace("~1", "/").replace("~0", "~") for token in pointer[1:].split("/")]


def at(value, pointer):
    for token in tokens(pointer):
        value = value[int(token)] if isinstance(value, list) else value[token]
    return value


def apply(value, patch):
    """RFC 6902 add, remove, replace, test; a failed test or a bad path is an exception."""
    value = copy.deepcopy(value)
    for row in patch:
        *way, last = tokens(row["path"])
        parent = value
        for token in way:
            parent = parent[int(token)] if isinstance(parent, list) else parent[token]
        if row["op"] == "test":
            assert canonical(at(value, row["path"])) == canonical(row["value"]), row
        elif isinstance(parent, list):
            index = len(parent) if last == "-" else int(last)
            if row["op"] == "add":
                assert 0 <= index <= len(parent), row
                parent.insert(index, row["value"])
            elif row["op"] == "remove":
                del parent[index]
            else:
                parent[index] = row["value"]
        elif row["op"] == "add":
            parent[last] = row["value"]
        elif row["op"] == "remove":
            del parent[last]
        else:
            assert row["op"] == "replace" and last in parent, row
            parent[last] = row["value"]
    return value
