"""freezer routes MODULE:FACTORY."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from click.testing import CliRunner, Result

from freezer.bindings import parse_value
from freezer.cli.routes import command
from freezer.errors import UsageError
from freezer.routes.factory import Made, frozen_values, make

FACTORY = """
import torch

class Scaled(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = torch.nn.Linear(10, 5)

    def forward(self, x, scale_factor, bias):
        return self.linear(x) * scale_factor + bias

class Seen(torch.nn.Module):
    def forward(self, x, scale: float):
        return x * scale if scale > 1 else x

def scaled():
    return Scaled(), (torch.randn(2, 10),)

def seen():
    return Seen(), (torch.randn(2),), {"scale": 1.0}

def broken():
    raise KeyError("weights")

def wrong():
    return 3
"""


@pytest.fixture
def place(tmp_path: Path) -> str:
    path = tmp_path / "factories.py"
    path.write_text(FACTORY)
    return str(path)


def run(*arguments: str) -> Result:
    return CliRunner().invoke(command, list(arguments))


def test_the_seed_example_in_both_exporters(place: str, tmp_path: Path) -> None:
    """Issue 4, done when 1: one command, both routes byte-identical, in both exporters."""
    kept = tmp_path / "kept"
    result = run(
        f"{place}:scaled", "-f", "scale_factor=2.0", "-f", "bias=0.5", "--opset", "13",
        "--dynamic", "x.0=batch", "--keep", str(kept),
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    assert "dynamo: identical" in result.output and "torchscript: identical" in result.output
    assert len(list(kept.glob("*.onnx"))) == 12


def test_a_fixture_by_module_name_as_json() -> None:
    result = run("fixtures.modules.elementwise:power", "--exporter", "torchscript", "--json")
    assert result.exit_code == 0, result.output
    assert [entry["verdict"] for entry in json.loads(result.output)] == ["identical"]


def test_what_is_not_identical_exits_with_one(place: str) -> None:
    result = run(f"{place}:seen", "--freeze", "scale=2", "--exporter", "torchscript")
    assert result.exit_code == 1
    assert "not comparable" in result.output and "Python boolean" in result.output


@pytest.mark.parametrize(
    ("place_of", "message"),
    [
        ("factories", "must be MODULE:FACTORY"),
        ("{}:nothing", "has no function 'nothing'"),
        ("{}:broken", "raised KeyError"),
        ("{}:wrong", "must return"),
        ("no_such_package:factory", "cannot import"),
    ],
)
def test_bad_factories(place: str, place_of: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        make(place_of.format(place))


def test_bad_options(place: str) -> None:
    for option, given in (("--freeze", "scale"), ("--dynamic", "x=batch")):
        refused = run(f"{place}:scaled", option, given).exception
        assert isinstance(refused, UsageError) and f"{option} takes NAME" in str(refused)


class Anything(torch.nn.Module):
    def forward(self, x: torch.Tensor, value: object = None) -> torch.Tensor:
        return x


@pytest.mark.parametrize(
    ("example", "text", "expected"),
    [
        (1.0, "2", 2.0),
        (True, "false", False),
        ((1, 2), "[3, 4]", (3, 4)),
        (torch.zeros(2), "none", None),
        ("mean", "sum", "sum"),
        (None, "7", 7),
        (torch.zeros(3, dtype=torch.int64), "[1, 2, 3]", torch.tensor([1, 2, 3])),
        (torch.zeros(1, dtype=torch.int64), "5", torch.tensor([5])),
        (torch.zeros(2, 2, dtype=torch.bool), "ones", torch.ones(2, 2, dtype=torch.bool)),
        (torch.zeros(3).half(), "full(0.5)", torch.full((3,), 0.5).half()),
        (torch.zeros(1, 3, dtype=torch.int64), "arange", torch.arange(3)[None]),
        (None, "[0.5, 1]", torch.tensor([0.5, 1.0])),
        (None, "zeros[2,1]", torch.zeros(2, 1)),
    ],
)
def test_values_become_what_the_example_is(example: object, text: str, expected: object) -> None:
    made = Made(Anything(), (torch.zeros(1), example))
    found = frozen_values(made, {"value": parse_value(text)})["value"]
    assert type(found) is type(expected)
    if isinstance(expected, torch.Tensor):
        assert found.dtype == expected.dtype and torch.equal(found, expected)
    else:
        assert found == expected


def test_a_value_that_does_not_convert_is_an_error() -> None:
    with pytest.raises(UsageError, match="cannot freeze 'value'"):
        frozen_values(Made(Anything(), (torch.zeros(1), torch.zeros(2))), {"value": parse_value('["a"]')})
