# SPDX-License-Identifier: Apache-2.0
"""The operator's image: what is in it, that it runs alone, and that its SBOM names everything."""
import hashlib
import json
import os
import subprocess
import tarfile

import pytest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
OUT = os.path.join(ROOT, "build/image")
ARCHIVE = os.path.join(OUT, "llmd-tracing.tar")


@pytest.fixture(scope="module")
def printed():
    return subprocess.run([os.path.join(ROOT, "hack/image")], check=True, text=True, stdout=subprocess.PIPE).stdout


@pytest.fixture(scope="module")
def blobs(printed):
    assert "MB" in printed
    with tarfile.open(ARCHIVE) as tar:
        return {member.name: tar.extractfile(member).read() for member in tar}


def blob(blobs, descriptor):
    content = blobs["blobs/" + descriptor["digest"].replace(":", "/")]
    assert len(content) == descriptor["size"] and "sha256:" + hashlib.sha256(content).hexdigest() == descriptor["digest"]
    return content


@pytest.fixture(scope="module")
def manifest(blobs):
    index = json.loads(blobs["index.json"])
    assert len(index["manifests"]) == 1
    return json.loads(blob(blobs, index["manifests"][0]))


@pytest.fixture(scope="module")
def root(blobs, manifest, tmp_path_factory):
    folder = tmp_path_factory.mktemp("root")
    layer = folder / "layer.tgz"
    layer.write_bytes(blob(blobs, manifest["layers"][0]))
    folder.chmod(0o755)
    (folder / "fs").mkdir()
    with tarfile.open(layer) as tar:
        tar.extractall(folder / "fs")
    return folder / "fs"


def files_of(root):
    return {os.path.relpath(os.path.join(parent, name), root) for parent, _, names in os.walk(root) for name in names}


def inside(root, *command):
    """The command with the image as its root directory. A container runtime gives /dev; everything else is the image's."""
    (root / "dev").mkdir(exist_ok=True)
    return ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", 'mount --rbind /dev "$0/dev" && exec chroot "$0" "$@"', str(root), *command]


def run_inside(root, *command):
    return subprocess.run(inside(root, *command), text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=30)


def test_it_is_run_by_nobody_in_particular(blobs, manifest):
    config = json.loads(blob(blobs, manifest["config"]))["config"]
    assert config["User"] == "65532:65532"
    assert config["Entrypoint"] == ["/usr/bin/llmd-tracing"] and config["Cmd"] == ["run"]


def test_only_what_is_needed_is_in_it(root):
    others = {name for name in files_of(root) if ".so" not in os.path.basename(name)}
    assert others == {"usr/bin/llmd-tracing", "etc/ssl/certs/ca-certificates.crt", "etc/nsswitch.conf", "etc/passwd", "etc/group"}


def test_no_file_can_be_written_or_takes_rights(root):
    for name in files_of(root):
        assert os.stat(root / name).st_mode & 0o7022 == 0, name


def test_the_binary_runs_with_nothing_else(root):
    done = run_inside(root, "/usr/bin/llmd-tracing", "version")
    assert done.returncode == 0 and done.stdout.startswith("llmd-tracing "), done.stdout


KUBECONFIG = {"current-context": "x", "contexts": [{"name": "x", "context": {"cluster": "x", "user": "x"}}], "users": [{"name": "x", "user": {}}],
              "clusters": [{"name": "x", "cluster": {"server": "http://127.0.0.1:1"}}]}


def test_the_event_library_that_is_opened_at_run_time_is_there(root):
    """Without it the operator cannot serve its health; with it, it listens, though no cluster answers."""
    (root / "kubeconfig").write_text(json.dumps(KUBECONFIG))
    command = ["/usr/bin/llmd-tracing", "run", "--kubeconfig", "/kubeconfig", "--health-bind", "127.0.0.1:0"]
    with subprocess.Popen(inside(root, *command), text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as operator:
        seen = []
        for line in operator.stdout:
            seen.append(line)
            if "starting" in line:
                operator.terminate()
                break
        operator.stdout.read()
        assert operator.wait(30) == 0 and any("listening" in line for line in seen), "".join(seen)
    (root / "kubeconfig").unlink()


def test_the_same_input_gives_the_same_image(blobs, tmp_path):
    again = tmp_path / "again.tar"
    subprocess.run([os.path.join(ROOT, "hack/oci-image"), os.path.join(OUT, "spec.json"), str(again)], check=True)
    with open(ARCHIVE, "rb") as first:
        assert first.read() == again.read_bytes()


def test_the_sbom_names_the_package_of_every_library(root):
    with open(os.path.join(OUT, "llmd-tracing.spdx.json"), encoding="utf-8") as file:
        sbom = json.load(file)
    packages = {package["name"]: package for package in sbom["packages"]}
    assert sbom["spdxVersion"] == "SPDX-2.3" and len(packages) == len(sbom["packages"])
    libraries = ["/" + name for name in files_of(root) if ".so" in os.path.basename(name)]
    spellings = {path: {path, os.path.realpath(path), os.path.realpath(path).removeprefix("/usr")} for path in libraries}
    lines = subprocess.run(["dpkg-query", "-S", *set().union(*spellings.values())], text=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout.splitlines()
    owner = {line.rpartition(": ")[2]: line.partition(":")[0] for line in lines}
    for path, names in spellings.items():
        assert {owner.get(name) for name in names} & set(packages), f"{path} is in no package of the SBOM"
    for package in packages.values():
        assert package["versionInfo"] and package["SPDXID"].startswith("SPDXRef-")
    known = {package["SPDXID"] for package in packages.values()} | {"SPDXRef-DOCUMENT"}
    assert all(relation["relatedSpdxElement"] in known for relation in sbom["relationships"])


def test_the_dockerfile_packs_the_same_folder():
    with open(os.path.join(ROOT, "Dockerfile"), encoding="utf-8") as file:
        text = file.read()
    last = text[text.index("FROM scratch"):]
    assert "hack/image rootfs /rootfs" in text and "COPY --from=build /rootfs/ /" in last
    assert "USER 65532:65532" in last and 'ENTRYPOINT ["/usr/bin/llmd-tracing"]' in last and 'CMD ["run"]' in last
