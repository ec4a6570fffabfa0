"""Another spelling of the same model: all that must not count changes. On protobuf, apart from freezer."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from random import Random

import numpy as np
import onnx
from onnx import numpy_helper

GRAPH = onnx.AttributeProto.GRAPH


def respell(model: onnx.ModelProto, seed: int) -> onnx.ModelProto:
    """A model with other names, order, storage, documentation and dead matter, but the same meaning."""
    rng = Random(seed)
    made = onnx.ModelProto()
    made.CopyFrom(model)
    made.ir_version, made.producer_name, made.doc_string = rng.choice([10, 11]), "respelt", "no matter"
    made.metadata_props.add(key="where", value=str(seed))
    _rename_functions(made)
    for function in made.functions:
        names = _fresh_names(rng, [*function.input, *_defined(function.node)], set())
        function.input[:], function.output[:] = [[names[n] for n in part] for part in (function.input, function.output)]
        _rename_nodes(function.node, [names], rng)
        _reorder(function.node, rng)
    fixed = {value.name for value in (*made.graph.input, *made.graph.output)}
    _graph(made.graph, [], fixed, rng)
    opsets = [(item.domain, item.version) for item in made.opset_import] + [("never.used", 3)]
    rng.shuffle(opsets)
    del made.opset_import[:]
    for domain, version in opsets:
        made.opset_import.add(domain=domain, version=version)
    return made


def _rename_functions(model: onnx.ModelProto) -> None:
    names = {(f.domain, f.name): f"function_{i}" for i, f in enumerate(model.functions)}
    for node in _all_nodes(model):
        node.op_type = names.get((node.domain, node.op_type), node.op_type)
    for function in model.functions:
        function.name = names[function.domain, function.name]


def _graph(graph: onnx.GraphProto, outer: list[dict[str, str]], fixed: set[str], rng: Random) -> None:
    _move_constants(graph, fixed, rng)
    inner = [v.name for v in graph.input] + [t.name for t in graph.initializer] + _defined(graph.node)
    names = _fresh_names(rng, inner, fixed)
    _rename_nodes(graph.node, [*outer, names], rng)
    for tensor in graph.initializer:
        tensor.name = names[tensor.name]
    for value in (*graph.input, *graph.output):
        value.name = names[value.name]
    del graph.value_info[:]
    graph.doc_string = "a graph"
    _add_dead_matter(graph, rng)
    _reorder(graph.node, rng)
    tensors = list(graph.initializer)
    rng.shuffle(tensors)
    del graph.initializer[:]
    graph.initializer.extend(tensors)


def _rename_nodes(nodes: Iterable[onnx.NodeProto], scopes: list[dict[str, str]], rng: Random) -> None:
    for node in nodes:
        node.name, node.doc_string = f"n{rng.random()}", "a node"
        node.input[:] = [_look_up(name, scopes) for name in node.input] + [""] * _may_pad(node)
        node.output[:] = [_look_up(name, scopes) for name in node.output]
        _spell_defaults(node)
        for attribute in node.attribute:
            if attribute.type == GRAPH:
                _graph(attribute.g, scopes, set(), rng)


def _may_pad(node: onnx.NodeProto) -> int:
    return 1 if node.op_type == "Clip" and len(node.input) == 2 else 0


def _spell_defaults(node: onnx.NodeProto) -> None:
    """Write the default of every attribute that has one and is not there."""
    if node.domain:
        return
    for attribute in onnx.defs.get_schema(node.op_type, 17, "").attributes.values():
        if attribute.default_value.type and attribute.name not in [a.name for a in node.attribute]:
            node.attribute.append(attribute.default_value)


def _move_constants(graph: onnx.GraphProto, fixed: set[str], rng: Random) -> None:
    """Some initializers become Constant nodes, some Constant nodes become initializers, some constants two."""
    inputs = {value.name for value in graph.input}
    for tensor in list(graph.initializer):
        if tensor.name in inputs | fixed or rng.random() < 0.5:
            continue
        graph.initializer.remove(tensor)
        graph.node.insert(0, onnx.helper.make_node("Constant", [], [tensor.name], value=tensor))
    for node in [node for node in graph.node if node.op_type == "Constant"]:
        if rng.random() < 0.5 and node.attribute[0].name in _FORMS:
            graph.node.remove(node)
            array = _FORMS[node.attribute[0].name](node.attribute[0])
            graph.initializer.append(numpy_helper.from_array(array, node.output[0]))
    for tensor in list(graph.initializer):
        if tensor.name not in inputs | fixed and rng.random() < 0.5:
            _repeat(graph, tensor)


_FORMS = {
    "value": lambda a: numpy_helper.to_array(a.t),
    "value_float": lambda a: np.float32(a.f),
    "value_floats": lambda a: np.array(a.floats, np.float32),
    "value_int": lambda a: np.int64(a.i),
    "value_ints": lambda a: np.array(a.ints, np.int64),
}


def _repeat(graph: onnx.GraphProto, tensor: onnx.TensorProto) -> None:
    """A second copy of the constant, for the first node that reads it directly."""
    for node in graph.node:
        if tensor.name in node.input:
            again = graph.initializer.add()
            again.CopyFrom(tensor)
            again.name = f"{tensor.name}_again"
            node.input[list(node.input).index(tensor.name)] = again.name
            return


def _add_dead_matter(graph: onnx.GraphProto, rng: Random) -> None:
    graph.initializer.append(numpy_helper.from_array(np.arange(3.0), f"unused{rng.random()}"))
    made = [f"dead{rng.random()}", f"dead{rng.random()}"]
    graph.node.append(onnx.helper.make_node("RandomNormal", [], made[:1], shape=[2]))
    graph.node.append(onnx.helper.make_node("Exp", made[:1], made[1:]))


def _reorder(nodes: list[onnx.NodeProto], rng: Random) -> None:
    """A random order among those in which every value is made before it is read."""
    left, order = list(nodes), []
    while left:
        waiting = {name for node in left for name in node.output if name}
        ready = [node for node in left if waiting.isdisjoint(_read(node))]
        order.append(rng.choice(ready))
        left.remove(order[-1])
    copies = [type(node).FromString(node.SerializeToString()) for node in order]
    del nodes[:]
    nodes.extend(copies)


def _read(node: onnx.NodeProto) -> set[str]:
    """The names a node reads, those that its bodies capture included (and those inside, which does no harm)."""
    names = set(node.input)
    for attribute in node.attribute:
        for inner in attribute.g.node if attribute.type == GRAPH else ():
            names |= _read(inner)
        names |= {value.name for value in attribute.g.output} if attribute.type == GRAPH else set()
    return names


def _fresh_names(rng: Random, names: Iterable[str], fixed: set[str]) -> dict[str, str]:
    return {name: name if name in fixed else f"v{rng.random()}" for name in names if name}


def _look_up(name: str, scopes: list[dict[str, str]]) -> str:
    return next((scope[name] for scope in reversed(scopes) if name in scope), name)


def _defined(nodes: Iterable[onnx.NodeProto]) -> list[str]:
    return [name for node in nodes for name in node.output if name]


def _all_nodes(model: onnx.ModelProto) -> Iterator[onnx.NodeProto]:
    todo = [list(model.graph.node), *(list(function.node) for function in model.functions)]
    while todo:
        for node in todo.pop():
            yield node
            todo += [list(a.g.node) for a in node.attribute if a.type == GRAPH]
