"""Graphs that do not hold together: names, types, versions, tensors of the wrong size, functions."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import onnx
from onnx import TensorProto, helper

from tests.hostile.case import HEAD, Case, edited, text
from tests.model_io.test_structure import BROKEN

_ADD = "g (float[4] x) => (float[4] y) <float[4] w = {1, 2, 3, 4}> { y = Add (x, w) }"
_IF = """g (bool c, float[4] x) => (float[4] y) {
    y = If (c) <then_branch = t () => (p) { p = Neg (x) }, else_branch = e () => (q) { q = Abs (x) }> }"""
_OFF = ["--no-verify"]
Edit = Callable[[onnx.ModelProto], Any]


def _raw(content: bytes, dims: list[int] | None = None, dtype: int = TensorProto.FLOAT) -> Edit:
    def edit(model: onnx.ModelProto) -> None:
        made = TensorProto(name="w", dims=[4] if dims is None else dims, data_type=dtype, raw_data=content)
        model.graph.initializer[0].CopyFrom(made)

    return edit


def _both(model: onnx.ModelProto) -> None:
    model.graph.initializer[0].raw_data = bytes(16)
    model.graph.initializer[0].float_data.extend([1.0] * 4)


def _typed(model: onnx.ModelProto, dtype: int, item: int) -> None:
    model.graph.initializer[0].CopyFrom(TensorProto(name="w", dims=[4], data_type=dtype, int32_data=[0, 1, item, 0]))


def _segment(model: onnx.ModelProto) -> None:
    model.graph.initializer[0].CopyFrom(TensorProto(name="w", dims=[4], data_type=1, raw_data=bytes(16)))
    model.graph.initializer[0].segment.begin = 1 << 62


TENSORS: dict[str, tuple[Edit, str]] = {
    "raw data too short": (_raw(bytes(15)), "needs 16 bytes of raw data; the file has 15"),
    "raw data too long": (_raw(bytes(17)), "needs 16 bytes of raw data"),
    "raw data missing": (_raw(b"", [1 << 40]), "needs .* the file has 0"),
    "data in two fields": (_both, "has data in"),
    "a negative dim": (_raw(bytes(16), [-4]), "negative dimension -4"),
    "two negative dims": (_raw(bytes(16), [-2, -2]), "negative dimension -2"),
    "dims that overflow": (_raw(bytes(16), [1 << 32, 1 << 32]), "more elements than can be addressed"),
    "dims that overflow to 4": (_raw(bytes(16), [1 << 62, 4, 1]), "more elements"),
    "rank 100": (_raw(bytes(4), [1] * 100), "100 dimensions"),
    "an unknown type": (_raw(bytes(16), None, 99), "unknown element type 99"),
    "no type": (_raw(bytes(16), None, 0), "unknown element type 0"),
    "a bool of 2": (_raw(b"\1\0\2\1", None, TensorProto.BOOL), "neither 0 nor 1"),
    "a bool of a million": (lambda m: _typed(m, TensorProto.BOOL, 1 << 20), "is bool and holds a number out of range"),
    "a uint8 of -1": (lambda m: _typed(m, TensorProto.UINT8, -1), "is uint8 and holds a number out of range"),
    "strings as raw data": (_raw(bytes(16), None, TensorProto.STRING), "strings, which cannot be raw data"),
    "an odd number of 4-bit elements": (_raw(bytes(1), [3], TensorProto.INT4), "needs 2 bytes of raw data"),
}


def _imports(*versions: tuple[str, int]) -> Edit:
    def edit(model: onnx.ModelProto) -> None:
        del model.opset_import[:]
        model.opset_import.extend(helper.make_opsetid(*v) for v in versions)

    return edit


def _set(path: str, value: Any) -> Edit:
    """Set a field, as in 'graph.node.0.op_type'."""

    def edit(model: onnx.ModelProto) -> None:
        *way, last = path.split(".")
        target: Any = model
        for part in way:
            target = target[int(part)] if part.isdigit() else getattr(target, part)
        if last.isdigit():
            target[int(last)] = value
        else:
            setattr(target, last, value)

    return edit


EDITS: dict[str, tuple[str, Edit, str]] = {
    "opset 0": (_ADD, _imports(("", 0)), "opset 0 of 'ai.onnx'; expected 1 or more"),
    "opset -1": (_ADD, _imports(("", -1)), "opset -1"),
    "opset of the future": (_ADD, _imports(("", 9999)), "opset 9999 .* knows up to"),
    "opset past 2^31": (_ADD, _imports(("com.microsoft", 1 << 40), ("", 17)), "opset 1099511627776"),
    "no opset": (_ADD, _imports(), "imports no operator set"),
    "only another domain's opset": (_ADD, _imports(("x", 1)), "uses Add but imports no version"),
    "IR version 0": (_ADD, _set("ir_version", 0), "no IR version"),
    "IR version -1": (_ADD, _set("ir_version", -1), "IR version -1"),
    "IR version of the future": (_ADD, _set("ir_version", 9999), "IR version 9999; onnx .* knows up to"),
    "an attribute twice": (_IF, lambda m: m.graph.node[0].attribute.append(m.graph.node[0].attribute[0]), "twice"),
    "outputs of two types": (_ADD, lambda m: m.graph.output.append(helper.make_tensor_value_info("y", 7, [4])),
                             "listed twice, with different types"),
    "an attribute without a type": (_IF, lambda m: m.graph.node[0].attribute.add(name="z"), "has no type"),
    "a sparse tensor nobody knows": (_ADD, lambda m: m.graph.node[0].attribute.add(name="s", type=11), "cannot keep"),
    "no graph": (_ADD, lambda m: m.ClearField("graph"), "no graph"),
}  # fmt: skip


def _in_domain(model: onnx.ModelProto, domain: str) -> None:
    model.graph.node[0].domain = domain
    model.opset_import.add(domain=domain, version=1)


KEPT: dict[str, tuple[str, Edit]] = {  # what freezer leaves alone, since it is none of its business
    "an unknown operator": (_ADD, _set("graph.node.0.op_type", "Frobnicate")),
    "an unknown domain": (_ADD, lambda m: _in_domain(m, "no.such")),
    "an operator without inputs": (_ADD, lambda m: m.graph.node[0].ClearField("input")),
    "a name of control characters": (_ADD, _set("graph.node.0.name", "\x1b[2J\n\rerror: no")),
    "a graph name of control characters": (_ADD, _set("graph.name", "\x1b]0;owned\x07")),
    "an output of a wrong type": (_ADD, _set("graph.output.0.type.tensor_type.elem_type", 7)),
    "an input of no type": (_ADD, lambda m: m.graph.input[0].ClearField("type")),
    "an input dim of -1": (_ADD, _set("graph.input.0.type.tensor_type.shape.dim.0.dim_value", -1)),
    "an input dim of 2^63 - 1": (_ADD, _set("graph.input.0.type.tensor_type.shape.dim.0.dim_value", (1 << 63) - 1)),
    "value_info that lies": (_ADD, lambda m: m.graph.value_info.append(helper.make_tensor_value_info("y", 9, [7, 7]))),
    "an If with one branch": (_IF, lambda m: m.graph.node[0].attribute.pop()),
    "an If whose branches have inputs": (_IF, lambda m: m.graph.node[0].attribute[0].g.input.add(name="i")),
    "an If that gives too little": (_IF, lambda m: m.graph.node[0].attribute[0].g.ClearField("output")),
    "a segment of exabytes": (_ADD, _segment),
    "nodes after the outputs": (_ADD, lambda m: m.graph.node.add(op_type="Neg", input=["y"], output=["z"])),
}  # fmt: skip

FUNCTIONS = {
    "calls itself": (
        '<domain: "f", opset_import: ["": 17, "f": 1]> k (a) => (b) { b = f.k (a) }', "calls itself: 'f::k'"),
    "calls itself in a circle": (
        '<domain: "f", opset_import: ["": 17, "f": 1]> k (a) => (b) { b = f.l (a) }'
        '\n<domain: "f", opset_import: ["": 17, "f": 1]> l (a) => (b) { b = f.k (a) }', "calls itself"),
    "calls itself in a subgraph": (
        '<domain: "f", opset_import: ["": 17, "f": 1]> k (a) => (b) { c = Cast <to = 9> (a) b = If (c)'
        " <then_branch = t () => (p) { p = f.k (a) }, else_branch = e () => (q) { q = Neg (a) }> }", "calls itself"),
    "defined twice": ('<domain: "f", opset_import: ["": 17]> k (a) => (b) { b = Neg (a) }\n'
                      '<domain: "f", opset_import: ["": 17]> k (a) => (b) { b = Abs (a) }', "defined twice"),
    "takes too little": ('<domain: "f", opset_import: ["": 17]> k () => (b) { b = Constant <value_float = 1.0> () }',
                         "with 1 inputs and 1 outputs; the function has 0 and 1"),
    "has the name of an operator": ('<domain: "", opset_import: ["": 17]> Neg (a) => (b) { b = Abs (a) }\n'
                                    '<domain: "f", opset_import: ["": 17]> k (a) => (b) { b = Abs (a) }',
                                    "function 'Neg' has the name of a standard operator"),
    "takes a body from its call": ('<domain: "f", opset_import: ["": 17]> k <body> (a) => (b)'
                                   " { b = Neg <body: graph = @body> (a) }", "takes its body 'body' from a call"),
    "reads what is not there": ('<domain: "f", opset_import: ["": 17]> k (a) => (b) { b = Neg (x) }', "reads 'x'"),
    "gives what is not there": ('<domain: "f", opset_import: ["": 17]> k (a) => (z) { b = Neg (a) }', "not produced"),
}  # fmt: skip


def cases() -> Iterator[Case]:
    for name, (source, words) in BROKEN.items():
        yield Case(f"graph: {name}", text(source), words)
    for name, (edit, words) in TENSORS.items():
        yield Case(f"tensor: {name}", edited(_ADD, edit), words)
    for name, (source, edit, words) in EDITS.items():
        yield Case(f"model: {name}", edited(source, edit), words)
    for name, (source, edit) in KEPT.items():
        yield Case(f"kept: {name}", edited(source, edit), code=0, arguments=_OFF)
        bound = ["--set", "c=true"] if source is _IF else ["--freeze-defaults"]
        yield Case(f"kept, frozen: {name}", edited(source, edit), code=0, arguments=[*_OFF, *bound])
    head = HEAD.replace("]", ', "f": 1]')
    for name, (function, words) in FUNCTIONS.items():
        yield Case(
            f"function: {name}", text(f"g (float[4] x) => (float[4] y) {{ y = f.k (x) }}\n{function}", head), words
        )
