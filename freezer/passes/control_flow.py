"""Control flow and calls that known values decide: If, Loop, Scan, local functions."""

from __future__ import annotations

import onnx_ir as ir

from freezer.model_io.walk import all_nodes
from freezer.passes.edit import Editor
from freezer.passes.slim import slim_if, slim_loop
from freezer.passes.splice import Context, copy_body, finish, splice, through_identity
from freezer.passes.tensors import empty
from freezer.passes.unroll import unroll_loop, unroll_scan
from freezer.passes.why import live_inputs


def resolve(node: ir.Node, context: Context) -> bool:
    """Resolve the node if it is control flow or a call, and decided. True if no rule may try it."""
    if node.op_identifier() in context.model.functions:
        _call(node, context)
        return True  # no rule may take a call for the standard operator of the same name
    if node.domain or node.op_type not in _RESOLVERS:
        return False
    return _RESOLVERS[node.op_type](node, context)


def _if(node: ir.Node, context: Context) -> bool:
    condition = context.facts.of(node.inputs[0]).known_elements or context.decided.get(node)
    if not condition:
        name = node.inputs[0].name if node.inputs[0] is not None else ""
        context.log.reasons[node] = f"condition '{name}' depends on {live_inputs(node.inputs[0])}"
        return slim_if(node, context.editor)
    if not context.log.spend("inline_if", node.name):
        return False
    branch = node.attributes["then_branch" if condition[0] else "else_branch"].as_graph()
    return finish(node, splice(branch, node, (), context.editor), context)


def _loop(node: ir.Node, context: Context) -> bool:
    trip, start = (context.facts.of(v).known_elements if v is not None else None for v in node.inputs[:2])
    if context.facts.of(node.outputs[0]).static:
        return False  # to be evaluated as a whole
    if (trip and trip[0] <= 0) or (start and not start[0]):
        return _skip_loop(node, context)
    if not trip or (node.inputs[1] is not None and not start) or not _never_breaks(node, context):
        context.log.reasons[node] = f"the number of iterations depends on {_what_counts(node, bool(trip))}"
        return slim_loop(node, context.editor)
    return unroll_loop(node, int(trip[0]), context)


def _what_counts(node: ir.Node, has_count: bool) -> str:
    if not has_count and node.inputs[0] is not None:
        return live_inputs(node.inputs[0])
    body = node.attributes["body"].as_graph()
    return f"'{body.outputs[0].name}', which the body computes"


def _never_breaks(node: ir.Node, context: Context) -> bool:
    body = node.attributes["body"].as_graph()
    going_on = context.facts.of(body.outputs[0]).known_elements
    return through_identity(body.outputs[0]) is body.inputs[1] or bool(going_on and going_on[0])


def _skip_loop(node: ir.Node, context: Context) -> bool:
    """No iteration: carried values pass through, scan outputs are empty."""
    body, graph = node.attributes["body"].as_graph(), node.graph
    assert graph is not None
    carried = list(node.inputs[2:])
    if any(isinstance(context.facts.of(v).type, ir.OptionalType) for v in carried if v is not None):
        context.log.reasons[node] = "it runs no iteration, but carries an optional, which it may turn into a value"
        return False
    stacked = [context.facts.of(v) for v in body.outputs[1 + len(carried) :]]
    declared = [_sizes(v) for v in body.outputs[1 + len(carried) :]]
    if any(d is not None and d != f.known_shape for d, f in zip(declared, stacked, strict=True)):
        context.log.reasons[node] = "it runs no iteration, and declares another shape of its empty scan outputs"
        return False
    if any(f.dtype is None or f.known_shape is None for f in stacked):
        context.log.reasons[node] = "it runs no iteration, but the shape of its empty scan outputs is not known"
        return False
    if not context.log.spend("skip_loop", node.name):
        return False
    names = [context.editor.names.fresh(v.name or "") for v in node.outputs[len(carried) :]]
    tensors = [empty(f.dtype, (0, *f.known_shape)) for f in stacked]  # type: ignore[arg-type, misc]
    made = [context.editor.constant(graph, t, n) for t, n in zip(tensors, names, strict=True)]
    return finish(node, [*carried, *made], context)  # type: ignore[list-item]


def _sizes(value: ir.Value) -> tuple[int, ...] | None:
    """The declared shape, if all of it is: onnxruntime gives an empty scan output that one."""
    if value.shape is None or not all(isinstance(d, int) for d in value.shape):
        return None
    return tuple(int(d) for d in value.shape)  # type: ignore[arg-type]


def _call(node: ir.Node, context: Context) -> bool:
    """Inline a call of a local function when an argument is static."""
    function = context.model.functions[node.op_identifier()]
    arguments = [v for v in node.inputs if v is not None]
    if arguments and not any(context.facts.of(v).static for v in arguments):
        return False
    if clash := _other_opset(function, context.model):
        context.log.reasons[node] = f"function '{function.name}' uses {clash}, the model another version"
        return False
    if wrong := _wrong_attribute(function, node):
        context.log.reasons[node] = f"its attribute '{wrong}' is not of the type that function '{function.name}' reads"
        return False
    if not context.log.spend("inline_function", node.name):
        return False
    body = _copy_function(function, node, context.editor)
    arguments_all = [*node.inputs, *[None] * (len(body.inputs) - len(node.inputs))]
    return finish(node, splice(body, node, arguments_all, context.editor), context)


def _other_opset(function: ir.Function, model: ir.Model) -> str | None:
    for domain, version in function.opset_imports.items():
        if model.opset_imports.setdefault(domain, version) != version:
            return f"opset {version} of '{domain or 'ai.onnx'}'"
    return None


def _wrong_attribute(function: ir.Function, call: ir.Node) -> str | None:
    """The name of an attribute of the call that the function reads as another type."""
    references = (a for n in all_nodes(function.graph) for a in n.attributes.values() if a.is_ref())
    pairs = ((a, _given(function, call).get(a.ref_attr_name or "")) for a in references)
    return next((given.name for a, given in pairs if given is not None and given.type != a.type), None)


def _given(function: ir.Function, call: ir.Node) -> dict[str, ir.Attr]:
    """The attributes of a call, with the function's defaults for those that it does not give."""
    return {**{a.name: a for a in function.attributes.values() if a.value is not None}, **call.attributes}


def _copy_function(function: ir.Function, call: ir.Node, editor: Editor) -> ir.Graph:
    """The body of a function with the call's attributes in place of references to them."""
    given = _given(function, call)
    body = copy_body(function.graph, editor)
    for node in all_nodes(body):
        for name, attribute in list(node.attributes.items()):
            if attribute.is_ref():
                _dereference(node, name, attribute, given.get(attribute.ref_attr_name or ""))
    return body


def _dereference(node: ir.Node, name: str, reference: ir.Attr, given: ir.Attr | None) -> None:
    if given is None:
        node.attributes.pop(name)
    else:
        node.attributes[name] = ir.Attr(name, reference.type, given.value)


_RESOLVERS = {"If": _if, "Loop": _loop, "Scan": unroll_scan}
