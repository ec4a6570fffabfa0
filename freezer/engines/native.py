"""freezer's own specialiser as an adapter, for measuring it as the others are measured. Child side."""

from __future__ import annotations

import json
from pathlib import Path

import onnx
import onnx_ir as ir

from freezer.bindings import Bindings
from freezer.model_io import load, save
from freezer.pipeline import specialise, start_worker

CASE = "case.json"  # in the folder of the source: dims, shapes and the names of the frozen inputs
VALUE = "value.{}.pb"


def fold(source: str, target: str) -> None:
    """Specialise the unbound model UNBOUND in the source's folder to the case written beside it."""
    folder = Path(source).parent
    with start_worker() as worker:
        loaded = load(folder / UNBOUND)
        save(specialise(loaded, read_case(folder), worker=worker).model, target, external_data="inline")


UNBOUND = "unbound.onnx"


def write_case(folder: Path, bindings: Bindings) -> None:
    """What is frozen, for fold()."""
    shapes = {name: list(shape) for name, shape in bindings.shapes.items()}
    case = {"names": list(bindings.values), "dims": bindings.dims, "shapes": shapes}
    (folder / CASE).write_text(json.dumps(case))
    for number, tensor in enumerate(bindings.values.values()):
        (folder / VALUE.format(number)).write_bytes(ir.to_proto(tensor).SerializeToString())


def read_case(folder: Path) -> Bindings:
    """What write_case() wrote."""
    case = json.loads((folder / CASE).read_text())
    protos = [onnx.TensorProto.FromString((folder / VALUE.format(n)).read_bytes()) for n in range(len(case["names"]))]
    values = {name: ir.from_proto(proto) for name, proto in zip(case["names"], protos, strict=True)}
    return Bindings(values, case["dims"], {name: tuple(shape) for name, shape in case["shapes"].items()})
