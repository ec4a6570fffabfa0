"""Control flow and calls that known values decide: If, Loop, Scan, local functions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import onnx_ir as ir

from freezer.evaluate.batch import subgraphs
from freezer.facts.table import Facts
from freezer.options import Options
from freezer.passes.edit import Editor, make_node
from freezer.passes.log import Log
from freezer.passes.slim import slim_if, slim_loop
from freezer.passes.tensors import empty, scalar
from freezer.passes.why import live_inputs


class Context(Protocol):
    """What resolving control flow needs of the specialiser."""

    model: ir.Model
    facts: Facts
    editor: Editor
    options: Options
    log: Log


def resolve(node: ir.Node, context: Context) -> bool:
    """Resolve the node if it is control flow or a call, and decided. True if no rule may try it."""
    if node.op_identifier() in context.model.functions:
        _call(node, context)
        return True  # no rule may take a call for the standard operator of the same name
    if node.domain or node.op_type not in _RESOLVERS:
        return False
    return _RESOLVERS[node.op_type](node, context)


def splice(body: ir.Graph, before: ir.Node, arguments: Sequence[ir.Value | None], editor: Editor) -> list[ir.Value]:
    """Inline a body with its inputs replaced by arguments; the values that its outputs became."""
    given = dict(zip(body.inputs, arguments, strict=False))
    outputs = editor.inline(body, before)
    for parameter, argument in given.items():
        for user, index in parameter.uses():
            user.replace_input_with(index, argument)
    return [given.get(v, v) for v in outputs]  # type: ignore[misc]


def _finish(node: ir.Node, values: Sequence[ir.Value], event: str, context: Context) -> bool:
    for old, new in zip(node.outputs, values, strict=False):
        context.editor.replace(old, new)
    context.editor.remove(node)
    context.log.events[event] += 1
    return True


def _if(node: ir.Node, context: Context) -> bool:
    condition = context.facts.of(node.inputs[0]).known_elements
    if not condition:
        name = node.inputs[0].name if node.inputs[0] is not None else ""
        context.log.reasons[node] = f"condition '{name}' depends on {live_inputs(node.inputs[0])}"
        return slim_if(node, context.editor)
    branch = node.attributes["then_branch" if condition[0] else "else_branch"].as_graph()
    return _finish(node, splice(branch, node, (), context.editor), "inline_if", context)


def _loop(node: ir.Node, context: Context) -> bool:
    trip, start = (context.facts.of(v).known_elements if v is not None else None for v in node.inputs[:2])
    if (trip and trip[0] <= 0) or (start and not start[0]):
        return _skip_loop(node, context)
    if not trip or (node.inputs[1] is not None and not start) or not _never_breaks(node, context):
        what = node.inputs[0] if not trip and node.inputs[0] is not None else node.inputs[1]
        context.log.reasons[node] = f"the number of iterations depends on {live_inputs(what)}"
        return slim_loop(node, context.editor)
    return _unroll(node, int(trip[0]), context)


def _never_breaks(node: ir.Node, context: Context) -> bool:
    body = node.attributes["body"].as_graph()
    going_on = context.facts.of(body.outputs[0]).known_elements
    return body.outputs[0] is body.inputs[1] or bool(going_on and going_on[0])


def _skip_loop(node: ir.Node, context: Context) -> bool:
    """No iteration: carried values pass through, scan outputs are empty."""
    body, assert_graph = node.attributes["body"].as_graph(), node.graph
    assert assert_graph is not None
    carried = list(node.inputs[2:])
    stacked = [context.facts.of(v) for v in body.outputs[1 + len(carried) :]]
    if any(f.dtype is None or f.known_shape is None for f in stacked):
        context.log.reasons[node] = "it runs no iteration, but the shape of its empty scan outputs is not known"
        return False
    names = [context.editor.names.fresh(v.name or "") for v in node.outputs[len(carried) :]]
    tensors = [empty(f.dtype, (0, *f.known_shape)) for f in stacked]  # type: ignore[arg-type, misc]
    made = [context.editor.constant(assert_graph, t, n) for t, n in zip(tensors, names, strict=True)]
    return _finish(node, [*carried, *made], "skip_loop", context)  # type: ignore[list-item]


def _unroll(node: ir.Node, count: int, context: Context) -> bool:
    """Known iterations: one copy of the body each. Scan outputs are unsqueezed and concatenated."""
    body = node.attributes["body"].as_graph()
    size = count * sum(1 for _ in body.all_nodes())
    if size > context.options.unroll_nodes:
        context.log.reasons[node] = f"unrolling {count} iterations would make {size} nodes (--unroll-nodes)"
        return slim_loop(node, context.editor)
    values, stacks = list(node.inputs[2:]), [[] for _ in body.outputs[len(node.inputs) - 1 :]]  # type: ignore[var-annotated]
    _share_constants(body, node, context.editor)
    for i in range(count):
        outputs = splice(_copy(body, context.editor), node, [*_counters(node, i, context), *values], context.editor)
        values = outputs[1 : 1 + len(values)]  # type: ignore[assignment]
        for stack, value in zip(stacks, outputs[1 + len(values) :], strict=True):
            stack.append(value)
    stacked = [_stack(stack, 0, node, context.editor) for stack in stacks]
    return _finish(node, [*values, *stacked], "unroll_loop", context)  # type: ignore[list-item]


def _counters(node: ir.Node, iteration: int, context: Context) -> list[ir.Value]:
    """The iteration number and the condition, as constants."""
    graph, fresh = node.graph, context.editor.names.fresh
    assert graph is not None
    contents = (scalar(iteration), scalar(True))
    return [context.editor.constant(graph, t, fresh(f"{node.outputs[0].name}_i")) for t in contents]


def _share_constants(body: ir.Graph, node: ir.Node, editor: Editor) -> None:
    """Move a body's constants outside, so that its copies share them."""
    assert node.graph is not None
    for value in list(body.initializers.values()):
        if not value.is_graph_output():
            body.initializers.pop(value.name)
            node.graph.register_initializer(value)


def _copy(body: ir.Graph, editor: Editor) -> ir.Graph:
    """A copy with fresh names everywhere."""
    copy = body.clone(allow_outer_scope_values=True)
    graphs = [copy, *(g for n in copy.all_nodes() for g in subgraphs(n))]
    for graph in graphs:
        for value in [*graph.inputs, *graph.initializers.values(), *(v for n in graph for v in n.outputs)]:
            value.name = editor.names.fresh(value.name or "")
    for node in copy:
        editor.adopt(node)
    return copy


def _stack(values: list[ir.Value], axis: int, node: ir.Node, editor: Editor) -> ir.Value:
    """values stacked along a new axis, by nodes before `node`."""
    graph = node.graph
    assert graph is not None
    if editor.facts.opset_imports.get("", 0) < 13:
        parts = [make_node("Unsqueeze", [v], axes=[axis]) for v in values]
    else:
        axes = editor.constant(graph, _int_vector([axis]), editor.names.fresh(f"{node.outputs[0].name}_axes"))
        parts = [make_node("Unsqueeze", [v, axes]) for v in values]
    joined = make_node("Concat", [p.outputs[0] for p in parts], axis=axis)
    for new in (*parts, joined):
        new.outputs[0].name = new.name = editor.names.fresh(f"{node.outputs[0].name}_{new.op_type.lower()}")
    graph.insert_before(node, [*parts, joined])
    for new in (*parts, joined):
        editor.touch(new)
    return joined.outputs[0]


def _int_vector(values: list[int]) -> ir.TensorProtocol:
    return ir.tensor(values, dtype=ir.DataType.INT64)


def _call(node: ir.Node, context: Context) -> bool:
    """Inline a call of a local function when an argument is static."""
    function = context.model.functions[node.op_identifier()]
    arguments = [v for v in node.inputs if v is not None]
    if arguments and not any(context.facts.of(v).static for v in arguments):
        return False
    if clash := _other_opset(function, context.model):
        context.log.reasons[node] = f"function '{function.name}' uses {clash}, the model another version"
        return False
    body = _copy_function(function, node, context.editor)
    arguments_all = [*node.inputs, *[None] * (len(body.inputs) - len(node.inputs))]
    return _finish(node, splice(body, node, arguments_all, context.editor), "inline_function", context)


def _other_opset(function: ir.Function, model: ir.Model) -> str | None:
    for domain, version in function.opset_imports.items():
        if model.opset_imports.setdefault(domain, version) != version:
            return f"opset {version} of '{domain or 'ai.onnx'}'"
    return None


def _copy_function(function: ir.Function, call: ir.Node, editor: Editor) -> ir.Graph:
    """The body of a function with the call's attributes in place of references to them."""
    given = {**{a.name: a for a in function.attributes.values() if a.value is not None}, **call.attributes}
    body = _copy(function.graph, editor)
    for node in body.all_nodes():
        for name, attribute in list(node.attributes.items()):
            if attribute.is_ref():
                _dereference(node, name, attribute, given.get(attribute.ref_attr_name or ""))
    return body


def _dereference(node: ir.Node, name: str, reference: ir.Attr, given: ir.Attr | None) -> None:
    if given is None:
        node.attributes.pop(name)
    else:
        node.attributes[name] = ir.Attr(name, reference.type, given.value)


_RESOLVERS = {"If": _if, "Loop": _loop}
