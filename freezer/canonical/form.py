"""The canonical form of a model: the ordered terms of its main graph and of each function, and their bytes."""

from __future__ import annotations

import graphlib
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

import onnx_ir as ir

from freezer.canonical.content import Contents
from freezer.canonical.encode import attribute_bytes, interface_bytes, pack
from freezer.canonical.flat import flatten
from freezer.canonical.label import Called, Labels, plain_domain
from freezer.canonical.laws import named_by_runtime
from freezer.canonical.order import Ordered, Prefer, canonical_order
from freezer.errors import ModelError
from freezer.model_io.walk import all_nodes

VERSION = "freezer canonical form 1"
FUNCTION_DOMAIN = "freezer.functions"
Identifier = ir.OperatorIdentifier


@dataclass
class BodyForm:
    """A graph or function in order. header: what its bytes begin with. opsets: those that its nodes use."""

    body: ir.Graph | ir.Function
    ordered: Ordered
    header: bytes
    opsets: dict[str, int]
    labels: Labels

    def digest(self) -> bytes:
        """SHA-256 of all its bytes."""
        return hashlib.sha256(pack(self.header, *self.ordered.lines())).digest()


@dataclass
class Form:
    """The form of a model. functions: those called, callees first; calls: how their callers see them."""

    main: BodyForm
    functions: dict[Identifier, BodyForm]
    calls: dict[Identifier, Called]
    exact: Contents

    def fingerprint(self) -> str:
        """The SHA-256 of the canonical bytes, in hex."""
        return self.main.digest().hex()


def canonical_form(
    model: ir.Model, exact: Contents, constants: Contents | None = None, prefer: Prefer | None = None
) -> Form:
    """The canonical form. constants: what stands for a constant, `exact` if not given.

    prefer: see canonical_order. Raises ModelError for broken graphs, LimitError for hopelessly symmetric ones.
    """
    forming = _Forming(exact, constants or exact, prefer)
    for name in _call_order(model):
        forming.add(name, model.functions[name])
    return Form(forming.main(model.graph), forming.forms, forming.calls, exact)


class _Forming:
    def __init__(self, exact: Contents, constants: Contents, prefer: Prefer | None) -> None:
        self._exact, self._constants, self._prefer = exact, constants, prefer
        self.forms: dict[Identifier, BodyForm] = {}
        self.calls: dict[Identifier, Called] = {}

    def main(self, graph: ir.Graph) -> BodyForm:
        interface = [part for value in graph.inputs for part in (interface_bytes(value), self._default(value))]
        interface += [interface_bytes(value) for value in graph.outputs]
        return self._form(graph, pack(VERSION, len(graph.inputs), *interface))

    def add(self, name: Identifier, function: ir.Function) -> None:
        attributes = {n: attribute_bytes(a, self._exact.label) for n, a in function.attributes.items()}
        declared = [part for n in sorted(attributes) for part in (n, attributes[n])]
        form = self._form(function, pack(len(function.inputs), *declared))
        self.forms[name] = form
        digest = form.digest()
        known = plain_domain(name[0]), name[1]
        local = FUNCTION_DOMAIN, f"function_{digest.hex()}"
        defaults = {n: data for n, data in attributes.items() if function.attributes[n].value is not None}
        self.calls[name] = Called(digest, known if named_by_runtime(known[0]) else local, defaults)

    def _default(self, value: ir.Value) -> bytes:
        return b"required" if value.const_value is None else self._constants.label(value.const_value)

    def _form(self, body: ir.Graph | ir.Function, interface: bytes) -> BodyForm:
        opsets = body.opset_imports
        labels = Labels(opsets, self.calls, self._constants, self._exact)
        ordered = canonical_order(flatten(body, labels), self._prefer)
        used = _used_opsets(ordered, opsets, self.calls)
        flat_opsets = [part for domain in sorted(used) for part in (domain, used[domain])]
        return BodyForm(body, ordered, pack(interface, pack(*flat_opsets)), used, labels)


def _used_opsets(ordered: Ordered, opsets: Mapping[str, int], calls: Mapping[Identifier, Called]) -> dict[str, int]:
    nodes = [term.node for term in ordered.flat.terms]
    used = {plain_domain(node.domain) for node in nodes if node.op_identifier() not in calls}
    return {plain_domain(domain): version for domain, version in opsets.items() if plain_domain(domain) in used}


def _call_order(model: ir.Model) -> list[Identifier]:
    """The functions that the main graph needs, callees first."""
    needed: dict[Identifier, set[Identifier]] = {}
    todo = sorted(_callees(model, model.graph))
    while todo:
        name = todo.pop()
        if name not in needed:
            needed[name] = _callees(model, model.functions[name].graph)
            todo += sorted(needed[name])
    try:
        return list(graphlib.TopologicalSorter(needed).static_order())
    except graphlib.CycleError as error:
        raise ModelError(f"function '{error.args[1][0][1]}' calls itself") from error


def _callees(model: ir.Model, body: ir.Graph) -> set[Identifier]:
    if not model.functions:
        return set()
    return {name for node in all_nodes(body) if (name := node.op_identifier()) in model.functions}
