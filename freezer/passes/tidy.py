"""What is left over goes: unread constants, inputs, functions, opset imports."""

from __future__ import annotations

from collections.abc import Collection

import onnx_ir as ir

from freezer.model_io.walk import all_nodes, graphs_in
from freezer.naming import name_of
from freezer.passes.edit import Editor

_TRACES = ("pkg.torch.onnx.stack_trace", "pkg.torch.onnx.fx_node")
_OLDEST_OPSET = 9  # for a model that imports no standard operators


def drop_unused_constants(model: ir.Model) -> None:
    """Initializers that nobody reads go, unless they are inputs (defaults) or outputs."""
    for graph in graphs_in(model.graph):
        for name, value in list(graph.initializers.items()):
            if not value.uses() and not value.is_graph_input() and not value.is_graph_output():
                graph.initializers.pop(name)


def drop_unused_functions(model: ir.Model) -> None:
    """Local functions that no call reaches go."""
    reached: set[tuple[str, str, str]] = set()
    stack = [model.graph]
    while stack:
        for node in all_nodes(stack.pop()):
            identifier = node.op_identifier()
            if identifier in model.functions and identifier not in reached:
                reached.add(identifier)
                stack.append(model.functions[identifier].graph)
    for identifier in list(model.functions):
        if identifier not in reached:
            del model.functions[identifier]


def drop_unused_opsets(model: ir.Model) -> None:
    """Imports of domains that no node uses go. The standard one stays or comes: folding may have added Constants."""
    used = {n.domain for n in all_nodes(model.graph)} | {""}
    used.update(f.domain for f in model.functions.values())
    imports = model.opset_imports
    imports.setdefault("", _OLDEST_OPSET)
    for domain in [d for d in imports if d not in used]:
        del imports[domain]


def drop_export_traces(model: ir.Model) -> None:
    """The exporter's stack traces go: source lines and paths of the exporting machine, up to a quarter of a file."""
    for node in all_nodes(model.graph):
        for key in _TRACES:
            node.metadata_props.pop(key, None)


def prune_dead_inputs(model: ir.Model) -> list[str]:
    """Inputs that nothing reads go; their names."""
    dead = [v for v in model.graph.inputs if not v.uses() and not v.is_graph_output()]
    for value in dead:
        model.graph.inputs.remove(value)
        model.graph.initializers.pop(name_of(value), None)
    return [v.name or "" for v in dead]


def write_certain_types(model: ir.Model, editor: Editor, had_types: Collection[str]) -> None:
    """value_info for values that had one before, where dtype and every dim are certain now."""
    for graph in graphs_in(model.graph):
        for node in graph:
            for value in node.outputs:
                if value.name in had_types and not value.is_graph_output():
                    _declare(value, editor)


def _declare(value: ir.Value, editor: Editor) -> None:
    fact = editor.facts.of(value)
    if fact.dtype is not None and fact.known_shape is not None:
        value.type = ir.TensorType(fact.dtype)
        value.shape = ir.Shape(fact.known_shape)


def refine_outputs(model: ir.Model, editor: Editor) -> None:
    """Sizes that the declared types of outputs leave open, where they are certain now; names and dtypes stay."""
    for value in model.graph.outputs:
        known = editor.facts.of(value).shape
        if value.shape is not None and known is not None and len(known) == len(value.shape):
            value.shape = ir.Shape([k if isinstance(k, int) else d for d, k in zip(value.shape, known, strict=True)])
