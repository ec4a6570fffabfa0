"""Whether a residual model does what its original does: run both, compare bit for bit."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, wait
from typing import TYPE_CHECKING, Any

import onnx_ir as ir

from freezer.errors import ChildError
from freezer.evaluate.child import Child, Limits
from freezer.model_io import serialise, to_proto
from freezer.model_io.walk import graphs
from freezer.verification.outputs import by_output, closeness, how, is_close
from freezer.verification.room import shortage
from freezer.verification.search import Search
from freezer.verification.verdict import CLOSE, DIFFERENT, EQUAL, UNVERIFIED, Verdict, agreement

if TYPE_CHECKING:
    from freezer.bindings import Bindings
    from freezer.model_io import Source

JUDGE = "freezer.verification.judge"
RUN_SECONDS = 120.0  # one run of one model
_VARYING = "the original's own outputs vary, with memory that it never wrote"


def start_judge(limits: Limits | None = None) -> Child:
    """Start the child process that verify() uses, so that its imports cost no waiting later."""
    return Child(JUDGE, limits or Limits())


def verify(
    original: Source, residual: ir.Model, bindings: Bindings, *,
    feeds: int = 3, seed: int = 0, limits: Limits | None = None, child: Child | None = None,
    tolerance: Mapping[str, float] | None = None,
) -> Verdict:  # fmt: skip
    """Run the original with the frozen values fed and the residual without them, on random feeds.

    original: its own bytes are read again, so what freezer does to its model does not matter. bindings: the values to
    feed, and the sizes of bound dims. feeds: how many. child: a process of start_judge(), which stays open; without
    one a process is started and ended. tolerance: dtype of an output -> how far it may be from the original's, as a
    share of its largest value; dtypes that are not in it must be equal bit for bit, and so must all without one.

    "different" also when the residual cannot be loaded (without optimisations, with them, or by the checker) though
    the original can. "unverified" when nothing runs the original. Raises nothing of its own: a death of the child is
    part of the verdict.
    """
    checking = Verification(
        original, bindings, feeds=feeds, seed=seed, limits=limits, child=child, tolerance=tolerance
    )  # fmt: skip
    return checking.finish(residual)


class Verification:
    """A verification that begins, in a thread, as soon as the original and the bindings are known.

    The original is loaded and run on its feeds in the child while the residual is still being made.
    finish() or close() ends it. Arguments as for verify().
    """

    def __init__(
        self, original: Source, bindings: Bindings, *,
        feeds: int = 3, seed: int = 0, limits: Limits | None = None, child: Child | None = None,
        tolerance: Mapping[str, float] | None = None,
    ) -> None:  # fmt: skip
        self._start, self._owned = time.perf_counter(), child is None
        self._child = child or start_judge(limits)
        self._tolerance = dict(tolerance) if tolerance else None
        self._data = {"original": original.proto_bytes()}
        self._files = {"original": _source_files(original)}
        self._short = shortage(original, self._child.limits.memory)
        self._values = {k: ir.to_proto(t).SerializeToString() for k, t in bindings.values.items()}
        shapes = {k: list(v) for k, v in bindings.shapes.items()}
        self._interface = {"dims": bindings.dims, "shapes": shapes, "seed": seed}
        self._engine, self._name, self._outputs, self._free = "onnxruntime", "", [""], False
        self._found: list[str] = []
        self._given_up = False
        self._refused = self._without = ""
        self._prepared: Future[None] = Future()  # not Thread.join: interrupted, that takes the thread for dead
        threading.Thread(target=self._run, args=(feeds,), daemon=True).start()

    def finish(self, residual: ir.Model) -> Verdict:
        """Wait for the original's results, run the residual, compare. Ends the child unless it was given."""
        self._files["residual"] = _files(residual)
        self._data["residual"] = serialise(to_proto(residual))
        try:
            self._prepared.result()
            verdict = self._with_loading(self._compared() if self._found else Verdict(UNVERIFIED, self._refused))
        finally:
            self.close()
        verdict.seconds, verdict.tolerance = time.perf_counter() - self._start, self._tolerance
        return verdict

    def close(self) -> None:
        """Give it up if it still runs; end the child unless it was given."""
        self._given_up = True
        while not self._prepared.done():
            self._child.abort()
            wait([self._prepared], 0.05)
        if self._owned:
            self._child.close()

    def _run(self, feeds: int) -> None:
        try:
            self._prepare(feeds)
        except BaseException as error:
            self._prepared.set_exception(error)
        else:
            self._prepared.set_result(None)

    def _prepare(self, feeds: int) -> None:
        """Load the original and find feeds for it."""
        if self._short:
            self._refused = f"not verified: {self._short}"
            return
        if error := self._load_original():
            self._refused = f"not verified: nothing here runs the original: {error}"
            return
        search = Search(self._ask, self._load_original, vary=self._free, wanted=feeds)
        if not search.run():
            self._refused = f"not verified: no feed was found that the original runs on: {search.error}{self._without}"
        self._found = search.feeds

    def _load_original(self) -> str:
        """Open the original in the child, with onnxruntime if that can; else the error."""
        error = ""
        for engine in ("onnxruntime", "reference") if self._engine == "onnxruntime" else ("reference",):
            answer = self._load("original", engine)
            if "error" not in answer:
                self._engine, self._name, self._outputs = engine, answer["engine"], answer["outputs"]
                self._free = bool(answer["free"])
                self._without = f" (onnxruntime does not load it: {error})" if error else ""
                return ""
            error = error or answer["error"]
        return error

    def _load(self, which: str, engine: str) -> dict[str, Any]:
        header = {"which": which, "values": list(self._values), "engine": engine, "files": self._files[which]}
        return self._ask("load", {**header, **self._interface}, [self._data[which], *self._values.values()])

    def _ask(self, command: str, header: dict[str, Any], buffers: Any = ()) -> dict[str, Any]:
        """The child's answer; its death is an answer too: {"error", "died"}."""
        if self._given_up:
            return {"error": "given up", "died": True}
        try:
            return self._child.call(command, header, buffers)[0]
        except ChildError as error:
            return {"error": str(error), "died": True}

    def _compared(self) -> Verdict:
        verdict = Verdict(DIFFERENT, "", feeds=self._found, engine=self._name)
        loaded = self._load("residual", self._engine)
        if "error" in loaded:
            verdict.message = f"the residual model does not load: {loaded['error']}"
        elif loaded["outputs"] != self._outputs:
            verdict.message = f"the outputs were {self._outputs}, the residual model has {loaded['outputs']}"
        elif "error" in (answer := self._judged()):
            feed = f" on feed {answer['feed']}" if "feed" in answer else ""
            verdict.message = f"the residual model fails{feed} where the original runs: {answer['error']}"
        elif not answer["outputs"]:
            return Verdict(UNVERIFIED, f"not verified: on every feed {_VARYING}", feeds=self._found, engine=self._name)
        else:
            verdict.varying = answer["varying"]
            verdict.outputs = list(by_output(self._outputs, answer["outputs"], self._tolerance or {}))
            self._conclude(verdict)
        return verdict

    def _judged(self) -> dict[str, Any]:
        header = {"engine": self._engine, "seconds": RUN_SECONDS, "tolerance": self._tolerance or {}}
        return self._ask("judge", header)

    def _conclude(self, verdict: Verdict) -> None:
        first = verdict.first_difference
        if first is None:
            close = any(o.status == CLOSE for o in verdict.outputs)
            verdict.status = CLOSE if close else EQUAL
            words = closeness(verdict.outputs, self._tolerance or {}) if close else "equal bit for bit"
            feeds = len(verdict.feeds) - len(verdict.varying)
            verdict.message = f"{words}: {agreement(feeds, len(verdict.outputs), self._name)}"
            if verdict.varying:
                verdict.message += f" ({len(verdict.varying)} more left out: {_VARYING})"
            return
        verdict.message = f"output '{first.name}' differs on feed {first.feed}: {how(first)}"
        if self._engine == "reference" and all(is_close(o) for o in verdict.outputs):
            # Constants come from onnxruntime's kernels, whose last bits the reference evaluator does not have.
            verdict.status = UNVERIFIED
            verdict.message = f"not verified bit for bit: onnxruntime does not run the original; {verdict.message}"

    def _with_loading(self, verdict: Verdict) -> Verdict:
        """Add whether the residual passes the checker and loads with all optimisations."""
        if self._short:
            return verdict
        for note, fails in (("the ONNX checker refuses", self._unchecked), ("", self._unoptimised)):
            if verdict.status == DIFFERENT:
                break
            reason = fails(verdict)
            if reason:
                verdict.status = DIFFERENT
                verdict.message = reason if not note else f"{note} the residual model but not the original: {reason}"
        return verdict

    def _unchecked(self, verdict: Verdict) -> str:
        residual = self._with("residual", "check")
        if "error" not in residual or "error" in self._with("original", "check"):
            return ""
        return str(residual["error"])

    def _unoptimised(self, verdict: Verdict) -> str:
        residual = self._with("residual", "optimise")
        verdict.loads_optimised = "error" not in residual
        if verdict.loads_optimised:
            return ""
        original = self._with("original", "optimise")
        verdict.optimised_reason = str(residual["error"])
        if "error" in original:
            verdict.optimised_reason += f" (nor does the original load: {original['error']})"
            return ""
        if not self._found:
            reason = self._refused.removeprefix("not verified: ")
            return f"the original fails with these values and sizes, and the residual does not load: {reason}"
        return (f"onnxruntime does not load the residual model with its optimisations on, though it loads the "
                f"original: {verdict.optimised_reason}")  # fmt: skip

    def _with(self, which: str, command: str) -> dict[str, Any]:
        """A command about one model, which is sent again if the child does not know it (any more)."""
        answer = self._ask(command, {"which": which})
        if not answer.get("unknown"):
            return answer
        return self._ask(command, {"which": which, "files": self._files[which]}, [self._data[which]])


def _files(model: ir.Model) -> dict[str, str]:
    """Location, in normal form -> path, for every external tensor of a model."""
    external = (t for t in _tensors(model) if isinstance(t, ir.ExternalTensor))
    return {os.path.normpath(t.location): os.path.abspath(t.path) for t in external}


def _tensors(model: ir.Model) -> Iterator[ir.TensorProtocol | None]:
    for graph in graphs(model):
        yield from (v.const_value for v in graph.initializers.values())
    nodes = (node for graph in graphs(model) for node in graph)
    for attribute in (a for node in nodes for a in node.attributes.values()):
        if attribute.type == ir.AttributeType.TENSOR and not attribute.is_ref():
            yield attribute.as_tensor()


def _source_files(source: Source) -> dict[str, str]:
    """The same for a source, whose model may have lost some of its tensors by now."""
    folder = os.path.abspath(source.folder or ".")
    return {os.path.relpath(path, folder): os.path.abspath(path) for path in source.data_files}
