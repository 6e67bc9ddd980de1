# SPDX-License-Identifier: Apache-2.0
"""The packed images, unpacked: programs start in them as manifests launch them, as another user than root."""
import json
import os
import shutil
import subprocess
import tarfile

import pytest

import judge

VLLM, PICKER = "docker.io/vllm/vllm-openai:v0.23.0", "ghcr.io/llm-d/llm-d-router-endpoint-picker:v0.10.0"


class Archive:
    """An OCI layout on disk: configurations by image name, root file systems on demand."""

    def __init__(self, tar, folder):
        self.folder, self.roots, self.manifests = folder, {}, {}
        with tarfile.open(tar) as archive:
            archive.extractall(folder / "layout", filter="tar")
        for entry in self.json("index.json")["manifests"]:
            self.manifests[entry["annotations"]["io.containerd.image.name"]] = self.blob(entry["digest"])

    def json(self, name):
        return json.loads((self.folder / "layout" / name).read_text(encoding="utf-8"))

    def blob(self, digest):
        return self.json("blobs/" + digest.replace(":", "/"))

    def config(self, name):
        return self.blob(self.manifests[name]["config"]["digest"])["config"]

    def root(self, name):
        layers = tuple(layer["digest"] for layer in self.manifests[name]["layers"])
        if layers not in self.roots:
            root = self.folder / f"root{len(self.roots)}"
            for digest in layers:
                with tarfile.open(self.folder / "layout/blobs" / digest.replace(":", "/")) as layer:
                    layer.extractall(root, filter="tar")
            self.roots[layers] = root
        return self.roots[layers]

    def run(self, name, *command):
        """As root by chroot; else in a user namespace of its own, where one may."""
        config = self.config(name)
        enter = ["chroot", "--userspec=65532:65532"] if os.geteuid() == 0 else ["unshare", "--map-root-user", "chroot"]
        env = dict(entry.split("=", 1) for entry in config["Env"])
        return subprocess.run([shutil.which(enter[0]), *enter[1:], self.root(name), *(command or config["Entrypoint"])],
                              env={**env, "EMITTER_CHECK": "1"}, text=True, capture_output=True, timeout=60, check=False)


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    return Archive(judge.images().emitters(), tmp_path_factory.mktemp("images"))


SCRIPT = 'set -e; N=$(( 1 + 1 )); find /tmp -name "x*" -delete; exec vllm serve org/m --port=8000 -tp "$N"'


@pytest.mark.parametrize(("image", "command"), [
    (VLLM, ["vllm", "serve", "org/m"]),
    (VLLM, ["python3", "-m", "vllm.entrypoints.openai.api_server", "--model", "org/m"]),
    (VLLM, ["/bin/bash", "-c", SCRIPT]), (VLLM, ["sh", "-c", SCRIPT]), (VLLM, ["/usr/bin/env", "bash", "-c", SCRIPT]),
    ("docker.io/lmsysorg/sglang:v0.5.13", ["python3", "-m", "sglang.launch_server", "--model-path", "m", "--enable-trace"]),
    ("docker.io/lmsysorg/sglang:v0.5.13", ["sglang", "serve", "--model-path", "m"]),
    ("ghcr.io/llm-d/llm-d-router-disagg-sidecar:v0.10.0", ["/app/pd-sidecar", "--port=8000", "--tracing=true"]),
    (PICKER, ["/app/epp", "--pool-name=p", "--tracing=true"]),
    ("ghcr.io/llm-d/llm-d-inference-sim:v0.10.2", ["/app/llm-d-inference-sim", "--model=m"])],
    ids=["serve", "module", "bash", "sh", "env", "sglang", "sglang-serve", "sidecar", "picker", "simulator"])
def test_starts(archive, image, command):
    done = archive.run(image, *command)
    assert done.returncode == 0 and "the command line is fine" in done.stderr, done.stderr


def test_entrypoints_are_those_of_the_real_images(archive):
    mirrored = {judge.images().MIRROR + name: behaves_as for name, _, behaves_as, _ in judge.images().MIRRORS}
    for name in archive.manifests:
        done = archive.run(name)
        # Without arguments SGLang, the simulator and a module without a model have nothing to do; the program is there.
        assert done.returncode in (0, 2) and "No such file" not in done.stderr, (name, done.stderr)
        short = name.removeprefix("docker.io/")
        assert f"EMITTER_IMAGE={mirrored.get(short, short)}" in archive.config(name)["Env"]


def test_the_sdk_is_whole(archive):
    """Every shared library that grpc and ssl ask for is there."""
    done = archive.run(VLLM, "python3", "-c", "import ssl, grpc\nimport opentelemetry.exporter.otlp.proto.grpc.trace_exporter\n"
                       "import opentelemetry.exporter.otlp.proto.http.trace_exporter\nprint('fine')")
    assert done.stdout == "fine\n", done.stderr
