"""Verdicts, strongest first, and what a comparison says beside them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from fixtures.modules import elementwise, positions, scalars
from freezer.errors import UsageError
from freezer.evaluate.child import Child
from freezer.routes import compare as routes
from freezer.routes import report


@pytest.fixture
def compare(worker: Child, runner: Child) -> Any:
    def compare_case(case: Any, **options: Any) -> routes.Comparison:
        options = {"exporter": "torchscript", "freeze": case.freeze, **options}
        return routes.compare(case.module, case.args, case.kwargs, worker=worker, runner=runner, **options)

    return compare_case


def test_the_seed_example(compare: Any) -> None:
    found = compare(elementwise.seed(), opset=13)
    assert found.verdict == routes.IDENTICAL
    assert found.frozen == ["scale_factor", "bias"]
    assert [route.name for route in found.routes] == ["trace", "graph"]
    for route in found.routes:
        assert [v.name for v in route.residual.graph.inputs] == ["x"]
        assert route.nodes == 3


def test_constants_that_differ_are_named(compare: Any) -> None:
    found = compare(positions.plain_tensor_attribute())
    if found.verdict == routes.IDENTICAL:
        pytest.skip("torch and onnxruntime round alike on this processor")
    assert found.verdict == routes.CONSTANTS
    assert "ulp" in found.message


class Repeated(nn.Module):
    """Counts in Python: the number of nodes depends on `repeat`."""

    def forward(self, x: Tensor, weight: Tensor, repeat: int) -> Tensor:
        for _ in range(repeat):
            x = x * weight
        return x


@pytest.mark.parametrize("exporter", ["dynamo", "torchscript"])
def test_numbers_that_cannot_be_inputs_stay_in_both_traces(exporter: str, worker: Child, runner: Child) -> None:
    freeze = {"weight": torch.rand(3), "repeat": 2}
    found = routes.compare(Repeated(), (torch.rand(3),), freeze=freeze, exporter=exporter, worker=worker, runner=runner)
    assert found.verdict == routes.IDENTICAL
    assert found.frozen == ["weight"]
    why = {"dynamo": "numbers are constants of both traces", "torchscript": "does not depend on 'repeat'"}
    assert why[exporter] in found.notes[0]


def test_a_number_beside_float64(compare: Any) -> None:
    """dynamo (torch 2.13) writes it in float32; the full model has all its digits, and the difference is named."""

    class Scale(nn.Module):
        def forward(self, x: Tensor, gain: float) -> Tensor:
            return x * gain

    case = elementwise.Case(Scale(), (torch.rand(3).double(),), freeze={"gain": 0.1})
    assert compare(case).verdict == routes.IDENTICAL
    found = compare(case, exporter="dynamo")
    assert found.verdict == routes.CONSTANTS
    assert found.routes[0].outputs[0].max_ulp > 1_000_000
    assert found.routes[1].outputs[0].max_ulp == 0


def test_what_onnxruntime_cannot_run_is_still_compared(compare: Any) -> None:
    class Bfloat(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.linear = nn.Linear(3, 3).bfloat16()

        def forward(self, x: Tensor, gain: Tensor) -> Tensor:
            return self.linear(x) * gain

    x, gain = torch.rand(2, 3).bfloat16(), torch.rand(3).bfloat16()
    found = compare(elementwise.Case(Bfloat(), (x,), freeze={"gain": gain}))
    assert found.verdict == routes.IDENTICAL
    assert "not compared with torch" in found.routes[0].problem
    assert any("not compared with torch" in line for line in report.lines(found))


def test_what_cannot_be_compared_says_why(compare: Any) -> None:
    found = compare(scalars.python_if_on_number())
    assert found.verdict == routes.NOT_COMPARABLE
    assert "'scale'" in found.message and "scalars.py" in found.message
    assert [route.name for route in found.routes] == ["trace"]


def test_an_unused_argument_is_noted(compare: Any) -> None:
    class Ignoring(nn.Module):
        def forward(self, x: Tensor, gain: Tensor, unused: Tensor) -> Tensor:
            return x * gain

    case = elementwise.Case(Ignoring(), (torch.rand(3),), freeze={"gain": torch.rand(3), "unused": torch.rand(2)})
    found = compare(case)
    assert found.verdict == routes.IDENTICAL
    assert found.notes == ["the full export does not depend on 'unused': it holds for this value only"]


def test_different_modules_differ(compare: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The comparison is not blind: a module that changes between the two exports is found out."""

    class Changing(nn.Module):
        traces = 0

        def forward(self, x: Tensor, gain: Tensor) -> Tensor:
            type(self).traces += 1
            return x * gain if self.traces < 4 else x.relu() * gain

    found = compare(elementwise.Case(Changing(), (torch.rand(3),), freeze={"gain": torch.rand(3)}))
    assert found.verdict == routes.DIFFERENT
    assert "Relu" in found.message


def test_a_frozen_value_replaces_the_example(compare: Any) -> None:
    found = compare(elementwise.seed(), freeze={"scale_factor": 3.0, "bias": 0.0})
    assert found.verdict == routes.IDENTICAL


def test_an_unknown_exporter_is_an_error(compare: Any) -> None:
    with pytest.raises(UsageError, match="unknown exporter 'script'"):
        compare(elementwise.seed(), exporter="script")


def test_reports(compare: Any, tmp_path: Path) -> None:
    found = compare(elementwise.seed())
    lines = report.lines(found)
    assert lines[0].startswith("torchscript: identical")
    assert any("trace route: 3 nodes" in line for line in lines)
    plain = json.loads(json.dumps(report.to_dict(found)))
    assert plain["verdict"] == "identical" and len(plain["routes"]) == 2
    paths = report.keep(found, tmp_path / "kept")
    assert len(paths) == 6 and all(path.stat().st_size for path in paths)
    canonical = [path.read_bytes() for path in paths if "canonical" in path.name]
    assert canonical[0] == canonical[1]


def test_public_names() -> None:
    """Through the package, and without torch in `import freezer`."""
    import freezer
    from freezer.routes import trace

    assert freezer.trace is trace
    assert freezer.compare_routes is routes.compare
    code = "import sys, freezer, freezer.routes.runner; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
