"""The model that a canonical form describes, built anew."""

from __future__ import annotations

from collections.abc import Iterator

import onnx_ir as ir

from freezer.canonical.body import BodyBuilder, constant_node
from freezer.canonical.copies import copied_attribute, named
from freezer.canonical.form import BodyForm, Form

IR_VERSION = 10
_NEWER_TYPES = {"FLOAT4E2M1": 11, "FLOAT8E8M0": 12, "INT2": 13, "UINT2": 13}  # the IR version that brought them
_EMPTY_OPSET = 17  # of a model without nodes: it has to import something


def build_model(form: Form) -> ir.Model:
    """A new model; weights are shared with the old one, not copied."""
    functions: dict[tuple[int, ir.OperatorIdentifier], ir.Function] = {}
    for name, depth in _depths(form).items():
        function = _function(form.calls[name].name, form.functions[name], form)
        functions.setdefault((depth, function.identifier()), function)
    in_order = [functions[place] for place in sorted(functions)]  # callees first: some readers want that
    version = max([IR_VERSION, *(_NEWER_TYPES.get(dtype, 0) for dtype in _dtypes(form))])
    return ir.Model(_main(form), ir_version=version, functions=in_order)


def _depths(form: Form) -> dict[ir.OperatorIdentifier, int]:
    """How many calls deep each function goes."""
    depths: dict[ir.OperatorIdentifier, int] = {}
    for name, body in form.functions.items():
        called = {term.node.op_identifier() for term in body.ordered.flat.terms} & depths.keys()
        depths[name] = 1 + max((depths[callee] for callee in called), default=0)
    return depths


def _main(form: Form) -> ir.Graph:
    """Constants are initializers."""
    body = form.main.body
    builder = BodyBuilder(form.main, form, [value.name or "" for value in (*body.inputs, *body.outputs)])
    inputs = [builder.interface_input(value) for value in body.inputs]
    pairs = zip(form.main.ordered.flat.outputs, body.outputs, strict=True)
    outputs = [builder.interface_output(ref, value) for ref, value in pairs]
    nodes = builder.make_nodes(body)
    stored = [value for value in (*inputs, *outputs) if value.const_value is not None]
    for value, tensor in builder.constants():
        value.const_value = named(tensor, value.name)
        stored.append(value)
    return ir.Graph(inputs, outputs, nodes=nodes, initializers=stored, opset_imports=_opsets(form), name="main")


def _function(name: tuple[str, str], form: BodyForm, model: Form) -> ir.Function:
    """Constants are Constant nodes at the top: a function has no initializers."""
    body = form.body
    assert isinstance(body, ir.Function)
    builder = BodyBuilder(form, model)
    inputs = [builder.input(value, f"x{position}") for position, value in enumerate(body.inputs)]
    nodes = builder.make_nodes(body.graph)
    constants = [constant_node(value, tensor) for value, tensor in builder.constants()]
    refs = form.ordered.flat.outputs
    outputs = [builder.body_output(ref, f"y{position}", nodes) for position, ref in enumerate(refs)]
    attributes = [copied_attribute(body.attributes[attribute], []) for attribute in sorted(body.attributes)]
    graph = ir.Graph(inputs, outputs, nodes=[*constants, *nodes], opset_imports=_function_opsets(form, model))
    return ir.Function(*name, graph=graph, attributes=attributes)


def _function_opsets(form: BodyForm, model: Form) -> dict[str, int]:
    called = {term.node.op_identifier() for term in form.ordered.flat.terms} & model.calls.keys()
    opsets = {model.calls[name].name[0]: 1 for name in called} | form.opsets
    return dict(sorted(({"": form.body.opset_imports.get("", _EMPTY_OPSET)} | opsets).items()))


def _opsets(form: Form) -> dict[str, int]:
    """Those of the main graph; a runtime wants those of the functions beside them."""
    opsets = {called.name[0]: 1 for called in form.calls.values()}
    for function in form.functions.values():
        for domain, version in function.opsets.items():
            opsets[domain] = max(version, opsets.get(domain, 0))
    return dict(sorted((opsets | form.main.opsets).items())) or {"": _EMPTY_OPSET}


def _dtypes(form: Form) -> Iterator[str]:
    for body in (form.main, *form.functions.values()):
        for leaf in body.ordered.flat.leaves:
            if leaf.tensor is not None:
                yield leaf.tensor.dtype.name
