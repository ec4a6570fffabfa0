"""All engines on one case, one after another, each in a process of its own."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from freezer.bindings import Bindings, bind
from freezer.engines.folding import budget, put_in, write_whole
from freezer.engines.native import UNBOUND, write_case
from freezer.engines.registry import ENGINES, Engine, tolerances
from freezer.engines.run import GREW, LIMITS, Outcome, attempt
from freezer.evaluate.child import Child, Limits
from freezer.model_io import Source, load
from freezer.options import Options
from freezer.report.side import Side, side_of
from freezer.verification import Verification, start_judge

_WORDS = {"equal": "bit-equal", "close": "within tolerance", "different": "differs", "unverified": "not verified"}
_FAULTS = {
    "crashed": "crashed", "hung": "hung", "failed": "failed", "invalid": "invalid model",
    "interface": "changed the interface",
}  # fmt: skip
MISSING = "not installed"


@dataclass(frozen=True)
class Row:
    """What became of one engine.

    verdict: "bit-equal", "within tolerance", "differs", "not verified", "crashed", "hung", "failed", "invalid model",
    "changed the interface" or "not installed"; detail: why. grew: the file is larger than it may be. max_rel: how
    far an output is at most from the original's, as a share of its largest value, if not bit-equal. nodes,
    control_flow, nbytes: of the result; None where there is none. seconds: of the whole process. peak_bytes: its
    memory.
    """

    engine: str
    version: str
    verdict: str
    detail: str = ""
    grew: bool = False
    max_rel: float | None = None
    nodes: int | None = None
    control_flow: dict[str, int] | None = None
    nbytes: int | None = None
    seconds: float | None = None
    peak_bytes: int | None = None

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


@dataclass(frozen=True)
class Case:
    """One model and what is frozen, for every engine. before, nbytes: of the source."""

    source: Source
    bindings: Bindings
    before: Side
    nbytes: int


def open_case(
    model: Any, values: Mapping[str, Any] | None = None, dims: Mapping[str, int] | None = None,
    shapes: Mapping[str, Sequence[int | None]] | None = None, *,
    freeze_defaults: bool = False, allow_link: str | os.PathLike[str] | None = None,
) -> Case:  # fmt: skip
    """Load a model and bind what is frozen; arguments and errors as for freezer.freeze."""
    source = load(model, allow_link=allow_link)
    bindings = bind(source.model, values, dims, shapes, freeze_defaults)
    nbytes = source.nbytes() + sum(source.data_files.values())
    return Case(source, bindings, side_of(source.model), nbytes)


def run_engines(
    case: Case, engines: Sequence[Engine] = ENGINES, *, seconds: float = LIMITS.wall, tolerance: float | None = None
) -> Iterator[Row]:
    """A row an engine, as each ends. The case can be run once: its model is bound here.

    seconds: the most that one engine may take. tolerance: as Options.tolerance. Raises LimitError for a model
    of more than 2 GB, which engines do not get.
    """
    limits = replace(LIMITS, wall=seconds)
    with tempfile.TemporaryDirectory(prefix="freezer-") as folder, start_judge() as judge:
        bound = _write(case, Path(folder))
        for engine in engines:
            if engine.installed:
                yield _row(engine, case, bound, limits, judge, tolerance)
            else:
                yield Row(engine.name, "", MISSING, engine.missing.partition(": ")[2])


def _write(case: Case, folder: Path) -> Path:
    """What the engines get: freezer's own the unbound model and the values, the others the bound one."""
    write_whole(case.source.model, folder / UNBOUND)
    write_case(folder, case.bindings)
    put_in(case.source.model, case.bindings)
    return write_whole(case.source.model, folder / "bound.onnx")


def _row(
    engine: Engine, case: Case, bound: Path, limits: Limits, judge: Child, tolerance: float | None
) -> Row:  # fmt: skip
    outcome = attempt(engine, bound, case.source.model, budget(case.source, 0), limits)
    row = Row(
        engine.name, engine.version, _FAULTS.get(outcome.fault, ""), outcome.reason if outcome.fault in _FAULTS else "",
        outcome.fault == GREW, nbytes=outcome.nbytes, seconds=round(outcome.seconds, 2), peak_bytes=outcome.peak_bytes,
    )  # fmt: skip
    if outcome.model is not None:
        side = side_of(outcome.model)
        row = replace(row, nodes=side.nodes, control_flow=side.control_flow)
    return row if row.verdict else _judged(row, outcome, case, judge, tolerance)


def _judged(row: Row, outcome: Outcome, case: Case, judge: Child, tolerance: float | None) -> Row:
    allowed = tolerances(Options(engine=row.engine, tolerance=tolerance))
    checking = Verification(case.source, case.bindings, child=judge, tolerance=allowed)
    assert outcome.model is not None
    verdict = checking.finish(outcome.model)
    far = [o.max_rel for o in verdict.outputs if o.status != "equal" and o.max_rel is not None]
    detail = verdict.message if verdict.status in ("different", "unverified") else ""
    if verdict.loads_optimised is False:
        detail = f"{detail}; " * bool(detail) + "onnxruntime does not load it with its optimisations on"
    return replace(row, verdict=_WORDS[verdict.status], detail=detail, max_rel=max(far, default=None))
