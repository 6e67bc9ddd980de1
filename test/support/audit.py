# SPDX-License-Identifier: Apache-2.0
"""The API server's audit log: who asked for what. It is written before the answer leaves, so it is never late."""
import datetime
import json
import os
from typing import NamedTuple

WRITES = ("create", "update", "patch", "delete", "deletecollection")
STARTS = datetime.timedelta(seconds=10)  # from the first answers of an API server until it is ready


class Request(NamedTuple):
    user: str
    agent: str
    verb: str
    uri: str
    resource: str
    subresource: str
    namespace: str
    name: str
    code: int
    forbidden: bool  # that user cannot do that

    @property
    def is_write(self):
        return self.verb in WRITES


def is_forbidden(entry, ready_at):
    """Admission says 403 as well, of quotas and of namespaces that end; so does a server that has not read its roles yet of everything."""
    answer = entry.get("responseStatus", {})
    if answer.get("code") != 403 or " cannot " not in answer.get("message", " cannot "):
        return False
    return ready_at is None or time_of(ready_at) - time_of(entry) > STARTS


def time_of(entry):
    return datetime.datetime.fromisoformat(entry["stageTimestamp"])


class AuditLog:
    def __init__(self, path):
        self.path = path

    def position(self):
        return os.path.getsize(self.path)

    def requests(self, since=0, user=None):
        """Requests after that position; a watch counts when it begins, all others when they are answered."""
        with open(self.path, "rb") as log:
            log.seek(since)
            lines = log.read().split(b"\n")[:-1]
        found, ready_at = [], None  # who starts a server asks it whether it is ready
        for line in reversed(lines):
            entry = json.loads(line)
            started = entry["stage"] == "ResponseStarted"
            if entry["stage"] not in ("ResponseStarted", "ResponseComplete") or started != (entry["verb"] == "watch"):
                continue
            ref, code = entry.get("objectRef", {}), entry.get("responseStatus", {}).get("code", 0)
            if entry["requestURI"] == "/readyz" and code == 200:
                ready_at = entry
            request = Request(entry["user"]["username"], entry.get("userAgent", ""), entry["verb"], entry["requestURI"],
                              ref.get("resource", ""), ref.get("subresource", ""), ref.get("namespace", ""), ref.get("name", ""),
                              code, is_forbidden(entry, ready_at))
            if user is None or request.user == user or request.agent.startswith(user):
                found.append(request)
        return found[::-1]

    def writes(self, since=0, user=None):
        return [r for r in self.requests(since, user) if r.is_write]

    def reads(self, since=0, user=None):
        return [r for r in self.requests(since, user) if r.verb in ("get", "list")]

    def assert_no_writes(self, since, user, namespace=None, resource=None):
        """True, or an AssertionError that names the writes; for holds_for."""
        found = [r for r in self.writes(since, user)
                 if namespace in (None, r.namespace or r.name) and resource in (None, r.resource)]
        assert not found, "\n".join(f"{r.verb} {r.uri} -> {r.code}" for r in found[:10])
        return True
