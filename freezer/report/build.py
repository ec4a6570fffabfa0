"""What a freeze did, as data: for people (terminal.py), for machines (to_dict)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from freezer._version import __version__
from freezer.bindings import Bindings
from freezer.model_io import Saved, Source
from freezer.passes.log import Stayed
from freezer.pipeline import Specialised
from freezer.provenance import describe
from freezer.report.side import Side, side_of
from freezer.verification import Verdict

_QUOTED = re.compile(r"'[^']*'")


@dataclass(frozen=True)
class Origin:
    """Where a model came from. nbytes: of the file; external_bytes: of the weights beside it that it refers to."""

    name: str
    nbytes: int
    external_bytes: int
    notes: list[str]
    side: Side


@dataclass(frozen=True)
class Reason:
    """Why nodes stayed: how many nodes of one op type for one kind of reason, and one of them with its reason."""

    reason: str
    count: int
    op_type: str
    example: str


@dataclass(frozen=True)
class Report:
    """What changed, what stayed and why, and whether the result was proven equal.

    frozen: input to dtype, shape and value, or its sha256 (provenance.describe). dims: symbol to size, given or
    inferred. dead_inputs: remaining inputs that nothing reads. constant_outputs: outputs that became constant.
    kept: static values that are computed at run time because storing them would cost more. changes, relaxed:
    how often each rule or pass changed something. seconds: by stage. verification: the verdict, None if it was
    not asked for. saved: what was written, None before.
    """

    source: str
    source_nbytes: int
    source_external_bytes: int
    before: Side
    after: Side
    frozen: dict[str, dict[str, Any]]
    dims: dict[str, int]
    notes: list[str]
    dead_inputs: list[str]
    constant_outputs: list[str]
    reasons: list[Reason]
    kept: list[dict[str, Any]]
    changes: dict[str, int]
    relaxed: dict[str, int]
    seconds: dict[str, float]
    verification: dict[str, Any] | None = None
    saved: dict[str, Any] | None = None

    @property
    def unverified(self) -> str | None:
        """Why the result could not be verified; None if it was, or was not to be."""
        if self.verification is None or self.verification["status"] != "unverified":
            return None
        return self.verification["message"]

    @property
    def random(self) -> dict[str, int]:
        """Ops of the residual that draw numbers."""
        return self.after.random

    def to_dict(self) -> dict[str, Any]:
        """The report as JSON holds it."""
        sides = {"before": self.before.to_dict(), "after": self.after.to_dict()}
        return {"freezer": __version__, **asdict(self), **sides, "random": self.random}


def origin_of(source: Source) -> Origin:
    """What the report says of a source; to be asked before it is specialised."""
    return Origin(
        name=str(source.path) if source.path is not None else f"<{source.kind}>",
        nbytes=source.nbytes(),
        external_bytes=sum(source.data_files.values()),
        notes=list(source.notes),
        side=side_of(source.model),
    )


def build_report(
    origin: Origin, result: Specialised, bindings: Bindings, verdict: Verdict | None, seconds: dict[str, float]
) -> Report:
    """The report of a finished freeze. seconds: of stages that the log does not know."""
    model, log = result.model, result.log
    order = dict.fromkeys(["load", *log.stages, *seconds])
    spent = {name: seconds.get(name, 0.0) + log.stages.get(name, 0.0) for name in order}
    after = side_of(model)
    return Report(
        source=origin.name,
        source_nbytes=origin.nbytes,
        source_external_bytes=origin.external_bytes,
        before=origin.side,
        after=after,
        frozen={name: describe(t) for name, t in bindings.values.items()},
        dims=dict(bindings.dims),
        notes=[*origin.notes, *bindings.notes, *log.notes],
        dead_inputs=[v.name or "" for v in model.graph.inputs if not v.uses() and not v.is_graph_output()],
        constant_outputs=[name for name in after.constant_outputs if name not in origin.side.constant_outputs],
        reasons=grouped(log.residuals),
        kept=[entry._asdict() for entry in log.kept],
        changes=dict(log.events.most_common()),
        relaxed=dict(log.relaxed),
        seconds={name: round(value, 4) for name, value in spent.items()},
        verification=verdict.to_dict() if verdict is not None else None,
    )


def saved_to_dict(saved: Saved) -> dict[str, Any]:
    """What was written, as JSON holds it."""
    return {
        "path": str(saved.path),
        "nbytes": saved.nbytes,
        "own_bytes": saved.own_bytes,
        "shared_bytes": saved.shared_bytes,
        "data_file": None if saved.data_file is None else str(saved.data_file),
        "shared_files": [str(path) for path in saved.shared_files],
    }


def grouped(residuals: Iterable[Stayed]) -> list[Reason]:
    """Reasons that differ only in the names they quote are one; the most frequent first."""
    groups: dict[tuple[str, str], list[Stayed]] = {}
    for stayed in residuals:
        groups.setdefault((stayed.op_type, _QUOTED.sub("''", stayed.reason)), []).append(stayed)
    found = [Reason(g[0].reason, len(g), g[0].op_type, g[0].node) for g in groups.values()]
    return sorted(found, key=lambda reason: -reason.count)
