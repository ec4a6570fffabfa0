"""Every scenario of fixtures/scenarios.toml: frozen, equal bit for bit, no larger, the source untouched."""

from __future__ import annotations

import hashlib
import json

import pytest

from tests.cli.run import FIXTURES, ROOT, freezer

try:
    import tomllib
except ImportError:
    import tomli as tomllib

SCENARIOS = tomllib.loads((ROOT / "fixtures" / "scenarios.toml").read_text())["scenario"]


def arguments(scenario: dict) -> list[str]:
    return [a for option in ("set", "dim", "shape") for v in scenario.get(option, []) for a in (f"--{option}", v)]


def sha256(path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda s: s["name"])
def test_scenario(scenario, tmp_path):
    source, target = FIXTURES / scenario["file"], tmp_path / "out.onnx"
    before = sha256(source)
    done = freezer("freeze", source, "-o", target, *arguments(scenario), "--json")
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["verification"]["status"] == "equal", report["verification"]["message"]
    assert report["after"]["nodes"] <= report["before"]["nodes"]
    assert target.stat().st_size <= source.stat().st_size * 1.001 + 20_000
    frozen = {text.partition("=")[0] for text in scenario.get("set", [])}
    assert [v["name"] for v in report["after"]["inputs"]] == [
        v["name"] for v in report["before"]["inputs"] if v["name"] not in frozen
    ]
    assert sha256(source) == before
