"""Runs one engine on a file that freezer wrote, in a limited process, and looks at what it made."""

from __future__ import annotations

import contextlib
import time
from dataclasses import dataclass, replace
from pathlib import Path

import onnx_ir as ir

from freezer.engines.contract import broken
from freezer.engines.registry import Engine
from freezer.errors import ChildError, EngineError, FreezerError
from freezer.evaluate.child import Child, Limits
from freezer.model_io import load

WORKER = "freezer.engines.worker"
LARGEST_FILE = 4 << 30  # bytes of a file that an engine may write
LIMITS = Limits(files=LARGEST_FILE)
SLACK = 4096  # bytes, and a hundredth of the file: names and declared types, which engines write anew
GREW = "grew"
_PHRASES = {
    "crashed": "crashed: {}", "hung": "did not end: {}", "failed": "failed: {}",
    "invalid": "wrote an invalid model: {}", "interface": "changed the interface: it {}", GREW: "grew the file: it {}",
}  # fmt: skip


@dataclass(frozen=True)
class Outcome:
    """What one engine made of one model.

    model: the result, None if there is none that can be read; nbytes: its size as one file. seconds: the whole
    process, from its start. peak_bytes: its memory, None if it died. fault: "", "crashed", "hung", "failed",
    "invalid", "interface" or "grew"; reason: what exactly.
    """

    engine: Engine
    model: ir.Model | None = None
    nbytes: int | None = None
    seconds: float = 0.0
    peak_bytes: int | None = None
    fault: str = ""
    reason: str = ""

    def error(self) -> EngineError:
        """The fault as an error."""
        hint = "Allow it with --max-growth BYTES, or use" if self.fault == GREW else "Use"
        phrase = _PHRASES[self.fault].format(self.reason)
        return EngineError(f"engine '{self.engine.name}' {phrase}; nothing was written. {hint} another engine")


def start_engine(limits: Limits = LIMITS) -> Child:
    """Start a process that runs engines; attempt() starts one of its own unless it is given one."""
    return Child(WORKER, limits)


def attempt(
    engine: Engine, source: Path, interface: ir.Model, most_bytes: int, limits: Limits = LIMITS,
    child: Child | None = None,
) -> Outcome:  # fmt: skip
    """Run an engine on `source`, a self-contained file in a private folder, where it may write.

    interface: the model whose inputs and outputs the result must have. most_bytes: the size that the result may
    have as one file. child: of start_engine(), which stays open. Raises nothing for what the engine does: that
    is the outcome.
    """
    target = source.with_name(f"{engine.name}.onnx")
    start = time.perf_counter()
    with contextlib.nullcontext(child) if child else start_engine(limits) as running:
        outcome = _folded(engine, running, source, target)
        outcome = replace(outcome, seconds=time.perf_counter() - start)
        return outcome if outcome.fault else _judged(outcome, running, source, target, interface, most_bytes)


def _folded(engine: Engine, child: Child, source: Path, target: Path) -> Outcome:
    header = {"fold": engine.fold, "folder": str(source.parent), "source": str(source), "target": str(target)}
    try:
        answer, _ = child.call("fold", header)
    except ChildError as error:
        hung = "was stopped after" in str(error)
        return Outcome(engine, fault="hung" if hung else "crashed", reason=str(error))
    if "error" in answer:
        return Outcome(engine, peak_bytes=answer["peak"], fault="failed", reason=answer["error"])
    return Outcome(engine, peak_bytes=answer["peak"])


def _judged(
    outcome: Outcome, child: Child, source: Path, target: Path, interface: ir.Model, most_bytes: int
) -> Outcome:
    """The outcome with its model, and its first fault."""
    if not target.is_file():
        return replace(outcome, fault="failed", reason="it wrote no model")
    outcome = replace(outcome, nbytes=target.stat().st_size)
    try:
        result = load(target)
    except FreezerError as error:
        return replace(outcome, fault="invalid", reason=str(error))
    if result.data_files:
        return replace(outcome, fault="invalid", reason="it keeps data in other files")
    outcome = replace(outcome, model=result.model)
    if problem := _refused(child, target, source):
        return replace(outcome, fault="invalid", reason=problem)
    if change := broken(interface, result.model):
        return replace(outcome, fault="interface", reason=change)
    if (nbytes := target.stat().st_size) > most_bytes:
        return replace(outcome, fault=GREW, reason=f"has {nbytes:,} bytes, where {most_bytes:,} are allowed")
    return outcome


def _refused(child: Child, target: Path, source: Path) -> str:
    """What the checker or onnxruntime have against the result but not against what the engine was given."""
    found = _check(child, target)
    return "" if found and _check(child, source) else found


def _check(child: Child, path: Path) -> str:
    try:
        return str(child.call("check", {"path": str(path)})[0].get("error", ""))
    except ChildError as error:
        return f"loading it, {error}"
