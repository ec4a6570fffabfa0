"""Small files that ask for much: memory, time, depth. What cannot be afforded stays as it was."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper

from tests.hostile.case import Case, Make, parsed, text, write

_ONE_HOT = "i = Cast <to = 7> (f) d = Squeeze (s) v = Concat <axis = 0> (f, f) a = OneHot (i, d, v)"
_OPS = {  # static values of terabytes, or of no size at all; y is what a live node reads of them
    "ConstantOfShape": ("a = ConstantOfShape (s)", "s = {1099511627776}"),
    "ConstantOfShape of two dims": ("a = ConstantOfShape (s)", "s = {1048576, 1048576}"),
    "ConstantOfShape that overflows": ("a = ConstantOfShape (s)", "s = {4611686018427387904, 4}"),
    "ConstantOfShape, one dim of none": ("a = ConstantOfShape (s)", "s = {0, 4611686018427387904}"),
    "ConstantOfShape, negative": ("a = ConstantOfShape (s)", "s = {-4}"),
    "ConstantOfShape of rank 40": ("a = ConstantOfShape (s)", f"s = {{{', '.join('2' * 40)}}}"),
    "Expand": ("a = Expand (f, s)", "s = {1099511627776}"),
    "Expand that overflows": ("a = Expand (f, s)", "s = {4611686018427387904, 4611686018427387904}"),
    "Tile": ("a = Tile (f, s)", "s = {1099511627776}"),
    "Tile of Tile": ("b = Tile (f, s)  a = Tile (b, s)", "s = {1048576}"),
    "Tile, negative": ("a = Tile (f, s)", "s = {-1}"),
    "Pad": ("a = Pad (f, s)", "s = {549755813888, 549755813888}"),
    "Pad that overflows": ("a = Pad (f, s)", "s = {9223372036854775807, 9223372036854775807}"),
    "Pad to less than nothing": ("a = Pad (f, s)", "s = {-3, -3}"),
    "Resize by sizes": ("b = Unsqueeze (f, z) a = Resize (b, , , s)", "s = {1048576, 1048576}"),
    "OneHot": (_ONE_HOT, "s = {1099511627776}"),
    "OneHot, negative depth": (_ONE_HOT, "s = {-5}"),
    "Range": ("o = Squeeze (z) n = Squeeze (s) r = Range (o, n, o1) a = Cast <to = 1> (r)", "s = {1099511627776}"),
    "Range without a step": ("o = Squeeze (z) n = Squeeze (s) r = Range (o, n, o) a = Cast <to = 1> (r)", "s = {9}"),
    "Reshape to more than there is": ("a = Reshape (f, s)", "s = {1099511627776}"),
    "Reshape with two unknowns": ("a = Reshape (f, s)", "s = {-1, -1}"),
    "RandomNormal": ("a = RandomNormal <shape = [1048576, 1048576]> ()", "s = {1}"),
    "Split of nothing into many": ("a = Reshape (f, s)", "s = {1, 1, 1, 1, 1, 1, 1, 1, 1}"),
    "outer product": (
        "b = ConstantOfShape (s) c = Unsqueeze (b, z) d = Transpose (c) a = MatMul (d, c)", "s = {262144}"),
    "EyeLike": ("b = ConstantOfShape (s) c = Unsqueeze (b, z) d = Transpose (c) e = MatMul (d, c) a = EyeLike (e)",
                "s = {262144}"),
    "Where that broadcasts": ("b = ConstantOfShape (s) c = Unsqueeze (b, z) d = Transpose (c) t = Less (d, c)"
                              " a = Where (t, d, c)", "s = {262144}"),
    "DepthToSpace by 2^31": ("b = Unsqueeze (f, z3) a = DepthToSpace <blocksize = 2147483647> (b)", "s = {1}"),
    "MaxPool with pads of exabytes": (
        "b = Unsqueeze (f, z2) a = MaxPool <kernel_shape = [1], pads = [4611686018427387904, 4611686018427387904]> (b)",
        "s = {1}"),
    "Conv with a stride of 0": ("b = Unsqueeze (f, z2) a = Conv <strides = [0]> (b, b)", "s = {1}"),
    "Gather out of bounds": ("a = Gather (f, s)", "s = {1099511627776}"),
    "Slice by INT64_MIN": ("a = Slice (f, s, s, z, s)", "s = {-9223372036854775808}"),
    "Div of INT64_MIN by -1": ("k = Sub (z, o2) b = Div (s, k) a = Cast <to = 1> (b)", "s = {-9223372036854775808}"),
    "Div by 0": ("b = Div (s, z) a = Cast <to = 1> (b)", "s = {7}"),
    "Mod by 0": ("b = Mod (s, z) a = Cast <to = 1> (b)", "s = {7}"),
    "Loop without end": (
        "n = Squeeze (s) a = Loop (n, , f) <body = l (int64 i, bool c, float[1] v) => (bool d, float[1] w)"
        " { d = Identity (c) w = Sin (v) }>", "s = {4611686018427387904}"),
    "Loop that doubles": (
        "n = Squeeze (s) a = Loop (n, , f) <body = l (int64 i, bool c, float[K] v) => (bool d, float[K2] w)"
        " { d = Identity (c) w = Concat <axis = 0> (v, v) }>", "s = {60}"),
    "Loop that stacks": (
        "n = Squeeze (s) g, a = Loop (n, , f)"
        " <body = l (int64 i, bool c, float[1] v) => (bool d, float[1] w, float[1] p)"
        " { d = Identity (c) w = Sin (v) p = Cos (v) }>", "s = {4611686018427387904}"),
    "Loops in loops": (
        "n = Squeeze (s) a = Loop (n, , f) <body = l (int64 i, bool c, float[1] v) => (bool d, float[1] w)"
        " { d = Identity (c) w = Loop (n, , v) <body = l2 (int64 i2, bool c2, float[1] v2) => (bool d2, float[1] w2)"
        " { d2 = Identity (c2) w2 = Sin (v2) }> }>", "s = {1000000000}"),
}  # fmt: skip
_TOO_LARGE = (
    "ConstantOfShape",
    "ConstantOfShape of two dims",
    "Expand",
    "Tile",
    "Tile of Tile",
    "Pad",
    "OneHot",
    "Range",
)
_CONSTANTS = "float[1] f = {2}, int64[1] z = {0}, int64 o1 = {1}, int64[1] o2 = {1}, int64[2] z2 = {0, 1}, "
_CONSTANTS += "int64[3] z3 = {0, 1, 2}, "


def _static(nodes: str, constant: str) -> Make:
    """y = x + the largest element of what the nodes make of constants."""
    size = constant.count(",") + 1
    return text(f"g (float x) => (float y) <{_CONSTANTS}int64[{size}] {constant}> {{ {nodes}"
                " m = ReduceMax <keepdims = 0> (a) y = Add (x, m) }")  # fmt: skip


def _without_second(folder: Path) -> None:
    """Min(f, ''), which kills onnxruntime."""
    model = parsed("g (float x) => (float y) <float f = {2}> { a = Min (f, f) y = Add (x, a) }")
    model.graph.node[0].input[1] = ""
    write(model, folder)


def _concats(levels: int) -> Make:
    nodes = "".join(f" a{i + 1} = Concat <axis = 0> (a{i}, a{i})" for i in range(levels))
    return text(f"g (float x) => (float y) <float[1] a0 = {{2}}> {{ {nodes} m = ReduceMax <keepdims = 0> (a{levels})"
                " y = Add (x, m) }")  # fmt: skip


def _functions(levels: int, argument: str) -> Make:
    """Each function calls the next one twice: 2^levels nodes when inlined."""
    body = "".join(
        f'\n<domain: "f", opset_import: ["": 17, "f": 1]> f{i} (a) => (c) {{ b = f.f{i + 1} (a) c = f.f{i + 1} (b) }}'
        for i in range(levels)
    )
    source = (f'<ir_version: 8, opset_import: ["": 17, "f": 1]> g (float[1] x) => (float[1] y)'
              f" <float[1] w = {{2}}> {{ b = f.f0 ({argument}) y = Add (b, x) }}{body}"
              f'\n<domain: "f", opset_import: ["": 17]> f{levels} (a) => (c) {{ c = Sin (a) }}')  # fmt: skip
    return lambda folder: write(onnx.parser.parse_model(source), folder)


def _nested(depth: int) -> Make:
    """Ifs in Ifs, as deep as that."""

    def make(folder: Path) -> None:
        graph = helper.make_graph([helper.make_node("Neg", ["x"], ["d0"])], "b", [], [onnx.ValueInfoProto(name="d0")])
        for i in range(1, depth):
            other = helper.make_graph([helper.make_node("Abs", ["x"], [f"e{i}"])], "e", [], [_value(f"e{i}")])
            node = helper.make_node("If", ["c"], [f"d{i}"], then_branch=graph, else_branch=other)
            graph = helper.make_graph([node], "b", [], [_value(f"d{i}")])
        graph.input.extend([_bool("c"), _float("x")])
        graph.output[0].CopyFrom(_float(graph.output[0].name))
        write(helper.make_model(graph, ir_version=8, opset_imports=[helper.make_opsetid("", 17)]), folder)

    return make


def _value(name: str) -> onnx.ValueInfoProto:
    return onnx.ValueInfoProto(name=name)


def _bool(name: str) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, TensorProto.BOOL, [])


def _float(name: str) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, [1])


def _nested_bytes(depth: int) -> Make:
    """Subgraphs that protobuf itself gives up on, written by hand."""

    def field(number: int, content: bytes) -> bytes:
        size, prefix = len(content), bytearray([number << 3 | 2])
        while size > 127:
            prefix.append(size & 127 | 128)
            size >>= 7
        return bytes(prefix) + bytes([size]) + content

    def make(folder: Path) -> None:
        graph = b""
        for _ in range(depth):
            graph = field(1, field(5, field(6, graph)))  # graph.node.attribute.g
        write(b"\x08\x08" + field(7, graph) + field(8, b"\x10\x11"), folder)

    return make


def _types(depth: int) -> Make:
    """An input whose type is a sequence of sequences of ..."""

    def make(folder: Path) -> None:
        model = parsed("g (float[1] x, float[1] q) => (float[1] y) { y = Neg (x) }")
        kind = model.graph.input[1].type
        for _ in range(depth):
            inner = onnx.TypeProto.FromString(kind.SerializeToString())
            kind.Clear()
            kind.sequence_type.elem_type.CopyFrom(inner)
        write(model, folder)

    return make


def _attribute(op: str, **attributes: object) -> Make:
    def make(folder: Path) -> None:
        model = parsed("g (float[4] x) => (float[K] y) { y = Neg (x) }")
        node = model.graph.node[0]
        node.CopyFrom(helper.make_node(op, ["x"], ["y"], **attributes))
        write(model, folder)

    return make


def _chain(count: int) -> Make:
    nodes = [helper.make_node("Neg", [f"a{i}"], [f"a{i + 1}"]) for i in range(count)]
    graph = helper.make_graph(nodes, "g", [_float("a0")], [_float(f"a{count}")])
    return lambda folder: write(
        helper.make_model(graph, ir_version=8, opset_imports=[helper.make_opsetid("", 17)]), folder
    )


def _readers(count: int) -> Make:
    nodes = [helper.make_node("Add", ["x", "w"], [f"a{i}"]) for i in range(count)]
    nodes.append(helper.make_node("Sum", [f"a{i}" for i in range(count)], ["y"]))
    weight = helper.make_tensor("w", TensorProto.FLOAT, [1], [3.0])
    graph = helper.make_graph(nodes, "g", [_float("x")], [_float("y")], [weight])
    return lambda folder: write(
        helper.make_model(graph, ir_version=8, opset_imports=[helper.make_opsetid("", 17)]), folder
    )


def _many(count: int) -> Make:
    """Inputs, outputs, metadata and value_info by the thousand."""

    def make(folder: Path) -> None:
        names = [f"x{i}" for i in range(count)]
        nodes = [helper.make_node("Neg", [n], [f"y{n}"]) for n in names]
        graph = helper.make_graph(nodes, "g", [_float(n) for n in names], [_float(f"y{n}") for n in names])
        graph.value_info.extend(_float(f"v{n}") for n in names)
        model = helper.make_model(graph, ir_version=8, opset_imports=[helper.make_opsetid("", 17)])
        for name in names:
            model.metadata_props.add(key=name, value="v" * 50)
        write(model, folder)

    return make


def _dim(name: str) -> Make:
    def make(folder: Path) -> None:
        model = parsed("g (float[N] x) => (float[N] y) { y = Neg (x) }")
        for value in (model.graph.input[0], model.graph.output[0]):
            value.type.tensor_type.shape.dim[0].dim_param = name
        write(model, folder)

    return make


def _npy(shape: str) -> Make:
    """A value file whose header promises more than there is."""

    def make(folder: Path) -> None:
        write(parsed(_LIVE), folder)
        header = f"{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}, }}".ljust(117) + "\n"
        (folder / "v.npy").write_bytes(b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header.encode())

    return make


class _Touch:
    def __reduce__(self) -> tuple:
        return os.utime, ("../canary",)


def _pickled(folder: Path) -> None:
    """A value file that would run code."""
    write(parsed(_LIVE), folder)
    np.save(folder / "v.npy", np.array([_Touch()], dtype=object), allow_pickle=True)


def _fifo(folder: Path) -> None:
    write(parsed(_LIVE), folder)
    os.mkfifo(folder / "v.npy")


_LIVE = "g (float[N] x) => (float[N] y) { y = Neg (x) }"
_COUNTED = "g (int64 n, float x) => (float y) <int64[1] z = {0}> { s = Unsqueeze (n, z) a = ConstantOfShape (s) "
_COUNTED += "m = ReduceMax <keepdims = 0> (a) y = Add (x, m) }"
_OFF = ["--no-verify"]


def cases() -> Iterator[Case]:
    for name, (nodes, constant) in _OPS.items():
        reason = r"larger than 134217728 bytes \(--largest-constant\)" if name in _TOO_LARGE else ""
        yield Case(f"static {name}", _static(nodes, constant), code=0, arguments=_OFF, reason=reason)
    yield Case("static Min without its second", _without_second, code=0, arguments=_OFF, reason="died")
    yield Case("verified Min without its second", _without_second, code=0, reason="not verified")
    for name in ("ConstantOfShape", "Div of INT64_MIN by -1"):
        yield Case(f"verified {name}", _static(*_OPS[name]), code=0, reason="not verified")
    for levels in (26, 40, 60):
        yield Case(f"Concat doubles {levels} times", _concats(levels), code=0, arguments=_OFF)
    for kind, argument in (("live", "x"), ("static", "w")):
        yield Case(f"functions double 10 times, {kind}", _functions(10, argument), code=0)
        yield Case(f"functions double 40 times, {kind}", _functions(40, argument), "for 1099511627777 nodes; at most")
    yield Case("Ifs nested 20 deep", _nested(20), code=0, arguments=_OFF)
    yield Case("Ifs nested 20 deep, decided", _nested(20), code=0, arguments=[*_OFF, "--set", "c=true"])
    yield Case("Ifs nested 28 deep", _nested(28), code=0, arguments=_OFF)
    yield Case("subgraphs nested 5000 deep", _nested_bytes(5000), "not an ONNX model|nest")
    yield Case("types nested 30 deep", _types(30), code=0, arguments=_OFF)
    yield Case(
        "attribute: a million axes", _attribute("ReduceSum", axes=list(range(1_000_000))), code=0, arguments=_OFF
    )
    yield Case("attribute: a permutation of a million", _attribute("Transpose", perm=list(range(1_000_000))), code=0,
               arguments=_OFF)  # fmt: skip
    yield Case(
        "attribute: a string of 10 MB", _attribute("Neg", **{"a" * 100: "s" * 10_000_000}), code=0, arguments=_OFF
    )
    yield Case("attribute: a name of a MB", _attribute("Neg", **{"a" * 1_000_000: 1}), code=0, arguments=_OFF)
    yield Case("attribute: an equation without end", _attribute("Einsum", equation="i," * 100_000 + "->"), code=0,
               arguments=_OFF)  # fmt: skip
    yield Case("a chain of 5000 nodes", _chain(5000), code=0, arguments=_OFF)
    yield Case("3000 readers of one constant", _readers(3000), code=0, arguments=_OFF)
    yield Case("2000 inputs, outputs and notes", _many(2000), code=0, arguments=_OFF)
    for label, name in {
        "a formula that never closes": "(" * 20_000, "a formula of 20,000 terms": "+".join("N" * 20_000),
        "a power tower": "9**9**9**9", "code": "__import__('os').utime('../canary')", "a shift": "1 << 10000000000",
        "a million letters": "N" * 1_000_000, "control characters": "\x1b[2J\n", "a division by zero": "N // 0",
    }.items():  # fmt: skip
        yield Case(f"dim name: {label}", _dim(name), code=0)
    for number in (1 << 40, (1 << 63) - 1):
        yield Case(f"frozen size {number}", text(_COUNTED), code=0, arguments=[*_OFF, "--set", f"n={number}"])
    yield Case("frozen size -1", text(_COUNTED), code=0, arguments=[*_OFF, "--set", "n=-1"])
    yield Case("a value of terabytes", text(_LIVE), "", code=2, arguments=["--set", "x=ones[1099511627776]"])
    yield Case("a value that overflows", text(_LIVE), "", code=2, arguments=["--set", f"x=ones[{1 << 62},{1 << 62}]"])
    yield Case("a dim of exabytes", text(_LIVE), code=0, arguments=[*_OFF, "--dim", f"N={1 << 60}"])
    yield Case("a dim past 2^63", text(_LIVE), "expected 0 to 2\\^63 - 1", code=2, arguments=["--dim", f"N={1 << 64}"])
    yield Case("a JSON value nested 100,000 deep", text(_LIVE), "", code=2, arguments=["--set", "x=" + "[" * 100_000])
    at = ["--set", "x=@v.npy"]
    yield Case("a value file that promises terabytes", _npy("(1099511627776,)"), "", code=2, arguments=at)
    yield Case("a value file that overflows", _npy("(4611686018427387904, 4)"), "", code=2, arguments=at)
    yield Case("a value file that runs code", _pickled, "", code=2, arguments=at)
    yield Case("a value file that is a FIFO", _fifo, "", code=2, arguments=at)
    yield Case("a value file that never ends", text(_LIVE), "", code=2, arguments=["--set", "x=@/dev/zero"])
