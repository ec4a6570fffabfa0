"""What a model does with its inputs, so that a feed can be random and still mean something. Child side."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Union

import onnx
from onnx import numpy_helper

from freezer.verification.copies import all_nodes, graphs

Size = Union[int, str]


@dataclass
class Hints:
    """index: it indexes an axis. limits: the sizes of such axes (numbers or symbols), if known.
    offset: what is added before it does. constants: numbers and strings it is compared with or
    looked up in. mask: it selects. small: it is a size, a count, an axis or a repeat.
    """

    limits: list[Size] = field(default_factory=list)
    index: bool = False
    offset: int = 0
    constants: list[int | float | str] = field(default_factory=list)
    mask: bool = False
    small: bool = False


# Ops whose output holds elements of these inputs (None: of any input), and nothing else new.
_FIRST = {
    "Abs", "Cast", "CastLike", "Ceil", "Clip", "Compress", "ConcatFromSequence", "CumSum", "Dropout", "Expand",
    "Flatten", "Floor", "Gather", "GatherElements", "GatherND", "Identity", "Optional", "OptionalGetElement", "Pad",
    "ReduceMax", "ReduceMin", "Reshape", "ReverseSequence", "Round", "SequenceAt", "Slice", "Split", "SplitToSequence",
    "Squeeze", "StringNormalizer", "Sub", "Tile", "TopK", "Transpose", "Trilu", "Unique", "Unsqueeze",
}  # fmt: skip
_ANY = {"Add", "Concat", "FeatureVectorizer", "Max", "Min", "SequenceConstruct"}
_MOVES: dict[str, tuple[int, ...] | None] = {
    **dict.fromkeys(_FIRST, (0,)), **dict.fromkeys(_ANY),
    "Where": (1, 2), "ScatterND": (0, 2), "ScatterElements": (0, 2),
}  # fmt: skip
# Inputs that index an axis: op -> {index input: data input}.
_INDEXES = {
    "Gather": {1: 0}, "GatherElements": {1: 0}, "GatherND": {1: 0}, "ScatterElements": {1: 0}, "ScatterND": {1: 0},
    "ArrayFeatureExtractor": {1: 0}, "Scatter": {1: 0}, "EmbedLayerNormalization": {0: 2, 1: 4},
    "QEmbedLayerNormalization": {0: 2, 1: 4}, "GatherBlockQuantized": {1: 0},
}  # fmt: skip
_SMALL = {
    "Reshape": (1,), "Expand": (1,), "ConstantOfShape": (0,), "Range": (0, 1, 2), "Tile": (1,), "Slice": (1, 2, 3, 4),
    "Pad": (1,), "TopK": (1,), "OneHot": (0, 1), "Split": (1,), "Resize": (3,), "Loop": (0,), "Unsqueeze": (1,),
    "Squeeze": (1,), "NonMaxSuppression": (2,), "CenterCropPad": (1,), "SequenceAt": (1,), "Upsample": (1,),
    "HannWindow": (0,), "HammingWindow": (0,), "BlackmanWindow": (0,), "CumSum": (1,), "Trilu": (1,),
}  # fmt: skip
_COMPARISONS = {"Equal", "Less", "LessOrEqual", "Greater", "GreaterOrEqual"}
_KEYS = {
    "keys_strings", "keys_int64s", "keys_tensor", "cats_strings", "cats_int64s", "classlabels_strings",
    "classes_strings", "string_vocabulary", "int64_vocabulary", "pool_strings", "pool_int64s", "stopwords",
}  # fmt: skip


def hints(proto: onnx.ModelProto) -> dict[str, Hints]:
    """The hints for each input of the main graph."""
    walk = _Walk(proto)
    return {value.name: walk.follow(value.name) for value in proto.graph.input}


def vocabulary(proto: onnx.ModelProto) -> list[str]:
    """Every string the model knows: in lookup tables and in constants."""
    words = {w: None for node in all_nodes(proto) for w in _keys(node) if isinstance(w, str)}
    for tensor in _constants(proto).values():
        if tensor.data_type == onnx.TensorProto.STRING:
            words.update((s.decode("utf-8", "replace"), None) for s in tensor.string_data[:256])
    return list(words)


class _Walk:
    """Follows the elements of an input through the graph, its subgraphs and functions."""

    def __init__(self, proto: onnx.ModelProto) -> None:
        self.constants = _constants(proto)
        self.shapes = _shapes(proto)
        self.arguments: dict[str, str] = {}  # what a function's inputs were, in the last call met
        self.functions = {(f.domain, f.name): f for f in proto.functions}
        self.producers = {o: node for node in all_nodes(proto) for o in node.output if o}
        self.main = _consumers(n for graph in graphs(proto) for n in graph.node)
        self.inside = {key: _consumers(f.node) for key, f in self.functions.items()}

    def follow(self, name: str) -> Hints:
        found, seen = Hints(), set()
        todo: list[tuple[str, tuple[str, str] | None]] = [(name, None)]
        while todo:
            place = todo.pop()
            if place in seen:
                continue
            seen.add(place)
            value, scope = place
            for node, index in (self.main if scope is None else self.inside[scope]).get(value, ()):
                self._note(found, node, index)
                todo.extend((output, scope) for output in self._moved(node, index))
                function = self.functions.get((node.domain, node.op_type))
                if function is not None and index < len(function.input):
                    self.arguments.update(zip(function.input, node.input, strict=False))
                    todo.append((function.input[index], (function.domain, function.name)))
        return found

    def _moved(self, node: onnx.NodeProto, index: int) -> list[str]:
        """The values that hold elements of this input of a node."""
        if node.op_type in _MOVES:
            inputs = _MOVES[node.op_type]
            return list(node.output) if inputs is None or index in inputs else []
        bodies = [a.g for a in node.attribute if a.name == "body"]
        if (node.op_type == "Loop" and index >= 2) or node.op_type == "Scan":
            return [g.input[index].name for g in bodies if index < len(g.input)]
        return []

    def _note(self, found: Hints, node: onnx.NodeProto, index: int) -> None:
        """What this use of an input says about it."""
        if index in _INDEXES.get(node.op_type, {}):
            found.index = True
            found.limits.extend(self._axis_size(node, node.input[_INDEXES[node.op_type][index]]))
        if index in _SMALL.get(node.op_type, ()):
            found.small = True
        if node.op_type in _COMPARISONS:
            found.constants.extend(self._contents(node.input[1 - index]))
        found.constants.extend(_keys(node))
        if node.op_type in ("Add", "Sub"):
            found.offset += max((abs(int(c)) for c in self._numbers(node, index)), default=0)
        if self._selects(node, index):
            found.mask = True

    def _selects(self, node: onnx.NodeProto, index: int) -> bool:
        """1 - x, not x, a cast to bool, or a condition."""
        if node.op_type == "Sub" and index == 1:
            return self._contents(node.input[0]) == [1]
        if node.op_type == "Cast":
            return any(a.name == "to" and a.i == onnx.TensorProto.BOOL for a in node.attribute)
        return node.op_type in ("Not", "And", "Or") or (node.op_type in ("Where", "If") and index == 0)

    def _numbers(self, node: onnx.NodeProto, index: int) -> list[int | float]:
        other = self._contents(node.input[1 - index]) if len(node.input) == 2 else []
        return [c for c in other if not isinstance(c, str) and abs(c) < 1 << 31]

    def _contents(self, name: str) -> list[int | float | str]:
        """The elements of a small constant."""
        tensor = self.constants.get(name)
        if tensor is None or tensor.data_location == onnx.TensorProto.EXTERNAL or _count(tensor) > 64:
            return []
        return [e.decode("utf-8", "replace") if isinstance(e, bytes) else e
                for e in numpy_helper.to_array(tensor).reshape(-1).tolist()]  # fmt: skip

    def _axis_size(self, node: onnx.NodeProto, data: str) -> list[Size]:
        shape = self._shape(data)
        if shape is None:
            return []
        if node.op_type in ("GatherND", "ScatterND"):
            known = [d for d in shape if isinstance(d, int)]
            return [min(known)] if known else []
        last = len(shape) - 1 if node.op_type == "ArrayFeatureExtractor" else 0
        axis = next((a.i for a in node.attribute if a.name in ("axis", "gather_axis")), last)
        return [d for d in shape[axis : axis + 1 or None] if d is not None]

    def _shape(self, name: str, depth: int = 8) -> list[Size | None] | None:
        """The shape of a value: of a constant, through ops that keep shapes, or as declared."""
        if name in self.constants:
            return list(self.constants[name].dims)
        node = self.producers.get(name)
        if node is not None and depth and node.op_type in ("Cast", "DequantizeLinear", "Identity", "Mul", "Where"):
            shapes = [self._shape(i, depth - 1) for i in node.input]
            return max((s for s in shapes if s is not None), key=len, default=None)
        if node is not None and depth and node.op_type == "Transpose":
            shape = self._shape(node.input[0], depth - 1)
            perm = next((list(a.ints) for a in node.attribute if a.name == "perm"), None)
            return shape and ([shape[p] for p in perm] if perm else shape[::-1])
        if name not in self.shapes and node is None and depth and name in self.arguments:
            return self._shape(self.arguments[name], depth - 1)
        return self.shapes.get(name)


def _constants(proto: onnx.ModelProto) -> dict[str, onnx.TensorProto]:
    found = {t.name: t for graph in graphs(proto) for t in graph.initializer}
    for node in all_nodes(proto):
        if node.op_type == "Constant" and node.attribute and not node.attribute[0].ref_attr_name:
            found[node.output[0]] = _constant(node.attribute[0])
    return found


def _constant(attribute: onnx.AttributeProto) -> onnx.TensorProto:
    """The tensor a Constant node stands for (an empty one for a sparse tensor)."""
    if attribute.name == "value":
        return attribute.t
    kinds = {"value_float": "FLOAT", "value_floats": "FLOAT", "value_int": "INT64", "value_ints": "INT64",
             "value_string": "STRING", "value_strings": "STRING"}  # fmt: skip
    if attribute.name not in kinds:
        return onnx.TensorProto()
    content = onnx.helper.get_attribute_value(attribute)
    many = attribute.name.endswith("s")
    kind = onnx.TensorProto.DataType.Value(kinds[attribute.name])
    return onnx.helper.make_tensor("", kind, [len(content)] if many else [], content if many else [content])


def _shapes(proto: onnx.ModelProto) -> dict[str, list[Size | None]]:
    """Declared shapes: unnamed dims are None."""
    found = {}
    for graph in graphs(proto):
        for value in (*graph.value_info, *graph.input, *graph.output):
            kind = value.type.tensor_type
            if kind.HasField("shape"):
                found[value.name] = [
                    d.dim_value if d.HasField("dim_value") else d.dim_param or None for d in kind.shape.dim
                ]
    return found


def _consumers(nodes: Iterable[onnx.NodeProto]) -> dict[str, list[tuple[onnx.NodeProto, int]]]:
    found: dict[str, list[tuple[onnx.NodeProto, int]]] = defaultdict(list)
    for node in nodes:
        for index, name in enumerate(node.input):
            found[name].append((node, index))
    return found


def _keys(node: onnx.NodeProto) -> list[int | float | str]:
    """The keys of a lookup table that a node holds."""
    found: list[int | float | str] = []
    for attribute in node.attribute:
        if attribute.name not in _KEYS or attribute.ref_attr_name:
            continue
        if attribute.type != onnx.AttributeProto.TENSOR:
            found.extend(onnx.helper.get_attribute_value(attribute))
        else:
            found.extend(numpy_helper.to_array(attribute.t).reshape(-1).tolist())
    return [k.decode("utf-8", "replace") if isinstance(k, bytes) else k for k in found]


def _count(tensor: onnx.TensorProto) -> int:
    count = 1
    for dim in tensor.dims:
        count *= dim
    return count
