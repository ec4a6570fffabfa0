"""The full model exported as anyone would, with the exporter's own folding, frozen by the graph route.

Against the trace route the file is the same wherever the exporter's folding is exact and freezer's
reaches as far. Where it is not, the reason is one of these, held here case by case.
"""

from __future__ import annotations

from typing import Any

import pytest
import torch

from fixtures.modules import factories
from fixtures.modules.case import IDENTICAL as SAME
from freezer.evaluate.child import Child
from freezer.routes import compare as routes

FACTORIES = factories()
TORCHSCRIPT = [
    "elementwise:seed", "elementwise:low_rank_adapter", "masks:additive", "masks:encoder_layer", "positions:rotary",
    "recurrent:lstm_state", "convolution:time_embedding", "resize:grid_sample", "indexing:scatter",
    "in_place:assign_slice", "shapes:window_partition", "diffusion:unet_at_one_step",
]  # fmt: skip
DYNAMO = [
    "elementwise:seed", "elementwise:normalise_image", "masks:sdpa_float", "indexing:gather", "containers:tied_weights",
    "recurrent:gru_cell", "diffusion:guidance",
]  # fmt: skip


def compare(name: str, exporter: str, worker: Child, runner: Child) -> routes.Comparison:
    torch.manual_seed(0)
    case: Any = FACTORIES[name]()
    found = routes.compare(
        case.module, case.args, case.kwargs, freeze=case.freeze, exporter=exporter, opset=case.opset,
        default_export=True, worker=worker, runner=runner,
    )  # fmt: skip
    assert max(o.relative for route in found.routes for o in route.outputs) <= case.tolerance
    return found


@pytest.mark.parametrize("name", TORCHSCRIPT)
def test_torchscript_folds_exactly(name: str, worker: Child, runner: Child) -> None:
    assert compare(name, "torchscript", worker, runner).verdict == SAME


@pytest.mark.slow
@pytest.mark.parametrize("name", DYNAMO)
def test_dynamo_folds_exactly(name: str, worker: Child, runner: Child) -> None:
    assert compare(name, "dynamo", worker, runner).verdict == SAME


def test_torchscript_merges_a_batch_norm_into_its_convolution(worker: Child, runner: Child) -> None:
    found = compare("convolution:batch_norm", "torchscript", worker, runner)
    assert found.verdict == routes.DIFFERENT
    assert "BatchNormalization in A, Mul in B" in found.message


@pytest.mark.slow
@pytest.mark.parametrize("name", ["positions:sinusoidal", "diffusion:unet_with_one_prompt"])
def test_dynamo_evaluates_constants_with_numpy(name: str, worker: Child, runner: Child) -> None:
    """sin, cos and exp are not rounded as onnxruntime rounds them; by how much depends on the processor."""
    found = compare(name, "dynamo", worker, runner)
    if found.verdict != SAME:
        assert found.verdict == routes.CONSTANTS
        assert all(c.max_abs <= 1e-6 for c in found.difference.constants)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "op"), [("convolution:frozen_kernel", "Conv"), ("masks:key_padding", "Gemm")])
def test_dynamo_drops_a_bias_of_zeros(name: str, op: str, worker: Child, runner: Child) -> None:
    """That maps an output of -0.0 to itself, not to 0.0: freezer keeps the bias."""
    found = compare(name, "dynamo", worker, runner)
    assert found.verdict == routes.DIFFERENT
    assert f"{op}: 3 inputs in A, 2 in B" in found.message
    assert [route.nodes for route in found.routes] == [found.routes[0].nodes] * 2


@pytest.mark.slow
@pytest.mark.parametrize("name", ["elementwise:polynomial", "transformer_models:mpnet"])
def test_dynamo_stores_what_it_expanded(name: str, worker: Child, runner: Child) -> None:
    """A constant that freezer lets the next operator broadcast was stored as large as that by the exporter."""
    found = compare(name, "dynamo", worker, runner)
    assert found.verdict == routes.DIFFERENT and "input 1 is" in found.message
    assert [route.nodes for route in found.routes] == [found.routes[0].nodes] * 2
