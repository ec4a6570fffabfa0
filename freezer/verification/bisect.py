"""Which change made a residual differ: specialise with less and less fuel until the culprit is found."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import replace

from freezer.bindings import Bindings
from freezer.model_io import Source
from freezer.options import Options
from freezer.pipeline import Specialised, specialise
from freezer.verification.verification import verify

_SECONDS = 120.0


def bisect(
    reload: Callable[[], Source], bindings: Bindings, options: Options, changes: int,
    tolerance: Mapping[str, float] | None = None,
) -> str | None:  # fmt: skip
    """The first change, in words, after which the outputs differ; None if two minutes do not find it.

    reload: gives the source afresh. changes: how many changes the different result took (Log.changes). tolerance: as
    verify has it.
    """
    deadline = time.monotonic() + _SECONDS
    equal, different, culprit = -1, changes, None
    while different - equal > 1:
        if time.monotonic() > deadline:
            return None
        middle = (equal + different) // 2
        result = _with_fuel(reload(), bindings, options, middle)
        if verify(reload(), result.model, bindings, feeds=2, tolerance=tolerance).equal is False:
            different, culprit = middle, result.log.last
        else:
            equal = middle
    if different == 0:
        return "binding the values"
    return culprit or _with_fuel(reload(), bindings, options, different).log.last


def _with_fuel(source: Source, bindings: Bindings, options: Options, fuel: int) -> Specialised:
    return specialise(source, bindings, replace(options, fuel=fuel))
