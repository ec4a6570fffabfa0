"""Both routes with another engine as the folder on both sides: the same file, or a fault of the engine held here.

The engine gets two exports that name, order and shape things differently; if it folds all that the frozen
values decide, the canonical forms are the same. No tolerance is involved: they are compared byte for byte.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

torch = pytest.importorskip("torch")

from fixtures.modules import factories  # noqa: E402
from freezer.engines import start_engine  # noqa: E402
from freezer.errors import EngineError  # noqa: E402
from freezer.evaluate.child import Child  # noqa: E402
from freezer.routes import compare as routes  # noqa: E402
from tests.routes.conftest import one_registry, runner  # noqa: E402, F401

FACTORIES = factories()
ENGINES = ("graphsurgeon", "onnxsim")
SAME = [
    ("torchscript", "elementwise:seed"), ("torchscript", "elementwise:low_rank_adapter"),
    ("torchscript", "masks:additive"), ("torchscript", "masks:encoder_layer"), ("torchscript", "masks:from_lengths"),
    ("torchscript", "positions:rotary"), ("torchscript", "recurrent:lstm_state"),
    ("torchscript", "convolution:time_embedding"), ("torchscript", "resize:grid_sample"),
    ("torchscript", "promotion:int_times_float"), ("torchscript", "in_place:write_into_a_copy"),
    ("dynamo", "elementwise:seed"), ("dynamo", "masks:boolean"), ("dynamo", "promotion:int_times_float"),
]  # fmt: skip
FAULTS = {
    # Shape with start and end is folded as if it had neither.
    ("graphsurgeon", "dynamo", "resize:nearest_to_size"): "wrote an invalid model: .*'sizes' .6. must be same as rank",
    ("graphsurgeon", "dynamo", "recurrent:gru_cell"): "failed: AttributeError: 'list' object has no attribute 'nbytes'",
    # It takes away a Cast that is needed.
    ("graphsurgeon", "dynamo", "positions:relative_bias"): "wrote an invalid model: .*bound to different types",
    ("onnxsim", "torchscript", "in_place:indexed_put"): "changed dimension 0 of the input 'x' from 2 to open",
}  # fmt: skip
# graphsurgeon infers no shapes: what the full export leaves open of the outputs stays open.
OPEN = [("torchscript", "indexing:top_k"), ("torchscript", "shapes:repeat_by_int")]


@pytest.fixture(scope="module", params=ENGINES)
def engine(request: pytest.FixtureRequest) -> Iterator[tuple[str, Child]]:
    with start_engine() as child:
        yield request.param, child


def compare(name: str, exporter: str, engine: str, child: Child, runs: Child) -> routes.Comparison:
    torch.manual_seed(0)
    case: Any = FACTORIES[name]()
    return routes.compare(
        case.module, case.args, case.kwargs, freeze=case.freeze, exporter=exporter, opset=case.opset,
        engine=engine, worker=child, runner=runs,
    )  # fmt: skip


@pytest.mark.parametrize(("exporter", "name"), SAME)
def test_both_routes_are_the_same_file(exporter: str, name: str, engine, runner: Child) -> None:  # noqa: F811
    found = compare(name, exporter, *engine, runner)
    assert found.verdict == routes.IDENTICAL, found.message
    assert max(o.relative for route in found.routes for o in route.outputs) <= 1e-5


@pytest.mark.parametrize(("engine_name", "exporter", "name"), FAULTS)
def test_faults_are_named(engine_name: str, exporter: str, name: str, runner: Child) -> None:  # noqa: F811
    with start_engine() as child, pytest.raises(EngineError, match=FAULTS[engine_name, exporter, name]):
        compare(name, exporter, engine_name, child, runner)


@pytest.mark.parametrize(("exporter", "name"), OPEN)
def test_graphsurgeon_leaves_shapes_open_that_freezer_knows(
    exporter: str, name: str, worker: Child, runner: Child  # noqa: F811
) -> None:  # fmt: skip
    with start_engine() as child:
        found = compare(name, exporter, "graphsurgeon", child, runner)
    assert found.verdict == routes.DIFFERENT and "?" in found.message
    assert compare(name, exporter, "native", worker, runner).verdict == routes.IDENTICAL
