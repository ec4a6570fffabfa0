"""Binding-time analysis: for each node, what would have to be frozen for it to be static.

An atom is an input, or a dimension by its name (unnamed dimensions of one input are one atom). What a value's content
and its shape depend on are sets of atoms, as bits of an integer; one pass over the nodes computes them. A node is
static under a choice of atoms that holds all of its own. Freezing an input freezes its shape too.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

import onnx_ir as ir

from freezer.bindings.dims import PLACEHOLDERS
from freezer.evaluate.batch import captured
from freezer.facts.determinism import is_deterministic
from freezer.facts.table import Facts, known
from freezer.model_io.walk import all_nodes, subgraphs

CONTROL_FLOW = ("If", "Loop", "Scan")
NEVER = 1  # the bit of what no freezing decides: random numbers, what a loop that runs changes
# The shape of the output depends on the content of all operands but the first, or of all.
_SHAPED_BY_REST = {
    "CenterCropPad", "Compress", "Expand", "OneHot", "Pad", "Reshape", "Resize", "Slice", "Split", "Squeeze", "Tile",
    "TopK", "Unsqueeze", "Upsample", "ReduceSum", "ReduceMean", "ReduceMax", "ReduceMin", "ReduceProd", "AffineGrid",
}  # fmt: skip
_SHAPED_BY_ALL = {"ConstantOfShape", "NonMaxSuppression", "NonZero", "Range", "RandomNormal", "Unique"}


@dataclass
class Node:
    """A node, in numbers. needs: the atoms without which it is not static. cost: multiply-adds, roughly."""

    op_type: str
    needs: int
    decided_by: int  # for control flow: the atoms that resolve it
    cost: int
    smaller_branch: tuple[int, int] = (0, 0)  # for If: nodes and bytes that surely go


@dataclass
class BindingTimes:
    """atoms: by name, the bit. closure: by bit, the atoms that come with it. constants: bytes, by what readers need."""

    atoms: dict[str, int] = field(default_factory=dict)
    closure: dict[int, int] = field(default_factory=dict)
    nodes: list[Node] = field(default_factory=list)
    constants: Counter[int] = field(default_factory=Counter)

    def with_shapes(self, chosen: int) -> int:
        """The atoms, and those that come with them."""
        for bit, more in self.closure.items():
            if chosen & bit:
                chosen |= more
        return chosen


def binding_times(model: ir.Model) -> BindingTimes:
    """Analyse a model; no weight is read. Function calls depend on all that they are given."""
    found = BindingTimes()
    analysis = _Analysis(found, Facts(dict(model.opset_imports)))
    for value in model.graph.inputs:
        if known(value) is None:
            analysis.enter(value)
    analysis.graph(model.graph)
    analysis.weigh(model.graph)
    return found


def _named(dim: ir.SymbolicDim) -> str:
    """The name to give with --dim; "" for none, and for what exporters write where there is none."""
    return "" if dim.value is None or str(dim.value) in PLACEHOLDERS else str(dim.value)


class _Analysis:
    """content, shape: the atoms that a value's content, and its shape, depend on."""

    def __init__(self, found: BindingTimes, facts: Facts) -> None:
        self.found, self.facts = found, facts
        self.content: dict[ir.Value, int] = {}
        self.shape: dict[ir.Value, int] = {}
        self.needs: dict[ir.Node, int] = {}

    def enter(self, value: ir.Value) -> None:
        """An input: an atom for itself, and one for each of its dimensions that has a name."""
        bit = self._atom(value.name or "")
        dims = 0
        for dim in value.shape if value.shape is not None else [ir.SymbolicDim(None)]:
            if isinstance(dim, ir.SymbolicDim):
                dims |= self._atom(_named(dim) or f"shape of {value.name}")
        self.content[value], self.shape[value] = bit, dims
        self.found.closure[bit] = dims

    def _atom(self, name: str) -> int:
        return self.found.atoms.setdefault(name, 2 << len(self.found.atoms))

    def graph(self, graph: ir.Graph) -> None:
        for node in graph:
            self._node(node)

    def _node(self, node: ir.Node) -> None:
        operands = [v for v in node.inputs if v is not None]
        bodies = subgraphs(node)
        if node.op_type in ("Loop", "Scan") and not node.domain:
            content = shape = self._loop(node, bodies)
        else:
            for body in bodies:
                self.graph(body)
            content, shape = self._of(node, operands, bodies)
        if not is_deterministic(node, self.facts):
            content |= NEVER
        for value in node.outputs:
            self.content[value], self.shape[value] = content, shape
        self.needs[node] = content

    def _of(self, node: ir.Node, operands: list[ir.Value], bodies: list[ir.Graph]) -> tuple[int, int]:
        contents, shapes = self._all(self.content, operands), self._all(self.shape, operands)
        if node.op_type in ("Shape", "Size") and not node.domain:
            return shapes, 0
        if bodies:
            results = [v for body in bodies for v in body.outputs]
            contents |= self._all(self.content, results)
            return contents, self._all(self.content, operands) | self._all(self.shape, results)
        if node.op_type in _SHAPED_BY_ALL:
            return contents | shapes, contents | shapes
        if node.op_type in _SHAPED_BY_REST:
            shapes |= self._all(self.content, operands[1:])
        return contents | shapes, shapes

    def _loop(self, node: ir.Node, bodies: list[ir.Graph]) -> int:
        """A loop is static as a whole; what it changes is not static within it."""
        needs = self._all(self.content, [*(v for v in node.inputs if v is not None), *captured(node)])
        for body in bodies:
            for value in body.inputs:
                self.content[value], self.shape[value] = needs | NEVER, needs
            self.graph(body)
            if any(self.needs[n] & NEVER and not is_deterministic(n, self.facts) for n in all_nodes(body)):
                needs |= NEVER
        return needs

    def _all(self, table: dict[ir.Value, int], values: list[ir.Value]) -> int:
        found = 0
        for value in values:
            found |= table.get(value, 0)
        return found

    def weigh(self, graph: ir.Graph) -> None:
        """What each node costs, and what reads each constant."""
        readers: dict[ir.Value, int] = {}
        for node in all_nodes(graph):
            if node.op_type == "Constant" and not node.domain:
                continue
            needs = self.needs[node]
            for value in node.inputs:
                if value is not None and _constant_bytes(value):
                    readers[value] = readers.get(value, 0) | needs
            self.found.nodes.append(Node(node.op_type, needs, self._decided(node), self._cost(node), _smaller(node)))
        for value, needs in readers.items():
            self.found.constants[needs] += _constant_bytes(value)

    def _decided(self, node: ir.Node) -> int:
        """If: its condition. Loop: how often it runs. Scan: how long its inputs are."""
        if node.domain or node.op_type not in CONTROL_FLOW:
            return 0
        if node.op_type == "Scan":
            return self._all(self.shape, [v for v in node.inputs if v is not None])
        deciding = node.inputs[: 1 if node.op_type == "If" else 2]
        return self._all(self.content, [v for v in deciding if v is not None])

    def _cost(self, node: ir.Node) -> int:
        """Elements of the weights times a nominal number of rows or places; 1024 for what has none."""
        rows = next((r for op, r in _ROWS.items() if op in node.op_type), 0)
        sizes = [self._weight(v, _STEPS) for v in node.inputs if v is not None] if rows else []
        return max(1024, max(sizes, default=0) * rows)

    def _weight(self, value: ir.Value, steps: int) -> int:
        """Elements of the largest constant that a static value is computed from, at most so many steps away."""
        if (tensor := _constant(value)) is not None:
            return int(tensor.size)
        node = value.producer()
        if node is None or not steps or self.needs.get(node):
            return 0
        return max((self._weight(v, steps - 1) for v in node.inputs if v is not None), default=0)


def _constant(value: ir.Value) -> ir.TensorProtocol | None:
    if (tensor := known(value)) is not None:
        return tensor
    node = value.producer()
    attribute = node.attributes.get("value") if node is not None and node.op_type == "Constant" else None
    is_tensor = attribute is not None and attribute.type == ir.AttributeType.TENSOR and not attribute.is_ref()
    return attribute.value if attribute is not None and is_tensor else None


def _constant_bytes(value: ir.Value) -> int:
    tensor = _constant(value)
    return 0 if tensor is None else int(tensor.nbytes)


_STEPS = 4  # from a quantised weight to who multiplies with it
_ROWS = {"MatMul": 64, "Gemm": 64, "LSTM": 64, "GRU": 64, "RNN": 64, "Conv": 1024, "ConvTranspose": 1024}


def _smaller(node: ir.Node) -> tuple[int, int]:
    if node.op_type != "If":
        return 0, 0
    branches = [list(all_nodes(g)) for g in subgraphs(node)]
    stored = [sum(_constant_bytes(v) for n in b if n.op_type == "Constant" for v in n.outputs) for b in branches]
    own = [sum(_constant_bytes(v) for v in g.initializers.values()) for g in subgraphs(node)]
    counts = [sum(1 for n in b if n.op_type != "Constant") for b in branches]
    return min(counts, default=0), min((a + b for a, b in zip(stored, own, strict=True)), default=0)
