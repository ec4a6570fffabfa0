"""The answer of diff: for people, as text, and for machines, as plain data."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

Verdict = Literal["identical", "constants", "structure"]
FAR = 0xFFFF_FFFF_FFFF_FFFF
_SHOWN = 50


@dataclass(frozen=True)
class ConstantDifference:
    """Two constants in the same place that are not the same bits.

    a, b: their names. differing of elements: how many are unlike. max_ulp: None for what has no ulp; 0 if all that
    differs is the sign of zero or what a NaN carries. max_abs: None for strings.
    """

    a: str
    b: str
    shape: tuple[int, ...]
    dtype: str
    elements: int
    differing: int
    max_ulp: int | None
    max_abs: float | int | None

    def __str__(self) -> str:
        name = self.a if self.a == self.b else f"{self.a} | {self.b}"
        dims = ",".join(map(str, self.shape))
        parts = [f"{name}: {self.dtype}[{dims}], {self.differing} of {self.elements} elements differ"]
        if self.max_ulp is not None:
            parts.append("a NaN against a number" if self.max_ulp == FAR else f"at most {self.max_ulp} ulp")
        if self.max_abs is not None:
            parts.append(f"at most {self.max_abs:.6g} absolute")
        return ", ".join(parts)


@dataclass(frozen=True)
class StructureDifference:
    """A place where the graphs part. what: in words. a, b: lines of ONNX text around it, '>' marks the node."""

    what: str
    a: tuple[str, ...] = ()
    b: tuple[str, ...] = ()

    def __str__(self) -> str:
        sides = [(side, lines) for side, lines in (("A", self.a), ("B", self.b)) if lines]
        return "\n".join([self.what, *(f"  {side}:\n{_indented(lines)}" for side, lines in sides)])


@dataclass(frozen=True)
class Difference:
    """verdict: "identical"; "constants": the same graph but for `constants`; "structure": see `structure`."""

    verdict: Verdict
    fingerprints: tuple[str, str]
    constants: tuple[ConstantDifference, ...] = field(default=())
    structure: tuple[StructureDifference, ...] = field(default=())

    def __bool__(self) -> bool:
        """Is there a difference?"""
        return self.verdict != "identical"

    def __str__(self) -> str:
        if self.verdict == "identical":
            return f"identical: {self.fingerprints[0]}"
        if self.verdict == "structure":
            return "\n".join(["different structure", *map(str, self.structure)])
        count = len(self.constants)
        lines = [f"same structure, {count} constant{'s differ' if count > 1 else ' differs'}"]
        lines += [f"  {constant}" for constant in self.constants[:_SHOWN]]
        return "\n".join([*lines, f"  ... and {count - _SHOWN} more"] if count > _SHOWN else lines)

    def to_json(self) -> dict[str, Any]:
        """Plain dicts, lists, numbers and strings; infinity as "inf"."""
        return {
            "verdict": self.verdict,
            "fingerprints": list(self.fingerprints),
            "constants": [_plain(asdict(constant)) for constant in self.constants],
            "structure": [_plain(asdict(place)) for place in self.structure],
        }


def _indented(lines: tuple[str, ...]) -> str:
    return "\n".join(f"    {line}" for line in lines)


def _plain(fields: dict[str, Any]) -> dict[str, Any]:
    return {key: _plain_value(value) for key, value in fields.items()}


def _plain_value(value: Any) -> Any:
    if isinstance(value, tuple):
        return list(value)
    return "inf" if isinstance(value, float) and math.isinf(value) else value
