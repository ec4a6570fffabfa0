"""The child's side of verification: runs the original and the residual on the same feeds.

The parent asks step by step, so that when the child dies it knows what killed it. Between the
calls the child remembers the two models and the feeds that ran; a new child knows nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import onnx
from onnx import numpy_helper

from freezer.verification import sizes
from freezer.verification.compare import compare, within
from freezer.verification.copies import Copy, make_copy, nbytes
from freezer.verification.feeds import Drawer
from freezer.verification.flow import hints, vocabulary
from freezer.verification.memory import varies
from freezer.verification.runners import Feed, OrtRunner, ReferenceRunner, Runner

Answer = tuple[dict[str, Any], list[bytes]]
Header = dict[str, Any]
LARGEST_DEFAULT = 1 << 20  # bytes of an input with a default that is fed another value
_copies: dict[str, Copy] = {}
_runners: dict[str, Runner] = {}
_trial: dict[str, Any] = {}


def load(header: Header, buffers: Sequence[bytearray]) -> Answer:
    """Open a model ("which") without optimisations; {"error"} or {"engine", "inputs", "outputs"}.

    buffers: the model, then a TensorProto for each name in header["values"]. engine "reference"
    asks for onnx's evaluator; only the original may fall back to it.
    """
    protos = [onnx.TensorProto.FromString(bytes(b)) for b in buffers[1:]]
    values = dict(zip(header["values"], protos, strict=True))
    which = header["which"]
    if which == "original":
        _copies.clear()
        _runners.clear()
    try:
        copy = _copies[which] = make_copy(bytes(buffers[0]), header["files"], values)
        runner = _runners[which] = _open(copy, header["engine"])
        if which == "original":
            _trial.update(values={k: numpy_helper.to_array(v) for k, v in values.items()}, feeds=[], results=[], runs=0)
            _trial["candidates"] = _Candidates(copy.proto, runner, set(values), header)
    except Exception as error:  # whatever a broken model makes the libraries raise is the answer
        return {"error": _text(error)}, []
    free = _trial["candidates"].free
    return {"engine": runner.engine, "inputs": runner.inputs, "outputs": runner.outputs, "free": free}, []


def _open(copy: Copy, engine: str) -> Runner:
    return ReferenceRunner(copy) if engine == "reference" else OrtRunner(copy)


class _Candidates:
    """The ways to feed the original: sizes by number, in the order to try them, each with any profile."""

    def __init__(self, proto: onnx.ModelProto, runner: Runner, frozen: set[str], header: Header) -> None:
        needed = set(runner.inputs) - set(runner.defaults) - frozen
        shapes: dict[str, sizes.Declared] = header["shapes"]
        values = [v for v in proto.graph.input if v.name in needed]
        slots = [sizes.make_slot(v, shapes.get(v.name)) for v in values]
        self.free = sizes.free_symbols(slots, header["dims"])
        ranks = [2, 1, 3, 4, 0] if any(not s.rank_known for s in slots) else [2]
        self.sizes = [{**a, "rank": rank} for rank in ranks for a in sizes.assignments(slots, header["dims"])]
        self._drawer = Drawer(slots, hints(proto), vocabulary(proto))
        self._seed: int = header["seed"]
        self._changed = _changed_defaults(proto, set(runner.defaults) - frozen)

    def draw(self, index: int, profile: str, number: int) -> Feed:
        """Feed number `number`. Raises ValueError when the sizes make no sense or are far too large."""
        drawn = self._drawer.feed(self.sizes[index], profile, [self._seed, number])
        return {**drawn, **self._changed} if profile == "large" else drawn

    def line(self, index: int, profile: str) -> str:
        """A feed in words."""
        return ", ".join([profile, *(f"{s}={self.sizes[index][s]}" for s in self.free)])


def _changed_defaults(proto: onnx.ModelProto, names: set[str]) -> Feed:
    """Other values for inputs that have a default: they must still count in the residual."""
    small = [t for t in proto.graph.initializer if t.name in names and t.data_type == onnx.TensorProto.FLOAT
             and t.data_location != onnx.TensorProto.EXTERNAL and nbytes(t) <= LARGEST_DEFAULT]  # fmt: skip
    return {t.name: numpy_helper.to_array(t) * np.float32(1.25) for t in small}


def attempt(header: Header, _: Sequence[bytearray]) -> Answer:
    """Run the original with the sizes number "index", drawn as "profile" says with a seed for "number".

    {"error"}, {"end": True} when there are not so many sizes, or {"feed": a line of text}: it ran,
    and is remembered.
    """
    candidates: _Candidates = _trial["candidates"]
    if header["index"] >= len(candidates.sizes):
        return {"end": True}, []
    try:
        feed = candidates.draw(header["index"], header["profile"], header["number"])
        feed.update(_accepted(_runners["original"], _trial["values"]))
        _trial["runs"] += 1
        results = _runners["original"].run(feed, header["seconds"])
    except Exception as error:
        return {"error": _text(error)}, []
    _trial["feeds"].append(feed)
    _trial["results"].append(results)
    return {"feed": candidates.line(header["index"], header["profile"])}, []


def _accepted(runner: Runner, feed: Feed) -> Feed:
    return {name: value for name, value in feed.items() if name in runner.inputs}


def judge(header: Header, _: Sequence[bytearray]) -> Answer:
    """Run the residual on the feeds; {"error", "feed"} or {"outputs": one row an output and feed, "varying"}.

    varying: numbers of feeds that are left out, since the original's own outputs vary. Only feeds on which more differs
    than "tolerance" allows are tried for that.
    """
    rows, varying = [], []
    for number, (feed, expected) in enumerate(zip(_trial["feeds"], _expected(header), strict=True)):
        try:
            results = _runners["residual"].run(_accepted(_runners["residual"], feed), header["seconds"])
        except Exception as error:
            return {"error": _text(error), "feed": number}, []
        pairs = zip(_runners["original"].outputs, expected, results, strict=True)
        found = [{"name": name, "feed": number, **compare(a, b)} for name, a, b in pairs]
        if not all(within(row, header["tolerance"]) for row in found) and _original_varies(feed, header):
            varying.append(number)
        else:
            rows += found
    return {"outputs": rows, "varying": varying}, []


def _original_varies(feed: Feed, header: Header) -> bool:
    return header["engine"] != "reference" and varies(_copies["original"], feed, header["seconds"])


def _expected(header: Header) -> list[list[Any]]:
    """The original's results; from a new session if it draws random numbers and failed tries moved its state on."""
    if not _copies["original"].random or _trial["runs"] == len(_trial["feeds"]):
        return _trial["results"]
    fresh = _open(_copies["original"], header["engine"])
    return [fresh.run(feed, header["seconds"]) for feed in _trial["feeds"]]


def check(header: Header, buffers: Sequence[bytearray]) -> Answer:
    """What the ONNX checker says of a model; {"error"} or {}. The model: as for optimise."""
    if (copy := _named(header, buffers)) is None:
        return {"unknown": True}, []
    try:
        onnx.checker.check_model(_without_files(copy.proto))
    except Exception as error:
        return {"error": _text(error)}, []
    return {}, []


def _without_files(proto: onnx.ModelProto) -> onnx.ModelProto:
    """A model in which external tensors are empty: the checker would look for their files."""
    if all(t.data_location != onnx.TensorProto.EXTERNAL for t in proto.graph.initializer):
        return proto
    copy = onnx.ModelProto()
    copy.CopyFrom(proto)
    for tensor in copy.graph.initializer:
        if tensor.data_location == onnx.TensorProto.EXTERNAL:
            tensor.CopyFrom(onnx.TensorProto(name=tensor.name, data_type=tensor.data_type, dims=[0], raw_data=b""))
    return copy


def optimise(header: Header, buffers: Sequence[bytearray]) -> Answer:
    """Load a model with all optimisations; {"error"} or {}.

    The model: buffers[0], or the one remembered as header["which"]; {"unknown": True} if there is none.
    """
    _runners.clear()  # their memory: no feed runs after this
    if (copy := _named(header, buffers)) is None:
        return {"unknown": True}, []
    try:
        OrtRunner(copy, optimised=True)
    except Exception as error:
        return {"error": _text(error)}, []
    return {}, []


def _named(header: Header, buffers: Sequence[bytearray]) -> Copy | None:
    if buffers:
        _copies[header["which"]] = make_copy(bytes(buffers[0]), header["files"], {})
    return _copies.get(header["which"])


def _text(error: Exception) -> str:
    """An error in one line of bounded length."""
    text = " ".join(str(error).split()) or type(error).__name__
    return text if len(text) <= 400 else text[:397] + "..."


COMMANDS: dict[str, Callable[[Header, Sequence[bytearray]], Answer]] = {
    "load": load, "attempt": attempt, "judge": judge, "check": check, "optimise": optimise,
}  # fmt: skip
