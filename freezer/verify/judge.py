"""The child's side of verification: runs the original and the residual on the same feeds.

The parent asks step by step, so that when the child dies it knows what killed it. Between the
calls the child remembers the two models and the feeds that ran; a new child knows nothing.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import onnx
from onnx import numpy_helper

from freezer.verify import sizes
from freezer.verify.compare import compare
from freezer.verify.copies import Copy, make_copy
from freezer.verify.feeds import PROFILES, Drawer
from freezer.verify.flow import hints, vocabulary
from freezer.verify.runners import Feed, OrtRunner, ReferenceRunner, Runner

Answer = tuple[dict[str, Any], list[bytes]]
Header = dict[str, Any]
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
            _trial.update(values={k: numpy_helper.to_array(v) for k, v in values.items()}, feeds=[], results=[])
            _trial["candidates"] = _Candidates(copy.proto, runner, set(values), header)
    except Exception as error:  # whatever a broken model makes the libraries raise is the answer
        return {"error": _text(error)}, []
    return {"engine": runner.engine, "inputs": runner.inputs, "outputs": runner.outputs, "free": _free()}, []


def _free() -> list[str]:
    """The symbols that the bindings leave open."""
    candidates: _Candidates = _trial["candidates"]
    return sizes.free_symbols(candidates.slots, candidates.bound)


def _open(copy: Copy, engine: str) -> Runner:
    return ReferenceRunner(copy) if engine == "reference" else OrtRunner(copy)


class _Candidates:
    """The feeds to try, in order: a list that grows as it is asked for."""

    def __init__(self, proto: onnx.ModelProto, runner: Runner, frozen: set[str], header: Header) -> None:
        needed = set(runner.inputs) - set(runner.defaults) - frozen
        shapes: dict[str, sizes.Declared] = header["shapes"]
        values = [v for v in proto.graph.input if v.name in needed]
        self.slots = [sizes.make_slot(v, shapes.get(v.name)) for v in values]
        self.bound: dict[str, int] = header["dims"]
        self.drawer = Drawer(self.slots, hints(proto), vocabulary(proto))
        self.seed: int = header["seed"]
        self._found: list[tuple[dict[str, int], str]] = []
        self._more = self._generate()

    def __getitem__(self, index: int) -> tuple[dict[str, int], str]:
        """(sizes, profile). Raises IndexError past the last."""
        self._found.extend(itertools.islice(self._more, max(0, index + 1 - len(self._found))))
        return self._found[index]

    def _generate(self) -> Iterator[tuple[dict[str, int], str]]:
        ranks = [2, 1, 3, 4, 0] if any(not s.rank_known for s in self.slots) else [2]
        ways = [(r, a) for r in ranks for a in sizes.assignments(self.slots, self.bound)]
        for number, (rank, assigned) in enumerate(ways):
            for profile in PROFILES if number == 0 else ("normal", "ones") if number < 12 else ("normal",):
                yield {**assigned, "rank": rank}, profile


def attempt(header: Header, _: Sequence[bytearray]) -> Answer:
    """Run the original on candidate number "index", or on its sizes with "profile" if that is given.

    {"error"}, {"end": True} when there are no more candidates, or {"feed": a line of text}: it ran,
    and is remembered.
    """
    try:
        assigned, profile = _trial["candidates"][header["index"]]
    except IndexError:
        return {"end": True}, []
    profile = header.get("profile") or profile
    candidates: _Candidates = _trial["candidates"]
    try:
        drawn = candidates.drawer.feed(assigned, profile, [candidates.seed, len(_trial["feeds"])])
        feed = {**drawn, **_accepted(_runners["original"], _trial["values"])}
        results = _runners["original"].run(feed, header["seconds"])
    except Exception as error:
        return {"error": _text(error)}, []
    _trial["feeds"].append(feed)
    _trial["results"].append(results)
    return {"feed": ", ".join([profile, *(f"{s}={assigned[s]}" for s in _free())])}, []


def _accepted(runner: Runner, feed: Feed) -> Feed:
    return {name: value for name, value in feed.items() if name in runner.inputs}


def restart(header: Header, _: Sequence[bytearray]) -> Answer:
    """Run the original's feeds again in a new session if it draws random numbers: tries moved its state on."""
    if not _copies["original"].random:
        return {}, []
    try:
        runner = _runners["original"] = _open(_copies["original"], header["engine"])
        _trial["results"] = [runner.run(feed, header["seconds"]) for feed in _trial["feeds"]]
    except Exception as error:
        return {"error": _text(error)}, []
    return {}, []


def judge(header: Header, _: Sequence[bytearray]) -> Answer:
    """Run the residual on the feeds; {"error", "feed"} or {"outputs": one row an output and feed}."""
    residual, names = _runners["residual"], _runners["original"].outputs
    rows = []
    for number, (feed, expected) in enumerate(zip(_trial["feeds"], _trial["results"], strict=True)):
        try:
            results = residual.run(_accepted(residual, feed), header["seconds"])
        except Exception as error:
            return {"error": _text(error), "feed": number}, []
        for name, a, b in zip(names, expected, results, strict=True):
            rows.append({"name": name, "feed": number, **compare(a, b)})
    return {"outputs": rows}, []


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
    "load": load, "attempt": attempt, "restart": restart, "judge": judge, "check": check, "optimise": optimise,
}  # fmt: skip
