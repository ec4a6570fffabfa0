"""Loads a model: parsed, checked and put into the form the rest of freezer relies on."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import onnx
import onnx_ir as ir

from freezer.errors import ModelError, UsageError
from freezer.model_io.attributes import Contents
from freezer.model_io.convert import folder_of, from_proto, to_proto
from freezer.model_io.external import DataFolder
from freezer.model_io.header import check_header
from freezer.model_io.read import read_model
from freezer.model_io.source import Source, stamp_of
from freezer.model_io.structure import check_structure
from freezer.model_io.walk import all_nodes

_NOT_KEPT = ("training_info", "configuration")  # onnx_ir has no place for them
Pathlike = str | os.PathLike


def load(model: Any, *, base_dir: Pathlike | None = None, allow_link: Pathlike | None = None) -> Source:
    """Load a path, an onnx.ModelProto, an onnx_ir.Model or an onnx_graphsurgeon.Graph.

    No weight in external data is read, and the caller's object is not changed. base_dir: where the
    external data of a model given as an object lies. allow_link: a folder that external data may
    be linked from (a model hub's cache). Raises ModelError for a file that is missing, broken or breaks
    ONNX's rules, UsageError for another kind of object.
    """
    if isinstance(model, (str, os.PathLike)):
        return _load_path(Path(model), allow_link)
    kind, original = _original(model)
    folder = base_dir
    if folder is None and kind == "ir":
        folder = folder_of(model)
    proto = onnx.ModelProto()
    proto.CopyFrom(original())
    source = _source(proto, kind, DataFolder(None if folder is None else Path(folder), allow_link))
    source.original = original
    return source


def _load_path(path: Path, allow_link: Pathlike | None) -> Source:
    proto = read_model(path)
    stamp = stamp_of(path)
    source = _source(proto, "path", DataFolder(path.parent, allow_link))
    source.path, source.stamp = path, stamp
    return source


def _source(proto: onnx.ModelProto, kind: str, data: DataFolder) -> Source:
    """proto: a private copy."""
    try:
        return _checked(proto, kind, data)
    except RecursionError:
        raise ModelError("the model nests subgraphs too deeply") from None
    except (UnicodeError, ir.serde.SerdeError):
        raise ModelError("the model holds names that are not UTF-8 text") from None


def _checked(proto: onnx.ModelProto, kind: str, data: DataFolder) -> Source:
    check_header(proto)
    folder = "" if data.folder is None else os.fspath(data.folder)
    contents = Contents(data.check, folder)
    contents.settle(proto)
    is_sorted = check_structure(proto)
    contents.notes += _settle_old_defaults(proto)
    contents.notes += [f"the model's {field} is not kept" for field in _NOT_KEPT if len(getattr(proto, field, ()))]
    model = from_proto(proto, folder if data.bytes_by_file else "")
    if not is_sorted:
        _sort(model)
    return Source(model, None, kind, data.folder, dict(data.bytes_by_file), contents.notes)


def _settle_old_defaults(proto: onnx.ModelProto) -> list[str]:
    """Before IR version 4 every initializer had to be listed as an input, and could not be fed: it is no default."""
    if proto.ir_version >= 4:
        return []
    constants = {t.name for t in proto.graph.initializer}
    inputs = [v.SerializeToString() for v in proto.graph.input if v.name not in constants]
    dropped, version = len(proto.graph.input) - len(inputs), proto.ir_version
    del proto.graph.input[:]
    proto.graph.input.extend(onnx.ValueInfoProto.FromString(v) for v in inputs)
    proto.ir_version = 4
    return [f"IR version {version} lists constants as inputs; {dropped} left the inputs"] if dropped else []


def _sort(model: ir.Model) -> None:
    for graph in (model.graph, *(f.graph for f in model.functions.values())):
        try:
            graph.sort()
        except ValueError:
            raise ModelError(f"the model has a cycle: {_cycle(graph)}") from None


def _cycle(graph: ir.Graph) -> str:
    """The nodes of a cycle, in words. A node also waits for what its subgraphs read."""
    import networkx

    owners = {g: n for n in all_nodes(graph) for a in n.attributes.values() for g in _attribute_graphs(a)}
    edges = networkx.DiGraph()
    for node in all_nodes(graph):
        readers = [node]
        while (owner := owners.get(readers[-1].graph)) is not None:  # type: ignore[arg-type]
            readers.append(owner)
        producers = [v.producer() for v in node.inputs if v is not None]
        edges.add_edges_from((p, r) for p in producers if p is not None for r in readers)
    cycle = networkx.find_cycle(edges)
    names = [f"'{n.name or n.outputs[0].name}' ({n.op_type})" for n, *_ in cycle[:4]]
    return f"{' -> '.join(names)} -> {'...' if len(cycle) > 4 else names[0]}"


def _attribute_graphs(attribute: ir.Attr) -> list[ir.Graph]:
    if attribute.type == ir.AttributeType.GRAPH and not attribute.is_ref():
        return [attribute.as_graph()]
    return list(attribute.as_graphs()) if attribute.type == ir.AttributeType.GRAPHS else []


def _original(model: Any) -> tuple[str, Callable[[], onnx.ModelProto]]:
    if isinstance(model, onnx.ModelProto):
        return "proto", lambda: model
    if isinstance(model, ir.Model):
        return "ir", lambda: to_proto(model)
    if type(model).__module__.startswith("onnx_graphsurgeon"):
        return "graphsurgeon", lambda: _from_graphsurgeon(model)
    kind = f"{type(model).__module__}.{type(model).__qualname__}"
    raise UsageError(
        f"cannot load a {kind}: give a path, an onnx.ModelProto, an onnx_ir.Model or an onnx_graphsurgeon.Graph"
    )


def _from_graphsurgeon(graph: Any) -> onnx.ModelProto:
    import onnx_graphsurgeon

    return onnx_graphsurgeon.export_onnx(graph)
