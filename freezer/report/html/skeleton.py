"""The skeleton of a model: what a drawing needs, without a tensor."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import onnx_ir as ir

from freezer.model_io.walk import subgraphs
from freezer.passes.log import Log
from freezer.passes.origins import Origins
from freezer.report.side import op_name

Path = tuple[str, ...]
_QUOTED = re.compile("'([^']*)'")
LONGEST = 300  # characters of a name that are shown


@dataclass(slots=True)
class Leaf:
    """A node, or an input or output (op "input", "output").

    path: the scopes around it: bodies, and what slashes in its name separate. opens: whether bodies lie below it, at
    path + (name's last part,). nbytes: of the constants that only it reads, or that it reads first.
    """

    name: str
    op: str
    path: Path
    opens: bool = False
    nbytes: int = 0

    @property
    def label(self) -> str:
        """The last part of its name."""
        return self.name.rstrip("/").rpartition("/")[2] or self.name

    @property
    def home(self) -> Path:
        """Where it is in the tree: inside its own group if it has bodies."""
        return (*self.path, self.label) if self.opens else self.path


@dataclass(slots=True)
class Skeleton:
    """leaves: in the model's order, which is topological in each graph. edges: from and to, by index."""

    leaves: list[Leaf] = field(default_factory=list)
    edges: dict[tuple[int, int], None] = field(default_factory=dict)


def skeleton_of(model: ir.Model) -> Skeleton:
    """The skeleton of a model. Nodes are named as a trace names them; Constant nodes count as constants."""
    return _Builder(model).build()


class _Builder:
    def __init__(self, model: ir.Model) -> None:
        self.model = model
        self.names = Origins(model, Log()).of
        self.found = Skeleton()
        self.maker: dict[ir.Value, int] = {}
        self.counted: set[ir.Value] = set()

    def build(self) -> Skeleton:
        graph = self.model.graph
        for value in graph.inputs:
            self.maker[value] = self._add(Leaf(value.name or "", "input", ()))
        self._enter(graph, ())
        for function in self.model.functions.values():
            self._enter(function.graph, (f"function {function.domain}.{function.name}",))
        for value in graph.outputs:
            self._read(self._add(Leaf(value.name or "", "output", ())), [value])
        return self.found

    def _add(self, leaf: Leaf) -> int:
        self.found.leaves.append(leaf)
        return len(self.found.leaves) - 1

    def _enter(self, graph: Iterable[ir.Node], path: Path) -> None:
        stack = [(path, iter(list(graph)))]
        while stack:
            here, nodes = stack[-1]
            node = next(nodes, None)
            if node is None:
                stack.pop()
            elif not is_constant(node):
                stack.extend((place, iter(list(body))) for place, body in reversed(self._node(node, here)))

    def _node(self, node: ir.Node, here: Path) -> list[tuple[Path, ir.Graph]]:
        """Add a node; its bodies, and where they are."""
        name = self.names[node][0]
        bodies = list(bodies_of(node))
        inside = exported_scopes(node) or scopes(name, here)
        leaf = Leaf(name, op_name(node), (*here, *inside), bool(bodies))
        index = self._add(leaf)
        self.maker.update((value, index) for value in node.outputs)
        self._read(index, [v for v in node.inputs if v is not None])
        for _, body in bodies:
            self._read(index, [v for v in body.outputs if v.producer() is None])
        return [((*leaf.home, place) if len(bodies) > 1 else leaf.home, body) for place, body in bodies]

    def _read(self, index: int, values: Iterable[ir.Value]) -> None:
        for value in values:
            maker = self.maker.get(value)
            if maker is not None and maker != index:
                self.found.edges[maker, index] = None
            elif maker is None and value not in self.counted and (tensor := tensor_of(value)) is not None:
                self.counted.add(value)
                self.found.leaves[index].nbytes += tensor.nbytes


def bodies_of(node: ir.Node) -> Iterator[tuple[str, ir.Graph]]:
    """The bodies of a node, each with its attribute's name."""
    places = [
        name for name, a in node.attributes.items() if a.type in (ir.AttributeType.GRAPH, ir.AttributeType.GRAPHS)
    ]
    bodies = subgraphs(node)
    if len(places) != len(bodies):
        places = [f"body {i}" for i in range(len(bodies))]
    return zip(places, bodies, strict=True)


def is_constant(node: ir.Node) -> bool:
    """Whether it is a node that only holds a tensor."""
    return node.op_type == "Constant" and node.domain in ("", "ai.onnx")


def tensor_of(value: ir.Value) -> ir.TensorProtocol | None:
    """The tensor that a value is: an initializer, or what a Constant node holds."""
    node = value.producer()
    if node is None:
        return value.const_value
    held = node.attributes.get("value") if is_constant(node) else None
    return None if held is None or held.is_ref() else held.as_tensor()


def scopes(name: str, here: Path) -> Path:
    """('encoder', 'layer.0') of /encoder/layer.0/MatMul; without those that lead to `here` already."""
    parts = [part for part in name.strip("/").split("/")[:-1] if part][:32]
    known = 0
    while known < min(len(parts), len(here)) and parts[known] == here[known]:
        known += 1
    return tuple(parts[known:])


def exported_scopes(node: ir.Node) -> Path:
    """('encoder', 'layers.0') where torch's exporter wrote ['', 'encoder', 'encoder.layers.0', 'add']."""
    names = _QUOTED.findall(node.metadata_props.get("pkg.torch.onnx.name_scopes", "")[:4000])[:-1][:32]
    names = [name for name in names if name and not name.startswith("_empty_nn_module_stack")]
    return tuple(name.removeprefix(f"{above}.") for above, name in zip(["", *names], names, strict=False))
