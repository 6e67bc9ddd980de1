# SPDX-License-Identifier: Apache-2.0
"""An llm-d deployment of emitters in a namespace: gateway, EPP, InferencePool and model servers, and what a user does to it.

The emitters (test/emitters) stand where vLLM, the routing proxy and the EPP stand. They read their flags as strictly as
those do and behave as the version does that their image's name and tag tell.
"""
import json
import secrets

from api import normalized
from switched import LEDGER, Switched, differences
from waiting import wait_for

ENGINE = "ghcr.io/llm-d/llm-d-cuda:v0.7.0"
SIDECAR = "ghcr.io/llm-d/llm-d-router-disagg-sidecar:v0.10.0"
PICKER = "ghcr.io/llm-d/llm-d-router-endpoint-picker:v0.10.0"
GATEWAY = "localhost/llmd-gateway:v1"
MODEL = "Qwen/Qwen3-0.6B"
PORT = 8000
# What restricted pod security asks of a pod.
POD = {"runAsNonRoot": True, "runAsUser": 65532, "seccompProfile": {"type": "RuntimeDefault"}}
CONTAINER = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
TERMINATION = {"terminationGracePeriodSeconds": 2}


def env_list(env):
    return [{"name": name, "value": value} for name, value in env.items()]


def ready_when(port, path="/health"):
    return {"readinessProbe": {"httpGet": {"path": path, "port": port}, "periodSeconds": 1, "timeoutSeconds": 5}}


def container(name, image, **more):
    return {"name": name, "image": image, "imagePullPolicy": "IfNotPresent", "securityContext": CONTAINER, **more}


def deployment(name, labels, spec, replicas=1, **more):
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name, "labels": labels},
            "spec": {"replicas": replicas, "selector": {"matchLabels": labels},
                     "template": {"metadata": {"labels": labels}, "spec": {"securityContext": POD, **TERMINATION, **spec}}, **more}}


def service(name, selector, port, target=None, headless=False):
    spec = {"selector": selector, "ports": [{"name": "http", "port": port, "targetPort": target or port}]}
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name}, "spec": {**spec, **({"clusterIP": "None"} if headless else {})}}


def engine_container(image, port, launch="exec", flags=(), env=None, gpus=1):
    """A model server, launched as the guides do it: exec form, args only, or a script in a shell."""
    args = [MODEL, f"--port={port}", *flags]
    how = {"exec": {"command": ["vllm", "serve"], "args": args},
           "args": {"args": ["--model", *args]},
           "script": {"command": ["/bin/bash", "-c"], "args": [f"set -e\nexport HOME=/tmp\nexec vllm serve {' '.join(args)} \\\n  --max-model-len 4096\n"]}}[launch]
    limits = {"resources": {"limits": {"nvidia.com/gpu": str(gpus)}}} if gpus else {}
    return container("modelserver", image, **how, **ready_when(port), **limits, env=env_list({"EMITTER_HOST": "0.0.0.0", **(env or {})}))


def model_server(role, image, sidecar=None, sidecar_flags=(), replicas=1, inference_serving=True, **how):
    labels = {"app": "e2e", "llm-d.ai/role": role, **({"llm-d.ai/inference-serving": "true"} if inference_serving else {})}
    if not sidecar:
        return deployment(role, labels, {"containers": [engine_container(image, PORT, **how)]}, replicas)
    old = int(sidecar.rpartition(":v0.")[2].split(".")[0]) < 10
    proxy = container("routing-proxy", sidecar, restartPolicy="Always", args=[
        f"--port={PORT}", "--vllm-port=8200" if old else "--model-server-port=8200", "--kv-connector=nixlv2",
        "--secure-proxy=false" if old else "--secure-serving=false", *sidecar_flags])
    return deployment(role, labels, {"initContainers": [proxy], "containers": [engine_container(image, 8200, **how)]}, replicas)


def picker(image, backends, flags=("--tracing=false",), env=None):
    args = ["--pool-name=qwen", "--pool-namespace=default", "--grpc-port=9002", "--v=1", *flags]
    return deployment("qwen-epp", {"app": "qwen-epp"}, {"containers": [container(
        "epp", image, args=args, env=env_list({"EMITTER_HOST": "0.0.0.0", "EMITTER_BACKENDS": backends, **(env or {})}),
        readinessProbe={"grpc": {"port": 9003, "service": "inference-extension"}, "periodSeconds": 1, "timeoutSeconds": 5})]},
        strategy={"type": "Recreate"})


POOL = {"apiVersion": "inference.networking.k8s.io/v1", "kind": "InferencePool", "metadata": {"name": "qwen"},
        "spec": {"selector": {"matchLabels": {"app": "e2e"}}, "targetPorts": [{"number": PORT}],
                 "endpointPickerRef": {"name": "qwen-epp", "port": {"number": 9002}, "failureMode": "FailOpen"}}}


def gateway():
    return [deployment("gateway", {"app": "gateway"}, {"containers": [container(
        "gateway", GATEWAY, args=["--port=8080"], env=env_list({"EMITTER_HOST": "0.0.0.0", "EMITTER_EPP": "qwen-epp:9002"}), **ready_when(8080, "/healthz"))]}),
            service("gateway", {"app": "gateway"}, 80, 8080)]


def disaggregated(engine=ENGINE, sidecar=SIDECAR, epp=PICKER, **how):
    """Prefill and decode apart, a routing proxy in front of decode."""
    roles = [model_server("prefill", engine, **how), model_server("decode", engine, sidecar, **how)]
    names = [service(role, {"app": "e2e", "llm-d.ai/role": role}, PORT, headless=True) for role in ("prefill", "decode")]
    return [*roles, *names, picker(epp, f"decode=decode:{PORT},prefill=prefill:{PORT}"), service("qwen-epp", {"app": "qwen-epp"}, 9002), POOL, *gateway()]


def aggregated(engine=ENGINE, epp=PICKER, epp_flags=("--tracing=false",), epp_env=None, **how):
    """One kind of server, no proxy."""
    return [model_server("decode", engine, **how), service("decode", {"app": "e2e", "llm-d.ai/role": "decode"}, PORT, headless=True),
            picker(epp, f"decode=decode:{PORT}", epp_flags, epp_env), service("qwen-epp", {"app": "qwen-epp"}, 9002), POOL, *gateway()]


class Serving(Switched):
    """Objects applied to a namespace and up; what they were is remembered."""

    WORKLOADS = ("deployment", "statefulset", "leaderworkerset")

    def __init__(self, cluster, namespace, objects):
        super().__init__(cluster, namespace)
        self.objects = [o for o in objects if o["kind"].lower() in self.WORKLOADS]
        cluster.apply(json.dumps({"apiVersion": "v1", "kind": "List", "items": objects}), namespace)
        self.wait_up()
        self.before = {name: normalized(self.live(name)) for name in self.names()}

    def names(self):
        return [(o["kind"].lower(), o["metadata"]["name"]) for o in self.objects]

    def live(self, name):
        return self.api.get(*name, self.namespace)

    def wait_up(self, timeout=180):
        """All of the newest revision, none of an older one."""
        for name in self.names():
            def is_up(name=name):
                obj = self.live(name)
                if name[0] == "leaderworkerset":
                    return True  # its controller is not there
                status, wanted = obj.get("status", {}), obj["spec"]["replicas"]
                assert status.get("observedGeneration", 0) >= obj["metadata"]["generation"], "not observed"
                counts = [status.get(k, 0) for k in ("replicas", "updatedReplicas", "readyReplicas")]
                assert counts == [wanted] * 3, f"{name[1]}: {counts} of {wanted}; {self.troubles()}"
                return True
            wait_for(is_up, timeout, f"{name} is up")
        return self

    def pods(self, selector=""):
        return self.api.list("pod", self.namespace, selector)

    def own(self, name):
        """Whether a pod of that name belongs to what was applied, and not to the collector or Jaeger."""
        return any(name.startswith(o["metadata"]["name"] + "-") for o in self.objects)

    def troubles(self):
        """Containers that ended badly or will not start, as text."""
        found = []
        for pod in (p for p in self.pods() if self.own(p["metadata"]["name"])):
            status = pod.get("status", {})
            for c in status.get("initContainerStatuses", []) + status.get("containerStatuses", []):
                ended = c.get("lastState", {}).get("terminated") or c.get("state", {}).get("terminated")
                waiting = c.get("state", {}).get("waiting", {}).get("reason", "")
                died = ended and ended.get("exitCode") and ended.get("reason") != "Unknown"  # Unknown: the node went away under it
                if died or waiting not in ("", "PodInitializing", "ContainerCreating"):
                    found.append(f"{pod['metadata']['name']}/{c['name']}: {waiting} {ended}")
        return found

    def assert_no_crash(self):
        """Nothing crashes that ran before: the first promise of all."""
        crashed = [e for e in self.api.list("event", self.namespace) if e.get("reason") in ("BackOff", "Failed")
                   and self.own((e.get("regarding") or e.get("involvedObject"))["name"])]
        assert not self.troubles() and not crashed, (self.troubles(), [e.get("note") or e.get("message") for e in crashed])

    def enable(self):
        self.switch("true")
        return self.wait_condition("Ready", "True").wait_up()

    def wait_condition(self, kind, status, reason=None, timeout=240):
        super().wait_condition(kind, status, reason, timeout)
        return self

    def is_injected(self, kind, name):
        return LEDGER in self.api.get(kind, name, self.namespace)["metadata"].get("annotations", {})

    def generations(self):
        return {name: self.live(name)["metadata"]["generation"] for name in self.names()}

    def wait_as_before(self, timeout=240):
        for name in self.names():
            def same(name=name):
                now = normalized(self.live(name))
                assert now == self.before[name], differences(self.before[name], now)
                return True
            wait_for(same, timeout, f"{name} is as it was")
        return self

    def disable(self):
        self.switch("false")
        self.wait_as_before()
        wait_for(lambda: self.api.find("deployment", "otel-collector", self.namespace) is None
                 and self.api.find("deployment", "jaeger", self.namespace) is None, 120, "collector and Jaeger are gone")
        return self

    # --- requests and traces ---

    def url(self, path, host="gateway", port=80):
        return f"http://{host}.{self.namespace}.svc.cluster.local:{port}{path}"

    def curl(self, *args, check=True):
        return self.cluster.run("curl", "-sS", "--max-time", "30", *args, check=check)

    def send(self, traceparent=True, sampled=True):
        """A completion through the gateway; the trace id that it carried."""
        trace = secrets.token_hex(16)
        headers = ["-H", "Content-Type: application/json"]
        if traceparent:
            headers += ["-H", f"traceparent: 00-{trace}-{secrets.token_hex(8)}-{'01' if sampled else '00'}"]
        body = json.dumps({"model": MODEL, "prompt": "the user's own words", "max_tokens": 4})

        def served():  # a Service is a moment behind its rollout
            answer = self.curl("-f", *headers, "-d", body, self.url("/v1/completions"), check=False)
            assert answer.returncode == 0, answer.stderr + answer.stdout
            return json.loads(answer.stdout)["choices"]
        wait_for(served, 60, "the gateway serves")
        return trace

    def jaeger(self, path):
        done = self.curl(self.url(path, "jaeger-collector", 16686), check=False)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout).get("data") or []

    def services(self):
        """As `curl …/api/services` gives them, less the back end's own entry."""
        return {name for name in self.jaeger("/api/services") if name != "jaeger"}

    def spans(self, trace):
        """[(service, operation)] of a trace."""
        return [(t["processes"][s["processID"]]["serviceName"], s["operationName"]) for t in self.jaeger(f"/api/traces/{trace}") for s in t["spans"]]

    def wait_services(self, trace, expected, timeout=120, **how):
        def there():
            found = {s for s, _ in self.spans(trace)}
            assert found >= expected, f"{found} of {expected}"
            return True
        wait_for(there, timeout, f"{expected} in one trace", **how)
        return self.spans(trace)
