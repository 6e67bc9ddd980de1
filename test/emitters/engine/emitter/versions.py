# SPDX-License-Identifier: Apache-2.0
"""What each engine image does when tracing is asked of it: one table, by image name and tag.

The image's own reference stands in EMITTER_IMAGE. The first row whose pattern fits the last part of the
name and whose bound is above the version holds; a tag that tells no version counts as newest. The numbers
are those of LLMD.md: §1.3 (OpenTelemetry packages, V0 fall-back), §1.6 (SGLang's spelling), §11 (decided).
"""
import dataclasses
import fnmatch
import os
import re

NEWEST = (1 << 30,)


@dataclasses.dataclass(frozen=True)
class Behaviour:
    engine: str = "vllm"             # "vllm" | "sglang"
    packages: bool = True            # OpenTelemetry is installed
    v0_fallback: bool = False        # V1 without tracing: the engine is downgraded (vllm#24297)
    loading_spans: bool = True       # spans of the start too (vllm#31162)
    sends: bool = True               # False: the tracer starts and nothing is ever sent (vllm#56696)
    broken_any: bool = False         # downstream builds crash with the flag (rhods-operator#22987)
    scrape_spans: bool = False       # FastAPI's instrumentation is installed: a span for each scrape
    endpoint_flag: str = "--otlp-traces-endpoint"


NO_PACKAGES = Behaviour(packages=False)
TRACED = Behaviour()
TABLE = (
    # image name, below this version (None: any), behaviour
    ("vllm-openai*", (0, 10, 2), Behaviour(packages=False, v0_fallback=True)),
    ("vllm-openai*", (0, 17, 0), NO_PACKAGES),
    ("vllm-openai*", (0, 29, 0), TRACED),
    ("vllm-openai*", (0, 29, 1), Behaviour(sends=False)),
    ("vllm-openai*", None, TRACED),
    ("vllm-cuda-rhel9*", None, Behaviour(broken_any=True)),
    ("llm-d*", (0, 5, 0), NO_PACKAGES),
    ("llm-d*", (0, 6, 0), Behaviour(loading_spans=False, scrape_spans=True)),
    ("llm-d*", None, Behaviour(scrape_spans=True)),
    ("sglang*", (0, 5, 6), Behaviour(engine="sglang", endpoint_flag="--oltp-traces-endpoint")),
    ("sglang*", None, Behaviour(engine="sglang")),
    ("*", None, TRACED),
)


def split(reference):
    """("llm-d-cuda", (0, 6, 0)) of "ghcr.io/llm-d/llm-d-cuda:v0.6.0"."""
    name, _, tag = reference.partition("@")[0].rpartition("/")[2].partition(":")
    number = re.match(r"v?(\d+)\.(\d+)(?:\.(\d+))?(?![\d])", tag)
    return name, tuple(int(part or 0) for part in number.groups()) if number else NEWEST


def told():
    """The version that the server tells when it is asked: the tag's, if it is the engine's own; EMITTER_VERSION lies."""
    name, version = split(os.environ.get("EMITTER_IMAGE", ""))
    known = version if name.startswith(("vllm", "sglang")) and version != NEWEST else (0, 32, 0)
    return os.environ.get("EMITTER_VERSION") or ".".join(map(str, known))


def behaviour(reference=None):
    name, version = split(os.environ.get("EMITTER_IMAGE", "") if reference is None else reference)
    for pattern, below, row in TABLE:
        if fnmatch.fnmatch(name, pattern) and (below is None or version < below):
            return row
    raise AssertionError("the last row fits everything")
