"""What the fuzzer does with one mutant: freezer's whole pipeline, then the judge."""

from __future__ import annotations

import contextlib
import io
import random
import sys
import traceback
from typing import Any

import numpy as np
import onnx
import onnx_ir as ir
from rich.console import Console

from freezer.bindings import bind
from freezer.errors import ChildError, FreezerError
from freezer.evaluate import evaluator
from freezer.evaluate.child import Child, Limits
from freezer.model_io import load, serialise, to_proto
from freezer.options import Options
from freezer.pipeline import specialise
from freezer.provenance import record
from freezer.report.build import build_report, origin_of
from freezer.report.terminal import show

_LIMITS = Limits(memory=3 << 30, cpu=1 << 20, wall=8.0)
_LARGEST = 1 << 24  # bytes of a constant, and elements of an input
_SECONDS = 15.0  # of an evaluation: the search for hangs waits a minute for all of them
_POOLS = {"f": [0.0, -0.0, 1.0, -1.0, 2.0, 0.5, np.inf, -np.inf, np.nan, 1e-40], "b": [False, True]}
_FINE = ("equal", "unjudged", "unloadable")
_KINDS = "freezer.evaluate.worker", "tests.mutants.judge"


class Trial:
    """The two children that mutants are tried with; a child that dies is started again."""

    def __init__(self) -> None:
        evaluator._SECONDS, evaluator._BODY_SECONDS = 4.0, 1.0  # a slow mutant may not cost more
        self.worker, self.judge = (Child(kind, _LIMITS) for kind in _KINDS)

    def close(self) -> None:
        self.worker.close()
        self.judge.close()

    def run(self, data: bytes, seed: str) -> tuple[str, str]:
        """How a mutant ended, and details of what is wrong: "equal", "unjudged", "refused", "internal", "wrong"."""
        try:
            frozen, feed = freeze(data, random.Random(seed), self.worker)
        except FreezerError as error:
            return ("refused", str(error)) if "\n" not in str(error) else ("internal", "an error of two lines")
        except Exception as error:
            return "internal", _place(error)
        return self._judged(data, frozen, feed)

    def _judged(self, data: bytes, frozen: bytes, feed: dict[str, np.ndarray]) -> tuple[str, str]:
        values = [onnx.numpy_helper.from_array(v).SerializeToString() for v in feed.values()]
        try:
            verdict = self.judge.call("judge", {"names": list(feed)}, [data, frozen, *values])[0]["verdict"]
        except ChildError:
            return "unjudged", ""  # it kills onnxruntime, frozen or not
        return (verdict, "") if verdict in _FINE else ("wrong", verdict)


def check(data: bytes) -> tuple[str, str]:
    """Only load a mutant."""
    try:
        load(onnx.ModelProto.FromString(data))
    except FreezerError as error:
        return "refused", str(error)
    except Exception as error:
        return ("refused", "") if "parsing message" in str(error) else ("internal", _place(error))
    return "loaded", ""


def freeze(data: bytes, rng: random.Random, worker: Child) -> tuple[bytes, dict[str, np.ndarray]]:
    """The frozen model, and a feed for all inputs of the unfrozen one. All, some or none are frozen."""
    proto = parsed(data)
    source = load(proto)
    feed = {name: value for v in source.model.graph.inputs if (value := _random_value(v, rng)) is not None
            for name in [v.name or ""]}  # fmt: skip
    share = rng.choice([0.0, 0.5, 0.5, 1.0])
    values = {n: v for n, v in feed.items() if rng.random() < share}
    origin, options = (
        origin_of(source),
        Options(largest_constant=_LARGEST, seconds=_SECONDS, prune_inputs=rng.random() < 0.3),
    )
    bindings = bind(source.model, values, {}, {}, False)
    result = specialise(source, bindings, options, worker)
    record(result.model, source, bindings, options)
    with contextlib.redirect_stdout(io.StringIO()):
        show(build_report(origin, result, bindings, None, {}), Console(file=io.StringIO()))
    frozen = serialise(to_proto(result.model))
    load(onnx.ModelProto.FromString(frozen))
    return frozen, feed


def parsed(data: bytes) -> onnx.ModelProto:
    from freezer.model_io.read import parse_model

    return parse_model(data, "the mutant")


def _random_value(value: ir.Value, rng: random.Random) -> np.ndarray | None:
    """An array for an input of a type numpy has; open dims are 2."""
    if not isinstance(value.type, ir.TensorType) or value.shape is None:
        return None
    shape = [d if isinstance(d, int) else 2 for d in value.shape]
    if any(d < 0 for d in shape) or np.prod(shape, dtype=object) > 4096 or len(shape) > 8:
        return None
    try:
        dtype = value.dtype.numpy()  # type: ignore[union-attr]
        pool = _POOLS.get(dtype.kind, [0, 1, 2, 3, 1]) if dtype.kind != "O" else ["a", "b", ""]
        return np.array(rng.choices(pool, k=int(np.prod(shape))), dtype).reshape(shape)
    except (TypeError, ValueError):
        return None


def _place(error: Exception) -> str:
    """An unexpected error and the innermost of freezer's lines that raised it."""
    frames = [f for f in traceback.extract_tb(sys.exc_info()[2]) if "/freezer/" in f.filename] or [None]
    where: Any = frames[-1]
    at = f"{where.filename.rsplit('/freezer/', 1)[1]}:{where.lineno}" if where else "outside freezer"
    return f"{type(error).__name__} at {at}: {' '.join(str(error).split())[:160]}"
