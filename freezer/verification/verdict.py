"""What verification found."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

EQUAL, CLOSE, DIFFERENT, UNVERIFIED = "equal", "close", "different", "unverified"


@dataclass(slots=True)
class OutputVerdict:
    """One output over all feeds. The rest describes the first feed on which it differs.

    status: "equal", "close" or "different". max_ulp, max_abs, max_rel: the largest distance in ulp, the largest
    absolute difference, and that as a share of the output's largest value; None where they mean nothing (integers
    have no ulp, strings neither).
    """

    name: str
    status: str
    dtype: str
    shape: list[int] | None
    feed: int | None = None
    max_ulp: int | None = None
    max_abs: float | None = None
    note: str = ""
    max_rel: float | None = None


@dataclass(slots=True)
class Verdict:
    """status: "equal" (bit for bit on every feed, and loadable), "close" (within the tolerance), "different", or
    "unverified": nothing could be compared, and `message` says why.

    feeds: one line a feed that ran. loads_optimised: whether onnxruntime loads the residual with all
    optimisations; None if that was not tried. optimised_reason: why it does not.
    engine: what ran the models. seconds: wall time of the whole verification. tolerance: how far an output may be
    from the original's, relative to its largest value, by dtype; None: not in one bit. varying: numbers of feeds that
    were not compared, since on them the original's own outputs depend on memory that it never wrote.
    """

    status: str
    message: str
    outputs: list[OutputVerdict] = field(default_factory=list)
    feeds: list[str] = field(default_factory=list)
    loads_optimised: bool | None = None
    optimised_reason: str = ""
    engine: str = ""
    seconds: float = 0.0
    tolerance: dict[str, float] | None = None
    varying: list[int] = field(default_factory=list)

    @property
    def equal(self) -> bool | None:
        """True, False, or None when nothing could be compared, or a tolerance was needed."""
        return {EQUAL: True, DIFFERENT: False}.get(self.status)

    @property
    def first_difference(self) -> OutputVerdict | None:
        """The first output, in the model's order, that differs."""
        return next((o for o in self.outputs if o.status == DIFFERENT), None)

    def to_dict(self) -> dict[str, Any]:
        """Plain lists, dicts, strings and numbers, for JSON."""
        first = self.first_difference
        return {**asdict(self), "equal": self.equal, "first_difference": first.name if first else None}


def agreement(feeds: int, outputs: int, engine: str) -> str:
    """What agreed, in words."""
    return f"{outputs} output{'s' * (outputs != 1)}, {feeds} feed{'s' * (feeds != 1)}, {engine}"
