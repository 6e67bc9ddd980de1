# SPDX-License-Identifier: Apache-2.0
"""The operator as its next version might be: the same source with other rules and other defaults, in an image of its own tag."""
import os
import shutil
import subprocess

from cluster import ROOT

TAG = "e2e-next"
RATIO = "0.5"
COLLECTOR = "mirror.example/opentelemetry-collector:99.0.0"
SOURCES = ("Makefile", "base", "cmd", "controller", "inject", "k8sclient", "webhook", "templates", "crds", "hack")
CHANGES = (("inject/plan.h", "PLAN_RULES_REVISION = 1", "PLAN_RULES_REVISION = 2"),
           ("inject/settings.c", '.ratio = xstrdup("1.0")', f'.ratio = xstrdup("{RATIO}")'),
           ("inject/settings.h", "#define DEFAULT_COLLECTOR_IMAGE", f'#define DEFAULT_COLLECTOR_IMAGE "{COLLECTOR}"\n#define OLD_COLLECTOR_IMAGE'))


def build(folder):
    """Copies the tree with what is compiled of it, changes it, builds what follows from that; the image's archive."""
    for name in SOURCES:
        source = os.path.join(ROOT, name)
        (shutil.copytree if os.path.isdir(source) else shutil.copy2)(source, os.path.join(folder, name))
    shutil.copytree(os.path.join(ROOT, "build/release"), os.path.join(folder, "build/release"), ignore=shutil.ignore_patterns("test"))
    for name, old, new in CHANGES:
        path = os.path.join(folder, name)
        with open(path, encoding="utf-8") as file:
            text = file.read()
        assert text.count(old) == 1, f"{name}: {old}"
        with open(path, "w", encoding="utf-8") as file:
            file.write(text.replace(old, new))
    env = {**os.environ, "SOURCE_DATE_EPOCH": "0"}
    for command in (("make", "-s", "-j2", "VERSION=v9.9.9"), ("hack/image", "--tag", TAG)):
        subprocess.run(command, cwd=folder, env=env, check=True, stdout=subprocess.PIPE, timeout=300)
    return os.path.join(folder, "build/image/llmd-tracing.tar")
