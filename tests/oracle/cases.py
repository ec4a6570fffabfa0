"""onnx's own backend test cases: those made in memory, and those the wheel ships as files."""

from __future__ import annotations

import glob
import os
import warnings
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import onnx

_SHIPPED = ("simple", "pytorch-converted", "pytorch-operator")


@dataclass
class Case:
    """A model and one feed, by input name."""

    name: str
    model: onnx.ModelProto
    feed: dict[str, object]


def made_in_memory() -> list[Case]:
    """One case for each node test."""
    from onnx.backend.test.case.node import collect_testcases

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # overflow is part of some cases
        found = [c for c in collect_testcases(None) if c.model is not None]
    return [Case(c.name, c.model, _feed(c.model, c.data_sets[0][0])) for c in found]


def shipped() -> list[Case]:
    """The cases that lie as files in the onnx package."""
    from onnx.backend.test.loader import load_model_tests

    return [case for kind in _SHIPPED for c in load_model_tests(kind=kind) if (case := _read(c.name, c.model_dir))]


def _read(name: str, folder: str) -> Case | None:
    model = onnx.load(os.path.join(folder, "model.onnx"))
    files = sorted(glob.glob(os.path.join(folder, "test_data_set_0", "input_*.pb")))
    values = [_value(path, entry.type) for path, entry in zip(files, model.graph.input, strict=False)]
    return Case(name, model, _feed(model, values)) if values else None


def _value(path: str, kind: onnx.TypeProto) -> object:
    with open(path, "rb") as file:
        data = file.read()
    if kind.WhichOneof("value") == "tensor_type":
        return onnx.numpy_helper.to_array(onnx.TensorProto.FromString(data))
    return onnx.numpy_helper.to_list(onnx.SequenceProto.FromString(data))


def _feed(model: onnx.ModelProto, values: list[object]) -> dict[str, object]:
    names = [entry.name for entry in model.graph.input]
    return {n: np.asarray(v) if np.isscalar(v) else v for n, v in zip(names, values, strict=False)}


def variants(case: Case) -> Iterator[list[str]]:
    """Each input that can be frozen alone, then all of them."""
    tensors = {e.name for e in case.model.graph.input if e.type.WhichOneof("value") == "tensor_type"}
    names = [n for n, v in case.feed.items() if n in tensors and isinstance(v, np.ndarray)]
    yield from ([n] for n in names)
    if len(names) > 1:
        yield names
