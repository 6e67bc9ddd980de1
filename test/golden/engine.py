# SPDX-License-Identifier: Apache-2.0
"""The plan engine without a shell: one plan_tool process, requests and answers as JSON lines."""
import json
import os
import pathlib
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]
VARIANT = os.environ.get("VARIANT", "release")
TOOL = ROOT / "build" / VARIANT / "test/tools/plan_tool"


class Engine:
    def __init__(self):
        self.process = subprocess.Popen([os.environ.get("PLAN_TOOL", str(TOOL))], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True, encoding="utf-8")

    def close(self):
        self.process.stdin.close()
        self.process.wait(timeout=10)
        assert self.process.returncode == 0, f"plan_tool ended with {self.process.returncode}"

    def raw(self, line):
        """One request as JSON text; the answer as JSON text."""
        assert "\n" not in line
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        assert answer.endswith("\n"), f"plan_tool died on {line[:400]}"
        return answer

    def plan(self, obj, **request):
        return json.loads(self.raw(json.dumps({"object": obj, **request})))

    def inject(self, obj, **request):
        answer = self.plan(obj, want="inject", **request)
        assert "error" not in answer, answer
        return answer

    def remove(self, obj, **request):
        answer = self.plan(obj, want="remove", **request)
        assert "error" not in answer, answer
        return answer


def meaning(value):
    """Canonical JSON: equal in meaning is equal text."""
    return json.dumps(value, sort_keys=True)


def story(explanation):
    """An explanation as lines for a golden file."""
    lines = [f"{explanation['object']}: {explanation['reason']}" +
             (f": {explanation['message']}" if explanation["reason"] != "None" else "")]
    for row in explanation["containers"]:
        lines.append(f"  {row['path']} {row['container']} ({row['component']}): {row['decision']}, "
                     f"{row['reason']}: {row['message']}")
        for edit in row["edits"]:
            lines.append(f"    {edit['path'].removeprefix(row['path'])}: {edit['what']} -- {edit['why']}")
    return lines
