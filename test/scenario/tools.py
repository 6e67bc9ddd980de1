# SPDX-License-Identifier: Apache-2.0
"""Runs the client's tools (test/tools) and reads what they print."""
import json
import os
import re
import subprocess
import threading

from fake_api import TIMEOUT

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
TOOLS = os.environ.get("TOOLS") or os.path.join(ROOT, "build", os.environ.get("VARIANT", "release"), "test/tools")
RESULT = re.compile(r"(\w+) (\d+) ambiguous=(\d) retry_after=(\d+) reason=(\w*) error=(.*?) body=(.*)$")


def environment():
    """Ours without what would lead to another API server or a proxy."""
    dropped = ("KUBECONFIG", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")
    return {name: value for name, value in os.environ.items() if name.upper() not in dropped}


def write_kubeconfig(folder, api, cluster=None, user=None, url=None):
    path = os.path.join(str(folder), "kubeconfig")
    cluster = {"server": url or api.url, **({"certificate-authority": api.pki.ca[0]} if cluster is None else cluster)}
    with open(path, "w", encoding="utf-8") as out:
        json.dump({"apiVersion": "v1", "kind": "Config", "current-context": "c",
                   "contexts": [{"name": "c", "context": {"cluster": "k", "user": "u"}}],
                   "clusters": [{"name": "k", "cluster": cluster}],
                   "users": [{"name": "u", "user": user or {}}]}, out)
    return path


class Result:
    def __init__(self, line):
        match = RESULT.match(line)
        assert match, line
        self.status, self.reason, self.error, self.body = match[1], match[5], match[6], match[7]
        self.code, self.ambiguous, self.retry_after = int(match[2]), match[3] == "1", int(match[4])


class Run:
    """A finished request_tool: results, metrics, log."""

    def __init__(self, done):
        assert done.returncode == 0, f"exit {done.returncode}\n{done.stdout}\n{done.stderr}"
        lines, _, self.metrics = done.stdout.partition("METRICS\n")
        self.results = [Result(line) for line in lines.splitlines()]
        self.log = done.stderr

    def metric(self, name, **labels):
        return sum_metric(self.metrics, name, labels)


def sum_metric(text, name, labels):
    """The sum over the series of that name that have the labels."""
    total = 0.0
    for line in text.splitlines():
        series, _, value = line.rpartition(" ")
        if series.split("{")[0] == name and all(f'{k}="{v}"' in series for k, v in labels.items()):
            total += float(value)
    return total


def requests(config, *words, options=()):
    """Runs request_tool with METHOD PATH [TYPE BODY] … against a kubeconfig (or config=("--pod-dir", …))."""
    where = ["--kubeconfig", config] if isinstance(config, str) else list(config)
    command = [os.path.join(TOOLS, "request_tool"), *where, *options, *words]
    return Run(subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT * 2, env=environment(),
                              stdin=subprocess.DEVNULL))


def fails_to_start(config, *words):
    """stderr of a request_tool that cannot even begin."""
    done = subprocess.run([os.path.join(TOOLS, "request_tool"), "--kubeconfig", config, *words], capture_output=True,
                          text=True, timeout=TIMEOUT, env=environment(), stdin=subprocess.DEVNULL)
    assert done.returncode == 1, done
    return done.stderr


class Tool:
    """A running tool that prints lines until its stdin ends."""

    def __init__(self, *command):
        self.process = subprocess.Popen([os.path.join(TOOLS, command[0]), *command[1:]], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment())
        self.changed = threading.Condition()
        self.lines, self.log = [], []
        self.readers = [threading.Thread(target=self._read, args=(self.process.stdout, self.lines), daemon=True),
                        threading.Thread(target=self._read, args=(self.process.stderr, self.log), daemon=True)]
        for reader in self.readers:
            reader.start()

    def _read(self, stream, into):
        for line in stream:
            with self.changed:
                into.append(line.rstrip("\n"))
                self.changed.notify_all()

    def words(self):
        return list(self.lines)

    def wait_for(self, *lines, timeout=TIMEOUT):
        """Until lines with these prefixes have come in this order, others in between."""
        def found():
            wanted = list(lines)
            for line in self.lines:
                if wanted and line.startswith(wanted[0]):
                    wanted.pop(0)
            return not wanted
        with self.changed:
            assert self.changed.wait_for(found, timeout), \
                f"never came: {lines}; got {self.words()}\n" + "\n".join(self.log)

    def kick(self):
        self.process.stdin.write("k\n")
        self.process.stdin.flush()

    def stop(self):
        """Ends it in an orderly way; its lines."""
        self.process.stdin.close()
        code = self.process.wait(TIMEOUT)
        for reader in self.readers:
            reader.join(TIMEOUT)
        assert code == 0, f"exit {code}\n" + "\n".join(self.log)
        return self.words()

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()


class Watch(Tool):
    """A running watch_tool."""

    def __init__(self, config, *words):
        super().__init__("watch_tool", "--kubeconfig", config, "--debug", *words)

    def words(self):
        """The events without sizes: "PUT ns/name rv=1"."""
        return [re.sub(r" bytes=\d+$", "", line) for line in self.lines]

    def stop(self):
        super().stop()
        end = self.lines.index("METRICS")
        self.metrics = "\n".join(self.lines[end:])
        del self.lines[end:]
        return self.words()

    def metric(self, name, **labels):
        return sum_metric(self.metrics, name, labels)


def item(name, version, **more):
    return {"metadata": {"name": name, "namespace": "n", "resourceVersion": str(version)}, **more}


def event(kind, name, version):
    return {"type": kind, "object": item(name, version)}


def bookmark(version, **annotations):
    return {"type": "BOOKMARK", "object": {"metadata": {"resourceVersion": str(version), "annotations": annotations}}}


def listing(version, *items, **metadata):
    return {"kind": "ConfigMapList", "apiVersion": "v1", "metadata": {"resourceVersion": str(version), **metadata},
            "items": list(items)}
