"""freezer fingerprint, freezer diff."""

from __future__ import annotations

import json
from pathlib import Path

import onnx
import pytest
from click.testing import CliRunner

from freezer.cli import diff, fingerprint
from tests.canonical.respell import respell
from tests.canonical.texts import TEXTS, model


@pytest.fixture
def files(tmp_path: Path) -> dict[str, str]:
    """The paths of a model, the same spelt otherwise, and two that differ."""
    text = TEXTS["plain"]
    made = {
        "a": model(text),
        "same": respell(model(text), 5),
        "constant": model(text.replace("0.25", "0.5")),
        "structure": model(text.replace("axis = 1", "axis = 0")),
    }
    for name, proto in made.items():
        onnx.save(proto, tmp_path / f"{name}.onnx")
    return {name: str(tmp_path / f"{name}.onnx") for name in made}


def test_fingerprint_prints_a_line_for_each_file(files: dict[str, str]) -> None:
    result = CliRunner().invoke(fingerprint.command, [files["a"], files["same"], files["constant"]])
    assert result.exit_code == 0
    prints = [line.split("  ") for line in result.output.splitlines()]
    assert [path for _, path in prints] == [files["a"], files["same"], files["constant"]]
    assert prints[0][0] == prints[1][0] != prints[2][0] and len(prints[0][0]) == 64


def test_fingerprint_as_json(files: dict[str, str]) -> None:
    result = CliRunner().invoke(fingerprint.command, ["--json", files["a"]])
    assert list(json.loads(result.output)) == [files["a"]]


@pytest.mark.parametrize(("other", "code"), [("same", 0), ("constant", 1), ("structure", 1)])
def test_diff_exits_with_the_verdict(files: dict[str, str], other: str, code: int) -> None:
    result = CliRunner().invoke(diff.command, [files["a"], files[other]])
    assert (result.exit_code == code and result.exception is None) or isinstance(result.exception, SystemExit)
    data = json.loads(CliRunner().invoke(diff.command, [files["a"], files[other], "--json"]).output)
    assert data["verdict"] == {"same": "identical"}.get(other, "constants" if other == "constant" else other)
    if other == "constant":
        assert [c["a"] for c in data["constants"]] == ["b"]
