# SPDX-License-Identifier: Apache-2.0
"""Where ours parts from upstream's on.yaml, each with its reason (corpus README §6, LLMD.md)."""
import meaning
from decisions import DECISIONS


def _decided(case, container, prefix):
    return any(row.startswith(prefix) for row in DECISIONS[case].get(container, []))


def _left(case, container, off, what, want, got):
    unchanged = got == {**meaning.env(off), **meaning.flags(off)}.get(what) or what.startswith("attribute")
    return unchanged and (_decided(case, container, "skip") or _decided(case, container, "leave"))


def _user_value(case, container, off, what, want, got):
    names = [entry["name"] for entry in off.get("env") or []]
    return what in names and case == "user-otel"


def _user_endpoint(case, container, off, what, want, got):
    return case == "user-otel" and container == "vllm" and "tempo" in str(got) and "endpoint" in what.lower()


def _sglang_name(case, container, off, what, want, got):
    return what == "OTEL_SERVICE_NAME" and _decided(case, container, "sglang")


def _one_ratio(case, container, off, what, want, got):
    return what == "OTEL_TRACES_SAMPLER_ARG" and want == "0.1" and got == "1.0"


def _portable_sampler(case, container, off, what, want, got):
    return case == "pd-always-on-https" and what == "OTEL_TRACES_SAMPLER" and got == "parentbased_traceidratio"


def _constant_endpoint(case, container, off, what, want, got):
    return case == "pd-sampled" and got == "http://otel-collector:4317" and "endpoint" in what.lower()


def _scheduler_name(case, container, off, what, want, got):
    return case == "gaie-v1-5-0-llmd-scheduler" and what == "OTEL_SERVICE_NAME" and got == "llm-d-inference-scheduler"


RULES = {
    "never-inject, version-gated or without instrumentation: left alone (§6.5, §6.6, §7)": _left,
    "the user's variables win; upstream adds a second entry (§6.11)": _user_value,
    "the user's endpoint governs flag and variable of that container (§6.11)": _user_endpoint,
    "SGLang's service name is built in (§6.4)": _sglang_name,
    "one ratio for the whole installation; upstream's EPP default is another (§6.8)": _one_ratio,
    "only portable samplers; always_on falls back to 0.1 in the Go components (LLMD.md)": _portable_sampler,
    "the endpoint in pods is constant; a Service of type ExternalName leads on": _constant_endpoint,
    "the EPP's name goes by the image, here llm-d's scheduler up to v0.8": _scheduler_name,
}


def explained(case, container, off, what, want, got):
    """The reason why ours may differ here, or None."""
    for reason, holds in RULES.items():
        if holds(case, container, off, what, want, got):
            return reason
    return None
