"""What the judge found of each output, from its rows for all feeds, and the words for it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

from freezer.verification.compare import within
from freezer.verification.verdict import CLOSE, DIFFERENT, EQUAL, OutputVerdict

_LAST_BITS = defaultdict(int, float64=1024, float32=1024, float16=8, bfloat16=2)  # ulp


def by_output(
    names: list[str], rows: list[dict[str, Any]], tolerance: Mapping[str, float]
) -> Iterator[OutputVerdict]:  # fmt: skip
    """One verdict an output from the rows of all feeds: the first feed on which it is too far off, or differs."""
    for name in names:
        own = [row for row in rows if row["name"] == name]
        unequal = [row for row in own if not row["equal"]]
        far = [row for row in unequal if not within(row, tolerance)]
        worst = next(iter(far or unequal), None)
        yield OutputVerdict(
            name, DIFFERENT if far else CLOSE if unequal else EQUAL, own[0]["dtype"], own[0]["shape"],
            feed=worst["feed"] if worst else None, max_ulp=_most(own, "max_ulp"), max_abs=_most(own, "max_abs"),
            note=worst["note"] if worst else "", max_rel=_most(own, "max_rel"),
        )  # fmt: skip


def closeness(outputs: list[OutputVerdict], tolerance: Mapping[str, float]) -> str:
    """The tolerance that was needed, and how much of it."""
    close = [o for o in outputs if o.status == CLOSE]
    allowed = ", ".join(f"{tolerance[d]:g} ({d})" for d in dict.fromkeys(o.dtype for o in close))
    most = max(o.max_rel or 0.0 for o in close)
    return f"equal within {allowed} of each output's largest value, at most {most:.2g}"


def _most(rows: list[dict[str, Any]], key: str) -> Any:
    return max((row[key] for row in rows if row.get(key) is not None), default=None)


def how(output: OutputVerdict) -> str:
    """How far an output is off."""
    parts = [output.note]
    if output.max_ulp is not None:
        parts.append(f"at most {output.max_ulp} ulp")
    if output.max_abs is not None:
        parts.append(f"at most {output.max_abs:.3g}")
    if output.max_rel is not None and output.max_ulp is not None:
        parts.append(f"{output.max_rel:.2g} times its largest value")
    return ", ".join(p for p in parts if p)


def is_close(output: OutputVerdict) -> bool:
    """Whether only last bits differ: what two correct libraries may disagree about."""
    return output.status == EQUAL or (output.max_ulp is not None and output.max_ulp <= _LAST_BITS[output.dtype])
