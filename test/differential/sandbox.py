# SPDX-License-Identifier: Apache-2.0
"""Runs a container's command line where it can do nothing but be recorded.

A chroot holds bash, dash and their libraries; every other program is a recorder that
writes its argv and environment to a file of its own in /log. Scripts that delete, mount or download meet
recorders only. Where the kernel lets us, the run has process, mount and network name
spaces of its own too.
"""
import os
import re
import resource
import shutil
import signal
import subprocess

RECORDER = """#!/bin/bash
{ printf '%s\\0' "$EPOCHREALTIME" "$0" "$#" "$@"; declare -px; printf '\\0'; } > /log/$$
"""
# What scripts may call without any path; every word of the script that could be a name is added.
PROGRAMS = """vllm python python3 python3.12 sglang env nice nohup numactl tini dumb-init taskset timeout
stdbuf setsid time nsys ray find rm cat echo sleep curl grep sed head tail awk sort basename ldconfig
entrypoint mkdir tee bash-not-here epp pd-sidecar""".split()
NAME = re.compile(r"(?<![\w./-])[a-z][a-z0-9_.+-]{1,40}(?![\w/-])")
PATH = re.compile(r"(?<![\w./<>-])(?:/[\w.+-]+)+")
SOURCED = re.compile(r"(?:\bsource|(?:^|[;&|\s])\.)\s+(/[\w./+-]+)")
# Stays until the last background process has gone: each holds the writing end of a FIFO.
INIT = ["/bin/bash", "-c", 'exec 8<>/.fifo 9>/.fifo 7</.fifo 8<&-; "$@" 7<&-; s=$?; exec 9>&-; read -r -u 7; exit $s', "init"]
SHELLS = ("/bin/bash", "/bin/sh", "/bin/dash", "/usr/bin/bash", "/usr/bin/sh")
TIMEOUT_S = 60


def _libraries(binary):
    listing = subprocess.run(["ldd", binary], capture_output=True, text=True, check=True).stdout
    return re.findall(r"(/\S+)", listing)


class Record:
    def __init__(self, argv, env):
        self.argv = argv
        self.env = env

    def __eq__(self, other):
        return self.argv == other.argv and self.env == other.env

    def __repr__(self):
        return repr(self.argv)


class Sandbox:
    def __init__(self, root):
        self.root = str(root)
        self.provided = {}
        for shell in SHELLS:
            source = "/bin/bash" if shell.endswith("bash") else "/bin/dash"
            self._copy(source, shell)
            for library in _libraries(source):
                self._copy(library, library)
        os.makedirs(self.root + "/dev", exist_ok=True)
        for folder in ("/tmp", "/log"):
            os.makedirs(self.root + folder, exist_ok=True)
            os.chmod(self.root + folder, 0o777)
        for name in ("null", "stdout", "stderr", "tty"):
            self._write("/dev/" + name, "")
        os.mkfifo(self.root + "/.fifo", 0o666)
        for name in PROGRAMS:
            self.provide("/bin/" + name)
        self.folders = set(os.listdir(self.root))
        self.prefix = self._find_prefix()

    def _copy(self, source, target):
        path = self.root + target
        if not os.path.exists(path):
            os.makedirs(os.path.dirname(path), exist_ok=True)
            shutil.copy(os.path.realpath(source), path)

    def _write(self, target, text, mode=0o644):
        with open(self.root + target, "w", encoding="utf-8") as out:
            out.write(text)
        os.chmod(self.root + target, mode)

    def _find_prefix(self):
        where = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
        chroot = [shutil.which("chroot", path=where), self.root]
        spaces = [shutil.which("unshare", path=where) or "unshare", "-r", "-m", "-p", "-n", "-f", "--kill-child"]
        if subprocess.run(spaces + ["true"], capture_output=True, check=False).returncode == 0:
            return spaces + chroot
        return chroot

    def provide(self, target):
        """A recorder under that path, unless something is there or in the way."""
        path = os.path.normpath(self.root + target)
        if not path.startswith(self.root) or os.path.lexists(path):
            return
        try:
            os.makedirs(os.path.dirname(path), exist_ok=True)
            # A copy, not a link: a script may redirect into one of these.
            self._write(path[len(self.root):], RECORDER, mode=0o755)
            self.provided[path[len(self.root):]] = None
        except OSError:
            pass

    def prepare(self, text):
        for sourced in SOURCED.findall(text):
            path = self.root + sourced
            if not os.path.lexists(path):
                os.makedirs(os.path.dirname(path), exist_ok=True)
                self._write(sourced, "")
        for name in NAME.findall(text):
            self.provide("/bin/" + name)
        for path in PATH.findall(text):
            self.provide(path)
        self.folders = set(os.listdir(self.root)) | self.folders

    def _restore(self):
        """Every run begins with the same files, whatever the one before redirected into."""
        for folder in ("/log", "/tmp"):
            for name in os.listdir(self.root + folder):
                self._remove(f"{self.root}{folder}/{name}")
        for name in set(os.listdir(self.root)) - self.folders:
            self._remove(f"{self.root}/{name}")
        for target in self.provided:
            path = self.root + target
            if not os.path.isfile(path) or os.path.getsize(path) != len(RECORDER):
                self._remove(path)
                os.makedirs(os.path.dirname(path), exist_ok=True)
                self._write(target, RECORDER, mode=0o755)

    @staticmethod
    def _remove(path):
        if os.path.isdir(path) and not os.path.islink(path):
            shutil.rmtree(path)
        elif os.path.lexists(path):
            os.unlink(path)

    def run(self, argv, env):
        """The records of one run, in the order in which the programs began."""
        self._restore()
        process = subprocess.Popen(
            self.prefix + INIT + list(argv), env={"PATH": "/bin:/usr/bin:/usr/local/bin", **env}, cwd="/",
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 22, 1 << 22)))
        try:
            output = process.communicate(timeout=TIMEOUT_S)[0]
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
            raise
        self.output = output.decode("utf-8", "replace")
        self.returncode = process.returncode
        return self._read_log()

    def _read_log(self):
        records = []
        for name in os.listdir(self.root + "/log"):
            with open(f"{self.root}/log/{name}", encoding="utf-8", errors="surrogateescape") as log:
                fields = log.read().split("\0")[:-1]
            count = int(fields[2])
            records.append((fields[0], Record([fields[1], *fields[3:3 + count]], fields[3 + count])))
        return [record for _, record in sorted(records, key=lambda one: one[0])]
