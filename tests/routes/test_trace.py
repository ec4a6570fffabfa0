"""The exported model: its interface, its parameters' names; and the module, which is left as it was."""

from __future__ import annotations

from typing import Any

import onnx_ir as ir
import pytest
import torch
from torch import Tensor, nn

from freezer.errors import UsageError
from freezer.routes.exporters import ExportRefused
from freezer.routes.trace import export, export_full

both_exporters = pytest.mark.parametrize("exporter", ["dynamo", "torchscript"])


class Block(nn.Module):
    """Two equal LayerNorms, a buffer that is no parameter, a counter it writes to, dropout, a hook."""

    def __init__(self) -> None:
        super().__init__()
        self.linear, self.first, self.second = nn.Linear(4, 3), nn.LayerNorm(3), nn.LayerNorm(3)
        self.drop, self.own = nn.Dropout(0.5), nn.Parameter(torch.ones(3))
        self.register_buffer("offset", torch.arange(3.0), persistent=False)
        self.register_buffer("calls", torch.zeros(()))
        self.register_forward_hook(lambda module, args, output: output * 2)

    def forward(self, x: Tensor, gain: Tensor, scale: float = 1.0) -> Tensor:
        self.calls += 1
        self.last = x
        return self.drop(self.second(self.first(self.linear(x)) * gain)) * scale + self.offset + self.own


X, GAIN = torch.randn(2, 4), torch.rand(3)
PARAMETERS = {
    "linear.weight", "linear.bias", "first.weight", "first.bias", "second.weight", "second.bias", "own", "offset",
}  # fmt: skip


def interface(model: ir.Model) -> tuple[list[str | None], list[str | None]]:
    return [v.name for v in model.graph.inputs], [v.name for v in model.graph.outputs]


@both_exporters
def test_free_arguments_are_the_only_inputs(exporter: str) -> None:
    model = export(Block(), (X,), freeze={"gain": GAIN, "scale": 2.0}, exporter=exporter)
    assert interface(model) == (["x"], ["output"])


@both_exporters
def test_the_full_export_has_the_frozen_arguments_too(exporter: str) -> None:
    model = export_full(Block(), (X,), freeze={"gain": GAIN, "scale": 2.0}, exporter=exporter)
    assert interface(model) == (["x", "gain", "scale"], ["output"])
    assert [list(v.shape or ()) for v in model.graph.inputs] == [[2, 4], [3], []]


@both_exporters
@pytest.mark.parametrize("exporting", [export, export_full])
def test_parameters_keep_their_names(exporter: str, exporting: Any) -> None:
    model = exporting(Block(), (X,), freeze={"gain": GAIN}, exporter=exporter)
    assert set(model.graph.initializers) >= PARAMETERS
    assert not any("Block" in name or "module" in name for name in model.graph.initializers)


@both_exporters
def test_the_module_is_left_as_it_was(exporter: str) -> None:
    module = Block().train()
    module.first.eval()
    before = {id(m): (set(vars(m)), m.training, len(m._forward_hooks)) for m in module.modules()}
    state = {
        name: (id(tensor), tensor.clone()) for name, tensor in [*module.named_parameters(), *module.named_buffers()]
    }
    generator = torch.get_rng_state()
    export(module, (X,), freeze={"gain": GAIN}, exporter=exporter)
    assert {id(m): (set(vars(m)), m.training, len(m._forward_hooks)) for m in module.modules()} == before
    for name, tensor in [*module.named_parameters(), *module.named_buffers()]:
        assert id(tensor) == state[name][0] and torch.equal(tensor, state[name][1]), name
    assert torch.equal(torch.get_rng_state(), generator)
    assert torch.is_grad_enabled() and torch.backends.mha.get_fastpath_enabled()


class Writer(nn.Module):
    def forward(self, x: Tensor, canvas: Tensor, gain: Tensor) -> Tensor:
        canvas.mul_(2)
        x.add_(1)
        return x + canvas * gain


@both_exporters
def test_the_arguments_are_left_as_they_were(exporter: str) -> None:
    x, canvas = torch.zeros(3), torch.ones(3)
    export(Writer(), (x, canvas), freeze={"gain": GAIN}, exporter=exporter)
    export_full(Writer(), (x,), freeze={"canvas": canvas, "gain": GAIN}, exporter=exporter)
    assert x.tolist() == [0, 0, 0] and canvas.tolist() == [1, 1, 1]


@both_exporters
def test_a_failed_export_leaves_the_module_as_it_was(exporter: str) -> None:
    class Strange(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            self.seen = x
            raise RuntimeError("no such layer")

    module = Strange().train()
    with pytest.raises((ExportRefused, RuntimeError), match="no such layer"):
        export(module, (torch.ones(2),), exporter=exporter)
    assert module.training and not hasattr(module, "seen")


@both_exporters
def test_inputs_may_have_other_names(exporter: str) -> None:
    model = export_full(Block(), (X,), freeze={"gain": GAIN}, exporter=exporter, input_names=["image", "g"])
    assert interface(model)[0] == ["image", "g"]


@both_exporters
def test_dynamic_axes_have_the_names_given(exporter: str) -> None:
    model = export(Block(), (X,), freeze={"gain": GAIN}, exporter=exporter, dynamic_shapes={"x": {0: "batch"}})
    assert [str(d) for d in model.graph.inputs[0].shape or ()] == ["batch", "4"]
    assert str((model.graph.outputs[0].shape or ())[0]) == "batch"


def test_a_buffer_that_the_trace_writes_to_is_exported_as_it_was() -> None:
    class Count(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.register_buffer("calls", torch.zeros(2))

        def forward(self, x: Tensor) -> Tensor:
            self.calls += 1
            return x + self.calls

    model = export(Count(), (torch.ones(2),), exporter="torchscript")
    content = model.graph.initializers["calls"].const_value
    assert content is not None and content.numpy().tolist() == [0, 0]


class Shapes(nn.Module):
    def forward(self, pair: tuple[Tensor, Tensor], gain: Tensor) -> dict[str, Any]:
        return {"joined": torch.cat(pair) * gain, "parts": [pair[0], gain], "count": 2, "nothing": None}


@both_exporters
def test_nested_arguments_and_results(exporter: str) -> None:
    pair = (torch.zeros(2, 3), torch.ones(4, 3))
    model = export(
        Shapes(), (pair,), freeze={"gain": GAIN}, exporter=exporter, dynamic_shapes={"pair": ({0: "a"}, {0: "b"})}
    )
    assert interface(model) == (["pair_0", "pair_1"], ["joined", "parts_0", "parts_1"])
    assert [str((v.shape or ())[0]) for v in model.graph.inputs] == ["a", "b"]


@both_exporters
def test_an_input_named_as_a_parameter_is_an_error(exporter: str) -> None:
    class Clash(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.gain = nn.Parameter(torch.ones(3))

        def forward(self, x: Tensor, gain: Tensor) -> Tensor:
            return x * self.gain * gain

    with pytest.raises(UsageError, match=r"both named 'gain'.*input_names"):
        export(Clash(), (torch.ones(3), torch.ones(3)), exporter=exporter)
    model = export(Clash(), (torch.ones(3),), freeze={"gain": GAIN}, exporter=exporter)
    assert interface(model)[0] == ["x"] and "gain" in model.graph.initializers


@both_exporters
def test_an_older_opset(exporter: str) -> None:
    class Scaled(nn.Module):
        def forward(self, x: Tensor, scale: float) -> Tensor:
            return x * scale

    model = export(Scaled(), (torch.ones(3),), freeze={"scale": 2.0}, exporter=exporter, opset=13)
    assert model.graph.opset_imports[""] == 13


def test_an_opset_that_the_operators_do_not_have_is_refused() -> None:
    with pytest.raises(ExportRefused, match=r"LayerNormalization.*opset 13"):
        export(Block(), (X,), freeze={"gain": GAIN}, opset=13)


def test_usage_errors() -> None:
    with pytest.raises(UsageError, match="unknown exporter 'onnx'"):
        export(Block(), (X, GAIN), exporter="onnx")
    with pytest.raises(UsageError, match="dynamic_shapes names 'y'"):
        export(Block(), (X, GAIN), dynamic_shapes={"y": {0: "batch"}})
    with pytest.raises(UsageError, match=r"axes 0\.\.1"):
        export(Block(), (X, GAIN), dynamic_shapes={"x": {2: "batch"}})


def test_a_result_that_is_no_tensor_is_an_error() -> None:
    class Odd(nn.Module):
        def forward(self, x: Tensor, answer: Any) -> Any:
            return answer

    with pytest.raises(UsageError, match="returns a set"):
        export(Odd(), (X,), freeze={"answer": {1}})
    with pytest.raises(UsageError, match="returns no tensor"):
        export(Odd(), (X,), freeze={"answer": 3})
