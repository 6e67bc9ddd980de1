# SPDX-License-Identifier: Apache-2.0
"""Every configuration that the operator renders is accepted by the programs that will read it."""
import pytest
import yaml

import settings
import telemetry


@pytest.mark.parametrize(("spec", "options"), [case[1:] for case in settings.CASES], ids=[case[0] for case in settings.CASES])
def test_accepted(spec, options, tmp_path):
    found = list(telemetry.configurations(telemetry.render(spec, tmp_path, *options)))
    assert found
    for program, name, text in found:
        done = telemetry.validate(program, text, tmp_path)
        assert done.returncode == 0, f"{name}: {done.stderr[-2000:]}"


@pytest.mark.parametrize("program", ["otelcol", "jaeger"])
def test_the_check_refuses(program, tmp_path):
    """The check is one: a configuration with a wrong key does not pass it."""
    text = {found: text for found, _, text in telemetry.configurations(telemetry.render({}, tmp_path))}[program]
    config = yaml.safe_load(text)
    config["receivers"]["otlp"]["protokols"] = {}
    done = telemetry.validate(program, yaml.safe_dump(config), tmp_path)
    assert done.returncode != 0 and "protokols" in done.stdout + done.stderr
