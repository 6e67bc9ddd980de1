# SPDX-License-Identifier: Apache-2.0
"""hack/run, the driver of `make run`, on a machine that can have a node, and on one that cannot."""
import os
import pathlib
import subprocess
import tempfile

import pytest

from cluster import ROOT
from node_cluster import path_without


def run(**env):
    done = subprocess.run([os.path.join(ROOT, "hack/run")], text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=1200,
                          env={**os.environ, "ONCE": "1", **env})
    assert done.returncode == 0 and "nothing is left behind" in done.stdout, done.stdout
    assert "tracing is in place after" in done.stdout, done.stdout
    return done.stdout


@pytest.mark.beside
def test_on_a_node_the_programs_run_and_are_traced():
    said = run()
    assert "cluster: a real node, ready in" in said, said
    for line in ("service name vllm-decode", "service name vllm-prefill", "service name routing-proxy", "service name llm-d-router/epp"):
        assert line in said, said


@pytest.mark.beside
def test_without_a_node_it_says_why_and_goes_on():
    with tempfile.TemporaryDirectory() as folder:
        said = run(PATH=path_without(pathlib.Path(folder), "runc"))
    assert "this machine cannot have a node: runc is not on PATH (hack/setup installs it)\nso it is the control plane alone" in said, said
